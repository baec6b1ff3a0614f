#include "agent/import/when.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* Between `least` and `most` digits; -1 if they are not there. */
static int
digits(struct reader *r, size_t least, size_t most)
{
	int v = 0;
	size_t n = 0;

	while (n < most && r->left > 0 && isdigit(r->p[0]) != 0) {
		v = v * 10 + (reader_u8(r) - '0');
		n++;
	}
	return n < least ? -1 : v;
}

static bool
read_offset(struct reader *r, struct when *w)
{
	int sign, hours, minutes = 0;

	if (r->left == 0)
		return false;
	w->has_offset = true;
	if (r->p[0] == 'Z' || r->p[0] == 'z') {
		(void)reader_u8(r);
		w->offset_min = 0;
		return true;
	}
	if (r->p[0] != '+' && r->p[0] != '-')
		return false;
	sign = reader_u8(r) == '-' ? -1 : 1;
	hours = digits(r, 2, 2);
	if (r->left > 0 && r->p[0] == ':')
		(void)reader_u8(r);
	if (r->left > 0 && isdigit(r->p[0]) != 0)
		minutes = digits(r, 2, 2);
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return false;
	w->offset_min = sign * (hours * 60 + minutes);
	return true;
}

/* How far the half of the day moves the hour: 0, 12, or -1 if it is neither. */
static int
read_half(struct reader *r)
{
	struct bytes b = reader_take(r, 2);

	if (b.len != 2)
		return -1;
	if (strncasecmp((const char *)b.p, "am", 2) == 0)
		return 0;
	return strncasecmp((const char *)b.p, "pm", 2) == 0 ? 12 : -1;
}

enum half { HALF_NONE = -2 };

/* One token of the pattern; how many of its bytes it took, 0 if it failed. */
static size_t
read_token(struct reader *r, struct bytes p, struct when *w, int *half)
{
	if (bytes_starts(p, "YYYY"))
		return (w->year = digits(r, 4, 4)) < 0 ? 0 : 4;
	if (bytes_starts(p, "MM"))
		return (w->month = digits(r, 2, 2)) < 0 ? 0 : 2;
	if (bytes_starts(p, "M"))
		return (w->month = digits(r, 1, 2)) < 0 ? 0 : 1;
	if (bytes_starts(p, "DD"))
		return (w->day = digits(r, 2, 2)) < 0 ? 0 : 2;
	if (bytes_starts(p, "D"))
		return (w->day = digits(r, 1, 2)) < 0 ? 0 : 1;
	if (bytes_starts(p, "hh")) {
		w->has_time = true;
		return (w->hour = digits(r, 2, 2)) < 0 ? 0 : 2;
	}
	if (bytes_starts(p, "h")) {
		w->has_time = true;
		return (w->hour = digits(r, 1, 2)) < 0 ? 0 : 1;
	}
	if (bytes_starts(p, "mm"))
		return (w->minute = digits(r, 2, 2)) < 0 ? 0 : 2;
	if (bytes_starts(p, "ss"))
		return (w->second = digits(r, 2, 2)) < 0 ? 0 : 2;
	if (bytes_starts(p, "fff"))
		return digits(r, 1, 9) < 0 ? 0 : 3;
	if (bytes_starts(p, "AP"))
		return (*half = read_half(r)) < 0 ? 0 : 2;
	if (bytes_starts(p, "Z"))
		return read_offset(r, w) ? 1 : 0;
	return r->left > 0 && reader_u8(r) == p.p[0] ? 1 : 0;
}

static bool
is_real(const struct when *w)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool leap =
	    (w->year % 4 == 0 && w->year % 100 != 0) || w->year % 400 == 0;
	int last;

	if (w->year < 1 || w->month < 1 || w->month > 12 || w->day < 1)
		return false;
	last = days[w->month - 1] + (w->month == 2 && leap ? 1 : 0);
	return w->day <= last && w->hour <= 23 && w->minute <= 59 &&
	       w->second <= 59;
}

enum status
when_parse(struct when *out, struct bytes text, struct bytes pattern)
{
	struct when w = { .year = -1, .month = 1, .day = 1 };
	struct reader r;
	int half = HALF_NONE;

	while (text.len > 0 && isspace(text.p[text.len - 1]) != 0)
		text.len--;
	while (text.len > 0 && isspace(text.p[0]) != 0) {
		text.p++;
		text.len--;
	}
	reader_init(&r, text);
	while (pattern.len > 0) {
		size_t n = read_token(&r, pattern, &w, &half);

		if (n == 0)
			return ST_INVALID;
		pattern.p += n;
		pattern.len -= n;
	}
	if (half != HALF_NONE) {
		if (w.hour < 1 || w.hour > 12)
			return ST_INVALID;
		w.hour = w.hour % 12 + half;
	}
	if (!reader_done(&r) || !is_real(&w))
		return ST_INVALID;
	*out = w;
	return ST_OK;
}

enum status
when_in_zone(struct when *w, const char *zone)
{
	struct tm tm = { .tm_year = w->year - 1900,
		.tm_mon = w->month - 1,
		.tm_mday = w->day,
		.tm_hour = w->hour,
		.tm_min = w->minute,
		.tm_sec = w->second,
		.tm_isdst = -1 };
	const char *now;

	if (w->has_offset)
		return ST_OK;
	now = getenv("TZ");
	if (now == NULL || strcmp(now, zone) != 0) {
		if (setenv("TZ", zone, 1) != 0)
			return ST_NOMEM;
		tzset();
	}
	if (mktime(&tm) == (time_t)-1 && tm.tm_year != 69)
		return ST_INVALID;
	w->offset_min = (int)(tm.tm_gmtoff / 60);
	w->has_offset = true;
	return ST_OK;
}

void
when_date(const struct when *w, char out[16])
{
	(void)snprintf(out, 16, "%04d-%02d-%02d", w->year % 10000,
	    w->month % 100, w->day % 100);
}

void
when_datetime(const struct when *w, char out[40])
{
	int abs = w->offset_min < 0 ? -w->offset_min : w->offset_min;

	(void)snprintf(out, 40, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d",
	    w->year % 10000, w->month % 100, w->day % 100, w->hour % 100,
	    w->minute % 100, w->second % 100, w->offset_min < 0 ? '-' : '+',
	    abs / 60 % 100, abs % 60);
}
