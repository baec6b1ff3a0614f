/* view_record: one record's entries folded, judged and shown. */
#include <stdlib.h>
#include <string.h>

#include "agent/core/view_impl.h"
#include "base/enc.h"
#include "entry/merge.h"

/* A record opened for reading: its entries, folded. */
struct loaded {
	struct merge *merge;
	struct buf bytes; /* all entries, one behind the other */
	char kind[64];    /* of its `open`; "" if that has not come */
	struct row {
		uint8_t id[ID_LEN];
		size_t off, len;
		unsigned flags;
		uint64_t place;
	} * row;
	size_t count, cap;
};

enum { RECORD_BYTES_MAX = 256 << 20 };

static void
loaded_free(struct loaded *l)
{
	merge_free(l->merge);
	buf_wipe(&l->bytes);
	free(l->row);
}

static enum status
take_row(struct loaded *l, const struct db_stmt *s)
{
	struct row *r;
	enum status st;

	if (l->count == l->cap) {
		size_t cap = l->cap == 0 ? 16 : l->cap * 2;
		struct row *bigger = realloc(l->row, cap * sizeof(*bigger));

		if (bigger == NULL)
			return ST_NOMEM;
		l->row = bigger;
		l->cap = cap;
	}
	r = &l->row[l->count];
	st = db_copy(s, 0, r->id, ID_LEN);
	if (st != ST_OK)
		return st;
	r->flags = (unsigned)db_i64(s, 1);
	r->place = db_is_null(s, 2) ? VIEW_NO_PLACE : db_u64(s, 2);
	r->off = l->bytes.len;
	buf_bytes(&l->bytes, db_bytes(s, 3));
	r->len = l->bytes.len - r->off;
	l->count++;
	return l->bytes.err;
}

static enum status
read_rows(struct view *v, int64_t record, struct loaded *l)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, v->db,
	    "SELECT id, flags, place, bytes FROM entry WHERE record = ?1");
	if (st != ST_OK)
		return st;
	db_bind_i64(s, 1, record);
	while ((st = db_next(s)) == ST_OK) {
		st = take_row(l, s);
		if (st != ST_OK)
			break;
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}

static struct bytes
row_raw(const struct loaded *l, size_t i)
{
	return bytes_of(l->bytes.p + l->row[i].off, l->row[i].len);
}

static enum status
fold(struct loaded *l)
{
	enum status st = merge_new(&l->merge);

	for (size_t i = 0; st == ST_OK && i < l->count; i++) {
		unsigned flags = 0;

		if (l->row[i].flags & VIEW_SERVER)
			flags |= MERGE_SERVER;
		if (l->row[i].flags & VIEW_BARE)
			flags |= MERGE_BARE;
		st = merge_add(l->merge, l->row[i].id, row_raw(l, i), flags);
	}
	return st == ST_OK ? merge_run(l->merge) : st;
}

/* Load and fold; on ST_OK the caller frees. */
static enum status
load(struct view *v, const char *rec, struct loaded *l)
{
	struct db_stmt *s;
	int64_t record = 0;
	enum status st;

	memset(l, 0, sizeof(*l));
	buf_init(&l->bytes, RECORD_BYTES_MAX);
	st = db_query(&s, v->db, "SELECT n, kind FROM record WHERE rec = ?1");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(rec));
	st = db_next(s);
	if (st == ST_OK) {
		struct bytes kind = db_bytes(s, 1);

		record = db_i64(s, 0);
		if (kind.len < sizeof(l->kind) && kind.len > 0)
			memcpy(l->kind, kind.p, kind.len);
	}
	db_done(s);
	if (st == ST_OK)
		st = read_rows(v, record, l);
	if (st == ST_OK)
		st = fold(l);
	if (st != ST_OK)
		loaded_free(l);
	return st;
}

enum status
view_state(struct view *v, const char *rec, struct buf *out)
{
	struct loaded l;
	enum status st = load(v, rec, &l);

	if (st != ST_OK)
		return st;
	st = merge_state(l.merge, out);
	loaded_free(&l);
	return st;
}

enum status
view_heads(struct view *v, const char *rec,
    uint8_t after[AFTER_COUNT_MAX][ID_LEN], size_t *count, char kind[64])
{
	const uint8_t(*heads)[ID_LEN];
	struct loaded l;
	size_t n = 0;
	enum status st = load(v, rec, &l);

	if (st != ST_OK)
		return st;
	heads = merge_heads(l.merge, &n);
	if (n > AFTER_COUNT_MAX) {
		st = ST_LIMIT;
	} else {
		if (n > 0)
			memcpy(after, heads, n * ID_LEN);
		*count = n;
		memcpy(kind, l.kind, sizeof(l.kind));
	}
	loaded_free(&l);
	return st;
}

enum status
view_shown(struct view *v, const char *rec, struct bytes kind,
    const struct bytes *parts, size_t part_count, uint8_t out[HASH_LEN])
{
	struct loaded l;
	enum status st = load(v, rec, &l);

	if (st != ST_OK)
		return st;
	st = merge_shown(l.merge, kind, parts, part_count, out);
	loaded_free(&l);
	return st;
}

/* ---- history */

static size_t
row_of(const struct loaded *l, const uint8_t id[ID_LEN])
{
	for (size_t i = 0; i < l->count; i++) {
		if (memcmp(l->row[i].id, id, ID_LEN) == 0)
			return i;
	}
	return l->count;
}

static void
put_entry(const struct loaded *l, size_t i, struct buf *out)
{
	struct bytes raw = row_raw(l, i);
	const uint8_t *lf = memchr(raw.p, '\n', raw.len);
	size_t head = lf == NULL ? raw.len : (size_t)(lf - raw.p);

	buf_str(out, "{\"bare\":");
	buf_str(out, (l->row[i].flags & VIEW_BARE) != 0 ? "true" : "false");
	buf_str(out, ",\"body\":");
	if (lf == NULL)
		buf_str(out, "null");
	else
		buf_add(out, lf + 1, raw.len - head - 1);
	buf_str(out, ",\"head\":");
	buf_add(out, raw.p, head);
	buf_str(out, ",\"id\":");
	json_put_hex(out, bytes_of(l->row[i].id, ID_LEN));
	buf_str(out, ",\"own\":");
	buf_str(out, (l->row[i].flags & VIEW_OWN) != 0 ? "true" : "false");
	buf_str(out, ",\"place\":");
	if (l->row[i].place == VIEW_NO_PLACE)
		buf_str(out, "null");
	else
		json_put_int(out, (int64_t)l->row[i].place);
	buf_u8(out, '}');
}

enum status
view_history(struct view *v, const char *rec, struct buf *out)
{
	const uint8_t(*order)[ID_LEN];
	struct loaded l;
	size_t n = 0;
	enum status st = load(v, rec, &l);

	if (st != ST_OK)
		return st;
	order = merge_order(l.merge, &n);
	buf_u8(out, '[');
	for (size_t i = 0; i < n; i++) {
		size_t at = row_of(&l, order[i]);

		/* A malformed line is no JSON that we could print. */
		if (at == l.count ||
		    entry_parse(&v->entry, row_raw(&l, at)) != ST_OK)
			continue;
		if (out->p[out->len - 1] != '[')
			buf_u8(out, ',');
		put_entry(&l, at, out);
	}
	buf_u8(out, ']');
	loaded_free(&l);
	return out->err;
}

/* ---- findings */

/* What rules want to know of each entry.  `parsed` keeps them alive. */
struct facts {
	struct rules_entry *entry;
	struct entry *parsed;
	size_t count, made;
};

static void
facts_free(struct facts *f)
{
	for (size_t i = 0; i < f->made; i++)
		entry_free(&f->parsed[i]);
	free(f->parsed);
	free(f->entry);
}

static enum status
facts_of(const struct loaded *l, struct facts *f)
{
	memset(f, 0, sizeof(*f));
	f->entry = calloc(l->count + 1, sizeof(*f->entry));
	f->parsed = calloc(l->count + 1, sizeof(*f->parsed));
	if (f->entry == NULL || f->parsed == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < l->count; i++) {
		struct entry *e = &f->parsed[f->made++];
		enum status st;

		entry_init(e);
		st = entry_parse(e, row_raw(l, i));
		if (st == ST_NOMEM)
			return st;
		if (st == ST_OK && rules_entry_of(&f->entry[f->count], e,
				       l->row[i].id, RULES_NEVER))
			f->count++;
	}
	return ST_OK;
}

/* Findings of one record into v->findings. */
static enum status
judge(struct view *v, const char *rec, uint64_t now_ms)
{
	struct rules_context cx = { .now_ms = (int64_t)now_ms };
	const struct kind *k;
	struct facts facts;
	struct loaded l;
	enum status st = load(v, rec, &l);

	if (st != ST_OK)
		return st;
	buf_reset(&v->bytes);
	v->findings.count = 0;
	k = kinds_find(v->kinds, bytes_str(l.kind));
	st = facts_of(&l, &facts);
	if (st == ST_OK)
		st = merge_state(l.merge, &v->bytes);
	if (st == ST_OK)
		st = v->bytes.err;
	if (st == ST_OK && k != NULL) {
		cx.offset_min = v->offset_min;
		cx.entries = facts.entry;
		cx.entry_count = facts.count;
		st = state_read(&v->state, buf_view(&v->bytes));
		if (st == ST_OK)
			st = rules_check(
			    &v->findings, v->rules, k, &v->state, &cx);
	}
	facts_free(&facts);
	loaded_free(&l);
	return st;
}

/* The log's own records are no records of the field. */
static bool
is_system(const struct view *v, const char *kind)
{
	const struct kind *k = kinds_find(v->kinds, bytes_str(kind));

	return k != NULL && k->system;
}

/* Call for each record, newest first; stops at the first that is not ST_OK. */
static enum status
each_record(struct view *v, const char *kind, size_t limit,
    enum status (*fn)(struct view *, const char *rec, const char *kind,
	uint64_t wall, void *arg),
    void *arg)
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
	uint64_t now_ms;
	struct view_counts *counts;
	bool first;
};

static enum status
put_findings(
    struct view *v, const char *rec, const char *kind, uint64_t wall, void *arg)
{
	struct finding_job *job = arg;
	enum status st;

	(void)wall;
	st = judge(v, rec, job->now_ms);
	if (st != ST_OK)
		return st;
	if (job->counts != NULL)
		job->counts->records++;
	for (size_t i = 0; i < v->findings.count; i++) {
		const struct finding *f = &v->findings.list[i];

		if (job->counts != NULL) {
			job->counts->findings++;
			job->counts->grave += f->severity == RULES_GRAVE;
			continue;
		}
		if (!job->first)
			buf_u8(job->out, ',');
		job->first = false;
		buf_str(job->out, "{\"finding\":");
		finding_json(f, v->offset_min, job->out);
		buf_str(job->out, ",\"kind\":");
		json_put_str(job->out, kind);
		buf_str(job->out, ",\"rec\":");
		json_put_str(job->out, rec);
		buf_u8(job->out, '}');
	}
	return job->out == NULL ? ST_OK : job->out->err;
}

enum status
view_findings(struct view *v, const char *rec, uint64_t now_ms, struct buf *out)
{
	struct finding_job job = {
		.out = out, .now_ms = now_ms, .first = true
	};
	enum status st;

	buf_u8(out, '[');
	if (rec != NULL)
		st = put_findings(v, rec, "", 0, &job);
	else
		st = each_record(v, NULL, SIZE_MAX, put_findings, &job);
	buf_u8(out, ']');
	return st == ST_OK ? out->err : st;
}

static enum status
put_record(
    struct view *v, const char *rec, const char *kind, uint64_t wall, void *arg)
{
	const struct kind *k = kinds_find(v->kinds, bytes_str(kind));
	struct buf *out = arg;
	struct buf label;
	char at[32];
	enum status st;

	buf_reset(&v->bytes);
	st = view_state(v, rec, &v->bytes);
	if (st == ST_OK)
		st = state_read(&v->state, buf_view(&v->bytes));
	if (st != ST_OK)
		return st;
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
	return each_record(v, kind, limit, put_record, out);
}

enum status
view_counts(struct view *v, uint64_t now_ms, struct view_counts *out)
{
	struct view_counts c = { 0 };
	struct finding_job job = { .now_ms = now_ms, .counts = &c };
	int64_t n = 0;
	enum status st;

	st = db_scalar(&n, v->db, "SELECT count(*) FROM entry");
	c.entries = (uint64_t)n;
	if (st == ST_OK)
		st = each_record(v, NULL, SIZE_MAX, put_findings, &job);
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
	return each_record(v, NULL, SIZE_MAX, put_export, out);
}
