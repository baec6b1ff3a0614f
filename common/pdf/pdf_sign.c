/*
 * Signatures: who, how, and the picture in its place.
 */
#include <math.h>
#include <string.h>

#include "pdf/pdf_priv.h"

#define SIZE_WHO 11.0
#define SIZE_HOW 10.0
#define HEIGHT_PICTURE 34.0
#define HEIGHT_PLAIN 22.0
#define HEIGHT_BLANK 36.0
#define LEFT (TEXT_WIDTH * 0.32) /* who; how stands behind it */
#define PICTURE_WIDTH 100.0
#define PICTURE_ROOM 108.0

/* A picture, scaled into a box. */
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

static void
put_picture(struct pdf_run *r, const struct form_line *l, double x, double y)
{
	struct png png = { .at = 0 };
	cairo_surface_t *image;

	if (!l->picture || r->c->picture == NULL || !r->draw)
		return;
	buf_init(&png.bytes, 4 << 20);
	if (r->c->picture(r->c->picture_arg, l->sha256, &png.bytes) == ST_OK) {
		image =
		    cairo_image_surface_create_from_png_stream(read_png, &png);
		if (cairo_surface_status(image) == CAIRO_STATUS_SUCCESS)
			paint(
			    r, image, x, y, PICTURE_WIDTH, HEIGHT_PICTURE - 4);
		cairo_surface_destroy(image);
	}
	buf_free(&png.bytes);
}

/* The two texts of a line, laid out; how high they want it. */
struct sign {
	PangoLayout *who, *how;
	double height;
};

static void
sign_lay(struct pdf_run *r, struct sign *s, const struct form_line *line)
{
	/* On paper the day is written beside the name. */
	static const char day[] = "年　　月　　日";
	const struct form_cell *c = &r->doc->cell[line->cell];
	bool blank = r->doc->blank;

	s->who =
	    pdf_layout(r, form_doc_text(r->doc, c), SIZE_WHO, false, LEFT - 6);
	s->how = pdf_layout(r,
	    blank ? bytes_str(day) : form_doc_text(r->doc, c + 1), SIZE_HOW,
	    false, TEXT_WIDTH - LEFT - 6 - (line->picture ? PICTURE_ROOM : 0));
	if (blank)
		pango_layout_set_alignment(s->how, PANGO_ALIGN_RIGHT);
	s->height = fmax(fmax(pdf_height(s->who), pdf_height(s->how)) + 8,
	    blank           ? HEIGHT_BLANK
	    : line->picture ? HEIGHT_PICTURE
			    : HEIGHT_PLAIN);
}

static void
sign_free(struct sign *s)
{
	g_object_unref(s->who);
	g_object_unref(s->how);
}

double
pdf_signs_height(struct pdf_run *r, size_t i)
{
	double all = 0, two = 0;

	for (size_t n = 0;
	     i < r->doc->line_count && r->doc->line[i].sort == FORM_SIGN;
	     i++, n++) {
		struct sign s;

		sign_lay(r, &s, &r->doc->line[i]);
		all += s.height;
		if (n < 2)
			two += s.height;
		sign_free(&s);
	}
	return all < pdf_body(r) * 0.6 ? all : two;
}

void
pdf_put_sign(struct pdf_run *r, size_t i)
{
	const struct form_line *line = &r->doc->line[i];
	double x = MARGIN_SIDE + LEFT, lower;
	struct sign s;

	sign_lay(r, &s, line);
	if (i == 0 || r->doc->line[i - 1].sort != FORM_SIGN)
		pdf_need(r, pdf_signs_height(r, i));
	pdf_need(r, s.height);
	lower = r->doc->blank ? s.height - pdf_height(s.how) - 5
			      : (s.height - pdf_height(s.how)) / 2;
	if (r->draw) {
		cairo_move_to(r->cr, MARGIN_SIDE,
		    r->y + s.height - 5 - pdf_height(s.who));
		pango_cairo_show_layout(r->cr, s.who);
		put_picture(r, line, x + 4, r->y + 2);
		cairo_move_to(r->cr, line->picture ? x + PICTURE_ROOM : x + 4,
		    r->y + lower);
		pango_cairo_show_layout(r->cr, s.how);
		cairo_set_line_width(r->cr, 0.4);
		cairo_move_to(r->cr, x, r->y + s.height - 2);
		cairo_line_to(
		    r->cr, MARGIN_SIDE + TEXT_WIDTH, r->y + s.height - 2);
		cairo_stroke(r->cr);
	}
	r->y += s.height;
	sign_free(&s);
}
