/*
 * The fixed sets that a rule may be over: what the state and the kind say of
 * fields, items and signatures.
 */
#include <string.h>

#include "base/limits.h"
#include "domain/kind_priv.h"
#include "domain/rules_priv.h"

enum { WHAT_BYTES = 512 };

/* A finding about `path`, with words of its own. */
static enum status
found_at(struct check *c, const struct rule *r, struct bytes path,
    const char *zh, const char *en)
{
	struct found f = { .path = path, .what_zh = zh, .what_en = en };

	return check_add(c, r, &f);
}

/* ---- @conflict */

static enum status
conflicts(struct check *c, const struct rule *r)
{
	const struct state *st = c->st;
	const struct json *j = &st->tape;
	uint8_t path[2 + 2 * ID_LEN];
	enum status rc = ST_OK;

	for (size_t i = 0; i < st->field_count && rc == ST_OK; i++) {
		if (st->fields[i].count > 1)
			rc = found_at(c, r, st->fields[i].path, "", "");
	}
	for (size_t i = 0; i < st->item_count && rc == ST_OK; i++) {
		if (st->items[i].is == STATE_CONFLICT)
			rc = found_at(c, r, st->items[i].path, "", "");
	}
	for (size_t i = 0; i < st->act_count && rc == ST_OK; i++) {
		if (st->acts[i].is != STATE_CONFLICT ||
		    st->acts[i].id.len != 2 * ID_LEN)
			continue;
		path[0] = '@';
		memcpy(path + 1, st->acts[i].id.p, 2 * ID_LEN);
		rc = found_at(c, r, bytes_of(path, 1 + 2 * ID_LEN), "", "");
	}
	if (rc == ST_OK && j->node[st->status].count > 1)
		rc = found_at(c, r, bytes_str("status"), "", "");
	for (uint32_t i = st->links + 1;
	     rc == ST_OK && i < j->node[st->links].next;
	     i = j->node[i + 1].next) {
		uint8_t name[6 + REC_LEN];

		if (j->node[i + 1].count < 2 || j->node[i].len != REC_LEN)
			continue;
		memcpy(name, "links/", 6);
		memcpy(name + 6, json_raw(j, i).p, REC_LEN);
		rc = found_at(c, r, bytes_of(name, sizeof(name)), "", "");
	}
	return rc;
}

/* ---- @stale, @mismatch */

/* Words for who signed: more.person, as a path in words. */
static enum status
signer_words(
    struct check *c, const struct state_act *a, bool zh, char out[WHAT_BYTES])
{
	const struct json *j = &c->st->tape;
	uint32_t n = a->more != 0
			 ? json_get_typed(j, a->more, "person", JSON_STRING)
			 : 0;
	struct buf b;
	enum status st;

	out[0] = '\0';
	buf_init(&b, WHAT_BYTES - 1);
	if (n != 0)
		check_path_words(c, json_raw(j, n), zh, &b);
	else
		buf_bytes(&b, a->by);
	st = b.err == ST_LIMIT ? ST_OK : b.err;
	if (b.len > 0 && b.err == ST_OK) {
		memcpy(out, b.p, b.len);
		out[b.len] = '\0';
	}
	buf_free(&b);
	return st;
}

static enum status
signatures(struct check *c, const struct rule *r, enum state_sign which)
{
	char zh[WHAT_BYTES], en[WHAT_BYTES];
	uint8_t path[1 + 2 * ID_LEN] = { '@' };
	enum status rc = ST_OK;

	for (size_t i = 0; i < c->st->act_count && rc == ST_OK; i++) {
		const struct state_act *a = &c->st->acts[i];

		if (a->sign != which || a->is == STATE_OUT ||
		    a->id.len != 2 * ID_LEN)
			continue;
		rc = signer_words(c, a, true, zh);
		if (rc == ST_OK)
			rc = signer_words(c, a, false, en);
		memcpy(path + 1, a->id.p, 2 * ID_LEN);
		if (rc == ST_OK)
			rc = found_at(
			    c, r, bytes_of(path, sizeof(path)), zh, en);
	}
	return rc;
}

/* ---- @unsigned */

/* Somebody signed or refused to: there is a sign entry for `who`.  A sign
 * whose body is withheld may be it. */
static bool
has_signed(const struct state *st, struct bytes who)
{
	for (size_t i = 0; i < st->act_count; i++) {
		const struct state_act *a = &st->acts[i];

		if (act_signs(st, a, who) || (a->blind && a->is != STATE_OUT &&
						 bytes_eq_str(a->verb, "sign")))
			return true;
	}
	return false;
}

static enum status
unsigned_one(struct check *c, const struct rule *r, const struct kind_sign *s,
    struct bytes who)
{
	enum truth t = TRUTH_TRUE;

	if (s->when != NULL)
		t = cond_judge(s->when, &c->view);
	if (t == TRUTH_FALSE || t == TRUTH_WITHHELD || has_signed(c->st, who))
		return ST_OK;
	return found_at(c, r, who, s->zh, s->en);
}

static enum status
unsigned_slots(struct check *c, const struct rule *r)
{
	enum status rc = ST_OK;

	for (size_t s = 0; s < c->kind->sign_count && rc == ST_OK; s++) {
		const struct kind_sign *slot = &c->kind->signs[s];
		size_t i, end;

		if (!slot->required)
			continue;
		if (!slot->each) {
			rc = unsigned_one(c, r, slot, bytes_str(slot->who));
			continue;
		}
		state_items(c->st, bytes_str(slot->who), &i, &end);
		for (; i < end && rc == ST_OK; i++) {
			const struct state_item *it = &c->st->items[i];

			if (it->is == STATE_OUT ||
			    !bytes_eq_str(it->list, slot->who))
				continue;
			c->view.item = it->path;
			rc = unsigned_one(c, r, slot, it->path);
			c->view.item = bytes_of(NULL, 0);
		}
	}
	return rc;
}

/* ---- @required */

struct missing {
	struct check *c;
	const struct rule *r;
};

static enum status
take_missing(void *arg, struct bytes path, const char *zh, const char *en)
{
	struct missing *m = arg;

	return found_at(m->c, m->r, path, zh, en);
}

/* ---- @value, @stray */

static enum status
values(struct check *c, const struct rule *r)
{
	const struct state *st = c->st;
	enum status rc = ST_OK;

	for (size_t i = 0; i < st->field_count && rc == ST_OK; i++) {
		const struct state_field *sf = &st->fields[i];
		const struct kind_field *f = kind_field(c->kind, sf->path);
		struct state_value v;
		struct words w;

		for (size_t k = 0;
		     f != NULL && rc == ST_OK && state_value(st, sf, k, &v);
		     k++) {
			if (v.null || v.withheld)
				continue;
			buf_reset(&c->scratch);
			if (kind_judge_node(f, &st->tape, v.node, &c->scratch,
				NULL) == KIND_GOOD)
				continue;
			if (c->scratch.err == ST_NOMEM)
				return ST_NOMEM;
			words_clear(&w);
			(void)kind_judge_node(
			    f, &st->tape, v.node, &c->scratch, &w);
			rc = found_at(c, r, sf->path, w.zh, w.en);
			break; /* one finding a field */
		}
	}
	return rc;
}

static enum status
strays(struct check *c, const struct rule *r)
{
	const struct state *st = c->st;
	bool whole = st->tape.node[st->missing].count == 0;
	enum status rc = ST_OK;

	for (size_t i = 0; i < st->field_count && rc == ST_OK; i++) {
		if (kind_field(c->kind, st->fields[i].path) == NULL)
			rc = found_at(c, r, st->fields[i].path, "", "");
	}
	/* An item whose `add` is nowhere: said only when nothing is missing. */
	for (size_t i = 0; i < st->item_count && rc == ST_OK; i++) {
		const struct state_item *it = &st->items[i];

		if (kind_list(c->kind, it->list) == NULL ||
		    (it->n == 0 && whole))
			rc = found_at(c, r, it->path, "", "");
	}
	return rc;
}

/* ---- @lost */

/* The one path or digest that an act's `on` or `data` holds; empty if it is
 * another thing. */
static struct bytes
only_text(const struct state *st, uint32_t list)
{
	const struct json *j = &st->tape;

	if (list == 0 || j->node[list].type != JSON_ARRAY ||
	    j->node[list].count != 1 || j->node[list + 1].type != JSON_STRING)
		return bytes_of(NULL, 0);
	return json_raw(j, list + 1);
}

/* The digest that a note in force says is lost, and of which `attach`. */
static struct bytes
lost_digest(const struct state *st, const struct state_act *a)
{
	uint32_t n = 0;

	if (a->is != STATE_OUT && a->more != 0 && bytes_eq_str(a->verb, "note"))
		n = json_get_typed(&st->tape, a->more, "lost", JSON_STRING);
	return n == 0 ? bytes_of(NULL, 0) : json_raw(&st->tape, n);
}

/* Does a note say so of this `attach`? */
static bool
is_lost(const struct state *st, const struct state_act *attach)
{
	struct bytes digest = only_text(st, attach->data);

	for (size_t i = 0; i < st->act_count; i++) {
		const struct state_act *a = &st->acts[i];
		struct bytes lost = lost_digest(st, a), on;

		if (lost.len == 0 || !bytes_eq(lost, digest))
			continue;
		on = only_text(st, a->on);
		if (on.len == attach->id.len + 1 && on.p[0] == '@' &&
		    memcmp(on.p + 1, attach->id.p, attach->id.len) == 0)
			return true;
	}
	return false;
}

static bool
attaches(const struct state *st, const struct state_act *a, struct bytes digest)
{
	return a->is != STATE_OUT && !a->blind &&
	       bytes_eq_str(a->verb, "attach") &&
	       (digest.len == 0 || bytes_eq(only_text(st, a->data), digest));
}

/* The same bytes, attached once more, make up for it. */
static bool
is_made_good(const struct state *st, struct bytes digest)
{
	for (size_t i = 0; i < st->act_count; i++) {
		const struct state_act *a = &st->acts[i];

		if (attaches(st, a, digest) && !is_lost(st, a))
			return true;
	}
	return false;
}

static enum status
lost_one(struct check *c, const struct rule *r, const struct state_act *a)
{
	const struct json *j = &c->st->tape;
	uint32_t n =
	    a->more == 0 ? 0 : json_get_typed(j, a->more, "name", JSON_STRING);
	uint8_t path[1 + 2 * ID_LEN] = { '@' };
	char name[WHAT_BYTES] = "";
	struct buf b;

	if (a->id.len != 2 * ID_LEN)
		return ST_OK;
	buf_init(&b, sizeof(name) - 1);
	if (n != 0)
		json_text(j, n, &b);
	if (b.err == ST_NOMEM)
		return ST_NOMEM;
	if (b.err == ST_OK && b.len > 0)
		memcpy(name, b.p, b.len);
	buf_free(&b);
	memcpy(path + 1, a->id.p, 2 * ID_LEN);
	return found_at(c, r, bytes_of(path, sizeof(path)), name, name);
}

static enum status
losses(struct check *c, const struct rule *r)
{
	const struct state *st = c->st;
	bool any = false;
	enum status rc = ST_OK;

	/* Most records have no such note: then nothing is compared. */
	for (size_t i = 0; i < st->act_count && !any; i++)
		any = lost_digest(st, &st->acts[i]).len > 0;
	for (size_t i = 0; any && i < st->act_count && rc == ST_OK; i++) {
		const struct state_act *a = &st->acts[i];

		if (attaches(st, a, bytes_of(NULL, 0)) && is_lost(st, a) &&
		    !is_made_good(st, only_text(st, a->data)))
			rc = lost_one(c, r, a);
	}
	return rc;
}

enum status
check_set(struct check *c, const struct rule *r)
{
	struct missing m = { .c = c, .r = r };

	switch (r->over) {
	case OVER_CONFLICT:
		return conflicts(c, r);
	case OVER_STALE:
		return signatures(c, r, STATE_SIGN_STALE);
	case OVER_MISMATCH:
		return signatures(c, r, STATE_SIGN_MISMATCH);
	case OVER_UNSIGNED:
		return unsigned_slots(c, r);
	case OVER_REQUIRED:
		return kind_missing(c->kind, c->st, take_missing, &m);
	case OVER_LOST:
		return losses(c, r);
	case OVER_VALUE:
		return values(c, r);
	case OVER_STRAY:
		return strays(c, r);
	default:
		return check_entries(c, r);
	}
}
