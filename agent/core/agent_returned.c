/*
 * agent_returned: what we hold of the log that ended and the new one must not
 * forget: revocations (docs/PROTOCOL.md, section 9).
 *
 * They are collected once, when we go over to the new log, kept until they
 * were handed in, and sent as they are.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/core/agent_impl.h"

enum {
	VERSION = 1,
	REVOKED_MAX = 256, /* of one court between two backups: ample */
	REVOKED_BYTES_MAX = 4 << 20
};

#define CONF_RETURNED "returned"
#define CONF_OLD_WORDS "old_words"

struct collecting {
	uint64_t kept;
	struct entry parse;
	struct buf *out;
	struct buf *words; /* ids of all that the centre wrote there */
	size_t count;
};

/* A revocation of the centre's, at a place that the new log does not have. */
static enum status
collect(void *arg, const struct log_entry *le)
{
	struct collecting *c = arg;
	enum status st;

	if (le->own || (le->flags & STREAM_SERVER) == 0 || le->place < c->kept)
		return ST_OK;
	buf_add(c->words, le->e.link, ID_LEN);
	if (c->words->err != ST_OK)
		return c->words->err;
	if (le->e.is != CHAINFILE_WHOLE || !le->e.has_prev ||
	    c->count == REVOKED_MAX)
		return ST_OK;
	st = entry_parse(&c->parse, le->e.raw);
	if (st == ST_NOMEM)
		return st;
	if (st != ST_OK || c->parse.verb != DO_ADVANCE ||
	    !bytes_eq_str(c->parse.kind, "device@1"))
		return ST_OK;
	if (c->count++ == 0)
		buf_u8(c->out, VERSION);
	buf_u64(c->out, le->place);
	buf_add(c->out, le->e.chain, CHAIN_LEN);
	buf_u64(c->out, le->e.seq);
	buf_add(c->out, le->e.prev, HASH_LEN);
	buf_sized(c->out, le->e.raw);
	return c->out->err;
}

enum status
agent_returned_collect(
    struct agent *a, uint64_t kept, struct buf *out, struct buf *words)
{
	struct collecting c = { .kept = kept, .out = out, .words = words };
	struct log_found found;
	enum status st;

	entry_init(&c.parse);
	buf_init(out, REVOKED_BYTES_MAX);
	buf_init(words, LOG_CONF_MAX);
	st = log_replay(a->log, collect, &c, &found);
	entry_free(&c.parse);
	return st;
}

enum status
agent_returned_keep(struct agent *a, const struct buf *collected)
{
	return collected->len == 0
		   ? ST_OK
		   : log_conf_put(a->log, CONF_RETURNED, buf_view(collected));
}

static void
read_one(struct reader *r, struct wire_returned *w)
{
	memset(w, 0, sizeof(*w));
	w->place = reader_u64(r);
	reader_copy(r, w->chain, CHAIN_LEN);
	w->seq = reader_u64(r);
	reader_copy(r, w->prev, HASH_LEN);
	w->entry.form = WIRE_WHOLE;
	w->entry.raw = reader_sized(r, ENTRY_BYTES_MAX);
}

enum status
agent_returned_load(struct agent *a, struct buf *bytes,
    struct wire_returned **out, size_t *count)
{
	struct wire_returned *list;
	struct reader r;
	enum status st;

	*out = NULL;
	*count = 0;
	st = log_conf_get(a->log, CONF_RETURNED, bytes);
	if (st != ST_OK)
		return st == ST_ABSENT ? ST_OK : st;
	list = calloc(REVOKED_MAX, sizeof(*list));
	if (list == NULL)
		return ST_NOMEM;
	reader_init(&r, buf_view(bytes));
	if (reader_u8(&r) != VERSION)
		r.bad = true;
	while (!r.bad && r.left > 0 && *count < REVOKED_MAX) {
		read_one(&r, &list[*count]);
		*count += !r.bad;
	}
	*out = list;
	return ST_OK;
}

enum status
agent_returned_done(struct agent *a)
{
	return log_conf_drop(a->log, CONF_RETURNED);
}

/* ---- the words themselves */

enum status
agent_old_words_keep(struct agent *a, const struct buf *ids)
{
	struct buf all;
	enum status st;

	if (ids->len == 0)
		return ST_OK;
	/* Those of a log before that are not gone yet stay named. */
	buf_init(&all, LOG_CONF_MAX);
	st = log_conf_get(a->log, CONF_OLD_WORDS, &all);
	if (st == ST_ABSENT || st == ST_CORRUPT)
		st = ST_OK;
	buf_add(&all, ids->p, ids->len);
	if (st == ST_OK)
		st = all.err;
	if (st == ST_OK)
		st = log_conf_put(a->log, CONF_OLD_WORDS, buf_view(&all));
	buf_free(&all);
	return st;
}

static bool
is_among(const uint8_t *id, struct bytes ids)
{
	for (size_t i = 0; i + ID_LEN <= ids.len; i += ID_LEN) {
		if (memcmp(ids.p + i, id, ID_LEN) == 0)
			return true;
	}
	return false;
}

enum status
agent_old_words_spare(struct agent *a, struct bytes ids)
{
	struct buf all;
	size_t left = 0;
	enum status st;

	if (ids.len == 0)
		return ST_OK;
	buf_init(&all, LOG_CONF_MAX);
	st = log_conf_get(a->log, CONF_OLD_WORDS, &all);
	for (size_t i = 0; st == ST_OK && i + ID_LEN <= all.len; i += ID_LEN) {
		if (is_among(all.p + i, ids))
			continue;
		memmove(all.p + left, all.p + i, ID_LEN);
		left += ID_LEN;
	}
	if (st == ST_OK && left < all.len)
		st =
		    log_conf_put(a->log, CONF_OLD_WORDS, bytes_of(all.p, left));
	buf_free(&all);
	return st == ST_ABSENT || st == ST_CORRUPT ? ST_OK : st;
}

enum status
agent_old_words_drop(struct agent *a)
{
	struct buf ids;
	enum status st;

	buf_init(&ids, LOG_CONF_MAX);
	st = log_conf_get(a->log, CONF_OLD_WORDS, &ids);
	if (st != ST_OK || agent_handing_in(a)) {
		buf_free(&ids);
		return st == ST_ABSENT ? ST_OK : st;
	}
	st = log_batch_begin(a->log);
	for (size_t i = 0; st == ST_OK && i + ID_LEN <= ids.len; i += ID_LEN)
		st = log_foreign_drop(a->log, ids.p + i);
	if (st == ST_OK)
		st = log_conf_drop(a->log, CONF_OLD_WORDS);
	if (st == ST_OK)
		st = log_batch_commit(a->log);
	if (st != ST_OK)
		log_batch_rollback(a->log);
	buf_free(&ids);
	return st == ST_OK ? agent_view_again(a) : st;
}
