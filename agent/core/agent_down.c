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

void
agent_alarm(struct agent *a, const char *why, struct bytes evidence)
{
	enum status st = log_bad_put(a->log, why, evidence);

	/* The disk may be full: the alarm stands all the same. */
	if (st != ST_OK)
		st = log_bad_put(a->log, why, (struct bytes){ NULL, 0 });
	if (st != ST_OK)
		(void)agent_log_why(a, st);
	a->alarms++;
}

/* ---- the checkpoint */

/*
 * Open the note; if it is of a key that we do not know, the court may have
 * rolled it: fetch the descriptor and try once more.
 */
static enum status
open_note(struct agent *a, struct bytes note, struct checkpoint *out)
{
	uint8_t log_key[PUBKEY_LEN];
	enum status st = checkpoint_open(out, note, &a->desc->log);

	if (st == ST_OK || st == ST_NOMEM)
		return st;
	memcpy(log_key, a->desc->log.public_key, PUBKEY_LEN);
	if (agent_descriptor_fetch(a) != ST_OK ||
	    memcmp(log_key, a->desc->log.public_key, PUBKEY_LEN) == 0)
		return ST_DENIED;
	st = checkpoint_open(out, note, &a->desc->log);
	if (st != ST_OK)
		return ST_DENIED;
	/* A new log begins: the old note stays as evidence of what was. */
	st = log_bad_put(a->log,
	    "the court began a new log; its last checkpoint of the old one",
	    buf_view(&a->tip_note));
	if (st != ST_OK)
		return st;
	a->has_tip = false;
	return ST_OK;
}

/* ST_DENIED: it does not prove; both notes are kept. */
static enum status
check_note(struct agent *a, const struct sync_down *m, struct checkpoint *out)
{
	enum status st = open_note(a, m->note, out);

	if (st == ST_OK && a->has_tip)
		st = out->size < a->tip.size
			 ? ST_DENIED
			 : merkle_check_consistency(&m->consistency,
			       a->tip.size, a->tip.root, out->size, out->root);
	if (st == ST_NOMEM || st == ST_OK)
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

/* Number of our own chain of that id; 0 if it is none. */
static uint32_t
own_chain(struct agent *a, const uint8_t chain[CHAIN_LEN])
{
	struct log_head h;

	for (uint32_t n = 1; log_chain(a->log, n, &h) == ST_OK; n++) {
		if (memcmp(h.chain, chain, CHAIN_LEN) == 0)
			return n;
	}
	return 0;
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
	uint8_t leaf[HASH_LEN];
	uint32_t n = own_chain(a, r->chain);
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
	if (st == ST_OK) {
		out->place = r->place;
		out->progressed = true;
		if (n < AGENT_CHAINS_MAX)
			a->resend_from[n] = 0;
		st = view_placed(a->view, own.link, r->place);
	}
	return st;
}

/* ---- acknowledgements */

/* The centre lacks what we have a receipt for: it was set back.  What it asks
 * for is sent again; the receipts are the evidence. */
static enum status
take_ack(struct agent *a, const struct wire_ack *ack, struct down_result *out)
{
	uint32_t n = own_chain(a, ack->chain);
	struct log_head h;
	enum status st;

	if (n == 0 || n >= AGENT_CHAINS_MAX)
		return ST_OK;
	a->ack_status[n] = ack->status;
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
	if (ack->status == ACK_REFUSED) {
		agent_alarm(a, "the centre refused our head signature",
		    bytes_of(ack->chain, CHAIN_LEN));
		out->alarmed = true;
	}
	return ST_OK;
}

/* ---- parts of streams */

static enum status
prove_part(const struct wire_part *p, const struct checkpoint *c)
{
	uint64_t *places = calloc(p->count + 1, sizeof(*places));
	uint8_t(*leaves)[HASH_LEN] = calloc(p->count + 1, HASH_LEN);
	enum status st = ST_NOMEM;

	if (places != NULL && leaves != NULL) {
		for (size_t i = 0; i < p->count; i++) {
			places[i] = p->entry[i].place;
			merkle_leaf(leaves[i],
			    bytes_of(p->entry[i].entry.link, HASH_LEN));
		}
		st = merkle_check_many(p->proof, places,
		    (const uint8_t(*)[HASH_LEN])leaves, p->count, c->size,
		    c->root);
	}
	free(places);
	free(leaves);
	return st;
}

struct agent_pending *
agent_pending_of(struct agent *a, const uint8_t scope[ID_LEN])
{
	for (size_t i = 0; i < a->pending_count; i++) {
		if (memcmp(a->pending[i].scope, scope, ID_LEN) == 0)
			return &a->pending[i];
	}
	return NULL;
}

void
agent_pending_drop(struct agent *a, struct agent_pending *p)
{
	size_t i = (size_t)(p - a->pending);

	buf_wipe(&p->bytes);
	free(p->entry);
	a->pending_count--;
	memmove(&a->pending[i], &a->pending[i + 1],
	    (a->pending_count - i) * sizeof(*p));
}

static struct agent_pending *
pending_new(struct agent *a, const uint8_t scope[ID_LEN])
{
	struct agent_pending *bigger =
	    realloc(a->pending, (a->pending_count + 1) * sizeof(*bigger));
	struct agent_pending *p;

	if (bigger == NULL)
		return NULL;
	a->pending = bigger;
	p = &a->pending[a->pending_count++];
	memset(p, 0, sizeof(*p));
	memcpy(p->scope, scope, ID_LEN);
	buf_init(&p->bytes, AGENT_PENDING_MAX);
	return p;
}

static enum status
pending_take(struct agent_pending *p, const struct wire_part *part)
{
	for (size_t i = 0; i < part->count; i++) {
		const struct wire_stream_entry *e = &part->entry[i];
		struct pending_entry *to;

		if (p->count == p->cap) {
			size_t cap = p->cap == 0 ? 64 : p->cap * 2;
			struct pending_entry *bigger =
			    realloc(p->entry, cap * sizeof(*bigger));

			if (bigger == NULL)
				return ST_NOMEM;
			p->entry = bigger;
			p->cap = cap;
		}
		to = &p->entry[p->count];
		to->place = e->place;
		to->seq = e->seq;
		to->flags = e->flags;
		memcpy(to->chain, e->chain, CHAIN_LEN);
		memcpy(to->prev, e->prev, HASH_LEN);
		memcpy(to->digest, e->entry.digest, HASH_LEN);
		to->off = p->bytes.len;
		to->len = e->entry.raw.len;
		buf_bytes(&p->bytes, e->entry.raw);
		if (p->bytes.err != ST_OK)
			return p->bytes.err;
		p->count++;
	}
	p->place = part->place;
	p->sub = part->sub;
	return ST_OK;
}

/* One proved entry is kept and shown.  Our own come back too: they only learn
 * their place, and mend what we lost. */
static enum status
keep_entry(struct agent *a, const struct agent_pending *p,
    const struct pending_entry *e, struct down_result *out)
{
	struct log_foreign f = { .seq = e->seq,
		.place = e->place,
		.flags = e->flags,
		.raw = bytes_of(p->bytes.p + e->off, e->len) };
	struct view_entry v = { .place = e->place, .raw = f.raw };
	uint8_t link[HASH_LEN];
	bool is_new = false;
	enum status st;

	memcpy(f.chain, e->chain, CHAIN_LEN);
	memcpy(f.prev, e->prev, HASH_LEN);
	memcpy(f.digest, e->digest, HASH_LEN);
	if (own_chain(a, e->chain) != 0) {
		if (e->len > 0) {
			st = log_fill(a->log, e->chain, e->seq, f.raw);
			if (st != ST_OK && st != ST_ABSENT && st != ST_CONFLICT)
				return st;
		}
		if (e->len == 0)
			return ST_OK;
		entry_digest(f.digest, f.raw);
		chain_link(link, e->prev, e->seq, f.digest);
		memcpy(v.id, link, ID_LEN);
		if (view_has(a->view, v.id))
			return view_placed(a->view, v.id, e->place);
	} else {
		st = log_foreign_add(a->log, &f, link, &is_new);
		if (st != ST_OK)
			return st;
		memcpy(v.id, link, ID_LEN);
	}
	out->received += is_new;
	if (e->len == 0)
		return ST_OK;
	if ((e->flags & STREAM_SERVER) != 0)
		v.flags |= VIEW_SERVER;
	if ((e->flags & STREAM_BARE) != 0)
		v.flags |= VIEW_BARE;
	st = view_add(a->view, &v);
	return st == ST_INVALID ? ST_OK : st;
}

/* A whole part: its entries and its cursor, as one. */
static enum status
keep_pending(struct agent *a, struct agent_pending *p, struct down_result *out)
{
	struct log_cursor c = { .place = p->place, .sub = 0 };
	enum status st = log_batch_begin(a->log);

	memcpy(c.scope, p->scope, ID_LEN);
	if (st != ST_OK)
		return st;
	for (size_t i = 0; st == ST_OK && i < p->count; i++)
		st = keep_entry(a, p, &p->entry[i], out);
	if (st == ST_OK)
		st = log_cursor_put(a->log, &c);
	if (st == ST_OK)
		st = log_batch_commit(a->log);
	if (st != ST_OK)
		log_batch_rollback(a->log);
	return st;
}

static enum status
take_part(struct agent *a, const struct wire_part *part,
    const struct checkpoint *c, struct bytes note, struct down_result *out)
{
	struct agent_pending *p = agent_pending_of(a, part->scope);
	enum status st = ST_OK;

	if (part->count > 0) {
		st = c == NULL ? ST_DENIED : prove_part(part, c);
		if (st == ST_NOMEM)
			return st;
	}
	if (st != ST_OK) {
		agent_alarm(
		    a, "entries that the checkpoint does not prove", note);
		out->alarmed = true;
		return ST_OK;
	}
	if (p == NULL)
		p = pending_new(a, part->scope);
	if (p == NULL)
		return ST_NOMEM;
	st = pending_take(p, part);
	out->more = out->more || part->more || part->sub != 0;
	out->progressed = out->progressed || part->count > 0;
	if (st == ST_OK && part->sub != 0)
		return ST_OK; /* the record is not whole yet */
	if (st == ST_OK)
		st = keep_pending(a, p, out);
	agent_pending_drop(a, p);
	return st;
}

/* ---- the answer */

static enum status
take_proved(struct agent *a, const struct sync_down *m, struct down_result *out)
{
	const struct checkpoint *c = NULL;
	struct checkpoint taken;
	struct bytes note = m->note;
	enum status st = ST_OK;

	if (note.len > 0) {
		st = check_note(a, m, &taken);
		if (st == ST_DENIED) {
			out->alarmed = true;
			return ST_OK; /* nothing that leans on it is taken */
		}
		if (st == ST_OK)
			st = agent_tip_take(a, &taken, note);
		c = &taken;
	} else if (a->has_tip) {
		c = &a->tip;
		note = buf_view(&a->tip_note);
	}
	for (size_t i = 0; st == ST_OK && c != NULL && i < m->receipt_count;
	     i++)
		st = take_receipt(a, &m->receipt[i], c, note, out);
	for (size_t i = 0; st == ST_OK && i < m->part_count; i++)
		st = take_part(a, &m->part[i], c, note, out);
	return st;
}

enum status
down_take(struct agent *a, struct bytes body, struct down_result *out)
{
	const struct sync_down *m = NULL;
	const char *why = "";
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
	for (size_t i = 0; st == ST_OK && i < m->ack_count; i++)
		st = take_ack(a, &m->ack[i], out);
	if (st == ST_OK && !out->more && !out->alarmed)
		st = agent_leave(a);
	a->want_note = (m->want & WANT_NOTE) != 0 && a->tip_note.len > 0;
	out->more = out->more || a->want_note;
	return st == ST_OK ? st : agent_log_why(a, st);
}
