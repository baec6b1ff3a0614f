#ifndef SERVER_CORE_CENTRE_H
#define SERVER_CORE_CENTRE_H
/*
 * centre: one court's log, opened: store, tree, server chain, committer.
 *
 * It knows no HTTP and needs no thread: a simulation opens it, hands it
 * requests and calls committer_run.  In the daemon the committer has a thread,
 * and everything marked "any thread" below may be called from all of them.
 *
 * The folder of a court:
 *	store.db          the log (docs/FORMAT.md, "The centre's store")
 *	keys/log          Ed25519 seed of the log, hex, LF        (0600)
 *	keys/server       Ed25519 seed of the server's chain      (0600)
 *	keys/ca.key       the CA's private key, DER               (0600)
 *	keys/ca.crt       its certificate, DER
 * The root key and the recovery key never stand in it.
 */
#include "base/port.h"
#include "server/core/committer.h"
#include "server/core/tlog.h"
#include "server/store/store.h"
#include "tlog/descriptor.h"
#include "tlog/note.h"

struct centre;
struct ca;

enum { CENTRE_ERRMSG_LEN = 256, CENTRE_OBSERVERS_MAX = 8 };

/* ---- making a court */

struct centre_init {
	const char *dir;  /* made if absent; must hold no court yet */
	const char *code; /* the court's code: "xz0302" */
	const char *name;
	const char *origin; /* of the log; NULL: "<code>.daybreak/log" */
	const char *const *devices_at; /* addresses, descriptor.h */
	size_t devices_at_count;
	const char *const *public_at;
	size_t public_at_count;
	const struct port *port;
	const char *vfs; /* SQLite VFS; NULL: the system's */
};

/* Keys that must be taken away: nobody keeps them but the caller, who wipes
 * them. */
struct centre_keys {
	uint8_t root_secret[64];     /* Ed25519, libsodium's form */
	uint8_t recovery_secret[32]; /* X25519 */
};

/*
 * Make a court: keys, CA, descriptor 1, and a log that begins with it.
 * ST_CONFLICT: there is one in `dir`; ST_INVALID: a code, name or address that
 * will not do (words in errmsg); ST_FULL, ST_IO, ST_NOMEM.  A failure in the
 * middle leaves a folder that is no court: the next try begins anew.
 */
MUST_CHECK enum status centre_init(const struct centre_init *what,
    struct centre_keys *keys, char errmsg[CENTRE_ERRMSG_LEN]);

/* ---- opening one */

struct centre_config {
	const char *dir;
	const struct port *port;
	const char *vfs;
	/* When the public tree moves on, each day: minutes after midnight at
	 * public_offset_min east of UTC.  The default of the command line is
	 * 18:00 at +08:00. */
	int public_minute, public_offset_min;
};

/*
 * Open.  The head row is signed again.  ST_ABSENT: no court there; ST_CORRUPT;
 * ST_DENIED: the keys are not those of the log.  Words in errmsg.
 */
MUST_CHECK enum status centre_open(struct centre **out,
    const struct centre_config *cfg, char errmsg[CENTRE_ERRMSG_LEN]);

/* Stops the committer's thread if there is one, and closes.  Readers must be
 * closed before.  NULL does nothing. */
void centre_close(struct centre *c);

/* ---- what it is; any thread */

const char *centre_court(const struct centre *c);       /* its code */
const uint8_t *centre_court_id(const struct centre *c); /* HASH_LEN */
const struct port *centre_port(const struct centre *c);
const struct note_key *centre_log_key(const struct centre *c);
const uint8_t *centre_server_key(const struct centre *c); /* PUBKEY_LEN */
/* Sign a place of this centre's present chain; false: it is of another chain.
 * Any thread: the key does not change while the centre is open. */
bool centre_sign_own(const struct centre *c, const uint8_t chain[CHAIN_LEN],
    uint64_t seq, const uint8_t link[HASH_LEN], uint8_t sig[SIG_LEN]);
struct committer *centre_committer(struct centre *c);
struct tlog *centre_tlog(struct centre *c);
struct store *centre_store(struct centre *c); /* to open readers */
struct ca *centre_ca(struct centre *c);

/* The newest descriptor's file, appended; and the first one's. */
MUST_CHECK enum status centre_descriptor(struct centre *c, struct buf *out);
MUST_CHECK enum status centre_descriptor_first(
    struct centre *c, struct buf *out);

/* Words for the last failure of a commit; copied to `out`. */
void centre_errmsg(struct centre *c, char out[CENTRE_ERRMSG_LEN]);

/* The newest signed checkpoint: its note appended to `note` (may be NULL), and
 * what it says (may be NULL). */
MUST_CHECK enum status centre_checkpoint(
    struct centre *c, struct buf *note, struct checkpoint *out);

/* The size that the public may see, and its signed note. */
MUST_CHECK enum status centre_public(
    struct centre *c, struct buf *note, struct checkpoint *out);

/* The places below this are in a verified backup. */
uint64_t centre_kept(struct centre *c);

/*
 * Log `kept@1`: the places below `size` are in a verified backup.  It never
 * goes back: with a size that is not above the present one nothing is logged,
 * and *raised is false.  Waits for the commit.  ST_LOCKED: the log is stopped.
 */
MUST_CHECK enum status centre_keep(
    struct centre *c, uint64_t size, const char *by, bool *raised);

/*
 * The note of an earlier checkpoint: of `size` leaves, at which a commit must
 * have ended, so that it was a signed head once.  ST_ABSENT if none did.
 */
MUST_CHECK enum status centre_checkpoint_at(
    struct centre *c, uint64_t size, struct buf *note, struct checkpoint *out);

/* True once a checkpoint turned up that this log does not lead to: nothing is
 * committed any more. */
bool centre_halted(struct centre *c);

/* True if an earlier log of this court ended in a restore: *kept is how many
 * leaves of the last one stand here. */
bool centre_restored(struct centre *c, uint64_t *kept);

/* Is it the note of a log that ended here?  *cp and *kept are set then. */
bool centre_ended_note(
    struct centre *c, struct bytes note, struct checkpoint *cp, uint64_t *kept);

/* ---- following the log */

/*
 * Called after each commit, in order, with the size that is now signed; on the
 * committer's thread, before the next commit begins, and before the jobs'
 * `done`: who follows the log here knows all of it when the next piece is
 * judged.  It must not wait for the committer.  Set up before the first
 * commit; also called once at once with the present size.
 */
typedef void (*centre_observer)(void *arg, uint64_t size);
void centre_observe(struct centre *c, centre_observer fn, void *arg);

/*
 * Asked by the committer for each piece: NULL, or why everything from this key
 * is held ("revoked: lost").  Static or long-lived words.  At most one.
 */
typedef const char *(*centre_standing)(
    void *arg, const uint8_t key[PUBKEY_LEN]);
void centre_set_standing(struct centre *c, centre_standing fn, void *arg);

/* Take in what other processes have committed.  The daemon calls it once a
 * second; any thread. */
void centre_poll(struct centre *c);

/* ---- reading entries: one reader, one thread */

struct centre_entry {
	uint64_t place;
	uint8_t chain[CHAIN_LEN];
	uint64_t seq;
	uint32_t branch;
	uint32_t flags; /* enum store_flags */
	uint8_t prev[HASH_LEN];
	uint8_t link[HASH_LEN];
	/* The entry; its head line alone where STORE_BLIND, 32 bytes of digest
	 * where STORE_LOST.  Borrowed until the next call. */
	struct bytes bytes;
	/* When it was received, ms since 1970, and the place of the commit
	 * entry that says so. */
	uint64_t received_ms;
	uint64_t commit;
};

struct centre_reader;
struct centre_scan;

MUST_CHECK enum status centre_reader_open(
    struct centre_reader **out, struct centre *c);
void centre_reader_close(struct centre_reader *r);

/* The signed size now: places below it can be asked for. */
uint64_t centre_reader_size(const struct centre_reader *r);

/* The store's own reader beneath, for what store.h reads. */
struct store_reader *centre_reader_store(struct centre_reader *r);

/* store_hold and store_release, for many calls of centre_entry: places above
 * the size that was signed when it was held are then not to be asked for. */
MUST_CHECK enum status centre_reader_hold(struct centre_reader *r);
void centre_reader_release(struct centre_reader *r);

/* The entry at a place.  ST_ABSENT above the signed size. */
MUST_CHECK enum status centre_entry(
    struct centre_reader *r, uint64_t place, struct centre_entry *out);

/* The same without `prev`, for who reads many and needs no chain. */
MUST_CHECK enum status centre_entry_alone(
    struct centre_reader *r, uint64_t place, struct centre_entry *out);

/*
 * Entries at places from <= p < to (cut at the signed size), in order.  The
 * reader serves the scan alone until it is closed.  ST_ABSENT at the end.
 */
MUST_CHECK enum status centre_scan_open(struct centre_scan **out,
    struct centre_reader *r, uint64_t from, uint64_t to);
MUST_CHECK enum status centre_scan_next(
    struct centre_scan *sc, struct centre_entry *out);
void centre_scan_close(struct centre_scan *sc);

/*
 * Entries of the court's own chains alone, in order of place, from the first
 * on: found by their chains, without reading what stands between.  An entry is
 * given until it is said to be taken, so a failure loses none.
 */
struct centre_own;
MUST_CHECK enum status centre_own_open(
    struct centre_own **out, struct centre *c, struct centre_reader *r);
void centre_own_close(struct centre_own *o);
/* The next one at a place below `to`; ST_ABSENT: none yet. */
MUST_CHECK enum status centre_own_next(
    struct centre_own *o, uint64_t to, struct centre_entry *out);
void centre_own_took(struct centre_own *o);

/* One chain as the log has it.  ST_ABSENT. */
struct centre_chain {
	uint8_t id[CHAIN_LEN];
	uint8_t key[PUBKEY_LEN];
	char dev[DEV_LEN + 1];
	bool server;
	bool held;         /* a fork was seen: everything further is held */
	uint32_t branches; /* 1: not forked */
	uint64_t last_seq; /* of branch 0 */
	uint64_t last_place;
};
MUST_CHECK enum status centre_chain(
    struct centre *c, const uint8_t id[CHAIN_LEN], struct centre_chain *out);
/* All of them; `fn` ends it with any result but ST_OK. */
typedef enum status (*centre_chain_fn)(
    void *arg, const struct centre_chain *chain);
MUST_CHECK enum status centre_chains(
    struct centre *c, centre_chain_fn fn, void *arg);

/* ---- beside the log; any thread */

/* A name for a new record. */
void centre_new_rec(struct centre *c, char out[REC_LEN + 1]);

/*
 * Something was tried and refused: counted by (sort, subject), kept in memory
 * and written with the next commit, or by centre_flush.  `doc` is a JSON
 * object.
 */
void centre_attempt(
    struct centre *c, const char *sort, const char *subject, const char *doc);

/* Write what was only counted so far. */
MUST_CHECK enum status centre_flush(struct centre *c);

/* Something that a supervisor has to see; durable on ST_OK.  `doc` is a JSON
 * object. */
MUST_CHECK enum status centre_alarm(
    struct centre *c, const char *sort, const char *dev, const char *doc);

/* Codes, tokens: durable on ST_OK. */
MUST_CHECK enum status centre_put_doc(
    struct centre *c, const struct store_doc *d);
MUST_CHECK enum status centre_remove_doc(
    struct centre *c, const char *sort, struct bytes key);

/* ---- upkeep */

/* What centre_check looked at. */
struct centre_checked {
	uint64_t entries, commits, pieces, tiles, faults;
};

/* A fault: the place where it shows (UINT64_MAX: none in particular), and
 * English words, valid for the call. */
typedef void (*centre_fault)(void *arg, uint64_t place, const char *words);

/*
 * Verify all that the store holds: its files, each entry's hash and link, each
 * piece's line and signature, each commit, the chains, the tiles, the tree.
 * While others commit, what stood when it began is checked.  ST_OK; ST_CORRUPT
 * if `fn` was called; ST_IO, ST_NOMEM.
 */
MUST_CHECK enum status centre_check(
    struct centre *c, centre_fault fn, void *arg, struct centre_checked *out);

#endif
