#include "agent/log/log_blob.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "agent/log/log_inner.h"

enum { VERSION = 1, ROW_MAX = 512 };

static void
row_write(struct buf *out, const struct log_blob *b)
{
	buf_u8(out, VERSION);
	buf_add(out, b->id, BLOB_ID_LEN);
	buf_add(out, b->key, SEAL_KEY_LEN);
	buf_add(out, b->digest, HASH_LEN);
	buf_u64(out, b->size);
	buf_u64(out, b->made_ms);
	buf_add(out, b->rec, REC_LEN);
	buf_add(out, b->entry, ID_LEN);
	buf_u8(out, (uint8_t)b->state);
	buf_u8(out, b->urgent ? 1 : 0);
	buf_u8(out, (uint8_t)b->tries);
	buf_u8(out, b->has_upload ? 1 : 0);
	buf_add(out, b->upload, LOG_BLOB_UPLOAD_LEN);
	buf_u64(out, b->sent);
	buf_u64(out, b->place);
	buf_sized(out, bytes_str(b->type));
}

static enum status
row_read(struct log_blob *out, struct bytes in)
{
	struct log_blob b = { .size = 0 };
	struct bytes type;
	struct reader r;
	uint8_t state, urgent, has_upload;

	reader_init(&r, in);
	if (reader_u8(&r) != VERSION)
		return r.bad ? ST_CORRUPT : ST_NEWER;
	reader_copy(&r, b.id, BLOB_ID_LEN);
	reader_copy(&r, b.key, SEAL_KEY_LEN);
	reader_copy(&r, b.digest, HASH_LEN);
	b.size = reader_u64(&r);
	b.made_ms = reader_u64(&r);
	reader_copy(&r, b.rec, REC_LEN);
	reader_copy(&r, b.entry, ID_LEN);
	state = reader_u8(&r);
	urgent = reader_u8(&r);
	b.tries = reader_u8(&r);
	has_upload = reader_u8(&r);
	reader_copy(&r, b.upload, LOG_BLOB_UPLOAD_LEN);
	b.sent = reader_u64(&r);
	b.place = reader_u64(&r);
	type = reader_sized(&r, LOG_BLOB_TYPE_MAX);
	if (!reader_done(&r) || state >= BLOB_STATES || urgent > 1 ||
	    has_upload > 1 || b.size > BLOB_SIZE_MAX || b.sent > b.size)
		return ST_CORRUPT;
	b.state = (enum log_blob_state)state;
	b.urgent = urgent == 1;
	b.has_upload = has_upload == 1;
	if (type.len > 0)
		memcpy(b.type, type.p, type.len);
	*out = b;
	sodium_memzero(&b, sizeof(b));
	return ST_OK;
}

static enum status
put(struct log *l, const struct log_blob *b)
{
	uint8_t tag[ID_LEN];
	struct db_stmt *s;
	struct buf plain;
	enum status st;

	buf_init(&plain, ROW_MAX);
	row_write(&plain, b);
	log_tag(l, tag, "blobs", bytes_of(b->digest, HASH_LEN));
	st = plain.err;
	if (st == ST_OK)
		st = log_seal(l, "blobs", tag, 0, buf_view(&plain));
	buf_wipe(&plain);
	if (st == ST_OK)
		st = db_query(
		    &s, l->db, "INSERT OR REPLACE INTO blobs VALUES (?1, ?2)");
	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(tag, ID_LEN));
	db_bind_bytes(s, 2, buf_view(&l->sealed));
	return db_run(s);
}

enum status
log_blob_put(struct log *l, const struct log_blob *b)
{
	enum status st = log_write_begin(l);

	if (st != ST_OK)
		return st;
	st = log_write_end(l, put(l, b));
	return st == ST_OK ? st : log_fail(l, st, "keeping an attachment");
}

/* The row that stands, by its tag. */
static enum status
open_row(struct log *l, struct db_stmt *s, int sealed_col,
    const uint8_t tag[ID_LEN], struct log_blob *out)
{
	enum status st;

	buf_reset(&l->row);
	st = log_unseal(l, s, sealed_col, "blobs", tag, 0, &l->row);
	if (st == ST_OK)
		st = row_read(out, buf_view(&l->row));
	return st;
}

enum status
log_blob_get(
    struct log *l, const uint8_t digest[HASH_LEN], struct log_blob *out)
{
	uint8_t tag[ID_LEN];
	struct db_stmt *s;
	enum status st;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	log_tag(l, tag, "blobs", bytes_of(digest, HASH_LEN));
	st = db_query(&s, l->db, "SELECT sealed FROM blobs WHERE tag = ?1");
	if (st != ST_OK)
		return log_fail(l, st, "reading an attachment");
	db_bind_bytes(s, 1, bytes_of(tag, ID_LEN));
	st = db_next(s);
	if (st == ST_OK)
		st = open_row(l, s, 0, tag, out);
	db_done(s);
	return st == ST_OK || st == ST_ABSENT
		   ? st
		   : log_fail(l, st, "reading an attachment");
}

enum status
log_blob_each(struct log *l, log_blob_cb *cb, void *arg, uint64_t *lost)
{
	struct log_blob b;
	struct db_stmt *s;
	uint8_t tag[ID_LEN];
	enum status st;

	*lost = 0;
	if (!log_is_unlocked(l))
		return ST_LOCKED;
	st = db_query(&s, l->db, "SELECT tag, sealed FROM blobs");
	if (st != ST_OK)
		return log_fail(l, st, "reading attachments");
	while ((st = db_next(s)) == ST_OK) {
		st = db_copy(s, 0, tag, ID_LEN);
		if (st == ST_OK)
			st = open_row(l, s, 1, tag, &b);
		if (st == ST_OK) {
			st = cb(arg, &b);
		} else if (st == ST_CORRUPT || st == ST_NEWER) {
			(*lost)++;
			st = ST_OK;
		}
		if (st != ST_OK)
			break;
	}
	db_done(s);
	sodium_memzero(&b, sizeof(b));
	return st == ST_ABSENT ? ST_OK : log_fail(l, st, "reading attachments");
}

/* ---- after a change of keys */

struct all {
	struct log_blob *row; /* owned */
	size_t count, cap;
};

static enum status
take(void *arg, const struct log_blob *b)
{
	struct all *a = arg;

	if (a->count == a->cap) {
		size_t cap = a->cap == 0 ? 32 : a->cap * 2;
		struct log_blob *bigger = calloc(cap, sizeof(*bigger));

		if (bigger == NULL)
			return ST_NOMEM;
		if (a->count > 0)
			memcpy(bigger, a->row, a->count * sizeof(*bigger));
		if (a->row != NULL)
			sodium_memzero(a->row, a->cap * sizeof(*a->row));
		free(a->row);
		a->row = bigger;
		a->cap = cap;
	}
	a->row[a->count++] = *b;
	return ST_OK;
}

enum status
log_blob_reseal(struct log *l)
{
	struct all all = { .count = 0 };
	uint64_t lost = 0;
	enum status st = log_blob_each(l, take, &all, &lost);

	if (st == ST_OK)
		st = log_write_begin(l);
	if (st == ST_OK) {
		for (size_t i = 0; st == ST_OK && i < all.count; i++)
			st = put(l, &all.row[i]);
		st = log_write_end(l, st);
	}
	if (all.row != NULL)
		sodium_memzero(all.row, all.cap * sizeof(*all.row));
	free(all.row);
	return st == ST_OK ? st : log_fail(l, st, "sealing attachments anew");
}
