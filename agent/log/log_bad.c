/* log_bad: evidence: what failed to prove, kept for whoever asks later. */
#include "agent/log/log.h"

#include <string.h>

#include "agent/log/log_inner.h"

enum { VERSION = 1, WHY_MAX = 512 };

static enum status
bad_write(struct log *l, int64_t row, const char *why, struct bytes bytes)
{
	struct db_stmt *s;
	enum status st;
	struct buf b;

	buf_init(&b, LOG_BAD_MAX + 1024);
	buf_u8(&b, VERSION);
	buf_u64(&b, port_wall_ms(l->port));
	buf_sized(&b, bytes_str(why));
	buf_bytes(&b, bytes);
	st = b.err;
	if (st == ST_OK)
		st = log_seal(l, "bad", NULL, (uint64_t)row, buf_view(&b));
	buf_wipe(&b);
	if (st == ST_OK)
		st = db_query(&s, l->db, "INSERT INTO bad VALUES (?1, ?2)");
	if (st != ST_OK)
		return st;
	db_bind_i64(s, 1, row);
	db_bind_bytes(s, 2, buf_view(&l->sealed));
	return db_run(s);
}

/* Beyond what is kept, the row that counts: -1, its number in 8 bytes. */
static enum status
bad_count_more(struct log *l, uint64_t more)
{
	uint8_t number[8];
	struct db_stmt *s;
	enum status st =
	    db_query(&s, l->db, "INSERT OR REPLACE INTO bad VALUES (-1, ?1)");

	if (st != ST_OK)
		return st;
	be64_put(number, more);
	db_bind_bytes(s, 1, bytes_of(number, sizeof(number)));
	return db_run(s);
}

/* Rows kept, the last one's number, and how many more there were. */
static enum status
bad_read(struct log *l, int64_t *kept, int64_t *last, uint64_t *more)
{
	uint8_t number[8];
	struct db_stmt *s;
	enum status st = db_query(&s, l->db,
	    "SELECT count(*), max(row), (SELECT sealed FROM bad WHERE row = "
	    "-1) FROM bad WHERE row > 0");

	if (st != ST_OK)
		return st;
	st = db_next(s);
	if (st == ST_OK) {
		*kept = db_i64(s, 0);
		*last = db_i64(s, 1);
		*more = db_copy(s, 2, number, sizeof(number)) == ST_OK
			    ? be64_get(number)
			    : 0;
	}
	db_done(s);
	return st;
}

enum status
log_bad_put(struct log *l, const char *why, struct bytes bytes)
{
	int64_t kept, last;
	uint64_t more;
	enum status st;

	if (bytes.len > LOG_BAD_MAX || strlen(why) > WHY_MAX)
		return ST_LIMIT;
	st = log_write_begin(l);
	if (st != ST_OK)
		return st;
	st = bad_read(l, &kept, &last, &more);
	if (st == ST_OK)
		st = kept < LOG_BAD_COUNT_MAX
			 ? bad_write(l, last + 1, why, bytes)
			 : bad_count_more(l, more + 1);
	st = log_write_end(l, st);
	return st == ST_OK ? st : log_fail(l, st, "keeping evidence");
}

enum status
log_bad_count(struct log *l, uint64_t *out)
{
	int64_t kept, last;
	uint64_t more;
	enum status st = bad_read(l, &kept, &last, &more);

	if (st != ST_OK)
		return log_fail(l, st, "counting evidence");
	*out = (uint64_t)kept + more;
	return ST_OK;
}

static enum status
bad_read_row(
    struct log *l, struct db_stmt *s, struct buf *plain, struct log_bad *out)
{
	struct reader r;
	enum status st;

	buf_reset(plain);
	st = log_unseal(l, s, 1, "bad", NULL, db_u64(s, 0), plain);
	if (st != ST_OK)
		return st;
	reader_init(&r, buf_view(plain));
	if (reader_u8(&r) != VERSION)
		return ST_NEWER;
	out->id = db_u64(s, 0);
	out->wall_ms = reader_u64(&r);
	out->why = reader_sized(&r, WHY_MAX);
	out->bytes = bytes_of(r.p, r.left);
	return r.bad ? ST_CORRUPT : ST_OK;
}

enum status
log_bad_each(struct log *l, log_bad_cb *cb, void *arg)
{
	enum status st, told = ST_OK;
	struct log_bad p = { 0 };
	struct db_stmt *s;
	struct buf plain;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	st = db_query(&s, l->db,
	    "SELECT row, sealed FROM bad WHERE row > 0 ORDER BY row");
	if (st != ST_OK)
		return log_fail(l, st, "reading evidence");
	buf_init(&plain, LOG_BAD_MAX + 1024);
	while (told == ST_OK && (st = db_next(s)) == ST_OK) {
		st = bad_read_row(l, s, &plain, &p);
		if (st == ST_OK)
			told = cb(arg, &p);
		else if (st != ST_CORRUPT && st != ST_NEWER)
			break;
	}
	db_done(s);
	buf_wipe(&plain);
	if (told != ST_OK)
		return told;
	return st == ST_ABSENT ? ST_OK : log_fail(l, st, "reading evidence");
}
