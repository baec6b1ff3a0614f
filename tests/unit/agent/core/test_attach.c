/* Attachments on a handheld: what was said to be saved is whole, sealed and
 * named; what was not leaves nothing. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/core/agent_impl.h"
#include "agent/core/evidence.h"
#include "base/enc.h"
#include "base/sha.h"
#include "entry/json.h"
#include "support/bureau.h"
#include "support/expect.h"

enum { LARGE = 700001 };

static struct bureau b;
static struct agent *a;
static char rec[REC_LEN + 1];

static int
set_up(void **state)
{
	(void)state;
	bureau_make(&b);
	a = bureau_join(&b, 0, "p001", "甲");
	bureau_record(a, "search", "target", "[\"甲\"]", rec);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	bureau_end(&b);
	return 0;
}

static uint8_t *
some(size_t len, unsigned seed)
{
	uint8_t *p = malloc(len + 1);

	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 31 + (i >> 9) * 7 + seed);
	return p;
}

/* In pieces, as from a camera. */
static enum status
attach(const uint8_t *p, size_t len, const struct agent_about *about,
    uint8_t id[ID_LEN])
{
	struct agent_attach *t = NULL;
	enum status st = agent_attach_begin(a, rec, &t);

	for (size_t off = 0; st == ST_OK && off < len; off += 9999)
		st = agent_attach_write(
		    t, bytes_of(p + off, len - off < 9999 ? len - off : 9999));
	if (st == ST_OK)
		return agent_attach_end(t, about, id);
	agent_attach_abort(t);
	return st;
}

/* Files in blobs/. */
static int
files(void)
{
	DIR *d = opendir(tmpdir_file(&b.hand[0].home, "blobs"));
	int n = 0;

	if (d == NULL)
		return 0;
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	(void)closedir(d);
	return n;
}

/* The n-th line of the list has these words. */
static void
expect_line(int n, const char *what)
{
	struct buf out;
	const char *line;

	buf_init(&out, 1 << 20);
	EXPECT_OK(agent_evidence(a, rec, &out));
	line = buf_cstr(&out);
	for (; n > 0; n--) {
		line = strchr(line, '\n');
		assert_non_null(line);
		line++;
	}
	if (strstr(line, what) == NULL)
		fail_msg("no %s in %s", what, line);
	buf_free(&out);
}

static void
expect_bytes_of(const uint8_t id[ID_LEN], struct bytes want)
{
	char hex[2 * ID_LEN + 1];
	const char *path = tmpdir_file(&b.hand[0].home, "out");
	struct buf got;
	int fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);

	hex_encode(hex, bytes_of(id, ID_LEN));
	EXPECT_OK(agent_evidence_get(a, hex, fd));
	(void)close(fd);
	buf_init(&got, 4 << 20);
	EXPECT_OK(port_read_file(port_system(), path, &got));
	EXPECT_BYTES(buf_view(&got), want);
	buf_free(&got);
}

/* Would catch: bytes changed, lost by a restart, or named by another digest. */
static void
test_a_file_is_named_at_once_and_opens_again_after_a_restart(void **state)
{
	struct agent_about about = { .on = "target",
		.name = "../../etc/照片 1.mp4",
		.taken = "2026-11-24T05:10:00+08:00",
		.lat = "34.26",
		.lon = "117.18",
		.has_fix = true,
		.acc_m = 8,
		.fix_age_s = 2 };
	uint8_t *p = some(LARGE, 1), id[ID_LEN], empty[ID_LEN];

	(void)state;
	EXPECT_OK(attach(p, LARGE, &about, id));
	expect_line(0, "\"name\":\"照片 1.mp4\"");
	expect_line(0, "\"size\":700001");
	expect_line(0, "\"state\":\"named\"");
	expect_line(0, "\"on\":\"target\"");
	EXPECT_OK(attach(p, 0, NULL, empty));
	bureau_restart(&b, 0);
	a = b.hand[0].a;
	expect_line(0, "\"here\":true");
	expect_bytes_of(id, bytes_of(p, LARGE));
	expect_bytes_of(empty, bytes_of(p, 0));
	bureau_sync(&b, 0);
	expect_line(0, "\"in_log\":true");
	free(p);
}

/* Would catch: a row or a key that is gone with the one who wrote it. */
static void
test_files_open_after_an_officer_was_removed(void **state)
{
	uint8_t *p = some(LARGE, 2), id[ID_LEN];

	(void)state;
	EXPECT_OK(agent_officer_add(
	    a, "p002", bytes_str("another long passphrase here")));
	EXPECT_OK(attach(p, LARGE, NULL, id));
	EXPECT_OK(agent_officer_remove(a, "p002"));
	expect_bytes_of(id, bytes_of(p, LARGE));
	bureau_restart(&b, 0);
	a = b.hand[0].a;
	expect_bytes_of(id, bytes_of(p, LARGE));
	free(p);
}

/* Would catch: a second copy of the same bytes, or a second entry not made. */
static void
test_the_same_bytes_twice_are_two_entries_and_one_file(void **state)
{
	uint8_t *p = some(5000, 3), one[ID_LEN], two[ID_LEN];
	int before = files();

	(void)state;
	EXPECT_OK(attach(p, 5000, NULL, one));
	EXPECT_OK(attach(p, 5000, NULL, two));
	EXPECT(memcmp(one, two, ID_LEN) != 0);
	assert_int_equal(files(), before + 1);
	expect_bytes_of(two, bytes_of(p, 5000));
	free(p);
}

/* Would catch: something left by what was given up, or refused. */
static void
test_what_was_not_saved_leaves_nothing(void **state)
{
	static const struct agent_about wrong[] = { { .taken = "yesterday" },
		{ .lat = "34.2" }, { .lat = "91", .lon = "1" },
		{ .lat = "1e5", .lon = "1" }, { .made = "cut" },
		{ .of = "00", .made = "cut" },
		{ .of = "00112233445566778899aabbccddeeff", .made = "burnt" },
		{ .on = "no such path!" } };
	uint8_t *p = some(LARGE, 4), id[ID_LEN];
	struct agent_attach *t = NULL;
	int before = files();
	struct buf out;
	size_t len;

	(void)state;
	buf_init(&out, 1 << 20);
	EXPECT_OK(agent_evidence(a, rec, &out));
	len = out.len;
	EXPECT_OK(agent_attach_begin(a, rec, &t));
	EXPECT_OK(agent_attach_write(t, bytes_of(p, LARGE)));
	assert_int_equal(files(), before + 1);
	agent_attach_abort(t);
	assert_int_equal(files(), before);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		EXPECT_ST(attach(p, 100, &wrong[i], id), ST_INVALID);
		assert_int_equal(files(), before);
	}
	EXPECT_ST(
	    agent_attach_begin(a, "0197a0f0-0000-7000-8000-000000000000", &t),
	    ST_ABSENT);
	EXPECT_ST(agent_attach_path(a, rec, "/nowhere", NULL, id), ST_ABSENT);
	EXPECT_ST(agent_attach_path(a, rec, "/", NULL, id), ST_IO);
	assert_int_equal(files(), before);
	buf_reset(&out);
	EXPECT_OK(agent_evidence(a, rec, &out));
	assert_int_equal(out.len, len);
	buf_free(&out);
	free(p);
}

/* Would catch: a record that names bytes which a full disk did not take. */
static void
test_a_full_disk_names_nothing(void **state)
{
	uint8_t *p = some(LARGE, 5), id[ID_LEN];
	struct rlimit old, tight;
	int before = files();

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	EXPECT(getrlimit(RLIMIT_FSIZE, &old) == 0);
	tight = old;
	tight.rlim_cur = 600000;
	EXPECT(setrlimit(RLIMIT_FSIZE, &tight) == 0);
	EXPECT_ST(attach(p, LARGE, NULL, id), ST_FULL);
	EXPECT(setrlimit(RLIMIT_FSIZE, &old) == 0);
	assert_int_equal(files(), before);
	EXPECT_OK(attach(p, LARGE, NULL, id));
	free(p);
}

/* Would catch: rests of a crash that stay for ever; a file that is known and
 * swept with them. */
static void
test_rests_of_a_crash_are_swept_at_the_next_unlock(void **state)
{
	static const char *const rests[] = {
		"blobs/00112233445566778899aabbccddeeff",
		"blobs/00112233445566778899aabbccddeeff.part"
	};
	uint8_t *p = some(LARGE, 6), id[ID_LEN];
	int known;

	(void)state;
	EXPECT_OK(attach(p, LARGE, NULL, id));
	known = files();
	for (int i = 0; i < 2; i++)
		EXPECT_OK(port_write_file(port_system(),
		    tmpdir_file(&b.hand[0].home, rests[i]), bytes_str("x"),
		    true));
	bureau_restart(&b, 0);
	a = b.hand[0].a;
	assert_int_equal(files(), known);
	expect_bytes_of(id, bytes_of(p, LARGE));
	free(p);
}

/* Would catch: damage that is taken for evidence, or goes unsaid. */
static void
test_a_damaged_file_is_said_to_be_lost(void **state)
{
	uint8_t *p = some(LARGE, 7), id[ID_LEN], byte;
	char hex[2 * ID_LEN + 1];
	struct agent_evidence_counts c;
	struct buf status;
	int nowhere;
	DIR *d;

	(void)state;
	EXPECT_OK(attach(p, LARGE, NULL, id));
	hex_encode(hex, bytes_of(id, ID_LEN));
	d = opendir(tmpdir_file(&b.hand[0].home, "blobs"));
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		int fd = openat(dirfd(d), e->d_name, O_RDWR);

		if (fd >= 0 && pread(fd, &byte, 1, 300000) == 1) {
			byte ^= 1;
			EXPECT(pwrite(fd, &byte, 1, 300000) == 1);
		}
		(void)close(fd);
	}
	(void)closedir(d);
	nowhere = open("/dev/null", O_WRONLY);
	EXPECT_ST(agent_evidence_get(a, hex, nowhere), ST_CORRUPT);
	(void)close(nowhere);
	agent_evidence_count(a, &c);
	assert_int_equal(c.lost, 1);
	buf_init(&status, 1 << 20);
	EXPECT_OK(agent_status(a, &status));
	assert_non_null(strstr(buf_cstr(&status), "\"lost\":1"));
	/* The same bytes, taken again, are whole again. */
	EXPECT_OK(attach(p, LARGE, NULL, id));
	expect_bytes_of(id, bytes_of(p, LARGE));
	buf_free(&status);
	free(p);
}

/* Would catch: a photo of the scene that is lost on its way into the record. */
static void
test_what_was_taken_before_the_record_is_filed_in_it_later(void **state)
{
	struct agent_about about = { .on = "unfiled",
		.name = "a.jpg",
		.taken = "2026-11-24T05:00:00Z" };
	uint8_t *p = some(3000, 8), id[ID_LEN], filed[ID_LEN];
	char scene[REC_LEN + 1], keep[REC_LEN + 1], hex[2 * ID_LEN + 1];
	char from[64];

	(void)state;
	memcpy(keep, rec, sizeof(keep));
	bureau_record(a, "scene", "place/address", "[\"某小区\"]", scene);
	memcpy(rec, scene, sizeof(rec));
	EXPECT_OK(attach(p, 3000, &about, id));
	memcpy(rec, keep, sizeof(rec));
	hex_encode(hex, bytes_of(id, ID_LEN));
	EXPECT_OK(agent_attach_file(a, rec, hex, NULL, filed));
	(void)snprintf(from, sizeof(from), "\"from\":\"%s\"", hex);
	expect_line(0, from);
	expect_line(0, "\"taken\":\"2026-11-24T05:00:00Z\"");
	expect_line(0, "\"name\":\"a.jpg\"");
	expect_bytes_of(filed, bytes_of(p, 3000));
	EXPECT_ST(agent_attach_file(
		      a, rec, "00112233445566778899aabbccddeeff", NULL, filed),
	    ST_ABSENT);
	EXPECT_ST(
	    agent_attach_file(a, rec, "nonsense", NULL, filed), ST_INVALID);
	free(p);
}

/* Would catch: evidence written, or read, behind a locked screen. */
static void
test_a_locked_screen_takes_and_shows_nothing(void **state)
{
	struct agent_attach *t = NULL;
	struct buf out;
	uint8_t id[ID_LEN];

	(void)state;
	buf_init(&out, 1 << 20);
	EXPECT_OK(agent_attach_begin(a, rec, &t));
	EXPECT_OK(agent_screen_pin(a, bytes_str("2580")));
	agent_screen_lock(a);
	/* A camera may go on; only naming waits, and what waited is gone. */
	EXPECT_OK(agent_attach_write(t, bytes_str("x")));
	EXPECT_ST(agent_attach_end(t, NULL, id), ST_LOCKED);
	EXPECT_ST(agent_attach_begin(a, rec, &t), ST_LOCKED);
	EXPECT_ST(agent_evidence(a, NULL, &out), ST_LOCKED);
	assert_int_equal(files(), 0);
	EXPECT_OK(agent_screen_unlock(a, bytes_str("2580")));
	EXPECT_OK(agent_attach_begin(a, rec, &t));
	EXPECT_OK(agent_attach_write(t, bytes_str("x")));
	EXPECT_OK(agent_attach_end(t, NULL, id));
	buf_free(&out);
}

/* ---- recordings */

/* Attached from a file that holds what is told of it: `cat` stands in for both
 * programs. */
static enum status
attach_told(const char *told, const struct agent_about *about)
{
	const char *path = tmpdir_file(&b.hand[0].home, "told.mp4");
	uint8_t id[ID_LEN];

	EXPECT_OK(port_write_file(port_system(), path, bytes_str(told), false));
	return agent_attach_path(a, rec, path, about, id);
}

static void
programs(const char *film)
{
	free(a->look);
	free(a->film);
	a->look = strdup("/bin/cat");
	a->film = film == NULL ? NULL : strdup(film);
}

/* The last line of the list has these words, or has not. */
static void
expect_last(const char *what, bool there)
{
	struct buf out;
	const char *line, *end;

	buf_init(&out, 1 << 20);
	EXPECT_OK(agent_evidence(a, rec, &out));
	line = buf_cstr(&out);
	while ((end = strchr(line, '\n')) != NULL && end[1] != '\0')
		line = end + 1;
	if ((strstr(line, what) != NULL) != there)
		fail_msg("%s %s in %s", there ? "no" : "a", what, line);
	buf_free(&out);
}

/* Would catch: a recording attached by hand of which nobody knows the length,
 * so that it covers nothing of its act. */
static void
test_a_recording_says_itself_what_was_not_said_of_it(void **state)
{
	static const char told[] =
	    "video/mp4\nmade 1795467600000\nlength 61000\n";
	const struct agent_about given = { .taken =
					       "2026-11-24T05:10:00+08:00" };
	const struct agent_about longer = { .has_ms = true, .ms = 7 };
	const struct agent_about copy = {
		.of = "00112233445566778899aabbccddeeff", .made = "cut"
	};

	(void)state;
	programs("/bin/cat");
	EXPECT_OK(attach_told(told, NULL));
	expect_last("\"ms\":61000", true);
	expect_last("\"taken\":\"2026-11-24T05:00:00+08:00\"", true);
	expect_last("\"taken_from\":\"recording\"", true);
	/* What the caller says stands. */
	EXPECT_OK(attach_told(told, &given));
	expect_last("\"ms\":61000", true);
	expect_last("\"taken\":\"2026-11-24T05:10:00+08:00\"", true);
	expect_last("taken_from", false);
	EXPECT_OK(attach_told(told, &longer));
	expect_last("\"ms\":7,", true);
	expect_last("\"taken_from\":\"recording\"", true);
	/* A copy was made when it was copied. */
	EXPECT_OK(attach_told(told, &copy));
	expect_last("\"ms\":61000", true);
	expect_last("\"taken", false);
	/* A day, and no more, is believed. */
	EXPECT_OK(attach_told("audio/mpeg\nlength 86400000\n", NULL));
	expect_last("\"ms\":86400000", true);
	expect_last("\"taken", false);
	EXPECT_OK(attach_told("audio/mpeg\nlength 86400001\n", NULL));
	expect_last("\"ms\"", false);
	/* What is no recording is not asked. */
	EXPECT_OK(attach_told("text/plain\nmade 5\nlength 61000\n", NULL));
	expect_last("\"ms\"", false);
}

/* Would catch: a file that cannot be attached because a program is not there,
 * or breaks over it. */
static void
test_a_recording_of_which_nothing_is_told_is_attached_all_the_same(void **state)
{
	static const char *const broken[] = { NULL, "/nowhere/daybreak-film",
		"/bin/false", "/bin/true" };
	static const char told[] = "video/mp4\nlength 61000\n";

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		programs(broken[i]);
		EXPECT_OK(attach_told(told, NULL));
		expect_last("\"type\":\"video/mp4\"", true);
		expect_last("\"ms\"", false);
	}
}

/* Would catch: a descriptor that is asked about what was not attached of it. */
static void
test_a_descriptor_is_asked_only_where_it_was_read_from_its_beginning(
    void **state)
{
	static const char told[] = "video/mp4\nlength 61000\nvideo/mp4\n";
	const char *path = tmpdir_file(&b.hand[0].home, "told.mp4");
	uint8_t id[ID_LEN];
	int fd, ends[2];

	(void)state;
	programs("/bin/cat");
	EXPECT_OK(port_write_file(port_system(), path, bytes_str(told), false));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	EXPECT_OK(agent_attach_fd(a, rec, fd, NULL, id));
	expect_last("\"ms\":61000", true);
	EXPECT(lseek(fd, 23, SEEK_SET) == 23);
	EXPECT_OK(agent_attach_fd(a, rec, fd, NULL, id));
	expect_last("\"type\":\"video/mp4\"", true);
	expect_last("\"ms\"", false);
	(void)close(fd);
	EXPECT(pipe(ends) == 0);
	EXPECT(write(ends[1], told, sizeof(told) - 1) == sizeof(told) - 1);
	(void)close(ends[1]);
	EXPECT_OK(agent_attach_fd(a, rec, ends[0], NULL, id));
	expect_last("\"type\":\"video/mp4\"", true);
	expect_last("\"ms\"", false);
	(void)close(ends[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(
		    test_a_file_is_named_at_once_and_opens_again_after_a_restart),
		TEST(test_files_open_after_an_officer_was_removed),
		TEST(test_the_same_bytes_twice_are_two_entries_and_one_file),
		TEST(test_what_was_not_saved_leaves_nothing),
		TEST(test_a_full_disk_names_nothing),
		TEST(test_rests_of_a_crash_are_swept_at_the_next_unlock),
		TEST(test_a_damaged_file_is_said_to_be_lost),
		TEST(
		    test_what_was_taken_before_the_record_is_filed_in_it_later),
		TEST(test_a_locked_screen_takes_and_shows_nothing),
		TEST(test_a_recording_says_itself_what_was_not_said_of_it),
		TEST(
		    test_a_recording_of_which_nothing_is_told_is_attached_all_the_same),
		TEST(
		    test_a_descriptor_is_asked_only_where_it_was_read_from_its_beginning),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
