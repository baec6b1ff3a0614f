/*
 * A handheld that runs out of memory at any place: what it said it saved is
 * saved, what it refused is not there, and the same call succeeds afterwards.
 * The centre at the other end of the line has memory enough.
 */
#include "support/bureau.h"
#include "support/fault_alloc.h"

/* Every early allocation, of later ones one in so many. */
enum { NEARER = 12 };

struct trial {
	struct bureau b;
	struct agent_uplink honest;
	char rec[REC_LEN + 1];
	uint64_t entries; /* on the handheld's chain */
};

/* The line: no allocation beyond it fails. */
static enum status
exchange(void *arg, enum agent_service what, const char *address,
    struct bytes ca, struct bytes cert, struct bytes key, struct bytes body,
    struct agent_reply *out)
{
	struct trial *t = arg;
	enum status st;

	fault_alloc_hold(true);
	st = t->honest.exchange(
	    t->honest.arg, what, address, ca, cert, key, body, out);
	fault_alloc_hold(false);
	return st;
}

static uint64_t
entries_of(struct agent *a)
{
	static const char name[] = "\"entries\":";
	struct buf b;
	uint64_t n;
	char *at;

	buf_init(&b, 1 << 16);
	EXPECT_OK(agent_status(a, &b));
	EXPECT(buf_cstr(&b) != NULL);
	at = strstr((char *)b.p, name);
	EXPECT(at != NULL);
	n = strtoull(at + sizeof(name) - 1, NULL, 10);
	buf_free(&b);
	return n;
}

static int
setup(void **state)
{
	struct trial *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return -1;
	bureau_make(&t->b);
	(void)bureau_join(&t->b, 0, "p001", "jia");
	(void)bureau_join(&t->b, 1, "p002", "jia");
	bureau_record(
	    t->b.hand[0].a, "search", "target", "[\"before\"]", t->rec);
	bureau_sync(&t->b, 0);
	t->honest = t->b.hand[0].uplink;
	t->b.hand[0].uplink.arg = t;
	t->b.hand[0].uplink.exchange = exchange;
	t->entries = entries_of(t->b.hand[0].a);
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	struct trial *t = *state;

	bureau_end(&t->b);
	free(t);
	return 0;
}

/* It went through, or says what was missing. */
static void
told(struct agent *a, enum status st, bool hit, size_t n)
{
	if (st != ST_OK && (!hit || st != ST_NOMEM))
		fail_msg("allocation %zu fails: %s: %s", n, status_name(st),
		    agent_error_en(a));
}

static void
fail_at(size_t n, bool all)
{
	if (all)
		fault_alloc_after(n);
	else
		fault_alloc_once(n);
}

/* What is on disk is what was said to be saved; unlocking shows it. */
static void
nothing_half(struct trial *t)
{
	struct agent *a = t->b.hand[0].a;
	struct buf b;

	buf_init(&b, 1 << 20);
	if (!agent_is_unlocked(a))
		EXPECT_OK(agent_unlock(a, NULL, bytes_str(bureau_pass)));
	EXPECT(entries_of(a) == t->entries);
	EXPECT_OK(agent_verify(a, &b));
	EXPECT_OK(bureau_state(a, t->rec, &b));
	buf_free(&b);
}

/* Catches an append that was refused and is there, or was said to be saved
 * and is not. */
static void
test_agent_append_short_of_memory(void **state)
{
	struct trial *t = *state;
	struct agent *a = t->b.hand[0].a;

	for (int all = 0; all < 2; all++) {
		for (size_t n = 1;; n++) {
			enum status st;
			bool hit;

			fail_at(n, all);
			st = bureau_note(a, t->rec, "[\"noted\"]");
			hit = fault_alloc_off();
			told(a, st, hit, n);
			t->entries += st == ST_OK;
			nothing_half(t);
			if (!hit)
				break;
			EXPECT(n < 20000);
		}
	}
}

/* Catches an unlock that ends half open, or leaves the file unusable. */
static void
test_agent_unlock_short_of_memory(void **state)
{
	struct trial *t = *state;
	struct agent *a = t->b.hand[0].a;

	for (size_t n = 1;; n += 1 + n / NEARER) {
		enum status st;
		bool hit;

		agent_lock(a);
		fail_at(n, n % 2 == 0);
		st = agent_unlock(a, NULL, bytes_str(bureau_pass));
		hit = fault_alloc_off();
		told(a, st, hit, n);
		EXPECT(agent_is_unlocked(a) == (st == ST_OK));
		nothing_half(t);
		if (!hit)
			break;
		EXPECT(n < 200000);
	}
}

/* Catches a sync that takes an honest centre for a liar, acknowledges what it
 * did not store, or is spoiled for good. */
static void
test_agent_sync_short_of_memory(void **state)
{
	struct trial *t = *state;
	struct agent *a = t->b.hand[0].a;

	for (size_t n = 1;; n += 1 + n / NEARER) {
		struct agent_sync_result r = { .alarmed = false };
		char rec[REC_LEN + 1];
		enum status st;
		bool hit;

		/* Something to say and something to hear, each time. */
		EXPECT_OK(bureau_note(a, t->rec, "[\"mine\"]"));
		t->entries++;
		bureau_record(t->b.hand[1].a, "search", "target",
		    "[\"a colleague's\"]", rec);
		bureau_sync(&t->b, 1);
		fail_at(n, n % 2 == 0);
		st = agent_sync(a, &r);
		hit = fault_alloc_off();
		told(a, st, hit, n);
		EXPECT(!r.alarmed);
		nothing_half(t);
		bureau_sync(&t->b, 0);
		nothing_half(t);
		if (!hit)
			break;
		EXPECT(n < 200000);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_agent_append_short_of_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_agent_unlock_short_of_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_agent_sync_short_of_memory, setup, teardown),
	};

	EXPECT(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
