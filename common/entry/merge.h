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
 * Adding after a run is allowed; run again then.  Entry bytes are borrowed
 * and must outlive the merge.
 */
#include "entry/entry.h"

struct merge; /* private to merge.c */

/* What a caller knows of an entry besides its bytes. */
enum merge_flags {
	MERGE_SERVER = 1, /* from a server chain of this court: may hold, admit */
	MERGE_BARE = 2,	  /* malformed, or kept out by the caller */
};

MUST_CHECK enum status merge_new(struct merge **out);
void merge_free(struct merge *m);

/*
 * Add one entry of the record: its id and its bytes (whole, or the head line
 * alone where the body is withheld).  A malformed entry is taken as bare where
 * its `after` and `wall` can be read, else left out.  Of two copies the fuller
 * counts.  ST_NOMEM.
 */
MUST_CHECK enum status merge_add(struct merge *m, const uint8_t id[ID_LEN],
    struct bytes raw, unsigned flags);

/* Fold what was added.  ST_NOMEM; ST_ABSENT if nothing was. */
MUST_CHECK enum status merge_run(struct merge *m);

/* Append the state bytes (MERGE.md, "State"). */
MUST_CHECK enum status merge_state(const struct merge *m, struct buf *out);

/* Append the skeleton of parts (C8) over all, or over what entry `of` knows. */
MUST_CHECK enum status merge_skeleton(const struct merge *m, struct bytes kind,
    const struct bytes *parts, size_t part_count, struct buf *out);

/* SHA-256 of the skeleton: what a `sign` states as `shown`. */
MUST_CHECK enum status merge_shown(const struct merge *m, struct bytes kind,
    const struct bytes *parts, size_t part_count, uint8_t out[HASH_LEN]);

/* Ids that the next entry states as `after`: sorted; borrowed until the next
 * run. */
const uint8_t (*merge_heads(const struct merge *m, size_t *count))[ID_LEN];

/* Ids in order (C3); borrowed until the next run. */
const uint8_t (*merge_order(const struct merge *m, size_t *count))[ID_LEN];

/* True if the entry at place a of the order knows the one at place b. */
bool merge_knows(const struct merge *m, size_t a, size_t b);

/* Values kept for a field, first shown first.  `i` counts from 0; false past
 * the last.  *id and *raw (canonical JSON of the value, or the withheld
 * object) are borrowed until the next run. */
bool merge_field(const struct merge *m, struct bytes path, size_t i,
    const uint8_t **id, struct bytes *raw);

/* How an item or act stands. */
enum merge_is { MERGE_IN, MERGE_OUT, MERGE_CONFLICT, MERGE_UNKNOWN };
enum merge_is merge_standing(const struct merge *m, struct bytes item);

/* How many fields, items and states of status are in conflict. */
size_t merge_conflicts(const struct merge *m);

#endif
