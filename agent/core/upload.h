#ifndef AGENT_UPLOAD_H
#define AGENT_UPLOAD_H
/* upload: what agent_upload.c and agent_upload_bad.c share. */
#include "agent/core/blobs.h"
#include "agent/core/evidence.h"

enum {
	UPLOAD_PIECE_FIRST = 64 << 10, /* before anything is known */
	UPLOAD_PIECE_LEAST = 16 << 10,
	UPLOAD_PIECE_MOST = 16 << 20,
	UPLOAD_PIECE_S = 8,                  /* that a piece should take */
	UPLOAD_SMALL = 64 << 10,             /* goes with its creation */
	UPLOAD_AUDIO_BYTES = 1 << 20,        /* a minute at 128 kbit/s */
	UPLOAD_RECEIPT_MS = 10 * 60 * 1000,  /* before it is asked for */
	UPLOAD_FULL_MS = 5 * 60 * 1000,      /* the centre's disk is full */
	UPLOAD_HOPELESS_MS = 60 * 60 * 1000, /* nothing here can mend it */
	UPLOAD_METADATA_MAX = 400
};

/* A step under way. */
struct step {
	struct agent *a;
	struct blob *b;
	struct agent_upload_result *out;
	uint64_t now;   /* port_mono_ms */
	uint64_t piece; /* bytes that may be sent */
};

unsigned upload_class(const struct log_blob *r);
bool upload_before(const struct log_blob *x, const struct log_blob *y);
bool upload_location(const char *said, uint8_t id[LOG_BLOB_UPLOAD_LEN]);
uint64_t upload_piece(const struct blobs *all);

/* ---- agent_upload_bad.c: what went wrong, and when to try again */

/* No answer came. */
MUST_CHECK enum status upload_failed(
    struct step *s, enum status st, const struct agent_tus_reply *reply);
/* An answer that is no success. */
MUST_CHECK enum status upload_refused(
    struct step *s, const struct agent_tus_reply *reply);
/* An answer that cannot be right: begin anew, a little later each time. */
MUST_CHECK enum status upload_strange(struct step *s);

#endif
