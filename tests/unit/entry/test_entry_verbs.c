#include "support/expect.h"

#include <stdio.h>
#include <string.h>

#include "entry/entry.h"
#include "support/entries.h"

#define ID_B "10112233445566778899aabbccddeeff"
#define ITEM "items/@" DRAFT_ID

static struct trial t;

static int
begin(void **state)
{
	(void)state;
	trial_init(&t);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	trial_free(&t);
	return 0;
}

/* Catches a verb whose right form is refused (B). */
static void
test_entry_every_verb_in_its_right_form_is_whole(void **state)
{
	static const struct {
		const char *verb, *on, *data, *reason, *more;
		enum verb is;
	} good[] = {
		{ "open", "[]", "[]", NULL, NULL, DO_OPEN },
		{ "open", "[\"a\",\"b/c\",\"" ITEM "/d\"]", "[\"\",-1,null]",
		    NULL, NULL, DO_OPEN },
		{ "set", "[\"a\"]", "[true]", NULL, NULL, DO_SET },
		{ "set", "[\"a\"]", "[false]", "x", "{}", DO_SET },
		{ "amend", "[\"a\"]", "[null]", "x", NULL, DO_AMEND },
		{ "add", "[\"items\"]", "[null]", NULL, NULL, DO_ADD },
		{ "add", "[\"items\",\"a\",\"b/c\"]", "[null,1,\"x\"]", NULL,
		    NULL, DO_ADD },
		{ "add", "[\"items\",\"items\"]", "[null,1]", NULL, NULL,
		    DO_ADD },
		{ "add", "[\"" ITEM "/renewals\",\"a\"]", "[null,1]", NULL,
		    NULL, DO_ADD },
		{ "drop", "[\"" ITEM "\"]", "[null]", "x", NULL, DO_DROP },
		{ "drop", "[\"@" DRAFT_ID "\",\"@" ID_B "\"]", "[null,null]",
		    "x", NULL, DO_DROP },
		{ "keep", "[\"" ITEM "\"]", "[null]", "x", NULL, DO_KEEP },
		{ "advance", "[\"signed\"]", "[null]", NULL, NULL, DO_ADVANCE },
		{ "link", "[\"" DRAFT_REC "\",\"same_as\"]", "[null,null]",
		    NULL, NULL, DO_LINK },
		{ "link", "[\"" DRAFT_REC "\",\"none\"]", "[null,null]", "x",
		    NULL, DO_LINK },
		{ "sign", "[\"\"]", "[null]", NULL,
		    "{\"shown\":\"" DRAFT_HASH "\",\"how\":\"signed\"}",
		    DO_SIGN },
		{ "sign", "[\"warrant\",\"" ITEM "\"]", "[null,null]", NULL,
		    "{\"how\":\"refused\",\"shown\":\"" DRAFT_HASH
		    "\",\"person\":\"x\"}",
		    DO_SIGN },
		{ "sign", "[\"a\"]", "[null]", NULL,
		    "{\"shown\":\"\\u003010112233445566778899aabbccddeef"
		    "00112233445566778899aabbccddeeff\",\"how\":"
		    "\"l\\u0065ft\"}",
		    DO_SIGN },
		{ "attach", "[\"\"]", "[\"" DRAFT_HASH "\"]", NULL, NULL,
		    DO_ATTACH },
		{ "attach", "[\"@" DRAFT_ID "\"]", "[\"" DRAFT_HASH "\"]", NULL,
		    "{\"size\":1}", DO_ATTACH },
		{ "note", "[\"" ITEM "\"]", "[\"text\"]", NULL, NULL, DO_NOTE },
		{ "approve", "[\"@" DRAFT_ID "\"]", "[true]", NULL,
		    "{\"number\":\"1\"}", DO_APPROVE },
		{ "approve", "[\"warrant\"]", "[false]", "x", NULL,
		    DO_APPROVE },
		{ "release", "[\"" ITEM "\",\"a\"]", "[null,null]", NULL, NULL,
		    DO_RELEASE },
		{ "release", "[\"\"]", "[null]", NULL, NULL, DO_RELEASE },
		{ "void", "[\"\"]", "[null]", "x", NULL, DO_VOID },
		{ "print", "[\"\"]", "[null]", NULL, "{\"form\":\"x\"}",
		    DO_PRINT },
		{ "hold", "[\"" DRAFT_ID "\",\"" ID_B "\"]", "[null,null]", "x",
		    NULL, DO_HOLD },
		{ "admit", "[\"" DRAFT_ID "\"]", "[null]", NULL, NULL,
		    DO_ADMIT },
	};
	bool seen[DO_COUNT] = { false };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char verb[32];
		bool must;

		draft_init(&t.d);
		(void)snprintf(verb, sizeof(verb), "\"%s\"", good[i].verb);
		draft_verb(&t.d, verb, good[i].on, good[i].data);
		if (good[i].reason != NULL)
			draft_body(&t.d, "reason", "\"x\"");
		draft_body(&t.d, "more", good[i].more);
		trial_whole(&t, good[i].verb);
		EXPECT(t.e.verb == good[i].is);
		EXPECT(strcmp(verb_name(t.e.verb), good[i].verb) == 0);
		EXPECT(verb_of(bytes_str(good[i].verb)) == good[i].is);
		seen[t.e.verb] = true;
		/* Without its reason: blind exactly where it must have one. */
		must = good[i].is == DO_AMEND || good[i].is == DO_DROP ||
		       good[i].is == DO_KEEP || good[i].is == DO_VOID;
		EXPECT(verb_needs_reason(good[i].is) == must);
		draft_body(&t.d, "reason", NULL);
		if (must)
			trial_blind(&t, good[i].verb, "body: no reason");
		else
			trial_whole(&t, good[i].verb);
		draft_body(&t.d, "reason", "\"\"");
		trial_blind(&t, good[i].verb, "body: reason is no text");
	}
	for (int v = DO_NONE + 1; v < DO_COUNT; v++)
		EXPECT(seen[v]);
	EXPECT(strcmp(verb_name(DO_NONE), "") == 0);
	EXPECT(verb_of(bytes_str("")) == DO_NONE);
}

/* Catches names in `on` that the verb does not allow (B). */
static void
test_entry_names_that_the_verb_forbids_are_malformed(void **state)
{
	static const char count[] = "head: wrong number of names in on";
	static const char bad[] = "head: bad name in on";
	static const char twice[] = "head: a name twice in on";
	static const struct {
		const char *verb, *on, *why;
	} on[] = {
		{ "\"open\"", "[\"\"]", bad },
		{ "\"open\"", "[\"" ITEM "\"]", bad },
		{ "\"open\"", "[\"a\",\"b\",\"a\"]", twice },
		{ "\"set\"", "[]", count },
		{ "\"set\"", "[\"\"]", bad },
		{ "\"set\"", "[\"A\"]", bad },
		{ "\"set\"", "[\"@" DRAFT_ID "\"]", bad },
		{ "\"set\"", "[\"" ITEM "\"]", bad },
		{ "\"set\"", "[\"a\",\"a\"]", twice },
		{ "\"set\"", "[\"a\",\"\\u0061\"]", twice },
		{ "\"amend\"", "[]", count },
		{ "\"amend\"", "[\"@" DRAFT_ID "\"]", bad },
		{ "\"add\"", "[]", count },
		{ "\"add\"", "[\"\"]", bad },
		{ "\"add\"", "[\"" ITEM "\"]", bad },
		{ "\"add\"", "[\"items\",\"" ITEM "/a\"]", bad },
		{ "\"add\"", "[\"items\",\"\"]", bad },
		{ "\"add\"", "[\"items\",\"a\",\"a\"]", twice },
		{ "\"drop\"", "[]", count },
		{ "\"drop\"", "[\"items\"]", bad },
		{ "\"drop\"", "[\"\"]", bad },
		{ "\"drop\"", "[\"" ITEM "\",\"" ITEM "\"]", twice },
		{ "\"keep\"", "[]", count },
		{ "\"keep\"", "[\"items\"]", bad },
		{ "\"advance\"", "[]", count },
		{ "\"advance\"", "[\"a\",\"b\"]", count },
		{ "\"advance\"", "[\"a/b\"]", bad },
		{ "\"advance\"", "[\"\"]", bad },
		{ "\"link\"", "[\"" DRAFT_REC "\"]", count },
		{ "\"link\"", "[\"same_as\",\"" DRAFT_REC "\"]", bad },
		{ "\"link\"", "[\"" DRAFT_REC "\",\"Same\"]", bad },
		{ "\"link\"", "[\"" DRAFT_REC "\",\"a\",\"b\"]", count },
		{ "\"sign\"", "[]", count },
		{ "\"sign\"", "[\"@" DRAFT_ID "\"]", bad },
		{ "\"sign\"", "[\"a\",\"a\"]", twice },
		{ "\"attach\"", "[]", count },
		{ "\"attach\"", "[\"a\",\"b\"]", count },
		{ "\"attach\"", "[\"a//b\"]", bad },
		{ "\"note\"", "[]", count },
		{ "\"note\"", "[\"a\",\"b\"]", count },
		{ "\"approve\"", "[\"\"]", bad },
		{ "\"approve\"", "[\"a\",\"b\"]", count },
		{ "\"release\"", "[]", count },
		{ "\"release\"", "[\"@" DRAFT_ID "\"]", bad },
		{ "\"void\"", "[]", count },
		{ "\"void\"", "[\"a\"]", bad },
		{ "\"void\"", "[\"\",\"\"]", count },
		{ "\"print\"", "[\"a\"]", bad },
		{ "\"hold\"", "[]", count },
		{ "\"hold\"", "[\"@" DRAFT_ID "\"]", bad },
		{ "\"hold\"", "[\"" DRAFT_ID "\",\"" DRAFT_ID "\"]", twice },
		{ "\"hold\"",
		    "[\"" DRAFT_ID "\",\"" ID_B "\",\"" DRAFT_REC "\"]", bad },
		{ "\"admit\"", "[\"" DRAFT_REC "\"]", bad },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(on) / sizeof(on[0]); i++) {
		draft_init(&t.d);
		draft_verb(&t.d, on[i].verb, on[i].on, "[null]");
		trial_malformed(&t, on[i].on, on[i].why);
	}
}

/* Catches values that the verb does not allow (B): blind, never malformed. */
static void
test_entry_values_that_the_verb_forbids_are_blind(void **state)
{
	static const char bad[] = "body: bad value in data";
	static const char len[] = "body: data is not as long as on";
	static const struct {
		const char *verb, *on, *data, *more, *why;
	} data[] = {
		{ "\"set\"", "[\"a\"]", "[]", NULL, len },
		{ "\"set\"", "[\"a\"]", "[1,2]", NULL, len },
		{ "\"set\"", "[\"a\"]", "[[]]", NULL, bad },
		{ "\"set\"", "[\"a\"]", "[{}]", NULL, bad },
		{ "\"set\"", "[\"a\"]", "[[1]]", NULL, bad },
		{ "\"set\"", "[\"a\",\"b\"]", "[[1],2]", NULL, bad },
		{ "\"set\"", "[\"a\"]", "{}", NULL, "body: no data" },
		{ "\"set\"", "[\"a\"]", "1", NULL, "body: no data" },
		{ "\"set\"", "[\"a\"]", NULL, NULL, "body: no data" },
		{ "\"open\"", "[]", "[1]", NULL, len },
		{ "\"add\"", "[\"items\"]", "[1]", NULL, bad },
		{ "\"add\"", "[\"items\",\"a\"]", "[null,[]]", NULL, bad },
		{ "\"advance\"", "[\"a\"]", "[1]", NULL, bad },
		{ "\"link\"", "[\"" DRAFT_REC "\",\"a\"]", "[null,1]", NULL,
		    bad },
		{ "\"attach\"", "[\"\"]", "[null]", NULL, bad },
		{ "\"attach\"", "[\"\"]", "[\"" DRAFT_ID "\"]", NULL, bad },
		{ "\"attach\"", "[\"\"]", "[\"" DRAFT_HASH "0\"]", NULL, bad },
		{ "\"note\"", "[\"\"]", "[\"\"]", NULL, bad },
		{ "\"note\"", "[\"\"]", "[null]", NULL, bad },
		{ "\"note\"", "[\"\"]", "[1]", NULL, bad },
		{ "\"approve\"", "[\"a\"]", "[null]", NULL, bad },
		{ "\"approve\"", "[\"a\"]", "[1]", NULL, bad },
		{ "\"release\"", "[\"a\"]", "[1]", NULL, bad },
		{ "\"print\"", "[\"\"]", "[\"\"]", NULL, bad },
		{ "\"hold\"", "[\"" DRAFT_ID "\"]", "[true]", NULL, bad },
		{ "\"sign\"", "[\"a\"]", "[1]", NULL, bad },
		{ "\"sign\"", "[\"a\"]", "[null]", NULL,
		    "body: a sign without more" },
		{ "\"sign\"", "[\"a\"]", "[null]", "{\"how\":\"signed\"}",
		    "body: a sign without shown" },
		{ "\"sign\"", "[\"a\"]", "[null]",
		    "{\"how\":\"signed\",\"shown\":\"" DRAFT_ID "\"}",
		    "body: a sign without shown" },
		{ "\"sign\"", "[\"a\"]", "[null]",
		    "{\"shown\":\"" DRAFT_HASH "\"}",
		    "body: a sign without how" },
		{ "\"sign\"", "[\"a\"]", "[null]",
		    "{\"shown\":\"" DRAFT_HASH "\",\"how\":\"perhaps\"}",
		    "body: a sign without how" },
		{ "\"sign\"", "[\"a\"]", "[null]",
		    "{\"shown\":\"" DRAFT_HASH "\",\"how\":1}",
		    "body: a sign without how" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
		draft_init(&t.d);
		draft_verb(&t.d, data[i].verb, data[i].on, data[i].data);
		draft_body(&t.d, "more", data[i].more);
		trial_blind(&t, data[i].verb, data[i].why);
	}
}

/* Catches a wrong body that is taken, or makes the whole entry malformed. */
static void
test_entry_with_a_wrong_body_is_blind(void **state)
{
	struct bytes raw;

	(void)state;
	draft_body(&t.d, "salt", NULL);
	trial_blind(&t, "no salt", "body: no salt of 16 bytes");
	draft_body(&t.d, "salt", "\"00\"");
	trial_blind(&t, "short salt", "body: no salt of 16 bytes");
	draft_init(&t.d);
	draft_body(&t.d, "reason", "null");
	trial_blind(&t, "reason null", "body: reason is no text");
	draft_init(&t.d);
	draft_body(&t.d, "more", "[]");
	trial_blind(&t, "more list", "body: more is no object");
	draft_init(&t.d);
	draft_body(&t.d, "note", "1");
	trial_blind(&t, "unknown", "body: unknown member");
	draft_init(&t.d);
	draft_body(&t.d, "data", "[1.5]");
	trial_blind(&t, "no I-JSON", "not an integer");
	draft_init(&t.d);
	draft_head(&t.d, "body", "\"" DRAFT_HASH "\"");
	trial_blind(&t, "other hash", "body: not the one that the head names");

	draft_init(&t.d);
	draft_write(&t.d, &t.b);
	EXPECT_OK(entry_parse(&t.e, buf_view(&t.b)));
	raw = t.e.head_line;
	EXPECT_OK(entry_parse(&t.e, raw));
	EXPECT(strcmp(t.e.body_why, "body: absent") == 0);
	EXPECT(t.e.body_is == ENTRY_BODY_BLIND && t.e.verb == DO_SET);
	raw.len++; /* the LF, and an empty line behind it */
	EXPECT_OK(entry_parse(&t.e, raw));
	EXPECT(t.e.body_is == ENTRY_BODY_BLIND && t.e.body_line.len == 0);
	raw.len = t.b.len;
	buf_str(&t.b, "\n");
	raw = buf_view(&t.b);
	EXPECT_OK(entry_parse(&t.e, raw));
	EXPECT(t.e.body_is == ENTRY_BODY_BLIND);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_entry_every_verb_in_its_right_form_is_whole),
		T(test_entry_names_that_the_verb_forbids_are_malformed),
		T(test_entry_values_that_the_verb_forbids_are_blind),
		T(test_entry_with_a_wrong_body_is_blind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
