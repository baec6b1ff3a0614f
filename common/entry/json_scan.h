#ifndef ENTRY_JSON_SCAN_H
#define ENTRY_JSON_SCAN_H
/*
 * json_scan: what the files json_*.c share and nobody else needs.
 */
#include "entry/json.h"

/*
 * Next character of a checked string's raw text at *p, which moves on; *p must
 * be below `end`.  Gives the UTF-8 bytes of the character, unescaped.
 */
size_t json_next_char(uint8_t out[4], const uint8_t **p, const uint8_t *end);

/* Order of two string nodes by the UTF-8 bytes of their unescaped text. */
int json_order(const struct json *j, uint32_t a, uint32_t b);

/* As json_order, in the shape that sort_u32 wants; arg is the struct json. */
int json_order_cmp(const void *arg, uint32_t a, uint32_t b);

/*
 * No two names of the object are the same, after unescaping.  It must be the
 * last value on the tape.  ST_INVALID with the later name's node; ST_NOMEM.
 */
MUST_CHECK enum status json_names_differ(
    struct json *j, uint32_t obj, uint32_t *twice);

#endif
