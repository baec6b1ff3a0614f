#ifndef SUPPORT_HANDHELD_H
#define SUPPORT_HANDHELD_H
/*
 * handheld: a device as the centre meets it: a key, a chain of signed entries
 * kept in memory, and requests that carry pieces of it, encoded and decoded as
 * over the wire.  It can be copied, to act as the thief of itself.
 */
#include "base/port.h"
#include "wire/sync.h"

enum { HANDHELD_RECORDS = 3 };

/* One entry as it was written. */
struct hand_entry {
	struct bytes raw; /* owned */
	uint8_t link[HASH_LEN];
	uint8_t sig[SIG_LEN];
	enum wire_form form; /* how it is sent; WIRE_WHOLE at first */
};

struct handheld {
	char court[65];
	uint8_t court_id[HASH_LEN];
	uint8_t key[PUBKEY_LEN], secret[64];
	char dev[DEV_LEN + 1];
	uint8_t chain[CHAIN_LEN];
	uint8_t link0[HASH_LEN];
	struct hand_entry *entry; /* owned; entry[n - 1] is seq n */
	size_t count, cap;
	char rec[HANDHELD_RECORDS][REC_LEN + 1];
	uint8_t head[HANDHELD_RECORDS][ID_LEN];
	bool opened[HANDHELD_RECORDS];
	uint64_t wall;
	uint64_t rng;
	size_t text_len; /* of the value in each entry */
};

/* A device made from a seed, in the court of that code and id. */
void handheld_init(struct handheld *h, uint64_t seed, const char *court,
    const uint8_t court_id[HASH_LEN]);
void handheld_free(struct handheld *h);

/* The same device once more, with all it has written. */
void handheld_copy(struct handheld *out, const struct handheld *from);

/* Write `count` entries behind the last, over its records in turn. */
void handheld_write(struct handheld *h, size_t count);

/* Put these bytes into the chain, whatever they say; signed like any. */
void handheld_write_raw(struct handheld *h, struct bytes raw);

/* Forget all but the first `count` entries. */
void handheld_cut(struct handheld *h, size_t count);

/* Begin another chain with the same key; the entries so far are gone. */
void handheld_new_chain(struct handheld *h);

const uint8_t *handheld_link(const struct handheld *h, uint64_t seq);

/*
 * A request of pieces, as it comes out of the decoder.  Add pieces in the order
 * of PROTOCOL.md, then hand_sent.
 */
struct hand_request {
	const struct handheld *piece_of[FRAME_PIECES_MAX];
	struct wire_piece piece[FRAME_PIECES_MAX];
	size_t count;
	struct wire_codec *codec;
	struct sync_msg *msg;
	const struct sync_up *up; /* owned by msg */
};

void hand_request_init(struct hand_request *rq);
void hand_request_free(struct hand_request *rq);

/* Forget the pieces. */
void hand_request_reset(struct hand_request *rq);

/* Entries first … last of the handheld, in a piece of their own; gives it for
 * changing before hand_sent. */
struct wire_piece *hand_piece(struct hand_request *rq, const struct handheld *h,
    uint64_t first, uint64_t last);

/* Encode and decode: rq->up is what the centre sees. */
void hand_sent(struct hand_request *rq);

#endif
