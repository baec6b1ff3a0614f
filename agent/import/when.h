#ifndef AGENT_WHEN_H
#define AGENT_WHEN_H
/*
 * when: dates and times of foreign files, by pattern and zone.
 *
 * A pattern is literal text with these in it: YYYY, MM, M, DD, D, hh, h, mm,
 * ss, fff (any number of digits), AP (AM or PM, any case), Z (Z, +hh, +hhmm or
 * +hh:mm).  A single M, D or h takes one or two digits.  Outer white space is
 * passed over.
 */
#include "base/bytes.h"
#include "base/status.h"

struct when {
	int year, month, day, hour, minute, second;
	bool has_time, has_offset;
	int offset_min; /* east of UTC */
};

/* ST_INVALID: the text is not of this pattern, or no real date. */
MUST_CHECK enum status when_parse(
    struct when *out, struct bytes text, struct bytes pattern);

/*
 * Give a time without offset the one of a POSIX TZ string ("EST5EDT,M3.2.0,
 * M11.1.0").  Uses the C library's zone, which is the process's: command line
 * only, never from two threads.
 */
MUST_CHECK enum status when_in_zone(struct when *w, const char *zone);

/* "YYYY-MM-DD"; "YYYY-MM-DDThh:mm:ss+hh:mm" (or Z). */
void when_date(const struct when *w, char out[16]);
void when_datetime(const struct when *w, char out[40]);

#endif
