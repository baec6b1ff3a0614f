#include "bench/support/load.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bench/support/figure.h"
#include "support/expect.h"

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
put_sync(struct load *ld, struct load_client *c, struct wire_piece *piece,
    struct buf *out)
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
	    ld->codec, wire_dict_newest(ld->codec), bench_court, &up, &frame));
	put_request(out, buf_view(&frame));
	buf_free(&frame);
}

static void
make_turn(struct load *ld, struct load_client *c, struct load_turn *t)
{
	officer_write(&c->officer, &t->sent);
	t->last = c->officer.m.seq;
	buf_init(&t->request, FRAME_WIRE_BYTES_MAX);
	buf_init(&t->answer, FRAME_WIRE_BYTES_MAX);
	put_sync(ld, c, &t->sent.piece, &t->request);
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
join(struct load *ld, struct load_client *c)
{
	struct http_answer a;
	struct buf rq;
	struct checkpoint tip;
	static const char ask[] = "GET /checkpoint HTTP/1.1\r\nHost: a\r\n\r\n";

	EXPECT(http_client_text(&c->http, ask));
	http_client_answer(&c->http, &a, false);
	EXPECT(a.status == 200);
	EXPECT_OK(checkpoint_open(&tip, buf_view(&a.body), &ld->centre.log));
	http_answer_free(&a);
	c->size = tip.size;
	memcpy(c->root, tip.root, HASH_LEN);
	buf_init(&rq, FRAME_WIRE_BYTES_MAX);
	put_sync(ld, c, NULL, &rq);
	EXPECT(http_client_send(&c->http, rq.p, rq.len));
	http_client_answer(&c->http, &a, false);
	EXPECT(a.status == 200);
	http_answer_free(&a);
	buf_free(&rq);
}

static void
send_next(struct load_client *c)
{
	struct load_turn *t = &c->turn[c->next++];

	EXPECT(http_client_send(&c->http, t->request.p, t->request.len));
}

/* Take what came; true once the answer to the last request is whole. */
static bool
take(struct load_client *c)
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

void
load_run(struct load *ld, size_t until, double rate)
{
	static struct pollfd fd[LOAD_CLIENTS_MAX];
	static bool idle[LOAD_CLIENTS_MAX];
	double begun = wall_us();
	size_t busy = ld->clients, sent = 0, next = 0;

	for (size_t i = 0; i < ld->clients; i++) {
		fd[i].fd = ld->client[i].http.fd;
		fd[i].events = POLLIN;
		idle[i] = true;
	}
	while (busy > 0) {
		for (size_t n = 0; n < ld->clients; n++) {
			size_t i = (next + n) % ld->clients;

			if (!idle[i] || ld->client[i].next == until)
				continue;
			if (!is_due(begun, sent, rate)) {
				next = i;
				break;
			}
			send_next(&ld->client[i]);
			idle[i] = false;
			sent++;
		}
		EXPECT(poll(fd, ld->clients,
			   rate == 0 ? HTTP_CLIENT_WAIT_MS : 1) >= 0);
		for (size_t i = 0; i < ld->clients; i++) {
			struct load_client *c = &ld->client[i];

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

/* ---- what the answers say */

static void
check_turn(
    struct load *ld, const struct load_client *c, const struct load_turn *t)
{
	const struct sync_down *down;
	const char *why = "";
	struct checkpoint tip;
	uint8_t leaf[HASH_LEN];
	uint32_t dict;

	EXPECT_OK(sync_down_decode(ld->codec, ld->msg, bench_court,
	    buf_view(&t->answer), &down, &dict, &why));
	EXPECT(down->ack_count == 1 && down->ack[0].status == ACK_TAKEN);
	EXPECT(down->ack[0].seq == t->last && down->receipt_count == 1);
	EXPECT(down->receipt[0].seq == t->last);
	EXPECT_OK(checkpoint_open(&tip, down->note, &ld->centre.log));
	merkle_leaf(leaf, bytes_of(t->sent.link, HASH_LEN));
	EXPECT_OK(merkle_check_inclusion(&down->receipt[0].proof,
	    down->receipt[0].place, tip.size, leaf, tip.root));
	EXPECT_OK(merkle_check_consistency(
	    &down->consistency, c->size, c->root, tip.size, tip.root));
}

void
load_check(struct load *ld)
{
	for (size_t i = 0; i < ld->clients; i++)
		for (size_t k = 0; k < ld->turns; k++)
			check_turn(ld, &ld->client[i], &ld->client[i].turn[k]);
}

/* ---- all of it */

void
load_open(struct load *ld)
{
	struct officer *o = calloc(ld->clients, sizeof(*o));

	EXPECT(o != NULL);
	centre_proc_make(&ld->centre);
	officers_enrol(&ld->centre, o, ld->clients);
	(void)centre_proc_start(&ld->centre);
	EXPECT_OK(wire_codec_new(&ld->codec));
	EXPECT_OK(sync_msg_new(&ld->msg));
	for (size_t i = 0; i < ld->clients; i++) {
		struct load_client *c = &ld->client[i];
		struct tls_peer_settings s = { .ca_der =
						   buf_view(&ld->centre.ca) };

		c->officer = o[i];
		s.cert_der = buf_view(&c->officer.id.cert);
		s.key_der = buf_view(&c->officer.id.tls_key);
		tls_peer_conf_init(&c->conf, &s);
		EXPECT(http_client_open_tls(
		    &c->http, ld->centre.devices, &c->conf, NULL));
		join(ld, c);
		c->turn = calloc(ld->turns, sizeof(*c->turn));
		EXPECT(c->turn != NULL);
		for (size_t k = 0; k < ld->turns; k++)
			make_turn(ld, c, &c->turn[k]);
	}
	free(o);
}

void
load_close(struct load *ld)
{
	for (size_t i = 0; i < ld->clients; i++) {
		struct load_client *c = &ld->client[i];

		for (size_t k = 0; k < ld->turns; k++) {
			buf_free(&c->turn[k].request);
			buf_free(&c->turn[k].answer);
			officer_piece_free(&c->turn[k].sent);
		}
		free(c->turn);
		http_client_close(&c->http);
		tls_peer_conf_free(&c->conf);
		officer_free(&c->officer);
	}
	sync_msg_free(ld->msg);
	wire_codec_free(ld->codec);
	centre_proc_remove(&ld->centre);
}
