#include "support/expect.h"

#include <string.h>

#include "base/sha.h"
#include "entry/chain.h"
#include "entry/entry.h"
#include "support/wire_craft.h"

/*
 * What each byte below 0x20 stands for, and what is refused, one by one: a
 * writer and a reader that are wrong in the same way would pass any test that
 * only sends entries through both.
 */

#define A16 "a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0"
#define B16 "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0"
#define UUID_A "a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a0a0"
#define UUID_B "b0b0b0b0-b0b0-b0b0-b0b0-b0b0b0b0b0b0"
#define WALL INT64_C(1772310600123) /* 2026-02-28T20:30:00.123Z */

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
text(const char *s)
{
	buf_str(&k.text, s);
	buf_u8(&k.text, 0);
}

/* Decode the streams and open the piece. */
static void
opened(void)
{
	craft_sig(&k);
	EXPECT_OK(craft_up(&k));
	EXPECT(k.up->piece_count == 1 && k.up->piece[0].sealed);
	sync_piece_open(k.msg, 0, craft_base);
}

/* Entry i of the piece is these bytes. */
static void
is(size_t i, const char *want)
{
	EXPECT(i < k.up->piece[0].count);
	EXPECT_BYTES(k.up->piece[0].entry[i].raw, bytes_str(want));
}

static void
begin(size_t count)
{
	craft_begin(&k);
	craft_piece(&k, count);
}

/* A piece of what is given is refused with this. */
static void
refused(enum status want, const char *why)
{
	craft_sig(&k);
	EXPECT_ST(craft_up(&k), want);
	assert_string_equal(k.why, why);
}

/* Append the hex of the id of entry i. */
static void
add_id(struct buf *b, size_t i)
{
	buf_hex(b, bytes_of(k.up->piece[0].entry[i].link, ID_LEN));
}

/* Catches a place taken from anywhere but the piece. */
static void
test_wire_place_is_the_pieces(void **state)
{
	(void)state;
	begin(2);
	text("\x01\n");
	text("x\x01y\n");
	opened();
	is(0, "\"chain\":\"11111111111111111111111111111111\",\"seq\":7\n");
	is(1, "x\"chain\":\"11111111111111111111111111111111\",\"seq\":8y\n");
}

/* Catches a body hash over other bytes than the body line. */
static void
test_wire_body_hash_is_of_the_body_line(void **state)
{
	(void)state;
	begin(2);
	text("{\x02}\n{}");
	text("\x02\n");
	opened();
	/* printf '{}' | sha256sum; sha256sum </dev/null */
	is(0, "{\"body\":\"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310"
	      "c060f61caaff8a\"}\n{}");
	is(1, "\"body\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495"
	      "991b7852b855\"\n");
}

/* Catches binary values written in another form or order than they came. */
static void
test_wire_binary_values_come_in_order(void **state)
{
	(void)state;
	begin(1);
	text("\x04\x07\x08\x0b\x08\n\x07");
	craft_raw(&k, 0xa0, 16);
	craft_raw(&k, 0xb0, 16);
	craft_raw(&k, 0xa0, 16);
	craft_raw(&k, 0xb0, 32);
	craft_raw(&k, 0xb0, 16);
	craft_raw(&k, 0xa0, 16);
	opened();
	is(0, "\"salt\":\"" A16 "\"" UUID_B A16 B16 B16 B16 "\n" UUID_A);
}

/* Catches a boot or a record remembered wrongly from entry to entry. */
static void
test_wire_boot_and_record_are_remembered(void **state)
{
	(void)state;
	begin(5);
	text("\x12\x11\n");
	text("\x05\x11\n");
	text("\x12\x06\n");
	text("\x05\x0d\n");
	text("\x05\x06\n");
	craft_raw(&k, 0xa0, 16); /* boot */
	craft_raw(&k, 0xa0, 16); /* record 0 */
	craft_raw(&k, 0xb0, 16); /* record 1 */
	craft_raw(&k, 0xb0, 16); /* boot */
	buf_varint(&k.ctl, 0);
	opened();
	is(0, "\"boot\":\"" A16 "\"\"rec\":\"" UUID_A "\"\n");
	is(1, "\"boot\":\"" A16 "\"\"rec\":\"" UUID_B "\"\n");
	is(2, "\"boot\":\"" B16 "\"\"rec\":\"" UUID_B "\"\n");
	is(3, "\"boot\":\"" B16 "\"\"rec\":\"" UUID_A "\"\n");
	is(4, "\"boot\":\"" B16 "\"\"rec\":\"" UUID_A "\"\n");
}

/* Catches an id of the wrong entry, or of a link computed wrongly. */
static void
test_wire_ids_are_of_links_before(void **state)
{
	uint8_t digest[HASH_LEN], link[HASH_LEN];
	struct buf want;

	(void)state;
	buf_init(&want, 4096);
	begin(4);
	text("\x11\x09\n");
	text("\x09\x09\n");
	text("\x06\x03\n");
	text("\x09\x09\x09\n");
	craft_raw(&k, 0xa0, 16);
	buf_varint(&k.ctl, 0); /* link(n-1): what the piece rests on */
	buf_varint(&k.ctl, 0);
	buf_varint(&k.ctl, 1); /* the same */
	buf_varint(&k.ctl, 1);
	buf_varint(&k.ctl, 2);
	buf_varint(&k.ctl, 3);
	opened();
	is(0, "\"rec\":\"" UUID_A "\"22222222222222222222222222222222\n");
	entry_digest(digest, k.up->piece[0].entry[0].raw);
	chain_link(link, craft_base, CRAFT_SEQ, digest);
	EXPECT_BYTES(bytes_of(k.up->piece[0].entry[0].link, HASH_LEN),
	    bytes_of(link, HASH_LEN));
	add_id(&want, 0);
	add_id(&want, 0);
	buf_str(&want, "\n");
	is(1, buf_cstr(&want));
	/* The latest of its record is the first entry, not the one before. */
	buf_reset(&want);
	buf_str(&want, "\"rec\":\"" UUID_A "\"\"after\":[\"");
	add_id(&want, 0);
	buf_str(&want, "\"]\n");
	is(2, buf_cstr(&want));
	buf_reset(&want);
	add_id(&want, 2);
	add_id(&want, 1);
	add_id(&want, 0);
	buf_str(&want, "\n");
	is(3, buf_cstr(&want));
	buf_free(&want);
}

/* Catches a piece that cannot be opened again on another branch. */
static void
test_wire_piece_opens_on_another_base(void **state)
{
	uint8_t other[HASH_LEN], link[HASH_LEN];

	(void)state;
	begin(2);
	text("\x09\x02\n\x09");
	text("\x09\n");
	buf_varint(&k.ctl, 0);
	buf_varint(&k.ctl, 0);
	buf_varint(&k.ctl, 1);
	opened();
	memcpy(link, k.up->piece[0].entry[1].link, HASH_LEN);
	memset(other, 0x44, sizeof(other));
	sync_piece_open(k.msg, 0, other);
	EXPECT(memcmp(link, k.up->piece[0].entry[1].link, HASH_LEN) != 0);
	EXPECT(memcmp(k.up->piece[0].entry[0].raw.p, "4444", 4) == 0);
	sync_piece_open(k.msg, 0, craft_base);
	EXPECT(memcmp(link, k.up->piece[0].entry[1].link, HASH_LEN) == 0);
	EXPECT(memcmp(k.up->piece[0].entry[0].raw.p, "2222", 4) == 0);
}

/* Catches a clock read from the wrong entry, or printed in another way. */
static void
test_wire_times(void **state)
{
	(void)state;
	begin(6);
	text("\x0c\x0e\x0f\n"); /* all from the first wall */
	craft_step(&k, WALL);
	craft_step(&k, 0);
	craft_step(&k, 0);
	craft_step(&k, 5000);
	text("\x0f\x0e\n"); /* mono before wall: no step of it yet */
	craft_step(&k, 7);
	craft_step(&k, -123);
	text("\x0c\x0f\n"); /* wall taken, not written; another offset */
	craft_step(&k, 1000);
	craft_step(&k, -480);
	craft_step(&k, 0);
	craft_step(&k, -7);
	text("\x0e\x0c\n"); /* at before the wall, offset kept */
	craft_step(&k, 0);
	craft_step(&k, 0);
	craft_step(&k, 90000);
	text("\x0c\n"); /* at after the wall */
	craft_step(&k, 0);
	craft_step(&k, -330);
	craft_step(&k, -60001);
	text("\x0e\x0f\n");
	craft_step(&k, 0);
	craft_step(&k, 0);
	opened();
	is(0, "\"at\":\"2026-03-01T04:30:00.123+08:00\"\"wall\":1772310600123"
	      "\"mono\":5000\n");
	is(1, "\"mono\":5007\"wall\":1772310600000\n");
	is(2, "\"at\":\"2026-02-28T20:30:01Z\"\"mono\":6000\n");
	is(3, "\"wall\":1772310601000\"at\":\"2026-02-28T20:28:31Z\"\n");
	is(4, "\"at\":\"2026-02-28T15:01:01.001-05:30\"\n");
	is(5, "\"wall\":1772310601000\"mono\":6000\n");
}

/* Catches a record's time taken from another clock than its entry's. */
static void
test_wire_record_made_near_its_entry(void **state)
{
	(void)state;
	begin(4);
	text("\x13\x0e\n"); /* 100 ms before the wall */
	craft_step(&k, WALL);
	craft_step(&k, 100);
	craft_raw(&k, 0xa0, 10);
	text("\x0c\x13\n"); /* after it, the wall taken by 0x0c */
	craft_step(&k, 1000);
	craft_step(&k, 0);
	craft_step(&k, 0);
	craft_step(&k, -1);
	craft_raw(&k, 0xb0, 10);
	text("\x06\n");
	text("\x0d\n");
	buf_varint(&k.ctl, 0);
	opened();
	/* printf '%012x' 1772310600023; 1772310601124 */
	is(0, "\"rec\":\"019ca5f1-9957-a0a0-a0a0-a0a0a0a0a0a0\""
	      "\"wall\":1772310600123\n");
	is(1, "\"at\":\"2026-03-01T04:30:01.123+08:00\""
	      "\"rec\":\"019ca5f1-9da4-b0b0-b0b0-b0b0b0b0b0b0\"\n");
	is(2, "\"rec\":\"019ca5f1-9da4-b0b0-b0b0-b0b0b0b0b0b0\"\n");
	is(3, "\"rec\":\"019ca5f1-9957-a0a0-a0a0-a0a0a0a0a0a0\"\n");
	begin(1);
	text("\x13\n");
	craft_step(&k, WALL);
	craft_step(&k, WALL + 1);
	craft_raw(&k, 0xa0, 10);
	refused(ST_INVALID, "entry: rec out of range");
	begin(1);
	text("\x13\n");
	craft_step(&k, WALL);
	craft_step(&k, WALL - (INT64_C(1) << 48));
	craft_raw(&k, 0xa0, 10);
	refused(ST_INVALID, "entry: rec out of range");
}

/* Catches the court left out, or another one put in. */
static void
test_wire_court_is_the_readers(void **state)
{
	(void)state;
	begin(1);
	text("\x10\n");
	opened();
	is(0, "{\"v\":1,\"court\":\"" CRAFT_COURT "\",\n");
}

/* Catches forms taken for one another. */
static void
test_wire_forms(void **state)
{
	const struct wire_entry *e;
	uint8_t digest[HASH_LEN];

	(void)state;
	begin(5);
	text("\x14head \x08");
	craft_raw(&k, 0xa0, 16);
	buf_u8(&k.text, 0x15);
	craft_raw(&k, 0x55, HASH_LEN);
	buf_u8(&k.text, 0x16);
	buf_varint(&k.ctl, 6);
	buf_add(&k.text, "\0\n\x01\n\x1f ", 6);
	buf_u8(&k.text, 0x17);
	buf_varint(&k.ctl, 3);
	buf_add(&k.text, "\0\x02h", 3);
	text("\n");
	opened();
	e = k.up->piece[0].entry;
	EXPECT(e[0].form == WIRE_HEAD);
	is(0, "head " A16);
	EXPECT(e[1].form == WIRE_LOST && e[1].raw.len == 0);
	memset(digest, 0x55, sizeof(digest));
	EXPECT_BYTES(
	    bytes_of(e[1].digest, HASH_LEN), bytes_of(digest, HASH_LEN));
	EXPECT(e[2].form == WIRE_WHOLE);
	EXPECT_BYTES(e[2].raw, bytes_of("\0\n\x01\n\x1f ", 6));
	/* The digest of a malformed one too ends at its first LF. */
	sha256(digest, bytes_of("\0", 1));
	EXPECT_BYTES(
	    bytes_of(e[2].digest, HASH_LEN), bytes_of(digest, HASH_LEN));
	EXPECT(e[3].form == WIRE_HEAD);
	EXPECT_BYTES(e[3].raw, bytes_of("\0\x02h", 3));
	EXPECT(e[4].form == WIRE_WHOLE);
	is(4, "\n");
}

/* Catches a byte without a meaning that is let through. */
static void
test_wire_unknown_bytes_are_refused(void **state)
{
	(void)state;
	for (unsigned c = 0x14; c < 0x20; c++) {
		char s[] = { 'x', (char)c, '\n', '\0' };

		begin(1);
		text(s);
		refused(ST_INVALID, "entry: unknown byte");
	}
	for (unsigned c = 0x18; c < 0x20; c++) {
		char s[] = { (char)c, '\n', '\0' };

		begin(1);
		text(s);
		refused(ST_INVALID, "entry: unknown byte");
	}
}

/* Catches references to what is not there, which would read other memory. */
static void
test_wire_references_to_nothing_are_refused(void **state)
{
	(void)state;
	begin(1);
	text("\x05\n");
	refused(ST_INVALID, "entry: no boot before it");
	begin(1);
	text("\x06\n");
	refused(ST_INVALID, "entry: no record before it");
	begin(2);
	text("\x11\n");
	craft_raw(&k, 0xa0, 16);
	text("\x0d\n");
	buf_varint(&k.ctl, 1);
	refused(ST_INVALID, "entry: no such record before it");
	begin(1);
	text("\x03\n");
	refused(ST_INVALID, "entry: after nothing");
	begin(1);
	text("\x11\x03\n");
	craft_raw(&k, 0xa0, 16);
	refused(ST_INVALID, "entry: after nothing");
	begin(2);
	text("\x11\n");
	craft_raw(&k, 0xa0, 16);
	text("\x03\n"); /* no record of its own yet */
	refused(ST_INVALID, "entry: after nothing");
	begin(2);
	text("\n");
	text("\x09\n");
	buf_varint(&k.ctl, 2);
	refused(ST_INVALID, "entry: no entry so far before it");
	begin(1);
	text("\n\x02");
	refused(ST_INVALID, "entry: body line with its hash");
	begin(1);
	text("\x14\x02");
	refused(ST_INVALID, "entry: hash of no body");
}

/* Catches state that leaks from run to run. */
static void
test_wire_runs_begin_anew(void **state)
{
	(void)state;
	craft_begin(&k);
	buf_varint(&k.ctl, 1);
	buf_varint(&k.ctl, 2);
	for (int i = 0; i < 2; i++) {
		craft_raw(&k, 0x11, CHAIN_LEN);
		buf_varint(&k.ctl, (uint64_t)(7 + i));
		buf_varint(&k.ctl, 1);
		buf_varint(&k.ctl, 0);
		text(i == 0 ? "\x12\n" : "\x05\n");
		if (i == 0)
			craft_raw(&k, 0xa0, 16);
		craft_sig(&k);
	}
	EXPECT_ST(craft_up(&k), ST_INVALID);
	assert_string_equal(k.why, "entry: no boot before it");
}

/* Catches a member that is put back twice. */
static void
test_wire_members_stand_once(void **state)
{
	static const char *const twice[] = { "\x01\x01\n", "\x02\x02\n",
		"\x04\x04\n", "\x12\x12\n", "\x12\x05\n", "\x11\x11\n",
		"\x11\x06\n", "\x13\x06\n", "\x11\x13\n", "\n\n", "\x0c\x0c\n",
		"\x0e\x0e\n", "\x0f\x0f\n", "\x10\x10\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(twice) / sizeof(twice[0]); i++) {
		begin(1);
		text(twice[i]);
		for (int n = 0; n < 4; n++)
			buf_varint(&k.ctl, 0);
		craft_raw(&k, 0xa0, 64);
		refused(ST_INVALID, "entry: a member twice");
	}
}

/* Catches numbers that would be printed otherwise than they were written. */
static void
test_wire_numbers_out_of_range_are_refused(void **state)
{
	static const struct {
		int64_t wall, offset, before;
	} at[] = { { 1000, -480, 1001 }, { 0, -481, 0 }, { WALL, 960, 0 },
		{ WALL, -1920, 0 }, { INT64_C(253370764800000), -480, 0 },
		{ INT64_C(253370764799999), 0, 0 }, { WALL, 0, INT64_MIN } };

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		begin(1);
		text("\x0c\n");
		craft_step(&k, at[i].wall);
		craft_step(&k, at[i].offset);
		craft_step(&k, at[i].before);
		refused(ST_INVALID, "entry: at out of range");
	}
	begin(1);
	text("\x0e\n");
	craft_step(&k, INT64_C(9007199254740992));
	refused(ST_INVALID, "entry: wall out of range");
	begin(1);
	text("\x0e\n");
	craft_step(&k, -1);
	refused(ST_INVALID, "entry: wall out of range");
	begin(1);
	text("\x0f\n");
	craft_step(&k, INT64_C(9007199254740992));
	refused(ST_INVALID, "entry: mono out of range");
	/* The last that are in range. */
	begin(2);
	text("\x0c\n");
	craft_step(&k, INT64_C(253370764799999));
	craft_step(&k, -480);
	craft_step(&k, 0);
	text("\x0e\x0f\n");
	craft_step(&k, INT64_C(9007199254740991) - INT64_C(253370764799999));
	craft_step(&k, INT64_C(9007199254740991));
	opened();
	is(0, "\"at\":\"9998-12-31T23:59:59.999Z\"\n");
	is(1, "\"wall\":9007199254740991\"mono\":9007199254740991\n");
}

/* Catches lines that do not fit the form that was stated. */
static void
test_wire_lines_fit_the_form(void **state)
{
	(void)state;
	begin(1);
	text("no line break");
	refused(ST_INVALID, "entry: form and lines differ");
	begin(1);
	text("\x14head\nbody");
	refused(ST_INVALID, "entry: form and lines differ");
	begin(1);
	buf_str(&k.text, "\x17h\nb");
	buf_varint(&k.ctl, 3);
	refused(ST_INVALID, "entry: form and lines differ");
	begin(1);
	text("\x14");
	refused(ST_INVALID, "entry: empty");
	begin(1);
	buf_u8(&k.text, 0x16);
	buf_varint(&k.ctl, 0);
	refused(ST_INVALID, "entry: empty");
}

/* Catches a stream read past its end, or not to its end. */
static void
test_wire_streams_end_where_they_are_read_to(void **state)
{
	(void)state;
	begin(1);
	buf_str(&k.text, "x\n");
	refused(ST_INVALID, "entry: text ends in it");
	begin(1);
	buf_u8(&k.text, 0x16);
	buf_varint(&k.ctl, 2);
	buf_str(&k.text, "x");
	refused(ST_INVALID, "entry: text ends in it");
	begin(1);
	text("\x09\n");
	refused(ST_INVALID, "entry: no more numbers");
	craft_begin(&k);
	craft_piece(&k, 1);
	text("\x08\n");
	EXPECT_ST(craft_up(&k), ST_INVALID);
	assert_string_equal(k.why, "entry: no more binary values");
	begin(1);
	text("\n");
	craft_raw(&k, 0, 1);
	refused(ST_INVALID, "frame: bytes left over");
	begin(1);
	text("\n");
	text("\n");
	refused(ST_INVALID, "frame: bytes left over");
	begin(1);
	text("\n");
	buf_u8(&k.ctl, 1);
	refused(ST_INVALID, "frame: sections out of order");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wire_place_is_the_pieces),
		cmocka_unit_test(test_wire_body_hash_is_of_the_body_line),
		cmocka_unit_test(test_wire_binary_values_come_in_order),
		cmocka_unit_test(test_wire_boot_and_record_are_remembered),
		cmocka_unit_test(test_wire_ids_are_of_links_before),
		cmocka_unit_test(test_wire_piece_opens_on_another_base),
		cmocka_unit_test(test_wire_times),
		cmocka_unit_test(test_wire_record_made_near_its_entry),
		cmocka_unit_test(test_wire_court_is_the_readers),
		cmocka_unit_test(test_wire_forms),
		cmocka_unit_test(test_wire_unknown_bytes_are_refused),
		cmocka_unit_test(test_wire_references_to_nothing_are_refused),
		cmocka_unit_test(test_wire_runs_begin_anew),
		cmocka_unit_test(test_wire_members_stand_once),
		cmocka_unit_test(test_wire_numbers_out_of_range_are_refused),
		cmocka_unit_test(test_wire_lines_fit_the_form),
		cmocka_unit_test(test_wire_streams_end_where_they_are_read_to),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
