#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include "support/fault_alloc.h"
#include "support/wire_make.h"
#include "wire/sync.h"

/* Messages with every section; zstd's own memory is its library's and does not
 * fail here. */

enum { SEED_FIRST = 1, SEEDS = 40 };

static struct wire_made *
make(uint64_t seed)
{
	struct wire_made *x = calloc(1, sizeof(*x));

	EXPECT(x != NULL);
	made_init(x, seed);
	made_up(x, MADE_MIXED);
	made_down(x, MADE_MIXED);
	return x;
}

/* A message that reaches all that allocates: the one of most entries. */
static struct wire_made *
make_large(void)
{
	struct wire_made *best = NULL;
	size_t most = 0;

	for (uint64_t seed = SEED_FIRST; seed < SEED_FIRST + SEEDS; seed++) {
		struct wire_made *x = make(seed);
		size_t n = 0;

		for (size_t i = 0; i < x->up.piece_count; i++)
			n += x->up.piece[i].count;
		if (x->up.hint_count > 0 && x->up.returned_count > 0)
			n += 100;
		if (best == NULL || n > most) {
			if (best != NULL)
				made_free(best);
			free(best);
			best = x;
			most = n;
			continue;
		}
		made_free(x);
		free(x);
	}
	return best;
}

/* Catches a leak, or half a codec that is used. */
static void
test_wire_new_short_of_memory(void **state)
{
	(void)state;
	for (size_t n = 1;; n++) {
		struct wire_codec *c = NULL;
		struct sync_msg *m = NULL;
		enum status st;

		fault_alloc_after(n);
		st = wire_codec_new(&c);
		if (st == ST_OK)
			st = sync_msg_new(&m);
		if (!fault_alloc_off()) {
			EXPECT_OK(st);
			EXPECT(n >= 3);
			sync_msg_free(m);
			wire_codec_free(c);
			break;
		}
		EXPECT_ST(st, ST_NOMEM);
		EXPECT(m == NULL);
		sync_msg_free(m);
		wire_codec_free(c);
	}
}

/* Catches half a container, and a codec that serves no more after it. */
static void
test_wire_encode_short_of_memory_appends_nothing(void **state)
{
	struct wire_made *x = make_large();
	struct wire_codec *c = NULL;
	struct buf out, whole;
	uint32_t dict;
	size_t n;

	(void)state;
	buf_init(&whole, FRAME_WIRE_BYTES_MAX);
	EXPECT_OK(wire_codec_new(&c));
	dict = wire_dict_newest(c);
	EXPECT_OK(sync_up_encode(c, dict, x->m.court, &x->up, &whole));
	wire_codec_free(c);
	for (n = 1;; n++) {
		bool failed;
		enum status st;

		EXPECT_OK(wire_codec_new(&c));
		buf_init(&out, FRAME_WIRE_BYTES_MAX);
		buf_str(&out, "abc");
		fault_alloc_after(n);
		st = sync_up_encode(c, dict, x->m.court, &x->up, &out);
		failed = fault_alloc_off();
		EXPECT_ST(st, failed ? ST_NOMEM : ST_OK);
		EXPECT(out.err == ST_OK);
		if (failed) {
			EXPECT_BYTES(buf_view(&out), bytes_str("abc"));
			EXPECT_OK(
			    sync_up_encode(c, dict, x->m.court, &x->up, &out));
		}
		EXPECT_BYTES(
		    bytes_of(out.p + 3, out.len - 3), buf_view(&whole));
		buf_free(&out);
		wire_codec_free(c);
		if (!failed)
			break;
	}
	EXPECT(n > 10);
	buf_free(&whole);
	made_free(x);
	free(x);
}

/* Catches half a message, and one that serves no more after it. */
static void
test_wire_decode_up_short_of_memory(void **state)
{
	struct wire_made *x = make_large();
	struct wire_codec *c = NULL;
	struct buf wire;
	size_t n;

	(void)state;
	buf_init(&wire, FRAME_WIRE_BYTES_MAX);
	EXPECT_OK(wire_codec_new(&c));
	EXPECT_OK(
	    sync_up_encode(c, wire_dict_newest(c), x->m.court, &x->up, &wire));
	wire_codec_free(c);
	for (n = 1;; n++) {
		const struct sync_up *up = NULL;
		const char *why = NULL;
		struct sync_msg *m = NULL;
		uint32_t dict = 77;
		bool failed;
		enum status st;

		EXPECT_OK(wire_codec_new(&c));
		EXPECT_OK(sync_msg_new(&m));
		fault_alloc_after(n);
		st = sync_up_decode(
		    c, m, x->m.court, buf_view(&wire), &up, &dict, &why);
		failed = fault_alloc_off();
		EXPECT_ST(st, failed ? ST_NOMEM : ST_OK);
		if (failed) {
			EXPECT(up == NULL && dict == 77 && why != NULL);
			EXPECT_OK(sync_up_decode(c, m, x->m.court,
			    buf_view(&wire), &up, &dict, &why));
		}
		made_open(m, up, &x->up);
		made_up_same(up, &x->up);
		sync_msg_free(m);
		wire_codec_free(c);
		if (!failed)
			break;
	}
	EXPECT(n > 5);
	buf_free(&wire);
	made_free(x);
	free(x);
}

/* Catches the same in an answer. */
static void
test_wire_decode_down_short_of_memory(void **state)
{
	struct wire_made *x = make_large();
	struct wire_codec *c = NULL;
	struct buf wire;
	size_t n;

	(void)state;
	buf_init(&wire, FRAME_WIRE_BYTES_MAX);
	EXPECT_OK(wire_codec_new(&c));
	EXPECT_OK(sync_down_encode(
	    c, wire_dict_newest(c), x->m.court, &x->down, &wire));
	wire_codec_free(c);
	for (n = 1;; n++) {
		const struct sync_down *down = NULL;
		const char *why = NULL;
		struct sync_msg *m = NULL;
		uint32_t dict = 77;
		bool failed;
		enum status st;

		EXPECT_OK(wire_codec_new(&c));
		EXPECT_OK(sync_msg_new(&m));
		fault_alloc_after(n);
		st = sync_down_decode(
		    c, m, x->m.court, buf_view(&wire), &down, &dict, &why);
		failed = fault_alloc_off();
		EXPECT_ST(st, failed ? ST_NOMEM : ST_OK);
		if (failed) {
			EXPECT(down == NULL && dict == 77 && why != NULL);
			EXPECT_OK(sync_down_decode(c, m, x->m.court,
			    buf_view(&wire), &down, &dict, &why));
		}
		made_down_same(down, &x->down);
		sync_msg_free(m);
		wire_codec_free(c);
		if (!failed)
			break;
	}
	EXPECT(n > 5);
	buf_free(&wire);
	made_free(x);
	free(x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wire_new_short_of_memory),
		cmocka_unit_test(
		    test_wire_encode_short_of_memory_appends_nothing),
		cmocka_unit_test(test_wire_decode_up_short_of_memory),
		cmocka_unit_test(test_wire_decode_down_short_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
