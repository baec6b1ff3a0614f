#ifndef SERVER_CORE_TLOG_CACHE_H
#define SERVER_CORE_TLOG_CACHE_H
/*
 * tlog_cache: tiles with the nodes inside them, and a bounded cache of such.
 * Private to the tlog module.
 *
 * An xtile holds the hashes of a tile (row 0) and all nodes above them up to
 * the tile's root (row 8): 16 KiB.  Adding a hash computes the nodes that it
 * completes, one on average, so that a tree that grows is hashed once.
 */
#include "tlog/merkle.h"
#include "tlog/tile.h"

enum {
	XTILE_NODES = 2 * TILE_WIDTH - 1,
	TILE_CACHE_TILES = 256 /* 4 MiB */
};

struct xtile {
	unsigned level;
	uint64_t index;
	unsigned width;                      /* hashes in row 0 */
	struct xtile *next;                  /* in a list: bucket, or spare */
	struct xtile *older, *newer;         /* in the cache, by last use */
	uint8_t node[XTILE_NODES][HASH_LEN]; /* row after row */
};

/* How many nodes a row has. */
static inline unsigned
xtile_row(unsigned row)
{
	return (unsigned)TILE_WIDTH >> row;
}

/* Node i of a row (0 … 8); rows stand one behind the other. */
static inline const uint8_t *
xtile_node(const struct xtile *x, unsigned row, uint64_t i)
{
	return x->node[2 * TILE_WIDTH - (2u * TILE_WIDTH >> row) + i];
}

/* The tile must not be full. */
void xtile_add(struct xtile *x, const uint8_t hash[HASH_LEN]);

/* The tile must be full. */
const uint8_t *xtile_root(const struct xtile *x);

struct tile_cache; /* private */
MUST_CHECK enum status tile_cache_new(struct tile_cache **out);
void tile_cache_free(struct tile_cache *c);

/* NULL if it is not there. */
struct xtile *tile_cache_get(
    struct tile_cache *c, unsigned level, uint64_t index);

/* Put a full tile in, the cache's from now on.  What comes back is the
 * caller's: the tile that had to make room, `x` itself if its like was there
 * already, or NULL. */
struct xtile *tile_cache_put(struct tile_cache *c, struct xtile *x);

#endif
