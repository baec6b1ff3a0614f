#ifndef AGENT_LOG_LOG_BLOB_H
#define AGENT_LOG_LOG_BLOB_H
/*
 * log_blob: what the handheld knows of each attached file whose bytes it has
 * or had: key, digest, where its upload stands.  One sealed row a content, in
 * the same file as the entries, so that an entry and its row are written
 * together (log_batch_begin).  docs/FORMAT.md, "Sealed files".
 */
#include "agent/log/log.h"
#include "chainfile/blobrow.h"

/* Put the row of that digest, or another in its place.  As log_conf_put. */
MUST_CHECK enum status log_blob_put(struct log *l, const struct log_blob *b);

/* ST_ABSENT; ST_CORRUPT if the row does not open. */
MUST_CHECK enum status log_blob_get(
    struct log *l, const uint8_t digest[HASH_LEN], struct log_blob *out);

/* Each row that opens.  *lost counts those that do not: their files cannot be
 * opened any more.  The callback must not write to the log. */
MUST_CHECK enum status log_blob_each(
    struct log *l, log_blob_cb *cb, void *arg, uint64_t *lost);

/* Seal every row anew under the present data key: after a change of keys. */
MUST_CHECK enum status log_blob_reseal(struct log *l);

#endif
