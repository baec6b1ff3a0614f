/*
 * tlog-v1.json was made by another program in another language from the words
 * of docs/FORMAT.md (tests/vectors/tlog-v1.py).  What it holds must be read,
 * and written to the byte, for ever.
 */
#include "support/expect.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "entry/chain.h"
#include "support/tile_store.h"
#include "support/vectors.h"
#include "tlog/descriptor.h"
#include "tlog/merkle.h"
#include "tlog/note.h"
#include "tlog/proof.h"
#include "tlog/text.h"
#include "tlog/tile.h"

static struct vectors v;

static int
setup(void **state)
{
	(void)state;
	vectors_open(&v, "tlog-v1.json");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	vectors_close(&v);
	return 0;
}

static uint64_t
get_int(uint32_t n, const char *name)
{
	uint32_t m = vectors_get(&v, n, name);

	EXPECT(v.j.node[m].type == JSON_INT && v.j.node[m].num >= 0);
	return (uint64_t)v.j.node[m].num;
}

static void
get_hash(uint32_t n, const char *name, uint8_t out[HASH_LEN])
{
	uint32_t m = vectors_get(&v, n, name);

	EXPECT_OK(hex_decode(out, HASH_LEN, json_raw(&v.j, m)));
}

/* A list of hashes, one behind the other. */
static void
get_hashes(uint32_t n, const char *name, struct buf *out)
{
	uint32_t list = vectors_get(&v, n, name);

	buf_reset(out);
	for (uint32_t m = json_first(&v.j, list); m < json_end(&v.j, list);
	     m = v.j.node[m].next) {
		uint8_t hash[HASH_LEN];

		EXPECT_OK(hex_decode(hash, HASH_LEN, json_raw(&v.j, m)));
		buf_add(out, hash, HASH_LEN);
	}
	EXPECT_OK(out->err);
}

static uint8_t leaves[20][HASH_LEN];
static struct merkle_leaves twenty = { leaves, 20 };

static void
make_twenty(void)
{
	for (uint8_t n = 0; n < 20; n++) {
		uint8_t data[HASH_LEN];

		sha256(data, bytes_of(&n, 1));
		merkle_leaf(leaves[n], bytes_of(data, HASH_LEN));
	}
}

/* For each member of a list. */
#define FOR_EACH(list, m)                                                      \
	for (uint32_t m = json_first(&v.j, (list));                            \
	     m < json_end(&v.j, (list)); m = v.j.node[m].next)

/* Catches another tree, or another order of hashes in a proof. */
static void
test_tree_vectors(void **state)
{
	uint32_t tree = vectors_get(&v, 0, "tree"), count = 0;
	struct buf want, got, roots;
	struct merkle_proof p;
	uint8_t hash[HASH_LEN];

	(void)state;
	make_twenty();
	buf_init(&want, 4096);
	buf_init(&got, 4096);
	buf_init(&roots, 4096);
	get_hashes(tree, "roots", &roots);
	EXPECT(roots.len == 21 * HASH_LEN);
	for (uint64_t n = 0; n <= 20; n++) {
		EXPECT_OK(merkle_root_at(merkle_read_leaves, &twenty, n, hash));
		assert_memory_equal(hash, roots.p + n * HASH_LEN, HASH_LEN);
	}
	FOR_EACH(vectors_get(&v, tree, "inclusion"), m)
	{
		uint64_t leaf = get_int(m, "leaf"), size = get_int(m, "size");

		get_hashes(m, "proof", &want);
		EXPECT_OK(merkle_prove_inclusion(
		    merkle_read_leaves, &twenty, leaf, size, &p));
		EXPECT_BYTES(
		    bytes_of(p.hash, p.count * HASH_LEN), buf_view(&want));
		EXPECT_OK(merkle_check_inclusion(
		    &p, leaf, size, leaves[leaf], roots.p + size * HASH_LEN));
		count++;
	}
	FOR_EACH(vectors_get(&v, tree, "consistency"), m)
	{
		uint64_t old = get_int(m, "old"), size = get_int(m, "size");

		get_hashes(m, "proof", &want);
		EXPECT_OK(merkle_prove_consistency(
		    merkle_read_leaves, &twenty, old, size, &p));
		EXPECT_BYTES(
		    bytes_of(p.hash, p.count * HASH_LEN), buf_view(&want));
		EXPECT_OK(merkle_check_consistency(&p, old,
		    roots.p + old * HASH_LEN, size, roots.p + size * HASH_LEN));
		count++;
	}
	FOR_EACH(vectors_get(&v, tree, "many"), m)
	{
		uint64_t size = get_int(m, "size"), places[20];
		uint8_t some[20][HASH_LEN];
		size_t k = 0;

		FOR_EACH(vectors_get(&v, m, "places"), n)
		{
			places[k] = (uint64_t)v.j.node[n].num;
			memcpy(some[k], leaves[places[k]], HASH_LEN);
			k++;
		}
		get_hashes(m, "proof", &want);
		buf_reset(&got);
		EXPECT_OK(merkle_prove_many(
		    merkle_read_leaves, &twenty, places, k, size, &got));
		EXPECT_BYTES(buf_view(&got), buf_view(&want));
		EXPECT_OK(merkle_check_many(buf_view(&want), places, some, k,
		    size, roots.p + size * HASH_LEN));
		count++;
	}
	EXPECT(count == 19);
	buf_free(&want);
	buf_free(&got);
	buf_free(&roots);
}

/* The key of a seed of equal bytes. */
static void
make_key(struct note_key *key, uint8_t secret[64], uint32_t n, uint8_t alg)
{
	uint8_t seed[32], public_key[PUBKEY_LEN];
	struct buf name;

	get_hash(n, "seed", seed);
	EXPECT(crypto_sign_seed_keypair(public_key, secret, seed) == 0);
	buf_init(&name, NOTE_NAME_MAX);
	buf_bytes(&name, vectors_str(&v, n, "name"));
	EXPECT_OK(note_key_make(key, buf_cstr(&name), alg, public_key));
	buf_free(&name);
}

/* Catches another key id, signed text or line form. */
static void
test_note_vectors(void **state)
{
	uint32_t notes = vectors_get(&v, 0, "notes");
	uint32_t witness = vectors_get(&v, notes, "witness");
	uint32_t c2sp = vectors_get(&v, notes, "c2sp");
	uint8_t secret[64], witness_secret[64];
	struct note_key log_key, witness_key, key;
	struct checkpoint c = { 0 }, back;
	struct bytes text;
	struct buf got, note;
	uint64_t when;

	(void)state;
	buf_init(&got, NOTE_BYTES_MAX);
	buf_init(&note, NOTE_BYTES_MAX);
	EXPECT_OK(note_key_parse(&key, vectors_str(&v, c2sp, "vkey")));
	buf_bytes(&note, vectors_str(&v, c2sp, "note"));
	EXPECT_OK(note_open(buf_view(&note), &key, &text));
	EXPECT_BYTES(text, vectors_str(&v, c2sp, "text"));

	make_key(&log_key, secret, vectors_get(&v, notes, "log"), NOTE_ED25519);
	make_key(&witness_key, witness_secret, witness, NOTE_COSIGNATURE);
	note_key_format(&log_key, &got);
	EXPECT_BYTES(buf_view(&got),
	    vectors_str(&v, vectors_get(&v, notes, "log"), "vkey"));
	EXPECT_OK(note_key_parse(&key, vectors_str(&v, witness, "vkey")));
	assert_memory_equal(&key, &witness_key, sizeof(key));

	strcpy(c.origin, log_key.name);
	c.size = get_int(notes, "size");
	get_hash(notes, "root", c.root);
	buf_reset(&got);
	EXPECT_OK(checkpoint_sign(&c, &log_key, secret, &got));
	EXPECT_BYTES(buf_view(&got), vectors_str(&v, notes, "note"));
	buf_reset(&note);
	EXPECT_OK(cosignature_sign(buf_view(&got), &witness_key, witness_secret,
	    get_int(witness, "time"), &note));
	EXPECT_BYTES(buf_view(&note), vectors_str(&v, notes, "cosigned"));

	EXPECT_OK(checkpoint_open(
	    &back, vectors_str(&v, notes, "cosigned"), &log_key));
	EXPECT(back.size == c.size && memcmp(back.root, c.root, HASH_LEN) == 0);
	EXPECT_OK(cosignature_check(
	    vectors_str(&v, notes, "cosigned"), &witness_key, &when));
	EXPECT(when == get_int(witness, "time"));
	buf_free(&got);
	buf_free(&note);
}

/* Catches a proof file that others could not follow from entry to root. */
static void
test_proof_vectors(void **state)
{
	uint32_t n = vectors_get(&v, 0, "proof");
	struct note_key log_key;
	struct checkpoint c;
	struct proof p;
	uint8_t secret[64], digest[HASH_LEN], link[HASH_LEN], want[HASH_LEN];
	struct buf got;

	(void)state;
	buf_init(&got, PROOF_BYTES_MAX);
	make_key(&log_key, secret,
	    vectors_get(&v, vectors_get(&v, 0, "notes"), "log"), NOTE_ED25519);
	EXPECT_OK(proof_parse(&p, vectors_str(&v, n, "file")));
	EXPECT(p.has_prev && p.index == get_int(n, "place"));
	get_hash(n, "digest", digest);
	get_hash(n, "link", want);
	chain_link(link, p.prev, get_int(n, "seq"), digest);
	assert_memory_equal(link, want, HASH_LEN);
	EXPECT_OK(proof_check(&p, link, &log_key, &c));
	EXPECT(c.size == 20);
	EXPECT_OK(proof_format(&p, &got));
	EXPECT_BYTES(buf_view(&got), vectors_str(&v, n, "file"));
	buf_free(&got);
}

static void
expect_tree_of_tiles(uint32_t n, uint8_t (*leaf)[HASH_LEN])
{
	uint32_t want = vectors_get(&v, n, "tiles");
	uint64_t size = get_int(n, "size");
	struct tile_store s;

	tile_store_init(&s);
	EXPECT_OK(tile_write_hashes(tile_store_fetch, tile_store_write, &s, 0,
	    (const uint8_t(*)[HASH_LEN])leaf, size));
	EXPECT(size > 1000 || s.count == v.j.node[want].count);
	for (uint32_t m = json_first(&v.j, want); m < json_end(&v.j, want);
	     m = v.j.node[m + 1].next) {
		uint8_t sha[HASH_LEN], got[HASH_LEN];
		struct stored_tile *at;
		struct tile t;

		EXPECT_OK(tile_path_parse(&t, json_raw(&v.j, m)));
		EXPECT_OK(hex_decode(sha, HASH_LEN, json_raw(&v.j, m + 1)));
		at = tile_store_find(&s, &t);
		EXPECT(at != NULL);
		sha256(got, bytes_of(at->data, at->len));
		assert_memory_equal(got, sha, HASH_LEN);
	}
	tile_store_free(&s);
}

/* Catches other paths, other tiles of a tree, or another bundle. */
static void
test_tile_vectors(void **state)
{
	enum { MANY = 66000 };
	uint32_t tiles = vectors_get(&v, 0, "tiles"), bundle;
	uint8_t(*links)[HASH_LEN] = calloc(MANY, HASH_LEN);
	uint8_t(*leaf)[HASH_LEN] = calloc(MANY, HASH_LEN);
	struct tile_store s;
	struct stored_tile *at;
	struct buf want;
	struct tile t;

	(void)state;
	buf_init(&want, 65536);
	for (uint32_t i = 0; i < MANY; i++) {
		uint8_t raw[4];

		be32_put(raw, i);
		sha256(links[i], bytes_of(raw, 4));
		merkle_leaf(leaf[i], bytes_of(links[i], HASH_LEN));
	}
	FOR_EACH(vectors_get(&v, tiles, "trees"), m)
	expect_tree_of_tiles(m, leaf);
	FOR_EACH(vectors_get(&v, tiles, "paths"), m)
	{
		uint32_t x = json_first(&v.j, m);
		struct tile made = { .level = (unsigned)v.j.node[x].num,
			.width = (unsigned)v.j.node[x + 2].num };

		EXPECT_OK(text_decimal(
		    &made.index, json_raw(&v.j, x + 1), MERKLE_SIZE_MAX));
		buf_reset(&want);
		tile_path(&made, &want);
		EXPECT_BYTES(buf_view(&want), json_raw(&v.j, x + 3));
		EXPECT_OK(tile_path_parse(&t, json_raw(&v.j, x + 3)));
		EXPECT(t.level == made.level && t.index == made.index &&
		       t.width == made.width);
	}
	bundle = vectors_get(&v, tiles, "bundle");
	EXPECT_OK(tile_path_parse(&t, vectors_str(&v, bundle, "path")));
	tile_store_init(&s);
	EXPECT_OK(tile_write_links(tile_store_fetch, tile_store_write, &s, 0,
	    (const uint8_t(*)[HASH_LEN])links, 259));
	at = tile_store_find(&s, &t);
	EXPECT(at != NULL);
	vectors_hex(&v, bundle, "data", &want);
	EXPECT_BYTES(bytes_of(at->data, at->len), buf_view(&want));
	tile_store_free(&s);
	buf_free(&want);
	free(links);
	free(leaf);
}

/* Catches a descriptor line that is written otherwise, a digest (a court-id!)
 * that changes, or a succession that is no longer taken. */
static void
test_descriptor_vectors(void **state)
{
	struct descriptor *d = calloc(2, sizeof(*d));
	uint8_t digest[HASH_LEN];
	struct buf file, line;
	size_t count = 0;

	(void)state;
	buf_init(&file, DESCRIPTOR_FILE_MAX);
	buf_init(&line, DESCRIPTOR_FILE_MAX);
	FOR_EACH(vectors_get(&v, 0, "descriptors"), m)
	{
		struct descriptor *now = &d[count % 2];
		struct descriptor *prev = &d[1 - count % 2];

		buf_reset(&file);
		buf_reset(&line);
		buf_bytes(&file, vectors_str(&v, m, "file"));
		EXPECT_OK(descriptor_parse(now, buf_view(&file)));
		get_hash(m, "digest", digest);
		assert_memory_equal(now->digest, digest, HASH_LEN);
		EXPECT_OK(descriptor_format(now, &line));
		EXPECT_BYTES(buf_view(&line), descriptor_line(buf_view(&file)));
		if (count == 0)
			EXPECT_OK(descriptor_check_first(now));
		else
			EXPECT_OK(descriptor_check_next(prev, now));
		count++;
	}
	EXPECT(count == 3);
	EXPECT(d[0].version == 3 && d[0].distrust_count == 2 &&
	       d[0].signature_count == 2);
	/* The second's signature, made again. */
	{
		uint8_t seed[32], pk[PUBKEY_LEN], secret[64];
		uint32_t list = vectors_get(&v, 0, "descriptors");
		uint32_t second = v.j.node[json_first(&v.j, list)].next;

		memset(seed, 3, sizeof(seed));
		EXPECT(crypto_sign_seed_keypair(pk, secret, seed) == 0);
		buf_reset(&line);
		EXPECT_OK(descriptor_format(&d[1], &line));
		buf_reset(&file);
		buf_bytes(&file, buf_view(&line));
		buf_u8(&file, '\n');
		descriptor_sign(buf_view(&line), secret, &file);
		EXPECT_BYTES(buf_view(&file), vectors_str(&v, second, "file"));
	}
	buf_free(&file);
	buf_free(&line);
	free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree_vectors),
		cmocka_unit_test(test_note_vectors),
		cmocka_unit_test(test_proof_vectors),
		cmocka_unit_test(test_tile_vectors),
		cmocka_unit_test(test_descriptor_vectors),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
