#ifndef CRYPT_SEAL_H
#define CRYPT_SEAL_H
/*
 * seal: one row of a file, closed so that it opens only in its own place.
 *
 *   sealed = u8 1 || u32be key id || nonce[24] || ciphertext || tag[16]
 *
 * XChaCha20-Poly1305 (libsodium; draft-irtf-cfrg-xchacha) with associated data
 *
 *   "daybreak-row/1\0" || u8 length of table || table || chain[16]
 *   || u64be row || u32be key id
 *
 * so that a row's bytes put into another row, chain, table or file do not
 * open.  The nonce is random (192 bits: no counter to lose).  docs/FORMAT.md,
 * "Sealed log on the handheld".
 *
 * Threads: safe; no state.
 */
#include "base/buf.h"
#include "base/port.h"

enum {
	SEAL_KEY_LEN = 32,
	SEAL_NONCE_LEN = 24,
	SEAL_TAG_LEN = 16,
	SEAL_OVERHEAD = 1 + 4 + SEAL_NONCE_LEN + SEAL_TAG_LEN,
	SEAL_TABLE_MAX = 32 /* of a table's name */
};

/* Where a row belongs. */
struct seal_place {
	const char *table;        /* 1 to SEAL_TABLE_MAX bytes */
	uint8_t chain[CHAIN_LEN]; /* zeroes where there is none */
	uint64_t row;
};

/*
 * Append the sealed form of `plain`, plain.len + SEAL_OVERHEAD bytes.
 * ST_NOMEM, ST_LIMIT (out's ceiling).
 */
MUST_CHECK enum status seal_row(struct buf *out,
    const uint8_t key[SEAL_KEY_LEN], uint32_t key_id,
    const struct seal_place *at, struct bytes plain, const struct port *port);

/*
 * The key id that a sealed row names; not yet proved.  ST_NEWER for another
 * version, ST_CORRUPT if it is too short to be a row.
 */
MUST_CHECK enum status seal_key_id(uint32_t *out, struct bytes sealed);

/*
 * Append the opened bytes.  ST_CORRUPT if anything does not fit: a changed
 * bit, another place, another key; `out` is then as before.  ST_NEWER,
 * ST_NOMEM, ST_LIMIT.
 */
MUST_CHECK enum status seal_open(struct buf *out,
    const uint8_t key[SEAL_KEY_LEN], const struct seal_place *at,
    struct bytes sealed);

#endif
