#ifndef DB_DB_H
#define DB_DB_H
/*
 * db: SQLite behind a small wrapper, for the handheld and the centre.
 *
 * It adds nothing to SQLite but what every caller would have to repeat: the
 * settings that make a commit durable, one set of results, statements that are
 * compiled once, and ranges of bytes instead of pointers and ints.  Schemas
 * belong to the callers.
 *
 *	struct db_stmt *s;
 *
 *	st = db_query(&s, d, "SELECT link FROM spine WHERE row = ?1");
 *	if (st != ST_OK)
 *		return st;
 *	db_bind_u64(s, 1, row);
 *	st = db_next(s);                        ST_ABSENT: no such row
 *	if (st == ST_OK)
 *		st = db_copy(s, 0, link, sizeof(link));
 *	db_done(s);
 *
 * Results, wherever "as SQLite" is said below:
 *   ST_FULL      the disk (or a size limit) is full; nothing was written
 *   ST_IO        the disk failed
 *   ST_CORRUPT   the file is damaged, or is no database
 *   ST_AGAIN     someone else holds the lock, longer than busy_ms
 *   ST_CONFLICT  a constraint (unique, not null, check) refused the row
 *   ST_DENIED    no right to the file, or it is read-only
 *   ST_ABSENT    (open only) there is no such file
 *   ST_LIMIT     a value over SQLite's limits
 *   ST_INVALID   SQL that does not fit the schema found in the file
 *   ST_NOMEM
 *
 * Threads: one connection, one thread at a time; SQLite's own mutexes are off
 * for it.  Several connections to one file may be used by several threads.
 */
#include "base/bytes.h"
#include "base/status.h"

struct db;      /* a connection; private to db.c */
struct db_stmt; /* a compiled statement; owned by its connection */

enum db_sync {
	DB_SYNC_FULL, /* WAL synced at every commit: what was committed stays */
	DB_SYNC_NORMAL, /* a power cut may take the last commits, whole ones */
	DB_SYNC_OFF     /* only for what can be rebuilt */
};

enum {
	DB_STMTS_MAX = 96, /* compiled statements kept for one connection */
	DB_ERRMSG_LEN = 256
};

/* Zeroes are good defaults for all but `path` and `create`. */
struct db_config {
	const char *path; /* NULL: a database in memory */
	const char *vfs;  /* SQLite VFS by name; NULL: the system's */
	bool create;      /* make the file if there is none */
	bool readonly;
	/*
	 * Hold the file alone for as long as it is open: opening fails with
	 * ST_AGAIN if someone else has it, and others get ST_AGAIN.  No shared
	 * memory file is then used.  The lock dies with the process.
	 */
	bool exclusive;
	bool secure_delete; /* overwrite what is deleted with zeroes */
	enum db_sync sync;
	unsigned busy_ms;    /* how long to wait for a lock */
	unsigned page_bytes; /* of a new file: 512 … 65536; 0: 4096 */
	unsigned cache_kib;  /* page cache; 0: SQLite's 2,000 */
	uint64_t mmap_bytes; /* read through memory maps up to this size */
	unsigned checkpoint_pages; /* WAL pages before an automatic checkpoint;
				      0: 1,000 */
	bool no_checkpoint;        /* none by itself: the caller calls
				      db_checkpoint */
};

/*
 * Open.  A file is put into WAL mode.  Temporary tables and sorts stay in
 * memory whatever their size, so that nothing opened is spilled to disk.
 * On any result but ST_OK *out is untouched.  Results as SQLite.
 */
MUST_CHECK enum status db_open(struct db **out, const struct db_config *c);

/*
 * Close; an open transaction is rolled back.  Every statement must have been
 * given back by db_done.  NULL does nothing.
 */
void db_close(struct db *d);

/* Words for the last failure on `d`: never NULL, valid until the next one. */
const char *db_errmsg(const struct db *d);

/* Run a script of statements whose rows, if any, are of no interest. */
MUST_CHECK enum status db_exec(struct db *d, const char *sql);

/*
 * Bring the schema up to date: steps[0] makes version 1 from an empty file,
 * steps[n] version n+1 from n, each in a transaction of its own together with
 * its number (user_version).  `app_id` is SQLite's application_id, not 0: set
 * in an empty file, else ST_CONFLICT if the file has another.  ST_NEWER if the
 * file's version is above `count`.
 */
MUST_CHECK enum status db_migrate(
    struct db *d, uint32_t app_id, const char *const *steps, unsigned count);

/* ---- transactions */

/* Take the write lock at once.  One level: within one, it is our mistake. */
MUST_CHECK enum status db_begin(struct db *d);

/* A reading transaction: every read sees the same state until commit. */
MUST_CHECK enum status db_begin_read(struct db *d);

/*
 * Commit.  With DB_SYNC_FULL it is durable on ST_OK.  On any other result it
 * was rolled back (the disk may have failed so late that it comes back after a
 * crash all the same: as after any failed write, read before you repeat).
 */
MUST_CHECK enum status db_commit(struct db *d);

/* Roll back; without a transaction it does nothing. */
void db_rollback(struct db *d);

bool db_in_transaction(const struct db *d);

/* ---- statements */

/*
 * The compiled form of one SQL statement, from the connection's cache, found
 * by its text.  Parameters stand as ?1, ?2 …  It is the caller's until
 * db_done; asking for the same text meanwhile gives another one.
 */
MUST_CHECK enum status db_query(
    struct db_stmt **out, struct db *d, const char *sql);

/*
 * Bind parameter `i`, from 1.  Bytes and text are borrowed until db_done,
 * db_reset or db_run.  A failure is kept and comes out of the next db_next or
 * db_run.  Empty bytes bind an empty blob, not NULL.
 */
void db_bind_i64(struct db_stmt *s, int i, int64_t v);
void db_bind_u64(struct db_stmt *s, int i, uint64_t v); /* ST_LIMIT > 2^63-1 */
void db_bind_bytes(struct db_stmt *s, int i, struct bytes v);
void db_bind_text(struct db_stmt *s, int i, struct bytes v); /* UTF-8 */
void db_bind_null(struct db_stmt *s, int i);

/*
 * Go to the next row.  ST_OK: a row is there; ST_ABSENT: no more.  Results as
 * SQLite; after any but ST_OK the statement starts anew.
 */
MUST_CHECK enum status db_next(struct db_stmt *s);

/* Run to the end, past any rows, and give the statement back (db_done). */
MUST_CHECK enum status db_run(struct db_stmt *s);

/* Start anew, parameters forgotten; the statement stays the caller's. */
void db_reset(struct db_stmt *s);

/* Give the statement back.  NULL does nothing. */
void db_done(struct db_stmt *s);

/* ---- columns of the row that stands, from 0 */

int64_t db_i64(const struct db_stmt *s, int col);  /* 0 if NULL */
uint64_t db_u64(const struct db_stmt *s, int col); /* 0 if NULL or below 0 */
bool db_is_null(const struct db_stmt *s, int col);

/* A blob or text, borrowed until the next db_* on the statement; empty for
 * NULL and numbers. */
struct bytes db_bytes(const struct db_stmt *s, int col);

/* A blob of exactly `len` bytes; ST_CORRUPT if it has another length. */
MUST_CHECK enum status db_copy(
    const struct db_stmt *s, int col, void *out, size_t len);

/* ---- the rest */

/* Rows changed by the last insert, update or delete; its row id. */
int64_t db_changes(const struct db *d);
int64_t db_last_row(const struct db *d);

/* The first column of the first row of `sql`; ST_ABSENT if there is none. */
MUST_CHECK enum status db_scalar(int64_t *out, struct db *d, const char *sql);

/*
 * Move what the WAL holds into the file.  `truncate`: and cut the WAL to
 * nothing, for which no reader may stand in its way (else ST_AGAIN).
 */
MUST_CHECK enum status db_checkpoint(struct db *d, bool truncate);

/* Pages of the whole file, and a page's bytes: for sizes and progress. */
MUST_CHECK enum status db_size(struct db *d, uint64_t *pages, uint64_t *bytes);

/*
 * SQLite's own check of the file.  ST_OK if all is well, ST_CORRUPT with words
 * in db_errmsg.  Slow: reads all.
 */
MUST_CHECK enum status db_check(struct db *d);

/*
 * Called after each step of a backup; any result but ST_OK ends it with that.
 */
typedef enum status db_backup_step(void *arg, uint64_t left, uint64_t total);

/*
 * Copy the whole database, as it stands now, into a new file, durable on
 * ST_OK, while others go on writing.  `d` must not be in a transaction and
 * should be a connection for this alone: it holds one snapshot throughout, and
 * the WAL cannot be reset meanwhile.  ST_CONFLICT if `path` is there already;
 * on any failure the new file is removed.  `step` may be NULL.
 */
MUST_CHECK enum status db_backup(struct db *d, const char *path,
    const char *vfs, db_backup_step *step, void *arg);

/*
 * Make `d`, which stands in memory, the whole of what `from` is now; others may
 * go on writing there.  Neither may be in a transaction.  On failure `d` is of
 * no use any more.
 */
MUST_CHECK enum status db_load(struct db *d, struct db *from);

#endif
