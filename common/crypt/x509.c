#include "crypt/x509.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/asn1.h>
#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <mbedtls/x509_csr.h>

#include "base/sha.h"

enum { PEM_INPUT_MAX = 65536 };

int
x509_rng(void *port, unsigned char *out, size_t len)
{
	port_random((const struct port *)port, out, len);
	return 0;
}

void *
x509_rng_arg(const struct port *port)
{
	union {
		const struct port *in;
		void *out;
	} u = { port };

	return u.out;
}

static enum status
status_of(int rc)
{
	if (rc == 0)
		return ST_OK;
	switch (rc) {
	case MBEDTLS_ERR_X509_ALLOC_FAILED:
	case MBEDTLS_ERR_PK_ALLOC_FAILED:
	case MBEDTLS_ERR_ASN1_ALLOC_FAILED:
	case MBEDTLS_ERR_MPI_ALLOC_FAILED:
	case MBEDTLS_ERR_ECP_ALLOC_FAILED:
	case MBEDTLS_ERR_PEM_ALLOC_FAILED:
		return ST_NOMEM;
	default:
		break;
	}
	/* Low-level codes may come added to a high-level one. */
	if ((-rc & 0x7f) == -MBEDTLS_ERR_MPI_ALLOC_FAILED ||
	    (-rc & 0x7f) == -MBEDTLS_ERR_ASN1_ALLOC_FAILED)
		return ST_NOMEM;
	return ST_INVALID;
}

static bool
is_p256(const mbedtls_pk_context *pk)
{
	mbedtls_pk_type_t type = mbedtls_pk_get_type(pk);

	if (type != MBEDTLS_PK_ECKEY && type != MBEDTLS_PK_ECDSA)
		return false;
	return mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(*pk)) ==
	       MBEDTLS_ECP_DP_SECP256R1;
}

static enum status
key_parse(mbedtls_pk_context *pk, struct bytes der, const struct port *port)
{
	int rc;

	if (der.len == 0 || der.len > X509_KEY_DER_MAX)
		return ST_INVALID;
	rc = mbedtls_pk_parse_key(
	    pk, der.p, der.len, NULL, 0, x509_rng, x509_rng_arg(port));
	if (rc != 0)
		return status_of(rc);
	return is_p256(pk) ? ST_OK : ST_INVALID;
}

/* mbedTLS writes DER to the end of a buffer and says how much it wrote. */
static enum status
add_tail(struct buf *out, const uint8_t *tmp, size_t size, int rc)
{
	if (rc <= 0)
		return rc == 0 ? ST_INVALID : status_of(rc);
	assert((size_t)rc <= size);
	buf_add(out, tmp + size - (size_t)rc, (size_t)rc);
	return out->err;
}

enum status
x509_key_new(struct buf *out, const struct port *port)
{
	uint8_t tmp[X509_KEY_DER_MAX];
	mbedtls_pk_context pk;
	enum status st;
	int rc;

	mbedtls_pk_init(&pk);
	rc = mbedtls_pk_setup(&pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
	if (rc == 0)
		rc = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1,
		    mbedtls_pk_ec(pk), x509_rng, x509_rng_arg(port));
	st = status_of(rc);
	if (st == ST_OK)
		st = add_tail(out, tmp, sizeof(tmp),
		    mbedtls_pk_write_key_der(&pk, tmp, sizeof(tmp)));
	sodium_memzero(tmp, sizeof(tmp));
	mbedtls_pk_free(&pk);
	return st;
}

enum status
x509_key_public(struct buf *out, struct bytes key_der, const struct port *port)
{
	uint8_t tmp[X509_KEY_DER_MAX];
	mbedtls_pk_context pk;
	enum status st;

	mbedtls_pk_init(&pk);
	st = key_parse(&pk, key_der, port);
	if (st == ST_OK)
		st = add_tail(out, tmp, sizeof(tmp),
		    mbedtls_pk_write_pubkey_der(&pk, tmp, sizeof(tmp)));
	mbedtls_pk_free(&pk);
	return st;
}

enum status
x509_csr_new(struct buf *out, struct bytes key_der, const struct port *port)
{
	uint8_t tmp[X509_CSR_DER_MAX];
	mbedtls_x509write_csr csr;
	mbedtls_pk_context pk;
	enum status st;

	mbedtls_pk_init(&pk);
	mbedtls_x509write_csr_init(&csr);
	st = key_parse(&pk, key_der, port);
	if (st != ST_OK)
		goto out;
	/* Some readers do not take an empty name; this one says nothing. */
	if (mbedtls_x509write_csr_set_subject_name(&csr, "CN=daybreak") != 0) {
		st = ST_NOMEM;
		goto out;
	}
	mbedtls_x509write_csr_set_md_alg(&csr, MBEDTLS_MD_SHA256);
	mbedtls_x509write_csr_set_key(&csr, &pk);
	st = add_tail(out, tmp, sizeof(tmp),
	    mbedtls_x509write_csr_der(
		&csr, tmp, sizeof(tmp), x509_rng, x509_rng_arg(port)));
out:
	mbedtls_x509write_csr_free(&csr);
	mbedtls_pk_free(&pk);
	return st;
}

/*
 * The signature of a request: CertificationRequest ::= SEQUENCE { info,
 * signatureAlgorithm, signature BIT STRING } (RFC 2986, 4.2).  The library
 * has parsed the whole before, and gives no access to this part.
 */
static enum status
csr_signature(struct bytes *sig, struct bytes der)
{
	/* The reader moves a pointer that is not const; nothing is written. */
	union {
		const uint8_t *in;
		unsigned char *p;
	} u = { der.p };
	const unsigned char *end = der.p + der.len;
	size_t len;
	int rc;

	rc = mbedtls_asn1_get_tag(
	    &u.p, end, &len, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE);
	if (rc != 0)
		return ST_INVALID;
	for (int i = 0; i < 2; i++) {
		rc = mbedtls_asn1_get_tag(&u.p, end, &len,
		    MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE);
		if (rc != 0)
			return ST_INVALID;
		u.p += len;
	}
	rc = mbedtls_asn1_get_bitstring_null(&u.p, end, &len);
	if (rc != 0 || u.p + len != end)
		return ST_INVALID;
	*sig = (struct bytes){ u.p, len };
	return ST_OK;
}

enum status
x509_csr_check(struct buf *out, struct bytes csr_der)
{
	uint8_t hash[HASH_LEN], tmp[X509_KEY_DER_MAX];
	mbedtls_x509_csr csr;
	struct bytes sig;
	enum status st;

	if (csr_der.len > X509_CSR_DER_MAX)
		return ST_LIMIT;
	mbedtls_x509_csr_init(&csr);
	st = csr_der.len == 0 ? ST_INVALID
			      : status_of(mbedtls_x509_csr_parse_der(
				    &csr, csr_der.p, csr_der.len));
	if (st != ST_OK)
		goto out;
	/* The parser may leave bytes behind the request. */
	st = ST_INVALID;
	if (csr.raw.len != csr_der.len || !is_p256(&csr.pk))
		goto out;
	if (MBEDTLS_OID_CMP(MBEDTLS_OID_ECDSA_SHA256, &csr.sig_oid) != 0)
		goto out;
	st = csr_signature(&sig, csr_der);
	if (st != ST_OK)
		goto out;
	sha256(hash, (struct bytes){ csr.cri.p, csr.cri.len });
	st = status_of(mbedtls_pk_verify(
	    &csr.pk, MBEDTLS_MD_SHA256, hash, sizeof(hash), sig.p, sig.len));
	if (st != ST_OK)
		goto out;
	st = add_tail(out, tmp, sizeof(tmp),
	    mbedtls_pk_write_pubkey_der(&csr.pk, tmp, sizeof(tmp)));
out:
	mbedtls_x509_csr_free(&csr);
	return st;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar, year >= 1970. */
static uint64_t
days_of(unsigned y, unsigned m, unsigned d)
{
	static const unsigned before[12] = { 0, 31, 59, 90, 120, 151, 181, 212,
		243, 273, 304, 334 };
	unsigned leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
	uint64_t days = 365 * (uint64_t)(y - 1970);

	days += (y - 1) / 4 - 1969 / 4;
	days -= (y - 1) / 100 - 1969 / 100;
	days += (y - 1) / 400 - 1969 / 400;
	return days + before[m - 1] + (m > 2 ? leap : 0) + d - 1;
}

static uint64_t
seconds_of(const mbedtls_x509_time *t)
{
	/* mbedTLS has checked the ranges while parsing. */
	if (t->year < 1970)
		return 0;
	assert(t->mon >= 1 && t->mon <= 12);
	return days_of((unsigned)t->year, (unsigned)t->mon, (unsigned)t->day) *
		   86400 +
	       (uint64_t)t->hour * 3600 + (uint64_t)t->min * 60 +
	       (uint64_t)t->sec;
}

/* Base32 of 16 bytes has 26 characters of a-z 2-7. */
static bool
dev_valid(struct bytes dev)
{
	if (dev.len != DEV_LEN)
		return false;
	for (size_t i = 0; i < dev.len; i++) {
		uint8_t c = dev.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '2' && c <= '7')))
			return false;
	}
	return true;
}

/* One device at most; a foreign URI or name beside it is not ours. */
static enum status
read_dev(char dev[DEV_LEN + 1], const mbedtls_x509_sequence *names)
{
	enum status st = ST_OK;

	dev[0] = '\0';
	for (; names != NULL && st == ST_OK; names = names->next) {
		mbedtls_x509_subject_alternative_name san;
		const size_t skip = sizeof(X509_DEV_URN) - 1;
		struct bytes uri;
		int rc;

		if (names->buf.p == NULL)
			continue;
		rc = mbedtls_x509_parse_subject_alt_name(&names->buf, &san);
		if (rc == MBEDTLS_ERR_X509_FEATURE_UNAVAILABLE)
			continue;
		if (rc != 0)
			return status_of(rc);
		uri = (struct bytes){ NULL, 0 };
		if (san.type == MBEDTLS_X509_SAN_UNIFORM_RESOURCE_IDENTIFIER)
			uri = (struct bytes){ san.san.unstructured_name.p,
				san.san.unstructured_name.len };
		if (uri.p != NULL && bytes_starts(uri, X509_DEV_URN)) {
			uri.p += skip;
			uri.len -= skip;
			if (dev[0] != '\0' || !dev_valid(uri))
				st = ST_INVALID;
			else
				memcpy(dev, uri.p, DEV_LEN);
			dev[DEV_LEN] = '\0';
		}
		mbedtls_x509_free_subject_alt_name(&san);
	}
	return st;
}

enum status
x509_cert_info(struct x509_info *out, struct bytes cert_der)
{
	struct x509_info info = { 0 };
	mbedtls_x509_crt crt;
	enum status st;

	if (cert_der.len > X509_CERT_DER_MAX)
		return ST_LIMIT;
	mbedtls_x509_crt_init(&crt);
	st = cert_der.len == 0 ? ST_INVALID
			       : status_of(mbedtls_x509_crt_parse_der(
				     &crt, cert_der.p, cert_der.len));
	if (st != ST_OK)
		goto out;
	st = ST_INVALID;
	if (crt.raw.len != cert_der.len || crt.serial.len != X509_SERIAL_LEN)
		goto out;
	memcpy(info.serial, crt.serial.p, X509_SERIAL_LEN);
	info.not_before_s = seconds_of(&crt.valid_from);
	info.not_after_s = seconds_of(&crt.valid_to);
	st = read_dev(info.dev, &crt.subject_alt_names);
	if (st != ST_OK)
		goto out;
	sha256(info.key_sha256, (struct bytes){ crt.pk_raw.p, crt.pk_raw.len });
	sha256(info.cert_sha256, cert_der);
	*out = info;
out:
	mbedtls_x509_crt_free(&crt);
	return st;
}

/* Times are judged elsewhere, by another clock. */
static int
ignore_times(void *arg, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
	(void)arg;
	(void)crt;
	(void)depth;
	*flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED |
			      MBEDTLS_X509_BADCERT_FUTURE);
	return 0;
}

bool
x509_cert_signed_by(struct bytes cert_der, struct bytes ca_der)
{
	static const mbedtls_x509_crt_profile profile = {
		MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256),
		MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECKEY) |
		    MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECDSA),
		MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1),
		UINT32_MAX,
	};
	mbedtls_x509_crt crt, ca;
	uint32_t flags = 0;
	bool good = false;

	mbedtls_x509_crt_init(&crt);
	mbedtls_x509_crt_init(&ca);
	if (cert_der.len == 0 || cert_der.len > X509_CERT_DER_MAX ||
	    ca_der.len == 0 || ca_der.len > X509_CERT_DER_MAX)
		goto out;
	if (mbedtls_x509_crt_parse_der(&crt, cert_der.p, cert_der.len) != 0 ||
	    mbedtls_x509_crt_parse_der(&ca, ca_der.p, ca_der.len) != 0)
		goto out;
	good = mbedtls_x509_crt_verify_with_profile(&crt, &ca, NULL, &profile,
		   NULL, &flags, ignore_times, NULL) == 0;
out:
	mbedtls_x509_crt_free(&crt);
	mbedtls_x509_crt_free(&ca);
	return good;
}

static enum status
add_pem(struct buf *out, struct bytes der, const char *begin, const char *end)
{
	uint8_t tmp[X509_PEM_MAX];
	size_t len = 0;
	enum status st;

	if (der.len == 0 || der.len > X509_CERT_DER_MAX)
		return ST_INVALID;
	st = status_of(mbedtls_pem_write_buffer(
	    begin, end, der.p, der.len, tmp, sizeof(tmp), &len));
	if (st == ST_OK) {
		/* The NUL that it counts is not part of the text. */
		buf_add(out, tmp, len - 1);
		st = out->err;
	}
	sodium_memzero(tmp, sizeof(tmp));
	return st;
}

enum status
x509_cert_pem(struct buf *out, struct bytes cert_der)
{
	return add_pem(out, cert_der, "-----BEGIN CERTIFICATE-----\n",
	    "-----END CERTIFICATE-----\n");
}

enum status
x509_key_pem(struct buf *out, struct bytes key_der)
{
	return add_pem(out, key_der, "-----BEGIN EC PRIVATE KEY-----\n",
	    "-----END EC PRIVATE KEY-----\n");
}

enum status
x509_pem_decode(struct buf *out, struct bytes pem, const char *label)
{
	char begin[64], end[64];
	mbedtls_pem_context ctx;
	struct buf text, name;
	const unsigned char *der;
	size_t used = 0, len = 0;
	enum status st;
	int rc;

	if (pem.len > PEM_INPUT_MAX)
		return ST_LIMIT;
	assert(strlen(label) < sizeof(begin) - 16);
	mbedtls_pem_init(&ctx);
	buf_init(&text, PEM_INPUT_MAX + 1);
	buf_init(&name, sizeof(begin));
	buf_printf(&name, "-----BEGIN %s-----", label);
	if (buf_cstr(&name) == NULL) {
		st = ST_NOMEM;
		goto out;
	}
	memcpy(begin, name.p, name.len + 1);
	buf_reset(&name);
	buf_printf(&name, "-----END %s-----", label);
	if (buf_cstr(&name) == NULL) {
		st = ST_NOMEM;
		goto out;
	}
	memcpy(end, name.p, name.len + 1);
	buf_bytes(&text, pem);
	if (buf_cstr(&text) == NULL) {
		st = ST_NOMEM;
		goto out;
	}
	rc = mbedtls_pem_read_buffer(&ctx, begin, end, text.p, NULL, 0, &used);
	if (rc == MBEDTLS_ERR_PEM_NO_HEADER_FOOTER_PRESENT) {
		st = ST_ABSENT;
		goto out;
	}
	st = status_of(rc);
	if (st != ST_OK)
		goto out;
	der = mbedtls_pem_get_buffer(&ctx, &len);
	buf_add(out, der, len);
	st = out->err;
out:
	mbedtls_pem_free(&ctx);
	buf_wipe(&text);
	buf_free(&name);
	return st;
}
