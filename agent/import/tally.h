#ifndef AGENT_TALLY_H
#define AGENT_TALLY_H
/*
 * tally: how often each digest was seen; for rows that have no key of their
 * own, equal ones of which are told apart by their count.
 */
#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"

/* Open addressing; all zeroes is empty. */
struct tally {
	struct tally_row {
		uint8_t digest[ID_LEN];
		uint64_t count; /* 0: free */
	} * row;                /* owned */
	size_t cap, used;
};

void tally_free(struct tally *t);

/* *before: how many times this digest was counted; counts it.  ST_NOMEM. */
MUST_CHECK enum status tally_count(
    struct tally *t, const uint8_t digest[ID_LEN], uint64_t *before);

#endif
