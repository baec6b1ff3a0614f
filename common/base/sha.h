#ifndef BASE_SHA_H
#define BASE_SHA_H
/*
 * sha: SHA-256 (FIPS 180-4) over several ranges, without copying them
 * together, and piece by piece for what is never whole in memory.
 */
#include "base/bytes.h"
#include "base/limits.h"

/* SHA-256 of one range. */
void sha256(uint8_t out[HASH_LEN], struct bytes in);

/* SHA-256 of `count` ranges, one behind the other. */
void sha256_many(uint8_t out[HASH_LEN], const struct bytes *in, size_t count);

/*
 * In pieces.  The state is plain memory: a copy of it is the hash so far, to
 * which one can go back.  SHA-1 is there for clients that sum a request with
 * it (tus); nothing is ever named or trusted by it.
 */
struct sha256_run {
	uint64_t state[14]; /* libcrypto's own; see sha.c */
};
void sha256_begin(struct sha256_run *r);
void sha256_more(struct sha256_run *r, struct bytes in);
void sha256_end(struct sha256_run *r, uint8_t out[HASH_LEN]); /* once */

enum { SHA1_LEN = 20 };
struct sha1_run {
	uint64_t state[12];
};
void sha1_begin(struct sha1_run *r);
void sha1_more(struct sha1_run *r, struct bytes in);
void sha1_end(struct sha1_run *r, uint8_t out[SHA1_LEN]); /* once */

#endif
