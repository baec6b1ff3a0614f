#include "domain/when.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "entry/entry.h"

enum { MINUTE_MS = 60000, DAY_MS = 86400000, SPAN_DIGITS_MAX = 5 };

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/*
 * Days and dates of the Gregorian calendar, by eras of 400 years that begin on
 * 1 March (Howard Hinnant, "chrono-compatible low-level date algorithms").
 */
int64_t
day_of_civil(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = floor_div(y, 400);
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void
civil_of_day(int64_t day, int64_t *y, int *m, int *d)
{
	int64_t era, doe, yoe, doy, mp;

	day += 719468;
	era = floor_div(day, 146097);
	doe = day - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = yoe + era * 400 + (*m <= 2);
}

static int
month_days(int64_t y, int m)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);

	return m == 2 && leap ? 29 : days[m - 1];
}

bool
civil_ok(int64_t y, int m, int d)
{
	return y >= 1 && y <= 9999 && m >= 1 && m <= 12 && d >= 1 &&
	       d <= month_days(y, m);
}

int64_t
day_of_ms(int64_t ms, int offset_min)
{
	return floor_div(ms + (int64_t)offset_min * MINUTE_MS, DAY_MS);
}

static int64_t
day_begin_ms(int64_t day, int offset_min)
{
	return day * DAY_MS - (int64_t)offset_min * MINUTE_MS;
}

/* `len` digits at p as a number, or -1. */
static int
digits(const uint8_t *p, size_t len)
{
	int v = 0;

	for (size_t i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		v = v * 10 + (p[i] - '0');
	}
	return v;
}

bool
when_read_day(int64_t *day, struct bytes text)
{
	int y, m, d;

	if (text.len != 10 || text.p[4] != '-' || text.p[7] != '-')
		return false;
	y = digits(text.p, 4);
	m = digits(text.p + 5, 2);
	d = digits(text.p + 8, 2);
	if (y < 0 || m < 0 || d < 0 || !civil_ok(y, m, d))
		return false;
	*day = day_of_civil(y, m, d);
	return true;
}

bool
when_read(struct when *out, struct bytes text, int offset_min)
{
	struct when w = { .offset_min = offset_min };

	if (when_read_day(&w.day, text)) {
		w.is_day = true;
		w.ms = day_begin_ms(w.day, offset_min);
		*out = w;
		return true;
	}
	if (at_parse(&w.ms, &w.offset_min, text) != ST_OK)
		return false;
	w.day = day_of_ms(w.ms, offset_min);
	*out = w;
	return true;
}

struct when
when_of_ms(int64_t ms, int offset_min)
{
	return (struct when){ .ms = ms,
		.day = day_of_ms(ms, offset_min),
		.offset_min = offset_min };
}

int
when_cmp(const struct when *a, const struct when *b)
{
	int64_t x = a->ms, y = b->ms;

	if (a->is_day || b->is_day) {
		x = a->day;
		y = b->day;
	}
	return x < y ? -1 : x > y;
}

bool
span_read(struct span *out, struct bytes text)
{
	static const struct {
		const char *name;
		struct span one;
	} units[] = {
		{ "s", { 1, SPAN_SECOND } },
		{ "min", { 60, SPAN_SECOND } },
		{ "h", { 3600, SPAN_SECOND } },
		{ "d", { 1, SPAN_DAY } },
		{ "mo", { 1, SPAN_MONTH } },
		{ "y", { 12, SPAN_MONTH } },
	};
	size_t n = 0;
	int v;

	while (n < text.len && text.p[n] >= '0' && text.p[n] <= '9')
		n++;
	if (n == 0 || n > SPAN_DIGITS_MAX)
		return false;
	v = digits(text.p, n);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (bytes_eq_str(
			bytes_of(text.p + n, text.len - n), units[i].name)) {
			*out = units[i].one;
			out->n *= v;
			return true;
		}
	}
	return false;
}

/* The shortest and the longest that it can be, in seconds. */
static int64_t
span_least_s(struct span s)
{
	if (s.unit == SPAN_MONTH)
		return (s.n / 12 * 365 + s.n % 12 * 28) * 86400;
	return s.unit == SPAN_DAY ? s.n * 86400 : s.n;
}

static int64_t
span_most_s(struct span s)
{
	/* Counted in days, what is left of the first one comes on top. */
	if (s.unit == SPAN_MONTH)
		return (s.n / 12 * 366 + s.n % 12 * 31 + 1) * 86400;
	return s.unit == SPAN_DAY ? (s.n + 1) * 86400 : s.n;
}

bool
span_at_most(struct span a, struct span b)
{
	if (a.unit == b.unit)
		return a.n <= b.n;
	return span_most_s(a) <= span_least_s(b);
}

void
span_show(char out[48], struct span s, bool zh)
{
	int64_t n = s.n;
	const char *c, *e;

	if (s.unit == SPAN_MONTH && n % 12 == 0) {
		n /= 12;
		c = "年";
		e = "year";
	} else if (s.unit == SPAN_MONTH) {
		c = "个月";
		e = "month";
	} else if (s.unit == SPAN_DAY) {
		c = "日";
		e = "day";
	} else if (n % 3600 == 0) {
		n /= 3600;
		c = "小时";
		e = "hour";
	} else if (n % 60 == 0) {
		n /= 60;
		c = "分钟";
		e = "minute";
	} else {
		c = "秒";
		e = "second";
	}
	if (zh)
		(void)snprintf(out, 48, "%lld%s", (long long)n, c);
	else
		(void)snprintf(
		    out, 48, "%lld %s%s", (long long)n, e, n == 1 ? "" : "s");
}

void
ms_show(char out[48], int64_t ms, bool zh)
{
	static const struct {
		int64_t s;
		const char *zh, *en;
	} units[] = {
		{ 86400, "天", " d" },
		{ 3600, "小时", " h" },
		{ 60, "分钟", " min" },
		{ 1, "秒", " s" },
	};
	uint64_t left = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
	size_t i = 0, len;

	left /= 1000;
	while (i < 3 && left < (uint64_t)units[i].s)
		i++;
	(void)snprintf(out, 48, "%llu%s",
	    (unsigned long long)(left / (uint64_t)units[i].s),
	    zh ? units[i].zh : units[i].en);
	left %= (uint64_t)units[i].s;
	if (i == 3 || left / (uint64_t)units[i + 1].s == 0)
		return;
	len = strlen(out);
	(void)snprintf(out + len, 48 - len, "%s%llu%s", zh ? "" : " ",
	    (unsigned long long)(left / (uint64_t)units[i + 1].s),
	    zh ? units[i + 1].zh : units[i + 1].en);
}

/* The day that corresponds `months` later, or the last of its month. */
static int64_t
add_months(int64_t day, int64_t months)
{
	int64_t y;
	int m, d, last;

	civil_of_day(day, &y, &m, &d);
	months += y * 12 + (m - 1);
	y = floor_div(months, 12);
	m = (int)(months - y * 12) + 1;
	last = month_days(y, m);
	return day_of_civil(y, m, d < last ? d : last);
}

struct when
when_add(const struct when *w, struct span s, int sign, int offset_min)
{
	struct when r = *w;

	assert(sign == 1 || sign == -1);
	if (s.unit == SPAN_SECOND) {
		r.ms += sign * s.n * 1000;
		r.day = day_of_ms(r.ms, offset_min);
		r.is_day = r.is_day && s.n == 0;
		return r;
	}
	if (s.n == 0)
		return r;
	r.day = s.unit == SPAN_DAY ? w->day + sign * s.n
				   : add_months(w->day, sign * s.n);
	r.ms = day_begin_ms(r.day, offset_min);
	r.is_day = true;
	return r;
}

int64_t
when_last_ms(const struct when *w)
{
	return w->is_day ? w->ms + DAY_MS - 1 : w->ms;
}

int
when_minute(const struct when *w)
{
	int64_t local = w->ms + (int64_t)w->offset_min * MINUTE_MS;

	return (int)((local - floor_div(local, DAY_MS) * DAY_MS) / MINUTE_MS);
}

int
minute_read(struct bytes text)
{
	int h, m;

	if (text.len != 5 || text.p[2] != ':')
		return -1;
	h = digits(text.p, 2);
	m = digits(text.p + 3, 2);
	return h < 0 || h > 23 || m < 0 || m > 59 ? -1 : h * 60 + m;
}

/* `count` decimal digits of v, then `behind`: printf is slow. */
static char *
put_digits(char *p, int v, int count, char behind)
{
	for (int i = count; i-- > 0; v /= 10)
		p[i] = (char)('0' + v % 10);
	p[count] = behind;
	return p + count + 1;
}

void
when_show(char out[32], const struct when *w, int offset_min)
{
	int64_t y, day = w->is_day ? w->day : day_of_ms(w->ms, offset_min);
	struct when at = when_of_ms(w->ms, offset_min);
	int m, d, minute = when_minute(&at);
	char *p = out;

	civil_of_day(day, &y, &m, &d);
	if (y < -9999 || y > 99999) {
		(void)snprintf(out, 32, "?");
		return;
	}
	if (y < 0 || y > 9999)
		p += snprintf(out, 32, "%04d-", (int)y);
	else
		p = put_digits(p, (int)y, 4, '-');
	p = put_digits(p, m, 2, '-');
	p = put_digits(p, d, 2, ' ');
	if (!w->is_day) {
		p = put_digits(p, minute / 60, 2, ':');
		p = put_digits(p, minute % 60, 2, ' ');
	}
	p[-1] = '\0';
}
