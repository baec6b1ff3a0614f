/* A centre, or a line to it, that does not tell the truth: the handheld takes
 * nothing that is not proved, says so, and goes on with an honest one. */
#include "support/bureau.h"

enum { TURNED = 120 };

struct liar {
	struct agent_uplink honest;
	/* What becomes of an answer to a sync; NULL: nothing. */
	void (*twist)(struct liar *l, struct agent_reply *r);
	size_t bit;
	struct buf kept; /* an answer of before */
	int status, retry_after_s;
	const char *body;
};

static enum status
exchange(void *arg, enum agent_service what, const char *address,
    struct bytes ca, struct bytes cert, struct bytes key, struct bytes body,
    struct agent_reply *out)
{
	struct liar *l = arg;
	enum status st = l->honest.exchange(
	    l->honest.arg, what, address, ca, cert, key, body, out);

	if (st == ST_OK && what == SERVICE_SYNC && l->twist != NULL)
		l->twist(l, out);
	return st;
}

struct world {
	struct bureau b;
	struct liar l;
	struct agent *a;
	char rec[REC_LEN + 1];
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return -1;
	bureau_make(&w->b);
	w->a = bureau_join(&w->b, 0, "p001", "jia");
	(void)bureau_join(&w->b, 1, "p002", "jia");
	bureau_record(w->a, "search", "target", "[\"first\"]", w->rec);
	bureau_sync(&w->b, 0);
	w->l.honest = w->b.hand[0].uplink;
	w->b.hand[0].uplink.arg = &w->l;
	w->b.hand[0].uplink.exchange = exchange;
	buf_init(&w->l.kept, 4 << 20);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	buf_free(&w->l.kept);
	bureau_end(&w->b);
	free(w);
	return 0;
}

/* Number that a member of the status has. */
static uint64_t
status_of(struct agent *a, const char *name)
{
	struct buf b;
	uint64_t n;
	char *at;

	buf_init(&b, 1 << 16);
	EXPECT_OK(agent_status(a, &b));
	EXPECT(buf_cstr(&b) != NULL);
	at = strstr((char *)b.p, name);
	EXPECT(at != NULL);
	n = strtoull(at + strlen(name), NULL, 10);
	buf_free(&b);
	return n;
}

static void
sound(struct agent *a)
{
	struct buf b;

	buf_init(&b, 1 << 16);
	EXPECT_OK(agent_verify(a, &b)); /* receipts too */
	buf_free(&b);
}

/* One more entry here, and one of a colleague's that is to come. */
static void
something_new(struct world *w)
{
	char rec[REC_LEN + 1];

	EXPECT_OK(bureau_note(w->a, w->rec, "[\"mine\"]"));
	bureau_record(w->b.hand[1].a, "search", "target", "[\"theirs\"]", rec);
	bureau_sync(&w->b, 1);
}

/* ---- bits */

static void
turn_bit(struct liar *l, struct agent_reply *r)
{
	if (r->body.len > 0)
		r->body.p[l->bit / 8 % r->body.len] ^=
		    (uint8_t)(1u << l->bit % 8);
}

/* Catches an answer that is believed though it is not what was sent; a crash;
 * a queue that is emptied without a receipt. */
static void
test_turned_bits_of_an_answer_prove_nothing(void **state)
{
	struct world *w = *state;
	uint64_t seen = 0;

	for (size_t i = 0; i < TURNED; i++) {
		struct agent_sync_result r = { .alarmed = false };
		enum status st;

		if (i % 8 == 0)
			something_new(w);
		else
			EXPECT_OK(bureau_note(w->a, w->rec, "[\"mine\"]"));
		w->l.bit = i * 7919;
		w->l.twist = turn_bit;
		st = agent_sync(w->a, &r);
		if (st != ST_OK && st != ST_NET && st != ST_NEWER)
			fail_msg("bit %zu: %s: %s", w->l.bit, status_name(st),
			    agent_error_en(w->a));
		if (st != ST_OK)
			EXPECT(agent_error_zh(w->a)[0] != '\0');
		seen += st != ST_OK || r.alarmed;
		sound(w->a);
		w->l.twist = NULL;
		/* The honest answer is taken as if nothing had been. */
		bureau_sync(&w->b, 0);
		EXPECT(status_of(w->a, "\"queued\":") == 0);
	}
	EXPECT(seen > TURNED / 2);
	sound(w->a);
}

/* ---- answers of another time, another log */

static void
keep_and_lose(struct liar *l, struct agent_reply *r)
{
	buf_reset(&l->kept);
	buf_bytes(&l->kept, buf_view(&r->body));
	r->status = 500;
}

static void
put_kept(struct liar *l, struct agent_reply *r)
{
	buf_reset(&r->body);
	buf_bytes(&r->body, buf_view(&l->kept));
}

/* Catches an old answer that empties the queue of today. */
static void
test_replayed_answer_acknowledges_nothing_new(void **state)
{
	struct world *w = *state;
	struct agent_sync_result r;

	something_new(w);
	w->l.twist = keep_and_lose;
	EXPECT_ST(agent_sync(w->a, &r), ST_NET);
	EXPECT_OK(bureau_note(w->a, w->rec, "[\"later\"]"));
	w->l.twist = put_kept;
	EXPECT_OK(agent_sync(w->a, &r));
	EXPECT(status_of(w->a, "\"queued\":") == 1);
	EXPECT_OK(agent_sync(w->a, &r));
	EXPECT(status_of(w->a, "\"queued\":") == 1);
	w->l.twist = NULL;
	bureau_sync(&w->b, 0);
	EXPECT(status_of(w->a, "\"queued\":") == 0);
	sound(w->a);
}

/* Nothing is forgotten while an alarm stands; each is answered once, with a
 * reason that stays. */
static void
answer_all(struct world *w)
{
	uint64_t n = status_of(w->a, "\"alarms\":"), purged;
	struct buf b;

	buf_init(&b, 1 << 20);
	EXPECT(status_of(w->a, "\"alarms_open\":") == n);
	for (uint64_t id = 1; id <= n; id++) {
		EXPECT_ST(agent_purge(w->a, UINT64_MAX, &purged), ST_DENIED);
		EXPECT_ST(
		    agent_alarm_answer(w->a, id, bytes_str("")), ST_INVALID);
		EXPECT_OK(agent_alarm_answer(
		    w->a, id, bytes_str("查明：演练用的另一日志")));
		EXPECT_ST(agent_alarm_answer(w->a, id, bytes_str("again")),
		    ST_CONFLICT);
		EXPECT(status_of(w->a, "\"alarms_open\":") == n - id);
	}
	EXPECT_ST(agent_alarm_answer(w->a, n + 1, bytes_str("x")), ST_ABSENT);
	EXPECT_ST(agent_alarm_answer(w->a, 0, bytes_str("x")), ST_ABSENT);
	EXPECT_OK(agent_purge(w->a, 0, &purged));
	bureau_restart(&w->b, 0);
	w->a = w->b.hand[0].a;
	EXPECT(status_of(w->a, "\"alarms\":") == n);
	EXPECT(status_of(w->a, "\"alarms_open\":") == 0);
	EXPECT_OK(agent_alarms(w->a, &b));
	EXPECT(strstr(buf_cstr(&b), "查明：演练用的另一日志") != NULL);
	EXPECT(strstr(buf_cstr(&b), "\"answer\":null") == NULL);
	buf_free(&b);
}

/* Catches a log that shows this handheld another tree than it showed before:
 * nothing that leans on it is taken, both notes are kept, and it is told. */
static void
test_other_log_is_not_believed(void **state)
{
	struct world *w = *state;
	struct bureau other;
	struct agent_sync_result r;
	struct agent_uplink honest = w->l.honest;
	uint64_t queued, alarms = status_of(w->a, "\"alarms\":");
	char rec[REC_LEN + 1];

	bureau_make(&other);
	(void)bureau_join(&other, 0, "p001", "jia");
	/* Its answer to a handheld of its own, shown to ours. */
	other.hand[0].uplink.exchange = exchange;
	w->l.honest = (struct agent_uplink){ .arg = &other.hand[0],
		.exchange = bureau_exchange };
	other.hand[0].uplink.arg = &w->l;
	w->l.twist = keep_and_lose;
	bureau_record(
	    other.hand[0].a, "search", "target", "[\"elsewhere\"]", rec);
	EXPECT_ST(agent_sync(other.hand[0].a, &r), ST_NET);
	w->l.honest = honest;

	something_new(w);
	queued = status_of(w->a, "\"queued\":");
	w->l.twist = put_kept;
	EXPECT_OK(agent_sync(w->a, &r));
	EXPECT(r.alarmed);
	EXPECT(status_of(w->a, "\"queued\":") == queued);
	EXPECT(status_of(w->a, "\"alarms\":") >= alarms + 2);
	sound(w->a);
	answer_all(w);
	w->l.twist = NULL;
	bureau_sync(&w->b, 0);
	EXPECT(status_of(w->a, "\"queued\":") == 0);
	bureau_end(&other);
}

/* ---- refusals */

static void
refuse(struct liar *l, struct agent_reply *r)
{
	r->status = l->status;
	r->retry_after_s = l->retry_after_s;
	buf_reset(&r->body);
	buf_str(&r->body, l->body);
}

/* Catches a refusal that loses the queue, is taken for success, or says
 * nothing to the officer; words of the centre that are put on the screen
 * unread. */
static void
test_refusals_are_told_and_keep_the_queue(void **state)
{
	static const struct {
		int status;
		enum status want;
		const char *body, *zh;
	} row[] = {
		{ 400, ST_NET, "{\"message\":\"a\",\"zh\":\"甲\"}", "甲" },
		{ 401, ST_DENIED, "", NULL },
		{ 403, ST_DENIED, "{\"message\":\"a\",\"zh\":\"乙\"}", "乙" },
		{ 404, ST_NET, "<html>", NULL },
		{ 413, ST_NET, "{\"message\":\"a\"}", NULL },
		{ 426, ST_NET, "{\"message\":\"\",\"zh\":\"\"}", NULL },
		{ 429, ST_AGAIN, "", NULL },
		{ 500, ST_NET, "\xff\xfe", NULL },
		{ 503, ST_AGAIN, "{\"message\":1,\"zh\":[]}", NULL },
		{ 200, ST_NET, "", NULL },
		{ 204, ST_NET, "", NULL },
		{ 302, ST_NET, "", NULL },
	};
	struct world *w = *state;

	w->l.twist = refuse;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct agent_sync_result r;

		something_new(w);
		w->l.status = row[i].status;
		w->l.body = row[i].body;
		w->l.retry_after_s = 77;
		EXPECT_ST(agent_sync(w->a, &r), row[i].want);
		EXPECT(r.retry_after_s == 77);
		EXPECT(agent_error_en(w->a)[0] != '\0');
		EXPECT(agent_error_zh(w->a)[0] != '\0');
		if (row[i].zh != NULL)
			EXPECT(strcmp(agent_error_zh(w->a), row[i].zh) == 0);
		EXPECT(status_of(w->a, "\"queued\":") == i + 1);
	}
	w->l.twist = NULL;
	bureau_sync(&w->b, 0);
	EXPECT(status_of(w->a, "\"queued\":") == 0);
	sound(w->a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_turned_bits_of_an_answer_prove_nothing, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    test_replayed_answer_acknowledges_nothing_new, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    test_other_log_is_not_believed, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_refusals_are_told_and_keep_the_queue, setup, teardown),
	};

	EXPECT(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
