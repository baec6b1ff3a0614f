/*
 * A form file becomes a form: its blocks, each checked against the kind.
 */
#include <stdlib.h>
#include <string.h>

#include "domain/doc.h"
#include "entry/path.h"
#include "form/form_priv.h"

enum {
	BLOCKS_MAX = 200,
	TEXTS_MAX = 200,
	COLUMNS_MAX = 16,
	ROWS_MAX = 60,
	LINES_MAX = 60,
	SIGNS_MAX = 20,
	TITLE_MAX = 200,
	ID_TEXT_MAX = 64,
};

static const struct {
	const char *name;
	enum form_block_sort sort;
	enum json_type type;
	const char *const *members; /* beside its own name */
} block_sorts[] = {
	{ "title", BLOCK_TITLE, JSON_STRING, (const char *const[]){ NULL } },
	{ "head", BLOCK_HEAD, JSON_STRING,
	    (const char *const[]){ "when", "on", NULL } },
	{ "note", BLOCK_NOTE, JSON_STRING,
	    (const char *const[]){ "when", "on", NULL } },
	{ "grid", BLOCK_GRID, JSON_ARRAY,
	    (const char *const[]){ "widths", "when", "on", NULL } },
	{ "table", BLOCK_TABLE, JSON_STRING,
	    (const char *const[]){ "columns", "rows", "when", "on", NULL } },
	{ "each", BLOCK_EACH, JSON_STRING,
	    (const char *const[]){
		"para", "rows", "lines", "when", "on", NULL } },
	{ "para", BLOCK_PARA, JSON_ARRAY,
	    (const char *const[]){ "lines", "right", "when", "on", NULL } },
	{ "signs", BLOCK_SIGNS, JSON_ARRAY,
	    (const char *const[]){ "when", "on", NULL } },
	{ "corrections", BLOCK_CORRECTIONS, JSON_TRUE,
	    (const char *const[]){ NULL } },
};

enum { SORTS = sizeof(block_sorts) / sizeof(block_sorts[0]) };

struct form_reader {
	struct doc *d;
	const struct kind *kind;
	struct form_block *b;
};

/* Every string of the array at n as a text. */
static enum status
read_texts(
    struct form_reader *r, uint32_t n, struct form_text *out, size_t *count)
{
	const struct json *j = &r->d->j;
	enum status st = ST_OK;

	for (uint32_t i = n + 1; i < j->node[n].next && st == ST_OK;
	     i = j->node[i].next)
		st = form_read_text(
		    &out[(*count)++], r->d, i, r->kind, r->b->list);
	return st;
}

static enum status
take_texts(struct form_reader *r, uint32_t n, size_t max)
{
	size_t count = r->d->j.node[n].count, got = 0;
	struct form_text *t;

	if (count == 0 || count > max)
		return doc_refuse(
		    r->d, n, "段落为空或过多", "no texts, or too many of them");
	t = pool_get(r->d->pool, count, sizeof(*t));
	if (t == NULL)
		return ST_NOMEM;
	r->b->text = t;
	r->b->text_count = count;
	return read_texts(r, n, t, &got);
}

static enum status
take_one(struct form_reader *r, uint32_t v)
{
	struct form_text *t = pool_get(r->d->pool, 1, sizeof(*t));

	if (t == NULL)
		return ST_NOMEM;
	r->b->text = t;
	r->b->text_count = 1;
	return form_read_text(t, r->d, v, r->kind, NULL);
}

static enum status
read_widths(struct form_reader *r, uint32_t n, const char *name)
{
	const struct json *j = &r->d->j;
	uint32_t v = json_get_typed(j, n, name, JSON_ARRAY), *w;
	size_t c = 0;

	if (v == 0 || j->node[v].count < 1 || j->node[v].count > COLUMNS_MAX)
		return doc_refuse(r->d, n, "须给出各列宽度",
		    "the widths of the columns are needed");
	w = pool_get(r->d->pool, j->node[v].count, sizeof(*w));
	if (w == NULL)
		return ST_NOMEM;
	for (uint32_t i = v + 1; i < j->node[v].next; i = j->node[i].next) {
		if (j->node[i].type != JSON_INT || j->node[i].num < 1 ||
		    j->node[i].num > 100)
			return doc_refuse(r->d, i, "宽度须为 1 至 100",
			    "a width is 1 to 100");
		w[c++] = (uint32_t)j->node[i].num;
	}
	r->b->width = w;
	r->b->columns = c;
	return ST_OK;
}

static enum status
read_grid(struct form_reader *r, uint32_t n, uint32_t v)
{
	const struct json *j = &r->d->j;
	size_t rows = j->node[v].count, got = 0;
	struct form_text *t;
	enum status st = read_widths(r, n, "widths");

	if (st != ST_OK)
		return st;
	if (rows == 0 || rows > TEXTS_MAX)
		return doc_refuse(
		    r->d, v, "行为空或过多", "no rows, or too many of them");
	t = pool_get(r->d->pool, rows * r->b->columns, sizeof(*t));
	if (t == NULL)
		return ST_NOMEM;
	for (uint32_t i = v + 1; i < j->node[v].next && st == ST_OK;
	     i = j->node[i].next) {
		if (j->node[i].type != JSON_ARRAY ||
		    j->node[i].count != r->b->columns)
			return doc_refuse(r->d, i, "每行的格数须与宽度相同",
			    "a row has as many cells as there are widths");
		st = read_texts(r, i, t, &got);
	}
	r->b->text = t;
	r->b->text_count = got;
	return st;
}

static enum status
read_list(struct form_reader *r, uint32_t v, uint32_t n, int64_t rows)
{
	const char *name;
	enum status st = doc_string(r->d, v, WORD_BYTES_MAX, &name);

	if (st == ST_OK)
		st = doc_int(r->d, n, "rows", 1, ROWS_MAX, &rows);
	if (st != ST_OK)
		return st;
	r->b->rows = (uint32_t)rows;
	r->b->list = kind_list(r->kind, bytes_str(name));
	if (r->b->list == NULL)
		return doc_refuse_text(
		    r->d, v, "没有此清单", "no such list", bytes_str(name));
	return ST_OK;
}

static enum status
read_columns(struct form_reader *r, uint32_t n)
{
	static const char *const names[] = { "head", "text", "width", NULL };
	const struct json *j = &r->d->j;
	uint32_t v = json_get_typed(j, n, "columns", JSON_ARRAY), *width;
	size_t count = v != 0 ? j->node[v].count : 0, c = 0;
	const char **head;
	struct form_text *t;
	enum status st = ST_OK;

	if (count == 0 || count > COLUMNS_MAX)
		return doc_refuse(
		    r->d, n, "列为空或过多", "no columns, or too many of them");
	head = pool_get(r->d->pool, count, sizeof(*head));
	width = pool_get(r->d->pool, count, sizeof(*width));
	t = pool_get(r->d->pool, count, sizeof(*t));
	if (head == NULL || width == NULL || t == NULL)
		return ST_NOMEM;
	for (uint32_t i = v + 1; i < j->node[v].next && st == ST_OK;
	     i = j->node[i].next, c++) {
		int64_t w = 1;

		st = doc_only(r->d, i, names);
		if (st == ST_OK)
			st = doc_text(
			    r->d, i, "head", TITLE_MAX, NULL, &head[c]);
		if (st == ST_OK)
			st = doc_int(r->d, i, "width", 1, 100, &w);
		if (st == ST_OK && json_get(j, i, "text") == 0)
			st = doc_refuse(r->d, i, "须有 text", "text is needed");
		if (st == ST_OK)
			st = form_read_text(&t[c], r->d, json_get(j, i, "text"),
			    r->kind, r->b->list);
		width[c] = (uint32_t)w;
	}
	r->b->head = head;
	r->b->width = width;
	r->b->text = t;
	r->b->text_count = r->b->columns = count;
	return st;
}

static enum status
read_signs(struct form_reader *r, uint32_t v)
{
	const struct json *j = &r->d->j;
	size_t count = j->node[v].count, c = 0;
	const struct kind_sign **s;

	if (count == 0 || count > SIGNS_MAX)
		return doc_refuse(r->d, v, "签名为空或过多",
		    "no signatures, or too many of them");
	s = pool_get(r->d->pool, count, sizeof(*s));
	if (s == NULL)
		return ST_NOMEM;
	for (uint32_t i = v + 1; i < j->node[v].next; i = j->node[i].next) {
		const char *id;
		enum status st = doc_string(r->d, i, WORD_BYTES_MAX, &id);

		if (st != ST_OK)
			return st;
		s[c] = kind_sign(r->kind, bytes_str(id));
		if (s[c++] == NULL)
			return doc_refuse_text(r->d, i, "没有此签名",
			    "no such signature", bytes_str(id));
	}
	r->b->sign = s;
	r->b->sign_count = count;
	return ST_OK;
}

static enum status
read_body(struct form_reader *r, uint32_t n, uint32_t v)
{
	uint32_t para;
	enum status st;

	switch (r->b->sort) {
	case BLOCK_TITLE:
	case BLOCK_HEAD:
	case BLOCK_NOTE:
		return take_one(r, v);
	case BLOCK_PARA:
		return take_texts(r, v, TEXTS_MAX);
	case BLOCK_GRID:
		return read_grid(r, n, v);
	case BLOCK_EACH:
		st = read_list(r, v, n, 1);
		para = json_get_typed(&r->d->j, n, "para", JSON_ARRAY);
		if (st == ST_OK && para == 0)
			return doc_refuse(
			    r->d, n, "须有 para", "para is needed");
		return st == ST_OK ? take_texts(r, para, TEXTS_MAX) : st;
	case BLOCK_TABLE:
		st = read_list(r, v, n, 3);
		return st == ST_OK ? read_columns(r, n) : st;
	case BLOCK_SIGNS:
		return read_signs(r, v);
	case BLOCK_CORRECTIONS:
		return ST_OK;
	}
	return ST_OK;
}

static enum status
read_on(struct form_reader *r, uint32_t n)
{
	const struct json *j = &r->d->j;
	uint32_t v = json_get(j, n, "on");

	if (v == 0)
		return ST_OK;
	if (json_is(j, v, "filled"))
		r->b->on = ON_FILLED;
	else if (json_is(j, v, "blank"))
		r->b->on = ON_BLANK;
	else
		return doc_refuse(r->d, v, "on 须为 filled 或 blank",
		    "`on` is filled or blank");
	return ST_OK;
}

/* What any block may have beside its own; a condition on `each` is in the
 * items' terms. */
static enum status
read_common(struct form_reader *r, uint32_t n)
{
	struct cond_scope scope = { .kinds = &r->kind,
		.kind_count = 1,
		.list = r->b->sort == BLOCK_EACH ? r->b->list->path : NULL };
	uint32_t when = json_get(&r->d->j, n, "when");
	int64_t lines = 0;
	enum status st = read_on(r, n);

	if (st == ST_OK)
		st = doc_int(r->d, n, "lines", 0, LINES_MAX, &lines);
	if (st == ST_OK)
		st = doc_bool(r->d, n, "right", &r->b->right);
	if (st == ST_OK && when != 0)
		st = cond_compile(&r->b->when, r->d, when, &scope);
	r->b->lines = (uint32_t)lines;
	return st;
}

static enum status
read_block(struct form_reader *r, uint32_t n)
{
	const char *names[8];
	uint32_t v = 0;
	size_t c = 0, s = 0;
	enum status st;

	for (s = 0; s < SORTS && v == 0; s++)
		v = json_get(&r->d->j, n, block_sorts[s].name);
	if (v == 0)
		return doc_refuse(r->d, n, "段落种类不明", "unknown block");
	s--;
	if (r->d->j.node[v].type != block_sorts[s].type)
		return doc_refuse(
		    r->d, v, "内容的类型不对", "of the wrong type");
	names[c++] = block_sorts[s].name;
	for (size_t i = 0; block_sorts[s].members[i] != NULL; i++)
		names[c++] = block_sorts[s].members[i];
	names[c] = NULL;
	st = doc_only(r->d, n, names);
	if (st != ST_OK)
		return st;
	r->b->sort = block_sorts[s].sort;
	st = read_body(r, n, v);
	return st == ST_OK ? read_common(r, n) : st;
}

static enum status
read_blocks(struct form *f, struct doc *d)
{
	const struct json *j = &d->j;
	uint32_t v = json_get_typed(j, 0, "blocks", JSON_ARRAY);
	size_t count = v != 0 ? j->node[v].count : 0, c = 0;
	struct form_block *b;
	enum status st = ST_OK;

	if (count == 0 || count > BLOCKS_MAX)
		return doc_refuse(d, v, "没有段落，或段落过多",
		    "no blocks, or too many of them");
	b = pool_get(d->pool, count, sizeof(*b));
	if (b == NULL)
		return ST_NOMEM;
	for (uint32_t i = v + 1; i < j->node[v].next && st == ST_OK;
	     i = j->node[i].next, c++) {
		struct form_reader r = { .d = d, .kind = f->kind, .b = &b[c] };

		st = read_block(&r, i);
		if (st == ST_OK && (c == 0) != (b[c].sort == BLOCK_TITLE))
			st = doc_refuse(d, i, "标题须为第一段，且只有一个",
			    "a title stands first, and once");
	}
	f->block = b;
	f->block_count = count;
	return st;
}

/* "search_record@1" into name and version. */
static enum status
split_id(struct form *f, struct doc *d)
{
	const char *at = strchr(f->id, '@');

	if (!path_is_kind(bytes_str(f->id)))
		return doc_refuse_text(d, json_get(&d->j, 0, "form"),
		    "表式编号不合格", "not a good form id", bytes_str(f->id));
	f->name = pool_text(d->pool, bytes_of(f->id, (size_t)(at - f->id)));
	for (const char *c = at + 1; *c != '\0'; c++)
		f->version = f->version * 10 + (uint32_t)(*c - '0');
	return f->name != NULL ? ST_OK : ST_NOMEM;
}

static enum status
read_form(struct form *f, const struct kinds *ks, struct doc *d)
{
	static const char *const names[] = { "form", "kind", "zh", "en",
		"blocks", "summary", NULL };
	const char *kind = NULL;
	enum status st = doc_only(d, 0, names);

	if (st == ST_OK)
		st = doc_text(d, 0, "form", ID_TEXT_MAX, NULL, &f->id);
	if (st == ST_OK)
		st = split_id(f, d);
	if (st == ST_OK)
		st = doc_text(d, 0, "kind", ID_TEXT_MAX, NULL, &kind);
	if (st == ST_OK)
		st = doc_text(d, 0, "zh", TITLE_MAX, NULL, &f->zh);
	if (st == ST_OK)
		st = doc_text(d, 0, "en", TITLE_MAX, NULL, &f->en);
	if (st != ST_OK)
		return st;
	f->kind = kinds_find(ks, bytes_str(kind));
	if (f->kind == NULL)
		return doc_refuse_text(d, json_get(&d->j, 0, "kind"),
		    "没有此类别", "no such kind", bytes_str(kind));
	st = form_read_summary(f, d);
	return st == ST_OK ? read_blocks(f, d) : st;
}

enum status
form_read(struct form *f, const struct kinds *ks, const char *name,
    struct bytes file, struct words *why)
{
	struct doc d;
	enum status st = doc_open(&d, name, file, &f->pool, why);

	if (st == ST_OK)
		st = read_form(f, ks, &d);
	doc_close(&d);
	return st;
}
