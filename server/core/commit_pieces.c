/* commit_pieces: pieces become rows, each where it belongs in its chain. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "server/core/commit_inner.h"

enum { LINE_SALT = 16 };

/* Where a piece goes on, and as what. */
struct placing {
	struct txn *t;
	struct ingest *in;
	const struct ingest_piece *p;
	struct chain_view *v;
	uint32_t branch;
	const char *held; /* why everything of it is held, or NULL */
};

/* ---- held entries */

static enum status
note_held(struct txn *t, const struct ingest_entry *e, const char *reason)
{
	struct held_entry *h;
	enum status st;

	/* What has no effect needs no hold; a lost one gets it when filled. */
	if ((e->flags & (STORE_MALFORMED | STORE_LOST)) != 0)
		return ST_OK;
	st = entry_parse(&t->parse, e->bytes);
	if (st != ST_OK)
		return st == ST_INVALID ? ST_OK : st;
	if (t->parse.kind.len >= HELD_KIND_MAX)
		return ST_OK;
	st = txn_room(&t->held, &t->held_cap, t->held_count, sizeof(*h));
	if (st != ST_OK)
		return st;
	h = &t->held[t->held_count++];
	memset(h, 0, sizeof(*h));
	assert(t->parse.rec.len == REC_LEN);
	memcpy(h->rec, t->parse.rec.p, REC_LEN);
	memcpy(h->kind, t->parse.kind.p, t->parse.kind.len);
	memcpy(h->id, e->link, ID_LEN);
	h->reason = reason;
	return ST_OK;
}

/* ---- rows */

static void
branch_status(struct placing *pl, uint32_t branch, uint32_t bits)
{
	struct chain_branch *b = &pl->v->branch[branch];

	if ((b->status & bits) == bits)
		return;
	b->status |= bits;
	pl->v->dirty |= 1u << branch;
}

static enum status
put_line(struct placing *pl, uint64_t first)
{
	const struct ingest_piece *p = pl->p;
	struct txn *t = pl->t;
	uint8_t line[PIECE_LINE_LEN], leaf[HASH_LEN], *at = line;
	uint64_t last = p->first + p->count - 1;

	port_random(t->c->port, at, LINE_SALT);
	at += LINE_SALT;
	memcpy(at, p->chain, CHAIN_LEN);
	at += CHAIN_LEN;
	be64_put(at, first);
	be64_put(at + 8, last);
	at += 16;
	memcpy(at, ingest_link(pl->in, p, p->count - 1), HASH_LEN);
	at += HASH_LEN;
	memcpy(at, p->sig, SIG_LEN);
	assert(at + SIG_LEN == line + sizeof(line));
	buf_add(&t->lines, line, sizeof(line));
	merkle_leaf(leaf, bytes_of(line, sizeof(line)));
	frontier_add(&t->line_tree, leaf);
	t->pieces++;
	return t->lines.err;
}

static enum status
put_row(struct placing *pl, size_t i, bool first)
{
	const struct ingest_piece *p = pl->p;
	const struct ingest_entry *e = &pl->in->entry[p->at + i];
	struct txn *t = pl->t;
	struct store_entry row = { .place = t->next,
		.chain = pl->v->no,
		.seq = p->first + i,
		.branch = pl->branch,
		.flags = e->flags | (pl->held != NULL ? STORE_HELD : 0),
		.has_prev = first,
		.bytes = e->bytes };
	enum status st;

	if (first)
		memcpy(row.prev,
		    i == 0 ? p->base : ingest_link(pl->in, p, i - 1), HASH_LEN);
	memcpy(row.link, e->link, HASH_LEN);
	st = store_put_entry(t->s, &row, e->why);
	if (st != ST_OK)
		return st;
	t->next++;
	t->malformed += (e->flags & STORE_MALFORMED) != 0;
	t->lost += (e->flags & STORE_LOST) != 0;
	if ((e->flags & (STORE_LOST | STORE_BLIND)) != 0)
		branch_status(pl, pl->branch, STORE_CHAIN_LACKS);
	return pl->held == NULL ? ST_OK : note_held(t, e, pl->held);
}

/* Entries from `skip` on, in one row of places, and their line. */
static enum status
put_rows(struct placing *pl, size_t skip)
{
	const struct ingest_piece *p = pl->p;
	enum status st = ST_OK;

	assert(skip < p->count);
	for (size_t i = skip; i < p->count && st == ST_OK; i++)
		st = put_row(pl, i, i == skip);
	if (st == ST_OK)
		st = tlog_append(pl->t->c->tlog,
		    (const uint8_t(*)[HASH_LEN])pl->in->leaf + p->at + skip,
		    p->count - skip);
	if (st == ST_OK)
		st = put_line(pl, p->first + skip);
	return st;
}

/* The branch now ends where the piece does. */
static void
move_on(struct placing *pl)
{
	const struct ingest_piece *p = pl->p;
	struct chain_branch *b = &pl->v->branch[pl->branch];

	b->last_seq = p->first + p->count - 1;
	memcpy(b->last_link, ingest_link(pl->in, p, p->count - 1), HASH_LEN);
	b->last_place = pl->t->next - 1;
	pl->v->dirty |= 1u << pl->branch;
}

/* ---- what a piece brings besides new entries */

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
	t->rows = true;
	t->filled++;
	if ((row->flags & STORE_HELD) == 0 || lacks != STORE_LOST)
		return ST_OK;
	return note_held(t, e, "its bytes came later");
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
		.dev = bytes_str(pl->in->dev.dev) };

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
	memcpy(s->dev, pl->in->dev.dev, sizeof(s->dev));
	memcpy(s->chain, pl->p->chain, CHAIN_LEN);
	s->first = first;
	s->last = last;
	s->recovered = why;
	return ST_OK;
}

/* ---- a piece */

/* Why everything from this key is held, as things stand in this transaction. */
static const char *
held_why(const struct placing *pl)
{
	const struct centre *c = pl->t->c;
	const char *why = NULL;

	if (chains_staged_held(c->chains, pl->in->dev.key))
		return "fork: everything further from this device";
	if (pl->in->dev.recovered != NULL)
		return pl->in->dev.held;
	if (c->standing != NULL)
		why = c->standing(c->standing_arg, pl->in->dev.key);
	return why != NULL ? why : pl->in->dev.held;
}

static enum status
place_piece(struct placing *pl, const struct attach *a)
{
	const struct chain_branch *b = &pl->v->branch[a->branch];
	enum status st;

	pl->branch = a->branch;
	pl->held = held_why(pl);
	st = fill(pl, a->skip);
	if (st != ST_OK)
		return st;
	switch (a->as) {
	case ATTACH_HOLE:
		st = note_span(pl, b->last_seq + 1, pl->p->first - 1, NULL);
		break;
	case ATTACH_FORK:
		st = fork_off(pl, a);
		break;
	default:
		break;
	}
	if (st == ST_OK)
		st = put_rows(pl, a->skip);
	if (st == ST_OK)
		st = raise_lost(pl, a->skip);
	if (st == ST_OK && a->as != ATTACH_FILL)
		move_on(pl);
	if (st == ST_OK && pl->in->dev.recovered != NULL)
		st = note_span(pl, pl->p->first + a->skip,
		    pl->p->first + pl->p->count - 1, pl->in->dev.recovered);
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

static enum status
take(struct placing *pl)
{
	const struct ingest_piece *p = pl->p;
	struct attach a;
	enum status st;

	if (pl->v->count == 0) {
		if (p->first > 1 && !p->hole)
			return note_done(pl, ACK_GAP, 0, false, 0);
		chains_begin(pl->t->c->chains, pl->v, p->link0);
	}
	st = attach_plan(&a, pl->v, store_inside(pl->t->s), pl->in, p);
	if (st != ST_OK)
		return st;
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

	for (size_t i = 0; i < in->piece_count && st == ST_OK; i++) {
		pl.p = &in->piece[i];
		if (pl.p->ack == stopped)
			continue;
		pl.held = NULL;
		pl.v = chains_stage(t->c->chains, pl.p->chain, in->dev.key);
		if (pl.v == NULL)
			return ST_NOMEM;
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
