#ifndef DOMAIN_POOL_H
#define DOMAIN_POOL_H
/*
 * pool: memory that is given out piece by piece and freed at once.
 *
 * Kinds and rules are read once and live as long as their set; each has an
 * pool, so that there is one thing to free and nothing to free wrongly.
 */
#include <stddef.h>

#include "base/bytes.h"

struct pool_block;
struct pool {
	struct pool_block *last; /* owned */
};

void pool_init(struct pool *a);
void pool_free(struct pool *a);

/* `count` zeroed things of `size` bytes, aligned for anything; NULL: out of
 * memory, or count * size would overflow.  Never NULL for count 0. */
void *pool_get(struct pool *a, size_t count, size_t size);

/* A copy with a NUL behind it; NULL: out of memory. */
char *pool_text(struct pool *a, struct bytes text);

#endif
