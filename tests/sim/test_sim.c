/*
 * test_sim: many seeds of a whole court in one process (sim.h).
 *
 *   DAYBREAK_SEEDS=n   worlds (10 if it is not set)
 *   DAYBREAK_SEED=s    the first one's seed (1)
 *   DAYBREAK_STEPS=n   steps of each before the quiet time (60)
 *   DAYBREAK_TRACE=1   say what happens
 *
 * It would catch whatever no single test thinks of: an acknowledgement before
 * the commit, a cursor ahead of its record, a lost answer that strands a
 * handheld, two screens that differ when everybody has heard everything.
 */
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/expect.h"

static uint64_t seed_now;

static uint64_t
number_from(const char *name, uint64_t otherwise)
{
	const char *v = getenv(name);

	return v == NULL ? otherwise : strtoull(v, NULL, 10);
}

static void
run(const struct sim_base *base, uint64_t seed, uint64_t steps, struct sim *sum)
{
	struct sim *s = sim_new(base, seed);

	while (s->step < steps) {
		sim_step(s);
		if (sim_chance(s, 6))
			sim_check_agent_whole(
			    &s->agent[sim_random(s, s->agent_count)]);
		if (sim_chance(s, 2)) {
			sim_check_projections(s);
			sim_check_centre(s);
		}
	}
	sim_quiet(s);
	sim_check_end(s);
	sum->n.acts += s->n.acts;
	sum->n.syncs += s->n.syncs;
	sum->n.crashes += s->n.crashes;
	sum->n.centre_crashes += s->n.centre_crashes;
	sum->n.receipts += s->n.receipts;
	sum->n.lost += s->n.lost;
	sum->n.repeated += s->n.repeated;
	sum->n.late += s->n.late;
	sum->n.stale += s->n.stale;
	sum->n.joined += s->n.joined;
	sum->n.restores += s->n.restores;
	sum->n.returned += s->n.returned;
	sum->n.confirmed += s->n.confirmed;
	sum->n.admitted += s->n.admitted;
	sum->log_count += s->log_count;
	sim_free(s);
}

static void
test_sim_nothing_acknowledged_is_lost_and_all_converge(void **state)
{
	uint64_t first = number_from("DAYBREAK_SEED", 1);
	uint64_t count = number_from("DAYBREAK_SEEDS", 10);
	uint64_t steps = number_from("DAYBREAK_STEPS", 45);
	struct sim_base *base = sim_base_new();
	struct sim sum = { .seed = 0 };

	(void)state;
	EXPECT(count > 0);
	for (uint64_t k = 0; k < count; k++) {
		seed_now = first + k;
		run(base, seed_now, steps, &sum);
	}
	print_message(
	    "%llu worlds from seed %llu: %llu acts, %llu syncs, %llu and %llu "
	    "crashes of handhelds and centre, %llu lost, %llu twice, %llu "
	    "late, %llu stale, %llu joined, %llu restores with "
	    "%llu places that others held, %llu confirmed, %llu admitted, "
	    "%zu places\n",
	    (unsigned long long)count, (unsigned long long)first,
	    (unsigned long long)sum.n.acts, (unsigned long long)sum.n.syncs,
	    (unsigned long long)sum.n.crashes,
	    (unsigned long long)sum.n.centre_crashes,
	    (unsigned long long)sum.n.lost, (unsigned long long)sum.n.repeated,
	    (unsigned long long)sum.n.late, (unsigned long long)sum.n.stale,
	    (unsigned long long)sum.n.joined,
	    (unsigned long long)sum.n.restores,
	    (unsigned long long)sum.n.returned,
	    (unsigned long long)sum.n.confirmed,
	    (unsigned long long)sum.n.admitted, sum.log_count);
	EXPECT(sum.n.receipts > 0);
	sim_base_free(base);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_sim_nothing_acknowledged_is_lost_and_all_converge),
	};
	int bad = cmocka_run_group_tests(tests, NULL, NULL);

	(void)argc;
	if (bad != 0) {
		print_error("seed %llu fails; again:\n  "
			    "DAYBREAK_SEED=%llu DAYBREAK_SEEDS=1 "
			    "DAYBREAK_TRACE=1 %s\n",
		    (unsigned long long)seed_now, (unsigned long long)seed_now,
		    argv[0]);
		/* What was left standing is no leak worth telling of. */
		_exit(1);
	}
	return 0;
}
