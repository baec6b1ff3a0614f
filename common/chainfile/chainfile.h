#ifndef CHAINFILE_CHAINFILE_H
#define CHAINFILE_CHAINFILE_H
/*
 * chainfile: a handheld's file, opened and read: slots, keys, own chains.
 *
 * The handheld writes it (agent/log); the court's recovery reads it with the
 * recovery key when a handheld is broken or found.  Both read it here, so that
 * what one can follow the other can too.  docs/FORMAT.md, "Sealed log on the
 * handheld".
 *
 * A place of a chain is kept twice over: the sealed row holds link(n-1), the
 * head signature and the entry; the unsealed spine holds digest, link(n) and
 * the head signature.  Either half makes up for the loss of the other, but for
 * the entry's own words.  chainfile_walk follows a chain through rotten rows
 * and torn pages and says of each place what is left.
 *
 * Threads: one at a time.
 */
#include "base/buf.h"
#include "base/port.h"
#include "crypt/keyslot.h"
#include "crypt/seal.h"

struct db;
struct chainfile; /* private to this room */

enum {
	CHAINFILE_APP_ID = 0x44424c31, /* "DBL1", SQLite's application_id */
	CHAINFILE_CHAINS_MAX = 4096,
	CHAINFILE_SLOTS_MAX = 256,
	CHAINFILE_KEYS_MAX = 4096, /* data keys, old ones and the present */
	CHAINFILE_ROW_MAX = ENTRY_BYTES_MAX + 256 /* a sealed entry's bytes */
};

struct chainfile_config {
	const char *path;        /* NULL: in memory, for tests */
	const char *vfs;         /* NULL: the system's */
	const struct port *port; /* borrowed; outlives the file */
	bool create;
	unsigned busy_ms; /* how long to wait if another program has it */
};

/*
 * Open, and hold the file alone.  Nothing is unsealed yet.  Results as db_open
 * and db_migrate:
 * ST_ABSENT, ST_AGAIN (another program has it), ST_CORRUPT, ST_CONFLICT
 * (another program's file), ST_NEWER, ST_DENIED, ST_IO, ST_FULL.
 */
MUST_CHECK enum status chainfile_open(
    struct chainfile **out, const struct chainfile_config *c);

/* Wipe keys and close.  NULL does nothing. */
void chainfile_close(struct chainfile *f);

/* The connection below, borrowed: for those who write further tables. */
struct db *chainfile_db(struct chainfile *f);

/* ---- keys */

/*
 * Give the present keys: older data keys are opened by them.  One that does
 * not open is counted (chainfile_keys_lost): rows under it are lost, all
 * others are not.  ST_CORRUPT for impossible keys; ST_IO, ST_NOMEM.
 */
MUST_CHECK enum status chainfile_unlock(
    struct chainfile *f, const struct keyslot_keys *keys);
uint32_t chainfile_keys_lost(const struct chainfile *f);
void chainfile_lock(struct chainfile *f); /* wipe all keys */
bool chainfile_is_unlocked(const struct chainfile *f);

/* Unlock by the court's recovery private key.  ST_ABSENT: there is no such
 * slot; ST_DENIED: another key; ST_CORRUPT. */
MUST_CHECK enum status chainfile_recover(
    struct chainfile *f, const uint8_t private_key[KEYSLOT_BOX_KEY_LEN]);

/*
 * A slot's bytes, appended to `out`; numbers run from 1 to
 * CHAINFILE_SLOTS_MAX, with gaps.  ST_ABSENT, ST_CORRUPT.
 */
MUST_CHECK enum status chainfile_slot_get(
    struct chainfile *f, uint32_t slot, struct buf *out);
MUST_CHECK enum status chainfile_slot_put(
    struct chainfile *f, uint32_t slot, struct bytes in);
MUST_CHECK enum status chainfile_slot_drop(struct chainfile *f, uint32_t slot);

/*
 * Take other keys: the present data key, and all older ones, are kept under
 * the new one, whose id is one more.  Slots are the caller's to change, in the
 * same transaction; `chainfile_unlock` with the new keys comes after commit.
 */
MUST_CHECK enum status chainfile_rekey(
    struct chainfile *f, const struct keyslot_keys *next);

/*
 * Seal under the present data key, or open under the one that the row names.
 * As seal_row and seal_open; ST_LOCKED without keys; ST_CORRUPT for an unknown
 * key id.
 */
MUST_CHECK enum status chainfile_seal(struct chainfile *f, struct buf *out,
    const struct seal_place *at, struct bytes plain);
MUST_CHECK enum status chainfile_unseal(struct chainfile *f, struct buf *out,
    const struct seal_place *at, struct bytes sealed);

/* ---- chains */

struct chainfile_chain {
	uint32_t number; /* 1, 2 … in order of beginning; the last is open */
	uint8_t chain[CHAIN_LEN];
	uint8_t court_id[HASH_LEN];
	uint8_t public_key[PUBKEY_LEN];
	uint8_t link0[HASH_LEN]; /* computed, not read */
};

/*
 * Begin a chain: its number is one more than the last.  Each has tables of its
 * own, `entry_<number>` and `spine_<number>`: where the end of one is torn,
 * the next stands on fresh pages.  The caller has the transaction.  `out`'s
 * number and link0 are filled in, the rest is given.  ST_LIMIT.
 */
MUST_CHECK enum status chainfile_chain_add(
    struct chainfile *f, struct chainfile_chain *out);

/*
 * The chain of that number, or by its bytes.  ST_ABSENT; ST_CORRUPT if its row
 * cannot be read.
 */
MUST_CHECK enum status chainfile_chain_get(
    struct chainfile *f, uint32_t number, struct chainfile_chain *out);
MUST_CHECK enum status chainfile_chain_find(struct chainfile *f,
    const uint8_t chain[CHAIN_LEN], struct chainfile_chain *out);

/* The last chain's number; 0: none yet. */
MUST_CHECK enum status chainfile_chain_last(struct chainfile *f, uint32_t *out);

/* ---- walking a chain */

enum chainfile_is {
	CHAINFILE_WHOLE,  /* raw = the entry: head, LF, body */
	CHAINFILE_HEAD,   /* raw = its head line; the body was erased here */
	CHAINFILE_PURGED, /* content erased by order: digest and link stay */
	CHAINFILE_LOST,   /* the row does not open; digest and link stand */
	CHAINFILE_HOLE    /* the digest is gone too, or cannot be trusted */
};

/* What was wrong at a place, though it could be made good. */
enum chainfile_damage {
	CHAINFILE_NO_ROW = 1,   /* the sealed row is gone or does not open */
	CHAINFILE_NO_SPINE = 2, /* the spine's row is gone, or cannot be read */
	CHAINFILE_BAD_SPINE = 4,  /* it says something else than the truth */
	CHAINFILE_STRANGE_ROW = 8 /* the row opens, but is of another history */
};

/* One place.  Ranges are borrowed until the callback returns. */
struct chainfile_entry {
	enum chainfile_is is;
	unsigned damage; /* chainfile_damage, or 0 */
	uint32_t number; /* of the chain */
	uint8_t chain[CHAIN_LEN];
	uint64_t seq;
	struct bytes raw;
	bool has_prev; /* prev is known: always but behind a hole */
	bool has_link; /* link is known: always but in a hole */
	bool has_sig;  /* a head signature is there (not each is verified) */
	uint8_t digest[HASH_LEN]; /* not in a hole */
	uint8_t prev[HASH_LEN];   /* link(n-1) */
	uint8_t link[HASH_LEN];
	uint8_t sig[SIG_LEN];
};

typedef enum status chainfile_cb(void *arg, const struct chainfile_entry *e);

/* What a walk found. */
struct chainfile_found {
	uint64_t count;  /* places walked */
	uint64_t lost;   /* CHAINFILE_LOST */
	uint64_t holes;  /* CHAINFILE_HOLE */
	uint64_t mended; /* places with damage, but nothing lost */
	uint64_t last;   /* last seq there is; 0: none */
	/* The walk reached the end, whose link is known and well signed: the
	 * chain can be built on.  An empty chain is. */
	bool head_ok;
	/* The last place walked whose link is known (0: none, link0). */
	uint64_t known;
	uint8_t link[HASH_LEN]; /* link(known) */
	uint8_t sig[SIG_LEN];   /* where head_ok and last > 0 */
};

/*
 * Visit places `from` (at least 1) to `to` (or the last) of a chain, in order,
 * checking every link and digest on the way, each place's key from what is
 * left of it, and the last place's head signature if `to` reaches the end.  A
 * walk from 1 proves the whole chain; one from further on begins at the link
 * that stands there.
 *
 * Damage never ends it: it is told in the entries and in *found.  `cb` may be
 * NULL; a result of it other than ST_OK ends the walk with that.  ST_LOCKED
 * without keys, ST_ABSENT: no such chain; ST_IO, ST_NOMEM.
 */
MUST_CHECK enum status chainfile_walk(struct chainfile *f, uint32_t number,
    uint64_t from, uint64_t to, chainfile_cb *cb, void *arg,
    struct chainfile_found *found);

/*
 * The last seq that either table of a chain holds; 0 for an empty chain.
 * *certain is false if the ends of both are torn: there may have been more.
 */
MUST_CHECK enum status chainfile_last(
    struct chainfile *f, uint32_t number, uint64_t *out, bool *certain);

/* What the spine says of a place.  ST_ABSENT, ST_CORRUPT; nothing proved. */
struct chainfile_spine {
	uint8_t digest[HASH_LEN], link[HASH_LEN], sig[SIG_LEN];
};
MUST_CHECK enum status chainfile_spine_get(struct chainfile *f, uint32_t number,
    uint64_t seq, struct chainfile_spine *out);

/*
 * Write a place: its spine (a new one, or over what stands there), its sealed
 * row.  The caller has the transaction.  ST_CONFLICT if a new row is there.
 */
MUST_CHECK enum status chainfile_spine_put(struct chainfile *f, uint32_t number,
    uint64_t seq, const struct chainfile_spine *in, bool replace);
MUST_CHECK enum status chainfile_entry_put(struct chainfile *f,
    const struct chainfile_chain *c, uint64_t seq, struct bytes row,
    bool replace);

/* ---- what a sealed entry row holds */

/*
 *   u8 1 || u8 form || link(n-1)[32] || head signature[64] || bytes
 *
 * sealed at table "entry", the chain, row = seq.  The bytes: the entry, its
 * head line, or (purged) its digest.
 */
enum {
	CHAINFILE_FORM_WHOLE = 0,
	CHAINFILE_FORM_HEAD = 1,
	CHAINFILE_FORM_PURGED = 2,
	CHAINFILE_ROW_HEAD = 2 + HASH_LEN + SIG_LEN
};

struct chainfile_row {
	uint8_t form;
	uint8_t prev[HASH_LEN];
	uint8_t sig[SIG_LEN];
	struct bytes raw;
};
void chainfile_row_write(struct buf *out, const struct chainfile_row *r);
MUST_CHECK enum status chainfile_row_read(
    struct chainfile_row *out, struct bytes in);

/* A place for seal_row; `chain` NULL: zeroes. */
struct seal_place chainfile_place(
    const char *table, const uint8_t *chain, uint64_t row);

#endif
