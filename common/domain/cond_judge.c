#include <assert.h>
#include <string.h>

#include "domain/cond_priv.h"
#include "domain/rules.h"
#include "entry/path.h"

enum truth
truth_not(enum truth a)
{
	if (a == TRUTH_TRUE)
		return TRUTH_FALSE;
	return a == TRUTH_FALSE ? TRUTH_TRUE : a;
}

static enum truth
unknown_of(enum truth a, enum truth b)
{
	return a == TRUTH_WITHHELD || b == TRUTH_WITHHELD ? TRUTH_WITHHELD
							  : TRUTH_TORN;
}

enum truth
truth_and(enum truth a, enum truth b)
{
	if (a == TRUTH_FALSE || b == TRUTH_FALSE)
		return TRUTH_FALSE;
	if (a == TRUTH_TRUE && b == TRUTH_TRUE)
		return TRUTH_TRUE;
	return unknown_of(a, b);
}

enum truth
truth_or(enum truth a, enum truth b)
{
	if (a == TRUTH_TRUE || b == TRUTH_TRUE)
		return TRUTH_TRUE;
	if (a == TRUTH_FALSE && b == TRUTH_FALSE)
		return TRUTH_FALSE;
	return unknown_of(a, b);
}

/* What several kept values say together. */
struct tally {
	size_t yes, no, hidden;
};

static void
tally_add(struct tally *t, enum truth a)
{
	t->yes += a == TRUTH_TRUE || a == TRUTH_TORN;
	t->no += a == TRUTH_FALSE || a == TRUTH_TORN;
	t->hidden += a == TRUTH_WITHHELD;
}

static enum truth
tally_end(const struct tally *t)
{
	if (t->hidden > 0)
		return TRUTH_WITHHELD;
	if (t->yes > 0 && t->no > 0)
		return TRUTH_TORN;
	return t->yes > 0 ? TRUTH_TRUE : TRUTH_FALSE;
}

/* Something stands there; that it is withheld does not matter. */
static bool
stands(const struct state_value *v)
{
	return v->withheld || (!v->null && v->text.len > 0);
}

static enum truth
judge_has(const struct atom *a, struct cond_view *v)
{
	struct state_value value;
	struct tally t = { .yes = 0 };

	if (a->a.sort == REF_NOW)
		return TRUTH_TRUE;
	for (size_t i = 0; i < KEPT_MAX && ref_value(&a->a, v, i, &value); i++)
		tally_add(&t, stands(&value) ? TRUTH_TRUE : TRUTH_FALSE);
	return tally_end(&t);
}

static enum truth
judge_is(const struct atom *a, struct cond_view *v)
{
	struct state_value value;
	struct tally t = { .yes = 0 };

	for (size_t i = 0; i < KEPT_MAX && ref_value(&a->a, v, i, &value);
	     i++) {
		enum truth one = TRUTH_FALSE;

		for (size_t k = 0; k < a->word_count; k++) {
			if (bytes_eq_str(value.json, a->words[k]))
				one = TRUTH_TRUE;
		}
		tally_add(&t, value.withheld ? TRUTH_WITHHELD : one);
	}
	return tally_end(&t);
}

/* The number that value i stands for: TRUE, FALSE (none), WITHHELD. */
bool
cond_number_at(const struct ref *r, const struct cond_view *v, size_t i,
    int64_t *out, enum truth *truth)
{
	struct state_value value;

	if (!ref_value(r, v, i, &value))
		return false;
	*truth = value.withheld              ? TRUTH_WITHHELD
		 : num_read(out, value.text) ? TRUTH_TRUE
					     : TRUTH_FALSE;
	return true;
}

/* How `x` compares with the operand: one truth over its kept values. */
enum truth
cond_compare(
    int64_t x, enum num_op op, const struct operand *o, struct cond_view *v)
{
	struct tally t = { .yes = 0 };
	enum truth is;
	int64_t y = o->param != NULL ? o->param->value.num : o->num;

	if (!o->is_ref)
		return num_op_holds(op, x < y ? -1 : x > y) ? TRUTH_TRUE
							    : TRUTH_FALSE;
	for (size_t i = 0;
	     i < KEPT_MAX && cond_number_at(&o->ref, v, i, &y, &is); i++) {
		int64_t percent = o->percent_param != NULL
				      ? o->percent_param->value.num
				      : o->percent;

		if (is == TRUTH_TRUE) {
			if (percent != 0)
				y = num_percent(y, percent);
			y = num_add(y, o->plus);
			if (!num_op_holds(op, x < y ? -1 : x > y))
				is = TRUTH_FALSE;
		}
		tally_add(&t, is);
	}
	return tally_end(&t);
}

static enum truth
judge_num(const struct atom *a, struct cond_view *v)
{
	struct tally t = { .yes = 0 };
	enum truth is;
	int64_t x;

	for (size_t i = 0; i < KEPT_MAX && cond_number_at(&a->a, v, i, &x, &is);
	     i++) {
		if (is == TRUTH_TRUE)
			is = cond_compare(x, a->cmp, &a->than, v);
		tally_add(&t, is);
	}
	return tally_end(&t);
}

static void
lower_next(struct cond_view *v, int64_t ms)
{
	if (ms > v->now_ms && ms < v->next_ms)
		v->next_ms = ms;
}

/* A comparison with now may turn out otherwise at these moments. */
static void
watch(const struct ref *r, struct cond_view *v, const struct when *other)
{
	if (r->sort != REF_NOW)
		return;
	lower_next(v, other->ms);
	lower_next(v, when_last_ms(other) + 1);
}

static enum truth
compare_times(const struct atom *a, struct cond_view *v, const struct when *x,
    const struct when *y)
{
	struct span s =
	    a->span_param != NULL ? a->span_param->value.span : a->span;
	struct when limit = when_add(y, s, 1, v->offset_min);
	struct when back = when_add(x, s, -1, v->offset_min);

	watch(&a->a, v, &limit);
	watch(&a->b, v, &back);
	return num_op_holds(a->cmp, when_cmp(x, &limit)) ? TRUTH_TRUE
							 : TRUTH_FALSE;
}

static enum truth
count_days(const struct atom *a, struct cond_view *v, const struct when *x,
    const struct when *y)
{
	struct when tomorrow = when_of_ms(v->now_ms, v->offset_min);

	if (a->a.sort == REF_NOW || a->b.sort == REF_NOW) {
		tomorrow.is_day = true;
		tomorrow.day++;
		tomorrow.ms =
		    tomorrow.day * 86400000 - (int64_t)v->offset_min * 60000;
		lower_next(v, tomorrow.ms);
	}
	return cond_compare((y->day - x->day) * NUM_ONE, a->cmp, &a->than, v);
}

/* TIME and DAYS: over the kept values of both sides. */
static enum truth
judge_times(const struct atom *a, struct cond_view *v)
{
	struct tally t = { .yes = 0 };
	enum truth ia, ib;
	struct when x, y;

	for (size_t i = 0; i < KEPT_MAX && ref_when(&a->a, v, i, &x, &ia);
	     i++) {
		for (size_t k = 0;
		     k < KEPT_MAX && ref_when(&a->b, v, k, &y, &ib); k++) {
			enum truth is = truth_and(ia, ib);

			if (is == TRUTH_TRUE)
				is = a->op == ATOM_TIME
					 ? compare_times(a, v, &x, &y)
					 : count_days(a, v, &x, &y);
			tally_add(&t, is);
		}
	}
	return tally_end(&t);
}

static enum truth
judge_clock(const struct atom *a, struct cond_view *v)
{
	int from = a->from_param ? a->from_param->value.minute : a->from;
	int to = a->to_param ? a->to_param->value.minute : a->to;
	struct tally t = { .yes = 0 };
	struct when x;
	enum truth is;

	for (size_t i = 0; i < KEPT_MAX && ref_when(&a->a, v, i, &x, &is);
	     i++) {
		int m = is == TRUTH_TRUE ? when_minute(&x) : 0;
		/* A window may run over midnight. */
		bool in =
		    from <= to ? m >= from && m < to : m >= from || m < to;

		tally_add(&t, is == TRUTH_TRUE && !in ? TRUTH_FALSE : is);
	}
	return tally_end(&t);
}

/* The path that an act must name; false if it means an item and there is
 * none. */
static bool
path_of(const struct atom *a, const struct cond_view *v, struct bytes *out)
{
	*out = bytes_str(a->path);
	if (strcmp(a->path, ".") != 0)
		return true;
	*out = v->item;
	return v->item.len > 0;
}

static enum truth
judge_one_act(const struct atom *a, const struct cond_view *v,
    const struct state_act *act)
{
	const struct json *j = &v->st->tape;
	struct bytes path, raw;

	if (act->is == STATE_OUT || !bytes_eq_str(act->verb, a->verb))
		return TRUTH_FALSE;
	if (a->path != NULL &&
	    (!path_of(a, v, &path) || !act_is_on(v->st, act, path)))
		return TRUTH_FALSE;
	if (act->blind && (a->data != NULL || a->names != NULL))
		return TRUTH_WITHHELD;
	if (a->data != NULL) {
		if (act->data == 0 || j->node[act->data].count == 0)
			return TRUTH_FALSE;
		raw = json_raw(j, act->data + 1);
		if (j->node[act->data + 1].type == JSON_STRING)
			raw = bytes_of(raw.p - 1, raw.len + 2);
		if (!bytes_eq_str(raw, a->data))
			return TRUTH_FALSE;
	}
	if (a->names != NULL &&
	    (act->more == 0 || json_get(j, act->more, a->names) == 0))
		return TRUTH_FALSE;
	return TRUTH_TRUE;
}

static enum truth
judge_act(const struct atom *a, struct cond_view *v)
{
	enum truth t = TRUTH_FALSE;

	for (size_t i = 0; i < v->st->act_count && t != TRUTH_TRUE; i++)
		t = truth_or(t, judge_one_act(a, v, &v->st->acts[i]));
	return t;
}

static enum truth
judge_signed(const struct atom *a, struct cond_view *v)
{
	struct bytes who;
	enum truth t = TRUTH_FALSE;

	if (!path_of(a, v, &who))
		return TRUTH_FALSE;
	for (size_t i = 0; i < v->st->act_count && t != TRUTH_TRUE; i++) {
		const struct state_act *act = &v->st->acts[i];

		if (act_signs(v->st, act, who))
			t = TRUTH_TRUE;
		else if (act->blind && act->is != STATE_OUT &&
			 bytes_eq_str(act->verb, "sign"))
			t = TRUTH_WITHHELD;
	}
	return t;
}

/* One of the atom's words is among the words of [[id, word] …]. */
static bool
word_stands(const struct atom *a, const struct json *j, uint32_t n)
{
	for (uint32_t p = n + 1; p < j->node[n].next; p = j->node[p].next) {
		for (size_t k = 0; k < a->word_count; k++) {
			if (json_is(j, p + 2, a->words[k]))
				return true;
		}
	}
	return false;
}

static enum truth
judge_linked(const struct atom *a, struct cond_view *v)
{
	const struct json *j = &v->st->tape;
	uint32_t n = v->st->links;

	for (uint32_t i = n + 1; i < j->node[n].next; i = j->node[i + 1].next) {
		if (word_stands(a, j, i + 1))
			return TRUTH_TRUE;
	}
	return TRUTH_FALSE;
}

/* Concurrent steps: the record is where any of them says. */
static enum truth
judge_status(const struct atom *a, struct cond_view *v)
{
	const struct json *j = &v->st->tape;

	if (j->node[v->st->status].count == 0) {
		for (size_t k = 0; k < a->word_count; k++) {
			if (v->kind->status_count > 0 &&
			    strcmp(a->words[k], v->kind->status[0].id) == 0)
				return TRUTH_TRUE;
		}
		return TRUTH_FALSE;
	}
	return word_stands(a, j, v->st->status) ? TRUTH_TRUE : TRUTH_FALSE;
}

static enum truth
judge_finished(const struct atom *a, struct cond_view *v)
{
	const struct json *j = &v->st->tape;
	uint32_t n = v->st->status;

	(void)a;
	for (uint32_t p = n + 1; p < j->node[n].next; p = j->node[p].next) {
		const struct kind_status *s =
		    kind_status(v->kind, json_raw(j, p + 2));

		if (s != NULL && s->finish)
			return TRUTH_TRUE;
	}
	return TRUTH_FALSE;
}

static enum truth
judge_void(const struct atom *a, struct cond_view *v)
{
	(void)a;
	return v->st->is_void ? TRUTH_TRUE : TRUTH_FALSE;
}

enum truth
cond_judge_atom(const struct atom *a, struct cond_view *v)
{
	static enum truth (*const judges[])(
	    const struct atom *, struct cond_view *) = {
		[ATOM_HAS] = judge_has,
		[ATOM_LACKS] = judge_has,
		[ATOM_IS] = judge_is,
		[ATOM_NUM] = judge_num,
		[ATOM_DAYS] = judge_times,
		[ATOM_TIME] = judge_times,
		[ATOM_CLOCK] = judge_clock,
		[ATOM_ACT] = judge_act,
		[ATOM_SIGNED] = judge_signed,
		[ATOM_LINKED] = judge_linked,
		[ATOM_STATUS] = judge_status,
		[ATOM_FINISHED] = judge_finished,
		[ATOM_VOID] = judge_void,
	};
	enum truth t = judges[a->op](a, v);

	return a->op == ATOM_LACKS ? truth_not(t) : t;
}
