#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry/json.h"
#include "server/project/project.h"
#include "server/roster/batch.h"
#include "support/bureau.h"

/*
 * Records that tell of each other: the centre and the handhelds of one team
 * judge the same records, each from what it holds, and find the same.
 */

#define CASE "（2024）苏0302执1234号"

struct bench {
	struct bureau b;
	struct kinds *kinds;
	struct rules *rules;
	struct project *p;
};

static void
bench_open(struct bench *w)
{
	struct project_config pc = { .utc_offset_min = 480 };

	bureau_make(&w->b);
	(void)bureau_join(&w->b, 0, "li", "one");
	(void)bureau_join(&w->b, 1, "wang", "one");
	EXPECT_OK(kinds_load_builtin(&w->kinds));
	EXPECT_OK(rules_load_builtin(&w->rules, w->kinds));
	pc.centre = w->b.ct.c;
	pc.feed = w->b.feed;
	pc.feed_reader = feed_inside(w->b.feed);
	pc.roster = w->b.roster;
	pc.kinds = w->kinds;
	pc.rules = w->rules;
	EXPECT_OK(project_open(&w->p, &pc));
}

static void
bench_close(struct bench *w)
{
	project_close(w->p);
	rules_free(w->rules);
	kinds_free(w->kinds);
	bureau_end(&w->b);
}

/* Everybody hears of everything. */
static void
settle(struct bench *w)
{
	uint64_t done;

	for (int round = 0; round < 3; round++) {
		bureau_sync(&w->b, 0);
		bureau_sync(&w->b, 1);
	}
	EXPECT_OK(project_follow(w->p, 0, &done));
	/* What fell due by that: in a step of its own. */
	EXPECT_OK(project_follow(w->p, 0, &done));
}

/* ---- writing */

/* path=JSON lines, one entry; `rec` "" opens one, into `rec`. */
static void
write_lines(struct agent *a, const char *kind, enum verb verb, char *rec,
    const char *lines, uint8_t id[ID_LEN])
{
	struct bytes on[16];
	struct agent_act act = { .kind = kind, .verb = verb, .on = on };
	struct agent_edit edit;
	struct buf data;

	buf_init(&data, 1 << 16);
	buf_u8(&data, '[');
	for (const char *p = lines; *p != '\0'; p = strchr(p, '\n') + 1) {
		const char *eq = strchr(p, '='), *end = strchr(p, '\n');

		EXPECT(act.on_count < 16 && eq != NULL && end != NULL);
		if (act.on_count > 0)
			buf_u8(&data, ',');
		on[act.on_count++] = bytes_of(p, (size_t)(eq - p));
		buf_add(&data, eq + 1, (size_t)(end - eq - 1));
	}
	buf_u8(&data, ']');
	act.data = buf_view(&data);
	EXPECT_OK(agent_edit_begin(a, rec[0] == '\0' ? NULL : rec, &edit));
	if (agent_append(a, &edit, &act, id) != ST_OK)
		fail_msg("%s", agent_error_en(a));
	memcpy(rec, edit.rec, REC_LEN + 1);
	buf_free(&data);
}

static void
seize(struct agent *a, const char *amount, char *rec, uint8_t item[ID_LEN])
{
	char line[200];
	uint8_t id[ID_LEN];

	rec[0] = '\0';
	write_lines(a, "seizure", DO_OPEN, rec,
	    "case_no=\"" CASE "\"\nclaim/total=\"100.00\"\n"
	    "started_at=\"2024-03-01T05:00:00+08:00\"\n",
	    id);
	(void)snprintf(line, sizeof(line),
	    "items=null\nname=\"车\"\nvalue/amount=\"%s\"\n", amount);
	write_lines(a, NULL, DO_ADD, rec, line, item);
}

static void
search(struct agent *a, const char *at, char *rec)
{
	char lines[200];
	uint8_t id[ID_LEN];

	rec[0] = '\0';
	(void)snprintf(lines, sizeof(lines),
	    "case_no=\"(2024)苏0302执1234号\"\nstarted_at=\"%s\"\n", at);
	write_lines(a, "search", DO_OPEN, rec, lines, id);
}

static void
send_stop(struct bench *w, char rec[REC_LEN + 1])
{
	struct batch b;
	struct batch_entry *x;

	batch_init(&b);
	x = batch_add(&b, "", "order@1", DO_OPEN, "chief");
	batch_text(x, "to", "team:one");
	batch_text(x, "case_no", CASE);
	batch_bool(x, "stop", true);
	EXPECT_OK(batch_commit(&b, w->b.ct.c, NULL, NULL));
	memcpy(rec, b.out[0].rec, REC_LEN + 1);
	batch_free(&b);
	bureau_follow(&w->b);
}

/* ---- reading */

struct found {
	struct buf text;
	char *line[200];
	size_t count;
};

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* {"finding","kind","rec"} …: each as "REC FINDING", in order. */
static void
take_found(struct bytes doc, bool listed, struct found *f)
{
	size_t at[200];
	struct json j;
	uint32_t n = 0;

	json_init(&j);
	buf_init(&f->text, 1 << 20);
	f->count = 0;
	EXPECT_OK(json_parse(&j, doc, JSON_DOCUMENT));
	if (listed)
		n = json_get_typed(&j, 0, "findings", JSON_ARRAY);
	for (uint32_t i = n + 1; i < j.node[n].next; i = j.node[i].next) {
		EXPECT(f->count < 200);
		at[f->count++] = f->text.len;
		buf_bytes(&f->text, json_raw(&j, json_get(&j, i, "rec")));
		buf_u8(&f->text, ' ');
		json_canon(&j, json_get(&j, i, "finding"), &f->text);
		buf_u8(&f->text, 0);
	}
	for (size_t i = 0; i < f->count; i++)
		f->line[i] = (char *)f->text.p + at[i];
	if (f->count > 1)
		qsort(f->line, f->count, sizeof(f->line[0]), by_text);
	json_free(&j);
}

/* The centre's list, and that the first handhelds have the same. */
static void
agree(struct bench *w, int hands, struct found *centre)
{
	struct buf b;

	settle(w);
	buf_init(&b, 1 << 20);
	EXPECT_OK(project_findings(project_inside(w->p),
	    &(struct project_finding_query){ .limit = 1000 }, &b));
	take_found(buf_view(&b), true, centre);
	for (int i = 0; i < hands; i++) {
		struct found hand;

		buf_reset(&b);
		EXPECT_OK(agent_findings(w->b.hand[i].a, NULL, &b));
		take_found(buf_view(&b), false, &hand);
		EXPECT(hand.count == centre->count);
		for (size_t k = 0; k < hand.count; k++)
			assert_string_equal(hand.line[k], centre->line[k]);
		buf_free(&hand.text);
	}
	buf_free(&b);
}

static void
all_agree(struct bench *w, struct found *centre)
{
	agree(w, 2, centre);
}

/* How often `rule` was found on `rec`. */
static size_t
found_on(const struct found *f, const char *rec, const char *rule)
{
	char want[100];
	size_t n = 0;

	(void)snprintf(want, sizeof(want), "\"rule\":\"%s\"", rule);
	for (size_t i = 0; i < f->count; i++)
		n += strncmp(f->line[i], rec, REC_LEN) == 0 &&
		     strstr(f->line[i], want) != NULL;
	return n;
}

/* ---- */

/* Catches a record that stays as it was judged when another one of its case
 * changes what must be found on it. */
static void
test_facts_seizures_of_a_case_are_judged_together(void **state)
{
	char first[REC_LEN + 1], second[REC_LEN + 1];
	uint8_t id[ID_LEN], item[ID_LEN];
	char line[200];
	struct bench w;
	struct found f;

	(void)state;
	bench_open(&w);
	seize(w.b.hand[0].a, "60.00", first, item);
	all_agree(&w, &f);
	EXPECT(found_on(&f, first, "seizure_over_claim_case") == 0);
	buf_free(&f.text);

	/* Off line, another team member seizes for the same case. */
	seize(w.b.hand[1].a, "61.00", second, item);
	all_agree(&w, &f);
	EXPECT(found_on(&f, first, "seizure_over_claim_case") == 1);
	EXPECT(found_on(&f, second, "seizure_over_claim_case") == 1);
	buf_free(&f.text);

	/* Released: both are free of it. */
	(void)snprintf(line, sizeof(line), "items/@");
	for (size_t i = 0; i < ID_LEN; i++)
		(void)snprintf(line + strlen(line), 3, "%02x", item[i]);
	(void)snprintf(line + strlen(line), 40, "/release/no=\"解1号\"\n");
	write_lines(w.b.hand[1].a, NULL, DO_SET, second, line, id);
	all_agree(&w, &f);
	EXPECT(found_on(&f, first, "seizure_over_claim_case") == 0);
	EXPECT(found_on(&f, second, "seizure_over_claim_case") == 0);
	buf_free(&f.text);

	/* And after a restart, when all is made of the disk again. */
	seize(w.b.hand[0].a, "70.00", second, item);
	bureau_restart(&w.b, 0);
	bureau_restart(&w.b, 1);
	all_agree(&w, &f);
	EXPECT(found_on(&f, first, "seizure_over_claim_case") == 1);
	buf_free(&f.text);
	bench_close(&w);
}

/* Catches a stop order that changes nothing, and one that stops what was done
 * before anybody had it. */
static void
test_facts_a_stop_order_reaches_the_acts_of_its_case(void **state)
{
	char order[REC_LEN + 1], before[REC_LEN + 1], unseen[REC_LEN + 1];
	char seen[REC_LEN + 1], other[REC_LEN + 1], at[32];
	uint8_t id[ID_LEN];
	struct bench w;
	struct found f;

	(void)state;
	bench_open(&w);
	at_format(at, port_wall_ms(&w.b.ct.clock.port) - 60000, 480);
	search(w.b.hand[0].a, at, before);
	send_stop(&w, order);
	at_format(at, port_wall_ms(&w.b.ct.clock.port) + 1000, 480);
	search(w.b.hand[0].a, at, unseen);
	all_agree(&w, &f);
	EXPECT(found_on(&f, before, "stop_unseen") == 0);
	EXPECT(found_on(&f, unseen, "stop_unseen") == 1);
	EXPECT(found_on(&f, unseen, "stop_seen") == 0);
	buf_free(&f.text);

	/* It has arrived at the first one's. */
	{
		struct bytes on = bytes_str("arrived");
		struct agent_act act = { .verb = DO_ADVANCE,
			.on = &on,
			.on_count = 1,
			.data = bytes_str("[null]") };
		struct agent_edit edit;

		EXPECT_OK(agent_edit_begin(w.b.hand[0].a, order, &edit));
		EXPECT_OK(agent_append(w.b.hand[0].a, &edit, &act, id));
	}
	at_format(at, port_wall_ms(&w.b.ct.clock.port) + 120000, 480);
	search(w.b.hand[0].a, at, seen);
	search(w.b.hand[1].a, at, other);
	/* Who of the team has an order the centre knows, and each of itself. */
	agree(&w, 1, &f);
	EXPECT(found_on(&f, before, "stop_seen") == 0);
	EXPECT(found_on(&f, seen, "stop_seen") == 1);
	EXPECT(found_on(&f, other, "stop_seen") == 0);
	EXPECT(found_on(&f, other, "stop_unseen") == 1);
	buf_free(&f.text);
	bench_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_facts_seizures_of_a_case_are_judged_together),
		cmocka_unit_test(
		    test_facts_a_stop_order_reaches_the_acts_of_its_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
