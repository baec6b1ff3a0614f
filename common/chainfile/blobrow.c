#include "chainfile/blobrow.h"

#include <sodium.h>
#include <string.h>

#include "chainfile/chainfile_inner.h"

enum { VERSION = 1 };

void
blobrow_write(struct buf *out, const struct log_blob *b)
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

enum status
blobrow_read(struct log_blob *out, struct bytes in)
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

/* The row that stands: tag, sealed. */
static enum status
open_row(struct chainfile *f, const struct db_stmt *s, struct buf *plain,
    struct log_blob *out)
{
	uint8_t tag[ID_LEN];
	struct seal_place at;
	enum status st = db_copy(s, 0, tag, ID_LEN);

	if (st != ST_OK)
		return st;
	at = chainfile_place("blobs", tag, 0);
	buf_wipe(plain);
	buf_init(plain, BLOBROW_MAX);
	st = chainfile_unseal(f, plain, &at, db_bytes(s, 1));
	return st == ST_OK ? blobrow_read(out, buf_view(plain)) : st;
}

enum status
blobrow_each(struct chainfile *f, log_blob_cb *cb, void *arg, uint64_t *lost)
{
	struct log_blob b = { .size = 0 };
	struct db_stmt *s;
	struct buf plain;
	enum status st;

	*lost = 0;
	if (!chainfile_is_unlocked(f))
		return ST_LOCKED;
	st = db_query(&s, chainfile_db(f), "SELECT tag, sealed FROM blobs");
	if (st != ST_OK)
		return st;
	buf_init(&plain, BLOBROW_MAX);
	while ((st = db_next(s)) == ST_OK) {
		st = open_row(f, s, &plain, &b);
		if (st == ST_OK) {
			st = cb(arg, &b);
		} else if (st == ST_CORRUPT || st == ST_NEWER ||
			   st == ST_LIMIT) {
			(*lost)++;
			st = ST_OK;
		}
		if (st != ST_OK)
			break;
	}
	db_done(s);
	buf_wipe(&plain);
	sodium_memzero(&b, sizeof(b));
	return st == ST_ABSENT ? ST_OK : st;
}
