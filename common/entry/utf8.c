#include "entry/utf8.h"

#include <assert.h>

static inline bool
is_tail(uint8_t c)
{
	return (c & 0xc0) == 0x80;
}

uint32_t
utf8_decode(const uint8_t *p, int len)
{
	switch (len) {
	case 1:
		return p[0];
	case 2:
		return (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
	case 3:
		return (uint32_t)(p[0] & 0x0f) << 12 |
		       (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
	default:
		assert(len == 4);
		return (uint32_t)(p[0] & 0x07) << 18 |
		       (uint32_t)(p[1] & 0x3f) << 12 |
		       (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
	}
}

int
utf8_char(const uint8_t *p, size_t left)
{
	uint32_t cp;
	int len;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2) /* a tail byte, or C0 and C1: always overlong */
		return UTF8_BAD;
	if (p[0] < 0xe0)
		return left >= 2 && is_tail(p[1]) ? 2 : UTF8_BAD;
	if (p[0] < 0xf0) {
		if (left < 3 || !is_tail(p[1]) || !is_tail(p[2]))
			return UTF8_BAD;
		/* Nothing of what is refused below begins with these, and
		 * nearly all Chinese text does. */
		if (p[0] >= 0xe1 && p[0] <= 0xec)
			return 3;
		len = 3;
		cp = utf8_decode(p, 3);
		if (cp < 0x800 || (cp >= 0xd800 && cp <= 0xdfff))
			return UTF8_BAD;
	} else {
		if (p[0] > 0xf4 || left < 4 || !is_tail(p[1]) ||
		    !is_tail(p[2]) || !is_tail(p[3]))
			return UTF8_BAD;
		len = 4;
		cp = utf8_decode(p, 4);
		if (cp < 0x10000 || cp > 0x10ffff)
			return UTF8_BAD;
	}
	return utf8_is_noncharacter(cp) ? UTF8_NONCHARACTER : len;
}

size_t
utf8_encode(uint8_t out[4], uint32_t cp)
{
	assert(cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff));
	if (cp < 0x80) {
		out[0] = (uint8_t)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (uint8_t)(0xc0 | cp >> 6);
		out[1] = (uint8_t)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (uint8_t)(0xe0 | cp >> 12);
		out[1] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | cp >> 18);
	out[1] = (uint8_t)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (cp & 0x3f));
	return 4;
}
