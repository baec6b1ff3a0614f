#ifndef TLOG_MERKLE_H
#define TLOG_MERKLE_H
/*
 * merkle: the tree of RFC 6962, section 2.1, over any leaf data.
 *
 * leaf = SHA-256(0x00 || data), node = SHA-256(0x01 || left || right), the
 * empty tree SHA-256("").  A frontier is what an append-only writer keeps: the
 * roots of the perfect subtrees, largest first, one for each 1 bit of the
 * size.
 */
#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"

enum { MERKLE_PROOF_MAX = 64 };

struct frontier {
	uint64_t size;
	uint8_t hash[64][HASH_LEN]; /* largest subtree first */
};

struct merkle_proof {
	size_t count;
	uint8_t hash[MERKLE_PROOF_MAX][HASH_LEN];
};

void merkle_leaf(uint8_t out[HASH_LEN], struct bytes data);
void merkle_node(uint8_t out[HASH_LEN], const uint8_t left[HASH_LEN],
    const uint8_t right[HASH_LEN]);

void frontier_init(struct frontier *f);
void frontier_add(struct frontier *f, const uint8_t leaf[HASH_LEN]);
void frontier_root(const struct frontier *f, uint8_t out[HASH_LEN]);

/* Reads the hash of the perfect subtree of 2^level leaves that starts at leaf
 * index * 2^level.  ST_ABSENT, ST_IO, ST_CORRUPT. */
typedef enum status (*merkle_read)(
    void *arg, unsigned level, uint64_t index, uint8_t out[HASH_LEN]);

MUST_CHECK enum status merkle_root_at(merkle_read read, void *arg,
    uint64_t size, uint8_t out[HASH_LEN]);
MUST_CHECK enum status merkle_prove_inclusion(merkle_read read, void *arg,
    uint64_t index, uint64_t size, struct merkle_proof *out);
MUST_CHECK enum status merkle_prove_consistency(merkle_read read, void *arg,
    uint64_t old_size, uint64_t size, struct merkle_proof *out);

/* ST_OK, or ST_DENIED: the proof does not lead from leaf to root. */
MUST_CHECK enum status merkle_check_inclusion(const struct merkle_proof *p,
    uint64_t index, uint64_t size, const uint8_t leaf[HASH_LEN],
    const uint8_t root[HASH_LEN]);
/* old_size 0 is consistent with anything, by an empty proof. */
MUST_CHECK enum status merkle_check_consistency(const struct merkle_proof *p,
    uint64_t old_size, const uint8_t old_root[HASH_LEN], uint64_t size,
    const uint8_t root[HASH_LEN]);

/*
 * Multi-inclusion: the fewest subtree hashes with which `count` leaves at
 * ascending places give the root of `size` (docs/PROTOCOL.md): the siblings
 * that cannot be computed, left to right, depth first.  Appended to *out
 * (HASH_LEN each).
 */
struct buf;
MUST_CHECK enum status merkle_prove_many(merkle_read read, void *arg,
    const uint64_t *places, size_t count, uint64_t size, struct buf *out);
MUST_CHECK enum status merkle_check_many(struct bytes proof,
    const uint64_t *places, const uint8_t (*leaves)[HASH_LEN], size_t count,
    uint64_t size, const uint8_t root[HASH_LEN]);

#endif
