#include "support/fault_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned left; /* 0: none is ordered */
static int error;
static bool every, hit, sync_failed;

/* Names that ld's --wrap gives. */
int __real_open(const char *path, int flags, ...);
ssize_t __real_write(int fd, const void *p, size_t len);
ssize_t __real_pwrite(int fd, const void *p, size_t len, off_t at);
ssize_t __real_read(int fd, void *p, size_t len);
ssize_t __real_pread(int fd, void *p, size_t len, off_t at);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_ftruncate(int fd, off_t len);
int __real_link(const char *from, const char *to);
int __real_rename(const char *from, const char *to);
int __real_unlink(const char *path);
int __real_mkdir(const char *path, mode_t mode);
DIR *__real_opendir(const char *path);
int __wrap_open(const char *path, int flags, ...);
ssize_t __wrap_write(int fd, const void *p, size_t len);
ssize_t __wrap_pwrite(int fd, const void *p, size_t len, off_t at);
ssize_t __wrap_read(int fd, void *p, size_t len);
ssize_t __wrap_pread(int fd, void *p, size_t len, off_t at);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_ftruncate(int fd, off_t len);
int __wrap_link(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);
int __wrap_mkdir(const char *path, mode_t mode);
DIR *__wrap_opendir(const char *path);

void
fault_file_fail(unsigned n, int err, bool forever)
{
	(void)pthread_mutex_lock(&lock);
	left = n;
	error = err;
	every = forever;
	hit = sync_failed = false;
	(void)pthread_mutex_unlock(&lock);
}

bool
fault_file_off(void)
{
	bool was;

	(void)pthread_mutex_lock(&lock);
	left = 0;
	was = hit;
	(void)pthread_mutex_unlock(&lock);
	return was;
}

bool
fault_file_was_sync(void)
{
	return sync_failed;
}

static bool
fails_as(bool sync)
{
	bool now = false;

	(void)pthread_mutex_lock(&lock);
	if (left > 1) {
		left--;
	} else if (left == 1) {
		now = hit = true;
		sync_failed = sync;
		left = every ? 1 : 0;
	}
	if (now)
		errno = error;
	(void)pthread_mutex_unlock(&lock);
	return now;
}

static bool
fails(void)
{
	return fails_as(false);
}

int
__wrap_open(const char *path, int flags, ...)
{
	unsigned mode = 0;
	va_list ap;

	if (fails())
		return -1;
	va_start(ap, flags);
	if ((flags & O_CREAT) != 0)
		mode = va_arg(ap, unsigned);
	va_end(ap);
	return __real_open(path, flags, mode);
}

ssize_t
__wrap_write(int fd, const void *p, size_t len)
{
	if (!fails())
		return __real_write(fd, p, len);
	(void)__real_write(fd, p, len / 2);
	errno = error;
	return -1;
}

ssize_t
__wrap_pwrite(int fd, const void *p, size_t len, off_t at)
{
	if (!fails())
		return __real_pwrite(fd, p, len, at);
	(void)__real_pwrite(fd, p, len / 2, at);
	errno = error;
	return -1;
}

ssize_t
__wrap_read(int fd, void *p, size_t len)
{
	return fails() ? -1 : __real_read(fd, p, len);
}

ssize_t
__wrap_pread(int fd, void *p, size_t len, off_t at)
{
	return fails() ? -1 : __real_pread(fd, p, len, at);
}

int
__wrap_fsync(int fd)
{
	return fails_as(true) ? -1 : __real_fsync(fd);
}

int
__wrap_fdatasync(int fd)
{
	return fails_as(true) ? -1 : __real_fdatasync(fd);
}

int
__wrap_ftruncate(int fd, off_t len)
{
	return fails() ? -1 : __real_ftruncate(fd, len);
}

int
__wrap_link(const char *from, const char *to)
{
	return fails() ? -1 : __real_link(from, to);
}

int
__wrap_rename(const char *from, const char *to)
{
	return fails() ? -1 : __real_rename(from, to);
}

int
__wrap_unlink(const char *path)
{
	return fails() ? -1 : __real_unlink(path);
}

int
__wrap_mkdir(const char *path, mode_t mode)
{
	return fails() ? -1 : __real_mkdir(path, mode);
}

DIR *
__wrap_opendir(const char *path)
{
	return fails() ? NULL : __real_opendir(path);
}
