/*
 * chainfile_walk: follow a chain through whatever is left of it.
 *
 * Two tables are read side by side.  A sealed row that opens is authentic (its
 * key says so) and in its own place (its associated data says so), but it may
 * be of another history of the same chain, if the file was copied and mixed;
 * its link(n-1) tells.  A row of the spine may say anything: it is believed
 * where the sealed row agrees, where its head signature is good, or where the
 * next sealed row names its link.
 *
 * So the running link, where it is known, is always one that is vouched for.
 */
#include "chainfile/chainfile.h"

#include <string.h>

#include "chainfile/chainfile_inner.h"
#include "entry/chain.h"
#include "entry/entry.h"

/* One table, read forward; it steps over what cannot be read. */
struct stream {
	struct db_stmt *s;
	bool has; /* the row of the last place asked for stands */
};

struct walk {
	struct chainfile *f;
	struct chainfile_chain chain;
	struct stream entry, spine;
	uint64_t last;
	struct buf plain, ahead; /* opened rows: this place's, the next one's */
	bool known;              /* `link` is link(n-1) of the next place */
	uint8_t link[HASH_LEN];

	/* The place at hand. */
	uint64_t n;
	bool has_row, has_spine;
	struct chainfile_row row;
	uint8_t row_digest[HASH_LEN], row_link[HASH_LEN];
	struct chainfile_spine sp;
};

/* ---- streams */

/*
 * *here: the row of exactly `seq` stands.  As long as rows come one by one,
 * they are stepped through; wherever one is missing, cannot be read or is out
 * of order, the next is looked for anew: a torn tree may show rows where they
 * are not, and hide others behind them.
 */
static enum status
stream_at(struct stream *t, uint64_t seq, bool *here)
{
	enum status st = ST_ABSENT;

	*here = false;
	if (t->has)
		st = db_next(t->s);
	t->has = st == ST_OK && db_u64(t->s, 0) == seq;
	if (!t->has && st != ST_IO && st != ST_NOMEM) {
		db_reset(t->s);
		db_bind_u64(t->s, 1, seq);
		st = db_next(t->s);
		t->has = st == ST_OK && db_u64(t->s, 0) == seq;
	}
	*here = t->has;
	return st == ST_ABSENT || st == ST_CORRUPT ? ST_OK : st;
}

/* ---- what stands at a place */

static enum status
open_row(struct walk *w, uint64_t seq, struct bytes sealed, struct buf *plain,
    struct chainfile_row *row)
{
	struct seal_place at = chainfile_place("entry", w->chain.chain, seq);
	enum status st;

	buf_reset(plain);
	st = chainfile_unseal(w->f, plain, &at, sealed);
	if (st == ST_OK)
		st = chainfile_row_read(row, buf_view(plain));
	return st;
}

/* Load what both tables say of place n. */
static enum status
load(struct walk *w, uint64_t n)
{
	enum status st;

	w->n = n;
	st = stream_at(&w->entry, n, &w->has_row);
	if (st == ST_OK)
		st = stream_at(&w->spine, n, &w->has_spine);
	if (st != ST_OK)
		return st;
	if (w->has_spine &&
	    (db_copy(w->spine.s, 1, w->sp.digest, HASH_LEN) != ST_OK ||
		db_copy(w->spine.s, 2, w->sp.link, HASH_LEN) != ST_OK ||
		db_copy(w->spine.s, 3, w->sp.sig, SIG_LEN) != ST_OK))
		w->has_spine = false;
	if (!w->has_row)
		return ST_OK;
	st = open_row(w, n, db_bytes(w->entry.s, 1), &w->plain, &w->row);
	w->has_row = st == ST_OK;
	if (st == ST_NOMEM || st == ST_LOCKED)
		return st;
	if (!w->has_row)
		return ST_OK;
	if (w->row.form == CHAINFILE_FORM_PURGED)
		memcpy(w->row_digest, w->row.raw.p, HASH_LEN);
	else
		entry_digest(w->row_digest, w->row.raw);
	chain_link(w->row_link, w->row.prev, n, w->row_digest);
	return ST_OK;
}

static bool
signed_by(const struct walk *w, const uint8_t sig[SIG_LEN],
    const uint8_t link[HASH_LEN])
{
	return chain_verify(sig, w->chain.public_key, w->chain.chain, w->n,
		   link) == ST_OK;
}

/* link(n) as the sealed row of the next place names it, if it does. */
static enum status
name_next(struct walk *w, bool *has, uint8_t link[HASH_LEN])
{
	struct chainfile_row row;
	struct db_stmt *s;
	enum status st = chainfile_query(&s, w->f, "SELECT sealed FROM entry_",
	    w->chain.number, " WHERE seq = ?1");

	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, w->n + 1);
	st = db_next(s);
	if (st == ST_OK)
		st = open_row(w, w->n + 1, db_bytes(s, 0), &w->ahead, &row);
	db_done(s);
	*has = st == ST_OK;
	if (*has)
		memcpy(link, row.prev, HASH_LEN);
	return st == ST_IO || st == ST_NOMEM ? st : ST_OK;
}

/* ---- what it comes to */

static bool
spine_agrees(const struct walk *w)
{
	return memcmp(w->sp.link, w->row_link, HASH_LEN) == 0 &&
	       memcmp(w->sp.digest, w->row_digest, HASH_LEN) == 0 &&
	       memcmp(w->sp.sig, w->row.sig, SIG_LEN) == 0;
}

/* The sealed row opens and follows the running link: it is the truth. */
static void
take_row(struct walk *w, struct chainfile_entry *e)
{
	static const enum chainfile_is is[] = {
		[CHAINFILE_FORM_WHOLE] = CHAINFILE_WHOLE,
		[CHAINFILE_FORM_HEAD] = CHAINFILE_HEAD,
		[CHAINFILE_FORM_PURGED] = CHAINFILE_PURGED,
	};

	e->is = is[w->row.form];
	if (w->row.form != CHAINFILE_FORM_PURGED)
		e->raw = w->row.raw;
	e->has_prev = e->has_link = e->has_sig = true;
	memcpy(e->digest, w->row_digest, HASH_LEN);
	memcpy(e->prev, w->row.prev, HASH_LEN);
	memcpy(e->link, w->row_link, HASH_LEN);
	memcpy(e->sig, w->row.sig, SIG_LEN);
	if (!w->has_spine)
		e->damage |= CHAINFILE_NO_SPINE;
	else if (!spine_agrees(w))
		e->damage |= CHAINFILE_BAD_SPINE;
}

/* No sealed row: what the spine says, as far as somebody vouches for it. */
static enum status
take_spine(struct walk *w, struct chainfile_entry *e)
{
	uint8_t link[HASH_LEN], next[HASH_LEN];
	bool has_next, follows, good_sig;
	enum status st = name_next(w, &has_next, next);

	if (st != ST_OK)
		return st;
	e->damage |= CHAINFILE_NO_ROW;
	e->is = CHAINFILE_HOLE;
	if (w->known) {
		e->has_prev = true;
		memcpy(e->prev, w->link, HASH_LEN);
	}
	if (w->has_spine && w->known) {
		chain_link(link, w->link, w->n, w->sp.digest);
		good_sig = signed_by(w, w->sp.sig, link);
		follows = has_next && memcmp(next, link, HASH_LEN) == 0;
		if (good_sig || follows) {
			e->is = CHAINFILE_LOST;
			e->has_link = true;
			e->has_sig = good_sig;
			memcpy(e->digest, w->sp.digest, HASH_LEN);
			memcpy(e->link, link, HASH_LEN);
			memcpy(e->sig, w->sp.sig, SIG_LEN);
			if (!good_sig ||
			    memcmp(link, w->sp.link, HASH_LEN) != 0)
				e->damage |= CHAINFILE_BAD_SPINE;
			return ST_OK;
		}
	}
	if (!w->has_spine)
		e->damage |= CHAINFILE_NO_SPINE;
	if (w->has_spine && signed_by(w, w->sp.sig, w->sp.link)) {
		e->has_link = e->has_sig = true;
		memcpy(e->link, w->sp.link, HASH_LEN);
		memcpy(e->sig, w->sp.sig, SIG_LEN);
	} else if (has_next) {
		e->has_link = true;
		memcpy(e->link, next, HASH_LEN);
	}
	return ST_OK;
}

static enum status
resolve(struct walk *w, struct chainfile_entry *e)
{
	enum status st = ST_OK;

	*e = (struct chainfile_entry){ .number = w->chain.number, .seq = w->n };
	memcpy(e->chain, w->chain.chain, CHAIN_LEN);
	if (w->has_row && w->known &&
	    memcmp(w->row.prev, w->link, HASH_LEN) != 0) {
		e->damage |= CHAINFILE_STRANGE_ROW;
		w->has_row = false;
	}
	/* Where a spine that the signature vouches for says something else,
	 * the row is of another history, though it follows. */
	if (w->has_row && w->has_spine &&
	    memcmp(w->sp.link, w->row_link, HASH_LEN) != 0 &&
	    !signed_by(w, w->row.sig, w->row_link)) {
		e->damage |= CHAINFILE_STRANGE_ROW;
		w->has_row = false;
	}
	if (w->has_row)
		take_row(w, e);
	else
		st = take_spine(w, e);
	w->known = e->has_link;
	memcpy(w->link, e->link, HASH_LEN);
	return st;
}

static void
count(struct chainfile_found *found, const struct chainfile_entry *e)
{
	found->count++;
	if (e->has_link) {
		found->known = e->seq;
		memcpy(found->link, e->link, HASH_LEN);
	}
	if (e->is == CHAINFILE_LOST)
		found->lost++;
	else if (e->is == CHAINFILE_HOLE)
		found->holes++;
	else if (e->damage != 0)
		found->mended++;
}

/* The link that a walk begins with. */
static enum status
begin(struct walk *w, uint64_t from)
{
	struct chainfile_spine sp;
	enum status st;

	w->known = true;
	if (from == 1) {
		memcpy(w->link, w->chain.link0, HASH_LEN);
		return ST_OK;
	}
	w->n = from - 1;
	st = name_next(w, &w->known, w->link);
	if (st != ST_OK || w->known)
		return st;
	st = chainfile_spine_get(w->f, w->chain.number, from - 1, &sp);
	w->known = st == ST_OK && signed_by(w, sp.sig, sp.link);
	if (w->known)
		memcpy(w->link, sp.link, HASH_LEN);
	return st == ST_CORRUPT || st == ST_ABSENT ? ST_OK : st;
}

/* Visit; *e is the last place visited. */
static enum status
visit(struct walk *w, uint64_t from, uint64_t to, chainfile_cb *cb, void *arg,
    struct chainfile_found *found, struct chainfile_entry *e)
{
	enum status st = begin(w, from);

	for (uint64_t n = from; n <= to && st == ST_OK; n++) {
		st = load(w, n);
		if (st == ST_OK)
			st = resolve(w, e);
		if (st != ST_OK)
			break;
		count(found, e);
		if (cb != NULL)
			st = cb(arg, e);
	}
	return st;
}

/* The walk has reached the chain's end: is it one that can be built on? */
static void
judge_head(struct walk *w, const struct chainfile_entry *e, bool certain,
    struct chainfile_found *found)
{
	if (w->last == 0) {
		found->head_ok = certain;
		return;
	}
	found->head_ok = certain && e->seq == w->last && e->has_link &&
			 e->has_sig && signed_by(w, e->sig, e->link);
	memcpy(found->sig, e->sig, SIG_LEN);
}

static enum status
open_streams(struct walk *w)
{
	enum status st =
	    chainfile_query(&w->entry.s, w->f, "SELECT seq, sealed FROM entry_",
		w->chain.number, " WHERE seq >= ?1 ORDER BY seq");

	if (st != ST_OK)
		return st;
	return chainfile_query(&w->spine.s, w->f,
	    "SELECT seq, digest, link, sig FROM spine_", w->chain.number,
	    " WHERE seq >= ?1 ORDER BY seq");
}

enum status
chainfile_walk(struct chainfile *f, uint32_t number, uint64_t from, uint64_t to,
    chainfile_cb *cb, void *arg, struct chainfile_found *found)
{
	struct chainfile_entry e = { .seq = 0 };
	struct chainfile_found got = { 0 };
	struct walk w = { .f = f };
	bool certain = false;
	enum status st;

	if (f->key == NULL)
		return ST_LOCKED;
	buf_init(&w.plain, CHAINFILE_ROW_MAX);
	buf_init(&w.ahead, CHAINFILE_ROW_MAX);
	st = chainfile_chain_get(f, number, &w.chain);
	if (st == ST_OK)
		st = chainfile_last(f, number, &w.last, &certain);
	if (st == ST_OK)
		st = open_streams(&w);
	got.last = w.last;
	memcpy(got.link, w.chain.link0, HASH_LEN);
	if (st == ST_OK)
		st = visit(
		    &w, from, to < w.last ? to : w.last, cb, arg, &got, &e);
	if (st == ST_OK && to >= w.last)
		judge_head(&w, &e, certain, &got);
	db_done(w.entry.s);
	db_done(w.spine.s);
	buf_wipe(&w.plain);
	buf_wipe(&w.ahead);
	if (st == ST_OK && found != NULL)
		*found = got;
	return st;
}
