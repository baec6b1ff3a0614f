#include "support/net_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/expect.h"

enum { WAIT_S = 120 };

/* What /stream counts. */
struct sum {
	uint64_t bytes, sum;
};

static struct net_fixture *the; /* one fixture a program: handlers' arg */

static void
text(struct request *rq, unsigned status, const char *s)
{
	struct reply re = {
		.status = status, .type = "text/plain", .body = bytes_str(s)
	};

	request_reply(rq, &re);
}

static void
on_hello(struct request *rq, void *arg)
{
	(void)arg;
	text(rq, 200, "hello");
}

static void
on_who(struct request *rq, void *arg)
{
	char s[256];

	(void)arg;
	(void)snprintf(s, sizeof(s), "%s %s %s %s",
	    peer_role_text(rq->peer.role), rq->peer.dev,
	    rq->peer.resumed ? "resumed" : "full", rq->addr);
	text(rq, 200, s);
}

static void
on_echo(struct request *rq, void *arg)
{
	struct reply re = { .status = 200, .body = rq->body };

	(void)arg;
	request_reply(rq, &re);
}

static void
on_later(struct request *rq, void *arg)
{
	(void)arg;
	(void)pthread_mutex_lock(&the->lock);
	EXPECT(the->held_count < FIXTURE_HELD_MAX);
	the->held[the->held_count++] = rq;
	(void)pthread_cond_broadcast(&the->changed);
	(void)pthread_mutex_unlock(&the->lock);
}

static void
on_big(struct request *rq, void *arg)
{
	struct buf b;
	struct reply re = { .status = 200, .take = &b };
	uint8_t *p;

	(void)arg;
	buf_init(&b, FIXTURE_BIG);
	p = buf_extend(&b, FIXTURE_BIG);
	if (p != NULL)
		memset(p, 'b', FIXTURE_BIG);
	request_reply(rq, &re);
}

static void
stream_open(struct request *rq, void *arg)
{
	(void)arg;
	rq->user = calloc(1, sizeof(struct sum));
}

static void
stream_data(struct request *rq, struct bytes in, void *arg)
{
	struct sum *s = rq->user;

	(void)arg;
	s->bytes += in.len;
	for (size_t i = 0; i < in.len; i++)
		s->sum += in.p[i];
	if (!the->stream_pause)
		return;
	request_pause(rq);
	(void)pthread_mutex_lock(&the->lock);
	the->paused = rq;
	(void)pthread_cond_broadcast(&the->changed);
	(void)pthread_mutex_unlock(&the->lock);
}

static void
stream_aborted(struct request *rq, void *arg)
{
	(void)arg;
	free(rq->user);
	rq->user = NULL;
	the->aborted++;
}

static void
stream_end(struct request *rq, void *arg)
{
	struct sum *s = rq->user;
	char line[64];

	(void)arg;
	(void)snprintf(line, sizeof(line), "%llu %llu",
	    (unsigned long long)s->bytes, (unsigned long long)s->sum);
	free(s);
	text(rq, 200, line);
}

static void
refuse_open(struct request *rq, void *arg)
{
	(void)arg;
	request_error(rq, 409, "conflict", "no", "不", 0);
}

static void
refuse_data(struct request *rq, struct bytes in, void *arg)
{
	(void)rq;
	(void)in;
	(void)arg;
	fail_msg("data after the refusal");
}

static void
refuse_aborted(struct request *rq, void *arg)
{
	(void)rq;
	(void)arg;
	fail_msg("aborted after the refusal");
}

/* ---- /decide */

static void
decide_open(struct request *rq, void *arg)
{
	stream_open(rq, arg);
	request_pause(rq);
	(void)pthread_mutex_lock(&the->lock);
	the->paused = rq;
	(void)pthread_cond_broadcast(&the->changed);
	(void)pthread_mutex_unlock(&the->lock);
}

static void
decide_resumed(struct request *rq, void *arg)
{
	struct sum *s = rq->user;

	(void)arg;
	EXPECT(s->bytes == 0);
	if (!the->refuse)
		return;
	free(s);
	request_error(rq, 409, "conflict", "no", "不", 0);
}

/* ---- /source */

static void
source_want(struct request *rq, void *arg)
{
	(void)arg;
	if (the->source_fails) {
		request_give(rq, bytes_of(NULL, 0));
		return;
	}
	if (!the->source_wait) {
		request_give(rq, bytes_of(the->piece, 8192));
		return;
	}
	(void)pthread_mutex_lock(&the->lock);
	the->paused = rq;
	(void)pthread_cond_broadcast(&the->changed);
	(void)pthread_mutex_unlock(&the->lock);
}

static void
source_done(void *arg)
{
	(void)arg;
	the->sources_done++;
}

static void
on_source(struct request *rq, void *arg)
{
	static const struct reply_source source = { source_want, source_done };
	struct reply re = { .status = 200,
		.type = "text/plain",
		.source = &source,
		.source_len = FIXTURE_BIG };

	(void)arg;
	request_reply(rq, &re);
}

static const struct request_stream deciding = { .open = decide_open,
	.data = stream_data,
	.aborted = stream_aborted,
	.resumed = decide_resumed };
static const struct request_stream stream = {
	.open = stream_open, .data = stream_data, .aborted = stream_aborted
};
static const struct request_stream refusing = {
	.open = refuse_open, .data = refuse_data, .aborted = refuse_aborted
};

static const struct route routes[] = {
	{ .method = "GET",
	    .pattern = "/hello",
	    .listeners = 7,
	    .handler = on_hello },
	{ .method = "GET",
	    .pattern = "/who",
	    .listeners = 7,
	    .handler = on_who },
	{ .method = "POST",
	    .pattern = "/echo",
	    .listeners = 7,
	    .body_max = 1 << 20,
	    .handler = on_echo },
	{ .method = "POST",
	    .pattern = "/tiny",
	    .listeners = 7,
	    .body_max = 10,
	    .handler = on_echo },
	{ .method = "GET",
	    .pattern = "/later",
	    .listeners = 7,
	    .handler = on_later },
	{ .method = "GET",
	    .pattern = "/big",
	    .listeners = 7,
	    .handler = on_big },
	{ .method = "GET",
	    .pattern = "/device",
	    .listeners = 7,
	    .peers = PEER_DEVICE,
	    .handler = on_hello },
	{ .method = "POST",
	    .pattern = "/stream",
	    .listeners = 7,
	    .body_max = 1 << 30,
	    .handler = stream_end,
	    .stream = &stream },
	{ .method = "POST",
	    .pattern = "/refuse",
	    .listeners = 7,
	    .body_max = 1 << 30,
	    .handler = on_hello,
	    .stream = &refusing },
	{ .method = "POST",
	    .pattern = "/decide",
	    .listeners = 7,
	    .body_max = 1 << 30,
	    .handler = stream_end,
	    .stream = &deciding },
	{ .method = "GET",
	    .pattern = "/source",
	    .listeners = 7,
	    .handler = on_source },
};

static enum identity
identity(void *arg, const uint8_t serial[X509_SERIAL_LEN], const char *dev)
{
	struct net_fixture *f = arg;

	(void)serial;
	(void)dev;
	return (enum identity)f->verdict;
}

static void
on_log(void *arg, const struct net_log *l)
{
	struct net_fixture *f = arg;

	(void)pthread_mutex_lock(&f->lock);
	buf_printf(&f->log, "%s %s %s [%s] %s %s %u %s\n", l->event,
	    l->listener, l->addr, l->dev, l->method, l->path, l->status,
	    l->reason);
	(void)pthread_cond_broadcast(&f->changed);
	(void)pthread_mutex_unlock(&f->lock);
}

static struct tls_conf *
conf_new(struct net_fixture *f, enum tls_role role)
{
	struct tls_settings s = { .port = &f->clock.port,
		.role = role,
		.cert_der = buf_view(&f->pki.server_cert),
		.key_der = buf_view(&f->pki.server_key),
		.ca_der = ca_cert(f->pki.ca),
		.ticket_life_s = 3600,
		.identity = identity,
		.identity_arg = f };
	struct tls_conf *conf = NULL;

	EXPECT_OK(tls_conf_new(&conf, &s));
	return conf;
}

void
fixture_open(struct net_fixture *f)
{
	pthread_condattr_t attr;

	*f = (struct net_fixture){ 0 };
	the = f;
	clock_port_init(&f->clock);
	pki_open(&f->pki, &f->clock.port);
	pki_leaf_new(&f->leaf[0], &f->pki, PKI_GOOD, 1);
	pki_leaf_new(&f->leaf[1], &f->pki, PKI_GOOD, 2);
	f->device = conf_new(f, TLS_MUTUAL);
	f->public = conf_new(f, TLS_SERVER);
	(void)pthread_mutex_init(&f->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&f->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	buf_init(&f->log, 16 << 20);
}

void
fixture_close(struct net_fixture *f)
{
	tls_conf_free(f->device);
	tls_conf_free(f->public);
	pki_leaf_free(&f->leaf[0]);
	pki_leaf_free(&f->leaf[1]);
	pki_close(&f->pki);
	buf_free(&f->log);
	(void)pthread_cond_destroy(&f->changed);
	(void)pthread_mutex_destroy(&f->lock);
}

void
fixture_start(struct net_fixture *f, const struct net_limits *limits)
{
	char err[NET_ERRMSG_LEN];

	f->verdict = IDENTITY_TRUSTED;
	f->clock.wall_shift_ms = 0;
	f->clock.mono_shift_ms = 0;
	f->held_count = 0;
	f->paused = NULL;
	f->stream_pause = false;
	f->refuse = false;
	f->source_wait = false;
	f->source_fails = false;
	f->sources_done = 0;
	memset(f->piece, 's', sizeof(f->piece));
	f->aborted = 0;
	buf_reset(&f->log);
	f->cfg = (struct net_config){ .port = &f->clock.port,
		.threads = f->one_thread ? 1 : 2,
		.listeners = { { "device", "127.0.0.1", 0, f->device, true },
		    { "public", "127.0.0.1", 0, f->public, false },
		    { "plain", "127.0.0.1", 0, NULL, false } },
		.listener_count = 3,
		.routes = routes,
		.route_count = sizeof(routes) / sizeof(routes[0]),
		.log = on_log,
		.log_arg = f };
	net_limits_default(&f->cfg.limits);
	if (limits != NULL)
		f->cfg.limits = *limits;
	if (net_start(&f->net, &f->cfg, err) != ST_OK)
		fail_msg("%s", err);
}

void
fixture_stop(struct net_fixture *f, unsigned grace_ms)
{
	net_stop(f->net, grace_ms);
	net_free(f->net);
	f->net = NULL;
}

void
fixture_short_limits(struct net_limits *out)
{
	net_limits_default(out);
	out->handshake_ms = 400;
	out->idle_ms = 500;
	out->head_ms = 300;
	out->body_grace_ms = 300;
	out->body_rate_min = 2000;
	out->reply_ms = 500;
	out->send_ms = 300;
	out->linger_ms = 300;
}

unsigned
fixture_release(struct net_fixture *f)
{
	struct request *rq[FIXTURE_HELD_MAX];
	unsigned n;

	(void)pthread_mutex_lock(&f->lock);
	n = f->held_count;
	memcpy(rq, f->held, n * sizeof(rq[0]));
	f->held_count = 0;
	(void)pthread_mutex_unlock(&f->lock);
	for (unsigned i = 0; i < n; i++)
		text(rq[i], 200, "later");
	return n;
}

/* Under the lock: sleep until something changes; false when time is up. */
static bool
wait_change(struct net_fixture *f, const struct timespec *until)
{
	return pthread_cond_timedwait(&f->changed, &f->lock, until) == 0;
}

static struct timespec
soon(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += WAIT_S;
	return ts;
}

void
fixture_wait_held(struct net_fixture *f, unsigned count)
{
	struct timespec until = soon();
	bool good = true;

	(void)pthread_mutex_lock(&f->lock);
	while (f->held_count < count && good)
		good = wait_change(f, &until);
	(void)pthread_mutex_unlock(&f->lock);
	EXPECT(good);
}

struct request *
fixture_wait_paused(struct net_fixture *f)
{
	struct timespec until = soon();
	struct request *rq;
	bool good = true;

	(void)pthread_mutex_lock(&f->lock);
	while (f->paused == NULL && good)
		good = wait_change(f, &until);
	rq = f->paused;
	f->paused = NULL;
	(void)pthread_mutex_unlock(&f->lock);
	EXPECT(good);
	return rq;
}

void
fixture_wait_log(struct net_fixture *f, const char *words)
{
	struct timespec until = soon();
	bool good = true;

	(void)pthread_mutex_lock(&f->lock);
	while (good &&
	       (f->log.len == 0 || strstr(buf_cstr(&f->log), words) == NULL))
		good = wait_change(f, &until);
	if (!good)
		print_error("not logged: %s\n%s\n", words, buf_cstr(&f->log));
	(void)pthread_mutex_unlock(&f->lock);
	EXPECT(good);
}

bool
fixture_logged(struct net_fixture *f, const char *words)
{
	bool found;

	(void)pthread_mutex_lock(&f->lock);
	found = f->log.len > 0 && strstr(buf_cstr(&f->log), words) != NULL;
	(void)pthread_mutex_unlock(&f->lock);
	return found;
}

void
fixture_forget_log(struct net_fixture *f)
{
	(void)pthread_mutex_lock(&f->lock);
	buf_reset(&f->log);
	(void)pthread_mutex_unlock(&f->lock);
}

void
fixture_client(struct net_fixture *f, struct tls_peer_conf *out,
    const struct pki_leaf *leaf)
{
	struct tls_peer_settings s = { .ca_der = ca_cert(f->pki.ca) };

	if (leaf != NULL) {
		s.cert_der = buf_view(&leaf->cert);
		s.key_der = buf_view(&leaf->key);
	}
	tls_peer_conf_init(out, &s);
}

void
fixture_wait_quiet(struct net_fixture *f)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	struct net_counters n;

	for (int i = 0; i < WAIT_S * 500; i++) {
		net_counters(f->net, &n);
		if (n.conns_open == 0 && n.requests_open == 0)
			return;
		(void)nanosleep(&pause, NULL);
	}
	fail_msg("%llu connections and %llu requests stay open",
	    (unsigned long long)n.conns_open,
	    (unsigned long long)n.requests_open);
}
