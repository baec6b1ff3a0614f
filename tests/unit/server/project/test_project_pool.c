#include "support/expect.h"

#include <stdio.h>
#include <string.h>

#include "server/project/project_impl.h"
#include "support/bureau.h"

/*
 * Records folded by several threads and written by one are what one thread
 * would have written, and what is made anew of the log.
 */

enum { CASES = 7, RECORDS = 45, ROUNDS = 4 };

struct list {
	struct feed_reader *fr;
	struct project *p;
};

struct bench {
	struct bureau b;
	struct feed *feed; /* on disk: others can read it */
	struct kinds *kinds;
	struct rules *rules;
	struct list one, many, small;
	char rec[ROUNDS * RECORDS][REC_LEN + 1];
	size_t count;
};

static void
list_open(struct bench *w, struct list *l, const char *name, size_t hands,
    uint64_t batch)
{
	struct project_config pc = { .utc_offset_min = 480 };

	EXPECT_OK(feed_reader_open(&l->fr, w->feed));
	pc.path = tmpdir_file(&w->b.ct.dir, name);
	pc.centre = w->b.ct.c;
	pc.feed = w->feed;
	pc.feed_reader = l->fr;
	pc.roster = w->b.roster;
	pc.kinds = w->kinds;
	pc.rules = w->rules;
	pc.hands = hands;
	pc.batch = batch;
	EXPECT_OK(project_open(&l->p, &pc));
}

static void
list_close(struct list *l)
{
	project_close(l->p);
	feed_reader_close(l->fr);
}

static void
bench_open(struct bench *w)
{
	struct feed_config fc = { .path = NULL };

	memset(w, 0, sizeof(*w));
	bureau_make(&w->b);
	(void)bureau_join(&w->b, 0, "li", "one");
	(void)bureau_join(&w->b, 1, "wang", "one");
	EXPECT_OK(kinds_load_builtin(&w->kinds));
	EXPECT_OK(rules_load_builtin(&w->rules, w->kinds));
	fc.path = tmpdir_file(&w->b.ct.dir, "other-feed.db");
	fc.centre = w->b.ct.c;
	fc.roster = w->b.roster;
	EXPECT_OK(feed_open(&w->feed, &fc));
	list_open(w, &w->one, "one.db", 0, 0);
	list_open(w, &w->many, "many.db", PROJECT_HANDS_MAX, 0);
	list_open(w, &w->small, "small.db", 1, 37);
}

static void
bench_close(struct bench *w)
{
	list_close(&w->one);
	list_close(&w->many);
	list_close(&w->small);
	feed_close(w->feed);
	rules_free(w->rules);
	kinds_free(w->kinds);
	bureau_end(&w->b);
}

static void
append(struct agent *a, char *rec, const struct agent_act *act)
{
	struct agent_edit edit;
	uint8_t id[ID_LEN];

	EXPECT_OK(agent_edit_begin(a, rec[0] == '\0' ? NULL : rec, &edit));
	if (agent_append(a, &edit, act, id) != ST_OK)
		fail_msg("%s", agent_error_en(a));
	memcpy(rec, edit.rec, REC_LEN + 1);
}

static void
seize(struct agent *a, char *rec, size_t n)
{
	struct bytes open[] = { bytes_str("case_no"),
		bytes_str("claim/total") };
	struct agent_act act = {
		.kind = "seizure", .verb = DO_OPEN, .on = open, .on_count = 2
	};
	char data[200];

	(void)snprintf(data, sizeof(data),
	    "[\"（2024）苏0302执%zu号\",\"100.00\"]", 1200 + n % CASES);
	act.data = bytes_str(data);
	append(a, rec, &act);
}

static void
add_item(struct agent *a, char *rec, size_t n)
{
	struct bytes add[] = { bytes_str("items"), bytes_str("name"),
		bytes_str("value/amount") };
	struct agent_act act = { .verb = DO_ADD, .on = add, .on_count = 3 };
	char data[200];

	(void)snprintf(
	    data, sizeof(data), "[null,\"item %zu\",\"%zu.00\"]", n, 10 + n);
	act.data = bytes_str(data);
	append(a, rec, &act);
}

/* New records of few cases by two hands, and items in some old ones. */
static void
write_round(struct bench *w, size_t round)
{
	for (size_t i = 0; i < RECORDS; i++) {
		size_t n = w->count++, old = n * 13 % w->count;
		struct agent *a = w->b.hand[n % 2].a;

		seize(a, w->rec[n], n);
		add_item(a, w->rec[n], n % 5);
		if (round > 0 && i % 4 == 0)
			add_item(w->b.hand[old % 2].a, w->rec[old], n % 50);
	}
	bureau_sync(&w->b, 0);
	bureau_sync(&w->b, 1);
}

/* Every row of a query, as text. */
static void
dump(struct project *p, const char *sql, struct buf *out)
{
	struct db_stmt *s;
	enum status st;

	EXPECT_OK(db_query(&s, p->db, sql));
	while ((st = db_next(s)) == ST_OK) {
		buf_bytes(out, db_bytes(s, 0));
		buf_u8(out, '\n');
	}
	db_done(s);
	EXPECT_ST(st, ST_ABSENT);
	EXPECT_OK(out->err);
}

/* `numbers`: with the numbers of records, which tell in which order batches
 * brought them. */
static void
dump_all(struct project *p, bool numbers, struct buf *out)
{
	static const char *const with[] = {
		("SELECT n || rec || '|' || coalesce(next, '') FROM record"
		 " ORDER BY n"),
		"SELECT n || text FROM waiting ORDER BY n",
		"SELECT key || name || rec || doc FROM given ORDER BY n",
	};
	static const char *const without[] = {
		"SELECT size || '|' || entries FROM pos",
		("SELECT rec || kind || status || zh || en || opened || '|' ||"
		 " changed || team || person || entries || '|' || conflicts ||"
		 " '|' || findings || '|' || grave || '|' || void FROM record"
		 " ORDER BY rec"),
		("SELECT rec || key || doc || finding.state || owner ||"
		 " coalesce(due, '') FROM finding JOIN record"
		 " ON n = finding.record ORDER BY rec, key"),
		("SELECT rec || key || name FROM asking JOIN record"
		 " USING(n) ORDER BY rec, key, name"),
		("SELECT key || name || rec || doc FROM given"
		 " ORDER BY rec, key, name, doc"),
	};

	for (size_t i = 0; i < 5; i++)
		dump(p, without[i], out);
	for (size_t i = 0; numbers && i < 3; i++)
		dump(p, with[i], out);
}

static void
same(struct project *a, struct project *b, bool numbers)
{
	struct buf x, y;

	buf_init(&x, 64 << 20);
	buf_init(&y, 64 << 20);
	dump_all(a, numbers, &x);
	dump_all(b, numbers, &y);
	EXPECT_BYTES(buf_view(&x), buf_view(&y));
	buf_free(&x);
	buf_free(&y);
}

static int64_t
count_of(struct project *p, const char *sql)
{
	int64_t n = 0;

	EXPECT_OK(db_scalar(&n, p->db, sql));
	return n;
}

/*
 * More records than slots in a batch, of few cases, each judged by what the
 * others of its case give.  Would catch: a record written as it was folded
 * before another of its batch told of the case; one in another's slot; rows in
 * another order; in small batches behind a feed that is far ahead, one that is
 * passed by though something new is of it.
 */
static void
test_project_pool_writes_what_one_thread_would(void **state)
{
	struct list anew;
	struct bench w;
	uint64_t done;

	(void)state;
	bench_open(&w);
	for (size_t round = 0; round < ROUNDS; round++) {
		write_round(&w, round);
		do
			EXPECT_OK(feed_follow(w.feed, 0, &done));
		while (done > 0);
		EXPECT_OK(project_follow(w.one.p, UINT64_MAX, &done));
		EXPECT_OK(project_follow(w.many.p, UINT64_MAX, &done));
		same(w.one.p, w.many.p, true);
		/* What fell due by what others told: in steps of its own. */
		for (int i = 0; i < 3; i++) {
			EXPECT_OK(project_follow(w.one.p, 0, &done));
			EXPECT_OK(project_follow(w.many.p, 0, &done));
			EXPECT_OK(project_follow(w.small.p, 0, &done));
		}
		same(w.one.p, w.small.p, false);
	}
	assert_int_equal(count_of(w.many.p, "SELECT count(*) FROM record"),
	    ROUNDS * RECORDS);
	/* It is seen that they tell of each other. */
	EXPECT(
	    count_of(w.many.p, "SELECT count(*) FROM finding"
			       " WHERE rule = 'seizure_over_claim_case'") > 0);
	list_open(&w, &anew, "anew.db", PROJECT_HANDS_MAX, 0);
	EXPECT_OK(project_follow(anew.p, 0, &done));
	EXPECT_OK(project_follow(anew.p, 0, &done));
	EXPECT_OK(project_follow(w.many.p, 0, &done));
	same(anew.p, w.many.p, false);
	list_close(&anew);
	bench_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_project_pool_writes_what_one_thread_would),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
