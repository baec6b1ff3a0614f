/* blob_file: the folder of sealed files, on a real disk. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/blob/blob_file.h"
#include "base/enc.h"
#include "base/sha.h"
#include "support/expect.h"
#include "support/tmpdir.h"

enum { LARGE = 1300003 }; /* some spans, and no whole number of chunks */

static struct tmpdir t;
static char *dir;
static bool bulk; /* past the page cache */

static int
set_up(void **state)
{
	(void)state;
	tmpdir_make(&t);
	dir = strdup(tmpdir_file(&t, "blobs"));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	free(dir);
	tmpdir_remove(&t);
	return 0;
}

static uint8_t *
some(size_t len)
{
	uint8_t *p = malloc(len + 1);

	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 31 + (i >> 9) * 7);
	return p;
}

/* Written in pieces of `step`. */
static struct blob_made
written(const uint8_t *p, size_t len, size_t step)
{
	struct blob_writer *w = NULL;
	struct blob_made made;

	EXPECT_OK(blob_writer_new(&w, dir, bulk, port_system()));
	for (size_t off = 0; off < len; off += step)
		EXPECT_OK(blob_writer_add(
		    w, bytes_of(p + off, len - off < step ? len - off : step)));
	EXPECT_OK(blob_writer_end(w, &made));
	return made;
}

static const char *
path_of(const struct blob_made *m)
{
	static char path[TMPDIR_MAX + 64];
	char name[BLOB_NAME_LEN + 1];

	hex_encode(name, bytes_of(m->id, BLOB_ID_LEN));
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static bool
knows_none(void *arg, const uint8_t id[BLOB_ID_LEN])
{
	(void)arg;
	(void)id;
	return false;
}

static bool
knows_all(void *arg, const uint8_t id[BLOB_ID_LEN])
{
	(void)arg;
	(void)id;
	return true;
}

/* Would catch: pieces that change what is sealed or hashed, at each edge of a
 * chunk and of a span. */
static void
test_what_was_written_comes_back_however_it_came(void **state)
{
	static const size_t sizes[] = { 0, 1, BLOB_CHUNK - 1, BLOB_CHUNK,
		BLOB_CHUNK + 1, 8 * BLOB_CHUNK, 8 * BLOB_CHUNK + 1,
		16 * BLOB_CHUNK, LARGE };
	static const size_t steps[] = { 1000, BLOB_CHUNK, 600001, LARGE };
	uint8_t *p = some(LARGE), *got = malloc(LARGE + 1), want[HASH_LEN];

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		for (size_t k = 0; k < 8; k++) {
			struct blob_made m;
			struct blob_reader *r = NULL;
			size_t n = 0;

			bulk = k % 2 == 1;
			m = written(p, sizes[s], steps[k / 2]);
			sha256(want, bytes_of(p, sizes[s]));
			EXPECT(memcmp(m.digest, want, HASH_LEN) == 0);
			assert_int_equal(m.size, sizes[s]);
			EXPECT_OK(
			    blob_reader_open(&r, dir, m.id, m.key, m.size));
			EXPECT_OK(blob_reader_read(r, 0, got, LARGE + 1, &n));
			EXPECT_BYTES(bytes_of(got, n), bytes_of(p, sizes[s]));
			blob_reader_close(r);
			EXPECT_OK(blob_remove(dir, m.id));
			EXPECT(!blob_there(dir, m.id));
		}
	}
	free(got);
	free(p);
}

/* Would catch: a seek that gives the bytes of another place. */
static void
test_reading_begins_anywhere(void **state)
{
	uint8_t *p = some(LARGE), got[3 * BLOB_CHUNK];
	struct blob_made m = written(p, LARGE, LARGE);
	struct blob_reader *r = NULL;
	uint64_t off = 12345;

	(void)state;
	EXPECT_OK(blob_reader_open(&r, dir, m.id, m.key, m.size));
	for (int i = 0; i < 200; i++) {
		size_t len, n = 0, want;

		off = (off * 1103515245 + 12345) % (LARGE + 10);
		len = (size_t)(off * 7 % sizeof(got));
		EXPECT_OK(blob_reader_read(r, off, got, len, &n));
		want = off >= LARGE        ? 0
		       : LARGE - off < len ? (size_t)(LARGE - off)
					   : len;
		EXPECT_BYTES(bytes_of(got, n), bytes_of(p + off, want));
	}
	blob_reader_close(r);
	free(p);
}

/* Would catch: a file that somebody changed, cut or put in another's place. */
static void
test_a_changed_file_is_corrupt_and_another_is_not_taken(void **state)
{
	uint8_t *p = some(LARGE), byte, got[16];
	char was[TMPDIR_MAX + 64];
	struct blob_made m = written(p, LARGE, LARGE), o = written(p, 5, 5);
	struct blob_reader *r = NULL;
	size_t n;
	int fd = open(path_of(&m), O_RDWR);

	(void)state;
	EXPECT(pread(fd, &byte, 1, 200000) == 1);
	byte ^= 4;
	EXPECT(pwrite(fd, &byte, 1, 200000) == 1);
	EXPECT_OK(blob_reader_open(&r, dir, m.id, m.key, m.size));
	EXPECT_OK(blob_reader_read(r, 0, got, 16, &n));
	EXPECT_ST(blob_reader_read(r, 200000, got, 16, &n), ST_CORRUPT);
	EXPECT_OK(blob_reader_read(r, 700000, got, 16, &n));
	blob_reader_close(r);
	EXPECT(ftruncate(fd, 65552 + 32) == 0);
	EXPECT_ST(blob_reader_open(&r, dir, m.id, m.key, m.size), ST_CORRUPT);
	/* Its own length is no help: the last chunk is not the last one. */
	EXPECT_OK(blob_reader_open(&r, dir, m.id, m.key, BLOB_CHUNK));
	EXPECT_ST(blob_reader_read(r, 0, got, 16, &n), ST_CORRUPT);
	blob_reader_close(r);
	(void)close(fd);
	EXPECT_ST(blob_reader_open(&r, dir, o.id, o.key, 6), ST_CORRUPT);
	(void)snprintf(was, sizeof(was), "%s", path_of(&o));
	EXPECT(rename(was, path_of(&m)) == 0);
	EXPECT_ST(blob_reader_open(&r, dir, m.id, o.key, 5), ST_CORRUPT);
	EXPECT_ST(blob_reader_open(&r, dir, o.id, o.key, 5), ST_ABSENT);
	free(p);
}

/* Would catch: something readable on disk. */
static void
test_nothing_of_it_is_readable_on_disk(void **state)
{
	static const char words[] = "the debtor's front door, seen from inside";
	uint8_t *p = calloc(1, 100000);
	struct blob_made m;
	struct buf file;
	struct stat sb;

	(void)state;
	for (size_t i = 0; i + sizeof(words) < 100000; i += sizeof(words))
		memcpy(p + i, words, sizeof(words));
	m = written(p, 100000, 777);
	buf_init(&file, 1 << 20);
	EXPECT_OK(port_read_file(port_system(), path_of(&m), &file));
	for (size_t i = 0; i + 12 <= file.len; i++)
		EXPECT(memcmp(file.p + i, words + 4, 12) != 0);
	EXPECT(stat(path_of(&m), &sb) == 0);
	assert_int_equal(sb.st_mode & 0777, 0600);
	buf_free(&file);
	free(p);
}

/* Would catch: rests of a crash that fill the disk; strangers' files gone. */
static void
test_a_sweep_takes_what_has_no_row_and_nothing_else(void **state)
{
	struct blob_made m = written((const uint8_t *)"x", 1, 1);
	struct blob_writer *w = NULL;
	const char *strange = tmpdir_file(&t, "blobs/README");
	uint64_t swept = 0;

	(void)state;
	EXPECT_OK(
	    port_write_file(port_system(), strange, bytes_str("mine"), false));
	EXPECT_OK(blob_sweep(dir, knows_none, NULL, &swept));
	EXPECT(!blob_there(dir, m.id));
	m = written((const uint8_t *)"x", 1, 1);
	EXPECT_OK(blob_writer_new(&w, dir, bulk, port_system()));
	EXPECT_OK(blob_sweep(dir, knows_all, NULL, &swept));
	assert_int_equal(swept, 1); /* the .part of the one under way */
	EXPECT(blob_there(dir, m.id));
	blob_writer_abort(w);
	EXPECT(access(strange, F_OK) == 0);
	EXPECT_OK(blob_sweep("/nowhere/blobs", knows_none, NULL, &swept));
}

/* Would catch: a full disk that leaves a file with a name, or a rest. */
static void
test_a_full_disk_leaves_nothing(void **state)
{
	/* The last two are no whole sectors: a write is cut within one. */
	static const rlim_t limits[] = { 10, 40, 70000, 1 << 20, 600001,
		600001 };
	uint8_t *p = some(LARGE);
	struct rlimit old, tight;
	uint64_t swept;

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	EXPECT_OK(blob_sweep(dir, knows_none, NULL, &swept));
	EXPECT(getrlimit(RLIMIT_FSIZE, &old) == 0);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct blob_writer *w = NULL;
		struct blob_made m;
		enum status st;

		bulk = i % 2 == 0;
		tight = old;
		tight.rlim_cur = limits[i];
		EXPECT(setrlimit(RLIMIT_FSIZE, &tight) == 0);
		st = blob_writer_new(&w, dir, bulk, port_system());
		if (st == ST_OK)
			st = blob_writer_add(w, bytes_of(p, LARGE));
		if (w != NULL && st == ST_OK)
			st = blob_writer_end(w, &m);
		else
			blob_writer_abort(w);
		EXPECT(setrlimit(RLIMIT_FSIZE, &old) == 0);
		EXPECT_ST(st, ST_FULL);
		EXPECT_OK(blob_sweep(dir, knows_none, NULL, &swept));
		assert_int_equal(swept, 0);
	}
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_what_was_written_comes_back_however_it_came),
		cmocka_unit_test(test_reading_begins_anywhere),
		cmocka_unit_test(
		    test_a_changed_file_is_corrupt_and_another_is_not_taken),
		cmocka_unit_test(test_nothing_of_it_is_readable_on_disk),
		cmocka_unit_test(
		    test_a_sweep_takes_what_has_no_row_and_nothing_else),
		cmocka_unit_test(test_a_full_disk_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
