/* upload_begin: may this request go on, and where does the upload stand? */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/evidence/evidence_impl.h"

enum { UPLOADS_OPEN_MAX = 1000 }; /* of one device */

/* ---- the table of what is spoken of */

static void
up_free(struct ev_up *up)
{
	up_close(up);
	(void)pthread_mutex_destroy(&up->lock);
	free(up);
}

/* Those that nobody holds go, the longest unused first: their hash is made
 * anew from the disk when it is wanted again. */
static void
drop_idle(struct evidence *ev)
{
	while (ev->up_count > EV_IDLE_MAX) {
		struct ev_up **least = NULL, *gone;

		for (struct ev_up **p = &ev->ups; *p != NULL; p = &(*p)->next)
			if ((*p)->refs == 0 &&
			    (least == NULL || (*p)->used < (*least)->used))
				least = p;
		if (least == NULL)
			return;
		gone = *least;
		*least = gone->next;
		ev->up_count--;
		up_free(gone);
	}
}

struct ev_up *
up_get(struct evidence *ev, const uint8_t *id)
{
	struct ev_up *up;

	(void)pthread_mutex_lock(&ev->ups_lock);
	for (up = ev->ups; up != NULL; up = up->next)
		if (memcmp(up->id, id, UPLOAD_ID_LEN) == 0)
			break;
	if (up == NULL) {
		up = calloc(1, sizeof(*up));
		if (up != NULL && pthread_mutex_init(&up->lock, NULL) != 0) {
			free(up);
			up = NULL;
		}
		if (up != NULL) {
			memcpy(up->id, id, UPLOAD_ID_LEN);
			up->fd = -1;
			up->next = ev->ups;
			ev->ups = up;
			ev->up_count++;
		}
	}
	if (up != NULL) {
		up->refs++;
		up->used = ++ev->up_clock;
	}
	(void)pthread_mutex_unlock(&ev->ups_lock);
	return up;
}

void
up_close(struct ev_up *up)
{
	if (up->fd >= 0)
		(void)close(up->fd);
	up->fd = -1;
}

void
up_put(struct evidence *ev, struct ev_up *up)
{
	(void)pthread_mutex_lock(&ev->ups_lock);
	up->refs--;
	if (up->refs == 0)
		up_close(up);
	drop_idle(ev);
	(void)pthread_mutex_unlock(&ev->ups_lock);
}

void
ups_free(struct evidence *ev)
{
	struct ev_up *next;

	for (struct ev_up *up = ev->ups; up != NULL; up = next) {
		next = up->next;
		up_free(up);
	}
	ev->ups = NULL;
}

/* ---- where it stands */

/* Open the part, and know its first `got` bytes; up->lock held. */
static enum status
up_open(struct evidence *ev, struct ev_up *up, const struct ev_row *row)
{
	char path[EV_PATH_MAX];
	struct stat sb;
	uint64_t pos = row->got;
	enum status st;

	if (up->fd >= 0 && up->known)
		return ST_OK;
	up_close(up);
	ev_part_path(ev, up->id, path);
	up->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (up->fd < 0)
		return ev_errno(errno);
	if (fstat(up->fd, &sb) != 0)
		return ev_errno(errno);
	if ((uint64_t)sb.st_size < pos)
		pos = (uint64_t)sb.st_size; /* less is there than was said */
	if (up->known && up->pos == pos && (uint64_t)sb.st_size == pos)
		return ST_OK;
	/* What lies behind was never acknowledged. */
	if ((uint64_t)sb.st_size > pos && ftruncate(up->fd, (off_t)pos) != 0)
		return ev_errno(errno);
	if (sb.st_size == 0) {
		st = ev_sync_parent(path);
		if (st != ST_OK)
			return st;
	}
	st = ev_hash_fd(up->fd, pos, &up->sha);
	up->known = st == ST_OK;
	up->pos = pos;
	up->durable = pos;
	up->begun_writeback = pos;
	return st;
}

/* The older request of this upload ends here; what came with it is written. */
static void
take_over(struct upload_run *run)
{
	struct upload_run *old = run->up->current;

	run->up->current = run;
	if (old == NULL)
		return;
	run_refuse(old, UPLOAD_OFFSET, ST_OK);
	run_drain(old);
}

static enum status
may_write(struct upload_run *run)
{
	struct evidence *ev = run->ev;
	uint64_t bytes = 0, count = 0, left = 0;
	uint64_t quota = run->ask.deliver ? ev->cfg.limits.deliver_quota
					  : ev->cfg.limits.quota;
	enum status st =
	    ev_row_sum(ev, run->ask.dev, run->ask.deliver, &bytes, &count);

	if (st != ST_OK)
		return st;
	if (bytes > quota || count > UPLOADS_OPEN_MAX ||
	    (run->ask.body_len != UINT64_MAX &&
		run->ask.body_len > quota - bytes)) {
		run_refuse(run, UPLOAD_QUOTA, ST_OK);
		return ST_OK;
	}
	if (port_disk_free(ev->cfg.port, ev->dir, &left) == ST_OK &&
	    left < ev->cfg.limits.free_min)
		run_refuse(run, UPLOAD_FULL, ST_FULL);
	return ST_OK;
}

/* up->lock held, the row is open. */
static enum status
stand(struct upload_run *run)
{
	struct ev_up *up = run->up;
	enum status st = ST_OK;
	uint64_t size;

	/* All came once, and a crash stood between the store and the log. */
	if (run->row.got == run->row.length &&
	    ev_stored_size(run->ev, run->row.digest, &size) == ST_OK &&
	    size == run->row.length) {
		up->known = false;
		up->pos = up->durable = run->row.length;
	} else {
		take_over(run);
		st = up_open(run->ev, up, &run->row);
		if (st == ST_OK)
			st = up_durable(run->ev, up, &run->row);
	}
	if (st == ST_OK && up->pos == run->row.length &&
	    run->ask.what != UPLOAD_REMOVE)
		up_complete(run);
	run->info.offset =
	    run->row.state == ROW_OPEN ? up->durable : run->row.length;
	return st;
}

static enum status
begin_write(struct upload_run *run)
{
	struct ev_up *up = run->up;

	if (run->row.state != ROW_OPEN || run->ask.offset != up->pos) {
		/* With nothing to write, what is done may be said again. */
		if (run->ask.offset != run->info.offset ||
		    (run->row.state != ROW_OPEN && run->ask.body_len != 0))
			run_refuse(run, UPLOAD_OFFSET, ST_OK);
		return ST_OK;
	}
	run->begun_at = up->pos;
	run->begun_sha = up->sha;
	sha256_begin(&run->sum256);
	sha1_begin(&run->sum1);
	if (run->ask.body_len != UINT64_MAX &&
	    run->ask.body_len > run->row.length - up->pos) {
		run_refuse(run, UPLOAD_TOO_BIG, ST_OK);
		return ST_OK;
	}
	run->info.takes = true;
	return may_write(run);
}

static enum status
begin_remove(struct upload_run *run)
{
	char path[EV_PATH_MAX];
	enum status st = ST_OK;

	/* The upload is no more; what is stored stays, and so does what the
	 * row says of a quota. */
	if (run->row.state != ROW_OPEN) {
		run->row.state = ROW_ENDED;
		return ev_row_put(run->ev, &run->row);
	}
	up_close(run->up);
	run->up->known = false;
	ev_part_path(run->ev, run->row.id, path);
	st = ev_unlink(path);
	return st == ST_OK ? ev_row_remove(run->ev, run->row.id) : st;
}

/* What was said of it, for who asks. */
static enum status
find_meta(struct upload_run *run)
{
	enum status st;

	buf_reset(&run->meta);
	st = ev_meta_get(run->ev, run->row.id, &run->meta);
	if (st == ST_ABSENT)
		return ST_OK;
	if (st == ST_OK)
		run->info.meta = buf_cstr(&run->meta);
	return st == ST_OK ? run->meta.err : st;
}

/* With row and up at hand. */
static enum status
begin_with_row(struct upload_run *run)
{
	struct evidence *ev = run->ev;
	enum status st = ST_OK;

	run->up = up_get(ev, run->row.id);
	if (run->up == NULL)
		return ST_NOMEM;
	(void)pthread_mutex_lock(&run->up->lock);
	/* It may have moved on while we waited. */
	st = ev_row_find(ev, run->row.id, &run->row);
	run->info.offset = run->row.length;
	if (st == ST_OK && run->row.state == ROW_OPEN)
		st = stand(run);
	if (st == ST_OK && run->row.state == ROW_ENDED)
		run_refuse(run, UPLOAD_ENDED, ST_OK);
	if (st == ST_OK && run->row.state == ROW_MISMATCHED &&
	    run->ask.what != UPLOAD_REMOVE)
		run_refuse(run, UPLOAD_DIGEST, ST_OK);
	if (st == ST_OK && !run->over && run->ask.what == UPLOAD_LOOK)
		st = find_meta(run);
	if (st == ST_OK && !run->over && run->ask.what == UPLOAD_REMOVE)
		st = begin_remove(run);
	if (st == ST_OK && !run->over &&
	    (run->ask.what == UPLOAD_WRITE ||
		(run->ask.what == UPLOAD_CREATE && run->ask.has_body &&
		    run->row.state == ROW_OPEN && run->info.offset == 0)))
		st = begin_write(run);
	if (st == ST_OK && run->row.state == ROW_OPEN)
		run->info.expires_ms = run->row.last + ev->cfg.limits.expire_ms;
	run->info.length = run->row.length;
	memcpy(run->info.id, run->row.id, UPLOAD_ID_LEN);
	(void)pthread_mutex_unlock(&run->up->lock);
	return st;
}

static bool
has_expired(const struct evidence *ev, const struct ev_row *row)
{
	return row->state == ROW_EXPIRED ||
	       (row->state == ROW_OPEN && row->last + ev->cfg.limits.expire_ms <
					      port_wall_ms(ev->cfg.port));
}

/* Stored already: a receipt for this device too, and a row to be asked for. */
static enum status
create_stored(struct upload_run *run)
{
	enum status st = ev_log_stored(
	    run->ev, run->ask.dev, run->ask.digest, run->ask.length);

	if (st != ST_OK)
		return st;
	ev_count(&run->ev->repeated, 1);
	run->row.state = ROW_DONE;
	run->row.got = run->row.length;
	return ev_row_put(run->ev, &run->row);
}

static enum status
begin_create(struct upload_run *run)
{
	struct evidence *ev = run->ev;
	struct upload_ask *ask = &run->ask;
	uint64_t size = 0;
	bool stored;
	enum status st;

	if (ask->length > ev->cfg.limits.max_bytes) {
		run_refuse(run, UPLOAD_TOO_BIG, ST_OK);
		return ST_OK;
	}
	stored = ev_stored_size(ev, ask->digest, &size) == ST_OK &&
		 size == ask->length;
	st = ev_row_same(ev, ask->dev, ask->digest, ask->length, &run->row);
	if (st == ST_OK && run->row.state == ROW_DONE && !stored)
		st = ST_ABSENT; /* it was purged: it may come again */
	if (st == ST_OK && !has_expired(ev, &run->row)) {
		/* What was said last is what its maker knows of. */
		st = ev_meta_put(ev, run->row.id, ask->meta);
		return st == ST_OK ? begin_with_row(run) : st;
	}
	if (st != ST_OK && st != ST_ABSENT)
		return st;
	memset(&run->row, 0, sizeof(run->row));
	port_random(ev->cfg.port, run->row.id, UPLOAD_ID_LEN);
	memcpy(run->row.digest, ask->digest, HASH_LEN);
	memcpy(run->row.dev, ask->dev, sizeof(run->row.dev));
	run->row.length = ask->length;
	run->row.created = port_wall_ms(ev->cfg.port);
	run->row.last = run->row.created;
	st = stored ? ST_OK : may_write(run);
	if (st != ST_OK || run->over)
		return st;
	st = stored ? create_stored(run) : ev_row_put(ev, &run->row);
	if (st == ST_OK)
		st = ev_meta_put(ev, run->row.id, ask->meta);
	return st == ST_OK ? begin_with_row(run) : st;
}

void
run_begin(struct upload_run *run)
{
	struct evidence *ev = run->ev;
	enum status st;

	if (run->ask.what == UPLOAD_CREATE) {
		st = begin_create(run);
	} else {
		st = ev_row_find(ev, run->ask.id, &run->row);
		/* Another's is none. */
		if (st == ST_ABSENT ||
		    (st == ST_OK && strcmp(run->row.dev, run->ask.dev) != 0)) {
			run_refuse(run, UPLOAD_ABSENT, ST_OK);
			return;
		}
		if (st == ST_OK && has_expired(ev, &run->row)) {
			run_refuse(run, UPLOAD_EXPIRED, ST_OK);
			return;
		}
		if (st == ST_OK)
			st = begin_with_row(run);
	}
	if (st == ST_FULL)
		run_refuse(run, UPLOAD_FULL, st);
	else if (st != ST_OK)
		run_refuse(run, UPLOAD_FAILED, st);
}
