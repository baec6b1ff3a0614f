#ifndef WIRE_ZDICT_H
#define WIRE_ZDICT_H
/*
 * zdict: zstd (RFC 8878) with the dictionaries that were built in.
 *
 * A dictionary is a file `dict/<id>.dict` below common/; its id stands in it
 * and in each frame made with it.  An id that was released never names other
 * bytes, and a server keeps every one.  Nothing is allocated by what a frame
 * claims before the claim was compared with a limit.
 */
#include "base/buf.h"

struct zdict;

/* How hard to press: devices pay for bytes, the centre for time. */
enum zdict_effort { ZDICT_SMALL, ZDICT_FAST };

MUST_CHECK enum status zdict_new(struct zdict **out);
void zdict_free(struct zdict *z);

/* The highest id that is built in, or 0. */
uint32_t zdict_newest(const struct zdict *z);

/*
 * Append one zstd frame without its Magic_Number: content size stated, no
 * checksum, Dictionary_ID unless `id` is 0.  ST_ABSENT (no such dictionary),
 * ST_NOMEM, ST_LIMIT.
 */
MUST_CHECK enum status zdict_pack(struct zdict *z, uint32_t id,
    enum zdict_effort effort, struct bytes in, struct buf *out);

/*
 * Append the content of exactly one such frame, whose stated content size must
 * be right and within out's ceiling; *id is the dictionary it names.
 * ST_INVALID, ST_LIMIT, ST_ABSENT, ST_NOMEM; *why gets static words.
 */
MUST_CHECK enum status zdict_unpack(struct zdict *z, struct bytes in,
    struct buf *out, uint32_t *id, const char **why);

#endif
