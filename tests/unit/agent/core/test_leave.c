/* A device that leaves a scope. */
#include "support/bureau.h"

static void
setup(struct bureau *b)
{
	bureau_make(b);
	(void)bureau_join(b, 0, "p001", "jia");
	(void)bureau_join(b, 1, "p002", "jia");
}

static void
sync_all(struct bureau *b)
{
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < BUREAU_HANDS; i++) {
			if (b->hand[i].a != NULL)
				bureau_sync(b, i);
		}
	}
}

/* Would catch: colleagues' records read for ever by who was moved away; own
 * entries dropped with them; a record that does not come back. */
static void
who_leaves_a_team_drops_its_records_and_gets_them_back(void **state)
{
	struct bureau b;
	struct buf out, before;
	char own[REC_LEN + 1], other[REC_LEN + 1], both[REC_LEN + 1];

	(void)state;
	buf_init(&out, 1 << 20);
	buf_init(&before, 1 << 20);
	setup(&b);
	bureau_record(b.hand[0].a, "search", "target", "[\"a\"]", own);
	bureau_record(b.hand[1].a, "search", "target", "[\"b\"]", other);
	bureau_record(b.hand[1].a, "search", "target", "[\"c\"]", both);
	sync_all(&b);
	EXPECT_OK(bureau_note(b.hand[0].a, both, "[\"mine\"]"));
	sync_all(&b);
	EXPECT_OK(bureau_state(b.hand[0].a, other, &out));
	EXPECT_OK(bureau_state(b.hand[0].a, both, &before));

	bureau_move(&b, "p001", "yi");
	sync_all(&b);
	buf_reset(&out);
	EXPECT_OK(agent_status(b.hand[0].a, &out));
	EXPECT(buf_cstr(&out) != NULL);
	EXPECT(strstr((char *)out.p, "\"team\":\"yi\"") != NULL);
	for (int again = 0; again < 2; again++) {
		EXPECT_OK(bureau_state(b.hand[0].a, own, &out));
		EXPECT_ST(bureau_state(b.hand[0].a, other, &out), ST_ABSENT);
		/* What I wrote there stays, and says that more is missing. */
		EXPECT_OK(bureau_state(b.hand[0].a, both, &out));
		EXPECT(buf_cstr(&out) != NULL);
		EXPECT(strstr((char *)out.p, "mine") != NULL);
		EXPECT(strstr((char *)out.p, "\"c\"") == NULL);
		EXPECT(strstr((char *)out.p, "\"missing\":[]") == NULL);
		/* In the list it is what its entries say, open or not. */
		buf_reset(&out);
		EXPECT_OK(agent_list(b.hand[0].a, NULL, 100, &out));
		EXPECT(strstr(buf_cstr(&out), both) != NULL);
		EXPECT(strstr(buf_cstr(&out), "\"kind\":\"\"") == NULL);
		bureau_restart(&b, 0); /* and it is gone from the disk */
	}
	/* Who stayed has it all. */
	EXPECT_OK(bureau_state(b.hand[1].a, own, &out));
	EXPECT_OK(bureau_state(b.hand[1].a, other, &out));

	bureau_move(&b, "p001", "jia");
	sync_all(&b);
	EXPECT_OK(bureau_state(b.hand[0].a, other, &out));
	EXPECT_OK(bureau_state(b.hand[0].a, both, &out));
	EXPECT_BYTES(buf_view(&out), buf_view(&before));
	buf_free(&out);
	buf_free(&before);
	bureau_end(&b);
}

/* Would catch: a team of which one member goes, and the others' records with
 * him; a record under way in the new scope that is dropped with the old. */
static void
who_stays_keeps_every_record(void **state)
{
	struct bureau b;
	struct buf out;
	char rec[200][REC_LEN + 1];

	(void)state;
	buf_init(&out, 1 << 20);
	setup(&b);
	(void)bureau_join(&b, 2, "p003", "jia");
	for (int i = 0; i < 200; i++) {
		bureau_record(
		    b.hand[1].a, "search", "target", "[\"x\"]", rec[i]);
		for (int k = 0; k < 7; k++)
			EXPECT_OK(bureau_note(b.hand[1].a, rec[i], "[\"n\"]"));
	}
	sync_all(&b);
	bureau_move(&b, "p003", "yi");
	/* Step by step: at no time is a record gone. */
	for (;;) {
		struct agent_sync_result r;

		EXPECT_OK(agent_sync(b.hand[0].a, &r));
		for (int i = 0; i < 200; i++)
			EXPECT_OK(bureau_state(b.hand[0].a, rec[i], &out));
		if (!r.more)
			break;
	}
	sync_all(&b);
	for (int i = 0; i < 200; i++)
		EXPECT_ST(bureau_state(b.hand[2].a, rec[i], &out), ST_ABSENT);
	buf_free(&out);
	bureau_end(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    who_leaves_a_team_drops_its_records_and_gets_them_back),
		cmocka_unit_test(who_stays_keeps_every_record),
	};

	EXPECT(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
