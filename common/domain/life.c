#include "domain/life.h"

#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "entry/entry.h"
#include "entry/json.h"

enum { KEY_MAX = 600 };

const char *
life_state_name(enum life_state s)
{
	static const char *const names[] = { "open", "answered", "closed",
		"gone" };

	return names[s];
}

void
lives_init(struct lives *l)
{
	*l = (struct lives){ .list = NULL };
}

void
lives_free(struct lives *l)
{
	free(l->list);
	lives_init(l);
}

/* ---- what a note says of a finding */

/* A text member of `more`; empty where it is absent or needs decoding. */
static struct bytes
more_text(const struct state *st, const struct state_act *a, const char *name)
{
	const struct json *j = &st->tape;
	uint32_t n =
	    a->more == 0 ? 0 : json_get_typed(j, a->more, name, JSON_STRING);

	if (n == 0 || j->node[n].escaped)
		return bytes_of("", 0);
	return json_raw(j, n);
}

static bool
is_note(const struct state_act *a)
{
	return bytes_eq_str(a->verb, "note") && !a->blind;
}

static const struct rules_entry *
entry_of(const struct rules_entry *entries, size_t count, struct bytes hex)
{
	uint8_t id[ID_LEN];

	if (hex_decode(id, ID_LEN, hex) != ST_OK)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (memcmp(entries[i].id, id, ID_LEN) == 0)
			return &entries[i];
	}
	return NULL;
}

bool
life_found_against(
    const struct rules_entry *entries, size_t count, struct bytes person)
{
	for (size_t i = 0; i < count; i++) {
		if (!entries[i].centre && bytes_eq(entries[i].by, person))
			return true;
	}
	return false;
}

bool
life_is_irregular(const struct state *st, const struct state_act *act,
    const struct rules_entry *entries, size_t count)
{
	const struct rules_entry *e;

	if (!is_note(act) || more_text(st, act, "finding").len == 0 ||
	    more_text(st, act, "do").len == 0)
		return false;
	e = entry_of(entries, count, act->id);
	return e == NULL || !e->centre ||
	       life_found_against(entries, count, act->by);
}

void
life_said(const struct finding *f, char out[LIFE_SAID_LEN + 1])
{
	char head[64];
	uint8_t hash[HASH_LEN];
	struct bytes parts[3];
	size_t n = 0;

	/* rule, version and severity, then the words. */
	for (uint32_t v = f->version; v > 0; v /= 10)
		head[n++] = (char)('0' + v % 10);
	head[n++] = ' ';
	head[n++] = (char)('0' + (int)f->severity);
	parts[0] = bytes_str(f->rule);
	parts[1] = bytes_of(head, n);
	parts[2] = bytes_str(f->zh);
	sha256_many(hash, parts, 3);
	hex_encode(out, bytes_of(hash, LIFE_SAID_LEN / 2));
}

/* ---- the list */

static struct life *
life_new(struct lives *l)
{
	if (l->count == l->cap) {
		size_t cap = l->cap == 0 ? 16 : 2 * l->cap;
		struct life *bigger = realloc(l->list, cap * sizeof(*bigger));

		if (bigger == NULL)
			return NULL;
		l->list = bigger;
		l->cap = cap;
	}
	memset(&l->list[l->count], 0, sizeof(*l->list));
	return &l->list[l->count++];
}

static struct life *
life_at(struct lives *l, struct bytes key)
{
	for (size_t i = 0; i < l->count; i++) {
		if (bytes_eq(l->list[i].key, key))
			return &l->list[i];
	}
	return NULL;
}

static int
by_hex(const void *key, const void *act)
{
	return bytes_cmp(
	    *(const struct bytes *)key, ((const struct state_act *)act)->id);
}

static const struct state_act *
act_of(const struct state *st, const uint8_t id[ID_LEN])
{
	char hex[2 * ID_LEN + 1] = "";
	struct bytes key = bytes_of(hex, 2 * (size_t)ID_LEN);

	hex_encode(hex, bytes_of(id, ID_LEN));
	return st->act_count == 0 ? NULL
				  : bsearch(&key, st->acts, st->act_count,
					sizeof(*st->acts), by_hex);
}

/* A word of the centre's own. */
static void
take_word(struct life *l, const struct state *st, const struct state_act *a,
    struct bytes what)
{
	if (bytes_eq_str(what, "close")) {
		l->closing.act = a;
		l->reopened = false;
	} else if (bytes_eq_str(what, "reopen")) {
		l->reopened = l->closing.act != NULL;
		l->answers = 0;
		l->answer.act = NULL;
	} else if (bytes_eq_str(what, "assign")) {
		l->owner = more_text(st, a, "to");
	}
}

static enum status
take_note(
    struct lives *out, const struct life_input *in, const struct state_act *a)
{
	struct bytes key = more_text(in->st, a, "finding");
	struct bytes what = more_text(in->st, a, "do");
	struct life *l;

	if (key.len == 0 || key.len > KEY_MAX || a->is == STATE_OUT)
		return ST_OK;
	if (what.len > 0 &&
	    life_is_irregular(in->st, a, in->entries, in->entry_count))
		return ST_OK;
	l = life_at(out, key);
	if (l == NULL) {
		l = life_new(out);
		if (l == NULL)
			return ST_NOMEM;
		l->key = key;
		l->state = LIFE_GONE;
	}
	if (what.len > 0) {
		take_word(l, in->st, a, what);
	} else {
		l->answers++;
		l->answer.act = a;
	}
	return ST_OK;
}

/* Open, answered or closed, by the words on it. */
static void
settle(struct life *l, const struct state *st)
{
	char said[LIFE_SAID_LEN + 1];

	if (l->f == NULL)
		return;
	if (l->closing.act != NULL && !l->reopened) {
		life_said(l->f, said);
		if (bytes_eq_str(more_text(st, l->closing.act, "said"), said)) {
			l->state = LIFE_CLOSED;
			return;
		}
		l->reopened = true;
	}
	l->state = l->answers > 0 ? LIFE_ANSWERED : LIFE_OPEN;
}

/* Whose record it is: the first in order who wrote in the field. */
static struct bytes
first_author(const struct life_input *in)
{
	char hex[2 * ID_LEN + 1];

	for (size_t i = 0; i < in->order_count; i++) {
		const struct rules_entry *e;

		hex_encode(hex, bytes_of(in->order[i], ID_LEN));
		e = entry_of(in->entries, in->entry_count,
		    bytes_of(hex, 2 * (size_t)ID_LEN));
		if (e != NULL && !e->centre)
			return e->by;
	}
	return bytes_of("", 0);
}

static bool
has_words(const struct state *st)
{
	for (size_t i = 0; i < st->act_count; i++) {
		if (st->acts[i].more != 0 && is_note(&st->acts[i]))
			return true;
	}
	return false;
}

static int
by_key(const void *a, const void *b)
{
	const struct life *x = a, *y = b;

	return bytes_cmp(x->key, y->key);
}

enum status
lives_of(struct lives *out, const struct life_input *in)
{
	struct bytes author;
	size_t present = in->findings->count;
	enum status st = ST_OK;

	out->count = 0;
	if (present == 0 && !has_words(in->st))
		return ST_OK;
	author = first_author(in);
	for (size_t i = 0; i < present; i++) {
		struct life *l = life_new(out);

		if (l == NULL)
			return ST_NOMEM;
		l->f = &in->findings->list[i];
		l->key = bytes_str(l->f->key);
	}
	for (size_t i = 0; i < in->order_count && st == ST_OK; i++) {
		const struct state_act *a = act_of(in->st, in->order[i]);

		if (a != NULL && is_note(a) && a->more != 0)
			st = take_note(out, in, a);
	}
	for (size_t i = 0; i < out->count; i++) {
		if (out->list[i].owner.len == 0)
			out->list[i].owner = author;
		settle(&out->list[i], in->st);
	}
	if (out->count > present + 1)
		qsort(out->list + present, out->count - present,
		    sizeof(*out->list), by_key);
	return st;
}

/* ---- telling */

static void
put_word(struct buf *out, const char *name, const struct life_word *w,
    const struct state *st)
{
	const struct json *j = &st->tape;
	const struct state_act *a = w->act;

	json_put_str(out, name);
	buf_u8(out, ':');
	if (a == NULL) {
		buf_str(out, "null");
		return;
	}
	buf_str(out, "{\"at\":");
	json_put_string(out, a->at);
	buf_str(out, ",\"by\":");
	json_put_string(out, a->by);
	buf_str(out, ",\"id\":");
	json_put_string(out, a->id);
	buf_str(out, ",\"text\":");
	if (a->data != 0 && j->node[a->data].count > 0)
		json_canon(j, a->data + 1, out);
	else
		buf_str(out, "null");
	buf_u8(out, '}');
}

void
life_json(const struct life *l, const struct state *st, int offset_min,
    struct buf *out)
{
	char due[32];

	buf_u8(out, '{');
	put_word(out, "answer", &l->answer, st);
	buf_str(out, ",\"answers\":");
	buf_dec(out, l->answers);
	buf_u8(out, ',');
	put_word(out, "closed", &l->closing, st);
	buf_str(out, ",\"due\":");
	if (l->f != NULL && l->f->has_answer && l->f->answer_ms >= 0) {
		at_format(due, (uint64_t)l->f->answer_ms, offset_min);
		json_put_str(out, due);
	} else {
		buf_str(out, "null");
	}
	buf_str(out, ",\"late\":");
	buf_dec(out, l->f != NULL && l->state == LIFE_OPEN ? l->f->late : 0);
	buf_str(out, ",\"owner\":");
	json_put_string(out, l->owner);
	buf_str(out, l->reopened ? ",\"reopened\":true,\"state\":"
				 : ",\"reopened\":false,\"state\":");
	json_put_str(out, life_state_name(l->state));
	buf_u8(out, '}');
}
