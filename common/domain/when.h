#ifndef DOMAIN_WHEN_H
#define DOMAIN_WHEN_H
/*
 * when: moments, calendar days and lengths of time.
 *
 * A moment is milliseconds since 1970 UTC; a day is counted from 1970-01-01.
 * Which day a moment falls on depends on the court's offset from UTC, which is
 * always given: nothing here asks the system.  There is no daylight saving in
 * China, so an offset is one number.
 *
 * Lengths in days, months and years are counted by the calendar: the day that
 * corresponds, or the last of the month where there is none (Civil Code of
 * China, art. 202), so 29 February and a year is 28 February.
 */
#include "base/bytes.h"

struct when {
	int64_t ms; /* a day: its first moment at the court */
	int64_t day;
	int offset_min; /* a moment's own offset, as it was written */
	bool is_day;    /* only the day is known */
};

/* "2024-02-29", "2024-02-29T05:00:00+08:00"; false for anything else. */
bool when_read(struct when *out, struct bytes text, int offset_min);
bool when_read_day(int64_t *day, struct bytes text);
struct when when_of_ms(int64_t ms, int offset_min);

/*
 * -1, 0, 1.  By days if either is only a day, else by moments.
 */
int when_cmp(const struct when *a, const struct when *b);

enum span_unit { SPAN_SECOND, SPAN_DAY, SPAN_MONTH };
struct span {
	int64_t n;
	enum span_unit unit;
};

/* "30s" "90min" "8h" "15d" "6mo" "1y", an integer up to 99999 and a unit. */
bool span_read(struct span *out, struct bytes text);
/*
 * `a` is never longer than `b`, whatever moment it is counted from.  Of one
 * unit that is plain.  Of two it is not: 24h ends to the second, 1d with the
 * next day, and months differ; then only what is surely so is true.
 */
bool span_at_most(struct span a, struct span b);
/* For people: 24小时 / 24 hours. */
void span_show(char out[48], struct span s, bool zh);
/* A length in ms for people, the two largest units: 1天2小时 / 1 d 2 h. */
void ms_show(char out[48], int64_t ms, bool zh);

/*
 * `sign` 1 or -1.  A span in seconds is counted to the second, and gives a
 * moment even from a day (from its beginning).  A span in days, months or
 * years gives a day, even from a moment: the day on which it begins does not
 * count (Civil Procedure Law, art. 85), and it ends when its last day does.
 */
struct when when_add(
    const struct when *w, struct span s, int sign, int offset_min);
/* The last moment of what `w` names: a day's last millisecond. */
int64_t when_last_ms(const struct when *w);

/* Minutes since midnight by the moment's own offset. */
int when_minute(const struct when *w);
/* "22:00" → 1320, or -1. */
int minute_read(struct bytes text);

int64_t day_of_ms(int64_t ms, int offset_min);
int64_t day_of_civil(int64_t y, int m, int d);
void civil_of_day(int64_t day, int64_t *y, int *m, int *d);
bool civil_ok(int64_t y, int m, int d);

/* "2024-02-29 05:00" at the court, or "2024-02-29" for a day. */
void when_show(char out[32], const struct when *w, int offset_min);

#endif
