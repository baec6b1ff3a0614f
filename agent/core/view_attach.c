/* view_attach: entries that attach a file, and notes, which may speak of them.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/core/view_impl.h"

/* The row that stands: id, flags, place, bytes, record. */
static enum status
tell(struct view *v, struct db_stmt *s, view_attach_cb *cb, void *arg)
{
	struct view_attach at = { .flags = (unsigned)db_i64(s, 1) };
	struct bytes rec = db_bytes(s, 4);
	enum status st;

	at.place = db_is_null(s, 2) ? VIEW_NO_PLACE : db_u64(s, 2);
	st = db_copy(s, 0, at.id, ID_LEN);
	if (st != ST_OK || rec.len != REC_LEN)
		return st == ST_OK ? ST_CORRUPT : st;
	memcpy(at.rec, rec.p, REC_LEN);
	st = entry_parse_head(&v->entry, db_bytes(s, 3));
	if (st == ST_OK && v->entry.verb == DO_ATTACH)
		st = entry_parse(&v->entry, db_bytes(s, 3));
	if (st != ST_OK || v->entry.verb != DO_ATTACH)
		return st == ST_NOMEM ? st : ST_OK;
	at.in_log = view_in_log(v, at.flags, at.place);
	at.e = &v->entry;
	at.has_digest = v->entry.body_is == ENTRY_BODY_WHOLE &&
			json_hex(&v->entry.body, entry_value(&v->entry, 0),
			    at.digest, HASH_LEN) == ST_OK;
	return cb(arg, &at);
}

#define COLUMNS                                                                \
	"SELECT entry.id, entry.flags, entry.place, entry.bytes, record.rec "  \
	"FROM entry JOIN record ON record.n = entry.record "

enum status
view_attachments(struct view *v, const char *rec, view_attach_cb *cb, void *arg)
{
	struct db_stmt *s;
	enum status st = db_query(&s, v->db,
	    rec == NULL ? COLUMNS "ORDER BY entry.n"
			: COLUMNS "WHERE record.rec = ?1 ORDER BY entry.n");

	if (st != ST_OK)
		return st;
	if (rec != NULL)
		db_bind_text(s, 1, bytes_str(rec));
	while ((st = db_next(s)) == ST_OK) {
		st = tell(v, s, cb, arg);
		if (st != ST_OK)
			break;
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
view_attachment(
    struct view *v, const uint8_t id[ID_LEN], view_attach_cb *cb, void *arg)
{
	struct db_stmt *s;
	enum status st = db_query(&s, v->db, COLUMNS "WHERE entry.id = ?1");

	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(id, ID_LEN));
	st = db_next(s);
	if (st == ST_OK)
		st = tell(v, s, cb, arg);
	db_done(s);
	return st;
}

/* The row that stands: its bytes. */
static enum status
tell_note(struct view *v, struct db_stmt *s, view_note_cb *cb, void *arg)
{
	enum status st = entry_parse_head(&v->entry, db_bytes(s, 0));

	if (st == ST_OK && v->entry.verb == DO_NOTE)
		st = entry_parse(&v->entry, db_bytes(s, 0));
	if (st != ST_OK || v->entry.verb != DO_NOTE ||
	    v->entry.body_is != ENTRY_BODY_WHOLE)
		return st == ST_NOMEM ? st : ST_OK;
	return cb(arg, &v->entry);
}

enum status
view_notes(struct view *v, const char *rec, view_note_cb *cb, void *arg)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, v->db,
	    "SELECT entry.bytes FROM entry JOIN record ON record.n ="
	    " entry.record WHERE record.rec = ?1 ORDER BY entry.n");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(rec));
	while ((st = db_next(s)) == ST_OK) {
		st = tell_note(v, s, cb, arg);
		if (st != ST_OK)
			break;
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}
