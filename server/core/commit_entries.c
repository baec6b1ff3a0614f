/* commit_entries: what the server's own chain says of a commit, and its end. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/sort.h"
#include "entry/json.h"
#include "server/core/commit_inner.h"

enum {
	HOLD_IDS_MAX = 1000, /* in one `hold`: well below an entry's limit */
	ENTRY_SCRATCH_MAX = ENTRY_BYTES_MAX
};

/* ---- rows of the server's chain */

static enum status
put_row(struct txn *t, struct chain_view *v, size_t i)
{
	const struct server_row *w = serverchain_row(t->c->sc, i);
	struct store_entry row = { .place = t->next,
		.chain = v->no,
		.seq = w->seq,
		.flags = STORE_SERVER,
		.has_prev = i == 0,
		.bytes = serverchain_bytes(t->c->sc, i) };
	uint8_t leaf[1][HASH_LEN];
	enum status st;

	memcpy(row.prev, w->prev, HASH_LEN);
	memcpy(row.link, w->link, HASH_LEN);
	merkle_leaf(leaf[0], bytes_of(w->link, HASH_LEN));
	st = store_put_entry(t->s, &row, NULL);
	if (st == ST_OK)
		st = tlog_append(
		    t->c->tlog, (const uint8_t(*)[HASH_LEN])leaf, 1);
	if (st != ST_OK)
		return st;
	v->branch[0].last_seq = w->seq;
	memcpy(v->branch[0].last_link, w->link, HASH_LEN);
	v->branch[0].last_place = t->next++;
	v->dirty |= 1;
	return ST_OK;
}

/* Put what was written on the server's chain and is not in the store yet. */
static enum status
put_rows(struct txn *t)
{
	struct serverchain *sc = t->c->sc;
	struct chain_view *v;
	enum status st = ST_OK;

	if (t->server_put == serverchain_count(sc))
		return ST_OK;
	v = chains_stage(t->c->chains, serverchain_id(sc), serverchain_key(sc));
	if (v == NULL)
		return ST_NOMEM;
	if (v->count == 0) {
		chains_begin(t->c->chains, v, serverchain_link0(sc));
		v->branch[0].status = STORE_CHAIN_SERVER;
	}
	while (st == ST_OK && t->server_put < serverchain_count(sc))
		st = put_row(t, v, t->server_put++);
	return st;
}

/* The place that the next entry written will have. */
static uint64_t
next_place(const struct txn *t)
{
	return t->next + (serverchain_count(t->c->sc) - t->server_put);
}

/* That it cannot be written is our mistake or lack of memory. */
enum status
txn_write(struct txn *t, struct server_entry *e)
{
	enum status st;

	e->place = next_place(t);
	st = serverchain_write(t->c->sc, e, t->wall);
	assert(st != ST_INVALID);
	return st;
}

/* ---- holds, holes, what was recovered, what came later */

static int
held_cmp(const void *arg, uint32_t a, uint32_t b)
{
	const struct held_entry *h = arg;

	return memcmp(h[a].rec, h[b].rec, REC_LEN);
}

/* One `hold` of the record of held[idx[0]]: `count` entries of it. */
static enum status
write_hold(struct txn *t, const uint32_t *idx, size_t count, struct buf *text)
{
	const struct held_entry *first = &t->held[idx[0]];
	struct server_entry e = { .kind = first->kind,
		.verb = DO_HOLD,
		.reason = bytes_str(first->reason) };
	struct bytes *on = calloc(count, sizeof(*on));
	enum status st;

	if (on == NULL)
		return ST_NOMEM;
	memcpy(e.rec, first->rec, sizeof(e.rec));
	buf_reset(text);
	for (size_t i = 0; i < count; i++)
		buf_hex(text, bytes_of(t->held[idx[i]].id, ID_LEN));
	buf_u8(text, '[');
	for (size_t i = 0; i < count; i++)
		buf_str(text, i == 0 ? "null" : ",null");
	buf_u8(text, ']');
	st = text->err;
	if (st == ST_OK) {
		size_t ids = count * 2 * ID_LEN;

		for (size_t i = 0; i < count; i++)
			on[i] = bytes_of(
			    text->p + i * 2 * ID_LEN, 2 * (size_t)ID_LEN);
		e.on = on;
		e.on_count = count;
		e.data = bytes_of(text->p + ids, text->len - ids);
		st = txn_write(t, &e);
	}
	free(on);
	return st;
}

/* A device may repeat an entry in one piece only on another seq, so ids differ;
 * all held entries of one record go into one `hold`, or a few. */
static enum status
write_holds(struct txn *t, struct buf *text)
{
	uint32_t *idx = calloc(2 * t->held_count, sizeof(*idx));
	size_t from = 0, to;
	enum status st = ST_OK;

	if (idx == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < t->held_count; i++)
		idx[i] = (uint32_t)i;
	sort_u32(idx, idx + t->held_count, t->held_count, held_cmp, t->held);
	for (; from < t->held_count && st == ST_OK; from = to) {
		to = from + 1;
		while (to < t->held_count && to - from < HOLD_IDS_MAX &&
		       held_cmp(t->held, idx[from], idx[to]) == 0)
			to++;
		st = write_hold(t, idx + from, to - from, text);
	}
	free(idx);
	return st;
}

static enum status
write_span(struct txn *t, const struct span *s, struct buf *text)
{
	const struct bytes on[] = { bytes_str("dev"), bytes_str("chain"),
		bytes_str("first"), bytes_str("last"), bytes_str("reason") };
	struct server_entry e = {
		.kind = "hole@1", .verb = DO_OPEN, .on = on, .on_count = 4
	};

	if (s->in != NULL)
		return s->evidence ? txn_evidence(t, s, text)
				   : txn_returned(t, s, false, text);
	buf_reset(text);
	buf_printf(text, "[\"%s\",\"", s->dev);
	buf_hex(text, bytes_of(s->chain, CHAIN_LEN));
	buf_printf(text, "\",%" PRIu64 ",%" PRIu64, s->first, s->last);
	if (s->recovered != NULL) {
		e.kind = "recovered@1";
		e.on_count = 5;
		buf_u8(text, ',');
		json_put_str(text, s->recovered);
	}
	buf_u8(text, ']');
	if (text->err != ST_OK)
		return text->err;
	e.data = buf_view(text);
	return txn_write(t, &e);
}

/* So that who counts a record's entries later knows which were not there. */
static enum status
write_refill(struct txn *t, const struct refill *r, struct buf *text)
{
	const struct bytes on[] = { bytes_str("place"), bytes_str("digest"),
		bytes_str("was") };
	struct server_entry e = {
		.kind = "filled@1", .verb = DO_OPEN, .on = on, .on_count = 3
	};

	buf_reset(text);
	buf_printf(text, "[%" PRIu64 ",", r->place);
	json_put_hex(text, bytes_of(r->digest, HASH_LEN));
	buf_str(text, r->lost ? ",\"lost\"]" : ",\"blind\"]");
	if (text->err != ST_OK)
		return text->err;
	e.data = buf_view(text);
	return txn_write(t, &e);
}

enum status
txn_consequences(struct txn *t)
{
	enum status st = ST_OK;
	struct buf text;

	if (t->held_count == 0 && t->span_count == 0 && t->word_count == 0 &&
	    t->refill_count == 0)
		return ST_OK;
	buf_init(&text, 2 * ENTRY_SCRATCH_MAX);
	st = txn_words(t, &text);
	if (st == ST_OK && t->held_count > 0)
		st = write_holds(t, &text);
	for (size_t i = 0; i < t->span_count && st == ST_OK; i++)
		st = write_span(t, &t->span[i], &text);
	for (size_t i = 0; i < t->refill_count && st == ST_OK; i++)
		st = write_refill(t, &t->refill[i], &text);
	buf_free(&text);
	return st == ST_OK ? put_rows(t) : st;
}

/* ---- entries that were asked for */

/* The latest entry of the same record before entry k of the job, or NULL. */
static const struct server_entry *
before_in_job(const struct commit_job *job, size_t k)
{
	const struct server_entry *e = &job->entry[k];

	while (k-- > 0)
		if (strcmp(job->entry[k].rec, e->rec) == 0)
			return &job->entry[k];
	return NULL;
}

static enum status
write_asked(struct txn *t, struct commit_job *job, size_t k)
{
	struct server_entry *e = &job->entry[k];
	const struct server_entry *before = NULL;
	struct server_entry w;
	enum status st;

	if (e->chained && e->rec[0] != '\0')
		before = before_in_job(job, k);
	w = *e;
	if (before != NULL) {
		w.after = &before->id;
		w.after_count = 1;
	}
	w.place = next_place(t);
	st = serverchain_write(t->c->sc, &w, t->wall);
	if (st == ST_INVALID || st == ST_LIMIT)
		centre_set_errmsg(t->c, "%s entry of the server: %s", e->kind,
		    serverchain_why(t->c->sc));
	if (st != ST_OK)
		return st;
	memcpy(e->rec, w.rec, sizeof(e->rec));
	memcpy(e->id, w.id, ID_LEN);
	e->place = w.place;
	return ST_OK;
}

enum status
txn_entries(struct txn *t, struct commit_job *job, enum status *own)
{
	size_t mark = serverchain_count(t->c->sc);
	enum status st = ST_OK;

	*own = ST_OK;
	for (size_t k = 0; k < job->entry_count && st == ST_OK; k++)
		st = write_asked(t, job, k);
	if (st == ST_OK && job->check != NULL) {
		st = job->check(job->arg, t->s);
		t->rows = true;
	}
	/* The disk's fault is not the job's. */
	if (st == ST_IO || st == ST_FULL || st == ST_CORRUPT || st == ST_NOMEM)
		return st;
	if (st != ST_OK) {
		serverchain_cut(t->c->sc, mark);
		*own = st;
		return ST_OK;
	}
	return put_rows(t);
}

/* ---- the end */

static enum status
write_commit(struct txn *t)
{
	const struct bytes on[] = { bytes_str("first"), bytes_str("pieces"),
		bytes_str("root") };
	struct server_entry e = {
		.kind = "commit@1", .verb = DO_OPEN, .on = on, .on_count = 3
	};
	uint8_t root[HASH_LEN];
	struct buf data;
	enum status st;

	frontier_root(&t->line_tree, root);
	buf_init(&data, 256);
	buf_printf(
	    &data, "[%" PRIu64 ",%" PRIu64 ",\"", t->first, t->line_tree.size);
	buf_hex(&data, bytes_of(root, HASH_LEN));
	buf_str(&data, "\"]");
	st = data.err;
	if (st == ST_OK) {
		e.data = buf_view(&data);
		st = txn_write(t, &e);
	}
	buf_free(&data);
	return st == ST_OK ? put_rows(t) : st;
}

/* The lines, and the commit itself, which is the last entry. */
static enum status
put_commit(struct txn *t)
{
	struct store_commit cm = { .place = t->next - 1,
		.first = t->first,
		.wall = t->wall,
		.pieces = t->line_tree.size };
	enum status st;

	serverchain_sign(t->c->sc, cm.sig);
	st = store_put_commit(t->s, &cm);
	for (uint64_t i = 0; i < cm.pieces && st == ST_OK; i++)
		st = store_put_piece(
		    t->s, cm.place, i, t->lines.p + i * PIECE_LINE_LEN);
	return st;
}

enum status
txn_seal(struct txn *t)
{
	struct frontier f;
	enum status st;

	st = centre_put_attempts(t->c, t->s, &t->attempts);
	if (st != ST_OK || t->next == t->first)
		return st;
	st = write_commit(t);
	if (st == ST_OK)
		st = put_commit(t);
	if (st == ST_OK)
		st = chains_put(t->c->chains, t->s);
	if (st == ST_OK)
		st = chains_ready(t->c->chains);
	if (st == ST_OK)
		st = tlog_put_tiles(t->c->tlog, t->s);
	if (st != ST_OK)
		return st;
	tlog_frontier(t->c->tlog, &f);
	assert(f.size == t->next);
	return store_put_head(t->s, &f);
}
