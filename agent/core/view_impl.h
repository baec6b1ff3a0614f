#ifndef AGENT_VIEW_IMPL_H
#define AGENT_VIEW_IMPL_H
/* view_impl: what the files of the view share; nobody else includes it. */
#include "agent/core/view.h"
#include "db/db.h"
#include "domain/facts.h"
#include "domain/life.h"
#include "domain/state.h"
#include "entry/merge.h"

struct view {
	struct db *db;
	const struct kinds *kinds; /* borrowed */
	const struct rules *rules; /* borrowed */
	int offset_min;

	char last_rec[REC_LEN]; /* the record last looked up … */
	int64_t last_record;    /* … and its number; 0: none */

	/* Own chains: what stands in the log up to where. */
	struct view_ack {
		uint8_t chain[CHAIN_LEN];
		uint64_t seq;
	} * ack;
	size_t ack_count;

	uint64_t centre_wall; /* latest `wall` of the centre's entries */

	/* Scratch, kept from call to call. */
	struct entry entry;
	struct state state;
	struct findings findings;
	struct lives lives;
	struct buf bytes;

	/* Facts: of the record that is judged; of another, being folded. */
	struct facts facts;
	struct state other;
	struct buf other_bytes;
	bool any_given;   /* some record's rows stand in `given` */
	bool other_rules; /* … and may be of other rules than these */
};

/* A record opened for reading: its entries, folded. */
struct view_loaded {
	struct merge *merge;
	struct buf bytes; /* all entries, one behind the other */
	char kind[64];    /* of its `open`; "" if that has not come */
	struct view_row {
		uint8_t id[ID_LEN];
		size_t off, len;
		unsigned flags;
		uint64_t place;
	} * row;
	size_t count, cap;
};

/* Load and fold; on ST_OK the caller frees. */
MUST_CHECK enum status view_load(
    struct view *v, const char *rec, struct view_loaded *l);
void view_loaded_free(struct view_loaded *l);
struct bytes view_row_raw(const struct view_loaded *l, size_t i);
/* As merge_add was told. */
unsigned view_merge_flags(const struct view_loaded *l, size_t i);

/* view_facts.c: an entry was taken; it may state a case. */
MUST_CHECK enum status view_facts_note(
    struct view *v, const struct entry *e, int64_t record);
/* v->facts becomes what other records tell of this one. */
MUST_CHECK enum status view_facts(struct view *v, const struct facts_record *r);

/* What rules want to know of each entry.  `parsed` keeps them alive. */
struct view_judged {
	struct rules_entry *entry;
	struct entry *parsed;
	size_t count, made;
};
/* Free it whatever came back. */
MUST_CHECK enum status view_judged_of(
    const struct view_loaded *l, struct view_judged *j);
void view_judged_free(struct view_judged *j);

/* Is v->entry, a row of these flags and place, in the log? */
bool view_in_log(const struct view *v, unsigned flags, uint64_t place);
/* Findings of one record into v->findings; its state is v->state. */
MUST_CHECK enum status view_judge(
    struct view *v, const char *rec, const struct view_now *now);
/* Call for each record of the field (of that kind), newest first; stops at the
 * first result that is not ST_OK. */
typedef enum status (*view_record_fn)(struct view *v, const char *rec,
    const char *kind, uint64_t wall, void *arg);
MUST_CHECK enum status view_each_record(struct view *v, const char *kind,
    size_t limit, view_record_fn fn, void *arg);

/* view_scope.c: a server's entry of kind scope@1 was taken. */
MUST_CHECK enum status view_scope_note(
    struct view *v, const struct entry *e, const struct view_entry *in);

#endif
