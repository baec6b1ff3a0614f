/* log_chain: own chains: their ends, appending, comparing. */
#include "agent/log/log.h"

#include <assert.h>
#include <string.h>

#include "agent/log/log_inner.h"
#include "chainfile/vault.h"
#include "entry/chain.h"
#include "entry/entry.h"

enum { OLD_LEN = CHAIN_LEN + 8 + HASH_LEN };

/* ---- the open chain's end */

/*
 * The end of a chain.  The spine's last row under a good signature says all;
 * where it does not, the last place is walked, for which keys are needed.
 */
static enum status
load_end(struct log *l, uint32_t number, struct log_end *out)
{
	struct log_end e = { .has = true };
	struct chainfile_found found;
	struct chainfile_spine sp;
	bool certain;
	enum status st;

	st = chainfile_chain_get(l->f, number, &e.chain);
	if (st == ST_OK)
		st = chainfile_last(l->f, number, &e.seq, &certain);
	if (st != ST_OK)
		return st;
	e.broken = !certain;
	memcpy(e.link, e.chain.link0, HASH_LEN);
	if (e.seq == 0)
		goto out;
	st = chainfile_spine_get(l->f, number, e.seq, &sp);
	if (st == ST_OK && chain_verify(sp.sig, e.chain.public_key,
			       e.chain.chain, e.seq, sp.link) == ST_OK) {
		memcpy(e.link, sp.link, HASH_LEN);
		memcpy(e.sig, sp.sig, SIG_LEN);
		goto out;
	}
	if (st == ST_IO || st == ST_NOMEM)
		return st;
	e.broken = true;
	if (!log_is_unlocked(l))
		goto out;
	st = chainfile_walk(l->f, number, e.seq, e.seq, NULL, NULL, &found);
	if (st != ST_OK)
		return st;
	e.broken = !found.head_ok;
	memcpy(e.link, found.link, HASH_LEN);
	memcpy(e.sig, found.sig, SIG_LEN);
out:
	*out = e;
	return ST_OK;
}

enum status
log_end_load(struct log *l)
{
	uint32_t last;
	enum status st = chainfile_chain_last(l->f, &last);

	if (st != ST_OK)
		return st;
	l->end = (struct log_end){ .has = false };
	if (last == 0)
		return ST_OK;
	st = load_end(l, last, &l->end);
	if (st == ST_CORRUPT || st == ST_ABSENT) {
		/* Not even its name is left: only a new chain helps. */
		l->end = (struct log_end){ .has = true, .broken = true };
		l->end.chain.number = last;
		return ST_OK;
	}
	return st;
}

/* ---- heads */

static const char *
old_name(struct log *l, uint32_t number)
{
	buf_reset(&l->name);
	buf_printf(&l->name, "old/%u", number);
	return buf_cstr(&l->name);
}

/* What the first entry of a chain must name of the chain before. */
static enum status
load_old(struct log *l, uint32_t number, struct log_head *h)
{
	const char *name = old_name(l, number);
	enum status st;
	struct buf b;

	if (name == NULL)
		return ST_NOMEM;
	buf_init(&b, OLD_LEN);
	st = vault_get(l->db, name, &b);
	if (st == ST_OK && b.len == OLD_LEN) {
		h->has_old = true;
		memcpy(h->old_chain, b.p, CHAIN_LEN);
		h->old_seq = be64_get(b.p + CHAIN_LEN);
		memcpy(h->old_link, b.p + CHAIN_LEN + 8, HASH_LEN);
	}
	buf_free(&b);
	return st == ST_ABSENT ? ST_OK : st;
}

static enum status
head_of(struct log *l, const struct log_end *e, struct log_head *out)
{
	struct log_head h = { .number = e->chain.number, .seq = e->seq };
	uint64_t sent = 0;
	enum status st;

	memcpy(h.chain, e->chain.chain, CHAIN_LEN);
	memcpy(h.link, e->link, HASH_LEN);
	memcpy(h.sig, e->sig, SIG_LEN);
	st = log_receipted(l, &e->chain, &sent);
	/* Without its receipts all is sent again, and answered as before. */
	if (st == ST_OK || st == ST_CORRUPT)
		st = load_old(l, h.number, &h);
	if (st != ST_OK)
		return log_fail(l, st, "a chain's head");
	h.unsent_from = sent + 1;
	*out = h;
	return ST_OK;
}

enum status
log_head(struct log *l, struct log_head *out)
{
	if (!l->end.has)
		return ST_ABSENT;
	return head_of(l, &l->end, out);
}

enum status
log_chain(struct log *l, uint32_t number, struct log_head *out)
{
	struct log_end e;
	enum status st;

	if (!l->end.has || number < 1 || number > l->end.chain.number)
		return ST_ABSENT;
	if (number == l->end.chain.number)
		return log_head(l, out);
	st = load_end(l, number, &e);
	if (st != ST_OK)
		return log_fail(l, st, "an older chain");
	return head_of(l, &e, out);
}

/* ---- a new chain */

/* Chain, last place and link of the chain that ends here, as far as known. */
static enum status
describe_old(struct log *l, uint8_t out[OLD_LEN])
{
	struct log_end *e = &l->end;
	struct chainfile_found found;
	uint64_t seq = e->seq;
	enum status st;

	memcpy(out, e->chain.chain, CHAIN_LEN);
	memcpy(out + CHAIN_LEN + 8, e->link, HASH_LEN);
	if (e->broken) {
		st = chainfile_walk(
		    l->f, e->chain.number, 1, UINT64_MAX, NULL, NULL, &found);
		if (st != ST_OK)
			return st;
		seq = found.known;
		memcpy(out + CHAIN_LEN + 8, found.link, HASH_LEN);
	}
	be64_put(out + CHAIN_LEN, seq);
	return ST_OK;
}

static enum status
write_chain(struct log *l, struct chainfile_chain *c, bool has_old,
    const uint8_t old[OLD_LEN])
{
	const char *name;
	enum status st = chainfile_chain_add(l->f, c);

	if (st != ST_OK || !has_old)
		return st;
	name = old_name(l, c->number);
	return name == NULL ? ST_NOMEM
			    : vault_put(l->db, name, bytes_of(old, OLD_LEN));
}

enum status
log_chain_new(struct log *l, const uint8_t court_id[HASH_LEN])
{
	struct chainfile_chain c = { .number = 0 };
	struct log_end end = { .has = true };
	bool has_old = l->end.has;
	uint8_t old[OLD_LEN];
	enum status st;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	if (has_old) {
		st = describe_old(l, old);
		/* A chain that has lost its name cannot be named. */
		has_old = st == ST_OK;
		if (st == ST_IO || st == ST_NOMEM)
			return log_fail(l, st, "the chain before");
	}
	port_random(l->port, c.chain, CHAIN_LEN);
	memcpy(c.court_id, court_id, HASH_LEN);
	memcpy(c.public_key, l->ring.public_key, PUBKEY_LEN);
	st = log_write_begin(l);
	if (st == ST_OK)
		st = log_write_end(l, write_chain(l, &c, has_old, old));
	if (st != ST_OK)
		return log_fail(l, st, "beginning a chain");
	end.chain = c;
	memcpy(end.link, c.link0, HASH_LEN);
	l->end = end;
	return ST_OK;
}

/* ---- appending */

static enum status
write_entry(struct log *l, const struct log_end *next, struct bytes raw,
    const uint8_t digest[HASH_LEN])
{
	struct chainfile_row row = { .form = CHAINFILE_FORM_WHOLE, .raw = raw };
	struct chainfile_spine sp;
	enum status st;

	memcpy(row.prev, l->end.link, HASH_LEN);
	memcpy(row.sig, next->sig, SIG_LEN);
	buf_reset(&l->row);
	chainfile_row_write(&l->row, &row);
	if (l->row.err != ST_OK)
		return l->row.err;
	memcpy(sp.digest, digest, HASH_LEN);
	memcpy(sp.link, next->link, HASH_LEN);
	memcpy(sp.sig, next->sig, SIG_LEN);
	st = log_write_begin(l);
	if (st != ST_OK)
		return st;
	st = chainfile_entry_put(
	    l->f, &l->end.chain, next->seq, buf_view(&l->row), false);
	if (st == ST_OK)
		st = chainfile_spine_put(
		    l->f, l->end.chain.number, next->seq, &sp, false);
	return log_write_end(l, st);
}

enum status
log_append(
    struct log *l, uint64_t seq, struct bytes raw, uint8_t link[HASH_LEN])
{
	struct log_end next = l->end;
	uint8_t digest[HASH_LEN];
	enum status st;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	if (!l->end.has || seq != l->end.seq + 1)
		return log_fail(l, ST_CONFLICT, "appending out of turn");
	if (l->end.broken)
		return log_fail(l, ST_CORRUPT, "the chain's end is damaged");
	if (raw.len == 0 || raw.len > ENTRY_BYTES_MAX)
		return log_fail(l, ST_LIMIT, "an entry's length");
	next.seq = seq;
	entry_digest(digest, raw);
	chain_link(next.link, l->end.link, seq, digest);
	chain_sign(next.sig, identity_secret_key(l->ring.identity),
	    next.chain.chain, seq, next.link);
	st = write_entry(l, &next, raw, digest);
	/* A batch cannot be tried again here: its other writes are gone. */
	if (st == ST_FULL && !l->in_batch && log_reserve_spend(l))
		st = write_entry(l, &next, raw, digest);
	/* A table whose last page is torn takes no more rows. */
	if (st == ST_CORRUPT || (st == ST_CONFLICT && !l->in_batch))
		l->end.broken = true;
	if (st != ST_OK)
		return log_fail(
		    l, st == ST_CONFLICT ? ST_CORRUPT : st, "appending");
	l->end = next;
	memcpy(link, next.link, HASH_LEN);
	return ST_OK;
}

/* ---- comparing */

/* The link of a place, by the spine or by walking; ST_ABSENT: not known. */
static enum status
link_at(struct log *l, const struct chainfile_chain *c, uint64_t seq,
    uint8_t out[HASH_LEN])
{
	struct chainfile_found found;
	struct chainfile_spine sp;
	enum status st;

	if (seq == 0) {
		memcpy(out, c->link0, HASH_LEN);
		return ST_OK;
	}
	st = chainfile_spine_get(l->f, c->number, seq, &sp);
	if (st == ST_OK && chain_verify(sp.sig, c->public_key, c->chain, seq,
			       sp.link) == ST_OK) {
		memcpy(out, sp.link, HASH_LEN);
		return ST_OK;
	}
	if (st == ST_IO || st == ST_NOMEM)
		return st;
	if (!log_is_unlocked(l))
		return ST_ABSENT;
	st = chainfile_walk(l->f, c->number, seq, seq, NULL, NULL, &found);
	if (st != ST_OK)
		return st;
	memcpy(out, found.link, HASH_LEN);
	return found.known == seq ? ST_OK : ST_ABSENT;
}

enum status
log_compare(struct log *l, const uint8_t chain[CHAIN_LEN], uint64_t seq,
    const uint8_t link[HASH_LEN], enum log_compare *out)
{
	uint8_t ours[HASH_LEN];
	struct chainfile_chain c;
	uint64_t last;
	bool certain;
	enum status st = chainfile_chain_find(l->f, chain, &c);

	if (st == ST_ABSENT) {
		*out = LOG_UNKNOWN;
		return ST_OK;
	}
	if (st == ST_OK)
		st = chainfile_last(l->f, c.number, &last, &certain);
	if (st != ST_OK)
		return log_fail(l, st, "comparing a chain");
	if (seq > last) {
		*out = certain ? LOG_BEHIND : LOG_UNKNOWN;
		return ST_OK;
	}
	st = link_at(l, &c, seq, ours);
	if (st == ST_ABSENT) {
		*out = LOG_UNKNOWN;
		return ST_OK;
	}
	if (st != ST_OK)
		return log_fail(l, st, "comparing a chain");
	if (memcmp(ours, link, HASH_LEN) != 0)
		*out = LOG_FORKED;
	else
		*out = seq == last ? LOG_SAME : LOG_AHEAD;
	return ST_OK;
}
