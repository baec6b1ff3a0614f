#ifndef AGENT_BLOBS_H
#define AGENT_BLOBS_H
/*
 * blobs: the rows of attached files (agent/log/log_blob.h) while the handheld
 * is unlocked, with what is known of each only in this session.  For the files
 * of agent/core alone.
 */
#include "agent/core/agent_impl.h"
#include "agent/core/evidence.h"
#include "agent/log/log_blob.h"

struct blob {
	struct log_blob row;
	bool sure;         /* row.sent was said by the centre in this session */
	bool tried;        /* not before_ms counts */
	uint64_t after_ms; /* port_mono_ms; nothing is tried before */
	unsigned fails;    /* in a row */
};

struct blobs {
	struct blob *at; /* owned, wiped when it is freed */
	size_t count, cap;
	uint64_t lost_rows; /* rows that did not open */
	uint64_t rate;      /* bytes a second that the link last took; 0: no
			       knowledge */
	uint64_t after_ms;  /* no upload at all before: the centre is full */
	unsigned fails;
};

/* Load the rows, sweep the folder.  Called when keys are there. */
MUST_CHECK enum status blobs_load(struct agent *a);
void blobs_free(struct agent *a); /* wiped; NULL is fine */

/* The file of that digest; NULL. */
struct blob *blobs_find(const struct agent *a, const uint8_t digest[HASH_LEN]);

/* The file that this entry was the first to name; NULL.  For entries whose body
 * was purged here. */
struct blob *blobs_named_by(const struct agent *a, const uint8_t entry[ID_LEN]);

/* The row that stands on disk now, into the list: a new one or in its place. */
MUST_CHECK enum status blobs_take(struct agent *a, const struct log_blob *row);
/* Keep `row` on disk, and in the list. */
MUST_CHECK enum status blobs_put(struct agent *a, const struct log_blob *row);

/* Append an `attach` entry (agent_filed.c). */
MUST_CHECK enum status blobs_entry(struct agent *a, struct agent_edit *edit,
    const char *on, const uint8_t digest[HASH_LEN], struct bytes more,
    uint8_t id[ID_LEN]);

/*
 * Say in the record, by a note, what BLOB_LOST and BLOB_MISMATCHED rows have
 * lost and was not said yet.  Where nothing can be written now (locked, full)
 * it is tried again with the next unlock, sync or look.
 */
void blobs_say_lost(struct agent *a);

/* A proved entry of the centre: is it a receipt for a file of ours? */
MUST_CHECK enum status blobs_receipt(
    struct agent *a, struct bytes raw, uint64_t place);

/* Another log begins: receipts at or above `kept` say nothing of it. */
MUST_CHECK enum status blobs_log_ended(struct agent *a, uint64_t kept);

/* Append ",\"evidence\":{…}" for the status. */
void blobs_status(const struct agent *a, struct buf *out);

/* Word of a state; static. */
const char *blobs_state_word(enum log_blob_state s);

/* ---- looker.c: what is in a file (agent/look/look.h) */

struct blob_reader;
/*
 * Media type and thumbnail, from a program that has neither keys nor files.
 * Where it cannot be run, or takes too long: application/octet-stream and no
 * thumbnail, never a failure.
 */
void looker_run(const char *program, struct blob_reader *r, uint64_t size,
    char type[LOG_BLOB_TYPE_MAX + 1], struct buf *thumb);

/* ---- attach_film.c: what a recording says of itself (agent/film/film.h) */

enum { ATTACH_TAKEN_BYTES = 32 };
/*
 * How long it is, and when it was made, into `b` where it says neither; `taken`
 * holds what b->taken points to then.  `fd`: the file, at any place, and left
 * at any; -1: there is none to be asked.  Where daybreak-film cannot be run or
 * gives no answer nothing is said.  ST_NOMEM.
 */
MUST_CHECK enum status attach_ask_film(const struct agent *a, int fd,
    const char *type, struct agent_about *b, char taken[ATTACH_TAKEN_BYTES]);

#endif
