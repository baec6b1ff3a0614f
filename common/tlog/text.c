#include "tlog/text.h"

#include <assert.h>
#include <string.h>

#include "base/enc.h"
#include "entry/utf8.h"

bool
text_line(struct bytes *rest, struct bytes *line)
{
	const uint8_t *lf;

	if (rest->len == 0)
		return false;
	lf = memchr(rest->p, '\n', rest->len);
	if (lf == NULL)
		return false;
	*line = bytes_of(rest->p, (size_t)(lf - rest->p));
	*rest = bytes_of(lf + 1, rest->len - line->len - 1);
	return true;
}

enum status
text_decimal(uint64_t *out, struct bytes in, uint64_t max)
{
	uint64_t v = 0;

	if (in.len == 0 || (in.len > 1 && in.p[0] == '0'))
		return ST_INVALID;
	for (size_t i = 0; i < in.len; i++) {
		unsigned digit = (unsigned)in.p[i] - '0';

		if (in.p[i] < '0' || in.p[i] > '9')
			return ST_INVALID;
		if (v > max / 10 || digit > max - v * 10)
			return ST_INVALID;
		v = v * 10 + digit;
	}
	*out = v;
	return ST_OK;
}

enum status
text_base64(uint8_t *out, size_t len, struct bytes in)
{
	uint8_t raw[64];
	size_t got;

	assert(len <= sizeof(raw));
	if (base64_decode(raw, len, &got, in) != ST_OK || got != len)
		return ST_INVALID;
	memcpy(out, raw, len);
	return ST_OK;
}

void
text_put_base64(struct buf *out, struct bytes in)
{
	/* Whole groups of three give four characters each and no padding, so
	 * any length can go through a small window. */
	while (in.len > 0) {
		size_t len = in.len < 48 ? in.len : 48;
		char text[64 + 1];

		base64_encode(text, bytes_of(in.p, len));
		buf_str(out, text);
		in = bytes_of(in.p + len, in.len - len);
	}
}

bool
text_ok(struct bytes in)
{
	size_t at = 0;

	while (at < in.len) {
		int len = utf8_char(in.p + at, in.len - at);

		if (len <= 0 || (in.p[at] < 0x20 && in.p[at] != '\n'))
			return false;
		at += (size_t)len;
	}
	return true;
}
