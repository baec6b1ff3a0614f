/* sim_check: the log as its bytes say it, and what each handheld holds of it.
 */
#include "sim/sim.h"

#include <stdlib.h>
#include <string.h>

#include "agent/core/agent_impl.h"
#include "entry/chain.h"
#include "support/expect.h"

/* ---- the log, read by ourselves */

int
sim_log_record(const struct sim *s, const char *rec)
{
	for (int i = 0; i < s->name_count; i++) {
		if (strcmp(s->name[i], rec) == 0)
			return i;
	}
	return -1;
}

static int
number_of(struct sim *s, struct bytes rec)
{
	char text[REC_LEN + 1];
	int n;

	if (rec.len != REC_LEN)
		return -1;
	memcpy(text, rec.p, REC_LEN);
	text[REC_LEN] = '\0';
	n = sim_log_record(s, text);
	if (n >= 0)
		return n;
	if (s->name_count == s->name_cap) {
		s->name_cap = s->name_cap == 0 ? 128 : s->name_cap * 2;
		s->name =
		    realloc(s->name, (size_t)s->name_cap * sizeof(*s->name));
		EXPECT(s->name != NULL);
	}
	memcpy(s->name[s->name_count], text, sizeof(text));
	return s->name_count++;
}

static void
read_place(struct sim *s, struct sim_place *p, const struct centre_entry *ce)
{
	struct entry e;

	p->rec = p->target = -1;
	if ((ce->flags & STORE_LOST) != 0)
		return;
	entry_init(&e);
	if (entry_parse(&e, ce->bytes) == ST_OK) {
		p->rec = number_of(s, e.rec);
		if ((ce->flags & STORE_SERVER) != 0 &&
		    bytes_eq_str(e.kind, "scope@1") && e.verb == DO_LINK &&
		    e.on_count == 2) {
			p->target = number_of(s, e.on[0]);
			p->in = bytes_eq_str(e.on[1], "in");
		}
	}
	entry_free(&e);
}

static void
add_place(struct sim *s, const struct centre_entry *ce)
{
	struct sim_place *p;
	uint8_t digest[HASH_LEN], leaf[HASH_LEN];

	if (s->log_count + 1 >= s->log_cap) {
		s->log_cap = s->log_cap == 0 ? 1024 : s->log_cap * 2;
		s->log = realloc(s->log, s->log_cap * sizeof(*s->log));
		s->root = realloc(s->root, s->log_cap * HASH_LEN);
		EXPECT(s->log != NULL && s->root != NULL);
	}
	p = &s->log[s->log_count];
	SIM_EXPECT(s, ce->place == s->log_count, "a place is missing");
	if ((ce->flags & STORE_LOST) != 0)
		memcpy(digest, ce->bytes.p, HASH_LEN);
	else
		entry_digest(digest, ce->bytes);
	chain_link(p->link, ce->prev, ce->seq, digest);
	SIM_EXPECT(s, memcmp(p->link, ce->link, HASH_LEN) == 0,
	    "place %zu does not hash to its link", s->log_count);
	memcpy(p->chain, ce->chain, CHAIN_LEN);
	p->flags = ce->flags;
	read_place(s, p, ce);
	merkle_leaf(leaf, bytes_of(p->link, HASH_LEN));
	frontier_add(&s->tree, leaf);
	s->log_count++;
	frontier_root(&s->tree, s->root[s->log_count]);
}

void
sim_check_log(struct sim *s)
{
	struct sim_centre *c = &s->centre;
	struct centre_scan *scan;
	struct centre_entry e;
	struct checkpoint cp;
	uint8_t root[HASH_LEN];
	enum status st;

	if (fault_disk_is_cut(c->node.disk))
		return;
	EXPECT_OK(centre_checkpoint(c->c, NULL, &cp));
	SIM_EXPECT(s, cp.size >= s->log_count,
	    "the log was %zu places long and now has %llu", s->log_count,
	    (unsigned long long)cp.size);
	if (s->log_count > 0) {
		EXPECT_OK(tlog_root(centre_tlog(c->c), s->log_count, root));
		SIM_EXPECT(s,
		    memcmp(root, s->root[s->log_count], HASH_LEN) == 0,
		    "the first %zu places are others now", s->log_count);
	}
	if (cp.size == s->log_count)
		return;
	EXPECT_OK(centre_scan_open(&scan, c->reader, s->log_count, cp.size));
	while ((st = centre_scan_next(scan, &e)) == ST_OK)
		add_place(s, &e);
	centre_scan_close(scan);
	if (st != ST_ABSENT && fault_disk_is_cut(c->node.disk))
		return;
	EXPECT_ST(st, ST_ABSENT);
	SIM_EXPECT(s,
	    s->log_count == cp.size &&
		memcmp(cp.root, s->root[cp.size], HASH_LEN) == 0,
	    "the signed root is not that of the entries");
}

static void
on_fault(void *arg, uint64_t place, const char *words)
{
	sim_fail(arg, __FILE__, __LINE__, "the store, place %lld: %s",
	    (long long)place, words);
}

void
sim_check_centre(struct sim *s)
{
	struct centre_checked n;

	EXPECT_OK(centre_check(s->centre.c, on_fault, s, &n));
	SIM_EXPECT(s, n.entries == s->log_count, "entries not looked at");
}

/* ---- a handheld, cheaply */

static enum status
take_link(void *arg, const struct log_entry *le)
{
	memcpy(arg, le->e.link, HASH_LEN);
	return ST_OK;
}

/* The newest receipt of a chain: its place holds our very entry. */
static void
check_receipt(struct sim_agent *a, const struct log_head *h)
{
	struct sim *s = a->node.sim;
	struct log_receipt r;
	uint8_t link[HASH_LEN] = { 0 };
	struct buf b;
	enum status st;

	buf_init(&b, LOG_RECEIPT_MAX);
	st = log_receipt_last(a->a->log, h->chain, &r, &b);
	if (st == ST_OK)
		st = agent_receipt_counts(a->a, r.bytes);
	buf_free(&b);
	if (st == ST_ABSENT)
		return; /* none, or of a log that ended */
	EXPECT_OK(st);
	EXPECT_OK(
	    log_each(a->a->log, h->number, r.seq, r.seq, take_link, link));
	SIM_EXPECT(s,
	    r.place < s->log_count &&
		memcmp(s->log[r.place].link, link, HASH_LEN) == 0,
	    "agent %u: a receipt for place %llu, where another entry stands",
	    a->number, (unsigned long long)r.place);
	s->n.receipts++;
}

void
sim_check_agent(struct sim_agent *a)
{
	struct sim *s = a->node.sim;
	const struct agent *g = a->a;
	struct log_head h;
	uint64_t bad = 0;

	sim_check_log(s);
	if (fault_disk_is_cut(a->node.disk) ||
	    fault_disk_is_cut(s->centre.node.disk))
		return;
	if (g->has_tip && sim_went_over(a)) {
		if (a->log_number != s->restores)
			a->tip_size = 0; /* of the log before */
		a->log_number = s->restores;
		SIM_EXPECT(s, g->tip.size >= a->tip_size,
		    "agent %u went back to a smaller checkpoint", a->number);
		SIM_EXPECT(s,
		    g->tip.size <= s->log_count &&
			memcmp(g->tip.root, s->root[g->tip.size], HASH_LEN) ==
			    0,
		    "agent %u holds a checkpoint of size %llu that is not the "
		    "log's",
		    a->number, (unsigned long long)g->tip.size);
		a->tip_size = g->tip.size;
	}
	for (uint32_t n = 1; (s->restores == 0 || sim_went_over(a)) &&
			     log_chain(g->log, n, &h) == ST_OK;
	     n++)
		check_receipt(a, &h);
	EXPECT_OK(log_bad_count(g->log, &bad));
	SIM_EXPECT(s, bad == 0 || a->forked || a->misled,
	    "agent %u raised an alarm, and nothing was wrong", a->number);
}
