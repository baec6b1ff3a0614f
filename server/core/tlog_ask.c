/* tlog_ask: what everybody asks of the tree. */
#include <stdlib.h>
#include <string.h>

#include "server/core/tlog_inner.h"

/* A tile in memory; `lock` is held. */
static const struct xtile *
in_memory(struct tlog *t, unsigned level, uint64_t index)
{
	const struct xtile *x = t->edge[level];

	if (x != NULL && x->index == index)
		return x;
	/* A few at most: those of one transaction under way. */
	for (size_t i = 0; i < t->fresh_count; i++)
		if (t->fresh[i]->level == level && t->fresh[i]->index == index)
			return t->fresh[i];
	return tile_cache_get(t->cache, level, index);
}

/* Read a full tile from the store into the cache; `lock` is held, and given
 * away meanwhile, so that nobody waits for this disk read but who reads too. */
static enum status
bring(struct tlog *t, unsigned level, uint64_t index)
{
	struct xtile *x = calloc(1, sizeof(*x));
	enum status st;

	if (x == NULL)
		return ST_NOMEM;
	x->level = level;
	x->index = index;
	(void)pthread_mutex_unlock(&t->lock);
	(void)pthread_mutex_lock(&t->load);
	buf_reset(&t->buf);
	st = store_tile(t->r, level, index, &t->buf);
	for (size_t i = 0; i < TILE_WIDTH && st == ST_OK; i++)
		xtile_add(x, t->buf.p + i * HASH_LEN);
	(void)pthread_mutex_unlock(&t->load);
	(void)pthread_mutex_lock(&t->lock);
	if (st == ST_OK)
		x = tile_cache_put(t->cache, x);
	free(x);
	return st == ST_ABSENT ? ST_CORRUPT : st;
}

/* Copy `count` nodes of one row of a tile. */
static enum status
nodes(struct tlog *t, unsigned level, uint64_t index, unsigned row,
    unsigned first, unsigned count, uint8_t *out)
{
	const struct xtile *x;
	enum status st = ST_OK;

	(void)pthread_mutex_lock(&t->lock);
	for (;;) {
		x = in_memory(t, level, index);
		if (x != NULL || st != ST_OK)
			break;
		st = bring(t, level, index);
	}
	if (x != NULL) {
		memcpy(out, xtile_node(x, row, first), count * HASH_LEN);
		st = ST_OK;
	}
	(void)pthread_mutex_unlock(&t->lock);
	return st;
}

uint64_t
tlog_size(struct tlog *t)
{
	uint64_t size;

	(void)pthread_mutex_lock(&t->lock);
	size = t->size;
	(void)pthread_mutex_unlock(&t->lock);
	return size;
}

enum status
tlog_read(void *arg, unsigned level, uint64_t index, uint8_t out[HASH_LEN])
{
	struct tlog *t = arg;
	unsigned row = level % 8;
	unsigned first = (unsigned)index & (xtile_row(row) - 1);

	if (level >= 63 || index >= tlog_size(t) >> level)
		return ST_ABSENT;
	return nodes(t, level / 8, index >> (8 - row), row, first, 1, out);
}

enum status
tlog_root(struct tlog *t, uint64_t size, uint8_t out[HASH_LEN])
{
	if (size > tlog_size(t))
		return ST_ABSENT;
	return merkle_root_at(tlog_read, t, size, out);
}

enum status
tlog_inclusion(
    struct tlog *t, uint64_t place, uint64_t size, struct merkle_proof *out)
{
	if (size > tlog_size(t))
		return ST_ABSENT;
	return merkle_prove_inclusion(tlog_read, t, place, size, out);
}

enum status
tlog_consistency(
    struct tlog *t, uint64_t old_size, uint64_t size, struct merkle_proof *out)
{
	if (size > tlog_size(t))
		return ST_ABSENT;
	return merkle_prove_consistency(tlog_read, t, old_size, size, out);
}

enum status
tlog_many(struct tlog *t, const uint64_t *places, size_t count, uint64_t size,
    struct buf *out)
{
	if (size > tlog_size(t))
		return ST_ABSENT;
	return merkle_prove_many(tlog_read, t, places, count, size, out);
}

static enum status
bundle(struct tlog *t, const struct tile *what, struct buf *out)
{
	uint8_t link[TILE_WIDTH][HASH_LEN];
	enum status st;

	(void)pthread_mutex_lock(&t->load);
	st = store_links(t->r, what->index * TILE_WIDTH, what->width, link);
	(void)pthread_mutex_unlock(&t->load);
	for (unsigned i = 0; i < what->width && st == ST_OK; i++)
		tile_bundle_add(out, bytes_of(link[i], HASH_LEN));
	return st == ST_OK ? out->err : st;
}

enum status
tlog_tile(
    struct tlog *t, const struct tile *what, uint64_t size, struct buf *out)
{
	size_t len = what->width * (size_t)HASH_LEN;
	uint8_t *p;
	enum status st;

	if (size > tlog_size(t) || !tile_within(what, size))
		return ST_ABSENT;
	if (what->entries)
		return bundle(t, what, out);
	p = buf_extend(out, len);
	if (p == NULL)
		return out->err;
	st = nodes(t, what->level, what->index, 0, 0, what->width, p);
	if (st != ST_OK)
		out->len -= len;
	return st;
}
