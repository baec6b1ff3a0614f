#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "form/form.h"
#include "form/paper.h"
#include "support/made_state.h"

/* The five lines that a stranger compares with the paper, and what a form
 * shows (docs/CHECK.md). */

static struct kinds *kinds;
static struct forms *forms;

static int
setup(void **state)
{
	(void)state;
	return kinds_load_builtin(&kinds) == ST_OK &&
		       forms_load_builtin(&forms, kinds) == ST_OK
		   ? 0
		   : 1;
}

static int
teardown(void **state)
{
	(void)state;
	forms_free(forms);
	kinds_free(kinds);
	return 0;
}

static void
expect_summary(const char *form, const char *spec, const char *want)
{
	struct form_input in = { .form = forms_find(forms, bytes_str(form)),
		.offset_min = 480 };
	struct state st;
	struct buf b, got;

	assert_non_null(in.form);
	state_init(&st);
	buf_init(&b, 1 << 20);
	buf_init(&got, PAPER_SUMMARY_MAX);
	made_state(form_kind(in.form)->id, spec, &b);
	EXPECT_OK(state_read(&st, buf_view(&b)));
	in.st = &st;
	EXPECT_OK(form_summary(&in, &got));
	if (want != NULL)
		assert_string_equal(buf_cstr(&got), want);
	else /* that it comes from the record */
		EXPECT(memcmp(got.p, "c\n", 2) == 0);
	state_free(&st);
	buf_free(&b);
	buf_free(&got);
}

/* Catches a summary that says other than its form, or counts what was struck
 * out. */
static void
test_summary_counts_what_is_in_force(void **state)
{
	(void)state;
	expect_summary("seizure_inventory",
	    "case_no=\"（2026）苏0302执1号\"\n"
	    "started_at=\"2026-11-24T05:10:00+08:00\"\n"
	    "+items/#1\nitems/#1/value/amount=\"1000.50\"\n"
	    "-items/#2\nitems/#2/value/amount=\"7.00\"\n"
	    "+items/#3\nitems/#3/value/amount=\"2000000.25\"",
	    "（2026）苏0302执1号\n查封（扣押）财产清单\n2026年11月24日5时10分\n"
	    "2项\n2,001,000.75元");
	expect_summary("service_proof", "case_no=\"a\"\n+documents/#1",
	    "a\n送达回证\n（未记载）\n1项\n");
	expect_summary(
	    "talk_record", "case_no=\"a\"", "a\n谈话笔录\n（未记载）\n\n");
}

/* Catches a total that looks whole and is not. */
static void
test_summary_says_what_its_total_leaves_out(void **state)
{
	(void)state;
	expect_summary("seizure_record",
	    "+items/#1\nitems/#1/value/amount=\"10.00\"\n"
	    "+items/#2\n"
	    "+items/#3\nitems/#3/value/amount=\"1.00\"\n"
	    "items/#3/value/amount=\"2.00\"",
	    "（未记载）\n查封、扣押笔录\n（未记载）\n3项\n"
	    "10.00元（另2项无确定价值）");
	expect_summary("seizure_record", "+items/#1",
	    "（未记载）\n查封、扣押笔录\n（未记载）\n1项\n（1项无确定价值）");
}

/* Catches a line that is not one line, or a long one that breaks a letter. */
static void
test_summary_lines_are_short_and_whole(void **state)
{
	char spec[1024] = "case_no=\"a\\nb";

	(void)state;
	for (int i = 0; i < 40; i++)
		strncat(spec, "长", sizeof(spec) - strlen(spec) - 1);
	strncat(spec, "\"", sizeof(spec) - strlen(spec) - 1);
	expect_summary("talk_record", spec,
	    "a b长长长长长长长长长长长长长长长长长长长长长长长长长长长长…\n"
	    "谈话笔录\n（未记载）\n\n");
}

/* Catches a form that has no summary, and a summary that names what the kind
 * has not. */
static void
test_summary_of_a_form_is_checked_when_it_is_read(void **state)
{
	static const char *const bad[] = { "\"case\":\"x\"",
		"\"case\":\"x\",\"time\":\"{none}\"",
		"\"case\":\"x\",\"time\":\"y\",\"items\":\"none\"",
		("\"case\":\"x\",\"time\":\"y\",\"items\":\"found\","
		 "\"total\":\"name\""),
		"\"case\":\"x\",\"time\":\"y\",\"total\":\"value\"",
		"\"case\":\"x\",\"time\":\"y\",\"more\":\"z\"" };
	struct forms *fs = NULL;

	(void)state;
	EXPECT_OK(forms_new(&fs));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char file[1024];

		(void)snprintf(file, sizeof(file),
		    "{\"form\":\"t@1\",\"kind\":\"search@1\",\"zh\":\"题\","
		    "\"en\":\"T\",\"summary\":{%s},\"blocks\":"
		    "[{\"title\":\"题\"}]}",
		    bad[i]);
		EXPECT_ST(
		    forms_add(fs, kinds, "t", bytes_str(file)), ST_INVALID);
	}
	forms_free(fs);
	for (size_t i = 0; i < forms_count(forms); i++)
		expect_summary(
		    form_id(forms_at(forms, i)), "case_no=\"c\"", NULL);
}

/* Catches a correction that is not told, or one told of what no paper shows. */
static void
test_form_shows_what_its_blocks_name(void **state)
{
	const struct form *f =
	    forms_find(forms, bytes_str("seizure_inventory"));
	struct bytes part[256];
	size_t n = form_parts(f, part, 256), items = 0;

	(void)state;
	EXPECT(n > 10 && n < 256);
	for (size_t i = 0; i < n; i++)
		items += bytes_eq_str(part[i], "items");
	EXPECT(items > 0);
	EXPECT(form_shows(f, bytes_str("case_no")));
	EXPECT(form_shows(f, bytes_str("ruling/no")));
	EXPECT(form_shows(f,
	    bytes_str("items/@00000000000000000000000000000001/value/amount")));
	EXPECT(form_shows(
	    f, bytes_str("items/@00000000000000000000000000000001")));
	EXPECT(!form_shows(
	    f, bytes_str("items/@00000000000000000000000000000001/value")));
	EXPECT(!form_shows(f, bytes_str("cause")));
	EXPECT(!form_shows(
	    f, bytes_str("notices/@00000000000000000000000000000001")));
	EXPECT(!form_shows(f, bytes_str("")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_summary_counts_what_is_in_force),
		cmocka_unit_test(test_summary_says_what_its_total_leaves_out),
		cmocka_unit_test(test_summary_lines_are_short_and_whole),
		cmocka_unit_test(
		    test_summary_of_a_form_is_checked_when_it_is_read),
		cmocka_unit_test(test_form_shows_what_its_blocks_name),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
