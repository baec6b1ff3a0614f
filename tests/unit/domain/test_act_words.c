/*
 * Acts as people read them.
 */
#include "support/expect.h"

#include <string.h>

#include "domain/act_words.h"

#define ITEM "94986300e975b859b8e3033b67187871"

static struct kinds *kinds;

static int
setup(void **state)
{
	(void)state;
	return kinds_load_builtin(&kinds) == ST_OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	kinds_free(kinds);
	return 0;
}

static void
want_label(const struct kind *k, const char *path, const char *want)
{
	struct buf out;

	buf_init(&out, 4096);
	act_put_label(k, bytes_str(path), &out);
	assert_string_equal(buf_cstr(&out), want);
	buf_free(&out);
}

/* Would catch: an auditor or an officer who is shown only names of fields. */
static void
test_every_place_of_a_record_has_its_label(void **state)
{
	const struct kind *k = kinds_latest(kinds, bytes_str("search"));

	(void)state;
	want_label(k, "", "全记录 the record");
	want_label(k, "warrant/no", "搜查令号 Warrant number");
	want_label(k, "found", "发现的财物 Things found");
	want_label(k, "found/@" ITEM, "发现的财物 Things found");
	want_label(
	    k, "found/@" ITEM "/name", "发现的财物·名称 Things found: Name");
	want_label(k, "subject", "被搜查人 Person searched");
	for (size_t i = 0; i < kinds_count(kinds); i++) {
		const struct kind *each = kinds_at(kinds, i);

		for (size_t f = 0; f < each->field_count; f++) {
			struct buf want;

			buf_init(&want, 4096);
			buf_printf(&want, "%s %s", each->fields[f].zh,
			    each->fields[f].en);
			want_label(each, each->fields[f].path, buf_cstr(&want));
			buf_free(&want);
		}
	}
}

/* Would catch: a record of a kind that is newer than this program, left out or
 * shown as nothing. */
static void
test_what_has_no_label_is_shown_as_it_stands(void **state)
{
	(void)state;
	want_label(NULL, "drone/height", "drone/height");
	want_label(kinds_latest(kinds, bytes_str("search")), "drone/height",
	    "drone/height");
	want_label(kinds_latest(kinds, bytes_str("search")), "found/@short",
	    "found/@short");
}

static void
want_words(const char *verb, const char *on, const char *data, const char *more,
    const char *want)
{
	const struct kind *k = kinds_latest(kinds, bytes_str("search"));
	struct buf doc, out;
	struct json j;

	buf_init(&doc, 8192);
	buf_init(&out, 8192);
	buf_printf(&doc, "{\"data\":%s,\"more\":%s,\"on\":%s}", data, more, on);
	json_init(&j);
	assert_int_equal(json_parse(&j, buf_view(&doc), JSON_DOCUMENT), ST_OK);
	act_put_words(k, verb_of(bytes_str(verb)), &j, json_get(&j, 0, "on"),
	    json_get_typed(&j, 0, "data", JSON_ARRAY),
	    json_get_typed(&j, 0, "more", JSON_OBJECT), &out);
	assert_string_equal(buf_cstr(&out), want);
	json_free(&j);
	buf_free(&out);
	buf_free(&doc);
}

/* Would catch: a refusal that a judge has to read out of a list of nulls. */
static void
test_a_signature_says_who_how_and_who_watched(void **state)
{
	(void)state;
	want_words("sign", "[\"case_no\",\"target\"]", "[null,null]",
	    "{\"form\":\"subject\",\"how\":\"refused\",\"person\":\"subject\","
	    "\"shown\":\"00\",\"watched\":\"李某\"}",
	    "被搜查人 Person searched  拒绝签名 refused  在场见证 watched by "
	    "李某");
	want_words("sign", "[\"target\"]", "[null]",
	    "{\"form\":\"nobody\",\"how\":\"waved\",\"person\":\"x/@1\"}",
	    "nobody  x/@1  waved");
	want_words("sign", "[\"target\"]", "[null]", "null",
	    "搜查目的物 Object of search");
}

static void
test_each_act_says_what_it_touches_and_what_is_said_with_it(void **state)
{
	(void)state;
	want_words("set", "[\"target\",\"warrant/no\"]", "[\"a\",\"b\"]",
	    "null", "搜查目的物 Object of search、搜查令号 Warrant number");
	want_words("add", "[\"found\",\"name\",\"quantity\"]",
	    "[null,\"a\",\"1\"]", "null",
	    "发现的财物 Things found、名称 Name、数量 Quantity");
	want_words(
	    "note", "[\"\"]", "[\"门锁由锁匠打开\"]", "null", "门锁由锁匠打开");
	want_words("note", "[\"place\"]", "[\"x\"]", "null", "地点 Place  x");
	want_words("approve", "[\"warrant\"]", "[true]",
	    "{\"number\":\"（2026）1\"}",
	    "搜查令 Search warrant  准予 approved  （2026）1");
	want_words("approve", "[\"warrant\"]", "[false]", "null",
	    "搜查令 Search warrant  不予批准 refused");
	want_words("attach", "[\"\"]", "[\"ab\"]",
	    "{\"name\":\"d.jpg\",\"size\":3,\"type\":\"image/jpeg\"}",
	    "d.jpg  image/jpeg  字节 bytes 3  SHA-256 ab");
	want_words("void", "[\"\"]", "[null]", "null", "");
}

static void
test_every_verb_and_every_way_to_sign_has_a_chinese_word(void **state)
{
	static const char *const hows[] = { "signed", "fingerprint", "refused",
		"cannot", "left" };

	(void)state;
	for (int v = DO_NONE + 1; v < DO_COUNT; v++)
		assert_true(strcmp(act_verb_zh((enum verb)v),
				verb_name((enum verb)v)) != 0);
	for (size_t i = 0; i < sizeof(hows) / sizeof(hows[0]); i++)
		assert_non_null(act_how_words(hows[i]));
	assert_null(act_how_words("waved"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_place_of_a_record_has_its_label),
		cmocka_unit_test(test_what_has_no_label_is_shown_as_it_stands),
		cmocka_unit_test(test_a_signature_says_who_how_and_who_watched),
		cmocka_unit_test(
		    test_each_act_says_what_it_touches_and_what_is_said_with_it),
		cmocka_unit_test(
		    test_every_verb_and_every_way_to_sign_has_a_chinese_word),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
