/*
 * recover_files: the sealed files of a broken or found handheld
 * (docs/FORMAT.md, "Sealed files").
 *
 * A file is whole or it is not taken: what does not open to the bytes of its
 * digest is evidence of nothing.  It stays on the disk that it came from, which
 * is only read.
 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/enc.h"
#include "chainfile/blobrow.h"
#include "server/upkeep/recover_inner.h"

enum { PATH_LEN = 4096 };

/* A sealed file, opened from its beginning on. */
struct opened {
	const struct log_blob *row;
	int fd;
	uint64_t number;
	uint8_t head[BLOB_HEAD_LEN];
	uint8_t *sealed; /* owned; BLOB_SEALED_CHUNK */
};

/* A sector that cannot be read is no reason to stop: the file is damaged. */
static enum status
read_whole(int fd, uint8_t *out, size_t len)
{
	while (len > 0) {
		ssize_t n = read(fd, out, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ST_CORRUPT;
		out += n;
		len -= (size_t)n;
	}
	return ST_OK;
}

static enum status
next_chunk(void *arg, uint8_t *out, size_t cap, size_t *len)
{
	struct opened *o = arg;
	uint64_t size = o->row->size, count = blob_chunks(size);
	size_t plain;
	enum status st;

	*len = 0;
	if (o->number == count)
		return ST_OK;
	plain = blob_chunk_len(size, o->number);
	if (plain > cap)
		return ST_LIMIT;
	st = read_whole(o->fd, o->sealed, plain + SEAL_TAG_LEN);
	if (st == ST_OK)
		st = blob_open(out, o->row->key, o->head, o->number,
		    o->number + 1 == count,
		    bytes_of(o->sealed, plain + SEAL_TAG_LEN));
	if (st != ST_OK)
		return st;
	o->number++;
	*len = plain;
	return ST_OK;
}

static enum status
open_sealed(struct opened *o, const char *dir)
{
	char path[PATH_LEN], hex[2 * BLOB_ID_LEN + 1];
	uint8_t want[BLOB_HEAD_LEN];
	struct stat sb;

	hex_encode(hex, bytes_of(o->row->id, BLOB_ID_LEN));
	if (snprintf(path, sizeof(path), "%s/%s", dir, hex) >= PATH_LEN)
		return ST_LIMIT;
	o->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (o->fd < 0)
		return errno == ENOENT ? ST_ABSENT : ST_CORRUPT;
	if (fstat(o->fd, &sb) != 0 || !S_ISREG(sb.st_mode))
		return ST_CORRUPT;
	blob_head(want, o->row->id);
	if (read_whole(o->fd, o->head, BLOB_HEAD_LEN) != ST_OK ||
	    memcmp(o->head, want, BLOB_HEAD_LEN) != 0)
		return ST_CORRUPT;
	return ST_OK;
}

static enum status
take_bytes(struct delivery *d, const struct log_blob *row, bool *was_there)
{
	struct opened o = { .row = row, .fd = -1 };
	struct evidence_taking t = { .dev = d->out->dev,
		.size = row->size,
		.read = next_chunk,
		.arg = &o };
	enum status st;

	memcpy(t.digest, row->digest, HASH_LEN);
	o.sealed = malloc(BLOB_SEALED_CHUNK);
	if (o.sealed == NULL)
		return ST_NOMEM;
	st = open_sealed(&o, d->cfg->blobs);
	if (st == ST_OK)
		st = evidence_take(d->cfg->evidence, &t, was_there);
	if (o.fd >= 0)
		(void)close(o.fd);
	free(o.sealed);
	return st;
}

static enum status
take_row(void *arg, const struct log_blob *row)
{
	struct delivery *d = arg;
	struct evidence_status is;
	bool was_there = false;
	enum status st = evidence_status(d->cfg->evidence, row->digest, &is);

	if (st != ST_OK)
		return st;
	/* Nothing is read that is here already, nor that was purged by law. */
	if (is.state == EVIDENCE_STORED || is.state == EVIDENCE_PURGED) {
		d->out->files_there++;
		return ST_OK;
	}
	st = take_bytes(d, row, &was_there);
	if (st == ST_OK && was_there)
		d->out->files_there++;
	else if (st == ST_OK)
		d->out->files++;
	else if (st == ST_ABSENT)
		d->out->files_absent++;
	else if (st == ST_CORRUPT)
		d->out->files_bad++;
	return st == ST_ABSENT || st == ST_CORRUPT ? ST_OK : st;
}

enum status
recover_files(struct delivery *d, struct chainfile *f)
{
	uint64_t lost = 0, done;
	enum status st = evidence_follow(d->cfg->evidence, 0, &done);

	if (st == ST_OK)
		st = blobrow_each(f, take_row, d, &lost);
	d->out->files_bad += lost;
	/* The table itself is torn: the entries are in, the files are not. */
	if (st == ST_CORRUPT) {
		d->out->files_bad++;
		return ST_OK;
	}
	if (st == ST_FULL)
		return recover_say(d, st,
		    "条目已交付；存储已满，文件未能全部取回：腾出空间再运行一"
		    "次",
		    "the entries are delivered; the disk is full and not all "
		    "files came: make room and run it again");
	return st == ST_OK
		   ? st
		   : recover_say(d, st, "未能取回文件", status_text(st));
}
