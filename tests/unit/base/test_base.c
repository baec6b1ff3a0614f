#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/port.h"
#include "base/sha.h"

/* Catches a reader that runs past the end, or forgets that it did. */
static void
test_reader_past_the_end_stays_bad(void **state)
{
	uint8_t in[] = { 1, 2, 3 };
	struct reader r;

	(void)state;
	reader_init(&r, bytes_of(in, sizeof(in)));
	assert_int_equal(reader_u16(&r), 0x0102);
	assert_int_equal(reader_u32(&r), 0);
	EXPECT(r.bad);
	assert_int_equal(reader_u8(&r), 0);
	EXPECT(!reader_done(&r));
}

/* Catches a varint with two spellings, or one that overflows. */
static void
test_varint_has_one_spelling(void **state)
{
	uint64_t values[] = { 0, 1, 127, 128, 300, UINT32_MAX, UINT64_MAX };
	uint8_t longer[] = { 0x81, 0x00 };
	uint8_t over[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0x02 };
	struct reader r;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct buf b;

		buf_init(&b, 16);
		buf_varint(&b, values[i]);
		reader_init(&r, buf_view(&b));
		EXPECT(reader_varint(&r) == values[i]);
		EXPECT(reader_done(&r));
		buf_free(&b);
	}
	reader_init(&r, bytes_of(longer, sizeof(longer)));
	(void)reader_varint(&r);
	EXPECT(r.bad);
	reader_init(&r, bytes_of(over, sizeof(over)));
	(void)reader_varint(&r);
	EXPECT(r.bad);
}

/* Catches a buffer that grows past its ceiling or forgets its error. */
static void
test_buf_ceiling_holds_and_error_sticks(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	buf_str(&b, "abc");
	buf_str(&b, "d");
	EXPECT(b.err == ST_OK && b.len == 4);
	buf_str(&b, "e");
	EXPECT(b.err == ST_LIMIT && b.len == 4);
	buf_reset(&b);
	buf_printf(&b, "%d", 1234);
	EXPECT(strcmp(buf_cstr(&b), "1234") == 0);
	buf_free(&b);
}

/* Catches a decoder that takes two texts for the same bytes. */
static void
test_encodings_have_one_spelling(void **state)
{
	uint8_t raw[16], back[16];
	char text[64];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)(i * 17);
	hex_encode(text, bytes_of(raw, 16));
	EXPECT_OK(hex_decode(back, 16, bytes_str(text)));
	EXPECT(memcmp(raw, back, 16) == 0);
	EXPECT_ST(hex_decode(back, 1, bytes_str("AA")), ST_INVALID);
	base32_encode(text, bytes_of(raw, 16));
	assert_int_equal(strlen(text), 26);
	EXPECT_OK(base32_decode(back, 16, bytes_str(text)));
	EXPECT(memcmp(raw, back, 16) == 0);
	text[25] = (char)(text[25] == 'b' ? 'c' : 'b');
	EXPECT_ST(base32_decode(back, 16, bytes_str(text)), ST_INVALID);
	base64_encode(text, bytes_of(raw, 16));
	EXPECT_OK(base64_decode(back, 16, &len, bytes_str(text)));
	EXPECT(len == 16 && memcmp(raw, back, 16) == 0);
	EXPECT_ST(base64_decode(back, 15, &len, bytes_str(text)), ST_LIMIT);
	EXPECT_ST(base64_decode(back, 16, &len, bytes_str("QQ")), ST_INVALID);
	EXPECT_ST(base64_decode(back, 16, &len, bytes_str("QR==")), ST_INVALID);
}

/* Catches a decoder that takes a character outside its alphabet, at any place
 * (libsodium 1.0.18 takes 128 of them for '/' in base64). */
static void
test_decoders_know_their_alphabets(void **state)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij"
				     "klmnopqrstuvwxyz0123456789+/";
	static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";
	static const char hex[] = "0123456789abcdef";
	uint8_t back[8];
	size_t len;

	(void)state;
	for (int c = 0; c < 256; c++) {
		for (size_t at = 0; at < 8; at++) {
			char text[] = "AAAAAAAA", lower[] = "aaaaaaaa";
			bool in64 = c != 0 && strchr(base64, c) != NULL;
			bool in32 = c != 0 && strchr(base32, c) != NULL;
			bool in16 = c != 0 && strchr(hex, c) != NULL;

			text[at] = lower[at] = (char)c;
			/* One '=' at the end is padding. */
			if (c == '=' && at == 7)
				in64 = true;
			EXPECT_ST(
			    base64_decode(back, 6, &len, bytes_of(text, 8)),
			    in64 ? ST_OK : ST_INVALID);
			EXPECT_ST(base32_decode(back, 5, bytes_of(lower, 8)),
			    in32 ? ST_OK : ST_INVALID);
			EXPECT_ST(hex_decode(back, 4, bytes_of(lower, 8)),
			    in16 ? ST_OK : ST_INVALID);
		}
	}
}

/* Catches a write that leaves half a file, or a read that hides absence. */
static void
test_file_is_there_whole_or_not_at_all(void **state)
{
	const struct port *p = port_system();
	char dir[] = "/tmp/daybreak-base-XXXXXX", path[64];
	struct buf b;

	(void)state;
	EXPECT(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/f", dir);
	buf_init(&b, 8);
	EXPECT_ST(port_read_file(p, path, &b), ST_ABSENT);
	EXPECT_OK(port_write_file(p, path, bytes_str("12345678"), true));
	EXPECT_OK(port_read_file(p, path, &b));
	EXPECT_BYTES(buf_view(&b), bytes_str("12345678"));
	EXPECT_OK(port_write_file(p, path, bytes_str("123456789"), true));
	buf_reset(&b);
	EXPECT_ST(port_read_file(p, path, &b), ST_LIMIT);
	EXPECT_OK(port_remove_file(p, path));
	EXPECT_OK(port_remove_file(p, path));
	assert_int_equal(rmdir(dir), 0);
	buf_free(&b);
}

/* Catches pieces that are lost at a block's edge, a copy that is not the hash
 * so far, and another function than the one that is named. */
static void
test_hash_in_pieces_is_the_hash_of_the_whole(void **state)
{
	static const uint8_t abc1[SHA1_LEN] = { 0xa9, 0x99, 0x3e, 0x36, 0x47,
		0x06, 0x81, 0x6a, 0xba, 0x3e, 0x25, 0x71, 0x78, 0x50, 0xc2,
		0x6c, 0x9c, 0xd0, 0xd8, 0x9d };
	uint8_t in[200], whole[HASH_LEN], out[HASH_LEN], out1[SHA1_LEN];
	struct sha256_run r, back;
	struct sha1_run r1;

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 7);
	for (size_t len = 0; len <= sizeof(in); len++) {
		sha256(whole, bytes_of(in, len));
		for (size_t cut = 0; cut <= len; cut += 13) {
			sha256_begin(&r);
			sha256_more(&r, bytes_of(in, cut));
			back = r;
			sha256_more(&r, bytes_of(in, len));
			sha256_more(&back, bytes_of(in + cut, len - cut));
			sha256_end(&back, out);
			EXPECT(memcmp(out, whole, HASH_LEN) == 0);
		}
	}
	sha1_begin(&r1);
	sha1_more(&r1, bytes_str("a"));
	sha1_more(&r1, bytes_str("bc"));
	sha1_end(&r1, out1);
	EXPECT(memcmp(out1, abc1, SHA1_LEN) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reader_past_the_end_stays_bad),
		cmocka_unit_test(test_varint_has_one_spelling),
		cmocka_unit_test(test_buf_ceiling_holds_and_error_sticks),
		cmocka_unit_test(test_encodings_have_one_spelling),
		cmocka_unit_test(test_decoders_know_their_alphabets),
		cmocka_unit_test(test_file_is_there_whole_or_not_at_all),
		cmocka_unit_test(test_hash_in_pieces_is_the_hash_of_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
