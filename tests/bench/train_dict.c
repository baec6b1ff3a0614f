/*
 * Make a dictionary for the sync container: train_dict ID FILE
 *
 * Samples are what is packed in truth: structure and substituted text of
 * requests of one to twenty entries, of days that no test measures with.  The
 * same sources and the same libzstd give the same file.  scripts/train_dict.sh
 * calls this and keeps the rules about ids.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZDICT_STATIC_LINKING_ONLY
#include <zdict.h>

#include "support/expect.h"
#include "support/morning.h"
#include "wire/msg.h"
#include "wire/sync.h"

enum {
	DICT_BYTES = 32 << 10,
	SAMPLES = 6000,
	SAMPLE_BYTES_MAX = 64 << 20,
	ENTRIES_MAX = 20,
	CURSORS = 3,
};

struct samples {
	struct buf bytes;
	size_t size[SAMPLES];
	unsigned count;
};

/* How many entries the i-th sample has: most requests carry few. */
static size_t
entries_of(unsigned i)
{
	static const size_t count[] = { 1, 1, 2, 1, 4, 1, 1, 8, 1,
		ENTRIES_MAX };

	return count[i % (sizeof(count) / sizeof(count[0]))];
}

static void
add_sample(struct wire_codec *c, struct sync_msg *msg, struct samples *s,
    struct morning *m, size_t count)
{
	struct wire_entry entry[ENTRIES_MAX] = { 0 };
	struct wire_piece piece = {
		.first = m->seq + 1, .entry = entry, .count = count
	};
	struct wire_cursor cursor[CURSORS] = { 0 };
	struct sync_up up = { .piece = &piece,
		.piece_count = 1,
		.cursor = cursor,
		.cursor_count = CURSORS,
		.has_checkpoint = true };
	const struct sync_up *got = NULL;
	const char *why = "";
	struct buf raw[ENTRIES_MAX], wire;
	uint32_t dict = 0;

	memcpy(piece.chain, m->chain, CHAIN_LEN);
	memcpy(piece.base, m->link, HASH_LEN);
	for (size_t i = 0; i < count; i++) {
		buf_init(&raw[i], ENTRY_BYTES_MAX);
		morning_next(m, &raw[i]);
		entry[i].raw = buf_view(&raw[i]);
	}
	up.size = morning_rand(m, 3000000);
	for (size_t i = 0; i < CURSORS; i++)
		cursor[i].place = up.size;
	cursor[1].place -= morning_rand(m, 2) * morning_rand(m, 3000);
	buf_init(&wire, FRAME_WIRE_BYTES_MAX);
	EXPECT_OK(sync_up_encode(c, 0, m->court, &up, &wire));
	EXPECT_OK(sync_up_decode(
	    c, msg, m->court, buf_view(&wire), &got, &dict, &why));
	buf_bytes(&s->bytes, buf_view(&msg->plain));
	s->size[s->count++] = msg->plain.len;
	buf_free(&wire);
	for (size_t i = 0; i < count; i++)
		buf_free(&raw[i]);
}

static void
make_samples(struct samples *s)
{
	struct wire_codec *c = NULL;
	struct sync_msg *msg = NULL;
	struct morning m;

	EXPECT_OK(wire_codec_new(&c));
	EXPECT_OK(sync_msg_new(&msg));
	for (unsigned i = 0; i < SAMPLES; i++) {
		/* A new day every thirty requests. */
		if (i % 30 == 0)
			morning_init(&m, 1000 + i, MORNING_TRAIN);
		add_sample(c, msg, s, &m, entries_of(i));
	}
	sync_msg_free(msg);
	wire_codec_free(c);
}

int
main(int argc, char **argv)
{
	static uint8_t dict[DICT_BYTES];
	static struct samples s;
	ZDICT_cover_params_t p = { .k = 512,
		.d = 6,
		.nbThreads = 1,
		.zParams = { .compressionLevel = 12 } };
	size_t len;
	FILE *f;

	if (argc != 3) {
		(void)fprintf(stderr, "usage: train_dict ID FILE\n");
		return 2;
	}
	p.zParams.dictID = (unsigned)strtoul(argv[1], NULL, 10);
	buf_init(&s.bytes, SAMPLE_BYTES_MAX);
	make_samples(&s);
	len = ZDICT_trainFromBuffer_cover(
	    dict, sizeof(dict), s.bytes.p, s.size, s.count, p);
	if (ZDICT_isError(len)) {
		(void)fprintf(
		    stderr, "train_dict: %s\n", ZDICT_getErrorName(len));
		return 1;
	}
	f = fopen(argv[2], "wb");
	if (f == NULL || fwrite(dict, 1, len, f) != len || fclose(f) != 0) {
		perror(argv[2]);
		return 1;
	}
	printf("%zu bytes from %u samples of %zu bytes\n", len, s.count,
	    s.bytes.len);
	buf_free(&s.bytes);
	return 0;
}
