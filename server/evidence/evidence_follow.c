/* evidence_follow: what the log says of files, taken in by place. */
#include <string.h>

#include "base/enc.h"
#include "server/evidence/evidence_impl.h"

enum { STEP = 500 }; /* entries in one transaction of ours */

/* The value of a name, as a node of e->body; 0 if it is not named. */
static uint32_t
value_of(const struct entry *e, const char *name)
{
	if (e->body_is != ENTRY_BODY_WHOLE)
		return 0;
	for (size_t i = 0; i < e->on_count; i++)
		if (bytes_eq_str(e->on[i], name))
			return entry_value(e, i);
	return 0;
}

static void
text_of(const struct entry *e, const char *name, struct buf *out)
{
	uint32_t n = value_of(e, name);

	buf_reset(out);
	if (n != 0 && e->body.node[n].type == JSON_STRING)
		json_text(&e->body, n, out);
}

static uint64_t
number_of(const struct entry *e, const char *name)
{
	uint32_t n = value_of(e, name);

	if (n == 0 || e->body.node[n].type != JSON_INT ||
	    e->body.node[n].num < 0)
		return 0;
	return (uint64_t)e->body.node[n].num;
}

static bool
digest_of(const struct entry *e, const char *name, uint8_t out[HASH_LEN])
{
	struct buf b;
	bool good;

	buf_init(&b, 2 * HASH_LEN);
	text_of(e, name, &b);
	good = hex_decode(out, HASH_LEN, buf_view(&b)) == ST_OK;
	buf_free(&b);
	return good;
}

/* ---- what devices name */

static enum status
put_named(struct evidence *ev, const struct centre_entry *ce,
    const uint8_t *digest, struct bytes rec)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, ev->db,
	    "INSERT OR IGNORE INTO named(place, digest, rec)"
	    " VALUES(?1, ?2, ?3)");
	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, ce->place);
	db_bind_bytes(s, 2, bytes_of(digest, HASH_LEN));
	db_bind_text(s, 3, rec);
	return db_run(s);
}

/* Most entries are none of ours: a look at the head spares reading them. */
static bool
head_has(struct bytes raw, const char *word)
{
	const uint8_t *lf = memchr(raw.p, '\n', raw.len);
	size_t len = lf == NULL ? raw.len : (size_t)(lf - raw.p);

	return memmem(raw.p, len, word, strlen(word)) != NULL;
}

/* An objection, open or not: what is tied to it is looked at before a purge. */
static enum status
apply_objection(struct evidence *ev, const struct centre_entry *ce)
{
	struct entry *e = &ev->entry;
	struct db_stmt *s;
	enum status st = entry_parse_head(e, ce->bytes);

	if (st == ST_NOMEM)
		return st;
	if (e->rec.len != REC_LEN || !bytes_starts(e->kind, "objection@"))
		return ST_OK;
	st = db_query(
	    &s, ev->db, "INSERT OR IGNORE INTO objection(rec) VALUES(?1)");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, e->rec);
	return db_run(s);
}

static enum status
apply_attach(struct evidence *ev, const struct centre_entry *ce)
{
	struct entry *e = &ev->entry;
	uint8_t digest[HASH_LEN];
	struct buf b;
	enum status st;

	if (!head_has(ce->bytes, "\"attach\""))
		return ST_OK;
	st = entry_parse(e, ce->bytes);
	if (st == ST_NOMEM)
		return st;
	if (st != ST_OK || e->verb != DO_ATTACH ||
	    e->body_is != ENTRY_BODY_WHOLE || e->on_count != 1)
		return ST_OK;
	buf_init(&b, 2 * HASH_LEN);
	json_text(&e->body, entry_value(e, 0), &b);
	if (hex_decode(digest, HASH_LEN, buf_view(&b)) == ST_OK)
		st = put_named(ev, ce, digest, e->rec);
	buf_free(&b);
	return st;
}

static enum status
put_lost(struct evidence *ev, uint64_t place, const uint8_t *digest)
{
	static const char *const sql[] = {
		"INSERT OR IGNORE INTO lost(place, digest) VALUES(?1, ?2)",
		"INSERT OR IGNORE INTO custody(place, digest) VALUES(?1, ?2)"
	};
	enum status st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < 2; i++) {
		struct db_stmt *s;

		st = db_query(&s, ev->db, sql[i]);
		if (st != ST_OK)
			break;
		db_bind_u64(s, 1, place);
		db_bind_bytes(s, 2, bytes_of(digest, HASH_LEN));
		st = db_run(s);
	}
	return st;
}

/* A note that bytes are gone which never came. */
static enum status
apply_lost(struct evidence *ev, const struct centre_entry *ce)
{
	struct entry *e = &ev->entry;
	uint8_t digest[HASH_LEN];
	uint32_t n;
	enum status st;

	if (!head_has(ce->bytes, "\"note\"") ||
	    memmem(ce->bytes.p, ce->bytes.len, "\"lost\"", 6) == NULL)
		return ST_OK;
	st = entry_parse(e, ce->bytes);
	if (st == ST_NOMEM)
		return st;
	if (st != ST_OK || e->verb != DO_NOTE ||
	    e->body_is != ENTRY_BODY_WHOLE || e->more == 0)
		return ST_OK;
	n = json_get_typed(&e->body, e->more, "lost", JSON_STRING);
	if (n == 0 || json_hex(&e->body, n, digest, HASH_LEN) != ST_OK)
		return ST_OK;
	return put_lost(ev, ce->place, digest);
}

static enum status
apply_device(struct evidence *ev, const struct centre_entry *ce)
{
	enum status st = apply_lost(ev, ce);

	if (st == ST_OK && head_has(ce->bytes, "\"objection@"))
		st = apply_objection(ev, ce);
	return st == ST_OK ? apply_attach(ev, ce) : st;
}

/* ---- what the centre says */

static enum status
put_head(struct evidence *ev, const char *sql, struct bytes rec,
    const struct centre_entry *ce)
{
	struct db_stmt *s;
	enum status st = db_query(&s, ev->db, sql);

	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, rec);
	db_bind_bytes(s, 2, bytes_of(ce->link, ID_LEN));
	return db_run(s);
}

static enum status
put_custody(struct evidence *ev, const struct centre_entry *ce)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, ev->db,
	    "INSERT OR IGNORE INTO custody(place, digest)"
	    " SELECT ?1, digest FROM receipt WHERE rec = ?2");
	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, ce->place);
	db_bind_text(s, 2, ev->entry.rec);
	return db_run(s);
}

static enum status
open_receipt(struct evidence *ev, const struct centre_entry *ce)
{
	const struct entry *e = &ev->entry;
	uint8_t digest[HASH_LEN];
	struct buf dev, result;
	struct db_stmt *s;
	enum status st = ST_OK;

	if (!digest_of(e, "sha256", digest))
		return ST_OK;
	buf_init(&dev, DEV_LEN);
	buf_init(&result, 64);
	text_of(e, "dev", &dev);
	text_of(e, "result", &result);
	st = db_query(&s, ev->db,
	    "INSERT INTO receipt(rec, place, digest, dev, size, mismatched,"
	    " wall, purged, head) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8)"
	    " ON CONFLICT(rec) DO UPDATE SET wall = excluded.wall");
	if (st == ST_OK) {
		db_bind_text(s, 1, e->rec);
		db_bind_u64(s, 2, ce->place);
		db_bind_bytes(s, 3, bytes_of(digest, HASH_LEN));
		db_bind_text(s, 4, buf_view(&dev));
		db_bind_u64(s, 5, number_of(e, "size"));
		db_bind_i64(s, 6, !bytes_eq_str(buf_view(&result), "stored"));
		db_bind_u64(s, 7, e->wall);
		db_bind_bytes(s, 8, bytes_of(ce->link, ID_LEN));
		st = db_run(s);
	}
	buf_free(&dev);
	buf_free(&result);
	return st;
}

static enum status
note_viewed(struct evidence *ev)
{
	struct entry *e = &ev->entry;
	char who[256];
	struct db_stmt *s;
	enum status st;

	if (e->body_is != ENTRY_BODY_WHOLE || e->more == 0 ||
	    !json_member_text(&e->body, e->more, "who", who, sizeof(who)))
		return ST_OK;
	st = db_query(&s, ev->db,
	    "INSERT INTO viewed(digest, who, at)"
	    " SELECT digest, ?2, ?3 FROM receipt WHERE rec = ?1"
	    " ON CONFLICT(digest, who) DO UPDATE"
	    " SET at = max(at, excluded.at)");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, e->rec);
	db_bind_text(s, 2, bytes_str(who));
	db_bind_u64(s, 3, e->wall);
	return db_run(s);
}

static enum status
apply_evidence(struct evidence *ev, const struct centre_entry *ce)
{
	struct entry *e = &ev->entry;
	enum status st = ST_OK;

	if (e->verb == DO_OPEN)
		st = open_receipt(ev, ce);
	else if (e->verb == DO_NOTE)
		st = note_viewed(ev);
	if (st == ST_OK && e->verb != DO_OPEN)
		st = put_head(ev,
		    e->verb == DO_ADVANCE && bytes_eq_str(e->on[0], "purged")
			? "UPDATE receipt SET head = ?2, purged = 1"
			  " WHERE rec = ?1"
			: "UPDATE receipt SET head = ?2 WHERE rec = ?1",
		    e->rec, ce);
	return st == ST_OK ? put_custody(ev, ce) : st;
}

static enum status
open_retention(struct evidence *ev, const struct centre_entry *ce)
{
	const struct entry *e = &ev->entry;
	uint32_t hold = value_of(e, "hold");
	struct buf name;
	struct db_stmt *s;
	enum status st;

	buf_init(&name, PATH_BYTES_MAX);
	text_of(e, "case", &name);
	st = db_query(&s, ev->db,
	    "INSERT OR IGNORE INTO retention(rec, place, case_no, until, hold,"
	    " released, head) VALUES(?1, ?2, ?3, ?4, ?5, 0, ?6)");
	if (st == ST_OK) {
		db_bind_text(s, 1, e->rec);
		db_bind_u64(s, 2, ce->place);
		db_bind_text(s, 3, buf_view(&name));
		if (value_of(e, "until") != 0)
			db_bind_u64(s, 4, number_of(e, "until"));
		else
			db_bind_null(s, 4);
		db_bind_i64(
		    s, 5, hold != 0 && e->body.node[hold].type == JSON_TRUE);
		db_bind_bytes(s, 6, bytes_of(ce->link, ID_LEN));
		st = db_run(s);
	}
	buf_free(&name);
	return st;
}

static enum status
apply_server(struct evidence *ev, const struct centre_entry *ce)
{
	struct entry *e = &ev->entry;
	enum status st = entry_parse(e, ce->bytes);

	if (st == ST_NOMEM)
		return st;
	if (st != ST_OK || e->rec.len != REC_LEN)
		return ST_OK;
	if (bytes_eq_str(e->kind, "evidence@1"))
		return apply_evidence(ev, ce);
	if (!bytes_eq_str(e->kind, "retention@1"))
		return ST_OK;
	if (e->verb == DO_OPEN)
		return open_retention(ev, ce);
	if (e->verb == DO_ADVANCE && bytes_eq_str(e->on[0], "released"))
		return put_head(ev,
		    "UPDATE retention SET head = ?2, released = 1"
		    " WHERE rec = ?1",
		    e->rec, ce);
	return ST_OK;
}

/* ---- following */

static enum status
put_position(struct evidence *ev, uint64_t size)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, ev->db, "UPDATE pos SET size = ?1 WHERE id = 1");
	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, size);
	return db_run(s);
}

/* Another process may have followed meanwhile. */
static enum status
reread_position(struct evidence *ev)
{
	int64_t size = 0;
	enum status st =
	    db_scalar(&size, ev->db, "SELECT size FROM pos WHERE id = 1");

	if (st == ST_OK)
		__atomic_store_n(&ev->size, (uint64_t)size, __ATOMIC_RELAXED);
	return st;
}

/* One transaction's worth; *more: there may be further entries. */
static enum status
step(struct evidence *ev, uint64_t max, uint64_t *done)
{
	struct centre_scan *sc = NULL;
	struct centre_entry ce;
	uint64_t at = 0, n = 0;
	enum status st = db_begin(ev->db);

	if (st != ST_OK)
		return st;
	st = reread_position(ev);
	at = ev->size;
	if (st == ST_OK)
		st = centre_scan_open(&sc, ev->reader, at, at + max);
	while (st == ST_OK && (st = centre_scan_next(sc, &ce)) == ST_OK) {
		if ((ce.flags & STORE_SERVER) != 0)
			st = apply_server(ev, &ce);
		else if ((ce.flags & STORE_LOST) == 0)
			st = apply_device(ev, &ce);
		n++;
	}
	if (sc != NULL)
		centre_scan_close(sc);
	if (st == ST_ABSENT)
		st = n > 0 ? put_position(ev, at + n) : ST_OK;
	if (st == ST_OK)
		st = db_commit(ev->db);
	else
		db_rollback(ev->db);
	if (st == ST_OK) {
		__atomic_store_n(&ev->size, at + n, __ATOMIC_RELAXED);
		*done = n;
	}
	return st;
}

enum status
evidence_follow(struct evidence *ev, uint64_t limit, uint64_t *done)
{
	struct checkpoint c;
	enum status st = ST_OK;

	*done = 0;
	do {
		uint64_t n = 0, max = STEP;

		if (limit != 0 && limit - *done < max)
			max = limit - *done;
		st = centre_checkpoint(ev->cfg.centre, NULL, &c);
		if (st != ST_OK || c.size <= ev->size)
			break;
		(void)pthread_mutex_lock(&ev->lock);
		st = step(ev, max, &n);
		(void)pthread_mutex_unlock(&ev->lock);
		*done += n;
		if (n == 0)
			break;
	} while (st == ST_OK && (limit == 0 || *done < limit));
	return st;
}
