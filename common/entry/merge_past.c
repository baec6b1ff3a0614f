/*
 * What an entry knows (C2): everything that is reached from it through
 * `after`.
 *
 * All entries are laid on lanes such that on a lane each knows the one before;
 * so what an entry knows of a lane is a first part of it, and all that it knows
 * is one length for each lane.  A linear history has one lane; a morning with
 * four handhelds has about four, however long it is.  "a knows b" is then one
 * comparison, and what several entries know together the greatest length for
 * each lane.
 *
 * Lengths of n entries on w lanes are up to n * w numbers.  Where a history is
 * so broad that they are over m->past_max, those of the first entries are kept,
 * and those of a later one are found by walking back to the kept ones.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "entry/merge_impl.h"

void
merge_work_init(struct merge_work *w)
{
	*w = (struct merge_work){ .epoch = 0 };
}

void
merge_work_free(struct merge_work *w)
{
	merge_arena_free(&w->arena);
	merge_work_init(w);
}

enum status
merge_work_make(struct merge_work *w, const struct merge *m)
{
	size_t n = m->count, cell = m->cell_max;

	w->arena.single = m->run.single;
	w->sum = merge_alloc(&w->arena, m->lane_count, sizeof(uint32_t));
	w->view = merge_alloc(&w->arena, m->lane_count, sizeof(uint32_t));
	w->live = merge_alloc(&w->arena, cell, sizeof(uint32_t));
	w->outs = merge_alloc(&w->arena, cell, sizeof(uint32_t));
	w->touches = merge_alloc(&w->arena, cell, sizeof(uint32_t));
	if (w->sum == NULL || w->view == NULL || w->live == NULL ||
	    w->outs == NULL || w->touches == NULL)
		return ST_NOMEM;
	if (m->ruling_count > 0) {
		w->counts = merge_alloc(&w->arena, n, sizeof(bool));
		if (w->counts == NULL)
			return ST_NOMEM;
	}
	if (m->stored < n) {
		w->mark = merge_alloc(&w->arena, n, sizeof(uint64_t));
		w->stack = merge_alloc(&w->arena, n, sizeof(uint32_t));
		if (w->mark == NULL || w->stack == NULL)
			return ST_NOMEM;
		memset(w->mark, 0, n * sizeof(uint64_t));
	}
	return ST_OK;
}

/* Make the lengths in `known` cover `len` lanes. */
static uint32_t
widen(uint32_t *known, uint32_t have, uint32_t len)
{
	if (len <= have)
		return have;
	assert(known != NULL);
	memset(known + have, 0, (len - have) * sizeof(*known));
	return len;
}

/* known |= what the entry at `place` knows, where that is kept. */
static uint32_t
take_stored(
    const struct merge *m, uint32_t *known, uint32_t len, uint32_t place)
{
	const uint32_t *other = m->past + m->past_at[place];
	uint32_t count = m->past_len[place];

	assert(known != NULL);
	len = widen(known, len, count);
	for (uint32_t l = 0; l < count; l++) {
		if (known[l] < other[l])
			known[l] = other[l];
	}
	return len;
}

/* known |= the entry itself. */
static uint32_t
take_self(const struct merge *m, uint32_t *known, uint32_t len, uint32_t place)
{
	uint32_t lane = m->lane[place];

	assert(known != NULL && lane < UINT32_MAX);
	len = widen(known, len, lane + 1);
	if (known[lane] <= m->rank[place])
		known[lane] = m->rank[place] + 1;
	return len;
}

/* known |= what any entry knows. Marks of this epoch are passed by. */
static uint32_t
take_past(const struct merge *m, struct merge_work *w, uint32_t *known,
    uint32_t len, uint32_t place)
{
	uint32_t depth = 0;

	if (place < m->stored)
		return take_stored(m, known, len, place);
	if (w->mark[place] == w->epoch)
		return len;
	w->mark[place] = w->epoch;
	w->stack[depth++] = place;
	while (depth > 0) {
		uint32_t at = w->stack[--depth];

		for (uint32_t k = m->parent_from[at];
		     k < m->parent_from[at + 1]; k++) {
			uint32_t parent = m->parent[k];

			len = take_self(m, known, len, parent);
			if (parent < m->stored) {
				len = take_stored(m, known, len, parent);
			} else if (w->mark[parent] != w->epoch) {
				w->mark[parent] = w->epoch;
				w->stack[depth++] = parent;
			}
		}
	}
	return len;
}

struct merge_past
merge_past_of(
    const struct merge *m, struct merge_work *w, uint32_t place, uint32_t *room)
{
	struct merge_past p = { room, 0 };

	if (place < m->stored) {
		p.known = m->past + m->past_at[place];
		p.len = m->past_len[place];
	} else {
		w->epoch++;
		p.len = take_past(m, w, room, 0, place);
	}
	return p;
}

uint32_t
merge_past_solid(const struct merge *m, struct merge_past p)
{
	uint32_t solid = m->count;

	for (uint32_t l = 0; l < m->lane_count; l++) {
		uint32_t at = m->lane_from[l] + (l < p.len ? p.known[l] : 0);

		if (at < m->lane_from[l + 1] && m->lane_place[at] < solid)
			solid = m->lane_place[at];
	}
	return solid;
}

void
merge_sum_begin(struct merge_work *w)
{
	w->epoch++;
	w->past = (struct merge_past){ NULL, 0 };
}

void
merge_sum_add(const struct merge *m, struct merge_work *w, uint32_t place)
{
	struct merge_past *p = &w->past;

	/* The sum of one is borrowed: most often it stays at one. */
	if (p->known == NULL && place < m->stored) {
		p->known = m->past + m->past_at[place];
		p->len = m->past_len[place];
		return;
	}
	if (p->known != w->sum) {
		assert(p->known != NULL || p->len == 0);
		if (p->len > 0)
			memcpy(w->sum, p->known, p->len * sizeof(*w->sum));
		p->known = w->sum;
	}
	p->len = take_past(m, w, w->sum, p->len, place);
}

/* ---- laying entries on lanes */

/* Room for one more past of `len` lanes; false: keep no more. */
static bool
room_for(struct merge *m, uint32_t len, enum status *st)
{
	size_t cap = m->past_cap < 1024 ? 1024 : m->past_cap;
	uint32_t *past;

	if (len > m->past_max - m->past_count)
		return false;
	if (m->past != NULL && m->past_count + len <= m->past_cap)
		return true;
	while (cap < m->past_count + len)
		cap *= 2;
	past = realloc(m->past, cap * sizeof(*past));
	if (past == NULL) {
		*st = ST_NOMEM;
		return false;
	}
	m->past = past;
	m->past_cap = cap;
	return true;
}

/* Keep what the entry at `place` knows; its parents' pasts are kept. */
static enum status
store_past(struct merge *m, uint32_t place)
{
	uint32_t from = m->parent_from[place], to = m->parent_from[place + 1];
	enum status st = ST_OK;
	uint32_t len = 0, *known;

	for (uint32_t k = from; k < to; k++) {
		uint32_t p = m->parent[k];

		if (len < m->past_len[p])
			len = m->past_len[p];
		if (len < m->lane[p] + 1)
			len = m->lane[p] + 1;
	}
	if (!room_for(m, len, &st))
		return st;
	known = m->past + m->past_count;
	m->past_at[place] = m->past_count;
	m->past_len[place] = len;
	m->past_count += len;
	widen(known, 0, len);
	for (uint32_t k = from; k < to; k++) {
		take_stored(m, known, len, m->parent[k]);
		take_self(m, known, len, m->parent[k]);
	}
	m->stored = place + 1;
	return ST_OK;
}

/*
 * A lane whose last entry this one knows; m->lane_count if there is none.
 * Where its past is not kept, only its parents are looked at: still a lane,
 * only not the fewest.
 */
static uint32_t
lane_for(const struct merge *m, uint32_t place, const uint32_t *lane_len)
{
	if (place < m->stored) {
		const uint32_t *known = m->past + m->past_at[place];

		for (uint32_t l = 0; l < m->past_len[place]; l++) {
			if (known[l] == lane_len[l])
				return l;
		}
		return m->lane_count;
	}
	for (uint32_t k = m->parent_from[place]; k < m->parent_from[place + 1];
	     k++) {
		uint32_t p = m->parent[k];

		if (m->rank[p] + 1 == lane_len[m->lane[p]])
			return m->lane[p];
	}
	return m->lane_count;
}

/* Which place is the n-th of a lane. */
static enum status
list_lanes(struct merge *m, const uint32_t *lane_len)
{
	uint32_t from = 0;

	m->lane_from = merge_alloc(
	    &m->run, (size_t)m->lane_count + 1, sizeof(*m->lane_from));
	m->lane_place = merge_alloc(&m->run, m->count, sizeof(*m->lane_place));
	if (m->lane_from == NULL || m->lane_place == NULL)
		return ST_NOMEM;
	for (uint32_t l = 0; l < m->lane_count; l++) {
		m->lane_from[l] = from;
		from += lane_len[l];
	}
	m->lane_from[m->lane_count] = from;
	for (uint32_t p = 0; p < m->count; p++)
		m->lane_place[m->lane_from[m->lane[p]] + m->rank[p]] = p;
	return ST_OK;
}

enum status
merge_past_all(struct merge *m)
{
	size_t n = m->count;
	uint32_t *lane_len = merge_alloc(&m->run, n, sizeof(*lane_len));
	bool full = false;

	m->lane = merge_alloc(&m->run, n, sizeof(*m->lane));
	m->rank = merge_alloc(&m->run, n, sizeof(*m->rank));
	m->past_len = merge_alloc(&m->run, n, sizeof(*m->past_len));
	m->past_at = merge_alloc(&m->run, n, sizeof(*m->past_at));
	if (lane_len == NULL || m->lane == NULL || m->rank == NULL ||
	    m->past_len == NULL || m->past_at == NULL)
		return ST_NOMEM;
	m->past_count = 0;
	m->stored = 0;
	m->lane_count = 0;
	for (uint32_t p = 0; p < n; p++) {
		uint32_t lane;

		if (!full) {
			enum status st = store_past(m, p);

			if (st != ST_OK)
				return st;
			full = m->stored == p;
		}
		lane = lane_for(m, p, lane_len);
		if (lane == m->lane_count)
			lane_len[m->lane_count++] = 0;
		m->lane[p] = lane;
		m->rank[p] = lane_len[lane]++;
	}
	return list_lanes(m, lane_len);
}
