/* view_list: records judged, listed and counted. */
#include <stdlib.h>
#include <string.h>

#include "agent/core/view_impl.h"
#include "base/enc.h"
#include "domain/past.h"
#include "entry/merge.h"

/* ---- findings */

/* Told of each finding, and of those that are gone; what it points to lives as
 * long as the call. */
typedef void (*life_fn)(struct view *v, const struct life *l, void *arg);

struct ask {
	life_fn fn; /* NULL: nobody asks */
	void *arg;
	struct buf *past; /* what ended without a word; NULL: not asked for */
};

static enum status
tell_past(struct view *v, const struct view_loaded *l, const struct kind *k,
    const struct rules_context *cx, struct buf *out)
{
	struct past_input in = { .merge = l->merge,
		.count = l->count,
		.rules = v->rules,
		.kind = k,
		.cx = cx,
		.lives = &v->lives };
	struct past_entry *entry = calloc(l->count + 1, sizeof(*entry));
	enum status st;

	if (entry == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < l->count; i++) {
		entry[i].id = l->row[i].id;
		entry[i].raw = view_row_raw(l, i);
		entry[i].flags = view_merge_flags(l, i);
	}
	in.entries = entry;
	st = past_json(&in, out);
	free(entry);
	return st;
}

static enum status
tell_lives(struct view *v, const struct view_loaded *l,
    const struct rules_context *cx, const struct ask *ask)
{
	struct life_input in = { .findings = &v->findings,
		.st = &v->state,
		.entries = cx->entries,
		.entry_count = cx->entry_count };
	enum status st;

	in.order = merge_order(l->merge, &in.order_count);
	st = lives_of(&v->lives, &in);
	for (size_t i = 0; ask->fn != NULL && st == ST_OK && i < v->lives.count;
	     i++)
		ask->fn(v, &v->lives.list[i], ask->arg);
	return st;
}

/* Findings of one record. */
static enum status
judge(struct view *v, const char *rec, const struct view_now *now,
    const struct ask *ask)
{
	struct rules_context cx = { .now_ms = (int64_t)now->now_ms,
		.has_boot = true,
		.unsure = now->unsure,
		.mono_ms = now->mono_ms };
	struct facts_record r = { .rec = rec, .offset_min = v->offset_min };
	struct view_judged judged;
	struct view_loaded l;
	enum status st = view_load(v, rec, &l);

	if (st != ST_OK)
		return st;
	memcpy(cx.boot, now->boot, BOOT_LEN);
	buf_reset(&v->bytes);
	v->findings.count = 0;
	r.kind = kinds_find(v->kinds, bytes_str(l.kind));
	st = view_judged_of(&l, &judged);
	if (st == ST_OK)
		st = merge_state(l.merge, &v->bytes);
	if (st == ST_OK)
		st = v->bytes.err;
	if (st == ST_OK && r.kind != NULL) {
		st = state_read(&v->state, buf_view(&v->bytes));
		r.st = &v->state;
		r.entries = cx.entries = judged.entry;
		r.entry_count = cx.entry_count = judged.count;
		if (st == ST_OK)
			st = view_facts(v, &r);
		cx.offset_min = v->offset_min;
		cx.facts = v->facts.list;
		cx.fact_count = v->facts.count;
		if (st == ST_OK)
			st = rules_check(
			    &v->findings, v->rules, r.kind, &v->state, &cx);
		if (st == ST_OK && ask != NULL)
			st = tell_lives(v, &l, &cx, ask);
		if (st == ST_OK && ask != NULL && ask->past != NULL)
			st = tell_past(v, &l, r.kind, &cx, ask->past);
	}
	view_judged_free(&judged);
	view_loaded_free(&l);
	return st;
}

enum status
view_judge(struct view *v, const char *rec, const struct view_now *now)
{
	return judge(v, rec, now, NULL);
}

/* The log's own records are no records of the field. */
static bool
is_system(const struct view *v, const char *kind)
{
	const struct kind *k = kinds_find(v->kinds, bytes_str(kind));

	return k != NULL && k->system;
}

enum status
view_each_record(struct view *v, const char *kind, size_t limit,
    view_record_fn fn, void *arg)
{
	struct db_stmt *s;
	enum status st;
	size_t n = 0;

	st = db_query(&s, v->db,
	    "SELECT rec, kind, wall FROM record ORDER BY wall DESC, n DESC");
	if (st != ST_OK)
		return st;
	while (n < limit && (st = db_next(s)) == ST_OK) {
		char rec[REC_LEN + 1] = "", id[64] = "";
		struct bytes b = db_bytes(s, 0), k = db_bytes(s, 1);

		if (b.len != REC_LEN || k.len >= sizeof(id))
			continue;
		memcpy(rec, b.p, REC_LEN);
		if (k.len > 0)
			memcpy(id, k.p, k.len);
		if (is_system(v, id))
			continue;
		if (kind != NULL && (strncmp(id, kind, strlen(kind)) != 0 ||
					id[strlen(kind)] != '@'))
			continue;
		n++;
		st = fn(v, rec, id, db_u64(s, 2), arg);
		if (st != ST_OK)
			break;
	}
	db_done(s);
	return st == ST_ABSENT || n == limit ? ST_OK : st;
}

struct finding_job {
	struct buf *out;
	const struct view_now *now;
	struct view_counts *counts;
	bool first, one; /* one: of one record */
	const char *rec, *kind;
};

/* The one that is due first is the one to show. */
static void
count_timer(struct view_counts *c, const struct finding *f)
{
	if (!f->running)
		return;
	if (c->timers++ == 0 || f->left_ms < c->left_ms) {
		c->due_ms = f->due_ms;
		c->left_ms = f->left_ms;
	}
}

static void
put_life(struct view *v, const struct life *l, void *arg)
{
	struct finding_job *job = arg;

	if (job->counts != NULL) {
		job->counts->findings += l->f != NULL;
		job->counts->grave +=
		    l->f != NULL && l->f->severity == RULES_GRAVE;
		if (l->f != NULL)
			count_timer(job->counts, l->f);
		return;
	}
	/* Gone: shown with its record, not in the list of all. */
	if (l->f == NULL && !job->one)
		return;
	if (!job->first)
		buf_u8(job->out, ',');
	job->first = false;
	buf_str(job->out, "{\"finding\":");
	finding_json_life(l, &v->state, v->offset_min, job->out);
	buf_str(job->out, ",\"kind\":");
	json_put_str(job->out, job->kind);
	if (l->f != NULL && l->f->running)
		buf_printf(
		    job->out, ",\"left_ms\":%lld", (long long)l->f->left_ms);
	buf_str(job->out, ",\"rec\":");
	json_put_str(job->out, job->rec);
	buf_u8(job->out, '}');
}

static enum status
put_findings(
    struct view *v, const char *rec, const char *kind, uint64_t wall, void *arg)
{
	struct finding_job *job = arg;
	struct ask ask = { .fn = put_life, .arg = job };
	enum status st;

	(void)wall;
	job->rec = rec;
	job->kind = kind;
	st = judge(v, rec, job->now, &ask);
	if (st != ST_OK)
		return st;
	if (job->counts != NULL)
		job->counts->records++;
	return job->out == NULL ? ST_OK : job->out->err;
}

enum status
view_findings(struct view *v, const char *rec, const struct view_now *now,
    struct buf *out)
{
	struct finding_job job = {
		.out = out, .now = now, .first = true, .one = rec != NULL
	};
	enum status st;

	buf_u8(out, '[');
	if (rec != NULL)
		st = put_findings(v, rec, "", 0, &job);
	else
		st = view_each_record(v, NULL, SIZE_MAX, put_findings, &job);
	buf_u8(out, ']');
	return st == ST_OK ? out->err : st;
}

enum status
view_ended(struct view *v, const char *rec, const struct view_now *now,
    struct buf *out)
{
	struct ask ask = { .past = out };
	size_t before = out->len;
	enum status st = judge(v, rec, now, &ask);

	/* Of a kind that is not known nothing is found. */
	if (st == ST_OK && out->len == before)
		buf_str(out, "[]");
	return st == ST_OK ? out->err : st;
}

/*
 * Whoever wrote in a colleague's record and left the team keeps the own
 * entries alone: without the `open`, but each says of what kind it is.
 */
static const char *
stated_kind(const struct state *st, char *out, size_t cap)
{
	struct bytes id = bytes_str("");

	if (st->tape.node[st->kinds].count > 0)
		id = json_raw(&st->tape, st->kinds + 1);
	if (id.len >= cap)
		id.len = 0;
	if (id.len > 0)
		memcpy(out, id.p, id.len);
	out[id.len] = '\0';
	return out;
}

static enum status
put_record(
    struct view *v, const char *rec, const char *kind, uint64_t wall, void *arg)
{
	const struct kind *k;
	struct buf *out = arg;
	struct buf label;
	char at[32], stated[64];
	enum status st;

	buf_reset(&v->bytes);
	st = view_state(v, rec, &v->bytes);
	if (st == ST_OK)
		st = state_read(&v->state, buf_view(&v->bytes));
	if (st != ST_OK)
		return st;
	if (kind[0] == '\0')
		kind = stated_kind(&v->state, stated, sizeof(stated));
	k = kinds_find(v->kinds, bytes_str(kind));
	at_format(at, wall, v->offset_min);
	buf_printf(out, "{\"at\":\"%s\",\"kind\":", at);
	json_put_str(out, kind);
	for (int zh = 1; zh >= 0 && k != NULL; zh--) {
		buf_init(&label, DOC_BYTES_MAX);
		kind_label(k, &v->state, zh == 1, &label);
		buf_str(out, zh == 1 ? ",\"label\":" : ",\"label_en\":");
		json_put_string(out, buf_view(&label));
		buf_free(&label);
	}
	buf_printf(out, ",\"rec\":\"%s\",\"status\":", rec);
	json_put_string(out, state_status(&v->state));
	buf_str(out, v->state.is_void ? ",\"void\":true}" : ",\"void\":false}");
	buf_u8(out, '\n');
	return out->err;
}

enum status
view_list(struct view *v, const char *kind, size_t limit, struct buf *out)
{
	return view_each_record(v, kind, limit, put_record, out);
}

enum status
view_counts(struct view *v, const struct view_now *now, struct view_counts *out)
{
	struct view_counts c = { 0 };
	struct finding_job job = { .now = now, .counts = &c };
	int64_t n = 0;
	enum status st;

	st = db_scalar(&n, v->db, "SELECT count(*) FROM entry");
	c.entries = (uint64_t)n;
	if (st == ST_OK)
		st = view_each_record(v, NULL, SIZE_MAX, put_findings, &job);
	if (st == ST_OK)
		*out = c;
	return st;
}

static enum status
put_export(
    struct view *v, const char *rec, const char *kind, uint64_t wall, void *arg)
{
	struct buf *out = arg;
	enum status st;

	(void)kind;
	(void)wall;
	buf_printf(out, "{\"entries\":");
	st = view_history(v, rec, out);
	buf_printf(out, ",\"rec\":\"%s\"}\n", rec);
	return st == ST_OK ? out->err : st;
}

enum status
view_export(struct view *v, const char *rec, struct buf *out)
{
	if (rec != NULL)
		return put_export(v, rec, "", 0, out);
	return view_each_record(v, NULL, SIZE_MAX, put_export, out);
}
