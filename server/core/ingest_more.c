/* ingest_more: what a request says besides its pieces. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry/chain.h"
#include "entry/json.h"
#include "server/core/centre_folder.h"
#include "server/core/centre_inner.h"
#include "server/core/ingest_inner.h"

enum status
ingest_hint(struct ingest *in, const struct ingest_device *dev,
    const struct wire_hint *h)
{
	struct chain_view *v;
	uint8_t link[HASH_LEN], digest[HASH_LEN];
	enum status st = ST_OK;

	if (h->entry.form != WIRE_WHOLE || h->seq == 0 ||
	    h->entry.raw.len > HINT_RAW_MAX)
		return ST_INVALID;
	v = calloc(1, sizeof(*v));
	if (v == NULL)
		return ST_NOMEM;
	if (chains_get(in->c->chains, h->chain, v)) {
		if (memcmp(v->key, dev->key, PUBKEY_LEN) != 0)
			st = ST_DENIED;
		for (uint32_t b = 0; b < v->count && st == ST_OK; b++)
			if (h->seq <= v->branch[b].last_seq)
				st = ST_CONFLICT;
	}
	free(v);
	if (st != ST_OK)
		return st;
	entry_digest(digest, h->entry.raw);
	chain_link(link, h->prev, h->seq, digest);
	st = chain_verify(h->sig, dev->key, h->chain, h->seq, link);
	if (st != ST_OK)
		return st;
	st = entry_parse(&in->parse, h->entry.raw);
	if (st != ST_OK)
		return st;
	if (memcmp(in->parse.chain, h->chain, CHAIN_LEN) != 0 ||
	    in->parse.seq != h->seq ||
	    !bytes_eq_str(in->parse.court, in->c->court))
		return ST_INVALID;
	return ST_OK;
}

/* Is (size, root's first `len` bytes) a tree that this log leads to?  Another
 * process may have committed what we have not seen: then it is looked for. */
static enum status
leads_to(struct centre *c, uint64_t size, const uint8_t *root, size_t len)
{
	uint8_t mine[HASH_LEN];
	struct store_head head;
	enum status st;

	st = tlog_root(c->tlog, size, mine);
	if (st == ST_ABSENT) {
		(void)pthread_mutex_lock(&c->look_lock);
		st = store_head(c->look, &head);
		(void)pthread_mutex_unlock(&c->look_lock);
		if (st != ST_OK)
			return st;
		if (size > head.size)
			return ST_CONFLICT;
		/* Followed at the next commit; no verdict until then. */
		if (size < head.size)
			return ST_OK;
		memcpy(mine, head.root, HASH_LEN);
	}
	if (st != ST_OK)
		return st;
	return memcmp(mine, root, len) == 0 ? ST_OK : ST_CONFLICT;
}

enum status
ingest_checkpoint(struct centre *c, uint64_t size, const uint8_t root16[ID_LEN])
{
	return leads_to(c, size, root16, ID_LEN);
}

enum status
ingest_note(struct centre *c, const char *dev, struct bytes note)
{
	struct checkpoint cp;
	uint64_t kept;
	enum status st;

	st = checkpoint_open(&cp, note, &c->log_key);
	if (st == ST_NOMEM)
		return st;
	/* What an ended log signed is why this one began. */
	if (st != ST_OK && centre_ended_note(c, note, &cp, &kept))
		return ST_OK;
	if (st != ST_OK) {
		/* Anybody can send what we did not sign. */
		centre_attempt(c, "bad_note", dev, "{}");
		return ST_OK;
	}
	st = leads_to(c, cp.size, cp.root, HASH_LEN);
	if (st != ST_CONFLICT)
		return st;
	st = centre_halt(c, dev, note);
	return st == ST_OK ? ST_LOCKED : st;
}

/* ---- the halt */

struct halting {
	struct commit_job job;
	uint64_t wall;
	char dev[DEV_LEN + 1];
	struct buf note;
};

static enum status
put_halt(void *arg, struct store *s)
{
	const struct halting *h = arg;
	struct store_alarm a = { .wall = h->wall,
		.sort = bytes_str("split"),
		.dev = bytes_str(h->dev) };
	struct buf doc;
	enum status st;

	buf_init(&doc, 8 * NOTE_BYTES_MAX);
	buf_str(&doc, "{\"note\":");
	json_put_string(&doc, buf_view(&h->note));
	buf_u8(&doc, '}');
	a.doc = buf_view(&doc);
	st = doc.err;
	if (st == ST_OK)
		st = store_put_alarm(s, &a);
	if (st == ST_OK)
		st = store_put_meta(s, META_HALTED, buf_view(&h->note));
	buf_free(&doc);
	return st;
}

/* Whether or not the disk took it: what is in memory holds until the process
 * ends, and the agents that hold the note bring it again. */
static void
halt_done(void *arg, enum status st)
{
	struct halting *h = arg;

	(void)st;
	buf_free(&h->note);
	free(h);
}

enum status
centre_halt(struct centre *c, const char *dev, struct bytes note)
{
	struct halting *h = calloc(1, sizeof(*h));
	bool was;

	(void)pthread_mutex_lock(&c->lock);
	was = c->halted;
	c->halted = true;
	(void)pthread_mutex_unlock(&c->lock);
	if (was) {
		free(h);
		return ST_OK;
	}
	if (h == NULL)
		return ST_NOMEM;
	h->wall = port_wall_ms(c->port);
	(void)snprintf(h->dev, sizeof(h->dev), "%s", dev);
	buf_init(&h->note, NOTE_BYTES_MAX);
	buf_bytes(&h->note, note);
	if (h->note.err != ST_OK) {
		enum status st = h->note.err;

		buf_free(&h->note);
		free(h);
		return st;
	}
	h->job = (struct commit_job){ .check = put_halt,
		.done = halt_done,
		.arg = h,
		.even_halted = true };
	committer_submit(c->committer, &h->job);
	return ST_OK;
}
