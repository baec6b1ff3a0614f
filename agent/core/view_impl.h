#ifndef AGENT_VIEW_IMPL_H
#define AGENT_VIEW_IMPL_H
/* view_impl: what view.c and view_record.c share; nobody else includes it. */
#include "agent/core/view.h"
#include "db/db.h"
#include "domain/state.h"

struct view {
	struct db *db;
	const struct kinds *kinds; /* borrowed */
	const struct rules *rules; /* borrowed */
	int offset_min;

	char last_rec[REC_LEN]; /* the record last looked up … */
	int64_t last_record;    /* … and its number; 0: none */

	/* Scratch, kept from call to call. */
	struct entry entry;
	struct state state;
	struct findings findings;
	struct buf bytes;
};

#endif
