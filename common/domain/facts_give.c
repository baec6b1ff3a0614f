/* facts_give: one record's state becomes rows for the others of its case. */
#include <string.h>

#include "base/enc.h"
#include "domain/facts_priv.h"
#include "domain/num.h"
#include "entry/entry.h"
#include "entry/path.h"

enum { ROW_BYTES_MAX = ENTRY_BYTES_MAX, PEOPLE_MAX = 64, STEPS_MAX = 256 };

/* ---- the row */

static struct cond_view
view_of(const struct facts_record *r, struct bytes item)
{
	/* What time it is does not matter: a row is the same at any. */
	return (struct cond_view){ .st = r->st,
		.kind = r->kind,
		.item = item,
		.now_ms = 0,
		.offset_min = r->offset_min,
		.next_ms = INT64_MAX };
}

static bool
holds(const struct cond *c, const struct facts_record *r, struct bytes item)
{
	struct cond_view v = view_of(r, item);

	return c == NULL || cond_judge(c, &v) == TRUTH_TRUE;
}

static void
put_amount(
    const struct fact_table *t, const struct facts_record *r, struct buf *out)
{
	struct ref sum = { .sort = REF_SELF, .text = t->sum };
	int64_t total = 0, one;
	char text[32];
	size_t i, end;

	state_items(r->st, bytes_str(t->list), &i, &end);
	for (; i < end; i++) {
		const struct state_item *it = &r->st->items[i];
		struct cond_view v = view_of(r, it->path);
		struct state_value value;

		if (it->is == STATE_OUT || !bytes_eq_str(it->list, t->list) ||
		    !holds(t->where, r, it->path))
			continue;
		if (ref_value(&sum, &v, 0, &value) && !value.withheld &&
		    !value.null && num_read(&one, value.text))
			total = num_add(total, one);
	}
	num_show(text, total);
	buf_printf(out, "\"amount\":\"%s\",", text);
}

/* A field's first value as text; a moment in ms, so that another offset makes
 * no difference. */
static void
put_value(const struct ref *f, const struct facts_record *r, struct buf *out)
{
	struct cond_view v = view_of(r, bytes_of(NULL, 0));
	struct state_value value;
	struct buf plain;
	struct when w;

	if (!ref_value(f, &v, 0, &value) || value.null || value.withheld) {
		buf_str(out, "null");
		return;
	}
	if (when_read(&w, value.text, r->offset_min) && !w.is_day) {
		buf_printf(out, "\"%lld\"", (long long)w.ms);
		return;
	}
	buf_init(&plain, 2 * ENTRY_BYTES_MAX);
	facts_plain(value.text, &plain);
	if (plain.err != ST_OK && out->err == ST_OK)
		out->err = plain.err;
	json_put_string(out, buf_view(&plain));
	buf_wipe(&plain);
}

static void
put_fields(const char *name, const struct ref *f, size_t count,
    const struct facts_record *r, struct buf *out)
{
	buf_printf(out, "\"%s\":[", name);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_u8(out, ',');
		put_value(&f[i], r, out);
	}
	buf_str(out, "],");
}

/* Links that say: the same thing in another record. */
static void
put_links(const struct state *st, struct buf *out)
{
	const struct json *j = &st->tape;
	bool any = false;

	if (st->links == 0)
		return;
	for (uint32_t i = st->links + 1; i < j->node[st->links].next;
	     i = j->node[i + 1].next) {
		uint32_t pairs = i + 1, p = pairs + 1;
		bool same;

		if (j->node[pairs].count == 0)
			continue;
		same = json_is(j, p + 2, "same_as");
		if (!same && !json_is(j, p + 2, "replaces"))
			continue;
		buf_str(out, any ? ",[" : "\"links\":[[");
		json_put_str(out, same ? "same_as" : "replaces");
		buf_u8(out, ',');
		json_put_string(out, json_raw(j, i));
		buf_u8(out, ']');
		any = true;
	}
	if (any)
		buf_str(out, "],");
}

struct people {
	struct bytes name[PEOPLE_MAX];
	size_t count;
};

static void
add_person(struct people *p, struct bytes name)
{
	if (name.len == 0 || p->count == PEOPLE_MAX)
		return;
	for (size_t i = 0; i < p->count; i++) {
		if (bytes_eq(p->name[i], name))
			return;
	}
	p->name[p->count++] = name;
}

static void
put_people(const struct facts_record *r, struct buf *out)
{
	struct people p = { .count = 0 };

	for (size_t i = 0; i < r->st->field_count; i++) {
		const struct state_field *sf = &r->st->fields[i];
		const struct kind_field *f = kind_field(r->kind, sf->path);
		struct state_value v;

		if (f == NULL || f->type != KIND_OFFICER)
			continue;
		for (size_t k = 0; state_value(r->st, sf, k, &v); k++) {
			if (!v.null && !v.withheld)
				add_person(&p, v.text);
		}
	}
	for (size_t i = 0; i < r->entry_count; i++)
		add_person(&p, facts_writer(r, i));
	buf_str(out, "\"people\":[");
	for (size_t i = 0; i < p.count; i++) {
		if (i > 0)
			buf_u8(out, ',');
		json_put_string(out, p.name[i]);
	}
	buf_str(out, "],");
}

/* ---- steps of an order */

static const struct rules_entry *
entry_of(const struct facts_record *r, struct bytes hex)
{
	uint8_t id[ID_LEN];

	if (hex_decode(id, ID_LEN, hex) != ST_OK)
		return NULL;
	for (size_t i = 0; i < r->entry_count; i++) {
		if (memcmp(r->entries[i].id, id, ID_LEN) == 0)
			return &r->entries[i];
	}
	return NULL;
}

/* Each person's steps, and when the centre ended it. */
static void
put_steps(
    const struct fact_table *t, const struct facts_record *r, struct buf *out)
{
	const struct json *j = &r->st->tape;
	int64_t until = INT64_MAX;
	size_t n = 0;

	buf_str(out, "\"seen\":[");
	for (size_t i = 0; i < r->st->act_count; i++) {
		const struct state_act *act = &r->st->acts[i];
		const struct rules_entry *e;
		bool had = false;

		if (!bytes_eq_str(act->verb, "advance") || act->on == 0 ||
		    j->node[act->on].count == 0)
			continue;
		e = entry_of(r, act->id);
		if (e == NULL)
			continue;
		for (size_t w = 0; w < t->seen_count; w++)
			had = had || json_is(j, act->on + 1, t->seen[w]);
		if (e->centre && json_is(j, act->on + 1, t->ended) &&
		    e->at_ms < until)
			until = e->at_ms;
		if (e->centre || !had || n == STEPS_MAX)
			continue;
		buf_str(out, n++ > 0 ? ",[" : "[");
		json_put_string(out, e->by);
		buf_printf(out, ",%lld]", (long long)e->at_ms);
	}
	buf_str(out, "],");
	if (until != INT64_MAX)
		buf_printf(out, "\"until\":%lld,", (long long)until);
}

/* When it was sent: its open says so. */
static int64_t
sent_at(const struct facts_record *r)
{
	for (size_t i = 0; i < r->entry_count; i++) {
		if (r->entries[i].centre &&
		    strcmp(r->entries[i].verb, "open") == 0)
			return r->entries[i].at_ms;
	}
	return facts_at(r);
}

static void
put_to(
    const struct fact_table *t, const struct facts_record *r, struct buf *out)
{
	struct state_value v;

	if (t->to == NULL || !state_first(r->st, bytes_str(t->to), &v) ||
	    v.withheld)
		return;
	buf_str(out, "\"to\":");
	json_put_string(out, v.text);
	buf_u8(out, ',');
}

static bool
put_window(
    const struct fact_table *t, const struct facts_record *r, struct buf *out)
{
	struct cond_view v = view_of(r, bytes_of(NULL, 0));
	struct when from, until;
	enum truth a, b;

	if (!ref_when(&t->from, &v, 0, &from, &a) ||
	    !ref_when(&t->until, &v, 0, &until, &b) || a != TRUTH_TRUE ||
	    b != TRUTH_TRUE)
		return false;
	buf_printf(out, "\"from\":%lld,\"until\":%lld,", (long long)from.ms,
	    (long long)when_last_ms(&until));
	return true;
}

/* False: it gives nothing to this table. */
static bool
make_row(const struct fact_table *t, const struct facts_record *r, bool no_case,
    struct buf *out)
{
	int64_t at = t->seen_count > 0 ? sent_at(r) : facts_at(r);

	if (r->kind->system && !facts_by_centre(r))
		return false;
	if (t->list == NULL && !holds(t->where, r, bytes_of(NULL, 0)))
		return false;
	buf_u8(out, '{');
	if (t->has_window && !put_window(t, r, out))
		return false;
	if (t->sum != NULL)
		put_amount(t, r, out);
	put_links(r->st, out);
	if (t->people)
		put_people(r, out);
	if (t->person_count > 0)
		put_fields("person", t->person, t->person_count, r, out);
	if (t->unless_count > 0)
		put_fields("unless", t->unless, t->unless_count, r, out);
	if (no_case)
		buf_str(out, "\"open_to\":true,");
	put_to(t, r, out);
	if (t->seen_count > 0)
		put_steps(t, r, out);
	if (at == INT64_MIN)
		buf_str(out, "\"at\":null}");
	else
		buf_printf(out, "\"at\":%lld}", (long long)at);
	return out->err == ST_OK;
}

enum status
facts_give(const struct rules *rs, const struct facts_record *r,
    facts_row_fn fn, void *arg)
{
	return facts_give_some(rs, r, UINT32_MAX, fn, arg);
}

enum status
facts_give_some(const struct rules *rs, const struct facts_record *r,
    uint32_t tables, facts_row_fn fn, void *arg)
{
	struct buf row;
	enum status st = ST_OK;

	buf_init(&row, ROW_BYTES_MAX);
	for (size_t i = 0; i < rs->table_count && st == ST_OK; i++) {
		const struct fact_table *t = &rs->tables[i];
		struct fact_keys k = { .count = 0 };

		if ((tables >> i & 1) == 0 || !facts_table_of(t, r->kind))
			continue;
		facts_keys_at(
		    &k, r, t->case_path != NULL ? t->case_path : rs->case_path);
		if (k.count == 0 && !t->all)
			continue;
		buf_reset(&row);
		if (!make_row(t, r, k.count == 0, &row)) {
			st = row.err == ST_LIMIT ? ST_OK : row.err;
			continue;
		}
		if (k.count == 0)
			st = fn(arg, t->name, "", buf_view(&row));
		for (size_t n = 0; n < k.count && st == ST_OK; n++)
			st = fn(arg, t->name, k.list[n].text, buf_view(&row));
	}
	buf_free(&row);
	return st;
}
