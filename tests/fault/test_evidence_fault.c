/*
 * The centre's room of files where memory, disk or its own table fail at any
 * place in turn: an upload is refused in words or goes through; what was said
 * to be there is there; the store never holds a file that is not whole; and
 * the same file arrives once all is well.
 */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/enc.h"
#include "support/fault_alloc.h"
#include "support/fault_file.h"
#include "support/fault_vfs.h"
#include "support/uploads.h"

/* A file of more than two buffers, in two requests. */
enum { LEN = 150000, PIECE = 100000 };

static const char dev[] = "abcdefghijklmnopqrstuvwxya";

struct world {
	struct court ct;
	struct uploads u;
	struct fault_disk *disk; /* of evidence.db */
	uint64_t files;
};

static void
begin(struct world *w)
{
	memset(w, 0, sizeof(*w));
	court_make(&w->ct);
	w->disk = fault_disk_new();
	uploads_begin(&w->u, &w->ct, 0);
	evidence_close(w->u.ev);
	/* One thread: what fails at the n-th place fails there each time. */
	w->u.cfg.threads = 1;
	w->u.cfg.vfs = fault_disk_name(w->disk);
	uploads_open(&w->u);
}

static void
end(struct world *w)
{
	evidence_close(w->u.ev);
	fault_disk_free(w->disk);
	court_end(&w->ct);
}

/* Bytes of a part on the disk. */
static uint64_t
on_disk(const struct world *w, const uint8_t *id)
{
	char path[TMPDIR_MAX + 64], hex[2 * UPLOAD_ID_LEN + 1];
	struct stat sb;

	hex_encode(hex, bytes_of(id, UPLOAD_ID_LEN));
	(void)snprintf(
	    path, sizeof(path), "%s/evidence/part/%s", w->ct.dir.path, hex);
	return stat(path, &sb) == 0 ? (uint64_t)sb.st_size : 0;
}

/* What a failure may be called. */
static void
in_words(const struct upload_info *info, size_t n)
{
	bool good = info->why == UPLOAD_FULL ||
		    (info->why == UPLOAD_FAILED &&
			(info->st == ST_NOMEM || info->st == ST_IO ||
			    info->st == ST_FULL || info->st == ST_AGAIN ||
			    info->st == ST_ABSENT || info->st == ST_CORRUPT));

	if (!good)
		fail_msg("failure %zu is told as %d, %s", n, (int)info->why,
		    status_name(info->st));
}

/* After a failure that came to `was`: all is well again, and nothing that was
 * said is untrue, with the room as it is or after a restart. */
static void
recovers(struct world *w, struct bytes f, const struct upload_info *was,
    bool restart, size_t n)
{
	struct upload_ask a = uploads_create(dev, f, "sha256 x");
	struct upload_trial t;
	uint64_t before;
	uint64_t said = was->why == UPLOAD_OK ? was->offset : 0;

	if (restart)
		uploads_restart(&w->u);
	upload_trial_init(&t);
	uploads_ask(&w->u, &t, &a, bytes_of(NULL, 0));
	if (t.info.why != UPLOAD_OK)
		fail_msg("after failure %zu it cannot be created: %d %s", n,
		    (int)t.info.why, status_name(t.info.st));
	EXPECT(t.info.offset >= said);
	EXPECT(
	    t.info.offset == f.len || on_disk(w, t.info.id) >= t.info.offset);
	upload_trial_end(&t);
	EXPECT(uploads_bring(&w->u, dev, f, PIECE).why == UPLOAD_OK);
	EXPECT(uploads_is_stored(&w->u, f));
	/* Its receipt is there, and once only. */
	before = court_size(&w->ct);
	EXPECT(uploads_bring(&w->u, dev, f, PIECE).why == UPLOAD_OK);
	EXPECT(court_size(&w->ct) == before);
	uploads_check(&w->u, ++w->files);
}

/* Half of it comes before anything fails, and a restart lies between: its hash
 * is made anew from the disk. */
static void
bring_half(struct world *w, struct bytes f)
{
	struct upload_ask a = uploads_create(dev, f, "sha256 x");
	struct upload_trial t;

	upload_trial_init(&t);
	uploads_ask(&w->u, &t, &a, bytes_of(NULL, 0));
	a = uploads_at(dev, &t.info, UPLOAD_WRITE);
	a.has_body = true;
	a.body_len = LEN / 2;
	uploads_ask(&w->u, &t, &a, bytes_of(f.p, LEN / 2));
	EXPECT(t.info.why == UPLOAD_OK && t.info.offset == LEN / 2);
	upload_trial_end(&t);
	uploads_restart(&w->u);
}

/* The upload with the n-th failing; true as long as there is an n-th. */
typedef bool trial_fn(
    struct world *w, struct bytes f, size_t n, struct upload_info *out);

static void
each(trial_fn *trial, size_t least, bool resumed)
{
	struct world w;
	bool hit = true;
	size_t n = 0;

	begin(&w);
	while (hit) {
		struct bytes f = uploads_bytes(100 + ++n, LEN);
		struct upload_info info;

		EXPECT(n < 5000);
		if (resumed)
			bring_half(&w, f);
		hit = trial(&w, f, n, &info);
		if (info.why != UPLOAD_OK) {
			EXPECT(hit);
			in_words(&info, n);
		} else {
			EXPECT(uploads_is_stored(&w.u, f));
		}
		recovers(&w, f, &info, n % 2 == 0, n);
		uploads_free(f);
	}
	EXPECT(n > least);
	end(&w);
}

static bool
memory(struct world *w, struct bytes f, size_t n, struct upload_info *out)
{
	if (n % 2 == 0)
		fault_alloc_after((n + 1) / 2);
	else
		fault_alloc_once((n + 1) / 2);
	*out = uploads_bring(&w->u, dev, f, PIECE);
	return fault_alloc_off();
}

static void
test_upload_where_the_nth_allocation_fails(void **state)
{
	(void)state;
	each(memory, 20, false);
	each(memory, 10, true);
}

static bool
files(struct world *w, struct bytes f, size_t n, int err, bool forever,
    struct upload_info *out)
{
	fault_file_fail((unsigned)n, err, forever);
	*out = uploads_bring(&w->u, dev, f, PIECE);
	/* What may not be on the disk is not said to be there. */
	EXPECT(out->why != UPLOAD_OK || !fault_file_was_sync());
	return fault_file_off();
}

static bool
file_once(struct world *w, struct bytes f, size_t n, struct upload_info *out)
{
	return files(w, f, n, EIO, false, out);
}

static bool
file_full(struct world *w, struct bytes f, size_t n, struct upload_info *out)
{
	return files(w, f, n, ENOSPC, true, out);
}

static void
test_upload_where_the_nth_file_operation_fails(void **state)
{
	(void)state;
	each(file_once, 10, false);
	each(file_once, 10, true);
}

static void
test_upload_onto_a_disk_full_from_the_nth_operation(void **state)
{
	(void)state;
	each(file_full, 10, false);
}

static bool
table(struct world *w, struct bytes f, size_t n, struct upload_info *out)
{
	bool hit;

	fault_disk_fail(w->disk, FAULT_WRITES, n, FAULT_IOERR, false);
	*out = uploads_bring(&w->u, dev, f, PIECE);
	hit = fault_disk_hit(w->disk);
	fault_disk_fail(w->disk, FAULT_WRITES, 0, FAULT_IOERR, false);
	return hit;
}

static void
test_upload_where_the_nth_write_of_the_table_fails(void **state)
{
	(void)state;
	each(table, 10, false);
}

/* Opening with the n-th failing: refused in words, nothing leaks, and the next
 * try finds all that was there. */
static void
test_opening_where_the_nth_thing_fails(void **state)
{
	struct bytes f = uploads_bytes(7, LEN);
	struct upload_info part;
	struct world w;

	(void)state;
	begin(&w);
	EXPECT(uploads_bring(&w.u, dev, f, PIECE).why == UPLOAD_OK);
	part = uploads_bring(&w.u, dev, bytes_of(f.p, LEN - 1), PIECE);
	EXPECT(part.why == UPLOAD_OK);
	for (int way = 0; way < 3; way++) {
		bool hit = true;

		for (size_t n = 1; hit; n++) {
			char why[EVIDENCE_ERRMSG_LEN];
			struct evidence *ev = NULL;
			uint64_t done;
			enum status st;

			EXPECT(n < 2000);
			evidence_close(w.u.ev);
			w.u.ev = NULL;
			if (way == 0)
				fault_alloc_once(n);
			else if (way == 1)
				fault_file_fail((unsigned)n, EIO, false);
			else
				fault_disk_fail(
				    w.disk, FAULT_ANY, n, FAULT_IOERR, false);
			st = evidence_open(&ev, &w.u.cfg, why);
			if (st == ST_OK)
				st = evidence_follow(ev, 0, &done);
			hit = way == 0   ? fault_alloc_off()
			      : way == 1 ? fault_file_off()
					 : fault_disk_hit(w.disk);
			fault_disk_fail(
			    w.disk, FAULT_ANY, 0, FAULT_IOERR, false);
			EXPECT(st == ST_OK || hit);
			if (ev != NULL)
				evidence_close(ev);
			uploads_open(&w.u);
			uploads_check(&w.u, 2);
		}
	}
	uploads_free(f);
	end(&w);
}

/* What stands under a file's name in a copy is that file, or nothing is. */
static void
whole_or_absent(const char *to, struct bytes f)
{
	char hex[2 * HASH_LEN + 1], path[TMPDIR_MAX + 128];
	uint8_t digest[HASH_LEN], is[HASH_LEN];
	struct buf b;

	sha256(digest, f);
	hex_encode(hex, bytes_of(digest, HASH_LEN));
	(void)snprintf(path, sizeof(path), "%s/%.2s/%s", to, hex, hex);
	buf_init(&b, 1 << 20);
	if (port_read_file(port_system(), path, &b) == ST_OK) {
		sha256(is, buf_view(&b));
		EXPECT(memcmp(is, digest, HASH_LEN) == 0);
	}
	buf_free(&b);
}

/* A copy that fails anywhere leaves no file under a name that says it is whole,
 * and the next one makes up for it. */
static void
test_copying_where_the_nth_file_operation_fails(void **state)
{
	struct bytes f = uploads_bytes(7, LEN), g = uploads_bytes(8, 10);
	struct world w;
	bool hit = true;

	(void)state;
	begin(&w);
	EXPECT(uploads_bring(&w.u, dev, f, PIECE).why == UPLOAD_OK);
	EXPECT(uploads_bring(&w.u, dev, g, PIECE).why == UPLOAD_OK);
	for (unsigned n = 1; hit; n++) {
		char to[TMPDIR_MAX + 32];
		struct evidence_copied c;
		enum status st;

		EXPECT(n < 2000);
		(void)snprintf(to, sizeof(to), "%s/copy%u", w.ct.dir.path, n);
		fault_file_fail(n, n % 2 == 0 ? EIO : ENOSPC, n % 3 == 0);
		st = evidence_copy(w.u.ev, to, &c);
		hit = fault_file_off();
		EXPECT(st == ST_OK || hit);
		if (st == ST_OK)
			EXPECT(c.copied == 2 && c.damaged == 0);
		whole_or_absent(to, f);
		whole_or_absent(to, g);
		EXPECT_OK(evidence_copy(w.u.ev, to, &c));
		EXPECT(c.copied + c.there == 2 && c.damaged == 0);
		EXPECT_OK(evidence_copy(w.u.ev, to, &c));
		EXPECT(c.copied == 0 && c.there == 2);
	}
	uploads_free(f);
	uploads_free(g);
	end(&w);
}

/* One file handed out: it is whole under its name, or nothing is there; and
 * nothing goes out that the log does not know of. */
static void
test_handing_out_where_the_nth_thing_fails(void **state)
{
	struct bytes f = uploads_bytes(7, LEN);
	uint8_t digest[HASH_LEN];
	struct world w;

	(void)state;
	begin(&w);
	sha256(digest, f);
	EXPECT(uploads_bring(&w.u, dev, f, PIECE).why == UPLOAD_OK);
	for (int way = 0; way < 3; way++) {
		bool hit = true;

		for (unsigned n = 1; hit; n++) {
			char to[TMPDIR_MAX + 32], part[TMPDIR_MAX + 64];
			struct custody_copying how = { .to = to, .who = "sup" };
			uint64_t before = court_size(&w.ct), bytes;
			struct stat sb;
			enum status st;

			EXPECT(n < 2000);
			(void)snprintf(to, sizeof(to), "%s/out%d.%u",
			    w.ct.dir.path, way, n);
			(void)snprintf(part, sizeof(part), "%s.partial", to);
			if (way == 0)
				fault_alloc_once(n);
			else if (way == 1)
				fault_file_fail(n, EIO, false);
			else
				fault_disk_fail(w.disk, FAULT_WRITES, n,
				    FAULT_IOERR, false);
			st = custody_copy(w.u.ev, digest, &how, &bytes);
			hit = way == 0   ? fault_alloc_off()
			      : way == 1 ? fault_file_off()
					 : fault_disk_hit(w.disk);
			fault_disk_fail(
			    w.disk, FAULT_WRITES, 0, FAULT_IOERR, false);
			EXPECT(st == ST_OK || hit);
			if (stat(to, &sb) == 0) {
				EXPECT(sb.st_size == LEN);
				EXPECT(court_size(&w.ct) > before);
			} else {
				EXPECT(st != ST_OK);
				EXPECT_OK(
				    custody_copy(w.u.ev, digest, &how, &bytes));
				EXPECT(bytes == LEN);
			}
			(void)unlink(part); /* unlink itself may have failed */
			EXPECT_ST(custody_copy(w.u.ev, digest, &how, &bytes),
			    ST_CONFLICT);
		}
	}
	uploads_check(&w.u, 1);
	uploads_free(f);
	end(&w);
}

/* ---- a file that comes by hand */

static enum status
next_piece(void *arg, uint8_t *out, size_t cap, size_t *len)
{
	struct bytes *left = arg;

	*len = left->len < cap ? left->len : cap;
	if (*len > 0)
		memcpy(out, left->p, *len);
	left->p += *len;
	left->len -= *len;
	return ST_OK;
}

static enum status
take(struct world *w, struct bytes f, bool *was_there)
{
	struct evidence_taking t = {
		.dev = dev, .size = f.len, .read = next_piece, .arg = &f
	};

	sha256(t.digest, f);
	return evidence_take(w->u.ev, &t, was_there);
}

static void
test_taking_by_hand_where_the_nth_thing_fails(void **state)
{
	struct bytes other = uploads_bytes(9, 5000);
	struct evidence_taking lie = {
		.dev = dev, .size = 5000, .read = next_piece, .arg = &other
	};
	struct world w;
	uint64_t files = 0;
	bool was_there;

	(void)state;
	begin(&w);
	for (int way = 0; way < 3; way++) {
		bool hit = true;

		for (unsigned n = 1; hit; n++) {
			struct bytes f =
			    uploads_bytes((uint64_t)(way * 1000) + n + 50, LEN);
			uint64_t size;
			enum status st;

			EXPECT(n < 900);
			if (way == 0)
				fault_alloc_once(n);
			else if (way == 1)
				fault_file_fail(n, EIO, false);
			else
				fault_disk_fail(w.disk, FAULT_WRITES, n,
				    FAULT_IOERR, false);
			st = take(&w, f, &was_there);
			hit = way == 0   ? fault_alloc_off()
			      : way == 1 ? fault_file_off()
					 : fault_disk_hit(w.disk);
			fault_disk_fail(
			    w.disk, FAULT_WRITES, 0, FAULT_IOERR, false);
			EXPECT(st == ST_OK || hit);
			if (st == ST_OK)
				EXPECT(uploads_is_stored(&w.u, f));
			EXPECT_OK(take(&w, f, &was_there));
			EXPECT(uploads_is_stored(&w.u, f));
			/* Its receipt is there, once. */
			size = court_size(&w.ct);
			EXPECT_OK(take(&w, f, &was_there));
			EXPECT(was_there && court_size(&w.ct) == size);
			uploads_check(&w.u, ++files);
			uploads_free(f);
		}
	}
	/* Other bytes leave nothing. */
	sha256(lie.digest, bytes_str("another"));
	EXPECT_ST(evidence_take(w.u.ev, &lie, &was_there), ST_CORRUPT);
	uploads_check(&w.u, files);
	other.p -= 5000;
	uploads_free(other);
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_upload_where_the_nth_allocation_fails),
		cmocka_unit_test(
		    test_upload_where_the_nth_file_operation_fails),
		cmocka_unit_test(
		    test_upload_onto_a_disk_full_from_the_nth_operation),
		cmocka_unit_test(
		    test_upload_where_the_nth_write_of_the_table_fails),
		cmocka_unit_test(test_opening_where_the_nth_thing_fails),
		cmocka_unit_test(
		    test_copying_where_the_nth_file_operation_fails),
		cmocka_unit_test(test_handing_out_where_the_nth_thing_fails),
		cmocka_unit_test(test_taking_by_hand_where_the_nth_thing_fails),
	};

	EXPECT(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
