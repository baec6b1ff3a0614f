#include "entry/entry.h"

#include <assert.h>
#include <string.h>

#include "base/enc.h"

/*
 * Days between civil dates and 1970-01-01, in the Gregorian calendar carried
 * back without a break.  Method: years that begin in March, in eras of 400
 * years or 146,097 days (H. Hinnant, "chrono-compatible low-level date
 * algorithms").
 */
enum {
	ERA_DAYS = 146097,
	EPOCH_DAYS = 719468, /* from 0000-03-01 to 1970-01-01 */
	DAY_MS = 86400000,
	MINUTE_MS = 60000,
};

/* The last millisecond of the year 9999. */
#define AT_MS_MAX INT64_C(253402300799999)

static int64_t
days_of(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400; /* years from 0 on: no negative eras here */
	int64_t of_era = y - era * 400;
	int64_t of_year =
	    (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	assert(y >= 0);
	return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 +
	       of_year - EPOCH_DAYS;
}

static void
date_of(int64_t days, int *year, int *month, int *day)
{
	int64_t z = days + EPOCH_DAYS, era = z / ERA_DAYS;
	int64_t of_era = z - era * ERA_DAYS;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 -
			of_era / (ERA_DAYS - 1)) /
		    365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * of_year + 2) / 153;

	assert(z >= 0);
	*day = (int)(of_year - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = (int)(y + era * 400 + (*month <= 2));
}

static int
month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* Two or four digits; -1 if they are none. */
static int
digits(const uint8_t *p, int count)
{
	int v = 0;

	for (int i = 0; i < count; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		v = v * 10 + (p[i] - '0');
	}
	return v;
}

static bool
within(int v, int low, int high)
{
	return v >= low && v <= high;
}

/* Z, +hh:mm or -hh:mm in minutes east. */
static bool
offset_of(struct bytes in, int *out)
{
	int hour, minute;

	if (in.len == 1 && in.p[0] == 'Z') {
		*out = 0;
		return true;
	}
	if (in.len != 6 || (in.p[0] != '+' && in.p[0] != '-') || in.p[3] != ':')
		return false;
	hour = digits(in.p + 1, 2);
	minute = digits(in.p + 4, 2);
	if (!within(hour, 0, 23) || !within(minute, 0, 59))
		return false;
	*out = hour * 60 + minute;
	if (in.p[0] == '-')
		*out = -*out;
	return true;
}

/* The milliseconds of ".f" to ".fff" at the front of *in, which moves on. */
static bool
fraction_of(struct bytes *in, int *ms)
{
	int scale = 100;

	*ms = 0;
	if (in->len == 0 || in->p[0] != '.')
		return true;
	in->p++;
	in->len--;
	while (in->len > 0 && in->p[0] >= '0' && in->p[0] <= '9') {
		if (scale == 0)
			return false;
		*ms += (in->p[0] - '0') * scale;
		scale /= 10;
		in->p++;
		in->len--;
	}
	return scale < 100;
}

enum status
at_parse(int64_t *out_ms, int *out_offset_min, struct bytes at)
{
	int year, month, day, hour, minute, second, ms, offset;
	const uint8_t *p = at.p;

	if (at.len < 20 || p[4] != '-' || p[7] != '-' || p[10] != 'T' ||
	    p[13] != ':' || p[16] != ':')
		return ST_INVALID;
	year = digits(p, 4);
	month = digits(p + 5, 2);
	day = digits(p + 8, 2);
	hour = digits(p + 11, 2);
	minute = digits(p + 14, 2);
	second = digits(p + 17, 2);
	if (year < 1 || !within(month, 1, 12) ||
	    !within(day, 1, month_days(year, month)) || !within(hour, 0, 23) ||
	    !within(minute, 0, 59) || !within(second, 0, 59))
		return ST_INVALID;
	at.p += 19;
	at.len -= 19;
	if (!fraction_of(&at, &ms) || !offset_of(at, &offset))
		return ST_INVALID;
	*out_ms = days_of(year, month, day) * DAY_MS +
		  (int64_t)(hour * 60 + minute - offset) * MINUTE_MS +
		  second * 1000 + ms;
	*out_offset_min = offset;
	return ST_OK;
}

/* `count` decimal digits of v, then `behind`. */
static char *
put_digits(char *p, int v, int count, char behind)
{
	for (int i = count; i-- > 0; v /= 10)
		p[i] = (char)('0' + v % 10);
	p[count] = behind;
	return p + count + 1;
}

/* By hand: a state's findings are full of times, and printf is slow. */
void
at_format(char out[32], uint64_t wall_ms, int offset_min)
{
	int64_t shift = (int64_t)offset_min * MINUTE_MS, local, of_day;
	int year, month, day, east = offset_min < 0 ? -offset_min : offset_min;
	char *p = out;

	assert(east < 24 * 60);
	local = wall_ms > (uint64_t)AT_MS_MAX ? AT_MS_MAX : (int64_t)wall_ms;
	local += shift;
	if (local > AT_MS_MAX)
		local = AT_MS_MAX;
	/* 1970 less a day is far from the year 1: no lower bound needed. */
	date_of((local + DAY_MS) / DAY_MS - 1, &year, &month, &day);
	of_day = (local + DAY_MS) % DAY_MS;
	p = put_digits(p, year % 10000, 4, '-');
	p = put_digits(p, month, 2, '-');
	p = put_digits(p, day, 2, 'T');
	p = put_digits(p, (int)(of_day / 3600000), 2, ':');
	p = put_digits(p, (int)(of_day / MINUTE_MS % 60), 2, ':');
	p = put_digits(p, (int)(of_day / 1000 % 60), 2, '.');
	if (of_day % 1000 != 0)
		p = put_digits(p, (int)(of_day % 1000), 3, 'Z');
	p[-1] = offset_min == 0 ? 'Z' : offset_min < 0 ? '-' : '+';
	if (offset_min != 0) {
		p = put_digits(p, east / 60, 2, ':');
		p = put_digits(p, east % 60, 2, '\0') - 1;
	}
	*p = '\0';
}

void
rec_new(char out[REC_LEN + 1], uint64_t wall, const uint8_t rnd[10])
{
	uint8_t raw[16], wall_be[8];
	char hex[33], *p = out;

	be64_put(wall_be, wall);
	memcpy(raw, wall_be + 2, 6);
	memcpy(raw + 6, rnd, 10);
	raw[6] = (uint8_t)(0x70 | (raw[6] & 0x0f)); /* version 7 */
	raw[8] = (uint8_t)(0x80 | (raw[8] & 0x3f)); /* RFC 9562 variant */
	hex_encode(hex, bytes_of(raw, sizeof(raw)));
	for (size_t i = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			*p++ = '-';
		*p++ = hex[i];
	}
	*p = '\0';
}
