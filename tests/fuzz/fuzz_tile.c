/*
 * A path that is read has one spelling.  A reader of tiles gives the tree's
 * own hashes or none, however the tiles were changed: the input chooses two
 * sizes to grow to and then, three bytes each, which fetch is spoiled, where,
 * and by what (a byte changed, or the tile cut short).
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "tlog/merkle.h"
#include "tlog/tile.h"

enum { LEAVES = 700, STORED = 64, SPOILS_MAX = 8 };

struct stored {
	struct tile t;
	size_t len;
	uint8_t data[TILE_BYTES_MAX];
};

static uint8_t leaf[LEAVES][HASH_LEN];
static struct merkle_leaves all = { leaf, LEAVES };
static struct stored store[STORED];
static size_t stored, fetches;
static struct bytes spoils;

static struct stored *
find(const struct tile *t)
{
	for (size_t i = 0; i < stored; i++) {
		if (store[i].t.level == t->level &&
		    store[i].t.index == t->index &&
		    store[i].t.width == t->width)
			return &store[i];
	}
	return NULL;
}

static enum status
put(void *arg, const struct tile *t, struct bytes in)
{
	struct stored *at = find(t);

	(void)arg;
	CHECK(in.len == t->width * (size_t)HASH_LEN);
	if (at == NULL) {
		CHECK(stored < STORED);
		at = &store[stored++];
	}
	at->t = *t;
	at->len = in.len;
	memcpy(at->data, in.p, in.len);
	return ST_OK;
}

static enum status
get(void *arg, const struct tile *t, struct buf *out)
{
	struct stored *at = find(t);
	size_t start = out->len;

	(void)arg;
	if (at == NULL)
		return ST_ABSENT;
	buf_add(out, at->data, at->len);
	for (size_t i = 0; i + 3 <= spoils.len; i += 3) {
		const uint8_t *s = spoils.p + i;
		size_t where = s[1] * 32u % at->len;

		if (s[0] != fetches % 256)
			continue;
		if (s[2] == 0)
			out->len = start + where;
		else
			out->p[start + where] ^= s[2];
	}
	fetches++;
	return ST_OK;
}

static void
check_path(struct bytes in)
{
	struct tile t;
	struct buf b;

	if (tile_path_parse(&t, in) != ST_OK)
		return;
	buf_init(&b, TILE_PATH_MAX);
	tile_path(&t, &b);
	CHECK(bytes_eq(buf_view(&b), in));
	CHECK(tile_within(&t, MERKLE_SIZE_MAX) && !tile_within(&t, 0));
	buf_free(&b);
}

static void
check_bundle(struct bytes in)
{
	static uint8_t hash[TILE_WIDTH][HASH_LEN];
	struct buf b;
	enum status st;

	if (in.len > 0) {
		st = tile_bundle_hash(
		    bytes_of(in.p + 1, in.len - 1), in.p[0] + 1u, hash);
		CHECK(st == ST_OK || st == ST_INVALID);
	}
	buf_init(&b, TILE_ENTRY_BYTES_MAX + 2);
	if (in.len > TILE_ENTRY_BYTES_MAX)
		in.len = TILE_ENTRY_BYTES_MAX;
	tile_bundle_add(&b, in);
	CHECK(tile_bundle_hash(buf_view(&b), 1, hash) == ST_OK);
	CHECK(tile_bundle_hash(buf_view(&b), 2, hash) == ST_INVALID);
	buf_free(&b);
}

static void
check_reader(uint64_t old, uint64_t size)
{
	uint8_t root[HASH_LEN], want[HASH_LEN], got[HASH_LEN];
	struct tile_reader *r;
	bool spoilt = spoils.len > 0;
	enum status st;

	CHECK(merkle_root_at(merkle_read_leaves, &all, size, root) == ST_OK);
	st = tile_reader_open(&r, get, NULL, size, root);
	CHECK(st == ST_OK || (spoilt && st == ST_CORRUPT));
	if (st != ST_OK)
		return;
	for (unsigned level = 0; size >> level > 0; level++) {
		uint64_t at = (old * 7 + level) % (size >> level);

		st = tile_reader_read(r, level, at, got);
		CHECK(st == ST_OK || (spoilt && st == ST_CORRUPT));
		if (st != ST_OK)
			continue;
		CHECK(merkle_read_leaves(&all, level, at, want) == ST_OK);
		CHECK(memcmp(want, got, HASH_LEN) == 0);
	}
	tile_reader_close(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t old, now;

	if (leaf[0][0] == 0) {
		for (size_t i = 0; i < LEAVES; i++) {
			memset(leaf[i], 1, HASH_LEN);
			be64_put(leaf[i] + 8, i);
		}
	}
	check_path(bytes_of(data, size));
	check_bundle(bytes_of(data, size));
	if (size < 4)
		return 0;
	old = (uint64_t)(data[0] << 8 | data[1]) % (LEAVES / 2);
	now = old + (uint64_t)(data[2] << 8 | data[3]) % (LEAVES / 2);
	stored = fetches = 0;
	spoils = bytes_of(NULL, 0);
	CHECK(tile_write_hashes(get, put, NULL, 0,
		  (const uint8_t(*)[HASH_LEN])leaf, old) == ST_OK);
	CHECK(tile_write_hashes(get, put, NULL, old,
		  (const uint8_t(*)[HASH_LEN])leaf + old, now - old) == ST_OK);
	fetches = 0;
	check_reader(old, now);
	spoils = bytes_of(
	    data + 4, size - 4 > 3 * SPOILS_MAX ? 3 * SPOILS_MAX : size - 4);
	fetches = 0;
	check_reader(old, now);
	return 0;
}
