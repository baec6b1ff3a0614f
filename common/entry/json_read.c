#include "entry/json.h"

#include <assert.h>
#include <string.h>

#include "base/enc.h"
#include "base/limits.h"
#include "entry/json_scan.h"
#include "entry/utf8.h"

static uint32_t
hex_digit(uint8_t c)
{
	if (c <= '9')
		return (uint32_t)c - '0';
	return ((uint32_t)c | 0x20) - 'a' + 10;
}

static uint32_t
hex_quad(const uint8_t *p)
{
	return hex_digit(p[0]) << 12 | hex_digit(p[1]) << 8 |
	       hex_digit(p[2]) << 4 | hex_digit(p[3]);
}

size_t
json_next_char(uint8_t out[4], const uint8_t **p, const uint8_t *end)
{
	static const char names[] = "\"\\/bfnrt";
	static const char means[] = "\"\\/\b\f\n\r\t";
	const uint8_t *at = *p;
	uint32_t u;
	int len;

	if (*at != '\\') {
		len = utf8_char(at, (size_t)(end - at));
		assert(len > 0);
		memcpy(out, at, (size_t)len);
		*p = at + len;
		return (size_t)len;
	}
	/* The scanner has checked every escape. */
	if (at[1] != 'u') {
		const char *k = strchr(names, at[1]);

		assert(k != NULL && *k != '\0');
		out[0] = (uint8_t)means[k - names];
		*p = at + 2;
		return 1;
	}
	u = hex_quad(at + 2);
	*p = at + 6;
	if (u >= 0xd800 && u < 0xdc00) {
		u = 0x10000 + ((u - 0xd800) << 10) +
		    (hex_quad(at + 8) - 0xdc00);
		*p = at + 12;
	}
	return utf8_encode(out, u);
}

/* A string being read byte by byte, unescaped. */
struct cursor {
	const uint8_t *p, *end;
	uint8_t ch[4];
	size_t at, len; /* within ch */
};

static struct cursor
cursor_of(const struct json *j, uint32_t n)
{
	struct bytes raw = json_raw(j, n);

	return (struct cursor){ .p = raw.p, .end = raw.p + raw.len };
}

/* The next byte, or -1 behind the last. */
static int
cursor_next(struct cursor *c)
{
	if (c->at == c->len) {
		if (c->p == c->end)
			return -1;
		c->len = json_next_char(c->ch, &c->p, c->end);
		c->at = 0;
	}
	return c->ch[c->at++];
}

int
json_order(const struct json *j, uint32_t a, uint32_t b)
{
	struct cursor x, y;

	if (!j->node[a].escaped && !j->node[b].escaped)
		return bytes_cmp(json_raw(j, a), json_raw(j, b));
	x = cursor_of(j, a);
	y = cursor_of(j, b);
	for (;;) {
		int p = cursor_next(&x), q = cursor_next(&y);

		if (p != q)
			return p < q ? -1 : 1;
		if (p < 0)
			return 0;
	}
}

int
json_order_cmp(const void *arg, uint32_t a, uint32_t b)
{
	return json_order(arg, a, b);
}

struct bytes
json_raw(const struct json *j, uint32_t n)
{
	assert(n < j->count);
	return (struct bytes){ j->src.p + j->node[n].off, j->node[n].len };
}

uint32_t
json_first(const struct json *j, uint32_t n)
{
	assert(n < j->count);
	return n + 1;
}

uint32_t
json_end(const struct json *j, uint32_t n)
{
	assert(n < j->count);
	return j->node[n].next;
}

bool
json_is(const struct json *j, uint32_t n, const char *s)
{
	struct cursor c;
	int ch;

	assert(n < j->count);
	if (j->node[n].type != JSON_STRING)
		return false;
	if (!j->node[n].escaped)
		return bytes_eq_str(json_raw(j, n), s);
	c = cursor_of(j, n);
	while ((ch = cursor_next(&c)) >= 0) {
		/* No string holds U+0000: the end of s never matches. */
		if (ch != (uint8_t)*s++)
			return false;
	}
	return *s == '\0';
}

uint32_t
json_get(const struct json *j, uint32_t n, const char *name)
{
	uint32_t end;

	assert(n < j->count);
	if (j->node[n].type != JSON_OBJECT)
		return 0;
	end = j->node[n].next;
	for (uint32_t i = n + 1; i < end; i = j->node[i + 1].next) {
		if (json_is(j, i, name))
			return i + 1;
	}
	return 0;
}

uint32_t
json_get_typed(
    const struct json *j, uint32_t n, const char *name, enum json_type type)
{
	uint32_t v = json_get(j, n, name);

	return v != 0 && j->node[v].type == type ? v : 0;
}

void
json_text(const struct json *j, uint32_t n, struct buf *out)
{
	struct bytes raw = json_raw(j, n);
	const uint8_t *p = raw.p, *end = p + raw.len;
	uint8_t ch[4];

	assert(j->node[n].type == JSON_STRING);
	while (p < end) {
		const uint8_t *stop = end, *next;

		if (j->node[n].escaped) {
			next = memchr(p, '\\', (size_t)(end - p));
			stop = next != NULL ? next : end;
		}
		buf_add(out, p, (size_t)(stop - p));
		p = stop;
		if (p < end)
			buf_add(out, ch, json_next_char(ch, &p, end));
	}
}

struct bytes
json_view(const struct json *j, uint32_t n, struct buf *scratch)
{
	size_t from = scratch->len;

	assert(n < j->count && j->node[n].type == JSON_STRING);
	if (!j->node[n].escaped)
		return json_raw(j, n);
	json_text(j, n, scratch);
	if (scratch->err != ST_OK)
		return (struct bytes){ NULL, 0 };
	return (struct bytes){ scratch->p + from, scratch->len - from };
}

enum status
json_hex(const struct json *j, uint32_t n, uint8_t *out, size_t len)
{
	uint8_t raw[SIG_LEN], plain[2 * SIG_LEN];
	struct bytes text;
	struct cursor c;
	size_t count = 0;
	int ch;

	assert(n < j->count && len <= SIG_LEN);
	if (j->node[n].type != JSON_STRING)
		return ST_INVALID;
	text = json_raw(j, n);
	if (j->node[n].escaped) {
		c = cursor_of(j, n);
		while ((ch = cursor_next(&c)) >= 0) {
			if (count == sizeof(plain))
				return ST_INVALID;
			plain[count++] = (uint8_t)ch;
		}
		text = bytes_of(plain, count);
	}
	if (hex_decode(raw, len, text) != ST_OK)
		return ST_INVALID;
	memcpy(out, raw, len);
	return ST_OK;
}

int64_t
json_int(const struct json *j, uint32_t n, const char *name, int64_t def)
{
	uint32_t v = json_get_typed(j, n, name, JSON_INT);

	return v != 0 ? j->node[v].num : def;
}

bool
json_bool(const struct json *j, uint32_t n, const char *name, bool def)
{
	uint32_t v = json_get(j, n, name);

	if (v != 0 && j->node[v].type == JSON_TRUE)
		return true;
	if (v != 0 && j->node[v].type == JSON_FALSE)
		return false;
	return def;
}
