/* agent_read: what a screen asks of a handheld. */
#include <stdlib.h>
#include <string.h>

#include "agent/core/blobs.h"
#include "base/enc.h"
#include "entry/chain.h"

static enum status
view_why(struct agent *a, enum status st)
{
	if (st == ST_ABSENT)
		return agent_why(
		    a, st, "本机没有这条记录", "no such record on this device");
	if (st != ST_OK)
		return agent_why(a, st, "出错", status_text(st));
	return st;
}

enum status
agent_state(struct agent *a, const char *rec, struct buf *out)
{
	enum status st = agent_ready(a);

	return st == ST_OK ? view_why(a, view_state(a->view, rec, out)) : st;
}

enum status
agent_history(struct agent *a, const char *rec, struct buf *out)
{
	enum status st = agent_ready(a);

	return st == ST_OK ? view_why(a, view_history(a->view, rec, out)) : st;
}

enum status
agent_ended(struct agent *a, const char *rec, struct buf *out)
{
	struct view_now now;
	enum status st = agent_ready(a);

	if (st != ST_OK)
		return st;
	agent_now(a, &now);
	return view_why(a, view_ended(a->view, rec, &now, out));
}

enum status
agent_findings(struct agent *a, const char *rec, struct buf *out)
{
	struct view_now now;
	enum status st = agent_ready(a);

	if (st != ST_OK)
		return st;
	agent_now(a, &now);
	return view_why(a, view_findings(a->view, rec, &now, out));
}

enum status
agent_timers(struct agent *a, struct buf *out)
{
	struct view_now now;
	/* Timers go on behind a locked screen. */
	enum status st = agent_keys_ready(a);

	if (st != ST_OK)
		return st;
	agent_now(a, &now);
	return view_why(a, view_timers(a->view, &now, out));
}

enum status
agent_list(struct agent *a, const char *kind, size_t limit, struct buf *out)
{
	enum status st = agent_ready(a);

	return st == ST_OK ? view_why(a, view_list(a->view, kind, limit, out))
			   : st;
}

enum status
agent_export(struct agent *a, const char *rec, struct buf *out)
{
	enum status st = agent_ready(a);

	return st == ST_OK ? view_why(a, view_export(a->view, rec, out)) : st;
}

enum status
agent_imported(struct agent *a, struct bytes key, char rec[REC_LEN + 1])
{
	enum status st = agent_ready(a);

	return st == ST_OK ? view_imported(a->view, key, rec) : st;
}

enum status
agent_receipt(struct agent *a, struct buf *out)
{
	struct log_receipt r;
	struct log_head h;
	enum status st = agent_ready(a);

	if (st != ST_OK)
		return st;
	st = log_head(a->log, &h);
	if (st == ST_OK)
		st = log_receipt_last(a->log, h.chain, &r, out);
	if (st == ST_OK)
		st = agent_receipt_counts(a, r.bytes);
	if (st == ST_ABSENT)
		return agent_why(a, st, "还没有回执：请先同步",
		    "no receipt yet: sync first");
	return agent_log_why(a, st);
}

/* ---- status */

struct queue {
	uint64_t queued, oldest_wall;
	bool any;
};

static enum status
count_queue(struct agent *a, struct queue *q)
{
	struct log_head h;
	enum status st;

	memset(q, 0, sizeof(*q));
	for (uint32_t n = 1; (st = log_chain(a->log, n, &h)) == ST_OK; n++) {
		uint64_t from = agent_unsent_from(a, &h);

		if (from <= h.seq)
			q->queued += h.seq - from + 1;
	}
	return st == ST_ABSENT ? ST_OK : st;
}

/* The first entry without a receipt tells how old the queue is. */
static enum status
first_wall(void *arg, const struct log_entry *le)
{
	struct queue *q = arg;
	struct entry e;

	entry_init(&e);
	if (le->e.is == CHAINFILE_WHOLE || le->e.is == CHAINFILE_HEAD) {
		/* A malformed one may still say when it was written. */
		enum status st = entry_parse(&e, le->e.raw);

		if ((st == ST_OK || st == ST_INVALID) && e.wall > 0 &&
		    (!q->any || e.wall < q->oldest_wall)) {
			q->any = true;
			q->oldest_wall = e.wall;
		}
	}
	entry_free(&e);
	return ST_OK;
}

static enum status
age_queue(struct agent *a, struct queue *q)
{
	struct log_head h;
	enum status st;

	for (uint32_t n = 1; (st = log_chain(a->log, n, &h)) == ST_OK; n++) {
		uint64_t from = agent_unsent_from(a, &h);

		if (from > h.seq)
			continue;
		st = log_each(a->log, n, from, from, first_wall, q);
		if (st != ST_OK)
			return st;
	}
	return st == ST_ABSENT ? ST_OK : st;
}

static void
put_receipt(struct agent *a, struct buf *out)
{
	struct log_receipt r;
	struct log_head h;
	struct buf b;

	buf_init(&b, LOG_RECEIPT_MAX);
	buf_str(out, ",\"receipt\":");
	if (log_head(a->log, &h) == ST_OK &&
	    log_receipt_last(a->log, h.chain, &r, &b) == ST_OK)
		buf_printf(out, "{\"place\":%llu,\"seq\":%llu,\"size\":%llu}",
		    (unsigned long long)r.place, (unsigned long long)r.seq,
		    (unsigned long long)r.size);
	else
		buf_str(out, "null");
	buf_free(&b);
}

static const char *const ack_words[] = { "taken", "gap", "held", "refused",
	"quota", "later", "closed" };

const char *
agent_standing_word(const struct agent *a)
{
	return a->standing < sizeof(ack_words) / sizeof(ack_words[0])
		   ? ack_words[a->standing]
		   : "?";
}

static void
put_unlocked(struct agent *a, const struct queue *q, struct buf *out)
{
	struct view_counts c = { 0 };
	uint64_t now = port_wall_ms(a->port), bad = 0, open = 0;
	struct view_now judged;
	char due[32];

	agent_now(a, &judged);
	if (view_counts(a->view, &judged, &c) != ST_OK ||
	    agent_alarms_open(a, &open, &bad) != ST_OK)
		bad = open = a->alarms;
	buf_printf(out, ",\"centre\":\"%s\",\"lost\":%llu",
	    agent_standing_word(a),
	    (unsigned long long)a->found.lost + a->found.holes);
	if (a->has_clock)
		buf_printf(out, ",\"clock_offset_ms\":%lld",
		    (long long)a->clock_offset_ms);
	else
		buf_str(out, ",\"clock_offset_ms\":null");
	buf_printf(out, ",\"findings\":%llu,\"grave\":%llu",
	    (unsigned long long)c.findings, (unsigned long long)c.grave);
	buf_printf(out, ",\"kept\":%llu,\"kept_files\":%llu,\"officer\":",
	    (unsigned long long)a->kept, (unsigned long long)a->kept_files);
	json_put_str(out, agent_by(a));
	if (q->any)
		buf_printf(out, ",\"oldest_queued_ms\":%llu",
		    (unsigned long long)(now > q->oldest_wall
					     ? now - q->oldest_wall
					     : 0));
	else
		buf_str(out, ",\"oldest_queued_ms\":null");
	buf_str(out, ",\"proof\":");
	if (a->has_tip) {
		buf_printf(out, "{\"root\":");
		json_put_hex(out, bytes_of(a->tip.root, HASH_LEN));
		buf_printf(
		    out, ",\"size\":%llu}", (unsigned long long)a->tip.size);
	} else {
		buf_str(out, "null");
	}
	buf_printf(out, ",\"records\":%llu,\"seen_entries\":%llu,\"team\":",
	    (unsigned long long)c.records, (unsigned long long)c.entries);
	json_put_str(out, a->court.team);
	if (c.timers > 0 && c.due_ms >= 0) {
		at_format(due, (uint64_t)c.due_ms, a->offset_min);
		buf_printf(out,
		    ",\"timers\":{\"due\":\"%s\",\"left_ms\":%lld,"
		    "\"running\":%llu}",
		    due, (long long)c.left_ms, (unsigned long long)c.timers);
	} else {
		buf_str(out, ",\"timers\":{\"due\":null,\"left_ms\":null,"
			     "\"running\":0}");
	}
	buf_printf(out, ",\"alarms\":%llu,\"alarms_open\":%llu",
	    (unsigned long long)bad, (unsigned long long)open);
	blobs_status(a, out);
	agent_old_logs(a, out);
}

static void
put_disk(struct agent *a, struct buf *out)
{
	struct log_space s;

	if (log_space(a->log, &s) != ST_OK)
		return;
	buf_printf(out, ",\"disk\":{\"file\":%llu,\"free\":",
	    (unsigned long long)s.file_bytes);
	if (s.free_bytes == UINT64_MAX)
		buf_str(out, "null");
	else
		buf_printf(out, "%llu", (unsigned long long)s.free_bytes);
	buf_printf(out, ",\"low\":%s,\"reserve_spent\":%s}",
	    s.low ? "true" : "false", s.reserve_spent ? "true" : "false");
}

enum status
agent_status(struct agent *a, struct buf *out)
{
	char dev[DEV_LEN + 1];
	struct log_head h;
	struct queue q;
	uint64_t entries = 0;
	enum status st;

	if (a->log == NULL) {
		buf_str(out, "{\"enrolled\":false}");
		return out->err;
	}
	for (uint32_t n = 1; log_chain(a->log, n, &h) == ST_OK; n++)
		entries += h.seq;
	st = count_queue(a, &q);
	if (st == ST_OK && a->view != NULL)
		st = age_queue(a, &q);
	if (st != ST_OK)
		return agent_log_why(a, st);
	chain_dev(dev, log_public_key(a->log));
	buf_printf(out,
	    "{\"dev\":\"%s\",\"enrolled\":%s,\"entries\":%llu,\"locked\":%s,"
	    "\"queued\":%llu",
	    dev, a->view == NULL || a->court.joined ? "true" : "false",
	    (unsigned long long)entries, a->view == NULL ? "true" : "false",
	    (unsigned long long)q.queued);
	put_receipt(a, out);
	put_disk(a, out);
	if (a->view != NULL)
		put_unlocked(a, &q, out);
	buf_u8(out, '}');
	return out->err;
}
