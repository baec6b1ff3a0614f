#ifndef SERVER_NET_NET_INTERNAL_H
#define SERVER_NET_NET_INTERNAL_H
/*
 * net_internal: what net.c, loop.c, conn.c, conn_http.c and request.c share.
 * Nobody else includes it.
 *
 * Threads.  A loop, its connections and everything they point to belong to the
 * loop's thread.  Other threads reach in through its mailbox alone, which is
 * counted and outlives the loop as long as a handler still holds a request.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "server/net/addrs.h"
#include "server/net/http.h"
#include "server/net/net.h"
#include "server/net/tls_conn.h"

enum {
	LOOP_IN_BYTES = 64 << 10, /* read from a socket at once */
	LOOP_PLAIN_BYTES = TLS_RECORD_MAX,
	CUTS_MAX = 32, /* devices to cut that wait for a loop */
	PATH_LOG_MAX = 256
};

/* Who a request belongs to at the moment. */
enum rq_state {
	RQ_FILLING,   /* the connection's: its body is being gathered */
	RQ_STREAMING, /* the handler's too: the body goes to it in pieces */
	RQ_HANDLED,   /* the handler's: it has to answer */
	RQ_ANSWERED   /* the connection's again: the answer is being sent */
};

enum rq_mail { MAIL_REPLY, MAIL_RESUME, MAIL_GIVE };

struct rq {
	struct request pub;   /* first: handlers hold its address */
	struct mailbox *mail; /* counted */
	struct rq *next;      /* in the mailbox */
	enum rq_mail kind;    /* why it is there */
	/* The rest of this struct is the loop's thread's, but for the answer,
	 * which is written by the thread that answers, before it is mailed. */
	struct conn *conn; /* NULL: the client is gone */
	const struct route *route;
	enum rq_state state;
	struct http_head *head; /* NULL for a request that could not be read */
	struct buf params;
	struct buf body;
	uint64_t body_bytes;
	uint64_t held; /* of them in mail->held */
	uint64_t begun_ms;
	bool paused;
	bool dead;    /* aborted while paused: freed by the resume */
	bool counted; /* in mail->open */
	char addr[NET_ADDR_LEN];
	bool answered; /* by its handler, inside the call to it */
	unsigned status;
	struct buf fields; /* header lines of the answer, CRLF each */
	struct buf answer; /* its body */
	bool close;
	bool go_on; /* the client waits for 100 Continue */
	/* The answer's source, and the piece of it that is being sent. */
	const struct reply_source *source;
	void *source_arg;
	uint64_t source_len, source_left; /* not yet in the output */
	struct bytes piece;
	bool wanting; /* a piece was asked for; `dead` if nobody waits */
};

struct mailbox {
	pthread_mutex_t lock;
	unsigned refs; /* the loop's, and one for each request */
	bool closed;   /* the loop is gone: mail is freed at once */
	uv_async_t *async;
	struct rq *first, *last;
	bool stop;
	unsigned grace_ms;
	char cut[CUTS_MAX][DEV_LEN + 1];
	unsigned cut_count;
	bool cut_all;          /* more than fit */
	_Atomic uint64_t open; /* requests that handlers hold */
	_Atomic uint64_t held; /* bytes of bodies in memory */
};

enum conn_state {
	CONN_HANDSHAKE,
	CONN_READ, /* before a request, or in its head */
	CONN_BODY,
	CONN_WAIT, /* the handler has it */
	CONN_SEND,
	CONN_END,    /* the last bytes are going out */
	CONN_LINGER, /* our side is shut; waiting for the peer's end */
	CONN_CLOSED
};

struct conn {
	uv_tcp_t tcp;
	uv_write_t write;
	uv_shutdown_t shutdown;
	struct loop *loop;
	struct conn *prev, *next; /* of the loop */
	unsigned listener;
	enum conn_state state;
	struct tls_conn *tls; /* NULL on a plain listener */
	struct http_reader *http;
	struct rq *rq;   /* at most one at a time */
	struct buf rest; /* plaintext not yet parsed, from rest_at on */
	size_t rest_at;
	struct buf plain_out; /* output of a plain listener */
	struct buf sending;   /* given to the system, until `write` ends */
	struct buf head_out;  /* of the answer */
	size_t head_at, body_at;
	uint64_t since_ms;   /* when this state, or its clock, began */
	uint64_t rate_bytes; /* of the body, since since_ms */
	uint64_t write_since_ms;
	size_t write_len;
	bool write_busy;
	bool reading;
	bool peer_ended; /* no more input will come */
	bool in_head;    /* since_ms is that of the head's first byte */
	bool close_after;
	bool no_body; /* HEAD, 204 or 304: the answer's body is not sent */
	bool pumping;
	uint8_t addr_key[ADDR_KEY_LEN];
	char addr[NET_ADDR_LEN];
};

/* Counters of one loop; read by others. */
struct tally {
	_Atomic uint64_t accepted, over_limit, full, resumed, failed, requests,
	    by_class[6], timeouts, bad, bytes_in, bytes_out;
};

struct loop {
	struct net *net;
	unsigned index;
	uv_loop_t uv;
	uv_async_t async;
	uv_timer_t tick;
	uv_tcp_t listen[NET_LISTENERS_MAX];
	pthread_t thread;
	bool made, running;
	struct mailbox *mail;
	struct conn *conns;
	bool stopping;
	bool ended; /* its own handles are being closed */
	uint64_t stop_at_ms;
	uint64_t limit_log_ms; /* when "limit" was last said */
	uint64_t limit_unsaid;
	struct tally tally;
	char in[LOOP_IN_BYTES];
	uint8_t plain[LOOP_PLAIN_BYTES];
};

struct net {
	struct net_config cfg;
	struct addrs *addrs;
	_Atomic unsigned open; /* connections */
	uint16_t port[NET_LISTENERS_MAX];
	unsigned loop_count;
	bool stopped;
	struct loop loop[];
};

/* request.c */
struct rq *rq_new(struct conn *c); /* NULL: no memory */
void rq_free(struct rq *r);
/* Count that many more bytes of its body; false: over the loop's share. */
bool rq_hold(struct rq *r, uint64_t bytes);
/* The request whose handler this thread is in; answers to it stay here. */
extern _Thread_local struct rq *rq_dispatching;
void rq_answer_status(struct rq *r, unsigned status, unsigned retry_after_s);

struct mailbox *mailbox_new(uv_async_t *async);
void mailbox_unref(struct mailbox *m);
void mailbox_close(struct mailbox *m);

/* loop.c */
enum status loop_init(struct loop *l, struct net *net, unsigned index);
void *loop_run(void *loop); /* a thread's main function */
/* Close what loop_init opened, when the thread was never started. */
void loop_abandon(struct loop *l);
uint64_t loop_now(const struct loop *l);
/* A connection is gone: perhaps it was the last before the end. */
void loop_check_end(struct loop *l);
void net_say(const struct net *net, const struct net_log *line);

/* conn.c */
void conn_accept(uv_stream_t *server, int status);
void conn_pump(struct conn *c);
void conn_close(struct conn *c, const char *why);
void conn_end(struct conn *c);
void conn_sweep(struct conn *c, uint64_t now);
void conn_log(const struct conn *c, enum net_level level, const char *event,
    const char *reason);
/* Put plaintext into the output; false when it is full or broken. */
bool conn_put(struct conn *c, struct bytes *in);

/* conn_http.c */
/* One step with input in hand; uses what it can of *in. */
void conn_http_input(struct conn *c, struct bytes *in);
/* The answer of c->rq stands: begin to send it. */
void conn_http_answer(struct conn *c);
/* Send more of it; true once all is in the output. */
bool conn_http_send(struct conn *c);
/* A pause is over: let the handler answer, or the client go on. */
void conn_http_resumed(struct conn *c);
/* Answer by ourselves, and end the connection. */
void conn_http_refuse(struct conn *c, unsigned status, const char *why);
/* The client is gone, or cut: let go of the request. */
void conn_http_abandon(struct conn *c);

void tally_add(_Atomic uint64_t *counter, uint64_t n);

#endif
