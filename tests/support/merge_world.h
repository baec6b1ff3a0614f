#ifndef SUPPORT_MERGE_WORLD_H
#define SUPPORT_MERGE_WORLD_H
/*
 * merge_world: generated histories of one record.
 *
 * Three handhelds and the server each hold a part of the record, write on what
 * their screen shows (every verb), and meet: then one takes the other's whole
 * view.  Clocks are off, screens are stale, two windows are open at once, a
 * handheld tries to hold, an entry is malformed now and then.  All from one
 * seed; entries are real bytes with real links.
 */
#include "support/merge_oracle.h"

enum {
	WORLD_ENTRIES_MAX = 160,
	WORLD_DEVICES = 4,
	WORLD_SERVER = WORLD_DEVICES - 1,
	WORLD_PARTS_MAX = 3,
};

struct world_view {
	uint64_t bit[(WORLD_ENTRIES_MAX + 63) / 64];
};

struct world_device {
	uint8_t chain[CHAIN_LEN], boot[BOOT_LEN], link[HASH_LEN];
	uint64_t seq;
	int64_t skew_ms;
	struct world_view view;
	struct world_view stale; /* what the screen showed some time ago */
};

struct world {
	uint64_t random;
	int64_t now; /* seconds of the true clock */
	struct oracle_entry entry[WORLD_ENTRIES_MAX];
	unsigned device[WORLD_ENTRIES_MAX]; /* who wrote it */
	size_t count;
	struct world_device dev[WORLD_DEVICES];
	struct buf text; /* scratch */
};

/* A history of at most steps_max steps. */
void world_make(struct world *w, uint64_t seed, size_t steps_max);
void world_free(struct world *w);

/* Numbers from the world's own generator: below n, or true one time in n. */
uint64_t world_below(struct world *w, uint64_t n);
bool world_one_in(struct world *w, uint64_t n);

bool world_sees(const struct world_view *v, size_t i);

/* What is to be written; parts are copied. */
struct world_deed {
	enum verb verb;
	struct bytes on[64];
	size_t on_count;
	const char *data[64];      /* JSON text, "null" where NULL */
	const char *reason, *more; /* or NULL */
};

/*
 * Device d writes a deed, having seen `seen`: `after` is what of that is in no
 * other's `after`.  It becomes part of its view.  Returns its number.
 */
size_t world_write(struct world *w, unsigned d, const struct world_deed *deed,
    const struct world_view *seen);

/* As world_write, with the `after` given. */
size_t world_write_after(struct world *w, unsigned d,
    const struct world_deed *deed, const uint8_t (*after)[ID_LEN],
    size_t after_count);

/* The view that holds all entries. */
struct world_view world_all(const struct world *w);

/* The whole entries of a view, for the oracle; returns how many. */
size_t world_pick(
    const struct world *w, const struct world_view *v, struct oracle_in *out);

#endif
