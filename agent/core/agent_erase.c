/*
 * agent_erase: bodies that the court's log orders to be erased go here too
 * (docs/ERASING.md).
 *
 * The order comes with the device's own feed, proved.  Which entries it is
 * about stands in heads, so a handheld obeys it whatever else it holds.  It is
 * looked at again at each unlock: a power cut between the order and the
 * erasing, or a body that comes back later, changes nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/core/agent_impl.h"
#include "entry/chain.h"
#include "entry/entry.h"

struct reading {
	struct erasures *orders;
	struct entry e;
};

static enum status
take(void *arg, const struct view_entry *v)
{
	struct reading *r = arg;
	enum status st = entry_parse(&r->e, v->raw);

	if (st == ST_OK)
		st = erasures_take(r->orders, &r->e, v->id, v->place, NULL);
	return st == ST_INVALID ? ST_OK : st;
}

static enum status
read_orders(struct agent *a, struct erasures **out)
{
	struct reading r = { .orders = NULL };
	enum status st = erasures_new(&r.orders);

	entry_init(&r.e);
	if (st == ST_OK)
		st = view_server_entries(a->view, ERASE_KIND, take, &r);
	entry_free(&r.e);
	if (st != ST_OK) {
		erasures_free(r.orders);
		return st;
	}
	*out = r.orders;
	return ST_OK;
}

/* An own entry: its place in its chain is told by its head. */
static enum status
erase_own(struct agent *a, const struct entry *e)
{
	uint32_t n = parts_own_chain(a, e->chain);

	return n == 0 ? ST_ABSENT : log_purge(a->log, n, e->seq, e->seq, true);
}

/* One entry whose body stands here. */
static enum status
erase_one(struct agent *a, const uint8_t id[ID_LEN], struct entry *e,
    uint64_t *erased)
{
	struct buf raw;
	unsigned flags = 0;
	enum status st;

	buf_init(&raw, ENTRY_BYTES_MAX);
	st = view_whole(a->view, id, &flags, &raw);
	if (st == ST_OK)
		st = entry_parse(e, buf_view(&raw));
	if (st == ST_OK || st == ST_INVALID) {
		st = (flags & VIEW_OWN) != 0 ? erase_own(a, e) : ST_ABSENT;
		/* Own entries that this file lost are kept like others'. */
		if (st == ST_OK || st == ST_ABSENT)
			st = log_foreign_blind(a->log, id);
		if (st == ST_OK || st == ST_ABSENT)
			st = view_blind(a->view, id);
		*erased += st == ST_OK;
	}
	buf_wipe(&raw);
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
agent_erase_run(struct agent *a)
{
	struct erasures *orders = NULL;
	uint64_t erased = 0;
	struct entry e;
	enum status st = read_orders(a, &orders);

	a->erase_news = false;
	entry_init(&e);
	for (size_t i = 0; st == ST_OK && i < erasures_count(orders); i++) {
		const struct erase_order *o = erasures_at(orders, i);

		for (size_t k = 0;
		     o->state == ERASE_ORDERED && k < o->count && st == ST_OK;
		     k++)
			st = erase_one(a, o->entry[k].id, &e, &erased);
	}
	entry_free(&e);
	if (st == ST_OK && erased > 0)
		st = log_tidy(a->log);
	if (st == ST_OK) {
		erasures_free(a->erasures);
		a->erasures = orders;
		orders = NULL;
	}
	erasures_free(orders);
	return st;
}

void
agent_erase_note(
    struct agent *a, const struct entry *e, const uint8_t id[ID_LEN])
{
	if (bytes_eq_str(e->kind, ERASE_KIND) ||
	    (a->erasures != NULL && e->body_line.len > 0 &&
		erasures_has(a->erasures, id, NULL)))
		a->erase_news = true;
}
