#include "server/net/http.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/*
 * States of a reader.  A request goes
 *
 *     START → HEAD → READY → LENGTH ──────────────────────────┐
 *                          → SIZE ⇄ CHUNK → CRLF … → TRAILER ─┴→ START
 *
 * and BAD is reached from any of them, for good.  READY is the moment between
 * the head and the first byte of the body, in which the caller sets a limit.
 */
enum state {
	S_START,   /* between requests */
	S_HEAD,    /* in request line or fields */
	S_READY,   /* HTTP_EV_HEAD was given */
	S_LENGTH,  /* in a body of known length */
	S_SIZE,    /* in the line that begins a chunk */
	S_CHUNK,   /* in a chunk */
	S_CRLF,    /* in the CRLF behind a chunk */
	S_TRAILER, /* in the lines behind the last chunk */
	S_BAD
};

enum {
	EMPTY_LINES_MAX = 2,
	SIZE_DIGITS_MAX = 12,
	FIRST_LINE_MAX = HTTP_TARGET_BYTES_MAX + 64
};

struct http_reader {
	enum state state;
	size_t head_max;
	struct http_head *head; /* owned; NULL between requests, or taken */
	/* What the head said of the body; it may have been taken away. */
	bool chunked;
	uint64_t left;     /* of the body, or of this chunk */
	uint64_t body_max; /* still allowed */
	uint8_t last;      /* the byte before, where CRLF is watched for */
	size_t line_len;   /* of the line being read, without CRLF */
	bool first_line;   /* it is the request line */
	size_t trailer_len;
	unsigned digits;      /* of a chunk's size */
	bool extension;       /* behind ';' in a chunk's line */
	unsigned empty_lines; /* before a request */
	struct http_error err;
};

enum status
http_reader_new(struct http_reader **out, size_t head_max)
{
	struct http_reader *r;

	assert(head_max > 0 && head_max <= HTTP_HEAD_BYTES_MAX);
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return ST_NOMEM;
	r->head_max = head_max;
	*out = r;
	return ST_OK;
}

void
http_reader_free(struct http_reader *r)
{
	if (r == NULL)
		return;
	http_head_free(r->head);
	free(r);
}

static enum http_event
bad(struct http_reader *r, unsigned status, const char *why)
{
	r->state = S_BAD;
	r->err.status = status;
	r->err.why = why;
	return HTTP_EV_BAD;
}

static enum http_event
begin(struct http_reader *r)
{
	http_head_free(r->head);
	r->head = calloc(1, sizeof(*r->head));
	if (r->head == NULL)
		return bad(r, 500, "out of memory");
	buf_init(&r->head->text, r->head_max);
	r->state = S_HEAD;
	r->last = 0;
	r->line_len = 0;
	r->first_line = true;
	r->empty_lines = 0;
	return HTTP_EV_MORE;
}

/* Empty lines before a request are passed over (RFC 9112, 2.2), a few. */
static enum http_event
read_start(struct http_reader *r, size_t *used, struct bytes in)
{
	while (*used < in.len) {
		uint8_t c = in.p[*used];

		if (c != '\r' && c != '\n')
			return r->last == '\r' ? bad(r, 400, "bare CR")
					       : begin(r);
		if ((c == '\n') != (r->last == '\r'))
			return bad(r, 400, "bad empty line");
		r->last = c;
		if (c == '\n' && ++r->empty_lines > EMPTY_LINES_MAX)
			return bad(r, 400, "too many empty lines");
		(*used)++;
	}
	return HTTP_EV_MORE;
}

static enum http_event
head_done(struct http_reader *r)
{
	struct http_head *h = r->head;

	if (!http_head_parse(h, &r->err)) {
		r->state = S_BAD;
		return HTTP_EV_BAD;
	}
	r->state = S_READY;
	r->chunked = h->chunked;
	r->left = h->has_length ? h->length : 0;
	r->body_max = 0;
	return HTTP_EV_HEAD;
}

/*
 * Gather a head, up to its empty line.  Odd line ends are refused at once:
 * waiting for a CRLF that never comes would make a slow client of a wrong one.
 */
static enum http_event
read_head(struct http_reader *r, size_t *used, struct bytes in)
{
	struct buf *text = &r->head->text;
	size_t from = *used;
	bool done = false;

	if (from == in.len)
		return HTTP_EV_MORE;
	while (*used < in.len && !done) {
		uint8_t c = in.p[(*used)++];

		if (c == '\n') {
			if (r->last != '\r')
				return bad(r, 400, "line not ended by CRLF");
			done = r->line_len == 0;
			r->line_len = 0;
			r->first_line = false;
		} else if (r->last == '\r') {
			return bad(r, 400, "bare CR");
		} else if (c != '\r') {
			r->line_len++;
		}
		r->last = c;
		if (r->first_line && r->line_len > FIRST_LINE_MAX)
			return bad(r, 414, "request target too long");
		if (text->len + (*used - from) > r->head_max)
			return bad(r, 431, "head too long");
	}
	buf_add(text, in.p + from, *used - from);
	if (text->err != ST_OK)
		return bad(r, 500, "out of memory");
	return done ? head_done(r) : HTTP_EV_MORE;
}

static enum http_event
read_ready(struct http_reader *r)
{
	r->line_len = 0;
	r->trailer_len = 0;
	r->digits = 0;
	r->extension = false;
	r->last = 0;
	if (r->chunked) {
		r->state = S_SIZE;
		return HTTP_EV_MORE;
	}
	if (r->left > r->body_max)
		return bad(r, 413, "body too long");
	r->state = S_LENGTH;
	return HTTP_EV_MORE;
}

/* The next piece of what is left of a body or chunk. */
static void
cut(struct http_reader *r, size_t *used, struct bytes *data, struct bytes in)
{
	size_t n = in.len - *used;

	if (n > r->left)
		n = (size_t)r->left;
	*data = n == 0 ? bytes_of(NULL, 0) : bytes_of(in.p + *used, n);
	*used += n;
	r->left -= n;
}

static enum http_event
size_done(struct http_reader *r)
{
	if (r->digits == 0)
		return bad(r, 400, "bad chunk size");
	if (r->left > r->body_max)
		return bad(r, 413, "body too long");
	r->body_max -= r->left;
	r->state = r->left == 0 ? S_TRAILER : S_CHUNK;
	r->last = 0;
	r->line_len = 0;
	r->digits = 0;
	r->extension = false;
	return HTTP_EV_MORE;
}

/* chunk-size [ ";" extension ] CRLF (RFC 9112, 7.1), without spaces. */
static enum http_event
read_size(struct http_reader *r, size_t *used, struct bytes in)
{
	while (*used < in.len) {
		uint8_t c = in.p[(*used)++];
		int v = http_hex_value(c);

		if (r->last == '\r')
			return c == '\n' ? size_done(r)
					 : bad(r, 400, "bare CR");
		r->last = c;
		if (c == '\r')
			continue;
		if (++r->line_len > HTTP_CHUNK_LINE_MAX)
			return bad(r, 400, "chunk line too long");
		if (r->extension) {
			if ((c < ' ' && c != '\t') || c >= 0x7f)
				return bad(r, 400, "bad chunk extension");
		} else if (c == ';' && r->digits > 0) {
			r->extension = true;
		} else if (v >= 0 && r->digits < SIZE_DIGITS_MAX) {
			r->left =
			    (r->digits++ == 0 ? 0 : r->left * 16) + (uint64_t)v;
		} else {
			return bad(r, 400, "bad chunk size");
		}
	}
	return HTTP_EV_MORE;
}

static enum http_event
read_crlf(struct http_reader *r, size_t *used, struct bytes in)
{
	while (*used < in.len) {
		uint8_t c = in.p[(*used)++];

		if (c != (r->last == '\r' ? '\n' : '\r'))
			return bad(r, 400, "chunk not ended by CRLF");
		r->last = c;
		if (c == '\n') {
			r->state = S_SIZE;
			r->last = 0;
			return HTTP_EV_MORE;
		}
	}
	return HTTP_EV_MORE;
}

/*
 * Trailer fields are read and dropped: nothing here wants one.  Their form is
 * watched all the same, so that none of them is another's request.
 */
static enum http_event
read_trailer(struct http_reader *r, size_t *used, struct bytes in)
{
	while (*used < in.len) {
		uint8_t c = in.p[(*used)++];

		if (++r->trailer_len > HTTP_TRAILER_BYTES_MAX)
			return bad(r, 431, "trailer too long");
		if (r->last == '\r') {
			if (c != '\n')
				return bad(r, 400, "bare CR");
			if (r->line_len == 0) {
				r->state = S_START;
				r->last = 0;
				return HTTP_EV_END;
			}
			r->line_len = 0;
		} else if (c != '\r') {
			if ((c < ' ' && c != '\t') || c == 0x7f)
				return bad(r, 400, "bad trailer field");
			if (r->line_len == 0 && (c == ' ' || c == '\t'))
				return bad(r, 400, "folded trailer field");
			r->line_len++;
		}
		r->last = c;
	}
	return HTTP_EV_MORE;
}

/* One step in the present state; HTTP_EV_MORE may mean: there is a next one. */
static enum http_event
step(struct http_reader *r, size_t *used, struct bytes *data, struct bytes in)
{
	switch (r->state) {
	case S_START:
		return read_start(r, used, in);
	case S_HEAD:
		return read_head(r, used, in);
	case S_READY:
		return read_ready(r);
	case S_LENGTH:
		if (r->left == 0) {
			r->state = S_START;
			r->last = 0;
			return HTTP_EV_END;
		}
		cut(r, used, data, in);
		return data->len > 0 ? HTTP_EV_DATA : HTTP_EV_MORE;
	case S_SIZE:
		return read_size(r, used, in);
	case S_CHUNK:
		if (r->left == 0) {
			r->state = S_CRLF;
			r->last = 0;
			return HTTP_EV_MORE;
		}
		cut(r, used, data, in);
		return data->len > 0 ? HTTP_EV_DATA : HTTP_EV_MORE;
	case S_CRLF:
		return read_crlf(r, used, in);
	case S_TRAILER:
		return read_trailer(r, used, in);
	case S_BAD:
		break;
	}
	return HTTP_EV_BAD;
}

enum http_event
http_reader_next(
    struct http_reader *r, size_t *used, struct bytes *data, struct bytes in)
{
	*used = 0;
	for (;;) {
		enum state before = r->state;
		enum http_event ev = step(r, used, data, in);

		/* A new state may have an event without more input. */
		if (ev != HTTP_EV_MORE || r->state == before)
			return ev;
	}
}

struct http_head *
http_reader_take_head(struct http_reader *r)
{
	struct http_head *h = r->head;

	r->head = NULL;
	return h;
}

bool
http_reader_limit(struct http_reader *r, uint64_t body_max)
{
	assert(r->state == S_READY);
	r->body_max = body_max;
	if (!r->chunked && r->left > body_max) {
		(void)bad(r, 413, "body too long");
		return false;
	}
	return true;
}

const struct http_error *
http_reader_error(const struct http_reader *r)
{
	return &r->err;
}

bool
http_reader_idle(const struct http_reader *r)
{
	return r->state == S_START;
}

bool
http_reader_in_head(const struct http_reader *r)
{
	return r->state == S_HEAD;
}
