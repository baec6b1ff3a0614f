#ifndef AGENT_LOG_LOG_INNER_H
#define AGENT_LOG_LOG_INNER_H
/* log_inner: what the files of agent/log share; nobody else. */
#include "agent/log/keyring.h"
#include "agent/log/log.h"
#include "db/db.h"

enum { LOG_ERRMSG_LEN = 256 };

/* The open chain and its end, as it stands in the file (or will, when the
 * batch at hand is committed). */
struct log_end {
	bool has;    /* there is a chain */
	bool broken; /* its end cannot be trusted: nothing is appended */
	struct chainfile_chain chain;
	uint64_t seq;
	uint8_t link[HASH_LEN], sig[SIG_LEN];
};

struct log {
	struct chainfile *f; /* owned */
	struct db *db;       /* f's */
	const struct port *port;
	struct keyslot_kdf kdf;
	struct keyring ring;
	char *path; /* owned; NULL where there is no file of the system's */
	bool no_reserve, reserve_spent;

	struct log_end end;
	bool in_batch;
	enum status batch_bad;    /* first failure that spoils the batch */
	struct log_end batch_end; /* `end` as it was before the batch */

	bool mend_due; /* a write met a torn page of some table */

	struct buf row, sealed, name; /* scratch; `row` holds opened bytes */
	char errmsg[LOG_ERRMSG_LEN];
};

/* Keep words for log_errmsg, with what SQLite says; returns `st`. */
enum status log_fail(struct log *l, enum status st, const char *what);

/*
 * A write: begin, then write, then end with the result.  Outside a batch it is
 * a transaction of its own.  In one, a failure that may have left half a write
 * spoils the batch: every later write, and its commit, fail with it.
 */
MUST_CHECK enum status log_write_begin(struct log *l);
MUST_CHECK enum status log_write_end(struct log *l, enum status st);

/* Put new tables in place of those with torn pages: the small ones, or all. */
MUST_CHECK enum status log_mend(struct log *l, bool all);

/* Load the open chain's end; with keys, through damage. */
MUST_CHECK enum status log_end_load(struct log *l);

/* Seal `plain` into l->sealed. */
MUST_CHECK enum status log_seal(struct log *l, const char *table,
    const uint8_t *chain, uint64_t row, struct bytes plain);

/* Open a sealed column of the row that stands, into `out`. */
MUST_CHECK enum status log_unseal(struct log *l, struct db_stmt *s, int col,
    const char *table, const uint8_t *chain, uint64_t row, struct buf *out);

/* The last seq of an own chain with a receipt; 0: none. */
MUST_CHECK enum status log_receipted(
    struct log *l, const struct chainfile_chain *c, uint64_t *out);

/* What finds a row without naming its value: keyed BLAKE2b. */
void log_tag(const struct log *l, uint8_t tag[ID_LEN], const char *what,
    struct bytes value);

/* The second half of a replay: what the centre sent. */
MUST_CHECK enum status log_others_each(
    struct log *l, log_cb *cb, void *arg, struct log_found *found);

/* Take the reserve away, for the last entries of a full disk; true if there
 * was one.  Put it there, if there is room and it is not. */
bool log_reserve_spend(struct log *l);
void log_reserve_put(struct log *l);

#endif
