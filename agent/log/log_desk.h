#ifndef AGENT_LOG_LOG_DESK_H
#define AGENT_LOG_LOG_DESK_H
/*
 * log_desk: what the desk agent knows of the files of recorders' cards, one
 * sealed row a content, and which files were read already (docs/EVIDENCE.md;
 * docs/FORMAT.md, table `desk`).  Losing a row costs reading that file again.
 */
#include "agent/log/log.h"

enum { LOG_DESK_ROW_MAX = 16384 };

/* Put the row of that digest, or another in its place: JSON text.  As
 * log_conf_put. */
MUST_CHECK enum status log_desk_put(
    struct log *l, const uint8_t digest[HASH_LEN], struct bytes doc);
/* Appended to `out`.  ST_ABSENT; ST_CORRUPT if it does not open. */
MUST_CHECK enum status log_desk_get(
    struct log *l, const uint8_t digest[HASH_LEN], struct buf *out);

/* The file of that place (see FORMAT.md) has that content. */
MUST_CHECK enum status log_desk_read_put(struct log *l,
    const uint8_t place[HASH_LEN], const uint8_t digest[HASH_LEN]);
MUST_CHECK enum status log_desk_read_get(
    struct log *l, const uint8_t place[HASH_LEN], uint8_t digest[HASH_LEN]);

/* Forget a content and the place at which it was read. */
MUST_CHECK enum status log_desk_drop(struct log *l,
    const uint8_t digest[HASH_LEN], const uint8_t place[HASH_LEN]);

/* Each row of a content that opens, in no order; at most one is in memory.  The
 * callback must not write to the log, nor keep `doc`. */
typedef enum status log_desk_cb(void *arg, struct bytes doc);
MUST_CHECK enum status log_desk_each(struct log *l, log_desk_cb *cb, void *arg);

/* Seal every row anew under the present data key: after a change of keys. */
MUST_CHECK enum status log_desk_reseal(struct log *l);

#endif
