#include "agent/core/backoff.h"

/* Random in 0 .. below - 1; the slight bias of a modulus is of no matter. */
static uint64_t
random_below(const struct port *p, uint64_t below)
{
	uint8_t b[8];

	port_random(p, b, sizeof(b));
	return below == 0 ? 0 : be64_get(b) % below;
}

uint64_t
backoff_ms(const struct port *p, unsigned failures, int retry_after_s)
{
	uint64_t ceiling = BACKOFF_FIRST_MS, wait;

	for (unsigned i = 1; i < failures && ceiling < BACKOFF_MOST_MS; i++)
		ceiling *= 2;
	if (ceiling > BACKOFF_MOST_MS)
		ceiling = BACKOFF_MOST_MS;
	wait = random_below(p, ceiling + 1);
	if (retry_after_s >= 0) {
		uint64_t asked = (uint64_t)retry_after_s * 1000;

		asked += random_below(p, asked / 4 + 1);
		if (wait < asked)
			wait = asked;
	}
	return wait;
}
