#ifndef SERVER_CORE_COMMIT_INNER_H
#define SERVER_CORE_COMMIT_INNER_H
/*
 * commit_inner: one transaction while it grows.  Private to the committer.
 */
#include "server/core/centre_inner.h"
#include "server/core/ingest_inner.h"

enum { HELD_KIND_MAX = 48 };

/* A held entry that its record must be told of. */
struct held_entry {
	char rec[REC_LEN + 1];
	char kind[HELD_KIND_MAX];
	uint8_t id[ID_LEN];
	const char *reason;
};

/* Places of a chain of which the log says something. */
struct span {
	char dev[DEV_LEN + 1];
	uint8_t chain[CHAIN_LEN];
	uint64_t first, last;
	const char *recovered; /* `recovered@1`, why; NULL: `hole@1` or … */
	/* … `returned@1`: what proved the last of them, of this request. */
	const struct ingest *in; /* or NULL */
	size_t part, leaf;
	bool evidence; /* it was placed nowhere */
};

/* A place whose bytes came later. */
struct refill {
	uint64_t place;
	uint8_t digest[HASH_LEN];
	bool lost; /* it had none at all; else its body lacked */
};

/* A piece that was looked at, and how its chain's ack will read. */
struct done_piece {
	struct ingest *in;
	size_t ack;
	enum ack_status status;
	bool has_place;
	uint64_t seq, place;
	uint8_t link[HASH_LEN];
};

struct txn {
	struct centre *c;
	struct store *s;
	struct entry parse; /* scratch */
	uint64_t wall;      /* received-at of all of it */
	uint64_t first;     /* place of its first entry */
	uint64_t next;      /* place of the next */
	bool rows;          /* something besides entries was written */
	bool erased;        /* bodies went, or others are awaited */
	size_t server_put;  /* rows of the server chain that are in the store */
	size_t attempts;    /* attempts that are in it */

	struct buf lines;          /* piece lines */
	struct frontier line_tree; /* over them */
	struct held_entry *held;
	size_t held_count, held_cap;
	const struct ingest **word_of; /* requests with words of the centre */
	size_t word_count, word_cap;
	struct span *span;
	size_t span_count, span_cap;
	struct refill *refill;
	size_t refill_count, refill_cap;
	struct done_piece *done;
	size_t done_count, done_cap;

	/* For the counters. */
	uint64_t pieces, forks, malformed, lost, filled;
};

/* Start anew at the store's size; memory is kept. */
void txn_reset(struct txn *t, uint64_t size);
void txn_init(struct txn *t, struct centre *c);
void txn_free(struct txn *t);

/* Put the pieces of one job into the transaction.  Any failure is the whole
 * transaction's. */
MUST_CHECK enum status txn_pieces(struct txn *t, struct ingest *in);

/* Write what a returned word of the centre's repeats, and the `hold`, `hole@1`,
 * `recovered@1`, `returned@1` and `filled@1` entries that the pieces made
 * needful. */
MUST_CHECK enum status txn_consequences(struct txn *t);

/*
 * Write the entries of a job and ask its `check`.  *own: what ended this job
 * alone; the transaction goes on.
 */
MUST_CHECK enum status txn_entries(
    struct txn *t, struct commit_job *job, enum status *own);

/* Write an entry that the pieces made needful on the server's chain. */
MUST_CHECK enum status txn_write(struct txn *t, struct server_entry *e);

/* The words that requests brought of a log that ended: what takes trust away is
 * repeated, and all of it put down (docs/PROTOCOL.md, section 9). */
MUST_CHECK enum status txn_words(struct txn *t, struct buf *text);

/* A word of an order to erase, signed by the old centre (commit_erase.c): with
 * its other one it is carried out. */
MUST_CHECK enum status txn_erase_word(
    struct txn *t, const struct wire_leaf *l, struct buf *text);
/* An entry has come to this place: its body goes if that is awaited. */
MUST_CHECK enum status txn_arrived(
    struct txn *t, const uint8_t link[HASH_LEN], uint64_t place);
/* Which are awaited, read anew if that is old. */
MUST_CHECK enum status commit_awaited_load(struct centre *c);

/* A `returned@1`: of a span with `in`; of evidence, with its entry.
 * txn_evidence: the latter, once. */
MUST_CHECK enum status txn_returned(
    struct txn *t, const struct span *s, bool evidence, struct buf *text);
MUST_CHECK enum status txn_evidence(
    struct txn *t, const struct span *s, struct buf *text);

/* End it: commit entry, lines, chains, tiles, frontier, head row. */
MUST_CHECK enum status txn_seal(struct txn *t);

/* Tell each ingest how its pieces did; after the commit. */
void txn_acks(struct txn *t);

/* Room for one more thing of `size` in an array that the transaction owns. */
MUST_CHECK enum status txn_room(
    void *array, size_t *cap, size_t count, size_t size);

#endif
