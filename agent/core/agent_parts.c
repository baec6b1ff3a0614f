/*
 * agent_parts: parts of the streams that an answer brings: proved, gathered
 * until a record is whole, then kept and shown.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/core/blobs.h"
#include "entry/chain.h"

uint32_t
parts_own_chain(struct agent *a, const uint8_t chain[CHAIN_LEN])
{
	struct log_head h;

	for (uint32_t n = 1; log_chain(a->log, n, &h) == ST_OK; n++) {
		if (memcmp(h.chain, chain, CHAIN_LEN) == 0)
			return n;
	}
	return 0;
}

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
	buf_wipe(&p->proved);
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
	buf_init(&p->proved, AGENT_PENDING_MAX);
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
		to->unfilled = false;
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
    const struct pending_entry *e, struct down_result *out, struct buf *words)
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
	if (e->ours) {
		if (e->len == 0)
			return ST_OK;
		/* Beside our own torn pages, as if it were a colleague's. */
		if (e->unfilled) {
			st = log_foreign_add(a->log, &f, NULL, NULL);
			if (st != ST_OK)
				return st;
		}
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
	if (!is_new && !e->ours && (e->flags & STREAM_SERVER) != 0)
		buf_add(words, v.id, ID_LEN);
	if (e->len == 0)
		return ST_OK;
	if ((e->flags & STREAM_SERVER) != 0)
		v.flags |= VIEW_SERVER;
	if ((e->flags & STREAM_BARE) != 0)
		v.flags |= VIEW_BARE;
	st = view_add(a->view, &v);
	if (st == ST_OK && is_new && (v.flags & VIEW_SERVER) != 0 &&
	    (v.flags & VIEW_BARE) == 0)
		st = agent_court_follow(a, view_parsed(a->view));
	if (st == ST_OK && (v.flags & VIEW_SERVER) != 0)
		agent_defs_note(a, view_parsed(a->view));
	if (st == ST_OK)
		agent_erase_note(a, view_parsed(a->view), v.id);
	if (st == ST_INVALID)
		st = ST_OK;
	if (st == ST_OK && (e->flags & STREAM_SERVER) != 0)
		st = agent_kept_take(a, f.raw, e->place);
	if (st == ST_OK && (e->flags & STREAM_SERVER) != 0)
		st = blobs_receipt(a, f.raw, e->place);
	return st;
}

/*
 * Own places that could not be read get their content back.  Each by itself:
 * SQLite commits no transaction in which a read met a torn page.
 */
static enum status
fill_lost(struct agent *a, struct agent_pending *p)
{
	enum status st;

	for (size_t i = 0; i < p->count; i++) {
		struct pending_entry *e = &p->entry[i];

		if (e->len == 0 || parts_own_chain(a, e->chain) == 0)
			continue;
		st = log_fill(a->log, e->chain, e->seq,
		    bytes_of(p->bytes.p + e->off, e->len));
		e->unfilled = st == ST_CORRUPT;
		if (st != ST_OK && st != ST_ABSENT && st != ST_CONFLICT &&
		    st != ST_CORRUPT)
			return st;
	}
	return ST_OK;
}

/*
 * Which entries are ours, as this file has them?  A copy of this handheld, and
 * this one before its file was set back, write on the same chains: what is not
 * in this file is kept like anybody else's.  Not within the batch, for the
 * reason above.
 */
static enum status
find_ours(struct agent *a, struct agent_pending *p)
{
	for (size_t i = 0; i < p->count; i++) {
		struct pending_entry *e = &p->entry[i];
		enum log_compare is = LOG_UNKNOWN;
		uint8_t digest[HASH_LEN], link[HASH_LEN];
		enum status st;

		e->ours = false;
		if (parts_own_chain(a, e->chain) == 0)
			continue;
		memcpy(digest, e->digest, HASH_LEN);
		if (e->len > 0)
			entry_digest(
			    digest, bytes_of(p->bytes.p + e->off, e->len));
		chain_link(link, e->prev, e->seq, digest);
		st = log_compare(a->log, e->chain, e->seq, link, &is);
		if (st != ST_OK && st != ST_CORRUPT)
			return st;
		/* Torn: it is as good as ours, and not to be doubled. */
		e->ours = st == ST_CORRUPT || is == LOG_SAME || is == LOG_AHEAD;
	}
	return ST_OK;
}

/* A whole part: its entries and its cursor, as one. */
static enum status
keep_pending(struct agent *a, struct agent_pending *p, struct down_result *out)
{
	struct log_cursor c = { .place = p->place, .sub = 0 };
	struct buf words; /* the centre's, that we had before */
	enum status st = ST_OK;

	if (a->found.lost > 0 || a->found.holes > 0 || a->found.broken)
		st = fill_lost(a, p);
	if (st == ST_OK)
		st = find_ours(a, p);
	if (st == ST_OK)
		st = log_batch_begin(a->log);
	if (st != ST_OK)
		return st;
	memcpy(c.scope, p->scope, ID_LEN);
	buf_init(&words, LOG_CONF_MAX);
	for (size_t i = 0; st == ST_OK && i < p->count; i++)
		st = keep_entry(a, p, &p->entry[i], out, &words);
	if (st == ST_OK)
		st = words.err;
	if (st == ST_OK)
		st = agent_old_words_spare(a, buf_view(&words));
	buf_free(&words);
	if (st == ST_OK)
		st = agent_proof_keep(a, buf_view(&p->proved));
	if (st == ST_OK)
		st = log_cursor_put(a->log, &c);
	if (st == ST_OK)
		st = log_batch_commit(a->log);
	if (st != ST_OK) {
		log_batch_rollback(a->log);
		/* Receipts that the disk does not have are not to be shown. */
		if (blobs_load(a) == ST_NOMEM)
			st = ST_NOMEM;
	}
	/* They stand on the disk: what they change is in force at once. */
	if (st == ST_OK && a->defs_news)
		st = agent_defs_load(a);
	if (st == ST_OK && a->erase_news)
		st = agent_erase_run(a);
	return st;
}

enum status
parts_take(struct agent *a, const struct wire_part *part,
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
	if (st == ST_OK)
		st = agent_proof_write(a, part, note, &p->proved);
	out->more = out->more || part->more || part->sub != 0;
	out->progressed = out->progressed || part->count > 0;
	if (st == ST_OK && part->sub != 0)
		return ST_OK; /* the record is not whole yet */
	if (st == ST_OK)
		st = keep_pending(a, p, out);
	agent_pending_drop(a, p);
	return st;
}
