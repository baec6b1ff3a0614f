#include "base/port.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/enc.h"
#include "base/sha.h"

static uint64_t
clock_ms(clockid_t which)
{
	struct timespec ts;

	if (clock_gettime(which, &ts) != 0 || ts.tv_sec < 0)
		return 0;
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static uint64_t
system_wall_ms(void *arg)
{
	(void)arg;
	return clock_ms(CLOCK_REALTIME);
}

static uint64_t
system_mono_ms(void *arg)
{
	(void)arg;
	return clock_ms(CLOCK_BOOTTIME);
}

static void
system_random(void *arg, void *out, size_t len)
{
	(void)arg;
	randombytes_buf(out, len);
}

/*
 * Linux gives each boot a UUID.  Hashed, so that the kernel's own id does not
 * go into court records, where it could tie two devices' logs together.
 */
static void
system_boot_id(void *arg, uint8_t out[BOOT_LEN])
{
	uint8_t hash[HASH_LEN];
	char text[64] = "";
	FILE *f;

	(void)arg;
	f = fopen("/proc/sys/kernel/random/boot_id", "re");
	if (f != NULL) {
		if (fgets(text, sizeof(text), f) == NULL)
			text[0] = '\0';
		(void)fclose(f);
	}
	sha256(hash, bytes_str(text));
	memcpy(out, hash, BOOT_LEN);
}

static enum status
status_of_errno(int err)
{
	if (err == ENOENT)
		return ST_ABSENT;
	if (err == ENOSPC || err == EDQUOT)
		return ST_FULL;
	if (err == EACCES || err == EPERM)
		return ST_DENIED;
	return ST_IO;
}

static enum status
system_read_file(void *arg, const char *path, struct buf *out)
{
	enum status st = ST_OK;
	uint8_t chunk[4096];
	int fd;

	(void)arg;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return status_of_errno(errno);
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			st = ST_IO;
			break;
		}
		buf_add(out, chunk, (size_t)n);
		if (out->err != ST_OK) {
			st = out->err;
			break;
		}
	}
	sodium_memzero(chunk, sizeof(chunk));
	(void)close(fd);
	return st;
}

static enum status
sync_folder_of(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path);
	enum status st = ST_OK;
	int fd;

	if (len >= sizeof(dir))
		return ST_LIMIT;
	if (slash == NULL) {
		(void)snprintf(dir, sizeof(dir), ".");
	} else if (len == 0) {
		(void)snprintf(dir, sizeof(dir), "/");
	} else {
		memcpy(dir, path, len);
		dir[len] = '\0';
	}
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return status_of_errno(errno);
	if (fsync(fd) != 0)
		st = status_of_errno(errno);
	(void)close(fd);
	return st;
}

static enum status
write_all(int fd, struct bytes in)
{
	while (in.len > 0) {
		ssize_t n = write(fd, in.p, in.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return status_of_errno(errno);
		in.p += n;
		in.len -= (size_t)n;
	}
	return fsync(fd) == 0 ? ST_OK : status_of_errno(errno);
}

static enum status
system_write_file(void *arg, const char *path, struct bytes in, bool secret)
{
	char aside[PATH_MAX];
	enum status st;
	int fd, n;

	(void)arg;
	n = snprintf(aside, sizeof(aside), "%s.XXXXXX", path);
	if (n < 0 || (size_t)n >= sizeof(aside))
		return ST_LIMIT;
	fd = mkostemp(aside, O_CLOEXEC);
	if (fd < 0)
		return status_of_errno(errno);
	st = write_all(fd, in);
	if (st == ST_OK && fchmod(fd, secret ? 0600 : 0644) != 0)
		st = status_of_errno(errno);
	if (close(fd) != 0 && st == ST_OK)
		st = status_of_errno(errno);
	if (st == ST_OK && rename(aside, path) != 0)
		st = status_of_errno(errno);
	if (st != ST_OK) {
		(void)unlink(aside);
		return st;
	}
	return sync_folder_of(path);
}

static enum status
system_remove_file(void *arg, const char *path)
{
	(void)arg;
	if (unlink(path) != 0)
		return errno == ENOENT ? ST_OK : status_of_errno(errno);
	return sync_folder_of(path);
}

/* Sync, so that the name never stands for less than the whole file. */
static enum status
sync_file(const char *path)
{
	enum status st = ST_OK;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return status_of_errno(errno);
	if (fchmod(fd, 0600) != 0 || fsync(fd) != 0)
		st = status_of_errno(errno);
	if (close(fd) != 0 && st == ST_OK)
		st = status_of_errno(errno);
	return st;
}

/* Where the file system knows no such renaming (FAT, some network disks), the
 * name is taken by an empty file of ours first. */
static enum status
rename_onto_nothing(const char *from, const char *to)
{
	int fd;

	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return ST_OK;
	if (errno == EEXIST)
		return ST_CONFLICT;
	if (errno != EINVAL && errno != ENOSYS)
		return status_of_errno(errno);
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? ST_CONFLICT : status_of_errno(errno);
	(void)close(fd);
	if (rename(from, to) != 0) {
		enum status st = status_of_errno(errno);

		(void)unlink(to);
		return st;
	}
	return ST_OK;
}

static enum status
system_move_file(void *arg, const char *from, const char *to)
{
	enum status st = sync_file(from);

	(void)arg;
	if (st == ST_OK)
		st = rename_onto_nothing(from, to);
	return st == ST_OK ? sync_folder_of(to) : st;
}

static enum status
system_disk_free(void *arg, const char *path, uint64_t *out)
{
	struct statvfs v;

	(void)arg;
	if (statvfs(path, &v) != 0)
		return errno == ENOENT ? ST_ABSENT : ST_IO;
	*out = (uint64_t)v.f_bavail * (uint64_t)v.f_frsize;
	return ST_OK;
}

const struct port *
port_system(void)
{
	static const struct port system_port = {
		.wall_ms = system_wall_ms,
		.mono_ms = system_mono_ms,
		.boot_id = system_boot_id,
		.random = system_random,
		.read_file = system_read_file,
		.write_file = system_write_file,
		.remove_file = system_remove_file,
		.move_file = system_move_file,
		.disk_free = system_disk_free,
	};

	return &system_port;
}
