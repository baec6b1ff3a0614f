#ifndef SUPPORT_HTTP_CLIENT_H
#define SUPPORT_HTTP_CLIENT_H
/*
 * http_client: a blocking HTTP client for tests, over a plain socket or over
 * TLS (support/tls_peer.h), that can also misbehave.  Every wait ends after
 * HTTP_CLIENT_WAIT_MS; a failure to connect ends the test.
 */
#include "support/tls_peer.h"

enum { HTTP_CLIENT_WAIT_MS = 10000 };

struct http_client {
	int fd;
	struct tls_peer tls;
	bool is_tls;
	bool eof;       /* the server shut its side */
	struct buf got; /* read and not yet used */
};

/* Connect to a port of 127.0.0.1. */
void http_client_open(struct http_client *c, uint16_t port);

/*
 * The same with TLS; false if the handshake fails.  `from`: resume that
 * client's session.  The client must be closed in any case.
 */
bool http_client_open_tls(struct http_client *c, uint16_t port,
    const struct tls_peer_conf *conf, const struct http_client *from);

void http_client_close(struct http_client *c);

/* Send all; false if the server is gone. */
bool http_client_send(struct http_client *c, const void *p, size_t len);
bool http_client_text(struct http_client *c, const char *text);

/* Bytes straight to the socket, whatever TLS would say. */
void http_client_raw(struct http_client *c, const void *p, size_t len);

/* Shut our side of the socket, with close_notify if TLS. */
void http_client_half_close(struct http_client *c);

/* Reset the connection instead of closing it. */
void http_client_reset(struct http_client *c);

struct http_answer {
	unsigned status; /* 0: the connection ended before a whole answer */
	char head[8192];
	struct buf body;
};

/* Read one answer; `head_only`: to a HEAD. */
void http_client_answer(
    struct http_client *c, struct http_answer *out, bool head_only);
void http_answer_free(struct http_answer *a);

/* Send a request and return the status of its answer; body dropped. */
unsigned http_client_ask(struct http_client *c, const char *request);

/* True if the server ends the connection, with nothing more sent, in time. */
bool http_client_ended(struct http_client *c);

#endif
