#include "server/store/store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/store_sqlite.h"

enum {
	CACHE_KIB = 65536,
	READER_CACHE_KIB = 8192,
	BUSY_MS = 10000,
	/* A longer WAL writes pages that many commits touch (the index, the
	 * right edges) to the file once for all of them: 32 MiB. */
	CHECKPOINT_PAGES = 8192
};

/* docs/FORMAT.md, "The centre's store", says what each column holds. */
static const char *const schema[] = {
	"CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE TABLE head(id INTEGER PRIMARY KEY CHECK(id = 1),"
	" size INTEGER NOT NULL, root BLOB NOT NULL, frontier BLOB NOT NULL);"
	"CREATE TABLE chains(no INTEGER NOT NULL, branch INTEGER NOT NULL,"
	" id BLOB NOT NULL, key BLOB NOT NULL, parent INTEGER NOT NULL,"
	" base_seq INTEGER NOT NULL, base_link BLOB NOT NULL,"
	" last_seq INTEGER NOT NULL, last_link BLOB NOT NULL,"
	" last_place INTEGER NOT NULL, status INTEGER NOT NULL,"
	" PRIMARY KEY(no, branch), UNIQUE(id, branch)) WITHOUT ROWID;"
	"CREATE TABLE entries(place INTEGER PRIMARY KEY,"
	" chain INTEGER NOT NULL, seq INTEGER NOT NULL,"
	" branch INTEGER NOT NULL, flags INTEGER NOT NULL, prev BLOB,"
	" link BLOB NOT NULL, bytes BLOB NOT NULL);"
	"CREATE UNIQUE INDEX entries_at ON entries(chain, seq, branch);"
	"CREATE TABLE reasons(place INTEGER PRIMARY KEY, why TEXT NOT NULL);"
	"CREATE TABLE fills(no INTEGER PRIMARY KEY, place INTEGER NOT NULL);"
	"CREATE TABLE commits(place INTEGER PRIMARY KEY,"
	" first INTEGER NOT NULL, wall INTEGER NOT NULL,"
	" pieces INTEGER NOT NULL, sig BLOB NOT NULL);"
	"CREATE TABLE pieces(place INTEGER NOT NULL, idx INTEGER NOT NULL,"
	" line BLOB NOT NULL, PRIMARY KEY(place, idx)) WITHOUT ROWID;"
	"CREATE TABLE tiles(id INTEGER PRIMARY KEY, hashes BLOB NOT NULL);"
	"CREATE TABLE alarms(no INTEGER PRIMARY KEY, wall INTEGER NOT NULL,"
	" sort TEXT NOT NULL, dev TEXT NOT NULL, doc TEXT NOT NULL);"
	"CREATE TABLE attempts(sort TEXT NOT NULL, subject TEXT NOT NULL,"
	" first INTEGER NOT NULL, last INTEGER NOT NULL,"
	" count INTEGER NOT NULL, doc TEXT NOT NULL,"
	" PRIMARY KEY(sort, subject)) WITHOUT ROWID;"
	"CREATE TABLE docs(sort TEXT NOT NULL, key BLOB NOT NULL,"
	" made INTEGER NOT NULL, until INTEGER NOT NULL, doc TEXT NOT NULL,"
	" PRIMARY KEY(sort, key)) WITHOUT ROWID;",
};

/* The insert that every entry goes through is compiled and looked up once. */
static const char insert_entry[] =
    "INSERT INTO entries(place, chain, seq, branch, flags, prev, link, bytes)"
    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

enum status
sq_failed(struct sq_store *s, enum status st)
{
	if (st != ST_OK && st != ST_ABSENT)
		(void)snprintf(s->errmsg, sizeof(s->errmsg), "%s: %s",
		    status_text(st), db_errmsg(s->in.db));
	return st;
}

static void
sq_close(struct store *base)
{
	struct sq_store *s = sq_of(base);

	if (s->in.db != NULL) {
		db_done(s->entry);
		db_close(s->in.db);
	}
	buf_free(&s->in.row);
	free(s->path);
	free(s->vfs);
	free(s);
}

static const char *
sq_errmsg(const struct store *base)
{
	const struct sq_store *s = (const struct sq_store *)(const void *)base;

	return s->errmsg;
}

static enum status
sq_begin(struct store *base, struct store_head *head)
{
	struct sq_store *s = sq_of(base);
	enum status st = db_begin(s->in.db);

	if (st == ST_OK) {
		st = sq_head(&s->in.base, head);
		if (st != ST_OK)
			db_rollback(s->in.db);
	}
	return sq_failed(s, st);
}

static enum status
sq_commit(struct store *base)
{
	struct sq_store *s = sq_of(base);

	return sq_failed(s, db_commit(s->in.db));
}

static void
sq_rollback(struct store *base)
{
	struct sq_store *s = sq_of(base);

	db_reset(s->entry);
	db_rollback(s->in.db);
}

static struct store_reader *
sq_inside(struct store *base)
{
	return &sq_of(base)->in.base;
}

static void
sq_reader_close(struct store_reader *base)
{
	struct sq_reader *r = sq_reader_of(base);

	assert(r != &r->store->in);
	db_close(r->db);
	buf_free(&r->row);
	free(r);
}

static enum status
sq_hold(struct store_reader *base)
{
	struct sq_reader *r = sq_reader_of(base);

	return sq_failed(r->store, db_begin_read(r->db));
}

static void
sq_release(struct store_reader *base)
{
	db_rollback(sq_reader_of(base)->db);
}

static enum status sq_reader_open(struct store_reader **out, struct store *s);

static const struct store_ops sq_ops = {
	.close = sq_close,
	.errmsg = sq_errmsg,
	.begin = sq_begin,
	.commit = sq_commit,
	.rollback = sq_rollback,
	.inside = sq_inside,
	.put_entry = sq_put_entry,
	.put_chain = sq_put_chain,
	.put_commit = sq_put_commit,
	.put_piece = sq_put_piece,
	.put_tile = sq_put_tile,
	.put_head = sq_put_head,
	.fill = sq_fill,
	.erase = sq_erase,
	.tidy = sq_tidy,
	.put_meta = sq_put_meta,
	.put_alarm = sq_put_alarm,
	.put_attempt = sq_put_attempt,
	.put_doc = sq_put_doc,
	.remove_doc = sq_remove_doc,
	.reader_open = sq_reader_open,
	.reader_close = sq_reader_close,
	.hold = sq_hold,
	.release = sq_release,
	.head = sq_head,
	.frontier = sq_frontier,
	.entry = sq_entry,
	.entry_alone = sq_entry_alone,
	.entry_head = sq_entry_head,
	.find = sq_find,
	.find_next = sq_find_next,
	.why = sq_why,
	.scan_open = sq_scan_open,
	.scan_next = sq_scan_next,
	.scan_close = sq_scan_close,
	.links = sq_links,
	.chains = sq_chains,
	.commit_of = sq_commit_of,
	.commit_later = sq_commit_later,
	.pieces = sq_pieces,
	.tile = sq_tile,
	.meta = sq_meta,
	.next_fill = sq_next_fill,
	.alarms = sq_alarms,
	.attempts = sq_attempts,
	.doc = sq_doc,
	.docs = sq_docs,
	.check = sq_check,
	.backup = sq_backup,
};

static enum status
sq_reader_open(struct store_reader **out, struct store *base)
{
	struct sq_store *s = sq_of(base);
	struct db_config dc = { .path = s->path,
		.vfs = s->vfs,
		.readonly = true,
		.busy_ms = s->busy_ms,
		.cache_kib = READER_CACHE_KIB };
	struct sq_reader *r = calloc(1, sizeof(*r));
	enum status st;

	if (r == NULL)
		return ST_NOMEM;
	r->base.ops = &sq_ops;
	r->store = s;
	buf_init(&r->row, ENTRY_BYTES_MAX);
	st = db_open(&r->db, &dc);
	if (st != ST_OK) {
		free(r);
		return st;
	}
	*out = &r->base;
	return ST_OK;
}

static char *
copy_text(const char *s)
{
	size_t len = strlen(s) + 1;
	char *p = malloc(len);

	if (p != NULL)
		memcpy(p, s, len);
	return p;
}

/*
 * `create` adopts nothing but an empty file (which an earlier try may have
 * left); else the file must be a store already: one that somebody else made is
 * not turned into one.
 */
static enum status
is_as_wanted(struct db *d, bool create)
{
	int64_t app, version;
	enum status st = db_scalar(&app, d, "PRAGMA application_id");

	if (st == ST_OK)
		st = db_scalar(&version, d, "PRAGMA user_version");
	if (st != ST_OK)
		return st;
	if (create)
		return app == 0 && version == 0 ? ST_OK : ST_CONFLICT;
	return app == (int64_t)SQ_APP_ID ? ST_OK : ST_CONFLICT;
}

enum status
store_sqlite_open(struct store **out, const struct store_config *c)
{
	struct db_config dc = { .path = c->path,
		.vfs = c->vfs,
		.create = c->create,
		.sync = DB_SYNC_FULL,
		.secure_delete = true,
		.busy_ms = c->busy_ms == 0 ? BUSY_MS : c->busy_ms,
		.cache_kib = c->cache_kib == 0 ? CACHE_KIB : c->cache_kib,
		.checkpoint_pages = CHECKPOINT_PAGES };
	struct sq_store *s = calloc(1, sizeof(*s));
	enum status st = ST_OK;

	if (s == NULL)
		return ST_NOMEM;
	s->base.ops = s->in.base.ops = &sq_ops;
	s->in.store = s;
	s->busy_ms = dc.busy_ms;
	buf_init(&s->in.row, ENTRY_BYTES_MAX);
	s->path = copy_text(c->path);
	s->vfs = c->vfs == NULL ? NULL : copy_text(c->vfs);
	if (s->path == NULL || (c->vfs != NULL && s->vfs == NULL))
		st = ST_NOMEM;
	if (st == ST_OK)
		st = db_open(&s->in.db, &dc);
	if (st == ST_OK)
		st = is_as_wanted(s->in.db, c->create);
	if (st == ST_OK)
		st = db_migrate(s->in.db, SQ_APP_ID, schema,
		    sizeof(schema) / sizeof(schema[0]));
	if (st == ST_OK)
		st = db_query(&s->entry, s->in.db, insert_entry);
	if (st != ST_OK) {
		sq_close(&s->base);
		return st;
	}
	*out = &s->base;
	return ST_OK;
}
