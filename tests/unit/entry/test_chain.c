#include "support/expect.h"

#include <sodium.h>
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "entry/chain.h"
#include "entry/entry.h"
#include "support/vectors.h"

static void
expect_hex(struct vectors *v, uint32_t n, const char *name, const uint8_t *got,
    size_t len)
{
	struct buf want;

	buf_init(&want, 256);
	vectors_hex(v, n, name, &want);
	EXPECT_BYTES(bytes_of(got, len), buf_view(&want));
	buf_free(&want);
}

static void
get_hex(
    struct vectors *v, uint32_t n, const char *name, uint8_t *out, size_t len)
{
	struct buf b;

	buf_init(&b, 256);
	vectors_hex(v, n, name, &b);
	EXPECT(b.len == len);
	memcpy(out, b.p, len);
	buf_free(&b);
}

/* One chain of the vectors, from its seed to its last signature. */
static size_t
follow_chain(struct vectors *v, uint32_t n, const uint8_t court[HASH_LEN])
{
	uint8_t seed[32], pub[PUBKEY_LEN], sec[64], chain[CHAIN_LEN];
	uint8_t link[HASH_LEN], digest[HASH_LEN], sig[SIG_LEN];
	uint32_t list = vectors_get(v, n, "entries"), e;
	uint64_t seq = 0;

	get_hex(v, n, "seed", seed, sizeof(seed));
	get_hex(v, n, "chain", chain, sizeof(chain));
	EXPECT(crypto_sign_seed_keypair(pub, sec, seed) == 0);
	expect_hex(v, n, "public", pub, sizeof(pub));
	chain_link0(link, court, pub, chain);
	expect_hex(v, n, "link0", link, sizeof(link));
	for (e = json_first(&v->j, list); e < json_end(&v->j, list);
	     e = v->j.node[e].next) {
		entry_digest(digest, vectors_str(v, e, "bytes"));
		expect_hex(v, e, "digest", digest, sizeof(digest));
		chain_link(link, link, ++seq, digest);
		expect_hex(v, e, "link", link, sizeof(link));
		expect_hex(v, e, "id", link, ID_LEN);
		chain_sign(sig, sec, chain, seq, link);
		expect_hex(v, e, "signature", sig, sizeof(sig));
		EXPECT_OK(chain_verify(sig, pub, chain, seq, link));
	}
	return seq;
}

/* Catches a byte of any hash or signature that is not the format's. */
static void
test_chain_golden_vectors(void **state)
{
	struct vectors v;
	uint8_t court[HASH_LEN];
	uint32_t list, n;
	size_t chains = 0, entries = 0;

	(void)state;
	vectors_open(&v, "entry-v1.json");
	get_hex(&v, 0, "court_id", court, sizeof(court));
	list = vectors_get(&v, 0, "chains");
	for (n = json_first(&v.j, list); n < json_end(&v.j, list);
	     n = v.j.node[n].next) {
		entries += follow_chain(&v, n, court);
		chains++;
	}
	assert_int_equal(chains, 3);
	assert_int_equal(entries, 18);
	vectors_close(&v);
}

/* Catches a link that one of its inputs does not change. */
static void
test_chain_link_depends_on_every_bit(void **state)
{
	uint8_t in[HASH_LEN + HASH_LEN], base[HASH_LEN], got[HASH_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 7);
	chain_link(base, in, 5, in + HASH_LEN);
	for (size_t bit = 0; bit < sizeof(in) * 8; bit++) {
		in[bit / 8] ^= (uint8_t)(1u << bit % 8);
		chain_link(got, in, 5, in + HASH_LEN);
		EXPECT(memcmp(base, got, HASH_LEN) != 0);
		in[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (unsigned bit = 0; bit < 64; bit++) {
		chain_link(
		    got, in, UINT64_C(5) ^ UINT64_C(1) << bit, in + HASH_LEN);
		EXPECT(memcmp(base, got, HASH_LEN) != 0);
	}
}

/* Catches a signature that holds for another chain, place, link or key. */
static void
test_chain_signature_holds_for_one_head_only(void **state)
{
	uint8_t seed[32] = { 1 }, pub[PUBKEY_LEN], sec[64], sig[SIG_LEN];
	uint8_t chain[CHAIN_LEN] = { 2 }, link[HASH_LEN] = { 3 };
	struct {
		uint8_t *p;
		size_t len;
	} in[] = { { sig, SIG_LEN }, { pub, PUBKEY_LEN }, { chain, CHAIN_LEN },
		{ link, HASH_LEN } };

	(void)state;
	EXPECT(crypto_sign_seed_keypair(pub, sec, seed) == 0);
	chain_sign(sig, sec, chain, 9, link);
	EXPECT_OK(chain_verify(sig, pub, chain, 9, link));
	EXPECT_ST(chain_verify(sig, pub, chain, 8, link), ST_DENIED);
	for (size_t k = 0; k < sizeof(in) / sizeof(in[0]); k++) {
		for (size_t bit = 0; bit < in[k].len * 8; bit += 3) {
			in[k].p[bit / 8] ^= (uint8_t)(1u << bit % 8);
			EXPECT_ST(
			    chain_verify(sig, pub, chain, 9, link), ST_DENIED);
			in[k].p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
	EXPECT_OK(chain_verify(sig, pub, chain, 9, link));
	/* The neutral point as key and as R signs anything, in a lax reader. */
	memset(pub, 0, sizeof(pub));
	memset(sig, 0, sizeof(sig));
	pub[0] = sig[0] = 1;
	EXPECT_ST(chain_verify(sig, pub, chain, 9, link), ST_DENIED);
}

/* Catches a device name that is not base32 of the key's digest. */
static void
test_chain_dev_names_the_key(void **state)
{
	uint8_t key[PUBKEY_LEN] = { 7 }, hash[HASH_LEN], back[16];
	char dev[DEV_LEN + 1];

	(void)state;
	chain_dev(dev, key);
	assert_int_equal(strlen(dev), DEV_LEN);
	EXPECT_OK(base32_decode(back, sizeof(back), bytes_str(dev)));
	sha256(hash, bytes_of(key, sizeof(key)));
	EXPECT(memcmp(back, hash, sizeof(back)) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain_golden_vectors),
		cmocka_unit_test(test_chain_link_depends_on_every_bit),
		cmocka_unit_test(test_chain_signature_holds_for_one_head_only),
		cmocka_unit_test(test_chain_dev_names_the_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
