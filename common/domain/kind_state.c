/*
 * A kind and a record's state together: summary line, what is missing.
 */
#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "domain/cond.h"
#include "domain/kind_priv.h"
#include "entry/path.h"

void
kind_label(
    const struct kind *k, const struct state *st, bool zh, struct buf *out)
{
	bool some = false;

	for (size_t i = 0; i < k->label_count; i++) {
		struct bytes path = bytes_str(k->label[i]);
		struct state_value v;

		if (!state_first(st, path, &v) || v.withheld)
			continue;
		if (some)
			buf_str(out, " · ");
		kind_show(kind_field(k, path), v.json, zh, out);
		some = true;
	}
	if (!some)
		buf_str(out, zh ? k->zh : k->en);
}

/* A record being looked through for what it lacks. */
struct search {
	const struct kind *k;
	const struct state *st;
	struct cond_view view;
	kind_missing_fn fn;
	void *arg;
};

/* `c` holds, or it cannot be said that it does not. */
static bool
wanted(struct search *s, const struct cond *c)
{
	return c == NULL || cond_judge(c, &s->view) != TRUTH_FALSE;
}

static enum status
missing_fields(struct search *s, const struct kind_field *fields, size_t count)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < count && st == ST_OK; i++) {
		const struct kind_field *f = &fields[i];
		struct ref r = { .sort = REF_SELF, .text = f->path };
		struct state_value v;
		uint8_t path[256];

		if (!f->required || !wanted(s, f->when))
			continue;
		if (ref_value(&r, &s->view, 0, &v) && !v.null)
			continue;
		st = s->fn(s->arg, ref_path(&r, &s->view, path), f->zh, f->en);
	}
	return st;
}

/* Do `fn` for each item in force of a list; *count says how many. */
static enum status
each_item(struct search *s, const char *list, size_t *count,
    enum status (*fn)(struct search *, const void *), const void *arg)
{
	size_t i, end;
	enum status st = ST_OK;

	*count = 0;
	state_items(s->st, bytes_str(list), &i, &end);
	for (; i < end && st == ST_OK; i++) {
		const struct state_item *it = &s->st->items[i];

		if (it->is == STATE_OUT || !bytes_eq_str(it->list, list))
			continue;
		(*count)++;
		s->view.item = it->path;
		st = fn(s, arg);
		s->view.item = bytes_of(NULL, 0);
	}
	return st;
}

static enum status
missing_in_item(struct search *s, const void *arg)
{
	const struct kind_list *l = arg;

	return missing_fields(s, l->fields, l->field_count);
}

static bool
is_attached(const struct state *st, struct bytes path)
{
	for (size_t i = 0; i < st->act_count; i++) {
		const struct state_act *a = &st->acts[i];

		if (a->is != STATE_OUT && bytes_eq_str(a->verb, "attach") &&
		    (path.len == 0 || act_is_on(st, a, path)))
			return true;
	}
	return false;
}

static enum status
missing_attach(struct search *s, const void *arg)
{
	const struct kind_attach *a = arg;
	struct bytes path = a->each ? s->view.item : bytes_str(a->on);

	if (!wanted(s, a->when) || is_attached(s->st, path))
		return ST_OK;
	return s->fn(s->arg, path, a->zh, a->en);
}

enum status
kind_missing(
    const struct kind *k, const struct state *st, kind_missing_fn fn, void *arg)
{
	struct search s = { .k = k, .st = st, .fn = fn, .arg = arg };
	enum status rc;
	size_t count = 0;

	s.view =
	    (struct cond_view){ .st = st, .kind = k, .next_ms = INT64_MAX };
	rc = missing_fields(&s, k->fields, k->field_count);
	for (size_t i = 0; i < k->list_count && rc == ST_OK; i++) {
		const struct kind_list *l = &k->lists[i];

		rc = each_item(&s, l->path, &count, missing_in_item, l);
		if (rc == ST_OK && count < l->required && wanted(&s, l->when))
			rc = fn(arg, bytes_str(l->path), l->zh, l->en);
	}
	for (size_t i = 0; i < k->attach_count && rc == ST_OK; i++) {
		const struct kind_attach *a = &k->attaches[i];

		if (!a->required)
			continue;
		rc = a->each ? each_item(&s, a->on, &count, missing_attach, a)
			     : missing_attach(&s, a);
	}
	return rc;
}

/* ---- whole paths */

/* How many letters two names share at their front. */
static size_t
alike(const char *a, struct bytes b)
{
	size_t n = 0;

	while (a[n] != '\0' && n < b.len && (uint8_t)a[n] == b.p[n])
		n++;
	return n;
}

/* The field whose path begins most like `path`; NULL if none does. */
static const struct kind_field *
nearest(const struct kind_field *fields, size_t count, struct bytes path)
{
	const struct kind_field *best = NULL;
	size_t most = 1;

	for (size_t i = 0; i < count; i++) {
		size_t n = alike(fields[i].path, path);

		if (n > most) {
			most = n;
			best = &fields[i];
		}
	}
	return best;
}

enum status
kind_check_path(const struct kind *k, struct bytes path, struct bytes value,
    struct words *why)
{
	const struct kind_field *f = kind_field(k, path), *near;
	char quote[256];

	if (f != NULL)
		return kind_check(f, value, why);
	near = nearest(k->fields, k->field_count, path);
	words_clear(why);
	words_quote(quote, path);
	words_zh(why, "%s没有字段“%s”", k->zh, quote);
	words_en(why, "%s has no field \"%s\"", k->en, quote);
	if (near != NULL) {
		words_zh(why, "；相近的有“%s”", near->path);
		words_en(why, "; there is \"%s\"", near->path);
	}
	return ST_ABSENT;
}
