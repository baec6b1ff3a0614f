/* defs_build: kinds, rules and forms out of what was built in and what was
 * confirmed. */
#include <stdlib.h>
#include <string.h>

#include "defs/defs_priv.h"

struct domain *
domain_ref(struct domain *d)
{
	if (d != NULL)
		__atomic_add_fetch(&d->refs, 1, __ATOMIC_RELAXED);
	return d;
}

void
domain_unref(struct domain *d)
{
	if (d == NULL || __atomic_sub_fetch(&d->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	forms_free(d->forms);
	rules_free(d->rules);
	kinds_free(d->kinds);
	free(d);
}

/* A definition that does not hold: left out, and why. */
static enum status
leave_out(struct def *f, enum status st, const struct words *why)
{
	if (st == ST_NOMEM)
		return st;
	f->bad = true;
	f->why = *why;
	if (f->why.en[0] == '\0')
		words_put(&f->why, "内容不能采用", status_text(st));
	return ST_OK;
}

static enum status
add_kinds(struct domain *d, struct def *const *list, size_t count)
{
	enum status st = kinds_load_builtin(&d->kinds);

	for (size_t i = 0; i < count && st == ST_OK; i++) {
		struct def *f = list[i];

		if (f->sort != DEFS_KINDS)
			continue;
		st = kinds_add(d->kinds, f->name, buf_view(&f->file));
		if (st != ST_OK)
			st = leave_out(f, st, kinds_words(d->kinds));
	}
	return st;
}

/* The rules of all files, with the court's parameters as the definition `court`
 * has them; NULL: the statutes' own. */
static enum status
make_rules(struct rules **out, const struct domain *d, struct def *const *list,
    size_t count, struct def *court)
{
	struct rules *rs = NULL;
	enum status st = rules_load_builtin(&rs, d->kinds);

	for (size_t i = 0; i < count && st == ST_OK; i++) {
		struct def *f = list[i];

		if (f->sort != DEFS_RULES || f->bad)
			continue;
		st = rules_add_since(
		    rs, d->kinds, f->name, buf_view(&f->file), f->since_ms);
		if (st != ST_OK)
			st = leave_out(f, st, rules_words(rs));
	}
	if (st == ST_OK && court != NULL) {
		st = rules_court(rs, court->name, buf_view(&court->file));
		if (st != ST_OK)
			st = leave_out(court, st, rules_words(rs));
	}
	if (st != ST_OK) {
		rules_free(rs);
		return st;
	}
	*out = rs;
	return ST_OK;
}

/* The newest set first, each knowing the one before. */
static enum status
add_rules(struct domain *d, struct def *const *list, size_t count)
{
	enum status st = make_rules(&d->rules, d, list, count, NULL);

	for (size_t i = 0; i < count && st == ST_OK; i++) {
		struct rules *next = NULL;

		if (list[i]->sort != DEFS_COURT)
			continue;
		st = make_rules(&next, d, list, count, list[i]);
		if (st != ST_OK)
			break;
		if (list[i]->bad) {
			rules_free(next);
			continue;
		}
		rules_before(next, d->rules, list[i]->since_ms);
		d->rules = next;
	}
	return st;
}

static enum status
add_forms(struct domain *d, struct def *const *list, size_t count)
{
	enum status st = forms_load_builtin(&d->forms, d->kinds);

	for (size_t i = 0; i < count && st == ST_OK; i++) {
		struct def *f = list[i];

		if (f->sort != DEFS_FORMS)
			continue;
		st = forms_add(d->forms, d->kinds, f->name, buf_view(&f->file));
		if (st != ST_OK)
			st = leave_out(f, st, forms_words(d->forms));
	}
	return st;
}

enum status
domain_make(struct domain **out, struct def *const *list, size_t count)
{
	struct domain *d = calloc(1, sizeof(*d));
	enum status st;

	if (d == NULL)
		return ST_NOMEM;
	d->refs = 1;
	for (size_t i = 0; i < count; i++) {
		list[i]->bad = false;
		words_clear(&list[i]->why);
	}
	st = add_kinds(d, list, count);
	if (st == ST_OK)
		st = add_rules(d, list, count);
	if (st == ST_OK)
		st = add_forms(d, list, count);
	if (st != ST_OK) {
		domain_unref(d);
		return st;
	}
	*out = d;
	return ST_OK;
}

enum status
domain_builtin(struct domain **out)
{
	return domain_make(out, NULL, 0);
}

/*
 * Of the kinds confirmed, the last that is another version of one known goes:
 * rules that were built in name fields that it lacks.  The centre lets no such
 * kind in; a log of a newer program may have one.
 */
static bool
drop_last_kind(struct def **list, size_t *count)
{
	for (size_t i = *count; i-- > 0;) {
		if (list[i]->sort != DEFS_KINDS)
			continue;
		list[i]->bad = true;
		words_put(&list[i]->why, "规则所用的字段在此版本中没有",
		    "it lacks fields that rules need");
		memmove(
		    list + i, list + i + 1, (*count - i - 1) * sizeof(*list));
		(*count)--;
		return true;
	}
	return false;
}

enum status
domain_make_at_all(struct domain **out, struct def **list, size_t count)
{
	enum status st;

	do
		st = domain_make(out, list, count);
	while (st == ST_INVALID && drop_last_kind(list, &count));
	return st;
}
