#include "support/fault_vfs.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fault_disk.h"

/* One open file.  SQLite gives the memory. */
struct handle {
	sqlite3_file base; /* first: SQLite sees only this */
	struct fault_disk *d;
	struct fault_file *f;
	int lock;           /* SQLITE_LOCK_* held */
	uint16_t shm_share; /* bits of shared-memory locks held */
	uint16_t shm_excl;
	bool temporary;
};

static struct handle *
of(sqlite3_file *p)
{
	return (struct handle *)(void *)p;
}

/* ---- files */

static int
file_close(sqlite3_file *p)
{
	struct handle *h = of(p);

	pthread_mutex_lock(&h->d->mutex);
	fault_file_release(h->d, h->f, h->temporary);
	pthread_mutex_unlock(&h->d->mutex);
	return SQLITE_OK;
}

static int
file_read(sqlite3_file *p, void *out, int len, sqlite3_int64 at)
{
	struct handle *h = of(p);
	size_t n = 0, want = (size_t)len, from = (size_t)at;
	int rc;

	pthread_mutex_lock(&h->d->mutex);
	rc = fault_strikes(h->d, FAULT_READ, SQLITE_IOERR_READ);
	if (rc == SQLITE_OK) {
		if (from < h->f->now.len)
			n = h->f->now.len - from;
		if (n > want)
			n = want;
		if (n > 0)
			memcpy(out, h->f->now.p + from, n);
		if (n < want) {
			memset((uint8_t *)out + n, 0, want - n);
			rc = SQLITE_IOERR_SHORT_READ;
		}
	}
	pthread_mutex_unlock(&h->d->mutex);
	return rc;
}

static int
file_write(sqlite3_file *p, const void *in, int len, sqlite3_int64 at)
{
	struct handle *h = of(p);
	size_t n = (size_t)len, to = (size_t)at;
	int rc, written;

	pthread_mutex_lock(&h->d->mutex);
	fault_tell(h->d);
	rc = fault_strikes(h->d, FAULT_WRITE, SQLITE_IOERR_WRITE);
	if (rc == SQLITE_OK && !fault_has_room(h->d, h->f, to + n))
		rc = SQLITE_FULL;
	if (rc != SQLITE_OK)
		n = h->d->is_cut || rc == SQLITE_FULL ? 0 : n / 2;
	written = fault_file_write(h->f, to, in, n);
	pthread_mutex_unlock(&h->d->mutex);
	return rc == SQLITE_OK ? written : rc;
}

static int
file_truncate(sqlite3_file *p, sqlite3_int64 len)
{
	struct handle *h = of(p);
	int rc;

	pthread_mutex_lock(&h->d->mutex);
	fault_tell(h->d);
	rc = fault_strikes(h->d, FAULT_TRUNCATE, SQLITE_IOERR_TRUNCATE);
	if (rc == SQLITE_OK)
		rc = fault_file_truncate(h->f, (size_t)len);
	pthread_mutex_unlock(&h->d->mutex);
	return rc;
}

static int
file_sync(sqlite3_file *p, int flags)
{
	struct handle *h = of(p);
	int rc;

	(void)flags;
	pthread_mutex_lock(&h->d->mutex);
	fault_tell(h->d);
	rc = fault_strikes(h->d, FAULT_SYNC, SQLITE_IOERR_FSYNC);
	if (rc == SQLITE_OK)
		rc = fault_file_sync(h->d, h->f);
	else if (!h->d->is_cut)
		fault_file_forget(h->f);
	pthread_mutex_unlock(&h->d->mutex);
	return rc;
}

static int
file_size(sqlite3_file *p, sqlite3_int64 *out)
{
	struct handle *h = of(p);

	pthread_mutex_lock(&h->d->mutex);
	*out = (sqlite3_int64)h->f->now.len;
	pthread_mutex_unlock(&h->d->mutex);
	return SQLITE_OK;
}

/* ---- locks: SQLite's five levels, between handles of this process */

static int
lock_try(struct handle *h, int want)
{
	struct fault_file *f = h->f;

	if (want <= h->lock)
		return SQLITE_OK;
	if (want == SQLITE_LOCK_SHARED) {
		if (f->exclusive != NULL || f->pending != NULL)
			return SQLITE_BUSY;
		f->shared++;
	} else if (want == SQLITE_LOCK_RESERVED) {
		if (f->reserved != NULL)
			return SQLITE_BUSY;
		f->reserved = h;
	} else {
		if (f->reserved != NULL && f->reserved != h)
			return SQLITE_BUSY;
		if (f->pending != NULL && f->pending != h)
			return SQLITE_BUSY;
		f->reserved = h;
		f->pending = h;
		if (f->shared > 1) {
			h->lock = SQLITE_LOCK_PENDING;
			return SQLITE_BUSY;
		}
		f->exclusive = h;
	}
	h->lock = want;
	return SQLITE_OK;
}

static int
file_lock(sqlite3_file *p, int want)
{
	struct handle *h = of(p);
	int rc;

	pthread_mutex_lock(&h->d->mutex);
	rc = lock_try(h, want);
	pthread_mutex_unlock(&h->d->mutex);
	return rc;
}

static int
file_unlock(sqlite3_file *p, int want)
{
	struct handle *h = of(p);
	struct fault_file *f = h->f;

	pthread_mutex_lock(&h->d->mutex);
	if (f->exclusive == h)
		f->exclusive = NULL;
	if (f->pending == h)
		f->pending = NULL;
	if (f->reserved == h)
		f->reserved = NULL;
	if (want == SQLITE_LOCK_NONE && h->lock > SQLITE_LOCK_NONE)
		f->shared--;
	if (h->lock > want)
		h->lock = want;
	pthread_mutex_unlock(&h->d->mutex);
	return SQLITE_OK;
}

static int
file_reserved(sqlite3_file *p, int *out)
{
	struct handle *h = of(p);

	pthread_mutex_lock(&h->d->mutex);
	*out = h->f->reserved != NULL;
	pthread_mutex_unlock(&h->d->mutex);
	return SQLITE_OK;
}

static int
file_control(sqlite3_file *p, int op, void *arg)
{
	(void)p;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int
file_sector(sqlite3_file *p)
{
	(void)p;
	return 4096;
}

static int
file_device(sqlite3_file *p)
{
	(void)p;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* ---- shared memory of the WAL index */

static int
shm_map(sqlite3_file *p, int region, int size, int extend, void volatile **out)
{
	struct handle *h = of(p);
	struct fault_file *f = h->f;
	int rc = SQLITE_OK;

	*out = NULL;
	pthread_mutex_lock(&h->d->mutex);
	if (region >= FAULT_SHM_MAX) {
		rc = SQLITE_IOERR_SHMMAP;
	} else if (f->shm[region] == NULL && extend) {
		f->shm[region] = calloc(1, (size_t)size);
		if (f->shm[region] == NULL)
			rc = SQLITE_IOERR_NOMEM;
	}
	if (rc == SQLITE_OK)
		*out = f->shm[region];
	pthread_mutex_unlock(&h->d->mutex);
	return rc;
}

static int
shm_take(struct handle *h, uint16_t bits, bool excl)
{
	struct fault_file *f = h->f;

	for (int i = 0; i < SQLITE_SHM_NLOCK; i++) {
		uint16_t bit = (uint16_t)(1u << i);
		bool mine = (h->shm_share & bit) != 0;

		if (!(bits & bit))
			continue;
		if (f->shm_excl[i] != NULL && f->shm_excl[i] != h)
			return SQLITE_BUSY;
		if (excl && f->shm_share[i] > (mine ? 1 : 0))
			return SQLITE_BUSY;
	}
	for (int i = 0; i < SQLITE_SHM_NLOCK; i++) {
		uint16_t bit = (uint16_t)(1u << i);

		if (!(bits & bit))
			continue;
		if (excl) {
			f->shm_excl[i] = h;
			h->shm_excl |= bit;
		} else if (!(h->shm_share & bit)) {
			f->shm_share[i]++;
			h->shm_share |= bit;
		}
	}
	return SQLITE_OK;
}

static void
shm_give(struct handle *h, uint16_t bits)
{
	struct fault_file *f = h->f;

	for (int i = 0; i < SQLITE_SHM_NLOCK; i++) {
		uint16_t bit = (uint16_t)(1u << i);

		if (!(bits & bit))
			continue;
		if (h->shm_excl & bit)
			f->shm_excl[i] = NULL;
		if (h->shm_share & bit)
			f->shm_share[i]--;
	}
	h->shm_excl &= (uint16_t)~bits;
	h->shm_share &= (uint16_t)~bits;
}

static int
shm_lock(sqlite3_file *p, int offset, int n, int flags)
{
	struct handle *h = of(p);
	uint16_t bits = (uint16_t)(((1u << n) - 1) << offset);
	int rc = SQLITE_OK;

	pthread_mutex_lock(&h->d->mutex);
	if (flags & SQLITE_SHM_UNLOCK)
		shm_give(h, bits);
	else
		rc = shm_take(h, bits, (flags & SQLITE_SHM_EXCLUSIVE) != 0);
	pthread_mutex_unlock(&h->d->mutex);
	return rc;
}

static void
shm_barrier(sqlite3_file *p)
{
	struct handle *h = of(p);

	pthread_mutex_lock(&h->d->mutex);
	pthread_mutex_unlock(&h->d->mutex);
}

static int
shm_unmap(sqlite3_file *p, int delete)
{
	struct handle *h = of(p);

	pthread_mutex_lock(&h->d->mutex);
	shm_give(h, UINT16_MAX);
	if (delete)
		fault_file_drop_shm(h->f);
	pthread_mutex_unlock(&h->d->mutex);
	return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_reserved,
	.xFileControl = file_control,
	.xSectorSize = file_sector,
	.xDeviceCharacteristics = file_device,
	.xShmMap = shm_map,
	.xShmLock = shm_lock,
	.xShmBarrier = shm_barrier,
	.xShmUnmap = shm_unmap,
};

/* ---- the disk */

static struct fault_disk *
disk_of(sqlite3_vfs *v)
{
	return v->pAppData;
}

static int
disk_open(
    sqlite3_vfs *v, const char *path, sqlite3_file *p, int flags, int *out)
{
	struct fault_disk *d = disk_of(v);
	struct handle *h = of(p);
	int rc;

	*h = (struct handle){ .d = d, .temporary = path == NULL };
	pthread_mutex_lock(&d->mutex);
	rc = fault_strikes(d, FAULT_OPEN, SQLITE_CANTOPEN);
	d->why = rc == SQLITE_OK ? 0 : EIO;
	if (rc == SQLITE_OK) {
		rc = fault_file_open(d, &h->f, path,
		    path == NULL || (flags & SQLITE_OPEN_CREATE) != 0);
		d->why = rc == SQLITE_CANTOPEN ? ENOENT : 0;
	}
	pthread_mutex_unlock(&d->mutex);
	if (rc != SQLITE_OK)
		return rc;
	h->base.pMethods = &methods;
	if (out != NULL)
		*out = flags;
	return SQLITE_OK;
}

static int
disk_delete(sqlite3_vfs *v, const char *path, int sync)
{
	struct fault_disk *d = disk_of(v);
	int rc;

	pthread_mutex_lock(&d->mutex);
	fault_tell(d);
	rc = fault_strikes(d, FAULT_DELETE, SQLITE_IOERR_DELETE);
	if (rc == SQLITE_OK)
		rc = fault_file_unlink(d, path, sync != 0);
	pthread_mutex_unlock(&d->mutex);
	return rc;
}

static int
disk_access(sqlite3_vfs *v, const char *path, int flags, int *out)
{
	struct fault_disk *d = disk_of(v);
	struct fault_file *f;

	(void)flags;
	pthread_mutex_lock(&d->mutex);
	f = fault_file_find(d, path);
	/* As the system's VFS: an empty file does not exist for this. */
	*out = f != NULL && f->now.len > 0;
	pthread_mutex_unlock(&d->mutex);
	return SQLITE_OK;
}

static int
disk_full_path(sqlite3_vfs *v, const char *path, int len, char *out)
{
	(void)v;
	(void)snprintf(out, (size_t)len, "%s", path);
	return SQLITE_OK;
}

static int
disk_random(sqlite3_vfs *v, int len, char *out)
{
	struct fault_disk *d = disk_of(v);

	pthread_mutex_lock(&d->mutex);
	for (int i = 0; i < len; i++)
		out[i] = (char)fault_random(&d->random);
	pthread_mutex_unlock(&d->mutex);
	return len;
}

static int
disk_sleep(sqlite3_vfs *v, int us)
{
	sqlite3_vfs *real = sqlite3_vfs_find(NULL);

	(void)v;
	return real->xSleep(real, us);
}

static int
disk_time(sqlite3_vfs *v, double *out)
{
	(void)v;
	*out = 2460000.5; /* nothing of ours asks SQLite for the time */
	return SQLITE_OK;
}

/* The errno of the last opening: who asks tells a file that is not there from
 * one that cannot be read. */
static int
disk_error(sqlite3_vfs *v, int len, char *out)
{
	if (len > 0)
		out[0] = '\0';
	return disk_of(v)->why;
}

void
fault_vfs_register(struct fault_disk *d)
{
	sqlite3_vfs *v = calloc(1, sizeof(*v));
	int rc;

	assert(v != NULL);
	*v = (sqlite3_vfs){
		.iVersion = 1,
		.szOsFile = sizeof(struct handle),
		.mxPathname = 512,
		.zName = d->name,
		.pAppData = d,
		.xOpen = disk_open,
		.xDelete = disk_delete,
		.xAccess = disk_access,
		.xFullPathname = disk_full_path,
		.xRandomness = disk_random,
		.xSleep = disk_sleep,
		.xCurrentTime = disk_time,
		.xGetLastError = disk_error,
	};
	rc = sqlite3_vfs_register(v, 0);
	assert(rc == SQLITE_OK);
	d->vfs = v;
}

void
fault_vfs_unregister(struct fault_disk *d)
{
	(void)sqlite3_vfs_unregister(d->vfs);
	free(d->vfs);
}
