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
	rs->court_from = rs->since_ms = INT64_MIN;
	rs->case_path = "";
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

static void
free_one(struct rules *rs)
{
	while (rs->files != NULL) {
		struct rule_file *next = rs->files->next;

		file_free(rs->files);
		rs->files = next;
	}
	pool_free(&rs->court);
	calendar_free(&rs->holidays);
	calendar_free(&rs->local);
	free(rs->tables);
	free(rs->list);
	free(rs->laws);
	free(rs->facts);
	free(rs);
}

void
rules_free(struct rules *rs)
{
	while (rs != NULL) {
		struct rules *before = rs->before;

		free_one(rs);
		rs = before;
	}
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
enum status
rule_write_params(struct rule *r)
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

static void
put_calendar(const struct calendar *c, struct buf *out)
{
	for (size_t i = 0; i < c->count; i++)
		buf_printf(out, "\n%lld %lld %d", (long long)c->days[i].from,
		    (long long)c->days[i].to, c->days[i].off);
	for (size_t i = 0; i < c->year_count; i++)
		buf_printf(out, "\n%d", c->years[i]);
}

/* The digest of all that decides what is found. */
enum status
rules_write_version(struct rules *rs)
{
	uint8_t hash[HASH_LEN];
	struct buf b;
	size_t told;
	enum status st;

	buf_init(&b, DIGEST_BYTES_MAX);
	buf_str(&b, "daybreak-rules/1\n");
	for (size_t i = 0; i < rs->count; i++) {
		const struct rule *r = rs->list[i];

		buf_printf(&b, "%s@%u %d ", r->id, r->version, r->on);
		buf_hex(&b, bytes_of(r->sha256, HASH_LEN));
		buf_printf(&b, " %s\n", r->params_json);
	}
	told = b.len;
	buf_hex(&b, bytes_of(rs->facts_sha256, HASH_LEN));
	put_calendar(&rs->holidays, &b);
	put_calendar(&rs->local, &b);
	buf_u8(&b, rs->weekends);
	if (b.err == ST_OK)
		sha256(rs->told_sha256, bytes_of(b.p + told, b.len - told));
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

/* Whether rule r may stand beside those of the set.  *known: it does.  One that
 * came later takes the place of its earlier versions. */
static enum status
check_place(struct rules *rs, struct rule *r, const char *name, bool *known)
{
	*known = false;
	for (size_t i = 0; i < rs->count; i++) {
		struct rule *x = rs->list[i];

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
		if (r->since_ms != INT64_MIN && r->version > x->version) {
			enum status st = rule_may_follow(rs, x, r, name);

			if (st != ST_OK)
				return st;
			continue;
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
			st = rule_write_params(&f->rules[i]);
			rs->list[rs->count++] = &f->rules[i];
		}
	}
	if (st != ST_OK)
		rs->count = before;
	return st;
}

/* Each earlier version knows the one that takes its place. */
static void
chain_versions(struct rules *rs)
{
	for (size_t i = 0; i + 1 < rs->count; i++) {
		struct rule *x = rs->list[i];
		const struct rule *next = rs->list[i + 1];

		if (strcmp(x->id, next->id) == 0 && next->since_ms != INT64_MIN)
			x->next = next;
	}
}

static enum status
add(struct rules *rs, const struct kinds *ks, const char *name,
    struct bytes file, bool all, int64_t since_ms)
{
	size_t laws = rs->law_count, facts = rs->fact_count;
	size_t tables = rs->table_count, days = rs->holidays.count;
	size_t years = rs->holidays.year_count;
	const char *case_path = rs->case_path;
	uint8_t digest[32];
	struct rule_file *f = calloc(1, sizeof(*f));
	enum status st;

	words_clear(&rs->why);
	if (f == NULL)
		return ST_NOMEM;
	memcpy(digest, rs->facts_sha256, sizeof(digest));
	pool_init(&f->pool);
	st = rule_file_read(f, rs, ks, name, file, all);
	for (size_t i = 0; i < f->rule_count; i++)
		f->rules[i].since_ms = since_ms;
	if (st == ST_OK)
		st = take_rules(rs, f, name);
	if (st != ST_OK) {
		rs->law_count = laws;
		rs->fact_count = facts;
		rs->table_count = tables;
		rs->holidays.count = days;
		rs->holidays.year_count = years;
		rs->case_path = case_path;
		memcpy(rs->facts_sha256, digest, sizeof(digest));
		file_free(f);
		return st;
	}
	f->next = rs->files;
	rs->files = f;
	if (rs->count > 0)
		qsort(rs->list, rs->count, sizeof(*rs->list), by_id);
	chain_versions(rs);
	return rules_write_version(rs);
}

enum status
rules_add(struct rules *rs, const struct kinds *ks, const char *name,
    struct bytes file)
{
	return add(rs, ks, name, file, true, INT64_MIN);
}

enum status
rules_add_since(struct rules *rs, const struct kinds *ks, const char *name,
    struct bytes file, int64_t since_ms)
{
	return add(rs, ks, name, file, true, since_ms);
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
				st = add(rs, ks, f->name, f->data, all == 1,
				    INT64_MIN);
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
