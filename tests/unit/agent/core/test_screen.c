/* The locks, as a screen on top of the agent meets them. */
#include "agent/core/agent_impl.h"
#include "support/bureau.h"

static const struct bytes pin = { (const uint8_t *)"2468", 4 };

/* Would catch: records shown or written behind a locked screen, or syncing
 * that stops there. */
static void
behind_a_locked_screen_only_syncing_goes_on(void **state)
{
	struct bureau b;
	struct agent *a;
	struct buf out;
	char rec[REC_LEN + 1];
	struct agent_edit edit;

	(void)state;
	buf_init(&out, 1 << 20);
	bureau_make(&b);
	a = bureau_join(&b, 0, "p001", "jia");
	bureau_record(a, "search", "target", "[\"a\"]", rec);
	EXPECT_OK(agent_screen_pin(a, pin));
	agent_screen_lock(a);
	EXPECT(agent_is_unlocked(a));
	EXPECT_ST(agent_state(a, rec, &out), ST_LOCKED);
	EXPECT_ST(agent_history(a, rec, &out), ST_LOCKED);
	EXPECT_ST(agent_list(a, NULL, 10, &out), ST_LOCKED);
	EXPECT_ST(agent_findings(a, NULL, &out), ST_LOCKED);
	EXPECT_ST(agent_export(a, NULL, &out), ST_LOCKED);
	EXPECT_ST(agent_edit_begin(a, rec, &edit), ST_LOCKED);
	EXPECT_ST(bureau_note(a, rec, "[\"x\"]"), ST_LOCKED);
	EXPECT_ST(agent_screen_pin(a, pin), ST_LOCKED);
	EXPECT(out.len == 0);
	bureau_sync(&b, 0);
	EXPECT_OK(agent_screen_unlock(a, pin));
	EXPECT_OK(agent_state(a, rec, &out));
	EXPECT_OK(bureau_note(a, rec, "[\"x\"]"));
	buf_free(&out);
	bureau_end(&b);
}

/* Would catch: keys that stay when the lock says they are gone. */
static void
wrong_pins_and_idle_time_wipe_the_keys(void **state)
{
	struct bureau b;
	struct agent *a;

	(void)state;
	bureau_make(&b);
	a = bureau_join(&b, 0, "p001", "jia");
	EXPECT_OK(agent_screen_pin(a, pin));
	EXPECT(agent_tick(a) == AGENT_OPEN);
	b.ct.clock.mono_shift_ms += 4 * 60 * 1000;
	agent_touch(a);
	b.ct.clock.mono_shift_ms += 4 * 60 * 1000;
	EXPECT(agent_tick(a) == AGENT_OPEN);
	b.ct.clock.mono_shift_ms += 2 * 60 * 1000;
	EXPECT(agent_tick(a) == AGENT_SCREEN_LOCKED);
	EXPECT(log_is_unlocked(a->log));
	for (int i = 0; i < 4; i++)
		EXPECT_ST(agent_screen_unlock(a, bytes_str("1111")), ST_DENIED);
	EXPECT_ST(agent_screen_unlock(a, bytes_str("1111")), ST_LOCKED);
	EXPECT(!agent_is_unlocked(a) && !log_is_unlocked(a->log));
	EXPECT(agent_tick(a) == AGENT_LOCKED);
	EXPECT_OK(agent_unlock(a, NULL, bytes_str(bureau_pass)));
	b.ct.clock.mono_shift_ms += (int64_t)5 * 3600 * 1000;
	EXPECT(agent_tick(a) == AGENT_LOCKED);
	EXPECT(!log_is_unlocked(a->log));
	bureau_end(&b);
}

static bool
holds(struct agent *a, const char *rec, const char *what)
{
	struct buf out;
	bool there;

	buf_init(&out, 1 << 20);
	EXPECT_OK(agent_history(a, rec, &out));
	there = buf_cstr(&out) != NULL && strstr((char *)out.p, what) != NULL;
	buf_free(&out);
	return there;
}

/* Would catch: a colleague's act on a shared handheld, put down to the name of
 * whoever enrolled it. */
static void
what_is_written_is_by_whoever_unlocked(void **state)
{
	const struct bytes phrase = bytes_str("another long passphrase here"),
			   first = bytes_str(bureau_pass);
	struct bureau b;
	struct agent *a;
	struct buf out;
	char rec[REC_LEN + 1];

	(void)state;
	buf_init(&out, 1 << 20);
	bureau_make(&b);
	a = bureau_join(&b, 0, "p001", "jia");
	bureau_record(a, "search", "target", "[\"a\"]", rec);
	EXPECT_OK(agent_officer_add(a, "p002", phrase));
	EXPECT_ST(agent_officer_add(a, "p002", phrase), ST_CONFLICT);
	EXPECT_ST(agent_officer_add(a, "p001", phrase), ST_CONFLICT);
	EXPECT_ST(agent_officer_add(a, "first", phrase), ST_INVALID);
	EXPECT_ST(agent_officer_add(a, "", phrase), ST_INVALID);
	EXPECT_OK(agent_unlock(a, "p002", phrase));
	EXPECT(!holds(a, rec, "\"by\":\"p002\""));
	EXPECT_OK(bureau_note(a, rec, "[\"x\"]"));
	EXPECT(holds(a, rec, "\"by\":\"p002\""));
	EXPECT_OK(agent_status(a, &out));
	EXPECT(buf_cstr(&out) != NULL &&
	       strstr((char *)out.p, "\"officer\":\"p002\"") != NULL);
	/* Nobody writes in another's name. */
	EXPECT_ST(agent_unlock(a, "p002", first), ST_DENIED);
	EXPECT(!agent_is_unlocked(a) && !log_is_unlocked(a->log));
	EXPECT_ST(agent_unlock(a, "p001", phrase), ST_DENIED);
	EXPECT_ST(agent_unlock(a, "p003", first), ST_DENIED);
	EXPECT(!agent_is_unlocked(a) && !log_is_unlocked(a->log));
	/* Whoever enrolled it, by name or without. */
	EXPECT_OK(agent_unlock(a, "p001", first));
	EXPECT_OK(bureau_note(a, rec, "[\"y\"]"));
	EXPECT(strcmp(agent_by(a), "p001") == 0);
	EXPECT_OK(agent_officer_remove(a, "p002"));
	EXPECT_ST(agent_unlock(a, "p002", phrase), ST_DENIED);
	EXPECT_OK(agent_unlock(a, NULL, first));
	EXPECT(strcmp(agent_by(a), "p001") == 0);
	/* That one too may leave, once another is there. */
	EXPECT_ST(agent_officer_remove(a, "p001"), ST_CONFLICT);
	EXPECT_OK(agent_officer_add(a, "p003", phrase));
	EXPECT_OK(agent_unlock(a, "p003", phrase));
	EXPECT_OK(agent_officer_remove(a, "p001"));
	EXPECT_ST(agent_unlock(a, NULL, first), ST_DENIED);
	EXPECT_OK(agent_unlock(a, "p003", phrase));
	EXPECT_ST(agent_officer_add(a, "first", phrase), ST_INVALID);
	EXPECT_OK(agent_officer_add(a, "p001", phrase));
	EXPECT_OK(agent_unlock(a, "p001", phrase));
	EXPECT(strcmp(agent_by(a), "p001") == 0);
	bureau_sync(&b, 0);
	buf_free(&out);
	bureau_end(&b);
}

/* Would catch: an entry that is in the log and is shown as queued after a
 * restart; a record of the log's own among the officer's. */
static void
what_was_receipted_is_shown_so_after_a_restart(void **state)
{
	struct bureau b;
	struct buf out;
	char rec[REC_LEN + 1];

	(void)state;
	buf_init(&out, 1 << 20);
	bureau_make(&b);
	(void)bureau_join(&b, 0, "p001", "jia");
	bureau_record(b.hand[0].a, "search", "target", "[\"a\"]", rec);
	EXPECT_OK(bureau_note(b.hand[0].a, rec, "[\"x\"]"));
	bureau_sync(&b, 0);
	bureau_restart(&b, 0);
	EXPECT_OK(agent_history(b.hand[0].a, rec, &out));
	EXPECT(buf_cstr(&out) != NULL);
	EXPECT(strstr((char *)out.p, "\"in_log\":false") == NULL);
	EXPECT_OK(bureau_note(b.hand[0].a, rec, "[\"y\"]"));
	buf_reset(&out);
	EXPECT_OK(agent_history(b.hand[0].a, rec, &out));
	EXPECT(buf_cstr(&out) != NULL);
	EXPECT(strstr((char *)out.p, "\"in_log\":false") != NULL);
	buf_reset(&out);
	EXPECT_OK(agent_list(b.hand[0].a, NULL, 10, &out));
	EXPECT(buf_cstr(&out) != NULL);
	EXPECT(strchr((char *)out.p, '\n') == (char *)out.p + out.len - 1);
	buf_free(&out);
	bureau_end(&b);
}

/* Would catch: `status` that says less or other than what is so. */
static void
status_says_what_is_so(void **state)
{
	static const char *const names[] = { "\"entries\":2", "\"queued\":2",
		"\"oldest_queued_ms\":", "\"receipt\":null", "\"proof\":null",
		"\"clock_offset_ms\":null", "\"records\":1", "\"disk\":{",
		"\"alarms\":0", "\"officer\":\"p001\"", "\"locked\":false" };
	struct bureau b;
	struct buf out;
	char rec[REC_LEN + 1];

	(void)state;
	buf_init(&out, 1 << 20);
	bureau_make(&b);
	(void)bureau_join(&b, 0, "p001", "jia");
	bureau_record(b.hand[0].a, "search", "target", "[\"a\"]", rec);
	EXPECT_OK(bureau_note(b.hand[0].a, rec, "[\"x\"]"));
	EXPECT_OK(agent_status(b.hand[0].a, &out));
	EXPECT(buf_cstr(&out) != NULL);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		EXPECT(strstr((char *)out.p, names[i]) != NULL);
	bureau_sync(&b, 0);
	buf_reset(&out);
	EXPECT_OK(agent_status(b.hand[0].a, &out));
	EXPECT(buf_cstr(&out) != NULL);
	EXPECT(strstr((char *)out.p, "\"queued\":0") != NULL);
	EXPECT(strstr((char *)out.p, "\"oldest_queued_ms\":null") != NULL);
	EXPECT(strstr((char *)out.p, "\"seq\":2") != NULL);
	EXPECT(strstr((char *)out.p, "\"proof\":{\"root\":") != NULL);
	EXPECT(strstr((char *)out.p, "\"clock_offset_ms\":null") == NULL);
	agent_lock(b.hand[0].a);
	buf_reset(&out);
	EXPECT_OK(agent_status(b.hand[0].a, &out));
	EXPECT(buf_cstr(&out) != NULL);
	EXPECT(strstr((char *)out.p, "\"locked\":true") != NULL);
	EXPECT(strstr((char *)out.p, "p001") == NULL);
	buf_free(&out);
	bureau_end(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(behind_a_locked_screen_only_syncing_goes_on),
		cmocka_unit_test(what_is_written_is_by_whoever_unlocked),
		cmocka_unit_test(wrong_pins_and_idle_time_wipe_the_keys),
		cmocka_unit_test(
		    what_was_receipted_is_shown_so_after_a_restart),
		cmocka_unit_test(status_says_what_is_so),
	};

	EXPECT(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
