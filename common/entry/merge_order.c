/*
 * From copies to entries in order: one of each id, its parents, the order of
 * C3, and what is missing.
 */
#include <stdlib.h>
#include <string.h>

#include "base/sort.h"
#include "entry/merge_impl.h"

static int
cmp_id(const uint8_t a[ID_LEN], const uint8_t b[ID_LEN])
{
	uint64_t x = be64_get(a), y = be64_get(b);

	if (x == y) {
		x = be64_get(a + 8);
		y = be64_get(b + 8);
	}
	return x < y ? -1 : x > y;
}

static int
cmp_copies(const void *arg, uint32_t a, uint32_t b)
{
	const struct merge_entry *added = arg;

	return cmp_id(added[a].id, added[b].id);
}

/*
 * One entry for each id, by id.  Copies are joined: the better one's bytes, and
 * what was said of any.  (The server's word is a property of the chain: a
 * caller that has an entry twice from the same chain says the same of both.)
 */
static enum status
join_copies(struct merge *m)
{
	size_t n = m->added_count;
	uint32_t *idx = merge_alloc(&m->run, 2 * n, sizeof(*idx));

	m->by_id = merge_alloc(&m->run, n, sizeof(const void *));
	if (idx == NULL || m->by_id == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < n; i++)
		idx[i] = (uint32_t)i;
	sort_u32(idx, idx + n, n, cmp_copies, m->added);
	m->count = 0;
	for (size_t i = 0; i < n;) {
		struct merge_entry *best = &m->added[idx[i]];
		bool server = best->server;
		size_t k = i + 1;

		for (; k < n; k++) {
			struct merge_entry *e = &m->added[idx[k]];

			if (cmp_id(e->id, best->id) != 0)
				break;
			server |= e->server;
			if (merge_better(e, best) < 0)
				best = e;
		}
		best->server = server;
		m->by_id[m->count++] = best;
		i = k;
	}
	return ST_OK;
}

uint32_t
merge_find(const struct merge *m, const uint8_t id[ID_LEN])
{
	uint32_t lo = 0, hi = m->count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c = cmp_id(m->by_id[mid]->id, id);

		if (c == 0)
			return mid;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return m->count;
}

static int
cmp_missing(const void *arg, uint32_t a, uint32_t b)
{
	const uint8_t *const *ids = arg;

	return cmp_id(ids[a], ids[b]);
}

/* The ids of `lost`, sorted, each once. */
static enum status
keep_missing(struct merge *m, const uint8_t *const *lost, size_t count)
{
	uint32_t *idx = merge_alloc(&m->run, 2 * count, sizeof(*idx));

	m->missing = merge_alloc(&m->run, count, ID_LEN);
	if (idx == NULL || m->missing == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < count; i++)
		idx[i] = (uint32_t)i;
	sort_u32(idx, idx + count, count, cmp_missing, lost);
	m->missing_count = 0;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *id = lost[idx[i]];

		if (m->missing_count > 0 &&
		    cmp_id(m->missing[m->missing_count - 1], id) == 0)
			continue;
		memcpy(m->missing[m->missing_count++], id, ID_LEN);
	}
	return ST_OK;
}

/* Edges while the order is not known: all numbers are those of by_id. */
struct graph {
	uint32_t *from, *parent;      /* from: [count + 1] */
	uint32_t *child_from, *child; /* likewise, the other way */
	uint32_t *waits;              /* parents not placed yet */
	uint32_t *heap, heap_count;
};

static enum status
link_parents(struct merge *m, struct graph *g)
{
	const uint8_t **lost;
	size_t edges = 0, lost_count = 0;
	uint32_t at = 0;

	for (uint32_t i = 0; i < m->count; i++)
		edges += m->by_id[i]->after_count;
	if (edges > UINT32_MAX / 2)
		return ST_LIMIT;
	lost = merge_alloc(&m->run, edges, sizeof(*lost));
	g->parent = merge_alloc(&m->run, edges, sizeof(*g->parent));
	g->from = merge_alloc(&m->run, m->count + 1, sizeof(*g->from));
	if (lost == NULL || g->parent == NULL || g->from == NULL)
		return ST_NOMEM;
	for (uint32_t i = 0; i < m->count; i++) {
		const struct merge_entry *e = m->by_id[i];

		g->from[i] = at;
		for (size_t k = 0; k < e->after_count; k++) {
			const uint8_t *id = e->after + k * ID_LEN;
			uint32_t parent = merge_find(m, id);

			if (parent == m->count)
				lost[lost_count++] = id;
			else
				g->parent[at++] = parent;
		}
	}
	g->from[m->count] = at;
	return keep_missing(m, lost, lost_count);
}

static enum status
link_children(struct merge *m, struct graph *g)
{
	uint32_t n = m->count, edges = g->from[n];
	uint32_t *fill = merge_alloc(&m->run, n + 1, sizeof(*fill));

	g->child_from = merge_alloc(&m->run, n + 1, sizeof(*fill));
	g->child = merge_alloc(&m->run, edges, sizeof(*fill));
	g->waits = merge_alloc(&m->run, n, sizeof(*fill));
	g->heap = merge_alloc(&m->run, n, sizeof(*fill));
	if (fill == NULL || g->child_from == NULL || g->child == NULL ||
	    g->waits == NULL || g->heap == NULL)
		return ST_NOMEM;
	memset(fill, 0, (n + 1) * sizeof(*fill));
	for (uint32_t k = 0; k < edges; k++)
		fill[g->parent[k]]++;
	for (uint32_t i = 0, at = 0; i <= n; i++) {
		uint32_t here = fill[i];

		g->child_from[i] = fill[i] = at;
		at += here;
	}
	for (uint32_t i = 0; i < n; i++) {
		g->waits[i] = g->from[i + 1] - g->from[i];
		for (uint32_t k = g->from[i]; k < g->from[i + 1]; k++)
			g->child[fill[g->parent[k]]++] = i;
	}
	return ST_OK;
}

/* By (wall, id); numbers of by_id stand for ids. */
static bool
earlier(const struct merge *m, uint32_t a, uint32_t b)
{
	uint64_t x = m->by_id[a]->wall, y = m->by_id[b]->wall;

	return x != y ? x < y : a < b;
}

static void
heap_push(const struct merge *m, struct graph *g, uint32_t x)
{
	uint32_t i = g->heap_count++;

	while (i > 0 && earlier(m, x, g->heap[(i - 1) / 2])) {
		g->heap[i] = g->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	g->heap[i] = x;
}

static uint32_t
heap_pop(const struct merge *m, struct graph *g)
{
	uint32_t top = g->heap[0], x = g->heap[--g->heap_count], i = 0;

	for (;;) {
		uint32_t k = 2 * i + 1;

		if (k >= g->heap_count)
			break;
		if (k + 1 < g->heap_count &&
		    earlier(m, g->heap[k + 1], g->heap[k]))
			k++;
		if (!earlier(m, g->heap[k], x))
			break;
		g->heap[i] = g->heap[k];
		i = k;
	}
	g->heap[i] = x;
	return top;
}

/* C3: ever the least (wall, id) of those whose present parents are placed. */
static enum status
place_all(struct merge *m, struct graph *g)
{
	uint32_t placed = 0;

	for (uint32_t i = 0; i < m->count; i++) {
		if (g->waits[i] == 0)
			heap_push(m, g, i);
	}
	while (g->heap_count > 0) {
		uint32_t i = heap_pop(m, g);

		m->place_of[i] = placed;
		m->entry[placed++] = m->by_id[i];
		for (uint32_t k = g->child_from[i]; k < g->child_from[i + 1];
		     k++) {
			if (--g->waits[g->child[k]] == 0)
				heap_push(m, g, g->child[k]);
		}
	}
	/* An id is a hash over the ids in `after`: a circle cannot be written.
	 * Whoever hands one in has other ids than those of its bytes. */
	return placed == m->count ? ST_OK : ST_CORRUPT;
}

/* Parents by place, each entry's ascending, and gaps (C9). */
static void
turn_to_places(struct merge *m, const struct graph *g)
{
	uint32_t at = 0;

	for (uint32_t p = 0; p < m->count; p++) {
		const struct merge_entry *e = m->entry[p];
		uint32_t i = merge_find(m, e->id);

		m->parent_from[p] = at;
		m->gap[p] = e->after_count != g->from[i + 1] - g->from[i];
		for (uint32_t k = g->from[i]; k < g->from[i + 1]; k++) {
			uint32_t parent = m->place_of[g->parent[k]];

			m->gap[p] |= m->gap[parent];
			m->parent[at++] = parent;
		}
		memcpy(m->order_ids[p], e->id, ID_LEN);
	}
	m->parent_from[m->count] = at;
}

enum status
merge_order_all(struct merge *m)
{
	struct graph g = { .heap_count = 0 };
	enum status st;
	size_t n;

	st = join_copies(m);
	if (st != ST_OK)
		return st;
	n = m->count;
	m->place_of = merge_alloc(&m->run, n, sizeof(*m->place_of));
	m->entry = merge_alloc(&m->run, n, sizeof(const void *));
	m->parent_from = merge_alloc(&m->run, n + 1, sizeof(uint32_t));
	m->gap = merge_alloc(&m->run, n, sizeof(*m->gap));
	m->order_ids = merge_alloc(&m->run, n, ID_LEN);
	if (m->place_of == NULL || m->entry == NULL || m->parent_from == NULL ||
	    m->gap == NULL || m->order_ids == NULL)
		return ST_NOMEM;
	st = link_parents(m, &g);
	if (st != ST_OK)
		return st;
	m->parent = merge_alloc(&m->run, g.from[n], sizeof(*m->parent));
	if (m->parent == NULL)
		return ST_NOMEM;
	st = link_children(m, &g);
	if (st == ST_OK)
		st = place_all(m, &g);
	if (st == ST_OK)
		turn_to_places(m, &g);
	return st;
}
