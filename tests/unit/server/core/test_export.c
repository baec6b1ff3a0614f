/* What a court exports through its own programs' code, a stranger proves. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "server/core/export.h"
#include "server/roster/batch.h"
#include "support/court.h"
#include "tlog/proof.h"
#include "verify/bundle.h"
#include "verify/verify.h"

/* Two handhelds that were enrolled write in the same three records. */
struct world {
	struct court ct;
	struct handheld a, b;
	char device[2][REC_LEN + 1];
	struct buf file, note;
	struct verify_report r;
	struct verify_given given;
	struct verify_anchor anchor;
	struct export_why why;
	struct export_done done;
	uint64_t place;
};

static void
enrol(struct world *w, const struct handheld *h, char rec[REC_LEN + 1])
{
	struct batch b;
	struct batch_entry *x;

	centre_new_rec(w->ct.c, rec);
	batch_init(&b);
	x = batch_add(&b, rec, "device@1", DO_OPEN, "admin");
	batch_text(x, "dev", h->dev);
	batch_hex(x, "key", bytes_of(h->key, PUBKEY_LEN));
	batch_text(x, "person", "7001");
	EXPECT_OK(batch_commit(&b, w->ct.c, NULL, NULL));
	batch_free(&b);
}

static void
revoke(struct world *w, const char *rec)
{
	struct batch b;
	struct batch_entry *x;

	batch_init(&b);
	x = batch_add(&b, rec, "device@1", DO_ADVANCE, "admin");
	batch_name(x, "lost");
	batch_reason(x, "lost in the field");
	EXPECT_OK(batch_commit(&b, w->ct.c, NULL, NULL));
	batch_free(&b);
}

static void
world_make(struct world *w)
{
	memset(w, 0, sizeof(*w));
	court_make(&w->ct);
	court_handheld(&w->ct, &w->a, 1);
	court_handheld(&w->ct, &w->b, 2);
	memcpy(w->b.rec, w->a.rec, sizeof(w->a.rec));
	enrol(w, &w->a, w->device[0]);
	enrol(w, &w->b, w->device[1]);
	buf_init(&w->file, BUNDLE_BYTES_MAX);
	buf_init(&w->note, NOTE_BYTES_MAX);
	w->given.key = *centre_log_key(w->ct.c);
	verify_report_init(&w->r);
}

static void
world_free(struct world *w)
{
	verify_report_free(&w->r);
	buf_free(&w->file);
	buf_free(&w->note);
	handheld_free(&w->a);
	handheld_free(&w->b);
	court_end(&w->ct);
}

static void
send_new(struct world *w, struct handheld *h, size_t count)
{
	uint64_t first = h->count + 1;

	handheld_write(h, count);
	(void)court_send(&w->ct, h, first, h->count);
}

static void
export_with(struct world *w, const struct export_withheld *withheld, size_t n)
{
	struct export_what what = { .rec = w->a.rec[0],
		.by = "7001",
		.withheld = withheld,
		.withheld_count = n };

	EXPECT_OK(export_manifest(w->ct.c, &what, &w->place, &w->why));
	buf_reset(&w->file);
	EXPECT_OK(export_bundle(
	    w->ct.c, w->place, NULL, 0, &w->file, &w->done, &w->why));
}

static void
audit(struct world *w)
{
	char errmsg[VERIFY_ERRMSG_LEN];

	verify_report_free(&w->r);
	verify_report_init(&w->r);
	EXPECT_OK(verify_bundle(&w->r, buf_view(&w->file), &w->given, errmsg));
	for (size_t i = 0; i < w->r.finding_count; i++)
		print_message("%s at %" PRIu64 ": %s %s\n",
		    verify_word(w->r.finding[i].what), w->r.finding[i].place,
		    w->r.finding[i].en, w->r.finding[i].data);
	EXPECT(w->r.damage == 0);
}

/* The court's own store says so too: its manifests are counted again. */
static void
audit_store(struct world *w)
{
	char path[4096], errmsg[VERIFY_ERRMSG_LEN];
	struct verify_report r;

	verify_report_init(&r);
	(void)snprintf(path, sizeof(path), "%s/store.db", w->ct.dir.path);
	EXPECT_OK(verify_store(&r, path, &w->given, errmsg));
	for (size_t i = 0; i < r.finding_count; i++)
		print_message("store: %s at %" PRIu64 ": %s\n",
		    verify_word(r.finding[i].what), r.finding[i].place,
		    r.finding[i].en);
	EXPECT(r.damage == 0 && r.manifests >= 1);
	verify_report_free(&r);
}

static size_t
count_of(const struct handheld *h, const char *rec)
{
	size_t n = 0;

	for (size_t i = 0; i < h->count; i++) {
		struct entry e;

		entry_init(&e);
		if (entry_parse(&e, h->entry[i].raw) == ST_OK)
			n += bytes_eq_str(e.rec, rec);
		entry_free(&e);
	}
	return n;
}

/* ---- */

/* Catches an export that leaves something out, or that only the court's own
 * code can read. */
static void
a_record_of_two_devices_is_proved_by_an_anchor(void **state)
{
	struct world w;
	uint64_t size;

	(void)state;
	world_make(&w);
	for (size_t i = 0; i < 4; i++) {
		send_new(&w, &w.a, 7);
		send_new(&w, &w.b, 5);
	}
	export_with(&w, NULL, 0);
	audit(&w);
	EXPECT(w.r.count ==
	       count_of(&w.a, w.a.rec[0]) + count_of(&w.b, w.a.rec[0]));
	EXPECT(w.r.devices == 2 && w.r.size == court_size(&w.ct));
	EXPECT(verify_verdict_of(&w.r) == VERIFY_NOT_ANCHORED);
	audit_store(&w);
	/* Somebody gets a checkpoint after it, and asks once more. */
	send_new(&w, &w.a, 2);
	EXPECT_OK(centre_checkpoint(w.ct.c, &w.note, NULL));
	size = court_size(&w.ct);
	send_new(&w, &w.b, 2);
	w.anchor.name = "note";
	w.anchor.file = buf_view(&w.note);
	w.given.anchor = &w.anchor;
	w.given.anchor_count = 1;
	buf_reset(&w.file);
	EXPECT_OK(
	    export_bundle(w.ct.c, w.place, &size, 1, &w.file, &w.done, &w.why));
	audit(&w);
	EXPECT(w.r.proved == size);
	EXPECT(verify_verdict_of(&w.r) == VERIFY_PROVED);
	/* Not of a tree that this log never had. */
	size = court_size(&w.ct) + 1;
	EXPECT_ST(
	    export_bundle(w.ct.c, w.place, &size, 1, &w.file, &w.done, &w.why),
	    ST_INVALID);
	world_free(&w);
}

static void
withheld_bodies_are_named_with_reasons_and_others_refused(void **state)
{
	struct export_withheld x[2] = { { .reason = "住址" } };
	struct export_what what = { .withheld = x, .withheld_count = 1 };
	struct world w;
	uint64_t before;

	(void)state;
	world_make(&w);
	send_new(&w, &w.a, 9);
	what.rec = w.a.rec[0];
	memcpy(x[0].id, w.a.head[0], ID_LEN);
	export_with(&w, x, 1);
	EXPECT(w.done.withheld == 1);
	audit(&w);
	EXPECT(w.r.withheld == 1 && w.r.notes == 1);
	EXPECT(strstr(w.r.state, "{\"withheld\":\"") != NULL);
	assert_string_equal(w.r.finding[0].data, "住址");
	audit_store(&w);
	/* Each of these is refused before anything is logged. */
	before = court_size(&w.ct);
	x[0].reason = "";
	EXPECT_ST(export_manifest(w.ct.c, &what, &w.place, &w.why), ST_INVALID);
	x[0].reason = "r";
	x[1] = x[0];
	what.withheld_count = 2;
	EXPECT_ST(export_manifest(w.ct.c, &what, &w.place, &w.why), ST_INVALID);
	what.withheld_count = 1;
	x[0].id[0] ^= 1;
	EXPECT_ST(export_manifest(w.ct.c, &what, &w.place, &w.why), ST_ABSENT);
	what.withheld_count = 0;
	what.rec = "0195f1a0-0000-7000-8000-000000000000";
	EXPECT_ST(export_manifest(w.ct.c, &what, &w.place, &w.why), ST_ABSENT);
	what.rec = "nonsense";
	EXPECT_ST(export_manifest(w.ct.c, &what, &w.place, &w.why), ST_INVALID);
	EXPECT(court_size(&w.ct) == before);
	EXPECT_ST(export_bundle(w.ct.c, 2, NULL, 0, &w.file, &w.done, &w.why),
	    ST_ABSENT);
	world_free(&w);
}

/* Malformed at its place, without a body, lost, behind a hole: each is there
 * as what it is, and all else is proved around it. */
static void
entries_that_are_not_whole_are_there_as_what_they_are(void **state)
{
	struct wire_piece *p;
	struct ingest_device dev;
	struct world w;
	struct buf raw;
	(void)state;
	world_make(&w);
	send_new(&w, &w.a, 6);
	/* An entry that states another court. */
	buf_init(&raw, ENTRY_BYTES_MAX);
	handheld_write(&w.a, 1);
	buf_bytes(&raw, w.a.entry[w.a.count - 1].raw);
	handheld_cut(&w.a, w.a.count - 1);
	{
		uint8_t *at = memmem(raw.p, raw.len, "xz0302", 6);
		uint8_t *rec = memmem(raw.p, raw.len, "\"rec\":\"", 7);

		EXPECT(at != NULL && rec != NULL);
		at[0] = 'y';
		memcpy(rec + 7, w.a.rec[0], REC_LEN);
	}
	handheld_write_raw(&w.a, buf_view(&raw));
	(void)court_send(&w.ct, &w.a, w.a.count, w.a.count);
	/* Heads alone, and a lost one among them. */
	handheld_write(&w.a, 9);
	for (size_t i = w.a.count - 9; i < w.a.count; i++)
		w.a.entry[i].form = i % 3 == 0 ? WIRE_HEAD : WIRE_WHOLE;
	w.a.entry[w.a.count - 2].form = WIRE_LOST;
	EXPECT(
	    memmem(w.a.entry[w.a.count - 2].raw.p,
		w.a.entry[w.a.count - 2].raw.len, w.a.rec[0], REC_LEN) != NULL);
	(void)court_send(&w.ct, &w.a, w.a.count - 8, w.a.count);
	/* And a hole. */
	handheld_write(&w.a, 6);
	dev = court_device(&w.a);
	p = hand_piece(&w.ct.rq, &w.a, w.a.count - 2, w.a.count);
	p->hole = p->has_base = true;
	EXPECT_OK(court_send_as(&w.ct, &dev));
	export_with(&w, NULL, 0);
	EXPECT(w.done.bare == 1);
	audit(&w);
	EXPECT(w.r.malformed == 1 && w.r.blind == w.done.lacking);
	audit_store(&w);
	/* The lost one turns up.  What was said of the record before was true
	 * then: the log says what came later, so the old manifest still stands
	 * in an audit of the store, and its file can be written once more. */
	for (size_t i = 0; i < w.a.count; i++)
		w.a.entry[i].form = WIRE_WHOLE;
	(void)court_send(&w.ct, &w.a, 8, 16);
	audit_store(&w);
	buf_reset(&w.file);
	EXPECT_OK(
	    export_bundle(w.ct.c, w.place, NULL, 0, &w.file, &w.done, &w.why));
	audit(&w);
	export_with(&w, NULL, 0);
	audit(&w);
	buf_free(&raw);
	world_free(&w);
}

static void
a_held_branch_and_a_revoked_device_are_told(void **state)
{
	struct handheld thief;
	struct world w;

	(void)state;
	world_make(&w);
	send_new(&w, &w.a, 6);
	handheld_copy(&thief, &w.a);
	send_new(&w, &w.a, 6);
	send_new(&w, &thief, 6); /* a second branch: held */
	send_new(&w, &w.b, 6);
	export_with(&w, NULL, 0);
	EXPECT(w.done.held > 0);
	audit(&w);
	EXPECT(w.r.held == w.done.held && w.r.forks >= 1);
	audit_store(&w);
	/* Revoked later: what came before stays as it is. */
	revoke(&w, w.device[1]);
	export_with(&w, NULL, 0);
	audit(&w);
	audit_store(&w);
	handheld_free(&thief);
	world_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_record_of_two_devices_is_proved_by_an_anchor),
		cmocka_unit_test(
		    withheld_bodies_are_named_with_reasons_and_others_refused),
		cmocka_unit_test(
		    entries_that_are_not_whole_are_there_as_what_they_are),
		cmocka_unit_test(a_held_branch_and_a_revoked_device_are_told),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
