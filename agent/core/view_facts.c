/*
 * view_facts: what records of a case tell each other (docs/KINDS.md, 3a).
 *
 * Replaying 10,000 entries must not fold every record, so what a record gives
 * is made when somebody asks.  Until then only the case numbers that its
 * entries ever stated stand in `stated`: more than its state may say, never
 * less.  Asked for a record, those of its case are folded, once until they
 * change, and what they give stands in `given`.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/core/view_impl.h"
#include "base/enc.h"

/* Every case number begins a way to its record. */
static enum status
note_key(struct view *v, const char *key, int64_t record)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, v->db,
	    "INSERT OR IGNORE INTO stated(key, record) VALUES(?1, ?2)");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(key));
	db_bind_i64(s, 2, record);
	return db_run(s);
}

/* What it gave is of an earlier state now. */
static enum status
forget_given(struct view *v, int64_t record)
{
	struct db_stmt *s;
	enum status st;

	if (!v->any_given)
		return ST_OK;
	st = db_query(
	    &s, v->db, "UPDATE record SET gave = 0 WHERE n = ?1 AND gave = 1");
	if (st != ST_OK)
		return st;
	db_bind_i64(s, 1, record);
	return db_run(s);
}

enum status
view_facts_note(struct view *v, const struct entry *e, int64_t record)
{
	const struct kind *k;
	struct fact_key key;
	enum status st = forget_given(v, record);

	if (st != ST_OK || e->body_is != ENTRY_BODY_WHOLE)
		return st;
	for (size_t i = 0; st == ST_OK && i < e->on_count; i++) {
		uint32_t n = entry_value(e, i);

		if (e->body.node[n].type == JSON_STRING &&
		    !e->body.node[n].escaped &&
		    facts_key(&key, json_raw(&e->body, n)))
			st = note_key(v, key.text, record);
	}
	if (st != ST_OK || e->verb != DO_OPEN)
		return st;
	k = kinds_find(v->kinds, e->kind);
	return k != NULL && facts_gives_all(v->rules, k)
		   ? note_key(v, "", record)
		   : ST_OK;
}

/* ---- a record's entries, for rules and facts */

void
view_judged_free(struct view_judged *j)
{
	for (size_t i = 0; i < j->made; i++)
		entry_free(&j->parsed[i]);
	free(j->parsed);
	free(j->entry);
	memset(j, 0, sizeof(*j));
}

enum status
view_judged_of(const struct view_loaded *l, struct view_judged *j)
{
	memset(j, 0, sizeof(*j));
	j->entry = calloc(l->count + 1, sizeof(*j->entry));
	j->parsed = calloc(l->count + 1, sizeof(*j->parsed));
	if (j->entry == NULL || j->parsed == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < l->count; i++) {
		struct entry *e = &j->parsed[j->made++];
		struct rules_entry *to = &j->entry[j->count];
		enum status st;

		entry_init(e);
		st = entry_parse(e, view_row_raw(l, i));
		if (st == ST_NOMEM)
			return st;
		if (st != ST_OK ||
		    !rules_entry_of(to, e, l->row[i].id, RULES_NEVER))
			continue;
		to->centre = (l->row[i].flags & VIEW_SERVER) != 0;
		j->count++;
	}
	return ST_OK;
}

/* ---- what others give */

struct giving {
	struct view *v;
	int64_t record;
};

static enum status
keep_row(void *arg, const char *table, const char *key, struct bytes row)
{
	struct giving *g = arg;
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, g->v->db,
	    "INSERT INTO given(key, name, record, doc)"
	    " VALUES(?1, ?2, ?3, ?4)");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(key));
	db_bind_text(s, 2, bytes_str(table));
	db_bind_i64(s, 3, g->record);
	db_bind_text(s, 4, row);
	return db_run(s);
}

static enum status
mark_given(struct view *v, int64_t record)
{
	static const char *const sql[] = {
		"DELETE FROM given WHERE record = ?1",
		"UPDATE record SET gave = 1 WHERE n = ?1",
	};
	enum status st = ST_OK;

	v->any_given = true;
	for (size_t i = 0; st == ST_OK && i < 2; i++) {
		struct db_stmt *s;

		st = db_query(&s, v->db, sql[i]);
		if (st != ST_OK)
			return st;
		db_bind_i64(s, 1, record);
		st = db_run(s);
	}
	return st;
}

static enum status
give(struct view *v, int64_t record, const char *rec)
{
	struct giving g = { .v = v, .record = record };
	struct facts_record r = { .rec = rec, .offset_min = v->offset_min };
	struct view_judged judged;
	struct view_loaded l;
	enum status st = view_load(v, rec, &l);

	if (st != ST_OK)
		return st;
	buf_reset(&v->other_bytes);
	r.kind = kinds_find(v->kinds, bytes_str(l.kind));
	st = view_judged_of(&l, &judged);
	if (st == ST_OK)
		st = merge_state(l.merge, &v->other_bytes);
	if (st == ST_OK)
		st = state_read(&v->other, buf_view(&v->other_bytes));
	if (st == ST_OK)
		st = mark_given(v, record);
	r.st = &v->other;
	r.entries = judged.entry;
	r.entry_count = judged.count;
	if (st == ST_OK && r.kind != NULL)
		st = facts_give(v->rules, &r, keep_row, &g);
	view_judged_free(&judged);
	view_loaded_free(&l);
	return st;
}

/* Records that stated the case and whose rows are not made yet. */
struct stale {
	struct stale_record {
		int64_t n;
		char rec[REC_LEN + 1];
	} * list;
	size_t count, cap;
};

static enum status
find_stale(struct view *v, const char *key, struct stale *out)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, v->db,
	    "SELECT record.n, record.rec, record.kind FROM stated JOIN record"
	    " ON record.n = stated.record WHERE stated.key = ?1"
	    " AND record.gave = 0");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(key));
	while ((st = db_next(s)) == ST_OK) {
		const struct kind *k = kinds_find(v->kinds, db_bytes(s, 2));
		struct bytes rec = db_bytes(s, 1);

		if (k == NULL || !facts_gives(v->rules, k) ||
		    rec.len != REC_LEN)
			continue;
		if (out->count == out->cap) {
			size_t cap = out->cap == 0 ? 16 : out->cap * 2;
			struct stale_record *bigger =
			    realloc(out->list, cap * sizeof(*bigger));

			if (bigger == NULL) {
				st = ST_NOMEM;
				break;
			}
			out->list = bigger;
			out->cap = cap;
		}
		out->list[out->count].n = db_i64(s, 0);
		memcpy(out->list[out->count].rec, rec.p, REC_LEN);
		out->list[out->count++].rec[REC_LEN] = '\0';
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}

static enum status
refresh(struct view *v, const char *key, const char *me)
{
	struct stale s = { .list = NULL };
	enum status st = find_stale(v, key, &s);

	for (size_t i = 0; st == ST_OK && i < s.count; i++) {
		/* Its own rows are made of the state that is judged. */
		if (strcmp(s.list[i].rec, me) != 0)
			st = give(v, s.list[i].n, s.list[i].rec);
	}
	free(s.list);
	return st;
}

/* Of each table the first rows by record, as many as count. */
static enum status
collect(struct view *v, const char *key, const char *table)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, v->db,
	    "SELECT record.rec, given.doc FROM given JOIN record"
	    " ON record.n = given.record WHERE given.key = ?1"
	    " AND given.name = ?2 ORDER BY record.rec LIMIT ?3");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(key));
	db_bind_text(s, 2, bytes_str(table));
	db_bind_i64(s, 3, FACT_ROWS_MAX);
	while ((st = db_next(s)) == ST_OK) {
		st = facts_row(&v->facts, bytes_str(table), db_bytes(s, 0),
		    db_bytes(s, 1));
		if (st != ST_OK)
			break;
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
view_facts(struct view *v, const struct facts_record *r)
{
	uint32_t tables = facts_takes(v->rules, r->kind);
	struct fact_key keys[FACT_KEYS_MAX + 1];
	size_t count = facts_cases(v->rules, r, keys);
	const char *name;
	enum status st = ST_OK;

	facts_begin(&v->facts, r->rec);
	if (v->other_rules) {
		st = db_exec(
		    v->db, "DELETE FROM given; UPDATE record SET gave = 0");
		v->other_rules = st != ST_OK;
	}
	keys[count++].text[0] = '\0';
	for (size_t i = 0; tables != 0 && st == ST_OK && i < count; i++) {
		st = refresh(v, keys[i].text, r->rec);
		for (unsigned t = 0; st == ST_OK && (name = facts_table_name(
							 v->rules, t)) != NULL;
		     t++) {
			if ((tables >> t & 1) != 0)
				st = collect(v, keys[i].text, name);
		}
	}
	return st == ST_OK ? facts_take(&v->facts, v->rules, r) : st;
}
