/* commit_pieces: pieces become rows, each where it belongs in its chain. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "server/core/commit_place.h"

/* ---- what a piece brings besides new entries */

static enum status
note_refill(struct txn *t, uint64_t place, struct bytes bytes, bool lost)
{
	struct refill *r;
	enum status st =
	    txn_room(&t->refill, &t->refill_cap, t->refill_count, sizeof(*r));

	if (st != ST_OK)
		return st;
	r = &t->refill[t->refill_count++];
	r->place = place;
	entry_digest(r->digest, bytes);
	r->lost = lost;
	return ST_OK;
}

/* Bytes for places that lacked them; the links have matched already. */
static enum status
fill_one(struct placing *pl, const struct store_entry *row, size_t i)
{
	const struct ingest_entry *e = &pl->in->entry[pl->p->at + i];
	uint32_t lacks = row->flags & (STORE_LOST | STORE_BLIND);
	uint32_t still = e->flags & (STORE_LOST | STORE_BLIND);
	struct txn *t = pl->t;
	enum status st;

	if (lacks == 0 || (row->flags & STORE_ERASED) != 0 ||
	    (still & STORE_LOST) != 0 || still == lacks)
		return ST_OK;
	st = store_fill(t->s, row->place,
	    e->flags | (row->flags & (STORE_HELD | STORE_SERVER)), e->bytes,
	    e->why);
	if (st != ST_OK)
		return st;
	st = txn_arrived(t, row->link, row->place);
	if (st == ST_OK)
		st = note_refill(
		    t, row->place, e->bytes, (lacks & STORE_LOST) != 0);
	if (st != ST_OK)
		return st;
	t->rows = true;
	t->filled++;
	if ((row->flags & STORE_HELD) == 0 || lacks != STORE_LOST)
		return ST_OK;
	return place_held(t, e, "its bytes came later");
}

static enum status
fill(struct placing *pl, size_t count)
{
	struct store_reader *r = store_inside(pl->t->s);
	struct store_entry row;
	uint32_t status = 0;
	enum status st = ST_OK;

	for (uint32_t b = 0; b < pl->v->count; b++)
		status |= pl->v->branch[b].status;
	if ((status & STORE_CHAIN_LACKS) == 0)
		return ST_OK;
	for (size_t i = 0; i < count && st == ST_OK; i++) {
		st = chain_row_at(pl->v, pl->branch, pl->p->first + i, r, &row);
		if (st == ST_OK)
			st = fill_one(pl, &row, i);
	}
	return st == ST_ABSENT ? ST_CORRUPT : st;
}

/* Supervisors are to see what stands at that place of the chain. */
static enum status
raise_at(struct placing *pl, const char *sort, uint64_t seq, uint64_t place)
{
	char hex[2 * CHAIN_LEN + 1], doc[192];
	struct store_alarm a = { .wall = pl->t->wall,
		.sort = bytes_str(sort),
		.dev = bytes_str(ingest_from(pl->in, pl->p)->dev) };

	hex_encode(hex, bytes_of(pl->p->chain, CHAIN_LEN));
	(void)snprintf(doc, sizeof(doc),
	    "{\"chain\":\"%s\",\"seq\":%llu,\"branch\":%u,\"place\":%llu}", hex,
	    (unsigned long long)seq, (unsigned)pl->branch,
	    (unsigned long long)place);
	a.doc = bytes_str(doc);
	pl->t->rows = true;
	return store_put_alarm(pl->t->s, &a);
}

/* A new branch, held from its first entry on, like all that its key sends
 * from now on. */
static enum status
fork_off(struct placing *pl, const struct attach *a)
{
	const struct ingest_piece *p = pl->p;
	struct chain_view *v = pl->v;
	struct chain_branch *b = &v->branch[v->count];
	enum status st;

	assert(v->count < CHAIN_BRANCHES_MAX);
	memset(b, 0, sizeof(*b));
	b->parent = a->branch;
	b->base_seq = p->first + a->skip - 1;
	memcpy(b->base_link,
	    a->skip == 0 ? p->base : ingest_link(pl->in, p, a->skip - 1),
	    HASH_LEN);
	b->last_seq = b->base_seq;
	memcpy(b->last_link, b->base_link, HASH_LEN);
	b->status = STORE_CHAIN_HELD;
	pl->branch = v->count++;
	v->dirty |= 1u << pl->branch;
	pl->held = "fork: another entry stands in the same place";
	pl->t->forks++;
	st = chains_stage_hold(pl->t->c->chains, v->key);
	if (st == ST_OK)
		st = raise_at(pl, "fork", b->base_seq + 1, pl->t->next);
	return st;
}

/* Entries that their device can no longer read: once a piece, at the first. */
static enum status
raise_lost(struct placing *pl, size_t skip)
{
	uint64_t place = pl->t->next - (pl->p->count - skip);

	for (size_t i = skip; i < pl->p->count; i++) {
		if ((pl->in->entry[pl->p->at + i].flags & STORE_LOST) != 0)
			return raise_at(
			    pl, "lost", pl->p->first + i, place + (i - skip));
	}
	return ST_OK;
}

static enum status
note_span(struct placing *pl, uint64_t first, uint64_t last, const char *why)
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
	s->first = first;
	s->last = last;
	s->recovered = why;
	if (why == NULL && pl->p->proved != 0 && first >= pl->p->first) {
		s->in = pl->in;
		s->part = pl->p->proved - 1;
		s->leaf = ingest_leaf_of(pl->in, pl->p);
	}
	return ST_OK;
}

/* ---- a piece */

/* Why everything from this key is held, as things stand in this transaction. */
static const char *
held_why(const struct placing *pl)
{
	const struct centre *c = pl->t->c;
	const struct ingest_device *dev = ingest_from(pl->in, pl->p);
	const char *why = NULL;

	if (chains_staged_held(c->chains, dev->key))
		return "fork: everything further from this device";
	if (dev->recovered != NULL)
		return dev->held;
	if (c->standing != NULL)
		why = c->standing(c->standing_arg, dev->key);
	return why != NULL ? why : dev->held;
}

enum status
place_piece(struct placing *pl, const struct attach *a)
{
	const struct chain_branch *b = &pl->v->branch[a->branch];
	const struct ingest_device *dev = ingest_from(pl->in, pl->p);
	enum status st;

	pl->branch = a->branch;
	pl->held = held_why(pl);
	st = fill(pl, a->skip);
	if (st != ST_OK)
		return st;
	switch (a->as) {
	case ATTACH_HOLE:
		place_status(pl, pl->branch, STORE_CHAIN_HOLES);
		st = note_span(pl, b->last_seq + 1, pl->p->first - 1, NULL);
		break;
	case ATTACH_FORK:
		st = fork_off(pl, a);
		break;
	default:
		break;
	}
	if (st == ST_OK)
		st = place_rows(pl, a->skip);
	if (st == ST_OK)
		st = raise_lost(pl, a->skip);
	if (st == ST_OK && a->as != ATTACH_FILL && a->as != ATTACH_WITHIN)
		place_moved(pl);
	if (st == ST_OK && (dev->recovered != NULL || pl->p->proved != 0))
		st = note_span(pl, pl->p->first + a->skip,
		    pl->p->first + pl->p->count - 1, dev->recovered);
	return st;
}

/* How the chain's ack will read; a later piece of it overwrites this. */
static enum status
note_done(struct placing *pl, enum ack_status status, uint64_t seq,
    bool has_place, uint64_t place)
{
	struct txn *t = pl->t;
	struct done_piece *d;
	enum status st;

	st = txn_room(&t->done, &t->done_cap, t->done_count, sizeof(*d));
	if (st != ST_OK)
		return st;
	d = &t->done[t->done_count++];
	memset(d, 0, sizeof(*d));
	d->in = pl->in;
	d->ack = pl->p->ack;
	d->status = status;
	d->seq = seq;
	d->has_place = has_place;
	d->place = place;
	if (has_place)
		memcpy(d->link, ingest_link(pl->in, pl->p, pl->p->count - 1),
		    HASH_LEN);
	return ST_OK;
}

/* All of it is there: the same answer as the first time. */
static enum status
answer_again(struct placing *pl, const struct attach *a)
{
	uint64_t last = pl->p->first + pl->p->count - 1;
	struct store_entry row;
	enum status st;

	pl->branch = a->branch;
	st = fill(pl, a->skip);
	if (st == ST_OK)
		st = chain_row_at(
		    pl->v, a->branch, last, store_inside(pl->t->s), &row);
	if (st != ST_OK)
		return st == ST_ABSENT ? ST_CORRUPT : st;
	return note_done(pl,
	    (row.flags & STORE_HELD) != 0 ? ACK_HELD : ACK_TAKEN, last, true,
	    row.place);
}

/*
 * A piece with a hole of ours in what it shares: *end is the last place of the
 * first one, 0 if there is none.  Its signature is over places beyond, so it
 * cannot stand for what lacks: the device cuts it.
 */
static enum status
reaches_over(struct placing *pl, const struct attach *a, uint64_t *end)
{
	struct store_reader *r = store_inside(pl->t->s);
	uint32_t branch = a->branch;
	struct store_entry row;
	enum status st = ST_OK;

	if ((pl->v->branch[0].status & STORE_CHAIN_HOLES) == 0 && branch == 0)
		return ST_OK;
	for (size_t i = 0; i < a->skip && st == ST_OK; i++) {
		uint64_t seq = pl->p->first + i;

		st = chain_row_at(pl->v, branch, seq, r, &row);
		if (st != ST_ABSENT)
			continue;
		branch = chain_owner(pl->v, branch, seq);
		st = store_find_next(r, pl->v->no, seq, branch, &row);
		if (st == ST_OK)
			*end = row.seq - 1;
		return st == ST_ABSENT ? ST_CORRUPT : st;
	}
	return st;
}

/* A handheld has one chain and begins no other: whoever writes a second one
 * with its key has a copy of the key, and no fork would show it. */
static enum status
raise_second(struct placing *pl)
{
	uint32_t chains;
	bool held;

	chains_key(pl->t->c->chains, pl->v->key, &chains, &held);
	pl->branch = 0;
	return chains == 0
		   ? ST_OK
		   : raise_at(pl, "second_chain", pl->p->first, pl->t->next);
}

static enum status
take(struct placing *pl)
{
	const struct ingest_piece *p = pl->p;
	struct attach a;
	uint64_t end = 0;
	enum status st;

	if (pl->v->count == 0) {
		if (p->first > 1 && !p->hole)
			return note_done(pl, ACK_GAP, 0, false, 0);
		chains_begin(pl->t->c->chains, pl->v, p->link0);
		st = raise_second(pl);
		if (st != ST_OK)
			return st;
	}
	st = attach_plan(&a, pl->v, store_inside(pl->t->s), pl->in, p);
	if (st == ST_OK && a.skip > 0)
		st = reaches_over(pl, &a, &end);
	if (st != ST_OK)
		return st;
	if (end != 0)
		return note_done(pl, ACK_CUT, end, false, 0);
	switch (a.as) {
	case ATTACH_GAP:
		return note_done(pl, ACK_GAP, a.seq, false, 0);
	case ATTACH_FULL:
		centre_attempt(
		    pl->t->c, "too_many_branches", pl->in->dev.dev, "{}");
		return note_done(
		    pl, ACK_CLOSED, chain_least_last(pl->v), false, 0);
	case ATTACH_DUP:
		return answer_again(pl, &a);
	default:
		break;
	}
	st = place_piece(pl, &a);
	if (st != ST_OK)
		return st;
	return note_done(pl, pl->held != NULL ? ACK_HELD : ACK_TAKEN,
	    p->first + p->count - 1, true, pl->t->next - 1);
}

enum status
txn_pieces(struct txn *t, struct ingest *in)
{
	struct placing pl = { .t = t, .in = in };
	size_t stopped = SIZE_MAX; /* the chain whose piece was not placed */
	enum status st = ST_OK;

	if (in->word_count > 0) {
		st = txn_room(&t->word_of, &t->word_cap, t->word_count,
		    sizeof(const struct ingest *));
		if (st != ST_OK)
			return st;
		t->word_of[t->word_count++] = in;
	}

	for (size_t i = 0; i < in->piece_count && st == ST_OK; i++) {
		pl.p = &in->piece[i];
		if (pl.p->proved == 0 && pl.p->ack == stopped)
			continue;
		pl.held = NULL;
		pl.v = chains_stage(
		    t->c->chains, pl.p->chain, ingest_from(in, pl.p)->key);
		if (pl.v == NULL)
			return ST_NOMEM;
		if (pl.p->proved != 0) {
			st = place_proved(&pl);
			continue;
		}
		st = take(&pl);
		if (st == ST_OK && !t->done[t->done_count - 1].has_place)
			stopped = pl.p->ack;
	}
	return st;
}

void
txn_acks(struct txn *t)
{
	for (size_t i = 0; i < t->done_count; i++) {
		const struct done_piece *d = &t->done[i];
		struct ingest_ack *a = &d->in->ack[d->ack];

		/* A refusal of a later piece stands; what was taken before it
		 * is told all the same. */
		if (a->status == ACK_TAKEN || a->status == ACK_HELD ||
		    !d->has_place)
			a->status = d->status;
		if (d->has_place || !a->has_place)
			a->seq = d->seq;
		if (!d->has_place)
			continue;
		a->has_place = true;
		a->place = d->place;
		memcpy(a->link, d->link, HASH_LEN);
	}
}
