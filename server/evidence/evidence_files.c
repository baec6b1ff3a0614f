/* evidence_files: folders, names and moves that are durable on return. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/enc.h"
#include "server/evidence/evidence_impl.h"

enum { READ_BYTES = 256 << 10 };

enum status
ev_errno(int err)
{
	switch (err) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ST_FULL;
	case ENOMEM:
		return ST_NOMEM;
	case ENOENT:
		return ST_ABSENT;
	case EACCES:
	case EPERM:
	case EROFS:
		return ST_DENIED;
	default:
		return ST_IO;
	}
}

static void
name_of(const struct evidence *ev, const char *folder, const uint8_t *id,
    char out[EV_PATH_MAX])
{
	char hex[2 * UPLOAD_ID_LEN + 1];

	hex_encode(hex, bytes_of(id, UPLOAD_ID_LEN));
	(void)snprintf(out, EV_PATH_MAX, "%s/%s/%s", ev->dir, folder, hex);
}

void
ev_part_path(
    const struct evidence *ev, const uint8_t *id, char out[EV_PATH_MAX])
{
	name_of(ev, "part", id, out);
}

void
ev_apart_path(
    const struct evidence *ev, const uint8_t *id, char out[EV_PATH_MAX])
{
	name_of(ev, "apart", id, out);
}

void
ev_store_path(
    const struct evidence *ev, const uint8_t *digest, char out[EV_PATH_MAX])
{
	char hex[2 * HASH_LEN + 1];

	hex_encode(hex, bytes_of(digest, HASH_LEN));
	(void)snprintf(out, EV_PATH_MAX, "%s/store/%.2s/%s", ev->dir, hex, hex);
}

enum status
ev_sync_parent(const char *path)
{
	char dir[EV_PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path);
	enum status st = ST_OK;
	int fd;

	if (len == 0 || len >= sizeof(dir))
		return ST_LIMIT;
	memcpy(dir, path, len);
	dir[len] = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ev_errno(errno);
	if (fsync(fd) != 0)
		st = ev_errno(errno);
	(void)close(fd);
	return st;
}

/* Make one folder, durable, if it is not there. */
static enum status
make_folder(const char *path)
{
	if (mkdir(path, S_IRWXU) == 0)
		return ev_sync_parent(path);
	return errno == EEXIST ? ST_OK : ev_errno(errno);
}

enum status
ev_make_folders(const struct evidence *ev)
{
	static const char *const names[] = { "", "/store", "/part", "/apart" };
	char path[EV_PATH_MAX];
	enum status st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < 4; i++) {
		(void)snprintf(path, sizeof(path), "%s%s", ev->dir, names[i]);
		st = make_folder(path);
	}
	return st;
}

enum status
ev_stored_size(const struct evidence *ev, const uint8_t *digest, uint64_t *size)
{
	char path[EV_PATH_MAX];
	struct stat sb;

	ev_store_path(ev, digest, path);
	if (stat(path, &sb) != 0)
		return ev_errno(errno);
	*size = (uint64_t)sb.st_size;
	return ST_OK;
}

enum status
ev_unlink(const char *path)
{
	if (unlink(path) != 0)
		return errno == ENOENT ? ST_OK : ev_errno(errno);
	return ev_sync_parent(path);
}

/* What stands under that digest is shorter or longer than it must be: it is
 * not these bytes any more, and good ones are at hand. */
static enum status
replace_damaged(const char *from, const char *to, uint64_t length, bool *was)
{
	struct stat sb;

	if (stat(to, &sb) != 0)
		return ev_errno(errno);
	*was = (uint64_t)sb.st_size == length;
	if (*was)
		return ev_unlink(from);
	return rename(from, to) == 0 ? ST_OK : ev_errno(errno);
}

enum status
ev_part_to_store(const struct evidence *ev, const uint8_t *id,
    const uint8_t *digest, uint64_t length, bool *was_there)
{
	char from[EV_PATH_MAX], to[EV_PATH_MAX], dir[EV_PATH_MAX];
	enum status st;

	*was_there = false;
	ev_part_path(ev, id, from);
	ev_store_path(ev, digest, to);
	memcpy(dir, to, sizeof(dir));
	*strrchr(dir, '/') = '\0';
	st = make_folder(dir);
	if (st != ST_OK)
		return st;
	/* A link, for it never replaces: of two that come at once one is it. */
	if (link(from, to) == 0)
		st = ev_unlink(from);
	else if (errno == EEXIST)
		st = replace_damaged(from, to, length, was_there);
	else if (errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK)
		st = rename(from, to) == 0 ? ST_OK : ev_errno(errno);
	else
		st = ev_errno(errno);
	if (st == ST_OK)
		st = ev_sync_parent(to);
	return st == ST_OK ? ev_sync_parent(from) : st;
}

enum status
ev_part_apart(const struct evidence *ev, const uint8_t *id)
{
	char from[EV_PATH_MAX], to[EV_PATH_MAX];
	enum status st;

	ev_part_path(ev, id, from);
	ev_apart_path(ev, id, to);
	if (rename(from, to) != 0)
		return ev_errno(errno);
	st = ev_sync_parent(to);
	return st == ST_OK ? ev_sync_parent(from) : st;
}

enum status
ev_hash_fd(int fd, uint64_t len, struct sha256_run *sha)
{
	uint8_t *b = malloc(READ_BYTES);
	uint64_t at = 0;
	enum status st = ST_OK;

	if (b == NULL)
		return ST_NOMEM;
	sha256_begin(sha);
	while (at < len && st == ST_OK) {
		size_t want =
		    len - at < READ_BYTES ? (size_t)(len - at) : READ_BYTES;
		ssize_t n = pread(fd, b, want, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			st = n == 0 ? ST_CORRUPT : ev_errno(errno);
			break;
		}
		sha256_more(sha, bytes_of(b, (size_t)n));
		at += (uint64_t)n;
	}
	free(b);
	return st;
}
