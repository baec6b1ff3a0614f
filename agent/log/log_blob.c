#include "agent/log/log_blob.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "agent/log/log_inner.h"

static enum status
put(struct log *l, const struct log_blob *b)
{
	uint8_t tag[ID_LEN];
	struct db_stmt *s;
	struct buf plain;
	enum status st;

	buf_init(&plain, BLOBROW_MAX);
	blobrow_write(&plain, b);
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
		st = blobrow_read(out, buf_view(&l->row));
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
	enum status st;

	*lost = 0;
	if (!log_is_unlocked(l))
		return ST_LOCKED;
	st = blobrow_each(l->f, cb, arg, lost);
	return st == ST_OK ? st : log_fail(l, st, "reading attachments");
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
