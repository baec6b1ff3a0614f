/*
 * project_words: the index of all words, a step behind the lists.
 *
 * Trigrams cost as much as all the rest of following, so a record's words wait
 * in a table until there is time, and a record that is written again and again
 * is indexed once.  A search looks through what waits, too: it is never behind
 * the lists, only slower.
 */
#include "server/project/project_impl.h"

/* Counted once, when following begins: it reads all that waits. */
enum status
project_count_waiting(struct project *p)
{
	int64_t n = 0;
	enum status st = db_scalar(&n, p->db, "SELECT count(*) FROM waiting");

	if (st == ST_OK)
		__atomic_store_n(&p->waiting, (uint64_t)n, __ATOMIC_RELEASE);
	return st;
}

static enum status
run_upto(struct project *p, const char *sql, int64_t last, uint64_t *changed)
{
	struct db_stmt *s;
	enum status st = db_query(&s, p->db, sql);

	if (st != ST_OK)
		return st;
	db_bind_i64(s, 1, last);
	st = db_run(s);
	*changed = (uint64_t)db_changes(p->db);
	return st;
}

/* The number of the last of the first `count` that wait. */
static enum status
find_last(struct project *p, size_t count, int64_t *last)
{
	struct db_stmt *s;
	enum status st;

	st = db_query(&s, p->db,
	    "SELECT max(n) FROM (SELECT n FROM waiting ORDER BY n LIMIT ?1)");
	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, count);
	st = db_next(s);
	if (st == ST_OK && db_is_null(s, 0))
		st = ST_ABSENT;
	if (st == ST_OK)
		*last = db_i64(s, 0);
	db_done(s);
	return st;
}

/* FTS5 writes a segment of its index for each statement: two for many
 * records, not two a record. */
static enum status
index_upto(struct project *p, int64_t last)
{
	static const char *const sql[] = {
		"DELETE FROM words WHERE rowid IN"
		" (SELECT n FROM waiting WHERE indexed AND n <= ?1)",
		"INSERT INTO words(rowid, text) SELECT n, text FROM waiting"
		" WHERE n <= ?1 ORDER BY n",
		"DELETE FROM waiting WHERE n <= ?1",
	};
	uint64_t gone = 0;
	enum status st = db_begin(p->db);

	if (st != ST_OK)
		return st;
	for (size_t i = 0; st == ST_OK && i < 3; i++)
		st = run_upto(p, sql[i], last, &gone);
	if (st == ST_OK)
		st = db_commit(p->db);
	if (st != ST_OK) {
		db_rollback(p->db);
		return st;
	}
	__atomic_sub_fetch(&p->waiting, gone, __ATOMIC_ACQ_REL);
	return ST_OK;
}

enum status
project_index(struct project *p, size_t count)
{
	int64_t last = 0;
	enum status st = find_last(p, count, &last);

	if (st == ST_OK)
		return index_upto(p, last);
	return st == ST_ABSENT ? ST_OK : st;
}

uint64_t
project_waiting(struct project *p)
{
	return __atomic_load_n(&p->waiting, __ATOMIC_ACQUIRE);
}
