#include "support/expect.h"

#include <string.h>

#include "form/form.h"

/* The forms that are shipped, and files that must be refused. */

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

/* Catches a form that a kind promises and nobody wrote, and one that no kind
 * knows of. */
static void
test_forms_each_kind_has_those_it_names(void **state)
{
	struct forms *fs = NULL;
	size_t named = 0;

	(void)state;
	EXPECT_OK(forms_load_builtin(&fs, kinds));
	for (size_t i = 0; i < kinds_count(kinds); i++) {
		const struct kind *k = kinds_at(kinds, i);

		for (size_t f = 0; f < k->form_count; f++, named++) {
			const struct form *form =
			    forms_find(fs, bytes_str(k->forms[f].id));

			if (form == NULL || form_kind(form) != k)
				fail_msg("%s: %s", k->id, k->forms[f].id);
			assert_string_equal(form_zh(form), k->forms[f].zh);
		}
	}
	EXPECT(named == forms_count(fs) && named >= 10);
	forms_free(fs);
}

/* Catches a blank form that prints words meant for a filled one, or nothing. */
static void
test_forms_each_can_be_printed_blank(void **state)
{
	struct forms *fs = NULL;
	struct form_doc doc;

	(void)state;
	EXPECT_OK(forms_load_builtin(&fs, kinds));
	form_doc_init(&doc);
	for (size_t i = 0; i < forms_count(fs); i++) {
		struct form_input in = { .form = forms_at(fs, i),
			.offset_min = 480,
			.court_name = "某法院",
			.rec = "01890000-0000-7000-8000-000000000000" };
		const char *text;

		EXPECT_OK(form_fill(&doc, &in));
		text = buf_cstr(&doc.text);
		EXPECT(doc.line_count > 5 && doc.line[0].sort == FORM_TITLE);
		if (strstr(text, "未记载") != NULL &&
		    strstr(text, "“（未记载）”") == NULL)
			fail_msg("%s", form_id(in.form));
		EXPECT(strchr(text, '{') == NULL);
	}
	form_doc_free(&doc);
	forms_free(fs);
}

static const struct {
	const char *file, *why;
} bad[] = {
	{ "{\"form\":\"a@1\",\"kind\":\"search@1\",\"zh\":\"甲\",\"en\":\"A\","
	  "\"blocks\":[]}",
	    "blocks" },
	{ "{\"form\":\"a\",\"kind\":\"search@1\",\"zh\":\"甲\",\"en\":\"A\","
	  "\"blocks\":[{\"title\":\"a\"}]}",
	    "form id" },
	{ "{\"form\":\"a@1\",\"kind\":\"search@9\",\"zh\":\"甲\",\"en\":\"A\","
	  "\"blocks\":[{\"title\":\"a\"}]}",
	    "no such kind" },
	{ "{\"form\":\"a@1\",\"kind\":\"search@1\",\"zh\":\"甲\",\"en\":\"A\","
	  "\"blocks\":[{\"title\":\"a\"},{\"para\":[\"{warrant/nr}\"]}]}",
	    "warrant/nr" },
	{ "{\"form\":\"a@1\",\"kind\":\"search@1\",\"zh\":\"甲\",\"en\":\"A\","
	  "\"blocks\":[{\"title\":\"a\"},{\"para\":[\"{target\"]}]}",
	    "brace" },
	{ "{\"form\":\"a@1\",\"kind\":\"search@1\",\"zh\":\"甲\",\"en\":\"A\","
	  "\"blocks\":[{\"title\":\"a\"},{\"para\":[\"{target?a|b}\"]}]}",
	    "yes/no" },
	{ "{\"form\":\"a@1\",\"kind\":\"search@1\",\"zh\":\"甲\",\"en\":\"A\","
	  "\"blocks\":[{\"head\":\"a\"}]}",
	    "title" },
	{ "{\"form\":\"a@1\",\"kind\":\"search@1\",\"zh\":\"甲\",\"en\":\"A\","
	  "\"blocks\":[{\"title\":\"a\"},{\"table\":\"things\","
	  "\"columns\":[{\"head\":\"a\",\"text\":\"b\"}]}]}",
	    "no such list" },
	{ "{\"form\":\"a@1\",\"kind\":\"search@1\",\"zh\":\"甲\",\"en\":\"A\","
	  "\"blocks\":[{\"title\":\"a\"},{\"signs\":[\"president\"]}]}",
	    "no such signature" },
	{ "{\"form\":\"a@1\",\"kind\":\"search@1\",\"zh\":\"甲\",\"en\":\"A\","
	  "\"blocks\":[{\"title\":\"a\"},{\"grid\":[[\"a\",\"b\",\"c\"]],"
	  "\"widths\":[1,1]}]}",
	    "cells" },
	{ "{\"form\":\"a@1\",\"kind\":\"search@1\",\"zh\":\"甲\",\"en\":\"A\","
	  "\"blocks\":[{\"title\":\"a\"},{\"picture\":\"b\"}]}",
	    "unknown block" },
	{ "{\"form\":\"a@1\",\"kind\":\"search@1\",\"zh\":\"甲\",\"en\":\"A\","
	  "\"blocks\":[{\"title\":\"a\",\"colour\":\"red\"}]}",
	    "colour" },
	{ "{\"form\":\"a@1\",\"kind\":\"search@1\",\"zh\":\"甲\",\"en\":\"A\","
	  "\"blocks\":[{\"title\":\"a\"},{\"para\":[\"a\"],\"on\":\"both\"}]}",
	    "filled or blank" },
	{ "{\"form\":\"a@1\",\"kind\":\"search@1\",\"zh\":\"甲\",\"en\":\"A\","
	  "\"blocks\":[{\"title\":\"a\"},{\"para\":[\"a\"],\"lines\":61}]}",
	    "lines" },
	{ "{\"form\":\"a@1\",\"kind\":\"search@1\",\"zh\":\"甲\",\"en\":\"A\","
	  "\"blocks\":[{\"title\":\"a\"},{\"each\":\"found\",\"para\":[\"a\"],"
	  "\"when\":{\"has\":\"target\"}}]}",
	    "target" },
};

/* Catches a file with a mistake in it that is taken all the same. */
static void
test_forms_bad_files_are_refused_with_the_reason(void **state)
{
	struct forms *fs = NULL;

	(void)state;
	EXPECT_OK(forms_new(&fs));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT(forms_add(fs, kinds, "f.json", bytes_str(bad[i].file)) ==
		       ST_INVALID);
		if (strstr(forms_words(fs)->en, bad[i].why) == NULL)
			fail_msg("%zu: %s", i, forms_words(fs)->en);
		EXPECT(forms_words(fs)->zh[0] != '\0');
	}
	EXPECT(forms_count(fs) == 0);
	forms_free(fs);
}

/* Catches a version that changes under the papers printed with it. */
static void
test_forms_a_version_never_changes(void **state)
{
	static const char one[] =
	    "{\"form\":\"a@1\",\"kind\":\"search@1\",\"zh\":\"甲\","
	    "\"en\":\"A\",\"blocks\":[{\"title\":\"a\"}]}";
	static const char other[] =
	    "{\"form\":\"a@1\",\"kind\":\"search@1\",\"zh\":\"甲\","
	    "\"en\":\"A\",\"blocks\":[{\"title\":\"b\"}]}";
	static const char next[] =
	    "{\"form\":\"a@2\",\"kind\":\"search@1\",\"zh\":\"甲\","
	    "\"en\":\"A\",\"blocks\":[{\"title\":\"b\"}]}";
	struct forms *fs = NULL;

	(void)state;
	EXPECT_OK(forms_new(&fs));
	EXPECT_OK(forms_add(fs, kinds, "f", bytes_str(one)));
	EXPECT_OK(forms_add(fs, kinds, "f", bytes_str(one)));
	EXPECT(forms_add(fs, kinds, "f", bytes_str(other)) == ST_CONFLICT);
	EXPECT_OK(forms_add(fs, kinds, "f", bytes_str(next)));
	assert_string_equal(form_id(forms_find(fs, bytes_str("a"))), "a@2");
	assert_string_equal(form_id(forms_find(fs, bytes_str("a@1"))), "a@1");
	forms_free(fs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms_each_kind_has_those_it_names),
		cmocka_unit_test(test_forms_each_can_be_printed_blank),
		cmocka_unit_test(
		    test_forms_bad_files_are_refused_with_the_reason),
		cmocka_unit_test(test_forms_a_version_never_changes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
