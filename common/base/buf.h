#ifndef BASE_BUF_H
#define BASE_BUF_H
/*
 * buf: a growing buffer with a stated ceiling and a sticky error.
 *
 * Every buffer says at its start how large it may become.  Appends after the
 * first failure do nothing, so a writer appends freely and looks at `err`
 * once: ST_LIMIT (over the ceiling) or ST_NOMEM.
 */
#include <stdarg.h>

#include "base/bytes.h"
#include "base/status.h"

struct buf {
	uint8_t *p; /* owned; NULL while nothing was appended */
	size_t len;
	size_t cap;
	size_t max;      /* ceiling of len */
	enum status err; /* ST_OK, or the first failure */
};

/* Start empty; nothing is allocated.  `max` > 0. */
void buf_init(struct buf *b, size_t max);

/* Free the memory; a freed buffer may be used again with the same ceiling. */
void buf_free(struct buf *b);

/* As buf_free, the memory wiped first: for keys and opened rows. */
void buf_wipe(struct buf *b);

/* Forget contents and error, keep the memory. */
void buf_reset(struct buf *b);

void buf_add(struct buf *b, const void *p, size_t len);
void buf_bytes(struct buf *b, struct bytes in);
void buf_str(struct buf *b, const char *s);
void buf_u8(struct buf *b, uint8_t v);
void buf_dec(struct buf *b, uint64_t v); /* in decimal digits */
void buf_u16(struct buf *b, uint16_t v); /* big-endian */
void buf_u32(struct buf *b, uint32_t v); /* big-endian */
void buf_u64(struct buf *b, uint64_t v); /* big-endian */
void buf_varint(struct buf *b, uint64_t v);
void buf_sized(struct buf *b, struct bytes in); /* varint length, bytes */
void buf_hex(struct buf *b, struct bytes in);   /* lower case */
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for `len` more bytes, counted as appended; NULL on failure. */
uint8_t *buf_extend(struct buf *b, size_t len);

/* The contents, borrowed until the next append. */
struct bytes buf_view(const struct buf *b);

/* The contents as a C string (a NUL is kept behind them); NULL on failure. */
const char *buf_cstr(struct buf *b);

#endif
