#ifndef DOMAIN_FACTS_H
#define DOMAIN_FACTS_H
/*
 * facts: what other records of the same case tell of a record
 * (docs/KINDS.md, section 3a).
 *
 * Two pure steps.  Give: one record's state becomes small rows, each for a
 * table and a case.  Take: the rows of a record's case become the facts that
 * its rules ask for.  Handheld and centre keep the rows as they like and both
 * call these, so the same records lead to the same findings.
 *
 * Threads: none inside; a `struct rules` may be read from many at once.
 */
#include "domain/rules.h"

enum {
	FACT_TABLES_MAX = 32,
	FACT_KEYS_MAX = 8,    /* cases of one record */
	FACT_ROWS_MAX = 512,  /* of one table that count for one record */
	FACT_KEY_BYTES = 128, /* of a case number made comparable */
};

/* One record, as far as facts go; all borrowed. */
struct facts_record {
	const char *rec;
	const struct kind *kind;
	const struct state *st;
	const struct rules_entry *entries; /* `centre` is filled in */
	size_t entry_count;
	int offset_min; /* the court's zone */
};

/* A case number made comparable. */
struct fact_key {
	char text[FACT_KEY_BYTES];
};

/* False: it is no case number (docs/KINDS.md, "The same case"). */
bool facts_key(struct fact_key *out, struct bytes case_no);

/* Any number made comparable in the same way. */
void facts_plain(struct bytes text, struct buf *out);

/* The cases that a record says it is of; how many (≤ FACT_KEYS_MAX). */
size_t facts_cases(const struct rules *rs, const struct facts_record *r,
    struct fact_key out[FACT_KEYS_MAX]);

/* Whether records of this kind give anything; whether without a case number,
 * too (then under the key ""). */
bool facts_gives(const struct rules *rs, const struct kind *k);
bool facts_gives_all(const struct rules *rs, const struct kind *k);
/* Tables that the rules of this kind, as they are switched, take from, as
 * bits by facts_table_name's number. */
uint32_t facts_takes(const struct rules *rs, const struct kind *k);
/* NULL past the last; static as long as the rules. */
const char *facts_table_name(const struct rules *rs, unsigned i);

/*
 * Call `fn` with each row that the record gives: its table, the case ("" for
 * every one) and the row, canonical JSON.  Stops at the first result that is
 * not ST_OK, and gives it.
 */
typedef enum status (*facts_row_fn)(
    void *arg, const char *table, const char *key, struct bytes row);
MUST_CHECK enum status facts_give(const struct rules *rs,
    const struct facts_record *r, facts_row_fn fn, void *arg);

/* A row as it was given; all borrowed. */
struct fact_row {
	struct bytes table, rec, row;
};

/* The facts of one record; memory is kept from call to call. */
struct facts {
	struct rules_fact list[FACT_TABLES_MAX];
	size_t count;
	struct buf text; /* what the list points into */
	/* Scratch. */
	char me[REC_LEN + 1];
	struct buf rows, json;
	struct json tape;
	struct fact_row *row; /* owned */
	size_t row_count, row_cap;
};
void facts_init(struct facts *f);
void facts_free(struct facts *f);

/* Collect what facts_take shall look at for `rec`: forget all; copy one more
 * row.  The order does not matter, nor does a row that comes twice; its own,
 * as somebody kept them, are left out. */
void facts_begin(struct facts *f, const char *rec);
MUST_CHECK enum status facts_row(
    struct facts *f, struct bytes table, struct bytes rec, struct bytes row);

/*
 * Fill list and count for the record from the rows collected since
 * facts_begin: those of its cases, and those under the key "".  Its own rows
 * are made here.  ST_NOMEM; ST_CORRUPT: a row that
 * facts_give never made.
 */
MUST_CHECK enum status facts_take(
    struct facts *f, const struct rules *rs, const struct facts_record *r);

#endif
