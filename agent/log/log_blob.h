#ifndef AGENT_LOG_LOG_BLOB_H
#define AGENT_LOG_LOG_BLOB_H
/*
 * log_blob: what the handheld knows of each attached file whose bytes it has
 * or had: key, digest, where its upload stands.  One sealed row a content, in
 * the same file as the entries, so that an entry and its row are written
 * together (log_batch_begin).  docs/FORMAT.md, "Sealed files".
 */
#include "agent/log/log.h"
#include "crypt/blob.h"

enum {
	LOG_BLOB_TYPE_MAX = 127, /* bytes of a media type */
	LOG_BLOB_UPLOAD_LEN = 16 /* the last part of an upload's address */
};

enum log_blob_state {
	BLOB_NAMED,
	BLOB_UPLOADING,
	BLOB_WAITING,
	BLOB_STORED,
	BLOB_MISMATCHED,
	BLOB_PURGED,
	BLOB_LOST,
	BLOB_STATES
};

struct log_blob {
	uint8_t id[BLOB_ID_LEN]; /* of the file; its name in hex */
	uint8_t key[SEAL_KEY_LEN];
	uint8_t digest[HASH_LEN];
	uint64_t size;
	uint64_t made_ms;      /* wall clock when it was attached */
	char rec[REC_LEN + 1]; /* the record that named it first … */
	uint8_t entry[ID_LEN]; /* … and the entry */
	char type[LOG_BLOB_TYPE_MAX + 1];
	enum log_blob_state state;
	bool urgent;
	unsigned tries; /* times that the centre got other bytes */
	bool has_upload;
	uint8_t upload[LOG_BLOB_UPLOAD_LEN];
	uint64_t sent; /* bytes that the centre said it has, durable */
	/* Where stored: of the receipt in the central log.  While waiting for
	 * it: since when, by the wall clock in ms. */
	uint64_t place;
};

/* Put the row of that digest, or another in its place.  As log_conf_put. */
MUST_CHECK enum status log_blob_put(struct log *l, const struct log_blob *b);

/* ST_ABSENT; ST_CORRUPT if the row does not open. */
MUST_CHECK enum status log_blob_get(
    struct log *l, const uint8_t digest[HASH_LEN], struct log_blob *out);

/* Each row that opens.  *lost counts those that do not: their files cannot be
 * opened any more.  The callback must not write to the log. */
typedef enum status log_blob_cb(void *arg, const struct log_blob *b);
MUST_CHECK enum status log_blob_each(
    struct log *l, log_blob_cb *cb, void *arg, uint64_t *lost);

/* Seal every row anew under the present data key: after a change of keys. */
MUST_CHECK enum status log_blob_reseal(struct log *l);

#endif
