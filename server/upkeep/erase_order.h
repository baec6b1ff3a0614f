#ifndef SERVER_UPKEEP_ERASE_ORDER_H
#define SERVER_UPKEEP_ERASE_ORDER_H
/*
 * erase_order: bodies are erased by the word of two people (docs/ERASING.md).
 *
 * The confirming entry and the erasing are one transaction: there is no moment
 * at which the log says one thing and the store another.  Heads, digests, links
 * and places stay, so that everything else is proved as before.
 *
 * Threads: one; the readers serve it alone.
 */
#include "domain/words.h"
#include "erase/erase.h"
#include "server/core/centre.h"
#include "server/roster/feed.h"
#include "server/roster/roster.h"

struct erase_desk {
	struct centre *centre;
	struct roster *roster;
	struct centre_reader *reader;
	struct feed_reader *feed;
};

struct erase_wish {
	const char *rec; /* whose entries they are */
	const uint8_t (*id)[ID_LEN];
	size_t count;
	const char *ground, *law, *by;
};

/* All orders that the log has; the caller frees. */
MUST_CHECK enum status erase_orders(
    const struct erase_desk *d, struct erasures **out);

/*
 * Propose it.  With words: ST_DENIED (who may not; an entry of the court's
 * own), ST_ABSENT (an entry that the record does not have), ST_CONFLICT (one
 * that is erased already), ST_INVALID (no ground, no law, too many).
 */
MUST_CHECK enum status erase_propose(const struct erase_desk *d,
    const struct erase_wish *w, uint8_t id[ID_LEN], struct words *why);

/*
 * Confirm it, and the bodies go; or refuse it.  With words: ST_ABSENT,
 * ST_CONFLICT (decided already), ST_DENIED (by its proposer, or who may not).
 */
MUST_CHECK enum status erase_decide(const struct erase_desk *d,
    const uint8_t id[ID_LEN], bool yes, const char *by, const char *reason,
    struct words *why);

/*
 * Bodies that an order in the log says are gone, and that stand in the store (a
 * backup put together wrongly): they go.  *count: how many.
 */
MUST_CHECK enum status erase_again(const struct erase_desk *d, uint64_t *count);

/* Append an order as a JSON object. */
void erase_order_json(const struct erase_order *o, struct buf *out);

#endif
