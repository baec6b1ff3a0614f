#ifndef SUPPORT_TLS_PEER_H
#define SUPPORT_TLS_PEER_H
/*
 * tls_peer: a TLS client for tests, over mbedTLS, without a socket: it takes
 * and gives bytes through two functions.  Any set-up failure ends the test.
 */
#include <mbedtls/ssl.h>

#include "base/buf.h"
#include "base/port.h"

struct tls_peer_settings {
	struct bytes ca_der;   /* whom to trust; required */
	struct bytes cert_der; /* own; empty: none */
	struct bytes key_der;
	bool tls12;      /* at most TLS 1.2 */
	bool no_tickets; /* do not save sessions */
};

/* What many clients share: configuration, trust, own certificate. */
struct tls_peer_conf {
	mbedtls_ssl_config ssl;
	mbedtls_x509_crt ca;
	mbedtls_x509_crt cert;
	mbedtls_pk_context key;
};

void tls_peer_conf_init(
    struct tls_peer_conf *conf, const struct tls_peer_settings *s);
void tls_peer_conf_free(struct tls_peer_conf *conf);

struct tls_peer {
	mbedtls_ssl_context ssl;
	mbedtls_ssl_send_t *send;
	mbedtls_ssl_recv_t *recv;
	void *io;
	mbedtls_ssl_session saved; /* the last ticket that came */
	bool has_saved;
	int error; /* the last one that was not a want */
};

/*
 * `from`: resume that client's saved session; NULL: none.  `send` and `recv`
 * behave as mbedTLS asks: a count, or MBEDTLS_ERR_SSL_WANT_READ / _WRITE.
 */
void tls_peer_init(struct tls_peer *p, const struct tls_peer_conf *conf,
    mbedtls_ssl_send_t *send, mbedtls_ssl_recv_t *recv, void *io,
    const struct tls_peer *from);
void tls_peer_free(struct tls_peer *p);

/* 1 done, 0 wants more, -1 failed. */
int tls_peer_handshake(struct tls_peer *p);

/* Bytes read, 0 wants more, -1 failed, -2 the server's close_notify. */
int tls_peer_read(struct tls_peer *p, void *out, size_t max);

/* Bytes written, 0 wants more, -1 failed. */
int tls_peer_write(struct tls_peer *p, const void *in, size_t len);

void tls_peer_close(struct tls_peer *p);

#endif
