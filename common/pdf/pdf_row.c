/*
 * Rows of tables and grids.
 */
#include <math.h>

#include "pdf/pdf_priv.h"

#define SIZE_CELL 10.0
#define SIZE_CELL_SMALL 9.0
#define PAD 4.0
#define PAD_SMALL 2.5
#define HEIGHT_MIN 20.0
#define HEIGHT_MIN_BLANK 26.0
#define HEIGHT_SLICE_MIN 60.0

enum { CELLS_MAX = 16, CELLS_WIDE = 7 };

/* A row on its way onto paper. */
struct row {
	const struct form_line *line;
	uint32_t count;
	double pad;
	PangoLayout *l[CELLS_MAX];
	double width[CELLS_MAX];
	double height; /* of all of it, the least one kept */
};

static void
row_lay(struct pdf_run *r, struct row *row, const struct form_line *line)
{
	uint32_t sum = 0;
	bool small;

	row->line = line;
	row->count =
	    line->cell_count > CELLS_MAX ? CELLS_MAX : line->cell_count;
	small = row->count > CELLS_WIDE;
	row->pad = small ? PAD_SMALL : PAD;
	row->height = 0;
	for (uint32_t i = 0; i < row->count; i++)
		sum += r->doc->cell[line->cell + i].width;
	for (uint32_t i = 0; i < row->count; i++) {
		const struct form_cell *c = &r->doc->cell[line->cell + i];

		row->width[i] = TEXT_WIDTH * c->width / (sum > 0 ? sum : 1);
		row->l[i] = pdf_layout(r, form_doc_text(r->doc, c),
		    small ? SIZE_CELL_SMALL : SIZE_CELL, false,
		    row->width[i] - 2 * row->pad);
		if (c->label)
			pango_layout_set_alignment(
			    row->l[i], PANGO_ALIGN_CENTER);
		row->height = fmax(row->height, pdf_height(row->l[i]));
	}
	row->height = fmax(row->height + 2 * row->pad,
	    r->doc->blank ? HEIGHT_MIN_BLANK : HEIGHT_MIN);
}

static void
row_free(struct row *row)
{
	for (uint32_t i = 0; i < row->count; i++)
		g_object_unref(row->l[i]);
}

double
pdf_row_height(struct pdf_run *r, const struct form_line *line)
{
	struct row row;

	row_lay(r, &row, line);
	row_free(&row);
	return row.height;
}

/* Ground, border, and what strikes it out. */
static void
put_box(struct pdf_run *r, const struct row *row, uint32_t i, double x,
    double height)
{
	if (!r->draw)
		return;
	if (r->doc->cell[row->line->cell + i].label) {
		cairo_save(r->cr);
		cairo_set_source_rgb(r->cr, 0.94, 0.94, 0.94);
		cairo_rectangle(r->cr, x, r->y, row->width[i], height);
		cairo_fill(r->cr);
		cairo_restore(r->cr);
	}
	cairo_set_line_width(r->cr, 0.6);
	cairo_rectangle(r->cr, x, r->y, row->width[i], height);
	cairo_stroke(r->cr);
	if (row->line->struck)
		pdf_strike(r, x + row->pad, r->y + height / 2,
		    row->width[i] - 2 * row->pad);
}

static void
put_whole(struct pdf_run *r, const struct row *row)
{
	double x = MARGIN_SIDE;

	for (uint32_t i = 0; i < row->count; i++) {
		put_box(r, row, i, x, row->height);
		if (r->draw) {
			cairo_move_to(r->cr, x + row->pad,
			    r->y + (row->height - pdf_height(row->l[i])) / 2);
			pango_cairo_show_layout(r->cr, row->l[i]);
		}
		x += row->width[i];
	}
	r->y += row->height;
}

/* As many lines of a cell, from *line on, as `room` holds; how high they are.
 * One at least, so that there is an end. */
static double
put_lines(struct pdf_run *r, const struct row *row, uint32_t i, int *line,
    double x, double room)
{
	double used = 0;
	int from = *line, count = pango_layout_get_line_count(row->l[i]);

	for (; *line < count; (*line)++) {
		PangoLayoutLine *l =
		    pango_layout_get_line_readonly(row->l[i], *line);
		PangoRectangle box;
		double height;

		pango_layout_line_get_extents(l, NULL, &box);
		height = (double)box.height / PANGO_SCALE;
		if (*line > from && used + height > room)
			break;
		if (r->draw) {
			cairo_move_to(r->cr, x + row->pad,
			    r->y + row->pad + used -
				(double)box.y / PANGO_SCALE);
			pango_cairo_show_layout_line(r->cr, l);
		}
		used += height;
	}
	return used;
}

/* A row that no page holds: a piece of it on each. */
static void
put_slices(struct pdf_run *r, const struct row *row)
{
	int line[CELLS_MAX] = { 0 };
	bool more = true;

	while (more && r->err == ST_OK) {
		double x = MARGIN_SIDE, height = 0, room;

		pdf_need(r, HEIGHT_SLICE_MIN);
		room = r->bottom - r->y - 2 * row->pad;
		more = false;
		for (uint32_t i = 0; i < row->count; i++) {
			height = fmax(
			    height, put_lines(r, row, i, &line[i], x, room));
			more = more ||
			       line[i] < pango_layout_get_line_count(row->l[i]);
			x += row->width[i];
		}
		x = MARGIN_SIDE;
		height += 2 * row->pad;
		for (uint32_t i = 0; i < row->count; i++) {
			put_box(r, row, i, x, height);
			x += row->width[i];
		}
		r->y += height;
		if (more)
			pdf_need(r, PAGE_HEIGHT);
	}
}

void
pdf_put_row(struct pdf_run *r, const struct form_line *line)
{
	bool fits;
	struct row row;

	row_lay(r, &row, line);
	fits = r->y + row.height <= r->bottom;
	/* Rather cut than a page half empty. */
	if (!fits && !line->repeat && row.height > pdf_body(r) * 0.4) {
		put_slices(r, &row);
	} else {
		/* A head does not stand alone at the foot of a page. */
		pdf_need(r,
		    line->repeat ? row.height + HEIGHT_MIN_BLANK : row.height);
		put_whole(r, &row);
	}
	row_free(&row);
}
