#ifndef SUPPORT_WIRE_CRAFT_H
#define SUPPORT_WIRE_CRAFT_H
/*
 * wire_craft: containers put together stream by stream, right ones and wrong
 * ones, which the product's writer would never write.
 */
#include "base/buf.h"
#include "wire/sync.h"

struct craft {
	struct wire_codec *codec;
	struct sync_msg *msg;
	struct buf ctl, text, raw, wire;
	/* Of the last decoding. */
	const struct sync_up *up;
	const struct sync_down *down;
	uint32_t dict;
	const char *why;
};

#define CRAFT_COURT "xz-test"

void craft_init(struct craft *k);
void craft_free(struct craft *k);

/* Empty streams. */
void craft_begin(struct craft *k);

/* Pack the streams, without a dictionary, and decode. */
void craft_pack(struct craft *k);
enum status craft_up(struct craft *k);
enum status craft_down(struct craft *k);

/*
 * The section of pieces with one piece of `count` entries, from place 7 of the
 * chain 11…11 on, up to its entries.  They rest on the link 22…22.
 */
void craft_piece(struct craft *k, size_t count);
/* The head signature that ends a piece. */
void craft_sig(struct craft *k);
extern const uint8_t craft_chain[CHAIN_LEN], craft_base[HASH_LEN];
enum { CRAFT_SEQ = 7 };

/* A signed number as a difference in ctl. */
void craft_step(struct craft *k, int64_t v);
/* 16 or 32 bytes of one value in raw. */
void craft_raw(struct craft *k, uint8_t value, size_t len);

#endif
