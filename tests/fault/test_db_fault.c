#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include "db/db.h"
#include "support/fault_vfs.h"

enum { ROWS = 12, APP_ID = 7, LIMIT = 3000 };

static const char *const steps[] = {
	"CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB NOT NULL) STRICT;",
};

static enum status
open_on(struct db **out, const struct fault_disk *disk, bool exclusive)
{
	struct db_config c = { .path = "/db",
		.vfs = fault_disk_name(disk),
		.create = true,
		.exclusive = exclusive,
		.checkpoint_pages = 6 };
	struct db *d = NULL;
	enum status st = db_open(&d, &c);

	if (st == ST_OK)
		st = db_migrate(d, APP_ID, steps, 1);
	if (st != ST_OK) {
		db_close(d);
		return st;
	}
	*out = d;
	return ST_OK;
}

static enum status
put(struct db *d, int64_t k)
{
	static uint8_t v[3000];
	struct db_stmt *s;
	enum status st = db_begin(d);

	if (st != ST_OK)
		return st;
	st = db_query(&s, d, "INSERT INTO t VALUES (?1, ?2)");
	if (st == ST_OK) {
		db_bind_i64(s, 1, k);
		db_bind_bytes(s, 2, bytes_of(v, sizeof(v)));
		st = db_run(s);
	}
	if (st == ST_OK)
		return db_commit(d);
	db_rollback(d);
	return st;
}

/* A morning: open, write, close.  Bit k of the result: put(k) said ST_OK. */
static unsigned
work(const struct fault_disk *disk, bool exclusive, enum status *first_bad)
{
	struct db *d = NULL;
	unsigned done = 0;
	enum status st = open_on(&d, disk, exclusive);

	*first_bad = st;
	for (int k = 0; k < ROWS && d != NULL; k++) {
		st = put(d, k);
		if (st == ST_OK)
			done |= 1u << k;
		else if (*first_bad == ST_OK)
			*first_bad = st;
	}
	db_close(d);
	return done;
}

/* All rows of `done` are there, the file is sound, and it can be written. */
static void
check(const struct fault_disk *disk, unsigned done)
{
	struct db *d = NULL;
	int64_t n;

	EXPECT_OK(open_on(&d, disk, true));
	EXPECT_OK(db_check(d));
	for (int k = 0; k < ROWS; k++) {
		struct db_stmt *s;

		EXPECT_OK(db_query(&s, d,
		    "SELECT length(v) FROM t "
		    "WHERE k = ?1"));
		db_bind_i64(s, 1, k);
		if (done & (1u << k)) {
			EXPECT_OK(db_next(s));
			EXPECT(db_i64(s, 0) == 3000);
		}
		db_done(s);
	}
	EXPECT_OK(put(d, 1000));
	EXPECT_OK(db_scalar(&n, d, "SELECT count(*) FROM t WHERE k = 1000"));
	EXPECT(n == 1);
	db_close(d);
}

/* Catches a failure of the disk that is told as success, told as something
 * else, or that spoils what was committed before. */
static void
test_db_nth_failure_loses_nothing_committed(void **state)
{
	enum status want[] = { ST_IO, ST_FULL }, bad;

	(void)state;
	for (int kind = FAULT_IOERR; kind <= FAULT_FULL; kind++) {
		for (uint64_t n = 1; n < LIMIT; n++) {
			struct fault_disk *disk = fault_disk_new();
			unsigned done;
			bool hit;

			fault_disk_fail(disk, FAULT_WRITES, n,
			    (enum fault_kind)kind, false);
			done = work(disk, n % 2 == 0, &bad);
			hit = fault_disk_hit(disk);
			fault_disk_fail(disk, 0, 0, FAULT_IOERR, false);
			EXPECT(bad == ST_OK || bad == want[kind]);
			EXPECT(hit || done == (1u << ROWS) - 1);
			check(disk, done);
			fault_disk_free(disk);
			if (!hit) {
				EXPECT(n > ROWS);
				break;
			}
			EXPECT(n + 1 < LIMIT);
		}
	}
}

/* Catches a commit that is not durable when it says so: the power goes at each
 * write in turn, and comes back with unsynced writes lost, kept or torn. */
static void
test_db_power_cut_loses_nothing_committed(void **state)
{
	enum status bad;

	(void)state;
	for (uint64_t n = 1; n < LIMIT; n++) {
		struct fault_disk *disk = fault_disk_new();
		unsigned done;
		bool cut;

		fault_disk_cut(disk, n);
		done = work(disk, n % 2 == 0, &bad);
		cut = fault_disk_is_cut(disk);
		for (int how = FAULT_DROP; how <= FAULT_RANDOM; how++) {
			struct fault_disk *later =
			    fault_disk_after(disk, (enum fault_after)how, n);

			check(later, done);
			fault_disk_free(later);
		}
		fault_disk_power(disk, FAULT_RANDOM, n + 1);
		check(disk, done);
		fault_disk_free(disk);
		if (!cut) {
			EXPECT(done == (1u << ROWS) - 1);
			break;
		}
		EXPECT(n + 1 < LIMIT);
	}
}

/* Catches a test disk that is kinder than a real one: without a sync, a
 * committed row must be able to vanish. */
static void
test_fault_disk_forgets_what_was_not_synced(void **state)
{
	struct db_config c = { .path = "/db", .create = true };
	struct fault_disk *disk = fault_disk_new(), *later;
	struct db *d = NULL, *e = NULL;
	int64_t n;

	(void)state;
	c.vfs = fault_disk_name(disk);
	EXPECT_OK(db_open(&d, &c));
	EXPECT_OK(db_migrate(d, APP_ID, steps, 1));
	EXPECT_OK(db_checkpoint(d, true));
	EXPECT_OK(db_exec(d, "PRAGMA synchronous=OFF"));
	EXPECT_OK(put(d, 1));
	later = fault_disk_after(disk, FAULT_DROP, 0);
	EXPECT_OK(open_on(&e, later, true));
	EXPECT_OK(db_scalar(&n, e, "SELECT count(*) FROM t"));
	EXPECT(n == 0);
	db_close(e);
	fault_disk_free(later);
	later = fault_disk_after(disk, FAULT_KEEP, 0);
	EXPECT_OK(open_on(&e, later, true));
	EXPECT_OK(db_scalar(&n, e, "SELECT count(*) FROM t"));
	EXPECT(n == 1);
	db_close(e);
	fault_disk_free(later);
	db_close(d);
	fault_disk_free(disk);
}

/* Catches a full disk that costs more than the write that met it. */
static void
test_db_full_disk_refuses_and_recovers(void **state)
{
	struct fault_disk *disk = fault_disk_new();
	struct db *d = NULL;
	int64_t k = 0, n;
	enum status st;

	(void)state;
	EXPECT_OK(open_on(&d, disk, true));
	fault_disk_capacity(disk, 100000);
	do {
		st = put(d, k);
		k += st == ST_OK;
	} while (st == ST_OK);
	EXPECT(st == ST_FULL && k > 2);
	fault_disk_capacity(disk, UINT64_MAX);
	EXPECT_OK(put(d, k));
	EXPECT_OK(db_scalar(&n, d, "SELECT count(*) FROM t"));
	EXPECT(n == k + 1);
	EXPECT_OK(db_check(d));
	db_close(d);
	fault_disk_free(disk);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fault_disk_forgets_what_was_not_synced),
		cmocka_unit_test(test_db_nth_failure_loses_nothing_committed),
		cmocka_unit_test(test_db_power_cut_loses_nothing_committed),
		cmocka_unit_test(test_db_full_disk_refuses_and_recovers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
