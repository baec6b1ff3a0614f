#ifndef SERVER_NET_ROUTES_H
#define SERVER_NET_ROUTES_H
/*
 * routes: which handler gets which request, as a table.
 *
 * A pattern is a path of segments: `/v1/records/{rec}/state`.  `{x}` matches
 * exactly one segment that is not empty, decoded into the request's params; a
 * last segment `*` matches all that follows, one or more segments, decoded.
 * Segments that decode to "." or "..", or that hold an encoded '/', match
 * nothing.  The first row that matches wins.
 */
#include "server/net/request.h"

/* A body above that is streamed, never held in memory. */
enum { ROUTE_BODY_MAX = 64 << 20 };

struct route {
	const char *method; /* "GET" (answers HEAD too), "POST" … */
	const char *pattern;
	unsigned listeners; /* mask: 1 << index of net_config.listeners */
	unsigned peers;     /* mask of enum peer_role; 0: any */
	uint64_t body_max;  /* bytes; above: 413 */
	request_fn handler;
	void *arg;
	const struct request_stream *stream; /* NULL: body whole in memory */
};

/* What a look-up found. */
struct route_match {
	const struct route *route; /* NULL: see status */
	unsigned status;           /* 200, 403, 404 or 405 */
	char allow[64];            /* at 405: the methods there are */
	struct bytes param[REQUEST_PARAMS_MAX]; /* into params */
	size_t param_count;
};

/*
 * Find the row for a request.  Decoded params are put into `params`, which must
 * outlive `out` and is reset first; HEAD is looked up as GET.  ST_OK with
 * out->status 404, 405, or 403 (a row is there, not for this peer);
 * ST_INVALID if the path cannot be decoded (400); ST_NOMEM.
 */
MUST_CHECK enum status routes_find(struct route_match *out, struct buf *params,
    const struct route *table, size_t count, const char *method,
    struct bytes path, unsigned listener, enum peer_role role);

/*
 * True if a table can be served: known methods, patterns that begin with '/',
 * at most REQUEST_PARAMS_MAX params, a handler in each row, no body above
 * ROUTE_BODY_MAX unless it is streamed.
 */
bool routes_valid(const struct route *table, size_t count);

#endif
