#ifndef ERASE_ERASE_H
#define ERASE_ERASE_H
/*
 * erase: whose bodies the log orders to be erased (docs/ERASING.md).
 *
 * An order is a record of the court's own: proposed by one person, in effect
 * once another one has confirmed it.  Which entries it is about stands in heads
 * alone, so that it holds wherever bodies do not.  A pure function of these
 * entries in order of place: centre, handheld and auditor have one answer.
 *
 * Threads: one owner.
 */
#include "base/buf.h"
#include "base/limits.h"

struct entry; /* entry/entry.h */
struct erasures;

#define ERASE_KIND "erase@1"
enum {
	ERASE_ENTRIES_MAX = 500, /* that one order may name */
	ERASE_BY_MAX = 120,
	ERASE_WORDS_MAX = 600 /* bytes of ground or law */
};

enum erase_state { ERASE_PENDING, ERASE_ORDERED, ERASE_REFUSED };
const char *erase_state_name(enum erase_state s);

/* One order; borrowed until the next call on the set. */
struct erase_order {
	enum erase_state state;
	char rec[REC_LEN + 1];    /* the order's own record */
	char record[REC_LEN + 1]; /* whose entries they are; "" unknown */
	uint8_t id[ID_LEN];       /* of the proposal */
	uint8_t head[ID_LEN];     /* the order's latest entry */
	uint64_t place, decided;  /* of proposal and decision */
	char by[ERASE_BY_MAX + 1], decided_by[ERASE_BY_MAX + 1];
	char ground[ERASE_WORDS_MAX + 1], law[ERASE_WORDS_MAX + 1];
	struct erase_entry {
		uint8_t id[ID_LEN];
		uint64_t place; /* of the entry; UINT64_MAX: not told */
	} * entry;
	size_t count;
};

MUST_CHECK enum status erasures_new(struct erasures **out);
void erasures_free(struct erasures *s);

/*
 * Take an entry of a chain of the court's own, in order of place; any other
 * kind is passed over.  *effect (may be NULL): an order came into effect.
 */
MUST_CHECK enum status erasures_take(struct erasures *s, const struct entry *e,
    const uint8_t id[ID_LEN], uint64_t place, bool *effect);

size_t erasures_count(const struct erasures *s);
const struct erase_order *erasures_at(const struct erasures *s, size_t i);
/* By the id of the proposal, or NULL. */
const struct erase_order *erasures_find(
    const struct erasures *s, const uint8_t id[ID_LEN]);
/* Is this entry's body to be erased?  The place of the word that says so. */
bool erasures_has(
    const struct erasures *s, const uint8_t id[ID_LEN], uint64_t *place);

#endif
