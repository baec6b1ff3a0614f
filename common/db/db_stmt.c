#include "db/db.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "db/db_inner.h"

struct db_stmt {
	struct db *db;   /* borrowed */
	sqlite3_stmt *s; /* owned */
	const char *key; /* where its text stood last; only compared */
	uint64_t hash;   /* of its text */
	uint64_t used;   /* db->clock at the last use */
	bool busy;       /* given out, not yet given back */
	bool cached;     /* stands in db->stmt; else db_done frees it */
	enum status bad; /* first failure while binding */
};

/* FNV-1a; only chooses which cached text to compare. */
static uint64_t
text_hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *s != '\0'; s++)
		h = (h ^ (uint8_t)*s) * 0x100000001b3u;
	return h;
}

static void
stmt_free(struct db_stmt *s)
{
	assert(!s->busy);
	/* Its result repeats the last step's; that was told then. */
	(void)sqlite3_finalize(s->s);
	free(s);
}

void
db_stmts_free(struct db *d)
{
	for (size_t i = 0; i < d->stmt_count; i++)
		stmt_free(d->stmt[i]);
	d->stmt_count = 0;
}

static enum status
stmt_new(struct db_stmt **out, struct db *d, const char *sql, bool keep)
{
	struct db_stmt *s = calloc(1, sizeof(*s));
	unsigned flags = keep ? SQLITE_PREPARE_PERSISTENT : 0;
	const char *rest = NULL;
	enum status st;

	if (s == NULL)
		return ST_NOMEM;
	st = db_result(
	    d, sqlite3_prepare_v3(d->h, sql, -1, flags, &s->s, &rest));
	if (st != ST_OK) {
		free(s);
		return st;
	}
	/* More than one statement, or none, is a mistake of ours. */
	assert(s->s != NULL && rest != NULL && *rest == '\0');
	s->db = d;
	*out = s;
	return ST_OK;
}

/* A place in the cache: a new one, or that of the statement longest unused.
 * NULL if all are in use. */
static struct db_stmt **
cache_place(struct db *d)
{
	struct db_stmt **oldest = NULL;

	if (d->stmt_count < DB_STMTS_MAX)
		return &d->stmt[d->stmt_count];
	for (size_t i = 0; i < d->stmt_count; i++) {
		struct db_stmt **at = &d->stmt[i];

		if (!(*at)->busy &&
		    (oldest == NULL || (*at)->used < (*oldest)->used))
			oldest = at;
	}
	return oldest;
}

/* A text that stands where one stood before is likely the same: comparing is
 * cheaper than hashing. */
static struct db_stmt *
same_place(struct db *d, const char *sql)
{
	for (size_t i = 0; i < d->stmt_count; i++) {
		struct db_stmt *c = d->stmt[i];

		if (c->key == sql && !c->busy &&
		    strcmp(sqlite3_sql(c->s), sql) == 0)
			return c;
	}
	return NULL;
}

enum status
db_query(struct db_stmt **out, struct db *d, const char *sql)
{
	struct db_stmt *s = same_place(d, sql), **place = NULL;
	uint64_t hash = s == NULL ? text_hash(sql) : s->hash;
	bool twin = false; /* the cached one is in use */
	enum status st;

	for (size_t i = 0; i < d->stmt_count && s == NULL; i++) {
		struct db_stmt *c = d->stmt[i];

		if (c->hash != hash || strcmp(sqlite3_sql(c->s), sql) != 0)
			continue;
		if (c->busy)
			twin = true;
		else
			s = c;
	}
	if (s == NULL) {
		if (!twin)
			place = cache_place(d);
		st = stmt_new(&s, d, sql, place != NULL);
		if (st != ST_OK)
			return st;
		s->hash = hash;
		if (place == NULL) {
			d->loose_count++;
		} else {
			s->cached = true;
			if (place == &d->stmt[d->stmt_count])
				d->stmt_count++;
			else
				stmt_free(*place);
			*place = s;
		}
	}
	s->key = sql;
	s->busy = true;
	s->bad = ST_OK;
	s->used = ++d->clock;
	*out = s;
	return ST_OK;
}

static void
bound(struct db_stmt *s, int rc)
{
	enum status st = db_result(s->db, rc);

	if (st != ST_OK && s->bad == ST_OK)
		s->bad = st;
}

void
db_bind_i64(struct db_stmt *s, int i, int64_t v)
{
	bound(s, sqlite3_bind_int64(s->s, i, v));
}

void
db_bind_u64(struct db_stmt *s, int i, uint64_t v)
{
	bound(s, v > INT64_MAX ? SQLITE_TOOBIG
			       : sqlite3_bind_int64(s->s, i, (int64_t)v));
}

void
db_bind_bytes(struct db_stmt *s, int i, struct bytes v)
{
	/* A NULL pointer would bind NULL. */
	const void *p = v.len == 0 ? (const void *)"" : v.p;

	bound(s, sqlite3_bind_blob64(s->s, i, p, v.len, SQLITE_STATIC));
}

void
db_bind_text(struct db_stmt *s, int i, struct bytes v)
{
	const char *p = v.len == 0 ? "" : (const char *)v.p;

	bound(s,
	    sqlite3_bind_text64(s->s, i, p, v.len, SQLITE_STATIC, SQLITE_UTF8));
}

void
db_bind_null(struct db_stmt *s, int i)
{
	bound(s, sqlite3_bind_null(s->s, i));
}

enum status
db_next(struct db_stmt *s)
{
	enum status st = s->bad;

	assert(s->busy);
	if (st == ST_OK)
		st = db_result(s->db, sqlite3_step(s->s));
	if (st != ST_OK)
		(void)sqlite3_reset(s->s);
	return st;
}

enum status
db_run(struct db_stmt *s)
{
	enum status st;

	do {
		st = db_next(s);
	} while (st == ST_OK);
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}

void
db_reset(struct db_stmt *s)
{
	/* Both repeat or cannot fail: the failure was told by db_next. */
	(void)sqlite3_reset(s->s);
	(void)sqlite3_clear_bindings(s->s);
	s->bad = ST_OK;
}

void
db_done(struct db_stmt *s)
{
	if (s == NULL)
		return;
	assert(s->busy);
	db_reset(s);
	s->busy = false;
	if (!s->cached) {
		s->db->loose_count--;
		stmt_free(s);
	}
}

/* ---- columns */

int64_t
db_i64(const struct db_stmt *s, int col)
{
	return sqlite3_column_int64(s->s, col);
}

uint64_t
db_u64(const struct db_stmt *s, int col)
{
	int64_t v = sqlite3_column_int64(s->s, col);

	return v < 0 ? 0 : (uint64_t)v;
}

bool
db_is_null(const struct db_stmt *s, int col)
{
	return sqlite3_column_type(s->s, col) == SQLITE_NULL;
}

struct bytes
db_bytes(const struct db_stmt *s, int col)
{
	int type = sqlite3_column_type(s->s, col);
	const void *p;

	/* Anything else would be converted, in memory that may be lacking. */
	if (type != SQLITE_BLOB && type != SQLITE_TEXT)
		return bytes_of(NULL, 0);
	p = sqlite3_column_blob(s->s, col);
	return bytes_of(p, (size_t)sqlite3_column_bytes(s->s, col));
}

enum status
db_copy(const struct db_stmt *s, int col, void *out, size_t len)
{
	struct bytes b = db_bytes(s, col);

	if (b.len != len)
		return ST_CORRUPT;
	if (len > 0)
		memcpy(out, b.p, len);
	return ST_OK;
}

enum status
db_scalar(int64_t *out, struct db *d, const char *sql)
{
	struct db_stmt *s;
	enum status st = db_query(&s, d, sql);

	if (st != ST_OK)
		return st;
	st = db_next(s);
	if (st == ST_OK)
		*out = db_i64(s, 0);
	db_done(s);
	return st;
}
