#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "entry/entry.h"

static void
expect_at(const char *text, int64_t ms, int offset)
{
	int64_t got_ms = 0;
	int got_offset = 0;

	if (at_parse(&got_ms, &got_offset, bytes_str(text)) != ST_OK)
		fail_msg("refused: %s", text);
	if (got_ms != ms || got_offset != offset)
		fail_msg("%s: %lld %d", text, (long long)got_ms, got_offset);
}

/* Catches a time of the officer's that is read as another. */
static void
test_at_is_read_exactly(void **state)
{
	(void)state;
	expect_at("1970-01-01T00:00:00Z", 0, 0);
	expect_at("1970-01-01T08:00:00+08:00", 0, 480);
	expect_at("1969-12-31T23:59:59.999Z", -1, 0);
	expect_at("2025-04-01T05:00:01+08:00", 1743454801000, 480);
	expect_at("2025-04-01T05:00:01.5+08:00", 1743454801500, 480);
	expect_at("2025-04-01T05:00:01.05+08:00", 1743454801050, 480);
	expect_at("2025-04-01T05:00:01.005-03:30", 1743496201005, -210);
	expect_at("2000-02-29T00:00:00Z", 951782400000, 0);
	expect_at("2024-02-29T23:59:59-00:00", 1709251199000, 0);
	expect_at("0001-01-01T00:00:00Z", -62135596800000, 0);
	expect_at("9999-12-31T23:59:59.999Z", 253402300799999, 0);
	expect_at("9999-12-31T23:59:59-23:59", 253402387139000, -1439);
}

/* Catches a date or a spelling that is none (A6). */
static void
test_at_refuses_what_is_no_time(void **state)
{
	static const char *bad[] = { "", "2025", "2025-04-01",
		"2025-04-01T05:00:01", "2025-04-01 05:00:01Z",
		"2025-04-01t05:00:01Z", "2025-04-01T05:00:01z",
		"2025-4-01T05:00:01Z", "25-04-01T05:00:01Z",
		"2025/04/01T05:00:01Z", "2025-04-01T05.00.01Z",
		"0000-01-01T00:00:00Z", "2025-00-01T05:00:01Z",
		"2025-13-01T05:00:01Z", "2025-04-00T05:00:01Z",
		"2025-04-31T05:00:01Z", "2025-02-29T05:00:01Z",
		"1900-02-29T05:00:01Z", "2025-04-01T24:00:00Z",
		"2025-04-01T05:60:01Z", "2025-04-01T05:00:60Z",
		"2025-04-01T05:00:01.Z", "2025-04-01T05:00:01.1234Z",
		"2025-04-01T05:00:01,5Z", "2025-04-01T05:00:01+0800",
		"2025-04-01T05:00:01+8:00", "2025-04-01T05:00:01*08:00",
		"2025-04-01T05:00:01+08.00", "2025-04-01T05:00:01 08:00",
		"2025-04-01T05:00:01+a8:00", "2025-04-01T05:00:01+08:0a",
		"2025-04-01T0a:00:01Z", "2025-04-01T05:00:01+24:00",
		"2025-04-01T05:00:01+08:60", "2025-04-01T05:00:01+08:00 ",
		"2025-04-01T05:00:01ZZ", "2025-04-01T05:00:01 +08:00",
		"2025-04-01T05:00:01+08:00Z", "+025-04-01T05:00:01Z",
		"2025-04-01T05:00:01.5", "2025-04-01T05:00:-1Z",
		("2025-04-01T05:00:01\xe2\x88\x92"
		 "08:00") };
	int64_t ms = 42;
	int offset = 43;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		/* Of exactly its length, so that a step past it is seen. */
		size_t len = strlen(bad[i]);
		uint8_t *copy = malloc(len == 0 ? 1 : len);

		EXPECT(copy != NULL);
		memcpy(copy, bad[i], len);
		EXPECT_ST(
		    at_parse(&ms, &offset, bytes_of(copy, len)), ST_INVALID);
		free(copy);
		if (at_parse(&ms, &offset, bytes_str(bad[i])) == ST_OK)
			fail_msg("taken: %s", bad[i]);
		EXPECT(ms == 42 && offset == 43);
	}
}

/* Catches a month that is a day too long or too short, in any kind of year. */
static void
test_at_knows_the_last_day_of_each_month(void **state)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	static const struct {
		int year, february;
	} y[] = { { 2023, 28 }, { 2024, 29 }, { 1900, 28 }, { 2000, 29 },
		{ 4, 29 }, { 100, 28 }, { 400, 29 }, { 9999, 28 } };
	char text[32];
	int64_t ms;
	int offset;

	(void)state;
	for (size_t i = 0; i < sizeof(y) / sizeof(y[0]); i++) {
		for (int m = 1; m <= 12; m++) {
			int last = m == 2 ? y[i].february : days[m - 1];

			for (int d = last; d <= last + 1; d++) {
				(void)snprintf(text, sizeof(text),
				    "%04d-%02d-%02dT00:00:00Z", y[i].year, m,
				    d);
				EXPECT(
				    (at_parse(&ms, &offset, bytes_str(text)) ==
					ST_OK) == (d == last));
			}
		}
	}
}

/* Catches a day of the calendar that we and the C library number apart. */
static void
test_at_agrees_with_the_c_library_on_every_day(void **state)
{
	char text[32];
	int64_t ms;
	int offset;

	(void)state;
	/* Each day of the first 200 years, then each 13th. */
	for (int64_t day = 0; day * 86400 < INT64_C(253402300800);
	     day += day < 73000 ? 1 : 13) {
		time_t t = (time_t)(day * 86400 + 3661);
		struct tm tm;

		at_format(text, (uint64_t)t * 1000, 0);
		EXPECT_OK(at_parse(&ms, &offset, bytes_str(text)));
		EXPECT(ms == (int64_t)t * 1000 && offset == 0);
		EXPECT(gmtime_r(&t, &tm) != NULL);
		EXPECT(strlen(text) == 20);
		assert_int_equal(
		    (text[5] - '0') * 10 + text[6] - '0', tm.tm_mon + 1);
		assert_int_equal(
		    (text[8] - '0') * 10 + text[9] - '0', tm.tm_mday);
	}
}

/* Catches a clock that is written as another time, or in two ways. */
static void
test_at_format_is_read_back(void **state)
{
	static const struct {
		uint64_t ms;
		int offset;
		const char *text;
	} at[] = {
		{ 0, 0, "1970-01-01T00:00:00Z" },
		{ 0, 480, "1970-01-01T08:00:00+08:00" },
		{ 0, -1, "1969-12-31T23:59:00-00:01" },
		{ 0, -1439, "1969-12-31T00:01:00-23:59" },
		{ 1743454801000, 480, "2025-04-01T05:00:01+08:00" },
		{ 1743454801250, 480, "2025-04-01T05:00:01.250+08:00" },
		{ 1743454801005, -210, "2025-03-31T17:30:01.005-03:30" },
		{ 253402300799999, 0, "9999-12-31T23:59:59.999Z" },
		{ 253402300799999, 480, "9999-12-31T23:59:59.999+08:00" },
		{ 253402300800000, 0, "9999-12-31T23:59:59.999Z" },
		{ UINT64_MAX, 480, "9999-12-31T23:59:59.999+08:00" },
		{ UINT64_MAX, -480, "9999-12-31T15:59:59.999-08:00" },
	};
	char text[32];
	int64_t ms;
	int offset;

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		at_format(text, at[i].ms, at[i].offset);
		assert_string_equal(text, at[i].text);
		EXPECT_OK(at_parse(&ms, &offset, bytes_str(text)));
		EXPECT(offset == at[i].offset);
		if (at[i].ms <= 253402300799999 - 28800000)
			EXPECT(ms == (int64_t)at[i].ms);
	}
}

/* Catches a record id that RFC 9562 would not call version 7, or that does
 * not take in all of its random bits. */
static void
test_rec_new_is_a_uuid7(void **state)
{
	static const uint8_t ones[10] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff };
	static const uint8_t zeroes[10] = { 0 };
	/* The example of RFC 9562 appendix A.6. */
	static const uint8_t rfc[10] = { 0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c,
		0x0c, 0x07, 0x39, 0x8f };
	char rec[REC_LEN + 1];

	(void)state;
	rec_new(rec, UINT64_C(0x017f22e279b0), rfc);
	assert_string_equal(rec, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
	EXPECT(path_is_rec(bytes_str(rec)));
	rec_new(rec, 0, zeroes);
	assert_string_equal(rec, "00000000-0000-7000-8000-000000000000");
	rec_new(rec, UINT64_MAX, ones);
	assert_string_equal(rec, "ffffffff-ffff-7fff-bfff-ffffffffffff");
	EXPECT(path_is_rec(bytes_str(rec)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_is_read_exactly),
		cmocka_unit_test(test_at_refuses_what_is_no_time),
		cmocka_unit_test(test_at_knows_the_last_day_of_each_month),
		cmocka_unit_test(
		    test_at_agrees_with_the_c_library_on_every_day),
		cmocka_unit_test(test_at_format_is_read_back),
		cmocka_unit_test(test_rec_new_is_a_uuid7),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
