/*
 * agent_defs: kinds, rules and forms as the court's log has them
 * (docs/KINDS.md, section 7).
 *
 * The definitions come with the device's own feed, proved like all of it, and
 * stand in the sealed log like any other entry: so after an unlock they are
 * read from there, with no network, and nothing else is kept.
 */
#include <string.h>

#include "agent/core/agent_impl.h"
#include "entry/entry.h"

enum status
agent_base_open(struct agent *a, const struct agent_config *c)
{
	enum status st = ST_OK;

	if (c->kinds == NULL || c->rules == NULL)
		st = domain_builtin(&a->base);
	a->lent_kinds = c->kinds;
	a->lent_rules = c->rules;
	if (st == ST_OK)
		agent_defs_forget(a);
	return st;
}

void
agent_base_close(struct agent *a)
{
	domain_unref(a->domain);
	domain_unref(a->base);
	a->domain = a->base = NULL;
}

void
agent_defs_forget(struct agent *a)
{
	domain_unref(a->domain);
	a->domain = NULL;
	a->defs_news = false;
	a->kinds = a->base != NULL ? a->base->kinds : a->lent_kinds;
	a->rules = a->base != NULL ? a->base->rules : a->lent_rules;
	if (a->view != NULL)
		view_domain(a->view, a->kinds, a->rules);
}

const struct forms *
agent_forms_known(const struct agent *a)
{
	const struct domain *d = a->domain != NULL ? a->domain : a->base;

	return d != NULL ? d->forms : NULL;
}

struct reading {
	struct defs *defs;
	struct entry e;
	bool any; /* something is in force */
};

static enum status
take(void *arg, const struct view_entry *v)
{
	struct reading *r = arg;
	enum status st = entry_parse(&r->e, v->raw);

	if (st == ST_OK)
		st = defs_take(r->defs, &r->e, v->id, v->place, &r->any);
	return st == ST_INVALID ? ST_OK : st;
}

enum status
agent_defs_load(struct agent *a)
{
	struct reading r = { .any = false };
	struct domain *now = NULL;
	enum status st = defs_new(&r.defs);

	a->defs_news = false;
	entry_init(&r.e);
	if (st == ST_OK)
		st = view_server_entries(a->view, DEFS_KIND, take, &r);
	if (st == ST_OK && r.any)
		st = defs_domain(r.defs, &now);
	entry_free(&r.e);
	defs_free(r.defs);
	if (st != ST_OK || now == NULL)
		return st;
	view_domain(a->view, now->kinds, now->rules);
	a->kinds = now->kinds;
	a->rules = now->rules;
	domain_unref(a->domain);
	a->domain = now;
	return ST_OK;
}

void
agent_defs_note(struct agent *a, const struct entry *e)
{
	if (bytes_eq_str(e->kind, DEFS_KIND))
		a->defs_news = true;
}
