#include "server/core/tlog_cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 512 };

struct tile_cache {
	struct xtile *bucket[BUCKETS];
	struct xtile *oldest, *newest;
	size_t count;
};

void
xtile_add(struct xtile *x, const uint8_t hash[HASH_LEN])
{
	unsigned i = x->width;
	uint8_t(*row)[HASH_LEN] = x->node;

	assert(i < TILE_WIDTH);
	memcpy(row[i], hash, HASH_LEN);
	x->width++;
	for (unsigned len = TILE_WIDTH; (i & 1) == 1; len /= 2, i /= 2) {
		merkle_node(row[len + i / 2], row[i - 1], row[i]);
		row += len;
		if (len == 2)
			break;
	}
}

const uint8_t *
xtile_root(const struct xtile *x)
{
	assert(x->width == TILE_WIDTH);
	return xtile_node(x, 8, 0);
}

/* ---- the cache */

static struct xtile **
bucket_of(struct tile_cache *c, unsigned level, uint64_t index)
{
	return &c->bucket[(index * 8 + level) % BUCKETS];
}

enum status
tile_cache_new(struct tile_cache **out)
{
	struct tile_cache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return ST_NOMEM;
	*out = c;
	return ST_OK;
}

void
tile_cache_free(struct tile_cache *c)
{
	if (c == NULL)
		return;
	while (c->oldest != NULL) {
		struct xtile *x = c->oldest;

		c->oldest = x->newer;
		free(x);
	}
	free(c);
}

static void
unlink_use(struct tile_cache *c, struct xtile *x)
{
	if (x->older != NULL)
		x->older->newer = x->newer;
	else
		c->oldest = x->newer;
	if (x->newer != NULL)
		x->newer->older = x->older;
	else
		c->newest = x->older;
	x->older = x->newer = NULL;
}

static void
link_newest(struct tile_cache *c, struct xtile *x)
{
	x->older = c->newest;
	x->newer = NULL;
	if (c->newest != NULL)
		c->newest->newer = x;
	else
		c->oldest = x;
	c->newest = x;
}

static struct xtile *
find(struct tile_cache *c, unsigned level, uint64_t index)
{
	struct xtile *x = *bucket_of(c, level, index);

	while (x != NULL && (x->level != level || x->index != index))
		x = x->next;
	return x;
}

struct xtile *
tile_cache_get(struct tile_cache *c, unsigned level, uint64_t index)
{
	struct xtile *x = find(c, level, index);

	if (x != NULL && x != c->newest) {
		unlink_use(c, x);
		link_newest(c, x);
	}
	return x;
}

static struct xtile *
drop_oldest(struct tile_cache *c)
{
	struct xtile *x = c->oldest;
	struct xtile **at = bucket_of(c, x->level, x->index);

	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
	x->next = NULL;
	unlink_use(c, x);
	c->count--;
	return x;
}

struct xtile *
tile_cache_put(struct tile_cache *c, struct xtile *x)
{
	struct xtile **at = bucket_of(c, x->level, x->index);
	struct xtile *out = NULL;

	assert(x->width == TILE_WIDTH);
	if (find(c, x->level, x->index) != NULL)
		return x;
	if (c->count == TILE_CACHE_TILES)
		out = drop_oldest(c);
	x->next = *at;
	*at = x;
	link_newest(c, x);
	c->count++;
	return out;
}
