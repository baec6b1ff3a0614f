#include "support/plain_tree.h"

#include <string.h>

#include "base/sha.h"

uint8_t plain_leaf[PLAIN_LEAVES][HASH_LEN];
struct merkle_leaves plain_tree = { plain_leaf, PLAIN_LEAVES };

void
plain_root(uint8_t out[HASH_LEN], size_t lo, size_t hi)
{
	uint8_t in[65] = { 1 };
	size_t k = 1;

	if (hi == lo) {
		sha256(out, bytes_of(NULL, 0));
		return;
	}
	if (hi - lo == 1) {
		memcpy(out, plain_leaf[lo], HASH_LEN);
		return;
	}
	while (k * 2 < hi - lo)
		k *= 2;
	plain_root(in + 1, lo, lo + k);
	plain_root(in + 33, lo + k, hi);
	sha256(out, bytes_of(in, sizeof(in)));
}

void
plain_path(struct buf *out, size_t m, size_t lo, size_t hi)
{
	uint8_t hash[HASH_LEN];
	size_t k = 1;

	if (hi - lo == 1)
		return;
	while (k * 2 < hi - lo)
		k *= 2;
	if (m < k) {
		plain_path(out, m, lo, lo + k);
		plain_root(hash, lo + k, hi);
	} else {
		plain_path(out, m - k, lo + k, hi);
		plain_root(hash, lo, lo + k);
	}
	buf_add(out, hash, HASH_LEN);
}

void
plain_subproof(struct buf *out, size_t m, size_t lo, size_t hi, bool whole)
{
	uint8_t hash[HASH_LEN];
	size_t k = 1;

	if (m == hi - lo) {
		plain_root(hash, lo, hi);
		if (!whole)
			buf_add(out, hash, HASH_LEN);
		return;
	}
	while (k * 2 < hi - lo)
		k *= 2;
	if (m <= k) {
		plain_subproof(out, m, lo, lo + k, whole);
		plain_root(hash, lo + k, hi);
	} else {
		plain_subproof(out, m - k, lo + k, hi, false);
		plain_root(hash, lo, lo + k);
	}
	buf_add(out, hash, HASH_LEN);
}

void
plain_many(struct buf *out, const bool *wanted, size_t lo, size_t hi)
{
	uint8_t hash[HASH_LEN];
	bool any = false;
	size_t k = 1;

	for (size_t i = lo; i < hi; i++)
		any = any || wanted[i];
	if (!any) {
		plain_root(hash, lo, hi);
		buf_add(out, hash, HASH_LEN);
		return;
	}
	if (hi - lo == 1)
		return;
	while (k * 2 < hi - lo)
		k *= 2;
	plain_many(out, wanted, lo, lo + k);
	plain_many(out, wanted, lo + k, hi);
}

int
plain_tree_setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < PLAIN_LEAVES; i++) {
		uint8_t data[2] = { (uint8_t)i, 0x5a };

		merkle_leaf(plain_leaf[i], bytes_of(data, i % 3));
		plain_leaf[i][0] ^= (uint8_t)i;
	}
	return 0;
}

uint64_t
plain_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}
