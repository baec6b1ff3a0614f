#include <assert.h>
#include <string.h>

#include "wire/frame.h"
#include "wire/msg.h"
#include "wire/sync.h"

/* Sections of a request, docs/PROTOCOL.md, section 4. */
enum {
	UP_PIECES = 1,
	UP_HINTS,
	UP_CHECKPOINT,
	UP_NOTE,
	UP_CURSORS,
	UP_RETURNED,
	UP_CLOCK,
	UP_KEY,
	UP_PROVED,
	UP_END
};

enum { PIECE_BASE = 1, PIECE_HOLE = 2, PIECE_FLAGS = 3 };

/* The device's own feed, which every request asks for: not sent as bytes. */
static const uint8_t scope_own[ID_LEN];
#define CURSOR_SUB_MAX (UINT64_MAX >> 1)

static uint64_t
last_of(const struct wire_piece *p)
{
	return p->first + p->count - 1;
}

/* Piece i follows those of its chain before it, with no place twice. */
static bool
ascends(const struct wire_piece *piece, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (memcmp(piece[i].chain, piece[j].chain, CHAIN_LEN) == 0 &&
		    piece[i].first <= last_of(&piece[j]))
			return false;
	}
	return true;
}

/* ---- writing ---- */

static enum status
put_piece(struct wire_codec *c, const char *court, const struct wire_piece *p)
{
	uint8_t link[HASH_LEN];
	enum status st = cut_write_begin(&c->cut, court, p->count);

	if (st != ST_OK)
		return st;
	buf_add(&c->raw, p->chain, CHAIN_LEN);
	buf_varint(&c->ctl, p->first);
	buf_varint(&c->ctl, p->count);
	buf_varint(&c->ctl,
	    (p->has_base ? PIECE_BASE : 0u) | (p->hole ? PIECE_HOLE : 0u));
	if (p->has_base)
		buf_add(&c->raw, p->base, HASH_LEN);
	memcpy(link, p->base, HASH_LEN);
	for (size_t i = 0; st == ST_OK && i < p->count; i++)
		st = cut_write(
		    &c->cut, p->chain, p->first + i, link, &p->entry[i], link);
	buf_add(&c->raw, p->sig, SIG_LEN);
	return st;
}

static enum status
put_pieces(struct wire_codec *c, const char *court, const struct sync_up *m)
{
	enum status st = ST_OK;

	if (m->piece_count > FRAME_PIECES_MAX)
		return ST_LIMIT;
	buf_varint(&c->ctl, m->piece_count);
	for (size_t i = 0; st == ST_OK && i < m->piece_count; i++) {
		const struct wire_piece *p = &m->piece[i];

		if (p->count > PIECE_ENTRIES_MAX)
			return ST_LIMIT;
		if (p->count == 0 || p->first == 0 || p->first > CUT_INT_MAX ||
		    last_of(p) > CUT_INT_MAX || !ascends(m->piece, i))
			return ST_INVALID;
		st = put_piece(c, court, p);
	}
	return st;
}

/* An entry that is a run of its own, with its place and what it rests on. */
static enum status
put_single(struct wire_codec *c, const char *court,
    const uint8_t chain[CHAIN_LEN], uint64_t seq, const uint8_t prev[HASH_LEN],
    const struct wire_entry *in)
{
	uint8_t link[HASH_LEN];
	enum status st = cut_write_begin(&c->cut, court, 1);

	buf_add(&c->raw, chain, CHAIN_LEN);
	buf_varint(&c->ctl, seq);
	buf_add(&c->raw, prev, HASH_LEN);
	return st != ST_OK ? st
			   : cut_write(&c->cut, chain, seq, prev, in, link);
}

static enum status
put_hints(struct wire_codec *c, const char *court, const struct sync_up *m)
{
	enum status st = ST_OK;

	if (m->hint_count > HINTS_MAX)
		return ST_LIMIT;
	buf_varint(&c->ctl, m->hint_count);
	for (size_t i = 0; st == ST_OK && i < m->hint_count; i++) {
		const struct wire_hint *h = &m->hint[i];

		st = put_single(c, court, h->chain, h->seq, h->prev, &h->entry);
		buf_add(&c->raw, h->sig, SIG_LEN);
	}
	return st;
}

static enum status
put_cursors(struct wire_codec *c, const char *court, const struct sync_up *m)
{
	/* Most stand where the checkpoint does. */
	uint64_t before = m->has_checkpoint ? m->size : 0;

	(void)court;
	if (m->cursor_count > CURSORS_MAX)
		return ST_LIMIT;
	buf_varint(&c->ctl, m->cursor_count);
	for (size_t i = 0; i < m->cursor_count; i++) {
		const struct wire_cursor *x = &m->cursor[i];
		bool own = memcmp(x->scope, scope_own, ID_LEN) == 0;

		if (x->sub > CURSOR_SUB_MAX)
			return ST_INVALID;
		buf_varint(&c->ctl, zigzag(x->place - before));
		buf_varint(&c->ctl, x->sub << 1 | !own);
		before = x->place;
		if (!own)
			buf_add(&c->raw, x->scope, ID_LEN);
	}
	return ST_OK;
}

static enum status
put_checkpoint(struct wire_codec *c, const char *court, const struct sync_up *m)
{
	(void)court;
	buf_varint(&c->ctl, m->size);
	buf_add(&c->raw, m->root16, ID_LEN);
	return ST_OK;
}

static enum status
put_note(struct wire_codec *c, const char *court, const struct sync_up *m)
{
	(void)court;
	buf_varint(&c->ctl, m->note.len);
	buf_bytes(&c->text, m->note);
	return ST_OK;
}

static enum status
put_returned(struct wire_codec *c, const char *court, const struct sync_up *m)
{
	enum status st = ST_OK;

	if (m->returned_count > RETURNED_MAX)
		return ST_LIMIT;
	buf_varint(&c->ctl, m->returned_count);
	for (size_t i = 0; st == ST_OK && i < m->returned_count; i++) {
		const struct wire_returned *e = &m->returned[i];

		buf_varint(&c->ctl, e->place);
		st = put_single(c, court, e->chain, e->seq, e->prev, &e->entry);
		buf_add(&c->raw, e->sig, SIG_LEN);
	}
	return st;
}

static enum status
put_clock(struct wire_codec *c, const char *court, const struct sync_up *m)
{
	(void)court;
	buf_varint(&c->ctl, m->clock_ms);
	return ST_OK;
}

static enum status
put_key(struct wire_codec *c, const char *court, const struct sync_up *m)
{
	(void)court;
	buf_add(&c->raw, m->key, PUBKEY_LEN);
	return ST_OK;
}

enum status
sync_up_encode(struct wire_codec *c, uint32_t dict, const char *court,
    const struct sync_up *m, struct buf *out)
{
	static enum status (*const put[UP_END])(
	    struct wire_codec *, const char *, const struct sync_up *) = {
		[UP_PIECES] = put_pieces,
		[UP_HINTS] = put_hints,
		[UP_CHECKPOINT] = put_checkpoint,
		[UP_NOTE] = put_note,
		[UP_CURSORS] = put_cursors,
		[UP_RETURNED] = put_returned,
		[UP_CLOCK] = put_clock,
		[UP_KEY] = put_key,
		[UP_PROVED] = up_put_proved,
	};
	const bool has[UP_END] = {
		[UP_PIECES] = m->piece_count > 0,
		[UP_HINTS] = m->hint_count > 0,
		[UP_CHECKPOINT] = m->has_checkpoint,
		[UP_NOTE] = m->note.len > 0,
		[UP_CURSORS] = m->cursor_count > 0,
		[UP_RETURNED] = m->returned_count > 0,
		[UP_CLOCK] = m->has_clock,
		[UP_KEY] = m->has_key,
		[UP_PROVED] = m->proved_count > 0,
	};
	enum status st = ST_OK;

	frame_begin(c);
	for (unsigned tag = 1; tag < UP_END && st == ST_OK; tag++) {
		if (!has[tag])
			continue;
		buf_varint(&c->ctl, tag);
		st = put[tag](c, court, m);
	}
	return st == ST_OK ? frame_pack(c, dict, ZDICT_SMALL, out) : st;
}

/* ---- reading ---- */

/* The entries of a piece, left sealed. */
static enum status
get_entries(struct msg_reader *r, struct wire_piece *p, struct msg_piece *own)
{
	struct cut_reader *cut = &r->m->cut;
	enum status st = msg_take(r, p->count, sizeof(*p->entry), &p->entry);

	own->hole = cut->hole_count;
	if (st == ST_OK)
		st = msg_take(r, p->count, sizeof(*own->sealed), &own->sealed);
	if (st == ST_OK)
		st = msg_run(r, p->count);
	for (size_t i = 0; st == ST_OK && i < p->count; i++) {
		st = cut_read(
		    cut, p->chain, p->first + i, &p->entry[i], &own->sealed[i]);
		if (st != ST_OK)
			r->why = cut->why;
	}
	return st;
}

static enum status
get_piece(struct msg_reader *r, struct wire_piece *p, struct msg_piece *own)
{
	uint64_t flags;
	enum status st;

	reader_copy(&r->f.raw, p->chain, CHAIN_LEN);
	st = msg_seq(r, &p->first);
	if (st == ST_OK)
		st = frame_count(&r->f, PIECE_ENTRIES_MAX, &p->count, &r->why);
	if (st != ST_OK)
		return st;
	r->why = "piece: no entries";
	if (p->count == 0 || last_of(p) > CUT_INT_MAX)
		return ST_INVALID;
	flags = reader_varint(&r->f.ctl);
	r->why = "piece: unknown flags";
	if (flags > PIECE_FLAGS)
		return ST_NEWER;
	p->has_base = (flags & PIECE_BASE) != 0;
	p->hole = (flags & PIECE_HOLE) != 0;
	p->sealed = true;
	if (p->has_base)
		reader_copy(&r->f.raw, p->base, HASH_LEN);
	st = msg_check(r);
	if (st == ST_OK)
		st = get_entries(r, p, own);
	reader_copy(&r->f.raw, p->sig, SIG_LEN);
	return st == ST_OK ? msg_check(r) : st;
}

static enum status
get_pieces(struct msg_reader *r)
{
	struct sync_up *up = &r->m->up;
	enum status st =
	    frame_count(&r->f, FRAME_PIECES_MAX, &up->piece_count, &r->why);

	if (st == ST_OK)
		st = msg_take(
		    r, up->piece_count, sizeof(*up->piece), &up->piece);
	if (st == ST_OK)
		st = msg_take(
		    r, up->piece_count, sizeof(*r->m->piece), &r->m->piece);
	for (size_t i = 0; st == ST_OK && i < up->piece_count; i++) {
		st = get_piece(r, &up->piece[i], &r->m->piece[i]);
		if (st == ST_OK && !ascends(up->piece, i)) {
			r->why = "piece: places out of order";
			st = ST_INVALID;
		}
	}
	return st;
}

static enum status
get_hints(struct msg_reader *r)
{
	struct sync_up *up = &r->m->up;
	enum status st =
	    frame_count(&r->f, HINTS_MAX, &up->hint_count, &r->why);

	if (st == ST_OK)
		st = msg_take(r, up->hint_count, sizeof(*up->hint), &up->hint);
	for (size_t i = 0; st == ST_OK && i < up->hint_count; i++) {
		struct wire_hint *h = &up->hint[i];

		reader_copy(&r->f.raw, h->chain, CHAIN_LEN);
		st = msg_seq(r, &h->seq);
		reader_copy(&r->f.raw, h->prev, HASH_LEN);
		if (st == ST_OK)
			st =
			    msg_single(r, h->chain, h->seq, h->prev, &h->entry);
		reader_copy(&r->f.raw, h->sig, SIG_LEN);
	}
	return st;
}

static enum status
get_cursors(struct msg_reader *r)
{
	struct sync_up *up = &r->m->up;
	uint64_t before = up->has_checkpoint ? up->size : 0;
	enum status st =
	    frame_count(&r->f, CURSORS_MAX, &up->cursor_count, &r->why);

	if (st == ST_OK)
		st = msg_take(
		    r, up->cursor_count, sizeof(*up->cursor), &up->cursor);
	for (size_t i = 0; st == ST_OK && i < up->cursor_count; i++) {
		struct wire_cursor *x = &up->cursor[i];
		uint64_t sub;

		x->place = before + unzigzag(reader_varint(&r->f.ctl));
		before = x->place;
		sub = reader_varint(&r->f.ctl);
		x->sub = sub >> 1;
		if ((sub & 1) != 0)
			reader_copy(&r->f.raw, x->scope, ID_LEN);
	}
	return st;
}

static enum status
get_checkpoint(struct msg_reader *r)
{
	struct sync_up *up = &r->m->up;

	up->has_checkpoint = true;
	up->size = reader_varint(&r->f.ctl);
	reader_copy(&r->f.raw, up->root16, ID_LEN);
	return ST_OK;
}

static enum status
get_note(struct msg_reader *r)
{
	return msg_note(r, &r->m->up.note);
}

static enum status
get_returned(struct msg_reader *r)
{
	struct sync_up *up = &r->m->up;
	enum status st =
	    frame_count(&r->f, RETURNED_MAX, &up->returned_count, &r->why);

	if (st == ST_OK)
		st = msg_take(r, up->returned_count, sizeof(*up->returned),
		    &up->returned);
	for (size_t i = 0; st == ST_OK && i < up->returned_count; i++) {
		struct wire_returned *e = &up->returned[i];

		e->place = reader_varint(&r->f.ctl);
		reader_copy(&r->f.raw, e->chain, CHAIN_LEN);
		st = msg_seq(r, &e->seq);
		reader_copy(&r->f.raw, e->prev, HASH_LEN);
		if (st == ST_OK)
			st =
			    msg_single(r, e->chain, e->seq, e->prev, &e->entry);
		reader_copy(&r->f.raw, e->sig, SIG_LEN);
	}
	return st;
}

static enum status
get_clock(struct msg_reader *r)
{
	r->m->up.has_clock = true;
	r->m->up.clock_ms = reader_varint(&r->f.ctl);
	return ST_OK;
}

static enum status
get_key(struct msg_reader *r)
{
	r->m->up.has_key = true;
	reader_copy(&r->f.raw, r->m->up.key, PUBKEY_LEN);
	return ST_OK;
}

enum status
sync_up_decode(struct wire_codec *c, struct sync_msg *m, const char *court,
    struct bytes in, const struct sync_up **out, uint32_t *dict,
    const char **why)
{
	static enum status (*const get[UP_END])(struct msg_reader *) = {
		[UP_PIECES] = get_pieces,
		[UP_HINTS] = get_hints,
		[UP_CHECKPOINT] = get_checkpoint,
		[UP_NOTE] = get_note,
		[UP_CURSORS] = get_cursors,
		[UP_RETURNED] = get_returned,
		[UP_CLOCK] = get_clock,
		[UP_KEY] = get_key,
		[UP_PROVED] = up_get_proved,
	};
	struct msg_reader r;
	uint64_t tag = 0;
	bool more = true;
	enum status st = msg_begin(&r, c, m, court, in);

	while (st == ST_OK) {
		st = frame_section(&r.f, &tag, UP_END - 1, &more, &r.why);
		if (st != ST_OK || !more)
			break;
		st = get[tag](&r);
		if (st == ST_OK)
			st = msg_check(&r);
	}
	if (st != ST_OK) {
		*why = r.why;
		return st;
	}
	*out = &m->up;
	*dict = r.f.dict;
	return ST_OK;
}

void
sync_piece_open(struct sync_msg *m, size_t piece, const uint8_t base[HASH_LEN])
{
	struct wire_piece *p;
	const struct msg_piece *own;
	const uint8_t *prev;
	uint32_t hole;

	assert(piece < m->up.piece_count);
	p = &m->up.piece[piece];
	own = &m->piece[piece];
	assert(p->count <= m->id_cap);
	if (base != p->base)
		memcpy(p->base, base, HASH_LEN);
	prev = p->base;
	hole = own->hole;
	for (size_t i = 0; i < p->count; i++) {
		hole = cut_open(&m->cut, &own->sealed[i], hole, m->id,
		    (uint32_t)i, p->first + i, prev, &p->entry[i]);
		prev = p->entry[i].link;
	}
	p->sealed = false;
}
