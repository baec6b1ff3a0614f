#include "support/expect.h"

#include <string.h>

#include "entry/json.h"
#include "entry/utf8.h"

/* The bytes of a literal, its NUL left out, U+0000 inside allowed. */
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

/* Catches unescaping that loses, doubles or mistakes a character. */
static void
test_json_text_is_unescaped_exactly(void **state)
{
	static const uint8_t want[] = "a\"\\/\b\f\n\r\t\xc3\xa9\xe4\xb8\xad"
				      "\xf0\x9f\x98\x80z";
	struct buf scratch;
	struct bytes v;

	(void)state;
	buf_init(&scratch, 256);
	expect_taken(LIT("[\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\xe4\xb8\xad"
			 "\\uD83d\\uDE00z\",\"plain \xe4\xb8\xad\",\"\"]"),
	    JSON_DOCUMENT);
	v = json_view(&j, 1, &scratch);
	EXPECT_BYTES(v, bytes_of(want, sizeof(want) - 1));
	EXPECT(v.p == scratch.p);
	EXPECT(json_is(&j, 1, (const char *)want));
	EXPECT(!json_is(&j, 1, "a\"\\/"));
	EXPECT(!json_is(&j, 1, ""));
	buf_reset(&scratch);
	v = json_view(&j, 2, &scratch);
	EXPECT_BYTES(v, bytes_str("plain \xe4\xb8\xad"));
	EXPECT(v.p == j.src.p + j.node[2].off && scratch.len == 0);
	EXPECT(json_is(&j, 2, "plain \xe4\xb8\xad"));
	EXPECT(!json_is(&j, 2, "plain"));
	EXPECT(json_is(&j, 3, ""));
	EXPECT(!json_is(&j, 0, ""));
	json_text(&j, 2, &scratch);
	EXPECT_BYTES(buf_view(&scratch), bytes_str("plain \xe4\xb8\xad"));
	buf_free(&scratch);
}

static void
expect_canon(struct bytes in, struct bytes want)
{
	struct buf out, again;
	struct json k;

	buf_init(&out, 1 << 20);
	buf_init(&again, 1 << 20);
	json_init(&k);
	expect_taken(in, JSON_DOCUMENT);
	json_canon(&j, 0, &out);
	EXPECT_OK(out.err);
	EXPECT_BYTES(buf_view(&out), want);
	/* Canonical of canonical is the same. */
	EXPECT_OK(json_parse(&k, buf_view(&out), JSON_DOCUMENT));
	json_canon(&k, 0, &again);
	EXPECT_BYTES(buf_view(&again), want);
	json_free(&k);
	buf_free(&out);
	buf_free(&again);
}

/* Catches a canonical form that depends on how its input was written. */
static void
test_json_canon_is_one_form(void **state)
{
	(void)state;
	expect_canon(LIT("{ }"), LIT("{}"));
	expect_canon(LIT("[ [ ] , { } ]"), LIT("[[],{}]"));
	expect_canon(LIT("{\"b\":1,\"a\":{\"d\":[3,{\"z\":1,\"y\":2}],"
			 "\"c\":null}}"),
	    LIT("{\"a\":{\"c\":null,\"d\":[3,{\"y\":2,\"z\":1}]},\"b\":1}"));
	/* Least escapes, lower case, the slash and DEL raw. */
	expect_canon(LIT("\"\\/\\u002F\\u007f\\u001F\\u0008\\u000c\\u0022\\u0"
			 "05c\\u00E9\\ud83d\\ude00\""),
	    LIT("\"//\x7f\\u001f\\b\\f\\\"\\\\\xc3\xa9\xf0\x9f\x98\x80\""));
	/* By UTF-8 bytes, not UTF-16: U+FF5E before U+1F600; a prefix first;
	 * escapes do not count. */
	expect_canon(LIT("{\"\\ud83d\\ude00\":1,\"\xef\xbd\x9e\":2,\"ab\":3,"
			 "\"\\u0061\":4,\"\":5,\"B\":6}"),
	    LIT("{\"\":5,\"B\":6,\"a\":4,\"ab\":3,\"\xef\xbd\x9e\":2,"
		"\"\xf0\x9f\x98\x80\":1}"));
}

/* Catches a sort, or its memory, that fails on many members at once. */
static void
test_json_canon_sorts_large_and_nested_objects(void **state)
{
	struct buf in, want;

	(void)state;
	buf_init(&in, 1 << 20);
	buf_init(&want, 1 << 20);
	buf_str(&in, "{");
	buf_str(&want, "{");
	for (int i = 0; i < 500; i++) {
		const char *comma = i > 0 ? "," : "";

		buf_printf(&in,
		    "%s\"%03d\":{\"b\":[{\"d\":1,\"c\":2}],"
		    "\"a\":%d}",
		    comma, 499 - i, 499 - i);
		buf_printf(&want,
		    "%s\"%03d\":{\"a\":%d,\"b\":[{\"c\":2,"
		    "\"d\":1}]}",
		    comma, i, i);
	}
	buf_str(&in, "}");
	buf_str(&want, "}");
	expect_canon(buf_view(&in), buf_view(&want));
	buf_free(&in);
	buf_free(&want);
}

/* Catches a writer whose text another reader would not read back. */
static void
test_json_written_strings_read_back(void **state)
{
	struct buf out, back;

	(void)state;
	buf_init(&out, 1024);
	buf_init(&back, 1024);
	for (uint8_t c = 1; c < 0x80; c++) {
		uint8_t text[3] = { 'x', c, 'y' };

		buf_reset(&out);
		buf_reset(&back);
		json_put_string(&out, bytes_of(text, 3));
		expect_taken(buf_view(&out), JSON_DOCUMENT);
		json_text(&j, 0, &back);
		EXPECT_BYTES(buf_view(&back), bytes_of(text, 3));
	}
	buf_reset(&out);
	json_put_str(&out, "");
	json_put_int(&out, 1 - (INT64_C(1) << 53));
	json_put_hex(&out, LIT("\x00\xff\xa0"));
	EXPECT_BYTES(
	    buf_view(&out), bytes_str("\"\"-9007199254740991\"00ffa0\""));
	buf_free(&out);
	buf_free(&back);
}

/* Catches text from outside that we would write and could not read. */
static void
test_json_text_ok_is_what_the_scanner_takes(void **state)
{
	(void)state;
	EXPECT(json_text_ok(LIT("")));
	EXPECT(json_text_ok(LIT("\x01 \xe4\xb8\xad\xf0\x9f\x98\x80")));
	EXPECT(!json_text_ok(LIT("a\0b")));
	EXPECT(!json_text_ok(LIT("\xff")));
	EXPECT(!json_text_ok(LIT("a\xe4\xb8")));
	EXPECT(!json_text_ok(LIT("\xed\xa0\x80")));
	EXPECT(!json_text_ok(LIT("\xef\xbf\xbe")));
	EXPECT(!json_text_ok(LIT("\xf3\xaf\xbf\xbf")));
}

/* A UTF-8 reader written apart, from the table of RFC 3629 section 4, to hold
 * against ours. */
static bool
oracle_utf8(const uint8_t *p, size_t len)
{
	static const struct {
		uint8_t lo[4], hi[4];
		size_t len;
	} row[] = {
		{ { 0x00 }, { 0x7f }, 1 },
		{ { 0xc2, 0x80 }, { 0xdf, 0xbf }, 2 },
		{ { 0xe0, 0xa0, 0x80 }, { 0xe0, 0xbf, 0xbf }, 3 },
		{ { 0xe1, 0x80, 0x80 }, { 0xec, 0xbf, 0xbf }, 3 },
		{ { 0xed, 0x80, 0x80 }, { 0xed, 0x9f, 0xbf }, 3 },
		{ { 0xee, 0x80, 0x80 }, { 0xef, 0xbf, 0xbf }, 3 },
		{ { 0xf0, 0x90, 0x80, 0x80 }, { 0xf0, 0xbf, 0xbf, 0xbf }, 4 },
		{ { 0xf1, 0x80, 0x80, 0x80 }, { 0xf3, 0xbf, 0xbf, 0xbf }, 4 },
		{ { 0xf4, 0x80, 0x80, 0x80 }, { 0xf4, 0x8f, 0xbf, 0xbf }, 4 },
	};

	for (size_t r = 0; r < sizeof(row) / sizeof(row[0]); r++) {
		size_t i = 0;

		while (i < len && i < row[r].len && p[i] >= row[r].lo[i] &&
		       p[i] <= row[r].hi[i])
			i++;
		if (i == row[r].len && len == i)
			return true;
	}
	return false;
}

/* Catches any sequence of two or three bytes on which we and RFC 3629 (and
 * the noncharacters of RFC 7493) do not agree. */
static void
test_json_utf8_agrees_with_the_rfc(void **state)
{
	uint8_t p[3];

	(void)state;
	for (uint32_t v = 0x10000; v < 0x1000000; v++) {
		bool want;
		size_t len = v % 3 == 0 ? 2 : 3; /* some of two bytes */

		p[0] = (uint8_t)(v >> 16);
		p[1] = (uint8_t)(v >> 8);
		p[2] = (uint8_t)v;
		/* ASCII leads are one character and a rest: too easy. */
		if (p[0] < 0x80)
			continue;
		want = oracle_utf8(p, len);
		if (len == 3 && p[0] == 0xef &&
		    ((p[1] == 0xb7 && p[2] >= 0x90 && p[2] <= 0xaf) ||
			(p[1] == 0xbf && p[2] >= 0xbe)))
			want = false;
		/* A character of two and one of one byte are text as well. */
		if (len == 3 && oracle_utf8(p, 2) && oracle_utf8(p + 2, 1) &&
		    p[2] != 0)
			want = true;
		if (json_text_ok(bytes_of(p, len)) != want)
			fail_msg("%02x %02x %02x", p[0], p[1], p[2]);
	}
}

/* Catches a character that is written or read as another. */
static void
test_utf8_every_character_comes_back(void **state)
{
	uint8_t p[4];

	(void)state;
	for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
		size_t len;
		int got;

		if (cp >= 0xd800 && cp <= 0xdfff)
			continue;
		len = utf8_encode(p, cp);
		got = utf8_char(p, len);
		if (utf8_is_noncharacter(cp)) {
			EXPECT(got == UTF8_NONCHARACTER);
		} else {
			EXPECT(got == (int)len && oracle_utf8(p, len));
		}
		EXPECT(utf8_decode(p, (int)len) == cp);
		if (len > 1)
			EXPECT(utf8_char(p, len - 1) == UTF8_BAD);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_tape, close_tape)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_json_text_is_unescaped_exactly),
		T(test_json_canon_is_one_form),
		T(test_json_canon_sorts_large_and_nested_objects),
		T(test_json_written_strings_read_back),
		T(test_json_text_ok_is_what_the_scanner_takes),
		T(test_json_utf8_agrees_with_the_rfc),
		T(test_utf8_every_character_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
