#include "support/tls_peer.h"

#include <psa/crypto.h>
#include <string.h>

#include "crypt/x509.h"
#include "support/expect.h"

void
tls_peer_conf_init(
    struct tls_peer_conf *conf, const struct tls_peer_settings *s)
{
	void *rng = x509_rng_arg(port_system());

	EXPECT(psa_crypto_init() == PSA_SUCCESS);
	mbedtls_ssl_config_init(&conf->ssl);
	mbedtls_x509_crt_init(&conf->ca);
	mbedtls_x509_crt_init(&conf->cert);
	mbedtls_pk_init(&conf->key);
	EXPECT(
	    mbedtls_ssl_config_defaults(&conf->ssl, MBEDTLS_SSL_IS_CLIENT,
		MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) == 0);
	mbedtls_ssl_conf_rng(&conf->ssl, x509_rng, rng);
	mbedtls_ssl_conf_authmode(&conf->ssl, MBEDTLS_SSL_VERIFY_REQUIRED);
	EXPECT(mbedtls_x509_crt_parse_der(
		   &conf->ca, s->ca_der.p, s->ca_der.len) == 0);
	mbedtls_ssl_conf_ca_chain(&conf->ssl, &conf->ca, NULL);
	mbedtls_ssl_conf_max_tls_version(&conf->ssl,
	    s->tls12 ? MBEDTLS_SSL_VERSION_TLS1_2 : MBEDTLS_SSL_VERSION_TLS1_3);
	mbedtls_ssl_conf_session_tickets(
	    &conf->ssl, s->no_tickets ? MBEDTLS_SSL_SESSION_TICKETS_DISABLED
				      : MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
#if defined(MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED)
	mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(&conf->ssl,
	    s->no_tickets
		? MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_DISABLED
		: MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
	if (s->cert_der.len > 0) {
		EXPECT(mbedtls_x509_crt_parse_der(
			   &conf->cert, s->cert_der.p, s->cert_der.len) == 0);
		EXPECT(mbedtls_pk_parse_key(&conf->key, s->key_der.p,
			   s->key_der.len, NULL, 0, x509_rng, rng) == 0);
		EXPECT(mbedtls_ssl_conf_own_cert(
			   &conf->ssl, &conf->cert, &conf->key) == 0);
	}
}

void
tls_peer_conf_free(struct tls_peer_conf *conf)
{
	mbedtls_ssl_config_free(&conf->ssl);
	mbedtls_x509_crt_free(&conf->ca);
	mbedtls_x509_crt_free(&conf->cert);
	mbedtls_pk_free(&conf->key);
}

void
tls_peer_init(struct tls_peer *p, const struct tls_peer_conf *conf,
    mbedtls_ssl_send_t *send, mbedtls_ssl_recv_t *recv, void *io,
    const struct tls_peer *from)
{
	*p = (struct tls_peer){ .send = send, .recv = recv, .io = io };
	mbedtls_ssl_init(&p->ssl);
	mbedtls_ssl_session_init(&p->saved);
	EXPECT(mbedtls_ssl_setup(&p->ssl, &conf->ssl) == 0);
	EXPECT(
	    mbedtls_ssl_set_hostname(&p->ssl, "centre.daybreak.internal") == 0);
	mbedtls_ssl_set_bio(&p->ssl, io, send, recv, NULL);
	if (from != NULL) {
		EXPECT(from->has_saved);
		EXPECT(mbedtls_ssl_set_session(&p->ssl, &from->saved) == 0);
	}
}

void
tls_peer_free(struct tls_peer *p)
{
	mbedtls_ssl_free(&p->ssl);
	mbedtls_ssl_session_free(&p->saved);
}

static bool
is_want(int rc)
{
	return rc == MBEDTLS_ERR_SSL_WANT_READ ||
	       rc == MBEDTLS_ERR_SSL_WANT_WRITE;
}

int
tls_peer_handshake(struct tls_peer *p)
{
	int rc = mbedtls_ssl_handshake(&p->ssl);

	if (rc == 0)
		return 1;
	if (is_want(rc))
		return 0;
	p->error = rc;
	return -1;
}

int
tls_peer_read(struct tls_peer *p, void *out, size_t max)
{
	for (;;) {
		int rc = mbedtls_ssl_read(&p->ssl, out, max);

		if (rc > 0)
			return rc;
		if (is_want(rc))
			return 0;
		if (rc == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
			return -2;
		if (rc == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
			mbedtls_ssl_session_free(&p->saved);
			mbedtls_ssl_session_init(&p->saved);
			EXPECT(
			    mbedtls_ssl_get_session(&p->ssl, &p->saved) == 0);
			p->has_saved = true;
			continue;
		}
		p->error = rc;
		return -1;
	}
}

int
tls_peer_write(struct tls_peer *p, const void *in, size_t len)
{
	int rc = mbedtls_ssl_write(&p->ssl, in, len);

	if (rc > 0)
		return rc;
	if (is_want(rc))
		return 0;
	p->error = rc;
	return -1;
}

void
tls_peer_close(struct tls_peer *p)
{
	(void)mbedtls_ssl_close_notify(&p->ssl);
}
