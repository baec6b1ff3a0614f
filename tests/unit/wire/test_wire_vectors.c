#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/port.h"
#include "support/wire_dump.h"
#include "support/wire_make.h"

/*
 * Containers of version 1, kept in tests/vectors/wire-v1, decode for ever:
 * NAME.bin, and NAME.txt with what it says, and the bases that pieces rest on.
 * The court is "xz-gulou".
 *
 * They are never written again once a version with them was released.  Until
 * then: WIRE_VECTORS_WRITE=1 build/dev/bin/test_wire_vectors
 */

#define COURT "xz-gulou"

static const struct {
	const char *name;
	bool down, with_dict;
	enum made_style style;
	uint64_t seed;
} vectors[] = {
	{ "up-1", false, true, MADE_DAY, 301 },
	{ "up-2", false, true, MADE_MIXED, 112 },
	{ "up-3", false, true, MADE_MIXED, 301 },
	{ "up-4", false, false, MADE_DAY, 231 },
	{ "up-5", false, false, MADE_MIXED, 142 },
	{ "up-empty", false, false, MADE_DAY, 0 },
	{ "down-1", true, true, MADE_DAY, 11 },
	{ "down-2", true, true, MADE_MIXED, 87 },
	{ "down-3", true, false, MADE_DAY, 127 },
	{ "down-4", true, false, MADE_MIXED, 208 },
	{ "down-empty", true, false, MADE_DAY, 0 },
};
enum { COUNT = sizeof(vectors) / sizeof(vectors[0]) };

static void
path_of(char out[512], size_t i, const char *ending)
{
	int n = snprintf(out, 512, "%s/wire-v1/%s.%s", TEST_VECTORS_DIR,
	    vectors[i].name, ending);

	EXPECT(n > 0 && n < 512);
}

static void
read_file(size_t i, const char *ending, struct buf *out)
{
	char path[512];

	path_of(path, i, ending);
	buf_reset(out);
	EXPECT_OK(port_read_file(port_system(), path, out));
}

/* The base of the j-th piece, from the text. */
static void
base_of(uint8_t out[HASH_LEN], struct buf *text, size_t j)
{
	const char *at = buf_cstr(text);

	for (;; at++) {
		at = strstr(at, "piece chain");
		EXPECT(at != NULL);
		if (j-- == 0)
			break;
	}
	at = strstr(at, " base ");
	EXPECT(at != NULL);
	EXPECT_OK(hex_decode(out, HASH_LEN, bytes_of(at + 6, 2 * HASH_LEN)));
}

/* Decode, open, and say in text. */
static void
dump(struct wire_codec *c, struct sync_msg *m, size_t i, struct bytes in,
    struct buf *want, struct buf *out)
{
	const struct sync_up *up = NULL;
	const struct sync_down *down = NULL;
	const char *why = "";
	uint32_t dict = 0;

	buf_reset(out);
	if (vectors[i].down) {
		EXPECT_OK(
		    sync_down_decode(c, m, COURT, in, &down, &dict, &why));
		wire_dump_down(down, out);
	} else {
		EXPECT_OK(sync_up_decode(c, m, COURT, in, &up, &dict, &why));
		for (size_t j = 0; j < up->piece_count; j++) {
			uint8_t base[HASH_LEN];

			base_of(base, want, j);
			sync_piece_open(m, j, base);
		}
		wire_dump_up(up, out);
	}
	EXPECT((dict != 0) == vectors[i].with_dict);
	EXPECT(out->err == ST_OK);
}

static void
write_vector(struct wire_codec *c, struct sync_msg *m, size_t i)
{
	struct wire_made *x = calloc(1, sizeof(*x));
	uint32_t dict = vectors[i].with_dict ? wire_dict_newest(c) : 0;
	struct buf wire, text, bases;
	char path[512];

	EXPECT(x != NULL);
	buf_init(&wire, FRAME_WIRE_BYTES_MAX);
	buf_init(&text, 16 << 20);
	buf_init(&bases, 4096);
	made_init(x, vectors[i].seed);
	x->m.court = COURT;
	if (vectors[i].seed > 0) {
		made_up(x, vectors[i].style);
		made_down(x, vectors[i].style);
	}
	if (vectors[i].down)
		EXPECT_OK(sync_down_encode(c, dict, COURT, &x->down, &wire));
	else
		EXPECT_OK(sync_up_encode(c, dict, COURT, &x->up, &wire));
	for (size_t j = 0; j < x->up.piece_count; j++) {
		buf_str(&bases, "piece chain base ");
		buf_hex(&bases, bytes_of(x->up.piece[j].base, HASH_LEN));
	}
	dump(c, m, i, buf_view(&wire), &bases, &text);
	path_of(path, i, "bin");
	EXPECT_OK(port_write_file(port_system(), path, buf_view(&wire), false));
	path_of(path, i, "txt");
	EXPECT_OK(port_write_file(port_system(), path, buf_view(&text), false));
	print_message("%s: %zu bytes\n", vectors[i].name, wire.len);
	buf_free(&wire);
	buf_free(&text);
	buf_free(&bases);
	made_free(x);
	free(x);
}

/* Catches a change of the format, or of a dictionary, that strands devices
 * which write as they did. */
static void
test_wire_vectors_say_what_they_said(void **state)
{
	struct wire_codec *c = NULL;
	struct sync_msg *m = NULL;
	struct buf wire, text, want;

	(void)state;
	buf_init(&wire, FRAME_WIRE_BYTES_MAX);
	buf_init(&text, 16 << 20);
	buf_init(&want, 16 << 20);
	EXPECT_OK(wire_codec_new(&c));
	EXPECT_OK(sync_msg_new(&m));
	for (size_t i = 0; i < COUNT; i++) {
		if (getenv("WIRE_VECTORS_WRITE") != NULL)
			write_vector(c, m, i);
		read_file(i, "bin", &wire);
		read_file(i, "txt", &want);
		dump(c, m, i, buf_view(&wire), &want, &text);
		EXPECT_BYTES(buf_view(&text), buf_view(&want));
	}
	sync_msg_free(m);
	wire_codec_free(c);
	buf_free(&wire);
	buf_free(&text);
	buf_free(&want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wire_vectors_say_what_they_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
