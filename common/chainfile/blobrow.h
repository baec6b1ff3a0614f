#ifndef CHAINFILE_BLOBROW_H
#define CHAINFILE_BLOBROW_H
/*
 * blobrow: what a row of the table `blobs` of a handheld's file holds, of each
 * attached file whose bytes it has or had (docs/FORMAT.md, "Sealed files").
 * The handheld writes them (agent/log/log_blob.h, whose names these are); the
 * court's recovery reads them too.
 *
 * Threads: one at a time, as for the chainfile.
 */
#include "base/limits.h"
#include "chainfile/chainfile.h"
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

enum { BLOBROW_MAX = 512 }; /* bytes of a row, opened */

void blobrow_write(struct buf *out, const struct log_blob *b);
/* ST_CORRUPT, ST_NEWER. */
MUST_CHECK enum status blobrow_read(struct log_blob *out, struct bytes in);

/* Each row that opens; *lost counts those that do not.  The callback must not
 * write to the file.  ST_LOCKED without keys. */
typedef enum status log_blob_cb(void *arg, const struct log_blob *b);
MUST_CHECK enum status blobrow_each(
    struct chainfile *f, log_blob_cb *cb, void *arg, uint64_t *lost);

#endif
