#ifndef SERVER_EVIDENCE_CUSTODY_H
#define SERVER_EVIDENCE_CUSTODY_H
/*
 * custody: where a file came from, who had it and who looked at it: what the
 * log says and nothing else; and stored files opened to be read.
 *
 * Threads: any; a reader of the centre serves its caller alone.
 */
#include "server/core/centre.h"
#include "server/evidence/evidence.h"

/* One step in the life of a file. */
enum custody_what {
	CUSTODY_SEALED,   /* `attach` on a handheld */
	CUSTODY_RECEIVED, /* `evidence@1` */
	CUSTODY_MISMATCHED,
	CUSTODY_VIEWED,
	CUSTODY_COPIED,
	CUSTODY_PURGED,
	CUSTODY_LOST, /* on its handheld, before it came */
	CUSTODY_MADE  /* `taken` of the `attach`: wall is that time */
};
const char *custody_word(enum custody_what w); /* "sealed" … */
const char *custody_word_zh(enum custody_what w);

struct custody_step {
	enum custody_what what;
	uint64_t place;
	uint64_t wall;         /* of the entry's writer */
	char rec[REC_LEN + 1]; /* that the entry is of */
	uint8_t id[ID_LEN];
	char dev[DEV_LEN + 1]; /* whose, that lost or that brought it */
	char by[256];          /* officer, reader, administrator */
	/* Of SEALED: the entry's `more`, canonical JSON, and what it hangs on;
	 * of PURGED and COPIED the reason.  Borrowed for the call. */
	struct bytes more, on, reason;
};
typedef enum status (*custody_fn)(void *arg, const struct custody_step *s);

/* In order of place, MADE before the SEALED that says so; `fn` ends it with any
 * result but ST_OK. */
MUST_CHECK enum status custody_each(struct evidence *ev,
    struct centre_reader *r, const uint8_t digest[HASH_LEN], custody_fn fn,
    void *arg);

/* One step as a JSON object, `at` in a zone so many minutes from UTC. */
void custody_json(
    struct buf *out, const struct custody_step *s, int utc_offset_min);

/* Digests that a record names, each once, in order of their first place. */
typedef enum status (*custody_digest_fn)(
    void *arg, const uint8_t digest[HASH_LEN]);
MUST_CHECK enum status custody_of_record(
    struct evidence *ev, const char *rec, custody_digest_fn fn, void *arg);

/* What the first `attach` that names it says of it. */
struct custody_named {
	char type[128], name[256]; /* "" if not stated */
};
MUST_CHECK enum status custody_named(struct evidence *ev,
    struct centre_reader *r, const uint8_t digest[HASH_LEN],
    struct custody_named *out);

/*
 * Somebody reads, which is logged once an hour for each reader, or takes a
 * copy, which always is; `reason`: for whom and what for, or NULL.  Waits for
 * the commit.  ST_ABSENT: there is no receipt of it; ST_LOCKED.
 */
MUST_CHECK enum status custody_note(struct evidence *ev,
    const uint8_t digest[HASH_LEN], bool copied, const char *who,
    const char *range, const char *reason);

/* A copy that leaves the centre. */
struct custody_copying {
	const char *to;     /* a file that is not there yet */
	const char *who;    /* takes it */
	const char *reason; /* for whom and what for; NULL: not said */
};
/*
 * Copy one file out: noted in the log before the first byte, verified by its
 * digest while it is copied, durable before it gets its name.  *bytes: how many
 * went.  ST_ABSENT: it is not stored here, or has no receipt; ST_CONFLICT:
 * something stands there; ST_CORRUPT: it is damaged here, and there is no copy
 * (the log says that one was taken: there was a try); ST_LOCKED, ST_FULL,
 * ST_DENIED, ST_IO, ST_NOMEM.
 */
MUST_CHECK enum status custody_copy(struct evidence *ev,
    const uint8_t digest[HASH_LEN], const struct custody_copying *how,
    uint64_t *bytes);

/* ---- reading */

struct stored_file; /* private */

/* ST_ABSENT. */
MUST_CHECK enum status stored_open(struct stored_file **out,
    struct evidence *ev, const uint8_t digest[HASH_LEN], uint64_t *size);
void stored_close(struct stored_file *f);
/* Here and now; *len: how much there was.  For the first bytes. */
MUST_CHECK enum status stored_peek(
    struct stored_file *f, void *out, size_t max, size_t *len);
/*
 * On a thread of the evidence room: `fn` gets up to 64 KiB from `at` on, at
 * most `max` of them, borrowed until the next call; empty if they cannot be
 * read.  One at a time.
 */
typedef void (*stored_fn)(void *arg, struct bytes piece);
void stored_read(
    struct stored_file *f, uint64_t at, uint64_t max, stored_fn fn, void *arg);

#endif
