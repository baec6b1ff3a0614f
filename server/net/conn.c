/*
 * One connection: bytes between its socket, TLS and HTTP.
 *
 *     HANDSHAKE ─▶ READ ─▶ BODY ─▶ WAIT ─▶ SEND ─▶ READ …
 *                    │       │               └─▶ END ─▶ LINGER ─▶ CLOSED
 *                    └───────┴─ refused ─▶ SEND
 *
 * conn_pump moves everything as far as it goes and then sets what it waits
 * for: input, the system taking output, a handler, or the clock (conn_sweep).
 * Input is not taken while a handler works or output stands: that is all the
 * back-pressure there is, and TCP carries it to the client.
 *
 * Ends.  After our last byte we shut our side and read on for a while
 * (LINGER): closing at once with input unread would reset the connection, and
 * the reset can overtake the answer.
 */
#include <stdlib.h>

#include "server/net/net_internal.h"

void
conn_log(const struct conn *c, enum net_level level, const char *event,
    const char *reason)
{
	const struct peer *peer = c->tls == NULL ? NULL : tls_conn_peer(c->tls);
	struct net_log line = { .level = level,
		.event = event,
		.listener = c->loop->net->cfg.listeners[c->listener].name,
		.addr = c->addr,
		.dev = peer == NULL ? "" : peer->dev,
		.reason = reason,
		.method = "",
		.path = "",
		.resumed = peer != NULL && peer->resumed };

	net_say(c->loop->net, &line);
}

static void
on_closed(uv_handle_t *h)
{
	struct conn *c = h->data;
	struct loop *l = c->loop;

	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		l->conns = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	addrs_leave(l->net->addrs, c->addr_key);
	atomic_fetch_sub(&l->net->open, 1);
	tls_conn_free(c->tls);
	http_reader_free(c->http);
	buf_free(&c->rest);
	buf_free(&c->plain_out);
	buf_free(&c->sending);
	buf_free(&c->head_out);
	free(c);
	loop_check_end(l);
}

void
conn_close(struct conn *c, const char *why)
{
	if (c->state == CONN_CLOSED)
		return;
	if (why != NULL)
		conn_log(c, NET_INFO, "cut", why);
	conn_http_abandon(c);
	c->state = CONN_CLOSED;
	uv_close((uv_handle_t *)&c->tcp, on_closed);
}

/* Ciphertext, or on a plain listener plaintext, that waits to be sent. */
static size_t
output_len(const struct conn *c)
{
	return c->tls != NULL ? tls_conn_output_len(c->tls) : c->plain_out.len;
}

static void
take_output(struct conn *c)
{
	if (c->tls != NULL) {
		tls_conn_take(c->tls, &c->sending);
	} else {
		c->sending = c->plain_out;
		buf_init(&c->plain_out, c->sending.max);
	}
}

bool
conn_put(struct conn *c, struct bytes *in)
{
	size_t taken = 0;

	if (c->tls != NULL) {
		if (tls_conn_write(c->tls, &taken, *in) != ST_OK) {
			conn_close(c, "TLS failed while sending");
			return false;
		}
	} else if (c->plain_out.len < TLS_OUTPUT_HIGH) {
		taken = TLS_OUTPUT_HIGH - c->plain_out.len;
		if (taken > in->len)
			taken = in->len;
		buf_add(&c->plain_out, in->p, taken);
		if (c->plain_out.err != ST_OK) {
			conn_close(c, "out of memory");
			return false;
		}
	}
	in->p += taken;
	in->len -= taken;
	return in->len == 0;
}

static void
on_shutdown(uv_shutdown_t *req, int status)
{
	struct conn *c = req->data;

	if (c->state == CONN_CLOSED)
		return;
	if (status < 0 || c->peer_ended) {
		conn_close(c, NULL);
		return;
	}
	c->state = CONN_LINGER;
	c->since_ms = loop_now(c->loop);
	conn_pump(c);
}

/* All output is with the system: shut our side, once. */
static void
shut(struct conn *c)
{
	if (c->shutdown.data != NULL)
		return;
	c->shutdown.data = c;
	if (uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, on_shutdown) < 0)
		conn_close(c, NULL);
}

static void
on_written(uv_write_t *req, int status)
{
	struct conn *c = req->data;

	c->write_busy = false;
	buf_free(&c->sending);
	if (c->state == CONN_CLOSED)
		return;
	if (status < 0) {
		conn_close(c, "the client went away while being answered");
		return;
	}
	conn_pump(c);
}

/* Hand the rest of `sending` to the system; on_written tells. */
static void
write_rest(struct conn *c, size_t done)
{
	uv_buf_t b = uv_buf_init(
	    (char *)c->sending.p + done, (unsigned)(c->sending.len - done));

	c->write.data = c;
	if (uv_write(&c->write, (uv_stream_t *)&c->tcp, &b, 1, on_written) <
	    0) {
		conn_close(c, "out of memory");
		return;
	}
	c->write_busy = true;
	c->write_since_ms = loop_now(c->loop);
	c->write_len = b.len;
}

/* Send what stands, as far as the system takes it at once. */
static void
flush(struct conn *c)
{
	while (c->state != CONN_CLOSED && !c->write_busy && output_len(c) > 0) {
		uv_buf_t b;
		int n;

		take_output(c);
		b = uv_buf_init((char *)c->sending.p, (unsigned)c->sending.len);
		tally_add(&c->loop->tally.bytes_out, c->sending.len);
		n = uv_try_write((uv_stream_t *)&c->tcp, &b, 1);
		if (n == UV_EAGAIN)
			n = 0;
		if (n < 0) {
			conn_close(
			    c, "the client went away while being answered");
			return;
		}
		if ((size_t)n < c->sending.len)
			write_rest(c, (size_t)n);
		else
			buf_free(&c->sending);
	}
	if (c->state == CONN_END && !c->write_busy && output_len(c) == 0)
		shut(c);
}

void
conn_end(struct conn *c)
{
	if (c->state == CONN_CLOSED || c->state == CONN_END ||
	    c->state == CONN_LINGER)
		return;
	conn_http_abandon(c);
	if (c->tls != NULL)
		tls_conn_close(c->tls);
	c->state = CONN_END;
	c->since_ms = loop_now(c->loop);
}

static void
to_read(struct conn *c)
{
	c->state = CONN_READ;
	c->in_head = false;
	c->since_ms = loop_now(c->loop);
}

/* True if the handshake is over and was good. */
static bool
step_handshake(struct conn *c)
{
	switch (tls_conn_handshake(c->tls)) {
	case TLS_OK:
		break;
	case TLS_WANT:
		if (c->peer_ended)
			conn_close(c, "the client left during the handshake");
		return false;
	case TLS_ENDED:
	case TLS_FAILED:
		tally_add(&c->loop->tally.failed, 1);
		conn_log(c, NET_WARN, "refused", tls_conn_reason(c->tls));
		conn_end(c);
		return false;
	}
	if (tls_conn_peer(c->tls)->resumed)
		tally_add(&c->loop->tally.resumed, 1);
	else
		tally_add(&c->loop->tally.full, 1);
	conn_log(c, NET_DEBUG, "handshake",
	    peer_role_text(tls_conn_peer(c->tls)->role));
	to_read(c);
	return true;
}

/* The peer's side ended; what did it leave behind? */
static void
ended(struct conn *c)
{
	if (c->state == CONN_BODY)
		conn_close(c, "the client left in the middle of a body");
	else if (!http_reader_idle(c->http))
		conn_close(c, "the client left in the middle of a head");
	else if (c->write_busy || output_len(c) > 0)
		conn_end(c);
	else
		conn_close(c, NULL);
}

/* Keep what HTTP did not take for after the answer. */
static void
keep(struct conn *c, struct bytes left)
{
	buf_bytes(&c->rest, left);
	if (c->rest.err != ST_OK)
		conn_close(c, "out of memory");
}

/* Plaintext that was kept before; true if HTTP took some. */
static bool
step_rest(struct conn *c)
{
	struct bytes in = { c->rest.p + c->rest_at, c->rest.len - c->rest_at };
	size_t before = in.len;

	conn_http_input(c, &in);
	c->rest_at = c->rest.len - in.len;
	if (in.len == 0) {
		buf_free(&c->rest);
		c->rest_at = 0;
	}
	return in.len < before;
}

/* One piece of input for READ or BODY; false if there is none. */
static bool
step_input(struct conn *c)
{
	enum conn_state before = c->state;
	struct bytes in = { c->loop->plain, 0 };

	if (c->rq != NULL && c->rq->paused)
		return false;
	if (c->rest.len > 0)
		return step_rest(c) || c->state != before;
	if (c->tls != NULL) {
		switch (tls_conn_read(
		    c->tls, c->loop->plain, LOOP_PLAIN_BYTES, &in.len)) {
		case TLS_OK:
			conn_http_input(c, &in);
			if (in.len > 0 && c->state != CONN_CLOSED)
				keep(c, in);
			return true;
		case TLS_WANT:
			break;
		case TLS_ENDED:
			c->peer_ended = true;
			break;
		case TLS_FAILED:
			/* The alert that says so still goes out. */
			conn_log(c, NET_INFO, "cut", tls_conn_reason(c->tls));
			conn_end(c);
			return false;
		}
	}
	/* A head may end a request, a pause may be over, without more input. */
	in.len = 0;
	conn_http_input(c, &in);
	if (c->state != before)
		return true;
	if (c->peer_ended)
		ended(c);
	return false;
}

/* Output that the client does not take: no further request is begun. */
static bool
blocked(const struct conn *c)
{
	return c->write_busy && output_len(c) >= TLS_OUTPUT_HIGH;
}

static bool
step(struct conn *c)
{
	switch (c->state) {
	case CONN_HANDSHAKE:
		return step_handshake(c);
	case CONN_READ:
	case CONN_BODY:
		return !blocked(c) && step_input(c);
	case CONN_SEND:
		if (!conn_http_send(c)) {
			/* It may be only our own mark that is full. */
			flush(c);
			return c->state == CONN_SEND && !c->write_busy &&
			       !c->rq->wanting;
		}
		if (c->close_after)
			conn_end(c);
		else
			to_read(c);
		return true;
	case CONN_WAIT:
	case CONN_END:
	case CONN_LINGER:
	case CONN_CLOSED:
		break;
	}
	return false;
}

static void
on_alloc(uv_handle_t *h, size_t size, uv_buf_t *out)
{
	struct conn *c = h->data;

	/* One buffer for all connections of the loop: it is used up at once. */
	(void)size;
	*out = uv_buf_init(c->loop->in, LOOP_IN_BYTES);
}

static void
on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
	struct conn *c = s->data;
	struct bytes in;

	if (n == 0 || c->state == CONN_CLOSED)
		return;
	if (n < 0) {
		c->reading = false;
		c->peer_ended = true;
		(void)uv_read_stop(s);
		if (n != UV_EOF || c->state == CONN_LINGER)
			conn_close(
			    c, c->rq == NULL ? NULL : uv_strerror((int)n));
		else
			conn_pump(c);
		return;
	}
	tally_add(&c->loop->tally.bytes_in, (uint64_t)n);
	in = bytes_of(b->base, (size_t)n);
	if (c->state == CONN_END || c->state == CONN_LINGER)
		return; /* read to be forgotten */
	if (c->tls != NULL) {
		if (tls_conn_feed(c->tls, in) != ST_OK) {
			conn_close(c, "too much input, or no memory for it");
			return;
		}
	} else {
		keep(c, in);
	}
	conn_pump(c);
}

static bool
input_waits(const struct conn *c)
{
	return c->rest.len > 0 || (c->tls != NULL && tls_conn_pending(c->tls));
}

/*
 * Read from the socket or not.  While a handler works one read goes on, so
 * that a client that is gone is noticed; what comes is kept, and stops it.
 */
static void
set_reading(struct conn *c)
{
	bool want = false;

	if (c->peer_ended)
		return;
	switch (c->state) {
	case CONN_HANDSHAKE:
	case CONN_LINGER:
		want = true;
		break;
	case CONN_READ:
	case CONN_BODY:
		want = !input_waits(c) ||
		       !(blocked(c) || (c->rq != NULL && c->rq->paused));
		break;
	case CONN_WAIT:
	case CONN_SEND:
		want = !input_waits(c);
		break;
	case CONN_END:
	case CONN_CLOSED:
		break;
	}
	if (c->state == CONN_CLOSED || want == c->reading)
		return;
	if (want &&
	    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0)
		conn_close(c, "cannot read from the socket");
	if (!want)
		(void)uv_read_stop((uv_stream_t *)&c->tcp);
	c->reading = want;
}

void
conn_pump(struct conn *c)
{
	if (c->pumping)
		return;
	c->pumping = true;
	while (step(c))
		;
	flush(c);
	c->pumping = false;
	set_reading(c);
}
