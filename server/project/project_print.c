/*
 * project_print: papers in the log, and those that the public may ask for.
 *
 * The second table holds public ones alone and is filled when the public size
 * moves on, so that asking for an id which is not public yet is the same work
 * as asking for one that never was (docs/CHECK.md).
 */
#include <stdlib.h>
#include <string.h>

#include "server/project/project_impl.h"

enum { LOOK_MS = 1000 };

enum status
project_take_print(struct project *p, uint64_t place, const uint8_t id[ID_LEN])
{
	if (p->print_count == p->print_cap) {
		size_t cap = p->print_cap == 0 ? 64 : p->print_cap * 2;
		struct print_row *bigger =
		    realloc(p->print, cap * sizeof(*bigger));

		if (bigger == NULL)
			return ST_NOMEM;
		p->print = bigger;
		p->print_cap = cap;
	}
	p->print[p->print_count].place = place;
	memcpy(p->print[p->print_count++].id, id, ID_LEN);
	return ST_OK;
}

enum status
project_put_prints(struct project *p)
{
	enum status st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < p->print_count; i++) {
		struct db_stmt *s;

		st = db_query(&s, p->db,
		    "INSERT OR REPLACE INTO printed(place, id)"
		    " VALUES(?1, ?2)");
		if (st != ST_OK)
			break;
		db_bind_u64(s, 1, p->print[i].place);
		db_bind_bytes(s, 2, bytes_of(p->print[i].id, ID_LEN));
		st = db_run(s);
	}
	return st;
}

static enum status
read_public(struct db *db, uint64_t *out)
{
	struct db_stmt *s;
	enum status st = db_query(&s, db, "SELECT public FROM pos");

	if (st != ST_OK)
		return st;
	st = db_next(s);
	if (st == ST_OK)
		*out = db_u64(s, 0);
	db_done(s);
	return st;
}

static enum status
run_below(struct project *p, const char *sql, uint64_t bound)
{
	struct db_stmt *s;
	enum status st = db_query(&s, p->db, sql);

	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, bound);
	return db_run(s);
}

/* An id can stand twice, where a forked chain gave both branches places: the
 * first one is asked for. */
static enum status
publish(struct project *p, uint64_t bound)
{
	static const char *const sql[] = {
		"INSERT OR IGNORE INTO public_print(id, place)"
		" SELECT id, place FROM printed WHERE place < ?1"
		" ORDER BY place",
		"DELETE FROM printed WHERE place < ?1",
		"UPDATE pos SET public = ?1",
	};
	enum status st = db_begin(p->db);

	for (size_t i = 0; st == ST_OK && i < sizeof(sql) / sizeof(sql[0]); i++)
		st = run_below(p, sql[i], bound);
	if (st == ST_OK)
		st = db_commit(p->db);
	if (st != ST_OK)
		db_rollback(p->db);
	return st;
}

enum status
project_publish(struct project *p)
{
	uint64_t now = port_mono_ms(centre_port(p->cfg.centre)), was = 0;
	struct checkpoint cp;
	enum status st;

	if (p->published && now - p->published_ms < LOOK_MS)
		return ST_OK;
	st = centre_public(p->cfg.centre, NULL, &cp);
	if (st == ST_OK)
		st = read_public(p->db, &was);
	if (st != ST_OK)
		return st;
	/* What is not followed yet waits for the next look. */
	if (cp.size > p->size)
		cp.size = p->size;
	if (cp.size > was)
		st = publish(p, cp.size);
	if (st == ST_OK) {
		p->published = true;
		p->published_ms = now;
	}
	return st;
}

enum status
project_printed(struct project_reader *r, const uint8_t id[ID_LEN],
    uint64_t *place, uint64_t *bound)
{
	struct db_stmt *s;
	enum status st = read_public(r->db, bound);

	if (st == ST_OK)
		st = db_query(
		    &s, r->db, "SELECT place FROM public_print WHERE id = ?1");
	if (st != ST_OK)
		return st;
	db_bind_bytes(s, 1, bytes_of(id, ID_LEN));
	st = db_next(s);
	if (st == ST_OK)
		*place = db_u64(s, 0);
	db_done(s);
	return st;
}
