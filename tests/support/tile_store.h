#ifndef SUPPORT_TILE_STORE_H
#define SUPPORT_TILE_STORE_H
/*
 * tile_store: tiles in memory by their paths, with failures to order.
 */
#include "tlog/tile.h"

struct stored_tile {
	struct tile t;
	char path[TILE_PATH_MAX];
	size_t len;
	uint8_t data[TILE_WIDTH * (2 + HASH_LEN)];
};

struct tile_store {
	struct stored_tile *tile; /* owned */
	size_t count, cap;
	int fail_after; /* operations until one fails with ST_IO; < 0 never */
	size_t writes;
};

void tile_store_init(struct tile_store *s);
void tile_store_free(struct tile_store *s);
struct stored_tile *tile_store_find(struct tile_store *s, const struct tile *t);

/* tile_fetch and tile_write; arg is the store.  A tile written again must
 * carry the same bytes. */
enum status tile_store_fetch(void *arg, const struct tile *t, struct buf *out);
enum status tile_store_write(void *arg, const struct tile *t, struct bytes in);

#endif
