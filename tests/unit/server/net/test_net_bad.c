/*
 * net: the slow, the silent, the endless and the many.  Limits here are half
 * a second or less; a test waits for what must happen, never for a time.
 */
#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#include "server/net/addrs.h"
#include "support/net_fixture.h"

static struct net_fixture fx;

#define H " HTTP/1.1\r\nHost: a\r\n"
#define GET(path) "GET " path H "\r\n"

static int
setup(void **state)
{
	(void)state;
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
start(void)
{
	struct net_limits lim;

	fixture_short_limits(&lim);
	fixture_start(&fx, &lim);
}

static void
plain(struct http_client *c)
{
	http_client_open(c, net_port(fx.net, FIXTURE_PLAIN));
}

/* Would catch a connection held for ever by a client that says nothing. */
static void
test_silent_clients_are_cut(void **state)
{
	struct tls_peer_conf conf;
	struct http_client c;

	(void)state;
	start();
	/* Before the handshake. */
	http_client_open(&c, net_port(fx.net, FIXTURE_DEVICE));
	EXPECT(http_client_ended(&c));
	http_client_close(&c);
	fixture_wait_log(&fx, "no handshake in time");
	/* After it: a clean end, not a cut. */
	fixture_client(&fx, &conf, &fx.leaf[0]);
	EXPECT(http_client_open_tls(
	    &c, net_port(fx.net, FIXTURE_DEVICE), &conf, NULL));
	EXPECT(http_client_ended(&c));
	EXPECT(c.tls.error == 0);
	http_client_close(&c);
	/* Between two requests. */
	plain(&c);
	EXPECT(http_client_ask(&c, GET("/hello")) == 200);
	EXPECT(http_client_ended(&c));
	http_client_close(&c);
	tls_peer_conf_free(&conf);
	fixture_wait_quiet(&fx);
	fixture_stop(&fx, 1000);
}

/* Would catch slow loris: a head that comes a byte at a time, for ever. */
static void
test_slow_heads_and_bodies_get_408(void **state)
{
	struct http_client c;
	struct http_answer a;

	(void)state;
	start();
	plain(&c);
	EXPECT(http_client_ask(&c, "GET /hello HTT") == 408);
	EXPECT(http_client_ended(&c));
	http_client_close(&c);
	fixture_forget_log(&fx);
	/* A byte now and then does not help: it is the whole that counts. */
	plain(&c);
	for (int i = 0; i < 500 && !fixture_logged(&fx, "head too slow"); i++) {
		const struct timespec ts = { .tv_nsec = 10000000 };

		http_client_raw(&c, "X", 1);
		(void)nanosleep(&ts, NULL);
	}
	http_client_answer(&c, &a, false);
	EXPECT(a.status == 408);
	http_answer_free(&a);
	http_client_close(&c);
	plain(&c);
	EXPECT(http_client_ask(&c,
		   "POST /echo" H "Content-Length: 100000\r\n\r\nabc") == 408);
	EXPECT(http_client_ended(&c));
	http_client_close(&c);
	plain(&c);
	EXPECT(http_client_ask(&c, "POST /stream" H
				   "Content-Length: 100000\r\n\r\nabc") == 408);
	http_client_close(&c);
	fixture_wait_quiet(&fx);
	EXPECT(fx.aborted == 1);
	fixture_wait_log(&fx, "the body comes too slowly");
	fixture_stop(&fx, 1000);
}

/* Would catch a slow client cut though it sends as fast as is asked. */
static void
test_slow_but_steady_body_is_taken(void **state)
{
	struct http_client c;
	struct http_answer a;
	char piece[101];

	(void)state;
	start();
	plain(&c);
	memset(piece, 'x', 100);
	piece[100] = '\0';
	EXPECT(http_client_text(
	    &c, "POST /echo" H "Content-Length: 4000\r\n\r\n"));
	/* 5,000 bytes a second for 0.8 s; 2,000 are asked after 0.3 s. */
	for (int i = 0; i < 40; i++) {
		const struct timespec ts = { .tv_nsec = 20000000 };

		EXPECT(http_client_text(&c, piece));
		(void)nanosleep(&ts, NULL);
	}
	http_client_answer(&c, &a, false);
	EXPECT(a.status == 200 && a.body.len == 4000);
	http_answer_free(&a);
	http_client_close(&c);
	fixture_stop(&fx, 1000);
}

/* Would catch memory held for a client that never takes its answer. */
static void
test_client_that_does_not_read_is_cut(void **state)
{
	struct net_limits lim;
	struct http_client c;
	int small = 4096;

	(void)state;
	fixture_short_limits(&lim);
	lim.body_rate_min = 1 << 20;
	fixture_start(&fx, &lim);
	plain(&c);
	(void)setsockopt(c.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (int i = 0; i < 4; i++)
		EXPECT(http_client_text(&c, GET("/big")));
	fixture_wait_log(&fx, "does not take its answer");
	fixture_wait_quiet(&fx);
	http_client_close(&c);
	fixture_stop(&fx, 1000);
}

/* Would catch a client left waiting by a handler that never answers. */
static void
test_handler_that_does_not_answer_is_503(void **state)
{
	struct http_client c;
	struct http_answer a;

	(void)state;
	start();
	plain(&c);
	EXPECT(http_client_text(&c, GET("/later")));
	http_client_answer(&c, &a, false);
	EXPECT(a.status == 503);
	EXPECT(strstr(a.head, "Retry-After: ") != NULL);
	http_answer_free(&a);
	EXPECT(http_client_ended(&c));
	http_client_close(&c);
	/* Its answer comes after all, and is nobody's. */
	EXPECT(fixture_release(&fx) == 1);
	fixture_wait_quiet(&fx);
	fixture_stop(&fx, 1000);
}

/* Would catch a ceiling that is off by one, or is never given back. */
static void
test_connections_have_a_ceiling(void **state)
{
	enum { MAX = 5 };
	struct http_client c[MAX], extra;
	struct net_counters n;
	struct net_limits lim;

	(void)state;
	for (int round = 0; round < 2; round++) {
		net_limits_default(&lim);
		if (round == 0)
			lim.conns_max = MAX;
		else
			lim.conns_per_addr_max = MAX;
		fixture_start(&fx, &lim);
		for (int i = 0; i < MAX; i++) {
			plain(&c[i]);
			EXPECT(http_client_ask(&c[i], GET("/hello")) == 200);
		}
		plain(&extra);
		EXPECT(http_client_ask(&extra, GET("/hello")) == 0);
		http_client_close(&extra);
		fixture_wait_log(&fx, "too many connections");
		net_counters(fx.net, &n);
		EXPECT(n.conns_over_limit == 1 && n.conns_open == MAX);
		/* Those that were there are served; a place comes free. */
		EXPECT(http_client_ask(&c[0], GET("/hello")) == 200);
		for (int i = 0; i < MAX; i++)
			http_client_close(&c[i]);
		fixture_wait_quiet(&fx);
		plain(&extra);
		EXPECT(http_client_ask(&extra, GET("/hello")) == 200);
		http_client_close(&extra);
		fixture_stop(&fx, 1000);
	}
}

/* Would catch bodies of many clients that together fill the memory. */
static void
test_bodies_in_memory_have_a_ceiling(void **state)
{
	struct net_limits lim;
	struct http_client c;
	char body[3001];

	(void)state;
	net_limits_default(&lim);
	lim.bodies_bytes_max = 4000; /* 2,000 a loop */
	fixture_start(&fx, &lim);
	memset(body, 'x', 3000);
	body[3000] = '\0';
	plain(&c);
	EXPECT(http_client_text(
	    &c, "POST /echo" H "Content-Length: 3000\r\n\r\n"));
	EXPECT(http_client_ask(&c, body) == 503);
	http_client_close(&c);
	/* It was given back: the next fits. */
	for (int i = 0; i < 5; i++) {
		plain(&c);
		EXPECT(http_client_text(
		    &c, "POST /echo" H "Content-Length: 1500\r\n\r\n"));
		EXPECT(http_client_ask(&c, body + 1500) == 200);
		http_client_close(&c);
	}
	fixture_stop(&fx, 1000);
}

/* Would catch counts that drift, or networks told apart wrongly. */
static void
test_addresses_are_counted_right(void **state)
{
	static const char *const same[] = { "2001:db8:1:2::1",
		"2001:db8:1:2:ffff::9" };
	enum { KEYS = 64, MAX = 48 };
	uint8_t key[KEYS][ADDR_KEY_LEN], k2[ADDR_KEY_LEN];
	unsigned count[KEYS] = { 0 }, used = 0;
	struct sockaddr_storage sa;
	char text[ADDR_TEXT_LEN];
	struct addrs *a = NULL;
	uint32_t seed = 1;

	(void)state;
	EXPECT_OK(addrs_new(&a, port_system(), MAX));
	for (unsigned i = 0; i < KEYS; i++) {
		memset(key[i], 0, ADDR_KEY_LEN);
		key[i][3] = (uint8_t)i;
	}
	/* Against a plain array, in and out at random. */
	for (int i = 0; i < 20000; i++) {
		unsigned k;

		seed = seed * 1664525u + 1013904223u;
		k = (seed >> 16) % KEYS;
		if ((seed >> 8) % 2 == 0 || count[k] == 0) {
			bool want =
			    count[k] < 3 && (count[k] > 0 || used < MAX);

			EXPECT(addrs_enter(a, key[k], 3) == want);
			used += want && count[k] == 0;
			count[k] += want;
		} else {
			addrs_leave(a, key[k]);
			used -= --count[k] == 0;
		}
	}
	addrs_free(a);
	EXPECT(uv_ip6_addr(same[0], 1, (struct sockaddr_in6 *)&sa) == 0);
	addrs_key(key[0], text, (struct sockaddr *)&sa);
	assert_string_equal(text, same[0]);
	EXPECT(uv_ip6_addr(same[1], 2, (struct sockaddr_in6 *)&sa) == 0);
	addrs_key(k2, text, (struct sockaddr *)&sa);
	EXPECT(memcmp(key[0], k2, ADDR_KEY_LEN) == 0);
	EXPECT(
	    uv_ip6_addr("::ffff:10.0.0.7", 1, (struct sockaddr_in6 *)&sa) == 0);
	addrs_key(key[0], text, (struct sockaddr *)&sa);
	assert_string_equal(text, "10.0.0.7");
	EXPECT(uv_ip4_addr("10.0.0.7", 1, (struct sockaddr_in *)&sa) == 0);
	addrs_key(k2, text, (struct sockaddr *)&sa);
	EXPECT(memcmp(key[0], k2, ADDR_KEY_LEN) == 0);
	EXPECT(uv_ip4_addr("10.0.0.8", 1, (struct sockaddr_in *)&sa) == 0);
	addrs_key(k2, text, (struct sockaddr *)&sa);
	EXPECT(memcmp(key[0], k2, ADDR_KEY_LEN) != 0);
}

/* Would catch a slow client that costs the others their answers. */
static void
test_bad_clients_slow_nobody(void **state)
{
	enum { BAD = 60 };
	struct http_client bad[BAD], good;
	struct net_counters n;

	(void)state;
	fixture_start(&fx, NULL);
	for (int i = 0; i < BAD; i++) {
		plain(&bad[i]);
		switch (i % 4) {
		case 0:
			break;
		case 1:
			http_client_raw(&bad[i], "GET /he", 7);
			break;
		case 2:
			(void)http_client_text(&bad[i],
			    "POST /echo" H "Content-Length: 9\r\n\r\nabc");
			break;
		default:
			(void)http_client_text(&bad[i], GET("/big"));
			break;
		}
	}
	plain(&good);
	for (int i = 0; i < 50; i++)
		EXPECT(http_client_ask(&good, GET("/hello")) == 200);
	http_client_close(&good);
	for (int i = 0; i < BAD; i++)
		http_client_close(&bad[i]);
	fixture_wait_quiet(&fx);
	net_counters(fx.net, &n);
	EXPECT(n.conns_accepted == BAD + 1);
	fixture_stop(&fx, 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_silent_clients_are_cut),
		cmocka_unit_test(test_slow_heads_and_bodies_get_408),
		cmocka_unit_test(test_slow_but_steady_body_is_taken),
		cmocka_unit_test(test_client_that_does_not_read_is_cut),
		cmocka_unit_test(test_handler_that_does_not_answer_is_503),
		cmocka_unit_test(test_connections_have_a_ceiling),
		cmocka_unit_test(test_bodies_in_memory_have_a_ceiling),
		cmocka_unit_test(test_addresses_are_counted_right),
		cmocka_unit_test(test_bad_clients_slow_nobody),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
