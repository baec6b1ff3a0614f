#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/limits.h"
#include "domain/life.h"
#include "domain/rules_priv.h"
#include "entry/entry.h"
#include "entry/json.h"

enum { FINDINGS_BYTES_MAX = 8 << 20, DAY_MS = 24 * 60 * 60 * 1000 };

void
findings_init(struct findings *f)
{
	*f = (struct findings){ .next_ms = INT64_MAX };
	buf_init(&f->text, FINDINGS_BYTES_MAX);
}

void
findings_free(struct findings *f)
{
	free(f->list);
	free(f->at);
	buf_free(&f->text);
	findings_init(f);
}

static void
lower_next(struct check *c, int64_t ms)
{
	if (ms > c->view.now_ms && ms < c->view.next_ms)
		c->view.next_ms = ms;
}

/* The path of what a rule is about, in the terms of the item whose turn it
 * is. */
static struct bytes
place_of(const struct check *c, const struct rule *r, uint8_t out[256])
{
	struct ref ref = { .sort = REF_SELF, .text = r->at };

	if (r->at[0] == '\0')
		return c->view.item;
	return ref_path(&ref, &c->view, out);
}

/* ---- timers */

/* The value shown first of the first reference that has one.  *doubt: there
 * are others.  TRUE, FALSE (none), WITHHELD. */
static enum truth
first_time(struct check *c, const struct ref *refs, size_t count,
    struct when *out, bool *doubt)
{
	for (size_t i = 0; i < count; i++) {
		struct when other;
		enum truth is, more;

		if (!ref_when(&refs[i], &c->view, 0, out, &is))
			continue;
		if (is == TRUTH_FALSE)
			continue;
		if (is == TRUTH_TRUE && refs[i].sort != REF_NOW &&
		    ref_when(&refs[i], &c->view, 1, &other, &more))
			*doubt = true;
		return is;
	}
	return TRUTH_FALSE;
}

static struct span
span_of(const struct rule_span *s)
{
	return s->param != NULL ? s->param->value.span : s->span;
}

/* How many steps of escalation have passed; watch for the next. */
static uint32_t
stage_of(struct check *c, const struct rule_timer *t, const struct when *from,
    const struct when *due)
{
	uint32_t stage = 0;

	for (size_t i = 0; i < t->stage_count; i++) {
		struct when mark =
		    t->stages_after
			? when_add(from, t->stages[i], 1, c->cx->offset_min)
			: when_add(due, t->stages[i], -1, c->cx->offset_min);

		if (c->view.now_ms >= mark.ms)
			stage++;
		else
			lower_next(c, mark.ms);
	}
	return stage;
}

/* What runs has not been done: pending, or overdue. */
static enum status
run_timer(struct check *c, const struct rule *r, struct found *f,
    const struct when *from, const struct when *due)
{
	const struct rule_timer *t = &r->timer;
	struct when begin = *due;
	enum truth stop = TRUTH_FALSE;

	if (t->stop != NULL)
		stop = cond_judge(t->stop, &c->view);
	if (stop == TRUTH_TRUE || stop == TRUTH_WITHHELD)
		return ST_OK;
	f->doubt = f->doubt || stop == TRUTH_TORN;
	f->has_due = f->running = true;
	f->due_ms = when_last_ms(due);
	f->now_ms = c->view.now_ms;
	f->pending = c->view.now_ms <= f->due_ms;
	lower_next(c, f->due_ms + 1);
	if (t->has_early)
		begin =
		    when_add(due, span_of(&t->early), -1, c->cx->offset_min);
	if (t->has_early && c->view.now_ms < begin.ms) {
		lower_next(c, begin.ms);
		return ST_OK;
	}
	f->stage = stage_of(c, t, from, due) + !f->pending;
	return check_add(c, r, f);
}

/* The entry that the timer's beginning came from; NULL: not known here. */
static const struct rules_entry *
entry_of_from(const struct check *c, const struct rule_timer *t)
{
	struct state_value v;
	uint8_t id[ID_LEN];

	for (size_t i = 0; i < t->from_count; i++) {
		if (t->from[i].sort == REF_NOW ||
		    !ref_value(&t->from[i], &c->view, 0, &v) || v.null)
			continue;
		if (hex_decode(id, ID_LEN, v.id) != ST_OK)
			return NULL;
		for (size_t k = 0; k < c->cx->entry_count; k++) {
			if (memcmp(c->cx->entries[k].id, id, ID_LEN) == 0)
				return &c->cx->entries[k];
		}
		return NULL;
	}
	return NULL;
}

static bool
is_near(int64_t a, int64_t b)
{
	return a - b <= DAY_MS && b - a <= DAY_MS;
}

/*
 * What time it is for a timer that began at `from` (docs/KINDS.md, "Timers on
 * a handheld").  In the boot in which that was entered, time since boot is
 * sure, and the clock of that moment is the frame in which `from` was written;
 * unless `from` shows that the clock was far off then, and is right now.
 */
static int64_t
timer_now(const struct check *c, const struct rule_timer *t,
    const struct when *from, bool *clock)
{
	const struct rules_context *cx = c->cx;
	const struct rules_entry *e = entry_of_from(c, t);
	int64_t wall, passed;

	*clock = cx->unsure;
	if (e == NULL || !cx->has_boot ||
	    memcmp(e->boot, cx->boot, BOOT_LEN) != 0 ||
	    cx->mono_ms < e->mono_ms)
		return cx->now_ms;
	wall = (int64_t)e->wall_ms;
	passed = (int64_t)(cx->mono_ms - e->mono_ms);
	if (!is_near(wall, from->ms) &&
	    (is_near(cx->now_ms - passed, from->ms) || !cx->unsure))
		return cx->now_ms;
	*clock = false;
	return wall + passed;
}

/* It began at `from`. */
static enum status
judge_begun(struct check *c, const struct rule *r, struct found *f,
    const struct when *from)
{
	const struct rule_timer *t = &r->timer;
	int64_t now = c->view.now_ms;
	struct when done, due;
	enum status st;
	enum truth is;

	due = when_add(from, span_of(&t->within), 1, c->cx->offset_min);
	is = first_time(c, t->done, t->done_count, &done, &f->doubt);
	if (is == TRUTH_WITHHELD)
		return ST_OK;
	if (is == TRUTH_FALSE) {
		c->view.now_ms = timer_now(c, t, from, &f->clock);
		st = run_timer(c, r, f, from, &due);
		c->view.now_ms = now;
		return st;
	}
	if (when_cmp(&done, &due) <= 0)
		return ST_OK;
	/* Done, but late: that stays. */
	f->has_due = true;
	f->due_ms = when_last_ms(&due);
	return check_add(c, r, f);
}

static enum status
judge_timer(struct check *c, const struct rule *r, struct found *f)
{
	const struct rule_timer *t = &r->timer;
	struct when from;
	enum status st;

	if (first_time(c, t->from, t->from_count, &from, &f->doubt) !=
	    TRUTH_TRUE)
		return ST_OK;
	f->since = &from;
	st = judge_begun(c, r, f, &from);
	f->since = NULL;
	return st;
}

/* ---- one rule */

static enum status
judge_once(struct check *c, const struct rule *r)
{
	struct found f = { .what_zh = "", .what_en = "" };
	uint8_t path[256];
	enum truth t = TRUTH_TRUE;

	if (r->when != NULL)
		t = cond_judge(r->when, &c->view);
	if (t == TRUTH_FALSE || t == TRUTH_WITHHELD)
		return ST_OK;
	f.path = place_of(c, r, path);
	if (r->has_timer) {
		f.doubt = t == TRUTH_TORN;
		return judge_timer(c, r, &f);
	}
	t = truth_and(t, truth_not(cond_judge(r->must, &c->view)));
	if (t == TRUTH_FALSE || t == TRUTH_WITHHELD)
		return ST_OK;
	f.doubt = t == TRUTH_TORN;
	return check_add(c, r, &f);
}

static enum status
judge_items(struct check *c, const struct rule *r)
{
	size_t i, end;
	enum status st = ST_OK;

	state_items(c->st, bytes_str(r->list), &i, &end);
	for (; i < end && st == ST_OK; i++) {
		const struct state_item *it = &c->st->items[i];

		if (it->is == STATE_OUT || !bytes_eq_str(it->list, r->list))
			continue;
		c->view.item = it->path;
		st = judge_once(c, r);
		c->view.item = bytes_of(NULL, 0);
	}
	return st;
}

static enum status
judge_set(struct check *c, const struct rule *r)
{
	enum truth t = TRUTH_TRUE;

	if (r->when != NULL)
		t = cond_judge(r->when, &c->view);
	if (t == TRUTH_FALSE || t == TRUTH_WITHHELD)
		return ST_OK;
	return check_set(c, r);
}

/* The rule is for this kind; with no kinds named, for every kind that the
 * field writes. */
bool
rule_is_for(const struct rule *r, const struct kind *k)
{
	for (size_t i = 0; i < r->kind_count; i++) {
		if (strcmp(r->kinds[i], k->name) == 0)
			return true;
	}
	return r->kind_count == 0 && !k->system;
}

static enum status
judge(struct check *c, const struct rule *r)
{
	if (!r->on || !rule_is_for(r, c->kind) ||
	    !rule_in_force(r, c->day, c->ms))
		return ST_OK;
	if (r->over == OVER_RECORD)
		return judge_once(c, r);
	if (r->over == OVER_LIST)
		return judge_items(c, r);
	return judge_set(c, r);
}

/* ---- the whole record */

/* The day whose rules apply, and the moment: of the field that says when it
 * happened, else of the earliest entry, else now. */
static void
find_day(struct check *c)
{
	struct ref happened = { .sort = REF_RECORD, .text = c->kind->happened };
	struct when w;
	enum truth is;
	int64_t ms = INT64_MAX;

	if (c->kind->happened[0] != '\0' &&
	    ref_when(&happened, &c->view, 0, &w, &is) && is == TRUTH_TRUE) {
		c->day = w.day;
		c->ms = w.ms;
		return;
	}
	for (size_t i = 0; i < c->cx->entry_count; i++) {
		if (c->cx->entries[i].at_ms < ms)
			ms = c->cx->entries[i].at_ms;
	}
	c->ms = ms != INT64_MAX ? ms : c->cx->now_ms;
	c->day = day_of_ms(c->ms, c->cx->offset_min);
}

static int
by_weight(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	return strcmp(x->key, y->key);
}

/* Texts no longer move: point to them. */
static void
settle(struct findings *out)
{
	for (size_t i = 0; i < out->count; i++) {
		const char *text = (const char *)out->text.p;

		out->list[i].key = text + out->at[i][0];
		out->list[i].path = text + out->at[i][1];
		out->list[i].zh = text + out->at[i][2];
		out->list[i].en = text + out->at[i][3];
	}
	if (out->count > 1)
		qsort(out->list, out->count, sizeof(*out->list), by_weight);
}

enum status
rules_check(struct findings *out, const struct rules *rs, const struct kind *k,
    const struct state *st, const struct rules_context *cx)
{
	struct check c = {
		.out = out, .rs = rs, .kind = k, .st = st, .cx = cx
	};
	enum status rc = ST_OK;

	out->count = 0;
	out->next_ms = INT64_MAX;
	buf_reset(&out->text);
	buf_init(&c.scratch, 2 * ENTRY_BYTES_MAX);
	c.view = (struct cond_view){ .st = st,
		.kind = k,
		.facts = cx->facts,
		.fact_count = cx->fact_count,
		.now_ms = cx->now_ms,
		.offset_min = cx->offset_min,
		.next_ms = INT64_MAX };
	find_day(&c);
	rs = c.rs = rules_of_time(rs, c.day, c.ms);
	for (size_t i = 0; i < rs->count && rc == ST_OK; i++)
		rc = judge(&c, rs->list[i]);
	buf_free(&c.scratch);
	if (rc != ST_OK) {
		out->count = 0;
		return rc;
	}
	settle(out);
	out->next_ms = c.view.next_ms;
	return ST_OK;
}

static void
put_finding(const struct finding *f, const struct life *l,
    const struct state *st, int offset_min, struct buf *out)
{
	char due[32];

	buf_str(out, "{\"article\":");
	json_put_str(out, f->article);
	buf_str(out, f->clock ? ",\"clock\":true" : ",\"clock\":false");
	buf_str(out, f->doubt ? ",\"doubt\":true,\"due\":"
			      : ",\"doubt\":false,\"due\":");
	if (f->has_due && f->due_ms >= 0) {
		at_format(due, (uint64_t)f->due_ms, offset_min);
		json_put_str(out, due);
	} else {
		buf_str(out, "null");
	}
	buf_str(out, ",\"en\":");
	json_put_str(out, f->en);
	buf_str(out, ",\"key\":");
	json_put_str(out, f->key);
	buf_str(out, ",\"law\":{\"en\":");
	json_put_str(out, f->law_en);
	buf_str(out, ",\"zh\":");
	json_put_str(out, f->law_zh);
	buf_u8(out, '}');
	if (l != NULL) {
		buf_str(out, ",\"life\":");
		life_json(l, st, offset_min, out);
	}
	buf_str(out, ",\"params\":");
	buf_str(out, f->params);
	buf_str(out, ",\"path\":");
	json_put_str(out, f->path);
	buf_str(out, ",\"rule\":");
	json_put_str(out, f->rule);
	buf_str(out, ",\"severity\":");
	json_put_str(out, rules_severity_name(f->severity));
	buf_str(out, ",\"stage\":");
	buf_dec(out, f->stage);
	buf_str(out, ",\"version\":");
	buf_dec(out, f->version);
	buf_str(out, ",\"zh\":");
	json_put_str(out, f->zh);
	buf_u8(out, '}');
}

void
finding_json(const struct finding *f, int offset_min, struct buf *out)
{
	put_finding(f, NULL, NULL, offset_min, out);
}

void
finding_json_life(const struct life *l, const struct state *st, int offset_min,
    struct buf *out)
{
	size_t rule = 0;

	if (l->f != NULL) {
		put_finding(l->f, l, st, offset_min, out);
		return;
	}
	while (rule < l->key.len && l->key.p[rule] != ':')
		rule++;
	buf_str(out, "{\"key\":");
	json_put_string(out, l->key);
	buf_str(out, ",\"life\":");
	life_json(l, st, offset_min, out);
	buf_str(out, ",\"rule\":");
	json_put_string(out, bytes_of(l->key.p, rule));
	buf_u8(out, '}');
}
