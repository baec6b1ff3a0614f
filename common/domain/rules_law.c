/*
 * What rules refer to: laws by name, and facts beside the record.  One name
 * means one thing in all files of a set.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "domain/rules_priv.h"
#include "entry/path.h"

enum { LAWS_MAX = 200, TEXT_MAX = 800 };

const struct law *
law_find(const struct rules *rs, const char *key)
{
	for (size_t i = 0; i < rs->law_count; i++) {
		if (strcmp(rs->laws[i].key, key) == 0)
			return &rs->laws[i];
	}
	return NULL;
}

static enum status
add_law(struct rules *rs, struct doc *d, uint32_t n, const struct law *l)
{
	const struct law *known = law_find(rs, l->key);

	if (known != NULL) {
		if (strcmp(known->zh, l->zh) == 0 &&
		    strcmp(known->en, l->en) == 0)
			return ST_OK;
		return doc_refuse_text(d, n, "此名已有他指",
		    "this name stands for something else", bytes_str(l->key));
	}
	if (rs->law_count == LAWS_MAX)
		return ST_LIMIT;
	rs->laws[rs->law_count++] = *l;
	return ST_OK;
}

static enum status
add_fact(struct rules *rs, struct doc *d, uint32_t n, const struct cond_fact *f)
{
	for (size_t i = 0; i < rs->fact_count; i++) {
		if (strcmp(rs->facts[i].name, f->name) != 0)
			continue;
		if (rs->facts[i].type == f->type &&
		    rs->facts[i].take == f->take &&
		    rs->facts[i].table == f->table &&
		    strcmp(rs->facts[i].of, f->of) == 0)
			return ST_OK;
		return doc_refuse_text(d, n, "此名已有他指",
		    "this name stands for something else", bytes_str(f->name));
	}
	if (rs->fact_count == COND_FACTS_MAX)
		return ST_LIMIT;
	rs->facts[rs->fact_count++] = *f;
	rules_mix(rs, json_raw(&d->j, n + 1));
	return ST_OK;
}

static enum status
read_law(struct doc *d, uint32_t i, struct law *l)
{
	static const char *const names[] = { "zh", "en", NULL };
	enum status st = doc_only(d, i + 1, names);

	if (st == ST_OK)
		st = doc_string(d, i, WORD_BYTES_MAX, &l->key);
	if (st == ST_OK)
		st = doc_text(d, i + 1, "zh", TEXT_MAX, NULL, &l->zh);
	if (st == ST_OK)
		st = doc_text(d, i + 1, "en", TEXT_MAX, NULL, &l->en);
	return st;
}

static enum status
read_fact(struct rules *rs, struct doc *d, uint32_t i, struct cond_fact *f)
{
	static const char *const names[] = { "type", "zh", "en", "from", "take",
		"of", NULL };
	const char *type;
	int t = 0;
	enum status st = doc_only(d, i + 1, names);

	if (st == ST_OK)
		st = doc_string(d, i, PATH_BYTES_MAX, &f->name);
	if (st == ST_OK)
		st = doc_text(d, i + 1, "zh", TEXT_MAX, NULL, &f->zh);
	if (st == ST_OK)
		st = doc_text(d, i + 1, "en", TEXT_MAX, NULL, &f->en);
	if (st == ST_OK)
		st = doc_text(d, i + 1, "type", TEXT_MAX, NULL, &type);
	if (st != ST_OK)
		return st;
	if (!path_is_relative(bytes_str(f->name)))
		return doc_refuse(d, i, "名称不合格", "not a good name");
	while (t < KIND_TYPE_COUNT &&
	       strcmp(kind_type_name((enum kind_type)t), type) != 0)
		t++;
	if (t == KIND_TYPE_COUNT)
		return doc_refuse(d, i + 1, "类型不明", "unknown type");
	f->type = (enum kind_type)t;
	return rules_read_take(rs, d, i + 1, f);
}

enum status
rules_read_laws(struct rules *rs, struct doc *d)
{
	const struct json *j = &d->j;
	uint32_t laws = 0, facts = 0;
	struct law l;
	struct cond_fact f;
	enum status st = doc_member(d, 0, "laws", JSON_OBJECT, &laws);

	if (st == ST_OK)
		st = doc_member(d, 0, "facts", JSON_OBJECT, &facts);
	if (st != ST_OK)
		return st;
	if (rs->laws == NULL)
		rs->laws = calloc(LAWS_MAX, sizeof(*rs->laws));
	if (rs->facts == NULL)
		rs->facts = calloc(COND_FACTS_MAX, sizeof(*rs->facts));
	if (rs->laws == NULL || rs->facts == NULL)
		return ST_NOMEM;
	for (uint32_t i = laws + 1;
	     laws != 0 && st == ST_OK && i < j->node[laws].next;
	     i = j->node[i + 1].next) {
		st = read_law(d, i, &l);
		if (st == ST_OK)
			st = add_law(rs, d, i, &l);
	}
	for (uint32_t i = facts + 1;
	     facts != 0 && st == ST_OK && i < j->node[facts].next;
	     i = j->node[i + 1].next) {
		f = (struct cond_fact){ .take = TAKE_NOTHING };
		st = read_fact(rs, d, i, &f);
		if (st == ST_OK)
			st = add_fact(rs, d, i, &f);
	}
	return st;
}
