/*
 * What a stranger compares with the paper, and what the form shows.
 */
#include <stdlib.h>
#include <string.h>

#include "domain/doc.h"
#include "domain/num.h"
#include "form/form_priv.h"
#include "form/paper.h"

enum {
	LINE_MAX_BYTES = 90,
	SUMMARY_TEXT_MAX = 1 << 16,
	MONEY_TEXT = 40,
	SHOWN_MAX = PATH_BYTES_MAX + 1
};

/* ---- reading the member */

static enum status
read_line(const struct form_text **out, struct form *f, struct doc *d,
    uint32_t n, const char *name)
{
	uint32_t v = json_get(&d->j, n, name);
	struct form_text *t;

	if (v == 0)
		return doc_refuse(d, n, "摘要须有 case 与 time",
		    "a summary has `case` and `time`");
	t = pool_get(d->pool, 1, sizeof(*t));
	if (t == NULL)
		return ST_NOMEM;
	*out = t;
	return form_read_text(t, d, v, f->kind, NULL);
}

static enum status
read_total(struct form *f, struct doc *d, uint32_t n)
{
	uint32_t v = json_get(&d->j, n, "total");
	const char *path;
	enum status st;

	if (v == 0)
		return ST_OK;
	st = doc_string(d, v, PATH_BYTES_MAX, &path);
	if (st != ST_OK)
		return st;
	if (f->sum.items != NULL)
		f->sum.total =
		    kind_list_field(f->kind, f->sum.items, bytes_str(path));
	if (f->sum.total == NULL || f->sum.total->type != KIND_MONEY)
		return doc_refuse_text(d, v, "合计须为清单项的金额字段",
		    "a total is a field of money of the items",
		    bytes_str(path));
	return ST_OK;
}

enum status
form_read_summary(struct form *f, struct doc *d)
{
	static const char *const names[] = { "case", "time", "items", "total",
		NULL };
	uint32_t n = json_get_typed(&d->j, 0, "summary", JSON_OBJECT), v;
	const char *list;
	enum status st;

	if (n == 0)
		return json_get(&d->j, 0, "summary") == 0
			   ? ST_OK
			   : doc_refuse(d, json_get(&d->j, 0, "summary"),
				 "摘要须为对象", "a summary is an object");
	st = doc_only(d, n, names);
	if (st == ST_OK)
		st = read_line(&f->sum.case_no, f, d, n, "case");
	if (st == ST_OK)
		st = read_line(&f->sum.time, f, d, n, "time");
	v = json_get(&d->j, n, "items");
	if (st == ST_OK && v != 0) {
		st = doc_string(d, v, WORD_BYTES_MAX, &list);
		if (st == ST_OK)
			f->sum.items = kind_list(f->kind, bytes_str(list));
		if (st == ST_OK && f->sum.items == NULL)
			st = doc_refuse_text(d, v, "没有此清单", "no such list",
			    bytes_str(list));
	}
	return st == ST_OK ? read_total(f, d, n) : st;
}

/* ---- filling it */

/* One line: no breaks within, cut at a character's end. */
static void
put_line(struct buf *out, struct bytes text)
{
	size_t n = text.len;

	if (n > LINE_MAX_BYTES) {
		n = LINE_MAX_BYTES - 3;
		while (n > 0 && (text.p[n] & 0xc0) == 0x80)
			n--;
	}
	for (size_t i = 0; i < n; i++)
		buf_u8(out, text.p[i] < 0x20 ? ' ' : text.p[i]);
	if (n < text.len)
		buf_str(out, "…");
}

static void
put_text(struct form_run *r, const struct form_text *t, struct buf *out)
{
	buf_reset(&r->doc->text);
	if (t != NULL)
		form_put_text(r, t, NULL);
	put_line(out, buf_view(&r->doc->text));
}

/* What the items are worth together; how many of them say nothing of it, or
 * more than one thing. */
struct total {
	int64_t sum;
	size_t counted, silent;
};

static void
add_item(struct form_run *r, const struct kind_field *f,
    const struct state_item *it, struct total *t)
{
	struct bytes json = { NULL, 0 };
	size_t n = form_kept(r, f, it, &json);
	int64_t v;

	if (n == 1 && json.len > 2 && json.p[0] == '"' &&
	    num_read(&v, bytes_of(json.p + 1, json.len - 2))) {
		t->sum = num_add(t->sum, v);
		t->counted++;
	} else {
		t->silent++;
	}
}

static void
put_total(struct form_run *r, const struct total *t, struct buf *out)
{
	const struct kind_field *f = r->in->form->sum.total;
	struct buf json;

	buf_reset(&r->doc->text);
	if (t->counted > 0) {
		int64_t cents = t->sum / 100;

		buf_init(&json, MONEY_TEXT);
		buf_printf(&json, "\"%lld.%02lld\"", (long long)(cents / 100),
		    (long long)(cents % 100));
		form_put_value(r, f, NULL, buf_view(&json));
		buf_free(&json);
	}
	if (t->silent > 0)
		buf_printf(&r->doc->text, "（%s%zu项无确定价值）",
		    t->counted > 0 ? "另" : "", t->silent);
	put_line(out, buf_view(&r->doc->text));
}

static void
put_items(struct form_run *r, struct buf *out)
{
	const struct form_sum *sum = &r->in->form->sum;
	const struct state_item **items;
	struct total t = { 0, 0, 0 };
	size_t count, in_force = 0;

	buf_u8(out, '\n');
	if (sum->items == NULL) {
		buf_u8(out, '\n');
		return;
	}
	items = form_items(r, sum->items->path, &count);
	for (size_t i = 0; i < count; i++) {
		if (items[i]->is == STATE_OUT)
			continue;
		in_force++;
		if (sum->total != NULL)
			add_item(r, sum->total, items[i], &t);
	}
	free(items);
	buf_printf(out, "%zu项\n", in_force);
	put_total(r, &t, out);
}

enum status
form_summary(const struct form_input *in, struct buf *out)
{
	struct form_doc doc;
	struct form_run r = { .doc = &doc, .in = in, .kind = in->form->kind };

	memset(&doc, 0, sizeof(doc));
	buf_init(&doc.text, SUMMARY_TEXT_MAX);
	put_text(&r, in->form->sum.case_no, out);
	buf_u8(out, '\n');
	put_line(out, bytes_str(in->form->zh));
	buf_u8(out, '\n');
	put_text(&r, in->form->sum.time, out);
	put_items(&r, out);
	if (r.err == ST_OK && doc.text.err == ST_NOMEM)
		r.err = ST_NOMEM;
	form_doc_free(&doc);
	return r.err == ST_OK || r.err == ST_LIMIT ? out->err : r.err;
}

/* ---- what the form shows */

/* Call `fn` for each field or list that stands in the form; true ends it. */
typedef bool (*shown_fn)(
    void *arg, const struct kind_list *list, const struct kind_field *field);

static bool
each_piece(const struct form_text *t, const struct kind_list *list, shown_fn fn,
    void *arg)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct form_piece *p = &t->piece[i];
		const struct kind_list *of = p->sort == PIECE_LIST ? p->list
					     : p->record           ? NULL
								   : list;

		if (p->field != NULL && fn(arg, of, p->field))
			return true;
		if (p->sort == PIECE_LIST && fn(arg, p->list, NULL))
			return true;
	}
	return false;
}

static bool
each_shown(const struct form *f, shown_fn fn, void *arg)
{
	for (size_t i = 0; i < f->block_count; i++) {
		const struct form_block *b = &f->block[i];

		if (b->list != NULL && fn(arg, b->list, NULL))
			return true;
		for (size_t t = 0; t < b->text_count; t++) {
			if (each_piece(&b->text[t], b->list, fn, arg))
				return true;
		}
	}
	return false;
}

struct parts {
	struct bytes *out;
	size_t count, max;
};

static bool
take_part(
    void *arg, const struct kind_list *list, const struct kind_field *field)
{
	struct parts *p = arg;
	const char *path = list != NULL ? list->path : field->path;

	if (p->count < p->max)
		p->out[p->count] = bytes_str(path);
	p->count++;
	return false;
}

size_t
form_parts(const struct form *f, struct bytes *out, size_t max)
{
	struct parts p = { out, 0, max };

	(void)each_shown(f, take_part, &p);
	return p.count;
}

/* A path with the ids of its items left out: "items/@…/value" is
 * "items/value". */
struct wanted {
	char path[SHOWN_MAX];
	size_t len;
};

static void
without_ids(struct wanted *w, struct bytes path)
{
	bool skip = false;

	w->len = 0;
	for (size_t i = 0; i < path.len && w->len + 1 < sizeof(w->path); i++) {
		if (path.p[i] == '/')
			skip = i + 1 < path.len && path.p[i + 1] == '@';
		if (!skip)
			w->path[w->len++] = (char)path.p[i];
	}
	w->path[w->len] = '\0';
}

static bool
is_wanted(
    void *arg, const struct kind_list *list, const struct kind_field *field)
{
	const struct wanted *w = arg;
	size_t n = list != NULL ? strlen(list->path) : 0;

	if (list != NULL && strncmp(w->path, list->path, n) != 0)
		return false;
	if (field == NULL)
		return w->path[n] == '\0';
	if (list != NULL && w->path[n++] != '/')
		return false;
	return strcmp(w->path + n, field->path) == 0;
}

bool
form_shows(const struct form *f, struct bytes path)
{
	struct wanted w;

	without_ids(&w, path);
	return each_shown(f, is_wanted, &w);
}
