#ifndef VERIFY_VERIFY_H
#define VERIFY_VERIFY_H
/*
 * verify: what somebody who does not trust the court can find out alone.
 *
 * Off line, with public keys only.  Every hash is computed from bytes; what a
 * store says of itself (links, roots, flags, numbers) is compared with that and
 * never believed.  docs/AUDIT.md says what each verdict and finding means.
 *
 * A report keeps what was found, with place, chain and device.  Findings that
 * are damage make the verdict VERIFY_DAMAGED; notes do not.  Functions here
 * print nothing.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "tlog/note.h"

/* The words that `--json` gives; never change one.  X(name, word, damage). */
#define VERIFY_WHATS(X)                                                        \
	X(CHANGED, "changed", 1)   /* bytes are not those logged */            \
	X(TAIL, "tail", 1)         /* the end is missing */                    \
	X(GAP, "gap", 1)           /* something in the middle is */            \
	X(ORDER, "order", 1)       /* stands elsewhere than it did */          \
	X(REBUILT, "rebuilt", 1)   /* a chain its device did not sign */       \
	X(DEVICE, "device", 1)     /* a device that was not enrolled */        \
	X(REVOKED, "revoked", 1)   /* after revocation, and not held */        \
	X(RECEIPT, "receipt", 1)   /* a proof that proves nothing */           \
	X(SPLIT, "split", 1)       /* a signed tree that is another */         \
	X(REPLAY, "replay", 1)     /* one entry in two places */               \
	X(MANIFEST, "manifest", 1) /* an export list that is not true */       \
	X(MEDIA, "media", 1)       /* a file that is not the one named */      \
	X(HOLD, "hold", 1)         /* held, or not, without a logged word */   \
	X(COMMIT, "commit", 1)     /* a commit's own statement is wrong */     \
	X(DESCRIPTOR, "descriptor", 1) /* the court's keys */                  \
	X(ROW, "row", 1)               /* a row says what the bytes do not */  \
	X(FORMAT, "format", 1)         /* a bundle that breaks its format */   \
	X(BLIND, "blind", 0)           /* no body, or one of no use */         \
	X(LOST, "lost", 0)         /* its device lost all but the digest */    \
	X(SEEN, "seen", 0)         /* a device says it saw another tree */     \
	X(WITNESS, "witness", 0)   /* a witness asked for did not sign */      \
	X(OLD_LOG, "old_log", 0)   /* of the log before a restore */           \
	X(RETURNED, "returned", 0) /* on the word of that log alone */         \
	X(WITHHELD, "withheld", 0) /* a body kept from this copy, and why */   \
	X(MISSING, "missing", 0)   /* an entry knew of one that is not here */ \
	X(APART, "apart", 0)       /* an anchor that a bundle cannot reach */  \
	X(ERASED, "erased", 0)     /* a body erased by a logged order */       \
	X(FILLED, "filled", 0)     /* came in after an export counted */       \
	X(NOT_ERASED, "not_erased", 0) /* ordered, and the body stands */

enum verify_what {
#define VERIFY_ENUM(name, word, damage) VERIFY_##name,
	VERIFY_WHATS(VERIFY_ENUM)
#undef VERIFY_ENUM
	    VERIFY_WHAT_COUNT
};

const char *verify_word(enum verify_what w); /* static */
bool verify_is_damage(enum verify_what w);

enum {
	VERIFY_FINDINGS_MAX = 1000, /* kept; all are counted */
	VERIFY_DATA_MAX = 480,
	VERIFY_BY_MAX = 64
};

struct verify_finding {
	enum verify_what what;
	bool has_place, has_chain;
	uint64_t place;
	uint8_t chain[CHAIN_LEN];
	uint64_t seq;
	char dev[DEV_LEN + 1];      /* "" if not known */
	const char *zh, *en;        /* static */
	char data[VERIFY_DATA_MAX]; /* numbers, file names; may be "" */
};

enum verify_verdict { VERIFY_PROVED, VERIFY_NOT_ANCHORED, VERIFY_DAMAGED };

struct verify_report {
	struct verify_finding *finding; /* owned */
	size_t finding_count;           /* at most VERIFY_FINDINGS_MAX */
	uint64_t damage, notes;         /* of all that were found */

	char court[65];
	uint8_t court_id[HASH_LEN];
	uint64_t size; /* entries read: the tree's size */
	uint8_t root[HASH_LEN];
	uint64_t proved; /* the largest anchor's size that this tree leads to */
	char by[VERIFY_BY_MAX][160]; /* what proved it */
	size_t by_count;

	uint64_t device_entries, server_entries, commits, pieces, chains;
	uint64_t devices, signatures; /* verified */
	uint64_t blind, lost, malformed, held, forks, holes, manifests;
	uint64_t media, media_absent; /* files looked at; and not there */
	uint64_t returned; /* entries placed on the word of an ended log */
	uint64_t evidence; /* and such as were only put down */

	/* Of a bundle (bundle: it is one). */
	bool bundle;
	char rec[REC_LEN + 1], kind[64];
	uint64_t count, withheld, conflicts, acts;
	bool record_void;
	char status[48];
	uint64_t manifest_place, manifest_size;
	uint64_t manifest_ms; /* when it was committed, by the court's clock */
	char manifest_by[64];
	uint64_t covered; /* of its entries, those below `proved` */
	char *state;      /* owned: the state bytes (MERGE.md), or NULL */
	size_t state_len;
};

void verify_report_init(struct verify_report *r);
void verify_report_free(struct verify_report *r);
enum verify_verdict verify_verdict_of(const struct verify_report *r);

/* Append one JSON object; or lines for people, Chinese and English. */
void verify_report_json(const struct verify_report *r, struct buf *out);
/* `told`: a bundle's record as lines of text, to stand in its place; empty for
 * none (this room knows no kinds). */
void verify_report_text(
    const struct verify_report *r, struct bytes told, struct buf *out);

/* A file from outside: a checkpoint note, or a proof file (tlog/proof.h). */
struct verify_anchor {
	const char *name; /* as the user gave it; borrowed */
	struct bytes file;
};

struct verify_given {
	struct note_key key; /* of the log */
	const struct verify_anchor *anchor;
	size_t anchor_count;
	const struct note_key *witness;
	size_t witness_count;
	struct bytes descriptor; /* any version's file; empty: none given */
	bool all;                /* every signature, not the last of a chain */
	const char *vfs;         /* SQLite VFS; NULL: the system's */
	/* Asked for each file that an `attach` names: *got is the SHA-256 of
	 * what stands there.  ST_ABSENT: not there.  NULL: not looked at. */
	enum status (*media)(
	    void *arg, const uint8_t sha256[HASH_LEN], uint8_t got[HASH_LEN]);
	void *media_arg;
};

/*
 * The whole store in the file `path` (a court's store.db, or a backup).  ST_OK:
 * the report says it.  Else it could not be read: ST_ABSENT, ST_INVALID (no
 * store of ours, or an anchor that is neither note nor proof: the words are in
 * errmsg), ST_NEWER, ST_CORRUPT, ST_IO, ST_AGAIN, ST_NOMEM.
 */
enum { VERIFY_ERRMSG_LEN = 320 };
MUST_CHECK enum status verify_store(struct verify_report *out, const char *path,
    const struct verify_given *given, char errmsg[VERIFY_ERRMSG_LEN]);

/*
 * A bundle (docs/FORMAT.md, "Bundle").  Proved only if the manifest's place is
 * below the size that an anchor reaches.  ST_OK: the report says it.
 * ST_INVALID: no bundle; ST_NEWER, ST_LIMIT, ST_NOMEM.
 */
MUST_CHECK enum status verify_bundle(struct verify_report *out,
    struct bytes file, const struct verify_given *given,
    char errmsg[VERIFY_ERRMSG_LEN]);

/* The consistency proof between two sizes, from a store's links, appended as
 * hashes.  ST_INVALID: the store is not so large. */
MUST_CHECK enum status verify_store_consistency(
    const char *path, uint64_t old_size, uint64_t new_size, struct buf *out);

/*
 * Does the tree of one note lead to that of the other?  *out: ST_OK, or
 * ST_CONFLICT: same size and another root, a split view; ST_DENIED: it does
 * not.  `proof`: hashes, one behind the other.  ST_INVALID: a note that cannot
 * be read, or is smaller than the old one; ST_ABSENT or ST_DENIED as
 * checkpoint_open says of them.
 */
MUST_CHECK enum status verify_consistency(enum status *out, struct bytes older,
    struct bytes newer, const struct note_key *key, struct bytes proof);

#endif
