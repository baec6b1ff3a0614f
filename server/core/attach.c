/*
 * attach: where a piece belongs in its chain.
 *
 * Links say it and nothing else: since link(n) names everything before it, two
 * chains that have one link in common have all before it in common, and once
 * they differ they differ for ever.  So the entries that a piece shares with a
 * branch are its first ones, and their number is found by halving.
 */
#include <assert.h>
#include <string.h>

#include "server/core/ingest_inner.h"

uint32_t
chain_owner(const struct chain_view *v, uint32_t branch, uint64_t seq)
{
	assert(branch < v->count);
	while (branch > 0 && seq <= v->branch[branch].base_seq)
		branch = v->branch[branch].parent;
	return branch;
}

enum status
chain_row_at(const struct chain_view *v, uint32_t branch, uint64_t seq,
    struct store_reader *r, struct store_entry *out)
{
	branch = chain_owner(v, branch, seq);
	if (seq > v->branch[branch].last_seq)
		return ST_ABSENT;
	return store_find(r, v->no, seq, branch, out);
}

enum status
chain_link_at(const struct chain_view *v, uint32_t branch, uint64_t seq,
    struct store_reader *r, uint8_t out[HASH_LEN])
{
	const struct chain_branch *b = &v->branch[branch];
	struct store_entry e;
	enum status st;

	if (seq == b->base_seq) {
		memcpy(out, b->base_link, HASH_LEN);
		return ST_OK;
	}
	if (seq == b->last_seq) {
		memcpy(out, b->last_link, HASH_LEN);
		return ST_OK;
	}
	if (seq == 0) {
		memcpy(out, v->branch[0].base_link, HASH_LEN);
		return ST_OK;
	}
	st = chain_row_at(v, branch, seq, r, &e);
	if (st == ST_OK)
		memcpy(out, e.link, HASH_LEN);
	return st;
}

uint64_t
chain_least_last(const struct chain_view *v)
{
	uint64_t least = UINT64_MAX;

	for (uint32_t b = 0; b < v->count; b++)
		if (v->branch[b].last_seq < least)
			least = v->branch[b].last_seq;
	return v->count == 0 ? 0 : least;
}

/* Is entry i of the piece on the branch?  A place in a hole is on none. */
static enum status
is_on(bool *out, const struct chain_view *v, uint32_t branch,
    struct store_reader *r, const struct ingest *in,
    const struct ingest_piece *p, size_t i)
{
	uint8_t link[HASH_LEN];
	enum status st = chain_link_at(v, branch, p->first + i, r, link);

	if (st == ST_ABSENT) {
		*out = false;
		return ST_OK;
	}
	if (st == ST_OK)
		*out = memcmp(link, ingest_link(in, p, i), HASH_LEN) == 0;
	return st;
}

/* How many entries the piece shares with a branch that its base is on. */
static enum status
shared(size_t *out, const struct chain_view *v, uint32_t branch,
    struct store_reader *r, const struct ingest *in,
    const struct ingest_piece *p)
{
	uint64_t last = v->branch[branch].last_seq;
	size_t lo = 0, hi = p->count, mid;
	enum status st = ST_OK;
	bool on = false;

	if (last < p->first) {
		*out = 0;
		return ST_OK;
	}
	if (last - p->first + 1 < hi)
		hi = (size_t)(last - p->first + 1);
	/* Nearly always all of them. */
	st = is_on(&on, v, branch, r, in, p, hi - 1);
	if (st == ST_OK && on)
		lo = hi;
	while (lo < hi && st == ST_OK) {
		mid = lo + (hi - lo) / 2;
		st = is_on(&on, v, branch, r, in, p, mid);
		if (on)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (st == ST_OK)
		*out = lo;
	return st;
}

/*
 * Does the piece rest on a link of the branch?  Where it begins right behind a
 * hole of the branch its base is not there to be compared, but if its first
 * entry is, then it is the same piece come again.
 */
static enum status
rests_on(bool *out, const struct chain_view *v, uint32_t branch,
    struct store_reader *r, const struct ingest *in,
    const struct ingest_piece *p)
{
	uint8_t link[HASH_LEN];
	enum status st = chain_link_at(v, branch, p->first - 1, r, link);

	if (st == ST_ABSENT)
		return is_on(out, v, branch, r, in, p, 0);
	if (st == ST_OK)
		*out = memcmp(link, p->base, HASH_LEN) == 0;
	return st;
}

/* No branch has the piece's base. */
static void
plan_apart(struct attach *out, const struct chain_view *v,
    const struct ingest_piece *p)
{
	bool found = false;

	out->as = ATTACH_GAP;
	out->skip = 0;
	out->seq = chain_least_last(v);
	if (p->hole) {
		/* The hole lies behind the branch that reaches furthest. */
		for (uint32_t b = 0; b < v->count; b++) {
			if (v->branch[b].last_seq >= p->first - 1)
				continue;
			if (found && v->branch[b].last_seq <=
					 v->branch[out->branch].last_seq)
				continue;
			out->branch = b;
			found = true;
		}
		if (found) {
			out->as = ATTACH_HOLE;
			return;
		}
	}
	/* It left us at a place that we hold: back by halves until we meet. */
	if (out->seq >= p->first - 1)
		out->seq = (p->first - 1) / 2;
}

/*
 * The branch goes on otherwise behind what is shared, or it has a hole there.
 * A hole is filled whole or not at all: only then its far end proves that the
 * entries are the ones that lacked.
 */
static enum status
plan_diverged(struct attach *out, const struct chain_view *v,
    struct store_reader *r, const struct ingest *in,
    const struct ingest_piece *p)
{
	uint64_t seq = p->first + out->skip;
	uint64_t last = p->first + p->count - 1;
	struct store_entry next;
	enum status st;

	st = chain_row_at(v, out->branch, seq, r, &next);
	if (st == ST_OK) {
		out->as =
		    v->count < CHAIN_BRANCHES_MAX ? ATTACH_FORK : ATTACH_FULL;
		return ST_OK;
	}
	if (st != ST_ABSENT)
		return st;
	out->branch = chain_owner(v, out->branch, seq);
	st = store_find_next(r, v->no, seq, out->branch, &next);
	if (st != ST_OK)
		return st == ST_ABSENT ? ST_CORRUPT : st;
	out->as = ATTACH_GAP;
	out->seq = seq - 1;
	if (last + 1 < next.seq) {
		/* A longer one than a piece may be: its signature speaks. */
		if (p->count == PIECE_ENTRIES_MAX)
			out->as = ATTACH_FILL;
		return ST_OK;
	}
	if (last + 1 == next.seq && next.has_prev &&
	    memcmp(next.prev, ingest_link(in, p, p->count - 1), HASH_LEN) ==
		0) {
		out->as = ATTACH_FILL;
		return ST_OK;
	}
	if (next.has_prev &&
	    memcmp(next.prev,
		ingest_link(in, p, (size_t)(next.seq - 1 - p->first)),
		HASH_LEN) != 0)
		out->as =
		    v->count < CHAIN_BRANCHES_MAX ? ATTACH_FORK : ATTACH_FULL;
	return ST_OK;
}

enum status
attach_plan(struct attach *out, const struct chain_view *v,
    struct store_reader *r, const struct ingest *in,
    const struct ingest_piece *p)
{
	struct attach best = { .as = ATTACH_GAP };
	bool found = false, on;
	size_t n;
	enum status st;

	assert(v->count > 0 && p->count > 0);
	for (uint32_t b = 0; b < v->count; b++) {
		if (p->first - 1 > v->branch[b].last_seq)
			continue;
		st = rests_on(&on, v, b, r, in, p);
		if (st != ST_OK)
			return st;
		if (!on)
			continue;
		st = shared(&n, v, b, r, in, p);
		if (st != ST_OK)
			return st;
		/* Of two that share as much, the one that ends there. */
		if (found && n < best.skip)
			continue;
		if (found && n == best.skip &&
		    v->branch[b].last_seq != p->first + n - 1)
			continue;
		found = true;
		best.branch = b;
		best.skip = n;
	}
	if (!found) {
		plan_apart(&best, v, p);
	} else if (best.skip == p->count) {
		best.as = ATTACH_DUP;
	} else if (v->branch[best.branch].last_seq ==
		   p->first + best.skip - 1) {
		best.as = ATTACH_EXTEND;
	} else {
		st = plan_diverged(&best, v, r, in, p);
		if (st != ST_OK)
			return st;
	}
	*out = best;
	return ST_OK;
}
