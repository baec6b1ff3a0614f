#include "server/core/ingest.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/chain.h"
#include "server/core/centre_inner.h"
#include "server/core/ingest_inner.h"

enum { DAY_MS = 24 * 60 * 60 * 1000 };

enum status
ingest_new(struct ingest **out, struct centre *c)
{
	struct ingest *in = calloc(1, sizeof(*in));

	if (in == NULL)
		return ST_NOMEM;
	in->c = c;
	entry_init(&in->parse);
	*out = in;
	return ST_OK;
}

void
ingest_free(struct ingest *in)
{
	if (in == NULL)
		return;
	entry_free(&in->parse);
	ingest_proved_free(in);
	free(in->piece);
	free(in->entry);
	free(in->leaf);
	free(in->ack);
	free(in);
}

/* ---- memory */

/* Room for `need` things of `size`; what was there is kept. */
static enum status
room(void *array, size_t *cap, size_t need, size_t size)
{
	void **p = array;
	void *grown;

	if (need <= *cap)
		return ST_OK;
	grown = realloc(*p, need * size);
	if (grown == NULL)
		return ST_NOMEM;
	*p = grown;
	*cap = need;
	return ST_OK;
}

static enum status
make_room(struct ingest *in, size_t pieces, size_t entries)
{
	size_t cap = in->entry_cap;
	enum status st;

	st = room(&in->piece, &in->piece_cap, pieces, sizeof(*in->piece));
	if (st == ST_OK)
		st = room(&in->ack, &in->ack_cap, pieces, sizeof(*in->ack));
	if (st == ST_OK)
		st = room(&in->entry, &cap, entries, sizeof(*in->entry));
	if (st == ST_OK)
		st = room(&in->leaf, &in->entry_cap, entries, HASH_LEN);
	return st;
}

enum status
ingest_room(struct ingest *in, size_t pieces, size_t entries)
{
	return make_room(
	    in, in->piece_count + pieces, in->entry_count + entries);
}

/* ---- reading entries */

/* What makes an entry malformed that it cannot know by itself. */
static const char *
wrong_here(const struct ingest *in, const struct ingest_piece *p, size_t i)
{
	const struct entry *e = &in->parse;
	uint64_t seq = p->first + i;

	if (memcmp(e->chain, p->chain, CHAIN_LEN) != 0)
		return "head: chain is not the one it stands in";
	if (e->seq != seq)
		return "head: seq is not its place in the chain";
	if (!bytes_eq_str(e->court, in->c->court))
		return "head: court is not this court";
	if (e->verb == DO_HOLD || e->verb == DO_ADMIT)
		return "head: hold and admit are the centre's";
	if (seq == 1 && strcmp(e->dev, ingest_from(in, p)->dev) != 0)
		return "head: dev is not the device of this chain";
	return NULL;
}

enum status
ingest_read(struct ingest *in, const struct ingest_piece *p, size_t i,
    const struct wire_entry *w)
{
	struct ingest_entry *e = &in->entry[p->at + i];
	enum status st;

	*e = (struct ingest_entry){ .bytes = w->raw, .link = w->link };
	merkle_leaf(in->leaf[p->at + i], bytes_of(w->link, HASH_LEN));
	if (w->form == WIRE_LOST) {
		e->bytes = bytes_of(w->digest, HASH_LEN);
		e->flags = STORE_LOST;
		return ST_OK;
	}
	st = entry_parse(&in->parse, w->raw);
	if (st == ST_INVALID) {
		e->why = in->parse.why != NULL ? in->parse.why : "head";
	} else if (st != ST_OK) {
		return st;
	} else {
		e->why = wrong_here(in, p, i);
		if (in->parse.body_is == ENTRY_BODY_BLIND)
			e->flags |= STORE_BLIND;
	}
	if (e->why != NULL)
		e->flags |= STORE_MALFORMED;
	/* Read no further than its head, it may lack a body all the same. */
	if (st == ST_INVALID && memchr(w->raw.p, '\n', w->raw.len) == NULL)
		e->flags |= STORE_BLIND;
	return ST_OK;
}

/* ---- finding what a piece rests on */

/* What take_piece looks at. */
struct taking {
	struct ingest *in;
	struct sync_msg *m;
	const struct sync_up *up;
	size_t index; /* of the piece in `up` */
	const struct wire_piece *w;
	struct ingest_ack *ack;
	size_t ack_index;
	bool known;
	struct chain_view v;
	uint8_t link0[HASH_LEN];
};

static void
refuse(struct taking *t, enum ack_status status, uint64_t seq)
{
	t->ack->status = status;
	t->ack->seq = seq;
}

static void
note_attempt(const struct taking *t, const char *sort)
{
	char hex[2 * CHAIN_LEN + 1], doc[128];

	hex_encode(hex, bytes_of(t->w->chain, CHAIN_LEN));
	(void)snprintf(doc, sizeof(doc), "{\"chain\":\"%s\",\"first\":%llu}",
	    hex, (unsigned long long)t->w->first);
	centre_attempt(t->in->c, sort, t->in->dev.dev, doc);
}

/* Open the piece on `base`; is its head signature good then? */
static bool
opens_on(const struct taking *t, const uint8_t base[HASH_LEN])
{
	const struct wire_piece *w = t->w;

	sync_piece_open(t->m, t->index, base);
	return chain_verify(w->sig, t->in->dev.key, w->chain,
		   w->first + w->count - 1,
		   w->entry[w->count - 1].link) == ST_OK;
}

/* The piece of this request that this one goes on from, or NULL. */
static const struct ingest_piece *
before_it(const struct taking *t)
{
	const struct ingest *in = t->in;

	for (size_t i = in->piece_count; i-- > 0;) {
		const struct ingest_piece *p = &in->piece[i];

		if (p->ack == t->ack_index)
			return p->first + p->count == t->w->first ? p : NULL;
	}
	return NULL;
}

/*
 * Try what we hold at first - 1, branch by branch.  *found: there was such a
 * link at all.  ST_OK with a good one in `base`; ST_DENIED: none was.
 */
static enum status
try_ours(struct taking *t, bool *found, uint8_t base[HASH_LEN])
{
	uint8_t link[HASH_LEN], last[HASH_LEN] = { 0 };
	enum status st;

	*found = false;
	for (uint32_t b = 0; b < t->v.count; b++) {
		if (t->w->first - 1 > t->v.branch[b].last_seq)
			continue;
		(void)pthread_mutex_lock(&t->in->c->look_lock);
		st = chain_link_at(
		    &t->v, b, t->w->first - 1, t->in->c->look, link);
		(void)pthread_mutex_unlock(&t->in->c->look_lock);
		if (st == ST_ABSENT)
			continue;
		if (st != ST_OK)
			return st;
		if (*found && memcmp(last, link, HASH_LEN) == 0)
			continue; /* two branches share it */
		*found = true;
		memcpy(last, link, HASH_LEN);
		if (opens_on(t, link)) {
			memcpy(base, link, HASH_LEN);
			return ST_OK;
		}
	}
	return ST_DENIED;
}

/*
 * The link that the piece rests on, its signature being good over it.
 * ST_DENIED: the ack says why not.
 */
static enum status
find_base(struct taking *t, uint8_t base[HASH_LEN])
{
	const struct wire_piece *w = t->w;
	const struct ingest_piece *p = before_it(t);
	bool found = false, good = false;
	enum status st;

	if (w->has_base) {
		good = (w->first > 1 ||
			   memcmp(w->base, t->link0, HASH_LEN) == 0) &&
		       opens_on(t, w->base);
		memcpy(base, w->base, HASH_LEN);
		found = true;
	} else if (p != NULL) {
		memcpy(base, ingest_link(t->in, p, p->count - 1), HASH_LEN);
		good = opens_on(t, base);
		found = true;
	} else if (w->first == 1) {
		memcpy(base, t->link0, HASH_LEN);
		good = opens_on(t, base);
		found = true;
	}
	if (!good && !w->has_base && w->first > 1) {
		st = try_ours(t, &found, base);
		if (st != ST_OK && st != ST_DENIED)
			return st;
		good = st == ST_OK;
		found = found || p != NULL;
	}
	if (good)
		return ST_OK;
	if (found) {
		refuse(t, ACK_REFUSED, chain_least_last(&t->v));
		note_attempt(t, "bad_signature");
	} else {
		refuse(t, ACK_GAP, chain_least_last(&t->v));
	}
	return ST_DENIED;
}

/* May this device write there at all?  Else the ack says why not. */
static bool
may_write(struct taking *t)
{
	const struct ingest_device *dev = &t->in->dev;
	uint32_t chains;
	bool held;

	if (t->known &&
	    (memcmp(t->v.key, dev->key, PUBKEY_LEN) != 0 ||
		(t->v.branch[0].status & STORE_CHAIN_SERVER) != 0)) {
		refuse(t, ACK_CLOSED, 0);
		note_attempt(t, "not_its_chain");
		return false;
	}
	if (t->known)
		return true;
	chains_key(t->in->c->chains, dev->key, &chains, &held);
	if (chains < KEY_CHAINS_MAX)
		return true;
	refuse(t, ACK_CLOSED, 0);
	note_attempt(t, "too_many_chains");
	return false;
}

static bool
within_quota(struct taking *t)
{
	uint64_t bytes = 0, max = t->in->dev.quota_bytes;

	if (!t->in->dev.quota)
		return true;
	if (max == 0)
		max = INGEST_DELIVER_BYTES;
	for (size_t i = 0; i < t->w->count; i++)
		bytes += t->w->entry[i].raw.len + HASH_LEN;
	if (chains_quota(t->in->c->chains, t->in->dev.key,
		port_wall_ms(t->in->c->port) / DAY_MS, bytes, max))
		return true;
	refuse(t, ACK_QUOTA, chain_least_last(&t->v));
	return false;
}

static enum status
take_piece(struct taking *t)
{
	struct ingest *in = t->in;
	struct ingest_piece *p = &in->piece[in->piece_count];
	enum status st;

	/* What stands behind a refused piece of its chain has no footing. */
	if (t->ack->status != ACK_TAKEN)
		return ST_OK;
	t->known = chains_get(in->c->chains, t->w->chain, &t->v);
	if (!t->known)
		t->v.count = 0;
	chain_link0(t->link0, in->c->court_id, in->dev.key, t->w->chain);
	if (!may_write(t))
		return ST_OK;
	memset(p, 0, sizeof(*p));
	st = find_base(t, p->base);
	if (st != ST_OK)
		return st == ST_DENIED ? ST_OK : st;
	if (!within_quota(t))
		return ST_OK;
	memcpy(p->chain, t->w->chain, CHAIN_LEN);
	p->first = t->w->first;
	p->count = t->w->count;
	p->hole = t->w->hole && t->w->has_base;
	memcpy(p->link0, t->link0, HASH_LEN);
	memcpy(p->sig, t->w->sig, SIG_LEN);
	p->at = in->entry_count;
	p->ack = t->ack_index;
	for (size_t i = 0; i < p->count; i++) {
		st = ingest_read(in, p, i, &t->w->entry[i]);
		if (st != ST_OK)
			return st;
		in->bytes += in->entry[p->at + i].bytes.len;
	}
	in->entry_count += p->count;
	in->piece_count++;
	return ST_OK;
}

static size_t
ack_of(struct ingest *in, const uint8_t chain[CHAIN_LEN])
{
	size_t i = 0;

	while (i < in->ack_count &&
	       memcmp(in->ack[i].chain, chain, CHAIN_LEN) != 0)
		i++;
	if (i == in->ack_count) {
		in->ack[i] = (struct ingest_ack){ .status = ACK_TAKEN };
		memcpy(in->ack[i].chain, chain, CHAIN_LEN);
		in->ack_count++;
	}
	return i;
}

enum status
ingest_prepare(struct ingest *in, const struct ingest_device *dev,
    struct sync_msg *m, const struct sync_up *up)
{
	struct taking *t;
	size_t entries = 0;
	enum status st;

	in->dev = *dev;
	in->piece_count = in->entry_count = in->ack_count = in->bytes = 0;
	ingest_proved_reset(in);
	for (size_t i = 0; i < up->piece_count; i++)
		entries += up->piece[i].count;
	st = make_room(in, up->piece_count, entries);
	if (st != ST_OK)
		return st;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return ST_NOMEM;
	t->in = in;
	t->m = m;
	t->up = up;
	for (size_t i = 0; i < up->piece_count && st == ST_OK; i++) {
		t->index = i;
		t->w = &up->piece[i];
		t->ack_index = ack_of(in, t->w->chain);
		t->ack = &in->ack[t->ack_index];
		st = take_piece(t);
	}
	free(t);
	if (st != ST_OK)
		in->piece_count = in->entry_count = in->ack_count = 0;
	return st;
}

size_t
ingest_ready(const struct ingest *in)
{
	return in->piece_count + in->word_count;
}

const struct ingest_ack *
ingest_acks(const struct ingest *in, size_t *count)
{
	*count = in->ack_count;
	return in->ack;
}
