#ifndef ENTRY_UTF8_H
#define ENTRY_UTF8_H
/*
 * utf8: one character at a time, as RFC 3629 and RFC 7493 section 2.1 allow it.
 */
#include "base/bytes.h"

enum utf8_fault {
	UTF8_BAD = 0,           /* truncated, overlong, surrogate, > U+10FFFF */
	UTF8_NONCHARACTER = -1, /* U+FDD0..U+FDEF, U+xxFFFE, U+xxFFFF */
};

/* U+FDD0..U+FDEF and the last two of every plane. */
static inline bool
utf8_is_noncharacter(uint32_t cp)
{
	return (cp >= 0xfdd0 && cp <= 0xfdef) || (cp & 0xfffe) == 0xfffe;
}

/*
 * Length (1 to 4) of the character that begins at p, of which `left` > 0 bytes
 * may be read; or an enum utf8_fault.  U+0000 is a character here.
 */
int utf8_char(const uint8_t *p, size_t left);

/* The character's number, where utf8_char gave a length. */
uint32_t utf8_decode(const uint8_t *p, int len);

/* Write a character, 1 to 4 bytes; returns how many. cp must be valid. */
size_t utf8_encode(uint8_t out[4], uint32_t cp);

#endif
