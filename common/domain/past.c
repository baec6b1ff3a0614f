#include "domain/past.h"

#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/entry.h"
#include "entry/json.h"

enum { STATE_BYTES_MAX = 64 << 20, TEXT_MAX = 4 << 20 };

/* One that stood while the record rested; texts in struct run's `text`. */
struct stood {
	size_t key, rule, zh, en; /* offsets, NUL behind each */
	enum rules_severity severity;
	size_t at, ended; /* places in the order; NOWHERE: not yet */
};

#define NOWHERE SIZE_MAX

/* An entry in the order of merge. */
struct step {
	const struct past_entry *e;
	const struct rules_entry *judged; /* NULL: rules know nothing of it */
};

struct run {
	const struct past_input *in;
	struct step *step;
	size_t count;
	struct rules_entry *judged; /* of the steps so far */
	size_t judged_count;
	struct merge *merge;
	struct buf bytes, text;
	struct state st;
	struct findings found;
	struct stood *list;
	size_t stood, cap;
	size_t open; /* of the list: not ended yet */
	size_t work;
	size_t unread; /* the first place that was not looked at, or NOWHERE */
};

static const char *
text(const struct run *r, size_t off)
{
	return (const char *)r->text.p + off;
}

/* ---- entries in order */

static int
by_id(const void *a, const void *b)
{
	return memcmp(((const struct past_entry *)a)->id,
	    ((const struct past_entry *)b)->id, ID_LEN);
}

static int
by_judged_id(const void *a, const void *b)
{
	return memcmp(((const struct rules_entry *)a)->id,
	    ((const struct rules_entry *)b)->id, ID_LEN);
}

static void *
sorted(const void *list, size_t count, size_t size,
    int (*cmp)(const void *, const void *))
{
	void *copy = malloc(count > 0 ? count * size : 1);

	if (copy != NULL && count > 0) {
		memcpy(copy, list, count * size);
		qsort(copy, count, size, cmp);
	}
	return copy;
}

static enum status
order(struct run *r, const struct past_entry *entry,
    const struct rules_entry *judged)
{
	size_t n;
	const uint8_t(*ids)[ID_LEN] = merge_order(r->in->merge, &n);

	r->step = calloc(n + 1, sizeof(*r->step));
	r->judged = calloc(r->in->cx->entry_count + 1, sizeof(*r->judged));
	if (r->step == NULL || r->judged == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < n; i++) {
		struct past_entry e = { .id = ids[i] };
		struct rules_entry j = { .verb = NULL };
		struct step *s = &r->step[r->count];

		memcpy(j.id, ids[i], ID_LEN);
		s->e = bsearch(&e, entry, r->in->count, sizeof(e), by_id);
		s->judged = bsearch(&j, judged, r->in->cx->entry_count,
		    sizeof(j), by_judged_id);
		r->count += s->e != NULL;
	}
	return ST_OK;
}

/* ---- what stood, and what ended */

static bool
spoken_of(const struct run *r, const char *key)
{
	const struct lives *l = r->in->lives;

	for (size_t i = 0; i < l->count; i++) {
		if (bytes_eq_str(l->list[i].key, key))
			return true;
	}
	return false;
}

static struct stood *
find(struct run *r, const char *key)
{
	for (size_t i = 0; i < r->stood; i++) {
		if (strcmp(text(r, r->list[i].key), key) == 0)
			return &r->list[i];
	}
	return NULL;
}

static size_t
keep(struct run *r, const char *s)
{
	size_t off = r->text.len;

	buf_add(&r->text, s, strlen(s) + 1);
	return off;
}

static enum status
add(struct run *r, const struct finding *f, size_t i)
{
	struct stood *s = find(r, f->key);

	if (s == NULL && r->stood == r->cap) {
		size_t cap = r->cap == 0 ? 16 : 2 * r->cap;
		struct stood *more = realloc(r->list, cap * sizeof(*more));

		if (more == NULL)
			return ST_NOMEM;
		r->list = more;
		r->cap = cap;
	}
	if (s == NULL) {
		s = &r->list[r->stood++];
		s->key = keep(r, f->key);
		s->rule = keep(r, f->rule);
		s->ended = 0; /* opened below */
	}
	r->open += s->ended != NOWHERE;
	s->zh = keep(r, f->zh);
	s->en = keep(r, f->en);
	s->severity = f->severity;
	s->at = i;
	s->ended = NOWHERE;
	return r->text.err;
}

static bool
is_found(const struct run *r, const char *key)
{
	for (size_t i = 0; i < r->found.count; i++) {
		if (strcmp(r->found.list[i].key, key) == 0)
			return true;
	}
	return false;
}

/* ---- step by step */

static enum status
judge(struct run *r)
{
	struct rules_context cx = *r->in->cx;
	enum status st = merge_run(r->merge);

	cx.entries = r->judged;
	cx.entry_count = r->judged_count;
	buf_reset(&r->bytes);
	if (st == ST_OK)
		st = merge_state(r->merge, &r->bytes);
	if (st == ST_OK)
		st = state_read(&r->st, buf_view(&r->bytes));
	if (st == ST_OK)
		st = rules_check(
		    &r->found, r->in->rules, r->in->kind, &r->st, &cx);
	return st;
}

/* Did the record rest behind this entry? */
static bool
rests(const struct run *r, size_t i)
{
	const struct rules_entry *now = r->step[i].judged, *next;

	if (now == NULL)
		return false;
	if (now->verb != NULL && strcmp(now->verb, "advance") == 0)
		return true;
	for (size_t n = i + 1; n < r->count; n++) {
		next = r->step[n].judged;
		if (next != NULL)
			return next->wall_ms >= now->wall_ms + PAST_REST_MS;
	}
	return false;
}

static enum status
look(struct run *r, size_t i)
{
	bool rest = rests(r, i);
	enum status st;

	if ((!rest && r->open == 0) || r->unread != NOWHERE)
		return ST_OK;
	r->work += i + 1;
	if (r->work > (r->in->work_max > 0 ? r->in->work_max : PAST_WORK_MAX)) {
		r->unread = i;
		return ST_OK;
	}
	st = judge(r);
	for (size_t n = 0; n < r->stood && st == ST_OK; n++) {
		struct stood *s = &r->list[n];

		if (s->ended == NOWHERE && !is_found(r, text(r, s->key))) {
			s->ended = i;
			r->open--;
		}
	}
	for (size_t n = 0; rest && n < r->found.count && st == ST_OK; n++) {
		const struct finding *f = &r->found.list[n];

		/* A term that runs ends in time: nothing was amiss. */
		if (f->severity != RULES_DUE && !spoken_of(r, f->key))
			st = add(r, f, i);
	}
	return st;
}

static enum status
walk(struct run *r)
{
	enum status st = merge_new(&r->merge);

	for (size_t i = 0; i < r->count && st == ST_OK; i++) {
		const struct step *s = &r->step[i];

		st = merge_add(r->merge, s->e->id, s->e->raw, s->e->flags);
		if (st == ST_OK && s->judged != NULL)
			r->judged[r->judged_count++] = *s->judged;
		/* As it is today is known. */
		if (st == ST_OK && i + 1 < r->count)
			st = look(r, i);
	}
	for (size_t n = 0; n < r->stood && st == ST_OK; n++) {
		/* Not seen to end before the last entry: by that one. */
		if (r->list[n].ended == NOWHERE && r->unread == NOWHERE)
			r->list[n].ended = r->count - 1;
	}
	return st;
}

/* ---- telling */

static void
put_at(struct run *r, size_t i, struct buf *out)
{
	const struct rules_entry *e = r->step[i].judged;
	char at[32];

	at_format(at, e != NULL ? e->wall_ms : 0, r->in->cx->offset_min);
	json_put_str(out, at);
}

static void
put_ended(struct run *r, const struct stood *s, struct buf *out)
{
	const struct step *by;

	if (s->ended == NOWHERE) {
		buf_str(out, "{\"ended\":null");
		return;
	}
	by = &r->step[s->ended];
	buf_str(out, "{\"ended\":{\"at\":");
	put_at(r, s->ended, out);
	buf_str(out, ",\"by\":");
	json_put_string(
	    out, by->judged != NULL ? by->judged->by : bytes_str(""));
	buf_str(out, ",\"id\":");
	json_put_hex(out, bytes_of(by->e->id, ID_LEN));
	buf_u8(out, '}');
}

static void
put_all(struct run *r, struct buf *out)
{
	buf_u8(out, '[');
	for (size_t i = 0; i < r->stood; i++) {
		const struct stood *s = &r->list[i];

		if (i > 0)
			buf_u8(out, ',');
		put_ended(r, s, out);
		buf_str(out, ",\"finding\":{\"en\":");
		json_put_str(out, text(r, s->en));
		buf_str(out, ",\"key\":");
		json_put_str(out, text(r, s->key));
		buf_str(out, ",\"rule\":");
		json_put_str(out, text(r, s->rule));
		buf_printf(out, ",\"severity\":\"%s\",\"zh\":",
		    rules_severity_name(s->severity));
		json_put_str(out, text(r, s->zh));
		buf_str(out, "},\"stood\":");
		put_at(r, s->at, out);
		buf_u8(out, '}');
	}
	if (r->unread != NOWHERE) {
		buf_str(out, r->stood > 0 ? ",{\"unread\":" : "{\"unread\":");
		put_at(r, r->unread, out);
		buf_u8(out, '}');
	}
	buf_u8(out, ']');
}

static int
by_end(const void *a, const void *b)
{
	const struct stood *x = a, *y = b;

	if (x->ended != y->ended)
		return x->ended < y->ended ? -1 : 1;
	return x->key < y->key ? -1 : x->key > y->key;
}

enum status
past_json(const struct past_input *in, struct buf *out)
{
	struct run r = { .in = in, .unread = NOWHERE };
	struct past_entry *entry =
	    sorted(in->entries, in->count, sizeof(*in->entries), by_id);
	struct rules_entry *judged = sorted(in->cx->entries,
	    in->cx->entry_count, sizeof(*in->cx->entries), by_judged_id);
	enum status st = ST_NOMEM;

	buf_init(&r.bytes, STATE_BYTES_MAX);
	buf_init(&r.text, TEXT_MAX);
	state_init(&r.st);
	findings_init(&r.found);
	if (entry != NULL && judged != NULL)
		st = order(&r, entry, judged);
	if (st == ST_OK)
		st = walk(&r);
	if (st == ST_OK) {
		if (r.stood > 1)
			qsort(r.list, r.stood, sizeof(*r.list), by_end);
		put_all(&r, out);
		st = out->err;
	}
	findings_free(&r.found);
	state_free(&r.st);
	buf_free(&r.text);
	buf_free(&r.bytes);
	merge_free(r.merge);
	free(r.list);
	free(r.judged);
	free(r.step);
	free(judged);
	free(entry);
	return st;
}
