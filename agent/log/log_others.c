/* log_others: entries of other chains, as the centre sent them. */
#include "agent/log/log.h"

#include <string.h>

#include "agent/log/log_inner.h"
#include "entry/chain.h"
#include "entry/entry.h"

enum {
	VERSION = 1,
	FORM_WHOLE = 0,
	FORM_HEAD = 1,
	FORM_DIGEST = 2,
	HEAD_LEN = 2 + 2 + CHAIN_LEN + 8 + 8 + HASH_LEN,
	TORN_MAX = 512 /* how far beyond a torn page it is worth looking */
};

/* ---- a row's bytes */

static uint8_t
form_of(struct bytes raw)
{
	if (raw.len == 0)
		return FORM_DIGEST;
	return memchr(raw.p, '\n', raw.len) != NULL ? FORM_WHOLE : FORM_HEAD;
}

static void
row_write(struct buf *out, const struct log_foreign *f)
{
	buf_u8(out, VERSION);
	buf_u8(out, form_of(f->raw));
	buf_u16(out, (uint16_t)f->flags);
	buf_add(out, f->chain, CHAIN_LEN);
	buf_u64(out, f->seq);
	buf_u64(out, f->place);
	buf_add(out, f->prev, HASH_LEN);
	if (f->raw.len > 0)
		buf_bytes(out, f->raw);
	else
		buf_add(out, f->digest, HASH_LEN);
}

static enum status
row_read(struct log_foreign *out, uint8_t *form, struct bytes in)
{
	struct log_foreign f = { .seq = 0 };
	struct reader r;

	reader_init(&r, in);
	if (reader_u8(&r) != VERSION)
		return r.bad ? ST_CORRUPT : ST_NEWER;
	*form = reader_u8(&r);
	f.flags = reader_u16(&r);
	reader_copy(&r, f.chain, CHAIN_LEN);
	f.seq = reader_u64(&r);
	f.place = reader_u64(&r);
	reader_copy(&r, f.prev, HASH_LEN);
	if (*form == FORM_DIGEST)
		reader_copy(&r, f.digest, HASH_LEN);
	else
		f.raw = reader_take(&r, r.left);
	if (!reader_done(&r) || *form > FORM_DIGEST ||
	    (*form != FORM_DIGEST && form_of(f.raw) != *form))
		return ST_CORRUPT;
	if (*form != FORM_DIGEST)
		entry_digest(f.digest, f.raw);
	*out = f;
	return ST_OK;
}

static void
tag_of(const struct log *l, uint8_t tag[ID_LEN], const uint8_t id[ID_LEN])
{
	log_tag(l, tag, "other", bytes_of(id, ID_LEN));
}

/* ---- adding */

/* What stands under a tag: its row and form; ST_ABSENT.  A row that does not
 * open counts as less than a digest. */
static enum status
find(struct log *l, const uint8_t tag[ID_LEN], int64_t *row, int *form)
{
	struct seal_place at = chainfile_place("other", tag, 0);
	struct log_foreign f;
	struct db_stmt *s;
	uint8_t got;
	enum status st = db_query(
	    &s, l->db, "SELECT row, sealed FROM others WHERE tag = ?1");

	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(tag, ID_LEN));
	st = db_next(s);
	if (st == ST_OK) {
		*row = db_i64(s, 0);
		buf_reset(&l->row);
		*form = FORM_DIGEST + 1;
		if (chainfile_unseal(l->f, &l->row, &at, db_bytes(s, 1)) ==
			ST_OK &&
		    row_read(&f, &got, buf_view(&l->row)) == ST_OK)
			*form = got;
		st = l->row.err;
	}
	db_done(s);
	return st;
}

static enum status
write_row(struct log *l, const uint8_t tag[ID_LEN], bool there, int64_t row,
    const struct log_foreign *f)
{
	struct db_stmt *s;
	enum status st;

	buf_reset(&l->row);
	row_write(&l->row, f);
	if (l->row.err != ST_OK)
		return l->row.err;
	st = log_seal(l, "other", tag, 0, buf_view(&l->row));
	if (st == ST_OK)
		st = db_query(&s, l->db,
		    there ? "UPDATE others SET sealed = ?2 WHERE row = ?1"
			  : "INSERT INTO others (tag, sealed) VALUES (?1, ?2)");
	if (st != ST_OK)
		return st;
	if (there)
		db_bind_i64(s, 1, row);
	else
		db_bind_bytes(s, 1, bytes_of(tag, ID_LEN));
	db_bind_bytes(s, 2, buf_view(&l->sealed));
	return db_run(s);
}

enum status
log_foreign_add(struct log *l, const struct log_foreign *f,
    uint8_t link[HASH_LEN], bool *is_new)
{
	uint8_t digest[HASH_LEN], id[HASH_LEN], tag[ID_LEN];
	int form = 0;
	int64_t row = 0;
	bool there = false;
	enum status st;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	if (f->raw.len > ENTRY_BYTES_MAX || f->flags > UINT16_MAX)
		return ST_LIMIT;
	memcpy(digest, f->digest, HASH_LEN);
	if (f->raw.len > 0)
		entry_digest(digest, f->raw);
	chain_link(id, f->prev, f->seq, digest);
	tag_of(l, tag, id);
	st = log_write_begin(l);
	if (st == ST_OK) {
		st = find(l, tag, &row, &form);
		there = st == ST_OK;
		if (st == ST_ABSENT || (there && form > (int)form_of(f->raw)))
			st = write_row(l, tag, there, row, f);
		st = log_write_end(l, st);
	}
	if (st != ST_OK)
		return log_fail(l, st, "keeping an entry of others");
	if (link != NULL)
		memcpy(link, id, HASH_LEN);
	if (is_new != NULL)
		*is_new = !there;
	return ST_OK;
}

/* The row under a tag, without its body. */
static enum status
blind_row(struct log *l, const uint8_t tag[ID_LEN])
{
	struct log_foreign f;
	struct buf head;
	const uint8_t *lf;
	uint8_t form;
	int64_t row = 0;
	int is = 0;
	enum status st = find(l, tag, &row, &is);

	if (st != ST_OK || is != FORM_WHOLE)
		return st;
	/* `find` has opened it. */
	st = row_read(&f, &form, buf_view(&l->row));
	if (st != ST_OK)
		return st;
	buf_init(&head, ENTRY_BYTES_MAX);
	lf = memchr(f.raw.p, '\n', f.raw.len);
	buf_add(
	    &head, f.raw.p, lf == NULL ? f.raw.len : (size_t)(lf - f.raw.p));
	f.raw = buf_view(&head);
	st = head.err;
	if (st == ST_OK)
		st = write_row(l, tag, true, row, &f);
	buf_free(&head);
	return st;
}

enum status
log_foreign_blind(struct log *l, const uint8_t id[ID_LEN])
{
	uint8_t tag[ID_LEN];
	enum status st;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	tag_of(l, tag, id);
	st = log_write_begin(l);
	if (st == ST_OK) {
		st = blind_row(l, tag);
		st = log_write_end(l, st == ST_ABSENT ? ST_OK : st);
	}
	return st == ST_OK ? st : log_fail(l, st, "erasing a body");
}

bool
log_foreign_has(struct log *l, const uint8_t id[ID_LEN])
{
	uint8_t tag[ID_LEN];
	int64_t row;
	int form;

	if (!log_is_unlocked(l))
		return false;
	tag_of(l, tag, id);
	return find(l, tag, &row, &form) == ST_OK;
}

enum status
log_foreign_get(struct log *l, const uint8_t id[ID_LEN],
    struct log_foreign *out, struct buf *buf)
{
	uint8_t tag[ID_LEN];
	uint8_t form;
	int64_t row;
	int got;
	enum status st;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	tag_of(l, tag, id);
	st = find(l, tag, &row, &got);
	if (st != ST_OK)
		return st;
	if (got > FORM_DIGEST)
		return ST_CORRUPT;
	st = row_read(out, &form, buf_view(&l->row));
	if (st != ST_OK)
		return st;
	buf_bytes(buf, out->raw);
	out->raw = (struct bytes){ NULL, out->raw.len };
	return buf->err;
}

enum status
log_foreign_drop(struct log *l, const uint8_t id[ID_LEN])
{
	uint8_t tag[ID_LEN];
	struct db_stmt *s;
	enum status st = log_write_begin(l);

	if (st != ST_OK)
		return st;
	tag_of(l, tag, id);
	st = db_query(&s, l->db, "DELETE FROM others WHERE tag = ?1");
	if (st == ST_OK) {
		db_bind_bytes(s, 1, bytes_of(tag, ID_LEN));
		st = db_run(s);
	}
	st = log_write_end(l, st);
	return st == ST_OK ? st : log_fail(l, st, "dropping an entry");
}

enum status
log_foreign_reset(struct log *l)
{
	enum status st = log_write_begin(l);

	if (st != ST_OK)
		return st;
	st = db_exec(l->db, "DELETE FROM others; DELETE FROM cursor");
	st = log_write_end(l, st);
	return st == ST_OK ? st : log_fail(l, st, "forgetting others");
}

/* ---- reading all */

/* One row, opened and told; one that does not open is counted. */
static enum status
tell(struct log *l, struct db_stmt *s, log_cb *cb, void *arg,
    struct log_found *found)
{
	struct log_entry le = { .own = false };
	struct chainfile_entry *e = &le.e;
	uint8_t tag[ID_LEN], want[ID_LEN], form;
	struct seal_place at;
	struct log_foreign f;
	enum status st;

	buf_reset(&l->row);
	st = db_copy(s, 1, tag, ID_LEN);
	if (st == ST_OK) {
		at = chainfile_place("other", tag, 0);
		st = chainfile_unseal(l->f, &l->row, &at, db_bytes(s, 2));
	}
	if (st == ST_OK)
		st = row_read(&f, &form, buf_view(&l->row));
	if (st == ST_OK) {
		memcpy(e->digest, f.digest, HASH_LEN);
		chain_link(e->link, f.prev, f.seq, f.digest);
		tag_of(l, want, e->link);
		if (memcmp(want, tag, ID_LEN) != 0)
			st = ST_CORRUPT;
	}
	if (st == ST_CORRUPT || st == ST_NEWER) {
		found->foreign_lost++;
		return ST_OK;
	}
	if (st != ST_OK)
		return st;
	found->foreign++;
	e->is = form == FORM_WHOLE  ? CHAINFILE_WHOLE
		: form == FORM_HEAD ? CHAINFILE_HEAD
				    : CHAINFILE_LOST;
	memcpy(e->chain, f.chain, CHAIN_LEN);
	memcpy(e->prev, f.prev, HASH_LEN);
	e->seq = f.seq;
	e->raw = f.raw;
	e->has_prev = e->has_link = true;
	le.place = f.place;
	le.flags = f.flags;
	return cb == NULL ? ST_OK : cb(arg, &le);
}

enum status
log_others_each(struct log *l, log_cb *cb, void *arg, struct log_found *found)
{
	int64_t last = 0, torn = 0;

	for (;;) {
		struct db_stmt *s;
		enum status st = db_query(&s, l->db,
		    "SELECT row, tag, sealed FROM others WHERE row > ?1 "
		    "ORDER BY row");
		enum status next = ST_OK;

		if (st != ST_OK)
			return st;
		db_bind_i64(s, 1, last + torn);
		while (st == ST_OK && (next = db_next(s)) == ST_OK) {
			/* A torn tree may lead in a circle. */
			if (db_i64(s, 0) <= last) {
				next = ST_CORRUPT;
				break;
			}
			last = db_i64(s, 0);
			torn = 0;
			st = tell(l, s, cb, arg, found);
		}
		db_done(s);
		if (st != ST_OK || next == ST_ABSENT)
			return st;
		if (next != ST_CORRUPT)
			return next;
		/* At least one was there: others must be asked for again. */
		if (torn == 0)
			found->foreign_lost++;
		torn++;
		if (torn > TORN_MAX)
			return ST_OK;
	}
}
