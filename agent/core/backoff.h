#ifndef AGENT_BACKOFF_H
#define AGENT_BACKOFF_H
/*
 * backoff: how long to wait before the next try: full jitter, doubling from
 * 2 s to 10 min, so that ten thousand handhelds do not return in step
 * (docs/PROTOCOL.md, section 1).
 */
#include "base/port.h"

enum { BACKOFF_FIRST_MS = 2000, BACKOFF_MOST_MS = 600000 };

/*
 * Milliseconds to wait after `failures` failures in a row (at least 1): random
 * in 0 .. min(most, first * 2^(failures-1)), and never below the
 * `retry_after_s` that the centre asked for (-1: none), to which up to a
 * quarter is added at random.
 */
uint64_t backoff_ms(const struct port *p, unsigned failures, int retry_after_s);

#endif
