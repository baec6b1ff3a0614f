#ifndef SERVER_APP_RATE_H
#define SERVER_APP_RATE_H
/*
 * rate: how often one address may ask.
 *
 * A bucket an address: `burst` questions at once, then one each `step_ms`.  An
 * IPv4 address counts by itself, an IPv6 one by its first 64 bits.  Memory is
 * fixed: where a place is wanted that nobody leaves free, the address that has
 * asked least loses its count, so that a flood of addresses makes limits
 * softer and never locks anybody out.
 *
 * Threads: every function from any thread.
 */
#include <stdbool.h>

#include "base/port.h"

struct rate; /* private */

struct rate_config {
	const struct port *port; /* borrowed */
	unsigned burst;          /* at least 1 */
	unsigned step_ms;        /* at least 1 */
	unsigned slots;          /* addresses remembered; a power of two */
};

MUST_CHECK enum status rate_new(struct rate **out, const struct rate_config *c);
void rate_free(struct rate *r);

/* True: ask on.  False: come back in *wait_s seconds, at least 1.  `addr` as
 * text, without a port; one that cannot be read counts as one with all such. */
bool rate_take(struct rate *r, const char *addr, unsigned *wait_s);

#endif
