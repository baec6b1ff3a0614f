#include "crypt/blob.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

static const char magic[] = "daybreak-blob/1\n";

enum { MAGIC_LEN = sizeof(magic) - 1, MAGIC_NAME_LEN = MAGIC_LEN - 2 };

_Static_assert(MAGIC_LEN + BLOB_ID_LEN == BLOB_HEAD_LEN, "header");

void
blob_head(uint8_t out[BLOB_HEAD_LEN], const uint8_t id[BLOB_ID_LEN])
{
	memcpy(out, magic, MAGIC_LEN);
	memcpy(out + MAGIC_LEN, id, BLOB_ID_LEN);
}

enum status
blob_head_read(uint8_t id[BLOB_ID_LEN], const uint8_t head[BLOB_HEAD_LEN])
{
	if (memcmp(head, magic, MAGIC_NAME_LEN) != 0)
		return ST_CORRUPT;
	if (memcmp(head, magic, MAGIC_LEN) != 0)
		return ST_NEWER;
	memcpy(id, head + MAGIC_LEN, BLOB_ID_LEN);
	return ST_OK;
}

uint64_t
blob_chunks(uint64_t size)
{
	assert(size <= BLOB_SIZE_MAX);
	return size == 0 ? 1 : (size + BLOB_CHUNK - 1) / BLOB_CHUNK;
}

uint64_t
blob_chunk_at(uint64_t number)
{
	return BLOB_HEAD_LEN + number * BLOB_SEALED_CHUNK;
}

size_t
blob_chunk_len(uint64_t size, uint64_t number)
{
	uint64_t left = size - number * BLOB_CHUNK;

	assert(number < blob_chunks(size));
	return left < BLOB_CHUNK ? (size_t)left : BLOB_CHUNK;
}

uint64_t
blob_sealed_size(uint64_t size)
{
	return BLOB_HEAD_LEN + size + blob_chunks(size) * SEAL_TAG_LEN;
}

enum status
blob_plain_size(uint64_t *out, uint64_t sealed)
{
	uint64_t full, rest;

	if (sealed < BLOB_HEAD_LEN + SEAL_TAG_LEN ||
	    sealed > blob_sealed_size(BLOB_SIZE_MAX))
		return ST_CORRUPT;
	full = (sealed - BLOB_HEAD_LEN) / BLOB_SEALED_CHUNK;
	rest = (sealed - BLOB_HEAD_LEN) % BLOB_SEALED_CHUNK;
	/* A rest is a tag and at least one byte, but for an empty file. */
	if (rest > 0 &&
	    (rest < SEAL_TAG_LEN || (rest == SEAL_TAG_LEN && full > 0)))
		return ST_CORRUPT;
	*out = full * BLOB_CHUNK + (rest > 0 ? rest - SEAL_TAG_LEN : 0);
	return ST_OK;
}

static void
make_nonce(uint8_t out[SEAL_NONCE_LEN], uint64_t number, bool last)
{
	memset(out, 0, SEAL_NONCE_LEN - 9);
	be64_put(out + SEAL_NONCE_LEN - 9, number);
	out[SEAL_NONCE_LEN - 1] = last ? 1 : 0;
}

void
blob_seal(uint8_t *out, const uint8_t key[SEAL_KEY_LEN],
    const uint8_t head[BLOB_HEAD_LEN], uint64_t number, bool last,
    struct bytes plain)
{
	uint8_t nonce[SEAL_NONCE_LEN];

	assert(plain.len <= BLOB_CHUNK);
	make_nonce(nonce, number, last);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, plain.p,
	    plain.len, head, BLOB_HEAD_LEN, NULL, nonce, key);
}

enum status
blob_open(uint8_t *out, const uint8_t key[SEAL_KEY_LEN],
    const uint8_t head[BLOB_HEAD_LEN], uint64_t number, bool last,
    struct bytes sealed)
{
	uint8_t nonce[SEAL_NONCE_LEN];

	if (sealed.len < SEAL_TAG_LEN || sealed.len > BLOB_SEALED_CHUNK)
		return ST_CORRUPT;
	make_nonce(nonce, number, last);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL,
		sealed.p, sealed.len, head, BLOB_HEAD_LEN, nonce, key) != 0)
		return ST_CORRUPT;
	return ST_OK;
}
