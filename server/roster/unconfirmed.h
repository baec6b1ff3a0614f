#ifndef SERVER_ROSTER_UNCONFIRMED_H
#define SERVER_ROSTER_UNCONFIRMED_H
/*
 * unconfirmed: devices with a certificate of ours and no entry in this log:
 * they joined a log that ended (docs/PROTOCOL.md, section 9).
 *
 * What they bring is placed and held until an administrator says whose they
 * are.  Their chain keys are kept beside the log, in docs of this sort; a key
 * is believed because the device's name, which the CA signed, is its hash.
 */
#include "server/core/centre.h"
#include "server/roster/roster.h"
#include "wire/sync.h"

#define UNCONFIRMED_SORT "unconfirmed"
#define UNCONFIRMED_WHY "not confirmed since the restore"

/*
 * The device of that name, as far as it is known: dev and key.  The key is the
 * one kept, or that of the request, which is then kept.  ST_ABSENT: neither.
 */
MUST_CHECK enum status unconfirmed_device(struct centre *c,
    struct centre_reader *r, const struct sync_up *up, const char *dev,
    struct roster_device *out);

/* All that wait; the doc's key is the dev. */
MUST_CHECK enum status unconfirmed_each(
    struct centre_reader *r, store_doc_fn fn, void *arg);

/*
 * Log its enrolment, with whatever `e` says of person, name, role and team.
 * ST_ABSENT: it does not wait; ST_CONFLICT: it is in the log.
 */
MUST_CHECK enum status unconfirmed_confirm(struct centre *c, struct roster *r,
    const char *dev, struct roster_enrol *e);

#endif
