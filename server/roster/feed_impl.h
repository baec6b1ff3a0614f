#ifndef SERVER_ROSTER_FEED_IMPL_H
#define SERVER_ROSTER_FEED_IMPL_H
/* feed_impl: what the feed's files share; nobody else includes it. */
#include <pthread.h>

#include "db/db.h"
#include "entry/entry.h"
#include "server/core/centre.h"
#include "server/roster/feed.h"
#include "server/roster/roster_impl.h"

struct feed_reader {
	struct db *db;
};

enum { FEED_KNOWN = 8192, FEED_TEAMS = 256, FEED_SAID = 1 << 15 };

/* A record at hand, by a hash of its id. */
struct feed_known {
	char rec[REC_LEN];
	bool scoped;              /* it may stand in a scope */
	bool joined;              /* it stood in one once */
	int64_t n;                /* its number; 0: none here */
	uint8_t asked[CHAIN_LEN]; /* who last asked that it join one */
};

/* The team that a chain's entries are of, as of a version of the roster. */
struct feed_team {
	bool used;
	uint8_t chain[CHAIN_LEN];
	uint64_t version;
	char team[ROSTER_NAME_MAX + 1];
};

struct feed {
	struct centre *centre;
	struct roster *roster;
	char *path, *vfs; /* vfs NULL: the system's */
	struct db *db;
	struct centre_reader *reader;
	struct feed_reader inside;
	struct entry entry; /* scratch */
	uint64_t size;
	uint64_t whole_at; /* the log's size when this was opened */
	uint64_t fill;     /* the last of the store's fills that was taken in */
	bool wanted; /* records wait to join a scope, or to be sent again */
	/* The roster's version for which all of those were tried; another one
	 * may know teams that this one did not. */
	uint64_t tried;
	/* Behind the last `in` of our own: before it is followed, who writes in
	 * that record would ask again. */
	uint64_t joined_at;

	/* ---- feed_cache.c */
	struct feed_known known[FEED_KNOWN];
	struct feed_team team[FEED_TEAMS];
	/* Of the batch under way: said once it has committed. */
	struct feed_said *saying; /* owned: FEED_SAID */
	size_t saying_count;
	pthread_mutex_t said_lock; /* over all below */
	struct feed_said *said;    /* owned: a ring of FEED_SAID */
	size_t said_first, said_count;
	uint64_t said_from, said_to; /* places that it speaks of */
};

/* A record's number; NULL if it is not at hand. */
struct feed_known *feed_known(struct feed *f, struct bytes rec);
struct feed_known *feed_know(
    struct feed *f, struct bytes rec, int64_t n, bool joined);
/* After a rollback: numbers may be others' now. */
void feed_forget(struct feed *f);

/*
 * The team of the person whose device a chain is of, "" where none is known.
 * People move between teams, and their devices with them: what the device was
 * enrolled with counts only where nothing is known of the person.  Borrowed
 * until the next call.
 */
const char *feed_team_of(struct feed *f, const uint8_t chain[CHAIN_LEN]);

/* What a batch says, for feed_said: from place to place, once it stands. */
void feed_say_begin(struct feed *f);
void feed_say(struct feed *f, const struct centre_entry *ce, struct bytes rec,
    enum verb verb, enum feed_said_is is, struct bytes kind);
void feed_say_end(struct feed *f, uint64_t from, uint64_t to);

/* Take in one entry of the log (feed_apply.c). */
MUST_CHECK enum status feed_apply(struct feed *f, const struct centre_entry *e);

/* The number of a record; ST_ABSENT (feed_apply.c). */
MUST_CHECK enum status feed_find_record(
    struct feed *f, struct bytes rec, int64_t *out);

/* Records that joined no scope join that of a team, where one is known
 * (feed_join.c). */
MUST_CHECK enum status feed_join(struct feed *f);

/* Places whose bytes came, or went, later: taken in (feed_fills.c) … */
MUST_CHECK enum status feed_follow_fills(struct feed *f);
/* … and what devices had of their records is taken back and sent anew. */
MUST_CHECK enum status feed_send_again(struct feed *f);

#endif
