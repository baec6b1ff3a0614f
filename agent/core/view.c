#include "agent/core/view.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core/view_impl.h"
#include "base/enc.h"

static const char schema[] =
    "CREATE TABLE record(n INTEGER PRIMARY KEY, rec TEXT NOT NULL UNIQUE,"
    " kind TEXT NOT NULL, wall INTEGER NOT NULL,"
    " gave INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE entry(n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,"
    " record INTEGER NOT NULL, flags INTEGER NOT NULL, place INTEGER,"
    " whole INTEGER NOT NULL, bytes BLOB NOT NULL);"
    "CREATE INDEX entry_record ON entry(record);"
    "CREATE TABLE imported(key TEXT PRIMARY KEY, record INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE scope(rec TEXT PRIMARY KEY, closed INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE scope_in(scope TEXT NOT NULL, rec TEXT NOT NULL,"
    " place INTEGER NOT NULL, id BLOB NOT NULL, here INTEGER NOT NULL,"
    " PRIMARY KEY(scope, rec)) WITHOUT ROWID;"
    "CREATE INDEX scope_of ON scope_in(rec);"
    "CREATE TABLE stated(key TEXT NOT NULL, record INTEGER NOT NULL,"
    " PRIMARY KEY(key, record)) WITHOUT ROWID;"
    "CREATE TABLE given(key TEXT NOT NULL, name TEXT NOT NULL,"
    " record INTEGER NOT NULL, doc TEXT NOT NULL,"
    " PRIMARY KEY(key, name, record)) WITHOUT ROWID;"
    "CREATE INDEX given_record ON given(record);";

enum status
view_new(struct view **out, const struct kinds *ks, const struct rules *rs,
    int utc_offset_min)
{
	struct db_config c = {
		.path = NULL, .create = true, .sync = DB_SYNC_OFF
	};
	struct view *v = calloc(1, sizeof(*v));
	enum status st;

	if (v == NULL)
		return ST_NOMEM;
	v->kinds = ks;
	v->rules = rs;
	v->offset_min = utc_offset_min;
	entry_init(&v->entry);
	state_init(&v->state);
	findings_init(&v->findings);
	lives_init(&v->lives);
	buf_init(&v->bytes, DOC_BYTES_MAX);
	facts_init(&v->facts);
	state_init(&v->other);
	buf_init(&v->other_bytes, DOC_BYTES_MAX);
	st = db_open(&v->db, &c);
	if (st == ST_OK)
		st = db_exec(v->db, schema);
	if (st != ST_OK) {
		view_free(v);
		return st;
	}
	*out = v;
	return ST_OK;
}

void
view_free(struct view *v)
{
	if (v == NULL)
		return;
	db_close(v->db);
	entry_free(&v->entry);
	state_free(&v->state);
	findings_free(&v->findings);
	lives_free(&v->lives);
	buf_wipe(&v->bytes);
	facts_free(&v->facts);
	state_free(&v->other);
	buf_wipe(&v->other_bytes);
	free(v->ack);
	free(v);
}

void
view_domain(struct view *v, const struct kinds *ks, const struct rules *rs)
{
	v->kinds = ks;
	v->rules = rs;
	v->other_rules = true;
}

enum status
view_begin(struct view *v)
{
	return db_begin(v->db);
}

enum status
view_end(struct view *v)
{
	return db_commit(v->db);
}

/* Number of a record, made if it is new.  Replays run record by record, so
 * the last answer is usually the next. */
static enum status
record_number(struct view *v, const struct entry *e, int64_t *out)
{
	struct db_stmt *s;
	enum status st;

	if (e->rec.len == REC_LEN && v->last_record != 0 &&
	    memcmp(v->last_rec, e->rec.p, REC_LEN) == 0) {
		*out = v->last_record;
		return ST_OK;
	}
	st = db_query(&s, v->db, "SELECT n FROM record WHERE rec = ?1");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, e->rec);
	st = db_next(s);
	if (st == ST_OK)
		*out = db_i64(s, 0);
	db_done(s);
	if (st == ST_ABSENT) {
		const struct kind *k = kinds_find(v->kinds, e->kind);

		st = db_query(&s, v->db,
		    "INSERT INTO record(rec, kind, wall) VALUES(?1, ?3, ?2)");
		if (st != ST_OK)
			return st;
		db_bind_text(s, 1, e->rec);
		db_bind_u64(s, 2, e->wall);
		/* Of the log's own records not all of us get the `open`; of
		 * the field's, only that names the kind. */
		db_bind_text(
		    s, 3, k != NULL && k->system ? e->kind : bytes_str(""));
		st = db_run(s);
		*out = db_last_row(v->db);
	}
	if (st == ST_OK && e->rec.len == REC_LEN) {
		memcpy(v->last_rec, e->rec.p, REC_LEN);
		v->last_record = *out;
	}
	return st;
}

/* The record's kind is the one that its `open` names. */
static enum status
note_open(struct view *v, const struct entry *e, int64_t record)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, v->db, "UPDATE record SET kind = ?2 WHERE n = ?1");
	if (st != ST_OK)
		return st;
	db_bind_i64(s, 1, record);
	db_bind_text(s, 2, e->kind);
	return db_run(s);
}

/* An import's key, kept so that the same row is not written twice. */
static enum status
note_import(struct view *v, const struct entry *e, int64_t record)
{
	uint32_t source, key;
	struct db_stmt *s;
	struct bytes text;
	enum status st;

	if (e->body_is != ENTRY_BODY_WHOLE || e->more == 0)
		return ST_OK;
	source = json_get_typed(&e->body, e->more, "source", JSON_OBJECT);
	if (source == 0)
		return ST_OK;
	key = json_get_typed(&e->body, source, "key", JSON_STRING);
	if (key == 0)
		return ST_OK;
	buf_reset(&v->bytes);
	text = json_view(&e->body, key, &v->bytes);
	st = db_query(&s, v->db,
	    "INSERT OR IGNORE INTO imported(key, record) VALUES(?1, ?2)");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, text);
	db_bind_i64(s, 2, record);
	return db_run(s);
}

static enum status
insert(struct view *v, const struct view_entry *in, unsigned flags, bool whole,
    int64_t record)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, v->db,
	    "INSERT INTO entry(id, record, flags, place, whole, bytes)"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(id) DO UPDATE SET"
	    " flags = CASE WHEN excluded.place IS NULL THEN flags"
	    "  ELSE excluded.flags | (flags & 4) END,"
	    " place = coalesce(excluded.place, place),"
	    " bytes = CASE WHEN excluded.whole > whole THEN excluded.bytes"
	    "  ELSE bytes END,"
	    " whole = max(whole, excluded.whole)");
	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(in->id, ID_LEN));
	db_bind_i64(s, 2, record);
	db_bind_i64(s, 3, (int64_t)flags);
	if (in->place == VIEW_NO_PLACE)
		db_bind_null(s, 4);
	else
		db_bind_u64(s, 4, in->place);
	db_bind_i64(s, 5, whole);
	db_bind_bytes(s, 6, in->raw);
	return db_run(s);
}

enum status
view_add(struct view *v, const struct view_entry *in)
{
	struct entry *e = &v->entry;
	unsigned flags = in->flags;
	int64_t record = 0;
	enum status st;

	st = entry_parse(e, in->raw);
	if (st == ST_INVALID && e->rec.len == REC_LEN)
		flags |= VIEW_BARE;
	else if (st != ST_OK)
		return st;
	st = record_number(v, e, &record);
	if (st == ST_OK)
		st = insert(v, in, flags, e->body_line.len > 0, record);
	if (st == ST_OK && e->verb == DO_OPEN && (flags & VIEW_BARE) == 0)
		st = note_open(v, e, record);
	if (st == ST_OK && (flags & VIEW_BARE) == 0)
		st = note_import(v, e, record);
	if (st == ST_OK)
		st = view_facts_note(v, e, record);
	if (st == ST_OK && (flags & VIEW_SERVER) != 0 &&
	    e->wall > v->centre_wall)
		v->centre_wall = e->wall;
	if (st == ST_OK && (flags & VIEW_SERVER) != 0 &&
	    (flags & VIEW_BARE) == 0 && bytes_eq_str(e->kind, "scope@1"))
		st = view_scope_note(v, e, in);
	return st;
}

uint64_t
view_not_before(const struct view *v)
{
	return v->centre_wall;
}

const struct entry *
view_parsed(const struct view *v)
{
	return &v->entry;
}

enum status
view_placed(struct view *v, const uint8_t id[ID_LEN], uint64_t place)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, v->db, "UPDATE entry SET place = ?2 WHERE id = ?1");
	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(id, ID_LEN));
	db_bind_u64(s, 2, place);
	return db_run(s);
}

enum status
view_acked(struct view *v, const uint8_t chain[CHAIN_LEN], uint64_t seq)
{
	struct view_ack *a = v->ack;

	for (size_t i = 0; i < v->ack_count; i++) {
		if (memcmp(a[i].chain, chain, CHAIN_LEN) == 0) {
			a[i].seq = seq > a[i].seq ? seq : a[i].seq;
			return ST_OK;
		}
	}
	a = realloc(v->ack, (v->ack_count + 1) * sizeof(*a));
	if (a == NULL)
		return ST_NOMEM;
	v->ack = a;
	memcpy(a[v->ack_count].chain, chain, CHAIN_LEN);
	a[v->ack_count].seq = seq;
	v->ack_count++;
	return ST_OK;
}

bool
view_has(struct view *v, const uint8_t id[ID_LEN])
{
	struct db_stmt *s;
	bool has;

	if (db_query(&s, v->db, "SELECT 1 FROM entry WHERE id = ?1") != ST_OK)
		return false;
	db_bind_bytes(s, 1, bytes_of(id, ID_LEN));
	has = db_next(s) == ST_OK;
	db_done(s);
	return has;
}

enum status
view_imported(struct view *v, struct bytes key, char rec[REC_LEN + 1])
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, v->db,
	    "SELECT record.rec FROM imported JOIN record"
	    " ON record.n = imported.record WHERE imported.key = ?1");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, key);
	st = db_next(s);
	if (st == ST_OK) {
		struct bytes b = db_bytes(s, 0);

		st = b.len == REC_LEN ? ST_OK : ST_CORRUPT;
		if (st == ST_OK) {
			memcpy(rec, b.p, REC_LEN);
			rec[REC_LEN] = '\0';
		}
	}
	db_done(s);
	return st;
}

enum status
view_server_entries(
    struct view *v, const char *kind, view_entry_fn fn, void *arg)
{
	struct db_stmt *s;
	enum status st = db_query(&s, v->db,
	    "SELECT entry.id, entry.flags, entry.place, entry.bytes FROM record"
	    " JOIN entry ON entry.record = record.n WHERE record.kind = ?1"
	    " AND (entry.flags & 3) = 1 AND entry.place IS NOT NULL"
	    " ORDER BY entry.place");

	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(kind));
	while ((st = db_next(s)) == ST_OK) {
		struct view_entry e = { .flags = (unsigned)db_i64(s, 1),
			.place = db_u64(s, 2),
			.raw = db_bytes(s, 3) };

		st = db_copy(s, 0, e.id, ID_LEN);
		if (st == ST_OK)
			st = fn(arg, &e);
		if (st != ST_OK)
			break;
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}
