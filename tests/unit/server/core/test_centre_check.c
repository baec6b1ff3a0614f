/*
 * The centre's own check must name what somebody changed behind its back.
 */
#include <stdio.h>
#include <stdlib.h>

#include "db/db.h"
#include "support/court.h"
#include "support/court_verify.h"

struct seen {
	size_t count;
	uint64_t place; /* of the first fault */
	char words[256];
};

static void
see(void *arg, uint64_t place, const char *words)
{
	struct seen *s = arg;

	if (s->count++ == 0) {
		s->place = place;
		(void)snprintf(s->words, sizeof(s->words), "%s", words);
	}
}

/* A court with pieces, a fork, a hole, and more than one full tile. */
static void
fill(struct court *ct)
{
	struct handheld h, copy;
	struct ingest_device dev;
	struct wire_piece *p;

	court_handheld(ct, &h, 1);
	handheld_write(&h, 290);
	handheld_copy(&copy, &h);
	handheld_write(&h, 40);
	handheld_write(&copy, 10);
	(void)court_send(ct, &h, 1, 300);
	EXPECT(court_send(ct, &copy, 291, 300).status == ACK_HELD);
	dev = court_device(&h);
	p = hand_piece(&ct->rq, &h, 321, 330);
	p->has_base = p->hole = true;
	EXPECT_OK(court_send_as(ct, &dev));
	handheld_free(&h);
	handheld_free(&copy);
}

/* Change the store by hand, and look. */
static struct seen
look_after(const char *sql)
{
	struct court *ct = calloc(1, sizeof(*ct));
	struct db_config dc = { .busy_ms = 1000 };
	struct seen seen = { 0 };
	struct centre_checked n;
	struct db *d;
	enum status st;

	EXPECT(ct != NULL);
	court_make(ct);
	fill(ct);
	dc.path = tmpdir_file(&ct->dir, "store.db");
	EXPECT_OK(db_open(&d, &dc));
	EXPECT_OK(db_exec(d, sql));
	db_close(d);
	st = centre_check(ct->c, see, &seen, &n);
	EXPECT(st == (seen.count == 0 ? ST_OK : ST_CORRUPT));
	EXPECT(n.faults == seen.count);
	court_end(ct);
	free(ct);
	return seen;
}

static void
test_check_says_nothing_of_a_sound_store(void **state)
{
	struct seen s = look_after("SELECT 1");

	(void)state;
	EXPECT(s.count == 0);
}

static void
named(const char *sql, uint64_t place)
{
	struct seen s = look_after(sql);

	if (s.count == 0 || s.place != place)
		fprintf(stderr, "%s\n  %zu faults, first at %" PRIu64 ": %s\n",
		    sql, s.count, s.place, s.words);
	EXPECT(s.count > 0);
	EXPECT(s.place == place);
}

static void
test_check_names_what_was_changed(void **state)
{
	(void)state;
	named("UPDATE entries SET bytes = CAST(replace(CAST(bytes AS TEXT),"
	      " '\"by\":\"officer-1\"', '\"by\":\"officer-2\"') AS BLOB)"
	      " WHERE place = 77",
	    77);
	named("UPDATE entries SET link = zeroblob(32) WHERE place = 5", 5);
	named("DELETE FROM entries WHERE place = 100", 100);
	named("DELETE FROM entries WHERE place > 150", 151);
	named("UPDATE entries SET seq = seq + 1000 WHERE place = 9", 9);
}

static void
test_check_names_commits_chains_tiles(void **state)
{
	struct seen s;

	(void)state;
	s = look_after("DELETE FROM tiles");
	EXPECT(s.count == 1);
	s = look_after("UPDATE tiles SET hashes = zeroblob(8192)");
	EXPECT(s.count >= 1);
	s = look_after("UPDATE chains SET last_seq = last_seq + 1");
	EXPECT(s.count == 3); /* two branches, and the centre's own */
	s = look_after("UPDATE commits SET sig = zeroblob(64)");
	EXPECT(s.count >= 3);
	s = look_after("UPDATE chains SET base_link = zeroblob(32)");
	EXPECT(s.count >= 3);
	s = look_after("UPDATE commits SET wall = wall + 1 WHERE place = 1");
	EXPECT(s.count == 1 && s.place == 1);
	s = look_after("UPDATE pieces SET line = zeroblob(144)");
	EXPECT(s.count >= 3);
	s = look_after("DELETE FROM pieces");
	EXPECT(s.count >= 3);
	s = look_after("UPDATE head SET root = zeroblob(32)");
	EXPECT(s.count == 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_says_nothing_of_a_sound_store),
		cmocka_unit_test(test_check_names_what_was_changed),
		cmocka_unit_test(test_check_names_commits_chains_tiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
