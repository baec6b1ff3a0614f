/* blob_reader: bytes of a sealed file from anywhere, a chunk at a time. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/blob/blob_path.h"
#include "crypt/secret.h"

struct blob_reader {
	int fd;
	uint64_t size;
	uint8_t head[BLOB_HEAD_LEN];
	uint8_t *key; /* locked memory */
	bool has;     /* `plain` holds chunk `number` */
	uint64_t number;
	uint8_t plain[BLOB_CHUNK], sealed[BLOB_SEALED_CHUNK];
};

void
blob_reader_close(struct blob_reader *r)
{
	if (r == NULL)
		return;
	if (r->fd >= 0)
		(void)close(r->fd);
	secret_free(r->key);
	sodium_memzero(r->plain, sizeof(r->plain));
	free(r);
}

/* Exactly `len` bytes; ST_CORRUPT if the file ends before. */
static enum status
read_at(int fd, uint8_t *out, size_t len, uint64_t off)
{
	while (len > 0) {
		ssize_t n = pread(fd, out, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ST_IO;
		if (n == 0)
			return ST_CORRUPT;
		out += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return ST_OK;
}

static enum status
check_file(struct blob_reader *r, const uint8_t id[BLOB_ID_LEN])
{
	uint8_t want[BLOB_HEAD_LEN];
	struct stat sb;
	enum status st;

	if (fstat(r->fd, &sb) != 0)
		return ST_IO;
	if ((uint64_t)sb.st_size != blob_sealed_size(r->size))
		return ST_CORRUPT;
	st = read_at(r->fd, r->head, BLOB_HEAD_LEN, 0);
	blob_head(want, id);
	if (st == ST_OK && memcmp(want, r->head, BLOB_HEAD_LEN) != 0)
		st = ST_CORRUPT;
	return st;
}

enum status
blob_reader_open(struct blob_reader **out, const char *dir,
    const uint8_t id[BLOB_ID_LEN], const uint8_t key[SEAL_KEY_LEN],
    uint64_t size)
{
	char path[BLOB_PATH_MAX];
	struct blob_reader *r;
	enum status st = blob_path(path, dir, id, "");

	if (st != ST_OK)
		return st;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return ST_NOMEM;
	r->size = size;
	r->key = secret_new(SEAL_KEY_LEN);
	r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (r->key == NULL)
		st = ST_NOMEM;
	else if (r->fd < 0)
		st = blob_errno();
	else
		st = check_file(r, id);
	if (st != ST_OK) {
		blob_reader_close(r);
		return st;
	}
	memcpy(r->key, key, SEAL_KEY_LEN);
	*out = r;
	return ST_OK;
}

static enum status
load(struct blob_reader *r, uint64_t number)
{
	size_t len = blob_chunk_len(r->size, number) + SEAL_TAG_LEN;
	enum status st;

	if (r->has && r->number == number)
		return ST_OK;
	r->has = false;
	st = read_at(r->fd, r->sealed, len, blob_chunk_at(number));
	if (st == ST_OK)
		st = blob_open(r->plain, r->key, r->head, number,
		    number + 1 == blob_chunks(r->size),
		    bytes_of(r->sealed, len));
	r->has = st == ST_OK;
	r->number = number;
	return st;
}

enum status
blob_reader_read(
    struct blob_reader *r, uint64_t off, uint8_t *out, size_t len, size_t *got)
{
	*got = 0;
	/* An empty file has a chunk too, which must open. */
	if (r->size == 0)
		return load(r, 0);
	while (len > 0 && off < r->size) {
		uint64_t number = off / BLOB_CHUNK;
		size_t from = (size_t)(off % BLOB_CHUNK), n;
		enum status st = load(r, number);

		if (st != ST_OK)
			return st;
		n = blob_chunk_len(r->size, number) - from;
		n = n < len ? n : len;
		memcpy(out, r->plain + from, n);
		out += n;
		off += n;
		len -= n;
		*got += n;
	}
	return ST_OK;
}
