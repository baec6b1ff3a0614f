#include "agent/cli/columns.h"

/* One code point from p; how many bytes it took.  Text is UTF-8 by then: what
 * is not counts as one column a byte. */
static size_t
next(struct bytes text, uint32_t *cp)
{
	uint8_t c = text.p[0];
	size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;

	if (n > text.len || c < 0x80)
		n = 1;
	*cp = n == 1 ? c : c & (0x7fu >> n);
	for (size_t i = 1; i < n; i++)
		*cp = *cp << 6 | (text.p[i] & 0x3f);
	return n;
}

/* Unicode 15, East_Asian_Width W and F, by whole blocks. */
static const struct {
	uint32_t from, to;
	size_t width;
} wide[] = {
	{ 0x0300, 0x036f, 0 }, /* combining */
	{ 0x1100, 0x115f, 2 },
	{ 0x2e80, 0x303e, 2 },
	{ 0x3041, 0xa4cf, 2 },
	{ 0xac00, 0xd7a3, 2 },
	{ 0xf900, 0xfaff, 2 },
	{ 0xfe00, 0xfe0f, 0 },
	{ 0xfe30, 0xfe6f, 2 },
	{ 0xff00, 0xff60, 2 },
	{ 0xffe0, 0xffe6, 2 },
	{ 0x1f300, 0x1f64f, 2 },
	{ 0x1f900, 0x1f9ff, 2 },
	{ 0x20000, 0x3fffd, 2 },
};

static size_t
width_of(uint32_t cp)
{
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
		if (cp >= wide[i].from && cp <= wide[i].to)
			return wide[i].width;
	}
	return 1;
}

size_t
columns_of(struct bytes text)
{
	size_t width = 0;

	while (text.len > 0) {
		uint32_t cp;
		size_t n = next(text, &cp);

		width += width_of(cp);
		text.p += n;
		text.len -= n;
	}
	return width;
}

/* What steers the terminal, turns the direction of text, or is not seen: a
 * file's name could be made to look like another. */
static bool
is_seen(uint32_t cp)
{
	return cp >= 0x20 && (cp < 0x7f || cp >= 0xa0) && cp != 0x61c &&
	       (cp < 0x200b || cp > 0x200f) && (cp < 0x2028 || cp > 0x202e) &&
	       (cp < 0x2060 || cp > 0x206f) && cp != 0xfeff;
}

void
columns_put(FILE *f, struct bytes text)
{
	while (text.len > 0) {
		uint32_t cp;
		size_t n = next(text, &cp);

		if (!is_seen(cp))
			(void)fputc('?', f);
		else
			(void)fwrite(text.p, 1, n, f);
		text.p += n;
		text.len -= n;
	}
}

void
columns_pad(FILE *f, struct bytes text, size_t width)
{
	size_t all = columns_of(text), used = 0;
	struct bytes left = text;

	if (all <= width) {
		columns_put(f, text);
		used = all;
	} else {
		while (left.len > 0) {
			uint32_t cp;
			size_t n = next(left, &cp);

			if (used + width_of(cp) + 1 > width)
				break;
			used += width_of(cp);
			left.p += n;
			left.len -= n;
		}
		columns_put(f, bytes_of(text.p, text.len - left.len));
		(void)fputs("…", f);
		used++;
	}
	for (; used < width; used++)
		(void)fputc(' ', f);
}
