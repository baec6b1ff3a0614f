#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/sha.h"
#include "support/plain_tree.h"
#include "tlog/merkle.h"

static struct bytes
proof_bytes(const struct merkle_proof *p)
{
	return bytes_of(p->hash, p->count * HASH_LEN);
}

static void
expect_hex(const uint8_t hash[HASH_LEN], const char *hex)
{
	char got[2 * HASH_LEN + 1];

	hex_encode(got, bytes_of(hash, HASH_LEN));
	EXPECT_BYTES(bytes_str(got), bytes_str(hex));
}

/* Catches a wrong prefix byte or a wrong shape: the leaves and roots that the
 * Certificate Transparency implementations test with. */
static void
test_roots_are_those_of_rfc_6962_implementations(void **state)
{
	static const char *const data[8] = { "", "00", "10", "2021", "3031",
		"40414243", "5051525354555657",
		"606162636465666768696a6b6c6d6e6f" };
	static const char *const root[9] = {
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8"
		"55",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa0"
		"1d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c1"
		"25",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e"
		"77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614"
		"b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264"
		"d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087"
		"ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c"
		"8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff46043"
		"28",
	};
	struct frontier f;
	uint8_t hash[HASH_LEN], raw[16];

	(void)state;
	frontier_init(&f);
	frontier_root(&f, hash);
	expect_hex(hash, root[0]);
	for (size_t i = 0; i < 8; i++) {
		size_t len = strlen(data[i]) / 2;

		EXPECT_OK(hex_decode(raw, len, bytes_str(data[i])));
		merkle_leaf(hash, bytes_of(raw, len));
		frontier_add(&f, hash);
		frontier_root(&f, hash);
		expect_hex(hash, root[i + 1]);
	}
}

/* Catches a frontier that loses or misplaces a subtree at some size, and a
 * writer that, restarted from stored hashes, goes on another way. */
static void
test_frontier_root_equals_definition_at_every_size(void **state)
{
	struct frontier f, again;
	uint8_t want[HASH_LEN], got[HASH_LEN];

	(void)state;
	frontier_init(&f);
	for (size_t n = 0; n < PLAIN_LEAVES; n++) {
		plain_root(want, 0, n);
		frontier_root(&f, got);
		assert_memory_equal(got, want, HASH_LEN);
		EXPECT_OK(
		    merkle_root_at(merkle_read_leaves, &plain_tree, n, got));
		assert_memory_equal(got, want, HASH_LEN);
		EXPECT_OK(merkle_frontier_at(
		    merkle_read_leaves, &plain_tree, n, &again));
		frontier_add(&again, plain_leaf[n]);
		frontier_add(&f, plain_leaf[n]);
		frontier_root(&f, want);
		frontier_root(&again, got);
		assert_memory_equal(got, want, HASH_LEN);
	}
}

/* Catches an inclusion proof of another shape than RFC 6962's, one that our
 * own check refuses, and one that proves another place, size or leaf. */
static void
test_inclusion_at_every_place_of_every_size(void **state)
{
	struct merkle_proof p;
	struct buf want;
	uint8_t root[HASH_LEN];

	(void)state;
	buf_init(&want, 64 * HASH_LEN);
	for (size_t n = 1; n < PLAIN_LEAVES; n++) {
		plain_root(root, 0, n);
		for (size_t i = 0; i < n; i++) {
			buf_reset(&want);
			plain_path(&want, i, 0, n);
			EXPECT_OK(merkle_prove_inclusion(
			    merkle_read_leaves, &plain_tree, i, n, &p));
			EXPECT_BYTES(proof_bytes(&p), buf_view(&want));
			EXPECT_OK(merkle_check_inclusion(
			    &p, i, n, plain_leaf[i], root));
			EXPECT_ST(merkle_check_inclusion(&p, i, n,
				      plain_leaf[(i + 1) % PLAIN_LEAVES], root),
			    ST_DENIED);
			for (size_t j = 0; j < n; j++) {
				if (j != i)
					EXPECT_ST(merkle_check_inclusion(&p, j,
						      n, plain_leaf[i], root),
					    ST_DENIED);
			}
		}
		EXPECT_ST(merkle_prove_inclusion(
			      merkle_read_leaves, &plain_tree, n, n, &p),
		    ST_INVALID);
		EXPECT_ST(merkle_check_inclusion(&p, n, n, plain_leaf[0], root),
		    ST_DENIED);
	}
	buf_free(&want);
}

/* Catches a verifier that does not look at every bit of a proof, of the leaf
 * or of the root, or takes a hash too many or too few. */
static void
test_inclusion_with_any_bit_changed_is_refused(void **state)
{
	static const size_t sizes[] = { 1, 2, 7, 8, 13, 70 };
	struct merkle_proof p, bad;
	uint8_t root[HASH_LEN];

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		size_t n = sizes[s];

		plain_root(root, 0, n);
		for (size_t i = 0; i < n; i++) {
			EXPECT_OK(merkle_prove_inclusion(
			    merkle_read_leaves, &plain_tree, i, n, &p));
			for (size_t b = 0; b < p.count * HASH_LEN * 8; b++) {
				bad = p;
				bad.hash[b / 256][b / 8 % 32] ^=
				    (uint8_t)(1 << b % 8);
				EXPECT_ST(merkle_check_inclusion(
					      &bad, i, n, plain_leaf[i], root),
				    ST_DENIED);
			}
			for (size_t b = 0; b < HASH_LEN * 8; b++) {
				uint8_t hash[HASH_LEN];

				memcpy(hash, root, HASH_LEN);
				hash[b / 8] ^= (uint8_t)(1 << b % 8);
				EXPECT_ST(merkle_check_inclusion(
					      &p, i, n, plain_leaf[i], hash),
				    ST_DENIED);
				memcpy(hash, plain_leaf[i], HASH_LEN);
				hash[b / 8] ^= (uint8_t)(1 << b % 8);
				EXPECT_ST(merkle_check_inclusion(
					      &p, i, n, hash, root),
				    ST_DENIED);
			}
			for (size_t c = 0; c <= MERKLE_PROOF_MAX; c++) {
				bad = p;
				bad.count = c;
				if (c != p.count)
					EXPECT_ST(
					    merkle_check_inclusion(&bad, i, n,
						plain_leaf[i], root),
					    ST_DENIED);
			}
		}
	}
}

/* Catches a consistency proof of another shape than RFC 6962's, or one that
 * is good for two other trees. */
static void
test_consistency_between_every_two_sizes(void **state)
{
	struct merkle_proof p;
	struct buf want;
	uint8_t roots[PLAIN_LEAVES][HASH_LEN];

	(void)state;
	buf_init(&want, 64 * HASH_LEN);
	for (size_t n = 0; n < PLAIN_LEAVES; n++)
		plain_root(roots[n], 0, n);
	for (size_t n = 0; n < PLAIN_LEAVES; n++) {
		for (size_t m = 0; m <= n; m++) {
			buf_reset(&want);
			if (m > 0)
				plain_subproof(&want, m, 0, n, true);
			EXPECT_OK(merkle_prove_consistency(
			    merkle_read_leaves, &plain_tree, m, n, &p));
			EXPECT_BYTES(proof_bytes(&p), buf_view(&want));
			EXPECT_OK(merkle_check_consistency(
			    &p, m, roots[m], n, roots[n]));
			for (size_t o = 1; o < PLAIN_LEAVES; o++) {
				if (o == m || m == 0)
					continue;
				EXPECT_ST(merkle_check_consistency(
					      &p, o, roots[o], n, roots[n]),
				    o == n && p.count == 0 ? ST_OK : ST_DENIED);
			}
		}
		EXPECT_ST(merkle_prove_consistency(
			      merkle_read_leaves, &plain_tree, n + 1, n, &p),
		    ST_INVALID);
		p.count = 0;
		EXPECT_ST(
		    merkle_check_consistency(&p, n + 1, roots[n], n, roots[n]),
		    ST_DENIED);
	}
	buf_free(&want);
}

/* Catches a log that rewrites its past and gets away with it: any bit of the
 * proof or of either root, a hash more or less, a shortened tree. */
static void
test_consistency_with_any_bit_changed_is_refused(void **state)
{
	static const size_t sizes[] = { 2, 7, 8, 70 };
	uint8_t roots[2][HASH_LEN];
	struct merkle_proof p, bad;

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		size_t n = sizes[s];

		plain_root(roots[1], 0, n);
		for (size_t m = 1; m <= n; m++) {
			plain_root(roots[0], 0, m);
			EXPECT_OK(merkle_prove_consistency(
			    merkle_read_leaves, &plain_tree, m, n, &p));
			for (size_t b = 0; b < p.count * HASH_LEN * 8; b++) {
				bad = p;
				bad.hash[b / 256][b / 8 % 32] ^=
				    (uint8_t)(1 << b % 8);
				EXPECT_ST(merkle_check_consistency(
					      &bad, m, roots[0], n, roots[1]),
				    ST_DENIED);
			}
			for (size_t b = 0; b < 2 * HASH_LEN * 8; b++) {
				uint8_t x[2][HASH_LEN];

				memcpy(x, roots, sizeof(x));
				x[b / 256][b / 8 % 32] ^= (uint8_t)(1 << b % 8);
				EXPECT_ST(merkle_check_consistency(
					      &p, m, x[0], n, x[1]),
				    ST_DENIED);
			}
			for (size_t c = 0; c <= MERKLE_PROOF_MAX + 1; c++) {
				bad = p;
				bad.count = c;
				if (c != p.count)
					EXPECT_ST(merkle_check_consistency(&bad,
						      m, roots[0], n, roots[1]),
					    ST_DENIED);
			}
		}
	}
	/* A proof that ends before the size it is said to be for does. */
	plain_root(roots[0], 0, 1);
	plain_root(roots[1], 0, 2);
	EXPECT_OK(merkle_prove_consistency(
	    merkle_read_leaves, &plain_tree, 1, 2, &p));
	EXPECT_OK(merkle_check_consistency(&p, 1, roots[0], 2, roots[1]));
	EXPECT_ST(
	    merkle_check_consistency(&p, 1, roots[0], 3, roots[1]), ST_DENIED);
	p.count = 1;
	EXPECT_ST(
	    merkle_check_consistency(&p, 0, roots[0], 70, roots[1]), ST_DENIED);
}

/* A tree too large to store, all its leaves alike: one hash a level. */
static enum status
read_alike(void *arg, unsigned level, uint64_t index, uint8_t out[HASH_LEN])
{
	const uint64_t *size = arg;

	/* Whole below the size, or what is asked for cannot be known. */
	EXPECT(level < 64 && (*size >> level) > index);
	memset(out, 7, HASH_LEN);
	while (level-- > 0)
		merkle_node(out, out, out);
	return ST_OK;
}

static void
check_large(uint64_t n, uint64_t at)
{
	uint64_t places[2] = { at, n - 1 };
	uint8_t leaf[2][HASH_LEN], old_root[HASH_LEN], root[HASH_LEN];
	size_t count = at == n - 1 ? 1 : 2;
	struct merkle_proof p;
	struct buf b;

	memset(leaf, 7, sizeof(leaf));
	EXPECT_OK(merkle_root_at(read_alike, &n, n, root));
	EXPECT_OK(merkle_root_at(read_alike, &at, at, old_root));

	EXPECT_OK(merkle_prove_inclusion(read_alike, &n, at, n, &p));
	EXPECT_OK(merkle_check_inclusion(&p, at, n, leaf[0], root));
	EXPECT_ST(merkle_check_inclusion(&p, at, n, root, root), ST_DENIED);

	EXPECT_OK(merkle_prove_consistency(read_alike, &n, at, n, &p));
	EXPECT_OK(merkle_check_consistency(&p, at, old_root, n, root));
	if (at > 0)
		EXPECT_ST(
		    merkle_check_consistency(&p, at, root, n, root), ST_DENIED);

	buf_init(&b, 128 * HASH_LEN);
	EXPECT_OK(merkle_prove_many(read_alike, &n, places, count, n, &b));
	EXPECT_OK(
	    merkle_check_many(buf_view(&b), places, leaf, count, n, root));
	b.len -= HASH_LEN;
	EXPECT_ST(merkle_check_many(buf_view(&b), places, leaf, count, n, root),
	    ST_DENIED);
	buf_free(&b);
}

/* Catches an overflow, an endless loop or a proof that does not fit at the
 * sizes that a hostile checkpoint may state. */
static void
test_largest_sizes_are_proved_and_checked(void **state)
{
	static const uint64_t sizes[] = { MERKLE_SIZE_MAX, MERKLE_SIZE_MAX - 1,
		(uint64_t)1 << 62, ((uint64_t)1 << 62) + 1 };
	struct merkle_proof p;
	uint64_t n = MERKLE_SIZE_MAX;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		n = sizes[i];
		check_large(n, 0);
		check_large(n, 1);
		check_large(n, n / 2);
		check_large(n, n / 3);
		check_large(n, n - 2);
		check_large(n, n - 1);
	}
	n = MERKLE_SIZE_MAX;
	EXPECT_OK(merkle_prove_consistency(read_alike, &n, 1, n, &p));
	EXPECT(p.count == 63);
	EXPECT_OK(merkle_prove_consistency(
	    read_alike, &n, MERKLE_SIZE_MAX / 2, n, &p));
	EXPECT(p.count <= MERKLE_PROOF_MAX);
}

/* Catches a size over the limit being worked with. */
static void
test_sizes_over_the_limit_are_refused(void **state)
{
	static const uint8_t zero[1][HASH_LEN];
	static const uint64_t over[] = { MERKLE_SIZE_MAX + 1, UINT64_MAX };
	struct merkle_proof p = { 0 };
	uint8_t hash[HASH_LEN];
	uint64_t place = 0;
	struct buf b;

	(void)state;
	buf_init(&b, 128 * HASH_LEN);
	for (size_t i = 0; i < 2; i++) {
		uint64_t n = over[i];

		EXPECT_ST(merkle_root_at(read_alike, &n, n, hash), ST_INVALID);
		EXPECT_ST(merkle_prove_inclusion(read_alike, &n, 0, n, &p),
		    ST_INVALID);
		EXPECT_ST(merkle_prove_consistency(read_alike, &n, 1, n, &p),
		    ST_INVALID);
		EXPECT_ST(merkle_prove_many(read_alike, &n, &place, 1, n, &b),
		    ST_INVALID);
		for (p.count = 0; p.count <= 64; p.count++) {
			EXPECT_ST(
			    merkle_check_inclusion(&p, 0, n, zero[0], zero[0]),
			    ST_DENIED);
			EXPECT_ST(merkle_check_consistency(
				      &p, 0, zero[0], n, zero[0]),
			    ST_DENIED);
		}
		EXPECT_ST(merkle_check_many(
			      bytes_of(NULL, 0), &place, zero, 1, n, zero[0]),
		    ST_DENIED);
	}
	buf_free(&b);
}

static enum status
read_failing(void *arg, unsigned level, uint64_t index, uint8_t out[HASH_LEN])
{
	int *left = arg;

	if ((*left)-- == 0)
		return ST_IO;
	return merkle_read_leaves(&plain_tree, level, index, out);
}

/* Catches a disk error at the n-th hash being lost, or a result half written
 * in spite of it. */
static void
test_failed_read_is_handed_on_and_nothing_written(void **state)
{
	uint64_t places[2] = { 5, 44 };
	struct merkle_proof p;
	struct frontier f;
	uint8_t hash[HASH_LEN];
	struct buf b;
	int failures = 0;

	(void)state;
	buf_init(&b, 64 * HASH_LEN);
	for (int n = 0;; n++) {
		enum status st[5];
		int left;

		memset(&p, 0xee, sizeof(p));
		memset(&f, 0xee, sizeof(f));
		memset(hash, 0xee, sizeof(hash));
		buf_reset(&b);
		left = n;
		st[0] = merkle_root_at(read_failing, &left, 70, hash);
		EXPECT(st[0] == ST_OK || hash[0] == 0xee);
		left = n;
		st[1] = merkle_frontier_at(read_failing, &left, 70, &f);
		EXPECT(st[1] == ST_OK || f.size == 0xeeeeeeeeeeeeeeee);
		left = n;
		st[2] = merkle_prove_inclusion(read_failing, &left, 5, 70, &p);
		EXPECT(st[2] == ST_OK || p.hash[0][0] == 0xee);
		left = n;
		memset(&p, 0xee, sizeof(p));
		st[3] =
		    merkle_prove_consistency(read_failing, &left, 37, 70, &p);
		EXPECT(st[3] == ST_OK || p.hash[0][0] == 0xee);
		left = n;
		st[4] =
		    merkle_prove_many(read_failing, &left, places, 2, 70, &b);
		EXPECT(st[4] == ST_OK || b.len == 0);
		for (size_t i = 0; i < 5; i++) {
			EXPECT(st[i] == ST_OK || st[i] == ST_IO);
			failures += st[i] == ST_IO;
		}
		if (st[0] == ST_OK && st[1] == ST_OK && st[2] == ST_OK &&
		    st[3] == ST_OK && st[4] == ST_OK)
			break;
	}
	EXPECT(failures > 20);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_roots_are_those_of_rfc_6962_implementations),
		cmocka_unit_test(
		    test_frontier_root_equals_definition_at_every_size),
		cmocka_unit_test(test_inclusion_at_every_place_of_every_size),
		cmocka_unit_test(
		    test_inclusion_with_any_bit_changed_is_refused),
		cmocka_unit_test(test_consistency_between_every_two_sizes),
		cmocka_unit_test(
		    test_consistency_with_any_bit_changed_is_refused),
		cmocka_unit_test(test_largest_sizes_are_proved_and_checked),
		cmocka_unit_test(test_sizes_over_the_limit_are_refused),
		cmocka_unit_test(
		    test_failed_read_is_handed_on_and_nothing_written),
	};

	return cmocka_run_group_tests(tests, plain_tree_setup, NULL);
}
