/* blob_folder: names in the folder of sealed files, and what is swept. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/blob/blob_path.h"
#include "base/enc.h"

enum status
blob_path(char out[BLOB_PATH_MAX], const char *dir,
    const uint8_t id[BLOB_ID_LEN], const char *suffix)
{
	char name[BLOB_NAME_LEN + 1];
	int n;

	hex_encode(name, bytes_of(id, BLOB_ID_LEN));
	n = snprintf(out, BLOB_PATH_MAX, "%s/%s%s", dir, name, suffix);
	return n > 0 && n < BLOB_PATH_MAX ? ST_OK : ST_LIMIT;
}

enum status
blob_errno(void)
{
	switch (errno) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ST_FULL;
	case ENOENT:
		return ST_ABSENT;
	case ENOMEM:
		return ST_NOMEM;
	default:
		return ST_IO;
	}
}

enum status
blob_dir_sync(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum status st;

	if (fd < 0)
		return blob_errno();
	st = fsync(fd) == 0 ? ST_OK : blob_errno();
	(void)close(fd);
	return st;
}

enum status
blob_remove(const char *dir, const uint8_t id[BLOB_ID_LEN])
{
	char path[BLOB_PATH_MAX];
	enum status st = blob_path(path, dir, id, "");

	if (st != ST_OK)
		return st;
	if (unlink(path) != 0)
		return errno == ENOENT ? ST_OK : blob_errno();
	return blob_dir_sync(dir);
}

bool
blob_there(const char *dir, const uint8_t id[BLOB_ID_LEN])
{
	char path[BLOB_PATH_MAX];

	return blob_path(path, dir, id, "") == ST_OK && access(path, F_OK) == 0;
}

/* A name of ours, whole or with ".part" behind it: is it to go? */
static bool
to_be_swept(const char *name, blob_known *known, void *arg)
{
	uint8_t id[BLOB_ID_LEN];
	size_t len = strlen(name);

	if (len < BLOB_NAME_LEN ||
	    hex_decode(id, sizeof(id), bytes_of(name, BLOB_NAME_LEN)) != ST_OK)
		return false;
	if (strcmp(name + BLOB_NAME_LEN, ".part") == 0)
		return true;
	return len == BLOB_NAME_LEN && !known(arg, id);
}

enum status
blob_sweep(const char *dir, blob_known *known, void *arg, uint64_t *swept)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	enum status st = ST_OK;

	*swept = 0;
	if (d == NULL)
		return errno == ENOENT ? ST_OK : blob_errno();
	while (st == ST_OK && (e = readdir(d)) != NULL) {
		if (!to_be_swept(e->d_name, known, arg))
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) != 0)
			st = blob_errno();
		else
			(*swept)++;
	}
	(void)closedir(d);
	return st == ST_OK && *swept > 0 ? blob_dir_sync(dir) : st;
}
