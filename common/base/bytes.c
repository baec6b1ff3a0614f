#include "base/bytes.h"

#include <assert.h>
#include <string.h>

struct bytes
bytes_of(const void *p, size_t len)
{
	assert(p != NULL || len == 0);
	return (struct bytes){ p, len };
}

struct bytes
bytes_str(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

bool
bytes_eq(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool
bytes_eq_str(struct bytes a, const char *s)
{
	/* Most that are compared differ at once. */
	if (a.len > 0 && a.p[0] != (uint8_t)s[0])
		return false;
	return bytes_eq(a, bytes_str(s));
}

bool
bytes_starts(struct bytes a, const char *prefix)
{
	size_t n = strlen(prefix);

	return a.len >= n && (n == 0 || memcmp(a.p, prefix, n) == 0);
}

int
bytes_cmp(struct bytes a, struct bytes b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (c != 0)
		return c;
	return (a.len > b.len) - (a.len < b.len);
}

void
be64_put(uint8_t out[8], uint64_t v)
{
	for (int i = 7; i >= 0; i--) {
		out[i] = (uint8_t)v;
		v >>= 8;
	}
}

uint64_t
be64_get(const uint8_t in[8])
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | in[i];
	return v;
}

void
be32_put(uint8_t out[4], uint32_t v)
{
	for (int i = 3; i >= 0; i--) {
		out[i] = (uint8_t)v;
		v >>= 8;
	}
}

uint32_t
be32_get(const uint8_t in[4])
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 |
	       (uint32_t)in[2] << 8 | in[3];
}

void
reader_init(struct reader *r, struct bytes in)
{
	r->p = in.p;
	r->left = in.len;
	r->bad = false;
}

struct bytes
reader_take(struct reader *r, size_t len)
{
	struct bytes out;

	if (r->bad || len > r->left) {
		r->bad = true;
		r->left = 0;
		return (struct bytes){ NULL, 0 };
	}
	out = (struct bytes){ r->p, len };
	if (len > 0)
		r->p += len;
	r->left -= len;
	return out;
}

void
reader_copy(struct reader *r, void *out, size_t len)
{
	struct bytes b = reader_take(r, len);

	if (b.len == len && len > 0)
		memcpy(out, b.p, len);
	else
		memset(out, 0, len);
}

uint8_t
reader_u8(struct reader *r)
{
	struct bytes b = reader_take(r, 1);

	return b.len == 1 ? b.p[0] : 0;
}

uint16_t
reader_u16(struct reader *r)
{
	struct bytes b = reader_take(r, 2);

	if (b.len != 2)
		return 0;
	return (uint16_t)((unsigned)b.p[0] << 8 | b.p[1]);
}

uint32_t
reader_u32(struct reader *r)
{
	struct bytes b = reader_take(r, 4);

	return b.len == 4 ? be32_get(b.p) : 0;
}

uint64_t
reader_u64(struct reader *r)
{
	struct bytes b = reader_take(r, 8);

	return b.len == 8 ? be64_get(b.p) : 0;
}

uint64_t
reader_varint(struct reader *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t c = reader_u8(r);

		if (r->bad)
			return 0;
		if (shift == 63 && c > 1)
			break;
		v |= (uint64_t)(c & 0x7f) << shift;
		if ((c & 0x80) == 0) {
			if (c == 0 && shift > 0)
				break;
			return v;
		}
	}
	r->bad = true;
	r->left = 0;
	return 0;
}

struct bytes
reader_sized(struct reader *r, size_t max)
{
	uint64_t len = reader_varint(r);

	if (len > max) {
		r->bad = true;
		r->left = 0;
		return (struct bytes){ NULL, 0 };
	}
	return reader_take(r, (size_t)len);
}

bool
reader_done(const struct reader *r)
{
	return !r->bad && r->left == 0;
}
