/* store_sqlite_scan: entries and links in a row. */
#include <stdlib.h>
#include <string.h>

#include "server/store/store_sqlite.h"

enum { SCAN_ROWS = 256 };

struct sq_scan {
	struct store_scan base; /* first */
	struct sq_reader *r;    /* borrowed */
	struct db_stmt *q;      /* NULL between two runs of rows */
	uint64_t next, run_end, to;
	bool has_prev; /* prev is the link at next - 1 */
	uint8_t prev[HASH_LEN];
};

enum status
sq_scan_open(struct store_scan **out, struct store_reader *base, uint64_t from,
    uint64_t to)
{
	struct sq_scan *sc = calloc(1, sizeof(*sc));

	if (sc == NULL)
		return ST_NOMEM;
	sc->base.ops = base->ops;
	sc->r = sq_reader_of(base);
	sc->next = from;
	sc->to = to;
	*out = &sc->base;
	return ST_OK;
}

static struct sq_scan *
scan_of(struct store_scan *sc)
{
	return (struct sq_scan *)(void *)sc;
}

/* Read on in runs, so that the WAL is held in place for one run alone. */
static enum status
scan_run(struct sq_scan *sc)
{
	enum status st;

	st = db_query(&sc->q, sc->r->db,
	    "SELECT place, chain, seq, branch, flags, prev, link, bytes"
	    " FROM entries WHERE place >= ?1 AND place < ?2 ORDER BY place");
	if (st != ST_OK) {
		sc->q = NULL;
		return st;
	}
	db_bind_u64(sc->q, 1, sc->next);
	sc->run_end = sc->to;
	if (sc->to - sc->next > SCAN_ROWS)
		sc->run_end = sc->next + SCAN_ROWS;
	db_bind_u64(sc->q, 2, sc->run_end);
	return ST_OK;
}

static void
scan_stop(struct sq_scan *sc)
{
	db_done(sc->q);
	sc->q = NULL;
}

enum status
sq_scan_next(struct store_scan *base, struct store_entry *out)
{
	struct sq_scan *sc = scan_of(base);
	struct store_entry e;
	enum status st;

	if (sc->next >= sc->to)
		return ST_ABSENT;
	if (sc->q != NULL && sc->next == sc->run_end)
		scan_stop(sc);
	if (sc->q == NULL) {
		st = scan_run(sc);
		if (st != ST_OK)
			return st;
	}
	st = db_next(sc->q);
	if (st == ST_OK)
		st = sq_entry_row(sc->q, &e);
	/* Places have no gap: a row that is not there ends the scan. */
	if (st == ST_OK && e.place != sc->next)
		st = ST_CORRUPT;
	if (st == ST_OK && !e.has_prev && sc->has_prev) {
		memcpy(e.prev, sc->prev, HASH_LEN);
		e.has_prev = true;
	}
	if (st == ST_OK)
		st = sq_put_prev(sc->r, &e);
	if (st != ST_OK) {
		scan_stop(sc);
		return st;
	}
	e.bytes = db_bytes(sc->q, 7);
	memcpy(sc->prev, e.link, HASH_LEN);
	sc->has_prev = true;
	sc->next++;
	*out = e;
	return ST_OK;
}

void
sq_scan_close(struct store_scan *base)
{
	struct sq_scan *sc = scan_of(base);

	scan_stop(sc);
	free(sc);
}

enum status
sq_links(struct store_reader *base, uint64_t from, size_t count,
    uint8_t (*out)[HASH_LEN])
{
	struct sq_reader *r = sq_reader_of(base);
	struct db_stmt *q;
	enum status st;

	st = db_query(&q, r->db,
	    "SELECT place, link FROM entries"
	    " WHERE place >= ?1 AND place < ?2 ORDER BY place");
	if (st != ST_OK)
		return st;
	db_bind_u64(q, 1, from);
	db_bind_u64(q, 2, from + count);
	for (size_t i = 0; i < count && st == ST_OK; i++) {
		st = db_next(q);
		if (st == ST_OK && db_u64(q, 0) != from + i)
			st = ST_ABSENT;
		if (st == ST_OK)
			st = db_copy(q, 1, out[i], HASH_LEN);
	}
	db_done(q);
	return st;
}
