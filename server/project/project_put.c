/* project_put: a record's rows. */
#include <string.h>

#include "server/project/project_impl.h"

/* A record's row as it was. */
struct row {
	int64_t n; /* 0: none */
	uint64_t findings;
	bool waits; /* its words are not indexed */
};

static enum status
find_row(struct project *p, const char *rec, struct row *out)
{
	struct db_stmt *s;
	enum status st;

	*out = (struct row){ .n = 0 };
	st = db_query(&s, p->db,
	    "SELECT n, findings, EXISTS(SELECT 1 FROM waiting"
	    " WHERE waiting.n = record.n) FROM record WHERE rec = ?1");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(rec));
	st = db_next(s);
	if (st == ST_OK) {
		out->n = db_i64(s, 0);
		out->findings = db_u64(s, 1);
		out->waits = db_i64(s, 2) != 0;
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
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
put_findings(struct project *p, int64_t n, const struct made *m)
{
	enum status st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < m->finding_count; i++) {
		const struct made_finding *f = &m->finding[i];
		struct db_stmt *s;

		st = db_query(&s, p->db,
		    "INSERT OR REPLACE INTO finding(record, key, rule,"
		    " severity, doc, state, owner, due)"
		    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
		if (st != ST_OK)
			return st;
		db_bind_i64(s, 1, n);
		db_bind_text(s, 2, made_text(m, f->key));
		db_bind_text(s, 3, made_text(m, f->rule));
		db_bind_i64(s, 4, f->severity);
		db_bind_text(s, 5, made_text(m, f->doc));
		db_bind_text(s, 6, bytes_str(life_state_name(f->state)));
		db_bind_text(s, 7, made_text(m, f->owner));
		if (f->due_ms != 0)
			db_bind_i64(s, 8, f->due_ms);
		else
			db_bind_null(s, 8);
		st = db_run(s);
	}
	return st;
}

/* Its words wait (project_words.c): a search looks there too. */
static enum status
put_words(
    struct project *p, int64_t n, const struct row *was, const struct made *m)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, p->db,
	    "INSERT INTO waiting(n, indexed, text) VALUES(?1, ?2, ?3)"
	    " ON CONFLICT(n) DO UPDATE SET text = excluded.text");
	if (st != ST_OK)
		return st;
	db_bind_i64(s, 1, n);
	db_bind_i64(s, 2, was->n != 0);
	db_bind_text(s, 3, made_text(m, m->words));
	p->put_waiting += !was->waits;
	return db_run(s);
}

/* The team that a person is in now, as far as the roster knows. */
static struct bytes
team_of(struct project *p, struct bytes person)
{
	struct team_known *t;
	struct roster_person who;
	uint64_t version;
	uint32_t h = 2166136261u;

	if (p->cfg.roster == NULL || person.len == 0)
		return bytes_str("");
	version = roster_version(p->cfg.roster);
	for (size_t i = 0; i < person.len; i++)
		h = (h ^ person.p[i]) * 16777619u;
	t = &p->team[(h >> 8) % PROJECT_TEAMS];
	if (t->version != version + 1 || !bytes_eq_str(person, t->person)) {
		memcpy(t->person, person.p, person.len);
		t->person[person.len] = '\0';
		if (roster_person(p->cfg.roster, t->person, &who) != ST_OK)
			who.team[0] = '\0';
		memcpy(t->team, who.team, sizeof(t->team));
		t->version = version + 1;
	}
	return bytes_str(t->team);
}

static const char insert_row[] =
    "INSERT INTO record(kind, status, zh, en, opened, changed, team, person,"
    " entries, conflicts, findings, grave, void, next, rec)"
    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
    " ?15)";
static const char update_row[] =
    "UPDATE record SET kind = ?1, status = ?2, zh = ?3, en = ?4, opened = ?5,"
    " changed = ?6, team = ?7, person = ?8, entries = ?9, conflicts = ?10,"
    " findings = ?11, grave = ?12, void = ?13, next = ?14 WHERE n = ?15";

/* *n: its number, 0 where it has no row yet. */
static enum status
put_row(struct project *p, int64_t *n, const struct made *m)
{
	struct db_stmt *s;
	enum status st = db_query(&s, p->db, *n == 0 ? insert_row : update_row);

	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, made_text(m, m->kind));
	db_bind_text(s, 2, made_text(m, m->status));
	db_bind_text(s, 3, made_text(m, m->zh));
	db_bind_text(s, 4, made_text(m, m->en));
	db_bind_u64(s, 5, m->first);
	db_bind_u64(s, 6, m->last);
	db_bind_text(s, 7, team_of(p, made_text(m, m->person)));
	db_bind_text(s, 8, made_text(m, m->person));
	db_bind_u64(s, 9, m->entries);
	db_bind_u64(s, 10, m->conflicts);
	db_bind_u64(s, 11, m->findings);
	db_bind_u64(s, 12, m->grave);
	db_bind_i64(s, 13, m->is_void);
	if (m->next_ms == INT64_MAX)
		db_bind_null(s, 14);
	else
		db_bind_i64(s, 14, m->next_ms);
	if (*n == 0)
		db_bind_text(s, 15, bytes_str(m->rec));
	else
		db_bind_i64(s, 15, *n);
	st = db_run(s);
	if (st == ST_OK && *n == 0)
		*n = db_last_row(p->db);
	return st;
}

enum status
project_put(struct project *p, const struct made *m)
{
	struct row was;
	int64_t n;
	enum status st;

	if (m->system)
		return ST_OK;
	st = find_row(p, m->rec, &was);
	n = was.n;
	if (st == ST_OK && was.findings > 0)
		st = clear(p, n);
	if (st == ST_OK)
		st = put_row(p, &n, m);
	if (st == ST_OK)
		st = put_findings(p, n, m);
	if (st == ST_OK)
		st = put_words(p, n, &was, m);
	return st == ST_OK ? project_put_cases(p, n, m) : st;
}
