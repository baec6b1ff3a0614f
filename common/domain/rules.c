#include "domain/rules.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/embed.h"
#include "base/enc.h"
#include "base/sha.h"
#include "domain/rules_priv.h"
#include "entry/entry.h"
#include "entry/json.h"

enum {
	RULES_ALL_MAX = 2000,
	PARAMS_BYTES_MAX = 4096,
	DIGEST_BYTES_MAX = 1 << 20
};

enum status
rules_new(struct rules **out)
{
	struct rules *rs = calloc(1, sizeof(*rs));

	if (rs == NULL)
		return ST_NOMEM;
	pool_init(&rs->court);
	*out = rs;
	return ST_OK;
}

static void
file_free(struct rule_file *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->rule_count; i++)
		free(f->rules[i].params_json);
	pool_free(&f->pool);
	free(f);
}

void
rules_free(struct rules *rs)
{
	if (rs == NULL)
		return;
	while (rs->files != NULL) {
		struct rule_file *next = rs->files->next;

		file_free(rs->files);
		rs->files = next;
	}
	pool_free(&rs->court);
	free(rs->list);
	free(rs->laws);
	free(rs->facts);
	free(rs);
}

const struct words *
rules_words(const struct rules *rs)
{
	return &rs->why;
}

const char *
rules_version(const struct rules *rs)
{
	return rs->version;
}

/* The parameters in use as canonical JSON, as a finding keeps them. */
static enum status
write_params(struct rule *r)
{
	struct buf b;
	const char *last = "";
	enum status st;

	buf_init(&b, PARAMS_BYTES_MAX);
	buf_u8(&b, '{');
	for (size_t n = 0; n < r->param_count; n++) {
		const struct param *next = NULL;

		for (size_t i = 0; i < r->param_count; i++) {
			const struct param *p = &r->params[i];

			if (strcmp(p->name, last) > 0 &&
			    (next == NULL || strcmp(p->name, next->name) < 0))
				next = p;
		}
		assert(next != NULL); /* names are unique in JSON */
		if (n > 0)
			buf_u8(&b, ',');
		json_put_str(&b, next->name);
		buf_u8(&b, ':');
		if (next->value.integer)
			buf_str(&b, next->value.text);
		else
			json_put_str(&b, next->value.text);
		last = next->name;
	}
	buf_u8(&b, '}');
	st = b.err;
	if (st == ST_OK) {
		free(r->params_json);
		r->params_json = calloc(1, b.len + 1);
		if (r->params_json == NULL)
			st = ST_NOMEM;
		else
			memcpy(r->params_json, b.p, b.len);
	}
	buf_free(&b);
	return st;
}

/* The digest of all that decides what is found. */
static enum status
write_version(struct rules *rs)
{
	uint8_t hash[HASH_LEN];
	struct buf b;
	enum status st;

	buf_init(&b, DIGEST_BYTES_MAX);
	buf_str(&b, "daybreak-rules/1\n");
	for (size_t i = 0; i < rs->count; i++) {
		const struct rule *r = rs->list[i];

		buf_printf(&b, "%s@%u %d ", r->id, r->version, r->on);
		buf_hex(&b, bytes_of(r->sha256, HASH_LEN));
		buf_printf(&b, " %s\n", r->params_json);
	}
	st = b.err;
	if (st == ST_OK) {
		sha256(hash, buf_view(&b));
		hex_encode(rs->version, bytes_of(hash, HASH_LEN));
	}
	buf_free(&b);
	return st;
}

static int
by_id(const void *a, const void *b)
{
	const struct rule *const *x = a, *const *y = b;
	int c = strcmp((*x)->id, (*y)->id);

	if (c != 0)
		return c;
	return (*x)->version < (*y)->version ? -1
					     : (*x)->version > (*y)->version;
}

/* Whether rule r may stand beside those of the set.  *known: it does. */
static enum status
check_place(
    struct rules *rs, const struct rule *r, const char *name, bool *known)
{
	*known = false;
	for (size_t i = 0; i < rs->count; i++) {
		const struct rule *x = rs->list[i];

		if (strcmp(x->id, r->id) != 0)
			continue;
		if (x->version == r->version) {
			*known = memcmp(x->sha256, r->sha256, HASH_LEN) == 0;
			if (*known)
				return ST_OK;
			words_zh(&rs->why, "%s：%s 第 %u 版已有，内容不同",
			    name, r->id, r->version);
			words_en(&rs->why,
			    "%s: version %u of %s is known with another "
			    "content",
			    name, r->version, r->id);
			return ST_CONFLICT;
		}
		if (x->from <= r->to && r->from <= x->to) {
			words_zh(&rs->why, "%s：%s 第 %u、%u 版施行时间重叠",
			    name, r->id, x->version, r->version);
			words_en(&rs->why,
			    "%s: versions %u and %u of %s are in force on one "
			    "day",
			    name, x->version, r->version, r->id);
			return ST_CONFLICT;
		}
	}
	return ST_OK;
}

/* Put the rules of a file into the list; on failure the list is as before. */
static enum status
take_rules(struct rules *rs, struct rule_file *f, const char *name)
{
	size_t before = rs->count;
	struct rule **list;
	enum status st = ST_OK;

	if (before + f->rule_count > RULES_ALL_MAX)
		return ST_LIMIT;
	list = realloc(rs->list, (before + f->rule_count + 1) * sizeof(*list));
	if (list == NULL)
		return ST_NOMEM;
	rs->list = list;
	for (size_t i = 0; i < f->rule_count && st == ST_OK; i++) {
		bool known;

		st = check_place(rs, &f->rules[i], name, &known);
		if (st == ST_OK && !known) {
			st = write_params(&f->rules[i]);
			rs->list[rs->count++] = &f->rules[i];
		}
	}
	if (st != ST_OK)
		rs->count = before;
	return st;
}

static enum status
add(struct rules *rs, const struct kinds *ks, const char *name,
    struct bytes file, bool all)
{
	size_t laws = rs->law_count, facts = rs->fact_count;
	struct rule_file *f = calloc(1, sizeof(*f));
	enum status st;

	words_clear(&rs->why);
	if (f == NULL)
		return ST_NOMEM;
	pool_init(&f->pool);
	st = rule_file_read(f, rs, ks, name, file, all);
	if (st == ST_OK)
		st = take_rules(rs, f, name);
	if (st != ST_OK) {
		rs->law_count = laws;
		rs->fact_count = facts;
		file_free(f);
		return st;
	}
	f->next = rs->files;
	rs->files = f;
	if (rs->count > 0)
		qsort(rs->list, rs->count, sizeof(*rs->list), by_id);
	return write_version(rs);
}

enum status
rules_add(struct rules *rs, const struct kinds *ks, const char *name,
    struct bytes file)
{
	return add(rs, ks, name, file, true);
}

enum status
rules_load_builtin(struct rules **out, const struct kinds *ks)
{
	struct rules *rs = NULL;
	enum status st = rules_new(&rs);

	/* Laws and facts of all files first: rules of any may name them. */
	for (int all = 0; all <= 1 && st == ST_OK; all++) {
		for (size_t i = 0;
		     st == ST_OK && embedded_files[i].name != NULL; i++) {
			const struct embedded_file *f = &embedded_files[i];

			if (bytes_starts(bytes_str(f->name), "rules/"))
				st = add(rs, ks, f->name, f->data, all == 1);
		}
	}
	if (st != ST_OK) {
		rules_free(rs);
		return st;
	}
	*out = rs;
	return ST_OK;
}

/* ---- looking at them */

size_t
rules_count(const struct rules *rs)
{
	return rs->count;
}

void
rules_info(const struct rules *rs, size_t i, struct rule_info *out)
{
	const struct rule *r;

	assert(i < rs->count);
	r = rs->list[i];
	*out = (struct rule_info){ .id = r->id,
		.version = r->version,
		.severity = r->severity,
		.zh = r->zh,
		.en = r->en,
		.law_zh = r->laws[0].law->zh,
		.law_en = r->laws[0].law->en,
		.article = r->laws[0].article,
		.mark = r->mark,
		.local = r->local,
		.on = r->on,
		.from = r->from_text,
		.to = r->to_text };
}

bool
rules_entry_of(struct rules_entry *out, const struct entry *e,
    const uint8_t id[ID_LEN], int64_t received_ms)
{
	struct rules_entry r = { .received_ms = received_ms };
	int offset;

	if (e->verb == DO_NONE || at_parse(&r.at_ms, &offset, e->at) != ST_OK)
		return false;
	memcpy(r.id, id, ID_LEN);
	r.verb = verb_name(e->verb);
	r.kind = e->kind;
	r.by = e->by;
	r.wall_ms = e->wall;
	r.mono_ms = e->mono;
	memcpy(r.chain, e->chain, CHAIN_LEN);
	memcpy(r.boot, e->boot, BOOT_LEN);
	*out = r;
	return true;
}

/* ---- a court's own parameters */

static struct param *
param_named(struct rule *r, const struct json *j, uint32_t n)
{
	for (size_t i = 0; i < r->param_count; i++) {
		if (json_is(j, n, r->params[i].name))
			return &r->params[i];
	}
	return NULL;
}

/* One rule's parameters, at node n; only tried out unless `really`. */
static enum status
set_params(struct rules *rs, struct doc *d, uint32_t n, bool really)
{
	const struct json *j = &d->j;
	bool found = false;
	enum status st = ST_OK;

	if (j->node[n + 1].type != JSON_OBJECT)
		return doc_refuse(d, n, "应为对象", "must be an object");
	for (size_t i = 0; i < rs->count && st == ST_OK; i++) {
		struct rule *r = rs->list[i];

		if (!json_is(j, n, r->id))
			continue;
		found = true;
		for (uint32_t m = n + 2; m < j->node[n + 1].next && st == ST_OK;
		     m = j->node[m + 1].next) {
			struct param *p = param_named(r, j, m), tried;

			if (p == NULL)
				return doc_refuse_text(d, m, "没有此参数",
				    "no such parameter", json_raw(j, m));
			tried = *p;
			st = param_set(really ? p : &tried, d, m + 1);
		}
	}
	if (!found)
		return doc_refuse_text(
		    d, n, "没有此规则", "no such rule", json_raw(j, n));
	return st;
}

/* Switch the rules named in member `name` on or off. */
static enum status
switch_rules(
    struct rules *rs, struct doc *d, const char *name, bool on, bool really)
{
	const struct json *j = &d->j;
	uint32_t v = 0;
	enum status st = doc_member(d, 0, name, JSON_ARRAY, &v);

	if (st != ST_OK || v == 0)
		return st;
	for (uint32_t i = v + 1; i < j->node[v].next; i = j->node[i].next) {
		bool found = false;

		for (size_t k = 0; k < rs->count; k++) {
			struct rule *r = rs->list[k];

			if (!json_is(j, i, r->id))
				continue;
			found = true;
			if (!on && !r->local)
				return doc_refuse_text(d, i, "法定规则不可停用",
				    "a rule of statute cannot be switched "
				    "off",
				    json_raw(j, i));
			if (really)
				r->on = on;
		}
		if (!found)
			return doc_refuse_text(
			    d, i, "没有此规则", "no such rule", json_raw(j, i));
	}
	return ST_OK;
}

static enum status
apply_court(struct rules *rs, struct doc *d, bool really)
{
	const struct json *j = &d->j;
	uint32_t v = 0;
	enum status st = doc_member(d, 0, "set", JSON_OBJECT, &v);

	for (uint32_t i = v + 1; v != 0 && st == ST_OK && i < j->node[v].next;
	     i = j->node[i + 1].next)
		st = set_params(rs, d, i, really);
	if (st == ST_OK)
		st = switch_rules(rs, d, "on", true, really);
	if (st == ST_OK)
		st = switch_rules(rs, d, "off", false, really);
	return st;
}

/* As the files have it: a court's file says all that differs. */
static void
back_to_statute(struct rules *rs)
{
	for (size_t i = 0; i < rs->count; i++) {
		struct rule *r = rs->list[i];

		r->on = !r->local;
		for (size_t p = 0; p < r->param_count; p++)
			r->params[p].value = r->params[p].statute;
	}
}

enum status
rules_court(struct rules *rs, const char *name, struct bytes file)
{
	static const char *const names[] = { "court", "set", "on", "off",
		NULL };
	struct doc d;
	const char *court;
	enum status st = doc_open(&d, name, file, &rs->court, &rs->why);

	if (st == ST_OK)
		st = doc_only(&d, 0, names);
	if (st == ST_OK)
		st = doc_text(&d, 0, "court", WORDS_MAX, "", &court);
	if (st == ST_OK)
		st = apply_court(rs, &d, false);
	if (st == ST_OK) {
		back_to_statute(rs);
		st = apply_court(rs, &d, true);
	}
	for (size_t i = 0; i < rs->count && st == ST_OK; i++)
		st = write_params(rs->list[i]);
	if (st == ST_OK)
		st = write_version(rs);
	doc_close(&d);
	return st;
}
