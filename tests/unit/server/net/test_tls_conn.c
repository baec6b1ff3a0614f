/*
 * tls_conn: who gets in, as whom, and why not; no socket, every byte moved by
 * the test.  The client is mbedTLS's own (support/tls_peer.h).
 */
#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/net/tls_conn.h"
#include "support/clock_port.h"
#include "support/pki.h"
#include "support/tls_peer.h"

/* What the tests share: made once, for making keys takes its time. */
static struct clock_port clock_port;
static struct pki pki;
static struct pki_leaf good;
static struct tls_conf *mutual, *mutual12, *open_conf;
static _Atomic int verdict;     /* what the log says of every certificate */
static _Atomic int asked_count; /* how often it was asked */
static const int64_t day_ms = 86400000;

static enum identity
ask(void *arg, const uint8_t serial[X509_SERIAL_LEN], const char *dev)
{
	(void)arg;
	(void)serial;
	EXPECT(strlen(dev) == DEV_LEN);
	asked_count++;
	return (enum identity)verdict;
}

static struct tls_conf *
conf_new(enum tls_role role, bool tls12)
{
	struct tls_settings s = { .port = &clock_port.port,
		.role = role,
		.tls12 = tls12,
		.cert_der = buf_view(&pki.server_cert),
		.key_der = buf_view(&pki.server_key),
		.ca_der = ca_cert(pki.ca),
		.ticket_life_s = 3600,
		.identity = ask };
	struct tls_conf *conf = NULL;

	EXPECT_OK(tls_conf_new(&conf, &s));
	return conf;
}

/* A client and a server with a wire between them that the test holds. */
struct pair {
	struct tls_conn *server;
	struct tls_peer_conf client_conf;
	struct tls_peer client;
	struct buf up;   /* client to server, all of it */
	struct buf down; /* server to client */
	size_t up_at, down_at;
};

static int
client_send(void *arg, const unsigned char *p, size_t len)
{
	struct pair *w = arg;

	buf_add(&w->up, p, len);
	EXPECT(w->up.err == ST_OK);
	return (int)len;
}

static int
client_recv(void *arg, unsigned char *p, size_t len)
{
	struct pair *w = arg;
	size_t left = w->down.len - w->down_at;

	if (left == 0)
		return MBEDTLS_ERR_SSL_WANT_READ;
	if (len > left)
		len = left;
	memcpy(p, w->down.p + w->down_at, len);
	w->down_at += len;
	return (int)len;
}

static void
pair_open(struct pair *w, struct tls_conf *conf, const struct pki_leaf *leaf,
    bool tls12, const struct pair *from)
{
	struct tls_peer_settings s = { .ca_der = ca_cert(pki.ca),
		.tls12 = tls12 };

	*w = (struct pair){ 0 };
	buf_init(&w->up, 64 << 20);
	buf_init(&w->down, 64 << 20);
	if (leaf != NULL) {
		s.cert_der = buf_view(&leaf->cert);
		s.key_der = buf_view(&leaf->key);
	}
	tls_peer_conf_init(&w->client_conf, &s);
	EXPECT_OK(tls_conn_new(&w->server, conf));
	tls_peer_init(&w->client, &w->client_conf, client_send, client_recv, w,
	    from == NULL ? NULL : &from->client);
}

static void
pair_close(struct pair *w)
{
	tls_peer_free(&w->client);
	tls_peer_conf_free(&w->client_conf);
	tls_conn_free(w->server);
	buf_free(&w->up);
	buf_free(&w->down);
}

/* Carry what the server has to say. */
static void
take(struct pair *w)
{
	struct buf out = { 0 };

	tls_conn_take(w->server, &out);
	buf_bytes(&w->down, buf_view(&out));
	EXPECT(w->down.err == ST_OK);
	buf_free(&out);
}

/* Carry what the client said, in pieces of `step` bytes. */
static enum tls_result
give(struct pair *w, size_t step)
{
	enum tls_result res = tls_conn_handshake(w->server);

	while (w->up_at < w->up.len && res != TLS_FAILED) {
		size_t n = w->up.len - w->up_at;

		if (n > step)
			n = step;
		EXPECT_OK(
		    tls_conn_feed(w->server, bytes_of(w->up.p + w->up_at, n)));
		w->up_at += n;
		res = tls_conn_handshake(w->server);
	}
	take(w);
	return res;
}

/* Handshake to its end; true if both are content. */
static bool
shake(struct pair *w, size_t step)
{
	enum tls_result res = TLS_WANT;
	int rc = 0;

	for (int i = 0; i < 20; i++) {
		if (rc == 0)
			rc = tls_peer_handshake(&w->client);
		res = give(w, step);
		if (rc < 0 || res == TLS_FAILED)
			break;
		if (rc > 0 && res == TLS_OK)
			break;
	}
	return rc > 0 && res == TLS_OK;
}

/* mbedTLS stops behind each ticket, though more has come: read on. */
static int
client_read(struct pair *w, void *out, size_t max)
{
	int rc = 0;

	for (int i = 0; i < 4 && rc == 0; i++)
		rc = tls_peer_read(&w->client, out, max);
	return rc;
}

/* One line up, one line down; also carries the ticket to the client. */
static bool
chat(struct pair *w)
{
	uint8_t text[64];
	size_t len = 0, taken = 0;

	if (tls_peer_write(&w->client, "hello", 5) != 5)
		return false;
	EXPECT_OK(tls_conn_feed(
	    w->server, bytes_of(w->up.p + w->up_at, w->up.len - w->up_at)));
	w->up_at = w->up.len;
	if (tls_conn_read(w->server, text, sizeof(text), &len) != TLS_OK)
		return false;
	EXPECT(len == 5 && memcmp(text, "hello", 5) == 0);
	EXPECT(!tls_conn_pending(w->server));
	EXPECT_OK(tls_conn_write(w->server, &taken, bytes_str("world")));
	EXPECT(taken == 5);
	take(w);
	EXPECT(client_read(w, text, sizeof(text)) == 5);
	return true;
}

static void
refused(const struct pki_leaf *leaf, const char *why)
{
	uint8_t text[8];
	struct pair w;

	pair_open(&w, mutual, leaf, false, NULL);
	EXPECT(!shake(&w, SIZE_MAX));
	EXPECT(tls_conn_handshake(w.server) == TLS_FAILED);
	if (strstr(tls_conn_reason(w.server), why) == NULL)
		fail_msg("said: %s", tls_conn_reason(w.server));
	/* The client has its answer, an alert, and no data comes. */
	EXPECT(!chat(&w));
	EXPECT(client_read(&w, text, sizeof(text)) == -1);
	pair_close(&w);
}

static int
setup(void **state)
{
	(void)state;
	clock_port_init(&clock_port);
	pki_open(&pki, &clock_port.port);
	pki_leaf_new(&good, &pki, PKI_GOOD, 1);
	mutual = conf_new(TLS_MUTUAL, false);
	mutual12 = conf_new(TLS_MUTUAL, true);
	open_conf = conf_new(TLS_SERVER, false);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	tls_conf_free(mutual);
	tls_conf_free(mutual12);
	tls_conf_free(open_conf);
	pki_leaf_free(&good);
	pki_close(&pki);
	return 0;
}

static int
each(void **state)
{
	(void)state;
	verdict = IDENTITY_TRUSTED;
	asked_count = 0;
	clock_port.wall_shift_ms = 0;
	clock_port.mono_shift_ms = 0;
	return 0;
}

/* Would catch a good device that is not let in, or as somebody else. */
static void
test_good_device_is_known_by_its_name(void **state)
{
	struct pair w;
	const struct peer *p;

	(void)state;
	pair_open(&w, mutual, &good, false, NULL);
	EXPECT(shake(&w, SIZE_MAX));
	p = tls_conn_peer(w.server);
	EXPECT(p->role == PEER_DEVICE && !p->resumed);
	assert_string_equal(p->dev, good.dev);
	EXPECT(memcmp(p->serial, good.serial, X509_SERIAL_LEN) == 0);
	assert_string_equal(tls_conn_version(w.server), "TLSv1.3");
	assert_string_equal(tls_conn_reason(w.server), "");
	EXPECT(chat(&w));
	pair_close(&w);
}

/* Would catch a connection that depends on how bytes are cut on the way. */
static void
test_bytes_may_come_one_by_one(void **state)
{
	struct pair w;

	(void)state;
	pair_open(&w, mutual, &good, false, NULL);
	EXPECT(shake(&w, 1));
	EXPECT(chat(&w));
	pair_close(&w);
}

/* Would catch any certificate let in that must not be, or a wrong reason. */
static void
test_bad_certificates_are_refused_with_the_true_reason(void **state)
{
	static const struct {
		enum pki_kind kind;
		const char *why;
	} cases[] = {
		{ PKI_EXPIRED, "expired 2 days ago" },
		{ PKI_FUTURE, "valid only in" },
		{ PKI_OTHER_CA, "not of this court's CA" },
		{ PKI_SELF_SIGNED, "not of this court's CA" },
		{ PKI_NO_NAME, "names no device" },
		{ PKI_SERVER, "not for clients" },
		{ PKI_CA_ITSELF, "not for clients" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pki_leaf leaf;

		pki_leaf_new(&leaf, &pki, cases[i].kind, 2);
		refused(&leaf, cases[i].why);
		pki_leaf_free(&leaf);
	}
	refused(NULL, "showed no certificate");
	verdict = IDENTITY_UNKNOWN;
	refused(&good, "never enrolled");
	verdict = IDENTITY_EXPIRED;
	refused(&good, "replaced by a newer");
}

/* Would catch the library's clock deciding instead of the port's. */
static void
test_dates_are_judged_by_the_ports_clock(void **state)
{
	struct pki_leaf future;
	struct pair w;

	(void)state;
	pki_leaf_new(&future, &pki, PKI_FUTURE, 3);
	clock_port.wall_shift_ms = 3 * day_ms;
	pair_open(&w, mutual, &future, false, NULL);
	EXPECT(shake(&w, SIZE_MAX));
	EXPECT(tls_conn_peer(w.server)->role == PEER_DEVICE);
	pair_close(&w);
	clock_port.wall_shift_ms = 11 * day_ms;
	refused(&good, "expired 1 days ago");
	pki_leaf_free(&future);
}

/* Would catch a revoked device locked out with evidence still on it. */
static void
test_revoked_device_may_deliver_and_is_marked(void **state)
{
	struct pki_leaf old;
	struct pair w;

	(void)state;
	verdict = IDENTITY_REVOKED;
	pair_open(&w, mutual, &good, false, NULL);
	EXPECT(shake(&w, SIZE_MAX));
	EXPECT(tls_conn_peer(w.server)->role == PEER_DELIVER);
	assert_string_equal(tls_conn_peer(w.server)->dev, good.dev);
	EXPECT(chat(&w));
	pair_close(&w);
	/* Genuine and revoked, and its date is over too: still delivers. */
	pki_leaf_new(&old, &pki, PKI_EXPIRED, 4);
	pair_open(&w, mutual, &old, false, NULL);
	EXPECT(shake(&w, SIZE_MAX));
	EXPECT(tls_conn_peer(w.server)->role == PEER_DELIVER);
	pair_close(&w);
	pki_leaf_free(&old);
	/* But nobody becomes genuine by being revoked. */
	pki_leaf_new(&old, &pki, PKI_OTHER_CA, 4);
	refused(&old, "not of this court's CA");
	pki_leaf_free(&old);
	verdict = IDENTITY_UNCONFIRMED;
	pair_open(&w, mutual, &good, false, NULL);
	EXPECT(shake(&w, SIZE_MAX));
	EXPECT(tls_conn_peer(w.server)->role == PEER_DELIVER);
	pair_close(&w);
}

/* A first connection that leaves a ticket with its client. */
static void
first(struct pair *w, struct tls_conf *conf, const struct pki_leaf *leaf)
{
	pair_open(w, conf, leaf, false, NULL);
	EXPECT(shake(w, SIZE_MAX));
	EXPECT(chat(w));
	EXPECT(w->client.has_saved);
}

/* Would catch a resumed connection that nobody vouches for (PROBE.md). */
static void
test_resumed_connection_keeps_its_identity(void **state)
{
	struct pair a, b, c;
	const struct peer *p;

	(void)state;
	first(&a, mutual, &good);
	asked_count = 0;
	pair_open(&b, mutual, &good, false, &a);
	EXPECT(shake(&b, SIZE_MAX));
	p = tls_conn_peer(b.server);
	EXPECT(p->resumed && p->role == PEER_DEVICE);
	assert_string_equal(p->dev, good.dev);
	EXPECT(memcmp(p->serial, good.serial, X509_SERIAL_LEN) == 0);
	EXPECT(p->not_after_s == tls_conn_peer(a.server)->not_after_s);
	EXPECT(asked_count == 1);
	EXPECT(chat(&b));
	/* And so does one that is resumed from the resumed one. */
	EXPECT(b.client.has_saved);
	pair_open(&c, mutual, &good, false, &b);
	EXPECT(shake(&c, SIZE_MAX));
	EXPECT(tls_conn_peer(c.server)->resumed);
	assert_string_equal(tls_conn_peer(c.server)->dev, good.dev);
	pair_close(&a);
	pair_close(&b);
	pair_close(&c);
}

/* Would catch a revoked device coming back in through its ticket. */
static void
test_ticket_of_a_revoked_device_only_delivers(void **state)
{
	struct pair a, b;

	(void)state;
	first(&a, mutual, &good);
	verdict = IDENTITY_REVOKED;
	pair_open(&b, mutual, &good, false, &a);
	EXPECT(shake(&b, SIZE_MAX));
	EXPECT(!tls_conn_peer(b.server)->resumed);
	EXPECT(tls_conn_peer(b.server)->role == PEER_DELIVER);
	pair_close(&b);
	verdict = IDENTITY_UNKNOWN;
	pair_open(&b, mutual, &good, false, &a);
	EXPECT(!shake(&b, SIZE_MAX));
	EXPECT(strstr(tls_conn_reason(b.server), "never enrolled") != NULL);
	pair_close(&b);
	pair_close(&a);
}

/* Would catch a ticket that outlives its certificate, its time or its key. */
static void
test_ticket_ends_with_its_certificate_and_its_life(void **state)
{
	struct pair a, b;

	(void)state;
	first(&a, mutual, &good);
	clock_port.wall_shift_ms = 11 * day_ms;
	pair_open(&b, mutual, &good, false, &a);
	EXPECT(!shake(&b, SIZE_MAX));
	EXPECT(strstr(tls_conn_reason(b.server), "expired") != NULL);
	pair_close(&b);
	clock_port.wall_shift_ms = 0;
	for (int i = 0; i < 2; i++) {
		/* Just within the hour that it lives; just behind it. */
		clock_port.mono_shift_ms = i == 0 ? 3590000 : 3602000;
		pair_open(&b, mutual, &good, false, &a);
		EXPECT(shake(&b, SIZE_MAX));
		EXPECT(tls_conn_peer(b.server)->resumed == (i == 0));
		pair_close(&b);
	}
	pair_close(&a);
}

/* Would catch the key of tickets being kept, or dropped, too long. */
static void
test_ticket_keys_are_replaced_with_an_overlap(void **state)
{
	struct tls_conf *conf = conf_new(TLS_MUTUAL, false);
	struct pair a, b, c;

	(void)state;
	first(&a, conf, &good);
	clock_port.mono_shift_ms = 3000000;
	first(&b, conf, &good); /* still the first key */
	clock_port.mono_shift_ms = 3700000;
	first(&c, conf, &good); /* the second key */
	pair_close(&c);
	pair_open(&c, conf, &good, false, &b);
	EXPECT(shake(&c, SIZE_MAX));
	EXPECT(tls_conn_peer(c.server)->resumed);
	pair_close(&a);
	pair_close(&b);
	pair_close(&c);
	tls_conf_free(conf);
}

/* Would catch a ticket of one listener being good at another. */
static void
test_tickets_are_good_at_their_own_listener_only(void **state)
{
	struct tls_conf *again = conf_new(TLS_MUTUAL, false);
	struct pair a, b;

	(void)state;
	first(&a, open_conf, NULL);
	EXPECT(tls_conn_peer(a.server)->role == PEER_NONE);
	pair_open(&b, open_conf, NULL, false, &a);
	EXPECT(shake(&b, SIZE_MAX));
	EXPECT(tls_conn_peer(b.server)->resumed);
	EXPECT(tls_conn_peer(b.server)->role == PEER_NONE);
	pair_close(&b);
	pair_open(&b, mutual, NULL, false, &a);
	EXPECT(!shake(&b, SIZE_MAX));
	EXPECT(strstr(tls_conn_reason(b.server), "no certificate") != NULL);
	pair_close(&b);
	pair_close(&a);
	/* The same court after a restart: a full handshake, as the device. */
	first(&a, mutual, &good);
	pair_open(&b, again, &good, false, &a);
	EXPECT(shake(&b, SIZE_MAX));
	EXPECT(!tls_conn_peer(b.server)->resumed);
	EXPECT(tls_conn_peer(b.server)->role == PEER_DEVICE);
	pair_close(&b);
	pair_close(&a);
	tls_conf_free(again);
}

/* Would catch a changed ticket that is believed. */
static void
test_changed_ticket_is_not_believed(void **state)
{
	struct pair a, b;
	mbedtls_ssl_session *saved = &a.client.saved;
	size_t len;

	(void)state;
	first(&a, mutual, &good);
	len = saved->MBEDTLS_PRIVATE(ticket_len);
	EXPECT(len > 100);
	/* Every part of it is reached; each handshake costs its time. */
	for (size_t i = 0; i < len; i += 7) {
		saved->MBEDTLS_PRIVATE(ticket)[i] ^= 0x10;
		pair_open(&b, mutual, &good, false, &a);
		EXPECT(shake(&b, SIZE_MAX));
		EXPECT(!tls_conn_peer(b.server)->resumed);
		pair_close(&b);
		saved->MBEDTLS_PRIVATE(ticket)[i] ^= 0x10;
	}
	pair_open(&b, mutual, &good, false, &a);
	EXPECT(shake(&b, SIZE_MAX));
	EXPECT(tls_conn_peer(b.server)->resumed);
	pair_close(&b);
	for (size_t cut = 0; cut < len; cut += 13) {
		saved->MBEDTLS_PRIVATE(ticket_len) = cut + 1;
		pair_open(&b, mutual, &good, false, &a);
		EXPECT(shake(&b, SIZE_MAX));
		EXPECT(!tls_conn_peer(b.server)->resumed);
		pair_close(&b);
	}
	saved->MBEDTLS_PRIVATE(ticket_len) = len;
	pair_close(&a);
}

/* A TLS 1.2 ClientHello (RFC 5246, 7.4.1.2) that offers a ticket. */
static void
hello12(struct buf *out, struct bytes ticket)
{
	static const uint8_t fixed[] = {
		/* extended_master_secret; supported_groups: P-256; points;
		 * signature_algorithms: ecdsa_secp256r1_sha256 */
		0, 23, 0, 0,              /**/
		0, 10, 0, 4, 0, 2, 0, 23, /**/
		0, 11, 0, 2, 1, 0,        /**/
		0, 13, 0, 4, 0, 2, 4, 3,  /**/
	};
	size_t ext = sizeof(fixed) + 4 + ticket.len;
	size_t body = 2 + 32 + 1 + 32 + 2 + 2 + 2 + 2 + ext;

	buf_u8(out, 22);
	buf_u16(out, 0x0303);
	buf_u16(out, (uint16_t)(body + 4));
	buf_u8(out, 1);
	buf_u8(out, 0);
	buf_u16(out, (uint16_t)body);
	buf_u16(out, 0x0303);
	for (int i = 0; i < 32; i++)
		buf_u8(out, 7);
	buf_u8(out, 32); /* a session id, sent back when a ticket is taken */
	for (int i = 0; i < 32; i++)
		buf_u8(out, 9);
	buf_u16(out, 2);
	buf_u16(out, 0xc02c); /* ECDHE-ECDSA-AES256-GCM-SHA384 */
	buf_u8(out, 1);
	buf_u8(out, 0);
	buf_u16(out, (uint16_t)ext);
	buf_add(out, fixed, sizeof(fixed));
	buf_u16(out, 35);
	buf_u16(out, (uint16_t)ticket.len);
	buf_bytes(out, ticket);
}

/*
 * Would catch a ticket that was read off the wire (TLS 1.3 clients show theirs
 * in the clear) being resumed under TLS 1.2, where mbedTLS would take a master
 * secret of zeroes from it.
 */
static void
test_stolen_ticket_is_worthless_under_tls12(void **state)
{
	struct pair a, b;
	mbedtls_ssl_session *saved = &a.client.saved;
	struct bytes down;
	struct buf hello;
	bool has_certificate = false;

	(void)state;
	first(&a, mutual12, &good);
	/* As it is, the ticket does resume under TLS 1.3. */
	pair_open(&b, mutual12, &good, false, &a);
	EXPECT(shake(&b, SIZE_MAX));
	EXPECT(tls_conn_peer(b.server)->resumed);
	pair_close(&b);

	pair_open(&b, mutual12, NULL, true, NULL);
	buf_init(&hello, 4096);
	hello12(&hello, bytes_of(saved->MBEDTLS_PRIVATE(ticket),
			    saved->MBEDTLS_PRIVATE(ticket_len)));
	EXPECT_OK(tls_conn_feed(b.server, buf_view(&hello)));
	EXPECT(tls_conn_handshake(b.server) == TLS_WANT);
	take(&b);
	down = buf_view(&b.down);
	/* Walk the records: a full handshake shows a Certificate (11), an
	 * abbreviated one goes on to ChangeCipherSpec (record type 20). */
	while (down.len >= 6) {
		size_t n = 5 + ((size_t)down.p[3] << 8 | down.p[4]);

		EXPECT(n <= down.len);
		EXPECT(down.p[0] == 22);
		has_certificate |= down.p[5] == 11;
		down.p += n;
		down.len -= n;
	}
	EXPECT(has_certificate);
	pair_close(&b);
	pair_close(&a);
	buf_free(&hello);
}

/* Would catch TLS 1.2 where it is not wanted, or without its checks. */
static void
test_tls12_only_where_allowed_and_as_strict(void **state)
{
	struct pki_leaf other;
	struct pair w;

	(void)state;
	pair_open(&w, mutual, &good, true, NULL);
	EXPECT(!shake(&w, SIZE_MAX));
	EXPECT(tls_conn_reason(w.server)[0] != '\0');
	pair_close(&w);
	pair_open(&w, mutual12, &good, true, NULL);
	EXPECT(shake(&w, SIZE_MAX));
	assert_string_equal(tls_conn_version(w.server), "TLSv1.2");
	EXPECT(tls_conn_peer(w.server)->role == PEER_DEVICE);
	assert_string_equal(tls_conn_peer(w.server)->dev, good.dev);
	EXPECT(chat(&w));
	EXPECT(!w.client.has_saved);
	pair_close(&w);
	pki_leaf_new(&other, &pki, PKI_OTHER_CA, 1);
	pair_open(&w, mutual12, &other, true, NULL);
	EXPECT(!shake(&w, SIZE_MAX));
	pair_close(&w);
	pair_open(&w, mutual12, NULL, true, NULL);
	EXPECT(!shake(&w, SIZE_MAX));
	pair_close(&w);
	verdict = IDENTITY_REVOKED;
	pair_open(&w, mutual12, &good, true, NULL);
	EXPECT(shake(&w, SIZE_MAX));
	EXPECT(tls_conn_peer(w.server)->role == PEER_DELIVER);
	pair_close(&w);
	pki_leaf_free(&other);
}

/* Would catch a crash, or a nobody let in, by bytes that are no TLS. */
static void
test_garbage_is_refused_with_a_reason(void **state)
{
	static const char *const texts[] = { "GET / HTTP/1.1\r\n\r\n",
		"\x16\x03\x01\xff\xff", "\x80\x80\x01\x03\x01",
		"\x15\x03\x03\x00\x02\x02\x28", "SSH-2.0-OpenSSH_9.2\r\n" };
	uint8_t noise[512];
	struct tls_conn *c;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) + 50; i++) {
		struct bytes in = { noise, sizeof(noise) };

		if (i < sizeof(texts) / sizeof(texts[0]))
			in = bytes_str(texts[i]);
		else
			port_random(port_system(), noise, sizeof(noise));
		c = NULL;
		EXPECT_OK(tls_conn_new(&c, mutual));
		EXPECT_OK(tls_conn_feed(c, in));
		if (tls_conn_handshake(c) == TLS_FAILED)
			EXPECT(tls_conn_reason(c)[0] != '\0');
		EXPECT(tls_conn_handshake(c) != TLS_OK);
		tls_conn_free(c);
	}
}

/* Would catch a handshake that ends well on a hello that was changed or cut. */
static void
test_changed_or_cut_hello_never_ends_well(void **state)
{
	struct pair w;
	struct buf hello;

	(void)state;
	buf_init(&hello, 4096);
	pair_open(&w, mutual, &good, false, NULL);
	EXPECT(tls_peer_handshake(&w.client) == 0);
	buf_bytes(&hello, buf_view(&w.up));
	pair_close(&w);
	for (size_t i = 0; i < hello.len; i++) {
		struct tls_conn *c = NULL;

		EXPECT_OK(tls_conn_new(&c, mutual));
		EXPECT_OK(tls_conn_feed(c, bytes_of(hello.p, i)));
		EXPECT(tls_conn_handshake(c) == TLS_WANT);
		tls_conn_free(c);
	}
	for (size_t i = 0; i < hello.len; i += 3) {
		pair_open(&w, mutual, &good, false, NULL);
		EXPECT(tls_peer_handshake(&w.client) == 0);
		w.up.p[i] ^= (uint8_t)(1u << (i % 8));
		EXPECT(!shake(&w, SIZE_MAX));
		pair_close(&w);
	}
	buf_free(&hello);
}

/* Would catch data lost or reordered, or output that grows without bound. */
static void
test_much_data_both_ways_within_bounds(void **state)
{
	enum { TOTAL = 1 << 20 };
	uint8_t *text = malloc(TOTAL), *got = malloc(TOTAL);
	size_t sent = 0, seen = 0, full = 0;
	struct pair w;

	(void)state;
	assert_non_null(text);
	assert_non_null(got);
	for (size_t i = 0; i < TOTAL; i++)
		text[i] = (uint8_t)(i * 2654435761u >> 13);
	pair_open(&w, mutual, &good, false, NULL);
	EXPECT(shake(&w, SIZE_MAX));
	while (sent < TOTAL) {
		size_t taken = 99;

		EXPECT_OK(tls_conn_write(
		    w.server, &taken, bytes_of(text + sent, TOTAL - sent)));
		sent += taken;
		EXPECT(tls_conn_output_len(w.server) <=
		       TLS_OUTPUT_HIGH + TLS_RECORD_MAX + 512);
		if (taken == 0) {
			full++;
			take(&w);
		}
	}
	EXPECT(full > 0);
	take(&w);
	while (seen < TOTAL) {
		int n = client_read(&w, got + seen, TOTAL - seen);

		EXPECT(n > 0);
		seen += (size_t)n;
	}
	EXPECT(memcmp(text, got, TOTAL) == 0);

	sent = seen = 0;
	memset(got, 0, TOTAL);
	while (seen < TOTAL) {
		size_t n = 0;
		int rc;

		if (sent < TOTAL) {
			rc = tls_peer_write(
			    &w.client, text + sent, TOTAL - sent);
			EXPECT(rc > 0);
			sent += (size_t)rc;
		}
		EXPECT_OK(tls_conn_feed(
		    w.server, bytes_of(w.up.p + w.up_at, w.up.len - w.up_at)));
		w.up_at = w.up.len;
		while (tls_conn_read(w.server, got + seen, 777, &n) == TLS_OK) {
			EXPECT(n > 0 && n <= 777);
			seen += n;
		}
	}
	EXPECT(memcmp(text, got, TOTAL) == 0);
	pair_close(&w);
	free(text);
	free(got);
}

/* Would catch input that is held without bound for a reader that is slow. */
static void
test_input_has_a_ceiling(void **state)
{
	uint8_t *zeroes = calloc(1, TLS_INPUT_MAX);
	struct tls_conn *c = NULL;

	(void)state;
	assert_non_null(zeroes);
	EXPECT_OK(tls_conn_new(&c, mutual));
	EXPECT_OK(tls_conn_feed(c, bytes_of(zeroes, TLS_INPUT_MAX)));
	EXPECT_ST(tls_conn_feed(c, bytes_of(zeroes, 1)), ST_LIMIT);
	tls_conn_free(c);
	free(zeroes);
}

/* Would catch an end that is not told apart from a cut, on either side. */
static void
test_both_sides_can_end_cleanly(void **state)
{
	uint8_t text[16];
	size_t n = 0;
	struct pair w;

	(void)state;
	pair_open(&w, mutual, &good, false, NULL);
	EXPECT(shake(&w, SIZE_MAX));
	EXPECT(chat(&w));
	tls_peer_close(&w.client);
	EXPECT_OK(tls_conn_feed(
	    w.server, bytes_of(w.up.p + w.up_at, w.up.len - w.up_at)));
	w.up_at = w.up.len;
	EXPECT(tls_conn_read(w.server, text, sizeof(text), &n) == TLS_ENDED);
	EXPECT(tls_conn_read(w.server, text, sizeof(text), &n) == TLS_ENDED);
	/* Half closed: the answer may still go out. */
	EXPECT_OK(tls_conn_write(w.server, &n, bytes_str("late")));
	EXPECT(n == 4);
	tls_conn_close(w.server);
	tls_conn_close(w.server);
	EXPECT_ST(tls_conn_write(w.server, &n, bytes_str("x")), ST_NET);
	take(&w);
	EXPECT(client_read(&w, text, sizeof(text)) == 4);
	EXPECT(client_read(&w, text, sizeof(text)) == -2);
	pair_close(&w);
}

/* Would catch a configuration that starts and can then serve nobody. */
static void
test_bad_configuration_is_refused(void **state)
{
	struct tls_settings s = { .port = &clock_port.port,
		.role = TLS_MUTUAL,
		.cert_der = buf_view(&pki.server_cert),
		.key_der = buf_view(&pki.server_key),
		.ca_der = ca_cert(pki.ca),
		.identity = ask };
	struct tls_settings bad;
	struct tls_conf *conf = NULL;

	(void)state;
	bad = s;
	bad.identity = NULL;
	EXPECT_ST(tls_conf_new(&conf, &bad), ST_INVALID);
	bad = s;
	bad.ca_der = bytes_str("");
	EXPECT_ST(tls_conf_new(&conf, &bad), ST_INVALID);
	bad = s;
	bad.ca_der = buf_view(&pki.server_cert); /* may not sign */
	EXPECT_ST(tls_conf_new(&conf, &bad), ST_INVALID);
	bad = s;
	bad.key_der = buf_view(&good.key); /* another's */
	EXPECT_ST(tls_conf_new(&conf, &bad), ST_INVALID);
	bad = s;
	bad.cert_der = bytes_str("nonsense");
	EXPECT_ST(tls_conf_new(&conf, &bad), ST_INVALID);
	bad = s;
	bad.ticket_life_s = 7 * 86400 + 1;
	EXPECT_ST(tls_conf_new(&conf, &bad), ST_INVALID);
	EXPECT(conf == NULL);
}

#define TEST(f) cmocka_unit_test_setup(f, each)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_good_device_is_known_by_its_name),
		TEST(test_bytes_may_come_one_by_one),
		TEST(test_bad_certificates_are_refused_with_the_true_reason),
		TEST(test_dates_are_judged_by_the_ports_clock),
		TEST(test_revoked_device_may_deliver_and_is_marked),
		TEST(test_resumed_connection_keeps_its_identity),
		TEST(test_ticket_of_a_revoked_device_only_delivers),
		TEST(test_ticket_ends_with_its_certificate_and_its_life),
		TEST(test_ticket_keys_are_replaced_with_an_overlap),
		TEST(test_tickets_are_good_at_their_own_listener_only),
		TEST(test_changed_ticket_is_not_believed),
		TEST(test_stolen_ticket_is_worthless_under_tls12),
		TEST(test_tls12_only_where_allowed_and_as_strict),
		TEST(test_garbage_is_refused_with_a_reason),
		TEST(test_changed_or_cut_hello_never_ends_well),
		TEST(test_much_data_both_ways_within_bounds),
		TEST(test_input_has_a_ceiling),
		TEST(test_both_sides_can_end_cleanly),
		TEST(test_bad_configuration_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
