#ifndef SERVER_CORE_COMMIT_PLACE_H
#define SERVER_CORE_COMMIT_PLACE_H
/*
 * commit_place: one piece being put into its chain.  Private to the committer.
 */
#include "server/core/commit_inner.h"

/* Where a piece goes on, and as what. */
struct placing {
	struct txn *t;
	struct ingest *in;
	const struct ingest_piece *p;
	struct chain_view *v;
	uint32_t branch;
	const char *held; /* why everything of it is held, or NULL */
};

/* The record of a held entry must be told of it. */
MUST_CHECK enum status place_held(
    struct txn *t, const struct ingest_entry *e, const char *reason);

/* Bits of a branch's status that are not there yet. */
void place_status(struct placing *pl, uint32_t branch, uint32_t bits);

/* Entries from `skip` on, in one row of places, and their line. */
MUST_CHECK enum status place_rows(struct placing *pl, size_t skip);

/* The branch now ends where the piece does. */
void place_moved(struct placing *pl);

/* Everything of a piece whose plan is known: what it fills, its rows, what the
 * log says of it. */
MUST_CHECK enum status place_piece(struct placing *pl, const struct attach *a);

/*
 * Entries that a log that ended proved (docs/PROTOCOL.md, section 9), each
 * where it fits.  What fits nowhere is kept as evidence.
 */
MUST_CHECK enum status place_proved(struct placing *pl);

#endif
