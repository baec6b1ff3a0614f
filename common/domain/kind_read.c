/*
 * A kind file becomes a kind: names, fields, lists, groups.  What hangs on
 * them (status, signatures, links, conditions) is read by kind_parts.c.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/sha.h"
#include "domain/doc.h"
#include "domain/kind_priv.h"
#include "entry/path.h"

enum {
	FIELDS_MAX = 400,
	LISTS_MAX = 40,
	GROUPS_MAX = 100,
	OPTIONS_MAX = 200,
	REFS_MAX = 20,
	LABEL_MAX = 8,
	HELP_BYTES_MAX = 600,
};

/* Bytes of text, where the file does not say. */
static uint32_t
bytes_default(enum kind_type t)
{
	switch (t) {
	case KIND_LONG:
		return 20000;
	case KIND_TEXT:
	case KIND_ADDRESS:
		return 600;
	case KIND_OFFICER:
		return 64;
	default:
		return 120;
	}
}

static enum status
read_words(struct doc *d, uint32_t n, const char **zh, const char **en,
    const char **help_zh, const char **help_en)
{
	enum status st = doc_text(d, n, "zh", HELP_BYTES_MAX, NULL, zh);

	if (st == ST_OK)
		st = doc_text(d, n, "en", HELP_BYTES_MAX, NULL, en);
	if (st == ST_OK && help_zh != NULL)
		st = doc_text(d, n, "help_zh", HELP_BYTES_MAX, "", help_zh);
	if (st == ST_OK && help_en != NULL)
		st = doc_text(d, n, "help_en", HELP_BYTES_MAX, "", help_en);
	if (st == ST_OK && help_zh != NULL &&
	    ((*help_zh)[0] == '\0') != ((*help_en)[0] == '\0'))
		return doc_refuse(d, n, "说明须中英文俱全",
		    "help must be given in both languages");
	return st;
}

static enum status
read_options(struct doc *d, uint32_t n, struct kind_field *f)
{
	static const char *const names[] = { "id", "zh", "en", NULL };
	struct kind_option *list;
	uint32_t v = 0;
	size_t k = 0;
	enum status st = doc_member(d, n, "options", JSON_ARRAY, &v);

	if (st != ST_OK)
		return st;
	if ((v != 0 && d->j.node[v].count > 0) != (f->type == KIND_ENUM))
		return doc_refuse(d, n, "选项与类型 enum 须同时出现",
		    "options belong to type enum, and it needs some");
	if (v == 0)
		return ST_OK;
	if (d->j.node[v].count > OPTIONS_MAX)
		return doc_refuse(d, v, "选项过多", "too many options");
	list = pool_get(d->pool, d->j.node[v].count, sizeof(*list));
	if (list == NULL)
		return ST_NOMEM;
	f->options = list;
	for (uint32_t i = v + 1; i < d->j.node[v].next; i = d->j.node[i].next) {
		struct kind_option *o = &list[k];

		st = doc_only(d, i, names);
		if (st == ST_OK)
			st = doc_text(d, i, "id", WORD_BYTES_MAX, NULL, &o->id);
		if (st == ST_OK)
			st = read_words(d, i, &o->zh, &o->en, NULL, NULL);
		if (st != ST_OK)
			return st;
		if (!path_is_word(bytes_str(o->id)))
			return doc_refuse(
			    d, i, "选项 id 不合格", "not a good option id");
		if (kind_option(f, bytes_str(o->id)) != NULL)
			return doc_refuse_text(d, i, "选项 id 重复",
			    "option id stands twice", bytes_str(o->id));
		f->option_count = ++k;
	}
	return ST_OK;
}

static enum status
read_type(struct doc *d, uint32_t n, struct kind_field *f)
{
	const char *name;
	enum status st = doc_text(d, n, "type", WORD_BYTES_MAX, NULL, &name);

	if (st != ST_OK)
		return st;
	for (int t = 0; t < KIND_TYPE_COUNT; t++) {
		if (strcmp(kind_type_name((enum kind_type)t), name) == 0) {
			f->type = (enum kind_type)t;
			return ST_OK;
		}
	}
	return doc_refuse_text(d, json_get(&d->j, n, "type"), "字段类型不明",
	    "unknown type", bytes_str(name));
}

static enum status
read_limits(struct doc *d, uint32_t n, struct kind_field *f)
{
	const int64_t big = (INT64_C(1) << 53) - 1;
	int64_t bytes = bytes_default(f->type);
	bool number = f->type == KIND_INT || f->type == KIND_DURATION;
	enum status st;

	f->min = f->type == KIND_DURATION ? 0 : -big;
	f->max = big;
	st = doc_int(d, n, "min", -big, big, &f->min);
	if (st == ST_OK)
		st = doc_int(d, n, "max", -big, big, &f->max);
	if (st == ST_OK)
		st = doc_int(d, n, "bytes", 1, 40000, &bytes);
	if (st != ST_OK)
		return st;
	if (!number &&
	    (json_get(&d->j, n, "min") != 0 || json_get(&d->j, n, "max") != 0))
		return doc_refuse(d, n, "只有 int、duration 可设 min、max",
		    "only int and duration have min and max");
	if (f->min > f->max)
		return doc_refuse(d, n, "min 大于 max", "min is above max");
	f->bytes_max = (uint32_t)bytes;
	return ST_OK;
}

static enum status
read_refs(struct doc *d, uint32_t n, struct kind_field *f)
{
	const char *name = f->type == KIND_ITEM ? "items" : "kinds";
	enum status st =
	    doc_texts(d, n, name, REFS_MAX, &f->refs, &f->ref_count);

	if (st != ST_OK)
		return st;
	if (f->type == KIND_ITEM && f->ref_count == 0)
		return doc_refuse(d, n, "item 字段须以 items 指明清单",
		    "a field of type item needs its lists in items");
	if ((json_get(&d->j, n, "items") != 0 && f->type != KIND_ITEM) ||
	    (json_get(&d->j, n, "kinds") != 0 && f->type != KIND_RECORD))
		return doc_refuse(d, n, "items、kinds 不合此类型",
		    "items and kinds do not belong to this type");
	return ST_OK;
}

static enum status
read_field(struct doc *d, uint32_t n, struct kind_field *f)
{
	static const char *const names[] = { "path", "type", "zh", "en",
		"help_zh", "help_en", "required", "never_default", "personal",
		"apart", "unit", "options", "min", "max", "bytes", "items",
		"kinds", "when", NULL };
	enum status st = doc_only(d, n, names);

	if (st == ST_OK)
		st = doc_text(d, n, "path", PATH_BYTES_MAX, NULL, &f->path);
	if (st == ST_OK)
		st = read_words(d, n, &f->zh, &f->en, &f->help_zh, &f->help_en);
	if (st == ST_OK)
		st = read_type(d, n, f);
	if (st == ST_OK)
		st = doc_bool(d, n, "required", &f->required);
	/* Amounts are never taken over from another record. */
	f->never_default = f->type == KIND_MONEY;
	if (st == ST_OK)
		st = doc_bool(d, n, "never_default", &f->never_default);
	if (st == ST_OK)
		st = doc_bool(d, n, "personal", &f->personal);
	if (st == ST_OK)
		st = doc_text(d, n, "apart", WORD_BYTES_MAX, "", &f->apart);
	if (st == ST_OK)
		st = doc_text(d, n, "unit", WORD_BYTES_MAX, "", &f->unit);
	if (st == ST_OK)
		st = read_options(d, n, f);
	if (st == ST_OK)
		st = read_limits(d, n, f);
	if (st == ST_OK)
		st = read_refs(d, n, f);
	if (st != ST_OK)
		return st;
	if (!path_is_relative(bytes_str(f->path)))
		return doc_refuse_text(
		    d, n, "路径不合格", "not a good path", bytes_str(f->path));
	if (f->type == KIND_MONEY && !f->never_default)
		return doc_refuse(d, n, "金额不得沿用其他记录",
		    "an amount is never a default from another record");
	return ST_OK;
}

/* One path is the other, or a group that the other lies in. */
static bool
paths_clash(const char *a, const char *b)
{
	return path_within(bytes_str(a), bytes_str(b)) ||
	       path_within(bytes_str(b), bytes_str(a));
}

static enum status
read_fields(struct doc *d, uint32_t n, const struct kind_list *list,
    struct kind_field **out, size_t *count)
{
	struct kind_field *fields;
	uint32_t v = 0;
	size_t k = 0;
	enum status st = doc_member(d, n, "fields", JSON_ARRAY, &v);

	*out = NULL;
	*count = 0;
	if (st != ST_OK || v == 0)
		return st;
	if (d->j.node[v].count > FIELDS_MAX)
		return doc_refuse(d, v, "字段过多", "too many fields");
	fields = pool_get(d->pool, d->j.node[v].count, sizeof(*fields));
	if (fields == NULL)
		return ST_NOMEM;
	for (uint32_t i = v + 1; i < d->j.node[v].next; i = d->j.node[i].next) {
		st = read_field(d, i, &fields[k]);
		if (st != ST_OK)
			return st;
		fields[k].list = list;
		for (size_t b = 0; b < k; b++) {
			if (paths_clash(fields[b].path, fields[k].path))
				return doc_refuse_text(d, i,
				    "路径重复，或既是字段又是组",
				    "path stands twice, or is both field and "
				    "group",
				    bytes_str(fields[k].path));
		}
		k++;
	}
	*out = fields;
	*count = k;
	return ST_OK;
}

static enum status
read_list(
    struct doc *d, uint32_t n, struct kind_list *l, struct kind_field **fields)
{
	static const char *const names[] = { "path", "zh", "en", "help_zh",
		"help_en", "required", "when", "label", "fields", NULL };
	int64_t required = 0;
	enum status st = doc_only(d, n, names);

	if (st == ST_OK)
		st = doc_text(d, n, "path", PATH_BYTES_MAX, NULL, &l->path);
	if (st == ST_OK)
		st = read_words(d, n, &l->zh, &l->en, &l->help_zh, &l->help_en);
	if (st == ST_OK)
		st = doc_int(d, n, "required", 0, 100, &required);
	if (st == ST_OK)
		st = doc_texts(
		    d, n, "label", LABEL_MAX, &l->label, &l->label_count);
	if (st == ST_OK)
		st = read_fields(d, n, l, fields, &l->field_count);
	if (st != ST_OK)
		return st;
	l->fields = *fields;
	l->required = (uint32_t)required;
	if (!path_is_relative(bytes_str(l->path)))
		return doc_refuse_text(
		    d, n, "路径不合格", "not a good path", bytes_str(l->path));
	if (l->field_count == 0)
		return doc_refuse(d, n, "清单没有字段", "a list has fields");
	return ST_OK;
}

static enum status
read_lists(struct doc *d, struct kind_held *h)
{
	struct kind *k = &h->kind;
	struct kind_list *lists;
	uint32_t v = 0;
	size_t c = 0;
	enum status st = doc_member(d, 0, "lists", JSON_ARRAY, &v);

	if (st != ST_OK || v == 0)
		return st;
	if (d->j.node[v].count > LISTS_MAX)
		return doc_refuse(d, v, "清单过多", "too many lists");
	lists = pool_get(d->pool, d->j.node[v].count, sizeof(*lists));
	h->list_fields =
	    pool_get(d->pool, d->j.node[v].count, sizeof(*h->list_fields));
	if (lists == NULL || h->list_fields == NULL)
		return ST_NOMEM;
	for (uint32_t i = v + 1; i < d->j.node[v].next; i = d->j.node[i].next) {
		struct kind_list *l = &lists[c];
		bool clash = false;

		st = read_list(d, i, l, &h->list_fields[c]);
		if (st != ST_OK)
			return st;
		for (size_t b = 0; b < c; b++)
			clash = clash || paths_clash(lists[b].path, l->path);
		for (size_t b = 0; b < k->field_count; b++)
			clash =
			    clash || paths_clash(k->fields[b].path, l->path);
		if (clash)
			return doc_refuse_text(d, i, "路径与其他字段或清单相冲",
			    "path clashes with another field or list",
			    bytes_str(l->path));
		c++;
	}
	k->lists = h->lists = lists;
	k->list_count = c;
	return ST_OK;
}

static int
by_path(const void *a, const void *b)
{
	const struct kind_field *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

static const struct kind_field **
sorted_of(struct pool *a, const struct kind_field *fields, size_t count)
{
	const struct kind_field **out = pool_get(a, count, sizeof(*out));

	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++)
		out[i] = &fields[i];
	qsort(out, count, sizeof(*out), by_path);
	return out;
}

/* From here on kind_field and its sisters find what they look for. */
static enum status
sort_fields(struct kind_held *h)
{
	const struct kind *k = &h->kind;

	h->sorted = sorted_of(&h->pool, k->fields, k->field_count);
	h->list_sorted =
	    pool_get(&h->pool, k->list_count, sizeof(*h->list_sorted));
	if (h->sorted == NULL || h->list_sorted == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < k->list_count; i++) {
		h->list_sorted[i] = sorted_of(
		    &h->pool, k->lists[i].fields, k->lists[i].field_count);
		if (h->list_sorted[i] == NULL)
			return ST_NOMEM;
	}
	return ST_OK;
}

static enum status
read_head(struct doc *d, struct kind *k)
{
	static const char *const names[] = { "kind", "zh", "en", "help_zh",
		"help_en", "small", "system", "happened", "ended", "label",
		"groups", "fields", "lists", "status", "sign", "attach",
		"links", "forms", NULL };
	enum status st = doc_only(d, 0, names);
	const char *at;

	if (st == ST_OK)
		st = doc_text(d, 0, "kind", PATH_BYTES_MAX, NULL, &k->id);
	if (st == ST_OK)
		st = read_words(d, 0, &k->zh, &k->en, &k->help_zh, &k->help_en);
	if (st == ST_OK)
		st = doc_bool(d, 0, "small", &k->small);
	if (st == ST_OK)
		st = doc_bool(d, 0, "system", &k->system);
	if (st == ST_OK)
		st = doc_text(
		    d, 0, "happened", PATH_BYTES_MAX, "", &k->happened);
	if (st == ST_OK)
		st = doc_text(d, 0, "ended", PATH_BYTES_MAX, "", &k->ended);
	if (st == ST_OK)
		st = doc_texts(
		    d, 0, "label", LABEL_MAX, &k->label, &k->label_count);
	if (st != ST_OK)
		return st;
	if (!path_is_kind(bytes_str(k->id)))
		return doc_refuse_text(d, json_get(&d->j, 0, "kind"),
		    "应为 名称@版本", "must be name@version", bytes_str(k->id));
	at = strchr(k->id, '@');
	k->name = pool_text(d->pool, bytes_of(k->id, (size_t)(at - k->id)));
	k->version = (uint32_t)strtoul(at + 1, NULL, 10);
	return k->name != NULL ? ST_OK : ST_NOMEM;
}

enum status
kind_read(
    struct kind_held *h, const char *name, struct bytes file, struct words *why)
{
	struct doc d;
	struct kind *k = &h->kind;
	enum status st = doc_open(&d, name, file, &h->pool, why);

	if (st == ST_OK)
		st = read_head(&d, k);
	if (st == ST_OK)
		st = read_fields(&d, 0, NULL, &h->fields, &k->field_count);
	k->fields = h->fields;
	if (st == ST_OK)
		st = read_lists(&d, h);
	if (st == ST_OK)
		st = sort_fields(h);
	if (st == ST_OK)
		st = kind_read_parts(&d, h);
	if (st == ST_OK)
		st = kind_read_uses(&d, h);
	if (st == ST_OK)
		sha256(k->sha256, file);
	doc_close(&d);
	return st;
}
