#ifndef SUPPORT_MORNING_H
#define SUPPORT_MORNING_H
/*
 * morning: what one handheld writes on a day, made up from a seed.
 *
 * Entries as officers would make them, of the kinds that are built in: a
 * scene, a search, a seizure with its items, an eviction, a detention, stages
 * and messages, several records at a time, in Chinese.  With the same kinds
 * the same seed gives the same bytes on every machine.  There are two sets of
 * words, which share nothing but the names that the kinds give: one to train
 * the dictionary with, one to measure with.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "domain/kind.h"

enum morning_words { MORNING_TRAIN, MORNING_MEASURE };

enum { MORNING_RECORDS_MAX = 16 };

struct morning_record {
	const struct kind *kind;
	unsigned steps_max;
	const struct kind_list *list; /* the one that is filled, or NULL */
	char rec[REC_LEN + 1];
	uint8_t last[ID_LEN]; /* the record's latest entry on this device */
	uint8_t item[8][ID_LEN];
	size_t item_count;
	unsigned steps; /* entries so far */
};

struct morning {
	uint64_t rng;
	enum morning_words words;
	const char *court, *by;
	/* What a real court checks: the device its first entry names (NULL:
	 * a made-up one), and no checkpoint that nobody signed. */
	const char *dev;
	bool no_seen;
	uint8_t chain[CHAIN_LEN], boot[BOOT_LEN];
	uint8_t link[HASH_LEN]; /* of the last entry; first link(0) */
	uint64_t seq;           /* of the last entry; first 0 */
	uint64_t wall, mono;
	struct morning_record record[MORNING_RECORDS_MAX];
	size_t record_count;
};

void morning_init(struct morning *m, uint64_t seed, enum morning_words words);

/* Append the day's next entry to *out, and move the chain on. */
void morning_next(struct morning *m, struct buf *out);

/* Seeded numbers, for whoever plays with the entries. */
uint64_t morning_rand(struct morning *m, uint64_t below);
void morning_bytes(struct morning *m, void *out, size_t len);

#endif
