/* log_store: receipts, cursors, settings: small sealed rows. */
#include "agent/log/log.h"

#include <assert.h>
#include <string.h>

#include "agent/log/log_inner.h"

enum { VERSION = 1, CURSOR_LEN = 1 + ID_LEN + 8 + 8 };

/* ---- receipts */

static enum status
receipt_write(struct log *l, uint32_t number, const struct log_receipt *r)
{
	struct db_stmt *s;
	enum status st;
	struct buf b;

	buf_init(&b, LOG_RECEIPT_MAX + 32);
	buf_u8(&b, VERSION);
	buf_u64(&b, r->place);
	buf_u64(&b, r->size);
	buf_bytes(&b, r->bytes);
	st = b.err;
	if (st == ST_OK)
		st = log_seal(l, "receipt", r->chain, r->seq, buf_view(&b));
	buf_wipe(&b);
	if (st == ST_OK)
		st = db_query(&s, l->db,
		    "INSERT OR REPLACE INTO receipt VALUES (?1, ?2, ?3)");
	if (st != ST_OK)
		return st;
	db_bind_i64(s, 1, number);
	db_bind_u64(s, 2, r->seq);
	db_bind_bytes(s, 3, buf_view(&l->sealed));
	return db_run(s);
}

enum status
log_receipt_put(struct log *l, const struct log_receipt *r)
{
	struct chainfile_chain c;
	enum status st;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	if (r->bytes.len > LOG_RECEIPT_MAX)
		return ST_LIMIT;
	st = chainfile_chain_find(l->f, r->chain, &c);
	if (st == ST_OK)
		st = log_write_begin(l);
	if (st == ST_OK)
		st = log_write_end(l, receipt_write(l, c.number, r));
	return st == ST_OK ? st : log_fail(l, st, "keeping a receipt");
}

/* The receipt of a row (seq, sealed); its bytes are borrowed from `plain`. */
static enum status
receipt_read(struct log *l, struct db_stmt *s, const uint8_t chain[CHAIN_LEN],
    struct log_receipt *out, struct buf *plain)
{
	struct log_receipt r = { .seq = db_u64(s, 0) };
	size_t before = plain->len;
	struct reader in;
	enum status st;

	memcpy(r.chain, chain, CHAIN_LEN);
	st = log_unseal(l, s, 1, "receipt", chain, r.seq, plain);
	if (st != ST_OK)
		return st;
	reader_init(&in, bytes_of(plain->p + before, plain->len - before));
	if (reader_u8(&in) != VERSION)
		return in.bad ? ST_CORRUPT : ST_NEWER;
	r.place = reader_u64(&in);
	r.size = reader_u64(&in);
	r.bytes = reader_take(&in, in.left);
	if (in.bad)
		return ST_CORRUPT;
	*out = r;
	return ST_OK;
}

/*
 * Receipts of a chain, the last one first or last.  One that does not open is
 * passed over: what it covered is sent again and answered as before.
 */
static enum status
receipts_of(struct log *l, const struct chainfile_chain *c, bool last_first,
    log_receipt_cb *cb, void *arg)
{
	enum status st, told = ST_OK;
	struct log_receipt r;
	struct db_stmt *s;
	struct buf plain;

	st = db_query(&s, l->db,
	    last_first ? "SELECT seq, sealed FROM receipt WHERE number = ?1 "
			 "ORDER BY seq DESC"
		       : "SELECT seq, sealed FROM receipt WHERE number = ?1 "
			 "ORDER BY seq");
	if (st != ST_OK)
		return st;
	buf_init(&plain, LOG_RECEIPT_MAX + 64);
	db_bind_i64(s, 1, c->number);
	while (told == ST_OK && (st = db_next(s)) == ST_OK) {
		buf_reset(&plain);
		st = receipt_read(l, s, c->chain, &r, &plain);
		if (st == ST_OK)
			told = cb(arg, &r);
		else if (st != ST_CORRUPT && st != ST_NEWER)
			break;
	}
	db_done(s);
	buf_wipe(&plain);
	if (told != ST_OK)
		return told;
	return st == ST_ABSENT ? ST_OK : st;
}

/* The first receipt told is kept, and ends the telling. */
struct first {
	struct log_receipt *out;
	struct buf *buf;
	bool has;
};

static enum status
take_first(void *arg, const struct log_receipt *r)
{
	struct first *f = arg;
	size_t before = f->buf->len;

	buf_bytes(f->buf, r->bytes);
	if (f->buf->err != ST_OK)
		return f->buf->err;
	*f->out = *r;
	f->out->bytes = bytes_of(f->buf->p + before, r->bytes.len);
	f->has = true;
	return ST_ABSENT;
}

enum status
log_receipt_last(struct log *l, const uint8_t chain[CHAIN_LEN],
    struct log_receipt *out, struct buf *buf)
{
	struct first f = { .out = out, .buf = buf };
	struct chainfile_chain c;
	enum status st;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	st = chainfile_chain_find(l->f, chain, &c);
	if (st == ST_OK)
		st = receipts_of(l, &c, true, take_first, &f);
	if (f.has)
		return ST_OK;
	if (st == ST_OK || st == ST_ABSENT)
		return ST_ABSENT;
	return log_fail(l, st, "reading a receipt");
}

static enum status
take_seq(void *arg, const struct log_receipt *r)
{
	*(uint64_t *)arg = r->seq;
	return ST_ABSENT;
}

enum status
log_receipted(struct log *l, const struct chainfile_chain *c, uint64_t *out)
{
	struct db_stmt *s;
	enum status st;

	*out = 0;
	if (log_is_unlocked(l)) {
		st = receipts_of(l, c, true, take_seq, out);
		return st == ST_ABSENT ? ST_OK : st;
	}
	/* Not proved, but good enough to show on a locked screen. */
	st = db_query(
	    &s, l->db, "SELECT max(seq) FROM receipt WHERE number = ?1");
	if (st != ST_OK)
		return st;
	db_bind_i64(s, 1, c->number);
	st = db_next(s);
	if (st == ST_OK)
		*out = db_u64(s, 0);
	db_done(s);
	return st;
}

enum status
log_receipt_each(struct log *l, log_receipt_cb *cb, void *arg)
{
	struct chainfile_chain c;
	uint32_t last = 0;
	enum status st;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	st = chainfile_chain_last(l->f, &last);
	for (uint32_t n = 1; n <= last && st == ST_OK; n++) {
		st = chainfile_chain_get(l->f, n, &c);
		if (st == ST_OK)
			st = receipts_of(l, &c, false, cb, arg);
		else if (st == ST_ABSENT || st == ST_CORRUPT)
			st = ST_OK; /* a chain that has lost its name */
	}
	return st == ST_OK ? st : log_fail(l, st, "reading receipts");
}

/* ---- rows found by a tag: cursors and settings */

static enum status
tagged_put(struct log *l, const char *table, const char *sql, struct bytes name,
    struct bytes plain)
{
	uint8_t tag[ID_LEN];
	struct db_stmt *s;
	enum status st = log_write_begin(l);

	if (st != ST_OK)
		return st;
	log_tag(l, tag, table, name);
	st = log_seal(l, table, tag, 0, plain);
	if (st == ST_OK)
		st = db_query(&s, l->db, sql);
	if (st == ST_OK) {
		db_bind_bytes(s, 1, bytes_of(tag, ID_LEN));
		db_bind_bytes(s, 2, buf_view(&l->sealed));
		st = db_run(s);
	}
	return log_write_end(l, st);
}

static enum status
tagged_drop(
    struct log *l, const char *table, const char *sql, struct bytes name)
{
	uint8_t tag[ID_LEN];
	struct db_stmt *s;
	enum status st = log_write_begin(l);

	if (st != ST_OK)
		return st;
	log_tag(l, tag, table, name);
	st = db_query(&s, l->db, sql);
	if (st == ST_OK) {
		db_bind_bytes(s, 1, bytes_of(tag, ID_LEN));
		st = db_run(s);
	}
	return log_write_end(l, st);
}

enum status
log_cursor_put(struct log *l, const struct log_cursor *c)
{
	uint8_t plain[CURSOR_LEN];
	enum status st;

	plain[0] = VERSION;
	memcpy(plain + 1, c->scope, ID_LEN);
	be64_put(plain + 1 + ID_LEN, c->place);
	be64_put(plain + 9 + ID_LEN, c->sub);
	st = tagged_put(l, "cursor",
	    "INSERT OR REPLACE INTO cursor VALUES (?1, ?2)",
	    bytes_of(c->scope, ID_LEN), bytes_of(plain, sizeof(plain)));
	return st == ST_OK ? st : log_fail(l, st, "keeping a cursor");
}

enum status
log_cursor_drop(struct log *l, const uint8_t scope[ID_LEN])
{
	enum status st = tagged_drop(l, "cursor",
	    "DELETE FROM cursor WHERE tag = ?1", bytes_of(scope, ID_LEN));

	return st == ST_OK ? st : log_fail(l, st, "dropping a cursor");
}

/* One cursor.  One that does not open is passed over: the stream then begins
 * anew, and what was there already is dropped by its id. */
static enum status
cursor_tell(struct log *l, struct db_stmt *s, log_cursor_cb *cb, void *arg)
{
	struct log_cursor c;
	uint8_t tag[ID_LEN];
	enum status st = db_copy(s, 0, tag, ID_LEN);

	buf_reset(&l->row);
	if (st == ST_OK)
		st = log_unseal(l, s, 1, "cursor", tag, 0, &l->row);
	if (st == ST_OK && (l->row.len != CURSOR_LEN || l->row.p[0] != VERSION))
		st = ST_CORRUPT;
	if (st == ST_CORRUPT || st == ST_NEWER)
		return ST_OK;
	if (st != ST_OK)
		return st;
	memcpy(c.scope, l->row.p + 1, ID_LEN);
	c.place = be64_get(l->row.p + 1 + ID_LEN);
	c.sub = be64_get(l->row.p + 9 + ID_LEN);
	return cb(arg, &c);
}

enum status
log_cursor_each(struct log *l, log_cursor_cb *cb, void *arg)
{
	struct db_stmt *s;
	enum status st;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	st = db_query(&s, l->db, "SELECT tag, sealed FROM cursor");
	if (st != ST_OK)
		return log_fail(l, st, "reading cursors");
	while ((st = db_next(s)) == ST_OK) {
		st = cursor_tell(l, s, cb, arg);
		if (st != ST_OK)
			break;
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : log_fail(l, st, "reading cursors");
}

/* ---- settings */

static bool
name_ok(const char *name)
{
	size_t len = strlen(name);

	return len >= 1 && len <= LOG_NAME_MAX;
}

enum status
log_conf_put(struct log *l, const char *name, struct bytes in)
{
	enum status st;

	assert(name_ok(name));
	if (in.len > LOG_CONF_MAX)
		return ST_LIMIT;
	st = tagged_put(l, "conf",
	    "INSERT OR REPLACE INTO conf VALUES (?1, ?2)", bytes_str(name), in);
	return st == ST_OK ? st : log_fail(l, st, name);
}

enum status
log_conf_get(struct log *l, const char *name, struct buf *out)
{
	uint8_t tag[ID_LEN];
	struct db_stmt *s;
	enum status st;

	assert(name_ok(name));
	if (!log_is_unlocked(l))
		return ST_LOCKED;
	log_tag(l, tag, "conf", bytes_str(name));
	st = db_query(&s, l->db, "SELECT sealed FROM conf WHERE tag = ?1");
	if (st != ST_OK)
		return log_fail(l, st, name);
	db_bind_bytes(s, 1, bytes_of(tag, ID_LEN));
	st = db_next(s);
	if (st == ST_OK)
		st = log_unseal(l, s, 0, "conf", tag, 0, out);
	db_done(s);
	return st == ST_OK || st == ST_ABSENT ? st : log_fail(l, st, name);
}

enum status
log_conf_drop(struct log *l, const char *name)
{
	enum status st;

	assert(name_ok(name));
	st = tagged_drop(
	    l, "conf", "DELETE FROM conf WHERE tag = ?1", bytes_str(name));
	return st == ST_OK ? st : log_fail(l, st, name);
}

enum status
log_public_put(struct log *l, const char *name, struct bytes in)
{
	struct db_stmt *s;
	enum status st;

	assert(name_ok(name));
	if (in.len > LOG_CONF_MAX)
		return ST_LIMIT;
	st = log_write_begin(l);
	if (st != ST_OK)
		return st;
	st = db_query(
	    &s, l->db, "INSERT OR REPLACE INTO public VALUES (?1, ?2)");
	if (st == ST_OK) {
		db_bind_text(s, 1, bytes_str(name));
		db_bind_bytes(s, 2, in);
		st = db_run(s);
	}
	st = log_write_end(l, st);
	return st == ST_OK ? st : log_fail(l, st, name);
}

enum status
log_public_get(struct log *l, const char *name, struct buf *out)
{
	struct db_stmt *s;
	enum status st;

	assert(name_ok(name));
	st = db_query(&s, l->db, "SELECT value FROM public WHERE name = ?1");
	if (st != ST_OK)
		return log_fail(l, st, name);
	db_bind_text(s, 1, bytes_str(name));
	st = db_next(s);
	if (st == ST_OK) {
		buf_bytes(out, db_bytes(s, 0));
		st = out->err;
	}
	db_done(s);
	return st;
}
