/*
 * agent_alarms: what failed to prove, and what was found out about it.
 *
 * An alarm is never deleted.  It is answered, with a reason that stands beside
 * its evidence in the sealed log; while one is not, nothing is forgotten here
 * (agent_purge).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core/agent_impl.h"
#include "base/enc.h"

enum { REASON_MAX = 2000, ANSWER_MAX = 4096 };

void
agent_alarm(struct agent *a, const char *why, struct bytes evidence)
{
	enum status st = log_bad_put(a->log, why, evidence);

	/* The disk may be full: the alarm stands all the same. */
	if (st != ST_OK)
		st = log_bad_put(a->log, why, (struct bytes){ NULL, 0 });
	if (st != ST_OK) {
		(void)agent_log_why(a, st);
		a->alarms_lost++;
	}
	a->alarms++;
}

/* ---- answers: sealed, by the alarm's number */

static void
answer_name(uint64_t id, char out[40])
{
	(void)snprintf(out, 40, "alarm/%llu", (unsigned long long)id);
}

/* JSON {"at","by","reason"}; ST_ABSENT: not answered. */
static enum status
answer_of(struct agent *a, uint64_t id, struct buf *out)
{
	char name[40];

	answer_name(id, name);
	return log_conf_get(a->log, name, out);
}

/* Of those beyond what is kept, which share the number 0, so many have been
 * answered. */
static enum status
answered_more(struct agent *a, uint64_t *out)
{
	struct buf b;
	enum status st;

	*out = 0;
	buf_init(&b, 64);
	st = log_conf_get(a->log, "alarms/more", &b);
	if (st == ST_OK && b.len == 8)
		*out = be64_get(b.p);
	buf_free(&b);
	return st == ST_ABSENT ? ST_OK : st;
}

struct counting {
	struct agent *a;
	uint64_t open, kept;
};

static enum status
count_open(void *arg, const struct log_bad *bad)
{
	struct counting *c = arg;
	struct buf b;
	enum status st;

	c->kept++;
	buf_init(&b, ANSWER_MAX);
	st = answer_of(c->a, bad->id, &b);
	buf_wipe(&b);
	c->open += st == ST_ABSENT;
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
agent_alarms_open(struct agent *a, uint64_t *open, uint64_t *all)
{
	struct counting c = { .a = a };
	uint64_t count = 0, more = 0;
	enum status st = log_bad_count(a->log, &count);

	if (st == ST_OK)
		st = log_bad_each(a->log, count_open, &c);
	if (st == ST_OK)
		st = answered_more(a, &more);
	/* What was only counted, or cannot be read any more. */
	count = count > c.kept ? count - c.kept : 0;
	*all = c.kept + count;
	*open = c.open + (count > more ? count - more : 0) + a->alarms_lost;
	return st;
}

/* ---- the list */

static const struct {
	const char *en, *zh;
} words[] = {
	{ "entries that the checkpoint does not prove",
	    "中心送来的条目未能由检查点证实" },
	{ "a checkpoint that does not follow from the last one",
	    "检查点与上一个不相衔接：中心的日志可能被改过，或有两个版本" },
	{ "the checkpoint before it", "其前一个检查点（留作对照）" },
	{ "a receipt that does not hold for our entry", "回执与本机条目不符" },
	{ "the centre holds later entries of this chain: this device was "
	  "rolled back or copied",
	    "中心已有本机链上更晚的条目：本机可能被回退或复制" },
	{ "the centre refused our head signature", "中心拒绝了本机的签名" },
};

static enum status
put_alarm(void *arg, const struct log_bad *bad)
{
	struct counting *c = arg;
	struct buf *out = &c->a->alarm_text, answer;
	const char *zh = "";
	char at[32];
	enum status st;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (bytes_eq_str(bad->why, words[i].en))
			zh = words[i].zh;
	}
	buf_init(&answer, ANSWER_MAX);
	st = answer_of(c->a, bad->id, &answer);
	if (st == ST_ABSENT) {
		buf_str(&answer, "null");
		st = ST_OK;
	}
	at_format(at, bad->wall_ms, c->a->offset_min);
	if (out->len > 1)
		buf_u8(out, ',');
	buf_str(out, "{\"answer\":");
	buf_bytes(out, buf_view(&answer));
	buf_printf(
	    out, ",\"at\":\"%s\",\"bytes\":%zu,\"en\":", at, bad->bytes.len);
	json_put_string(out, bad->why);
	buf_printf(out, ",\"id\":%llu,\"zh\":", (unsigned long long)bad->id);
	json_put_str(out, zh);
	buf_u8(out, '}');
	buf_wipe(&answer);
	return st == ST_OK ? out->err : st;
}

enum status
agent_alarms(struct agent *a, struct buf *out)
{
	struct counting c = { .a = a };
	enum status st = agent_ready(a);

	if (st != ST_OK)
		return st;
	buf_init(&a->alarm_text, DOC_BYTES_MAX);
	buf_u8(&a->alarm_text, '[');
	st = log_bad_each(a->log, put_alarm, &c);
	buf_u8(&a->alarm_text, ']');
	if (st == ST_OK)
		buf_bytes(out, buf_view(&a->alarm_text));
	if (st == ST_OK)
		st = out->err;
	buf_wipe(&a->alarm_text);
	return agent_log_why(a, st);
}

/* ---- answering */

static enum status
is_there(void *arg, const struct log_bad *bad)
{
	struct counting *c = arg;

	c->open += bad->id == c->kept;
	return ST_OK;
}

/* All that were only counted: there is no more to tell of them. */
static enum status
answer_more(struct agent *a)
{
	struct counting c = { .a = a };
	uint8_t number[8];
	uint64_t count = 0;
	enum status st = log_bad_count(a->log, &count);

	if (st == ST_OK)
		st = log_bad_each(a->log, count_open, &c);
	if (st != ST_OK)
		return st;
	if (count <= c.kept && a->alarms_lost == 0)
		return ST_ABSENT;
	a->alarms_lost = 0;
	be64_put(number, count > c.kept ? count - c.kept : 0);
	return log_conf_put(
	    a->log, "alarms/more", bytes_of(number, sizeof(number)));
}

static enum status
find_alarm(struct agent *a, uint64_t id)
{
	/* `kept` is the number looked for. */
	struct counting c = { .a = a, .kept = id };
	enum status st = log_bad_each(a->log, is_there, &c);

	return st == ST_OK && c.open == 0 ? ST_ABSENT : st;
}

enum status
agent_alarm_answer(struct agent *a, uint64_t id, struct bytes reason)
{
	char name[40], at[32];
	struct buf b;
	enum status st = agent_ready(a);

	if (st != ST_OK)
		return st;
	if (reason.len == 0 || reason.len > REASON_MAX || !json_text_ok(reason))
		return agent_why(a, ST_INVALID,
		    "须写明查清的结果（至多 2,000 字节）",
		    "say what was found out (at most 2,000 bytes)");
	buf_init(&b, ANSWER_MAX);
	st = id == 0 ? answer_more(a) : find_alarm(a, id);
	if (st == ST_OK && id != 0) {
		st = answer_of(a, id, &b);
		if (st == ST_OK)
			st = ST_CONFLICT;
		else if (st == ST_ABSENT)
			st = ST_OK;
	}
	answer_name(id, name);
	at_format(at, port_wall_ms(a->port), a->offset_min);
	buf_reset(&b);
	buf_printf(&b, "{\"at\":\"%s\",\"by\":", at);
	json_put_str(&b, agent_by(a));
	buf_str(&b, ",\"reason\":");
	json_put_string(&b, reason);
	buf_u8(&b, '}');
	if (st == ST_OK)
		st = b.err;
	if (st == ST_OK)
		st = log_conf_put(a->log, name, buf_view(&b));
	buf_wipe(&b);
	if (st == ST_ABSENT)
		return agent_why(a, st, "没有此警报", "no such alarm");
	if (st == ST_CONFLICT)
		return agent_why(a, st, "此警报已有结论，不可改写",
		    "it is answered already, and an answer is not rewritten");
	return agent_log_why(a, st);
}
