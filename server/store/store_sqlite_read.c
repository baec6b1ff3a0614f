/* store_sqlite_read: the rows of the log, read back. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha.h"
#include "server/store/store_sqlite.h"

/* A reader's failure is told by its own connection; the writer's words are
 * left alone. */
static enum status
one_row(struct db_stmt **out, struct sq_reader *r, const char *sql, uint64_t a)
{
	enum status st = db_query(out, r->db, sql);

	if (st != ST_OK)
		return st;
	db_bind_u64(*out, 1, a);
	st = db_next(*out);
	if (st != ST_OK)
		db_done(*out);
	return st;
}

static enum status
head_row(struct db_stmt **out, struct sq_reader *r)
{
	return one_row(
	    out, r, "SELECT size, root, frontier FROM head WHERE id = ?1", 1);
}

enum status
sq_head(struct store_reader *base, struct store_head *out)
{
	struct sq_reader *r = sq_reader_of(base);
	struct store_head h = { 0 };
	struct db_stmt *q;
	enum status st = head_row(&q, r);

	if (st == ST_ABSENT) {
		sha256(h.root, bytes_of(NULL, 0));
		*out = h;
		return ST_OK;
	}
	if (st != ST_OK)
		return st;
	h.size = db_u64(q, 0);
	st = db_copy(q, 1, h.root, HASH_LEN);
	db_done(q);
	if (st == ST_OK)
		*out = h;
	return st;
}

enum status
sq_frontier(struct store_reader *base, struct frontier *out)
{
	struct sq_reader *r = sq_reader_of(base);
	uint8_t root[HASH_LEN], want[HASH_LEN];
	struct frontier f;
	struct db_stmt *q;
	struct bytes b;
	size_t count = 0;
	enum status st = head_row(&q, r);

	frontier_init(&f);
	if (st == ST_ABSENT) {
		*out = f;
		return ST_OK;
	}
	if (st != ST_OK)
		return st;
	f.size = db_u64(q, 0);
	for (uint64_t size = f.size; size != 0; size &= size - 1)
		count++;
	b = db_bytes(q, 2);
	st = db_copy(q, 1, want, HASH_LEN);
	if (st == ST_OK && b.len != count * HASH_LEN)
		st = ST_CORRUPT;
	if (st == ST_OK)
		memcpy(f.hash, b.p, b.len);
	db_done(q);
	if (st != ST_OK)
		return st;
	frontier_root(&f, root);
	if (memcmp(root, want, HASH_LEN) != 0)
		return ST_CORRUPT;
	*out = f;
	return ST_OK;
}

/* Columns place, chain, seq, branch, flags, prev, link, all but bytes. */
enum status
sq_entry_row(struct db_stmt *q, struct store_entry *out)
{
	struct store_entry e = { 0 };
	enum status st = ST_OK;

	e.place = db_u64(q, 0);
	e.chain = db_u64(q, 1);
	e.seq = db_u64(q, 2);
	e.branch = (uint32_t)db_u64(q, 3);
	e.flags = (uint32_t)db_u64(q, 4);
	e.has_prev = !db_is_null(q, 5);
	if (e.has_prev)
		st = db_copy(q, 5, e.prev, HASH_LEN);
	if (st == ST_OK)
		st = db_copy(q, 6, e.link, HASH_LEN);
	if (st == ST_OK)
		*out = e;
	return st;
}

/* The link before the first entry of a piece is stored; before the others it
 * is the one at the place before. */
enum status
sq_put_prev(struct sq_reader *r, struct store_entry *e)
{
	enum status st;

	if (e->has_prev)
		return ST_OK;
	if (e->place == 0)
		return ST_CORRUPT;
	st = sq_links(&r->base, e->place - 1, 1, &e->prev);
	e->has_prev = st == ST_OK;
	return st == ST_ABSENT ? ST_CORRUPT : st;
}

enum status
sq_entry_alone(
    struct store_reader *base, uint64_t place, struct store_entry *out)
{
	struct sq_reader *r = sq_reader_of(base);
	struct store_entry e;
	struct db_stmt *q;
	enum status st;

	st = one_row(&q, r,
	    "SELECT place, chain, seq, branch, flags, prev, link, bytes"
	    " FROM entries WHERE place = ?1",
	    place);
	if (st != ST_OK)
		return st;
	st = sq_entry_row(q, &e);
	buf_reset(&r->row);
	buf_bytes(&r->row, db_bytes(q, 7));
	db_done(q);
	if (st == ST_OK)
		st = r->row.err == ST_LIMIT ? ST_CORRUPT : r->row.err;
	if (st != ST_OK)
		return st;
	e.bytes = buf_view(&r->row);
	*out = e;
	return ST_OK;
}

enum status
sq_entry(struct store_reader *base, uint64_t place, struct store_entry *out)
{
	struct store_entry e;
	enum status st = sq_entry_alone(base, place, &e);

	if (st == ST_OK)
		st = sq_put_prev(sq_reader_of(base), &e);
	if (st == ST_OK)
		*out = e;
	return st;
}

enum status
sq_entry_head(
    struct store_reader *base, uint64_t place, struct store_entry *out)
{
	struct sq_reader *r = sq_reader_of(base);
	struct store_entry e;
	struct db_stmt *q;
	enum status st;

	st = one_row(&q, r,
	    "SELECT place, chain, seq, branch, flags, prev, link"
	    " FROM entries WHERE place = ?1",
	    place);
	if (st != ST_OK)
		return st;
	st = sq_entry_row(q, &e);
	db_done(q);
	if (st == ST_OK)
		st = sq_put_prev(r, &e);
	if (st == ST_OK)
		*out = e;
	return st;
}

static enum status
find_row(struct sq_reader *r, const char *sql, uint64_t chain, uint64_t seq,
    uint32_t branch, struct store_entry *out)
{
	struct db_stmt *q;
	enum status st = db_query(&q, r->db, sql);

	if (st != ST_OK)
		return st;
	db_bind_u64(q, 1, chain);
	db_bind_u64(q, 2, seq);
	db_bind_u64(q, 3, branch);
	st = db_next(q);
	if (st == ST_OK)
		st = sq_entry_row(q, out);
	db_done(q);
	return st;
}

enum status
sq_find(struct store_reader *base, uint64_t chain, uint64_t seq,
    uint32_t branch, struct store_entry *out)
{
	return find_row(sq_reader_of(base),
	    "SELECT place, chain, seq, branch, flags, prev, link FROM entries"
	    " WHERE chain = ?1 AND seq = ?2 AND branch = ?3",
	    chain, seq, branch, out);
}

enum status
sq_find_next(struct store_reader *base, uint64_t chain, uint64_t seq,
    uint32_t branch, struct store_entry *out)
{
	return find_row(sq_reader_of(base),
	    "SELECT place, chain, seq, branch, flags, prev, link FROM entries"
	    " WHERE chain = ?1 AND seq >= ?2 AND branch = ?3"
	    " ORDER BY seq LIMIT 1",
	    chain, seq, branch, out);
}

enum status
sq_why(struct store_reader *base, uint64_t place, struct buf *out)
{
	struct db_stmt *q;
	enum status st;

	st = one_row(&q, sq_reader_of(base),
	    "SELECT why FROM reasons WHERE place = ?1", place);
	if (st != ST_OK)
		return st;
	buf_bytes(out, db_bytes(q, 0));
	db_done(q);
	return out->err;
}

/* ---- chains, commits, tiles */

static enum status
chain_row(struct db_stmt *q, struct store_chain *out)
{
	struct store_chain c = { 0 };
	enum status st;

	c.no = db_u64(q, 0);
	c.branch = (uint32_t)db_u64(q, 1);
	c.parent = (uint32_t)db_u64(q, 4);
	c.base_seq = db_u64(q, 5);
	c.last_seq = db_u64(q, 7);
	c.last_place = db_u64(q, 9);
	c.status = (uint32_t)db_u64(q, 10);
	st = db_copy(q, 2, c.id, CHAIN_LEN);
	if (st == ST_OK)
		st = db_copy(q, 3, c.key, PUBKEY_LEN);
	if (st == ST_OK)
		st = db_copy(q, 6, c.base_link, HASH_LEN);
	if (st == ST_OK)
		st = db_copy(q, 8, c.last_link, HASH_LEN);
	if (st == ST_OK)
		*out = c;
	return st;
}

enum status
sq_chains(struct store_reader *base, store_chain_fn fn, void *arg)
{
	struct store_chain c;
	struct db_stmt *q;
	enum status st;

	st = db_query(&q, sq_reader_of(base)->db,
	    "SELECT no, branch, id, key, parent, base_seq, base_link,"
	    " last_seq, last_link, last_place, status FROM chains"
	    " ORDER BY no, branch");
	if (st != ST_OK)
		return st;
	for (;;) {
		st = db_next(q);
		if (st == ST_OK)
			st = chain_row(q, &c);
		if (st == ST_OK)
			st = fn(arg, &c);
		if (st != ST_OK)
			break;
	}
	db_done(q);
	return st == ST_ABSENT ? ST_OK : st;
}

static enum status
commit_row(struct db_stmt *q, struct store_commit *out)
{
	struct store_commit c = { 0 };
	enum status st;

	c.place = db_u64(q, 0);
	c.first = db_u64(q, 1);
	c.wall = db_u64(q, 2);
	c.pieces = db_u64(q, 3);
	st = db_copy(q, 4, c.sig, SIG_LEN);
	if (st == ST_OK)
		*out = c;
	return st;
}

enum status
sq_commit_of(
    struct store_reader *base, uint64_t place, struct store_commit *out)
{
	struct db_stmt *q;
	enum status st;

	st = one_row(&q, sq_reader_of(base),
	    "SELECT place, first, wall, pieces, sig FROM commits"
	    " WHERE place >= ?1 ORDER BY place LIMIT 1",
	    place);
	if (st != ST_OK)
		return st;
	st = commit_row(q, out);
	db_done(q);
	return st;
}

enum status
sq_commit_later(struct store_reader *base, uint64_t place, uint64_t wall,
    struct store_commit *out)
{
	struct db_stmt *q;
	enum status st;

	st = db_query(&q, sq_reader_of(base)->db,
	    "SELECT place, first, wall, pieces, sig FROM commits"
	    " WHERE place >= ?1 AND wall > ?2 ORDER BY place LIMIT 1");
	if (st != ST_OK)
		return st;
	db_bind_u64(q, 1, place);
	db_bind_u64(q, 2, wall);
	st = db_next(q);
	if (st == ST_OK)
		st = commit_row(q, out);
	db_done(q);
	return st;
}

enum status
sq_pieces(struct store_reader *base, uint64_t place, struct buf *out)
{
	uint8_t line[PIECE_LINE_LEN];
	struct db_stmt *q;
	enum status st;

	st = db_query(&q, sq_reader_of(base)->db,
	    "SELECT line FROM pieces WHERE place = ?1 ORDER BY idx");
	if (st != ST_OK)
		return st;
	db_bind_u64(q, 1, place);
	while ((st = db_next(q)) == ST_OK) {
		st = db_copy(q, 0, line, sizeof(line));
		if (st != ST_OK)
			break;
		buf_add(out, line, sizeof(line));
	}
	db_done(q);
	return st == ST_ABSENT ? out->err : st;
}

enum status
sq_tile(
    struct store_reader *base, unsigned level, uint64_t index, struct buf *out)
{
	uint8_t *p;
	struct db_stmt *q;
	enum status st;

	assert(level < 8 && index < SQ_TILE_LEVEL);
	st = one_row(&q, sq_reader_of(base),
	    "SELECT hashes FROM tiles WHERE id = ?1",
	    level * SQ_TILE_LEVEL + index);
	if (st != ST_OK)
		return st;
	p = buf_extend(out, 256 * HASH_LEN);
	st = p == NULL ? out->err : db_copy(q, 0, p, 256 * HASH_LEN);
	if (st != ST_OK && p != NULL)
		out->len -= 256 * HASH_LEN;
	db_done(q);
	return st;
}

/* ---- upkeep */

enum status
sq_check(struct store_reader *base, struct buf *why)
{
	struct sq_reader *r = sq_reader_of(base);
	enum status st = db_check(r->db);

	if (st == ST_CORRUPT)
		buf_str(why, db_errmsg(r->db));
	return st;
}

enum status
sq_backup(struct store_reader *base, const char *path)
{
	struct sq_reader *r = sq_reader_of(base);

	return db_backup(r->db, path, r->store->vfs, NULL, NULL);
}
