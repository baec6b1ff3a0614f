#ifndef SUPPORT_FAULT_VFS_H
#define SUPPORT_FAULT_VFS_H
/*
 * fault_vfs: a disk in memory, as a SQLite VFS, that fails when it is told to.
 *
 * Every write is volatile until its file is synced.  So a test can take the
 * power away at any moment, and see exactly what a real disk is allowed to
 * show afterwards: any subset of the unsynced writes, some of them torn.
 *
 *	struct fault_disk *d = fault_disk_new();
 *	config.vfs = fault_disk_name(d);
 *	for (n = 1;; n++) {
 *		fault_disk_fail(d, FAULT_WRITES, n, FAULT_IOERR, false);
 *		… use a database …
 *		if (!fault_disk_hit(d))
 *			break;          clean: the n-th was never reached
 *	}
 *
 * A sync that fails behaves as on Linux: what was unsynced then is never made
 * durable by a later sync, only by being written again.  A write that fails
 * has written its first half.
 *
 * WAL mode works, exclusive or shared between connections of this process.
 * Threads: safe; one mutex a disk.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct fault_disk;

/* A new empty disk, registered under a name of its own. */
struct fault_disk *fault_disk_new(void);
/* Unregister and free; no file may be open.  NULL does nothing. */
void fault_disk_free(struct fault_disk *d);
const char *fault_disk_name(const struct fault_disk *d);

enum fault_op {
	FAULT_OPEN = 1,
	FAULT_READ = 2,
	FAULT_WRITE = 4,
	FAULT_SYNC = 8,
	FAULT_TRUNCATE = 16,
	FAULT_DELETE = 32,
	FAULT_WRITES = FAULT_WRITE | FAULT_SYNC | FAULT_TRUNCATE | FAULT_DELETE,
	FAULT_ANY = 63
};

enum fault_kind { FAULT_IOERR, FAULT_FULL };

/* Operations of these sorts so far. */
uint64_t fault_disk_count(const struct fault_disk *d, unsigned ops);

/*
 * Fail the n-th operation of these sorts from now (n from 1), once or, with
 * `forever`, that and every later one.  n = 0 takes the order back.
 */
void fault_disk_fail(struct fault_disk *d, unsigned ops, uint64_t n,
    enum fault_kind kind, bool forever);
/* True if the last fault ordered has struck. */
bool fault_disk_hit(const struct fault_disk *d);

/* The disk is full at that many bytes; UINT64_MAX: never. */
void fault_disk_capacity(struct fault_disk *d, uint64_t bytes);

/*
 * The power goes at the n-th write, sync, truncation or deletion from now:
 * before it takes effect.  From then on everything fails until
 * fault_disk_power.  n = 0 takes the order back.
 */
void fault_disk_cut(struct fault_disk *d, uint64_t n);
bool fault_disk_is_cut(const struct fault_disk *d);

enum fault_after {
	FAULT_DROP,  /* nothing that was not synced is there */
	FAULT_KEEP,  /* all of it is there */
	FAULT_RANDOM /* each write there, not there, or torn by sectors */
};

/* The power comes back.  Every file must have been closed. */
void fault_disk_power(
    struct fault_disk *d, enum fault_after after, uint64_t seed);

/*
 * Another disk, as this one would stand if the power had gone at this moment.
 * May be called from a watcher.
 */
struct fault_disk *fault_disk_after(
    const struct fault_disk *d, enum fault_after after, uint64_t seed);

/* Called before each write, sync, truncation and deletion; NULL: nobody. */
typedef void fault_watch(void *arg, struct fault_disk *d);
void fault_disk_watch(struct fault_disk *d, fault_watch *cb, void *arg);

/* ---- the files themselves, for looking and for spoiling */

/* Names by number, from 0; NULL beyond the last. */
const char *fault_disk_path(const struct fault_disk *d, size_t i);
/* Contents as a reader would see them now; borrowed; empty if absent. */
struct bytes fault_disk_file(const struct fault_disk *d, const char *path);
/* Put a file there with these contents, durable. */
void fault_disk_put(
    struct fault_disk *d, const char *path, struct bytes contents);
/* XOR one byte, durably. */
void fault_disk_flip(
    struct fault_disk *d, const char *path, size_t offset, uint8_t mask);
/* Remove, durably. */
void fault_disk_remove(struct fault_disk *d, const char *path);

#endif
