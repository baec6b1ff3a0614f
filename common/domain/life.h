#ifndef DOMAIN_LIFE_H
#define DOMAIN_LIFE_H
/*
 * life: what became of a finding (docs/FINDINGS.md): answered by the officer,
 * closed by somebody else, given to an owner, overdue, or ended because its
 * condition holds no longer.
 *
 * A pure function of the record's entries, beside the merge like the findings
 * themselves: the same on the handheld and at the centre.  A word on a finding
 * is a `note` whose `more` names its key; only the centre's own chain can
 * close, and nobody closes what was found against them.  A closing is of what
 * was found then: where rule, severity or words are others now, it holds no
 * longer.
 */
#include "domain/rules.h"

enum life_state {
	LIFE_OPEN,
	LIFE_ANSWERED,
	LIFE_CLOSED,
	LIFE_GONE /* its condition holds no longer; words on it stand */
};
/* "open", "answered", "closed", "gone"; static. */
const char *life_state_name(enum life_state s);

/* An act of the state that speaks of a finding; index into st->acts. */
struct life_word {
	const struct state_act *act; /* NULL: none */
};

struct life {
	struct bytes key;        /* of the finding */
	const struct finding *f; /* NULL: gone */
	enum life_state state;
	struct bytes owner;
	size_t answers;          /* how many, since it was last opened */
	struct life_word answer; /* the last of them */
	struct life_word
	    closing;   /* the last that counted, though undone since */
	bool reopened; /* closed once, and open again by a word or by itself */
};

struct lives {
	struct life *list; /* owned: findings in their order, then gone ones by
			      key */
	size_t count, cap;
};

void lives_init(struct lives *l);
void lives_free(struct lives *l);

struct life_input {
	const struct findings *findings;
	const struct state *st;
	const struct rules_entry *entries; /* in any order */
	size_t entry_count;
	const uint8_t (*order)[ID_LEN]; /* of the merge */
	size_t order_count;
};

/* What was in `out` before is forgotten; it borrows from the input. */
MUST_CHECK enum status lives_of(struct lives *out, const struct life_input *in);

/* What a closing must state of the finding, so that it holds for nothing else:
 * 16 hex digits over rule, version, severity and words. */
enum { LIFE_SAID_LEN = 16 };
void life_said(const struct finding *f, char out[LIFE_SAID_LEN + 1]);

/* Is this person among those who wrote the record in the field? */
bool life_found_against(
    const struct rules_entry *entries, size_t count, struct bytes person);

/* A note that would close, reopen or give away a finding, and may not: not of
 * the centre's chain, or by one of those found against. */
bool life_is_irregular(const struct state *st, const struct state_act *act,
    const struct rules_entry *entries, size_t count);

/* {"answers":N,"answer":{…}|null,"closed":{…}|null,"due":…,"late":N,"owner":…,
 * "state":…}, canonical, appended. */
void life_json(const struct life *l, const struct state *st, int offset_min,
    struct buf *out);

#endif
