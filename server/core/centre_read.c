/* centre_read: what a centre is, and what it holds, for everybody. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "entry/chain.h"
#include "server/core/centre_inner.h"

enum { MINUTE_MS = 60000, DAY_MS = 24 * 60 * MINUTE_MS };

/* ---- what it is */

const char *
centre_court(const struct centre *c)
{
	return c->court;
}

const uint8_t *
centre_court_id(const struct centre *c)
{
	return c->court_id;
}

const struct port *
centre_port(const struct centre *c)
{
	return c->port;
}

const struct note_key *
centre_log_key(const struct centre *c)
{
	return &c->log_key;
}

const uint8_t *
centre_server_key(const struct centre *c)
{
	return serverchain_key(c->sc);
}

struct committer *
centre_committer(struct centre *c)
{
	return c->committer;
}

struct tlog *
centre_tlog(struct centre *c)
{
	return c->tlog;
}

struct store *
centre_store(struct centre *c)
{
	return c->store;
}

struct ca *
centre_ca(struct centre *c)
{
	return c->ca;
}

static enum status
copy_out(struct centre *c, const struct buf *from, struct buf *out)
{
	enum status st;

	(void)pthread_mutex_lock(&c->lock);
	buf_bytes(out, buf_view(from));
	st = out->err;
	(void)pthread_mutex_unlock(&c->lock);
	return st;
}

enum status
centre_descriptor(struct centre *c, struct buf *out)
{
	return copy_out(c, &c->descriptor, out);
}

enum status
centre_descriptor_first(struct centre *c, struct buf *out)
{
	return copy_out(c, &c->descriptor_first, out);
}

enum status
centre_checkpoint(struct centre *c, struct buf *note, struct checkpoint *out)
{
	enum status st = ST_OK;

	(void)pthread_mutex_lock(&c->lock);
	if (note != NULL) {
		buf_bytes(note, buf_view(&c->note));
		st = note->err;
	}
	if (out != NULL && st == ST_OK)
		*out = c->head;
	(void)pthread_mutex_unlock(&c->lock);
	return st;
}

uint64_t
centre_kept(struct centre *c)
{
	uint64_t kept;

	(void)pthread_mutex_lock(&c->lock);
	kept = c->kept;
	(void)pthread_mutex_unlock(&c->lock);
	return kept;
}

bool
centre_halted(struct centre *c)
{
	bool halted;

	(void)pthread_mutex_lock(&c->lock);
	halted = c->halted;
	(void)pthread_mutex_unlock(&c->lock);
	return halted;
}

/* ---- the public tree */

/* The last moment, at or before now, at which the public tree moves on. */
static uint64_t
last_opening(const struct centre *c)
{
	int64_t now = (int64_t)port_wall_ms(c->port);
	int64_t shift = (int64_t)c->public_offset_min * MINUTE_MS;
	int64_t at = (int64_t)c->public_minute * MINUTE_MS;
	int64_t local = now + shift - at;

	if (local < 0)
		return 0;
	local -= local % DAY_MS;
	return local + at < shift ? 0 : (uint64_t)(local + at - shift);
}

/* All commits before the first one that came later than that. */
static enum status
public_size(struct centre *c, uint64_t from, uint64_t head, uint64_t *out)
{
	struct store_commit cm;
	enum status st;

	(void)pthread_mutex_lock(&c->look_lock);
	st = store_commit_later(c->look, from, last_opening(c), &cm);
	(void)pthread_mutex_unlock(&c->look_lock);
	if (st == ST_ABSENT) {
		*out = head;
		return ST_OK;
	}
	if (st == ST_OK)
		*out = cm.first < head ? cm.first : head;
	return st;
}

enum status
centre_public(struct centre *c, struct buf *note, struct checkpoint *out)
{
	struct checkpoint cp;
	uint64_t from;
	enum status st;

	(void)pthread_mutex_lock(&c->lock);
	cp = c->head;
	from = c->public_size;
	(void)pthread_mutex_unlock(&c->lock);
	st = public_size(c, from, cp.size, &cp.size);
	if (st != ST_OK)
		return st;
	(void)pthread_mutex_lock(&c->lock);
	if (c->public_size < cp.size)
		c->public_size = cp.size; /* never back */
	else
		cp.size = c->public_size;
	(void)pthread_mutex_unlock(&c->lock);
	/* A size at which a commit ended, so once a head that was signed. */
	st = tlog_root(c->tlog, cp.size, cp.root);
	if (st == ST_OK && note != NULL)
		st = checkpoint_sign(&cp, &c->log_key, c->log_secret, note);
	if (st == ST_OK && out != NULL)
		*out = cp;
	return st;
}

enum status
centre_checkpoint_at(
    struct centre *c, uint64_t size, struct buf *note, struct checkpoint *out)
{
	struct checkpoint cp = { .size = size };
	struct store_commit cm;
	enum status st = size == 0 ? ST_ABSENT : ST_OK;

	if (st == ST_OK) {
		(void)pthread_mutex_lock(&c->look_lock);
		st = store_commit_of(c->look, size - 1, &cm);
		(void)pthread_mutex_unlock(&c->look_lock);
	}
	if (st == ST_OK && cm.place != size - 1)
		st = ST_ABSENT;
	if (st == ST_OK)
		st = tlog_root(c->tlog, size, cp.root);
	memcpy(cp.origin, c->log_key.name, sizeof(cp.origin));
	if (st == ST_OK && note != NULL)
		st = checkpoint_sign(&cp, &c->log_key, c->log_secret, note);
	if (st == ST_OK && out != NULL)
		*out = cp;
	return st;
}

/* ---- entries */

enum { COMMITS_KEPT = 32 };

struct centre_reader {
	struct centre *c;
	struct store_reader *r;  /* owned */
	struct store_reader *rc; /* owned: commits, while r is in a scan */
	/* Looked up before, and where the next one goes: the entries of one
	 * record stand in a few commits, which others' stand in too. */
	struct store_commit commit[COMMITS_KEPT];
	size_t commit_count, commit_next;
};

struct centre_scan {
	struct centre_reader *r;
	struct store_scan *sc; /* owned */
};

enum status
centre_reader_open(struct centre_reader **out, struct centre *c)
{
	struct centre_reader *r = calloc(1, sizeof(*r));
	enum status st;

	if (r == NULL)
		return ST_NOMEM;
	r->c = c;
	st = store_reader_open(&r->r, c->store);
	if (st == ST_OK)
		st = store_reader_open(&r->rc, c->store);
	if (st != ST_OK) {
		centre_reader_close(r);
		return st;
	}
	*out = r;
	return ST_OK;
}

void
centre_reader_close(struct centre_reader *r)
{
	if (r == NULL)
		return;
	store_reader_close(r->r);
	store_reader_close(r->rc);
	free(r);
}

uint64_t
centre_reader_size(const struct centre_reader *r)
{
	return tlog_size(r->c->tlog);
}

struct store_reader *
centre_reader_store(struct centre_reader *r)
{
	return r->r;
}

enum status
centre_reader_hold(struct centre_reader *r)
{
	enum status st = store_hold(r->r);

	if (st != ST_OK)
		return st;
	st = store_hold(r->rc);
	if (st != ST_OK)
		store_release(r->r);
	return st;
}

void
centre_reader_release(struct centre_reader *r)
{
	store_release(r->rc);
	store_release(r->r);
}

static enum status
commit_of(
    struct centre_reader *r, uint64_t place, const struct store_commit **out)
{
	struct store_commit *c;
	enum status st;

	for (size_t i = 0; i < r->commit_count; i++) {
		c = &r->commit[i];
		if (place >= c->first && place <= c->place) {
			*out = c;
			return ST_OK;
		}
	}
	c = &r->commit[r->commit_next];
	*c = (struct store_commit){ .first = 1 }; /* of no place */
	st = store_commit_of(r->rc, place, c);
	if (st == ST_OK && place < c->first)
		st = ST_CORRUPT;
	if (st != ST_OK) {
		*c = (struct store_commit){ .first = 1 };
		return st == ST_ABSENT ? ST_CORRUPT : st;
	}
	r->commit_next = (r->commit_next + 1) % COMMITS_KEPT;
	if (r->commit_count < COMMITS_KEPT)
		r->commit_count++;
	*out = c;
	return ST_OK;
}

static enum status
whole(struct centre_reader *r, const struct store_entry *e,
    struct centre_entry *out)
{
	struct centre_entry o = { .place = e->place,
		.seq = e->seq,
		.branch = e->branch,
		.flags = e->flags,
		.bytes = e->bytes };
	const struct store_commit *commit;
	enum status st = commit_of(r, e->place, &commit);

	if (st == ST_OK && !chains_id(r->c->chains, e->chain, o.chain))
		st = ST_CORRUPT;
	if (st != ST_OK)
		return st;
	memcpy(o.prev, e->prev, HASH_LEN);
	memcpy(o.link, e->link, HASH_LEN);
	o.received_ms = commit->wall;
	o.commit = commit->place;
	*out = o;
	return ST_OK;
}

enum status
centre_entry(struct centre_reader *r, uint64_t place, struct centre_entry *out)
{
	struct store_entry e;
	enum status st;

	if (place >= tlog_size(r->c->tlog))
		return ST_ABSENT;
	st = store_entry(r->r, place, &e);
	if (st != ST_OK)
		return st == ST_ABSENT ? ST_CORRUPT : st;
	return whole(r, &e, out);
}

enum status
centre_entry_alone(
    struct centre_reader *r, uint64_t place, struct centre_entry *out)
{
	struct store_entry e;
	enum status st;

	if (place >= tlog_size(r->c->tlog))
		return ST_ABSENT;
	st = store_entry_alone(r->r, place, &e);
	if (st != ST_OK)
		return st == ST_ABSENT ? ST_CORRUPT : st;
	return whole(r, &e, out);
}

enum status
centre_scan_open(struct centre_scan **out, struct centre_reader *r,
    uint64_t from, uint64_t to)
{
	uint64_t size = tlog_size(r->c->tlog);
	struct centre_scan *sc = calloc(1, sizeof(*sc));
	enum status st;

	if (sc == NULL)
		return ST_NOMEM;
	sc->r = r;
	st = store_scan_open(&sc->sc, r->r, from, to < size ? to : size);
	if (st != ST_OK) {
		free(sc);
		return st;
	}
	*out = sc;
	return ST_OK;
}

enum status
centre_scan_next(struct centre_scan *sc, struct centre_entry *out)
{
	struct store_entry e;
	enum status st = store_scan_next(sc->sc, &e);

	return st == ST_OK ? whole(sc->r, &e, out) : st;
}

void
centre_scan_close(struct centre_scan *sc)
{
	if (sc == NULL)
		return;
	store_scan_close(sc->sc);
	free(sc);
}

/* ---- chains */

static void
chain_out(
    struct centre *c, const struct chain_view *v, struct centre_chain *out)
{
	uint32_t count;

	memcpy(out->id, v->id, CHAIN_LEN);
	memcpy(out->key, v->key, PUBKEY_LEN);
	chain_dev(out->dev, v->key);
	out->server = (v->branch[0].status & STORE_CHAIN_SERVER) != 0;
	chains_key(c->chains, v->key, &count, &out->held);
	out->branches = v->count;
	out->last_seq = v->branch[0].last_seq;
	out->last_place = v->branch[0].last_place;
}

enum status
centre_chain(
    struct centre *c, const uint8_t id[CHAIN_LEN], struct centre_chain *out)
{
	struct chain_view v;

	if (!chains_get(c->chains, id, &v))
		return ST_ABSENT;
	chain_out(c, &v, out);
	return ST_OK;
}

enum status
centre_chains(struct centre *c, centre_chain_fn fn, void *arg)
{
	struct centre_chain out;
	struct chain_view v;
	enum status st = ST_OK;

	for (uint64_t n = 0; st == ST_OK && chains_at(c->chains, n, &v); n++) {
		chain_out(c, &v, &out);
		st = fn(arg, &out);
	}
	return st;
}
