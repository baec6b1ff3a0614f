/*
 * The feed, where bytes come later than their place, and where it is made anew.
 */
#include <stdlib.h>

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
		    test_feed_takes_in_what_was_filled, start, finish),
		cmocka_unit_test_setup_teardown(
		    test_feed_remembers_whose_the_latest_entries_are, start,
		    finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
