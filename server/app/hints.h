#ifndef SERVER_APP_HINTS_H
#define SERVER_APP_HINTS_H
/*
 * hints: what the board shows as "not yet in the log" (docs/PROTOCOL.md, 4).
 *
 * A hint that `ingest_hint` found good is taken once for each (chain, seq,
 * link) and shown until its place is logged.  Bounded: of more than a few
 * thousand the oldest go, and after a day each does.
 *
 * Threads: any.
 */
#include "base/buf.h"
#include "domain/kind.h"
#include "server/core/centre.h"
#include "server/roster/roster.h"
#include "wire/sync.h"

struct hints;

/* Both borrowed, and must outlive it. */
MUST_CHECK enum status hints_new(
    struct hints **out, struct centre *c, const struct kinds *ks);
/* Other kinds from now on; the old ones are not looked at any more. */
void hints_kinds(struct hints *h, const struct kinds *ks);
void hints_free(struct hints *h); /* NULL does nothing */

/* False: known already, or of no kind that goes ahead of its turn. */
bool hints_take(struct hints *h, const struct roster_device *d,
    const struct wire_hint *w, uint64_t now_ms);

/*
 * Objects of those that wait, oldest first, commas between, appended; those
 * whose place is logged are forgotten.  `team` "": of all.  How many there
 * were; with `out` NULL they are only counted.
 */
size_t hints_put(struct hints *h, const char *team, uint64_t now_ms,
    int offset_min, struct buf *out);

#endif
