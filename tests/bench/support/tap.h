#ifndef BENCH_TAP_H
#define BENCH_TAP_H
/*
 * tap: a port of this machine in front of another, that counts the bytes which
 * pass, as TCP carries them: TLS records and all.  One connection at a time.
 */
#include <stdint.h>

struct tap;

/* Listen; connections go on to tap_to's port once that is known. */
struct tap *tap_new(uint16_t *port);
void tap_to(struct tap *t, uint16_t port);
void tap_free(struct tap *t); /* ends its thread */

struct tap_counts {
	uint64_t up, down, connections;
};
void tap_counts(struct tap *t, struct tap_counts *out);

#endif
