#include "support/expect.h"

#include <string.h>

#include "agent/import/when.h"

static const char *
read_as(const char *text, const char *pattern, const char *zone)
{
	static char out[40];
	struct when w;

	if (when_parse(&w, bytes_str(text), bytes_str(pattern)) != ST_OK)
		return "refused";
	EXPECT_OK(when_in_zone(&w, zone));
	when_datetime(&w, out);
	return out;
}

#define NEW_YORK "EST5EDT,M3.2.0,M11.1.0"

/* Catches a date format of the real files that is misread. */
static void
test_when_reads_the_formats_of_the_files(void **state)
{
	static const struct {
		const char *text, *pattern, *zone, *want;
	} row[] = {
		{ "01/17/2021 09:55:56 PM", "MM/DD/YYYY hh:mm:ss AP", NEW_YORK,
		    "2021-01-17T21:55:56-05:00" },
		{ "07/20/2017", "MM/DD/YYYY", NEW_YORK,
		    "2017-07-20T00:00:00-04:00" },
		{ "12:00:00 AM 2021/07/01 ", "hh:mm:ss AP YYYY/MM/DD", NEW_YORK,
		    "2021-07-01T00:00:00-04:00" },
		{ "2021/06/09 23:10:00+00", "YYYY/MM/DD hh:mm:ssZ", NEW_YORK,
		    "2021-06-09T23:10:00+00:00" },
		{ "2024-11-01 10:23:40.377", "YYYY-MM-DD hh:mm:ss.fff", "UTC0",
		    "2024-11-01T10:23:40+00:00" },
		{ "2019-03-31T23:00:00+00:00", "YYYY-MM-DDThh:mm:ssZ", "UTC0",
		    "2019-03-31T23:00:00+00:00" },
		{ "2024/2/9 5:07", "YYYY/M/D h:mm", "CST-8",
		    "2024-02-09T05:07:00+08:00" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_string_equal(
		    read_as(row[i].text, row[i].pattern, row[i].zone),
		    row[i].want);
}

/* Catches a date that does not exist, or text left over. */
static void
test_when_refuses_what_is_no_date(void **state)
{
	static const char *const bad[][2] = { { "02/29/2021", "MM/DD/YYYY" },
		{ "13/01/2021", "MM/DD/YYYY" }, { "01/17/2021x", "MM/DD/YYYY" },
		{ "", "MM/DD/YYYY" }, { "01/17/21", "MM/DD/YYYY" },
		{ "13:00 PM", "hh:mm AP" },
		{ "2021-01-01T24:00:00Z", "YYYY-MM-DDThh:mm:ssZ" },
		{ "2021-01-01T10:00:60Z", "YYYY-MM-DDThh:mm:ssZ" },
		{ "2021-01-01T10:00:00+2", "YYYY-MM-DDThh:mm:ssZ" } };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_string_equal(
		    read_as(bad[i][0], bad[i][1], "UTC0"), "refused");
	assert_string_equal(read_as("02/29/2020", "MM/DD/YYYY", "UTC0"),
	    "2020-02-29T00:00:00+00:00");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_when_reads_the_formats_of_the_files),
		cmocka_unit_test(test_when_refuses_what_is_no_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
