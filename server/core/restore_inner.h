#ifndef SERVER_CORE_RESTORE_INNER_H
#define SERVER_CORE_RESTORE_INNER_H
/* restore_inner: a restore under way.  Private to restore*.c. */
#include "server/core/centre_inner.h"
#include "server/core/restore.h"

enum { RESTORE_BETWEEN_MAX = 15, RESTORE_ENDED_MAX = RESTORE_BETWEEN_MAX + 1 };

/* A descriptor that another restore signed. */
struct restore_between {
	struct descriptor *d; /* owned */
	struct buf file;
};

struct restoring {
	const struct restore_given *g;
	struct restore_done *done;
	char *errmsg;
	struct descriptor *old, *next; /* the backup's, and the new one */
	struct buf file;               /* of the new one */
	/* Versions between them, in order. */
	struct restore_between between[RESTORE_BETWEEN_MAX];
	size_t between_count;
	struct buf halted;   /* the note that stopped the log */
	struct buf restores; /* meta, with this one's line to come */
	uint8_t log_seed[32], server_seed[32]; /* wiped */
	struct centre_next centre;
	/* The logs that end, the backup's first, and the best note known of
	 * each; may be empty. */
	struct ended_log ended[RESTORE_ENDED_MAX];
	struct bytes best[RESTORE_ENDED_MAX];
	uint64_t best_size[RESTORE_ENDED_MAX];
	size_t ended_count;
	struct server_entry *entry; /* of the commit, restored@1 from … */
	size_t entry_restored;
};

/* ---- restore_between.c */

MUST_CHECK enum status restore_read_between(struct restoring *rs);
void restore_free_between(struct restoring *rs);
/* The newest descriptor that there is. */
const struct descriptor *restore_last(const struct restoring *rs);
/* Fill `ended`; how many. */
size_t restore_list_ended(struct restoring *rs);

/* The first commit of the new log, and the store's facts with it. */
MUST_CHECK enum status restore_commit(struct restoring *rs, struct centre *c);

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
