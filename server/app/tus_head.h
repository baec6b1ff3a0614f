#ifndef SERVER_APP_TUS_HEAD_H
#define SERVER_APP_TUS_HEAD_H
/*
 * tus_head: what a request of tus 1.0 asks for, by its header fields alone
 * (docs/EVIDENCE.md, "tus 1.0, MUST by MUST").
 *
 * Pure: it reads ranges and writes a struct, so that it can be tried with
 * anything that a stranger may send.  Threads: any.
 */
#include "server/evidence/upload.h"

enum {
	TUS_META_MAX = UPLOAD_META_MAX, /* bytes of Upload-Metadata */
	TUS_META_PAIRS = 32
};

/* A request's fields; empty: not there.  Borrowed. */
struct tus_fields {
	struct bytes method;   /* "HEAD" may be "GET" */
	struct bytes override; /* X-HTTP-Method-Override */
	bool has_id;           /* the path names an upload … */
	struct bytes id;       /* … by this, as it was sent */
	struct bytes length, defer_length, offset, metadata, checksum;
	struct bytes content_length, content_type, transfer_encoding;
};

/* Why it will not do. */
struct tus_refusal {
	unsigned status; /* 400, 404, 405, 415 */
	const char *word, *en, *zh;
	bool metadata; /* what was said of the file: to be noted */
};

/*
 * Fill in `out`, but for dev and deliver.  out->meta is borrowed from `in`.
 * False: *why says why, all of its texts static, and `out` is not to be used.
 */
MUST_CHECK bool tus_head_read(struct upload_ask *out,
    const struct tus_fields *in, struct tus_refusal *why);

#endif
