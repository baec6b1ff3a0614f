#include "server/net/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/net/net_internal.h"

enum { BACKLOG = 4096 };

void
net_limits_default(struct net_limits *out)
{
	*out = (struct net_limits){ .conns_max = 20000,
		.conns_per_addr_max = 4096, /* a carrier's one address */
		.handshake_ms = 15000,
		.idle_ms = 120000,
		.head_ms = 15000,
		.body_grace_ms = 15000,
		.body_rate_min = 256,
		.reply_ms = 60000,
		.send_ms = 30000,
		.linger_ms = 2000,
		.head_bytes_max = HTTP_HEAD_BYTES_MAX,
		.bodies_bytes_max = 256 << 20 };
}

static enum status say(char errmsg[NET_ERRMSG_LEN], enum status st,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static enum status
say(char errmsg[NET_ERRMSG_LEN], enum status st, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(errmsg, NET_ERRMSG_LEN, fmt, ap);
	va_end(ap);
	return st;
}

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} sa;
	socklen_t len;
	bool loopback;
};

static bool
address_of(struct address *out, const char *host, uint16_t port)
{
	memset(out, 0, sizeof(*out));
	if (uv_ip4_addr(host, port, &out->sa.v4) == 0) {
		out->len = sizeof(out->sa.v4);
		out->loopback =
		    (ntohl(out->sa.v4.sin_addr.s_addr) >> 24) == 127;
		return true;
	}
	if (uv_ip6_addr(host, port, &out->sa.v6) == 0) {
		out->len = sizeof(out->sa.v6);
		out->loopback = IN6_IS_ADDR_LOOPBACK(&out->sa.v6.sin6_addr);
		return true;
	}
	return false;
}

static enum status
validate(const struct net_config *cfg, char errmsg[NET_ERRMSG_LEN])
{
	const struct net_limits *lim = &cfg->limits;

	if (cfg->threads == 0 || cfg->threads > NET_THREADS_MAX)
		return say(errmsg, ST_INVALID,
		    "the number of network threads must be 1 to %d",
		    NET_THREADS_MAX);
	if (cfg->listener_count == 0 || cfg->listener_count > NET_LISTENERS_MAX)
		return say(errmsg, ST_INVALID, "no listener, or too many");
	if (!routes_valid(cfg->routes, cfg->route_count))
		return say(errmsg, ST_INVALID, "the table of routes is wrong");
	if (lim->head_bytes_max < 256 ||
	    lim->head_bytes_max > HTTP_HEAD_BYTES_MAX || lim->conns_max == 0 ||
	    lim->conns_max > 1000000 || lim->body_rate_min == 0)
		return say(errmsg, ST_INVALID, "a limit is out of its range");
	for (unsigned i = 0; i < cfg->listener_count; i++) {
		const struct net_listen *ln = &cfg->listeners[i];
		struct address a;

		if (!address_of(&a, ln->host, ln->port))
			return say(errmsg, ST_INVALID,
			    "%s: '%s' is not an IP address", ln->name,
			    ln->host);
		if (ln->tls == NULL && !a.loopback)
			return say(errmsg, ST_INVALID,
			    "%s: without TLS only on loopback, not on %s",
			    ln->name, ln->host);
	}
	return ST_OK;
}

static enum status
listen_failed(char errmsg[NET_ERRMSG_LEN], const struct net_listen *ln, int err)
{
	enum status st = ST_NET;

	if (err == EADDRINUSE)
		st = ST_CONFLICT;
	else if (err == EACCES || err == EPERM)
		st = ST_DENIED;
	else if (err == ENOMEM)
		st = ST_NOMEM;
	return say(errmsg, st, "%s: cannot listen on %s port %u: %s", ln->name,
	    ln->host, (unsigned)ln->port, strerror(err));
}

/*
 * Sharing a port is for our own threads.  A second server of the same user
 * would silently take half of the connections; so the port is first bound
 * without sharing, which fails if anybody listens there.
 */
static enum status
probe(const struct net_listen *ln, const struct address *a,
    char errmsg[NET_ERRMSG_LEN])
{
	int fd, one = 1, err = 0;

	if (ln->port == 0)
		return ST_OK;
	fd = socket(a->sa.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return listen_failed(errmsg, ln, errno);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, &a->sa.any, a->len) != 0)
		err = errno;
	(void)close(fd);
	return err == 0 ? ST_OK : listen_failed(errmsg, ln, err);
}

static enum status
listen_on(struct loop *l, unsigned index, char errmsg[NET_ERRMSG_LEN])
{
	const struct net_listen *ln = &l->net->cfg.listeners[index];
	uv_tcp_t *tcp = &l->listen[index];
	struct address a;
	int rc, fd = -1, one = 1, len = sizeof(a.sa);

	if (!address_of(&a, ln->host, l->net->port[index]))
		return ST_INVALID;
	rc = uv_tcp_init_ex(&l->uv, tcp, (unsigned)a.sa.any.sa_family);
	if (rc < 0)
		return listen_failed(errmsg, ln, -rc);
	tcp->data = l;
	rc = uv_fileno((uv_handle_t *)tcp, &fd);
	if (rc == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) != 0)
		rc = -errno;
	if (rc == 0)
		rc = uv_tcp_bind(tcp, &a.sa.any, 0);
	if (rc == 0)
		rc = uv_listen((uv_stream_t *)tcp, BACKLOG, conn_accept);
	if (rc == 0)
		rc = uv_tcp_getsockname(tcp, &a.sa.any, &len);
	if (rc < 0)
		return listen_failed(errmsg, ln, -rc);
	/* The first thread's ephemeral port is every thread's. */
	l->net->port[index] =
	    ntohs(a.sa.any.sa_family == AF_INET ? a.sa.v4.sin_port
						: a.sa.v6.sin6_port);
	return ST_OK;
}

static enum status
open_all(struct net *net, char errmsg[NET_ERRMSG_LEN])
{
	enum status st = ST_OK;

	for (unsigned i = 0; i < net->cfg.listener_count && st == ST_OK; i++) {
		const struct net_listen *ln = &net->cfg.listeners[i];
		struct address a;

		net->port[i] = ln->port;
		if (address_of(&a, ln->host, ln->port))
			st = probe(ln, &a, errmsg);
	}
	for (unsigned i = 0; i < net->loop_count && st == ST_OK; i++) {
		st = loop_init(&net->loop[i], net, i);
		if (st != ST_OK)
			return say(errmsg, st, "out of memory");
		for (unsigned k = 0; k < net->cfg.listener_count && st == ST_OK;
		     k++)
			st = listen_on(&net->loop[i], k, errmsg);
	}
	return st;
}

/*
 * Signals are for the program's own thread; a write to a socket that is gone
 * must not end the process (SIGPIPE).
 */
static bool
start_thread(struct loop *l)
{
	sigset_t all, before;
	int rc;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&l->thread, NULL, loop_run, l);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	l->running = rc == 0;
	return l->running;
}

enum status
net_start(
    struct net **out, const struct net_config *cfg, char errmsg[NET_ERRMSG_LEN])
{
	struct net *net;
	enum status st;

	errmsg[0] = '\0';
	st = validate(cfg, errmsg);
	if (st != ST_OK)
		return st;
	net = calloc(1, sizeof(*net) + cfg->threads * sizeof(net->loop[0]));
	if (net == NULL)
		return say(errmsg, ST_NOMEM, "out of memory");
	net->cfg = *cfg;
	net->loop_count = cfg->threads;
	st = addrs_new(&net->addrs, cfg->port, cfg->limits.conns_max);
	if (st == ST_OK)
		st = open_all(net, errmsg);
	/* Before the first thread runs: its requests may look for it there. */
	*out = net;
	for (unsigned i = 0; i < net->loop_count && st == ST_OK; i++)
		if (!start_thread(&net->loop[i]))
			st = say(errmsg, ST_NOMEM, "cannot start a thread");
	if (st != ST_OK) {
		if (errmsg[0] == '\0')
			(void)say(errmsg, st, "%s", status_text(st));
		net_stop(net, 0);
		*out = NULL;
		net_free(net);
		return st;
	}
	for (unsigned i = 0; i < cfg->listener_count; i++) {
		char text[NET_ADDR_LEN + 16];
		struct net_log line = { .level = NET_INFO,
			.event = "listen",
			.listener = cfg->listeners[i].name,
			.addr = text,
			.dev = "",
			.reason = "",
			.method = "",
			.path = "" };

		(void)snprintf(text, sizeof(text), "%s port %u",
		    cfg->listeners[i].host, (unsigned)net->port[i]);
		net_say(net, &line);
	}
	return ST_OK;
}

uint16_t
net_port(const struct net *net, unsigned index)
{
	return net->port[index];
}

void
net_stop(struct net *net, unsigned grace_ms)
{
	if (net == NULL || net->stopped)
		return;
	net->stopped = true;
	for (unsigned i = 0; i < net->loop_count; i++) {
		struct loop *l = &net->loop[i];

		if (!l->running) {
			loop_abandon(l);
			continue;
		}
		(void)pthread_mutex_lock(&l->mail->lock);
		l->mail->stop = true;
		l->mail->grace_ms = grace_ms;
		(void)uv_async_send(&l->async);
		(void)pthread_mutex_unlock(&l->mail->lock);
	}
	for (unsigned i = 0; i < net->loop_count; i++)
		if (net->loop[i].running)
			(void)pthread_join(net->loop[i].thread, NULL);
}

void
net_free(struct net *net)
{
	if (net == NULL)
		return;
	net_stop(net, 0);
	for (unsigned i = 0; i < net->loop_count; i++)
		mailbox_unref(net->loop[i].mail);
	addrs_free(net->addrs);
	free(net);
}

void
net_cut_device(struct net *net, const char *dev)
{
	for (unsigned i = 0; i < net->loop_count; i++) {
		struct mailbox *m = net->loop[i].mail;

		(void)pthread_mutex_lock(&m->lock);
		if (m->cut_count < CUTS_MAX)
			(void)snprintf(m->cut[m->cut_count++],
			    sizeof(m->cut[0]), "%s", dev);
		else
			m->cut_all = true;
		if (!m->closed)
			(void)uv_async_send(m->async);
		(void)pthread_mutex_unlock(&m->lock);
	}
}

void
net_counters(const struct net *net, struct net_counters *out)
{
	*out = (struct net_counters){ .conns_open = atomic_load(&net->open) };
	for (unsigned i = 0; i < net->loop_count; i++) {
		const struct tally *t = &net->loop[i].tally;

		out->conns_accepted += atomic_load(&t->accepted);
		out->conns_over_limit += atomic_load(&t->over_limit);
		out->handshakes_full += atomic_load(&t->full);
		out->handshakes_resumed += atomic_load(&t->resumed);
		out->handshakes_failed += atomic_load(&t->failed);
		out->requests += atomic_load(&t->requests);
		for (size_t k = 0; k < 6; k++)
			out->replies_by_class[k] +=
			    atomic_load(&t->by_class[k]);
		out->timeouts += atomic_load(&t->timeouts);
		out->requests_bad += atomic_load(&t->bad);
		out->bytes_in += atomic_load(&t->bytes_in);
		out->bytes_out += atomic_load(&t->bytes_out);
		out->requests_open += atomic_load(&net->loop[i].mail->open);
	}
}
