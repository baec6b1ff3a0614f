/* fold_read: what a folded record says. */
#include <stdlib.h>
#include <string.h>

#include "server/project/fold_impl.h"

struct bytes
fold_state_bytes(const struct fold *f)
{
	return buf_view(&f->state_bytes);
}

const struct state *
fold_state(const struct fold *f)
{
	return &f->state;
}

const struct findings *
fold_findings(const struct fold *f)
{
	return &f->findings;
}

const struct lives *
fold_lives(const struct fold *f)
{
	return &f->lives;
}

bool
fold_wrote(const struct fold *f, struct bytes person)
{
	return life_found_against(f->judged, f->judged_count, person);
}

const struct merge *
fold_merge(const struct fold *f)
{
	return f->merge;
}

const struct kind *
fold_kind(const struct fold *f)
{
	return kinds_find(f->cfg.kinds, bytes_str(f->kind_id));
}

const char *
fold_kind_id(const struct fold *f)
{
	return f->kind_id;
}

size_t
fold_count(const struct fold *f)
{
	return f->count;
}

void
fold_entry(const struct fold *f, size_t i, struct fold_entry *out)
{
	const struct row *r = &f->row[i];

	memcpy(out->id, r->id, ID_LEN);
	memcpy(out->chain, r->chain, CHAIN_LEN);
	out->seq = r->seq;
	out->place = r->place;
	out->received_ms = r->received_ms;
	out->flags = r->flags;
	out->raw = fold_raw(f, i);
}

struct bytes
fold_by(const struct fold *f)
{
	return f->by;
}

void
fold_times(const struct fold *f, uint64_t *first, uint64_t *last)
{
	*first = UINT64_MAX;
	*last = 0;
	for (size_t i = 0; i < f->count; i++) {
		if (f->row[i].wall < *first)
			*first = f->row[i].wall;
		if (f->row[i].wall > *last)
			*last = f->row[i].wall;
	}
}
