#include "base/sha.h"

#include <assert.h>

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

/* libcrypto's state stands in ours, so that no other header needs its. */
static_assert(sizeof(SHA256_CTX) <= sizeof(struct sha256_run), "sha256_run");
static_assert(sizeof(SHA_CTX) <= sizeof(struct sha1_run), "sha1_run");

static SHA256_CTX *
ctx256(struct sha256_run *r)
{
	void *p = r->state;

	return p;
}

static SHA_CTX *
ctx1(struct sha1_run *r)
{
	void *p = r->state;

	return p;
}

void
sha256_begin(struct sha256_run *r)
{
	(void)SHA256_Init(ctx256(r));
}

void
sha256_more(struct sha256_run *r, struct bytes in)
{
	if (in.len > 0)
		(void)SHA256_Update(ctx256(r), in.p, in.len);
}

void
sha256_end(struct sha256_run *r, uint8_t out[HASH_LEN])
{
	(void)SHA256_Final(out, ctx256(r));
}

void
sha1_begin(struct sha1_run *r)
{
	(void)SHA1_Init(ctx1(r));
}

void
sha1_more(struct sha1_run *r, struct bytes in)
{
	if (in.len > 0)
		(void)SHA1_Update(ctx1(r), in.p, in.len);
}

void
sha1_end(struct sha1_run *r, uint8_t out[SHA1_LEN])
{
	(void)SHA1_Final(out, ctx1(r));
}
