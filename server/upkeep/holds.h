#ifndef SERVER_UPKEEP_HOLDS_H
#define SERVER_UPKEEP_HOLDS_H
/*
 * holds: what the log keeps out of the merge for now, and the word that lets it
 * in (docs/MERGE.md: `hold`, `admit`).
 *
 * A fork's later branch, what a revoked device delivers, and what is recovered
 * from a lost, seized or copied handheld come in held.  A supervisor looks at
 * it and admits it, entry by entry or branch by branch; or holds what merged.
 * Both are entries of the log; nothing is ever taken back.
 *
 * Threads: one; the readers serve it alone.
 */
#include "entry/entry.h"
#include "server/core/centre.h"
#include "server/roster/feed.h"

struct holds {
	struct centre *centre;
	struct centre_reader *reader;
	struct feed_reader *feed;
};

enum { HOLDS_TEXT_MAX = 255 };

/* An entry that is held, or may be. */
struct holds_row {
	uint8_t id[ID_LEN];
	char rec[REC_LEN + 1];
	uint64_t hold;                   /* place of the `hold`; 0: not held */
	char reason[HOLDS_TEXT_MAX + 1]; /* that it states */
	uint64_t place, seq;             /* of the entry itself */
	uint32_t branch, flags;          /* enum store_flags */
	uint8_t chain[CHAIN_LEN];
	char dev[DEV_LEN + 1];
	char kind[HOLDS_TEXT_MAX + 1], by[HOLDS_TEXT_MAX + 1], at[41];
	enum verb verb;
};

typedef enum status (*holds_fn)(void *arg, const struct holds_row *row);

/*
 * Entries held now, behind (hold, id), in that order, at most `max`; `fn` ends
 * it with any result but ST_OK.  As far as the feed has followed the log.
 */
MUST_CHECK enum status holds_each(const struct holds *h, uint64_t hold,
    const uint8_t id[ID_LEN], size_t max, holds_fn fn, void *arg);

/* An entry of a record, held or not.  ST_ABSENT; ST_DENIED: one of the centre's
 * own, which cannot be held. */
MUST_CHECK enum status holds_find(const struct holds *h, const char *rec,
    const uint8_t id[ID_LEN], struct holds_row *out);

/*
 * Log DO_HOLD or DO_ADMIT of all rows, in one commit, one entry a record (or a
 * few); each answers what was said of them before.  The rows are put in order
 * of record.  Waits.  ST_LOCKED: the log is stopped.
 */
MUST_CHECK enum status holds_put(const struct holds *h, enum verb verb,
    struct holds_row *rows, size_t count, const char *reason, const char *by);

/* Append a row as a JSON object. */
void holds_json(const struct holds_row *row, struct buf *out);

#endif
