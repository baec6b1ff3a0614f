/*
 * The network load: 100 devices on warm connections under mutual TLS send
 * pieces of 50 entries to the real daybreak-server, each the next as soon as
 * the last is acknowledged.  Every answer is checked afterwards as an agent
 * would: the log's signature, the ack, the inclusion of the piece's last link;
 * so "acknowledged" means durable and in the tree.
 *
 * Beside it in the same run, half before and half after: bare SQLite inserting
 * the same bytes in transactions of 500 on the same disk.  Requests are made,
 * signed and compressed, before the clock starts, so that the load is TLS
 *alone. The devices have no colleagues: nothing but receipts goes down.
 *
 * Then the same devices send at a steady rate, as a province in the morning
 * would at most: how far behind are lists then?
 *
 *	bench_load [--quick] [ENTRIES [RATE]]
 *
 * The files stand below $TMPDIR: what the disk does is part of the figure.
 */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bench/support/figure.h"
#include "bench/support/officer.h"
#include "db/db.h"
#include "support/expect.h"
#include "support/http_client.h"

enum {
	BARE_ROWS = 500,
	SAMPLE_MS = 20,
	SAMPLES_MAX = 100000,
	DEVICES_MAX = 100,
	RATE = 20000, /* entries a second */
	STEADY_SECONDS = 5
};

/* One request, and what came of it. */
struct turn {
	struct buf request, answer;
	struct officer_piece sent; /* its bytes are for bare SQLite too */
	uint64_t last;
};

struct client {
	struct officer officer;
	struct tls_peer_conf conf;
	struct http_client http;
	uint64_t size; /* the checkpoint it knows */
	uint8_t root[HASH_LEN];
	struct turn *turn;
	size_t next; /* to be sent */
};

static struct {
	struct centre_proc centre;
	struct client client[DEVICES_MAX];
	size_t clients, turns; /* of each, all that are made … */
	size_t burst;          /* … and sent as fast as they are taken */
	struct wire_codec *codec;
	struct sync_msg *msg;
	struct db *bare;
	uint64_t bare_next;
} ld;

/* ---- how far the projections are behind */

static struct {
	pthread_t thread;
	_Atomic bool stop;
	struct sample {
		double at_us, size, position, fed, words;
	} sample[SAMPLES_MAX];
	size_t count;
} lag;

static double
metric(const struct buf *b, const char *name)
{
	const char *at = memmem(b->p, b->len, name, strlen(name));

	EXPECT(at != NULL);
	return strtod(at + strlen(name), NULL);
}

static void *
watch(void *arg)
{
	char ask[128];
	struct http_client *c = arg;
	struct timespec pause = { .tv_nsec = SAMPLE_MS * 1000000L };

	(void)snprintf(ask, sizeof(ask),
	    "GET /metrics HTTP/1.1\r\nHost: a\r\n"
	    "Authorization: Bearer %s\r\n\r\n",
	    bench_token);
	while (!lag.stop && lag.count < SAMPLES_MAX) {
		struct sample *s = &lag.sample[lag.count++];
		struct http_answer a;

		EXPECT(http_client_text(c, ask));
		http_client_answer(c, &a, false);
		EXPECT(a.status == 200);
		s->at_us = wall_us();
		s->size = metric(&a.body, "\ndaybreak_log_size ");
		s->position =
		    s->size - metric(&a.body, "\ndaybreak_projection_lag ");
		s->fed = s->size - metric(&a.body, "\ndaybreak_feed_lag ");
		s->words = metric(&a.body, "\ndaybreak_words_waiting ");
		http_answer_free(&a);
		(void)nanosleep(&pause, NULL);
	}
	return NULL;
}

/* The longest that an entry waited among the samples from the i-th on: from
 * when the log was first seen longer than a position to when what follows it
 * still stood there. */
static double
longest_lag_us(size_t from, bool feed)
{
	double most = 0;

	for (size_t i = from, j = from; i < lag.count; i++) {
		const struct sample *s = &lag.sample[i];
		double position = feed ? s->fed : s->position;

		while (j < i && lag.sample[j].size <= position)
			j++;
		if (s->size > position && s->at_us - lag.sample[j].at_us > most)
			most = s->at_us - lag.sample[j].at_us;
	}
	return most;
}

/* ---- making requests */

/* Head and body of a request, as agent/core/uplink_curl sends them. */
static void
put_request(struct buf *out, struct bytes body)
{
	buf_printf(out,
	    "POST /v1/sync HTTP/1.1\r\nHost: centre.daybreak.internal\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    body.len);
	buf_bytes(out, body);
	EXPECT_OK(out->err);
}

static void
put_sync(struct client *c, struct wire_piece *piece, struct buf *out)
{
	struct wire_cursor own = { .place = c->size };
	struct sync_up up = { .piece = piece,
		.piece_count = piece != NULL,
		.cursor = &own,
		.cursor_count = 1,
		.has_checkpoint = c->size > 0,
		.size = c->size };
	struct buf frame;

	memcpy(up.root16, c->root, ID_LEN);
	buf_init(&frame, FRAME_WIRE_BYTES_MAX);
	EXPECT_OK(sync_up_encode(
	    ld.codec, wire_dict_newest(ld.codec), bench_court, &up, &frame));
	put_request(out, buf_view(&frame));
	buf_free(&frame);
}

static void
make_turn(struct client *c, struct turn *t)
{
	officer_write(&c->officer, &t->sent);
	t->last = c->officer.m.seq;
	buf_init(&t->request, FRAME_WIRE_BYTES_MAX);
	buf_init(&t->answer, FRAME_WIRE_BYTES_MAX);
	put_sync(c, &t->sent.piece, &t->request);
}

/* ---- asking */

/* The body of a whole answer that stands in `got`; false if there is more to
 * come. */
static bool
whole_answer(const struct buf *got, struct bytes *body)
{
	const char *end = memmem(got->p, got->len, "\r\n\r\n", 4), *cl;
	size_t head, len;

	if (end == NULL)
		return false;
	head = (size_t)(end + 4 - (const char *)got->p);
	EXPECT(memcmp(got->p, "HTTP/1.1 200 ", 13) == 0);
	cl = memmem(got->p, head, "Content-Length: ", 16);
	EXPECT(cl != NULL);
	len = strtoul(cl + 16, NULL, 10);
	if (got->len < head + len)
		return false;
	*body = bytes_of(got->p + head, len);
	return true;
}

/* What the first sync tells: the newest checkpoint. */
static void
join(struct client *c)
{
	struct http_answer a;
	struct buf rq;
	struct checkpoint tip;
	static const char ask[] = "GET /checkpoint HTTP/1.1\r\nHost: a\r\n\r\n";

	EXPECT(http_client_text(&c->http, ask));
	http_client_answer(&c->http, &a, false);
	EXPECT(a.status == 200);
	EXPECT_OK(checkpoint_open(&tip, buf_view(&a.body), &ld.centre.log));
	http_answer_free(&a);
	c->size = tip.size;
	memcpy(c->root, tip.root, HASH_LEN);
	buf_init(&rq, FRAME_WIRE_BYTES_MAX);
	put_sync(c, NULL, &rq);
	EXPECT(http_client_send(&c->http, rq.p, rq.len));
	http_client_answer(&c->http, &a, false);
	EXPECT(a.status == 200);
	http_answer_free(&a);
	buf_free(&rq);
}

static void
send_next(struct client *c)
{
	struct turn *t = &c->turn[c->next++];

	EXPECT(http_client_send(&c->http, t->request.p, t->request.len));
}

/* Take what came; true once the answer to the last request is whole. */
static bool
take(struct client *c)
{
	uint8_t chunk[16384];
	struct bytes body;
	int n;

	while ((n = tls_peer_read(&c->http.tls, chunk, sizeof(chunk))) > 0)
		buf_add(&c->http.got, chunk, (size_t)n);
	EXPECT(n == 0);
	EXPECT_OK(c->http.got.err);
	if (!whole_answer(&c->http.got, &body))
		return false;
	buf_bytes(&c->turn[c->next - 1].answer, body);
	buf_reset(&c->http.got);
	return true;
}

/* When the n-th request may go; at once without a rate. */
static bool
is_due(double begun, size_t n, double rate)
{
	return rate == 0 ||
	       wall_us() - begun >= (double)(n * OFFICER_PIECE) * 1e6 / rate;
}

/* All clients send their turns up to `until`; rate 0: each the next as soon as
 * it is answered, else so many entries a second of all of them. */
static void
load(size_t until, double rate)
{
	static struct pollfd fd[DEVICES_MAX];
	static bool idle[DEVICES_MAX];
	double begun = wall_us();
	size_t busy = ld.clients, sent = 0, next = 0;

	for (size_t i = 0; i < ld.clients; i++) {
		fd[i].fd = ld.client[i].http.fd;
		fd[i].events = POLLIN;
		idle[i] = true;
	}
	while (busy > 0) {
		for (size_t n = 0; n < ld.clients; n++) {
			size_t i = (next + n) % ld.clients;

			if (!idle[i] || ld.client[i].next == until)
				continue;
			if (!is_due(begun, sent, rate)) {
				next = i;
				break;
			}
			send_next(&ld.client[i]);
			idle[i] = false;
			sent++;
		}
		EXPECT(poll(fd, ld.clients,
			   rate == 0 ? HTTP_CLIENT_WAIT_MS : 1) >= 0);
		for (size_t i = 0; i < ld.clients; i++) {
			struct client *c = &ld.client[i];

			if (fd[i].fd < 0 || fd[i].revents == 0 || !take(c))
				continue;
			idle[i] = true;
			if (c->next == until) {
				fd[i].fd = -1;
				busy--;
			}
		}
	}
}

/* ---- the same bytes without us */

static void
bare_open(void)
{
	struct db_config dc = { .create = true,
		.path = tmpdir_file(&ld.centre.dir, "bare.db") };

	EXPECT_OK(db_open(&ld.bare, &dc));
	EXPECT_OK(db_exec(ld.bare,
	    "CREATE TABLE t(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)"));
}

/* Before the load and after it, half each: both see the same disk. */
static double
bare_half(size_t from, size_t until)
{
	double begun = wall_us();
	size_t rows = 0;

	for (size_t k = from; k < until; k++) {
		for (size_t i = 0; i < ld.clients; i++) {
			const struct turn *t = &ld.client[i].turn[k];

			for (size_t j = 0; j < OFFICER_PIECE; j++) {
				struct db_stmt *s;

				if (rows++ % BARE_ROWS == 0)
					EXPECT_OK(db_begin(ld.bare));
				EXPECT_OK(db_query(&s, ld.bare,
				    "INSERT INTO t(id, bytes) VALUES(?1, ?2)"));
				db_bind_u64(s, 1, ld.bare_next++);
				db_bind_bytes(s, 2, t->sent.entry[j].raw);
				EXPECT_OK(db_run(s));
				if (rows % BARE_ROWS == 0)
					EXPECT_OK(db_commit(ld.bare));
			}
		}
	}
	if (rows % BARE_ROWS != 0)
		EXPECT_OK(db_commit(ld.bare));
	return wall_us() - begun;
}

/* ---- what the answers say */

static void
check_turn(const struct client *c, const struct turn *t)
{
	const struct sync_down *down;
	const char *why = "";
	struct checkpoint tip;
	uint8_t leaf[HASH_LEN];
	uint32_t dict;

	EXPECT_OK(sync_down_decode(ld.codec, ld.msg, bench_court,
	    buf_view(&t->answer), &down, &dict, &why));
	EXPECT(down->ack_count == 1 && down->ack[0].status == ACK_TAKEN);
	EXPECT(down->ack[0].seq == t->last && down->receipt_count == 1);
	EXPECT(down->receipt[0].seq == t->last);
	EXPECT_OK(checkpoint_open(&tip, down->note, &ld.centre.log));
	merkle_leaf(leaf, bytes_of(t->sent.link, HASH_LEN));
	EXPECT_OK(merkle_check_inclusion(&down->receipt[0].proof,
	    down->receipt[0].place, tip.size, leaf, tip.root));
	EXPECT_OK(merkle_check_consistency(
	    &down->consistency, c->size, c->root, tip.size, tip.root));
}

/* ---- all of it */

static void
open_clients(void)
{
	struct officer *o = calloc(ld.clients, sizeof(*o));

	EXPECT(o != NULL);
	centre_proc_make(&ld.centre);
	officers_enrol(&ld.centre, o, ld.clients);
	(void)centre_proc_start(&ld.centre);
	EXPECT_OK(wire_codec_new(&ld.codec));
	EXPECT_OK(sync_msg_new(&ld.msg));
	for (size_t i = 0; i < ld.clients; i++) {
		struct client *c = &ld.client[i];
		struct tls_peer_settings s = { .ca_der =
						   buf_view(&ld.centre.ca) };

		c->officer = o[i];
		s.cert_der = buf_view(&c->officer.id.cert);
		s.key_der = buf_view(&c->officer.id.tls_key);
		tls_peer_conf_init(&c->conf, &s);
		EXPECT(http_client_open_tls(
		    &c->http, ld.centre.devices, &c->conf, NULL));
		join(c);
		c->turn = calloc(ld.turns, sizeof(*c->turn));
		EXPECT(c->turn != NULL);
		for (size_t k = 0; k < ld.turns; k++)
			make_turn(c, &c->turn[k]);
	}
	free(o);
	bare_open();
}

static void
close_clients(void)
{
	for (size_t i = 0; i < ld.clients; i++) {
		struct client *c = &ld.client[i];

		for (size_t k = 0; k < ld.turns; k++) {
			buf_free(&c->turn[k].request);
			buf_free(&c->turn[k].answer);
			officer_piece_free(&c->turn[k].sent);
		}
		free(c->turn);
		http_client_close(&c->http);
		tls_peer_conf_free(&c->conf);
		officer_free(&c->officer);
	}
	sync_msg_free(ld.msg);
	wire_codec_free(ld.codec);
	db_close(ld.bare);
}

/* Wait until the projections have followed all, and the words are indexed;
 * what that took after the load's end. */
static void
wait_caught_up(double *lists_us, double *words_us)
{
	struct timespec pause = { .tv_nsec = SAMPLE_MS * 1000000L };
	double begun = wall_us();
	size_t from = lag.count;

	*lists_us = 0;
	for (;;) {
		size_t n = lag.count;
		const struct sample *s = &lag.sample[n < 2 ? 0 : n - 2];

		(void)nanosleep(&pause, NULL);
		if (n < from + 3 || s->position < s->size)
			continue;
		if (*lists_us == 0)
			*lists_us = wall_us() - begun;
		*words_us = wall_us() - begun;
		if (s->words == 0)
			return;
	}
}

/* What was measured of the burst, and of the steady load behind it. */
struct measured {
	struct centre_cpu was, loaded, end;
	double us, own_us, lag_us, feed_lag_us, lists_us, words_us;
	double bare_us, rate, steady_us, steady_rate;
};

static void
say(const struct measured *m)
{
	double n = (double)(ld.clients * ld.burst * OFFICER_PIECE), bytes = 0;
	const struct centre_cpu *was = &m->was, *ld_ = &m->loaded, *e = &m->end;
	double rate = n * 1e6 / m->us, bare = n * 1e6 / m->bare_us;
	double us = ld_->net - was->net + ld_->work - was->work + ld_->commit -
		    was->commit + ld_->other - was->other;

	for (size_t i = 0; i < ld.clients; i++)
		for (size_t k = 0; k < ld.burst; k++)
			bytes += (double)ld.client[i].turn[k].sent.bytes.len;
	figure("load_entry_bytes", bytes / n, "bytes");
	figure_vs("load_ingest_rate", rate, "entries/s", bare,
	    ">= 40000, or >= 0.5 x", rate >= 40000 || rate >= 0.5 * bare);
	figure_most("load_ingest_cpu", us / n, "us/entry", 30);
	figure("load_ingest_cpu_net", (ld_->net - was->net) / n, "us/entry");
	figure("load_ingest_cpu_work", (ld_->work - was->work) / n, "us/entry");
	figure("load_ingest_cpu_commit", (ld_->commit - was->commit) / n,
	    "us/entry");
	figure("load_generator_cpu", m->own_us / n, "us/entry");
	figure("load_feed_cpu", (e->feed - was->feed) / n, "us/entry");
	figure_most("load_projection_cpu",
	    (e->feed - was->feed + e->project - was->project) / n, "us/entry",
	    150);
	figure("load_feed_lag", m->feed_lag_us / 1e6, "s");
	figure_most("load_projection_lag", m->lag_us / 1e6, "s", 1);
	figure("load_lists_after", m->lists_us / 1e6, "s");
	figure("load_words_after", m->words_us / 1e6, "s");
	figure("steady_rate", m->steady_rate, "entries/s");
	figure_most("steady_projection_lag", m->steady_us / 1e6, "s", 1);
}

static double
bare_turns(size_t from, size_t until)
{
	return from < until ? bare_half(from, until) : 0;
}

static void
measure(struct measured *m, double rate)
{
	size_t from;
	double us, ignored;

	centre_proc_cpu(&ld.centre, &m->was);
	m->bare_us = bare_turns(0, ld.burst / 2);
	us = cpu_us();
	m->us = wall_us();
	load(ld.burst, 0);
	m->us = wall_us() - m->us;
	m->own_us = cpu_us() - us;
	centre_proc_cpu(&ld.centre, &m->loaded);
	wait_caught_up(&m->lists_us, &m->words_us);
	centre_proc_cpu(&ld.centre, &m->end);
	m->lag_us = longest_lag_us(0, false);
	m->feed_lag_us = longest_lag_us(0, true);
	m->bare_us += bare_turns(ld.burst / 2, ld.burst);
	from = lag.count;
	us = wall_us();
	load(ld.turns, rate);
	m->steady_rate =
	    (double)((ld.turns - ld.burst) * ld.clients * OFFICER_PIECE) * 1e6 /
	    (wall_us() - us);
	wait_caught_up(&ignored, &ignored);
	m->steady_us = longest_lag_us(from, false);
}

int
main(int argc, char **argv)
{
	bool quick = has_flag(argc, argv, "--quick");
	uint64_t entries = number_arg(argc, argv, 1, quick ? 400 : 200000);
	uint64_t rate = number_arg(argc, argv, 2, quick ? 1000 : RATE);
	struct tls_peer_settings s = { .ca_der = { NULL, 0 } };
	struct tls_peer_conf console_conf;
	struct http_client console;
	struct measured m = { .us = 0 };
	size_t round;

	ld.clients = quick ? 2 : DEVICES_MAX;
	round = ld.clients * OFFICER_PIECE;
	ld.burst = (entries + round - 1) / round;
	ld.turns = ld.burst + (quick ? 2 : rate * STEADY_SECONDS / round);
	open_clients();
	s.ca_der = buf_view(&ld.centre.ca);
	tls_peer_conf_init(&console_conf, &s);
	EXPECT(http_client_open_tls(
	    &console, ld.centre.console, &console_conf, NULL));
	EXPECT(pthread_create(&lag.thread, NULL, watch, &console) == 0);
	measure(&m, (double)rate);
	lag.stop = true;
	(void)pthread_join(lag.thread, NULL);
	http_client_close(&console);
	tls_peer_conf_free(&console_conf);
	centre_proc_stop(&ld.centre);
	for (size_t i = 0; i < ld.clients; i++)
		for (size_t k = 0; k < ld.turns; k++)
			check_turn(&ld.client[i], &ld.client[i].turn[k]);
	say(&m);
	close_clients();
	centre_proc_remove(&ld.centre);
	return 0;
}
