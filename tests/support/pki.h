#ifndef SUPPORT_PKI_H
#define SUPPORT_PKI_H
/*
 * pki: a court's CA, a server certificate and device certificates of every
 * kind, good and bad, for tests.  Any failure ends the test.
 */
#include "server/ca/ca.h"

struct pki {
	const struct port *port;
	struct ca *ca;
	struct ca *other; /* another court's, under the same name */
	struct buf server_cert;
	struct buf server_key;
};

/* A certificate and its key, DER. */
struct pki_leaf {
	struct buf cert;
	struct buf key;
	uint8_t serial[X509_SERIAL_LEN];
	char dev[DEV_LEN + 1];
};

enum pki_kind {
	PKI_GOOD,
	PKI_EXPIRED,     /* two days ago */
	PKI_FUTURE,      /* from two days hence */
	PKI_OTHER_CA,    /* the other court's, same dev */
	PKI_SELF_SIGNED, /* by its own key, with a fitting name and purpose */
	PKI_NO_NAME,     /* ours, for clients, but without the URI */
	PKI_SERVER,      /* ours, the server's own kind */
	PKI_CA_ITSELF,   /* the CA's certificate, with its key */
	PKI_KINDS
};

void pki_open(struct pki *pki, const struct port *port);
void pki_close(struct pki *pki);

/* `n` chooses the dev: equal n, equal dev. */
void pki_leaf_new(
    struct pki_leaf *out, struct pki *pki, enum pki_kind kind, unsigned n);
void pki_leaf_free(struct pki_leaf *leaf);

/* Write PEM files ca.pem, NAME.pem and NAME.key into a folder. */
void pki_write(const struct pki *pki, const struct pki_leaf *leaf,
    const char *dir, const char *name);

#endif
