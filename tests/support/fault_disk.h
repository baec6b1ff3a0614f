#ifndef SUPPORT_FAULT_DISK_H
#define SUPPORT_FAULT_DISK_H
/* fault_disk: what fault_vfs.c and fault_disk.c share; not for tests. */
#include <pthread.h>

#include "support/fault_vfs.h"

enum { FAULT_SHM_MAX = 1024, FAULT_FILES_MAX = 256 };

struct handle; /* an open file, fault_vfs.c */

struct fault_data {
	uint8_t *p;
	size_t len, cap;
};

/* A change not yet synced. */
struct fault_change {
	bool truncate; /* to `at`; else write `len` bytes at `at` */
	size_t at, len;
	uint8_t *bytes; /* owned */
};

struct fault_file {
	char *path; /* NULL: temporary */
	unsigned handles;
	bool unlinked;          /* gone for readers, not yet for the disk */
	bool durable_name;      /* its entry in the folder is synced */
	struct fault_data now;  /* what a reader sees */
	struct fault_data safe; /* what a power cut leaves for certain */
	struct fault_change *change;
	size_t change_count, change_cap;

	unsigned shared;
	struct handle *reserved, *pending, *exclusive;
	void *shm[FAULT_SHM_MAX];
	struct handle *shm_excl[8];
	unsigned shm_share[8];
};

struct fault_disk {
	pthread_mutex_t mutex; /* recursive: a watcher may look */
	char name[32];
	struct sqlite3_vfs *vfs;
	struct fault_file *file[FAULT_FILES_MAX];
	size_t file_count;
	uint64_t count[6]; /* of operations, by bit of fault_op */

	unsigned fail_ops;
	uint64_t fail_in; /* 0: no order */
	enum fault_kind fail_kind;
	bool fail_forever, hit;
	uint64_t cut_in; /* 0: no order */
	bool is_cut;
	uint64_t capacity;
	uint64_t random;
	int why; /* errno of the last opening */
	fault_watch *watch;
	void *watch_arg;
	bool watching; /* inside the watcher */
};

uint64_t fault_random(uint64_t *state);
void fault_tell(struct fault_disk *d);
/* SQLITE_OK, or the failure that strikes this operation. */
int fault_strikes(struct fault_disk *d, enum fault_op op, int ioerr);
bool fault_has_room(
    const struct fault_disk *d, const struct fault_file *f, size_t end);

struct fault_file *fault_file_find(
    const struct fault_disk *d, const char *path);
int fault_file_open(struct fault_disk *d, struct fault_file **out,
    const char *path, bool create);
void fault_file_release(
    struct fault_disk *d, struct fault_file *f, bool temporary);
int fault_file_write(
    struct fault_file *f, size_t at, const void *in, size_t len);
int fault_file_truncate(struct fault_file *f, size_t len);
int fault_file_sync(struct fault_disk *d, struct fault_file *f);
void fault_file_forget(struct fault_file *f);
int fault_file_unlink(struct fault_disk *d, const char *path, bool sync);
void fault_file_drop_shm(struct fault_file *f);

void fault_vfs_register(struct fault_disk *d);
void fault_vfs_unregister(struct fault_disk *d);

#endif
