/*
 * centre_check: everything in the store, hashed and verified anew.
 *
 * One pass over the entries in order of place.  What rests on the pass (chains,
 * tree) is compared at its end.  daybreak-audit does the like from common/
 * alone, for those who do not trust this code.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry/chain.h"
#include "server/core/centre_inner.h"

struct line {
	uint8_t chain[CHAIN_LEN];
	uint64_t first, last;
	uint8_t link[HASH_LEN];
	uint8_t sig[SIG_LEN];
};

struct check {
	struct centre *c;
	centre_fault fn;
	void *arg;
	struct centre_checked n;

	struct store_reader *r;  /* scans */
	struct store_reader *rc; /* everything else */
	struct entry parse;
	struct frontier tree;

	struct store_commit commit; /* that the present place is in */
	bool has_commit;
	struct buf lines;  /* its piece lines */
	size_t at_line;    /* the one that covers the present place */
	uint64_t line_end; /* first place behind it */

	struct chains *table; /* owned: the store's, read anew */
	/* The last entry seen of each branch of each chain, by number. */
	struct chain_view *chain; /* owned */
	uint64_t chain_count;
};

static void fault(struct check *k, uint64_t place, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
fault(struct check *k, uint64_t place, const char *fmt, ...)
{
	char words[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	k->n.faults++;
	k->fn(k->arg, place, words);
}

static bool
same(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, HASH_LEN) == 0;
}

/* ---- commits and their lines */

static void
line_at(const struct check *k, size_t i, struct line *out)
{
	struct reader r;

	reader_init(
	    &r, bytes_of(k->lines.p + i * PIECE_LINE_LEN, PIECE_LINE_LEN));
	(void)reader_take(&r, 16);
	reader_copy(&r, out->chain, CHAIN_LEN);
	out->first = reader_u64(&r);
	out->last = reader_u64(&r);
	reader_copy(&r, out->link, HASH_LEN);
	reader_copy(&r, out->sig, SIG_LEN);
}

static size_t
line_count(const struct check *k)
{
	return k->lines.len / PIECE_LINE_LEN;
}

/* The commit that begins here. */
static enum status
next_commit(struct check *k, uint64_t place)
{
	struct line l;
	enum status st = store_commit_of(k->rc, place, &k->commit);

	if (st == ST_ABSENT) {
		fault(k, place, "no commit holds this place");
		k->commit = (struct store_commit){ .first = place,
			.place = UINT64_MAX };
		st = ST_OK;
	}
	if (st != ST_OK)
		return st;
	if (k->commit.first != place)
		fault(k, place, "the commit at %" PRIu64 " begins elsewhere",
		    k->commit.place);
	k->has_commit = true;
	k->n.commits++;
	buf_reset(&k->lines);
	st = store_pieces(k->rc, k->commit.place, &k->lines);
	if (st != ST_OK)
		return st;
	if (line_count(k) != k->commit.pieces)
		fault(k, k->commit.place, "piece lines are missing");
	k->at_line = 0;
	k->line_end = place;
	if (line_count(k) > 0) {
		line_at(k, 0, &l);
		k->line_end = place + (l.last - l.first) + 1;
	}
	return ST_OK;
}

/* A member of the commit entry's data. */
static bool
data_is(const struct check *k, size_t i, uint64_t want)
{
	uint32_t n = entry_value(&k->parse, i);
	const struct json_node *node = &k->parse.body.node[n];

	return node->type == JSON_INT && node->num >= 0 &&
	       (uint64_t)node->num == want;
}

static void
check_commit_entry(
    struct check *k, const struct store_entry *e, const struct chain_view *v)
{
	char hex[2 * HASH_LEN + 1];
	uint8_t root[HASH_LEN], leaf[HASH_LEN];
	struct frontier f;

	if (entry_parse(&k->parse, e->bytes) != ST_OK ||
	    k->parse.body_is != ENTRY_BODY_WHOLE ||
	    !bytes_eq_str(k->parse.kind, "commit@1") ||
	    k->parse.on_count != 3) {
		fault(k, e->place, "a commit does not end in a commit entry");
		return;
	}
	frontier_init(&f);
	for (size_t i = 0; i < line_count(k); i++) {
		merkle_leaf(leaf,
		    bytes_of(k->lines.p + i * PIECE_LINE_LEN, PIECE_LINE_LEN));
		frontier_add(&f, leaf);
	}
	frontier_root(&f, root);
	for (size_t i = 0; i < HASH_LEN; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", root[i]);
	if (!data_is(k, 0, k->commit.first) ||
	    !data_is(k, 1, k->commit.pieces) ||
	    !json_is(&k->parse.body, entry_value(&k->parse, 2), hex))
		fault(k, e->place,
		    "piece lines are not those that the commit entry states");
	if (k->parse.wall != k->commit.wall)
		fault(k, e->place, "received-at differs from the entry");
	if (chain_verify(k->commit.sig, v->key, v->id, e->seq, e->link) !=
	    ST_OK)
		fault(k, e->place, "bad head signature of the centre's chain");
}

/* ---- entries */

static const uint8_t unsigned_line[SIG_LEN];

static void
check_line(
    struct check *k, const struct store_entry *e, const struct chain_view *v)
{
	struct line l;
	uint64_t begin;

	line_at(k, k->at_line, &l);
	begin = k->line_end - (l.last - l.first) - 1;
	if (memcmp(l.chain, v->id, CHAIN_LEN) != 0 ||
	    e->seq != l.first + (e->place - begin))
		fault(k, e->place, "not the entry that its piece line covers");
	if (e->place + 1 != k->line_end)
		return;
	k->n.pieces++;
	if (!same(l.link, e->link))
		fault(k, e->place, "the piece line states another link");
	/* One that an ended log proved came without: the auditor looks. */
	if (memcmp(l.sig, unsigned_line, SIG_LEN) != 0 &&
	    chain_verify(l.sig, v->key, v->id, l.last, l.link) != ST_OK)
		fault(k, e->place, "bad head signature of a piece");
	if (++k->at_line < line_count(k)) {
		line_at(k, k->at_line, &l);
		k->line_end = e->place + 2 + (l.last - l.first);
	}
}

/* Does the entry go on from what its branch had before? */
static void
check_chain(struct check *k, const struct store_entry *e, struct chain_view *v)
{
	struct chain_branch *b = &v->branch[e->branch];

	if (e->seq <= b->last_seq) {
		/* A hole that was filled: its far end said what it leads to. */
		if (e->seq <= b->base_seq)
			fault(k, e->place, "stands before its branch begins");
		return;
	}
	if (e->seq == b->last_seq + 1 && !same(e->prev, b->last_link))
		fault(k, e->place, "does not follow the entry before it");
	b->last_seq = e->seq;
	memcpy(b->last_link, e->link, HASH_LEN);
	b->last_place = e->place;
}

static void
check_hash(struct check *k, const struct store_entry *e)
{
	uint8_t digest[HASH_LEN], link[HASH_LEN];

	if ((e->flags & STORE_LOST) == 0) {
		entry_digest(digest, e->bytes);
	} else if (e->bytes.len == HASH_LEN) {
		memcpy(digest, e->bytes.p, HASH_LEN);
	} else {
		fault(k, e->place, "a lost entry without its digest");
		return;
	}
	chain_link(link, e->prev, e->seq, digest);
	if (!same(link, e->link))
		fault(k, e->place, "the entry's bytes are not what was logged");
}

static enum status
check_entry(struct check *k, const struct store_entry *e)
{
	uint8_t leaf[HASH_LEN];
	struct chain_view *v;
	enum status st;

	if (!k->has_commit || e->place > k->commit.place) {
		st = next_commit(k, e->place);
		if (st != ST_OK)
			return st;
	}
	k->n.entries++;
	check_hash(k, e);
	merkle_leaf(leaf, bytes_of(e->link, HASH_LEN));
	frontier_add(&k->tree, leaf);
	if (e->chain == 0 || e->chain > k->chain_count ||
	    e->branch >= k->chain[e->chain - 1].count) {
		fault(k, e->place, "of a chain that is not in the table");
		return ST_OK;
	}
	v = &k->chain[e->chain - 1];
	check_chain(k, e, v);
	if (e->place < k->line_end) {
		check_line(k, e, v);
	} else {
		if (memcmp(v->id, serverchain_id(k->c->sc), CHAIN_LEN) != 0 &&
		    (v->branch[0].status & STORE_CHAIN_SERVER) == 0)
			fault(k, e->place, "no piece line covers this entry");
		if (e->place == k->commit.place)
			check_commit_entry(k, e, v);
	}
	return ST_OK;
}

static enum status
check_entries(struct check *k, uint64_t size)
{
	struct store_scan *sc;
	struct store_entry e;
	enum status st = store_scan_open(&sc, k->r, 0, size);

	if (st != ST_OK)
		return st;
	while ((st = store_scan_next(sc, &e)) == ST_OK) {
		st = check_entry(k, &e);
		if (st != ST_OK)
			break;
	}
	store_scan_close(sc);
	if (st == ST_CORRUPT) {
		fault(k, k->tree.size, "cannot be read");
		return ST_OK;
	}
	if (st == ST_ABSENT && k->tree.size != size)
		fault(k, k->tree.size, "the log ends before its head says");
	return st == ST_ABSENT ? ST_OK : st;
}

/* ---- the rest */

/* The table as it stands, with each branch put back to where it begins. */
static enum status
load_chains(struct check *k)
{
	struct chain_view v;
	uint64_t n = 0;
	enum status st = chains_new(&k->table, k->c->port);

	if (st == ST_OK)
		st = chains_load(k->table, k->rc);
	if (st != ST_OK)
		return st;
	while (chains_at(k->table, n, &v))
		n++;
	k->chain = calloc((size_t)n + 1, sizeof(*k->chain));
	if (k->chain == NULL)
		return ST_NOMEM;
	k->chain_count = n;
	for (uint64_t i = 0; i < n; i++) {
		struct chain_view *w = &k->chain[i];

		(void)chains_at(k->table, i, w);
		for (uint32_t b = 0; b < w->count; b++) {
			w->branch[b].last_seq = w->branch[b].base_seq;
			memcpy(w->branch[b].last_link, w->branch[b].base_link,
			    HASH_LEN);
			w->branch[b].last_place = 0;
		}
	}
	return ST_OK;
}

/* Where branches begin must be on their parents; that of branch 0 is link(0).
 * Where they end was seen, unless a commit came meanwhile. */
static void
check_chains(struct check *k, bool moved)
{
	uint8_t link0[HASH_LEN];
	struct chain_view now;

	for (uint64_t i = 0; i < k->chain_count; i++) {
		const struct chain_view *v = &k->chain[i];

		if (!chains_at(k->table, i, &now))
			continue;
		chain_link0(link0, k->c->court_id, v->key, v->id);
		if (!same(link0, v->branch[0].base_link))
			fault(k, UINT64_MAX,
			    "chain %" PRIu64 " does not begin at link(0)",
			    v->no);
		for (uint32_t b = 0; b < v->count && !moved; b++)
			if (v->branch[b].last_seq != now.branch[b].last_seq ||
			    !same(v->branch[b].last_link,
				now.branch[b].last_link))
				fault(k, now.branch[b].last_place,
				    "chain %" PRIu64 " ends elsewhere than its"
				    " row says",
				    v->no);
	}
}

static enum status
check_tiles(struct check *k, uint64_t size)
{
	uint8_t up[HASH_LEN], want[HASH_LEN];
	struct buf b;
	enum status st = ST_OK;

	buf_init(&b, TILE_BYTES_MAX);
	for (unsigned l = 0; l < TILE_LEVELS && st == ST_OK; l++) {
		size /= TILE_WIDTH;
		for (uint64_t i = 0; i < size && st == ST_OK; i++) {
			buf_reset(&b);
			st = store_tile(k->rc, l, i, &b);
			if (st == ST_ABSENT || st == ST_CORRUPT) {
				fault(k, UINT64_MAX,
				    "tile %u/%" PRIu64 " is missing", l, i);
				st = ST_OK;
				continue;
			}
			if (st != ST_OK)
				break;
			k->n.tiles++;
			/* Its root is in the tile above, or under the head. */
			tile_root(up, b.p);
			st = tlog_read(k->c->tlog, 8 * l + 8, i, want);
			if (st == ST_OK && !same(up, want))
				fault(k, UINT64_MAX,
				    "tile %u/%" PRIu64 " is damaged", l, i);
		}
	}
	buf_free(&b);
	return st;
}

static enum status
run(struct check *k)
{
	uint8_t root[HASH_LEN];
	struct store_head head, after;
	struct buf why;
	enum status st = store_head(k->rc, &head);

	buf_init(&why, 1024);
	/* What is committed meanwhile may show in the table, not in the pass.
	 */
	if (st == ST_OK)
		st = load_chains(k);
	if (st == ST_OK) {
		st = store_check(k->rc, &why);
		if (st == ST_CORRUPT) {
			fault(k, UINT64_MAX, "%s", buf_cstr(&why));
			st = ST_OK;
		}
	}
	if (st == ST_OK)
		st = check_entries(k, head.size);
	if (st == ST_OK)
		st = store_head(k->rc, &after);
	if (st == ST_OK) {
		frontier_root(&k->tree, root);
		if (k->tree.size == head.size && !same(root, head.root))
			fault(k, UINT64_MAX,
			    "the entries do not give the root that was signed");
		check_chains(k, after.size != head.size);
		st = check_tiles(k, head.size);
	}
	buf_free(&why);
	return st;
}

enum status
centre_check(
    struct centre *c, centre_fault fn, void *arg, struct centre_checked *out)
{
	struct check *k = calloc(1, sizeof(*k));
	enum status st;

	if (k == NULL)
		return ST_NOMEM;
	k->c = c;
	k->fn = fn;
	k->arg = arg;
	entry_init(&k->parse);
	buf_init(&k->lines, 256 << 20);
	frontier_init(&k->tree);
	st = store_reader_open(&k->r, c->store);
	if (st == ST_OK)
		st = store_reader_open(&k->rc, c->store);
	if (st == ST_OK)
		st = run(k);
	*out = k->n;
	if (st == ST_OK && k->n.faults > 0)
		st = ST_CORRUPT;
	store_reader_close(k->r);
	store_reader_close(k->rc);
	entry_free(&k->parse);
	buf_free(&k->lines);
	free(k->chain);
	chains_free(k->table);
	free(k);
	return st;
}
