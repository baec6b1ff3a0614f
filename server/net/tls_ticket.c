/*
 * Session tickets that carry who the peer is (tls_conf.h).
 *
 *     version[1] ‖ key id[8] ‖ nonce[24] ‖ XChaCha20-Poly1305 of
 *         issued[8] ‖ has peer[1] ‖ not after[8] ‖ serial[16] ‖ dev[26]
 *         ‖ the library's session
 *
 * with version and key id as associated data.  What is in a ticket was put
 * there by this process: a key lives in memory only, for at most twice the
 * life of a ticket, and so do the versions of this layout and the library's.
 */
#include "server/net/tls_internal.h"

#include <sodium.h>
#include <string.h>

enum {
	TICKET_VERSION = 1,
	NONCE_LEN = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG_LEN = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	AD_LEN = 1 + TICKET_KEY_ID_LEN,
	SEALED_AT = AD_LEN + NONCE_LEN,
	PEER_LEN = 8 + 1 + 8 + X509_SERIAL_LEN + DEV_LEN,
	TICKET_BYTES_MAX = 2048 /* ours have about 250 */
};

_Thread_local struct tls_conn *tls_current;

/* The key for new tickets, made or replaced when its time has come. */
static struct ticket_key
key_for_new(struct tls_conf *conf)
{
	uint64_t now = port_mono_ms(conf->port);
	struct ticket_key *k = conf->ticket_key, out;

	(void)pthread_mutex_lock(&conf->ticket_lock);
	if (!k[0].there || now - k[0].made_ms >= conf->ticket_life_ms) {
		k[1] = k[0];
		port_random(conf->port, k[0].id, sizeof(k[0].id));
		port_random(conf->port, k[0].key, sizeof(k[0].key));
		k[0].made_ms = now;
		k[0].there = true;
	}
	out = k[0];
	(void)pthread_mutex_unlock(&conf->ticket_lock);
	return out;
}

static bool
key_by_id(struct ticket_key *out, struct tls_conf *conf, const uint8_t *id)
{
	uint64_t now = port_mono_ms(conf->port);
	bool found = false;

	(void)pthread_mutex_lock(&conf->ticket_lock);
	for (int i = 0; i < 2 && !found; i++) {
		struct ticket_key *k = &conf->ticket_key[i];

		found = k->there && memcmp(k->id, id, sizeof(k->id)) == 0 &&
			now - k->made_ms < 2 * conf->ticket_life_ms;
		if (found)
			*out = *k;
	}
	(void)pthread_mutex_unlock(&conf->ticket_lock);
	return found;
}

/* PEER_LEN bytes: when the ticket was made, and for whom. */
static void
peer_put(uint8_t *p, const struct tls_conf *conf, const struct peer *peer)
{
	bool there = peer->role != PEER_NONE;

	memset(p, 0, PEER_LEN);
	be64_put(p, port_mono_ms(conf->port));
	p[8] = there;
	if (!there)
		return;
	be64_put(p + 9, peer->not_after_s);
	memcpy(p + 17, peer->serial, X509_SERIAL_LEN);
	memcpy(p + 17 + X509_SERIAL_LEN, peer->dev, DEV_LEN);
}

/*
 * Take a peer out of a ticket and judge it as if it stood here with its
 * certificate.  False: it may not resume; a full handshake settles it.
 */
static bool
peer_get(struct peer *out, const struct tls_conf *conf, const uint8_t *p)
{
	uint64_t issued = be64_get(p), now = port_mono_ms(conf->port);
	struct peer peer = { .role = PEER_NONE, .resumed = true };

	if (now < issued || now - issued > conf->ticket_life_ms)
		return false;
	if (p[8] == 0) {
		*out = peer;
		return conf->role == TLS_SERVER;
	}
	if (conf->role != TLS_MUTUAL)
		return false;
	peer.role = PEER_DEVICE;
	peer.not_after_s = be64_get(p + 9);
	memcpy(peer.serial, p + 17, X509_SERIAL_LEN);
	memcpy(peer.dev, p + 17 + X509_SERIAL_LEN, DEV_LEN);
	if (tls_now_s(conf) > peer.not_after_s)
		return false;
	if (conf->identity(conf->identity_arg, peer.serial, peer.dev) !=
	    IDENTITY_TRUSTED)
		return false;
	*out = peer;
	return true;
}

/* Tickets are for a handshake that this thread is in, and for TLS 1.3. */
static bool
usable(const struct tls_conf *conf, const struct tls_conn *c)
{
	return c != NULL && c->conf == conf &&
	       mbedtls_ssl_get_version_number(&c->ssl) ==
		   MBEDTLS_SSL_VERSION_TLS1_3;
}

int
tls_ticket_write(void *arg, const mbedtls_ssl_session *session,
    unsigned char *start, const unsigned char *end, size_t *len,
    uint32_t *lifetime)
{
	struct tls_conf *conf = arg;
	struct tls_conn *c = tls_current;
	size_t room = (size_t)(end - start), inner;
	struct ticket_key key;
	uint8_t *plain = start + SEALED_AT;
	struct peer none = { .role = PEER_NONE };
	unsigned long long sealed;
	int rc;

	/* TLS 1.2 has none: there the certificate would lie in the ticket. */
	if (!usable(conf, c))
		return MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE;
	if (room < SEALED_AT + PEER_LEN + TAG_LEN)
		return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
	rc = mbedtls_ssl_session_save(session, plain + PEER_LEN,
	    room - SEALED_AT - PEER_LEN - TAG_LEN, &inner);
	if (rc != 0)
		return rc;
	if (inner > TICKET_BYTES_MAX - SEALED_AT - PEER_LEN - TAG_LEN)
		return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
	peer_put(plain, conf, conf->role == TLS_MUTUAL ? &c->peer : &none);
	key = key_for_new(conf);
	start[0] = TICKET_VERSION;
	memcpy(start + 1, key.id, TICKET_KEY_ID_LEN);
	port_random(conf->port, start + AD_LEN, NONCE_LEN);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(plain, &sealed, plain,
	    PEER_LEN + inner, start, AD_LEN, NULL, start + AD_LEN, key.key);
	sodium_memzero(&key, sizeof(key));
	*len = SEALED_AT + (size_t)sealed;
	*lifetime = (uint32_t)(conf->ticket_life_ms / 1000);
	return 0;
}

int
tls_ticket_parse(
    void *arg, mbedtls_ssl_session *session, unsigned char *buf, size_t len)
{
	struct tls_conf *conf = arg;
	struct tls_conn *c = tls_current;
	uint8_t *plain = buf + SEALED_AT;
	struct ticket_key key;
	struct peer peer;
	unsigned long long inner;
	int rc;

	/*
	 * In a TLS 1.2 handshake mbedTLS would resume this ticket with a
	 * master secret of zeroes, for it does not compare versions there; and
	 * tickets can be read off a ClientHello by anybody.
	 */
	if (!usable(conf, c))
		return MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE;
	/* Whatever an earlier ticket of the same hello said is void. */
	c->ticketed = false;
	if (len < SEALED_AT + PEER_LEN + TAG_LEN || len > TICKET_BYTES_MAX ||
	    buf[0] != TICKET_VERSION)
		return MBEDTLS_ERR_SSL_INVALID_MAC;
	if (!key_by_id(&key, conf, buf + 1))
		return MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
	rc = crypto_aead_xchacha20poly1305_ietf_decrypt(plain, &inner, NULL,
	    plain, len - SEALED_AT, buf, AD_LEN, buf + AD_LEN, key.key);
	sodium_memzero(&key, sizeof(key));
	if (rc != 0)
		return MBEDTLS_ERR_SSL_INVALID_MAC;
	if (!peer_get(&peer, conf, plain))
		return MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
	rc = mbedtls_ssl_session_load(
	    session, plain + PEER_LEN, (size_t)inner - PEER_LEN);
	if (rc != 0)
		return rc;
	c->peer = peer;
	c->ticketed = true;
	return 0;
}
