#include <string.h>

#include "domain/typed.h"
#include "domain/when.h"

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* A number of 1..most digits at the front, or -1. */
static int
take_number(struct bytes *t, size_t most)
{
	size_t n = 0;
	int v = 0;

	while (n < t->len && n < most && is_digit(t->p[n]))
		v = v * 10 + (t->p[n++] - '0');
	if (n == 0)
		return -1;
	t->p += n;
	t->len -= n;
	return v;
}

struct moment {
	int y, m, d, h, min, s;
	char frac[4];
	int offset_min;
};

static bool
all_digits(struct bytes t, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (i >= t.len || !is_digit(t.p[i]))
			return false;
	}
	return true;
}

/* 2024-02-29 2024/2/29 2024.2.29 2024年2月29日 20240229 */
static bool
take_date(struct bytes *t, struct moment *at)
{
	static const char *const signs[] = { "-", "/", ".", "年" };
	const char *sign = NULL;

	if (!all_digits(*t, 4) ||
	    (t->len > 4 && is_digit(t->p[4]) && !all_digits(*t, 8)))
		return false;
	at->y = take_number(t, 4);
	if (t->len > 0 && is_digit(t->p[0])) {
		at->m = take_number(t, 2);
		at->d = take_number(t, 2);
		return civil_ok(at->y, at->m, at->d);
	}
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (sign == NULL && typed_pass(t, signs[i]))
			sign = i == 3 ? "月" : signs[i];
	}
	if (sign == NULL)
		return false;
	at->m = take_number(t, 2);
	if (!typed_pass(t, sign))
		return false;
	at->d = take_number(t, 2);
	if (strcmp(sign, "月") == 0)
		(void)typed_pass(t, "日");
	return civil_ok(at->y, at->m, at->d);
}

/* Z, +08:00, +0800, +08 */
static bool
take_offset(struct bytes *t, struct moment *at)
{
	bool west;
	int h, m = 0;

	if (t->len == 0)
		return true;
	if (typed_pass(t, "Z") || typed_pass(t, "z")) {
		at->offset_min = 0;
		return true;
	}
	west = t->p[0] == '-';
	if (!typed_pass(t, "+") && !typed_pass(t, "-"))
		return false;
	if (!all_digits(*t, 2))
		return false;
	h = take_number(t, 2);
	(void)typed_pass(t, ":");
	if (t->len > 0) {
		if (!all_digits(*t, 2))
			return false;
		m = take_number(t, 2);
	}
	if (h > 23 || m > 59)
		return false;
	at->offset_min = west ? -(h * 60 + m) : h * 60 + m;
	return true;
}

/* 5:07 05:07:09 05:07:09.123 5时07分 5点07分09秒 */
static bool
take_clock(struct bytes *t, struct moment *at)
{
	size_t f = 0;

	at->h = take_number(t, 2);
	if (!typed_pass(t, ":") && !typed_pass(t, "时") && !typed_pass(t, "点"))
		return false;
	at->min = take_number(t, 2);
	if (at->h > 23 || at->min < 0 || at->min > 59 || at->h < 0)
		return false;
	if (typed_pass(t, ":") ||
	    (typed_pass(t, "分") && t->len > 0 && is_digit(t->p[0]))) {
		at->s = take_number(t, 2);
		if (at->s < 0 || at->s > 59)
			return false;
		(void)typed_pass(t, "秒");
	}
	if (typed_pass(t, ".")) {
		/* Milliseconds are kept; what is finer is cut. */
		while (t->len > 0 && is_digit(t->p[0])) {
			if (f < 3)
				at->frac[f++] = (char)t->p[0];
			t->p++;
			t->len--;
		}
		if (f == 0)
			return false;
		while (f > 0 && at->frac[f - 1] == '0')
			at->frac[--f] = '\0';
	}
	return true;
}

bool
typed_date(struct bytes t, struct buf *out)
{
	struct moment at = { .y = 0 };

	if (!take_date(&t, &at) || t.len > 0)
		return false;
	buf_printf(out, "\"%04d-%02d-%02d\"", at.y, at.m, at.d);
	return true;
}

bool
typed_datetime(struct bytes t, int offset_min, struct buf *out)
{
	struct moment at = { .offset_min = offset_min };
	int off;

	if (!take_date(&t, &at))
		return false;
	if (t.len > 0) {
		if (!typed_pass(&t, "T") && !typed_pass(&t, "t"))
			t = typed_trim(t);
		if (!take_clock(&t, &at))
			return false;
		t = typed_trim(t);
		if (!take_offset(&t, &at) || t.len > 0)
			return false;
	}
	off = at.offset_min < 0 ? -at.offset_min : at.offset_min;
	buf_printf(out, "\"%04d-%02d-%02dT%02d:%02d:%02d%s%s%c%02d:%02d\"",
	    at.y, at.m, at.d, at.h, at.min, at.s, at.frac[0] != '\0' ? "." : "",
	    at.frac, at.offset_min < 0 ? '-' : '+', off / 60, off % 60);
	return true;
}

bool
typed_duration(struct bytes t, struct buf *out)
{
	static const struct {
		const char *name;
		int64_t s;
	} units[] = {
		{ "days", 86400 },
		{ "day", 86400 },
		{ "d", 86400 },
		{ "天", 86400 },
		{ "日", 86400 },
		{ "hours", 3600 },
		{ "hour", 3600 },
		{ "h", 3600 },
		{ "小时", 3600 },
		{ "时", 3600 },
		{ "minutes", 60 },
		{ "minute", 60 },
		{ "min", 60 },
		{ "m", 60 },
		{ "分钟", 60 },
		{ "分", 60 },
		{ "seconds", 1 },
		{ "second", 1 },
		{ "s", 1 },
		{ "秒", 1 },
	};
	int64_t total = 0, last = INT64_MAX;

	if (t.len == 0)
		return false;
	while (t.len > 0) {
		int v = take_number(&t, 7);
		size_t i = 0, n = sizeof(units) / sizeof(units[0]);

		if (v < 0)
			return false;
		t = typed_trim(t);
		if (t.len == 0 && last == INT64_MAX) {
			total = v;
			break;
		}
		while (i < n && !typed_pass(&t, units[i].name))
			i++;
		/* Units come from large to small, each once. */
		if (i == n || units[i].s >= last)
			return false;
		last = units[i].s;
		total += v * last;
		t = typed_trim(t);
	}
	buf_printf(out, "%lld", (long long)total);
	return true;
}
