#include "tlog/tile.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tlog/merkle.h"

/* A full tile that was checked; `index` says which, if any. */
struct slot {
	bool held;
	uint64_t index;
	uint8_t hash[TILE_BYTES_MAX];
};

struct tile_reader {
	tile_fetch fetch;
	void *arg;     /* borrowed, for fetch */
	uint64_t size; /* leaves */
	struct buf in; /* what was fetched last */

	/* The partial tiles of the right edge, one a level; empty where the
	 * number of hashes at that level is a multiple of 256.  Together they
	 * make the root, which is how they are checked. */
	uint8_t edge[TILE_LEVELS][TILE_BYTES_MAX];
	struct slot slot[TILE_LEVELS];
};

/* How many hashes the tree has at a level of tiles. */
static uint64_t
hashes_at(const struct tile_reader *r, unsigned level)
{
	return level < TILE_LEVELS ? r->size >> 8 * level : 0;
}

/* Fetch `width` hashes of a tile to out, unchecked. */
static enum status
fetch_to(struct tile_reader *r, unsigned level, uint64_t index, unsigned width,
    uint8_t *out)
{
	const struct tile t = {
		.level = level, .index = index, .width = width
	};
	enum status st;

	buf_reset(&r->in);
	st = r->fetch(r->arg, &t, &r->in);
	if (r->in.err != ST_OK)
		return r->in.err == ST_LIMIT ? ST_CORRUPT : r->in.err;
	if (st != ST_OK)
		return st;
	if (r->in.len < width * (size_t)HASH_LEN)
		return ST_CORRUPT;
	memcpy(out, r->in.p, width * (size_t)HASH_LEN);
	return ST_OK;
}

/* The checked tile at that place if it is at hand: of the edge, or kept. */
static const uint8_t *
at_hand(const struct tile_reader *r, unsigned level, uint64_t index)
{
	if (index == hashes_at(r, level) / TILE_WIDTH)
		return r->edge[level];
	if (r->slot[level].held && r->slot[level].index == index)
		return r->slot[level].hash;
	return NULL;
}

/*
 * The checked tile at that place.  A full tile's root is a hash of the tile
 * above it; climb to one that is at hand (at the latest the top one, which is
 * of the edge), then come down again, checking each.
 */
static enum status
load(struct tile_reader *r, unsigned level, uint64_t index, const uint8_t **out)
{
	unsigned up = level;
	const uint8_t *tile;

	while ((tile = at_hand(r, up, index >> 8 * (up - level))) == NULL) {
		up++;
		assert(up < TILE_LEVELS);
	}
	while (up > level) {
		uint64_t child = index >> 8 * (up - 1 - level);
		const uint8_t *want = tile + child % TILE_WIDTH * HASH_LEN;
		struct slot *s = &r->slot[--up];
		uint8_t root[HASH_LEN];
		enum status st;

		s->held = false;
		st = fetch_to(r, up, child, TILE_WIDTH, s->hash);
		if (st != ST_OK)
			return st;
		tile_root(root, s->hash);
		if (memcmp(root, want, HASH_LEN) != 0)
			return ST_CORRUPT;
		s->held = true;
		s->index = child;
		tile = s->hash;
	}
	*out = tile;
	return ST_OK;
}

enum status
tile_reader_read(
    void *arg, unsigned level, uint64_t index, uint8_t out[HASH_LEN])
{
	struct tile_reader *r = arg;
	unsigned tile_level = level / 8, height = level % 8;
	uint64_t count = hashes_at(r, tile_level), first;
	uint8_t hash[TILE_WIDTH / 2][HASH_LEN];
	const uint8_t *tile;
	enum status st;

	if (index >= count >> height)
		return ST_ABSENT;
	first = index << height;
	st = load(r, tile_level, first / TILE_WIDTH, &tile);
	if (st != ST_OK)
		return st;
	tile += first % TILE_WIDTH * HASH_LEN;
	memcpy(hash, tile, ((size_t)1 << height) * HASH_LEN);
	for (size_t n = (size_t)1 << height; n > 1; n /= 2) {
		for (size_t i = 0; i < n / 2; i++)
			merkle_node(hash[i], hash[2 * i], hash[2 * i + 1]);
	}
	memcpy(out, hash[0], HASH_LEN);
	return ST_OK;
}

enum status
tile_reader_open(struct tile_reader **out, tile_fetch fetch, void *arg,
    uint64_t size, const uint8_t root[HASH_LEN])
{
	struct tile_reader *r = NULL;
	uint8_t got[HASH_LEN];
	enum status st = ST_NOMEM;

	if (size > MERKLE_SIZE_MAX)
		return ST_INVALID;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		goto out;
	r->fetch = fetch;
	r->arg = arg;
	r->size = size;
	buf_init(&r->in, TILE_BYTES_MAX);
	for (unsigned level = 0; level < TILE_LEVELS; level++) {
		uint64_t count = hashes_at(r, level);
		unsigned width = (unsigned)(count % TILE_WIDTH);

		if (width == 0)
			continue;
		st = fetch_to(
		    r, level, count / TILE_WIDTH, width, r->edge[level]);
		if (st != ST_OK)
			goto out;
	}
	st = merkle_root_at(tile_reader_read, r, size, got);
	if (st == ST_OK && memcmp(got, root, HASH_LEN) != 0)
		st = ST_CORRUPT;
	if (st != ST_OK)
		goto out;
	*out = r;
	r = NULL;
out:
	tile_reader_close(r);
	return st;
}

void
tile_reader_close(struct tile_reader *r)
{
	if (r == NULL)
		return;
	buf_free(&r->in);
	free(r);
}
