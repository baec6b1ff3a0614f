/*
 * Questions about one path or entry, for those who do not want the whole state.
 */
#include <assert.h>
#include <string.h>

#include "base/enc.h"
#include "entry/merge_impl.h"

enum status
merge_knows(const struct merge *m, size_t a, size_t b, bool *out)
{
	struct merge_work w;
	struct merge_past p;
	enum status st;

	assert(m->done && a < m->count && b < m->count);
	merge_work_init(&w);
	if (a >= m->stored) {
		st = merge_work_make(&w, m);
		if (st != ST_OK)
			goto out;
	}
	p = merge_past_of(m, &w, (uint32_t)a, w.view);
	*out = merge_past_has(m, p, (uint32_t)b);
	st = ST_OK;
out:
	merge_work_free(&w);
	return st;
}

bool
merge_field(const struct merge *m, struct bytes path, size_t i,
    const uint8_t **id, struct bytes *raw)
{
	const struct merge_table *t = &m->table[CLASS_FIELD];
	const struct merge_cell *c;
	const struct merge_mention *x;

	assert(m->done);
	c = merge_cell_at(t, path);
	if (c == NULL || i >= c->live)
		return false;
	x = &t->mention[t->live[c->from + i]];
	*id = m->entry[x->place]->id;
	*raw = merge_value(m->entry[x->place], x->index);
	return true;
}

bool
merge_status(
    const struct merge *m, size_t i, const uint8_t **id, struct bytes *word)
{
	const struct merge_table *t = &m->table[CLASS_STATUS];
	const struct merge_mention *x;

	assert(m->done);
	if (t->cell_count == 0 || i >= t->cell[0].live)
		return false;
	x = &t->mention[t->live[i]];
	*id = m->entry[x->place]->id;
	*word = m->entry[x->place]->on[x->index];
	return true;
}

enum merge_is
merge_standing(const struct merge *m, struct bytes item)
{
	const struct merge_cell *c;
	uint8_t id[ID_LEN];
	uint32_t i;

	assert(m->done);
	c = merge_cell_at(&m->table[CLASS_ITEM], item);
	if (c != NULL && c->named)
		return c->is;
	/* An act that nobody struck out or spoke of is in. */
	if (item.len == 0 || item.p[0] != '@' ||
	    hex_decode(id, ID_LEN,
		(struct bytes){ item.p + 1, item.len - 1 }) != ST_OK)
		return MERGE_UNKNOWN;
	i = merge_find(m, id);
	if (i == m->count || !m->counts[m->place_of[i]])
		return MERGE_UNKNOWN;
	return MERGE_IN;
}

bool
merge_void(const struct merge *m)
{
	assert(m->done);
	for (uint32_t p = 0; p < m->count; p++) {
		if (m->counts[p] && m->entry[p]->verb == DO_VOID &&
		    merge_act_is(m, p) != MERGE_OUT)
			return true;
	}
	return false;
}

size_t
merge_conflicts(const struct merge *m)
{
	assert(m->done);
	return m->conflicts;
}
