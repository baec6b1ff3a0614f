/*
 * One network thread: its loop, listeners, clock and mail.
 */
#include <signal.h>
#include <string.h>

#include "server/net/net_internal.h"

enum { TICK_MS_MIN = 20, TICK_MS_MAX = 1000, STOP_TICK_MS = 20 };

uint64_t
loop_now(const struct loop *l)
{
	return port_mono_ms(l->net->cfg.port);
}

void
tally_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

void
net_say(const struct net *net, const struct net_log *line)
{
	if (net->cfg.log != NULL)
		net->cfg.log(net->cfg.log_arg, line);
}

/* Answered, or resumed, by a thread that is not this one. */
static void
deliver(struct rq *r)
{
	struct conn *c = r->conn;

	if (r->kind == MAIL_RESUME) {
		r->paused = false;
		if (r->dead) {
			rq_free(r);
			return;
		}
		/* The client could not send meanwhile: its clock starts anew */
		c->since_ms = loop_now(c->loop);
		c->rate_bytes = 0;
		conn_http_resumed(c);
		conn_pump(c);
		return;
	}
	if (r->kind == MAIL_GIVE) {
		r->wanting = false;
		if (r->dead)
			rq_free(r);
		else
			conn_pump(c);
		return;
	}
	if (c == NULL) {
		rq_free(r); /* nobody waits for it any more */
		return;
	}
	conn_http_answer(c);
	conn_pump(c);
}

static void
cut_devices(struct loop *l, char (*dev)[DEV_LEN + 1], unsigned count, bool all)
{
	struct conn *c, *next;

	for (c = l->conns; c != NULL; c = next) {
		const struct peer *p;
		bool hit = false;

		next = c->next;
		if (c->tls == NULL || c->state == CONN_CLOSED)
			continue;
		p = tls_conn_peer(c->tls);
		for (unsigned i = 0; i < count; i++)
			hit |= strcmp(p->dev, dev[i]) == 0;
		if (hit || (all && p->dev[0] != '\0'))
			conn_close(c, "the device's standing has changed");
	}
}

static void
on_close_nothing(uv_handle_t *h)
{
	(void)h;
}

/*
 * Take no more connections.  Idle ones are closed at the next tick and not
 * here: a request that the system has already received is read before that.
 */
static void
begin_stop(struct loop *l, unsigned grace_ms)
{
	if (l->stopping)
		return;
	l->stopping = true;
	l->stop_at_ms = loop_now(l) + grace_ms;
	for (unsigned i = 0; i < l->net->cfg.listener_count; i++)
		uv_close((uv_handle_t *)&l->listen[i], on_close_nothing);
	(void)uv_timer_set_repeat(&l->tick, STOP_TICK_MS);
	(void)uv_timer_again(&l->tick);
	loop_check_end(l);
}

void
loop_check_end(struct loop *l)
{
	if (!l->stopping || l->conns != NULL || l->ended)
		return;
	l->ended = true;
	mailbox_close(l->mail);
	uv_close((uv_handle_t *)&l->async, on_close_nothing);
	uv_close((uv_handle_t *)&l->tick, on_close_nothing);
}

static void
on_mail(uv_async_t *a)
{
	struct loop *l = a->data;
	struct mailbox *m = l->mail;
	char cut[CUTS_MAX][DEV_LEN + 1];
	unsigned cut_count, grace_ms;
	struct rq *r, *next;
	bool cut_all, stop;

	(void)pthread_mutex_lock(&m->lock);
	r = m->first;
	m->first = NULL;
	m->last = NULL;
	cut_count = m->cut_count;
	cut_all = m->cut_all;
	memcpy(cut, m->cut, sizeof(cut));
	m->cut_count = 0;
	m->cut_all = false;
	stop = m->stop;
	grace_ms = m->grace_ms;
	(void)pthread_mutex_unlock(&m->lock);

	/* Answers first: one that stands goes out even to a device to be cut */
	for (; r != NULL; r = next) {
		next = r->next;
		deliver(r);
	}
	if (cut_count > 0 || cut_all)
		cut_devices(l, cut, cut_count, cut_all);
	if (stop)
		begin_stop(l, grace_ms);
}

static void
on_tick(uv_timer_t *t)
{
	struct loop *l = t->data;
	uint64_t now = loop_now(l);
	struct conn *c, *next;

	for (c = l->conns; c != NULL; c = next) {
		next = c->next;
		if (l->stopping && now >= l->stop_at_ms)
			conn_close(
			    c, c->rq == NULL
				   ? NULL
				   : "the server stops and has waited enough");
		else
			conn_sweep(c, now);
	}
}

/* Fine enough for the shortest of the limits. */
static unsigned
tick_of(const struct net_limits *lim)
{
	unsigned ms[] = { lim->handshake_ms, lim->idle_ms, lim->head_ms,
		lim->body_grace_ms, lim->reply_ms, lim->send_ms,
		lim->linger_ms };
	unsigned least = TICK_MS_MAX * 4;

	for (size_t i = 0; i < sizeof(ms) / sizeof(ms[0]); i++)
		if (ms[i] < least)
			least = ms[i];
	return least / 4 < TICK_MS_MIN ? TICK_MS_MIN : least / 4;
}

enum status
loop_init(struct loop *l, struct net *net, unsigned index)
{
	unsigned tick = tick_of(&net->cfg.limits);

	l->net = net;
	l->index = index;
	if (uv_loop_init(&l->uv) < 0)
		return ST_NOMEM;
	l->mail = mailbox_new(&l->async);
	if (l->mail == NULL) {
		(void)uv_loop_close(&l->uv);
		return ST_NOMEM;
	}
	if (uv_async_init(&l->uv, &l->async, on_mail) < 0) {
		mailbox_unref(l->mail);
		l->mail = NULL;
		(void)uv_loop_close(&l->uv);
		return ST_NOMEM;
	}
	l->async.data = l;
	(void)uv_timer_init(&l->uv, &l->tick);
	l->tick.data = l;
	(void)uv_timer_start(&l->tick, on_tick, tick, tick);
	l->made = true;
	return ST_OK;
}

static void
close_walk(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, on_close_nothing);
}

void
loop_abandon(struct loop *l)
{
	if (!l->made)
		return;
	mailbox_close(l->mail);
	uv_walk(&l->uv, close_walk, NULL);
	(void)uv_run(&l->uv, UV_RUN_DEFAULT);
	(void)uv_loop_close(&l->uv);
	l->made = false;
}

void *
loop_run(void *arg)
{
	struct loop *l = arg;
	int rc;

	(void)pthread_setname_np(pthread_self(), "net");
	/* Ends when begin_stop has closed the last handle. */
	(void)uv_run(&l->uv, UV_RUN_DEFAULT);
	rc = uv_loop_close(&l->uv);
	(void)rc;
	return NULL;
}
