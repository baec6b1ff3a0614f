#ifndef SERVER_CORE_CHAINS_H
#define SERVER_CORE_CHAINS_H
/*
 * chains: where each chain stands, in memory.
 *
 * The chains table of the store, and which keys are held because a fork of one
 * of their chains was seen.  Readers on any thread see what is committed.  The
 * committer changes copies, which become visible when its transaction has
 * committed and vanish when it has not.
 *
 * A chain is a tree of branches, nearly always of one: branch b shares
 * everything up to base_seq with its parent and goes on by itself from there.
 * Which branch a piece belongs to is said by links alone, never by who sent it.
 */
#include "base/port.h"
#include "server/store/store.h"

enum {
	CHAIN_BRANCHES_MAX = 16, /* of one chain; more are refused */
	KEY_CHAINS_MAX = 1024    /* of one device key; more are refused */
};

struct chain_branch {
	uint32_t parent;
	uint32_t status; /* enum store_chain_status */
	uint64_t base_seq;
	uint8_t base_link[HASH_LEN];
	uint64_t last_seq;
	uint8_t last_link[HASH_LEN];
	uint64_t last_place; /* of last_seq, where last_seq > base_seq */
};

struct chain_view {
	uint64_t no;
	uint8_t id[CHAIN_LEN];
	uint8_t key[PUBKEY_LEN];
	uint32_t count; /* branches, at least 1 */
	uint32_t dirty; /* committer: bit b: branch b changed */
	struct chain_branch branch[CHAIN_BRANCHES_MAX];
};

struct chains; /* private */

/* `port` gives the seed of the hash tables. */
MUST_CHECK enum status chains_new(struct chains **out, const struct port *port);
void chains_free(struct chains *ch);

/* Read the table of the store, in place of what was known.  Nothing may be
 * staged.  On failure nothing changes. */
MUST_CHECK enum status chains_load(struct chains *ch, struct store_reader *r);

/* ---- reading: any thread */

/* False if there is none of that id. */
bool chains_get(
    struct chains *ch, const uint8_t id[CHAIN_LEN], struct chain_view *out);

/* The id of chain number `no`; false if there is none. */
bool chains_id(struct chains *ch, uint64_t no, uint8_t out[CHAIN_LEN]);

/* What is known of a key: its chains, and whether everything from it is held
 * since a fork. */
void chains_key(struct chains *ch, const uint8_t key[PUBKEY_LEN],
    uint32_t *count, bool *held);

/* Take `bytes` from what a key may deliver on day `day`; false if it would be
 * more than `max`, and nothing is taken then.  Kept in memory only. */
bool chains_quota(struct chains *ch, const uint8_t key[PUBKEY_LEN],
    uint64_t day, uint64_t bytes, uint64_t max);

/* The n-th chain in order of number, from 0; false past the last. */
bool chains_at(struct chains *ch, uint64_t n, struct chain_view *out);

/* ---- writing: the committer alone */

/*
 * The committer's copy of a chain; one with count 0, to be begun, if there is
 * none.  Valid until publish or rollback.  NULL: out of memory.
 */
struct chain_view *chains_stage(struct chains *ch, const uint8_t id[CHAIN_LEN],
    const uint8_t key[PUBKEY_LEN]);

/* Give a staged chain of count 0 its number and branch 0, at link(0). */
void chains_begin(
    struct chains *ch, struct chain_view *v, const uint8_t link0[HASH_LEN]);

/* Whether a key is held, staged holds included; and hold it.  ST_NOMEM. */
bool chains_staged_held(struct chains *ch, const uint8_t key[PUBKEY_LEN]);
MUST_CHECK enum status chains_stage_hold(
    struct chains *ch, const uint8_t key[PUBKEY_LEN]);

/* Write the rows of all staged branches that changed. */
MUST_CHECK enum status chains_put(struct chains *ch, struct store *s);

/* Take the memory that publishing needs: it must not fail.  ST_NOMEM. */
MUST_CHECK enum status chains_ready(struct chains *ch);
void chains_publish(struct chains *ch);
void chains_rollback(struct chains *ch);

#endif
