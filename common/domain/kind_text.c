/*
 * What a person typed becomes a JSON scalar (the table is in kind.h).
 *
 * The text is first made plain: outer white space cut and, for all types that
 * are not free text, full-width digits, letters and signs made half-width,
 * since Chinese input methods give either.
 */
#include <string.h>

#include "base/limits.h"
#include "domain/kind_priv.h"
#include "domain/typed.h"

enum { TYPED_BYTES_MAX = 40000 };

static bool
refuse(const struct kind_field *f, struct words *why, const char *zh,
    const char *en, struct bytes text)
{
	char quote[256];

	words_quote(quote, text);
	words_clear(why);
	words_zh(why, "%s：%s：“%s”", f->zh, zh, quote);
	words_en(why, "%s: %s: \"%s\"", f->en, en, quote);
	return false;
}

/* What can be chosen: whoever typed something else wants to know. */
static void
list_options(const struct kind_field *f, struct words *why)
{
	for (size_t i = 0; f->type == KIND_ENUM && i < f->option_count; i++) {
		const struct kind_option *o = &f->options[i];

		words_zh(
		    why, "%s%s（%s）", i == 0 ? "；可填 " : "、", o->zh, o->id);
		words_en(why, "%s%s (%s)", i == 0 ? "; give one of: " : ", ",
		    o->id, o->en);
	}
}

static bool
typed_enum(const struct kind_field *f, struct bytes t, struct buf *out)
{
	for (size_t i = 0; i < f->option_count; i++) {
		const struct kind_option *o = &f->options[i];

		if (typed_same(t, o->id) || typed_same(t, o->zh) ||
		    typed_same(t, o->en)) {
			json_put_str(out, o->id);
			return true;
		}
	}
	return false;
}

/* The text as a JSON string; its own failure becomes that of `out`. */
static void
put_text(struct buf *out, struct buf *text)
{
	if (text->err == ST_OK)
		json_put_string(out, buf_view(text));
	else if (out->err == ST_OK)
		out->err = text->err;
	buf_free(text);
}

/* Brackets of a case number in full width, as courts print them. */
static void
typed_case(struct bytes t, struct buf *out)
{
	static const char *const opens[] = { "(", "[", "〔", "（" };
	static const char *const closes[] = { ")", "]", "〕", "）" };
	struct buf text;

	buf_init(&text, TYPED_BYTES_MAX);
	while (t.len > 0) {
		bool done = false;

		for (size_t i = 0; i < 4 && !done; i++) {
			done = typed_pass(&t, opens[i]);
			if (done)
				buf_str(&text, "（");
			else if (typed_pass(&t, closes[i])) {
				buf_str(&text, "）");
				done = true;
			}
		}
		if (!done && !typed_pass(&t, " ")) {
			buf_u8(&text, t.p[0]);
			t.p++;
			t.len--;
		}
	}
	put_text(out, &text);
}

/* Free text: line breaks become LF, or in one line a space. */
static void
typed_text(const struct kind_field *f, struct bytes t, struct buf *out)
{
	struct buf text;
	bool lines = f->type == KIND_LONG;

	buf_init(&text, TYPED_BYTES_MAX);
	for (size_t i = 0; i < t.len; i++) {
		uint8_t c = t.p[i];
		bool blank = c == '\n' || c == '\r' || c == '\t';

		if (c == '\r' && i + 1 < t.len && t.p[i + 1] == '\n')
			continue;
		if (lines && c == '\r')
			c = '\n';
		if (!lines && blank)
			c = ' ';
		buf_u8(&text, c);
	}
	put_text(out, &text);
}

/* Numbers on documents: letters in capitals. */
static void
typed_capital(struct bytes t, struct buf *out)
{
	struct buf text;

	buf_init(&text, TYPED_BYTES_MAX);
	for (size_t i = 0; i < t.len; i++) {
		uint8_t c = t.p[i];

		if (c == ' ' || c == '\t')
			continue;
		buf_u8(&text, c >= 'a' && c <= 'z' ? (uint8_t)(c - 32) : c);
	}
	put_text(out, &text);
}

/* `t` is half-width and trimmed. */
static bool
typed_plain(
    const struct kind_field *f, struct bytes t, int offset_min, struct buf *out)
{
	switch (f->type) {
	case KIND_BOOL:
		return typed_bool(t, out);
	case KIND_INT:
		return typed_int(t, out);
	case KIND_DECIMAL:
	case KIND_LAT:
	case KIND_LON:
		return typed_decimal(t, out);
	case KIND_MONEY:
		return typed_money(t, out);
	case KIND_DATE:
		return typed_date(t, out);
	case KIND_DATETIME:
		return typed_datetime(t, offset_min, out);
	case KIND_DURATION:
		return typed_duration(t, out);
	case KIND_CASE_NO:
		typed_case(t, out);
		return true;
	case KIND_CITIZEN_ID:
	case KIND_ORG_CODE:
	case KIND_PLATE:
	case KIND_VIN:
		typed_capital(t, out);
		return true;
	default:
		json_put_string(out, t);
		return true;
	}
}

static const char *const hint_zh[KIND_TYPE_COUNT] = {
	[KIND_BOOL] = "应为是或否",
	[KIND_INT] = "应为整数",
	[KIND_DECIMAL] = "应为数",
	[KIND_LAT] = "应为纬度",
	[KIND_LON] = "应为经度",
	[KIND_MONEY] = "应为金额，至多两位小数，不为负",
	[KIND_DATE] = "应为日期，如 2024-02-29",
	[KIND_DATETIME] = "应为时间，如 2024-02-29 05:00",
	[KIND_DURATION] = "应为时长，如 1小时30分",
	[KIND_ENUM] = "不是可选项",
};
static const char *const hint_en[KIND_TYPE_COUNT] = {
	[KIND_BOOL] = "must be yes or no",
	[KIND_INT] = "must be an integer",
	[KIND_DECIMAL] = "must be a number",
	[KIND_LAT] = "must be a latitude",
	[KIND_LON] = "must be a longitude",
	[KIND_MONEY] =
	    "must be an amount with at most two decimals, not negative",
	[KIND_DATE] = "must be a date such as 2024-02-29",
	[KIND_DATETIME] = "must be a time such as 2024-02-29 05:00",
	[KIND_DURATION] = "must be a duration such as 1h30m",
	[KIND_ENUM] = "not one of the options",
};

static bool
is_free_text(enum kind_type t)
{
	/* A document's number stays as the paper has it, （2026） or (2026); it
	 * is compared with either (facts_plain). */
	return t == KIND_TEXT || t == KIND_LONG || t == KIND_ADDRESS ||
	       t == KIND_DOC_NO;
}

/* The scalar for typed text, before it is checked. */
static enum status
scalar_of(const struct kind_field *f, struct bytes t, int offset_min,
    struct buf *out, struct words *why)
{
	struct buf plain;
	bool fine;
	enum status st = ST_OK;

	if (is_free_text(f->type)) {
		typed_text(f, t, out);
		return out->err;
	}
	buf_init(&plain, TYPED_BYTES_MAX);
	typed_half_width(t, &plain);
	if (f->type == KIND_ENUM)
		fine = typed_enum(f, t, out) ||
		       typed_enum(f, buf_view(&plain), out);
	else
		fine = typed_plain(
		    f, typed_trim(buf_view(&plain)), offset_min, out);
	if (plain.err != ST_OK)
		st = plain.err;
	else if (!fine &&
		 !refuse(f, why, hint_zh[f->type], hint_en[f->type], t)) {
		list_options(f, why);
		st = ST_INVALID;
	}
	buf_free(&plain);
	return st == ST_OK ? out->err : st;
}

enum status
kind_normalise(const struct kind_field *f, struct bytes text, int offset_min,
    struct buf *out, struct words *why)
{
	size_t from = out->len;
	enum status st;

	words_clear(why);
	text = typed_trim(text);
	if (text.len > TYPED_BYTES_MAX || !json_text_ok(text)) {
		(void)refuse(f, why, "文字过长或不是合格的 UTF-8",
		    "too long, or not good UTF-8", text);
		return ST_INVALID;
	}
	if (text.len == 0) {
		buf_str(out, "null");
		return out->err;
	}
	st = scalar_of(f, text, offset_min, out, why);
	if (st == ST_OK)
		st = kind_check(
		    f, bytes_of(out->p + from, out->len - from), why);
	/* What is refused leaves nothing behind. */
	if (st != ST_OK && out->len > from)
		out->len = from;
	return st;
}
