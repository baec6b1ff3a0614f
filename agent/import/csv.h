#ifndef AGENT_CSV_H
#define AGENT_CSV_H
/*
 * csv: rows of a delimited text file (RFC 4180), one at a time.
 *
 * Takes CR LF and LF, line breaks and separators inside quoted fields, doubled
 * quotes, and another separator or no quoting at all where the file's map says
 * so.  A row that breaks the rules is reported with its line and reason, and
 * reading goes on at the next line: one bad row never costs the rest.
 */
#include "base/buf.h"

enum { CSV_COLUMNS_MAX = 512, CSV_ROW_BYTES_MAX = 1 << 20 };

struct csv_options {
	char separator;  /* ',' */
	bool quotes;     /* a field may be quoted by '"' */
	bool loose_ends; /* one empty field at the end of a row is dropped */
};

struct csv {
	struct csv_options opt;
	struct bytes in; /* borrowed: the whole file */
	size_t at;
	uint64_t line; /* of the next row, from 1 */

	/* The row last read; borrowed until the next. */
	uint64_t row_line; /* the line it began on */
	struct bytes raw;  /* its bytes, without the line break */
	struct buf text;   /* unquoted fields, one behind the other */
	size_t count;      /* fields */
	size_t start[CSV_COLUMNS_MAX + 1]; /* of each in text; one past */
	const char *why; /* static words, where the row is bad */
};

/* A BOM at the start is passed over. */
void csv_init(struct csv *c, struct bytes in, struct csv_options opt);
void csv_free(struct csv *c);

/*
 * The next row.  ST_OK; ST_ABSENT at the end; ST_INVALID with c->why and
 * c->row_line: this row is bad, call again for the next; ST_NOMEM.  Empty
 * lines are passed over.
 */
MUST_CHECK enum status csv_next(struct csv *c);

/* Field i of the row; empty where the row has fewer. */
struct bytes csv_field(const struct csv *c, size_t i);

#endif
