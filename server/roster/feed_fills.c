/*
 * feed_fills: places whose bytes came later, or were taken away.
 *
 * An entry that was lost on its handheld says nothing of its record, so the
 * feed passed over it; when its bytes turn up it has to find its record at an
 * old place, which every stream has left behind.  So its record is taken out of
 * each scope that has it and put in again: its people forget what they had and
 * get the whole of it, as it is now.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "server/roster/batch.h"
#include "server/roster/feed_impl.h"

enum { AGAIN_BATCH = 250 };

static enum status
bind2(struct feed *f, const char *sql, int64_t a, uint64_t b)
{
	struct db_stmt *s;
	enum status st = db_query(&s, f->db, sql);

	if (st != ST_OK)
		return st;
	db_bind_i64(s, 1, a);
	db_bind_u64(s, 2, b);
	return db_run(s);
}

static enum status
take_fill(struct feed *f, uint64_t place)
{
	struct entry *e = &f->entry;
	struct centre_entry ce;
	int64_t record = 0;
	enum status st = centre_entry(f->reader, place, &ce);

	/* Devices that hold what was erased are told by its order. */
	if (st != ST_OK || (ce.flags & (STORE_LOST | STORE_ERASED)) != 0)
		return st;
	st = entry_parse(e, ce.bytes);
	if (st == ST_NOMEM)
		return st;
	if (e->rec.len != REC_LEN || !path_is_rec(e->rec))
		return ST_OK;
	st = feed_find_record(f, e->rec, &record);
	if (st == ST_ABSENT)
		return feed_apply(f, &ce); /* nobody has heard of it yet */
	if (st == ST_OK)
		st = bind2(f,
		    "INSERT OR IGNORE INTO entry(record, place)"
		    " VALUES(?1, ?2)",
		    record, place);
	if (st == ST_OK)
		st = bind2(f,
		    "INSERT OR IGNORE INTO again(record, scope)"
		    " SELECT record, scope FROM scope_in WHERE record = ?1"
		    " AND ?2 >= 0",
		    record, place);
	f->wanted = true;
	return st;
}

enum status
feed_follow_fills(struct feed *f)
{
	struct store_reader *r = centre_reader_store(f->reader);
	uint64_t no = f->fill, place;
	enum status st = store_next_fill(r, &no, &place);

	if (st != ST_OK)
		return st == ST_ABSENT ? ST_OK : st;
	st = db_begin(f->db);
	if (st != ST_OK)
		return st;
	while (st == ST_OK) {
		/* One that was not followed yet is read whole when it is. */
		if (place < f->size)
			st = take_fill(f, place);
		if (st == ST_OK)
			st = store_next_fill(r, &no, &place);
	}
	if (st == ST_ABSENT)
		st = bind2(f, "UPDATE pos SET fill = ?2 WHERE id = ?1", 1, no);
	if (st == ST_OK)
		st = db_commit(f->db);
	if (st != ST_OK) {
		db_rollback(f->db);
		feed_forget(f);
		return st;
	}
	__atomic_store_n(&f->fill, no, __ATOMIC_RELEASE);
	return ST_OK;
}

/* ---- sending again */

struct again {
	int64_t record, scope;
	char rec[REC_LEN + 1];
	char scope_rec[REC_LEN + 1];
};

/* The record whose UUID these bytes are. */
static void
rec_of(char out[REC_LEN + 1], const uint8_t id[ID_LEN])
{
	char hex[2 * ID_LEN + 1];

	hex_encode(hex, bytes_of(id, ID_LEN));
	(void)snprintf(out, REC_LEN + 1, "%.8s-%.4s-%.4s-%.4s-%.12s", hex,
	    hex + 8, hex + 12, hex + 16, hex + 20);
}

static enum status
read_again(struct feed *f, struct again *a, size_t *count)
{
	uint8_t id[ID_LEN];
	struct db_stmt *s;
	enum status st;

	*count = 0;
	st = db_query(&s, f->db,
	    "SELECT again.record, again.scope, record.rec, scope.id FROM again"
	    " JOIN record ON record.n = again.record"
	    " JOIN scope ON scope.n = again.scope LIMIT ?1");
	if (st != ST_OK)
		return st;
	db_bind_i64(s, 1, AGAIN_BATCH);
	while (*count < AGAIN_BATCH && (st = db_next(s)) == ST_OK) {
		a[*count].record = db_i64(s, 0);
		a[*count].scope = db_i64(s, 1);
		roster_text(s, 2, a[*count].rec, sizeof(a->rec));
		st = db_copy(s, 3, id, ID_LEN);
		if (st != ST_OK)
			break;
		rec_of(a[*count].scope_rec, id);
		(*count)++;
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}

static void
add_word(struct batch *b, const struct again *a, const uint8_t head[ID_LEN],
    const char *word)
{
	struct batch_entry *x =
	    batch_add(b, a->scope_rec, "scope@1", DO_LINK, NULL);

	batch_after(x, head);
	batch_chained(x);
	batch_name(x, a->rec);
	batch_name(x, word);
}

static enum status
say_again(struct feed *f, const struct again *a, size_t count)
{
	struct batch b;
	enum status st = ST_OK;

	batch_init(&b);
	for (size_t i = 0; i < count && st == ST_OK; i++) {
		uint8_t head[ID_LEN];

		/* Nobody follows a scope that is closed. */
		st = roster_scope_is_open(f->roster, a[i].scope_rec);
		if (st == ST_OK)
			st = roster_head_of(f->roster, a[i].scope_rec, head);
		if (st == ST_OK) {
			add_word(&b, &a[i], head, "none");
			add_word(&b, &a[i], head, "in");
		}
		st = st == ST_ABSENT ? ST_OK : st;
	}
	if (st == ST_OK)
		st = batch_commit(&b, f->centre, NULL, NULL);
	batch_free(&b);
	return st;
}

static enum status
forget(struct feed *f, const struct again *a, size_t count)
{
	enum status st = db_begin(f->db);

	for (size_t i = 0; i < count && st == ST_OK; i++)
		st = bind2(f,
		    "DELETE FROM again WHERE record = ?1 AND scope = ?2",
		    a[i].record, (uint64_t)a[i].scope);
	if (st == ST_OK)
		st = db_commit(f->db);
	if (st != ST_OK)
		db_rollback(f->db);
	return st;
}

/* Said twice after a crash in between, it only costs the way. */
enum status
feed_send_again(struct feed *f)
{
	struct again *a = calloc(AGAIN_BATCH, sizeof(*a));
	size_t count = 0;
	enum status st = a == NULL ? ST_NOMEM : ST_OK;

	while (st == ST_OK) {
		st = read_again(f, a, &count);
		if (st != ST_OK || count == 0)
			break;
		st = say_again(f, a, count);
		if (st == ST_OK)
			st = forget(f, a, count);
	}
	free(a);
	return st;
}
