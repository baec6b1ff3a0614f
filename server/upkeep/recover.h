#ifndef SERVER_UPKEEP_RECOVER_H
#define SERVER_UPKEEP_RECOVER_H
/*
 * recover: a broken or found handheld's file, delivered to the log by its own
 * stored head signatures (DESIGN.md, section 6).
 *
 * The court's recovery key opens what the officers' passphrases would; it can
 * read, never write: each piece goes in under a signature that the device made
 * when the officer wrote.  What the file has lost comes as lost(digest); what
 * has lost even that is a hole, which the log names.  The file itself is never
 * written: a copy is opened.
 *
 * Attached files come along: their keys stand in rows of that file, and what
 * opens is taken by its digest alone, whatever the reason; a receipt in the
 * log is made out to the device.
 *
 * With reason *replaced* what is new merges; with *lost*, *seized* and
 * *copied* it is held until a supervisor admits it (holds.h).  What the log has
 * already changes nothing, so a file may be delivered again at any time, also
 * half a one.
 */
#include "server/core/centre.h"
#include "server/evidence/evidence.h"
#include "server/roster/roster.h"

enum { RECOVER_ERRMSG_LEN = 400, RECOVER_KEY_LEN = 32 };

struct recover_config {
	struct centre *centre;
	struct roster *roster;
	const char *file;   /* the handheld's */
	const uint8_t *key; /* RECOVER_KEY_LEN, private */
	const char *reason; /* replaced, lost, seized, copied */
	const char *work;   /* folder for the copy; made, and removed */
	/* The handheld's sealed files, beside `file`; NULL: none are wanted.
	 * They go into `evidence`, borrowed, which has followed the log. */
	const char *blobs;
	struct evidence *evidence;
};

struct recovered {
	char dev[DEV_LEN + 1]; /* of the last chain looked at */
	uint64_t chains;
	uint64_t foreign;   /* chains of another court: left alone */
	uint64_t damaged;   /* chains of which nothing can be read */
	uint64_t entries;   /* delivered, new or not */
	uint64_t lost;      /* of them: digest alone */
	uint64_t holes;     /* places of which not even that is left */
	uint64_t bare_ends; /* places that no good signature covers */
	uint64_t unplaced;  /* places that the log has no place for */
	uint64_t added;     /* new entries of the log, its own among them */
	uint64_t filled;    /* places that lacked bytes and have them now */
	uint64_t held;      /* pieces that came in held */
	bool uncertain;     /* the end of a chain is torn: more may have been */
	uint64_t files;     /* that came whole, by their digests … */
	uint64_t files_there;  /* … were stored already … */
	uint64_t files_absent; /* … are not in the folder any more … */
	uint64_t files_bad;    /* … or do not open, or only in part */
};

/*
 * Deliver.  Not on the committer's thread.  Words in errmsg, what to do among
 * them.  ST_ABSENT: no such file; ST_DENIED: the key does not open it, its
 * device is not enrolled here, or its standing forbids that reason; ST_INVALID:
 * no such reason; ST_CORRUPT: nothing of it can be read; ST_LOCKED: the log is
 * stopped; ST_AGAIN, ST_IO, ST_FULL, ST_NOMEM.  What was delivered before a
 * failure stands; deliver again.
 */
MUST_CHECK enum status recover_file(const struct recover_config *cfg,
    struct recovered *out, char errmsg[RECOVER_ERRMSG_LEN]);

#endif
