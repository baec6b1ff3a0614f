#ifndef BASE_STATUS_H
#define BASE_STATUS_H
/*
 * status: the one set of results that functions return.
 *
 * A code exists only because some caller acts on it differently.  "The input
 * is bad" is a status; "we are wrong" is an assert, which stays on in release.
 */

#define MUST_CHECK __attribute__((warn_unused_result))

#define STATUS_CODES(X)                                                        \
	X(OK, "done")                                                          \
	X(NOMEM, "out of memory")                                              \
	X(IO, "the disk or the system failed")                                 \
	X(FULL, "the disk is full")                                            \
	X(INVALID, "the input is not valid")                                   \
	X(LIMIT, "over a limit")                                               \
	X(ABSENT, "not there")                                                 \
	X(CORRUPT, "stored data is damaged")                                   \
	X(DENIED, "not allowed, or the wrong key")                             \
	X(CONFLICT, "something else stands in that place")                     \
	X(AGAIN, "not now; try later")                                         \
	X(NET, "the network failed")                                           \
	X(LOCKED, "locked")                                                    \
	X(NEWER, "made by a newer version")

enum status {
#define STATUS_ENUM(name, text) ST_##name,
	STATUS_CODES(STATUS_ENUM)
#undef STATUS_ENUM
};

/* Short English words for a code, never NULL; static storage. */
const char *status_text(enum status st);

/* The code's own name, as `--json` prints it; static storage. */
const char *status_name(enum status st);

#endif
