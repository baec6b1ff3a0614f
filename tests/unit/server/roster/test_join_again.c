/*
 * A handheld that is in the log and does not know it: the answer to its
 * enrolment was lost, and the code has expired since.
 */
#include "agent/core/agent_impl.h"
#include "entry/chain.h"
#include "support/bureau.h"
#include "support/court_audit.h"

struct world {
	struct bureau b;
	bool lose; /* the answer to joining is lost */
};

static struct world *world;

static enum status
exchange(void *arg, enum agent_service what, const char *address,
    struct bytes ca, struct bytes cert, struct bytes key, struct bytes body,
    struct agent_reply *out)
{
	enum status st =
	    bureau_exchange(arg, what, address, ca, cert, key, body, out);

	return what == SERVICE_ENROL && world->lose ? ST_NET : st;
}

static void
make_code(struct world *w, const char *person, const char *replaces,
    uint64_t life_ms, struct buf *out)
{
	struct enrol_code c = { .person = person,
		.name = person,
		.role = "judge",
		.unit = "",
		.team = "jia",
		.replaces = replaces,
		.reason = replaces == NULL ? NULL : "broken",
		.address = "127.0.0.1:7445",
		.life_ms = life_ms,
		.by = "chief" };

	buf_init(out, 4096);
	EXPECT_OK(enrol_code_make(
	    w->b.ct.c, w->b.roster, feed_inside(w->b.feed), &c, out));
	bureau_follow(&w->b);
}

static enum status
enrol(struct world *w, int i, struct buf *code)
{
	enum status st =
	    agent_enrol(w->b.hand[i].a, buf_view(code), bytes_str(bureau_pass));

	buf_free(code);
	return st;
}

static void
open_hand(struct world *w, int i)
{
	tmpdir_make(&w->b.hand[i].home);
	bureau_open_hand(&w->b, i);
	w->b.hand[i].uplink.exchange = exchange;
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct buf code;

	if (w == NULL)
		return -1;
	world = w;
	bureau_make(&w->b);
	open_hand(w, 0);
	make_code(w, "p001", NULL, 1000, &code);
	w->lose = true;
	EXPECT_ST(enrol(w, 0, &code), ST_NET);
	w->lose = false;
	w->b.ct.clock.wall_shift_ms += 2000;
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	bureau_end(&w->b);
	free(w);
	return 0;
}

static size_t
devices(struct world *w, enum verb verb)
{
	struct centre_entry ce;
	struct entry e;
	size_t n = 0;

	entry_init(&e);
	for (uint64_t p = 0; p < court_size(&w->b.ct); p++) {
		EXPECT_OK(centre_entry(w->b.reader, p, &ce));
		if ((ce.flags & STORE_SERVER) != 0 &&
		    entry_parse(&e, ce.bytes) == ST_OK)
			n += bytes_eq_str(e.kind, "device@1") && e.verb == verb;
	}
	entry_free(&e);
	return n;
}

static void
works(struct world *w)
{
	char rec[REC_LEN + 1];

	bureau_sync(&w->b, 0);
	bureau_record(w->b.hand[0].a, "search", "target", "[\"x\"]", rec);
	bureau_sync(&w->b, 0);
	EXPECT(devices(w, DO_OPEN) == 1 && devices(w, DO_ADVANCE) == 0);
	court_audit(&w->b.ct);
}

/* Would catch a handheld with all its keys that has to be set up anew. */
static void
test_another_code_of_the_same_person_lets_it_in(void **state)
{
	struct world *w = *state;
	struct roster_device d;
	struct buf code;

	make_code(w, "p001", NULL, 3600000, &code);
	EXPECT_OK(enrol(w, 0, &code));
	EXPECT(devices(w, DO_SET) == 1);
	EXPECT_OK(roster_device_by_key(
	    w->b.roster, log_public_key(w->b.hand[0].a->log), &d));
	EXPECT(d.standing[0] == '\0' && strcmp(d.person, "p001") == 0);
	works(w);
}

/* Would catch the second answer being lost as well, and a second certificate
 * for each try. */
static void
test_the_second_answer_may_be_lost_too(void **state)
{
	struct world *w = *state;
	struct buf code, again;

	make_code(w, "p001", NULL, 3600000, &code);
	buf_init(&again, 4096);
	buf_bytes(&again, buf_view(&code));
	w->lose = true;
	EXPECT_ST(enrol(w, 0, &code), ST_NET);
	w->lose = false;
	EXPECT_OK(enrol(w, 0, &again));
	EXPECT(devices(w, DO_SET) == 1);
	works(w);
}

/* Would catch a handheld that becomes another officer's by that officer's code,
 * unseen. */
static void
test_another_persons_code_stays_refused(void **state)
{
	struct world *w = *state;
	struct buf code;

	make_code(w, "p002", NULL, 3600000, &code);
	EXPECT_ST(enrol(w, 0, &code), ST_DENIED);
	EXPECT(devices(w, DO_SET) == 0);
}

/* Would catch the way in for a handheld that was put out. */
static void
test_a_revoked_device_is_not_let_in_by_a_code(void **state)
{
	struct world *w = *state;
	char dev[DEV_LEN + 1];
	struct buf code;

	chain_dev(dev, log_public_key(w->b.hand[0].a->log));
	EXPECT_OK(
	    roster_revoke(w->b.roster, dev, "lost", "left in a car", "chief"));
	make_code(w, "p001", NULL, 3600000, &code);
	EXPECT_ST(enrol(w, 0, &code), ST_DENIED);
	EXPECT(devices(w, DO_SET) == 0);
}

/* Would catch a code that is used, and used once more by another handheld: both
 * the one whose answer was lost and the one that came after it. */
static void
test_both_codes_are_used(void **state)
{
	struct world *w = *state;
	struct buf code[2], copy;
	int hand = 1;

	make_code(w, "p001", NULL, 3600000, &code[0]);
	make_code(w, "p001", NULL, 3600000, &code[1]);
	for (int i = 0; i < 2; i++) {
		buf_init(&copy, 4096);
		buf_bytes(&copy, buf_view(&code[i]));
		EXPECT_ST(enrol(w, 0, &copy), i == 0 ? ST_OK : ST_CONFLICT);
		if (i == 0) {
			open_hand(w, hand);
			EXPECT_ST(enrol(w, hand, &code[0]), ST_DENIED);
			hand++;
		}
	}
	/* The other one is free. */
	open_hand(w, hand);
	EXPECT_OK(enrol(w, hand, &code[1]));
	EXPECT(devices(w, DO_OPEN) == 2);
}

/* Would catch a device put out by its own second enrolment: who makes the code
 * sees one in the list that never came, and says that it is replaced. */
static void
test_a_code_that_replaces_itself_puts_nobody_out(void **state)
{
	struct world *w = *state;
	char dev[DEV_LEN + 1];
	struct buf code;

	chain_dev(dev, log_public_key(w->b.hand[0].a->log));
	make_code(w, "p001", dev, 3600000, &code);
	EXPECT_OK(enrol(w, 0, &code));
	works(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_another_code_of_the_same_person_lets_it_in, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    test_the_second_answer_may_be_lost_too, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_another_persons_code_stays_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_a_revoked_device_is_not_let_in_by_a_code, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    test_both_codes_are_used, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_a_code_that_replaces_itself_puts_nobody_out, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
