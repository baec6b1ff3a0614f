#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/facts.h"
#include "entry/entry.h"
#include "support/made_state.h"

/*
 * Facts of one record from the rows of others: each story is a few records and
 * what one of them is told.  The record asked is the first.
 */
struct made {
	const char *kind, *spec;
	const char *by; /* who wrote it; NULL: "officer" */
	const char *at; /* of its open; NULL: 1 March 2024, 5 o'clock */
	bool centre;    /* the centre opened it */
	const char *step_by, *step_at; /* its acts; NULL step_by: the centre */
};

struct story {
	const char *why;
	const char *fact, *want; /* NULL: not told */
	struct made made[5];
};

#define CASE "case_no=\"（2024）苏0302执1234号\"\n"
#define OTHER "case_no=\"（2024）苏0302执1235号\"\n"
#define AT(t) "2024-03-01T" t ":00+08:00"
#define SEARCH(t) CASE "started_at=\"" AT(t) "\""
#define ITEM(n, v) "+items/#" n "\nitems/#" n "/value/amount=\"" v "\"\n"
#define STOP CASE "stop=true\nto=\"team:one\"\n"
#define HELD(t) CASE "taken_at=\"" AT(t) "\"\ndetainee/name=\"甲\"\n"
#define FINED(t) CASE "ordered_at=\"" AT(t) "\"\nfined/name=\"甲\"\n"
#define DECIDED CASE "+adjudicators/#1\nadjudicators/#1/officer=\"li\"\n"
#define WINDOW                                                                 \
	"from=\"" AT("04:00") "\"\nuntil=\"" AT(                               \
	    "08:00") "\"\n+targets/#1\n"                                       \
		     "targets/#1/"                                             \
		     "case_no=\"（2024）苏0302执1234号\"\n"
#define ARRIVED "!advance arrived\n"

static const struct story stories[] = {
	/* ---- orders */
	{ "no order", "stop/at", NULL,
	    { { .kind = "search", .spec = SEARCH("05:00") } } },
	{ "an order for the case", "stop/at", "\"" AT("04:30") "\"",
	    { { .kind = "search", .spec = SEARCH("05:00") },
		{ .kind = "order",
		    .spec = STOP,
		    .at = AT("04:30"),
		    .centre = true } } },
	{ "of another case", "stop/at", NULL,
	    { { .kind = "search", .spec = SEARCH("05:00") },
		{ .kind = "order",
		    .spec = OTHER "stop=true\nto=\"all\"",
		    .centre = true } } },
	{ "an order that stops nothing", "stop/at", NULL,
	    { { .kind = "search", .spec = SEARCH("05:00") },
		{ .kind = "order",
		    .spec = CASE "stop=false\nto=\"all\"",
		    .centre = true } } },
	{ "that no centre wrote", "stop/at", NULL,
	    { { .kind = "search", .spec = SEARCH("05:00") },
		{ .kind = "order", .spec = STOP } } },
	{ "nobody had it", "stop/seen_at", NULL,
	    { { .kind = "search", .spec = SEARCH("05:00") },
		{ .kind = "order", .spec = STOP, .centre = true } } },
	{ "it arrived", "stop/seen_at", "\"" AT("04:45") "\"",
	    { { .kind = "search", .spec = SEARCH("05:00") },
		{ .kind = "order",
		    .spec = STOP ARRIVED,
		    .centre = true,
		    .step_by = "officer",
		    .step_at = AT("04:45") } } },
	{ "it arrived at somebody else's", "stop/seen_at", NULL,
	    { { .kind = "search", .spec = SEARCH("05:00") },
		{ .kind = "order",
		    .spec = STOP ARRIVED,
		    .centre = true,
		    .step_by = "wang",
		    .step_at = AT("04:45") } } },
	{ "another step is none", "stop/seen_at", NULL,
	    { { .kind = "search", .spec = SEARCH("05:00") },
		{ .kind = "order",
		    .spec = STOP "!advance sent",
		    .centre = true,
		    .step_by = "officer",
		    .step_at = AT("04:45") } } },
	{ "withdrawn before", "stop/at", NULL,
	    { { .kind = "search", .spec = SEARCH("05:00") },
		{ .kind = "order",
		    .spec = STOP "!advance withdrawn",
		    .at = AT("04:00"),
		    .centre = true,
		    .step_at = AT("05:00") } } },
	{ "withdrawn after", "stop/at", "\"" AT("04:00") "\"",
	    { { .kind = "search", .spec = SEARCH("05:00") },
		{ .kind = "order",
		    .spec = STOP "!advance withdrawn",
		    .at = AT("04:00"),
		    .centre = true,
		    .step_at = AT("05:01") } } },
	{ "an officer cannot withdraw", "stop/at", "\"" AT("04:00") "\"",
	    { { .kind = "search", .spec = SEARCH("05:00") },
		{ .kind = "order",
		    .spec = STOP "!advance withdrawn",
		    .at = AT("04:00"),
		    .centre = true,
		    .step_by = "officer",
		    .step_at = AT("04:30") } } },
	{ "the earliest of two", "stop/at", "\"" AT("03:00") "\"",
	    { { .kind = "search", .spec = SEARCH("05:00") },
		{ .kind = "order",
		    .spec = STOP,
		    .at = AT("04:00"),
		    .centre = true },
		{ .kind = "order",
		    .spec = STOP,
		    .at = AT("03:00"),
		    .centre = true } } },
	{ "without a case, to all", "stop/at", "\"" AT("04:00") "\"",
	    { { .kind = "search", .spec = SEARCH("05:00") },
		{ .kind = "order",
		    .spec = "stop=true\nto=\"all\"",
		    .at = AT("04:00"),
		    .centre = true } } },
	{ "without a case, to this person", "stop/at", "\"" AT("04:00") "\"",
	    { { .kind = "search", .spec = SEARCH("05:00") },
		{ .kind = "order",
		    .spec = "stop=true\nto=\"officer\"",
		    .at = AT("04:00"),
		    .centre = true } } },
	{ "without a case, to another", "stop/at", NULL,
	    { { .kind = "search", .spec = SEARCH("05:00") },
		{ .kind = "order",
		    .spec = "stop=true\nto=\"wang\"",
		    .at = AT("04:00"),
		    .centre = true } } },
	{ "without a case, to a team that had it", "stop/seen_at",
	    "\"" AT("04:45") "\"",
	    { { .kind = "search", .spec = SEARCH("05:00") },
		{ .kind = "order",
		    .spec = "stop=true\nto=\"team:one\"\n" ARRIVED,
		    .at = AT("04:00"),
		    .centre = true,
		    .step_by = "officer",
		    .step_at = AT("04:45") } } },
	{ "brackets of any form are one case", "stop/at", "\"" AT("04:00") "\"",
	    { { .kind = "search", .spec = SEARCH("05:00") },
		{ .kind = "order",
		    .spec = "case_no=\"(2024) 苏０３０２执1234号\"\nstop=true\n"
			    "to=\"all\"",
		    .at = AT("04:00"),
		    .centre = true } } },
	/* ---- seizures */
	{ "its own items", "case/seized_total", "\"30.50\"",
	    { { .kind = "seizure",
		.spec = CASE ITEM("1", "10.00") ITEM("2", "20.50") } } },
	{ "all of the case", "case/seized_total", "\"1030.00\"",
	    { { .kind = "seizure", .spec = CASE ITEM("1", "10.00") },
		{ .kind = "seizure", .spec = CASE ITEM("1", "1020.00") },
		{ .kind = "seizure", .spec = OTHER ITEM("1", "5000.00") } } },
	{ "released, struck out, foreign money", "case/seized_total",
	    "\"10.00\"",
	    { { .kind = "seizure", .spec = CASE ITEM("1", "10.00") },
		{ .kind = "seizure",
		    .spec = CASE ITEM(
			"1", "7.00") "items/#1/release/no=\"解1号\"" },
		{ .kind = "seizure",
		    .spec = CASE "-items/#1\nitems/#1/value/amount=\"8.00\"" },
		{ .kind = "seizure",
		    .spec = CASE ITEM(
			"1", "9.00") "items/#1/value/currency=\"USD\"" } } },
	{ "one thing in two records counts once", "case/seized_total",
	    "\"10.00\"",
	    { { .kind = "seizure", .spec = CASE ITEM("1", "10.00") },
		{ .kind = "seizure",
		    .spec = CASE ITEM("1", "10.00") "~same_as>00" } } },
	{ "what it replaces counts no more", "case/seized_total", "\"9.00\"",
	    { { .kind = "seizure",
		  .spec = CASE ITEM("1", "9.00") "~replaces>01" },
		{ .kind = "seizure", .spec = CASE ITEM("1", "10.00") } } },
	{ "a void record's seizure stands", "case/seized_total", "\"30.00\"",
	    { { .kind = "seizure", .spec = CASE ITEM("1", "10.00") },
		{ .kind = "seizure",
		    .spec = CASE ITEM("1", "20.00") ":void" } } },
	{ "a withheld amount is not known", "case/seized_total", "\"10.00\"",
	    { { .kind = "seizure", .spec = CASE ITEM("1", "10.00") },
		{ .kind = "seizure",
		    .spec =
			CASE "+items/#1\nitems/#1/value/amount=withheld" } } },
	{ "no case, no other records", "case/seized_total", NULL,
	    { { .kind = "seizure", .spec = ITEM("1", "10.00") },
		{ .kind = "seizure", .spec = CASE ITEM("1", "10.00") } } },
	/* ---- the same act */
	{ "none before", "same_act/detentions", "0",
	    { { .kind = "detention", .spec = HELD("05:00") } } },
	{ "one before", "same_act/detentions", "1",
	    { { .kind = "detention", .spec = HELD("05:00") },
		{ .kind = "detention", .spec = HELD("04:00") } } },
	{ "one after", "same_act/detentions", "0",
	    { { .kind = "detention", .spec = HELD("05:00") },
		{ .kind = "detention", .spec = HELD("06:00") } } },
	{ "another person", "same_act/detentions", "0",
	    { { .kind = "detention", .spec = HELD("05:00") },
		{ .kind = "detention",
		    .spec = CASE
		    "taken_at=\"" AT("04:00") "\"\ndetainee/name=\"乙\"" } } },
	{ "one name, two numbers", "same_act/detentions", "0",
	    { { .kind = "detention",
		  .spec =
		      HELD("05:00") "detainee/id_no=\"110101199003070011\"" },
		{ .kind = "detention",
		    .spec = HELD(
			"04:00") "detainee/id_no=\"110101199003070038\"" } } },
	{ "one name, one number known", "same_act/detentions", "1",
	    { { .kind = "detention",
		  .spec =
		      HELD("05:00") "detainee/id_no=\"110101199003070011\"" },
		{ .kind = "detention", .spec = HELD("04:00") } } },
	{ "another act", "same_act/detentions", "0",
	    { { .kind = "detention",
		  .spec = HELD("05:00") "act/at=\"" AT("04:55") "\"" },
		{ .kind = "detention",
		    .spec = HELD("04:00") "act/at=\"" AT("03:55") "\"" } } },
	{ "one act, told with another offset", "same_act/detentions", "1",
	    { { .kind = "detention",
		  .spec = HELD("05:00") "act/at=\"" AT("03:55") "\"" },
		{ .kind = "detention",
		    .spec =
			HELD("04:00") "act/at=\"2024-02-29T19:55:00Z\"" } } },
	{ "the same record from another device", "same_act/detentions", "0",
	    { { .kind = "detention", .spec = HELD("05:00") "~same_as>01" },
		{ .kind = "detention", .spec = HELD("04:00") } } },
	{ "nobody is named", "same_act/detentions", "0",
	    { { .kind = "detention",
		  .spec = CASE "taken_at=\"" AT("05:00") "\"" },
		{ .kind = "detention",
		    .spec = CASE "taken_at=\"" AT("04:00") "\"" } } },
	{ "a fine is no detention", "same_act/detentions", "0",
	    { { .kind = "detention", .spec = HELD("05:00") },
		{ .kind = "fine", .spec = FINED("04:00") } } },
	{ "fined before", "same_act/fines", "1",
	    { { .kind = "fine", .spec = FINED("05:00") },
		{ .kind = "fine", .spec = FINED("04:00") } } },
	/* ---- adjudicators */
	{ "nobody took part", "case/adjudicator_enforced", "false",
	    { { .kind = "objection", .spec = DECIDED },
		{ .kind = "search", .spec = SEARCH("05:00") } } },
	{ "wrote in a search", "case/adjudicator_enforced", "true",
	    { { .kind = "objection", .spec = DECIDED },
		{ .kind = "search", .spec = SEARCH("05:00"), .by = "li" } } },
	{ "stands among the officers", "case/adjudicator_enforced", "true",
	    { { .kind = "objection", .spec = DECIDED },
		{ .kind = "search",
		    .spec = SEARCH("05:00") "\n+officers/#1\n"
					    "officers/#1/officer=\"li\"" } } },
	{ "in another case", "case/adjudicator_enforced", "false",
	    { { .kind = "objection", .spec = DECIDED },
		{ .kind = "search", .spec = OTHER, .by = "li" } } },
	{ "struck out as adjudicator", "case/adjudicator_enforced", "false",
	    { { .kind = "objection",
		  .spec =
		      CASE "-adjudicators/#1\nadjudicators/#1/officer=\"li\"" },
		{ .kind = "search", .spec = SEARCH("05:00"), .by = "li" } } },
	/* ---- operations */
	{ "in the window", "operation/approved", "true",
	    { { .kind = "search", .spec = SEARCH("08:00") },
		{ .kind = "operation",
		    .spec = WINDOW "=approved",
		    .centre = true } } },
	{ "a minute late", "operation/approved", "false",
	    { { .kind = "search", .spec = SEARCH("08:01") },
		{ .kind = "operation",
		    .spec = WINDOW "=approved",
		    .centre = true } } },
	{ "cancelled", "operation/approved", "false",
	    { { .kind = "search", .spec = SEARCH("05:00") },
		{ .kind = "operation",
		    .spec = WINDOW "=cancelled",
		    .centre = true } } },
	{ "no target of it", "operation/approved", "false",
	    { { .kind = "search",
		  .spec = OTHER "started_at=\"" AT("05:00") "\"" },
		{ .kind = "operation",
		    .spec = WINDOW "=approved",
		    .centre = true } } },
	/* ---- holidays */
	{ "a working day", "holiday", "false",
	    { { .kind = "search", .spec = SEARCH("05:00") } } },
	{ "Spring Festival's last day", "holiday", "true",
	    { { .kind = "search",
		.spec = CASE "started_at=\"2026-02-23T23:59:59+08:00\"" } } },
	{ "the day after, on which China works", "holiday", "false",
	    { { .kind = "search",
		.spec = CASE "started_at=\"2026-02-24T00:00:00+08:00\"" } } },
	{ "the day at the court, not in London", "holiday", "true",
	    { { .kind = "search",
		.spec = CASE "started_at=\"2026-02-14T16:00:00Z\"" } } },
	{ "a year without a notice", "holiday", NULL,
	    { { .kind = "search",
		.spec = CASE "started_at=\"2019-10-01T05:00:00+08:00\"" } } },
	{ "a court's own day", "holiday", "true",
	    { { .kind = "search",
		.spec = CASE "started_at=\"2024-03-08T05:00:00+08:00\"" } } },
	{ "a Saturday that is off", "holiday", "true",
	    { { .kind = "search",
		.spec = CASE "started_at=\"2024-03-09T05:00:00+08:00\"" } } },
	{ "a Sunday that is worked", "holiday", "false",
	    { { .kind = "search",
		.spec = CASE "started_at=\"2024-04-07T05:00:00+08:00\"" } } },
};

static struct kinds *kinds;
static struct rules *rules;

static const char court[] =
    "{\"court\":\"test\",\"on\":[\"night\"],\"calendar\":{"
    "\"off\":[\"2024-03-08\"],\"weekends\":true}}";

static int
setup(void **state)
{
	(void)state;
	if (kinds_load_builtin(&kinds) != ST_OK ||
	    rules_load_builtin(&rules, kinds) != ST_OK)
		return 1;
	return rules_court(rules, "court", bytes_str(court)) == ST_OK ? 0 : 1;
}

static int
teardown(void **state)
{
	(void)state;
	rules_free(rules);
	kinds_free(kinds);
	return 0;
}

/* ---- a record made of a few lines */

enum { ENTRIES = 4 };

struct record {
	char rec[REC_LEN + 1];
	struct buf bytes;
	struct state st;
	struct rules_entry entry[ENTRIES];
	struct facts_record r;
};

static int64_t
ms(const char *at)
{
	int64_t out;
	int offset;

	EXPECT_OK(at_parse(&out, &offset, bytes_str(at)));
	return out;
}

static void
record_make(struct record *x, const struct made *m, unsigned n)
{
	char id[64];
	const char *by = m->by != NULL ? m->by : "officer";

	memset(x, 0, sizeof(*x));
	(void)snprintf(x->rec, sizeof(x->rec),
	    "01890a5d-ac96-774b-bcce-b302099a80%02x", n);
	(void)snprintf(id, sizeof(id), "%s@1", m->kind);
	buf_init(&x->bytes, 1 << 16);
	made_state(id, m->spec, &x->bytes);
	state_init(&x->st);
	EXPECT_OK(state_read(&x->st, buf_view(&x->bytes)));
	x->entry[0] = (struct rules_entry){ .verb = "open",
		.by = bytes_str(by),
		.at_ms = ms(m->at != NULL ? m->at : AT("05:00")),
		.centre = m->centre };
	x->entry[1] = (struct rules_entry){ .verb = "advance",
		.by = bytes_str(m->step_by != NULL ? m->step_by : ""),
		.at_ms = ms(m->step_at != NULL ? m->step_at : AT("05:00")),
		.centre = m->step_by == NULL };
	x->entry[1].id[ID_LEN - 1] = 0xa0;
	x->r = (struct facts_record){ .rec = x->rec,
		.kind = kinds_find(kinds, bytes_str(id)),
		.st = &x->st,
		.entries = x->entry,
		.entry_count = 2,
		.offset_min = 480 };
	EXPECT(x->r.kind != NULL);
}

static void
record_free(struct record *x)
{
	state_free(&x->st);
	buf_free(&x->bytes);
}

/* ---- rows kept as a device keeps them: by table and case */

struct kept {
	const struct record *of;
	struct facts *f;
	struct fact_key cases[FACT_KEYS_MAX];
	size_t case_count;
};

static enum status
keep_row(void *arg, const char *table, const char *key, struct bytes row)
{
	struct kept *k = arg;
	bool mine = key[0] == '\0';

	for (size_t i = 0; i < k->case_count; i++)
		mine = mine || strcmp(k->cases[i].text, key) == 0;
	return mine ? facts_row(
			  k->f, bytes_str(table), bytes_str(k->of->rec), row)
		    : ST_OK;
}

/* What the first of `made` is told, rows taken forwards or backwards. */
static void
tell(const struct story *s, bool backwards, struct facts *f)
{
	struct record x[5];
	struct kept k = { .f = f };
	size_t n = 0;

	for (; n < 5 && s->made[n].kind != NULL; n++)
		record_make(&x[n], &s->made[n], (unsigned)n);
	k.case_count = facts_cases(rules, &x[0].r, k.cases);
	facts_begin(f, x[0].rec);
	for (size_t i = 0; i < 2 * n; i++) {
		size_t at = backwards ? n - 1 - i % n : i % n;

		/* Each twice: a row that comes again changes nothing. */
		k.of = &x[at];
		EXPECT_OK(facts_give(rules, &x[at].r, keep_row, &k));
	}
	EXPECT_OK(facts_take(f, rules, &x[0].r));
	for (size_t i = 0; i < n; i++)
		record_free(&x[i]);
}

/* Catches a fact that is not told, told of the wrong records, or that depends
 * on the order in which rows were kept. */
static void
test_facts_each_story_is_told(void **state)
{
	struct facts f;
	size_t bad = 0;

	(void)state;
	facts_init(&f);
	for (size_t i = 0; i < 2 * sizeof(stories) / sizeof(stories[0]); i++) {
		const struct story *s = &stories[i / 2];
		struct bytes got = bytes_of(NULL, 0);

		tell(s, i % 2 == 1, &f);
		for (size_t k = 0; k < f.count; k++) {
			if (strcmp(f.list[k].name, s->fact) == 0)
				got = f.list[k].value;
		}
		if (s->want == NULL ? got.len == 0 : bytes_eq_str(got, s->want))
			continue;
		bad++;
		print_error("%s: %s: wanted %s, got %.*s\n", s->why, s->fact,
		    s->want == NULL ? "nothing" : s->want, (int)got.len,
		    got.len > 0 ? (const char *)got.p : "");
	}
	facts_free(&f);
	EXPECT(bad == 0);
}

/* Catches a rule that asks for a fact and never hears it: the whole way, from
 * records to a finding. */
static void
test_facts_reach_the_rules(void **state)
{
	static const struct {
		const char *rule;
		struct story s;
	} found[] = {
		{ "stop_seen",
		    { "", "", NULL,
			{ { .kind = "search", .spec = SEARCH("05:00") },
			    { .kind = "order",
				.spec = STOP ARRIVED,
				.at = AT("04:00"),
				.centre = true,
				.step_by = "officer",
				.step_at = AT("05:00") } } } },
		{ "stop_unseen",
		    { "", "", NULL,
			{ { .kind = "search", .spec = SEARCH("05:00") },
			    { .kind = "order",
				.spec = STOP ARRIVED,
				.at = AT("04:00"),
				.centre = true,
				.step_by = "officer",
				.step_at = AT("05:01") } } } },
		{ "seizure_over_claim_case",
		    { "", "", NULL,
			{ { .kind = "seizure",
			      .spec = CASE
			      "claim/total=\"100.00\"\n" ITEM("1", "100.00") },
			    { .kind = "seizure",
				.spec = CASE ITEM("1", "20.01") } } } },
		{ "detention_again",
		    { "", "", NULL,
			{ { .kind = "detention", .spec = HELD("05:00") },
			    { .kind = "detention",
				.spec = HELD("04:00") } } } },
		{ "fine_again",
		    { "", "", NULL,
			{ { .kind = "fine", .spec = FINED("05:00") },
			    { .kind = "fine", .spec = FINED("04:00") } } } },
		{ "objection_adjudicator_case",
		    { "", "", NULL,
			{ { .kind = "objection",
			      .spec = "received_at=\"2024-03-01\"\n" DECIDED },
			    { .kind = "search",
				.spec = SEARCH("05:00"),
				.by = "li" } } } },
		{ "night",
		    { "", "", NULL,
			{ { .kind = "search",
			    .spec = CASE
			    "started_at=\"2026-02-23T12:00:00+08:00\"" } } } },
	};
	struct facts f;
	struct findings out;

	(void)state;
	facts_init(&f);
	findings_init(&out);
	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
		struct rules_context cx = { .now_ms = ms(AT("12:00")),
			.offset_min = 480 };
		struct record x;
		bool any = false;

		tell(&found[i].s, false, &f);
		record_make(&x, &found[i].s.made[0], 0);
		cx.facts = f.list;
		cx.fact_count = f.count;
		EXPECT_OK(rules_check(&out, rules, x.r.kind, &x.st, &cx));
		for (size_t k = 0; k < out.count; k++)
			any =
			    any || strcmp(out.list[k].rule, found[i].rule) == 0;
		if (!any)
			fail_msg("%s is not found", found[i].rule);
		record_free(&x);
	}
	findings_free(&out);
	facts_free(&f);
}

/* Catches two ways to write a case number that become two cases, and texts
 * that are none and become one. */
static void
test_facts_case_numbers_are_compared(void **state)
{
	static const char *const same[] = { "（2017）苏0302执1234号",
		"(2017)苏0302执1234号", "〔2017〕苏0302执1234号",
		" （2017） 苏0302 执1234号",
		"（２０１７）苏０３０２执１２３４号", "[2017]苏0302执1234号",
		"【2017】苏0302执1234号　" };
	static const char *const none[] = { "", "1234", "CFS-2024-17",
		"（2017）苏0302执1234" };
	struct fact_key first, k;

	(void)state;
	EXPECT(facts_key(&first, bytes_str(same[0])));
	for (size_t i = 1; i < sizeof(same) / sizeof(same[0]); i++) {
		EXPECT(facts_key(&k, bytes_str(same[i])));
		if (strcmp(k.text, first.text) != 0)
			fail_msg("%s gives %s", same[i], k.text);
	}
	EXPECT(facts_key(&k, bytes_str("（2017）苏0302执1235号")));
	EXPECT(strcmp(k.text, first.text) != 0);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		EXPECT(!facts_key(&k, bytes_str(none[i])));
	/* Cut in the middle of a letter: no reading past the end. */
	for (size_t n = 0; n < strlen(same[4]); n++)
		(void)facts_key(&k, bytes_of(same[4], n));
}

/* Catches a row that nobody made and that is believed, or read past its end. */
static void
test_facts_a_bad_row_is_damage(void **state)
{
	static const struct made me = { .kind = "search",
		.spec = SEARCH("05:00") };
	struct record x;
	struct facts f;

	(void)state;
	facts_init(&f);
	record_make(&x, &me, 0);
	facts_begin(&f, x.rec);
	EXPECT_OK(facts_row(
	    &f, bytes_str("orders"), bytes_str("x"), bytes_str("{\"at\":1")));
	EXPECT_ST(facts_take(&f, rules, &x.r), ST_CORRUPT);
	facts_begin(&f, x.rec);
	EXPECT_OK(facts_row(&f, bytes_str("orders"), bytes_str("x"),
	    bytes_str("{\"at\":\"1\",\"links\":[1],\"seen\":[[1],[]]}")));
	EXPECT_OK(facts_take(&f, rules, &x.r));
	record_free(&x);
	facts_free(&f);
}

/* Catches a ceiling that breaks: more rows than count. */
static void
test_facts_more_rows_than_count(void **state)
{
	static const struct made me = { .kind = "seizure",
		.spec = CASE ITEM("1", "1.00") };
	struct record x;
	struct facts f;
	char rec[16];

	(void)state;
	facts_init(&f);
	record_make(&x, &me, 0);
	facts_begin(&f, x.rec);
	for (int i = 0; i < FACT_ROWS_MAX + 10; i++) {
		(void)snprintf(rec, sizeof(rec), "x%05d", i);
		EXPECT_OK(facts_row(&f, bytes_str("seized"), bytes_str(rec),
		    bytes_str("{\"amount\":\"1\",\"at\":1}")));
	}
	EXPECT_OK(facts_take(&f, rules, &x.r));
	EXPECT(f.count > 0);
	for (size_t i = 0; i < f.count; i++) {
		if (strcmp(f.list[i].name, "case/seized_total") == 0)
			EXPECT(bytes_eq_str(f.list[i].value, "\"512.00\""));
	}
	record_free(&x);
	facts_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts_each_story_is_told),
		cmocka_unit_test(test_facts_reach_the_rules),
		cmocka_unit_test(test_facts_case_numbers_are_compared),
		cmocka_unit_test(test_facts_a_bad_row_is_damage),
		cmocka_unit_test(test_facts_more_rows_than_count),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
