#ifndef DOMAIN_TYPED_H
#define DOMAIN_TYPED_H
/*
 * typed: numbers, times and words as people type them, read into JSON scalars.
 *
 * Each reader takes the whole text (half-width, trimmed) and appends JSON, or
 * gives false and appends nothing.  What is read is not yet checked against
 * its field: kind_check does that.
 */
#include "base/buf.h"

/* If the text goes on with `s`, pass it. */
bool typed_pass(struct bytes *t, const char *s);
bool typed_ends(struct bytes t, const char *s);
/* ASCII case does not matter. */
bool typed_same(struct bytes t, const char *s);
/* Outer white space cut: ASCII, U+00A0, U+3000, U+FEFF. */
struct bytes typed_trim(struct bytes t);
/* U+FF01..U+FF5E as ASCII, U+3000 as a space. */
void typed_half_width(struct bytes t, struct buf *out);

bool typed_bool(struct bytes t, struct buf *out);
/* "3", "3.0", "1,386" */
bool typed_int(struct bytes t, struct buf *out);
/* Shortest decimal, as a string. */
bool typed_decimal(struct bytes t, struct buf *out);
/* "1,386,056" "¥205" "205.5元" "3.2万", as "205.00". */
bool typed_money(struct bytes t, struct buf *out);
/* 2024-02-29 2024/2/29 2024.2.29 2024年2月29日 20240229 */
bool typed_date(struct bytes t, struct buf *out);
/* A date, then 5:07[:09[.123]] and Z, an offset, or nothing. */
bool typed_datetime(struct bytes t, int offset_min, struct buf *out);
/* 90 (seconds), 1h30m, 2d, 1小时30分; in seconds. */
bool typed_duration(struct bytes t, struct buf *out);

#endif
