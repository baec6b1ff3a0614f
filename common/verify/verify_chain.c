/* verify_chain: what each entry rests on, and where each chain ends. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "entry/chain.h"
#include "verify/verify_impl.h"

/* ---- rows of chains */

static enum status
read_chain(struct verify *v, struct db_stmt *s, struct vchain *c)
{
	enum status st;

	memset(c, 0, sizeof(*c));
	c->no = db_u64(s, 0);
	c->branch = (uint32_t)db_u64(s, 1);
	c->parent = (uint32_t)db_u64(s, 4);
	c->base_seq = db_u64(s, 5);
	c->row_last_seq = db_u64(s, 7);
	c->row_last_place = db_u64(s, 9);
	c->hold_from = UINT64_MAX;
	st = db_copy(s, 2, c->id, CHAIN_LEN);
	if (st == ST_OK)
		st = db_copy(s, 3, c->key, PUBKEY_LEN);
	if (st == ST_OK)
		st = db_copy(s, 6, c->base_link, HASH_LEN);
	if (st == ST_OK)
		st = db_copy(s, 8, c->row_last_link, HASH_LEN);
	if (st != ST_OK)
		return st;
	chain_dev(c->dev, c->key);
	chain_link0(c->link0, v->court_id, c->key, c->id);
	c->server = verify_is_server_key(v, c->key);
	return ST_OK;
}

/* All branches of a chain have one id and one key; each leaves an earlier. */
static void
check_rows(struct verify *v)
{
	for (size_t i = 0; i < v->chain_count; i++) {
		struct vchain *c = &v->chain[i];
		const struct vchain *p = i == 0 ? NULL : &v->chain[i - 1];
		bool same = p != NULL && p->no == c->no;

		assert(c != NULL);
		if (c->branch == 0
			? !same || p == NULL
			: same && p->branch + 1 == c->branch &&
			      c->parent < c->branch &&
			      memcmp(p->id, c->id, CHAIN_LEN) == 0 &&
			      memcmp(p->key, c->key, PUBKEY_LEN) == 0) {
			v->r->chains += c->branch == 0;
			v->r->forks += c->branch > 0;
			continue;
		}
		c->parent = 0;
		verify_say_at(v, VERIFY_ROW, c->row_last_place, c, c->base_seq,
		    "链的登记与其分支不符。",
		    "The chain's row does not fit its branches.");
	}
}

enum status
verify_read_chains(struct verify *v)
{
	size_t cap = 0;
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, v->db,
	    "SELECT no, branch, id, key, parent, base_seq, base_link,"
	    " last_seq, last_link, last_place FROM chains"
	    " ORDER BY no, branch");
	if (st != ST_OK)
		return st;
	while ((st = db_next(s)) == ST_OK) {
		st = verify_room(
		    &v->chain, &cap, v->chain_count, sizeof(*v->chain));
		if (st == ST_OK)
			st = read_chain(v, s, &v->chain[v->chain_count]);
		if (st != ST_OK)
			break;
		v->chain_count++;
	}
	db_done(s);
	if (st != ST_ABSENT)
		return st;
	check_rows(v);
	return ST_OK;
}

struct vchain *
verify_chain_of(struct verify *v, uint64_t no, uint32_t branch)
{
	size_t lo = 0, hi = v->chain_count;

	if (v->last_chain != NULL && v->last_chain->no == no &&
	    v->last_chain->branch == branch)
		return v->last_chain;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		struct vchain *c = &v->chain[mid];

		if (c->no < no || (c->no == no && c->branch < branch))
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == v->chain_count || v->chain[lo].no != no ||
	    v->chain[lo].branch != branch)
		return NULL;
	v->last_chain = &v->chain[lo];
	return v->last_chain;
}

/* ---- looking an entry up */

/*
 * The row at exactly (chain, seq, branch) with the least place.  What it says
 * was checked if its place is below the one that is being read.
 */
static enum status
row_at(struct verify *v, uint64_t no, uint64_t seq, uint32_t branch,
    struct vrow *out)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, v->db,
	    "SELECT place, link, prev FROM entries WHERE chain = ?1"
	    " AND seq = ?2 AND branch = ?3 ORDER BY place LIMIT 1");
	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, no);
	db_bind_u64(s, 2, seq);
	db_bind_u64(s, 3, branch);
	st = db_next(s);
	if (st == ST_OK) {
		out->place = db_u64(s, 0);
		st = db_copy(s, 1, out->link, HASH_LEN);
		out->has_prev = !db_is_null(s, 2);
		if (st == ST_OK && out->has_prev)
			st = db_copy(s, 2, out->prev, HASH_LEN);
	}
	db_done(s);
	return st;
}

/* The link at `seq` as the branch sees it, through those that it left. */
static enum status
link_below(struct verify *v, const struct vchain *c, uint64_t seq,
    uint64_t place, uint8_t out[HASH_LEN])
{
	struct vrow row;
	enum status st;

	if (seq == 0) {
		memcpy(out, c->link0, HASH_LEN);
		return ST_OK;
	}
	while (c->branch > 0 && seq <= c->base_seq) {
		/* check_rows: a parent has a lower number, so this ends. */
		c = verify_chain_of(v, c->no, c->parent);
		if (c == NULL)
			return ST_ABSENT;
	}
	st = row_at(v, c->no, seq, c->branch, &row);
	if (st == ST_OK && row.place >= place)
		return ST_ABSENT;
	if (st == ST_OK)
		memcpy(out, row.link, HASH_LEN);
	return st;
}

/* ---- what an entry rests on */

static enum status
note_hole(struct verify *v, const struct vchain *c, uint64_t first,
    uint64_t last, uint64_t place)
{
	struct vhole *h;
	enum status st;

	st = verify_room(
	    &v->hole, &v->hole_cap, v->hole_count, sizeof(*v->hole));
	if (st != ST_OK)
		return st;
	h = &v->hole[v->hole_count++];
	memcpy(h->chain, c->id, CHAIN_LEN);
	h->first = first;
	h->last = last;
	h->place = place;
	h->c = c;
	return ST_OK;
}

/* What stands before the hole has no later signature over it. */
static void
check_signature(struct verify *v, struct vchain *c)
{
	if (!c->has_sig)
		return;
	v->r->signatures++;
	if (chain_verify(c->sig, c->key, c->id, c->sig_seq, c->sig_link) !=
	    ST_OK)
		verify_say_at(v, VERIFY_REBUILT, c->sig_place, c, c->sig_seq,
		    "链头签名不是该设备的：这条链被重造，或换了设备。",
		    "The head signature is not this device's: the chain was "
		    "rebuilt, or its device swapped.");
	c->has_sig = false;
}

/* Entries lack before this one. */
static enum status
jump(struct verify *v, struct vchain *c, const struct vrow *row,
    uint64_t expected, uint8_t base[HASH_LEN], bool *sure)
{
	struct vrow other;
	enum status st;

	if (row->has_prev) {
		/* A hole that was logged, or else it is named at the end. */
		memcpy(base, row->prev, HASH_LEN);
		*sure = true;
		check_signature(v, c);
		return note_hole(v, c, expected, row->seq - 1, row->place);
	}
	*sure = false;
	st = row_at(v, row->no, expected, row->branch, &other);
	if (st == ST_OK)
		verify_say_at(v, VERIFY_ORDER, row->place, c, row->seq,
		    "次序被改：前一条排在它后面。",
		    "Reordered: the entry before it stands behind it.");
	else if (st == ST_ABSENT)
		verify_say_at(v, VERIFY_GAP, row->place, c, expected,
		    "中间缺条目：从这个序号起到本位置之前。",
		    "Entries are missing: from this seq up to this place.");
	return st == ST_ABSENT ? ST_OK : st;
}

/* A place at or below the last: the filling of a hole, or what may not be. */
static enum status
earlier(struct verify *v, struct vchain *c, const struct vrow *row,
    uint8_t base[HASH_LEN], bool *sure)
{
	struct vrow other;
	enum status st;

	*sure = false;
	st = row_at(v, row->no, row->seq, row->branch, &other);
	if (st == ST_OK && other.place < row->place) {
		verify_say_at(v, VERIFY_REPLAY, row->place, c, row->seq,
		    "重放：同一链同一序号的条目已在前面的位置。",
		    "Replay: this seq of the chain stands at an earlier place "
		    "already.");
		return ST_OK;
	}
	if (st != ST_OK && st != ST_ABSENT)
		return st;
	for (size_t i = 0; i < v->hole_count; i++) {
		const struct vhole *h = &v->hole[i];

		if (h->c != c || row->seq < h->first || row->seq > h->last)
			continue;
		st = link_below(v, c, row->seq - 1, row->place, base);
		*sure = st == ST_OK;
		if (st != ST_OK && st != ST_ABSENT)
			return st;
		if (!*sure && row->has_prev) {
			/* Others brought it, and not what is before it. */
			memcpy(base, row->prev, HASH_LEN);
			*sure = v->adrift = true;
		}
		if (!*sure)
			break;
		st = row_at(v, row->no, row->seq + 1, row->branch, &other);
		/* The far end: a signature was over it. */
		if (st == ST_OK && other.place < row->place &&
		    (!other.has_prev ||
			memcmp(other.prev, row->link, HASH_LEN) != 0))
			break;
		return st == ST_ABSENT ? ST_OK : st;
	}
	verify_say_at(v, VERIFY_ORDER, row->place, c, row->seq,
	    "次序被改：条目落在其后条目之后。",
	    "Reordered: the entry stands behind ones that follow it.");
	return ST_OK;
}

static enum status
first_of_branch(struct verify *v, struct vchain *c, const struct vrow *row,
    uint8_t base[HASH_LEN], bool *sure)
{
	uint8_t link[HASH_LEN];
	enum status st;

	if (c->branch == 0) {
		if (row->seq > 1)
			return jump(v, c, row, 1, base, sure);
		memcpy(base, c->link0, HASH_LEN);
		*sure = true;
		return ST_OK;
	}
	st = link_below(v, c, row->seq - 1, row->place, base);
	*sure = st == ST_OK;
	if (st == ST_ABSENT || row->seq != c->base_seq + 1)
		verify_say_at(v, VERIFY_GAP, row->place, c, row->seq,
		    "分支的起点不在库里。",
		    "What the branch leaves is not in the store.");
	if (st != ST_OK && st != ST_ABSENT)
		return st;
	st = row_at(v, c->no, row->seq, c->parent, &(struct vrow){ 0 });
	if (st == ST_OK)
		st = link_below(v, verify_chain_of(v, c->no, c->parent),
		    row->seq, row->place, link);
	if (st == ST_OK && memcmp(link, row->link, HASH_LEN) == 0)
		verify_say_at(v, VERIFY_REPLAY, row->place, c, row->seq,
		    "重放：同一条目已在前面的位置。",
		    "Replay: the same entry stands at an earlier place.");
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
verify_base(struct verify *v, struct vchain *c, const struct vrow *row,
    uint8_t base[HASH_LEN], bool *sure)
{
	enum status st = ST_OK;

	*sure = true;
	v->adrift = false;
	if (!c->begun)
		st = first_of_branch(v, c, row, base, sure);
	else if (row->seq == c->last_seq + 1)
		memcpy(base, c->last_link, HASH_LEN);
	else if (row->seq > c->last_seq)
		st = jump(v, c, row, c->last_seq + 1, base, sure);
	else
		st = earlier(v, c, row, base, sure);
	if (st != ST_OK || !*sure)
		return st;
	/* Readers of the store go by what the row says it rests on. */
	if (row->has_prev ? memcmp(row->prev, base, HASH_LEN) != 0
			  : v->before_chain == NULL ||
				memcmp(v->before, base, HASH_LEN) != 0) {
		if (!c->has_other)
			verify_say_at(v, VERIFY_ORDER, row->place, c, row->seq,
			    "本行所依据的前一条不是链上的前一条。",
			    "What the row says it rests on is not the entry "
			    "before it in its chain.");
	}
	return ST_OK;
}

/* ---- the end */

static bool
covered(const struct verify *v, const struct vhole *h)
{
	for (size_t i = 0; i < v->hole_said_count; i++) {
		const struct vhole *s = &v->hole_said[i];

		if (memcmp(s->chain, h->chain, CHAIN_LEN) == 0 &&
		    s->first <= h->first && s->last >= h->last &&
		    s->place > h->place)
			return true;
	}
	return false;
}

static void
check_row(struct verify *v, const struct vchain *c)
{
	bool same =
	    c->begun ? c->row_last_seq == c->last_seq &&
			   c->row_last_place == c->last_place &&
			   memcmp(c->row_last_link, c->last_link, HASH_LEN) == 0
		     : c->row_last_seq == c->base_seq;

	if (same)
		return;
	if (c->row_last_seq > c->last_seq)
		verify_say_at(v, VERIFY_TAIL, c->last_place, c, c->last_seq + 1,
		    "链尾缺条目：链的登记到得更远。",
		    "The end of this chain is missing: its row reaches "
		    "further.");
	else
		verify_say_at(v, VERIFY_ROW, c->last_place, c, c->last_seq,
		    "链的登记与最后一条不符。",
		    "The chain's row is not its last entry.");
}

enum status
verify_chains_end(struct verify *v)
{
	for (size_t i = 0; i < v->hole_count; i++) {
		const struct vhole *h = &v->hole[i];

		if (covered(v, h))
			v->r->holes++;
		else
			verify_say_at(v, VERIFY_GAP, h->place, h->c, h->first,
			    "中间缺条目，且日志没有说明。",
			    "Entries are missing, and the log does not say "
			    "so.");
	}
	for (size_t i = 0; i < v->chain_count; i++) {
		struct vchain *c = &v->chain[i];

		check_row(v, c);
		if (c->begun && c->returned_last != c->last_seq &&
		    (!c->has_sig || c->sig_seq != c->last_seq))
			verify_say_at(v, VERIFY_REBUILT, c->last_place, c,
			    c->last_seq, "链的最后一条没有签名覆盖。",
			    "No signature covers the end of this chain.");
		check_signature(v, c);
	}
	return ST_OK;
}
