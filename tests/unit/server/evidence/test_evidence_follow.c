/* What is known of files while the log is still being read. */
#include <sodium.h>

#include "server/evidence/evidence.h"
#include "support/court.h"

/* Would catch: files taken, and receipts logged a second time, before all is
 * known that was logged when the server started; or never taken at all. */
static void
test_evidence_is_whole_once_the_log_was_read(void **state)
{
	struct evidence_config c = { .memory = true };
	char why[EVIDENCE_ERRMSG_LEN] = "";
	struct evidence *ev;
	struct handheld h;
	struct court ct;
	uint64_t done, size;

	(void)state;
	court_make(&ct);
	court_handheld(&ct, &h, 7);
	handheld_write(&h, 9);
	EXPECT(court_send(&ct, &h, 1, 9).status == ACK_TAKEN);
	size = court_size(&ct);
	c.dir = ct.dir.path;
	c.centre = ct.c;
	c.port = &ct.clock.port;
	evidence_limits_default(&c.limits);
	EXPECT_OK(evidence_open(&ev, &c, why));
	EXPECT(!evidence_is_whole(ev));
	EXPECT_OK(evidence_follow(ev, size - 1, &done));
	EXPECT(done == size - 1 && !evidence_is_whole(ev));
	/* What comes meanwhile does not put it off. */
	handheld_write(&h, 9);
	EXPECT(court_send(&ct, &h, 10, 18).status == ACK_TAKEN);
	EXPECT_OK(evidence_follow(ev, 1, &done));
	EXPECT(evidence_is_whole(ev));
	evidence_close(ev);
	handheld_free(&h);
	court_close(&ct);
	court_end(&ct);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_evidence_is_whole_once_the_log_was_read),
	};

	EXPECT(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
