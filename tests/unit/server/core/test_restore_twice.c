/*
 * Two restores from one backup: the second stands behind the first one's
 * descriptor, so that whoever knows that finds no forgery.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "server/core/centre_inner.h"
#include "server/core/restore.h"
#include "support/court.h"
#include "support/court_verify.h"
#include "verify/verify.h"

struct world {
	struct court ct;
	struct buf backup_note, file[3], note[3]; /* by restore, from 0 */
	uint64_t kept;
	char backup[300], dir[3][300];
	struct restore_given g;
	struct restore_done done;
	char errmsg[CENTRE_ERRMSG_LEN];
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct store_reader *r;
	struct checkpoint cp;

	if (w == NULL)
		return -1;
	court_make(&w->ct);
	buf_init(&w->backup_note, NOTE_BYTES_MAX);
	for (int i = 0; i < 3; i++) {
		buf_init(&w->file[i], DESCRIPTOR_FILE_MAX);
		buf_init(&w->note[i], NOTE_BYTES_MAX);
		(void)snprintf(w->dir[i], sizeof(w->dir[i]), "%s/new%d",
		    w->ct.dir.path, i);
	}
	EXPECT_OK(centre_checkpoint(w->ct.c, &w->backup_note, &cp));
	w->kept = cp.size;
	(void)snprintf(
	    w->backup, sizeof(w->backup), "%s/backup.db", w->ct.dir.path);
	EXPECT_OK(store_reader_open(&r, centre_store(w->ct.c)));
	EXPECT_OK(store_backup(r, w->backup));
	store_reader_close(r);
	court_close(&w->ct);
	w->g = (struct restore_given){ .from = w->backup,
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

	buf_free(&w->backup_note);
	for (int i = 0; i < 3; i++) {
		buf_free(&w->file[i]);
		buf_free(&w->note[i]);
	}
	court_end(&w->ct);
	free(w);
	return 0;
}

/* The i-th restore, with what was given; its court stands open. */
static void
restore(struct world *w, int i)
{
	struct checkpoint cp;

	if (w->ct.c != NULL)
		court_close(&w->ct);
	w->g.dir = w->dir[i];
	expect_status(centre_restore(&w->done, &w->g, w->errmsg), ST_OK,
	    w->errmsg, __FILE__, __LINE__);
	EXPECT(w->done.kept == w->kept);
	w->ct.cfg.dir = w->dir[i];
	court_open(&w->ct);
	EXPECT_OK(centre_descriptor(w->ct.c, &w->file[i]));
	EXPECT_OK(centre_checkpoint(w->ct.c, &w->note[i], &cp));
}

static void
refused(struct world *w, enum status want, struct bytes given)
{
	w->g.dir = w->dir[2];
	w->g.descriptor = &given;
	w->g.descriptor_count = 1;
	EXPECT_ST(centre_restore(&w->done, &w->g, w->errmsg), want);
	EXPECT(w->errmsg[0] != '\0');
}

/* What GET /v1/descriptor would say. */
static void
as_document(struct buf *out, const struct buf *file, size_t count)
{
	buf_str(out, "{\"v\":1,\"files\":[");
	for (size_t i = 0; i < count; i++) {
		char *text = malloc((file[i].len + 2) / 3 * 4 + 1);

		EXPECT(text != NULL);
		base64_encode(text, buf_view(&file[i]));
		buf_printf(out, "%s\"%s\"", i == 0 ? "" : ",", text);
		free(text);
	}
	buf_str(out, "]}");
	EXPECT_OK(out->err);
}

static struct verify_report
audit(struct world *w, const struct buf *note, size_t count)
{
	struct verify_anchor a[4];
	struct verify_given given = { .anchor = a, .anchor_count = count };
	char path[400], why[VERIFY_ERRMSG_LEN];
	struct verify_report r;

	memset(a, 0, sizeof(a));
	for (size_t i = 0; i < count; i++) {
		a[i].name = "note";
		a[i].file = buf_view(&note[i]);
	}
	given.key = *centre_log_key(w->ct.c);
	(void)snprintf(path, sizeof(path), "%s/store.db", w->ct.cfg.dir);
	verify_report_init(&r);
	EXPECT_OK(verify_store(&r, path, &given, why));
	for (size_t i = 0; i < r.finding_count; i++)
		fprintf(stderr, "  %s: place %llu: %s %s\n",
		    verify_word(r.finding[i].what),
		    (unsigned long long)r.finding[i].place, r.finding[i].en,
		    r.finding[i].data);
	return r;
}

/* Would catch two descriptors of one version, a version between that is not in
 * the log, and an audit that takes the chain of such a log for nobody's. */
static void
test_second_restore_stands_behind_the_first(void **state)
{
	struct world *w = *state;
	struct bytes given[2];
	struct checkpoint cp;
	uint64_t kept = 77;
	struct verify_report r;

	restore(w, 0);
	EXPECT(w->done.version == 2);
	given[0] = buf_view(&w->file[0]);
	w->g.descriptor = given;
	w->g.descriptor_count = 1;
	restore(w, 1);
	EXPECT(w->done.version == 3);
	EXPECT(court_size(&w->ct) == w->kept + 2 + 2 + 1);
	/* Both logs ended, and of the first one's places nothing is claimed. */
	EXPECT(centre_ended_note(w->ct.c, buf_view(&w->note[0]), &cp, &kept));
	EXPECT(kept == 0);
	EXPECT(
	    centre_ended_note(w->ct.c, buf_view(&w->backup_note), &cp, &kept));
	EXPECT(kept == w->kept);
	r = audit(w, &w->note[1], 1);
	EXPECT(r.damage == 0 && verify_verdict_of(&r) == VERIFY_PROVED);
	verify_report_free(&r);
	/* A checkpoint of the first one is of a log that ended: no split. */
	r = audit(w, w->note, 2);
	EXPECT(r.damage == 0 && verify_verdict_of(&r) == VERIFY_PROVED);
	verify_report_free(&r);
	court_verify(&w->ct);
	/* A third, told of both, in no order. */
	given[0] = buf_view(&w->file[1]);
	given[1] = buf_view(&w->file[0]);
	w->g.descriptor_count = 2;
	restore(w, 2);
	EXPECT(w->done.version == 4);
	r = audit(w, w->note, 3);
	EXPECT(r.damage == 0 && verify_verdict_of(&r) == VERIFY_PROVED);
	verify_report_free(&r);
	court_verify(&w->ct);
}

/* Would catch a document of all versions not being taken, and a checkpoint of
 * the log between being lost. */
static void
test_second_restore_takes_a_document_and_notes_of_both(void **state)
{
	struct world *w = *state;
	struct bytes given, note[2];
	struct verify_report r;
	struct buf doc;

	buf_init(&doc, 1 << 20);
	restore(w, 0);
	as_document(&doc, w->file, 1);
	given = buf_view(&doc);
	note[0] = buf_view(&w->note[0]);
	note[1] = buf_view(&w->backup_note);
	w->g.descriptor = &given;
	w->g.descriptor_count = 1;
	w->g.note = note;
	w->g.note_count = 2;
	restore(w, 1);
	EXPECT(w->done.version == 3 && w->done.best == w->kept);
	r = audit(w, &w->note[1], 1);
	/* What the first one had is named. */
	EXPECT(r.damage == 0 && r.finding_count == 1 &&
	       r.finding[0].what == VERIFY_OLD_LOG);
	verify_report_free(&r);
	buf_free(&doc);
}

/* Would catch the root key signing what does not follow from the backup. */
static void
test_second_restore_refuses_what_does_not_follow(void **state)
{
	struct world *w = *state;
	struct bytes given;
	struct buf bad;
	uint8_t *at;

	restore(w, 0);
	given = buf_view(&w->file[0]);
	w->g.descriptor = &given;
	w->g.descriptor_count = 1;
	restore(w, 1);
	court_close(&w->ct);
	/* A version between is missing. */
	refused(w, ST_INVALID, buf_view(&w->file[1]));
	/* No descriptor at all, half a one, one that nobody signed. */
	refused(w, ST_INVALID, bytes_str("{\"v\":1}"));
	refused(w, ST_INVALID, bytes_of(w->file[0].p, w->file[0].len / 2));
	buf_init(&bad, DESCRIPTOR_FILE_MAX);
	buf_bytes(&bad, buf_view(&w->file[0]));
	at = bad.p + bad.len - 20;
	*at = *at == 'A' ? 'B' : 'A';
	refused(w, ST_DENIED, buf_view(&bad));
	buf_free(&bad);
	w->g.descriptor_count = 0;
	restore(w, 2);
	EXPECT(w->done.version == 2); /* what nobody told it, it cannot know */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_second_restore_stands_behind_the_first, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    test_second_restore_takes_a_document_and_notes_of_both,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_second_restore_refuses_what_does_not_follow, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
