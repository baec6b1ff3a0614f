/*
 * A run: one request's bytes, from the network's thread to the disk's.
 *
 *     put ─▶ chunk[fill] ─ full: handed ─▶ run_work: write, hash ─▶ free
 *
 * At most one job of a run is queued or at work (`busy`).  It works off what
 * was handed over, and at the end what was not; then it frees the run.
 *
 * Locks: up->lock, held for a whole write and for all that ends an upload, then
 * run->lock, held for a copy at most.  So a newer request that has up->lock
 * finds the older one between two writes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/evidence/evidence_impl.h"

enum {
	CHUNK_CAP = 2 * UPLOAD_CHUNK,
	/* The disk begins early, so that it is not all left for the end … */
	WRITEBACK_BYTES = 4 << 20,
	/* … and what a kill can cost is bounded. */
	DURABLE_BYTES = 64 << 20,
	DURABLE_MS = 3000
};

static void run_work(struct ev_job *job);

void
run_refuse(struct upload_run *run, enum upload_why why, enum status st)
{
	(void)pthread_mutex_lock(&run->lock);
	if (!run->over) {
		run->over = true;
		run->info.why = why;
		run->info.st = st;
	}
	(void)pthread_mutex_unlock(&run->lock);
	if (why == UPLOAD_FULL || why == UPLOAD_QUOTA)
		ev_count(&run->ev->refused, 1);
}

struct upload_run *
upload_start(struct evidence *ev, const struct upload_ask *ask,
    const struct upload_calls *calls, void *arg)
{
	struct upload_run *run = calloc(1, sizeof(*run));

	if (run == NULL)
		return NULL;
	if (pthread_mutex_init(&run->lock, NULL) != 0) {
		free(run);
		return NULL;
	}
	run->ev = ev;
	run->ask = *ask;
	buf_init(&run->meta, UPLOAD_META_MAX + 1); /* and NUL */
	buf_bytes(&run->meta, ask->meta);
	run->ask.meta = buf_view(&run->meta);
	if (run->meta.err != ST_OK) {
		(void)pthread_mutex_destroy(&run->lock);
		free(run);
		return NULL;
	}
	run->calls = *calls;
	run->arg = arg;
	run->busy = true;
	run->job.fn = run_work;
	ev_count(&ev->running, 1);
	ev_submit(ev, &run->job);
	return run;
}

void
upload_info(struct upload_run *run, struct upload_info *out)
{
	(void)pthread_mutex_lock(&run->lock);
	*out = run->info;
	(void)pthread_mutex_unlock(&run->lock);
}

/* With the lock held: have the disk look, if it does not already. */
static void
wake(struct upload_run *run)
{
	if (run->busy)
		return;
	run->busy = true;
	ev_submit(run->ev, &run->job);
}

static bool
room_for(struct ev_chunk *c, size_t len)
{
	if (c->p == NULL)
		c->p = malloc(CHUNK_CAP);
	return c->p != NULL && len <= CHUNK_CAP - c->len;
}

enum upload_put
upload_put(struct upload_run *run, struct bytes in)
{
	enum upload_put res = UPLOAD_PUT_OK;
	struct ev_chunk *c;

	(void)pthread_mutex_lock(&run->lock);
	c = &run->chunk[run->fill];
	if (!run->over && in.len > run->row.length - run->begun_at - run->put) {
		run->over = true;
		run->info.why = UPLOAD_TOO_BIG;
	} else if (!run->over && !room_for(c, in.len)) {
		run->over = true;
		run->info.why = UPLOAD_FAILED;
		run->info.st = ST_NOMEM;
	}
	if (run->over) {
		(void)pthread_mutex_unlock(&run->lock);
		return UPLOAD_PUT_ENDED;
	}
	memcpy(c->p + c->len, in.p, in.len);
	c->len += in.len;
	run->put += in.len;
	if (c->len >= UPLOAD_CHUNK) {
		c->handed = true;
		run->fill ^= 1;
		run->waiting = run->chunk[run->fill].handed;
		if (run->waiting)
			res = UPLOAD_PUT_WAIT;
		wake(run);
	}
	(void)pthread_mutex_unlock(&run->lock);
	return res;
}

void
upload_finish(struct upload_run *run)
{
	(void)pthread_mutex_lock(&run->lock);
	run->finish = true;
	wake(run);
	(void)pthread_mutex_unlock(&run->lock);
}

void
upload_drop(struct upload_run *run)
{
	(void)pthread_mutex_lock(&run->lock);
	run->drop = true;
	wake(run);
	(void)pthread_mutex_unlock(&run->lock);
}

/* ---- the disk's side */

enum status
up_durable(struct evidence *ev, struct ev_up *up, struct ev_row *row)
{
	enum status st;

	if (up->pos == up->durable && row->got == up->pos)
		return ST_OK;
	if (up->fd >= 0 && fdatasync(up->fd) != 0)
		return ev_errno(errno);
	row->got = up->pos;
	row->last = port_wall_ms(ev->cfg.port);
	st = ev_row_put(ev, row);
	if (st == ST_OK)
		up->durable = up->pos;
	return st;
}

static enum status
write_all(int fd, struct bytes in, uint64_t at)
{
	while (in.len > 0) {
		ssize_t n = pwrite(fd, in.p, in.len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? ST_IO : ev_errno(errno);
		in.p += n;
		in.len -= (size_t)n;
		at += (uint64_t)n;
	}
	return ST_OK;
}

/* Is the disk left as empty as it must be, for the log's sake? */
static enum status
room_left(struct evidence *ev)
{
	uint64_t left;
	enum status st = port_disk_free(ev->cfg.port, ev->dir, &left);

	if (st != ST_OK)
		return ST_OK; /* what is not known refuses nobody */
	return left < ev->cfg.limits.free_min ? ST_FULL : ST_OK;
}

/* One buffer into the part; up->lock held. */
static enum status
write_chunk(struct upload_run *run, struct bytes in)
{
	struct evidence *ev = run->ev;
	struct ev_up *up = run->up;
	enum status st = write_all(up->fd, in, up->pos);

	if (st != ST_OK)
		return st;
	sha256_more(&up->sha, in);
	if (run->ask.sum == UPLOAD_SUM_SHA256)
		sha256_more(&run->sum256, in);
	if (run->ask.sum == UPLOAD_SUM_SHA1)
		sha1_more(&run->sum1, in);
	up->pos += in.len;
	ev_count(&ev->bytes, (int64_t)in.len);
	if (up->pos - up->begun_writeback < WRITEBACK_BYTES)
		return ST_OK;
#ifdef SYNC_FILE_RANGE_WRITE
	(void)sync_file_range(up->fd, (off_t)up->begun_writeback,
	    (off_t)(up->pos - up->begun_writeback), SYNC_FILE_RANGE_WRITE);
#endif
	up->begun_writeback = up->pos;
	return room_left(ev);
}

/* A long request leaves something that a kill cannot take. */
static enum status
durable_at_times(struct upload_run *run)
{
	struct ev_up *up = run->up;
	uint64_t now = port_wall_ms(run->ev->cfg.port);

	if (up->pos - up->durable < DURABLE_BYTES &&
	    now - run->row.last < DURABLE_MS && now >= run->row.last)
		return ST_OK;
	return up_durable(run->ev, up, &run->row);
}

static void
failed(struct upload_run *run, enum status st)
{
	if (st == ST_FULL)
		run_refuse(run, UPLOAD_FULL, st);
	else if (st != ST_OK)
		run_refuse(run, UPLOAD_FAILED, st);
}

/* Write one buffer; false if there is none.  up->lock held.  A buffer that was
 * not handed over counts only where all is to be written. */
static bool
write_next(struct upload_run *run, bool all)
{
	struct ev_chunk *c;
	bool there, failed_before;
	enum status st = ST_OK;

	(void)pthread_mutex_lock(&run->lock);
	c = &run->chunk[run->drain];
	there = c->handed || (all && c->len > 0);
	failed_before =
	    run->info.why == UPLOAD_FULL || run->info.why == UPLOAD_FAILED;
	(void)pthread_mutex_unlock(&run->lock);
	if (!there)
		return false;
	/* Nobody else writes to it: it is handed over, or `all` means that
	 * the network puts nothing more. */
	if (!failed_before)
		st = write_chunk(run, bytes_of(c->p, c->len));
	failed(run, st);
	(void)pthread_mutex_lock(&run->lock);
	c->len = 0;
	c->handed = false;
	run->drain ^= 1;
	if (run->waiting) {
		run->waiting = false;
		run->calls.room(run->arg);
	}
	(void)pthread_mutex_unlock(&run->lock);
	return true;
}

void
run_drain(struct upload_run *run)
{
	while (write_next(run, true))
		;
}

static void
run_free(struct upload_run *run)
{
	ev_count(&run->ev->running, -1);
	if (run->up != NULL)
		up_put(run->ev, run->up);
	buf_free(&run->meta);
	free(run->chunk[0].p);
	free(run->chunk[1].p);
	(void)pthread_mutex_destroy(&run->lock);
	free(run);
}

/* What was handed over, as long as this run is the upload's. */
static void
run_write(struct upload_run *run)
{
	bool more = run->up != NULL;

	while (more) {
		(void)pthread_mutex_lock(&run->up->lock);
		more = run->up->current == run && write_next(run, false);
		if (more)
			failed(run, durable_at_times(run));
		(void)pthread_mutex_unlock(&run->up->lock);
	}
}

static void
run_work(struct ev_job *job)
{
	struct upload_run *run = (struct upload_run *)job;
	bool end, finish;

	if (!run->begun) {
		run->begun = true;
		run_begin(run);
		run->calls.ready(run->arg);
	}
	for (;;) {
		run_write(run);
		(void)pthread_mutex_lock(&run->lock);
		finish = run->finish;
		end = finish || run->drop;
		if (!end && !(run->chunk[run->drain].handed && !run->over)) {
			run->busy = false;
			(void)pthread_mutex_unlock(&run->lock);
			return;
		}
		(void)pthread_mutex_unlock(&run->lock);
		if (end)
			break;
	}
	run_end(run);
	if (finish)
		run->calls.ended(run->arg, &run->info);
	run_free(run);
}
