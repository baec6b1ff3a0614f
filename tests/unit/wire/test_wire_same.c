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
	uint64_t seeds = setting("WIRE_SEEDS", 4000);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wire_gives_back_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
