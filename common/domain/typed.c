#include "domain/typed.h"

#include <string.h>
#include <strings.h>

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

bool
typed_pass(struct bytes *t, const char *s)
{
	size_t len = strlen(s);

	if (t->len < len || memcmp(t->p, s, len) != 0)
		return false;
	t->p += len;
	t->len -= len;
	return true;
}

bool
typed_ends(struct bytes t, const char *s)
{
	size_t len = strlen(s);

	return t.len >= len && memcmp(t.p + t.len - len, s, len) == 0;
}

/* White space: ASCII, U+00A0, U+3000, U+FEFF. */
static const char *const spaces[] = { " ", "\t", "\r", "\n", "\xc2\xa0",
	"\xe3\x80\x80", "\xef\xbb\xbf" };

struct bytes
typed_trim(struct bytes t)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]);
		     i++) {
			if (typed_pass(&t, spaces[i]))
				more = true;
			if (typed_ends(t, spaces[i])) {
				t.len -= strlen(spaces[i]);
				more = true;
			}
		}
	}
	return t;
}

void
typed_half_width(struct bytes t, struct buf *out)
{
	for (size_t i = 0; i < t.len; i++) {
		const uint8_t *p = t.p + i;

		if (t.len - i >= 3 && p[0] == 0xef &&
		    (p[1] == 0xbc || p[1] == 0xbd) &&
		    !(p[1] == 0xbd && p[2] > 0x9e) &&
		    !(p[1] == 0xbc && p[2] < 0x81)) {
			buf_u8(out,
			    (uint8_t)(p[2] - (p[1] == 0xbc ? 0x60 : 0x20)));
			i += 2;
		} else if (t.len - i >= 3 &&
			   memcmp(p, "\xe3\x80\x80", 3) == 0) {
			buf_u8(out, ' ');
			i += 2;
		} else {
			buf_u8(out, *p);
		}
	}
}

bool
typed_same(struct bytes t, const char *s)
{
	return t.len == strlen(s) &&
	       strncasecmp((const char *)t.p, s, t.len) == 0;
}

bool
typed_bool(struct bytes t, struct buf *out)
{
	static const char *const yes[] = { "true", "yes", "y", "1", "1.0", "on",
		"是", "有", "对", "√" };
	static const char *const no[] = { "false", "no", "n", "0", "0.0", "off",
		"否", "无", "没有", "不是", "×" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (typed_same(t, yes[i])) {
			buf_str(out, "true");
			return true;
		}
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		if (typed_same(t, no[i])) {
			buf_str(out, "false");
			return true;
		}
	}
	return false;
}

/* Sign, whole digits and decimals of a number; grouping commas dropped. */
struct number {
	bool minus;
	char whole[40]; /* no leading zeros, at least one digit */
	char frac[40];  /* no trailing zeros */
};

static bool
typed_number(struct bytes t, struct number *n, bool grouped)
{
	size_t w = 0, f = 0, i = 0, since = 0;
	bool point = false, some = false, comma = false;

	memset(n, 0, sizeof(*n));
	if (i < t.len && (t.p[i] == '-' || t.p[i] == '+'))
		n->minus = t.p[i++] == '-';
	for (; i < t.len; i++) {
		uint8_t c = t.p[i];

		if (c == '.' && !point) {
			point = true;
			if (comma && since != 3)
				return false;
		} else if (c == ',' && grouped && !point && some) {
			/* 1,386,056 and not 1,38,6 */
			if (comma ? since != 3 : since > 3)
				return false;
			comma = true;
			since = 0;
		} else if (is_digit(c)) {
			some = true;
			since++;
			if (point && f < sizeof(n->frac) - 1)
				n->frac[f++] = (char)c;
			else if (!point && (c != '0' || w > 0)) {
				if (w == sizeof(n->whole) - 1)
					return false;
				n->whole[w++] = (char)c;
			}
		} else {
			return false;
		}
	}
	if (!some || (comma && !point && since != 3))
		return false;
	while (f > 0 && n->frac[f - 1] == '0')
		n->frac[--f] = '\0';
	if (w == 0)
		n->whole[0] = '0';
	return true;
}

bool
typed_int(struct bytes t, struct buf *out)
{
	struct number n;

	if (!typed_number(t, &n, true) || n.frac[0] != '\0' ||
	    strlen(n.whole) > 15)
		return false;
	buf_printf(out, "%s%s", n.minus && strcmp(n.whole, "0") != 0 ? "-" : "",
	    n.whole);
	return true;
}

bool
typed_decimal(struct bytes t, struct buf *out)
{
	struct number n;
	bool zero;

	if (!typed_number(t, &n, true))
		return false;
	zero = strcmp(n.whole, "0") == 0 && n.frac[0] == '\0';
	buf_printf(out, "\"%s%s%s%s\"", n.minus && !zero ? "-" : "", n.whole,
	    n.frac[0] != '\0' ? "." : "", n.frac);
	return true;
}

/* Move the point `places` to the right. */
static bool
shift(struct number *n, size_t places)
{
	size_t w = strcmp(n->whole, "0") == 0 ? 0 : strlen(n->whole);
	size_t f = strlen(n->frac);

	if (w + places >= sizeof(n->whole))
		return false;
	for (size_t i = 0; i < places; i++) {
		char c = i < f ? n->frac[i] : '0';

		if (w > 0 || c != '0')
			n->whole[w++] = c;
	}
	n->whole[w] = '\0';
	if (w == 0)
		memcpy(n->whole, "0", 2);
	if (f > places)
		memmove(n->frac, n->frac + places, f - places + 1);
	else
		n->frac[0] = '\0';
	return true;
}

bool
typed_money(struct bytes t, struct buf *out)
{
	static const char *const before[] = { "¥", "￥", "RMB", "CNY",
		"人民币" };
	static const char *const behind[] = { "元整", "圆整", "元", "圆" };
	struct number n;
	size_t places = 0;

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		if (typed_pass(&t, before[i]))
			break;
	}
	for (size_t i = 0; i < sizeof(behind) / sizeof(behind[0]); i++) {
		if (typed_ends(t, behind[i])) {
			t.len -= strlen(behind[i]);
			break;
		}
	}
	t = typed_trim(t);
	if (typed_ends(t, "万"))
		places = 4;
	else if (typed_ends(t, "亿"))
		places = 8;
	if (places > 0)
		t = typed_trim(bytes_of(t.p, t.len - 3));
	if (!typed_number(t, &n, true) || n.minus || !shift(&n, places) ||
	    strlen(n.frac) > 2 || strlen(n.whole) > 13)
		return false;
	buf_printf(out, "\"%s.%s%s\"", n.whole, n.frac, &"00"[strlen(n.frac)]);
	return true;
}
