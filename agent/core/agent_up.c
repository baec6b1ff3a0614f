/* agent_up: what a sync request says (docs/PROTOCOL.md, section 4). */
#include <stdlib.h>
#include <string.h>

#include "agent/core/agent_impl.h"

enum {
	UP_ENTRIES_MAX = 2000,  /* in one request */
	UP_BYTES_MAX = 1 << 20, /* of their bytes: what a slow link can carry */
	UP_BACKLOG_MAX = 5000   /* places looked through for urgent ones */
};

struct up {
	struct wire_piece *piece;
	size_t piece_count;
	struct wire_entry *entry; /* of all pieces */
	size_t *off;              /* of each entry's bytes */
	size_t entry_count, entry_cap;
	struct wire_hint *hint;
	size_t hint_count;
	struct wire_cursor *cursor;
	size_t cursor_count;
	struct wire_returned *returned;
	size_t returned_count;
	struct buf bytes;
	struct buf hint_bytes;
	struct buf returned_bytes;
	struct handing handing;

	/* The walk under way. */
	struct agent *agent;
	bool full;
	bool fresh;      /* the next entry begins a piece */
	bool hole;       /* … behind a hole */
	uint64_t cut_at; /* of this chain: a piece ends there */
};

enum status
up_new(struct up **out)
{
	struct up *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return ST_NOMEM;
	buf_init(&u->bytes, 4 * UP_BYTES_MAX);
	buf_init(&u->hint_bytes, HINTS_MAX * HINT_RAW_MAX);
	buf_init(&u->returned_bytes, LOG_CONF_MAX);
	agent_handing_init(&u->handing);
	u->piece = calloc(FRAME_PIECES_MAX, sizeof(*u->piece));
	u->hint = calloc(HINTS_MAX, sizeof(*u->hint));
	u->cursor = calloc(CURSORS_MAX, sizeof(*u->cursor));
	u->entry = calloc(UP_ENTRIES_MAX, sizeof(*u->entry));
	u->off = calloc(UP_ENTRIES_MAX, sizeof(*u->off));
	if (u->piece == NULL || u->hint == NULL || u->cursor == NULL ||
	    u->entry == NULL || u->off == NULL) {
		up_free(u);
		return ST_NOMEM;
	}
	*out = u;
	return ST_OK;
}

void
up_free(struct up *u)
{
	if (u == NULL)
		return;
	free(u->piece);
	free(u->hint);
	free(u->cursor);
	free(u->entry);
	free(u->off);
	buf_wipe(&u->bytes);
	buf_wipe(&u->hint_bytes);
	free(u->returned);
	buf_wipe(&u->returned_bytes);
	agent_handing_free(&u->handing);
	free(u);
}

uint64_t
up_sent(const struct up *u)
{
	return u->entry_count;
}

bool
up_returned(const struct up *u)
{
	return u->returned_count > 0;
}

const struct handing *
up_handing(const struct up *u)
{
	return &u->handing;
}

static void
begin_piece(struct up *u, const struct log_entry *le)
{
	struct wire_piece *p = &u->piece[u->piece_count++];

	memset(p, 0, sizeof(*p));
	memcpy(p->chain, le->e.chain, CHAIN_LEN);
	p->first = le->e.seq;
	p->has_base = u->hole;
	p->hole = u->hole;
	memcpy(p->base, le->e.prev, HASH_LEN);
	u->fresh = false;
	u->hole = false;
}

static enum wire_form
form_of(enum chainfile_is is)
{
	if (is == CHAINFILE_WHOLE)
		return WIRE_WHOLE;
	return is == CHAINFILE_HEAD ? WIRE_HEAD : WIRE_LOST;
}

/* One own entry goes into the piece under way. */
static enum status
take_entry(void *arg, const struct log_entry *le)
{
	struct up *u = arg;
	struct wire_piece *p;
	struct wire_entry *w;

	if (le->e.is == CHAINFILE_HOLE) {
		/* Gone with its digest: the next piece states its own base,
		 * for which its head signature vouches. */
		u->fresh = true;
		u->hole = true;
		return ST_OK;
	}
	if (u->fresh ||
	    u->piece[u->piece_count - 1].count == PIECE_ENTRIES_MAX) {
		if (u->piece_count == FRAME_PIECES_MAX || !le->e.has_prev) {
			u->full = true;
			return ST_LIMIT;
		}
		begin_piece(u, le);
	}
	if (u->entry_count == UP_ENTRIES_MAX ||
	    (u->entry_count > 0 &&
		u->bytes.len + le->e.raw.len > UP_BYTES_MAX)) {
		u->full = true;
		return ST_LIMIT;
	}
	p = &u->piece[u->piece_count - 1];
	w = &u->entry[u->entry_count];
	memset(w, 0, sizeof(*w));
	w->form = form_of(le->e.is);
	memcpy(w->digest, le->e.digest, HASH_LEN);
	u->off[u->entry_count] = u->bytes.len;
	if (w->form != WIRE_LOST) {
		buf_bytes(&u->bytes, le->e.raw);
		w->raw.len = le->e.raw.len;
	}
	u->entry_count++;
	p->count++;
	/* A place without its signature cannot end a piece; the next will. */
	if (le->e.has_sig)
		memcpy(p->sig, le->e.sig, SIG_LEN);
	/* The centre has a hole that ends here (`cut`). */
	if (le->e.has_sig && le->e.seq == u->cut_at)
		u->fresh = true;
	return u->bytes.err;
}

static enum status
gather_pieces(struct agent *a, struct up *u, uint64_t *left)
{
	struct log_head h;
	enum status st = ST_OK;

	*left = 0;
	for (uint32_t n = 1; (st = log_chain(a->log, n, &h)) == ST_OK; n++) {
		uint64_t from = agent_unsent_from(a, &h);
		uint64_t before = u->entry_count;

		if (from > h.seq)
			continue;
		if (!u->full) {
			u->fresh = true;
			u->hole = false;
			u->cut_at = n < AGENT_CHAINS_MAX ? a->cut_at[n] : 0;
			st = log_each(a->log, n, from, h.seq, take_entry, u);
			if (st != ST_OK && !u->full)
				return st;
		}
		*left += h.seq - from + 1 - (u->entry_count - before);
	}
	/* A piece that was begun, and got nothing. */
	while (u->piece_count > 0 && u->piece[u->piece_count - 1].count == 0)
		u->piece_count--;
	return st == ST_ABSENT ? ST_OK : st;
}

/* ---- hints: small urgent entries that would wait behind a backlog */

static enum status
take_hint(void *arg, const struct log_entry *le)
{
	struct up *u = arg;
	const struct kind *k;
	struct wire_hint *h;
	struct entry e;
	enum status st;

	if (u->hint_count == HINTS_MAX || le->e.is != CHAINFILE_WHOLE ||
	    !le->e.has_prev || !le->e.has_sig || le->e.raw.len > HINT_RAW_MAX)
		return ST_OK;
	entry_init(&e);
	st = entry_parse(&e, le->e.raw);
	k = st == ST_OK ? kinds_find(u->agent->kinds, e.kind) : NULL;
	entry_free(&e);
	if (k == NULL || !k->small)
		return st == ST_NOMEM ? st : ST_OK;
	h = &u->hint[u->hint_count++];
	memset(h, 0, sizeof(*h));
	memcpy(h->chain, le->e.chain, CHAIN_LEN);
	h->seq = le->e.seq;
	memcpy(h->prev, le->e.prev, HASH_LEN);
	memcpy(h->sig, le->e.sig, SIG_LEN);
	h->entry.form = WIRE_WHOLE;
	h->entry.raw.len = le->e.raw.len;
	buf_bytes(&u->hint_bytes, le->e.raw);
	return u->hint_bytes.err;
}

static enum status
gather_hints(struct agent *a, struct up *u)
{
	const struct wire_piece *last;
	struct log_head h;
	uint64_t from;
	enum status st = log_head(a->log, &h);

	if (st == ST_ABSENT)
		return ST_OK;
	if (st != ST_OK)
		return st;
	from = agent_unsent_from(a, &h);
	if (u->piece_count > 0) {
		last = &u->piece[u->piece_count - 1];
		if (memcmp(last->chain, h.chain, CHAIN_LEN) == 0)
			from = last->first + last->count;
	}
	if (from + UP_BACKLOG_MAX < h.seq)
		from = h.seq - UP_BACKLOG_MAX;
	if (from > h.seq)
		return ST_OK;
	u->agent = a;
	st = log_each(a->log, h.number, from, h.seq, take_hint, u);
	for (size_t i = 0, at = 0; i < u->hint_count; i++) {
		u->hint[i].entry.raw.p = u->hint_bytes.p + at;
		at += u->hint[i].entry.raw.len;
	}
	return st;
}

static enum status
take_cursor(void *arg, const struct log_cursor *c)
{
	struct up *u = arg;
	const struct agent_pending *p;

	if (u->cursor_count == CURSORS_MAX)
		return ST_OK;
	u->cursor[u->cursor_count].place = c->place;
	u->cursor[u->cursor_count].sub = c->sub;
	memcpy(u->cursor[u->cursor_count].scope, c->scope, ID_LEN);
	p = agent_pending_of(u->agent, c->scope);
	if (p != NULL) {
		u->cursor[u->cursor_count].place = p->place;
		u->cursor[u->cursor_count].sub = p->sub;
	}
	u->cursor_count++;
	return ST_OK;
}

static bool
has_cursor(const struct up *u, const uint8_t scope[ID_LEN])
{
	for (size_t i = 0; i < u->cursor_count; i++) {
		if (memcmp(u->cursor[i].scope, scope, ID_LEN) == 0)
			return true;
	}
	return false;
}

/* Scope 0, the device's own feed, is always asked for. */
static enum status
gather_cursors(struct agent *a, struct up *u)
{
	static const uint8_t own[ID_LEN];
	struct log_cursor first = { .place = 0 };
	enum status st;

	u->agent = a;
	st = log_cursor_each(a->log, take_cursor, u);
	if (st == ST_OK && !has_cursor(u, own))
		st = take_cursor(u, &first);
	/* Scopes whose first record is still under way have no cursor on disk
	 * yet: without theirs the same part would come for ever. */
	for (size_t i = 0; st == ST_OK && i < a->pending_count; i++) {
		if (has_cursor(u, a->pending[i].scope))
			continue;
		memcpy(first.scope, a->pending[i].scope, ID_LEN);
		st = take_cursor(u, &first);
	}
	return st;
}

enum status
up_build(struct agent *a, struct up *u, struct buf *out, uint64_t *left)
{
	struct sync_up m;
	enum status st = gather_pieces(a, u, left);

	if (st == ST_OK && *left > 0)
		st = gather_hints(a, u);
	if (st == ST_OK)
		st = gather_cursors(a, u);
	/* Of a log that ended, once we stand in the new one. */
	if (st == ST_OK && !agent_tip_ended(a))
		st = agent_handing_load(a, &u->handing);
	/* What can be proved goes first, and may be all there is to say. */
	if (st == ST_OK && !agent_tip_ended(a) && !u->handing.any)
		st = agent_returned_load(
		    a, &u->returned_bytes, &u->returned, &u->returned_count);
	if (st != ST_OK)
		return agent_log_why(a, st);
	/* The buffers stand still now: offsets become pointers. */
	for (size_t i = 0; i < u->entry_count; i++)
		u->entry[i].raw.p = u->bytes.p + u->off[i];
	for (size_t i = 0, at = 0; i < u->piece_count; i++) {
		u->piece[i].entry = u->entry + at;
		at += u->piece[i].count;
	}
	memset(&m, 0, sizeof(m));
	m.piece = u->piece;
	m.piece_count = u->piece_count;
	m.hint = u->hint;
	m.hint_count = u->hint_count;
	m.cursor = u->cursor;
	m.cursor_count = u->cursor_count;
	m.has_checkpoint = a->has_tip;
	if (a->has_tip) {
		m.size = a->tip.size;
		memcpy(m.root16, a->tip.root, ID_LEN);
	}
	m.has_clock = true;
	m.clock_ms = port_wall_ms(a->port);
	if (a->want_note)
		m.note = buf_view(&a->tip_note);
	m.returned = u->returned;
	m.returned_count = u->returned_count;
	m.proved = u->handing.part;
	m.proved_count = u->handing.count;
	m.has_key = a->want_key;
	memcpy(m.key, log_public_key(a->log), PUBKEY_LEN);
	st = sync_up_encode(
	    a->codec, wire_dict_newest(a->codec), a->desc->court, &m, out);
	return st == ST_OK
		   ? st
		   : agent_why(a, st, "无法组成上传内容", status_text(st));
}
