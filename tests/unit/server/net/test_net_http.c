/*
 * net: requests and answers through real sockets: order, keep-alive, bodies,
 * streams, answers from other threads, and the graceful stop.
 */
#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

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
plain(struct http_client *c)
{
	http_client_open(c, net_port(fx.net, FIXTURE_PLAIN));
}

/* Ask, and compare the answer's body too. */
static void
answers(struct http_client *c, const char *request, unsigned status,
    const char *body)
{
	struct http_answer a;

	EXPECT(http_client_text(c, request));
	http_client_answer(c, &a, false);
	assert_int_equal(a.status, status);
	if (body != NULL)
		EXPECT_BYTES(buf_view(&a.body), bytes_str(body));
	http_answer_free(&a);
}

/* Would catch an answer lost, cut, or given to another request. */
static void
test_one_connection_carries_many_requests(void **state)
{
	struct http_client c;
	struct http_answer a;

	(void)state;
	fixture_start(&fx, NULL);
	plain(&c);
	for (int i = 0; i < 5; i++)
		answers(&c, GET("/hello"), 200, "hello");
	answers(
	    &c, "POST /echo" H "Content-Length: 4\r\n\r\nabcd", 200, "abcd");
	answers(&c,
	    "POST /echo" H "Transfer-Encoding: chunked\r\n\r\n"
	    "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n",
	    200, "abcde");
	answers(&c, "POST /echo" H "Content-Length: 0\r\n\r\n", 200, "");
	answers(&c, GET("/nothing"), 404,
	    "{\"error\":\"not_found\",\"message\":\"There is nothing here.\","
	    "\"zh\":\"没有此内容。\"}\n");
	EXPECT(http_client_text(&c, "HEAD /hello" H "\r\n"));
	http_client_answer(&c, &a, true);
	EXPECT(a.status == 200);
	EXPECT(strstr(a.head, "Content-Length: 5\r\n") != NULL);
	EXPECT(strstr(a.head, "\r\nDate: ") != NULL);
	http_answer_free(&a);
	EXPECT(http_client_text(&c, "PUT /echo" H "\r\n"));
	http_client_answer(&c, &a, false);
	EXPECT(a.status == 405 && strstr(a.head, "Allow: POST\r\n") != NULL);
	http_answer_free(&a);
	answers(&c, GET("/hello"), 200, "hello");
	answers(&c, "GET /hello" H "Connection: close\r\n\r\n", 200, "hello");
	EXPECT(http_client_ended(&c));
	http_client_close(&c);
	plain(&c);
	answers(&c, "GET /hello HTTP/1.0\r\n\r\n", 200, "hello");
	EXPECT(http_client_ended(&c));
	http_client_close(&c);
	fixture_stop(&fx, 1000);
}

/* Would catch pipelined answers out of order, or one request eaten. */
static void
test_pipelined_requests_are_answered_in_order(void **state)
{
	struct http_client c;
	struct http_answer a;

	(void)state;
	fixture_start(&fx, NULL);
	plain(&c);
	EXPECT(http_client_text(&c,
	    GET("/hello")
		GET("/later") "POST /echo" H "Content-Length: 3\r\n\r\none" GET(
		    "/later") "POST /echo" H "Content-Length: 3\r\n\r\ntwo"));
	fixture_wait_held(&fx, 1);
	/* The second /later must not begin before the first is answered. */
	http_client_answer(&c, &a, false);
	EXPECT_BYTES(buf_view(&a.body), bytes_str("hello"));
	http_answer_free(&a);
	EXPECT(fixture_release(&fx) == 1);
	http_client_answer(&c, &a, false);
	EXPECT_BYTES(buf_view(&a.body), bytes_str("later"));
	http_answer_free(&a);
	http_client_answer(&c, &a, false);
	EXPECT_BYTES(buf_view(&a.body), bytes_str("one"));
	http_answer_free(&a);
	fixture_wait_held(&fx, 1);
	EXPECT(fixture_release(&fx) == 1);
	http_client_answer(&c, &a, false);
	EXPECT_BYTES(buf_view(&a.body), bytes_str("later"));
	http_answer_free(&a);
	http_client_answer(&c, &a, false);
	EXPECT_BYTES(buf_view(&a.body), bytes_str("two"));
	http_answer_free(&a);
	http_client_close(&c);
	fixture_stop(&fx, 1000);
}

/* Would catch an end taken for an abort: the answer is still wanted. */
static void
test_half_closed_client_gets_its_answer(void **state)
{
	struct tls_peer_conf conf;
	struct http_client c;

	(void)state;
	fixture_start(&fx, NULL);
	plain(&c);
	EXPECT(http_client_text(&c, GET("/later")));
	http_client_half_close(&c);
	fixture_wait_held(&fx, 1);
	EXPECT(fixture_release(&fx) == 1);
	answers(&c, "", 200, "later");
	EXPECT(http_client_ended(&c));
	http_client_close(&c);

	fixture_client(&fx, &conf, &fx.leaf[0]);
	EXPECT(http_client_open_tls(
	    &c, net_port(fx.net, FIXTURE_DEVICE), &conf, NULL));
	EXPECT(http_client_text(&c, GET("/later")));
	http_client_half_close(&c);
	fixture_wait_held(&fx, 1);
	EXPECT(fixture_release(&fx) == 1);
	answers(&c, "", 200, "later");
	EXPECT(http_client_ended(&c));
	http_client_close(&c);
	tls_peer_conf_free(&conf);
	fixture_wait_quiet(&fx);
	fixture_stop(&fx, 1000);
}

/* Would catch a use of freed memory, or a request that leaks. */
static void
test_answer_after_the_client_is_gone(void **state)
{
	struct http_client c;

	(void)state;
	fixture_start(&fx, NULL);
	for (unsigned i = 0; i < 20; i++) {
		plain(&c);
		EXPECT(http_client_text(&c, GET("/later")));
		fixture_wait_held(&fx, i + 1);
		if (i % 2 == 0)
			http_client_reset(&c);
		http_client_close(&c);
	}
	EXPECT(fixture_release(&fx) == 20);
	fixture_wait_quiet(&fx);
	/* And when the whole server is gone. */
	plain(&c);
	EXPECT(http_client_text(&c, GET("/later")));
	fixture_wait_held(&fx, 1);
	fixture_stop(&fx, 50);
	EXPECT(fixture_release(&fx) == 1);
	EXPECT(http_client_ended(&c));
	http_client_close(&c);
}

/* Would catch a limit that only works once everything was read. */
static void
test_large_bodies_are_refused_before_they_come(void **state)
{
	struct http_client c;
	struct buf big;

	(void)state;
	fixture_start(&fx, NULL);
	plain(&c);
	answers(&c, "POST /tiny" H "Content-Length: 10\r\n\r\n0123456789", 200,
	    "0123456789");
	/* No byte of the body is sent: the length alone is refused. */
	answers(&c, "POST /tiny" H "Content-Length: 11\r\n\r\n", 413, NULL);
	EXPECT(http_client_ended(&c));
	http_client_close(&c);
	plain(&c);
	answers(&c, "POST /tiny" H "Transfer-Encoding: chunked\r\n\r\nb\r\n",
	    413, NULL);
	http_client_close(&c);
	plain(&c);
	answers(&c, "POST /nowhere" H "Content-Length: 5\r\n\r\n", 404, NULL);
	EXPECT(http_client_ended(&c));
	http_client_close(&c);
	/* An endless body: the answer comes although the client goes on. */
	plain(&c);
	EXPECT(http_client_text(
	    &c, "POST /echo" H "Transfer-Encoding: chunked\r\n\r\n"));
	buf_init(&big, 1 << 17);
	buf_str(&big, "10000\r\n");
	EXPECT(buf_extend(&big, 65536) != NULL);
	memset(big.p + 7, 'x', 65536);
	buf_str(&big, "\r\n");
	for (int i = 0; i < 40; i++)
		http_client_raw(&c, big.p, big.len);
	answers(&c, "", 413, NULL);
	http_client_close(&c);
	buf_free(&big);
	plain(&c);
	EXPECT(http_client_text(&c, "GET /"));
	for (int i = 0; i < 100; i++)
		http_client_raw(&c,
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
		    86);
	answers(&c, "", 414, NULL);
	http_client_close(&c);
	plain(&c);
	EXPECT(http_client_text(&c, "GET /hello" H));
	for (int i = 0; i < 400; i++)
		http_client_raw(&c,
		    "Field: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n",
		    75);
	answers(&c, "", 431, NULL);
	http_client_close(&c);
	fixture_wait_quiet(&fx);
	fixture_stop(&fx, 1000);
}

/* Would catch a second request hidden in a first, after a refusal. */
static void
test_nothing_is_read_behind_a_refused_request(void **state)
{
	struct http_client c;

	(void)state;
	fixture_start(&fx, NULL);
	plain(&c);
	answers(&c,
	    "POST /echo" H "Content-Length: 4\r\nTransfer-Encoding: "
	    "chunked\r\n\r\n0\r\n\r\n" GET("/later"),
	    400, NULL);
	EXPECT(http_client_ended(&c));
	http_client_close(&c);
	fixture_wait_log(&fx, "bad plain");
	fixture_wait_quiet(&fx);
	EXPECT(fx.held_count == 0);
	fixture_stop(&fx, 1000);
}

/* Would catch a client that waits for leave to send, for ever. */
static void
test_expect_continue_is_answered(void **state)
{
	struct http_client c;
	struct http_answer a;

	(void)state;
	fixture_start(&fx, NULL);
	plain(&c);
	EXPECT(http_client_text(&c,
	    "POST /echo" H
	    "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"));
	http_client_answer(&c, &a, true);
	EXPECT(a.status == 100);
	http_answer_free(&a);
	answers(&c, "abc", 200, "abc");
	/* Refused at the head: no leave is given. */
	answers(&c,
	    "POST /tiny" H "Expect: 100-continue\r\nContent-Length: 11\r\n\r\n",
	    413, NULL);
	EXPECT(http_client_ended(&c));
	http_client_close(&c);
	fixture_stop(&fx, 1000);
}

/* Would catch a big answer cut, or one that blocks the other clients. */
static void
test_big_answer_to_a_slow_reader_blocks_nobody(void **state)
{
	struct http_client slow, quick[8];
	struct http_answer a;

	(void)state;
	fixture_start(&fx, NULL);
	plain(&slow);
	EXPECT(http_client_text(&slow, GET("/big")));
	for (int i = 0; i < 8; i++) {
		plain(&quick[i]);
		answers(&quick[i], GET("/hello"), 200, "hello");
		http_client_close(&quick[i]);
	}
	http_client_answer(&slow, &a, false);
	EXPECT(a.status == 200 && a.body.len == FIXTURE_BIG);
	for (size_t i = 0; i < a.body.len; i++)
		EXPECT(a.body.p[i] == 'b');
	http_answer_free(&a);
	answers(&slow, GET("/hello"), 200, "hello");
	http_client_close(&slow);
	fixture_stop(&fx, 1000);
}

static void
send_stream(struct http_client *c, size_t pieces, uint64_t *sum)
{
	uint8_t piece[4096];
	char head[128];

	(void)snprintf(head, sizeof(head),
	    "POST /stream" H "Content-Length: %zu\r\n\r\n",
	    pieces * sizeof(piece));
	EXPECT(http_client_text(c, head));
	*sum = 0;
	for (size_t i = 0; i < pieces; i++) {
		for (size_t k = 0; k < sizeof(piece); k++) {
			piece[k] = (uint8_t)(i * 7 + k);
			*sum += piece[k];
		}
		EXPECT(http_client_send(c, piece, sizeof(piece)));
	}
}

/* Would catch a streamed byte lost, or a whole body held in memory. */
static void
test_streamed_body_arrives_whole(void **state)
{
	struct http_client c;
	char want[64];
	uint64_t sum;

	(void)state;
	fixture_start(&fx, NULL);
	plain(&c);
	send_stream(&c, 2000, &sum);
	(void)snprintf(want, sizeof(want), "%d %llu", 2000 * 4096,
	    (unsigned long long)sum);
	answers(&c, "", 200, want);
	answers(&c, "POST /stream" H "Content-Length: 0\r\n\r\n", 200, "0 0");
	answers(&c, GET("/hello"), 200, "hello");
	/* Refused at its head, with and without a body to come. */
	answers(&c, "POST /refuse" H "Content-Length: 0\r\n\r\n", 409, NULL);
	answers(&c, GET("/hello"), 200, "hello");
	answers(&c, "POST /refuse" H "Content-Length: 9\r\n\r\n", 409, NULL);
	EXPECT(http_client_ended(&c));
	http_client_close(&c);
	fixture_wait_quiet(&fx);
	EXPECT(fx.aborted == 0);
	fixture_stop(&fx, 1000);
}

struct sending {
	struct http_client c;
	uint64_t sum;
};

enum { LONG_PIECES = 4096 }; /* 16 MiB */

static void *
send_long(void *arg)
{
	struct sending *s = arg;

	send_stream(&s->c, LONG_PIECES, &s->sum);
	return NULL;
}

/* Would catch a pause that does not hold back the client, or never ends. */
static void
test_paused_stream_holds_back_its_client(void **state)
{
	struct sending s;
	struct net_counters n;
	char want[64];
	pthread_t t;

	(void)state;
	fixture_start(&fx, NULL);
	fx.stream_pause = true;
	plain(&s.c);
	EXPECT(pthread_create(&t, NULL, send_long, &s) == 0);
	for (int i = 0; i < 20; i++) {
		struct request *rq = fixture_wait_paused(&fx);

		/* At a pause one more read may be under way, no more. */
		net_counters(fx.net, &n);
		EXPECT(n.requests_open == 1);
		EXPECT(n.bytes_in < (uint64_t)(i + 3) * (64 << 10));
		if (i == 19)
			fx.stream_pause = false;
		request_resume(rq);
	}
	EXPECT(pthread_join(t, NULL) == 0);
	(void)snprintf(want, sizeof(want), "%d %llu", LONG_PIECES * 4096,
	    (unsigned long long)s.sum);
	answers(&s.c, "", 200, want);
	http_client_close(&s.c);
	fixture_stop(&fx, 1000);
}

/* Would catch a stream whose handler is never told that it is over. */
static void
test_stream_of_a_client_that_leaves_is_aborted(void **state)
{
	struct http_client c;
	struct request *rq;
	uint64_t sum;

	(void)state;
	fixture_start(&fx, NULL);
	plain(&c);
	EXPECT(http_client_text(
	    &c, "POST /stream" H "Content-Length: 100\r\n\r\nabc"));
	http_client_close(&c);
	fixture_wait_log(&fx, "in the middle of a body");
	fixture_wait_quiet(&fx);
	EXPECT(fx.aborted == 1);
	/* A wrong chunk ends it as well, and is answered. */
	plain(&c);
	answers(&c,
	    "POST /stream" H "Transfer-Encoding: chunked\r\n\r\n"
	    "3\r\nabcX",
	    400, NULL);
	http_client_close(&c);
	fixture_wait_quiet(&fx);
	EXPECT(fx.aborted == 2);
	/* Gone while paused: the resume comes later and must be harmless. */
	fx.stream_pause = true;
	plain(&c);
	send_stream(&c, 1, &sum);
	rq = fixture_wait_paused(&fx);
	fixture_stop(&fx, 0);
	EXPECT(fx.aborted == 3);
	request_resume(rq);
	http_client_close(&c);
}

/* Would catch a stop that loses an answer, or never comes to its end. */
static void *
stop_thread(void *arg)
{
	unsigned grace = *(unsigned *)arg;

	net_stop(fx.net, grace);
	return NULL;
}

static void
test_graceful_stop_finishes_what_is_in_flight(void **state)
{
	struct http_client busy, half, idle;
	struct http_answer a;
	unsigned grace = 15000;
	uint64_t begun;
	pthread_t t;

	(void)state;
	/* One loop: what came before a request that it holds, it has read. */
	fx.one_thread = true;
	fixture_start(&fx, NULL);
	fx.one_thread = false;
	plain(&busy);
	plain(&half);
	plain(&idle);
	answers(&idle, GET("/hello"), 200, "hello");
	EXPECT(http_client_text(
	    &half, "POST /echo" H "Content-Length: 4\r\n\r\nab"));
	EXPECT(http_client_text(&busy, GET("/later")));
	fixture_wait_held(&fx, 1);
	fixture_wait_log(&fx, "request plain 127.0.0.1 [] GET /hello 200");
	begun = port_mono_ms(port_system());
	EXPECT(pthread_create(&t, NULL, stop_thread, &grace) == 0);
	/* The idle one is closed at once, the others are waited for. */
	EXPECT(http_client_ended(&idle));
	EXPECT(http_client_text(&half, "cd"));
	http_client_answer(&half, &a, false);
	EXPECT(a.status == 200 && a.body.len == 4);
	EXPECT(strstr(a.head, "Connection: close\r\n") != NULL);
	http_answer_free(&a);
	EXPECT(fixture_release(&fx) == 1);
	http_client_answer(&busy, &a, false);
	EXPECT(a.status == 200);
	EXPECT(strstr(a.head, "Connection: close\r\n") != NULL);
	http_answer_free(&a);
	EXPECT(http_client_ended(&busy));
	http_client_close(&busy);
	http_client_close(&half);
	http_client_close(&idle);
	EXPECT(pthread_join(t, NULL) == 0);
	EXPECT(port_mono_ms(port_system()) - begun < grace);
	fixture_stop(&fx, 0);
}

/* Would catch a stop held up by a client or handler that never ends. */
static void
test_stop_is_bounded_whatever_clients_do(void **state)
{
	struct http_client silent, held;
	uint64_t begun;

	(void)state;
	fixture_start(&fx, NULL);
	plain(&silent);
	plain(&held);
	EXPECT(http_client_text(&silent, "GET /hel"));
	EXPECT(http_client_text(&held, GET("/later")));
	fixture_wait_held(&fx, 1);
	begun = port_mono_ms(port_system());
	fixture_stop(&fx, 300);
	EXPECT(port_mono_ms(port_system()) - begun < 10000);
	EXPECT(fixture_release(&fx) == 1);
	http_client_close(&silent);
	http_client_close(&held);
}

/* Would catch a race between answering threads and dying connections. */
static void *
answerer(void *arg)
{
	_Atomic bool *stop = arg;

	while (!*stop) {
		if (fixture_release(&fx) == 0) {
			const struct timespec ts = { .tv_nsec = 200000 };

			(void)nanosleep(&ts, NULL);
		}
	}
	return NULL;
}

static void
test_many_answers_from_other_threads(void **state)
{
	enum { CLIENTS = 24, ROUNDS = 12 };
	struct http_client c[CLIENTS];
	_Atomic bool stop = false;
	pthread_t t[2];

	(void)state;
	fixture_start(&fx, NULL);
	for (int i = 0; i < 2; i++)
		EXPECT(pthread_create(&t[i], NULL, answerer, &stop) == 0);
	for (int r = 0; r < ROUNDS; r++) {
		for (int i = 0; i < CLIENTS; i++) {
			plain(&c[i]);
			EXPECT(http_client_text(&c[i], GET("/later")));
		}
		for (int i = 0; i < CLIENTS; i++) {
			if ((i + r) % 3 == 0)
				http_client_reset(&c[i]);
			else
				answers(&c[i], "", 200, "later");
			http_client_close(&c[i]);
		}
	}
	fixture_wait_quiet(&fx);
	stop = true;
	for (int i = 0; i < 2; i++)
		EXPECT(pthread_join(t[i], NULL) == 0);
	fixture_stop(&fx, 1000);
}

/* Would catch a configuration that starts and is wrong, or a shared port. */
static void
test_wrong_configurations_do_not_start(void **state)
{
	char err[NET_ERRMSG_LEN];
	struct net_config cfg;
	struct net *net = NULL;

	(void)state;
	fixture_start(&fx, NULL);
	cfg = fx.cfg;
	cfg.listeners[0].port = net_port(fx.net, FIXTURE_PLAIN);
	EXPECT_ST(net_start(&net, &cfg, err), ST_CONFLICT);
	EXPECT(strstr(err, "device: cannot listen on 127.0.0.1") != NULL);
	cfg = fx.cfg;
	cfg.listeners[FIXTURE_PLAIN].host = "0.0.0.0";
	EXPECT_ST(net_start(&net, &cfg, err), ST_INVALID);
	EXPECT(strstr(err, "without TLS only on loopback") != NULL);
	cfg = fx.cfg;
	cfg.listeners[1].host = "localhost";
	EXPECT_ST(net_start(&net, &cfg, err), ST_INVALID);
	cfg = fx.cfg;
	cfg.threads = 0;
	EXPECT_ST(net_start(&net, &cfg, err), ST_INVALID);
	cfg = fx.cfg;
	cfg.listener_count = 0;
	EXPECT_ST(net_start(&net, &cfg, err), ST_INVALID);
	cfg = fx.cfg;
	cfg.limits.body_rate_min = 0;
	EXPECT_ST(net_start(&net, &cfg, err), ST_INVALID);
	cfg = fx.cfg;
	cfg.listeners[0].host = "192.0.2.1"; /* not this machine's */
	EXPECT_ST(net_start(&net, &cfg, err), ST_NET);
	EXPECT(net == NULL);
	fixture_stop(&fx, 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_connection_carries_many_requests),
		cmocka_unit_test(test_pipelined_requests_are_answered_in_order),
		cmocka_unit_test(test_half_closed_client_gets_its_answer),
		cmocka_unit_test(test_answer_after_the_client_is_gone),
		cmocka_unit_test(
		    test_large_bodies_are_refused_before_they_come),
		cmocka_unit_test(test_nothing_is_read_behind_a_refused_request),
		cmocka_unit_test(test_expect_continue_is_answered),
		cmocka_unit_test(
		    test_big_answer_to_a_slow_reader_blocks_nobody),
		cmocka_unit_test(test_streamed_body_arrives_whole),
		cmocka_unit_test(test_paused_stream_holds_back_its_client),
		cmocka_unit_test(
		    test_stream_of_a_client_that_leaves_is_aborted),
		cmocka_unit_test(test_graceful_stop_finishes_what_is_in_flight),
		cmocka_unit_test(test_stop_is_bounded_whatever_clients_do),
		cmocka_unit_test(test_many_answers_from_other_threads),
		cmocka_unit_test(test_wrong_configurations_do_not_start),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
