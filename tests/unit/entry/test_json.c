#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "entry/json.h"
#include "support/vectors.h"

/* The bytes of a literal, its NUL left out, U+0000 inside allowed. */
#define RAW(s)                                                                 \
	{                                                                      \
		(const uint8_t *)(s), sizeof(s) - 1                            \
	}
#define LIT(s) bytes_of((s), sizeof(s) - 1)

static struct json j;

static int
open_tape(void **state)
{
	(void)state;
	json_init(&j);
	return 0;
}

static int
close_tape(void **state)
{
	(void)state;
	json_free(&j);
	return 0;
}

static void
expect_taken(struct bytes in, enum json_style style)
{
	if (json_parse(&j, in, style) != ST_OK)
		fail_msg("refused: %s at %u: %.*s", j.why, j.where, (int)in.len,
		    (const char *)in.p);
}

static void
expect_refused(
    struct bytes in, enum json_style style, const char *why, uint32_t where)
{
	EXPECT_ST(json_parse(&j, in, style), ST_INVALID);
	if (strcmp(j.why, why) != 0 || j.where != where)
		fail_msg("%.*s: \"%s\" at %u, not \"%s\" at %u", (int)in.len,
		    (const char *)in.p, j.why, j.where, why, where);
	/* Half a tape must not be there to read. */
	assert_int_equal(j.count, 0);
}

/* Catches a scanner that reads what an entry's line may not hold. */
static void
test_json_line_refuses_with_words_and_place(void **state)
{
	static const struct {
		struct bytes in;
		const char *why;
		uint32_t where;
	} bad[] = {
		{ RAW(""), "empty", 0 },
		{ RAW("[]"), "not an object", 0 },
		{ RAW("1"), "not an object", 0 },
		{ RAW("\"a\""), "not an object", 0 },
		{ RAW(" {}"), "white space", 0 },
		{ RAW("\xef\xbb\xbf{}"), "byte order mark", 0 },
		{ RAW("{\"a\":1}x"), "something behind the value", 7 },
		{ RAW("{\"a\":1}{}"), "something behind the value", 7 },
		{ RAW("{\"a\":1}\0"), "control byte or line break", 7 },
		{ RAW("{ \"a\":1}"), "white space", 1 },
		{ RAW("{\"a\" :1}"), "white space", 4 },
		{ RAW("{\"a\": 1}"), "white space", 5 },
		{ RAW("{\"a\":1 }"), "white space", 6 },
		{ RAW("{\"a\":1} "), "white space", 7 },
		{ RAW("{\"a\":[ ]}"), "white space", 6 },
		{ RAW("{\"a\":\t1}"), "control byte or line break", 5 },
		{ RAW("{\"a\":1}\r"), "control byte or line break", 7 },
		{ RAW("{\"a\":1}\n"), "control byte or line break", 7 },
		{ RAW("{\"a\":\"\t\"}"), "control byte or line break", 6 },
		{ RAW("{\"a\":\"\0\"}"), "control byte or line break", 6 },
		{ RAW("{\"a\":\"\x1f\"}"), "control byte or line break", 6 },
		{ RAW("{\"a\":1,\"a\":2}"), "duplicate name", 7 },
		{ RAW("{\"a\":1,\"\\u0061\":2}"), "duplicate name", 7 },
		{ RAW("{\"\\n\":1,\"\\u000A\":2}"), "duplicate name", 8 },
		{ RAW("{\"\":1,\"\":2}"), "duplicate name", 6 },
		{ RAW("{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}"),
		    "duplicate name", 18 },
		{ RAW("{\"a\":01}"), "leading zero", 5 },
		{ RAW("{\"a\":-01}"), "leading zero", 5 },
		{ RAW("{\"a\":00}"), "leading zero", 5 },
		{ RAW("{\"a\":-0}"), "minus zero", 5 },
		{ RAW("{\"a\":-}"), "no value", 6 },
		{ RAW("{\"a\":--1}"), "no value", 6 },
		{ RAW("{\"a\":1.0}"), "not an integer", 5 },
		{ RAW("{\"a\":1e3}"), "not an integer", 5 },
		{ RAW("{\"a\":0E1}"), "not an integer", 5 },
		{ RAW("{\"a\":+1}"), "no value", 5 },
		{ RAW("{\"a\":.5}"), "no value", 5 },
		{ RAW("{\"a\":NaN}"), "no value", 5 },
		{ RAW("{\"a\":Infinity}"), "no value", 5 },
		{ RAW("{\"a\":tru}"), "no value", 5 },
		{ RAW("{\"a\":True}"), "no value", 5 },
		{ RAW("{\"a\":nul"), "no value", 5 },
		{ RAW("{\"a\":truex}"), "no comma", 9 },
		{ RAW("{\"a\":0x10}"), "no comma", 6 },
		{ RAW("{\"a\":9007199254740992}"), "integer out of range", 5 },
		{ RAW("{\"a\":-9007199254740992}"), "integer out of range", 5 },
		{ RAW("{\"a\":9223372036854775808}"), "integer out of range",
		    5 },
		{ RAW("{\"a\":10000000000000000}"), "integer out of range", 5 },
		{ RAW("{\"a\":18446744073709551617}"), "integer out of range",
		    5 },
		{ RAW("{\"a\":\"\xff\"}"), "not UTF-8", 6 },
		{ RAW("{\"a\":\"\x80\"}"), "not UTF-8", 6 },
		{ RAW("{\"a\":\"\xc0\x80\"}"), "not UTF-8", 6 },
		{ RAW("{\"a\":\"\xc1\xbf\"}"), "not UTF-8", 6 },
		{ RAW("{\"a\":\"\xc3\"}"), "not UTF-8", 6 },
		{ RAW("{\"a\":\"\xe0\x9f\xbf\"}"), "not UTF-8", 6 },
		{ RAW("{\"a\":\"\xe4\xb8\"}"), "not UTF-8", 6 },
		{ RAW("{\"a\":\"\xed\xa0\x80\"}"), "not UTF-8", 6 },
		{ RAW("{\"a\":\"\xf0\x8f\xbf\xbf\"}"), "not UTF-8", 6 },
		{ RAW("{\"a\":\"\xf4\x90\x80\x80\"}"), "not UTF-8", 6 },
		{ RAW("{\"a\":\"\xf5\x80\x80\x80\"}"), "not UTF-8", 6 },
		{ RAW("{\"a\":\"\xe4\xb8\xad\xff\"}"), "not UTF-8", 9 },
		{ RAW("{\xc3\xa9:1}"), "no member name", 1 },
		{ RAW("{\"a\":\"\xef\xb7\x90\"}"), "noncharacter", 6 },
		{ RAW("{\"a\":\"\xef\xbf\xbf\"}"), "noncharacter", 6 },
		{ RAW("{\"a\":\"\xf0\x9f\xbf\xbf\"}"), "noncharacter", 6 },
		{ RAW("{\"a\":\"\\u0000\"}"), "U+0000", 6 },
		{ RAW("{\"a\":\"\\ud800\"}"), "lone surrogate", 6 },
		{ RAW("{\"a\":\"\\udfff\"}"), "lone surrogate", 6 },
		{ RAW("{\"a\":\"\\udc00\"}"), "lone surrogate", 6 },
		{ RAW("{\"a\":\"\\udbff\"}"), "lone surrogate", 6 },
		{ RAW("{\"a\":\"\\udc00\\udc00\"}"), "lone surrogate", 6 },
		{ RAW("{\"a\":\"\\ud800\\udbff\"}"), "lone surrogate", 6 },
		{ RAW("{\"a\":\"\\udbff\\ue000\"}"), "lone surrogate", 6 },
		{ RAW("{\"a\":\"\\ude00\\ud83d\"}"), "lone surrogate", 6 },
		{ RAW("{\"a\":\"\\ud83dx\"}"), "lone surrogate", 6 },
		{ RAW("{\"a\":\"\\ud83d\\n\"}"), "lone surrogate", 6 },
		{ RAW("{\"a\":\"\\ud83d\\ud83d\"}"), "lone surrogate", 6 },
		{ RAW("{\"a\":\"\\uffff\"}"), "noncharacter", 6 },
		{ RAW("{\"a\":\"\\uFDD0\"}"), "noncharacter", 6 },
		{ RAW("{\"a\":\"\\ud83f\\udfff\"}"), "noncharacter", 6 },
		{ RAW("{\"a\":1,}"), "no member name", 7 },
		{ RAW("{,}"), "no member name", 1 },
		{ RAW("{\"a\":[1,]}"), "no value", 8 },
		{ RAW("{\"a\":[,]}"), "no value", 6 },
		{ RAW("{\"a\":[1}"), "no comma", 7 },
		{ RAW("{\"a\":1]"), "no comma", 6 },
		{ RAW("{\"a\":{\"b\":1]}"), "no comma", 11 },
		{ RAW("{\"a\":1\"b\":2}"), "no comma", 6 },
		{ RAW("{\"a\"1}"), "no colon", 4 },
		{ RAW("{\"a\",1}"), "no colon", 4 },
		{ RAW("{a:1}"), "no member name", 1 },
		{ RAW("{'a':1}"), "no member name", 1 },
		{ RAW("{1:1}"), "no member name", 1 },
		{ RAW("{\"a\":}"), "no value", 5 },
		{ RAW("{\"a\":\"\\x41\"}"), "bad escape", 6 },
		{ RAW("{\"a\":\"\\\0\"}"), "bad escape", 6 },
		{ RAW("{\"a\":\"\\u12\"}"), "bad escape", 6 },
		{ RAW("{\"a\":\"\\u12g4\"}"), "bad escape", 6 },
		{ RAW("{\"a\":\"\\U0041\"}"), "bad escape", 6 },
		{ RAW("{\"a\":\"x"), "unterminated string", 7 },
		{ RAW("{\"a\":\"x\\"), "unterminated string", 8 },
		{ RAW("{\"a\":\"x\\\""), "unterminated string", 9 },
		{ RAW("{"), "ends too early", 1 },
		{ RAW("{\"a\""), "ends too early", 4 },
		{ RAW("{\"a\":"), "ends too early", 5 },
		{ RAW("{\"a\":1"), "ends too early", 6 },
		{ RAW("{\"a\":1,"), "ends too early", 7 },
		{ RAW("{\"a\":["), "ends too early", 6 },
		{ RAW("{\"a\":-"), "ends too early", 6 },
		{ RAW("{/*a*/}"), "no member name", 1 },
		{ RAW("}"), "not an object", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_refused(bad[i].in, JSON_LINE, bad[i].why, bad[i].where);
}

/* Catches a scanner that refuses what RFC 7493 and an entry allow. */
static void
test_json_line_takes_what_it_must(void **state)
{
	static const struct bytes good[] = {
		RAW("{}"),
		RAW("{\"a\":-1,\"b\":0,\"c\":[],\"d\":{},\"e\":[[],{}]}"),
		RAW("{\"a\":9007199254740991,\"b\":-9007199254740991}"),
		RAW("{\"\":null,\" \":true,\"\x7f\":false}"),
		RAW("{\"a\":\"\xef\xb7\x8f\xef\xb7\xb0\xef\xbf\xbd\"}"),
		RAW("{\"a\":\"\xed\x9f\xbf\xee\x80\x80\"}"),
		RAW("{\"a\":\"\xf4\x8f\xbf\xbd\xf0\x90\x80\x80\"}"),
		RAW("{\"a\":\"\\\"\\\\\\/"
		    "\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDe00\"}"),
		RAW("{\"a\":{\"a\":1},\"b\":{\"a\":1}}"),
		RAW("{\"a\":1,\"A\":1,\"\\u0041\\u0300\":2,\"\\u00c0\":3}"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		expect_taken(good[i], JSON_LINE);
}

/* Catches a document reader that is as strict as a line, or too lax. */
static void
test_json_document_allows_white_space_and_any_value(void **state)
{
	(void)state;
	expect_taken(LIT(" \t\r\n[ 1 , {\n\t\"a\" : null } , [ ] , { } ]\n"),
	    JSON_DOCUMENT);
	expect_taken(LIT("1"), JSON_DOCUMENT);
	expect_taken(LIT(" \"x\" "), JSON_DOCUMENT);
	expect_taken(LIT("null"), JSON_DOCUMENT);
	expect_refused(LIT(""), JSON_DOCUMENT, "empty", 0);
	expect_refused(LIT(" \n"), JSON_DOCUMENT, "ends too early", 2);
	expect_refused(
	    LIT("1 2"), JSON_DOCUMENT, "something behind the value", 2);
	expect_refused(
	    LIT("\"a\nb\""), JSON_DOCUMENT, "control byte or line break", 2);
	expect_refused(
	    LIT("[1\v]"), JSON_DOCUMENT, "control byte or line break", 2);
	expect_refused(
	    LIT("\xef\xbb\xbf[]"), JSON_DOCUMENT, "byte order mark", 0);
	expect_refused(LIT("[1,\n// x\n2]"), JSON_DOCUMENT, "no value", 4);
}

/* Catches a depth that is counted one off, in objects or in arrays. */
static void
test_json_depth_sixteen_stands_seventeen_falls(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 256);
	for (int deep = 15; deep <= 17; deep++) {
		for (int arrays = 0; arrays < 2; arrays++) {
			buf_reset(&b);
			buf_str(&b, "{\"a\":");
			for (int i = 1; i < deep; i++)
				buf_str(&b, arrays ? "[" : "{\"a\":");
			buf_str(&b, "1");
			for (int i = 1; i < deep; i++)
				buf_str(&b, arrays ? "]" : "}");
			buf_str(&b, "}");
			if (deep <= JSON_DEPTH_MAX)
				expect_taken(buf_view(&b), JSON_LINE);
			else
				expect_refused(buf_view(&b), JSON_LINE,
				    "too deep", arrays ? 20 : 80);
		}
	}
	buf_free(&b);
}

/* Catches numbers that are rounded, cut or read with the wrong sign. */
static void
test_json_integers_are_exact(void **state)
{
	static const struct {
		const char *in;
		int64_t v;
	} n[] = {
		{ "0", 0 },
		{ "-1", -1 },
		{ "7", 7 },
		{ "1000000000000000", INT64_C(1000000000000000) },
		{ "9007199254740990", (INT64_C(1) << 53) - 2 },
		{ "9007199254740991", (INT64_C(1) << 53) - 1 },
		{ "-9007199254740991", 1 - (INT64_C(1) << 53) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(n) / sizeof(n[0]); i++) {
		expect_taken(bytes_str(n[i].in), JSON_DOCUMENT);
		assert_int_equal(j.node[0].type, JSON_INT);
		EXPECT(j.node[0].num == n[i].v);
	}
}

/* Catches duplicate names that a large object hides from the check, and
 * different ones that it takes for the same. */
static void
test_json_duplicate_names_are_found_in_any_object(void **state)
{
	static const uint32_t sizes[] = { 2, 15, 16, 17, 24, 25, 26, 64, 1000 };
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		uint32_t n = sizes[s];

		/* k = n: no name repeats; else the k-th is the last again,
		 * spelled with an escape for every other k. */
		for (uint32_t k = 0; k <= n; k += n > 100 ? 37 : 1) {
			bool twice = k < n - 1;
			uint32_t at = 0;

			buf_reset(&b);
			buf_str(&b, "{");
			for (uint32_t i = 0; i < n; i++) {
				uint32_t name = i == n - 1 && twice ? k : i;

				if (i > 0)
					buf_str(&b, ",");
				at = (uint32_t)b.len;
				buf_printf(&b, "\"%s%u\":%u",
				    i % 2 == 0 ? "n" : "\\u006e", name, i);
			}
			buf_str(&b, "}");
			if (twice)
				expect_refused(buf_view(&b), JSON_LINE,
				    "duplicate name", at);
			else
				expect_taken(buf_view(&b), JSON_LINE);
		}
	}
	buf_free(&b);
}

/* Catches readers that look into a nested object, or past its end. */
static void
test_json_members_are_those_of_the_object_itself(void **state)
{
	uint32_t b, n, count = 0;

	(void)state;
	expect_taken(LIT("{\"a\":{\"b\":1,\"x\":[{\"c\":2}]},\"b\":[10,[20],"
			 "\"s\"],\"\\u0063\":true,\"d\":-5}"),
	    JSON_LINE);
	assert_int_equal(j.node[0].count, 4);
	b = json_get(&j, 0, "b");
	EXPECT(b != 0 && j.node[b].type == JSON_ARRAY);
	assert_int_equal(j.node[b].count, 3);
	for (n = json_first(&j, b); n < json_end(&j, b); n = j.node[n].next)
		count++;
	assert_int_equal(count, 3);
	EXPECT_BYTES(json_raw(&j, b), bytes_str("[10,[20],\"s\"]"));
	EXPECT(json_get(&j, 0, "x") == 0);
	EXPECT(json_get(&j, b, "x") == 0);
	EXPECT(json_bool(&j, 0, "c", false));
	EXPECT(json_bool(&j, 0, "d", true));
	EXPECT(json_int(&j, 0, "d", 0) == -5);
	EXPECT(json_int(&j, 0, "c", 9) == 9);
	EXPECT(json_get_typed(&j, 0, "d", JSON_STRING) == 0);
	EXPECT(json_get_typed(&j, 0, "d", JSON_INT) != 0);
	n = json_get(&j, 0, "a");
	EXPECT(json_int(&j, n, "b", 0) == 1);
	EXPECT(json_get(&j, n, "c") == 0);
}

/* Catches a string whose quote, escape or bad byte is missed when it falls on
 * some place of the eight bytes that are looked at together. */
static void
test_json_strings_end_where_they_end_at_any_alignment(void **state)
{
	static const uint8_t stop[] = { '"', '\\', 0x00, 0x1f, 0x80, 0xff,
		0x0a };
	uint8_t in[64];

	(void)state;
	for (size_t s = 0; s < sizeof(stop); s++) {
		for (size_t len = 1; len < 40; len++) {
			for (size_t at = 0; at < len; at++) {
				in[0] = '"';
				memset(in + 1, at % 2 ? 0x20 : 0x7f, len);
				in[1 + at] = stop[s];
				in[len + 1] = '"';
				EXPECT_ST(json_parse(&j, bytes_of(in, len + 2),
					      JSON_DOCUMENT),
				    ST_INVALID);
			}
		}
	}
}

/* Catches a scanner that reads past the end (under ASan: the copy has exactly
 * its length) or takes a piece for the whole. */
static void
test_json_truncated_at_each_length_is_refused(void **state)
{
	static const struct {
		struct bytes in;
		enum json_style style;
	} text[] = {
		{ RAW("{\"a\":[-12,true,false,null,{\"b\":\"\\u00e9\\ud83d"
		      "\\ude00\xe4\xb8\xad\"}],\"c\":{\"d\":"
		      "9007199254740991},\"e\":\"\\n\"}"),
		    JSON_LINE },
		{ RAW(" [ 1 , { \"a\" :\n\"b\" ,\t\"c\" : [ ] } , { }\r\n]"),
		    JSON_DOCUMENT },
	};

	(void)state;
	for (size_t t = 0; t < sizeof(text) / sizeof(text[0]); t++) {
		struct bytes in = text[t].in;

		for (size_t n = 0; n <= in.len; n++) {
			uint8_t *copy = malloc(n == 0 ? 1 : n);
			enum status st;

			EXPECT(copy != NULL);
			memcpy(copy, in.p, n);
			st = json_parse(&j, bytes_of(copy, n), text[t].style);
			EXPECT(st == (n == in.len ? ST_OK : ST_INVALID));
			EXPECT(n == in.len || (j.why != NULL && j.where <= n));
			free(copy);
		}
	}
}

/*
 * Catches a flipped bit that the scanner takes without its value changing:
 * two texts of one meaning.  (Free spellings are allowed in JSON; in this text
 * there are only those of hex digits in escapes and of "\/".)
 */
static void
test_json_no_bit_flip_reads_as_the_original(void **state)
{
	static const char in[] = "{\"a\":[-12,true,{\"b\":\"x\xe4\xb8\xad\"}],"
				 "\"c\":90071992,\"d\":null,\"e\":false}";
	size_t len = sizeof(in) - 1;
	struct buf want, got;
	uint8_t copy[sizeof(in)];

	(void)state;
	buf_init(&want, 1024);
	buf_init(&got, 1024);
	expect_taken(bytes_of(in, len), JSON_LINE);
	json_canon(&j, 0, &want);
	for (size_t bit = 0; bit < len * 8; bit++) {
		memcpy(copy, in, len);
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (json_parse(&j, bytes_of(copy, len), JSON_LINE) != ST_OK)
			continue;
		buf_reset(&got);
		json_canon(&j, 0, &got);
		EXPECT(!bytes_eq(buf_view(&want), buf_view(&got)));
	}
	buf_free(&want);
	buf_free(&got);
}

/* Catches a reading that differs from the model's on its own vectors. */
static void
test_json_golden_vectors(void **state)
{
	struct vectors v;
	struct buf in;
	uint32_t list, n, count = 0;

	(void)state;
	vectors_open(&v, "entry-v1.json");
	buf_init(&in, 65536);
	list = vectors_get(&v, 0, "json_good_hex");
	for (n = json_first(&v.j, list); n < json_end(&v.j, list);
	     n = v.j.node[n].next) {
		vectors_node_hex(&v, n, &in);
		expect_taken(buf_view(&in), JSON_LINE);
		count++;
	}
	assert_int_equal(count, 8);
	list = vectors_get(&v, 0, "json_bad_hex");
	for (n = json_first(&v.j, list); n < json_end(&v.j, list);
	     n = v.j.node[n].next) {
		vectors_hex(&v, n, "hex", &in);
		if (json_parse(&j, buf_view(&in), JSON_LINE) != ST_INVALID)
			fail_msg(
			    "taken: %.*s", (int)in.len, (const char *)in.p);
		count++;
	}
	assert_int_equal(count, 8 + 42);
	buf_free(&in);
	vectors_close(&v);
}

/* Catches a text over the ceiling that is read none the less. */
static void
test_json_bytes_max_holds(void **state)
{
	uint8_t *p = malloc(JSON_BYTES_MAX + 1);

	(void)state;
	EXPECT(p != NULL);
	memset(p, ' ', JSON_BYTES_MAX + 1);
	p[0] = '1';
	expect_taken(bytes_of(p, JSON_BYTES_MAX), JSON_DOCUMENT);
	expect_refused(
	    bytes_of(p, JSON_BYTES_MAX + 1), JSON_DOCUMENT, "too long", 0);
	free(p);
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_tape, close_tape)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_json_line_refuses_with_words_and_place),
		T(test_json_line_takes_what_it_must),
		T(test_json_document_allows_white_space_and_any_value),
		T(test_json_depth_sixteen_stands_seventeen_falls),
		T(test_json_integers_are_exact),
		T(test_json_duplicate_names_are_found_in_any_object),
		T(test_json_members_are_those_of_the_object_itself),
		T(test_json_strings_end_where_they_end_at_any_alignment),
		T(test_json_truncated_at_each_length_is_refused),
		T(test_json_no_bit_flip_reads_as_the_original),
		T(test_json_golden_vectors),
		T(test_json_bytes_max_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
