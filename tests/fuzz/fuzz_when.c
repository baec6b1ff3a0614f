/*
 * Small texts that an entry or a rule is made of: `at`, days, spans, minutes
 * and paths.  What one reader takes another takes as well, and what is written
 * from it is read the same.
 */
#include <string.h>

#include "domain/when.h"
#include "entry/entry.h"
#include "entry/path.h"
#include "fuzz/fuzz.h"

static void
check_at(struct bytes in)
{
	struct when w;
	char again[32];
	int64_t ms, ms2;
	int offset, offset2;

	if (at_parse(&ms, &offset, in) != ST_OK)
		return;
	CHECK(when_read(&w, in, 480) && !w.is_day && w.ms == ms);
	CHECK(w.offset_min == offset);
	CHECK(day_of_ms(ms, offset) <= day_of_ms(ms, offset) + 1);
	if (ms < 0)
		return;
	at_format(again, (uint64_t)ms, offset);
	if (at_parse(&ms2, &offset2, bytes_str(again)) == ST_OK)
		CHECK(ms2 == ms || ms2 / 1000 == ms / 1000);
}

static void
check_day(struct bytes in)
{
	int64_t day, y;
	int m, d;

	if (!when_read_day(&day, in))
		return;
	civil_of_day(day, &y, &m, &d);
	CHECK(civil_ok(y, m, d) && day_of_civil(y, m, d) == day);
}

static void
check_span(struct bytes in)
{
	struct span s;
	struct when w = when_of_ms(1700000000000, 480), after;
	char words[48];

	if (!span_read(&s, in))
		return;
	CHECK(s.n >= 0 && span_at_most(s, s));
	after = when_add(&w, s, 1, 480);
	CHECK(when_last_ms(&after) >= w.ms);
	span_show(words, s, true);
	span_show(words, s, false);
}

static void
check_path(struct bytes in)
{
	enum path_sort sort = path_sort(in);

	CHECK(path_within(in, in));
	CHECK(path_within(in, (struct bytes){ in.p, 0 }));
	CHECK(!path_is_relative(in) || sort == PATH_FIELD);
	CHECK(!path_is_word(in) || sort == PATH_FIELD);
	CHECK((sort == PATH_WHOLE) == (in.len == 0));
	if (path_is_kind(in))
		CHECK(memchr(in.p, '@', in.len) != NULL);
	if (path_is_rec(in))
		CHECK(in.len == 36 && sort == PATH_BAD);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };
	int minute = minute_read(in);

	CHECK(minute >= -1 && minute < 24 * 60 + 1);
	check_at(in);
	check_day(in);
	check_span(in);
	check_path(in);
	return 0;
}
