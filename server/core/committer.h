#ifndef SERVER_CORE_COMMITTER_H
#define SERVER_CORE_COMMITTER_H
/*
 * committer: everything that waits, in one transaction, in one fsync.
 *
 * A job is all or nothing: pieces of a device's request, entries of the
 * server's own chain, small rows beside the log, or any of these together.  A
 * commit takes all jobs that wait, in the order in which they came:
 *
 *	pieces, each in a row of places ·
 *	`hold` entries for what came in held · `hole@1`, `recovered@1` entries ·
 *	entries that were asked for · one `commit@1` entry
 *
 * then chains, tiles, frontier and head row, and commits.  If the disk fails,
 * nothing of it stands and every job is told; if one job alone is at fault,
 * the others go again without it.  What was committed is read back from the
 * head row and signed, and only then is anybody told.
 *
 * Two ways to run: by hand (committer_run, for one process on simulated time,
 * and for the command line), or on a thread of its own (committer_start).
 * Other processes may commit to the same store in between: what they did is
 * taken in first.
 */
#include "entry/entry.h"
#include "server/store/store.h"

struct centre;
struct ingest;
struct committer; /* private */

/* An entry for the server's own chain (docs/PROTOCOL.md, "The log's own
 * records"). */
struct server_entry {
	char rec[REC_LEN + 1]; /* "" : a new record, named on return */
	const char *kind;      /* "device@1" */
	enum verb verb;
	const struct bytes *on;
	size_t on_count;
	struct bytes data; /* a JSON array as long as `on`; no white space */
	struct bytes reason, more; /* as in struct entry_new */
	const char *by;            /* an administrator's id; NULL: daybreak */
	/*
	 * The record's heads, as the asker knows them.  `chained` puts the id
	 * of the latest entry of this record that stands before it in the same
	 * job in their place, if there is one.
	 */
	const uint8_t (*after)[ID_LEN];
	size_t after_count;
	bool chained;

	/* What became of it. */
	uint8_t id[ID_LEN];
	uint64_t place;
};

/*
 * What to commit; the asker's own, with all that hangs on it, until `done` was
 * called.
 */
struct commit_job {
	/* Prepared pieces, and then no entries and no check; or NULL. */
	struct ingest *ingest;
	struct server_entry *entry; /* or NULL */
	size_t entry_count;
	/*
	 * Called in the transaction, with all earlier jobs written, and this
	 * one's entries named (id and place) but not yet put down: a last look
	 * at what must hold.  Any result but ST_OK ends the job with it, and
	 * the others go on.  It may write small rows (docs, alarms, meta)
	 * through `s`, but only if it then gives ST_OK; a failure of such a
	 * write it hands on as it is.  Called again if the transaction has to
	 * be tried again.  May be NULL.
	 */
	enum status (*check)(void *arg, struct store *s);
	/*
	 * Called once, in the order of submission, when it is durable and
	 * signed, or failed.  On the committer's thread, no lock held; it may
	 * submit.  ST_OK; ST_FULL, ST_IO, ST_NOMEM, ST_AGAIN (try later);
	 * ST_LOCKED: the log is stopped and needs `restore`; ST_INVALID: an
	 * entry that cannot be written; what `check` said.
	 */
	void (*done)(void *arg, enum status st);
	void *arg;

	/* Private. */
	bool even_halted;
	struct commit_job *next;
	enum status st;
};

/* Put a job into the queue.  From any thread. */
void committer_submit(struct committer *c, struct commit_job *job);

/*
 * Commit everything that waits, here and now, until nothing waits; `done` of
 * each is called from within.  Only without a thread.  With nothing waiting
 * what other processes committed is taken in.
 */
void committer_run(struct committer *c);

/* Submit one job and wait for it, in either way of running (never from
 * within `done`, `check` or an observer).  `done` is not used. */
MUST_CHECK enum status committer_wait(
    struct committer *c, struct commit_job *job);

/* Start the thread; ST_NOMEM, ST_IO. */
MUST_CHECK enum status committer_start(struct committer *c);

/* Finish what waits, then end the thread.  Jobs submitted later wait for the
 * next committer_run.  Without a thread it does nothing. */
void committer_stop(struct committer *c);

/* Since opening; for /metrics. */
struct committer_counters {
	uint64_t commits, entries, pieces, jobs;
	uint64_t failures; /* transactions that did not stand */
	uint64_t forks, malformed, lost, filled;
	uint64_t waiting;   /* jobs in the queue now */
	uint64_t commit_ms; /* time spent in transactions, all together */
};
void committer_counters(struct committer *c, struct committer_counters *out);

#endif
