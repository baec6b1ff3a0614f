/* restore_folder: a new folder for a court, filled from a backup. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/ca/ca.h"
#include "server/core/centre_folder.h"
#include "server/core/restore_inner.h"

bool
restore_file_there(const char *dir, const char *name)
{
	char *path = folder_path(dir, name);
	bool there = path != NULL && access(path, F_OK) == 0;

	free(path);
	return there;
}

char *
restore_backup_folder(const struct restore_given *g)
{
	const char *from = g->from == NULL ? g->dir : g->from;
	char *dir = folder_path(from, NULL), *slash;

	if (dir == NULL || restore_file_there(from, FOLDER_STORE))
		return dir;
	slash = strrchr(dir, '/');
	if (slash != NULL) {
		*slash = '\0';
		return dir;
	}
	free(dir);
	return folder_path(".", NULL);
}

/* The path of the backup's store: itself, or within its folder. */
static char *
backup_path(const struct restore_given *g)
{
	if (restore_file_there(g->from, FOLDER_STORE))
		return folder_path(g->from, FOLDER_STORE);
	return folder_path(g->from, NULL);
}

/* What an earlier try left of a store that never counted. */
static enum status
remove_rest(const struct restore_given *g)
{
	static const char *const names[] = { FOLDER_STORE, FOLDER_STORE "-wal",
		FOLDER_STORE "-shm", FOLDER_STORE "-journal" };
	enum status st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < 4; i++) {
		char *path = folder_path(g->dir, names[i]);

		st = path == NULL ? ST_NOMEM : port_remove_file(g->port, path);
		free(path);
	}
	return st;
}

static enum status
mark(const struct restore_given *g, bool unfinished)
{
	char *path = folder_path(g->dir, FOLDER_RESTORING);
	enum status st = ST_NOMEM;

	if (path != NULL && unfinished)
		st = port_write_file(g->port, path,
		    bytes_str("daybreak-server restore did not end here: run "
			      "it again\n"),
		    false);
	else if (path != NULL)
		st = port_remove_file(g->port, path);
	free(path);
	return st;
}

static enum status
copy_store(struct restoring *rs)
{
	const struct restore_given *g = rs->g;
	char *from = backup_path(g), *to = folder_path(g->dir, FOLDER_STORE);
	struct store_config sc = { .path = from, .vfs = g->vfs };
	struct store *s = NULL;
	struct store_reader *r = NULL;
	enum status st = from == NULL || to == NULL ? ST_NOMEM : ST_OK;

	if (st == ST_OK)
		st = store_sqlite_open(&s, &sc);
	if (st == ST_ABSENT || st == ST_CONFLICT)
		st = restore_refuse(rs, st,
		    "there is no store of a court to restore "
		    "from: --from names a backup");
	if (st == ST_OK)
		st = store_reader_open(&r, s);
	if (st == ST_OK)
		st = store_backup(r, to);
	store_reader_close(r);
	store_close(s);
	free(from);
	free(to);
	return st;
}

/* The CA's files come along: without them no certificate would be good. */
static enum status
copy_ca(struct restoring *rs)
{
	const struct restore_given *g = rs->g;
	char *dir = g->keys != NULL ? folder_path(g->keys, NULL)
				    : restore_backup_folder(g);
	struct ca *ca = NULL;
	enum status st;

	if (dir == NULL)
		return ST_NOMEM;
	st = folder_read_ca(g->port, dir, &ca);
	if (st == ST_ABSENT)
		st = restore_refuse(rs, st,
		    "the CA's key is not there: --keys names the folder that "
		    "holds keys/ca.key and keys/ca.crt");
	if (st == ST_OK)
		st = folder_write_ca(g->port, g->dir, ca);
	ca_close(ca);
	free(dir);
	return st;
}

enum status
restore_fill_folder(struct restoring *rs)
{
	const struct restore_given *g = rs->g;
	enum status st;

	if (restore_file_there(g->dir, FOLDER_STORE) &&
	    !restore_file_there(g->dir, FOLDER_RESTORING))
		return restore_refuse(rs, ST_CONFLICT,
		    "a court stands in that folder: restore into a new one");
	folder_make(g->dir);
	st = mark(g, true);
	if (st == ST_OK)
		st = remove_rest(g);
	if (st == ST_OK)
		st = copy_store(rs);
	return st == ST_OK ? copy_ca(rs) : st;
}

enum status
restore_unmark(const struct restore_given *g)
{
	return mark(g, false);
}
