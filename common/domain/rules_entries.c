/*
 * The fixed sets that a rule may be over: what is said of whole entries, by
 * the state and by who holds them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "domain/life.h"
#include "domain/rules_priv.h"
#include "entry/entry.h"

/* Clocks that differ by less are not worth a word, where a rule gives no
 * limit of its own. */
static const struct span no_limit = { 0, SPAN_SECOND };

static struct span
limit_of(const struct rule *r)
{
	for (size_t i = 0; i < r->param_count; i++) {
		if (strcmp(r->params[i].name, "limit") == 0 &&
		    r->params[i].type == PARAM_SPAN)
			return r->params[i].value.span;
	}
	return no_limit;
}

static int64_t
limit_ms(const struct rule *r)
{
	struct span s = limit_of(r);

	return s.n * (s.unit == SPAN_SECOND ? 1000 : 86400000);
}

static enum status
found_entry(struct check *c, const struct rule *r, const uint8_t id[ID_LEN],
    const char *zh, const char *en)
{
	char path[2 + 2 * ID_LEN];
	struct found f = { .what_zh = zh, .what_en = en };

	path[0] = '@';
	hex_encode(path + 1, bytes_of(id, ID_LEN));
	f.path = bytes_str(path);
	return check_add(c, r, &f);
}

/* ---- @step */

/* Some status of [[id, word] …] allows the step; none = before the first. */
static bool
step_allowed(const struct check *c, uint32_t from, struct bytes to)
{
	const struct json *j = &c->st->tape;

	if (from == 0 || j->node[from].count == 0)
		return kind_step_ok(c->kind, bytes_of("", 0), to);
	for (uint32_t p = from + 1; p < j->node[from].next;
	     p = j->node[p].next) {
		if (j->node[p].type == JSON_ARRAY && j->node[p].count == 2 &&
		    kind_step_ok(c->kind, json_raw(j, p + 2), to))
			return true;
	}
	return false;
}

static void
status_words(const struct check *c, struct bytes id, bool zh, struct buf *out)
{
	const struct kind_status *s = kind_status(c->kind, id);

	if (s != NULL)
		buf_str(out, zh ? s->zh : s->en);
	else
		buf_bytes(out, id);
}

static enum status
steps(struct check *c, const struct rule *r)
{
	const struct json *j = &c->st->tape;
	enum status rc = ST_OK;

	for (size_t i = 0; i < c->st->act_count && rc == ST_OK; i++) {
		const struct state_act *a = &c->st->acts[i];
		struct buf zh, en;
		struct bytes to;
		uint8_t id[ID_LEN];

		if (!bytes_eq_str(a->verb, "advance") || a->is == STATE_OUT ||
		    j->node[a->on].count == 0)
			continue;
		to = json_raw(j, a->on + 1);
		if (step_allowed(c,
			json_get_typed(j, a->node, "from", JSON_ARRAY), to) ||
		    hex_decode(id, ID_LEN, a->id) != ST_OK)
			continue;
		buf_init(&zh, 256);
		buf_init(&en, 256);
		status_words(c, to, true, &zh);
		status_words(c, to, false, &en);
		if (buf_cstr(&zh) == NULL || buf_cstr(&en) == NULL)
			rc = ST_NOMEM;
		else
			rc =
			    found_entry(c, r, id, buf_cstr(&zh), buf_cstr(&en));
		buf_free(&zh);
		buf_free(&en);
	}
	return rc;
}

/* ---- @reopened */

/* a is before b by clock and id: which of two opens was the first. */
static bool
earlier(const struct rules_entry *a, const struct rules_entry *b)
{
	if (a->wall_ms != b->wall_ms)
		return a->wall_ms < b->wall_ms;
	return memcmp(a->id, b->id, ID_LEN) < 0;
}

static enum status
reopened(struct check *c, const struct rule *r)
{
	const struct rules_entry *e = c->cx->entries, *first = NULL;
	enum status rc = ST_OK;

	for (size_t i = 0; i < c->cx->entry_count; i++) {
		if (strcmp(e[i].verb, "open") == 0 &&
		    (first == NULL || earlier(&e[i], first)))
			first = &e[i];
	}
	for (size_t i = 0; i < c->cx->entry_count && rc == ST_OK; i++) {
		if (first != NULL && strcmp(e[i].verb, "open") == 0 &&
		    memcmp(e[i].id, first->id, ID_LEN) != 0)
			rc = found_entry(c, r, e[i].id, "", "");
	}
	return rc;
}

/* ---- @kind */

static enum status
other_kinds(struct check *c, const struct rule *r)
{
	const struct json *j = &c->st->tape;
	uint32_t n = c->st->kinds;
	enum status rc = ST_OK;

	for (uint32_t i = n + 1; i < j->node[n].next && rc == ST_OK;
	     i = j->node[i].next) {
		char text[64];
		struct bytes raw = json_raw(j, i);
		struct found f = { .what_zh = text, .what_en = text };

		if (json_is(j, i, c->kind->id) || raw.len >= sizeof(text))
			continue;
		memcpy(text, raw.p, raw.len);
		text[raw.len] = '\0';
		f.path = bytes_str(text);
		rc = check_add(c, r, &f);
	}
	return rc;
}

/* ---- @after_void */

/* What may follow a void: it ends the record, never a measure. */
static bool
may_follow(const char *verb)
{
	static const char *const may[] = { "void", "note", "print", "link",
		"release", "hold", "admit", "attach", "drop", "keep" };

	for (size_t i = 0; i < sizeof(may) / sizeof(may[0]); i++) {
		if (strcmp(verb, may[i]) == 0)
			return true;
	}
	return false;
}

static enum status
after_void(struct check *c, const struct rule *r)
{
	int64_t voided = INT64_MAX, ms;
	int offset;
	enum status rc = ST_OK;

	for (size_t i = 0; i < c->st->act_count; i++) {
		const struct state_act *a = &c->st->acts[i];

		if (bytes_eq_str(a->verb, "void") && a->is != STATE_OUT &&
		    at_parse(&ms, &offset, a->at) == ST_OK && ms < voided)
			voided = ms;
	}
	for (size_t i = 0; i < c->cx->entry_count && rc == ST_OK; i++) {
		const struct rules_entry *e = &c->cx->entries[i];

		if (e->at_ms > voided && !may_follow(e->verb))
			rc = found_entry(c, r, e->id, "", "");
	}
	return rc;
}

/* ---- @late, @clock: one finding for the record */

static enum status
late(struct check *c, const struct rule *r)
{
	struct found f = { .count = 0 };
	int64_t worst = limit_ms(r);
	char zh[48], en[48];

	for (size_t i = 0; i < c->cx->entry_count; i++) {
		const struct rules_entry *e = &c->cx->entries[i];
		int64_t after = (int64_t)e->wall_ms - e->at_ms;

		f.count += after > limit_ms(r);
		worst = after > worst ? after : worst;
	}
	if (f.count == 0)
		return ST_OK;
	ms_show(zh, worst, true);
	ms_show(en, worst, false);
	f.what_zh = zh;
	f.what_en = en;
	return check_add(c, r, &f);
}

/* By chain, boot, time since boot, id. */
static int
by_boot(const void *a, const void *b)
{
	const struct rules_entry *const *x = a, *const *y = b;
	int c = memcmp((*x)->chain, (*y)->chain, CHAIN_LEN);

	if (c == 0)
		c = memcmp((*x)->boot, (*y)->boot, BOOT_LEN);
	if (c == 0 && (*x)->mono_ms != (*y)->mono_ms)
		c = (*x)->mono_ms < (*y)->mono_ms ? -1 : 1;
	return c != 0 ? c : memcmp((*x)->id, (*y)->id, ID_LEN);
}

static bool
same_boot(const struct rules_entry *a, const struct rules_entry *b)
{
	return memcmp(a->chain, b->chain, CHAIN_LEN) == 0 &&
	       memcmp(a->boot, b->boot, BOOT_LEN) == 0;
}

/* By the officer's word it happened after it was written, or it was received
 * before it was written. */
static bool
doubted(const struct rules_entry *e, int64_t limit)
{
	return e->doubt || e->at_ms - (int64_t)e->wall_ms > limit ||
	       (e->received_ms != RULES_NEVER &&
		   (int64_t)e->wall_ms - e->received_ms > limit);
}

/*
 * Within one boot, the clock and the time since boot go on together: an entry
 * for which they do not, as against the first of that boot, was written after
 * the clock was set.
 */
static enum status
clocks(struct check *c, const struct rule *r)
{
	size_t n = c->cx->entry_count;
	const struct rules_entry **list, *first;
	struct found f = { .what_zh = "", .what_en = "" };
	int64_t limit = limit_ms(r), wall, mono;

	if (n == 0)
		return ST_OK;
	list = calloc(n, sizeof(*list));
	if (list == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < n; i++)
		list[i] = &c->cx->entries[i];
	qsort(list, n, sizeof(*list), by_boot);
	first = list[0];
	for (size_t i = 0; i < n; i++) {
		if (!same_boot(first, list[i]))
			first = list[i];
		wall = (int64_t)(list[i]->wall_ms - first->wall_ms);
		mono = (int64_t)(list[i]->mono_ms - first->mono_ms);
		f.count += doubted(list[i], limit) || wall - mono > limit ||
			   mono - wall > limit;
	}
	free(list);
	return f.count > 0 ? check_add(c, r, &f) : ST_OK;
}

/* Whoever closes a finding must be somebody else, and at the centre. */
static enum status
closings(struct check *c, const struct rule *r)
{
	uint8_t id[ID_LEN];
	enum status st = ST_OK;

	for (size_t i = 0; i < c->st->act_count && st == ST_OK; i++) {
		const struct state_act *a = &c->st->acts[i];

		if (c->cx->entry_count > 0 &&
		    life_is_irregular(
			c->st, a, c->cx->entries, c->cx->entry_count) &&
		    hex_decode(id, ID_LEN, a->id) == ST_OK)
			st = found_entry(c, r, id, "", "");
	}
	return st;
}

static enum status
counted(struct check *c, const struct rule *r, uint32_t node)
{
	struct found f = { .what_zh = "", .what_en = "" };

	f.count = c->st->tape.node[node].count;
	return f.count > 0 ? check_add(c, r, &f) : ST_OK;
}

enum status
check_entries(struct check *c, const struct rule *r)
{
	switch (r->over) {
	case OVER_STEP:
		return steps(c, r);
	case OVER_REOPENED:
		return reopened(c, r);
	case OVER_KIND:
		return other_kinds(c, r);
	case OVER_AFTER_VOID:
		return after_void(c, r);
	case OVER_CLOSING:
		return closings(c, r);
	case OVER_LATE:
		return late(c, r);
	case OVER_CLOCK:
		return clocks(c, r);
	case OVER_UNFILMED:
	case OVER_FILM_GAP:
		return check_footage(c, r);
	case OVER_MISSING:
		return counted(c, r, c->st->missing);
	case OVER_BLIND:
		return counted(c, r, c->st->blind);
	default:
		return counted(c, r, c->st->bare);
	}
}
