#include "chainfile/vault.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "base/sha.h"

static void
checksum(uint8_t out[VAULT_SUM_LEN], const char *name, struct bytes in)
{
	/* With the name and its NUL, so that rows cannot change places. */
	struct bytes part[] = { bytes_of(name, strlen(name) + 1), in };
	uint8_t hash[HASH_LEN];

	sha256_many(hash, part, 2);
	memcpy(out, hash, VAULT_SUM_LEN);
}

static enum status
put_one(struct db *d, const char *sql, const char *name, struct bytes row)
{
	struct db_stmt *s;
	enum status st = db_query(&s, d, sql);

	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(name));
	db_bind_bytes(s, 2, row);
	return db_run(s);
}

enum status
vault_put(struct db *d, const char *name, struct bytes in)
{
	uint8_t sum[VAULT_SUM_LEN];
	enum status st;
	struct buf row;

	assert(strlen(name) <= VAULT_NAME_MAX);
	if (in.len > VAULT_BYTES_MAX)
		return ST_LIMIT;
	checksum(sum, name, in);
	buf_init(&row, VAULT_BYTES_MAX + VAULT_SUM_LEN);
	buf_bytes(&row, in);
	buf_add(&row, sum, sizeof(sum));
	st = row.err;
	if (st == ST_OK)
		st = put_one(d, "INSERT OR REPLACE INTO vault VALUES (?1, ?2)",
		    name, buf_view(&row));
	if (st == ST_OK)
		st = put_one(d,
		    "INSERT OR REPLACE INTO vault_copy VALUES (?1, ?2)", name,
		    buf_view(&row));
	buf_free(&row);
	return st;
}

static enum status
get_one(struct db *d, const char *sql, const char *name, struct buf *out)
{
	uint8_t sum[VAULT_SUM_LEN];
	struct bytes row;
	struct db_stmt *s;
	enum status st = db_query(&s, d, sql);

	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(name));
	st = db_next(s);
	if (st == ST_OK) {
		row = db_bytes(s, 0);
		st = ST_CORRUPT;
		if (row.len >= sizeof(sum)) {
			row.len -= sizeof(sum);
			checksum(sum, name, row);
			if (memcmp(sum, row.p + row.len, sizeof(sum)) == 0) {
				buf_bytes(out, row);
				st = out->err;
			}
		}
	}
	db_done(s);
	return st;
}

enum status
vault_get(struct db *d, const char *name, struct buf *out)
{
	enum status a, b;

	a = get_one(d, "SELECT bytes FROM vault WHERE name = ?1", name, out);
	if (a != ST_ABSENT && a != ST_CORRUPT)
		return a;
	b = get_one(
	    d, "SELECT bytes FROM vault_copy WHERE name = ?1", name, out);
	return b == ST_ABSENT ? a : b;
}

static enum status
drop_one(struct db *d, const char *sql, const char *name)
{
	struct db_stmt *s;
	enum status st = db_query(&s, d, sql);

	if (st != ST_OK)
		return st;
	db_bind_text(s, 1, bytes_str(name));
	return db_run(s);
}

enum status
vault_drop(struct db *d, const char *name)
{
	enum status st = drop_one(d, "DELETE FROM vault WHERE name = ?1", name);

	if (st == ST_OK)
		st =
		    drop_one(d, "DELETE FROM vault_copy WHERE name = ?1", name);
	return st;
}
