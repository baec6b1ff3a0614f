#ifndef SERVER_NET_TLS_CONF_H
#define SERVER_NET_TLS_CONF_H
/*
 * tls_conf: what the TLS connections of one listener share, and who a peer is.
 *
 * TLS 1.3; TLS 1.2 only where the listener allows it, and then only with
 * ECDHE and an AEAD.  A listener asks for a client certificate or it does not:
 *
 *   TLS_MUTUAL   A certificate of the court's CA is required.  It must name
 *                one device (`urn:daybreak:dev:<dev>`), be for clientAuth, be
 *                within its dates by the port's clock, and satisfy
 *                `identity`.  A revoked one that is otherwise good completes
 *                the handshake as PEER_DELIVER: such a device may hand in
 *                entries and nothing else.
 *   TLS_SERVER   Nobody is asked; the peer is PEER_NONE.
 *
 * Session tickets (RFC 8446, 4.6.1) are sealed by this module and carry the
 * peer's identity: with a library's own tickets a resumed connection has no
 * certificate, the checks do not run, and a revoked device comes back in
 * (PROBE.md).  Here `identity` is asked again at each resumption, and a ticket
 * whose device is no longer trusted, or whose certificate ran out, is refused:
 * a full handshake follows, which settles it.  Keys of tickets are random,
 * live in memory only, are replaced once a `ticket_life_s`, and are the
 * listener's own: no ticket is good at another one.
 *
 * Threads: made by one, then read by all; `identity` is called from any of
 * them at once.
 */
#include "base/port.h"
#include "crypt/x509.h"

/* What a peer may be taken for; a bit each, for the masks of routes. */
enum peer_role {
	PEER_NONE = 1,    /* showed no certificate, was not asked for one */
	PEER_DEVICE = 2,  /* a device in good standing */
	PEER_DELIVER = 4, /* revoked or not yet confirmed: entries up only */
	PEER_ANY = 7
};

/* Who is at the other end; all zero but `role` for PEER_NONE. */
struct peer {
	enum peer_role role;
	char dev[DEV_LEN + 1];
	uint8_t serial[X509_SERIAL_LEN];
	uint64_t not_after_s; /* when its certificate ends */
	bool resumed;         /* by ticket, without a new certificate check */
};

enum identity {
	IDENTITY_TRUSTED,     /* PEER_DEVICE */
	IDENTITY_REVOKED,     /* PEER_DELIVER */
	IDENTITY_UNCONFIRMED, /* PEER_DELIVER: not in the log, yet to be taken
			       * (a device of before a restore, DESIGN.md 8) */
	IDENTITY_EXPIRED,     /* refused: superseded or too old */
	IDENTITY_UNKNOWN      /* refused: this CA's, but never enrolled */
};

/*
 * Whether the log knows that certificate.  Called during handshakes and at the
 * head of each request of a device, on the network threads, possibly several
 * at once: it must be quick and must not wait for a disk.
 */
typedef enum identity (*identity_fn)(
    void *arg, const uint8_t serial[X509_SERIAL_LEN], const char *dev);

enum tls_role { TLS_MUTUAL, TLS_SERVER };

struct tls_settings {
	const struct port *port; /* borrowed for the configuration's life */
	enum tls_role role;
	bool tls12;             /* allow TLS 1.2 (browsers of old desktops) */
	struct bytes cert_der;  /* this server's, copied */
	struct bytes key_der;   /* its P-256 key, copied */
	struct bytes ca_der;    /* TLS_MUTUAL: who signs devices; copied */
	uint32_t ticket_life_s; /* 0: no tickets; at most 7 days */
	identity_fn identity;   /* TLS_MUTUAL: required */
	void *identity_arg;
};

struct tls_conf; /* private to tls_conf.c */

/*
 * Make a configuration.  ST_INVALID if a certificate or key cannot be read or
 * the two do not belong together, ST_NOMEM.
 */
MUST_CHECK enum status tls_conf_new(
    struct tls_conf **out, const struct tls_settings *settings);

/* Free, when no connection uses it any more.  Freeing NULL does nothing. */
void tls_conf_free(struct tls_conf *conf);

/* Such as "device", "deliver", "none"; static storage. */
const char *peer_role_text(enum peer_role role);

#endif
