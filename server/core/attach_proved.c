/*
 * attach_proved: where an entry belongs that a log that ended had proved.
 *
 * Its device is not there to be asked, and nobody need have what lies before
 * it, so it goes wherever it fits: behind a branch, behind a hole, or into one.
 * What stands right before or right behind it must be what it rests on, or rest
 * on it; where it is not, that is a fork.
 */
#include <assert.h>
#include <string.h>

#include "server/core/ingest_inner.h"

struct fitting {
	const struct chain_view *v;
	struct store_reader *r;
	const struct ingest_piece *p;
	const uint8_t *link; /* of the entry */
	struct attach *out;
	unsigned rank; /* of what stands in `out`; higher is surer */
};

enum { RANK_NONE, RANK_HOLE, RANK_FORK, RANK_WITHIN, RANK_JOINED };

static void
offer(struct fitting *f, unsigned rank, enum attach_as as, uint32_t branch)
{
	/* Of two holes the one behind the branch that reaches furthest. */
	if (rank < f->rank ||
	    (rank == f->rank && (rank != RANK_HOLE ||
				    f->v->branch[branch].last_seq <=
					f->v->branch[f->out->branch].last_seq)))
		return;
	f->rank = rank;
	f->out->as = as;
	f->out->branch = branch;
}

/* The place lies in a hole of the branch.  Does it fit what is behind it? */
static enum status
fit_within(struct fitting *f, uint32_t branch, bool base_on)
{
	struct store_entry next;
	uint64_t seq = f->p->first;
	uint32_t owner = chain_owner(f->v, branch, seq);
	enum status st = store_find_next(f->r, f->v->no, seq, owner, &next);

	if (st != ST_OK)
		return st == ST_ABSENT ? ST_CORRUPT : st;
	if (next.seq != seq + 1 || !next.has_prev)
		offer(f, base_on ? RANK_JOINED : RANK_WITHIN, ATTACH_WITHIN,
		    owner);
	else if (memcmp(next.prev, f->link, HASH_LEN) == 0)
		offer(f, RANK_JOINED, ATTACH_WITHIN, owner);
	else if (base_on)
		offer(f, RANK_FORK, ATTACH_FORK, branch);
	return ST_OK;
}

/* How it stands to one branch.  *dup: it is there. */
static enum status
fit_branch(struct fitting *f, uint32_t b, bool *dup)
{
	uint64_t seq = f->p->first, last = f->v->branch[b].last_seq;
	uint8_t before[HASH_LEN], here[HASH_LEN];
	enum status had = ST_ABSENT, has = ST_ABSENT;
	bool base_on;

	if (seq - 1 <= last)
		had = chain_link_at(f->v, b, seq - 1, f->r, before);
	if (seq <= last)
		has = chain_link_at(f->v, b, seq, f->r, here);
	if ((had != ST_OK && had != ST_ABSENT) ||
	    (has != ST_OK && has != ST_ABSENT))
		return had != ST_OK && had != ST_ABSENT ? had : has;
	base_on = had == ST_OK && memcmp(before, f->p->base, HASH_LEN) == 0;
	*dup = has == ST_OK && memcmp(here, f->link, HASH_LEN) == 0;
	if (*dup) {
		f->out->as = ATTACH_DUP;
		f->out->branch = b;
		f->out->skip = 1;
	} else if (had == ST_OK && !base_on) {
		return ST_OK; /* it went another way before that place */
	} else if (base_on && seq - 1 == last) {
		offer(f, RANK_JOINED, ATTACH_EXTEND, b);
	} else if (seq - 1 > last) {
		offer(f, RANK_HOLE, ATTACH_HOLE, b);
	} else if (has == ST_OK) {
		if (base_on)
			offer(f, RANK_FORK, ATTACH_FORK, b);
	} else {
		return fit_within(f, b, base_on);
	}
	return ST_OK;
}

enum status
attach_proved(struct attach *out, const struct chain_view *v,
    struct store_reader *r, const struct ingest *in,
    const struct ingest_piece *p)
{
	struct fitting f = { .v = v,
		.r = r,
		.p = p,
		.link = ingest_link(in, p, 0),
		.out = out };
	bool dup = false;
	enum status st = ST_OK;

	assert(v->count > 0 && p->count > 0);
	*out = (struct attach){ .as = ATTACH_GAP };
	for (uint32_t b = 0; b < v->count && st == ST_OK && !dup; b++)
		st = fit_branch(&f, b, &dup);
	if (st == ST_OK && out->as == ATTACH_FORK &&
	    v->count == CHAIN_BRANCHES_MAX)
		out->as = ATTACH_GAP;
	return st;
}
