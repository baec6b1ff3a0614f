#include "support/wire_craft.h"

#include <string.h>

#include "support/expect.h"
#include "wire/frame.h"

const uint8_t craft_chain[CHAIN_LEN] = { 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
	0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11 };
const uint8_t craft_base[HASH_LEN] = { 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22,
	0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22,
	0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22,
	0x22 };

void
craft_init(struct craft *k)
{
	memset(k, 0, sizeof(*k));
	EXPECT_OK(wire_codec_new(&k->codec));
	EXPECT_OK(sync_msg_new(&k->msg));
	buf_init(&k->ctl, 8 << 20);
	buf_init(&k->text, 8 << 20);
	buf_init(&k->raw, 8 << 20);
	buf_init(&k->wire, 16 << 20);
}

void
craft_free(struct craft *k)
{
	wire_codec_free(k->codec);
	sync_msg_free(k->msg);
	buf_free(&k->ctl);
	buf_free(&k->text);
	buf_free(&k->raw);
	buf_free(&k->wire);
}

void
craft_begin(struct craft *k)
{
	buf_reset(&k->ctl);
	buf_reset(&k->text);
	buf_reset(&k->raw);
}

void
craft_pack(struct craft *k)
{
	struct buf plain;

	/* Not frame_pack: that holds to the limits. */
	buf_init(&plain, 16 << 20);
	buf_sized(&plain, buf_view(&k->ctl));
	buf_bytes(&plain, buf_view(&k->text));
	buf_reset(&k->wire);
	buf_u8(&k->wire, FRAME_VERSION);
	{
		struct buf packed;

		buf_init(&packed, 16 << 20);
		EXPECT_OK(zdict_pack(
		    k->codec->z, 0, ZDICT_FAST, buf_view(&plain), &packed));
		buf_sized(&k->wire, buf_view(&packed));
		buf_free(&packed);
	}
	buf_bytes(&k->wire, buf_view(&k->raw));
	EXPECT(plain.err == ST_OK && k->wire.err == ST_OK);
	buf_free(&plain);
}

/* What is not ST_OK leaves the results as they were, and says why. */
static void
check_failed(struct craft *k, enum status st, const void *result)
{
	if (st == ST_OK)
		return;
	EXPECT(result == NULL && k->dict == 77);
	EXPECT(k->why != NULL && k->why[0] != '\0');
}

enum status
craft_up(struct craft *k)
{
	enum status st;

	craft_pack(k);
	k->up = NULL;
	k->dict = 77;
	k->why = NULL;
	st = sync_up_decode(k->codec, k->msg, CRAFT_COURT, buf_view(&k->wire),
	    &k->up, &k->dict, &k->why);
	check_failed(k, st, k->up);
	return st;
}

enum status
craft_down(struct craft *k)
{
	enum status st;

	craft_pack(k);
	k->down = NULL;
	k->dict = 77;
	k->why = NULL;
	st = sync_down_decode(k->codec, k->msg, CRAFT_COURT, buf_view(&k->wire),
	    &k->down, &k->dict, &k->why);
	check_failed(k, st, k->down);
	return st;
}

void
craft_piece(struct craft *k, size_t count)
{
	buf_varint(&k->ctl, 1); /* section */
	buf_varint(&k->ctl, 1); /* pieces */
	buf_varint(&k->ctl, CRAFT_SEQ);
	buf_varint(&k->ctl, count);
	buf_varint(&k->ctl, 0); /* flags */
	buf_add(&k->raw, craft_chain, CHAIN_LEN);
}

void
craft_sig(struct craft *k)
{
	craft_raw(k, 0x33, SIG_LEN);
}

void
craft_step(struct craft *k, int64_t v)
{
	buf_varint(&k->ctl, zigzag((uint64_t)v));
}

void
craft_raw(struct craft *k, uint8_t value, size_t len)
{
	uint8_t *p = buf_extend(&k->raw, len);

	EXPECT(p != NULL);
	memset(p, value, len);
}
