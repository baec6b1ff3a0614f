/*
 * Images of strangers: whatever they are, a small picture within its limit or
 * none; and EXIF by itself.  The libraries that decode are fuzzed elsewhere:
 * this is for what we do around them.
 */
#include "agent/look/look.h"
#include "fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct buf out;
	int turned = look_exif(in);

	CHECK(turned >= 1 && turned <= 8);
	buf_init(&out, LOOK_THUMB_MAX);
	if (look_thumb("image/jpeg", in, &out) == ST_OK)
		CHECK(out.len > 0 && out.len <= LOOK_THUMB_MAX);
	buf_reset(&out);
	if (look_thumb("image/png", in, &out) == ST_OK)
		CHECK(out.len > 0 && out.len <= LOOK_THUMB_MAX);
	buf_reset(&out);
	if (look_thumb("image/webp", in, &out) == ST_OK)
		CHECK(out.len > 0 && out.len <= LOOK_THUMB_MAX);
	turned = look_exif_any(in);
	CHECK(turned >= 1 && turned <= 8);
	buf_free(&out);
	return 0;
}
