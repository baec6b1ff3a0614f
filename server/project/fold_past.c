#include <stdlib.h>

#include "domain/past.h"
#include "server/project/fold_impl.h"
#include "server/store/store.h"

enum status
fold_past(const struct fold *f, uint64_t now_ms, struct buf *out)
{
	struct rules_context cx = { .now_ms = (int64_t)now_ms,
		.offset_min = f->cfg.utc_offset_min,
		.entries = f->judged,
		.entry_count = f->judged_count,
		.facts = f->facts.list,
		.fact_count = f->facts.count };
	struct past_input in = { .merge = f->merge,
		.count = f->count,
		.rules = f->cfg.rules,
		.kind = fold_kind(f),
		.cx = &cx,
		.lives = &f->lives };
	struct past_entry *entry;
	enum status st;

	if (in.kind == NULL) {
		buf_str(out, "[]");
		return out->err;
	}
	entry = calloc(f->count + 1, sizeof(*entry));
	if (entry == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < f->count; i++) {
		entry[i].id = f->row[i].id;
		entry[i].raw = fold_raw(f, i);
		if ((f->row[i].flags & STORE_SERVER) != 0)
			entry[i].flags |= MERGE_SERVER;
		if ((f->row[i].flags & STORE_MALFORMED) != 0)
			entry[i].flags |= MERGE_BARE;
	}
	in.entries = entry;
	st = past_json(&in, out);
	free(entry);
	return st;
}
