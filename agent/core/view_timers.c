/* view_timers: what must be done by when, over all records. */
#include <stdlib.h>
#include <string.h>

#include "agent/core/view_impl.h"

/* Text of one timer, and what it is sorted by. */
struct timer {
	int64_t left_ms;
	size_t off, len;
};

struct timers {
	const struct view_now *now;
	struct timer *list; /* owned */
	size_t count, cap;
	struct buf text;
};

static enum status
put_timer(struct view *v, struct timers *t, const char *rec, const char *kind,
    const struct finding *f)
{
	const struct kind *k = kinds_find(v->kinds, bytes_str(kind));
	size_t off = t->text.len;
	struct buf label;

	if (t->count == t->cap) {
		size_t cap = t->cap == 0 ? 32 : t->cap * 2;
		struct timer *bigger = realloc(t->list, cap * sizeof(*bigger));

		if (bigger == NULL)
			return ST_NOMEM;
		t->list = bigger;
		t->cap = cap;
	}
	buf_str(&t->text, "{\"finding\":");
	finding_json(f, v->offset_min, &t->text);
	buf_str(&t->text, ",\"kind\":");
	json_put_str(&t->text, kind);
	for (int zh = 1; zh >= 0 && k != NULL; zh--) {
		buf_init(&label, DOC_BYTES_MAX);
		kind_label(k, &v->state, zh == 1, &label);
		buf_str(&t->text, zh == 1 ? ",\"label\":" : ",\"label_en\":");
		json_put_string(&t->text, buf_view(&label));
		buf_wipe(&label);
	}
	buf_printf(&t->text, ",\"left_ms\":%lld,\"rec\":\"%s\"}",
	    (long long)f->left_ms, rec);
	t->list[t->count++] = (struct timer){
		.left_ms = f->left_ms, .off = off, .len = t->text.len - off
	};
	return t->text.err;
}

static enum status
take_record(
    struct view *v, const char *rec, const char *kind, uint64_t wall, void *arg)
{
	struct timers *t = arg;
	enum status st = view_judge(v, rec, t->now);

	(void)wall;
	for (size_t i = 0; st == ST_OK && i < v->findings.count; i++) {
		if (v->findings.list[i].running)
			st = put_timer(v, t, rec, kind, &v->findings.list[i]);
	}
	return st;
}

static int
by_left(const void *a, const void *b)
{
	const struct timer *x = a, *y = b;

	if (x->left_ms != y->left_ms)
		return x->left_ms < y->left_ms ? -1 : 1;
	return x->off < y->off ? -1 : x->off > y->off;
}

enum status
view_timers(struct view *v, const struct view_now *now, struct buf *out)
{
	struct timers t = { .now = now };
	enum status st;

	buf_init(&t.text, (size_t)256 << 20);
	st = view_each_record(v, NULL, SIZE_MAX, take_record, &t);
	if (st == ST_OK && t.count > 1)
		qsort(t.list, t.count, sizeof(*t.list), by_left);
	buf_u8(out, '[');
	for (size_t i = 0; st == ST_OK && i < t.count; i++) {
		if (i > 0)
			buf_u8(out, ',');
		buf_bytes(
		    out, bytes_of(t.text.p + t.list[i].off, t.list[i].len));
	}
	buf_u8(out, ']');
	buf_wipe(&t.text);
	free(t.list);
	return st == ST_OK ? out->err : st;
}
