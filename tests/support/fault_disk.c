#include "support/fault_disk.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512 };

/* splitmix64, Vigna: good enough to choose what is lost. */
uint64_t
fault_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* ---- bytes that grow */

static bool
data_resize(struct fault_data *b, size_t len)
{
	if (len > b->cap) {
		size_t cap = b->cap < 65536 ? 65536 : b->cap;
		uint8_t *p;

		while (cap < len)
			cap *= 2;
		p = realloc(b->p, cap);
		if (p == NULL)
			return false;
		b->p = p;
		b->cap = cap;
	}
	if (len > b->len)
		memset(b->p + b->len, 0, len - b->len);
	b->len = len;
	return true;
}

static bool
data_write(struct fault_data *b, size_t at, const void *in, size_t len)
{
	if (at + len > b->len && !data_resize(b, at + len))
		return false;
	if (len > 0)
		memcpy(b->p + at, in, len);
	return true;
}

static void
data_free(struct fault_data *b)
{
	free(b->p);
	*b = (struct fault_data){ 0 };
}

static void
data_copy(struct fault_data *to, const struct fault_data *from)
{
	bool ok = data_resize(to, from->len);

	assert(ok);
	if (from->len > 0)
		memcpy(to->p, from->p, from->len);
}

/* ---- files */

struct fault_file *
fault_file_find(const struct fault_disk *d, const char *path)
{
	for (size_t i = 0; i < d->file_count; i++) {
		struct fault_file *f = d->file[i];

		if (f->path != NULL && !f->unlinked &&
		    strcmp(f->path, path) == 0)
			return f;
	}
	return NULL;
}

static void
file_free(struct fault_file *f)
{
	fault_file_forget(f);
	free(f->change);
	fault_file_drop_shm(f);
	data_free(&f->now);
	data_free(&f->safe);
	free(f->path);
	free(f);
}

static void
file_remove(struct fault_disk *d, struct fault_file *f)
{
	for (size_t i = 0; i < d->file_count; i++) {
		if (d->file[i] != f)
			continue;
		d->file[i] = d->file[--d->file_count];
		file_free(f);
		return;
	}
	assert(false && "a file of this disk");
}

static struct fault_file *
file_new(struct fault_disk *d, const char *path)
{
	struct fault_file *f = calloc(1, sizeof(*f));

	assert(d->file_count < FAULT_FILES_MAX);
	if (f == NULL)
		return NULL;
	if (path != NULL) {
		f->path = strdup(path);
		if (f->path == NULL) {
			free(f);
			return NULL;
		}
	}
	d->file[d->file_count++] = f;
	return f;
}

int
fault_file_open(struct fault_disk *d, struct fault_file **out, const char *path,
    bool create)
{
	struct fault_file *f = path == NULL ? NULL : fault_file_find(d, path);

	if (f == NULL && !create)
		return SQLITE_CANTOPEN;
	if (f == NULL)
		f = file_new(d, path);
	if (f == NULL)
		return SQLITE_NOMEM;
	f->handles++;
	*out = f;
	return SQLITE_OK;
}

void
fault_file_release(struct fault_disk *d, struct fault_file *f, bool temporary)
{
	assert(f->handles > 0);
	f->handles--;
	if (f->handles == 0) {
		fault_file_drop_shm(f);
		if (temporary)
			file_remove(d, f);
	}
}

static struct fault_change *
change_add(struct fault_file *f)
{
	if (f->change_count == f->change_cap) {
		size_t cap = f->change_cap == 0 ? 64 : f->change_cap * 2;
		struct fault_change *p = realloc(f->change, cap * sizeof(*p));

		if (p == NULL)
			return NULL;
		f->change = p;
		f->change_cap = cap;
	}
	f->change[f->change_count] = (struct fault_change){ 0 };
	return &f->change[f->change_count];
}

int
fault_file_write(struct fault_file *f, size_t at, const void *in, size_t len)
{
	struct fault_change *c;

	if (len == 0)
		return SQLITE_OK;
	c = change_add(f);
	if (c == NULL)
		return SQLITE_IOERR_NOMEM;
	c->bytes = malloc(len);
	if (c->bytes == NULL || !data_write(&f->now, at, in, len)) {
		free(c->bytes);
		return SQLITE_IOERR_NOMEM;
	}
	memcpy(c->bytes, in, len);
	c->at = at;
	c->len = len;
	f->change_count++;
	return SQLITE_OK;
}

int
fault_file_truncate(struct fault_file *f, size_t len)
{
	struct fault_change *c = change_add(f);

	if (c == NULL || !data_resize(&f->now, len))
		return SQLITE_IOERR_NOMEM;
	c->truncate = true;
	c->at = len;
	f->change_count++;
	return SQLITE_OK;
}

void
fault_file_forget(struct fault_file *f)
{
	for (size_t i = 0; i < f->change_count; i++)
		free(f->change[i].bytes);
	f->change_count = 0;
}

void
fault_file_drop_shm(struct fault_file *f)
{
	for (size_t i = 0; i < FAULT_SHM_MAX; i++) {
		free(f->shm[i]);
		f->shm[i] = NULL;
	}
}

/* A sync of any file also makes the folder durable, as SQLite's own VFS does
 * at the first sync of a WAL. */
static void
sync_folder(struct fault_disk *d)
{
	for (size_t i = d->file_count; i-- > 0;) {
		struct fault_file *f = d->file[i];

		f->durable_name = !f->unlinked;
		if (f->unlinked && f->handles == 0)
			file_remove(d, f);
	}
}

int
fault_file_sync(struct fault_disk *d, struct fault_file *f)
{
	for (size_t i = 0; i < f->change_count; i++) {
		struct fault_change *c = &f->change[i];
		bool ok = c->truncate
			      ? data_resize(&f->safe, c->at)
			      : data_write(&f->safe, c->at, c->bytes, c->len);

		if (!ok)
			return SQLITE_IOERR_NOMEM;
	}
	fault_file_forget(f);
	sync_folder(d);
	return SQLITE_OK;
}

int
fault_file_unlink(struct fault_disk *d, const char *path, bool sync)
{
	struct fault_file *f = fault_file_find(d, path);

	if (f == NULL)
		return SQLITE_IOERR_DELETE_NOENT;
	f->unlinked = true;
	if (sync)
		sync_folder(d);
	return SQLITE_OK;
}

/* ---- faults */

void
fault_tell(struct fault_disk *d)
{
	if (d->watch == NULL || d->watching || d->is_cut)
		return;
	d->watching = true;
	d->watch(d->watch_arg, d);
	d->watching = false;
}

static unsigned
bit_of(enum fault_op op)
{
	unsigned i = 0;

	while ((1u << i) != (unsigned)op)
		i++;
	return i;
}

int
fault_strikes(struct fault_disk *d, enum fault_op op, int ioerr)
{
	if (d->is_cut)
		return ioerr;
	d->count[bit_of(op)]++;
	if (((unsigned)op & FAULT_WRITES) && d->cut_in > 0 &&
	    --d->cut_in == 0) {
		d->is_cut = true;
		return ioerr;
	}
	if (!(d->fail_ops & (unsigned)op) || d->fail_in == 0)
		return SQLITE_OK;
	if (--d->fail_in > 0)
		return SQLITE_OK;
	d->hit = true;
	if (d->fail_forever)
		d->fail_in = 1;
	return d->fail_kind == FAULT_FULL ? SQLITE_FULL : ioerr;
}

bool
fault_has_room(
    const struct fault_disk *d, const struct fault_file *f, size_t end)
{
	uint64_t total = 0;

	if (d->capacity == UINT64_MAX || end <= f->now.len)
		return true;
	for (size_t i = 0; i < d->file_count; i++)
		total += d->file[i]->unlinked ? 0 : d->file[i]->now.len;
	return total - f->now.len + end <= d->capacity;
}

/* What of one unsynced write is there afterwards. */
static void
settle_write(struct fault_data *to, const struct fault_change *c,
    enum fault_after after, uint64_t *random)
{
	uint64_t how = fault_random(random) % 4;
	size_t n;
	bool ok;

	if (after == FAULT_KEEP || (after == FAULT_RANDOM && how == 0)) {
		ok = data_write(to, c->at, c->bytes, c->len);
		assert(ok);
		return;
	}
	if (after == FAULT_DROP || how == 1)
		return;
	/* Torn: each sector for itself. */
	for (size_t i = 0; i < c->len; i += n) {
		n = SECTOR - (c->at + i) % SECTOR;
		if (n > c->len - i)
			n = c->len - i;
		if (fault_random(random) % 2 == 0)
			continue;
		ok = data_write(to, c->at + i, c->bytes + i, n);
		assert(ok);
	}
}

/* The file after a power cut, into `out`; false if it is not there. */
static bool
settle(struct fault_data *out, const struct fault_file *f,
    enum fault_after after, uint64_t *random)
{
	bool keep_name =
	    after == FAULT_KEEP ||
	    (after == FAULT_RANDOM && fault_random(random) % 2 == 0);

	if (f->path == NULL)
		return false;
	/* A name made or removed without a sync is there, or is not. */
	if (f->unlinked && (keep_name || !f->durable_name))
		return false;
	if (!f->unlinked && !f->durable_name && !keep_name)
		return false;
	data_copy(out, &f->safe);
	for (size_t i = 0; i < f->change_count; i++) {
		const struct fault_change *c = &f->change[i];
		bool ok;

		if (!c->truncate) {
			settle_write(out, c, after, random);
		} else if (after == FAULT_KEEP ||
			   (after == FAULT_RANDOM &&
			       fault_random(random) % 2)) {
			ok = data_resize(out, c->at);
			assert(ok);
		}
	}
	return true;
}

/* ---- the disk */

struct fault_disk *
fault_disk_new(void)
{
	static pthread_mutex_t naming = PTHREAD_MUTEX_INITIALIZER;
	static unsigned last;
	struct fault_disk *d = calloc(1, sizeof(*d));
	pthread_mutexattr_t attr;

	assert(d != NULL);
	(void)pthread_mutexattr_init(&attr);
	(void)pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	(void)pthread_mutex_init(&d->mutex, &attr);
	(void)pthread_mutexattr_destroy(&attr);
	pthread_mutex_lock(&naming);
	(void)snprintf(d->name, sizeof(d->name), "fault%u", ++last);
	pthread_mutex_unlock(&naming);
	d->capacity = UINT64_MAX;
	fault_vfs_register(d);
	return d;
}

void
fault_disk_free(struct fault_disk *d)
{
	if (d == NULL)
		return;
	fault_vfs_unregister(d);
	for (size_t i = 0; i < d->file_count; i++) {
		assert(d->file[i]->handles == 0);
		file_free(d->file[i]);
	}
	(void)pthread_mutex_destroy(&d->mutex);
	free(d);
}

const char *
fault_disk_name(const struct fault_disk *d)
{
	return d->name;
}

uint64_t
fault_disk_count(const struct fault_disk *d, unsigned ops)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < 6; i++)
		sum += ops & (1u << i) ? d->count[i] : 0;
	return sum;
}

void
fault_disk_fail(struct fault_disk *d, unsigned ops, uint64_t n,
    enum fault_kind kind, bool forever)
{
	pthread_mutex_lock(&d->mutex);
	d->fail_ops = ops;
	d->fail_in = n;
	d->fail_kind = kind;
	d->fail_forever = forever;
	d->hit = false;
	pthread_mutex_unlock(&d->mutex);
}

bool
fault_disk_hit(const struct fault_disk *d)
{
	return d->hit;
}

void
fault_disk_capacity(struct fault_disk *d, uint64_t bytes)
{
	pthread_mutex_lock(&d->mutex);
	d->capacity = bytes;
	pthread_mutex_unlock(&d->mutex);
}

void
fault_disk_cut(struct fault_disk *d, uint64_t n)
{
	pthread_mutex_lock(&d->mutex);
	d->cut_in = n;
	pthread_mutex_unlock(&d->mutex);
}

bool
fault_disk_is_cut(const struct fault_disk *d)
{
	return d->is_cut;
}

struct fault_disk *
fault_disk_after(
    const struct fault_disk *d, enum fault_after after, uint64_t seed)
{
	struct fault_disk *out = fault_disk_new();

	for (size_t i = 0; i < d->file_count; i++) {
		struct fault_data data = { 0 };
		struct fault_file *f;

		if (settle(&data, d->file[i], after, &seed)) {
			f = file_new(out, d->file[i]->path);
			assert(f != NULL);
			f->durable_name = true;
			f->now = data;
			data_copy(&f->safe, &data);
		}
	}
	return out;
}

void
fault_disk_power(struct fault_disk *d, enum fault_after after, uint64_t seed)
{
	for (size_t i = d->file_count; i-- > 0;) {
		struct fault_file *f = d->file[i];
		struct fault_data data = { 0 };

		assert(f->handles == 0);
		if (!settle(&data, f, after, &seed)) {
			file_remove(d, f);
			continue;
		}
		fault_file_forget(f);
		data_free(&f->now);
		f->now = data;
		f->safe.len = 0;
		data_copy(&f->safe, &data);
		f->durable_name = true;
		f->unlinked = false;
	}
	d->is_cut = false;
	d->cut_in = 0;
	d->fail_in = 0;
}

void
fault_disk_watch(struct fault_disk *d, fault_watch *cb, void *arg)
{
	d->watch = cb;
	d->watch_arg = arg;
}

/* ---- looking and spoiling */

const char *
fault_disk_path(const struct fault_disk *d, size_t i)
{
	for (size_t k = 0; k < d->file_count; k++) {
		const struct fault_file *f = d->file[k];

		if (f->path != NULL && !f->unlinked && i-- == 0)
			return f->path;
	}
	return NULL;
}

struct bytes
fault_disk_file(const struct fault_disk *d, const char *path)
{
	struct fault_file *f = fault_file_find(d, path);

	return f == NULL ? bytes_of(NULL, 0) : bytes_of(f->now.p, f->now.len);
}

void
fault_disk_put(struct fault_disk *d, const char *path, struct bytes contents)
{
	struct fault_file *f = fault_file_find(d, path);
	bool ok;

	if (f == NULL)
		f = file_new(d, path);
	assert(f != NULL && f->handles == 0);
	fault_file_forget(f);
	f->now.len = 0;
	ok = data_write(&f->now, 0, contents.p, contents.len);
	assert(ok);
	f->safe.len = 0;
	data_copy(&f->safe, &f->now);
	f->durable_name = true;
}

void
fault_disk_flip(
    struct fault_disk *d, const char *path, size_t offset, uint8_t mask)
{
	struct fault_file *f = fault_file_find(d, path);

	assert(f != NULL && offset < f->now.len && f->change_count == 0);
	f->now.p[offset] ^= mask;
	f->safe.p[offset] ^= mask;
}

void
fault_disk_remove(struct fault_disk *d, const char *path)
{
	struct fault_file *f = fault_file_find(d, path);

	if (f != NULL) {
		assert(f->handles == 0);
		file_remove(d, f);
	}
}
