/* db_copy: a whole database, page by page, while others write in it. */
#include <assert.h>
#include <sqlite3.h>

#include "db/db_inner.h"

enum { BACKUP_STEP_PAGES = 256 };

/* Copy page by page; the source's snapshot is held by our caller. */
static enum status
backup_pages(struct db *d, struct sqlite3 *to, db_backup_step *step, void *arg)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", d->h, "main");
	enum status st = ST_OK;
	int rc;

	if (b == NULL)
		return db_status_of(sqlite3_extended_errcode(to));
	do {
		rc = sqlite3_backup_step(b, BACKUP_STEP_PAGES);
		if (rc == SQLITE_OK && step != NULL)
			st = step(arg, (uint64_t)sqlite3_backup_remaining(b),
			    (uint64_t)sqlite3_backup_pagecount(b));
	} while (rc == SQLITE_OK && st == ST_OK);
	if (st == ST_OK && rc != SQLITE_DONE)
		st = db_status_of(rc);
	rc = sqlite3_backup_finish(b);
	if (st == ST_OK && rc != SQLITE_OK)
		st = db_status_of(rc);
	return st;
}

enum status
db_backup(struct db *d, const char *path, const char *vfs_name,
    db_backup_step *step, void *arg)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(vfs_name);
	sqlite3 *to = NULL;
	enum status st;
	int there = 0, rc;

	assert(vfs != NULL);
	if (vfs->xAccess(vfs, path, SQLITE_ACCESS_EXISTS, &there) != SQLITE_OK)
		return ST_IO;
	if (there)
		return ST_CONFLICT;
	st = db_begin_read(d);
	if (st != ST_OK)
		return st;
	rc = sqlite3_open_v2(path, &to,
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
	    vfs_name);
	st = db_open_result(to, rc);
	if (st == ST_OK)
		st = backup_pages(d, to, step, arg);
	if (sqlite3_close(to) != SQLITE_OK && st == ST_OK)
		st = ST_IO;
	db_rollback(d);
	if (st != ST_OK && to != NULL)
		(void)vfs->xDelete(vfs, path, 1);
	return st;
}

enum status
db_load(struct db *d, struct db *from)
{
	enum status st = db_begin_read(from);

	if (st != ST_OK)
		return st;
	db_stmts_free(d);
	st = backup_pages(from, d->h, NULL, NULL);
	db_rollback(from);
	return st;
}
