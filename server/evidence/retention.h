#ifndef SERVER_EVIDENCE_RETENTION_H
#define SERVER_EVIDENCE_RETENTION_H
/*
 * retention: how long the files of a case are kept, and what may go
 * (docs/EVIDENCE.md).
 *
 * All is entries of the log: until when, a legal hold, its release, and each
 * purge, written before the file is deleted.  Nothing goes that is named by no
 * record, or by a record of no case; nothing without a date that has passed in
 * each case that names it; nothing under a hold; nothing of a case with an
 * open objection.
 *
 * Threads: one; the fold serves it alone.
 */
#include "server/evidence/evidence.h"
#include "server/project/fold.h"

enum { RETENTION_CASE_MAX = 200 };

/* Log `retention@1`: kept until `until_ms`, or held (`hold`) with a reason.
 * `rec` gets the record's name. */
MUST_CHECK enum status retention_keep(struct evidence *ev, const char *case_no,
    uint64_t until_ms, const char *by, char rec[REC_LEN + 1]);
MUST_CHECK enum status retention_hold(struct evidence *ev, const char *case_no,
    const char *reason, const char *by, char rec[REC_LEN + 1]);
/* Release a hold by its record.  ST_ABSENT; ST_CONFLICT: released already, or
 * no hold. */
MUST_CHECK enum status retention_release(
    struct evidence *ev, const char *rec, const char *reason, const char *by);

/* Why a file stays, or that it may go. */
enum retention_why {
	RETENTION_MAY_GO,
	RETENTION_NO_RECORD, /* nobody names it: an entry may yet come */
	RETENTION_NO_CASE,   /* a record that names it has no case number */
	RETENTION_NO_DATE,   /* a case has no date */
	RETENTION_NOT_YET,   /* a date has not passed */
	RETENTION_HELD,
	RETENTION_OBJECTION
};
const char *retention_word(enum retention_why w);    /* English */
const char *retention_word_zh(enum retention_why w); /* Chinese */

/* For each stored file: may it go?  `case_no`: the case that keeps it, or "".
 * `fn` ends it with any result but ST_OK. */
typedef enum status (*retention_fn)(void *arg, const uint8_t digest[HASH_LEN],
    enum retention_why why, const char *case_no);
MUST_CHECK enum status retention_each(
    struct evidence *ev, struct fold *fold, retention_fn fn, void *arg);

/*
 * The entry first, then the file.  Judged once more here: ST_DENIED if it may
 * not go.  A crash in between leaves a file that `check` finds and the next
 * purge takes.
 */
MUST_CHECK enum status retention_purge(struct evidence *ev, struct fold *fold,
    const uint8_t digest[HASH_LEN], const char *reason, const char *by);

#endif
