#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/roster/feed_impl.h"
#include "support/bureau.h"

/*
 * A feed in memory that begins with a file which somebody else follows: the
 * commands beside a running server.
 */

enum { ROUNDS = 4, RECORDS = 12 };

struct bench {
	struct bureau b;
	struct feed *disk; /* the server's */
	char path[TMPDIR_MAX];
	char rec[ROUNDS * RECORDS][REC_LEN + 1];
	size_t count;
};

static struct feed *
feed_at(struct bench *w, const char *path, const char *copy)
{
	struct feed_config fc = { .path = path,
		.copy = copy,
		.centre = w->b.ct.c,
		.roster = w->b.roster };
	struct feed *f = NULL;

	EXPECT_OK(feed_open(&f, &fc));
	return f;
}

static void
follow(struct feed *f)
{
	uint64_t done;

	do
		EXPECT_OK(feed_follow(f, 0, &done));
	while (done > 0);
}

static void
bench_open(struct bench *w)
{
	memset(w, 0, sizeof(*w));
	bureau_make(&w->b);
	(void)bureau_join(&w->b, 0, "li", "one");
	(void)bureau_join(&w->b, 1, "wang", "two");
	(void)snprintf(w->path, sizeof(w->path), "%s",
	    tmpdir_file(&w->b.ct.dir, "server-feed.db"));
	w->disk = feed_at(w, w->path, NULL);
}

static void
bench_close(struct bench *w)
{
	feed_close(w->disk);
	bureau_end(&w->b);
}

/* New records by two teams, and more in old ones. */
static void
write_round(struct bench *w)
{
	for (size_t i = 0; i < RECORDS; i++) {
		struct bytes on = bytes_str(i % 3 == 2 ? "" : "place/address");
		struct agent_act act = { .kind = "search",
			.verb = i % 3 == 2 ? DO_NOTE : DO_OPEN,
			.on = &on,
			.on_count = 1,
			.data = bytes_str("[\"x\"]") };
		struct agent *a = w->b.hand[i % 2].a;
		size_t at = i % 3 == 2 ? w->count - 2 : w->count;
		struct agent_edit edit;
		uint8_t id[ID_LEN];

		EXPECT_OK(
		    agent_edit_begin(a, i % 3 == 2 ? w->rec[at] : NULL, &edit));
		EXPECT_OK(agent_append(a, &edit, &act, id));
		if (i % 3 != 2)
			memcpy(w->rec[w->count++], edit.rec, REC_LEN + 1);
	}
	bureau_sync(&w->b, 0);
	bureau_sync(&w->b, 1);
}

static void
dump(struct feed *f, struct buf *out)
{
	static const char *const sql[] = {
		"SELECT size || '|' || fill FROM pos",
		"SELECT n || rec || joined FROM record ORDER BY n",
		"SELECT record || '|' || place FROM entry"
		" ORDER BY record, place",
		"SELECT n || hex(id) FROM scope ORDER BY n",
		"SELECT scope || '|' || record FROM scope_in"
		" ORDER BY scope, record",
		"SELECT scope || '|' || place || '|' || record FROM step"
		" ORDER BY scope, place",
		"SELECT who || place FROM own ORDER BY who, place",
		"SELECT hex(chain) || rec || place FROM wants"
		" ORDER BY chain, rec",
	};

	for (size_t i = 0; i < sizeof(sql) / sizeof(sql[0]); i++) {
		struct db_stmt *s;
		enum status st;

		EXPECT_OK(db_query(&s, f->db, sql[i]));
		while ((st = db_next(s)) == ST_OK) {
			buf_bytes(out, db_bytes(s, 0));
			buf_u8(out, '\n');
		}
		db_done(s);
		EXPECT_ST(st, ST_ABSENT);
	}
	EXPECT_OK(out->err);
}

static void
same(struct feed *a, struct feed *b)
{
	struct buf x, y;

	buf_init(&x, 16 << 20);
	buf_init(&y, 16 << 20);
	dump(a, &x);
	dump(b, &y);
	EXPECT_BYTES(buf_view(&x), buf_view(&y));
	buf_free(&x);
	buf_free(&y);
}

/* Would catch: a command that decides by less than is logged, or by something
 * else than who follows it all; one that writes in the server's file. */
static void
test_feed_copy_followed_on_is_one_made_anew(void **state)
{
	struct bench w;

	(void)state;
	bench_open(&w);
	for (size_t round = 0; round < ROUNDS; round++) {
		struct feed *copy, *anew;
		uint64_t from = feed_size(w.disk);

		write_round(&w);
		copy = feed_at(&w, NULL, w.path);
		EXPECT(feed_size(copy) == from);
		/* The server goes on in its file; the copy stays as it was. */
		if (round % 2 == 1)
			follow(w.disk);
		EXPECT(feed_size(copy) == from);
		follow(copy);
		anew = feed_at(&w, NULL, NULL);
		EXPECT(feed_size(anew) == 0);
		follow(anew);
		EXPECT(feed_size(copy) == feed_size(anew));
		same(copy, anew);
		follow(w.disk);
		same(w.disk, anew);
		feed_close(copy);
		feed_close(anew);
	}
	EXPECT(feed_size(w.disk) > 0);
	bench_close(&w);
}

static void
overwrite(const char *path, size_t off, const char *with, size_t len)
{
	FILE *f = fopen(path, "r+e");

	EXPECT(f != NULL && fseek(f, (long)off, SEEK_SET) == 0);
	EXPECT(fwrite(with, 1, len, f) == len && fclose(f) == 0);
}

/* Would catch: a command that fails, or believes it, where the file is missing,
 * of something else, of another court, or damaged. */
static void
test_feed_copy_of_what_is_no_feed_begins_with_nothing(void **state)
{
	static const char noise[4096] = "not a database";
	struct bench w, other;
	char bad[TMPDIR_MAX];
	struct feed *f;

	(void)state;
	bench_open(&w);
	bench_open(&other);
	write_round(&w);
	follow(w.disk);
	write_round(&other);
	follow(other.disk);
	f = feed_at(&w, NULL, other.path);
	EXPECT(feed_size(f) == 0);
	follow(f);
	same(f, w.disk);
	feed_close(f);
	(void)snprintf(
	    bad, sizeof(bad), "%s", tmpdir_file(&w.b.ct.dir, "absent.db"));
	f = feed_at(&w, NULL, bad);
	EXPECT(feed_size(f) == 0 && access(bad, F_OK) != 0);
	feed_close(f);
	EXPECT_OK(port_write_file(
	    port_system(), bad, bytes_of(noise, sizeof(noise)), false));
	f = feed_at(&w, NULL, bad);
	EXPECT(feed_size(f) == 0);
	follow(f);
	same(f, w.disk);
	feed_close(f);
	/* Closed, so that all of it stands in one file. */
	feed_close(w.disk);
	overwrite(w.path, 0, noise, sizeof(noise));
	f = feed_at(&w, NULL, w.path);
	EXPECT(feed_size(f) == 0);
	feed_close(f);
	w.disk = NULL;
	bench_close(&other);
	bench_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_feed_copy_followed_on_is_one_made_anew),
		cmocka_unit_test(
		    test_feed_copy_of_what_is_no_feed_begins_with_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
