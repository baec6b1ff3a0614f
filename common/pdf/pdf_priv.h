#ifndef PDF_PDF_PRIV_H
#define PDF_PDF_PRIV_H
/*
 * pdf_priv: what the files of pdf share.  Lengths are in points, 1/72 inch.
 */
#include <cairo-pdf.h>
#include <pango/pangocairo.h>
#include <qrencode.h>

#include "pdf/pdf.h"

#define PAGE_WIDTH 595.276
#define PAGE_HEIGHT 841.89
#define MARGIN_SIDE 70.866 /* 25 mm */
#define MARGIN_TOP 56.693  /* 20 mm */
#define MARGIN_BOTTOM 62.362
/* Where there is a strip with a QR at the foot of each page: the code's side
 * with its quiet zone, for a `print` entry's and for a short one; what is left
 * below it, for "page x of y"; and the air above it. */
#define FOOT_SIDE 104.0
#define FOOT_SIDE_SHORT 66.0
#define FOOT_BELOW 34.0
#define FOOT_AIR 8.0
#define TEXT_WIDTH (PAGE_WIDTH - 2 * MARGIN_SIDE)

struct pdf_run {
	const struct form_doc *doc;
	const struct pdf_config *c;
	cairo_t *cr;
	PangoContext *context;
	bool draw;                    /* the second time */
	unsigned page;                /* from 1 */
	unsigned pages;               /* known the second time */
	double bottom;                /* below it nothing is written */
	QRcode *foot;                 /* owned; NULL: none */
	double foot_side;             /* of it; its strip is as high */
	double y;                     /* where the next line begins */
	const struct form_line *head; /* of the table at hand, repeated */
	enum status err;
};

/* A layout of `size` points, `width` points wide (0: no limit); the caller
 * unrefs it. */
PangoLayout *pdf_layout(
    struct pdf_run *r, struct bytes text, double size, bool bold, double width);
double pdf_height(PangoLayout *l);

/* Go to a new page if `height` does not fit on this one. */
void pdf_need(struct pdf_run *r, double height);

/* Room for what a page is about. */
double pdf_body(const struct pdf_run *r);

void pdf_put_line(struct pdf_run *r, size_t i);
/* A row with borders; one that is too high goes on on the next page. */
void pdf_put_row(struct pdf_run *r, const struct form_line *line);
double pdf_row_height(struct pdf_run *r, const struct form_line *line);
/* Who, and how; the lines of one block stay together where they can. */
void pdf_put_sign(struct pdf_run *r, size_t i);
/* Of all signatures from line i on, if they can stand on one page with what
 * comes before them; else of the first two. */
double pdf_signs_height(struct pdf_run *r, size_t i);
void pdf_strike(struct pdf_run *r, double x, double y, double width);
/* The strip at the foot of the page at hand. */
void pdf_put_foot(struct pdf_run *r);
/* The code of a text; NULL where it is too long.  QRcode_free. */
QRcode *pdf_code(struct bytes text);

#endif
