#include "entry/chain.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"

/* Each ends in one NUL, which belongs to it. */
static const uint8_t chain_context[] = "daybreak-chain/1";
static const uint8_t head_context[] = "daybreak-head/1";

enum {
	LINK_PREFIX = 0x02, /* apart from RFC 6962's 0x00 leaf and 0x01 node */
	HEAD_LEN = sizeof(head_context) + CHAIN_LEN + 8 + HASH_LEN,
};

_Static_assert(SIG_LEN == crypto_sign_BYTES, "Ed25519 signature");
_Static_assert(PUBKEY_LEN == crypto_sign_PUBLICKEYBYTES, "Ed25519 key");
_Static_assert(crypto_sign_SECRETKEYBYTES == 64, "as chain.h says");

void
chain_link0(uint8_t out[HASH_LEN], const uint8_t court_id[HASH_LEN],
    const uint8_t public_key[PUBKEY_LEN], const uint8_t chain[CHAIN_LEN])
{
	struct bytes in[] = {
		{ chain_context, sizeof(chain_context) },
		{ court_id, HASH_LEN },
		{ public_key, PUBKEY_LEN },
		{ chain, CHAIN_LEN },
	};

	sha256_many(out, in, 4);
}

void
chain_link(uint8_t out[HASH_LEN], const uint8_t prev[HASH_LEN], uint64_t seq,
    const uint8_t digest[HASH_LEN])
{
	/* Put together first: one call of the hash costs less than four. */
	uint8_t in[1 + HASH_LEN + 8 + HASH_LEN];

	in[0] = LINK_PREFIX;
	memcpy(in + 1, prev, HASH_LEN);
	be64_put(in + 1 + HASH_LEN, seq);
	memcpy(in + 1 + HASH_LEN + 8, digest, HASH_LEN);
	sha256(out, bytes_of(in, sizeof(in)));
}

void
chain_dev(char out[DEV_LEN + 1], const uint8_t public_key[PUBKEY_LEN])
{
	uint8_t hash[HASH_LEN];

	sha256(hash, bytes_of(public_key, PUBKEY_LEN));
	base32_encode(out, bytes_of(hash, 16));
}

/* What a head signature is over. */
static void
head_message(uint8_t out[HEAD_LEN], const uint8_t chain[CHAIN_LEN],
    uint64_t seq, const uint8_t link[HASH_LEN])
{
	uint8_t *p = out;

	memcpy(p, head_context, sizeof(head_context));
	p += sizeof(head_context);
	memcpy(p, chain, CHAIN_LEN);
	p += CHAIN_LEN;
	be64_put(p, seq);
	p += 8;
	memcpy(p, link, HASH_LEN);
}

void
chain_sign(uint8_t sig[SIG_LEN], const uint8_t secret_key[64],
    const uint8_t chain[CHAIN_LEN], uint64_t seq, const uint8_t link[HASH_LEN])
{
	uint8_t message[HEAD_LEN];
	int rc;

	head_message(message, chain, seq, link);
	rc = crypto_sign_detached(
	    sig, NULL, message, sizeof(message), secret_key);
	assert(rc == 0);
}

enum status
chain_verify(const uint8_t sig[SIG_LEN], const uint8_t public_key[PUBKEY_LEN],
    const uint8_t chain[CHAIN_LEN], uint64_t seq, const uint8_t link[HASH_LEN])
{
	uint8_t message[HEAD_LEN];

	head_message(message, chain, seq, link);
	return crypto_sign_verify_detached(
		   sig, message, sizeof(message), public_key) == 0
		   ? ST_OK
		   : ST_DENIED;
}
