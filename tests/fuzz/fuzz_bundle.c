/*
 * A bundle that is read is written again to the same bytes; and whatever it
 * says, the auditor ends with one of its verdicts, and never with proved,
 * since nothing from outside is given.
 */
#include <sodium.h>

#include "domain/record_words.h"
#include "fuzz/fuzz.h"
#include "verify/bundle.h"
#include "verify/verify.h"

/* Of the made store that the corpus comes from. */
static const char vkey[] = "xz0302.daybreak/log+ec8a4209+A"
			   "QiJUMlgwS6ZtNLQnxLB8oF/v+ggAxJ40rv3SOKeHwkP";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct verify_given given;
	static struct kinds *kinds;
	struct bytes in = { data, size };
	char errmsg[VERIFY_ERRMSG_LEN];
	struct verify_report r;
	struct bundle b;
	struct buf out, told;
	enum status st, read;

	if (given.key.alg == 0) {
		CHECK(sodium_init() >= 0);
		CHECK(kinds_load_builtin(&kinds) == ST_OK);
		CHECK(note_key_parse(&given.key, bytes_str(vkey)) == ST_OK);
	}
	bundle_init(&b);
	read = bundle_read(&b, in);
	CHECK(read != ST_CORRUPT || b.why != NULL);
	if (read == ST_OK) {
		buf_init(&out, BUNDLE_BYTES_MAX);
		CHECK(bundle_write(&b, &out) == ST_OK);
		CHECK(bytes_eq(buf_view(&out), in));
		buf_free(&out);
	}
	bundle_free(&b);
	verify_report_init(&r);
	st = verify_bundle(&r, in, &given, errmsg);
	CHECK(st == ST_OK || st == read);
	CHECK(verify_verdict_of(&r) != VERIFY_PROVED);
	if (st == ST_OK && read != ST_OK)
		CHECK(verify_verdict_of(&r) == VERIFY_DAMAGED);
	buf_init(&out, 64 << 20);
	buf_init(&told, 64 << 20);
	verify_report_json(&r, &out);
	if (r.state != NULL)
		CHECK(record_put_words(kinds, r.kind,
			  bytes_of(r.state, r.state_len), &told) == ST_OK);
	verify_report_text(&r, buf_view(&told), &out);
	CHECK(out.err == ST_OK);
	buf_free(&out);
	buf_free(&told);
	verify_report_free(&r);
	return 0;
}
