/*
 * A pattern for dates, a line feed, and a text: what is read is a real date
 * and time, and is read again the same from the form in which it is written.
 */
#include <string.h>

#include "agent/import/when.h"
#include "entry/entry.h"
#include "fuzz/fuzz.h"

static void
check_date(const struct when *w)
{
	struct when again;
	char date[16];

	CHECK(w->month >= 1 && w->month <= 12);
	CHECK(w->day >= 1 && w->day <= 31);
	CHECK(w->year >= 0 && w->year <= 9999);
	when_date(w, date);
	CHECK(when_parse(&again, bytes_str(date), bytes_str("YYYY-MM-DD")) ==
	      ST_OK);
	CHECK(again.year == w->year && again.month == w->month &&
	      again.day == w->day);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *lf = size > 0 ? memchr(data, '\n', size) : NULL;
	size_t n = lf != NULL ? (size_t)(lf - data) : size;
	struct bytes text = { data + size, 0 };
	struct when w;
	char at[40];
	int64_t ms;
	int offset;
	enum status st;

	if (lf != NULL)
		text = (struct bytes){ lf + 1, size - n - 1 };
	st = when_parse(&w, text, (struct bytes){ data, n });
	CHECK(st == ST_OK || st == ST_INVALID);
	if (st != ST_OK)
		return 0;
	check_date(&w);
	if (!w.has_offset) {
		st = when_in_zone(&w, "EST5EDT,M3.2.0,M11.1.0");
		CHECK(st == ST_OK || st == ST_INVALID);
	}
	if (st == ST_OK && w.has_time && w.year >= 1) {
		when_datetime(&w, at);
		CHECK(at_parse(&ms, &offset, bytes_str(at)) == ST_OK);
		CHECK(offset == w.offset_min);
	}
	return 0;
}
