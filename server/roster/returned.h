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
#include "wire/sync.h"

#define RETURNED_ALARM "revoked_before"

/* Look at what `from` handed in.  What is no such revocation is passed over. */
MUST_CHECK enum status returned_look(struct centre *c, struct roster *r,
    struct centre_reader *reader, const struct sync_up *up, const char *from);

#endif
