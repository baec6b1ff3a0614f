#ifndef SERVER_CORE_EXPORT_INNER_H
#define SERVER_CORE_EXPORT_INNER_H
/*
 * export_inner: what the files of export share.
 */
#include "entry/entry.h"
#include "erase/erase.h"
#include "server/core/export.h"

/* An entry that the bundle needs. */
struct picked {
	uint64_t place;
	uint8_t id[ID_LEN];
	uint8_t chain[CHAIN_LEN];
	bool record;  /* of the record, below the manifest's size */
	bool context; /* counted as context */
	bool bare, held;
	bool lacking;             /* no body of any use is here */
	bool withheld;            /* as the manifest says */
	char device[REC_LEN + 1]; /* of a device's record: its name, else "" */
};

/* What was found in the log. */
struct pick {
	struct centre *c;
	const char *rec;
	uint64_t size; /* entries of the record below it */
	struct picked *item;
	size_t count, cap; /* owned, by place */
	struct entry e;    /* scratch */
	uint64_t *seen;    /* owned: sizes that entries state */
	size_t seen_count, seen_cap;
	uint64_t entries, held, bare, lacking, context;
	/* While reading. */
	struct pick_device {
		uint8_t key[PUBKEY_LEN];
		char rec[REC_LEN + 1];
		bool wrote; /* its key signed an entry of the record */
	} * device;         /* owned */
	size_t device_count, device_cap;
	struct pick_word {
		uint8_t id[ID_LEN];
		bool admit;
	} * word; /* owned: holds and admits, in order of place */
	size_t word_count, word_cap;
	struct erasures *orders; /* owned: whose bodies were erased */
	uint64_t *later; /* owned: places that were lost until after `size` */
	size_t later_count, later_cap;
};

void pick_init(struct pick *p, struct centre *c, const char *rec);
void pick_free(struct pick *p);

/* Read places 0 … `to`; entries of the record below p->size. */
MUST_CHECK enum status pick_run(struct pick *p, uint64_t to);

/* Roots over ids, as the manifest has them. */
void pick_roots(
    const struct pick *p, uint8_t record[HASH_LEN], uint8_t context[HASH_LEN]);

/* The bytes that go into the bundle for an entry as the store has it. */
MUST_CHECK enum status pick_bytes(struct entry *e, struct bytes raw,
    bool withheld, struct bytes *out, bool *lacking);

/* Put words down and give `st`. */
enum status export_refuse(struct export_why *why, enum status st,
    const char *zh, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

struct arena;
struct bundle_run;

/* Line `index` of a commit's lines: its path, for the run of its piece. */
MUST_CHECK enum status export_line_path(struct bytes lines, uint64_t index,
    struct arena *mem, struct bundle_run *r);

/*
 * The run of a piece whose line has no signature: the proof that the log has of
 * it, by its `returned@1` before the commit's `end`, makes it one of that form.
 * Any other is left as it is.  ST_CORRUPT: there is none.
 */
MUST_CHECK enum status export_old_proof(struct store_reader *s,
    const uint8_t *line, uint64_t end, struct arena *mem, struct bundle_run *r);

#endif
