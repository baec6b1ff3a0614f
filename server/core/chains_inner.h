#ifndef SERVER_CORE_CHAINS_INNER_H
#define SERVER_CORE_CHAINS_INNER_H
/* chains_inner: the tables from within.  Private to the chains module; every
 * function wants the lock held. */
#include <pthread.h>
#include <sodium.h>

#include "server/core/chains.h"

enum { CHAINS_TABLE_MIN = 64 };

/* One chain.  count 0: staged once, never committed. */
struct row {
	struct chain_view *staged; /* owned; the committer's, or NULL */
	uint64_t no;
	uint8_t id[CHAIN_LEN];
	uint8_t key[PUBKEY_LEN];
	uint32_t count;
	struct chain_branch *branch; /* owned; count of them */
};

/* One device key. */
struct key_row {
	uint8_t key[PUBKEY_LEN];
	uint32_t count; /* chains */
	bool held;
	bool staged_held;
	uint64_t day, bytes; /* delivered that day */
};

/* Open addressing over pointers to rows that begin, at `off`, with the bytes
 * that name them.  Nothing is ever taken out. */
struct table {
	void **slot;
	size_t cap, count;
	size_t off, len;
};

struct chains {
	pthread_mutex_t lock;
	uint8_t seed[crypto_shorthash_KEYBYTES];
	struct table by_id, by_key;
	struct row **by_no; /* owned array of rows of by_id; index no - 1 */
	uint64_t by_no_count, by_no_cap;
	struct row **stage; /* rows with a staged copy */
	size_t stage_count, stage_cap;
	uint64_t next_no; /* staged */
	bool stage_holds; /* some key has a staged hold */
};

struct key_row *chains_key_find(struct chains *ch, const uint8_t *key);

/* NULL: out of memory. */
struct key_row *chains_key_make(struct chains *ch, const uint8_t *key);
struct row *chains_row_make(
    struct chains *ch, const uint8_t *id, const uint8_t *key);

/* Room in by_no for chain number `no`. */
enum status chains_no_room(struct chains *ch, uint64_t no);

void chains_view_of(const struct row *r, struct chain_view *out);

#endif
