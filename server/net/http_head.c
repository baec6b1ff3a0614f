/*
 * The one file that knows the parser library: llhttp where there is one, else
 * http-parser (their callbacks are nearly the same).  Both are lenient, each
 * in its own way, and Debian builds the latter without its strict mode; so
 * every line is checked here first, and the library never sees what fails.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#if DAYBREAK_LLHTTP
#include <llhttp.h>
#else
#include <http_parser.h>
#endif

#include "server/net/http.h"

enum { LENGTH_DIGITS_MAX = 15 };

#if DAYBREAK_LLHTTP
typedef llhttp_t parser_t;
typedef llhttp_settings_t parser_settings_t;
#else
typedef http_parser parser_t;
typedef http_parser_settings parser_settings_t;
#endif

struct parse {
	struct http_head *h;
	bool too_many;
	bool complete;
};

struct bytes
http_head_field(const struct http_head *h, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < h->field_count; i++) {
		const struct http_field *f = &h->field[i];

		if (f->name.len == len &&
		    strncasecmp((const char *)f->name.p, name, len) == 0)
			return f->value;
	}
	return (struct bytes){ NULL, 0 };
}

void
http_head_free(struct http_head *h)
{
	if (h == NULL)
		return;
	buf_free(&h->text);
	free(h);
}

static bool
refuse(struct http_error *err, unsigned status, const char *why)
{
	err->status = status;
	err->why = why;
	return false;
}

/* tchar of RFC 9110, 5.6.2. */
static bool
is_token(uint8_t c)
{
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z'))
		return true;
	return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

/* method SP target SP HTTP/1.x, one space each, nothing else. */
static bool
check_request_line(struct bytes line, struct http_error *err)
{
	size_t i = 0, from;

	while (i < line.len && is_token(line.p[i]))
		i++;
	if (i == 0 || i == line.len || line.p[i] != ' ')
		return refuse(err, 400, "bad request line");
	from = ++i;
	while (i < line.len && line.p[i] > ' ' && line.p[i] < 0x7f)
		i++;
	if (i == from || i == line.len || line.p[i] != ' ')
		return refuse(err, 400, "bad request target");
	if (i - from > HTTP_TARGET_BYTES_MAX)
		return refuse(err, 414, "request target too long");
	line.p += i + 1;
	line.len -= i + 1;
	if (bytes_eq_str(line, "HTTP/1.1") || bytes_eq_str(line, "HTTP/1.0"))
		return true;
	if (line.len == 8 && bytes_starts(line, "HTTP/") && line.p[5] >= '0' &&
	    line.p[5] <= '9' && line.p[6] == '.' && line.p[7] >= '0' &&
	    line.p[7] <= '9')
		return refuse(err, 505, "not HTTP/1.0 or 1.1");
	return refuse(err, 400, "bad request line");
}

/* name ":" OWS value OWS; no folding, no space before the colon. */
static bool
check_field_line(struct bytes line, struct http_error *err)
{
	size_t i = 0;

	if (line.p[0] == ' ' || line.p[0] == '\t')
		return refuse(err, 400, "folded header field");
	while (i < line.len && is_token(line.p[i]))
		i++;
	if (i == 0 || i == line.len || line.p[i] != ':')
		return refuse(err, 400, "bad header field name");
	for (i++; i < line.len; i++) {
		uint8_t c = line.p[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return refuse(err, 400, "bad header field value");
	}
	return true;
}

/* Every line ends with CRLF, and neither stands anywhere else. */
static bool
check_lines(struct bytes text, struct http_error *err)
{
	size_t lines = 0;

	while (text.len > 0) {
		const uint8_t *lf = memchr(text.p, '\n', text.len);
		struct bytes line;

		if (lf == NULL || lf == text.p || lf[-1] != '\r')
			return refuse(err, 400, "line not ended by CRLF");
		line = (struct bytes){ text.p, (size_t)(lf - text.p) - 1 };
		text.len -= line.len + 2;
		text.p = lf + 1;
		if (line.len == 0)
			return text.len == 0 && lines > 0
				   ? true
				   : refuse(err, 400, "bad end of head");
		if (memchr(line.p, '\r', line.len) != NULL)
			return refuse(err, 400, "bare CR");
		if (!(lines++ == 0 ? check_request_line(line, err)
				   : check_field_line(line, err)))
			return false;
		if (lines > HTTP_FIELDS_MAX + 1)
			return refuse(err, 431, "too many header fields");
	}
	return refuse(err, 400, "bad end of head");
}

static struct bytes
trimmed(struct bytes v)
{
	while (v.len > 0 && (v.p[0] == ' ' || v.p[0] == '\t')) {
		v.p++;
		v.len--;
	}
	while (v.len > 0 && (v.p[v.len - 1] == ' ' || v.p[v.len - 1] == '\t'))
		v.len--;
	return v;
}

/* The head lies in one piece, so the library calls once for each part; a
 * second call would only lengthen the same range. */
static void
extend(struct bytes *v, const char *at, size_t len)
{
	if (v->p == NULL)
		*v = bytes_of(at, len);
	else
		v->len = (size_t)((const uint8_t *)at + len - v->p);
}

static int
on_url(parser_t *p, const char *at, size_t len)
{
	struct parse *ps = p->data;

	extend(&ps->h->target, at, len);
	return 0;
}

static int
on_field(parser_t *p, const char *at, size_t len)
{
	struct parse *ps = p->data;
	struct http_head *h = ps->h;
	size_t n = h->field_count;

	/* A name after a value begins the next field. */
	if (n == 0 || h->field[n - 1].value.p != NULL) {
		if (n == HTTP_FIELDS_MAX) {
			ps->too_many = true;
			return -1;
		}
		h->field[n] = (struct http_field){ { NULL, 0 }, { NULL, 0 } };
		h->field_count = ++n;
	}
	extend(&h->field[n - 1].name, at, len);
	return 0;
}

static int
on_value(parser_t *p, const char *at, size_t len)
{
	struct parse *ps = p->data;

	if (ps->h->field_count == 0)
		return -1;
	extend(&ps->h->field[ps->h->field_count - 1].value, at, len);
	return 0;
}

/* 1: there is no body to parse.  Where it ends is decided in http.c. */
static int
on_headers(parser_t *p)
{
	(void)p;
	return 1;
}

static int
on_complete(parser_t *p)
{
	struct parse *ps = p->data;

	ps->complete = true;
#if DAYBREAK_LLHTTP
	ps->h->keep_alive = llhttp_should_keep_alive(p) != 0;
	ps->h->method = llhttp_method_name((llhttp_method_t)p->method);
#else
	ps->h->keep_alive = http_should_keep_alive(p) != 0;
	ps->h->method = http_method_str((enum http_method)p->method);
#endif
	ps->h->minor = p->http_minor;
	return 0;
}

static bool
run_library(struct http_head *h, struct http_error *err)
{
	static const parser_settings_t settings = {
		.on_url = on_url,
		.on_header_field = on_field,
		.on_header_value = on_value,
		.on_headers_complete = on_headers,
		.on_message_complete = on_complete,
	};
	struct parse ps = { .h = h };
	parser_t p;
	bool method_bad;

#if DAYBREAK_LLHTTP
	llhttp_errno_t rc;

	llhttp_init(&p, HTTP_REQUEST, &settings);
	p.data = &ps;
	rc = llhttp_execute(&p, (const char *)h->text.p, h->text.len);
	method_bad = rc == HPE_INVALID_METHOD;
#else
	http_parser_init(&p, HTTP_REQUEST);
	p.data = &ps;
	(void)http_parser_execute(
	    &p, &settings, (const char *)h->text.p, h->text.len);
	method_bad = HTTP_PARSER_ERRNO(&p) == HPE_INVALID_METHOD;
#endif
	if (ps.too_many)
		return refuse(err, 431, "too many header fields");
	if (method_bad)
		return refuse(err, 501, "unknown method");
	/* Complete is what counts: a request to switch protocols, which is
	 * never granted, also stops the library there. */
	if (!ps.complete)
		return refuse(err, 400, "the parser refused the head");
	return true;
}

/* Split a target of RFC 9112, 3.2, into path and query. */
static bool
split_target(struct http_head *h, struct http_error *err)
{
	struct bytes t = h->target;
	const uint8_t *mark;

	if (strcmp(h->method, "CONNECT") == 0)
		return refuse(err, 501, "CONNECT");
	if (memchr(t.p, '#', t.len) != NULL)
		return refuse(err, 400, "fragment in the request target");
	if (bytes_starts(t, "http://") || bytes_starts(t, "https://")) {
		size_t skip = t.p[4] == 's' ? 8 : 7;

		t.p += skip;
		t.len -= skip;
		mark = memchr(t.p, '/', t.len);
		if (mark == NULL || mark == t.p)
			return refuse(err, 400, "bad absolute target");
		t.len -= (size_t)(mark - t.p);
		t.p = mark;
	} else if (t.len == 0 || (t.p[0] != '/' && !bytes_eq_str(t, "*"))) {
		return refuse(err, 400, "bad request target");
	}
	h->path = t;
	mark = memchr(t.p, '?', t.len);
	if (mark != NULL) {
		h->path.len = (size_t)(mark - t.p);
		h->query = bytes_of(mark + 1, t.len - h->path.len - 1);
	}
	return true;
}

static bool
read_length(struct http_head *h, struct bytes v, struct http_error *err)
{
	if (h->has_length)
		return refuse(err, 400, "repeated Content-Length");
	if (v.len == 0 || v.len > LENGTH_DIGITS_MAX)
		return refuse(err, 400, "bad Content-Length");
	h->length = 0;
	for (size_t i = 0; i < v.len; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return refuse(err, 400, "bad Content-Length");
		h->length = h->length * 10 + (uint64_t)(v.p[i] - '0');
	}
	h->has_length = true;
	return true;
}

static bool
same_word(struct bytes a, const char *b)
{
	return a.len == strlen(b) &&
	       strncasecmp((const char *)a.p, b, a.len) == 0;
}

/*
 * What decides where the message ends (RFC 9112, 6.3), the few fields that
 * concern the connection, and who asks: of two credentials one would be passed
 * over, here or in a proxy, and not the same one.
 */
static bool
read_fields(struct http_head *h, struct http_error *err)
{
	bool host = false, authorization = false;

	for (size_t i = 0; i < h->field_count; i++) {
		struct http_field *f = &h->field[i];

		f->value = trimmed(f->value);
		if (same_word(f->name, "host")) {
			if (host)
				return refuse(err, 400, "repeated Host");
			host = true;
		} else if (same_word(f->name, "authorization")) {
			if (authorization)
				return refuse(
				    err, 400, "repeated Authorization");
			authorization = true;
		} else if (same_word(f->name, "content-length")) {
			if (!read_length(h, f->value, err))
				return false;
		} else if (same_word(f->name, "transfer-encoding")) {
			if (h->chunked)
				return refuse(
				    err, 400, "repeated Transfer-Encoding");
			if (!same_word(f->value, "chunked"))
				return refuse(
				    err, 501, "unknown Transfer-Encoding");
			h->chunked = true;
		} else if (same_word(f->name, "expect") && h->minor > 0) {
			if (!same_word(f->value, "100-continue"))
				return refuse(err, 417, "unknown Expect");
			h->expect_continue = true;
		}
	}
	if (h->chunked && h->has_length)
		return refuse(
		    err, 400, "both Content-Length and Transfer-Encoding");
	if (h->chunked && h->minor == 0)
		return refuse(err, 400, "Transfer-Encoding in HTTP/1.0");
	if (!host && h->minor > 0)
		return refuse(err, 400, "no Host");
	return true;
}

bool
http_head_parse(struct http_head *h, struct http_error *err)
{
	return check_lines(buf_view(&h->text), err) && run_library(h, err) &&
	       split_target(h, err) && read_fields(h, err);
}
