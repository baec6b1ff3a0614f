#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "form/form.h"
#include "support/entries.h"
#include "support/made_state.h"

/*
 * What stands on the paper, for what a record says.  Forms of one block over
 * searches; lines are shown one below the other, cells with '|' between.
 */

#define FORM(block)                                                            \
	"{\"form\":\"t@1\",\"kind\":\"search@1\",\"zh\":\"题\",\"en\":\"T\"," \
	"\"blocks\":[{\"title\":\"题\"}," block "]}"

static struct kinds *kinds;
static struct buf shown;

static int
setup(void **state)
{
	(void)state;
	buf_init(&shown, 1 << 20);
	return kinds_load_builtin(&kinds) == ST_OK ? 0 : 1;
}

static int
teardown(void **state)
{
	(void)state;
	kinds_free(kinds);
	buf_free(&shown);
	return 0;
}

static void
show(const struct form_doc *d)
{
	buf_reset(&shown);
	for (size_t i = 1; i < d->line_count; i++) {
		const struct form_line *l = &d->line[i];

		buf_str(&shown, l->struck ? "~" : "");
		for (uint32_t c = 0; c < l->cell_count; c++) {
			if (c > 0)
				buf_str(&shown, "|");
			buf_bytes(
			    &shown, form_doc_text(d, &d->cell[l->cell + c]));
		}
		buf_str(&shown, "\n");
	}
}

/* spec NULL: blank. */
static void
fill_doc(struct form_doc *doc, const char *form, const char *spec,
    const struct form_entry *entries, size_t count)
{
	struct form_input in = { .offset_min = 480,
		.now_ms = 1780000000000,
		.court_name = "某法院",
		.rec = "R",
		.entries = entries,
		.entry_count = count };
	struct forms *fs = NULL;
	struct state st;
	struct buf b;

	EXPECT_OK(forms_new(&fs));
	if (forms_add(fs, kinds, "t", bytes_str(form)) != ST_OK)
		fail_msg("%s", forms_words(fs)->en);
	in.form = forms_at(fs, 0);
	state_init(&st);
	buf_init(&b, 1 << 20);
	if (spec != NULL) {
		made_state("search@1", spec, &b);
		EXPECT_OK(state_read(&st, buf_view(&b)));
		in.st = &st;
	}
	EXPECT_OK(form_fill(doc, &in));
	state_free(&st);
	buf_free(&b);
	forms_free(fs);
}

/* The lines behind the title. */
static const char *
fill(const char *form, const char *spec, const struct form_entry *entries,
    size_t count)
{
	struct form_doc doc;

	form_doc_init(&doc);
	fill_doc(&doc, form, spec, entries, count);
	show(&doc);
	form_doc_free(&doc);
	return buf_cstr(&shown);
}

static void
expect(const char *form, const char *spec, const char *want)
{
	assert_string_equal(fill(form, spec, NULL, 0), want);
}

/* Catches an empty space that somebody fills in later, and a value that looks
 * other than what was entered. */
static void
test_form_says_what_was_not_recorded(void **state)
{
	(void)state;
	expect(FORM("{\"para\":[\"由{opening/by}。{ground/text!}\"]}"),
	    "opening/forced=true", "由（未记载）。\n");
	expect(FORM("{\"para\":[\"由{opening/by}。\"]}"), "opening/by=null",
	    "由（无）。\n");
	expect(FORM("{\"grid\":[[\"甲\",\"{ground/text!}\"]],"
		    "\"widths\":[1,1]}"),
	    "target=\"a\"", "甲|／\n");
	expect(FORM("{\"para\":[\"{warrant/no}\"]}"), "warrant/no=withheld",
	    "（未提供）\n");
	expect(FORM("{\"para\":[\"{shown/warrant?已出示|未出示}\"]}"),
	    "target=\"a\"", "（已出示／未出示：未记载）\n");
	expect(FORM("{\"para\":[\"{shown/warrant?已出示|未出示}\"]}"),
	    "shown/warrant=false", "未出示\n");
}

/* Catches a side of a conflict that a paper keeps quiet about. */
static void
test_form_shows_every_value_of_a_conflict(void **state)
{
	(void)state;
	expect(FORM("{\"para\":[\"{target}\"]}"), "target=\"a\"\ntarget=\"b\"",
	    "a／b（不一致）\n");
	expect(FORM("{\"para\":[\"{shown/warrant?已|未}\"]}"),
	    "shown/warrant=true\nshown/warrant=false", "已／未（不一致）\n");
}

/* Catches values as machines write them. */
static void
test_form_writes_values_as_people_read_them(void **state)
{
	(void)state;
	expect(FORM("{\"para\":[\"{started_at}\"]}"),
	    "started_at=\"2026-11-24T05:07:09+08:00\"",
	    "2026年11月24日5时07分\n");
	/* Another zone is said. */
	expect(FORM("{\"para\":[\"{started_at}\"]}"),
	    "started_at=\"2026-11-23T21:07:00Z\"",
	    "2026年11月23日21时07分（UTC+00:00）\n");
	expect(FORM("{\"para\":[\"{warrant/date}\"]}"),
	    "warrant/date=\"2024-02-29\"", "2024年2月29日\n");
	expect(FORM("{\"para\":[\"{claim/amount}\"]}"),
	    "claim/amount=\"1386056.50\"", "1,386,056.50元\n");
	expect(FORM("{\"para\":[\"{claim/amount}\"]}"),
	    "claim/amount=\"205.00\"", "205.00元\n");
	expect(FORM("{\"para\":[\"{ground/sort}\"]}"),
	    "ground/sort=\"hidden_property\"", "隐匿财产\n");
	expect(FORM("{\"para\":[\"{=court} {=rec}\"]}"), "target=\"a\"",
	    "某法院 R\n");
}

/* Catches items out of order, items that vanish when struck out, and rows of
 * another list. */
static void
test_form_lists_items_by_number_and_strikes_out(void **state)
{
	(void)state;
	expect(FORM("{\"table\":\"found\",\"columns\":["
		    "{\"head\":\"序号\",\"text\":\"{#}\"},"
		    "{\"head\":\"名称\",\"text\":\"{name}（{/target}）\"}]}"),
	    "target=\"t\"\n+found/#2\n-found/#1\n"
	    "found/#1/name=\"b\"\nfound/#2/name=\"a\"",
	    "序号|名称\n1|a（t）\n~2|b（t）\n");
	expect(FORM("{\"table\":\"found\",\"columns\":["
		    "{\"head\":\"名称\",\"text\":\"{name}\"}]}"),
	    "target=\"t\"", "名称\n发现的财物：（无记载）\n");
	expect(FORM("{\"para\":[\"{found*name}\"]}"),
	    "+found/#1\n-found/#2\n+found/#3\nfound/#1/name=\"a\"\n"
	    "found/#2/name=\"b\"\nfound/#3/name=\"c\"",
	    "a、c\n");
	expect(FORM("{\"each\":\"persons\",\"para\":[\"{#}. {name}\"]}"),
	    "+persons/#1\npersons/#1/name=\"a\"", "1. a\n");
}

/* Catches a paragraph that stands where it does not apply, or is left out
 * where nobody can tell. */
static void
test_form_leaves_out_what_does_not_apply(void **state)
{
	static const char form[] =
	    FORM("{\"para\":[\"甲\"],\"when\":{\"is\":[\"opening/forced\","
		 "true]}}");

	(void)state;
	expect(form, "target=\"a\"", "");
	expect(form, "opening/forced=false", "");
	expect(form, "opening/forced=true", "甲\n");
	expect(form, "opening/forced=withheld", "甲\n");
	expect(form, "opening/forced=true\nopening/forced=false", "甲\n");
	/* On paper nobody knows yet. */
	expect(form, NULL, "甲\n");
}

/* Catches a blank form that cannot be filled in by hand. */
static void
test_form_blank_leaves_room_to_write(void **state)
{
	(void)state;
	expect(FORM("{\"para\":[\"{target}，{shown/warrant?已|未}，"
		    "{warrant/date}\"]}"),
	    NULL,
	    "＿＿＿＿＿＿＿＿，□\xe2\x81\xa0已 □\xe2\x81\xa0未，"
	    "＿＿＿＿年＿＿月＿＿日\n");
	expect(FORM("{\"table\":\"found\",\"rows\":2,\"columns\":["
		    "{\"head\":\"序号\",\"text\":\"{#}\"},"
		    "{\"head\":\"名称\",\"text\":\"{name}\"}]}"),
	    NULL, "序号|名称\n1|\n2|\n");
	expect(FORM("{\"signs\":[\"subject\"]}"), NULL, "被搜查人|\n");
}

/* Catches lines to write on that are printed on a filled form, and the end of
 * a line that cannot be written on. */
static void
test_form_blank_has_lines_to_write_on(void **state)
{
	static const char form[] =
	    FORM("{\"para\":[\"问：{target}\"],\"lines\":7},"
		 "{\"note\":\"手写\",\"on\":\"blank\"},"
		 "{\"note\":\"打印\",\"on\":\"filled\"}");
	struct form_doc doc;

	(void)state;
	expect(form, NULL, "问：\n手写\n");
	expect(form, "target=\"a\"", "问：a\n打印\n");
	form_doc_init(&doc);
	fill_doc(&doc, form, NULL, NULL, 0);
	EXPECT(doc.line[1].open && doc.line[1].lines == 7);
	fill_doc(&doc, form, "target=\"a\"", NULL, 0);
	EXPECT(!doc.line[1].open && doc.line[1].lines == 0);
	form_doc_free(&doc);
}

/* Catches a television set that is asked for its engine number, and a waiting
 * seizure's place called forgotten where nothing waits. */
static void
test_form_says_what_was_not_asked_for(void **state)
{
	static const char each[] =
	    FORM("{\"each\":\"found\",\"para\":[\"{#}{name}\"],"
		 "\"when\":{\"is\":[\"action\",\"seized\"]}}");

	(void)state;
	expect(FORM("{\"para\":[\"由{opening/by}\"]}"), "opening/forced=false",
	    "由（不适用）\n");
	/* Nobody said whether: that it does not apply is not known. */
	expect(FORM("{\"para\":[\"由{opening/by}\"]}"), "target=\"a\"",
	    "由（未记载）\n");
	expect(FORM("{\"table\":\"found\",\"columns\":["
		    "{\"head\":\"名称\",\"text\":\"{name}\"}]},"
		    "{\"each\":\"found\",\"para\":[\"{name}\"]}"),
	    "target=\"a\"", "名称\n发现的财物：（无记载）\n");
	expect(FORM("{\"para\":[\"由{opening/by}\"]}"),
	    "opening/forced=withheld", "由（未记载）\n");
	expect(each,
	    "+found/#1\n+found/#2\nfound/#1/name=\"a\"\n"
	    "found/#1/action=\"recorded\"\nfound/#2/name=\"b\"\n"
	    "found/#2/action=\"seized\"",
	    "2b\n");
	expect(each, "+found/#1\nfound/#1/action=\"recorded\"", "");
}

/* Catches a paper that names officers by a roster: it would be another one at
 * the centre, and another one next year. */
static void
test_form_names_officers_as_the_record_does(void **state)
{
	static const char form[] =
	    FORM("{\"para\":[\"{recorder}\"]},{\"table\":\"officers\","
		 "\"columns\":[{\"head\":\"姓名\",\"text\":\"{name}\"},"
		 "{\"head\":\"编号\",\"text\":\"{officer}\"}]}");
	static const char spec[] =
	    "recorder=\"p001\"\n+officers/#1\nofficers/#1/officer=\"p001\"\n";

	(void)state;
	expect(form, spec, "p001\n姓名|编号\n未记载|p001\n");
	expect(FORM("{\"para\":[\"{recorder}\"]}"),
	    "recorder=\"p001\"\n+officers/#1\nofficers/#1/officer=\"p001\"\n"
	    "officers/#1/name=\"张伟\"",
	    "张伟（p001）\n");
	/* Of two names neither is the one; a struck one is none. */
	expect(FORM("{\"para\":[\"{recorder}\"]}"),
	    "recorder=\"p001\"\n+officers/#1\nofficers/#1/officer=\"p001\"\n"
	    "officers/#1/name=\"张伟\"\nofficers/#1/name=\"章伟\"",
	    "p001\n");
	expect(FORM("{\"para\":[\"{recorder}\"]}"),
	    "recorder=\"p001\"\n-officers/#1\nofficers/#1/officer=\"p001\"\n"
	    "officers/#1/name=\"张伟\"",
	    "p001\n");
}

/* Catches a court's own form that does not know the court. */
static void
test_form_names_the_court_where_the_record_does_not(void **state)
{
	static const char form[] = FORM("{\"para\":[\"{court/name|=court}\"]}");

	(void)state;
	expect(form, "target=\"a\"", "某法院\n");
	expect(form, "court/name=\"乙法院\"", "乙法院\n");
	expect(form, NULL, "某法院\n");
}

/* Catches a refusal printed as a signature, and a signature that no longer
 * covers what stands above it. */
static void
test_form_says_how_each_signed(void **state)
{
	static const char form[] = FORM("{\"signs\":[\"subject\"]}");
	const char *text;

	(void)state;
	expect(form, "subject/name=\"甲\"", "被搜查人 甲|（未签名）\n");
	text = fill(form,
	    "subject/name=\"甲\"\n!sign:ok - - {\"how\":\"refused\","
	    "\"person\":\"subject\",\"watched\":\"乙\"}",
	    NULL, 0);
	EXPECT(strstr(text, "拒绝签名，在场见证：乙") != NULL);
	EXPECT(strstr(text, "已签名") == NULL);
	text = fill(form,
	    "subject/name=\"甲\"\n!sign:stale - - {\"how\":\"signed\","
	    "\"person\":\"subject\"}",
	    NULL, 0);
	EXPECT(strstr(text, "（已签名）") != NULL);
	EXPECT(strstr(text, "签名后所签内容有补正") != NULL);
	text = fill(form,
	    "subject/name=\"甲\"\n!sign:mismatch - - {\"how\":\"signed\","
	    "\"person\":\"subject\"}",
	    NULL, 0);
	EXPECT(strstr(text, "与当时所示内容不符") != NULL);
	/* Nor does a picture that may not be at hand stand for the words. */
	text = fill(form,
	    "subject/name=\"甲\"\n!sign:ok - - {\"how\":\"signed\","
	    "\"person\":\"subject\",\"picture\":"
	    "\"00000000000000000000000000000000"
	    "00000000000000000000000000000000\"}",
	    NULL, 0);
	EXPECT(strstr(text, "（已签名）") != NULL);
	/* Somebody else's signature is none of theirs. */
	text = fill(form,
	    "subject/name=\"甲\"\n!sign:ok - - {\"how\":\"signed\","
	    "\"person\":\"officers/#1\"}",
	    NULL, 0);
	EXPECT(strstr(text, "（未签名）") != NULL);
}

/* ---- corrections */

struct story {
	struct buf bytes[8];
	struct form_entry entry[8];
	size_t count;
};

static void
tell(struct story *s, const char *verb, const char *on, const char *data,
    const char *reason, const char *more)
{
	struct form_entry *e = &s->entry[s->count];
	struct draft d;

	draft_init(&d);
	draft_verb(&d, verb, on, data);
	if (reason != NULL)
		draft_body(&d, "reason", reason);
	if (more != NULL)
		draft_body(&d, "more", more);
	buf_init(&s->bytes[s->count], ENTRY_BYTES_MAX);
	draft_write(&d, &s->bytes[s->count]);
	e->bytes = buf_view(&s->bytes[s->count]);
	memset(e->id, 0, ID_LEN);
	e->id[ID_LEN - 1] = (uint8_t)(s->count + 1);
	s->count++;
}

static void
untell(struct story *s)
{
	for (size_t i = 0; i < s->count; i++)
		buf_free(&s->bytes[i]);
	s->count = 0;
}

#define SIGNED                                                                 \
	"{\"shown\":"                                                          \
	"\"0000000000000000000000000000000000000000000000000000000000000000\"" \
	",\"how\":\"signed\"}"

/* Catches a change after signing that the paper does not show, with what stood
 * there before, and work on a draft shown as if it were one. */
static void
test_form_shows_what_was_corrected_and_what_stood_before(void **state)
{
	static const char form[] =
	    FORM("{\"para\":[\"{target}\"]},{\"table\":\"found\",\"columns\":["
		 "{\"head\":\"名称\",\"text\":\"{name}{quantity}\"}]},"
		 "{\"corrections\":true}");
	struct story s = { .count = 0 };
	const char *text;

	(void)state;
	tell(&s, "\"open\"", "[\"target\"]", "[\"金\"]", NULL, NULL);
	tell(&s, "\"set\"", "[\"target\"]", "[\"银\"]", NULL, NULL);
	text = fill(form, "target=\"银\"", s.entry, s.count);
	EXPECT(strstr(text, "补正") == NULL);
	tell(&s, "\"sign\"", "[\"target\"]", "[null]", NULL, SIGNED);
	tell(&s, "\"set\"", "[\"target\"]", "[\"铜\"]", NULL, NULL);
	tell(&s, "\"amend\"", "[\"target\"]", "[\"铁\"]", "\"写错\"", NULL);
	text = fill(form, "target=\"铁\"", s.entry, s.count);
	EXPECT(strstr(text, "1．搜查目的物：原记“银”，更正为“铜”。") != NULL);
	EXPECT(
	    strstr(text, "2．搜查目的物：原记“铜”，更正为“铁”。理由：写错。") !=
	    NULL);
	EXPECT(strstr(text, "签名之后") != NULL);
	EXPECT(strstr(text, "“金”") == NULL);
	untell(&s);
}

/* Catches what an item said when it was added, forgotten. */
static void
test_form_knows_what_an_added_item_said(void **state)
{
	static const char form[] =
	    FORM("{\"para\":[\"{target}\"]},{\"table\":\"found\",\"columns\":["
		 "{\"head\":\"名称\",\"text\":\"{name}{quantity}\"}]},"
		 "{\"corrections\":true}");
	struct story s = { .count = 0 };
	const char *text;

	(void)state;
	tell(&s, "\"add\"", "[\"found\",\"quantity\"]", "[null,\"3\"]", NULL,
	    NULL);
	tell(&s, "\"amend\"",
	    "[\"found/@00000000000000000000000000000001/quantity\"]", "[\"4\"]",
	    "\"错\"", NULL);
	tell(&s, "\"drop\"", "[\"found/@00000000000000000000000000000001\"]",
	    "[null]", "\"不是\"", NULL);
	text =
	    fill(form, "-found/#1\nfound/#1/quantity=\"4\"", s.entry, s.count);
	EXPECT(
	    strstr(text, "发现的财物第1项的数量：原记“3”，更正为“4”") != NULL);
	EXPECT(strstr(text, "划去发现的财物第1项。理由：不是。") != NULL);
	untell(&s);
}

/* Catches a telephone number on the inventory that a neighbour gets, because it
 * was set right; and an item that came after a signature passed over. */
static void
test_form_corrects_what_it_shows_and_counts_the_rest(void **state)
{
	static const char form[] =
	    FORM("{\"table\":\"found\",\"columns\":[{\"head\":\"名称\","
		 "\"text\":\"{name}\"}]},{\"corrections\":true}");
	struct story s = { .count = 0 };
	const char *text;

	(void)state;
	tell(&s, "\"open\"", "[\"subject/phone\"]", "[\"1\"]", NULL, NULL);
	tell(&s, "\"sign\"", "[\"found\"]", "[null]", NULL, SIGNED);
	tell(&s, "\"amend\"", "[\"subject/phone\"]", "[\"13812345678\"]",
	    "\"错\"", NULL);
	tell(&s, "\"add\"", "[\"found\",\"quantity\"]", "[null,\"3\"]", NULL,
	    NULL);
	tell(&s, "\"set\"",
	    "[\"found/@00000000000000000000000000000004/name\"]", "[\"银\"]",
	    NULL, NULL);
	tell(&s, "\"set\"",
	    "[\"found/@00000000000000000000000000000004/name\"]", "[\"铜\"]",
	    NULL, NULL);
	text = fill(form, "+found/#4\nfound/#4/name=\"铜\"", s.entry, s.count);
	EXPECT(strstr(text, "1381234") == NULL);
	EXPECT(
	    strstr(text, "1．补记发现的财物第1项，内容见上。记录人：") != NULL);
	EXPECT(strstr(text, "原未记载") == NULL);
	EXPECT(strstr(text, "2．发现的财物第1项的名称：原记“银”，更正为“铜”") !=
	       NULL);
	EXPECT(
	    strstr(text, "3．另有1处补正、更正不涉及本文书所列内容") != NULL);
	untell(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form_says_what_was_not_recorded),
		cmocka_unit_test(test_form_shows_every_value_of_a_conflict),
		cmocka_unit_test(test_form_writes_values_as_people_read_them),
		cmocka_unit_test(
		    test_form_lists_items_by_number_and_strikes_out),
		cmocka_unit_test(test_form_leaves_out_what_does_not_apply),
		cmocka_unit_test(test_form_blank_leaves_room_to_write),
		cmocka_unit_test(test_form_blank_has_lines_to_write_on),
		cmocka_unit_test(test_form_says_what_was_not_asked_for),
		cmocka_unit_test(test_form_names_officers_as_the_record_does),
		cmocka_unit_test(
		    test_form_names_the_court_where_the_record_does_not),
		cmocka_unit_test(test_form_says_how_each_signed),
		cmocka_unit_test(
		    test_form_shows_what_was_corrected_and_what_stood_before),
		cmocka_unit_test(test_form_knows_what_an_added_item_said),
		cmocka_unit_test(
		    test_form_corrects_what_it_shows_and_counts_the_rest),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
