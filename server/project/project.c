#include "server/project/project.h"

#include <stdlib.h>
#include <string.h>

#include "entry/json.h"
#include "server/project/project_impl.h"

enum {
	PROJECT_APP_ID = 0x44425036,
	PROJECT_BATCH = 10000,
	CACHE_KIB = 32768,
	/* 128 MiB: behind a burst, lists wait for the disk less often. */
	CHECKPOINT_PAGES = 32768
};

static const char *const schema[] = {
	"CREATE TABLE pos(id INTEGER PRIMARY KEY CHECK(id = 1),"
	" size INTEGER NOT NULL, entries INTEGER NOT NULL, log BLOB NOT NULL,"
	" public INTEGER NOT NULL DEFAULT 0);"
	/* Papers: those in the log, and those that the public may ask for. */
	"CREATE TABLE printed(place INTEGER PRIMARY KEY, id BLOB NOT NULL);"
	"CREATE TABLE public_print(id BLOB PRIMARY KEY, place INTEGER NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE TABLE record(n INTEGER PRIMARY KEY, rec TEXT NOT NULL UNIQUE,"
	" kind TEXT NOT NULL, status TEXT NOT NULL, zh TEXT NOT NULL,"
	" en TEXT NOT NULL, opened INTEGER NOT NULL, changed INTEGER NOT NULL,"
	" team TEXT NOT NULL, person TEXT NOT NULL, entries INTEGER NOT NULL,"
	" conflicts INTEGER NOT NULL, findings INTEGER NOT NULL,"
	" grave INTEGER NOT NULL, void INTEGER NOT NULL, next INTEGER);"
	"CREATE INDEX record_next ON record(next) WHERE next IS NOT NULL;"
	"CREATE INDEX record_person ON record(person);"
	"CREATE TABLE finding(record INTEGER NOT NULL, key TEXT NOT NULL,"
	" rule TEXT NOT NULL, severity INTEGER NOT NULL, doc TEXT NOT NULL,"
	" state TEXT NOT NULL, owner TEXT NOT NULL, due INTEGER,"
	" PRIMARY KEY(record, key)) WITHOUT ROWID;"
	/* What records of a case tell each other (project_facts.c). */
	"CREATE TABLE given(n INTEGER PRIMARY KEY, key TEXT NOT NULL,"
	" name TEXT NOT NULL, rec TEXT NOT NULL, doc TEXT NOT NULL);"
	"CREATE INDEX given_key ON given(key, name, rec);"
	"CREATE INDEX given_rec ON given(rec);"
	"CREATE TABLE asking(key TEXT NOT NULL, name TEXT NOT NULL,"
	" n INTEGER NOT NULL);"
	"CREATE INDEX asking_key ON asking(key, name);"
	"CREATE INDEX asking_n ON asking(n);"
	/* LIKE needs to know of a trigram only in which row it stands. */
	"CREATE VIRTUAL TABLE words USING fts5(text, tokenize = 'trigram',"
	" detail = 'none', columnsize = 0);"
	/* Words not in it yet; `indexed`: others of that record are. */
	"CREATE TABLE waiting(n INTEGER PRIMARY KEY, indexed INTEGER NOT NULL,"
	" text TEXT NOT NULL);",
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
		.secure_delete = true, /* bodies may be erased by order */
		.busy_ms = 10000,
		.cache_kib = CACHE_KIB,
		.checkpoint_pages = CHECKPOINT_PAGES };
	enum status st = db_open(out, &c);

	return st == ST_OK ? db_migrate(*out, PROJECT_APP_ID, schema, 1) : st;
}

static enum status
read_position(struct project *p)
{
	const uint8_t *log = centre_log_key(p->cfg.centre)->public_key;
	struct db_stmt *s;
	uint8_t was[PUBKEY_LEN];
	enum status st;

	st = db_query(&s, p->db, "SELECT size, log FROM pos");
	if (st != ST_OK)
		return st;
	st = db_next(s);
	if (st == ST_OK) {
		p->size = db_u64(s, 0);
		st = db_copy(s, 1, was, sizeof(was));
		if (st == ST_OK && (memcmp(was, log, sizeof(was)) != 0 ||
				       p->size > feed_size(p->cfg.feed)))
			st = ST_CONFLICT;
	}
	db_done(s);
	if (st != ST_ABSENT)
		return st;
	st = db_query(&s, p->db,
	    "INSERT INTO pos(id, size, entries, log)"
	    " VALUES(1, 0, 0, ?1)");
	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(log, PUBKEY_LEN));
	return db_run(s);
}

static enum status
start(struct project *p)
{
	enum status st = open_db(&p->db, p->path, p->vfs, true);

	return st == ST_OK ? read_position(p) : st;
}

/* It holds nothing of its own: what cannot be used is made anew. */
static enum status
start_anew(struct project *p)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	struct buf b;
	enum status st = ST_OK;

	db_close(p->db);
	p->db = NULL;
	p->size = 0;
	for (size_t i = 0; st == ST_OK && i < 3; i++) {
		buf_init(&b, 4096);
		buf_printf(&b, "%s%s", p->path, ends[i]);
		st = buf_cstr(&b) == NULL
			 ? b.err
			 : port_remove_file(
			       centre_port(p->cfg.centre), (const char *)b.p);
		buf_free(&b);
	}
	return st == ST_OK ? start(p) : st;
}

enum status
project_open(struct project **out, const struct project_config *c)
{
	struct project *p = calloc(1, sizeof(*p));
	struct fold_config fc;
	enum status st = ST_OK;

	if (p == NULL)
		return ST_NOMEM;
	p->cfg = *c;
	entry_init(&p->entry);
	made_init(&p->made);
	if (c->path != NULL) {
		p->path = strdup(c->path);
		st = p->path == NULL ? ST_NOMEM : ST_OK;
	}
	if (st == ST_OK && c->vfs != NULL) {
		p->vfs = strdup(c->vfs);
		st = p->vfs == NULL ? ST_NOMEM : ST_OK;
	}
	if (st == ST_OK)
		st = centre_reader_open(&p->scan, c->centre);
	if (st == ST_OK)
		st = centre_reader_open(&p->reader, c->centre);
	fc = (struct fold_config){ .kinds = c->kinds,
		.rules = c->rules,
		.reader = p->reader,
		.feed = c->feed_reader,
		.utc_offset_min = c->utc_offset_min };
	if (st == ST_OK)
		st = start(p);
	if (p->path != NULL &&
	    (st == ST_CONFLICT || st == ST_CORRUPT || st == ST_NEWER))
		st = start_anew(p);
	p->inside.db = p->db;
	p->inside.p = p;
	project_fold_facts(&p->inside, &fc);
	if (st == ST_OK)
		st = fold_new(&p->fold, &fc);
	if (st == ST_OK)
		st = project_rejudge(p);
	if (st == ST_OK)
		st = project_pool_new(
		    &p->pool, p, p->path == NULL ? 0 : c->hands);
	if (st != ST_OK) {
		project_close(p);
		return st;
	}
	*out = p;
	return ST_OK;
}

void
project_close(struct project *p)
{
	if (p == NULL)
		return;
	project_pool_free(p->pool);
	fold_free(p->fold);
	centre_reader_close(p->scan);
	centre_reader_close(p->reader);
	entry_free(&p->entry);
	made_free(&p->made);
	db_close(p->db);
	free(p->touched);
	free(p->print);
	free(p->path);
	free(p->vfs);
	free(p);
}

uint64_t
project_size(struct project *p)
{
	return __atomic_load_n(&p->size, __ATOMIC_ACQUIRE);
}

enum status
project_reader_open(struct project_reader **out, struct project *p)
{
	struct project_reader *r;
	enum status st;

	if (p->path == NULL)
		return ST_INVALID;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return ST_NOMEM;
	r->p = p;
	st = open_db(&r->db, p->path, p->vfs, false);
	if (st != ST_OK) {
		free(r);
		return st;
	}
	*out = r;
	return ST_OK;
}

void
project_reader_close(struct project_reader *r)
{
	if (r == NULL)
		return;
	db_close(r->db);
	free(r);
}

struct project_reader *
project_inside(struct project *p)
{
	return &p->inside;
}

void
project_fold_facts(struct project_reader *r, struct fold_config *c)
{
	c->facts = project_facts;
	c->facts_arg = r->db;
}

/* ---- following */

enum { WAITING_MAX = 100000, INDEX_STEP = 5000 };

/* The i-th of those touched.  Others may have folded it before a record in
 * front of it told something of their case: then again, here. */
static enum status
put_one(struct project *p, size_t i, uint64_t now, uint64_t up_to)
{
	const char *rec = p->touched[i].rec;
	const struct made *m;
	bool before;
	enum status st = project_pool_next(p->pool, i, &m, &before);

	if (st == ST_ABSENT)
		return ST_OK;
	if (st == ST_OK && before && project_was_told(p, m)) {
		st = fold_load(p->fold, rec, now);
		if (st == ST_OK)
			st = project_make(&p->made, p->fold, rec, &p->cfg);
		p->made.up_to = up_to;
		m = &p->made;
	}
	if (st == ST_OK)
		st = project_give(p, m);
	if (st == ST_OK)
		st = project_put(p, m);
	if (st == ST_OK)
		project_know(p, m);
	return st;
}

/* Each touched record, folded and put, in their order. */
static enum status
put_touched(struct project *p)
{
	uint64_t now = port_wall_ms(centre_port(p->cfg.centre));
	uint64_t up_to = 0;
	enum status st = fold_hold(p->fold);

	if (st != ST_OK)
		return st;
	st = feed_read_size(p->cfg.feed_reader, &up_to);
	project_each_once(p);
	memset(p->gave, 0, sizeof(p->gave));
	project_pool_begin(p->pool, now, up_to);
	for (size_t i = 0; st == ST_OK && i < p->touched_count; i++)
		st = put_one(p, i, now, up_to);
	project_pool_end(p->pool);
	fold_release(p->fold);
	return st;
}

static enum status
put_team(void *arg, const struct roster_person *who)
{
	struct project *p = arg;
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, p->db,
	    "UPDATE record SET team = ?2 WHERE person = ?1 AND team <> ?2");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(who->id));
	db_bind_text(s, 2, bytes_str(who->team));
	return db_run(s);
}

/* People have come or moved: their records are their new team's in a list, as
 * if the list were made today. */
static enum status
put_teams(struct project *p)
{
	if (!p->moved || p->cfg.roster == NULL)
		return ST_OK;
	return roster_people(p->cfg.roster, put_team, p);
}

static enum status
put_position(struct project *p, uint64_t to, uint64_t entries)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(
	    &s, p->db, "UPDATE pos SET size = ?1, entries = entries + ?2");
	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, to);
	db_bind_u64(s, 2, entries);
	return db_run(s);
}

enum status
project_put_batch(struct project *p, uint64_t to, uint64_t entries)
{
	enum status st = db_begin(p->db);

	if (st != ST_OK)
		return st;
	p->put_waiting = 0;
	st = put_touched(p);
	if (st == ST_OK)
		st = project_put_prints(p);
	if (st == ST_OK && to > p->size)
		st = put_teams(p);
	if (st == ST_OK && to > p->size)
		st = put_position(p, to, entries);
	if (st == ST_OK)
		st = db_commit(p->db);
	if (st != ST_OK) {
		db_rollback(p->db);
		project_know(p, NULL);
		return st;
	}
	__atomic_add_fetch(&p->waiting, p->put_waiting, __ATOMIC_ACQ_REL);
	if (to > p->size) {
		p->moved = false;
		__atomic_store_n(&p->size, to, __ATOMIC_RELEASE);
	}
	return ST_OK;
}

static enum status
follow_batch(struct project *p, uint64_t to)
{
	uint64_t entries = 0;
	enum status st = project_gather(p, to, &entries);

	if (st == ST_OK)
		st = project_put_batch(p, to, entries);
	/* So many that searches would be slow: now, then. */
	if (st == ST_OK && project_waiting(p) > WAITING_MAX)
		st = project_index(p, INDEX_STEP);
	return st;
}

/* First the words of its record that wait take the place of the old ones. */
enum status
project_wipe_words(struct project *p)
{
	enum status st = ST_OK;

	while (st == ST_OK && project_waiting(p) > 0)
		st = project_index(p, INDEX_STEP);
	return st == ST_OK ? project_wipe(p) : st;
}

static enum status
follow_due(struct project *p)
{
	enum status st =
	    project_gather_due(p, port_wall_ms(centre_port(p->cfg.centre)));

	return st == ST_OK && p->touched_count > 0 ? project_put_batch(p, 0, 0)
						   : st;
}

enum status
project_follow(struct project *p, uint64_t limit, uint64_t *done)
{
	uint64_t end = feed_size(p->cfg.feed), before = p->size;
	enum status st = ST_OK;

	if (!p->counted)
		st = project_count_waiting(p);
	p->counted = st == ST_OK;
	while (st == ST_OK && p->size < end &&
	       (limit == 0 || p->size - before < limit)) {
		uint64_t to =
		    p->size + (p->cfg.batch > 0 ? p->cfg.batch : PROJECT_BATCH);

		st = follow_batch(p, to < end ? to : end);
	}
	*done = p->size - before;
	while (st == ST_OK && p->fill < feed_fill(p->cfg.feed))
		st = project_follow_fills(p);
	if (st == ST_OK)
		st = project_publish(p);
	if (st == ST_OK)
		st = follow_due(p);
	while (st == ST_OK && limit == 0 && project_waiting(p) > 0)
		st = project_index(p, INDEX_STEP);
	return st;
}
