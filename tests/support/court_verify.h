#ifndef SUPPORT_COURT_VERIFY_H
#define SUPPORT_COURT_VERIFY_H
/*
 * court_verify: is the log what it says?  Hashed here from the bytes up, and
 * looked at once more by the centre's own check.
 */
#include <inttypes.h>
#include <stdio.h>

#include "entry/chain.h"
#include "entry/entry.h"
#include "support/court.h"

static inline void
court_fault(void *arg, uint64_t place, const char *words)
{
	(void)arg;
	fprintf(stderr, "fault at %" PRIu64 ": %s\n", place, words);
}

static inline void
court_verify(struct court *ct)
{
	struct centre_reader *r;
	struct centre_scan *sc;
	struct centre_entry e;
	struct centre_checked n;
	struct checkpoint cp;
	struct frontier f;
	uint8_t digest[HASH_LEN], link[HASH_LEN], leaf[HASH_LEN];

	EXPECT_OK(centre_checkpoint(ct->c, NULL, &cp));
	EXPECT_OK(centre_reader_open(&r, ct->c));
	EXPECT_OK(centre_scan_open(&sc, r, 0, UINT64_MAX));
	frontier_init(&f);
	while (centre_scan_next(sc, &e) == ST_OK) {
		EXPECT(e.place == f.size);
		if ((e.flags & STORE_LOST) != 0)
			memcpy(digest, e.bytes.p, HASH_LEN);
		else
			entry_digest(digest, e.bytes);
		chain_link(link, e.prev, e.seq, digest);
		EXPECT_BYTES(
		    bytes_of(e.link, HASH_LEN), bytes_of(link, HASH_LEN));
		merkle_leaf(leaf, bytes_of(link, HASH_LEN));
		frontier_add(&f, leaf);
		EXPECT(e.commit >= e.place);
	}
	centre_scan_close(sc);
	centre_reader_close(r);
	EXPECT(f.size == cp.size);
	frontier_root(&f, leaf);
	EXPECT_BYTES(bytes_of(leaf, HASH_LEN), bytes_of(cp.root, HASH_LEN));
	EXPECT_OK(centre_check(ct->c, court_fault, NULL, &n));
	EXPECT(n.entries == cp.size && n.faults == 0);
}

#endif
