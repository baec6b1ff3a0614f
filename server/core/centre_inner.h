#ifndef SERVER_CORE_CENTRE_INNER_H
#define SERVER_CORE_CENTRE_INNER_H
/* centre_inner: a centre from within.  Private to core. */
#include <pthread.h>
#include <stdatomic.h>

#include "server/core/centre.h"
#include "server/core/chains.h"
#include "server/core/serverchain.h"

enum {
	ATTEMPTS_WAITING_MAX = 256, /* kinds of attempt between two commits */
	ATTEMPT_SORT_MAX = 40,
	ATTEMPT_SUBJECT_MAX = 64,
	ATTEMPT_DOC_MAX = 512
};

/* Refused attempts that are not written yet. */
struct waiting_attempt {
	char sort[ATTEMPT_SORT_MAX + 1];
	char subject[ATTEMPT_SUBJECT_MAX + 1];
	char doc[ATTEMPT_DOC_MAX + 1];
	uint64_t first, last, count;
	uint64_t put; /* of count: in a transaction not yet committed */
};

struct centre_observing {
	centre_observer fn;
	void *arg;
};

/* A log that ended by a restore (docs/PROTOCOL.md, section 9). */
struct ended_log {
	struct note_key key;
	uint64_t kept; /* its leaves that stand here */
};
enum { ENDED_LOGS_MAX = 64 };

/* What a restore opens the court with, before the store says so. */
struct centre_next {
	struct bytes descriptor; /* the file of version n + 1 */
	const uint8_t *log_seed, *server_seed;
	uint8_t chain[CHAIN_LEN];
	/* The server's chain before. */
	uint8_t old_chain[CHAIN_LEN];
	uint64_t old_seq;
	uint8_t old_link[HASH_LEN];
};

struct centre {
	/* Set once, on opening. */
	const struct port *port;
	char *dir; /* owned */
	char court[DESCRIPTOR_COURT_MAX + 1];
	uint8_t court_id[HASH_LEN];
	struct note_key log_key;
	uint8_t *log_secret; /* owned, guarded: 64 bytes */
	struct ca *ca;       /* owned */
	struct store *store; /* owned; the committer's, but for readers */
	struct chains *chains;
	struct tlog *tlog;
	struct serverchain *sc; /* the committer's */
	struct committer *committer;
	int public_minute, public_offset_min;
	struct centre_observing observer[CENTRE_OBSERVERS_MAX];
	size_t observer_count;
	centre_standing standing;
	void *standing_arg;

	/* For rare look-ups on any thread. */
	pthread_mutex_t look_lock;
	struct store_reader *look; /* owned */

	const struct centre_next *next; /* borrowed, while opening; or NULL */

	/* Entries whose bodies go as they come; the committer's alone. */
	uint8_t (*awaited)[ID_LEN]; /* owned */
	size_t awaited_count;
	bool awaited_old; /* to be read anew */

	pthread_mutex_t lock;    /* holds all below */
	struct ended_log *ended; /* owned: oldest first */
	size_t ended_count;
	struct checkpoint head;                  /* signed */
	struct buf note;                         /* its note */
	struct buf descriptor, descriptor_first; /* files */
	uint64_t kept;
	uint64_t public_size;
	bool halted;
	bool superseded; /* another process began a new log: never sign again */
	char errmsg[CENTRE_ERRMSG_LEN];
	struct waiting_attempt *attempt; /* owned */
	size_t attempt_count;
};

/*
 * Read the head row back, take in what others committed, and sign it: nothing
 * else is ever signed.  Tells the observers if the head moved.  The
 * committer's thread, outside a transaction.  ST_CORRUPT …
 */
MUST_CHECK enum status centre_sign_head(struct centre *c);

/*
 * Begin a transaction in which the observers know all that stands before it,
 * other processes' commits too: who was revoked there a moment ago must not be
 * taken for trusted here.  ST_AGAIN: others commit without a pause; else as
 * store_begin and centre_sign_head.
 */
MUST_CHECK enum status centre_begin(struct centre *c, struct store_head *head);

/* Take in what the store has beyond what is known: chains, tree, server chain,
 * small facts.  Inside or outside a transaction; nothing may be staged. */
MUST_CHECK enum status centre_follow(
    struct centre *c, struct store_reader *r, const struct store_head *head);

/* Write what was only counted so far, into the open transaction; and forget it
 * when that has committed. */
MUST_CHECK enum status centre_put_attempts(
    struct centre *c, struct store *s, size_t *count);
void centre_attempts_written(struct centre *c, size_t count);

/* As centre_open, also where the log is still empty. */
MUST_CHECK enum status centre_open_empty(struct centre **out,
    const struct centre_config *cfg, char errmsg[CENTRE_ERRMSG_LEN]);

/* The same, with keys and descriptor that are about to be committed; a halt
 * of the log that ended is no halt of the next. */
MUST_CHECK enum status centre_open_next(struct centre **out,
    const struct centre_config *cfg, const struct centre_next *next,
    char errmsg[CENTRE_ERRMSG_LEN]);

/* Read the logs that ended anew; and the line that adds one (META_RESTORES). */
MUST_CHECK enum status centre_ended_load(
    struct centre *c, struct store_reader *r);
/* Where the present log began on what was left: 0 if it is the first. */
uint64_t centre_ended_kept(struct centre *c);
void ended_log_line(struct buf *out, const struct ended_log *e, uint64_t place);

void centre_set_errmsg(struct centre *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Stop committing for good: a note of ours that this log does not lead to. */
MUST_CHECK enum status centre_halt(
    struct centre *c, const char *dev, struct bytes note);

MUST_CHECK enum status committer_new(struct committer **out, struct centre *c);
void committer_free(struct committer *c);

#endif
