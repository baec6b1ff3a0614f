/* up_proved: section 9 of a request, what a log that ended had proved
 * (docs/PROTOCOL.md, sections 4 and 9). */
#include <string.h>

#include "wire/msg.h"

enum { LEAF_ENTRY = 1, LEAF_SIGNED = 2, LEAF_FLAGS = 3 };

/* ---- writing */

static enum status
put_leaf(struct wire_codec *c, const struct wire_leaf *l, uint64_t before)
{
	uint8_t link[HASH_LEN];
	enum status st;

	if (l->has_sig && !l->has_entry)
		return ST_INVALID;
	buf_varint(&c->ctl, zigzag(l->place - before));
	buf_varint(&c->ctl,
	    (l->has_entry ? LEAF_ENTRY : 0u) | (l->has_sig ? LEAF_SIGNED : 0u));
	if (!l->has_entry) {
		buf_add(&c->raw, l->link, HASH_LEN);
		return ST_OK;
	}
	buf_add(&c->raw, l->chain, CHAIN_LEN);
	buf_varint(&c->ctl, l->seq);
	buf_add(&c->raw, l->prev, HASH_LEN);
	st = cut_write(&c->cut, l->chain, l->seq, l->prev, &l->entry, link);
	if (l->has_sig)
		buf_add(&c->raw, l->sig, SIG_LEN);
	return st;
}

static enum status
put_part(struct wire_codec *c, const char *court, const struct wire_proved *p)
{
	enum status st;

	if (p->count == 0 || p->note.len == 0 || p->proof.len % HASH_LEN != 0)
		return ST_INVALID;
	st = cut_write_begin(&c->cut, court, p->count);
	buf_varint(&c->ctl, p->note.len);
	buf_bytes(&c->text, p->note);
	buf_varint(&c->ctl, p->count);
	for (size_t i = 0; st == ST_OK && i < p->count; i++)
		st =
		    put_leaf(c, &p->leaf[i], i == 0 ? 0 : p->leaf[i - 1].place);
	buf_varint(&c->ctl, p->proof.len / HASH_LEN);
	buf_bytes(&c->raw, p->proof);
	return st;
}

enum status
up_put_proved(struct wire_codec *c, const char *court, const struct sync_up *m)
{
	enum status st = ST_OK;
	size_t total = 0;

	if (m->proved_count > PROVED_MAX)
		return ST_LIMIT;
	buf_varint(&c->ctl, m->proved_count);
	for (size_t i = 0; st == ST_OK && i < m->proved_count; i++) {
		if (m->proved[i].count > ANSWER_ENTRIES_MAX - total)
			return ST_LIMIT;
		total += m->proved[i].count;
		st = put_part(c, court, &m->proved[i]);
	}
	return st;
}

/* ---- reading */

static enum status
get_entry(struct msg_reader *r, struct wire_leaf *l, uint32_t n)
{
	struct cut_reader *cut = &r->m->cut;
	uint32_t hole = cut->hole_count;
	struct cut_sealed sealed;
	enum status st;

	reader_copy(&r->f.raw, l->chain, CHAIN_LEN);
	st = msg_seq(r, &l->seq);
	reader_copy(&r->f.raw, l->prev, HASH_LEN);
	if (st == ST_OK)
		st = msg_check(r);
	if (st != ST_OK)
		return st;
	st = cut_read(cut, l->chain, l->seq, &l->entry, &sealed);
	if (st != ST_OK) {
		r->why = cut->why;
		return st;
	}
	(void)cut_open(
	    cut, &sealed, hole, r->m->id, n, l->seq, l->prev, &l->entry);
	memcpy(l->link, l->entry.link, HASH_LEN);
	if (l->has_sig)
		reader_copy(&r->f.raw, l->sig, SIG_LEN);
	return ST_OK;
}

static enum status
get_leaves(struct msg_reader *r, struct wire_proved *p)
{
	uint64_t before = 0, flags;
	uint32_t n = 0;
	enum status st = msg_take(r, p->count, sizeof(*p->leaf), &p->leaf);

	if (st == ST_OK)
		st = msg_run(r, p->count);
	for (size_t i = 0; st == ST_OK && i < p->count; i++) {
		struct wire_leaf *l = &p->leaf[i];

		l->place = before + unzigzag(reader_varint(&r->f.ctl));
		before = l->place;
		flags = reader_varint(&r->f.ctl);
		r->why = "proved: unknown flags";
		if (flags > LEAF_FLAGS)
			return ST_NEWER;
		l->has_entry = (flags & LEAF_ENTRY) != 0;
		l->has_sig = (flags & LEAF_SIGNED) != 0;
		r->why = "proved: a signature without an entry";
		if (l->has_sig && !l->has_entry)
			return ST_INVALID;
		if (l->has_entry)
			st = get_entry(r, l, n++);
		else
			reader_copy(&r->f.raw, l->link, HASH_LEN);
		if (st == ST_OK)
			st = msg_check(r);
	}
	return st;
}

static enum status
get_part(struct msg_reader *r, struct wire_proved *p, size_t count_max)
{
	enum status st = msg_note(r, &p->note);

	if (st == ST_OK)
		st = frame_count(&r->f, count_max, &p->count, &r->why);
	if (st != ST_OK)
		return st;
	r->why = "proved: no leaves";
	if (p->count == 0)
		return ST_INVALID;
	st = get_leaves(r, p);
	return st == ST_OK ? msg_hashes(r, &p->proof) : st;
}

enum status
up_get_proved(struct msg_reader *r)
{
	struct sync_up *up = &r->m->up;
	size_t left = ANSWER_ENTRIES_MAX;
	enum status st =
	    frame_count(&r->f, PROVED_MAX, &up->proved_count, &r->why);

	if (st == ST_OK)
		st = msg_take(
		    r, up->proved_count, sizeof(*up->proved), &up->proved);
	for (size_t i = 0; st == ST_OK && i < up->proved_count; i++) {
		st = get_part(r, &up->proved[i], left);
		left -= st == ST_OK ? up->proved[i].count : 0;
	}
	return st;
}
