/* answer_parts: what a device is to hear of its streams, with the proofs. */
#include <stdlib.h>
#include <string.h>

#include "erase/erase.h"
#include "server/roster/answer_impl.h"

static const struct wire_cursor *
cursor_of(const struct sync_up *up, const uint8_t scope[ID_LEN])
{
	for (size_t i = 0; i < up->cursor_count; i++) {
		if (memcmp(up->cursor[i].scope, scope, ID_LEN) == 0)
			return &up->cursor[i];
	}
	return NULL;
}

/*
 * What takes trust away goes with this centre's signature, so that whoever has
 * it can show it if this log should end (docs/PROTOCOL.md, section 9).
 */
static enum status
sign_row(
    struct answer *a, struct wire_stream_entry *w, const struct centre_entry *e)
{
	enum status st;

	if ((e->flags & STORE_SERVER) == 0 || e->place < centre_kept(a->centre))
		return ST_OK;
	st = entry_parse(&a->parse, e->bytes);
	if (st != ST_OK)
		return st == ST_INVALID ? ST_OK : st;
	if (a->parse.verb != DO_HOLD &&
	    !bytes_eq_str(a->parse.kind, ERASE_KIND) &&
	    (a->parse.verb != DO_ADVANCE ||
		!bytes_eq_str(a->parse.kind, "device@1")))
		return ST_OK;
	if (centre_sign_own(a->centre, e->chain, e->seq, e->link, w->sig))
		w->flags |= STREAM_SIGNED;
	return ST_OK;
}

/* The i-th step's entry becomes a row of the answer. */
static enum status
put_row(struct answer *a, const struct feed_step *step)
{
	struct wire_stream_entry *w = &a->row[a->row_count];
	struct centre_entry e;
	enum status st;

	st = centre_entry(a->reader, step->place, &e);
	if (st != ST_OK)
		return st;
	memset(w, 0, sizeof(*w));
	a->row_off[a->row_count] = 0;
	w->place = e.place;
	w->seq = e.seq;
	memcpy(w->chain, e.chain, CHAIN_LEN);
	memcpy(w->prev, e.prev, HASH_LEN);
	/* What is held is said by `hold` and `admit`, which come along. */
	if ((e.flags & STORE_MALFORMED) != 0)
		w->flags |= STREAM_BARE;
	if ((e.flags & STORE_SERVER) != 0)
		w->flags |= STREAM_SERVER;
	if ((e.flags & STORE_LOST) != 0) {
		w->entry.form = WIRE_LOST;
		if (e.bytes.len != HASH_LEN)
			return ST_CORRUPT;
		memcpy(w->entry.digest, e.bytes.p, HASH_LEN);
	} else {
		w->entry.form = memchr(e.bytes.p, '\n', e.bytes.len) == NULL
				    ? WIRE_HEAD
				    : WIRE_WHOLE;
		a->row_off[a->row_count] = a->bytes.len;
		w->entry.raw.len = e.bytes.len;
		buf_bytes(&a->bytes, e.bytes);
	}
	a->row_count++;
	st = sign_row(a, w, &e);
	return st == ST_OK ? a->bytes.err : st;
}

/* Places of a backfill and of what follows it may not ascend together. */
static int
by_place(const void *x, const void *y)
{
	const struct wire_stream_entry *a = x, *b = y;

	return (a->place > b->place) - (a->place < b->place);
}

/* Rows in order of place, each once: where one record left a scope and came
 * back, what the second `in` brings was on its way already. */
static void
order_part(struct answer *a, struct wire_part *p)
{
	size_t n = 0;

	qsort(p->entry, p->count, sizeof(*a->row), by_place);
	for (size_t i = 0; i < p->count; i++) {
		if (n == 0 || p->entry[i].place != p->entry[n - 1].place)
			p->entry[n++] = p->entry[i];
	}
	a->counters.entries_down += n;
	p->count = n;
}

static enum status
prove_part(struct answer *a, struct wire_part *p)
{
	uint64_t *places = calloc(p->count + 1, sizeof(*places));
	enum status st = places == NULL ? ST_NOMEM : ST_OK;

	if (st == ST_OK) {
		for (size_t i = 0; i < p->count; i++)
			places[i] = p->entry[i].place;
		st = tlog_many(centre_tlog(a->centre), places, p->count,
		    a->tip.size, &a->proofs);
	}
	free(places);
	return st;
}

/* One scope's part: as many steps as fit into what is left of the answer. */
static enum status
put_part(struct answer *a, const uint8_t scope[ID_LEN],
    const struct wire_cursor *from, size_t count, bool end, uint64_t size)
{
	struct wire_part *p = &a->part[a->part_count];
	size_t first = a->row_count, i;
	enum status st = ST_OK;

	memset(p, 0, sizeof(*p));
	memcpy(p->scope, scope, ID_LEN);
	p->place = from == NULL ? 0 : from->place;
	p->sub = from == NULL ? 0 : from->sub;
	for (i = 0; i < count && a->row_left > 0; i++) {
		if (a->step[i].place >= a->tip.size)
			break;
		if (a->bytes.len >= PART_BYTES_MAX)
			break;
		st = put_row(a, &a->step[i]);
		if (st != ST_OK)
			return st;
		a->row_left--;
		p->place = a->step[i].next_place;
		p->sub = a->step[i].next_sub;
	}
	p->more = i < count || !end;
	a->more = a->more || p->more;
	/* Nothing more below `size`: the cursor may stand there, so that the
	 * next look begins where this one ended. */
	if (i == count && end && p->sub == 0 && size > p->place && i > 0)
		p->place = size;
	p->count = a->row_count - first;
	if (p->count == 0)
		return ST_OK; /* nothing to say: no part */
	p->entry = &a->row[first];
	a->proof_off[a->part_count] = a->proofs.len;
	a->part_count++;
	return ST_OK;
}

static enum status
put_scope(struct answer *a, const uint8_t scope[ID_LEN], bool own)
{
	struct feed_reader *fr =
	    a->feed_reader != NULL ? a->feed_reader : feed_inside(a->feed);
	const struct wire_cursor *c = cursor_of(a->up, scope);
	uint64_t place = c == NULL ? 0 : c->place, sub = c == NULL ? 0 : c->sub;
	uint64_t size = 0;
	size_t count = 0;
	bool end = false;
	enum status st;

	if (own)
		st = feed_device(fr, a->device.dev, a->device.person,
		    a->device.team, place, a->step, a->row_left, &count, &end,
		    &size);
	else
		st = feed_scope(fr, scope, place, sub, a->step, a->row_left,
		    &count, &end, &size);
	return st == ST_OK ? put_part(a, scope, c, count, end, size) : st;
}

/*
 * The feed does not know yet all that the log holds: nobody must take it that
 * he has everything.  A part of nothing, at the cursor that was asked with,
 * says so where there is none to say it.
 */
static void
say_not_yet(struct answer *a)
{
	static const uint8_t own[ID_LEN];
	const struct wire_cursor *c = cursor_of(a->up, own);
	struct wire_part *p = &a->part[0];

	a->more = true;
	if (a->part_count > 0)
		return;
	memset(p, 0, sizeof(*p));
	p->place = c == NULL ? 0 : c->place;
	p->sub = c == NULL ? 0 : c->sub;
	a->part_count = 1;
}

enum status
answer_put_parts(struct answer *a)
{
	static const uint8_t own[ID_LEN];
	/* Looked at before the streams are: it only comes true. */
	bool whole = feed_is_whole(a->feed);
	uint8_t scope[ROSTER_SCOPES_MAX][ID_LEN];
	size_t count = 0;
	enum status st;

	a->part_count = a->row_count = 0;
	a->row_left = PART_STEPS_MAX;
	a->more = false;
	buf_reset(&a->bytes);
	buf_reset(&a->proofs);
	if (a->peer.deliver || a->device.standing[0] != '\0' ||
	    a->device.place == 0)
		return ST_OK;
	st = put_scope(a, own, true);
	if (st == ST_OK)
		st = roster_scopes_of(
		    a->roster, a->device.person, scope, &count);
	for (size_t i = 0; st == ST_OK && i < count; i++) {
		/* No room was left to look at this one. */
		if (a->row_left == 0)
			a->more = true;
		else
			st = put_scope(a, scope[i], false);
	}
	if (st == ST_OK && !whole)
		say_not_yet(a);
	/* An agent that reads no `more` may take it that it has all. */
	if (a->more && a->part_count > 0)
		a->part[a->part_count - 1].more = true;
	/* The bytes stand still now. */
	for (size_t i = 0; st == ST_OK && i < a->row_count; i++)
		a->row[i].entry.raw.p = a->bytes.p + a->row_off[i];
	for (size_t i = 0; st == ST_OK && i < a->part_count; i++) {
		a->proof_off[i] = a->proofs.len;
		if (a->part[i].count == 0)
			continue;
		order_part(a, &a->part[i]);
		st = prove_part(a, &a->part[i]);
		a->part[i].proof.len = a->proofs.len - a->proof_off[i];
	}
	for (size_t i = 0; st == ST_OK && i < a->part_count; i++)
		a->part[i].proof.p = a->proofs.p + a->proof_off[i];
	return st;
}
