#include "server/roster/answer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server/roster/answer_impl.h"
#include "server/roster/returned.h"
#include "server/roster/unconfirmed.h"

enum status
answer_new(
    struct answer **out, struct centre *c, struct roster *r, struct feed *f)
{
	struct answer *a = calloc(1, sizeof(*a));
	enum status st = ST_NOMEM;

	if (a == NULL)
		return ST_NOMEM;
	a->centre = c;
	a->roster = r;
	a->feed = f;
	entry_init(&a->parse);
	buf_init(&a->note, NOTE_BYTES_MAX);
	buf_init(&a->bytes, ANSWER_ROW_BYTES);
	buf_init(&a->proofs, (size_t)PART_STEPS_MAX * 64 * HASH_LEN);
	a->row = calloc(PART_STEPS_MAX, sizeof(*a->row));
	a->row_off = calloc(PART_STEPS_MAX, sizeof(*a->row_off));
	a->step = calloc(PART_STEPS_MAX, sizeof(*a->step));
	if (a->row != NULL && a->row_off != NULL && a->step != NULL)
		st = centre_reader_open(&a->reader, c);
	if (st == ST_OK)
		st = wire_codec_new(&a->codec);
	if (st == ST_OK)
		st = sync_msg_new(&a->msg);
	if (st == ST_OK)
		st = ingest_new(&a->ingest, c);
	if (st == ST_OK) {
		st = feed_reader_open(&a->feed_reader, f);
		if (st == ST_INVALID) /* in memory: the one reader there is */
			st = ST_OK;
	}
	if (st != ST_OK) {
		answer_free(a);
		return st;
	}
	*out = a;
	return ST_OK;
}

void
answer_free(struct answer *a)
{
	if (a == NULL)
		return;
	ingest_free(a->ingest);
	sync_msg_free(a->msg);
	wire_codec_free(a->codec);
	centre_reader_close(a->reader);
	feed_reader_close(a->feed_reader);
	entry_free(&a->parse);
	buf_free(&a->note);
	buf_free(&a->bytes);
	buf_free(&a->proofs);
	free(a->ack);
	free(a->receipt);
	free(a->row);
	free(a->row_off);
	free(a->step);
	free(a);
}

void
answer_counters(const struct answer *a, struct answer_counters *out)
{
	*out = a->counters;
}

/* ---- what came */

static const char *
held_reason(const struct roster_device *d)
{
	return d->standing[0] == '\0' ? NULL : "revoked";
}

/* Small urgent entries, shown before their place is logged. */
static enum status
take_hints(struct answer *a, const struct ingest_device *dev)
{
	for (size_t i = 0; i < a->up->hint_count; i++) {
		const struct wire_hint *h = &a->up->hint[i];
		enum status st = ingest_hint(a->ingest, dev, h);

		if (st == ST_NOMEM || st == ST_IO)
			return st;
		if (st == ST_OK) {
			if (a->on_hint != NULL &&
			    a->on_hint(a->on_hint_arg, &a->device, h))
				a->counters.hints++;
			a->hints_taken++;
		}
	}
	return ST_OK;
}

static enum status
look_at_checkpoint(struct answer *a)
{
	enum status st = ST_OK;

	if (a->up->note.len > 0)
		st = ingest_note(a->centre, a->peer.dev, a->up->note);
	if (st != ST_OK)
		return st;
	a->other_log = centre_restored(a->centre, &a->kept);
	if (!a->up->has_checkpoint)
		return ST_OK;
	st = ingest_checkpoint(a->centre, a->up->size, a->up->root16);
	a->want_note = st == ST_CONFLICT && a->up->note.len == 0;
	/* The new log's first checkpoint is larger than what was kept. */
	a->other_log =
	    a->other_log && (st == ST_CONFLICT || a->up->size <= a->kept);
	return st == ST_CONFLICT ? ST_OK : st;
}

enum status
answer_begin(struct answer *a, const struct answer_peer *peer,
    struct bytes request, const char **why)
{
	static const struct sync_up nothing;
	struct ingest_device dev = { .quota = peer->deliver };
	bool unknown;
	enum status st;

	*why = "";
	a->peer = *peer;
	a->up = NULL;
	a->want_note = a->other_log = false;
	a->hints_taken = 0;
	memset(&a->counters, 0, sizeof(a->counters));
	st = roster_device_by_dev(a->roster, peer->dev, &a->device);
	unknown = st == ST_ABSENT;
	if (unknown && !centre_restored(a->centre, &a->kept)) {
		centre_attempt(a->centre, "unknown_device", peer->dev, "{}");
		return ST_DENIED;
	}
	if (st != ST_OK && !unknown)
		return st;
	if (centre_halted(a->centre))
		return ST_LOCKED;
	st = sync_up_decode(a->codec, a->msg, centre_court(a->centre), request,
	    &a->up, &a->dict, why);
	if (st == ST_ABSENT)
		return ST_INVALID;
	if (st != ST_OK)
		return st;
	a->counters.has_clock = a->up->has_clock;
	a->counters.clock_ms = a->up->clock_ms;
	if (unknown)
		st = unconfirmed_device(
		    a->centre, a->reader, a->up, peer->dev, &a->device);
	a->want_key = unknown && st == ST_ABSENT;
	if (st != ST_OK && !a->want_key)
		return st;
	memcpy(dev.key, a->device.key, PUBKEY_LEN);
	memcpy(dev.dev, a->device.dev, sizeof(dev.dev));
	dev.held = unknown ? UNCONFIRMED_WHY : held_reason(&a->device);
	dev.quota = dev.quota || unknown;
	st = look_at_checkpoint(a);
	if (st == ST_OK)
		st = returned_look(
		    a->centre, a->roster, a->reader, a->up, peer->dev);
	/* Without its key nothing can be said of its pieces: next time. */
	if (st == ST_OK)
		st = ingest_prepare(
		    a->ingest, &dev, a->msg, a->want_key ? &nothing : a->up);
	if (st == ST_OK)
		st = returned_proved(a->centre, a->roster, a->reader, a->ingest,
		    a->up, peer->dev);
	if (st == ST_OK && !peer->deliver && !unknown)
		st = take_hints(a, &dev);
	return st;
}

struct commit_job *
answer_job(struct answer *a)
{
	if (ingest_ready(a->ingest) == 0)
		return NULL;
	memset(&a->job, 0, sizeof(a->job));
	a->job.ingest = a->ingest;
	return &a->job;
}

/* ---- acknowledgements and receipts */

static enum status
grow_replies(struct answer *a, size_t want)
{
	struct wire_ack *ack;
	struct wire_receipt *receipt;

	if (want <= a->reply_cap)
		return ST_OK;
	ack = realloc(a->ack, want * sizeof(*ack));
	if (ack == NULL)
		return ST_NOMEM;
	a->ack = ack;
	receipt = realloc(a->receipt, want * sizeof(*receipt));
	if (receipt == NULL)
		return ST_NOMEM;
	a->receipt = receipt;
	a->reply_cap = want;
	return ST_OK;
}

/* A receipt stands for what was told now; an agent that sent nothing on a
 * chain has it already. */
static enum status
put_receipt(struct answer *a, const struct ingest_ack *in)
{
	struct wire_receipt *r = &a->receipt[a->receipt_count];
	enum status st;

	if (!in->has_place || in->place >= a->tip.size)
		return ST_OK;
	memset(r, 0, sizeof(*r));
	memcpy(r->chain, in->chain, CHAIN_LEN);
	r->seq = in->seq;
	r->place = in->place;
	st = tlog_inclusion(
	    centre_tlog(a->centre), in->place, a->tip.size, &r->proof);
	if (st == ST_OK)
		a->receipt_count++;
	return st;
}

static enum status
put_acks(struct answer *a)
{
	size_t count = 0;
	const struct ingest_ack *in = ingest_acks(a->ingest, &count);
	enum status st = grow_replies(a, count);

	a->ack_count = a->receipt_count = 0;
	for (size_t i = 0; st == ST_OK && i < count; i++) {
		struct wire_ack *ack = &a->ack[a->ack_count++];

		memcpy(ack->chain, in[i].chain, CHAIN_LEN);
		ack->status = in[i].status;
		ack->seq = in[i].seq;
		st = put_receipt(a, &in[i]);
	}
	return st;
}

/* ---- the answer */

/* The note goes along with whatever leans on it. */
static enum status
put_note(struct answer *a, struct sync_down *m)
{
	enum status st = ST_OK;

	if (a->receipt_count == 0 && a->row_count == 0 && !a->other_log)
		return ST_OK;
	m->note = buf_view(&a->note);
	if (!a->other_log && a->up->has_checkpoint && a->up->size > 0 &&
	    a->up->size < a->tip.size)
		st = tlog_consistency(centre_tlog(a->centre), a->up->size,
		    a->tip.size, &m->consistency);
	return st;
}

enum status
answer_finish(struct answer *a, struct buf *out)
{
	struct sync_down *m = calloc(1, sizeof(*m));
	enum status st;

	if (m == NULL)
		return ST_NOMEM;
	buf_reset(&a->note);
	st = centre_checkpoint(a->centre, &a->note, &a->tip);
	if (st == ST_OK)
		st = put_acks(a);
	if (st == ST_OK)
		st = answer_put_parts(a);
	if (st == ST_OK)
		st = put_note(a, m);
	if (st == ST_OK) {
		for (size_t i = 0; i < a->up->piece_count; i++)
			a->counters.entries_up += a->up->piece[i].count;
		m->ack = a->ack;
		m->ack_count = a->ack_count;
		m->receipt = a->receipt;
		m->receipt_count = a->receipt_count;
		m->part = a->part;
		m->part_count = a->part_count;
		m->has_time = true;
		m->time_ms = port_wall_ms(centre_port(a->centre));
		m->want = (a->want_note ? WANT_NOTE : 0u) |
			  (a->other_log ? WANT_RETURNED : 0u) |
			  (a->want_key ? WANT_KEY : 0u);
		m->kept = a->kept;
		m->has_hints = a->up->hint_count > 0;
		m->hints_taken = a->hints_taken;
		st = sync_down_encode(
		    a->codec, a->dict, centre_court(a->centre), m, out);
	}
	free(m);
	return st;
}

enum status
answer_whole(struct answer *a, const struct answer_peer *peer,
    struct bytes request, struct buf *out, const char **why)
{
	struct commit_job *job;
	enum status st = answer_begin(a, peer, request, why);

	if (st != ST_OK)
		return st;
	job = answer_job(a);
	if (job != NULL)
		st = committer_wait(centre_committer(a->centre), job);
	return st == ST_OK ? answer_finish(a, out) : st;
}

void
answer_on_hint(struct answer *a, answer_hint_fn fn, void *arg)
{
	a->on_hint = fn;
	a->on_hint_arg = arg;
}
