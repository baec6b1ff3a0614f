/*
 * A proof file that is read is written again to the same bytes, and checking
 * it ends in one of the results that the header names.
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "tlog/proof.h"

static const char vkey[] = "court.example/zx+01afc49b+"
			   "AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t link[HASH_LEN] = { 7 };
	static struct note_key key;
	static struct buf out;
	struct bytes in = { data, size };
	struct checkpoint c;
	struct proof p;
	enum status st;

	if (out.max == 0) {
		buf_init(&out, 2 * PROOF_BYTES_MAX);
		CHECK(note_key_parse(&key, bytes_str(vkey)) == ST_OK);
	}
	if (proof_parse(&p, in) != ST_OK)
		return 0;
	CHECK(p.note.p + p.note.len == data + size);
	buf_reset(&out);
	CHECK(proof_format(&p, &out) == ST_OK);
	CHECK(bytes_eq(buf_view(&out), in));
	/* No proof leads from this link, whatever its checkpoint. */
	st = proof_check(&p, link, &key, &c);
	CHECK(st == ST_ABSENT || st == ST_DENIED || st == ST_INVALID);
	return 0;
}
