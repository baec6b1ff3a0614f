#ifndef AGENT_EVIDENCE_H
#define AGENT_EVIDENCE_H
/*
 * evidence: photos, video and audio on a handheld (docs/EVIDENCE.md).
 *
 * A file is hashed and sealed in one pass, with memory that does not depend on
 * its size, and named in its record by an `attach` entry, at once and off line.
 * Its bytes follow when they can.  What agent_attach_end said is saved is
 * saved: the sealed file first, then its key and the entry in one transaction.
 *
 * Uploads need keys and no officer: they go on behind a locked screen, in the
 * name of this device.
 *
 * Threads: as for agent.h.  agent_attach_write may run on another thread (a
 * camera's) than the calls on the agent: it touches none of it.
 */
#include "agent/core/agent.h"

struct agent_attach; /* private: a file under way */

/* What is said of a file.  Zeroes and NULL: nothing is said. */
struct agent_about {
	const char *on;    /* path or act it belongs to; NULL: the record */
	const char *name;  /* its own name; only what is behind the last "/" */
	const char *taken; /* RFC 3339; when it was made */
	const char *lat, *lon; /* decimal degrees */
	bool has_fix;          /* acc_m and fix_age_s are said */
	uint64_t acc_m, fix_age_s;
	bool has_clock_off;
	int64_t clock_off_ms; /* what was added to the camera's time */
	const char *of;       /* 32 hex: the attach entry it is a copy of … */
	const char *made;     /* … and how: masked, cut, copied */
	bool urgent;
	/* Of a recorder's card (docs/EVIDENCE.md); NULL and false: not said. */
	bool has_ms;
	uint64_t ms;                      /* how long a recording is */
	const char *recorder, *filmed_by; /* its number; who wore it */
	bool taken_from_file;             /* `taken` is by the file's time */
	bool taken_from_film; /* `taken` is its own word, asked for here */
	const char *clock, *clock_in; /* 32 and 64 hex */
	uint64_t clock_at_ms;         /* with `clock` */
	/* The digest that it must have, or it is not attached (ST_CONFLICT with
	 * words); NULL: any. */
	const uint8_t *digest;
};

/*
 * Begin a file for this record; what is on the screen now is what the entry
 * states as known.  ST_ABSENT (no such record), ST_LOCKED, ST_FULL, ST_IO.
 */
MUST_CHECK enum status agent_attach_begin(
    struct agent *a, const char *rec, struct agent_attach **out);
/* Append.  After any failure the file can only be aborted.  ST_FULL, ST_IO,
 * ST_LIMIT. */
MUST_CHECK enum status agent_attach_write(
    struct agent_attach *t, struct bytes in);
/*
 * The file is whole: durable, and named in the record, on ST_OK; *id is the
 * entry's.  `t` is freed whatever the result; on failure nothing of it stays.
 * The same bytes again are kept once.  ST_INVALID with words for what is said
 * wrongly in `about`.
 */
MUST_CHECK enum status agent_attach_end(struct agent_attach *t,
    const struct agent_about *about, uint8_t id[ID_LEN]);
/* Free, and forget what was written.  NULL does nothing. */
void agent_attach_abort(struct agent_attach *t);

/* All of it at once: from a path (its last part is the name, if `about` has
 * none), or from a descriptor, read to its end and left open.  Where `about`
 * says neither `ms` nor `taken` a recording is asked (docs/EVIDENCE.md), if the
 * descriptor stands at the file's beginning and can be sought. */
MUST_CHECK enum status agent_attach_path(struct agent *a, const char *rec,
    const char *path, const struct agent_about *about, uint8_t id[ID_LEN]);
MUST_CHECK enum status agent_attach_fd(struct agent *a, const char *rec, int fd,
    const struct agent_about *about, uint8_t id[ID_LEN]);

/*
 * Attach the picture of a signature, a PNG of at most 1 MiB, to the record: its
 * digest is what a `sign` names as `picture`.  ST_INVALID with words for
 * anything else.  To be done before the sign: what is signed is what stands.
 */
MUST_CHECK enum status agent_attach_picture(struct agent *a, const char *rec,
    const char *path, uint8_t digest[HASH_LEN]);

/*
 * Name in this record a file whose bytes were attached here before, to any
 * record: no byte of it is read.  ST_ABSENT: there is none of that digest.
 */
MUST_CHECK enum status agent_attach_known(struct agent *a, const char *rec,
    const uint8_t digest[HASH_LEN], const struct agent_about *about,
    uint8_t id[ID_LEN]);

/*
 * File in this record what was attached or noted before there was one (`entry`:
 * 32 hex, of an `attach` or `note` on a scene): the same bytes or words, with
 * all that was said of them then, and where they came from.  ST_ABSENT: no such
 * attachment or note here; ST_CONFLICT: it is filed in this record already.
 */
MUST_CHECK enum status agent_attach_file(struct agent *a, const char *rec,
    const char *entry, const char *on, uint8_t id[ID_LEN]);

/*
 * Attachments of a record, or of all (rec NULL), oldest first, as JSON lines:
 * {"at","by","digest","entry","from","here","in_log","name","of","on","own",
 *  "percent","rec","sent","size","state","taken","type","urgent"} and what else
 * is said of a recording; `state` as in docs/EVIDENCE.md, `here`: its bytes are
 * on this device, `filed`: another record has it from there.  A member that is
 * not known is left out.
 */
MUST_CHECK enum status agent_evidence(
    struct agent *a, const char *rec, struct buf *out);

/* The JPEG thumbnail of an attachment.  ST_ABSENT: it has none. */
MUST_CHECK enum status agent_evidence_thumb(
    struct agent *a, const char *entry, struct buf *out);

/*
 * The bytes of an attachment (`entry`: 32 hex), opened, into a descriptor; the
 * digest is checked.  ST_ABSENT: they are not on this device; ST_CORRUPT: they
 * cannot be opened, or are not those that the record names: what was written is
 * to be thrown away.
 */
MUST_CHECK enum status agent_evidence_get(
    struct agent *a, const char *entry, int fd);
/* The same into memory, for pictures; ST_LIMIT over the ceiling of `out`. */
MUST_CHECK enum status agent_evidence_read(
    struct agent *a, const uint8_t digest[HASH_LEN], struct buf *out);

/* Remove here the bytes of files attached before `before_ms` whose receipt is
 * proved and of which the centre said that they are in its second copy too
 * (`kept@1` `files`).  As agent_purge. */
MUST_CHECK enum status agent_evidence_purge(
    struct agent *a, uint64_t before_ms, uint64_t *purged);

/* How many stand where, and how much is still to go. */
struct agent_evidence_counts {
	uint64_t files, named, uploading, waiting, stored, mismatched, purged,
	    lost;
	uint64_t bytes_left; /* of those not yet whole at the centre */
};
void agent_evidence_count(
    const struct agent *a, struct agent_evidence_counts *out);

/* ---- upload */

struct agent_upload_limits {
	uint64_t budget; /* bytes that may be sent in this step */
	uint64_t above;  /* nothing of more bytes than this; 0: anything */
	bool urgent_only;
};
enum agent_upload_what {
	UPLOAD_IDLE,  /* nothing is to be sent */
	UPLOAD_MOVED, /* something went; call again, entries first */
	UPLOAD_WAIT,  /* not now: after wait_ms */
	UPLOAD_SPENT, /* what is left does not fit the limits */
};
struct agent_upload_result {
	enum agent_upload_what what;
	uint64_t wait_ms;
	uint64_t body_up; /* bytes of files that went out in this step … */
	uint64_t taken;   /* … and how many more the centre said it has */
	uint64_t bytes_up, bytes_down; /* all of it, headers too */
	uint8_t digest[HASH_LEN];      /* of the file it was about */
	bool whole;                    /* … of which the centre has all now */
};
/*
 * One step: at most three requests, of which one carries bytes, no more than
 * the link takes in some seconds.  ST_OK whatever the centre said about the one
 * file, for which `what` says how to go on; ST_NET, ST_DENIED, ST_AGAIN with
 * words where none can be sent now.
 */
MUST_CHECK enum status agent_upload(struct agent *a,
    const struct agent_upload_limits *limits, struct agent_upload_result *out);

#endif
