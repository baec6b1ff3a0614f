/*
 * A desk that runs out of memory at any place: a file that was told is kept,
 * one that was not is read the next time, and nothing is attached by halves.
 */
#include <unistd.h>

#include "agent/core/desk.h"
#include "support/bureau.h"
#include "support/fault_alloc.h"

struct trial {
	struct bureau b;
	struct agent *a;
	struct tmpdir card;
	char rec[REC_LEN + 1];
	char digest[65]; /* of the file that was told last */
	unsigned count;  /* makes each file another */
};

static int
setup(void **state)
{
	struct trial *t = calloc(1, sizeof(*t));
	struct bytes on[2] = { bytes_str("started_at"), bytes_str("ended_at") };
	char data[128], from[32];
	struct agent_act act = { .verb = DO_SET, .on = on, .on_count = 2 };
	struct agent_edit edit;
	uint8_t id[ID_LEN];

	if (t == NULL)
		return -1;
	bureau_make(&t->b);
	tmpdir_make(&t->card);
	t->a = bureau_join(&t->b, 0, "p001", "jia");
	bureau_record(t->a, "search", "target", "[\"x\"]", t->rec);
	at_format(from, port_wall_ms(&t->b.ct.clock.port), 480);
	(void)snprintf(data, sizeof(data), "[\"%s\",\"%s\"]", from, from);
	act.data = bytes_str(data);
	EXPECT_OK(agent_edit_begin(t->a, t->rec, &edit));
	EXPECT_OK(agent_append(t->a, &edit, &act, id));
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	struct trial *t = *state;

	tmpdir_remove(&t->card);
	bureau_end(&t->b);
	free(t);
	return 0;
}

/* A film that nobody has seen. */
static void
put_film(struct trial *t)
{
	char told[160];

	(void)snprintf(told, sizeof(told),
	    "video/mp4\nmade %llu\nlength %u\ncode 5 "
	    "DBK1:AAAAAAAAAAAAAAAAAAAAAAAAAA:5:AAAAAAAAAAAAAAAA\n",
	    (unsigned long long)port_wall_ms(&t->b.ct.clock.port), ++t->count);
	EXPECT_OK(port_write_file(port_system(), tmpdir_file(&t->card, "A.mp4"),
	    bytes_str(told), false));
}

static void
take(void *arg, enum desk_met met, const char *name, struct bytes doc)
{
	struct trial *t = arg;
	const char *at;

	(void)name;
	if (met != DESK_READ || doc.len == 0)
		return;
	at = memmem(doc.p, doc.len, "\"digest\":\"", 10);
	if (at != NULL)
		memcpy(t->digest, at + 10, 64);
}

static enum status
scan(struct trial *t, struct desk_counts *n)
{
	struct desk_card c = { .folder = t->card.path,
		.recorder = "R-7",
		.filmed_by = "p001",
		.film = "/bin/cat" };

	return agent_desk_scan(t->a, &c, take, t, n);
}

static void
told(struct agent *a, enum status st, bool hit, size_t n)
{
	if (st != ST_OK && (!hit || st != ST_NOMEM))
		fail_msg("allocation %zu fails: %s: %s", n, status_name(st),
		    agent_error_en(a));
}

/* Catches a film that is passed over for want of memory, and never read. */
static void
test_desk_scan_short_of_memory(void **state)
{
	struct trial *t = *state;
	struct desk_counts n;

	for (int all = 0; all < 2; all++) {
		for (size_t i = 1;; i += 1 + i / 40) {
			enum status st;
			bool hit;

			put_film(t);
			t->digest[0] = '\0';
			all ? fault_alloc_after(i) : fault_alloc_once(i);
			st = scan(t, &n);
			hit = fault_alloc_off();
			told(t->a, st, hit, i);
			EXPECT(st != ST_OK ||
			       n.met[DESK_READ] + n.met[DESK_KNOWN] == 1);
			EXPECT_OK(scan(t, &n));
			EXPECT(n.met[DESK_READ] + n.met[DESK_KNOWN] == 1);
			if (!hit)
				break;
			EXPECT(i < 100000);
		}
	}
}

static void
ignore(void *arg, const char *digest, const char *rec, enum status st,
    const char *id)
{
	(void)arg;
	(void)digest;
	(void)rec;
	(void)st;
	(void)id;
}

static size_t
attached(struct trial *t, const char *digest)
{
	struct buf out;
	size_t n = 0;

	buf_init(&out, 1 << 22);
	EXPECT_OK(agent_evidence(t->a, t->rec, &out));
	EXPECT(buf_cstr(&out) != NULL);
	for (const char *p = (const char *)out.p;
	     (p = strstr(p, digest)) != NULL; p++)
		n++;
	buf_free(&out);
	return n;
}

/* Catches an attachment that was refused and is there, or is there twice. */
static void
test_desk_confirm_short_of_memory(void **state)
{
	struct trial *t = *state;
	const char *recs[1] = { t->rec };
	struct desk_counts n;

	for (size_t i = 1;; i += 1 + i / 40) {
		enum status st;
		bool hit;

		put_film(t);
		EXPECT_OK(scan(t, &n));
		EXPECT(n.met[DESK_READ] == 1);
		fault_alloc_once(i);
		st = agent_desk_confirm(t->a, t->digest, recs, 1, ignore, NULL);
		hit = fault_alloc_off();
		told(t->a, st, hit, i);
		if (!agent_is_unlocked(t->a))
			EXPECT_OK(
			    agent_unlock(t->a, NULL, bytes_str(bureau_pass)));
		EXPECT(attached(t, t->digest) == (st == ST_OK));
		EXPECT_OK(
		    agent_desk_confirm(t->a, t->digest, recs, 1, ignore, NULL));
		EXPECT(attached(t, t->digest) == 1);
		if (!hit)
			break;
		EXPECT(i < 100000);
	}
}

/* Catches a list that leaves out what it had no memory for. */
static void
test_desk_list_short_of_memory(void **state)
{
	struct trial *t = *state;
	struct desk_counts n;
	struct buf whole, out;

	put_film(t);
	EXPECT_OK(scan(t, &n));
	buf_init(&whole, 1 << 22);
	buf_init(&out, 1 << 22);
	EXPECT_OK(agent_desk_list(t->a, NULL, &whole));
	for (size_t i = 1;; i += 1 + i / 60) {
		enum status st;
		bool hit;

		buf_reset(&out);
		fault_alloc_once(i);
		st = agent_desk_list(t->a, NULL, &out);
		hit = fault_alloc_off();
		told(t->a, st, hit, i);
		EXPECT(
		    st != ST_OK || bytes_eq(buf_view(&out), buf_view(&whole)));
		if (!hit)
			break;
		EXPECT(i < 20000);
	}
	buf_free(&whole);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_desk_scan_short_of_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_desk_confirm_short_of_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_desk_list_short_of_memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
