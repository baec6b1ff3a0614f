/*
 * log_mend: a table with a torn page is set aside, and a new one takes its
 * place with every row that can still be read.
 *
 * SQLite can neither write to such a table nor drop it: both would have to
 * read what cannot be read.  It can rename it.  (Nor will it commit a
 * transaction in which a read met damage: so what can be read is found out
 * first, and only that is copied.)  The rows that were lost are
 * told by those who miss them (log_replay, a receipt that is not there); here
 * it is only made sure that the handheld can go on.  The chains' own tables
 * are not touched: there the way on is a new chain.
 */
#include "agent/log/log.h"

#include <string.h>

#include "agent/log/log_inner.h"
#include "chainfile/vault.h"

struct table {
	const char *name;
	const char *twin;  /* where its rows also stand, or NULL */
	const char *blob;  /* its last column, which may overflow a page */
	bool may_be_large; /* looked at only when there is reason to */
};

enum { ROWS_MAX = 64 << 20 }; /* bytes of row ids that are carried over */

static const struct table tables[] = {
	{ "vault", "vault_copy", NULL, false },
	{ "vault_copy", "vault", NULL, false },
	{ "public", NULL, "value", false },
	{ "receipt", NULL, "sealed", false },
	{ "cursor", NULL, "sealed", false },
	{ "conf", NULL, "sealed", false },
	{ "blobs", NULL, "sealed", false },
	{ "desk", NULL, "sealed", false },
	{ "others", NULL, "sealed", true },
	{ "bad", NULL, "sealed", true },
};

/* A statement whose text is made of three pieces. */
static enum status
query(struct db_stmt **out, struct log *l, const char *a, const char *b,
    const char *c)
{
	buf_reset(&l->name);
	buf_str(&l->name, a);
	buf_str(&l->name, b);
	buf_str(&l->name, c);
	if (buf_cstr(&l->name) == NULL)
		return ST_NOMEM;
	return db_query(out, l->db, buf_cstr(&l->name));
}

/* ST_OK: its pages are in order; ST_CORRUPT: not all. */
static enum status
look(struct log *l, const char *name)
{
	struct db_stmt *s;
	enum status st = query(&s, l, "PRAGMA quick_check('", name, "')");

	if (st != ST_OK)
		return st;
	st = db_next(s);
	if (st == ST_OK && !bytes_eq_str(db_bytes(s, 0), "ok"))
		st = ST_CORRUPT;
	db_done(s);
	return st == ST_ABSENT ? ST_CORRUPT : st;
}

/* The SQL that made a table. */
static enum status
made_by(struct log *l, const char *name, struct buf *out)
{
	struct db_stmt *s;
	enum status st = db_query(&s, l->db,
	    "SELECT sql FROM sqlite_schema WHERE type = 'table' AND "
	    "name = ?1");

	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(name));
	st = db_next(s);
	if (st == ST_OK) {
		buf_bytes(out, db_bytes(s, 0));
		if (buf_cstr(out) == NULL)
			st = out->err;
	}
	db_done(s);
	return st == ST_ABSENT ? ST_CORRUPT : st;
}

/* Append the row ids from one end to the other, or to what is torn. */
static enum status
list_rows(struct log *l, const char *name, const char *order, struct buf *out)
{
	struct db_stmt *s;
	enum status st = query(&s, l, "SELECT rowid FROM ", name, order);

	if (st != ST_OK)
		return st;
	while ((st = db_next(s)) == ST_OK)
		buf_u64(out, (uint64_t)db_i64(s, 0));
	db_done(s);
	if (out->err != ST_OK)
		return out->err;
	return st == ST_ABSENT || st == ST_CORRUPT ? ST_OK : st;
}

/* True if the row can be read to its last byte. */
static bool
readable(struct log *l, const struct table *t, int64_t row)
{
	struct db_stmt *s;
	enum status st;

	buf_reset(&l->name);
	buf_printf(&l->name,
	    "SELECT substr(%s, -1) FROM %s NOT INDEXED WHERE rowid = ?1",
	    t->blob, t->name);
	if (buf_cstr(&l->name) == NULL ||
	    db_query(&s, l->db, buf_cstr(&l->name)) != ST_OK)
		return false;
	db_bind_i64(s, 1, row);
	st = db_next(s);
	db_done(s);
	return st == ST_OK;
}

/* The ids of all rows that can be read. */
static enum status
find_rows(struct log *l, const struct table *t, struct buf *out)
{
	enum status st;
	struct buf all;

	buf_init(&all, ROWS_MAX);
	st = list_rows(l, t->name, " NOT INDEXED ORDER BY rowid", &all);
	/* From the other end, too: the torn page is in between. */
	if (st == ST_OK)
		st = list_rows(
		    l, t->name, " NOT INDEXED ORDER BY rowid DESC", &all);
	for (size_t i = 0; i + 8 <= all.len && st == ST_OK; i += 8) {
		if (readable(l, t, (int64_t)be64_get(all.p + i)))
			buf_add(out, all.p + i, 8);
		st = out->err;
	}
	buf_free(&all);
	return st;
}

static enum status
copy_rows(
    struct log *l, const char *name, const char *old, const struct buf *rows)
{
	for (size_t i = 0; i + 8 <= rows->len; i += 8) {
		struct db_stmt *s;
		enum status st;

		buf_reset(&l->name);
		buf_printf(&l->name,
		    "INSERT OR IGNORE INTO %s SELECT * FROM %s NOT INDEXED "
		    "WHERE rowid = ?1",
		    name, old);
		if (buf_cstr(&l->name) == NULL)
			return ST_NOMEM;
		st = db_query(&s, l->db, buf_cstr(&l->name));
		if (st != ST_OK)
			return st;
		db_bind_i64(s, 1, (int64_t)be64_get(rows->p + i));
		st = db_run(s);
		/* A row whose cells are no longer what the table holds. */
		if (st != ST_OK && st != ST_CONFLICT)
			return st;
	}
	return ST_OK;
}

static enum status
replace(struct log *l, const struct table *t, const char *create,
    const struct buf *rows)
{
	int64_t count = 0;
	enum status st;
	struct buf old, sql;

	buf_init(&old, 64);
	buf_init(&sql, 512);
	st = db_scalar(&count, l->db,
	    "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND "
	    "name GLOB 'spoiled_*'");
	buf_printf(&old, "spoiled_%u", (unsigned)count + 1);
	buf_printf(&sql, "ALTER TABLE %s RENAME TO %s", t->name,
	    buf_cstr(&old) == NULL ? "" : buf_cstr(&old));
	if (st == ST_OK)
		st = old.err != ST_OK ? old.err : sql.err;
	if (st == ST_OK)
		st = buf_cstr(&sql) == NULL ? ST_NOMEM
					    : db_exec(l->db, buf_cstr(&sql));
	if (st == ST_OK)
		st = db_exec(l->db, create);
	if (st == ST_OK && t->twin == NULL)
		st = copy_rows(l, t->name, buf_cstr(&old), rows);
	buf_free(&old);
	buf_reset(&sql);
	if (st == ST_OK && t->twin != NULL) {
		buf_printf(&sql, "INSERT OR IGNORE INTO %s SELECT * FROM %s",
		    t->name, t->twin);
		st = buf_cstr(&sql) == NULL ? ST_NOMEM
					    : db_exec(l->db, buf_cstr(&sql));
	}
	buf_free(&sql);
	return st;
}

static enum status
mend(struct log *l, const struct table *t)
{
	struct buf create, rows;
	enum status st;

	buf_init(&create, 4096);
	buf_init(&rows, ROWS_MAX);
	st = made_by(l, t->name, &create);
	if (st == ST_OK && t->twin == NULL)
		st = find_rows(l, t, &rows);
	if (st == ST_OK)
		st = db_begin(l->db);
	if (st == ST_OK) {
		st = replace(l, t, buf_cstr(&create), &rows);
		if (st == ST_OK)
			st = db_commit(l->db);
		else
			db_rollback(l->db);
	}
	buf_free(&create);
	buf_free(&rows);
	return st;
}

enum status
log_mend(struct log *l, bool all)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		const struct table *t = &tables[i];
		enum status st;

		if (t->may_be_large && !all)
			continue;
		st = look(l, t->name);
		if (st == ST_CORRUPT)
			st = mend(l, t);
		/* What cannot be mended stays as it is: those who need it
		 * say so, all others go on. */
		if (st == ST_IO || st == ST_FULL || st == ST_NOMEM)
			return st;
	}
	return ST_OK;
}
