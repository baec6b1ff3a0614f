/*
 * A QR, drawn as squares, with its words beside it.
 */
#include <string.h>

#include "pdf/pdf_priv.h"

#define QR_SIDE 92.0
#define QUIET 4 /* modules of white around it: ISO/IEC 18004 */

/* Capitals and digits take five and a half bits each: the encoder finds the
 * runs of them by itself. */
QRcode *
pdf_code(struct bytes text)
{
	char s[2048];

	if (text.len >= sizeof(s))
		return NULL;
	memcpy(s, text.p, text.len);
	s[text.len] = '\0';
	return QRcode_encodeString(s, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
}

static void
draw(struct pdf_run *r, const QRcode *qr, double x, double y, double whole_side)
{
	double side = whole_side / (qr->width + 2 * QUIET);

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
	QRcode *qr = pdf_code(r->c->qr);
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
		draw(r, qr, MARGIN_SIDE, r->y, QR_SIDE);
		cairo_move_to(r->cr, MARGIN_SIDE + QR_SIDE + 8, r->y + 4);
		pango_cairo_show_layout(r->cr, l);
	}
	r->y += height;
	g_object_unref(l);
	QRcode_free(qr);
}

void
pdf_put_foot(struct pdf_run *r)
{
	PangoLayout *l;

	/* Its quiet zone reaches out of the text's margin: the code itself
	 * stands flush with it. */
	draw(r, r->foot, MARGIN_SIDE - 6, FOOT_TOP, FOOT_SIDE);
	cairo_save(r->cr);
	cairo_set_line_width(r->cr, 0.5);
	cairo_move_to(r->cr, MARGIN_SIDE, FOOT_TOP);
	cairo_line_to(r->cr, MARGIN_SIDE + TEXT_WIDTH, FOOT_TOP);
	cairo_stroke(r->cr);
	cairo_restore(r->cr);
	l = pdf_layout(
	    r, bytes_str(r->c->foot_words), 8.5, false, TEXT_WIDTH - FOOT_SIDE);
	cairo_move_to(r->cr, MARGIN_SIDE + FOOT_SIDE,
	    FOOT_TOP + (FOOT_SIDE - pdf_height(l)) / 2);
	pango_cairo_show_layout(r->cr, l);
	g_object_unref(l);
}
