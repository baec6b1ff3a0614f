/*
 * view_scope: which records this device may read as a member of which scope,
 * and what it has to let go of once it is a member no longer
 * (docs/PROTOCOL.md, section 6).
 *
 * All of it is read from the server's own entries of kind scope@1: `link REC
 * in` and `link REC none`, which a scope's stream brings, and `advance closed`,
 * which the device's own feed brings.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/core/view_impl.h"

static enum status
note_closed(struct view *v, const struct entry *e)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, v->db,
	    "INSERT INTO scope(rec, closed) VALUES(?1, 1)"
	    " ON CONFLICT(rec) DO UPDATE SET closed = 1");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, e->rec);
	return db_run(s);
}

/* Of several links of one record the one with the highest place counts. */
static enum status
note_link(struct view *v, const struct entry *e, const struct view_entry *in)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, v->db,
	    "INSERT INTO scope_in(scope, rec, place, id, here)"
	    " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(scope, rec) DO UPDATE"
	    " SET place = excluded.place, id = excluded.id,"
	    " here = excluded.here WHERE excluded.place > place");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, e->rec);
	db_bind_text(s, 2, e->on[0]);
	db_bind_u64(s, 3, in->place);
	db_bind_bytes(s, 4, bytes_of(in->id, ID_LEN));
	db_bind_i64(s, 5, bytes_eq_str(e->on[1], "in"));
	return db_run(s);
}

enum status
view_scope_note(
    struct view *v, const struct entry *e, const struct view_entry *in)
{
	if (e->rec.len != REC_LEN)
		return ST_OK;
	if (e->verb == DO_ADVANCE && e->on_count == 1 &&
	    bytes_eq_str(e->on[0], "closed"))
		return note_closed(v, e);
	if (e->verb == DO_LINK && e->on_count == 2 &&
	    in->place != VIEW_NO_PLACE)
		return note_link(v, e, in);
	return ST_OK;
}

/* ---- letting go */

/* Records that stood in a scope of ours, and stand in none that is open. */
#define GONE                                                                   \
	"SELECT record.n FROM scope_in l JOIN record ON record.rec = l.rec"    \
	" LEFT JOIN scope s ON s.rec = l.scope"                                \
	" WHERE (l.here = 0 OR s.closed = 1) AND NOT EXISTS"                   \
	" (SELECT 1 FROM scope_in h LEFT JOIN scope hs ON hs.rec = h.scope"    \
	"  WHERE h.rec = l.rec AND h.here = 1"                                 \
	"  AND coalesce(hs.closed, 0) = 0)"

/* Our own entries stay, and what the centre has said on a record of ours: a
 * `hold` is heard for as long as what it holds is shown. */
static const char left_sql[] =
    "SELECT e.id FROM entry e WHERE e.record IN (" GONE ")"
    " AND (e.flags & 4) = 0 AND ((e.flags & 1) = 0 OR NOT EXISTS"
    " (SELECT 1 FROM entry o WHERE o.record = e.record AND (o.flags & 4) <> 0))"
    " UNION SELECT l.id FROM scope_in l JOIN scope s ON s.rec = l.scope"
    " WHERE s.closed = 1";

static enum status
read_ids(struct view *v, struct view_left *out)
{
	struct db_stmt *s;
	enum status st = db_query(&s, v->db, left_sql);

	if (st != ST_OK)
		return st;
	while ((st = db_next(s)) == ST_OK) {
		if (out->count == out->cap) {
			size_t cap = out->cap == 0 ? 64 : out->cap * 2;
			uint8_t(*bigger)[ID_LEN] =
			    realloc(out->id, cap * ID_LEN);

			if (bigger == NULL) {
				st = ST_NOMEM;
				break;
			}
			out->id = bigger;
			out->cap = cap;
		}
		st = db_copy(s, 0, out->id[out->count++], ID_LEN);
		if (st != ST_OK)
			break;
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
view_left_find(struct view *v, struct view_left *out)
{
	enum status st;

	memset(out, 0, sizeof(*out));
	st = read_ids(v, out);
	if (st != ST_OK)
		view_left_free(out);
	return st;
}

void
view_left_free(struct view_left *l)
{
	free(l->id);
	memset(l, 0, sizeof(*l));
}

enum status
view_scopes_closed(struct view *v, view_scope_cb *fn, void *arg)
{
	char rec[REC_LEN + 1] = "";
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, v->db, "SELECT rec FROM scope WHERE closed = 1");
	if (st != ST_OK)
		return st;
	while ((st = db_next(s)) == ST_OK) {
		struct bytes b = db_bytes(s, 0);

		if (b.len != REC_LEN)
			continue;
		memcpy(rec, b.p, REC_LEN);
		st = fn(arg, rec);
		if (st != ST_OK)
			break;
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
view_let_go(struct view *v, const struct view_left *l)
{
	enum status st = db_begin(v->db);

	if (st != ST_OK)
		return st;
	for (size_t i = 0; st == ST_OK && i < l->count; i++) {
		struct db_stmt *s;

		st = db_query(&s, v->db, "DELETE FROM entry WHERE id = ?1");
		if (st != ST_OK)
			break;
		db_bind_bytes(s, 1, bytes_of(l->id[i], ID_LEN));
		st = db_run(s);
	}
	if (st == ST_OK)
		st = db_exec(v->db,
		    "DELETE FROM scope_in WHERE here = 0 OR scope IN"
		    " (SELECT rec FROM scope WHERE closed = 1);"
		    "DELETE FROM record WHERE n NOT IN"
		    " (SELECT record FROM entry);"
		    "DELETE FROM imported WHERE record NOT IN"
		    " (SELECT n FROM record);"
		    "DELETE FROM stated WHERE record NOT IN"
		    " (SELECT n FROM record);"
		    "DELETE FROM given; UPDATE record SET gave = 0");
	v->last_record = 0;
	if (st == ST_OK)
		return db_commit(v->db);
	db_rollback(v->db);
	return st;
}
