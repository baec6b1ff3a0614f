/* Uploads at the centre, without a network: real folders, real SQLite, real
 * threads (docs/EVIDENCE.md, "At the centre"). */
#include <dirent.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/enc.h"
#include "support/uploads.h"

enum { HANDS = 4 };

static const char dev1[] = "abcdefghijklmnopqrstuvwxya";
static const char dev2[] = "bbcdefghijklmnopqrstuvwxya";

struct world {
	struct court ct;
	struct uploads u;
	struct upload_trial t;
};

static void
begin(struct world *w, unsigned threads)
{
	court_make(&w->ct);
	/* As in the daemon: several threads have receipts logged. */
	EXPECT_OK(committer_start(centre_committer(w->ct.c)));
	uploads_begin(&w->u, &w->ct, threads);
	upload_trial_init(&w->t);
}

static void
end(struct world *w)
{
	upload_trial_end(&w->t);
	evidence_close(w->u.ev);
	court_end(&w->ct);
}

static size_t
count_in(const struct world *w, const char *folder)
{
	char path[TMPDIR_MAX + 64];
	size_t count = 0;
	struct dirent *d;
	DIR *dir;

	(void)snprintf(
	    path, sizeof(path), "%s/evidence/%s", w->ct.dir.path, folder);
	dir = opendir(path);
	EXPECT(dir != NULL);
	while ((d = readdir(dir)) != NULL)
		count += d->d_name[0] != '.';
	(void)closedir(dir);
	return count;
}

static enum upload_why
ask(struct world *w, const struct upload_ask *a, struct bytes body)
{
	uploads_ask(&w->u, &w->t, a, body);
	return w->t.info.why;
}

static struct upload_ask
write_at(const struct world *w, const char *dev, uint64_t offset, size_t len)
{
	struct upload_ask a = uploads_at(dev, &w->t.info, UPLOAD_WRITE);

	a.offset = offset;
	a.has_body = true;
	a.body_len = len;
	return a;
}

/* Catches bytes that are lost, doubled or out of order at the edges of pieces
 * and buffers, and receipts that are missing or given twice. */
static void
test_files_of_any_size_arrive_whole(void **state)
{
	static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 131072,
		200001 };
	struct world w;
	uint64_t before;

	(void)state;
	begin(&w, 2);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct bytes f = uploads_bytes(i + 1, sizes[i]);

		EXPECT(!uploads_is_stored(&w.u, f));
		before = court_size(&w.ct);
		EXPECT(uploads_bring(&w.u, dev1, f, 70000).why == UPLOAD_OK);
		EXPECT(uploads_is_stored(&w.u, f));
		/* Its receipt, and the commit's own entry. */
		EXPECT(court_size(&w.ct) == before + 2);
		EXPECT(uploads_bring(&w.u, dev1, f, 70000).why == UPLOAD_OK);
		EXPECT(court_size(&w.ct) == before + 2);
		/* Another that brings the same has one of its own. */
		EXPECT(uploads_bring(&w.u, dev2, f, 70000).why == UPLOAD_OK);
		EXPECT(court_size(&w.ct) == before + 4);
		uploads_free(f);
	}
	EXPECT(count_in(&w, "part") == 0);
	uploads_check(&w.u, sizeof(sizes) / sizeof(sizes[0]));
	end(&w);
}

/* Catches an offset that is more than what is on the disk, or less than what
 * was said before, after a restart and after bytes went missing. */
static void
test_an_offset_is_what_is_on_the_disk(void **state)
{
	struct bytes f = uploads_bytes(3, 300000);
	struct upload_ask a = uploads_create(dev1, f, "sha256 x,k dg==");
	char path[TMPDIR_MAX + 64], hex[2 * UPLOAD_ID_LEN + 1];
	struct world w;

	(void)state;
	begin(&w, 1);
	EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_OK);
	EXPECT(w.t.info.offset == 0 && w.t.info.expires_ms > 0);
	a = write_at(&w, dev1, 0, 150000);
	EXPECT(ask(&w, &a, bytes_of(f.p, 150000)) == UPLOAD_OK);
	EXPECT(w.t.info.offset == 150000);
	uploads_restart(&w.u);
	a = uploads_at(dev1, &w.t.info, UPLOAD_LOOK);
	EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_OK);
	EXPECT(w.t.info.offset == 150000 && w.t.info.length == 300000);
	EXPECT(strcmp(w.t.info.meta, "sha256 x,k dg==") == 0);
	/* The disk lost some of it, or has more than was ever acknowledged. */
	hex_encode(hex, bytes_of(w.t.info.id, UPLOAD_ID_LEN));
	(void)snprintf(
	    path, sizeof(path), "%s/evidence/part/%s", w.ct.dir.path, hex);
	for (int i = 0; i < 2; i++) {
		evidence_close(w.u.ev);
		EXPECT(truncate(path, i == 0 ? 100001 : 250000) == 0);
		uploads_open(&w.u);
		a = uploads_at(dev1, &w.t.info, UPLOAD_LOOK);
		EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_OK);
		EXPECT(w.t.info.offset == 100001);
	}
	a = write_at(&w, dev1, 100001, 199999);
	EXPECT(ask(&w, &a, bytes_of(f.p + 100001, 199999)) == UPLOAD_OK);
	EXPECT(uploads_is_stored(&w.u, f));
	uploads_free(f);
	end(&w);
}

/* Catches what is refused and leaves something all the same. */
static void
test_what_is_refused_changes_nothing(void **state)
{
	struct bytes f = uploads_bytes(4, 100000);
	struct upload_ask a = uploads_create(dev1, f, "sha256 x");
	struct upload_info here;
	struct world w;

	(void)state;
	begin(&w, 1);
	w.u.cfg.limits.max_bytes = 100000;
	w.u.cfg.limits.quota = 150000;
	uploads_restart(&w.u);
	a.length = 100001;
	EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_TOO_BIG);
	a.length = 100000;
	EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_OK);
	here = w.t.info;
	a = write_at(&w, dev1, 1, 10);
	EXPECT(ask(&w, &a, bytes_of(f.p, 10)) == UPLOAD_OFFSET);
	w.t.info = here;
	a = write_at(&w, dev1, 0, 100001);
	EXPECT(ask(&w, &a, bytes_of(f.p, 10)) == UPLOAD_TOO_BIG);
	w.t.info = here;
	/* More than was announced, without a length. */
	a = write_at(&w, dev1, 0, 10);
	a.body_len = UINT64_MAX;
	{
		struct bytes more = uploads_bytes(4, 100010);

		EXPECT(ask(&w, &a, more) == UPLOAD_TOO_BIG);
		uploads_free(more);
	}
	w.t.info = here;
	a = write_at(&w, dev2, 0, 10);
	EXPECT(ask(&w, &a, bytes_of(f.p, 10)) == UPLOAD_ABSENT);
	w.t.info = here;
	a = write_at(&w, dev1, 0, 10);
	a.id[3] ^= 1;
	EXPECT(ask(&w, &a, bytes_of(f.p, 10)) == UPLOAD_ABSENT);
	/* What was announced is whole, and is what it was named for. */
	w.t.info = here;
	a = uploads_at(dev1, &w.t.info, UPLOAD_LOOK);
	EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_OK);
	EXPECT(w.t.info.offset == 100000 && uploads_is_stored(&w.u, f));
	uploads_free(f);
	end(&w);
}

/* Catches bytes that stay though their sum did not hold, also those that were
 * made durable on the way. */
static void
test_a_sum_that_does_not_hold_takes_all_back(void **state)
{
	struct bytes f = uploads_bytes(10, 300000);
	struct upload_ask a = uploads_create(dev1, f, "sha256 x");
	struct world w;

	(void)state;
	begin(&w, 1);
	EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_OK);
	a = write_at(&w, dev1, 0, 70000);
	EXPECT(ask(&w, &a, bytes_of(f.p, 70000)) == UPLOAD_OK);
	for (int i = 0; i < 2; i++) {
		a = write_at(&w, dev1, 70000, 200000);
		a.sum = i == 0 ? UPLOAD_SUM_SHA1 : UPLOAD_SUM_SHA256;
		EXPECT(ask(&w, &a, bytes_of(f.p + 70000, 200000)) ==
		       UPLOAD_CHECKSUM);
		if (i == 1)
			uploads_restart(&w.u);
		a = uploads_at(dev1, &w.t.info, UPLOAD_LOOK);
		EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_OK);
		EXPECT(w.t.info.offset == 70000);
	}
	a = write_at(&w, dev1, 70000, 230000);
	a.sum = UPLOAD_SUM_SHA256;
	sha256(a.sum_value, bytes_of(f.p + 70000, 230000));
	EXPECT(ask(&w, &a, bytes_of(f.p + 70000, 230000)) == UPLOAD_OK);
	EXPECT(uploads_is_stored(&w.u, f));
	uploads_free(f);
	end(&w);
}

/* Catches other bytes that get into the store, or are thrown away. */
static void
test_other_bytes_are_kept_apart(void **state)
{
	struct bytes f = uploads_bytes(6, 5000), other = uploads_bytes(7, 5000);
	struct upload_ask a = uploads_create(dev1, f, "sha256 x");
	struct evidence_status s;
	struct world w;
	uint64_t done;

	(void)state;
	begin(&w, 1);
	a.has_body = true;
	a.body_len = other.len;
	EXPECT(ask(&w, &a, other) == UPLOAD_DIGEST);
	EXPECT(!uploads_is_stored(&w.u, f) && !uploads_is_stored(&w.u, other));
	EXPECT(count_in(&w, "apart") == 1 && count_in(&w, "part") == 0);
	EXPECT_OK(evidence_follow(w.u.ev, 0, &done));
	EXPECT_OK(evidence_status(w.u.ev, a.digest, &s));
	EXPECT(s.state == EVIDENCE_MISMATCHED);
	/* Told again to who lost the answer; then it is created anew. */
	a = uploads_at(dev1, &w.t.info, UPLOAD_LOOK);
	EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_DIGEST);
	EXPECT(uploads_bring(&w.u, dev1, f, 5000).why == UPLOAD_OK);
	EXPECT(uploads_is_stored(&w.u, f));
	EXPECT(count_in(&w, "apart") == 1);
	uploads_free(f);
	uploads_free(other);
	end(&w);
}

/* Catches uploads that never end, and ended ones that come back to life. */
static void
test_uploads_end_by_time_and_by_their_device(void **state)
{
	struct bytes f = uploads_bytes(8, 90000);
	struct upload_ask a = uploads_create(dev1, f, "sha256 x");
	struct upload_info here;
	struct world w;

	(void)state;
	begin(&w, 1);
	EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_OK);
	a = write_at(&w, dev1, 0, 100);
	EXPECT(ask(&w, &a, bytes_of(f.p, 100)) == UPLOAD_OK);
	here = w.t.info;
	w.ct.clock.wall_shift_ms += (int64_t)w.u.cfg.limits.expire_ms + 60000;
	a = uploads_at(dev1, &here, UPLOAD_LOOK);
	EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_EXPIRED);
	EXPECT(count_in(&w, "part") == 1);
	EXPECT_OK(evidence_sweep(w.u.ev));
	EXPECT(count_in(&w, "part") == 0);
	EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_EXPIRED);
	/* A month later nobody knows of it any more. */
	w.ct.clock.wall_shift_ms += (int64_t)31 * 86400 * 1000;
	EXPECT_OK(evidence_sweep(w.u.ev));
	EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_ABSENT);
	/* Unfinished ones go at once; of whole ones the address alone. */
	a = uploads_create(dev1, f, "sha256 x");
	EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_OK);
	a = uploads_at(dev1, &w.t.info, UPLOAD_REMOVE);
	EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_OK);
	EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_ABSENT);
	here = uploads_bring(&w.u, dev1, f, 40000);
	EXPECT(here.why == UPLOAD_OK);
	a = uploads_at(dev1, &here, UPLOAD_REMOVE);
	EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_OK);
	a = uploads_at(dev1, &here, UPLOAD_LOOK);
	EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_ENDED);
	EXPECT(uploads_is_stored(&w.u, f));
	uploads_free(f);
	end(&w);
}

/* Catches parts that nobody goes on with, and those of others swept along. */
static void
test_parts_without_a_row_are_swept_at_the_start(void **state)
{
	struct bytes f = uploads_bytes(9, 90000);
	struct upload_ask a = uploads_create(dev1, f, "sha256 x");
	char path[TMPDIR_MAX + 80];
	struct world w;

	(void)state;
	begin(&w, 1);
	EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_OK);
	a = write_at(&w, dev1, 0, 100);
	EXPECT(ask(&w, &a, bytes_of(f.p, 100)) == UPLOAD_OK);
	(void)snprintf(path, sizeof(path),
	    "%s/evidence/part/00112233445566778899aabbccddeeff", w.ct.dir.path);
	EXPECT_OK(port_write_file(
	    port_system(), path, bytes_str("left over"), false));
	uploads_restart(&w.u);
	EXPECT(count_in(&w, "part") == 1);
	a = uploads_at(dev1, &w.t.info, UPLOAD_LOOK);
	EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_OK);
	EXPECT(w.t.info.offset == 100);
	uploads_free(f);
	end(&w);
}

/* ---- several at once */

struct bringer {
	pthread_t thread;
	struct world *w;
	const char *dev;
	struct bytes file;
	struct upload_info info;
};

static void *
bring(void *arg)
{
	struct bringer *b = arg;

	b->info = uploads_bring(&b->w->u, b->dev, b->file, 33000);
	return NULL;
}

/* Catches races between requests, the disk's threads and the follower: two
 * devices with the same bytes, others with their own, somebody who looks. */
static void
test_several_bring_files_at_once(void **state)
{
	struct bytes same = uploads_bytes(20, 400000);
	struct bytes own = uploads_bytes(21, 300000);
	struct bytes third = uploads_bytes(22, 250001);
	struct world w;
	struct bringer b[HANDS] = {
		{ .w = &w, .dev = dev1, .file = same },
		{ .w = &w, .dev = dev2, .file = same },
		{ .w = &w, .dev = dev1, .file = own },
		{ .w = &w, .dev = dev2, .file = third },
	};
	struct evidence_counters n;
	struct evidence_status s;
	uint8_t digest[HASH_LEN];
	uint64_t done;

	(void)state;
	begin(&w, 3);
	sha256(digest, same);
	for (int i = 0; i < HANDS; i++)
		EXPECT(pthread_create(&b[i].thread, NULL, bring, &b[i]) == 0);
	do {
		EXPECT_OK(evidence_follow(w.u.ev, 0, &done));
		EXPECT_OK(evidence_sweep(w.u.ev));
		EXPECT_OK(evidence_status(w.u.ev, digest, &s));
		evidence_counters(w.u.ev, &n);
	} while (n.stored + n.repeated < HANDS);
	for (int i = 0; i < HANDS; i++) {
		EXPECT(pthread_join(b[i].thread, NULL) == 0);
		EXPECT(b[i].info.why == UPLOAD_OK);
		EXPECT(b[i].info.offset == b[i].file.len);
	}
	uploads_check(&w.u, 3);
	EXPECT(count_in(&w, "part") == 0);
	uploads_free(same);
	uploads_free(own);
	uploads_free(third);
	end(&w);
}

/* Catches a newer request that does not find what the older one brought, and
 * an older one that goes on behind its back. */
static void
test_a_newer_request_takes_over(void **state)
{
	struct bytes f = uploads_bytes(30, 200000);
	struct upload_ask a = uploads_create(dev1, f, "sha256 x");
	struct upload_trial old;
	struct upload_run *run;
	struct world w;

	(void)state;
	begin(&w, 2);
	upload_trial_init(&old);
	EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_OK);
	a = write_at(&w, dev1, 0, f.len);
	run = uploads_begin_run(&w.u, &old, &a);
	EXPECT(run != NULL);
	EXPECT(uploads_put(run, &old, bytes_of(f.p, 100000)));
	a = uploads_at(dev1, &w.t.info, UPLOAD_LOOK);
	EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_OK);
	EXPECT(w.t.info.offset == 100000);
	EXPECT(!uploads_put(run, &old, bytes_of(f.p + 100000, 1000)));
	EXPECT(old.info.why == UPLOAD_OFFSET);
	a = write_at(&w, dev1, 100000, 100000);
	EXPECT(ask(&w, &a, bytes_of(f.p + 100000, 100000)) == UPLOAD_OK);
	EXPECT(uploads_is_stored(&w.u, f));
	/* Dropped in the middle: what came stays. */
	uploads_free(f);
	f = uploads_bytes(31, 200000);
	a = uploads_create(dev1, f, "sha256 x");
	EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_OK);
	a = write_at(&w, dev1, 0, f.len);
	run = uploads_begin_run(&w.u, &old, &a);
	EXPECT(run != NULL && uploads_put(run, &old, bytes_of(f.p, 90000)));
	upload_drop(run);
	uploads_restart(&w.u);
	a = uploads_at(dev1, &w.t.info, UPLOAD_LOOK);
	EXPECT(ask(&w, &a, bytes_of(NULL, 0)) == UPLOAD_OK);
	EXPECT(w.t.info.offset == 90000);
	upload_trial_end(&old);
	uploads_free(f);
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_of_any_size_arrive_whole),
		cmocka_unit_test(test_an_offset_is_what_is_on_the_disk),
		cmocka_unit_test(test_what_is_refused_changes_nothing),
		cmocka_unit_test(test_a_sum_that_does_not_hold_takes_all_back),
		cmocka_unit_test(test_other_bytes_are_kept_apart),
		cmocka_unit_test(test_uploads_end_by_time_and_by_their_device),
		cmocka_unit_test(
		    test_parts_without_a_row_are_swept_at_the_start),
		cmocka_unit_test(test_several_bring_files_at_once),
		cmocka_unit_test(test_a_newer_request_takes_over),
	};

	EXPECT(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
