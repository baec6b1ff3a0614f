/*
 * net: requests that are decided upon elsewhere before their body is read, and
 * answers that come piece by piece.
 */
#include "support/expect.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/net_fixture.h"

static struct net_fixture fx;

#define H " HTTP/1.1\r\nHost: a\r\n"

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

/* Would catch a client that is told to send before it is known whether it may,
 * or never; and a connection that is spoiled by waiting. */
static void
test_request_is_decided_before_its_body_is_asked_for(void **state)
{
	struct http_client c;
	struct http_answer a;

	(void)state;
	fixture_start(&fx, NULL);
	plain(&c);
	EXPECT(http_client_text(&c,
	    "POST /decide" H
	    "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"));
	request_resume(fixture_wait_paused(&fx));
	http_client_answer(&c, &a, true);
	EXPECT(a.status == 100);
	http_answer_free(&a);
	answers(&c, "abc", 200, "3 294");
	/* Without a body, and on the same connection. */
	EXPECT(http_client_text(&c, "POST /decide" H "\r\n"));
	request_resume(fixture_wait_paused(&fx));
	answers(&c, "", 200, "0 0");
	/* Refused without a body: the connection goes on. */
	fx.refuse = true;
	EXPECT(http_client_text(&c, "POST /decide" H "\r\n"));
	request_resume(fixture_wait_paused(&fx));
	answers(&c, "", 409, NULL);
	/* Refused with one to come: no leave to send it, and the end. */
	EXPECT(http_client_text(&c,
	    "POST /decide" H
	    "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"));
	request_resume(fixture_wait_paused(&fx));
	answers(&c, "", 409, NULL);
	EXPECT(http_client_ended(&c));
	http_client_close(&c);
	fixture_wait_quiet(&fx);
	EXPECT(fx.aborted == 0);
	fixture_stop(&fx, 1000);
}

/* Would catch a client that leaves while it is decided, and is then answered,
 * or forgotten. */
static void
test_client_that_leaves_while_it_is_decided_is_let_go(void **state)
{
	struct http_client c;
	struct request *rq;

	(void)state;
	fixture_start(&fx, NULL);
	fx.refuse = true;
	plain(&c);
	EXPECT(
	    http_client_text(&c, "POST /decide" H "Content-Length: 3\r\n\r\n"));
	rq = fixture_wait_paused(&fx);
	http_client_reset(&c);
	http_client_close(&c);
	/* It is told after the line that says so. */
	for (int i = 0; i < 5000 && fx.aborted == 0; i++)
		(void)nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	EXPECT(fx.aborted == 1);
	request_resume(rq);
	fixture_wait_quiet(&fx);
	fixture_stop(&fx, 1000);
}

static void
check_source(struct http_client *c)
{
	struct http_answer a;

	http_client_answer(c, &a, false);
	EXPECT(a.status == 200 && a.body.len == FIXTURE_BIG);
	for (size_t i = 0; i < a.body.len; i++)
		EXPECT(a.body.p[i] == 's');
	http_answer_free(&a);
}

static void *
give_all(void *arg)
{
	(void)arg;
	for (size_t left = FIXTURE_BIG; left > 0;) {
		size_t n = left < 8192 ? left : 8192;

		request_give(fixture_wait_paused(&fx), bytes_of(fx.piece, n));
		left -= n;
	}
	return NULL;
}

/* Would catch a piece lost or sent twice, one that is asked for before there is
 * room, and a source that is never let go. */
static void
test_answer_in_pieces_arrives_whole(void **state)
{
	struct tls_peer_conf conf;
	struct http_client c;
	struct http_answer a;
	pthread_t t;

	(void)state;
	fixture_start(&fx, NULL);
	plain(&c);
	for (unsigned i = 0; i < 2; i++) {
		EXPECT(http_client_text(&c, "GET /source" H "\r\n"));
		check_source(&c);
	}
	EXPECT(http_client_text(&c, "HEAD /source" H "\r\n"));
	http_client_answer(&c, &a, true);
	EXPECT(a.status == 200);
	EXPECT(strstr(a.head, "Content-Length: 8388608\r\n") != NULL);
	http_answer_free(&a);
	http_client_close(&c);
	/* From another thread, under TLS. */
	fx.source_wait = true;
	fixture_client(&fx, &conf, NULL);
	EXPECT(http_client_open_tls(
	    &c, net_port(fx.net, FIXTURE_PUBLIC), &conf, NULL));
	EXPECT(pthread_create(&t, NULL, give_all, NULL) == 0);
	EXPECT(http_client_text(&c, "GET /source" H "\r\n"));
	check_source(&c);
	EXPECT(pthread_join(t, NULL) == 0);
	http_client_close(&c);
	tls_peer_conf_free(&conf);
	fixture_wait_quiet(&fx);
	EXPECT(fx.sources_done == 4);
	fixture_stop(&fx, 1000);
}

/* Would catch a source that is freed while it makes a piece, or never, when
 * its client goes; and one that cannot be read answered with made-up bytes. */
static void
test_answer_in_pieces_ends_with_its_client_or_source(void **state)
{
	struct http_client c;
	struct http_answer a;
	struct request *rq;

	(void)state;
	fixture_start(&fx, NULL);
	fx.source_wait = true;
	plain(&c);
	EXPECT(http_client_text(&c, "GET /source" H "\r\n"));
	rq = fixture_wait_paused(&fx);
	http_client_reset(&c);
	http_client_close(&c);
	fixture_wait_log(&fx, "cut plain");
	EXPECT(fx.sources_done == 0);
	request_give(rq, bytes_of(fx.piece, 10));
	fixture_wait_quiet(&fx);
	EXPECT(fx.sources_done == 1);
	/* The source fails at its first piece. */
	fx.source_wait = false;
	fx.source_fails = true;
	plain(&c);
	EXPECT(http_client_text(&c, "GET /source" H "\r\n"));
	http_client_answer(&c, &a, false);
	EXPECT(a.status == 0);
	http_answer_free(&a);
	http_client_close(&c);
	/* The server stops while a piece is made. */
	fx.source_fails = false;
	fx.source_wait = true;
	plain(&c);
	EXPECT(http_client_text(&c, "GET /source" H "\r\n"));
	rq = fixture_wait_paused(&fx);
	fixture_stop(&fx, 0);
	EXPECT(fx.sources_done == 2);
	request_give(rq, bytes_of(fx.piece, 10));
	EXPECT(fx.sources_done == 3);
	http_client_close(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_request_is_decided_before_its_body_is_asked_for),
		cmocka_unit_test(
		    test_client_that_leaves_while_it_is_decided_is_let_go),
		cmocka_unit_test(test_answer_in_pieces_arrives_whole),
		cmocka_unit_test(
		    test_answer_in_pieces_ends_with_its_client_or_source),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
