/*
 * A court is opened by one process while another one commits: what the opener
 * knows of chains is never older than what it knows of the tree.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/court.h"

enum { OPENS = 60, DEVICES = 4000 };

static _Atomic bool enough;

/* New devices without end, each with a chain that nobody knew. */
static void *
bring_chains(void *arg)
{
	struct court *ct = arg;

	for (uint64_t n = 1; n <= DEVICES && !enough; n++) {
		struct handheld h;

		court_handheld(ct, &h, n);
		handheld_write(&h, 1);
		EXPECT(court_send(ct, &h, 1, 1).status == 0);
		handheld_free(&h);
	}
	return NULL;
}

/* Every entry below the size that it opened at can be read. */
static void
read_newest(struct centre *c)
{
	uint64_t size = tlog_size(centre_tlog(c));
	struct centre_reader *r;
	struct centre_entry e;

	EXPECT_OK(centre_reader_open(&r, c));
	for (uint64_t p = size > 8 ? size - 8 : 0; p < size; p++)
		EXPECT_OK(centre_entry(r, p, &e));
	centre_reader_close(r);
}

/* Catches a court read as damaged, because chains were loaded before a commit
 * and the tree after it. */
static void
a_court_opens_whole_while_another_process_commits(void **state)
{
	char errmsg[CENTRE_ERRMSG_LEN] = "";
	static struct court ct; /* a failure leaves the thread running */
	pthread_t t;

	(void)state;
	enough = false;
	court_make(&ct);
	EXPECT(pthread_create(&t, NULL, bring_chains, &ct) == 0);
	for (int i = 0; i < OPENS; i++) {
		struct centre *c;

		expect_status(centre_open(&c, &ct.cfg, errmsg), ST_OK, errmsg,
		    __FILE__, __LINE__);
		read_newest(c);
		centre_close(c);
	}
	enough = true;
	EXPECT(pthread_join(t, NULL) == 0);
	court_end(&ct);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_court_opens_whole_while_another_process_commits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
