/* The court's own entries, found by their chains. */
#include <string.h>

#include "support/court.h"

static void
write_on(struct court *ct, struct handheld *h, size_t count)
{
	uint64_t first = h->count + 1;

	handheld_write(h, count);
	EXPECT(court_send(ct, h, first, h->count).status == ACK_TAKEN);
}

/* The next server entry that a scan of everything finds from `at` on. */
static uint64_t
next_by_scan(struct court *ct, struct centre_reader *r, uint64_t at)
{
	uint64_t place = UINT64_MAX;
	struct centre_scan *sc;
	struct centre_entry e;

	EXPECT_OK(centre_scan_open(&sc, r, at, court_size(ct)));
	while (place == UINT64_MAX && centre_scan_next(sc, &e) == ST_OK) {
		if ((e.flags & STORE_SERVER) != 0)
			place = e.place;
	}
	centre_scan_close(sc);
	return place;
}

/* Would catch: an own entry passed over, given twice or out of order, one of a
 * device given, one lost that was not said to be taken, one at or above the
 * limit given. */
static void
test_centre_own_gives_each_own_entry_once(void **state)
{
	struct centre_reader *r, *other;
	struct centre_own *own;
	struct centre_entry e;
	struct handheld h[2];
	struct court ct;
	uint64_t at = 0, seen = 0;

	(void)state;
	court_make(&ct);
	for (size_t i = 0; i < 2; i++)
		court_handheld(&ct, &h[i], 40 + i);
	EXPECT_OK(centre_reader_open(&r, ct.c));
	EXPECT_OK(centre_reader_open(&other, ct.c));
	EXPECT_OK(centre_own_open(&own, ct.c, r));
	EXPECT_ST(centre_own_next(own, 0, &e), ST_ABSENT);
	for (size_t round = 0; round < 5; round++) {
		uint64_t place;

		while ((place = next_by_scan(&ct, other, at)) != UINT64_MAX) {
			EXPECT_ST(centre_own_next(own, place, &e), ST_ABSENT);
			EXPECT_OK(centre_own_next(own, place + 1, &e));
			EXPECT(e.place == place);
			/* Not taken: given again. */
			EXPECT_OK(centre_own_next(own, court_size(&ct), &e));
			EXPECT(e.place == place);
			EXPECT((e.flags & STORE_SERVER) != 0);
			centre_own_took(own);
			centre_own_took(own); /* once is enough */
			at = place + 1;
			seen++;
		}
		EXPECT_ST(centre_own_next(own, court_size(&ct), &e), ST_ABSENT);
		write_on(&ct, &h[round % 2], 7);
	}
	EXPECT(seen > 5);
	centre_own_close(own);
	centre_own_close(NULL);
	centre_reader_close(other);
	centre_reader_close(r);
	for (size_t i = 0; i < 2; i++)
		handheld_free(&h[i]);
	court_end(&ct);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_centre_own_gives_each_own_entry_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
