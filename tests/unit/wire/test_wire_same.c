#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include "support/wire_make.h"
#include "wire/sync.h"

/*
 * What is decoded is what was encoded, byte for byte, with digests and links
 * as computed apart.  WIRE_SEEDS and WIRE_SEED choose how many messages and
 * the first one's seed.
 */

static uint64_t
setting(const char *name, uint64_t def)
{
	const char *text = getenv(name);

	return text == NULL ? def : strtoull(text, NULL, 10);
}

static void
one_up(struct wire_codec *c, struct sync_msg *msg, uint64_t seed,
    enum made_style style)
{
	struct wire_made *x = calloc(1, sizeof(*x));
	const struct sync_up *got = NULL;
	const char *why = "";
	struct buf wire;
	uint32_t dict = 0;

	EXPECT(x != NULL);
	made_init(x, seed);
	made_up(x, style);
	buf_init(&wire, FRAME_WIRE_BYTES_MAX);
	EXPECT_OK(
	    sync_up_encode(c, wire_dict_newest(c), x->m.court, &x->up, &wire));
	EXPECT_OK(sync_up_decode(
	    c, msg, x->m.court, buf_view(&wire), &got, &dict, &why));
	EXPECT(dict == wire_dict_newest(c));
	made_open(msg, got, &x->up);
	made_up_same(got, &x->up);
	buf_free(&wire);
	made_free(x);
	free(x);
}

static void
one_down(struct wire_codec *c, struct sync_msg *msg, uint64_t seed,
    enum made_style style)
{
	struct wire_made *x = calloc(1, sizeof(*x));
	const struct sync_down *got = NULL;
	const char *why = "";
	struct buf wire;
	uint32_t dict = 0;

	EXPECT(x != NULL);
	made_init(x, seed);
	made_down(x, style);
	buf_init(&wire, FRAME_WIRE_BYTES_MAX);
	EXPECT_OK(sync_down_encode(
	    c, wire_dict_newest(c), x->m.court, &x->down, &wire));
	EXPECT_OK(sync_down_decode(
	    c, msg, x->m.court, buf_view(&wire), &got, &dict, &why));
	made_down_same(got, &x->down);
	buf_free(&wire);
	made_free(x);
	free(x);
}

/* Catches any text that is left out and not put back exactly. */
static void
test_wire_gives_back_every_byte(void **state)
{
	uint64_t seeds = setting("WIRE_SEEDS", 5000);
	uint64_t first = setting("WIRE_SEED", 1);
	struct wire_codec *c = NULL;
	struct sync_msg *msg = NULL;

	(void)state;
	EXPECT_OK(wire_codec_new(&c));
	EXPECT_OK(sync_msg_new(&msg));
	for (uint64_t i = first; i < first + seeds; i++) {
		enum made_style style = i % 4 == 0 ? MADE_DAY : MADE_MIXED;

		if (i % 256 == 0)
			print_message(
			    "WIRE_SEED=%llu\n", (unsigned long long)i);
		one_up(c, msg, i, style);
		one_down(c, msg, i, style);
	}
	sync_msg_free(msg);
	wire_codec_free(c);
}

/* Catches what goes wrong only beyond one block of memory: entries that move
 * while they grow, and buffers that are given back. */
static void
test_wire_gives_back_large_messages(void **state)
{
	static uint8_t long_text[ENTRY_BYTES_MAX];
	struct wire_made *x = calloc(1, sizeof(*x));
	struct wire_codec *c = NULL;
	struct sync_msg *msg = NULL;
	const struct sync_up *got = NULL;
	const char *why = "";
	struct wire_piece piece[2];
	struct buf wire;
	uint32_t dict = 0;

	(void)state;
	EXPECT(x != NULL);
	EXPECT_OK(wire_codec_new(&c));
	EXPECT_OK(sync_msg_new(&msg));
	buf_init(&wire, FRAME_WIRE_BYTES_MAX);
	made_init(x, 5);
	made_piece(x, MADE_MIXED, PIECE_ENTRIES_MAX, &piece[0]);
	made_piece(x, MADE_DAY, 40, &piece[1]);
	for (size_t i = 0; i < sizeof(long_text); i++)
		long_text[i] = (uint8_t) "0123456789abcdef搜查"[i % 22];
	for (size_t i = 0; i < 40; i += 2) {
		/* Whole entries, their LF at a different place in each. */
		uint8_t *p = made_take(x, ENTRY_BYTES_MAX, 1);

		memcpy(p, long_text, ENTRY_BYTES_MAX);
		p[i * 1600] = '\n';
		piece[1].entry[i].form = WIRE_WHOLE;
		piece[1].entry[i].raw = bytes_of(p, ENTRY_BYTES_MAX - i);
	}
	x->up = (struct sync_up){ .piece = piece, .piece_count = 2 };
	for (int round = 0; round < 3; round++) {
		/* A small one between: memory shrinks and grows again. */
		struct sync_up small = { .has_checkpoint = true };

		buf_reset(&wire);
		EXPECT_OK(sync_up_encode(
		    c, wire_dict_newest(c), x->m.court, &x->up, &wire));
		EXPECT_OK(sync_up_decode(
		    c, msg, x->m.court, buf_view(&wire), &got, &dict, &why));
		made_open(msg, got, &x->up);
		made_up_same(got, &x->up);
		buf_reset(&wire);
		EXPECT_OK(sync_up_encode(
		    c, wire_dict_newest(c), x->m.court, &small, &wire));
		EXPECT_OK(sync_up_decode(
		    c, msg, x->m.court, buf_view(&wire), &got, &dict, &why));
		made_up_same(got, &small);
	}
	buf_free(&wire);
	sync_msg_free(msg);
	wire_codec_free(c);
	made_free(x);
	free(x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wire_gives_back_every_byte),
		cmocka_unit_test(test_wire_gives_back_large_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
