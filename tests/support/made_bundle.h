#ifndef SUPPORT_MADE_BUNDLE_H
#define SUPPORT_MADE_BUNDLE_H
/*
 * made_bundle: one record of a made store as a bundle, by code that shares
 * nothing with the centre's export but the writer of bytes: FORMAT.md is all
 * that it knows.  And it does what a court that cheats would do.
 */
#include "support/made_store.h"

enum { MADE_BUNDLE_MANY = 16 };

struct made_bundle {
	/* Entries of the record, and of the context, that neither the manifest
	 * nor the file is to have. */
	uint64_t hide[MADE_BUNDLE_MANY];
	size_t hide_count;
	/* Bodies that are withheld, and why; NULL: the manifest says nothing.
	 */
	uint64_t withhold[MADE_BUNDLE_MANY];
	const char *reason[MADE_BUNDLE_MANY];
	size_t withhold_count;
	/* Sizes of trees that the file is to reach. */
	uint64_t size[MADE_BUNDLE_MANY];
	size_t size_count;
	int64_t held_off, bare_off; /* what the manifest counts wrongly */
	uint64_t held, bare;        /* what is true */
	uint64_t manifest;          /* out: its place */
	struct buf file;            /* out */
};

/* Of the record of `c`; commits the manifest.  The store is still open. */
void made_bundle_make(
    struct made *m, const struct made_chain *c, struct made_bundle *b);

/* The same file once more for that manifest, under a later checkpoint. */
void made_bundle_again(
    struct made *m, const struct made_chain *c, struct made_bundle *b);

#endif
