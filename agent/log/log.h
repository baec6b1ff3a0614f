#ifndef AGENT_LOG_LOG_H
#define AGENT_LOG_LOG_H
/*
 * log: all that a handheld keeps, in one sealed file (docs/FORMAT.md, "Sealed
 * log on the handheld").
 *
 * What an append has answered ST_OK for is on disk, sealed, linked and signed,
 * and stays through a crash, a kill or a power cut.  Nothing that an officer
 * wrote can be read in the file without a passphrase or the court's recovery
 * key, and nothing can be changed, moved or taken out of the middle unnoticed.
 * What is noticed is told and stepped over: a rotten row never stops the rest.
 *
 * What the file cannot show by itself: that it is an old copy of itself, or
 * that its newest entries were cut off.  For that the caller compares chains
 * with what the centre holds (log_compare).
 *
 * Life: log_create once, then log_open, log_unlock … log_lock, log_close.
 * Functions that need keys give ST_LOCKED without.  One process has the file.
 *
 * All functions, if nothing else is said, may also give ST_IO, ST_FULL (the
 * disk is full; nothing was written), ST_CORRUPT (the file is damaged where
 * they looked), ST_NOMEM.  After a failure nothing is half done.  A write that
 * met a torn page is worth a second try: the table is rebuilt before it, from
 * what can be read (chains apart: there the way on is a new chain).
 *
 * Threads: one at a time.
 */
#include "base/buf.h"
#include "base/port.h"
#include "chainfile/chainfile.h"
#include "crypt/identity.h"
#include "crypt/keyslot.h"

struct log; /* private to agent/log */

enum {
	LOG_CONF_MAX = 16 << 20,  /* bytes of one conf value */
	LOG_NAME_MAX = 64,        /* bytes of a conf or public name */
	LOG_BAD_MAX = 4 << 20,    /* bytes of one kept piece of evidence */
	LOG_BAD_COUNT_MAX = 1000, /* then the newest are counted, not kept */
	LOG_RECEIPT_MAX = 64 << 10,
	LOG_RESERVE_BYTES = 4 << 20, /* kept back for a full disk */
	LOG_LOW_BYTES = 64 << 20     /* less than this free: warn */
};

struct log_config {
	const char *path;
	const char *vfs; /* SQLite VFS by name; NULL: the system's */
	const struct port *port;
	struct keyslot_kdf kdf; /* of new slots; zeroes: the product's */
	unsigned busy_ms;       /* how long to wait for another process */
	bool no_reserve; /* keep no ballast file beside (tests, simulation) */
};

/* ---- life */

/*
 * Make a new file with new keys, a new device identity and the first officer's
 * slot; it is open and unlocked.  ST_CONFLICT if there is a file with a slot;
 * ST_INVALID for a passphrase against the policy (keyslot.h).  What a failure
 * leaves behind is no log yet (log_open: ST_ABSENT); call it again.
 */
MUST_CHECK enum status log_create(struct log **out, const struct log_config *c,
    struct bytes officer, struct bytes passphrase);

/*
 * Open; locked.  ST_ABSENT: no file; ST_AGAIN: another process has it;
 * ST_CORRUPT, ST_CONFLICT: it is no such file; ST_NEWER.
 */
MUST_CHECK enum status log_open(struct log **out, const struct log_config *c);

/* Lock and close; an open batch is rolled back.  NULL does nothing. */
void log_close(struct log *l);

/* English words for the last failure; never NULL; until the next call. */
const char *log_errmsg(const struct log *l);

/* ---- locks and officers (passphrases: keyslot.h) */

/*
 * ST_DENIED: unknown officer or wrong passphrase, which are not told apart.
 * ST_CORRUPT: the passphrase was right but the keys or the identity do not
 * open.  Takes one Argon2id.
 */
MUST_CHECK enum status log_unlock(
    struct log *l, struct bytes officer, struct bytes passphrase);
void log_lock(struct log *l); /* wipe all keys; a batch is rolled back */
bool log_is_unlocked(const struct log *l);

/* Another officer; ST_CONFLICT if there already; ST_INVALID (policy). */
MUST_CHECK enum status log_officer_add(
    struct log *l, struct bytes officer, struct bytes passphrase);

/* A new passphrase for an officer who has a slot; ST_ABSENT.  Changes the
 * keys, as a removal does: the old passphrase opens nothing of the future. */
MUST_CHECK enum status log_officer_passphrase(
    struct log *l, struct bytes officer, struct bytes passphrase);

/*
 * Remove an officer: the slot is overwritten, data and identity keys are
 * changed, in one transaction.  Rows sealed before stay as they are (the old
 * data key is kept sealed under the new one).  ST_ABSENT; ST_CONFLICT for the
 * last officer.
 */
MUST_CHECK enum status log_officer_remove(struct log *l, struct bytes officer);

/*
 * The court's recovery slot: data key only.  The same key again changes
 * nothing; another replaces it, and changes the keys.  ST_INVALID for a public
 * key that hides nothing.
 */
MUST_CHECK enum status log_recovery_set(
    struct log *l, const uint8_t public_key[KEYSLOT_BOX_KEY_LEN]);
bool log_has_recovery(const struct log *l); /* works locked */

/* ---- identity */

/* The device's public key; works locked.  Borrowed for the log's life. */
const uint8_t *log_public_key(const struct log *l);

/* TLS key, certificate …; durable on ST_OK.  Empty removes. */
MUST_CHECK enum status log_identity_set(
    struct log *l, enum identity_item item, struct bytes in);

/* Several at once, all or none: a renewed certificate and its key. */
struct log_item {
	enum identity_item item;
	struct bytes in;
};
MUST_CHECK enum status log_identity_set_many(
    struct log *l, const struct log_item *items, size_t count);

/* Borrowed until it is set or the log is locked; empty if not there. */
struct bytes log_identity_get(const struct log *l, enum identity_item item);

/* Ed25519 by the chain key over other things than chain heads (enrolment,
 * renewal). */
MUST_CHECK enum status log_sign(
    struct log *l, uint8_t sig[SIG_LEN], struct bytes message);

/* ---- own chains */

struct log_head {
	uint32_t number; /* 1: the first chain of this file */
	uint8_t chain[CHAIN_LEN];
	uint64_t seq;           /* of the last entry; 0: none yet */
	uint8_t link[HASH_LEN]; /* link(seq); link0 where seq is 0 */
	uint8_t sig[SIG_LEN];   /* where seq > 0 */
	uint64_t unsent_from;   /* 1 + the last seq with a receipt */
	/* The chain before, which the first entry must name (`old`). */
	bool has_old;
	uint8_t old_chain[CHAIN_LEN];
	uint64_t old_seq;
	uint8_t old_link[HASH_LEN];
};

/*
 * Begin a new chain under this court: the first one, or one after recovery, a
 * rollback, or a head that cannot be trusted (log_replay's `broken`).  What
 * stands on older chains stays.  16 random bytes name it.
 */
MUST_CHECK enum status log_chain_new(
    struct log *l, const uint8_t court_id[HASH_LEN]);

/* The open chain; works locked.  ST_ABSENT: none yet. */
MUST_CHECK enum status log_head(struct log *l, struct log_head *out);

/* Any own chain, by number from 1; works locked.  ST_ABSENT beyond. */
MUST_CHECK enum status log_chain(
    struct log *l, uint32_t number, struct log_head *out);

/*
 * Append an entry to the open chain: sealed, linked, signed and durable on
 * ST_OK (within a batch: once the batch is committed).  `seq` must be the next
 * one, the one that the entry's own head states, else ST_CONFLICT.  `raw` is
 * an entry as entry_write made it; it is not parsed here.  `link` gets
 * link(seq), whose first bytes are its id.
 *
 * ST_FULL: the disk is full, and so is the reserve.  ST_CORRUPT: the chain's
 * head cannot be trusted: begin a new chain.  ST_LIMIT: too long.
 */
MUST_CHECK enum status log_append(
    struct log *l, uint64_t seq, struct bytes raw, uint8_t link[HASH_LEN]);

/*
 * Several writes as one: all or none is there after a crash.  One level.
 * Between begin and commit every function here may be used; those that fail
 * leave the batch as it was before them, but for ST_IO, ST_FULL and ST_NOMEM,
 * after which it must be rolled back.
 */
MUST_CHECK enum status log_batch_begin(struct log *l);
MUST_CHECK enum status log_batch_commit(struct log *l);
void log_batch_rollback(struct log *l); /* without one: nothing */

/* How an own chain stands against a link somebody else holds of it. */
enum log_compare {
	LOG_SAME,    /* our last entry is that one */
	LOG_AHEAD,   /* we have it, and more */
	LOG_BEHIND,  /* we do not have that place: this is an old copy */
	LOG_FORKED,  /* we have another entry in that place */
	LOG_UNKNOWN, /* not a chain of ours, or a hole in that place */
};
MUST_CHECK enum status log_compare(struct log *l,
    const uint8_t chain[CHAIN_LEN], uint64_t seq, const uint8_t link[HASH_LEN],
    enum log_compare *out);

/* ---- reading */

/* An entry as it is kept: an own one, or one that the centre sent. */
struct log_entry {
	struct chainfile_entry e; /* foreign: number 0, has_sig false */
	bool own;
	uint64_t place; /* in the central log; foreign only */
	unsigned flags; /* foreign only, the caller's (stream flags) */
};

/* May read from the log, must not write to it. */
typedef enum status log_cb(void *arg, const struct log_entry *e);

/* What a replay found; also kept for log_status. */
struct log_found {
	uint64_t own, foreign; /* entries visited */
	uint64_t lost, holes, mended;
	uint64_t foreign_lost; /* rows of others that do not open: to be
				  fetched again */
	bool broken; /* the open chain's head cannot be trusted: begin a new
			chain before the next append */
};

/*
 * Visit everything, own chains first, each from its first entry, then what
 * the centre sent, in the order it came; links, digests and the heads'
 * signatures are checked while going.  Damage is told, never the end of it.
 * Rows of the spine that were lost or changed, and can be proved, are written
 * anew afterwards.  Ranges are borrowed until `cb` returns.
 */
MUST_CHECK enum status log_replay(
    struct log *l, log_cb *cb, void *arg, struct log_found *found);

/* Own places from … to of a chain (by number), as chainfile_walk. */
MUST_CHECK enum status log_each(struct log *l, uint32_t number, uint64_t from,
    uint64_t to, log_cb *cb, void *arg);

/* A lost own place is filled with bytes of its digest; ST_CONFLICT if they
 * are others, ST_ABSENT if no such place is lost. */
MUST_CHECK enum status log_fill(struct log *l, const uint8_t chain[CHAIN_LEN],
    uint64_t seq, struct bytes raw);

/*
 * Erase the content of own places from … to: all of it, or all but the heads
 * (`keep_heads`).  Digest, link, signature and receipts stay.  Whether it may
 * be done (verified receipt, kept size) is the caller's to know.  What was
 * erased is overwritten in the file, and the WAL is emptied.
 */
MUST_CHECK enum status log_purge(struct log *l, uint32_t number, uint64_t from,
    uint64_t to, bool keep_heads);

/* ---- what the centre sent */

/* An entry of another chain, proved by the caller. */
struct log_foreign {
	uint8_t chain[CHAIN_LEN];
	uint64_t seq, place;
	unsigned flags; /* kept and given back; at most 16 bits */
	uint8_t prev[HASH_LEN];
	struct bytes raw; /* whole, or a head line; empty: lost there too */
	uint8_t digest[HASH_LEN]; /* read only where raw is empty */
};

/*
 * Keep it.  Its id is recomputed.  One that is there already changes nothing
 * (*is_new false), but a whole one takes the place of a head or a digest.
 * `link` and `is_new` may be NULL.
 */
MUST_CHECK enum status log_foreign_add(struct log *l,
    const struct log_foreign *f, uint8_t link[HASH_LEN], bool *is_new);
bool log_foreign_has(struct log *l, const uint8_t id[ID_LEN]);
/* Keep of it the head alone; ST_OK too if there is no such entry here. */
MUST_CHECK enum status log_foreign_blind(
    struct log *l, const uint8_t id[ID_LEN]);
/* One of them; its bytes are appended to `buf`, and `raw` is not set.
 * ST_ABSENT; ST_CORRUPT: its row does not open. */
MUST_CHECK enum status log_foreign_get(struct log *l, const uint8_t id[ID_LEN],
    struct log_foreign *out, struct buf *buf);
/* One that is not there is fine. */
MUST_CHECK enum status log_foreign_drop(
    struct log *l, const uint8_t id[ID_LEN]);
/* Forget all of it and every cursor: the centre sends it again. */
MUST_CHECK enum status log_foreign_reset(struct log *l);

/* ---- what was proved to us */

/* A verified receipt: own places up to `seq` are in the log at `size`. */
struct log_receipt {
	uint8_t chain[CHAIN_LEN];
	uint64_t seq, place, size;
	struct bytes bytes; /* note and proof, the caller's form */
};
MUST_CHECK enum status log_receipt_put(
    struct log *l, const struct log_receipt *r);
/* The one with the highest seq of a chain; bytes go into `buf`.  ST_ABSENT. */
MUST_CHECK enum status log_receipt_last(struct log *l,
    const uint8_t chain[CHAIN_LEN], struct log_receipt *out, struct buf *buf);
typedef enum status log_receipt_cb(void *arg, const struct log_receipt *r);
MUST_CHECK enum status log_receipt_each(
    struct log *l, log_receipt_cb *cb, void *arg);

/* Cursor of a scope's stream: put (also back), all of them, drop. */
struct log_cursor {
	uint8_t scope[ID_LEN];
	uint64_t place, sub;
};
MUST_CHECK enum status log_cursor_put(
    struct log *l, const struct log_cursor *c);
MUST_CHECK enum status log_cursor_drop(
    struct log *l, const uint8_t scope[ID_LEN]);
typedef enum status log_cursor_cb(void *arg, const struct log_cursor *c);
MUST_CHECK enum status log_cursor_each(
    struct log *l, log_cursor_cb *cb, void *arg);

/*
 * Evidence: bytes that failed to prove (a note, an answer, a part), kept for
 * whoever asks later.  `why` in English.  Above LOG_BAD_COUNT_MAX they are
 * only counted.
 */
MUST_CHECK enum status log_bad_put(
    struct log *l, const char *why, struct bytes bytes);
MUST_CHECK enum status log_bad_count(struct log *l, uint64_t *out);
struct log_bad {
	uint64_t id; /* from 1 */
	uint64_t wall_ms;
	struct bytes why, bytes; /* borrowed */
};
typedef enum status log_bad_cb(void *arg, const struct log_bad *bad);
MUST_CHECK enum status log_bad_each(struct log *l, log_bad_cb *cb, void *arg);

/* ---- settings */

/* Sealed values by name (descriptor, checkpoint, people …).  Empty bytes are
 * a value.  ST_ABSENT. */
MUST_CHECK enum status log_conf_put(
    struct log *l, const char *name, struct bytes in);
MUST_CHECK enum status log_conf_get(
    struct log *l, const char *name, struct buf *out);
MUST_CHECK enum status log_conf_drop(struct log *l, const char *name);

/* As above, but readable by whoever has the file, and while it is locked:
 * never a value that says anything about a person or a case. */
MUST_CHECK enum status log_public_put(
    struct log *l, const char *name, struct bytes in);
MUST_CHECK enum status log_public_get(
    struct log *l, const char *name, struct buf *out);

/* ---- the disk */

struct log_space {
	uint64_t file_bytes; /* the file, without its WAL */
	uint64_t free_bytes; /* on its disk; UINT64_MAX: not known */
	bool low;            /* under LOG_LOW_BYTES: warn the officer */
	bool reserve_spent;  /* the disk was full; what is written now goes
				into what was kept back: the last MiBs */
};
MUST_CHECK enum status log_space(struct log *l, struct log_space *out);

/*
 * Quiet-time work: move the WAL into the file, take back the reserve if it was
 * spent and there is room again.
 */
MUST_CHECK enum status log_tidy(struct log *l);

/* SQLite's own check of the whole file, then every chain with every head
 * signature.  Slow.  ST_CORRUPT with words in log_errmsg. */
MUST_CHECK enum status log_check(struct log *l, struct log_found *found);

#endif
