/*
 * Values as they stand on paper, and texts with values put in.
 */
#include <stdio.h>
#include <string.h>

#include "domain/when.h"
#include "form/form_priv.h"

enum { ENUM_BLANK_MAX = 8, KEPT_SHOWN_MAX = 16 };

/* A box to tick stays on the line of its word: U+2060 word joiner. */
#define BOX "□\xe2\x81\xa0"

static const char unrecorded[] = FORM_UNRECORDED;
static const char withheld[] = "（未提供）";

static struct buf *
text_of(struct form_run *r)
{
	return &r->doc->text;
}

/* Words in brackets; behind an opening bracket of the form's own they need
 * none: （未记载）, never （（未记载））. */
static void
put_bracketed(struct form_run *r, const char *words)
{
	static const char open[] = "（", close[] = "）";
	const struct buf *b = text_of(r);
	size_t n = sizeof(open) - 1, len = strlen(words);

	if (b->len >= n && memcmp(b->p + b->len - n, open, n) == 0)
		buf_add(text_of(r), words + n, len - n - (sizeof(close) - 1));
	else
		buf_str(text_of(r), words);
}

/* ---- one value */

void
form_put_when(struct form_run *r, struct bytes at, struct buf *out)
{
	struct when w;
	int64_t y;
	int m, d, minute;

	if (!when_read(&w, at, r->in->offset_min)) {
		buf_bytes(out, at);
		return;
	}
	civil_of_day(
	    w.is_day ? w.day : day_of_ms(w.ms, w.offset_min), &y, &m, &d);
	buf_printf(out, "%lld年%d月%d日", (long long)y, m, d);
	if (w.is_day)
		return;
	minute = when_minute(&w);
	buf_printf(out, "%d时%02d分", minute / 60, minute % 60);
	if (w.offset_min != r->in->offset_min)
		buf_printf(out, "（UTC%+03d:%02d）", w.offset_min / 60,
		    (w.offset_min < 0 ? -w.offset_min : w.offset_min) % 60);
}

/* What stands behind a number. */
static void
put_unit(const struct kind_field *f, struct buf *out)
{
	static const struct {
		const char *unit, *zh;
	} words[] = { { "CNY", "元" }, { "d", "日" }, { "y", "岁" },
		{ "m", "米" }, { "m2", "平方米" } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(f->unit, words[i].unit) == 0) {
			buf_str(out, words[i].zh);
			return;
		}
	}
	buf_str(out, f->unit);
}

/* "1386056.00" as 1,386,056.00元. */
static void
put_money(const struct kind_field *f, struct bytes text, struct buf *out)
{
	const uint8_t *dot = memchr(text.p, '.', text.len);
	size_t whole = dot != NULL ? (size_t)(dot - text.p) : text.len;

	for (size_t i = 0; i < whole; i++) {
		if (i > 0 && (whole - i) % 3 == 0)
			buf_u8(out, ',');
		buf_u8(out, text.p[i]);
	}
	buf_add(out, text.p + whole, text.len - whole);
	if (f->unit[0] == '\0')
		buf_str(out, "元");
	else
		put_unit(f, out);
}

static void
put_string(struct form_run *r, const struct kind_field *f,
    const struct state_item *it, struct bytes text, struct bytes json)
{
	struct buf *out = text_of(r);

	switch (f->type) {
	case KIND_DATE:
	case KIND_DATETIME:
		form_put_when(r, text, out);
		return;
	case KIND_MONEY:
		put_money(f, text, out);
		return;
	case KIND_OFFICER:
		form_put_officer(r, text, it);
		return;
	case KIND_ATTACHMENT:
		buf_str(out, "附件");
		buf_bytes(out, bytes_of(text.p, text.len < 8 ? text.len : 8));
		return;
	default:
		kind_show(f, json, true, out);
		put_unit(f, out);
	}
}

void
form_put_value(struct form_run *r, const struct kind_field *f,
    const struct state_item *it, struct bytes json)
{
	struct json j;
	struct buf scratch;
	enum status st;

	json_init(&j);
	buf_init(&scratch, ENTRY_BYTES_MAX);
	st = json_parse(&j, json, JSON_DOCUMENT);
	if (st == ST_OK && j.node[0].type == JSON_STRING) {
		json_text(&j, 0, &scratch);
		put_string(r, f, it, buf_view(&scratch), json);
		if (scratch.err != ST_OK)
			r->err = scratch.err;
	} else if (st == ST_OK && j.node[0].type == JSON_OBJECT) {
		put_bracketed(r, withheld);
	} else if (st == ST_OK && j.node[0].type == JSON_NULL) {
		buf_str(text_of(r), "（无）");
	} else if (st == ST_OK || st == ST_INVALID) {
		kind_show(f, json, true, text_of(r));
		if (f->type == KIND_INT)
			put_unit(f, text_of(r));
	} else {
		r->err = st;
	}
	buf_free(&scratch);
	json_free(&j);
}

/* ---- blanks for paper */

static void
put_blank(struct form_run *r, const struct kind_field *f)
{
	struct buf *out = text_of(r);

	switch (f->type) {
	case KIND_BOOL:
		buf_str(out, BOX "是 " BOX "否");
		return;
	case KIND_DATE:
		buf_str(out, "＿＿＿＿年＿＿月＿＿日");
		return;
	case KIND_DATETIME:
		buf_str(out, "＿＿＿＿年＿＿月＿＿日＿＿时＿＿分");
		return;
	case KIND_MONEY:
		buf_str(out, "＿＿＿＿＿＿元");
		return;
	case KIND_ENUM:
		for (size_t i = 0;
		     i < f->option_count && f->option_count <= ENUM_BLANK_MAX;
		     i++)
			buf_printf(out, "%s" BOX "%s", i > 0 ? " " : "",
			    f->options[i].zh);
		if (f->option_count > ENUM_BLANK_MAX)
			buf_str(out, "＿＿＿＿");
		return;
	default:
		buf_str(out, "＿＿＿＿＿＿＿＿");
	}
}

/* ---- a field: all that is kept of it */

static size_t
path_of(const struct kind_field *f, const struct state_item *it,
    uint8_t out[PATH_BYTES_MAX + 1])
{
	int n;

	if (it == NULL)
		n = snprintf((char *)out, PATH_BYTES_MAX + 1, "%s", f->path);
	else
		n = snprintf((char *)out, PATH_BYTES_MAX + 1, "%.*s/%s",
		    (int)it->path.len, (const char *)it->path.p, f->path);
	return n > 0 && n <= PATH_BYTES_MAX ? (size_t)n : 0;
}

static const struct state_field *
field_at(
    struct form_run *r, const struct kind_field *f, const struct state_item *it)
{
	uint8_t path[PATH_BYTES_MAX + 1];
	size_t len = path_of(f, it, path);

	return state_field(r->in->st, bytes_of(path, len));
}

size_t
form_kept(struct form_run *r, const struct kind_field *f,
    const struct state_item *it, struct bytes *json)
{
	const struct state_field *sf = field_at(r, f, it);
	struct state_value v;
	size_t n = 0;

	while (sf != NULL && state_value(r->in->st, sf, n, &v)) {
		if (n++ == 0)
			*json = v.json;
	}
	return n;
}

static void
put_court(struct form_run *r)
{
	buf_str(text_of(r), r->in->court_name != NULL ? r->in->court_name : "");
}

/* Nothing was recorded: was anything asked for? */
static void
put_nothing(
    struct form_run *r, const struct kind_field *f, const struct state_item *it)
{
	struct cond_view v = form_view(r, it);

	if (f->when == NULL || cond_judge(f->when, &v) != TRUTH_FALSE ||
	    !cond_answered(f->when, &v))
		put_bracketed(r, unrecorded);
	else
		put_bracketed(r, "（不适用）");
}

static void
put_field(struct form_run *r, const struct form_piece *p,
    const struct state_item *it, bool in_cell)
{
	const struct kind_field *f = p->field;
	const struct state_field *sf;
	struct state_value v;
	size_t n = 0;

	if (r->doc->blank && p->court) {
		put_court(r);
		return;
	}
	if (r->doc->blank) {
		if (!in_cell)
			put_blank(r, f);
		return;
	}
	sf = field_at(r, f, it);
	for (; sf != NULL && n < KEPT_SHOWN_MAX &&
	       state_value(r->in->st, sf, n, &v);
	     n++) {
		if (n > 0)
			buf_str(text_of(r), "／");
		form_put_value(r, f, it, v.json);
	}
	if (n == 0 && p->court)
		put_court(r);
	else if (n == 0 && !p->spare)
		put_nothing(r, f, it);
	else if (n > 1)
		buf_str(text_of(r), "（不一致）");
}

static void
put_choice(
    struct form_run *r, const struct form_piece *p, const struct state_item *it)
{
	const struct state_field *sf;
	struct state_value v;
	size_t n = 0;

	if (r->doc->blank) {
		buf_printf(text_of(r), BOX "%s " BOX "%s", p->text, p->no);
		return;
	}
	sf = field_at(r, p->field, it);
	for (; sf != NULL && n < KEPT_SHOWN_MAX &&
	       state_value(r->in->st, sf, n, &v);
	     n++) {
		if (n > 0)
			buf_str(text_of(r), "／");
		if (bytes_eq_str(v.json, "true"))
			buf_str(text_of(r), p->text);
		else if (bytes_eq_str(v.json, "false"))
			buf_str(text_of(r), p->no);
		else
			form_put_value(r, p->field, it, v.json);
	}
	if (n == 0)
		buf_printf(text_of(r), "（%s／%s：未记载）", p->text, p->no);
	else if (n > 1)
		buf_str(text_of(r), "（不一致）");
}

static void
put_list(struct form_run *r, const struct form_piece *p)
{
	size_t first, end, n = 0;

	if (r->doc->blank) {
		buf_str(text_of(r), "＿＿＿＿＿＿＿＿＿＿");
		return;
	}
	state_items(r->in->st, bytes_str(p->list->path), &first, &end);
	for (size_t i = first; i < end; i++) {
		const struct state_item *it = &r->in->st->items[i];

		if (it->is == STATE_OUT ||
		    !bytes_eq_str(it->list, p->list->path))
			continue;
		if (n++ > 0)
			buf_str(text_of(r), "、");
		put_field(r, p, it, false);
	}
	if (n == 0)
		buf_str(text_of(r), unrecorded);
}

/* On paper it is ticked, not written. */
static bool
boxes(const struct kind_field *f)
{
	return f->type == KIND_BOOL ||
	       (f->type == KIND_ENUM && f->option_count <= ENUM_BLANK_MAX);
}

void
form_put_text(
    struct form_run *r, const struct form_text *t, const struct state_item *it)
{
	/* A cell that is one value alone stays empty on a blank form. */
	bool alone = t->count == 1 && r->doc->blank;

	for (size_t i = 0; i < t->count; i++) {
		const struct form_piece *p = &t->piece[i];

		switch (p->sort) {
		case PIECE_PLAIN:
			buf_str(text_of(r), p->text);
			break;
		case PIECE_FIELD:
			put_field(r, p, p->record ? NULL : it,
			    (alone && !boxes(p->field)) || r->row > 0);
			break;
		case PIECE_CHOICE:
			put_choice(r, p, p->record ? NULL : it);
			break;
		case PIECE_LIST:
			put_list(r, p);
			break;
		case PIECE_NUMBER:
			if (it != NULL)
				buf_printf(text_of(r), "%u", it->n);
			else
				buf_printf(text_of(r), "%u", r->row);
			break;
		case PIECE_REC:
			buf_str(
			    text_of(r), r->in->rec != NULL ? r->in->rec : "");
			break;
		case PIECE_COURT:
			put_court(r);
			break;
		}
	}
}
