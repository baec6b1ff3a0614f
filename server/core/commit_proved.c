/* commit_proved: pieces that a log that ended had proved, each where it fits
 * (docs/PROTOCOL.md, section 9). */
#include <string.h>

#include "server/core/commit_place.h"

/* What fits nowhere is kept in the words of the log. */
static enum status
keep_aside(struct placing *pl)
{
	struct txn *t = pl->t;
	struct span *s;
	enum status st;

	st = txn_room(&t->span, &t->span_cap, t->span_count, sizeof(*s));
	if (st != ST_OK)
		return st;
	s = &t->span[t->span_count++];
	memset(s, 0, sizeof(*s));
	memcpy(s->dev, ingest_from(pl->in, pl->p)->dev, sizeof(s->dev));
	memcpy(s->chain, pl->p->chain, CHAIN_LEN);
	s->first = s->last = pl->p->first;
	s->in = pl->in;
	s->part = pl->p->proved - 1;
	s->leaf = ingest_leaf_of(pl->in, pl->p);
	s->evidence = true;
	return ST_OK;
}

/* The first entry of `rest`, and where everything behind it goes along all of
 * it; *took says how many. */
static enum status
place_some(struct placing *pl, const struct ingest_piece *rest, size_t *took)
{
	struct ingest_piece one = *rest;
	struct attach a;
	enum status st;

	*took = 1;
	one.count = 1;
	pl->p = &one;
	pl->held = NULL;
	st = attach_proved(&a, pl->v, store_inside(pl->t->s), pl->in, &one);
	if (st != ST_OK || a.as == ATTACH_DUP)
		return st;
	if (a.as == ATTACH_GAP)
		return keep_aside(pl);
	if (a.as == ATTACH_EXTEND || a.as == ATTACH_HOLE)
		*took = one.count = rest->count;
	return place_piece(pl, &a);
}

enum status
place_proved(struct placing *pl)
{
	struct ingest_piece rest = *pl->p;
	size_t took;
	enum status st = ST_OK;

	if (pl->v->count == 0)
		chains_begin(pl->t->c->chains, pl->v, rest.link0);
	while (rest.count > 0 && st == ST_OK) {
		st = place_some(pl, &rest, &took);
		if (st != ST_OK)
			break;
		memcpy(rest.base, pl->in->entry[rest.at + took - 1].link,
		    HASH_LEN);
		rest.first += took;
		rest.at += took;
		rest.count -= took;
	}
	return st;
}
