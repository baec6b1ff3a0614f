/* evidence_copy: stored files copied elsewhere, verified on the way. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/enc.h"
#include "server/evidence/custody.h"
#include "server/evidence/evidence_impl.h"

enum { COPY_BYTES = 256 << 10 };

/* ---- all of them */

struct copy {
	struct evidence *ev;
	const char *to;
	struct evidence_copied *out;
	uint8_t *buf; /* owned */
};

static void
pass_over(void *arg, const char *name)
{
	(void)arg;
	(void)name;
}

/* From one open file to the other, hashed on the way. */
static enum status
copy_bytes(struct copy *c, int from, int to, uint8_t is[HASH_LEN])
{
	struct sha256_run sha;

	sha256_begin(&sha);
	for (;;) {
		ssize_t n = read(from, c->buf, COPY_BYTES), done = 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ev_errno(errno);
		if (n == 0)
			break;
		sha256_more(&sha, bytes_of(c->buf, (size_t)n));
		while (done < n) {
			ssize_t w =
			    write(to, c->buf + done, (size_t)(n - done));

			if (w < 0 && errno == EINTR)
				continue;
			if (w <= 0)
				return w == 0 ? ST_IO : ev_errno(errno);
			done += w;
		}
		c->out->bytes += (uint64_t)n;
	}
	sha256_end(&sha, is);
	return fsync(to) == 0 ? ST_OK : ev_errno(errno);
}

/* Into a file that is not there yet, durable; what a failure leaves is for the
 * caller.  ST_CORRUPT: other bytes than the digest's. */
static enum status
copy_to_part(
    struct copy *c, const uint8_t *digest, const char *from, const char *part)
{
	uint8_t is[HASH_LEN];
	enum status st = ST_OK;
	int in = open(from, O_RDONLY | O_CLOEXEC), out;

	if (in < 0)
		return ev_errno(errno);
	out = open(
	    part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (out < 0)
		st = ev_errno(errno);
	if (st == ST_OK)
		st = copy_bytes(c, in, out, is);
	(void)close(in);
	if (out >= 0)
		(void)close(out);
	if (st == ST_OK && memcmp(is, digest, HASH_LEN) != 0)
		st = ST_CORRUPT;
	return st;
}

static enum status
copy_to(struct copy *c, const uint8_t *digest, const char *from, const char *to)
{
	char part[EV_PATH_MAX + 16];
	enum status st;

	(void)snprintf(part, sizeof(part), "%s.partial", to);
	st = copy_to_part(c, digest, from, part);
	if (st == ST_CORRUPT) {
		c->out->damaged++;
		return ev_unlink(part);
	}
	if (st == ST_OK && rename(part, to) != 0)
		st = ev_errno(errno);
	if (st == ST_OK) {
		c->out->copied++;
		st = ev_sync_parent(to);
	}
	return st;
}

static enum status
make(const char *path)
{
	if (mkdir(path, S_IRWXU) == 0)
		return ev_sync_parent(path);
	return errno == EEXIST ? ST_OK : ev_errno(errno);
}

static enum status
copy_file(void *arg, const uint8_t *digest, const char *path, const char *name)
{
	struct copy *c = arg;
	char to[EV_PATH_MAX];
	struct stat sb, there;
	enum status st;

	(void)snprintf(to, sizeof(to), "%s/%.2s", c->to, name + 6);
	st = make(to);
	if (st != ST_OK)
		return st;
	(void)snprintf(to, sizeof(to), "%s/%s", c->to, name + 6);
	if (stat(path, &sb) != 0)
		return errno == ENOENT ? ST_OK : ev_errno(errno);
	if (stat(to, &there) == 0 && there.st_size == sb.st_size) {
		c->out->there++;
		return ST_OK;
	}
	return copy_to(c, digest, path, to);
}

/* Receipts below `size` that stand, and whose file the copy has not. */
static enum status
count_missing(struct copy *c)
{
	char to[EV_PATH_MAX], hex[2 * HASH_LEN + 1];
	uint8_t digest[HASH_LEN];
	struct db_stmt *s;
	struct stat sb;
	enum status st;

	(void)pthread_mutex_lock(&c->ev->lock);
	st = db_query(&s, c->ev->db,
	    "SELECT digest, max(size) FROM receipt WHERE mismatched = 0"
	    " AND purged = 0 AND place < ?1 GROUP BY digest");
	if (st == ST_OK) {
		db_bind_u64(s, 1, c->out->size);
		while ((st = db_next(s)) == ST_OK) {
			st = db_copy(s, 0, digest, HASH_LEN);
			if (st != ST_OK)
				break;
			hex_encode(hex, bytes_of(digest, HASH_LEN));
			(void)snprintf(
			    to, sizeof(to), "%s/%.2s/%s", c->to, hex, hex);
			c->out->missing += stat(to, &sb) != 0 ||
					   (uint64_t)sb.st_size != db_u64(s, 1);
		}
		db_done(s);
	}
	(void)pthread_mutex_unlock(&c->ev->lock);
	return st == ST_ABSENT ? ST_OK : st;
}

static bool
is_purged(struct evidence *ev, const uint8_t *digest)
{
	struct evidence_status s;

	return evidence_status(ev, digest, &s) == ST_OK &&
	       s.state == EVIDENCE_PURGED;
}

struct leaving {
	struct evidence *ev;
	evidence_left_fn fn;
	void *arg;
};

static enum status
tell_left(void *arg, const uint8_t *digest, const char *path, const char *name)
{
	struct leaving *l = arg;

	(void)path;
	(void)name;
	return is_purged(l->ev, digest) ? l->fn(l->arg, digest) : ST_OK;
}

enum status
evidence_left(
    struct evidence *ev, const char *copy, evidence_left_fn fn, void *arg)
{
	struct leaving l = { ev, fn, arg };

	return ev_each_in(copy, tell_left, pass_over, &l);
}

static enum status
count_left(void *arg, const uint8_t *digest)
{
	struct evidence_copied *out = arg;

	(void)digest;
	out->left++;
	return ST_OK;
}

enum status
evidence_copy(struct evidence *ev, const char *to, struct evidence_copied *out)
{
	struct copy c = { .ev = ev, .to = to, .out = out };
	enum status st;

	memset(out, 0, sizeof(*out));
	out->size = __atomic_load_n(&ev->size, __ATOMIC_RELAXED);
	if (strlen(to) + 128 > EV_PATH_MAX)
		return ST_LIMIT;
	c.buf = malloc(COPY_BYTES);
	if (c.buf == NULL)
		return ST_NOMEM;
	st = make(to);
	if (st == ST_OK)
		st = ev_each_file(ev, copy_file, pass_over, &c);
	if (st == ST_OK)
		st = count_missing(&c);
	if (st == ST_OK)
		st = evidence_left(ev, to, count_left, out);
	free(c.buf);
	return st;
}

/* ---- and back */

static enum status
bring_file(void *arg, const uint8_t *digest, const char *path, const char *name)
{
	struct copy *c = arg;
	char part[EV_PATH_MAX];
	uint8_t id[UPLOAD_ID_LEN];
	bool was_there = false;
	struct stat sb;
	uint64_t size;
	enum status st;

	(void)name;
	if (is_purged(c->ev, digest)) {
		c->out->left++;
		return ST_OK;
	}
	if (stat(path, &sb) != 0)
		return ev_errno(errno);
	if (ev_stored_size(c->ev, digest, &size) == ST_OK &&
	    size == (uint64_t)sb.st_size) {
		c->out->there++;
		return ST_OK;
	}
	port_random(c->ev->cfg.port, id, sizeof(id));
	ev_part_path(c->ev, id, part);
	st = copy_to_part(c, digest, path, part);
	if (st == ST_OK)
		st = ev_taken(ev_part_to_store(
		    c->ev, id, digest, (uint64_t)sb.st_size, &was_there));
	if (st == ST_OK)
		c->out->copied++;
	else
		(void)unlink(part);
	if (st != ST_CORRUPT)
		return st;
	c->out->damaged++;
	return ST_OK;
}

enum status
evidence_bring(
    struct evidence *ev, const char *from, struct evidence_copied *out)
{
	struct copy c = { .ev = ev, .to = ev->dir, .out = out };
	enum status st;

	memset(out, 0, sizeof(*out));
	if (strlen(from) + 128 > EV_PATH_MAX)
		return ST_LIMIT;
	c.buf = malloc(COPY_BYTES);
	if (c.buf == NULL)
		return ST_NOMEM;
	st = ev_make_folders(ev);
	if (st == ST_OK)
		st = ev_each_in(from, bring_file, pass_over, &c);
	free(c.buf);
	return st;
}

/* ---- one of them, for somebody */

/* Under its name only if nothing else stands there. */
static enum status
name_it(const char *part, const char *to)
{
	if (link(part, to) == 0)
		return ev_unlink(part);
	if (errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK)
		return errno == EEXIST ? ST_CONFLICT : ev_errno(errno);
	/* A file system without links: a name that came meanwhile is lost. */
	return rename(part, to) == 0 ? ST_OK : ev_errno(errno);
}

/* The log has said it; now the bytes. */
static enum status
hand_out(struct evidence *ev, const uint8_t *digest, const char *to,
    struct evidence_copied *done)
{
	char from[EV_PATH_MAX], part[EV_PATH_MAX + 16];
	struct copy c = { .ev = ev, .to = to, .out = done };
	enum status st;

	c.buf = malloc(COPY_BYTES);
	if (c.buf == NULL)
		return ST_NOMEM;
	ev_store_path(ev, digest, from);
	(void)snprintf(part, sizeof(part), "%s.partial", to);
	st = copy_to_part(&c, digest, from, part);
	if (st == ST_OK)
		st = name_it(part, to);
	if (st != ST_OK)
		(void)unlink(part);
	free(c.buf);
	return st == ST_OK ? ev_sync_parent(to) : st;
}

enum status
custody_copy(struct evidence *ev, const uint8_t digest[HASH_LEN],
    const struct custody_copying *how, uint64_t *bytes)
{
	char path[EV_PATH_MAX], range[64];
	struct evidence_copied done = { .copied = 0 };
	uint64_t size;
	struct stat sb;
	enum status st;

	*bytes = 0;
	/* Relative names want a folder for ev_sync_parent. */
	if (strlen(how->to) + 128 > EV_PATH_MAX)
		return ST_LIMIT;
	(void)snprintf(path, sizeof(path), "%s%s",
	    strchr(how->to, '/') == NULL ? "./" : "", how->to);
	if (lstat(path, &sb) == 0)
		return ST_CONFLICT;
	st = ev_stored_size(ev, digest, &size);
	if (st != ST_OK)
		return st;
	(void)snprintf(
	    range, sizeof(range), "0-%llu", (unsigned long long)size);
	st = custody_note(ev, digest, true, how->who, range, how->reason);
	if (st == ST_OK)
		st = hand_out(ev, digest, path, &done);
	*bytes = done.bytes;
	return st;
}
