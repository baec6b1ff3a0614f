#ifndef SERVER_STORE_STORE_H
#define SERVER_STORE_STORE_H
/*
 * store: where the centre keeps the log: entries, chains, commits, tiles.
 *
 * It keeps rows and knows no meaning.  What is in a committed transaction is
 * durable and whole; what is not has left no trace.  Places are never changed
 * and never reused; of an entry only its bytes may change, and only as
 * store_fill and store_erase say.  docs/FORMAT.md, "The centre's store", has
 * every table of the SQLite implementation byte by byte, because the auditor
 * reads that file directly.
 *
 * One writer at a time uses a `struct store`, between store_begin and
 * store_commit or store_rollback; other processes may write to the same store
 * in between, so a writer compares the head that store_begin gives it with the
 * one it knows.  Readers are opened apart, one for each thread that reads; each
 * call sees the latest commit.
 *
 * Results, unless said otherwise: ST_IO, ST_FULL (nothing was written),
 * ST_CORRUPT, ST_AGAIN (another process held the lock for too long), ST_NOMEM.
 * After a failed write within a transaction the only calls that are allowed are
 * store_rollback and store_errmsg.
 */
#include <stdbool.h>

#include "base/buf.h"
#include "base/limits.h"
#include "tlog/merkle.h"

struct store;        /* a store, as its writer has it */
struct store_reader; /* a connection for reading */
struct store_scan;   /* a row of entries being read */

/* ---- rows */

enum store_flags {
	STORE_MALFORMED = 1, /* its head breaks a rule: bare to merge */
	STORE_HELD = 2,      /* held on arrival */
	STORE_LOST = 4,      /* bytes is the digest alone */
	STORE_BLIND = 8,     /* body absent, or not the one its head names */
	STORE_SERVER = 16,   /* of a server chain */
	STORE_ERASED = 32    /* body taken away by a logged order */
};

struct store_entry {
	uint64_t place;
	uint64_t chain; /* number, as in struct store_chain */
	uint64_t seq;
	uint32_t branch;
	uint32_t flags; /* enum store_flags */
	/*
	 * link(n-1).  Writing: has_prev false says that it is the link at
	 * place - 1, so it is not stored.  Reading: always given.
	 */
	bool has_prev;
	uint8_t prev[HASH_LEN];
	uint8_t link[HASH_LEN];
	struct bytes bytes; /* reading: borrowed, see each function */
};

enum store_chain_status {
	STORE_CHAIN_HELD = 1,   /* this branch is held */
	STORE_CHAIN_SERVER = 2, /* a chain of this centre */
	STORE_CHAIN_LACKS = 4,  /* some of it came lost or blind */
	STORE_CHAIN_HOLES = 8   /* it had a hole once */
};

/* One branch of a chain; branch 0 is the one that came first. */
struct store_chain {
	uint64_t no; /* from 1, given by the caller; one for each chain id */
	uint32_t branch;
	uint8_t id[CHAIN_LEN];
	uint8_t key[PUBKEY_LEN];     /* of its device */
	uint32_t parent;             /* branch that it leaves; 0 for branch 0 */
	uint64_t base_seq;           /* last seq it shares with its parent */
	uint8_t base_link[HASH_LEN]; /* link(base_seq) */
	uint64_t last_seq;
	uint8_t last_link[HASH_LEN];
	uint64_t last_place; /* of last_seq; 0 where last_seq == base_seq */
	uint32_t status;     /* enum store_chain_status */
};

/* The head row: what may be signed. */
struct store_head {
	uint64_t size;
	uint8_t root[HASH_LEN];
};

struct store_commit {
	uint64_t place; /* of its `commit@1` entry, the last of the commit */
	uint64_t first; /* place of its first entry */
	uint64_t wall;  /* received-at, ms since 1970: that entry's `wall` */
	uint64_t pieces;
	uint8_t sig[SIG_LEN]; /* head signature of the server's chain there */
};

enum { PIECE_LINE_LEN = 144 };

/* Something that a supervisor has to see. */
struct store_alarm {
	uint64_t no;       /* given by the store, from 1 */
	uint64_t wall;     /* ms since 1970 */
	struct bytes sort; /* a word: "fork" "split" "code_reused" … */
	struct bytes dev;  /* "" if of no device */
	struct bytes doc;  /* a JSON object */
};

/* Something that was tried and refused, counted by (sort, subject). */
struct store_attempt {
	struct bytes sort;    /* a word: "bad_signature" "unknown_device" … */
	struct bytes subject; /* dev, or an address */
	uint64_t first_wall, last_wall;
	uint64_t count;
	struct bytes doc; /* a JSON object: of the last one */
};

/* A small thing that the centre keeps outside the log: a code, a token. */
struct store_doc {
	struct bytes sort; /* a word: "code" "token" … */
	struct bytes key;  /* unique in its sort; a hash where secret */
	uint64_t made;     /* ms since 1970 */
	uint64_t until;    /* ms since 1970; 0: for ever */
	struct bytes doc;  /* a JSON object */
};

/* ---- life */

struct store_config {
	const char *path;
	bool create;     /* make it; ST_CONFLICT if one is there */
	const char *vfs; /* SQLite VFS by name; NULL: the system's */
	/* Kibibytes of page cache of the writer; 0: 65,536. */
	unsigned cache_kib;
	/* How long to wait for another process, ms; 0: 10,000. */
	unsigned busy_ms;
};

/* The SQLite store.  ST_ABSENT: no such file; ST_NEWER; ST_CONFLICT: the file
 * is none of ours. */
MUST_CHECK enum status store_sqlite_open(
    struct store **out, const struct store_config *c);

/* Close; every reader must be closed.  NULL does nothing. */
void store_close(struct store *s);

/* Words for the last failure of the writer; never NULL; valid until the next
 * call. */
const char *store_errmsg(const struct store *s);

/* ---- writing */

/* Take the write lock; *head is the head row as it stands now (size 0 and the
 * empty tree's root before the first commit). */
MUST_CHECK enum status store_begin(struct store *s, struct store_head *head);

/* Durable on ST_OK.  Else rolled back, though the disk may have failed so late
 * that it stands after a crash all the same. */
MUST_CHECK enum status store_commit(struct store *s);
void store_rollback(struct store *s);

/*
 * Entries are put in ascending places without a gap.  ST_CONFLICT: that place,
 * or that (chain, seq, branch), is taken: our mistake, held off by the caller.
 * `why`: words for STORE_MALFORMED, else NULL.
 */
MUST_CHECK enum status store_put_entry(
    struct store *s, const struct store_entry *e, const char *why);

/* New, or in place of the row of (no, branch). */
MUST_CHECK enum status store_put_chain(
    struct store *s, const struct store_chain *c);

MUST_CHECK enum status store_put_commit(
    struct store *s, const struct store_commit *c);

/* Line `index`, from 0, of the commit at `place`. */
MUST_CHECK enum status store_put_piece(struct store *s, uint64_t place,
    uint64_t index, const uint8_t line[PIECE_LINE_LEN]);

/* A full tile: its 256 hashes.  One that is there already is left as it is. */
MUST_CHECK enum status store_put_tile(struct store *s, unsigned level,
    uint64_t index, const uint8_t (*hash)[HASH_LEN]);

/* The head row, its root computed from `f`. */
MUST_CHECK enum status store_put_head(
    struct store *s, const struct frontier *f);

/*
 * Put bytes in where they lacked (STORE_LOST, or STORE_BLIND and now whole):
 * the caller has checked the digest.  A row of `fills` says so to projections.
 * STORE_ERASED rows are never filled: ST_DENIED.
 */
MUST_CHECK enum status store_fill(struct store *s, uint64_t place,
    uint32_t flags, struct bytes bytes, const char *why);

/* Take the body away: what is left is the head line; STORE_BLIND and
 * STORE_ERASED are set, and a row of `fills` says so. */
MUST_CHECK enum status store_erase(struct store *s, uint64_t place);

/* What was erased still stands in the implementation's own write-ahead log:
 * empty that, if nobody is in the way (else it is written over later). */
MUST_CHECK enum status store_tidy(struct store *s);

MUST_CHECK enum status store_put_meta(
    struct store *s, const char *name, struct bytes value);
MUST_CHECK enum status store_put_alarm(
    struct store *s, const struct store_alarm *a); /* a->no is not read */
/* Counted onto the row of (sort, subject); at most STORE_ATTEMPTS_MAX rows are
 * kept, the oldest go first. */
enum { STORE_ATTEMPTS_MAX = 10000 };
MUST_CHECK enum status store_put_attempt(
    struct store *s, const struct store_attempt *a);
MUST_CHECK enum status store_put_doc(
    struct store *s, const struct store_doc *d);
MUST_CHECK enum status store_remove_doc(
    struct store *s, const char *sort, struct bytes key);

/* Reads as the writer sees it, its own transaction included; of the writer,
 * never closed. */
struct store_reader *store_inside(struct store *s);

/* ---- reading */

MUST_CHECK enum status store_reader_open(
    struct store_reader **out, struct store *s);
void store_reader_close(struct store_reader *r);

/*
 * Hold what stands now for many reads, which then cost a quarter less; release
 * soon: what is written meanwhile is not seen, and old pages cannot be reused.
 * Not within a scan.  Releasing what is not held does nothing.
 */
MUST_CHECK enum status store_hold(struct store_reader *r);
void store_release(struct store_reader *r);

MUST_CHECK enum status store_head(
    struct store_reader *r, struct store_head *out);
/* Also the frontier; ST_CORRUPT if it does not give the root. */
MUST_CHECK enum status store_frontier(
    struct store_reader *r, struct frontier *out);

/* One entry; bytes are borrowed until the next call on the reader.
 * ST_ABSENT. */
MUST_CHECK enum status store_entry(
    struct store_reader *r, uint64_t place, struct store_entry *out);

/* The same, but prev is given only where its row holds it (has_prev): for who
 * reads many and needs no chain. */
MUST_CHECK enum status store_entry_alone(
    struct store_reader *r, uint64_t place, struct store_entry *out);

/* The same without bytes: cheaper. */
MUST_CHECK enum status store_entry_head(
    struct store_reader *r, uint64_t place, struct store_entry *out);

/* The entry at exactly (chain, seq, branch), without bytes; prev is not given.
 * ST_ABSENT: not there, or shared with the parent branch. */
MUST_CHECK enum status store_find(struct store_reader *r, uint64_t chain,
    uint64_t seq, uint32_t branch, struct store_entry *out);

/* Like store_find, the first one at or above `seq`. */
MUST_CHECK enum status store_find_next(struct store_reader *r, uint64_t chain,
    uint64_t seq, uint32_t branch, struct store_entry *out);

/* The words kept for a malformed entry; ST_ABSENT. */
MUST_CHECK enum status store_why(
    struct store_reader *r, uint64_t place, struct buf *out);

/*
 * Entries at places from <= p < to, in order.  The reader serves the scan alone
 * until store_scan_close.  No snapshot is held between rows for long, so a slow
 * scan is in nobody's way.  store_scan_next gives ST_ABSENT at the end;
 * out->bytes is borrowed until the next call.
 */
MUST_CHECK enum status store_scan_open(struct store_scan **out,
    struct store_reader *r, uint64_t from, uint64_t to);
MUST_CHECK enum status store_scan_next(
    struct store_scan *sc, struct store_entry *out);
void store_scan_close(struct store_scan *sc);

/* Links of places from <= p < from + count; ST_ABSENT if one is not there. */
MUST_CHECK enum status store_links(struct store_reader *r, uint64_t from,
    size_t count, uint8_t (*out)[HASH_LEN]);

/* Every branch of every chain, by (no, branch).  `fn` ends it with any result
 * but ST_OK, which is handed on. */
typedef enum status (*store_chain_fn)(void *arg, const struct store_chain *c);
MUST_CHECK enum status store_chains(
    struct store_reader *r, store_chain_fn fn, void *arg);

/* The first commit at a place >= `place`, so the one that holds it.
 * ST_ABSENT. */
MUST_CHECK enum status store_commit_of(
    struct store_reader *r, uint64_t place, struct store_commit *out);

/* The first commit at a place >= `place` with a wall later than `wall`.
 * ST_ABSENT. */
MUST_CHECK enum status store_commit_later(struct store_reader *r,
    uint64_t place, uint64_t wall, struct store_commit *out);

/* The lines of the commit at `place`, one behind the other. */
MUST_CHECK enum status store_pieces(
    struct store_reader *r, uint64_t place, struct buf *out);

/* A full tile, appended.  ST_ABSENT. */
MUST_CHECK enum status store_tile(
    struct store_reader *r, unsigned level, uint64_t index, struct buf *out);

/* Appended; ST_ABSENT. */
MUST_CHECK enum status store_meta(
    struct store_reader *r, const char *name, struct buf *out);

/*
 * Fills: places whose bytes changed, in the order in which they did.  *no is
 * the last one seen (0 at first) and moves on.  ST_ABSENT: no more.
 */
MUST_CHECK enum status store_next_fill(
    struct store_reader *r, uint64_t *no, uint64_t *place);

/* Alarms with no > `after`, in order.  Results as store_chains. */
typedef enum status (*store_alarm_fn)(void *arg, const struct store_alarm *a);
MUST_CHECK enum status store_alarms(
    struct store_reader *r, uint64_t after, store_alarm_fn fn, void *arg);

/* Attempts, the latest first. */
typedef enum status (*store_attempt_fn)(
    void *arg, const struct store_attempt *a);
MUST_CHECK enum status store_attempts(
    struct store_reader *r, size_t limit, store_attempt_fn fn, void *arg);

/* One doc, handed to `fn`; ST_ABSENT.  And all of a sort, by key. */
typedef enum status (*store_doc_fn)(void *arg, const struct store_doc *d);
MUST_CHECK enum status store_doc(struct store_reader *r, const char *sort,
    struct bytes key, store_doc_fn fn, void *arg);
MUST_CHECK enum status store_docs(
    struct store_reader *r, const char *sort, store_doc_fn fn, void *arg);

/* ---- upkeep */

/* The implementation's own check of its files.  Slow.  ST_CORRUPT with words
 * appended to `why`. */
MUST_CHECK enum status store_check(struct store_reader *r, struct buf *why);

/* Copy the whole store, as it stands now, into a new file, while the writer
 * goes on.  ST_CONFLICT if `path` is there. */
MUST_CHECK enum status store_backup(struct store_reader *r, const char *path);

#endif
