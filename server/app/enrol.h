#ifndef SERVER_APP_ENROL_H
#define SERVER_APP_ENROL_H
/*
 * enrol: how a handheld joins the court and keeps its certificate
 * (docs/PROTOCOL.md, section 7), from request bodies to answers.
 *
 * What is answered with a certificate stands in the log already.  The same
 * code with the same keys gets the same answer until the code expires; with
 * other keys it is refused, and supervisors are told.
 *
 * Threads: any; calls wait for commits, so never on a network thread or the
 * committer's.
 */
#include "base/buf.h"
#include "server/core/centre.h"
#include "server/roster/feed.h"
#include "server/roster/roster.h"

struct enrol; /* private: challenges that are open */

struct enrol_config {
	struct centre *centre;
	struct roster *roster;
	unsigned cert_days;     /* validity of device certificates */
	const char *devices_at; /* host:port that devices are told */
};

MUST_CHECK enum status enrol_new(
    struct enrol **out, const struct enrol_config *c);
void enrol_free(struct enrol *e);

/* An answer: an HTTP status and its JSON body, appended to `body`. */
struct enrol_reply {
	unsigned status;
	struct buf *body;
};

/* GET /v1/descriptor. */
MUST_CHECK enum status enrol_descriptor(
    struct enrol *e, struct centre_reader *cr, struct buf *body);

MUST_CHECK enum status enrol_join(
    struct enrol *e, struct bytes request, struct enrol_reply *out);
MUST_CHECK enum status enrol_renew(struct enrol *e, const char *dev,
    struct bytes request, struct enrol_reply *out);
MUST_CHECK enum status enrol_challenge(
    struct enrol *e, struct bytes request, struct enrol_reply *out);
MUST_CHECK enum status enrol_renew_expired(
    struct enrol *e, struct bytes request, struct enrol_reply *out);

/* ---- codes */

struct enrol_code {
	const char *person, *name, *role, *unit, *team;
	const char *replaces, *reason; /* a device that this one replaces */
	const char *address;           /* host:port of the public listener */
	uint64_t life_ms;
	const char *by;
};
/*
 * Make a code: the person is put on the roster (docs/PROTOCOL.md, 8), then the
 * code's hash is kept.  The text is appended to `out`, which the caller wipes.
 * ST_INVALID: a name or address that will not do; ST_CONFLICT: as in
 * roster_person_put, ask again.
 */
MUST_CHECK enum status enrol_code_make(struct centre *c, struct roster *r,
    struct feed_reader *fr, const struct enrol_code *what, struct buf *out);

/* roster_records over a feed reader. */
enum status enrol_feed_records(void *feed_reader, const uint8_t scope[ID_LEN],
    roster_rec_fn fn, void *arg);

#endif
