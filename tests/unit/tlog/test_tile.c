#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include "support/plain_tree.h"
#include "support/tile_store.h"
#include "tlog/merkle.h"
#include "tlog/tile.h"

/* The example of c2sp.org/tlog-tiles is a tree of 70,000. */
enum { MANY = 70000 };

static uint8_t (*links)[HASH_LEN], (*leaves)[HASH_LEN];
static uint8_t (*roots)[HASH_LEN]; /* of every size */

static int
setup(void **state)
{
	struct frontier f;

	(void)state;
	links = calloc(MANY + 1, sizeof(*links));
	leaves = calloc(MANY + 1, sizeof(*leaves));
	roots = calloc(MANY + 1, sizeof(*roots));
	frontier_init(&f);
	for (size_t i = 0; i < MANY; i++) {
		be64_put(links[i], i * 0x9e3779b97f4a7c15);
		merkle_leaf(leaves[i], bytes_of(links[i], HASH_LEN));
		frontier_root(&f, roots[i]);
		frontier_add(&f, leaves[i]);
	}
	frontier_root(&f, roots[MANY]);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(links);
	free(leaves);
	free(roots);
	return 0;
}

static enum status
grow(struct tile_store *s, uint64_t from, uint64_t to)
{
	enum status st = tile_write_hashes(tile_store_fetch, tile_store_write,
	    s, from, (const uint8_t(*)[HASH_LEN])leaves + from, to - from);

	if (st != ST_OK)
		return st;
	return tile_write_links(tile_store_fetch, tile_store_write, s, from,
	    (const uint8_t(*)[HASH_LEN])links + from, to - from);
}

static bool
has(struct tile_store *s, const char *path)
{
	struct tile t;

	EXPECT_OK(tile_path_parse(&t, bytes_str(path)));
	return tile_store_find(s, &t) != NULL;
}

static size_t
count_tiles(const struct tile_store *s, bool entries, unsigned level, bool full)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct tile *t = &s->tile[i].t;

		n += t->entries == entries && t->level == level &&
		     (t->width == TILE_WIDTH) == full;
	}
	return n;
}

/* Catches a path with two spellings, or one that other readers of C2SP tiles
 * would not ask for. */
static void
test_paths_have_one_spelling(void **state)
{
	static const struct {
		const char *path;
		struct tile t;
	} good[] = {
		{ "tile/0/000", { false, 0, 0, 256 } },
		{ "tile/0/x001/x234/067", { false, 0, 1234067, 256 } },
		{ "tile/2/000.p/1", { false, 2, 0, 1 } },
		{ "tile/1/x001/000.p/255", { false, 1, 1000, 255 } },
		{ "tile/entries/273.p/112", { true, 0, 273, 112 } },
		{ "tile/0/x036/x028/x797/x018/x963/967.p/255",
		    { false, 0, 36028797018963967, 255 } },
		{ "tile/7/000.p/127", { false, 7, 0, 127 } },
	};
	static const char *const bad[] = { "", "tile", "tile/", "tile/0",
		"tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000",
		"tile/0/x000/000", "tile/0/x001", "tile/0/x001/",
		"tile/0/x1/000", "tile/0/001/000", "tile/0/x001/x000",
		"tile/00/000", "tile/8/000.p/1", "tile/63/000", "tile/-1/000",
		"tile/a/000", "tile/0/00a", "tile/0/000.p", "tile/0/000.p/",
		"tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01",
		"tile/0/000.p/1/", "tile/0/000.q/1", "tile/0/000/",
		"/tile/0/000", "tile/entries", "tile/entries/",
		"tile/entries/0", "tile/entry/000", "tile/7/000.p/128",
		"tile/7/000", "tile/0/x036/x028/x797/x018/x963/968",
		"tile/0/x036/x028/x797/x018/x963/967",
		"tile/0/x999/x999/x999/x999/x999/x999/999",
		"tile/0/x001/x000/x000/x000/x000/x000/x000/x000/000",
		("tile/0/x001/x000/x000/x000/x000/x000/x000/x000/x000/x000/x00"
		 "0/x000/x000/000") };
	struct tile t;
	struct buf b;

	(void)state;
	buf_init(&b, TILE_PATH_MAX);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		buf_reset(&b);
		tile_path(&good[i].t, &b);
		EXPECT_BYTES(buf_view(&b), bytes_str(good[i].path));
		EXPECT_OK(tile_path_parse(&t, bytes_str(good[i].path)));
		EXPECT(t.entries == good[i].t.entries &&
		       t.level == good[i].t.level &&
		       t.index == good[i].t.index &&
		       t.width == good[i].t.width);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (tile_path_parse(&t, bytes_str(bad[i])) != ST_INVALID)
			print_error("took %s\n", bad[i]);
		EXPECT_ST(tile_path_parse(&t, bytes_str(bad[i])), ST_INVALID);
	}
	EXPECT_ST(tile_path_parse(&t, bytes_of("tile/0/0\0"
					       "0",
					  10)),
	    ST_INVALID);
	for (uint64_t n = 1; n < MERKLE_SIZE_MAX / 600; n = n * 5 / 2 + 1) {
		struct tile in = { false, 0, n, 256 };

		buf_reset(&b);
		tile_path(&in, &b);
		EXPECT_OK(b.err);
		EXPECT_OK(tile_path_parse(&t, buf_view(&b)));
		EXPECT(t.index == n);
	}
	buf_free(&b);
}

/* Catches a tile offered before its leaves are in the tree. */
static void
test_tile_is_within_a_tree_that_has_all_its_hashes(void **state)
{
	struct tile t = { false, 1, 2, 3 };

	(void)state;
	EXPECT(!tile_within(&t, (2 * 256 + 3) * 256 - 1));
	EXPECT(tile_within(&t, (2 * 256 + 3) * 256));
	t.width = TILE_WIDTH;
	EXPECT(!tile_within(&t, 3 * 65536 - 1));
	EXPECT(tile_within(&t, 3 * 65536));
	t.level = 8;
	EXPECT(!tile_within(&t, MERKLE_SIZE_MAX));
	t = (struct tile){ false, 0, 0, 1 };
	EXPECT(!tile_within(&t, 0));
	EXPECT(tile_within(&t, 1));
}

/* Catches a writer that makes other tiles than the specification counts for
 * its example of 70,000 leaves. */
static void
test_tiles_are_those_of_the_specification(void **state)
{
	struct tile_store s;

	(void)state;
	tile_store_init(&s);
	EXPECT_OK(grow(&s, 0, MANY));
	EXPECT(count_tiles(&s, false, 0, true) == 273);
	EXPECT(count_tiles(&s, false, 0, false) == 1);
	EXPECT(has(&s, "tile/0/273.p/112"));
	EXPECT(count_tiles(&s, false, 1, true) == 1);
	EXPECT(count_tiles(&s, false, 1, false) == 1);
	EXPECT(has(&s, "tile/1/001.p/17"));
	EXPECT(count_tiles(&s, false, 2, false) == 1);
	EXPECT(has(&s, "tile/2/000.p/1"));
	EXPECT(count_tiles(&s, true, 0, true) == 273);
	EXPECT(has(&s, "tile/entries/273.p/112"));
	EXPECT(s.count == 273 + 1 + 1 + 1 + 1 + 273 + 1);
	tile_store_free(&s);

	tile_store_init(&s);
	EXPECT_OK(grow(&s, 0, 256));
	EXPECT(s.count == 3 && has(&s, "tile/0/000") &&
	       has(&s, "tile/1/000.p/1") && has(&s, "tile/entries/000"));
	tile_store_free(&s);
}

/* Catches tiles that depend on how the tree grew, a full tile written again,
 * and a partial one missing at a size that has a checkpoint. */
static void
test_growth_in_steps_gives_the_same_tiles(void **state)
{
	static const uint64_t sizes[] = { 0, 1, 2, 2, 255, 256, 257, 511, 513,
		1024, 1025, 65535, 65536, 65537, 65792, 66000, MANY };
	struct tile_store steps, once;

	(void)state;
	tile_store_init(&steps);
	for (size_t i = 1; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct tile_reader *r;
		uint8_t root[HASH_LEN];

		EXPECT_OK(grow(&steps, sizes[i - 1], sizes[i]));
		/* What stands must be enough for a reader, at every size. */
		EXPECT_OK(tile_reader_open(
		    &r, tile_store_fetch, &steps, sizes[i], roots[sizes[i]]));
		EXPECT_OK(merkle_root_at(tile_reader_read, r, sizes[i], root));
		assert_memory_equal(root, roots[sizes[i]], HASH_LEN);
		tile_reader_close(r);
	}
	EXPECT(steps.writes == steps.count);
	tile_store_init(&once);
	EXPECT_OK(grow(&once, 0, MANY));
	for (size_t i = 0; i < once.count; i++) {
		struct stored_tile *a = &once.tile[i];
		struct stored_tile *b = tile_store_find(&steps, &a->t);

		EXPECT(b != NULL && b->len == a->len);
		assert_memory_equal(a->data, b->data, a->len);
	}
	tile_store_free(&steps);
	tile_store_free(&once);
}

/* Catches a reader that gives another hash than the tree has: every subtree
 * of many sizes, in an order that drops what it keeps. */
static void
test_reader_gives_every_hash_of_the_tree(void **state)
{
	static const uint64_t sizes[] = { 1, 2, 3, 70, 255, 256, 257, 512, 700,
		65536, MANY };
	struct merkle_leaves all = { (const uint8_t(*)[HASH_LEN])leaves, 0 };
	uint64_t seed = 99;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t want[HASH_LEN], got[HASH_LEN];
		struct tile_store s;
		struct tile_reader *r;

		all.count = sizes[i];
		tile_store_init(&s);
		EXPECT_OK(grow(&s, 0, sizes[i]));
		EXPECT_OK(tile_reader_open(
		    &r, tile_store_fetch, &s, sizes[i], roots[sizes[i]]));
		for (unsigned level = 0; level < 18; level++) {
			uint64_t count = sizes[i] >> level;
			uint64_t step = count / 40 + 1;

			for (uint64_t n = 0; n < count; n += step) {
				uint64_t at = plain_random(&seed) % count;

				EXPECT_OK(
				    merkle_read_leaves(&all, level, at, want));
				EXPECT_OK(tile_reader_read(r, level, at, got));
				assert_memory_equal(got, want, HASH_LEN);
			}
			EXPECT_ST(
			    tile_reader_read(r, level, count, got), ST_ABSENT);
		}
		EXPECT_ST(tile_reader_read(r, 63, 0, got), ST_ABSENT);
		EXPECT_ST(tile_reader_read(r, 64, 0, got), ST_ABSENT);
		EXPECT_ST(tile_reader_read(r, 0, UINT64_MAX, got), ST_ABSENT);
		tile_reader_close(r);
		tile_store_free(&s);
	}
}

/* Every leaf through the reader; the first failure ends it. */
static enum status
read_all(struct tile_store *s, uint64_t size)
{
	struct tile_reader *r;
	uint8_t hash[HASH_LEN];
	enum status st;

	st = tile_reader_open(&r, tile_store_fetch, s, size, roots[size]);
	if (st != ST_OK)
		return st;
	for (uint64_t i = 0; st == ST_OK && i < size; i += 256)
		st = tile_reader_read(r, 0, i, hash);
	tile_reader_close(r);
	return st;
}

/* Catches a hash believed that the root does not cover: a changed bit in any
 * tile, a tile that is short, too long, gone, or of another root. */
static void
test_reader_believes_nothing_that_the_root_does_not_cover(void **state)
{
	const uint64_t size = 256 * 256 + 3 * 256 + 5;
	struct tile_reader *r;
	struct tile_store s;
	uint64_t seed = 5;

	(void)state;
	tile_store_init(&s);
	EXPECT_OK(tile_write_hashes(tile_store_fetch, tile_store_write, &s, 0,
	    (const uint8_t(*)[HASH_LEN])leaves, size));
	EXPECT_OK(read_all(&s, size));
	for (size_t i = 0; i < s.count; i++) {
		struct stored_tile *t = &s.tile[i];
		size_t bit = plain_random(&seed) % (t->len * 8);

		/* Of the many full tiles of level 0 a few will do. */
		if (t->t.level == 0 && t->t.width == TILE_WIDTH &&
		    t->t.index % 32 != 0)
			continue;
		t->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		EXPECT_ST(read_all(&s, size), ST_CORRUPT);
		t->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		t->len--;
		EXPECT_ST(read_all(&s, size), ST_CORRUPT);
		t->len++;
		t->t.index += 1000;
		EXPECT_ST(read_all(&s, size), ST_ABSENT);
		t->t.index -= 1000;
	}
	/* A partial tile may come wider, but not wider than full. */
	for (size_t i = 0; i < s.count; i++) {
		if (s.tile[i].t.width == TILE_WIDTH)
			continue;
		s.tile[i].len = TILE_BYTES_MAX;
		EXPECT_OK(read_all(&s, size));
		s.tile[i].len++;
		EXPECT_ST(read_all(&s, size), ST_CORRUPT);
		s.tile[i].len = s.tile[i].t.width * (size_t)HASH_LEN;
	}
	EXPECT_ST(
	    tile_reader_open(&r, tile_store_fetch, &s, size, roots[size - 1]),
	    ST_CORRUPT);
	tile_store_free(&s);
}

/* Catches tiles that a crash or a full disk leaves wrong: fail at each
 * operation in turn, then do the same again. */
static void
test_failed_write_done_again_gives_the_same_tiles(void **state)
{
	const uint64_t from = 65536 - 300, to = 65536 + 300;

	(void)state;
	for (int n = 0;; n++) {
		struct tile_store s;
		enum status st;

		tile_store_init(&s);
		EXPECT_OK(grow(&s, 0, from));
		s.fail_after = n;
		st = grow(&s, from, to);
		EXPECT(st == ST_OK || st == ST_IO);
		if (st == ST_OK) {
			EXPECT(n > 10);
			tile_store_free(&s);
			break;
		}
		s.fail_after = -1;
		EXPECT_OK(grow(&s, from, to));
		EXPECT_OK(read_all(&s, to));
		tile_store_free(&s);
	}
}

/* Catches a reader that loses a disk error, or goes wrong after one. */
static void
test_failed_fetch_is_told_and_harms_nothing(void **state)
{
	struct tile_store s;
	struct tile_reader *r;
	uint8_t hash[HASH_LEN];

	(void)state;
	tile_store_init(&s);
	EXPECT_OK(grow(&s, 0, MANY));
	for (int n = 0; n < 3; n++) {
		s.fail_after = n;
		EXPECT_ST(tile_reader_open(
			      &r, tile_store_fetch, &s, MANY, roots[MANY]),
		    ST_IO);
	}
	s.fail_after = -1;
	EXPECT_OK(
	    tile_reader_open(&r, tile_store_fetch, &s, MANY, roots[MANY]));
	for (uint64_t i = 0; i < 65536; i += 5000) {
		s.fail_after = 0;
		EXPECT_ST(tile_reader_read(r, 0, i, hash), ST_IO);
		s.fail_after = -1;
		EXPECT_OK(tile_reader_read(r, 0, i, hash));
		assert_memory_equal(hash, leaves[i], HASH_LEN);
	}
	/* A damaged tile must not stand in for the one kept before it. */
	for (uint64_t i = 0; i < 65536; i += 5000) {
		struct tile next = { false, 0, (i / 256 + 1) % 256, 256 };
		struct stored_tile *t = tile_store_find(&s, &next);

		EXPECT(t != NULL);
		EXPECT_OK(tile_reader_read(r, 0, i, hash));
		t->data[77] ^= 4;
		EXPECT_ST(
		    tile_reader_read(r, 0, next.index * 256, hash), ST_CORRUPT);
		t->data[77] ^= 4;
		EXPECT_OK(tile_reader_read(r, 0, i, hash));
		assert_memory_equal(hash, leaves[i], HASH_LEN);
	}
	tile_reader_close(r);
	tile_reader_close(NULL);
	tile_store_free(&s);
}

/* Catches a writer that goes on from a damaged partial tile, or past the
 * largest tree. */
static void
test_writer_refuses_what_it_cannot_go_on_from(void **state)
{
	struct tile_store s;

	(void)state;
	tile_store_init(&s);
	EXPECT_ST(grow(&s, 5, 6), ST_ABSENT);
	EXPECT_OK(grow(&s, 0, 5));
	s.tile[0].len--;
	EXPECT_ST(grow(&s, 5, 6), ST_CORRUPT);
	s.tile[0].len = TILE_BYTES_MAX + 1;
	EXPECT_ST(grow(&s, 5, 6), ST_CORRUPT);
	EXPECT_ST(tile_write_hashes(tile_store_fetch, tile_store_write, &s,
		      MERKLE_SIZE_MAX, (const uint8_t(*)[HASH_LEN])leaves, 1),
	    ST_INVALID);
	EXPECT_ST(tile_write_links(tile_store_fetch, tile_store_write, &s,
		      MERKLE_SIZE_MAX, (const uint8_t(*)[HASH_LEN])links, 1),
	    ST_INVALID);
	tile_store_free(&s);
}

/* Catches a writer that goes on behind a wider tile than it asked for. */
static void
test_writer_takes_a_wider_tile_for_a_narrower(void **state)
{
	struct tile_store s;

	(void)state;
	tile_store_init(&s);
	EXPECT_OK(tile_write_hashes(tile_store_fetch, tile_store_write, &s, 0,
	    (const uint8_t(*)[HASH_LEN])leaves, 5));
	s.tile[0].len = TILE_BYTES_MAX;
	memset(s.tile[0].data + 5 * HASH_LEN, 0xee, 100);
	EXPECT_OK(tile_write_hashes(tile_store_fetch, tile_store_write, &s, 5,
	    (const uint8_t(*)[HASH_LEN])leaves + 5, 295));
	EXPECT_OK(read_all(&s, 300));
	tile_store_free(&s);
}

/* Catches a bundle whose entries do not hash to the tile beside it, or one
 * that is taken though cut, too long or of another count. */
static void
test_bundle_hashes_to_the_tile_beside_it(void **state)
{
	uint8_t hash[TILE_WIDTH][HASH_LEN];
	struct stored_tile *bundle;
	struct tile_store s;
	struct buf b;

	(void)state;
	tile_store_init(&s);
	EXPECT_OK(grow(&s, 0, 300));
	bundle = tile_store_find(&s, &(struct tile){ true, 0, 1, 44 });
	EXPECT(bundle != NULL);
	EXPECT_OK(
	    tile_bundle_hash(bytes_of(bundle->data, bundle->len), 44, hash));
	assert_memory_equal(hash, leaves[256], 44 * HASH_LEN);
	for (size_t len = 0; len < bundle->len; len++)
		EXPECT_ST(
		    tile_bundle_hash(bytes_of(bundle->data, len), 44, hash),
		    ST_INVALID);
	EXPECT_ST(
	    tile_bundle_hash(bytes_of(bundle->data, bundle->len), 43, hash),
	    ST_INVALID);
	EXPECT_ST(
	    tile_bundle_hash(bytes_of(bundle->data, bundle->len), 45, hash),
	    ST_INVALID);
	tile_store_free(&s);

	/* Entries of any length, as the specification has them. */
	buf_init(&b, 100000);
	tile_bundle_add(&b, bytes_str(""));
	tile_bundle_add(&b, bytes_str("abc"));
	EXPECT_BYTES(buf_view(&b), bytes_of("\0\0\0\3abc", 7));
	EXPECT_OK(tile_bundle_hash(buf_view(&b), 2, hash));
	merkle_leaf(hash[2], bytes_str(""));
	merkle_leaf(hash[3], bytes_str("abc"));
	assert_memory_equal(hash[0], hash[2], 2 * HASH_LEN);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_have_one_spelling),
		cmocka_unit_test(
		    test_tile_is_within_a_tree_that_has_all_its_hashes),
		cmocka_unit_test(test_tiles_are_those_of_the_specification),
		cmocka_unit_test(test_growth_in_steps_gives_the_same_tiles),
		cmocka_unit_test(test_reader_gives_every_hash_of_the_tree),
		cmocka_unit_test(
		    test_reader_believes_nothing_that_the_root_does_not_cover),
		cmocka_unit_test(
		    test_failed_write_done_again_gives_the_same_tiles),
		cmocka_unit_test(test_failed_fetch_is_told_and_harms_nothing),
		cmocka_unit_test(test_writer_refuses_what_it_cannot_go_on_from),
		cmocka_unit_test(test_writer_takes_a_wider_tile_for_a_narrower),
		cmocka_unit_test(test_bundle_hashes_to_the_tile_beside_it),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
