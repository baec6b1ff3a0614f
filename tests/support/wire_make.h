#ifndef SUPPORT_WIRE_MAKE_H
#define SUPPORT_WIRE_MAKE_H
/*
 * wire_make: sync messages made up from a seed, with entries of every shape,
 * and the comparison of two of them.
 */
#include "support/morning.h"
#include "wire/sync.h"

enum { MADE_BLOCKS_MAX = 8192 };

struct wire_made {
	struct morning m;
	struct sync_up up;
	struct sync_down down;
	void *block[MADE_BLOCKS_MAX]; /* owned */
	size_t block_count;
};

/* What entries are made of. */
enum made_style {
	MADE_DAY,  /* as handhelds write them, whole */
	MADE_MIXED /* heads alone, lost and malformed ones, garbage too */
};

void made_init(struct wire_made *x, uint64_t seed);
void made_free(struct wire_made *x);

/* Memory that lives until made_free. */
void *made_take(struct wire_made *x, size_t count, size_t size);

/* One entry; a whole one of the day moves x->m on. */
void made_entry(
    struct wire_made *x, enum made_style style, struct wire_entry *out);

/* A piece of the day as it stands next, its base stated or not. */
void made_piece(struct wire_made *x, enum made_style style, size_t count,
    struct wire_piece *out);

/* Fill x->up or x->down with a little of everything. */
void made_up(struct wire_made *x, enum made_style style);
void made_down(struct wire_made *x, enum made_style style);

/* Digest and link of what was made, as FORMAT.md computes them. */
void made_link(uint8_t out[HASH_LEN], const uint8_t prev[HASH_LEN],
    uint64_t seq, const struct wire_entry *e);

/* Open all pieces of a decoded request with the bases of the one it was. */
void made_open(
    struct sync_msg *msg, const struct sync_up *got, const struct sync_up *was);

/* Every field and byte, digests and links too; the test ends if any differs. */
void made_up_same(const struct sync_up *got, const struct sync_up *was);
void made_down_same(const struct sync_down *got, const struct sync_down *was);

#endif
