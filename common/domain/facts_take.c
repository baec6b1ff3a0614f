/* facts_take: what comes of the rows of one table. */
#include <stdio.h>
#include <string.h>

#include "domain/facts_priv.h"
#include "domain/num.h"
#include "entry/entry.h"

static bool
row_int(const struct table_rows *t, uint32_t row, const char *name, int64_t *v)
{
	uint32_t n = json_get_typed(t->j, row, name, JSON_INT);

	if (n != 0)
		*v = t->j->node[n].num;
	return n != 0;
}

/* ---- what comes of them */

/* A record of no case gives nothing, and nothing is known of its case. */
static void
take_sum(const struct table_rows *t, struct buf *out)
{
	int64_t total = 0, one;
	char text[32], *point;
	size_t decimals;

	if (t->mine == 0)
		return;
	for (size_t i = 0; i < t->count; i++) {
		uint32_t n =
		    json_get_typed(t->j, t->node[i], "amount", JSON_STRING);

		if (n != 0 && !t->out[i] && num_read(&one, json_raw(t->j, n)))
			total = num_add(total, one);
	}
	/* Money has two decimals; what is summed has no more. */
	num_show(text, total);
	point = strchr(text, '.');
	decimals = point == NULL ? 0 : strlen(point + 1);
	buf_printf(out, "\"%s%s\"", text,
	    point == NULL   ? ".00"
	    : decimals == 1 ? "0"
			    : "");
}

/* Both have a value there, and *equal. */
static bool
both(const struct json *j, uint32_t a, uint32_t b, bool *equal)
{
	if (j->node[a].type != JSON_STRING || j->node[b].type != JSON_STRING)
		return false;
	*equal = bytes_eq(json_raw(j, a), json_raw(j, b));
	return true;
}

static bool
same_person(const struct json *j, uint32_t x, uint32_t y)
{
	uint32_t a = json_get_typed(j, x, "person", JSON_ARRAY);
	uint32_t b = json_get_typed(j, y, "person", JSON_ARRAY);
	bool equal = false;

	if (a == 0 || b == 0)
		return a == b;
	for (uint32_t i = a + 1, k = b + 1;
	     i < j->node[a].next && k < j->node[b].next;
	     i = j->node[i].next, k = j->node[k].next) {
		if (both(j, i, k, &equal))
			return equal;
	}
	return false;
}

static bool
other_act(const struct json *j, uint32_t x, uint32_t y)
{
	uint32_t a = json_get_typed(j, x, "unless", JSON_ARRAY);
	uint32_t b = json_get_typed(j, y, "unless", JSON_ARRAY);
	bool equal = false;

	if (a == 0 || b == 0)
		return false;
	for (uint32_t i = a + 1, k = b + 1;
	     i < j->node[a].next && k < j->node[b].next;
	     i = j->node[i].next, k = j->node[k].next) {
		if (both(j, i, k, &equal) && !equal)
			return true;
	}
	return false;
}

static bool
linked(const struct table_rows *t, uint32_t row, struct bytes rec)
{
	const struct json *j = t->j;
	uint32_t n = json_get_typed(j, row, "links", JSON_ARRAY);

	for (uint32_t l = n + 1; n != 0 && l < j->node[n].next;
	     l = j->node[l].next) {
		if (j->node[l].count == 2 && bytes_eq(json_raw(j, l + 2), rec))
			return true;
	}
	return false;
}

static bool
is_earlier(const struct table_rows *t, size_t i)
{
	struct bytes me = bytes_str(t->me->rec);
	int64_t at;

	if (!row_int(t, t->node[i], "at", &at) || at > t->at)
		return false;
	return at < t->at || bytes_cmp(t->row[i].rec, me) < 0;
}

static void
take_earlier(const struct table_rows *t, struct buf *out)
{
	struct bytes me = bytes_str(t->me->rec);
	unsigned count = 0;

	for (size_t i = 0; t->mine != 0 && i < t->count; i++) {
		uint32_t n = t->node[i];

		if (n == t->mine || t->out[i] || !is_earlier(t, i))
			continue;
		if (linked(t, n, me) || linked(t, t->mine, t->row[i].rec))
			continue;
		count += same_person(t->j, n, t->mine) &&
			 !other_act(t->j, n, t->mine);
	}
	buf_printf(out, "%u", count);
}

static bool
names(const struct table_rows *t, struct bytes who)
{
	const struct json *j = t->j;

	for (size_t i = 0; i < t->count; i++) {
		uint32_t n =
		    json_get_typed(j, t->node[i], "people", JSON_ARRAY);

		for (uint32_t p = n + 1; n != 0 && p < j->node[n].next;
		     p = j->node[p].next) {
			if (j->node[p].type == JSON_STRING &&
			    bytes_eq(json_raw(j, p), who))
				return true;
		}
	}
	return false;
}

/* `of` names a field of the record, or LIST/FIELD of its items in force. */
static void
take_people(const struct table_rows *t, const char *of, struct buf *out)
{
	const struct state *st = t->me->st;
	const struct kind *k = t->me->kind;
	bool any = false;

	for (size_t i = 0; i < st->field_count; i++) {
		const struct kind_field *f = kind_field(k, st->fields[i].path);
		const struct state_item *it = NULL;
		struct state_value v;
		char path[2 * PATH_BYTES_MAX + 2];
		int n;

		if (f == NULL)
			continue;
		n = snprintf(path, sizeof(path), "%s%s%s",
		    f->list != NULL ? f->list->path : "",
		    f->list != NULL ? "/" : "", f->path);
		if (n < 0 || strcmp(path, of) != 0)
			continue;
		if (f->list != NULL)
			it = state_item(st,
			    bytes_of(st->fields[i].path.p,
				st->fields[i].path.len - strlen(f->path) - 1));
		if (it != NULL && it->is == STATE_OUT)
			continue;
		for (size_t x = 0; state_value(st, &st->fields[i], x, &v); x++)
			any =
			    any || (!v.null && !v.withheld && names(t, v.text));
	}
	buf_str(out, any ? "true" : "false");
}

static void
take_within(const struct table_rows *t, struct buf *out)
{
	int64_t from, until;
	bool any = false;

	for (size_t i = 0; i < t->count && t->at != INT64_MIN; i++)
		any = any || (row_int(t, t->node[i], "from", &from) &&
				 row_int(t, t->node[i], "until", &until) &&
				 t->at >= from && t->at <= until);
	buf_str(out, any ? "true" : "false");
}

/* ---- orders */

static bool
wrote(const struct table_rows *t, struct bytes who)
{
	for (size_t i = 0; i < t->me->entry_count; i++) {
		if (bytes_eq(facts_writer(t->me, i), who))
			return true;
	}
	return false;
}

/* The earliest step of somebody who wrote in this record; INT64_MAX: none. */
static int64_t
seen_at(const struct table_rows *t, uint32_t row)
{
	const struct json *j = t->j;
	uint32_t n = json_get_typed(j, row, "seen", JSON_ARRAY);
	int64_t at = INT64_MAX;

	for (uint32_t s = n + 1; n != 0 && s < j->node[n].next;
	     s = j->node[s].next) {
		if (j->node[s].type != JSON_ARRAY || j->node[s].count != 2 ||
		    j->node[s + 2].type != JSON_INT ||
		    !wrote(t, json_raw(j, s + 1)))
			continue;
		if (j->node[s + 2].num < at)
			at = j->node[s + 2].num;
	}
	return at;
}

/* An order that names no case: for whom it names. */
static bool
is_for(const struct table_rows *t, size_t i, bool has_case)
{
	uint32_t to;

	if (has_case)
		return true;
	to = json_get_typed(t->j, t->node[i], "to", JSON_STRING);
	if (to == 0 || json_is(t->j, to, "all"))
		return true;
	return wrote(t, json_raw(t->j, to)) ||
	       seen_at(t, t->node[i]) != INT64_MAX;
}

static void
take_order(const struct table_rows *t, bool seen, struct buf *out)
{
	int64_t least = INT64_MAX, at, until;
	char text[32];

	for (size_t i = 0; i < t->count; i++) {
		uint32_t n = t->node[i];

		if (!row_int(t, n, "at", &at) ||
		    !is_for(t, i, !json_bool(t->j, n, "open_to", false)) ||
		    (row_int(t, n, "until", &until) && t->at >= until))
			continue;
		if (seen)
			at = seen_at(t, n);
		if (at < least)
			least = at;
	}
	if (least == INT64_MAX || least < 0)
		return;
	at_format(text, (uint64_t)least, t->me->offset_min);
	json_put_str(out, text);
}

static void
take_calendar(
    const struct rules *rs, const struct facts_record *r, struct buf *out)
{
	int64_t at = facts_at(r), day;
	int is = -1;

	if (at != INT64_MIN) {
		day = day_of_ms(at, r->offset_min);
		is = rules_holiday(rules_of_time(rs, day, at), day);
	}
	if (is >= 0)
		buf_str(out, is == 1 ? "true" : "false");
}

void
facts_take_one(const struct table_rows *t, const struct rules *rs,
    const struct cond_fact *fact, const struct facts_record *r, struct buf *out)
{
	switch (fact->take) {
	case TAKE_SUM:
		take_sum(t, out);
		break;
	case TAKE_EARLIER:
		take_earlier(t, out);
		break;
	case TAKE_PEOPLE:
		take_people(t, fact->of, out);
		break;
	case TAKE_WITHIN:
		take_within(t, out);
		break;
	case TAKE_SENT:
	case TAKE_SEEN:
		take_order(t, fact->take == TAKE_SEEN, out);
		break;
	case TAKE_CALENDAR:
		take_calendar(rs, r, out);
		break;
	case TAKE_NOTHING:
		break;
	}
}
