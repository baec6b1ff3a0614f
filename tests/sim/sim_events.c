/* sim_events: what the seed lets happen. */
#include "sim/sim.h"

#include <stdio.h>
#include <string.h>

#include "support/expect.h"

enum { MINUTE = 60 * 1000, DAY_MS = 86400 * 1000, QUIET_ROUNDS = 14 };

/* A handheld that is there and not in the middle of something; on. */
static struct sim_agent *
some_agent(struct sim *s)
{
	struct sim_agent *a = &s->agent[sim_random(s, s->agent_count)];

	if (!a->there || a->busy || fault_disk_is_cut(a->node.disk))
		return NULL;
	if (a->a == NULL && s->depth > 0)
		return NULL;
	sim_agent_on(a);
	return a;
}

static void
act(struct sim *s)
{
	struct sim_agent *a = some_agent(s);

	for (uint64_t n = 1 + sim_random(s, 3); a != NULL && n > 0; n--) {
		if (a->code[0] == '\0' && !fault_disk_is_cut(a->node.disk))
			sim_agent_act(a);
	}
}

static void
sync_one(struct sim_agent *a, unsigned rounds)
{
	bool more = true, moved;

	while (rounds-- > 0 && more && !fault_disk_is_cut(a->node.disk) &&
	       sim_agent_sync(a, &more, &moved) == ST_OK)
		;
	if (a->code[0] == '\0' && !fault_disk_is_cut(a->node.disk))
		sim_check_agent(a);
}

static void
sync_some(struct sim *s)
{
	struct sim_agent *a = some_agent(s);

	if (a != NULL && s->depth < SIM_DEPTH_MAX)
		sync_one(a, 1 + (unsigned)sim_random(s, 4));
}

/* The power will go at one of the next writes. */
static void
cut_agent(struct sim *s)
{
	struct sim_agent *a = some_agent(s);

	if (a != NULL)
		fault_disk_cut(a->node.disk, 1 + sim_random(s, 25));
}

static void
cut_centre(struct sim *s)
{
	fault_disk_cut(s->centre.node.disk, 1 + sim_random(s, 60));
}

static void
kill_agent(struct sim *s)
{
	struct sim_agent *a = some_agent(s);

	if (a != NULL)
		sim_agent_crash(a, FAULT_KEEP);
}

static void
kill_centre(struct sim *s)
{
	sim_centre_crash(s, FAULT_KEEP);
}

static void
stop_centre(struct sim *s)
{
	sim_centre_stop(s);
}

static void
lock_agent(struct sim *s)
{
	struct sim_agent *a = some_agent(s);

	if (a == NULL)
		return;
	sim_say(s, "agent %u is shut", a->number);
	sim_agent_off(a);
	if (!fault_disk_is_cut(a->node.disk))
		sim_agent_on(a);
}

/* Minutes, days or years, forward or back; or put right. */
static void
jump_clock(struct sim *s)
{
	static const int64_t by[] = { MINUTE, 3600000, DAY_MS, 400ll * DAY_MS,
		9000ll * DAY_MS };
	struct sim_agent *a = some_agent(s);
	int64_t d = by[sim_random(s, 5)];

	if (a == NULL)
		return;
	a->node.shift_ms = sim_chance(s, 30) ? 0 : sim_chance(s, 50) ? d : -d;
	sim_say(s, "agent %u's clock is off by %lld s", a->number,
	    (long long)(a->node.shift_ms / 1000));
}

static void
jump_centre_clock(struct sim *s)
{
	static const int64_t by[] = { 0, MINUTE, -MINUTE, 3600000, -3600000 };

	s->centre.node.shift_ms = by[sim_random(s, 5)];
}

/* Certificates fall due; timers run out. */
static void
long_pause(struct sim *s)
{
	static const uint64_t by[] = { 2, 30, 130, 260, 400 };

	s->now_ms += by[sim_random(s, 5)] * DAY_MS;
	sim_say(s, "a long pause");
}

static void
go_offline(struct sim *s)
{
	struct sim_agent *a = some_agent(s);

	if (a != NULL)
		a->offline = !a->offline;
}

static void
follow(struct sim *s)
{
	sim_centre_follow(s);
}

static void
move(struct sim *s)
{
	struct sim_agent *a = some_agent(s);
	unsigned team = (unsigned)sim_random(s, SIM_TEAMS);

	if (a == NULL)
		return;
	sim_say(s, "%s moves to team %u", a->person, team);
	(void)sim_centre_move(s, a, team);
}

static void
revoke(struct sim *s)
{
	struct sim_agent *a = some_agent(s);

	if (a == NULL || a->code[0] != '\0' || sim_chance(s, 50))
		return;
	sim_say(s, "agent %u is revoked", a->number);
	sim_centre_revoke(s, a);
}

/* Another handheld for the same person, in the place of the old one. */
static void
join_again(struct sim *s)
{
	struct sim_agent *old = some_agent(s), *a;

	if (old == NULL || s->agent_count == SIM_AGENTS_MAX ||
	    old->code[0] != '\0')
		return;
	a = sim_agent_add(s, sim_random(s, UINT64_MAX));
	a->node.disk = fault_disk_new();
	memcpy(a->person, old->person, sizeof(a->person));
	a->team = old->team;
	if (!sim_centre_code(s, a, old->dev, "broken")) {
		a->there = false;
		return;
	}
	sim_say(
	    s, "agent %u is to take the place of %u", a->number, old->number);
	a->replaces = old->number;
	sim_agent_on(a);
}

/* One that joins between a backup and the fire: the log that comes back does
 * not know it. */
static void
newcomer(struct sim *s)
{
	size_t before = s->agent_count;

	sim_back_up(s);
	join_again(s);
	if (s->agent_count == before || !s->agent[before].there)
		return;
	for (uint64_t n = sim_random(s, 4); n > 0; n--) {
		struct sim_agent *a = &s->agent[before];

		sync_one(a, 2);
		if (a->a != NULL && a->code[0] == '\0' &&
		    !fault_disk_is_cut(a->node.disk))
			sim_agent_act(a);
	}
	if (sim_chance(s, 80))
		sim_restore(s);
}

static void
copy(struct sim *s)
{
	struct sim_agent *a = some_agent(s), *b;

	if (a == NULL || a->code[0] != '\0')
		return;
	b = sim_agent_copy(a);
	if (b != NULL)
		sim_agent_on(b);
}

static void
snap(struct sim *s)
{
	struct sim_agent *a = some_agent(s);

	if (a == NULL || a->code[0] != '\0')
		return;
	if (a->snap != NULL && sim_chance(s, 50))
		sim_agent_roll_back(a);
	else
		sim_agent_snap(a);
}

/* A device that a restore forgot delivers, and is said to be somebody's. */
static void
confirm(struct sim *s)
{
	struct sim_agent *a = sim_one_that_waits(s);

	if (a == NULL)
		return;
	if (s->depth == 0 && a->there && !a->busy && a->a != NULL &&
	    a->code[0] == '\0' && sim_chance(s, 70))
		sync_one(a, 3);
	sim_confirm(a);
}

/* Events and how often they come, in most worlds and in those that lose their
 * centre again and again; those marked also while a request is under way. */
static const struct {
	unsigned weight, weight_lossy;
	void (*fn)(struct sim *s);
	bool meanwhile;
} event[] = {
	{ 300, 300, act, true },
	{ 420, 420, sync_some, true },
	{ 50, 50, sim_deliver_late, true },
	{ 60, 60, follow, true },
	{ 12, 12, kill_centre, true },
	{ 8, 8, stop_centre, true },
	{ 24, 40, sim_back_up, false },
	{ 16, 25, sim_restore, false },
	{ 16, 160, confirm, true },
	{ 12, 60, sim_admit, true },
	{ 25, 25, cut_centre, true },
	{ 30, 30, cut_agent, false },
	{ 20, 20, kill_agent, false },
	{ 30, 30, lock_agent, false },
	{ 25, 25, jump_clock, true },
	{ 8, 8, jump_centre_clock, true },
	{ 8, 8, long_pause, false },
	{ 25, 25, go_offline, true },
	{ 20, 20, move, false },
	{ 12, 20, revoke, false },
	{ 12, 12, join_again, false },
	{ 0, 60, newcomer, false },
	{ 14, 14, copy, false },
	{ 24, 24, snap, false },
};

static uint64_t
weight_of(const struct sim *s, size_t i, bool meanwhile)
{
	if (meanwhile && !event[i].meanwhile)
		return 0;
	return s->seed % 3 == 0 ? event[i].weight_lossy : event[i].weight;
}

static void
choose(struct sim *s, bool meanwhile)
{
	enum { N = sizeof(event) / sizeof(event[0]) };
	uint64_t sum = 0, at;

	for (size_t i = 0; i < N; i++)
		sum += weight_of(s, i, meanwhile);
	at = sim_random(s, sum);
	for (size_t i = 0; i < N; i++) {
		uint64_t w = weight_of(s, i, meanwhile);

		if (at < w) {
			event[i].fn(s);
			return;
		}
		at -= w;
	}
}

void
sim_meanwhile(struct sim *s)
{
	if (s->calm || s->only_cuts || s->depth >= SIM_DEPTH_MAX ||
	    !sim_chance(s, 25))
		return;
	s->now_ms += sim_random(s, 2 * MINUTE);
	choose(s, true);
}

/* Power that went comes back. */
static void
mend(struct sim *s)
{
	sim_centre_mend(s);
	for (size_t i = 0; i < s->agent_count; i++) {
		if (s->agent[i].there)
			sim_agent_mend(&s->agent[i]);
	}
}

void
sim_step(struct sim *s)
{
	s->step++;
	s->now_ms += sim_random(s, 10 * MINUTE);
	choose(s, false);
	mend(s);
	sim_check_log(s);
}

/* ---- the network whole, and nothing happening */

static void
make_calm(struct sim *s)
{
	s->calm = true;
	s->now_ms += 10 * MINUTE;
	fault_disk_cut(s->centre.node.disk, 0);
	s->centre.node.shift_ms = 0;
	for (size_t i = 0; i < s->late_count; i++)
		buf_free(&s->late[i].body);
	s->late_count = 0;
	for (size_t i = 0; i < s->agent_count; i++) {
		struct sim_agent *a = &s->agent[i];

		a->offline = false;
		if (!a->there)
			continue;
		fault_disk_cut(a->node.disk, 0);
		sim_agent_on(a);
	}
}

void
sim_quiet(struct sim *s)
{
	bool any = true;

	sim_say(s, "quiet");
	make_calm(s);
	sim_centre_follow(s);
	for (unsigned round = 0; any; round++) {
		uint64_t size = s->log_count;

		SIM_EXPECT(s, round < QUIET_ROUNDS,
		    "still not quiet after %u rounds", round);
		any = false;
		for (size_t i = 0; i < s->agent_count; i++) {
			struct sim_agent *a = &s->agent[i];
			bool more = a->there, moved;

			for (int n = 0; more; n++) {
				SIM_EXPECT(s, n < 30,
				    "agent %u has always more to say",
				    a->number);
				(void)sim_agent_sync(a, &more, &moved);
				any = any || moved;
			}
		}
		sim_centre_follow(s);
		sim_check_log(s);
		any = any || s->log_count != size;
	}
}
