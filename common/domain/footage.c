#include "domain/footage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/rules_priv.h"
#include "domain/when.h"
#include "entry/entry.h"

enum {
	SPANS_SHOWN = 4, /* gaps that are written out */
	WORDS_BYTES = 256,
	DAY_S = 86400
};

/* ---- a rule's `film` */

static enum status
read_fields(
    struct doc *d, uint32_t n, const struct kind *k, struct rule_film *out)
{
	const struct json *j = &d->j;
	const char **to[2] = { &out->from, &out->until };
	uint32_t i = n + 1;
	enum status st = ST_OK;

	if (k == NULL)
		return doc_refuse(
		    d, n, "规则不适用此类记录", "no kind of this rule");
	if (j->node[n].type != JSON_ARRAY || j->node[n].count != 2)
		return doc_refuse(d, n, "应为起、止两个字段",
		    "must be two fields, from and until");
	for (size_t f = 0; f < 2 && st == ST_OK; f++, i = j->node[i].next) {
		const struct kind_field *field;

		st = doc_string(d, i, PATH_BYTES_MAX, to[f]);
		if (st != ST_OK)
			return st;
		field = kind_field(k, bytes_str(*to[f]));
		if (field == NULL || field->type != KIND_DATETIME)
			st = doc_refuse_text(d, i, "没有此时间字段",
			    "no such field of date and time",
			    bytes_str(*to[f]));
	}
	return st;
}

enum status
rule_read_film(
    struct doc *d, uint32_t n, const struct kind *const *kinds, struct rule *r)
{
	bool wanted = r->over == OVER_UNFILMED || r->over == OVER_FILM_GAP;
	uint32_t v = 0;
	enum status st = doc_member(d, n, "film", JSON_OBJECT, &v);

	if (st != ST_OK || (v == 0 && !wanted))
		return st;
	if (v == 0 || !wanted || d->j.node[v].count != r->kind_count)
		return doc_refuse(d, v == 0 ? n : v,
		    "film 须逐类写明起止，且只用于录像规则",
		    "film must say from and until of each kind, and belongs to "
		    "rules over film alone");
	r->films = pool_get(d->pool, r->kind_count, sizeof(*r->films));
	if (r->films == NULL)
		return ST_NOMEM;
	for (uint32_t i = v + 1; i < d->j.node[v].next && st == ST_OK;
	     i = d->j.node[i + 1].next) {
		const struct kind *k = NULL;

		for (size_t x = 0; x < r->kind_count; x++) {
			if (json_is(&d->j, i, kinds[x]->name))
				k = kinds[x];
		}
		st = read_fields(d, i + 1, k, &r->films[r->film_count]);
		if (st == ST_OK)
			r->films[r->film_count++].kind = k->name;
	}
	return st;
}

static const struct rule_film *
film_of(const struct rule *r, const struct kind *k)
{
	for (size_t i = 0; i < r->film_count; i++) {
		if (strcmp(r->films[i].kind, k->name) == 0)
			return &r->films[i];
	}
	return NULL;
}

/* ---- when it took place */

/* The kept values of a field, as moments: the earliest and the latest.  False:
 * none, or one that cannot be read or is only a day. */
static bool
moments(const struct state *st, const char *path, int offset_min, int64_t *min,
    int64_t *max)
{
	const struct state_field *f = state_field(st, bytes_str(path));
	struct state_value v;
	struct when w;

	if (f == NULL)
		return false;
	*min = INT64_MAX;
	*max = INT64_MIN;
	for (size_t i = 0; state_value(st, f, i, &v); i++) {
		if (v.null || v.withheld ||
		    !when_read(&w, v.text, offset_min) || w.is_day)
			return false;
		*min = w.ms < *min ? w.ms : *min;
		*max = w.ms > *max ? w.ms : *max;
	}
	return *min <= *max;
}

static bool
window_of(struct footage_window *out, const char *from, const char *until,
    const struct state *st, int offset_min)
{
	int64_t min, max, end_min, end_max;

	if (from[0] == '\0' || !moments(st, from, offset_min, &min, &max))
		return false;
	*out = (struct footage_window){
		.from_ms = min, .until_ms = min, .torn = min != max
	};
	if (until[0] == '\0' ||
	    !moments(st, until, offset_min, &end_min, &end_max) ||
	    end_max < min)
		return true;
	out->until_ms = end_max;
	out->ended = true;
	out->torn = out->torn || end_min != end_max;
	return true;
}

bool
footage_window(struct footage_window *out, const struct rules *rs,
    const struct kind *k, const struct state *st, int offset_min)
{
	for (size_t i = 0; i < rs->count; i++) {
		const struct rule_film *f = film_of(rs->list[i], k);

		if (f != NULL)
			return window_of(
			    out, f->from, f->until, st, offset_min);
	}
	return window_of(out, k->happened, k->ended, st, offset_min);
}

/* ---- what was filmed */

struct shot {
	int64_t from_ms, until_ms;
};
struct footage {
	struct shot *shot; /* owned; by their beginning */
	size_t count;
	bool unknown;   /* some film that may be of it does not say when it was
			   made, or how long it is */
	bool withheld;  /* an attachment that cannot be read */
	bool unchecked; /* of some, no clock code told the clock */
};

static bool
is_video(const struct json *j, uint32_t more)
{
	static const char video[] = "video/";
	uint32_t n = json_get_typed(j, more, "type", JSON_STRING);
	struct bytes type = n != 0 ? json_raw(j, n) : bytes_of(NULL, 0);

	return type.len > sizeof(video) - 1 &&
	       memcmp(type.p, video, sizeof(video) - 1) == 0;
}

/* A film of no known length shows the moment that it was made, and may show
 * more: what is found is then in doubt. */
static void
take_shot(struct footage *f, const struct state *st, const struct state_act *a,
    const struct footage_window *w)
{
	const struct json *j = &st->tape;
	uint32_t taken = json_get_typed(j, a->more, "taken", JSON_STRING);
	int64_t len = json_int(j, a->more, "ms", -1), from;
	int offset;

	if (taken == 0 ||
	    at_parse(&from, &offset, json_raw(j, taken)) != ST_OK) {
		f->unknown = true;
		return;
	}
	if (from >= w->until_ms)
		return;
	if (len < 0) {
		f->unknown = true;
		if (from < w->from_ms)
			return;
		len = 0;
	} else if (from + len <= w->from_ms) {
		return;
	}
	f->unchecked =
	    f->unchecked || json_get(j, a->more, "clock_off_ms") == 0;
	f->shot[f->count++] = (struct shot){ from, from + len };
}

static int
by_beginning(const void *a, const void *b)
{
	const struct shot *x = a, *y = b;

	return x->from_ms < y->from_ms ? -1 : x->from_ms > y->from_ms;
}

/* Those that show something of the window. */
static enum status
footage_of(
    struct footage *f, const struct state *st, const struct footage_window *w)
{
	*f = (struct footage){ .count = 0 };
	f->shot = calloc(st->act_count + 1, sizeof(*f->shot));
	if (f->shot == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < st->act_count; i++) {
		const struct state_act *a = &st->acts[i];

		if (!bytes_eq_str(a->verb, "attach") || a->is == STATE_OUT)
			continue;
		if (a->blind)
			f->withheld = true;
		else if (a->more != 0 && is_video(&st->tape, a->more) &&
			 json_get(&st->tape, a->more, "of") == 0)
			take_shot(f, st, a, w);
	}
	if (f->count > 1)
		qsort(f->shot, f->count, sizeof(*f->shot), by_beginning);
	return ST_OK;
}

/* ---- words */

static void
put_time(struct buf *out, int64_t ms, int offset_min)
{
	int64_t s = ms / 1000 + offset_min * 60;

	s = (s % DAY_S + DAY_S) % DAY_S;
	buf_printf(out, "%02d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60),
	    (int)(s % 60));
}

struct gaps {
	size_t count;
	struct buf zh, en;
};

static void
put_gap(struct gaps *g, int64_t from, int64_t until, int offset_min)
{
	char len[48];

	g->count++;
	for (int zh = 1; zh >= 0 && g->count <= SPANS_SHOWN + 1; zh--) {
		struct buf *out = zh == 1 ? &g->zh : &g->en;

		if (g->count > SPANS_SHOWN) {
			buf_str(out, " …");
			continue;
		}
		if (g->count > 1)
			buf_str(out, zh == 1 ? "，" : ", ");
		put_time(out, from, offset_min);
		buf_str(out, "–");
		put_time(out, until, offset_min);
		ms_show(len, until - from, zh == 1);
		buf_printf(out, zh == 1 ? "（%s）" : " (%s)", len);
	}
}

static void
find_gaps(struct gaps *g, const struct footage *f,
    const struct footage_window *w, int64_t limit_ms, int offset_min)
{
	int64_t at = w->from_ms;

	for (size_t i = 0; i < f->count; i++) {
		if (f->shot[i].from_ms - at > limit_ms)
			put_gap(g, at, f->shot[i].from_ms, offset_min);
		if (f->shot[i].until_ms > at)
			at = f->shot[i].until_ms;
	}
	if (w->until_ms - at > limit_ms)
		put_gap(g, at, w->until_ms, offset_min);
	if (f->unchecked && g->count > 0) {
		buf_str(&g->zh, "；录像时钟未经核对");
		buf_str(&g->en, "; a recorder's clock was not checked");
	}
	if (f->unknown && g->count > 0) {
		buf_str(&g->zh, "；有录像的时间或长度不明");
		buf_str(&g->en,
		    "; of a film it is not known when it was made, or how long "
		    "it is");
	}
}

/* ---- the sets */

static struct span
span_param(const struct rule *r, const char *name)
{
	for (size_t i = 0; i < r->param_count; i++) {
		if (strcmp(r->params[i].name, name) == 0 &&
		    r->params[i].type == PARAM_SPAN)
			return r->params[i].value.span;
	}
	return (struct span){ 0, SPAN_SECOND };
}

static enum status
add_gaps(struct check *c, const struct rule *r, const struct footage *f,
    const struct footage_window *w)
{
	struct span limit = span_param(r, "limit");
	struct found found = { .doubt = w->torn || f->unknown };
	struct gaps g = { .count = 0 };
	enum status st = ST_OK;

	buf_init(&g.zh, WORDS_BYTES * 2);
	buf_init(&g.en, WORDS_BYTES * 2);
	find_gaps(&g, f, w,
	    limit.n * (limit.unit == SPAN_SECOND ? 1000 : DAY_S * 1000),
	    c->cx->offset_min);
	if (g.count > 0) {
		found.count = g.count;
		found.what_zh = buf_cstr(&g.zh);
		found.what_en = buf_cstr(&g.en);
		st = found.what_zh == NULL || found.what_en == NULL
			 ? ST_NOMEM
			 : check_add(c, r, &found);
	}
	buf_free(&g.zh);
	buf_free(&g.en);
	return st;
}

enum status
check_footage(struct check *c, const struct rule *r)
{
	const struct rule_film *film = film_of(r, c->kind);
	struct footage_window w;
	struct footage f;
	struct when due;
	enum status st;

	if (film == NULL ||
	    !window_of(&w, film->from, film->until, c->st, c->cx->offset_min) ||
	    !w.ended)
		return ST_OK;
	/* Cards are read in the evening, at a desk: until then nobody knows. */
	due = when_of_ms(w.until_ms, c->cx->offset_min);
	due = when_add(&due, span_param(r, "wait"), 1, c->cx->offset_min);
	if (c->view.now_ms <= when_last_ms(&due)) {
		if (when_last_ms(&due) + 1 < c->view.next_ms)
			c->view.next_ms = when_last_ms(&due) + 1;
		return ST_OK;
	}
	st = footage_of(&f, c->st, &w);
	/* What is withheld may be the film, and nobody here can mend that. */
	if (st == ST_OK && !f.withheld) {
		struct found none = { .doubt = w.torn || f.unknown,
			.what_zh = "",
			.what_en = "" };

		if (r->over == OVER_FILM_GAP && f.count > 0)
			st = add_gaps(c, r, &f, &w);
		else if (r->over == OVER_UNFILMED && f.count == 0)
			st = check_add(c, r, &none);
	}
	free(f.shot);
	return st;
}
