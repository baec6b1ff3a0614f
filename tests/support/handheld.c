#include "support/handheld.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/chain.h"
#include "entry/entry.h"
#include "support/expect.h"

static uint64_t
draw(struct handheld *h)
{
	/* xorshift64*: repeatable, and good enough to tell things apart. */
	h->rng ^= h->rng >> 12;
	h->rng ^= h->rng << 25;
	h->rng ^= h->rng >> 27;
	return h->rng * UINT64_C(0x2545f4914f6cdd1d);
}

static void
draw_bytes(struct handheld *h, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(draw(h) >> 40);
}

static void
begin_chain(struct handheld *h)
{
	draw_bytes(h, h->chain, CHAIN_LEN);
	chain_link0(h->link0, h->court_id, h->key, h->chain);
	for (size_t i = 0; i < HANDHELD_RECORDS; i++) {
		uint8_t rnd[10];

		draw_bytes(h, rnd, sizeof(rnd));
		rec_new(h->rec[i], h->wall, rnd);
		h->opened[i] = false;
	}
}

void
handheld_init(struct handheld *h, uint64_t seed, const char *court,
    const uint8_t court_id[HASH_LEN])
{
	uint8_t s[32];

	memset(h, 0, sizeof(*h));
	(void)snprintf(h->court, sizeof(h->court), "%s", court);
	memcpy(h->court_id, court_id, HASH_LEN);
	h->rng = seed * 2 + 1;
	h->wall = UINT64_C(1743454800000);
	h->text_len = 40;
	draw_bytes(h, s, sizeof(s));
	EXPECT(crypto_sign_seed_keypair(h->key, h->secret, s) == 0);
	chain_dev(h->dev, h->key);
	begin_chain(h);
}

void
handheld_cut(struct handheld *h, size_t count)
{
	while (h->count > count)
		free((void *)(uintptr_t)h->entry[--h->count].raw.p);
}

void
handheld_free(struct handheld *h)
{
	handheld_cut(h, 0);
	free(h->entry);
	h->entry = NULL;
	h->cap = 0;
}

static struct bytes
copy_of(struct bytes in)
{
	uint8_t *p = malloc(in.len + 1);

	EXPECT(p != NULL);
	memcpy(p, in.p, in.len);
	return bytes_of(p, in.len);
}

void
handheld_copy(struct handheld *out, const struct handheld *from)
{
	*out = *from;
	out->rng = from->rng * 7 + 2; /* another life from here on */
	out->entry = calloc(from->cap + 1, sizeof(*out->entry));
	EXPECT(out->entry != NULL);
	for (size_t i = 0; i < from->count; i++) {
		out->entry[i] = from->entry[i];
		out->entry[i].raw = copy_of(from->entry[i].raw);
	}
}

const uint8_t *
handheld_link(const struct handheld *h, uint64_t seq)
{
	EXPECT(seq <= h->count);
	return seq == 0 ? h->link0 : h->entry[seq - 1].link;
}

void
handheld_write_raw(struct handheld *h, struct bytes raw)
{
	uint8_t digest[HASH_LEN];
	struct hand_entry *e;

	if (h->count == h->cap) {
		h->cap = h->cap == 0 ? 64 : h->cap * 2;
		h->entry = realloc(h->entry, h->cap * sizeof(*h->entry));
		EXPECT(h->entry != NULL);
	}
	e = &h->entry[h->count];
	memset(e, 0, sizeof(*e));
	e->raw = copy_of(raw);
	entry_digest(digest, raw);
	chain_link(e->link, handheld_link(h, h->count), h->count + 1, digest);
	chain_sign(e->sig, h->secret, h->chain, h->count + 1, e->link);
	h->count++;
}

static void
write_one(struct handheld *h, struct buf *out)
{
	size_t r = draw(h) % HANDHELD_RECORDS;
	struct bytes on[] = { bytes_str("note/text") };
	char at[32], *value = malloc(h->text_len + 8);
	struct entry_new n = { .court = h->court,
		.kind = "search@1",
		.by = "officer-1",
		.on = on,
		.on_count = 1 };
	const char *why = NULL;

	EXPECT(value != NULL);
	memcpy(n.chain, h->chain, CHAIN_LEN);
	n.seq = h->count + 1;
	n.rec = h->rec[r];
	h->wall += 1000 + draw(h) % 5000;
	at_format(at, h->wall, 480);
	n.at = at;
	n.wall = h->wall;
	n.mono = h->wall - UINT64_C(1743454000000);
	memset(n.boot, 7, BOOT_LEN);
	n.verb = h->opened[r] ? DO_SET : DO_OPEN;
	if (h->opened[r]) {
		n.after = (const uint8_t(*)[ID_LEN]) & h->head[r];
		n.after_count = 1;
	}
	if (n.seq == 1)
		n.dev = h->dev;
	draw_bytes(h, n.salt, SALT_LEN);
	value[0] = '[';
	value[1] = '"';
	for (size_t i = 0; i < h->text_len; i++)
		value[2 + i] = (char)('a' + draw(h) % 26);
	memcpy(value + 2 + h->text_len, "\"]", 3);
	n.data = bytes_str(value);
	EXPECT_OK(entry_write(&n, out, &why));
	free(value);
	handheld_write_raw(h, buf_view(out));
	h->opened[r] = true;
	memcpy(h->head[r], handheld_link(h, h->count), ID_LEN);
}

void
handheld_write(struct handheld *h, size_t count)
{
	struct buf b;

	buf_init(&b, ENTRY_BYTES_MAX);
	for (size_t i = 0; i < count; i++) {
		buf_reset(&b);
		write_one(h, &b);
	}
	buf_free(&b);
}

void
handheld_new_chain(struct handheld *h)
{
	handheld_cut(h, 0);
	begin_chain(h);
}

/* ---- requests */

void
hand_request_init(struct hand_request *rq)
{
	memset(rq, 0, sizeof(*rq));
	EXPECT_OK(wire_codec_new(&rq->codec));
	EXPECT_OK(sync_msg_new(&rq->msg));
}

void
hand_request_reset(struct hand_request *rq)
{
	for (size_t i = 0; i < rq->count; i++)
		free(rq->piece[i].entry);
	rq->count = 0;
}

void
hand_request_free(struct hand_request *rq)
{
	hand_request_reset(rq);
	sync_msg_free(rq->msg);
	wire_codec_free(rq->codec);
}

static void
put_entry(struct wire_entry *w, const struct hand_entry *e)
{
	const uint8_t *lf = memchr(e->raw.p, '\n', e->raw.len);

	w->form = e->form;
	w->raw = e->raw;
	if (e->form == WIRE_HEAD && lf != NULL)
		w->raw.len = (size_t)(lf - e->raw.p);
	if (e->form == WIRE_LOST) {
		entry_digest(w->digest, e->raw);
		w->raw = bytes_of(NULL, 0);
	}
}

struct wire_piece *
hand_piece(struct hand_request *rq, const struct handheld *h, uint64_t first,
    uint64_t last)
{
	struct wire_piece *p = &rq->piece[rq->count];

	EXPECT(rq->count < FRAME_PIECES_MAX);
	EXPECT(first >= 1 && first <= last && last <= h->count);
	memset(p, 0, sizeof(*p));
	memcpy(p->chain, h->chain, CHAIN_LEN);
	p->first = first;
	p->count = (size_t)(last - first + 1);
	memcpy(p->base, handheld_link(h, first - 1), HASH_LEN);
	p->entry = calloc(p->count, sizeof(*p->entry));
	EXPECT(p->entry != NULL);
	for (size_t i = 0; i < p->count; i++)
		put_entry(&p->entry[i], &h->entry[first - 1 + i]);
	memcpy(p->sig, h->entry[last - 1].sig, SIG_LEN);
	rq->piece_of[rq->count++] = h;
	return p;
}

void
hand_sent(struct hand_request *rq)
{
	struct sync_up up = { .piece = rq->piece, .piece_count = rq->count };
	const char *court = rq->count > 0 ? rq->piece_of[0]->court : "x";
	const char *why = NULL;
	struct buf wire;
	uint32_t dict;

	buf_init(&wire, FRAME_WIRE_BYTES_MAX);
	EXPECT_OK(sync_up_encode(rq->codec, 0, court, &up, &wire));
	EXPECT_OK(sync_up_decode(
	    rq->codec, rq->msg, court, buf_view(&wire), &rq->up, &dict, &why));
	buf_free(&wire);
}
