/*
 * check: every fault with its place, and what to do; nothing where all is well.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/db.h"
#include "server/upkeep/check.h"
#include "support/court.h"

static int
start(void **state)
{
	struct court *ct = calloc(1, sizeof(*ct));

	if (ct == NULL)
		return -1;
	court_make(ct);
	*state = ct;
	return 0;
}

static int
finish(void **state)
{
	court_end(*state);
	free(*state);
	return 0;
}

/* Orders: entries of the centre's own, so that no device is needed. */
static void
fill(struct court *ct, int commits)
{
	const struct bytes on[] = { bytes_str("to"), bytes_str("title"),
		bytes_str("text") };

	for (int i = 0; i < commits; i++) {
		struct server_entry e = { .kind = "order@1",
			.verb = DO_OPEN,
			.on = on,
			.on_count = 3,
			.data = bytes_str("[\"all\",\"t\",\"x\"]") };
		struct commit_job job = { .entry = &e, .entry_count = 1 };

		EXPECT_OK(committer_wait(centre_committer(ct->c), &job));
	}
}

struct seen {
	size_t count, of[4];
	uint64_t place; /* of the first that has one */
	bool has_place;
};

static void
see(void *arg, const struct check_fault *f)
{
	struct seen *s = arg;

	s->count++;
	s->of[f->area]++;
	EXPECT(f->zh[0] != '\0' && f->en[0] != '\0');
	EXPECT(f->do_zh[0] != '\0' && f->do_en[0] != '\0');
	if (f->has_place && !s->has_place)
		s->place = f->place;
	s->has_place = s->has_place || f->has_place;
}

static struct seen
look(struct court *ct, enum status want)
{
	struct check_config cfg = { .dir = ct->dir.path,
		.port = &ct->clock.port };
	struct check_done done;
	struct seen s = { 0 };

	EXPECT_ST(check_court(&cfg, see, &s, &done), want);
	EXPECT(done.n.faults == s.count);
	return s;
}

static void
change(struct court *ct, const char *name, const char *sql)
{
	struct db_config dc = { .path = tmpdir_file(&ct->dir, name),
		.create = true,
		.busy_ms = 1000 };
	struct db *d;

	EXPECT_OK(db_open(&d, &dc));
	EXPECT_OK(db_exec(d, sql));
	db_close(d);
}

/* Catches a check that cries wolf, with the court open beside it. */
static void
test_check_court_says_nothing_of_a_sound_one(void **state)
{
	struct court *ct = *state;
	struct seen s;

	fill(ct, 300);
	s = look(ct, ST_OK);
	EXPECT(s.count == 0);
}

/* Catches a changed byte that is not named, and one told twice. */
static void
test_check_court_names_a_changed_entry(void **state)
{
	struct court *ct = *state;
	struct seen s;

	fill(ct, 20);
	change(ct, "store.db",
	    "UPDATE entries SET bytes = replace(CAST(bytes AS TEXT),"
	    " '\"by\":\"daybreak\"', '\"by\":\"daybreek\"') WHERE place = 7");
	s = look(ct, ST_CORRUPT);
	EXPECT(s.has_place && s.place == 7);
	EXPECT(s.of[CHECK_STORE] > 0);
}

/* Catches a centre that does not open and so says no place at all. */
static void
test_check_court_reads_on_where_it_does_not_open(void **state)
{
	struct court *ct = *state;
	struct seen s;

	fill(ct, 20);
	court_close(ct);
	change(ct, "store.db",
	    "UPDATE entries SET link = zeroblob(32) WHERE place = 9");
	s = look(ct, ST_CORRUPT);
	EXPECT(s.has_place && (s.place == 9 || s.place == 10));
	change(ct, "store.db", "DELETE FROM entries WHERE place = 9");
	s = look(ct, ST_CORRUPT);
	EXPECT(s.has_place && s.place >= 8 && s.place <= 10);
	/* So that finish has something to close. */
	ct->in = NULL;
}

/* Catches keys that others may read, that are gone, or of another court. */
static void
test_check_court_looks_after_the_keys(void **state)
{
	struct court *ct = *state;
	const char *key = tmpdir_file(&ct->dir, "keys/ca.key");
	struct seen s;
	uint8_t other[] = "00112233445566778899aabbccddeeff"
			  "00112233445566778899aabbccddeeff\n";

	EXPECT(chmod(key, 0644) == 0);
	s = look(ct, ST_CORRUPT);
	EXPECT(s.of[CHECK_KEYS] == 1 && s.count == 1);
	EXPECT(chmod(key, 0600) == 0);
	EXPECT_OK(
	    port_write_file(port_system(), tmpdir_file(&ct->dir, "keys/log"),
		bytes_of(other, sizeof(other) - 1), true));
	s = look(ct, ST_CORRUPT);
	EXPECT(s.of[CHECK_KEYS] == 1 && s.count == 1);
	EXPECT(unlink(tmpdir_file(&ct->dir, "keys/log")) == 0);
	s = look(ct, ST_CORRUPT);
	EXPECT(s.of[CHECK_KEYS] >= 1);
}

/* Catches a projection that is ahead of the log, or no database. */
static void
test_check_court_looks_at_the_projections(void **state)
{
	struct court *ct = *state;
	struct seen s;

	change(ct, "feed.db",
	    "CREATE TABLE pos(size INTEGER); INSERT INTO pos VALUES(1)");
	s = look(ct, ST_OK);
	EXPECT(s.count == 0);
	change(ct, "feed.db", "UPDATE pos SET size = 1000");
	s = look(ct, ST_CORRUPT);
	EXPECT(s.of[CHECK_PROJECTIONS] == 1 && s.count == 1);
	EXPECT_OK(
	    port_write_file(port_system(), tmpdir_file(&ct->dir, "project.db"),
		bytes_str("no database"), false));
	s = look(ct, ST_CORRUPT);
	EXPECT(s.of[CHECK_PROJECTIONS] == 2);
}

static void
test_check_court_where_there_is_none(void **state)
{
	struct check_config cfg = { .dir = "/nowhere", .port = port_system() };
	struct check_done done;
	struct seen s = { 0 };

	(void)state;
	EXPECT_ST(check_court(&cfg, see, &s, &done), ST_ABSENT);
	EXPECT(s.count == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_check_court_says_nothing_of_a_sound_one, start,
		    finish),
		cmocka_unit_test_setup_teardown(
		    test_check_court_names_a_changed_entry, start, finish),
		cmocka_unit_test_setup_teardown(
		    test_check_court_reads_on_where_it_does_not_open, start,
		    finish),
		cmocka_unit_test_setup_teardown(
		    test_check_court_looks_after_the_keys, start, finish),
		cmocka_unit_test_setup_teardown(
		    test_check_court_looks_at_the_projections, start, finish),
		cmocka_unit_test(test_check_court_where_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
