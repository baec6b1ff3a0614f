#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/kind.h"
#include "entry/entry.h"
#include "support/morning.h"
#include "wire/sync.h"

enum { TRIES = 300 };

/* Digits and letters at random: the worst that compression can meet. */
static void
put_random(struct morning *m, size_t len, struct buf *out)
{
	static const char set[] = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";

	while (len-- > 0)
		buf_u8(out, (uint8_t)set[morning_rand(m, sizeof(set) - 1)]);
}

/* As much text as the field takes, in Chinese characters or in letters. */
static void
put_full(struct morning *m, const struct kind_field *f, struct buf *out)
{
	buf_u8(out, '"');
	if (f->type == KIND_ENUM) {
		buf_str(out, f->options[morning_rand(m, f->option_count)].id);
	} else if (f->type == KIND_LAT) {
		buf_printf(out, "-34.%06d", (int)morning_rand(m, 1000000));
		if (out->p[out->len - 1] == '0')
			out->p[out->len - 1] = '1';
	} else if (f->type == KIND_LON) {
		buf_printf(out, "117.%06d", (int)morning_rand(m, 1000000));
		if (out->p[out->len - 1] == '0')
			out->p[out->len - 1] = '1';
	} else if (f->type == KIND_TEXT) {
		/* U+4E00 and the 8,000 behind it. */
		for (size_t i = 0; i < f->bytes_max / 3; i++) {
			unsigned c = 0x4e00 + (unsigned)morning_rand(m, 8000);

			buf_u8(out, (uint8_t)(0xe0 | c >> 12));
			buf_u8(out, (uint8_t)(0x80 | (c >> 6 & 63)));
			buf_u8(out, (uint8_t)(0x80 | (c & 63)));
		}
	} else {
		put_random(m, f->bytes_max, out);
	}
	buf_u8(out, '"');
}

/* Every field of the kind, each as long as it may be. */
static void
make_full(struct morning *m, const struct kind *k, struct buf *out)
{
	struct entry_new n = { .court = m->court,
		.seq = 2 + morning_rand(m, 100000),
		.kind = k->id,
		.by = m->by,
		.verb = DO_OPEN,
		.wall = m->wall + morning_rand(m, 86400000),
		.mono = morning_rand(m, UINT64_C(900000000)) };
	struct bytes on[16];
	char rec[REC_LEN + 1], at[32];
	uint8_t rnd[10];
	const char *why = NULL;
	struct buf data;

	EXPECT(k->field_count <= 16);
	buf_init(&data, ENTRY_BYTES_MAX);
	buf_u8(&data, '[');
	for (size_t i = 0; i < k->field_count; i++) {
		size_t from;
		struct words w;

		on[i] = bytes_str(k->fields[i].path);
		if (i > 0)
			buf_u8(&data, ',');
		from = data.len;
		put_full(m, &k->fields[i], &data);
		EXPECT_OK(kind_check(&k->fields[i],
		    bytes_of(data.p + from, data.len - from), &w));
	}
	buf_u8(&data, ']');
	morning_bytes(m, rnd, sizeof(rnd));
	rec_new(rec, n.wall, rnd);
	at_format(at, n.wall, 480);
	n.rec = rec;
	n.at = at;
	n.on = on;
	n.on_count = k->field_count;
	n.data = buf_view(&data);
	morning_bytes(m, n.chain, CHAIN_LEN);
	morning_bytes(m, n.boot, BOOT_LEN);
	morning_bytes(m, n.salt, SALT_LEN);
	EXPECT_OK(entry_write(&n, out, &why));
	buf_free(&data);
}

/* Catches a ping that has grown too large to be sent ahead of everything: with
 * every field full it still fits, its link and signature counted. */
static void
test_stage_fits_a_hint_when_every_field_is_full(void **state)
{
	struct kinds *ks = NULL;
	struct wire_codec *c = NULL;
	const struct kind *k;
	struct buf raw, wire;
	size_t most = 0, sum = 0;

	(void)state;
	EXPECT_OK(kinds_load_builtin(&ks));
	EXPECT_OK(wire_codec_new(&c));
	k = kinds_latest(ks, bytes_str("stage"));
	EXPECT(k != NULL && k->small);
	buf_init(&raw, ENTRY_BYTES_MAX);
	buf_init(&wire, 1 << 16);
	for (uint64_t seed = 1; seed <= TRIES; seed++) {
		struct sync_up up = { .piece_count = 0 };
		struct wire_hint hint = { .seq = 2 };
		struct morning m;
		size_t empty, full;

		morning_init(&m, seed, MORNING_MEASURE);
		buf_reset(&raw);
		make_full(&m, k, &raw);
		buf_reset(&wire);
		EXPECT_OK(sync_up_encode(
		    c, wire_dict_newest(c), m.court, &up, &wire));
		empty = wire.len;
		morning_bytes(&m, hint.prev, HASH_LEN);
		morning_bytes(&m, hint.sig, SIG_LEN);
		hint.entry.raw = buf_view(&raw);
		up.hint = &hint;
		up.hint_count = 1;
		{
			struct entry e;

			entry_init(&e);
			EXPECT_OK(entry_parse(&e, buf_view(&raw)));
			memcpy(hint.chain, e.chain, CHAIN_LEN);
			hint.seq = e.seq;
			entry_free(&e);
		}
		buf_reset(&wire);
		EXPECT_OK(sync_up_encode(
		    c, wire_dict_newest(c), m.court, &up, &wire));
		full = wire.len - empty;
		most = full > most ? full : most;
		sum += full;
	}
	print_message("a full stage: %zu bytes on average, %zu at most\n",
	    sum / TRIES, most);
	EXPECT(most <= HINT_BYTES_MAX);
	buf_free(&raw);
	buf_free(&wire);
	wire_codec_free(c);
	kinds_free(ks);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_stage_fits_a_hint_when_every_field_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
