#include "wire/arena.h"

#include <assert.h>
#include <sodium.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIRST_BYTES = 64 << 10,
	NEXT_BYTES = 256 << 10,
};

struct arena_block {
	struct arena_block *before;
	size_t size; /* of data */
	size_t used;
	alignas(max_align_t) uint8_t data[];
};

void
arena_init(struct arena *a)
{
	a->block = NULL;
}

/* Drop the blocks above the first. */
static void
drop_later(struct arena *a)
{
	while (a->block != NULL && a->block->before != NULL) {
		struct arena_block *b = a->block;

		a->block = b->before;
		sodium_memzero(b->data, b->used);
		free(b);
	}
}

void
arena_reset(struct arena *a)
{
	drop_later(a);
	if (a->block != NULL) {
		sodium_memzero(a->block->data, a->block->used);
		a->block->used = 0;
	}
}

void
arena_free(struct arena *a)
{
	arena_reset(a);
	free(a->block);
	a->block = NULL;
}

static struct arena_block *
add_block(struct arena *a, size_t want)
{
	size_t size = a->block == NULL ? FIRST_BYTES : NEXT_BYTES;
	struct arena_block *b;

	if (want > size)
		size = want;
	if (size > SIZE_MAX - sizeof(*b))
		return NULL;
	b = malloc(sizeof(*b) + size);
	if (b == NULL)
		return NULL;
	b->before = a->block;
	b->size = size;
	b->used = 0;
	a->block = b;
	return b;
}

/* Where the next thing may stand: blocks start aligned, so offsets do. */
static size_t
aligned(size_t used)
{
	return (used + alignof(max_align_t) - 1) &
	       ~(size_t)(alignof(max_align_t) - 1);
}

void *
arena_take(struct arena *a, size_t count, size_t size)
{
	struct arena_block *b = a->block;
	size_t at, len;

	if (size > 0 && count > SIZE_MAX / size)
		return NULL;
	len = count * size;
	at = b == NULL ? 0 : aligned(b->used);
	if (b == NULL || at > b->size || len > b->size - at) {
		b = add_block(a, len);
		if (b == NULL)
			return NULL;
		at = 0;
	}
	b->used = at + len;
	memset(b->data + at, 0, len);
	return b->data + at;
}

uint8_t *
arena_open(struct arena *a, size_t want, size_t *room)
{
	struct arena_block *b = a->block;

	if (b == NULL || want > b->size - b->used) {
		b = add_block(a, want);
		if (b == NULL)
			return NULL;
	}
	*room = b->size - b->used;
	return b->data + b->used;
}

uint8_t *
arena_grow(struct arena *a, size_t used, size_t want, size_t *room)
{
	struct arena_block *old = a->block, *b;

	assert(old != NULL && used <= old->size - old->used);
	if (used > SIZE_MAX / 2 || want > SIZE_MAX / 4)
		return NULL;
	b = add_block(a, 2 * used + want);
	if (b == NULL)
		return NULL;
	memcpy(b->data, old->data + old->used, used);
	sodium_memzero(old->data + old->used, used);
	*room = b->size;
	return b->data;
}

void
arena_close(struct arena *a, size_t used)
{
	assert(a->block != NULL && used <= a->block->size - a->block->used);
	a->block->used += used;
}
