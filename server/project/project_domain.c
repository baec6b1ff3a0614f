/*
 * project_domain: what was judged by other kinds or rules is judged anew
 * (docs/KINDS.md, section 7).
 *
 * Beside each kind stands the digest of all that decides for it (table judged).
 * Where that is another one now, its records fall due at once, and are folded
 * with all that fell due by time: by the thousand, behind what is new.
 */
#include <string.h>

#include "server/project/project_impl.h"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS judged(kind TEXT PRIMARY KEY,"
    " by BLOB NOT NULL) WITHOUT ROWID";

/* Is this what decided when the kind's records were judged? */
static enum status
is_same(struct project *p, const struct kind *k, const uint8_t by[HASH_LEN],
    bool *same)
{
	uint8_t was[HASH_LEN];
	struct db_stmt *s;
	enum status st =
	    db_query(&s, p->db, "SELECT by FROM judged WHERE kind = ?1");

	*same = false;
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(k->id));
	st = db_next(s);
	if (st == ST_OK)
		st = db_copy(s, 0, was, sizeof(was));
	if (st == ST_OK)
		*same = memcmp(was, by, sizeof(was)) == 0;
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}

static enum status
fall_due(struct project *p, const struct kind *k, const uint8_t by[HASH_LEN])
{
	struct db_stmt *s;
	enum status st =
	    db_query(&s, p->db, "UPDATE record SET next = 0 WHERE kind = ?1");

	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(k->id));
	st = db_run(s);
	if (st == ST_OK)
		st = db_query(&s, p->db,
		    "INSERT OR REPLACE INTO judged(kind, by) VALUES(?1, ?2)");
	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(k->id));
	db_bind_bytes(s, 2, bytes_of(by, HASH_LEN));
	return db_run(s);
}

enum status
project_rejudge(struct project *p)
{
	enum status st = db_exec(p->db, schema);

	if (st == ST_OK)
		st = db_begin(p->db);
	if (st != ST_OK)
		return st;
	for (size_t i = 0; st == ST_OK && i < kinds_count(p->cfg.kinds); i++) {
		const struct kind *k = kinds_at(p->cfg.kinds, i);
		uint8_t by[HASH_LEN];
		bool same = false;

		if (k->system)
			continue;
		rules_version_for(p->cfg.rules, k, by);
		st = is_same(p, k, by, &same);
		if (st == ST_OK && !same)
			st = fall_due(p, k, by);
	}
	if (st == ST_OK)
		st = db_commit(p->db);
	if (st != ST_OK)
		db_rollback(p->db);
	return st;
}

enum status
project_domain(
    struct project *p, const struct kinds *ks, const struct rules *rs)
{
	p->cfg.kinds = ks;
	p->cfg.rules = rs;
	fold_domain(p->fold, ks, rs);
	return project_rejudge(p);
}

/* Once for each: fills are read from the first again after a start. */
enum status
project_wipe(struct project *p)
{
	uint64_t up_to = p->erased;
	int64_t was = 0;
	struct db_stmt *s;
	enum status st = db_scalar(
	    &was, p->db, "SELECT by FROM judged WHERE kind = '~erased'");

	p->erased = 0;
	if (st != ST_OK && st != ST_ABSENT)
		return st;
	if ((uint64_t)was >= up_to)
		return ST_OK;
	st = db_exec(p->db, "INSERT INTO words(words) VALUES('optimize')");
	if (st == ST_OK)
		st = db_query(&s, p->db,
		    "INSERT OR REPLACE INTO judged(kind, by)"
		    " VALUES('~erased', ?1)");
	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, up_to);
	st = db_run(s);
	if (st == ST_OK)
		st = db_checkpoint(p->db, true);
	return st == ST_AGAIN ? ST_OK : st;
}
