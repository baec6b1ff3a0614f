/*
 * As fuzz_sync_up, for answers.
 */
#include "entry/chain.h"
#include "entry/entry.h"
#include "fuzz/wire_input.h"
#include "wire/sync.h"

#define COURT "xz-gulou"

static struct wire_codec *codec;
static struct sync_msg *msg;
static struct buf first, second, again;
static size_t total, entries;

static void
put_stream_entry(struct buf *out, const struct wire_stream_entry *s)
{
	const struct wire_entry *e = &s->entry;
	uint8_t digest[HASH_LEN], link[HASH_LEN];

	CHECK(s->seq >= 1 && s->seq <= CUT_INT_MAX);
	CHECK((s->flags & ~(unsigned)(STREAM_BARE | STREAM_SERVER)) == 0);
	if (e->form == WIRE_LOST) {
		CHECK(e->raw.len == 0);
	} else {
		CHECK(e->raw.len >= 1 && e->raw.len <= ENTRY_BYTES_MAX);
		entry_digest(digest, e->raw);
		CHECK(memcmp(digest, e->digest, HASH_LEN) == 0);
	}
	chain_link(link, s->prev, s->seq, e->digest);
	CHECK(memcmp(link, e->link, HASH_LEN) == 0);
	total += e->raw.len;
	buf_varint(out, s->place);
	buf_varint(out, s->flags);
	buf_add(out, s->chain, CHAIN_LEN);
	buf_varint(out, s->seq);
	buf_add(out, s->prev, HASH_LEN);
	buf_u8(out, (uint8_t)e->form);
	buf_sized(out, e->raw);
	buf_add(out, e->link, HASH_LEN);
}

static void
put_proof(struct buf *out, const struct merkle_proof *p)
{
	CHECK(p->count <= MERKLE_PROOF_MAX);
	buf_varint(out, p->count);
	buf_add(out, p->hash, p->count * HASH_LEN);
}

static void
put_part(struct buf *out, const struct wire_part *p)
{
	entries += p->count;
	CHECK(entries <= ANSWER_ENTRIES_MAX && p->proof.len % HASH_LEN == 0);
	buf_add(out, p->scope, ID_LEN);
	buf_varint(out, p->place);
	buf_varint(out, p->sub);
	buf_u8(out, p->more);
	buf_varint(out, p->count);
	for (size_t i = 0; i < p->count; i++)
		put_stream_entry(out, &p->entry[i]);
	buf_sized(out, p->proof);
}

static void
put_down(struct buf *out, const struct sync_down *down)
{
	buf_reset(out);
	total = entries = 0;
	CHECK(down->ack_count <= ACKS_MAX && down->receipt_count <= ACKS_MAX);
	CHECK(down->part_count <= PARTS_MAX);
	buf_varint(out, down->ack_count);
	for (size_t i = 0; i < down->ack_count; i++) {
		CHECK(down->ack[i].status <= ACK_CUT);
		buf_add(out, down->ack[i].chain, CHAIN_LEN);
		buf_varint(out, down->ack[i].status);
		buf_varint(out, down->ack[i].seq);
	}
	buf_sized(out, down->note);
	put_proof(out, &down->consistency);
	buf_varint(out, down->receipt_count);
	for (size_t i = 0; i < down->receipt_count; i++) {
		buf_add(out, down->receipt[i].chain, CHAIN_LEN);
		buf_varint(out, down->receipt[i].seq);
		buf_varint(out, down->receipt[i].place);
		put_proof(out, &down->receipt[i].proof);
	}
	buf_varint(out, down->part_count);
	for (size_t i = 0; i < down->part_count; i++)
		put_part(out, &down->part[i]);
	buf_u8(out, down->has_time);
	buf_varint(out, down->time_ms);
	buf_varint(out, down->want);
	buf_varint(out, down->kept);
	buf_u8(out, down->has_hints);
	buf_varint(out, down->hints_taken);
	CHECK(total <= FRAME_BYTES_MAX && out->err == ST_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sync_down *down = NULL;
	const char *why = NULL;
	uint32_t dict = 0;
	enum status st;

	if (codec == NULL) {
		CHECK(wire_codec_new(&codec) == ST_OK);
		CHECK(sync_msg_new(&msg) == ST_OK);
		buf_init(&first, 64 << 20);
		buf_init(&second, 64 << 20);
		buf_init(&again, FRAME_WIRE_BYTES_MAX);
	}
	st = sync_down_decode(
	    codec, msg, COURT, wire_input(data, size), &down, &dict, &why);
	if (st != ST_OK) {
		CHECK(why != NULL && st != ST_NOMEM && down == NULL);
		return 0;
	}
	put_down(&first, down);
	buf_reset(&again);
	st = sync_down_encode(codec, 0, COURT, down, &again);
	CHECK(st == ST_OK || st == ST_LIMIT);
	if (st != ST_OK)
		return 0;
	CHECK(sync_down_decode(codec, msg, COURT, buf_view(&again), &down,
		  &dict, &why) == ST_OK);
	put_down(&second, down);
	CHECK(bytes_eq(buf_view(&first), buf_view(&second)));
	return 0;
}
