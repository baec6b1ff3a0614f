/* log_read: replay, filling, purging, checking. */
#include "agent/log/log.h"

#include <stdlib.h>
#include <string.h>

#include "agent/log/log_inner.h"
#include "entry/chain.h"
#include "entry/entry.h"

enum { MEND_MAX = 256 };

/* A spine row to be written anew, after the walk that found it. */
struct mend {
	uint32_t number;
	uint64_t seq;
	struct chainfile_spine sp;
};

struct replay {
	struct log *l;
	log_cb *cb;
	void *arg;
	struct mend *mend; /* MEND_MAX; NULL: nobody mends */
	size_t mend_count;
};

static enum status
take(void *arg, const struct chainfile_entry *e)
{
	const unsigned spine = CHAINFILE_NO_SPINE | CHAINFILE_BAD_SPINE;
	struct replay *r = arg;
	struct log_entry le = { .e = *e, .own = true };

	/* What is proved can be mended: all but holes, and rows whose head
	 * signature is gone. */
	if (r->mend != NULL && (e->damage & spine) && e->is != CHAINFILE_HOLE &&
	    e->has_sig && r->mend_count < MEND_MAX) {
		struct mend *m = &r->mend[r->mend_count++];

		m->number = e->number;
		m->seq = e->seq;
		memcpy(m->sp.digest, e->digest, HASH_LEN);
		memcpy(m->sp.link, e->link, HASH_LEN);
		memcpy(m->sp.sig, e->sig, SIG_LEN);
	}
	return r->cb == NULL ? ST_OK : r->cb(r->arg, &le);
}

/* Write what was mended; what a torn page refuses stays as it is, and is
 * made good again at the next reading. */
static enum status
mend(struct log *l, const struct replay *r)
{
	for (size_t i = 0; i < r->mend_count; i++) {
		const struct mend *m = &r->mend[i];
		enum status st;

		if (l->in_batch)
			return ST_OK;
		st = log_write_begin(l);
		if (st == ST_OK)
			st = log_write_end(
			    l, chainfile_spine_put(
				   l->f, m->number, m->seq, &m->sp, true));
		if (st == ST_IO || st == ST_NOMEM)
			return st;
	}
	return ST_OK;
}

static enum status
replay_own(struct replay *r, struct log_found *found)
{
	struct log *l = r->l;
	uint32_t last;
	enum status st = chainfile_chain_last(l->f, &last);

	for (uint32_t n = 1; n <= last && st == ST_OK; n++) {
		struct chainfile_found got = { .count = 0 };

		st = chainfile_walk(l->f, n, 1, UINT64_MAX, take, r, &got);
		if (st == ST_ABSENT || st == ST_CORRUPT) {
			/* Both copies of its name are gone. */
			got.head_ok = false;
			got.holes = 1;
			st = ST_OK;
		}
		found->own += got.count;
		found->lost += got.lost;
		found->holes += got.holes;
		found->mended += got.mended;
		if (n == last)
			found->broken = !got.head_ok;
	}
	return st;
}

enum status
log_replay(struct log *l, log_cb *cb, void *arg, struct log_found *found)
{
	struct replay r = { .l = l, .cb = cb, .arg = arg };
	struct log_found got = { 0 };
	enum status st;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	r.mend = calloc(MEND_MAX, sizeof(*r.mend));
	if (r.mend == NULL)
		return ST_NOMEM;
	st = replay_own(&r, &got);
	if (st == ST_OK)
		st = log_others_each(l, cb, arg, &got);
	if (st == ST_OK)
		st = mend(l, &r);
	free(r.mend);
	if (st != ST_OK)
		return log_fail(l, st, "replay");
	if (l->end.has)
		l->end.broken = l->end.broken || got.broken;
	got.broken = l->end.has && l->end.broken;
	*found = got;
	return ST_OK;
}

enum status
log_each(struct log *l, uint32_t number, uint64_t from, uint64_t to, log_cb *cb,
    void *arg)
{
	struct replay r = { .l = l, .cb = cb, .arg = arg };
	enum status st;

	st = chainfile_walk(l->f, number, from, to, take, &r, NULL);
	return st == ST_OK ? st : log_fail(l, st, "reading entries");
}

/* ---- one place */

/* A place as it stands, its bytes copied into l->name's neighbour `raw`. */
struct place {
	struct chainfile_entry e;
	struct buf *raw;
};

static enum status
keep_place(void *arg, const struct chainfile_entry *e)
{
	struct place *p = arg;

	p->e = *e;
	buf_reset(p->raw);
	buf_bytes(p->raw, e->raw);
	p->e.raw = buf_view(p->raw);
	return p->raw->err;
}

/* ST_ABSENT if the chain does not reach that far. */
static enum status
read_place(struct log *l, uint32_t number, uint64_t seq, struct place *p)
{
	enum status st;

	p->e.seq = 0;
	st = chainfile_walk(l->f, number, seq, seq, keep_place, p, NULL);
	return st == ST_OK && p->e.seq != seq ? ST_ABSENT : st;
}

static enum status
put_place(struct log *l, const struct chainfile_chain *c,
    const struct chainfile_entry *e, uint8_t form, struct bytes raw)
{
	struct chainfile_row row = { .form = form, .raw = raw };

	memcpy(row.prev, e->prev, HASH_LEN);
	memcpy(row.sig, e->sig, SIG_LEN);
	buf_reset(&l->row);
	chainfile_row_write(&l->row, &row);
	if (l->row.err != ST_OK)
		return l->row.err;
	return chainfile_entry_put(l->f, c, e->seq, buf_view(&l->row), true);
}

static enum status
fill(struct log *l, const struct chainfile_chain *c, struct place *p,
    uint64_t seq, struct bytes raw)
{
	bool whole = raw.len > 0 && memchr(raw.p, '\n', raw.len) != NULL;
	uint8_t digest[HASH_LEN];
	enum status st = read_place(l, c->number, seq, p);

	if (st != ST_OK)
		return st;
	if (p->e.is != CHAINFILE_LOST || !p->e.has_prev)
		return ST_ABSENT;
	entry_digest(digest, raw);
	if (memcmp(digest, p->e.digest, HASH_LEN) != 0)
		return ST_CONFLICT;
	/* Its head signature may be gone; the next entry vouched for it. */
	if (!p->e.has_sig)
		chain_sign(p->e.sig, identity_secret_key(l->ring.identity),
		    c->chain, seq, p->e.link);
	st = log_write_begin(l);
	if (st != ST_OK)
		return st;
	return log_write_end(
	    l, put_place(l, c, &p->e,
		   whole ? CHAINFILE_FORM_WHOLE : CHAINFILE_FORM_HEAD, raw));
}

enum status
log_fill(struct log *l, const uint8_t chain[CHAIN_LEN], uint64_t seq,
    struct bytes raw)
{
	struct chainfile_chain c;
	struct place p;
	enum status st;
	struct buf b;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	if (raw.len > ENTRY_BYTES_MAX)
		return ST_LIMIT;
	buf_init(&b, ENTRY_BYTES_MAX + 1);
	p.raw = &b;
	st = chainfile_chain_find(l->f, chain, &c);
	if (st == ST_OK)
		st = fill(l, &c, &p, seq, raw);
	buf_wipe(&b);
	return st == ST_OK ? st : log_fail(l, st, "filling a lost place");
}

/* ---- purging */

static enum status
purge_one(struct log *l, const struct chainfile_chain *c, struct place *p,
    uint64_t seq, bool keep_head)
{
	enum status st = read_place(l, c->number, seq, p);
	struct bytes raw = p->e.raw;
	const uint8_t *lf;

	if (st != ST_OK)
		return st;
	if (p->e.is != CHAINFILE_WHOLE && p->e.is != CHAINFILE_HEAD)
		return ST_OK;
	if (!keep_head)
		return put_place(l, c, &p->e, CHAINFILE_FORM_PURGED,
		    bytes_of(p->e.digest, HASH_LEN));
	lf = memchr(raw.p, '\n', raw.len);
	if (lf == NULL)
		return ST_OK;
	raw.len = (size_t)(lf - raw.p);
	return put_place(l, c, &p->e, CHAINFILE_FORM_HEAD, raw);
}

enum status
log_purge(
    struct log *l, uint32_t number, uint64_t from, uint64_t to, bool keep_heads)
{
	struct chainfile_chain c;
	struct place p;
	enum status st;
	struct buf b;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	buf_init(&b, ENTRY_BYTES_MAX + 1);
	p.raw = &b;
	st = chainfile_chain_get(l->f, number, &c);
	if (st == ST_OK)
		st = log_write_begin(l);
	if (st == ST_OK) {
		for (uint64_t n = from; n <= to && st == ST_OK; n++)
			st = purge_one(l, &c, &p, n, keep_heads);
		/* The end of the chain is the end of the range. */
		st = log_write_end(l, st == ST_ABSENT ? ST_OK : st);
	}
	buf_wipe(&b);
	if (st != ST_OK)
		return log_fail(l, st, "purging");
	/* The WAL still holds what was overwritten. */
	return l->in_batch ? ST_OK : log_tidy(l);
}

/* ---- checking */

struct check {
	struct log *l;
	const struct chainfile_chain *c;
	bool bad;
};

static enum status
check_place(void *arg, const struct chainfile_entry *e)
{
	struct check *k = arg;

	if (e->damage != 0 || e->is == CHAINFILE_LOST ||
	    e->is == CHAINFILE_HOLE ||
	    chain_verify(e->sig, k->c->public_key, k->c->chain, e->seq,
		e->link) != ST_OK)
		k->bad = true;
	return ST_OK;
}

static enum status
check_chain(struct log *l, uint32_t n, struct log_found *found, bool *bad)
{
	struct chainfile_found got;
	struct chainfile_chain c;
	struct check k = { .l = l, .c = &c };
	enum status st = chainfile_chain_get(l->f, n, &c);

	if (st == ST_OK)
		st = chainfile_walk(
		    l->f, n, 1, UINT64_MAX, check_place, &k, &got);
	if (st == ST_ABSENT || st == ST_CORRUPT) {
		*bad = true;
		return ST_OK;
	}
	if (st != ST_OK)
		return st;
	found->own += got.count;
	found->lost += got.lost;
	found->holes += got.holes;
	found->mended += got.mended;
	found->broken = !got.head_ok;
	*bad = *bad || k.bad || !got.head_ok;
	return ST_OK;
}

enum status
log_check(struct log *l, struct log_found *found)
{
	struct log_found got = { 0 };
	enum status sqlite, st;
	uint32_t last = 0;
	bool bad = false;

	if (!log_is_unlocked(l))
		return ST_LOCKED;
	sqlite = db_check(l->db);
	if (sqlite != ST_OK && sqlite != ST_CORRUPT)
		return log_fail(l, sqlite, "checking the file");
	st = chainfile_chain_last(l->f, &last);
	for (uint32_t n = 1; n <= last && st == ST_OK; n++)
		st = check_chain(l, n, &got, &bad);
	if (st == ST_OK)
		st = log_others_each(l, NULL, NULL, &got);
	if (st != ST_OK)
		return log_fail(l, st, "checking the chains");
	*found = got;
	if (sqlite != ST_OK)
		return log_fail(l, ST_CORRUPT, "checking the file");
	if (bad || got.foreign_lost > 0)
		return log_fail(l, ST_CORRUPT, "checking the chains");
	return ST_OK;
}
