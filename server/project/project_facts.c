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

/* ---- what a folded record gives, and where it asks */

static enum status
take_row(void *arg, const char *table, const char *key, struct bytes row)
{
	struct buf *out = arg;

	buf_printf(out, "%s\n%s\n", table, key);
	buf_bytes(out, row);
	buf_u8(out, '\n');
	return out->err;
}

static void
make_cases(struct made *m, const struct rules *rs, const struct facts_record *r)
{
	struct fact_key keys[FACT_KEYS_MAX];
	size_t count = m->takes == 0 ? 0 : facts_cases(rs, r, keys);
	const char *name;

	for (unsigned i = 0;
	     count > 0 && (name = facts_table_name(rs, i)) != NULL; i++) {
		for (size_t k = 0; (m->takes >> i & 1) != 0 && k < count; k++)
			buf_printf(&m->text, "%s\n%s\n", keys[k].text, name);
	}
}

enum status
project_make_facts(struct made *m, const struct fold *f, const char *rec,
    const struct rules *rs)
{
	struct facts_record r;
	enum status st = ST_OK;

	fold_facts_record(f, rec, &r);
	m->gives = r.kind != NULL && facts_gives(rs, r.kind);
	m->takes = r.kind == NULL ? 0 : facts_takes(rs, r.kind);
	m->given.off = m->text.len;
	if (m->gives)
		st = facts_give(rs, &r, take_row, &m->text);
	m->cases.off = m->text.len;
	m->given.len = m->cases.off - m->given.off;
	if (st == ST_OK)
		make_cases(m, rs, &r);
	m->cases.len = m->text.len - m->cases.off;
	return st == ST_OK ? m->text.err : st;
}

/* ---- giving */

struct giving {
	struct project *p;
	const struct made *m;
};

static struct bytes
next_line(struct bytes *rest)
{
	const uint8_t *lf = memchr(rest->p, '\n', rest->len);
	struct bytes line = bytes_of(rest->p, (size_t)(lf - rest->p));

	*rest = bytes_of(lf + 1, rest->len - line.len - 1);
	return line;
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
	db_bind_text(s, 1, bytes_str(g->m->rec));
	while ((st = db_next(s)) == ST_OK) {
		for (int c = 0; c < 3; c++) {
			buf_bytes(was, db_bytes(s, c));
			buf_u8(was, '\n');
		}
	}
	db_done(s);
	return st == ST_ABSENT ? was->err : st;
}

static uint32_t
gave_bit(struct bytes table, struct bytes key)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < table.len; i++)
		h = (h ^ table.p[i]) * 16777619u;
	h = (h ^ '\n') * 16777619u;
	for (size_t i = 0; i < key.len; i++)
		h = (h ^ key.p[i]) * 16777619u;
	return (h ^ h >> 16) % PROJECT_GAVE_BITS;
}

static bool
gave(const struct project *p, struct bytes table, struct bytes key)
{
	uint32_t bit = gave_bit(table, key);

	return (p->gave[bit / 64] >> bit % 64 & 1) != 0;
}

bool
project_was_told(const struct project *p, const struct made *m)
{
	struct bytes cases = made_text(m, m->cases);
	const char *name;

	while (cases.len > 0) {
		struct bytes key = next_line(&cases), table = next_line(&cases);

		if (gave(p, table, key))
			return true;
	}
	/* What is given for every case. */
	for (unsigned i = 0; m->takes != 0 &&
			     (name = facts_table_name(p->cfg.rules, i)) != NULL;
	     i++) {
		if ((m->takes >> i & 1) != 0 &&
		    gave(p, bytes_str(name), bytes_of("", 0)))
			return true;
	}
	return false;
}

/* Who asks for that table in that case is judged again; of no case: every
 * record that is not older than the row's own entries. */
static enum status
touch(struct giving *g, struct bytes table, struct bytes key)
{
	uint32_t bit = gave_bit(table, key);
	struct db_stmt *s;
	enum status st;

	g->p->gave[bit / 64] |= (uint64_t)1 << bit % 64;
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
		db_bind_u64(s, 1, g->m->first);
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
	db_bind_text(s, 3, bytes_str(g->m->rec));
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
	db_bind_text(s, 1, bytes_str(g->m->rec));
	return db_run(s);
}

enum status
project_give(struct project *p, const struct made *m)
{
	struct giving g = { .p = p, .m = m };
	struct bytes now = made_text(m, m->given);
	struct buf was;
	enum status st;

	if (!m->gives)
		return ST_OK;
	buf_init(&was, DOC_BYTES_MAX);
	st = read_given(&g, &was);
	if (st == ST_OK && !bytes_eq(buf_view(&was), now)) {
		st = forget(&g);
		/* The case that it has left hears of it, too. */
		if (st == ST_OK)
			st = each_row(&g, buf_view(&was), false);
		if (st == ST_OK)
			st = each_row(&g, now, true);
	}
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
project_put_cases(struct project *p, int64_t n, const struct made *m)
{
	struct buf was;
	enum status st;

	buf_init(&was, 1 << 20);
	st = read_cases(p, n, &was);
	if (st == ST_OK && !bytes_eq(buf_view(&was), made_text(m, m->cases)))
		st = put_cases(p, n, made_text(m, m->cases));
	buf_free(&was);
	return st;
}
