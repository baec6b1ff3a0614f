/* blob_writer: a file hashed and sealed as it comes. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/blob/blob_hand.h"
#include "agent/blob/blob_path.h"
#include "base/sha.h"
#include "crypt/secret.h"

/*
 * Three pairs of hands: the owner's thread seals, a second one hashes, a third
 * one writes.  Copying what is sealed into the page cache would cost the owner
 * nearly as much as sealing it, so a file that comes as fast as it is taken is
 * written past that cache (O_DIRECT) where the file system can: from memory
 * and at places that are whole sectors, but for the end of the file.
 */
enum {
	SPAN = 8 * BLOB_CHUNK, /* gathered before it is sealed */
	LENT_MAX = BLOB_PIECE, /* sealed at once where the caller has it */
	SECTOR = 4096,
	WRITE_LEN = 2 << 20, /* the fewer writes, the fewer pauses */
	OUT_LEN =
	    (WRITE_LEN + 40 * BLOB_SEALED_CHUNK + 2 * SECTOR) / SECTOR * SECTOR
};

_Static_assert((SPAN + LENT_MAX) / BLOB_CHUNK == 40, "out");
_Static_assert((int)BLOB_HEAD_LEN < (int)SECTOR, "head");

struct blob_writer {
	int fd;
	bool direct; /* past the page cache; of the writing hand */
	char dir[BLOB_PATH_MAX], part[BLOB_PATH_MAX];
	struct blob_made *made; /* locked memory: it holds the key */
	uint8_t head[BLOB_HEAD_LEN];
	uint64_t number; /* of the next chunk */
	enum status st;  /* the first failure */

	struct blob_hand hasher;
	struct sha256_run sha;
	struct bytes hashed[2]; /* what the hasher has in hand */
	uint8_t *plain[2];      /* one is filled while the other is hashed */
	unsigned cur;
	size_t len; /* in plain[cur] */

	struct blob_hand disk;
	struct bytes written;   /* what the disk has in hand */
	enum status written_st; /* its first failure; read when it is done */
	uint8_t *out[2];        /* one is sealed into, the other written */
	unsigned out_cur;
	size_t out_len; /* in out[out_cur] */
};

static void
hash_job(void *arg)
{
	struct blob_writer *w = arg;

	sha256_more(&w->sha, w->hashed[0]);
	sha256_more(&w->sha, w->hashed[1]);
}

/* ---- the file */

static void
set_direct(struct blob_writer *w, bool direct)
{
	int flags = fcntl(w->fd, F_GETFL);

	w->direct = flags >= 0 &&
		    fcntl(w->fd, F_SETFL,
			direct ? flags | O_DIRECT : flags & ~O_DIRECT) == 0 &&
		    direct;
}

static enum status
write_all(struct blob_writer *w, struct bytes in)
{
	while (in.len > 0) {
		ssize_t n = write(w->fd, in.p, in.len);

		if (n < 0 && errno == EINTR)
			continue;
		/* This disk wants larger sectors, or it took a part of one:
		 * the ordinary way can do all that. */
		if (w->direct && (n < 0 ? errno == EINVAL : n % SECTOR != 0)) {
			set_direct(w, false);
			n = n < 0 ? 0 : n;
		}
		if (n < 0)
			return blob_errno();
		in.p += n;
		in.len -= (size_t)n;
	}
	return ST_OK;
}

static void
write_job(void *arg)
{
	struct blob_writer *w = arg;

	if (w->written_st == ST_OK)
		w->written_st = write_all(w, w->written);
}

/* Have the whole sectors of `out` written; the rest begins the next. */
static enum status
give_out(struct blob_writer *w)
{
	size_t whole = w->out_len / SECTOR * SECTOR;
	uint8_t *from = w->out[w->out_cur], *to = w->out[1 - w->out_cur];

	blob_hand_wait(&w->disk);
	if (w->written_st != ST_OK)
		return w->written_st;
	memcpy(to, from + whole, w->out_len - whole);
	w->written = bytes_of(from, whole);
	blob_hand_give(&w->disk, write_job, w);
	w->out_cur = 1 - w->out_cur;
	w->out_len -= whole;
	return ST_OK;
}

/* All that is left, and it is on the disk. */
static enum status
end_out(struct blob_writer *w)
{
	enum status st = give_out(w);

	blob_hand_wait(&w->disk);
	if (st == ST_OK)
		st = w->written_st;
	if (st != ST_OK)
		return st;
	if (w->direct)
		set_direct(w, false);
	st = write_all(w, bytes_of(w->out[w->out_cur], w->out_len));
	if (st == ST_OK && fsync(w->fd) != 0)
		st = blob_errno();
	return st;
}

static enum status
open_part(struct blob_writer *w, const char *dir, bool bulk)
{
	enum status st;

	if (snprintf(w->dir, sizeof(w->dir), "%s", dir) >= BLOB_PATH_MAX)
		return ST_LIMIT;
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return blob_errno();
	st = blob_path(w->part, dir, w->made->id, ".part");
	if (st != ST_OK)
		return st;
	w->fd = open(w->part,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (w->fd < 0)
		return blob_errno();
	if (bulk)
		set_direct(w, true);
	blob_head(w->head, w->made->id);
	memcpy(w->out[0], w->head, sizeof(w->head));
	w->out_len = sizeof(w->head);
	return ST_OK;
}

enum status
blob_writer_new(struct blob_writer **out, const char *dir, bool bulk,
    const struct port *port)
{
	struct blob_writer *w = calloc(1, sizeof(*w));
	enum status st = ST_NOMEM;
	bool room;

	if (w == NULL)
		return ST_NOMEM;
	w->fd = -1;
	blob_hand_init(&w->hasher);
	blob_hand_init(&w->disk);
	sha256_begin(&w->sha);
	w->made = secret_new(sizeof(*w->made));
	room = w->made != NULL;
	for (int i = 0; room && i < 2; i++) {
		w->plain[i] = malloc(SPAN);
		w->out[i] = aligned_alloc(SECTOR, OUT_LEN);
		room = w->plain[i] != NULL && w->out[i] != NULL;
	}
	if (room) {
		port_random(port, w->made->id, BLOB_ID_LEN);
		port_random(port, w->made->key, SEAL_KEY_LEN);
		st = open_part(w, dir, bulk);
	}
	if (st != ST_OK) {
		blob_writer_abort(w);
		return st;
	}
	*out = w;
	return ST_OK;
}

static void
seal_chunks(struct blob_writer *w, struct bytes in, bool last)
{
	do {
		size_t n = in.len < BLOB_CHUNK ? in.len : BLOB_CHUNK;

		blob_seal(w->out[w->out_cur] + w->out_len, w->made->key,
		    w->head, w->number++, last && in.len == n,
		    bytes_of(in.p, n));
		in.p += n;
		in.len -= n;
		w->out_len += n + SEAL_TAG_LEN;
	} while (in.len > 0);
}

/*
 * Hash, seal and write what was gathered, then `lent`; `last`: nothing comes
 * behind it.  What stands before something else is whole chunks.  The hasher
 * has both in hand until blob_hand_wait.
 */
static enum status
put(struct blob_writer *w, struct bytes lent, bool last)
{
	struct bytes own = bytes_of(w->plain[w->cur], w->len);

	if (!last && w->made->size >= BLOB_SIZE_MAX - SPAN - LENT_MAX)
		return ST_LIMIT;
	blob_hand_wait(&w->hasher);
	w->hashed[0] = own;
	w->hashed[1] = lent;
	blob_hand_give(&w->hasher, hash_job, w);
	if (own.len > 0 || last)
		seal_chunks(w, own, last);
	if (lent.len > 0)
		seal_chunks(w, lent, false);
	w->made->size += own.len + lent.len;
	w->cur = 1 - w->cur;
	w->len = 0;
	if (last)
		return end_out(w);
	return w->out_len >= WRITE_LEN ? give_out(w) : ST_OK;
}

static void
gather(struct blob_writer *w, struct bytes *in, size_t most)
{
	size_t n = most < in->len ? most : in->len;

	memcpy(w->plain[w->cur] + w->len, in->p, n);
	w->len += n;
	in->p += n;
	in->len -= n;
}

/* A large piece need not be copied: what was gathered is filled up to a whole
 * chunk, and all but the end of the piece is sealed where it stands.  Only what
 * has something behind it is not the last. */
static enum status
put_piece(struct blob_writer *w, struct bytes *in)
{
	struct bytes lent;

	gather(w, in, (BLOB_CHUNK - w->len % BLOB_CHUNK) % BLOB_CHUNK);
	lent = bytes_of(in->p, (in->len - 1) / BLOB_CHUNK * BLOB_CHUNK);
	if (lent.len > LENT_MAX)
		lent.len = LENT_MAX;
	in->p += lent.len;
	in->len -= lent.len;
	return put(w, lent, false);
}

enum status
blob_writer_add(struct blob_writer *w, struct bytes in)
{
	bool lent = false;

	while (in.len > 0 && w->st == ST_OK) {
		if (in.len >= SPAN) {
			w->st = put_piece(w, &in);
			lent = true;
		} else if (w->len == SPAN) {
			w->st = put(w, bytes_of(NULL, 0), false);
		} else {
			gather(w, &in, SPAN - w->len);
		}
	}
	if (lent)
		blob_hand_wait(&w->hasher);
	return w->st;
}

static void
free_writer(struct blob_writer *w)
{
	blob_hand_end(&w->hasher);
	blob_hand_end(&w->disk);
	if (w->fd >= 0)
		(void)close(w->fd);
	for (int i = 0; i < 2; i++) {
		if (w->plain[i] != NULL)
			sodium_memzero(w->plain[i], SPAN);
		free(w->plain[i]);
		free(w->out[i]);
	}
	secret_free(w->made);
	sodium_memzero(&w->sha, sizeof(w->sha));
	free(w);
}

enum status
blob_writer_end(struct blob_writer *w, struct blob_made *out)
{
	char path[BLOB_PATH_MAX];
	enum status st = w->st;

	if (st == ST_OK)
		st = put(w, bytes_of(NULL, 0), true);
	if (st == ST_OK) {
		blob_hand_wait(&w->hasher);
		sha256_end(&w->sha, w->made->digest);
	}
	if (st == ST_OK)
		st = blob_path(path, w->dir, w->made->id, "");
	if (st == ST_OK && rename(w->part, path) != 0)
		st = blob_errno();
	if (st != ST_OK) {
		blob_writer_abort(w);
		return st;
	}
	*out = *w->made;
	st = blob_dir_sync(w->dir);
	free_writer(w);
	return st;
}

void
blob_writer_abort(struct blob_writer *w)
{
	if (w == NULL)
		return;
	if (w->fd >= 0)
		(void)unlink(w->part);
	free_writer(w);
}
