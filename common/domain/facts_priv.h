#ifndef DOMAIN_FACTS_PRIV_H
#define DOMAIN_FACTS_PRIV_H
/* facts_priv: what the files of facts share. */
#include "domain/facts.h"
#include "domain/rules_priv.h"

struct fact_keys {
	struct fact_key list[FACT_KEYS_MAX];
	size_t count;
};
/* Case numbers that stand at a field, or at "LIST/FIELD" of each item in
 * force; what is in conflict counts with each value. */
void facts_keys_at(
    struct fact_keys *k, const struct facts_record *r, const char *path);
/* When the record happened by its own `happened` field, else by its earliest
 * entry; INT64_MIN: nothing says. */
int64_t facts_at(const struct facts_record *r);
/* The centre opened it. */
bool facts_by_centre(const struct facts_record *r);
/* Who wrote its open, set, add or amend, as far as `by` of the entries tells:
 * the i-th entry's, or empty. */
struct bytes facts_writer(const struct facts_record *r, size_t i);
/* Records of that kind give to the table. */
bool facts_table_of(const struct fact_table *t, const struct kind *k);

/* As facts_give, to these tables alone. */
MUST_CHECK enum status facts_give_some(const struct rules *rs,
    const struct facts_record *r, uint32_t tables, facts_row_fn fn, void *arg);

/* ---- one table's rows, read */

struct table_rows {
	const struct facts_record *me;
	const struct fact_table *table;
	const struct json *j;
	const struct fact_row *row; /* of this table */
	size_t count;
	uint32_t node[FACT_ROWS_MAX];
	bool out[FACT_ROWS_MAX]; /* the same thing stands in another */
	uint32_t mine;           /* 0: this record gives nothing to it */
	int64_t at;              /* when this record happened */
};

/* Append what the fact comes to; nothing where it is not known.  `t` is the
 * fact's table, if it has one. */
void facts_take_one(const struct table_rows *t, const struct rules *rs,
    const struct cond_fact *fact, const struct facts_record *r,
    struct buf *out);

#endif
