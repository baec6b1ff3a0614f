#ifndef DB_DB_INNER_H
#define DB_DB_INNER_H
/* db_inner: what db.c, db_stmt.c and db_copy.c share; nobody else includes it.
 */
#include "db/db.h"

struct sqlite3;

struct db {
	struct sqlite3 *h;                  /* owned */
	struct db_stmt *stmt[DB_STMTS_MAX]; /* owned; the cache */
	size_t stmt_count;
	size_t loose_count; /* statements given out beside the cache */
	uint64_t clock;     /* counts uses, for the cache's choice */
	char errmsg[DB_ERRMSG_LEN];
};

/* Status of a SQLite result; of one of opening, whose words are lost. */
enum status db_status_of(int rc);
enum status db_open_result(struct sqlite3 *h, int rc);

/* Status of a SQLite result; its words are kept for db_errmsg. */
enum status db_result(struct db *d, int rc);

/* Free all cached statements; none may be in use. */
void db_stmts_free(struct db *d);

#endif
