/*
 * What is decoded keeps to the limits, has the digests and links that its
 * bytes give, and comes back the same when it is written again, however it
 * was written first.
 */
#include "entry/chain.h"
#include "entry/entry.h"
#include "fuzz/wire_input.h"
#include "wire/sync.h"

#define COURT "xz-gulou"

static struct wire_codec *codec;
static struct sync_msg *msg;
static struct buf first, second, again;
static size_t total;

static void
put_entry(struct buf *out, const struct wire_entry *e, uint64_t seq,
    const uint8_t prev[HASH_LEN])
{
	uint8_t digest[HASH_LEN], link[HASH_LEN];

	CHECK(seq >= 1 && seq <= CUT_INT_MAX);
	if (e->form == WIRE_LOST) {
		CHECK(e->raw.len == 0);
	} else {
		CHECK(e->raw.len >= 1 && e->raw.len <= ENTRY_BYTES_MAX);
		entry_digest(digest, e->raw);
		CHECK(memcmp(digest, e->digest, HASH_LEN) == 0);
		CHECK(e->form == WIRE_WHOLE ||
		      memchr(e->raw.p, '\n', e->raw.len) == NULL);
	}
	chain_link(link, prev, seq, e->digest);
	CHECK(memcmp(link, e->link, HASH_LEN) == 0);
	total += e->raw.len;
	buf_u8(out, (uint8_t)e->form);
	buf_sized(out, e->raw);
	buf_add(out, e->link, HASH_LEN);
}

static void
put_single(struct buf *out, const uint8_t *chain, uint64_t seq,
    const uint8_t *prev, const struct wire_entry *e, const uint8_t *sig)
{
	buf_add(out, chain, CHAIN_LEN);
	buf_varint(out, seq);
	buf_add(out, prev, HASH_LEN);
	put_entry(out, e, seq, prev);
	buf_add(out, sig, SIG_LEN);
}

static void
put_piece(struct buf *out, const struct wire_piece *p)
{
	const uint8_t *prev = p->base;

	CHECK(p->count >= 1 && p->count <= PIECE_ENTRIES_MAX && !p->sealed);
	buf_add(out, p->chain, CHAIN_LEN);
	buf_varint(out, p->first);
	buf_u8(out, (uint8_t)(p->has_base + 2 * p->hole));
	buf_add(out, p->base, HASH_LEN);
	buf_varint(out, p->count);
	for (size_t i = 0; i < p->count; i++) {
		put_entry(out, &p->entry[i], p->first + i, prev);
		prev = p->entry[i].link;
	}
	buf_add(out, p->sig, SIG_LEN);
}

static void
put_proved(struct buf *out, const struct wire_proved *p)
{
	CHECK(p->count > 0 && p->count <= ANSWER_ENTRIES_MAX);
	buf_sized(out, p->note);
	buf_sized(out, p->proof);
	buf_varint(out, p->count);
	for (size_t i = 0; i < p->count; i++) {
		const struct wire_leaf *l = &p->leaf[i];

		buf_varint(out, l->place);
		buf_u8(out, (uint8_t)(l->has_entry + 2 * l->has_sig));
		buf_add(out, l->link, HASH_LEN);
		if (l->has_entry)
			put_single(
			    out, l->chain, l->seq, l->prev, &l->entry, l->sig);
	}
}

/* All that a message says, as bytes that can be compared. */
static void
put_up(struct buf *out, const struct sync_up *up)
{
	buf_reset(out);
	total = 0;
	CHECK(up->piece_count <= FRAME_PIECES_MAX);
	CHECK(up->hint_count <= HINTS_MAX && up->cursor_count <= CURSORS_MAX);
	CHECK(up->returned_count <= RETURNED_MAX);
	buf_varint(out, up->piece_count);
	for (size_t i = 0; i < up->piece_count; i++)
		put_piece(out, &up->piece[i]);
	buf_varint(out, up->hint_count);
	for (size_t i = 0; i < up->hint_count; i++) {
		const struct wire_hint *h = &up->hint[i];

		put_single(out, h->chain, h->seq, h->prev, &h->entry, h->sig);
	}
	buf_u8(out, up->has_clock);
	buf_varint(out, up->clock_ms);
	buf_u8(out, up->has_checkpoint);
	buf_varint(out, up->size);
	buf_add(out, up->root16, ID_LEN);
	buf_sized(out, up->note);
	buf_varint(out, up->cursor_count);
	for (size_t i = 0; i < up->cursor_count; i++) {
		buf_add(out, up->cursor[i].scope, ID_LEN);
		buf_varint(out, up->cursor[i].place);
		buf_varint(out, up->cursor[i].sub);
	}
	buf_varint(out, up->returned_count);
	for (size_t i = 0; i < up->returned_count; i++) {
		const struct wire_returned *e = &up->returned[i];

		buf_varint(out, e->place);
		put_single(out, e->chain, e->seq, e->prev, &e->entry, e->sig);
	}
	CHECK(up->proved_count <= PROVED_MAX);
	buf_varint(out, up->proved_count);
	for (size_t i = 0; i < up->proved_count; i++)
		put_proved(out, &up->proved[i]);
	CHECK(total <= FRAME_BYTES_MAX && out->err == ST_OK);
}

static enum status
decode(struct bytes in, const struct sync_up **up)
{
	const char *why = NULL;
	uint32_t dict = 0;
	enum status st = sync_up_decode(codec, msg, COURT, in, up, &dict, &why);
	uint8_t base[HASH_LEN];

	if (st != ST_OK) {
		CHECK(why != NULL && st != ST_NOMEM);
		return st;
	}
	memset(base, 0x42, sizeof(base));
	for (size_t i = 0; i < (*up)->piece_count; i++)
		sync_piece_open(msg, i,
		    (*up)->piece[i].has_base ? (*up)->piece[i].base : base);
	return ST_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sync_up *up = NULL;
	enum status st;

	if (codec == NULL) {
		CHECK(wire_codec_new(&codec) == ST_OK);
		CHECK(sync_msg_new(&msg) == ST_OK);
		buf_init(&first, 64 << 20);
		buf_init(&second, 64 << 20);
		buf_init(&again, FRAME_WIRE_BYTES_MAX);
	}
	if (decode(wire_input(data, size), &up) != ST_OK)
		return 0;
	put_up(&first, up);
	buf_reset(&again);
	st = sync_up_encode(codec, 0, COURT, up, &again);
	CHECK(st == ST_OK || st == ST_LIMIT);
	if (st != ST_OK)
		return 0;
	CHECK(decode(buf_view(&again), &up) == ST_OK);
	put_up(&second, up);
	CHECK(bytes_eq(buf_view(&first), buf_view(&second)));
	return 0;
}
