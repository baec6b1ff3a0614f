#include "server/net/tls_conf.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>
#include <psa/crypto.h>

#include "server/net/tls_internal.h"

#if !defined(MBEDTLS_THREADING_C)
#error "network threads share keys: mbedTLS must be built with threading on"
#endif

enum { TICKET_LIFE_S_MAX = 7 * 24 * 3600 }; /* RFC 8446, 4.6.1 */

/* Who signs and what is signed: P-256 with SHA-256, nothing else. */
static const mbedtls_x509_crt_profile profile = {
	MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256),
	MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECKEY) |
	    MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECDSA),
	MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1),
	UINT32_MAX, /* no RSA key is long enough */
};

static const uint16_t sig_algs[] = { MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
	MBEDTLS_TLS1_3_SIG_NONE };

/* P-256 first: mbedTLS computes it faster than X25519 (PROBE.md). */
static const uint16_t groups[] = { MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
	MBEDTLS_SSL_IANA_TLS_GROUP_X25519, 0 };

static const int suites[] = { MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
	MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, 0 };

uint64_t
tls_now_s(const struct tls_conf *conf)
{
	return port_wall_ms(conf->port) / 1000;
}

const char *
peer_role_text(enum peer_role role)
{
	switch (role) {
	case PEER_NONE:
		return "none";
	case PEER_DEVICE:
		return "device";
	case PEER_DELIVER:
		return "deliver";
	case PEER_ANY:
		break;
	}
	return "unknown";
}

static enum status
load(struct tls_conf *conf, const struct tls_settings *s)
{
	void *rng = x509_rng_arg(s->port);

	if (s->cert_der.len == 0 || s->cert_der.len > X509_CERT_DER_MAX ||
	    s->key_der.len == 0 || s->key_der.len > X509_KEY_DER_MAX)
		return ST_INVALID;
	if (mbedtls_x509_crt_parse_der(
		&conf->cert, s->cert_der.p, s->cert_der.len) != 0)
		return ST_INVALID;
	if (mbedtls_pk_parse_key(&conf->key, s->key_der.p, s->key_der.len, NULL,
		0, x509_rng, rng) != 0)
		return ST_INVALID;
	if (mbedtls_pk_check_pair(&conf->cert.pk, &conf->key, x509_rng, rng) !=
	    0)
		return ST_INVALID;
	if (s->role != TLS_MUTUAL)
		return ST_OK;
	if (s->identity == NULL || s->ca_der.len == 0 ||
	    s->ca_der.len > X509_CERT_DER_MAX)
		return ST_INVALID;
	if (mbedtls_x509_crt_parse_der(&conf->ca, s->ca_der.p, s->ca_der.len) !=
	    0)
		return ST_INVALID;
	/* Only one who may sign is asked whether it did. */
	return x509_cert_signed_by(s->ca_der, s->ca_der) ? ST_OK : ST_INVALID;
}

static enum status
setup(struct tls_conf *conf, const struct tls_settings *s)
{
	static const char *alpn[] = { "http/1.1", NULL };
	mbedtls_ssl_config *ssl = &conf->ssl;

	if (mbedtls_ssl_config_defaults(ssl, MBEDTLS_SSL_IS_SERVER,
		MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0)
		return ST_NOMEM;
	mbedtls_ssl_conf_rng(ssl, x509_rng, x509_rng_arg(conf->port));
	mbedtls_ssl_conf_min_tls_version(ssl,
	    s->tls12 ? MBEDTLS_SSL_VERSION_TLS1_2 : MBEDTLS_SSL_VERSION_TLS1_3);
	mbedtls_ssl_conf_max_tls_version(ssl, MBEDTLS_SSL_VERSION_TLS1_3);
	mbedtls_ssl_conf_ciphersuites(ssl, suites);
	mbedtls_ssl_conf_groups(ssl, groups);
	mbedtls_ssl_conf_sig_algs(ssl, sig_algs);
	mbedtls_ssl_conf_cert_profile(ssl, &profile);
	/* A resumed session too has a fresh key exchange: forward secrecy. */
	mbedtls_ssl_conf_tls13_key_exchange_modes(
	    ssl, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL |
		     MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_EPHEMERAL);
#if defined(MBEDTLS_SSL_RENEGOTIATION)
	mbedtls_ssl_conf_renegotiation(ssl, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
	if (mbedtls_ssl_conf_alpn_protocols(ssl, alpn) != 0)
		return ST_INVALID;
	if (mbedtls_ssl_conf_own_cert(ssl, &conf->cert, &conf->key) != 0)
		return ST_NOMEM;
	if (conf->role == TLS_MUTUAL) {
		mbedtls_ssl_conf_authmode(ssl, MBEDTLS_SSL_VERIFY_REQUIRED);
		mbedtls_ssl_conf_ca_chain(ssl, &conf->ca, NULL);
	} else {
		mbedtls_ssl_conf_authmode(ssl, MBEDTLS_SSL_VERIFY_NONE);
	}
	if (conf->ticket_life_ms > 0) {
		mbedtls_ssl_conf_session_tickets_cb(
		    ssl, tls_ticket_write, tls_ticket_parse, conf);
		mbedtls_ssl_conf_new_session_tickets(ssl, 1);
	}
	return ST_OK;
}

enum status
tls_conf_new(struct tls_conf **out, const struct tls_settings *s)
{
	struct tls_conf *conf;
	enum status st;

	if (s->ticket_life_s > TICKET_LIFE_S_MAX)
		return ST_INVALID;
	/* TLS 1.3 computes its keys there; repeated calls do nothing. */
	if (psa_crypto_init() != PSA_SUCCESS)
		return ST_NOMEM;
	conf = calloc(1, sizeof(*conf));
	if (conf == NULL)
		return ST_NOMEM;
	if (pthread_mutex_init(&conf->ticket_lock, NULL) != 0) {
		free(conf);
		return ST_NOMEM;
	}
	conf->port = s->port;
	conf->role = s->role;
	conf->identity = s->identity;
	conf->identity_arg = s->identity_arg;
	conf->ticket_life_ms = (uint64_t)s->ticket_life_s * 1000;
	mbedtls_ssl_config_init(&conf->ssl);
	mbedtls_x509_crt_init(&conf->cert);
	mbedtls_x509_crt_init(&conf->ca);
	mbedtls_pk_init(&conf->key);
	st = load(conf, s);
	if (st == ST_OK)
		st = setup(conf, s);
	if (st != ST_OK) {
		tls_conf_free(conf);
		return st;
	}
	*out = conf;
	return ST_OK;
}

void
tls_conf_free(struct tls_conf *conf)
{
	if (conf == NULL)
		return;
	mbedtls_ssl_config_free(&conf->ssl);
	mbedtls_x509_crt_free(&conf->cert);
	mbedtls_x509_crt_free(&conf->ca);
	mbedtls_pk_free(&conf->key);
	(void)pthread_mutex_destroy(&conf->ticket_lock);
	sodium_memzero(conf, sizeof(*conf));
	free(conf);
}
