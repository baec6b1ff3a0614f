/*
 * project_pool: records folded by several threads, written by one.
 *
 * Folding a record, judging it and putting its findings into words is four
 * fifths of what following costs, and needs readers only.  So hands, each with
 * readers of its own, fold the records of a batch ahead of the follower, into
 * slots in the order of the batch; the follower writes them in that order, and
 * folds while the next one is not ready.  Which thread folded what changes
 * nothing of what is written, but for what a record is told by others that are
 * written in front of it in the same batch: the follower looks after that
 * (project_was_told).
 *
 * A hand holds log and feed as they stand when it comes to a batch, at or
 * behind the batch's end; what is newer is touched by a later batch again.
 */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/project/project_impl.h"

enum { SLOTS = 64 };

struct slot {
	struct made made;
	enum status st;
	bool done, before;
};

struct hand {
	struct project_pool *pool;
	pthread_t thread;
	bool runs;
	uint64_t batch; /* the last that it has done with */
	struct centre_reader *centre;
	struct feed_reader *feed;
	struct project_reader *reader;
	struct fold *fold;
};

struct project_pool {
	struct project *p;
	pthread_mutex_t lock; /* all below, but for slots in work */
	pthread_cond_t work;  /* there is something to fold, or the end */
	pthread_cond_t done;  /* a slot is done, or a hand has left */
	struct hand hand[PROJECT_HANDS_MAX];
	size_t hands;
	bool leave;
	uint64_t batch; /* its number; 0: none yet */
	size_t busy;    /* hands in it */
	size_t count;   /* records of it */
	size_t next;    /* to be folded */
	size_t put;     /* to be written: slots from here on are in use */
	uint64_t now_ms;
	uint64_t up_to; /* of the follower's own fold */
	struct slot slot[SLOTS];
};

static void
fold_into(struct project_pool *pool, struct fold *f, size_t i, uint64_t up_to)
{
	struct slot *s = &pool->slot[i % SLOTS];
	const char *rec = pool->p->touched[i].rec;

	s->st = fold_load(f, rec, pool->now_ms);
	if (s->st == ST_OK)
		s->st = project_make(&s->made, f, rec, &pool->p->cfg);
	s->made.up_to = up_to;
}

/* ---- hands; all under the lock */

/* Wait for room; false: there is nothing left to take. */
static bool
may_take(struct project_pool *pool)
{
	while (pool->next < pool->count && pool->next - pool->put >= SLOTS)
		(void)pthread_cond_wait(&pool->work, &pool->lock);
	return pool->next < pool->count;
}

static void
help(struct hand *h, uint64_t up_to)
{
	struct project_pool *pool = h->pool;

	while (may_take(pool)) {
		size_t i = pool->next++;

		(void)pthread_mutex_unlock(&pool->lock);
		fold_into(pool, h->fold, i, up_to);
		(void)pthread_mutex_lock(&pool->lock);
		pool->slot[i % SLOTS].before = true;
		pool->slot[i % SLOTS].done = true;
		(void)pthread_cond_signal(&pool->done);
	}
}

/* Log and feed as they stand now; the feed has followed up to *up_to. */
static enum status
hold(struct hand *h, uint64_t *up_to)
{
	enum status st = fold_hold(h->fold);

	if (st != ST_OK)
		return st;
	st = feed_read_size(h->feed, up_to);
	if (st != ST_OK)
		fold_release(h->fold);
	return st;
}

static void *
hand_run(void *arg)
{
	struct hand *h = arg;
	struct project_pool *pool = h->pool;
	uint64_t up_to;
	enum status st;

	(void)pthread_setname_np(pthread_self(), "project");
	(void)pthread_mutex_lock(&pool->lock);
	for (;;) {
		while (!pool->leave &&
		       (pool->batch == h->batch || pool->next == pool->count))
			(void)pthread_cond_wait(&pool->work, &pool->lock);
		if (pool->leave)
			break;
		h->batch = pool->batch;
		pool->busy++;
		(void)pthread_mutex_unlock(&pool->lock);
		fold_domain(h->fold, pool->p->cfg.kinds, pool->p->cfg.rules);
		/* One that cannot read leaves the batch to the others. */
		st = hold(h, &up_to);
		(void)pthread_mutex_lock(&pool->lock);
		if (st == ST_OK) {
			help(h, up_to);
			(void)pthread_mutex_unlock(&pool->lock);
			fold_release(h->fold);
			(void)pthread_mutex_lock(&pool->lock);
		}
		pool->busy--;
		(void)pthread_cond_signal(&pool->done);
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* ---- the follower */

static enum status
hand_start(struct project_pool *pool, struct hand *h)
{
	const struct project_config *c = &pool->p->cfg;
	struct fold_config fc = { .kinds = c->kinds,
		.rules = c->rules,
		.utc_offset_min = c->utc_offset_min };
	enum status st = centre_reader_open(&h->centre, c->centre);

	h->pool = pool;
	if (st == ST_OK)
		st = feed_reader_open(&h->feed, c->feed);
	if (st == ST_OK)
		st = project_reader_open(&h->reader, pool->p);
	if (st != ST_OK)
		return st;
	fc.reader = h->centre;
	fc.feed = h->feed;
	project_fold_facts(h->reader, &fc);
	st = fold_new(&h->fold, &fc);
	if (st == ST_OK)
		h->runs = pthread_create(&h->thread, NULL, hand_run, h) == 0;
	return st;
}

enum status
project_pool_new(struct project_pool **out, struct project *p, size_t hands)
{
	struct project_pool *pool = calloc(1, sizeof(*pool));
	enum status st = ST_OK;

	if (pool == NULL)
		return ST_NOMEM;
	pool->p = p;
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)pthread_cond_init(&pool->work, NULL);
	(void)pthread_cond_init(&pool->done, NULL);
	for (size_t i = 0; i < SLOTS; i++)
		made_init(&pool->slot[i].made);
	pool->hands = hands < PROJECT_HANDS_MAX ? hands : PROJECT_HANDS_MAX;
	for (size_t i = 0; st == ST_OK && i < pool->hands; i++)
		st = hand_start(pool, &pool->hand[i]);
	if (st != ST_OK) {
		project_pool_free(pool);
		return st;
	}
	*out = pool;
	return ST_OK;
}

void
project_pool_free(struct project_pool *pool)
{
	if (pool == NULL)
		return;
	(void)pthread_mutex_lock(&pool->lock);
	pool->leave = true;
	(void)pthread_cond_broadcast(&pool->work);
	(void)pthread_mutex_unlock(&pool->lock);
	for (size_t i = 0; i < pool->hands; i++) {
		struct hand *h = &pool->hand[i];

		if (h->runs)
			(void)pthread_join(h->thread, NULL);
		fold_free(h->fold);
		project_reader_close(h->reader);
		feed_reader_close(h->feed);
		centre_reader_close(h->centre);
	}
	for (size_t i = 0; i < SLOTS; i++)
		made_free(&pool->slot[i].made);
	(void)pthread_cond_destroy(&pool->work);
	(void)pthread_cond_destroy(&pool->done);
	(void)pthread_mutex_destroy(&pool->lock);
	free(pool);
}

void
project_pool_begin(struct project_pool *pool, uint64_t now_ms, uint64_t up_to)
{
	(void)pthread_mutex_lock(&pool->lock);
	assert(pool->busy == 0);
	pool->batch++;
	pool->count = pool->p->touched_count;
	pool->next = pool->put = 0;
	pool->now_ms = now_ms;
	pool->up_to = up_to;
	(void)pthread_cond_broadcast(&pool->work);
	(void)pthread_mutex_unlock(&pool->lock);
}

enum status
project_pool_next(
    struct project_pool *pool, size_t i, const struct made **out, bool *before)
{
	struct slot *s = &pool->slot[i % SLOTS];
	enum status st;

	(void)pthread_mutex_lock(&pool->lock);
	assert(i < pool->count && (i == pool->put || i == pool->put + 1));
	pool->put = i;
	(void)pthread_cond_broadcast(&pool->work);
	while (!s->done) {
		size_t k = pool->next;

		if (k == pool->count || k - i >= SLOTS) {
			(void)pthread_cond_wait(&pool->done, &pool->lock);
			continue;
		}
		pool->next++;
		(void)pthread_mutex_unlock(&pool->lock);
		fold_into(pool, pool->p->fold, k, pool->up_to);
		(void)pthread_mutex_lock(&pool->lock);
		pool->slot[k % SLOTS].before = k != i;
		pool->slot[k % SLOTS].done = true;
	}
	s->done = false;
	*out = &s->made;
	*before = s->before;
	st = s->st;
	(void)pthread_mutex_unlock(&pool->lock);
	return st;
}

void
project_pool_end(struct project_pool *pool)
{
	(void)pthread_mutex_lock(&pool->lock);
	/* Should the batch have failed, what is left of it is nobody's. */
	pool->count = pool->next;
	(void)pthread_cond_broadcast(&pool->work);
	while (pool->busy > 0)
		(void)pthread_cond_wait(&pool->done, &pool->lock);
	for (size_t i = 0; i < SLOTS; i++)
		pool->slot[i].done = false;
	(void)pthread_mutex_unlock(&pool->lock);
}
