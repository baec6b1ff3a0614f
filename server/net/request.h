#ifndef SERVER_NET_REQUEST_H
#define SERVER_NET_REQUEST_H
/*
 * request: one HTTP request, from its head to its one answer.
 *
 * A handler gets it on the network thread that owns the connection and must
 * see to it that it is answered exactly once by request_reply (or
 * request_error), there and then or later, from any thread.  Until that call
 * everything reachable from it stays valid; from it on nothing does.  The
 * client may be gone in the meantime, or the server stopped: answering is then
 * still required, and only frees.
 *
 * Handlers must not wait: whatever takes a disk goes to another thread.
 */
#include "base/buf.h"
#include "server/net/tls_conf.h"

enum { REQUEST_PARAMS_MAX = 4, REPLY_FIELDS_MAX = 16 };

/* Read-only for handlers, but for `user`. */
struct request {
	const char *method; /* "GET", "POST" … ; "HEAD" arrives as "GET" */
	struct bytes path;  /* as sent, percent-encoded */
	struct bytes query; /* behind '?' */
	/* What the route's {…} and * matched, decoded, in order. */
	struct bytes param[REQUEST_PARAMS_MAX];
	size_t param_count;
	struct bytes body; /* whole; empty for streaming routes */
	struct peer peer;
	const char *addr;          /* the client's address as text, no port */
	unsigned listener;         /* index in net_config.listeners */
	unsigned loop;             /* which network thread: 0 … threads-1 */
	uint64_t received_wall_ms; /* when its last byte came */
	void *user;                /* the handler's own */
};

typedef void (*request_fn)(struct request *rq, void *arg);

/* A header field's value, or an empty range; borrowed until the answer. */
struct bytes request_field(const struct request *rq, const char *name);

/* The decoded value of a query parameter; see http_query_get. */
MUST_CHECK enum status request_query(
    const struct request *rq, struct buf *out, const char *name);

struct reply_field {
	const char *name;
	const char *value; /* no CR or LF */
};

/*
 * An answer's body that never stands whole in memory: the connection asks for
 * a piece whenever it can send more.
 */
struct reply_source {
	/*
	 * On the network thread: give the next piece by request_give, there
	 * and then or later from any thread, exactly once.
	 */
	void (*want)(struct request *rq, void *arg);
	/* Nothing more is wanted: all was sent, or the client is gone.  Once,
	 * from any thread, and never with a piece still to be given. */
	void (*done)(void *arg);
};

struct reply {
	unsigned status;   /* 200 … 599 */
	const char *type;  /* Content-Type; NULL: none */
	struct bytes body; /* copied … */
	struct buf *take;  /* … or, if not NULL, moved away: left empty */
	unsigned retry_after_s; /* 0: none */
	bool close;             /* end the connection after it */
	/* Behind (empty) `body`: source_len bytes, piece by piece. */
	const struct reply_source *source; /* NULL: none */
	void *source_arg;
	uint64_t source_len;
	struct reply_field field[REPLY_FIELDS_MAX];
	size_t field_count;
};

/* Answer.  Everything in `re` is copied (or moved) before it returns. */
void request_reply(struct request *rq, const struct reply *re);

/*
 * The next piece of an answer's body, asked for by `want`; borrowed until the
 * next `want` or `done`.  Empty: it cannot be read any more, and the client is
 * cut off, for the length was promised.
 */
void request_give(struct request *rq, struct bytes piece);

/*
 * Answer with {"error":"word","message":"English","zh":"中文"} (PROTOCOL.md 1)
 * and, if not 0, Retry-After; with 401 `WWW-Authenticate: Bearer`.
 */
void request_error(struct request *rq, unsigned status, const char *word,
    const char *en, const char *zh, unsigned retry_after_s);

/* The same in the words that belong to a status, such as 404. */
void request_status(
    struct request *rq, unsigned status, unsigned retry_after_s);

/*
 * Streaming: a route with a `stream` gets the body piece by piece.  All are
 * called on the network thread of the connection.
 */
struct request_stream {
	/*
	 * The head is complete (no body byte was read).  It may answer at
	 * once, inside the call, to refuse; the rest of the body is then not
	 * read.  Until `handler` is called there is no other way to answer.
	 */
	void (*open)(struct request *rq, void *arg);
	/*
	 * The next bytes, borrowed for the call.  May call request_pause: no
	 * more come until request_resume.  May answer at once, as `open`.
	 */
	void (*data)(struct request *rq, struct bytes in, void *arg);
	/*
	 * The body will not be completed (client gone, timeout, bad chunk).
	 * Everything the handler holds for it goes; no answer is wanted, and
	 * the request is no more on return.
	 */
	void (*aborted)(struct request *rq, void *arg);
	/*
	 * The pause is over, no byte has come since; may answer at once, as
	 * `open`.  A client that waits to be told to go on (Expect) is told
	 * after it.  May be NULL.
	 */
	void (*resumed)(struct request *rq, void *arg);
	/* At the end the route's `handler` is called. */
};

/* On the network thread, inside `open` or `data`. */
void request_pause(struct request *rq);

/*
 * From any thread; every pause is followed by exactly one resume, also where
 * `aborted` was called in between.  No answer is given while paused.
 */
void request_resume(struct request *rq);

#endif
