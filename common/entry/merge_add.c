/*
 * From an entry's bytes to what the fold needs of it.  All text is borrowed
 * from the bytes where it stands there as it is wanted, and copied where an
 * escape, or the whole path of an add, had to be made.
 */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/merge_impl.h"

/* A copy that lives as long as the merge's entries; p is NULL if there is no
 * memory. */
static struct bytes
keep(struct merge *m, struct bytes text)
{
	uint8_t *p = merge_alloc(&m->kept, text.len, 1);

	if (p != NULL && text.len > 0)
		memcpy(p, text.p, text.len);
	return (struct bytes){ p, text.len };
}

/* `text` itself where it lies in `raw`, else a copy. */
static struct bytes
borrow(struct merge *m, struct bytes raw, struct bytes text)
{
	uintptr_t at = (uintptr_t)text.p, from = (uintptr_t)raw.p;

	if (text.len > 0 && at >= from && at < from + raw.len)
		return text;
	return keep(m, text);
}

/* A node in canonical form. */
static struct bytes
canonical(struct merge *m, const struct json *j, uint32_t n)
{
	const struct json_node *node = &j->node[n];
	struct bytes raw = json_raw(j, n);

	/* An entry's line has no byte that must be escaped and no white space:
	 * what was written without an escape is canonical already. */
	if (node->type == JSON_STRING && !node->escaped)
		return (struct bytes){ raw.p - 1, raw.len + 2 };
	if (node->type != JSON_STRING && node->type != JSON_OBJECT &&
	    node->type != JSON_ARRAY)
		return raw;
	buf_reset(&m->text);
	json_canon(j, n, &m->text);
	if (m->text.err != ST_OK)
		return (struct bytes){ NULL, 0 };
	return keep(m, buf_view(&m->text));
}

/* base, '/', name; p is NULL if there is no memory. */
static struct bytes
join(struct merge *m, struct bytes base, struct bytes name)
{
	size_t len = base.len + 1 + name.len;
	uint8_t *p = merge_alloc(&m->kept, len, 1);

	if (p == NULL)
		return (struct bytes){ NULL, 0 };
	memcpy(p, base.p, base.len);
	p[base.len] = '/';
	memcpy(p + base.len + 1, name.p, name.len);
	return (struct bytes){ p, len };
}

static enum status
take_names(struct merge *m, struct merge_entry *to, const struct entry *e)
{
	char step[1 + 2 * ID_LEN + 1] = "@";

	to->on = merge_alloc(&m->kept, e->on_count, sizeof(*to->on));
	if (to->on == NULL)
		return ST_NOMEM;
	to->on_count = e->on_count;
	hex_encode(step + 1, bytes_of(to->id, ID_LEN));
	for (size_t i = 0; i < e->on_count; i++) {
		if (e->verb != DO_ADD)
			to->on[i] = borrow(m, e->raw, e->on[i]);
		else if (i == 0)
			to->on[i] = join(m, e->on[0], bytes_str(step));
		else
			to->on[i] = join(m, to->on[0], e->on[i]);
		if (to->on[i].p == NULL)
			return ST_NOMEM;
	}
	return ST_OK;
}

static enum status
take_after(struct merge *m, struct merge_entry *to, const struct entry *e)
{
	struct bytes ids = { NULL, e->after_count * ID_LEN };

	if (e->after_count > 0)
		ids.p = e->after[0];
	ids = keep(m, ids);
	if (ids.p == NULL)
		return ST_NOMEM;
	to->after = ids.p;
	to->after_count = e->after_count;
	return ST_OK;
}

/* {"withheld":"<body digest>"} */
static enum status
take_withheld(struct merge *m, struct merge_entry *to, const struct entry *e)
{
	buf_reset(&m->text);
	buf_str(&m->text, "{\"withheld\":");
	json_put_hex(&m->text, bytes_of(e->body_hash, HASH_LEN));
	buf_str(&m->text, "}");
	if (m->text.err != ST_OK)
		return ST_NOMEM;
	to->withheld = keep(m, buf_view(&m->text));
	return to->withheld.p != NULL ? ST_OK : ST_NOMEM;
}

static enum status
take_body(struct merge *m, struct merge_entry *to, const struct entry *e)
{
	if (e->body_is != ENTRY_BODY_WHOLE)
		return take_withheld(m, to, e);
	to->rank = RANK_WHOLE;
	to->value = merge_alloc(&m->kept, e->on_count, sizeof(*to->value));
	if (to->value == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < e->on_count; i++) {
		to->value[i] = canonical(m, &e->body, entry_value(e, i));
		if (to->value[i].p == NULL)
			return ST_NOMEM;
	}
	if (e->more != 0) {
		to->more = canonical(m, &e->body, e->more);
		if (to->more.p == NULL)
			return ST_NOMEM;
	}
	if (e->reason != 0) {
		to->reason = canonical(m, &e->body, e->reason);
		if (to->reason.p == NULL)
			return ST_NOMEM;
	}
	if (e->verb == DO_SIGN) {
		uint32_t shown = json_get(&e->body, e->more, "shown");

		return json_hex(&e->body, shown, to->shown, HASH_LEN);
	}
	return ST_OK;
}

/* Everything but what causality needs; the head is right. */
static enum status
take_effect(struct merge *m, struct merge_entry *to, const struct entry *e)
{
	enum status st;

	to->rank = RANK_BLIND;
	to->verb = e->verb;
	to->kind = borrow(m, e->raw, e->kind);
	to->by = borrow(m, e->raw, e->by);
	to->at = borrow(m, e->raw, e->at);
	if (to->kind.p == NULL || to->by.p == NULL || to->at.p == NULL)
		return ST_NOMEM;
	st = take_names(m, to, e);
	if (st != ST_OK)
		return st;
	return take_body(m, to, e);
}

static enum status
grow(struct merge *m)
{
	size_t cap = m->added_cap < 16 ? 16 : 2 * m->added_cap;
	struct merge_entry *added;

	if (m->added_count < m->added_cap)
		return ST_OK;
	/* Places are 32 bits wide. */
	if (m->added_count >= UINT32_MAX / 2)
		return ST_LIMIT;
	added = realloc(m->added, cap * sizeof(*added));
	if (added == NULL)
		return ST_NOMEM;
	m->added = added;
	m->added_cap = cap;
	return ST_OK;
}

int
merge_better(const struct merge_entry *a, const struct merge_entry *b)
{
	if (a->rank != b->rank)
		return a->rank > b->rank ? -1 : 1;
	/* An id names one head, but for a collision of 128 bits that somebody
	 * made at great cost: even then every order must give the same. */
	return bytes_cmp(a->head, b->head);
}

enum status
merge_add(
    struct merge *m, const uint8_t id[ID_LEN], struct bytes raw, unsigned flags)
{
	struct merge_entry to = { .rank = RANK_BARE };
	struct entry *e = &m->scratch;
	enum status st;
	bool malformed;

	st = entry_parse(e, raw);
	if (st != ST_OK && st != ST_INVALID)
		return st;
	malformed = st == ST_INVALID;
	if (malformed && !e->causal)
		return ST_OK;
	if (m->rec[0] != '\0' && !bytes_eq_str(e->rec, m->rec))
		return ST_INVALID;

	memcpy(to.id, id, ID_LEN);
	to.server = (flags & MERGE_SERVER) != 0;
	to.wall = e->wall;
	to.head = e->head_line;
	st = grow(m);
	if (st == ST_OK)
		st = take_after(m, &to, e);
	if (st == ST_OK && !malformed && (flags & MERGE_BARE) == 0)
		st = take_effect(m, &to, e);
	if (st != ST_OK)
		return st;

	m->added[m->added_count++] = to;
	memcpy(m->rec, e->rec.p, REC_LEN);
	if (e->v > m->newest)
		m->newest = e->v;
	m->done = false;
	return ST_OK;
}

const struct entry *
merge_added(const struct merge *m)
{
	return &m->scratch;
}
