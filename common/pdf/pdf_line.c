/*
 * One line of a form on the page.
 */
#include <math.h>

#include "pdf/pdf_priv.h"

#define SIZE_TITLE 20.0
#define SIZE_HEAD 12.5
#define SIZE_BODY 11.0
#define SIZE_CELL 10.0
#define SIZE_NOTE 8.5
#define LINE_SPACING 1.25f
#define CELL_PAD 4.0
#define SIGN_HEIGHT 34.0

enum { CELLS_MAX = 16 };

/* A picture, scaled into a box of `height`; what it was too wide for. */
struct png {
	struct buf bytes;
	size_t at;
};

static cairo_status_t
read_png(void *arg, unsigned char *p, unsigned int len)
{
	struct png *png = arg;

	if (png->bytes.len - png->at < len)
		return CAIRO_STATUS_READ_ERROR;
	memcpy(p, png->bytes.p + png->at, len);
	png->at += len;
	return CAIRO_STATUS_SUCCESS;
}

static void
paint(struct pdf_run *r, cairo_surface_t *image, double x, double y,
    double width, double height)
{
	double w = cairo_image_surface_get_width(image);
	double h = cairo_image_surface_get_height(image);
	double scale = w > 0 && h > 0 ? fmin(width / w, height / h) : 0;

	if (scale <= 0)
		return;
	cairo_save(r->cr);
	cairo_translate(r->cr, x, y + (height - h * scale) / 2);
	cairo_scale(r->cr, scale, scale);
	cairo_set_source_surface(r->cr, image, 0, 0);
	cairo_paint(r->cr);
	cairo_restore(r->cr);
}

/* True if the picture was drawn. */
static bool
put_picture(struct pdf_run *r, const struct form_line *l, double x, double y)
{
	struct png png = { .at = 0 };
	cairo_surface_t *image;
	bool drawn = false;

	if (!l->picture || r->c->picture == NULL || !r->draw)
		return false;
	buf_init(&png.bytes, 4 << 20);
	if (r->c->picture(r->c->picture_arg, l->sha256, &png.bytes) == ST_OK) {
		image =
		    cairo_image_surface_create_from_png_stream(read_png, &png);
		drawn = cairo_surface_status(image) == CAIRO_STATUS_SUCCESS;
		if (drawn)
			paint(r, image, x, y, 110, SIGN_HEIGHT - 4);
		cairo_surface_destroy(image);
	}
	buf_free(&png.bytes);
	return drawn;
}

/* ---- text that runs over pages */

static void
strike(struct pdf_run *r, double x, double y, double width)
{
	cairo_set_line_width(r->cr, 0.6);
	cairo_move_to(r->cr, x, y);
	cairo_line_to(r->cr, x + width, y);
	cairo_stroke(r->cr);
}

static void
put_text(struct pdf_run *r, const struct form_line *line, PangoLayout *l,
    double x, bool keep)
{
	PangoLayoutIter *it;
	double whole = pdf_height(l);

	if (keep)
		pdf_need(r, whole + 40);
	it = pango_layout_get_iter(l);
	do {
		PangoRectangle box;
		double height, base;

		pango_layout_iter_get_line_extents(it, NULL, &box);
		height = (double)box.height / PANGO_SCALE;
		pdf_need(r, height);
		base = (double)(pango_layout_iter_get_baseline(it) - box.y) /
		       PANGO_SCALE;
		if (r->draw) {
			double left = x + (double)box.x / PANGO_SCALE;

			cairo_move_to(r->cr, left, r->y + base);
			pango_cairo_show_layout_line(
			    r->cr, pango_layout_iter_get_line_readonly(it));
			if (line->struck)
				strike(r, left, r->y + height / 2,
				    (double)box.width / PANGO_SCALE);
		}
		r->y += height;
	} while (pango_layout_iter_next_line(it));
	pango_layout_iter_free(it);
}

static void
put_para(struct pdf_run *r, const struct form_line *line, double size,
    bool bold, PangoAlignment align, double before, double after)
{
	struct bytes text = form_doc_text(r->doc, &r->doc->cell[line->cell]);
	PangoLayout *l = pdf_layout(r, text, size, bold, TEXT_WIDTH);

	pango_layout_set_alignment(l, align);
	pango_layout_set_line_spacing(l, LINE_SPACING);
	if (line->sort == FORM_PARA) {
		/* Boxes and lines to write on must not be pulled apart. */
		pango_layout_set_justify(l, !r->doc->blank);
		pango_layout_set_indent(l, (int)(2 * size * PANGO_SCALE));
	}
	r->y += before;
	put_text(r, line, l, MARGIN_SIDE, line->sort == FORM_HEAD);
	r->y += after;
	g_object_unref(l);
}

/* ---- rows */

static void
put_cell(struct pdf_run *r, const struct form_line *line,
    const struct form_cell *c, PangoLayout *l, double x, double width,
    double height)
{
	double high = pdf_height(l);

	if (!r->draw)
		return;
	if (c->label) {
		cairo_save(r->cr);
		cairo_set_source_rgb(r->cr, 0.94, 0.94, 0.94);
		cairo_rectangle(r->cr, x, r->y, width, height);
		cairo_fill(r->cr);
		cairo_restore(r->cr);
	}
	cairo_set_line_width(r->cr, 0.6);
	cairo_rectangle(r->cr, x, r->y, width, height);
	cairo_stroke(r->cr);
	cairo_move_to(r->cr, x + CELL_PAD, r->y + (height - high) / 2);
	pango_cairo_show_layout(r->cr, l);
	if (line->struck)
		strike(
		    r, x + CELL_PAD, r->y + height / 2, width - 2 * CELL_PAD);
}

static void
put_row(struct pdf_run *r, const struct form_line *line)
{
	PangoLayout *l[CELLS_MAX];
	double width[CELLS_MAX], x = MARGIN_SIDE, height = 0;
	uint32_t sum = 0, n = line->cell_count;

	if (n > CELLS_MAX)
		n = CELLS_MAX;
	for (uint32_t i = 0; i < n; i++)
		sum += r->doc->cell[line->cell + i].width;
	for (uint32_t i = 0; i < n; i++) {
		const struct form_cell *c = &r->doc->cell[line->cell + i];

		width[i] = TEXT_WIDTH * c->width / (sum > 0 ? sum : 1);
		l[i] = pdf_layout(r, form_doc_text(r->doc, c), SIZE_CELL, false,
		    width[i] - 2 * CELL_PAD);
		if (c->label)
			pango_layout_set_alignment(l[i], PANGO_ALIGN_CENTER);
		height = fmax(height, pdf_height(l[i]));
	}
	height = fmax(height + 2 * CELL_PAD, r->doc->blank ? 26 : 20);
	/* A head does not stand alone at the foot of a page. */
	pdf_need(r, line->repeat ? height + 22 : height);
	for (uint32_t i = 0; i < n; i++) {
		put_cell(r, line, &r->doc->cell[line->cell + i], l[i], x,
		    width[i], height);
		x += width[i];
		g_object_unref(l[i]);
	}
	r->y += height;
}

static void
put_sign(struct pdf_run *r, const struct form_line *line)
{
	const struct form_cell *c = &r->doc->cell[line->cell];
	double left = TEXT_WIDTH * 0.34, x = MARGIN_SIDE + left + 6;
	PangoLayout *who =
	    pdf_layout(r, form_doc_text(r->doc, c), SIZE_BODY, false, left);
	PangoLayout *how;
	double height;

	how = pdf_layout(r, form_doc_text(r->doc, c + 1), SIZE_CELL, false,
	    TEXT_WIDTH - left - (line->picture ? 126 : 6));
	height = fmax(fmax(pdf_height(who), pdf_height(how)) + 8,
	    line->picture || r->doc->blank ? SIGN_HEIGHT : 22);
	pdf_need(r, height);
	if (r->draw) {
		cairo_move_to(
		    r->cr, MARGIN_SIDE, r->y + (height - pdf_height(who)) / 2);
		pango_cairo_show_layout(r->cr, who);
		(void)put_picture(r, line, x, r->y + 2);
		cairo_move_to(r->cr, line->picture ? x + 120 : x,
		    r->y + (height - pdf_height(how)) / 2);
		pango_cairo_show_layout(r->cr, how);
		cairo_set_line_width(r->cr, 0.4);
		cairo_move_to(r->cr, MARGIN_SIDE + left, r->y + height - 2);
		cairo_line_to(
		    r->cr, MARGIN_SIDE + TEXT_WIDTH, r->y + height - 2);
		cairo_stroke(r->cr);
	}
	r->y += height;
	g_object_unref(who);
	g_object_unref(how);
}

void
pdf_put_line(struct pdf_run *r, size_t i)
{
	const struct form_line *l = &r->doc->line[i];

	/* A little air where a table begins or ends. */
	if (i > 0 && r->doc->line[i - 1].sort == FORM_ROW &&
	    (l->sort != FORM_ROW || l->repeat))
		r->y += 6;
	switch (l->sort) {
	case FORM_TITLE:
		put_para(r, l, SIZE_TITLE, true, PANGO_ALIGN_CENTER, 0, 14);
		return;
	case FORM_HEAD:
		put_para(r, l, SIZE_HEAD, true, PANGO_ALIGN_LEFT, 8, 4);
		return;
	case FORM_PARA:
		put_para(r, l, SIZE_BODY, false, PANGO_ALIGN_LEFT, 1, 2);
		return;
	case FORM_NOTE:
		put_para(r, l, SIZE_NOTE, false, PANGO_ALIGN_LEFT, 8, 2);
		return;
	case FORM_ROW:
		put_row(r, l);
		return;
	case FORM_SIGN:
		put_sign(r, l);
		return;
	}
}
