/* evidence_take: a file that comes by hand becomes a stored one. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/evidence/evidence_impl.h"

static enum status
write_all(int fd, const uint8_t *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? ST_IO : ev_errno(errno);
		p += n;
		len -= (size_t)n;
	}
	return ST_OK;
}

/* All of it into the part, durable, and the digest is right. */
static enum status
pour(const struct evidence_taking *t, int fd)
{
	uint8_t *piece = malloc(UPLOAD_CHUNK), is[HASH_LEN];
	enum status st = piece == NULL ? ST_NOMEM : ST_OK;
	struct sha256_run sha;
	uint64_t size = 0;
	size_t len = 1;

	sha256_begin(&sha);
	while (st == ST_OK && len > 0) {
		st = t->read(t->arg, piece, UPLOAD_CHUNK, &len);
		if (st == ST_OK && len > 0) {
			sha256_more(&sha, bytes_of(piece, len));
			size += len;
			st = size > t->size ? ST_CORRUPT
					    : write_all(fd, piece, len);
		}
	}
	free(piece);
	sha256_end(&sha, is);
	if (st == ST_OK &&
	    (size != t->size || memcmp(is, t->digest, HASH_LEN) != 0))
		return ST_CORRUPT;
	return st == ST_OK && fsync(fd) != 0 ? ev_errno(errno) : st;
}

enum status
evidence_take(
    struct evidence *ev, const struct evidence_taking *t, bool *was_there)
{
	char path[EV_PATH_MAX];
	uint8_t id[UPLOAD_ID_LEN];
	uint64_t size = 0;
	enum status st = ev_make_folders(ev);
	int fd;

	*was_there = false;
	if (st != ST_OK)
		return st;
	if (ev_stored_size(ev, t->digest, &size) == ST_OK && size == t->size) {
		*was_there = true;
		return ev_log_stored(ev, t->dev, t->digest, t->size);
	}
	port_random(ev->cfg.port, id, sizeof(id));
	ev_part_path(ev, id, path);
	fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0)
		return ev_errno(errno);
	st = pour(t, fd);
	if (close(fd) != 0 && st == ST_OK)
		st = ev_errno(errno);
	if (st == ST_OK)
		st = ev_taken(
		    ev_part_to_store(ev, id, t->digest, t->size, was_there));
	if (st != ST_OK)
		(void)unlink(path);
	return st == ST_OK ? ev_log_stored(ev, t->dev, t->digest, t->size) : st;
}
