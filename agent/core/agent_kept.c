/*
 * agent_kept: what the centre keeps safe, and what a handheld may forget for
 * it (docs/PROTOCOL.md, section 8, `kept@1`).
 *
 * The kept size comes like everything else, as an entry that the checkpoint
 * proves.  Below it, and only where a receipt of ours was proved, the bodies of
 * old entries of our own may go.  Heads, digests, links, signatures and
 * receipts stay: the chain can be followed and the record folded as before.
 */
#include <string.h>

#include "agent/core/agent_impl.h"
#include "entry/chain.h"
#include "tlog/proof.h"

/* What a proved kept@1 at `place` says, of the log or (*files) of files; 0 if
 * it says nothing. */
static enum status
read_kept(struct bytes raw, uint64_t place, bool *files, uint64_t *size)
{
	struct entry e;
	enum status st;

	entry_init(&e);
	st = entry_parse(&e, raw);
	if (st == ST_OK && bytes_eq_str(e.kind, "kept@1") &&
	    e.verb == DO_OPEN && e.body_is == ENTRY_BODY_WHOLE &&
	    e.on_count == 1) {
		const struct json_node *n = &e.body.node[entry_value(&e, 0)];

		*files = bytes_eq_str(e.on[0], "files");
		/* It was made of a log that did not hold itself yet. */
		if ((*files || bytes_eq_str(e.on[0], "size")) &&
		    n->type == JSON_INT && n->num > 0 &&
		    (uint64_t)n->num <= place)
			*size = (uint64_t)n->num;
	}
	entry_free(&e);
	return st == ST_NOMEM ? st : ST_OK;
}

enum status
agent_kept_take(struct agent *a, struct bytes raw, uint64_t place)
{
	uint64_t size = 0, *mine;
	uint8_t bytes[8];
	bool files = false;
	enum status st = read_kept(raw, place, &files, &size);

	mine = files ? &a->kept_files : &a->kept;
	if (st != ST_OK || size <= *mine)
		return st;
	be64_put(bytes, size);
	st = log_conf_put(a->log, files ? "kept_files" : "kept",
	    bytes_of(bytes, sizeof(bytes)));
	if (st != ST_OK)
		return st;
	*mine = size;
	return files ? ST_OK : agent_proof_tidy(a);
}

static enum status
load(struct agent *a, const char *name, uint64_t *out)
{
	struct buf b;
	enum status st;

	*out = 0;
	buf_init(&b, 64);
	st = log_conf_get(a->log, name, &b);
	if (st == ST_OK && b.len == 8)
		*out = be64_get(b.p);
	buf_wipe(&b);
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
agent_kept_load(struct agent *a)
{
	enum status st = load(a, "kept", &a->kept);

	return st == ST_OK ? load(a, "kept_files", &a->kept_files) : st;
}

enum status
agent_kept_reset(struct agent *a)
{
	enum status st;

	a->kept = a->kept_files = 0;
	st = log_conf_drop(a->log, "kept");
	return st == ST_OK ? log_conf_drop(a->log, "kept_files") : st;
}

/* ---- forgetting */

struct purging {
	struct agent *agent;
	struct log_head head; /* of the chain at hand */
	uint64_t safe;        /* its last place that may go */
	uint64_t before_ms, last, whole;
	struct entry e;
};

/* Is it of the log that there is now?  Places of one before a restore say
 * nothing of this one's. */
static enum status
is_of_this_log(const struct agent *a, struct bytes receipt)
{
	struct checkpoint cp;
	struct proof proof;
	enum status st = proof_parse(&proof, receipt);

	if (st == ST_OK)
		st = checkpoint_open(&cp, proof.note, &a->desc->log);
	return st;
}

/* Receipts of this chain whose place lies below the kept size. */
static enum status
take_receipt(void *arg, const struct log_receipt *r)
{
	struct purging *p = arg;
	enum status st;

	if (memcmp(r->chain, p->head.chain, CHAIN_LEN) != 0 ||
	    r->place >= p->agent->kept || r->seq <= p->safe)
		return ST_OK;
	st = is_of_this_log(p->agent, r->bytes);
	if (st == ST_OK)
		p->safe = r->seq;
	return st == ST_NOMEM ? st : ST_OK;
}

/* Old ones from the beginning on; the first that is not ends it. */
static enum status
take_old(void *arg, const struct log_entry *le)
{
	struct purging *p = arg;
	enum status st;

	if (le->e.is == CHAINFILE_WHOLE) {
		st = entry_parse(&p->e, le->e.raw);
		if (st == ST_NOMEM)
			return st;
		if (p->e.wall >= p->before_ms)
			return ST_LIMIT;
		p->whole++;
	}
	p->last = le->e.seq;
	return ST_OK;
}

static enum status
purge_chain(struct purging *p, uint64_t *purged)
{
	struct log *l = p->agent->log;
	enum status st;

	p->safe = p->last = p->whole = 0;
	st = log_receipt_each(l, take_receipt, p);
	if (st != ST_OK || p->safe == 0)
		return st;
	st = log_each(l, p->head.number, 1, p->safe, take_old, p);
	if (st == ST_LIMIT)
		st = ST_OK;
	if (st != ST_OK || p->whole == 0)
		return st;
	st = log_purge(l, p->head.number, 1, p->last, true);
	if (st == ST_OK)
		*purged += p->whole;
	return st;
}

enum status
agent_purge(struct agent *a, uint64_t before_ms, uint64_t *purged)
{
	struct purging p = { .agent = a, .before_ms = before_ms };
	uint64_t open = 0, all = 0;
	enum status st = agent_ready(a);

	*purged = 0;
	if (st != ST_OK)
		return st;
	st = agent_alarms_open(a, &open, &all);
	if (st != ST_OK)
		return agent_log_why(a, st);
	/* What did not prove once may be a centre that keeps nothing. */
	if (open > 0)
		return agent_why(a, ST_DENIED,
		    "有内容未能核实：在查清之前不得清除本机数据（查清后逐项写"
		    "明：alarm answer）",
		    "something did not prove: nothing may be forgotten here "
		    "until that is cleared up (then: alarm answer)");
	entry_init(&p.e);
	for (uint32_t n = 1; (st = log_chain(a->log, n, &p.head)) == ST_OK;
	     n++) {
		st = purge_chain(&p, purged);
		if (st != ST_OK)
			break;
	}
	entry_free(&p.e);
	return st == ST_ABSENT ? ST_OK : agent_log_why(a, st);
}
