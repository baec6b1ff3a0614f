/*
 * What a sign is (C9): the skeleton of what its signer knew, beside what was
 * shown and what there is now.
 *
 * A skeleton is as long as the record, and it is hashed whole for each sign
 * behind which something was written: that cannot be less.  Writing it anew
 * can: of cells in which the signer knew every mention, the member is the one
 * of now.  So the skeleton of now is kept with the place of each member, and
 * runs of such members are hashed where they stand.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha.h"
#include "entry/merge_impl.h"

/* Short runs are gathered: SHA-256 is quickest over many blocks at once. */
enum { FLUSH_AT = 32768, RUN_MIN = 16384 };

struct merge_now {
	const struct merge_entry *sign; /* one that signed these parts */
	struct merge_scope scope;
	uint8_t hash[HASH_LEN];
	struct buf text; /* members of fields, then of items, of now */
	uint32_t *at;    /* [cells + 1] where a member begins; NULL: not yet */
};

static void
now_free(struct merge_now *n)
{
	if (n == NULL)
		return;
	merge_scope_free(&n->scope);
	buf_free(&n->text);
	free(n->at);
	free(n);
}

void
merge_shown_free(struct merge_shown *s)
{
	for (size_t i = 0; i < MERGE_NOW_MAX; i++)
		now_free(s->now[i]);
	*s = (struct merge_shown){ .next = 0 };
}

/* ---- each cell of a scope */

static size_t
cell_count(const struct merge_ranges *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->count; i++)
		n += r->range[i].hi - r->range[i].lo;
	return n;
}

/* ---- the skeleton of now */

/* Hash what stands in `text`, and begin it anew. */
static void
flush(struct sha256_run *sha, struct buf *text)
{
	sha256_more(sha, buf_view(text));
	buf_reset(text);
}

typedef void put_cell(struct merge_writer *wr, const struct merge_cell *c);

/* The members of a table into n->text, with their places from `at` on. */
static uint32_t *
mark_members(struct merge_now *n, struct merge_writer *wr,
    const struct merge_table *t, const struct merge_ranges *r, put_cell *put,
    uint32_t *at)
{
	wr->some = false;
	for (size_t i = 0; i < r->count; i++) {
		for (uint32_t k = r->range[i].lo; k < r->range[i].hi; k++) {
			*at++ = (uint32_t)n->text.len;
			put(wr, &t->cell[k]);
		}
	}
	*at++ = (uint32_t)n->text.len;
	return at;
}

/* Keep members of now, with their places: fields, an end, items, an end. */
static enum status
keep_members(struct merge_now *n, const struct merge *m, struct merge_work *w)
{
	const struct merge_view all = merge_view_all(m);
	struct merge_writer wr = { m, w, &all, &n->text, false };
	size_t count = cell_count(&n->scope.field) + cell_count(&n->scope.item);
	uint32_t *at;

	n->at = calloc(count + 2, sizeof(*n->at));
	if (n->at == NULL)
		return ST_NOMEM;
	at = mark_members(n, &wr, &m->table[CLASS_FIELD], &n->scope.field,
	    merge_put_field, n->at);
	at = mark_members(
	    n, &wr, &m->table[CLASS_ITEM], &n->scope.item, merge_put_item, at);
	assert((size_t)(at - n->at) == count + 2);
	return n->text.err;
}

/* ---- a skeleton, hashed as it is written */

struct hashing {
	struct merge_writer wr;
	struct sha256_run sha;
	const struct merge_now *now; /* NULL: write every cell */
	struct buf text;
};

/* Members of now from `from` to `to`. */
static void
take_run(struct hashing *h, size_t from, size_t to)
{
	const uint8_t *p = h->now->text.p + from;
	size_t len = to - from;

	if (len == 0)
		return;
	/* Only the first member of now has no comma before it, and what is
	 * written stands behind that one: every cell has a member of now. */
	assert(*p == ',' || !h->wr.some);
	if (*p == ',' && !h->wr.some) {
		p++;
		len--;
	}
	h->wr.some = true;
	if (len < RUN_MIN) {
		buf_add(&h->text, p, len);
		if (h->text.len >= FLUSH_AT)
			flush(&h->sha, &h->text);
		return;
	}
	flush(&h->sha, &h->text);
	sha256_more(&h->sha, bytes_of(p, len));
}

/* Every mention of the cell is in the view, which no ruling changes. */
static bool
knows_cell(const struct merge *m, const struct merge_view *v,
    const struct merge_table *t, const struct merge_cell *c)
{
	uint32_t i = c->to;

	if (t->mention[i - 1].place >= v->before)
		return false;
	while (i > c->from && t->mention[i - 1].place >= v->solid) {
		if (!merge_past_has(m, v->past, t->mention[--i].place))
			return false;
	}
	return true;
}

static const uint32_t *
hash_cells(struct hashing *h, const struct merge_table *t,
    const struct merge_ranges *r, put_cell *put, const uint32_t *at)
{
	const struct merge_view *v = h->wr.view;
	size_t from = 0, to = 0; /* a run that was not taken yet */

	h->wr.some = false;
	buf_u8(&h->text, '{');
	for (size_t i = 0; i < r->count; i++) {
		for (uint32_t k = r->range[i].lo; k < r->range[i].hi; k++) {
			const struct merge_cell *c = &t->cell[k];

			if (at != NULL && knows_cell(h->wr.m, v, t, c)) {
				from = from == to ? at[0] : from;
				to = at[1];
				at++;
				continue;
			}
			if (at != NULL) {
				take_run(h, from, to);
				at++;
			}
			from = to = 0;
			/* Else nothing of it is in the view. */
			if (t->mention[c->from].place < v->before)
				put(&h->wr, c);
			if (h->text.len >= FLUSH_AT)
				flush(&h->sha, &h->text);
		}
	}
	if (at != NULL)
		take_run(h, from, to);
	buf_u8(&h->text, '}');
	return at == NULL ? NULL : at + 1;
}

/* SHA-256 of a skeleton over a view; `n` has the parts. */
static enum status
hash_skeleton(const struct merge *m, struct merge_work *w,
    const struct merge_view *view, const struct merge_now *n,
    uint8_t hash[HASH_LEN])
{
	struct hashing h = { .wr = { m, w, view, &h.text, false }, .now = n };
	const uint32_t *at = view->all ? NULL : n->at;
	enum status st;

	buf_init(&h.text, MERGE_BYTES_MAX);
	sha256_begin(&h.sha);
	buf_str(&h.text, "{\"fields\":");
	at = hash_cells(
	    &h, &m->table[CLASS_FIELD], &n->scope.field, merge_put_field, at);
	buf_str(&h.text, ",\"items\":");
	(void)hash_cells(
	    &h, &m->table[CLASS_ITEM], &n->scope.item, merge_put_item, at);
	merge_put_parts(&h.text, n->sign->kind, n->sign->on, n->sign->on_count);
	st = h.text.err;
	flush(&h.sha, &h.text);
	sha256_end(&h.sha, hash);
	buf_free(&h.text);
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

/* Everything in these cells is known. */
static bool
knows_all(const struct merge *m, const struct merge_view *view,
    const struct merge_table *t, const struct merge_ranges *ranges)
{
	for (size_t i = 0; i < ranges->count; i++) {
		const struct merge_range *r = &ranges->range[i];

		for (uint32_t k = r->lo; k < r->hi; k++) {
			if (!knows_cell(m, view, t, &t->cell[k]))
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
is_same(const struct merge *m, const struct merge_view *then,
    const struct merge_scope *s)
{
	return m->ruling_count == 0 &&
	       knows_all(m, then, &m->table[CLASS_FIELD], &s->field) &&
	       knows_all(m, then, &m->table[CLASS_ITEM], &s->item);
}

/* What there is of the parts of `e` now: found, or made in the place of what
 * was made first. */
static enum status
find_now(const struct merge *m, struct merge_work *w,
    const struct merge_entry *e, struct merge_shown *s, struct merge_now **out)
{
	const struct merge_view all = merge_view_all(m);
	struct merge_now *n;
	enum status st;

	for (size_t i = 0; i < MERGE_NOW_MAX; i++) {
		*out = s->now[i];
		if (*out != NULL && same_parts((*out)->sign, e))
			return ST_OK;
	}
	n = calloc(1, sizeof(*n));
	if (n == NULL)
		return ST_NOMEM;
	n->sign = e;
	buf_init(&n->text, MERGE_BYTES_MAX);
	st = merge_scope_find(&n->scope, m, e->on, e->on_count);
	if (st == ST_OK)
		st = hash_skeleton(m, w, &all, n, n->hash);
	if (st != ST_OK) {
		now_free(n);
		return st;
	}
	now_free(s->now[s->next]);
	s->now[s->next] = *out = n;
	s->next = (s->next + 1) % MERGE_NOW_MAX;
	return ST_OK;
}

/* The hash over what the entry at `place` knew. */
static enum status
hash_then(const struct merge *m, struct merge_work *w, uint32_t place,
    struct merge_now *n, uint8_t hash[HASH_LEN])
{
	struct merge_view view = merge_view_known(m, w, place);
	enum status st = ST_OK;

	memcpy(hash, n->hash, HASH_LEN);
	if (is_same(m, &view, &n->scope))
		return ST_OK;
	if (n->at == NULL && m->ruling_count == 0)
		st = keep_members(n, m, w);
	return st == ST_OK ? hash_skeleton(m, w, &view, n, hash) : st;
}

enum status
merge_verdict(const struct merge *m, struct merge_work *w, uint32_t place,
    struct merge_shown *shown, const char **out)
{
	const struct merge_entry *e = m->entry[place];
	uint8_t then[HASH_LEN];
	struct merge_now *n;
	bool now_is_shown;
	enum status st;

	if (e->rank != RANK_WHOLE) {
		*out = "unknown";
		return ST_OK;
	}
	st = find_now(m, w, e, shown, &n);
	if (st != ST_OK)
		return st;
	now_is_shown = memcmp(n->hash, e->shown, HASH_LEN) == 0;
	if (m->gap[place]) {
		*out = now_is_shown ? "ok" : "unknown";
		return ST_OK;
	}
	st = hash_then(m, w, place, n, then);
	if (st != ST_OK)
		return st;
	if (memcmp(then, e->shown, HASH_LEN) != 0)
		*out = "mismatch";
	else
		*out = now_is_shown ? "ok" : "stale";
	return ST_OK;
}
