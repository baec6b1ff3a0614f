#ifndef SERVER_CORE_RESTORE_INNER_H
#define SERVER_CORE_RESTORE_INNER_H
/* restore_inner: a restore under way.  Private to restore*.c. */
#include "server/core/centre_inner.h"
#include "server/core/restore.h"

struct restoring {
	const struct restore_given *g;
	struct restore_done *done;
	char *errmsg;
	struct descriptor *old, *next; /* versions n and n + 1 */
	struct buf file;               /* of n + 1 */
	struct buf halted;             /* the note that stopped the log */
	struct buf restores;           /* meta, with this one's line to come */
	uint8_t log_seed[32], server_seed[32]; /* wiped */
	struct centre_next centre;
	struct bytes best; /* the best old note known; may be empty */
	struct server_entry *entry;
};

/* Words for why; gives `st`. */
enum status restore_refuse(
    struct restoring *rs, enum status st, const char *words);

/* A new folder, up to where the backup stands in it as it was. */
MUST_CHECK enum status restore_fill_folder(struct restoring *rs);
/* The folder is a court again. */
MUST_CHECK enum status restore_unmark(const struct restore_given *g);
/* The folder that the backup is, or lies in; the caller's to free. */
char *restore_backup_folder(const struct restore_given *g);
bool restore_file_there(const char *dir, const char *name);

#endif
