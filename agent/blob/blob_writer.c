/* blob_writer: a file hashed and sealed as it comes. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/blob/blob_path.h"
#include "base/sha.h"
#include "crypt/secret.h"

enum { CHUNKS = 8, SPAN = CHUNKS * BLOB_CHUNK };

/* The second thread: hashes one span at a time, while this one seals it. */
struct hasher {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t turn;
	bool runs, busy, leave;
	struct bytes job;
	struct sha256_run sha;
};

struct blob_writer {
	int fd;
	char dir[BLOB_PATH_MAX], part[BLOB_PATH_MAX];
	struct blob_made *made; /* locked memory: it holds the key */
	uint8_t head[BLOB_HEAD_LEN];
	uint64_t number; /* of the next chunk */
	enum status st;  /* the first failure */
	struct hasher h;
	uint8_t *plain[2]; /* one is filled while the other is hashed */
	unsigned cur;
	size_t len; /* in plain[cur] */
	uint8_t *sealed;
};

/* ---- hashing */

static void *
hasher_run(void *arg)
{
	struct hasher *h = arg;

	(void)pthread_mutex_lock(&h->lock);
	for (;;) {
		while (!h->busy && !h->leave)
			(void)pthread_cond_wait(&h->turn, &h->lock);
		if (!h->busy)
			break;
		(void)pthread_mutex_unlock(&h->lock);
		sha256_more(&h->sha, h->job);
		(void)pthread_mutex_lock(&h->lock);
		h->busy = false;
		(void)pthread_cond_signal(&h->turn);
	}
	(void)pthread_mutex_unlock(&h->lock);
	return NULL;
}

static void
hasher_wait(struct hasher *h)
{
	if (!h->runs)
		return;
	(void)pthread_mutex_lock(&h->lock);
	while (h->busy)
		(void)pthread_cond_wait(&h->turn, &h->lock);
	(void)pthread_mutex_unlock(&h->lock);
}

/* Hash `in` on the other thread, or here where there is none to be had.  It
 * must stay as it is until hasher_wait. */
static void
hasher_give(struct hasher *h, struct bytes in)
{
	if (!h->runs)
		h->runs = pthread_create(&h->thread, NULL, hasher_run, h) == 0;
	hasher_wait(h);
	if (!h->runs) {
		sha256_more(&h->sha, in);
		return;
	}
	(void)pthread_mutex_lock(&h->lock);
	h->job = in;
	h->busy = true;
	(void)pthread_cond_signal(&h->turn);
	(void)pthread_mutex_unlock(&h->lock);
}

static void
hasher_end(struct hasher *h)
{
	if (h->runs) {
		hasher_wait(h);
		(void)pthread_mutex_lock(&h->lock);
		h->leave = true;
		(void)pthread_cond_signal(&h->turn);
		(void)pthread_mutex_unlock(&h->lock);
		(void)pthread_join(h->thread, NULL);
		h->runs = false;
	}
	(void)pthread_cond_destroy(&h->turn);
	(void)pthread_mutex_destroy(&h->lock);
}

/* ---- the file */

static enum status
write_all(int fd, const uint8_t *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return blob_errno();
		p += n;
		len -= (size_t)n;
	}
	return ST_OK;
}

static enum status
open_part(struct blob_writer *w, const char *dir)
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
	blob_head(w->head, w->made->id);
	return write_all(w->fd, w->head, sizeof(w->head));
}

enum status
blob_writer_new(
    struct blob_writer **out, const char *dir, const struct port *port)
{
	struct blob_writer *w = calloc(1, sizeof(*w));
	enum status st = ST_NOMEM;

	if (w == NULL)
		return ST_NOMEM;
	w->fd = -1;
	(void)pthread_mutex_init(&w->h.lock, NULL);
	(void)pthread_cond_init(&w->h.turn, NULL);
	sha256_begin(&w->h.sha);
	w->made = secret_new(sizeof(*w->made));
	w->plain[0] = malloc(SPAN);
	w->plain[1] = malloc(SPAN);
	w->sealed = malloc(CHUNKS * BLOB_SEALED_CHUNK);
	if (w->made != NULL && w->plain[0] != NULL && w->plain[1] != NULL &&
	    w->sealed != NULL) {
		port_random(port, w->made->id, BLOB_ID_LEN);
		port_random(port, w->made->key, SEAL_KEY_LEN);
		st = open_part(w, dir);
	}
	if (st != ST_OK) {
		blob_writer_abort(w);
		return st;
	}
	*out = w;
	return ST_OK;
}

/* Hash, seal and write the span at hand; `last`: nothing comes behind it. */
static enum status
flush_span(struct blob_writer *w, bool last)
{
	const uint8_t *p = w->plain[w->cur];
	size_t left = w->len, done = 0;

	hasher_give(&w->h, bytes_of(p, w->len));
	do {
		size_t n = left < BLOB_CHUNK ? left : BLOB_CHUNK;

		left -= n;
		blob_seal(w->sealed + done, w->made->key, w->head, w->number++,
		    last && left == 0, bytes_of(p, n));
		p += n;
		done += n + SEAL_TAG_LEN;
	} while (left > 0);
	w->made->size += w->len;
	w->cur = 1 - w->cur;
	w->len = 0;
	return write_all(w->fd, w->sealed, done);
}

enum status
blob_writer_add(struct blob_writer *w, struct bytes in)
{
	while (in.len > 0 && w->st == ST_OK) {
		size_t n;

		/* Only what has something behind it is not the last. */
		if (w->len == SPAN)
			w->st = w->made->size >= BLOB_SIZE_MAX - SPAN
				    ? ST_LIMIT
				    : flush_span(w, false);
		n = SPAN - w->len < in.len ? SPAN - w->len : in.len;
		memcpy(w->plain[w->cur] + w->len, in.p, n);
		w->len += n;
		in.p += n;
		in.len -= n;
	}
	return w->st;
}

static void
free_writer(struct blob_writer *w)
{
	hasher_end(&w->h);
	if (w->fd >= 0)
		(void)close(w->fd);
	for (int i = 0; i < 2; i++) {
		if (w->plain[i] != NULL)
			sodium_memzero(w->plain[i], SPAN);
		free(w->plain[i]);
	}
	free(w->sealed);
	secret_free(w->made);
	sodium_memzero(&w->h.sha, sizeof(w->h.sha));
	free(w);
}

enum status
blob_writer_end(struct blob_writer *w, struct blob_made *out)
{
	char path[BLOB_PATH_MAX];
	enum status st = w->st;

	if (st == ST_OK)
		st = flush_span(w, true);
	if (st == ST_OK) {
		hasher_wait(&w->h);
		sha256_end(&w->h.sha, w->made->digest);
		st = fsync(w->fd) == 0 ? ST_OK : blob_errno();
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
