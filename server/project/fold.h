#ifndef SERVER_PROJECT_FOLD_H
#define SERVER_PROJECT_FOLD_H
/*
 * fold: one record at the centre: its entries gathered, merged and judged.
 *
 * Memory is kept from record to record, so that one `struct fold` serves a
 * whole projection.  Everything read from it is borrowed until the next load.
 *
 * Threads: one.
 */
#include "domain/facts.h"
#include "domain/life.h"
#include "domain/rules.h"
#include "domain/state.h"
#include "entry/merge.h"
#include "server/core/centre.h"
#include "server/roster/feed.h"

struct fold;

struct fold_config {
	const struct kinds *kinds; /* borrowed */
	const struct rules *rules; /* borrowed */
	struct centre_reader *reader;
	struct feed_reader *feed;
	int utc_offset_min;
	/*
	 * 0: a record is as the feed knows it.  Else it is as the log has it:
	 * up to so many entries that the feed has not followed yet are looked
	 * through as well.
	 */
	uint64_t tail_max;
	/* What other records of its case tell of a record; NULL: nothing. */
	enum status (*facts)(void *arg, const struct rules *rs,
	    const struct facts_record *r, struct facts *out);
	void *facts_arg;
};

/* Other kinds and rules from the next fold_load on; borrowed. */
void fold_domain(
    struct fold *f, const struct kinds *ks, const struct rules *rs);

MUST_CHECK enum status fold_new(struct fold **out, const struct fold_config *c);
void fold_free(struct fold *f);

/*
 * Gather and merge the entries of a record.  ST_ABSENT: none.  ST_AGAIN: the
 * feed is more than tail_max entries behind, so that nothing true can be said
 * yet.  `now_ms`: the time that findings are judged at.
 */
MUST_CHECK enum status fold_load(
    struct fold *f, const char *rec, uint64_t now_ms);

/* The same of the entries at places below `bound` alone, merged and not judged:
 * fold_merge, fold_state and fold_count are of these then, and there are no
 * findings.  ST_AGAIN: the feed does not know all of them yet. */
MUST_CHECK enum status fold_load_below(
    struct fold *f, const char *rec, uint64_t bound);

/* Hold log and feed as they stand now for many loads; release soon. */
MUST_CHECK enum status fold_hold(struct fold *f);
void fold_release(struct fold *f);

struct bytes fold_state_bytes(const struct fold *f);
const struct state *fold_state(const struct fold *f);
const struct findings *fold_findings(const struct fold *f);
/* What became of them, and of those that are gone. */
const struct lives *fold_lives(const struct fold *f);
/* Findings that ended without a word, appended (domain/past.h). */
MUST_CHECK enum status fold_past(
    const struct fold *f, uint64_t now_ms, struct buf *out);
/* Is this person among those who wrote the record in the field? */
bool fold_wrote(const struct fold *f, struct bytes person);
const struct merge *fold_merge(const struct fold *f);
/* The record as facts are made of it; its kind may be NULL. */
void fold_facts_record(
    const struct fold *f, const char *rec, struct facts_record *out);
/* The kind that the record's `open` names, or NULL; its id, or "". */
const struct kind *fold_kind(const struct fold *f);
const char *fold_kind_id(const struct fold *f);

/* One entry of the record, by place. */
struct fold_entry {
	uint8_t id[ID_LEN];
	uint8_t chain[CHAIN_LEN];
	uint64_t seq, place, received_ms;
	uint32_t flags; /* enum store_flags */
	struct bytes raw;
};
size_t fold_count(const struct fold *f);
void fold_entry(const struct fold *f, size_t i, struct fold_entry *out);
/* Who spoke of it first; empty if its first entry cannot be read. */
struct bytes fold_by(const struct fold *f);
/* Earliest and latest `wall`, ms. */
void fold_times(const struct fold *f, uint64_t *first, uint64_t *last);

#endif
