#ifndef SERVER_UPKEEP_FINDING_WORD_H
#define SERVER_UPKEEP_FINDING_WORD_H
/*
 * finding_word: what the centre says of a finding: closed, opened again, given
 * to somebody (docs/FINDINGS.md).  Each is a `note` on the record, on the
 * court's own chain.
 *
 * Threads: one; the fold serves it alone.
 */
#include "domain/words.h"
#include "server/project/fold.h"
#include "server/roster/roster.h"

struct finding_word {
	const char *rec, *key; /* of which record which finding */
	const char *what;      /* "close", "reopen", "assign" */
	const char *to;        /* of "assign": a person of the roster */
	const char *text;      /* why; not empty */
	const char *by;        /* a person of the roster */
};

/*
 * Log it.  With words: ST_DENIED (no role that may; found against), ST_ABSENT
 * (no such record, finding or person), ST_INVALID (no reason; another word).
 */
MUST_CHECK enum status finding_say(struct centre *c, struct roster *r,
    struct fold *f, const struct finding_word *w, uint8_t id[ID_LEN],
    struct words *why);

#endif
