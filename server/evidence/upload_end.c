/* upload_end: what a request leaves, and the last byte of an upload. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "server/evidence/evidence_impl.h"

/* The sum over this request's bytes, if one was stated. */
static bool
sum_holds(struct upload_run *run)
{
	uint8_t sum[HASH_LEN];

	if (run->ask.sum == UPLOAD_SUM_SHA256) {
		sha256_end(&run->sum256, sum);
		return memcmp(sum, run->ask.sum_value, HASH_LEN) == 0;
	}
	if (run->ask.sum == UPLOAD_SUM_SHA1) {
		sha1_end(&run->sum1, sum);
		return memcmp(sum, run->ask.sum_value, SHA1_LEN) == 0;
	}
	return true;
}

/* Nothing of this request stays. */
static enum status
take_back(struct upload_run *run)
{
	struct ev_up *up = run->up;

	up->sha = run->begun_sha;
	up->pos = run->begun_at;
	if (up->begun_writeback > up->pos)
		up->begun_writeback = up->pos;
	/* The row first: what it says must be there. */
	if (run->row.got > up->pos) {
		run->row.got = up->pos;
		enum status st = ev_row_put(run->ev, &run->row);

		if (st != ST_OK)
			return st;
	}
	up->durable = up->pos;
	return ftruncate(up->fd, (off_t)up->pos) == 0 ? ST_OK : ev_errno(errno);
}

static enum status
complete_row(struct upload_run *run, enum ev_row_state state)
{
	struct ev_up *up = run->up;

	up_close(up);
	up->known = false;
	run->row.state = state;
	run->row.got = run->row.length;
	run->row.last = port_wall_ms(run->ev->cfg.port);
	return ev_row_put(run->ev, &run->row);
}

static enum status
mismatched(struct upload_run *run, const uint8_t *got)
{
	struct evidence *ev = run->ev;
	enum status st = ev_part_apart(ev, run->row.id);

	if (st == ST_OK)
		st = ev_log_mismatched(ev, run->row.dev, run->row.digest,
		    run->row.length, run->row.id, got);
	if (st == ST_OK)
		st = complete_row(run, ROW_MISMATCHED);
	if (st != ST_OK)
		return st;
	ev_count(&ev->mismatched, 1);
	run_refuse(run, UPLOAD_DIGEST, ST_OK);
	return ST_OK;
}

/*
 * Durable in this order, so that a crash anywhere leaves what the next request
 * can go on from: part · store and folders · log · row.
 */
void
up_complete(struct upload_run *run)
{
	struct evidence *ev = run->ev;
	struct ev_up *up = run->up;
	uint8_t got[HASH_LEN];
	bool was_there = false;
	enum status st = ST_OK;

	if (up->known) {
		struct sha256_run sha = up->sha;

		if (fsync(up->fd) != 0) {
			run_refuse(run, UPLOAD_FAILED, ev_errno(errno));
			return;
		}
		sha256_end(&sha, got);
		if (memcmp(got, run->row.digest, HASH_LEN) != 0)
			st = mismatched(run, got);
		else
			st = ev_part_to_store(ev, run->row.id, run->row.digest,
			    run->row.length, &was_there);
	}
	if (st == ST_OK && run->info.why == UPLOAD_OK)
		st = ev_log_stored(
		    ev, run->row.dev, run->row.digest, run->row.length);
	if (st == ST_OK && run->info.why == UPLOAD_OK) {
		st = complete_row(run, ROW_DONE);
		ev_count(was_there ? &ev->repeated : &ev->stored, 1);
	}
	if (st != ST_OK)
		run_refuse(
		    run, st == ST_FULL ? UPLOAD_FULL : UPLOAD_FAILED, st);
}

/* This run is the upload's own; up->lock held. */
static void
end_own(struct upload_run *run)
{
	struct ev_up *up = run->up;
	bool wrote = run->row.state == ROW_OPEN && up->fd >= 0;
	enum status st = ST_OK;

	up->current = NULL;
	run_drain(run);
	if (!wrote)
		return;
	if (run->finish && run->info.why == UPLOAD_OK && run->put > 0 &&
	    !sum_holds(run)) {
		st = take_back(run);
		run_refuse(run, UPLOAD_CHECKSUM, ST_OK);
	}
	if (st == ST_OK)
		st = up_durable(run->ev, up, &run->row);
	if (st == ST_OK && run->info.why == UPLOAD_OK &&
	    up->pos == run->row.length)
		up_complete(run);
	if (st != ST_OK)
		run_refuse(
		    run, st == ST_FULL ? UPLOAD_FULL : UPLOAD_FAILED, st);
	run->info.offset =
	    run->row.state == ROW_OPEN ? up->durable : run->row.length;
	run->info.expires_ms =
	    run->row.state == ROW_OPEN
		? run->row.last + run->ev->cfg.limits.expire_ms
		: 0;
}

void
run_end(struct upload_run *run)
{
	struct ev_up *up = run->up;

	if (up == NULL)
		return;
	(void)pthread_mutex_lock(&up->lock);
	if (up->current == run)
		end_own(run);
	(void)pthread_mutex_unlock(&up->lock);
}
