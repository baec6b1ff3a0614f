/*
 * project_facts: what records of a case tell each other at the centre
 * (docs/KINDS.md, section 3a).
 *
 * `given` holds the rows that folded records gave, by case; `asking` the cases
 * of records whose rules ask.  When a record's rows change, those of its cases
 * that take from the table fall due at once (`next`) and are judged again by
 * the same step that follows the clock: many changes of one case in a batch
 * cost one judging, and a step judges a bounded number.
 */
#include <string.h>

#include "server/project/project_impl.h"

/* ---- taking */

static enum status
collect(struct db *db, const char *key, const char *table, struct facts *out)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, db,
	    "SELECT rec, doc FROM given WHERE key = ?1 AND name = ?2"
	    " ORDER BY rec LIMIT ?3");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(key));
	db_bind_text(s, 2, bytes_str(table));
	db_bind_i64(s, 3, FACT_ROWS_MAX);
	while ((st = db_next(s)) == ST_OK) {
		st = facts_row(
		    out, bytes_str(table), db_bytes(s, 0), db_bytes(s, 1));
		if (st != ST_OK)
			break;
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
project_facts(void *arg, const struct rules *rs, const struct facts_record *r,
    struct facts *out)
{
	struct db *db = arg;
	uint32_t tables = facts_takes(rs, r->kind);
	struct fact_key keys[FACT_KEYS_MAX + 1];
	size_t count = facts_cases(rs, r, keys);
	const char *name;
	enum status st = ST_OK;

	facts_begin(out, r->rec);
	keys[count++].text[0] = '\0';
	for (unsigned t = 0;
	     st == ST_OK && (name = facts_table_name(rs, t)) != NULL; t++) {
		for (size_t i = 0;
		     (tables >> t & 1) != 0 && st == ST_OK && i < count; i++)
			st = collect(db, keys[i].text, name, out);
	}
	return st == ST_OK ? facts_take(out, rs, r) : st;
}

/* ---- giving */

struct giving {
	struct project *p;
	const char *rec;
	struct buf now; /* the rows as they are: table, key, row, each a line */
};

static enum status
take_row(void *arg, const char *table, const char *key, struct bytes row)
{
	struct giving *g = arg;

	buf_printf(&g->now, "%s\n%s\n", table, key);
	buf_bytes(&g->now, row);
	buf_u8(&g->now, '\n');
	return g->now.err;
}

static enum status
read_given(struct giving *g, struct buf *was)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, g->p->db,
	    "SELECT name, key, doc FROM given WHERE rec = ?1 ORDER BY n");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(g->rec));
	while ((st = db_next(s)) == ST_OK) {
		for (int c = 0; c < 3; c++) {
			buf_bytes(was, db_bytes(s, c));
			buf_u8(was, '\n');
		}
	}
	db_done(s);
	return st == ST_ABSENT ? was->err : st;
}

static struct bytes
next_line(struct bytes *rest)
{
	const uint8_t *lf = memchr(rest->p, '\n', rest->len);
	struct bytes line = bytes_of(rest->p, (size_t)(lf - rest->p));

	*rest = bytes_of(lf + 1, rest->len - line.len - 1);
	return line;
}

/* Who asks for that table in that case is judged again; of no case: every
 * record that is not older than the row's own entries. */
static enum status
touch(struct giving *g, struct bytes table, struct bytes key)
{
	uint64_t first, last;
	struct db_stmt *s;
	enum status st;

	fold_times(g->p->fold, &first, &last);
	st = db_query(&s, g->p->db,
	    key.len > 0
		? "UPDATE record SET next = 0 WHERE n IN (SELECT n FROM asking"
		  " WHERE key = ?1 AND name = ?2)"
		: "UPDATE record SET next = 0 WHERE changed >= ?1");
	if (st != ST_OK)
		return st;
	if (key.len > 0) {
		db_bind_text(s, 1, key);
		db_bind_text(s, 2, table);
	} else {
		db_bind_u64(s, 1, first);
	}
	return db_run(s);
}

static enum status
put_row(
    struct giving *g, struct bytes table, struct bytes key, struct bytes row)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, g->p->db,
	    "INSERT INTO given(key, name, rec, doc) VALUES(?1, ?2, ?3, ?4)");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, key);
	db_bind_text(s, 2, table);
	db_bind_text(s, 3, bytes_str(g->rec));
	db_bind_text(s, 4, row);
	return db_run(s);
}

/* Each line of three; `put`: it is written, too. */
static enum status
each_row(struct giving *g, struct bytes rows, bool put)
{
	enum status st = ST_OK;

	while (st == ST_OK && rows.len > 0) {
		struct bytes table = next_line(&rows);
		struct bytes key = next_line(&rows);
		struct bytes row = next_line(&rows);

		if (put)
			st = put_row(g, table, key, row);
		if (st == ST_OK)
			st = touch(g, table, key);
	}
	return st;
}

static enum status
forget(struct giving *g)
{
	struct db_stmt *s;
	enum status st =
	    db_query(&s, g->p->db, "DELETE FROM given WHERE rec = ?1");

	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(g->rec));
	return db_run(s);
}

enum status
project_give(struct project *p, const char *rec)
{
	struct giving g = { .p = p, .rec = rec };
	struct facts_record r;
	struct buf was;
	enum status st;

	fold_facts_record(p->fold, rec, &r);
	if (r.kind == NULL || !facts_gives(p->cfg.rules, r.kind))
		return ST_OK;
	buf_init(&g.now, DOC_BYTES_MAX);
	buf_init(&was, DOC_BYTES_MAX);
	st = facts_give(p->cfg.rules, &r, take_row, &g);
	if (st == ST_OK)
		st = read_given(&g, &was);
	if (st == ST_OK && !bytes_eq(buf_view(&was), buf_view(&g.now))) {
		st = forget(&g);
		/* The case that it has left hears of it, too. */
		if (st == ST_OK)
			st = each_row(&g, buf_view(&was), false);
		if (st == ST_OK)
			st = each_row(&g, buf_view(&g.now), true);
	}
	buf_free(&g.now);
	buf_free(&was);
	return st;
}

/* ---- who asks */

static enum status
read_cases(struct project *p, int64_t n, struct buf *was)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, p->db,
	    "SELECT key, name FROM asking WHERE n = ?1 ORDER BY rowid");
	if (st != ST_OK)
		return st;
	db_bind_i64(s, 1, n);
	while ((st = db_next(s)) == ST_OK) {
		for (int c = 0; c < 2; c++) {
			buf_bytes(was, db_bytes(s, c));
			buf_u8(was, '\n');
		}
	}
	db_done(s);
	return st == ST_ABSENT ? was->err : st;
}

static enum status
put_cases(struct project *p, int64_t n, struct bytes now)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, p->db, "DELETE FROM asking WHERE n = ?1");
	if (st != ST_OK)
		return st;
	db_bind_i64(s, 1, n);
	st = db_run(s);
	while (st == ST_OK && now.len > 0) {
		struct bytes key = next_line(&now), name = next_line(&now);

		st = db_query(&s, p->db,
		    "INSERT INTO asking(key, name, n) VALUES(?1, ?2, ?3)");
		if (st != ST_OK)
			return st;
		db_bind_text(s, 1, key);
		db_bind_text(s, 2, name);
		db_bind_i64(s, 3, n);
		st = db_run(s);
	}
	return st;
}

enum status
project_put_cases(struct project *p, int64_t n, const char *rec)
{
	const struct rules *rs = p->cfg.rules;
	struct fact_key keys[FACT_KEYS_MAX];
	struct facts_record r;
	struct buf now, was;
	uint32_t tables;
	const char *name;
	size_t count;
	enum status st;

	fold_facts_record(p->fold, rec, &r);
	tables = r.kind == NULL ? 0 : facts_takes(rs, r.kind);
	count = tables == 0 ? 0 : facts_cases(rs, &r, keys);
	buf_init(&now, 1 << 20);
	buf_init(&was, 1 << 20);
	for (unsigned i = 0;
	     count > 0 && (name = facts_table_name(rs, i)) != NULL; i++) {
		for (size_t k = 0; (tables >> i & 1) != 0 && k < count; k++)
			buf_printf(&now, "%s\n%s\n", keys[k].text, name);
	}
	st = now.err;
	if (st == ST_OK)
		st = read_cases(p, n, &was);
	if (st == ST_OK && !bytes_eq(buf_view(&was), buf_view(&now)))
		st = put_cases(p, n, buf_view(&now));
	buf_free(&now);
	buf_free(&was);
	return st;
}
