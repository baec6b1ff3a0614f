/*
 * From cells to the fold: what of them lives (C4), how items and acts stand
 * (C6), numbers (C7), and the heads.
 */
#include <string.h>

#include "base/enc.h"
#include "base/sort.h"
#include "entry/merge_impl.h"

enum { STEP_LEN = 1 + 2 * ID_LEN }; /* '@' and an id */

/* ---- what lives */

/* Below so many mentions they are all looked at sooner than fewer are found. */
enum { FEW = 8 };

/* The first mention of a cell that stands at `before` or behind it: the view
 * has none from there on. */
static uint32_t
mentions_before(
    const struct merge_table *t, const struct merge_cell *c, uint32_t before)
{
	uint32_t lo = c->from, hi = c->to;

	while (hi - lo > FEW) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (t->mention[mid].place < before)
			lo = mid + 1;
		else
			hi = mid;
	}
	while (hi > lo && t->mention[hi - 1].place >= before)
		hi--;
	return hi;
}

uint32_t
merge_live(const struct merge *m, struct merge_work *w,
    const struct merge_view *v, const struct merge_table *t,
    const struct merge_cell *c, uint32_t *live)
{
	uint32_t count = 0, solid = 0;

	merge_sum_begin(w);
	/* From the last on: who knows a write stands behind it.  A write that
	 * is known gives way, and all that it knows is in the sum already.
	 * What is before `solid` is known, all of it. */
	for (uint32_t i = mentions_before(t, c, v->before); i-- > c->from;) {
		const struct merge_mention *x = &t->mention[i];

		if (x->place < solid)
			break;
		if (x->what == WHAT_TOUCH || !merge_view_has(m, v, x->place) ||
		    merge_past_has(m, w->past, x->place))
			continue;
		live[count++] = i;
		if (i > c->from)
			merge_sum_add(m, w, x->place);
		if (i - c->from > FEW)
			solid = merge_past_solid(m, w->past);
	}
	return count;
}

/* True if some place of a and one of b that stands before it do not know of
 * each other. Both ascend. */
static bool
apart(const struct merge *m, struct merge_work *w, const uint32_t *a,
    uint32_t a_count, const uint32_t *b, uint32_t b_count)
{
	for (uint32_t i = 0; i < a_count; i++) {
		struct merge_past p;

		if (b_count == 0 || b[0] >= a[i])
			continue;
		p = merge_past_of(m, w, a[i], w->sum);
		for (uint32_t k = 0; k < b_count && b[k] < a[i]; k++) {
			if (!merge_past_has(m, p, b[k]))
				return true;
		}
	}
	return false;
}

enum merge_is
merge_stands(const struct merge *m, struct merge_work *w,
    const struct merge_view *v, const struct merge_table *t,
    const struct merge_cell *c, const uint32_t *live, uint32_t live_count)
{
	uint32_t outs = 0, touches = 0;

	for (uint32_t i = live_count; i-- > 0;) {
		if (t->mention[live[i]].what == WHAT_OUT)
			w->outs[outs++] = t->mention[live[i]].place;
	}
	if (outs == 0)
		return MERGE_IN;
	if (outs < live_count)
		return MERGE_CONFLICT;
	for (uint32_t i = c->from; i < c->to; i++) {
		const struct merge_mention *x = &t->mention[i];

		if (x->place >= v->before)
			break;
		if (x->what == WHAT_TOUCH && merge_view_has(m, v, x->place))
			w->touches[touches++] = x->place;
	}
	if (apart(m, w, w->outs, outs, w->touches, touches) ||
	    apart(m, w, w->touches, touches, w->outs, outs))
		return MERGE_CONFLICT;
	return MERGE_OUT;
}

/* Every cell over all. */
static void
settle_cells(struct merge *m, struct merge_work *w)
{
	const struct merge_view all = merge_view_all(m);

	m->conflicts = 0;
	for (int of = 0; of < CLASS_COUNT; of++) {
		struct merge_table *t = &m->table[of];

		for (uint32_t k = 0; k < t->cell_count; k++) {
			struct merge_cell *c = &t->cell[k];
			uint32_t *live = t->live + c->from;

			c->live = merge_live(m, w, &all, t, c, live);
			for (uint32_t i = c->from; !c->named && i < c->to; i++)
				c->named = m->counts[t->mention[i].place];
			if (of == CLASS_ITEM && c->named)
				c->is = merge_stands(
				    m, w, &all, t, c, live, c->live);
			m->conflicts += of == CLASS_ITEM
					    ? c->is == MERGE_CONFLICT
					    : c->live > 1;
		}
	}
}

/* ---- the rest */

/* The list that an add adds to. */
static struct bytes
list_of(const struct merge_entry *e)
{
	return (struct bytes){ e->on[0].p, e->on[0].len - STEP_LEN - 1 };
}

static int
cmp_lists(const void *arg, uint32_t a, uint32_t b)
{
	const struct merge *m = arg;

	return bytes_cmp(list_of(m->entry[a]), list_of(m->entry[b]));
}

/* C7: the place of each add among those of its list. */
static enum status
number_items(struct merge *m)
{
	uint32_t *adds =
	    merge_alloc(&m->run, 2 * (size_t)m->count, sizeof(*adds));
	uint32_t count = 0, number = 0;

	if (adds == NULL)
		return ST_NOMEM;
	memset(m->number, 0, m->count * sizeof(*m->number));
	for (uint32_t p = 0; p < m->count; p++) {
		if (m->counts[p] && m->entry[p]->verb == DO_ADD)
			adds[count++] = p;
	}
	sort_u32(adds, adds + count, count, cmp_lists, m);
	for (uint32_t i = 0; i < count; i++) {
		if (i == 0 || cmp_lists(m, adds[i - 1], adds[i]) != 0)
			number = 0;
		m->number[adds[i]] = ++number;
	}
	return ST_OK;
}

/* Entries that count and that no other such entry knows. */
static enum status
find_heads(struct merge *m, struct merge_work *w)
{
	bool *head = merge_alloc(&m->run, m->count, sizeof(*head));
	size_t count = 0;

	if (head == NULL)
		return ST_NOMEM;
	merge_sum_begin(w);
	for (uint32_t p = m->count; p-- > 0;) {
		head[p] = m->counts[p] && !merge_past_has(m, w->past, p);
		if (head[p]) {
			merge_sum_add(m, w, p);
			count++;
		}
	}
	m->heads = merge_alloc(&m->run, count, ID_LEN);
	if (m->heads == NULL)
		return ST_NOMEM;
	m->head_count = 0;
	for (uint32_t i = 0; i < m->count; i++) {
		if (head[m->place_of[i]])
			memcpy(
			    m->heads[m->head_count++], m->by_id[i]->id, ID_LEN);
	}
	return ST_OK;
}

enum status
merge_fold_all(struct merge *m)
{
	struct merge_work w;
	enum status st = ST_NOMEM;

	merge_work_init(&w);
	m->number = merge_alloc(&m->run, m->count, sizeof(*m->number));
	if (m->number != NULL)
		st = merge_work_make(&w, m);
	if (st == ST_OK) {
		settle_cells(m, &w);
		st = number_items(m);
	}
	if (st == ST_OK)
		st = find_heads(m, &w);
	merge_work_free(&w);
	return st;
}

enum merge_is
merge_act_is(const struct merge *m, uint32_t place)
{
	char path[STEP_LEN + 1] = "@";
	const struct merge_cell *c;

	hex_encode(path + 1, bytes_of(m->entry[place]->id, ID_LEN));
	c = merge_cell_at(&m->table[CLASS_ITEM], bytes_str(path));
	return c != NULL && c->named ? c->is : MERGE_IN;
}

struct bytes
merge_value(const struct merge_entry *e, uint32_t index)
{
	return e->value != NULL ? e->value[index] : e->withheld;
}
