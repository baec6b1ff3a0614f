#ifndef SERVER_NET_HTTP_H
#define SERVER_NET_HTTP_H
/*
 * http: reading HTTP/1.1 requests (RFC 9110, RFC 9112) from a byte stream.
 *
 * A pure state machine over plaintext.  The head (request line and fields) is
 * gathered whole, checked line by line by rules stricter than the parser
 * library's, and then parsed by it (http_head.c).  Where a body ends is
 * decided here: Content-Length, or chunked by a decoder that knows one
 * spelling only.  What two readers could understand differently is refused:
 * both lengths at once, repeated or odd lengths, a bare CR or LF, folded
 * lines, space before a colon, any transfer coding but chunked alone, two Hosts
 * or two Authorizations.
 *
 * The caller gives bytes and gets at most one event back each time, with the
 * number of bytes used; so back-pressure is: stop calling.  After HTTP_EV_HEAD
 * the caller looks at the head and sets the body's limit; after HTTP_EV_END (or
 * before the first byte) a next request may follow in the same stream.
 *
 * Threads: one owner.
 */
#include "base/buf.h"

enum {
	HTTP_FIELDS_MAX = 64,
	HTTP_HEAD_BYTES_MAX = 16384,
	HTTP_TARGET_BYTES_MAX = 4096,
	HTTP_CHUNK_LINE_MAX = 256,    /* a chunk's size and extensions */
	HTTP_TRAILER_BYTES_MAX = 4096 /* read and dropped */
};

struct http_field {
	struct bytes name; /* as sent; compare without regard to case */
	struct bytes value;
};

/* One request's head.  All ranges point into `text`, which it owns. */
struct http_head {
	struct buf text;
	const char *method;  /* such as "GET"; static storage */
	struct bytes target; /* as sent */
	struct bytes path;   /* of the target, still percent-encoded */
	struct bytes query;  /* what follows '?', without it */
	unsigned minor;      /* of HTTP/1.x: 0 or 1 */
	struct http_field field[HTTP_FIELDS_MAX];
	size_t field_count;

	bool keep_alive; /* the client would go on after this request */
	bool chunked;
	bool has_length;
	bool expect_continue;
	uint64_t length; /* of the body, if has_length */
};

/* The value of the first field of that name, or an empty range. */
struct bytes http_head_field(const struct http_head *h, const char *name);

void http_head_free(struct http_head *h);

struct http_error {
	unsigned status; /* 400, 413, 414, 417, 431, 501, 505, 500 */
	const char *why; /* for the log; static storage */
};

/*
 * Parse a head that stands whole in h->text, its empty line included.  False,
 * with *err filled, if it is not exactly as it must be.
 */
bool http_head_parse(struct http_head *h, struct http_error *err);

enum http_event {
	HTTP_EV_MORE, /* all was used, more bytes are needed */
	HTTP_EV_HEAD, /* a head is complete; take it, set the body's limit */
	HTTP_EV_DATA, /* *data is a piece of the body, a part of `in` */
	HTTP_EV_END,  /* the request is complete */
	HTTP_EV_BAD   /* http_reader_error; nothing more can be read */
};

struct http_reader; /* private to http.c */

/* `head_max`: bytes of a head, at most HTTP_HEAD_BYTES_MAX.  ST_NOMEM. */
MUST_CHECK enum status http_reader_new(
    struct http_reader **out, size_t head_max);
void http_reader_free(struct http_reader *r);

/*
 * Read from `in`; *used says how many bytes were consumed.  Call again with
 * the rest until HTTP_EV_MORE.  `data` is set at HTTP_EV_DATA only, borrowed
 * from `in`.  HTTP_EV_BAD is final.
 */
enum http_event http_reader_next(
    struct http_reader *r, size_t *used, struct bytes *data, struct bytes in);

/*
 * Move the head out, once, after HTTP_EV_HEAD; the caller frees it.  One that
 * is not taken is freed at the next request's first byte.
 */
struct http_head *http_reader_take_head(struct http_reader *r);

/*
 * At HTTP_EV_HEAD: the most body bytes that will be taken.  False, and the
 * reader ends with 413, if the head already states more.  Default 0.
 */
bool http_reader_limit(struct http_reader *r, uint64_t body_max);

const struct http_error *http_reader_error(const struct http_reader *r);

/* True between requests: no byte of a next one was read. */
bool http_reader_idle(const struct http_reader *r);

/* True if the head of a request was begun and is not complete. */
bool http_reader_in_head(const struct http_reader *r);

/* "Not Found" for 404 …; "" for one that is not known; static storage. */
const char *http_status_text(unsigned status);

/* The value of a hex digit, or -1. */
int http_hex_value(uint8_t c);

/* Decode percent-encoding into out (as long as `in` at most, no NUL).
 * ST_INVALID for a broken escape or an encoded NUL. */
MUST_CHECK enum status http_percent_decode(
    struct buf *out, struct bytes in, bool plus_is_space);

/*
 * The value of `name` in a query string, decoded, appended to `out`.
 * ST_ABSENT if it is not there, ST_INVALID if it cannot be decoded.
 */
MUST_CHECK enum status http_query_get(
    struct buf *out, struct bytes query, const char *name);

#endif
