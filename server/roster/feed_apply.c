/* feed_apply: one entry of the log, put where streams will find it. */
#include <string.h>

#include "base/enc.h"
#include "server/roster/feed_impl.h"

enum status
feed_find_record(struct feed *f, struct bytes rec, int64_t *out)
{
	const struct feed_known *k = feed_known(f, rec);
	bool joined = false;
	struct db_stmt *s;
	enum status st;

	if (k != NULL) {
		*out = k->n;
		return ST_OK;
	}
	st = db_query(&s, f->db, "SELECT n, joined FROM record WHERE rec = ?1");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, rec);
	st = db_next(s);
	if (st == ST_OK) {
		*out = db_i64(s, 0);
		joined = db_i64(s, 1) != 0;
	}
	db_done(s);
	if (st == ST_OK)
		(void)feed_know(f, rec, *out, joined);
	return st;
}

static enum status
add_record(struct feed *f, struct bytes rec, int64_t *out)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(
	    &s, f->db, "INSERT INTO record(rec, joined) VALUES(?1, 0)");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, rec);
	st = db_run(s);
	*out = db_last_row(f->db);
	if (st == ST_OK)
		(void)feed_know(f, rec, *out, false);
	return st;
}

/* Whoever writes in a record that joined no scope asks that it join one. */
static enum status
ask_for(struct feed *f, struct bytes rec, const struct centre_entry *ce)
{
	struct feed_known *k = feed_known(f, rec);
	struct db_stmt *s;
	enum status st;

	if (k == NULL || k->joined || (ce->flags & STORE_SERVER) != 0 ||
	    memcmp(k->asked, ce->chain, CHAIN_LEN) == 0)
		return ST_OK;
	memcpy(k->asked, ce->chain, CHAIN_LEN);
	/* Else it waits until the roster says more. */
	if (feed_team_of(f, ce->chain)[0] != '\0')
		f->wanted = true;
	st = db_query(&s, f->db,
	    "INSERT OR IGNORE INTO wants(chain, rec, place)"
	    " VALUES(?1, ?2, ?3)");
	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(ce->chain, CHAIN_LEN));
	db_bind_text(s, 2, rec);
	db_bind_u64(s, 3, ce->place);
	return db_run(s);
}

static enum status
run3(struct feed *f, const char *sql, int64_t a, uint64_t b, int64_t c)
{
	struct db_stmt *s;
	enum status st = db_query(&s, f->db, sql);

	if (st != ST_OK)
		return st;
	db_bind_i64(s, 1, a);
	db_bind_u64(s, 2, b);
	db_bind_i64(s, 3, c);
	return db_run(s);
}

/* The entry goes into the stream of every scope that its record stands in. */
static enum status
into_scopes(struct feed *f, int64_t record, uint64_t place)
{
	return run3(f,
	    "INSERT OR IGNORE INTO step(scope, place, record)"
	    " SELECT scope, ?2, ?3 FROM scope_in WHERE record = ?1",
	    record, place, 0);
}

static enum status
scope_number(struct feed *f, const uint8_t id[ID_LEN], int64_t *out)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, f->db,
	    "INSERT INTO scope(id) VALUES(?1)"
	    " ON CONFLICT(id) DO UPDATE SET id = excluded.id RETURNING n");
	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(id, ID_LEN));
	st = db_next(s);
	if (st == ST_OK)
		*out = db_i64(s, 0);
	/* RETURNING must be read to its end to take effect. */
	while (st == ST_OK)
		st = db_next(s);
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}

/* It has joined, once and for all: nobody asks for it any more. */
static enum status
has_joined(struct feed *f, struct bytes rec, int64_t record)
{
	struct feed_known *k = feed_known(f, rec);
	enum status st;

	if (k != NULL)
		k->scoped = k->joined = true;
	st = run3(f,
	    "DELETE FROM wants WHERE rec ="
	    " (SELECT rec FROM record WHERE n = ?1) AND ?2 = ?3",
	    record, 0, 0);
	return st == ST_OK ? run3(f,
				 "UPDATE record SET joined = 1 WHERE n = ?1"
				 " AND joined = 0 AND ?2 = ?3",
				 record, 0, 0)
			   : st;
}

/* `link REC in|none` on a scope's record. */
static enum status
apply_scope_link(struct feed *f, const struct entry *e, uint64_t place)
{
	char rec[REC_LEN + 1] = "";
	uint8_t id[ID_LEN];
	int64_t scope = 0, record = 0;
	enum status st;

	if (e->on_count != 2 || e->rec.len != REC_LEN ||
	    e->on[0].len != REC_LEN)
		return ST_OK;
	memcpy(rec, e->rec.p, REC_LEN);
	st = roster_scope_id(id, rec);
	if (st != ST_OK)
		return ST_OK;
	st = scope_number(f, id, &scope);
	if (st == ST_OK)
		st = feed_find_record(f, e->on[0], &record);
	if (st == ST_ABSENT)
		return ST_OK; /* a record of which nothing is known */
	if (st != ST_OK)
		return st;
	/* Who reads the scope hears of a record's leaving, in its place. */
	if (!bytes_eq_str(e->on[1], "in"))
		st = run3(f,
		    "INSERT OR IGNORE INTO step(scope, place, record)"
		    " SELECT ?1, ?2, 0 WHERE EXISTS(SELECT 1 FROM scope_in"
		    " WHERE scope = ?1 AND record = ?3)",
		    scope, place, record);
	if (st != ST_OK)
		return st;
	if (!bytes_eq_str(e->on[1], "in"))
		return run3(f,
		    "DELETE FROM scope_in WHERE scope = ?1 AND record = ?3"
		    " AND ?2 >= 0",
		    scope, place, record);
	st = run3(f,
	    "INSERT INTO step(scope, place, record) SELECT ?1, ?2, ?3"
	    " WHERE NOT EXISTS(SELECT 1 FROM scope_in WHERE scope = ?1"
	    " AND record = ?3)",
	    scope, place, record);
	if (st == ST_OK)
		st = run3(f,
		    "INSERT OR IGNORE INTO scope_in(scope, record)"
		    " SELECT ?1, ?3 WHERE ?2 >= 0",
		    scope, place, record);
	return st == ST_OK ? has_joined(f, e->on[0], record) : st;
}

static enum status
put_own(struct feed *f, const char *prefix, struct bytes who, uint64_t place)
{
	struct db_stmt *s;
	struct buf b;
	enum status st;

	buf_init(&b, 1024);
	buf_str(&b, prefix);
	buf_bytes(&b, who);
	if (b.err != ST_OK) {
		buf_free(&b);
		return b.err == ST_LIMIT ? ST_OK : b.err;
	}
	st = db_query(
	    &s, f->db, "INSERT OR IGNORE INTO own(who, place) VALUES(?1, ?2)");
	if (st == ST_OK) {
		db_bind_text(s, 1, buf_view(&b));
		db_bind_u64(s, 2, place);
		st = db_run(s);
	}
	buf_free(&b);
	return st;
}

/* A record's own people are told of all that happens on it: whoever `own` says
 * its first entry concerned. */
static enum status
same_as_first(struct feed *f, int64_t record, uint64_t place)
{
	return run3(f,
	    "INSERT OR IGNORE INTO own(who, place)"
	    " SELECT own.who, ?2 FROM entry JOIN own"
	    " ON own.place = entry.place WHERE entry.record = ?1"
	    " AND entry.place < ?2 AND ?3 = 0",
	    record, place, 0);
}

/* `hold` and `admit`: the later one counts. */
static enum status
apply_hold(
    struct feed *f, const struct entry *e, int64_t record, uint64_t place)
{
	const char *sql = e->verb == DO_HOLD
			      ? "INSERT INTO held(id, record, hold)"
				" VALUES(?1, ?2, ?3) ON CONFLICT(id)"
				" DO UPDATE SET hold = excluded.hold"
			      : "DELETE FROM held WHERE id = ?1";
	uint8_t id[ID_LEN];
	struct db_stmt *s;
	enum status st = ST_OK;

	for (size_t i = 0; i < e->on_count && st == ST_OK; i++) {
		if (hex_decode(id, ID_LEN, e->on[i]) != ST_OK)
			continue;
		st = db_query(&s, f->db, sql);
		if (st != ST_OK)
			break;
		db_bind_bytes(s, 1, bytes_of(id, ID_LEN));
		if (e->verb == DO_HOLD) {
			db_bind_i64(s, 2, record);
			db_bind_u64(s, 3, place);
		}
		st = db_run(s);
	}
	return st;
}

static enum status
apply_server(
    struct feed *f, const struct entry *e, int64_t record, uint64_t place)
{
	struct bytes to;

	/* Ids stand in the head. */
	if (e->verb == DO_HOLD || e->verb == DO_ADMIT)
		return apply_hold(f, e, record, place);
	if (e->body_is != ENTRY_BODY_WHOLE)
		return ST_OK;
	if (bytes_eq_str(e->kind, "scope@1")) {
		if (e->verb == DO_LINK)
			return apply_scope_link(f, e, place);
		if (e->verb == DO_ADD)
			return put_own(
			    f, "person:", roster_value(e, "person"), place);
		return same_as_first(f, record, place);
	}
	if (bytes_eq_str(e->kind, "descriptor@1") ||
	    bytes_eq_str(e->kind, "kept@1") ||
	    bytes_eq_str(e->kind, "definition@1") ||
	    bytes_eq_str(e->kind, "erase@1"))
		return put_own(f, "", bytes_str(""), place);
	if (bytes_eq_str(e->kind, "device@1")) {
		if (e->verb == DO_OPEN)
			return put_own(
			    f, "dev:", roster_value(e, "dev"), place);
		/* A revocation is everybody's: a restore must not lose it. */
		if (e->verb == DO_ADVANCE)
			return put_own(f, "", bytes_str(""), place);
		return same_as_first(f, record, place);
	}
	/* The receipt of a file is its bringer's; who looked at it is not. */
	if (bytes_eq_str(e->kind, "evidence@1") && e->verb == DO_OPEN)
		return put_own(f, "dev:", roster_value(e, "dev"), place);
	if (bytes_eq_str(e->kind, "evidence@1") && e->verb == DO_ADVANCE)
		return same_as_first(f, record, place);
	if (bytes_eq_str(e->kind, "person@1")) {
		if (e->verb == DO_OPEN)
			return put_own(
			    f, "person:", roster_value(e, "id"), place);
		return same_as_first(f, record, place);
	}
	if (bytes_eq_str(e->kind, "team@1")) {
		if (e->verb == DO_OPEN)
			return put_own(
			    f, "team:", roster_value(e, "name"), place);
		return same_as_first(f, record, place);
	}
	if (!bytes_eq_str(e->kind, "order@1"))
		return ST_OK;
	if (e->verb != DO_OPEN)
		return same_as_first(f, record, place);
	to = roster_value(e, "to");
	if (bytes_eq_str(to, "all"))
		return put_own(f, "", bytes_str(""), place);
	if (bytes_starts(to, "team:"))
		return put_own(f, "", to, place);
	return put_own(f, "person:", to, place);
}

static enum status
into_record(
    struct feed *f, const struct centre_entry *ce, struct bytes rec, int64_t *n)
{
	const struct feed_known *k;
	struct db_stmt *s;
	enum status st = feed_find_record(f, rec, n);

	if (st == ST_ABSENT)
		st = add_record(f, rec, n);
	if (st == ST_OK)
		st = ask_for(f, rec, ce);
	if (st == ST_OK)
		st = db_query(&s, f->db,
		    "INSERT OR IGNORE INTO entry(record, place)"
		    " VALUES(?1, ?2)");
	if (st != ST_OK)
		return st;
	db_bind_i64(s, 1, *n);
	db_bind_u64(s, 2, ce->place);
	st = db_run(s);
	k = feed_known(f, rec);
	return st == ST_OK && (k == NULL || k->scoped)
		   ? into_scopes(f, *n, ce->place)
		   : st;
}

static enum status
apply_own(struct feed *f, const struct centre_entry *ce)
{
	struct entry *e = &f->entry;
	int64_t record = 0;
	enum status st = entry_parse(e, ce->bytes);

	if (st == ST_NOMEM)
		return st;
	if (e->rec.len != REC_LEN || !path_is_rec(e->rec))
		return ST_OK;
	/* Commits are the log's own book-keeping: one in each commit, asked
	 * for by nobody. */
	if (bytes_eq_str(e->kind, "commit@1"))
		return ST_OK;
	if (feed_of_a_record(e->verb))
		feed_say(f, ce, e->rec, e->verb, FEED_SAID_FIELD, e->kind);
	else if (!bytes_eq_str(e->kind, "scope@1"))
		feed_say(f, ce, e->rec, e->verb, FEED_SAID_OWN, e->kind);
	st = into_record(f, ce, e->rec, &record);
	return st == ST_OK ? apply_server(f, e, record, ce->place) : st;
}

enum status
feed_apply(struct feed *f, const struct centre_entry *ce)
{
	bool sound = (ce->flags & STORE_MALFORMED) == 0;
	enum verb verb;
	struct bytes rec;
	int64_t record = 0;
	enum status st;

	if ((ce->flags & STORE_LOST) != 0)
		return ST_OK; /* which record it was of is not known */
	if ((ce->flags & STORE_SERVER) != 0)
		return apply_own(f, ce);
	/* Of a device's entry only the head says where it belongs. */
	st = entry_glance(&f->entry, ce->bytes, sound, &rec, &verb);
	if (st != ST_OK)
		return st;
	if (rec.len != REC_LEN || (!sound && !path_is_rec(rec)))
		return ST_OK;
	feed_say(f, ce, rec, verb, FEED_SAID_DEVICE, bytes_str(""));
	return into_record(f, ce, rec, &record);
}
