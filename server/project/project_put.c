/* project_put: a folded record becomes its rows. */
#include <string.h>

#include "entry/json.h"
#include "server/project/project_impl.h"

static enum status
find_row(struct project *p, const char *rec, int64_t *n)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, p->db, "SELECT n FROM record WHERE rec = ?1");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(rec));
	st = db_next(s);
	if (st == ST_OK)
		*n = db_i64(s, 0);
	db_done(s);
	return st;
}

/* Findings of an earlier state go. */
static enum status
clear(struct project *p, int64_t n)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, p->db, "DELETE FROM finding WHERE record = ?1");
	if (st != ST_OK)
		return st;
	db_bind_i64(s, 1, n);
	return db_run(s);
}

static enum status
put_findings(struct project *p, int64_t n, uint64_t *grave)
{
	const struct findings *f = fold_findings(p->fold);
	enum status st = ST_OK;

	*grave = 0;
	for (size_t i = 0; st == ST_OK && i < f->count; i++) {
		struct db_stmt *s;
		struct buf b;

		*grave += f->list[i].severity == RULES_GRAVE;
		buf_init(&b, DOC_BYTES_MAX);
		finding_json(&f->list[i], p->cfg.utc_offset_min, &b);
		st = b.err;
		if (st == ST_OK)
			st = db_query(&s, p->db,
			    "INSERT OR REPLACE INTO finding(record, key, rule,"
			    " severity, doc) VALUES(?1, ?2, ?3, ?4, ?5)");
		if (st == ST_OK) {
			db_bind_i64(s, 1, n);
			db_bind_text(s, 2, bytes_str(f->list[i].key));
			db_bind_text(s, 3, bytes_str(f->list[i].rule));
			db_bind_i64(s, 4, (int64_t)f->list[i].severity);
			db_bind_text(s, 5, buf_view(&b));
			st = db_run(s);
		}
		buf_free(&b);
	}
	return st;
}

/*
 * Every text that was entered can be searched for, and the record's id.  The
 * text only waits in a table of its own: FTS5 writes a segment of its index
 * for each statement, so a batch goes in by two, not by two a record.
 */
static enum status
put_words(struct project *p, int64_t n, bool old, const char *rec)
{
	const struct state *state = fold_state(p->fold);
	struct db_stmt *s;
	struct buf b;
	enum status st;

	buf_init(&b, DOC_BYTES_MAX);
	buf_str(&b, rec);
	for (size_t i = 0; i < state->field_count; i++) {
		struct state_value v;

		for (size_t k = 0; state_value(state, &state->fields[i], k, &v);
		     k++) {
			if (v.null || v.withheld)
				continue;
			buf_u8(&b, ' ');
			buf_bytes(&b, v.text);
		}
	}
	st = b.err == ST_LIMIT ? ST_OK : b.err;
	if (st == ST_OK)
		st = db_query(&s, p->db,
		    "INSERT INTO staged(n, old, text) VALUES(?1, ?2, ?3)");
	if (st == ST_OK) {
		db_bind_i64(s, 1, n);
		db_bind_i64(s, 2, old);
		db_bind_text(s, 3, buf_view(&b));
		st = db_run(s);
	}
	buf_free(&b);
	return st;
}

enum status
project_put_words(struct project *p)
{
	static const char *const sql[] = {
		"DELETE FROM words WHERE rowid IN"
		" (SELECT n FROM staged WHERE old)",
		"INSERT INTO words(rowid, text) SELECT n, text FROM staged"
		" ORDER BY n",
		"DELETE FROM staged",
	};
	enum status st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < 3; i++) {
		struct db_stmt *s;

		st = db_query(&s, p->db, sql[i]);
		if (st == ST_OK)
			st = db_run(s);
	}
	return st;
}

/* Whose record it is: the device that spoke of it first. */
static void
find_owner(struct project *p, char *person, size_t cap)
{
	struct bytes by = fold_by(p->fold);

	if (by.len >= cap)
		by.len = 0;
	if (by.len > 0)
		memcpy(person, by.p, by.len);
	person[by.len] = '\0';
}

static enum status
make_row(struct project *p, const char *rec, int64_t *n)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, p->db,
	    "INSERT INTO record(rec, kind, status, zh, en, opened, changed,"
	    " team, person, entries, conflicts, findings, grave, void)"
	    " VALUES(?1, '', '', '', '', 0, 0, '', '', 0, 0, 0, 0, 0)");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(rec));
	st = db_run(s);
	*n = db_last_row(p->db);
	return st;
}

static enum status
put_row(struct project *p, int64_t n, uint64_t grave)
{
	const struct state *state = fold_state(p->fold);
	const struct kind *k = fold_kind(p->fold);
	const struct findings *f = fold_findings(p->fold);
	char person[ROSTER_NAME_MAX + 1];
	struct roster_person who = { .team = "" };
	uint64_t first, last;
	struct buf zh, en;
	struct db_stmt *s;
	enum status st;

	buf_init(&zh, DOC_BYTES_MAX);
	buf_init(&en, DOC_BYTES_MAX);
	if (k != NULL) {
		kind_label(k, state, true, &zh);
		kind_label(k, state, false, &en);
	}
	find_owner(p, person, sizeof(person));
	fold_times(p->fold, &first, &last);
	st = db_query(&s, p->db,
	    "UPDATE record SET kind = ?2, status = ?3, zh = ?4, en = ?5,"
	    " opened = ?6, changed = ?7, team = ?8, person = ?9, entries = ?10,"
	    " conflicts = ?11, findings = ?12, grave = ?13, void = ?14,"
	    " next = ?15 WHERE n = ?1");
	if (st == ST_OK) {
		if (p->cfg.roster != NULL &&
		    roster_person(p->cfg.roster, person, &who) != ST_OK)
			who.team[0] = '\0';
		db_bind_i64(s, 1, n);
		db_bind_text(s, 2, bytes_str(fold_kind_id(p->fold)));
		db_bind_text(s, 3, state_status(state));
		db_bind_text(s, 4, buf_view(&zh));
		db_bind_text(s, 5, buf_view(&en));
		db_bind_u64(s, 6, first);
		db_bind_u64(s, 7, last);
		db_bind_text(s, 8, bytes_str(who.team));
		db_bind_text(s, 9, bytes_str(person));
		db_bind_u64(s, 10, fold_count(p->fold));
		db_bind_u64(s, 11, merge_conflicts(fold_merge(p->fold)));
		db_bind_u64(s, 12, f->count);
		db_bind_u64(s, 13, grave);
		db_bind_i64(s, 14, state->is_void);
		if (k == NULL || f->next_ms == INT64_MAX)
			db_bind_null(s, 15);
		else
			db_bind_i64(s, 15, f->next_ms);
		st = db_run(s);
	}
	buf_free(&zh);
	buf_free(&en);
	return st;
}

enum status
project_put(struct project *p, const char *rec)
{
	const struct kind *k = fold_kind(p->fold);
	uint64_t grave = 0;
	bool old = true;
	int64_t n = 0;
	enum status st;

	if (k != NULL && k->system)
		return ST_OK;
	st = find_row(p, rec, &n);
	if (st == ST_OK)
		st = clear(p, n);
	else if (st == ST_ABSENT) {
		old = false;
		st = make_row(p, rec, &n);
	}
	if (st == ST_OK)
		st = put_findings(p, n, &grave);
	if (st == ST_OK)
		st = put_words(p, n, old, rec);
	if (st == ST_OK)
		st = project_put_cases(p, n, rec);
	return st == ST_OK ? put_row(p, n, grave) : st;
}
