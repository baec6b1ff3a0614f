#include "domain/pool.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 8192, ALIGN = alignof(max_align_t) };

struct pool_block {
	struct pool_block *before;
	size_t used, cap;
	alignas(max_align_t) unsigned char data[];
};

void
pool_init(struct pool *a)
{
	a->last = NULL;
}

void
pool_free(struct pool *a)
{
	while (a->last != NULL) {
		struct pool_block *before = a->last->before;

		free(a->last);
		a->last = before;
	}
}

void *
pool_get(struct pool *a, size_t count, size_t size)
{
	struct pool_block *b = a->last;
	size_t len, cap;
	void *p;

	if (size != 0 && count > (SIZE_MAX / 2) / size)
		return NULL;
	len = (count * size + ALIGN - 1) / ALIGN * ALIGN;
	if (b == NULL || b->cap - b->used < len) {
		cap = len > BLOCK_BYTES ? len : BLOCK_BYTES;
		b = calloc(1, sizeof(*b) + cap);
		if (b == NULL)
			return NULL;
		b->cap = cap;
		b->before = a->last;
		a->last = b;
	}
	p = b->data + b->used;
	b->used += len;
	return p;
}

char *
pool_text(struct pool *a, struct bytes text)
{
	char *p = pool_get(a, text.len + 1, 1);

	if (p != NULL && text.len > 0)
		memcpy(p, text.p, text.len);
	return p;
}
