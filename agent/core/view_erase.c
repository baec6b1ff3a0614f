/* view_erase: an entry's body leaves the screen. */
#include <string.h>

#include "agent/core/view_impl.h"

enum status
view_whole(
    struct view *v, const uint8_t id[ID_LEN], unsigned *flags, struct buf *out)
{
	struct db_stmt *s;
	enum status st = db_query(&s, v->db,
	    "SELECT flags, bytes FROM entry WHERE id = ?1 AND whole = 1");

	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(id, ID_LEN));
	st = db_next(s);
	if (st == ST_OK) {
		*flags = (unsigned)db_i64(s, 0);
		buf_bytes(out, db_bytes(s, 1));
		st = out->err;
	}
	db_done(s);
	return st;
}

enum status
view_blind(struct view *v, const uint8_t id[ID_LEN])
{
	struct buf raw;
	const uint8_t *lf;
	unsigned flags = 0;
	struct db_stmt *s;
	enum status st;

	buf_init(&raw, ENTRY_BYTES_MAX);
	st = view_whole(v, id, &flags, &raw);
	if (st == ST_OK)
		st = db_query(&s, v->db,
		    "UPDATE entry SET bytes = ?2, whole = 0 WHERE id = ?1");
	if (st == ST_OK) {
		lf = memchr(raw.p, '\n', raw.len);
		db_bind_bytes(s, 1, bytes_of(id, ID_LEN));
		db_bind_bytes(s, 2,
		    bytes_of(
			raw.p, lf == NULL ? raw.len : (size_t)(lf - raw.p)));
		st = db_run(s);
	}
	buf_wipe(&raw);
	return st == ST_ABSENT ? ST_OK : st;
}
