#include "base/buf.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
buf_init(struct buf *b, size_t max)
{
	assert(max > 0);
	*b = (struct buf){ .max = max };
}

void
buf_free(struct buf *b)
{
	size_t max = b->max;

	free(b->p);
	*b = (struct buf){ .max = max };
}

void
buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		sodium_memzero(b->p, b->cap);
	buf_free(b);
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->err = ST_OK;
}

/* Make sure that `more` bytes and a NUL behind them have room. */
static bool
reserve(struct buf *b, size_t more)
{
	size_t need, cap;
	uint8_t *p;

	if (b->err != ST_OK)
		return false;
	if (more > b->max - b->len) {
		b->err = ST_LIMIT;
		return false;
	}
	need = b->len + more + 1;
	if (need <= b->cap)
		return true;
	cap = b->cap < 64 ? 64 : b->cap;
	while (cap < need)
		cap *= 2;
	/* Not realloc: what a grown buffer leaves behind may be a secret, and
	 * buf_wipe can only reach the last block. */
	p = malloc(cap);
	if (p == NULL) {
		b->err = ST_NOMEM;
		return false;
	}
	if (b->p != NULL) {
		memcpy(p, b->p, b->len);
		sodium_memzero(b->p, b->len);
		free(b->p);
	}
	b->p = p;
	b->cap = cap;
	return true;
}

uint8_t *
buf_extend(struct buf *b, size_t len)
{
	uint8_t *at;

	if (!reserve(b, len))
		return NULL;
	at = b->p + b->len;
	b->len += len;
	return at;
}

void
buf_add(struct buf *b, const void *p, size_t len)
{
	uint8_t *at;

	if (len == 0)
		return;
	at = buf_extend(b, len);
	if (at != NULL)
		memcpy(at, p, len);
}

void
buf_bytes(struct buf *b, struct bytes in)
{
	buf_add(b, in.p, in.len);
}

void
buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_u8(struct buf *b, uint8_t v)
{
	/* Room for it and for a NUL behind it: nearly always so. */
	if (b->err == ST_OK && b->max > b->len && b->len + 1 < b->cap)
		b->p[b->len++] = v;
	else
		buf_add(b, &v, 1);
}

void
buf_dec(struct buf *b, uint64_t v)
{
	char digit[20];
	size_t at = sizeof(digit);

	do {
		digit[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	buf_add(b, digit + at, sizeof(digit) - at);
}

void
buf_u16(struct buf *b, uint16_t v)
{
	uint8_t x[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	buf_add(b, x, 2);
}

void
buf_u32(struct buf *b, uint32_t v)
{
	uint8_t x[4];

	be32_put(x, v);
	buf_add(b, x, 4);
}

void
buf_u64(struct buf *b, uint64_t v)
{
	uint8_t x[8];

	be64_put(x, v);
	buf_add(b, x, 8);
}

void
buf_varint(struct buf *b, uint64_t v)
{
	uint8_t x[10];
	size_t n = 0;

	while (v >= 0x80) {
		x[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	x[n++] = (uint8_t)v;
	buf_add(b, x, n);
}

void
buf_sized(struct buf *b, struct bytes in)
{
	buf_varint(b, in.len);
	buf_bytes(b, in);
}

void
buf_hex(struct buf *b, struct bytes in)
{
	static const char digit[] = "0123456789abcdef";

	uint8_t *at = buf_extend(b, 2 * in.len);

	for (size_t i = 0; at != NULL && i < in.len; i++) {
		*at++ = (uint8_t)digit[in.p[i] >> 4];
		*at++ = (uint8_t)digit[in.p[i] & 15];
	}
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	/* Formatted once where it has room, as it nearly always has. */
	size_t room = b->err == ST_OK ? b->cap - b->len : 0;
	char *at = room == 0 ? NULL : (char *)b->p + b->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(at, room, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	if (!reserve(b, (size_t)n))
		return;
	if ((size_t)n >= room) {
		va_start(ap, fmt);
		(void)vsnprintf((char *)b->p + b->len, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

struct bytes
buf_view(const struct buf *b)
{
	return (struct bytes){ b->p, b->len };
}

const char *
buf_cstr(struct buf *b)
{
	if (!reserve(b, 0))
		return NULL;
	b->p[b->len] = '\0';
	return (const char *)b->p;
}
