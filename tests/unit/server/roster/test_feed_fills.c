/*
 * The feed, where bytes come later than their place, and where it is made anew.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/roster/feed.h"
#include "server/roster/roster.h"
#include "support/court.h"

struct team {
	struct court ct;
	struct roster *roster;
	struct feed *feed;
	struct handheld h;
};

static enum status
no_records(
    void *arg, const uint8_t scope[ID_LEN], roster_rec_fn fn, void *fn_arg)
{
	(void)arg;
	(void)scope;
	(void)fn;
	(void)fn_arg;
	return ST_OK;
}

static struct feed *
open_feed(struct team *t)
{
	struct feed_config fc = { .centre = t->ct.c, .roster = t->roster };
	struct feed *f = NULL;

	EXPECT_OK(feed_open(&f, &fc));
	return f;
}

static void
follow(struct feed *f)
{
	uint64_t done;

	/* Twice: what it commits itself is followed by the next call. */
	EXPECT_OK(feed_follow(f, 0, &done));
	EXPECT_OK(feed_follow(f, 0, &done));
}

static int
start(void **state)
{
	struct team *t = calloc(1, sizeof(*t));
	struct roster_person p = { .id = "p001", .name = "n", .team = "A" };
	struct roster_enrol e = { .person = "p001",
		.name = "n",
		.role = "judge",
		.team = "A",
		.from_ms = 1,
		.until_ms = UINT32_MAX,
		.code = "00" };
	uint64_t place;

	if (t == NULL)
		return -1;
	court_make(&t->ct);
	EXPECT_OK(roster_open(&t->roster, t->ct.c));
	t->feed = open_feed(t);
	court_handheld(&t->ct, &t->h, 5);
	EXPECT_OK(roster_person_put(t->roster, &p, NULL, no_records, NULL));
	memcpy(e.key, t->h.key, PUBKEY_LEN);
	EXPECT_OK(roster_enrol(t->roster, &e, &place));
	follow(t->feed);
	*state = t;
	return 0;
}

static int
finish(void **state)
{
	struct team *t = *state;

	handheld_free(&t->h);
	feed_close(t->feed);
	ingest_free(t->ct.in);
	t->ct.in = NULL;
	centre_close(t->ct.c);
	roster_close(t->roster);
	hand_request_free(&t->ct.rq);
	tmpdir_remove(&t->ct.dir);
	free(t);
	return 0;
}

static size_t
places_of(struct team *t, const char *rec)
{
	uint64_t place[64];
	size_t n;

	EXPECT_OK(feed_record(feed_inside(t->feed), rec, 0, place, 64, &n));
	return n;
}

/* Catches a command that only opens the court, and asks once more for every
 * record to join its scope: an entry a record, each time. */
static void
test_feed_made_anew_asks_for_nothing(void **state)
{
	struct team *t = *state;
	struct feed *other;
	uint64_t size;

	handheld_write(&t->h, 9);
	EXPECT(court_send(&t->ct, &t->h, 1, 9).status == ACK_TAKEN);
	size = court_size(&t->ct);
	follow(t->feed);
	EXPECT(court_size(&t->ct) == size + HANDHELD_RECORDS + 1);
	size = court_size(&t->ct);
	other = open_feed(t);
	follow(other);
	EXPECT(court_size(&t->ct) == size);
	feed_close(other);
}

static void
expect_anew_is_silent(struct team *t)
{
	struct feed *other = open_feed(t);
	uint64_t size = court_size(&t->ct);

	follow(other);
	EXPECT(court_size(&t->ct) == size);
	feed_close(other);
}

static void
put_person(struct team *t, const char *id, const char *team)
{
	struct roster_person p = { .name = "n" };

	(void)snprintf(p.id, sizeof(p.id), "%s", id);
	(void)snprintf(p.team, sizeof(p.team), "%s", team);
	EXPECT_OK(roster_person_put(t->roster, &p, NULL, no_records, NULL));
}

static void
enrol(struct team *t, const struct handheld *h, const char *person,
    const char *team, const char *code)
{
	struct roster_enrol e = { .person = person,
		.name = "n",
		.role = "judge",
		.team = team,
		.from_ms = 1,
		.until_ms = UINT32_MAX,
		.code = code };
	uint64_t place;

	memcpy(e.key, h->key, PUBKEY_LEN);
	EXPECT_OK(roster_enrol(t->roster, &e, &place));
}

struct member {
	const char *rec;
	bool found;
};

static enum status
is_it(void *arg, const char *rec)
{
	struct member *m = arg;

	m->found = m->found || strcmp(rec, m->rec) == 0;
	return ST_OK;
}

static bool
stands_in(struct team *t, const char *team, const char *rec)
{
	struct member m = { .rec = rec };
	char scope[REC_LEN + 1];
	uint8_t id[ID_LEN];

	EXPECT_OK(roster_team_scope(t->roster, team, scope));
	EXPECT_OK(roster_scope_id(id, scope));
	EXPECT_OK(feed_records_of(feed_inside(t->feed), id, is_it, &m));
	return m.found;
}

/* Catches records that a handheld brought before it was confirmed, and which
 * no colleague ever sees, until a feed made anew puts them into the scope. */
static void
test_what_came_before_its_device_was_known_joins_afterwards(void **state)
{
	struct team *t = *state;
	struct handheld late;
	uint64_t size;

	court_handheld(&t->ct, &late, 6);
	handheld_write(&late, 9);
	EXPECT(court_send(&t->ct, &late, 1, 9).status == ACK_TAKEN);
	size = court_size(&t->ct);
	follow(t->feed);
	EXPECT(court_size(&t->ct) == size);
	expect_anew_is_silent(t);
	enrol(t, &late, "p002", "A", "01");
	follow(t->feed);
	for (size_t i = 0; i < HANDHELD_RECORDS; i++)
		EXPECT(stands_in(t, "A", late.rec[i]));
	expect_anew_is_silent(t);
	handheld_free(&late);
}

/* Catches the same where the person, or the person's team, comes later. */
static void
test_a_record_waits_for_a_team_and_for_its_scope(void **state)
{
	struct team *t = *state;
	struct handheld none, named;

	court_handheld(&t->ct, &none, 6);
	court_handheld(&t->ct, &named, 7);
	put_person(t, "p002", "");
	enrol(t, &none, "p002", "", "01");
	enrol(t, &named, "p003", "C", "02");
	handheld_write(&none, 9);
	handheld_write(&named, 9);
	EXPECT(court_send(&t->ct, &none, 1, 9).status == ACK_TAKEN);
	EXPECT(court_send(&t->ct, &named, 1, 9).status == ACK_TAKEN);
	follow(t->feed);
	expect_anew_is_silent(t);
	put_person(t, "p002", "B");
	follow(t->feed);
	EXPECT(stands_in(t, "B", none.rec[1]));
	EXPECT(!stands_in(t, "B", named.rec[1]));
	expect_anew_is_silent(t);
	put_person(t, "p004", "C");
	follow(t->feed);
	EXPECT(stands_in(t, "C", named.rec[1]));
	expect_anew_is_silent(t);
	/* It joined, once and for all: people move, it stays. */
	put_person(t, "p002", "C");
	handheld_write(&none, 3);
	EXPECT(court_send(&t->ct, &none, 10, 12).status == ACK_TAKEN);
	follow(t->feed);
	EXPECT(!stands_in(t, "C", none.rec[1]));
	expect_anew_is_silent(t);
	handheld_free(&none);
	handheld_free(&named);
}

/* Catches a record that goes to whoever's chain has the lesser number, and one
 * that stays out because the first who wrote in it cannot be named. */
static void
test_the_first_writer_whose_team_is_known_decides(void **state)
{
	struct team *t = *state;
	struct handheld x, y[2];
	int first;

	court_handheld(&t->ct, &x, 6);
	put_person(t, "p002", "B0");
	put_person(t, "p003", "B1");
	put_person(t, "p004", "C");
	for (int k = 0; k < 2; k++) {
		court_handheld(&t->ct, &y[k], 7 + (uint64_t)k);
		enrol(t, &y[k], k == 0 ? "p002" : "p003", "",
		    k == 0 ? "01" : "02");
		/* All in the same records. */
		memcpy(y[k].rec, x.rec, sizeof(x.rec));
		handheld_write(&y[k], 9);
	}
	handheld_write(&x, 9);
	/* The chain of the greater number comes first, behind the unknown. */
	first = memcmp(y[0].chain, y[1].chain, CHAIN_LEN) > 0 ? 0 : 1;
	EXPECT(court_send(&t->ct, &x, 1, 9).status == ACK_TAKEN);
	EXPECT(court_send(&t->ct, &y[first], 1, 9).status == ACK_TAKEN);
	EXPECT(court_send(&t->ct, &y[1 - first], 1, 9).status == ACK_TAKEN);
	follow(t->feed);
	EXPECT(stands_in(t, first == 0 ? "B0" : "B1", x.rec[0]));
	EXPECT(!stands_in(t, first == 0 ? "B1" : "B0", x.rec[0]));
	expect_anew_is_silent(t);
	enrol(t, &x, "p004", "C", "03");
	follow(t->feed);
	EXPECT(!stands_in(t, "C", x.rec[0]));
	expect_anew_is_silent(t);
	handheld_free(&x);
	handheld_free(&y[0]);
	handheld_free(&y[1]);
}

/* Mark entries of a record lost, but for the first `keep`; how many there are
 * of it. */
static size_t
lose(struct handheld *h, const char *rec, size_t keep)
{
	size_t n = 0;

	for (size_t i = 0; i < h->count; i++) {
		struct bytes raw = h->entry[i].raw;

		if (memmem(raw.p, raw.len, rec, REC_LEN) == NULL)
			continue;
		if (n++ >= keep)
			h->entry[i].form = WIRE_LOST;
	}
	return n;
}

/* Catches an entry that was lost on its handheld, came later, and is in no
 * record and no stream. */
static void
test_feed_takes_in_what_was_filled(void **state)
{
	struct team *t = *state;
	struct feed *other;
	uint64_t size;
	size_t n0, n1;

	handheld_write(&t->h, 30);
	n0 = lose(&t->h, t->h.rec[0], 0);
	n1 = lose(&t->h, t->h.rec[1], 1);
	EXPECT(n0 > 1 && n1 > 1);
	EXPECT(court_send(&t->ct, &t->h, 1, 30).status == ACK_TAKEN);
	follow(t->feed);
	EXPECT(places_of(t, t->h.rec[0]) == 0);
	EXPECT(places_of(t, t->h.rec[1]) == 1);
	for (size_t i = 0; i < 30; i++)
		t->h.entry[i].form = WIRE_WHOLE;
	size = court_size(&t->ct);
	EXPECT(court_send(&t->ct, &t->h, 1, 30).status == ACK_TAKEN);
	/* Each place that was filled is said in the log. */
	EXPECT(court_size(&t->ct) == size + n0 + n1 - 1 + 1);
	size = court_size(&t->ct);
	follow(t->feed);
	EXPECT(places_of(t, t->h.rec[0]) == n0);
	EXPECT(places_of(t, t->h.rec[1]) == n1);
	EXPECT(feed_fill(t->feed) == n0 + n1 - 1);
	/* Record 0 joins; record 1 leaves and joins; each with its commit. */
	EXPECT(court_size(&t->ct) == size + 1 + 1 + 2 + 1);
	size = court_size(&t->ct);
	follow(t->feed);
	other = open_feed(t);
	follow(other);
	EXPECT(court_size(&t->ct) == size);
	feed_close(other);
}

struct said {
	uint64_t first, last;
	size_t count;
	const struct handheld *h;
};

static enum status
hear(void *arg, const struct feed_said *s)
{
	struct said *x = arg;
	bool known = false;

	for (size_t i = 0; i < HANDHELD_RECORDS; i++)
		known = known || memcmp(s->rec, x->h->rec[i], REC_LEN) == 0;
	if (s->is != FEED_SAID_DEVICE)
		return ST_OK;
	EXPECT(!s->print);
	EXPECT(known && (x->count == 0 || s->place > x->last));
	if (x->count++ == 0)
		x->first = s->place;
	x->last = s->place;
	return ST_OK;
}

/* Catches a projection that folds not every record which an entry came for: one
 * passed over at the edge of what is remembered, or remembered though its batch
 * did not stand. */
static void
test_feed_remembers_whose_the_latest_entries_are(void **state)
{
	struct team *t = *state;
	struct said x = { .h = &t->h };
	uint64_t from = feed_size(t->feed), to;
	struct feed *other;
	enum status st;

	handheld_write(&t->h, 9);
	EXPECT(court_send(&t->ct, &t->h, 1, 5).status == ACK_TAKEN);
	follow(t->feed);
	EXPECT(court_send(&t->ct, &t->h, 6, 9).status == ACK_TAKEN);
	follow(t->feed);
	to = feed_size(t->feed);
	EXPECT(feed_said(t->feed, from, to, hear, &x, &st));
	EXPECT(st == ST_OK && x.count == 9);
	/* A part of it, and more than is known. */
	to = x.last;
	x.count = 0;
	EXPECT(feed_said(t->feed, x.first + 1, to, hear, &x, &st));
	EXPECT(x.count == 7);
	EXPECT(
	    !feed_said(t->feed, from, feed_size(t->feed) + 1, hear, &x, &st));
	other = open_feed(t);
	EXPECT(!feed_said(other, from, to, hear, &x, &st));
	follow(other);
	x.count = 0;
	EXPECT(feed_said(other, 0, feed_size(other), hear, &x, &st));
	EXPECT(x.count == 9);
	feed_close(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_feed_made_anew_asks_for_nothing, start, finish),
		cmocka_unit_test_setup_teardown(
		    test_what_came_before_its_device_was_known_joins_afterwards,
		    start, finish),
		cmocka_unit_test_setup_teardown(
		    test_a_record_waits_for_a_team_and_for_its_scope, start,
		    finish),
		cmocka_unit_test_setup_teardown(
		    test_the_first_writer_whose_team_is_known_decides, start,
		    finish),
		cmocka_unit_test_setup_teardown(
		    test_feed_takes_in_what_was_filled, start, finish),
		cmocka_unit_test_setup_teardown(
		    test_feed_remembers_whose_the_latest_entries_are, start,
		    finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
