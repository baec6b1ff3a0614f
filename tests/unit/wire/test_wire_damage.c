#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include "support/wire_make.h"
#include "wire/sync.h"

/* Containers cut short, with bytes behind them, and with bits turned. */

enum { SEEDS = 3 };

struct damage {
	struct wire_codec *codec;
	struct sync_msg *msg;
	struct wire_made *x;
	struct buf wire;
	bool down;
};

static void
start(struct damage *d, uint64_t seed, bool down)
{
	*d = (struct damage){ .down = down };
	EXPECT_OK(wire_codec_new(&d->codec));
	EXPECT_OK(sync_msg_new(&d->msg));
	d->x = calloc(1, sizeof(*d->x));
	EXPECT(d->x != NULL);
	made_init(d->x, seed);
	buf_init(&d->wire, FRAME_WIRE_BYTES_MAX);
	if (down) {
		made_down(d->x, MADE_MIXED);
		EXPECT_OK(sync_down_encode(d->codec, wire_dict_newest(d->codec),
		    d->x->m.court, &d->x->down, &d->wire));
	} else {
		made_up(d->x, MADE_MIXED);
		EXPECT_OK(sync_up_encode(d->codec, wire_dict_newest(d->codec),
		    d->x->m.court, &d->x->up, &d->wire));
	}
}

static void
stop(struct damage *d)
{
	wire_codec_free(d->codec);
	sync_msg_free(d->msg);
	buf_free(&d->wire);
	made_free(d->x);
	free(d->x);
}

/*
 * Decode a copy of exactly that length, so that a step past its end is seen;
 * open what is there.  A failure leaves the results alone and has words.
 */
static enum status
decode(struct damage *d, struct bytes in)
{
	const struct sync_up *up = NULL;
	const struct sync_down *down = NULL;
	const char *why = NULL, *court = d->x->m.court;
	uint8_t *copy = malloc(in.len + 1), base[HASH_LEN] = { 1 };
	uint32_t dict = 77;
	enum status st;

	EXPECT(copy != NULL);
	copy = realloc(copy, in.len > 0 ? in.len : 1);
	EXPECT(copy != NULL);
	if (in.len > 0)
		memcpy(copy, in.p, in.len);
	in.p = copy;
	st = d->down ? sync_down_decode(
			   d->codec, d->msg, court, in, &down, &dict, &why)
		     : sync_up_decode(
			   d->codec, d->msg, court, in, &up, &dict, &why);
	/* Nothing that was given may point into what came in. */
	memset(copy, 0xee, in.len);
	free(copy);
	if (st != ST_OK) {
		EXPECT(up == NULL && down == NULL && dict == 77 && why != NULL);
		EXPECT(st == ST_INVALID || st == ST_LIMIT || st == ST_NEWER ||
		       st == ST_ABSENT);
		return st;
	}
	if (up != NULL) {
		for (size_t i = 0; i < up->piece_count; i++)
			sync_piece_open(d->msg, i, base);
	}
	return st;
}

static void
intact(struct damage *d)
{
	const struct sync_up *up = NULL;
	const struct sync_down *down = NULL;
	const char *why = NULL;
	uint32_t dict = 0;

	if (d->down) {
		EXPECT_OK(sync_down_decode(d->codec, d->msg, d->x->m.court,
		    buf_view(&d->wire), &down, &dict, &why));
		made_down_same(down, &d->x->down);
	} else {
		EXPECT_OK(sync_up_decode(d->codec, d->msg, d->x->m.court,
		    buf_view(&d->wire), &up, &dict, &why));
		made_open(d->msg, up, &d->x->up);
		made_up_same(up, &d->x->up);
	}
}

/* Catches a reader that takes half a message for a whole one. */
static void
test_wire_cut_short_is_refused(void **state)
{
	struct damage d;

	(void)state;
	for (uint64_t seed = 1; seed <= 2 * SEEDS; seed++) {
		start(&d, seed, seed % 2 == 0);
		for (size_t len = 0; len < d.wire.len; len++)
			EXPECT(decode(&d, bytes_of(d.wire.p, len)) != ST_OK);
		intact(&d);
		buf_u8(&d.wire, 0);
		EXPECT_ST(decode(&d, buf_view(&d.wire)), ST_INVALID);
		stop(&d);
	}
}

/* Catches a turned bit that ends the program, or spoils what comes after. */
static void
test_wire_turned_bits_do_no_harm(void **state)
{
	struct damage d;
	size_t taken = 0, refused = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 2 * SEEDS; seed++) {
		start(&d, seed, seed % 2 == 0);
		for (size_t bit = 0; bit < 8 * d.wire.len; bit++) {
			uint8_t *p = &d.wire.p[bit / 8];
			enum status st;

			*p ^= (uint8_t)(1u << bit % 8);
			st = decode(&d, buf_view(&d.wire));
			/* One reading: the same again. */
			if (bit % 16 == 0)
				EXPECT_ST(decode(&d, buf_view(&d.wire)), st);
			if (st == ST_OK)
				taken++;
			else
				refused++;
			*p ^= (uint8_t)(1u << bit % 8);
		}
		intact(&d);
		stop(&d);
	}
	print_message("%zu taken, %zu refused\n", taken, refused);
	EXPECT(taken > 0 && refused > 0);
}

/* Catches a changed byte of raw that leaves the link as it was. */
static void
test_wire_turned_bit_in_an_entry_shows_in_its_link(void **state)
{
	struct damage d;
	const struct sync_up *up = NULL;
	const char *why = NULL;
	uint32_t dict = 0;
	struct wire_piece piece;
	struct sync_up one = { .piece = &piece, .piece_count = 1 };
	uint8_t link[HASH_LEN];

	(void)state;
	start(&d, 3, false);
	made_piece(d.x, MADE_DAY, 5, &piece);
	piece.has_base = piece.hole = false;
	memcpy(link, d.x->m.link, HASH_LEN);
	buf_reset(&d.wire);
	EXPECT_OK(sync_up_encode(
	    d.codec, wire_dict_newest(d.codec), d.x->m.court, &one, &d.wire));
	/* Raw ends with the signature, and begins with the chain. */
	for (size_t i = 1; i <= 16 * 5; i++) {
		uint8_t *p = &d.wire.p[d.wire.len - SIG_LEN - i];

		*p ^= 1;
		EXPECT_OK(sync_up_decode(d.codec, d.msg, d.x->m.court,
		    buf_view(&d.wire), &up, &dict, &why));
		sync_piece_open(d.msg, 0, piece.base);
		EXPECT(memcmp(up->piece[0].entry[4].link, link, HASH_LEN) != 0);
		*p ^= 1;
	}
	EXPECT_OK(sync_up_decode(
	    d.codec, d.msg, d.x->m.court, buf_view(&d.wire), &up, &dict, &why));
	sync_piece_open(d.msg, 0, piece.base);
	EXPECT(memcmp(up->piece[0].entry[4].link, link, HASH_LEN) == 0);
	stop(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wire_cut_short_is_refused),
		cmocka_unit_test(test_wire_turned_bits_do_no_harm),
		cmocka_unit_test(
		    test_wire_turned_bit_in_an_entry_shows_in_its_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
