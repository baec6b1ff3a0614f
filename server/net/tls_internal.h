#ifndef SERVER_NET_TLS_INTERNAL_H
#define SERVER_NET_TLS_INTERNAL_H
/*
 * tls_internal: what tls_conf.c, tls_ticket.c and tls_conn.c share.  Nobody
 * else includes it.
 */
#include <mbedtls/ssl.h>
#include <pthread.h>

#include "server/net/tls_conn.h"

enum { TICKET_KEY_LEN = 32, TICKET_KEY_ID_LEN = 8, TLS_REASON_LEN = 192 };

struct ticket_key {
	uint8_t id[TICKET_KEY_ID_LEN];
	uint8_t key[TICKET_KEY_LEN]; /* XChaCha20-Poly1305 */
	uint64_t made_ms;            /* port_mono_ms */
	bool there;
};

struct tls_conf {
	const struct port *port;
	enum tls_role role;
	identity_fn identity;
	void *identity_arg;
	mbedtls_ssl_config ssl;
	mbedtls_x509_crt cert;
	mbedtls_x509_crt ca;
	mbedtls_pk_context key;
	uint64_t ticket_life_ms; /* 0: no tickets */
	/* Tickets are sealed by [0]; [1] is the one before it. */
	struct ticket_key ticket_key[2];
	pthread_mutex_t ticket_lock; /* of ticket_key */
};

enum tls_state { TLS_HANDSHAKING, TLS_OPEN, TLS_CLOSING, TLS_BROKEN };

struct tls_conn {
	struct tls_conf *conf; /* borrowed */
	mbedtls_ssl_context ssl;
	enum tls_state state;
	bool ended;    /* the peer's close_notify was read */
	bool verified; /* a certificate passed every check of ours */
	bool ticketed; /* the last ticket offered passed them */
	struct peer peer;
	struct buf in; /* ciphertext not yet decrypted, from in_at on */
	size_t in_at;
	struct buf out;
	char reason[TLS_REASON_LEN];
};

/*
 * The connection whose handshake this thread is in: mbedTLS gives the ticket
 * functions no way to it.  Set around every call that may reach them.
 */
extern _Thread_local struct tls_conn *tls_current;

/* mbedTLS's ticket functions; p_ticket is the tls_conf. */
mbedtls_ssl_ticket_write_t tls_ticket_write;
mbedtls_ssl_ticket_parse_t tls_ticket_parse;

/* Seconds since 1970 by the port's clock. */
uint64_t tls_now_s(const struct tls_conf *conf);

#endif
