/*
 * A finding's words: templates with {names} filled in, and paths as people
 * read them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "domain/rules_priv.h"
#include "entry/path.h"

enum { ITEM_TAIL = 2 + 2 * ID_LEN /* "/@" and an id */ };

/* Names that every template may use. */
static const char *const fixed[] = { "at", "what", "since", "due", "count" };

static bool
is_fixed(struct bytes name)
{
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		if (bytes_eq_str(name, fixed[i]))
			return true;
	}
	return false;
}

/* The next {name} at or behind *p; *p goes behind it.  *text is what stands
 * before it.  False: none is left, *text is the rest. */
static bool
next_name(const char **p, struct bytes *text, struct bytes *name)
{
	const char *open = strchr(*p, '{');
	const char *close = open != NULL ? strchr(open, '}') : NULL;

	if (close == NULL) {
		*text = bytes_str(*p);
		*p += text->len;
		return false;
	}
	*text = bytes_of(*p, (size_t)(open - *p));
	*name = bytes_of(open + 1, (size_t)(close - open - 1));
	*p = close + 1;
	return true;
}

static const struct param *
param_named(const struct rule *r, struct bytes name)
{
	for (size_t i = 0; i < r->param_count; i++) {
		if (bytes_eq_str(name, r->params[i].name))
			return &r->params[i];
	}
	return NULL;
}

enum status
rule_template_ok(struct doc *d, uint32_t n, const struct rule *r,
    const struct cond_scope *s, const char *text)
{
	struct bytes before, name;
	bool found;

	while (next_name(&text, &before, &name)) {
		found = is_fixed(name) || param_named(r, name) != NULL;
		for (size_t i = 0; i < s->kind_count && !found; i++) {
			const struct kind *k = s->kinds[i];
			const struct kind_list *l =
			    s->list != NULL ? kind_list(k, bytes_str(s->list))
					    : NULL;

			found = kind_list_field(k, l, name) != NULL;
		}
		if (!found)
			return doc_refuse_text(d, n, "文字中的名称不明",
			    "unknown name in the words", name);
	}
	return ST_OK;
}

/* ---- paths */

static void
put(struct buf *out, bool zh, const char *c, const char *e)
{
	buf_str(out, zh ? c : e);
}

static void
act_words(const struct check *c, struct bytes id, bool zh, struct buf *out)
{
	static const struct {
		const char *verb, *zh, *en;
	} names[] = {
		{ "sign", "签名", "signature" },
		{ "advance", "状态变更", "change of status" },
		{ "amend", "更正", "amendment" },
		{ "attach", "附件", "attachment" },
		{ "approve", "审批", "approval" },
		{ "note", "备注", "note" },
		{ "void", "作废", "void" },
	};
	const struct state_act *act = NULL;
	struct when at;
	char time[32];

	for (size_t i = 0; i < c->st->act_count; i++) {
		if (bytes_eq(c->st->acts[i].id, id))
			act = &c->st->acts[i];
	}
	if (act == NULL) {
		put(out, zh, "条目 ", "entry ");
		buf_bytes(out, bytes_of(id.p, id.len < 8 ? id.len : 8));
		return;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (bytes_eq_str(act->verb, names[i].verb))
			put(out, zh, names[i].zh, names[i].en);
	}
	if (when_read(&at, act->at, c->cx->offset_min)) {
		when_show(time, &at, c->cx->offset_min);
		buf_printf(out, zh ? "（%s）" : " (%s)", time);
	}
}

/* The item that `path` is or lies in: 清单第3项.  Gives its length, 0 if none.
 */
static size_t
item_words(const struct check *c, struct bytes path, bool zh, struct buf *out)
{
	const uint8_t *at = path.len > 0 ? memchr(path.p, '@', path.len) : NULL;
	size_t len;
	const struct kind_list *l;
	const struct state_item *it;

	if (at == NULL || at == path.p)
		return 0;
	len = (size_t)(at - path.p) - 1 + ITEM_TAIL;
	if (len > path.len)
		return 0;
	l = kind_list(c->kind, bytes_of(path.p, len - ITEM_TAIL));
	it = state_item(c->st, bytes_of(path.p, len));
	if (l != NULL)
		put(out, zh, l->zh, l->en);
	else
		buf_bytes(out, bytes_of(path.p, len - ITEM_TAIL));
	if (it != NULL && it->n > 0)
		buf_printf(out, zh ? "第%u项" : " %u", it->n);
	return len;
}

static void
name_words(const struct check *c, struct bytes path, bool zh, struct buf *out)
{
	const struct kind *k = c->kind;
	const struct kind_field *f = kind_field(k, path);
	const struct kind_list *l = kind_list(k, path);

	if (f != NULL) {
		put(out, zh, f->zh, f->en);
		return;
	}
	if (l != NULL) {
		put(out, zh, l->zh, l->en);
		return;
	}
	for (size_t i = 0; i < k->group_count; i++) {
		if (k->groups[i].list == NULL &&
		    bytes_eq_str(path, k->groups[i].path)) {
			put(out, zh, k->groups[i].zh, k->groups[i].en);
			return;
		}
	}
	if (bytes_eq_str(path, "status"))
		put(out, zh, "状态", "status");
	else if (bytes_eq_str(path, "links"))
		put(out, zh, "关联", "links");
	else
		buf_bytes(out, path);
}

void
check_path_words(
    const struct check *c, struct bytes path, bool zh, struct buf *out)
{
	const struct kind_field *f;
	size_t item;

	if (path.len == 0) {
		put(out, zh, c->kind->zh, c->kind->en);
		return;
	}
	if (path.p[0] == '@') {
		act_words(c, bytes_of(path.p + 1, path.len - 1), zh, out);
		return;
	}
	item = item_words(c, path, zh, out);
	if (item == 0) {
		name_words(c, path, zh, out);
	} else if (item < path.len) {
		f = kind_field(c->kind, path);
		buf_str(out, " · ");
		if (f != NULL)
			put(out, zh, f->zh, f->en);
		else
			buf_bytes(out,
			    bytes_of(path.p + item + 1, path.len - item - 1));
	}
}

/* ---- templates */

static void
put_when(const struct check *c, const struct when *w, struct buf *out)
{
	char text[32];

	when_show(text, w, c->cx->offset_min);
	buf_str(out, text);
}

/* A field's value, in the terms of the rule. */
static void
put_field(struct check *c, struct bytes name, bool zh, struct buf *out)
{
	char text[PATH_BYTES_MAX + 1];
	struct ref r = { .sort = REF_SELF, .text = text };
	struct state_value v;
	const struct kind_field *f;
	uint8_t path[256];

	if (name.len > PATH_BYTES_MAX)
		return;
	memcpy(text, name.p, name.len);
	text[name.len] = '\0';
	f = kind_field(c->kind, ref_path(&r, &c->view, path));
	if (f == NULL || !ref_value(&r, &c->view, 0, &v))
		put(out, zh, "（未填）", "(not given)");
	else
		kind_show(f, v.json, zh, out);
}

static void
put_name(struct check *c, const struct rule *r, const struct found *f,
    struct bytes name, bool zh, struct buf *out)
{
	const struct param *p = param_named(r, name);
	char text[64];
	struct when due;

	if (p != NULL && p->type == PARAM_PATH) {
		check_path_words(c, bytes_str(p->value.path), zh, out);
	} else if (p != NULL) {
		param_show(text, p, zh);
		buf_str(out, text);
	} else if (bytes_eq_str(name, "at")) {
		check_path_words(c, f->path, zh, out);
	} else if (bytes_eq_str(name, "what")) {
		put(out, zh, f->what_zh, f->what_en);
	} else if (bytes_eq_str(name, "count")) {
		buf_printf(out, "%zu", f->count);
	} else if (bytes_eq_str(name, "due")) {
		due = when_of_ms(f->due_ms, c->cx->offset_min);
		put_when(c, &due, out);
	} else if (bytes_eq_str(name, "since")) {
		if (f->since != NULL)
			put_when(c, f->since, out);
	} else {
		put_field(c, name, zh, out);
	}
}

static void
fill(struct check *c, const struct rule *r, const struct found *f,
    const char *text, bool zh, struct buf *out)
{
	struct bytes before, name;

	while (next_name(&text, &before, &name)) {
		buf_bytes(out, before);
		put_name(c, r, f, name, zh, out);
	}
	buf_bytes(out, before);
}

/* ---- the finding */

static enum status
reserve(struct findings *out)
{
	size_t cap = out->cap == 0 ? 16 : 2 * out->cap;
	struct finding *list;
	uint32_t(*at)[4];

	if (out->count < out->cap)
		return ST_OK;
	if (out->count >= FINDINGS_MAX)
		return ST_LIMIT;
	list = realloc(out->list, cap * sizeof(*list));
	if (list == NULL)
		return ST_NOMEM;
	out->list = list;
	at = realloc(out->at, cap * sizeof(*at));
	if (at == NULL)
		return ST_NOMEM;
	out->at = at;
	out->cap = cap;
	return ST_OK;
}

/* Which text of the law stood then. */
static const struct rule_law *
law_of(const struct rule *r, int64_t day)
{
	for (size_t i = 0; i < r->law_count; i++) {
		if (day >= r->laws[i].from && day <= r->laws[i].to)
			return &r->laws[i];
	}
	return &r->laws[0];
}

/* ---- when it is to be answered (docs/FINDINGS.md) */

/* Where a rule has no parameter `answer` of its own. */
static bool
answer_span(const struct rule *r, enum rules_severity severity, struct span *s)
{
	for (size_t i = 0; i < r->param_count; i++) {
		if (strcmp(r->params[i].name, "answer") == 0 &&
		    r->params[i].type == PARAM_SPAN) {
			*s = r->params[i].value.span;
			return true;
		}
	}
	*s = (struct span){ severity == RULES_GRAVE ? 3 : 10, SPAN_DAY };
	return severity == RULES_GRAVE || severity == RULES_WARNING;
}

static void
set_answer(struct check *c, const struct rule *r, struct finding *f)
{
	struct when from = when_of_ms(c->ms, c->cx->offset_min);
	struct span s, more;

	f->has_answer = answer_span(r, f->severity, &s);
	for (int k = 1; f->has_answer && k <= 3; k++) {
		struct when due;
		int64_t ms;

		more = (struct span){ s.n * k, s.unit };
		due = when_add(&from, more, 1, c->cx->offset_min);
		ms = when_last_ms(&due);
		if (k == 1)
			f->answer_ms = ms;
		if (c->cx->now_ms > ms)
			f->late = (uint32_t)k;
		else if (ms + 1 < c->view.next_ms)
			c->view.next_ms = ms + 1;
	}
}

enum status
check_add(struct check *c, const struct rule *r, const struct found *f)
{
	struct findings *out = c->out;
	struct buf *text = &out->text;
	const struct rule_law *law = law_of(r, c->day);
	enum status st = reserve(out);
	uint32_t *at;

	if (st != ST_OK)
		return st;
	at = out->at[out->count];
	at[0] = (uint32_t)text->len;
	buf_str(text, r->id);
	buf_u8(text, ':');
	at[1] = (uint32_t)text->len;
	buf_bytes(text, f->path);
	buf_u8(text, 0);
	at[2] = (uint32_t)text->len;
	fill(c, r, f, f->pending ? r->due_zh : r->say_zh, true, text);
	buf_u8(text, 0);
	at[3] = (uint32_t)text->len;
	fill(c, r, f, f->pending ? r->due_en : r->say_en, false, text);
	buf_u8(text, 0);
	out->list[out->count++] = (struct finding){
		.rule = r->id,
		.version = r->version,
		.severity = f->pending ? RULES_DUE : r->severity,
		.doubt = f->doubt,
		.has_due = f->has_due,
		.due_ms = f->due_ms,
		.running = f->running,
		.clock = f->clock,
		.left_ms = f->running ? f->due_ms - f->now_ms : 0,
		.stage = f->stage,
		.law_zh = law->law->zh,
		.law_en = law->law->en,
		.article = law->article,
		.params = r->params_json,
	};
	set_answer(c, r, &out->list[out->count - 1]);
	return text->err;
}
