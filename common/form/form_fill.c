/*
 * A form's blocks become lines, filled from a state or blank.
 */
#include <stdlib.h>
#include <string.h>

#include "form/form_priv.h"

/* ---- the document */

void
form_doc_init(struct form_doc *d)
{
	memset(d, 0, sizeof(*d));
	buf_init(&d->text, FORM_TEXT_MAX);
}

void
form_doc_free(struct form_doc *d)
{
	buf_free(&d->text);
	free(d->line);
	free(d->cell);
	form_doc_init(d);
}

struct bytes
form_doc_text(const struct form_doc *d, const struct form_cell *c)
{
	return bytes_of(d->text.p + c->off, c->len);
}

static void *
grow(struct form_run *r, void *list, size_t count, size_t *cap, size_t size)
{
	size_t more = *cap == 0 ? 64 : *cap * 2;
	void *p;

	if (count < *cap)
		return list;
	if (count >= FORM_LINES_MAX * 16u) {
		r->err = ST_LIMIT;
		return NULL;
	}
	p = realloc(list, more * size);
	if (p == NULL) {
		r->err = ST_NOMEM;
		return NULL;
	}
	*cap = more;
	return p;
}

struct form_line *
form_line_begin(struct form_run *r, enum form_line_sort sort)
{
	/* After a failure lines go here, so that fillers need not look. */
	static struct form_line nowhere;
	struct form_doc *d = r->doc;
	struct form_line *l;
	void *p;

	if (r->err == ST_OK && d->line_count >= FORM_LINES_MAX)
		r->err = ST_LIMIT;
	if (r->err != ST_OK)
		return &nowhere;
	p = grow(r, d->line, d->line_count, &d->line_cap, sizeof(*d->line));
	if (p == NULL)
		return &nowhere;
	d->line = p;
	l = &d->line[d->line_count++];
	memset(l, 0, sizeof(*l));
	l->sort = sort;
	l->cell = (uint32_t)d->cell_count;
	return l;
}

void
form_cell_begin(struct form_run *r, uint32_t width, bool label)
{
	struct form_doc *d = r->doc;
	void *p;

	if (r->err != ST_OK)
		return;
	p = grow(r, d->cell, d->cell_count, &d->cell_cap, sizeof(*d->cell));
	if (p == NULL)
		return;
	d->cell = p;
	d->cell[d->cell_count++] = (struct form_cell){
		.off = (uint32_t)d->text.len, .width = width, .label = label
	};
	d->line[d->line_count - 1].cell_count++;
}

/* Nothing but the blanks between fields that all are absent. */
static bool
is_empty(const struct form_doc *d, size_t from)
{
	for (size_t i = from; i < d->text.len; i++) {
		if (d->text.p[i] != ' ')
			return false;
	}
	return true;
}

void
form_cell_end(struct form_run *r)
{
	struct form_doc *d = r->doc;
	struct form_cell *c;

	if (r->err == ST_OK)
		r->err = d->text.err;
	if (r->err != ST_OK)
		return;
	c = &d->cell[d->cell_count - 1];
	/* No empty box stays to be filled in by hand afterwards. */
	if (!d->blank && d->line[d->line_count - 1].sort == FORM_ROW &&
	    is_empty(d, c->off)) {
		d->text.len = c->off;
		buf_str(&d->text, "／");
	}
	c->len = (uint32_t)d->text.len - c->off;
}

/* ---- blocks */

struct cond_view
form_view(const struct form_run *r, const struct state_item *it)
{
	return (struct cond_view){ .st = r->in->st,
		.kind = r->kind,
		.item = it != NULL ? it->path : bytes_of("", 0),
		.now_ms = r->in->now_ms,
		.offset_min = r->in->offset_min };
}

static bool
applies(
    struct form_run *r, const struct form_block *b, const struct state_item *it)
{
	struct cond_view v = form_view(r, it);

	/* What is torn or withheld is shown: the values themselves say so. */
	return b->when == NULL || r->doc->blank ||
	       cond_judge(b->when, &v) != TRUTH_FALSE;
}

/* A place to write at the end of a paragraph reaches to the margin. */
static void
open_end(struct form_run *r, struct form_line *l)
{
	static const char low[] = "＿";
	struct buf *text = &r->doc->text;
	struct form_cell *c;
	size_t n = sizeof(low) - 1;

	if (r->err != ST_OK || !r->doc->blank)
		return;
	c = &r->doc->cell[l->cell];
	while (
	    c->len >= n && memcmp(text->p + c->off + c->len - n, low, n) == 0) {
		c->len -= (uint32_t)n;
		text->len -= n;
		l->open = true;
	}
}

static void
put_para(struct form_run *r, const struct form_block *b,
    const struct form_text *t, const struct state_item *it)
{
	struct form_line *l = form_line_begin(r, FORM_PARA);

	l->struck = it != NULL && it->is == STATE_OUT;
	l->right = b->right;
	form_cell_begin(r, 1, false);
	form_put_text(r, t, it);
	form_cell_end(r);
	open_end(r, l);
	if (r->doc->blank)
		l->lines = b->lines;
}

static void
put_line(struct form_run *r, enum form_line_sort sort,
    const struct form_text *t, const struct state_item *it)
{
	struct form_line *l = form_line_begin(r, sort);

	l->struck = it != NULL && it->is == STATE_OUT;
	form_cell_begin(r, 1, false);
	form_put_text(r, t, it);
	form_cell_end(r);
}

static void
put_grid(struct form_run *r, const struct form_block *b)
{
	for (size_t i = 0; i < b->text_count; i += b->columns) {
		(void)form_line_begin(r, FORM_ROW);
		for (size_t c = 0; c < b->columns; c++) {
			form_cell_begin(r, b->width[c], c % 2 == 0);
			form_put_text(r, &b->text[i + c], NULL);
			form_cell_end(r);
		}
	}
}

/* A box of a table is narrow: where nothing else stands in it, 未记载 needs no
 * brackets, and stays on one line. */
static void
unbracket(struct form_doc *d)
{
	static const char word[] = FORM_UNRECORDED, open[] = "（";
	struct form_cell *c = &d->cell[d->cell_count - 1];
	size_t n = sizeof(open) - 1;

	if (!bytes_eq_str(form_doc_text(d, c), word))
		return;
	d->text.len = c->off;
	buf_add(&d->text, word + n, sizeof(word) - 1 - 2 * n);
	c->len = (uint32_t)d->text.len - c->off;
}

static void
put_row(
    struct form_run *r, const struct form_block *b, const struct state_item *it)
{
	struct form_line *l = form_line_begin(r, FORM_ROW);

	l->struck = it != NULL && it->is == STATE_OUT;
	for (size_t c = 0; c < b->columns; c++) {
		form_cell_begin(r, b->width[c], false);
		form_put_text(r, &b->text[c], it);
		form_cell_end(r);
		if (r->err == ST_OK && it != NULL)
			unbracket(r->doc);
	}
}

static int
by_number(const void *a, const void *b)
{
	const struct state_item *x = *(const struct state_item *const *)a;
	const struct state_item *y = *(const struct state_item *const *)b;

	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	/* Items without an `add` have no number: by path. */
	return x < y ? -1 : x > y;
}

const struct state_item **
form_items(struct form_run *r, const char *list, size_t *count)
{
	const struct state *st = r->in->st;
	const struct state_item **out;
	size_t first, end;

	*count = 0;
	state_items(st, bytes_str(list), &first, &end);
	if (first == end)
		return NULL;
	out = malloc((end - first) * sizeof(*out));
	if (out == NULL) {
		r->err = ST_NOMEM;
		return NULL;
	}
	for (size_t i = first; i < end; i++) {
		if (bytes_eq_str(st->items[i].list, list))
			out[(*count)++] = &st->items[i];
	}
	qsort(out, *count, sizeof(const struct state_item *), by_number);
	return out;
}

static void
put_paras(
    struct form_run *r, const struct form_block *b, const struct state_item *it)
{
	for (size_t i = 0; i < b->text_count; i++)
		put_para(r, b, &b->text[i], it);
}

static bool
has_table(const struct form_run *r, const struct kind_list *list)
{
	for (size_t i = 0; i < r->in->form->block_count; i++) {
		const struct form_block *b = &r->in->form->block[i];

		if (b->sort == BLOCK_TABLE && b->list == list)
			return true;
	}
	return false;
}

static void
put_items(struct form_run *r, const struct form_block *b)
{
	const struct state_item **items;
	size_t count;

	if (r->doc->blank) {
		for (uint32_t row = 1; row <= b->rows; row++) {
			/* Cells are written in; paragraphs have lines. */
			r->row = b->sort == BLOCK_TABLE ? row : 0;
			if (b->sort == BLOCK_TABLE)
				put_row(r, b, NULL);
			else
				put_paras(r, b, NULL);
		}
		r->row = 0;
		return;
	}
	items = form_items(r, b->list->path, &count);
	for (size_t i = 0; i < count; i++) {
		if (b->sort == BLOCK_TABLE)
			put_row(r, b, items[i]);
		else if (applies(r, b, items[i]))
			put_paras(r, b, items[i]);
	}
	free(items);
	/* Of some items alone, or once more: no news. */
	if (count > 0 || (b->sort == BLOCK_EACH &&
			     (b->when != NULL || has_table(r, b->list))))
		return;
	(void)form_line_begin(r, b->sort == BLOCK_TABLE ? FORM_ROW : FORM_PARA);
	form_cell_begin(r, 1, false);
	buf_printf(&r->doc->text, "%s：（无记载）", b->list->zh);
	form_cell_end(r);
}

static void
put_table(struct form_run *r, const struct form_block *b)
{
	struct form_line *l = form_line_begin(r, FORM_ROW);

	l->repeat = true;
	for (size_t c = 0; c < b->columns; c++) {
		form_cell_begin(r, b->width[c], true);
		buf_str(&r->doc->text, b->head[c]);
		form_cell_end(r);
	}
	put_items(r, b);
}

/* Is it for this form at all? */
static bool
stands(struct form_run *r, const struct form_block *b)
{
	if (b->on != ON_ANY && (b->on == ON_BLANK) != r->doc->blank)
		return false;
	return b->sort == BLOCK_EACH || applies(r, b, NULL);
}

static void
put_block(struct form_run *r, const struct form_block *b)
{
	switch (b->sort) {
	case BLOCK_TITLE:
		put_line(r, FORM_TITLE, &b->text[0], NULL);
		return;
	case BLOCK_HEAD:
		put_line(r, FORM_HEAD, &b->text[0], NULL);
		return;
	case BLOCK_NOTE:
		put_line(r, FORM_NOTE, &b->text[0], NULL);
		return;
	case BLOCK_PARA:
		put_paras(r, b, NULL);
		return;
	case BLOCK_GRID:
		put_grid(r, b);
		return;
	case BLOCK_EACH:
		put_items(r, b);
		return;
	case BLOCK_TABLE:
		put_table(r, b);
		return;
	case BLOCK_SIGNS:
		form_fill_signs(r, b);
		return;
	case BLOCK_CORRECTIONS:
		if (!r->doc->blank)
			form_fill_corrections(r);
		return;
	}
}

enum status
form_fill(struct form_doc *out, const struct form_input *in)
{
	struct form_run r = { .doc = out, .in = in, .kind = in->form->kind };

	out->line_count = 0;
	out->cell_count = 0;
	buf_reset(&out->text);
	out->blank = in->st == NULL;
	for (size_t i = 0; i < in->form->block_count && r.err == ST_OK; i++) {
		if (stands(&r, &in->form->block[i]))
			put_block(&r, &in->form->block[i]);
	}
	return r.err;
}
