#include "server/ca/ca.h"

#include <assert.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

#include "server/ca/ca_san.h"

enum {
	NAME_TEXT_MAX = 512,
	TIME_TEXT_LEN = 15, /* YYYYMMDDhhmmss and a NUL */
};

/* The dates of what is trusted by pin: for ever (ca.h). */
static const char date_first[] = "19700101000000";
static const char date_last[] = "99991231235959";
/* The last second that a certificate can name: 9999-12-31T23:59:59Z. */
static const uint64_t seconds_last = 253402300799;

struct ca {
	const struct port *port; /* borrowed */
	pthread_mutex_t lock;    /* held while `key` is used */
	mbedtls_pk_context key;
	struct buf cert;             /* DER */
	char subject[NAME_TEXT_MAX]; /* its own, the issuer of all others */
	char court[CA_COURT_LEN_MAX + 1];
};

/* What differs between the certificates made here. */
struct spec {
	const char *subject; /* as mbedTLS reads names: "CN=…,O=…" */
	const char *issuer;
	const char *not_before; /* YYYYMMDDhhmmss */
	const char *not_after;
	bool is_ca;
	const char *eku; /* OID of the extended key usage; NULL: none */
	size_t eku_len;
	struct bytes san; /* the extension's value; empty: none */
};

static bool
court_valid(const char *court)
{
	size_t len = strlen(court);

	if (len == 0 || len > CA_COURT_LEN_MAX)
		return false;
	return strspn(court,
		   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		   "0123456789._-") == len;
}

/*
 * 16 random bytes.  DER integers are signed and shortest: the first byte is
 * kept within 0x40 … 0x7f, so that every serial has all 16 (RFC 5280 4.1.2.2
 * asks for positive ones).  126 random bits remain.
 */
static void
serial_new(uint8_t out[X509_SERIAL_LEN], const struct port *port)
{
	port_random(port, out, X509_SERIAL_LEN);
	out[0] = (uint8_t)((out[0] & 0x3f) | 0x40);
}

static enum status
add_extensions(mbedtls_x509write_cert *w, const struct spec *spec)
{
	mbedtls_asn1_sequence eku = { 0 };
	unsigned usage = spec->is_ca ? MBEDTLS_X509_KU_KEY_CERT_SIGN |
					   MBEDTLS_X509_KU_CRL_SIGN
				     : MBEDTLS_X509_KU_DIGITAL_SIGNATURE;
	int rc;

	/* A path length of 0: what the CA signs cannot sign others. */
	rc = mbedtls_x509write_crt_set_basic_constraints(
	    w, spec->is_ca, spec->is_ca ? 0 : -1);
	if (rc == 0)
		rc = mbedtls_x509write_crt_set_key_usage(w, usage);
	if (rc == 0)
		rc = mbedtls_x509write_crt_set_subject_key_identifier(w);
	if (rc == 0)
		rc = mbedtls_x509write_crt_set_authority_key_identifier(w);
	if (rc == 0 && spec->eku != NULL) {
		union {
			const char *in;
			unsigned char *p;
		} u = { spec->eku };

		eku.buf.tag = MBEDTLS_ASN1_OID;
		eku.buf.p = u.p;
		eku.buf.len = spec->eku_len;
		rc = mbedtls_x509write_crt_set_ext_key_usage(w, &eku);
	}
	if (rc == 0 && spec->san.len > 0)
		rc = mbedtls_x509write_crt_set_extension(w,
		    MBEDTLS_OID_SUBJECT_ALT_NAME,
		    MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0,
		    spec->san.p, spec->san.len);
	return rc == 0 ? ST_OK : ST_NOMEM;
}

/* Write one certificate for `subject_key`, signed by `issuer_key`. */
static enum status
cert_write(struct buf *out, uint8_t serial[X509_SERIAL_LEN],
    const struct port *port, const struct spec *spec,
    mbedtls_pk_context *subject_key, mbedtls_pk_context *issuer_key)
{
	uint8_t der[X509_CERT_DER_MAX];
	mbedtls_x509write_cert w;
	enum status st = ST_INVALID;
	int rc;

	mbedtls_x509write_crt_init(&w);
	serial_new(serial, port);
	mbedtls_x509write_crt_set_version(&w, MBEDTLS_X509_CRT_VERSION_3);
	mbedtls_x509write_crt_set_md_alg(&w, MBEDTLS_MD_SHA256);
	mbedtls_x509write_crt_set_subject_key(&w, subject_key);
	mbedtls_x509write_crt_set_issuer_key(&w, issuer_key);
	if (mbedtls_x509write_crt_set_serial_raw(&w, serial, X509_SERIAL_LEN) !=
	    0)
		goto out;
	if (mbedtls_x509write_crt_set_validity(
		&w, spec->not_before, spec->not_after) != 0)
		goto out;
	if (mbedtls_x509write_crt_set_subject_name(&w, spec->subject) != 0 ||
	    mbedtls_x509write_crt_set_issuer_name(&w, spec->issuer) != 0) {
		/* Our names are well formed: memory is all that can lack. */
		st = ST_NOMEM;
		goto out;
	}
	st = add_extensions(&w, spec);
	if (st != ST_OK)
		goto out;
	rc = mbedtls_x509write_crt_der(
	    &w, der, sizeof(der), x509_rng, x509_rng_arg(port));
	if (rc <= 0) {
		st = rc == MBEDTLS_ERR_ASN1_BUF_TOO_SMALL ? ST_LIMIT : ST_NOMEM;
		goto out;
	}
	buf_add(out, der + sizeof(der) - (size_t)rc, (size_t)rc);
	st = out->err;
out:
	mbedtls_x509write_crt_free(&w);
	return st;
}

static enum status
ca_alloc(struct ca **out, const struct port *port)
{
	struct ca *ca = calloc(1, sizeof(*ca));

	if (ca == NULL)
		return ST_NOMEM;
	if (pthread_mutex_init(&ca->lock, NULL) != 0) {
		free(ca);
		return ST_NOMEM;
	}
	ca->port = port;
	mbedtls_pk_init(&ca->key);
	buf_init(&ca->cert, X509_CERT_DER_MAX);
	*out = ca;
	return ST_OK;
}

void
ca_close(struct ca *ca)
{
	if (ca == NULL)
		return;
	mbedtls_pk_free(&ca->key);
	buf_free(&ca->cert);
	(void)pthread_mutex_destroy(&ca->lock);
	free(ca);
}

static enum status
key_load(mbedtls_pk_context *pk, struct bytes der, const struct port *port)
{
	int rc;

	if (der.len == 0 || der.len > X509_KEY_DER_MAX)
		return ST_INVALID;
	rc = mbedtls_pk_parse_key(
	    pk, der.p, der.len, NULL, 0, x509_rng, x509_rng_arg(port));
	if (rc != 0)
		return ST_INVALID;
	if (mbedtls_pk_get_type(pk) != MBEDTLS_PK_ECKEY ||
	    mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(*pk)) !=
		MBEDTLS_ECP_DP_SECP256R1)
		return ST_INVALID;
	return ST_OK;
}

static void
set_subject(struct ca *ca, const char *court)
{
	int n;

	(void)snprintf(ca->court, sizeof(ca->court), "%s", court);
	n = snprintf(
	    ca->subject, sizeof(ca->subject), "CN=Daybreak CA,O=%s", ca->court);
	assert(n > 0 && (size_t)n < sizeof(ca->subject));
}

enum status
ca_new(struct ca **out, const struct port *port, const char *court)
{
	uint8_t serial[X509_SERIAL_LEN];
	struct spec spec = {
		.not_before = date_first, .not_after = date_last, .is_ca = true
	};
	struct ca *ca = NULL;
	struct buf key;
	enum status st;

	if (!court_valid(court))
		return ST_INVALID;
	buf_init(&key, X509_KEY_DER_MAX);
	st = ca_alloc(&ca, port);
	if (st != ST_OK)
		goto out;
	st = x509_key_new(&key, port);
	if (st != ST_OK)
		goto out;
	st = key_load(&ca->key, buf_view(&key), port);
	if (st != ST_OK)
		goto out;
	set_subject(ca, court);
	spec.subject = ca->subject;
	spec.issuer = ca->subject;
	st = cert_write(&ca->cert, serial, port, &spec, &ca->key, &ca->key);
	if (st != ST_OK)
		goto out;
	*out = ca;
	ca = NULL;
out:
	buf_wipe(&key);
	ca_close(ca);
	return st;
}

/* The court's code stands in the subject's organisation. */
static enum status
read_court(char court[CA_COURT_LEN_MAX + 1], const mbedtls_x509_crt *crt)
{
	const mbedtls_x509_name *n;

	for (n = &crt->subject; n != NULL; n = n->next) {
		if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_ORGANIZATION, &n->oid) != 0)
			continue;
		if (n->val.len > CA_COURT_LEN_MAX)
			return ST_CONFLICT;
		memcpy(court, n->val.p, n->val.len);
		court[n->val.len] = '\0';
		return court_valid(court) ? ST_OK : ST_CONFLICT;
	}
	return ST_CONFLICT;
}

enum status
ca_open(struct ca **out, const struct port *port, struct bytes cert_der,
    struct bytes key_der)
{
	char subject[NAME_TEXT_MAX], want[NAME_TEXT_MAX];
	char court[CA_COURT_LEN_MAX + 1];
	struct ca *ca = NULL;
	mbedtls_x509_crt crt;
	enum status st;
	int n;

	mbedtls_x509_crt_init(&crt);
	st = ca_alloc(&ca, port);
	if (st != ST_OK)
		goto out;
	st = ST_INVALID;
	if (cert_der.len == 0 || cert_der.len > X509_CERT_DER_MAX ||
	    mbedtls_x509_crt_parse_der(&crt, cert_der.p, cert_der.len) != 0)
		goto out;
	st = key_load(&ca->key, key_der, port);
	if (st != ST_OK)
		goto out;
	st = ST_CONFLICT;
	if (mbedtls_pk_check_pair(
		&crt.pk, &ca->key, x509_rng, x509_rng_arg(port)) != 0)
		goto out;
	if (!x509_cert_signed_by(cert_der, cert_der))
		goto out;
	st = read_court(court, &crt);
	if (st != ST_OK)
		goto out;
	set_subject(ca, court);
	st = ST_CONFLICT;
	/* What we sign names its issuer by the text: it must come out equal. */
	n = mbedtls_x509_dn_gets(subject, sizeof(subject), &crt.subject);
	(void)snprintf(want, sizeof(want), "CN=Daybreak CA, O=%s", court);
	if (n <= 0 || strcmp(subject, want) != 0)
		goto out;
	buf_bytes(&ca->cert, cert_der);
	st = ca->cert.err;
	if (st != ST_OK)
		goto out;
	*out = ca;
	ca = NULL;
out:
	mbedtls_x509_crt_free(&crt);
	ca_close(ca);
	return st;
}

struct bytes
ca_cert(const struct ca *ca)
{
	return buf_view(&ca->cert);
}

enum status
ca_key(struct ca *ca, struct buf *out)
{
	uint8_t der[X509_KEY_DER_MAX];
	int rc;

	(void)pthread_mutex_lock(&ca->lock);
	rc = mbedtls_pk_write_key_der(&ca->key, der, sizeof(der));
	(void)pthread_mutex_unlock(&ca->lock);
	if (rc > 0)
		buf_add(out, der + sizeof(der) - (size_t)rc, (size_t)rc);
	sodium_memzero(der, sizeof(der));
	return rc > 0 ? out->err : ST_NOMEM;
}

enum status
ca_issue_server(struct ca *ca, struct buf *cert_out, struct buf *key_out,
    const char *const *names, size_t count)
{
	uint8_t serial[X509_SERIAL_LEN];
	struct ca_san san;
	char subject[NAME_TEXT_MAX];
	struct spec spec = { .subject = subject,
		.issuer = ca->subject,
		.not_before = date_first,
		.not_after = date_last,
		.eku = MBEDTLS_OID_SERVER_AUTH,
		.eku_len = MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH) };
	mbedtls_pk_context pk;
	enum status st = ST_OK;
	struct buf key;

	if (count == 0 || count > CA_NAMES_MAX)
		return ST_INVALID;
	mbedtls_pk_init(&pk);
	buf_init(&key, X509_KEY_DER_MAX);
	ca_san_init(&san);
	for (size_t i = count; i-- > 0 && st == ST_OK;)
		st = ca_san_host(&san, names[i]);
	if (st == ST_OK)
		st = ca_san_finish(&spec.san, &san);
	if (st == ST_OK)
		st = x509_key_new(&key, ca->port);
	if (st == ST_OK)
		st = key_load(&pk, buf_view(&key), ca->port);
	if (st != ST_OK)
		goto out;
	/* Names are read from the alternative names only (RFC 6125, 6.4.4). */
	(void)snprintf(
	    subject, sizeof(subject), "CN=Daybreak centre,O=%s", ca->court);
	(void)pthread_mutex_lock(&ca->lock);
	st = cert_write(cert_out, serial, ca->port, &spec, &pk, &ca->key);
	(void)pthread_mutex_unlock(&ca->lock);
	if (st != ST_OK)
		goto out;
	buf_bytes(key_out, buf_view(&key));
	st = key_out->err;
out:
	mbedtls_pk_free(&pk);
	buf_wipe(&key);
	return st;
}

static bool
dev_valid(const char *dev)
{
	return strlen(dev) == DEV_LEN &&
	       strspn(dev, "abcdefghijklmnopqrstuvwxyz234567") == DEV_LEN;
}

static enum status
time_text(char out[TIME_TEXT_LEN], uint64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (seconds > seconds_last || gmtime_r(&t, &tm) == NULL)
		return ST_INVALID;
	if (strftime(out, TIME_TEXT_LEN, "%Y%m%d%H%M%S", &tm) !=
	    TIME_TEXT_LEN - 1)
		return ST_INVALID;
	return ST_OK;
}

enum status
ca_issue_device(struct ca *ca, struct buf *cert_out,
    uint8_t serial_out[X509_SERIAL_LEN], struct bytes csr, const char *dev,
    uint64_t not_before_s, uint64_t not_after_s)
{
	uint8_t serial[X509_SERIAL_LEN];
	char from[TIME_TEXT_LEN], to[TIME_TEXT_LEN];
	char subject[NAME_TEXT_MAX], uri[sizeof(X509_DEV_URN) + DEV_LEN];
	struct ca_san san;
	struct spec spec = { .subject = subject,
		.issuer = ca->subject,
		.not_before = from,
		.not_after = to,
		.eku = MBEDTLS_OID_CLIENT_AUTH,
		.eku_len = MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH) };
	mbedtls_pk_context pk;
	struct buf public;
	enum status st;
	int rc;

	if (!dev_valid(dev) || not_before_s >= not_after_s)
		return ST_INVALID;
	mbedtls_pk_init(&pk);
	buf_init(&public, X509_KEY_DER_MAX);
	st = time_text(from, not_before_s);
	if (st == ST_OK)
		st = time_text(to, not_after_s);
	if (st == ST_OK)
		st = x509_csr_check(&public, csr);
	if (st != ST_OK)
		goto out;
	rc = mbedtls_pk_parse_public_key(&pk, public.p, public.len);
	if (rc != 0) {
		st = ST_NOMEM; /* the form was checked just now */
		goto out;
	}
	(void)snprintf(uri, sizeof(uri), "%s%s", X509_DEV_URN, dev);
	(void)snprintf(subject, sizeof(subject), "CN=%s,O=%s", dev, ca->court);
	ca_san_init(&san);
	st = ca_san_uri(&san, uri);
	if (st == ST_OK)
		st = ca_san_finish(&spec.san, &san);
	if (st != ST_OK)
		goto out;
	(void)pthread_mutex_lock(&ca->lock);
	st = cert_write(cert_out, serial, ca->port, &spec, &pk, &ca->key);
	(void)pthread_mutex_unlock(&ca->lock);
	if (st == ST_OK)
		memcpy(serial_out, serial, sizeof(serial));
out:
	mbedtls_pk_free(&pk);
	buf_free(&public);
	return st;
}
