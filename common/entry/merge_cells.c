/*
 * From entries in order to cells: what counts (C1), and which of it writes or
 * touches what (table B, C5).
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/sort.h"
#include "entry/merge_impl.h"

enum { STEP_LEN = 1 + 2 * ID_LEN }; /* '@' and an id */

/* ---- C1: what counts */

static bool
is_ruling(const struct merge_entry *e)
{
	return e->verb == DO_HOLD || e->verb == DO_ADMIT;
}

/* For each place, as if nothing were held. */
static void
find_fit(struct merge *m)
{
	for (uint32_t p = 0; p < m->count; p++) {
		const struct merge_entry *e = m->entry[p];

		m->fit[p] =
		    e->rank != RANK_BARE && (!is_ruling(e) || e->server);
	}
}

/* What every hold and admit says of entries that are here, in order. */
static enum status
find_rulings(struct merge *m)
{
	size_t names = 0;

	m->ruling_count = 0;
	for (uint32_t p = 0; p < m->count; p++) {
		if (is_ruling(m->entry[p]) && m->fit[p])
			names += m->entry[p]->on_count;
	}
	m->ruling = merge_alloc(&m->run, names, sizeof(*m->ruling));
	if (m->ruling == NULL)
		return ST_NOMEM;
	for (uint32_t p = 0; p < m->count; p++) {
		const struct merge_entry *e = m->entry[p];

		if (!is_ruling(e) || !m->fit[p])
			continue;
		for (size_t i = 0; i < e->on_count; i++) {
			uint8_t id[ID_LEN];
			uint32_t k;

			if (hex_decode(id, ID_LEN, e->on[i]) != ST_OK)
				continue; /* no id: the verb table forbids it */
			k = merge_find(m, id);
			/* They themselves cannot be held. */
			if (k == m->count || is_ruling(m->by_id[k]))
				continue;
			m->ruling[m->ruling_count++] = (struct merge_ruling){
				.by = p,
				.of = m->place_of[k],
				.held = e->verb == DO_HOLD,
			};
		}
	}
	return ST_OK;
}

/* The later in the order counts: `past` NULL means all are known. */
static void
apply_rulings(
    const struct merge *m, const struct merge_past *past, bool *counts)
{
	memcpy(counts, m->fit, m->count * sizeof(*counts));
	for (size_t i = 0; i < m->ruling_count; i++) {
		const struct merge_ruling *r = &m->ruling[i];

		if (past == NULL || merge_past_has(m, *past, r->by))
			counts[r->of] = m->fit[r->of] && !r->held;
	}
}

struct merge_view
merge_view_all(const struct merge *m)
{
	return (struct merge_view){ .all = true,
		.counts = m->counts,
		.solid = m->count,
		.before = m->count };
}

struct merge_view
merge_view_known(const struct merge *m, struct merge_work *w, uint32_t place)
{
	struct merge_view v = { .counts = m->fit, .before = place };

	v.past = merge_past_of(m, w, place, w->view);
	v.solid = merge_past_solid(m, v.past);
	/* Held is who is held by what this entry knew. */
	if (m->ruling_count > 0) {
		apply_rulings(m, &v.past, w->counts);
		v.counts = w->counts;
	}
	return v;
}

/* ---- mentions */

static void
mention(struct merge_table *t, struct bytes path, uint32_t place, size_t index,
    enum merge_what what)
{
	/* Counted first, kept in a second pass, when there is room. */
	if (t->mention != NULL)
		t->mention[t->mention_count] = (struct merge_mention){ path,
			place, (uint32_t)index, what };
	t->mention_count++;
}

/* C5: every item strictly above `path` is touched; `itself` too, if it is an
 * item or act. */
static void
touch(struct merge *m, uint32_t place, struct bytes path, bool itself)
{
	for (size_t i = 0; i < path.len; i++) {
		size_t end = i + STEP_LEN;

		if (path.p[i] != '@')
			continue;
		/* '@' begins a step: an id follows (path.h). */
		assert(end <= path.len);
		if (end < path.len || itself)
			mention(&m->table[CLASS_ITEM],
			    (struct bytes){ path.p, end }, place, 0,
			    WHAT_TOUCH);
		i = end - 1;
	}
}

/* An entry's effect, from its head alone. */
static void
mention_entry(struct merge *m, uint32_t place)
{
	const struct merge_entry *e = m->entry[place];
	struct merge_table *field = &m->table[CLASS_FIELD];
	struct merge_table *item = &m->table[CLASS_ITEM];

	switch (e->verb) {
	case DO_ADD:
		mention(item, e->on[0], place, 0, WHAT_IN);
		for (size_t i = 1; i < e->on_count; i++)
			mention(field, e->on[i], place, i, WHAT_WRITE);
		/* Written fields touch the item, and what it lies in. */
		touch(m, place, e->on[0], e->on_count > 1);
		break;
	case DO_OPEN:
	case DO_SET:
	case DO_AMEND:
		for (size_t i = 0; i < e->on_count; i++) {
			mention(field, e->on[i], place, i, WHAT_WRITE);
			touch(m, place, e->on[i], false);
		}
		break;
	case DO_DROP:
	case DO_KEEP:
		for (size_t i = 0; i < e->on_count; i++) {
			mention(item, e->on[i], place, i,
			    e->verb == DO_DROP ? WHAT_OUT : WHAT_IN);
			touch(m, place, e->on[i], false);
		}
		break;
	case DO_ATTACH:
	case DO_NOTE:
	case DO_APPROVE:
	case DO_RELEASE:
		for (size_t i = 0; i < e->on_count; i++)
			touch(m, place, e->on[i], true);
		break;
	case DO_ADVANCE:
		mention(&m->table[CLASS_STATUS], (struct bytes){ NULL, 0 },
		    place, 0, WHAT_WRITE);
		break;
	case DO_LINK:
		mention(&m->table[CLASS_LINK], e->on[0], place, 1, WHAT_WRITE);
		break;
	default: /* sign, print, void, hold, admit: acts, and no more */
		break;
	}
}

static int
cmp_mentions(const void *arg, uint32_t a, uint32_t b)
{
	const struct merge_mention *mention = arg;

	return bytes_cmp(mention[a].path, mention[b].path);
}

/* Sort the mentions by path; they are in order already, and stay so. */
static enum status
sort_mentions(struct merge *m, struct merge_table *t)
{
	uint32_t n = t->mention_count;
	uint32_t *idx = merge_alloc(&m->run, 2 * (size_t)n, sizeof(*idx));
	struct merge_mention *sorted = merge_alloc(&m->run, n, sizeof(*sorted));

	if (idx == NULL || sorted == NULL)
		return ST_NOMEM;
	for (uint32_t i = 0; i < n; i++)
		idx[i] = i;
	sort_u32(idx, idx + n, n, cmp_mentions, t->mention);
	for (uint32_t i = 0; i < n; i++)
		sorted[i] = t->mention[idx[i]];
	t->mention = sorted;
	return ST_OK;
}

/* One cell for each path. */
static enum status
cut_cells(struct merge *m, struct merge_table *t)
{
	uint32_t n = t->mention_count, count = 0;

	for (uint32_t i = 0; i < n; i++) {
		count += i == 0 ||
			 !bytes_eq(t->mention[i - 1].path, t->mention[i].path);
	}
	t->cell = merge_alloc(&m->run, count, sizeof(*t->cell));
	t->live = merge_alloc(&m->run, n, sizeof(*t->live));
	if (t->cell == NULL || t->live == NULL)
		return ST_NOMEM;
	t->cell_count = 0;
	for (uint32_t i = 0; i < n;) {
		struct merge_cell *c = &t->cell[t->cell_count++];

		*c = (struct merge_cell){ .path = t->mention[i].path,
			.from = i,
			.is = MERGE_UNKNOWN };
		while (i < n && bytes_eq(t->mention[i].path, c->path))
			i++;
		c->to = i;
		if (m->cell_max < c->to - c->from)
			m->cell_max = c->to - c->from;
	}
	return ST_OK;
}

static enum status
find_mentions(struct merge *m)
{
	for (int pass = 0; pass < 2; pass++) {
		for (int c = 0; c < CLASS_COUNT; c++) {
			struct merge_table *t = &m->table[c];

			if (pass == 0) {
				t->mention = NULL;
			} else {
				t->mention = merge_alloc(&m->run,
				    t->mention_count, sizeof(*t->mention));
				if (t->mention == NULL)
					return ST_NOMEM;
			}
			t->mention_count = 0;
		}
		/* Held entries too: a sign may have known them before. */
		for (uint32_t p = 0; p < m->count; p++) {
			if (m->fit[p])
				mention_entry(m, p);
		}
	}
	m->cell_max = 0;
	for (int c = 0; c < CLASS_COUNT; c++) {
		enum status st = sort_mentions(m, &m->table[c]);

		if (st == ST_OK)
			st = cut_cells(m, &m->table[c]);
		if (st != ST_OK)
			return st;
	}
	return ST_OK;
}

enum status
merge_cells_all(struct merge *m)
{
	enum status st;

	m->fit = merge_alloc(&m->run, m->count, sizeof(*m->fit));
	m->counts = merge_alloc(&m->run, m->count, sizeof(*m->counts));
	if (m->fit == NULL || m->counts == NULL)
		return ST_NOMEM;
	find_fit(m);
	st = find_rulings(m);
	if (st != ST_OK)
		return st;
	apply_rulings(m, NULL, m->counts);
	return find_mentions(m);
}

const struct merge_cell *
merge_cell_at(const struct merge_table *t, struct bytes path)
{
	uint32_t lo = 0, hi = t->cell_count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c = bytes_cmp(t->cell[mid].path, path);

		if (c == 0)
			return &t->cell[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}
