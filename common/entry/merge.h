#ifndef ENTRY_MERGE_H
#define ENTRY_MERGE_H
/*
 * merge: the state of one record, a pure function of the set of its entries.
 *
 * Any order, any repeats, any grouping give the same bytes (docs/MERGE.md).
 * Merge reads heads only; values are put in afterwards.  It never refuses an
 * entry for what it says and never drops a value that was entered.
 *
 * Use: merge_new, merge_add for each entry, merge_run, then the readers.
 * Adding after a run is allowed; run again then.  The readers may be called
 * after a run that gave ST_OK and before the next merge_add or merge_reset, and
 * nowhere else.  Entry bytes are borrowed and must outlive their use by the
 * merge, up to merge_reset or merge_free.
 *
 * Threads: one owner adds and runs; what was run may be read from many.
 *
 * Cost: n entries with e ids in `after`, w names, on l lanes (about as many as
 * there were devices at it at a time): O(n log n + e l + w log w) and a
 * skeleton for each sign; memory O(n l), never over 32 MiB for what entries
 * know.
 */
#include "entry/entry.h"

struct merge; /* private to merge.c */

/* What a caller knows of an entry besides its bytes. */
enum merge_flags {
	MERGE_SERVER =
	    1,          /* from a server chain of this court: may hold, admit */
	MERGE_BARE = 2, /* malformed, or kept out by the caller */
};

MUST_CHECK enum status merge_new(struct merge **out);
void merge_free(struct merge *m);

/* Forget every entry, keep the memory: for folding record after record. */
void merge_reset(struct merge *m);

/*
 * Add one entry of the record: its id and its bytes (whole, or the head line
 * alone where the body is withheld).  The id is that of these bytes in their
 * chain; who hands in another gets a fold of another history.
 *
 * A malformed entry is taken as bare where its `rec`, `wall` and `after` can
 * be read, else left out.  So is one whose `v` is above ours (merge_newest
 * tells).  Of two copies the fuller counts: whole, blind, bare.
 *
 * ST_INVALID: an entry of another record than the first, not taken.
 * ST_LIMIT: over 2^31 entries or ids.  ST_NOMEM: not taken.
 */
MUST_CHECK enum status merge_add(struct merge *m, const uint8_t id[ID_LEN],
    struct bytes raw, unsigned flags);

/*
 * The entry that was added last, as merge read it, so that it need not be read
 * again: good (verb is not DO_NONE) or malformed.  Borrowed until the next
 * merge_add; what lies in its `raw` lives as long as those bytes.
 */
const struct entry *merge_added(const struct merge *m);

/*
 * Fold what was added.  ST_NOMEM; ST_LIMIT; ST_ABSENT if nothing was.
 * ST_CORRUPT: ids know each other in a circle, which no bytes can state: ids
 * and bytes were mixed up.
 */
MUST_CHECK enum status merge_run(struct merge *m);

/* Append the state bytes (MERGE.md, "State"). */
MUST_CHECK enum status merge_state(const struct merge *m, struct buf *out);

/* Append the skeleton of parts (C8): paths, in the order shown. */
MUST_CHECK enum status merge_skeleton(const struct merge *m, struct bytes kind,
    const struct bytes *parts, size_t part_count, struct buf *out);

/* As merge_skeleton, over exactly what entry `id` knows: what changed behind a
 * stale sign is the difference of the two.  ST_ABSENT: no such entry. */
MUST_CHECK enum status merge_skeleton_known(const struct merge *m,
    const uint8_t id[ID_LEN], struct bytes kind, const struct bytes *parts,
    size_t part_count, struct buf *out);

/* SHA-256 of the skeleton: what a `sign` states as `shown`. */
MUST_CHECK enum status merge_shown(const struct merge *m, struct bytes kind,
    const struct bytes *parts, size_t part_count, uint8_t out[HASH_LEN]);

/* Ids that the next entry states as `after`: sorted; borrowed until the next
 * run. */
const uint8_t (*merge_heads(const struct merge *m, size_t *count))[ID_LEN];

/* Ids in order (C3); borrowed until the next run. */
const uint8_t (*merge_order(const struct merge *m, size_t *count))[ID_LEN];

/* Ids that are named in `after` and not here: sorted; borrowed until the next
 * run.  Where there are any the state is provisional. */
const uint8_t (*merge_missing(const struct merge *m, size_t *count))[ID_LEN];

/* *out: the entry at place a of the order knows the one at place b (C2).
 * ST_NOMEM. */
MUST_CHECK enum status merge_knows(
    const struct merge *m, size_t a, size_t b, bool *out);

/* Values kept for a field, first shown first.  `i` counts from 0; false past
 * the last.  *id and *raw (canonical JSON of the value, or the withheld
 * object) are borrowed until the next run. */
bool merge_field(const struct merge *m, struct bytes path, size_t i,
    const uint8_t **id, struct bytes *raw);

/* Words kept for the status, likewise; word is borrowed too. */
bool merge_status(
    const struct merge *m, size_t i, const uint8_t **id, struct bytes *word);

/* How an item (path) or act ("@ID") stands (C6).  MERGE_UNKNOWN: nothing that
 * counts speaks of it, and no act that counts has that id. */
enum merge_is { MERGE_IN, MERGE_OUT, MERGE_CONFLICT, MERGE_UNKNOWN };
enum merge_is merge_standing(const struct merge *m, struct bytes item);

/* A `void` act is not out (C10). */
bool merge_void(const struct merge *m);

/* What somebody has to settle: fields, links and the status with more than one
 * value, items and acts in conflict. */
size_t merge_conflicts(const struct merge *m);

/* The record's id as text; "" before the first entry.  At any time. */
const char *merge_rec(const struct merge *m);

/* The highest `v` of any entry added, 0 before the first.  Above 1: a part of
 * this record was written by a newer Daybreak and stands among the bare; say
 * so.  At any time. */
uint64_t merge_newest(const struct merge *m);

#endif
