#include "domain/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

enum { FIRST = 32 };

void
state_init(struct state *st)
{
	*st = (struct state){ .is_void = false };
	json_init(&st->tape);
}

void
state_free(struct state *st)
{
	json_free(&st->tape);
	free(st->fields);
	free(st->items);
	free(st->acts);
	state_init(st);
}

/* Room for `want` things of `size`; *list and *cap change together. */
static enum status
reserve(void **list, size_t *cap, size_t want, size_t size)
{
	void *p;

	if (want <= *cap)
		return ST_OK;
	if (want < FIRST)
		want = FIRST;
	p = realloc(*list, want * size);
	if (p == NULL)
		return ST_NOMEM;
	*list = p;
	*cap = want;
	return ST_OK;
}

/* A member that must be there, of that type; 0 if it is not. */
static uint32_t
member(const struct state *st, const char *name, enum json_type type)
{
	return json_get_typed(&st->tape, 0, name, type);
}

static struct bytes
text_of(const struct json *j, uint32_t n)
{
	return n == 0 || j->node[n].type != JSON_STRING ? bytes_of(NULL, 0)
							: json_raw(j, n);
}

static enum status
read_fields(struct state *st)
{
	const struct json *j = &st->tape;
	uint32_t n = member(st, "fields", JSON_OBJECT);
	void *list = st->fields;
	enum status rc;

	if (n == 0)
		return ST_INVALID;
	rc = reserve(
	    &list, &st->field_cap, j->node[n].count, sizeof(*st->fields));
	st->fields = list;
	if (rc != ST_OK)
		return rc;
	for (uint32_t i = n + 1; i < j->node[n].next; i = j->node[i + 1].next) {
		if (j->node[i + 1].type != JSON_ARRAY)
			return ST_INVALID;
		for (uint32_t v = i + 2; v < j->node[i + 1].next;
		     v = j->node[v].next) {
			if (j->node[v].type != JSON_ARRAY ||
			    j->node[v].count != 2 ||
			    j->node[v + 1].type != JSON_STRING)
				return ST_INVALID;
		}
		st->fields[st->field_count++] = (struct state_field){
			.path = json_raw(j, i),
			.node = i + 1,
			.count = j->node[i + 1].count,
		};
	}
	return ST_OK;
}

static enum status
read_items(struct state *st)
{
	const struct json *j = &st->tape;
	uint32_t n = member(st, "items", JSON_OBJECT), is;
	void *list = st->items;
	enum status rc;

	if (n == 0)
		return ST_INVALID;
	rc =
	    reserve(&list, &st->item_cap, j->node[n].count, sizeof(*st->items));
	st->items = list;
	if (rc != ST_OK)
		return rc;
	for (uint32_t i = n + 1; i < j->node[n].next; i = j->node[i + 1].next) {
		struct state_item *it = &st->items[st->item_count];
		size_t tail = 2 + 2 * ID_LEN; /* "/@" and the id */

		it->path = it->list = json_raw(j, i);
		is = json_get_typed(j, i + 1, "is", JSON_STRING);
		if (is == 0 || it->path.len <= tail)
			return ST_INVALID;
		it->list.len -= tail;
		it->n = (uint32_t)json_int(j, i + 1, "n", 0);
		it->is = json_is(j, is, "in")    ? STATE_IN
			 : json_is(j, is, "out") ? STATE_OUT
						 : STATE_CONFLICT;
		st->item_count++;
	}
	return ST_OK;
}

static enum state_sign
sign_of(const struct json *j, uint32_t n)
{
	if (n == 0)
		return STATE_NO_SIGN;
	if (json_is(j, n, "ok"))
		return STATE_SIGN_OK;
	if (json_is(j, n, "stale"))
		return STATE_SIGN_STALE;
	return json_is(j, n, "mismatch") ? STATE_SIGN_MISMATCH
					 : STATE_SIGN_UNKNOWN;
}

/* One pass over the act's members: they are few, but acts are many. */
static enum status
read_act(const struct json *j, uint32_t n, struct state_act *out)
{
	struct state_act a = { .id = json_raw(j, n), .node = n + 1 };
	uint32_t is = 0, sign = 0;

	if (j->node[n + 1].type != JSON_OBJECT)
		return ST_INVALID;
	for (uint32_t i = n + 2; i < j->node[n + 1].next;
	     i = j->node[i + 1].next) {
		uint32_t v = i + 1;
		enum json_type t = j->node[v].type;

		if (json_is(j, i, "do"))
			a.verb = text_of(j, v);
		else if (json_is(j, i, "by"))
			a.by = text_of(j, v);
		else if (json_is(j, i, "at"))
			a.at = text_of(j, v);
		else if (json_is(j, i, "on") && t == JSON_ARRAY)
			a.on = v;
		else if (json_is(j, i, "data") && t == JSON_ARRAY)
			a.data = v;
		else if (json_is(j, i, "more") && t == JSON_OBJECT)
			a.more = v;
		else if (json_is(j, i, "is"))
			is = v;
		else if (json_is(j, i, "sign"))
			sign = v;
		else if (json_is(j, i, "withheld"))
			a.blind = true;
	}
	if (a.verb.len == 0 || a.on == 0 || is == 0)
		return ST_INVALID;
	a.is = json_is(j, is, "in")    ? STATE_IN
	       : json_is(j, is, "out") ? STATE_OUT
				       : STATE_CONFLICT;
	a.sign = sign_of(j, sign);
	*out = a;
	return ST_OK;
}

static enum status
read_acts(struct state *st)
{
	const struct json *j = &st->tape;
	uint32_t n = member(st, "acts", JSON_OBJECT);
	void *list = st->acts;
	enum status rc;

	if (n == 0)
		return ST_INVALID;
	rc = reserve(&list, &st->act_cap, j->node[n].count, sizeof(*st->acts));
	st->acts = list;
	if (rc != ST_OK)
		return rc;
	for (uint32_t i = n + 1; i < j->node[n].next; i = j->node[i + 1].next) {
		rc = read_act(j, i, &st->acts[st->act_count]);
		if (rc != ST_OK)
			return rc;
		st->act_count++;
	}
	return ST_OK;
}

/* [[id, word] …] */
static bool
pairs_ok(const struct json *j, uint32_t n)
{
	for (uint32_t v = n + 1; v < j->node[n].next; v = j->node[v].next) {
		if (j->node[v].type != JSON_ARRAY || j->node[v].count != 2 ||
		    j->node[v + 1].type != JSON_STRING ||
		    j->node[v + 2].type != JSON_STRING)
			return false;
	}
	return true;
}

static enum status
read_rest(struct state *st)
{
	const struct json *j = &st->tape;

	st->kinds = member(st, "kind", JSON_ARRAY);
	st->status = member(st, "status", JSON_ARRAY);
	st->links = member(st, "links", JSON_OBJECT);
	st->bare = member(st, "bare", JSON_ARRAY);
	st->blind = member(st, "blind", JSON_ARRAY);
	st->missing = member(st, "missing", JSON_ARRAY);
	st->rec = text_of(j, member(st, "rec", JSON_STRING));
	st->is_void = json_bool(j, 0, "void", false);
	if (st->kinds == 0 || st->status == 0 || st->links == 0 ||
	    st->bare == 0 || st->blind == 0 || st->missing == 0 ||
	    st->rec.len == 0 || !pairs_ok(j, st->status))
		return ST_INVALID;
	for (uint32_t i = st->links + 1; i < j->node[st->links].next;
	     i = j->node[i + 1].next) {
		if (j->node[i + 1].type != JSON_ARRAY || !pairs_ok(j, i + 1))
			return ST_INVALID;
	}
	return ST_OK;
}

enum status
state_read(struct state *st, struct bytes bytes)
{
	enum status rc;

	st->field_count = st->item_count = st->act_count = 0;
	rc = json_parse(&st->tape, bytes, JSON_LINE);
	if (rc == ST_OK && json_int(&st->tape, 0, "v", 0) != 1)
		rc = ST_INVALID;
	if (rc == ST_OK)
		rc = read_fields(st);
	if (rc == ST_OK)
		rc = read_items(st);
	if (rc == ST_OK)
		rc = read_acts(st);
	if (rc == ST_OK)
		rc = read_rest(st);
	if (rc != ST_OK)
		st->field_count = st->item_count = st->act_count = 0;
	return rc;
}

const struct state_field *
state_field(const struct state *st, struct bytes path)
{
	size_t lo = 0, hi = st->field_count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = bytes_cmp(st->fields[mid].path, path);

		if (c == 0)
			return &st->fields[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static void
value_at(const struct state *st, uint32_t pair, struct state_value *out)
{
	const struct json *j = &st->tape;
	uint32_t n = pair + 2;

	out->id = json_raw(j, pair + 1);
	out->node = n;
	out->text = out->json = json_raw(j, n);
	if (j->node[n].type == JSON_STRING) {
		out->json.p--; /* with its quotes */
		out->json.len += 2;
	}
	out->null = j->node[n].type == JSON_NULL;
	out->withheld = j->node[n].type == JSON_OBJECT;
}

bool
state_value(const struct state *st, const struct state_field *f, size_t i,
    struct state_value *out)
{
	uint32_t v = 0;

	if (f == NULL || i >= f->count)
		return false;
	v = f->node + 1;
	while (i-- > 0)
		v = st->tape.node[v].next;
	value_at(st, v, out);
	return true;
}

bool
state_first(const struct state *st, struct bytes path, struct state_value *out)
{
	struct state_value v;

	if (!state_value(st, state_field(st, path), 0, &v) || v.null)
		return false;
	*out = v;
	return true;
}

/* The first item whose path is not below `path`. */
static size_t
item_bound(const struct state *st, struct bytes path)
{
	size_t lo = 0, hi = st->item_count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (bytes_cmp(st->items[mid].path, path) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct state_item *
state_item(const struct state *st, struct bytes path)
{
	size_t i = item_bound(st, path);

	if (i < st->item_count && bytes_eq(st->items[i].path, path))
		return &st->items[i];
	return NULL;
}

void
state_items(
    const struct state *st, struct bytes list, size_t *first, size_t *end)
{
	uint8_t from[PATH_BYTES_MAX + 2];
	size_t i;

	*first = *end = 0;
	if (list.len > PATH_BYTES_MAX)
		return;
	if (list.len > 0)
		memcpy(from, list.p, list.len);
	memcpy(from + list.len, "/@", 2);
	i = item_bound(st, bytes_of(from, list.len + 2));
	*first = i;
	/* Items of lists inside items sort between their parents. */
	while (i < st->item_count && st->items[i].path.len > list.len + 1 &&
	       memcmp(st->items[i].path.p, from, list.len + 2) == 0)
		i++;
	*end = i;
}

struct bytes
state_status(const struct state *st)
{
	const struct json *j = &st->tape;

	if (j->node[st->status].count == 0)
		return bytes_str("");
	return json_raw(j, st->status + 3);
}
