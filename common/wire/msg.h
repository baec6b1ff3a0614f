#ifndef WIRE_MSG_H
#define WIRE_MSG_H
/*
 * msg: what the readers of both directions share.  Private to common/wire.
 */
#include "wire/arena.h"
#include "wire/cut.h"
#include "wire/frame.h"
#include "wire/sync.h"

/* A piece whose entries are read and not open. */
struct msg_piece {
	struct cut_sealed *sealed; /* one an entry */
	uint32_t hole;             /* the first of its holes */
};

struct sync_msg {
	struct arena arena; /* entries, and all arrays of the message */
	struct buf plain;   /* ctl and text, unpacked; notes point into it */
	struct cut_reader cut;
	uint8_t (*id)[ID_LEN]; /* of the entries of one run; owned */
	size_t id_cap;
	struct msg_piece *piece; /* beside up.piece */
	struct sync_up up;
	struct sync_down down;
};

/* One message being read. */
struct msg_reader {
	struct sync_msg *m;
	struct frame f;
	const char *court;
	const char *why;
};

/* Empty `m` and open the container.  As frame_unpack. */
MUST_CHECK enum status msg_begin(struct msg_reader *r, struct wire_codec *c,
    struct sync_msg *m, const char *court, struct bytes in);

/* `count` zeroed things of `size`; ST_NOMEM with r->why. */
MUST_CHECK enum status msg_take(
    struct msg_reader *r, size_t count, size_t size, void *out);

/* Read `count` entries' worth of nothing: begin a run of entries. */
MUST_CHECK enum status msg_run(struct msg_reader *r, size_t count);

/* ST_INVALID with words if a stream ended early. */
MUST_CHECK enum status msg_check(struct msg_reader *r);

/* A seq, 1 to 2^53 - 1; ST_INVALID. */
MUST_CHECK enum status msg_seq(struct msg_reader *r, uint64_t *out);

/* Read one entry that is a run of its own and rests on prev. */
MUST_CHECK enum status msg_single(struct msg_reader *r,
    const uint8_t chain[CHAIN_LEN], uint64_t seq, const uint8_t prev[HASH_LEN],
    struct wire_entry *out);

/* ctl: length; text: that many bytes, which are not empty. */
MUST_CHECK enum status msg_note(struct msg_reader *r, struct bytes *out);

/* ctl: count; raw: that many hashes. */
MUST_CHECK enum status msg_proof(
    struct msg_reader *r, struct merkle_proof *out);

/* The hashes of a proof of any length, copied. */
MUST_CHECK enum status msg_hashes(struct msg_reader *r, struct bytes *out);

/* Section 9 of a request (up_proved.c). */
MUST_CHECK enum status up_put_proved(
    struct wire_codec *c, const char *court, const struct sync_up *m);
MUST_CHECK enum status up_get_proved(struct msg_reader *r);

#endif
