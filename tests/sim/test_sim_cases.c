/*
 * test_sim_cases: what the seeds of test_sim found, each as a short story of
 * its own, and power cuts at every single write where that matters most.
 */
#include "sim/sim.h"

#include <stdlib.h>
#include <string.h>

#include "agent/core/agent_impl.h"
#include "support/expect.h"

static struct sim_base *base;

static struct sim *
calm_world(uint64_t seed)
{
	struct sim *s = sim_new(base, seed);

	s->calm = true;
	return s;
}

/* Everything that a handheld and the centre have for each other. */
static void
sync_all(struct sim_agent *a)
{
	bool more = true, moved;

	sim_agent_on(a);
	while (more)
		EXPECT_OK(sim_agent_sync(a, &more, &moved));
	sim_centre_follow(a->node.sim);
	sim_check_log(a->node.sim);
}

/* A new record on that handheld; its name. */
static const char *
open_record(struct sim_agent *a)
{
	struct sim *s = a->node.sim;
	size_t before = a->saved_count;

	sim_agent_on(a);
	sim_agent_open(a);
	EXPECT(a->saved_count == before + 1);
	return s->record[s->record_count - 1].rec;
}

static bool
shows(struct sim_agent *a, const char *rec)
{
	struct buf b;
	enum status st;

	buf_init(&b, 1 << 20);
	st = agent_state(a->a, rec, &b);
	buf_free(&b);
	EXPECT(st == ST_OK || st == ST_ABSENT);
	return st == ST_OK;
}

static void
end(struct sim *s)
{
	sim_quiet(s);
	sim_check_end(s);
	sim_free(s);
}

/* Would catch a feed that is made anew (another version, a lost file) putting
 * every record into a scope once more, and into the wrong one if its officer
 * has moved meanwhile. */
static void
test_feed_made_anew_writes_nothing(void **state)
{
	struct sim *s = calm_world(1);
	struct feed_config fc = { .centre = s->centre.c,
		.roster = s->centre.roster };
	struct feed *feed;
	uint64_t done = 1, size;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		(void)open_record(&s->agent[i]);
		sync_all(&s->agent[i]);
	}
	EXPECT(sim_centre_move(s, &s->agent[0], 1));
	sim_centre_follow(s);
	size = tlog_size(centre_tlog(s->centre.c));
	EXPECT_OK(feed_open(&feed, &fc));
	while (done > 0)
		EXPECT_OK(feed_follow(feed, 7, &done));
	EXPECT(feed_size(feed) == size);
	EXPECT(tlog_size(centre_tlog(s->centre.c)) == size);
	feed_close(feed);
	end(s);
}

/* Would catch an officer's new records going to the team that the handheld was
 * enrolled with, after the officer has moved. */
static void
test_records_of_a_moved_officer_go_to_the_new_team(void **state)
{
	struct sim *s = calm_world(2);
	const char *rec;

	(void)state;
	EXPECT(sim_centre_move(s, &s->agent[0], 1));
	rec = open_record(&s->agent[0]);
	sync_all(&s->agent[0]);
	sync_all(&s->agent[1]); /* of team 1 */
	sync_all(&s->agent[3]); /* of team 0 */
	EXPECT(shows(&s->agent[1], rec));
	EXPECT(!shows(&s->agent[3], rec));
	end(s);
}

/* Would catch a projection torn by a power cut and believed afterwards, a
 * record that waits for its scope for ever, and one that joins it twice. */
static void
test_power_cut_at_any_write_of_the_projections_is_made_good(void **state)
{
	bool cut = true;

	(void)state;
	for (uint64_t n = 1; cut; n += n < 12 ? 1 : 3) {
		struct sim *s = calm_world(n);
		bool more, moved;

		sim_agent_on(&s->agent[0]);
		(void)open_record(&s->agent[0]);
		EXPECT_OK(sim_agent_sync(&s->agent[0], &more, &moved));
		fault_disk_cut(s->centre.node.disk, n);
		sim_centre_follow(s);
		cut = fault_disk_is_cut(s->centre.node.disk);
		sim_centre_mend(s);
		fault_disk_cut(s->centre.node.disk, 0);
		sim_centre_follow(s);
		sync_all(&s->agent[3]); /* of the same team */
		EXPECT(shows(&s->agent[3], s->record[0].rec));
		sim_check_projections(s);
		sim_free(s);
	}
}

/* Would catch keys, certificate, chain and "joined" that are not written as
 * one: a handheld that the centre has enrolled and that cannot go on. */
static void
test_power_cut_at_any_write_of_joining_strands_nobody(void **state)
{
	bool cut = true;

	(void)state;
	for (uint64_t n = 1; cut; n++) {
		struct sim *s = calm_world(n);
		struct sim_agent *a = sim_agent_add(s, n);
		bool more, moved;
		enum status st;

		a->node.disk = fault_disk_new();
		memcpy(a->person, "p77", 4);
		EXPECT(sim_centre_code(s, a, NULL, NULL));
		sim_agent_on(a);
		fault_disk_cut(a->node.disk, n);
		st = sim_agent_sync(a, &more, &moved);
		cut = fault_disk_is_cut(a->node.disk);
		EXPECT(cut || st == ST_OK);
		sim_agent_mend(a);
		fault_disk_cut(a->node.disk, 0);
		sync_all(a);
		(void)open_record(a);
		sync_all(a);
		sim_check_agent_whole(a);
		sim_free(s);
	}
}

/* Would catch an old handheld that stays trusted because the centre went down
 * between enrolling the new one and putting the old one out. */
static void
test_power_cut_at_any_write_of_the_centre_leaves_no_replaced_handheld_in(
    void **state)
{
	bool cut = true;

	(void)state;
	for (uint64_t n = 1; cut; n++) {
		struct sim *s = calm_world(n);
		struct sim_agent *a = sim_agent_add(s, n);
		bool more, moved;

		a->node.disk = fault_disk_new();
		memcpy(a->person, s->agent[5].person, sizeof(a->person));
		EXPECT(sim_centre_code(s, a, s->agent[5].dev, "broken"));
		sim_agent_on(a);
		fault_disk_cut(s->centre.node.disk, n);
		s->calm = false;
		s->only_cuts = true;
		(void)sim_agent_sync(a, &more, &moved);
		cut = s->n.centre_crashes > 0;
		fault_disk_cut(s->centre.node.disk, 0);
		s->calm = true;
		sync_all(a);
		EXPECT(!sim_trusted(&s->agent[5]));
		sim_check_centre(s);
		sim_free(s);
	}
}

/* Would catch entries of a chain that two files write on being taken for one's
 * own and so not kept: gone from the screen after the next unlocking. */
static void
test_copies_of_a_handheld_show_the_same_after_unlocking_again(void **state)
{
	struct sim *s = calm_world(4);
	struct sim_agent *a = &s->agent[0], *b;

	(void)state;
	(void)open_record(a);
	sync_all(a);
	b = sim_agent_copy(a);
	(void)open_record(a);
	(void)open_record(b);
	sync_all(a);
	sync_all(b);
	sim_quiet(s);
	sim_agent_off(a);
	sim_agent_off(b);
	end(s);
}

/* Would catch the same of a handheld whose file was set back. */
static void
test_handheld_set_back_shows_what_it_had_delivered(void **state)
{
	struct sim *s = calm_world(5);
	struct sim_agent *a = &s->agent[0];
	const char *rec;

	(void)state;
	sim_agent_on(a);
	sim_agent_snap(a);
	rec = open_record(a);
	sync_all(a);
	sim_agent_roll_back(a);
	EXPECT(!shows(a, rec));
	sync_all(a);
	sim_agent_off(a);
	sim_agent_on(a);
	EXPECT(shows(a, rec));
	end(s);
}

static int
make_base(void **state)
{
	(void)state;
	base = sim_base_new();
	return 0;
}

static int
free_base(void **state)
{
	(void)state;
	sim_base_free(base);
	return 0;
}

/* Would catch what was acknowledged, and told to colleagues, being lost with
 * the centre and the one handheld that wrote it. */
static void
test_lost_with_the_centre_and_held_by_others(void **state)
{
	struct sim *s = calm_world(7);
	struct sim_agent *lost = &s->agent[0], *mate = &s->agent[SIM_TEAMS];
	const char *rec;
	char name[REC_LEN + 1];

	(void)state;
	EXPECT(lost->team == mate->team);
	sync_all(lost);
	sync_all(mate);
	sim_back_up(s);
	rec = open_record(lost);
	memcpy(name, rec, sizeof(name));
	sim_agent_act(lost);
	sync_all(lost);
	sync_all(mate);
	EXPECT(shows(mate, name));
	sim_agent_off(lost);
	lost->there = false;
	sim_restore(s);
	EXPECT(s->n.restores == 1);
	sync_all(mate);
	sync_all(&s->agent[2 * SIM_TEAMS]);
	EXPECT(shows(&s->agent[2 * SIM_TEAMS], name));
	sim_quiet(s);
	sim_check_end(s);
	EXPECT(s->n.returned > 0);
	sim_free(s);
}

/* Another handheld for the person of `old`, without the old one's knowledge. */
static struct sim_agent *
newcomer(struct sim *s, const struct sim_agent *old)
{
	struct sim_agent *a = sim_agent_add(s, 99);

	a->node.disk = fault_disk_new();
	memcpy(a->person, old->person, sizeof(a->person));
	a->team = old->team;
	EXPECT(sim_centre_code(s, a, NULL, NULL));
	sync_all(a);
	return a;
}

/* Would catch what a handheld delivered before it was confirmed staying out of
 * its team's scope for ever, and a feed made anew that then puts it in. */
static void
test_what_waited_for_confirmation_reaches_the_team(void **state)
{
	struct sim *s = calm_world(7);
	struct sim_agent *mate = &s->agent[SIM_TEAMS], *a;
	char rec[REC_LEN + 1];

	(void)state;
	sim_back_up(s);
	a = newcomer(s, &s->agent[0]);
	memcpy(rec, open_record(a), sizeof(rec));
	sim_agent_act(a);
	sync_all(a);
	sim_restore(s);
	EXPECT(a->there && mate->there);
	sync_all(a);
	sync_all(mate);
	EXPECT(!sim_trusted(a) && sim_in_log(s, a->saved[0].id));
	EXPECT(!shows(mate, rec));
	sim_check_projections(s);
	sim_confirm(a);
	EXPECT(s->n.confirmed == 1 && sim_trusted(a));
	sim_check_projections(s);
	sync_all(mate);
	EXPECT(shows(mate, rec));
	EXPECT(view_has(mate->a->view, a->saved[0].id));
	sim_admit(s);
	EXPECT(s->n.admitted > 0);
	end(s);
}

/* Would catch a handheld that slept through two restores dropping the old
 * centre's words which the log of today has as well: a held entry that counts
 * on this one screen. */
static void
test_words_that_stand_in_the_new_log_too_are_not_dropped(void **state)
{
	struct sim *s = calm_world(8);
	struct sim_agent *out = &s->agent[0], *mate = &s->agent[SIM_TEAMS];
	char rec[REC_LEN + 1];

	(void)state;
	memcpy(rec, open_record(out), sizeof(rec));
	sim_centre_revoke(s, out);
	sync_all(out);
	sync_all(mate);
	EXPECT(shows(mate, rec));
	for (int i = 0; i < 2; i++) {
		sim_back_up(s);
		sim_restore(s);
	}
	/* The streams are there before all is handed in. */
	sim_centre_follow(s);
	EXPECT(s->restores == 2 && mate->there);
	sync_all(mate);
	sim_check_agent_whole(mate);
	end(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lost_with_the_centre_and_held_by_others),
		cmocka_unit_test(
		    test_what_waited_for_confirmation_reaches_the_team),
		cmocka_unit_test(
		    test_words_that_stand_in_the_new_log_too_are_not_dropped),
		cmocka_unit_test(test_feed_made_anew_writes_nothing),
		cmocka_unit_test(
		    test_records_of_a_moved_officer_go_to_the_new_team),
		cmocka_unit_test(
		    test_power_cut_at_any_write_of_the_projections_is_made_good),
		cmocka_unit_test(
		    test_power_cut_at_any_write_of_joining_strands_nobody),
		cmocka_unit_test(
		    test_power_cut_at_any_write_of_the_centre_leaves_no_replaced_handheld_in),
		cmocka_unit_test(
		    test_copies_of_a_handheld_show_the_same_after_unlocking_again),
		cmocka_unit_test(
		    test_handheld_set_back_shows_what_it_had_delivered),
	};

	return cmocka_run_group_tests(tests, make_base, free_base);
}
