#ifndef DOMAIN_PAST_H
#define DOMAIN_PAST_H
/*
 * past: findings that ended without a word (docs/FINDINGS.md).
 *
 * Whoever writes a record brings findings and ends them, minute by minute; that
 * is work on a draft.  What counts is what stood while the record rested: an
 * hour or more with nothing written, or when somebody took it a step on.  Of
 * these the ones that are no longer found, and of which nobody said anything,
 * are listed, with the entry by which they ended.
 *
 * A pure function of the record's entries: the record is folded again as it was
 * behind one entry after the other, in the order of merge, and judged by the
 * rules, the facts and the time of today.  So only what was written ends a
 * finding here, not another rule or another record.
 */
#include "domain/life.h"
#include "entry/merge.h"

enum {
	PAST_REST_MS = 3600 * 1000,
	/* Entries folded for one record, all times together: some 0.2 s. */
	PAST_WORK_MAX = 200000,
};

struct past_entry {
	const uint8_t *id;
	struct bytes raw;
	unsigned flags; /* enum merge_flags */
};

struct past_input {
	const struct merge *merge; /* of all entries, run */
	const struct past_entry *entries;
	size_t count;
	const struct rules *rules;
	const struct kind *kind;
	const struct rules_context *cx; /* as the record is judged today */
	const struct lives *lives;      /* what is found and was said today */
	size_t work_max;                /* 0: PAST_WORK_MAX */
};

/*
 * Append an array, canonical but for its order (that of the entries which ended
 * them): {"ended":{"at","by","id"}|null,"finding":{"en","key","rule",
 * "severity","zh"},"stood":at}.  `at`: when the entry was written, by its
 * device.  `stood`: of the last entry before it rested.  Where more than
 * work_max entries were to be folded the last element is {"unread":at}: what
 * was written from then on was not looked at, and `ended` null is what had not
 * ended by then.  ST_NOMEM, ST_LIMIT.
 */
MUST_CHECK enum status past_json(const struct past_input *in, struct buf *out);

#endif
