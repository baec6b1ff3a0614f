/*
 * What hangs on a kind's fields: groups, status graph, signatures,
 * attachments, links, forms, and the conditions of all of them.
 */
#include <string.h>

#include "base/limits.h"
#include "domain/cond.h"
#include "domain/doc.h"
#include "domain/kind_priv.h"
#include "entry/path.h"

enum { THINGS_MAX = 64, NAMES_MAX = 60 };

/* An array member's values as zeroed things of `size`; none if absent. */
static enum status
things(struct doc *d, const char *name, size_t size, uint32_t *node, void **out,
    size_t *count)
{
	enum status st = doc_member(d, 0, name, JSON_ARRAY, node);

	*count = 0;
	if (st != ST_OK || *node == 0)
		return st;
	if (d->j.node[*node].count > THINGS_MAX)
		return doc_refuse(d, *node, "过多", "too many");
	*count = d->j.node[*node].count;
	*out = pool_get(d->pool, *count, size);
	return *out != NULL ? ST_OK : ST_NOMEM;
}

static enum status
read_named(struct doc *d, uint32_t n, const char *id_name, const char **id,
    const char **zh, const char **en)
{
	enum status st = doc_text(d, n, id_name, WORD_BYTES_MAX, NULL, id);

	if (st == ST_OK)
		st = doc_text(d, n, "zh", PATH_BYTES_MAX, NULL, zh);
	if (st == ST_OK)
		st = doc_text(d, n, "en", PATH_BYTES_MAX, NULL, en);
	if (st == ST_OK && !path_is_word(bytes_str(*id)))
		return doc_refuse_text(
		    d, n, "名称不合格", "not a good name", bytes_str(*id));
	return st;
}

/* ---- groups */

static const struct {
	const char *name;
	const char *parts[5];
} group_types[] = {
	[KIND_GROUP_PLAIN] = { "plain", { NULL } },
	[KIND_GROUP_PERSON] = { "person", { "name", "capacity", NULL } },
	[KIND_GROUP_ORG] = { "org", { "name", "code", NULL } },
	[KIND_GROUP_PARTY] = { "party", { "sort", "name", "capacity", NULL } },
	[KIND_GROUP_POINT] = { "point",
	    { "lat", "lon", "accuracy_m", "age_s", NULL } },
};

static enum status
check_group(
    struct doc *d, uint32_t n, const struct kind *k, const struct kind_group *g)
{
	const char *const *parts = group_types[g->type].parts;
	char path[2 * PATH_BYTES_MAX];
	bool some = false;

	for (size_t i = 0; parts[i] != NULL; i++) {
		size_t len = strlen(g->path);

		memcpy(path, g->path, len);
		path[len] = '/';
		memcpy(path + len + 1, parts[i], strlen(parts[i]) + 1);
		if (kind_list_field(k, g->list, bytes_str(path)) == NULL)
			return doc_refuse_text(d, n, "此类组缺少字段",
			    "a group of this type lacks a field",
			    bytes_str(path));
	}
	if (g->list == NULL)
		some = kind_has_part(k, bytes_str(g->path));
	for (size_t i = 0; g->list != NULL && i < g->list->field_count; i++)
		some = some || path_within(bytes_str(g->list->fields[i].path),
				   bytes_str(g->path));
	return some ? ST_OK
		    : doc_refuse(d, n, "组内没有字段", "an empty group");
}

static enum status
read_group(
    struct doc *d, uint32_t n, const struct kind *k, struct kind_group *g)
{
	static const char *const names[] = { "path", "type", "zh", "en", "list",
		NULL };
	const char *type, *list;
	size_t t = 0, types = sizeof(group_types) / sizeof(group_types[0]);
	enum status st = doc_only(d, n, names);

	if (st == ST_OK)
		st = doc_text(d, n, "path", PATH_BYTES_MAX, NULL, &g->path);
	if (st == ST_OK)
		st = doc_text(d, n, "zh", PATH_BYTES_MAX, NULL, &g->zh);
	if (st == ST_OK)
		st = doc_text(d, n, "en", PATH_BYTES_MAX, NULL, &g->en);
	if (st == ST_OK)
		st = doc_text(d, n, "type", WORD_BYTES_MAX, "plain", &type);
	if (st == ST_OK)
		st = doc_text(d, n, "list", PATH_BYTES_MAX, "", &list);
	if (st != ST_OK)
		return st;
	while (t < types && strcmp(group_types[t].name, type) != 0)
		t++;
	if (t == types)
		return doc_refuse_text(d, n, "组类型不明",
		    "unknown type of group", bytes_str(type));
	g->type = (enum kind_group_type)t;
	if (list[0] != '\0') {
		g->list = kind_list(k, bytes_str(list));
		if (g->list == NULL)
			return doc_refuse_text(d, n, "没有此清单",
			    "no such list", bytes_str(list));
	}
	return check_group(d, n, k, g);
}

static enum status
read_groups(struct doc *d, struct kind *k)
{
	void *list = NULL;
	struct kind_group *g;
	uint32_t v = 0;
	size_t count = 0;
	enum status st = things(d, "groups", sizeof(*g), &v, &list, &count);

	g = list;
	for (uint32_t i = v + 1, c = 0; st == ST_OK && c < count;
	     i = d->j.node[i].next, c++)
		st = read_group(d, i, k, &g[c]);
	k->groups = g;
	k->group_count = st == ST_OK ? count : 0;
	return st;
}

/* ---- status */

/* Every status can be reached from the first. */
static bool
all_reached(const struct kind *k)
{
	bool seen[THINGS_MAX] = { true }, more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < k->status_count; i++) {
			for (size_t t = 0; seen[i] && t < k->status[i].to_count;
			     t++) {
				size_t at =
				    (size_t)(kind_status(
						 k, bytes_str(
							k->status[i].to[t])) -
					     k->status);

				more = more || !seen[at];
				seen[at] = true;
			}
		}
	}
	for (size_t i = 0; i < k->status_count; i++) {
		if (!seen[i])
			return false;
	}
	return true;
}

static enum status
check_steps(struct doc *d, uint32_t v, const struct kind *k)
{
	for (size_t i = 0; i < k->status_count; i++) {
		for (size_t t = 0; t < k->status[i].to_count; t++) {
			const char *to = k->status[i].to[t];

			if (kind_status(k, bytes_str(to)) == NULL)
				return doc_refuse_text(d, v, "没有此状态",
				    "no such status", bytes_str(to));
		}
	}
	if (!all_reached(k))
		return doc_refuse(
		    d, v, "有状态无从到达", "a status that no step reaches");
	return ST_OK;
}

static enum status
read_status(struct doc *d, struct kind *k)
{
	static const char *const names[] = { "id", "zh", "en", "to", "finish",
		NULL };
	void *list = NULL;
	struct kind_status *s;
	uint32_t v = 0;
	size_t count = 0;
	enum status st = things(d, "status", sizeof(*s), &v, &list, &count);

	s = list;
	k->status = s;
	for (uint32_t i = v + 1, c = 0; st == ST_OK && c < count;
	     i = d->j.node[i].next, c++) {
		st = doc_only(d, i, names);
		if (st == ST_OK)
			st = read_named(
			    d, i, "id", &s[c].id, &s[c].zh, &s[c].en);
		if (st == ST_OK)
			st = doc_texts(
			    d, i, "to", THINGS_MAX, &s[c].to, &s[c].to_count);
		if (st == ST_OK)
			st = doc_bool(d, i, "finish", &s[c].finish);
		if (st == ST_OK && kind_status(k, bytes_str(s[c].id)) != NULL)
			st = doc_refuse_text(d, i, "状态重复",
			    "status stands twice", bytes_str(s[c].id));
		k->status_count = c + 1;
	}
	return st == ST_OK && count > 0 ? check_steps(d, v, k) : st;
}

/* ---- who signs, what is attached */

/* The path that somebody or something hangs on: a list where `each`, else a
 * group, a field or "". */
static enum status
check_hook(struct doc *d, uint32_t n, const struct kind *k, const char *path,
    bool each)
{
	bool fine = each ? kind_list(k, bytes_str(path)) != NULL
			 : kind_has_part(k, bytes_str(path));

	if (fine)
		return ST_OK;
	return each ? doc_refuse_text(
			  d, n, "没有此清单", "no such list", bytes_str(path))
		    : doc_refuse_text(d, n, "没有此字段或组",
			  "no such field or group", bytes_str(path));
}

static enum status
read_sign(struct doc *d, uint32_t n, const struct kind *k, struct kind_sign *s)
{
	static const char *const names[] = { "id", "zh", "en", "who", "each",
		"parts", "required", "when", NULL };
	enum status st = doc_only(d, n, names);

	if (st == ST_OK)
		st = read_named(d, n, "id", &s->id, &s->zh, &s->en);
	if (st == ST_OK)
		st = doc_text(d, n, "who", PATH_BYTES_MAX, NULL, &s->who);
	if (st == ST_OK)
		st = doc_bool(d, n, "each", &s->each);
	if (st == ST_OK)
		st = doc_bool(d, n, "required", &s->required);
	if (st == ST_OK)
		st = doc_texts(
		    d, n, "parts", THINGS_MAX, &s->parts, &s->part_count);
	if (st == ST_OK)
		st = check_hook(d, n, k, s->who, s->each);
	if (st == ST_OK && s->part_count == 0)
		st = doc_refuse(d, n, "须列明所签内容", "signs no part");
	for (size_t i = 0; st == ST_OK && i < s->part_count; i++) {
		if (!kind_has_part(k, bytes_str(s->parts[i])))
			st = doc_refuse_text(d, n, "没有此部分", "no such part",
			    bytes_str(s->parts[i]));
	}
	if (st == ST_OK)
		st = kind_read_when(d, n, k, s->each ? s->who : NULL, &s->when);
	return st;
}

static enum status
read_signs(struct doc *d, struct kind *k)
{
	void *list = NULL;
	struct kind_sign *s;
	uint32_t v = 0;
	size_t count = 0;
	enum status st = things(d, "sign", sizeof(*s), &v, &list, &count);

	s = list;
	k->signs = s;
	for (uint32_t i = v + 1, c = 0; st == ST_OK && c < count;
	     i = d->j.node[i].next, c++) {
		st = read_sign(d, i, k, &s[c]);
		if (st == ST_OK && kind_sign(k, bytes_str(s[c].id)) != NULL)
			st = doc_refuse_text(
			    d, i, "重复", "stands twice", bytes_str(s[c].id));
		k->sign_count = c + 1;
	}
	return st;
}

static enum status
read_attaches(struct doc *d, struct kind *k)
{
	static const char *const names[] = { "id", "zh", "en", "on", "each",
		"required", "when", NULL };
	void *list = NULL;
	struct kind_attach *a;
	uint32_t v = 0;
	size_t count = 0;
	enum status st = things(d, "attach", sizeof(*a), &v, &list, &count);

	a = list;
	for (uint32_t i = v + 1, c = 0; st == ST_OK && c < count;
	     i = d->j.node[i].next, c++) {
		st = doc_only(d, i, names);
		if (st == ST_OK)
			st = read_named(
			    d, i, "id", &a[c].id, &a[c].zh, &a[c].en);
		if (st == ST_OK)
			st = doc_text(d, i, "on", PATH_BYTES_MAX, "", &a[c].on);
		if (st == ST_OK)
			st = doc_bool(d, i, "each", &a[c].each);
		if (st == ST_OK)
			st = doc_bool(d, i, "required", &a[c].required);
		if (st == ST_OK)
			st = check_hook(d, i, k, a[c].on, a[c].each);
		if (st == ST_OK)
			st = kind_read_when(
			    d, i, k, a[c].each ? a[c].on : NULL, &a[c].when);
	}
	k->attaches = a;
	k->attach_count = st == ST_OK ? count : 0;
	return st;
}

/* ---- links, forms */

/* Each is a list, or the beginning of a field's path. */
static enum status
check_takes(
    struct doc *d, uint32_t n, const struct kind *k, const struct kind_link *l)
{
	for (size_t i = 0; i < l->take_count; i++) {
		size_t len = strlen(l->takes[i]);
		bool found = kind_list(k, bytes_str(l->takes[i])) != NULL;

		for (size_t f = 0; f < k->field_count && !found; f++)
			found =
			    strncmp(k->fields[f].path, l->takes[i], len) == 0 &&
			    k->fields[f].path[len] == '/';
		if (!found)
			return doc_refuse_text(d, json_get(&d->j, n, "takes"),
			    "没有此清单或组", "no such list or group",
			    bytes_str(l->takes[i]));
	}
	return ST_OK;
}

static enum status
read_links(struct doc *d, struct kind *k)
{
	static const char *const names[] = { "word", "zh", "en", "kinds",
		"takes", NULL };
	void *list = NULL;
	struct kind_link *l;
	uint32_t v = 0;
	size_t count = 0;
	enum status st = things(d, "links", sizeof(*l), &v, &list, &count);

	l = list;
	for (uint32_t i = v + 1, c = 0; st == ST_OK && c < count;
	     i = d->j.node[i].next, c++) {
		st = doc_only(d, i, names);
		if (st == ST_OK)
			st = read_named(
			    d, i, "word", &l[c].word, &l[c].zh, &l[c].en);
		if (st == ST_OK)
			st = doc_texts(d, i, "kinds", NAMES_MAX, &l[c].kinds,
			    &l[c].kind_count);
		if (st == ST_OK)
			st = doc_texts(d, i, "takes", NAMES_MAX, &l[c].takes,
			    &l[c].take_count);
		if (st == ST_OK)
			st = check_takes(d, i, k, &l[c]);
	}
	k->links = l;
	k->link_count = st == ST_OK ? count : 0;
	return st;
}

static enum status
read_forms(struct doc *d, struct kind *k)
{
	static const char *const names[] = { "id", "zh", "en", NULL };
	void *list = NULL;
	struct kind_form *f;
	uint32_t v = 0;
	size_t count = 0;
	enum status st = things(d, "forms", sizeof(*f), &v, &list, &count);

	f = list;
	for (uint32_t i = v + 1, c = 0; st == ST_OK && c < count;
	     i = d->j.node[i].next, c++) {
		st = doc_only(d, i, names);
		if (st == ST_OK)
			st = read_named(
			    d, i, "id", &f[c].id, &f[c].zh, &f[c].en);
	}
	k->forms = f;
	k->form_count = st == ST_OK ? count : 0;
	return st;
}

enum status
kind_read_parts(struct doc *d, struct kind_held *h)
{
	struct kind *k = &h->kind;
	enum status st = read_groups(d, k);

	if (st == ST_OK)
		st = read_status(d, k);
	if (st == ST_OK)
		st = read_links(d, k);
	if (st == ST_OK)
		st = read_signs(d, k);
	if (st == ST_OK)
		st = read_attaches(d, k);
	if (st == ST_OK)
		st = read_forms(d, k);
	return st;
}
