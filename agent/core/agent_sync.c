/* agent_sync: one exchange with the centre, and the check of all that is kept
 * of earlier ones. */
#include <stdlib.h>
#include <string.h>

#include "agent/core/blobs.h"
#include "base/enc.h"
#include "entry/chain.h"
#include "tlog/proof.h"

static enum status
exchange(struct agent *a, struct up *u, struct agent_sync_result *out)
{
	struct agent_reply r = { .retry_after_s = -1 };
	struct down_result down;
	struct buf body;
	uint64_t left = 0;
	bool handing = false;
	enum status st;

	buf_init(&body, FRAME_WIRE_BYTES_MAX);
	buf_init(&r.body, AGENT_REPLY_MAX);
	st = up_build(a, u, &body, &left);
	if (st == ST_OK)
		st = agent_exchange(a, SERVICE_SYNC, buf_view(&body), &r);
	if (st == ST_NET && r.tls_why != NULL && agent_renew_refused(a)) {
		buf_reset(&r.body);
		st = agent_exchange(a, SERVICE_SYNC, buf_view(&body), &r);
	}
	out->retry_after_s = r.retry_after_s;
	out->bytes_up = r.bytes_up;
	out->bytes_down = r.bytes_down;
	if (st == ST_OK)
		st = down_take(a, buf_view(&r.body), &down);
	if (st == ST_OK && up_returned(u))
		st = agent_returned_done(a);
	/* A log that ends now begins the way anew. */
	if (st == ST_OK && !down.adopted)
		st = agent_handing_done(a, up_handing(u), &handing);
	if (st == ST_OK)
		st = agent_old_words_drop(a);
	if (st == ST_OK) {
		out->sent = up_sent(u);
		out->received = down.received;
		out->place = down.place;
		out->alarmed = down.alarmed;
		/* Without progress another round would say the same again. */
		out->more =
		    (down.progressed && (down.more || left > 0)) || handing;
	}
	buf_wipe(&body);
	buf_wipe(&r.body);
	return st;
}

struct scopes {
	uint8_t (*id)[ID_LEN];
	size_t count, cap;
};

static enum status
take_scope(void *arg, const struct log_cursor *c)
{
	struct scopes *s = arg;

	if (s->count == s->cap) {
		size_t cap = s->cap == 0 ? 16 : s->cap * 2;
		uint8_t(*bigger)[ID_LEN] = realloc(s->id, cap * ID_LEN);

		if (bigger == NULL)
			return ST_NOMEM;
		s->id = bigger;
		s->cap = cap;
	}
	memcpy(s->id[s->count++], c->scope, ID_LEN);
	return ST_OK;
}

/*
 * Rows that did not open are asked for again, once for each number of them
 * that was found: the streams begin anew, and what is there already is passed
 * over.  What the centre never had is lost, and stays told.
 */
static enum status
fetch_lost(struct agent *a)
{
	struct scopes s = { .count = 0 };
	uint8_t now[16], zero[16] = { 0 };
	struct buf was;
	enum status st;

	be64_put(now, a->found.lost);
	be64_put(now + 8, a->found.foreign_lost);
	buf_init(&was, sizeof(now));
	st = log_conf_get(a->log, "lost", &was);
	if (st == ST_ABSENT) {
		buf_add(&was, zero, sizeof(zero));
		st = was.err;
	}
	if (st == ST_OK &&
	    (was.len != sizeof(now) || memcmp(was.p, now, sizeof(now)) != 0)) {
		if (a->found.lost + a->found.foreign_lost > 0)
			st = log_cursor_each(a->log, take_scope, &s);
		for (size_t i = 0; st == ST_OK && i < s.count; i++)
			st = log_cursor_drop(a->log, s.id[i]);
		if (st == ST_OK)
			st = log_conf_put(
			    a->log, "lost", bytes_of(now, sizeof(now)));
	}
	free(s.id);
	buf_free(&was);
	/* What is here can leave even where nothing can be written. */
	return st == ST_FULL ? ST_OK : st;
}

enum status
agent_sync(struct agent *a, struct agent_sync_result *out)
{
	struct log_head head;
	struct up *u = NULL;
	enum status st = agent_keys_ready(a);

	memset(out, 0, sizeof(*out));
	out->retry_after_s = -1;
	out->centre = "";
	if (st != ST_OK)
		return st;
	if (a->uplink == NULL)
		return agent_why(a, ST_NET, "没有网络", "no network");
	st = agent_renew_due(a);
	if (st != ST_OK)
		return st;
	st = fetch_lost(a);
	if (st != ST_OK)
		return agent_log_why(a, st);
	blobs_say_lost(a);
	st = up_new(&u);
	if (st != ST_OK)
		return agent_why(a, st, "内存不足", "out of memory");
	st = exchange(a, u, out);
	up_free(u);
	if (st == ST_OK && log_head(a->log, &head) == ST_OK)
		out->acked = agent_unsent_from(a, &head) - 1;
	out->centre = agent_standing_word(a);
	return st;
}

/* ---- verify */

struct check {
	struct agent *agent;
	uint64_t receipts, bad, old;
};

struct link_at {
	bool found;
	uint8_t link[HASH_LEN];
};

static enum status
take_link(void *arg, const struct log_entry *le)
{
	struct link_at *l = arg;

	l->found = le->e.has_link;
	memcpy(l->link, le->e.link, HASH_LEN);
	return ST_OK;
}

/* A stored receipt must still hold for the entry that stands here now. */
static enum status
check_receipt(void *arg, const struct log_receipt *r)
{
	struct check *c = arg;
	struct link_at l = { .found = false };
	struct log_head h;
	struct note_key key;
	struct checkpoint cp;
	struct proof p;
	unsigned later = 0;
	enum status st = ST_ABSENT;

	c->receipts++;
	for (uint32_t n = 1;
	     st == ST_ABSENT && log_chain(c->agent->log, n, &h) == ST_OK; n++) {
		if (memcmp(h.chain, r->chain, CHAIN_LEN) == 0)
			st = log_each(
			    c->agent->log, n, r->seq, r->seq, take_link, &l);
	}
	if (st == ST_NOMEM || st == ST_IO)
		return st;
	if (!l.found || proof_parse(&p, r->bytes) != ST_OK) {
		c->bad++;
		return ST_OK;
	}
	/* One of a log that ended proves what it always did. */
	st = agent_log_of_note(c->agent, p.note, &key, &cp, &later);
	if (st == ST_OK)
		st = proof_check(&p, l.link, &key, NULL);
	if (st == ST_NOMEM)
		return st;
	c->bad += st != ST_OK;
	c->old += st == ST_OK && later > 0;
	return ST_OK;
}

enum status
agent_verify(struct agent *a, struct buf *report)
{
	struct check c = { .agent = a };
	struct log_found found = { 0 };
	uint64_t kept = 0;
	enum status st = agent_keys_ready(a), whole;

	if (st != ST_OK)
		return st;
	whole = log_check(a->log, &found);
	if (whole != ST_OK && whole != ST_CORRUPT)
		return agent_log_why(a, whole);
	st = log_receipt_each(a->log, check_receipt, &c);
	if (st == ST_OK)
		st = log_bad_count(a->log, &kept);
	if (st != ST_OK)
		return agent_log_why(a, st);
	buf_printf(report,
	    "{\"alarms\":%llu,\"bad_receipts\":%llu,\"broken\":%s,"
	    "\"entries\":%llu,\"foreign\":%llu,\"foreign_lost\":%llu,"
	    "\"holes\":%llu,\"lost\":%llu,\"mended\":%llu,"
	    "\"old_receipts\":%llu,\"receipts\":%llu}",
	    (unsigned long long)kept, (unsigned long long)c.bad,
	    found.broken ? "true" : "false", (unsigned long long)found.own,
	    (unsigned long long)found.foreign,
	    (unsigned long long)found.foreign_lost,
	    (unsigned long long)found.holes, (unsigned long long)found.lost,
	    (unsigned long long)found.mended, (unsigned long long)c.old,
	    (unsigned long long)c.receipts);
	if (report->err != ST_OK)
		return report->err;
	if (whole != ST_OK || c.bad > 0 || found.broken || found.lost > 0 ||
	    found.holes > 0)
		return agent_why(a, ST_CORRUPT, "本机数据有损坏，详见报告",
		    "damage was found on this device; see the report");
	return ST_OK;
}
