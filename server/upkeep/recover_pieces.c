/*
 * recover_pieces: places of a handheld's chain become pieces for the log.
 *
 * A piece must end where a head signature stands that is good: it vouches for
 * everything before it.  So rows are gathered until one comes that ends with
 * such a signature; what no good signature covers cannot be delivered, and is
 * counted.
 */
#include <assert.h>
#include <string.h>

#include "entry/chain.h"
#include "server/upkeep/recover_inner.h"

enum {
	PIECE_ENTRIES = 250,       /* then a piece is sent, if it may end */
	PIECE_BYTES = 256 << 10,   /* likewise */
	PIECE_BYTES_MAX = 1 << 20, /* then it must be */
};

static bool
may_end(const struct delivery *d, size_t i)
{
	const struct recover_row *r = &d->row[i];

	return r->has_sig &&
	       chain_verify(r->sig, d->chain.public_key, d->chain.chain,
		   d->first + i, r->link) == ST_OK;
}

/* Forget the first `count` rows; what follows rests on the last of them. */
static void
shift(struct delivery *d, size_t count)
{
	size_t off = count < d->count ? d->row[count].off : d->bytes.len;

	assert(count > 0 && count <= d->count);
	memcpy(d->base, d->row[count - 1].link, HASH_LEN);
	d->count -= count;
	d->first += count;
	memmove(d->row, d->row + count, d->count * sizeof(*d->row));
	for (size_t i = 0; i < d->count; i++)
		d->row[i].off -= off;
	if (off > 0)
		memmove(d->bytes.p, d->bytes.p + off, d->bytes.len - off);
	d->bytes.len -= off;
}

/* ---- one piece */

static enum status
encode(struct delivery *d, size_t count, const struct sync_up **up)
{
	struct wire_piece p = { .first = d->first,
		.has_base = true,
		.hole = d->hole,
		.entry = d->wire,
		.count = count };
	struct sync_up m = { .piece = &p, .piece_count = 1 };
	const char *court = centre_court(d->cfg->centre), *why;
	uint32_t dict;
	enum status st;

	memcpy(p.chain, d->chain.chain, CHAIN_LEN);
	memcpy(p.base, d->base, HASH_LEN);
	memcpy(p.sig, d->row[count - 1].sig, SIG_LEN);
	memset(d->wire, 0, count * sizeof(*d->wire));
	for (size_t i = 0; i < count; i++) {
		const struct recover_row *r = &d->row[i];

		d->wire[i].form = r->form;
		memcpy(d->wire[i].digest, r->digest, HASH_LEN);
		if (r->form != WIRE_LOST)
			d->wire[i].raw = bytes_of(d->bytes.p + r->off, r->len);
	}
	buf_reset(&d->frame);
	st = sync_up_encode(d->codec, 0, court, &m, &d->frame);
	if (st != ST_OK)
		return st;
	return sync_up_decode(
	    d->codec, d->msg, court, buf_view(&d->frame), up, &dict, &why);
}

static void
note_ack(struct delivery *d, size_t count)
{
	const struct ingest_ack *ack;
	size_t acks;

	ack = ingest_acks(d->in, &acks);
	assert(acks == 1);
	if (ack->status == ACK_HELD)
		d->out->held++;
	else if (ack->status != ACK_TAKEN)
		d->out->unplaced += count;
}

static enum status
send(struct delivery *d, size_t count)
{
	struct commit_job job = { .ingest = d->in };
	const struct sync_up *up;
	enum status st = encode(d, count, &up);

	if (st == ST_OK)
		st = ingest_prepare(d->in, &d->dev, d->msg, up);
	if (st == ST_OK && ingest_ready(d->in) > 0)
		st = committer_wait(centre_committer(d->cfg->centre), &job);
	if (st == ST_LOCKED)
		return recover_say(d, st, "日志已停止，须先恢复",
		    "the log is stopped and needs restore first");
	if (st != ST_OK)
		return recover_say(d, st, "未能写入日志，请再交付一次",
		    "the log could not be written: deliver again");
	note_ack(d, count);
	d->out->entries += count;
	for (size_t i = 0; i < count; i++)
		d->out->lost += d->row[i].form == WIRE_LOST;
	shift(d, count);
	d->hole = false;
	return ST_OK;
}

/* Send as much as a good signature covers; drop the rest, behind which a hole
 * is to be stated. */
static enum status
send_all(struct delivery *d)
{
	size_t n = d->count;
	enum status st = ST_OK;

	while (n > 0 && !may_end(d, n - 1))
		n--;
	if (n > 0)
		st = send(d, n);
	if (st != ST_OK || d->count == 0)
		return st;
	d->out->bare_ends += d->count;
	shift(d, d->count);
	d->hole = true;
	return ST_OK;
}

/* ---- places come */

static void
add(struct delivery *d, const struct chainfile_entry *e)
{
	struct recover_row *r;

	if (d->count == 0) {
		d->first = e->seq;
		memcpy(d->base, e->prev, HASH_LEN);
	}
	r = &d->row[d->count++];
	memset(r, 0, sizeof(*r));
	r->form = e->is == CHAINFILE_WHOLE  ? WIRE_WHOLE
		  : e->is == CHAINFILE_HEAD ? WIRE_HEAD
					    : WIRE_LOST;
	r->off = d->bytes.len;
	if (r->form != WIRE_LOST) {
		r->len = e->raw.len;
		buf_bytes(&d->bytes, e->raw);
	}
	memcpy(r->digest, e->digest, HASH_LEN);
	memcpy(r->link, e->link, HASH_LEN);
	r->has_sig = e->has_sig;
	memcpy(r->sig, e->sig, SIG_LEN);
}

enum status
recover_take(void *arg, const struct chainfile_entry *e)
{
	struct delivery *d = arg;
	enum status st;

	if (e->is == CHAINFILE_HOLE || !e->has_prev || !e->has_link) {
		st = send_all(d);
		d->out->holes++;
		d->hole = true;
		return st;
	}
	add(d, e);
	if (d->bytes.err != ST_OK)
		return recover_say(
		    d, d->bytes.err, "内存不足", "out of memory");
	if (d->count == PIECE_ENTRIES_MAX || d->bytes.len >= PIECE_BYTES_MAX)
		return send_all(d);
	if ((d->count >= PIECE_ENTRIES || d->bytes.len >= PIECE_BYTES) &&
	    may_end(d, d->count - 1))
		return send(d, d->count);
	return ST_OK;
}

enum status
recover_end(struct delivery *d)
{
	return send_all(d);
}
