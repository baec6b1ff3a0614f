/* tlog_repair: full tiles from the entries' links, where they are missing. */
#include <stdlib.h>

#include "server/core/tlog.h"

/* The hashes of one tile: leaves, or the roots of the tiles below. */
static enum status
make_tile(struct store_reader *r, unsigned level, uint64_t index,
    uint8_t (*hash)[HASH_LEN], struct buf *below)
{
	enum status st = ST_OK;

	if (level == 0) {
		st = store_links(r, index * TILE_WIDTH, TILE_WIDTH, hash);
		for (size_t i = 0; i < TILE_WIDTH && st == ST_OK; i++)
			merkle_leaf(hash[i], bytes_of(hash[i], HASH_LEN));
		return st;
	}
	for (size_t i = 0; i < TILE_WIDTH && st == ST_OK; i++) {
		buf_reset(below);
		st = store_tile(r, level - 1, index * TILE_WIDTH + i, below);
		if (st == ST_OK)
			tile_root(hash[i], below->p);
	}
	return st;
}

enum status
tlog_repair(struct store *s)
{
	struct store_reader *r = store_inside(s);
	uint8_t(*hash)[HASH_LEN] = calloc(TILE_WIDTH, HASH_LEN);
	struct store_head head;
	struct buf below;
	enum status st;

	if (hash == NULL)
		return ST_NOMEM;
	buf_init(&below, TILE_BYTES_MAX);
	st = store_head(r, &head);
	/* From below upwards: each level rests on the one before. */
	for (unsigned l = 0; l < TILE_LEVELS && st == ST_OK; l++) {
		head.size /= TILE_WIDTH;
		for (uint64_t i = 0; i < head.size && st == ST_OK; i++) {
			st = make_tile(r, l, i, hash, &below);
			if (st == ST_OK)
				st = store_put_tile(
				    s, l, i, (const uint8_t(*)[HASH_LEN])hash);
		}
	}
	buf_free(&below);
	free(hash);
	return st == ST_ABSENT ? ST_CORRUPT : st;
}
