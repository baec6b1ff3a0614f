/* Stage pings ahead of their turn, from a handheld's backlog to the board. */
#include "server/app/hints.h"
#include "support/bureau.h"

struct board {
	struct hints *h;
	struct kinds *ks;
	uint64_t now;
	unsigned taken;
};

static bool
on_hint(void *arg, const struct roster_device *d, const struct wire_hint *w)
{
	struct board *b = arg;
	bool is_new = hints_take(b->h, d, w, b->now);

	b->taken += is_new;
	return is_new;
}

/* Notes so long that only a few dozen fit into a request. */
static void
put_backlog(struct agent *a, size_t count)
{
	struct buf b;
	char rec[REC_LEN + 1];

	buf_init(&b, ENTRY_BYTES_MAX);
	buf_str(&b, "[\"");
	for (size_t i = 0; i < 60000; i++)
		buf_u8(&b, (uint8_t)('a' + i % 26));
	buf_str(&b, "\"]");
	EXPECT(buf_cstr(&b) != NULL);
	bureau_record(a, "search", "target", "[\"a\"]", rec);
	for (size_t i = 0; i < count; i++)
		EXPECT_OK(bureau_note(a, rec, (const char *)b.p));
	buf_free(&b);
}

static size_t
shown(struct board *b, const char *team, struct buf *out)
{
	buf_reset(out);
	return hints_put(b->h, team, b->now, 480, out);
}

static void
setup(struct bureau *b, struct board *board)
{
	memset(board, 0, sizeof(*board));
	bureau_make(b);
	(void)bureau_join(b, 0, "p001", "jia");
	EXPECT_OK(kinds_load_builtin(&board->ks));
	EXPECT_OK(hints_new(&board->h, b->ct.c, board->ks));
	board->now = 1000;
	answer_on_hint(b->answer, on_hint, board);
}

static void
end(struct bureau *b, struct board *board)
{
	hints_free(board->h);
	kinds_free(board->ks);
	bureau_end(b);
}

/* Would catch: a call for help that waits behind an hour of records; one that
 * is shown twice, or still "not yet in the log" when it is. */
static void
a_ping_is_shown_once_until_it_is_logged(void **state)
{
	struct bureau b;
	struct board board;
	struct agent_sync_result r;
	struct buf out;
	char rec[REC_LEN + 1];

	(void)state;
	buf_init(&out, 1 << 20);
	setup(&b, &board);
	put_backlog(b.hand[0].a, 40);
	bureau_record(b.hand[0].a, "stage", "s", "[\"help\"]", rec);
	EXPECT_OK(agent_sync(b.hand[0].a, &r));
	EXPECT(r.more);
	EXPECT(shown(&board, "", &out) == 1);
	EXPECT(buf_cstr(&out) != NULL);
	EXPECT(strstr((char *)out.p, rec) != NULL);
	EXPECT(strstr((char *)out.p, "\"in_log\":false") != NULL);
	EXPECT(strstr((char *)out.p, "\"person\":\"p001\"") != NULL);
	EXPECT(shown(&board, "jia", &out) == 1);
	EXPECT(shown(&board, "yi", &out) == 0);
	EXPECT_OK(agent_sync(b.hand[0].a, &r)); /* it comes again */
	EXPECT(board.taken == 1);
	while (r.more)
		EXPECT_OK(agent_sync(b.hand[0].a, &r));
	EXPECT(shown(&board, "", &out) == 0);
	EXPECT(board.taken == 1);
	buf_free(&out);
	end(&b, &board);
}

/* Would catch: a board that is filled with what should wait its turn, or that
 * keeps for ever what never came. */
static void
only_small_kinds_go_ahead_and_none_stays_for_ever(void **state)
{
	struct bureau b;
	struct board board;
	struct agent_sync_result r;
	struct buf out;
	char rec[REC_LEN + 1];

	(void)state;
	buf_init(&out, 1 << 20);
	setup(&b, &board);
	put_backlog(b.hand[0].a, 60);
	bureau_record(b.hand[0].a, "search", "target", "[\"b\"]", rec);
	EXPECT_OK(agent_sync(b.hand[0].a, &r));
	EXPECT(board.taken == 0);
	bureau_record(b.hand[0].a, "stage", "s", "[\"arrive\"]", rec);
	EXPECT_OK(agent_sync(b.hand[0].a, &r));
	EXPECT(board.taken == 1);
	board.now += (uint64_t)25 * 3600 * 1000;
	EXPECT(shown(&board, "", &out) == 0);
	buf_free(&out);
	end(&b, &board);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ping_is_shown_once_until_it_is_logged),
		cmocka_unit_test(
		    only_small_kinds_go_ahead_and_none_stays_for_ever),
	};

	EXPECT(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
