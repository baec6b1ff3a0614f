#ifndef BASE_ENC_H
#define BASE_ENC_H
/*
 * enc: bytes as text and back: hex, base32 and base64 (RFC 4648).
 *
 * One spelling each: hex and base32 in lower case, base32 without padding,
 * base64 (standard alphabet) with it.  Decoders take nothing else, so that two
 * texts never name the same bytes.
 */
#include "base/bytes.h"
#include "base/status.h"

/* out gets 2 * in.len characters and a NUL. */
void hex_encode(char *out, struct bytes in);

/* Fill exactly out[len]; ST_INVALID for any other length or character. */
MUST_CHECK enum status hex_decode(uint8_t *out, size_t len, struct bytes in);

/* out gets ceil(8 * len / 5) characters and a NUL. */
void base32_encode(char *out, struct bytes in);
MUST_CHECK enum status base32_decode(uint8_t *out, size_t len, struct bytes in);

/* out gets 4 * ceil(len / 3) characters and a NUL. */
void base64_encode(char *out, struct bytes in);

/*
 * Decode at most `max` bytes; *len says how many.  ST_INVALID for a wrong
 * character, missing padding or stray bits; ST_LIMIT if more than `max`.
 */
MUST_CHECK enum status base64_decode(
    uint8_t *out, size_t max, size_t *len, struct bytes in);

#endif
