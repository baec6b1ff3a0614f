#ifndef SERVER_CORE_INGEST_H
#define SERVER_CORE_INGEST_H
/*
 * ingest: the pieces of one request, made ready to be committed.
 *
 * ingest_prepare does all that is dear and needs no lock, on whatever thread
 * the request is on: it finds the link that each piece rests on, recomputes
 * the links, verifies one Ed25519 signature a piece, and reads each entry:
 * whole, blind, malformed, or lost.  The committer then only looks where the
 * piece goes, and writes.
 *
 * Nothing that was signed well is ever refused for what it says (DESIGN.md,
 * section 7): a fork gets places on a branch of its own, a malformed entry its
 * place, a hole its entry in the log.
 */
#include "server/store/store.h"
#include "wire/sync.h"

struct centre;
struct ingest;

/* Who sends: as the certificate and the roster say. */
struct ingest_device {
	uint8_t key[PUBKEY_LEN]; /* of its chains */
	char dev[DEV_LEN + 1];   /* of that key */
	/* Everything from it is held, with this reason; NULL: not so.  Static,
	 * or alive until the commit.  The committer asks the centre's
	 * `standing` once more. */
	const char *held;
	/*
	 * Delivered by `recover`, with this reason: what is new of it is told
	 * by `recovered@1` in the same commit, and `held` alone says whether it
	 * is held, not the standing; but for a fork.  NULL: by the device.
	 */
	const char *recovered;
	bool quota;           /* role *deliver*: bounded each day … */
	uint64_t quota_bytes; /* … by this; 0: INGEST_DELIVER_BYTES */
};

enum { INGEST_DELIVER_BYTES = 64 << 20 };

/* What to answer for one chain, after the commit. */
struct ingest_ack {
	uint8_t chain[CHAIN_LEN];
	enum ack_status status;
	uint64_t
	    seq; /* last that is durable on this device's branch; 0: none */
	/* The entry at seq, where there is one: for a receipt. */
	bool has_place;
	uint64_t place;
	uint8_t link[HASH_LEN];
};

MUST_CHECK enum status ingest_new(struct ingest **out, struct centre *c);
void ingest_free(struct ingest *in); /* not while a job holds it */

/*
 * Make the pieces of `up` ready, forgetting what was prepared before.  `m` is
 * what `up` was decoded into: its pieces are opened here, and it must not
 * change until the job is done.  A piece that is refused is no failure: its
 * ack says so.  ST_NOMEM, ST_IO, ST_CORRUPT: nothing can be said of any.
 *
 * Threads: one `ingest` one thread at a time; many at once on one centre.
 */
MUST_CHECK enum status ingest_prepare(struct ingest *in,
    const struct ingest_device *dev, struct sync_msg *m,
    const struct sync_up *up);

/* ---- what a log that ended had proved (docs/PROTOCOL.md, section 9) */

/*
 * Take a part, behind ingest_prepare: *no names it, *kept is what stands here
 * of the log that signed its note.  ST_DENIED: no log of this court that
 * ended, or it does not prove.  ST_NOMEM.
 */
MUST_CHECK enum status ingest_proved(struct ingest *in,
    const struct wire_proved *part, size_t *no, uint64_t *kept);

/*
 * Leaves of it that are entries of one chain, each resting on the one before,
 * become a piece of the chain of `dev`, without a head signature.
 */
MUST_CHECK enum status ingest_proved_run(struct ingest *in, size_t no,
    const struct ingest_device *dev, const uint32_t *leaf, size_t count);

enum ingest_repeat {
	WORD_KEEP,   /* evidence alone */
	WORD_REVOKE, /* `advance` of a device: again, behind `after` */
	WORD_HOLD,   /* `hold`: again */
	WORD_ERASE   /* of an order to erase: carried out with its other word */
};

/*
 * One of its entries is put down as evidence, once, and said again where it
 * takes trust away; `dev` is its chain's device, or "".  `after`: ID_LEN, of
 * WORD_REVOKE.  The caller has looked at the entry's form and signature.
 */
MUST_CHECK enum status ingest_proved_word(struct ingest *in, size_t no,
    size_t leaf, const char *dev, enum ingest_repeat repeat,
    const uint8_t *after);

/* Sort of the small rows that say which entries were put down: by link. */
#define RETURNED_DOC "returned"

/* Pieces (and such entries) ready to be committed: with none there is no need
 * for a job. */
size_t ingest_ready(const struct ingest *in);

/* One for each chain of the request, in its order; borrowed until the next
 * ingest_prepare.  Complete after the job's `done` (or at once, if none was
 * ready). */
const struct ingest_ack *ingest_acks(const struct ingest *in, size_t *count);

/*
 * A hint (docs/PROTOCOL.md, section 4): ST_OK if it is signed well by that
 * device, above what the log has of its chain, small enough and readable.
 * ST_CONFLICT: logged already; ST_DENIED: bad signature, or not its chain;
 * ST_INVALID: malformed.  Nothing is kept.
 */
MUST_CHECK enum status ingest_hint(struct ingest *in,
    const struct ingest_device *dev, const struct wire_hint *h);

/*
 * What an agent says of our tree: `size` leaves, and the first bytes of their
 * root.  ST_OK: it is a prefix of ours (or empty).  ST_CONFLICT: it is larger,
 * or another: ask for the whole note.  ST_IO …
 */
MUST_CHECK enum status ingest_checkpoint(
    struct centre *c, uint64_t size, const uint8_t root16[ID_LEN]);

/*
 * The note that was asked for.  ST_OK: no fault of ours (not signed by our
 * key, or a prefix after all).  ST_LOCKED: it is ours and this log does not
 * lead to it: committing is stopped from now on, an alarm is on its way, and
 * `restore` is needed.
 */
MUST_CHECK enum status ingest_note(
    struct centre *c, const char *dev, struct bytes note);

#endif
