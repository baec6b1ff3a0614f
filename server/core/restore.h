#ifndef SERVER_CORE_RESTORE_H
#define SERVER_CORE_RESTORE_H
/*
 * restore: a log that lost a signed checkpoint ends, and a new one begins on
 * what is left of it (docs/PROTOCOL.md, section 9).
 *
 * Off line: no daemon may run on the folder.  Either all of it stands, or the
 * folder is as it was (in place) or no court yet (a new one), whatever the
 * moment of a crash; the same call again begins anew, or finds it done.
 */
#include "server/core/centre.h"

enum { RESTORE_NOTES_MAX = 16, RESTORE_DESCRIPTORS_MAX = 16 };

struct restore_given {
	const char *dir; /* where the court shall stand */
	/* A backup: a court's folder, or its store.db.  NULL: `dir` itself, in
	 * place. */
	const char *from;
	/* A folder with ca.key and ca.crt.  NULL: `keys` beside the store. */
	const char *keys;
	const uint8_t *root_secret; /* 64 bytes, libsodium's form */
	/* Checkpoints of the old log, from wherever they were kept. */
	const struct bytes *note;
	size_t note_count;
	/* Descriptors that other restores signed after this backup: files, or
	 * what GET /v1/descriptor answers, in any order. */
	const struct bytes *descriptor;
	size_t descriptor_count;
	const char
	    *origin; /* of the new log; NULL: "<code>.daybreak/log-<n>" */
	/* "https://host:port"; NULL: as in the descriptor before. */
	const char *devices_at, *public_at;
	const char *by; /* an administrator's id; NULL: daybreak */
	/* The old server's keys may be in somebody's hands: what its chain is
	 * said to have signed counts for nothing from the backup on. */
	bool stolen;
	/* The old log is gone for good, though its folder looks sound. */
	bool even_living;
	const struct port *port;
	const char *vfs; /* SQLite VFS; NULL: the system's */
};

struct restore_done {
	uint64_t kept;    /* leaves of the backup */
	uint64_t version; /* of the descriptor */
	uint64_t best;    /* size of the best old checkpoint known; 0: none */
	char origin[NOTE_NAME_MAX + 1];     /* of the new log */
	char old_origin[NOTE_NAME_MAX + 1]; /* and of the one that ended */
};

/*
 * ST_ABSENT: no backup there, or no CA key; ST_CONFLICT: a court in `dir`, a
 * log that still lives, notes that the backup does not lead to, or another
 * court's descriptor; ST_DENIED: not the court's root key, not signed by it, or
 * not its CA; ST_INVALID: a note, descriptor or name that will not do;
 * ST_CORRUPT, ST_FULL, ST_IO, ST_NOMEM.  Words in errmsg.
 */
MUST_CHECK enum status centre_restore(struct restore_done *out,
    const struct restore_given *given, char errmsg[CENTRE_ERRMSG_LEN]);

#endif
