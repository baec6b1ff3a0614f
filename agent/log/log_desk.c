#include "agent/log/log_desk.h"

#include <stdlib.h>
#include <string.h>

#include "agent/log/log_inner.h"

enum { ROW_FILE = 1, ROW_PLACE = 2 };

#define WHAT "reading what the desk knows"

static void
tag_of(const struct log *l, uint8_t tag[ID_LEN], int sort,
    const uint8_t name[HASH_LEN])
{
	uint8_t full[1 + HASH_LEN] = { 0 };

	memcpy(full + 1, name, HASH_LEN);
	log_tag(l, tag, "desk",
	    sort == ROW_FILE ? bytes_of(name, HASH_LEN)
			     : bytes_of(full, sizeof(full)));
}

/* `plain` sealed into the row of that tag; within a write. */
static enum status
put_row(struct log *l, const uint8_t tag[ID_LEN], struct bytes plain)
{
	struct db_stmt *s;
	enum status st = log_seal(l, "desk", tag, 0, plain);

	if (st == ST_OK)
		st = db_query(
		    &s, l->db, "INSERT OR REPLACE INTO desk VALUES (?1, ?2)");
	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(tag, ID_LEN));
	db_bind_bytes(s, 2, buf_view(&l->sealed));
	return db_run(s);
}

static enum status
put(struct log *l, int sort, const uint8_t name[HASH_LEN], struct bytes value)
{
	uint8_t tag[ID_LEN];
	struct buf plain;
	enum status st = log_write_begin(l);

	if (st != ST_OK)
		return st;
	buf_init(&plain, LOG_DESK_ROW_MAX + 1);
	buf_u8(&plain, (uint8_t)sort);
	buf_bytes(&plain, value);
	tag_of(l, tag, sort, name);
	st = plain.err == ST_OK ? put_row(l, tag, buf_view(&plain)) : plain.err;
	buf_wipe(&plain);
	st = log_write_end(l, st);
	return st == ST_OK ? st
			   : log_fail(l, st, "keeping what the desk knows");
}

/* What stands behind the sort, in l->row until the next call. */
static enum status
open_row(struct log *l, struct db_stmt *s, int col, const uint8_t tag[ID_LEN],
    int *sort, struct bytes *value)
{
	enum status st;

	buf_reset(&l->row);
	st = log_unseal(l, s, col, "desk", tag, 0, &l->row);
	if (st == ST_OK && l->row.len < 1)
		st = ST_CORRUPT;
	if (st != ST_OK)
		return st;
	*sort = l->row.p[0];
	*value = bytes_of(l->row.p + 1, l->row.len - 1);
	return ST_OK;
}

static enum status
get(struct log *l, int wanted, const uint8_t name[HASH_LEN], struct buf *out)
{
	uint8_t tag[ID_LEN];
	struct bytes value = bytes_of(NULL, 0);
	struct db_stmt *s;
	int sort = 0;
	enum status st;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	tag_of(l, tag, wanted, name);
	st = db_query(&s, l->db, "SELECT sealed FROM desk WHERE tag = ?1");
	if (st != ST_OK)
		return log_fail(l, st, WHAT);
	db_bind_bytes(s, 1, bytes_of(tag, ID_LEN));
	st = db_next(s);
	if (st == ST_OK)
		st = open_row(l, s, 0, tag, &sort, &value);
	if (st == ST_OK && sort != wanted)
		st = ST_CORRUPT;
	if (st == ST_OK) {
		buf_bytes(out, value);
		st = out->err;
	}
	db_done(s);
	return st == ST_OK || st == ST_ABSENT ? st : log_fail(l, st, WHAT);
}

enum status
log_desk_put(struct log *l, const uint8_t digest[HASH_LEN], struct bytes doc)
{
	return put(l, ROW_FILE, digest, doc);
}

enum status
log_desk_get(struct log *l, const uint8_t digest[HASH_LEN], struct buf *out)
{
	return get(l, ROW_FILE, digest, out);
}

enum status
log_desk_read_put(struct log *l, const uint8_t place[HASH_LEN],
    const uint8_t digest[HASH_LEN])
{
	return put(l, ROW_PLACE, place, bytes_of(digest, HASH_LEN));
}

enum status
log_desk_read_get(
    struct log *l, const uint8_t place[HASH_LEN], uint8_t digest[HASH_LEN])
{
	struct buf b;
	enum status st;

	buf_init(&b, HASH_LEN);
	st = get(l, ROW_PLACE, place, &b);
	if (st == ST_OK && b.len != HASH_LEN)
		st = ST_CORRUPT;
	if (st == ST_OK)
		memcpy(digest, b.p, HASH_LEN);
	buf_free(&b);
	return st;
}

static enum status
drop(struct log *l, const uint8_t tag[ID_LEN])
{
	struct db_stmt *s;
	enum status st = db_query(&s, l->db, "DELETE FROM desk WHERE tag = ?1");

	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(tag, ID_LEN));
	return db_run(s);
}

enum status
log_desk_drop(struct log *l, const uint8_t digest[HASH_LEN],
    const uint8_t place[HASH_LEN])
{
	uint8_t tag[ID_LEN];
	enum status st = log_write_begin(l);

	if (st != ST_OK)
		return st;
	tag_of(l, tag, ROW_FILE, digest);
	st = drop(l, tag);
	tag_of(l, tag, ROW_PLACE, place);
	if (st == ST_OK)
		st = drop(l, tag);
	st = log_write_end(l, st);
	return st == ST_OK ? st
			   : log_fail(l, st, "forgetting what the desk knows");
}

enum status
log_desk_each(struct log *l, log_desk_cb *cb, void *arg)
{
	struct bytes value;
	struct db_stmt *s;
	uint8_t tag[ID_LEN];
	int sort = 0;
	enum status st;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	st = db_query(&s, l->db, "SELECT tag, sealed FROM desk");
	if (st != ST_OK)
		return log_fail(l, st, WHAT);
	while ((st = db_next(s)) == ST_OK) {
		st = db_copy(s, 0, tag, ID_LEN);
		if (st == ST_OK)
			st = open_row(l, s, 1, tag, &sort, &value);
		if (st == ST_OK && sort == ROW_FILE)
			st = cb(arg, value);
		else if (st == ST_CORRUPT)
			st = ST_OK; /* that file is read once more */
		if (st != ST_OK)
			break;
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : log_fail(l, st, WHAT);
}

/* ---- after a change of keys */

static enum status
all_tags(struct log *l, struct buf *out)
{
	struct db_stmt *s;
	enum status st = db_query(&s, l->db, "SELECT tag FROM desk");

	if (st != ST_OK)
		return st;
	while ((st = db_next(s)) == ST_OK) {
		if (db_bytes(s, 0).len == ID_LEN)
			buf_bytes(out, db_bytes(s, 0));
	}
	db_done(s);
	return st == ST_ABSENT ? out->err : st;
}

static enum status
seal_again(struct log *l, const uint8_t tag[ID_LEN])
{
	struct bytes value;
	struct db_stmt *s;
	struct buf plain;
	int sort;
	enum status st =
	    db_query(&s, l->db, "SELECT sealed FROM desk WHERE tag = ?1");

	if (st != ST_OK)
		return st;
	buf_init(&plain, LOG_DESK_ROW_MAX + 1);
	db_bind_bytes(s, 1, bytes_of(tag, ID_LEN));
	st = db_next(s);
	if (st == ST_OK)
		st = open_row(l, s, 0, tag, &sort, &value);
	if (st == ST_OK)
		buf_bytes(&plain, buf_view(&l->row));
	db_done(s);
	if (st == ST_OK)
		st = plain.err == ST_OK ? put_row(l, tag, buf_view(&plain))
					: plain.err;
	buf_wipe(&plain);
	return st == ST_CORRUPT || st == ST_ABSENT ? ST_OK : st;
}

enum status
log_desk_reseal(struct log *l)
{
	struct buf tags;
	enum status st = log_is_unlocked(l) ? ST_OK : ST_LOCKED;

	buf_init(&tags, (size_t)64 << 20);
	if (st == ST_OK)
		st = all_tags(l, &tags);
	if (st == ST_OK)
		st = log_write_begin(l);
	if (st == ST_OK) {
		for (size_t i = 0; st == ST_OK && i < tags.len; i += ID_LEN)
			st = seal_again(l, tags.p + i);
		st = log_write_end(l, st);
	}
	buf_free(&tags);
	return st == ST_OK ? st
			   : log_fail(l, st, "sealing the desk's rows anew");
}
