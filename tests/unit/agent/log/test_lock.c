/* The two locks. */
#include <string.h>

#include "agent/log/lock.h"
#include "base/port.h"
#include "support/expect.h"
#include <sodium.h>

static struct lock *
opened(uint64_t screen_ms, uint64_t full_ms, const char *pin)
{
	struct lock_config c = { .screen_idle_ms = screen_ms,
		.full_idle_ms = full_ms };
	struct lock *k = NULL;

	EXPECT_OK(lock_new(&k, &c));
	EXPECT(lock_state(k) == LOCK_FULL);
	lock_unlocked(k, 1000);
	if (pin != NULL)
		EXPECT_OK(lock_pin_set(k, bytes_str(pin), port_system()));
	return k;
}

/* Would catch: a PIN that can be tried for ever, a count that a right try
 * between wrong ones does not forget, a verifier that outlives the lock. */
static void
five_wrong_pins_in_a_row_are_a_full_lock(void **state)
{
	struct lock *k = opened(0, 0, "2468");
	unsigned left = 9;

	(void)state;
	for (int round = 0; round < 2; round++) {
		EXPECT(lock_screen(k) == LOCK_SCREEN);
		for (unsigned i = 4; i >= 1; i--) {
			EXPECT_ST(
			    lock_screen_unlock(k, bytes_str("2467"), 1, &left),
			    ST_DENIED);
			EXPECT(left == i);
		}
		if (round == 0)
			EXPECT_OK(
			    lock_screen_unlock(k, bytes_str("2468"), 1, &left));
	}
	EXPECT_ST(
	    lock_screen_unlock(k, bytes_str("2469"), 1, &left), ST_LOCKED);
	EXPECT(lock_state(k) == LOCK_FULL);
	/* Now not even the right one: only a passphrase opens. */
	EXPECT_ST(
	    lock_screen_unlock(k, bytes_str("2468"), 1, &left), ST_LOCKED);
	lock_unlocked(k, 1);
	EXPECT(lock_screen(k) == LOCK_FULL); /* the PIN died with it */
	lock_free(k);
}

/* Would catch: a handheld left on a table that stays open. */
static void
idle_locks_the_screen_then_all(void **state)
{
	struct lock *k = opened(5000, 60000, "1357");
	unsigned left;

	(void)state;
	EXPECT(lock_tick(k, 5999) == LOCK_OPEN);
	lock_touch(k, 5999);
	EXPECT(lock_tick(k, 10998) == LOCK_OPEN);
	EXPECT(lock_tick(k, 10999) == LOCK_SCREEN);
	lock_touch(k, 20000); /* nobody is there: it does not count */
	EXPECT(lock_tick(k, 65998) == LOCK_SCREEN);
	EXPECT_OK(lock_screen_unlock(k, bytes_str("1357"), 65998, &left));
	EXPECT(lock_tick(k, 65999) == LOCK_OPEN);
	EXPECT(lock_tick(k, 66000 + 60000) == LOCK_FULL);
	/* Time that runs backwards locks nothing, and breaks nothing. */
	lock_unlocked(k, 5000);
	EXPECT(lock_tick(k, 1) == LOCK_OPEN);
	lock_free(k);
}

/* Would catch: a screen lock that nothing but a passphrase opens, with the
 * keys still in memory; a PIN set by who is locked out. */
static void
without_a_pin_the_screen_lock_is_a_full_one(void **state)
{
	struct lock *k = opened(0, 0, NULL);

	(void)state;
	EXPECT(lock_screen(k) == LOCK_FULL);
	EXPECT_ST(lock_pin_set(k, bytes_str("1234"), port_system()), ST_LOCKED);
	lock_unlocked(k, 1);
	EXPECT_ST(lock_pin_set(k, bytes_str("123"), port_system()), ST_INVALID);
	EXPECT_OK(lock_pin_set(k, bytes_str("1234"), port_system()));
	lock_free(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_wrong_pins_in_a_row_are_a_full_lock),
		cmocka_unit_test(idle_locks_the_screen_then_all),
		cmocka_unit_test(without_a_pin_the_screen_lock_is_a_full_one),
	};

	EXPECT(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
