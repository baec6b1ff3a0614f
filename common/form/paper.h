#ifndef FORM_PAPER_H
#define FORM_PAPER_H
/*
 * paper: what a printed page says of its own entry (docs/CHECK.md).
 *
 * The QR's text, "DBP1-A#B": A names the `print` entry, its place in chain and
 * log, and carries the signed head; B is the salted summary, which a browser
 * never sends.  Here both are written, and A is read again at the centre.
 */
#include "base/buf.h"
#include "base/limits.h"

enum {
	PAPER_SALT_LEN = 10,
	PAPER_SUMMARY_MAX = 400, /* bytes of UTF-8, five lines */
	PAPER_ORIGIN_MAX = 200,
	PAPER_DEV_LEN = 16,
	/* Of A, "DBP1-" before it: base32 of 350 bytes at most. */
	PAPER_CODE_MAX = 565,
	PAPER_ID_TEXT = 26, /* letters of an id */
};

struct paper_code {
	uint8_t chain[CHAIN_LEN];
	uint64_t seq;
	uint8_t link[HASH_LEN]; /* the id is its first ID_LEN bytes */
	uint8_t sig[SIG_LEN];
	uint8_t dev[PAPER_DEV_LEN]; /* first bytes of SHA-256(public key) */
	bool has_place;
	uint64_t place;
	char origin[PAPER_ORIGIN_MAX + 1];
};

/* Append the QR's text.  ST_LIMIT: a summary or origin that is too long. */
MUST_CHECK enum status paper_write(struct buf *out, const struct paper_code *c,
    const uint8_t salt[PAPER_SALT_LEN], struct bytes summary);

/*
 * Read A with "DBP1-" before it and nothing behind it, capitals or not.
 * ST_INVALID for anything that paper_write does not write.
 */
MUST_CHECK enum status paper_read(struct paper_code *out, struct bytes text);

/* An id as 26 letters, capitals or not, without spaces.  ST_INVALID. */
MUST_CHECK enum status paper_read_id(uint8_t out[ID_LEN], struct bytes text);

/* What the print entry commits to: SHA-256("daybreak-print/1\0" || salt ||
 * summary).  ST_LIMIT: no such summary is ever written. */
MUST_CHECK enum status paper_digest(uint8_t out[HASH_LEN],
    const uint8_t salt[PAPER_SALT_LEN], struct bytes summary);

/* `more` of a `print` entry, canonical; appended. */
struct paper_print {
	const char *form; /* "search_record@1" */
	uint8_t state[HASH_LEN];
	uint8_t text[HASH_LEN];
	uint8_t salt[PAPER_SALT_LEN];
	struct bytes summary;
};
void paper_more(struct buf *out, const struct paper_print *p);

/* The words beside the QR, lines of text; appended. */
void paper_words(struct buf *out, const struct paper_code *c,
    const uint8_t salt[PAPER_SALT_LEN], struct bytes summary);

#endif
