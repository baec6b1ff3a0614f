/*
 * A merge's life, and the small questions asked of a fold.
 */
#include "entry/merge.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/merge_impl.h"

enum status
merge_new(struct merge **out)
{
	struct merge *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return ST_NOMEM;
	entry_init(&m->scratch);
	buf_init(&m->text, MERGE_BYTES_MAX);
	m->past_max = MERGE_PAST_MAX;
	*out = m;
	return ST_OK;
}

void
merge_free(struct merge *m)
{
	if (m == NULL)
		return;
	entry_free(&m->scratch);
	buf_free(&m->text);
	merge_arena_free(&m->kept);
	merge_arena_free(&m->run);
	free(m->added);
	free(m->past);
	free(m);
}

void
merge_reset(struct merge *m)
{
	m->rec[0] = '\0';
	m->newest = 0;
	m->added_count = 0;
	m->done = false;
	merge_arena_reset(&m->kept);
	merge_arena_reset(&m->run);
}

enum status
merge_run(struct merge *m)
{
	enum status st;

	m->done = false;
	if (m->added_count == 0)
		return ST_ABSENT;
	merge_arena_reset(&m->run);
	st = merge_order_all(m);
	if (st == ST_OK)
		st = merge_past_all(m);
	if (st == ST_OK)
		st = merge_cells_all(m);
	if (st == ST_OK)
		st = merge_fold_all(m);
	m->done = st == ST_OK;
	return st;
}

const uint8_t (*merge_heads(const struct merge *m, size_t *count))[ID_LEN]
{
	assert(m->done);
	*count = m->head_count;
	return (const uint8_t(*)[ID_LEN])m->heads;
}

const uint8_t (*merge_order(const struct merge *m, size_t *count))[ID_LEN]
{
	assert(m->done);
	*count = m->count;
	return (const uint8_t(*)[ID_LEN])m->order_ids;
}

const uint8_t (*merge_missing(const struct merge *m, size_t *count))[ID_LEN]
{
	assert(m->done);
	*count = m->missing_count;
	return (const uint8_t(*)[ID_LEN])m->missing;
}

const char *
merge_rec(const struct merge *m)
{
	return m->rec;
}

uint64_t
merge_newest(const struct merge *m)
{
	return m->newest;
}
