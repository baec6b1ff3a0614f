/*
 * verify_erase: bytes that came later, bodies that are gone, and the orders
 * that say so (docs/ERASING.md).  An order comes behind what it is about, so
 * all is judged at the end.
 */
#include <inttypes.h>
#include <string.h>

#include "verify/verify_impl.h"

enum status
verify_erase_entry(struct verify *v, const struct vrow *row)
{
	enum status st = ST_OK;

	if (v->orders == NULL)
		st = erasures_new(&v->orders);
	return st == ST_OK ? erasures_take(
				 v->orders, &v->e, row->link, row->place, NULL)
			   : st;
}

enum status
verify_filled_entry(struct verify *v, const struct vrow *row)
{
	struct vfilled f = { .at = row->place };
	char was[8];
	enum status st;

	if (!verify_num(&v->e, "place", &f.place) ||
	    !verify_text(&v->e, "was", was, sizeof(was)) ||
	    strcmp(was, "lost") != 0)
		return ST_OK;
	st =
	    verify_room(&v->filled, &v->filled_cap, v->filled_count, sizeof(f));
	if (st == ST_OK)
		v->filled[v->filled_count++] = f;
	return st;
}

bool
verify_lacked_at(const struct verify *v, uint64_t place, uint64_t size)
{
	for (size_t i = 0; i < v->filled_count; i++) {
		if (v->filled[i].place == place && v->filled[i].at >= size)
			return true;
	}
	return false;
}

enum status
verify_erased_row(
    struct verify *v, const struct vchain *c, const struct vrow *row)
{
	struct verased *x;
	enum status st = verify_room(
	    &v->erased, &v->erased_cap, v->erased_count, sizeof(*x));

	if (st != ST_OK)
		return st;
	x = &v->erased[v->erased_count++];
	memcpy(x->id, row->link, ID_LEN);
	x->place = row->place;
	x->seq = row->seq;
	x->c = c;
	return ST_OK;
}

static void
judge(struct verify *v, const struct verased *x)
{
	struct verify_finding *f;
	uint64_t by = 0;

	if (v->orders == NULL || !erasures_has(v->orders, x->id, &by)) {
		verify_say_at(v, VERIFY_CHANGED, x->place, x->c, x->seq,
		    "正文被抹去，日志里没有这样的命令。",
		    "The body was erased, and no order in the log says so.");
		return;
	}
	f = verify_say(v->r, VERIFY_ERASED, "正文依日志中的命令抹去。",
	    "The body was erased by an order in the log.");
	f->has_place = true;
	f->place = x->place;
	f->has_chain = true;
	memcpy(f->chain, x->c->id, CHAIN_LEN);
	f->seq = x->seq;
	memcpy(f->dev, x->c->dev, sizeof(f->dev));
	verify_data(f, "%" PRIu64, by);
}

/* Does the body still stand at the place that the order names? */
static enum status
still_stands(struct verify *v, const struct erase_entry *x, bool *yes)
{
	uint8_t link[HASH_LEN];
	struct db_stmt *s;
	enum status st = db_query(&s, v->db,
	    "SELECT link, flags, instr(bytes, x'0a') FROM entries"
	    " WHERE place = ?1");

	*yes = false;
	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, x->place);
	st = db_next(s);
	if (st == ST_OK)
		st = db_copy(s, 0, link, HASH_LEN);
	if (st == ST_OK)
		*yes = memcmp(link, x->id, ID_LEN) == 0 &&
		       (db_u64(s, 1) & ROW_LOST) == 0 && db_u64(s, 2) > 0;
	db_done(s);
	return st == ST_ABSENT || st == ST_CORRUPT ? ST_OK : st;
}

static enum status
look_for(struct verify *v, const struct erase_order *o)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < o->count && st == ST_OK; i++) {
		bool stands = false;

		if (o->entry[i].place != UINT64_MAX)
			st = still_stands(v, &o->entry[i], &stands);
		if (stands)
			verify_say_at(v, VERIFY_NOT_ERASED, o->entry[i].place,
			    NULL, 0, "日志命令抹去的正文仍在库中。",
			    "The log orders this body to be erased, and it "
			    "still stands here.");
	}
	return st;
}

enum status
verify_erases_end(struct verify *v)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < v->erased_count; i++)
		judge(v, &v->erased[i]);
	for (size_t i = 0;
	     v->orders != NULL && i < erasures_count(v->orders) && st == ST_OK;
	     i++) {
		const struct erase_order *o = erasures_at(v->orders, i);

		if (o->state == ERASE_ORDERED)
			st = look_for(v, o);
	}
	return st;
}
