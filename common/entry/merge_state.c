/*
 * State bytes (docs/MERGE.md, "State"): the fold with values put in, written
 * straight in canonical order.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/sort.h"
#include "entry/merge_impl.h"

void
merge_put_id(struct buf *out, const uint8_t id[ID_LEN])
{
	char text[2 + 2 * ID_LEN + 1] = "\"";

	hex_encode(text + 1, bytes_of(id, ID_LEN));
	text[sizeof(text) - 2] = '"';
	buf_add(out, text, sizeof(text) - 1);
}

void
merge_put_u32(struct buf *out, uint32_t v)
{
	char digit[10];
	size_t at = sizeof(digit);

	do {
		digit[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	buf_add(out, digit + at, sizeof(digit) - at);
}

const char *
merge_is_name(enum merge_is is)
{
	switch (is) {
	case MERGE_IN:
		return "in";
	case MERGE_OUT:
		return "out";
	default:
		return "conflict";
	}
}

static bool
is_act(const struct merge_entry *e)
{
	return e->verb != DO_OPEN && e->verb != DO_SET && e->verb != DO_ADD;
}

/* A comma, but for the first. */
static void
next(struct buf *out, bool *some)
{
	if (*some)
		buf_u8(out, ',');
	*some = true;
}

/* [[id, word] …]: `index` of the name in `on` is the mention's. */
static void
put_words(const struct merge *m, const struct merge_table *t,
    const uint32_t *live, uint32_t count, struct buf *out)
{
	buf_u8(out, '[');
	for (uint32_t i = 0; i < count; i++) {
		const struct merge_mention *x = &t->mention[live[i]];
		const struct merge_entry *e = m->entry[x->place];

		if (i > 0)
			buf_u8(out, ',');
		buf_u8(out, '[');
		merge_put_id(out, e->id);
		buf_u8(out, ',');
		json_put_string(out, e->on[x->index]);
		buf_u8(out, ']');
	}
	buf_u8(out, ']');
}

static void
put_values(const struct merge *m, const struct merge_table *t,
    const struct merge_cell *c, struct buf *out)
{
	buf_u8(out, '[');
	for (uint32_t i = 0; i < c->live; i++) {
		const struct merge_mention *x =
		    &t->mention[t->live[c->from + i]];
		const struct merge_entry *e = m->entry[x->place];

		if (i > 0)
			buf_u8(out, ',');
		buf_u8(out, '[');
		merge_put_id(out, e->id);
		buf_u8(out, ',');
		buf_bytes(out, merge_value(e, x->index));
		buf_u8(out, ']');
	}
	buf_u8(out, ']');
}

/* The cells of a class that live: {path: [[id, …] …]}. */
static void
put_class(const struct merge *m, enum merge_class class, struct buf *out)
{
	const struct merge_table *t = &m->table[class];
	bool some = false;

	buf_u8(out, '{');
	for (uint32_t k = 0; k < t->cell_count; k++) {
		const struct merge_cell *c = &t->cell[k];

		if (c->live == 0)
			continue;
		next(out, &some);
		json_put_string(out, c->path);
		buf_u8(out, ':');
		if (class == CLASS_FIELD)
			put_values(m, t, c, out);
		else
			put_words(m, t, t->live + c->from, c->live, out);
	}
	buf_u8(out, '}');
}

/* Number shown for an item: that of its `add`, 0 where that is not here or
 * does not count. */
static uint32_t
number_of(const struct merge *m, const struct merge_cell *c)
{
	const struct merge_table *t = &m->table[CLASS_ITEM];

	for (uint32_t i = c->from; i < c->to; i++) {
		uint32_t place = t->mention[i].place;

		if (t->mention[i].what == WHAT_IN &&
		    m->entry[place]->verb == DO_ADD)
			return m->number[place];
	}
	return 0;
}

static void
put_items(const struct merge *m, struct buf *out)
{
	const struct merge_table *t = &m->table[CLASS_ITEM];
	bool some = false;

	buf_u8(out, '{');
	for (uint32_t k = 0; k < t->cell_count; k++) {
		const struct merge_cell *c = &t->cell[k];

		if (!c->named || c->path.p[0] == '@')
			continue;
		next(out, &some);
		json_put_string(out, c->path);
		buf_str(out, ":{\"is\":");
		json_put_str(out, merge_is_name(c->is));
		buf_str(out, ",\"n\":");
		merge_put_u32(out, number_of(m, c));
		buf_u8(out, '}');
	}
	buf_u8(out, '}');
}

/* `from` of an advance: the status of the fold of exactly what it knows. */
static void
put_from(const struct merge *m, struct merge_work *w, uint32_t place,
    struct buf *out)
{
	const struct merge_table *t = &m->table[CLASS_STATUS];
	struct merge_view v = merge_view_known(m, w, place);
	uint32_t count;

	/* It writes the status itself: the one cell is there. */
	count = merge_live(m, w, &v, t, &t->cell[0], w->live);
	buf_str(out, ",\"from\":");
	put_words(m, t, w->live, count, out);
}

static void
put_or_null(struct buf *out, struct bytes json)
{
	if (json.len == 0)
		buf_str(out, "null");
	else
		buf_bytes(out, json);
}

static void
put_data(const struct merge_entry *e, struct buf *out)
{
	buf_str(out, ",\"data\":[");
	for (size_t i = 0; i < e->on_count; i++) {
		if (i > 0)
			buf_u8(out, ',');
		buf_bytes(out, e->value[i]);
	}
	buf_u8(out, ']');
}

static enum status
put_act(const struct merge *m, struct merge_work *w, uint32_t place,
    struct merge_shown *shown, struct buf *out)
{
	const struct merge_entry *e = m->entry[place];
	bool whole = e->rank == RANK_WHOLE;
	enum status st = ST_OK;
	const char *sign;

	buf_str(out, "{\"at\":");
	json_put_string(out, e->at);
	buf_str(out, ",\"by\":");
	json_put_string(out, e->by);
	if (whole)
		put_data(e, out);
	buf_str(out, ",\"do\":");
	json_put_str(out, verb_name(e->verb));
	if (e->verb == DO_ADVANCE)
		put_from(m, w, place, out);
	buf_str(out, ",\"is\":");
	json_put_str(out, merge_is_name(merge_act_is(m, place)));
	if (whole) {
		buf_str(out, ",\"more\":");
		put_or_null(out, e->more);
	}
	buf_str(out, ",\"on\":[");
	for (size_t i = 0; i < e->on_count; i++) {
		if (i > 0)
			buf_u8(out, ',');
		json_put_string(out, e->on[i]);
	}
	buf_u8(out, ']');
	if (whole) {
		buf_str(out, ",\"reason\":");
		put_or_null(out, e->reason);
	}
	if (e->verb == DO_SIGN) {
		st = merge_verdict(m, w, place, shown, &sign);
		if (st != ST_OK)
			return st;
		buf_str(out, ",\"sign\":");
		json_put_str(out, sign);
	}
	if (!whole) {
		/* {"withheld":"…"} without its brackets */
		buf_u8(out, ',');
		buf_add(out, e->withheld.p + 1, e->withheld.len - 2);
	}
	buf_u8(out, '}');
	return ST_OK;
}

static enum status
put_acts(const struct merge *m, struct merge_work *w, struct buf *out)
{
	struct merge_shown shown = { .next = 0 };
	bool some = false;
	enum status st = ST_OK;

	buf_u8(out, '{');
	for (uint32_t i = 0; i < m->count && st == ST_OK; i++) {
		uint32_t place = m->place_of[i];

		if (!m->counts[place] || !is_act(m->by_id[i]))
			continue;
		next(out, &some);
		merge_put_id(out, m->by_id[i]->id);
		buf_u8(out, ':');
		st = put_act(m, w, place, &shown, out);
	}
	merge_shown_free(&shown);
	buf_u8(out, '}');
	return st;
}

static void
put_ids(const uint8_t (*ids)[ID_LEN], size_t count, struct buf *out)
{
	buf_u8(out, '[');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_u8(out, ',');
		merge_put_id(out, ids[i]);
	}
	buf_u8(out, ']');
}

/* Ids of those that do not count, or of those that do and are blind. */
static void
put_lesser(const struct merge *m, bool count, struct buf *out)
{
	bool some = false;

	buf_u8(out, '[');
	for (uint32_t i = 0; i < m->count; i++) {
		const struct merge_entry *e = m->by_id[i];

		if (m->counts[m->place_of[i]] != count ||
		    (count && e->rank == RANK_WHOLE))
			continue;
		next(out, &some);
		merge_put_id(out, e->id);
	}
	buf_u8(out, ']');
}

static int
cmp_kinds(const void *arg, uint32_t a, uint32_t b)
{
	const struct merge *m = arg;

	return bytes_cmp(m->entry[a]->kind, m->entry[b]->kind);
}

/*
 * The kinds that entries state, each once.  A hold or an admit says nothing of
 * what the record is: holding a branch and admitting it leaves no kind behind.
 */
static enum status
put_kinds(const struct merge *m, struct merge_work *w, struct buf *out)
{
	uint32_t *idx =
	    merge_alloc(&w->arena, 2 * (size_t)m->count, sizeof(*idx));
	uint32_t count = 0;

	if (idx == NULL)
		return ST_NOMEM;
	for (uint32_t p = 0; p < m->count; p++) {
		enum verb verb = m->entry[p]->verb;

		if (m->counts[p] && verb != DO_HOLD && verb != DO_ADMIT)
			idx[count++] = p;
	}
	sort_u32(idx, idx + count, count, cmp_kinds, m);
	buf_u8(out, '[');
	for (uint32_t i = 0; i < count; i++) {
		if (i > 0 && cmp_kinds(m, idx[i - 1], idx[i]) == 0)
			continue;
		if (i > 0)
			buf_u8(out, ',');
		json_put_string(out, m->entry[idx[i]]->kind);
	}
	buf_u8(out, ']');
	return ST_OK;
}

static enum status
put_state(const struct merge *m, struct merge_work *w, struct buf *out)
{
	const struct merge_table *status = &m->table[CLASS_STATUS];
	enum status st;

	buf_str(out, "{\"acts\":");
	st = put_acts(m, w, out);
	if (st != ST_OK)
		return st;
	buf_str(out, ",\"bare\":");
	put_lesser(m, false, out);
	buf_str(out, ",\"blind\":");
	put_lesser(m, true, out);
	buf_str(out, ",\"fields\":");
	put_class(m, CLASS_FIELD, out);
	buf_str(out, ",\"heads\":");
	put_ids((const uint8_t(*)[ID_LEN])m->heads, m->head_count, out);
	buf_str(out, ",\"items\":");
	put_items(m, out);
	buf_str(out, ",\"kind\":");
	st = put_kinds(m, w, out);
	if (st != ST_OK)
		return st;
	buf_str(out, ",\"links\":");
	put_class(m, CLASS_LINK, out);
	buf_str(out, ",\"missing\":");
	put_ids((const uint8_t(*)[ID_LEN])m->missing, m->missing_count, out);
	buf_str(out, ",\"rec\":");
	json_put_str(out, m->rec);
	buf_str(out, ",\"status\":");
	if (status->cell_count > 0)
		put_words(m, status, status->live, status->cell[0].live, out);
	else
		buf_str(out, "[]");
	buf_str(out, ",\"v\":1,\"void\":");
	buf_str(out, merge_void(m) ? "true}" : "false}");
	return out->err;
}

enum status
merge_state(const struct merge *m, struct buf *out)
{
	struct merge_work w;
	enum status st;

	assert(m->done);
	merge_work_init(&w);
	st = merge_work_make(&w, m);
	if (st == ST_OK)
		st = put_state(m, &w, out);
	merge_work_free(&w);
	return st;
}
