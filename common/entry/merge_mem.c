#include <stdalign.h>
#include <stdlib.h>

#include "entry/merge_impl.h"

enum { BLOCK_BYTES = 8192 };

struct merge_block {
	struct merge_block *next;
	size_t used, cap;
	alignas(max_align_t) uint8_t bytes[];
};

/* A new block in front, of at least `need` bytes. */
static struct merge_block *
add_block(struct merge_arena *a, size_t need)
{
	/* As much again as there is: few blocks, however much is wanted. */
	size_t cap = a->total > BLOCK_BYTES ? a->total : BLOCK_BYTES;
	struct merge_block *b;

	if (a->want > cap)
		cap = a->want;
	if (need > cap || a->single)
		cap = need;
	if (cap > SIZE_MAX / 2)
		return NULL;
	b = malloc(sizeof(*b) + cap);
	if (b == NULL)
		return NULL;
	b->next = a->block;
	b->used = 0;
	b->cap = cap;
	a->block = b;
	a->total += cap;
	return b;
}

void *
merge_alloc(struct merge_arena *a, size_t count, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct merge_block *b = a->block;
	size_t need;
	void *at;

	if (count > (SIZE_MAX / 4) / size)
		return NULL;
	/* Nothing is something too: NULL says only that there is no memory. */
	need = (count * size / align + 1) * align;
	if (b == NULL || need > b->cap - b->used) {
		b = add_block(a, need);
		if (b == NULL)
			return NULL;
	}
	at = b->bytes + b->used;
	b->used += need;
	return at;
}

void
merge_arena_reset(struct merge_arena *a)
{
	size_t want = a->total;

	if (a->block == NULL)
		return;
	if (a->block->next == NULL) {
		a->block->used = 0;
		return;
	}
	/* The next use gets in one block what this one took in several. */
	merge_arena_free(a);
	a->want = want;
}

void
merge_arena_free(struct merge_arena *a)
{
	while (a->block != NULL) {
		struct merge_block *next = a->block->next;

		free(a->block);
		a->block = next;
	}
	a->total = a->want = 0;
}
