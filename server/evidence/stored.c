/* stored: bytes of a stored file, read on the evidence room's threads. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/evidence/custody.h"
#include "server/evidence/evidence_impl.h"

struct stored_file {
	struct ev_job job; /* first */
	struct evidence *ev;
	int fd;
	uint64_t at;
	size_t want;
	stored_fn fn;
	void *arg;
	uint8_t piece[UPLOAD_CHUNK];
};

enum status
stored_open(struct stored_file **out, struct evidence *ev,
    const uint8_t digest[HASH_LEN], uint64_t *size)
{
	char path[EV_PATH_MAX];
	struct stored_file *f;
	struct stat sb;

	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return ST_NOMEM;
	ev_store_path(ev, digest, path);
	f->ev = ev;
	f->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (f->fd < 0 || fstat(f->fd, &sb) != 0) {
		enum status st = ev_errno(errno);

		stored_close(f);
		return st;
	}
	*size = (uint64_t)sb.st_size;
	*out = f;
	return ST_OK;
}

void
stored_close(struct stored_file *f)
{
	if (f == NULL)
		return;
	if (f->fd >= 0)
		(void)close(f->fd);
	free(f);
}

static ssize_t
read_at(int fd, void *out, size_t len, uint64_t at)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(
		    fd, (uint8_t *)out + got, len - got, (off_t)(at + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

enum status
stored_peek(struct stored_file *f, void *out, size_t max, size_t *len)
{
	ssize_t n = read_at(f->fd, out, max, 0);

	if (n < 0)
		return ev_errno(errno);
	*len = (size_t)n;
	return ST_OK;
}

static void
work(struct ev_job *job)
{
	struct stored_file *f = (struct stored_file *)job;
	ssize_t n = read_at(f->fd, f->piece, f->want, f->at);

	/* Shorter than it was: what was promised cannot be kept. */
	f->fn(f->arg,
	    bytes_of(f->piece, n == (ssize_t)f->want ? f->want : (size_t)0));
}

void
stored_read(
    struct stored_file *f, uint64_t at, uint64_t max, stored_fn fn, void *arg)
{
	f->at = at;
	f->want = max < UPLOAD_CHUNK ? (size_t)max : UPLOAD_CHUNK;
	f->fn = fn;
	f->arg = arg;
	f->job.fn = work;
	ev_submit(f->ev, &f->job);
}
