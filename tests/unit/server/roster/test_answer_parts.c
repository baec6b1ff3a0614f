/* What a device is told of its scopes. */
#include "server/roster/batch.h"
#include "support/bureau.h"

/* `link REC word` on the scope that the team has now. */
static void
link_word(struct bureau *b, const char *team, const char *rec, const char *word)
{
	char scope[REC_LEN + 1];
	uint8_t head[ID_LEN];
	struct batch_entry *x;
	struct batch bt;

	EXPECT_OK(roster_team_scope(b->roster, team, scope));
	EXPECT_OK(roster_head_of(b->roster, scope, head));
	batch_init(&bt);
	x = batch_add(&bt, scope, "scope@1", DO_LINK, "chief");
	batch_after(x, head);
	batch_name(x, rec);
	batch_name(x, word);
	EXPECT_OK(batch_commit(&bt, b->ct.c, NULL, NULL));
	batch_free(&bt);
	bureau_follow(b);
}

/* Would catch: a place that stands twice in one part, for which an agent
 * alarms, since no proof holds for it. */
static void
a_record_that_left_and_came_back_stands_once(void **state)
{
	struct bureau b;
	struct buf here, there;
	char rec[REC_LEN + 1];

	(void)state;
	buf_init(&here, 1 << 20);
	buf_init(&there, 1 << 20);
	bureau_make(&b);
	(void)bureau_join(&b, 0, "p001", "jia");
	(void)bureau_join(&b, 1, "p002", "jia");
	bureau_record(b.hand[0].a, "search", "target", "[\"a\"]", rec);
	EXPECT_OK(bureau_note(b.hand[0].a, rec, "[\"one\"]"));
	bureau_sync(&b, 0);
	link_word(&b, "jia", rec, "none");
	link_word(&b, "jia", rec, "in");
	bureau_sync(&b, 1); /* in, none, in, all in one part; no alarm */
	EXPECT_OK(bureau_state(b.hand[0].a, rec, &there));
	EXPECT_OK(bureau_state(b.hand[1].a, rec, &here));
	EXPECT_BYTES(buf_view(&here), buf_view(&there));
	buf_free(&here);
	buf_free(&there);
	bureau_end(&b);
}

/* Would catch: a `none` of which no device hears. */
static void
a_record_taken_out_of_a_scope_is_dropped(void **state)
{
	struct bureau b;
	struct buf out;
	char rec[REC_LEN + 1];

	(void)state;
	buf_init(&out, 1 << 20);
	bureau_make(&b);
	(void)bureau_join(&b, 0, "p001", "jia");
	(void)bureau_join(&b, 1, "p002", "jia");
	bureau_record(b.hand[0].a, "search", "target", "[\"a\"]", rec);
	bureau_sync(&b, 0);
	bureau_sync(&b, 1);
	EXPECT_OK(bureau_state(b.hand[1].a, rec, &out));
	link_word(&b, "jia", rec, "none");
	bureau_sync(&b, 0);
	bureau_sync(&b, 1);
	EXPECT_OK(bureau_state(b.hand[0].a, rec, &out)); /* its own */
	EXPECT_ST(bureau_state(b.hand[1].a, rec, &out), ST_ABSENT);
	bureau_restart(&b, 1);
	EXPECT_ST(bureau_state(b.hand[1].a, rec, &out), ST_ABSENT);
	link_word(&b, "jia", rec, "in");
	bureau_sync(&b, 1);
	EXPECT_OK(bureau_state(b.hand[1].a, rec, &out));
	buf_free(&out);
	bureau_end(&b);
}

/* Would catch: an answer that ends in the middle and does not say so: the
 * handheld would take what it has for all there is. */
static void
an_answer_without_room_says_more(void **state)
{
	struct bureau b;
	char rec[REC_LEN + 1];
	struct agent_sync_result r;
	uint64_t received = 0;
	int rounds = 0;

	(void)state;
	bureau_make(&b);
	(void)bureau_join(&b, 0, "p001", "jia");
	(void)bureau_join(&b, 1, "p002", "jia");
	for (int i = 0; i < 700; i++)
		bureau_record(b.hand[0].a, "search", "target", "[\"a\"]", rec);
	bureau_sync(&b, 0);
	do {
		EXPECT_OK(agent_sync(b.hand[1].a, &r));
		received += r.received;
		rounds++;
	} while (r.more);
	EXPECT(rounds > 1);
	EXPECT(received >= 1400); /* 700 entries and 700 `in` */
	bureau_end(&b);
}

/* A team of three handhelds whose scope was closed and opened anew, which the
 * second has not heard of yet; a record of the first, that it has. */
static void
make_team(struct bureau *b, char rec[REC_LEN + 1])
{
	bureau_make(b);
	(void)bureau_join(b, 0, "p001", "jia");
	(void)bureau_join(b, 1, "p002", "jia");
	bureau_record(b->hand[0].a, "search", "target", "[\"a\"]", rec);
	bureau_sync(b, 0);
	bureau_sync(b, 1);
	bureau_move(b, "p003", "jia");
}

/*
 * The feed is made anew, and a handheld syncs as it grows: one that heard half
 * of its team's new scope before, and has the whole of the old one.
 *
 * Would catch: an answer that does not say that more will come, so that who
 * heard of the closed scope drops what the new one has not brought yet; an
 * entry passed over or proved at another place; a handheld sent round and round
 * with nothing to get; the feed asking once more for what is in scopes.
 */
static void
a_feed_made_anew_takes_nothing_from_anybody(void **state)
{
	struct agent_sync_result r;
	struct buf here, there;
	char rec[REC_LEN + 1];
	struct bureau b;
	uint64_t size, done = 1;

	(void)state;
	buf_init(&here, 1 << 20);
	buf_init(&there, 1 << 20);
	bureau_make(&b);
	(void)bureau_join(&b, 0, "p001", "jia");
	(void)bureau_join(&b, 1, "p002", "jia");
	for (int i = 0; i < 700; i++)
		bureau_record(b.hand[0].a, "search", "target", "[\"a\"]", rec);
	bureau_sync(&b, 0);
	bureau_sync(&b, 1);
	bureau_move(&b, "p003", "jia");
	EXPECT_OK(agent_sync(b.hand[1].a, &r));
	EXPECT(r.more);
	size = tlog_size(centre_tlog(b.ct.c));
	bureau_feed_anew(&b);
	EXPECT(!feed_is_whole(b.feed));
	while (done > 0) {
		int rounds = 0;

		do {
			EXPECT_OK(agent_sync(b.hand[1].a, &r));
			EXPECT(!r.alarmed && rounds++ < 5);
		} while (r.more);
		EXPECT_OK(bureau_state(b.hand[1].a, rec, &here));
		EXPECT_OK(feed_follow(b.feed, 300, &done));
		EXPECT(done <= 300);
	}
	EXPECT(feed_is_whole(b.feed));
	b.still = false;
	bureau_follow(&b);
	EXPECT(tlog_size(centre_tlog(b.ct.c)) == size);
	EXPECT_OK(bureau_note(b.hand[0].a, rec, "[\"later\"]"));
	bureau_sync(&b, 0);
	bureau_sync(&b, 1);
	EXPECT_OK(bureau_state(b.hand[0].a, rec, &there));
	EXPECT_OK(bureau_state(b.hand[1].a, rec, &here));
	EXPECT_BYTES(buf_view(&here), buf_view(&there));
	buf_free(&here);
	buf_free(&there);
	bureau_end(&b);
}

/* Would catch: an entry that is not taken, or not acknowledged, or asked for
 * again, while the feed is made anew; a handheld that joins then, whom the feed
 * forgets. */
static void
work_goes_on_while_the_feed_is_made_anew(void **state)
{
	struct agent_sync_result r;
	struct buf here, there;
	char old[REC_LEN + 1], rec[REC_LEN + 1];
	struct bureau b;
	uint64_t done;

	(void)state;
	buf_init(&here, 1 << 20);
	buf_init(&there, 1 << 20);
	make_team(&b, old);
	bureau_feed_anew(&b);
	EXPECT_OK(feed_follow(b.feed, 3, &done));
	bureau_record(b.hand[0].a, "search", "target", "[\"b\"]", rec);
	EXPECT_OK(agent_sync(b.hand[0].a, &r));
	EXPECT(r.sent == 1 && !r.alarmed);
	(void)bureau_join(&b, 2, "p003", "jia");
	EXPECT_OK(agent_sync(b.hand[2].a, &r));
	EXPECT(!r.alarmed);
	EXPECT_ST(bureau_state(b.hand[2].a, old, &here), ST_ABSENT);
	b.still = false;
	bureau_follow(&b);
	for (int i = 0; i < 3; i++)
		bureau_sync(&b, i);
	for (int i = 0; i < 3; i++) {
		EXPECT_OK(bureau_state(b.hand[0].a, rec, &there));
		EXPECT_OK(bureau_state(b.hand[i].a, rec, &here));
		EXPECT_BYTES(buf_view(&here), buf_view(&there));
	}
	buf_free(&here);
	buf_free(&there);
	bureau_end(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_that_left_and_came_back_stands_once),
		cmocka_unit_test(a_record_taken_out_of_a_scope_is_dropped),
		cmocka_unit_test(an_answer_without_room_says_more),
		cmocka_unit_test(a_feed_made_anew_takes_nothing_from_anybody),
		cmocka_unit_test(work_goes_on_while_the_feed_is_made_anew),
	};

	EXPECT(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
