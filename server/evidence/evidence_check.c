/* evidence_check: every stored file hashed again. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/enc.h"
#include "server/evidence/evidence_impl.h"

/* ---- each file of the store, by folder and name */

static enum status
each_of(const char *dir, const char *folder, ev_file_fn fn, ev_odd_fn odd,
    void *arg)
{
	char path[EV_PATH_MAX + 1024], name[1024];
	uint8_t digest[HASH_LEN];
	enum status st = ST_OK;
	struct dirent *d;
	DIR *at;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, folder);
	at = opendir(path);
	if (at == NULL)
		return ev_errno(errno);
	while (st == ST_OK && (d = readdir(at)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		(void)snprintf(
		    name, sizeof(name), "store/%s/%s", folder, d->d_name);
		(void)snprintf(
		    path, sizeof(path), "%s/%s/%s", dir, folder, d->d_name);
		if (hex_decode(digest, HASH_LEN, bytes_str(d->d_name)) !=
			ST_OK ||
		    strncmp(d->d_name, folder, 2) != 0)
			odd(arg, name);
		else
			st = fn(arg, digest, path, name);
	}
	(void)closedir(at);
	return st;
}

enum status
ev_each_in(const char *dir, ev_file_fn fn, ev_odd_fn odd, void *arg)
{
	char name[1024];
	enum status st = ST_OK;
	struct dirent *d;
	DIR *at = opendir(dir);

	if (at == NULL)
		return ev_errno(errno);
	while (st == ST_OK && (d = readdir(at)) != NULL) {
		uint8_t byte[1];

		if (d->d_name[0] == '.')
			continue;
		(void)snprintf(name, sizeof(name), "store/%s", d->d_name);
		if (hex_decode(byte, 1, bytes_str(d->d_name)) != ST_OK)
			odd(arg, name);
		else
			st = each_of(dir, d->d_name, fn, odd, arg);
	}
	(void)closedir(at);
	return st;
}

enum status
ev_each_file(struct evidence *ev, ev_file_fn fn, ev_odd_fn odd, void *arg)
{
	char path[EV_PATH_MAX];
	enum status st;

	(void)snprintf(path, sizeof(path), "%s/store", ev->dir);
	st = ev_each_in(path, fn, odd, arg);
	/* A court that never took one has none. */
	return st == ST_ABSENT ? ST_OK : st;
}

/* ---- check */

struct check {
	struct evidence *ev;
	evidence_fault_fn fn;
	void *arg;
	struct evidence_checked *out;
};

static void
odd(void *arg, const char *name)
{
	struct check *k = arg;

	k->fn(k->arg, EVIDENCE_STRANGER, name);
}

static enum status
count_rows(
    struct evidence *ev, const char *sql, const uint8_t *digest, int64_t *count)
{
	struct db_stmt *s;
	enum status st;

	*count = 0;
	(void)pthread_mutex_lock(&ev->lock);
	st = db_query(&s, ev->db, sql);
	if (st == ST_OK) {
		db_bind_bytes(s, 1, bytes_of(digest, HASH_LEN));
		st = db_next(s);
		if (st == ST_OK)
			*count = db_i64(s, 0);
		db_done(s);
	}
	(void)pthread_mutex_unlock(&ev->lock);
	return st;
}

/* What the log has to say of a file that is there. */
static enum status
check_log(struct check *k, const uint8_t *digest, const char *name)
{
	int64_t standing, purged, named;
	enum status st = count_rows(k->ev,
	    "SELECT count(*) FROM receipt WHERE digest = ?1"
	    " AND mismatched = 0 AND purged = 0",
	    digest, &standing);

	if (st == ST_OK)
		st = count_rows(k->ev,
		    "SELECT count(*) FROM receipt WHERE digest = ?1"
		    " AND mismatched = 0 AND purged = 1",
		    digest, &purged);
	if (st == ST_OK)
		st = count_rows(k->ev,
		    "SELECT count(*) FROM named WHERE digest = ?1", digest,
		    &named);
	if (st != ST_OK)
		return st;
	if (standing == 0 && purged > 0)
		k->fn(k->arg, EVIDENCE_LEFT, name);
	else if (standing == 0 || named == 0)
		k->fn(k->arg, EVIDENCE_ORPHAN, name);
	return ST_OK;
}

static enum status
check_file(void *arg, const uint8_t *digest, const char *path, const char *name)
{
	struct check *k = arg;
	struct sha256_run sha;
	uint8_t is[HASH_LEN];
	struct stat sb;
	enum status st = ST_IO;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	k->out->files++;
	if (fd >= 0 && fstat(fd, &sb) == 0) {
		k->out->bytes += (uint64_t)sb.st_size;
		st = ev_hash_fd(fd, (uint64_t)sb.st_size, &sha);
	}
	if (fd >= 0)
		(void)close(fd);
	if (st == ST_NOMEM)
		return st;
	if (st != ST_OK) {
		k->fn(k->arg, EVIDENCE_UNREADABLE, name);
		return ST_OK;
	}
	sha256_end(&sha, is);
	if (memcmp(is, digest, HASH_LEN) != 0)
		k->fn(k->arg, EVIDENCE_DAMAGED, name);
	return check_log(k, digest, name);
}

/* Receipts that stand, without their file. */
static enum status
check_gone(struct check *k)
{
	char hex[2 * HASH_LEN + 1], name[80];
	uint8_t digest[HASH_LEN];
	struct db_stmt *s;
	uint64_t size;
	enum status st;

	(void)pthread_mutex_lock(&k->ev->lock);
	st = db_query(&s, k->ev->db,
	    "SELECT DISTINCT digest FROM receipt WHERE mismatched = 0"
	    " AND purged = 0");
	if (st == ST_OK) {
		while ((st = db_next(s)) == ST_OK) {
			st = db_copy(s, 0, digest, HASH_LEN);
			if (st != ST_OK)
				break;
			if (ev_stored_size(k->ev, digest, &size) == ST_OK)
				continue;
			hex_encode(hex, bytes_of(digest, HASH_LEN));
			(void)snprintf(
			    name, sizeof(name), "store/%.2s/%s", hex, hex);
			k->fn(k->arg, EVIDENCE_GONE, name);
		}
		db_done(s);
	}
	(void)pthread_mutex_unlock(&k->ev->lock);
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
evidence_check(struct evidence *ev, evidence_fault_fn fn, void *arg,
    struct evidence_checked *out)
{
	struct check k = { .ev = ev, .fn = fn, .arg = arg, .out = out };
	enum status st;

	memset(out, 0, sizeof(*out));
	st = ev_each_file(ev, check_file, odd, &k);
	return st == ST_OK ? check_gone(&k) : st;
}
