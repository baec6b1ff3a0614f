#include "support/pki.h"

#include <mbedtls/asn1write.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <string.h>

#include "support/expect.h"

static const char *const server_names[] = { "centre.daybreak.internal",
	"localhost", "127.0.0.1", "::1" };

void
pki_open(struct pki *pki, const struct port *port)
{
	*pki = (struct pki){ .port = port };
	EXPECT_OK(ca_new(&pki->ca, port, "test"));
	EXPECT_OK(ca_new(&pki->other, port, "test"));
	buf_init(&pki->server_cert, X509_CERT_DER_MAX);
	buf_init(&pki->server_key, X509_KEY_DER_MAX);
	EXPECT_OK(ca_issue_server(pki->ca, &pki->server_cert, &pki->server_key,
	    server_names, sizeof(server_names) / sizeof(server_names[0])));
}

void
pki_close(struct pki *pki)
{
	ca_close(pki->ca);
	ca_close(pki->other);
	buf_free(&pki->server_cert);
	buf_wipe(&pki->server_key);
}

/*
 * What our CA would never sign: no name, or signed by itself.  `uri` NULL:
 * without one.
 */
static void
forge(struct pki_leaf *leaf, struct bytes issuer_key, const char *issuer,
    const char *uri, const struct port *port)
{
	static const char oid[] = MBEDTLS_OID_CLIENT_AUTH;
	uint8_t der[X509_CERT_DER_MAX], san[128], eku_oid[sizeof(oid)];
	unsigned char *p = san + sizeof(san);
	mbedtls_asn1_sequence eku = { 0 };
	void *rng = x509_rng_arg(port);
	mbedtls_pk_context subject, signer;
	mbedtls_x509write_cert w;
	int rc;

	mbedtls_pk_init(&subject);
	mbedtls_pk_init(&signer);
	mbedtls_x509write_crt_init(&w);
	EXPECT(mbedtls_pk_parse_key(&subject, leaf->key.p, leaf->key.len, NULL,
		   0, x509_rng, rng) == 0);
	EXPECT(mbedtls_pk_parse_key(&signer, issuer_key.p, issuer_key.len, NULL,
		   0, x509_rng, rng) == 0);
	port_random(port, leaf->serial, X509_SERIAL_LEN);
	leaf->serial[0] = 0x55;
	mbedtls_x509write_crt_set_version(&w, MBEDTLS_X509_CRT_VERSION_3);
	mbedtls_x509write_crt_set_md_alg(&w, MBEDTLS_MD_SHA256);
	mbedtls_x509write_crt_set_subject_key(&w, &subject);
	mbedtls_x509write_crt_set_issuer_key(&w, &signer);
	EXPECT(mbedtls_x509write_crt_set_serial_raw(
		   &w, leaf->serial, X509_SERIAL_LEN) == 0);
	EXPECT(mbedtls_x509write_crt_set_validity(
		   &w, "20200101000000", "20991231000000") == 0);
	EXPECT(mbedtls_x509write_crt_set_subject_name(
		   &w, uri == NULL ? "CN=nameless" : issuer) == 0);
	EXPECT(mbedtls_x509write_crt_set_issuer_name(&w, issuer) == 0);
	EXPECT(mbedtls_x509write_crt_set_basic_constraints(&w, 0, -1) == 0);
	memcpy(eku_oid, oid, sizeof(oid));
	eku.buf.tag = MBEDTLS_ASN1_OID;
	eku.buf.p = eku_oid;
	eku.buf.len = MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH);
	EXPECT(mbedtls_x509write_crt_set_ext_key_usage(&w, &eku) == 0);
	if (uri != NULL) {
		size_t len = strlen(uri);

		EXPECT(mbedtls_asn1_write_raw_buffer(
			   &p, san, (const uint8_t *)uri, len) >= 0);
		EXPECT(mbedtls_asn1_write_len(&p, san, len) >= 0);
		EXPECT(mbedtls_asn1_write_tag(&p, san, 0x86) >= 0);
		len = (size_t)(san + sizeof(san) - p);
		EXPECT(mbedtls_asn1_write_len(&p, san, len) >= 0);
		EXPECT(mbedtls_asn1_write_tag(&p, san, 0x30) >= 0);
		EXPECT(mbedtls_x509write_crt_set_extension(&w,
			   MBEDTLS_OID_SUBJECT_ALT_NAME,
			   MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0, p,
			   (size_t)(san + sizeof(san) - p)) == 0);
	}
	rc = mbedtls_x509write_crt_der(&w, der, sizeof(der), x509_rng, rng);
	EXPECT(rc > 0);
	buf_add(&leaf->cert, der + sizeof(der) - rc, (size_t)rc);
	mbedtls_x509write_crt_free(&w);
	mbedtls_pk_free(&subject);
	mbedtls_pk_free(&signer);
}

static void
set_dev(char dev[DEV_LEN + 1], unsigned n)
{
	static const char digit[] = "abcdefghijklmnopqrstuvwxyz234567";

	memset(dev, 'a', DEV_LEN);
	dev[DEV_LEN] = '\0';
	for (size_t i = 0; i < 6; i++, n /= 32)
		dev[i] = digit[n % 32];
}

static void
issue(struct pki_leaf *out, struct pki *pki, enum pki_kind kind)
{
	const uint64_t day = 86400;
	uint64_t now = port_wall_ms(pki->port) / 1000;
	uint64_t from = now - 10 * day, to = now + 10 * day;
	struct buf csr;

	if (kind == PKI_EXPIRED)
		to = now - 2 * day;
	if (kind == PKI_FUTURE)
		from = now + 2 * day;
	buf_init(&csr, X509_CSR_DER_MAX);
	EXPECT_OK(x509_csr_new(&csr, buf_view(&out->key), pki->port));
	EXPECT_OK(ca_issue_device(kind == PKI_OTHER_CA ? pki->other : pki->ca,
	    &out->cert, out->serial, buf_view(&csr), out->dev, from, to));
	buf_free(&csr);
}

void
pki_leaf_new(
    struct pki_leaf *out, struct pki *pki, enum pki_kind kind, unsigned n)
{
	char uri[64];
	struct buf ca_key_der;

	*out = (struct pki_leaf){ 0 };
	buf_init(&out->cert, X509_CERT_DER_MAX);
	buf_init(&out->key, X509_KEY_DER_MAX);
	buf_init(&ca_key_der, X509_KEY_DER_MAX);
	set_dev(out->dev, n);
	if (kind != PKI_SERVER && kind != PKI_CA_ITSELF)
		EXPECT_OK(x509_key_new(&out->key, pki->port));
	(void)snprintf(uri, sizeof(uri), "%s%s", X509_DEV_URN, out->dev);
	switch (kind) {
	case PKI_SELF_SIGNED:
		forge(out, buf_view(&out->key), "CN=Daybreak CA,O=test", uri,
		    pki->port);
		break;
	case PKI_NO_NAME:
		EXPECT_OK(ca_key(pki->ca, &ca_key_der));
		forge(out, buf_view(&ca_key_der), "CN=Daybreak CA,O=test", NULL,
		    pki->port);
		break;
	case PKI_SERVER:
		EXPECT_OK(ca_issue_server(
		    pki->ca, &out->cert, &out->key, server_names, 1));
		break;
	case PKI_CA_ITSELF:
		buf_bytes(&out->cert, ca_cert(pki->ca));
		EXPECT_OK(ca_key(pki->ca, &out->key));
		break;
	default:
		issue(out, pki, kind);
		break;
	}
	buf_wipe(&ca_key_der);
}

void
pki_leaf_free(struct pki_leaf *leaf)
{
	buf_free(&leaf->cert);
	buf_wipe(&leaf->key);
}

static void
write_file(const char *dir, const char *name, const char *end, struct buf *pem)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s%s", dir, name, end);
	EXPECT_OK(port_write_file(port_system(), path, buf_view(pem), false));
	buf_wipe(pem);
}

void
pki_write(const struct pki *pki, const struct pki_leaf *leaf, const char *dir,
    const char *name)
{
	struct buf pem;

	buf_init(&pem, X509_PEM_MAX);
	EXPECT_OK(x509_cert_pem(&pem, ca_cert(pki->ca)));
	write_file(dir, "ca", ".pem", &pem);
	EXPECT_OK(x509_cert_pem(&pem, buf_view(&leaf->cert)));
	write_file(dir, name, ".pem", &pem);
	EXPECT_OK(x509_key_pem(&pem, buf_view(&leaf->key)));
	write_file(dir, name, ".key", &pem);
}
