/* A file's life at the centre: custody from the log alone, how long it is kept,
 * what check finds (docs/EVIDENCE.md). */
#include <sodium.h>
#include <unistd.h>

#include "agent/core/evidence.h"
#include "defs/defs.h"
#include "server/evidence/retention.h"
#include "support/bureau.h"
#include "support/uploads.h"

#define CASE "（2026）苏0302执1号"

enum { STEPS_MAX = 32, LEN = 100000 };

struct world {
	struct bureau b;
	struct agent *a;
	struct uploads u;
	struct domain *dom;
	struct fold *fold;
	char rec[REC_LEN + 1];
	struct bytes f;
	uint8_t digest[HASH_LEN];
};

static void
follow(struct world *w)
{
	uint64_t done;

	bureau_sync(&w->b, 0);
	EXPECT_OK(evidence_follow(w->u.ev, 0, &done));
}

static void
attach(struct world *w, const char *rec, struct bytes f, const char *taken)
{
	struct agent_about about = { .name = "door.jpg", .taken = taken };
	struct agent_attach *t = NULL;
	uint8_t id[ID_LEN];

	EXPECT_OK(agent_attach_begin(w->a, rec, &t));
	EXPECT_OK(agent_attach_write(t, f));
	EXPECT_OK(agent_attach_end(t, &about, id));
}

static void
begin(struct world *w)
{
	struct fold_config fc = { .utc_offset_min = 480 };

	memset(w, 0, sizeof(*w));
	bureau_make(&w->b);
	w->a = bureau_join(&w->b, 0, "judge-1", "one");
	uploads_begin(&w->u, &w->b.ct, 1);
	EXPECT_OK(domain_builtin(&w->dom));
	fc.kinds = w->dom->kinds;
	fc.rules = w->dom->rules;
	fc.reader = w->b.reader;
	fc.feed = feed_inside(w->b.feed);
	EXPECT_OK(fold_new(&w->fold, &fc));
	w->f = uploads_bytes(1, LEN);
	sha256(w->digest, w->f);
	bureau_record(w->a, "search", "case_no", "[\"" CASE "\"]", w->rec);
	attach(w, w->rec, w->f, "2026-11-24T05:12:00+08:00");
	follow(w);
}

static void
end(struct world *w)
{
	fold_free(w->fold);
	domain_unref(w->dom);
	evidence_close(w->u.ev);
	uploads_free(w->f);
	bureau_end(&w->b);
}

struct steps {
	struct custody_step at[STEPS_MAX];
	size_t count;
	char reason[STEPS_MAX][64];
};

static enum status
take_step(void *arg, const struct custody_step *s)
{
	struct steps *k = arg;

	EXPECT(k->count < STEPS_MAX);
	(void)snprintf(k->reason[k->count], 64, "%.*s", (int)s->reason.len,
	    s->reason.len > 0 ? (const char *)s->reason.p : "");
	k->at[k->count++] = *s;
	return ST_OK;
}

static void
life(struct world *w, struct steps *k)
{
	follow(w);
	k->count = 0;
	EXPECT_OK(custody_each(w->u.ev, w->b.reader, w->digest, take_step, k));
}

/* "made sealed …" */
static void
expect_life(struct world *w, const char *want)
{
	char got[512] = "";
	struct steps k;

	life(w, &k);
	for (size_t i = 0; i < k.count; i++)
		(void)snprintf(got + strlen(got), sizeof(got) - strlen(got),
		    "%s%s", i == 0 ? "" : " ", custody_word(k.at[i].what));
	assert_string_equal(got, want);
}

static enum evidence_state
state_of(struct world *w)
{
	struct evidence_status s;

	EXPECT_OK(evidence_status(w->u.ev, w->digest, &s));
	return s.state;
}

static enum status
count_digest(void *arg, const uint8_t digest[HASH_LEN])
{
	(void)digest;
	(*(int *)arg)++;
	return ST_OK;
}

/* Catches a step that is missing, out of order, somebody else's, or noted more
 * or less often than it should be. */
static void
test_a_files_life_is_what_the_log_says(void **state)
{
	struct custody_named n;
	struct world w;
	struct steps k;
	int count = 0;
	char dev[DEV_LEN + 1];

	(void)state;
	begin(&w);
	expect_life(&w, "made sealed");
	EXPECT(state_of(&w) == EVIDENCE_NAMED);
	life(&w, &k);
	EXPECT(k.at[0].wall == UINT64_C(1795468320000)); /* as it says */
	EXPECT(strcmp(k.at[1].by, "judge-1") == 0);
	EXPECT(strcmp(k.at[1].rec, w.rec) == 0);
	memcpy(dev, k.at[1].dev, sizeof(dev));
	EXPECT(dev[0] != '\0');
	EXPECT_OK(custody_named(w.u.ev, w.b.reader, w.digest, &n));
	EXPECT(strcmp(n.name, "door.jpg") == 0);
	EXPECT_OK(custody_of_record(w.u.ev, w.rec, count_digest, &count));
	EXPECT(count == 1);
	/* Nobody can have seen what is not here. */
	EXPECT_ST(
	    custody_note(w.u.ev, w.digest, false, "x", "0-1", NULL), ST_ABSENT);
	EXPECT(uploads_bring(&w.u, dev, w.f, 60000).why == UPLOAD_OK);
	EXPECT(state_of(&w) == EVIDENCE_STORED);
	for (int i = 0; i < 3; i++)
		EXPECT_OK(custody_note(
		    w.u.ev, w.digest, false, "reader", "0-9", NULL));
	EXPECT_OK(custody_note(w.u.ev, w.digest, false, "other", "0-9", NULL));
	for (int i = 0; i < 2; i++)
		EXPECT_OK(custody_note(
		    w.u.ev, w.digest, true, "reader", "0-9", "to the court"));
	expect_life(&w, "made sealed received viewed viewed copied copied");
	life(&w, &k);
	EXPECT(strcmp(k.at[2].dev, dev) == 0);
	EXPECT(strcmp(k.at[3].by, "reader") == 0);
	EXPECT(strcmp(k.at[4].by, "other") == 0);
	EXPECT(strcmp(k.reason[6], "to the court") == 0);
	w.b.ct.clock.wall_shift_ms += 3600 * 1000 + 1;
	EXPECT_OK(custody_note(w.u.ev, w.digest, false, "other", "0-9", NULL));
	expect_life(
	    &w, "made sealed received viewed viewed copied copied viewed");
	/* A table that was lost is made anew, and knows the same. */
	evidence_close(w.u.ev);
	EXPECT(unlink(tmpdir_file(&w.b.ct.dir, "evidence.db")) == 0);
	uploads_open(&w.u);
	expect_life(
	    &w, "made sealed received viewed viewed copied copied viewed");
	EXPECT_OK(custody_note(w.u.ev, w.digest, false, "other", "0-9", NULL));
	expect_life(
	    &w, "made sealed received viewed viewed copied copied viewed");
	end(&w);
}

/* ---- how long */

struct judged {
	struct world *w;
	enum retention_why why;
	bool seen;
};

static enum status
take_judged(void *arg, const uint8_t digest[HASH_LEN], enum retention_why why,
    const char *case_no)
{
	struct judged *j = arg;

	(void)case_no;
	if (memcmp(digest, j->w->digest, HASH_LEN) == 0) {
		j->why = why;
		j->seen = true;
	}
	return ST_OK;
}

static enum retention_why
judge(struct world *w)
{
	struct judged j = { .w = w };

	follow(w);
	EXPECT_OK(retention_each(w->u.ev, w->fold, take_judged, &j));
	EXPECT(j.seen);
	return j.why;
}

/* Catches a file that goes while anything keeps it, and one that stays though
 * nothing does. */
static void
test_a_file_goes_when_nothing_keeps_it(void **state)
{
	struct evidence_copied n;
	uint64_t now, size;
	char rec[REC_LEN + 1], hold[REC_LEN + 1], other[REC_LEN + 1];
	struct world w;

	(void)state;
	begin(&w);
	now = port_wall_ms(&w.b.ct.clock.port);
	EXPECT(uploads_bring(&w.u, "x", w.f, LEN).why == UPLOAD_OK);
	EXPECT(judge(&w) == RETENTION_NO_DATE);
	EXPECT_OK(retention_keep(w.u.ev, CASE, now - 1000, "sup", rec));
	EXPECT(judge(&w) == RETENTION_MAY_GO);
	/* The latest date counts, whether it is later or earlier. */
	EXPECT_OK(retention_keep(w.u.ev, CASE, now + 86400000, "sup", rec));
	EXPECT(judge(&w) == RETENTION_NOT_YET);
	EXPECT_ST(
	    retention_purge(w.u.ev, w.fold, w.digest, "r", "sup"), ST_DENIED);
	EXPECT_OK(retention_keep(w.u.ev, CASE, now - 1000, "sup", rec));
	EXPECT_OK(retention_hold(w.u.ev, CASE, "suit", "sup", hold));
	EXPECT(judge(&w) == RETENTION_HELD);
	EXPECT_OK(retention_release(w.u.ev, hold, "over", "sup"));
	follow(&w);
	EXPECT_ST(retention_release(w.u.ev, hold, "again", "sup"), ST_CONFLICT);
	EXPECT_ST(retention_release(w.u.ev, w.rec, "none", "sup"), ST_ABSENT);
	EXPECT(judge(&w) == RETENTION_MAY_GO);
	/* A second record without a case names it too: it stays. */
	bureau_record(w.a, "search", "target", "[\"x\"]", other);
	attach(&w, other, w.f, NULL);
	EXPECT(judge(&w) == RETENTION_NO_CASE);
	end(&w);
	begin(&w);
	EXPECT(uploads_bring(&w.u, "x", w.f, LEN).why == UPLOAD_OK);
	EXPECT_OK(retention_keep(w.u.ev, CASE, now - 1000, "sup", rec));
	bureau_record(w.a, "objection", "case_no", "[\"" CASE "\"]", other);
	EXPECT(judge(&w) == RETENTION_OBJECTION);
	EXPECT_ST(
	    retention_purge(w.u.ev, w.fold, w.digest, "r", "sup"), ST_DENIED);
	EXPECT(uploads_is_stored(&w.u, w.f));
	end(&w);
	begin(&w);
	EXPECT(uploads_bring(&w.u, "x", w.f, LEN).why == UPLOAD_OK);
	EXPECT_OK(retention_keep(w.u.ev, CASE, now - 1000, "sup", rec));
	EXPECT(judge(&w) == RETENTION_MAY_GO);
	size = court_size(&w.b.ct);
	EXPECT_OK(
	    evidence_copy(w.u.ev, tmpdir_file(&w.b.ct.dir, "second"), &n));
	EXPECT(n.copied == 1 && n.left == 0 && n.missing == 0);
	EXPECT_OK(retention_purge(w.u.ev, w.fold, w.digest, "over", "sup"));
	EXPECT(court_size(&w.b.ct) > size && !uploads_is_stored(&w.u, w.f));
	EXPECT(state_of(&w) == EVIDENCE_PURGED);
	expect_life(&w, "made sealed received purged");
	/* The second copy has it still: said, and never brought back. */
	EXPECT_OK(
	    evidence_copy(w.u.ev, tmpdir_file(&w.b.ct.dir, "second"), &n));
	EXPECT(n.left == 1 && n.missing == 0);
	EXPECT_OK(
	    evidence_bring(w.u.ev, tmpdir_file(&w.b.ct.dir, "second"), &n));
	EXPECT(n.left == 1 && n.copied == 0);
	EXPECT(state_of(&w) == EVIDENCE_PURGED);
	end(&w);
}

/* ---- check */

struct faults {
	enum evidence_fault what[8];
	size_t count;
};

static void
take_fault(void *arg, enum evidence_fault what, const char *name)
{
	struct faults *f = arg;

	EXPECT(f->count < 8 && strncmp(name, "store/", 6) == 0);
	f->what[f->count++] = what;
}

static void
expect_fault(struct world *w, int what)
{
	struct evidence_checked n;
	struct faults f = { .count = 0 };

	follow(w);
	EXPECT_OK(evidence_check(w->u.ev, take_fault, &f, &n));
	if (what < 0)
		EXPECT(f.count == 0);
	else
		EXPECT(f.count == 1 && (int)f.what[0] == what);
}

/* Catches a fault that check does not see, takes for another, or mends. */
static void
test_check_says_what_is_wrong(void **state)
{
	char rec[REC_LEN + 1];
	struct world w;
	struct buf path;
	const char *file;

	(void)state;
	begin(&w);
	buf_init(&path, 4096);
	evidence_path(w.u.ev, w.digest, &path);
	file = buf_cstr(&path);
	expect_fault(&w, -1);
	EXPECT(uploads_bring(&w.u, "x", w.f, LEN).why == UPLOAD_OK);
	expect_fault(&w, -1);
	EXPECT_OK(port_write_file(
	    port_system(), file, bytes_of(w.f.p, LEN - 1), false));
	expect_fault(&w, EVIDENCE_DAMAGED);
	EXPECT(unlink(file) == 0);
	expect_fault(&w, EVIDENCE_GONE);
	EXPECT(state_of(&w) == EVIDENCE_MISSING);
	EXPECT_OK(port_write_file(port_system(), file, w.f, false));
	expect_fault(&w, -1);
	EXPECT_OK(retention_keep(w.u.ev, CASE, 1, "sup", rec));
	follow(&w);
	EXPECT_OK(retention_purge(w.u.ev, w.fold, w.digest, "over", "sup"));
	expect_fault(&w, -1);
	EXPECT_OK(port_write_file(port_system(), file, w.f, false));
	expect_fault(&w, EVIDENCE_LEFT);
	EXPECT(unlink(file) == 0);
	path.len -= 3;
	file = buf_cstr(&path);
	EXPECT_OK(port_write_file(port_system(), file, w.f, false));
	expect_fault(&w, EVIDENCE_STRANGER);
	EXPECT(unlink(file) == 0);
	{
		struct bytes g = uploads_bytes(2, 10);

		EXPECT(uploads_bring(&w.u, "x", g, LEN).why == UPLOAD_OK);
		expect_fault(&w, EVIDENCE_ORPHAN);
		uploads_free(g);
	}
	buf_free(&path);
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_files_life_is_what_the_log_says),
		cmocka_unit_test(test_a_file_goes_when_nothing_keeps_it),
		cmocka_unit_test(test_check_says_what_is_wrong),
	};

	EXPECT(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
