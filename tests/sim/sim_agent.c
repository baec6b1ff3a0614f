/* sim_agent: a handheld, its officer, and what may befall them. */
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core/agent_impl.h"
#include "base/enc.h"
#include "entry/chain.h"
#include "support/expect.h"

static const char passphrase[] = "correct horse battery";

struct sim_agent *
sim_agent_add(struct sim *s, uint64_t seed)
{
	struct sim_agent *a = &s->agent[s->agent_count];

	EXPECT(s->agent_count < SIM_AGENTS_MAX);
	memset(a, 0, sizeof(*a));
	a->number = (unsigned)s->agent_count++;
	a->replaces = a->number;
	a->there = true;
	sim_node_init(&a->node, s, seed);
	(void)snprintf(a->home, sizeof(a->home), "/agent");
	buf_init(&a->old_answer, 16 << 20);
	buf_init(&a->last_cert, 8192);
	sim_uplink(a);
	return a;
}

void
sim_agent_free(struct sim_agent *a)
{
	sim_agent_off(a);
	fault_disk_free(a->node.disk);
	fault_disk_free(a->snap);
	free(a->saved);
	buf_free(&a->old_answer);
	buf_free(&a->last_cert);
}

/* ---- on and off */

/* ST_OK, or the power went meanwhile. */
static enum status
try_on(struct sim_agent *a)
{
	struct agent_config c = { .home = a->home,
		.vfs = fault_disk_name(a->node.disk),
		.port = &a->node.port,
		.uplink = &a->uplink,
		.utc_offset_min = 480,
		.weak_kdf_for_tests = true };
	enum status st;

	sim_kinds(&c.kinds, &c.rules);
	st = agent_open(&a->a, &c);
	if (st == ST_OK && a->a->log != NULL)
		st = agent_unlock(a->a, NULL, bytes_str(passphrase));
	if (st != ST_OK && !fault_disk_is_cut(a->node.disk))
		sim_fail(a->node.sim, __FILE__, __LINE__,
		    "agent %u cannot be opened: %s: %s", a->number,
		    status_text(st), a->a == NULL ? "" : agent_error_en(a->a));
	return st;
}

void
sim_agent_on(struct sim_agent *a)
{
	struct sim *s = a->node.sim;

	while (a->a == NULL) {
		sim_node_boot(&a->node);
		if (try_on(a) == ST_OK)
			break;
		sim_agent_off(a);
		fault_disk_power(
		    a->node.disk, FAULT_RANDOM, sim_random(s, UINT64_MAX));
	}
}

void
sim_agent_off(struct sim_agent *a)
{
	agent_close(a->a);
	a->a = NULL;
}

void
sim_agent_crash(struct sim_agent *a, enum fault_after after)
{
	struct sim *s = a->node.sim;

	if (a->a == NULL)
		return;
	s->n.crashes++;
	sim_say(s, "agent %u crashes%s", a->number,
	    after == FAULT_KEEP ? " (killed)" : "");
	/* Closing would checkpoint: the power goes first. */
	fault_disk_cut(a->node.disk, 1);
	sim_agent_off(a);
	fault_disk_power(a->node.disk, after, sim_random(s, UINT64_MAX));
	sim_agent_on(a);
	sim_check_agent_whole(a);
}

void
sim_agent_mend(struct sim_agent *a)
{
	static const enum fault_after how[] = { FAULT_DROP, FAULT_KEEP,
		FAULT_RANDOM, FAULT_RANDOM };

	if (fault_disk_is_cut(a->node.disk))
		sim_agent_crash(a, how[sim_random(a->node.sim, 4)]);
}

/* ---- writing */

static struct sim_record *
record_new(struct sim *s, const char *rec)
{
	if (s->record_count == s->record_cap) {
		s->record_cap = s->record_cap == 0 ? 64 : s->record_cap * 2;
		s->record =
		    realloc(s->record, s->record_cap * sizeof(*s->record));
		EXPECT(s->record != NULL);
	}
	memset(&s->record[s->record_count], 0, sizeof(*s->record));
	memcpy(s->record[s->record_count].rec, rec, REC_LEN + 1);
	return &s->record[s->record_count++];
}

/* A record that this handheld shows, or NULL. */
static struct sim_record *
some_record(struct sim_agent *a, struct agent_edit *edit)
{
	struct sim *s = a->node.sim;

	for (int tries = 0; s->record_count > 0 && tries < 6; tries++) {
		struct sim_record *r =
		    &s->record[sim_random(s, s->record_count)];

		if (agent_edit_begin(a->a, r->rec, edit) == ST_OK &&
		    edit->kind[0] != '\0')
			return r;
	}
	return NULL;
}

/* One act, with the texts it points at. */
struct doing {
	struct agent_act act;
	struct bytes on[2];
	char path[96], data[160];
};

static void
choose_act(struct sim *s, const struct sim_record *r, struct doing *d)
{
	static const char *const field[] = { "cause", "target", "debtor/name",
		"narrative" };
	static const char *const status[] = { "draft", "done", "signed" };
	char hex[2 * ID_LEN + 1];
	unsigned value = (unsigned)sim_random(s, 1000);
	unsigned sort = (unsigned)sim_random(s, 10);

	d->act.on = d->on;
	d->act.on_count = 1;
	d->on[0] = bytes_str(field[value % 4]);
	(void)snprintf(d->data, sizeof(d->data), "[\"value %u\"]", value);
	d->act.verb = DO_SET;
	if (sort >= 8) {
		d->act.verb = DO_AMEND;
		d->act.reason = bytes_str("seen again");
	} else if (sort >= 6) {
		d->act.verb = DO_ADD;
		d->on[0] = bytes_str("found");
		d->on[1] = bytes_str("name");
		d->act.on_count = 2;
		(void)snprintf(
		    d->data, sizeof(d->data), "[null,\"thing %u\"]", value);
	} else if (sort >= 4 && r->items > 0) {
		hex_encode(hex, bytes_of(r->item[value % r->items], ID_LEN));
		(void)snprintf(d->path, sizeof(d->path), "found/@%s", hex);
		d->on[0] = bytes_str(d->path);
		d->act.verb = sort == 4 ? DO_DROP : DO_NOTE;
		if (sort == 4)
			(void)snprintf(d->data, sizeof(d->data), "[null]");
		d->act.reason =
		    sort == 4 ? bytes_str("not here") : bytes_of(NULL, 0);
	} else if (sort == 3) {
		d->act.verb = DO_ADVANCE;
		d->on[0] = bytes_str(status[value % 3]);
		(void)snprintf(d->data, sizeof(d->data), "[null]");
	} else if (sort == 2) {
		d->act.verb = DO_SIGN;
		d->on[0] = bytes_str("found");
		(void)snprintf(d->data, sizeof(d->data), "[null]");
		d->act.more = bytes_str("{\"how\":\"signed\"}");
	} else if (sort == 1 && value < 100) {
		d->act.verb = DO_VOID;
		d->on[0] = bytes_str("");
		(void)snprintf(d->data, sizeof(d->data), "[null]");
		d->act.reason = bytes_str("entered twice");
	}
	d->act.data = bytes_str(d->data);
}

static void
choose_open(struct sim *s, struct doing *d)
{
	bool ping = sim_chance(s, 15);

	d->act.kind = ping ? "stage" : "search";
	d->act.verb = DO_OPEN;
	d->on[0] = bytes_str(ping ? "s" : "target");
	d->act.on = d->on;
	d->act.on_count = 1;
	(void)snprintf(d->data, sizeof(d->data), "%s",
	    ping ? "[\"arrive\"]" : "[\"a flat\"]");
	d->act.data = bytes_str(d->data);
}

static void
saved(struct sim_agent *a, const uint8_t id[ID_LEN], const char *rec)
{
	struct sim_saved *x;

	if (a->saved_count == a->saved_cap) {
		a->saved_cap = a->saved_cap == 0 ? 32 : a->saved_cap * 2;
		a->saved = realloc(a->saved, a->saved_cap * sizeof(*a->saved));
		EXPECT(a->saved != NULL);
	}
	x = &a->saved[a->saved_count++];
	memcpy(x->id, id, ID_LEN);
	memcpy(x->rec, rec, REC_LEN + 1);
}

static void
act(struct sim_agent *a, bool on_a_new_one)
{
	struct sim *s = a->node.sim;
	struct agent_edit edit;
	struct sim_record *r = NULL;
	struct doing d = { .act = { .verb = DO_OPEN } };
	uint8_t id[ID_LEN];
	enum status st;

	if (!on_a_new_one)
		r = some_record(a, &edit);
	if (r != NULL && strcmp(edit.kind, "search@1") == 0) {
		choose_act(s, r, &d);
		st = ST_OK;
	} else {
		r = NULL;
		choose_open(s, &d);
		st = agent_edit_begin(a->a, NULL, &edit);
	}
	/* While the officer looks at it, a sync may change the record. */
	if (st == ST_OK && sim_chance(s, 10)) {
		size_t at = r == NULL ? 0 : (size_t)(r - s->record);

		sim_meanwhile(s);
		r = r == NULL ? NULL : &s->record[at];
	}
	if (st == ST_OK)
		st = agent_append(a->a, &edit, &d.act, id);
	s->n.acts++;
	sim_say(s, "agent %u: %s in %.8s: %s", a->number, verb_name(d.act.verb),
	    edit.rec + 28, status_text(st));
	if (st == ST_OK) {
		if (r == NULL)
			r = record_new(s, edit.rec);
		saved(a, id, edit.rec);
		if (d.act.verb == DO_ADD && r->items < 4)
			memcpy(r->item[r->items++], id, ID_LEN);
	}
	SIM_EXPECT(s,
	    st == ST_OK || fault_disk_is_cut(a->node.disk) ||
		(st == ST_AGAIN && d.act.verb == DO_SIGN),
	    "agent %u: %s not written: %s: %s", a->number,
	    verb_name(d.act.verb), status_text(st), agent_error_en(a->a));
}

void
sim_agent_act(struct sim_agent *a)
{
	act(a, sim_chance(a->node.sim, 30));
}

void
sim_agent_open(struct sim_agent *a)
{
	act(a, true);
}

/* ---- speaking to the centre */

bool
sim_trusted(const struct sim_agent *a)
{
	struct roster_device d;

	return roster_device_by_dev(a->node.sim->centre.roster, a->dev, &d) ==
		   ST_OK &&
	       d.standing[0] == '\0';
}

static enum status
join(struct sim_agent *a)
{
	struct sim *s = a->node.sim;
	enum status st =
	    agent_enrol(a->a, bytes_str(a->code), bytes_str(passphrase));

	sim_say(s, "agent %u joins: %s %s", a->number, status_text(st),
	    st == ST_OK ? "" : agent_error_en(a->a));
	if (st == ST_OK || st == ST_CONFLICT) {
		a->code[0] = '\0';
		s->n.joined++;
		chain_dev(a->dev, log_public_key(a->a->log));
		return ST_OK;
	}
	SIM_EXPECT(s,
	    fault_disk_is_cut(a->node.disk) ||
		(!s->calm && (st == ST_NET || st == ST_AGAIN)),
	    "agent %u cannot join: %s: %s", a->number, status_text(st),
	    agent_error_en(a->a));
	return st;
}

enum status
sim_agent_sync(struct sim_agent *a, bool *more, bool *moved)
{
	struct sim *s = a->node.sim;
	struct agent_sync_result r = { .more = false };
	enum status st;

	a->busy = true;
	*more = *moved = false;
	if (a->code[0] != '\0') {
		st = join(a);
		*more = *moved = st == ST_OK;
	} else {
		st = agent_sync(a->a, &r);
		*more = st == ST_OK && r.more;
		*moved = st == ST_OK && (r.sent > 0 || r.received > 0);
		s->n.syncs++;
		sim_say(s,
		    "agent %u: sync: %s, sent %llu, acked %llu, received "
		    "%llu%s%s",
		    a->number, status_text(st), (unsigned long long)r.sent,
		    (unsigned long long)r.acked, (unsigned long long)r.received,
		    r.more ? ", more" : "", r.alarmed ? ", ALARM" : "");
		/* Revoked, and its certificate has run out: what it still
		 * holds comes in by `recover`. */
		a->barred = st == ST_DENIED && !sim_trusted(a);
		SIM_EXPECT(s,
		    st == ST_OK || fault_disk_is_cut(a->node.disk) ||
			a->barred ||
			(!s->calm && (st == ST_NET || st == ST_AGAIN)),
		    "agent %u: sync: %s: %s", a->number, status_text(st),
		    agent_error_en(a->a));
	}
	a->busy = false;
	return st;
}

/* ---- copies and old images */

struct sim_agent *
sim_agent_copy(struct sim_agent *a)
{
	struct sim *s = a->node.sim;
	struct sim_agent *b;

	if (s->agent_count == SIM_AGENTS_MAX)
		return NULL;
	b = sim_agent_add(s, sim_random(s, UINT64_MAX));
	memcpy(b->person, a->person, sizeof(b->person));
	memcpy(b->dev, a->dev, sizeof(b->dev));
	b->team = a->team;
	b->misled = a->misled;
	b->node.disk = fault_disk_after(a->node.disk, FAULT_KEEP, 0);
	a->forked = b->forked = true;
	for (size_t i = 0; i < a->saved_count; i++)
		saved(b, a->saved[i].id, a->saved[i].rec);
	sim_say(s, "agent %u is copied: %u", a->number, b->number);
	return b;
}

void
sim_agent_snap(struct sim_agent *a)
{
	fault_disk_free(a->snap);
	a->snap = fault_disk_after(a->node.disk, FAULT_KEEP, 0);
	a->snap_saved = a->saved_count;
}

void
sim_agent_roll_back(struct sim_agent *a)
{
	struct sim *s = a->node.sim;

	sim_say(s, "agent %u is set back to an older file", a->number);
	fault_disk_cut(a->node.disk, 1);
	sim_agent_off(a);
	fault_disk_free(a->node.disk);
	a->node.disk = a->snap;
	a->snap = NULL;
	a->saved_count = a->snap_saved;
	a->tip_size = 0;
	a->forked = true;
	sim_agent_on(a);
}
