#ifndef SERVER_NET_NET_H
#define SERVER_NET_NET_H
/*
 * net: the server's listeners and network threads.
 *
 * `threads` loops (libuv), each with a socket of its own for every listener
 * (SO_REUSEPORT: the kernel spreads connections), so a connection lives on one
 * thread from accept to close and needs no lock.  Everything from outside is
 * bounded: connections in all and from one address, time for handshake, head,
 * body, idling and sending, bytes of head and body, output held.  Who is slow,
 * silent or endless is cut, and costs the others nothing.
 *
 * Nothing is printed: what happens is told through `log`, and counted.
 */
#include "server/net/routes.h"

struct net; /* private */

enum {
	NET_LISTENERS_MAX = 4,
	NET_THREADS_MAX = 64,
	NET_ERRMSG_LEN = 256,
	NET_ADDR_LEN = 46 /* an IPv6 address as text */
};

struct net_listen {
	const char *name; /* for the log: "device", "console", "public" */
	const char *host; /* an address, such as "0.0.0.0" or "::1" */
	uint16_t port;    /* 0: any free one, see net_port */
	/*
	 * Borrowed until net_free.  NULL: plain HTTP, allowed on loopback
	 * addresses only (tests, or a proxy on the same machine).
	 */
	struct tls_conf *tls;
	bool lean; /* no Date in answers: every byte counts in the field */
};

struct net_limits {
	unsigned conns_max;          /* open at once, all listeners */
	unsigned conns_per_addr_max; /* open at once from one address */
	unsigned handshake_ms;       /* from accept to the end of handshake */
	unsigned idle_ms;            /* between requests */
	unsigned head_ms;            /* from a head's first byte to its last */
	unsigned body_grace_ms;      /* before the body's rate is looked at */
	unsigned body_rate_min;      /* bytes a second, on average after it */
	unsigned reply_ms;           /* a handler's time to answer; then 503 */
	unsigned send_ms;            /* without any progress in sending */
	unsigned linger_ms;          /* for the peer's end after ours */
	size_t head_bytes_max;       /* at most HTTP_HEAD_BYTES_MAX */
	uint64_t bodies_bytes_max;   /* of all bodies in memory; then 503 */
};

/* Sound values: 20,000 connections, 4,096 an address, 15 s, 120 s … */
void net_limits_default(struct net_limits *out);

enum net_level { NET_DEBUG, NET_INFO, NET_WARN, NET_ERROR };

/* One line of the log.  Pointers are never NULL, valid for the call. */
struct net_log {
	enum net_level level;
	/* "listen" "accept" "limit" "handshake" "refused" "request" "bad"
	 * "timeout" "cut" "close" "stop" */
	const char *event;
	const char *listener;
	const char *addr;
	const char *dev;    /* "" if not known */
	const char *reason; /* words; "" if none */
	const char *method; /* of a request */
	const char *path;   /* of a request; cut at 256 bytes */
	unsigned status;    /* answered; 0 if not */
	uint64_t bytes_in;  /* body */
	uint64_t bytes_out; /* body */
	uint64_t ms;        /* from the head to the end of the answer */
	bool resumed;
};

/* Called on network threads, several at once. */
typedef void (*net_log_fn)(void *arg, const struct net_log *line);

struct net_config {
	const struct port *port; /* borrowed until net_free */
	unsigned threads;        /* 1 … NET_THREADS_MAX */
	struct net_listen listeners[NET_LISTENERS_MAX];
	unsigned listener_count;
	const struct route *routes; /* borrowed until net_free */
	size_t route_count;
	struct net_limits limits;
	net_log_fn log; /* may be NULL */
	void *log_arg;
};

/* Since the start; for /metrics. */
struct net_counters {
	uint64_t conns_open;
	uint64_t conns_accepted;
	uint64_t conns_over_limit; /* refused at accept */
	uint64_t handshakes_full;
	uint64_t handshakes_resumed;
	uint64_t handshakes_failed;
	uint64_t requests;
	uint64_t replies_by_class[6]; /* [2] = 2xx … */
	uint64_t timeouts;
	uint64_t requests_bad; /* not HTTP as it must be */
	uint64_t bytes_in;     /* on the wire */
	uint64_t bytes_out;
	uint64_t requests_open; /* handed to a handler, not yet answered */
};

/*
 * Bind, and start the threads.  On ST_OK connections are already taken.
 * Otherwise `errmsg` says what and why: ST_INVALID (the configuration),
 * ST_CONFLICT (an address is in use, also by another process that would share
 * it), ST_DENIED, ST_NET, ST_NOMEM.
 *
 * *out is set before the first request can come, so that handlers find it
 * there; on failure it is NULL again.
 */
MUST_CHECK enum status net_start(struct net **out, const struct net_config *cfg,
    char errmsg[NET_ERRMSG_LEN]);

/* The port that listener `index` really has. */
uint16_t net_port(const struct net *net, unsigned index);

/*
 * Stop: take no more connections, close idle ones, let requests in flight be
 * answered, then close; after `grace_ms` cut what is left.  Blocks until the
 * threads have ended.  Requests that handlers still hold stay valid and are
 * freed by their answers.  Call once; not from a network thread.
 */
void net_stop(struct net *net, unsigned grace_ms);

/* Free after net_stop.  Freeing NULL does nothing. */
void net_free(struct net *net);

/*
 * Cut every live connection of a device at once, from any thread: after a
 * revocation was logged.  (Without it they end at their next request, where
 * `identity` is asked again.)
 */
void net_cut_device(struct net *net, const char *dev);

void net_counters(const struct net *net, struct net_counters *out);

#endif
