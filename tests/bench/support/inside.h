#ifndef BENCH_INSIDE_H
#define BENCH_INSIDE_H
/*
 * inside: the centre's heart in this process, without a network: officers'
 * requests, decoded, are verified, committed and put into the tree.
 */
#include "bench/support/officer.h"
#include "server/core/ingest.h"
#include "server/roster/roster.h"

enum { INSIDE_OFFICERS_MAX = 100 };

struct inside {
	struct centre_proc proc;
	struct centre *centre;
	struct roster *roster;
	struct wire_codec *codec;
	struct officer officer[INSIDE_OFFICERS_MAX];
	struct officer_piece piece[INSIDE_OFFICERS_MAX]; /* of the last round */
	struct sync_msg *msg[INSIDE_OFFICERS_MAX];
	struct ingest *ingest[INSIDE_OFFICERS_MAX];
	size_t officers;
	uint64_t entries; /* committed so far */
};

/* Wall and CPU, in microseconds, of what was measured. */
struct inside_cost {
	double wall, cpu;
};

/* A court with that many officers, opened. */
void inside_open(struct inside *in, size_t officers);
/* Close the centre; the court stays, for a server to run on. */
void inside_stop(struct inside *in);
void inside_close(struct inside *in);

/*
 * A piece of each officer: written and decoded unmeasured, then prepared and
 * committed, `at_once` requests in a transaction; what that costs is added to
 * `prepare` and `commit` (either may be NULL).
 */
void inside_round(struct inside *in, size_t at_once,
    struct inside_cost *prepare, struct inside_cost *commit);

#endif
