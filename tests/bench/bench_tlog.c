/*
 * What a place in the log costs the committer (leaf hash and frontier), and
 * what proofs and checkpoints cost who makes and checks them.  One JSON line a
 * figure, each the best of five runs on one thread.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "bench/support/figure.h"
#include "support/expect.h"
#include "tlog/merkle.h"
#include "tlog/note.h"
#include "tlog/tile.h"

enum { LEAVES = 1 << 20, PROOFS = 2000, NOTES = 2000, MANY = 500 };

static uint8_t (*leaf)[HASH_LEN];
static int runs = 5;

/* Every subtree of the tree of LEAVES, a level behind the other: what a store
 * would hold, so that the read itself costs nothing. */
static uint8_t (*node[21])[HASH_LEN];

static enum status
read_node(void *arg, unsigned level, uint64_t index, uint8_t out[HASH_LEN])
{
	(void)arg;
	memcpy(out, node[level][index], HASH_LEN);
	return ST_OK;
}

static double
append_all(struct frontier *f)
{
	double from = cpu_us();

	frontier_init(f);
	for (uint32_t i = 0; i < LEAVES; i++) {
		uint8_t link[HASH_LEN] = { 0 };

		be32_put(link, i);
		merkle_leaf(leaf[i], bytes_of(link, HASH_LEN));
		frontier_add(f, leaf[i]);
	}
	return (cpu_us() - from) / LEAVES;
}

static void
make_nodes(void)
{
	node[0] = leaf;
	for (unsigned level = 1; level <= 20; level++) {
		size_t count = (size_t)LEAVES >> level;

		node[level] = calloc(count, HASH_LEN);
		EXPECT(node[level] != NULL);
		for (size_t i = 0; i < count; i++)
			merkle_node(node[level][i], node[level - 1][2 * i],
			    node[level - 1][2 * i + 1]);
	}
}

static void
keep_least(double *best, double value)
{
	if (*best == 0 || value < *best)
		*best = value;
}

static void
proofs(const uint8_t root[HASH_LEN])
{
	double make = 0, check = 0;

	for (int run = 0; run < runs; run++) {
		static struct merkle_proof p[PROOFS];
		double from = cpu_us();

		for (uint64_t i = 0; i < PROOFS; i++)
			EXPECT_OK(merkle_prove_inclusion(
			    read_node, NULL, i * 517 % LEAVES, LEAVES, &p[i]));
		keep_least(&make, (cpu_us() - from) / PROOFS);
		from = cpu_us();
		for (uint64_t i = 0; i < PROOFS; i++)
			EXPECT_OK(
			    merkle_check_inclusion(&p[i], i * 517 % LEAVES,
				LEAVES, leaf[i * 517 % LEAVES], root));
		keep_least(&check, (cpu_us() - from) / PROOFS);
	}
	figure("tlog_prove_inclusion_1m", make, "us");
	figure("tlog_check_inclusion_1m", check, "us");
}

/* A part of a stream: MANY leaves, in runs of ten. */
static void
multi(const uint8_t root[HASH_LEN])
{
	static uint64_t place[MANY];
	static uint8_t some[MANY][HASH_LEN];
	double make = 0, check = 0;
	struct buf b;

	buf_init(&b, MANY * 20 * HASH_LEN);
	for (uint64_t i = 0; i < MANY; i++) {
		place[i] = i / 10 * 20011 + i % 10;
		memcpy(some[i], leaf[place[i]], HASH_LEN);
	}
	for (int run = 0; run < runs; run++) {
		double from = cpu_us();

		buf_reset(&b);
		EXPECT_OK(merkle_prove_many(
		    read_node, NULL, place, MANY, LEAVES, &b));
		keep_least(&make, (cpu_us() - from) / MANY);
		from = cpu_us();
		EXPECT_OK(merkle_check_many(
		    buf_view(&b), place, some, MANY, LEAVES, root));
		keep_least(&check, (cpu_us() - from) / MANY);
	}
	figure("tlog_prove_many_each", make, "us");
	figure("tlog_check_many_each", check, "us");
	figure("tlog_many_bytes_each", (double)b.len / MANY, "bytes");
	buf_free(&b);
}

static void
notes(const uint8_t root[HASH_LEN])
{
	struct checkpoint c = { .origin = "court.example/zx", .size = LEAVES };
	uint8_t public_key[PUBKEY_LEN], secret[64];
	double sign = 0, open = 0;
	struct note_key key;
	struct buf b;

	memcpy(c.root, root, HASH_LEN);
	EXPECT(crypto_sign_keypair(public_key, secret) == 0);
	EXPECT_OK(note_key_make(&key, c.origin, NOTE_ED25519, public_key));
	buf_init(&b, NOTE_BYTES_MAX);
	for (int run = 0; run < runs; run++) {
		double from = cpu_us();

		for (int i = 0; i < NOTES; i++) {
			buf_reset(&b);
			EXPECT_OK(checkpoint_sign(&c, &key, secret, &b));
		}
		keep_least(&sign, (cpu_us() - from) / NOTES);
		from = cpu_us();
		for (int i = 0; i < NOTES; i++)
			EXPECT_OK(checkpoint_open(&c, buf_view(&b), &key));
		keep_least(&open, (cpu_us() - from) / NOTES);
	}
	figure("tlog_checkpoint_sign", sign, "us");
	figure("tlog_checkpoint_open", open, "us");
	buf_free(&b);
}

static enum status
drop(void *arg, const struct tile *t, struct bytes in)
{
	size_t *bytes = arg;

	(void)t;
	*bytes += in.len;
	return ST_OK;
}

static enum status
none(void *arg, const struct tile *t, struct buf *out)
{
	(void)arg;
	(void)t;
	(void)out;
	return ST_ABSENT;
}

int
main(int argc, char **argv)
{
	uint8_t root[HASH_LEN];
	struct frontier f;
	double best = 0, from;
	size_t bytes = 0;

	if (has_flag(argc, argv, "--quick"))
		runs = 1;
	EXPECT(sodium_init() >= 0);
	leaf = calloc(LEAVES, HASH_LEN);
	EXPECT(leaf != NULL);
	for (int run = 0; run < runs; run++)
		keep_least(&best, append_all(&f));
	frontier_root(&f, root);
	figure("tlog_append", best, "us");
	figure("tlog_append_rate", 1e6 / best, "entries/s");
	make_nodes();
	proofs(root);
	multi(root);
	notes(root);
	from = cpu_us();
	EXPECT_OK(tile_write_hashes(
	    none, drop, &bytes, 0, (const uint8_t(*)[HASH_LEN])leaf, LEAVES));
	figure("tlog_tiles_each", (cpu_us() - from) / LEAVES, "us");
	for (unsigned level = 1; level <= 20; level++)
		free(node[level]);
	free(leaf);
	return 0;
}
