#ifndef DOMAIN_ARENA_H
#define DOMAIN_ARENA_H
/*
 * arena: memory that is given out piece by piece and freed at once.
 *
 * Kinds and rules are read once and live as long as their set; each has an
 * arena, so that there is one thing to free and nothing to free wrongly.
 */
#include <stddef.h>

#include "base/bytes.h"

struct arena_block;
struct arena {
	struct arena_block *last; /* owned */
};

void arena_init(struct arena *a);
void arena_free(struct arena *a);

/* `count` zeroed things of `size` bytes, aligned for anything; NULL: out of
 * memory, or count * size would overflow.  Never NULL for count 0. */
void *arena_get(struct arena *a, size_t count, size_t size);

/* A copy with a NUL behind it; NULL: out of memory. */
char *arena_text(struct arena *a, struct bytes text);

#endif
