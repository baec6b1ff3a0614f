#ifndef FUZZ_WIRE_INPUT_H
#define FUZZ_WIRE_INPUT_H
/*
 * wire_input: an input as a container.
 *
 * One that begins with the version of the format is a container itself.  In
 * any other the first byte is skipped and the streams follow open, u16 length
 * of ctl, u16 length of text, ctl, text, raw, so that a fuzzer reaches what
 * lies behind zstd; they are put into a zstd frame of unpacked blocks.
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "wire/frame.h"

/* A frame of RFC 8878 without its magic number that holds `plain` as it is. */
static inline void
wire_store(struct buf *out, struct bytes plain)
{
	enum { BLOCK_MAX = 128 << 10 };

	buf_u8(out, 0xa0); /* one segment, four bytes of content size */
	for (int i = 0; i < 4; i++)
		buf_u8(out, (uint8_t)(plain.len >> 8 * i));
	do {
		size_t n = plain.len < BLOCK_MAX ? plain.len : BLOCK_MAX;
		size_t head = n << 3 | (n == plain.len);

		for (int i = 0; i < 3; i++)
			buf_u8(out, (uint8_t)(head >> 8 * i));
		buf_add(out, plain.p, n);
		plain.p += n;
		plain.len -= n;
	} while (plain.len > 0);
}

static inline struct bytes
wire_input(const uint8_t *data, size_t size)
{
	static struct buf plain, packed, wire;
	struct reader r;
	struct bytes ctl, text;
	size_t ctl_len, text_len;

	if (size == 0 || data[0] == FRAME_VERSION)
		return (struct bytes){ data, size };
	if (wire.max == 0) {
		buf_init(&plain, 16 << 20);
		buf_init(&packed, 16 << 20);
		buf_init(&wire, 16 << 20);
	}
	buf_reset(&plain);
	buf_reset(&packed);
	buf_reset(&wire);
	reader_init(&r, (struct bytes){ data + 1, size - 1 });
	ctl_len = reader_u16(&r);
	text_len = reader_u16(&r);
	if (ctl_len > r.left)
		ctl_len = r.left;
	ctl = reader_take(&r, ctl_len);
	if (text_len > r.left)
		text_len = r.left;
	text = reader_take(&r, text_len);
	buf_sized(&plain, ctl);
	buf_bytes(&plain, text);
	wire_store(&packed, buf_view(&plain));
	buf_u8(&wire, FRAME_VERSION);
	buf_sized(&wire, buf_view(&packed));
	buf_bytes(&wire, reader_take(&r, r.left));
	CHECK(wire.err == ST_OK && packed.err == ST_OK);
	return buf_view(&wire);
}

#endif
