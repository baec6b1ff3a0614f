#ifndef SERVER_ROSTER_ROSTER_IMPL_H
#define SERVER_ROSTER_ROSTER_IMPL_H
/* roster_impl: what the roster's files share; nobody else includes it. */
#include <pthread.h>

#include "db/db.h"
#include "entry/entry.h"
#include "server/core/centre.h"
#include "server/roster/roster.h"

struct roster {
	struct centre *centre;
	pthread_mutex_t lock; /* over all below */
	struct db *db;        /* in memory */
	struct centre_reader *reader;
	struct centre_own *own; /* the server entries followed so far */
	struct entry entry;     /* scratch */
	enum status broken;     /* why it could not follow, else ST_OK */
	uint64_t version;       /* atomic */
	/* Places of descriptors: the court's versions, oldest first. */
	uint64_t *descriptor; /* owned */
	size_t descriptor_count, descriptor_cap;
};

/* Take in one entry of a server chain (roster_apply.c). */
MUST_CHECK enum status roster_apply(
    struct roster *r, const struct centre_entry *e);

/* Commit server entries as one job and wait. */
MUST_CHECK enum status roster_commit(
    struct roster *r, struct server_entry *entries, size_t count);

/* Text of a column into a fixed place; cut where it is too long. */
void roster_text(const struct db_stmt *s, int col, char *out, size_t cap);

/* The text that an entry sets `name` to, borrowed from it; empty if it does not
 * name it, or not with a plain string. */
struct bytes roster_value(const struct entry *e, const char *name);

/* head of a record, the lock held. */
MUST_CHECK enum status roster_head_locked(
    struct roster *r, const char *rec, uint8_t id[ID_LEN]);

#endif
