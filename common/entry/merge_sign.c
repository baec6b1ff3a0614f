/*
 * What was shown to who signed: the skeleton of parts (C8), and what a sign is
 * now (C9).
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha.h"
#include "base/sort.h"
#include "entry/merge_impl.h"

/* Cells from lo up to hi, in a table. */
struct range {
	uint32_t lo, hi;
};

/* The cells of `parts` in a table, each once, by path. */
struct ranges {
	struct range *range; /* owned */
	size_t count;
};

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
	const struct range *r = arg;

	if (r[a].lo != r[b].lo)
		return r[a].lo < r[b].lo ? -1 : 1;
	return r[a].hi < r[b].hi ? 1 : r[a].hi > r[b].hi ? -1 : 0;
}

/*
 * Parts lie in each other or apart, so of sorted ranges one either begins
 * behind all before it or is held by one of them.
 */
static enum status
find_ranges(struct ranges *out, const struct merge_table *t,
    const struct bytes *parts, size_t count)
{
	struct range *all = calloc(2 * count + 1, sizeof(*all));
	uint32_t *idx = calloc(2 * count + 1, sizeof(*idx));
	struct range *range = all + count;
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
		struct range r = range[idx[i]];

		if (r.hi <= r.lo || r.lo < end)
			continue;
		all[kept++] = r;
		end = r.hi;
	}
	free(idx);
	*out = (struct ranges){ all, kept };
	return ST_OK;
}

/* Parts in both tables that a skeleton shows. */
struct scope {
	struct ranges field, item;
};

static void
scope_free(struct scope *s)
{
	free(s->field.range);
	free(s->item.range);
}

static enum status
scope_find(struct scope *out, const struct merge *m, const struct bytes *parts,
    size_t count)
{
	struct scope s = { .field = { NULL, 0 } };
	enum status st;

	st = find_ranges(&s.field, &m->table[CLASS_FIELD], parts, count);
	if (st == ST_OK)
		st = find_ranges(&s.item, &m->table[CLASS_ITEM], parts, count);
	if (st != ST_OK) {
		scope_free(&s);
		return st;
	}
	*out = s;
	return ST_OK;
}

/* ---- writing a skeleton */

/* One skeleton being written. */
struct writer {
	const struct merge *m;
	struct merge_work *w;
	const struct merge_view *view;
	struct buf *out;
	bool some; /* a member was written: a comma comes before the next */
};

static void
begin_member(struct writer *wr, struct bytes path)
{
	if (wr->some)
		buf_u8(wr->out, ',');
	wr->some = true;
	/* A path has no character that JSON escapes. */
	buf_u8(wr->out, '"');
	buf_bytes(wr->out, path);
	buf_add(wr->out, "\":", 2);
}

static void
put_field(struct writer *wr, const struct merge_cell *c)
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
item_is(struct writer *wr, const struct merge_cell *c)
{
	const struct merge_table *t = &wr->m->table[CLASS_ITEM];
	bool named = false;
	uint32_t count;

	if (wr->view->all)
		return c->is;
	for (uint32_t i = c->from; !named && i < c->to; i++)
		named = merge_view_has(wr->m, wr->view, t->mention[i].place);
	if (!named)
		return MERGE_UNKNOWN;
	count = merge_live(wr->m, wr->w, wr->view, t, c, wr->w->live);
	return merge_stands(wr->m, wr->w, wr->view, t, c, wr->w->live, count);
}

static void
put_item(struct writer *wr, const struct merge_cell *c)
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
put_cells(struct writer *wr, const struct merge_table *t,
    const struct ranges *ranges,
    void (*put)(struct writer *, const struct merge_cell *))
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

static void
put_skeleton(struct writer *wr, const struct scope *s, struct bytes kind,
    const struct bytes *parts, size_t part_count)
{
	struct buf *out = wr->out;

	buf_str(out, "{\"fields\":");
	put_cells(wr, &wr->m->table[CLASS_FIELD], &s->field, put_field);
	buf_str(out, ",\"items\":");
	put_cells(wr, &wr->m->table[CLASS_ITEM], &s->item, put_item);
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

/* SHA-256 of a skeleton over a view. */
static enum status
hash_skeleton(const struct merge *m, struct merge_work *w,
    const struct merge_view *view, const struct scope *s, struct bytes kind,
    const struct bytes *parts, size_t part_count, uint8_t hash[HASH_LEN])
{
	struct buf out;
	struct writer wr = { m, w, view, &out, false };
	enum status st;

	buf_init(&out, MERGE_BYTES_MAX);
	put_skeleton(&wr, s, kind, parts, part_count);
	st = out.err;
	if (st == ST_OK)
		sha256(hash, buf_view(&out));
	buf_free(&out);
	return st;
}

/* ---- what a sign is */

static bool
same_parts(const struct merge_entry *a, const struct merge_entry *b)
{
	if (a->on_count != b->on_count || !bytes_eq(a->kind, b->kind))
		return false;
	for (size_t i = 0; i < a->on_count; i++) {
		if (!bytes_eq(a->on[i], b->on[i]))
			return false;
	}
	return true;
}

/* Everything that counts in these cells is known. */
static bool
knows_all(const struct merge *m, const struct merge_view *view,
    const struct merge_table *t, const struct ranges *ranges)
{
	for (size_t i = 0; i < ranges->count; i++) {
		const struct range *r = &ranges->range[i];
		uint32_t from = t->cell[r->lo].from;
		uint32_t to = t->cell[r->hi - 1].to;

		for (uint32_t k = from; k < to; k++) {
			if (!merge_view_has(m, view, t->mention[k].place))
				return false;
		}
	}
	return true;
}

/*
 * *same: nothing in these parts was written behind the sign's back, so that
 * then and now are one.  Holds could take away as well as add: with any there,
 * both are worked out.
 */
static bool
is_same(
    const struct merge *m, const struct merge_view *then, const struct scope *s)
{
	return m->ruling_count == 0 &&
	       knows_all(m, then, &m->table[CLASS_FIELD], &s->field) &&
	       knows_all(m, then, &m->table[CLASS_ITEM], &s->item);
}

/* The hash over all, of the same parts as the last sign's where they are. */
static enum status
hash_now(const struct merge *m, struct merge_work *w, const struct scope *s,
    const struct merge_entry *e, struct merge_shown *last)
{
	const struct merge_view all = merge_view_all(m);
	enum status st;

	if (last->sign != NULL && same_parts(last->sign, e))
		return ST_OK;
	st = hash_skeleton(
	    m, w, &all, s, e->kind, e->on, e->on_count, last->now);
	last->sign = st == ST_OK ? e : NULL;
	return st;
}

enum status
merge_verdict(const struct merge *m, struct merge_work *w, uint32_t place,
    struct merge_shown *last, const char **out)
{
	const struct merge_entry *e = m->entry[place];
	struct scope s = { .field = { NULL, 0 } };
	struct merge_view view;
	uint8_t then[HASH_LEN];
	bool now_is_shown;
	enum status st;

	if (e->rank != RANK_WHOLE) {
		*out = "unknown";
		return ST_OK;
	}
	st = scope_find(&s, m, e->on, e->on_count);
	if (st == ST_OK)
		st = hash_now(m, w, &s, e, last);
	if (st != ST_OK)
		goto out;
	now_is_shown = memcmp(last->now, e->shown, HASH_LEN) == 0;
	if (m->gap[place]) {
		*out = now_is_shown ? "ok" : "unknown";
		goto out;
	}
	view = merge_view_known(m, w, place);
	memcpy(then, last->now, HASH_LEN);
	if (!is_same(m, &view, &s))
		st = hash_skeleton(
		    m, w, &view, &s, e->kind, e->on, e->on_count, then);
	if (st != ST_OK)
		goto out;
	if (memcmp(then, e->shown, HASH_LEN) != 0)
		*out = "mismatch";
	else
		*out = now_is_shown ? "ok" : "stale";
out:
	scope_free(&s);
	return st;
}

/* ---- for callers */

static enum status
skeleton(const struct merge *m, struct merge_work *w,
    const struct merge_view *view, struct bytes kind, const struct bytes *parts,
    size_t part_count, struct buf *out)
{
	struct writer wr = { m, w, view, out, false };
	struct scope s;
	enum status st = scope_find(&s, m, parts, part_count);

	if (st != ST_OK)
		return st;
	put_skeleton(&wr, &s, kind, parts, part_count);
	scope_free(&s);
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
