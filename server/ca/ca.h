#ifndef SERVER_CA_CA_H
#define SERVER_CA_CA_H
/*
 * ca: the court's certificate authority.
 *
 * It signs two kinds of certificate and no other: the server's, and those of
 * devices.  All keys are P-256, all signatures ECDSA with SHA-256.  The CA's
 * own and the server's certificates are trusted by pin and therefore valid
 * from 1970-01-01 to 9999-12-31: a handheld whose clock stands at zero must
 * still be able to reach its court (DESIGN.md 6).  Device certificates carry
 * the dates that the caller gives and are judged by the server's clock alone.
 *
 * There is no revocation list: who is revoked stands in the log, and is looked
 * up at each handshake (net/tls_conf.h).
 *
 * Threads: every function may be called from any thread; the key is used
 * under a lock of its own.
 */
#include "base/port.h"
#include "crypt/x509.h"

struct ca; /* private to ca.c */

enum {
	CA_COURT_LEN_MAX = 40, /* of the court's code */
	CA_NAMES_MAX = 16,     /* names in one server certificate */
	CA_NAME_LEN_MAX = 253  /* of a DNS name, RFC 1035 */
};

/*
 * Make a CA with a new key.  `court` is the court's code, 1 to
 * CA_COURT_LEN_MAX characters of A-Z a-z 0-9 . _ -; it stands in the subject
 * of every certificate.  `port` is borrowed and must outlive the CA.
 * ST_INVALID for another name, ST_NOMEM.
 */
MUST_CHECK enum status ca_new(
    struct ca **out, const struct port *port, const char *court);

/*
 * Open a CA from its certificate and private key, DER.  ST_INVALID if either
 * cannot be read, ST_CONFLICT if they do not belong together or the
 * certificate is not one that ca_new makes.
 */
MUST_CHECK enum status ca_open(struct ca **out, const struct port *port,
    struct bytes cert_der, struct bytes key_der);

/* Close, wiping the key.  Closing NULL does nothing. */
void ca_close(struct ca *ca);

/* The certificate, DER; borrowed for the CA's life. */
struct bytes ca_cert(const struct ca *ca);

/* Append the private key, DER; the caller wipes the buffer. */
MUST_CHECK enum status ca_key(struct ca *ca, struct buf *out);

/*
 * Make a server certificate with a new key: extended key usage serverAuth,
 * one subject alternative name for each of `names` (a DNS name, or an IPv4 or
 * IPv6 address, which then stands as an address), 1 to CA_NAMES_MAX of them.
 * Appends certificate and key, DER; the caller wipes `key_out`.  ST_INVALID
 * for a name that is neither.
 */
MUST_CHECK enum status ca_issue_server(struct ca *ca, struct buf *cert_out,
    struct buf *key_out, const char *const *names, size_t count);

/*
 * Make a device certificate.  `csr` is checked (form, P-256, its own
 * signature) and gives its public key, nothing else; the subject is ours, the
 * one subject alternative name is the URI of `dev`, the extended key usage
 * clientAuth, the serial 16 random bytes.  Dates in seconds since 1970 UTC,
 * not_before_s < not_after_s, both before the year 10000.
 *
 * Appends the certificate, DER, to `cert_out` and gives its serial.
 * ST_INVALID for a request, dev or dates that will not do; ST_LIMIT for a
 * request above X509_CSR_DER_MAX.
 */
MUST_CHECK enum status ca_issue_device(struct ca *ca, struct buf *cert_out,
    uint8_t serial_out[X509_SERIAL_LEN], struct bytes csr, const char *dev,
    uint64_t not_before_s, uint64_t not_after_s);

#endif
