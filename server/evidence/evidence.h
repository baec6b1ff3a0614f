#ifndef SERVER_EVIDENCE_EVIDENCE_H
#define SERVER_EVIDENCE_EVIDENCE_H
/*
 * evidence: the files that records name, at the centre (docs/EVIDENCE.md).
 *
 * DIR/evidence holds them by the SHA-256 of their bytes, each once, however
 * many records name it and devices bring it.  A file is in store/ only if its
 * bytes were hashed and it is durable; only then the log says so, and only
 * then its bringer is told.  What came and is not what it was named for is kept
 * apart.  evidence.db is what is known of the log, and of uploads under way:
 * without it the former is read again, the latter begin anew.
 *
 * It knows no HTTP.  Disk and hashing have threads of their own, so that
 * entries never wait for a video.
 *
 * Threads: any, but where a function says otherwise.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "base/port.h"

struct centre;
struct centre_reader;
struct evidence; /* private */

enum { EVIDENCE_ERRMSG_LEN = 256 };

struct evidence_limits {
	uint64_t max_bytes;     /* of one file */
	uint64_t free_min;      /* bytes left on the disk: below, 507 */
	uint64_t quota;         /* of a device's unfinished bytes */
	uint64_t deliver_quota; /* of all that a revoked device brings */
	uint64_t expire_ms;     /* an upload without a byte */
};
void evidence_limits_default(struct evidence_limits *out);

struct evidence_config {
	const char *dir; /* the court's folder */
	struct centre *centre;
	const struct port *port;
	const char *vfs; /* of evidence.db; NULL: the system's */
	struct evidence_limits limits;
	unsigned threads; /* for disk and hashing; 0: none, reading alone */
	/* The table in memory, made from the log by evidence_follow, and no
	 * folder made: for commands beside a running daemon. */
	bool memory;
};

/* Open, making what is not there.  Words in errmsg. */
MUST_CHECK enum status evidence_open(struct evidence **out,
    const struct evidence_config *cfg, char errmsg[EVIDENCE_ERRMSG_LEN]);

/* Finish what the threads have begun, and close.  NULL does nothing. */
void evidence_close(struct evidence *ev);

/*
 * Follow the log: who names which file, what was received, how long it is
 * kept; at most `limit` entries (0: all).  One thread at a time.
 */
MUST_CHECK enum status evidence_follow(
    struct evidence *ev, uint64_t limit, uint64_t *done);

/*
 * Does it know all that was logged when it was opened?  Until then nobody is to
 * bring a file or ask for one: a receipt that is logged already would be logged
 * again.  Any thread.
 */
bool evidence_is_whole(struct evidence *ev);

/* Uploads that nobody goes on with end; rows that nobody asks for go.  Once a
 * minute or so. */
MUST_CHECK enum status evidence_sweep(struct evidence *ev);

/* Since the start; for /metrics. */
struct evidence_counters {
	uint64_t bytes;      /* taken in */
	uint64_t running;    /* requests that bring bytes now */
	uint64_t stored;     /* files that came whole */
	uint64_t mismatched; /* and those that are not what they were named */
	uint64_t repeated;   /* brought, and there already */
	uint64_t refused;    /* for want of room, or over a quota */
	uint64_t behind;     /* places of the log not followed yet */
};
void evidence_counters(struct evidence *ev, struct evidence_counters *out);

/* ---- what became of a file */

enum evidence_state {
	EVIDENCE_NAMED,     /* nothing of it came */
	EVIDENCE_UPLOADING, /* `got` bytes of it came */
	EVIDENCE_STORED,
	EVIDENCE_MISMATCHED, /* what came was another file */
	EVIDENCE_PURGED,
	EVIDENCE_MISSING, /* the log says stored, and it is not there */
	EVIDENCE_LOST     /* its handheld lost it before it came */
};
const char *evidence_state_word(enum evidence_state s); /* "named" … */

struct evidence_status {
	enum evidence_state state;
	uint64_t got, size; /* size: 0 where it is not known here */
};
MUST_CHECK enum status evidence_status(struct evidence *ev,
    const uint8_t digest[HASH_LEN], struct evidence_status *out);

/* ---- upkeep */

enum evidence_fault {
	EVIDENCE_GONE,     /* a receipt, not purged, and no file */
	EVIDENCE_DAMAGED,  /* its bytes are not those of its name */
	EVIDENCE_ORPHAN,   /* no receipt, or no record names it */
	EVIDENCE_LEFT,     /* purged by the log, and still there */
	EVIDENCE_STRANGER, /* no name of ours */
	EVIDENCE_UNREADABLE
};
/* `name`: below the folder; valid for the call. */
typedef void (*evidence_fault_fn)(
    void *arg, enum evidence_fault what, const char *name);

struct evidence_checked {
	uint64_t files, bytes;
};
/*
 * Hash every stored file and compare with the log; changes and deletes
 * nothing.  Reads all: slow.  ST_OK also where `fn` was called.
 */
MUST_CHECK enum status evidence_check(struct evidence *ev, evidence_fault_fn fn,
    void *arg, struct evidence_checked *out);

/* A file that comes by hand, not by tus: from a broken handheld's disk. */
struct evidence_taking {
	const char *dev; /* whose it was; the receipt is made out to it */
	uint8_t digest[HASH_LEN];
	uint64_t size;
	/* The next bytes, at most `cap`; *len = 0 at the end.  Any result but
	 * ST_OK ends it with that. */
	enum status (*read)(void *arg, uint8_t *out, size_t cap, size_t *len);
	void *arg;
};
/*
 * Take it into the store: hashed, durable, receipted in the log, like one that
 * was uploaded; *was_there: it was stored already, and nothing was read, but
 * this device has its receipt now.  Nothing stays on failure.  ST_CORRUPT: its
 * bytes are not those of the digest; ST_AGAIN: a daemon that started just then
 * swept it; ST_LOCKED, ST_FULL, ST_IO, ST_NOMEM.
 */
MUST_CHECK enum status evidence_take(
    struct evidence *ev, const struct evidence_taking *t, bool *was_there);

struct evidence_copied {
	uint64_t copied, there, bytes, damaged;
	/* Of evidence_copy: how much of the log was known when it began, and
	 * how many files with receipts below are not in the copy. */
	uint64_t size, missing;
	/* In the copy, and purged by the log: somebody must delete them there
	 * too.  They are never brought back. */
	uint64_t left;
};
/*
 * Copy what `to` lacks, each file verified by its digest while it is copied and
 * durable before it gets its name; one that is damaged here is passed over and
 * counted.  ST_FULL, ST_IO, ST_DENIED.
 */
MUST_CHECK enum status evidence_copy(
    struct evidence *ev, const char *to, struct evidence_copied *out);

/* Each file of a copy that the log has purged; `fn` ends it with any result but
 * ST_OK.  ST_ABSENT: no such folder. */
typedef enum status (*evidence_left_fn)(
    void *arg, const uint8_t digest[HASH_LEN]);
MUST_CHECK enum status evidence_left(
    struct evidence *ev, const char *copy, evidence_left_fn fn, void *arg);

/*
 * Log `kept@1` `files`: the files whose receipts stand below `size` are in the
 * court's second copy, so handhelds may forget them.  Only after an
 * evidence_copy that left none missing, to a place that is kept.
 */
MUST_CHECK enum status evidence_keep(
    struct evidence *ev, uint64_t size, const char *by);

/*
 * The other way: take files from a second copy that the store lacks, each
 * verified; what is there stays.  The log's receipts are what they were.
 * Counts as evidence_copy; ST_ABSENT: no such folder.
 */
MUST_CHECK enum status evidence_bring(
    struct evidence *ev, const char *from, struct evidence_copied *out);

/* Where a stored file lies, appended to `out`. */
void evidence_path(
    const struct evidence *ev, const uint8_t digest[HASH_LEN], struct buf *out);

#endif
