#include "domain/param.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "domain/num.h"
#include "entry/path.h"

enum { PARAMS_MAX = 16, TEXT_MAX = 64 };

static const char *const type_names[] = { "num", "duration", "clock", "path" };

/* The value at node n, by the parameter's type. */
static enum status
read_value(struct param *p, struct doc *d, uint32_t n, struct param_value *out)
{
	struct param_value v = { .num = 0 };
	struct bytes raw = json_raw(&d->j, n);
	enum status st;

	v.integer = d->j.node[n].type == JSON_INT;
	if (v.integer && p->type == PARAM_NUM) {
		v.text = pool_text(d->pool, raw);
		if (v.text == NULL)
			return ST_NOMEM;
	} else {
		st = doc_string(d, n, TEXT_MAX, &v.text);
		if (st != ST_OK)
			return st;
	}
	raw = bytes_str(v.text);
	switch (p->type) {
	case PARAM_NUM:
		if (!num_read(&v.num, raw))
			return doc_refuse(d, n, "不是数", "not a number");
		break;
	case PARAM_SPAN:
		if (!span_read(&v.span, raw))
			return doc_refuse(d, n, "不是时长（如 24h、15d、1y）",
			    "not a duration (as 24h, 15d, 1y)");
		break;
	case PARAM_CLOCK:
		v.minute = minute_read(raw);
		if (v.minute < 0)
			return doc_refuse(
			    d, n, "不是钟点（如 22:00）", "not a time of day");
		break;
	case PARAM_PATH:
		for (size_t i = 0; i < p->choice_count; i++) {
			if (strcmp(p->choices[i], v.text) == 0)
				v.path = p->choices[i];
		}
		if (v.path == NULL)
			return doc_refuse_text(
			    d, n, "不在可选之列", "not among the choices", raw);
		break;
	}
	*out = v;
	return ST_OK;
}

static enum status
read_param(struct doc *d, uint32_t name, struct param *out)
{
	static const char *const names[] = { "type", "value", "tighten",
		"choices", NULL };
	uint32_t n = name + 1, v;
	const char *type, *way;
	enum status st = doc_only(d, n, names);
	size_t i;

	if (st != ST_OK)
		return st;
	st = doc_string(d, name, WORD_BYTES_MAX, &out->name);
	if (st != ST_OK)
		return st;
	if (!path_is_word(bytes_str(out->name)))
		return doc_refuse(d, name, "名称不合格", "not a good name");
	st = doc_text(d, n, "type", TEXT_MAX, NULL, &type);
	if (st != ST_OK)
		return st;
	for (i = 0; i < 4 && strcmp(type_names[i], type) != 0; i++)
		;
	if (i == 4)
		return doc_refuse(d, n, "参数类型不明", "unknown type");
	out->type = (enum param_type)i;
	st = doc_text(d, n, "tighten", TEXT_MAX, NULL, &way);
	if (st != ST_OK)
		return st;
	out->way = strcmp(way, "less") == 0   ? PARAM_LESS
		   : strcmp(way, "more") == 0 ? PARAM_MORE
					      : PARAM_FREE;
	if (out->way == PARAM_FREE && strcmp(way, "free") != 0)
		return doc_refuse(d, n, "tighten 应为 less、more 或 free",
		    "tighten must be less, more or free");
	if (out->way != PARAM_FREE && out->type > PARAM_SPAN)
		return doc_refuse(d, n, "此类参数只可为 free",
		    "of this type only free can be");
	st = doc_texts(
	    d, n, "choices", PARAMS_MAX, &out->choices, &out->choice_count);
	if (st != ST_OK)
		return st;
	v = json_get(&d->j, n, "value");
	if (v == 0)
		return doc_refuse(d, n, "缺少 value", "no value");
	st = read_value(out, d, v, &out->value);
	out->statute = out->value;
	return st;
}

enum status
params_read(struct doc *d, uint32_t n, struct param **out, size_t *count)
{
	struct param *list;
	size_t k = 0;
	enum status st;

	*out = NULL;
	*count = 0;
	if (n == 0)
		return ST_OK;
	if (d->j.node[n].type != JSON_OBJECT || d->j.node[n].count > PARAMS_MAX)
		return doc_refuse(d, n, "应为对象，至多 16 个参数",
		    "must be an object of at most 16 parameters");
	list = pool_get(d->pool, d->j.node[n].count, sizeof(*list));
	if (list == NULL)
		return ST_NOMEM;
	for (uint32_t i = n + 1; i < d->j.node[n].next;
	     i = d->j.node[i + 1].next) {
		st = read_param(d, i, &list[k++]);
		if (st != ST_OK)
			return st;
	}
	*out = list;
	*count = k;
	return ST_OK;
}

/* x is never more than y. */
static bool
at_most(const struct param *p, const struct param_value *x,
    const struct param_value *y)
{
	if (p->type == PARAM_SPAN)
		return span_at_most(x->span, y->span);
	return p->type != PARAM_NUM || x->num <= y->num;
}

enum status
param_set(struct param *p, struct doc *d, uint32_t n)
{
	struct param_value v = { .num = 0 };
	enum status st = read_value(p, d, n, &v);

	if (st != ST_OK)
		return st;
	if ((p->way == PARAM_LESS && !at_most(p, &v, &p->statute)) ||
	    (p->way == PARAM_MORE && !at_most(p, &p->statute, &v)))
		return doc_refuse_text(d, n,
		    "比法定限度宽：只可从严，不可放宽（单位亦须相同）。法定为",
		    "looser than the statute, which may only be tightened, in "
		    "its own unit; it says",
		    bytes_str(p->statute.text));
	p->value = v;
	return ST_OK;
}

bool
param_as_tight(const struct param *p, const struct param *old)
{
	if (p->type != old->type || p->way != old->way)
		return false;
	if (p->way == PARAM_LESS)
		return at_most(p, &p->statute, &old->statute);
	return p->way != PARAM_MORE || at_most(p, &old->statute, &p->statute);
}

const struct param *
params_find(const struct param *list, size_t count, struct bytes dollar_name)
{
	if (dollar_name.len < 2 || dollar_name.p[0] != '$')
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (bytes_eq_str(
			bytes_of(dollar_name.p + 1, dollar_name.len - 1),
			list[i].name))
			return &list[i];
	}
	return NULL;
}

void
param_show(char out[64], const struct param *p, bool zh)
{
	if (p->type == PARAM_SPAN) {
		span_show(out, p->value.span, zh);
		return;
	}
	(void)snprintf(out, 64, "%s", p->value.text);
}
