#ifndef VERIFY_BUNDLE_H
#define VERIFY_BUNDLE_H
/*
 * bundle: the bytes of an exported record (docs/FORMAT.md, "Bundle").
 *
 * Written by the centre and read by the auditor through the same functions, so
 * that there is one form: what was read is written again to the same bytes.
 * Nothing here judges what the bytes say; verify_bundle does.
 */
#include "base/buf.h"
#include "base/limits.h"

enum {
	BUNDLE_BYTES_MAX = 64 << 20,
	BUNDLE_RUNS_MAX = 65536,
	BUNDLE_MARKS_MAX = 65536,
	BUNDLE_STEPS_MAX = 1 << 20,
	BUNDLE_PATH_MAX = 64,  /* hashes of a line's inclusion proof */
	BUNDLE_LINE_SALT = 16, /* random bytes before a piece line */
	BUNDLE_LINE_LEN = 144
};

enum bundle_form {
	BUNDLE_PIECE = 0,
	BUNDLE_OWN = 1,
	BUNDLE_RETURNED = 2 /* a piece that an ended log proves */
};

struct bundle_step {
	struct bytes entry;       /* borrowed; empty: its digest alone */
	uint8_t digest[HASH_LEN]; /* where there is no entry */
};

struct bundle_run {
	enum bundle_form form;
	uint8_t chain[CHAIN_LEN];
	uint8_t key[PUBKEY_LEN];
	uint64_t place, seq; /* of the first step */
	uint8_t base[HASH_LEN];
	size_t step, step_count; /* in bundle.step */
	uint8_t sig[SIG_LEN];
	/* Of a piece, returned or not. */
	uint8_t salt[BUNDLE_LINE_SALT];
	uint64_t first, index;
	struct bytes path; /* borrowed; hashes */
	/* Of a BUNDLE_RETURNED: what proves its last link. */
	struct bytes old_note, old_path;
	uint64_t old_place;
};

struct bundle_mark {
	uint64_t place;
	uint8_t link[HASH_LEN];
};

struct bundle {
	struct bytes note; /* borrowed, as all bytes here */
	uint64_t manifest; /* its place */
	struct bundle_run *run;
	size_t run_count, run_cap; /* owned */
	struct bundle_step *step;
	size_t step_count, step_cap; /* owned */
	struct bytes ids;
	struct bundle_mark *mark;
	size_t mark_count, mark_cap; /* owned */
	struct bytes proof;

	/* Of a reading that failed. */
	const char *why; /* static words */
	size_t where;    /* offset */
	bool cut;        /* the bytes ended too soon */
};

void bundle_init(struct bundle *b);
void bundle_free(struct bundle *b);

/*
 * Read a file; `file` must outlive the use.  ST_INVALID: it does not begin as
 * a bundle; ST_NEWER: one of a later version; ST_CORRUPT: it begins as one and
 * breaks the format (why, where, cut); ST_LIMIT: it is too large; ST_NOMEM.
 */
MUST_CHECK enum status bundle_read(struct bundle *b, struct bytes file);

/* Room for one more, zeroed; NULL: no memory, or over the ceiling. */
struct bundle_run *bundle_add_run(struct bundle *b);
struct bundle_step *bundle_add_step(struct bundle *b);
struct bundle_mark *bundle_add_mark(struct bundle *b);

/* Append the file.  ST_LIMIT, ST_NOMEM. */
MUST_CHECK enum status bundle_write(const struct bundle *b, struct buf *out);

/* The piece line of a run, whose last step has this link. */
void bundle_line(uint8_t out[BUNDLE_LINE_LEN], const struct bundle_run *r,
    const uint8_t link[HASH_LEN]);

#endif
