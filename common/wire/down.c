#include <string.h>

#include "wire/frame.h"
#include "wire/msg.h"
#include "wire/sync.h"

/* Sections of an answer, docs/PROTOCOL.md, section 5. */
enum {
	DOWN_ACKS = 1,
	DOWN_CHECKPOINT,
	DOWN_RECEIPTS,
	DOWN_STREAMS,
	DOWN_TIME,
	DOWN_WANT,
	DOWN_HINTS,
	DOWN_END
};

enum {
	/* Of a stream's entry, beside those of enum wire_stream_flags. */
	ENTRY_FOLLOWS = 2, /* on the entry before: chain, seq + 1, its link */
	ENTRY_CHAIN = 8,   /* of the same chain as the entry before */
	ENTRY_STREAM = STREAM_BARE | STREAM_SERVER | STREAM_SIGNED,
	ENTRY_FLAGS = ENTRY_STREAM | ENTRY_FOLLOWS | ENTRY_CHAIN,
	WANT_ALL = WANT_NOTE | WANT_RETURNED | WANT_KEY,
};

/* ---- writing ---- */

static void
put_proof(struct wire_codec *c, const struct merkle_proof *p)
{
	buf_varint(&c->ctl, p->count);
	buf_add(&c->raw, p->hash, p->count * HASH_LEN);
}

static enum status
put_acks(struct wire_codec *c, const char *court, const struct sync_down *m)
{
	(void)court;
	if (m->ack_count > ACKS_MAX)
		return ST_LIMIT;
	buf_varint(&c->ctl, m->ack_count);
	for (size_t i = 0; i < m->ack_count; i++) {
		buf_add(&c->raw, m->ack[i].chain, CHAIN_LEN);
		buf_varint(&c->ctl, m->ack[i].status);
		buf_varint(&c->ctl, m->ack[i].seq);
	}
	return ST_OK;
}

static enum status
put_checkpoint(
    struct wire_codec *c, const char *court, const struct sync_down *m)
{
	(void)court;
	if (m->consistency.count > MERKLE_PROOF_MAX)
		return ST_LIMIT;
	buf_varint(&c->ctl, m->note.len);
	buf_bytes(&c->text, m->note);
	put_proof(c, &m->consistency);
	return ST_OK;
}

static enum status
put_receipts(struct wire_codec *c, const char *court, const struct sync_down *m)
{
	(void)court;
	if (m->receipt_count > ACKS_MAX)
		return ST_LIMIT;
	buf_varint(&c->ctl, m->receipt_count);
	for (size_t i = 0; i < m->receipt_count; i++) {
		const struct wire_receipt *x = &m->receipt[i];

		if (x->proof.count > MERKLE_PROOF_MAX)
			return ST_LIMIT;
		if (x->seq == 0 || x->seq > CUT_INT_MAX)
			return ST_INVALID;
		buf_add(&c->raw, x->chain, CHAIN_LEN);
		buf_varint(&c->ctl, x->seq);
		buf_varint(&c->ctl, x->place);
		put_proof(c, &x->proof);
	}
	return ST_OK;
}

/* What of an entry's position the one before it tells; link is that one's. */
static unsigned
known_flags(const struct wire_stream_entry *e,
    const struct wire_stream_entry *before, const uint8_t link[HASH_LEN])
{
	if (before == NULL || memcmp(e->chain, before->chain, CHAIN_LEN) != 0)
		return 0;
	if (e->seq == before->seq + 1 && memcmp(e->prev, link, HASH_LEN) == 0)
		return ENTRY_FOLLOWS;
	return ENTRY_CHAIN;
}

/* Only the centre signs what goes down. */
static bool
signed_fits(uint64_t flags)
{
	return (flags & STREAM_SIGNED) == 0 || (flags & STREAM_SERVER) != 0;
}

static enum status
put_part(struct wire_codec *c, const char *court, const struct wire_part *p)
{
	const struct wire_stream_entry *before = NULL;
	uint8_t link[HASH_LEN] = { 0 };
	enum status st = cut_write_begin(&c->cut, court, p->count);

	if (st == ST_OK && p->proof.len % HASH_LEN != 0)
		st = ST_INVALID;
	buf_add(&c->raw, p->scope, ID_LEN);
	buf_varint(&c->ctl, p->place);
	buf_varint(&c->ctl, p->sub);
	buf_varint(&c->ctl, p->more);
	buf_varint(&c->ctl, p->count);
	for (size_t i = 0; st == ST_OK && i < p->count; i++) {
		const struct wire_stream_entry *e = &p->entry[i];
		unsigned known = known_flags(e, before, link);

		if ((e->flags & ~(unsigned)ENTRY_STREAM) != 0 ||
		    !signed_fits(e->flags))
			return ST_INVALID;
		buf_varint(&c->ctl,
		    zigzag(e->place - (before == NULL ? 0 : before->place)));
		buf_varint(&c->ctl, e->flags | known);
		if (known == 0)
			buf_add(&c->raw, e->chain, CHAIN_LEN);
		if (known != ENTRY_FOLLOWS) {
			buf_varint(&c->ctl, e->seq);
			buf_add(&c->raw, e->prev, HASH_LEN);
		}
		st = cut_write(
		    &c->cut, e->chain, e->seq, e->prev, &e->entry, link);
		if ((e->flags & STREAM_SIGNED) != 0)
			buf_add(&c->raw, e->sig, SIG_LEN);
		before = e;
	}
	buf_varint(&c->ctl, p->proof.len / HASH_LEN);
	buf_bytes(&c->raw, p->proof);
	return st;
}

static enum status
put_streams(struct wire_codec *c, const char *court, const struct sync_down *m)
{
	enum status st = ST_OK;
	size_t total = 0;

	if (m->part_count > PARTS_MAX)
		return ST_LIMIT;
	buf_varint(&c->ctl, m->part_count);
	for (size_t i = 0; st == ST_OK && i < m->part_count; i++) {
		if (m->part[i].count > ANSWER_ENTRIES_MAX - total)
			return ST_LIMIT;
		total += m->part[i].count;
		st = put_part(c, court, &m->part[i]);
	}
	return st;
}

static enum status
put_time(struct wire_codec *c, const char *court, const struct sync_down *m)
{
	(void)court;
	buf_varint(&c->ctl, m->time_ms);
	return ST_OK;
}

static enum status
put_want(struct wire_codec *c, const char *court, const struct sync_down *m)
{
	(void)court;
	if ((m->want & ~(unsigned)WANT_ALL) != 0)
		return ST_INVALID;
	buf_varint(&c->ctl, m->want);
	if ((m->want & WANT_RETURNED) != 0)
		buf_varint(&c->ctl, m->kept);
	return ST_OK;
}

static enum status
put_hints(struct wire_codec *c, const char *court, const struct sync_down *m)
{
	(void)court;
	buf_varint(&c->ctl, m->hints_taken);
	return ST_OK;
}

enum status
sync_down_encode(struct wire_codec *c, uint32_t dict, const char *court,
    const struct sync_down *m, struct buf *out)
{
	static enum status (*const put[DOWN_END])(
	    struct wire_codec *, const char *, const struct sync_down *) = {
		[DOWN_ACKS] = put_acks,
		[DOWN_CHECKPOINT] = put_checkpoint,
		[DOWN_RECEIPTS] = put_receipts,
		[DOWN_STREAMS] = put_streams,
		[DOWN_TIME] = put_time,
		[DOWN_WANT] = put_want,
		[DOWN_HINTS] = put_hints,
	};
	const bool has[DOWN_END] = {
		[DOWN_ACKS] = m->ack_count > 0,
		[DOWN_CHECKPOINT] = m->note.len > 0,
		[DOWN_RECEIPTS] = m->receipt_count > 0,
		[DOWN_STREAMS] = m->part_count > 0,
		[DOWN_TIME] = m->has_time,
		[DOWN_WANT] = m->want != 0,
		[DOWN_HINTS] = m->has_hints,
	};
	enum status st = ST_OK;

	frame_begin(c);
	for (unsigned tag = 1; tag < DOWN_END && st == ST_OK; tag++) {
		if (!has[tag])
			continue;
		buf_varint(&c->ctl, tag);
		st = put[tag](c, court, m);
	}
	return st == ST_OK ? frame_pack(c, dict, ZDICT_FAST, out) : st;
}

/* ---- reading ---- */

static enum status
get_acks(struct msg_reader *r)
{
	struct sync_down *down = &r->m->down;
	enum status st =
	    frame_count(&r->f, ACKS_MAX, &down->ack_count, &r->why);

	if (st == ST_OK)
		st = msg_take(
		    r, down->ack_count, sizeof(*down->ack), &down->ack);
	for (size_t i = 0; st == ST_OK && i < down->ack_count; i++) {
		struct wire_ack *a = &down->ack[i];
		uint64_t status;

		reader_copy(&r->f.raw, a->chain, CHAIN_LEN);
		status = reader_varint(&r->f.ctl);
		a->seq = reader_varint(&r->f.ctl);
		r->why = "ack: unknown status";
		if (status > ACK_CUT)
			st = ST_NEWER;
		else
			a->status = (enum ack_status)status;
	}
	return st;
}

static enum status
get_checkpoint(struct msg_reader *r)
{
	struct sync_down *down = &r->m->down;
	enum status st = msg_note(r, &down->note);

	return st == ST_OK ? msg_proof(r, &down->consistency) : st;
}

static enum status
get_receipts(struct msg_reader *r)
{
	struct sync_down *down = &r->m->down;
	enum status st =
	    frame_count(&r->f, ACKS_MAX, &down->receipt_count, &r->why);

	if (st == ST_OK)
		st = msg_take(r, down->receipt_count, sizeof(*down->receipt),
		    &down->receipt);
	for (size_t i = 0; st == ST_OK && i < down->receipt_count; i++) {
		struct wire_receipt *x = &down->receipt[i];

		reader_copy(&r->f.raw, x->chain, CHAIN_LEN);
		st = msg_seq(r, &x->seq);
		x->place = reader_varint(&r->f.ctl);
		if (st == ST_OK)
			st = msg_proof(r, &x->proof);
	}
	return st;
}

/* Where an entry of a stream stands; `before` is NULL for the first. */
static enum status
get_position(struct msg_reader *r, struct wire_stream_entry *e,
    const struct wire_stream_entry *before)
{
	uint64_t step = unzigzag(reader_varint(&r->f.ctl));
	uint64_t flags = reader_varint(&r->f.ctl);
	bool follows = (flags & ENTRY_FOLLOWS) != 0;
	bool same = (flags & ENTRY_CHAIN) != 0;

	r->why = "stream: unknown flags";
	if (flags > ENTRY_FLAGS || (flags & ~(uint64_t)ENTRY_FLAGS) != 0)
		return ST_NEWER;
	r->why = "stream: signed, and not of the centre";
	if (!signed_fits(flags))
		return ST_INVALID;
	r->why = "stream: no entry before it";
	if ((follows && same) || ((follows || same) && before == NULL))
		return ST_INVALID;
	e->place = (before == NULL ? 0 : before->place) + step;
	e->flags = (unsigned)flags & ENTRY_STREAM;
	if (follows || same)
		memcpy(e->chain, before->chain, CHAIN_LEN);
	else
		reader_copy(&r->f.raw, e->chain, CHAIN_LEN);
	if (!follows) {
		enum status st = msg_seq(r, &e->seq);

		reader_copy(&r->f.raw, e->prev, HASH_LEN);
		return st == ST_OK ? msg_check(r) : st;
	}
	r->why = "stream: a place out of range";
	if (before->seq == CUT_INT_MAX)
		return ST_INVALID;
	e->seq = before->seq + 1;
	memcpy(e->prev, before->entry.link, HASH_LEN);
	return ST_OK;
}

static enum status
get_entries(struct msg_reader *r, struct wire_part *p)
{
	struct cut_reader *cut = &r->m->cut;
	enum status st = msg_take(r, p->count, sizeof(*p->entry), &p->entry);

	if (st == ST_OK)
		st = msg_run(r, p->count);
	for (size_t i = 0; st == ST_OK && i < p->count; i++) {
		struct wire_stream_entry *e = &p->entry[i];
		uint32_t hole = cut->hole_count;
		struct cut_sealed sealed;

		st = get_position(r, e, i == 0 ? NULL : e - 1);
		if (st != ST_OK)
			break;
		st = cut_read(cut, e->chain, e->seq, &e->entry, &sealed);
		if (st != ST_OK) {
			r->why = cut->why;
			break;
		}
		(void)cut_open(cut, &sealed, hole, r->m->id, (uint32_t)i,
		    e->seq, e->prev, &e->entry);
		if ((e->flags & STREAM_SIGNED) != 0)
			reader_copy(&r->f.raw, e->sig, SIG_LEN);
	}
	return st;
}

static enum status
get_part(struct msg_reader *r, struct wire_part *p, size_t count_max)
{
	uint64_t more;
	enum status st;

	reader_copy(&r->f.raw, p->scope, ID_LEN);
	p->place = reader_varint(&r->f.ctl);
	p->sub = reader_varint(&r->f.ctl);
	more = reader_varint(&r->f.ctl);
	r->why = "stream: more than more";
	if (more > 1)
		return ST_INVALID;
	p->more = more == 1;
	st = frame_count(&r->f, count_max, &p->count, &r->why);
	if (st == ST_OK)
		st = msg_check(r);
	if (st == ST_OK)
		st = get_entries(r, p);
	if (st == ST_OK)
		st = msg_hashes(r, &p->proof);
	return st;
}

static enum status
get_streams(struct msg_reader *r)
{
	struct sync_down *down = &r->m->down;
	size_t left = ANSWER_ENTRIES_MAX;
	enum status st =
	    frame_count(&r->f, PARTS_MAX, &down->part_count, &r->why);

	if (st == ST_OK)
		st = msg_take(
		    r, down->part_count, sizeof(*down->part), &down->part);
	for (size_t i = 0; st == ST_OK && i < down->part_count; i++) {
		st = get_part(r, &down->part[i], left);
		left -= st == ST_OK ? down->part[i].count : 0;
	}
	return st;
}

static enum status
get_time(struct msg_reader *r)
{
	r->m->down.has_time = true;
	r->m->down.time_ms = reader_varint(&r->f.ctl);
	return ST_OK;
}

static enum status
get_want(struct msg_reader *r)
{
	uint64_t want = reader_varint(&r->f.ctl);

	r->why = "want: unknown";
	if (want > WANT_ALL)
		return ST_NEWER;
	r->m->down.want = (unsigned)want;
	if ((want & WANT_RETURNED) != 0)
		r->m->down.kept = reader_varint(&r->f.ctl);
	return ST_OK;
}

static enum status
get_hints(struct msg_reader *r)
{
	r->m->down.has_hints = true;
	r->m->down.hints_taken = reader_varint(&r->f.ctl);
	return ST_OK;
}

enum status
sync_down_decode(struct wire_codec *c, struct sync_msg *m, const char *court,
    struct bytes in, const struct sync_down **out, uint32_t *dict,
    const char **why)
{
	static enum status (*const get[DOWN_END])(struct msg_reader *) = {
		[DOWN_ACKS] = get_acks,
		[DOWN_CHECKPOINT] = get_checkpoint,
		[DOWN_RECEIPTS] = get_receipts,
		[DOWN_STREAMS] = get_streams,
		[DOWN_TIME] = get_time,
		[DOWN_WANT] = get_want,
		[DOWN_HINTS] = get_hints,
	};
	struct msg_reader r;
	uint64_t tag = 0;
	bool more = true;
	enum status st = msg_begin(&r, c, m, court, in);

	while (st == ST_OK) {
		st = frame_section(&r.f, &tag, DOWN_END - 1, &more, &r.why);
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
	*out = &m->down;
	*dict = r.f.dict;
	return ST_OK;
}
