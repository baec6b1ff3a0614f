/* store_sqlite_write: the rows of the log, put down. */
#include <assert.h>
#include <string.h>

#include "server/store/store_sqlite.h"

enum status
sq_put_entry(struct store *base, const struct store_entry *e, const char *why)
{
	struct sq_store *s = sq_of(base);
	struct db_stmt *q = s->entry;
	enum status st;

	assert(e->bytes.len <= ENTRY_BYTES_MAX);
	assert((why != NULL) == ((e->flags & STORE_MALFORMED) != 0));
	db_bind_u64(q, 1, e->place);
	db_bind_u64(q, 2, e->chain);
	db_bind_u64(q, 3, e->seq);
	db_bind_u64(q, 4, e->branch);
	db_bind_u64(q, 5, e->flags);
	if (e->has_prev)
		db_bind_bytes(q, 6, bytes_of(e->prev, HASH_LEN));
	else
		db_bind_null(q, 6);
	db_bind_bytes(q, 7, bytes_of(e->link, HASH_LEN));
	db_bind_bytes(q, 8, e->bytes);
	st = db_next(q);
	if (st == ST_ABSENT)
		st = ST_OK;
	else
		db_reset(q); /* also frees a binding that failed */
	if (st != ST_OK || why == NULL)
		return sq_failed(s, st);
	st = db_query(
	    &q, s->in.db, "INSERT INTO reasons(place, why) VALUES(?1, ?2)");
	if (st != ST_OK)
		return sq_failed(s, st);
	db_bind_u64(q, 1, e->place);
	db_bind_text(q, 2, bytes_str(why));
	return sq_failed(s, db_run(q));
}

enum status
sq_put_chain(struct store *base, const struct store_chain *c)
{
	struct sq_store *s = sq_of(base);
	struct db_stmt *q;
	enum status st;

	st = db_query(&q, s->in.db,
	    "INSERT INTO chains(no, branch, id, key, parent, base_seq,"
	    " base_link, last_seq, last_link, last_place, status)"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
	    " ON CONFLICT(no, branch) DO UPDATE SET last_seq = ?8,"
	    " last_link = ?9, last_place = ?10, status = ?11");
	if (st != ST_OK)
		return sq_failed(s, st);
	db_bind_u64(q, 1, c->no);
	db_bind_u64(q, 2, c->branch);
	db_bind_bytes(q, 3, bytes_of(c->id, CHAIN_LEN));
	db_bind_bytes(q, 4, bytes_of(c->key, PUBKEY_LEN));
	db_bind_u64(q, 5, c->parent);
	db_bind_u64(q, 6, c->base_seq);
	db_bind_bytes(q, 7, bytes_of(c->base_link, HASH_LEN));
	db_bind_u64(q, 8, c->last_seq);
	db_bind_bytes(q, 9, bytes_of(c->last_link, HASH_LEN));
	db_bind_u64(q, 10, c->last_place);
	db_bind_u64(q, 11, c->status);
	return sq_failed(s, db_run(q));
}

enum status
sq_put_commit(struct store *base, const struct store_commit *c)
{
	struct sq_store *s = sq_of(base);
	struct db_stmt *q;
	enum status st;

	st = db_query(&q, s->in.db,
	    "INSERT INTO commits(place, first, wall, pieces, sig)"
	    " VALUES(?1, ?2, ?3, ?4, ?5)");
	if (st != ST_OK)
		return sq_failed(s, st);
	db_bind_u64(q, 1, c->place);
	db_bind_u64(q, 2, c->first);
	db_bind_u64(q, 3, c->wall);
	db_bind_u64(q, 4, c->pieces);
	db_bind_bytes(q, 5, bytes_of(c->sig, SIG_LEN));
	return sq_failed(s, db_run(q));
}

enum status
sq_put_piece(struct store *base, uint64_t place, uint64_t index,
    const uint8_t line[PIECE_LINE_LEN])
{
	struct sq_store *s = sq_of(base);
	struct db_stmt *q;
	enum status st;

	st = db_query(&q, s->in.db,
	    "INSERT INTO pieces(place, idx, line) VALUES(?1, ?2, ?3)");
	if (st != ST_OK)
		return sq_failed(s, st);
	db_bind_u64(q, 1, place);
	db_bind_u64(q, 2, index);
	db_bind_bytes(q, 3, bytes_of(line, PIECE_LINE_LEN));
	return sq_failed(s, db_run(q));
}

enum status
sq_put_tile(struct store *base, unsigned level, uint64_t index,
    const uint8_t (*hash)[HASH_LEN])
{
	struct sq_store *s = sq_of(base);
	struct db_stmt *q;
	enum status st;

	assert(level < 8 && index < SQ_TILE_LEVEL);
	st = db_query(&q, s->in.db,
	    "INSERT INTO tiles(id, hashes) VALUES(?1, ?2)"
	    " ON CONFLICT(id) DO NOTHING");
	if (st != ST_OK)
		return sq_failed(s, st);
	db_bind_u64(q, 1, level * SQ_TILE_LEVEL + index);
	db_bind_bytes(q, 2, bytes_of(hash, 256 * HASH_LEN));
	return sq_failed(s, db_run(q));
}

enum status
sq_put_head(struct store *base, const struct frontier *f)
{
	struct sq_store *s = sq_of(base);
	uint8_t root[HASH_LEN];
	struct db_stmt *q;
	size_t count = 0;
	enum status st;

	for (uint64_t size = f->size; size != 0; size &= size - 1)
		count++;
	frontier_root(f, root);
	st = db_query(&q, s->in.db,
	    "INSERT INTO head(id, size, root, frontier) VALUES(1, ?1, ?2, ?3)"
	    " ON CONFLICT(id) DO UPDATE SET size = ?1, root = ?2,"
	    " frontier = ?3");
	if (st != ST_OK)
		return sq_failed(s, st);
	db_bind_u64(q, 1, f->size);
	db_bind_bytes(q, 2, bytes_of(root, HASH_LEN));
	db_bind_bytes(q, 3, bytes_of(f->hash, count * HASH_LEN));
	return sq_failed(s, db_run(q));
}

/* Put other bytes at a place, and tell projections. */
static enum status
replace(struct sq_store *s, uint64_t place, uint32_t flags, struct bytes bytes)
{
	struct db_stmt *q;
	enum status st;

	st = db_query(&q, s->in.db,
	    "UPDATE entries SET flags = ?2, bytes = ?3 WHERE place = ?1");
	if (st != ST_OK)
		return st;
	db_bind_u64(q, 1, place);
	db_bind_u64(q, 2, flags);
	db_bind_bytes(q, 3, bytes);
	st = db_run(q);
	if (st == ST_OK)
		st = db_query(
		    &q, s->in.db, "INSERT INTO fills(place) VALUES(?1)");
	if (st != ST_OK)
		return st;
	db_bind_u64(q, 1, place);
	return db_run(q);
}

enum status
sq_fill(struct store *base, uint64_t place, uint32_t flags, struct bytes bytes,
    const char *why)
{
	struct sq_store *s = sq_of(base);
	struct store_entry old;
	struct db_stmt *q;
	enum status st;

	assert((why != NULL) == ((flags & STORE_MALFORMED) != 0));
	st = sq_entry_head(&s->in.base, place, &old);
	if (st != ST_OK)
		return sq_failed(s, st);
	if ((old.flags & STORE_ERASED) != 0)
		return ST_DENIED;
	st = replace(s, place, flags, bytes);
	if (st != ST_OK || why == NULL)
		return sq_failed(s, st);
	st = db_query(&q, s->in.db,
	    "INSERT INTO reasons(place, why) VALUES(?1, ?2)"
	    " ON CONFLICT(place) DO UPDATE SET why = ?2");
	if (st != ST_OK)
		return sq_failed(s, st);
	db_bind_u64(q, 1, place);
	db_bind_text(q, 2, bytes_str(why));
	return sq_failed(s, db_run(q));
}

enum status
sq_erase(struct store *base, uint64_t place)
{
	struct sq_store *s = sq_of(base);
	struct store_entry e;
	const uint8_t *lf;
	enum status st;

	st = sq_entry(&s->in.base, place, &e);
	if (st != ST_OK)
		return sq_failed(s, st);
	lf = e.bytes.len == 0 ? NULL : memchr(e.bytes.p, '\n', e.bytes.len);
	if ((e.flags & STORE_LOST) == 0 && lf != NULL)
		e.bytes.len = (size_t)(lf - e.bytes.p);
	return sq_failed(s,
	    replace(s, place, e.flags | STORE_BLIND | STORE_ERASED, e.bytes));
}

enum status
sq_tidy(struct store *base)
{
	struct sq_store *s = sq_of(base);
	enum status st = db_checkpoint(s->in.db, true);

	/* A reader is in the way: the next checkpoint writes over it. */
	return st == ST_AGAIN ? ST_OK : sq_failed(s, st);
}
