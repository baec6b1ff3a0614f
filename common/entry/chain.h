#ifndef ENTRY_CHAIN_H
#define ENTRY_CHAIN_H
/*
 * chain: how entries of one device hang together (docs/FORMAT.md, "Chains").
 *
 *   link(0) = SHA-256("daybreak-chain/1\0" || court-id || public key || chain)
 *   link(n) = SHA-256(0x02 || link(n-1) || u64be n || digest(n))
 *   id(n)   = the first 16 bytes of link(n)
 *   head signature = Ed25519("daybreak-head/1\0" || chain || u64be n ||
 * link(n))
 */
#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"

/* court_id: SHA-256 of the court's first descriptor. */
void chain_link0(uint8_t out[HASH_LEN], const uint8_t court_id[HASH_LEN],
    const uint8_t public_key[PUBKEY_LEN], const uint8_t chain[CHAIN_LEN]);

/* out may be prev. */
void chain_link(uint8_t out[HASH_LEN], const uint8_t prev[HASH_LEN],
    uint64_t seq, const uint8_t digest[HASH_LEN]);

/* `dev` of a key: base32 of the first 16 bytes of its SHA-256, with a NUL. */
void chain_dev(char out[DEV_LEN + 1], const uint8_t public_key[PUBKEY_LEN]);

/* secret_key: libsodium's 64 bytes. */
void chain_sign(uint8_t sig[SIG_LEN], const uint8_t secret_key[64],
    const uint8_t chain[CHAIN_LEN], uint64_t seq, const uint8_t link[HASH_LEN]);

/* ST_OK or ST_DENIED.  As RFC 8032, and a key or point of small order or an S
 * that is not reduced is refused (libsodium). */
MUST_CHECK enum status chain_verify(const uint8_t sig[SIG_LEN],
    const uint8_t public_key[PUBKEY_LEN], const uint8_t chain[CHAIN_LEN],
    uint64_t seq, const uint8_t link[HASH_LEN]);

#endif
