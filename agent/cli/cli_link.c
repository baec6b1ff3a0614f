/*
 * cli_link: records that belong together.  A record begun at a scene takes over
 * from it what its kind says (`takes` of a link, docs/KINDS.md): it is written
 * down once more, so that every record stands for itself, is judged, signed and
 * printed as it is, and later changes of one change no other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/cli.h"
#include "domain/state.h"

struct cli_taken {
	const struct kind *from; /* kind of the other record */
	const struct kind_link *link;
	struct buf bytes;
	struct state st;
};

/* ---- which link */

static bool
leads_to(const struct kind_link *l, const struct kind *to)
{
	for (size_t i = 0; i < l->kind_count; i++) {
		if (strcmp(l->kinds[i], to->name) == 0)
			return true;
	}
	return l->kind_count == 0;
}

static int
bad_word(struct cli *c, const struct kind *k)
{
	struct words why;

	words_clear(&why);
	words_zh(&why, "没有这种关联");
	words_en(&why, "no such link");
	for (size_t i = 0; i < k->link_count; i++) {
		const struct kind_link *l = &k->links[i];

		words_zh(&why, "%s%s（%s）", i == 0 ? "；可填 " : "、", l->zh,
		    l->word);
		words_en(&why, "%s%s (%s)", i == 0 ? "; give one of: " : ", ",
		    l->word, l->en);
	}
	return cli_refuse(c, why.zh, why.en);
}

int
cli_link_word(struct cli *c, const char **word)
{
	const struct kind *k = cli_kind_of(c, c->argv[0]);

	if (k == NULL)
		return CLI_FAILED;
	if (!path_is_rec(bytes_str(c->argv[1])))
		return cli_refuse(c, "请先写另一条记录的编号，再写关联",
		    "first the other record's id, then the link");
	*word = c->argv[2];
	if (strcmp(*word, "none") == 0)
		return CLI_DONE;
	for (size_t i = 0; i < k->link_count; i++) {
		const struct kind_link *l = &k->links[i];

		if (strcmp(*word, l->word) == 0 || strcmp(*word, l->zh) == 0 ||
		    strcmp(*word, l->en) == 0) {
			*word = l->word;
			return CLI_DONE;
		}
	}
	return bad_word(c, k);
}

/* ---- what is taken over */

int
cli_take_begin(struct cli *c, const struct kind *k, struct cli_taken **out)
{
	struct cli_taken *t;
	enum status st;

	*out = NULL;
	if (c->scene == NULL)
		return CLI_DONE;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return cli_fail(c, ST_NOMEM);
	buf_init(&t->bytes, FRAME_BYTES_MAX);
	state_init(&t->st);
	*out = t;
	t->from = cli_kind_of(c, c->scene);
	if (t->from == NULL)
		return CLI_FAILED;
	for (size_t i = 0; i < k->link_count && t->link == NULL; i++) {
		if (k->links[i].take_count > 0 &&
		    leads_to(&k->links[i], t->from))
			t->link = &k->links[i];
	}
	if (t->link == NULL)
		return cli_refuse(c, "这类记录不能从那条记录承接内容",
		    "a record of this kind takes nothing over from that one");
	st = agent_state(c->agent, c->scene, &t->bytes);
	if (st == ST_OK)
		st = state_read(&t->st, buf_view(&t->bytes));
	return st == ST_OK ? CLI_DONE : cli_fail(c, st);
}

void
cli_take_end(struct cli_taken *t)
{
	if (t == NULL)
		return;
	state_free(&t->st);
	buf_wipe(&t->bytes);
	free(t);
}

/* Debtors, warrants, amounts, and what names things of the other record, are
 * never taken over. */
static bool
may_take(const struct kind_field *f, const struct kind_field *from)
{
	if (from == NULL || from->type != f->type || f->never_default)
		return false;
	return f->type != KIND_MONEY && f->type != KIND_ATTACHMENT &&
	       f->type != KIND_SIGNATURE && f->type != KIND_ITEM &&
	       f->type != KIND_RECORD;
}

static bool
is_given(const struct cli_fields *f, const struct kind_field *field)
{
	for (size_t i = 0; i < f->count; i++) {
		if (f->field[i] == field)
			return true;
	}
	return false;
}

/* The one value that stands there; of a conflict none is taken. */
static void
take_value(struct cli_taken *t, const struct kind_field *f, struct bytes path,
    struct cli_fields *out)
{
	const struct state_field *sf = state_field(&t->st, path);
	struct state_value v, second;
	struct words why;

	if (sf == NULL || !state_value(&t->st, sf, 0, &v) ||
	    state_value(&t->st, sf, 1, &second) || v.null || v.withheld ||
	    out->count + 1 >= CLI_ARGS_MAX ||
	    kind_check(f, v.json, &why) != ST_OK)
		return;
	out->on[out->count] = bytes_str(f->path);
	out->field[out->count] = f;
	out->value_off[out->count] = out->values.len;
	buf_bytes(&out->values, v.json);
	out->value_off[++out->count] = out->values.len;
}

void
cli_take_fields(
    struct cli_taken *t, const struct kind *k, struct cli_fields *out)
{
	for (size_t i = 0; t != NULL && i < t->link->take_count; i++) {
		const char *group = t->link->takes[i];
		size_t len = strlen(group);

		for (size_t n = 0; n < k->field_count; n++) {
			const struct kind_field *f = &k->fields[n];

			if (strncmp(f->path, group, len) == 0 &&
			    f->path[len] == '/' && !is_given(out, f) &&
			    may_take(
				f, kind_field(t->from, bytes_str(f->path))))
				take_value(t, f, bytes_str(f->path), out);
		}
	}
}

static int
take_item(struct cli *c, struct cli_taken *t, const struct kind *k,
    const struct kind_list *list, const struct state_item *it,
    struct agent_edit *edit)
{
	const struct kind_list *from =
	    kind_list(t->from, bytes_str(list->path));
	struct cli_fields f;
	uint8_t id[ID_LEN];
	char path[PATH_BYTES_MAX + 1];
	enum status st;
	int rc;

	cli_fields_init(&f);
	for (size_t i = 0; from != NULL && i < list->field_count; i++) {
		const struct kind_field *to = &list->fields[i];

		(void)snprintf(path, sizeof(path), "%.*s/%s", (int)it->path.len,
		    (const char *)it->path.p, to->path);
		if (may_take(to,
			kind_list_field(t->from, from, bytes_str(to->path))))
			take_value(t, to, bytes_str(path), &f);
	}
	st = agent_edit_begin(c->agent, edit->rec, edit);
	rc = st == ST_OK
		 ? cli_fields_append(c, k, edit, DO_ADD, list->path, &f, id)
		 : cli_fail(c, st);
	cli_fields_free(&f);
	return rc;
}

static int
take_list(struct cli *c, struct cli_taken *t, const struct kind *k,
    const struct kind_list *list, struct agent_edit *edit)
{
	size_t first, end;
	int rc = CLI_DONE;

	state_items(&t->st, bytes_str(list->path), &first, &end);
	/* By number, so that they are numbered alike. */
	for (uint32_t n = 1; rc == CLI_DONE && n <= end - first; n++) {
		for (size_t i = first; i < end; i++) {
			const struct state_item *it = &t->st.items[i];

			if (it->n == n && it->is == STATE_IN &&
			    bytes_eq_str(it->list, list->path))
				rc = take_item(c, t, k, list, it, edit);
		}
	}
	return rc;
}

static int
put_link(struct cli *c, struct cli_taken *t, struct agent_edit *edit)
{
	struct bytes on[2] = { bytes_str(c->scene), bytes_str(t->link->word) };
	struct agent_act act = { .verb = DO_LINK,
		.on = on,
		.on_count = 2,
		.data = bytes_str("[null,null]"),
		.at = c->at };
	uint8_t id[ID_LEN];
	enum status st = agent_edit_begin(c->agent, edit->rec, edit);

	if (st == ST_OK)
		st = agent_append(c->agent, edit, &act, id);
	return st == ST_OK ? CLI_DONE : cli_fail(c, st);
}

int
cli_take_rest(struct cli *c, struct cli_taken *t, const struct kind *k,
    struct agent_edit *edit)
{
	int rc;

	if (t == NULL)
		return CLI_DONE;
	rc = put_link(c, t, edit);
	for (size_t i = 0; i < t->link->take_count && rc == CLI_DONE; i++) {
		const struct kind_list *list =
		    kind_list(k, bytes_str(t->link->takes[i]));

		if (list != NULL)
			rc = take_list(c, t, k, list, edit);
	}
	return rc;
}
