/* Rows of foreign files become records. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/core/agent_impl.h"
#include "agent/import/import.h"
#include "support/bureau.h"

static const char map_search[] =
    "{\"map\":1,\"name\":\"t\",\"kind\":\"search\",\"zone\":\"EST5EDT,M3.2.0,"
    "M11.1.0\",\"key\":[\"no\"],\"at\":{\"column\":\"when\",\"formats\":"
    "[\"MM/DD/YYYY hh:mm:ss AP\",\"MM/DD/YYYY\",\"YYYY-MM-DDThh:mm:ssZ\"]},"
    "\"fields\":[{\"path\":\"started_at\",\"column\":\"when\",\"formats\":"
    "[\"MM/DD/YYYY hh:mm:ss AP\",\"MM/DD/YYYY\",\"YYYY-MM-DDThh:mm:ssZ\"]},"
    "{\"path\":\"target\",\"column\":\"what\"},"
    "{\"path\":\"scope/person\",\"column\":\"sort\",\"values\":"
    "{\"P\":true,\"V\":false,\"\":null}}]}";

struct seen {
	uint64_t line[16];
	char en[16][WORDS_MAX];
	size_t refused;
};

static void
on_refused(void *arg, uint64_t line, const struct words *why)
{
	struct seen *s = arg;

	EXPECT(s->refused < 16 && why->zh[0] != '\0' && why->en[0] != '\0');
	s->line[s->refused] = line;
	memcpy(s->en[s->refused++], why->en, sizeof(why->en));
}

static enum status
run(struct agent *a, const char *map, struct bytes csv, uint64_t limit,
    struct seen *seen, struct import_result *r)
{
	struct import_watch w = { .arg = seen, .refused = on_refused };
	struct words why;

	memset(seen, 0, sizeof(*seen));
	return import_run(a, agent_kinds(a), "t.csv", bytes_str(map), csv,
	    limit, &w, r, &why);
}

static bool
has(struct agent *a, const char *needle)
{
	struct buf b;
	bool is;

	buf_init(&b, 64 << 20);
	EXPECT_OK(agent_export(a, NULL, &b));
	is = buf_cstr(&b) != NULL && strstr((char *)b.p, needle) != NULL;
	buf_free(&b);
	return is;
}

/* Would catch: one bad row that ends an import, or is passed over in silence;
 * a line number that counts rows where a field holds line breaks; a date read
 * in the wrong zone; a source row that is not kept. */
static void
bad_rows_are_told_by_line_and_the_rest_is_taken(void **state)
{
	static const char csv[] =
	    "no,when,what,sort\r\n"
	    "1,07/04/2021 09:55:56 PM,\"two\r\nlines\",P\r\n"
	    "2,13/40/2021,bad date,P\r\n"
	    "3,01/17/2021,winter,V\r\n"
	    "4,2021-07-04T01:00:00Z,zone,X\r\n"
	    "5,2021-07-04T01:00:00Z,fields\r\n"
	    "6,2021-07-04T01:00:00Z,good,\r\n";
	struct bureau b;
	struct import_result r;
	struct seen s;
	struct agent *a;

	(void)state;
	bureau_make(&b);
	a = bureau_join(&b, 0, "p001", "jia");
	EXPECT_OK(run(a, map_search, bytes_str(csv), 0, &s, &r));
	EXPECT(r.rows == 6 && r.taken == 3 && r.refused == 3);
	EXPECT(s.refused == 3);
	EXPECT(s.line[0] == 4 && strstr(s.en[0], "13/40/2021") != NULL);
	EXPECT(s.line[1] == 6 && strstr(s.en[1], "\"X\"") != NULL);
	EXPECT(s.line[2] == 7 && strstr(s.en[2], "not as many") != NULL);
	EXPECT(has(a, "2021-07-04T21:55:56-04:00")); /* summer */
	EXPECT(has(a, "2021-01-17T00:00:00-05:00")); /* winter */
	EXPECT(has(a, "2021-07-04T01:00:00"));       /* its own zone */
	EXPECT(has(a, "\"row\":[\"1\",\"07/04/2021 09:55:56 PM\","
		      "\"two\\r\\nlines\",\"P\"]"));
	bureau_end(&b);
}

/* Would catch: a measured coordinate, with the noise of floating point behind
 * it, that costs a whole row. */
static void
long_coordinates_are_taken(void **state)
{
	static const char map[] =
	    "{\"map\":1,\"name\":\"c\",\"kind\":\"search\",\"fields\":"
	    "[{\"path\":\"place/lon\",\"column\":\"lon\"}]}";
	struct bureau b;
	struct import_result r;
	struct seen s;
	struct agent *a;

	(void)state;
	bureau_make(&b);
	a = bureau_join(&b, 0, "p001", "jia");
	EXPECT_OK(run(a, map,
	    bytes_str(
		"lon\n-0.0069180000000000005\n180.5\n51.480216999999996\n"),
	    0, &s, &r));
	EXPECT(r.taken == 2 && r.refused == 1 && s.line[0] == 3);
	EXPECT(has(a, "\"-0.0069180000000000005\""));
	bureau_end(&b);
}

/* Would catch: rows doubled by a second run, by a run after one that stopped
 * in the middle, or equal rows that are taken for one. */
static void
run_again_nothing_is_doubled(void **state)
{
	static const char map[] =
	    "{\"map\":1,\"name\":\"u\",\"kind\":\"search\",\"fields\":"
	    "[{\"path\":\"target\",\"column\":\"what\"}]}";
	static const char csv[] = "what\nx\ny\nx\nx\nz\n";
	struct bureau b;
	struct import_result r;
	struct seen s;
	struct agent *a;

	(void)state;
	bureau_make(&b);
	a = bureau_join(&b, 0, "p001", "jia");
	EXPECT_OK(run(a, map, bytes_str(csv), 3, &s, &r));
	EXPECT(r.taken == 3 && r.records == 3);
	bureau_restart(&b, 0);
	a = b.hand[0].a;
	EXPECT_OK(run(a, map, bytes_str(csv), 0, &s, &r));
	EXPECT(r.already == 3 && r.taken == 2 && r.records == 2);
	EXPECT_OK(run(a, map, bytes_str(csv), 0, &s, &r));
	EXPECT(r.already == 5 && r.taken == 0 && r.entries == 0);
	bureau_end(&b);
}

/* Would catch: a map that is wrong and is used all the same. */
static void
a_wrong_map_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *map, *say;
	} maps[] = {
		{ "{", "JSON" },
		{ "{\"map\":2}", "map" },
		{ "{\"map\":1,\"name\":\"m\",\"kind\":\"nothing\"}", "kind" },
		{ "{\"map\":1,\"name\":\"m\",\"kind\":\"commit\"}", "kind" },
		{ "{\"map\":1,\"name\":\"m\",\"kind\":\"search\",\"fields\":"
		  "[{\"path\":\"nowhere\",\"column\":\"what\"}]}",
		    "nowhere" },
		{ "{\"map\":1,\"name\":\"m\",\"kind\":\"search\",\"fields\":"
		  "[{\"path\":\"target\"}]}",
		    "target" },
		{ "{\"map\":1,\"name\":\"m\",\"kind\":\"search\",\"fields\":"
		  "[{\"path\":\"target\",\"column\":\"absent\"}]}",
		    "absent" },
		{ "{\"map\":1,\"name\":\"m\",\"kind\":\"seizure\",\"list\":"
		  "\"items\"}",
		    "item" },
	};
	struct bureau b;
	struct agent *a;

	(void)state;
	bureau_make(&b);
	a = bureau_join(&b, 0, "p001", "jia");
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		struct import_result r;
		struct words why;

		EXPECT_ST(import_run(a, agent_kinds(a), "t.csv",
			      bytes_str(maps[i].map), bytes_str("what\nx\n"), 0,
			      NULL, &r, &why),
		    ST_INVALID);
		EXPECT(strstr(why.en, maps[i].say) != NULL);
		EXPECT(why.zh[0] != '\0' && r.entries == 0);
	}
	bureau_end(&b);
}

/* ---- the samples of tests/data */

static void
read_data(const char *name, struct buf *out)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", TEST_DATA_DIR, name);
	EXPECT_OK(port_read_file(port_system(), path, out));
}

static void
run_sample(struct agent *a, const char *csv, const char *map, uint64_t rows,
    uint64_t taken, struct import_result *r)
{
	struct buf c, m;
	struct seen s;

	buf_init(&c, 64 << 20);
	buf_init(&m, DOC_BYTES_MAX);
	read_data(csv, &c);
	read_data(map, &m);
	EXPECT(buf_cstr(&m) != NULL);
	EXPECT_OK(run(a, (char *)m.p, buf_view(&c), 0, &s, r));
	EXPECT(r->rows == rows && r->refused == 0);
	EXPECT(r->taken + r->already == taken);
	buf_free(&c);
	buf_free(&m);
}

/* Would catch: a kind or a map that changed and refuses rows that are real. */
static void
every_row_of_the_samples_is_taken(void **state)
{
	struct bureau b;
	struct import_result r;
	struct agent *a;

	(void)state;
	bureau_make(&b);
	a = bureau_join(&b, 0, "p001", "jia");
	run_sample(
	    a, "enforcements.csv", "maps/enforcements.json", 500, 500, &r);
	EXPECT(r.records == 500);
	run_sample(a, "seizures_sandiego.csv", "maps/seizures_sandiego.json",
	    600, 600, &r);
	EXPECT(r.records < 600 && r.entries > 600);
	run_sample(a, "searches.csv", "maps/searches.json", 2000, 2000, &r);
	EXPECT(r.records == 2000);
	bureau_end(&b);
}

/* ---- kill -9 in the middle */

static void
child(const char *home, struct bytes csv, struct bytes map, int told)
{
	struct agent_config c = { .home = home,
		.port = port_system(),
		.utc_offset_min = 480,
		.weak_kdf_for_tests = true };
	struct import_result r;
	struct words why;
	struct agent *a = NULL;

	if (agent_open(&a, &c) != ST_OK ||
	    agent_unlock(a, NULL, bytes_str(bureau_pass)) != ST_OK)
		_exit(9);
	if (write(told, "x", 1) != 1)
		_exit(9);
	if (import_run(a, agent_kinds(a), "s.csv", map, csv, 0, NULL, &r,
		&why) != ST_OK)
		_exit(8);
	_exit(0);
}

static uint64_t
own_entries(struct agent *a)
{
	struct log_head h;

	EXPECT_OK(log_head(a->log, &h));
	return h.seq;
}

/* Would catch: a row that an import which was killed leaves half written, or
 * that the next one writes again. */
static void
killed_in_the_middle_and_run_again_nothing_is_doubled(void **state)
{
	struct bureau b;
	struct import_result r;
	struct buf csv, map;
	unsigned kills = 0;

	(void)state;
	buf_init(&csv, 64 << 20);
	buf_init(&map, DOC_BYTES_MAX);
	read_data("seizures_sandiego.csv", &csv);
	read_data("maps/seizures_sandiego.json", &map);
	bureau_make(&b);
	(void)bureau_join(&b, 0, "p001", "jia");
	agent_close(b.hand[0].a);
	b.hand[0].a = NULL;
	for (unsigned i = 0; i < 12; i++) {
		int told[2], code;
		pid_t pid;
		char c;

		EXPECT(pipe(told) == 0);
		pid = fork();
		EXPECT(pid >= 0);
		if (pid == 0)
			child(b.hand[0].home.path, buf_view(&csv),
			    buf_view(&map), told[1]);
		(void)close(told[1]);
		EXPECT(read(told[0], &c, 1) == 1);
		(void)close(told[0]);
		(void)usleep(3000 + i * 9000);
		EXPECT(kill(pid, SIGKILL) == 0);
		EXPECT(waitpid(pid, &code, 0) == pid);
		kills += WIFSIGNALED(code);
	}
	EXPECT(kills > 0);
	bureau_open_hand(&b, 0);
	EXPECT_OK(agent_unlock(b.hand[0].a, NULL, bytes_str(bureau_pass)));
	run_sample(b.hand[0].a, "seizures_sandiego.csv",
	    "maps/seizures_sandiego.json", 600, 600, &r);
	/* As many entries as an import that nobody disturbed makes. */
	run_sample(bureau_join(&b, 1, "p002", "jia"), "seizures_sandiego.csv",
	    "maps/seizures_sandiego.json", 600, 600, &r);
	EXPECT(own_entries(b.hand[0].a) == own_entries(b.hand[1].a));
	buf_free(&csv);
	buf_free(&map);
	bureau_end(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    bad_rows_are_told_by_line_and_the_rest_is_taken),
		cmocka_unit_test(long_coordinates_are_taken),
		cmocka_unit_test(run_again_nothing_is_doubled),
		cmocka_unit_test(a_wrong_map_is_refused_with_its_place),
		cmocka_unit_test(every_row_of_the_samples_is_taken),
		cmocka_unit_test(
		    killed_in_the_middle_and_run_again_nothing_is_doubled),
	};

	EXPECT(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
