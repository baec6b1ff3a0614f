#ifndef SERVER_PROJECT_PROJECT_H
#define SERVER_PROJECT_PROJECT_H
/*
 * project: records as they stand, for lists and searches.
 *
 * A projection of the log in a database of its own: one row a record, and its
 * findings.  Rebuildable, behind the log by what it has not followed yet,
 * never ahead of the feed.  A record that was touched many times since the
 * last step is folded once.
 *
 * Threads: project_follow on one, which may have others fold for it (`hands`);
 * readers are opened apart.
 */
#include "server/project/fold.h"

struct project;
struct project_reader;

struct project_config {
	const char *path; /* NULL: in memory, one reader: project_inside */
	const char *vfs;  /* SQLite VFS; NULL: the system's */
	struct centre *centre;
	struct feed *feed;
	struct roster *roster;           /* NULL: no teams */
	struct feed_reader *feed_reader; /* of the following thread */
	const struct kinds *kinds;
	const struct rules *rules;
	int utc_offset_min;
	/* Threads that fold records for the following one, at most
	 * PROJECT_HANDS_MAX; none for a projection in memory. */
	size_t hands;
	uint64_t batch; /* entries followed at once; 0: as is right */
};

enum { PROJECT_HANDS_MAX = 3 };

/*
 * Kinds and rules from now on (borrowed; of the following thread).  Records for
 * whose kind something else decides than when they were judged last are judged
 * anew by the next calls of project_follow; project_open does the same.
 */
MUST_CHECK enum status project_domain(
    struct project *p, const struct kinds *ks, const struct rules *rs);

MUST_CHECK enum status project_open(
    struct project **out, const struct project_config *c);
void project_close(struct project *p); /* readers first */

/*
 * Follow up to where the feed stands, at most `limit` entries (0: all); *done:
 * how many.  With a limit the index of words is left for later.
 */
MUST_CHECK enum status project_follow(
    struct project *p, uint64_t limit, uint64_t *done);
uint64_t project_size(struct project *p); /* any thread */

/*
 * Index the words of up to `count` records that wait for it; and how many do
 * (any thread).  Searches look through what waits as well: the index makes
 * them quick, not right.
 */
MUST_CHECK enum status project_index(struct project *p, size_t count);
uint64_t project_waiting(struct project *p);

MUST_CHECK enum status project_reader_open(
    struct project_reader **out, struct project *p);
void project_reader_close(struct project_reader *r);
struct project_reader *project_inside(struct project *p);

/* Let a fold of this reader's thread judge by what other records tell. */
void project_fold_facts(struct project_reader *r, struct fold_config *c);

/* What a list is asked for; NULL or 0: anything. */
struct project_query {
	const char *kind, *status, *team, *person, *q;
	bool conflicts, findings, grave;
	uint64_t from_ms, to_ms; /* opened within */
	const char *after;       /* the `next` of the page before */
	size_t limit;
};

/* {"behind":…,"records":[…],"next":…}, appended.  behind: entries of the log
 * that the list does not know yet. */
MUST_CHECK enum status project_records(
    struct project_reader *r, const struct project_query *q, struct buf *out);

/* Which findings are asked for; NULL or 0: any.  Those that are gone only if
 * `state` says so. */
struct project_finding_query {
	const char *severity, *rule, *state, *owner;
	uint64_t due_ms;   /* falling due before then */
	const char *after; /* the `next` of the page before */
	size_t limit;
};

/* {"behind":…,"findings":[…],"next":…}: the gravest first. */
MUST_CHECK enum status project_findings(struct project_reader *r,
    const struct project_finding_query *q, struct buf *out);

/*
 * The place of a `print` entry that the public may ask for, and how many places
 * of the log that judgement rests on; ST_ABSENT (with *bound set): not yet, or
 * never was.  Entries that are not public are not looked at at all: both of
 * these take one path.
 */
MUST_CHECK enum status project_printed(struct project_reader *r,
    const uint8_t id[ID_LEN], uint64_t *place, uint64_t *bound);

struct project_sums {
	uint64_t entries, records, conflicts, findings, grave, position;
};
MUST_CHECK enum status project_sums(
    struct project_reader *r, struct project_sums *out);

#endif
