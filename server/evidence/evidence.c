/* evidence: the folder, its table, and the threads that work on them. */
#include "server/evidence/evidence.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/enc.h"
#include "server/evidence/evidence_impl.h"

enum {
	APP_ID = 0x44424556, /* "DBEV" */
	BUSY_MS = 20000,
	SWEEP_ROWS = 64,
	/* Ended uploads are remembered for that long. */
	REMEMBER_DAYS = 30
};

static const char *const schema[] = {
	"CREATE TABLE upload(id BLOB PRIMARY KEY, dev TEXT NOT NULL,"
	" digest BLOB NOT NULL, length INTEGER NOT NULL, got INTEGER NOT NULL,"
	" created INTEGER NOT NULL, last INTEGER NOT NULL,"
	" state INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX upload_dev ON upload(dev, digest);"
	"CREATE INDEX upload_digest ON upload(digest);"
	"CREATE INDEX upload_last ON upload(state, last);"
	/* From here on: what the log says. */
	"CREATE TABLE receipt(rec TEXT PRIMARY KEY, place INTEGER NOT NULL,"
	" digest BLOB NOT NULL, dev TEXT NOT NULL, size INTEGER NOT NULL,"
	" mismatched INTEGER NOT NULL, wall INTEGER NOT NULL,"
	" purged INTEGER NOT NULL, head BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX receipt_digest ON receipt(digest);"
	"CREATE TABLE named(place INTEGER PRIMARY KEY, digest BLOB NOT NULL,"
	" rec TEXT NOT NULL);"
	"CREATE INDEX named_digest ON named(digest);"
	"CREATE INDEX named_rec ON named(rec);"
	"CREATE TABLE custody(place INTEGER PRIMARY KEY,"
	" digest BLOB NOT NULL);"
	"CREATE TABLE objection(rec TEXT PRIMARY KEY) WITHOUT ROWID;"
	"CREATE INDEX custody_digest ON custody(digest);"
	"CREATE TABLE viewed(digest BLOB NOT NULL, who TEXT NOT NULL,"
	" at INTEGER NOT NULL, PRIMARY KEY(digest, who)) WITHOUT ROWID;"
	"CREATE TABLE retention(rec TEXT PRIMARY KEY, place INTEGER NOT NULL,"
	" case_no TEXT NOT NULL, until INTEGER, hold INTEGER NOT NULL,"
	" released INTEGER NOT NULL, head BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX retention_case ON retention(case_no);"
	"CREATE TABLE pos(id INTEGER PRIMARY KEY, size INTEGER NOT NULL,"
	" log BLOB NOT NULL);",
	/* What was said of an upload when it was created (tus 1.0, HEAD). */
	"CREATE TABLE meta(id BLOB PRIMARY KEY, text TEXT NOT NULL)"
	" WITHOUT ROWID;",
	/* What handhelds say they have lost before it came. */
	"CREATE TABLE lost(place INTEGER PRIMARY KEY, digest BLOB NOT NULL);"
	"CREATE INDEX lost_digest ON lost(digest);",
};

void
evidence_limits_default(struct evidence_limits *out)
{
	*out = (struct evidence_limits){ .max_bytes = (uint64_t)64 << 30,
		.free_min = (uint64_t)2 << 30,
		.quota = (uint64_t)128 << 30,
		.deliver_quota = (uint64_t)8 << 30,
		.expire_ms = (uint64_t)7 * 86400 * 1000 };
}

void
ev_count(uint64_t *counter, int64_t n)
{
	(void)__atomic_add_fetch(counter, (uint64_t)n, __ATOMIC_RELAXED);
}

/* ---- threads */

void
ev_submit(struct evidence *ev, struct ev_job *job)
{
	job->next = NULL;
	(void)pthread_mutex_lock(&ev->pool_lock);
	if (ev->last == NULL)
		ev->first = job;
	else
		ev->last->next = job;
	ev->last = job;
	(void)pthread_cond_signal(&ev->pool_wake);
	(void)pthread_mutex_unlock(&ev->pool_lock);
}

static void *
pool_thread(void *arg)
{
	struct evidence *ev = arg;

	(void)pthread_setname_np(pthread_self(), "files");
	(void)pthread_mutex_lock(&ev->pool_lock);
	for (;;) {
		struct ev_job *job;

		while (ev->first == NULL && !ev->stopping)
			(void)pthread_cond_wait(&ev->pool_wake, &ev->pool_lock);
		/* What was begun is worked off before the end. */
		job = ev->first;
		if (job == NULL)
			break;
		ev->first = job->next;
		if (ev->first == NULL)
			ev->last = NULL;
		(void)pthread_mutex_unlock(&ev->pool_lock);
		job->fn(job);
		(void)pthread_mutex_lock(&ev->pool_lock);
	}
	(void)pthread_mutex_unlock(&ev->pool_lock);
	return NULL;
}

static enum status
start_threads(struct evidence *ev)
{
	while (ev->thread_count < ev->cfg.threads &&
	       ev->thread_count < EV_THREADS_MAX) {
		if (pthread_create(&ev->thread[ev->thread_count], NULL,
			pool_thread, ev) != 0)
			return ST_NOMEM;
		ev->thread_count++;
	}
	return ST_OK;
}

/* ---- opening */

/* Of another log: what it said is forgotten, uploads go on. */
static enum status
read_position(struct evidence *ev)
{
	const uint8_t *log = centre_log_key(ev->cfg.centre)->public_key;
	uint8_t was[PUBKEY_LEN];
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, ev->db, "SELECT size, log FROM pos WHERE id = 1");
	if (st != ST_OK)
		return st;
	st = db_next(s);
	if (st == ST_OK) {
		ev->size = db_u64(s, 0);
		st = db_copy(s, 1, was, sizeof(was));
	}
	db_done(s);
	if (st == ST_OK && memcmp(was, log, sizeof(was)) == 0)
		return ST_OK;
	if (st != ST_OK && st != ST_ABSENT && st != ST_CORRUPT)
		return st;
	ev->size = 0;
	st = db_exec(ev->db,
	    "DELETE FROM receipt; DELETE FROM named; DELETE FROM custody;"
	    "DELETE FROM viewed; DELETE FROM retention; DELETE FROM objection; "
	    "DELETE FROM lost; "
	    "DELETE FROM pos");
	if (st == ST_OK)
		st = db_query(&s, ev->db,
		    "INSERT INTO pos(id, size, log) VALUES(1, 0, ?1)");
	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(log, PUBKEY_LEN));
	return db_run(s);
}

static enum status
open_db(struct evidence *ev)
{
	char path[EV_PATH_MAX];
	struct db_config c = { .path = path,
		.vfs = ev->cfg.vfs,
		.create = true,
		.sync = DB_SYNC_FULL,
		.busy_ms = BUSY_MS };
	enum status st;

	(void)snprintf(path, sizeof(path), "%s/evidence.db", ev->cfg.dir);
	if (ev->cfg.memory)
		c.path = NULL;
	st = db_open(&ev->db, &c);
	if (st == ST_OK)
		st = db_migrate(
		    ev->db, APP_ID, schema, sizeof(schema) / sizeof(schema[0]));
	return st == ST_OK ? read_position(ev) : st;
}

/* Parts that no row goes on with: a table that was lost, a crash between. */
static enum status
sweep_parts(struct evidence *ev)
{
	char path[EV_PATH_MAX];
	uint8_t id[UPLOAD_ID_LEN];
	struct ev_row row;
	struct dirent *d;
	enum status st = ST_OK;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/part", ev->dir);
	dir = opendir(path);
	if (dir == NULL)
		return ev_errno(errno);
	while (st == ST_OK && (d = readdir(dir)) != NULL) {
		if (hex_decode(id, sizeof(id), bytes_str(d->d_name)) != ST_OK)
			continue;
		st = ev_row_find(ev, id, &row);
		if (st == ST_ABSENT || (st == ST_OK && row.state != ROW_OPEN)) {
			ev_part_path(ev, id, path);
			st = ev_unlink(path);
		}
	}
	(void)closedir(dir);
	return st;
}

static enum status
open_all(struct evidence *ev)
{
	size_t len = strlen(ev->cfg.dir);
	enum status st;

	if (len + 128 > EV_PATH_MAX)
		return ST_LIMIT;
	ev->dir = malloc(len + sizeof("/evidence"));
	if (ev->dir == NULL)
		return ST_NOMEM;
	(void)snprintf(
	    ev->dir, len + sizeof("/evidence"), "%s/evidence", ev->cfg.dir);
	st = ev->cfg.memory ? ST_OK : ev_make_folders(ev);
	if (st == ST_OK)
		st = open_db(ev);
	if (st == ST_OK)
		st = centre_reader_open(&ev->reader, ev->cfg.centre);
	/* Only who takes uploads in knows which parts nobody goes on with. */
	if (st == ST_OK && ev->cfg.threads > 0)
		st = sweep_parts(ev);
	return st == ST_OK ? start_threads(ev) : st;
}

enum status
evidence_open(struct evidence **out, const struct evidence_config *cfg,
    char errmsg[EVIDENCE_ERRMSG_LEN])
{
	struct evidence *ev = calloc(1, sizeof(*ev));
	struct checkpoint tip = { .size = 0 };
	enum status st;

	errmsg[0] = '\0';
	if (ev == NULL)
		return ST_NOMEM;
	ev->cfg = *cfg;
	entry_init(&ev->entry);
	(void)pthread_mutex_init(&ev->lock, NULL);
	(void)pthread_mutex_init(&ev->ups_lock, NULL);
	(void)pthread_mutex_init(&ev->pool_lock, NULL);
	(void)pthread_cond_init(&ev->pool_wake, NULL);
	st = centre_checkpoint(cfg->centre, NULL, &tip);
	ev->whole_at = tip.size;
	if (st == ST_OK)
		st = open_all(ev);
	if (st != ST_OK) {
		(void)snprintf(errmsg, EVIDENCE_ERRMSG_LEN,
		    "the evidence folder cannot be used: %s%s%s",
		    status_text(st), ev->db == NULL ? "" : ": ",
		    ev->db == NULL ? "" : db_errmsg(ev->db));
		evidence_close(ev);
		return st;
	}
	*out = ev;
	return ST_OK;
}

void
evidence_close(struct evidence *ev)
{
	if (ev == NULL)
		return;
	(void)pthread_mutex_lock(&ev->pool_lock);
	ev->stopping = true;
	(void)pthread_cond_broadcast(&ev->pool_wake);
	(void)pthread_mutex_unlock(&ev->pool_lock);
	for (unsigned i = 0; i < ev->thread_count; i++)
		(void)pthread_join(ev->thread[i], NULL);
	ups_free(ev);
	centre_reader_close(ev->reader);
	db_close(ev->db);
	entry_free(&ev->entry);
	free(ev->dir);
	(void)pthread_mutex_destroy(&ev->lock);
	(void)pthread_mutex_destroy(&ev->ups_lock);
	(void)pthread_mutex_destroy(&ev->pool_lock);
	(void)pthread_cond_destroy(&ev->pool_wake);
	free(ev);
}

/* ---- what has run out */

static enum status
expire(struct evidence *ev, struct ev_row *row, uint64_t before)
{
	char path[EV_PATH_MAX];
	struct ev_up *up = up_get(ev, row->id);
	enum status st;

	if (up == NULL)
		return ST_NOMEM;
	(void)pthread_mutex_lock(&up->lock);
	st = ev_row_find(ev, row->id, row);
	if (st == ST_OK && row->state == ROW_OPEN && row->last < before &&
	    up->current == NULL) {
		up_close(up);
		up->known = false;
		row->state = ROW_EXPIRED;
		row->got = 0;
		row->last = port_wall_ms(ev->cfg.port);
		ev_part_path(ev, row->id, path);
		st = ev_row_put(ev, row);
		if (st == ST_OK)
			st = ev_unlink(path);
	}
	(void)pthread_mutex_unlock(&up->lock);
	up_put(ev, up);
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
evidence_sweep(struct evidence *ev)
{
	static const enum ev_row_state ended[] = { ROW_DONE, ROW_MISMATCHED,
		ROW_EXPIRED, ROW_ENDED };
	const uint64_t remember = (uint64_t)REMEMBER_DAYS * 86400 * 1000;
	uint64_t now = port_wall_ms(ev->cfg.port);
	uint64_t expire_ms = ev->cfg.limits.expire_ms;
	struct ev_row row[SWEEP_ROWS];
	size_t count = 0;
	enum status st = ST_OK;

	if (now > expire_ms)
		st = ev_row_old(
		    ev, ROW_OPEN, now - expire_ms, row, SWEEP_ROWS, &count);
	for (size_t i = 0; st == ST_OK && i < count; i++)
		st = expire(ev, &row[i], now - expire_ms);
	for (size_t k = 0; st == ST_OK && now > remember && k < 4; k++) {
		st = ev_row_old(
		    ev, ended[k], now - remember, row, SWEEP_ROWS, &count);
		for (size_t i = 0; st == ST_OK && i < count; i++)
			st = ev_row_remove(ev, row[i].id);
	}
	return st;
}

/* ---- what is known */

bool
evidence_is_whole(struct evidence *ev)
{
	return __atomic_load_n(&ev->size, __ATOMIC_RELAXED) >= ev->whole_at;
}

void
evidence_counters(struct evidence *ev, struct evidence_counters *out)
{
	struct checkpoint c = { .size = 0 };

	out->bytes = __atomic_load_n(&ev->bytes, __ATOMIC_RELAXED);
	out->running = __atomic_load_n(&ev->running, __ATOMIC_RELAXED);
	out->stored = __atomic_load_n(&ev->stored, __ATOMIC_RELAXED);
	out->mismatched = __atomic_load_n(&ev->mismatched, __ATOMIC_RELAXED);
	out->repeated = __atomic_load_n(&ev->repeated, __ATOMIC_RELAXED);
	out->refused = __atomic_load_n(&ev->refused, __ATOMIC_RELAXED);
	out->behind = 0;
	if (centre_checkpoint(ev->cfg.centre, NULL, &c) == ST_OK) {
		uint64_t at = __atomic_load_n(&ev->size, __ATOMIC_RELAXED);

		out->behind = c.size > at ? c.size - at : 0;
	}
}

const char *
evidence_state_word(enum evidence_state s)
{
	static const char *const words[] = { "named", "uploading", "stored",
		"mismatched", "purged", "missing", "lost" };

	return words[s];
}

void
evidence_path(
    const struct evidence *ev, const uint8_t digest[HASH_LEN], struct buf *out)
{
	char path[EV_PATH_MAX];

	ev_store_path(ev, digest, path);
	buf_str(out, path);
}

/* Receipts of the log: any good one, any that is not, any purged. */
static enum status
read_receipts(struct evidence *ev, const uint8_t *digest, bool *good, bool *bad,
    bool *purged, uint64_t *size)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, ev->db,
	    "SELECT mismatched, purged, size FROM receipt"
	    " WHERE digest = ?1 ORDER BY place");
	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(digest, HASH_LEN));
	while ((st = db_next(s)) == ST_OK) {
		if (db_i64(s, 0) != 0) {
			*bad = true;
			continue;
		}
		*good = true;
		*purged = db_i64(s, 1) != 0;
		*size = db_u64(s, 2);
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}

static enum status
read_coming(
    struct evidence *ev, const uint8_t *digest, struct evidence_status *out)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, ev->db,
	    "SELECT got, length FROM upload WHERE digest = ?1 AND state = 0"
	    " ORDER BY got DESC LIMIT 1");
	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(digest, HASH_LEN));
	st = db_next(s);
	if (st == ST_OK) {
		out->state = EVIDENCE_UPLOADING;
		out->got = db_u64(s, 0);
		out->size = db_u64(s, 1);
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}

/* Said to be lost, and not attached once more since. */
static enum status
read_lost(
    struct evidence *ev, const uint8_t *digest, struct evidence_status *out)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, ev->db,
	    "SELECT 1 FROM lost WHERE digest = ?1 AND place >"
	    " (SELECT coalesce(max(place), 0) FROM named WHERE digest = ?1)");
	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(digest, HASH_LEN));
	st = db_next(s);
	if (st == ST_OK)
		out->state = EVIDENCE_LOST;
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
evidence_status(struct evidence *ev, const uint8_t digest[HASH_LEN],
    struct evidence_status *out)
{
	bool good = false, bad = false, purged = false;
	uint64_t size = 0;
	enum status st;

	*out = (struct evidence_status){ .state = EVIDENCE_NAMED };
	(void)pthread_mutex_lock(&ev->lock);
	st = read_receipts(ev, digest, &good, &bad, &purged, &out->size);
	if (st == ST_OK && bad)
		out->state = EVIDENCE_MISMATCHED;
	if (st == ST_OK && !good)
		st = read_coming(ev, digest, out);
	if (st == ST_OK && out->state == EVIDENCE_NAMED)
		st = read_lost(ev, digest, out);
	(void)pthread_mutex_unlock(&ev->lock);
	/* The file itself is asked last: what is there may be read, though
	 * its receipt is only being written. */
	if (st == ST_OK && good) {
		out->state = purged ? EVIDENCE_PURGED : EVIDENCE_MISSING;
		if (ev_stored_size(ev, digest, &size) == ST_OK) {
			out->state = EVIDENCE_STORED;
			out->got = size;
		}
	}
	return st;
}
