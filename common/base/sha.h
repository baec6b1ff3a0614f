#ifndef BASE_SHA_H
#define BASE_SHA_H
/*
 * sha: SHA-256 (FIPS 180-4) over several ranges, without copying them
 * together.
 */
#include "base/bytes.h"
#include "base/limits.h"

/* SHA-256 of one range. */
void sha256(uint8_t out[HASH_LEN], struct bytes in);

/* SHA-256 of `count` ranges, one behind the other. */
void sha256_many(uint8_t out[HASH_LEN], const struct bytes *in, size_t count);

#endif
