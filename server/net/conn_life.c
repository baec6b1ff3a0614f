/*
 * How connections begin, and how the clock ends them (conn.c has the rest).
 */
#include <stdlib.h>
#include <string.h>

#include "server/net/net_internal.h"

enum { LINGER_STOP_MS = 200 };

/* True if it took the address's or the server's ceiling. */
static bool
over_limit(struct conn *c)
{
	struct net *net = c->loop->net;
	struct sockaddr_storage sa;
	int len = sizeof(sa);

	memset(&sa, 0, sizeof(sa));
	if (uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&sa, &len) < 0)
		return true; /* gone already */
	addrs_key(c->addr_key, c->addr, (const struct sockaddr *)&sa);
	if (atomic_fetch_add(&net->open, 1) >= net->cfg.limits.conns_max) {
		atomic_fetch_sub(&net->open, 1);
		return true;
	}
	if (!addrs_enter(
		net->addrs, c->addr_key, net->cfg.limits.conns_per_addr_max)) {
		atomic_fetch_sub(&net->open, 1);
		return true;
	}
	return false;
}

static void
on_never_open(uv_handle_t *h)
{
	free(h->data);
}

/* Turn one away.  Said once a second at most: it may be many thousands. */
static void
turn_away(struct conn *c)
{
	struct loop *l = c->loop;
	uint64_t now = loop_now(l);

	tally_add(&l->tally.over_limit, 1);
	l->limit_unsaid++;
	if (now - l->limit_log_ms >= 1000 || l->limit_log_ms == 0) {
		conn_log(c, NET_WARN, "limit",
		    "too many connections, in all or from this address");
		l->limit_log_ms = now;
		l->limit_unsaid = 0;
	}
	uv_close((uv_handle_t *)&c->tcp, on_never_open);
}

static bool
conn_open(struct conn *c)
{
	struct net *net = c->loop->net;
	struct tls_conf *conf = net->cfg.listeners[c->listener].tls;

	if (conf != NULL && tls_conn_new(&c->tls, conf) != ST_OK)
		return false;
	if (http_reader_new(&c->http, net->cfg.limits.head_bytes_max) != ST_OK)
		return false;
	(void)uv_tcp_nodelay(&c->tcp, 1);
	c->state = conf != NULL ? CONN_HANDSHAKE : CONN_READ;
	return true;
}

void
conn_accept(uv_stream_t *server, int status)
{
	struct loop *l = server->data;
	struct conn *c;

	if (status < 0)
		return; /* such as no file descriptors; libuv tries again */
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return;
	c->loop = l;
	c->listener = (unsigned)((uv_tcp_t *)server - l->listen);
	c->since_ms = loop_now(l);
	buf_init(&c->rest, TLS_INPUT_MAX);
	buf_init(&c->plain_out, TLS_OUTPUT_HIGH);
	buf_init(&c->sending, TLS_OUTPUT_HIGH);
	buf_init(&c->head_out, 1);
	if (uv_tcp_init(&l->uv, &c->tcp) < 0) {
		free(c);
		return;
	}
	c->tcp.data = c;
	if (uv_accept(server, (uv_stream_t *)&c->tcp) < 0) {
		uv_close((uv_handle_t *)&c->tcp, on_never_open);
		return;
	}
	if (l->stopping || over_limit(c)) {
		turn_away(c);
		return;
	}
	tally_add(&l->tally.accepted, 1);
	c->next = l->conns;
	if (c->next != NULL)
		c->next->prev = c;
	l->conns = c;
	if (!conn_open(c)) {
		conn_close(c, "out of memory");
		return;
	}
	conn_pump(c);
}

static void
timed_out(struct conn *c, const char *why)
{
	tally_add(&c->loop->tally.timeouts, 1);
	conn_log(c, NET_INFO, "timeout", why);
}

/* The body's rate, over the time in which it could have come. */
static bool
too_slow(const struct conn *c, uint64_t waited)
{
	const struct net_limits *lim = &c->loop->net->cfg.limits;

	if (c->rq != NULL && c->rq->paused)
		return false;
	return waited > lim->body_grace_ms &&
	       c->rate_bytes < waited * lim->body_rate_min / 1000;
}

void
conn_sweep(struct conn *c, uint64_t now)
{
	const struct net_limits *lim = &c->loop->net->cfg.limits;
	uint64_t waited = now - c->since_ms;

	if (c->state == CONN_CLOSED)
		return;
	if (c->write_busy && now - c->write_since_ms >
				 lim->send_ms + (uint64_t)c->write_len * 1000 /
						    lim->body_rate_min) {
		timed_out(c, "the client does not take its answer");
		conn_close(c, NULL);
		return;
	}
	switch (c->state) {
	case CONN_HANDSHAKE:
		if (waited <= lim->handshake_ms)
			return;
		timed_out(c, "no handshake in time");
		conn_close(c, NULL);
		return;
	case CONN_READ:
		if (c->in_head && waited > lim->head_ms) {
			timed_out(c, "no whole head in time");
			conn_http_refuse(c, 408, "head too slow");
		} else if (!c->in_head &&
			   (waited > lim->idle_ms || c->loop->stopping)) {
			conn_end(c);
		} else {
			return;
		}
		break;
	case CONN_BODY:
		if (!too_slow(c, waited))
			return;
		timed_out(c, "the body comes too slowly");
		conn_http_refuse(c, 408, "body too slow");
		break;
	case CONN_WAIT:
		if (waited <= lim->reply_ms)
			return;
		timed_out(c, "the handler did not answer in time");
		conn_http_refuse(c, 503, "no answer in time");
		break;
	case CONN_LINGER:
		if (waited >
		    (c->loop->stopping ? LINGER_STOP_MS : lim->linger_ms))
			conn_close(c, NULL);
		return;
	case CONN_SEND:
	case CONN_END:
	case CONN_CLOSED:
		return;
	}
	conn_pump(c);
}
