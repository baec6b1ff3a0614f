#ifndef SERVER_UPKEEP_CHECK_H
#define SERVER_UPKEEP_CHECK_H
/*
 * check: is a court's folder sound, and what is to be done where it is not?
 *
 *	keys          there, of this court, and nobody else's to read
 *	store         centre_check: every row, hash, line, tile
 *	log           as an auditor reads it: descriptors one from the other,
 *	              devices in their time, holds, commits
 *	projections   not ahead of the log, and readable
 *	evidence      every stored file hashed again, every receipt's file there
 *
 * Nothing is changed.  It works while the daemon runs: what stood when it began
 * is checked.
 */
#include "server/core/centre.h"

enum check_area {
	CHECK_KEYS,
	CHECK_STORE,
	CHECK_LOG,
	CHECK_PROJECTIONS,
	CHECK_EVIDENCE
};

const char *check_area_word(enum check_area a); /* "keys" …; static */

struct check_fault {
	enum check_area area;
	bool has_place;
	uint64_t place;
	const char *where; /* the file */
	const char *zh, *en;
	const char *do_zh, *do_en; /* what to do about it; static */
	bool notice;               /* to be known, and no damage */
};

/* Ranges are valid for the call. */
typedef void (*check_fn)(void *arg, const struct check_fault *f);

struct check_config {
	const char *dir;
	const struct port *port;
	const char *vfs; /* SQLite VFS of the store; NULL: the system's */
};

struct check_done {
	bool
	    opened; /* the court could be opened; else the log was read alone */
	struct centre_checked n;    /* n.faults counts those of all areas */
	uint64_t files, file_bytes; /* of the evidence */
	uint64_t notices; /* told, and no damage: files that nobody names */
};

/*
 * ST_OK; ST_CORRUPT if `fn` was called; ST_ABSENT: no court there; ST_IO,
 * ST_NOMEM: it could not be looked at.
 */
MUST_CHECK enum status check_court(const struct check_config *cfg, check_fn fn,
    void *arg, struct check_done *out);

#endif
