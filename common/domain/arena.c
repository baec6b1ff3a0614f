#include "domain/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 32768, ALIGN = alignof(max_align_t) };

struct arena_block {
	struct arena_block *before;
	size_t used, cap;
	alignas(max_align_t) unsigned char data[];
};

void
arena_init(struct arena *a)
{
	a->last = NULL;
}

void
arena_free(struct arena *a)
{
	while (a->last != NULL) {
		struct arena_block *before = a->last->before;

		free(a->last);
		a->last = before;
	}
}

void *
arena_get(struct arena *a, size_t count, size_t size)
{
	struct arena_block *b = a->last;
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
arena_text(struct arena *a, struct bytes text)
{
	char *p = arena_get(a, text.len + 1, 1);

	if (p != NULL && text.len > 0)
		memcpy(p, text.p, text.len);
	return p;
}
