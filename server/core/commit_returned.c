/*
 * commit_returned: what the log says of things that an ended log had proved:
 * `returned@1`, and what of the old centre's words is said again
 * (docs/PROTOCOL.md, sections 8 and 9).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/json.h"
#include "server/core/commit_inner.h"

enum {
	REPEAT_ON_MAX = 1500, /* ids of one `hold`; more are not repeated */
	EVIDENCE_BYTES_MAX = 40 << 10 /* as base64 it must fit an entry */
};

/* `more`: the old checkpoint and what leads to it; with the entry itself where
 * nothing else keeps it. */
static enum status
put_more(
    struct buf *out, const struct ingest_part *p, size_t leaf, bool evidence)
{
	const struct wire_leaf *l = &p->w->leaf[leaf];
	struct merkle_proof path;
	size_t len = 4 * ((l->entry.raw.len + 2) / 3);
	enum status st = merkle_one_of_many(p->w->proof, p->place,
	    (const uint8_t(*)[HASH_LEN])p->leaf, p->w->count, p->cp.size, leaf,
	    &path);
	char *text;

	if (st != ST_OK)
		return st;
	buf_str(out, "{\"note\":");
	json_put_string(out, p->w->note);
	buf_printf(out, ",\"place\":%" PRIu64 ",\"proof\":[", l->place);
	for (size_t i = 0; i < path.count; i++) {
		if (i > 0)
			buf_u8(out, ',');
		json_put_hex(out, bytes_of(path.hash[i], HASH_LEN));
	}
	buf_u8(out, ']');
	if (evidence) {
		buf_str(out, ",\"prev\":");
		json_put_hex(out, bytes_of(l->prev, HASH_LEN));
	}
	if (evidence && l->entry.raw.len <= EVIDENCE_BYTES_MAX) {
		text = malloc(len + 1);
		if (text == NULL)
			return ST_NOMEM;
		base64_encode(text, l->entry.raw);
		buf_str(out, ",\"entry\":");
		json_put_str(out, text);
		free(text);
	}
	buf_u8(out, '}');
	return out->err;
}

enum status
txn_returned(
    struct txn *t, const struct span *s, bool evidence, struct buf *text)
{
	static const char *const names[] = { "dev", "chain", "first", "last",
		"origin", "size" };
	const struct ingest_part *p = &s->in->part[s->part];
	struct bytes on[6];
	struct server_entry e = {
		.kind = "returned@1", .verb = DO_OPEN, .on = on, .on_count = 6
	};
	size_t data;
	enum status st;

	for (size_t i = 0; i < 6; i++)
		on[i] = bytes_str(names[i]);
	buf_reset(text);
	buf_printf(text, "[\"%s\",\"", s->dev);
	buf_hex(text, bytes_of(s->chain, CHAIN_LEN));
	buf_printf(text, "\",%" PRIu64 ",%" PRIu64 ",", s->first, s->last);
	json_put_str(text, p->cp.origin);
	buf_printf(text, ",%" PRIu64 "]", p->cp.size);
	data = text->len;
	st = put_more(text, p, s->leaf, evidence);
	if (st != ST_OK)
		return st == ST_DENIED ? ST_CORRUPT : st;
	e.data = bytes_of(text->p, data);
	e.more = bytes_of(text->p + data, text->len - data);
	return txn_write(t, &e);
}

/* ---- evidence, once */

static enum status
found(void *arg, const struct store_doc *d)
{
	(void)arg;
	(void)d;
	return ST_OK;
}

/* ST_OK: it is noted now; ST_CONFLICT: it was.  What was put down as nobody's
 * may come again with a signature, so what is said of it is noted apart. */
static enum status
note_once(struct txn *t, const uint8_t link[HASH_LEN], bool said)
{
	char hex[2 * HASH_LEN + sizeof(".said")];
	struct store_doc d = { .sort = bytes_str(RETURNED_DOC),
		.made = t->wall,
		.doc = bytes_str("{}") };
	enum status st;

	hex_encode(hex, bytes_of(link, HASH_LEN));
	if (said)
		memcpy(hex + 2 * (size_t)HASH_LEN, ".said", sizeof(".said"));
	d.key = bytes_str(hex);
	st = store_doc(store_inside(t->s), RETURNED_DOC, d.key, found, NULL);
	if (st == ST_OK)
		return ST_CONFLICT;
	if (st != ST_ABSENT)
		return st;
	t->rows = true;
	return store_put_doc(t->s, &d);
}

enum status
txn_evidence(struct txn *t, const struct span *s, struct buf *text)
{
	const struct wire_leaf *l = &s->in->part[s->part].w->leaf[s->leaf];
	enum status st = note_once(t, l->link, false);

	if (st == ST_CONFLICT)
		return ST_OK;
	return st == ST_OK ? txn_returned(t, s, true, text) : st;
}

/* ---- the old centre's words */

/* `advance` of a device, or `hold`, once more by this centre. */
static enum status
repeat(struct txn *t, const struct ingest_word *w, const struct wire_leaf *l,
    struct buf *text)
{
	struct entry *e = &t->parse;
	struct server_entry s = { .verb = e->verb };
	char kind[64];
	enum status st = entry_parse(e, l->entry.raw);
	size_t nulls;

	if (st != ST_OK)
		return st == ST_INVALID ? ST_OK : st;
	if (e->rec.len != REC_LEN || e->kind.len >= sizeof(kind) ||
	    e->on_count > REPEAT_ON_MAX)
		return ST_OK;
	memcpy(s.rec, e->rec.p, REC_LEN);
	memcpy(kind, e->kind.p, e->kind.len);
	kind[e->kind.len] = '\0';
	s.verb = e->verb;
	s.kind = kind;
	s.on = e->on;
	s.on_count = e->on_count;
	buf_reset(text);
	buf_u8(text, '[');
	for (size_t i = 0; i < e->on_count; i++)
		buf_str(text, i == 0 ? "null" : ",null");
	buf_u8(text, ']');
	nulls = text->len;
	buf_printf(text,
	    "恢复以前的日志已有此令（旧位置 %" PRIu64
	    "） / said by the log before the restore (old place %" PRIu64 ")",
	    l->place, l->place);
	if (text->err != ST_OK)
		return text->err;
	s.data = bytes_of(text->p, nulls);
	s.reason = bytes_of(text->p + nulls, text->len - nulls);
	if (w->repeat == WORD_REVOKE) {
		s.after = &w->after;
		s.after_count = 1;
	}
	return txn_write(t, &s);
}

static enum status
one_word(struct txn *t, const struct ingest *in, const struct ingest_word *w,
    struct buf *text)
{
	const struct wire_leaf *l = &in->part[w->part].w->leaf[w->leaf];
	struct span s = { .first = l->seq,
		.last = l->seq,
		.in = in,
		.part = w->part,
		.leaf = w->leaf };
	enum status st = ST_OK;

	memcpy(s.dev, w->dev, sizeof(s.dev));
	memcpy(s.chain, l->chain, CHAIN_LEN);
	if (w->repeat != WORD_KEEP) {
		st = note_once(t, l->link, true);
		if (st == ST_OK)
			st = w->repeat == WORD_ERASE
				 ? txn_erase_word(t, l, text)
				 : repeat(t, w, l, text);
		if (st == ST_CONFLICT)
			st = ST_OK;
	}
	if (st == ST_OK)
		st = note_once(t, l->link, false);
	if (st != ST_OK)
		return st == ST_CONFLICT ? ST_OK : st;
	return txn_returned(t, &s, true, text);
}

enum status
txn_words(struct txn *t, struct buf *text)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < t->word_count; i++) {
		const struct ingest *in = t->word_of[i];

		for (size_t k = 0; k < in->word_count && st == ST_OK; k++)
			st = one_word(t, in, &in->word[k], text);
	}
	return st;
}
