/*
 * What a sync weighs, and what packing and opening it costs.
 *
 * Words and seeds are others than those the dictionary was trained with.  One
 * JSON line a figure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/support/figure.h"
#include "support/expect.h"
#include "support/morning.h"
#include "wire/sync.h"

enum {
	BATCH = 50,
	ENTRIES = 50,
	ENTRY_MIN = 500,
	ENTRY_MAX = 700,
	CURSORS = 3,     /* own feed, team, one operation */
	TLS_RECORD = 22, /* TLS 1.3: header, content type, tag */
};

/*
 * What stands around a frame on a connection that is open.  The headers are
 * those of agent/core/uplink_curl and of the server; a small body goes in the
 * record of its headers (bench_agent counts what really passes).
 */
#define REQUEST                                                                \
	"POST /v1/sync HTTP/1.1\r\nHost: centre.daybreak.internal\r\n"         \
	"Content-Length: 4200\r\n\r\n"
#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n"
enum {
	AROUND_UP = sizeof(REQUEST) - 1 + TLS_RECORD,
	AROUND_DOWN = sizeof(ANSWER) - 1 + TLS_RECORD,
};

static uint64_t days = 200;
static int batches = 20;

struct day {
	struct morning m;
	struct buf bytes;
	struct wire_entry entry[ENTRIES];
	struct wire_piece piece;
	struct wire_cursor cursor[CURSORS];
	struct sync_up up;
};

/* A piece of `count` entries of the usual size, somewhere in the day. */
static void
day_make(struct day *d, uint64_t seed, size_t count)
{
	size_t from[ENTRIES];

	memset(d, 0, sizeof(*d));
	morning_init(&d->m, UINT64_C(0xbe7c4) + seed, MORNING_MEASURE);
	buf_init(&d->bytes, 1 << 20);
	for (size_t i = 0; i < 20 + seed % 20; i++)
		morning_next(&d->m, &d->bytes);
	buf_reset(&d->bytes);
	d->piece = (struct wire_piece){
		.first = d->m.seq + 1, .entry = d->entry, .count = count
	};
	memcpy(d->piece.chain, d->m.chain, CHAIN_LEN);
	memcpy(d->piece.base, d->m.link, HASH_LEN);
	for (size_t i = 0; i < count; i++) {
		for (;;) {
			struct morning before = d->m;
			size_t len;

			from[i] = d->bytes.len;
			morning_next(&d->m, &d->bytes);
			len = d->bytes.len - from[i];
			if (len >= ENTRY_MIN && len <= ENTRY_MAX)
				break;
			before.rng = d->m.rng;
			d->m = before;
			d->bytes.len = from[i];
		}
	}
	for (size_t i = 0; i < count; i++) {
		size_t end = i + 1 < count ? from[i + 1] : d->bytes.len;

		d->entry[i].raw = bytes_of(d->bytes.p + from[i], end - from[i]);
	}
	morning_bytes(&d->m, d->piece.sig, SIG_LEN);
	for (size_t i = 1; i < CURSORS; i++)
		morning_bytes(&d->m, d->cursor[i].scope, ID_LEN);
	d->up = (struct sync_up){ .piece = &d->piece,
		.piece_count = count > 0,
		.cursor = d->cursor,
		.cursor_count = CURSORS,
		.has_checkpoint = true,
		.size = 1000000 + morning_rand(&d->m, 1000000) };
	morning_bytes(&d->m, d->up.root16, ID_LEN);
	/* An agent that is up to date, but for one scope that lags. */
	for (size_t i = 0; i < CURSORS; i++)
		d->cursor[i].place = d->up.size;
	d->cursor[1].place -= morning_rand(&d->m, 3000);
}

static size_t
pack(struct wire_codec *c, struct day *d, struct buf *wire)
{
	buf_reset(wire);
	EXPECT_OK(
	    sync_up_encode(c, wire_dict_newest(c), d->m.court, &d->up, wire));
	return wire->len;
}

/* What a stage ping adds to a request that has nothing else to say. */
static void
hints(struct wire_codec *c, struct day *d, struct buf *wire)
{
	double sum = 0, most = 0;

	for (uint64_t i = 0; i < days; i++) {
		static const char stage[] = "\"kind\":\"stage@";
		struct wire_hint hint = { .seq = 0 };
		double n;

		day_make(d, i, 0);
		n = (double)pack(c, d, wire);
		do {
			memcpy(hint.prev, d->m.link, HASH_LEN);
			buf_reset(&d->bytes);
			morning_next(&d->m, &d->bytes);
		} while (memmem(d->bytes.p, d->bytes.len, stage,
			     sizeof(stage) - 1) == NULL);
		memcpy(hint.chain, d->m.chain, CHAIN_LEN);
		hint.seq = d->m.seq;
		hint.entry.raw = buf_view(&d->bytes);
		morning_bytes(&d->m, hint.sig, SIG_LEN);
		d->up.hint = &hint;
		d->up.hint_count = 1;
		n = (double)pack(c, d, wire) - n;
		sum += n;
		most = n > most ? n : most;
		buf_free(&d->bytes);
	}
	figure_most(
	    "wire_hint_mean", sum / (double)days, "bytes", HINT_BYTES_MAX);
	figure_most("wire_hint_max", most, "bytes", HINT_BYTES_MAX);
}

static void
sizes(struct wire_codec *c, struct day *d, struct buf *wire)
{
	double fifty = 0, fifty_max = 0, one = 0, one_max = 0, raw = 0, empty;
	struct sync_down down = { .has_time = true,
		.time_ms = UINT64_C(1772310600000) };

	for (uint64_t i = 0; i < days; i++) {
		double n;

		day_make(d, i, ENTRIES);
		raw += (double)d->bytes.len;
		n = (double)pack(c, d, wire) + AROUND_UP;
		fifty += n;
		fifty_max = n > fifty_max ? n : fifty_max;
		buf_free(&d->bytes);
		day_make(d, i, 1);
		n = (double)pack(c, d, wire) + AROUND_UP;
		one += n;
		one_max = n > one_max ? n : one_max;
		buf_free(&d->bytes);
	}
	figure("wire_up_50_entry_bytes", raw / (double)days / ENTRIES, "bytes");
	figure_most("wire_up_50_mean", fifty / (double)days, "bytes", 5500);
	figure_most("wire_up_50_max", fifty_max, "bytes", 5500);
	figure("wire_up_50_each", (fifty / (double)days - AROUND_UP) / ENTRIES,
	    "bytes");
	figure_most("wire_up_1_mean", one / (double)days, "bytes", 500);
	figure_most("wire_up_1_max", one_max, "bytes", 500);
	day_make(d, 1, 0);
	empty = (double)pack(c, d, wire) + AROUND_UP;
	buf_free(&d->bytes);
	buf_reset(wire);
	EXPECT_OK(
	    sync_down_encode(c, wire_dict_newest(c), d->m.court, &down, wire));
	empty += (double)wire->len + AROUND_DOWN;
	figure_most("wire_empty_both_ways", empty, "bytes", 600);
}

/* The best of several batches: what else runs on the machine only adds. */
static double
best_us(double best, double from)
{
	double us = (cpu_us() - from) / BATCH / ENTRIES;

	return best == 0 || us < best ? us : best;
}

static void
times(struct wire_codec *c, struct day *d, struct buf *wire)
{
	double encode = 0, decode = 0, hashing = 0, from;
	struct sync_msg *msg = NULL;
	const struct sync_up *got = NULL;
	const char *why = "";
	uint32_t dict = 0;

	EXPECT_OK(sync_msg_new(&msg));
	day_make(d, 7, ENTRIES);
	for (int batch = 0; batch < batches; batch++) {
		from = cpu_us();
		for (int i = 0; i < BATCH; i++)
			(void)pack(c, d, wire);
		encode = best_us(encode, from);
		from = cpu_us();
		for (int i = 0; i < BATCH; i++) {
			EXPECT_OK(sync_up_decode(c, msg, d->m.court,
			    buf_view(wire), &got, &dict, &why));
			sync_piece_open(msg, 0, d->piece.base);
		}
		decode = best_us(decode, from);
		/* Body, head and link of each entry: the least there is. */
		from = cpu_us();
		for (int i = 0; i < BATCH; i++)
			sync_piece_open(msg, 0, d->piece.base);
		hashing = best_us(hashing, from);
	}
	figure_vs("wire_encode", encode, "us/entry", hashing, NULL, false);
	figure_vs(
	    "wire_decode", decode, "us/entry", hashing, "<= 4", decode <= 4);
	buf_free(&d->bytes);
	sync_msg_free(msg);
}

int
main(int argc, char **argv)
{
	struct day *d = calloc(1, sizeof(*d));
	struct wire_codec *c = NULL;
	struct buf wire;

	EXPECT(d != NULL);
	if (has_flag(argc, argv, "--quick")) {
		days = 5;
		batches = 1;
	}
	buf_init(&wire, FRAME_WIRE_BYTES_MAX);
	EXPECT_OK(wire_codec_new(&c));
	sizes(c, d, &wire);
	hints(c, d, &wire);
	times(c, d, &wire);
	wire_codec_free(c);
	buf_free(&wire);
	free(d);
	return 0;
}
