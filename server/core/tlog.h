#ifndef SERVER_CORE_TLOG_H
#define SERVER_CORE_TLOG_H
/*
 * tlog: the centre's tree over its store: proofs, tiles, and the right edge
 * that grows.
 *
 * Full tiles of 256 hashes stand in the store, put there by the transaction
 * that filled them; the tiles that are not full yet are kept in memory and
 * made anew from the entries' links on start.  A tile that is read is kept
 * whole, with the nodes inside it, in a cache of bounded size: a proof near
 * the end of the log costs no hashing and no disk.
 *
 * One committer grows the tree: it appends leaves, which nobody sees, and
 * then publishes or drops them, as its transaction goes.  Everybody else asks
 * at or below the published size, from any thread.
 */
#include "server/store/store.h"
#include "tlog/merkle.h"
#include "tlog/tile.h"

struct tlog; /* private to tlog.c */

/*
 * Open at the store's head.  ST_CORRUPT if the entries' links do not give the
 * root of the head row.  `s` must outlive it.
 */
MUST_CHECK enum status tlog_open(struct tlog **out, struct store *s);
void tlog_close(struct tlog *t);

/* ---- growing: the committer alone */

/* Append leaf hashes behind what was appended before.  ST_NOMEM; then nothing
 * was. */
MUST_CHECK enum status tlog_append(
    struct tlog *t, const uint8_t (*leaf)[HASH_LEN], size_t count);

/* The frontier with what was appended. */
void tlog_frontier(struct tlog *t, struct frontier *out);

/* Put the tiles that were filled since the last publish into the store. */
MUST_CHECK enum status tlog_put_tiles(struct tlog *t, struct store *s);

/* Make what was appended the tree that everybody sees; or forget it. */
void tlog_publish(struct tlog *t);
void tlog_rollback(struct tlog *t);

/* Take in and publish what others have committed, up to head.  ST_CORRUPT if
 * the links do not give its root.  `r` reads the store. */
MUST_CHECK enum status tlog_follow(
    struct tlog *t, struct store_reader *r, const struct store_head *head);

/* ---- asking: any thread.  ST_ABSENT above the published size; ST_INVALID as
 * tlog/merkle.h says; ST_IO, ST_CORRUPT, ST_NOMEM. */

uint64_t tlog_size(struct tlog *t);
MUST_CHECK enum status tlog_root(
    struct tlog *t, uint64_t size, uint8_t out[HASH_LEN]);
MUST_CHECK enum status tlog_inclusion(
    struct tlog *t, uint64_t place, uint64_t size, struct merkle_proof *out);
MUST_CHECK enum status tlog_consistency(
    struct tlog *t, uint64_t old_size, uint64_t size, struct merkle_proof *out);
MUST_CHECK enum status tlog_many(struct tlog *t, const uint64_t *places,
    size_t count, uint64_t size, struct buf *out);

/* A merkle_read; `arg` is the struct tlog. */
enum status tlog_read(
    void *arg, unsigned level, uint64_t index, uint8_t out[HASH_LEN]);

/* The contents of a tile or entry bundle of the tree of `size` leaves,
 * appended: exactly its width.  ST_ABSENT if that tree has no such tile. */
MUST_CHECK enum status tlog_tile(
    struct tlog *t, const struct tile *what, uint64_t size, struct buf *out);

/* Make every full tile anew from the entries' links and put back those that
 * are not there.  Within a transaction of `s`. */
MUST_CHECK enum status tlog_repair(struct store *s);

#endif
