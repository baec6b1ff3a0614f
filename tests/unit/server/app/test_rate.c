#include "support/expect.h"

#include <stdio.h>
#include <string.h>

#include "server/app/rate.h"
#include "support/clock_port.h"

static uint64_t clock_ms = 1000000;

static uint64_t
mono(void *arg)
{
	(void)arg;
	return clock_ms;
}

static struct rate *
made(struct port *port, unsigned slots)
{
	struct rate_config c = {
		.port = port, .burst = 3, .step_ms = 2000, .slots = slots
	};
	struct rate *r = NULL;

	*port = *port_system();
	port->mono_ms = mono;
	EXPECT_OK(rate_new(&r, &c));
	return r;
}

/* Catches a limit that is one too many, or that never ends. */
static void
test_rate_lets_a_burst_through_and_then_one_a_step(void **state)
{
	struct port port;
	struct rate *r = made(&port, 64);
	unsigned wait = 99;

	(void)state;
	for (int i = 0; i < 3; i++)
		EXPECT(rate_take(r, "192.0.2.1", &wait) && wait == 0);
	EXPECT(!rate_take(r, "192.0.2.1", &wait) && wait == 2);
	clock_ms += 1999;
	EXPECT(!rate_take(r, "192.0.2.1", &wait) && wait == 1);
	clock_ms += 1;
	EXPECT(rate_take(r, "192.0.2.1", &wait));
	EXPECT(!rate_take(r, "192.0.2.1", &wait));
	/* After the whole time all of the burst is there again, no more. */
	clock_ms += 3600000;
	for (int i = 0; i < 3; i++)
		EXPECT(rate_take(r, "192.0.2.1", &wait));
	EXPECT(!rate_take(r, "192.0.2.1", &wait));
	rate_free(r);
}

/* Catches neighbours that pay for each other, and a subscriber with 2^64
 * addresses. */
static void
test_rate_counts_an_address_and_a_subscribers_network(void **state)
{
	struct port port;
	struct rate *r = made(&port, 64);
	unsigned wait;

	(void)state;
	for (int i = 0; i < 3; i++)
		EXPECT(rate_take(r, "192.0.2.1", &wait));
	EXPECT(rate_take(r, "192.0.2.2", &wait));
	EXPECT(rate_take(r, "2001:db8::1", &wait));
	EXPECT(rate_take(r, "2001:db8::2", &wait));
	EXPECT(rate_take(r, "2001:db8:0:0:ffff::3", &wait));
	EXPECT(!rate_take(r, "2001:db8::4", &wait));
	EXPECT(rate_take(r, "2001:db8:0:1::1", &wait));
	rate_free(r);
}

/* Catches a table that locks people out once it is full of others. */
static void
test_rate_a_flood_of_addresses_locks_nobody_out(void **state)
{
	struct port port;
	struct rate *r = made(&port, 8);
	unsigned wait;
	char addr[32];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(
		    addr, sizeof(addr), "198.51.%d.%d", i / 250, i % 250);
		EXPECT(rate_take(r, addr, &wait));
	}
	rate_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_rate_lets_a_burst_through_and_then_one_a_step),
		cmocka_unit_test(
		    test_rate_counts_an_address_and_a_subscribers_network),
		cmocka_unit_test(
		    test_rate_a_flood_of_addresses_locks_nobody_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
