/* recover_copy: a handheld's file is evidence: it is read, never written. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/core/centre_folder.h"
#include "server/upkeep/recover_inner.h"

enum { COPY_BYTES = 65536 };

static enum status
status_of(int err)
{
	if (err == ENOENT)
		return ST_ABSENT;
	if (err == ENOSPC || err == EDQUOT)
		return ST_FULL;
	return err == EACCES || err == EPERM ? ST_DENIED : ST_IO;
}

static enum status
write_whole(int fd, const uint8_t *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return status_of(errno);
		p += n;
		len -= (size_t)n;
	}
	return ST_OK;
}

/*
 * A sector that cannot be read is left out as zeroes, and the rest is taken:
 * the disk of a broken handheld may be like that, and each row is proved.
 */
static enum status
pour(int to, int from)
{
	uint8_t *chunk = calloc(1, COPY_BYTES);
	enum status st = chunk == NULL ? ST_NOMEM : ST_OK;
	off_t at = 0, end = lseek(from, 0, SEEK_END);

	if (st == ST_OK && end < 0)
		st = ST_IO;
	while (st == ST_OK && at < end) {
		size_t want = 4096;
		ssize_t n = pread(from, chunk, COPY_BYTES, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			n = pread(from, chunk, want, at);
			if (n <= 0) {
				if ((off_t)want > end - at)
					want = (size_t)(end - at);
				for (size_t i = 0; i < want; i++)
					chunk[i] = 0;
				n = (ssize_t)want;
			}
		}
		st = write_whole(to, chunk, (size_t)n);
		at += n;
	}
	free(chunk);
	return st;
}

static enum status
copy_file(const char *to, const char *from)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	struct stat sb;
	enum status st;

	if (in < 0)
		return status_of(errno);
	/* A folder has no end that could be reached. */
	if (fstat(in, &sb) != 0 || !S_ISREG(sb.st_mode)) {
		(void)close(in);
		return ST_INVALID;
	}
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	st = out < 0 ? status_of(errno) : pour(out, in);
	if (out >= 0 && close(out) != 0 && st == ST_OK)
		st = ST_IO;
	(void)close(in);
	return st;
}

enum status
recover_copy(char **path, const char *work, const char *file)
{
	char *copy = folder_path(work, "file");
	char *copy_wal = folder_path(work, "file-wal");
	struct buf wal;
	bool made;
	enum status st = ST_OK;

	buf_init(&wal, 8192);
	buf_printf(&wal, "%s-wal", file);
	if (copy == NULL || copy_wal == NULL || buf_cstr(&wal) == NULL)
		st = ST_NOMEM;
	if (st == ST_OK && mkdir(work, 0700) != 0)
		st = errno == EEXIST ? ST_CONFLICT : status_of(errno);
	made = st == ST_OK;
	if (st == ST_OK)
		st = copy_file(copy, file);
	if (st == ST_OK) {
		st = copy_file(copy_wal, (const char *)wal.p);
		st = st == ST_ABSENT ? ST_OK : st;
	}
	buf_free(&wal);
	free(copy_wal);
	if (st != ST_OK) {
		if (made)
			recover_copy_remove(work);
		free(copy);
		return st;
	}
	*path = copy;
	return ST_OK;
}

void
recover_copy_remove(const char *work)
{
	static const char *const names[] = { "file", "file-wal", "file-shm",
		"file-journal" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = folder_path(work, names[i]);

		if (path != NULL)
			(void)unlink(path);
		free(path);
	}
	(void)rmdir(work);
}
