#ifndef SUPPORT_MADE_STORE_H
#define SUPPORT_MADE_STORE_H
/*
 * made_store: a court's store written row by row, with real keys, by code that
 * shares nothing with the server's: FORMAT.md is all that it knows.  And it
 * does whatever a court that cheats would do.
 */
#include "base/buf.h"
#include "db/db.h"
#include "entry/entry.h"
#include "tlog/descriptor.h"
#include "tlog/merkle.h"
#include "tlog/note.h"

enum { MADE_CHAINS_MAX = 16 };

struct made_chain {
	uint64_t no, seq, last_place;
	uint8_t id[CHAIN_LEN], key[PUBKEY_LEN], secret[64];
	char dev[DEV_LEN + 1];
	char device_rec[REC_LEN + 1];
	uint8_t link[HASH_LEN];
	uint32_t status;
	/* A second branch: rows of it carry this number. */
	uint32_t branch, parent;
	uint64_t base_seq;
	uint8_t base_link[HASH_LEN];
	/* The record that its entries are of, and that record's entries. */
	char rec[REC_LEN + 1];
	uint64_t rec_count;
	uint8_t last_id[ID_LEN];
};

struct made {
	struct db *db;
	uint64_t rnd, wall;
	uint8_t court_id[HASH_LEN];
	struct note_key log;
	char vkey[NOTE_VKEY_MAX + 1];
	uint8_t log_secret[64];
	struct buf descriptor;   /* the first one's file */
	struct descriptor *desc; /* owned: the newest */
	uint8_t root_secret[64];
	struct made_chain server, other_server; /* in force, and before */
	struct made_chain *chain[MADE_CHAINS_MAX];
	size_t chain_count;

	struct frontier f;
	uint8_t (*leaf)[HASH_LEN]; /* owned: of each place */
	uint8_t (*link)[HASH_LEN]; /* owned: of each place */
	uint8_t (*prev)[HASH_LEN];
	size_t leaf_cap;
	uint64_t commit_first;
	struct buf lines;
	uint64_t last_place_before;
	/* Say so before an entry: what it is of, flags, fewer checks. */
	uint32_t flags;
	struct buf entry; /* the last one written */
	/* `more` of the next entry of the court, or NULL. */
	const char *more;
};

/* A court with its descriptor committed.  Any failure ends the test. */
void made_store_open(struct made *m, const char *path, uint64_t seed);

/* Chains and head row go down, and the file is closed; notes and receipts can
 * still be had.  And memory freed. */
void made_store_shut(struct made *m);
void made_store_close(struct made *m);

/* An entry on the court's chain; `rec` "" gets a new one. */
void made_store_server(struct made *m, char rec[REC_LEN + 1], const char *kind,
    enum verb verb, const char *const *on, size_t on_count, const char *data,
    const char *reason);

/* The descriptor's next version, an entry of the open commit. */
struct made_version {
	/* Another server key: its chain begins, by this very entry. */
	bool new_server, new_log;
	const struct descriptor_distrust *distrust;
	size_t distrust_count;
};
void made_store_version(struct made *m, const struct made_version *v);
/* The court writes by the server key of before, or by the one in force again.
 */
void made_store_swap_server(struct made *m);

/* A new device; made_store_enrol puts its device@1 entry into the open commit.
 */
void made_store_device(struct made *m, struct made_chain *c);
void made_store_enrol(struct made *m, struct made_chain *c);
void made_store_revoke(struct made *m, struct made_chain *c, const char *word);

/* A piece of `count` entries, with its line, into the open commit. */
void made_store_piece(struct made *m, struct made_chain *c, size_t count);
/* One entry, without a line; made_store_line later. */
void made_store_entry(struct made *m, struct made_chain *c, enum verb verb,
    const char *on, const char *data);
void made_store_line(struct made *m, struct made_chain *c, uint64_t first);
/* These bytes as the next entry, whatever they are. */
void made_store_raw(struct made *m, struct made_chain *c, struct bytes raw);

/* The line of places as a piece of `c`, but signed by another. */
void made_store_line_by(struct made *m, struct made_chain *c, uint64_t first,
    const struct made_chain *signer);

/* A second branch that leaves `c` where it is: *b writes as the same device. */
void made_store_fork(
    struct made *m, struct made_chain *b, const struct made_chain *c);

/* `hold` of the last entry of `c`. */
void made_store_hold(struct made *m, const struct made_chain *c);

/* A true manifest of the record of `c`, or with `count` off by some. */
void made_store_manifest(struct made *m, const struct made_chain *c,
    const uint64_t *places, size_t count, int64_t wrong);

void made_store_commit(struct made *m);

/* The checkpoint as it stands; and a proof file for a place. */
void made_store_note(struct made *m, struct buf *out);
void made_store_receipt(struct made *m, uint64_t place, struct buf *out);

/* The same, over another root or path. */
void made_store_note_of(struct made *m, uint64_t size,
    const uint8_t root[HASH_LEN], struct buf *out);

#endif
