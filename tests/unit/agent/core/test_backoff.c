#include "support/expect.h"

#include "agent/core/backoff.h"

enum { TRIES = 2000 };

/* Catches handhelds that come back sooner than they were asked to, or never,
 * or wait for hours. */
static void
test_backoff_is_what_was_asked_and_no_more_than_its_ceiling(void **state)
{
	const struct port *p = port_system();

	(void)state;
	for (unsigned n = 1; n < 40; n++) {
		uint64_t ceiling = BACKOFF_FIRST_MS;

		for (unsigned i = 1; i < n && ceiling < BACKOFF_MOST_MS; i++)
			ceiling *= 2;
		if (ceiling > BACKOFF_MOST_MS)
			ceiling = BACKOFF_MOST_MS;
		for (int i = 0; i < 50; i++) {
			uint64_t asked = backoff_ms(p, n, 1000);

			EXPECT(backoff_ms(p, n, -1) <= ceiling);
			EXPECT(asked >= 1000000 && asked <= 1250000);
		}
		EXPECT(backoff_ms(p, n, 0) <= ceiling);
	}
}

/* Catches ten thousand handhelds that return in step: the second after a
 * failure is as busy as any other. */
static void
test_backoff_spreads_those_who_failed_together(void **state)
{
	const struct port *p = port_system();
	unsigned own[10] = { 0 }, asked[10] = { 0 };

	(void)state;
	for (int i = 0; i < TRIES; i++) {
		uint64_t a = backoff_ms(p, 6, -1), b = backoff_ms(p, 1, 100);

		own[a * 10 / (32 * BACKOFF_FIRST_MS + 1)]++;
		asked[(b - 100000) * 10 / 25001]++;
	}
	/* A tenth each, and far from it only once in longer than a lifetime. */
	for (int i = 0; i < 10; i++) {
		EXPECT(own[i] > TRIES / 20 && own[i] < TRIES / 5);
		EXPECT(asked[i] > TRIES / 20 && asked[i] < TRIES / 5);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_backoff_is_what_was_asked_and_no_more_than_its_ceiling),
		cmocka_unit_test(
		    test_backoff_spreads_those_who_failed_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
