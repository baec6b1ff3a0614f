#ifndef TLOG_MERKLE_H
#define TLOG_MERKLE_H
/*
 * merkle: the tree of RFC 6962, section 2.1, over any leaf data.
 *
 * leaf = SHA-256(0x00 || data), node = SHA-256(0x01 || left || right), the
 * empty tree SHA-256("").  A frontier is what an append-only writer keeps: the
 * roots of the perfect subtrees, largest first, one for each 1 bit of the
 * size.
 *
 * Proofs are made by asking for hashes of perfect subtrees and checked with
 * none; both are loops of at most 64 steps a hash, whatever the size says.
 * Every `leaf` and `leaves` below is a leaf hash, not leaf data.  A size over
 * MERKLE_SIZE_MAX is ST_INVALID to a prover and ST_DENIED to a check.
 */
#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"

/* The most leaves a tree may have: what the int64 of other implementations
 * holds.  At that size the longest proof (consistency) is of 64 hashes. */
#define MERKLE_SIZE_MAX ((uint64_t)INT64_MAX)

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

/* out may be left or right. */
void merkle_node(uint8_t out[HASH_LEN], const uint8_t left[HASH_LEN],
    const uint8_t right[HASH_LEN]);

/* An append hashes as many nodes as the old size has trailing 1 bits: one on
 * average, 62 at most.  The size must be below MERKLE_SIZE_MAX. */
void frontier_init(struct frontier *f);
void frontier_add(struct frontier *f, const uint8_t leaf[HASH_LEN]);
void frontier_root(const struct frontier *f, uint8_t out[HASH_LEN]);

/*
 * Reads the hash of the perfect subtree of 2^level leaves that starts at leaf
 * index * 2^level.  Only subtrees that lie whole below the size that the
 * caller of the functions below gave are asked for.  ST_ABSENT, ST_IO,
 * ST_CORRUPT; every result but ST_OK is handed on as it is.
 */
typedef enum status (*merkle_read)(
    void *arg, unsigned level, uint64_t index, uint8_t out[HASH_LEN]);

/* A merkle_read over leaf hashes in memory; `arg` is a struct merkle_leaves.
 * It hashes all the leaves of the subtree each time: for small trees (piece
 * lines, manifests, tests).  ST_ABSENT past the last leaf. */
struct merkle_leaves {
	const uint8_t (*leaf)[HASH_LEN]; /* borrowed */
	uint64_t count;
};
enum status merkle_read_leaves(
    void *arg, unsigned level, uint64_t index, uint8_t out[HASH_LEN]);

/* The state of a writer at `size`, or its root: at most 64 reads. */
MUST_CHECK enum status merkle_frontier_at(
    merkle_read read, void *arg, uint64_t size, struct frontier *out);
MUST_CHECK enum status merkle_root_at(
    merkle_read read, void *arg, uint64_t size, uint8_t out[HASH_LEN]);

/* RFC 6962 section 2.1.1.  ST_INVALID unless index < size. */
MUST_CHECK enum status merkle_prove_inclusion(merkle_read read, void *arg,
    uint64_t index, uint64_t size, struct merkle_proof *out);

/* RFC 6962 section 2.1.2; empty for old_size 0 or size.  ST_INVALID if
 * old_size > size. */
MUST_CHECK enum status merkle_prove_consistency(merkle_read read, void *arg,
    uint64_t old_size, uint64_t size, struct merkle_proof *out);

/* ST_OK, or ST_DENIED: the proof does not lead from leaf to root. */
MUST_CHECK enum status merkle_check_inclusion(const struct merkle_proof *p,
    uint64_t index, uint64_t size, const uint8_t leaf[HASH_LEN],
    const uint8_t root[HASH_LEN]);

/* ST_OK or ST_DENIED.  old_size 0 is consistent with anything, by an empty
 * proof; old_root is not looked at then. */
MUST_CHECK enum status merkle_check_consistency(const struct merkle_proof *p,
    uint64_t old_size, const uint8_t old_root[HASH_LEN], uint64_t size,
    const uint8_t root[HASH_LEN]);

/*
 * Multi-inclusion: the fewest subtree hashes with which `count` leaves at
 * ascending places give the root of `size` (docs/FORMAT.md, "Tree"): the
 * siblings that cannot be computed, left to right, depth first.  Appended to
 * *out (HASH_LEN each).  ST_INVALID for no places, for places that do not
 * ascend, or one >= size; else what `read` or the buffer says.  On failure
 * *out is as long as before.
 */
struct buf;
MUST_CHECK enum status merkle_prove_many(merkle_read read, void *arg,
    const uint64_t *places, size_t count, uint64_t size, struct buf *out);

/* ST_OK or ST_DENIED; a proof for no places proves nothing and is denied, as
 * are places that merkle_prove_many would refuse. */
MUST_CHECK enum status merkle_check_many(struct bytes proof,
    const uint64_t *places, const uint8_t (*leaves)[HASH_LEN], size_t count,
    uint64_t size, const uint8_t root[HASH_LEN]);

/*
 * The inclusion proof of one of its leaves, leaves[of], out of a
 * multi-inclusion proof: what lies beside its way up was put out, or can be
 * computed.  It is as good as the proof it was made from.  ST_DENIED for one
 * that is no proof of that many leaves.
 */
MUST_CHECK enum status merkle_one_of_many(struct bytes proof,
    const uint64_t *places, const uint8_t (*leaves)[HASH_LEN], size_t count,
    uint64_t size, size_t of, struct merkle_proof *out);

/*
 * Roots of earlier sizes out of the same proof.  Whatever lies left of a leaf
 * that is proved is a leaf too or was put out whole, so the tree that ended
 * with that leaf can be put together.  `sizes` ascend; known[i] is false where
 * the proof does not tell.  Only after merkle_check_many gave ST_OK for it.
 */
void merkle_past_roots(struct bytes proof, const uint64_t *places,
    const uint8_t (*leaves)[HASH_LEN], size_t count, uint64_t size,
    const uint64_t *sizes, size_t size_count, uint8_t (*roots)[HASH_LEN],
    bool *known);

#endif
