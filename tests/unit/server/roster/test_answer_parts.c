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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_that_left_and_came_back_stands_once),
		cmocka_unit_test(a_record_taken_out_of_a_scope_is_dropped),
		cmocka_unit_test(an_answer_without_room_says_more),
	};

	EXPECT(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
