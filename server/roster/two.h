#ifndef SERVER_ROSTER_TWO_H
#define SERVER_ROSTER_TWO_H
/*
 * two: what two people of the roster decide together (docs/PROTOCOL.md,
 * section 8): one proposes, another one confirms, and both must have a role
 * that may.
 *
 * Whoever reads the log sees two names; that each was that person is held by
 * who may run the commands and who has which token (docs/THREATS.md).
 */
#include "domain/words.h"
#include "server/roster/roster.h"

enum two_what { TWO_DEFINE = 1, TWO_ERASE = 2, TWO_FINDING = 4 };

/*
 * May this person of the roster propose or confirm it?  ST_OK; ST_DENIED with
 * words: not on the roster, or another role; else what the roster failed with.
 */
MUST_CHECK enum status two_may(struct roster *r, const char *person,
    enum two_what what, struct words *why);

#endif
