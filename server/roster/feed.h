#ifndef SERVER_ROSTER_FEED_H
#define SERVER_ROSTER_FEED_H
/*
 * feed: which entries belong to which record, and what each scope's stream
 * says (docs/PROTOCOL.md, section 6).
 *
 * A projection of the log in a database of its own: rebuildable, behind by
 * what it has not followed yet, never ahead.  It also keeps the scopes full:
 * when a device first speaks of a record, the record joins the scope of that
 * device's team, by an entry like any other.
 *
 * Threads: feed_follow on one thread (the daemon gives it one); readers are
 * opened apart, one for each thread.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "entry/entry.h"
#include "server/roster/roster.h"

struct feed;
struct feed_reader;
struct store_reader; /* server/store/store.h */

struct feed_config {
	const char *path; /* NULL: in memory, then one reader: feed_inside */
	const char *vfs;  /* SQLite VFS; NULL: the system's */
	struct centre *centre;
	struct roster *roster;
	/* Of one in memory: a feed's file to begin with, as it stands, which
	 * somebody else may be following; it is read only.  What cannot be used
	 * is not: then it begins with nothing, as without. */
	const char *copy;
};

/* Open, or make anew where the file is of another version or another log. */
MUST_CHECK enum status feed_open(
    struct feed **out, const struct feed_config *c);
void feed_close(struct feed *f); /* readers first */

/*
 * Follow the log as far as it goes, at most `limit` entries (0: all).  *done:
 * how many.  What has to join a scope is committed on the way, so not on the
 * committer's thread; those entries are followed by the next call.
 */
MUST_CHECK enum status feed_follow(
    struct feed *f, uint64_t limit, uint64_t *done);

/* Followed up to this place. */
uint64_t feed_size(struct feed *f);
/*
 * Does it know all that was logged when it was opened?  Until then (made anew,
 * or after a long pause) a stream may lack what the log holds: who answers a
 * device says `more`.  Any thread.
 */
bool feed_is_whole(struct feed *f);
/* And up to this one of the store's fills (store_next_fill). */
uint64_t feed_fill(struct feed *f);

/*
 * Which records the latest entries are of, from memory: for who follows the
 * feed and need not read the log again.  FIELD: the centre's word on a record
 * of the field; OWN: any other entry of the log's own but commits, and links of
 * scopes.
 */
enum feed_said_is { FEED_SAID_DEVICE, FEED_SAID_FIELD, FEED_SAID_OWN };
enum { FEED_SAID_KIND_MAX = 31 };
struct feed_said {
	uint64_t place;
	char rec[REC_LEN];
	enum feed_said_is is;
	bool print;                        /* a paper was printed … */
	uint8_t id[ID_LEN];                /* … whose id is the entry's */
	char kind[FEED_SAID_KIND_MAX + 1]; /* of OWN; "" if it is longer */
};
/* Does the centre say this of records of the field?  Else of its own. */
bool feed_of_a_record(enum verb verb);
typedef enum status (*feed_said_fn)(void *arg, const struct feed_said *s);
/*
 * Those at places from <= p < to, in order; `fn` must be quick and ends it with
 * any result but ST_OK, which is *st then.  False: not all of them are in
 * memory, and nothing was said.  Any thread.
 */
MUST_CHECK bool feed_said(struct feed *f, uint64_t from, uint64_t to,
    feed_said_fn fn, void *arg, enum status *st);

MUST_CHECK enum status feed_reader_open(
    struct feed_reader **out, struct feed *f);
void feed_reader_close(struct feed_reader *r);
struct feed_reader *feed_inside(struct feed *f); /* of the following thread */

/* Hold what stands now for many calls of feed_record; release soon. */
MUST_CHECK enum status feed_hold(struct feed_reader *r);
void feed_release(struct feed_reader *r);

/* What the reader sees is followed up to here. */
MUST_CHECK enum status feed_read_size(struct feed_reader *r, uint64_t *size);

/* Places of a record's entries, ascending, from `from` on; at most `max`.
 * *count: how many. */
MUST_CHECK enum status feed_record(struct feed_reader *r, const char *rec,
    uint64_t from, uint64_t *places, size_t max, size_t *count);

/*
 * The place of an entry of a record, and its flags (enum store_flags; may be
 * NULL), by its id.  `store` reads beside it.  ST_ABSENT: the record has none
 * of that id, or the feed has not come to it yet.
 */
MUST_CHECK enum status feed_place_of(struct feed_reader *r,
    struct store_reader *store, const char *rec, const uint8_t id[ID_LEN],
    uint64_t *place, uint32_t *flags);

/* Records that stand in a scope now. */
MUST_CHECK enum status feed_records_of(struct feed_reader *r,
    const uint8_t scope[ID_LEN], roster_rec_fn fn, void *arg);

/* An entry that the log holds now. */
struct feed_hold {
	uint8_t id[ID_LEN];
	char rec[REC_LEN + 1];
	uint64_t hold; /* place of the `hold` that says so */
};
typedef enum status (*feed_hold_fn)(void *arg, const struct feed_hold *h);
/* Those behind (hold, id), by both, at most `max`; `fn` ends it with any result
 * but ST_OK. */
MUST_CHECK enum status feed_holds(struct feed_reader *r, uint64_t hold,
    const uint8_t id[ID_LEN], size_t max, feed_hold_fn fn, void *arg);

/* One step of a scope's stream. */
struct feed_step {
	uint64_t place; /* of an entry to send */
	/* The cursor once it and all before it were sent.  Within the entries
	 * that an `in` at place p brings, it is (p, last sent + 1); else (last
	 * place + 1, 0). */
	uint64_t next_place, next_sub;
};

/*
 * The next steps of a scope from a cursor; at most `max`.  *end: nothing
 * follows below the followed size, and the cursor may be set to (*size, 0).
 */
MUST_CHECK enum status feed_scope(struct feed_reader *r,
    const uint8_t scope[ID_LEN], uint64_t place, uint64_t sub,
    struct feed_step *out, size_t max, size_t *count, bool *end,
    uint64_t *size);

/* The same for a device's own feed (scope 0): server entries that concern it
 * or everybody. */
MUST_CHECK enum status feed_device(struct feed_reader *r, const char *dev,
    const char *person, const char *team, uint64_t place, struct feed_step *out,
    size_t max, size_t *count, bool *end, uint64_t *size);

#endif
