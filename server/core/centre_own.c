/* centre_own: the entries of the court's own chains, few among many. */
#include <stdlib.h>
#include <string.h>

#include "server/core/centre_inner.h"
#include "server/core/commit_inner.h"

/* One own chain, and what is next on it. */
struct own_chain {
	uint64_t no, seq;
	bool found; /* its entry `seq` stands at `place` */
	uint64_t place;
};

struct centre_own {
	struct centre *c;
	struct centre_reader *r; /* borrowed */
	uint64_t seen;           /* chains looked at so far, by number */
	struct own_chain *chain; /* owned */
	size_t count, cap;
	struct own_chain *last; /* that the last entry given is of, or NULL */
};

enum status
centre_own_open(
    struct centre_own **out, struct centre *c, struct centre_reader *r)
{
	struct centre_own *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return ST_NOMEM;
	o->c = c;
	o->r = r;
	*out = o;
	return ST_OK;
}

void
centre_own_close(struct centre_own *o)
{
	if (o == NULL)
		return;
	free(o->chain);
	free(o);
}

/* Chains that have come since: each is looked at once. */
static enum status
look_for_chains(struct centre_own *o)
{
	struct chain_view v;

	while (chains_at(o->c->chains, o->seen, &v)) {
		if ((v.branch[0].status & STORE_CHAIN_SERVER) != 0) {
			enum status st = txn_room(
			    &o->chain, &o->cap, o->count, sizeof(*o->chain));

			if (st != ST_OK)
				return st;
			o->chain[o->count++] =
			    (struct own_chain){ .no = v.no, .seq = 1 };
		}
		o->seen++;
	}
	return ST_OK;
}

static enum status
look_ahead(struct centre_own *o, struct own_chain *ch)
{
	struct store_entry e;
	enum status st;

	if (ch->found)
		return ST_OK;
	st = store_find_next(centre_reader_store(o->r), ch->no, ch->seq, 0, &e);
	if (st == ST_ABSENT)
		return ST_OK;
	if (st != ST_OK)
		return st;
	ch->found = true;
	ch->seq = e.seq;
	ch->place = e.place;
	return ST_OK;
}

enum status
centre_own_next(struct centre_own *o, uint64_t to, struct centre_entry *out)
{
	struct own_chain *first = NULL;
	enum status st;

	o->last = NULL;
	st = look_for_chains(o);
	for (size_t i = 0; st == ST_OK && i < o->count; i++) {
		struct own_chain *ch = &o->chain[i];

		st = look_ahead(o, ch);
		if (st == ST_OK && ch->found && ch->place < to &&
		    (first == NULL || ch->place < first->place))
			first = ch;
	}
	if (st == ST_OK && first == NULL)
		st = ST_ABSENT;
	if (st == ST_OK)
		st = centre_entry(o->r, first->place, out);
	if (st == ST_OK)
		o->last = first;
	return st;
}

void
centre_own_took(struct centre_own *o)
{
	if (o->last == NULL)
		return;
	o->last->seq++;
	o->last->found = false;
	o->last = NULL;
}

bool
centre_sign_own(const struct centre *c, const uint8_t chain[CHAIN_LEN],
    uint64_t seq, const uint8_t link[HASH_LEN], uint8_t sig[SIG_LEN])
{
	if (memcmp(chain, serverchain_id(c->sc), CHAIN_LEN) != 0)
		return false;
	serverchain_sign_at(c->sc, seq, link, sig);
	return true;
}
