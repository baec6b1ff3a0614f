/*
 * What a value must look like, by type.  Each check gets the scalar's text
 * (of a string: unescaped) and says good, doubtful or bad, with words.
 */
#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "domain/idno.h"
#include "domain/kind_priv.h"
#include "domain/num.h"
#include "domain/when.h"
#include "entry/json.h"
#include "entry/path.h"

const char *
kind_type_name(enum kind_type t)
{
	static const char *const names[] = {
#define KIND_TYPE_TEXT(name, text) text,
		KIND_TYPES(KIND_TYPE_TEXT)
#undef KIND_TYPE_TEXT
	};

	assert(t < KIND_TYPE_COUNT);
	return names[t];
}

struct answer {
	enum kind_is is;
	const char *zh, *en; /* static */
};

static const struct answer good = { KIND_GOOD, "", "" };

static const struct answer too_long = { KIND_BAD, "文字过长",
	"the text is too long" };

static struct answer
bad(const char *zh, const char *en)
{
	return (struct answer){ KIND_BAD, zh, en };
}

static struct answer
doubtful(bool fine, const char *zh, const char *en)
{
	return fine ? good : (struct answer){ KIND_DOUBTFUL, zh, en };
}

/* Control characters: all in one line of text, all but line breaks and tabs
 * in long text; C1 controls (U+0080..U+009F) are two bytes from 0xc2. */
static bool
has_control(struct bytes t, bool breaks)
{
	for (size_t i = 0; i < t.len; i++) {
		uint8_t c = t.p[i];

		if (c == 0x7f || (c == 0xc2 && t.p[i + 1] < 0xa0))
			return true;
		if (c < 0x20 && !(breaks && (c == '\n' || c == '\t')))
			return true;
	}
	return false;
}

static struct answer
check_text(const struct kind_field *f, struct bytes t)
{
	if (t.len > f->bytes_max)
		return too_long;
	if (has_control(t, f->type == KIND_LONG))
		return f->type == KIND_LONG
			   ? bad("含有控制字符", "has control characters")
			   : bad("应为一行文字，不含换行和控制字符",
				 "must be one line without control characters");
	return good;
}

static struct answer
check_int(const struct kind_field *f, int64_t v)
{
	if (v < f->min)
		return bad("数值过小", "the number is too small");
	if (v > f->max)
		return bad("数值过大", "the number is too large");
	return good;
}

/* Shortest decimal: no leading zero, no trailing zero behind the point, at
 * most 13 digits before it and 30 behind (measured coordinates come with the
 * noise of floating point behind them); no "-0". */
static bool
is_decimal(struct bytes t)
{
	size_t i = 0, whole, frac;

	if (i < t.len && t.p[i] == '-')
		i++;
	whole = i;
	while (i < t.len && t.p[i] >= '0' && t.p[i] <= '9')
		i++;
	if (i == whole || i - whole > 13 ||
	    (t.p[whole] == '0' && i - whole > 1))
		return false;
	if (i == t.len)
		return !bytes_eq_str(t, "-0");
	if (t.p[i] != '.')
		return false;
	frac = ++i;
	while (i < t.len && t.p[i] >= '0' && t.p[i] <= '9')
		i++;
	return i == t.len && i > frac && i - frac <= 30 && t.p[i - 1] != '0';
}

static struct answer
check_decimal(const struct kind_field *f, struct bytes t)
{
	int64_t v, most = f->type == KIND_LAT ? 90 : 180;

	if (!is_decimal(t) || !num_read(&v, t))
		return bad("应为小数，如 -12.5，无多余的零",
		    "must be a decimal such as \"-12.5\", without spare zeros");
	if (f->type != KIND_DECIMAL &&
	    (v > most * NUM_ONE || v < -most * NUM_ONE))
		return bad("坐标超出范围", "the coordinate is out of range");
	return good;
}

static struct answer
check_money(struct bytes t)
{
	size_t n = t.len;

	if (n < 4 || n > 16 || t.p[n - 3] != '.' || (t.p[0] == '0' && n > 4))
		return bad("应为金额，如 205.00",
		    "must be an amount such as \"205.00\"");
	for (size_t i = 0; i < n; i++) {
		if (i != n - 3 && (t.p[i] < '0' || t.p[i] > '9'))
			return bad("应为金额，如 205.00",
			    "must be an amount such as \"205.00\"");
	}
	return good;
}

static struct answer
check_time(const struct kind_field *f, struct bytes t)
{
	struct when w;

	if (!when_read(&w, t, 0) || w.is_day != (f->type == KIND_DATE))
		return f->type == KIND_DATE
			   ? bad("应为日期，如 2024-02-29",
				 "must be a date such as \"2024-02-29\"")
			   : bad("应为带时区的时间，如 "
				 "2024-02-29T05:00:00+08:00",
				 "must be a time with offset such as "
				 "\"2024-02-29T05:00:00+08:00\"");
	return good;
}

static struct answer
check_phone(struct bytes t)
{
	size_t digits = 0;

	for (size_t i = 0; i < t.len; i++) {
		if (t.p[i] >= '0' && t.p[i] <= '9')
			digits++;
		else if (t.p[i] == 0 || strchr("+-() ", t.p[i]) == NULL)
			return bad("电话号码只可有数字和 + - ( )",
			    "a phone number has digits and + - ( ) only");
	}
	if (digits < 3 || t.len > 32)
		return bad("电话号码长度不对",
		    "a phone number of this length cannot be");
	return good;
}

static bool
is_hex(struct bytes t, size_t len)
{
	if (t.len != len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if ((t.p[i] < '0' || t.p[i] > '9') &&
		    (t.p[i] < 'a' || t.p[i] > 'f'))
			return false;
	}
	return true;
}

static struct answer
check_item(const struct kind_field *f, struct bytes t)
{
	struct bytes list = t;
	size_t tail = 2 + 2 * ID_LEN;

	if (path_sort(t) != PATH_ITEM)
		return bad("应为条目路径，如 items/@…",
		    "must be an item's path such as \"items/@…\"");
	list.len -= tail;
	for (size_t i = 0; i < f->ref_count; i++) {
		if (bytes_eq_str(list, f->refs[i]))
			return good;
	}
	return bad("不是此处可指的清单条目",
	    "an item of a list that this field cannot refer to");
}

static struct answer
check_enum(const struct kind_field *f, struct bytes t)
{
	if (kind_option(f, t) == NULL)
		return bad("不是可选项", "not one of the options");
	return good;
}

/* A string's text, by type. */
static struct answer
check_string(const struct kind_field *f, struct bytes t)
{
	switch (f->type) {
	case KIND_DECIMAL:
	case KIND_LAT:
	case KIND_LON:
		return check_decimal(f, t);
	case KIND_MONEY:
		return check_money(t);
	case KIND_DATE:
	case KIND_DATETIME:
		return check_time(f, t);
	case KIND_ENUM:
		return check_enum(f, t);
	case KIND_CASE_NO:
		return idno_case(t) ? good
				    : bad("不是案号，如 （2017）苏0302执1234号",
					  "not a case number such as "
					  "（2017）苏0302执1234号");
	case KIND_CITIZEN_ID:
		return idno_citizen(t)
			   ? good
			   : bad("不是公民身份号码：18 "
				 "位，出生日期与校验位须正确",
				 "not a citizen's identity number: 18 places, "
				 "with a real birth date and its check digit");
	case KIND_ORG_CODE:
		return idno_org(t)
			   ? good
			   : bad("不是统一社会信用代码：18 位，校验位须正确",
				 "not a unified social credit code: 18 places "
				 "with its check digit");
	case KIND_PHONE:
		return check_phone(t);
	case KIND_PLATE:
		return doubtful(idno_plate(t), "不像号牌号码，请核对",
		    "unlike a plate of China; please look again");
	case KIND_VIN:
		return doubtful(idno_vin(t),
		    "车辆识别代号的位数或校验位不对，请核对",
		    "length or check digit of the VIN is wrong; please look "
		    "again");
	case KIND_RECORD:
		return path_is_rec(t) ? good
				      : bad("不是记录编号", "not a record id");
	case KIND_ITEM:
		return check_item(f, t);
	case KIND_SIGNATURE:
		return is_hex(t, 32) ? good
				     : bad("不是签名记录的编号",
					   "not the id of a sign entry");
	case KIND_ATTACHMENT:
		return is_hex(t, 64) ? good
				     : bad("不是附件的哈希值", "not a SHA-256");
	default:
		return good;
	}
}

/* Which JSON scalar a type is written as. */
static enum json_type
json_type_of(enum kind_type t)
{
	if (t == KIND_INT || t == KIND_DURATION)
		return JSON_INT;
	return t == KIND_BOOL ? JSON_TRUE : JSON_STRING;
}

static struct answer
check_node(const struct kind_field *f, const struct json *j, uint32_t n,
    struct buf *scratch)
{
	enum json_type have = j->node[n].type, want = json_type_of(f->type);
	struct answer a;
	struct bytes t;

	if (have == JSON_NULL)
		return good;
	if (have == JSON_FALSE)
		have = JSON_TRUE;
	if (have != want) {
		if (want == JSON_TRUE)
			return bad("应为是或否", "must be true or false");
		if (want == JSON_INT)
			return bad("应为整数", "must be an integer");
		return bad("应为文本", "must be text");
	}
	if (want == JSON_INT)
		return check_int(f, j->node[n].num);
	if (want == JSON_TRUE)
		return good;
	t = json_view(j, n, scratch);
	if (scratch->err != ST_OK)
		return too_long;
	if (t.len == 0)
		return bad("不得为空文本（未填应为 null）",
		    "must not be empty text (null is entered as empty)");
	/* What is shown on one line may not hide anything. */
	a = check_text(f, t);
	return a.is == KIND_GOOD ? check_string(f, t) : a;
}

static enum kind_is
tell(const struct kind_field *f, struct answer a, struct words *why)
{
	if (why != NULL && a.is != KIND_GOOD) {
		words_zh(why, "%s：%s", f->zh, a.zh);
		words_en(why, "%s: %s", f->en, a.en);
	}
	/* A letter of Chinese takes three bytes. */
	if (why != NULL && a.zh == too_long.zh) {
		words_zh(why, "（至多 %u 个汉字）", f->bytes_max / 3);
		words_en(why, " (at most %u bytes; %u Chinese letters)",
		    f->bytes_max, f->bytes_max / 3);
	}
	return a.is;
}

enum kind_is
kind_judge_node(const struct kind_field *f, const struct json *j, uint32_t n,
    struct buf *scratch, struct words *why)
{
	if (j->node[n].type == JSON_ARRAY || j->node[n].type == JSON_OBJECT)
		return tell(f, bad("不是单个值", "not one scalar value"), why);
	return tell(f, check_node(f, j, n, scratch), why);
}

enum status
kind_check(const struct kind_field *f, struct bytes value, struct words *why)
{
	struct json j;
	struct buf scratch;
	enum kind_is is;
	enum status st;

	words_clear(why);
	json_init(&j);
	buf_init(&scratch, ENTRY_BYTES_MAX);
	st = value.len > ENTRY_BYTES_MAX ? ST_INVALID
					 : json_parse(&j, value, JSON_DOCUMENT);
	if (st == ST_OK)
		is = kind_judge_node(f, &j, 0, &scratch, why);
	else
		is = tell(f, bad("不是单个值", "not one scalar value"), why);
	/* Without memory there is no verdict. */
	if (scratch.err == ST_NOMEM)
		st = ST_NOMEM;
	buf_free(&scratch);
	json_free(&j);
	if (st == ST_NOMEM)
		return st;
	return is == KIND_BAD ? ST_INVALID : ST_OK;
}
