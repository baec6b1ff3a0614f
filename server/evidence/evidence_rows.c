/* evidence_rows: uploads under way, one row each. */
#include <string.h>

#include "server/evidence/evidence_impl.h"

#define COLUMNS "id, dev, digest, length, got, created, last, state"

static enum status
read_row(const struct db_stmt *s, struct ev_row *out)
{
	struct bytes dev = db_bytes(s, 1);
	enum status st = db_copy(s, 0, out->id, UPLOAD_ID_LEN);

	if (st == ST_OK)
		st = db_copy(s, 2, out->digest, HASH_LEN);
	if (st != ST_OK || dev.len > DEV_LEN)
		return ST_CORRUPT;
	if (dev.len > 0)
		memcpy(out->dev, dev.p, dev.len);
	out->dev[dev.len] = '\0';
	out->length = db_u64(s, 3);
	out->got = db_u64(s, 4);
	out->created = db_u64(s, 5);
	out->last = db_u64(s, 6);
	out->state = (enum ev_row_state)db_i64(s, 7);
	return ST_OK;
}

enum status
ev_row_find(struct evidence *ev, const uint8_t *id, struct ev_row *out)
{
	struct db_stmt *s;
	enum status st;

	(void)pthread_mutex_lock(&ev->lock);
	st = db_query(
	    &s, ev->db, "SELECT " COLUMNS " FROM upload WHERE id = ?1");
	if (st == ST_OK) {
		db_bind_bytes(s, 1, bytes_of(id, UPLOAD_ID_LEN));
		st = db_next(s);
		if (st == ST_OK)
			st = read_row(s, out);
		db_done(s);
	}
	(void)pthread_mutex_unlock(&ev->lock);
	return st;
}

enum status
ev_row_same(struct evidence *ev, const char *dev, const uint8_t *digest,
    uint64_t length, struct ev_row *out)
{
	struct db_stmt *s;
	enum status st;

	(void)pthread_mutex_lock(&ev->lock);
	st = db_query(&s, ev->db,
	    "SELECT " COLUMNS " FROM upload WHERE dev = ?1 AND digest = ?2"
	    " AND length = ?3 AND state <= 1"
	    " ORDER BY state DESC, created DESC LIMIT 1");
	if (st == ST_OK) {
		db_bind_text(s, 1, bytes_str(dev));
		db_bind_bytes(s, 2, bytes_of(digest, HASH_LEN));
		db_bind_u64(s, 3, length);
		st = db_next(s);
		if (st == ST_OK)
			st = read_row(s, out);
		db_done(s);
	}
	(void)pthread_mutex_unlock(&ev->lock);
	return st;
}

enum status
ev_row_put(struct evidence *ev, const struct ev_row *r)
{
	struct db_stmt *s;
	enum status st;

	(void)pthread_mutex_lock(&ev->lock);
	st = db_query(&s, ev->db,
	    "INSERT INTO upload(" COLUMNS ")"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
	    " ON CONFLICT(id) DO UPDATE SET got = excluded.got,"
	    " last = excluded.last, state = excluded.state");
	if (st == ST_OK) {
		db_bind_bytes(s, 1, bytes_of(r->id, UPLOAD_ID_LEN));
		db_bind_text(s, 2, bytes_str(r->dev));
		db_bind_bytes(s, 3, bytes_of(r->digest, HASH_LEN));
		db_bind_u64(s, 4, r->length);
		db_bind_u64(s, 5, r->got);
		db_bind_u64(s, 6, r->created);
		db_bind_u64(s, 7, r->last);
		db_bind_i64(s, 8, r->state);
		st = db_run(s);
	}
	(void)pthread_mutex_unlock(&ev->lock);
	return st;
}

static enum status
run_with_id(struct evidence *ev, const char *sql, const uint8_t *id)
{
	struct db_stmt *s;
	enum status st = db_query(&s, ev->db, sql);

	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(id, UPLOAD_ID_LEN));
	return db_run(s);
}

enum status
ev_row_remove(struct evidence *ev, const uint8_t *id)
{
	enum status st;

	(void)pthread_mutex_lock(&ev->lock);
	/* What was said of it goes first: alone it would never be found. */
	st = run_with_id(ev, "DELETE FROM meta WHERE id = ?1", id);
	if (st == ST_OK)
		st = run_with_id(ev, "DELETE FROM upload WHERE id = ?1", id);
	(void)pthread_mutex_unlock(&ev->lock);
	return st;
}

enum status
ev_meta_put(struct evidence *ev, const uint8_t *id, struct bytes meta)
{
	struct db_stmt *s;
	enum status st;

	(void)pthread_mutex_lock(&ev->lock);
	st = db_query(
	    &s, ev->db, "INSERT OR REPLACE INTO meta(id, text) VALUES(?1, ?2)");
	if (st == ST_OK) {
		db_bind_bytes(s, 1, bytes_of(id, UPLOAD_ID_LEN));
		db_bind_text(s, 2, meta);
		st = db_run(s);
	}
	(void)pthread_mutex_unlock(&ev->lock);
	return st;
}

enum status
ev_meta_get(struct evidence *ev, const uint8_t *id, struct buf *out)
{
	struct db_stmt *s;
	enum status st;

	(void)pthread_mutex_lock(&ev->lock);
	st = db_query(&s, ev->db, "SELECT text FROM meta WHERE id = ?1");
	if (st == ST_OK) {
		db_bind_bytes(s, 1, bytes_of(id, UPLOAD_ID_LEN));
		st = db_next(s);
		if (st == ST_OK)
			buf_bytes(out, db_bytes(s, 0));
		db_done(s);
	}
	(void)pthread_mutex_unlock(&ev->lock);
	return st == ST_OK ? out->err : st;
}

enum status
ev_row_sum(struct evidence *ev, const char *dev, bool whole, uint64_t *bytes,
    uint64_t *count)
{
	struct db_stmt *s;
	enum status st;

	(void)pthread_mutex_lock(&ev->lock);
	st = db_query(&s, ev->db,
	    "SELECT coalesce(sum(got), 0), count(*) FROM upload"
	    " WHERE dev = ?1 AND (state = 0 OR ?2 = 1)");
	if (st == ST_OK) {
		db_bind_text(s, 1, bytes_str(dev));
		db_bind_i64(s, 2, whole);
		st = db_next(s);
		if (st == ST_OK) {
			*bytes = db_u64(s, 0);
			*count = db_u64(s, 1);
		}
		db_done(s);
	}
	(void)pthread_mutex_unlock(&ev->lock);
	return st;
}

enum status
ev_row_old(struct evidence *ev, enum ev_row_state state, uint64_t before,
    struct ev_row *out, size_t max, size_t *count)
{
	struct db_stmt *s;
	enum status st;

	*count = 0;
	(void)pthread_mutex_lock(&ev->lock);
	st = db_query(&s, ev->db,
	    "SELECT " COLUMNS " FROM upload WHERE state = ?1 AND last < ?2"
	    " ORDER BY last LIMIT ?3");
	if (st == ST_OK) {
		db_bind_i64(s, 1, state);
		db_bind_u64(s, 2, before);
		db_bind_u64(s, 3, max);
		while ((st = db_next(s)) == ST_OK && *count < max) {
			st = read_row(s, &out[*count]);
			if (st != ST_OK)
				break;
			(*count)++;
		}
		db_done(s);
	}
	(void)pthread_mutex_unlock(&ev->lock);
	return st == ST_ABSENT ? ST_OK : st;
}
