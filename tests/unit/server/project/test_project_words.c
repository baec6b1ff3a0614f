/* The search of the projections: what is written now is found, what was written
 * over is not. */
#include <string.h>

#include "base/enc.h"
#include "server/project/project.h"
#include "support/court.h"

struct fixture {
	struct court ct;
	struct handheld h;
	struct roster *roster;
	struct feed *feed;
	struct feed_reader *fr;
	struct kinds *kinds;
	struct rules *rules;
	struct project *p;
	struct project_reader *r;
};

static void
setup(struct fixture *f)
{
	struct feed_config fc = { .path = NULL };
	struct project_config pc = { .utc_offset_min = 480 };

	memset(f, 0, sizeof(*f));
	court_make(&f->ct);
	court_handheld(&f->ct, &f->h, 7);
	EXPECT_OK(roster_open(&f->roster, f->ct.c));
	fc.path = tmpdir_file(&f->ct.dir, "feed.db");
	fc.centre = f->ct.c;
	fc.roster = f->roster;
	EXPECT_OK(feed_open(&f->feed, &fc));
	EXPECT_OK(feed_reader_open(&f->fr, f->feed));
	EXPECT_OK(kinds_load_builtin(&f->kinds));
	EXPECT_OK(rules_load_builtin(&f->rules, f->kinds));
	pc.path = tmpdir_file(&f->ct.dir, "project.db");
	pc.centre = f->ct.c;
	pc.feed = f->feed;
	pc.roster = f->roster;
	pc.feed_reader = f->fr;
	pc.kinds = f->kinds;
	pc.rules = f->rules;
	EXPECT_OK(project_open(&f->p, &pc));
	EXPECT_OK(project_reader_open(&f->r, f->p));
}

static void
teardown(struct fixture *f)
{
	project_reader_close(f->r);
	project_close(f->p);
	feed_reader_close(f->fr);
	feed_close(f->feed);
	rules_free(f->rules);
	kinds_free(f->kinds);
	handheld_free(&f->h);
	court_close(&f->ct);
	roster_close(f->roster);
	court_end(&f->ct);
}

/* Write, send and follow `count` entries. */
static void
write_on(struct fixture *f, size_t count)
{
	uint64_t first = f->h.count + 1, done;

	handheld_write(&f->h, count);
	EXPECT(
	    court_send(&f->ct, &f->h, first, f->h.count).status == ACK_TAKEN);
	EXPECT_OK(feed_follow(f->feed, 0, &done));
	EXPECT_OK(project_follow(f->p, 0, &done));
}

/* The text of the last entry written, twelve letters of it. */
static void
last_text(const struct fixture *f, char out[13])
{
	struct bytes raw = f->h.entry[f->h.count - 1].raw;
	const char *at = memmem(raw.p, raw.len, "\"data\":[\"", 9);

	EXPECT(at != NULL);
	memcpy(out, at + 15, 12);
	out[12] = '\0';
}

static size_t
found(struct fixture *f, const char *words)
{
	struct project_query q = { .q = words };
	size_t n = 0;
	struct buf b;

	buf_init(&b, 1 << 20);
	EXPECT_OK(project_records(f->r, &q, &b));
	for (size_t i = 0; i + 6 < b.len; i++)
		n += memcmp(b.p + i, "\"rec\":", 6) == 0;
	buf_free(&b);
	return n;
}

/* Would catch: a record's words not indexed, indexed twice, or still found
 * after they were written over, in the same batch or in a later one. */
static void
test_project_finds_what_is_written_now(void **state)
{
	struct fixture f;
	char old[13], now[13];

	(void)state;
	setup(&f);
	write_on(&f, 1);
	last_text(&f, old);
	EXPECT(found(&f, old) == 1);
	EXPECT(found(&f, f.h.rec[0]) + found(&f, f.h.rec[1]) +
		   found(&f, f.h.rec[2]) ==
	       1);
	/* All three records are written over, many times in one batch. */
	write_on(&f, 40);
	EXPECT(found(&f, old) == 0);
	last_text(&f, now);
	EXPECT(found(&f, now) == 1);
	for (size_t i = 0; i < HANDHELD_RECORDS; i++)
		EXPECT(found(&f, f.h.rec[i]) == 1);
	write_on(&f, 40);
	EXPECT(found(&f, now) == 0);
	EXPECT(found(&f, "no such words") == 0);
	teardown(&f);
}

/* Written, sent and followed, and the words left for later. */
static void
write_unindexed(struct fixture *f, size_t count)
{
	uint64_t first = f->h.count + 1, done;

	handheld_write(&f->h, count);
	EXPECT(
	    court_send(&f->ct, &f->h, first, f->h.count).status == ACK_TAKEN);
	EXPECT_OK(feed_follow(f->feed, 0, &done));
	EXPECT_OK(project_follow(f->p, 1000, &done));
	EXPECT(done > 0);
}

/* Would catch: a search that is behind the list because the index is, or finds
 * what was written over since; a record indexed twice or never; a count of what
 * waits that drifts. */
static void
test_project_finds_what_is_not_indexed_yet(void **state)
{
	struct fixture f;
	char old[13], now[13];

	(void)state;
	setup(&f);
	write_on(&f, 3);
	EXPECT(project_waiting(f.p) == 0);
	last_text(&f, old);
	EXPECT(found(&f, old) == 1);
	for (int round = 0; round < 2; round++) {
		write_unindexed(&f, 30); /* all three records, many times */
		last_text(&f, now);
		EXPECT(project_waiting(f.p) == HANDHELD_RECORDS);
		EXPECT(found(&f, now) == 1 && found(&f, old) == 0);
		EXPECT(found(&f, "zz") == 0); /* too short for a trigram */
	}
	for (size_t left = HANDHELD_RECORDS; left > 0; left--) {
		EXPECT(project_waiting(f.p) == left);
		EXPECT_OK(project_index(f.p, 1));
		EXPECT(found(&f, now) == 1 && found(&f, old) == 0);
		for (size_t i = 0; i < HANDHELD_RECORDS; i++)
			EXPECT(found(&f, f.h.rec[i]) == 1);
	}
	EXPECT(project_waiting(f.p) == 0);
	EXPECT_OK(project_index(f.p, 1));
	teardown(&f);
}

/* Would catch: a projection that reads a log or a feed which moved on under
 * it, or holds what it read for ever. */
static void
test_project_follows_step_by_step(void **state)
{
	struct project_sums sums;
	struct fixture f;

	(void)state;
	setup(&f);
	for (size_t i = 1; i <= 20; i++) {
		write_on(&f, 3);
		EXPECT_OK(project_sums(f.r, &sums));
		EXPECT(sums.entries == 3 * i);
		EXPECT(sums.position == court_size(&f.ct));
	}
	teardown(&f);
}

/*
 * Would catch: a record that is opened by hand and lacks what was acknowledged
 * a moment ago, because lists have not followed yet; one told as absent, or as
 * it was, where so much is not followed that nobody has looked.
 */
static void
test_one_record_is_never_behind(void **state)
{
	struct fixture f;
	struct fold_config fc = { .tail_max = 1000 };
	struct fold *now, *known, *lazy;
	struct centre_reader *reader;
	struct buf state_now;
	uint64_t done;

	(void)state;
	setup(&f);
	buf_init(&state_now, 1 << 20);
	EXPECT_OK(centre_reader_open(&reader, f.ct.c));
	fc.kinds = f.kinds;
	fc.rules = f.rules;
	fc.reader = reader;
	fc.feed = f.fr;
	EXPECT_OK(fold_new(&now, &fc));
	fc.tail_max = 3;
	EXPECT_OK(fold_new(&lazy, &fc));
	fc.tail_max = 0;
	EXPECT_OK(fold_new(&known, &fc));
	write_on(&f, 6);
	handheld_write(&f.h, 6);
	EXPECT(court_send(&f.ct, &f.h, 7, 12).status == ACK_TAKEN);
	for (size_t i = 0; i < HANDHELD_RECORDS; i++) {
		size_t before;

		EXPECT_OK(fold_load(known, f.h.rec[i], 1));
		before = fold_count(known);
		EXPECT_OK(fold_load(now, f.h.rec[i], 1));
		EXPECT(fold_count(now) > before);
		EXPECT_ST(fold_load(lazy, f.h.rec[i], 1), ST_AGAIN);
	}
	buf_bytes(&state_now, fold_state_bytes(now));
	EXPECT_OK(feed_follow(f.feed, 0, &done));
	EXPECT_OK(fold_load(known, f.h.rec[HANDHELD_RECORDS - 1], 1));
	EXPECT_BYTES(buf_view(&state_now), fold_state_bytes(known));
	EXPECT_OK(fold_load(lazy, f.h.rec[0], 1));
	buf_free(&state_now);
	fold_free(now);
	fold_free(lazy);
	fold_free(known);
	centre_reader_close(reader);
	teardown(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_project_finds_what_is_written_now),
		cmocka_unit_test(test_project_follows_step_by_step),
		cmocka_unit_test(test_project_finds_what_is_not_indexed_yet),
		cmocka_unit_test(test_one_record_is_never_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
