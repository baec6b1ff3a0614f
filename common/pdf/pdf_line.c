/*
 * One line of a form on the page: titles, headings, paragraphs, places to
 * write.
 */
#include <math.h>

#include "pdf/pdf_priv.h"

#define SIZE_COURT 15.0
#define SIZE_TITLE 20.0
#define SIZE_HEAD 12.5
#define SIZE_BODY 11.0
#define SIZE_NOTE 8.5
#define LINE_SPACING 1.25f
#define LINE_SPACING_BLANK 1.6f /* between lines one writes */
#define RULE_HEIGHT 25.0        /* 8.8 mm: handwriting */
#define HEAD_BEFORE 8.0
#define HEAD_AFTER 4.0

/* How a sort of line is set. */
struct style {
	double size, before, after;
	bool bold;
	PangoAlignment align;
};

static const struct style styles[] = {
	[FORM_TITLE] = { SIZE_TITLE, 0, 14, true, PANGO_ALIGN_CENTER },
	[FORM_HEAD] = { SIZE_HEAD, HEAD_BEFORE, HEAD_AFTER, true,
	    PANGO_ALIGN_LEFT },
	[FORM_PARA] = { SIZE_BODY, 1, 2, false, PANGO_ALIGN_LEFT },
	[FORM_NOTE] = { SIZE_NOTE, 8, 2, false, PANGO_ALIGN_LEFT },
};

void
pdf_strike(struct pdf_run *r, double x, double y, double width)
{
	cairo_set_line_width(r->cr, 0.6);
	cairo_move_to(r->cr, x, y);
	cairo_line_to(r->cr, x + width, y);
	cairo_stroke(r->cr);
}

static PangoLayout *
lay(struct pdf_run *r, const struct form_line *line)
{
	const struct style *s = &styles[line->sort];
	PangoLayout *l =
	    pdf_layout(r, form_doc_text(r->doc, &r->doc->cell[line->cell]),
		s->size, s->bold, TEXT_WIDTH);

	/* Not justified: what stretches is the blank between a number and its
	 * word, and boxes drift from theirs. */
	pango_layout_set_alignment(
	    l, line->right ? PANGO_ALIGN_RIGHT : s->align);
	pango_layout_set_line_spacing(
	    l, r->doc->blank && line->sort == FORM_PARA ? LINE_SPACING_BLANK
							: LINE_SPACING);
	if (line->sort == FORM_PARA && !line->right)
		pango_layout_set_indent(l, (int)(2 * s->size * PANGO_SCALE));
	return l;
}

static double
text_height(struct pdf_run *r, const struct form_line *line)
{
	PangoLayout *l = lay(r, line);
	double height = pdf_height(l) + styles[line->sort].before +
			styles[line->sort].after;

	g_object_unref(l);
	return height;
}

/* What must stand on the page of line i with its beginning. */
static double
company(struct pdf_run *r, size_t i)
{
	const struct form_line *l = &r->doc->line[i];

	if (i >= r->doc->line_count)
		return 0;
	switch (l->sort) {
	case FORM_ROW:
		return fmin(pdf_row_height(r, l), 80) + (l->repeat ? 30 : 0);
	case FORM_SIGN:
		return pdf_signs_height(r, i);
	default:
		return 36;
	}
}

/* Signatures never stand on a page alone: what was read back goes with them. */
static double
before_signs(struct pdf_run *r, size_t i)
{
	const struct form_line *l = &r->doc->line[i];
	double height;

	if (i + 2 >= r->doc->line_count || l[1].sort != FORM_HEAD ||
	    l[2].sort != FORM_SIGN)
		return 0;
	height = text_height(r, l) + text_height(r, l + 1) +
		 pdf_signs_height(r, i + 2);
	return height < pdf_body(r) ? height : 0;
}

/* ---- text that runs over pages */

/* A line to write on, from the end of the text to the margin. */
static void
put_rule(struct pdf_run *r, double from, double y)
{
	if (!r->draw)
		return;
	cairo_set_line_width(r->cr, 0.5);
	cairo_move_to(r->cr, from, y);
	cairo_line_to(r->cr, MARGIN_SIDE + TEXT_WIDTH, y);
	cairo_stroke(r->cr);
}

static void
put_text(struct pdf_run *r, const struct form_line *line, PangoLayout *l)
{
	PangoLayoutIter *it = pango_layout_get_iter(l);
	double end = MARGIN_SIDE, base = 0;

	do {
		PangoRectangle box;
		double height, left, width;

		pango_layout_iter_get_line_extents(it, NULL, &box);
		height = (double)box.height / PANGO_SCALE;
		width = (double)box.width / PANGO_SCALE;
		left = MARGIN_SIDE + (double)box.x / PANGO_SCALE;
		pdf_need(r, height);
		base = (double)(pango_layout_iter_get_baseline(it) - box.y) /
		       PANGO_SCALE;
		if (r->draw) {
			cairo_move_to(r->cr, left, r->y + base);
			pango_cairo_show_layout_line(
			    r->cr, pango_layout_iter_get_line_readonly(it));
			if (line->struck)
				pdf_strike(r, left, r->y + height / 2, width);
		}
		end = left + width;
		base += r->y;
		r->y += height;
	} while (pango_layout_iter_next_line(it));
	pango_layout_iter_free(it);
	if (line->open)
		put_rule(r, end, base + 3);
}

static void
put_lines(struct pdf_run *r, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		pdf_need(r, RULE_HEIGHT);
		r->y += RULE_HEIGHT;
		put_rule(r, MARGIN_SIDE, r->y - 3);
	}
}

static void
put_para(struct pdf_run *r, size_t i)
{
	const struct form_line *line = &r->doc->line[i];
	const struct style *s = &styles[line->sort];
	PangoLayout *l = lay(r, line);
	double whole = pdf_height(l);

	if (line->sort == FORM_HEAD)
		pdf_need(r, whole + s->before + s->after + company(r, i + 1));
	else if (line->sort == FORM_NOTE)
		pdf_need(r, whole + s->before);
	else if (line->sort == FORM_PARA)
		pdf_need(r, before_signs(r, i));
	/* No air at the top of a page. */
	r->y += r->y > MARGIN_TOP ? s->before : 0;
	if (r->doc->cell[line->cell].len > 0)
		put_text(r, line, l);
	put_lines(r, line->lines);
	r->y += s->after;
	g_object_unref(l);
}

/* The court's name, as it stands on every paper of a court. */
static void
put_court(struct pdf_run *r)
{
	PangoLayout *l;

	if (r->c->court == NULL || r->c->court[0] == '\0')
		return;
	l = pdf_layout(
	    r, bytes_str(r->c->court), SIZE_COURT, false, TEXT_WIDTH);
	pango_layout_set_alignment(l, PANGO_ALIGN_CENTER);
	if (r->draw) {
		cairo_move_to(r->cr, MARGIN_SIDE, r->y);
		pango_cairo_show_layout(r->cr, l);
	}
	r->y += pdf_height(l) + 4;
	g_object_unref(l);
}

void
pdf_put_line(struct pdf_run *r, size_t i)
{
	const struct form_line *l = &r->doc->line[i];

	/* A little air where a table begins or ends. */
	if (i > 0 && r->doc->line[i - 1].sort == FORM_ROW &&
	    (l->sort != FORM_ROW || l->repeat))
		r->y += 6;
	else if (i > 0 && l->repeat && r->doc->line[i - 1].sort == FORM_PARA)
		r->y += 4;
	switch (l->sort) {
	case FORM_TITLE:
		put_court(r);
		put_para(r, i);
		return;
	case FORM_HEAD:
	case FORM_PARA:
	case FORM_NOTE:
		put_para(r, i);
		return;
	case FORM_ROW:
		pdf_put_row(r, l);
		return;
	case FORM_SIGN:
		pdf_put_sign(r, i);
		return;
	}
}
