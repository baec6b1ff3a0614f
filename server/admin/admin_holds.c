/* admin_holds: what is held, admitting it, and holding. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "server/admin/admin_upkeep.h"
#include "server/upkeep/holds.h"

/* Which held entries are meant, and those found. */
struct choice {
	const struct admin *a;
	uint8_t id[ADMIN_MANY_MAX][ID_LEN];
	bool seen[ADMIN_MANY_MAX];
	uint8_t chain[CHAIN_LEN];
	uint64_t branch;
	struct holds_row *row; /* owned */
	size_t count, cap;
};

/* False with words: an option that cannot be read. */
static bool
read_choice(struct choice *c)
{
	const struct admin *a = c->a;
	char *end;

	for (size_t i = 0; i < a->entry_count; i++) {
		if (hex_decode(c->id[i], ID_LEN, bytes_str(a->entry[i])) !=
		    ST_OK) {
			(void)admin_refuse(a, "条目号写法不对",
			    "--entry is an id: 32 hex digits");
			return false;
		}
	}
	if (a->chain != NULL &&
	    hex_decode(c->chain, CHAIN_LEN, bytes_str(a->chain)) != ST_OK) {
		(void)admin_refuse(
		    a, "链号写法不对", "--chain is 32 hex digits");
		return false;
	}
	if (a->branch != NULL) {
		c->branch = strtoull(a->branch, &end, 10);
		if (end == a->branch || end[0] != '\0' || a->chain == NULL) {
			(void)admin_refuse(a, "分支号写法不对",
			    "--branch is a number, and goes with --chain");
			return false;
		}
	}
	return true;
}

static bool
is_meant(struct choice *c, const struct holds_row *r)
{
	const struct admin *a = c->a;

	for (size_t i = 0; i < a->entry_count; i++) {
		if (memcmp(c->id[i], r->id, ID_LEN) == 0) {
			c->seen[i] = true;
			return true;
		}
	}
	if (a->dev != NULL && strcmp(a->dev, r->dev) == 0)
		return true;
	return a->chain != NULL && memcmp(c->chain, r->chain, CHAIN_LEN) == 0 &&
	       (a->branch == NULL || c->branch == r->branch);
}

static enum status
add(struct choice *c, const struct holds_row *r)
{
	if (c->count == c->cap) {
		size_t cap = c->cap == 0 ? 256 : 2 * c->cap;
		struct holds_row *p = realloc(c->row, cap * sizeof(*p));

		if (p == NULL)
			return ST_NOMEM;
		c->row = p;
		c->cap = cap;
	}
	c->row[c->count++] = *r;
	return ST_OK;
}

static enum status
choose(void *arg, const struct holds_row *r)
{
	struct choice *c = arg;

	return is_meant(c, r) ? add(c, r) : ST_OK;
}

static enum status
show(void *arg, const struct holds_row *r)
{
	const struct admin *a = arg;
	char id[2 * ID_LEN + 1];
	struct buf b;

	if (!a->json) {
		hex_encode(id, bytes_of(r->id, ID_LEN));
		(void)printf("%s  %s  %s %s  %s/%" PRIu64 "  %s\n", id, r->rec,
		    r->kind, verb_name(r->verb), r->dev, r->seq, r->reason);
		return ST_OK;
	}
	buf_init(&b, 8192);
	holds_json(r, &b);
	if (buf_cstr(&b) != NULL)
		(void)puts((const char *)b.p);
	buf_free(&b);
	return ST_OK;
}

/* Open what the look-ups read, and list. */
static enum status
each(struct admin *a, struct holds *h, holds_fn fn, void *arg)
{
	static const uint8_t none[ID_LEN];
	enum status st = ST_OK;

	h->centre = a->centre;
	h->feed = feed_inside(a->feed);
	if (h->reader == NULL)
		st = centre_reader_open(&h->reader, a->centre);
	return st == ST_OK ? holds_each(h, 0, none, INT64_MAX, fn, arg) : st;
}

int
admin_held(struct admin *a)
{
	struct holds h = { .reader = NULL };
	enum status st = each(a, &h, show, a);

	centre_reader_close(h.reader);
	return st == ST_OK ? ADMIN_DONE : admin_fail(a, "held", st);
}

static int
put_word(struct admin *a, struct choice *c, struct holds *h, enum verb verb)
{
	size_t count = c->count;
	enum status st;

	if (count == 0)
		return admin_refuse(
		    a, "没有这样的条目", "there is no such entry");
	st = holds_put(h, verb, c->row, count, a->reason, a->by);
	if (st == ST_LOCKED)
		return admin_refuse(a, "日志已停止，须先恢复",
		    "the log is stopped and needs restore first");
	if (st != ST_OK)
		return admin_fail(a, verb_name(verb), st);
	if (a->json)
		(void)printf("{\"do\":\"%s\",\"entries\":%zu}\n",
		    verb_name(verb), count);
	else
		(void)printf("%s %zu 条 entries\n",
		    verb == DO_ADMIT ? "已准入 admitted" : "已暂扣 held",
		    count);
	return ADMIN_DONE;
}

/* Every id that was given must be one that is held. */
static bool
all_seen(const struct choice *c)
{
	char en[128];

	for (size_t i = 0; i < c->a->entry_count; i++) {
		if (c->seen[i])
			continue;
		(void)snprintf(
		    en, sizeof(en), "%.32s is not held now", c->a->entry[i]);
		(void)admin_refuse(c->a, "该条目现在没有被暂扣", en);
		return false;
	}
	return true;
}

int
admin_admit(struct admin *a)
{
	struct choice *c = calloc(1, sizeof(*c));
	struct holds h = { .reader = NULL };
	enum status st;
	int rc = ADMIN_USAGE;

	if (c == NULL)
		return admin_fail(a, "admit", ST_NOMEM);
	c->a = a;
	if (a->entry_count == 0 && a->dev == NULL && a->chain == NULL) {
		(void)admin_refuse(a, "须指明条目、设备或链",
		    "--entry, --dev or --chain says which");
	} else if (admin_needs(a, "--reason", a->reason) && read_choice(c)) {
		st = each(a, &h, choose, c);
		if (st != ST_OK)
			rc = admin_fail(a, "admit", st);
		else if (!all_seen(c))
			rc = ADMIN_FAILED;
		else
			rc = put_word(a, c, &h, DO_ADMIT);
	}
	centre_reader_close(h.reader);
	free(c->row);
	free(c);
	return rc;
}

/* Hold what merged: by record and id, since nothing else names it. */
static int
hold_chosen(struct admin *a, struct choice *c, struct holds *h)
{
	struct holds_row row;
	enum status st = ST_OK;

	h->centre = a->centre;
	h->feed = feed_inside(a->feed);
	st = centre_reader_open(&h->reader, a->centre);
	for (size_t i = 0; i < a->entry_count && st == ST_OK; i++) {
		st = holds_find(h, a->record, c->id[i], &row);
		if (st == ST_ABSENT)
			return admin_refuse(a, "该记录没有这样的条目",
			    "the record has no such entry");
		if (st == ST_DENIED)
			return admin_refuse(a, "该条目不能暂扣",
			    "an entry of the centre's own, or one without a "
			    "head, cannot be held");
		if (st == ST_OK)
			st = add(c, &row);
	}
	return st == ST_OK ? put_word(a, c, h, DO_HOLD)
			   : admin_fail(a, "hold", st);
}

int
admin_hold(struct admin *a)
{
	struct choice *c;
	struct holds h = { .reader = NULL };
	int rc = ADMIN_USAGE;

	if (!admin_needs(a, "--record", a->record) ||
	    !admin_needs(
		a, "--entry", a->entry_count == 0 ? NULL : a->entry[0]) ||
	    !admin_needs(a, "--reason", a->reason))
		return ADMIN_USAGE;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return admin_fail(a, "hold", ST_NOMEM);
	c->a = a;
	if (read_choice(c))
		rc = hold_chosen(a, c, &h);
	centre_reader_close(h.reader);
	free(c->row);
	free(c);
	return rc;
}
