#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/rules.h"
#include "entry/entry.h"
#include "entry/json.h"
#include "support/made_state.h"

/*
 * Rules as data: files that are refused, a court's parameters, versions by
 * date, and a kind with rules of its own that no program was built with.
 */

static struct kinds *kinds;

static int
setup(void **state)
{
	(void)state;
	return kinds_load_builtin(&kinds) == ST_OK ? 0 : 1;
}

static int
teardown(void **state)
{
	(void)state;
	kinds_free(kinds);
	return 0;
}

static int64_t
ms(const char *at)
{
	int64_t out;
	int offset;

	EXPECT_OK(at_parse(&out, &offset, bytes_str(at)));
	return out;
}

/* Findings of a made record. */
static void
check(struct findings *out, const struct rules *rs, const struct kinds *ks,
    const char *kind, const char *spec, const struct rules_context *cx)
{
	struct rules_context plain = {
		.now_ms = ms("2024-06-01T12:00:00+08:00"), .offset_min = 480
	};
	struct state st;
	struct buf b;

	buf_init(&b, 1 << 20);
	made_state(kind, spec, &b);
	state_init(&st);
	EXPECT_OK(state_read(&st, buf_view(&b)));
	EXPECT_OK(rules_check(out, rs, kinds_find(ks, bytes_str(kind)), &st,
	    cx != NULL ? cx : &plain));
	state_free(&st);
	buf_free(&b);
}

static const struct finding *
find(const struct findings *f, const char *rule)
{
	for (size_t i = 0; i < f->count; i++) {
		if (strcmp(f->list[i].rule, rule) == 0)
			return &f->list[i];
	}
	return NULL;
}

/* ---- film */

#define SHOT(taken, ms, more)                                                  \
	"!attach - \"00\" {\"type\":\"video/mp4\",\"taken\":"                  \
	"\"2026-11-24T" taken "+08:00\",\"ms\":" ms more "}\n"

/* Catches gaps that are told at other times, or more than can be read. */
static void
test_footage_gap_says_when_and_how_long(void **state)
{
	static const char act[] = "started_at=\"2026-11-24T05:00:00+08:00\"\n"
				  "ended_at=\"2026-11-24T06:00:00+08:00\"\n";
	struct rules_context cx = { .now_ms = ms("2026-11-26T12:00:00+08:00"),
		.offset_min = 480 };
	char many[4096];
	const struct finding *g;
	struct rules *rs = NULL;
	struct findings f;
	size_t at;

	(void)state;
	EXPECT_OK(rules_load_builtin(&rs, kinds));
	findings_init(&f);
	(void)snprintf(many, sizeof(many), "%s%s%s", act,
	    SHOT("05:02:05", "600000", ",\"clock_off_ms\":-250"),
	    SHOT("05:20:00", "2400000", ",\"clock_off_ms\":0"));
	check(&f, rs, kinds, "search@1", many, &cx);
	g = find(&f, "footage_gap");
	EXPECT(g != NULL && strcmp(g->key, "footage_gap:") == 0);
	assert_string_equal(g->en,
	    "For more than 1 minute at a stretch the act was not "
	    "filmed (2): 05:00:00–05:02:05 (2 min 5 s), "
	    "05:12:05–05:20:00 (7 min 55 s).");
	EXPECT(strstr(g->zh, "05:12:05–05:20:00（7分钟55秒）") != NULL);
	/* Of an unchecked clock, and of more gaps than can be read. */
	at = (size_t)snprintf(many, sizeof(many), "%s", act);
	for (int i = 0; i < 6; i++)
		at += (size_t)snprintf(many + at, sizeof(many) - at,
		    "!attach - \"00\" {\"type\":\"video/mp4\",\"taken\":"
		    "\"2026-11-24T05:%02d:00+08:00\",\"ms\":60000}\n",
		    5 + 5 * i);
	check(&f, rs, kinds, "search@1", many, &cx);
	g = find(&f, "footage_gap");
	EXPECT(g != NULL && strstr(g->en, "not filmed (7)") != NULL);
	EXPECT(strstr(g->en, "05:16:00–05:20:00 (4 min) …; a recorder's "
			     "clock was not checked.") != NULL);
	EXPECT(strstr(g->zh, " …；录像时钟未经核对。") != NULL);
	/* One of no known length shows a moment, and leaves a doubt. */
	(void)snprintf(many, sizeof(many),
	    "%s!attach - \"00\" {\"type\":\"video/mp4\",\"taken\":"
	    "\"2026-11-24T05:30:00+08:00\",\"clock_off_ms\":0}\n",
	    act);
	check(&f, rs, kinds, "search@1", many, &cx);
	g = find(&f, "footage_gap");
	EXPECT(g != NULL && g->doubt);
	EXPECT(strstr(g->en,
		   "(2): 05:00:00–05:30:00 (30 min), "
		   "05:30:00–06:00:00 (30 min); of a film it is not "
		   "known when it was made, or how long it is.") != NULL);
	EXPECT(strstr(g->zh, "；有录像的时间或长度不明。") != NULL);
	findings_free(&f);
	rules_free(rs);
}

/* Catches a finding that comes only when somebody happens to look. */
static void
test_footage_is_judged_again_when_cards_can_have_been_read(void **state)
{
	struct rules_context cx = { .now_ms = ms("2026-11-24T12:00:00+08:00"),
		.offset_min = 480 };
	struct rules *rs = NULL;
	struct findings f;

	(void)state;
	EXPECT_OK(rules_load_builtin(&rs, kinds));
	findings_init(&f);
	check(&f, rs, kinds, "search@1",
	    "started_at=\"2026-11-24T05:00:00+08:00\"\n"
	    "ended_at=\"2026-11-24T06:00:00+08:00\"\n+recorders/#1\n"
	    "recorders/#1/on_at=\"2026-11-24T04:50:00+08:00\"\n",
	    &cx);
	EXPECT(find(&f, "footage_missing") == NULL);
	EXPECT(f.next_ms <= ms("2026-11-25T06:00:00.001+08:00"));
	findings_free(&f);
	rules_free(rs);
}

/* ---- files that are refused */

#define RULE(rest)                                                             \
	"{\"rules\":[\n{\"id\":\"r\",\"version\":1,\"kinds\":[\"search\"],"    \
	"\"zh\":\"规\",\"en\":\"R\",\"severity\":\"grave\",\"mark\":\"own\"," \
	"\"law\":[{\"law\":\"own\"}]," rest "}]}"
#define SAY "\"say\":{\"zh\":\"说\",\"en\":\"S\"}"
#define MUST "\"must\":{\"has\":\"target\"}"

static const struct {
	const char *file, *place, *why;
} bad_files[] = {
	{ RULE("\"each\":\"@film_gap\"," SAY), "rules[0]", "film must say" },
	{ RULE("\"film\":{\"search\":[\"started_at\",\"ended_at\"]}," MUST
	       "," SAY),
	    "rules[0].film", "over film alone" },
	{ RULE("\"each\":\"@unfilmed\",\"film\":{\"fine\":"
	       "[\"started_at\",\"ended_at\"]}," SAY),
	    "rules[0].film", "no kind of this rule" },
	{ RULE("\"each\":\"@unfilmed\",\"film\":{\"search\":"
	       "[\"started_at\",\"target\"]}," SAY),
	    "rules[0].film.search[1]", "no such field of date" },
	{ "{\"rules\":[", "f:1", "JSON" },
	{ "{\"rule\":[]}", "rule", "unknown member" },
	{ RULE(MUST), "f:2: rules[0]", "words missing" },
	{ RULE(SAY), "rules[0]", "must or a timer" },
	{ RULE(MUST "," SAY ",\"timer\":{\"from\":\"started_at\","
		    "\"within\":\"1h\",\"done\":\"ended_at\"}"),
	    "rules[0]", "not both" },
	{ RULE("\"must\":{\"has\":\"targt\"}," SAY), "rules[0].must.has",
	    "no such field: \"targt\"" },
	{ RULE("\"must\":{\"hass\":\"target\"}," SAY), "rules[0].must.hass",
	    "no such condition" },
	{ RULE("\"must\":{\"has\":\"target\",\"lacks\":\"target\"}," SAY),
	    "rules[0].must", "one member" },
	{ RULE("\"must\":{\"all\":[]}," SAY), "rules[0].must.all",
	    "array of conditions" },
	{ RULE("\"must\":{\"is\":[\"warrant/signer_role\",\"king\"]}," SAY),
	    "rules[0].must.is[1]", "no such option" },
	{ RULE("\"must\":{\"is\":[\"target\",true]}," SAY),
	    "rules[0].must.is[1]", "does not fit" },
	{ RULE("\"must\":{\"num\":[\"target\",\"<\",1]}," SAY),
	    "rules[0].must.num[0]", "type does not fit" },
	{ RULE("\"must\":{\"num\":[\"claim/total\",\"==\",1]}," SAY),
	    "rules[0].must.num[1]", "< <=" },
	{ RULE("\"must\":{\"num\":[\"claim/total\",\"<\",\"$x\"]}," SAY),
	    "rules[0].must.num[2]", "no such parameter" },
	{ RULE("\"must\":{\"time\":[\"target\",\"<\",\"now\"]}," SAY),
	    "rules[0].must.time[0]", "type does not fit" },
	{ RULE(
	      "\"must\":{\"time\":[\"started_at\",\"<\",\"now\",\"1w\"]}," SAY),
	    "rules[0].must.time[3]", "not a duration" },
	{ RULE(
	      "\"must\":{\"clock\":[\"started_at\",\"22:00\",\"24:00\"]}," SAY),
	    "rules[0].must.clock[2]", "time of day" },
	{ RULE("\"must\":{\"some\":[\"things\",{\"has\":\"name\"}]}," SAY),
	    "rules[0].must.some", "no such list" },
	{ RULE("\"must\":{\"some\":[\"persons\",{\"some\":[\"officers\","
	       "{\"has\":\"name\"}]}]}," SAY),
	    "rules[0].must.some[1].some", "do not nest" },
	{ RULE("\"must\":{\"some\":[\"persons\",{\"has\":\"target\"}]}," SAY),
	    "rules[0].must.some[1].has", "no such field" },
	{ RULE("\"must\":{\"count\":{\"of\":\"persons\",\"op\":\">\"}}," SAY),
	    "rules[0].must.count", "no than" },
	{ RULE("\"must\":{\"sum\":{\"of\":\"persons\",\"op\":\">\","
	       "\"than\":1}}," SAY),
	    "rules[0].must.sum", "sum needs a field" },
	{ RULE("\"must\":{\"act\":{\"do\":\"sing\"}}," SAY),
	    "rules[0].must.act", "no such verb" },
	{ RULE("\"must\":{\"act\":{\"do\":\"sign\",\"on\":\".\"}}," SAY),
	    "rules[0].must.act.on", "no item here" },
	{ RULE("\"must\":{\"linked\":\"married_to\"}," SAY),
	    "rules[0].must.linked", "no such link" },
	{ RULE("\"must\":{\"status\":\"asleep\"}," SAY), "rules[0].must.status",
	    "no such status" },
	{ RULE("\"must\":{\"void\":false}," SAY), "rules[0].must.void",
	    "must be true" },
	{ RULE("\"must\":{\"has\":\"~weather\"}," SAY), "rules[0].must.has",
	    "no fact" },
	{ RULE(MUST ",\"say\":{\"zh\":\"{nobody}\",\"en\":\"S\"}"),
	    "rules[0].say", "unknown name in the words: \"nobody\"" },
	{ RULE(MUST ",\"say\":{\"zh\":\"说\"}"), "rules[0].say", "en" },
	{ RULE(MUST "," SAY ",\"due\":{\"zh\":\"说\",\"en\":\"S\"}"),
	    "rules[0]", "only a timer" },
	{ RULE(MUST "," SAY ",\"at\":\"nowhere\""), "rules[0]",
	    "no such field or group" },
	{ RULE(MUST "," SAY ",\"each\":\"things\""), "rules[0].each",
	    "no such list or set" },
	{ RULE(MUST "," SAY ",\"each\":\"@conflict\""), "rules[0]",
	    "only a when" },
	{ RULE(MUST "," SAY ",\"from\":\"2024-02-30\""), "rules[0].from",
	    "not a date" },
	{ RULE(MUST "," SAY ",\"from\":\"2024-02-02\",\"to\":\"2024-01-01\""),
	    "rules[0]", "after" },
	{ RULE(MUST "," SAY ",\"params\":{\"x\":{\"type\":\"num\","
		    "\"value\":1}}"),
	    "rules[0].params.x", "tighten" },
	{ RULE(MUST "," SAY ",\"params\":{\"x\":{\"type\":\"duration\","
		    "\"value\":\"1w\",\"tighten\":\"less\"}}"),
	    "rules[0].params.x.value", "not a duration" },
	{ RULE(MUST "," SAY ",\"params\":{\"x\":{\"type\":\"path\","
		    "\"value\":\"a\",\"tighten\":\"free\","
		    "\"choices\":[\"b\"]}}"),
	    "rules[0].params.x.value", "not among" },
	{ RULE(SAY ",\"due\":{\"zh\":\"说\",\"en\":\"S\"},\"timer\":{"
		   "\"from\":\"started_at\",\"within\":\"1h\"}"),
	    "rules[0].timer", "done or stop" },
	{ RULE(SAY ",\"due\":{\"zh\":\"说\",\"en\":\"S\"},\"timer\":{"
		   "\"from\":\"target\",\"within\":\"1h\","
		   "\"done\":\"ended_at\"}"),
	    "rules[0].timer.from", "type does not fit" },
	{ "{\"rules\":[{\"id\":\"r\",\"version\":1,\"kinds\":[\"serach\"],"
	  "\"zh\":\"规\",\"en\":\"R\",\"severity\":\"grave\","
	  "\"mark\":\"own\",\"law\":[{\"law\":\"own\"}]," MUST "," SAY "}]}",
	    "rules[0].kinds", "no such kind" },
	{ "{\"rules\":[{\"id\":\"r\",\"version\":1,\"kinds\":[\"search\"],"
	  "\"zh\":\"规\",\"en\":\"R\",\"severity\":\"bad\","
	  "\"mark\":\"own\",\"law\":[{\"law\":\"own\"}]," MUST "," SAY "}]}",
	    "rules[0]", "severity" },
	{ "{\"rules\":[{\"id\":\"r\",\"version\":1,\"kinds\":[\"search\"],"
	  "\"zh\":\"规\",\"en\":\"R\",\"severity\":\"due\","
	  "\"mark\":\"own\",\"law\":[{\"law\":\"moses\"}]," MUST "," SAY "}]}",
	    "rules[0].law[0]", "no such law" },
};

/* Catches a bad rule file that is taken, or refused without its place. */
static void
test_rules_bad_files_are_refused_with_place_and_reason(void **state)
{
	struct rules *rs = NULL;
	char before[65];
	size_t count;

	(void)state;
	EXPECT_OK(rules_load_builtin(&rs, kinds));
	count = rules_count(rs);
	memcpy(before, rules_version(rs), 65);
	for (size_t i = 0; i < sizeof(bad_files) / sizeof(bad_files[0]); i++) {
		const struct words *w = rules_words(rs);

		EXPECT_ST(
		    rules_add(rs, kinds, "f", bytes_str(bad_files[i].file)),
		    ST_INVALID);
		if (strstr(w->en, bad_files[i].place) == NULL ||
		    strstr(w->en, bad_files[i].why) == NULL ||
		    strncmp(w->zh, "f:", 2) != 0)
			fail_msg("%zu: \"%s\" lacks \"%s\" or \"%s\"", i, w->en,
			    bad_files[i].place, bad_files[i].why);
		EXPECT(rules_count(rs) == count);
		EXPECT(strcmp(rules_version(rs), before) == 0);
	}
	EXPECT_OK(rules_add(rs, kinds, "f", bytes_str(RULE(MUST "," SAY))));
	EXPECT(rules_count(rs) == count + 1);
	EXPECT(strcmp(rules_version(rs), before) != 0);
	rules_free(rs);
}

/* Catches a condition nested so deep that it could wear out a stack. */
static void
test_rules_deep_conditions_are_refused(void **state)
{
	struct rules *rs = NULL;
	char must[2000];

	(void)state;
	EXPECT_OK(rules_load_builtin(&rs, kinds));
	for (size_t depth = 1; depth < 20; depth++) {
		char file[4000];
		enum status st;

		must[0] = '\0';
		for (size_t i = 0; i < depth; i++)
			strncat(must, "{\"not\":", 20);
		strncat(must, "{\"has\":\"target\"}", 40);
		for (size_t i = 0; i < depth; i++)
			strncat(must, "}", 4);
		(void)snprintf(
		    file, sizeof(file), RULE("\"must\":%s," SAY), must);
		st = rules_add(rs, kinds, "f", bytes_str(file));
		/* The first stands; the next say the same rule otherwise. */
		EXPECT(depth == 1   ? st == ST_OK
		       : depth < 10 ? st == ST_CONFLICT
				    : st == ST_INVALID || st == ST_CONFLICT);
		if (depth > 12)
			EXPECT(st == ST_INVALID);
	}
	rules_free(rs);
}

/* ---- a court's parameters */

#define COURT(members) "{\"court\":\"xz\"," members "}"

/* Catches a limit of statute that a court could loosen, and one that it could
 * not tighten. */
static void
test_rules_statute_is_tightened_never_loosened(void **state)
{
	static const struct {
		const char *set;
		bool good;
	} sets[] = {
		{ "\"detention_days\":{\"limit\":15}", true },
		{ "\"detention_days\":{\"limit\":10}", true },
		{ "\"detention_days\":{\"limit\":16}", false },
		{ "\"detention_family\":{\"within\":\"24h\"}", true },
		{ "\"detention_family\":{\"within\":\"12h\"}", true },
		{ "\"detention_family\":{\"within\":\"86400s\"}", true },
		/* a day ends at midnight: up to 48 hours */
		{ "\"detention_family\":{\"within\":\"1d\"}", false },
		{ "\"detention_family\":{\"within\":\"25h\"}", false },
		{ "\"detention_family\":{\"within\":24}", false },
		{ "\"seizure_term_deposit\":{\"limit\":\"6mo\"}", true },
		{ "\"seizure_term_deposit\":{\"limit\":\"13mo\"}", false },
		/* what protects the debtor is the longer */
		{ "\"detention_reconsideration_ask\":{\"within\":\"5d\"}",
		    true },
		{ "\"detention_reconsideration_ask\":{\"within\":\"2d\"}",
		    false },
		{ "\"detention_reconsideration_ask\":{\"within\":\"73h\"}",
		    false },
		{ "\"seizure_term_deposit\":{\"limit\":\"364d\"}", true },
		{ "\"seizure_term_deposit\":{\"limit\":\"365d\"}", false },
		{ "\"late\":{\"limit\":\"3h\"}", true },
		{ "\"compel_8h\":{\"clock\":\"questioning/started_at\"}",
		    true },
		{ "\"compel_8h\":{\"clock\":\"left_at\"}", false },
		{ "\"compel_8h\":{\"watch\":\"left_at\"}", false },
		{ "\"no_such_rule\":{\"limit\":1}", false },
		/* one bad value spoils the whole file */
		{ "\"late\":{\"limit\":\"3h\"},"
		  "\"detention_days\":{\"limit\":16}",
		    false },
	};
	struct rules *rs = NULL;
	char file[512], before[65];

	(void)state;
	EXPECT_OK(rules_load_builtin(&rs, kinds));
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		enum status st;

		memcpy(before, rules_version(rs), 65);
		(void)snprintf(
		    file, sizeof(file), COURT("\"set\":{%s}"), sets[i].set);
		st = rules_court(rs, "c", bytes_str(file));
		if ((st == ST_OK) != sets[i].good)
			fail_msg("%s: %s %s", sets[i].set, status_name(st),
			    rules_words(rs)->en);
		if (st != ST_OK) {
			EXPECT(rules_words(rs)->zh[0] != '\0');
			EXPECT(strcmp(before, rules_version(rs)) == 0);
		}
	}
	rules_free(rs);
}

/* Catches a parameter that is taken but not judged by. */
static void
test_rules_are_judged_by_the_courts_parameters(void **state)
{
	static const char spec[] =
	    "taken_at=\"2024-03-01T05:00:00+08:00\"\ndays=12\n"
	    "family/told_at=\"2024-03-01T18:00:00+08:00\"";
	struct rules *rs = NULL;
	struct findings f;
	char before[65];

	(void)state;
	findings_init(&f);
	EXPECT_OK(rules_load_builtin(&rs, kinds));
	memcpy(before, rules_version(rs), 65);
	check(&f, rs, kinds, "detention@1", spec, NULL);
	EXPECT(find(&f, "detention_days") == NULL);
	EXPECT(find(&f, "detention_family") == NULL);
	EXPECT_OK(rules_court(rs, "c",
	    bytes_str(COURT("\"set\":{\"detention_days\":{\"limit\":10},"
			    "\"detention_family\":{\"within\":\"12h\"}}"))));
	EXPECT(strcmp(before, rules_version(rs)) != 0);
	check(&f, rs, kinds, "detention@1", spec, NULL);
	EXPECT(find(&f, "detention_days") != NULL);
	EXPECT(
	    strcmp(find(&f, "detention_days")->params, "{\"limit\":10}") == 0);
	EXPECT(strstr(find(&f, "detention_days")->zh, "超过 10 日") != NULL);
	EXPECT(strcmp(find(&f, "detention_family")->params,
		   "{\"within\":\"12h\"}") == 0);
	/* The next file says all that differs: these are gone again. */
	EXPECT_OK(rules_court(rs, "c", bytes_str(COURT("\"set\":{}"))));
	EXPECT(strcmp(before, rules_version(rs)) == 0);
	check(&f, rs, kinds, "detention@1", spec, NULL);
	EXPECT(find(&f, "detention_days") == NULL);
	findings_free(&f);
	rules_free(rs);
}

/* Catches a local rule that is on by itself, and one of statute that can be
 * switched off. */
static void
test_rules_local_ones_are_off_until_a_court_says_so(void **state)
{
	static const char spec[] = "started_at=\"2024-03-01T12:00:00+08:00\"";
	struct rules *rs = NULL;
	struct findings f;

	(void)state;
	findings_init(&f);
	EXPECT_OK(rules_load_builtin(&rs, kinds));
	check(&f, rs, kinds, "search@1", spec, NULL);
	EXPECT(find(&f, "officers_two") == NULL);
	EXPECT_OK(rules_court(
	    rs, "c", bytes_str(COURT("\"on\":[\"officers_two\"]"))));
	check(&f, rs, kinds, "search@1", spec, NULL);
	EXPECT(find(&f, "officers_two") != NULL);
	EXPECT(find(&f, "recorder_none") == NULL);
	EXPECT_ST(rules_court(rs, "c",
		      bytes_str(COURT("\"off\":[\"search_warrant_no\"]"))),
	    ST_INVALID);
	EXPECT_ST(
	    rules_court(rs, "c", bytes_str(COURT("\"on\":[\"nothing\"]"))),
	    ST_INVALID);
	check(&f, rs, kinds, "search@1", spec, NULL);
	EXPECT(find(&f, "officers_two") != NULL);
	EXPECT_OK(rules_court(
	    rs, "c", bytes_str(COURT("\"off\":[\"officers_two\"]"))));
	check(&f, rs, kinds, "search@1", spec, NULL);
	EXPECT(find(&f, "officers_two") == NULL);
	findings_free(&f);
	rules_free(rs);
}

/* ---- versions and dates */

#define VERSION(n, from_to, least)                                             \
	"{\"rules\":[{\"id\":\"r\",\"version\":" n ",\"kinds\":[\"search\"],"  \
	"\"zh\":\"规\",\"en\":\"R\",\"severity\":\"grave\",\"mark\":\"own\"," \
	"\"law\":[{\"law\":\"own\"}]," from_to "\"must\":{\"count\":{\"of\":"  \
	"\"officers\",\"op\":\">=\",\"than\":" least "}}," SAY "}]}"

/* Catches an act that is judged by a rule of another time. */
static void
test_rules_an_act_is_judged_by_the_rules_of_its_day(void **state)
{
	static const struct {
		const char *day, *officers;
		unsigned version; /* of the rule that finds; 0 nothing */
	} acts[] = {
		{ "2019-12-31", "", 0 },
		{ "2020-01-01", "", 1 },
		{ "2020-01-01", "+officers/#1", 0 },
		{ "2021-06-30", "", 1 },
		{ "2021-07-01", "", 2 },
		{ "2021-07-01", "+officers/#1", 2 },
		{ "2021-07-01", "+officers/#1\n+officers/#2", 0 },
		{ "2031-07-01", "", 2 },
	};
	struct rules *rs = NULL;
	struct findings f;
	char spec[200];

	(void)state;
	findings_init(&f);
	EXPECT_OK(rules_load_builtin(&rs, kinds));
	EXPECT_OK(rules_add(rs, kinds, "v1",
	    bytes_str(VERSION(
		"1", "\"from\":\"2020-01-01\",\"to\":\"2021-06-30\",", "1"))));
	/* again the same: fine; another text of it: not */
	EXPECT_OK(rules_add(rs, kinds, "v1",
	    bytes_str(VERSION(
		"1", "\"from\":\"2020-01-01\",\"to\":\"2021-06-30\",", "1"))));
	EXPECT_ST(
	    rules_add(rs, kinds, "v1",
		bytes_str(VERSION("1",
		    "\"from\":\"2020-01-01\",\"to\":\"2021-06-30\",", "3"))),
	    ST_CONFLICT);
	/* two in force on one day: not */
	EXPECT_ST(rules_add(rs, kinds, "v2",
		      bytes_str(VERSION("2", "\"from\":\"2021-06-30\",", "2"))),
	    ST_CONFLICT);
	EXPECT(strstr(rules_words(rs)->en, "one day") != NULL);
	EXPECT_OK(rules_add(rs, kinds, "v2",
	    bytes_str(VERSION("2", "\"from\":\"2021-07-01\",", "2"))));
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		const struct finding *got;

		(void)snprintf(spec, sizeof(spec),
		    "started_at=\"%sT00:00:00+08:00\"\n%s", acts[i].day,
		    acts[i].officers);
		check(&f, rs, kinds, "search@1", spec, NULL);
		got = find(&f, "r");
		if ((got != NULL ? got->version : 0) != acts[i].version)
			fail_msg("%s: %u", spec, got ? got->version : 0);
	}
	findings_free(&f);
	rules_free(rs);
}

/* Catches an old act for which the law of today is cited. */
static void
test_rules_the_law_cited_is_that_of_the_day(void **state)
{
	static const struct {
		const char *day, *law, *article;
	} days[] = {
		{ "2017-07-20", "2017", "248" },
		{ "2021-12-31", "2017", "248" },
		{ "2022-01-01", "2021", "255" },
		{ "2023-12-31", "2021", "255" },
		{ "2024-01-01", "2023", "259" },
		{ "2026-01-01", "2023", "259" },
	};
	struct rules *rs = NULL;
	struct findings f;
	char spec[100];

	(void)state;
	findings_init(&f);
	EXPECT_OK(rules_load_builtin(&rs, kinds));
	for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
		const struct finding *got;

		(void)snprintf(spec, sizeof(spec),
		    "started_at=\"%sT00:00:00+08:00\"", days[i].day);
		check(&f, rs, kinds, "search@1", spec, NULL);
		got = find(&f, "search_warrant_no");
		EXPECT(got != NULL);
		EXPECT(strstr(got->law_en, days[i].law) != NULL);
		EXPECT(strcmp(got->article, days[i].article) == 0);
	}
	findings_free(&f);
	rules_free(rs);
}

/* Where the record does not say when it happened, the earliest entry does. */
static void
test_rules_without_a_time_the_earliest_entry_says_when(void **state)
{
	struct rules_entry e[2] = {
		{ .id = { 1 },
		    .verb = "open",
		    .at_ms = 1700000000000,
		    .wall_ms = 1700000000000,
		    .received_ms = RULES_NEVER },
		{ .id = { 2 },
		    .verb = "set",
		    .at_ms = 1000000000000,
		    .wall_ms = 1700000000000,
		    .received_ms = RULES_NEVER },
	};
	struct rules_context cx = { .now_ms = 1710000000000,
		.offset_min = 480,
		.entries = e,
		.entry_count = 1 };
	struct rules *rs = NULL;
	struct findings f;

	(void)state;
	findings_init(&f);
	EXPECT_OK(rules_load_builtin(&rs, kinds));
	check(&f, rs, kinds, "search@1", "target=\"a\"", &cx);
	EXPECT(find(&f, "search_warrant_no") != NULL);
	/* 2001: before the law that is known here */
	cx.entry_count = 2;
	check(&f, rs, kinds, "search@1", "target=\"a\"", &cx);
	EXPECT(find(&f, "search_warrant_no") == NULL);
	findings_free(&f);
	rules_free(rs);
}

/* ---- a kind and rules that no program was built with */

static const char drone_kind[] =
    "{\"kind\":\"drone@1\",\"zh\":\"无人机勘查\",\"en\":\"Drone survey\","
    "\"happened\":\"flown_at\",\"label\":[\"height\",\"pilot\"],"
    "\"fields\":[{\"path\":\"flown_at\",\"type\":\"datetime\","
    "\"zh\":\"起飞时间\",\"en\":\"Flown at\",\"required\":true},"
    "{\"path\":\"height\",\"type\":\"enum\",\"zh\":\"高度\","
    "\"en\":\"Height\",\"options\":[{\"id\":\"low\",\"zh\":\"低空\","
    "\"en\":\"low\"},{\"id\":\"high\",\"zh\":\"高空\",\"en\":\"high\"}]},"
    "{\"path\":\"permit/no\",\"type\":\"doc_no\",\"zh\":\"许可号\","
    "\"en\":\"Permit\",\"required\":true,"
    "\"when\":{\"is\":[\"height\",\"high\"]}},"
    "{\"path\":\"pilot\",\"type\":\"text\",\"zh\":\"飞手\","
    "\"en\":\"Pilot\"}],"
    "\"lists\":[{\"path\":\"shots\",\"zh\":\"航片\",\"en\":\"Shots\","
    "\"required\":1,\"fields\":[{\"path\":\"photo\","
    "\"type\":\"attachment\",\"zh\":\"照片\",\"en\":\"Photo\","
    "\"required\":true}]}],"
    "\"status\":[{\"id\":\"draft\",\"zh\":\"草稿\",\"en\":\"draft\","
    "\"to\":[\"done\"]},{\"id\":\"done\",\"zh\":\"完成\",\"en\":\"done\","
    "\"finish\":true}]}";

static const char drone_rules[] =
    "{\"laws\":{\"air\":{\"zh\":\"航空条例\",\"en\":\"Air rules\"}},"
    "\"rules\":[{\"id\":\"drone_permit\",\"version\":3,"
    "\"kinds\":[\"drone\"],\"zh\":\"许可\",\"en\":\"Permit\","
    "\"severity\":\"grave\",\"mark\":\"G\","
    "\"law\":[{\"law\":\"air\",\"article\":\"art. 7\"}],"
    "\"at\":\"permit\",\"when\":{\"is\":[\"height\",\"high\"]},"
    "\"must\":{\"has\":\"permit/no\"},"
    "\"say\":{\"zh\":\"{height}飞行没有许可。\","
    "\"en\":\"Flown {height} without a permit.\"}}]}";

/* Catches a kind that works only because the program knows it. */
static void
test_rules_a_new_kind_needs_no_new_program(void **state)
{
	struct kinds *ks = NULL;
	struct rules *rs = NULL;
	const struct kind *k;
	const struct finding *got;
	struct findings f;
	struct words w;
	struct state st;
	struct buf b;

	(void)state;
	findings_init(&f);
	buf_init(&b, 1 << 16);
	EXPECT_OK(kinds_load_builtin(&ks));
	EXPECT_OK(rules_load_builtin(&rs, ks));
	EXPECT_OK(kinds_add(ks, "drone", bytes_str(drone_kind)));
	EXPECT_OK(rules_add(rs, ks, "drone", bytes_str(drone_rules)));
	k = kinds_latest(ks, bytes_str("drone"));
	EXPECT_OK(
	    kind_check_path(k, bytes_str("height"), bytes_str("\"low\""), &w));
	EXPECT_ST(kind_check_path(
		      k, bytes_str("height"), bytes_str("\"medium\""), &w),
	    ST_INVALID);
	check(&f, rs, ks, "drone@1",
	    "height=\"high\"\nflown_at=\"2024-03-01T05:00:00+08:00\"\n=done",
	    NULL);
	got = find(&f, "drone_permit");
	EXPECT(got != NULL && got->version == 3);
	EXPECT(strcmp(got->zh, "高空飞行没有许可。") == 0);
	EXPECT(strcmp(got->en, "Flown high without a permit.") == 0);
	EXPECT(strcmp(got->law_zh, "航空条例") == 0);
	EXPECT(strcmp(got->path, "permit") == 0);
	EXPECT(strcmp(got->key, "drone_permit:permit") == 0);
	/* and the rules for every kind hold for it: permit, shots */
	EXPECT(find(&f, "required") != NULL);
	EXPECT(f.count == 3);
	check(&f, rs, ks, "drone@1",
	    "height=\"low\"\nflown_at=\"2024-03-01T05:00:00+08:00\"\n=done\n"
	    "+shots/#1\nshots/#1/photo=withheld",
	    NULL);
	EXPECT(f.count == 0);
	made_state("drone@1", "pilot=\"甲\"\nheight=\"low\"", &b);
	state_init(&st);
	EXPECT_OK(state_read(&st, buf_view(&b)));
	buf_reset(&b);
	kind_label(k, &st, true, &b);
	EXPECT_BYTES(buf_view(&b), bytes_str("低空 · 甲"));
	state_free(&st);
	buf_free(&b);
	findings_free(&f);
	rules_free(rs);
	kinds_free(ks);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_footage_gap_says_when_and_how_long),
		cmocka_unit_test(
		    test_footage_is_judged_again_when_cards_can_have_been_read),
		cmocka_unit_test(
		    test_rules_bad_files_are_refused_with_place_and_reason),
		cmocka_unit_test(test_rules_deep_conditions_are_refused),
		cmocka_unit_test(
		    test_rules_statute_is_tightened_never_loosened),
		cmocka_unit_test(
		    test_rules_are_judged_by_the_courts_parameters),
		cmocka_unit_test(
		    test_rules_local_ones_are_off_until_a_court_says_so),
		cmocka_unit_test(
		    test_rules_an_act_is_judged_by_the_rules_of_its_day),
		cmocka_unit_test(test_rules_the_law_cited_is_that_of_the_day),
		cmocka_unit_test(
		    test_rules_without_a_time_the_earliest_entry_says_when),
		cmocka_unit_test(test_rules_a_new_kind_needs_no_new_program),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
