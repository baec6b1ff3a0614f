/*
 * sim_restore: the centre is lost, and comes back from an older copy of its
 * disk (docs/PROTOCOL.md, section 9).
 */
#include "sim/sim.h"

#include <stdlib.h>
#include <string.h>

#include "agent/core/agent_impl.h"
#include "base/enc.h"
#include "server/core/ingest.h"
#include "server/core/restore.h"
#include "server/roster/unconfirmed.h"
#include "server/upkeep/holds.h"
#include "support/expect.h"

void
sim_back_up(struct sim *s)
{
	struct sim_centre *c = &s->centre;
	bool raised;
	enum status st;

	if (fault_disk_is_cut(c->node.disk))
		return;
	sim_check_log(s);
	if (fault_disk_is_cut(c->node.disk))
		return;
	fault_disk_free(s->backup);
	s->backup = fault_disk_after(c->node.disk, FAULT_KEEP, 0);
	s->backup_size = s->log_count;
	sim_say(s, "a backup of %zu places", s->backup_size);
	st = centre_keep(c->c, s->backup_size, "admin", &raised);
	SIM_EXPECT(s, st == ST_OK || fault_disk_is_cut(c->node.disk),
	    "kept: %s", status_text(st));
}

/* ---- what is lost, and who has it */

static struct sim_gone *
gone_new(struct sim *s)
{
	if (s->gone_count == s->gone_cap) {
		s->gone_cap = s->gone_cap == 0 ? 256 : 2 * s->gone_cap;
		s->gone = realloc(s->gone, s->gone_cap * sizeof(*s->gone));
		EXPECT(s->gone != NULL);
	}
	memset(&s->gone[s->gone_count], 0, sizeof(*s->gone));
	return &s->gone[s->gone_count++];
}

/* Handhelds that are on and stand in this log can be asked. */
static bool
can_tell(const struct sim_agent *a)
{
	return a->there && a->a != NULL && a->a->view != NULL && !a->forked &&
	       !a->misled && a->code[0] == '\0' &&
	       !fault_disk_is_cut(a->node.disk) && sim_went_over(a);
}

static void
note_gone(struct sim *s)
{
	for (size_t p = s->backup_size; p < s->log_count; p++) {
		struct sim_gone *g;

		if ((s->log[p].flags &
			(STORE_SERVER | STORE_LOST | STORE_MALFORMED)) != 0)
			continue;
		g = gone_new(s);
		memcpy(g->link, s->log[p].link, HASH_LEN);
		for (size_t i = 0; i < s->agent_count && !g->held; i++) {
			struct sim_agent *a = &s->agent[i];

			g->holder = a->number;
			g->held =
			    can_tell(a) && log_foreign_has(a->a->log, g->link);
		}
	}
}

/* Who had not joined yet has a code that the backup may not know. */
static void
forget_joining(struct sim *s)
{
	for (size_t i = 0; i < s->agent_count; i++) {
		struct sim_agent *a = &s->agent[i];

		if (!a->there || a->code[0] == '\0')
			continue;
		sim_agent_off(a);
		a->there = false;
	}
}

/* A handheld that was in the same fire. */
static void
lose_one(struct sim *s)
{
	struct sim_agent *a = &s->agent[sim_random(s, s->agent_count)];

	if (!a->there || a->busy || sim_chance(s, 40))
		return;
	sim_say(s, "agent %u is lost with it", a->number);
	sim_agent_off(a);
	a->there = false;
}

static void
set_back(struct sim *s)
{
	uint8_t leaf[HASH_LEN];

	s->log_count = s->backup_size;
	frontier_init(&s->tree);
	for (size_t p = 0; p < s->log_count; p++) {
		merkle_leaf(leaf, bytes_of(s->log[p].link, HASH_LEN));
		frontier_add(&s->tree, leaf);
	}
}

void
sim_restore(struct sim *s)
{
	struct sim_centre *c = &s->centre;
	struct restore_given g = { .dir = "/centre",
		.root_secret = s->root_secret,
		.even_living = true,
		.port = &c->node.port };
	struct restore_done done;
	char why[CENTRE_ERRMSG_LEN] = "";
	enum status st;

	if (s->backup == NULL || fault_disk_is_cut(c->node.disk))
		return;
	sim_check_log(s);
	sim_say(s, "the centre is lost: %zu places, of which %zu come back",
	    s->log_count, s->backup_size);
	lose_one(s);
	note_gone(s);
	forget_joining(s);
	s->restores++;
	s->n.restores++;
	sim_centre_close(s);
	fault_disk_free(c->node.disk);
	c->node.disk = fault_disk_after(s->backup, FAULT_KEEP, 0);
	g.vfs = fault_disk_name(c->node.disk);
	st = centre_restore(&done, &g, why);
	SIM_EXPECT(s, st == ST_OK, "restore: %s: %s", status_text(st), why);
	SIM_EXPECT(s, done.kept == s->backup_size, "another size was kept");
	/* A copy of what there is now: the next restore goes on from it. */
	set_back(s);
	sim_centre_open(s);
	fault_disk_free(s->backup);
	s->backup = NULL;
}

/* ---- what an administrator does afterwards */

/* One of a log that ended, which delivers and waits; NULL. */
struct sim_agent *
sim_one_that_waits(struct sim *s)
{
	uint64_t from = sim_random(s, s->agent_count);

	if (s->restores == 0)
		return NULL;
	for (size_t i = 0; i < s->agent_count; i++) {
		struct sim_agent *a = &s->agent[(from + i) % s->agent_count];
		struct roster_device d;

		if (a->dev[0] != '\0' && roster_device_by_dev(s->centre.roster,
					     a->dev, &d) == ST_ABSENT)
			return a;
	}
	return NULL;
}

void
sim_confirm(struct sim_agent *a)
{
	struct sim *s = a->node.sim;
	struct sim_centre *c = &s->centre;
	struct roster_enrol e = { .role = "officer",
		.from_ms = s->now_ms,
		.until_ms = s->now_ms + 1,
		.by = "admin" };
	struct roster_person p;
	enum status st;

	if (fault_disk_is_cut(c->node.disk) ||
	    roster_person(c->roster, a->person, &p) != ST_OK)
		return;
	e.person = p.id;
	e.name = p.name;
	e.team = p.team;
	st = unconfirmed_confirm(c->c, c->roster, a->dev, &e);
	sim_say(s, "agent %u is confirmed: %s", a->number, status_text(st));
	s->n.confirmed += st == ST_OK;
	/* Absent: it did not say its key yet. */
	SIM_EXPECT(s,
	    st == ST_OK || st == ST_ABSENT || fault_disk_is_cut(c->node.disk),
	    "confirm: %s", status_text(st));
}

enum { ADMIT_MAX = 16 };

struct admitted {
	struct holds_row row[ADMIT_MAX];
	size_t count;
};

static enum status
take_row(void *arg, const struct holds_row *row)
{
	struct admitted *x = arg;

	x->row[x->count++] = *row;
	return ST_OK;
}

void
sim_admit(struct sim *s)
{
	static struct admitted x;
	struct sim_centre *c = &s->centre;
	struct holds h = { .centre = c->c,
		.reader = c->reader,
		.feed = feed_inside(c->feed) };
	static const uint8_t none[ID_LEN];
	enum status st = ST_OK;

	sim_centre_follow(s);
	x.count = 0;
	if (!fault_disk_is_cut(c->node.disk))
		st = holds_each(
		    &h, 0, none, 1 + sim_random(s, ADMIT_MAX), take_row, &x);
	if (st == ST_OK && x.count > 0)
		st = holds_put(
		    &h, DO_ADMIT, x.row, x.count, "looked at", "admin");
	sim_say(s, "%zu held entries are admitted", x.count);
	s->n.admitted += st == ST_OK ? x.count : 0;
	SIM_EXPECT(s, st == ST_OK || fault_disk_is_cut(c->node.disk),
	    "admit: %s", status_text(st));
}

/* ---- what must be there */

bool
sim_went_over(const struct sim_agent *a)
{
	const struct sim *s = a->node.sim;

	return a->a->has_tip &&
	       strcmp(a->a->tip.origin, centre_log_key(s->centre.c)->name) == 0;
}

static enum status
found(void *arg, const struct store_doc *d)
{
	(void)arg;
	(void)d;
	return ST_OK;
}

/* Put down as evidence, where it could have no place. */
static bool
is_evidence(struct sim *s, const uint8_t link[HASH_LEN])
{
	char hex[2 * HASH_LEN + 1];

	hex_encode(hex, bytes_of(link, HASH_LEN));
	return store_doc(centre_reader_store(s->centre.reader), RETURNED_DOC,
		   bytes_str(hex), found, NULL) == ST_OK;
}

void
sim_check_gone(struct sim *s)
{
	for (size_t i = 0; i < s->gone_count; i++) {
		const struct sim_gone *g = &s->gone[i];
		const struct sim_agent *a = &s->agent[g->holder];

		if (!g->held || !a->there || a->barred || a->forked ||
		    a->misled)
			continue;
		s->n.returned++;
		SIM_EXPECT(s, sim_in_log(s, g->link) || is_evidence(s, g->link),
		    "agent %u held an entry of the log that ended, and it did "
		    "not come back",
		    a->number);
	}
}
