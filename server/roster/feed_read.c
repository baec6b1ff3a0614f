/* feed_read: records and streams, place by place. */
#include <string.h>

#include "server/roster/feed_impl.h"

enum status
feed_hold(struct feed_reader *r)
{
	return db_begin_read(r->db);
}

void
feed_release(struct feed_reader *r)
{
	db_rollback(r->db);
}

enum status
feed_record(struct feed_reader *r, const char *rec, uint64_t from,
    uint64_t *places, size_t max, size_t *count)
{
	struct db_stmt *s;
	size_t n = 0;
	enum status st;

	st = db_query(&s, r->db,
	    "SELECT entry.place FROM record JOIN entry"
	    " ON entry.record = record.n WHERE record.rec = ?1"
	    " AND entry.place >= ?2 ORDER BY entry.place LIMIT ?3");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(rec));
	db_bind_u64(s, 2, from);
	db_bind_u64(s, 3, max);
	while (n < max && (st = db_next(s)) == ST_OK)
		places[n++] = db_u64(s, 0);
	db_done(s);
	*count = n;
	return st == ST_ABSENT ? ST_OK : st;
}

enum { PLACES_AT_ONCE = 512 };

enum status
feed_place_of(struct feed_reader *r, struct store_reader *store,
    const char *rec, const uint8_t id[ID_LEN], uint64_t *place, uint32_t *flags)
{
	uint64_t at[PLACES_AT_ONCE], from = 0;
	struct store_entry e;
	size_t n;
	enum status st;

	do {
		st = feed_record(r, rec, from, at, PLACES_AT_ONCE, &n);
		for (size_t i = 0; i < n && st == ST_OK; i++) {
			st = store_entry_head(store, at[i], &e);
			if (st == ST_OK && memcmp(e.link, id, ID_LEN) == 0) {
				*place = at[i];
				if (flags != NULL)
					*flags = e.flags;
				return ST_OK;
			}
			from = at[i] + 1;
		}
	} while (st == ST_OK && n == PLACES_AT_ONCE);
	return st == ST_OK ? ST_ABSENT : st;
}

enum status
feed_records_of(struct feed_reader *r, const uint8_t scope[ID_LEN],
    roster_rec_fn fn, void *arg)
{
	char rec[REC_LEN + 1];
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, r->db,
	    "SELECT record.rec FROM scope JOIN scope_in"
	    " ON scope_in.scope = scope.n JOIN record"
	    " ON record.n = scope_in.record WHERE scope.id = ?1"
	    " ORDER BY record.n");
	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(scope, ID_LEN));
	while ((st = db_next(s)) == ST_OK) {
		roster_text(s, 0, rec, sizeof(rec));
		st = fn(arg, rec);
		if (st != ST_OK)
			break;
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
feed_holds(struct feed_reader *r, uint64_t hold, const uint8_t id[ID_LEN],
    size_t max, feed_hold_fn fn, void *arg)
{
	struct feed_hold h;
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, r->db,
	    "SELECT held.id, record.rec, held.hold FROM held JOIN record"
	    " ON record.n = held.record WHERE (held.hold, held.id) > (?1, ?2)"
	    " ORDER BY held.hold, held.id LIMIT ?3");
	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, hold);
	db_bind_bytes(s, 2, bytes_of(id, ID_LEN));
	db_bind_u64(s, 3, max);
	while ((st = db_next(s)) == ST_OK) {
		st = db_copy(s, 0, h.id, ID_LEN);
		if (st != ST_OK)
			break;
		roster_text(s, 1, h.rec, sizeof(h.rec));
		h.hold = db_u64(s, 2);
		st = fn(arg, &h);
		if (st != ST_OK)
			break;
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
feed_read_size(struct feed_reader *r, uint64_t *size)
{
	int64_t n = 0;
	enum status st = db_scalar(&n, r->db, "SELECT size FROM pos");

	*size = (uint64_t)n;
	return st == ST_ABSENT ? ST_OK : st;
}

/* What a stream is being read into. */
struct steps {
	struct feed_step *out;
	size_t max, count;
};

static void
put_step(struct steps *w, uint64_t place, uint64_t next, uint64_t sub)
{
	w->out[w->count].place = place;
	w->out[w->count].next_place = next;
	w->out[w->count].next_sub = sub;
	w->count++;
}

/* Entries of a record at `sub` <= place < in: what an `in` brings.  *whole:
 * all of them were put. */
static enum status
backfill(struct feed_reader *r, int64_t record, uint64_t in, uint64_t sub,
    struct steps *w, bool *whole)
{
	struct db_stmt *s;
	enum status st;

	*whole = false;
	st = db_query(&s, r->db,
	    "SELECT place FROM entry WHERE record = ?1 AND place >= ?2"
	    " AND place < ?3 ORDER BY place");
	if (st != ST_OK)
		return st;
	db_bind_i64(s, 1, record);
	db_bind_u64(s, 2, sub);
	db_bind_u64(s, 3, in);
	while ((st = db_next(s)) == ST_OK) {
		uint64_t place = db_u64(s, 0);

		if (w->count == w->max)
			break;
		put_step(w, place, in, place + 1);
	}
	db_done(s);
	*whole = st == ST_ABSENT;
	return st == ST_ABSENT ? ST_OK : st;
}

static enum status
scope_steps(struct feed_reader *r, const uint8_t scope[ID_LEN], uint64_t place,
    uint64_t sub, struct steps *w, bool *end)
{
	struct db_stmt *s;
	enum status st;

	*end = false;
	st = db_query(&s, r->db,
	    "SELECT step.place, step.record FROM scope JOIN step"
	    " ON step.scope = scope.n WHERE scope.id = ?1 AND step.place >= ?2"
	    " ORDER BY step.place");
	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(scope, ID_LEN));
	db_bind_u64(s, 2, place);
	while (w->count < w->max && (st = db_next(s)) == ST_OK) {
		uint64_t at = db_u64(s, 0);
		int64_t record = db_i64(s, 1);
		bool whole = true;

		if (record != 0)
			st = backfill(
			    r, record, at, at == place ? sub : 0, w, &whole);
		if (st != ST_OK || !whole || w->count == w->max)
			break;
		put_step(w, at, at + 1, 0);
	}
	db_done(s);
	*end = st == ST_ABSENT;
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
feed_scope(struct feed_reader *r, const uint8_t scope[ID_LEN], uint64_t place,
    uint64_t sub, struct feed_step *out, size_t max, size_t *count, bool *end,
    uint64_t *size)
{
	struct steps w = { .out = out, .max = max };
	enum status st = db_begin_read(r->db);

	if (st != ST_OK)
		return st;
	st = feed_read_size(r, size);
	if (st == ST_OK)
		st = scope_steps(r, scope, place, sub, &w, end);
	*count = w.count;
	if (st != ST_OK) {
		db_rollback(r->db);
		return st;
	}
	return db_commit(r->db);
}

enum status
feed_device(struct feed_reader *r, const char *dev, const char *person,
    const char *team, uint64_t place, struct feed_step *out, size_t max,
    size_t *count, bool *end, uint64_t *size)
{
	struct steps w = { .out = out, .max = max };
	struct buf who[3];
	static const char *const prefix[] = { "dev:", "person:", "team:" };
	const char *name[] = { dev, person, team };
	struct db_stmt *s;
	enum status st;

	*end = false;
	st = feed_read_size(r, size);
	if (st != ST_OK)
		return st;
	st = db_query(&s, r->db,
	    "SELECT DISTINCT place FROM own"
	    " WHERE who IN ('', ?1, ?2, ?3) AND place >= ?4 AND place < ?5"
	    " ORDER BY place");
	if (st != ST_OK)
		return st;
	for (int i = 0; i < 3; i++) {
		buf_init(&who[i], 1024);
		buf_str(&who[i], prefix[i]);
		buf_str(&who[i], name[i]);
		db_bind_text(s, i + 1, buf_view(&who[i]));
	}
	db_bind_u64(s, 4, place);
	db_bind_u64(s, 5, *size);
	while (w.count < max && (st = db_next(s)) == ST_OK) {
		uint64_t at = db_u64(s, 0);

		put_step(&w, at, at + 1, 0);
	}
	db_done(s);
	for (int i = 0; i < 3; i++)
		buf_free(&who[i]);
	*count = w.count;
	*end = st == ST_ABSENT;
	return st == ST_ABSENT ? ST_OK : st;
}
