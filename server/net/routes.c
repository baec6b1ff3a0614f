#include "server/net/routes.h"

#include <stdio.h>
#include <string.h>

#include "server/net/http.h"

enum { METHODS_COUNT = 6 };

static const char *const methods[METHODS_COUNT] = { "GET", "POST", "PUT",
	"PATCH", "DELETE", "OPTIONS" };

/* What a pattern matched, still percent-encoded. */
struct raw_match {
	struct bytes param[REQUEST_PARAMS_MAX];
	bool tail[REQUEST_PARAMS_MAX]; /* by `*`: may hold '/' */
	size_t count;
};

/* The segment at the front, its leading '/' taken off. */
static bool
next_segment(struct bytes *seg, struct bytes *path)
{
	const uint8_t *slash;

	if (path->len == 0 || path->p[0] != '/')
		return false;
	path->p++;
	path->len--;
	slash = path->len == 0 ? NULL : memchr(path->p, '/', path->len);
	seg->p = path->p;
	seg->len = slash == NULL ? path->len : (size_t)(slash - path->p);
	path->p += seg->len;
	path->len -= seg->len;
	return true;
}

static bool
match(struct raw_match *out, const char *pattern, struct bytes path)
{
	struct bytes pat = bytes_str(pattern), want, seg;

	out->count = 0;
	while (next_segment(&want, &pat)) {
		if (bytes_eq_str(want, "*")) {
			if (path.len < 2 || path.p[0] != '/')
				return false;
			out->tail[out->count] = true;
			out->param[out->count++] =
			    bytes_of(path.p + 1, path.len - 1);
			return true;
		}
		if (!next_segment(&seg, &path))
			return false;
		if (want.len > 2 && want.p[0] == '{') {
			if (seg.len == 0)
				return false;
			out->tail[out->count] = false;
			out->param[out->count++] = seg;
		} else if (!bytes_eq(want, seg)) {
			return false;
		}
	}
	return path.len == 0;
}

/* Nothing that a file system or another reader would take for a way up. */
static bool
segment_safe(struct bytes seg)
{
	return seg.len > 0 && !bytes_eq_str(seg, ".") &&
	       !bytes_eq_str(seg, "..") && memchr(seg.p, '/', seg.len) == NULL;
}

/*
 * Decode one param segment by segment onto `out`.  ST_ABSENT: it must not
 * match anything.
 */
static enum status
decode(struct buf *out, struct bytes raw, bool tail)
{
	for (;;) {
		const uint8_t *slash =
		    tail ? memchr(raw.p, '/', raw.len) : NULL;
		struct bytes seg = raw;
		size_t from = out->len;
		enum status st;

		if (slash != NULL)
			seg.len = (size_t)(slash - raw.p);
		st = http_percent_decode(out, seg, false);
		if (st != ST_OK)
			return st;
		if (out->len == from ||
		    !segment_safe(bytes_of(out->p + from, out->len - from)))
			return ST_ABSENT;
		if (slash == NULL)
			return ST_OK;
		buf_u8(out, '/');
		raw.p = slash + 1;
		raw.len -= seg.len + 1;
		if (raw.len == 0)
			return ST_ABSENT;
	}
}

static enum status
decode_all(
    struct route_match *out, struct buf *params, const struct raw_match *raw)
{
	size_t from[REQUEST_PARAMS_MAX], to[REQUEST_PARAMS_MAX];

	for (size_t i = 0; i < raw->count; i++) {
		enum status st;

		from[i] = params->len;
		st = decode(params, raw->param[i], raw->tail[i]);
		if (st != ST_OK)
			return st;
		to[i] = params->len;
	}
	/* The buffer has stopped moving. */
	for (size_t i = 0; i < raw->count; i++)
		out->param[i] = bytes_of(params->p + from[i], to[i] - from[i]);
	out->param_count = raw->count;
	return ST_OK;
}

static void
allow_add(struct route_match *out, const char *method)
{
	size_t len = strlen(out->allow);

	if (strstr(out->allow, method) != NULL)
		return;
	(void)snprintf(out->allow + len, sizeof(out->allow) - len, "%s%s%s",
	    len == 0 ? "" : ", ", method,
	    strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

enum status
routes_find(struct route_match *out, struct buf *params,
    const struct route *table, size_t count, const char *method,
    struct bytes path, unsigned listener, enum peer_role role)
{
	struct raw_match raw;

	*out = (struct route_match){ .status = 404 };
	if (strcmp(method, "HEAD") == 0)
		method = "GET";
	for (size_t i = 0; i < count; i++) {
		const struct route *r = &table[i];
		enum status st;

		if ((r->listeners & (1u << listener)) == 0 ||
		    !match(&raw, r->pattern, path))
			continue;
		buf_reset(params);
		st = decode_all(out, params, &raw);
		if (st == ST_ABSENT)
			continue;
		if (st != ST_OK)
			return st;
		if (strcmp(r->method, method) != 0) {
			if (out->status == 404)
				out->status = 405;
			allow_add(out, r->method);
			continue;
		}
		if (r->peers != 0 && (r->peers & (unsigned)role) == 0) {
			out->status = 403;
			continue;
		}
		out->route = r;
		out->status = 200;
		return ST_OK;
	}
	return ST_OK;
}

static bool
pattern_valid(const char *pattern)
{
	struct bytes pat = bytes_str(pattern), seg;
	size_t params = 0;

	if (pattern[0] != '/')
		return false;
	while (next_segment(&seg, &pat)) {
		bool named =
		    seg.len > 2 && seg.p[0] == '{' && seg.p[seg.len - 1] == '}';
		bool tail = bytes_eq_str(seg, "*");

		if (tail && pat.len > 0)
			return false;
		if (seg.len > 0 && !named &&
		    (memchr(seg.p, '{', seg.len) != NULL ||
			memchr(seg.p, '}', seg.len) != NULL))
			return false;
		params += named || tail;
	}
	return params <= REQUEST_PARAMS_MAX;
}

bool
routes_valid(const struct route *table, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct route *r = &table[i];
		bool known = false;

		if (r->method == NULL || r->pattern == NULL ||
		    r->handler == NULL || r->listeners == 0)
			return false;
		for (size_t m = 0; m < METHODS_COUNT; m++)
			known |= strcmp(methods[m], r->method) == 0;
		if (!known || !pattern_valid(r->pattern))
			return false;
		if (r->stream == NULL && r->body_max > ROUTE_BODY_MAX)
			return false;
		if (r->stream != NULL &&
		    (r->stream->open == NULL || r->stream->data == NULL ||
			r->stream->aborted == NULL))
			return false;
	}
	return true;
}
