#ifndef SERVER_CORE_EXPORT_H
#define SERVER_CORE_EXPORT_H
/*
 * export: one record, taken out of the log for a stranger (docs/FORMAT.md,
 * "Bundle").
 *
 * In two steps: a manifest@1 entry, through the committer like any other
 * entry, also while a daemon commits to the same store; then the file, which
 * can be written again for the same manifest under a later checkpoint, so that
 * it reaches an anchor that somebody got afterwards.
 *
 * Each step reads the whole log once: no projection has to be there, and none
 * is trusted.
 */
#include "server/core/centre.h"

enum { EXPORT_WORDS_MAX = 256, EXPORT_REASON_MAX = 1000 };

/* A body that this copy goes without. */
struct export_withheld {
	uint8_t id[ID_LEN];
	const char *reason; /* not empty */
};

struct export_what {
	const char *rec;
	const char *by; /* an administrator's id, or NULL */
	const struct export_withheld *withheld;
	size_t withheld_count;
};

/* Why it was refused, for people. */
struct export_why {
	const char *zh; /* static */
	char en[EXPORT_WORDS_MAX];
};

/* What was written. */
struct export_done {
	char rec[REC_LEN + 1];
	uint64_t manifest, size; /* its place; of the checkpoint */
	uint64_t entries, withheld, lacking, held, bare;
};

/*
 * Log a manifest of the record as it stands; *place is its own.  ST_ABSENT: no
 * entry of such a record, or an id that is none of its entries; ST_INVALID: a
 * reason that will not do, an id named twice; ST_LIMIT: more than a manifest
 * holds; else as a commit.  Words in *why where ST_ABSENT, ST_INVALID,
 * ST_LIMIT.
 */
MUST_CHECK enum status export_manifest(struct centre *c,
    const struct export_what *what, uint64_t *place, struct export_why *why);

/*
 * Append the bundle of the manifest at `place` under the newest checkpoint.
 * `sizes` are those of checkpoints that somebody holds: the file will reach
 * them.  ST_ABSENT: no manifest there; ST_INVALID: a size above the log's;
 * ST_CONFLICT: the record is another now, below the manifest's size (a lost
 * entry was filled).
 */
MUST_CHECK enum status export_bundle(struct centre *c, uint64_t place,
    const uint64_t *sizes, size_t size_count, struct buf *out,
    struct export_done *done, struct export_why *why);

#endif
