#include "base/sha.h"

/*
 * libcrypto uses the processor's own SHA instructions where there are any.
 * Its newer interface (EVP) takes memory for each digest and may fail; this one
 * keeps its state on the stack, so that a hash is a pure function.
 */
#define OPENSSL_API_COMPAT 0x10100000L
#include <openssl/sha.h>

void
sha256(uint8_t out[HASH_LEN], struct bytes in)
{
	sha256_many(out, &in, 1);
}

void
sha256_many(uint8_t out[HASH_LEN], const struct bytes *in, size_t count)
{
	SHA256_CTX st;

	(void)SHA256_Init(&st);
	for (size_t i = 0; i < count; i++) {
		if (in[i].len > 0)
			(void)SHA256_Update(&st, in[i].p, in[i].len);
	}
	(void)SHA256_Final(out, &st);
}
