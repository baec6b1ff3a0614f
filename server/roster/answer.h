#ifndef SERVER_ROSTER_ANSWER_H
#define SERVER_ROSTER_ANSWER_H
/*
 * answer: one sync request from bytes to bytes (docs/PROTOCOL.md, 2 to 6).
 *
 * In three steps, so that a network thread never waits for the disk: begin
 * decodes and prepares; the caller submits what answer_job gives; finish, once
 * the job is done, composes the answer.  A simulation calls answer_whole.
 *
 * Threads: one answer, one thread at a time; many at once on one centre.
 */
#include "server/core/centre.h"
#include "server/roster/feed.h"
#include "server/roster/roster.h"

struct answer; /* reusable: its memory is kept for the next request */

struct answer_peer {
	char dev[DEV_LEN + 1];
	bool deliver; /* a revoked certificate: entries up, acks down */
};

MUST_CHECK enum status answer_new(
    struct answer **out, struct centre *c, struct roster *r, struct feed *f);
void answer_free(struct answer *a); /* not while its job is under way */

/*
 * Read a request.  ST_OK; ST_INVALID, ST_LIMIT, ST_NEWER with *why: the frame
 * is bad (400, 413, 426); ST_DENIED: no such device (403); ST_LOCKED: the log
 * is stopped (503); ST_AGAIN; ST_IO, ST_NOMEM.
 */
MUST_CHECK enum status answer_begin(struct answer *a,
    const struct answer_peer *peer, struct bytes request, const char **why);

/* The job to submit before finish; NULL: nothing has to be committed. */
struct commit_job *answer_job(struct answer *a);

/* Compose the answer; appended to `out`. */
MUST_CHECK enum status answer_finish(struct answer *a, struct buf *out);

/* begin, commit by hand, finish. */
MUST_CHECK enum status answer_whole(struct answer *a,
    const struct answer_peer *peer, struct bytes request, struct buf *out,
    const char **why);

/* Called for each hint that is good, on the thread of answer_begin; `h` is
 * borrowed for the call.  True: it was not known yet. */
struct wire_hint;
typedef bool (*answer_hint_fn)(
    void *arg, const struct roster_device *d, const struct wire_hint *h);
void answer_on_hint(struct answer *a, answer_hint_fn fn, void *arg);

struct answer_counters {
	uint64_t entries_up, entries_down;
	uint64_t hints; /* that were not known yet */
	bool has_clock; /* the device said what its clock shows */
	uint64_t clock_ms;
};
/* Of the last request. */
void answer_counters(const struct answer *a, struct answer_counters *out);

#endif
