/* store_sqlite_small: the small tables beside the log. */
#include <assert.h>

#include "server/store/store_sqlite.h"

enum status
sq_put_meta(struct store *base, const char *name, struct bytes value)
{
	struct sq_store *s = sq_of(base);
	struct db_stmt *q;
	enum status st;

	st = db_query(&q, s->in.db,
	    "INSERT INTO meta(name, value) VALUES(?1, ?2)"
	    " ON CONFLICT(name) DO UPDATE SET value = ?2");
	if (st != ST_OK)
		return sq_failed(s, st);
	db_bind_text(q, 1, bytes_str(name));
	db_bind_bytes(q, 2, value);
	return sq_failed(s, db_run(q));
}

enum status
sq_meta(struct store_reader *base, const char *name, struct buf *out)
{
	struct db_stmt *q;
	enum status st;

	st = db_query(&q, sq_reader_of(base)->db,
	    "SELECT value FROM meta WHERE name = ?1");
	if (st != ST_OK)
		return st;
	db_bind_text(q, 1, bytes_str(name));
	st = db_next(q);
	if (st == ST_OK) {
		buf_bytes(out, db_bytes(q, 0));
		st = out->err;
	}
	db_done(q);
	return st;
}

enum status
sq_next_fill(struct store_reader *base, uint64_t *no, uint64_t *place)
{
	struct db_stmt *q;
	enum status st;

	st = db_query(&q, sq_reader_of(base)->db,
	    "SELECT no, place FROM fills WHERE no > ?1 ORDER BY no LIMIT 1");
	if (st != ST_OK)
		return st;
	db_bind_u64(q, 1, *no);
	st = db_next(q);
	if (st == ST_OK) {
		*no = db_u64(q, 0);
		*place = db_u64(q, 1);
	}
	db_done(q);
	return st;
}

/* ---- alarms */

enum status
sq_put_alarm(struct store *base, const struct store_alarm *a)
{
	struct sq_store *s = sq_of(base);
	struct db_stmt *q;
	enum status st;

	st = db_query(&q, s->in.db,
	    "INSERT INTO alarms(wall, sort, dev, doc)"
	    " VALUES(?1, ?2, ?3, ?4)");
	if (st != ST_OK)
		return sq_failed(s, st);
	db_bind_u64(q, 1, a->wall);
	db_bind_text(q, 2, a->sort);
	db_bind_text(q, 3, a->dev);
	db_bind_text(q, 4, a->doc);
	return sq_failed(s, db_run(q));
}

enum status
sq_alarms(
    struct store_reader *base, uint64_t after, store_alarm_fn fn, void *arg)
{
	struct store_alarm a;
	struct db_stmt *q;
	enum status st;

	st = db_query(&q, sq_reader_of(base)->db,
	    "SELECT no, wall, sort, dev, doc FROM alarms WHERE no > ?1"
	    " ORDER BY no");
	if (st != ST_OK)
		return st;
	db_bind_u64(q, 1, after);
	while ((st = db_next(q)) == ST_OK) {
		a.no = db_u64(q, 0);
		a.wall = db_u64(q, 1);
		a.sort = db_bytes(q, 2);
		a.dev = db_bytes(q, 3);
		a.doc = db_bytes(q, 4);
		st = fn(arg, &a);
		if (st != ST_OK)
			break;
	}
	db_done(q);
	return st == ST_ABSENT ? ST_OK : st;
}

/* ---- attempts */

/* Nobody who is refused may fill the disk by trying. */
static enum status
trim_attempts(struct sq_store *s)
{
	struct db_stmt *q;
	enum status st;

	st = db_query(&q, s->in.db,
	    "DELETE FROM attempts WHERE (sort, subject) IN"
	    " (SELECT sort, subject FROM attempts ORDER BY last, sort, subject"
	    " LIMIT max(0, (SELECT count(*) FROM attempts) - ?1))");
	if (st != ST_OK)
		return st;
	db_bind_u64(q, 1, STORE_ATTEMPTS_MAX);
	return db_run(q);
}

enum status
sq_put_attempt(struct store *base, const struct store_attempt *a)
{
	struct sq_store *s = sq_of(base);
	struct db_stmt *q;
	enum status st;
	bool known;

	st = db_query(&q, s->in.db,
	    "UPDATE attempts SET last = ?3, count = count + ?4, doc = ?5"
	    " WHERE sort = ?1 AND subject = ?2");
	if (st != ST_OK)
		return sq_failed(s, st);
	db_bind_text(q, 1, a->sort);
	db_bind_text(q, 2, a->subject);
	db_bind_u64(q, 3, a->last_wall);
	db_bind_u64(q, 4, a->count);
	db_bind_text(q, 5, a->doc);
	st = db_run(q);
	known = st == ST_OK && db_changes(s->in.db) > 0;
	if (st != ST_OK || known)
		return sq_failed(s, st);
	st = db_query(&q, s->in.db,
	    "INSERT INTO attempts(sort, subject, first, last, count, doc)"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
	if (st != ST_OK)
		return sq_failed(s, st);
	db_bind_text(q, 1, a->sort);
	db_bind_text(q, 2, a->subject);
	db_bind_u64(q, 3, a->first_wall);
	db_bind_u64(q, 4, a->last_wall);
	db_bind_u64(q, 5, a->count);
	db_bind_text(q, 6, a->doc);
	st = db_run(q);
	if (st == ST_OK)
		st = trim_attempts(s);
	return sq_failed(s, st);
}

enum status
sq_attempts(
    struct store_reader *base, size_t limit, store_attempt_fn fn, void *arg)
{
	struct store_attempt a;
	struct db_stmt *q;
	enum status st;

	st = db_query(&q, sq_reader_of(base)->db,
	    "SELECT sort, subject, first, last, count, doc FROM attempts"
	    " ORDER BY last DESC, sort, subject LIMIT ?1");
	if (st != ST_OK)
		return st;
	db_bind_u64(q, 1, limit);
	while ((st = db_next(q)) == ST_OK) {
		a.sort = db_bytes(q, 0);
		a.subject = db_bytes(q, 1);
		a.first_wall = db_u64(q, 2);
		a.last_wall = db_u64(q, 3);
		a.count = db_u64(q, 4);
		a.doc = db_bytes(q, 5);
		st = fn(arg, &a);
		if (st != ST_OK)
			break;
	}
	db_done(q);
	return st == ST_ABSENT ? ST_OK : st;
}

/* ---- docs */

enum status
sq_put_doc(struct store *base, const struct store_doc *d)
{
	struct sq_store *s = sq_of(base);
	struct db_stmt *q;
	enum status st;

	st = db_query(&q, s->in.db,
	    "INSERT INTO docs(sort, key, made, until, doc)"
	    " VALUES(?1, ?2, ?3, ?4, ?5)"
	    " ON CONFLICT(sort, key) DO UPDATE SET made = ?3, until = ?4,"
	    " doc = ?5");
	if (st != ST_OK)
		return sq_failed(s, st);
	db_bind_text(q, 1, d->sort);
	db_bind_bytes(q, 2, d->key);
	db_bind_u64(q, 3, d->made);
	db_bind_u64(q, 4, d->until);
	db_bind_text(q, 5, d->doc);
	return sq_failed(s, db_run(q));
}

enum status
sq_remove_doc(struct store *base, const char *sort, struct bytes key)
{
	struct sq_store *s = sq_of(base);
	struct db_stmt *q;
	enum status st;

	st = db_query(
	    &q, s->in.db, "DELETE FROM docs WHERE sort = ?1 AND key = ?2");
	if (st != ST_OK)
		return sq_failed(s, st);
	db_bind_text(q, 1, bytes_str(sort));
	db_bind_bytes(q, 2, key);
	return sq_failed(s, db_run(q));
}

static enum status
doc_row(struct db_stmt *q, store_doc_fn fn, void *arg)
{
	struct store_doc d;

	d.sort = db_bytes(q, 0);
	d.key = db_bytes(q, 1);
	d.made = db_u64(q, 2);
	d.until = db_u64(q, 3);
	d.doc = db_bytes(q, 4);
	return fn(arg, &d);
}

enum status
sq_doc(struct store_reader *base, const char *sort, struct bytes key,
    store_doc_fn fn, void *arg)
{
	struct db_stmt *q;
	enum status st;

	st = db_query(&q, sq_reader_of(base)->db,
	    "SELECT sort, key, made, until, doc FROM docs"
	    " WHERE sort = ?1 AND key = ?2");
	if (st != ST_OK)
		return st;
	db_bind_text(q, 1, bytes_str(sort));
	db_bind_bytes(q, 2, key);
	st = db_next(q);
	if (st == ST_OK)
		st = doc_row(q, fn, arg);
	db_done(q);
	return st;
}

enum status
sq_docs(struct store_reader *base, const char *sort, store_doc_fn fn, void *arg)
{
	struct db_stmt *q;
	enum status st;

	st = db_query(&q, sq_reader_of(base)->db,
	    "SELECT sort, key, made, until, doc FROM docs WHERE sort = ?1"
	    " ORDER BY key");
	if (st != ST_OK)
		return st;
	db_bind_text(q, 1, bytes_str(sort));
	while ((st = db_next(q)) == ST_OK) {
		st = doc_row(q, fn, arg);
		if (st != ST_OK)
			break;
	}
	db_done(q);
	return st == ST_ABSENT ? ST_OK : st;
}
