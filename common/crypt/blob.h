#ifndef CRYPT_BLOB_H
#define CRYPT_BLOB_H
/*
 * blob: a file of any size, sealed chunk by chunk, so that it can be written
 * in one pass, read from anywhere, and never cut short unseen.
 *
 *   file  = header || chunk*          header = "daybreak-blob/1\n" || id[16]
 *   chunk = XChaCha20-Poly1305 of 65,536 bytes (the last: 1 to 65,536; of an
 *           empty file: 0) || tag[16]
 *   nonce = zero[15] || u64be number, from 0 || last[1]     ad = header
 *
 * This is the STREAM of age (C2SP, age.md) with a header as associated data.  A
 * key is used for one file alone, so no nonce comes twice.  Only the last
 * chunk opens as `last`: a file that was cut off, or has chunks swapped, left
 * out or doubled, does not open there.  docs/FORMAT.md, "Sealed files".
 *
 * Threads: safe; no state.
 */
#include "base/bytes.h"
#include "base/status.h"
#include "crypt/seal.h"

enum {
	BLOB_ID_LEN = 16,
	BLOB_HEAD_LEN = 16 + BLOB_ID_LEN,
	BLOB_CHUNK = 65536,
	BLOB_SEALED_CHUNK = BLOB_CHUNK + SEAL_TAG_LEN
};

/* The largest file: far above what any disk holds, and its sealed form's
 * length still is an off_t. */
#define BLOB_SIZE_MAX ((uint64_t)1 << 50)

void blob_head(uint8_t out[BLOB_HEAD_LEN], const uint8_t id[BLOB_ID_LEN]);

/* The id that a header states.  ST_NEWER for another version, ST_CORRUPT. */
MUST_CHECK enum status blob_head_read(
    uint8_t id[BLOB_ID_LEN], const uint8_t head[BLOB_HEAD_LEN]);

/* Chunks of a file of `size` bytes (an empty one has one), where the one of a
 * number stands, its plain length, and the length of the whole sealed file.
 * size <= BLOB_SIZE_MAX, number < the count. */
uint64_t blob_chunks(uint64_t size);
uint64_t blob_chunk_at(uint64_t number);
size_t blob_chunk_len(uint64_t size, uint64_t number);
uint64_t blob_sealed_size(uint64_t size);

/* The size of what is in a sealed file of `sealed` bytes.  ST_CORRUPT: no file
 * has that length, so it was cut off or lengthened. */
MUST_CHECK enum status blob_plain_size(uint64_t *out, uint64_t sealed);

/* Seal a chunk: plain.len + SEAL_TAG_LEN bytes at `out`, which may be where
 * `plain` is.  plain.len <= BLOB_CHUNK. */
void blob_seal(uint8_t *out, const uint8_t key[SEAL_KEY_LEN],
    const uint8_t head[BLOB_HEAD_LEN], uint64_t number, bool last,
    struct bytes plain);

/* Open a chunk into `out`, sealed.len - SEAL_TAG_LEN bytes.  ST_CORRUPT if a
 * bit, the number, `last`, the header or the key is another; nothing that `out`
 * then holds may be used. */
MUST_CHECK enum status blob_open(uint8_t *out, const uint8_t key[SEAL_KEY_LEN],
    const uint8_t head[BLOB_HEAD_LEN], uint64_t number, bool last,
    struct bytes sealed);

#endif
