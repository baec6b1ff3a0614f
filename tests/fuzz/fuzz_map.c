/*
 * A map file, and behind a zero byte rows for it: a map that is taken binds or
 * says why, and each value that it gives passes the check of its field.
 */
#include <string.h>

#include "agent/import/map.h"
#include "fuzz/fuzz.h"

static void
check_value(struct map *m, const struct map_field *f, const struct csv *row)
{
	struct buf out;
	struct words why;
	enum status st;

	buf_init(&out, 1 << 20);
	st = map_value(m, f, row, &out);
	CHECK(st == ST_OK || st == ST_ABSENT || st == ST_INVALID);
	if (st == ST_OK && out.len > 0)
		CHECK(kind_check(f->field, buf_view(&out), &why) == ST_OK);
	if (st == ST_INVALID)
		CHECK(m->words.zh[0] != '\0' && m->words.en[0] != '\0');
	buf_free(&out);
}

static void
check_rows(struct map *m, struct bytes rows)
{
	struct csv c;
	char at[40];
	enum status st;

	csv_init(&c, rows, m->csv);
	do
		st = csv_next(&c);
	while (st == ST_INVALID);
	if (st == ST_OK && map_bind(m, &c) == ST_OK) {
		while ((st = csv_next(&c)) != ST_ABSENT) {
			if (st == ST_INVALID)
				continue;
			for (size_t i = 0; i < m->field_count; i++)
				check_value(m, &m->field[i], &c);
			for (size_t i = 0; i < m->item_count; i++)
				check_value(m, &m->item[i], &c);
			st = map_at(m, &c, at);
			CHECK(
			    st == ST_OK || st == ST_ABSENT || st == ST_INVALID);
		}
	}
	csv_free(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kinds *ks; /* as built in; made once */
	const uint8_t *zero = size > 0 ? memchr(data, '\0', size) : NULL;
	size_t map_len = zero != NULL ? (size_t)(zero - data) : size;
	struct bytes rows = { data + size, 0 };
	struct map m;
	enum status st;

	if (ks == NULL)
		CHECK(kinds_load_builtin(&ks) == ST_OK);
	if (zero != NULL)
		rows = (struct bytes){ zero + 1, size - map_len - 1 };
	map_init(&m);
	st = map_load(&m, ks, (struct bytes){ data, map_len });
	CHECK(st == ST_OK || st == ST_INVALID);
	if (st == ST_OK)
		check_rows(&m, rows);
	else
		CHECK(m.words.zh[0] != '\0' && m.words.en[0] != '\0');
	map_free(&m);
	return 0;
}
