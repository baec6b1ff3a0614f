/* facts_read: tables that records give to, and how facts come of them. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/sha.h"
#include "domain/facts.h"
#include "domain/rules_priv.h"
#include "entry/path.h"

enum { TEXT_MAX = 800, STEPS_MAX = 8 };

static struct fact_table *
table_find(const struct rules *rs, struct bytes name)
{
	for (size_t i = 0; i < rs->table_count; i++) {
		if (bytes_eq_str(name, rs->tables[i].name))
			return &rs->tables[i];
	}
	return NULL;
}

void
rules_mix(struct rules *rs, struct bytes text)
{
	uint8_t both[64];

	memcpy(both, rs->facts_sha256, 32);
	sha256(both + 32, text);
	sha256(rs->facts_sha256, bytes_of(both, sizeof(both)));
}

/* ---- a table */

struct reader_table {
	struct doc *d;
	struct cond_scope scope; /* the record's terms */
	const struct kind *kinds[RULE_KINDS_MAX];
};

static enum status
read_table_kinds(struct reader_table *rt, const struct kinds *ks, uint32_t n,
    struct fact_table *t)
{
	struct doc *d = rt->d;
	enum status st =
	    doc_texts(d, n, "kinds", RULE_KINDS_MAX, &t->kinds, &t->kind_count);

	if (st == ST_OK && t->kind_count == 0)
		return doc_refuse(d, n, "须列明 kinds", "kinds must be given");
	for (size_t i = 0; st == ST_OK && i < t->kind_count; i++) {
		rt->kinds[i] = kinds_latest(ks, bytes_str(t->kinds[i]));
		if (rt->kinds[i] == NULL)
			return doc_refuse_text(d, n, "没有此类记录",
			    "no such kind", bytes_str(t->kinds[i]));
	}
	rt->scope.kinds = rt->kinds;
	rt->scope.kind_count = t->kind_count;
	return st;
}

static enum status
read_fields(struct reader_table *rt, uint32_t n, const char *name,
    uint32_t types, struct ref *out, size_t *count)
{
	struct doc *d = rt->d;
	uint32_t v = 0;
	enum status st = doc_member(d, n, name, JSON_ARRAY, &v);

	if (st != ST_OK || v == 0)
		return st;
	if (d->j.node[v].count > FACT_FIELDS_MAX)
		return doc_refuse(d, v, "过多", "too many");
	for (uint32_t i = v + 1; st == ST_OK && i < d->j.node[v].next;
	     i = d->j.node[i].next)
		st = ref_compile(&out[(*count)++], d, i, &rt->scope, types);
	return st;
}

/* The items' list and what is summed; `where` is in their terms. */
static enum status
read_amount(struct reader_table *rt, uint32_t n, struct fact_table *t)
{
	struct doc *d = rt->d;
	struct cond_scope items = rt->scope;
	struct ref sum;
	uint32_t v;
	enum status st = doc_text(d, n, "list", PATH_BYTES_MAX, "", &t->list);

	if (st != ST_OK)
		return st;
	if (t->list[0] == '\0')
		t->list = NULL;
	for (size_t i = 0; t->list != NULL && i < t->kind_count; i++) {
		if (kind_list(rt->kinds[i], bytes_str(t->list)) == NULL)
			return doc_refuse_text(d, n, "没有此清单",
			    "no such list", bytes_str(t->list));
	}
	items.list = t->list;
	v = json_get(&d->j, n, "where");
	if (v != 0)
		st = cond_compile(&t->where, d, v, &items);
	v = json_get(&d->j, n, "sum");
	if (st != ST_OK || v == 0)
		return st;
	if (t->list == NULL)
		return doc_refuse(d, v, "sum 须有 list", "sum needs a list");
	st = ref_compile(&sum, d, v, &items, TYPES_NUM);
	t->sum = sum.text;
	return st;
}

static enum status
read_window(struct reader_table *rt, uint32_t n, struct fact_table *t)
{
	struct doc *d = rt->d;
	uint32_t from = json_get(&d->j, n, "from");
	uint32_t until = json_get(&d->j, n, "until");
	enum status st;

	if (from == 0 && until == 0)
		return ST_OK;
	if (from == 0 || until == 0)
		return doc_refuse(d, n, "from 与 until 须成对",
		    "from and until belong together");
	t->has_window = true;
	st = ref_compile(&t->from, d, from, &rt->scope, TYPES_TIME);
	if (st == ST_OK)
		st = ref_compile(&t->until, d, until, &rt->scope, TYPES_TIME);
	return st;
}

/* Steps of an order: every kind has them in its graph. */
static enum status
read_steps(struct reader_table *rt, uint32_t n, struct fact_table *t)
{
	struct doc *d = rt->d;
	uint32_t v = json_get(&d->j, n, "to");
	struct ref to = { .text = NULL };
	enum status st = ST_OK;

	if (v != 0)
		st = ref_compile(&to, d, v, &rt->scope, TYPE_BIT(KIND_TEXT));
	t->to = to.text;
	if (st == ST_OK)
		st = doc_texts(
		    d, n, "seen", STEPS_MAX, &t->seen, &t->seen_count);
	if (st == ST_OK)
		st = doc_text(d, n, "ended", WORD_BYTES_MAX, "", &t->ended);
	for (size_t i = 0; st == ST_OK && i < t->kind_count; i++) {
		const struct kind *k = rt->kinds[i];
		bool known = t->ended[0] == '\0' ||
			     kind_status(k, bytes_str(t->ended)) != NULL;

		for (size_t s = 0; s < t->seen_count; s++)
			known = known &&
				kind_status(k, bytes_str(t->seen[s])) != NULL;
		if (!known)
			return doc_refuse_text(d, n, "该类记录没有此状态",
			    "this kind has no such status", bytes_str(k->id));
	}
	return st;
}

static enum status
read_table(struct rules *rs, const struct kinds *ks, struct doc *d, uint32_t i)
{
	static const char *const names[] = { "kinds", "where", "case", "all",
		"list", "sum", "people", "person", "unless", "from", "until",
		"to", "seen", "ended", NULL };
	struct fact_table *t = &rs->tables[rs->table_count];
	struct reader_table rt = { .d = d };
	const struct fact_table *known;
	uint32_t n = i + 1;
	enum status st = doc_only(d, n, names);

	memset(t, 0, sizeof(*t));
	if (st == ST_OK)
		st = doc_string(d, i, WORD_BYTES_MAX, &t->name);
	if (st != ST_OK)
		return st;
	/* Said in an earlier file, or in this one when it was looked through
	 * for names: one name means one thing. */
	sha256(t->sha256, json_raw(&d->j, n));
	known = table_find(rs, bytes_str(t->name));
	if (known != NULL)
		return memcmp(known->sha256, t->sha256, HASH_LEN) == 0
			   ? ST_OK
			   : doc_refuse_text(d, i, "此名已有他指",
				 "this name stands for something else",
				 bytes_str(t->name));
	if (rs->table_count == FACT_TABLES_MAX)
		return ST_LIMIT;
	st = read_table_kinds(&rt, ks, n, t);
	if (st == ST_OK)
		st = doc_text(d, n, "case", PATH_BYTES_MAX, "", &t->case_path);
	if (st == ST_OK)
		st = doc_bool(d, n, "all", &t->all);
	if (st == ST_OK)
		st = doc_bool(d, n, "people", &t->people);
	if (st == ST_OK)
		st = read_steps(&rt, n, t);
	if (st == ST_OK)
		st = read_amount(&rt, n, t);
	if (st == ST_OK)
		st = read_fields(
		    &rt, n, "person", TYPES_ANY, t->person, &t->person_count);
	if (st == ST_OK)
		st = read_fields(
		    &rt, n, "unless", TYPES_ANY, t->unless, &t->unless_count);
	if (st == ST_OK)
		st = read_window(&rt, n, t);
	if (st != ST_OK)
		return st;
	if (t->case_path[0] == '\0')
		t->case_path = NULL;
	rules_mix(rs, json_raw(&d->j, n));
	rs->table_count++;
	return ST_OK;
}

enum status
rules_read_tables(struct rules *rs, const struct kinds *ks, struct doc *d)
{
	const char *path;
	uint32_t v = 0;
	enum status st = doc_text(d, 0, "case", PATH_BYTES_MAX, "", &path);

	if (st == ST_OK && path[0] != '\0' && rs->case_path[0] != '\0' &&
	    strcmp(path, rs->case_path) != 0)
		return doc_refuse_text(d, 0, "案号所在已另有规定",
		    "where case numbers stand is settled already",
		    bytes_str(path));
	if (st == ST_OK && path[0] != '\0')
		rs->case_path = path;
	if (st == ST_OK)
		st = doc_member(d, 0, "tables", JSON_OBJECT, &v);
	if (st != ST_OK || v == 0)
		return st;
	/* One more, to read into. */
	if (rs->tables == NULL)
		rs->tables = calloc(FACT_TABLES_MAX + 1, sizeof(*rs->tables));
	if (rs->tables == NULL)
		return ST_NOMEM;
	for (uint32_t i = v + 1; st == ST_OK && i < d->j.node[v].next;
	     i = d->j.node[i + 1].next)
		st = read_table(rs, ks, d, i);
	return st;
}

/* ---- a fact */

enum status
rules_read_take(
    struct rules *rs, struct doc *d, uint32_t n, struct cond_fact *f)
{
	static const struct {
		const char *word;
		enum kind_type type;
		bool table;
	} takes[] = {
		[TAKE_NOTHING] = { "", KIND_TYPE_COUNT, false },
		[TAKE_SUM] = { "sum", KIND_MONEY, true },
		[TAKE_EARLIER] = { "earlier", KIND_INT, true },
		[TAKE_PEOPLE] = { "people", KIND_BOOL, true },
		[TAKE_WITHIN] = { "within", KIND_BOOL, true },
		[TAKE_SENT] = { "sent", KIND_DATETIME, true },
		[TAKE_SEEN] = { "seen", KIND_DATETIME, true },
		[TAKE_CALENDAR] = { "calendar", KIND_BOOL, false },
	};
	const char *take, *from;
	size_t i = 0;
	enum status st = doc_text(d, n, "take", TEXT_MAX, "", &take);

	if (st == ST_OK)
		st = doc_text(d, n, "from", TEXT_MAX, "", &from);
	if (st == ST_OK)
		st = doc_text(d, n, "of", PATH_BYTES_MAX, "", &f->of);
	if (st != ST_OK)
		return st;
	while (i < sizeof(takes) / sizeof(takes[0]) &&
	       strcmp(takes[i].word, take) != 0)
		i++;
	if (i == sizeof(takes) / sizeof(takes[0]))
		return doc_refuse_text(
		    d, n, "take 不明", "unknown take", bytes_str(take));
	f->take = (enum fact_take)i;
	if (from[0] != '\0')
		f->table = table_find(rs, bytes_str(from));
	if (takes[i].table != (f->table != NULL) ||
	    (f->table == NULL && from[0] != '\0'))
		return doc_refuse_text(d, n, "没有此表，或此处不可有",
		    "no such table, or none can stand here", bytes_str(from));
	if (i != TAKE_NOTHING && f->type != takes[i].type)
		return doc_refuse_text(d, n, "类型应为", "its type must be",
		    bytes_str(kind_type_name(takes[i].type)));
	return ST_OK;
}
