/*
 * agent_restore: the court's log ended, and a new one began on what was left
 * of it (docs/PROTOCOL.md, section 9).
 *
 * It is no alarm if, and only if, the root that we know says so.  What the old
 * log proved stays proved, and is kept; what it had acknowledged counts only
 * as far as the new one still holds it.  That we have to go over is seen from
 * what is on disk (a descriptor of one log, a checkpoint of another), so a
 * crash at any moment leaves either the one or the other.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/core/blobs.h"
#include "base/enc.h"
#include "tlog/proof.h"

enum { OLD_LOGS_MAX = 64 };

#define CONF_OLD_LOGS "old_logs" /* JSON objects, a line each */
#define CONF_BACK "back"         /* u64 for each own chain, from 1 */

bool
agent_tip_ended(const struct agent *a)
{
	return !a->has_tip && a->tip_note.len > 0;
}

enum status
agent_note_open(struct agent *a, struct bytes note, struct checkpoint *out)
{
	uint8_t log_key[PUBKEY_LEN];
	enum status st = checkpoint_open(out, note, &a->desc->log);

	if (st == ST_OK || st == ST_NOMEM)
		return st;
	memcpy(log_key, a->desc->log.public_key, PUBKEY_LEN);
	st = agent_descriptor_fetch(a);
	if (st == ST_NOMEM || st == ST_NET)
		return st;
	if (st != ST_OK ||
	    memcmp(log_key, a->desc->log.public_key, PUBKEY_LEN) == 0)
		return ST_DENIED;
	st = checkpoint_open(out, note, &a->desc->log);
	return st == ST_OK || st == ST_NOMEM ? st : ST_DENIED;
}

/* ---- what is sent again */

uint64_t
agent_unsent_from(const struct agent *a, const struct log_head *h)
{
	uint64_t back =
	    h->number < AGENT_CHAINS_MAX ? a->resend_from[h->number] : 0;

	return back != 0 && back < h->unsent_from ? back : h->unsent_from;
}

static enum status
back_save(struct agent *a)
{
	uint8_t bytes[AGENT_CHAINS_MAX * 8];
	bool any = false;

	for (size_t n = 0; n < AGENT_CHAINS_MAX; n++) {
		be64_put(bytes + 8 * n, a->resend_from[n]);
		any = any || a->resend_from[n] != 0;
	}
	a->has_back = any;
	return any ? log_conf_put(
			 a->log, CONF_BACK, bytes_of(bytes, sizeof(bytes)))
		   : log_conf_drop(a->log, CONF_BACK);
}

enum status
agent_back_load(struct agent *a)
{
	struct buf b;
	enum status st;

	buf_init(&b, AGENT_CHAINS_MAX * 8);
	st = log_conf_get(a->log, CONF_BACK, &b);
	if (st == ST_OK && b.len != AGENT_CHAINS_MAX * 8)
		st = ST_CORRUPT;
	for (size_t n = 0; st == ST_OK && n < AGENT_CHAINS_MAX; n++)
		a->resend_from[n] = be64_get(b.p + 8 * n);
	a->has_back = st == ST_OK;
	buf_free(&b);
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
agent_back_receipt(struct agent *a, const struct log_head *h, uint64_t seq)
{
	uint64_t *back;

	if (h->number >= AGENT_CHAINS_MAX)
		return ST_OK;
	back = &a->resend_from[h->number];
	if (*back == 0)
		return ST_OK;
	/* Receipts of the old log reach further than the new one does. */
	*back = seq + 1 < h->unsent_from ? seq + 1 : 0;
	return a->has_back ? back_save(a) : ST_OK;
}

enum status
agent_receipt_counts(struct agent *a, struct bytes file)
{
	struct checkpoint cp;
	struct note_key key;
	struct proof p;
	unsigned later = 0;
	enum status st = proof_parse(&p, file);

	if (st == ST_OK)
		st = agent_log_of_note(a, p.note, &key, &cp, &later);
	return st == ST_OK && later > 0 ? ST_ABSENT : st;
}

/* ---- going over */

struct going {
	struct agent *agent;
	uint64_t kept;
	unsigned log; /* number of the one that ended, from 1 */
	uint64_t floor[AGENT_CHAINS_MAX]; /* last seq that still counts */
	struct log_cursor cursor[CURSORS_MAX];
	size_t cursor_count;
};

/* The highest receipt that the leaves still bear out. */
static enum status
take_floor(void *arg, const struct log_receipt *r)
{
	struct going *g = arg;
	struct log_head h;

	for (uint32_t n = 1;
	     n < AGENT_CHAINS_MAX && log_chain(g->agent->log, n, &h) == ST_OK;
	     n++) {
		if (memcmp(h.chain, r->chain, CHAIN_LEN) == 0 &&
		    r->place < g->kept && r->seq > g->floor[n])
			g->floor[n] = r->seq;
	}
	return ST_OK;
}

/* The last place of a chain is sent in any case: its ack shows whether the
 * centre has what we think it has. */
static enum status
set_back(struct agent *a, struct going *g)
{
	struct log_head h;
	enum status st = log_receipt_each(a->log, take_floor, g);

	for (uint32_t n = 1; st == ST_OK && n < AGENT_CHAINS_MAX; n++) {
		st = log_chain(a->log, n, &h);
		if (st != ST_OK)
			break;
		if (h.seq > 0)
			a->resend_from[n] =
			    g->floor[n] < h.seq ? g->floor[n] + 1 : h.seq;
	}
	if (st == ST_OK || st == ST_ABSENT)
		st = back_save(a);
	return st;
}

static enum status
note_cursor(void *arg, const struct log_cursor *c)
{
	struct going *g = arg;

	if (c->place > g->kept && g->cursor_count < CURSORS_MAX)
		g->cursor[g->cursor_count++] = *c;
	return ST_OK;
}

static enum status
set_cursors(struct agent *a, struct going *g)
{
	enum status st = log_cursor_each(a->log, note_cursor, g);

	for (size_t i = 0; st == ST_OK && i < g->cursor_count; i++) {
		g->cursor[i].place = g->kept;
		g->cursor[i].sub = 0;
		st = log_cursor_put(a->log, &g->cursor[i]);
	}
	return st;
}

/* "<what>/<log>" as the name of a setting. */
static const char *
name_of(char out[32], const char *what, unsigned log)
{
	(void)snprintf(out, 32, "%s/%u", what, log);
	return out;
}

/* What the old log owed to the chain that was open. */
static enum status
keep_receipt(struct agent *a, unsigned log)
{
	struct log_receipt r;
	struct log_head h;
	char name[32];
	struct buf b;
	enum status st = log_head(a->log, &h);

	buf_init(&b, LOG_RECEIPT_MAX);
	if (st == ST_OK)
		st = log_receipt_last(a->log, h.chain, &r, &b);
	if (st == ST_OK)
		st = log_conf_put(
		    a->log, name_of(name, "old_receipt", log), r.bytes);
	buf_free(&b);
	return st == ST_ABSENT ? ST_OK : st;
}

static enum status
put_line(struct agent *a, struct going *g, struct buf *lines,
    const struct checkpoint *old, const struct checkpoint *now)
{
	enum status st = log_conf_get(a->log, CONF_OLD_LOGS, lines);

	g->log = 1;
	for (size_t i = 0; st == ST_OK && i < lines->len; i++)
		g->log += lines->p[i] == '\n';
	if (st != ST_OK && st != ST_ABSENT)
		return st;
	buf_printf(lines, "{\"kept\":%" PRIu64 ",\"origin\":", g->kept);
	json_put_str(lines, old->origin);
	buf_printf(lines, ",\"size\":%" PRIu64 ",\"then\":", old->size);
	json_put_str(lines, now->origin);
	buf_str(lines, "}\n");
	return lines->err;
}

/* Both notes, the last receipt, and a line that says what happened. */
static enum status
keep_old(struct agent *a, struct going *g, const struct checkpoint *old,
    const struct checkpoint *now, struct bytes note)
{
	char name[32];
	struct buf lines;
	enum status st;

	buf_init(&lines, LOG_CONF_MAX);
	st = put_line(a, g, &lines, old, now);
	if (st == ST_OK && g->log <= OLD_LOGS_MAX)
		st = log_conf_put(a->log, CONF_OLD_LOGS, buf_view(&lines));
	if (st == ST_OK)
		st = log_conf_put(a->log, name_of(name, "old_note", g->log),
		    buf_view(&a->tip_note));
	if (st == ST_OK)
		st = log_conf_put(
		    a->log, name_of(name, "then_note", g->log), note);
	if (st == ST_OK)
		st = keep_receipt(a, g->log);
	buf_free(&lines);
	return st;
}

enum status
agent_adopt(struct agent *a, const struct checkpoint *c, struct bytes note,
    uint64_t kept)
{
	static const struct going none;
	struct going g = none;
	struct checkpoint old;
	struct note_key key;
	struct buf returned, words;
	unsigned later = 0;
	enum status st =
	    agent_log_of_note(a, buf_view(&a->tip_note), &key, &old, &later);

	if (st == ST_ABSENT) /* a note that rotted: nothing to go by */
		return agent_tip_take(a, c, note);
	if (st != ST_OK)
		return st;
	g.agent = a;
	/* What is kept is told of the last log alone. */
	g.kept = later == 1 ? kept : 0;
	if (g.kept > c->size)
		g.kept = c->size;
	st = agent_returned_collect(a, g.kept, &returned, &words);
	if (st == ST_OK)
		st = log_batch_begin(a->log);
	if (st != ST_OK) {
		buf_wipe(&returned);
		buf_free(&words);
		return st;
	}
	st = keep_old(a, &g, &old, c, note);
	if (st == ST_OK)
		st = agent_returned_keep(a, &returned);
	if (st == ST_OK)
		st = agent_old_words_keep(a, &words);
	buf_wipe(&returned);
	buf_free(&words);
	if (st == ST_OK)
		st = agent_hand_in(a, g.kept);
	if (st == ST_OK)
		st = set_cursors(a, &g);
	if (st == ST_OK)
		st = set_back(a, &g);
	if (st == ST_OK)
		st = blobs_log_ended(a, g.kept);
	if (st == ST_OK)
		st = agent_kept_reset(a);
	if (st == ST_OK)
		st = log_conf_put(a->log, "checkpoint", note);
	if (st == ST_OK)
		st = log_batch_commit(a->log);
	if (st != ST_OK) {
		log_batch_rollback(a->log);
		memset(a->resend_from, 0, sizeof(a->resend_from));
		return st;
	}
	while (a->pending_count > 0)
		agent_pending_drop(a, &a->pending[0]);
	a->tip = *c;
	a->has_tip = true;
	buf_reset(&a->tip_note);
	buf_bytes(&a->tip_note, note);
	return a->tip_note.err;
}

/* ---- shown */

void
agent_old_logs(struct agent *a, struct buf *out)
{
	struct buf lines;

	buf_init(&lines, LOG_CONF_MAX);
	if (log_conf_get(a->log, CONF_OLD_LOGS, &lines) == ST_OK &&
	    lines.len > 0) {
		for (size_t i = 0; i + 1 < lines.len; i++)
			if (lines.p[i] == '\n')
				lines.p[i] = ',';
		buf_str(out, ",\"old_logs\":[");
		buf_add(out, lines.p, lines.len - 1);
		buf_u8(out, ']');
	}
	buf_free(&lines);
}

enum status
agent_receipt_old(struct agent *a, unsigned log, struct buf *out)
{
	char name[32];
	enum status st = agent_ready(a);

	if (st != ST_OK)
		return st;
	st = log_conf_get(a->log, name_of(name, "old_receipt", log), out);
	if (st == ST_ABSENT)
		return agent_why(a, st, "没有这份旧日志的回执",
		    "no receipt of such an ended log");
	return agent_log_why(a, st);
}

enum status
agent_descriptors(struct agent *a, struct buf *out)
{
	enum status st = agent_ready(a);

	if (st == ST_OK && a->desc_files.len == 0)
		st = ST_ABSENT;
	if (st != ST_OK)
		return st;
	buf_bytes(out, buf_view(&a->desc_files));
	return out->err;
}
