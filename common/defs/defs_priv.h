#ifndef DEFS_DEFS_PRIV_H
#define DEFS_DEFS_PRIV_H
/* defs_priv: what the files of defs share. */
#include "defs/defs.h"

/* One definition: a record of the log's own. */
struct def {
	char rec[REC_LEN + 1];
	uint8_t id[ID_LEN], head[ID_LEN];
	uint64_t place, decided; /* places of proposal and decision */
	char by[DEFS_NAME_MAX + 1], decided_by[DEFS_NAME_MAX + 1];
	char name[DEFS_NAME_MAX + 1];
	enum defs_sort sort;
	uint8_t sha256[HASH_LEN];
	uint64_t bytes;  /* of the whole file */
	struct buf file; /* as far as it has come */
	enum defs_state state;
	int64_t since_ms;
	/* By the last making of a domain. */
	bool bad;
	struct words why;
};

/* All that was confirmed, in order of confirmation.  Definitions that do not
 * hold become `bad`.  ST_INVALID: not even what was built in holds beside
 * them. */
MUST_CHECK enum status domain_make(
    struct domain **out, struct def *const *list, size_t count);
/* As domain_make, but kinds that stand in the way are left out; `list` is
 * changed. */
MUST_CHECK enum status domain_make_at_all(
    struct domain **out, struct def **list, size_t count);

#endif
