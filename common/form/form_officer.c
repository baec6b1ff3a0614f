/*
 * Officers by name.  The name is what the record itself says beside the id: in
 * an item that has a field of type officer and one called "name".  Rosters
 * change, and a handheld has its own court's only in part; the paper of one
 * state must be the same wherever and whenever it is printed.
 */
#include <string.h>

#include "form/form_priv.h"

static const struct kind_field *
officer_of(const struct kind *k, const struct kind_list *list)
{
	for (size_t i = 0; i < list->field_count; i++) {
		if (list->fields[i].type == KIND_OFFICER &&
		    kind_list_field(k, list, bytes_str("name")) != NULL)
			return &list->fields[i];
	}
	return NULL;
}

/* A string's JSON, quotes apart, is this id: ids need no escapes. */
static bool
is_text(struct bytes json, struct bytes text)
{
	return json.len == text.len + 2 && json.p[0] == '"' &&
	       memcmp(json.p + 1, text.p, text.len) == 0;
}

static const struct state_item *
find_item(struct form_run *r, const struct kind_list *list,
    const struct kind_field *officer, struct bytes id)
{
	const struct state *st = r->in->st;
	size_t first, end;

	state_items(st, bytes_str(list->path), &first, &end);
	for (size_t i = first; i < end; i++) {
		const struct state_item *it = &st->items[i];
		struct bytes json = { NULL, 0 };

		if (it->is != STATE_OUT && bytes_eq_str(it->list, list->path) &&
		    form_kept(r, officer, it, &json) == 1 && is_text(json, id))
			return it;
	}
	return NULL;
}

/* The one name that an item gives; nothing where it gives none, or two. */
static bool
put_name(struct form_run *r, const struct kind_list *list,
    const struct state_item *it)
{
	const struct kind_field *name =
	    kind_list_field(r->kind, list, bytes_str("name"));
	struct bytes json = { NULL, 0 };

	if (form_kept(r, name, it, &json) != 1 || json.len < 3 ||
	    json.p[0] != '"')
		return false;
	form_put_value(r, name, it, json);
	return true;
}

void
form_put_officer(
    struct form_run *r, struct bytes id, const struct state_item *own)
{
	struct buf *out = &r->doc->text;
	const struct kind *k = r->kind;
	bool named = false;

	for (size_t i = 0; i < k->list_count && !named; i++) {
		const struct kind_list *list = &k->lists[i];
		const struct kind_field *officer = officer_of(k, list);
		const struct state_item *it;

		if (officer == NULL)
			continue;
		/* There the name stands beside it. */
		if (own != NULL && bytes_eq_str(own->list, list->path))
			break;
		it = find_item(r, list, officer, id);
		named = it != NULL && put_name(r, list, it);
	}
	buf_str(out, named ? "（" : "");
	buf_bytes(out, id);
	buf_str(out, named ? "）" : "");
}
