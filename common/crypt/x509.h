#ifndef CRYPT_X509_H
#define CRYPT_X509_H
/*
 * x509: P-256 keys, certificate requests and certificates as bytes.
 *
 * What the agent and the server both need around X.509 (RFC 5280), so that
 * neither has to touch mbedTLS for it.  Everything travels as DER in buffers;
 * PEM is made only where another library wants it.  Keys are wiped wherever
 * they were copied.  No state, no lock: safe from every thread.
 *
 * A device certificate names its device in one subject alternative name, a
 * URI `urn:daybreak:dev:<dev>` (DESIGN.md 6); nothing else in it is read.
 */
#include "base/port.h"

enum {
	X509_SERIAL_LEN = 16,   /* ours are always exactly that long */
	X509_KEY_DER_MAX = 512, /* a P-256 key, either form */
	X509_CSR_DER_MAX = 2048,
	X509_CERT_DER_MAX = 4096,
	X509_PEM_MAX = 8192
};

/* What stands before the dev in a device certificate's URI. */
#define X509_DEV_URN "urn:daybreak:dev:"

/* What Daybreak reads from a certificate. */
struct x509_info {
	uint8_t serial[X509_SERIAL_LEN];
	uint64_t not_before_s; /* seconds since 1970 UTC; 0 if before that */
	uint64_t not_after_s;
	char dev[DEV_LEN + 1];         /* "" if it names no device */
	uint8_t key_sha256[HASH_LEN];  /* of its SubjectPublicKeyInfo DER */
	uint8_t cert_sha256[HASH_LEN]; /* of the whole DER: what a pin holds */
};

/*
 * A new P-256 private key, appended to `out` as DER (SEC 1, RFC 5915).  The
 * caller wipes the buffer (buf_wipe).  ST_NOMEM, ST_LIMIT.
 */
MUST_CHECK enum status x509_key_new(struct buf *out, const struct port *port);

/*
 * Append the public half, SubjectPublicKeyInfo DER, of a private key in DER.
 * ST_INVALID if it is not a P-256 key.
 */
MUST_CHECK enum status x509_key_public(
    struct buf *out, struct bytes key_der, const struct port *port);

/*
 * Append a certificate request (PKCS #10, RFC 2986) for that key, DER, signed
 * by it with SHA-256.  The name in it means nothing: the court's CA writes the
 * subject itself and takes nothing but the key.
 */
MUST_CHECK enum status x509_csr_new(
    struct buf *out, struct bytes key_der, const struct port *port);

/*
 * Check a request: well formed, P-256, and signed by the key it carries (this
 * the library does not do by itself).  Appends the public key,
 * SubjectPublicKeyInfo DER.  ST_INVALID; ST_LIMIT above X509_CSR_DER_MAX.
 */
MUST_CHECK enum status x509_csr_check(struct buf *out, struct bytes csr_der);

/*
 * Read a certificate.  Checks its form only: who signed it is not looked at.
 * ST_INVALID if it cannot be read, has a serial of another length, or names
 * more than one device; ST_LIMIT above X509_CERT_DER_MAX.
 */
MUST_CHECK enum status x509_cert_info(
    struct x509_info *out, struct bytes cert_der);

/*
 * True if `cert_der` is signed by the P-256 key of `ca_der`, names it as its
 * issuer, and `ca_der` may sign certificates.  Times are not looked at.
 */
bool x509_cert_signed_by(struct bytes cert_der, struct bytes ca_der);

/* Append PEM (RFC 7468) of a certificate or of a private key. */
MUST_CHECK enum status x509_cert_pem(struct buf *out, struct bytes cert_der);
MUST_CHECK enum status x509_key_pem(struct buf *out, struct bytes key_der);

/*
 * Append the DER inside the first PEM block whose label is "CERTIFICATE",
 * "CERTIFICATE REQUEST", "EC PRIVATE KEY" …  ST_ABSENT if there is none,
 * ST_INVALID if it is damaged.
 */
MUST_CHECK enum status x509_pem_decode(
    struct buf *out, struct bytes pem, const char *label);

/*
 * The port's randomness in the form that mbedTLS asks for: f_rng, always 0,
 * and its argument, which only lends the port.
 */
int x509_rng(void *port, unsigned char *out, size_t len);
void *x509_rng_arg(const struct port *port);

#endif
