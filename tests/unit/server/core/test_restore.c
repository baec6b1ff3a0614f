/*
 * restore: what stands of a log that lost a signed checkpoint, what is refused,
 * and what a crash in the middle leaves.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/core/restore.h"
#include "server/roster/roster.h"
#include "support/court.h"
#include "support/court_verify.h"
#include "verify/verify.h"

enum { KEPT_ENTRIES = 30 };

struct world {
	struct court ct;
	struct handheld h;
	struct buf at_backup, lost; /* old checkpoints: at, and beyond it */
	uint64_t kept, best;
	char backup[300], dir[300];
	struct restore_given g;
	struct restore_done done;
	char errmsg[CENTRE_ERRMSG_LEN];
};

static void
enrol(struct world *w)
{
	struct roster_enrol e = { .person = "p1",
		.name = "n",
		.role = "judge",
		.team = "t",
		.code = "",
		.until_ms = 1 };
	struct roster *r;
	uint64_t place;

	EXPECT_OK(roster_open(&r, w->ct.c));
	memcpy(e.key, w->h.key, PUBKEY_LEN);
	EXPECT_OK(roster_enrol(r, &e, &place));
	/* The roster follows the centre: they end together. */
	court_close(&w->ct);
	roster_close(r);
	court_open(&w->ct);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct store_reader *r;
	struct checkpoint cp;

	if (w == NULL)
		return -1;
	court_make(&w->ct);
	court_handheld(&w->ct, &w->h, 1);
	enrol(w);
	handheld_write(&w->h, 50);
	(void)court_send(&w->ct, &w->h, 1, KEPT_ENTRIES);
	buf_init(&w->at_backup, NOTE_BYTES_MAX);
	buf_init(&w->lost, NOTE_BYTES_MAX);
	EXPECT_OK(centre_checkpoint(w->ct.c, &w->at_backup, &cp));
	w->kept = cp.size;
	(void)snprintf(
	    w->backup, sizeof(w->backup), "%s/backup.db", w->ct.dir.path);
	(void)snprintf(w->dir, sizeof(w->dir), "%s/new", w->ct.dir.path);
	EXPECT_OK(store_reader_open(&r, centre_store(w->ct.c)));
	EXPECT_OK(store_backup(r, w->backup));
	store_reader_close(r);
	(void)court_send(&w->ct, &w->h, KEPT_ENTRIES + 1, 50);
	EXPECT_OK(centre_checkpoint(w->ct.c, &w->lost, &cp));
	w->best = cp.size;
	court_close(&w->ct);
	w->g = (struct restore_given){ .dir = w->dir,
		.from = w->backup,
		.keys = w->ct.dir.path,
		.root_secret = w->ct.keys.root_secret,
		.port = w->ct.cfg.port,
		.even_living = true };
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	handheld_free(&w->h);
	buf_free(&w->at_backup);
	buf_free(&w->lost);
	court_end(&w->ct);
	free(w);
	return 0;
}

/* Go on with the folder that the restore made. */
static void
open_new(struct world *w)
{
	w->ct.cfg.dir = w->dir;
	court_open(&w->ct);
}

static enum status
restore(struct world *w)
{
	return centre_restore(&w->done, &w->g, w->errmsg);
}

/* What an auditor says of the store, given one old anchor. */
static void
audit(struct world *w, const char *dir, const struct buf *anchor,
    struct verify_report *r)
{
	struct verify_anchor a = { .name = "old", .file = buf_view(anchor) };
	struct verify_given given = { .anchor = &a, .anchor_count = 1 };
	char path[400], why[VERIFY_ERRMSG_LEN];

	given.key = *centre_log_key(w->ct.c);
	(void)snprintf(path, sizeof(path), "%s/store.db", dir);
	verify_report_init(r);
	EXPECT_OK(verify_store(r, path, &given, why));
	for (size_t i = 0; i < r->finding_count; i++)
		fprintf(stderr, "  %s: %s %s\n",
		    verify_word(r->finding[i].what), r->finding[i].en,
		    r->finding[i].data);
}

static size_t
findings_of(const struct verify_report *r, enum verify_what what)
{
	size_t n = 0;

	for (size_t i = 0; i < r->finding_count; i++)
		n += r->finding[i].what == what;
	return n;
}

/* A kept leaf that moved, a new log under the old name or key, a first commit
 * that does not say what ended. */
static void
test_restore_keeps_leaves_under_a_new_origin(void **state)
{
	struct world *w = *state;
	const struct bytes note[] = { buf_view(&w->lost) };
	struct centre_reader *r;
	struct centre_entry e;
	struct checkpoint old, cp;
	struct entry p;
	uint8_t root[HASH_LEN];
	uint64_t kept;

	w->g.note = note;
	w->g.note_count = 1;
	EXPECT_OK(restore(w));
	EXPECT(w->done.kept == w->kept && w->done.best == w->best);
	EXPECT(w->done.version == 2);
	EXPECT(strcmp(w->done.origin, w->done.old_origin) != 0);
	open_new(w);
	EXPECT(court_size(&w->ct) == w->kept + 3);
	EXPECT(centre_restored(w->ct.c, &kept) && kept == w->kept);
	EXPECT(centre_ended_note(w->ct.c, buf_view(&w->lost), &old, &kept));
	EXPECT(old.size == w->best && kept == w->kept);
	EXPECT(
	    centre_ended_note(w->ct.c, buf_view(&w->at_backup), &old, &kept));
	EXPECT_OK(tlog_root(centre_tlog(w->ct.c), w->kept, root));
	EXPECT_BYTES(bytes_of(root, HASH_LEN), bytes_of(old.root, HASH_LEN));
	EXPECT_OK(centre_checkpoint(w->ct.c, NULL, &cp));
	EXPECT(strcmp(cp.origin, w->done.origin) == 0);

	entry_init(&p);
	EXPECT_OK(centre_reader_open(&r, w->ct.c));
	EXPECT_OK(centre_entry(r, w->kept, &e));
	EXPECT_OK(entry_parse(&p, e.bytes));
	EXPECT(e.seq == 1 && p.has_old && bytes_eq_str(p.kind, "descriptor@1"));
	EXPECT_OK(centre_entry(r, w->kept + 1, &e));
	EXPECT_OK(entry_parse(&p, e.bytes));
	EXPECT(bytes_eq_str(p.kind, "restored@1"));
	centre_reader_close(r);
	entry_free(&p);
	court_verify(&w->ct);
	/* And it goes on: what was lost comes again. */
	EXPECT(court_send(&w->ct, &w->h, KEPT_ENTRIES + 1, 50).status ==
	       ACK_TAKEN);
	court_verify(&w->ct);
}

/* An auditor who takes a restore for damage, believes a new server chain that
 * no root named, or is silent about what the old log had. */
static void
test_restore_is_what_an_audit_says_it_is(void **state)
{
	struct world *w = *state;
	struct verify_report r;

	EXPECT_OK(restore(w));
	open_new(w);
	(void)court_send(&w->ct, &w->h, KEPT_ENTRIES + 1, 50);
	audit(w, w->dir, &w->at_backup, &r);
	EXPECT(r.damage == 0 && verify_verdict_of(&r) == VERIFY_PROVED);
	EXPECT(r.proved == w->kept);
	verify_report_free(&r);
	/* Beyond what was kept it proves nothing, and is no damage. */
	audit(w, w->dir, &w->lost, &r);
	EXPECT(r.damage == 0 && verify_verdict_of(&r) == VERIFY_NOT_ANCHORED);
	EXPECT(findings_of(&r, VERIFY_OLD_LOG) == 2);
	EXPECT(r.finding[r.finding_count - 1].place == w->kept);
	verify_report_free(&r);
	/* Of a log that nobody ended it is a rewritten history. */
	court_close(&w->ct);
	w->ct.cfg.dir = w->ct.dir.path;
	court_open(&w->ct);
	(void)snprintf(w->dir, sizeof(w->dir), "%s/swap", w->ct.dir.path);
	EXPECT(mkdir(w->dir, 0700) == 0);
	EXPECT(
	    rename(w->backup, tmpdir_file(&w->ct.dir, "swap/store.db")) == 0);
	audit(w, w->dir, &w->lost, &r);
	EXPECT(findings_of(&r, VERIFY_TAIL) == 1 &&
	       verify_verdict_of(&r) == VERIFY_DAMAGED);
	verify_report_free(&r);
}

/* Somebody who restores without the right, onto a living court, from another
 * tree, or without what the devices' certificates rest on. */
static void
test_restore_refuses_and_touches_nothing(void **state)
{
	struct world *w = *state;
	struct bytes note[1];
	struct buf other;
	uint8_t root[64];

	memcpy(root, w->ct.keys.root_secret, sizeof(root));
	root[40] ^= 1;
	w->g.root_secret = root;
	EXPECT_ST(restore(w), ST_DENIED);
	w->g.root_secret = w->ct.keys.root_secret;

	w->g.even_living = false;
	w->g.from = w->ct.dir.path; /* the court as it lives */
	EXPECT_ST(restore(w), ST_CONFLICT);
	EXPECT(strstr(w->errmsg, "--confirm") != NULL);
	w->g.from = NULL; /* in place, and nothing stopped it */
	w->g.dir = w->ct.dir.path;
	EXPECT_ST(restore(w), ST_CONFLICT);
	w->g.from = w->backup;
	EXPECT_ST(restore(w), ST_CONFLICT); /* a court stands there */
	w->g.even_living = true;            /* the backup lies in that folder */
	w->g.dir = w->dir;

	buf_init(&other, NOTE_BYTES_MAX);
	buf_str(&other, "no note\n");
	note[0] = buf_view(&other);
	w->g.note = note;
	w->g.note_count = 1;
	EXPECT_ST(restore(w), ST_INVALID);
	w->g.note_count = 0;
	w->g.keys = w->dir;
	w->g.from = tmpdir_file(&w->ct.dir, "nothing.db");
	EXPECT_ST(restore(w), ST_ABSENT);
	w->g.from = w->backup;
	w->g.keys = "/nonexistent";
	EXPECT_ST(restore(w), ST_ABSENT);
	EXPECT(strstr(w->errmsg, "--keys") != NULL);
	buf_free(&other);

	/* None of these tries left a court, and none is in the way. */
	{
		struct centre *c = NULL;
		struct centre_config cfg = w->ct.cfg;

		cfg.dir = w->dir;
		EXPECT_ST(centre_open(&c, &cfg, w->errmsg), ST_ABSENT);
	}
	w->g.keys = w->ct.dir.path;
	EXPECT_OK(restore(w));
	court_open(&w->ct); /* the old folder is as it was */
	EXPECT(court_size(&w->ct) == w->best);
	court_verify(&w->ct);
}

/* A log that was stopped, and cannot go on in its own folder. */
static void
test_restore_in_place_after_a_halt(void **state)
{
	struct world *w = *state;
	struct ingest_ack a;
	uint64_t kept;

	/* The old backup in place of the store, as somebody might do. */
	(void)unlink(tmpdir_file(&w->ct.dir, "store.db-wal"));
	(void)unlink(tmpdir_file(&w->ct.dir, "store.db-shm"));
	EXPECT(rename(w->backup, tmpdir_file(&w->ct.dir, "store.db")) == 0);
	court_open(&w->ct);
	EXPECT_ST(
	    ingest_note(w->ct.c, w->h.dev, buf_view(&w->lost)), ST_LOCKED);
	committer_run(centre_committer(w->ct.c));
	court_close(&w->ct);
	w->g.dir = w->ct.dir.path;
	w->g.from = w->g.keys = NULL;
	w->g.even_living = false;
	EXPECT_OK(restore(w));
	EXPECT(w->done.kept == w->kept && w->done.best == w->best);
	court_open(&w->ct);
	EXPECT(!centre_halted(w->ct.c));
	EXPECT(centre_restored(w->ct.c, &kept) && kept == w->kept);
	a = court_send(&w->ct, &w->h, KEPT_ENTRIES + 1, 50);
	EXPECT(a.status == ACK_TAKEN && a.seq == 50);
	/* The old note halts nothing any more. */
	EXPECT_OK(ingest_note(w->ct.c, w->h.dev, buf_view(&w->lost)));
	EXPECT(!centre_halted(w->ct.c));
	court_verify(&w->ct);
	court_close(&w->ct);
	EXPECT_ST(restore(w), ST_CONFLICT); /* it lives */
	court_open(&w->ct);
}

/* A daemon that still runs on the folder, and would sign the new log's tree
 * under the old one's name. */
static void
test_restore_silences_who_has_the_old_log_open(void **state)
{
	struct world *w = *state;
	struct commit_job job = { 0 };
	struct checkpoint cp;

	court_open(&w->ct);
	w->g.dir = w->ct.dir.path;
	w->g.from = w->g.keys = NULL;
	EXPECT_OK(restore(w));
	centre_poll(w->ct.c);
	committer_run(centre_committer(w->ct.c));
	committer_run(centre_committer(w->ct.c));
	EXPECT(centre_halted(w->ct.c));
	EXPECT_OK(centre_checkpoint(w->ct.c, NULL, &cp));
	EXPECT(cp.size == w->best);
	EXPECT_ST(committer_wait(centre_committer(w->ct.c), &job), ST_LOCKED);
	court_close(&w->ct);
	/* The same, when the first it hears of it is a request. */
	court_open(&w->ct);
	EXPECT_OK(restore(w));
	handheld_write(&w->h, 1);
	(void)hand_piece(&w->ct.rq, &w->h, 51, 51);
	{
		struct ingest_device dev = court_device(&w->h);

		EXPECT_ST(court_send_as(&w->ct, &dev), ST_LOCKED);
	}
	EXPECT(centre_halted(w->ct.c));
	court_close(&w->ct);
	court_open(&w->ct);
	court_verify(&w->ct);
}

/* A second restore that forgets the first, or its place. */
static void
test_restore_twice(void **state)
{
	struct world *w = *state;
	struct verify_report r;
	struct store_reader *rd;
	struct checkpoint cp;
	struct buf second;
	char dir2[300];
	uint64_t kept;

	EXPECT_OK(restore(w));
	open_new(w);
	(void)court_send(&w->ct, &w->h, KEPT_ENTRIES + 1, 40);
	(void)unlink(w->backup);
	EXPECT_OK(store_reader_open(&rd, centre_store(w->ct.c)));
	EXPECT_OK(store_backup(rd, w->backup));
	store_reader_close(rd);
	(void)court_send(&w->ct, &w->h, 41, 50);
	buf_init(&second, NOTE_BYTES_MAX);
	EXPECT_OK(centre_checkpoint(w->ct.c, &second, &cp));
	court_close(&w->ct);
	(void)snprintf(dir2, sizeof(dir2), "%s/third", w->ct.dir.path);
	w->g.dir = dir2;
	EXPECT_OK(restore(w));
	EXPECT(w->done.version == 3);
	w->ct.cfg.dir = dir2;
	court_open(&w->ct);
	EXPECT(centre_ended_note(w->ct.c, buf_view(&w->lost), &cp, &kept) &&
	       kept == w->kept);
	EXPECT(centre_ended_note(w->ct.c, buf_view(&second), &cp, &kept) &&
	       kept == w->done.kept);
	EXPECT(court_send(&w->ct, &w->h, 41, 50).status == ACK_TAKEN);
	court_verify(&w->ct);
	audit(w, dir2, &w->at_backup, &r);
	EXPECT(r.damage == 0 && r.proved == w->kept);
	verify_report_free(&r);
	/* The log in the middle is known by the entries alone. */
	audit(w, dir2, &second, &r);
	EXPECT(r.damage == 0 && findings_of(&r, VERIFY_OLD_LOG) == 2);
	verify_report_free(&r);
	buf_free(&second);
}

/* ---- a crash at every step */

struct failing {
	struct port port, real;
	int left; /* writes and removals that still work */
};

static enum status
failing_write(void *arg, const char *path, struct bytes in, bool secret)
{
	struct failing *f = arg;

	if (f->left-- <= 0)
		return ST_IO;
	return f->real.write_file(f->real.arg, path, in, secret);
}

static enum status
failing_remove(void *arg, const char *path)
{
	struct failing *f = arg;

	if (f->left-- <= 0)
		return ST_IO;
	return f->real.remove_file(f->real.arg, path);
}

static void
failing_init(struct failing *f, int left)
{
	f->real = f->port = *port_system();
	f->port.arg = f;
	f->port.write_file = failing_write;
	f->port.remove_file = failing_remove;
	f->left = left;
}

/* A restore that was cut short: neither a court that is half one, nor a folder
 * that no second try can use. */
static void
test_restore_cut_short_at_any_file_begins_anew(void **state)
{
	struct world *w = *state;
	struct failing f;
	enum status st = ST_IO;
	int steps = 0;

	for (; st != ST_OK; steps++) {
		struct centre_config cfg = w->ct.cfg;
		struct centre *c = NULL;
		enum status opened;

		failing_init(&f, steps);
		w->g.port = &f.port;
		st = restore(w);
		cfg.dir = w->dir;
		opened = centre_open(&c, &cfg, w->errmsg);
		EXPECT(opened == (st == ST_OK ? ST_OK : ST_ABSENT));
		centre_close(c);
	}
	EXPECT(steps > 8);
	open_new(w);
	EXPECT(court_size(&w->ct) == w->kept + 3);
	court_verify(&w->ct);
}

/* In place there is no second copy: before the commit it is the halted log,
 * after it the new one. */
static void
test_restore_in_place_cut_short_is_before_or_after(void **state)
{
	struct world *w = *state;
	struct failing f;
	enum status st = ST_IO;
	uint64_t kept;

	w->g.dir = w->ct.dir.path;
	w->g.from = w->g.keys = NULL;
	for (int steps = 0; st != ST_OK; steps++) {
		failing_init(&f, steps);
		w->g.port = &f.port;
		st = restore(w);
		court_open(&w->ct);
		if (centre_restored(w->ct.c, &kept)) {
			EXPECT(kept == w->best);
			EXPECT(court_size(&w->ct) == w->best + 3);
			court_verify(&w->ct);
			return;
		}
		EXPECT(st != ST_OK && court_size(&w->ct) == w->best);
		court_close(&w->ct);
	}
	EXPECT(false); /* it must have passed through the middle */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_restore_keeps_leaves_under_a_new_origin, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    test_restore_is_what_an_audit_says_it_is, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_restore_refuses_and_touches_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_restore_in_place_after_a_halt, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_restore_silences_who_has_the_old_log_open, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    test_restore_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_restore_cut_short_at_any_file_begins_anew, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    test_restore_in_place_cut_short_is_before_or_after, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
