#include "db/db.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "db/db_inner.h"

enum status
db_status_of(int rc)
{
	if (rc == SQLITE_IOERR_NOMEM)
		return ST_NOMEM;
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
		return ST_OK;
	case SQLITE_DONE:
		return ST_ABSENT;
	case SQLITE_FULL:
		return ST_FULL;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ST_CORRUPT;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return ST_AGAIN;
	case SQLITE_NOMEM:
		return ST_NOMEM;
	case SQLITE_CONSTRAINT:
		return ST_CONFLICT;
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_AUTH:
		return ST_DENIED;
	case SQLITE_TOOBIG:
		return ST_LIMIT;
	case SQLITE_ERROR:
	case SQLITE_MISMATCH:
	case SQLITE_SCHEMA:
		return ST_INVALID;
	default:
		/* These two are our mistakes, never the file's. */
		assert((rc & 0xff) != SQLITE_MISUSE);
		assert((rc & 0xff) != SQLITE_RANGE);
		return ST_IO;
	}
}

enum status
db_result(struct db *d, int rc)
{
	enum status st = db_status_of(rc);

	if (st != ST_OK && st != ST_ABSENT)
		(void)snprintf(d->errmsg, sizeof(d->errmsg), "%s (%d)",
		    sqlite3_errmsg(d->h), rc);
	return st;
}

/* Why a file could not be opened: SQLite says only that it could not. */
enum status
db_open_result(sqlite3 *h, int rc)
{
	if ((rc & 0xff) != SQLITE_CANTOPEN || h == NULL)
		return db_status_of(rc);
	switch (sqlite3_system_errno(h)) {
	case ENOENT:
	case ENOTDIR:
		return ST_ABSENT;
	case EACCES:
	case EPERM:
	case EROFS:
		return ST_DENIED;
	case ENOSPC:
	case EDQUOT:
		return ST_FULL;
	default:
		return ST_IO;
	}
}

static enum status
pragma(struct db *d, const char *name, int64_t value)
{
	char sql[64];

	(void)snprintf(
	    sql, sizeof(sql), "PRAGMA %s=%lld", name, (long long)value);
	return db_exec(d, sql);
}

/* Settings that need no file, and no right to write to it. */
static enum status
set_connection(struct db *d, const struct db_config *c)
{
	enum status st;
	int rc;

	rc = sqlite3_extended_result_codes(d->h, 1);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(d->h, (int)c->busy_ms);
	/* No statement of ours may write to the schema's own tables, take a
	 * double-quoted name for a string, or trust what a schema calls. */
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(
		    d->h, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(
		    d->h, SQLITE_DBCONFIG_DQS_DML, 0, (int *)NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(
		    d->h, SQLITE_DBCONFIG_DQS_DDL, 0, (int *)NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(
		    d->h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)NULL);
	st = db_result(d, rc);
	if (st == ST_OK)
		st = pragma(d, "temp_store", 2);
	if (st == ST_OK)
		st = pragma(d, "cell_size_check", 1);
	if (st == ST_OK && c->cache_kib > 0)
		st = pragma(d, "cache_size", -(int64_t)c->cache_kib);
	return st;
}

/* A file whose folder or VFS cannot hold a WAL would silently stay without. */
static enum status
set_wal(struct db *d)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, d, "PRAGMA journal_mode=WAL");
	if (st != ST_OK)
		return st;
	st = db_next(s);
	if (st == ST_OK && !bytes_eq_str(db_bytes(s, 0), "wal"))
		st = ST_IO;
	db_done(s);
	return st == ST_ABSENT ? ST_IO : st;
}

/* Settings of a file, in the order that SQLite wants them in. */
static enum status
set_file(struct db *d, const struct db_config *c)
{
	static const int sync_level[] = { 2, 1, 0 };
	int64_t pages = c->no_checkpoint           ? 0
			: c->checkpoint_pages == 0 ? 1000
						   : c->checkpoint_pages;
	enum status st = ST_OK;

	if (st == ST_OK)
		st = pragma(d, "mmap_size", (int64_t)c->mmap_bytes);
	if (c->readonly || st != ST_OK)
		return st;
	if (c->page_bytes > 0)
		st = pragma(d, "page_size", c->page_bytes);
	/* Before WAL mode is first entered: then no shared memory is used. */
	if (st == ST_OK && c->exclusive)
		st = db_exec(d, "PRAGMA locking_mode=EXCLUSIVE");
	if (st == ST_OK)
		st = set_wal(d);
	if (st == ST_OK)
		st = pragma(d, "synchronous", sync_level[c->sync]);
	if (st == ST_OK)
		st = pragma(d, "secure_delete", c->secure_delete ? 1 : 0);
	if (st == ST_OK)
		st = pragma(d, "wal_autocheckpoint", pages);
	/* Take the lock now, not at the first write. */
	if (st == ST_OK && c->exclusive)
		st = db_exec(d, "BEGIN EXCLUSIVE; COMMIT");
	return st;
}

/* Nobody asks SQLite how much memory it uses, and counting it is one lock for
 * all threads at each allocation.  Too late, where somebody had it begin
 * before: it counts, then. */
static void
configure(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

enum status
db_open(struct db **out, const struct db_config *c)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int flags = SQLITE_OPEN_NOMUTEX;
	enum status st;
	struct db *d;
	int rc;

	assert(out != NULL && c != NULL);
	assert(!(c->readonly && c->create));
	(void)pthread_once(&once, configure);
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return ST_NOMEM;
	flags |= c->readonly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	if (c->create || c->path == NULL)
		flags |= SQLITE_OPEN_CREATE;
	rc = sqlite3_open_v2(
	    c->path == NULL ? ":memory:" : c->path, &d->h, flags, c->vfs);
	st = db_open_result(d->h, rc);
	if (st == ST_OK)
		st = set_connection(d, c);
	if (st == ST_OK && c->path != NULL)
		st = set_file(d, c);
	/* A file is first read here, if nothing read it before. */
	if (st == ST_OK)
		st = db_exec(d, "SELECT count(*) FROM sqlite_schema");
	if (st != ST_OK) {
		db_close(d);
		return st;
	}
	*out = d;
	return ST_OK;
}

void
db_close(struct db *d)
{
	int rc;

	if (d == NULL)
		return;
	assert(d->loose_count == 0);
	db_stmts_free(d);
	rc = sqlite3_close(d->h);
	assert(rc == SQLITE_OK);
	free(d);
}

const char *
db_errmsg(const struct db *d)
{
	return d->errmsg;
}

enum status
db_exec(struct db *d, const char *sql)
{
	return db_result(d, sqlite3_exec(d->h, sql, NULL, NULL, NULL));
}

/* ---- transactions */

enum status
db_begin(struct db *d)
{
	struct db_stmt *s;
	enum status st;

	assert(!db_in_transaction(d));
	st = db_query(&s, d, "BEGIN IMMEDIATE");
	return st == ST_OK ? db_run(s) : st;
}

enum status
db_begin_read(struct db *d)
{
	int64_t count;
	enum status st;

	assert(!db_in_transaction(d));
	st = db_exec(d, "BEGIN");
	if (st == ST_OK) /* the snapshot is taken by the first read */
		st = db_scalar(&count, d, "SELECT count(*) FROM sqlite_schema");
	if (st != ST_OK)
		db_rollback(d);
	return st;
}

enum status
db_commit(struct db *d)
{
	struct db_stmt *s;
	enum status st;

	assert(db_in_transaction(d));
	st = db_query(&s, d, "COMMIT");
	if (st == ST_OK)
		st = db_run(s);
	if (st != ST_OK)
		db_rollback(d);
	return st;
}

void
db_rollback(struct db *d)
{
	/* Some failures have rolled back by themselves already.  A rollback
	 * only drops what is in memory; it cannot fail in a way that matters,
	 * and must not hide the words of what went wrong before. */
	if (db_in_transaction(d))
		(void)sqlite3_exec(d->h, "ROLLBACK", NULL, NULL, NULL);
}

bool
db_in_transaction(const struct db *d)
{
	return sqlite3_get_autocommit(d->h) == 0;
}

static enum status
migrate_step(struct db *d, const char *sql, uint32_t app_id, unsigned to)
{
	enum status st = db_begin(d);

	if (st != ST_OK)
		return st;
	st = db_exec(d, sql);
	if (st == ST_OK)
		st = pragma(d, "application_id", (int32_t)app_id);
	if (st == ST_OK)
		st = pragma(d, "user_version", to);
	if (st != ST_OK) {
		db_rollback(d);
		return st;
	}
	return db_commit(d);
}

enum status
db_migrate(
    struct db *d, uint32_t app_id, const char *const *steps, unsigned count)
{
	int64_t version, app, tables;
	enum status st;

	assert(app_id != 0);
	st = db_scalar(&version, d, "PRAGMA user_version");
	if (st == ST_OK)
		st = db_scalar(&app, d, "PRAGMA application_id");
	if (st == ST_OK)
		st =
		    db_scalar(&tables, d, "SELECT count(*) FROM sqlite_schema");
	if (st != ST_OK)
		return st == ST_ABSENT ? ST_CORRUPT : st;
	if ((version != 0 || app != 0 || tables != 0) &&
	    (int32_t)app != (int32_t)app_id)
		return ST_CONFLICT;
	if (version > (int64_t)count)
		return ST_NEWER;
	if (version < 0)
		return ST_CORRUPT;
	for (unsigned n = (unsigned)version; n < count; n++) {
		st = migrate_step(d, steps[n], app_id, n + 1);
		if (st != ST_OK)
			return st;
	}
	return ST_OK;
}

/* ---- the rest */

int64_t
db_changes(const struct db *d)
{
	return sqlite3_changes64(d->h);
}

int64_t
db_last_row(const struct db *d)
{
	return sqlite3_last_insert_rowid(d->h);
}

enum status
db_checkpoint(struct db *d, bool truncate)
{
	int mode =
	    truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;

	return db_result(
	    d, sqlite3_wal_checkpoint_v2(d->h, NULL, mode, NULL, NULL));
}

enum status
db_size(struct db *d, uint64_t *pages, uint64_t *bytes)
{
	int64_t n, size;
	enum status st;

	st = db_scalar(&n, d, "PRAGMA page_count");
	if (st == ST_OK)
		st = db_scalar(&size, d, "PRAGMA page_size");
	if (st != ST_OK)
		return st;
	*pages = (uint64_t)n;
	*bytes = (uint64_t)n * (uint64_t)size;
	return ST_OK;
}

enum status
db_check(struct db *d)
{
	struct db_stmt *s;
	struct bytes words;
	enum status st;

	st = db_query(&s, d, "PRAGMA integrity_check(1)");
	if (st != ST_OK)
		return st;
	st = db_next(s);
	if (st == ST_OK) {
		words = db_bytes(s, 0);
		if (!bytes_eq_str(words, "ok")) {
			(void)snprintf(d->errmsg, sizeof(d->errmsg), "%.*s",
			    (int)words.len, (const char *)words.p);
			st = ST_CORRUPT;
		}
	}
	db_done(s);
	return st;
}
