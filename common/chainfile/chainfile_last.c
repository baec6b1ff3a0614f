/*
 * chainfile_last: where a chain ends, when its tables may not agree on it.
 *
 * They always do, unless a page is torn or a bit has turned: then the end is
 * the last place that can be proved, by its head signature or by opening its
 * sealed row.  A place that one flipped bit has put at seq 2^40 proves nothing.
 */
#include "chainfile/chainfile.h"

#include "chainfile/chainfile_inner.h"
#include "entry/chain.h"

enum {
	/* More places than fit into one page of either table: how far beyond
	 * a torn page, or back from the end, it is worth looking. */
	TORN_MAX = 512
};

struct table {
	const char *max; /* SQL before the chain's number */
	const char *seqs;
};

static const struct table spine_table = { "SELECT max(seq) FROM spine_",
	"SELECT seq FROM spine_" };
static const struct table entry_table = { "SELECT max(seq) FROM entry_",
	"SELECT seq FROM entry_" };

/* The highest seq below `below`; 0: none; ST_CORRUPT if it cannot be read. */
static enum status
highest(struct chainfile *f, const struct table *t, uint32_t number,
    uint64_t below, uint64_t *out)
{
	struct db_stmt *s;
	enum status st =
	    chainfile_query(&s, f, t->max, number, " WHERE seq < ?1");

	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, below);
	st = db_next(s);
	if (st == ST_OK)
		*out = db_u64(s, 0);
	db_done(s);
	return st;
}

/* The end of a table with a torn end: read forward, and across what is torn
 * as far as it is worth. */
static enum status
last_readable(
    struct chainfile *f, const struct table *t, uint32_t number, uint64_t *out)
{
	uint64_t last = 0, torn = 0;

	while (torn < TORN_MAX) {
		struct db_stmt *s;
		enum status st = chainfile_query(
		    &s, f, t->seqs, number, " WHERE seq > ?1 ORDER BY seq");

		if (st != ST_OK)
			return st;
		db_bind_u64(s, 1, last + torn);
		while ((st = db_next(s)) == ST_OK && db_u64(s, 0) > last) {
			last = db_u64(s, 0);
			torn = 0;
		}
		db_done(s);
		if (st == ST_ABSENT)
			break;
		if (st != ST_OK && st != ST_CORRUPT)
			return st;
		torn++;
	}
	*out = last;
	return ST_OK;
}

/* ST_OK: place n is one that this device wrote; ST_ABSENT: nothing says so. */
static enum status
prove(struct chainfile *f, const struct chainfile_chain *c, uint64_t n)
{
	struct seal_place at = chainfile_place("entry", c->chain, n);
	struct chainfile_spine sp;
	struct db_stmt *s;
	struct buf plain;
	enum status st;

	st = chainfile_spine_get(f, c->number, n, &sp);
	if (st == ST_OK &&
	    chain_verify(sp.sig, c->public_key, c->chain, n, sp.link) == ST_OK)
		return ST_OK;
	if (st == ST_IO || st == ST_NOMEM)
		return st;
	st = chainfile_query(
	    &s, f, "SELECT sealed FROM entry_", c->number, " WHERE seq = ?1");
	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, n);
	buf_init(&plain, CHAINFILE_ROW_MAX);
	st = db_next(s);
	if (st == ST_OK)
		st = chainfile_unseal(f, &plain, &at, db_bytes(s, 0));
	buf_wipe(&plain);
	db_done(s);
	return st == ST_OK || st == ST_IO || st == ST_NOMEM ? st : ST_ABSENT;
}

/* From the higher of two ends backwards to the first place that is proved. */
static enum status
last_proved(struct chainfile *f, const struct chainfile_chain *c,
    uint64_t spine, uint64_t entry, uint64_t *out)
{
	for (unsigned i = 0; i < TORN_MAX && (spine > 0 || entry > 0); i++) {
		uint64_t n = spine > entry ? spine : entry;
		enum status st = prove(f, c, n);

		if (st != ST_ABSENT) {
			*out = n;
			return st;
		}
		if (spine == n &&
		    highest(f, &spine_table, c->number, n, &spine) != ST_OK)
			spine = 0;
		if (entry == n &&
		    highest(f, &entry_table, c->number, n, &entry) != ST_OK)
			entry = 0;
	}
	return ST_ABSENT;
}

enum status
chainfile_last(
    struct chainfile *f, uint32_t number, uint64_t *out, bool *certain)
{
	const uint64_t beyond = (uint64_t)1 << 53; /* seq is a JSON number */
	struct chainfile_chain c;
	uint64_t spine = 0, entry = 0, last = 0;
	enum status a, b, st;

	a = highest(f, &spine_table, number, beyond, &spine);
	b = highest(f, &entry_table, number, beyond, &entry);
	if (a == ST_OK && b == ST_OK && spine == entry) {
		*out = spine;
		*certain = true;
		return ST_OK;
	}
	if (a != ST_OK && a != ST_CORRUPT)
		return a;
	if (b != ST_OK && b != ST_CORRUPT)
		return b;
	st = chainfile_chain_get(f, number, &c);
	if (st == ST_OK && a == ST_CORRUPT)
		st = last_readable(f, &spine_table, number, &spine);
	if (st == ST_OK && b == ST_CORRUPT)
		st = last_readable(f, &entry_table, number, &entry);
	if (st == ST_OK)
		st = last_proved(f, &c, spine, entry, &last);
	if (st != ST_OK && st != ST_ABSENT)
		return st;
	*out = last;
	*certain = st == ST_OK && (a == ST_OK || b == ST_OK);
	return ST_OK;
}
