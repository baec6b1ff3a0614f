/*
 * HTTP requests read in one piece and in pieces (the first byte says how
 * large) are the same requests with the same bodies and the same end; no range
 * leaves the input; a limit is never passed; what was refused stays refused.
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "server/net/http.h"

enum { BODY_MAX = 300 };

static struct buf whole, pieces;

static void
tell_head(struct buf *out, struct http_reader *r)
{
	struct http_head *h = http_reader_take_head(r);
	struct bytes t;

	CHECK(h != NULL && h->method[0] != '\0' && h->minor <= 1);
	CHECK(h->field_count <= HTTP_FIELDS_MAX);
	CHECK(!(h->chunked && h->has_length));
	t = buf_view(&h->text);
	CHECK(h->path.p >= t.p && h->path.p + h->path.len <= t.p + t.len);
	CHECK(h->path.len > 0);
	for (size_t i = 0; i < h->field_count; i++) {
		const struct http_field *f = &h->field[i];

		CHECK(f->name.len > 0 && f->name.p >= t.p);
		CHECK(f->value.len == 0 ||
		      (f->value.p >= t.p &&
			  f->value.p + f->value.len <= t.p + t.len));
		CHECK(f->value.len == 0 ||
		      memchr(f->value.p, '\n', f->value.len) == NULL);
	}
	buf_printf(out, "\n%s %d%d%d%d ", h->method, h->keep_alive, h->chunked,
	    h->has_length, h->expect_continue);
	buf_bytes(out, h->path);
	buf_u8(out, '?');
	buf_bytes(out, h->query);
	http_head_free(h);
}

static void
read_all(struct buf *out, struct bytes in, size_t step)
{
	struct http_reader *r = NULL;
	size_t body = 0;
	bool refused = false;

	buf_reset(out);
	CHECK(http_reader_new(&r, HTTP_HEAD_BYTES_MAX) == ST_OK);
	while (in.len > 0 && !refused) {
		struct bytes part = { in.p, in.len < step ? in.len : step };
		enum http_event ev = HTTP_EV_HEAD;

		in.p += part.len;
		in.len -= part.len;
		while (ev != HTTP_EV_MORE && !refused) {
			struct bytes data = { NULL, 0 };
			size_t used = 0;

			ev = http_reader_next(r, &used, &data, part);
			CHECK(used <= part.len);
			if (ev == HTTP_EV_MORE)
				CHECK(used == part.len);
			if (ev == HTTP_EV_DATA) {
				CHECK(data.len > 0 && data.p >= part.p);
				CHECK(data.p + data.len <= part.p + used);
				body += data.len;
				CHECK(body <= BODY_MAX);
				buf_bytes(out, data);
			} else if (ev == HTTP_EV_HEAD) {
				tell_head(out, r);
				body = 0;
				(void)http_reader_limit(r, BODY_MAX);
			} else if (ev == HTTP_EV_END) {
				buf_str(out, "\nend");
			} else if (ev == HTTP_EV_BAD) {
				const struct http_error *e =
				    http_reader_error(r);

				CHECK(e->status >= 400 && e->why != NULL);
				buf_printf(
				    out, "\nbad %u %s", e->status, e->why);
				refused = true;
			}
			part.p += used;
			part.len -= used;
		}
	}
	if (refused) {
		struct bytes data;
		size_t used;

		CHECK(http_reader_next(r, &used, &data, in) == HTTP_EV_BAD);
		CHECK(used == 0);
	}
	buf_printf(out, "\n%d%d", http_reader_idle(r), http_reader_in_head(r));
	CHECK(out->err == ST_OK);
	http_reader_free(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in;

	if (size < 1 || size > (1 << 20))
		return 0;
	if (whole.max == 0) {
		buf_init(&whole, 16 << 20);
		buf_init(&pieces, 16 << 20);
	}
	in = (struct bytes){ data + 1, size - 1 };
	read_all(&whole, in, SIZE_MAX);
	read_all(&pieces, in, (size_t)data[0] + 1);
	CHECK(bytes_eq(buf_view(&whole), buf_view(&pieces)));
	return 0;
}
