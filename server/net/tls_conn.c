#include "server/net/tls_conn.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/ssl.h>

#include "base/enc.h"
#include "server/net/tls_internal.h"

/* Above the high-water mark: one record, a flight of the handshake, alerts. */
enum { OUTPUT_MAX = TLS_OUTPUT_HIGH + (64 << 10) };

static void
explain(struct tls_conn *c, const char *why)
{
	/* The first reason is the true one. */
	if (c->reason[0] == '\0')
		(void)snprintf(c->reason, sizeof(c->reason), "%s", why);
}

static const char *
text_of_flags(uint32_t flags)
{
	if (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED)
		return "the certificate is not of this court's CA";
	if (flags & (MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK |
			MBEDTLS_X509_BADCERT_BAD_KEY))
		return "the certificate's key or signature is not P-256 "
		       "with SHA-256";
	if (flags & (MBEDTLS_X509_BADCERT_KEY_USAGE |
			MBEDTLS_X509_BADCERT_EXT_KEY_USAGE))
		return "the certificate is not for clients";
	return "the certificate does not verify";
}

/* Our own checks on a certificate whose chain is good. */
static uint32_t
judge(struct tls_conn *c, const mbedtls_x509_crt *crt)
{
	struct bytes der = { crt->raw.p, crt->raw.len };
	uint64_t now = tls_now_s(c->conf);
	struct x509_info info;
	char why[TLS_REASON_LEN];

	if (crt->ext_key_usage.buf.p == NULL ||
	    mbedtls_x509_crt_check_extended_key_usage(crt,
		MBEDTLS_OID_CLIENT_AUTH,
		MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH)) != 0) {
		explain(c, "the certificate is not for clients");
		return MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
	}
	if (x509_cert_info(&info, der) != ST_OK || info.dev[0] == '\0') {
		explain(c, "the certificate names no device");
		return MBEDTLS_X509_BADCERT_OTHER;
	}
	/* Genuine: from here on the log may say whose it is. */
	memcpy(c->peer.dev, info.dev, sizeof(c->peer.dev));
	memcpy(c->peer.serial, info.serial, sizeof(c->peer.serial));
	c->peer.not_after_s = info.not_after_s;
	switch (
	    c->conf->identity(c->conf->identity_arg, info.serial, info.dev)) {
	case IDENTITY_REVOKED:
	case IDENTITY_UNCONFIRMED:
		/* Whatever its dates: what it still has must come in. */
		c->peer.role = PEER_DELIVER;
		c->verified = true;
		return 0;
	case IDENTITY_TRUSTED:
		break;
	case IDENTITY_EXPIRED:
		explain(c, "the certificate was replaced by a newer one");
		return MBEDTLS_X509_BADCERT_EXPIRED;
	case IDENTITY_UNKNOWN:
	default:
		explain(c, "the certificate was never enrolled here");
		return MBEDTLS_X509_BADCERT_OTHER;
	}
	if (now > info.not_after_s || now < info.not_before_s) {
		bool past = now > info.not_after_s;
		uint64_t days = past ? (now - info.not_after_s) / 86400
				     : (info.not_before_s - now) / 86400;

		(void)snprintf(why, sizeof(why),
		    past ? "the certificate expired %llu days ago; it can be "
			   "renewed on the public listener"
			 : "the certificate is valid only in %llu days, or "
			   "this server's clock is wrong",
		    (unsigned long long)days);
		explain(c, why);
		return past ? MBEDTLS_X509_BADCERT_EXPIRED
			    : MBEDTLS_X509_BADCERT_FUTURE;
	}
	c->peer.role = PEER_DEVICE;
	c->verified = true;
	return 0;
}

/*
 * Called for each certificate of the chain, the CA's first.  Dates are struck
 * from the library's verdict: it asks the system's clock, we the port's.
 */
static int
verify(void *arg, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
	struct tls_conn *c = arg;

	*flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED |
			      MBEDTLS_X509_BADCERT_FUTURE);
	if (depth > 1) {
		explain(c, "the certificate was not signed by the CA itself");
		*flags |= MBEDTLS_X509_BADCERT_NOT_TRUSTED;
	}
	if (*flags != 0) {
		explain(c, text_of_flags(*flags));
		return 0;
	}
	if (depth == 0)
		*flags |= judge(c, crt);
	return 0;
}

static int
bio_recv(void *arg, unsigned char *out, size_t max)
{
	struct tls_conn *c = arg;
	size_t left = c->in.len - c->in_at;

	if (left == 0)
		return MBEDTLS_ERR_SSL_WANT_READ;
	if (max > left)
		max = left;
	memcpy(out, c->in.p + c->in_at, max);
	c->in_at += max;
	if (c->in_at == c->in.len) {
		/* An idle connection holds no buffer. */
		buf_free(&c->in);
		c->in_at = 0;
	}
	return (int)max;
}

static int
bio_send(void *arg, const unsigned char *p, size_t len)
{
	struct tls_conn *c = arg;

	buf_add(&c->out, p, len);
	if (c->out.err != ST_OK)
		return MBEDTLS_ERR_SSL_ALLOC_FAILED;
	return (int)len;
}

enum status
tls_conn_new(struct tls_conn **out, struct tls_conf *conf)
{
	struct tls_conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return ST_NOMEM;
	c->conf = conf;
	c->peer.role = PEER_NONE;
	buf_init(&c->in, TLS_INPUT_MAX);
	buf_init(&c->out, OUTPUT_MAX);
	mbedtls_ssl_init(&c->ssl);
	if (mbedtls_ssl_setup(&c->ssl, &conf->ssl) != 0) {
		tls_conn_free(c);
		return ST_NOMEM;
	}
	mbedtls_ssl_set_bio(&c->ssl, c, bio_send, bio_recv, NULL);
	mbedtls_ssl_set_verify(&c->ssl, verify, c);
	*out = c;
	return ST_OK;
}

void
tls_conn_free(struct tls_conn *c)
{
	if (c == NULL)
		return;
	mbedtls_ssl_free(&c->ssl);
	buf_free(&c->in);
	buf_free(&c->out);
	free(c);
}

enum status
tls_conn_feed(struct tls_conn *c, struct bytes in)
{
	if (c->state == TLS_BROKEN)
		return ST_OK;
	if (c->in_at > 0) {
		/* What was used makes room for what comes. */
		memmove(c->in.p, c->in.p + c->in_at, c->in.len - c->in_at);
		c->in.len -= c->in_at;
		c->in_at = 0;
	}
	buf_bytes(&c->in, in);
	return c->in.err;
}

static enum tls_result
fail(struct tls_conn *c, int rc)
{
	char text[TLS_REASON_LEN];

	if (rc == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE) {
		explain(c, "the client showed no certificate");
	} else {
		mbedtls_strerror(rc, text, sizeof(text));
		explain(c, text);
	}
	c->state = TLS_BROKEN;
	buf_free(&c->in);
	c->in_at = 0;
	return TLS_FAILED;
}

/* The library says that the handshake is over: with whom? */
static enum tls_result
established(struct tls_conn *c)
{
	if (c->conf->role == TLS_SERVER) {
		c->peer.role = PEER_NONE;
		c->peer.resumed = c->ticketed;
	} else if (!c->verified && !c->ticketed) {
		/* Cannot be; and if it ever is, nobody gets in by it. */
		explain(c, "neither a certificate nor a ticket was checked");
		c->state = TLS_BROKEN;
		return TLS_FAILED;
	} else {
		c->peer.resumed = !c->verified;
	}
	c->state = TLS_OPEN;
	return TLS_OK;
}

enum tls_result
tls_conn_handshake(struct tls_conn *c)
{
	int rc;

	if (c->state == TLS_BROKEN)
		return TLS_FAILED;
	if (c->state != TLS_HANDSHAKING)
		return TLS_OK;
	tls_current = c;
	rc = mbedtls_ssl_handshake(&c->ssl);
	tls_current = NULL;
	if (rc == 0)
		return established(c);
	if (rc == MBEDTLS_ERR_SSL_WANT_READ)
		return TLS_WANT;
	return fail(c, rc);
}

enum tls_result
tls_conn_read(struct tls_conn *c, uint8_t *out, size_t max, size_t *len)
{
	enum tls_result res = tls_conn_handshake(c);
	int rc;

	assert(max > 0);
	if (res != TLS_OK)
		return res;
	if (c->ended)
		return TLS_ENDED;
	tls_current = c;
	do {
		rc = mbedtls_ssl_read(&c->ssl, out, max);
	} while (rc == 0); /* an empty record; each takes input to read */
	tls_current = NULL;
	if (rc > 0) {
		*len = (size_t)rc;
		return TLS_OK;
	}
	if (rc == MBEDTLS_ERR_SSL_WANT_READ)
		return TLS_WANT;
	if (rc == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
		c->ended = true;
		return TLS_ENDED;
	}
	return fail(c, rc);
}

bool
tls_conn_pending(const struct tls_conn *c)
{
	if (c->state == TLS_BROKEN)
		return false;
	return c->in.len > c->in_at ||
	       mbedtls_ssl_get_bytes_avail(&c->ssl) > 0 ||
	       mbedtls_ssl_check_pending(&c->ssl) != 0;
}

enum status
tls_conn_write(struct tls_conn *c, size_t *taken, struct bytes in)
{
	size_t done = 0;

	assert(c->state != TLS_HANDSHAKING);
	if (c->state != TLS_OPEN)
		return ST_NET;
	while (done < in.len && c->out.len < TLS_OUTPUT_HIGH) {
		int rc = mbedtls_ssl_write(&c->ssl, in.p + done, in.len - done);

		/* WANT_READ would be a handshake again: there is none. */
		if (rc <= 0) {
			(void)fail(c, rc);
			return c->out.err == ST_OK ? ST_NET : c->out.err;
		}
		done += (size_t)rc;
	}
	*taken = done;
	return ST_OK;
}

void
tls_conn_close(struct tls_conn *c)
{
	if (c->state == TLS_OPEN) {
		/* What cannot be sent is cut: the peer sees the same end. */
		(void)mbedtls_ssl_close_notify(&c->ssl);
		c->state = TLS_CLOSING;
	}
}

size_t
tls_conn_output_len(const struct tls_conn *c)
{
	return c->out.len;
}

void
tls_conn_take(struct tls_conn *c, struct buf *out)
{
	assert(out->p == NULL);
	*out = c->out;
	buf_init(&c->out, OUTPUT_MAX);
}

const struct peer *
tls_conn_peer(const struct tls_conn *c)
{
	return &c->peer;
}

const char *
tls_conn_lapsed(const struct tls_conn *c)
{
	const struct tls_conf *conf = c->conf;

	if (c->peer.role != PEER_DEVICE)
		return NULL;
	if (tls_now_s(conf) > c->peer.not_after_s)
		return "the device's certificate has expired";
	if (conf->identity(conf->identity_arg, c->peer.serial, c->peer.dev) !=
	    IDENTITY_TRUSTED)
		return "the device's standing has changed";
	return NULL;
}

const char *
tls_conn_version(const struct tls_conn *c)
{
	if (c->state == TLS_HANDSHAKING || c->state == TLS_BROKEN)
		return "";
	return mbedtls_ssl_get_version(&c->ssl);
}

const char *
tls_conn_reason(const struct tls_conn *c)
{
	return c->reason;
}
