/*
 * A rule file becomes rules.  Everything a rule names is looked for in the
 * kinds it is for, so that a misspelt path is refused here and not silently
 * never found.
 */
#include <string.h>

#include "base/limits.h"
#include "base/sha.h"
#include "domain/rules_priv.h"
#include "entry/path.h"

enum { RULES_MAX = 300, TEXT_MAX = 800 };

static const char *const severities[] = { "notice", "due", "warning", "grave" };

const char *
rules_severity_name(enum rules_severity s)
{
	return severities[s];
}

/* ---- one rule */

struct reader_rule {
	struct doc *d;
	const struct rules *rs;
	const struct kind *kinds[RULE_KINDS_MAX];
	struct cond_scope scope;
};

static enum status
read_day(struct doc *d, uint32_t n, const char *name, int64_t def, int64_t *out,
    const char **text)
{
	const char *copy;
	enum status st = doc_text(d, n, name, TEXT_MAX, "", &copy);

	if (st != ST_OK)
		return st;
	*out = def;
	if (copy[0] != '\0' && !when_read_day(out, bytes_str(copy)))
		return doc_refuse(
		    d, json_get(&d->j, n, name), "不是日期", "not a date");
	if (text != NULL)
		*text = copy;
	return ST_OK;
}

static enum status
read_rule_law(struct reader_rule *rr, uint32_t n, struct rule_law *out)
{
	static const char *const names[] = { "law", "article", "from", "to",
		NULL };
	struct doc *d = rr->d;
	const char *key;
	enum status st = doc_only(d, n, names);

	if (st == ST_OK)
		st = doc_text(d, n, "law", WORD_BYTES_MAX, NULL, &key);
	if (st == ST_OK)
		st = doc_text(d, n, "article", TEXT_MAX, "", &out->article);
	if (st == ST_OK)
		st = read_day(d, n, "from", INT64_MIN, &out->from, NULL);
	if (st == ST_OK)
		st = read_day(d, n, "to", INT64_MAX, &out->to, NULL);
	if (st != ST_OK)
		return st;
	out->law = law_find(rr->rs, key);
	if (out->law == NULL)
		return doc_refuse_text(
		    d, n, "没有此法", "no such law", bytes_str(key));
	return ST_OK;
}

static enum status
read_rule_laws(struct reader_rule *rr, uint32_t n, struct rule *r)
{
	struct doc *d = rr->d;
	uint32_t v = 0;
	enum status st = doc_member(d, n, "law", JSON_ARRAY, &v);

	if (st != ST_OK)
		return st;
	if (v == 0 || d->j.node[v].count == 0 ||
	    d->j.node[v].count > RULE_LAWS_MAX)
		return doc_refuse(
		    d, n, "须写明法律依据", "the law must be given");
	for (uint32_t i = v + 1; i < d->j.node[v].next && st == ST_OK;
	     i = d->j.node[i].next)
		st = read_rule_law(rr, i, &r->laws[r->law_count++]);
	return st;
}

static enum status
read_kinds(
    struct reader_rule *rr, const struct kinds *ks, uint32_t n, struct rule *r)
{
	struct doc *d = rr->d;
	enum status st =
	    doc_texts(d, n, "kinds", RULE_KINDS_MAX, &r->kinds, &r->kind_count);

	for (size_t i = 0; st == ST_OK && i < r->kind_count; i++) {
		rr->kinds[i] = kinds_latest(ks, bytes_str(r->kinds[i]));
		if (rr->kinds[i] == NULL)
			return doc_refuse_text(d, json_get(&d->j, n, "kinds"),
			    "没有此类记录", "no such kind",
			    bytes_str(r->kinds[i]));
	}
	rr->scope.kinds = rr->kinds;
	rr->scope.kind_count = r->kind_count;
	return st;
}

static enum status
read_over(struct reader_rule *rr, uint32_t n, struct rule *r)
{
	static const char *const sets[] = {
#define RULE_SET_TEXT(name, text) text,
		RULE_SETS(RULE_SET_TEXT)
#undef RULE_SET_TEXT
	};
	struct doc *d = rr->d;
	uint32_t v = json_get(&d->j, n, "each");
	const char *each;
	enum status st;

	if (v == 0) {
		if (r->kind_count == 0)
			return doc_refuse(
			    d, n, "须列明 kinds", "kinds must be given");
		return ST_OK;
	}
	st = doc_string(d, v, PATH_BYTES_MAX, &each);
	if (st != ST_OK)
		return st;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		if (strcmp(sets[i], each) == 0) {
			r->over = (enum rule_over)(OVER_LIST + 1 + i);
			return ST_OK;
		}
	}
	r->over = OVER_LIST;
	r->list = each;
	rr->scope.list = each;
	for (size_t i = 0; i < r->kind_count; i++) {
		if (kind_list(rr->kinds[i], bytes_str(each)) == NULL)
			return doc_refuse_text(d, v, "没有此清单或集合",
			    "no such list or set", bytes_str(each));
	}
	return r->kind_count > 0
		   ? ST_OK
		   : doc_refuse(d, n, "须列明 kinds", "kinds must be given");
}

/* What the finding is about exists: a field, group or list. */
static enum status
check_at(struct reader_rule *rr, uint32_t n, const struct rule *r)
{
	struct bytes at = bytes_str(r->at);

	for (size_t i = 0; i < r->kind_count && at.len > 0; i++) {
		const struct kind *k = rr->kinds[i];
		const struct kind_list *l = NULL;
		bool found = false;

		if (r->over == OVER_LIST)
			l = kind_list(k, bytes_str(r->list));
		for (size_t f = 0; f < (l ? l->field_count : k->field_count);
		     f++)
			found =
			    found ||
			    path_within(
				bytes_str((l ? l->fields : k->fields)[f].path),
				at);
		if (l == NULL && kind_list(k, at) != NULL)
			found = true;
		if (!found)
			return doc_refuse_text(rr->d, n, "没有此字段或组",
			    "no such field or group", at);
	}
	return ST_OK;
}

static enum status
read_span(struct reader_rule *rr, uint32_t n, struct rule_span *out)
{
	struct doc *d = rr->d;
	struct bytes raw = json_raw(&d->j, n);

	if (d->j.node[n].type == JSON_STRING && raw.len > 0 &&
	    raw.p[0] == '$') {
		out->param =
		    params_find(rr->scope.params, rr->scope.param_count, raw);
		if (out->param == NULL || out->param->type != PARAM_SPAN)
			return doc_refuse(d, n, "没有此时长参数",
			    "no such parameter of type duration");
		return ST_OK;
	}
	if (d->j.node[n].type != JSON_STRING || !span_read(&out->span, raw))
		return doc_refuse(d, n, "不是时长", "not a duration");
	return ST_OK;
}

/* One reference, or an array of them. */
static enum status
read_refs(struct reader_rule *rr, uint32_t n, struct ref *out, size_t *count)
{
	struct doc *d = rr->d;
	bool one = d->j.node[n].type == JSON_STRING;
	uint32_t i = one ? n : n + 1, end = d->j.node[n].next;
	enum status st = ST_OK;

	if (!one && (d->j.node[n].type != JSON_ARRAY ||
			d->j.node[n].count > RULE_REFS_MAX))
		return doc_refuse(d, n, "应为字段或字段数组", "must be fields");
	for (; i < end && st == ST_OK; i = d->j.node[i].next)
		st =
		    ref_compile(&out[(*count)++], d, i, &rr->scope, TYPES_TIME);
	return st;
}

static enum status
read_stages(struct reader_rule *rr, uint32_t n, struct rule_timer *t)
{
	struct doc *d = rr->d;
	uint32_t v = 0;
	struct rule_span s;
	enum status st = doc_member(d, n, "stages", JSON_ARRAY, &v);

	if (st != ST_OK || v == 0)
		return st;
	if (d->j.node[v].count > RULE_STAGES_MAX)
		return doc_refuse(d, v, "过多", "too many");
	for (uint32_t i = v + 1; i < d->j.node[v].next && st == ST_OK;
	     i = d->j.node[i].next) {
		s = (struct rule_span){ .param = NULL };
		st = read_span(rr, i, &s);
		if (st == ST_OK && s.param != NULL)
			st = doc_refuse(d, i, "此处不可用参数",
			    "no parameter can stand here");
		t->stages[t->stage_count++] = s.span;
	}
	return st;
}

static enum status
read_timer(struct reader_rule *rr, uint32_t n, struct rule *r)
{
	static const char *const names[] = { "from", "within", "done", "stop",
		"early", "stages", "stages_after", NULL };
	struct doc *d = rr->d;
	struct rule_timer *t = &r->timer;
	uint32_t v = 0;
	enum status st = doc_only(d, n, names);

	r->has_timer = true;
	v = st == ST_OK ? json_get(&d->j, n, "from") : 0;
	if (st == ST_OK)
		st = v != 0 ? read_refs(rr, v, t->from, &t->from_count)
			    : doc_refuse(d, n, "缺少 from", "no from");
	v = st == ST_OK ? json_get(&d->j, n, "within") : 0;
	if (st == ST_OK)
		st = v != 0 ? read_span(rr, v, &t->within)
			    : doc_refuse(d, n, "缺少 within", "no within");
	v = st == ST_OK ? json_get(&d->j, n, "done") : 0;
	if (v != 0)
		st = read_refs(rr, v, t->done, &t->done_count);
	v = st == ST_OK ? json_get(&d->j, n, "stop") : 0;
	if (v != 0)
		st = cond_compile(&t->stop, d, v, &rr->scope);
	v = st == ST_OK ? json_get(&d->j, n, "early") : 0;
	if (v != 0) {
		t->has_early = true;
		st = read_span(rr, v, &t->early);
	}
	if (st == ST_OK)
		st = read_stages(rr, n, t);
	if (st == ST_OK)
		st = doc_bool(d, n, "stages_after", &t->stages_after);
	if (st == ST_OK && t->done_count == 0 && t->stop == NULL)
		st = doc_refuse(d, n, "须有 done 或 stop",
		    "done or stop must say when it ends");
	return st;
}

static enum status
read_conditions(struct reader_rule *rr, uint32_t n, struct rule *r)
{
	struct doc *d = rr->d;
	uint32_t when = json_get(&d->j, n, "when");
	uint32_t must = json_get(&d->j, n, "must");
	uint32_t timer = json_get(&d->j, n, "timer");
	enum status st = ST_OK;

	if (r->over > OVER_LIST && (must != 0 || timer != 0))
		return doc_refuse(d, n, "集合规则只可有 when",
		    "a rule over a set has only a when");
	if (r->over <= OVER_LIST && (must != 0) == (timer != 0))
		return doc_refuse(d, n, "must 与 timer 须有且只有一个",
		    "needs a must or a timer, and not both");
	if (when != 0)
		st = cond_compile(&r->when, d, when, &rr->scope);
	if (st == ST_OK && must != 0)
		st = cond_compile(&r->must, d, must, &rr->scope);
	if (st == ST_OK && timer != 0)
		st = read_timer(rr, timer, r);
	return st;
}

/* {"zh":…,"en":…}, every {name} in them known. */
static enum status
read_say(struct reader_rule *rr, uint32_t n, const char *name, bool want,
    const struct rule *r, const char **zh, const char **en)
{
	static const char *const names[] = { "zh", "en", NULL };
	struct doc *d = rr->d;
	uint32_t v = 0;
	enum status st = doc_member(d, n, name, JSON_OBJECT, &v);

	*zh = *en = "";
	if (st != ST_OK)
		return st;
	if ((v != 0) != want)
		return doc_refuse_text(d, n,
		    want ? "缺少文字" : "没有计时的规则不可有",
		    want ? "words missing" : "only a timer has",
		    bytes_str(name));
	if (v == 0)
		return ST_OK;
	st = doc_only(d, v, names);
	if (st == ST_OK)
		st = doc_text(d, v, "zh", TEXT_MAX, NULL, zh);
	if (st == ST_OK)
		st = doc_text(d, v, "en", TEXT_MAX, NULL, en);
	if (st == ST_OK)
		st = rule_template_ok(d, v, r, &rr->scope, *zh);
	if (st == ST_OK)
		st = rule_template_ok(d, v, r, &rr->scope, *en);
	return st;
}

static enum status
read_severity(struct doc *d, uint32_t n, struct rule *r)
{
	const char *name;
	enum status st = doc_text(d, n, "severity", TEXT_MAX, NULL, &name);

	if (st != ST_OK)
		return st;
	for (int i = RULES_NOTICE; i <= RULES_GRAVE; i++) {
		if (strcmp(severities[i], name) == 0) {
			r->severity = (enum rules_severity)i;
			return ST_OK;
		}
	}
	return doc_refuse_text(d, n,
	    "severity 应为 notice、due、warning、grave",
	    "severity must be notice, due, warning or grave", bytes_str(name));
}

static enum status
read_names(struct doc *d, uint32_t n, struct rule *r)
{
	static const char *const names[] = { "id", "version", "kinds", "zh",
		"en", "severity", "mark", "local", "law", "from", "to",
		"params", "each", "at", "when", "must", "timer", "film", "say",
		"due", NULL };
	int64_t version = 0;
	enum status st = doc_only(d, n, names);

	if (st == ST_OK)
		st = doc_text(d, n, "id", WORD_BYTES_MAX, NULL, &r->id);
	if (st == ST_OK)
		st = doc_int(d, n, "version", 1, 999999, &version);
	if (st == ST_OK)
		st = doc_text(d, n, "zh", TEXT_MAX, NULL, &r->zh);
	if (st == ST_OK)
		st = doc_text(d, n, "en", TEXT_MAX, NULL, &r->en);
	if (st == ST_OK)
		st = doc_text(d, n, "mark", TEXT_MAX, NULL, &r->mark);
	if (st == ST_OK)
		st = doc_bool(d, n, "local", &r->local);
	if (st == ST_OK)
		st = doc_text(d, n, "at", PATH_BYTES_MAX, "", &r->at);
	if (st == ST_OK)
		st = read_severity(d, n, r);
	if (st == ST_OK)
		st = read_day(d, n, "from", INT64_MIN, &r->from, &r->from_text);
	if (st == ST_OK)
		st = read_day(d, n, "to", INT64_MAX, &r->to, &r->to_text);
	if (st != ST_OK)
		return st;
	r->version = (uint32_t)version;
	r->on = !r->local;
	if (!path_is_word(bytes_str(r->id)) || version == 0)
		return doc_refuse(d, n, "id 或 version 不合格",
		    "not a good id, or no version");
	if (r->from > r->to)
		return doc_refuse(d, n, "from 晚于 to", "from is after to");
	return ST_OK;
}

/* A digest of what decides in a rule, but for its parameters' values. */
static enum status
write_shape(struct doc *d, uint32_t n, struct rule *r)
{
	static const char *const names[] = { "kinds", "each", "at", "when",
		"must", "timer", "film" };
	struct buf b;
	enum status st;

	buf_init(&b, DOC_BYTES_MAX);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint32_t v = json_get(&d->j, n, names[i]);

		if (v != 0)
			json_canon(&d->j, v, &b);
		buf_u8(&b, '\n');
	}
	st = b.err;
	if (st == ST_OK)
		sha256(r->shape, buf_view(&b));
	buf_free(&b);
	return st;
}

static enum status
read_rule(const struct rules *rs, const struct kinds *ks, struct doc *d,
    uint32_t n, struct rule *r)
{
	struct reader_rule rr = { .d = d, .rs = rs };
	enum status st = read_names(d, n, r);

	rr.scope.facts_used = &r->facts;
	rr.scope.facts = rs->facts;
	rr.scope.fact_count = rs->fact_count;
	if (st == ST_OK)
		st = read_kinds(&rr, ks, n, r);
	if (st == ST_OK)
		st = read_over(&rr, n, r);
	if (st == ST_OK)
		st = params_read(d, json_get(&d->j, n, "params"), &r->params,
		    &r->param_count);
	rr.scope.params = r->params;
	rr.scope.param_count = r->param_count;
	if (st == ST_OK)
		st = read_rule_laws(&rr, n, r);
	if (st == ST_OK)
		st = check_at(&rr, n, r);
	if (st == ST_OK)
		st = rule_read_film(d, n, rr.kinds, r);
	if (st == ST_OK)
		st = read_conditions(&rr, n, r);
	if (st == ST_OK)
		st = read_say(&rr, n, "say", true, r, &r->say_zh, &r->say_en);
	if (st == ST_OK)
		st = read_say(
		    &rr, n, "due", r->has_timer, r, &r->due_zh, &r->due_en);
	if (st == ST_OK)
		sha256(r->sha256, json_raw(&d->j, n));
	return st == ST_OK ? write_shape(d, n, r) : st;
}

static enum status
read_rules(struct rule_file *f, const struct rules *rs, const struct kinds *ks,
    struct doc *d)
{
	uint32_t v = 0;
	enum status st = doc_member(d, 0, "rules", JSON_ARRAY, &v);

	if (st != ST_OK || v == 0)
		return st;
	if (d->j.node[v].count > RULES_MAX)
		return doc_refuse(d, v, "规则过多", "too many rules");
	f->rules = pool_get(d->pool, d->j.node[v].count, sizeof(*f->rules));
	if (f->rules == NULL)
		return ST_NOMEM;
	for (uint32_t i = v + 1; i < d->j.node[v].next && st == ST_OK;
	     i = d->j.node[i].next)
		st = read_rule(rs, ks, d, i, &f->rules[f->rule_count++]);
	return st;
}

enum status
rule_file_read(struct rule_file *f, struct rules *rs, const struct kinds *ks,
    const char *name, struct bytes file, bool all)
{
	static const char *const names[] = { "laws", "case", "tables", "facts",
		"calendar", "rules", NULL };
	struct doc d;
	enum status st = doc_open(&d, name, file, &f->pool, &rs->why);

	if (st == ST_OK)
		st = doc_only(&d, 0, names);
	if (st == ST_OK)
		st = rules_read_tables(rs, ks, &d);
	if (st == ST_OK)
		st = rules_read_laws(rs, &d);
	if (st == ST_OK)
		st = rules_read_calendar(rs, &d);
	if (st == ST_OK && all)
		st = read_rules(f, rs, ks, &d);
	doc_close(&d);
	return st;
}
