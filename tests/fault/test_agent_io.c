/*
 * A handheld whose disk fails at any write, sync, truncation or deletion, once:
 * what it said it saved is there, what it refused is not, and the same call
 * goes through afterwards.
 */
#include "support/bureau.h"
#include "support/fault_vfs.h"

enum { TRIES = 4000 };

struct trial {
	struct bureau b;
	struct fault_disk *disk;
	struct agent_config config;
	struct agent *a;
	char rec[REC_LEN + 1];
};

/* Handheld 0 is a tmpdir's; ours is on a disk that fails. */
static void
open_disk(struct trial *t)
{
	t->disk = fault_disk_new();
	EXPECT(t->disk != NULL);
	t->b.hand[0].b = &t->b;
	t->b.hand[0].uplink = (struct agent_uplink){ .arg = &t->b.hand[0],
		.exchange = bureau_exchange };
	t->config = (struct agent_config){ .home = "h",
		.vfs = fault_disk_name(t->disk),
		.port = &t->b.ct.clock.port,
		.uplink = &t->b.hand[0].uplink,
		.utc_offset_min = 480,
		.weak_kdf_for_tests = true };
	EXPECT_OK(agent_open(&t->a, &t->config));
}

static void
code_for(struct trial *t, struct buf *out)
{
	struct enrol_code w = { .person = "p001",
		.name = "p001",
		.role = "judge",
		.unit = "",
		.team = "jia",
		.address = "127.0.0.1:7445",
		.life_ms = 3600000,
		.by = "chief" };

	EXPECT_OK(enrol_code_make(
	    t->b.ct.c, t->b.roster, feed_inside(t->b.feed), &w, out));
	bureau_follow(&t->b);
}

/* From scratch, not joined yet. */
static void
begin(struct trial *t)
{
	memset(t, 0, sizeof(*t));
	bureau_make(&t->b);
	open_disk(t);
}

static void
begin_joined(struct trial *t)
{
	struct buf code;

	begin(t);
	buf_init(&code, 4096);
	code_for(t, &code);
	EXPECT_OK(agent_enrol(t->a, buf_view(&code), bytes_str(bureau_pass)));
	buf_free(&code);
	bureau_record(t->a, "search", "target", "[\"before\"]", t->rec);
}

static void
end(struct trial *t)
{
	agent_close(t->a);
	fault_disk_free(t->disk);
	bureau_end(&t->b);
}

/* The program starts anew on what the disk has, faults over. */
static void
restart(struct trial *t)
{
	fault_disk_fail(t->disk, FAULT_WRITES, 0, FAULT_IOERR, false);
	agent_close(t->a);
	EXPECT_OK(agent_open(&t->a, &t->config));
	EXPECT_OK(agent_unlock(t->a, NULL, bytes_str(bureau_pass)));
}

static void
sync_whole(struct trial *t)
{
	struct agent_sync_result r;

	do {
		EXPECT_OK(agent_sync(t->a, &r));
		EXPECT(!r.alarmed);
	} while (r.more);
}

static bool
shows(struct trial *t, const char *text)
{
	struct buf b;
	bool found;

	buf_init(&b, 1 << 20);
	EXPECT_OK(agent_state(t->a, t->rec, &b));
	EXPECT(buf_cstr(&b) != NULL);
	found = strstr((const char *)b.p, text) != NULL;
	buf_free(&b);
	return found;
}

static void
whole(struct trial *t)
{
	struct buf b;

	buf_init(&b, 1 << 16);
	if (agent_verify(t->a, &b) != ST_OK)
		fail_msg("not whole: %s", buf_cstr(&b));
	buf_free(&b);
}

static void
order(struct trial *t, uint64_t n, enum fault_kind kind)
{
	fault_disk_fail(t->disk, FAULT_WRITES, n, kind, false);
}

/* Did the fault strike?  None is to come. */
static bool
struck(struct trial *t)
{
	bool hit = fault_disk_hit(t->disk);

	fault_disk_fail(t->disk, FAULT_WRITES, 0, FAULT_IOERR, false);
	return hit;
}

/* It went through, or says that the disk would not. */
static void
told(struct trial *t, enum status st, bool hit, uint64_t n)
{
	if (st != ST_OK && !(hit && (st == ST_IO || st == ST_FULL)))
		fail_msg("operation %llu fails: %s: %s", (unsigned long long)n,
		    status_name(st), agent_error_en(t->a));
}

/* Catches an entry that was said to be saved and is not there, one that was
 * refused and is; a handheld that will not go on. */
static void
test_agent_append_on_a_failing_disk(void **state)
{
	struct trial t;
	char json[80], text[40];
	uint64_t n = 1;
	bool hit = true;

	(void)state;
	begin_joined(&t);
	for (; hit && n < TRIES; n++) {
		enum status st;

		(void)snprintf(
		    text, sizeof(text), "try %llu.", (unsigned long long)n);
		(void)snprintf(json, sizeof(json), "[\"%s\"]", text);
		order(&t, n, n % 2 == 0 ? FAULT_FULL : FAULT_IOERR);
		st = bureau_note(t.a, t.rec, json);
		hit = struck(&t);
		told(&t, st, hit, n);
		EXPECT(shows(&t, text) == (st == ST_OK));
		/* And it goes on. */
		EXPECT_OK(bureau_note(t.a, t.rec, "[\"next\"]"));
		if (n % 4 == 0) {
			restart(&t);
			EXPECT(shows(&t, text) == (st == ST_OK));
			whole(&t);
		}
	}
	EXPECT(n > 3 && n < TRIES);
	restart(&t);
	whole(&t);
	sync_whole(&t);
	end(&t);
}

/* Catches a sync that loses what came, an acknowledgement that is not kept and
 * not asked for again, a cursor ahead of its record. */
static void
test_agent_sync_on_a_failing_disk(void **state)
{
	struct trial t;
	char other[REC_LEN + 1];
	uint64_t n = 1;
	bool hit = true;

	(void)state;
	begin_joined(&t);
	(void)bureau_join(&t.b, 1, "p002", "jia");
	for (; hit && n < TRIES; n++) {
		struct agent_sync_result r;
		struct buf b;
		enum status st;

		EXPECT_OK(bureau_note(t.a, t.rec, "[\"more\"]"));
		bureau_record(
		    t.b.hand[1].a, "search", "target", "[\"x\"]", other);
		bureau_sync(&t.b, 1);
		order(&t, n, n % 2 == 0 ? FAULT_FULL : FAULT_IOERR);
		do {
			st = agent_sync(t.a, &r);
		} while (st == ST_OK && r.more);
		hit = struck(&t);
		told(&t, st, hit, n);
		EXPECT(!r.alarmed || st != ST_OK);
		if (n % 3 == 0)
			restart(&t);
		sync_whole(&t);
		buf_init(&b, 1 << 20);
		EXPECT_OK(agent_state(t.a, other, &b));
		buf_reset(&b);
		EXPECT_OK(agent_status(t.a, &b));
		EXPECT(strstr(buf_cstr(&b), "\"queued\":0") != NULL);
		EXPECT(strstr(buf_cstr(&b), "\"alarms\":0") != NULL);
		buf_free(&b);
	}
	EXPECT(n > 3 && n < TRIES);
	whole(&t);
	end(&t);
}

/* Catches a handheld that is stranded half-way into a court: the same code
 * must bring it in, and as the device that it was. */
static void
test_agent_enrol_on_a_failing_disk(void **state)
{
	uint64_t n = 1;
	bool hit = true;

	(void)state;
	for (; hit && n < TRIES; n++) {
		struct trial t;
		struct buf code;
		enum status st;

		begin(&t);
		buf_init(&code, 4096);
		code_for(&t, &code);
		order(&t, n, FAULT_IOERR);
		st = agent_enrol(t.a, buf_view(&code), bytes_str(bureau_pass));
		hit = struck(&t);
		told(&t, st, hit, n);
		if (st != ST_OK) {
			agent_close(t.a);
			EXPECT_OK(agent_open(&t.a, &t.config));
			st = agent_enrol(
			    t.a, buf_view(&code), bytes_str(bureau_pass));
			if (st != ST_OK)
				fail_msg("after operation %llu: %s: %s",
				    (unsigned long long)n, status_name(st),
				    agent_error_en(t.a));
		}
		bureau_record(t.a, "search", "target", "[\"a\"]", t.rec);
		sync_whole(&t);
		restart(&t);
		whole(&t);
		buf_free(&code);
		end(&t);
	}
	EXPECT(n > 3 && n < TRIES);
}

/* Catches an alarm's answer or a purge that is half done. */
static void
test_agent_answers_and_purges_on_a_failing_disk(void **state)
{
	struct trial t;
	uint64_t n = 1, purged = 0;
	bool hit = true;

	(void)state;
	begin_joined(&t);
	sync_whole(&t);
	for (; hit && n < TRIES; n++) {
		enum status st;

		order(&t, n, FAULT_IOERR);
		st = agent_purge(t.a, UINT64_MAX, &purged);
		if (st == ST_OK)
			st = agent_screen_pin(t.a, bytes_str("1234"));
		if (st == ST_OK)
			st = agent_officer_add(t.a, "second",
			    bytes_str("another passphrase entirely"));
		hit = struck(&t);
		told(&t, st, hit, n);
		if (st == ST_OK)
			EXPECT_OK(agent_officer_remove(t.a, "second"));
		else if (agent_officer_remove(t.a, "second") == ST_OK)
			EXPECT(hit);
		restart(&t);
		EXPECT(shows(&t, "before"));
		whole(&t);
	}
	EXPECT(n > 3 && n < TRIES);
	end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agent_append_on_a_failing_disk),
		cmocka_unit_test(test_agent_sync_on_a_failing_disk),
		cmocka_unit_test(test_agent_enrol_on_a_failing_disk),
		cmocka_unit_test(
		    test_agent_answers_and_purges_on_a_failing_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
