/* facts: the rows of a case become what a record's rules ask for. */
#include "domain/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/facts_priv.h"
#include "domain/num.h"
#include "entry/entry.h"

enum { ROWS_BYTES_MAX = JSON_BYTES_MAX, TEXT_BYTES_MAX = 1 << 16 };

void
facts_init(struct facts *f)
{
	memset(f, 0, sizeof(*f));
	buf_init(&f->text, TEXT_BYTES_MAX);
	buf_init(&f->rows, ROWS_BYTES_MAX);
	buf_init(&f->json, ROWS_BYTES_MAX);
	json_init(&f->tape);
}

void
facts_free(struct facts *f)
{
	buf_wipe(&f->text);
	buf_wipe(&f->rows);
	buf_wipe(&f->json);
	json_free(&f->tape);
	free(f->row);
	facts_init(f);
}

/* A fact of an earlier set of rules, by its name in this one. */
static uint32_t
fact_bit(const struct rules *rs, const char *name)
{
	for (size_t i = 0; i < rs->fact_count; i++) {
		if (strcmp(rs->facts[i].name, name) == 0)
			return UINT32_C(1) << i;
	}
	return 0;
}

/* Facts that rules of this kind ask for, of whatever time they are. */
static uint32_t
asked(const struct rules *rs, const struct kind *k)
{
	uint32_t facts = 0;

	for (const struct rules *x = rs; x != NULL; x = x->before) {
		for (size_t i = 0; i < x->count; i++) {
			const struct rule *r = x->list[i];

			if (r->facts == 0 || !r->on || !rule_is_for(r, k))
				continue;
			for (size_t n = 0; n < x->fact_count; n++) {
				if ((r->facts >> n & 1) != 0)
					facts |= fact_bit(rs, x->facts[n].name);
			}
		}
	}
	return facts;
}

uint32_t
facts_takes(const struct rules *rs, const struct kind *k)
{
	uint32_t facts = asked(rs, k), tables = 0;

	for (size_t n = 0; n < rs->fact_count; n++) {
		const struct fact_table *t = rs->facts[n].table;

		if ((facts >> n & 1) != 0 && t != NULL)
			tables |= UINT32_C(1) << (t - rs->tables);
	}
	return tables;
}

/* ---- collecting rows */

void
facts_begin(struct facts *f, const char *rec)
{
	f->row_count = 0;
	f->count = 0;
	memset(f->me, 0, sizeof(f->me));
	(void)snprintf(f->me, sizeof(f->me), "%s", rec);
	buf_reset(&f->rows);
	buf_reset(&f->text);
}

/* What a row points to is copied behind the others; as the buffer moves, only
 * lengths stand until all are there (settle). */
static enum status
put_row(struct facts *f, struct bytes table, struct bytes rec, struct bytes row)
{
	struct fact_row *to;

	if (f->row_count == f->row_cap) {
		size_t cap = f->row_cap == 0 ? 32 : f->row_cap * 2;
		struct fact_row *bigger = realloc(f->row, cap * sizeof(*to));

		if (bigger == NULL)
			return ST_NOMEM;
		f->row = bigger;
		f->row_cap = cap;
	}
	to = &f->row[f->row_count++];
	to->table.len = table.len;
	to->rec.len = rec.len;
	to->row.len = row.len;
	buf_bytes(&f->rows, table);
	buf_bytes(&f->rows, rec);
	buf_bytes(&f->rows, row);
	return f->rows.err;
}

enum status
facts_row(
    struct facts *f, struct bytes table, struct bytes rec, struct bytes row)
{
	/* What was kept of its own may be of an earlier state. */
	return bytes_eq_str(rec, f->me) ? ST_OK : put_row(f, table, rec, row);
}

static int
by_table(const void *a, const void *b)
{
	const struct fact_row *x = a, *y = b;
	int c = bytes_cmp(x->table, y->table);

	if (c == 0)
		c = bytes_cmp(x->rec, y->rec);
	return c != 0 ? c : bytes_cmp(x->row, y->row);
}

/* Offsets become places; in order, none twice. */
static void
settle(struct facts *f)
{
	const uint8_t *at = f->rows.p;
	size_t n = 0;

	for (size_t i = 0; i < f->row_count; i++) {
		f->row[i].table.p = at;
		f->row[i].rec.p = at + f->row[i].table.len;
		f->row[i].row.p = f->row[i].rec.p + f->row[i].rec.len;
		at = f->row[i].row.p + f->row[i].row.len;
	}
	if (f->row_count > 1)
		qsort(f->row, f->row_count, sizeof(*f->row), by_table);
	for (size_t i = 0; i < f->row_count; i++) {
		if (n > 0 && bytes_eq(f->row[n - 1].table, f->row[i].table) &&
		    bytes_eq(f->row[n - 1].rec, f->row[i].rec))
			continue;
		f->row[n++] = f->row[i];
	}
	f->row_count = n;
}

/* ---- one table's rows, read */

static enum status
take_own(void *arg, const char *table, const char *key, struct bytes row)
{
	struct facts *f = arg;
	struct bytes me = bytes_of(f->me, REC_LEN);

	(void)key;
	return put_row(f, bytes_str(table), me, row);
}

/* All rows, this record's own among them, as one JSON array. */
static enum status
read_rows(struct facts *f, const struct rules *rs, const struct facts_record *r,
    uint32_t tables)
{
	enum status st = facts_give_some(rs, r, tables, take_own, f);

	if (st != ST_OK)
		return st;
	settle(f);
	buf_reset(&f->json);
	buf_u8(&f->json, '[');
	for (size_t i = 0; i < f->row_count; i++) {
		if (i > 0)
			buf_u8(&f->json, ',');
		buf_bytes(&f->json, f->row[i].row);
	}
	buf_u8(&f->json, ']');
	st = f->json.err;
	if (st == ST_OK)
		st = json_parse(&f->tape, buf_view(&f->json), JSON_DOCUMENT);
	return st == ST_INVALID ? ST_CORRUPT : st;
}

/* The row of `rec` in the table; count if there is none. */
static size_t
row_of(const struct table_rows *t, struct bytes rec)
{
	size_t lo = 0, hi = t->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (bytes_cmp(t->row[mid].rec, rec) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < t->count && bytes_eq(t->row[lo].rec, rec) ? lo : t->count;
}

/* One thing in two records counts once. */
static void
mark_doubles(struct table_rows *t)
{
	const struct json *j = t->j;

	for (size_t i = 0; i < t->count; i++) {
		uint32_t n = json_get_typed(j, t->node[i], "links", JSON_ARRAY);

		for (uint32_t l = n + 1; n != 0 && l < j->node[n].next;
		     l = j->node[l].next) {
			size_t other;

			if (j->node[l].type != JSON_ARRAY ||
			    j->node[l].count != 2)
				continue;
			other = row_of(t, json_raw(j, l + 2));
			if (other == t->count || other == i)
				continue;
			if (json_is(j, l + 1, "replaces"))
				t->out[other] = true;
			else
				t->out[other > i ? other : i] = true;
		}
	}
}

/* The rows of one table, of f->tape's array. */
static void
open_table(struct table_rows *t, const struct facts *f,
    const struct fact_table *table, const struct facts_record *me)
{
	struct bytes name = bytes_str(table->name), rec = bytes_str(me->rec);
	uint32_t n = 1;

	memset(t, 0, sizeof(*t));
	t->me = me;
	t->table = table;
	t->j = &f->tape;
	t->at = facts_at(me);
	for (size_t i = 0; i < f->row_count; i++, n = f->tape.node[n].next) {
		bool mine = bytes_eq(f->row[i].rec, rec);

		if (!bytes_eq(f->row[i].table, name))
			continue;
		if (mine)
			t->mine = n;
		if (t->count == FACT_ROWS_MAX)
			continue;
		if (t->count == 0)
			t->row = &f->row[i];
		t->node[t->count++] = n;
	}
	mark_doubles(t);
}

/* ---- all facts that the kind's rules ask for */

enum status
facts_take(
    struct facts *f, const struct rules *rs, const struct facts_record *r)
{
	uint32_t facts = asked(rs, r->kind);
	size_t at[COND_FACTS_MAX + 1];
	struct table_rows *t;
	enum status st;

	f->count = 0;
	buf_reset(&f->text);
	if (facts == 0)
		return ST_OK;
	st = read_rows(f, rs, r, facts_takes(rs, r->kind));
	if (st != ST_OK)
		return st;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < rs->fact_count; i++) {
		if ((facts >> i & 1) == 0)
			continue;
		at[f->count] = f->text.len;
		if (rs->facts[i].table != NULL)
			open_table(t, f, rs->facts[i].table, r);
		facts_take_one(t, rs, &rs->facts[i], r, &f->text);
		if (f->text.len > at[f->count])
			f->list[f->count++].name = rs->facts[i].name;
	}
	free(t);
	at[f->count] = f->text.len;
	st = f->text.err;
	for (size_t i = 0; st == ST_OK && i < f->count; i++)
		f->list[i].value =
		    bytes_of(f->text.p + at[i], at[i + 1] - at[i]);
	if (st != ST_OK)
		f->count = 0;
	return st;
}
