#ifndef TLOG_TEXT_H
#define TLOG_TEXT_H
/*
 * text: the small parts that notes, proofs, tile paths and descriptors share:
 * lines, decimal numbers, checked characters.
 */
#include "base/buf.h"

/*
 * Take the next line off *rest: what stands before the next LF, which is
 * passed over.  False, nothing touched, if no LF is left: a last line without
 * one is no line.
 */
bool text_line(struct bytes *rest, struct bytes *line);

/* Decimal ASCII in its one spelling: no sign, no leading zero but "0" itself.
 * ST_INVALID, also for a number over `max`. */
MUST_CHECK enum status text_decimal(
    uint64_t *out, struct bytes in, uint64_t max);

/* A base64 line of exactly `len` bytes (at most 64).  ST_INVALID. */
MUST_CHECK enum status text_base64(uint8_t *out, size_t len, struct bytes in);

/* Append base64. */
void text_put_base64(struct buf *out, struct bytes in);

/* True for UTF-8 without ASCII control characters but LF (C2SP signed-note),
 * and without noncharacters (RFC 7493, as everywhere in Daybreak). */
bool text_ok(struct bytes in);

#endif
