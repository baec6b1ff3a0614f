#include "server/roster/feed_impl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"

enum {
	FEED_APP_ID = 0x44424633, /* "DBF3" */
	/* Entries in one transaction: few, so that streams hear of each soon;
	 * many while there is much to follow. */
	FEED_BATCH = 2000,
	FEED_BATCH_FAR = 20000,
	FEED_CACHE_KIB = 32768,
	FEED_CHECKPOINT_PAGES = 4096
};

/*
 * record     a record's number, and whether it ever joined a scope
 * entry      (record, place): the entries of each record
 * scope_in   records that stand in a scope now
 * step       (scope, place, record): what a scope's stream says at that place;
 *            record 0: the entry at that place; else an `in`, which brings all
 *            of that record below the place, then the entry itself
 * own        (who, place): server entries that concern somebody; who "" is
 *            everybody, "dev:…", "person:…", "team:…"
 * wants      records that joined no scope yet: each chain that wrote in one,
 *            and the place where it first did
 * again      records that changed at old places, by scope that has them
 * held       ids that the latest word of the log holds, and the place of that
 *            word
 */
static const char *const schema[] = {
	"CREATE TABLE pos(id INTEGER PRIMARY KEY CHECK(id = 1),"
	" size INTEGER NOT NULL, court BLOB NOT NULL, fill INTEGER NOT NULL);"
	"CREATE TABLE record(n INTEGER PRIMARY KEY, rec TEXT NOT NULL UNIQUE,"
	" joined INTEGER NOT NULL);"
	"CREATE TABLE entry(record INTEGER NOT NULL, place INTEGER NOT NULL,"
	" PRIMARY KEY(record, place)) WITHOUT ROWID;"
	"CREATE TABLE scope(n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE);"
	"CREATE TABLE scope_in(scope INTEGER NOT NULL, record INTEGER NOT NULL,"
	" PRIMARY KEY(scope, record)) WITHOUT ROWID;"
	"CREATE INDEX scope_of ON scope_in(record);"
	"CREATE TABLE step(scope INTEGER NOT NULL, place INTEGER NOT NULL,"
	" record INTEGER NOT NULL, PRIMARY KEY(scope, place)) WITHOUT ROWID;"
	"CREATE TABLE own(who TEXT NOT NULL, place INTEGER NOT NULL,"
	" PRIMARY KEY(who, place)) WITHOUT ROWID;"
	"CREATE TABLE wants(chain BLOB NOT NULL, rec TEXT NOT NULL,"
	" place INTEGER NOT NULL, PRIMARY KEY(chain, rec)) WITHOUT ROWID;"
	"CREATE INDEX wants_of ON wants(rec, place);"
	"CREATE TABLE again(record INTEGER NOT NULL, scope INTEGER NOT NULL,"
	" PRIMARY KEY(record, scope)) WITHOUT ROWID;"
	"CREATE TABLE held(id BLOB PRIMARY KEY, record INTEGER NOT NULL,"
	" hold INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX held_at ON held(hold, id);",
};

static enum status
open_db(struct db **out, const char *path, const char *vfs, bool create)
{
	/* A power cut may take the last batches, but must not tear the file:
	 * a projection that is wrong and does not know it would be believed. */
	struct db_config c = { .path = path,
		.vfs = vfs,
		.create = create,
		.sync = DB_SYNC_NORMAL,
		.busy_ms = 10000,
		.cache_kib = FEED_CACHE_KIB,
		.checkpoint_pages = FEED_CHECKPOINT_PAGES };
	enum status st = db_open(out, &c);

	return st == ST_OK ? db_migrate(*out, FEED_APP_ID, schema, 1) : st;
}

/* The store's last fill: what is read from now on has all of them in it. */
static enum status
last_fill(struct feed *f, uint64_t *no)
{
	uint64_t place;
	enum status st = ST_OK;

	*no = 0;
	while (st == ST_OK)
		st =
		    store_next_fill(centre_reader_store(f->reader), no, &place);
	return st == ST_ABSENT ? ST_OK : st;
}

/* Where it stands; ST_CONFLICT: it is of another log. */
static enum status
read_position(struct feed *f)
{
	uint8_t court[HASH_LEN];
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, f->db, "SELECT size, court, fill FROM pos");
	if (st != ST_OK)
		return st;
	st = db_next(s);
	if (st == ST_OK) {
		f->size = db_u64(s, 0);
		f->fill = db_u64(s, 2);
		st = db_copy(s, 1, court, HASH_LEN);
		if (st == ST_OK &&
		    (memcmp(court, centre_log_key(f->centre)->public_key,
			 HASH_LEN) != 0 ||
			f->size > tlog_size(centre_tlog(f->centre))))
			st = ST_CONFLICT;
	}
	db_done(s);
	if (st != ST_ABSENT)
		return st;
	st = last_fill(f, &f->fill);
	if (st == ST_OK)
		st = db_query(&s, f->db,
		    "INSERT INTO pos(id, size, court, fill)"
		    " VALUES(1, 0, ?1, ?2)");
	if (st != ST_OK)
		return st;
	db_bind_u64(s, 2, f->fill);
	db_bind_bytes(
	    s, 1, bytes_of(centre_log_key(f->centre)->public_key, PUBKEY_LEN));
	return db_run(s);
}

static enum status
start(struct feed *f)
{
	enum status st = open_db(&f->db, f->path, f->vfs, true);

	if (st == ST_OK)
		st = read_position(f);
	return st;
}

/* All of another feed's file, if it is one of this version. */
static enum status
load(struct feed *f, const char *path)
{
	struct db_config c = {
		.path = path, .vfs = f->vfs, .readonly = true, .busy_ms = 1000
	};
	struct db *from = NULL;
	enum status st = db_open(&from, &c);

	if (st == ST_OK)
		st = db_migrate(from, FEED_APP_ID, schema, 1);
	if (st == ST_OK)
		st = db_load(f->db, from);
	db_close(from);
	return st;
}

/* In memory, where a file of somebody else stands; or with nothing. */
static enum status
start_copy(struct feed *f, const char *path)
{
	enum status st = open_db(&f->db, NULL, NULL, true);

	if (st == ST_OK)
		st = load(f, path);
	if (st == ST_OK)
		st = read_position(f);
	if (st == ST_OK || st == ST_NOMEM)
		return st;
	db_close(f->db);
	f->db = NULL;
	f->size = f->fill = 0;
	return start(f);
}

/* A projection that cannot be used is made anew: it holds nothing of its own.
 */
static enum status
start_anew(struct feed *f)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	struct buf b;
	enum status st = ST_OK;

	db_close(f->db);
	f->db = NULL;
	f->size = 0;
	for (size_t i = 0; st == ST_OK && i < 3; i++) {
		buf_init(&b, 4096);
		buf_printf(&b, "%s%s", f->path, ends[i]);
		st = buf_cstr(&b) == NULL
			 ? b.err
			 : port_remove_file(
			       centre_port(f->centre), (const char *)b.p);
		buf_free(&b);
	}
	return st == ST_OK ? start(f) : st;
}

enum status
feed_open(struct feed **out, const struct feed_config *c)
{
	struct feed *f = calloc(1, sizeof(*f));
	enum status st = ST_OK;

	if (f == NULL)
		return ST_NOMEM;
	f->centre = c->centre;
	f->roster = c->roster;
	entry_init(&f->entry);
	(void)pthread_mutex_init(&f->said_lock, NULL);
	f->said = calloc(FEED_SAID, sizeof(*f->said));
	f->saying = calloc(FEED_SAID, sizeof(*f->saying));
	if (f->said == NULL || f->saying == NULL)
		st = ST_NOMEM;
	if (st == ST_OK && c->path != NULL) {
		f->path = strdup(c->path);
		st = f->path == NULL ? ST_NOMEM : ST_OK;
	}
	if (st == ST_OK && c->vfs != NULL) {
		f->vfs = strdup(c->vfs);
		st = f->vfs == NULL ? ST_NOMEM : ST_OK;
	}
	if (st == ST_OK)
		st = centre_reader_open(&f->reader, f->centre);
	if (st == ST_OK)
		st = c->path == NULL && c->copy != NULL ? start_copy(f, c->copy)
							: start(f);
	if (f->path != NULL &&
	    (st == ST_CONFLICT || st == ST_CORRUPT || st == ST_NEWER))
		st = start_anew(f);
	if (st != ST_OK) {
		feed_close(f);
		return st;
	}
	f->inside.db = f->db;
	f->said_from = f->said_to = f->size;
	f->whole_at = tlog_size(centre_tlog(f->centre));
	/* A crash may have come between following and joining. */
	f->wanted = true;
	*out = f;
	return ST_OK;
}

void
feed_close(struct feed *f)
{
	if (f == NULL)
		return;
	centre_reader_close(f->reader);
	db_close(f->db);
	entry_free(&f->entry);
	(void)pthread_mutex_destroy(&f->said_lock);
	free(f->said);
	free(f->saying);
	free(f->path);
	free(f->vfs);
	free(f);
}

uint64_t
feed_fill(struct feed *f)
{
	return __atomic_load_n(&f->fill, __ATOMIC_ACQUIRE);
}

uint64_t
feed_size(struct feed *f)
{
	return __atomic_load_n(&f->size, __ATOMIC_ACQUIRE);
}

bool
feed_is_whole(struct feed *f)
{
	return feed_size(f) >= f->whole_at;
}

enum status
feed_reader_open(struct feed_reader **out, struct feed *f)
{
	struct feed_reader *r;
	enum status st;

	if (f->path == NULL)
		return ST_INVALID;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return ST_NOMEM;
	st = open_db(&r->db, f->path, f->vfs, false);
	if (st != ST_OK) {
		free(r);
		return st;
	}
	*out = r;
	return ST_OK;
}

void
feed_reader_close(struct feed_reader *r)
{
	if (r == NULL)
		return;
	db_close(r->db);
	free(r);
}

struct feed_reader *
feed_inside(struct feed *f)
{
	return &f->inside;
}

static enum status
follow_batch(struct feed *f, uint64_t to, uint64_t *done)
{
	struct centre_scan *scan = NULL;
	struct centre_entry e;
	uint64_t at = f->size;
	struct db_stmt *s;
	enum status st;

	st = db_begin(f->db);
	if (st != ST_OK)
		return st;
	feed_say_begin(f);
	st = centre_scan_open(&scan, f->reader, at, to);
	while (st == ST_OK) {
		st = centre_scan_next(scan, &e);
		if (st == ST_OK)
			st = feed_apply(f, &e);
		if (st == ST_OK)
			at = e.place + 1;
	}
	centre_scan_close(scan);
	if (st == ST_ABSENT)
		st = db_query(&s, f->db, "UPDATE pos SET size = ?1");
	if (st == ST_OK) {
		db_bind_u64(s, 1, at);
		st = db_run(s);
	}
	if (st == ST_OK)
		st = db_commit(f->db);
	if (st != ST_OK) {
		db_rollback(f->db);
		feed_forget(f);
		return st;
	}
	*done += at - f->size;
	feed_say_end(f, f->size, at);
	__atomic_store_n(&f->size, at, __ATOMIC_RELEASE);
	return ST_OK;
}

enum status
feed_follow(struct feed *f, uint64_t limit, uint64_t *done)
{
	uint64_t version;
	enum status st;

	*done = 0;
	st = feed_follow_fills(f);
	while (st == ST_OK && (limit == 0 || *done < limit)) {
		uint64_t size = tlog_size(centre_tlog(f->centre));
		uint64_t to = f->size + FEED_BATCH;

		if (f->size >= size)
			break;
		if (size - f->size > FEED_BATCH_FAR)
			to = f->size + FEED_BATCH_FAR;
		if (limit != 0 && to - f->size > limit - *done)
			to = f->size + limit - *done;
		st = follow_batch(f, to < size ? to : size, done);
	}
	/* Not before all is known that stood there when we came: an `in` that
	 * is logged already may stand further on.  Before it is asked: what
	 * changes meanwhile is looked at once more. */
	version = roster_version(f->roster);
	if (st == ST_OK && (f->wanted || f->tried != version) &&
	    feed_is_whole(f) && f->size >= f->joined_at) {
		f->wanted = false;
		st = feed_join(f);
		if (st == ST_OK)
			st = feed_send_again(f);
		if (st == ST_OK)
			f->tried = version;
		else
			f->wanted = true;
	}
	return st;
}
