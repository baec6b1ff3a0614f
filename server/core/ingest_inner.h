#ifndef SERVER_CORE_INGEST_INNER_H
#define SERVER_CORE_INGEST_INNER_H
/* ingest_inner: what ingest leaves for the committer.  Private to core. */
#include "entry/entry.h"
#include "server/core/chains.h"
#include "server/core/ingest.h"
#include "tlog/note.h"

/* An entry as it will be stored. */
struct ingest_entry {
	struct bytes bytes;  /* borrowed from the message */
	const uint8_t *link; /* HASH_LEN; borrowed from the message */
	uint32_t flags;      /* enum store_flags */
	const char *why;     /* static words, where malformed */
	size_t leaf_no;      /* in its part, where an ended log proved it */
};

/* A piece whose head signature is good over links from `base` on. */
struct ingest_piece {
	uint8_t chain[CHAIN_LEN];
	uint64_t first;
	size_t count;
	bool hole; /* what lies before `first` cannot be had */
	uint8_t base[HASH_LEN];
	uint8_t link0[HASH_LEN];
	uint8_t sig[SIG_LEN];
	size_t at;     /* its first entry in `entry` and `leaf` */
	size_t ack;    /* its chain's in `ack` */
	size_t dev;    /* whose it is: 0 the sender's, else 1 + in `other` */
	size_t proved; /* 0, or 1 + the part in `part` that proves it */
};

/* A part that an ended log proved, checked. */
struct ingest_part {
	const struct wire_proved *w; /* borrowed from the message */
	struct checkpoint cp;
	uint64_t *place;           /* owned: of each leaf … */
	uint8_t (*leaf)[HASH_LEN]; /* owned: … and its hash */
};

/* An entry that is put down as evidence, and what it repeats. */
struct ingest_word {
	enum ingest_repeat repeat;
	size_t part, leaf;
	char dev[DEV_LEN + 1]; /* of its chain */
	uint8_t after[ID_LEN]; /* WORD_REVOKE: head of the device's record */
};

struct ingest {
	struct centre *c; /* borrowed */
	struct entry parse;
	struct ingest_device dev;

	struct ingest_piece *piece; /* owned; ready ones */
	size_t piece_count, piece_cap;
	struct ingest_entry *entry; /* owned */
	uint8_t (*leaf)[HASH_LEN];  /* owned; of each entry */
	size_t entry_count, entry_cap;
	struct ingest_ack *ack; /* owned */
	size_t ack_count, ack_cap;
	size_t bytes; /* of all entries that are ready */

	/* What a log that ended proved. */
	struct ingest_device *other; /* owned */
	size_t other_count, other_cap;
	struct ingest_part *part; /* owned */
	size_t part_count, part_cap;
	struct ingest_word *word; /* owned */
	size_t word_count, word_cap;
};

/* Whose a piece is. */
static inline const struct ingest_device *
ingest_from(const struct ingest *in, const struct ingest_piece *p)
{
	return p->dev == 0 ? &in->dev : &in->other[p->dev - 1];
}

/* The leaf that the last entry of a proved piece is. */
static inline size_t
ingest_leaf_of(const struct ingest *in, const struct ingest_piece *p)
{
	return in->entry[p->at + p->count - 1].leaf_no;
}

/* Read an entry of `p`, which stands in `in`, into its slot. */
MUST_CHECK enum status ingest_read(struct ingest *in,
    const struct ingest_piece *p, size_t i, const struct wire_entry *w);

/* Room for so many more pieces and entries. */
MUST_CHECK enum status ingest_room(
    struct ingest *in, size_t pieces, size_t entries);

/* Forget all that was proved; and the memory of it. */
void ingest_proved_reset(struct ingest *in);
void ingest_proved_free(struct ingest *in);

static inline const uint8_t *
ingest_link(const struct ingest *in, const struct ingest_piece *p, size_t i)
{
	return in->entry[p->at + i].link;
}

/*
 * The link at `seq` of a branch, through its parents: from the view where it
 * stands there, else by `r`.  ST_ABSENT: above the branch's last, or in a
 * hole.
 */
MUST_CHECK enum status chain_link_at(const struct chain_view *v,
    uint32_t branch, uint64_t seq, struct store_reader *r,
    uint8_t out[HASH_LEN]);

/* The row of it; seq >= 1.  ST_ABSENT. */
MUST_CHECK enum status chain_row_at(const struct chain_view *v, uint32_t branch,
    uint64_t seq, struct store_reader *r, struct store_entry *out);

/* The branch on which a place that `branch` has stands. */
uint32_t chain_owner(const struct chain_view *v, uint32_t branch, uint64_t seq);

/* Where an agent goes back to that is not known to be on any one branch. */
uint64_t chain_least_last(const struct chain_view *v);

/* What becomes of a piece. */
enum attach_as {
	ATTACH_DUP,    /* all of it is there */
	ATTACH_EXTEND, /* entries from `skip` on go behind the last */
	ATTACH_FORK,   /* entries from `skip` on begin a new branch */
	ATTACH_HOLE,   /* all go behind a hole */
	ATTACH_FILL,   /* entries from `skip` on fill a hole to its end */
	ATTACH_WITHIN, /* the first goes into a hole */
	ATTACH_GAP,    /* go back to seq + 1 */
	ATTACH_FULL    /* too many branches */
};

struct attach {
	enum attach_as as;
	uint32_t branch; /* that it is on, or (fork) that it leaves */
	size_t skip;     /* leading entries that are there */
	uint64_t seq;    /* ATTACH_GAP */
};

/* Where a piece goes in its chain as it stands now.  The chain has begun.
 * ST_IO, ST_CORRUPT, ST_NOMEM. */
MUST_CHECK enum status attach_plan(struct attach *out,
    const struct chain_view *v, struct store_reader *r, const struct ingest *in,
    const struct ingest_piece *p);

/* The same for the first entry of a piece that an ended log proved: ATTACH_DUP,
 * EXTEND, HOLE (with all behind it), FORK, WITHIN; GAP: nowhere. */
MUST_CHECK enum status attach_proved(struct attach *out,
    const struct chain_view *v, struct store_reader *r, const struct ingest *in,
    const struct ingest_piece *p);

#endif
