/*
 * A QR, drawn as squares, with its words beside it.
 */
#include <qrencode.h>
#include <string.h>

#include "pdf/pdf_priv.h"

#define QR_SIDE 92.0
#define QUIET 4 /* modules of white around it: ISO/IEC 18004 */

static void
draw(struct pdf_run *r, const QRcode *qr, double x, double y)
{
	double side = QR_SIDE / (qr->width + 2 * QUIET);

	for (int row = 0; row < qr->width; row++) {
		for (int col = 0; col < qr->width; col++) {
			if ((qr->data[row * qr->width + col] & 1) == 0)
				continue;
			cairo_rectangle(r->cr, x + (col + QUIET) * side,
			    y + (row + QUIET) * side, side, side);
		}
	}
	cairo_fill(r->cr);
}

void
pdf_put_qr(struct pdf_run *r)
{
	QRcode *qr =
	    QRcode_encodeData((int)r->c->qr.len, r->c->qr.p, 0, QR_ECLEVEL_M);
	struct bytes words =
	    bytes_str(r->c->qr_words != NULL ? r->c->qr_words : "");
	PangoLayout *l;
	double height;

	if (qr == NULL) {
		r->err = ST_LIMIT;
		return;
	}
	l = pdf_layout(r, words, 8.5, false, TEXT_WIDTH - QR_SIDE - 8);
	height = pdf_height(l) > QR_SIDE ? pdf_height(l) : QR_SIDE;
	r->y += 10;
	pdf_need(r, height);
	if (r->draw) {
		draw(r, qr, MARGIN_SIDE, r->y);
		cairo_move_to(r->cr, MARGIN_SIDE + QR_SIDE + 8, r->y + 4);
		pango_cairo_show_layout(r->cr, l);
	}
	r->y += height;
	g_object_unref(l);
	QRcode_free(qr);
}
