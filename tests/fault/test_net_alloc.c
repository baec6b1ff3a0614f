/*
 * Memory that runs out in the server's network layer and CA: nobody is let in
 * for it, nothing is half done, nothing leaks (the sanitizers look).
 */
#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/net/http.h"
#include "server/net/routes.h"
#include "server/net/tls_conn.h"
#include "support/fault_alloc.h"
#include "support/pki.h"
#include "support/tls_peer.h"

static struct pki pki;
static struct pki_leaf good;

static int
setup(void **state)
{
	(void)state;
	pki_open(&pki, port_system());
	pki_leaf_new(&good, &pki, PKI_GOOD, 1);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	pki_leaf_free(&good);
	pki_close(&pki);
	return 0;
}

static enum status
make_key_and_request(void *arg)
{
	struct buf key, csr, pem, out;
	enum status st;

	(void)arg;
	buf_init(&key, X509_KEY_DER_MAX);
	buf_init(&csr, X509_CSR_DER_MAX);
	buf_init(&pem, X509_PEM_MAX);
	buf_init(&out, X509_PEM_MAX);
	st = x509_key_new(&key, port_system());
	if (st == ST_OK)
		st = x509_csr_new(&csr, buf_view(&key), port_system());
	if (st == ST_OK)
		st = x509_key_pem(&pem, buf_view(&key));
	if (st == ST_OK)
		st = x509_pem_decode(&out, buf_view(&pem), "EC PRIVATE KEY");
	if (st == ST_OK)
		EXPECT(bytes_eq(buf_view(&out), buf_view(&key)));
	buf_wipe(&key);
	buf_free(&csr);
	buf_wipe(&pem);
	buf_wipe(&out);
	return st;
}

static enum status
issue(void *arg)
{
	static const char dev[] = "abcdefghijklmnopqrstuvwxyz";
	uint8_t serial[X509_SERIAL_LEN];
	struct x509_info info;
	struct buf cert;
	enum status st;

	buf_init(&cert, X509_CERT_DER_MAX);
	st = ca_issue_device(
	    pki.ca, &cert, serial, *(struct bytes *)arg, dev, 1, 2);
	/* Half a certificate would be worse than none. */
	EXPECT((st == ST_OK) == (cert.len > 0));
	if (st == ST_OK)
		st = x509_cert_info(&info, buf_view(&cert));
	buf_free(&cert);
	return st;
}

/*
 * Run with the n-th allocation failing, for n = 1, 2, 3 … and then in wider
 * steps, until none fails: big-number arithmetic makes thousands.  Whatever
 * the library calls its failure, it must be one, unless it can do without (it
 * tries each key as RSA first): then all must be as ever, which `run` checks.
 */
static void
with_failures(fault_alloc_run *run, void *arg)
{
	for (size_t n = 1;; n += 1 + n / 25) {
		enum status st;

		fault_alloc_once(n);
		st = run(arg);
		if (!fault_alloc_off()) {
			EXPECT_OK(st);
			return;
		}
		EXPECT(st == ST_OK || st == ST_NOMEM || st == ST_INVALID);
	}
}

/* Would catch a key, request or certificate half made, or a leak. */
static void
test_certificates_short_of_memory(void **state)
{
	struct bytes view;
	struct buf csr;

	(void)state;
	buf_init(&csr, X509_CSR_DER_MAX);
	EXPECT_OK(x509_csr_new(&csr, buf_view(&good.key), port_system()));
	view = buf_view(&csr);
	with_failures(make_key_and_request, NULL);
	with_failures(issue, &view);
	buf_free(&csr);
}

static enum identity
trusted(void *arg, const uint8_t serial[X509_SERIAL_LEN], const char *dev)
{
	(void)arg;
	(void)serial;
	(void)dev;
	return IDENTITY_TRUSTED;
}

/* Memory between a client and the server. */
struct wire {
	struct buf up, down;
	size_t up_at, down_at;
};

static int
client_send(void *arg, const unsigned char *p, size_t len)
{
	struct wire *w = arg;

	buf_add(&w->up, p, len);
	EXPECT(w->up.err == ST_OK);
	return (int)len;
}

static int
client_recv(void *arg, unsigned char *p, size_t len)
{
	struct wire *w = arg;
	size_t left = w->down.len - w->down_at;

	if (left == 0)
		return MBEDTLS_ERR_SSL_WANT_READ;
	if (len > left)
		len = left;
	memcpy(p, w->down.p + w->down_at, len);
	w->down_at += len;
	return (int)len;
}

/* The server's part of a step: here allocations may fail. */
static enum tls_result
server_step(struct tls_conn *c, struct wire *w)
{
	enum tls_result res = TLS_FAILED;
	struct buf out = { 0 };

	fault_alloc_hold(false);
	if (tls_conn_feed(
		c, bytes_of(w->up.p + w->up_at, w->up.len - w->up_at)) == ST_OK)
		res = tls_conn_handshake(c);
	w->up_at = w->up.len;
	tls_conn_take(c, &out);
	fault_alloc_hold(true);
	buf_bytes(&w->down, buf_view(&out));
	EXPECT(w->down.err == ST_OK);
	buf_free(&out);
	return res;
}

/* One handshake with that allocation of the server's failing. */
static enum tls_result
shake(struct tls_conf *conf, const struct tls_peer_conf *client_conf,
    struct tls_peer *client, const struct tls_peer *from, size_t n)
{
	enum tls_result res = TLS_WANT;
	struct tls_conn *c = NULL;
	struct wire w = { 0 };
	uint8_t text[16];

	buf_init(&w.up, 1 << 20);
	buf_init(&w.down, 1 << 20);
	tls_peer_init(client, client_conf, client_send, client_recv, &w, from);
	fault_alloc_once(n);
	if (tls_conn_new(&c, conf) != ST_OK) {
		buf_free(&w.up);
		buf_free(&w.down);
		return TLS_FAILED;
	}
	fault_alloc_hold(true);
	for (int i = 0; i < 6 && res == TLS_WANT; i++) {
		if (tls_peer_handshake(client) < 0)
			res = TLS_FAILED;
		else
			res = server_step(c, &w);
	}
	fault_alloc_hold(false);
	if (res == TLS_OK) {
		const struct peer *p = tls_conn_peer(c);

		EXPECT(p->role == PEER_DEVICE);
		assert_string_equal(p->dev, good.dev);
		fault_alloc_hold(true);
		for (int i = 0; i < 3; i++)
			(void)tls_peer_read(client, text, sizeof(text));
		fault_alloc_hold(false);
	}
	tls_conn_free(c);
	buf_free(&w.up);
	buf_free(&w.down);
	return res;
}

/*
 * Would catch somebody let in under a wrong name or role because a check
 * could not be made, or a connection that leaks when it fails.
 */
static void
test_handshakes_short_of_memory(void **state)
{
	struct tls_settings s = { .port = port_system(),
		.role = TLS_MUTUAL,
		.cert_der = buf_view(&pki.server_cert),
		.key_der = buf_view(&pki.server_key),
		.ca_der = ca_cert(pki.ca),
		.ticket_life_s = 3600,
		.identity = trusted };
	struct tls_peer_settings cs = { .ca_der = ca_cert(pki.ca),
		.cert_der = buf_view(&good.cert),
		.key_der = buf_view(&good.key) };
	struct tls_peer_conf client_conf;
	struct tls_peer first, client;
	struct tls_conf *conf = NULL;

	(void)state;
	EXPECT_OK(tls_conf_new(&conf, &s));
	tls_peer_conf_init(&client_conf, &cs);
	EXPECT(shake(conf, &client_conf, &first, NULL, SIZE_MAX) == TLS_OK);
	EXPECT(!fault_alloc_off());
	EXPECT(first.has_saved);
	for (int resume = 0; resume < 2; resume++) {
		size_t failures = 0, n;
		bool failed;

		for (n = 1;; n += 1 + n / 25) {
			enum tls_result res = shake(conf, &client_conf, &client,
			    resume ? &first : NULL, n);

			failed = fault_alloc_off();
			tls_peer_free(&client);
			failures += failed;
			if (!failed) {
				EXPECT(res == TLS_OK);
				break;
			}
		}
		EXPECT(failures > 20);
	}
	tls_peer_free(&first);
	tls_peer_conf_free(&client_conf);
	tls_conf_free(conf);
}

static enum status
conf_make(void *arg)
{
	struct tls_conf *conf = NULL;
	enum status st = tls_conf_new(&conf, arg);

	EXPECT((st == ST_OK) == (conf != NULL));
	tls_conf_free(conf);
	return st;
}

/* Would catch a listener that starts without its CA, or leaks. */
static void
test_configuration_short_of_memory(void **state)
{
	struct tls_settings s = { .port = port_system(),
		.role = TLS_MUTUAL,
		.cert_der = buf_view(&pki.server_cert),
		.key_der = buf_view(&pki.server_key),
		.ca_der = ca_cert(pki.ca),
		.ticket_life_s = 3600,
		.identity = trusted };

	(void)state;
	with_failures(conf_make, &s);
}

/* Read two requests; NOMEM is a 500 from the reader. */
static enum status
read_requests(void *arg)
{
	static const char text[] =
	    "POST /a?b=c HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
	    "PUT /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "1\r\nx\r\n0\r\n\r\n";
	struct bytes in = bytes_str(text), data;
	struct http_reader *r = NULL;
	enum status st;
	size_t used;
	int ends = 0;

	(void)arg;
	st = http_reader_new(&r, HTTP_HEAD_BYTES_MAX);
	while (st == ST_OK && ends < 2) {
		enum http_event ev = http_reader_next(r, &used, &data, in);

		in.p += used;
		in.len -= used;
		EXPECT(ev != HTTP_EV_MORE);
		if (ev == HTTP_EV_HEAD)
			EXPECT(http_reader_limit(r, 10));
		ends += ev == HTTP_EV_END;
		if (ev == HTTP_EV_BAD) {
			EXPECT(http_reader_error(r)->status == 500);
			st = ST_NOMEM;
		}
	}
	http_reader_free(r);
	return st;
}

static void
handler(struct request *rq, void *arg)
{
	(void)rq;
	(void)arg;
}

static enum status
find_and_decode(void *arg)
{
	static const struct route table[] = {
		{ .method = "GET",
		    .pattern = "/a/{b}/*",
		    .listeners = 1,
		    .handler = handler },
	};
	struct route_match m;
	struct buf params, value;
	enum status st;

	(void)arg;
	buf_init(&params, 4096);
	buf_init(&value, 4096);
	st = routes_find(&m, &params, table, 1, "GET",
	    bytes_str("/a/a-rather-long-name-that-needs-a-block-of-its-own"
		      "/and/a/tail/of/several/segments/behind/it"),
	    0, PEER_NONE);
	if (st == ST_OK) {
		EXPECT(m.status == 200 && m.param_count == 2);
		st = http_query_get(&value, bytes_str("x=1&yy=%41"), "yy");
	}
	if (st == ST_OK)
		EXPECT_BYTES(buf_view(&value), bytes_str("A"));
	buf_free(&params);
	buf_free(&value);
	return st;
}

/* Would catch a request read wrongly because memory was short. */
static void
test_requests_short_of_memory(void **state)
{
	(void)state;
	EXPECT(fault_alloc_each(read_requests, NULL) >= 5);
	EXPECT(fault_alloc_each(find_and_decode, NULL) >= 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificates_short_of_memory),
		cmocka_unit_test(test_configuration_short_of_memory),
		cmocka_unit_test(test_handshakes_short_of_memory),
		cmocka_unit_test(test_requests_short_of_memory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
