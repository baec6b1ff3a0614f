/* commit_rows: the rows and the line of a piece whose place is known. */
#include <assert.h>
#include <string.h>

#include "base/enc.h"
#include "server/core/commit_place.h"

enum { LINE_SALT = 16 };

/* ---- held entries */

enum status
place_held(struct txn *t, const struct ingest_entry *e, const char *reason)
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

void
place_status(struct placing *pl, uint32_t branch, uint32_t bits)
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
	if ((e->flags & STORE_LOST) == 0)
		st = txn_arrived(t, e->link, row.place);
	if (st != ST_OK)
		return st;
	t->next++;
	t->malformed += (e->flags & STORE_MALFORMED) != 0;
	t->lost += (e->flags & STORE_LOST) != 0;
	if ((e->flags & (STORE_LOST | STORE_BLIND)) != 0)
		place_status(pl, pl->branch, STORE_CHAIN_LACKS);
	return pl->held == NULL ? ST_OK : place_held(t, e, pl->held);
}

enum status
place_rows(struct placing *pl, size_t skip)
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

void
place_moved(struct placing *pl)
{
	const struct ingest_piece *p = pl->p;
	struct chain_branch *b = &pl->v->branch[pl->branch];

	b->last_seq = p->first + p->count - 1;
	memcpy(b->last_link, ingest_link(pl->in, p, p->count - 1), HASH_LEN);
	b->last_place = pl->t->next - 1;
	pl->v->dirty |= 1u << pl->branch;
}
