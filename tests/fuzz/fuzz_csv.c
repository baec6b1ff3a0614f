/*
 * A delimited file, whatever is in it (the first byte says how it is parted):
 * reading ends, lines only grow, a row's fields lie in its text, and a bad row
 * says why and costs none of those behind it.
 */
#include <string.h>

#include "agent/import/csv.h"
#include "fuzz/fuzz.h"

static void
check_row(const struct csv *c)
{
	struct bytes last = { NULL, 0 };

	CHECK(c->count >= 1 && c->count <= CSV_COLUMNS_MAX);
	CHECK(c->raw.len <= CSV_ROW_BYTES_MAX);
	for (size_t i = 0; i < c->count; i++) {
		last = csv_field(c, i);
		CHECK(last.len <= c->text.len);
		CHECK(last.len == 0 || memchr(last.p, '\0', last.len) == NULL ||
		      memchr(c->raw.p, '\0', c->raw.len) != NULL);
	}
	CHECK(csv_field(c, c->count).len == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char separators[] = ",;\t|";
	struct csv_options opt;
	struct csv c;
	uint64_t line = 0, rows = 0;
	enum status st;

	if (size == 0)
		return 0;
	opt.separator = separators[data[0] & 3];
	opt.quotes = (data[0] & 4) == 0;
	opt.loose_ends = (data[0] & 8) != 0;
	csv_init(&c, (struct bytes){ data + 1, size - 1 }, opt);
	do {
		st = csv_next(&c);
		CHECK(st == ST_OK || st == ST_INVALID || st == ST_ABSENT);
		if (st == ST_ABSENT)
			break;
		CHECK(c.row_line > line && c.line >= c.row_line);
		line = c.row_line;
		if (st == ST_OK)
			check_row(&c);
		else
			CHECK(c.why != NULL && c.why[0] != '\0');
	} while (++rows <= size);
	CHECK(st == ST_ABSENT);
	csv_free(&c);
	return 0;
}
