/* sim_base: a court and its handhelds, made once; each world is a copy. */
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/expect.h"

struct sim_base {
	struct sim *s; /* everything closed; its disks are what is copied */
	struct centre_keys keys;
};

enum { BASE_SEED = 20260101 };
static const uint64_t base_time = 1782864000000; /* 2026-07-01 */

static struct sim *
empty(uint64_t seed)
{
	struct sim *s = calloc(1, sizeof(*s));

	EXPECT(s != NULL);
	sim_sodium(seed);
	s->seed = s->rng = seed;
	s->now_ms = base_time;
	s->trace = getenv("DAYBREAK_TRACE") != NULL;
	frontier_init(&s->tree);
	sim_node_init(&s->centre.node, s, seed + 1);
	return s;
}

struct sim_base *
sim_base_new(void)
{
	static const char *const at[] = { "https://127.0.0.1:8443" };
	struct sim_base *b = calloc(1, sizeof(*b));
	struct sim *s = empty(BASE_SEED);
	struct centre_init what = { .dir = "/centre",
		.code = "xz0302",
		.name = "Daybreak",
		.devices_at = at,
		.devices_at_count = 1,
		.public_at = at,
		.public_at_count = 1,
		.port = &s->centre.node.port };
	char why[CENTRE_ERRMSG_LEN] = "";

	EXPECT(b != NULL);
	b->s = s;
	s->calm = true;
	s->trace = false;
	s->centre.node.disk = fault_disk_new();
	what.vfs = fault_disk_name(s->centre.node.disk);
	EXPECT_OK(centre_init(&what, &b->keys, why));
	sim_centre_open(s);
	for (unsigned i = 0; i < SIM_AGENTS; i++) {
		struct sim_agent *a = sim_agent_add(s, BASE_SEED + 100 + i);
		bool more, moved;

		a->node.disk = fault_disk_new();
		a->team = i % SIM_TEAMS;
		(void)snprintf(a->person, sizeof(a->person), "p%02u", i);
		EXPECT(sim_centre_code(s, a, NULL, NULL));
		sim_agent_on(a);
		EXPECT_OK(sim_agent_sync(a, &more, &moved));
		sim_agent_off(a);
	}
	fault_disk_cut(s->centre.node.disk, 0);
	sim_centre_close(s);
	return b;
}

void
sim_base_free(struct sim_base *b)
{
	if (b != NULL)
		sim_free(b->s);
	free(b);
}

struct sim *
sim_new(const struct sim_base *b, uint64_t seed)
{
	struct sim *s = empty(seed);

	memcpy(s->root_secret, b->keys.root_secret, sizeof(s->root_secret));
	s->now_ms = b->s->now_ms + 3600 * 1000;
	s->centre.node.disk =
	    fault_disk_after(b->s->centre.node.disk, FAULT_KEEP, 0);
	for (unsigned i = 0; i < SIM_AGENTS; i++) {
		const struct sim_agent *from = &b->s->agent[i];
		struct sim_agent *a = sim_agent_add(s, seed + 100 + i);

		memcpy(a->person, from->person, sizeof(a->person));
		memcpy(a->dev, from->dev, sizeof(a->dev));
		a->team = from->team;
		a->node.disk = fault_disk_after(from->node.disk, FAULT_KEEP, 0);
	}
	sim_centre_open(s);
	return s;
}

void
sim_free(struct sim *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->agent_count; i++)
		sim_agent_free(&s->agent[i]);
	sim_centre_close(s);
	fault_disk_free(s->centre.node.disk);
	fault_disk_free(s->backup);
	free(s->gone);
	for (size_t i = 0; i < s->late_count; i++)
		buf_free(&s->late[i].body);
	free(s->record);
	free(s->log);
	free(s->root);
	free(s->name);
	free(s);
}
