#include "base/sha.h"

#include <sodium.h>

void
sha256(uint8_t out[HASH_LEN], struct bytes in)
{
	(void)crypto_hash_sha256(out, in.p, in.len);
}

void
sha256_many(uint8_t out[HASH_LEN], const struct bytes *in, size_t count)
{
	crypto_hash_sha256_state st;

	(void)crypto_hash_sha256_init(&st);
	for (size_t i = 0; i < count; i++) {
		if (in[i].len > 0)
			(void)crypto_hash_sha256_update(
			    &st, in[i].p, in[i].len);
	}
	(void)crypto_hash_sha256_final(&st, out);
}
