#ifndef SUPPORT_MERGE_ORACLE_IMPL_H
#define SUPPORT_MERGE_ORACLE_IMPL_H
/*
 * merge_oracle_impl: between merge_oracle.c, which finds what holds, and
 * merge_oracle_put.c, which writes it down.
 */
#include "support/merge_oracle.h"

struct oracle {
	const struct oracle_in *in;
	size_t n;
	bool *know; /* [a * n + b] */
	size_t *order, *place;
	bool *counts;
};

void oracle_make(struct oracle *o, const struct oracle_in *in, size_t n);
void oracle_drop(struct oracle *o);

/* Number of that id in the set, or n. */
size_t oracle_find(
    const struct oracle_in *in, size_t n, const uint8_t id[ID_LEN]);

bool oracle_is_hold(const struct oracle_in *in);
bool oracle_is_naming(enum verb v); /* attach, note, approve, release */

struct oracle_hit {
	size_t i; /* of in */
	const struct oracle_claim *claim;
	bool known; /* to another write of the same cell */
};

/* C4: what lives of a path, first shown first; `hit` has room for all. */
size_t oracle_live(const struct oracle *o, char sort, const char *path,
    struct oracle_hit *hit);

/* C6: "in", "out", "conflict". */
const char *oracle_stands(const struct oracle *o, const char *item);

#endif
