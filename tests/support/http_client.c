#include "support/http_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/expect.h"

static int
io_send(void *arg, const unsigned char *p, size_t len)
{
	struct http_client *c = arg;
	ssize_t n = send(c->fd, p, len, MSG_NOSIGNAL);

	if (n >= 0)
		return (int)n;
	return errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_WRITE : -1;
}

static int
io_recv(void *arg, unsigned char *p, size_t len)
{
	struct http_client *c = arg;
	ssize_t n = recv(c->fd, p, len, MSG_DONTWAIT);

	if (n == 0) {
		c->eof = true;
		return -1;
	}
	if (n > 0)
		return (int)n;
	if (errno == EAGAIN)
		return MBEDTLS_ERR_SSL_WANT_READ;
	c->eof = true;
	return -1;
}

/* False if nothing comes in time. */
static bool
wait_input(struct http_client *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	return poll(&p, 1, HTTP_CLIENT_WAIT_MS) == 1;
}

void
http_client_open(struct http_client *c, uint16_t port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	int one = 1;

	*c = (struct http_client){ 0 };
	buf_init(&c->got, 64 << 20);
	sa.sin_port = htons(port);
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	EXPECT(c->fd >= 0);
	EXPECT(connect(c->fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

bool
http_client_open_tls(struct http_client *c, uint16_t port,
    const struct tls_peer_conf *conf, const struct http_client *from)
{
	http_client_open(c, port);
	c->is_tls = true;
	tls_peer_init(&c->tls, conf, io_send, io_recv, c,
	    from == NULL ? NULL : &from->tls);
	for (;;) {
		int rc = tls_peer_handshake(&c->tls);

		if (rc != 0)
			return rc > 0;
		if (!wait_input(c))
			return false;
	}
}

void
http_client_close(struct http_client *c)
{
	if (c->is_tls) {
		if (c->fd >= 0)
			tls_peer_close(&c->tls);
		tls_peer_free(&c->tls);
	}
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
	buf_free(&c->got);
}

void
http_client_raw(struct http_client *c, const void *p, size_t len)
{
	const char *at = p;

	while (len > 0) {
		ssize_t n = send(c->fd, at, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		at += n;
		len -= (size_t)n;
	}
}

bool
http_client_send(struct http_client *c, const void *p, size_t len)
{
	const char *at = p;

	while (len > 0) {
		int n = c->is_tls ? tls_peer_write(&c->tls, at, len)
				  : io_send(c, (const void *)at, len);

		if (n < 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

bool
http_client_text(struct http_client *c, const char *text)
{
	return http_client_send(c, text, strlen(text));
}

void
http_client_half_close(struct http_client *c)
{
	if (c->is_tls)
		tls_peer_close(&c->tls);
	(void)shutdown(c->fd, SHUT_WR);
}

void
http_client_reset(struct http_client *c)
{
	struct linger lg = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &lg, sizeof(lg));
	(void)close(c->fd);
	c->fd = -1;
}

/* More bytes into `got`; false at the end, or when none come in time. */
static bool
more(struct http_client *c)
{
	uint8_t chunk[16384];

	while (!c->eof) {
		int n = c->is_tls ? tls_peer_read(&c->tls, chunk, sizeof(chunk))
				  : io_recv(c, chunk, sizeof(chunk));

		if (n > 0) {
			buf_add(&c->got, chunk, (size_t)n);
			EXPECT(c->got.err == ST_OK);
			return true;
		}
		if (n == -2)
			c->eof = true;
		else if (n == 0 || n == MBEDTLS_ERR_SSL_WANT_READ) {
			if (!wait_input(c))
				return false;
		} else {
			return false;
		}
	}
	return false;
}

static void
drop(struct http_client *c, size_t n)
{
	memmove(c->got.p, c->got.p + n, c->got.len - n);
	c->got.len -= n;
}

static size_t
head_end(const struct buf *b)
{
	for (size_t i = 3; i < b->len; i++)
		if (memcmp(b->p + i - 3, "\r\n\r\n", 4) == 0)
			return i + 1;
	return 0;
}

void
http_client_answer(
    struct http_client *c, struct http_answer *out, bool head_only)
{
	size_t n, want = 0;
	const char *cl;

	memset(out, 0, sizeof(*out));
	buf_init(&out->body, 64 << 20);
	while ((n = head_end(&c->got)) == 0)
		if (!more(c))
			return;
	EXPECT(n < sizeof(out->head));
	memcpy(out->head, c->got.p, n);
	drop(c, n);
	cl = strcasestr(out->head, "\r\ncontent-length: ");
	if (cl != NULL && !head_only)
		want = strtoul(cl + 18, NULL, 10);
	while (c->got.len < want)
		if (!more(c))
			return;
	buf_add(&out->body, c->got.p, want);
	drop(c, want);
	EXPECT(strncmp(out->head, "HTTP/1.1 ", 9) == 0);
	out->status = (unsigned)strtoul(out->head + 9, NULL, 10);
}

void
http_answer_free(struct http_answer *a)
{
	buf_free(&a->body);
}

unsigned
http_client_ask(struct http_client *c, const char *request)
{
	struct http_answer a;
	unsigned status;

	(void)http_client_text(c, request);
	http_client_answer(c, &a, strncmp(request, "HEAD ", 5) == 0);
	status = a.status;
	http_answer_free(&a);
	return status;
}

bool
http_client_ended(struct http_client *c)
{
	while (more(c))
		;
	return c->eof && c->got.len == 0;
}
