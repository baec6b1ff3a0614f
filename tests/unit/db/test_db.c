#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/db.h"

enum { APP_ID = 0x44425431 };

static const char *const steps[] = {
	"CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB NOT NULL) STRICT;",
	"CREATE TABLE u (k INTEGER PRIMARY KEY) STRICT; INSERT INTO u "
	"VALUES (7);",
};

struct place {
	char dir[64], file[96], copy[96];
};

static int
place_new(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return -1;
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/daybreak-db-XXXXXX");
	if (mkdtemp(p->dir) == NULL)
		return -1;
	(void)snprintf(p->file, sizeof(p->file), "%s/db", p->dir);
	(void)snprintf(p->copy, sizeof(p->copy), "%s/copy", p->dir);
	*state = p;
	return 0;
}

static int
place_free(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	struct place *p = *state;

	for (size_t i = 0; i < 4; i++) {
		char path[128];

		(void)snprintf(path, sizeof(path), "%s%s", p->file, ends[i]);
		(void)unlink(path);
		(void)snprintf(path, sizeof(path), "%s%s", p->copy, ends[i]);
		(void)unlink(path);
	}
	(void)rmdir(p->dir);
	free(p);
	return 0;
}

static struct db *
open_file(const char *path)
{
	struct db_config c = { .path = path, .create = true, .busy_ms = 50 };
	struct db *d = NULL;

	EXPECT_OK(db_open(&d, &c));
	EXPECT_OK(db_migrate(d, APP_ID, steps, 2));
	return d;
}

static enum status
put(struct db *d, int64_t k, struct bytes v)
{
	struct db_stmt *s;
	enum status st = db_query(&s, d, "INSERT INTO t VALUES (?1, ?2)");

	if (st != ST_OK)
		return st;
	db_bind_i64(s, 1, k);
	db_bind_bytes(s, 2, v);
	return db_run(s);
}

static int64_t
scalar(struct db *d, const char *sql)
{
	int64_t v = -1;

	EXPECT_OK(db_scalar(&v, d, sql));
	return v;
}

/* Catches values that come back changed: empty blobs, zero bytes, ends of the
 * number range, a column of the wrong length taken for the right one. */
static void
test_db_what_goes_in_comes_out(void **state)
{
	struct db_config c = { 0 };
	uint8_t in[4] = { 0, 1, 0, 255 }, out[4] = { 9, 9, 9, 9 };
	struct db_stmt *s;
	struct db *d;

	(void)state;
	EXPECT_OK(db_open(&d, &c));
	EXPECT_OK(db_exec(d, "CREATE TABLE x (a, b, c, d, e)"));
	EXPECT_OK(db_query(&s, d, "INSERT INTO x VALUES (?1, ?2, ?3, ?4, ?5)"));
	db_bind_i64(s, 1, INT64_MIN);
	db_bind_bytes(s, 2, bytes_of(in, sizeof(in)));
	db_bind_bytes(s, 3, bytes_of(NULL, 0));
	db_bind_text(s, 4, bytes_str("\xe6\x90\x9c"));
	db_bind_null(s, 5);
	EXPECT_OK(db_run(s));
	EXPECT_OK(db_query(&s, d, "SELECT a, b, c, d, e FROM x"));
	EXPECT_OK(db_next(s));
	EXPECT(db_i64(s, 0) == INT64_MIN && db_u64(s, 0) == 0);
	EXPECT_ST(db_copy(s, 1, out, 3), ST_CORRUPT);
	EXPECT(out[0] == 9);
	EXPECT_OK(db_copy(s, 1, out, 4));
	EXPECT(memcmp(in, out, 4) == 0);
	EXPECT(!db_is_null(s, 2) && db_bytes(s, 2).len == 0);
	EXPECT_BYTES(db_bytes(s, 3), bytes_str("\xe6\x90\x9c"));
	EXPECT(db_is_null(s, 4) && db_bytes(s, 4).len == 0);
	EXPECT(db_bytes(s, 0).len == 0);
	EXPECT_ST(db_next(s), ST_ABSENT);
	db_reset(s);
	db_done(s);
	EXPECT_OK(db_query(&s, d, "SELECT ?1"));
	db_bind_u64(s, 1, (uint64_t)INT64_MAX + 1);
	EXPECT_ST(db_next(s), ST_LIMIT);
	db_reset(s);
	db_bind_u64(s, 1, INT64_MAX);
	EXPECT_OK(db_next(s));
	EXPECT(db_u64(s, 0) == INT64_MAX);
	db_done(s);
	db_close(d);
}

/* Catches a cached statement handed to two users at once, one that keeps
 * another's parameters, and a cache that grows without end. */
static void
test_db_statements_are_never_shared(void **state)
{
	struct db_stmt *a, *b, *many[DB_STMTS_MAX + 4];
	struct db_config c = { 0 };
	char sql[64];
	struct db *d;

	(void)state;
	EXPECT_OK(db_open(&d, &c));
	EXPECT_OK(db_query(&a, d, "SELECT ?1"));
	EXPECT_OK(db_query(&b, d, "SELECT ?1"));
	EXPECT(a != b);
	db_bind_i64(a, 1, 5);
	EXPECT_OK(db_next(a));
	EXPECT_OK(db_next(b));
	EXPECT(db_i64(a, 0) == 5 && db_is_null(b, 0));
	db_done(b);
	db_done(a);
	EXPECT_OK(db_query(&b, d, "SELECT ?1"));
	EXPECT(b == a);
	EXPECT_OK(db_next(b));
	EXPECT(db_is_null(b, 0));
	db_done(b);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < DB_STMTS_MAX + 4; i++) {
			(void)snprintf(sql, sizeof(sql), "SELECT %d",
			    i + round * DB_STMTS_MAX / 2);
			EXPECT_OK(db_query(&many[i], d, sql));
		}
		for (int i = 0; i < DB_STMTS_MAX + 4; i++) {
			EXPECT_OK(db_next(many[i]));
			EXPECT(
			    db_i64(many[i], 0) == i + round * DB_STMTS_MAX / 2);
			db_done(many[i]);
		}
	}
	db_close(d);
}

/* Catches a migration run twice or half, a file of another program taken for
 * ours, and a file of a newer version opened by an older program. */
static void
test_db_schema_moves_forward_once(void **state)
{
	static const char *const bad[] = { NULL, NULL,
		"CREATE TABLE w (k); INSERT INTO nowhere VALUES (1);" };
	const char *three[3];
	struct place *p = *state;
	struct db_config c = { .path = p->file };
	struct db *d;

	EXPECT_ST(db_open(&d, &c), ST_ABSENT);
	c.create = true;
	EXPECT_OK(db_open(&d, &c));
	EXPECT_OK(db_migrate(d, APP_ID, steps, 1));
	EXPECT_OK(put(d, 1, bytes_str("one")));
	db_close(d);
	d = open_file(p->file);
	EXPECT(scalar(d, "PRAGMA user_version") == 2);
	EXPECT(scalar(d, "SELECT count(*) FROM u") == 1);
	EXPECT(scalar(d, "SELECT count(*) FROM t") == 1);
	EXPECT_ST(db_migrate(d, APP_ID, steps, 1), ST_NEWER);
	EXPECT_ST(db_migrate(d, APP_ID + 1, steps, 2), ST_CONFLICT);
	three[0] = steps[0], three[1] = steps[1], three[2] = bad[2];
	EXPECT_ST(db_migrate(d, APP_ID, three, 3), ST_INVALID);
	EXPECT(strstr(db_errmsg(d), "nowhere") != NULL);
	EXPECT(scalar(d, "PRAGMA user_version") == 2);
	EXPECT_ST(db_scalar(&(int64_t){ 0 }, d, "SELECT k FROM w"), ST_INVALID);
	db_close(d);
}

/* Catches a rollback that leaves rows, and a failure whose words are lost. */
static void
test_db_failed_transaction_leaves_nothing(void **state)
{
	struct place *p = *state;
	struct db *d = open_file(p->file);

	EXPECT_OK(db_begin(d));
	EXPECT_OK(put(d, 1, bytes_str("x")));
	EXPECT_ST(put(d, 1, bytes_str("y")), ST_CONFLICT);
	EXPECT(strstr(db_errmsg(d), "UNIQUE") != NULL);
	db_rollback(d);
	EXPECT(!db_in_transaction(d));
	db_rollback(d);
	EXPECT(scalar(d, "SELECT count(*) FROM t") == 0);
	EXPECT_OK(db_begin(d));
	EXPECT_OK(put(d, 1, bytes_str("z")));
	EXPECT_OK(db_commit(d));
	EXPECT(scalar(d, "SELECT count(*) FROM t") == 1);
	db_close(d);
}

/* Catches a full disk told as anything else. */
static void
test_db_full_is_full(void **state)
{
	static uint8_t big[20000];
	struct place *p = *state;
	struct db *d = open_file(p->file);

	EXPECT_OK(db_exec(d, "PRAGMA max_page_count=6"));
	EXPECT_ST(put(d, 1, bytes_of(big, sizeof(big))), ST_FULL);
	EXPECT_OK(put(d, 2, bytes_str("small")));
	db_close(d);
}

/* Catches damage told as anything but damage. */
static void
test_db_not_a_database_is_corrupt(void **state)
{
	struct place *p = *state;
	struct db_config c = { .path = p->file, .create = true };
	struct db *d = NULL;
	FILE *f = fopen(p->file, "w");

	EXPECT(f != NULL);
	for (int i = 0; i < 1000; i++)
		EXPECT(fputs("no database at all ", f) >= 0);
	EXPECT(fclose(f) == 0);
	EXPECT_ST(db_open(&d, &c), ST_CORRUPT);
	EXPECT(d == NULL);
}

/* Catches two processes on one exclusive file, a lock that outlives its
 * holder, and a busy file told as a failure. */
static void
test_db_exclusive_keeps_others_out(void **state)
{
	struct place *p = *state;
	struct db_config c = { .path = p->file,
		.create = true,
		.exclusive = true,
		.busy_ms = 20 };
	int up[2], down[2], code;
	struct db *d = NULL;
	char byte = 0;
	pid_t pid;

	EXPECT(pipe(up) == 0 && pipe(down) == 0);
	pid = fork();
	EXPECT(pid >= 0);
	if (pid == 0) {
		enum status st = db_open(&d, &c);

		byte = (char)st;
		if (write(up[1], &byte, 1) != 1 || read(down[0], &byte, 1) != 1)
			_exit(2);
		_exit(0); /* as if killed: nothing is closed */
	}
	EXPECT(read(up[0], &byte, 1) == 1 && byte == ST_OK);
	EXPECT_ST(db_open(&d, &c), ST_AGAIN);
	EXPECT(write(down[1], &byte, 1) == 1);
	EXPECT(waitpid(pid, &code, 0) == pid && code == 0);
	EXPECT_OK(db_open(&d, &c));
	EXPECT_OK(db_migrate(d, APP_ID, steps, 2));
	EXPECT_OK(put(d, 1, bytes_str("x")));
	EXPECT(access(p->file, F_OK) == 0);
	db_close(d);
	(void)close(up[0]), (void)close(up[1]);
	(void)close(down[0]), (void)close(down[1]);
}

struct during {
	struct db *writer;
	int64_t next;
	uint64_t calls;
	bool stop;
};

static enum status
write_during(void *arg, uint64_t left, uint64_t total)
{
	struct during *w = arg;

	EXPECT(left <= total);
	w->calls++;
	EXPECT_OK(put(w->writer, w->next++, bytes_str("later")));
	return w->stop ? ST_AGAIN : ST_OK;
}

/* Catches a backup that sees what was written after it began, never ends
 * because others write, overwrites a file, or leaves half of one. */
static void
test_db_backup_is_one_moment(void **state)
{
	static uint8_t big[5000];
	struct place *p = *state;
	struct db *d = open_file(p->file), *from, *copy;
	struct during w = { .writer = d, .next = 100000 };

	EXPECT_OK(db_begin(d));
	for (int i = 0; i < 700; i++)
		EXPECT_OK(put(d, i, bytes_of(big, sizeof(big))));
	EXPECT_OK(db_commit(d));
	from = open_file(p->file);
	w.stop = true;
	EXPECT_ST(db_backup(from, p->copy, NULL, write_during, &w), ST_AGAIN);
	EXPECT(w.calls == 1 && access(p->copy, F_OK) != 0);
	w.stop = false;
	EXPECT_OK(db_backup(from, p->copy, NULL, write_during, &w));
	EXPECT(w.calls > 3);
	EXPECT_ST(db_backup(from, p->copy, NULL, NULL, NULL), ST_CONFLICT);
	copy = open_file(p->copy);
	EXPECT(scalar(copy, "SELECT count(*) FROM t") == 701);
	EXPECT_OK(db_check(copy));
	db_close(copy);
	db_close(from);
	db_close(d);
}

/* Catches a database in memory or a sort that leaves a file behind, and a
 * read-only connection that writes. */
static void
test_db_read_only_refuses_writes(void **state)
{
	struct place *p = *state;
	struct db_config c = { .path = p->file, .readonly = true };
	struct db *d = open_file(p->file), *r;
	uint64_t pages, bytes;

	EXPECT_OK(put(d, 1, bytes_str("x")));
	EXPECT_OK(db_open(&r, &c));
	EXPECT(scalar(r, "SELECT count(*) FROM t") == 1);
	EXPECT_ST(put(r, 2, bytes_str("y")), ST_DENIED);
	EXPECT_OK(db_begin_read(r));
	EXPECT_OK(put(d, 3, bytes_str("z")));
	EXPECT(scalar(r, "SELECT count(*) FROM t") == 1);
	db_rollback(r);
	EXPECT(scalar(r, "SELECT count(*) FROM t") == 2);
	db_close(r);
	EXPECT_OK(db_checkpoint(d, true));
	EXPECT_OK(db_size(d, &pages, &bytes));
	EXPECT(pages > 0 && bytes == pages * 4096);
	db_close(d);
}

int
main(void)
{
#define AT_PLACE(f) cmocka_unit_test_setup_teardown(f, place_new, place_free)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_db_what_goes_in_comes_out),
		cmocka_unit_test(test_db_statements_are_never_shared),
		AT_PLACE(test_db_schema_moves_forward_once),
		AT_PLACE(test_db_failed_transaction_leaves_nothing),
		AT_PLACE(test_db_full_is_full),
		AT_PLACE(test_db_not_a_database_is_corrupt),
		AT_PLACE(test_db_exclusive_keeps_others_out),
		AT_PLACE(test_db_backup_is_one_moment),
		AT_PLACE(test_db_read_only_refuses_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
