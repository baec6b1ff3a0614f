/*
 * What is taken as a line is taken as a document, with the same meaning; the
 * canonical form is read back and is its own; every text is fit to be written;
 * every member is found by its name.
 */
#include <string.h>

#include "entry/json.h"
#include "fuzz/fuzz.h"

static struct json a, b;
static struct buf canon, again, text;

static void
check_members(const struct json *j, uint32_t n)
{
	for (uint32_t i = json_first(j, n); i < json_end(j, n);
	     i = j->node[i + 1].next) {
		const char *name;

		buf_reset(&text);
		json_text(j, i, &text);
		name = buf_cstr(&text);
		CHECK(name != NULL && json_is(j, i, name));
		CHECK(json_get(j, n, name) == i + 1);
	}
}

static void
check_node(const struct json *j, uint32_t n)
{
	struct bytes raw = json_raw(j, n);

	CHECK(raw.p >= j->src.p && raw.p + raw.len <= j->src.p + j->src.len);
	CHECK(j->node[n].next > n && j->node[n].next <= j->count);
	switch (j->node[n].type) {
	case JSON_STRING:
		buf_reset(&text);
		json_text(j, n, &text);
		CHECK(text.err == ST_OK && text.len <= raw.len);
		CHECK(json_text_ok(buf_view(&text)));
		break;
	case JSON_OBJECT:
		if (j->node[n].count < 200)
			check_members(j, n);
		break;
	case JSON_INT:
		CHECK(j->node[n].num <= (INT64_C(1) << 53) - 1);
		CHECK(j->node[n].num >= 1 - (INT64_C(1) << 53));
		break;
	default:
		break;
	}
}

static void
put_canon(const struct json *j, struct buf *out)
{
	buf_reset(out);
	json_canon(j, 0, out);
	CHECK(out->err == ST_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };
	enum status line, doc;

	if (canon.max == 0) {
		buf_init(&canon, 64 << 20);
		buf_init(&again, 64 << 20);
		buf_init(&text, 64 << 20);
	}
	line = json_parse(&a, in, JSON_LINE);
	CHECK(line == ST_OK || (line == ST_INVALID && a.why != NULL));
	CHECK(line == ST_OK || (a.where <= size && a.count == 0));
	doc = json_parse(&b, in, JSON_DOCUMENT);
	CHECK(doc == ST_OK || (doc == ST_INVALID && line == ST_INVALID));
	if (doc != ST_OK)
		return 0;
	for (uint32_t n = 0; n < b.count; n++)
		check_node(&b, n);
	put_canon(&b, &canon);
	if (line == ST_OK) {
		put_canon(&a, &again);
		CHECK(bytes_eq(buf_view(&canon), buf_view(&again)));
	}
	CHECK(json_parse(&a, buf_view(&canon), JSON_DOCUMENT) == ST_OK);
	CHECK(a.count == b.count);
	put_canon(&a, &again);
	CHECK(bytes_eq(buf_view(&canon), buf_view(&again)));
	return 0;
}
