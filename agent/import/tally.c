#include "agent/import/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/enc.h"

void
tally_free(struct tally *t)
{
	free(t->row);
	memset(t, 0, sizeof(*t));
}

static struct tally_row *
tally_slot(struct tally *t, const uint8_t digest[ID_LEN])
{
	size_t i = be64_get(digest) & (t->cap - 1);

	while (t->row[i].count != 0 &&
	       memcmp(t->row[i].digest, digest, ID_LEN) != 0)
		i = (i + 1) & (t->cap - 1);
	return &t->row[i];
}

static enum status
tally_grow(struct tally *t)
{
	struct tally bigger = { .cap = t->cap == 0 ? 1024 : t->cap * 2 };

	bigger.row = calloc(bigger.cap, sizeof(*bigger.row));
	if (bigger.row == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < t->cap; i++) {
		if (t->row[i].count > 0)
			*tally_slot(&bigger, t->row[i].digest) = t->row[i];
	}
	bigger.used = t->used;
	free(t->row);
	*t = bigger;
	return ST_OK;
}

enum status
tally_count(struct tally *t, const uint8_t digest[ID_LEN], uint64_t *before)
{
	struct tally_row *r;

	if (t->used * 2 >= t->cap) {
		enum status st = tally_grow(t);

		if (st != ST_OK)
			return st;
	}
	r = tally_slot(t, digest);
	if (r->count == 0) {
		memcpy(r->digest, digest, ID_LEN);
		t->used++;
	}
	*before = r->count++;
	return ST_OK;
}
