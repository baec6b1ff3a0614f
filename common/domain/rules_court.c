/* rules_court: a court's own parameters, and which local rules are on. */
#include <string.h>

#include "base/limits.h"
#include "domain/rules_priv.h"

static struct param *
param_named(struct rule *r, const struct json *j, uint32_t n)
{
	for (size_t i = 0; i < r->param_count; i++) {
		if (json_is(j, n, r->params[i].name))
			return &r->params[i];
	}
	return NULL;
}

/* One rule's parameters, at node n; only tried out unless `really`. */
static enum status
set_params(struct rules *rs, struct doc *d, uint32_t n, bool really)
{
	const struct json *j = &d->j;
	bool found = false;
	enum status st = ST_OK;

	if (j->node[n + 1].type != JSON_OBJECT)
		return doc_refuse(d, n, "应为对象", "must be an object");
	for (size_t i = 0; i < rs->count && st == ST_OK; i++) {
		struct rule *r = rs->list[i];

		if (!json_is(j, n, r->id))
			continue;
		found = true;
		for (uint32_t m = n + 2; m < j->node[n + 1].next && st == ST_OK;
		     m = j->node[m + 1].next) {
			struct param *p = param_named(r, j, m), tried;

			if (p == NULL)
				return doc_refuse_text(d, m, "没有此参数",
				    "no such parameter", json_raw(j, m));
			tried = *p;
			st = param_set(really ? p : &tried, d, m + 1);
		}
	}
	if (!found)
		return doc_refuse_text(
		    d, n, "没有此规则", "no such rule", json_raw(j, n));
	return st;
}

/* Switch the rules named in member `name` on or off. */
static enum status
switch_rules(
    struct rules *rs, struct doc *d, const char *name, bool on, bool really)
{
	const struct json *j = &d->j;
	uint32_t v = 0;
	enum status st = doc_member(d, 0, name, JSON_ARRAY, &v);

	if (st != ST_OK || v == 0)
		return st;
	for (uint32_t i = v + 1; i < j->node[v].next; i = j->node[i].next) {
		bool found = false;

		for (size_t k = 0; k < rs->count; k++) {
			struct rule *r = rs->list[k];

			if (!json_is(j, i, r->id))
				continue;
			found = true;
			if (!on && !r->local)
				return doc_refuse_text(d, i, "法定规则不可停用",
				    "a rule of statute cannot be switched "
				    "off",
				    json_raw(j, i));
			if (really)
				r->on = on;
		}
		if (!found)
			return doc_refuse_text(
			    d, i, "没有此规则", "no such rule", json_raw(j, i));
	}
	return ST_OK;
}

static enum status
apply_court(struct rules *rs, struct doc *d, bool really)
{
	const struct json *j = &d->j;
	uint32_t v = 0;
	enum status st = doc_member(d, 0, "set", JSON_OBJECT, &v);

	for (uint32_t i = v + 1; v != 0 && st == ST_OK && i < j->node[v].next;
	     i = j->node[i + 1].next)
		st = set_params(rs, d, i, really);
	v = 0;
	if (st == ST_OK)
		st = doc_member(d, 0, "calendar", JSON_OBJECT, &v);
	if (st == ST_OK)
		st = rules_court_calendar(rs, d, v, really);
	if (st == ST_OK)
		st = switch_rules(rs, d, "on", true, really);
	if (st == ST_OK)
		st = switch_rules(rs, d, "off", false, really);
	return st;
}

/* As the files have it: a court's file says all that differs. */
static void
back_to_statute(struct rules *rs)
{
	for (size_t i = 0; i < rs->count; i++) {
		struct rule *r = rs->list[i];

		r->on = !r->local;
		for (size_t p = 0; p < r->param_count; p++)
			r->params[p].value = r->params[p].statute;
	}
}

enum status
rules_court(struct rules *rs, const char *name, struct bytes file)
{
	static const char *const names[] = { "court", "from", "set", "on",
		"off", "calendar", NULL };
	struct doc d;
	const char *court, *from = "";
	int64_t day = INT64_MIN;
	enum status st = doc_open(&d, name, file, &rs->court, &rs->why);

	if (st == ST_OK)
		st = doc_only(&d, 0, names);
	if (st == ST_OK)
		st = doc_text(&d, 0, "court", WORDS_MAX, "", &court);
	if (st == ST_OK)
		st = doc_text(&d, 0, "from", WORDS_MAX, "", &from);
	if (st == ST_OK && from[0] != '\0' &&
	    !when_read_day(&day, bytes_str(from)))
		st = doc_refuse(
		    &d, json_get(&d.j, 0, "from"), "不是日期", "not a date");
	if (st == ST_OK)
		st = apply_court(rs, &d, false);
	if (st == ST_OK) {
		rs->court_from = day;
		back_to_statute(rs);
		st = apply_court(rs, &d, true);
	}
	for (size_t i = 0; i < rs->count && st == ST_OK; i++)
		st = rule_write_params(rs->list[i]);
	if (st == ST_OK)
		st = rules_write_version(rs);
	doc_close(&d);
	return st;
}
