#include "server/core/committer.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/core/commit_inner.h"

enum {
	/* Of one transaction: so that nobody waits long behind others. */
	BATCH_ENTRIES_MAX = 20000,
	BATCH_BYTES_MAX = 64 << 20
};

struct committer {
	struct centre *c; /* borrowed */
	struct txn txn;   /* the running thread's */

	pthread_mutex_t lock; /* holds all below */
	pthread_cond_t wake;
	struct commit_job *first, **last; /* waiting */
	uint64_t waiting;
	bool threaded, stopping;
	struct committer_counters n;

	pthread_t thread;
};

/* ---- memory of a transaction */

enum status
txn_room(void *array, size_t *cap, size_t count, size_t size)
{
	void **p = array;
	size_t want = *cap == 0 ? 64 : *cap * 2;
	void *grown;

	if (count < *cap)
		return ST_OK;
	grown = realloc(*p, want * size);
	if (grown == NULL)
		return ST_NOMEM;
	*p = grown;
	*cap = want;
	return ST_OK;
}

void
txn_init(struct txn *t, struct centre *c)
{
	memset(t, 0, sizeof(*t));
	t->c = c;
	t->s = c->store;
	entry_init(&t->parse);
	buf_init(&t->lines, 256 << 20);
}

void
txn_free(struct txn *t)
{
	entry_free(&t->parse);
	buf_free(&t->lines);
	free(t->held);
	free(t->span);
	free(t->word_of);
	free(t->refill);
	free(t->done);
}

void
txn_reset(struct txn *t, uint64_t size)
{
	t->first = t->next = size;
	t->wall = port_wall_ms(t->c->port);
	t->rows = t->erased = false;
	t->server_put = t->attempts = 0;
	buf_reset(&t->lines);
	frontier_init(&t->line_tree);
	t->held_count = t->span_count = t->done_count = t->word_count = 0;
	t->refill_count = 0;
	t->pieces = t->forks = t->malformed = t->lost = t->filled = 0;
}

/* ---- one transaction */

/* Forget all that was staged. */
static void
drop(struct centre *c)
{
	chains_rollback(c->chains);
	tlog_rollback(c->tlog);
	serverchain_rollback(c->sc);
}

static enum status
fill_txn(struct txn *t, struct commit_job *jobs)
{
	enum status st = ST_OK;

	for (struct commit_job *j = jobs; j != NULL && st == ST_OK; j = j->next)
		if (j->st == ST_OK && j->ingest != NULL)
			st = txn_pieces(t, j->ingest);
	if (st == ST_OK)
		st = txn_consequences(t);
	for (struct commit_job *j = jobs; j != NULL && st == ST_OK; j = j->next)
		if (j->st == ST_OK && j->ingest == NULL)
			st = txn_entries(t, j, &j->st);
	return st == ST_OK ? txn_seal(t) : st;
}

/* A log that is stopped takes nothing but the word that it is. */
static bool
may_commit(struct centre *c, struct commit_job *jobs)
{
	bool halted = centre_halted(c), any = false;

	for (struct commit_job *j = jobs; j != NULL; j = j->next) {
		j->st = halted && !j->even_halted ? ST_LOCKED : ST_OK;
		any = any || j->st == ST_OK;
	}
	return any;
}

/*
 * Commit these jobs.  ST_OK: all but those with a status of their own stand.
 * Else nothing does.
 */
static enum status
transact(struct committer *cm, struct commit_job *jobs)
{
	struct centre *c = cm->c;
	struct txn *t = &cm->txn;
	struct store_head head;
	enum status st;

	if (!may_commit(c, jobs))
		return ST_LOCKED;
	st = centre_begin(c, &head);
	if (st != ST_OK)
		return st;
	st = centre_follow(c, store_inside(c->store), &head);
	/* What it took in may have ended this log. */
	if (st == ST_OK && c->superseded)
		st = ST_LOCKED;
	if (st != ST_OK) {
		store_rollback(c->store);
		return st;
	}
	txn_reset(t, head.size);
	st = commit_awaited_load(c);
	if (st == ST_OK)
		st = fill_txn(t, jobs);
	if (st == ST_OK && t->next == t->first && !t->rows && t->attempts == 0)
		store_rollback(c->store); /* nothing to write */
	else if (st == ST_OK)
		st = store_commit(c->store);
	else
		store_rollback(c->store);
	if (st != ST_OK) {
		drop(c);
		return st;
	}
	chains_publish(c->chains);
	tlog_publish(c->tlog);
	serverchain_publish(c->sc);
	centre_attempts_written(c, t->attempts);
	if (t->erased) {
		c->awaited_old = true;
		/* What was written over still stands in the log of the
		 * database; if somebody reads there now, it goes later. */
		(void)!store_tidy(c->store);
	}
	return ST_OK;
}

static void
count(struct committer *cm, enum status st, uint64_t ms)
{
	const struct txn *t = &cm->txn;

	(void)pthread_mutex_lock(&cm->lock);
	cm->n.commit_ms += ms;
	if (st != ST_OK) {
		cm->n.failures++;
	} else {
		cm->n.commits += t->next > t->first;
		cm->n.entries += t->next - t->first;
		cm->n.pieces += t->pieces;
		cm->n.forks += t->forks;
		cm->n.malformed += t->malformed;
		cm->n.lost += t->lost;
		cm->n.filled += t->filled;
	}
	(void)pthread_mutex_unlock(&cm->lock);
}

/* Is it the disk, or the system, rather than one of the jobs? */
static bool
is_everybodys(enum status st)
{
	return st == ST_IO || st == ST_FULL || st == ST_AGAIN ||
	       st == ST_NOMEM || st == ST_LOCKED;
}

/*
 * Commit, sign, and mark each job; none is told yet.  The result is the
 * transaction's: other than ST_OK, nothing stands.
 */
static enum status
commit(struct committer *cm, struct commit_job *jobs)
{
	uint64_t before = port_mono_ms(cm->c->port);
	enum status st = transact(cm, jobs), told = st;

	if (st == ST_OK) {
		/* What stands but cannot be read back is not told as done:
		 * whoever asks again finds it there. */
		told = centre_sign_head(cm->c);
		if (told == ST_OK)
			txn_acks(&cm->txn);
	} else if (st != ST_LOCKED) {
		centre_set_errmsg(
		    cm->c, "commit: %s", store_errmsg(cm->c->store));
	}
	count(cm, st, port_mono_ms(cm->c->port) - before);
	for (struct commit_job *j = jobs; j != NULL && told != ST_OK;
	     j = j->next)
		j->st = told;
	return st;
}

/* Nothing of them stood, and not for want of a disk: each by itself, so that
 * the one at fault fails alone. */
static void
commit_one_by_one(struct committer *cm, struct commit_job *jobs)
{
	while (jobs != NULL) {
		struct commit_job *next = jobs->next;

		jobs->next = NULL;
		(void)commit(cm, jobs); /* marked in the job */
		jobs->next = next;
		jobs = next;
	}
}

static void
tell(struct commit_job *jobs)
{
	while (jobs != NULL) {
		struct commit_job *next = jobs->next; /* `done` may free it */

		if (jobs->done != NULL)
			jobs->done(jobs->arg, jobs->st);
		jobs = next;
	}
}

static void
run_batch(struct committer *cm, struct commit_job *jobs)
{
	enum status st = commit(cm, jobs);

	if (st != ST_OK && jobs->next != NULL && !is_everybodys(st))
		commit_one_by_one(cm, jobs);
	tell(jobs);
}

/* ---- the queue */

static size_t
weight(const struct commit_job *j, size_t *bytes)
{
	if (j->ingest == NULL)
		return j->entry_count + 1;
	*bytes += j->ingest->bytes;
	return j->ingest->entry_count + 1;
}

/* Take what waits, up to a batch; `lock` is held. */
static struct commit_job *
take(struct committer *cm)
{
	struct commit_job *jobs = cm->first, *j = jobs;
	size_t entries = 0, bytes = 0;

	if (jobs == NULL)
		return NULL;
	entries = weight(j, &bytes);
	cm->waiting--;
	while (j->next != NULL) {
		entries += weight(j->next, &bytes);
		if (entries > BATCH_ENTRIES_MAX || bytes > BATCH_BYTES_MAX)
			break;
		j = j->next;
		cm->waiting--;
	}
	cm->first = j->next;
	if (cm->first == NULL)
		cm->last = &cm->first;
	j->next = NULL;
	return jobs;
}

void
committer_submit(struct committer *cm, struct commit_job *job)
{
	assert(job->ingest == NULL ||
	       (job->entry_count == 0 && job->check == NULL));
	job->next = NULL;
	job->st = ST_OK;
	(void)pthread_mutex_lock(&cm->lock);
	*cm->last = job;
	cm->last = &job->next;
	cm->waiting++;
	cm->n.jobs++;
	(void)pthread_cond_signal(&cm->wake);
	(void)pthread_mutex_unlock(&cm->lock);
}

static struct commit_job *
take_locked(struct committer *cm)
{
	struct commit_job *jobs;

	(void)pthread_mutex_lock(&cm->lock);
	jobs = take(cm);
	(void)pthread_mutex_unlock(&cm->lock);
	return jobs;
}

void
committer_run(struct committer *cm)
{
	struct commit_job *jobs = take_locked(cm);

	assert(!cm->threaded);
	if (jobs == NULL) {
		enum status st = centre_sign_head(cm->c);

		if (st != ST_OK)
			centre_set_errmsg(
			    cm->c, "reading the head: %s", status_text(st));
		return;
	}
	for (; jobs != NULL; jobs = take_locked(cm))
		run_batch(cm, jobs);
}

/* ---- the thread */

static void *
thread_main(void *arg)
{
	struct committer *cm = arg;
	struct commit_job *jobs;

	(void)pthread_setname_np(pthread_self(), "commit");
	for (;;) {
		(void)pthread_mutex_lock(&cm->lock);
		while (cm->first == NULL && !cm->stopping)
			(void)pthread_cond_wait(&cm->wake, &cm->lock);
		jobs = take(cm);
		(void)pthread_mutex_unlock(&cm->lock);
		if (jobs == NULL)
			return NULL; /* stopping, and nothing waits */
		run_batch(cm, jobs);
	}
}

enum status
committer_start(struct committer *cm)
{
	assert(!cm->threaded);
	cm->stopping = false;
	cm->threaded = true;
	if (pthread_create(&cm->thread, NULL, thread_main, cm) != 0) {
		cm->threaded = false;
		return ST_NOMEM;
	}
	return ST_OK;
}

void
committer_stop(struct committer *cm)
{
	if (!cm->threaded)
		return;
	(void)pthread_mutex_lock(&cm->lock);
	cm->stopping = true;
	(void)pthread_cond_signal(&cm->wake);
	(void)pthread_mutex_unlock(&cm->lock);
	(void)pthread_join(cm->thread, NULL);
	cm->threaded = false;
}

/* ---- waiting for one job */

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool done;
	enum status st;
	struct commit_job *job;
	enum status (*check)(void *arg, struct store *s);
	void *arg;
};

static void
waiter_done(void *arg, enum status st)
{
	struct waiter *w = arg;

	(void)pthread_mutex_lock(&w->lock);
	w->st = st;
	w->done = true;
	(void)pthread_cond_signal(&w->wake);
	(void)pthread_mutex_unlock(&w->lock);
}

static enum status
waiter_check(void *arg, struct store *s)
{
	struct waiter *w = arg;

	return w->check(w->arg, s);
}

enum status
committer_wait(struct committer *cm, struct commit_job *job)
{
	struct waiter w = { .job = job, .check = job->check, .arg = job->arg };

	(void)pthread_mutex_init(&w.lock, NULL);
	(void)pthread_cond_init(&w.wake, NULL);
	job->done = waiter_done;
	job->arg = &w;
	if (job->check != NULL)
		job->check = waiter_check;
	committer_submit(cm, job);
	if (!cm->threaded)
		committer_run(cm);
	(void)pthread_mutex_lock(&w.lock);
	while (!w.done)
		(void)pthread_cond_wait(&w.wake, &w.lock);
	(void)pthread_mutex_unlock(&w.lock);
	(void)pthread_cond_destroy(&w.wake);
	(void)pthread_mutex_destroy(&w.lock);
	job->check = w.check;
	job->arg = w.arg;
	return w.st;
}

/* ---- life */

enum status
committer_new(struct committer **out, struct centre *c)
{
	struct committer *cm = calloc(1, sizeof(*cm));

	if (cm == NULL)
		return ST_NOMEM;
	cm->c = c;
	cm->last = &cm->first;
	txn_init(&cm->txn, c);
	(void)pthread_mutex_init(&cm->lock, NULL);
	(void)pthread_cond_init(&cm->wake, NULL);
	*out = cm;
	return ST_OK;
}

void
committer_free(struct committer *cm)
{
	if (cm == NULL)
		return;
	assert(!cm->threaded);
	txn_free(&cm->txn);
	(void)pthread_cond_destroy(&cm->wake);
	(void)pthread_mutex_destroy(&cm->lock);
	free(cm);
}

void
committer_counters(struct committer *cm, struct committer_counters *out)
{
	(void)pthread_mutex_lock(&cm->lock);
	*out = cm->n;
	out->waiting = cm->waiting;
	(void)pthread_mutex_unlock(&cm->lock);
}
