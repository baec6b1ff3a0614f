#include "support/expect.h"

#include <string.h>

#include "base/buf.h"
#include "support/plain_tree.h"
#include "tlog/merkle.h"

struct many {
	bool wanted[PLAIN_LEAVES];
	uint64_t places[PLAIN_LEAVES];
	uint8_t leaves[PLAIN_LEAVES][HASH_LEN];
	size_t count;
};

static void
pick(struct many *m, size_t size, uint64_t *seed)
{
	uint64_t odds = plain_random(seed) % 8 + 1;

	memset(m, 0, sizeof(*m));
	while (m->count == 0) {
		for (size_t i = 0; i < size; i++) {
			m->wanted[i] = plain_random(seed) % odds == 0;
			if (!m->wanted[i])
				continue;
			m->places[m->count] = i;
			memcpy(m->leaves[m->count++], plain_leaf[i], HASH_LEN);
		}
	}
}

/* Catches a proof of one leaf, taken out of one of many, that is not the very
 * inclusion proof of RFC 6962. */
static void
test_many_gives_the_proof_of_each_of_its_leaves(void **state)
{
	uint64_t seed = 0x2545f4914f6cdd1d;
	struct buf proof;
	struct many m;

	(void)state;
	buf_init(&proof, PLAIN_LEAVES * HASH_LEN);
	for (size_t n = 1; n < PLAIN_LEAVES; n++) {
		pick(&m, n, &seed);
		buf_reset(&proof);
		EXPECT_OK(merkle_prove_many(merkle_read_leaves, &plain_tree,
		    m.places, m.count, n, &proof));
		for (size_t i = 0; i < m.count; i++) {
			struct merkle_proof want, got;

			EXPECT_OK(merkle_prove_inclusion(merkle_read_leaves,
			    &plain_tree, m.places[i], n, &want));
			EXPECT_OK(merkle_one_of_many(buf_view(&proof), m.places,
			    m.leaves, m.count, n, i, &got));
			EXPECT(got.count == want.count);
			EXPECT_BYTES(
			    bytes_of(got.hash[0], got.count * HASH_LEN),
			    bytes_of(want.hash[0], want.count * HASH_LEN));
		}
		EXPECT_ST(
		    merkle_one_of_many(buf_view(&proof), m.places, m.leaves,
			m.count, n, m.count, &(struct merkle_proof){ 0 }),
		    ST_DENIED);
		buf_u8(&proof, 0);
		EXPECT_ST(
		    merkle_one_of_many(buf_view(&proof), m.places, m.leaves,
			m.count, n, 0, &(struct merkle_proof){ 0 }),
		    ST_DENIED);
	}
	buf_free(&proof);
}

/* Catches a multi-inclusion proof that is not the one that FORMAT.md states
 * (longer than need be, or in another order), or that our check refuses. */
static void
test_many_is_the_fewest_hashes_left_to_right(void **state)
{
	uint64_t seed = 0x9e3779b97f4a7c15;
	struct buf want, got;
	struct many m;
	uint8_t root[HASH_LEN];

	(void)state;
	buf_init(&want, PLAIN_LEAVES * HASH_LEN);
	buf_init(&got, PLAIN_LEAVES * HASH_LEN);
	for (size_t n = 1; n < PLAIN_LEAVES; n++) {
		plain_root(root, 0, n);
		for (int round = 0; round < 30; round++) {
			pick(&m, n, &seed);
			buf_reset(&want);
			buf_reset(&got);
			plain_many(&want, m.wanted, 0, n);
			EXPECT_OK(merkle_prove_many(merkle_read_leaves,
			    &plain_tree, m.places, m.count, n, &got));
			EXPECT_BYTES(buf_view(&got), buf_view(&want));
			EXPECT_OK(merkle_check_many(buf_view(&got), m.places,
			    m.leaves, m.count, n, root));
		}
	}
	buf_free(&want);
	buf_free(&got);
}

/* Catches a check of many that takes a changed bit, a swapped leaf, another
 * size, or a proof that is cut or too long. */
static void
test_many_with_anything_changed_is_refused(void **state)
{
	uint64_t seed = 42;
	struct buf b;
	struct many m;
	uint8_t root[HASH_LEN], other[HASH_LEN];

	(void)state;
	buf_init(&b, (PLAIN_LEAVES + 1) * HASH_LEN);
	for (size_t n = 2; n < PLAIN_LEAVES; n += 3) {
		plain_root(root, 0, n);
		pick(&m, n, &seed);
		buf_reset(&b);
		EXPECT_OK(merkle_prove_many(
		    merkle_read_leaves, &plain_tree, m.places, m.count, n, &b));
		for (size_t i = 0; i < b.len * 8; i++) {
			b.p[i / 8] ^= (uint8_t)(1 << i % 8);
			EXPECT_ST(merkle_check_many(buf_view(&b), m.places,
				      m.leaves, m.count, n, root),
			    ST_DENIED);
			b.p[i / 8] ^= (uint8_t)(1 << i % 8);
		}
		for (size_t i = 0; i < m.count * HASH_LEN * 8; i++) {
			uint8_t *at = &m.leaves[0][0] + i / 8;

			*at ^= (uint8_t)(1 << i % 8);
			EXPECT_ST(merkle_check_many(buf_view(&b), m.places,
				      m.leaves, m.count, n, root),
			    ST_DENIED);
			*at ^= (uint8_t)(1 << i % 8);
		}
		for (size_t len = 0; len < b.len; len++)
			EXPECT_ST(merkle_check_many(bytes_of(b.p, len),
				      m.places, m.leaves, m.count, n, root),
			    ST_DENIED);
		buf_add(&b, root, HASH_LEN);
		EXPECT_ST(merkle_check_many(buf_view(&b), m.places, m.leaves,
			      m.count, n, root),
		    ST_DENIED);
		b.len -= HASH_LEN;
		plain_root(other, 0, n - 1);
		EXPECT_ST(merkle_check_many(buf_view(&b), m.places, m.leaves,
			      m.count, n, other),
		    ST_DENIED);
		EXPECT_OK(merkle_check_many(
		    buf_view(&b), m.places, m.leaves, m.count, n, root));
	}
	buf_free(&b);
}

/* Catches places that are none, repeated, out of order or past the end being
 * taken, and a refusal that leaves half a proof behind. */
static void
test_many_refuses_bad_places(void **state)
{
	static const uint64_t bad[][2] = { { 3, 3 }, { 4, 3 }, { 3, 9 },
		{ 9, 10 }, { 0, UINT64_MAX } };
	uint64_t good[2] = { 3, 8 };
	uint8_t two[2][HASH_LEN], root[HASH_LEN];
	struct buf b;

	(void)state;
	buf_init(&b, PLAIN_LEAVES * HASH_LEN);
	buf_str(&b, "kept");
	plain_root(root, 0, 9);
	memcpy(two[0], plain_leaf[3], HASH_LEN);
	memcpy(two[1], plain_leaf[8], HASH_LEN);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_ST(merkle_prove_many(merkle_read_leaves, &plain_tree,
			      bad[i], 2, 9, &b),
		    ST_INVALID);
		EXPECT_ST(merkle_check_many(bytes_of(root, HASH_LEN), bad[i],
			      two, 2, 9, root),
		    ST_DENIED);
	}
	EXPECT_ST(
	    merkle_prove_many(merkle_read_leaves, &plain_tree, good, 0, 9, &b),
	    ST_INVALID);
	/* The root itself "proves" no places at all. */
	EXPECT_ST(
	    merkle_check_many(bytes_of(root, HASH_LEN), good, two, 0, 9, root),
	    ST_DENIED);
	EXPECT_ST(merkle_prove_many(merkle_read_leaves, &plain_tree, good, 2,
		      PLAIN_LEAVES + 1, &b),
	    ST_ABSENT);
	EXPECT_BYTES(buf_view(&b), bytes_str("kept"));
	buf_free(&b);

	buf_init(&b, HASH_LEN);
	EXPECT_ST(
	    merkle_prove_many(merkle_read_leaves, &plain_tree, good, 2, 9, &b),
	    ST_LIMIT);
	EXPECT(b.len == 0);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_many_gives_the_proof_of_each_of_its_leaves),
		cmocka_unit_test(test_many_is_the_fewest_hashes_left_to_right),
		cmocka_unit_test(test_many_with_anything_changed_is_refused),
		cmocka_unit_test(test_many_refuses_bad_places),
	};

	return cmocka_run_group_tests(tests, plain_tree_setup, NULL);
}
