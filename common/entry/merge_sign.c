/* What was shown to who signed: the skeleton of parts (C8). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha.h"
#include "base/sort.h"
#include "entry/merge_impl.h"

/* First cell whose path is not below `part`; with `past`, first that is
 * neither below nor within it. */
static uint32_t
bound(const struct merge_table *t, struct bytes part, bool past)
{
	uint32_t lo = 0, hi = t->cell_count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		struct bytes path = t->cell[mid].path;

		/* No byte of a path sorts before '/': what lies within a part
		 * stands right behind it. */
		if (bytes_cmp(path, part) < 0 ||
		    (past && path_within(path, part)))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int
cmp_ranges(const void *arg, uint32_t a, uint32_t b)
{
	const struct merge_range *r = arg;

	if (r[a].lo != r[b].lo)
		return r[a].lo < r[b].lo ? -1 : 1;
	return r[a].hi < r[b].hi ? 1 : r[a].hi > r[b].hi ? -1 : 0;
}

/*
 * Parts lie in each other or apart, so of sorted ranges one either begins
 * behind all before it or is held by one of them.
 */
static enum status
find_ranges(struct merge_ranges *out, const struct merge_table *t,
    const struct bytes *parts, size_t count)
{
	struct merge_range *all = calloc(2 * count + 1, sizeof(*all));
	uint32_t *idx = calloc(2 * count + 1, sizeof(*idx));
	struct merge_range *range = all + count;
	uint32_t end = 0;
	size_t kept = 0;

	if (all == NULL || idx == NULL) {
		free(all);
		free(idx);
		return ST_NOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		range[i].lo = bound(t, parts[i], false);
		range[i].hi = bound(t, parts[i], true);
		idx[i] = (uint32_t)i;
	}
	sort_u32(idx, idx + count, count, cmp_ranges, range);
	for (size_t i = 0; i < count; i++) {
		struct merge_range r = range[idx[i]];

		if (r.hi <= r.lo || r.lo < end)
			continue;
		all[kept++] = r;
		end = r.hi;
	}
	free(idx);
	*out = (struct merge_ranges){ all, kept };
	return ST_OK;
}

void
merge_scope_free(struct merge_scope *s)
{
	free(s->field.range);
	free(s->item.range);
}

enum status
merge_scope_find(struct merge_scope *out, const struct merge *m,
    const struct bytes *parts, size_t count)
{
	struct merge_scope s = { .field = { NULL, 0 } };
	enum status st;

	st = find_ranges(&s.field, &m->table[CLASS_FIELD], parts, count);
	if (st == ST_OK)
		st = find_ranges(&s.item, &m->table[CLASS_ITEM], parts, count);
	if (st != ST_OK) {
		merge_scope_free(&s);
		return st;
	}
	*out = s;
	return ST_OK;
}

/* ---- writing a skeleton */

static void
begin_member(struct merge_writer *wr, struct bytes path)
{
	if (wr->some)
		buf_u8(wr->out, ',');
	wr->some = true;
	/* A path has no character that JSON escapes. */
	buf_u8(wr->out, '"');
	buf_bytes(wr->out, path);
	buf_add(wr->out, "\":", 2);
}

void
merge_put_field(struct merge_writer *wr, const struct merge_cell *c)
{
	const struct merge_table *t = &wr->m->table[CLASS_FIELD];
	const uint32_t *live = t->live + c->from;
	uint32_t count = c->live;

	if (!wr->view->all) {
		live = wr->w->live;
		count = merge_live(wr->m, wr->w, wr->view, t, c, wr->w->live);
	}
	if (count == 0)
		return;
	begin_member(wr, c->path);
	for (uint32_t i = 0; i < count; i++) {
		const struct merge_mention *x = &t->mention[live[i]];

		buf_u8(wr->out, i == 0 ? '[' : ',');
		buf_u8(wr->out, '[');
		merge_put_id(wr->out, wr->m->entry[x->place]->id);
		buf_u8(wr->out, ',');
		merge_put_u32(wr->out, x->index);
		buf_u8(wr->out, ']');
	}
	buf_u8(wr->out, ']');
}

/* How an item stands in the view; MERGE_UNKNOWN if the view has none of it. */
static enum merge_is
item_is(struct merge_writer *wr, const struct merge_cell *c)
{
	const struct merge_table *t = &wr->m->table[CLASS_ITEM];
	bool named = false;
	uint32_t count;

	if (wr->view->all)
		return c->is;
	for (uint32_t i = c->from;
	     !named && i < c->to && t->mention[i].place < wr->view->before; i++)
		named = merge_view_has(wr->m, wr->view, t->mention[i].place);
	if (!named)
		return MERGE_UNKNOWN;
	count = merge_live(wr->m, wr->w, wr->view, t, c, wr->w->live);
	return merge_stands(wr->m, wr->w, wr->view, t, c, wr->w->live, count);
}

void
merge_put_item(struct merge_writer *wr, const struct merge_cell *c)
{
	enum merge_is is;

	if (c->path.p[0] == '@') /* an act */
		return;
	is = item_is(wr, c);
	if (is == MERGE_UNKNOWN)
		return;
	begin_member(wr, c->path);
	json_put_str(wr->out, merge_is_name(is));
}

static void
put_cells(struct merge_writer *wr, const struct merge_table *t,
    const struct merge_ranges *ranges,
    void (*put)(struct merge_writer *, const struct merge_cell *))
{
	wr->some = false;
	buf_u8(wr->out, '{');
	for (size_t i = 0; i < ranges->count; i++) {
		for (uint32_t k = ranges->range[i].lo; k < ranges->range[i].hi;
		     k++)
			put(wr, &t->cell[k]);
	}
	buf_u8(wr->out, '}');
}

void
merge_put_parts(struct buf *out, struct bytes kind, const struct bytes *parts,
    size_t part_count)
{
	buf_str(out, ",\"kind\":");
	json_put_string(out, kind);
	buf_str(out, ",\"parts\":[");
	for (size_t i = 0; i < part_count; i++) {
		if (i > 0)
			buf_u8(out, ',');
		json_put_string(out, parts[i]);
	}
	buf_str(out, "],\"v\":1}");
}

static void
put_skeleton(struct merge_writer *wr, const struct merge_scope *s,
    struct bytes kind, const struct bytes *parts, size_t part_count)
{
	buf_str(wr->out, "{\"fields\":");
	put_cells(wr, &wr->m->table[CLASS_FIELD], &s->field, merge_put_field);
	buf_str(wr->out, ",\"items\":");
	put_cells(wr, &wr->m->table[CLASS_ITEM], &s->item, merge_put_item);
	merge_put_parts(wr->out, kind, parts, part_count);
}

static enum status
skeleton(const struct merge *m, struct merge_work *w,
    const struct merge_view *view, struct bytes kind, const struct bytes *parts,
    size_t part_count, struct buf *out)
{
	struct merge_writer wr = { m, w, view, out, false };
	struct merge_scope s;
	enum status st = merge_scope_find(&s, m, parts, part_count);

	if (st != ST_OK)
		return st;
	put_skeleton(&wr, &s, kind, parts, part_count);
	merge_scope_free(&s);
	return out->err;
}

enum status
merge_skeleton(const struct merge *m, struct bytes kind,
    const struct bytes *parts, size_t part_count, struct buf *out)
{
	const struct merge_view all = merge_view_all(m);
	struct merge_work w;
	enum status st;

	assert(m->done);
	merge_work_init(&w);
	st = merge_work_make(&w, m);
	if (st == ST_OK)
		st = skeleton(m, &w, &all, kind, parts, part_count, out);
	merge_work_free(&w);
	return st;
}

enum status
merge_skeleton_known(const struct merge *m, const uint8_t id[ID_LEN],
    struct bytes kind, const struct bytes *parts, size_t part_count,
    struct buf *out)
{
	struct merge_work w;
	struct merge_view view;
	enum status st;
	uint32_t i;

	assert(m->done);
	i = merge_find(m, id);
	if (i == m->count)
		return ST_ABSENT;
	merge_work_init(&w);
	st = merge_work_make(&w, m);
	if (st == ST_OK) {
		view = merge_view_known(m, &w, m->place_of[i]);
		st = skeleton(m, &w, &view, kind, parts, part_count, out);
	}
	merge_work_free(&w);
	return st;
}

enum status
merge_shown(const struct merge *m, struct bytes kind, const struct bytes *parts,
    size_t part_count, uint8_t out[HASH_LEN])
{
	struct buf text;
	enum status st;

	buf_init(&text, MERGE_BYTES_MAX);
	st = merge_skeleton(m, kind, parts, part_count, &text);
	if (st == ST_OK)
		sha256(out, buf_view(&text));
	buf_free(&text);
	return st;
}
