#include "erase/erase.h"

#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/entry.h"
#include "entry/json.h"

struct erasures {
	struct erase_order **list; /* owned */
	size_t count, cap;
	/* Ids in effect, sorted; each with the place of its order's word. */
	struct erase_entry *all; /* owned */
	size_t all_count;
};

const char *
erase_state_name(enum erase_state s)
{
	static const char *const names[] = { "pending", "ordered", "refused" };

	return names[s];
}

enum status
erasures_new(struct erasures **out)
{
	*out = calloc(1, sizeof(**out));
	return *out != NULL ? ST_OK : ST_NOMEM;
}

static void
order_free(struct erase_order *o)
{
	if (o == NULL)
		return;
	free(o->entry);
	free(o);
}

void
erasures_free(struct erasures *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->count; i++)
		order_free(s->list[i]);
	free(s->list);
	free(s->all);
	free(s);
}

/* ---- what a proposal says */

/* "entries/@<32 hex>/place": the id. */
static bool
entry_named(struct bytes name, uint8_t id[ID_LEN])
{
	static const char before[] = "entries/@", behind[] = "/place";
	size_t from = sizeof(before) - 1, len = 2 * (size_t)ID_LEN;

	return name.len == from + len + sizeof(behind) - 1 &&
	       memcmp(name.p, before, from) == 0 &&
	       memcmp(name.p + from + len, behind, sizeof(behind) - 1) == 0 &&
	       hex_decode(id, ID_LEN, bytes_of(name.p + from, len)) == ST_OK;
}

static enum status
copy_text(const struct entry *e, size_t i, char *out, size_t cap)
{
	struct buf b;
	enum status st;

	if (e->body.node[entry_value(e, i)].type != JSON_STRING)
		return ST_OK;
	buf_init(&b, cap - 1);
	json_text(&e->body, entry_value(e, i), &b);
	if (buf_cstr(&b) != NULL)
		memcpy(out, b.p, b.len + 1);
	st = b.err == ST_NOMEM ? ST_NOMEM : ST_OK;
	buf_free(&b);
	return st;
}

static void
copy_by(char out[ERASE_BY_MAX + 1], const struct entry *e)
{
	size_t n = e->by.len <= ERASE_BY_MAX ? e->by.len : 0;

	if (n > 0)
		memcpy(out, e->by.p, n);
	out[n] = '\0';
}

/* Ids from the head; the rest from the body, where there is one. */
static enum status
read_names(struct erase_order *o, const struct entry *e)
{
	bool whole = e->body_is == ENTRY_BODY_WHOLE;
	enum status st = ST_OK;

	for (size_t i = 0; i < e->on_count && st == ST_OK; i++) {
		struct erase_entry *x = &o->entry[o->count];

		if (o->count < ERASE_ENTRIES_MAX &&
		    entry_named(e->on[i], x->id)) {
			const struct json_node *n =
			    whole ? &e->body.node[entry_value(e, i)] : NULL;

			x->place =
			    n != NULL && n->type == JSON_INT && n->num >= 0
				? (uint64_t)n->num
				: UINT64_MAX;
			o->count++;
		} else if (whole && bytes_eq_str(e->on[i], "record")) {
			st = copy_text(e, i, o->record, sizeof(o->record));
		} else if (whole && bytes_eq_str(e->on[i], "ground")) {
			st = copy_text(e, i, o->ground, sizeof(o->ground));
		} else if (whole && bytes_eq_str(e->on[i], "law")) {
			st = copy_text(e, i, o->law, sizeof(o->law));
		}
	}
	return st;
}

static enum status
take_open(struct erasures *s, const struct entry *e, const uint8_t id[ID_LEN],
    uint64_t place)
{
	struct erase_order *o, **list = s->list;

	if (s->count == s->cap) {
		size_t cap = s->cap == 0 ? 16 : 2 * s->cap;

		list = realloc(list, cap * sizeof(*list));
		if (list == NULL)
			return ST_NOMEM;
		s->list = list;
		s->cap = cap;
	}
	o = calloc(1, sizeof(*o));
	if (o != NULL)
		o->entry = calloc(e->on_count + 1, sizeof(*o->entry));
	if (o == NULL || o->entry == NULL) {
		order_free(o);
		return ST_NOMEM;
	}
	memcpy(o->rec, e->rec.p, REC_LEN);
	memcpy(o->id, id, ID_LEN);
	memcpy(o->head, id, ID_LEN);
	o->place = place;
	copy_by(o->by, e);
	if (read_names(o, e) != ST_OK) {
		order_free(o);
		return ST_NOMEM;
	}
	list[s->count++] = o;
	return ST_OK;
}

/* ---- deciding */

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, ID_LEN);
}

/* The order's ids among those in effect; the first word on an id stands. */
static enum status
take_effect(struct erasures *s, const struct erase_order *o)
{
	struct erase_entry *all;
	size_t n = s->all_count;

	all = realloc(s->all, (n + o->count + 1) * sizeof(*all));
	if (all == NULL)
		return ST_NOMEM;
	s->all = all;
	for (size_t i = 0; i < o->count; i++) {
		if (erasures_has(s, o->entry[i].id, NULL))
			continue;
		memcpy(all[n].id, o->entry[i].id, ID_LEN);
		all[n++].place = o->decided;
	}
	s->all_count = n;
	if (n > 1)
		qsort(all, n, sizeof(*all), by_id);
	return ST_OK;
}

static enum status
take_decision(struct erasures *s, struct erase_order *o, const struct entry *e,
    uint64_t place, bool *effect)
{
	char name[2 * ID_LEN + 2] = "@", by[ERASE_BY_MAX + 1];
	bool yes;

	hex_encode(name + 1, bytes_of(o->id, ID_LEN));
	copy_by(by, e);
	if (o->state != ERASE_PENDING || e->body_is != ENTRY_BODY_WHOLE ||
	    e->on_count != 1 || !bytes_eq_str(e->on[0], name) || by[0] == '\0')
		return ST_OK;
	yes = e->body.node[entry_value(e, 0)].type == JSON_TRUE;
	if (yes && strcmp(by, o->by) == 0)
		return ST_OK;
	o->state = yes ? ERASE_ORDERED : ERASE_REFUSED;
	o->decided = place;
	memcpy(o->decided_by, by, sizeof(by));
	if (!yes)
		return ST_OK;
	if (effect != NULL)
		*effect = true;
	return take_effect(s, o);
}

enum status
erasures_take(struct erasures *s, const struct entry *e,
    const uint8_t id[ID_LEN], uint64_t place, bool *effect)
{
	if (!bytes_eq_str(e->kind, ERASE_KIND) || e->rec.len != REC_LEN)
		return ST_OK;
	for (size_t i = 0; i < s->count; i++) {
		struct erase_order *o = s->list[i];

		if (!bytes_eq_str(e->rec, o->rec))
			continue;
		memcpy(o->head, id, ID_LEN);
		return e->verb == DO_APPROVE
			   ? take_decision(s, o, e, place, effect)
			   : ST_OK;
	}
	return e->verb == DO_OPEN ? take_open(s, e, id, place) : ST_OK;
}

/* ---- telling */

size_t
erasures_count(const struct erasures *s)
{
	return s->count;
}

const struct erase_order *
erasures_at(const struct erasures *s, size_t i)
{
	return s->list[i];
}

const struct erase_order *
erasures_find(const struct erasures *s, const uint8_t id[ID_LEN])
{
	for (size_t i = 0; i < s->count; i++) {
		if (memcmp(s->list[i]->id, id, ID_LEN) == 0)
			return s->list[i];
	}
	return NULL;
}

bool
erasures_has(
    const struct erasures *s, const uint8_t id[ID_LEN], uint64_t *place)
{
	const struct erase_entry *x =
	    s->all_count == 0
		? NULL
		: bsearch(id, s->all, s->all_count, sizeof(*s->all), by_id);

	if (x != NULL && place != NULL)
		*place = x->place;
	return x != NULL;
}
