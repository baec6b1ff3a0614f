#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include "domain/num.h"
#include "domain/when.h"

/* Catches a calendar that slips somewhere in 8,000 years. */
static void
test_when_days_and_dates_agree(void **state)
{
	int64_t y, last_y = 0;
	int m, d, last_d = 31;

	(void)state;
	EXPECT(day_of_civil(1970, 1, 1) == 0);
	EXPECT(day_of_civil(2000, 3, 1) == 11017);
	EXPECT(day_of_civil(1969, 12, 31) == -1);
	for (int64_t day = day_of_civil(1, 1, 1);
	     day <= day_of_civil(8000, 12, 31); day++) {
		civil_of_day(day, &y, &m, &d);
		EXPECT(civil_ok(y, m, d) && day_of_civil(y, m, d) == day);
		/* one day on: the next, or the first of a month */
		EXPECT(d == last_d + 1 || d == 1);
		EXPECT(y >= last_y);
		last_d = d;
		last_y = y;
	}
	EXPECT(!civil_ok(2023, 2, 29) && civil_ok(2024, 2, 29));
	EXPECT(!civil_ok(2100, 2, 29) && civil_ok(2000, 2, 29));
	EXPECT(!civil_ok(2024, 0, 1) && !civil_ok(2024, 13, 1));
	EXPECT(!civil_ok(2024, 4, 31) && !civil_ok(2024, 4, 0));
}

static struct when
at(const char *text)
{
	struct when w;

	EXPECT(when_read(&w, bytes_str(text), 480));
	return w;
}

/* Catches a term that ends a day early or late. */
static void
test_when_lengths_are_counted_as_the_law_does(void **state)
{
	static const struct {
		const char *from, *span, *to;
	} sums[] = {
		{ "2024-02-29", "1y", "2025-02-28" },
		{ "2023-02-28", "1y", "2024-02-28" },
		{ "2024-01-31", "1mo", "2024-02-29" },
		{ "2023-01-31", "1mo", "2023-02-28" },
		{ "2023-12-31", "2mo", "2024-02-29" },
		{ "2024-03-01", "15d", "2024-03-16" },
		{ "2024-03-01T23:59:59+08:00", "1d", "2024-03-02" },
		/* the day is the court's: still 29 February in UTC */
		{ "2024-02-29T16:00:00Z", "3d", "2024-03-04" },
		{ "2024-02-29T15:59:59Z", "3d", "2024-03-03" },
		{ "2024-02-28T23:00:00+08:00", "24h",
		    "2024-02-29T23:00:00+08:00" },
		{ "2024-03-01T20:00:00+08:00", "8h",
		    "2024-03-02T04:00:00+08:00" },
		{ "2024-03-01", "8h", "2024-03-01T08:00:00+08:00" },
		{ "2024-03-01", "0d", "2024-03-01" },
		{ "2024-03-01T20:00:00+08:00", "0d",
		    "2024-03-01T20:00:00+08:00" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
		struct when from = at(sums[i].from), to = at(sums[i].to), got;
		struct span s;

		EXPECT(span_read(&s, bytes_str(sums[i].span)));
		got = when_add(&from, s, 1, 480);
		if (got.ms != to.ms || got.is_day != to.is_day ||
		    got.day != to.day)
			fail_msg("%s + %s", sums[i].from, sums[i].span);
	}
}

/* Catches a length that passes for tighter and can be longer. */
static void
test_when_at_most_is_never_longer(void **state)
{
	static const char *const spans[] = { "0s", "1s", "8h", "23h", "24h",
		"25h", "48h", "1d", "2d", "3d", "15d", "16d", "28d", "30d",
		"31d", "32d", "360h", "1mo", "2mo", "59d", "62d", "12mo", "1y",
		"364d", "365d", "366d", "367d", "2y", "8784h" };
	enum { N = sizeof(spans) / sizeof(spans[0]), DAYS = 1500 };
	size_t yes = 0;

	(void)state;
	for (size_t a = 0; a < N; a++) {
		for (size_t b = 0; b < N; b++) {
			struct span x, y;

			EXPECT(span_read(&x, bytes_str(spans[a])));
			EXPECT(span_read(&y, bytes_str(spans[b])));
			EXPECT(a != b || span_at_most(x, y));
			if (!span_at_most(x, y))
				continue;
			yes++;
			for (int64_t i = 0; i < DAYS; i++) {
				struct when w =
				    when_of_ms(INT64_C(1700000000000) +
						   i * 86400000 / 7 * 8,
					480);
				struct when p = when_add(&w, x, 1, 480);
				struct when q = when_add(&w, y, 1, 480);

				if (when_last_ms(&p) > when_last_ms(&q))
					fail_msg("%s is not at most %s",
					    spans[a], spans[b]);
			}
		}
	}
	EXPECT(yes > N * N / 3);
}

/* Catches a span or a time of day that is misread. */
static void
test_when_texts_are_read_or_refused(void **state)
{
	static const char *const bad[] = { "", "h", "8", "8 h", "8hh", "-8h",
		"8.5h", "123456h", "1w", "1m", "h8" };
	struct span s;
	struct when w;
	char text[48];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT(!span_read(&s, bytes_str(bad[i])));
	EXPECT(span_read(&s, bytes_str("90min")));
	span_show(text, s, true);
	EXPECT(strcmp(text, "90分钟") == 0);
	EXPECT(span_read(&s, bytes_str("1y")));
	span_show(text, s, false);
	EXPECT(strcmp(text, "1 year") == 0);
	EXPECT(span_read(&s, bytes_str("24h")));
	span_show(text, s, false);
	EXPECT(strcmp(text, "24 hours") == 0);
	EXPECT(minute_read(bytes_str("22:00")) == 1320);
	EXPECT(minute_read(bytes_str("24:00")) == -1);
	EXPECT(minute_read(bytes_str("6:00")) == -1);
	EXPECT(!when_read(&w, bytes_str("2024-2-29"), 480));
	EXPECT(!when_read(&w, bytes_str("2023-02-29"), 480));
	EXPECT(!when_read(&w, bytes_str(""), 480));
	w = at("2024-02-29T22:15:00Z");
	EXPECT(when_minute(&w) == 22 * 60 + 15);
	when_show(text, &w, 480);
	EXPECT(strcmp(text, "2024-03-01 06:15") == 0);
	ms_show(text, INT64_C(93784000), true);
	EXPECT(strcmp(text, "1天2小时") == 0);
	ms_show(text, INT64_MIN, false);
	EXPECT(text[0] != '\0');
}

/* Catches amounts that overflow, lose a fen, or compare wrongly. */
static void
test_num_is_exact_and_stays_within_bounds(void **state)
{
	static const char *const bad[] = { "", "-", ".", "5.", "a", "1e5",
		"1,000", " 1", "--1", "1.2.3" };
	int64_t a, b;
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT(!num_read(&a, bytes_str(bad[i])));
	EXPECT(num_read(&a, bytes_str("-12.3456")) && a == -123456);
	EXPECT(num_read(&a, bytes_str("12.34569")) && a == 123456);
	num_show(text, a);
	EXPECT(strcmp(text, "12.3456") == 0);
	num_show(text, -5000);
	EXPECT(strcmp(text, "-0.5") == 0);
	EXPECT(num_read(&a, bytes_str("99999999999999999999999")));
	EXPECT(a == NUM_MAX);
	EXPECT(num_add(NUM_MAX, NUM_MAX) == NUM_MAX);
	EXPECT(num_add(-NUM_MAX, -NUM_MAX) == -NUM_MAX);
	EXPECT(num_read(&a, bytes_str("9999999999999.99")));
	EXPECT(num_read(&b, bytes_str("11999999999999.988")));
	EXPECT(num_percent(a, 120 * NUM_ONE) == b);
	EXPECT(num_percent(NUM_MAX, 120 * NUM_ONE) == NUM_MAX);
	EXPECT(num_percent(-NUM_MAX, 120 * NUM_ONE) == -NUM_MAX);
	EXPECT(num_percent(100 * NUM_ONE, NUM_ONE / 2) == NUM_ONE / 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_when_days_and_dates_agree),
		cmocka_unit_test(test_when_lengths_are_counted_as_the_law_does),
		cmocka_unit_test(test_when_at_most_is_never_longer),
		cmocka_unit_test(test_when_texts_are_read_or_refused),
		cmocka_unit_test(test_num_is_exact_and_stays_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
