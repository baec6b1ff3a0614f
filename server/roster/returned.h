#ifndef SERVER_ROSTER_RETURNED_H
#define SERVER_ROSTER_RETURNED_H
/*
 * returned: what handhelds hold of a log that ended (docs/PROTOCOL.md,
 * section 9).
 *
 * A revocation that the backup did not know is the one thing that must not be
 * lost quietly.  A handheld cannot prove who wrote what it brings, so nothing
 * takes effect by it: a supervisor is told, once for each device, and decides.
 */
#include "server/core/centre.h"
#include "server/roster/roster.h"
#include "server/core/ingest.h"
#include "wire/sync.h"

#define RETURNED_ALARM "revoked_before"

/* Look at what `from` handed in.  What is no such revocation is passed over. */
MUST_CHECK enum status returned_look(struct centre *c, struct roster *r,
    struct centre_reader *reader, const struct sync_up *up, const char *from);

/* Tell a supervisor of one, once: `e` revokes `dev`. */
MUST_CHECK enum status returned_tell(struct centre *c,
    struct centre_reader *reader, const char *dev, const struct entry *e,
    const char *from);

/*
 * What `from` brings with proof, made ready in `in`, behind ingest_prepare.
 * What does not prove is passed over; a supervisor is told.
 */
MUST_CHECK enum status returned_proved(struct centre *c, struct roster *r,
    struct centre_reader *reader, struct ingest *in, const struct sync_up *up,
    const char *from);

#endif
