#ifndef TLOG_TILE_H
#define TLOG_TILE_H
/*
 * tile: the tree in files that never change (c2sp.org/tlog-tiles).
 *
 * A tile of level L and index N holds the hashes of 256 neighbouring perfect
 * subtrees of 256^L leaves each, or the first of them while the tree is not
 * large enough.  A narrower tile is the beginning of every wider one in its
 * place, so a store may keep the widest alone and cut.  An entry bundle holds
 * the leaf data of level 0; Daybreak's leaf data are links of 32 bytes.
 *
 * The writer trusts what it fetches (its own tiles).  The reader trusts
 * nothing: every hash it gives was checked against the root it was opened
 * with.
 */
#include "base/buf.h"
#include "base/limits.h"

enum {
	TILE_WIDTH = 256,
	TILE_LEVELS = 8, /* 256^8 leaves are more than MERKLE_SIZE_MAX */
	TILE_BYTES_MAX = TILE_WIDTH * HASH_LEN,
	TILE_PATH_MAX = 64,
	TILE_ENTRY_BYTES_MAX = 65535 /* one entry in a bundle */
};

struct tile {
	bool entries;   /* an entry bundle; its level is 0 */
	unsigned level; /* 0 … TILE_LEVELS - 1 */
	uint64_t index;
	unsigned width; /* 1 … TILE_WIDTH; below it the tile is partial */
};

/* Append "tile/0/x001/x234/067.p/5" or "tile/entries/…", no slash before. */
void tile_path(const struct tile *t, struct buf *out);

/* ST_INVALID for every other spelling, and for tiles of no possible tree. */
MUST_CHECK enum status tile_path_parse(struct tile *out, struct bytes path);

/* True if the tree of `size` leaves has all hashes of the tile. */
bool tile_within(const struct tile *t, uint64_t size);

/*
 * Append a tile's contents: its width of hashes or entries, or more of them (a
 * wider tile of the same place will do; what is too many is not looked at),
 * but never more than a full tile's.  ST_ABSENT, ST_IO; handed on.
 */
typedef enum status (*tile_fetch)(
    void *arg, const struct tile *t, struct buf *out);

/* Keep a tile's contents, in place of any narrower one.  Repeats carry the
 * same bytes.  Failures are handed on. */
typedef enum status (*tile_write)(
    void *arg, const struct tile *t, struct bytes in);

/*
 * Write every tile that the tree of old_size + count leaves has and that of
 * old_size has not: level by level upwards, `leaf` being the new leaf hashes.
 * Fetches the partial tiles of old_size that go on.  Done again after a crash
 * it writes the same.  ST_INVALID over MERKLE_SIZE_MAX; ST_CORRUPT if a
 * fetched tile is too short or too long; ST_NOMEM.
 */
MUST_CHECK enum status tile_write_hashes(tile_fetch fetch, tile_write write,
    void *arg, uint64_t old_size, const uint8_t (*leaf)[HASH_LEN],
    size_t count);

/* The same for entry bundles over leaf data of HASH_LEN bytes. */
MUST_CHECK enum status tile_write_links(tile_fetch fetch, tile_write write,
    void *arg, uint64_t old_size, const uint8_t (*link)[HASH_LEN],
    size_t count);

/* Append one entry to a bundle: u16be length, bytes. */
void tile_bundle_add(struct buf *out, struct bytes entry);

/* The leaf hashes of a bundle of exactly `width` entries.  ST_INVALID. */
MUST_CHECK enum status tile_bundle_hash(
    struct bytes bundle, unsigned width, uint8_t (*out)[HASH_LEN]);

/* The root above 256 hashes: the hash that stands for the tile one level up. */
void tile_root(uint8_t out[HASH_LEN], const uint8_t hash[TILE_BYTES_MAX]);

/*
 * A merkle_read (tlog/merkle.h) over the tiles of the tree with this size and
 * root.  Opening fetches the partial tiles of its right edge and checks them
 * against `root`; a full tile is checked on the way down to it and the last
 * one of each level is kept.  ST_CORRUPT: the tiles are not of that root;
 * ST_INVALID over MERKLE_SIZE_MAX; ST_NOMEM; what fetch says.
 *
 * Threads: one owner.  On ST_OK *out is the caller's to close.
 */
struct tile_reader; /* private to tile_reader.c */
MUST_CHECK enum status tile_reader_open(struct tile_reader **out,
    tile_fetch fetch, void *arg, uint64_t size, const uint8_t root[HASH_LEN]);
void tile_reader_close(struct tile_reader *r);

/* `arg` is the struct tile_reader.  ST_ABSENT past the tree's end. */
enum status tile_reader_read(
    void *arg, unsigned level, uint64_t index, uint8_t out[HASH_LEN]);

#endif
