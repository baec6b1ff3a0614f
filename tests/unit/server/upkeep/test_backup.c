/*
 * A backup counts when it was read back as an auditor reads it, and not before.
 */
#include <stdlib.h>

#include "db/db.h"
#include "entry/entry.h"
#include "server/upkeep/backup.h"
#include "support/court_audit.h"

static int
start(void **state)
{
	struct court *ct = calloc(1, sizeof(*ct));

	if (ct == NULL)
		return -1;
	court_make(ct);
	*state = ct;
	return 0;
}

static int
finish(void **state)
{
	court_end(*state);
	free(*state);
	return 0;
}

/* A few commits of the centre's own. */
static void
fill(struct court *ct, int commits)
{
	const struct bytes on[] = { bytes_str("to"), bytes_str("title"),
		bytes_str("text") };

	for (int i = 0; i < commits; i++) {
		struct server_entry e = { .kind = "order@1",
			.verb = DO_OPEN,
			.on = on,
			.on_count = 3,
			.data = bytes_str("[\"all\",\"t\",\"x\"]") };
		struct commit_job job = { .entry = &e, .entry_count = 1 };

		EXPECT_OK(committer_wait(centre_committer(ct->c), &job));
	}
}

/* The last `kept@1` of the log; 0: none. */
static uint64_t
kept_in_log(struct court *ct)
{
	struct centre_reader *r;
	struct centre_scan *sc;
	struct centre_entry e;
	struct entry p;
	uint64_t kept = 0;

	entry_init(&p);
	EXPECT_OK(centre_reader_open(&r, ct->c));
	EXPECT_OK(centre_scan_open(&sc, r, 0, UINT64_MAX));
	while (centre_scan_next(sc, &e) == ST_OK) {
		if ((e.flags & STORE_SERVER) == 0)
			continue;
		EXPECT_OK(entry_parse(&p, e.bytes));
		if (bytes_eq_str(p.kind, "kept@1"))
			kept = (uint64_t)p.body.node[entry_value(&p, 0)].num;
	}
	centre_scan_close(sc);
	centre_reader_close(r);
	entry_free(&p);
	return kept;
}

static bool
there(const char *path)
{
	struct buf b;
	bool yes;

	buf_init(&b, 1);
	yes = port_read_file(port_system(), path, &b) != ST_ABSENT;
	buf_free(&b);
	return yes;
}

static enum status
backup(struct court *ct, const char *name, struct backup_done *done)
{
	struct backup_config cfg = { .path = tmpdir_file(&ct->dir, name) };
	char errmsg[BACKUP_ERRMSG_LEN];
	enum status st = backup_make(ct->c, &cfg, done, errmsg);

	EXPECT((st == ST_OK) == (errmsg[0] == '\0'));
	return st;
}

/* Catches a backup that lacks the end, a kept size above what is in it, a note
 * that is not the backup's. */
static void
test_backup_is_verified_and_raises_kept(void **state)
{
	struct court *ct = *state;
	struct backup_done done;
	struct checkpoint cp;
	struct buf note;
	uint64_t size;

	fill(ct, 200);
	size = court_size(ct);
	EXPECT(centre_kept(ct->c) == 0);
	EXPECT_OK(backup(ct, "b1", &done));
	EXPECT(done.placed && done.raised);
	EXPECT(done.size == size && done.kept == size);
	EXPECT(centre_kept(ct->c) == size && kept_in_log(ct) == size);
	EXPECT(court_audit_file(ct, tmpdir_file(&ct->dir, "b1"), NULL) == 0);
	buf_init(&note, NOTE_BYTES_MAX);
	EXPECT_OK(port_read_file(
	    port_system(), tmpdir_file(&ct->dir, "b1.note"), &note));
	EXPECT_OK(checkpoint_open(&cp, buf_view(&note), centre_log_key(ct->c)));
	EXPECT(cp.size == size && memcmp(cp.root, done.root, HASH_LEN) == 0);
	buf_free(&note);
	/* Known after a restart, and to whoever else has the store open. */
	court_close(ct);
	court_open(ct);
	EXPECT(centre_kept(ct->c) == size);
	court_audit(ct);
}

/* Catches an old backup destroyed by a new one. */
static void
test_backup_is_never_written_over(void **state)
{
	struct court *ct = *state;
	struct backup_done done, again;

	EXPECT_OK(backup(ct, "b1", &done));
	fill(ct, 3);
	EXPECT_ST(backup(ct, "b1", &again), ST_CONFLICT);
	EXPECT(!again.placed && centre_kept(ct->c) == done.size);
	EXPECT(court_audit_file(ct, tmpdir_file(&ct->dir, "b1"), NULL) == 0);
	EXPECT_OK(backup(ct, "b2", &again));
	EXPECT(again.size > done.size && centre_kept(ct->c) == again.size);
}

/* Catches a kept size that goes back when an older backup is told of later. */
static void
test_kept_never_goes_back(void **state)
{
	struct court *ct = *state;
	bool raised;

	fill(ct, 5);
	EXPECT_OK(centre_keep(ct->c, 6, NULL, &raised));
	EXPECT(raised);
	EXPECT_OK(centre_keep(ct->c, 6, NULL, &raised));
	EXPECT(!raised);
	EXPECT_OK(centre_keep(ct->c, 3, NULL, &raised));
	EXPECT(!raised && centre_kept(ct->c) == 6 && kept_in_log(ct) == 6);
}

/* Catches a backup that counts though one byte of it is wrong. */
static void
test_backup_that_does_not_verify_is_none(void **state)
{
	struct court *ct = *state;
	struct db_config dc = { .busy_ms = 1000 };
	struct backup_done done;
	struct db *d;

	fill(ct, 20);
	dc.path = tmpdir_file(&ct->dir, "store.db");
	EXPECT_OK(db_open(&d, &dc));
	EXPECT_OK(db_exec(d,
	    "UPDATE entries SET bytes = replace(CAST(bytes AS TEXT),"
	    " '\"by\":\"daybreak\"', '\"by\":\"daybreek\"') WHERE place = 7"));
	db_close(d);
	EXPECT_ST(backup(ct, "b1", &done), ST_CORRUPT);
	EXPECT(!done.placed && centre_kept(ct->c) == 0);
	EXPECT(!there(tmpdir_file(&ct->dir, "b1")));
	EXPECT(!there(tmpdir_file(&ct->dir, "b1.note")));
}

static enum status
no_move(void *arg, const char *from, const char *to)
{
	(void)arg;
	(void)from;
	(void)to;
	return ST_IO;
}

/* Catches a kept size raised for a file that never got its name. */
static void
test_backup_without_its_name_does_not_count(void **state)
{
	struct court *ct = *state;
	struct backup_done done;

	ct->clock.port.move_file = no_move;
	EXPECT_ST(backup(ct, "b1", &done), ST_IO);
	EXPECT(!done.placed && centre_kept(ct->c) == 0);
	EXPECT(!there(tmpdir_file(&ct->dir, "b1")));
	ct->clock.port.move_file = port_system()->move_file;
	EXPECT_OK(backup(ct, "b1", &done));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_backup_is_verified_and_raises_kept, start, finish),
		cmocka_unit_test_setup_teardown(
		    test_backup_is_never_written_over, start, finish),
		cmocka_unit_test_setup_teardown(
		    test_kept_never_goes_back, start, finish),
		cmocka_unit_test_setup_teardown(
		    test_backup_that_does_not_verify_is_none, start, finish),
		cmocka_unit_test_setup_teardown(
		    test_backup_without_its_name_does_not_count, start, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
