/* app_work: workers, and the threads that follow the log. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/app/app_impl.h"

/* ---- requests */

void
work_handle(struct request *rq, void *arg)
{
	struct app_route *route = arg;
	struct app *a = route->app;
	bool taken = false;

	(void)pthread_mutex_lock(&a->lock);
	if (!a->stopping && a->queue_count < QUEUE_MAX) {
		size_t at = (a->queue_first + a->queue_count) % QUEUE_MAX;

		a->queue[at].rq = rq;
		a->queue[at].work = route->work;
		a->queue_count++;
		taken = true;
		(void)pthread_cond_signal(&a->wake);
	}
	(void)pthread_mutex_unlock(&a->lock);
	/* Full: say so at once, and spread their return. */
	if (!taken)
		request_error(rq, 503, "busy", "too much at once: try later",
		    "请求过多，请稍后再试", 5);
}

/* Under the lock: what is in force as this request is looked at. */
static void
take_domain(struct worker *w)
{
	struct app *a = w->app;

	if (w->domain == a->domain)
		return;
	domain_unref(w->domain);
	w->domain = domain_ref(a->domain);
	fold_domain(w->fold, w->domain->kinds, w->domain->rules);
}

static void *
work_thread(void *arg)
{
	struct worker *w = arg;
	struct app *a = w->app;

	(void)pthread_setname_np(pthread_self(), "work");
	(void)pthread_mutex_lock(&a->lock);
	for (;;) {
		struct queued q;

		while (a->queue_count == 0 && !a->stopping)
			(void)pthread_cond_wait(&a->wake, &a->lock);
		/* What was taken in is worked off before the end. */
		if (a->queue_count == 0)
			break;
		q = a->queue[a->queue_first];
		a->queue_first = (a->queue_first + 1) % QUEUE_MAX;
		a->queue_count--;
		take_domain(w);
		(void)pthread_mutex_unlock(&a->lock);
		q.work(w, q.rq);
		(void)pthread_mutex_lock(&a->lock);
	}
	(void)pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* A stage ping or a call for help that came ahead of its turn. */
static bool
on_hint(void *arg, const struct roster_device *d, const struct wire_hint *h)
{
	struct app *a = arg;

	return hints_take(a->board, d, h, port_wall_ms(a->cfg.port));
}

static enum status
worker_start(struct app *a, struct worker *w)
{
	struct printed_config pc;
	struct fold_config fc;
	enum status st;

	w->app = a;
	buf_init(&w->body, 8 << 20);
	st = answer_new(&w->answer, a->centre, a->roster, a->feed);
	if (st == ST_OK)
		answer_on_hint(w->answer, on_hint, a);
	if (st == ST_OK)
		st = feed_reader_open(&w->feed, a->feed);
	if (st == ST_OK)
		st = centre_reader_open(&w->reader, a->centre);
	if (st == ST_OK)
		st = project_reader_open(&w->project, a->project);
	w->domain = domain_ref(a->domain);
	fc = (struct fold_config){ .kinds = w->domain->kinds,
		.rules = w->domain->rules,
		.reader = w->reader,
		.feed = w->feed,
		.utc_offset_min = (int)a->cfg.options.utc_offset_min,
		.tail_max = RECORD_TAIL_MAX };
	if (st == ST_OK) {
		project_fold_facts(w->project, &fc);
		st = fold_new(&w->fold, &fc);
	}
	pc = (struct printed_config){ .centre = a->centre,
		.reader = w->reader,
		.project = w->project,
		.fold = w->fold };
	if (st == ST_OK)
		st = printed_new(&w->printed, &pc);
	if (st == ST_OK &&
	    pthread_create(&w->thread, NULL, work_thread, w) != 0)
		st = ST_NOMEM;
	w->running = st == ST_OK;
	return st;
}

/* ---- following the log */

enum {
	FEED_STEP = 20000,    /* entries followed before it is asked to stop */
	PROJECT_STEP = 20000, /* likewise */
	/* Records whose words are indexed at once, and from how many on that is
	 * not left for a quiet second. */
	INDEX_STEP = 2000,
	INDEX_SOON = 5000
};

uint64_t
work_behind(const struct app *a)
{
	uint64_t at = project_size(a->project);
	uint64_t size = tlog_size(centre_tlog(a->centre));

	return size > at ? size - at : 0;
}

static void
on_commit(void *arg, uint64_t size)
{
	struct app *a = arg;

	(void)pthread_mutex_lock(&a->follow_lock);
	a->follow_to = size;
	(void)pthread_cond_broadcast(&a->follow_wake);
	(void)pthread_mutex_unlock(&a->follow_lock);
}

/* Wait until there is more at `to` than at `from`, or a second has passed:
 * other processes (the administrator's commands) commit too, and time alone
 * makes things fall due.  False at the end. */
static bool
wait_for_more(struct app *a, bool feed)
{
	struct timespec until;
	bool go_on;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	(void)pthread_mutex_lock(&a->follow_lock);
	for (;;) {
		uint64_t fed = feed_size(a->feed);

		if (a->stopping || (feed ? a->follow_to > fed
					 : fed > project_size(a->project) ||
					       !evidence_is_whole(a->evidence)))
			break;
		if (pthread_cond_timedwait(
			&a->follow_wake, &a->follow_lock, &until) == ETIMEDOUT)
			break;
	}
	go_on = !a->stopping;
	(void)pthread_mutex_unlock(&a->follow_lock);
	return go_on;
}

static void
followed(struct app *a, enum status st, const char *event)
{
	struct timespec pause = { .tv_sec = 1 };

	if (st == ST_OK)
		return;
	app_say(a, APP_ERROR, event, "cannot follow the log: %s; trying again",
	    status_text(st));
	(void)nanosleep(&pause, NULL);
}

enum status
work_domain(struct app *a)
{
	struct domain *now = NULL, *was = a->domain;
	enum status st = define_domain(a->define, &now);

	if (st != ST_OK || now == was) {
		domain_unref(now);
		return st;
	}
	(void)pthread_mutex_lock(&a->lock);
	a->domain = now;
	(void)pthread_mutex_unlock(&a->lock);
	hints_kinds(a->board, now->kinds);
	st = project_domain(a->project, now->kinds, now->rules);
	/* Should that fail, the projection keeps its list of what was judged
	 * by what, and the next start looks again. */
	domain_unref(was);
	app_say(a, APP_INFO, "definitions",
	    "kinds and rules of the log are in force: rules %.16s",
	    rules_version(now->rules));
	return st;
}

static void *
feed_thread(void *arg)
{
	struct app *a = arg;
	uint64_t polled = 0;

	(void)pthread_setname_np(pthread_self(), "feed");
	while (wait_for_more(a, true)) {
		uint64_t done = 0, now = port_mono_ms(a->cfg.port);

		followed(a, feed_follow(a->feed, FEED_STEP, &done), "feed");
		(void)pthread_mutex_lock(&a->follow_lock);
		(void)pthread_cond_broadcast(&a->follow_wake);
		(void)pthread_mutex_unlock(&a->follow_lock);
		if (now - polled >= 1000) {
			polled = now;
			centre_poll(a->centre);
		}
	}
	return NULL;
}

/* Who names and holds which file; uploads that nobody goes on with. */
static void
follow_evidence(struct app *a)
{
	uint64_t done = 0;

	followed(
	    a, evidence_follow(a->evidence, PROJECT_STEP, &done), "evidence");
	if (evidence_is_whole(a->evidence))
		followed(a, evidence_sweep(a->evidence), "evidence");
}

/* Searches look through the words that wait: no hurry. */
static bool
may_index(struct app *a, bool quiet)
{
	uint64_t words = project_waiting(a->project);
	bool stopping;

	(void)pthread_mutex_lock(&a->follow_lock);
	stopping = a->stopping;
	(void)pthread_mutex_unlock(&a->follow_lock);
	return !stopping && words > 0 && (quiet || words >= INDEX_SOON) &&
	       feed_size(a->feed) <= project_size(a->project);
}

static void *
project_thread(void *arg)
{
	struct app *a = arg;
	bool behind = work_behind(a) > CATCHING_UP;

	(void)pthread_setname_np(pthread_self(), "project");
	if (behind)
		app_say(a, APP_INFO, "catching_up",
		    "%llu entries of the log are being read again; lists "
		    "lack them until then",
		    (unsigned long long)work_behind(a));
	while (wait_for_more(a, false)) {
		uint64_t done = 0;
		bool quiet = feed_size(a->feed) <= project_size(a->project);
		enum status st = work_domain(a);

		if (st == ST_OK)
			st = project_follow(a->project, PROJECT_STEP, &done);
		while (st == ST_OK && may_index(a, quiet))
			st = project_index(a->project, INDEX_STEP);
		followed(a, st, "project");
		follow_evidence(a);
		if (behind && work_behind(a) <= CATCHING_UP) {
			behind = false;
			app_say(a, APP_INFO, "caught_up",
			    "lists know all that is in the log");
		}
	}
	return NULL;
}

enum status
work_start(struct app *a)
{
	enum status st = ST_OK;

	a->worker_count = (size_t)a->cfg.options.workers;
	a->worker = calloc(a->worker_count, sizeof(*a->worker));
	if (a->worker == NULL)
		return ST_NOMEM;
	for (size_t i = 0; st == ST_OK && i < a->worker_count; i++)
		st = worker_start(a, &a->worker[i]);
	if (st != ST_OK)
		return st;
	centre_observe(a->centre, on_commit, a);
	if (pthread_create(&a->feeder, NULL, feed_thread, a) != 0)
		return ST_NOMEM;
	a->feeding = true;
	if (pthread_create(&a->projector, NULL, project_thread, a) != 0)
		return ST_NOMEM;
	a->projecting = true;
	return ST_OK;
}

void
work_stop(struct app *a)
{
	(void)pthread_mutex_lock(&a->follow_lock);
	(void)pthread_mutex_lock(&a->lock);
	a->stopping = true;
	(void)pthread_cond_broadcast(&a->wake);
	(void)pthread_mutex_unlock(&a->lock);
	(void)pthread_cond_broadcast(&a->follow_wake);
	(void)pthread_mutex_unlock(&a->follow_lock);
	for (size_t i = 0; a->worker != NULL && i < a->worker_count; i++) {
		struct worker *w = &a->worker[i];

		if (w->running)
			(void)pthread_join(w->thread, NULL);
		answer_free(w->answer);
		printed_free(w->printed);
		fold_free(w->fold);
		domain_unref(w->domain);
		project_reader_close(w->project);
		feed_reader_close(w->feed);
		centre_reader_close(w->reader);
		buf_free(&w->body);
	}
	free(a->worker);
	a->worker = NULL;
	if (a->feeding)
		(void)pthread_join(a->feeder, NULL);
	if (a->projecting)
		(void)pthread_join(a->projector, NULL);
	a->feeding = a->projecting = false;
}
