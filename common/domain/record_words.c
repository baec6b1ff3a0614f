#include "domain/record_words.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "domain/act_words.h"
#include "domain/state.h"
#include "entry/entry.h"

/* What officers wrote goes to a terminal: no control characters. */
static void
line(struct buf *out, struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		buf_u8(out,
		    text.p[i] < 0x20 || text.p[i] == 0x7f ? '?' : text.p[i]);
}

/* A record, its kind where this program knows it, and room for a line. */
struct show {
	struct state state;
	const struct kind *kind;
	struct buf text;
};

/* "搜查令号 Warrant number [warrant/no]": the path is what acts and
 * signatures name. */
static void
name(struct buf *out, struct show *s, struct bytes path)
{
	buf_reset(&s->text);
	act_put_label(s->kind, path, &s->text);
	line(out, buf_view(&s->text));
	if (!bytes_eq(buf_view(&s->text), path)) {
		buf_str(out, " [");
		line(out, path);
		buf_u8(out, ']');
	}
}

static void
value(struct buf *out, struct show *s, const struct kind_field *f,
    const struct state_value *v)
{
	buf_reset(&s->text);
	if (f != NULL && !v->withheld)
		kind_show(f, v->json, true, &s->text);
	else
		buf_bytes(&s->text, v->text);
	line(out, buf_view(&s->text));
	if (f != NULL && f->type == KIND_ENUM && !v->null && !v->withheld) {
		buf_str(out, " (");
		line(out, v->text);
		buf_u8(out, ')');
	}
}

/* One value, or several that are in conflict. */
static void
fields(struct buf *out, struct show *s)
{
	for (size_t i = 0; i < s->state.field_count; i++) {
		const struct state_field *at = &s->state.fields[i];
		const struct kind_field *f =
		    s->kind != NULL ? kind_field(s->kind, at->path) : NULL;
		struct state_value v;

		buf_str(out, "    ");
		name(out, s, at->path);
		buf_str(out, " = ");
		if (at->count > 1)
			buf_str(out, "冲突 CONFLICT: ");
		for (size_t n = 0; state_value(&s->state, at, n, &v); n++) {
			buf_str(out, n > 0 ? " | " : "");
			value(out, s, f, &v);
		}
		buf_u8(out, '\n');
	}
}

static void
items(struct buf *out, struct show *s)
{
	for (size_t i = 0; i < s->state.item_count; i++) {
		const struct state_item *it = &s->state.items[i];

		if (it->is == STATE_IN)
			continue;
		buf_str(out, "    ");
		name(out, s, it->path);
		buf_str(
		    out, it->is == STATE_OUT
			     ? ": 已划去 struck out\n"
			     : ": 去留不一致 CONFLICT: struck out or not\n");
	}
}

static const char *
sign_words(enum state_sign is)
{
	switch (is) {
	case STATE_SIGN_OK:
		return "  签后未改 ok";
	case STATE_SIGN_STALE:
		return "  签后有改动 stale";
	case STATE_SIGN_MISMATCH:
		return "  与所示内容不符 mismatch";
	case STATE_SIGN_UNKNOWN:
		return "  无从核对 unknown";
	case STATE_NO_SIGN:
		break;
	}
	return "";
}

static void
act(struct buf *out, struct show *s, const struct state_act *a)
{
	const struct json *j = &s->state.tape;
	enum verb verb = verb_of(a->verb);
	uint32_t reason = json_get_typed(j, a->node, "reason", JSON_STRING);

	buf_str(out, "    ");
	line(out, a->at);
	buf_str(out, "  ");
	line(out, a->by);
	buf_printf(out, "  %s ", act_verb_zh(verb));
	line(out, a->verb);
	buf_str(out, "  ");
	buf_reset(&s->text);
	act_put_words(s->kind, verb, j, a->on, a->data, a->more, &s->text);
	line(out, buf_view(&s->text));
	if (reason != 0) {
		buf_reset(&s->text);
		json_text(j, reason, &s->text);
		buf_str(out, "  理由 reason: ");
		line(out, buf_view(&s->text));
	}
	buf_str(out, sign_words(a->sign));
	if (a->blind)
		buf_str(out, "  正文隐去 withheld");
	if (a->is != STATE_IN)
		buf_str(out, a->is == STATE_OUT ? "  已划去 struck out"
						: "  去留不一致 CONFLICT");
	buf_u8(out, '\n');
}

/* In the order in which they happened, as officers say. */
static int
by_time(const void *a, const void *b)
{
	const struct state_act *const *x = a, *const *y = b;
	int64_t u = 0, v = 0;
	int zone, by_id;

	(void)(at_parse(&u, &zone, (*x)->at) == ST_OK);
	(void)(at_parse(&v, &zone, (*y)->at) == ST_OK);
	by_id = memcmp((*x)->id.p, (*y)->id.p,
	    (*x)->id.len < (*y)->id.len ? (*x)->id.len : (*y)->id.len);
	return u != v ? (u > v) - (u < v) : by_id;
}

static void
acts(struct buf *out, struct show *s)
{
	size_t n = s->state.act_count;
	const struct state_act **sorted = calloc(n + 1, sizeof(*sorted));

	if (sorted == NULL) {
		out->err = ST_NOMEM;
		return;
	}
	for (size_t i = 0; i < n; i++)
		sorted[i] = &s->state.acts[i];
	qsort(sorted, n, sizeof(*sorted), by_time);
	for (size_t i = 0; i < n; i++)
		act(out, s, sorted[i]);
	free(sorted);
}

enum status
record_put_words(const struct kinds *ks, const char *kind, struct bytes state,
    struct buf *out)
{
	struct show s = { .kind = NULL };
	enum status st;

	state_init(&s.state);
	buf_init(&s.text, (size_t)4 * ENTRY_BYTES_MAX);
	/* Without labels it is told by its paths. */
	if (ks != NULL)
		s.kind = kinds_find(ks, bytes_str(kind));
	st = state_read(&s.state, state);
	if (st == ST_OK) {
		buf_str(out, "记录如下 the record as it stands:\n");
		fields(out, &s);
		items(out, &s);
		buf_str(out, "各项行为 acts:\n");
		acts(out, &s);
	}
	if (st == ST_OK)
		st = s.text.err != ST_OK ? s.text.err : out->err;
	buf_free(&s.text);
	state_free(&s.state);
	return st;
}
