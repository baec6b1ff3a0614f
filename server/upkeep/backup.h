#ifndef SERVER_UPKEEP_BACKUP_H
#define SERVER_UPKEEP_BACKUP_H
/*
 * backup: a copy of the store in another file, verified before it counts.
 *
 * Copied under a name of its own beside the wanted one, opened again, read
 * entry by entry as an auditor reads it, and compared with the tree that this
 * log has signed; only then it gets its name, and only then `kept@1` is logged,
 * which lets handhelds forget content.  A backup that fails in between leaves
 * the kept size as it was.  What a kill leaves behind is a file that ends in
 * ".partial", which may be removed.
 *
 * It holds the log and what stands beside it (codes and tokens as hashes,
 * alarms), and no private key: docs/OPERATIONS.md says what is kept apart.
 *
 * Works while others commit; what stood when the copy began is in it.
 */
#include "server/core/centre.h"

enum { BACKUP_ERRMSG_LEN = 400 };

struct backup_config {
	const char *path; /* must not be there yet */
	const char *by;   /* an administrator's id; NULL: daybreak */
	const char *vfs;  /* SQLite VFS; NULL: the system's */
};

struct backup_done {
	uint64_t size; /* places in it */
	uint8_t root[HASH_LEN];
	uint64_t kept; /* the log's kept size now */
	bool placed;   /* the file stands under its name, verified … */
	bool raised;   /* … and `kept@1` was logged for it */
};

/*
 * Make the backup, and beside it `<path>.note`, the checkpoint of exactly its
 * size: an anchor for whoever reads it later.  Not on the committer's thread.
 * Words in errmsg.  ST_CONFLICT: there is such a file; ST_CORRUPT: the copy
 * does not verify, and was removed; ST_LOCKED: it is good and in place, but the
 * log is stopped and could not say so; ST_FULL, ST_IO, ST_NOMEM; out->placed
 * says whether the file stands.
 */
MUST_CHECK enum status backup_make(struct centre *c,
    const struct backup_config *cfg, struct backup_done *out,
    char errmsg[BACKUP_ERRMSG_LEN]);

#endif
