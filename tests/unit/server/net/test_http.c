/*
 * http: which bytes are a request, where each ends, and what is refused.
 * Every case is read in one piece, byte by byte, and cut at every place: all
 * must tell the same story.
 */
#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/net/http.h"

enum { STORY_MAX = 8192, BODY_MAX = 1000 };

static struct http_reader *
reader_new(void)
{
	struct http_reader *r = NULL;

	EXPECT_OK(http_reader_new(&r, HTTP_HEAD_BYTES_MAX));
	return r;
}

/* The state of a telling: the reader, and what it said so far. */
struct story {
	struct http_reader *r;
	struct buf text;
	bool in_data; /* the last thing told was data: go on in it */
	bool bad;
};

static void
tell_head(struct story *s)
{
	struct http_head *h = http_reader_take_head(s->r);

	EXPECT(h != NULL);
	buf_printf(&s->text, "[%s %.*s", h->method, (int)h->path.len,
	    (const char *)h->path.p);
	if (h->query.p != NULL)
		buf_printf(&s->text, " ?%.*s", (int)h->query.len,
		    (const char *)h->query.p);
	if (!h->keep_alive)
		buf_str(&s->text, " close");
	if (h->expect_continue)
		buf_str(&s->text, " expect");
	buf_str(&s->text, "]");
	http_head_free(h);
}

static void
tell(struct story *s, struct bytes in)
{
	while (!s->bad) {
		struct bytes data = { NULL, 0 };
		size_t used = 0;
		enum http_event ev = http_reader_next(s->r, &used, &data, in);

		EXPECT(used <= in.len);
		in.p += used;
		in.len -= used;
		if (ev == HTTP_EV_MORE) {
			EXPECT(in.len == 0);
			return;
		}
		if (ev == HTTP_EV_DATA) {
			EXPECT(data.len > 0);
			if (!s->in_data)
				buf_str(&s->text, "<");
			buf_bytes(&s->text, data);
			s->in_data = true;
			continue;
		}
		if (s->in_data)
			buf_str(&s->text, ">");
		s->in_data = false;
		if (ev == HTTP_EV_HEAD) {
			tell_head(s);
			(void)http_reader_limit(s->r, BODY_MAX);
		} else if (ev == HTTP_EV_END) {
			buf_str(&s->text, ".");
		} else {
			buf_printf(
			    &s->text, "!%u", http_reader_error(s->r)->status);
			EXPECT(http_reader_error(s->r)->why[0] != '\0');
			s->bad = true;
		}
	}
	EXPECT(http_reader_next(s->r, &(size_t){ 0 },
		   &(struct bytes){ NULL, 0 }, in) == HTTP_EV_BAD);
}

static void
story_of(struct buf *out, struct bytes in, size_t first, size_t step)
{
	struct story s = { .r = reader_new() };

	buf_init(&s.text, STORY_MAX);
	while (in.len > 0 && !s.bad) {
		size_t n = first > 0 ? first : step;

		first = 0;
		if (n > in.len)
			n = in.len;
		tell(&s, (struct bytes){ in.p, n });
		in.p += n;
		in.len -= n;
	}
	if (!s.bad && !http_reader_idle(s.r))
		buf_str(&s.text, s.in_data ? ">…" : "…");
	http_reader_free(s.r);
	*out = s.text;
}

static void
reads_bytes(struct bytes in, const char *want)
{
	struct buf got;

	story_of(&got, in, 0, SIZE_MAX);
	EXPECT_BYTES(buf_view(&got), bytes_str(want));
	buf_free(&got);
	story_of(&got, in, 0, 1);
	EXPECT_BYTES(buf_view(&got), bytes_str(want));
	buf_free(&got);
	for (size_t cut = 1; cut < in.len && in.len < 2000; cut++) {
		story_of(&got, in, cut, SIZE_MAX);
		EXPECT_BYTES(buf_view(&got), bytes_str(want));
		buf_free(&got);
	}
}

static void
reads(const char *in, const char *want)
{
	reads_bytes(bytes_str(in), want);
}

#define GET "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST "POST /p HTTP/1.1\r\nHost: a\r\n"

/* Would catch an ordinary request misread. */
static void
test_ordinary_requests_are_read(void **state)
{
	(void)state;
	reads(GET "\r\n", "[GET /].");
	reads("GET /a/b?x=1&y=%20 HTTP/1.1\r\nHost: a\r\n\r\n",
	    "[GET /a/b ?x=1&y=%20].");
	reads("HEAD /h HTTP/1.1\r\nhOST:a\r\n\r\n", "[HEAD /h].");
	reads(POST "Content-Length: 5\r\n\r\nhello", "[POST /p]<hello>.");
	reads(POST "Content-Length: 0\r\n\r\n", "[POST /p].");
	reads("PATCH /p HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
	    "[PATCH /p]<x>.");
	reads("\r\n\r\n" GET "\r\n", "[GET /].");
	reads(GET "Connection: close\r\n\r\n", "[GET / close].");
	reads("GET / HTTP/1.0\r\n\r\n", "[GET / close].");
	reads("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "[GET /].");
	reads(
	    "GET http://a.b:8/c?d HTTP/1.1\r\nHost: a\r\n\r\n", "[GET /c ?d].");
	reads("GET https://a/c HTTP/1.1\r\nHost: a\r\n\r\n", "[GET /c].");
	reads("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "[OPTIONS *].");
	reads(POST "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\nok",
	    "[POST /p expect]<ok>.");
	reads(GET "X:\r\nY: \t \r\nZ:  z \t\r\n\r\n", "[GET /].");
	/* A wish to switch protocols is not granted and does no harm. */
	reads(GET "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n" GET "\r\n",
	    "[GET /].[GET /].");
}

/* Would catch chunks glued wrongly, or a size read another way. */
static void
test_chunked_bodies_are_read(void **state)
{
	(void)state;
	reads(POST "Transfer-Encoding: chunked\r\n\r\n"
		   "5\r\nhello\r\n6;x=\"y\"\r\n world\r\n0\r\n\r\n",
	    "[POST /p]<hello world>.");
	reads(POST "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", "[POST /p].");
	reads(POST "Transfer-Encoding: chunked\r\n\r\n"
		   "00a\r\n0123456789\r\n000\r\nDigest: x\r\nB:c\r\n\r\n",
	    "[POST /p]<0123456789>.");
	reads(POST "Transfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n",
	    "[POST /p]<0123456789>…");
}

/* Would catch one request's bytes taken for another's. */
static void
test_pipelined_requests_are_kept_apart(void **state)
{
	(void)state;
	reads(GET "\r\n" POST "Content-Length: 3\r\n\r\nabc"
		  "PUT /q HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
		  "chunked\r\n\r\n1\r\nz\r\n0\r\n\r\n" GET "\r\n",
	    "[GET /].[POST /p]<abc>.[PUT /q]<z>.[GET /].");
	reads(GET "\r\n\r\n" GET "\r\n", "[GET /].[GET /].");
}

/* Would catch a request that two readers could end at different places. */
static void
test_smuggling_is_refused(void **state)
{
	static const char *const heads[] = {
		POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
		POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
		POST "Content-Length: 5\r\nContent-Length: 5\r\n",
		POST "Content-Length: 5\r\nContent-Length: 6\r\n",
		POST "Content-Length: 5, 5\r\n",
		POST "Content-Length: +5\r\n",
		POST "Content-Length: -5\r\n",
		POST "Content-Length: 0x5\r\n",
		POST "Content-Length: 5 5\r\n",
		POST "Content-Length: \r\n",
		POST "Content-Length: 9999999999999999\r\n",
		POST "Content-Length : 5\r\n",
		POST "Content-Length\r\n",
		POST " Content-Length: 5\r\n",
		POST "X: y\r\n Content-Length: 5\r\n",
		POST "X: y\r\n\tfolded\r\n",
		POST "X: y\rContent-Length: 5\r\n",
		POST "X: y\nContent-Length: 5\r\n",
		POST "X: y\x01\r\n",
		POST "X: y\x7f\r\n",
		POST "X y: z\r\n",
		POST ": z\r\n",
		POST "X\xc3\xa4: z\r\n",
		POST "Transfer-Encoding: chunked\r\n"
		     "Transfer-Encoding: chunked\r\n",
		POST "Host: b\r\n",
		POST "Authorization: Bearer a\r\nauthorization: Bearer a\r\n",
		"POST /p HTTP/1.1\r\n",
		"POST /p HTTP/1.0\r\nTransfer-Encoding: chunked\r\n",
		"POST  /p HTTP/1.1\r\nHost: a\r\n",
		"POST /p  HTTP/1.1\r\nHost: a\r\n",
		"POST /p HTTP/1.1 \r\nHost: a\r\n",
		"POST\t/p HTTP/1.1\r\nHost: a\r\n",
		" POST /p HTTP/1.1\r\nHost: a\r\n",
		"POST /p\r\nHost: a\r\n",
		"POST /\x80 HTTP/1.1\r\nHost: a\r\n",
		"POST p HTTP/1.1\r\nHost: a\r\n",
		"POST /p#f HTTP/1.1\r\nHost: a\r\n",
		"POST http:///p HTTP/1.1\r\nHost: a\r\n",
		"POST /p http/1.1\r\nHost: a\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct buf in;

		buf_init(&in, 4096);
		buf_str(&in, heads[i]);
		buf_str(&in, "\r\nhello" GET "\r\n");
		reads_bytes(buf_view(&in), "!400");
		buf_free(&in);
	}
	reads(POST "Transfer-Encoding: gzip, chunked\r\n\r\n", "!501");
	reads(POST "Transfer-Encoding: xchunked\r\n\r\n", "!501");
	reads(POST "Transfer-Encoding: identity\r\n\r\n", "!501");
	reads(POST "Transfer-Encoding:\r\n\r\n", "!501");
	reads("\n" GET "\r\n", "!400");
	reads("\r" GET "\r\n", "!400");
	reads("\r\n\r\n\r\n" GET "\r\n", "!400");
	reads("GET / HTTP/1.1\nHost: a\n\n", "!400");
	reads("\r\n\r\n\r\n\r\n", "!400");
}

/* Would catch a chunk whose end another reader sees elsewhere. */
static void
test_odd_chunks_are_refused(void **state)
{
	static const char *const chunks[] = { "\r\n", ";x\r\n", "g\r\n",
		" 5\r\nhello\r\n", "5 \r\nhello\r\n", "+5\r\nhello\r\n",
		"0x5\r\nhello\r\n", "5\nhello\r\n", "5\rhello\r\n",
		"5;a\nhello\r\n", "5;\x01\r\nhello\r\n", "5;\x80\r\nhello\r\n",
		"-1\r\n", "1000000000000\r\n", "fffffffffffffffff\r\n",
		"0\r\nX: y\n\r\n", "0\r\n fold\r\n\r\n", "0\r\nX: \x01\r\n\r\n",
		"0\r\n\n", "0\n\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
		struct buf in;

		buf_init(&in, 4096);
		buf_str(&in, POST "Transfer-Encoding: chunked\r\n\r\n");
		buf_str(&in, chunks[i]);
		reads_bytes(buf_view(&in), "[POST /p]!400");
		buf_free(&in);
	}
	reads(POST "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
	    "[POST /p]<hello>!400");
	reads(POST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n",
	    "[POST /p]<hello>!400");
}

/* Would catch a limit that is not there, or is off by one. */
static void
test_limits_hold_to_the_byte(void **state)
{
	struct buf in, want;

	(void)state;
	buf_init(&in, 64 << 10);
	buf_init(&want, 64 << 10);
	/* The body: BODY_MAX is let in, one more is not, either way sent. */
	for (unsigned n = BODY_MAX - 1; n <= BODY_MAX + 1; n++) {
		for (int chunked = 0; chunked < 2; chunked++) {
			buf_reset(&in);
			buf_reset(&want);
			buf_str(&in, POST);
			if (chunked)
				buf_printf(&in,
				    "Transfer-Encoding: chunked\r\n\r\n"
				    "10\r\n0123456789abcdef\r\n%x\r\n",
				    n - 16);
			else
				buf_printf(
				    &in, "Content-Length: %u\r\n\r\n", n);
			for (unsigned i = chunked ? 16 : 0; i < n; i++)
				buf_u8(&in, 'x');
			buf_str(&in, chunked ? "\r\n0\r\n\r\n" : "");
			buf_str(&want, "[POST /p]");
			if (n <= BODY_MAX || chunked)
				buf_str(&want, "<");
			if (chunked)
				buf_str(&want, "0123456789abcdef");
			if (n <= BODY_MAX)
				for (unsigned i = chunked ? 16 : 0; i < n; i++)
					buf_u8(&want, 'x');
			if (n <= BODY_MAX || chunked)
				buf_str(&want, ">");
			buf_str(&want, n <= BODY_MAX ? "." : "!413");
			buf_u8(&want, 0);
			reads_bytes(buf_view(&in), (const char *)want.p);
		}
	}
	/* Bytes of a head. */
	for (size_t n = HTTP_HEAD_BYTES_MAX - 1; n <= HTTP_HEAD_BYTES_MAX + 1;
	     n++) {
		buf_reset(&in);
		buf_str(&in, GET "X: ");
		while (in.len < n - 4)
			buf_u8(&in, 'x');
		buf_str(&in, "\r\n\r\n");
		EXPECT(in.len == n);
		reads_bytes(buf_view(&in),
		    n <= HTTP_HEAD_BYTES_MAX ? "[GET /]." : "!431");
	}
	/* Fields; Host is one. */
	for (unsigned n = HTTP_FIELDS_MAX - 1; n <= HTTP_FIELDS_MAX + 1; n++) {
		buf_reset(&in);
		buf_str(&in, GET);
		for (unsigned i = 1; i < n; i++)
			buf_printf(&in, "F%u: v\r\n", i);
		buf_str(&in, "\r\n");
		reads_bytes(
		    buf_view(&in), n <= HTTP_FIELDS_MAX ? "[GET /]." : "!431");
	}
	buf_free(&in);
	buf_free(&want);
	/* A request line without end, a chunk line, a trailer. */
	buf_init(&in, 64 << 10);
	buf_str(&in, "GET /");
	for (int i = 0; i < HTTP_TARGET_BYTES_MAX; i++)
		buf_u8(&in, 'x');
	buf_str(&in, " HTTP/1.1\r\nHost: a\r\n\r\n");
	reads_bytes(buf_view(&in), "!414");
	buf_reset(&in);
	for (int i = 0; i < 6000; i++)
		buf_u8(&in, 'G');
	reads_bytes(buf_view(&in), "!414");
	buf_reset(&in);
	buf_str(&in, POST "Transfer-Encoding: chunked\r\n\r\n5;");
	for (int i = 0; i < 2 * HTTP_CHUNK_LINE_MAX; i++)
		buf_u8(&in, 'x');
	reads_bytes(buf_view(&in), "[POST /p]!400");
	buf_reset(&in);
	buf_str(&in, POST "Transfer-Encoding: chunked\r\n\r\n0\r\n");
	for (int i = 0; i < HTTP_TRAILER_BYTES_MAX / 8; i++)
		buf_str(&in, "Ab: cd\r\n");
	buf_str(&in, "\r\n");
	reads_bytes(buf_view(&in), "[POST /p]!431");
	buf_free(&in);
}

/* Would catch an answer that hides what was wrong. */
static void
test_what_is_not_served_is_named(void **state)
{
	(void)state;
	reads("GET / HTTP/2.0\r\nHost: a\r\n\r\n", "!505");
	reads("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "!505");
	reads("GET / HTTP/1.2\r\nHost: a\r\n\r\n", "!505");
	reads("FROB / HTTP/1.1\r\nHost: a\r\n\r\n", "!501");
	reads("get / HTTP/1.1\r\nHost: a\r\n\r\n", "!501");
	reads("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "!501");
	reads(POST "Expect: rabbits\r\n\r\n", "!417");
	reads("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "…");
	reads("\x16\x03\x01\n", "!400");
}

/* Would catch a read outside the buffer by any damaged request. */
static void
test_flipped_bits_never_crash_or_lengthen(void **state)
{
	static const char text[] = POST
	    "Content-Length: 4\r\nX: y\r\n\r\nabcd" POST
	    "Transfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\nT: u\r\n\r\n";
	size_t len = sizeof(text) - 1;

	(void)state;
	for (size_t i = 0; i < len * 8; i++) {
		uint8_t *bad = malloc(len);
		struct buf got;

		assert_non_null(bad);
		memcpy(bad, text, len);
		bad[i / 8] ^= (uint8_t)(1u << (i % 8));
		story_of(&got, bytes_of(bad, len), 0, 1 + i % 7);
		EXPECT(got.err == ST_OK && got.len < 2 * len);
		buf_free(&got);
		free(bad);
	}
}

/* Would catch a field looked up under another name, or untrimmed. */
static void
test_fields_are_found_without_regard_to_case(void **state)
{
	static const char text[] = GET "X-One:  1 \r\nx-two: 2\r\nX-One: 3\r\n"
				       "Empty:\r\n\r\n";
	struct http_reader *r = reader_new();
	struct http_head *h;
	struct bytes data;
	size_t used;

	(void)state;
	EXPECT(
	    http_reader_next(r, &used, &data, bytes_str(text)) == HTTP_EV_HEAD);
	h = http_reader_take_head(r);
	EXPECT_BYTES(http_head_field(h, "x-ONE"), bytes_str("1"));
	EXPECT_BYTES(http_head_field(h, "X-Two"), bytes_str("2"));
	EXPECT(http_head_field(h, "Empty").len == 0);
	EXPECT(http_head_field(h, "X-Three").p == NULL);
	EXPECT(h->minor == 1 && h->field_count == 5);
	http_head_free(h);
	http_reader_free(r);
}

/* Would catch an escape decoded wrongly, or a NUL smuggled into a name. */
static void
test_percent_decoding(void **state)
{
	static const char *const bad[] = { "%", "%1", "%zz", "%0g", "%00" };
	struct buf out;

	(void)state;
	buf_init(&out, 64);
	EXPECT_OK(http_percent_decode(&out, bytes_str("a%2Fb%c3%A4+c"), false));
	EXPECT_BYTES(buf_view(&out), bytes_str("a/b\xc3\xa4+c"));
	buf_reset(&out);
	EXPECT_OK(http_percent_decode(&out, bytes_str("a+b"), true));
	EXPECT_BYTES(buf_view(&out), bytes_str("a b"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_ST(http_percent_decode(&out, bytes_str(bad[i]), false),
		    ST_INVALID);
	EXPECT_ST(
	    http_percent_decode(&out, bytes_of("\0", 1), false), ST_INVALID);
	buf_reset(&out);
	EXPECT_OK(
	    http_query_get(&out, bytes_str("a=1&b=two%20w&&c&b=3&d="), "b"));
	EXPECT_BYTES(buf_view(&out), bytes_str("two w"));
	buf_reset(&out);
	EXPECT_OK(http_query_get(&out, bytes_str("a=1&c"), "c"));
	EXPECT(out.len == 0);
	EXPECT_ST(http_query_get(&out, bytes_str("a=1"), "b"), ST_ABSENT);
	EXPECT_ST(http_query_get(&out, bytes_str(""), "b"), ST_ABSENT);
	EXPECT_ST(http_query_get(&out, bytes_str("b=%"), "b"), ST_INVALID);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ordinary_requests_are_read),
		cmocka_unit_test(test_chunked_bodies_are_read),
		cmocka_unit_test(test_pipelined_requests_are_kept_apart),
		cmocka_unit_test(test_smuggling_is_refused),
		cmocka_unit_test(test_odd_chunks_are_refused),
		cmocka_unit_test(test_limits_hold_to_the_byte),
		cmocka_unit_test(test_what_is_not_served_is_named),
		cmocka_unit_test(test_flipped_bits_never_crash_or_lengthen),
		cmocka_unit_test(test_fields_are_found_without_regard_to_case),
		cmocka_unit_test(test_percent_decoding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
