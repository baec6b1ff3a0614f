/*
 * What speaks of a kind's fields can be read only when all of them are known:
 * conditions, labels, references.
 */
#include <string.h>

#include "domain/cond.h"
#include "domain/doc.h"
#include "domain/kind_priv.h"
#include "entry/path.h"

bool
kind_has_part(const struct kind *k, struct bytes part)
{
	for (size_t i = 0; i < k->field_count; i++) {
		if (path_within(bytes_str(k->fields[i].path), part))
			return true;
	}
	for (size_t i = 0; i < k->list_count; i++) {
		if (path_within(bytes_str(k->lists[i].path), part))
			return true;
	}
	return false;
}

enum status
kind_read_when(struct doc *d, uint32_t n, const struct kind *k,
    const char *list, const struct cond **out)
{
	struct cond_scope scope = {
		.kinds = &k, .kind_count = 1, .list = list
	};
	uint32_t v = json_get(&d->j, n, "when");

	return v != 0 ? cond_compile(out, d, v, &scope) : ST_OK;
}

/* `fields` as they stand in the array that is member "fields" of node n. */
static enum status
field_uses(struct doc *d, uint32_t n, const struct kind *k, const char *list,
    struct kind_field *fields)
{
	uint32_t v = json_get(&d->j, n, "fields");
	enum status st = ST_OK;
	size_t c = 0;

	if (v == 0)
		return ST_OK;
	for (uint32_t i = v + 1; i < d->j.node[v].next && st == ST_OK;
	     i = d->j.node[i].next, c++) {
		struct kind_field *f = &fields[c];

		for (size_t r = 0; f->type == KIND_ITEM && r < f->ref_count;
		     r++) {
			if (kind_list(k, bytes_str(f->refs[r])) == NULL)
				return doc_refuse_text(d, i, "没有此清单",
				    "no such list", bytes_str(f->refs[r]));
		}
		st = kind_read_when(d, i, k, list, &f->when);
	}
	return st;
}

static enum status
check_label(struct doc *d, uint32_t n, const struct kind *k,
    const struct kind_list *l, const char *const *label, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (kind_list_field(k, l, bytes_str(label[i])) == NULL)
			return doc_refuse_text(d, json_get(&d->j, n, "label"),
			    "没有此字段", "no such field", bytes_str(label[i]));
	}
	return ST_OK;
}

static enum status
list_uses(struct doc *d, struct kind_held *h)
{
	const struct kind *k = &h->kind;
	uint32_t v = json_get(&d->j, 0, "lists");
	enum status st = ST_OK;
	size_t c = 0;

	if (v == 0)
		return ST_OK;
	for (uint32_t i = v + 1; i < d->j.node[v].next && st == ST_OK;
	     i = d->j.node[i].next, c++) {
		struct kind_list *l = &h->lists[c];

		st = check_label(d, i, k, l, l->label, l->label_count);
		if (st == ST_OK)
			st = kind_read_when(d, i, k, NULL, &l->when);
		if (st == ST_OK)
			st = field_uses(d, i, k, l->path, h->list_fields[c]);
	}
	return st;
}

/* The field that says when it happened, or ended. */
static enum status
check_moment(
    struct doc *d, const char *name, const char *path, const struct kind *k)
{
	const struct kind_field *f;

	if (path[0] == '\0')
		return ST_OK;
	f = kind_field(k, bytes_str(path));
	if (f == NULL || (f->type != KIND_DATE && f->type != KIND_DATETIME))
		return doc_refuse_text(d, json_get(&d->j, 0, name),
		    "不是日期或时间字段", "not a field of date or time",
		    bytes_str(path));
	return ST_OK;
}

enum status
kind_read_uses(struct doc *d, struct kind_held *h)
{
	const struct kind *k = &h->kind;
	enum status st = check_moment(d, "happened", k->happened, k);

	if (st == ST_OK)
		st = check_moment(d, "ended", k->ended, k);
	if (st == ST_OK)
		st = check_label(d, 0, k, NULL, k->label, k->label_count);
	if (st == ST_OK)
		st = field_uses(d, 0, k, NULL, h->fields);
	if (st == ST_OK)
		st = list_uses(d, h);
	return st;
}
