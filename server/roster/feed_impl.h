#ifndef SERVER_ROSTER_FEED_IMPL_H
#define SERVER_ROSTER_FEED_IMPL_H
/* feed_impl: what the feed's files share; nobody else includes it. */
#include "db/db.h"
#include "entry/entry.h"
#include "server/core/centre.h"
#include "server/roster/feed.h"
#include "server/roster/roster_impl.h"

struct feed_reader {
	struct db *db;
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

	/* The record last looked up: entries of one come together. */
	char last_rec[REC_LEN];
	int64_t last_record;
};

/* Take in one entry of the log (feed_apply.c). */
MUST_CHECK enum status feed_apply(struct feed *f, const struct centre_entry *e);

/* The number of a record; ST_ABSENT (feed_apply.c). */
MUST_CHECK enum status feed_find_record(
    struct feed *f, struct bytes rec, int64_t *out);

/* Places whose bytes came, or went, later: taken in (feed_fills.c) … */
MUST_CHECK enum status feed_follow_fills(struct feed *f);
/* … and what devices had of their records is taken back and sent anew. */
MUST_CHECK enum status feed_send_again(struct feed *f);

#endif
