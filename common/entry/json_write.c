#include "entry/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/sort.h"
#include "entry/json_scan.h"
#include "entry/utf8.h"

enum { NAMES_FEW = 64 };

static void
put_escaped(struct buf *out, uint8_t c)
{
	static const char digit[] = "0123456789abcdef";
	char u[6] = { '\\', 'u', '0', '0', digit[c >> 4], digit[c & 15] };

	switch (c) {
	case '"':
		buf_add(out, "\\\"", 2);
		break;
	case '\\':
		buf_add(out, "\\\\", 2);
		break;
	case '\b':
		buf_add(out, "\\b", 2);
		break;
	case '\f':
		buf_add(out, "\\f", 2);
		break;
	case '\n':
		buf_add(out, "\\n", 2);
		break;
	case '\r':
		buf_add(out, "\\r", 2);
		break;
	case '\t':
		buf_add(out, "\\t", 2);
		break;
	default:
		buf_add(out, u, sizeof(u));
	}
}

static bool
must_escape(uint8_t c)
{
	return c < 0x20 || c == '"' || c == '\\';
}

/* Is there one among eight bytes?  A zero byte shows by its borrow. */
static bool
any_escape(const uint8_t p[8])
{
	const uint64_t one = UINT64_C(0x0101010101010101), top = one << 7;
	uint64_t w, quote, slash;

	memcpy(&w, p, sizeof(w));
	quote = w ^ one * '"';
	slash = w ^ one * '\\';
	return (((w - one * 0x20) & ~w) | ((quote - one) & ~quote) |
		   ((slash - one) & ~slash)) &
	       top;
}

/* Text with what must be escaped escaped, without quotes. */
static void
put_text(struct buf *out, const uint8_t *p, size_t len)
{
	size_t from = 0;

	for (size_t i = 0; i < len; i++) {
		while (len - i >= 8 && !any_escape(p + i))
			i += 8;
		if (i == len || !must_escape(p[i]))
			continue;
		buf_add(out, p + from, i - from);
		put_escaped(out, p[i]);
		from = i + 1;
	}
	buf_add(out, p + from, len - from);
}

void
json_put_string(struct buf *out, struct bytes text)
{
	buf_u8(out, '"');
	if (text.len > 0)
		put_text(out, text.p, text.len);
	buf_u8(out, '"');
}

void
json_put_str(struct buf *out, const char *text)
{
	json_put_string(out, bytes_str(text));
}

void
json_put_int(struct buf *out, int64_t v)
{
	buf_printf(out, "%lld", (long long)v);
}

void
json_put_hex(struct buf *out, struct bytes raw)
{
	buf_u8(out, '"');
	buf_hex(out, raw);
	buf_u8(out, '"');
}

bool
json_text_ok(struct bytes text)
{
	for (size_t i = 0; i < text.len;) {
		int len = utf8_char(text.p + i, text.len - i);

		if (len <= 0 || text.p[i] == 0)
			return false;
		i += (size_t)len;
	}
	return true;
}

/* A string node in canonical form. */
static void
canon_string(const struct json *j, uint32_t n, struct buf *out)
{
	struct bytes raw = json_raw(j, n);
	const uint8_t *p = raw.p, *end = p + raw.len;
	uint8_t ch[4];

	buf_u8(out, '"');
	if (!j->node[n].escaped) {
		/* Nothing in it needs an escape, or it would have one. */
		buf_bytes(out, raw);
	} else {
		while (p < end)
			put_text(out, ch, json_next_char(ch, &p, end));
	}
	buf_u8(out, '"');
}

/* A container being written: what is left of it. */
struct frame {
	bool object;
	uint32_t at, end; /* array: next child; object: places in `names` */
	uint32_t from;    /* object: where its names begin */
};

/*
 * Begin container n: write its bracket and put the names of an object, sorted,
 * on the stack `names`, whose used part is *used.  The same number of places
 * behind them is free for the sort.
 */
static struct frame
begin(const struct json *j, uint32_t n, uint32_t *names, uint32_t *used,
    struct buf *out)
{
	struct frame f = { .object = j->node[n].type == JSON_OBJECT };
	uint32_t from = *used, count = j->node[n].count, end = j->node[n].next;

	buf_u8(out, f.object ? '{' : '[');
	f.from = f.at = n + 1;
	f.end = end;
	if (!f.object)
		return f;
	for (uint32_t i = n + 1; i < end; i = j->node[i + 1].next)
		names[(*used)++] = i;
	sort_u32(names + from, names + *used, count, json_order_cmp, j);
	f.from = f.at = from;
	f.end = *used;
	return f;
}

static void
canon_all(const struct json *j, uint32_t n, uint32_t *names, struct buf *out)
{
	struct frame stack[JSON_DEPTH_MAX];
	uint32_t used = 0;
	size_t depth = 0;

	for (;;) {
		enum json_type type = j->node[n].type;

		if (type == JSON_ARRAY || type == JSON_OBJECT) {
			assert(depth < JSON_DEPTH_MAX);
			stack[depth++] = begin(j, n, names, &used, out);
		} else if (type == JSON_STRING) {
			canon_string(j, n, out);
		} else {
			/* A number or word has one spelling only. */
			buf_bytes(out, json_raw(j, n));
		}
		while (
		    depth > 0 && stack[depth - 1].at == stack[depth - 1].end) {
			depth--;
			buf_u8(out, stack[depth].object ? '}' : ']');
			if (stack[depth].object)
				used = stack[depth].from;
		}
		if (depth == 0)
			return;
		struct frame *f = &stack[depth - 1];

		if (f->at != f->from)
			buf_u8(out, ',');
		if (f->object) {
			canon_string(j, names[f->at], out);
			buf_u8(out, ':');
			n = names[f->at++] + 1;
		} else {
			n = f->at;
			f->at = j->node[n].next;
		}
	}
}

void
json_canon(const struct json *j, uint32_t n, struct buf *out)
{
	uint32_t few[NAMES_FEW], *names = few;
	size_t need;

	assert(n < j->count);
	/* A member is two nodes, so the names open at any time and as many
	 * places for the sort fit into one place a node. */
	need = j->node[n].next - n;
	if (need > NAMES_FEW) {
		names = malloc(need * sizeof(*names));
		if (names == NULL) {
			if (out->err == ST_OK)
				out->err = ST_NOMEM;
			return;
		}
	}
	canon_all(j, n, names, out);
	if (names != few)
		free(names);
}
