#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/kind.h"
#include "entry/json.h"

/* One field of every type. */
static const char file[] =
    "{\"kind\":\"all@1\",\"zh\":\"全\",\"en\":\"All\",\"fields\":["
#define ONE(name, more)                                                        \
	"{\"path\":\"" name "\",\"type\":\"" name                              \
	"\",\"zh\":\"字段\",\"en\":\"Field\"" more "}"
    ONE("text", ",\"bytes\":20") "," ONE("long", "") "," ONE(
	"int", ",\"min\":-5,\"max\":150") "," ONE("decimal",
	"") "," ONE("money", "") "," ONE("date", "") "," ONE("datetime",
	"") "," ONE("duration", ",\"max\":90000") "," ONE("enum",
	",\"options\":[{\"id\":\"yes_sir\",\"zh\":\"遵命\","
	"\"en\":\"Yes, sir\"},{\"id\":\"no\",\"zh\":\"不\","
	"\"en\":\"No\"}]") "," ONE("bool", "") "," ONE("address",
	"") "," ONE("lat", "") "," ONE("lon", "") "," ONE("case_no",
	"") "," ONE("doc_no", "") "," ONE("citizen_id", "") "," ONE("org_code",
	"") "," ONE("phone", "") "," ONE("plate", "") "," ONE("vin",
	"") "," ONE("officer", "") "," ONE("record", "") "," ONE("item",
	",\"items\":[\"things\"]") "," ONE("signature",
	"") "," ONE("attachment",
	"") "],\"lists\":[{\"path\":\"things\",\"zh\":\"物\","
	    "\"en\":\"Things\",\"fields\":[{\"path\":\"name\",\"type\":"
	    "\"text\","
	    "\"zh\":\"名\",\"en\":\"Name\"}]}]}";

static struct kinds *kinds;
static const struct kind *kind;

static int
setup(void **state)
{
	(void)state;
	if (kinds_new(&kinds) != ST_OK ||
	    kinds_add(kinds, "all", bytes_str(file)) != ST_OK)
		return 1;
	kind = kinds_at(kinds, 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	kinds_free(kinds);
	return 0;
}

static const struct kind_field *
field(const char *type)
{
	const struct kind_field *f = kind_field(kind, bytes_str(type));

	if (f == NULL)
		fail_msg("no field %s", type);
	return f;
}

#define H32 "0123456789abcdef0123456789abcdef"
#define REC "01890a5d-ac96-774b-bcce-b302099a8057"

/* + taken, ? doubtful, - refused */
static const struct {
	const char *type;
	char want;
	const char *value;
} checks[] = {
	{ "text", '+', "\"一行\"" },
	{ "text", '+', "null" },
	{ "text", '-', "\"\"" },
	{ "text", '-', "5" },
	{ "text", '-', "true" },
	{ "text", '-', "[\"a\"]" },
	{ "text", '-', "{\"withheld\":\"a\"}" },
	{ "text", '-', "\"a" },
	{ "text", '-', "\"a\" \"b\"" },
	{ "text", '-', "" },
	{ "text", '-', "\"a\\nb\"" },
	{ "text", '-', "\"a\\u0007\"" },
	{ "text", '-', "\"a\\u0085\"" },
	{ "text", '+', "\"12345678901234567890\"" },
	{ "text", '-', "\"123456789012345678901\"" },
	{ "long", '+', "\"a\\nb\\tc\"" },
	{ "long", '-', "\"a\\rb\"" },
	{ "int", '+', "-5" },
	{ "int", '-', "-6" },
	{ "int", '+', "150" },
	{ "int", '-', "151" },
	{ "int", '-', "\"5\"" },
	{ "int", '-', "1.0" },
	{ "int", '-', "01" },
	{ "decimal", '+', "\"-12.5\"" },
	{ "decimal", '+', "\"0\"" },
	{ "decimal", '+', "\"51.480216999999996\"" },
	{ "decimal", '-', "\"12.50\"" },
	{ "decimal", '-', "\"012\"" },
	{ "decimal", '-', "\".5\"" },
	{ "decimal", '-', "\"5.\"" },
	{ "decimal", '-', "\"-0\"" },
	{ "decimal", '-', "\"1e5\"" },
	{ "decimal", '-', "12" },
	{ "money", '+', "\"0.00\"" },
	{ "money", '+', "\"1386056.00\"" },
	{ "money", '+', "\"9999999999999.99\"" },
	{ "money", '-', "\"99999999999999.99\"" },
	{ "money", '-', "\"205\"" },
	{ "money", '-', "\"205.5\"" },
	{ "money", '-', "\"00.00\"" },
	{ "money", '-', "\"-1.00\"" },
	{ "money", '-', "\"1,000.00\"" },
	{ "money", '-', "205" },
	{ "date", '+', "\"2024-02-29\"" },
	{ "date", '-', "\"2023-02-29\"" },
	{ "date", '-', "\"2024-13-01\"" },
	{ "date", '-', "\"2024-2-9\"" },
	{ "date", '-', "\"2024-02-29T05:00:00+08:00\"" },
	{ "datetime", '+', "\"2024-02-29T05:00:00+08:00\"" },
	{ "datetime", '+', "\"2024-02-29T05:00:00.123Z\"" },
	{ "datetime", '-', "\"2023-02-29T05:00:00+08:00\"" },
	{ "datetime", '-', "\"2024-02-29T05:00:00\"" },
	{ "datetime", '-', "\"2024-02-29 05:00:00+08:00\"" },
	{ "datetime", '-', "\"2024-02-29T05:00:60+08:00\"" },
	{ "datetime", '-', "\"2024-02-29\"" },
	{ "duration", '+', "0" },
	{ "duration", '+', "90000" },
	{ "duration", '-', "90001" },
	{ "duration", '-', "-1" },
	{ "enum", '+', "\"yes_sir\"" },
	{ "enum", '-', "\"Yes, sir\"" },
	{ "enum", '-', "\"yes\"" },
	{ "bool", '+', "true" },
	{ "bool", '+', "false" },
	{ "bool", '-', "\"true\"" },
	{ "bool", '-', "1" },
	{ "lat", '+', "\"90\"" },
	{ "lat", '-', "\"90.0001\"" },
	{ "lat", '+', "\"-90\"" },
	{ "lon", '+', "\"-179.9999\"" },
	{ "lon", '-', "\"180.0001\"" },
	{ "case_no", '+', "\"（2017）苏0302执1234号\"" },
	{ "case_no", '+', "\"(2017)苏0302执1234号\"" },
	{ "case_no", '+', "\"（2015）云执字第1234号\"" },
	{ "case_no", '+', "\"〔2015〕云执字第1234号\"" },
	{ "case_no", '+', "\"（2023）苏执123号\"" },
	{ "case_no", '+', "\"（2020）苏03执异12号之一\"" },
	{ "case_no", '+', "\"（2020）苏0302司惩1号\"" },
	{ "case_no", '+', "\"（2021）最高法执监4号\"" },
	{ "case_no", '-', "\"2017苏0302执1234号\"" },
	{ "case_no", '-', "\"（217）苏0302执1234号\"" },
	{ "case_no", '-', "\"（1817）苏0302执1234号\"" },
	{ "case_no", '-', "\"（2017）苏0302执号\"" },
	{ "case_no", '-', "\"（2017）苏0302执1234\"" },
	{ "case_no", '-', "\"（2017）0302执1234号\"" },
	{ "case_no", '-', "\"（2017）苏0302执1234号x\"" },
	{ "case_no", '-', "\"K18377/17A\"" },
	{ "doc_no", '+', "\"K18377/17A\"" },
	{ "citizen_id", '+', "\"11010519491231002X\"" },
	{ "citizen_id", '+', "\"320302200002290014\"" },
	{ "citizen_id", '-', "\"110105194912310021\"" },
	{ "citizen_id", '-', "\"11010519491231002x\"" },
	{ "citizen_id", '-', "\"110105491231002\"" },
	{ "citizen_id", '-', "\"320302194912310021\"" },
	/* check character right, 30 February */
	{ "citizen_id", '-', "\"320302200002300019\"" },
	{ "org_code", '+', "\"91350100M000100Y43\"" },
	{ "org_code", '-', "\"91350100M000100Y44\"" },
	{ "org_code", '-', "\"91350100M000100I43\"" },
	{ "org_code", '-', "\"91350100M000100Y4\"" },
	{ "phone", '+', "\"+86 (516) 8888-0000\"" },
	{ "phone", '-', "\"call me\"" },
	{ "phone", '-', "\"12\"" },
	{ "plate", '+', "\"苏C12345\"" },
	{ "plate", '+', "\"苏CD12345\"" },
	{ "plate", '+', "\"苏C1234挂\"" },
	{ "plate", '?', "\"苏C1234\"" },
	{ "plate", '?', "\"苏CO2345\"" },
	{ "plate", '?', "\"ABC-123\"" },
	{ "plate", '-', "7" },
	{ "vin", '+', "\"1M8GDM9AXKP042788\"" },
	{ "vin", '?', "\"1M8GDM9A0KP042788\"" },
	{ "vin", '?', "\"1M8GDM9AXKP04278O\"" },
	{ "vin", '?', "\"hy-878629\"" },
	{ "officer", '+', "\"M01\"" },
	{ "record", '+', "\"" REC "\"" },
	{ "record", '-', "\"01890a5d-ac96-474b-bcce-b302099a8057\"" },
	{ "item", '+', "\"things/@" H32 "\"" },
	{ "item", '-', "\"items/@" H32 "\"" },
	{ "item", '-', "\"things\"" },
	{ "item", '-', "\"@" H32 "\"" },
	{ "signature", '+', "\"" H32 "\"" },
	{ "signature", '-', "\"" H32 "0\"" },
	{ "attachment", '+', "\"" H32 H32 "\"" },
	{ "attachment", '-', "\"" H32 "\"" },
};

/* Catches a value that is malformed and taken, or right and refused. */
static void
test_kind_values_are_taken_or_refused_by_type(void **state)
{
	size_t bad = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct words w;
		enum status st = kind_check(
		    field(checks[i].type), bytes_str(checks[i].value), &w);
		char got = st != ST_OK ? '-' : w.en[0] != '\0' ? '?' : '+';

		/* Whatever is said is said in both languages, of the field. */
		EXPECT((w.en[0] != '\0') == (w.zh[0] != '\0'));
		if (got != '+')
			EXPECT(strncmp(w.zh, "字段：", strlen("字段：")) == 0 &&
			       strncmp(w.en, "Field: ", 7) == 0);
		EXPECT(st == ST_OK || st == ST_INVALID);
		if (got == checks[i].want)
			continue;
		bad++;
		print_error("%s %s: wanted %c, got %c\n", checks[i].type,
		    checks[i].value, checks[i].want, got);
	}
	EXPECT(bad == 0);
}

/* What is typed, and the JSON that comes of it; NULL: refused. */
static const struct {
	const char *type, *typed, *json;
} typings[] = {
	{ "text", "  a b \n", "\"a b\"" },
	{ "text", "", "null" },
	{ "text", "\xe3\x80\x80", "null" },
	{ "text", "48\" \\ x", "\"48\\\" \\\\ x\"" },
	{ "text", "a\r\nb\tc", "\"a b c\"" },
	{ "text", "a\xff", NULL },
	{ "text", "1234567890123456789012", NULL },
	{ "long", "a\r\nb\rc", "\"a\\nb\\nc\"" },
	{ "int", "007", "7" },
	{ "int", "3.0", "3" },
	{ "int", "３", "3" },
	{ "int", "-0", "0" },
	{ "int", "3.5", NULL },
	{ "int", "x", NULL },
	{ "int", "151", NULL },
	{ "decimal", "+012.50", "\"12.5\"" },
	{ "decimal", "-0.0", "\"0\"" },
	{ "decimal", ".5", "\"0.5\"" },
	{ "decimal", "51.480216999999996", "\"51.480216999999996\"" },
	{ "decimal", "1,234.5", "\"1234.5\"" },
	{ "decimal", "1,23", NULL },
	{ "decimal", "1e5", NULL },
	{ "money", "205", "\"205.00\"" },
	{ "money", "0", "\"0.00\"" },
	{ "money", "1,386,056", "\"1386056.00\"" },
	{ "money", "1386056.5", "\"1386056.50\"" },
	{ "money", "￥205.50元", "\"205.50\"" },
	{ "money", "3.2万元", "\"32000.00\"" },
	{ "money", "1.23456789亿", "\"123456789.00\"" },
	{ "money", "0.00001万", "\"0.10\"" },
	{ "money", "0.0000001万", NULL },
	{ "money", "１２．３", "\"12.30\"" },
	{ "money", "1.005", NULL },
	{ "money", "-5", NULL },
	/* another currency is not silently taken for yuan */
	{ "money", "$5", NULL },
	{ "money", "5 USD", NULL },
	{ "money", "12345678901234", NULL },
	{ "date", "2024-02-29", "\"2024-02-29\"" },
	{ "date", "2024/2/9", "\"2024-02-09\"" },
	{ "date", "2024.2.9", "\"2024-02-09\"" },
	{ "date", "2024年2月29日", "\"2024-02-29\"" },
	{ "date", "20240229", "\"2024-02-29\"" },
	{ "date", "2024-2/9", NULL },
	{ "date", "2023-02-29", NULL },
	{ "date", "202402", NULL },
	{ "date", "24-02-29", NULL },
	{ "date", "02/29/2024", NULL },
	{ "date", "2024-02-29x", NULL },
	{ "datetime", "2024-02-29", "\"2024-02-29T00:00:00+08:00\"" },
	{ "datetime", "2024-02-29 5:07", "\"2024-02-29T05:07:00+08:00\"" },
	{ "datetime", "2024-11-01 10:23:40.377",
	    "\"2024-11-01T10:23:40.377+08:00\"" },
	{ "datetime", "2019-03-31T23:00:00+00:00",
	    "\"2019-03-31T23:00:00+00:00\"" },
	{ "datetime", "2014-05-23T00:00:00Z", "\"2014-05-23T00:00:00+00:00\"" },
	{ "datetime", "2024年2月29日 5时07分",
	    "\"2024-02-29T05:07:00+08:00\"" },
	{ "datetime", "2024-02-29T05:07:09-0430",
	    "\"2024-02-29T05:07:09-04:30\"" },
	{ "datetime", "2024-02-29 25:00", NULL },
	{ "datetime", "2024-02-29 05", NULL },
	{ "datetime", "2024-02-29 05:07:60", NULL },
	{ "datetime", "01/17/2021 09:55:56 PM", NULL },
	{ "duration", "90", "90" },
	{ "duration", "1h30m", "5400" },
	{ "duration", "1小时30分", "5400" },
	{ "duration", "1天", "86400" },
	{ "duration", "2 min 5 s", "125" },
	{ "duration", "30m1h", NULL },
	{ "duration", "1h1h", NULL },
	{ "duration", "soon", NULL },
	{ "duration", "2d", NULL },
	{ "enum", "yes_sir", "\"yes_sir\"" },
	{ "enum", "YES, SIR", "\"yes_sir\"" },
	{ "enum", "遵命", "\"yes_sir\"" },
	{ "enum", "maybe", NULL },
	{ "bool", "是", "true" },
	{ "bool", "否", "false" },
	{ "bool", "True", "true" },
	{ "bool", "False", "false" },
	{ "bool", "1.0", "true" },
	{ "bool", "0.0", "false" },
	{ "bool", "Y", "true" },
	{ "bool", "2", NULL },
	{ "case_no", "(2017)苏0302执1234号", "\"（2017）苏0302执1234号\"" },
	{ "case_no", "〔２０１７〕 苏0302执 1234号",
	    "\"（2017）苏0302执1234号\"" },
	{ "case_no", "K1", NULL },
	{ "citizen_id", "11010519491231002x", "\"11010519491231002X\"" },
	{ "citizen_id", "110105 19491231 002Ｘ", "\"11010519491231002X\"" },
	{ "citizen_id", "110105194912310021", NULL },
	{ "vin", "1m8gdm9axkp042788", "\"1M8GDM9AXKP042788\"" },
	{ "vin", "hy-878629", "\"HY-878629\"" },
	{ "plate", "苏c12345", "\"苏C12345\"" },
	{ "doc_no", " K18377/17A ", "\"K18377/17A\"" },
	{ "phone", "０５１６-88880000", "\"0516-88880000\"" },
	{ "lat", "51.4802", "\"51.4802\"" },
	{ "lat", "91", NULL },
};

/* Catches typed text that becomes another value, or is refused without need. */
static void
test_kind_typed_text_becomes_one_value(void **state)
{
	size_t bad = 0;
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 16);
	for (size_t i = 0; i < sizeof(typings) / sizeof(typings[0]); i++) {
		struct words w;
		const char *got;
		enum status st;

		buf_reset(&b);
		buf_str(&b, "x");
		st = kind_normalise(field(typings[i].type),
		    bytes_str(typings[i].typed), 480, &b, &w);
		got = buf_cstr(&b) + 1;
		if (st == ST_INVALID) {
			/* Refused: words, and nothing left behind. */
			EXPECT(w.zh[0] != '\0' && w.en[0] != '\0');
			EXPECT(b.len == 1);
			got = NULL;
		} else {
			EXPECT_OK(st);
			EXPECT_OK(kind_check(
			    field(typings[i].type), bytes_str(got), &w));
		}
		if ((got == NULL) == (typings[i].json == NULL) &&
		    (got == NULL || strcmp(got, typings[i].json) == 0))
			continue;
		bad++;
		print_error("%s \"%s\": wanted %s, got %s\n", typings[i].type,
		    typings[i].typed,
		    typings[i].json ? typings[i].json : "(refused)",
		    got ? got : "(refused)");
	}
	buf_free(&b);
	EXPECT(bad == 0);
}

/* Catches an unknown path that is taken, or refused without a hint. */
static void
test_kind_unknown_path_is_refused_with_the_nearest(void **state)
{
	struct words w;

	(void)state;
	EXPECT_ST(
	    kind_check_path(kind, bytes_str("moneys"), bytes_str("null"), &w),
	    ST_ABSENT);
	EXPECT(strstr(w.en, "money") != NULL && strstr(w.zh, "money") != NULL);
	EXPECT_ST(kind_check_path(kind, bytes_str("zz"), bytes_str("null"), &w),
	    ST_ABSENT);
	EXPECT(w.en[0] != '\0' && w.zh[0] != '\0');
	EXPECT_OK(kind_check_path(
	    kind, bytes_str("things/@" H32 "/name"), bytes_str("\"a\""), &w));
	EXPECT_ST(kind_check_path(kind, bytes_str("things/@" H32 "/nam"),
		      bytes_str("\"a\""), &w),
	    ST_ABSENT);
	EXPECT_ST(kind_check_path(kind, bytes_str("money"), bytes_str("5"), &w),
	    ST_INVALID);
}

/* Catches a message that is cut in the middle of a character, or overflows. */
static void
test_kind_long_words_are_cut_at_a_character(void **state)
{
	struct words w;
	char quote[256], text[2000];

	(void)state;
	for (size_t len = WORDS_MAX - 8; len < WORDS_MAX + 8; len++) {
		memset(text, 'a', len);
		memcpy(text + len, "执行", 7);
		words_clear(&w);
		words_zh(&w, "%s", text);
		EXPECT(strlen(w.zh) < WORDS_MAX);
		EXPECT(json_text_ok(bytes_str(w.zh)));
		words_zh(&w, "%s", "更多");
		EXPECT(json_text_ok(bytes_str(w.zh)));
	}
	for (size_t i = 0; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "执", 3);
	for (size_t len = 0; len < 300; len++) {
		words_quote(quote, bytes_of(text, len / 3 * 3));
		EXPECT(json_text_ok(bytes_str(quote)));
		EXPECT(strlen(quote) <= 60 * 3);
	}
	words_quote(quote, bytes_of("a\x01\nb", 4));
	EXPECT(strcmp(quote, "a??b") == 0);
}

/* Catches a value that is shown to people as another. */
static void
test_kind_values_are_shown_in_words(void **state)
{
	static const struct {
		const char *type, *json, *zh, *en;
	} shows[] = {
		{ "bool", "true", "是", "yes" },
		{ "bool", "null", "（空）", "(empty)" },
		{ "enum", "\"yes_sir\"", "遵命", "Yes, sir" },
		{ "enum", "\"gone\"", "gone", "gone" },
		{ "datetime", "\"2024-02-29T05:07:09+08:00\"",
		    "2024-02-29 05:07", "2024-02-29 05:07" },
		{ "datetime", "\"2024-02-29T05:07:09-04:00\"",
		    "2024-02-29 05:07", "2024-02-29 05:07" },
		{ "datetime", "\"late\"", "late", "late" },
		{ "duration", "5400", "1小时30分钟", "1 h 30 min" },
		{ "duration", "0", "0秒", "0 s" },
		{ "money", "\"205.00\"", "205.00", "205.00" },
		{ "text", "\"a\\\"b\"", "a\"b", "a\"b" },
		{ "text", "{\"withheld\":\"00\"}", "（未提供）", "(withheld)" },
		{ "int", "-3", "-3", "-3" },
	};
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	for (size_t i = 0; i < sizeof(shows) / sizeof(shows[0]); i++) {
		buf_reset(&b);
		kind_show(
		    field(shows[i].type), bytes_str(shows[i].json), true, &b);
		EXPECT_BYTES(buf_view(&b), bytes_str(shows[i].zh));
		buf_reset(&b);
		kind_show(
		    field(shows[i].type), bytes_str(shows[i].json), false, &b);
		EXPECT_BYTES(buf_view(&b), bytes_str(shows[i].en));
	}
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kind_values_are_taken_or_refused_by_type),
		cmocka_unit_test(test_kind_typed_text_becomes_one_value),
		cmocka_unit_test(
		    test_kind_unknown_path_is_refused_with_the_nearest),
		cmocka_unit_test(test_kind_long_words_are_cut_at_a_character),
		cmocka_unit_test(test_kind_values_are_shown_in_words),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
