/*
 * net: who gets in through real sockets, by our own client and by OpenSSL's
 * s_client and curl; what the log says of those who do not; many at once.
 */
#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/net_fixture.h"

static struct net_fixture fx;

#define H " HTTP/1.1\r\nHost: a\r\n"
#define GET(path) "GET " path H "\r\n"

static int
setup(void **state)
{
	struct rlimit rl;

	(void)state;
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max < 8192 ? rl.rlim_max : 8192;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
	fixture_open(&fx);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fixture_close(&fx);
	return 0;
}

static void
says(struct http_client *c, const char *path, unsigned status, const char *body)
{
	struct http_answer a;
	char request[256];

	(void)snprintf(request, sizeof(request), "GET %s" H "\r\n", path);
	EXPECT(http_client_text(c, request));
	http_client_answer(c, &a, false);
	assert_int_equal(a.status, status);
	if (body != NULL)
		EXPECT_BYTES(buf_view(&a.body), bytes_str(body));
	http_answer_free(&a);
}

static void
who(struct http_client *c, const char *role, const char *dev, const char *how)
{
	char want[128];

	(void)snprintf(
	    want, sizeof(want), "%s %s %s 127.0.0.1", role, dev, how);
	says(c, "/who", 200, want);
}

/* Would catch a handler told the wrong name, or none, for a peer. */
static void
test_identity_reaches_the_handler(void **state)
{
	struct tls_peer_conf conf, nobody;
	struct http_client a, b, c;
	struct http_answer ans;

	(void)state;
	fixture_start(&fx, NULL);
	fixture_client(&fx, &conf, &fx.leaf[0]);
	fixture_client(&fx, &nobody, NULL);
	EXPECT(http_client_open_tls(
	    &a, net_port(fx.net, FIXTURE_DEVICE), &conf, NULL));
	who(&a, "device", fx.leaf[0].dev, "full");
	says(&a, "/device", 200, "hello");
	EXPECT(http_client_text(&a, GET("/hello")));
	http_client_answer(&a, &ans, false);
	EXPECT(strstr(ans.head, "Date:") == NULL); /* lean */
	http_answer_free(&ans);
	EXPECT(http_client_open_tls(
	    &b, net_port(fx.net, FIXTURE_DEVICE), &conf, &a));
	who(&b, "device", fx.leaf[0].dev, "resumed");
	http_client_close(&b);
	EXPECT(http_client_open_tls(
	    &b, net_port(fx.net, FIXTURE_PUBLIC), &nobody, NULL));
	who(&b, "none", "", "full");
	says(&b, "/device", 403, NULL);
	http_client_close(&b);
	/* Revoked: its ticket is refused, a full handshake lets it deliver. */
	fx.verdict = IDENTITY_REVOKED;
	EXPECT(http_client_open_tls(
	    &c, net_port(fx.net, FIXTURE_DEVICE), &conf, &a));
	who(&c, "deliver", fx.leaf[0].dev, "full");
	says(&c, "/device", 403, NULL);
	http_client_close(&c);
	/* The connection of before the revocation ends at its next request. */
	EXPECT(http_client_ask(&a, GET("/device")) == 0);
	EXPECT(http_client_ended(&a));
	fixture_wait_log(&fx, "the device's standing has changed");
	http_client_close(&a);
	tls_peer_conf_free(&conf);
	tls_peer_conf_free(&nobody);
	fixture_stop(&fx, 1000);
}

/* Would catch a live connection that a revocation does not reach. */
static void
test_cut_device_loses_its_connections_and_no_other(void **state)
{
	struct tls_peer_conf one, two;
	struct http_client a[3], b;

	(void)state;
	fixture_start(&fx, NULL);
	fixture_client(&fx, &one, &fx.leaf[0]);
	fixture_client(&fx, &two, &fx.leaf[1]);
	for (int i = 0; i < 3; i++) {
		EXPECT(http_client_open_tls(
		    &a[i], net_port(fx.net, FIXTURE_DEVICE), &one, NULL));
		who(&a[i], "device", fx.leaf[0].dev, "full");
	}
	EXPECT(http_client_open_tls(
	    &b, net_port(fx.net, FIXTURE_DEVICE), &two, NULL));
	who(&b, "device", fx.leaf[1].dev, "full");
	net_cut_device(fx.net, fx.leaf[0].dev);
	for (int i = 0; i < 3; i++) {
		EXPECT(http_client_ended(&a[i]));
		http_client_close(&a[i]);
	}
	says(&b, "/hello", 200, "hello");
	fixture_wait_log(&fx, "the device's standing has changed");
	/* More at once than a loop's list holds: everybody starts anew. */
	for (int i = 0; i < 200; i++)
		net_cut_device(fx.net, fx.leaf[0].dev);
	net_cut_device(fx.net, fx.leaf[1].dev);
	EXPECT(http_client_ended(&b));
	http_client_close(&b);
	tls_peer_conf_free(&one);
	tls_peer_conf_free(&two);
	fixture_stop(&fx, 1000);
}

/* Would catch a certificate that is good for as long as one stays connected. */
static void
test_certificate_that_runs_out_ends_its_connection(void **state)
{
	struct tls_peer_conf conf;
	struct http_client c;

	(void)state;
	fixture_start(&fx, NULL);
	fixture_client(&fx, &conf, &fx.leaf[0]);
	EXPECT(http_client_open_tls(
	    &c, net_port(fx.net, FIXTURE_DEVICE), &conf, NULL));
	says(&c, "/hello", 200, "hello");
	fx.clock.wall_shift_ms = INT64_C(11) * 86400000;
	EXPECT(http_client_text(&c, GET("/hello")));
	EXPECT(http_client_ended(&c));
	fixture_wait_log(&fx, "certificate has expired");
	http_client_close(&c);
	tls_peer_conf_free(&conf);
	fixture_stop(&fx, 1000);
}

/* Would catch a bad certificate let in, or a log that hides the reason. */
static void
test_every_refusal_is_logged_with_its_reason(void **state)
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
		{ PKI_KINDS, "showed no certificate" },
	};
	struct net_counters n;

	(void)state;
	fixture_start(&fx, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool none = cases[i].kind == PKI_KINDS;
		struct tls_peer_conf conf;
		struct pki_leaf leaf;
		struct http_client c;

		if (!none)
			pki_leaf_new(&leaf, &fx.pki, cases[i].kind, 5);
		fixture_client(&fx, &conf, none ? NULL : &leaf);
		/* In TLS 1.3 the client ends its handshake first. */
		if (http_client_open_tls(
			&c, net_port(fx.net, FIXTURE_DEVICE), &conf, NULL))
			EXPECT(http_client_ask(&c, GET("/hello")) == 0);
		http_client_close(&c);
		tls_peer_conf_free(&conf);
		if (!none)
			pki_leaf_free(&leaf);
		fixture_wait_log(&fx, cases[i].why);
		EXPECT(fixture_logged(&fx, "refused device 127.0.0.1"));
		EXPECT(!fixture_logged(&fx, "request"));
		fixture_forget_log(&fx);
	}
	fixture_wait_quiet(&fx);
	net_counters(fx.net, &n);
	EXPECT(n.handshakes_failed == sizeof(cases) / sizeof(cases[0]));
	EXPECT(n.handshakes_full == 0 && n.requests == 0);
	fixture_stop(&fx, 1000);
}

/* Would catch garbage, or half a handshake, that holds or hurts the server. */
static void
test_garbage_and_half_handshakes_are_survived(void **state)
{
	static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03";
	struct tls_peer_conf conf;
	struct http_client c;
	uint8_t noise[4096];

	(void)state;
	fixture_start(&fx, NULL);
	http_client_open(&c, net_port(fx.net, FIXTURE_DEVICE));
	http_client_raw(&c, GET("/hello"), 30);
	/* An alert at most, and the end. */
	(void)http_client_ended(&c);
	EXPECT(c.eof && c.got.len <= 7);
	http_client_close(&c);
	fixture_wait_log(&fx, "refused device");
	for (int i = 0; i < 20; i++) {
		http_client_open(&c, net_port(fx.net, FIXTURE_DEVICE));
		port_random(port_system(), noise, sizeof(noise));
		noise[0] = i % 2 == 0 ? 0x16 : noise[0];
		http_client_raw(&c, noise, sizeof(noise));
		http_client_close(&c);
	}
	for (size_t i = 0; i < sizeof(hello) - 1; i++) {
		http_client_open(&c, net_port(fx.net, FIXTURE_DEVICE));
		http_client_raw(&c, hello, i);
		if (i % 2 == 0)
			http_client_reset(&c);
		http_client_close(&c);
	}
	fixture_client(&fx, &conf, &fx.leaf[0]);
	EXPECT(http_client_open_tls(
	    &c, net_port(fx.net, FIXTURE_DEVICE), &conf, NULL));
	says(&c, "/hello", 200, "hello");
	/* Garbage inside the connection: it is cut, the alert still goes. */
	http_client_raw(&c, noise, 100);
	(void)http_client_ended(&c);
	EXPECT(c.eof || c.tls.error != 0);
	http_client_close(&c);
	fixture_wait_log(&fx, "cut device");
	tls_peer_conf_free(&conf);
	fixture_wait_quiet(&fx);
	fixture_stop(&fx, 1000);
}

/* Would catch a server that falters under a morning's first minute. */
static void
test_five_hundred_connections_at_once(void **state)
{
	enum { CLIENTS = 500 };
	struct http_client *c = calloc(CLIENTS, sizeof(*c));
	struct tls_peer_conf conf;
	struct net_counters n;
	struct net_limits limits;

	(void)state;
	assert_non_null(c);
	/* On a busy machine, under ThreadSanitizer, opening takes minutes. */
	net_limits_default(&limits);
	limits.idle_ms = limits.reply_ms = limits.send_ms = 20 * 60 * 1000;
	fixture_start(&fx, &limits);
	fixture_client(&fx, &conf, &fx.leaf[0]);
	for (int i = 0; i < CLIENTS; i++) {
		EXPECT(http_client_open_tls(&c[i],
		    net_port(fx.net, FIXTURE_DEVICE), &conf,
		    i == 0 ? NULL : &c[0]));
		if (i == 0)
			says(&c[0], "/hello", 200, "hello");
	}
	for (int i = 0; i < CLIENTS; i++)
		EXPECT(http_client_text(&c[i], GET("/later") GET("/who")));
	fixture_wait_held(&fx, CLIENTS);
	net_counters(fx.net, &n);
	EXPECT(n.conns_open == CLIENTS && n.requests_open == CLIENTS);
	EXPECT(n.handshakes_full == 1 && n.handshakes_resumed == CLIENTS - 1);
	EXPECT(fixture_release(&fx) == CLIENTS);
	for (int i = CLIENTS - 1; i >= 0; i--) {
		struct http_answer a;

		http_client_answer(&c[i], &a, false);
		EXPECT(a.status == 200);
		EXPECT_BYTES(buf_view(&a.body), bytes_str("later"));
		http_answer_free(&a);
		http_client_answer(&c[i], &a, false);
		EXPECT(a.status == 200);
		EXPECT(bytes_starts(buf_view(&a.body), "device "));
		http_answer_free(&a);
	}
	for (int i = 0; i < CLIENTS; i++)
		http_client_close(&c[i]);
	fixture_wait_quiet(&fx);
	fixture_stop(&fx, 1000);
	tls_peer_conf_free(&conf);
	free(c);
}

/* One of several clients at work at once: connects, asks, resumes. */
struct worker {
	pthread_t thread;
	struct tls_peer_conf conf;
	unsigned good, other; /* answers that were right; anything else */
};

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct http_client first, c;
	bool have = false;

	for (int i = 0; i < 20; i++) {
		/* Full every fifth time, else by the first one's ticket. */
		bool full = i % 5 == 0;

		if (full && have)
			http_client_close(&first);
		if (http_client_open_tls(full ? &first : &c,
			net_port(fx.net, FIXTURE_DEVICE), &w->conf,
			full ? NULL : &first) &&
		    http_client_ask(full ? &first : &c, GET("/device")) == 200)
			w->good++;
		else
			w->other++;
		have = true;
		if (!full)
			http_client_close(&c);
	}
	http_client_close(&first);
	return NULL;
}

/* Would catch threads that share a key, a ticket or a count unguarded. */
static void
test_handshakes_on_several_threads_at_once(void **state)
{
	enum { WORKERS = 6 };
	struct worker w[WORKERS];
	struct net_counters n;

	(void)state;
	fixture_start(&fx, NULL);
	memset(w, 0, sizeof(w));
	for (int i = 0; i < WORKERS; i++)
		fixture_client(&fx, &w[i].conf, &fx.leaf[0]);
	for (int i = 0; i < WORKERS; i++)
		EXPECT(pthread_create(&w[i].thread, NULL, work, &w[i]) == 0);
	/* Another device's revocation in the midst of it touches nobody. */
	for (int i = 0; i < 20; i++)
		net_cut_device(fx.net, fx.leaf[1].dev);
	for (int i = 0; i < WORKERS; i++) {
		EXPECT(pthread_join(w[i].thread, NULL) == 0);
		EXPECT(w[i].good == 20 && w[i].other == 0);
		tls_peer_conf_free(&w[i].conf);
	}
	fixture_wait_quiet(&fx);
	net_counters(fx.net, &n);
	EXPECT(n.handshakes_full == WORKERS * 4);
	EXPECT(n.handshakes_resumed == WORKERS * 16);
	EXPECT(n.handshakes_failed == 0 && n.requests == WORKERS * 20);
	fixture_stop(&fx, 1000);
}

/* Run a shell command; its exit status, its output kept. */
static int
run(char *out, size_t out_len, const char *command)
{
	size_t n;
	FILE *f;
	int st;

	f = popen(command, "r");
	assert_non_null(f);
	n = fread(out, 1, out_len - 1, f);
	out[n] = '\0';
	st = pclose(f);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

/* Would catch a server that only our own client can speak to. */
static void
test_curl_and_openssl_are_served_alike(void **state)
{
	char dir[] = "/tmp/daybreak-net-XXXXXX", cmd[1024], out[16384];
	char want[128];
	struct pki_leaf other;
	uint16_t port;

	(void)state;
	if (run(out, sizeof(out),
		"curl --version >/dev/null 2>&1 && openssl version "
		">/dev/null 2>&1") != 0)
		skip();
	fixture_start(&fx, NULL);
	port = net_port(fx.net, FIXTURE_DEVICE);
	assert_non_null(mkdtemp(dir));
	pki_leaf_new(&other, &fx.pki, PKI_OTHER_CA, 1);
	pki_write(&fx.pki, &fx.leaf[0], dir, "dev");
	pki_write(&fx.pki, &other, dir, "other");
	pki_leaf_free(&other);

	(void)snprintf(cmd, sizeof(cmd),
	    "cd %s && timeout 20 curl -sS --cacert ca.pem --cert dev.pem "
	    "--key dev.key --resolve centre.daybreak.internal:%u:127.0.0.1 "
	    "https://centre.daybreak.internal:%u/who --next -sS --cacert "
	    "ca.pem --cert dev.pem --key dev.key --data-binary @ca.pem "
	    "https://127.0.0.1:%u/echo 2>&1",
	    dir, port, port, port);
	EXPECT(run(out, sizeof(out), cmd) == 0);
	(void)snprintf(want, sizeof(want), "device %s full 127.0.0.1-----BEGIN",
	    fx.leaf[0].dev);
	EXPECT(bytes_starts(bytes_str(out), want));
	/* Another court's certificate, and none: no answer at all. */
	for (int i = 0; i < 2; i++) {
		(void)snprintf(cmd, sizeof(cmd),
		    "cd %s && timeout 20 curl -sS --cacert ca.pem %s "
		    "https://127.0.0.1:%u/who 2>&1",
		    dir, i == 0 ? "--cert other.pem --key other.key" : "",
		    port);
		EXPECT(run(out, sizeof(out), cmd) != 0);
		EXPECT(strstr(out, "device") == NULL);
	}
	fixture_wait_log(&fx, "not of this court's CA");
	fixture_wait_log(&fx, "showed no certificate");

	/* A session saved by one s_client and resumed by another. */
	(void)snprintf(cmd, sizeof(cmd),
	    "cd %s && for o in out in; do printf 'GET /who HTTP/1.1\\r\\nHost: "
	    "a\\r\\nConnection: close\\r\\n\\r\\n' | timeout 20 openssl "
	    "s_client -connect 127.0.0.1:%u -CAfile ca.pem -cert dev.pem -key "
	    "dev.key -verify_return_error -ign_eof -sess_$o sess 2>&1 || exit "
	    "1; done",
	    dir, port);
	EXPECT(run(out, sizeof(out), cmd) == 0);
	EXPECT(strstr(out, "Reused, TLSv1.3") != NULL);
	(void)snprintf(want, sizeof(want), "device %s full", fx.leaf[0].dev);
	EXPECT(strstr(out, want) != NULL);
	(void)snprintf(want, sizeof(want), "device %s resumed", fx.leaf[0].dev);
	EXPECT(strstr(out, want) != NULL);
	/* TLS 1.2 is not for devices; plain HTTP is not for anybody. */
	(void)snprintf(cmd, sizeof(cmd),
	    "cd %s && timeout 20 curl -sS --tls-max 1.2 --cacert ca.pem "
	    "https://127.0.0.1:%u/who 2>&1",
	    dir, net_port(fx.net, FIXTURE_PUBLIC));
	EXPECT(run(out, sizeof(out), cmd) != 0);
	(void)snprintf(cmd, sizeof(cmd),
	    "timeout 20 curl -sS http://127.0.0.1:%u/who 2>&1",
	    net_port(fx.net, FIXTURE_PUBLIC));
	EXPECT(run(out, sizeof(out), cmd) != 0);

	(void)snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	EXPECT(run(out, sizeof(out), cmd) == 0);
	fixture_stop(&fx, 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity_reaches_the_handler),
		cmocka_unit_test(
		    test_cut_device_loses_its_connections_and_no_other),
		cmocka_unit_test(
		    test_certificate_that_runs_out_ends_its_connection),
		cmocka_unit_test(test_every_refusal_is_logged_with_its_reason),
		cmocka_unit_test(test_garbage_and_half_handshakes_are_survived),
		cmocka_unit_test(test_five_hundred_connections_at_once),
		cmocka_unit_test(test_handshakes_on_several_threads_at_once),
		cmocka_unit_test(test_curl_and_openssl_are_served_alike),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
