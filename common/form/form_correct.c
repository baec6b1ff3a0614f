/*
 * What was corrected, from the record's entries in the order of merge: every
 * `amend`, every later value of a field once somebody had signed, what was
 * added then, and what was struck out.  A `set` before the first signature is
 * work on a draft and is not listed; the value stands above.
 *
 * Of what the form does not show only the number is given: a telephone number
 * that was set right is not for everybody who gets the inventory.
 */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "form/form_priv.h"

enum { HISTORY_TEXT_MAX = 16 << 20, PATHS_MAX = 65536 };

/* The value that a path had so far; ranges in struct history's text. */
struct was {
	uint32_t path, path_len, value, value_len;
};

struct history {
	struct form_run *r;
	struct entry e;
	const uint8_t *id;
	struct buf text;
	struct was *was;
	size_t count, cap;
	bool after_sign;
	unsigned n;
	unsigned elsewhere; /* corrections of what the form does not show */
};

static struct bytes
range(const struct history *h, uint32_t off, uint32_t len)
{
	return bytes_of(h->text.p + off, len);
}

static struct was *
find(struct history *h, struct bytes path)
{
	for (size_t i = 0; i < h->count; i++) {
		struct was *w = &h->was[i];

		if (bytes_eq(range(h, w->path, w->path_len), path))
			return w;
	}
	return NULL;
}

/* Remember that `path` now has `value`. */
static void
keep(struct history *h, struct bytes path, struct bytes value)
{
	struct was *w = find(h, path), *more;

	if (w == NULL && h->count == h->cap) {
		size_t cap = h->cap == 0 ? 64 : h->cap * 2;

		more = cap <= PATHS_MAX ? realloc(h->was, cap * sizeof(*more))
					: NULL;
		if (more == NULL) {
			h->r->err = ST_NOMEM;
			return;
		}
		h->was = more;
		h->cap = cap;
	}
	if (w == NULL) {
		w = &h->was[h->count++];
		w->path = (uint32_t)h->text.len;
		w->path_len = (uint32_t)path.len;
		buf_bytes(&h->text, path);
	}
	w->value = (uint32_t)h->text.len;
	w->value_len = (uint32_t)value.len;
	buf_bytes(&h->text, value);
	if (h->text.err != ST_OK)
		h->r->err = h->text.err;
}

/* ---- lines */

static void
begin(struct history *h, const char *what)
{
	if (h->n == 0) {
		(void)form_line_begin(h->r, FORM_HEAD);
		form_cell_begin(h->r, 1, false);
		buf_str(&h->r->doc->text, "补正、更正");
		form_cell_end(h->r);
	}
	(void)form_line_begin(h->r, FORM_PARA);
	form_cell_begin(h->r, 1, false);
	/* No blank: in Chinese the mark takes a whole letter's room. */
	buf_printf(&h->r->doc->text, "%u．%s", ++h->n, what);
}

static void
end(struct history *h)
{
	struct buf *out = &h->r->doc->text;
	struct form_run *r = h->r;

	if (h->e.reason != 0) {
		buf_str(out, "理由：");
		json_text(&h->e.body, h->e.reason, out);
		buf_str(out, "。");
	}
	buf_str(out, "记录人：");
	form_put_officer(r, h->e.by, NULL);
	buf_str(out, "，");
	form_put_when(r, h->e.at, out);
	buf_str(out, h->after_sign ? "，签名之后。" : "。");
	form_cell_end(r);
}

/* "发现的财物第2项的名称", or the path where the kind has no such field. */
static const struct kind_field *
put_label(struct history *h, struct bytes path)
{
	struct buf *out = &h->r->doc->text;
	const struct kind_field *f = kind_field(h->r->kind, path);
	const struct state_item *it = NULL;

	if (f != NULL && f->list != NULL) {
		size_t len = strlen(f->list->path) + 2 + 2 * ID_LEN;

		if (path.len >= len)
			it = state_item(h->r->in->st, bytes_of(path.p, len));
		buf_str(out, f->list->zh);
		if (it != NULL)
			buf_printf(out, "第%u项的", it->n);
	}
	if (f != NULL)
		buf_str(out, f->zh);
	else
		buf_bytes(out, path);
	return f;
}

static void
put_value(struct history *h, const struct kind_field *f, struct bytes value)
{
	buf_str(&h->r->doc->text, "“");
	if (f != NULL)
		form_put_value(h->r, f, NULL, value);
	else
		buf_bytes(&h->r->doc->text, value);
	buf_str(&h->r->doc->text, "”");
}

static void
put_change(struct history *h, struct bytes path, struct bytes value,
    const struct was *w)
{
	struct buf *out = &h->r->doc->text;
	const struct kind_field *f;

	begin(h, "");
	f = put_label(h, path);
	if (w != NULL) {
		buf_str(out, "：原记");
		put_value(h, f, range(h, w->value, w->value_len));
		buf_str(out, "，更正为");
	} else {
		buf_str(out, "：原未记载，补记为");
	}
	if (h->e.body_is == ENTRY_BODY_WHOLE)
		put_value(h, f, value);
	else
		buf_str(out, "（未提供）");
	buf_str(out, "。");
	end(h);
}

/* Does it stand on this paper?  Counted if not. */
static bool
shown(struct history *h, struct bytes path)
{
	if (form_shows(h->r->in->form, path))
		return true;
	h->elsewhere++;
	return false;
}

static void
put_elsewhere(struct history *h)
{
	struct buf *out = &h->r->doc->text;

	if (h->elsewhere == 0)
		return;
	begin(h, "");
	buf_printf(out, "%s%u处补正、更正不涉及本文书所列内容，见记录。",
	    h->n > 1 ? "另有" : "有", h->elsewhere);
	form_cell_end(h->r);
}

static void
put_struck(struct history *h, struct bytes path)
{
	struct buf *out = &h->r->doc->text;
	const struct state_item *it = state_item(h->r->in->st, path);
	const struct kind_list *list =
	    it != NULL ? kind_list(h->r->kind, it->list) : NULL;

	if (list != NULL && !shown(h, path))
		return;
	begin(h, h->e.verb == DO_DROP ? "划去" : "恢复");
	if (list != NULL)
		buf_printf(out, "%s第%u项。", list->zh, it->n);
	else if (path.len > 9 && path.p[0] == '@')
		buf_printf(out, "条目 %.8s。", (const char *)path.p + 1);
	else
		buf_str(out, "一项。");
	end(h);
}

static void
put_added(struct history *h, struct bytes item)
{
	const struct state_item *it = state_item(h->r->in->st, item);
	const struct kind_list *list =
	    it != NULL ? kind_list(h->r->kind, it->list) : NULL;

	if (list == NULL || !shown(h, item))
		return;
	begin(h, "");
	buf_printf(
	    &h->r->doc->text, "补记%s第%u项，内容见上。", list->zh, it->n);
	end(h);
}

/* ---- one entry */

/* The item that a path lies in, "LIST/@ID"; empty where it lies in none. */
static struct bytes
item_of(struct bytes path)
{
	const uint8_t *at = memchr(path.p, '@', path.len);
	size_t len = at != NULL ? (size_t)(at - path.p) + 1 + 2 * ID_LEN : 0;

	return len <= path.len ? bytes_of(path.p, len) : bytes_of(path.p, 0);
}

/* Whoever adds an item writes what is personal in an entry behind it: the item
 * was listed, its first values are not listed again. */
static bool
belongs_to_added(struct history *h, struct bytes path, const struct was *w)
{
	struct bytes item = item_of(path);

	return w == NULL && h->e.verb == DO_SET && item.len > 0 &&
	       find(h, item) != NULL;
}

static void
take_field(struct history *h, struct bytes path, size_t i)
{
	bool whole = h->e.body_is == ENTRY_BODY_WHOLE;
	struct bytes value = bytes_str("null");
	const struct was *w = find(h, path);
	uint32_t n;

	if (whole) {
		n = entry_value(&h->e, i);
		value = json_raw(&h->e.body, n);
		/* A string's quotes belong to the value. */
		if (h->e.body.node[n].type == JSON_STRING)
			value = bytes_of(value.p - 1, value.len + 2);
	}
	if ((h->e.verb == DO_AMEND || (h->e.verb == DO_SET && h->after_sign)) &&
	    !belongs_to_added(h, path, w) && shown(h, path))
		put_change(h, path, value, w);
	if (whole)
		keep(h, path, value);
}

static void
take_add(struct history *h)
{
	uint8_t path[2 * PATH_BYTES_MAX];
	char id[2 * ID_LEN + 1];
	size_t base;

	if (h->e.on_count == 0 || h->e.on[0].len > PATH_BYTES_MAX)
		return;
	hex_encode(id, bytes_of(h->id, ID_LEN));
	base = h->e.on[0].len;
	memcpy(path, h->e.on[0].p, base);
	memcpy(path + base, "/@", 2);
	memcpy(path + base + 2, id, 2 * ID_LEN);
	base += 2 + 2 * ID_LEN;
	if (h->after_sign) {
		keep(h, bytes_of(path, base), bytes_str(""));
		put_added(h, bytes_of(path, base));
	}
	path[base++] = '/';
	for (size_t i = 1; i < h->e.on_count; i++) {
		struct bytes name = h->e.on[i];

		if (base + name.len > PATH_BYTES_MAX)
			continue;
		memcpy(path + base, name.p, name.len);
		take_field(h, bytes_of(path, base + name.len), i);
	}
}

static void
take(struct history *h)
{
	switch (h->e.verb) {
	case DO_OPEN:
	case DO_SET:
	case DO_AMEND:
		for (size_t i = 0; i < h->e.on_count; i++)
			take_field(h, h->e.on[i], i);
		return;
	case DO_ADD:
		take_add(h);
		return;
	case DO_DROP:
	case DO_KEEP:
		for (size_t i = 0; i < h->e.on_count; i++)
			put_struck(h, h->e.on[i]);
		return;
	case DO_SIGN:
		h->after_sign = true;
		return;
	default:
		return;
	}
}

void
form_fill_corrections(struct form_run *r)
{
	struct history h = { .r = r };
	enum status st;

	entry_init(&h.e);
	buf_init(&h.text, HISTORY_TEXT_MAX);
	for (size_t i = 0; i < r->in->entry_count && r->err == ST_OK; i++) {
		h.id = r->in->entries[i].id;
		st = entry_parse(&h.e, r->in->entries[i].bytes);
		if (st == ST_OK)
			take(&h);
		else if (st != ST_INVALID)
			r->err = st;
	}
	if (r->err == ST_OK)
		put_elsewhere(&h);
	free(h.was);
	buf_free(&h.text);
	entry_free(&h.e);
}
