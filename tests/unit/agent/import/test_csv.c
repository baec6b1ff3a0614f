#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/import/csv.h"
#include "base/port.h"

static const struct csv_options comma = { ',', true, false };

static void
expect_row(struct csv *c, size_t count, const char *const *fields)
{
	EXPECT_OK(csv_next(c));
	assert_int_equal(c->count, count);
	for (size_t i = 0; i < count; i++)
		EXPECT_BYTES(csv_field(c, i), bytes_str(fields[i]));
}

/* Catches a reader that splits inside quotes, or eats a doubled quote. */
static void
test_csv_quoted_fields_keep_all_they_hold(void **state)
{
	struct csv c;

	(void)state;
	csv_init(&c,
	    bytes_str("\xef\xbb\xbf"
		      "a,\"b,\r\nc\",\"48\"\" TV\"\r\n"
		      "\n"
		      "x,,\n"
		      "last"),
	    comma);
	expect_row(&c, 3, (const char *[]){ "a", "b,\r\nc", "48\" TV" });
	assert_int_equal(c.row_line, 1);
	expect_row(&c, 3, (const char *[]){ "x", "", "" });
	assert_int_equal(c.row_line, 4);
	expect_row(&c, 1, (const char *[]){ "last" });
	EXPECT_BYTES(csv_field(&c, 7), bytes_of(NULL, 0));
	EXPECT_ST(csv_next(&c), ST_ABSENT);
	csv_free(&c);
}

/* Catches one bad row that costs the rest, or is named on the wrong line. */
static void
test_csv_bad_row_is_named_and_the_rest_taken(void **state)
{
	struct csv c;

	(void)state;
	csv_init(
	    &c, bytes_str("a,b\n\"x\"y,1\nc,\xff\nd,e\n\"open,f\n"), comma);
	expect_row(&c, 2, (const char *[]){ "a", "b" });
	EXPECT_ST(csv_next(&c), ST_INVALID);
	assert_int_equal(c.row_line, 2);
	EXPECT(c.why != NULL);
	EXPECT_ST(csv_next(&c), ST_INVALID);
	assert_int_equal(c.row_line, 3);
	expect_row(&c, 2, (const char *[]){ "d", "e" });
	EXPECT_ST(csv_next(&c), ST_INVALID);
	assert_int_equal(c.row_line, 5);
	EXPECT_ST(csv_next(&c), ST_ABSENT);
	csv_free(&c);
}

/* Catches pipes read as commas, and quotes taken where there are none. */
static void
test_csv_other_separator_without_quotes(void **state)
{
	struct csv_options pipe = { '|', false, true };
	struct csv c;

	(void)state;
	csv_init(&c, bytes_str("a|\"b,c|\nd||\n"), pipe);
	expect_row(&c, 2, (const char *[]){ "a", "\"b,c" });
	expect_row(&c, 2, (const char *[]){ "d", "" });
	EXPECT_ST(csv_next(&c), ST_ABSENT);
	csv_free(&c);
}

/* Catches a read past the end at any cut. */
static void
test_csv_truncated_anywhere_ends_cleanly(void **state)
{
	const char text[] = "a,\"b\"\"c\",d\r\n\"e\r\nf\",\"\"\n";

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		char *copy = malloc(n + 1);
		struct csv c;
		size_t rows = 0;
		enum status st;

		EXPECT(copy != NULL);
		memcpy(copy, text, n);
		csv_init(&c, bytes_of(copy, n), comma);
		while ((st = csv_next(&c)) != ST_ABSENT) {
			EXPECT(st == ST_OK || st == ST_INVALID);
			rows++;
		}
		EXPECT(rows <= 3);
		csv_free(&c);
		free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csv_quoted_fields_keep_all_they_hold),
		cmocka_unit_test(test_csv_bad_row_is_named_and_the_rest_taken),
		cmocka_unit_test(test_csv_other_separator_without_quotes),
		cmocka_unit_test(test_csv_truncated_anywhere_ends_cleanly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
