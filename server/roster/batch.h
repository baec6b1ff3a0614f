#ifndef SERVER_ROSTER_BATCH_H
#define SERVER_ROSTER_BATCH_H
/*
 * batch: entries of the server's chain, put together name by name and
 * committed as one job.
 *
 * Errors are sticky (`err`), so that a batch is written without a check on
 * each line; batch_commit gives the first.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "entry/chain.h"
#include "entry/entry.h"
#include "server/core/centre.h"

enum { BATCH_NAMES_MAX = 24 };

struct batch_entry {
	struct batch *batch;
	char rec[REC_LEN + 1];
	const char *kind; /* static */
	enum verb verb;
	const char *by;                   /* borrowed */
	struct bytes on[BATCH_NAMES_MAX]; /* offsets into text until commit */
	size_t on_count;
	size_t data_off, data_len;
	struct bytes reason, more;
	bool has_after, chained;
	uint8_t after[1][ID_LEN];
};

struct batch {
	struct batch_entry **entry; /* owned */
	struct server_entry *out;   /* owned; after the commit */
	size_t count, cap;
	struct buf text; /* names */
	enum status err;
};

void batch_init(struct batch *b);
void batch_free(struct batch *b);

/* Never NULL: on a full memory a spare one is given, and err is set.  `rec`
 * "": a new record. */
struct batch_entry *batch_add(struct batch *b, const char *rec,
    const char *kind, enum verb verb, const char *by);

/* Names with values, in order. */
void batch_text(struct batch_entry *x, const char *name, const char *value);
void batch_hex(struct batch_entry *x, const char *name, struct bytes raw);
void batch_bool(struct batch_entry *x, const char *name, bool value);
void batch_int(struct batch_entry *x, const char *name, int64_t value);
void batch_bool(struct batch_entry *x, const char *name, bool value);
/* A name with null: a list's path, a status, a record. */
void batch_name(struct batch_entry *x, const char *name);
void batch_reason(struct batch_entry *x, const char *reason); /* borrowed */
/* A JSON object without white space; borrowed. */
void batch_more(struct batch_entry *x, struct bytes more);

/* The record's head, or the latest entry of the record in this batch. */
void batch_after(struct batch_entry *x, const uint8_t id[ID_LEN]);
void batch_chained(struct batch_entry *x);

/* Commit all, or nothing; waits.  `check` as in struct commit_job. */
MUST_CHECK enum status batch_commit(struct batch *b, struct centre *c,
    enum status (*check)(void *arg, struct store *s), void *arg);

/* Place of the i-th entry, after the commit. */
uint64_t batch_place(const struct batch *b, size_t i);

#endif
