/*
 * A QR, drawn as squares, with its words beside it.
 */
#include <string.h>

#include "pdf/pdf_priv.h"

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
pdf_put_foot(struct pdf_run *r)
{
	double side = r->foot_side, top = PAGE_HEIGHT - FOOT_BELOW - side;
	PangoLayout *l;

	/* Its quiet zone reaches out of the text's margin: the code itself
	 * stands flush with it. */
	draw(r, r->foot, MARGIN_SIDE - 6, top, side);
	cairo_save(r->cr);
	cairo_set_line_width(r->cr, 0.5);
	cairo_move_to(r->cr, MARGIN_SIDE, top);
	cairo_line_to(r->cr, MARGIN_SIDE + TEXT_WIDTH, top);
	cairo_stroke(r->cr);
	cairo_restore(r->cr);
	l = pdf_layout(
	    r, bytes_str(r->c->foot_words), 8.5, false, TEXT_WIDTH - side);
	cairo_move_to(
	    r->cr, MARGIN_SIDE + side, top + (side - pdf_height(l)) / 2);
	pango_cairo_show_layout(r->cr, l);
	g_object_unref(l);
}
