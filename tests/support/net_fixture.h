#ifndef SUPPORT_NET_FIXTURE_H
#define SUPPORT_NET_FIXTURE_H
/*
 * net_fixture: a server of server/net on loopback with a small application,
 * its log kept, and a court's certificates.  Any failure ends the test.
 *
 * Routes, on every listener unless said:
 *   GET  /hello         "hello", answered inside the handler
 *   GET  /who           "<role> <dev> <full|resumed> <addr>"
 *   POST /echo          the body (≤ 1 MiB)
 *   POST /tiny          as /echo, body ≤ 10
 *   GET  /later         held until fixture_release answers "later"
 *   GET  /big           FIXTURE_BIG bytes of 'b'
 *   GET  /device        for PEER_DEVICE only
 *   POST /stream        streamed: "<bytes> <sum of bytes>"; see the fields
 *   POST /refuse        streamed, refused with 409 at the head
 *   POST /decide        streamed, paused at the head; once resumed it goes on
 *                       ("<bytes>"), or is refused with 409: see `refuse`
 *   GET  /source        FIXTURE_BIG bytes of 's' in pieces; see `source_wait`
 */
#include <pthread.h>

#include "server/net/net.h"
#include "support/clock_port.h"
#include "support/http_client.h"
#include "support/pki.h"

enum {
	FIXTURE_DEVICE, /* mutual TLS, lean */
	FIXTURE_PUBLIC, /* TLS */
	FIXTURE_PLAIN,
	FIXTURE_BIG = 8 << 20,
	FIXTURE_HELD_MAX = 1024
};

struct net_fixture {
	struct clock_port clock;
	struct pki pki;
	struct pki_leaf leaf[2]; /* two good devices */
	struct tls_conf *device, *public;
	struct net *net;
	struct net_config cfg;
	_Atomic int verdict; /* enum identity */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct buf log;                         /* lines of text */
	struct request *held[FIXTURE_HELD_MAX]; /* of /later */
	unsigned held_count;

	/* /stream: pause at each piece; who was paused waits here. */
	bool one_thread; /* of the next fixture_start */
	_Atomic bool stream_pause;
	struct request *paused;
	_Atomic unsigned aborted;
	_Atomic bool refuse; /* /decide */

	/* /source: pieces come when the test gives them (fixture_wait_paused
	 * says who wants one), or at once. */
	_Atomic bool source_wait, source_fails;
	_Atomic unsigned sources_done;
	uint8_t piece[10000];
};

/* Make certificates; once a program. */
void fixture_open(struct net_fixture *f);
void fixture_close(struct net_fixture *f);

/* Start with these limits (NULL: the defaults) and two threads, or one. */
void fixture_start(struct net_fixture *f, const struct net_limits *limits);
void fixture_stop(struct net_fixture *f, unsigned grace_ms);

/* Short limits, for tests of time: half a second or less each. */
void fixture_short_limits(struct net_limits *out);

/* Answer every /later that is held; how many there were. */
unsigned fixture_release(struct net_fixture *f);

/* Wait for a /later to be held, a paused stream, words in the log. */
void fixture_wait_held(struct net_fixture *f, unsigned count);
struct request *fixture_wait_paused(struct net_fixture *f);
void fixture_wait_log(struct net_fixture *f, const char *words);
bool fixture_logged(struct net_fixture *f, const char *words);
void fixture_forget_log(struct net_fixture *f);

/* Client configurations: a device's (leaf may be NULL), anybody's. */
void fixture_client(struct net_fixture *f, struct tls_peer_conf *out,
    const struct pki_leaf *leaf);

/* Wait until the counters say that no request and no connection is open. */
void fixture_wait_quiet(struct net_fixture *f);

#endif
