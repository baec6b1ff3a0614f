/*
 * What a person typed, for a field of any type (the first byte says which):
 * what is taken passes the check of its field, and means the same when it is
 * typed again.
 */
#include <string.h>

#include "domain/kind.h"
#include "entry/json.h"
#include "fuzz/fuzz.h"

static const struct kind_option options[] = { { "yes_sir", "遵命", "Yes, sir" },
	{ "no", "不", "No" } };
static const char *const lists[] = { "items" };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kind_field f = { .path = "p",
		.zh = "字",
		.en = "f",
		.min = 0,
		.max = 100000,
		.bytes_max = 200,
		.refs = lists,
		.ref_count = 1 };
	struct buf out, plain, again;
	struct words why;
	struct json j;
	enum status st;

	if (size == 0)
		return 0;
	f.type = (enum kind_type)(data[0] % KIND_TYPE_COUNT);
	if (f.type == KIND_ENUM) {
		f.options = options;
		f.option_count = 2;
	}
	buf_init(&out, 1 << 20);
	buf_init(&plain, 1 << 20);
	buf_init(&again, 1 << 20);
	json_init(&j);
	st = kind_normalise(
	    &f, (struct bytes){ data + 1, size - 1 }, 480, &out, &why);
	CHECK(st == ST_OK || st == ST_INVALID);
	CHECK(
	    json_text_ok(bytes_str(why.zh)) && json_text_ok(bytes_str(why.en)));
	if (st == ST_INVALID) {
		CHECK(out.len == 0 && why.zh[0] != '\0' && why.en[0] != '\0');
	} else {
		CHECK(kind_check(&f, buf_view(&out), &why) == ST_OK);
		CHECK(json_parse(&j, buf_view(&out), JSON_DOCUMENT) == ST_OK);
		if (j.node[0].type == JSON_STRING)
			json_text(&j, 0, &plain);
		else if (j.node[0].type != JSON_NULL)
			buf_bytes(&plain, buf_view(&out));
		CHECK(kind_normalise(&f, buf_view(&plain), 0, &again, &why) ==
		      ST_OK);
		CHECK(bytes_eq(buf_view(&out), buf_view(&again)));
	}
	json_free(&j);
	buf_free(&out);
	buf_free(&plain);
	buf_free(&again);
	return 0;
}
