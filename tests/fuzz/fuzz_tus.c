/*
 * Header fields of tus: one a line, in the order of struct tus_fields.  What is
 * taken is within its limits and harmless in a header; what is refused says
 * why.
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "server/app/tus_head.h"

static struct bytes
line(struct bytes *in)
{
	const uint8_t *lf = in->len == 0 ? NULL : memchr(in->p, '\n', in->len);
	struct bytes out = *in;

	if (lf != NULL)
		out.len = (size_t)(lf - in->p);
	in->p += out.len + (lf != NULL);
	in->len -= out.len + (lf != NULL);
	return out;
}

/* What goes into an answer's header ends no line and begins no other. */
static void
check_meta(struct bytes meta)
{
	CHECK(meta.len > 0 && meta.len <= UPLOAD_META_MAX);
	for (size_t i = 0; i < meta.len; i++)
		CHECK(meta.p[i] >= 0x20 && meta.p[i] <= 0x7e);
}

static void
check_taken(const struct upload_ask *ask, const struct tus_fields *f)
{
	switch (ask->what) {
	case UPLOAD_CREATE:
		CHECK(!f->has_id && f->defer_length.len == 0);
		CHECK(f->length.len > 0 && ask->length <= INT64_MAX);
		check_meta(ask->meta);
		break;
	case UPLOAD_WRITE:
		CHECK(f->has_id && f->offset.len > 0);
		CHECK(ask->offset <= INT64_MAX);
		CHECK(bytes_eq_str(
		    f->content_type, "application/offset+octet-stream"));
		break;
	case UPLOAD_LOOK:
	case UPLOAD_REMOVE:
		CHECK(f->has_id && f->id.len == 2 * (size_t)UPLOAD_ID_LEN);
		break;
	}
	CHECK(ask->dev[0] == '\0' && !ask->deliver);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };
	struct tus_fields f = { .method = line(&in) };
	struct tus_refusal why = { 0 };
	struct upload_ask ask;

	f.override = line(&in);
	f.id = line(&in);
	f.has_id = f.id.len > 0;
	f.length = line(&in);
	f.defer_length = line(&in);
	f.offset = line(&in);
	f.metadata = line(&in);
	f.checksum = line(&in);
	f.content_length = line(&in);
	f.content_type = line(&in);
	f.transfer_encoding = line(&in);
	if (tus_head_read(&ask, &f, &why)) {
		check_taken(&ask, &f);
		return 0;
	}
	CHECK(why.status >= 400 && why.status < 500);
	CHECK(why.word != NULL && why.en != NULL && why.zh != NULL);
	return 0;
}
