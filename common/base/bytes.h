#ifndef BASE_BYTES_H
#define BASE_BYTES_H
/*
 * bytes: borrowed ranges of bytes, and a cursor that cannot run past the end.
 *
 * Every decoder of outside data reads through `struct reader`.  A reader is
 * sticky: after one read past the end, or one bad number, `bad` is set, every
 * later read gives zero or an empty range, and the caller checks once.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A borrowed range; `p` may be NULL only where `len` is 0. */
struct bytes {
	const uint8_t *p;
	size_t len;
};

struct bytes bytes_of(const void *p, size_t len);

/* The bytes of a C string, its NUL left out. */
struct bytes bytes_str(const char *s);

bool bytes_eq(struct bytes a, struct bytes b);
bool bytes_eq_str(struct bytes a, const char *s);
bool bytes_starts(struct bytes a, const char *prefix);

/* Order by bytes, the shorter first where one begins the other. */
int bytes_cmp(struct bytes a, struct bytes b);

/* Big-endian integers in caller's memory. */
void be64_put(uint8_t out[8], uint64_t v);
uint64_t be64_get(const uint8_t in[8]);
void be32_put(uint8_t out[4], uint32_t v);
uint32_t be32_get(const uint8_t in[4]);

struct reader {
	const uint8_t *p;
	size_t left;
	bool bad;
};

void reader_init(struct reader *r, struct bytes in);
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r); /* big-endian */
uint32_t reader_u32(struct reader *r); /* big-endian */
uint64_t reader_u64(struct reader *r); /* big-endian */

/*
 * LEB128, at most 64 bits in the fewest bytes that hold the value: a longer
 * spelling of the same number is bad, so that a frame has one form.
 */
uint64_t reader_varint(struct reader *r);

/* The next `len` bytes, borrowed; empty and bad if fewer are left. */
struct bytes reader_take(struct reader *r, size_t len);

/* A varint length, refused above `max`, and that many bytes. */
struct bytes reader_sized(struct reader *r, size_t max);

/* Copy the next `len` bytes to out; zeroes where they are not there. */
void reader_copy(struct reader *r, void *out, size_t len);

/* True if all was read and nothing was bad. */
bool reader_done(const struct reader *r);

#endif
