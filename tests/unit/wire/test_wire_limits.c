#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "support/wire_craft.h"
#include "support/wire_make.h"
#include "wire/frame.h"

/* Counts and sizes at their limits and one beyond; frames that are not ours. */

static struct craft k;

static int
setup(void **state)
{
	(void)state;
	craft_init(&k);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	craft_free(&k);
	return 0;
}

static void
fill(struct buf *b, uint8_t value, size_t len)
{
	uint8_t *p = buf_extend(b, len);

	EXPECT(p != NULL);
	memset(p, value, len);
}

/* ---- counts, as read */

/* Pieces that follow one another on one chain, of one entry each. */
static enum status
read_pieces(size_t count)
{
	craft_begin(&k);
	buf_varint(&k.ctl, 1);
	buf_varint(&k.ctl, count);
	for (size_t i = 0; i < count; i++) {
		craft_raw(&k, 0x11, CHAIN_LEN);
		buf_varint(&k.ctl, i + 1);
		buf_varint(&k.ctl, 1);
		buf_varint(&k.ctl, 0);
		buf_add(&k.text, "\n\0", 2);
		craft_sig(&k);
	}
	return craft_up(&k);
}

static enum status
read_entries(size_t count)
{
	craft_begin(&k);
	craft_piece(&k, count);
	for (size_t i = 0; i < count; i++)
		buf_add(&k.text, "\n\0", 2);
	craft_sig(&k);
	return craft_up(&k);
}

static enum status
read_hints(size_t count)
{
	craft_begin(&k);
	buf_varint(&k.ctl, 2);
	buf_varint(&k.ctl, count);
	for (size_t i = 0; i < count; i++) {
		craft_raw(&k, 0x11, CHAIN_LEN);
		buf_varint(&k.ctl, 1);
		craft_raw(&k, 0x22, HASH_LEN);
		buf_add(&k.text, "\n\0", 2);
		craft_sig(&k);
	}
	return craft_up(&k);
}

static enum status
read_cursors(size_t count)
{
	craft_begin(&k);
	buf_varint(&k.ctl, 5);
	buf_varint(&k.ctl, count);
	for (size_t i = 0; i < count; i++) {
		buf_varint(&k.ctl, 0);
		buf_varint(&k.ctl, 0);
	}
	return craft_up(&k);
}

static enum status
read_returned(size_t count)
{
	craft_begin(&k);
	buf_varint(&k.ctl, 6);
	buf_varint(&k.ctl, count);
	for (size_t i = 0; i < count; i++) {
		buf_varint(&k.ctl, 9);
		craft_raw(&k, 0x11, CHAIN_LEN);
		buf_varint(&k.ctl, 1);
		craft_raw(&k, 0x22, HASH_LEN);
		buf_add(&k.text, "\n\0", 2);
		craft_sig(&k);
	}
	return craft_up(&k);
}

/* Empty parts have a note and a leaf all the same. */
static enum status
read_proved(size_t count)
{
	craft_begin(&k);
	buf_varint(&k.ctl, 9);
	buf_varint(&k.ctl, count);
	for (size_t i = 0; i < count; i++) {
		buf_varint(&k.ctl, 1); /* a note of one byte */
		buf_str(&k.text, "n");
		buf_varint(&k.ctl, 1); /* one leaf, its link alone */
		buf_varint(&k.ctl, 0);
		buf_varint(&k.ctl, 0);
		craft_raw(&k, 0x11, HASH_LEN);
		buf_varint(&k.ctl, 0);
	}
	return craft_up(&k);
}

static enum status
read_leaves(size_t count)
{
	craft_begin(&k);
	buf_varint(&k.ctl, 9);
	buf_varint(&k.ctl, 1);
	buf_varint(&k.ctl, 1);
	buf_str(&k.text, "n");
	buf_varint(&k.ctl, count);
	for (size_t i = 0; i < count; i++) {
		buf_varint(&k.ctl, 0);
		buf_varint(&k.ctl, 0);
		craft_raw(&k, 0x11, HASH_LEN);
	}
	buf_varint(&k.ctl, 0);
	return craft_up(&k);
}

static enum status
read_acks(size_t count)
{
	craft_begin(&k);
	buf_varint(&k.ctl, 1);
	buf_varint(&k.ctl, count);
	for (size_t i = 0; i < count; i++) {
		craft_raw(&k, 0x11, CHAIN_LEN);
		buf_varint(&k.ctl, 0);
		buf_varint(&k.ctl, 5);
	}
	return craft_down(&k);
}

static enum status
read_receipts(size_t count)
{
	craft_begin(&k);
	buf_varint(&k.ctl, 3);
	buf_varint(&k.ctl, count);
	for (size_t i = 0; i < count; i++) {
		craft_raw(&k, 0x11, CHAIN_LEN);
		buf_varint(&k.ctl, 5);
		buf_varint(&k.ctl, 5);
		buf_varint(&k.ctl, 0);
	}
	return craft_down(&k);
}

static enum status
read_proof(size_t count)
{
	craft_begin(&k);
	buf_varint(&k.ctl, 3);
	buf_varint(&k.ctl, 1);
	craft_raw(&k, 0x11, CHAIN_LEN);
	buf_varint(&k.ctl, 5);
	buf_varint(&k.ctl, 5);
	buf_varint(&k.ctl, count);
	craft_raw(&k, 0x66, count * HASH_LEN);
	return craft_down(&k);
}

static void
put_part(size_t entries)
{
	craft_raw(&k, 0x77, ID_LEN);
	buf_varint(&k.ctl, 5);
	buf_varint(&k.ctl, 0);
	buf_varint(&k.ctl, 0);
	buf_varint(&k.ctl, entries);
	for (size_t i = 0; i < entries; i++) {
		craft_step(&k, 1);
		buf_varint(&k.ctl, i == 0 ? 0 : 2);
		if (i == 0) {
			craft_raw(&k, 0x11, CHAIN_LEN);
			buf_varint(&k.ctl, 1);
			craft_raw(&k, 0x22, HASH_LEN);
		}
		buf_add(&k.text, "\n\0", 2);
	}
	buf_varint(&k.ctl, 0);
}

static enum status
read_parts(size_t count)
{
	craft_begin(&k);
	buf_varint(&k.ctl, 4);
	buf_varint(&k.ctl, count);
	for (size_t i = 0; i < count; i++)
		put_part(0);
	return craft_down(&k);
}

/* In two parts together. */
static enum status
read_stream(size_t entries)
{
	craft_begin(&k);
	buf_varint(&k.ctl, 4);
	buf_varint(&k.ctl, 2);
	put_part(1);
	put_part(entries - 1);
	return craft_down(&k);
}

/* Catches a count that is used before it was compared with its limit. */
static void
test_wire_counts_stop_at_their_limits(void **state)
{
	static const struct {
		enum status (*read)(size_t count);
		size_t max;
		const char *name;
	} all[] = {
		{ read_pieces, FRAME_PIECES_MAX, "pieces" },
		{ read_entries, PIECE_ENTRIES_MAX, "entries of a piece" },
		{ read_hints, HINTS_MAX, "hints" },
		{ read_cursors, CURSORS_MAX, "cursors" },
		{ read_returned, RETURNED_MAX, "returned" },
		{ read_proved, PROVED_MAX, "proved" },
		{ read_leaves, ANSWER_ENTRIES_MAX, "leaves" },
		{ read_acks, ACKS_MAX, "acks" },
		{ read_receipts, ACKS_MAX, "receipts" },
		{ read_proof, MERKLE_PROOF_MAX, "proof" },
		{ read_parts, PARTS_MAX, "parts" },
		{ read_stream, ANSWER_ENTRIES_MAX, "entries of an answer" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		print_message("%s\n", all[i].name);
		EXPECT_OK(all[i].read(all[i].max - 1));
		EXPECT_OK(all[i].read(all[i].max));
		EXPECT_ST(all[i].read(all[i].max + 1), ST_LIMIT);
	}
}

/* Catches arrays allocated for things that cannot be there. */
static void
test_wire_counts_need_bytes(void **state)
{
	(void)state;
	craft_begin(&k);
	buf_varint(&k.ctl, 5);
	buf_varint(&k.ctl, CURSORS_MAX);
	EXPECT_ST(craft_up(&k), ST_INVALID);
	assert_string_equal(k.why, "frame: fewer things than stated");
}

/* Catches places in a chain that no entry can have, or that come twice. */
static void
test_wire_places_of_pieces(void **state)
{
	static const struct {
		uint64_t first, count, second;
		enum status want;
	} all[] = { { 1, 2, 3, ST_OK }, { 1, 2, 2, ST_INVALID },
		{ 5, 1, 4, ST_INVALID }, { 0, 1, 9, ST_INVALID },
		{ CUT_INT_MAX - 2, 2, CUT_INT_MAX, ST_OK },
		{ CUT_INT_MAX, 2, 9, ST_INVALID },
		{ CUT_INT_MAX + 1, 1, 9, ST_INVALID },
		{ UINT64_MAX, 2, 9, ST_INVALID } };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		craft_begin(&k);
		buf_varint(&k.ctl, 1);
		buf_varint(&k.ctl, 2);
		for (int j = 0; j < 2; j++) {
			uint64_t n = j == 0 ? all[i].count : 1;

			craft_raw(&k, 0x11, CHAIN_LEN);
			buf_varint(
			    &k.ctl, j == 0 ? all[i].first : all[i].second);
			buf_varint(&k.ctl, n);
			buf_varint(&k.ctl, 0);
			for (uint64_t e = 0; e < n; e++)
				buf_add(&k.text, "\n\0", 2);
			craft_sig(&k);
		}
		EXPECT_ST(craft_up(&k), all[i].want);
	}
}

/* Catches something new taken for something old. */
static void
test_wire_unknown_things_are_newer(void **state)
{
	(void)state;
	craft_begin(&k);
	buf_varint(&k.ctl, 10);
	EXPECT_ST(craft_up(&k), ST_NEWER);
	craft_begin(&k);
	buf_varint(&k.ctl, 8);
	EXPECT_ST(craft_down(&k), ST_NEWER);
	craft_begin(&k); /* flags of a piece */
	buf_add(&k.ctl, "\x01\x01\x01\x01\x04", 5);
	craft_raw(&k, 0x11, CHAIN_LEN);
	EXPECT_ST(craft_up(&k), ST_NEWER);
	craft_begin(&k); /* ack */
	buf_add(&k.ctl, "\x01\x01\x08\x05", 4);
	craft_raw(&k, 0x11, CHAIN_LEN);
	EXPECT_ST(craft_down(&k), ST_NEWER);
	craft_begin(&k); /* want */
	buf_add(&k.ctl, "\x06\x08", 2);
	EXPECT_ST(craft_down(&k), ST_NEWER);
	craft_begin(&k); /* flags of a stream's entry */
	buf_add(&k.ctl, "\x04\x01\x05\x00\x00\x01\x02\x20", 8);
	craft_raw(&k, 0x77, ID_LEN);
	EXPECT_ST(craft_down(&k), ST_NEWER);
	craft_begin(&k); /* flags of a leaf */
	buf_add(&k.ctl, "\x09\x01\x01\x01\x00\x04", 6);
	buf_str(&k.text, "n");
	EXPECT_ST(craft_up(&k), ST_NEWER);
	craft_begin(&k);
	craft_pack(&k);
	k.wire.p[0] = FRAME_VERSION + 1;
	EXPECT_ST(sync_up_decode(k.codec, k.msg, CRAFT_COURT, buf_view(&k.wire),
		      &k.up, &k.dict, &k.why),
	    ST_NEWER);
	k.wire.p[0] = 0;
	EXPECT_ST(sync_up_decode(k.codec, k.msg, CRAFT_COURT, buf_view(&k.wire),
		      &k.up, &k.dict, &k.why),
	    ST_INVALID);
}

/* Catches sections that come twice, so that one reading hides the other. */
static void
test_wire_sections_come_once_and_in_order(void **state)
{
	(void)state;
	craft_begin(&k);
	buf_add(&k.ctl, "\x05\x05\x05\x06", 4);
	EXPECT_ST(craft_down(&k), ST_INVALID);
	craft_begin(&k);
	buf_add(&k.ctl, "\x07\x01\x05\x05", 4);
	EXPECT_ST(craft_down(&k), ST_INVALID);
	craft_begin(&k);
	buf_add(&k.ctl, "\x05\x05\x07\x01", 4);
	EXPECT_OK(craft_down(&k));
	EXPECT(k.down->has_time && k.down->time_ms == 5);
	EXPECT(k.down->has_hints && k.down->hints_taken == 1);
	craft_begin(&k);
	buf_u8(&k.ctl, 0);
	EXPECT_ST(craft_down(&k), ST_INVALID);
}

/* Catches an entry of a stream that leans on one that is not there. */
static void
test_wire_streams_lean_on_what_came_before(void **state)
{
	static const unsigned bad[] = { 2, 8, 10 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		craft_begin(&k);
		buf_add(&k.ctl, "\x04\x01\x05\x00\x00\x01\x02", 7);
		buf_varint(&k.ctl, bad[i]);
		craft_raw(&k, 0x77, ID_LEN);
		EXPECT_ST(craft_down(&k), ST_INVALID);
		assert_string_equal(k.why, "stream: no entry before it");
	}
	craft_begin(&k);
	buf_add(&k.ctl, "\x04\x01\x05\x00\x02\x00\x00", 7);
	craft_raw(&k, 0x77, ID_LEN);
	EXPECT_ST(craft_down(&k), ST_INVALID);
	assert_string_equal(k.why, "stream: more than more");
}

/* ---- sizes */

/* Catches an entry longer than any may be, put back or verbatim. */
static void
test_wire_entries_stop_at_their_limit(void **state)
{
	(void)state;
	for (size_t len = ENTRY_BYTES_MAX - 1; len <= ENTRY_BYTES_MAX + 1;
	     len++) {
		enum status want = len > ENTRY_BYTES_MAX ? ST_LIMIT : ST_OK;

		craft_begin(&k);
		craft_piece(&k, 1);
		fill(&k.text, 'x', len - 1 - 36);
		buf_add(&k.text, "\x07\n\0", 3); /* 36 and 1 */
		craft_raw(&k, 0xa0, ID_LEN);
		craft_sig(&k);
		EXPECT_ST(craft_up(&k), want);
		craft_begin(&k);
		craft_piece(&k, 1);
		buf_u8(&k.text, 0x16);
		buf_varint(&k.ctl, len);
		fill(&k.text, 1, len);
		craft_sig(&k);
		EXPECT_ST(craft_up(&k), want);
	}
	/* Far longer, in one run of text. */
	craft_begin(&k);
	craft_piece(&k, 1);
	fill(&k.text, 'x', 3 << 20);
	EXPECT_ST(craft_up(&k), ST_LIMIT);
}

/*
 * `count` entries of `len` bytes each, of substitutions that stand for 79
 * bytes, and of filling.
 */
static enum status
read_bomb(size_t count, size_t len)
{
	craft_begin(&k);
	buf_varint(&k.ctl, 1);
	buf_varint(&k.ctl, 1);
	buf_varint(&k.ctl, CRAFT_SEQ);
	buf_varint(&k.ctl, count);
	buf_varint(&k.ctl, 0);
	buf_add(&k.raw, craft_chain, CHAIN_LEN);
	for (size_t i = 0; i < count; i++) {
		size_t n = 1;

		while (n + 32 <= len) {
			buf_u8(&k.text, 0x09);
			buf_varint(&k.ctl, 0);
			n += 32;
		}
		fill(&k.text, 'x', len - n);
		buf_add(&k.text, "\n\0", 2);
	}
	craft_sig(&k);
	return craft_up(&k);
}

/* Catches a small frame whose substitutions fill the memory. */
static void
test_wire_bombs_of_substitution_are_refused(void **state)
{
	(void)state;
	EXPECT_OK(
	    read_bomb(FRAME_BYTES_MAX / ENTRY_BYTES_MAX, ENTRY_BYTES_MAX));
	EXPECT(k.wire.len < 100 << 10);
	sync_piece_open(k.msg, 0, craft_base);
	EXPECT_ST(
	    read_bomb(FRAME_BYTES_MAX / ENTRY_BYTES_MAX + 1, ENTRY_BYTES_MAX),
	    ST_LIMIT);
	EXPECT_ST(read_bomb(1, ENTRY_BYTES_MAX + 32), ST_LIMIT);
	EXPECT_ST(read_bomb(1, 32 << 20 >> 4), ST_LIMIT);
}

/* ---- zstd */

static enum status
decode(struct bytes packed)
{
	buf_reset(&k.wire);
	buf_u8(&k.wire, FRAME_VERSION);
	buf_sized(&k.wire, packed);
	k.why = NULL;
	return sync_up_decode(k.codec, k.msg, CRAFT_COURT, buf_view(&k.wire),
	    &k.up, &k.dict, &k.why);
}

/* A frame of zstd's own making, without its magic number. */
static size_t
make(uint8_t *out, size_t cap, const void *in, size_t len, bool with_size,
    bool checksum)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t n;

	EXPECT(c != NULL);
	(void)ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, with_size);
	(void)ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, checksum);
	n = ZSTD_compress2(c, out, cap, in, len);
	EXPECT(!ZSTD_isError(n) && n > 4);
	(void)ZSTD_freeCCtx(c);
	memmove(out, out + 4, n - 4);
	return n - 4;
}

/* Catches frames of zstd that are legal there and not here. */
static void
test_wire_zstd_frames_are_of_one_kind(void **state)
{
	static const uint8_t nothing[] = { 0 }; /* ctl of no bytes */
	uint8_t a[256], b[256];
	size_t n, m;

	(void)state;
	n = make(a, sizeof(a), nothing, 1, true, false);
	EXPECT_OK(decode(bytes_of(a, n)));
	/* With a checksum: taken, and checked. */
	m = make(b, sizeof(b), nothing, 1, true, true);
	EXPECT_OK(decode(bytes_of(b, m)));
	b[m - 1] ^= 1;
	EXPECT_ST(decode(bytes_of(b, m)), ST_INVALID);
	m = make(b, sizeof(b), nothing, 1, false, false);
	EXPECT_ST(decode(bytes_of(b, m)), ST_INVALID);
	assert_string_equal(k.why, "zstd: no content size");
	/* Two frames, and bytes behind one. */
	memcpy(a + n, "\x28\xb5\x2f\xfd", 4);
	memcpy(a + n + 4, a, n);
	EXPECT_ST(decode(bytes_of(a, 2 * n + 4)), ST_INVALID);
	assert_string_equal(k.why, "zstd: not one frame");
	EXPECT_ST(decode(bytes_of(a, n + 1)), ST_INVALID);
	EXPECT_ST(decode(bytes_of(a, n - 1)), ST_INVALID);
	EXPECT_ST(decode(bytes_of(a, 0)), ST_INVALID);
	/* Empty content: not even a length of ctl. */
	n = make(a, sizeof(a), "", 0, true, false);
	EXPECT_ST(decode(bytes_of(a, n)), ST_INVALID);
}

/* Catches memory taken by what a frame claims. */
static void
test_wire_bombs_of_zstd_are_refused(void **state)
{
	size_t len = FRAME_BYTES_MAX + 1, cap = ZSTD_compressBound(len), n;
	uint8_t *in = calloc(1, len), *out = malloc(cap);
	/* Single segment, eight bytes of content size: 2^60; an empty block. */
	static const uint8_t claim[] = { 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x10, 1, 0,
		0 };

	(void)state;
	EXPECT(in != NULL && out != NULL);
	n = make(out, cap, in, len, true, false);
	EXPECT(n < 4096);
	EXPECT_ST(decode(bytes_of(out, n)), ST_LIMIT);
	/* At the limit it is unpacked, and then its bytes mean nothing. */
	n = make(out, cap, in, len - 1, true, false);
	EXPECT_ST(decode(bytes_of(out, n)), ST_INVALID);
	assert_string_equal(k.why, "frame: bytes left over");
	EXPECT_ST(decode(bytes_of(claim, sizeof(claim))), ST_LIMIT);
	free(in);
	free(out);
}

/* Catches a frame with a content size that is not its content's. */
static void
test_wire_zstd_content_size_is_true(void **state)
{
	static const uint8_t nothing[40] = { 39 };
	uint8_t a[256];
	size_t n;

	(void)state;
	n = make(a, sizeof(a), nothing, sizeof(nothing), true, false);
	EXPECT(a[0] == 0x20 && a[1] == sizeof(nothing));
	a[1]++;
	EXPECT_ST(decode(bytes_of(a, n)), ST_INVALID);
	a[1] -= 2;
	EXPECT_ST(decode(bytes_of(a, n)), ST_INVALID);
}

/* Catches a dictionary of another time taken for one of ours. */
static void
test_wire_unknown_dictionary_is_absent(void **state)
{
	/* Single segment, two bytes of Dictionary_ID, one byte of content. */
	static const uint8_t frame[] = { 0x22, 0xff, 0xff, 1, 9, 0, 0, 0 };
	struct sync_up up = { .piece_count = 0 };
	struct buf out;

	(void)state;
	EXPECT_ST(decode(bytes_of(frame, sizeof(frame))), ST_ABSENT);
	assert_string_equal(k.why, "zstd: unknown dictionary");
	buf_init(&out, 4096);
	EXPECT_ST(
	    sync_up_encode(k.codec, 65535, CRAFT_COURT, &up, &out), ST_ABSENT);
	EXPECT(out.len == 0 && out.err == ST_OK);
	EXPECT(wire_dict_newest(k.codec) >= 32769);
	EXPECT_OK(sync_up_encode(k.codec, 0, CRAFT_COURT, &up, &out));
	buf_free(&out);
}

/* Catches a container larger than may be sent. */
static void
test_wire_container_stops_at_its_limit(void **state)
{
	uint8_t *big = calloc(1, FRAME_WIRE_BYTES_MAX + 1);

	(void)state;
	EXPECT(big != NULL);
	big[0] = FRAME_VERSION;
	EXPECT_ST(sync_up_decode(k.codec, k.msg, CRAFT_COURT,
		      bytes_of(big, FRAME_WIRE_BYTES_MAX + 1), &k.up, &k.dict,
		      &k.why),
	    ST_LIMIT);
	EXPECT_ST(
	    sync_up_decode(k.codec, k.msg, CRAFT_COURT,
		bytes_of(big, FRAME_WIRE_BYTES_MAX), &k.up, &k.dict, &k.why),
	    ST_INVALID);
	free(big);
}

/* ---- writing */

static enum status
encode(const struct sync_up *up)
{
	struct buf out;
	enum status st;

	buf_init(&out, 8 << 20);
	buf_str(&out, "before");
	st = sync_up_encode(k.codec, 0, CRAFT_COURT, up, &out);
	EXPECT(out.err == ST_OK);
	EXPECT((st == ST_OK) == (out.len > 6));
	EXPECT_BYTES(bytes_of(out.p, 6), bytes_str("before"));
	if (st == ST_OK)
		EXPECT_OK(sync_up_decode(k.codec, k.msg, CRAFT_COURT,
		    bytes_of(out.p + 6, out.len - 6), &k.up, &k.dict, &k.why));
	buf_free(&out);
	return st;
}

/* Catches a writer that sends what no reader takes. */
static void
test_wire_writer_holds_to_the_limits(void **state)
{
	static uint8_t bytes[ENTRY_BYTES_MAX + 1];
	static struct wire_entry entry[PIECE_ENTRIES_MAX + 1];
	static struct wire_piece piece[FRAME_PIECES_MAX + 1];
	static struct wire_cursor cursor[CURSORS_MAX + 1];
	struct sync_up up = { .piece = piece, .piece_count = 1 };

	(void)state;
	for (size_t i = 0; i <= PIECE_ENTRIES_MAX; i++)
		entry[i].raw = bytes_str("{}\n{}");
	for (size_t i = 0; i <= FRAME_PIECES_MAX; i++)
		piece[i] = (struct wire_piece){
			.first = 1 + 2000 * i, .entry = entry, .count = 1
		};
	piece[0].count = PIECE_ENTRIES_MAX;
	EXPECT_OK(encode(&up));
	piece[0].count = PIECE_ENTRIES_MAX + 1;
	EXPECT_ST(encode(&up), ST_LIMIT);
	piece[0].count = 0;
	EXPECT_ST(encode(&up), ST_INVALID);
	piece[0].count = 1;
	up.piece_count = FRAME_PIECES_MAX;
	EXPECT_OK(encode(&up));
	up.piece_count = FRAME_PIECES_MAX + 1;
	EXPECT_ST(encode(&up), ST_LIMIT);
	up.piece_count = 2;
	piece[1].first = 1;
	EXPECT_ST(encode(&up), ST_INVALID);
	piece[1].first = 2;
	EXPECT_OK(encode(&up));
	piece[1].first = CUT_INT_MAX;
	EXPECT_OK(encode(&up));
	piece[1].count = 2;
	EXPECT_ST(encode(&up), ST_INVALID);
	piece[1].first = 0;
	EXPECT_ST(encode(&up), ST_INVALID);
	up.piece_count = 1;
	entry[0].raw = bytes_of(bytes, ENTRY_BYTES_MAX + 1);
	EXPECT_ST(encode(&up), ST_INVALID);
	entry[0].raw = bytes_of(bytes, 0);
	EXPECT_ST(encode(&up), ST_INVALID);
	entry[0].raw = bytes_str("a\nb");
	entry[0].form = WIRE_HEAD;
	EXPECT_ST(encode(&up), ST_INVALID);
	entry[0].form = WIRE_WHOLE;
	/* All entries together. */
	piece[0].count = FRAME_BYTES_MAX / ENTRY_BYTES_MAX;
	for (size_t i = 0; i <= piece[0].count; i++)
		entry[i].raw = bytes_of(bytes, ENTRY_BYTES_MAX);
	EXPECT_ST(encode(&up), ST_LIMIT); /* ctl adds to the text */
	piece[0].count--;
	EXPECT_OK(encode(&up));
	up = (struct sync_up){ .cursor = cursor, .cursor_count = CURSORS_MAX };
	EXPECT_OK(encode(&up));
	up.cursor_count++;
	EXPECT_ST(encode(&up), ST_LIMIT);
	up.cursor_count = 1;
	cursor[0].sub = UINT64_MAX;
	EXPECT_ST(encode(&up), ST_INVALID);
}

/* Catches a container that its reader would refuse for its length. */
static void
test_wire_writer_holds_to_what_may_be_sent(void **state)
{
	enum { COUNT = FRAME_WIRE_BYTES_MAX / ENTRY_BYTES_MAX };
	static struct wire_entry entry[COUNT];
	struct wire_piece piece = { .first = 1, .entry = entry };
	struct sync_up up = { .piece = &piece, .piece_count = 1 };
	size_t len = (size_t)COUNT * ENTRY_BYTES_MAX;
	uint8_t *bytes = malloc(len);
	struct morning m;

	(void)state;
	EXPECT(bytes != NULL);
	morning_init(&m, 1, MORNING_MEASURE);
	morning_bytes(&m, bytes, len); /* which nothing packs */
	for (size_t i = 0; i < COUNT; i++)
		entry[i].raw =
		    bytes_of(bytes + i * ENTRY_BYTES_MAX, ENTRY_BYTES_MAX);
	piece.count = COUNT - 1;
	EXPECT_OK(encode(&up));
	piece.count = COUNT;
	EXPECT_ST(encode(&up), ST_LIMIT);
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wire_counts_stop_at_their_limits),
		cmocka_unit_test(test_wire_counts_need_bytes),
		cmocka_unit_test(test_wire_places_of_pieces),
		cmocka_unit_test(test_wire_unknown_things_are_newer),
		cmocka_unit_test(test_wire_sections_come_once_and_in_order),
		cmocka_unit_test(test_wire_streams_lean_on_what_came_before),
		cmocka_unit_test(test_wire_entries_stop_at_their_limit),
		cmocka_unit_test(test_wire_bombs_of_substitution_are_refused),
		cmocka_unit_test(test_wire_zstd_frames_are_of_one_kind),
		cmocka_unit_test(test_wire_bombs_of_zstd_are_refused),
		cmocka_unit_test(test_wire_zstd_content_size_is_true),
		cmocka_unit_test(test_wire_unknown_dictionary_is_absent),
		cmocka_unit_test(test_wire_container_stops_at_its_limit),
		cmocka_unit_test(test_wire_writer_holds_to_the_limits),
		cmocka_unit_test(test_wire_writer_holds_to_what_may_be_sent),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
