/*
 * What the network layer costs: server CPU of a handshake, full and resumed,
 * beside mbedTLS driven without us in the same run; memory of an idle device
 * connection; server CPU of a request on a warm one.  One JSON line a figure.
 *
 *	bench_net [--quick]
 */
#include "support/expect.h"

#include <malloc.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl_ticket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/support/figure.h"
#include "server/net/tls_conn.h"
#include "support/net_fixture.h"

enum { WARM_CONNS = 20, WARM_BODY = 4096 };

static int rounds = 150, idle_conns = 400, warm_rounds = 400;

static struct net_fixture fx;
static struct tls_peer_conf client_conf;

/* Two byte streams between a client and a server of either kind. */
struct wire {
	struct buf up, down;
	size_t up_at, down_at;
};

static int
put(struct buf *b, const unsigned char *p, size_t len)
{
	buf_add(b, p, len);
	EXPECT(b->err == ST_OK);
	return (int)len;
}

static int
get(struct buf *b, size_t *at, unsigned char *p, size_t len)
{
	size_t left = b->len - *at;

	if (left == 0)
		return MBEDTLS_ERR_SSL_WANT_READ;
	if (len > left)
		len = left;
	memcpy(p, b->p + *at, len);
	*at += len;
	return (int)len;
}

static int
client_send(void *arg, const unsigned char *p, size_t len)
{
	return put(&((struct wire *)arg)->up, p, len);
}

static int
client_recv(void *arg, unsigned char *p, size_t len)
{
	struct wire *w = arg;

	return get(&w->down, &w->down_at, p, len);
}

static int
server_send(void *arg, const unsigned char *p, size_t len)
{
	return put(&((struct wire *)arg)->down, p, len);
}

static int
server_recv(void *arg, unsigned char *p, size_t len)
{
	struct wire *w = arg;

	return get(&w->up, &w->up_at, p, len);
}

/* mbedTLS as its own examples drive it, with what we also demand of it. */
struct bare {
	mbedtls_ssl_config conf;
	mbedtls_x509_crt cert, ca;
	mbedtls_pk_context key;
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context drbg;
	mbedtls_ssl_ticket_context ticket;
};

static void
bare_init(struct bare *b)
{
	static const uint16_t groups[] = { MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
		MBEDTLS_SSL_IANA_TLS_GROUP_X25519, 0 };

	mbedtls_ssl_config_init(&b->conf);
	mbedtls_x509_crt_init(&b->cert);
	mbedtls_x509_crt_init(&b->ca);
	mbedtls_pk_init(&b->key);
	mbedtls_entropy_init(&b->entropy);
	mbedtls_ctr_drbg_init(&b->drbg);
	mbedtls_ssl_ticket_init(&b->ticket);
	EXPECT(mbedtls_ctr_drbg_seed(
		   &b->drbg, mbedtls_entropy_func, &b->entropy, NULL, 0) == 0);
	EXPECT(mbedtls_x509_crt_parse_der(&b->cert, fx.pki.server_cert.p,
		   fx.pki.server_cert.len) == 0);
	EXPECT(mbedtls_x509_crt_parse_der(
		   &b->ca, ca_cert(fx.pki.ca).p, ca_cert(fx.pki.ca).len) == 0);
	EXPECT(mbedtls_pk_parse_key(&b->key, fx.pki.server_key.p,
		   fx.pki.server_key.len, NULL, 0, mbedtls_ctr_drbg_random,
		   &b->drbg) == 0);
	EXPECT(
	    mbedtls_ssl_config_defaults(&b->conf, MBEDTLS_SSL_IS_SERVER,
		MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) == 0);
	mbedtls_ssl_conf_rng(&b->conf, mbedtls_ctr_drbg_random, &b->drbg);
	mbedtls_ssl_conf_groups(&b->conf, groups);
	mbedtls_ssl_conf_authmode(&b->conf, MBEDTLS_SSL_VERIFY_REQUIRED);
	mbedtls_ssl_conf_ca_chain(&b->conf, &b->ca, NULL);
	mbedtls_ssl_conf_tls13_key_exchange_modes(
	    &b->conf, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL |
			  MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_EPHEMERAL);
	EXPECT(mbedtls_ssl_conf_own_cert(&b->conf, &b->cert, &b->key) == 0);
	EXPECT(mbedtls_ssl_ticket_setup(&b->ticket, mbedtls_ctr_drbg_random,
		   &b->drbg, MBEDTLS_CIPHER_AES_256_GCM, 3600) == 0);
	mbedtls_ssl_conf_session_tickets_cb(&b->conf, mbedtls_ssl_ticket_write,
	    mbedtls_ssl_ticket_parse, &b->ticket);
}

static void
bare_free(struct bare *b)
{
	mbedtls_ssl_config_free(&b->conf);
	mbedtls_x509_crt_free(&b->cert);
	mbedtls_x509_crt_free(&b->ca);
	mbedtls_pk_free(&b->key);
	mbedtls_ssl_ticket_free(&b->ticket);
	mbedtls_ctr_drbg_free(&b->drbg);
	mbedtls_entropy_free(&b->entropy);
}

/* One server of either kind in a handshake; its CPU is counted from its
 * making to its end, the client's is not. */
struct side {
	struct wire w;
	struct tls_peer client;
	struct tls_conn *ours;
	mbedtls_ssl_context bare;
	bool is_bare;
	double us;
};

static bool
server_step(struct side *s)
{
	double begun = thread_us();
	bool done;

	if (s->is_bare) {
		done = mbedtls_ssl_handshake(&s->bare) == 0;
	} else {
		struct buf out = { 0 };

		EXPECT_OK(
		    tls_conn_feed(s->ours, bytes_of(s->w.up.p + s->w.up_at,
					       s->w.up.len - s->w.up_at)));
		s->w.up_at = s->w.up.len;
		done = tls_conn_handshake(s->ours) == TLS_OK;
		tls_conn_take(s->ours, &out);
		buf_bytes(&s->w.down, buf_view(&out));
		buf_free(&out);
	}
	s->us += thread_us() - begun;
	return done;
}

/* A whole handshake; `from` is resumed.  The client keeps its ticket. */
static void
shake(struct side *s, struct bare *b, const struct side *from)
{
	uint8_t text[16];
	double begun;
	bool there = false;

	*s = (struct side){ .is_bare = b != NULL };
	buf_init(&s->w.up, 1 << 20);
	buf_init(&s->w.down, 1 << 20);
	tls_peer_init(&s->client, &client_conf, client_send, client_recv, &s->w,
	    from == NULL ? NULL : &from->client);
	begun = thread_us();
	if (b != NULL) {
		mbedtls_ssl_init(&s->bare);
		EXPECT(mbedtls_ssl_setup(&s->bare, &b->conf) == 0);
		mbedtls_ssl_set_bio(
		    &s->bare, &s->w, server_send, server_recv, NULL);
	} else {
		EXPECT_OK(tls_conn_new(&s->ours, fx.device));
	}
	s->us += thread_us() - begun;
	for (int i = 0; i < 10 && !there; i++) {
		EXPECT(tls_peer_handshake(&s->client) >= 0);
		there = server_step(s);
	}
	EXPECT(there);
	for (int i = 0; i < 4 && !s->client.has_saved; i++)
		EXPECT(tls_peer_read(&s->client, text, sizeof(text)) >= 0);
	EXPECT(s->client.has_saved);
	if (b == NULL)
		EXPECT(tls_conn_peer(s->ours)->resumed == (from != NULL));
}

static void
unshake(struct side *s)
{
	double begun = thread_us();

	if (s->is_bare)
		mbedtls_ssl_free(&s->bare);
	else
		tls_conn_free(s->ours);
	s->us += thread_us() - begun;
	tls_peer_free(&s->client);
	buf_free(&s->w.up);
	buf_free(&s->w.down);
}

/* Ours and bare in turn, so that both see the same machine; medians. */
static void
handshakes(const char *name, bool resumed)
{
	double *all[2];
	struct side first[2], s;
	struct bare b;
	double us[2];

	bare_init(&b);
	for (int k = 0; k < 2; k++) {
		all[k] = calloc((size_t)rounds, sizeof(*all[k]));
		assert_non_null(all[k]);
		shake(&first[k], k == 0 ? NULL : &b, NULL);
	}
	for (int i = 0; i < rounds; i++) {
		for (int k = 0; k < 2; k++) {
			shake(
			    &s, k == 0 ? NULL : &b, resumed ? &first[k] : NULL);
			unshake(&s);
			all[k][i] = s.us;
		}
	}
	for (int k = 0; k < 2; k++) {
		us[k] = median(all[k], (size_t)rounds);
		unshake(&first[k]);
		free(all[k]);
	}
	bare_free(&b);
	figure_vs(name, us[0], "us server CPU", us[1], "<= 1.15 x",
	    us[0] <= 1.15 * us[1]);
}

/* The other process: waits for a port, does its work there, says so, and ends
 * when told.  Forked before there are threads. */
struct helper {
	pid_t pid;
	int to, from;
};

typedef void (*work_fn)(uint16_t port, int say, int hear);

static void
helper_start(struct helper *h, work_fn work)
{
	int to[2], from[2];

	EXPECT(pipe(to) == 0 && pipe(from) == 0);
	h->pid = fork();
	EXPECT(h->pid >= 0);
	if (h->pid == 0) {
		uint16_t port;

		(void)close(to[1]);
		(void)close(from[0]);
		if (read(to[0], &port, sizeof(port)) == sizeof(port))
			work(port, from[1], to[0]);
		_exit(0);
	}
	(void)close(to[0]);
	(void)close(from[1]);
	h->to = to[1];
	h->from = from[0];
}

static void
helper_go(struct helper *h, uint16_t port)
{
	EXPECT(write(h->to, &port, sizeof(port)) == sizeof(port));
}

static void
helper_wait(struct helper *h)
{
	char c;

	EXPECT(read(h->from, &c, 1) == 1);
}

static void
helper_end(struct helper *h)
{
	(void)close(h->to);
	(void)waitpid(h->pid, NULL, 0);
	(void)close(h->from);
}

static void
work_idle(uint16_t port, int say, int hear)
{
	struct http_client *c = calloc((size_t)idle_conns, sizeof(*c));
	char x;

	assert_non_null(c);
	for (int i = 0; i < idle_conns; i++) {
		EXPECT(http_client_open_tls(&c[i], port, &client_conf, NULL));
		EXPECT(http_client_ask(&c[i],
			   "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n") == 200);
	}
	EXPECT(write(say, "1", 1) == 1);
	(void)!read(hear, &x, 1);
}

static void
idle_memory(void)
{
	struct helper h;
	struct net_counters n;
	uint64_t rss;
	size_t heap;
	double kib;

	helper_start(&h, work_idle);
	fixture_start(&fx, NULL);
	rss = resident_bytes();
	heap = mallinfo2().uordblks;
	helper_go(&h, net_port(fx.net, FIXTURE_DEVICE));
	helper_wait(&h);
	net_counters(fx.net, &n);
	EXPECT(n.conns_open == (unsigned)idle_conns);
	kib = (double)(resident_bytes() - rss) / 1024 / idle_conns;
	figure_most("net_idle_connection_resident", kib, "KiB", 60);
	kib = (double)(mallinfo2().uordblks - heap) / 1024 / idle_conns;
	figure_most("net_idle_connection_heap", kib, "KiB", 60);
	helper_end(&h);
	fixture_stop(&fx, 2000);
}

static void
work_warm(uint16_t port, int say, int hear)
{
	struct http_client c[WARM_CONNS];
	struct http_answer a;
	char *rq = calloc(1, WARM_BODY + 256);
	size_t len;
	char x;

	assert_non_null(rq);
	len = (size_t)snprintf(rq, WARM_BODY,
	    "POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n",
	    WARM_BODY);
	memset(rq + len, 'x', WARM_BODY);
	len += WARM_BODY;
	for (int i = 0; i < WARM_CONNS; i++)
		EXPECT(http_client_open_tls(&c[i], port, &client_conf, NULL));
	EXPECT(write(say, "1", 1) == 1);
	(void)!read(hear, &x, 1);
	for (int r = 0; r < warm_rounds; r++) {
		for (int i = 0; i < WARM_CONNS; i++)
			EXPECT(http_client_send(&c[i], rq, len));
		for (int i = 0; i < WARM_CONNS; i++) {
			http_client_answer(&c[i], &a, false);
			EXPECT(a.status == 200);
			http_answer_free(&a);
		}
	}
	EXPECT(write(say, "2", 1) == 1);
	(void)!read(hear, &x, 1);
	free(rq);
}

static void
warm_requests(void)
{
	struct helper h;
	double us;

	helper_start(&h, work_warm);
	fixture_start(&fx, NULL);
	helper_go(&h, net_port(fx.net, FIXTURE_DEVICE));
	helper_wait(&h);
	us = cpu_us();
	EXPECT(write(h.to, "g", 1) == 1);
	helper_wait(&h);
	us = cpu_us() - us;
	figure("net_request_4k_warm", us / WARM_CONNS / warm_rounds,
	    "us server CPU");
	helper_end(&h);
	fixture_stop(&fx, 2000);
}

int
main(int argc, char **argv)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max < 4096 ? rl.rlim_max : 4096;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
	if (has_flag(argc, argv, "--quick")) {
		rounds = 3;
		idle_conns = 20;
		warm_rounds = 5;
	}
	fixture_open(&fx);
	fixture_client(&fx, &client_conf, &fx.leaf[0]);
	fx.verdict = IDENTITY_TRUSTED;
	handshakes("net_handshake_full", false);
	handshakes("net_handshake_resumed", true);
	idle_memory();
	warm_requests();
	tls_peer_conf_free(&client_conf);
	fixture_close(&fx);
	return 0;
}
