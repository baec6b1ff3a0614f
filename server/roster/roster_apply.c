/* roster_apply: what each of the log's own records means for the roster. */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "server/roster/roster_impl.h"

static bool
has_name(const struct entry *e, const char *name)
{
	for (size_t i = 0; i < e->on_count; i++) {
		if (bytes_eq_str(e->on[i], name))
			return true;
	}
	return false;
}

static int64_t
number_of(const struct entry *e, const char *name)
{
	for (size_t i = 0; i < e->on_count; i++) {
		uint32_t n;

		if (!bytes_eq_str(e->on[i], name))
			continue;
		n = entry_value(e, i);
		return e->body.node[n].type == JSON_INT ? e->body.node[n].num
							: 0;
	}
	return 0;
}

/* Run `sql` with text ?1 = rec, ?2 = value. */
static enum status
set_text(struct roster *r, const char *sql, struct bytes rec, struct bytes v)
{
	struct db_stmt *s;
	enum status st = db_query(&s, r->db, sql);

	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, rec);
	db_bind_text(s, 2, v);
	return db_run(s);
}

struct column {
	const char *name, *sql;
};

/* Each column whose name stands in `on` takes its value. */
static enum status
set_columns(struct roster *r, const struct entry *e, const struct column *c,
    size_t count)
{
	enum status st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < count; i++) {
		if (has_name(e, c[i].name))
			st = set_text(
			    r, c[i].sql, e->rec, roster_value(e, c[i].name));
	}
	return st;
}

static enum status
apply_person(struct roster *r, const struct entry *e)
{
	static const struct column columns[] = {
		{ "name", "UPDATE person SET name = ?2 WHERE rec = ?1" },
		{ "role", "UPDATE person SET role = ?2 WHERE rec = ?1" },
		{ "unit", "UPDATE person SET unit = ?2 WHERE rec = ?1" },
		{ "team", "UPDATE person SET team = ?2 WHERE rec = ?1" },
	};
	enum status st = ST_OK;

	if (e->verb == DO_OPEN)
		st = set_text(r,
		    "INSERT OR IGNORE INTO person(rec, id) VALUES(?1, ?2)",
		    e->rec, roster_value(e, "id"));
	return st == ST_OK ? set_columns(r, e, columns, 4) : st;
}

static enum status
apply_team(struct roster *r, const struct entry *e)
{
	static const struct column columns[] = { { "scope",
	    "UPDATE team SET scope = ?2 WHERE rec = ?1" } };
	enum status st = ST_OK;

	if (e->verb == DO_OPEN)
		st = set_text(r,
		    "INSERT OR IGNORE INTO team(rec, name) VALUES(?1, ?2)",
		    e->rec, roster_value(e, "name"));
	return st == ST_OK ? set_columns(r, e, columns, 1) : st;
}

static enum status
apply_scope(struct roster *r, const struct entry *e)
{
	if (e->verb == DO_OPEN)
		return set_text(r,
		    "INSERT OR IGNORE INTO scope(rec, team) VALUES(?1, ?2)",
		    e->rec, roster_value(e, "team"));
	if (e->verb == DO_ADD)
		return set_text(r,
		    "INSERT OR IGNORE INTO member(scope, person)"
		    " VALUES(?1, ?2)",
		    e->rec, roster_value(e, "person"));
	if (e->verb == DO_ADVANCE)
		return set_text(r,
		    "UPDATE scope SET closed = 1 WHERE rec = ?1"
		    " AND ?2 = 'closed'",
		    e->rec, e->on[0]);
	return ST_OK;
}

static enum status
bind_hex(struct db_stmt *s, int i, struct bytes hex, uint8_t *out, size_t len)
{
	enum status st = hex_decode(out, len, hex);

	db_bind_bytes(s, i, bytes_of(out, len));
	return st;
}

/* The first that joined by a code has it. */
static enum status
note_code(struct roster *r, const struct entry *e)
{
	return set_text(r,
	    "INSERT OR IGNORE INTO code(rec, code) VALUES(?1, ?2)", e->rec,
	    roster_value(e, "code"));
}

static enum status
open_device(struct roster *r, const struct entry *e, uint64_t place)
{
	static const char *const texts[] = { "dev", "person", "name", "role",
		"team", "code" };
	uint8_t key[PUBKEY_LEN], serial[ROSTER_SERIAL_LEN];
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, r->db,
	    "INSERT OR IGNORE INTO device(rec, dev, person, name, role, team,"
	    " code, key, serial, since, until, place)"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, e->rec);
	for (int i = 0; i < 6; i++)
		db_bind_text(s, i + 2, roster_value(e, texts[i]));
	if (bind_hex(s, 8, roster_value(e, "key"), key, sizeof(key)) != ST_OK ||
	    bind_hex(s, 9, roster_value(e, "cert/serial"), serial,
		sizeof(serial)) != ST_OK) {
		db_done(s);
		return ST_OK; /* none of ours: the auditor will name it */
	}
	db_bind_i64(s, 10, number_of(e, "cert/from"));
	db_bind_i64(s, 11, number_of(e, "cert/until"));
	db_bind_u64(s, 12, place);
	return db_run(s);
}

static enum status
renew_device(struct roster *r, const struct entry *e)
{
	uint8_t serial[ROSTER_SERIAL_LEN];
	struct db_stmt *s;
	enum status st;

	if (!has_name(e, "cert/serial"))
		return ST_OK;
	st = db_query(&s, r->db,
	    "UPDATE device SET serial = ?2, since = ?3, until = ?4"
	    " WHERE rec = ?1");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, e->rec);
	if (bind_hex(s, 2, roster_value(e, "cert/serial"), serial,
		sizeof(serial)) != ST_OK) {
		db_done(s);
		return ST_OK;
	}
	db_bind_i64(s, 3, number_of(e, "cert/from"));
	db_bind_i64(s, 4, number_of(e, "cert/until"));
	return db_run(s);
}

static enum status
apply_device(struct roster *r, const struct entry *e, uint64_t place)
{
	static const struct column columns[] = {
		{ "team", "UPDATE device SET team = ?2 WHERE rec = ?1" },
		{ "role", "UPDATE device SET role = ?2 WHERE rec = ?1" },
	};
	enum status st;

	if (e->verb == DO_OPEN) {
		st = open_device(r, e, place);
		return st == ST_OK ? note_code(r, e) : st;
	}
	/* A doubt that was logged once stays, though the device be replaced:
	 * what its file brings then is still held. */
	if (e->verb == DO_ADVANCE)
		return set_text(r,
		    "UPDATE device SET standing = ?2 WHERE rec = ?1"
		    " AND (standing IN ('', 'replaced') OR ?2 <> 'replaced')",
		    e->rec, e->on[0]);
	if (e->verb != DO_SET)
		return ST_OK;
	st = renew_device(r, e);
	if (st == ST_OK && has_name(e, "code"))
		st = note_code(r, e);
	return st == ST_OK ? set_columns(r, e, columns, 2) : st;
}

static enum status
set_head(struct roster *r, const struct entry *e, const uint8_t link[HASH_LEN])
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, r->db,
	    "INSERT INTO head(rec, id) VALUES(?1, ?2)"
	    " ON CONFLICT(rec) DO UPDATE SET id = excluded.id");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, e->rec);
	db_bind_bytes(s, 2, bytes_of(link, ID_LEN));
	return db_run(s);
}

static enum status
note_descriptor(struct roster *r, uint64_t place)
{
	if (r->descriptor_count == r->descriptor_cap) {
		size_t cap = r->descriptor_cap == 0 ? 8 : r->descriptor_cap * 2;
		uint64_t *bigger =
		    realloc(r->descriptor, cap * sizeof(*bigger));

		if (bigger == NULL)
			return ST_NOMEM;
		r->descriptor = bigger;
		r->descriptor_cap = cap;
	}
	r->descriptor[r->descriptor_count++] = place;
	return ST_OK;
}

enum status
roster_apply(struct roster *r, const struct centre_entry *ce)
{
	struct entry *e = &r->entry;
	enum status st;

	st = entry_parse(e, ce->bytes);
	if (st == ST_NOMEM)
		return st;
	if (st != ST_OK || e->body_is != ENTRY_BODY_WHOLE)
		return ST_OK;
	if (bytes_eq_str(e->kind, "device@1"))
		st = apply_device(r, e, ce->place);
	else if (bytes_eq_str(e->kind, "person@1"))
		st = apply_person(r, e);
	else if (bytes_eq_str(e->kind, "team@1"))
		st = apply_team(r, e);
	else if (bytes_eq_str(e->kind, "scope@1"))
		st = apply_scope(r, e);
	else if (bytes_eq_str(e->kind, "descriptor@1"))
		return note_descriptor(r, ce->place);
	else
		return ST_OK;
	/* A scope's links move records, not people. */
	if (!bytes_eq_str(e->kind, "scope@1") || e->verb != DO_LINK)
		__atomic_add_fetch(&r->version, 1, __ATOMIC_RELEASE);
	return st == ST_OK ? set_head(r, e, ce->link) : st;
}
