#ifndef PDF_SHEET_H
#define PDF_SHEET_H
/*
 * sheet: a record on paper, with what says so: the same steps on the handheld
 * and at the centre (docs/FORMS.md, docs/CHECK.md).
 *
 *	sheet_fill	form, summary, digests, salt; nothing is written yet
 *	sheet_more	goes into the `print` entry, which the caller appends
 *	sheet_draw	the document, with the QR that names that entry
 *
 * Threads: as pdf/pdf.h.
 */
#include "form/paper.h"
#include "pdf/pdf.h"

struct sheet {
	const struct form_input *in; /* borrowed from sheet_fill on */
	struct form_doc doc;
	struct buf summary;
	uint8_t salt[PAPER_SALT_LEN];
	uint8_t state[HASH_LEN], text[HASH_LEN];
	/* Pictures of signatures, as in struct pdf_config; the caller's. */
	enum status (*picture)(
	    void *arg, const uint8_t sha256[HASH_LEN], struct buf *png);
	void *picture_arg;
};

void sheet_init(struct sheet *s);
void sheet_free(struct sheet *s);

/*
 * Fill the form from a record (in->st is not NULL) whose state bytes are
 * `state`; `salt`: fresh random bytes.  ST_ABSENT with words: there is no font
 * to print with; ST_NOMEM, ST_LIMIT.
 */
MUST_CHECK enum status sheet_fill(struct sheet *s, const struct form_input *in,
    struct bytes state, const uint8_t salt[PAPER_SALT_LEN], struct words *why);

/* `more` of the print entry, appended; look at out->err. */
void sheet_more(const struct sheet *s, struct buf *out);

/* The document, appended to `out`; `code` is of the print entry, which is
 * durable by now.  As pdf_write. */
MUST_CHECK enum status sheet_draw(const struct sheet *s,
    const struct paper_code *code, struct buf *out, struct words *why);

/* Bytes of `dev`, 26 letters, for a code.  ST_INVALID. */
MUST_CHECK enum status sheet_dev(
    uint8_t out[PAPER_DEV_LEN], const char dev[DEV_LEN + 1]);

#endif
