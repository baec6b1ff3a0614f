/*
 * commit_erase: orders to erase that a log which ended had, carried out again
 * (docs/ERASING.md, docs/PROTOCOL.md, section 9).
 *
 * Both of an order's words have come, each signed by the old centre's chain:
 * then the order is repeated on this chain, and the bodies go in the same
 * transaction.  Entries that are not here yet are awaited: theirs goes within
 * the one that gives them their place.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/json.h"
#include "erase/erase.h"
#include "server/core/commit_inner.h"

/* docs: the words, by the proposal's id; and the ids that are awaited. */
#define WORD_DOC "erase_word"
#define AWAITED_DOC "erase_awaited"

enum { WHY_MAX = 160 };

/* ---- what is awaited */

struct ids {
	uint8_t (*id)[ID_LEN];
	size_t count;
};

static enum status
take_id(void *arg, const struct store_doc *d)
{
	struct ids *x = arg;
	uint8_t(*bigger)[ID_LEN];

	bigger = realloc(x->id, (x->count + 1) * sizeof(*bigger));
	if (bigger == NULL)
		return ST_NOMEM;
	x->id = bigger;
	if (hex_decode(x->id[x->count], ID_LEN, d->key) != ST_OK)
		return ST_CORRUPT;
	x->count++;
	return ST_OK;
}

enum status
commit_awaited_load(struct centre *c)
{
	struct ids x = { .id = NULL };
	enum status st;

	if (!c->awaited_old)
		return ST_OK;
	st = store_docs(store_inside(c->store), AWAITED_DOC, take_id, &x);
	if (st != ST_OK) {
		free(x.id);
		return st;
	}
	free(c->awaited);
	c->awaited = x.id;
	c->awaited_count = x.count;
	c->awaited_old = false;
	return ST_OK;
}

static enum status
await(struct txn *t, const uint8_t id[ID_LEN])
{
	char hex[2 * ID_LEN + 1];
	struct store_doc d = { .sort = bytes_str(AWAITED_DOC),
		.made = t->wall,
		.doc = bytes_str("{}") };

	hex_encode(hex, bytes_of(id, ID_LEN));
	d.key = bytes_str(hex);
	t->rows = t->erased = true;
	return store_put_doc(t->s, &d);
}

enum status
txn_arrived(struct txn *t, const uint8_t link[HASH_LEN], uint64_t place)
{
	char hex[2 * ID_LEN + 1];
	bool awaited = false;
	enum status st;

	for (size_t i = 0; i < t->c->awaited_count && !awaited; i++)
		awaited = memcmp(t->c->awaited[i], link, ID_LEN) == 0;
	if (!awaited)
		return ST_OK;
	hex_encode(hex, bytes_of(link, ID_LEN));
	t->rows = t->erased = true;
	st = store_erase(t->s, place);
	if (st == ST_OK)
		st = store_remove_doc(t->s, AWAITED_DOC, bytes_str(hex));
	return st == ST_ABSENT ? ST_OK : st;
}

/* ---- the words */

/* A word of an order, kept until the other one is there too. */
struct kept_word {
	struct buf raw;
	uint8_t id[ID_LEN];
	uint64_t place; /* in the old log */
};

static enum status
read_word(void *arg, const struct store_doc *d)
{
	struct kept_word *w = arg;
	struct json j;
	uint32_t n, id;
	size_t len = 0;
	uint8_t *to;
	int64_t place;
	enum status st;

	json_init(&j);
	st = json_parse(&j, d->doc, JSON_DOCUMENT);
	n = st == ST_OK ? json_get_typed(&j, 0, "entry", JSON_STRING) : 0;
	id = st == ST_OK ? json_get_typed(&j, 0, "id", JSON_STRING) : 0;
	place = st == ST_OK ? json_int(&j, 0, "place", -1) : -1;
	to = buf_extend(&w->raw, ENTRY_BYTES_MAX);
	if (st == ST_OK && to == NULL)
		st = ST_NOMEM;
	if (st == ST_OK && (n == 0 || id == 0 || place < 0 ||
			       json_hex(&j, id, w->id, ID_LEN) != ST_OK ||
			       base64_decode(to, ENTRY_BYTES_MAX, &len,
				   json_raw(&j, n)) != ST_OK))
		st = ST_CORRUPT;
	w->raw.len = len;
	w->place = (uint64_t)place;
	json_free(&j);
	return st == ST_INVALID ? ST_CORRUPT : st;
}

static enum status
keep_word(struct txn *t, const char *key, const struct wire_leaf *l)
{
	struct store_doc d = { .sort = bytes_str(WORD_DOC),
		.key = bytes_str(key),
		.made = t->wall };
	size_t cap = 4 * ((l->entry.raw.len + 2) / 3) + 1;
	char *text = malloc(cap);
	struct buf b;
	enum status st;

	if (text == NULL)
		return ST_NOMEM;
	base64_encode(text, l->entry.raw);
	buf_init(&b, cap + 256);
	buf_printf(&b, "{\"place\":%" PRIu64 ",\"id\":", l->place);
	json_put_hex(&b, bytes_of(l->link, ID_LEN));
	buf_str(&b, ",\"entry\":");
	json_put_str(&b, text);
	buf_u8(&b, '}');
	d.doc = buf_view(&b);
	t->rows = true;
	st = b.err == ST_OK ? store_put_doc(t->s, &d) : b.err;
	buf_free(&b);
	free(text);
	return st;
}

/* Under what it is kept: the proposal's id, behind "@" for its confirmation.
 * False: no word that could carry anything out. */
static bool
key_of(const struct entry *e, const struct wire_leaf *l,
    char open[2 * ID_LEN + 1], char yes[2 * ID_LEN + 2], bool *is_open)
{
	uint8_t id[ID_LEN];

	*is_open = e->verb == DO_OPEN;
	if (*is_open) {
		memcpy(id, l->link, ID_LEN);
	} else if (e->verb != DO_APPROVE || e->on_count != 1 ||
		   e->on[0].len != 1 + 2 * (size_t)ID_LEN ||
		   e->body_is != ENTRY_BODY_WHOLE ||
		   e->body.node[entry_value(e, 0)].type != JSON_TRUE ||
		   hex_decode(id, ID_LEN,
		       bytes_of(e->on[0].p + 1, 2 * (size_t)ID_LEN)) != ST_OK) {
		return false;
	}
	hex_encode(open, bytes_of(id, ID_LEN));
	yes[0] = '@';
	memcpy(yes + 1, open, 2 * ID_LEN + 1);
	return true;
}

/* ---- carrying it out */

struct carrying {
	struct txn *t;
	struct entry *e; /* scratch */
	struct kept_word open, yes;
	struct erasures *set;
	const struct erase_order *o;
	uint64_t *place; /* owned: of each entry here; UINT64_MAX: not here */
};

/* The order as the old log had it: in effect, or nothing is done. */
static enum status
make_order(struct carrying *k)
{
	bool effect = false;
	enum status st = erasures_new(&k->set);

	if (st == ST_OK)
		st = entry_parse(k->e, buf_view(&k->open.raw));
	if (st == ST_OK)
		st = erasures_take(
		    k->set, k->e, k->open.id, k->open.place, NULL);
	if (st == ST_OK)
		st = entry_parse(k->e, buf_view(&k->yes.raw));
	if (st == ST_OK)
		st = erasures_take(
		    k->set, k->e, k->yes.id, k->yes.place, &effect);
	if (st == ST_OK && effect)
		k->o = erasures_find(k->set, k->open.id);
	return st == ST_INVALID ? ST_OK : st;
}

static bool
may_go(const struct store_entry *e, const uint8_t id[ID_LEN])
{
	return memcmp(e->link, id, ID_LEN) == 0 &&
	       (e->flags & (STORE_SERVER | STORE_LOST)) == 0;
}

/* Where each of the order's entries stands here.  What the backup has stands
 * where it stood; the rest is looked for behind it. */
static enum status
find_places(struct carrying *k, uint64_t kept)
{
	struct store_reader *r = store_inside(k->t->s);
	struct store_entry e;
	size_t left = 0;
	enum status st = ST_OK;

	k->place = calloc(k->o->count + 1, sizeof(*k->place));
	if (k->place == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < k->o->count && st == ST_OK; i++) {
		uint64_t at = k->o->entry[i].place;

		k->place[i] = UINT64_MAX;
		st = at < k->t->next ? store_entry_head(r, at, &e) : ST_ABSENT;
		if (st == ST_OK && may_go(&e, k->o->entry[i].id))
			k->place[i] = at;
		left += k->place[i] == UINT64_MAX;
		st = st == ST_ABSENT ? ST_OK : st;
	}
	for (uint64_t p = kept; p < k->t->next && left > 0 && st == ST_OK;
	     p++) {
		st = store_entry_head(r, p, &e);
		for (size_t i = 0; st == ST_OK && i < k->o->count; i++) {
			if (k->place[i] != UINT64_MAX ||
			    !may_go(&e, k->o->entry[i].id))
				continue;
			k->place[i] = p;
			left--;
		}
		st = st == ST_ABSENT ? ST_OK : st;
	}
	return st;
}

/* Values as they were, but for places: those of this log. */
static enum status
put_values(const struct carrying *k, struct buf *out)
{
	const struct entry *e = k->e;
	struct buf text;
	size_t at = 0;

	buf_init(&text, ENTRY_BYTES_MAX);
	buf_u8(out, '[');
	for (size_t i = 0; i < e->on_count; i++) {
		const struct json_node *n = &e->body.node[entry_value(e, i)];

		if (i > 0)
			buf_u8(out, ',');
		if (bytes_starts(e->on[i], "entries/@") && at < k->o->count) {
			uint64_t p = k->place[at++];

			if (p == UINT64_MAX)
				buf_str(out, "null");
			else
				json_put_int(out, (int64_t)p);
		} else if (n->type == JSON_STRING) {
			buf_reset(&text);
			json_text(&e->body, entry_value(e, i), &text);
			json_put_string(out, buf_view(&text));
		} else {
			buf_str(out, "null");
		}
	}
	buf_u8(out, ']');
	if (out->err == ST_OK && text.err != ST_OK)
		out->err = text.err;
	buf_free(&text);
	return out->err;
}

/* Proposal and confirmation once more, by the same two. */
static enum status
write_order(struct carrying *k, struct buf *text)
{
	char why[WHY_MAX], name[2 * ID_LEN + 2] = "@";
	uint8_t after[1][ID_LEN];
	struct bytes on;
	struct server_entry open = { .kind = ERASE_KIND,
		.verb = DO_OPEN,
		.by = k->o->by,
		.on = k->e->on };
	struct server_entry yes = { .kind = ERASE_KIND,
		.verb = DO_APPROVE,
		.by = k->o->decided_by,
		.on = &on,
		.on_count = 1,
		.data = bytes_str("[true]"),
		.after = (const uint8_t(*)[ID_LEN])after,
		.after_count = 1 };
	enum status st = entry_parse(k->e, buf_view(&k->open.raw));

	(void)snprintf(why, sizeof(why),
	    "恢复以前的日志已有此令（旧位置 %" PRIu64
	    "） / ordered in the log before the restore (old place %" PRIu64
	    ")",
	    k->yes.place, k->yes.place);
	buf_reset(text);
	if (st == ST_OK && k->e->body_is != ENTRY_BODY_WHOLE)
		return ST_OK; /* a proposal by its head alone says no ground */
	if (st == ST_OK)
		st = put_values(k, text);
	if (st != ST_OK)
		return st;
	open.on = k->e->on;
	open.on_count = k->e->on_count;
	open.data = buf_view(text);
	open.reason = yes.reason = bytes_str(why);
	centre_new_rec(k->t->c, open.rec);
	memcpy(yes.rec, open.rec, sizeof(yes.rec));
	st = txn_write(k->t, &open);
	if (st != ST_OK)
		return st;
	memcpy(after[0], open.id, ID_LEN);
	hex_encode(name + 1, bytes_of(open.id, ID_LEN));
	on = bytes_str(name);
	return txn_write(k->t, &yes);
}

static enum status
erase_bodies(struct carrying *k)
{
	struct store_entry e;
	enum status st = ST_OK;

	for (size_t i = 0; i < k->o->count && st == ST_OK; i++) {
		if (k->place[i] == UINT64_MAX) {
			st = await(k->t, k->o->entry[i].id);
			continue;
		}
		st = store_entry_head(store_inside(k->t->s), k->place[i], &e);
		if (st == ST_OK && (e.flags & STORE_ERASED) == 0)
			st = store_erase(k->t->s, k->place[i]);
	}
	k->t->rows = k->t->erased = true;
	return st;
}

/* A supervisor sees that it was. */
static enum status
raise(struct carrying *k)
{
	char hex[2 * ID_LEN + 1], doc[128];
	struct store_alarm a = { .wall = k->t->wall,
		.sort = bytes_str("erase_returned"),
		.dev = bytes_str("") };

	hex_encode(hex, bytes_of(k->o->id, ID_LEN));
	(void)snprintf(doc, sizeof(doc),
	    "{\"old_order\":\"%s\",\"entries\":%zu}", hex, k->o->count);
	a.doc = bytes_str(doc);
	return store_put_alarm(k->t->s, &a);
}

static enum status
carry_out(struct carrying *k, uint64_t kept, struct buf *text)
{
	enum status st = make_order(k);

	if (st != ST_OK || k->o == NULL)
		return st;
	st = find_places(k, kept);
	if (st == ST_OK)
		st = write_order(k, text);
	if (st == ST_OK)
		st = erase_bodies(k);
	return st == ST_OK ? raise(k) : st;
}

/* Both words, or nothing yet. */
static enum status
both(struct txn *t, const char *open, const char *yes, struct buf *text)
{
	struct store_reader *r = store_inside(t->s);
	struct carrying k = { .t = t, .e = &t->parse };
	enum status st;

	buf_init(&k.open.raw, ENTRY_BYTES_MAX);
	buf_init(&k.yes.raw, ENTRY_BYTES_MAX);
	st = store_doc(r, WORD_DOC, bytes_str(open), read_word, &k.open);
	if (st == ST_OK)
		st = store_doc(r, WORD_DOC, bytes_str(yes), read_word, &k.yes);
	if (st == ST_OK)
		st = carry_out(&k, centre_ended_kept(t->c), text);
	erasures_free(k.set);
	free(k.place);
	buf_free(&k.open.raw);
	buf_free(&k.yes.raw);
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
txn_erase_word(struct txn *t, const struct wire_leaf *l, struct buf *text)
{
	char open[2 * ID_LEN + 1], yes[2 * ID_LEN + 2];
	bool is_open;
	enum status st = entry_parse(&t->parse, l->entry.raw);

	if (st != ST_OK)
		return st == ST_INVALID ? ST_OK : st;
	if (!key_of(&t->parse, l, open, yes, &is_open))
		return ST_OK;
	st = keep_word(t, is_open ? open : yes, l);
	return st == ST_OK ? both(t, open, yes, text) : st;
}
