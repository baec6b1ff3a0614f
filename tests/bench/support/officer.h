#ifndef BENCH_OFFICER_H
#define BENCH_OFFICER_H
/*
 * officer: an enrolled device whose officer writes all day (support/morning):
 * records of every kind, some seven entries each, an entry of 570 bytes on
 * average.  What it writes is cut into pieces, signed as the court asks.
 */
#include "bench/support/centre_proc.h"
#include "support/morning.h"
#include "wire/sync.h"

enum { OFFICER_PIECE = 50 };

struct officer {
	struct bench_device id; /* owned */
	struct morning m;
};

/* Enrol `count` officers; free each. */
void officers_enrol(
    struct centre_proc *p, struct officer *officer, size_t count);
void officer_free(struct officer *o);

/* A piece, and the bytes that it borrows. */
struct officer_piece {
	struct buf bytes; /* entries one behind the other */
	struct wire_entry entry[OFFICER_PIECE];
	struct wire_piece piece;
	uint8_t link[HASH_LEN]; /* of its last entry */
};

/* Write the next piece; `out` was zeroed, or used before. */
void officer_write(struct officer *o, struct officer_piece *out);
void officer_piece_free(struct officer_piece *p);

#endif
