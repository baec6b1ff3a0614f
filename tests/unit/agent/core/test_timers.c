#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry/json.h"
#include "support/bureau.h"

/*
 * Timers on a handheld whose clocks a test holds: the time of day is set back
 * and forward under them, and the machine restarts.
 */

enum { HOUR = 3600 * 1000, MINUTE = 60 * 1000 };

struct hand {
	struct bureau b;
	struct clock_port clock; /* the handheld's; the centre has its own */
	struct agent *a;
	char rec[REC_LEN + 1];
};

/* The handheld's clock stands still but for what the test moves. */
static void
pass(struct hand *h, int64_t ms)
{
	h->clock.wall_shift_ms += ms;
	h->clock.mono_shift_ms += ms;
}

static void
open_again(struct hand *h)
{
	struct agent_config c = { .home = h->b.hand[0].home.path,
		.port = &h->clock.port,
		.uplink = &h->b.hand[0].uplink,
		.utc_offset_min = 480,
		.weak_kdf_for_tests = true };

	agent_close(h->b.hand[0].a);
	EXPECT_OK(agent_open(&h->b.hand[0].a, &c));
	h->a = h->b.hand[0].a;
	EXPECT_OK(agent_unlock(h->a, NULL, bytes_str(bureau_pass)));
}

/* The machine restarts: its time since boot begins anew. */
static void
reboot(struct hand *h)
{
	h->clock.boot++;
	h->clock.mono_shift_ms += 5000 - (int64_t)port_mono_ms(&h->clock.port);
	open_again(h);
}

/* At that time of day, a person brought in just arrived. */
static void
arrive(struct hand *h, const char *at)
{
	char json[64];
	int64_t ms;
	int offset;

	bureau_make(&h->b);
	(void)bureau_join(&h->b, 0, "li", "one");
	clock_port_init(&h->clock);
	h->clock.still = true;
	EXPECT_OK(at_parse(&ms, &offset, bytes_str(at)));
	h->clock.wall_shift_ms += ms - (int64_t)port_wall_ms(&h->clock.port);
	open_again(h);
	(void)snprintf(json, sizeof(json), "[\"%s\"]", at);
	bureau_record(h->a, "compel", "arrived_at", json, h->rec);
}

static void
leave(struct hand *h)
{
	bureau_end(&h->b);
}

/* ---- what is shown */

struct shown {
	int64_t left_ms;
	bool there, clock;
	char due[40], severity[16];
};

static struct shown
timer(struct hand *h, const char *rule)
{
	struct shown s = { .there = false };
	struct json j;
	struct buf b;
	int64_t before = INT64_MIN;

	json_init(&j);
	buf_init(&b, 1 << 20);
	EXPECT_OK(agent_timers(h->a, &b));
	EXPECT_OK(json_parse(&j, buf_view(&b), JSON_DOCUMENT));
	for (uint32_t i = json_first(&j, 0); i != json_end(&j, 0);
	     i = j.node[i].next) {
		uint32_t f = json_get(&j, i, "finding");
		int64_t left = json_int(&j, i, "left_ms", INT64_MAX);
		char name[64];

		/* The most urgent first. */
		EXPECT(left >= before);
		before = left;
		EXPECT(json_member_text(&j, f, "rule", name, sizeof(name)));
		if (strcmp(name, rule) != 0)
			continue;
		s.there = true;
		s.left_ms = left;
		s.clock = json_bool(&j, f, "clock", false);
		EXPECT(json_member_text(&j, f, "due", s.due, sizeof(s.due)));
		EXPECT(json_member_text(
		    &j, f, "severity", s.severity, sizeof(s.severity)));
	}
	buf_free(&b);
	json_free(&j);
	return s;
}

static void
expect_left(struct hand *h, const char *rule, int64_t left, bool clock)
{
	struct shown s = timer(h, rule);

	if (!s.there || s.left_ms != left || s.clock != clock)
		fail_msg("%s: %s, left %lld%s; wanted %lld%s", rule,
		    s.there ? "runs" : "does not run", (long long)s.left_ms,
		    s.clock ? ", in doubt" : "", (long long)left,
		    clock ? ", in doubt" : "");
}

/* ---- */

/* Catches a timer that the clock's owner can set back, or is frightened by a
 * clock set forward. */
static void
test_timers_run_on_when_the_clock_is_changed(void **state)
{
	struct hand h;

	(void)state;
	arrive(&h, "2026-03-03T09:00:00+08:00");
	expect_left(&h, "compel_8h", 8 * HOUR, false);
	expect_left(&h, "compel_24h", 24 * HOUR, false);
	pass(&h, HOUR);
	expect_left(&h, "compel_8h", 7 * HOUR, false);
	h.clock.wall_shift_ms -= 3 * HOUR;
	expect_left(&h, "compel_8h", 7 * HOUR, false);
	h.clock.wall_shift_ms += 100 * HOUR;
	expect_left(&h, "compel_8h", 7 * HOUR, false);
	/* The program starts anew; the machine does not. */
	open_again(&h);
	expect_left(&h, "compel_8h", 7 * HOUR, false);
	h.clock.wall_shift_ms -= 365LL * 24 * HOUR;
	pass(&h, 6 * HOUR);
	expect_left(&h, "compel_8h", HOUR, false);
	leave(&h);
}

/* Catches a boundary that is off: due is still in time, a moment later is
 * not. */
static void
test_timers_are_due_to_the_millisecond(void **state)
{
	struct hand h;

	(void)state;
	arrive(&h, "2026-03-03T09:00:00+08:00");
	pass(&h, 8 * HOUR);
	expect_left(&h, "compel_8h", 0, false);
	assert_string_equal(timer(&h, "compel_8h").severity, "due");
	pass(&h, 1);
	expect_left(&h, "compel_8h", -1, false);
	assert_string_equal(timer(&h, "compel_8h").severity, "grave");
	/* Screen locked: it goes on, and can be seen. */
	EXPECT_OK(agent_screen_pin(h.a, bytes_str("1234")));
	agent_screen_lock(h.a);
	pass(&h, MINUTE);
	expect_left(&h, "compel_8h", -1 - MINUTE, false);
	leave(&h);
}

/* Catches a timer that goes wrong over midnight or a leap day. */
static void
test_timers_go_over_midnight_and_leap_days(void **state)
{
	struct hand h;
	struct shown s;

	(void)state;
	arrive(&h, "2028-02-28T22:30:00+08:00");
	s = timer(&h, "compel_8h");
	assert_string_equal(s.due, "2028-02-29T06:30:00+08:00");
	s = timer(&h, "compel_24h");
	assert_string_equal(s.due, "2028-02-29T22:30:00+08:00");
	pass(&h, 90 * MINUTE);
	expect_left(&h, "compel_8h", 8 * HOUR - 90 * MINUTE, false);
	pass(&h, 24 * HOUR);
	expect_left(&h, "compel_24h", -90 * MINUTE, false);
	leave(&h);
}

/* Catches a restart that stops a timer, and a time after it that nobody
 * vouches for and that is shown as sure. */
static void
test_timers_after_a_restart_are_in_doubt_until_a_sync(void **state)
{
	struct hand h;
	struct agent_sync_result r;
	char now[32];
	int64_t centre;

	(void)state;
	/* Today, as the centre's clock has it. */
	at_format(
	    now, port_wall_ms(port_system()) / 1000 * 1000 + 60 * 1000, 480);
	arrive(&h, now);
	do {
		EXPECT_OK(agent_sync(h.a, &r));
	} while (r.more);
	pass(&h, 2 * HOUR);
	expect_left(&h, "compel_8h", 6 * HOUR, false);
	reboot(&h);
	expect_left(&h, "compel_8h", 6 * HOUR, true);
	/* Set back over the restart: the newest of the centre's entries here
	 * says that it is later than that. */
	h.clock.wall_shift_ms -= 10LL * 365 * 24 * HOUR;
	EXPECT(timer(&h, "compel_8h").clock);
	EXPECT(timer(&h, "compel_8h").left_ms < 8 * HOUR + 2 * MINUTE);

	/* The centre's time: sure from now on, whatever the clock says. */
	do {
		EXPECT_OK(agent_sync(h.a, &r));
	} while (r.more);
	centre = timer(&h, "compel_8h").left_ms;
	EXPECT(!timer(&h, "compel_8h").clock);
	h.clock.wall_shift_ms += 77 * HOUR;
	expect_left(&h, "compel_8h", centre, false);
	pass(&h, MINUTE);
	expect_left(&h, "compel_8h", centre - MINUTE, false);
	/* Kept over a start of the program, gone with the next boot. */
	open_again(&h);
	expect_left(&h, "compel_8h", centre - MINUTE, false);
	reboot(&h);
	EXPECT(timer(&h, "compel_8h").clock);
	leave(&h);
}

/* Catches a clock that was years off when the entry was made, and makes a
 * timer that never ends once it is right. */
static void
test_timers_survive_a_clock_that_was_years_off(void **state)
{
	struct hand h;

	(void)state;
	arrive(&h, "2026-03-03T09:00:00+08:00");
	/* The battery was out: the clock says 2016, the officer 2026. */
	h.clock.wall_shift_ms -= 10LL * 365 * 24 * HOUR;
	bureau_record(h.a, "compel", "arrived_at",
	    "[\"2026-03-03T09:00:00+08:00\"]", h.rec);
	h.clock.wall_shift_ms += 10LL * 365 * 24 * HOUR;
	pass(&h, HOUR);
	{
		struct buf b;

		buf_init(&b, 1 << 20);
		EXPECT_OK(agent_findings(h.a, h.rec, &b));
		EXPECT(strstr(buf_cstr(&b), "\"left_ms\":25200000") != NULL);
		buf_free(&b);
	}
	leave(&h);
}

/* Catches a status that does not say what is most urgent. */
static void
test_timers_status_shows_the_first(void **state)
{
	struct hand h;
	struct buf b;

	(void)state;
	arrive(&h, "2026-03-03T09:00:00+08:00");
	pass(&h, HOUR);
	buf_init(&b, 1 << 20);
	EXPECT_OK(agent_status(h.a, &b));
	EXPECT(strstr(buf_cstr(&b),
		   "\"timers\":{\"due\":\"2026-03-03T17:00:00+08:00\","
		   "\"left_ms\":25200000,\"running\":2}") != NULL);
	buf_free(&b);
	leave(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timers_run_on_when_the_clock_is_changed),
		cmocka_unit_test(test_timers_are_due_to_the_millisecond),
		cmocka_unit_test(test_timers_go_over_midnight_and_leap_days),
		cmocka_unit_test(
		    test_timers_after_a_restart_are_in_doubt_until_a_sync),
		cmocka_unit_test(
		    test_timers_survive_a_clock_that_was_years_off),
		cmocka_unit_test(test_timers_status_shows_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
