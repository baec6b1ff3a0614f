/*
 * bad_luck: a small library to be preloaded into the real programs, for what a
 * test cannot otherwise bring about: a clock that is years off, and a disk
 * that is full or fails.
 *
 *   DAYBREAK_TEST_CLOCK_S=n   the wall clock is n seconds off (monotonic time
 *                             stays as it is: only the calendar is wrong)
 *   DAYBREAK_TEST_FULL=FILE   while FILE exists nothing grows on the disk:
 *                             writes fail with ENOSPC
 *   DAYBREAK_TEST_FULL_PART=n no upload under way (evidence/part) grows above n
 *                             bytes: writes fail with ENOSPC
 *   DAYBREAK_TEST_FAIL=n      the n-th write or sync to a file, and each that
 *                             follows, fails with EIO
 *   DAYBREAK_TEST_UNREADABLE=TEXT
 *                             reading a file whose path holds TEXT fails with
 *                             EIO
 *   DAYBREAK_TEST_BREAK_SEND=n
 *                             the n-th sending of more than 4 KiB takes
 *                             nothing, and finds its connection dead afterwards
 *
 * Only regular files are meant, but for the last: sockets and pipes work on.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* The next definition of a function, found at its first call. */
#define NEXT(name)                                                             \
	static __typeof__(&name) next;                                         \
	if (next == NULL)                                                      \
	next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static long
number(const char *name)
{
	const char *text = getenv(name);

	return text == NULL ? 0 : strtol(text, NULL, 10);
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	static long off, known;
	int rc;

	NEXT(clock_gettime);
	if (!known) {
		off = number("DAYBREAK_TEST_CLOCK_S");
		known = 1;
	}
	rc = next(id, ts);
	if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		ts->tv_sec += off;
	return rc;
}

int
gettimeofday(struct timeval *tv, void *zone)
{
	struct timespec ts;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &ts) != 0)
		return -1;
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *out)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) != 0)
		return (time_t)-1;
	if (out != NULL)
		*out = ts.tv_sec;
	return ts.tv_sec;
}

static int
path_holds(int fd, const char *text)
{
	char link[64], path[4096];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return 0;
	path[n] = '\0';
	return strstr(path, text) != NULL;
}

/* Is it the file of an upload that is not whole yet? */
static int
is_part(int fd)
{
	return path_holds(fd, "/evidence/part/");
}

/*
 * 0: go on; else the errno that the call fails with.  `end` is where the file
 * would end: a full disk still takes what overwrites.
 */
static int
refuse(int fd, off_t end)
{
	static long fail = -1, part = -1, done;
	const char *full = getenv("DAYBREAK_TEST_FULL");
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return 0;
	if (full != NULL && end > st.st_size && access(full, F_OK) == 0)
		return ENOSPC;
	if (part < 0)
		part = number("DAYBREAK_TEST_FULL_PART");
	if (part > 0 && end > part && end > st.st_size && is_part(fd))
		return ENOSPC;
	if (fail < 0)
		fail = number("DAYBREAK_TEST_FAIL");
	if (fail > 0 && __atomic_add_fetch(&done, 1, __ATOMIC_RELAXED) >= fail)
		return EIO;
	return 0;
}

#define REFUSE(fd, end)                                                        \
	do {                                                                   \
		int why = refuse(fd, end);                                     \
		if (why != 0) {                                                \
			errno = why;                                           \
			return -1;                                             \
		}                                                              \
	} while (0)

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	NEXT(pwrite);
	REFUSE(fd, at + (off_t)n);
	return next(fd, p, n, at);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	NEXT(pwrite64);
	REFUSE(fd, at + (off_t)n);
	return next(fd, p, n, at);
}

ssize_t
read(int fd, void *p, size_t n)
{
	const char *bad = getenv("DAYBREAK_TEST_UNREADABLE");

	NEXT(read);
	if (bad != NULL && path_holds(fd, bad)) {
		errno = EIO;
		return -1;
	}
	return next(fd, p, n);
}

ssize_t
write(int fd, const void *p, size_t n)
{
	NEXT(write);
	REFUSE(fd, lseek(fd, 0, SEEK_CUR) + (off_t)n);
	return next(fd, p, n);
}

int
fsync(int fd)
{
	NEXT(fsync);
	REFUSE(fd, 0);
	return next(fd);
}

int
fdatasync(int fd)
{
	NEXT(fdatasync);
	REFUSE(fd, 0);
	return next(fd);
}

int
posix_fallocate(int fd, off_t at, off_t len)
{
	NEXT(posix_fallocate);
	/* It gives its error back, and leaves errno alone. */
	int why = refuse(fd, at + len);

	return why != 0 ? why : next(fd, at, len);
}

int
fallocate(int fd, int mode, off_t at, off_t len)
{
	NEXT(fallocate);
	REFUSE(fd, at + len);
	return next(fd, mode, at, len);
}

ssize_t
send(int fd, const void *p, size_t n, int flags)
{
	static long sent;

	NEXT(send);
	if (n > 4096 && ++sent == number("DAYBREAK_TEST_BREAK_SEND")) {
		(void)shutdown(fd, SHUT_RDWR);
		errno = EAGAIN;
		return -1;
	}
	return next(fd, p, n, flags);
}
