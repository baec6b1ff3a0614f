#ifndef SERVER_EVIDENCE_UPLOAD_H
#define SERVER_EVIDENCE_UPLOAD_H
/*
 * upload: bytes of a file, taken in as they come.
 *
 * One `run` is one request of a device.  Its bytes lie in two buffers of 64
 * KiB, one filled by the network while the other is written and hashed by a
 * thread of the evidence room; when both are full the sender waits.  So a
 * running upload costs the same memory whatever its size.
 *
 * An upload stands at its durable offset.  A newer request of the same upload
 * ends the older one, whose bytes, as far as they came, are written first.
 *
 * Threads: upload_start, _put, _finish, _drop of one run on one thread (the
 * network's); they never wait.  The calls of `struct upload_calls` come from
 * the evidence room's threads.
 */
#include "base/sha.h"
#include "server/evidence/evidence.h"

struct upload_run; /* private */

enum { UPLOAD_ID_LEN = 16, UPLOAD_CHUNK = 64 << 10, UPLOAD_META_MAX = 4096 };

enum upload_what {
	UPLOAD_CREATE, /* and write, if the request has bytes */
	UPLOAD_LOOK,
	UPLOAD_WRITE,
	UPLOAD_REMOVE
};

enum upload_sum { UPLOAD_SUM_NONE, UPLOAD_SUM_SHA256, UPLOAD_SUM_SHA1 };

struct upload_ask {
	enum upload_what what;
	char dev[DEV_LEN + 1];
	bool deliver;              /* revoked, and still bringing */
	uint8_t id[UPLOAD_ID_LEN]; /* but for CREATE */
	uint8_t digest[HASH_LEN];  /* of CREATE */
	/* Of CREATE: what its maker said of the file, given back as it came
	 * by LOOK; at most UPLOAD_META_MAX bytes that may stand in a header.
	 * Borrowed until upload_start returns. */
	struct bytes meta;
	uint64_t length; /* of CREATE */
	uint64_t offset; /* of WRITE */
	bool has_body;
	uint64_t body_len; /* UINT64_MAX: not stated */
	enum upload_sum sum;
	uint8_t sum_value[HASH_LEN]; /* SHA1_LEN of it for SHA-1 */
};

enum upload_why {
	UPLOAD_OK,
	UPLOAD_ABSENT,   /* unknown, or another device's */
	UPLOAD_EXPIRED,  /* nobody went on with it in time */
	UPLOAD_ENDED,    /* its device ended it (REMOVE) */
	UPLOAD_OFFSET,   /* it stands elsewhere, or a newer request took over */
	UPLOAD_TOO_BIG,  /* over the limit, or more than was announced */
	UPLOAD_CHECKSUM, /* of this request; nothing of it stays */
	UPLOAD_DIGEST,   /* whole, and another file: kept apart */
	UPLOAD_FULL,     /* the disk */
	UPLOAD_QUOTA,    /* of this device */
	UPLOAD_FAILED    /* `st` */
};

struct upload_info {
	enum upload_why why;
	enum status st;
	uint8_t id[UPLOAD_ID_LEN];
	uint64_t offset, length; /* offset: durable */
	bool takes;              /* the body is wanted */
	uint64_t expires_ms;     /* wall clock; 0: not any more */
	/* Of LOOK: `meta` of its creation; NULL: none was given.  Valid until
	 * the run is finished or dropped; for `ended`, during that call. */
	const char *meta;
};

/*
 * `arg` stays valid until the last call that is owed was made: `ready` after
 * upload_start, `room` after UPLOAD_PUT_WAIT, `ended` after upload_finish.
 */
struct upload_calls {
	void (*ready)(void *arg);
	void (*room)(void *arg);
	void (*ended)(void *arg, const struct upload_info *info);
};

/* Begin; `ready` is called once it is known what becomes of it.  NULL: no
 * memory, and no call. */
struct upload_run *upload_start(struct evidence *ev,
    const struct upload_ask *ask, const struct upload_calls *calls, void *arg);

/* What became of it; after `ready`, or after UPLOAD_PUT_ENDED. */
void upload_info(struct upload_run *run, struct upload_info *out);

enum upload_put {
	UPLOAD_PUT_OK,
	UPLOAD_PUT_WAIT, /* taken; no more until `room` */
	UPLOAD_PUT_ENDED /* not taken: upload_info says why */
};
/* Bytes of the body, at most UPLOAD_CHUNK at once. */
enum upload_put upload_put(struct upload_run *run, struct bytes in);

/* All came.  `ended` tells what became of it; the run is no more the
 * caller's. */
void upload_finish(struct upload_run *run);

/* No more comes, and nobody wants to know: what came stays. */
void upload_drop(struct upload_run *run);

#endif
