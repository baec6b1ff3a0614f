#ifndef PDF_PDF_H
#define PDF_PDF_H
/*
 * pdf: a filled form becomes an A4 document, by pango and cairo.
 *
 * The one place that knows fonts and paper.  Lines of a `struct form_doc` are
 * laid out twice, once to count the pages, once to draw, so that each page can
 * say "page x of y".  Chinese text breaks as pango breaks it (UAX #14: no
 * closing mark begins a line).  Fonts are embedded as subsets.
 *
 * Threads: one call at a time in a process (fontconfig's own state).
 */
#include "base/buf.h"
#include "domain/words.h"
#include "form/form.h"

struct pdf_config {
	const char *title;  /* of the document, for a viewer's window */
	const char *header; /* above each page: the court, the record */
	const char *court;  /* above the title; NULL: nothing */
	int64_t made_ms;    /* since 1970: the document's own date */
	/* A QR at the foot of every page (docs/CHECK.md), with lines of text
	 * beside it; empty: none. */
	struct bytes foot_qr;
	const char *foot_words;
	/* The PNG of a signature's picture, appended; ST_ABSENT: not at hand.
	 * May be NULL. */
	enum status (*picture)(
	    void *arg, const uint8_t sha256[HASH_LEN], struct buf *png);
	void *picture_arg;
};

enum { PDF_BYTES_MAX = 64 << 20 };

/*
 * Append the document to `out`, whose ceiling is the caller's.  ST_ABSENT with
 * words: the Chinese font is not installed; ST_LIMIT: a QR that is too long,
 * or the ceiling; ST_NOMEM.
 */
MUST_CHECK enum status pdf_write(struct buf *out, const struct form_doc *doc,
    const struct pdf_config *c, struct words *why);

/* ST_ABSENT with words where the Chinese font is not installed. */
MUST_CHECK enum status pdf_ready(struct words *why);

/* Give back what fontconfig and cairo keep from call to call; at the end of a
 * program, so that a leak of ours would show. */
void pdf_end(void);

/* Family of the font that is asked for; static. */
const char *pdf_font(void);

#endif
