#ifndef SERVER_PROJECT_FOLD_IMPL_H
#define SERVER_PROJECT_FOLD_IMPL_H
/* fold_impl: what the files of fold share; nobody else includes it. */
#include "server/project/fold.h"

struct row {
	uint8_t id[ID_LEN], chain[CHAIN_LEN];
	uint64_t seq, place, received_ms, wall;
	uint32_t flags;
	size_t off, len;
};

struct fold {
	struct fold_config cfg;
	struct merge *merge;
	struct row *row;
	size_t count, cap;
	uint64_t bound;   /* places from here on are not looked at */
	struct buf bytes; /* all entries, one behind the other */
	struct buf state_bytes;
	struct state state;
	struct findings findings;
	struct lives lives;
	char kind_id[64];
	struct entry peek;          /* scratch */
	struct rules_entry *judged; /* owned */
	size_t judged_count, judged_cap;
	struct bytes by; /* of the first entry */
	uint8_t **kept;  /* owned: copies of texts that had escapes */
	size_t kept_count;
	struct facts facts;
};

/* The i-th entry's bytes, borrowed. */
struct bytes fold_raw(const struct fold *f, size_t i);

#endif
