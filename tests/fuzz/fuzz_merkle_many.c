/*
 * Multi-inclusion proofs of a small tree: what we prove is taken; what the
 * input makes up (places, leaves, proof) is taken only if the leaves are the
 * tree's own.  Sizes and places as large as the input likes must not hurt.
 *
 * Input: u64be size, u8 count, then a u64be place and u8 "leaf is another's"
 * each, then the proof; a proof of one byte stands for the true one with that
 * byte of it changed.
 */
#include <string.h>

#include "base/buf.h"
#include "fuzz/fuzz.h"
#include "tlog/merkle.h"

enum { LEAVES = 100, PLACES_MAX = 255 };

static uint8_t leaf[LEAVES][HASH_LEN];
static struct merkle_leaves all = { leaf, LEAVES };
static struct buf proof;

struct claim {
	uint64_t size;
	size_t count;
	uint64_t place[PLACES_MAX];
	uint8_t leaf[PLACES_MAX][HASH_LEN];
	bool honest; /* every leaf is the tree's own */
	struct bytes rest;
};

static void
read_claim(struct claim *c, struct bytes in)
{
	struct reader r;

	reader_init(&r, in);
	c->size = reader_u64(&r);
	c->count = reader_u8(&r);
	c->honest = true;
	for (size_t i = 0; i < c->count; i++) {
		bool other;

		c->place[i] = reader_u64(&r);
		other = reader_u8(&r) != 0;
		memset(c->leaf[i], 0, HASH_LEN);
		if (c->place[i] < LEAVES)
			memcpy(c->leaf[i], leaf[c->place[i]], HASH_LEN);
		if (other)
			c->leaf[i][0] ^= 1;
		c->honest = c->honest && !other && c->place[i] < LEAVES;
	}
	c->rest = bytes_of(r.p, r.left);
}

static bool
places_good(const struct claim *c)
{
	for (size_t i = 0; i < c->count; i++) {
		if (c->place[i] >= c->size ||
		    (i > 0 && c->place[i] <= c->place[i - 1]))
			return false;
	}
	return c->count > 0;
}

static void
check_small(const struct claim *c)
{
	uint8_t root[HASH_LEN];
	enum status st;

	CHECK(merkle_root_at(merkle_read_leaves, &all, c->size, root) == ST_OK);
	if (merkle_check_many(
		c->rest, c->place, c->leaf, c->count, c->size, root) == ST_OK)
		CHECK(c->honest && places_good(c));
	buf_reset(&proof);
	st = merkle_prove_many(
	    merkle_read_leaves, &all, c->place, c->count, c->size, &proof);
	CHECK((st == ST_OK) == places_good(c));
	if (st != ST_OK)
		return;
	CHECK(proof.len % HASH_LEN == 0);
	st = merkle_check_many(
	    buf_view(&proof), c->place, c->leaf, c->count, c->size, root);
	CHECK(st == (c->honest ? ST_OK : ST_DENIED));
	if (c->rest.len != 1 || proof.len == 0)
		return;
	proof.p[c->rest.p[0] * (size_t)7 % proof.len] ^= 1;
	CHECK(merkle_check_many(buf_view(&proof), c->place, c->leaf, c->count,
		  c->size, root) == ST_DENIED);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct claim c;

	if (proof.max == 0) {
		buf_init(&proof, 1 << 20);
		for (uint8_t i = 0; i < LEAVES; i++)
			merkle_leaf(leaf[i], bytes_of(&i, 1));
	}
	read_claim(&c, bytes_of(data, size));
	/* A leaf is no root, but of the tree of one. */
	if (merkle_check_many(
		c.rest, c.place, c.leaf, c.count, c.size, leaf[0]) == ST_OK)
		CHECK(c.size == 1 && c.honest);
	if (c.size <= LEAVES)
		check_small(&c);
	return 0;
}
