#ifndef WIRE_JOIN_H
#define WIRE_JOIN_H
/*
 * join: enrolment codes, and what a device signs when it joins or renews
 * (docs/PROTOCOL.md, section 7).
 *
 *   code = "DB1-" base32(secret[16] || SHA-256(descriptor line)[32]) "-"
 *          base32(address)
 *
 * A code is read by eye, by QR or from a file; upper case and outer white
 * space are taken too.
 */
#include "base/buf.h"
#include "base/limits.h"

enum { JOIN_SECRET_LEN = 16, JOIN_ADDRESS_MAX = 255, JOIN_CODE_MAX = 512 };

struct join_code {
	uint8_t secret[JOIN_SECRET_LEN]; /* wiped by the owner */
	uint8_t descriptor[HASH_LEN];
	char address[JOIN_ADDRESS_MAX +
		     1]; /* host:port of the public listener */
};

void join_code_format(const struct join_code *c, struct buf *out);

/* ST_INVALID: no code of ours. */
MUST_CHECK enum status join_code_parse(struct join_code *out, struct bytes in);

/* SHA-256 of the secret: what goes over the wire and into the log. */
void join_code_hash(
    uint8_t out[HASH_LEN], const uint8_t secret[JOIN_SECRET_LEN]);

/* Append what is signed, from hashes: for signers that keep the key. */
void join_enrol_message(struct buf *out, const uint8_t code_hash[HASH_LEN],
    const uint8_t csr_hash[HASH_LEN], const uint8_t descriptor[HASH_LEN]);
void join_renew_message(
    struct buf *out, const uint8_t nonce[32], const uint8_t csr_hash[HASH_LEN]);

/*
 * Sign and verify "daybreak-enrol/1\0" || SHA-256(secret) || SHA-256(CSR DER)
 * || SHA-256(descriptor line) by the device's Ed25519 key.
 */
void join_enrol_sign(uint8_t sig[SIG_LEN], const uint8_t secret_key[64],
    const uint8_t code_hash[HASH_LEN], struct bytes csr,
    const uint8_t descriptor[HASH_LEN]);
MUST_CHECK enum status join_enrol_verify(const uint8_t sig[SIG_LEN],
    const uint8_t public_key[PUBKEY_LEN], const uint8_t code_hash[HASH_LEN],
    struct bytes csr, const uint8_t descriptor[HASH_LEN]);

/* The same for "daybreak-renew/1\0" || nonce[32] || SHA-256(CSR DER). */
void join_renew_sign(uint8_t sig[SIG_LEN], const uint8_t secret_key[64],
    const uint8_t nonce[32], struct bytes csr);
MUST_CHECK enum status join_renew_verify(const uint8_t sig[SIG_LEN],
    const uint8_t public_key[PUBKEY_LEN], const uint8_t nonce[32],
    struct bytes csr);

/* True if `address` is host:port with a port from 1 to 65535. */
bool join_address_ok(struct bytes address);

#endif
