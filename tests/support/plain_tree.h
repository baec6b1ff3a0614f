#ifndef SUPPORT_PLAIN_TREE_H
#define SUPPORT_PLAIN_TREE_H
/*
 * plain_tree: the tree once more, written from the recursive definitions of
 * RFC 6962 and from the words of docs/FORMAT.md alone, to hold the loops of
 * tlog/merkle.c against.  It shares nothing with them but SHA-256.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "tlog/merkle.h"

enum { PLAIN_LEAVES = 71 };

/* Leaf hashes to test with, made by plain_tree_setup (a cmocka setup). */
extern uint8_t plain_leaf[PLAIN_LEAVES][HASH_LEN];
extern struct merkle_leaves plain_tree; /* the same, for merkle_read_leaves */
int plain_tree_setup(void **state);

/* MTH(D[lo:hi]) */
void plain_root(uint8_t out[HASH_LEN], size_t lo, size_t hi);

/* PATH(m, D[lo:hi]), appended to out. */
void plain_path(struct buf *out, size_t m, size_t lo, size_t hi);

/* SUBPROOF(m, D[lo:hi], whole) */
void plain_subproof(
    struct buf *out, size_t m, size_t lo, size_t hi, bool whole);

/* The multi-inclusion proof of the places i with wanted[i]. */
void plain_many(struct buf *out, const bool *wanted, size_t lo, size_t hi);

/* Small repeatable numbers (xorshift); *seed is not 0. */
uint64_t plain_random(uint64_t *seed);

#endif
