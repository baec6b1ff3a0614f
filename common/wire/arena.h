#ifndef WIRE_ARENA_H
#define WIRE_ARENA_H
/*
 * arena: memory that is taken piece by piece and given back at once.
 *
 * A decoded message is many small things that live and end together.  Taking
 * them from blocks costs no call of malloc an entry.  The first block is kept
 * from message to message; all that was used is wiped when it is given back,
 * for it holds what officers wrote.
 */
#include <stddef.h>
#include <stdint.h>

struct arena_block;

struct arena {
	struct arena_block *block; /* the newest, others behind it; owned */
};

void arena_init(struct arena *a);
void arena_free(struct arena *a);

/* Give back everything that was taken. */
void arena_reset(struct arena *a);

/* Zeroed memory for `count` things of `size`, aligned for any type; NULL when
 * there is none, or for more than SIZE_MAX bytes. */
void *arena_take(struct arena *a, size_t count, size_t size);

/*
 * Something of unknown length, written at the end of a block: open gives at
 * least `want` bytes and says in *room how many; grow moves the first `used`
 * bytes to where `want` more have room; close keeps `used` bytes.  Only one
 * is open at a time, and nothing else may be taken meanwhile.  NULL when there
 * is no memory; then what was open stays.
 */
uint8_t *arena_open(struct arena *a, size_t want, size_t *room);
uint8_t *arena_grow(struct arena *a, size_t used, size_t want, size_t *room);
void arena_close(struct arena *a, size_t used);

#endif
