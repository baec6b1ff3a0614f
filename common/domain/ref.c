/*
 * Where conditions read from: fields of the record or of an item, facts beside
 * the record, now.
 */
#include <assert.h>
#include <string.h>

#include "domain/cond.h"
#include "domain/rules.h"
#include "entry/path.h"

static const struct cond_fact *
fact_find(const struct cond_scope *s, struct bytes name)
{
	for (size_t i = 0; i < s->fact_count; i++) {
		if (bytes_eq_str(name, s->facts[i].name))
			return &s->facts[i];
	}
	return NULL;
}

/* The field exists, in every kind of the scope, with a type of the set. */
static enum status
check_field(struct doc *d, uint32_t n, const struct cond_scope *s,
    const char *path, bool of_record, uint32_t types)
{
	for (size_t i = 0; i < s->kind_count; i++) {
		const struct kind *k = s->kinds[i];
		const struct kind_list *l = NULL;
		const struct kind_field *f;

		if (s->list != NULL && !of_record)
			l = kind_list(k, bytes_str(s->list));
		f = kind_list_field(k, l, bytes_str(path));
		if (f == NULL || (s->list != NULL && !of_record && l == NULL))
			return doc_refuse_text(d, n, "该类记录没有此字段",
			    "a kind of this rule has no such field",
			    bytes_str(path));
		if ((types & TYPE_BIT(f->type)) == 0)
			return doc_refuse_text(d, n, "字段类型不合此处",
			    "the field's type does not fit here",
			    bytes_str(path));
	}
	return ST_OK;
}

static enum status
check_param(struct doc *d, uint32_t n, const struct cond_scope *s,
    const struct param *p, uint32_t types)
{
	enum status st = ST_OK;

	if (p == NULL || p->type != PARAM_PATH)
		return doc_refuse(
		    d, n, "没有此字段参数", "no such parameter of type path");
	for (size_t i = 0; i < p->choice_count && st == ST_OK; i++)
		st = check_field(d, n, s, p->choices[i], false, types);
	return st;
}

/* Every kind says by a field of these types when it happened. */
static enum status
check_happened(
    struct doc *d, uint32_t n, const struct cond_scope *s, uint32_t types)
{
	for (size_t i = 0; i < s->kind_count; i++) {
		const struct kind *k = s->kinds[i];
		const struct kind_field *f =
		    kind_list_field(k, NULL, bytes_str(k->happened));

		if (f == NULL || (types & TYPE_BIT(f->type)) == 0)
			return doc_refuse_text(d, n,
			    "该类记录未设发生时间，或类型不合",
			    "a kind of this rule does not say so when it "
			    "happened",
			    bytes_str(k->id));
	}
	return ST_OK;
}

enum status
ref_compile(struct ref *out, struct doc *d, uint32_t n,
    const struct cond_scope *s, uint32_t types)
{
	struct ref r = { .sort = s->list != NULL ? REF_SELF : REF_RECORD };
	const struct cond_fact *fact;
	const char *text;
	enum status st = doc_string(d, n, PATH_BYTES_MAX, &text);

	if (st != ST_OK)
		return st;
	r.text = text;
	if (strcmp(text, "now") == 0) {
		r.sort = REF_NOW;
		if ((types & TYPES_TIME) == 0)
			return doc_refuse(
			    d, n, "此处不可用 now", "now does not fit here");
	} else if (strcmp(text, "happened") == 0) {
		r.sort = REF_HAPPENED;
		st = check_happened(d, n, s, types);
	} else if (text[0] == '$') {
		r.sort = REF_PARAM;
		r.param =
		    params_find(s->params, s->param_count, bytes_str(text));
		st = check_param(d, n, s, r.param, types);
	} else if (text[0] == '~') {
		r.sort = REF_FACT;
		r.text = text + 1;
		fact = fact_find(s, bytes_str(r.text));
		if (fact == NULL || (types & TYPE_BIT(fact->type)) == 0)
			return doc_refuse(d, n, "没有此类事实",
			    "no fact of that name and type is declared");
		if (s->facts_used != NULL)
			*s->facts_used |= UINT32_C(1) << (fact - s->facts);
	} else {
		if (text[0] == '/') {
			r.sort = REF_RECORD;
			r.text = text + 1;
		}
		st = check_field(d, n, s, r.text, r.sort == REF_RECORD, types);
	}
	if (st == ST_OK)
		*out = r;
	return st;
}

struct bytes
ref_path(const struct ref *r, const struct cond_view *v, uint8_t out[256])
{
	const char *text = r->text;
	size_t len;

	if (r->sort == REF_FACT || r->sort == REF_NOW)
		return bytes_of(NULL, 0);
	if (r->sort == REF_PARAM)
		text = r->param->value.path;
	if (r->sort == REF_HAPPENED)
		text = v->kind->happened;
	len = strlen(text);
	if (r->sort == REF_RECORD || r->sort == REF_HAPPENED ||
	    v->item.len == 0)
		return bytes_of(text, len);
	if (v->item.len + 1 + len > PATH_BYTES_MAX)
		return bytes_of(NULL, 0);
	memcpy(out, v->item.p, v->item.len);
	out[v->item.len] = '/';
	memcpy(out + v->item.len + 1, text, len);
	return bytes_of(out, v->item.len + 1 + len);
}

static bool
fact_value(
    const struct ref *r, const struct cond_view *v, struct state_value *out)
{
	for (size_t i = 0; i < v->fact_count; i++) {
		struct bytes json = v->facts[i].value;

		if (strcmp(v->facts[i].name, r->text) != 0)
			continue;
		if (json.len == 0)
			return false;
		*out = (struct state_value){ .json = json, .text = json };
		out->null = bytes_eq_str(json, "null");
		if (json.p[0] == '"' && json.len >= 2)
			out->text = bytes_of(json.p + 1, json.len - 2);
		return true;
	}
	return false;
}

bool
ref_value(const struct ref *r, const struct cond_view *v, size_t i,
    struct state_value *out)
{
	uint8_t path[256];

	assert(r->sort != REF_NOW);
	if (r->sort == REF_FACT)
		return i == 0 && fact_value(r, v, out);
	return state_value(
	    v->st, state_field(v->st, ref_path(r, v, path)), i, out);
}

bool
ref_when(const struct ref *r, const struct cond_view *v, size_t i,
    struct when *out, enum truth *truth)
{
	struct state_value value;

	if (r->sort == REF_NOW) {
		*out = when_of_ms(v->now_ms, v->offset_min);
		*truth = TRUTH_TRUE;
		return i == 0;
	}
	if (!ref_value(r, v, i, &value))
		return false;
	if (value.withheld)
		*truth = TRUTH_WITHHELD;
	else if (!value.null && when_read(out, value.text, v->offset_min))
		*truth = TRUTH_TRUE;
	else
		*truth = TRUTH_FALSE;
	return true;
}

bool
act_is_on(
    const struct state *st, const struct state_act *act, struct bytes path)
{
	const struct json *j = &st->tape;

	for (uint32_t i = act->on + 1; i < j->node[act->on].next;
	     i = j->node[i].next) {
		if (j->node[i].type == JSON_STRING &&
		    path_within(path, json_raw(j, i)))
			return true;
	}
	return false;
}

bool
act_signs(const struct state *st, const struct state_act *act, struct bytes who)
{
	uint32_t n;

	if (act->sign == STATE_NO_SIGN || act->sign == STATE_SIGN_MISMATCH ||
	    act->is == STATE_OUT || act->more == 0)
		return false;
	n = json_get_typed(&st->tape, act->more, "person", JSON_STRING);
	return n != 0 && bytes_eq(json_raw(&st->tape, n), who);
}
