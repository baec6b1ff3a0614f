/*
 * From bytes to a request, and from an answer to bytes (RFC 9112).
 *
 * One request at a time: the next of a pipeline waits in the connection until
 * the answer before it is in the output.  A connection whose request was not
 * read to its end is never used again: what follows could be anything.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "server/net/net_internal.h"

enum { ONE_RECORD = 4096 /* cmake/daybreak_mbedtls_config.h */ };

static void
dispatch_begin(struct rq *r)
{
	rq_dispatching = r;
}

/* True if the handler answered inside the call. */
static bool
dispatch_end(struct rq *r)
{
	rq_dispatching = NULL;
	return r->answered;
}

void
conn_http_refuse(struct conn *c, unsigned status, const char *why)
{
	struct rq *r;

	/* What a handler has is its own; this answer needs another. */
	if (c->rq != NULL && c->rq->state != RQ_FILLING)
		conn_http_abandon(c);
	if (c->rq == NULL)
		c->rq = rq_new(c);
	r = c->rq;
	if (r == NULL) {
		conn_close(c, "out of memory");
		return;
	}
	if (status == 400 || status == 501 || status == 505 || status == 431)
		tally_add(&c->loop->tally.bad, 1);
	conn_log(c, NET_INFO, "bad", why);
	rq_answer_status(r, status, status == 503 ? 5 : 0);
	r->close = true;
	conn_http_answer(c);
}

static void
fill_public(struct rq *r)
{
	struct request *p = &r->pub;

	p->method = r->head->method;
	p->path = r->head->path;
	p->query = r->head->query;
	if (strcmp(p->method, "HEAD") == 0)
		p->method = "GET";
}

/* Find the route; false if the request was answered instead. */
static bool
find_route(struct conn *c, struct rq *r)
{
	const struct net_config *cfg = &c->loop->net->cfg;
	struct route_match m;
	enum status st;
	bool body = r->head->chunked || r->head->length > 0;

	st = routes_find(&m, &r->params, cfg->routes, cfg->route_count,
	    r->head->method, r->head->path, c->listener, r->pub.peer.role);
	if (st != ST_OK) {
		conn_http_refuse(c, st == ST_NOMEM ? 503 : 400,
		    "the path cannot be decoded");
		return false;
	}
	if (m.route == NULL) {
		rq_answer_status(r, m.status, 0);
		if (m.status == 405)
			buf_printf(&r->fields, "Allow: %s\r\n", m.allow);
		r->close = body;
		conn_http_answer(c);
		return false;
	}
	r->route = m.route;
	memcpy(r->pub.param, m.param, sizeof(m.param));
	r->pub.param_count = m.param_count;
	return true;
}

static bool
has_body(const struct rq *r)
{
	return r->head->chunked || r->head->length > 0;
}

/* The client may send its body, if it waits to be told. */
static void
go_on(struct conn *c, struct rq *r)
{
	struct bytes line = bytes_str("HTTP/1.1 100 Continue\r\n\r\n");

	r->go_on = false;
	(void)conn_put(c, &line);
}

void
conn_http_resumed(struct conn *c)
{
	struct rq *r = c->rq;

	if (r->state == RQ_STREAMING && r->route->stream->resumed != NULL) {
		dispatch_begin(r);
		r->route->stream->resumed(&r->pub, r->route->arg);
		if (dispatch_end(r)) {
			r->close = r->close || has_body(r);
			conn_http_answer(c);
			return;
		}
	}
	if (r->go_on)
		go_on(c, r);
}

static void
on_head(struct conn *c)
{
	struct rq *r = rq_new(c);
	const char *lapsed;

	if (r == NULL) {
		conn_close(c, "out of memory");
		return;
	}
	c->rq = r;
	c->in_head = false;
	r->head = http_reader_take_head(c->http);
	fill_public(r);
	tally_add(&c->loop->tally.requests, 1);
	/* A revocation, too, ends a connection at its next request. */
	lapsed = c->tls == NULL ? NULL : tls_conn_lapsed(c->tls);
	if (lapsed != NULL) {
		conn_close(c, lapsed);
		return;
	}
	if (!find_route(c, r))
		return;
	if (!http_reader_limit(c->http, r->route->body_max)) {
		conn_http_refuse(c, 413, "body too long for this route");
		return;
	}
	buf_free(&r->body);
	buf_init(&r->body, r->route->body_max == 0 || r->route->stream != NULL
			       ? 1
			       : (size_t)r->route->body_max);
	c->state = CONN_BODY;
	c->since_ms = loop_now(c->loop);
	c->rate_bytes = 0;
	r->state = RQ_FILLING;
	if (r->route->stream != NULL) {
		r->state = RQ_STREAMING;
		r->counted = true;
		atomic_fetch_add(&r->mail->open, 1);
		dispatch_begin(r);
		r->route->stream->open(&r->pub, r->route->arg);
		if (dispatch_end(r)) {
			r->close = r->close || has_body(r);
			conn_http_answer(c);
			return;
		}
	}
	r->go_on = r->head->expect_continue && has_body(r);
	if (r->go_on && !r->paused)
		go_on(c, r);
}

static void
on_data(struct conn *c, struct bytes data)
{
	struct rq *r = c->rq;

	/* A request answered at its head with a body to come ends there. */
	assert(r != NULL);
	r->body_bytes += data.len;
	c->rate_bytes += data.len;
	if (r->state != RQ_STREAMING) {
		if (rq_hold(r, data.len))
			buf_bytes(&r->body, data);
		else
			r->body.err = ST_NOMEM;
		if (r->body.err != ST_OK)
			conn_http_refuse(c, 503, "no memory for the body");
		return;
	}
	dispatch_begin(r);
	r->route->stream->data(&r->pub, data, r->route->arg);
	if (dispatch_end(r)) {
		r->close = true; /* its body was not read to the end */
		conn_http_answer(c);
	}
}

static void
on_end(struct conn *c)
{
	struct rq *r = c->rq;

	r->state = RQ_HANDLED;
	r->pub.body = buf_view(&r->body);
	r->pub.received_wall_ms = port_wall_ms(c->loop->net->cfg.port);
	if (!r->counted) {
		r->counted = true;
		atomic_fetch_add(&r->mail->open, 1);
	}
	c->state = CONN_WAIT;
	c->since_ms = loop_now(c->loop);
	dispatch_begin(r);
	r->route->handler(&r->pub, r->route->arg);
	/* Answered elsewhere, it may be any other thread's by now. */
	rq_dispatching = NULL;
}

/* What the handler did inside the call is looked at by this thread alone. */
static bool
handled_inside(struct conn *c)
{
	return c->state == CONN_WAIT && c->rq->answered;
}

void
conn_http_input(struct conn *c, struct bytes *in)
{
	for (;;) {
		struct bytes data = { NULL, 0 };
		size_t used = 0;
		enum http_event ev;

		if (c->state != CONN_READ && c->state != CONN_BODY)
			return;
		if (c->rq != NULL && c->rq->paused)
			return;
		ev = http_reader_next(c->http, &used, &data, *in);
		if (used > 0) {
			in->p += used;
			in->len -= used;
		}
		switch (ev) {
		case HTTP_EV_MORE:
			if (http_reader_in_head(c->http) && !c->in_head) {
				c->in_head = true;
				c->since_ms = loop_now(c->loop);
			}
			return;
		case HTTP_EV_HEAD:
			on_head(c);
			break;
		case HTTP_EV_DATA:
			on_data(c, data);
			break;
		case HTTP_EV_END:
			if (c->rq == NULL)
				break; /* answered at its head, had no body */
			on_end(c);
			if (handled_inside(c))
				conn_http_answer(c);
			break;
		case HTTP_EV_BAD:
			conn_http_refuse(c, http_reader_error(c->http)->status,
			    http_reader_error(c->http)->why);
			return;
		}
	}
}

/* IMF-fixdate (RFC 9110, 5.6.7), whatever the locale. */
static void
put_date(struct buf *out, uint64_t wall_ms)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t t = (time_t)(wall_ms / 1000);
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL)
		return;
	buf_printf(out, "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n",
	    days + (ptrdiff_t)tm.tm_wday * 3, tm.tm_mday,
	    months + (ptrdiff_t)tm.tm_mon * 3, tm.tm_year + 1900, tm.tm_hour,
	    tm.tm_min, tm.tm_sec);
}

void
conn_http_answer(struct conn *c)
{
	const struct net *net = c->loop->net;
	struct rq *r = c->rq;
	struct buf *h = &c->head_out;
	bool old = r->head != NULL && r->head->minor == 0;

	/* Memory that failed while the answer was made: say so instead. */
	if (r->fields.err != ST_OK || r->answer.err != ST_OK) {
		buf_reset(&r->fields);
		buf_reset(&r->answer);
		r->source_len = 0;
		r->source_left = 0;
		r->status = 500;
		r->close = true;
	}
	c->close_after = r->close || c->loop->stopping || r->head == NULL ||
			 !r->head->keep_alive;
	c->no_body = r->status == 204 || r->status == 304 ||
		     (r->head != NULL && strcmp(r->head->method, "HEAD") == 0);
	buf_free(h);
	buf_init(h, 16384);
	buf_printf(
	    h, "HTTP/1.1 %u %s\r\n", r->status, http_status_text(r->status));
	if (r->status != 204 && r->status != 304)
		buf_printf(h, "Content-Length: %llu\r\n",
		    (unsigned long long)r->answer.len + r->source_len);
	if (!net->cfg.listeners[c->listener].lean)
		put_date(h, port_wall_ms(net->cfg.port));
	if (c->close_after)
		buf_str(h, "Connection: close\r\n");
	else if (old)
		buf_str(h, "Connection: keep-alive\r\n");
	buf_bytes(h, buf_view(&r->fields));
	buf_str(h, "\r\n");
	r->state = RQ_ANSWERED;
	r->answered = false;
	c->head_at = 0;
	c->body_at = 0;
	/* A small answer goes in one TLS record: 22 bytes, and a seal, less. */
	if (!c->no_body && h->len + r->answer.len <= ONE_RECORD) {
		buf_bytes(h, buf_view(&r->answer));
		c->body_at = r->answer.len;
	}
	c->state = CONN_SEND;
	c->since_ms = loop_now(c->loop);
	if (h->err != ST_OK)
		conn_close(c, "out of memory");
}

static void
answered(struct conn *c)
{
	struct rq *r = c->rq;
	unsigned class = r->status / 100;
	struct net_log line = { .level = NET_INFO,
		.event = "request",
		.listener = c->loop->net->cfg.listeners[c->listener].name,
		.addr = c->addr,
		.dev = r->pub.peer.dev,
		.reason = "",
		.method = r->head == NULL ? "" : r->head->method,
		.status = r->status,
		.bytes_in = r->body_bytes,
		.bytes_out = c->no_body ? 0 : r->answer.len + r->source_len,
		.ms = loop_now(c->loop) - r->begun_ms,
		.resumed = r->pub.peer.resumed };
	char path[PATH_LOG_MAX + 1];

	(void)snprintf(path, sizeof(path), "%.*s", (int)r->pub.path.len,
	    r->pub.path.len == 0 ? "" : (const char *)r->pub.path.p);
	line.path = path;
	net_say(c->loop->net, &line);
	tally_add(&c->loop->tally.by_class[class], 1);
	rq_free(r);
	c->rq = NULL;
	buf_free(&c->head_out);
}

/* One piece after the other; false while there is none, or no room. */
static bool
send_source(struct conn *c)
{
	struct rq *r = c->rq;

	while (r->source_left > 0) {
		uint64_t before = r->piece.len;
		bool more;

		if (r->wanting)
			return false;
		if (before == 0) {
			r->wanting = true;
			dispatch_begin(r);
			r->source->want(&r->pub, r->source_arg);
			rq_dispatching = NULL;
			if (r->wanting)
				return false;
			before = r->piece.len;
		}
		if (before == 0 || before > r->source_left) {
			conn_close(c, "what was to be sent cannot be read");
			return false;
		}
		more = conn_put(c, &r->piece);
		if (c->state == CONN_CLOSED)
			return false; /* and the request is gone with it */
		r->source_left -= before - r->piece.len;
		if (!more)
			return false;
	}
	return true;
}

bool
conn_http_send(struct conn *c)
{
	struct rq *r = c->rq;
	struct bytes left;

	left =
	    bytes_of(c->head_out.p + c->head_at, c->head_out.len - c->head_at);
	while (left.len > 0) {
		bool more = conn_put(c, &left);

		if (c->state == CONN_CLOSED)
			return false; /* and the request is gone with it */
		c->head_at = c->head_out.len - left.len;
		if (!more)
			return false;
	}
	if (!c->no_body && r->answer.len > 0) {
		left = bytes_of(
		    r->answer.p + c->body_at, r->answer.len - c->body_at);
		while (left.len > 0) {
			bool more = conn_put(c, &left);

			if (c->state == CONN_CLOSED)
				return false;
			c->body_at = r->answer.len - left.len;
			if (!more)
				return false;
		}
	}
	if (!c->no_body && !send_source(c))
		return false;
	answered(c);
	return true;
}

void
conn_http_abandon(struct conn *c)
{
	struct rq *r = c->rq;

	if (r == NULL)
		return;
	c->rq = NULL;
	r->conn = NULL;
	switch (r->state) {
	case RQ_FILLING:
		rq_free(r);
		break;
	case RQ_ANSWERED:
		/* A piece that was asked for still comes: it frees. */
		r->dead = true;
		if (!r->wanting)
			rq_free(r);
		break;
	case RQ_STREAMING:
		r->route->stream->aborted(&r->pub, r->route->arg);
		/* A pause outlives the client: its resume frees. */
		r->dead = true;
		if (!r->paused)
			rq_free(r);
		break;
	case RQ_HANDLED:
		break; /* freed by its answer */
	}
}
