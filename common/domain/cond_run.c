/*
 * Running a compiled condition, and its loops over items.
 */
#include <assert.h>

#include "domain/cond_priv.h"

/* A run over items. */
struct loop {
	size_t at, end;     /* places in st->items */
	struct bytes outer; /* the item in whose terms the loop stands */
	size_t begin;       /* the place of LOOP */
	bool running;
	size_t yes, torn, hidden, all;
	int64_t lo, hi; /* SUM */
};

static bool
in_loop(const struct atom *a, const struct cond_view *v, size_t i)
{
	return v->st->items[i].is != STATE_OUT &&
	       bytes_eq_str(v->st->items[i].list, a->path);
}

/* Go to the next item of the loop; false past the last. */
static bool
loop_next(const struct atom *a, struct loop *l, struct cond_view *v)
{
	while (l->at < l->end && !in_loop(a, v, l->at))
		l->at++;
	if (l->at == l->end)
		return false;
	v->item = v->st->items[l->at++].path;
	return true;
}

static void
loop_begin(const struct atom *a, struct loop *l, struct cond_view *v)
{
	struct state_value value;
	const struct state_item *it;

	*l = (struct loop){ .outer = v->item };
	if (a->op != LOOP_REF) {
		state_items(v->st, bytes_str(a->path), &l->at, &l->end);
		return;
	}
	/* The one item that the field names, as it is shown first. */
	if (!ref_value(&a->a, v, 0, &value))
		return;
	l->hidden = value.withheld;
	it = state_item(v->st, value.text);
	if (it != NULL) {
		l->at = (size_t)(it - v->st->items);
		l->end = l->at + 1;
	}
}

/* What the field of one counted item adds to the sum. */
static void
loop_sum(
    const struct atom *a, struct loop *l, struct cond_view *v, enum truth t)
{
	int64_t x, lo = 0, hi = 0;
	enum truth is;

	for (size_t i = 0; i < KEPT_MAX && cond_number_at(&a->a, v, i, &x, &is);
	     i++) {
		l->hidden += is == TRUTH_WITHHELD;
		if (is != TRUTH_TRUE)
			x = 0;
		lo = i == 0 || x < lo ? x : lo;
		hi = i == 0 || x > hi ? x : hi;
	}
	if (t == TRUTH_TORN) {
		lo = lo < 0 ? lo : 0;
		hi = hi > 0 ? hi : 0;
	}
	l->lo = num_add(l->lo, lo);
	l->hi = num_add(l->hi, hi);
}

static void
loop_take(
    const struct atom *a, struct loop *l, struct cond_view *v, enum truth t)
{
	l->all++;
	l->yes += t == TRUTH_TRUE;
	l->torn += t == TRUTH_TORN;
	l->hidden += t == TRUTH_WITHHELD;
	if (a->op == LOOP_SUM && (t == TRUTH_TRUE || t == TRUTH_TORN))
		loop_sum(a, l, v, t);
}

/* Between the least and the most it can be. */
static enum truth
between(const struct atom *a, struct loop *l, struct cond_view *v, int64_t lo,
    int64_t hi)
{
	enum truth t = cond_compare(lo, a->cmp, &a->than, v);

	if (l->hidden > 0)
		return TRUTH_WITHHELD;
	if (lo != hi && cond_compare(hi, a->cmp, &a->than, v) != t)
		return t == TRUTH_WITHHELD ? t : TRUTH_TORN;
	return t;
}

static enum truth
loop_end(const struct atom *a, struct loop *l, struct cond_view *v)
{
	size_t no = l->all - l->yes - l->torn - l->hidden;

	switch (a->op) {
	case LOOP_COUNT:
		return between(a, l, v, (int64_t)l->yes * NUM_ONE,
		    (int64_t)(l->yes + l->torn) * NUM_ONE);
	case LOOP_SUM:
		return between(a, l, v, l->lo, l->hi);
	case LOOP_EVERY:
		if (no > 0)
			return TRUTH_FALSE;
		break;
	default: /* SOME, REF */
		if (l->yes > 0)
			return TRUTH_TRUE;
		if (l->hidden == 0 && l->torn == 0)
			return TRUTH_FALSE;
		break;
	}
	return l->hidden > 0 ? TRUTH_WITHHELD
	       : l->torn > 0 ? TRUTH_TORN
			     : TRUTH_TRUE;
}

/* Take `count` truths from the stack and put the one they make. */
static void
combine(enum truth *stack, size_t *top, const struct step *s)
{
	enum truth t = stack[--*top];

	if (s->op == STEP_NOT)
		t = truth_not(t);
	for (uint16_t i = 1; i < s->count; i++) {
		enum truth u = stack[--*top];

		t = s->op == STEP_ALL ? truth_and(t, u) : truth_or(t, u);
	}
	stack[(*top)++] = t;
}

/* The end of a loop's steps: the next item, or the loop's own truth.  False:
 * go on with the body. */
static bool
loop_step(const struct step *s, struct loop *l, struct cond_view *v,
    enum truth *stack, size_t *top)
{
	if (l->running) {
		enum truth t = s->count > 0 ? stack[--*top] : TRUTH_TRUE;

		loop_take(s->atom, l, v, t);
		l->running = loop_next(s->atom, l, v);
		if (l->running)
			return false;
	}
	v->item = l->outer;
	stack[(*top)++] = loop_end(s->atom, l, v);
	return true;
}

enum truth
cond_judge(const struct cond *c, struct cond_view *v)
{
	enum truth stack[COND_STEPS_MAX] = { TRUTH_FALSE };
	struct loop l = { .at = 0 };
	size_t top = 0;

	for (size_t i = 0; i < c->count; i++) {
		const struct step *s = &c->steps[i];

		if (s->op == STEP_ATOM) {
			stack[top++] = cond_judge_atom(s->atom, v);
		} else if (s->op == STEP_LOOP) {
			loop_begin(s->atom, &l, v);
			l.begin = i;
			l.running = loop_next(s->atom, &l, v);
			if (!l.running)
				i = (size_t)s->end - 1; /* END is next */
		} else if (s->op == STEP_END) {
			if (!loop_step(s, &l, v, stack, &top))
				i = l.begin;
		} else {
			combine(stack, &top, s);
		}
	}
	assert(top == 1);
	return stack[0];
}
