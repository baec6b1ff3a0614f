/*
 * log_space: a disk that is filling up.
 *
 * Beside the file lies a reserve of a few MiB of random bytes.  When an append
 * meets a full disk the reserve is removed and the append tried again: the
 * officer's entries of the next hours have room, and the screen has reason to
 * shout.  Nothing else may spend it.
 */
#include "agent/log/log.h"

#include <stdio.h>

#include "agent/log/log_inner.h"

enum { PATH_MAX_LEN = 4096 };

/* The reserve's path; false where there is none. */
static bool
reserve_path(const struct log *l, char out[PATH_MAX_LEN])
{
	int n;

	if (l->path == NULL || l->no_reserve)
		return false;
	n = snprintf(out, PATH_MAX_LEN, "%s.reserve", l->path);
	return n > 0 && n < PATH_MAX_LEN;
}

static bool
reserve_there(const struct log *l, const char *path)
{
	struct buf b;
	bool there;

	/* Only whether it is there: one that is longer than this is. */
	buf_init(&b, 1);
	there = port_read_file(l->port, path, &b) == ST_LIMIT;
	buf_free(&b);
	return there;
}

bool
log_reserve_spend(struct log *l)
{
	char path[PATH_MAX_LEN];

	if (l->reserve_spent || !reserve_path(l, path))
		return false;
	l->reserve_spent = true;
	if (!reserve_there(l, path))
		return false;
	return port_remove_file(l->port, path) == ST_OK;
}

void
log_reserve_put(struct log *l)
{
	char path[PATH_MAX_LEN];
	uint64_t free_bytes;
	uint8_t *p;
	struct buf b;

	if (!reserve_path(l, path))
		return;
	if (reserve_there(l, path)) {
		l->reserve_spent = false;
		return;
	}
	l->reserve_spent = true;
	if (port_disk_free(l->port, l->path, &free_bytes) == ST_OK &&
	    free_bytes < 4 * (uint64_t)LOG_RESERVE_BYTES)
		return;
	/* Random: a disk that packs zeroes would keep nothing back. */
	buf_init(&b, LOG_RESERVE_BYTES);
	p = buf_extend(&b, LOG_RESERVE_BYTES);
	if (p != NULL) {
		port_random(l->port, p, LOG_RESERVE_BYTES);
		if (port_write_file(l->port, path, buf_view(&b), true) == ST_OK)
			l->reserve_spent = false;
	}
	buf_free(&b);
}

enum status
log_space(struct log *l, struct log_space *out)
{
	struct log_space s = { .free_bytes = UINT64_MAX };
	char path[PATH_MAX_LEN];
	uint64_t pages;
	enum status st = db_size(l->db, &pages, &s.file_bytes);

	if (st != ST_OK)
		return log_fail(l, st, "the file's size");
	if (l->path == NULL ||
	    port_disk_free(l->port, l->path, &s.free_bytes) != ST_OK)
		s.free_bytes = UINT64_MAX;
	s.low = s.free_bytes < LOG_LOW_BYTES;
	s.reserve_spent = reserve_path(l, path) && !reserve_there(l, path);
	*out = s;
	return ST_OK;
}

enum status
log_tidy(struct log *l)
{
	enum status st;

	if (l->in_batch)
		return ST_OK;
	st = db_checkpoint(l->db, true);
	if (st != ST_OK)
		return log_fail(l, st, "moving the WAL into the file");
	log_reserve_put(l);
	return ST_OK;
}
