/*
 * agent_down: what a sync answer says, believed only as far as it is proved
 * (docs/PROTOCOL.md, section 5).
 *
 * Nothing here is taken on the centre's word: the checkpoint by the log's
 * signature and its consistency with the last one, each receipt by the
 * inclusion of our own link, each part by one proof over links that we
 * computed.  What fails is kept as evidence, not shown, and alarms.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core/agent_impl.h"
#include "entry/chain.h"
#include "tlog/proof.h"

/* ---- the checkpoint */

/* ST_DENIED: it does not prove; both notes are kept. */
static enum status
check_note(struct agent *a, const struct sync_down *m, struct checkpoint *out)
{
	enum status st = agent_note_open(a, m->note, out);

	if (st == ST_OK && a->has_tip)
		st = out->size < a->tip.size
			 ? ST_DENIED
			 : merkle_check_consistency(&m->consistency,
			       a->tip.size, a->tip.root, out->size, out->root);
	/* Unheard is not refuted: the public listener did not answer. */
	if (st == ST_NOMEM || st == ST_OK || st == ST_NET)
		return st;
	agent_alarm(
	    a, "a checkpoint that does not follow from the last one", m->note);
	if (a->has_tip)
		agent_alarm(
		    a, "the checkpoint before it", buf_view(&a->tip_note));
	return ST_DENIED;
}

/* ---- receipts */

struct own_link {
	bool found;
	uint8_t prev[HASH_LEN], link[HASH_LEN];
};

static enum status
take_link(void *arg, const struct log_entry *le)
{
	struct own_link *o = arg;

	if (le->e.has_link && le->e.has_prev) {
		o->found = true;
		memcpy(o->link, le->e.link, HASH_LEN);
		memcpy(o->prev, le->e.prev, HASH_LEN);
	}
	return ST_OK;
}

static enum status
keep_receipt(struct agent *a, const struct wire_receipt *r,
    const struct own_link *own, const struct checkpoint *c, struct bytes note)
{
	struct proof p = { .has_prev = true, .index = r->place, .note = note };
	struct log_receipt keep = {
		.seq = r->seq, .place = r->place, .size = c->size
	};
	struct buf file;
	enum status st;

	memcpy(p.prev, own->prev, HASH_LEN);
	p.path = r->proof;
	memcpy(keep.chain, r->chain, CHAIN_LEN);
	buf_init(&file, PROOF_BYTES_MAX);
	st = proof_format(&p, &file);
	if (st == ST_OK) {
		keep.bytes = buf_view(&file);
		st = log_receipt_put(a->log, &keep);
	}
	buf_free(&file);
	return st;
}

static enum status
take_receipt(struct agent *a, const struct wire_receipt *r,
    const struct checkpoint *c, struct bytes note, struct down_result *out)
{
	struct own_link own = { .found = false };
	struct log_head head;
	uint8_t leaf[HASH_LEN];
	uint32_t n = parts_own_chain(a, r->chain);
	enum status st = ST_DENIED;

	if (n != 0) {
		st = log_each(a->log, n, r->seq, r->seq, take_link, &own);
		if (st != ST_OK && st != ST_ABSENT)
			return st;
	}
	st = ST_DENIED;
	if (own.found) {
		merkle_leaf(leaf, bytes_of(own.link, HASH_LEN));
		st = merkle_check_inclusion(
		    &r->proof, r->place, c->size, leaf, c->root);
	}
	if (st != ST_OK) {
		agent_alarm(
		    a, "a receipt that does not hold for our entry", note);
		out->alarmed = true;
		return ST_OK;
	}
	st = keep_receipt(a, r, &own, c, note);
	if (st == ST_OK)
		st = log_chain(a->log, n, &head);
	if (st == ST_OK)
		st = agent_back_receipt(a, &head, r->seq);
	if (st == ST_OK) {
		out->place = r->place;
		out->progressed = true;
		st = view_placed(a->view, own.link, r->place);
		if (st == ST_OK)
			st = view_acked(a->view, r->chain, r->seq);
	}
	return st;
}

/* ---- acknowledgements */

/* The centre lacks what we have a receipt for: it was set back.  What it asks
 * for is sent again; the receipts are the evidence. */
static enum status
take_ack(struct agent *a, const struct wire_ack *ack, struct down_result *out)
{
	uint32_t n = parts_own_chain(a, ack->chain);
	struct log_head h;
	enum status st;

	if (n == 0 || n >= AGENT_CHAINS_MAX)
		return ST_OK;
	st = log_chain(a->log, n, &h);
	if (st != ST_OK)
		return st;
	if (ack->seq > h.seq) {
		/* It holds entries of this chain that we do not have: this
		 * file is an old copy.  Go on recording, on a new chain. */
		agent_alarm(a,
		    "the centre holds later entries of this chain: this "
		    "device was rolled back or copied",
		    bytes_of(ack->chain, CHAIN_LEN));
		out->alarmed = true;
		return log_chain_new(a->log, a->court.court_id);
	}
	if (ack->status == ACK_GAP && ack->seq + 1 < h.unsent_from) {
		a->resend_from[n] = ack->seq + 1;
		out->progressed = true;
	}
	/* With a receipt for what stood before it, it names that place; the
	 * next request is told where the hole ends. */
	if (ack->status == ACK_CUT) {
		out->more = true;
		out->progressed = out->progressed || ack->seq != a->cut_at[n];
		a->cut_at[n] = ack->seq;
	}
	if (ack->status == ACK_REFUSED) {
		agent_alarm(a, "the centre refused our head signature",
		    bytes_of(ack->chain, CHAIN_LEN));
		out->alarmed = true;
	}
	return ST_OK;
}

/* ---- the answer */

static enum status
take_proved(struct agent *a, const struct sync_down *m, struct down_result *out)
{
	const struct checkpoint *c = NULL;
	struct checkpoint taken;
	struct bytes note = m->note;
	bool ended = false;
	enum status st = ST_OK;

	if (note.len > 0) {
		st = check_note(a, m, &taken);
		if (st == ST_DENIED) {
			out->alarmed = true;
			return ST_OK; /* nothing that leans on it is taken */
		}
		ended = st == ST_OK && agent_tip_ended(a);
		if (ended)
			st = agent_adopt(a, &taken, note,
			    (m->want & WANT_RETURNED) != 0 ? m->kept : 0);
		else if (st == ST_OK)
			st = agent_tip_take(a, &taken, note);
		c = &taken;
	} else if (a->has_tip) {
		c = &a->tip;
		note = buf_view(&a->tip_note);
	}
	for (size_t i = 0; st == ST_OK && c != NULL && i < m->receipt_count;
	     i++)
		st = take_receipt(a, &m->receipt[i], c, note, out);
	/* What streams said was asked for at places of the log that ended. */
	if (ended)
		out->adopted = out->more = out->progressed = true;
	for (size_t i = 0; st == ST_OK && !ended && i < m->part_count; i++)
		st = parts_take(a, &m->part[i], c, note, out);
	return st;
}

enum status
down_take(struct agent *a, struct bytes body, struct down_result *out)
{
	const struct sync_down *m = NULL;
	const char *why = "";
	unsigned standing = ACK_TAKEN;
	bool asked;
	uint32_t dict;
	enum status st;

	memset(out, 0, sizeof(*out));
	st = sync_down_decode(
	    a->codec, a->msg, a->desc->court, body, &m, &dict, &why);
	if (st == ST_NOMEM)
		return agent_why(a, st, "内存不足", "out of memory");
	if (st == ST_NEWER)
		return agent_why(a, st, "中心的版本较新：请升级本机程序",
		    "the centre is newer: update this device");
	if (st != ST_OK)
		return agent_why(a, ST_NET, "中心的答复无法理解", why);
	st = m->has_time ? agent_time_take(a, m->time_ms) : ST_OK;
	if (st == ST_OK)
		st = take_proved(a, m, out);
	if (st == ST_NET)
		return st; /* words are there */
	for (size_t i = 0; st == ST_OK && i < m->ack_count; i++) {
		st = take_ack(a, &m->ack[i], out);
		if (m->ack[i].status > standing && m->ack[i].status != ACK_CUT)
			standing = m->ack[i].status;
	}
	if (st == ST_OK && m->ack_count > 0)
		st = agent_standing_take(a, standing);
	/* It gave our key away once already: asked again, it does not help. */
	if ((m->want & WANT_KEY) != 0 && !a->want_key)
		out->more = out->progressed = true;
	a->want_key = (m->want & WANT_KEY) != 0;
	/* What is to be handed in yet must not go before. */
	if (st == ST_OK && !out->more && !out->alarmed && !agent_handing_in(a))
		st = agent_leave(a);
	/* Asked for the note: it goes at once, but only once in a row. */
	asked = a->want_note;
	a->want_note = (m->want & WANT_NOTE) != 0 && a->tip_note.len > 0;
	a->want_note = a->want_note && !out->adopted;
	if (a->want_note && !asked)
		out->more = out->progressed = true;
	return st == ST_OK ? st : agent_log_why(a, st);
}
