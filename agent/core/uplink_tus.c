/* uplink_tus: requests of tus 1.0 on the same connection as all else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/core/uplink_priv.h"

enum { URL_MAX = 192, HEADER_MAX = 512 };

/* A request under way. */
struct going {
	const struct agent_tus *rq;
	struct agent_tus_reply *out;
	uint64_t at; /* in the body */
};

/* ---- the body */

static size_t
give_body(char *p, size_t size, size_t count, void *arg)
{
	struct going *g = arg;
	uint64_t left = g->rq->body_len - g->at;
	size_t len = size * count, got = 0;

	len = len < left ? len : (size_t)left;
	if (len == 0)
		return 0;
	g->out->read_st =
	    g->rq->read(g->rq->read_arg, g->at, (uint8_t *)p, len, &got);
	/* A body that is shorter than was said would be waited for. */
	if (g->out->read_st == ST_OK && got == 0)
		g->out->read_st = ST_CORRUPT;
	if (g->out->read_st != ST_OK)
		return CURL_READFUNC_ABORT;
	g->at += got;
	g->out->body_up += got;
	return got;
}

/*
 * A connection that was kept had died: the same again on a new one, but only if
 * nothing of the body went out.  What did may have arrived: it is asked for
 * first, and not sent twice.
 */
static int
seek_body(void *arg, curl_off_t offset, int origin)
{
	const struct going *g = arg;

	return origin == SEEK_SET && offset == 0 && g->at == 0
		   ? CURL_SEEKFUNC_OK
		   : CURL_SEEKFUNC_FAIL;
}

/*
 * Called before each sending of the head.  Where a kept connection breaks
 * before a byte of the body left, curl sends again by itself, and does not
 * rewind what it has read already: the first 64 KiB would be missing, and the
 * rest taken for them.  So that request ends here too.
 */
static int
before_sending(void *arg, char *to, char *from, int to_port, int from_port)
{
	const struct going *g = arg;

	(void)to;
	(void)from;
	(void)to_port;
	(void)from_port;
	return g->at == 0 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

/* ---- the answer */

/* Decimal, nothing else, within 2^63 - 1. */
static bool
number(const char *s, size_t len, uint64_t *out)
{
	uint64_t v = 0;

	if (len == 0 || len > 18)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s[i] - '0');
	}
	*out = v;
	return true;
}

static void
take_field(struct agent_tus_reply *out, const char *name, size_t name_len,
    const char *value, size_t len)
{
	static const char offset[] = "Upload-Offset",
			  length[] = "Upload-Length";
	static const char location[] = "Location", tus[] = "Tus-Resumable";

	if (name_len == sizeof(offset) - 1 &&
	    strncasecmp(name, offset, name_len) == 0)
		out->has_offset = number(value, len, &out->offset);
	else if (name_len == sizeof(length) - 1 &&
		 strncasecmp(name, length, name_len) == 0)
		out->has_length = number(value, len, &out->length);
	else if (name_len == sizeof(tus) - 1 &&
		 strncasecmp(name, tus, name_len) == 0)
		out->tus = len == 5 && memcmp(value, "1.0.0", 5) == 0;
	else if (name_len == sizeof(location) - 1 &&
		 strncasecmp(name, location, name_len) == 0 &&
		 len < sizeof(out->location)) {
		memcpy(out->location, value, len);
		out->location[len] = '\0';
	}
}

static size_t
take_header(char *p, size_t size, size_t count, void *arg)
{
	struct going *g = arg;
	size_t len = size * count, end = len;
	const char *colon = memchr(p, ':', len);

	g->out->bytes_down += len;
	/* Another head, as behind 100: what the last one said is over. */
	if (len >= 5 && memcmp(p, "HTTP/", 5) == 0) {
		g->out->has_offset = g->out->has_length = g->out->tus = false;
		g->out->location[0] = '\0';
		return len;
	}
	while (end > 0 &&
	       (p[end - 1] == '\r' || p[end - 1] == '\n' || p[end - 1] == ' '))
		end--;
	if (colon == NULL || colon >= p + end)
		return len;
	for (const char *v = colon + 1; v <= p + end; v++) {
		if (v < p + end && *v == ' ')
			continue;
		take_field(
		    g->out, p, (size_t)(colon - p), v, (size_t)(p + end - v));
		break;
	}
	return len;
}

/* Words of a refusal are not needed: its status says what to do. */
static size_t
drop_body(char *p, size_t size, size_t count, void *arg)
{
	struct going *g = arg;

	(void)p;
	g->out->bytes_down += size * count;
	return size * count;
}

static int
count_up(CURL *easy, curl_infotype what, char *p, size_t size, void *arg)
{
	struct going *g = arg;

	(void)easy;
	(void)p;
	if (what == CURLINFO_HEADER_OUT || what == CURLINFO_DATA_OUT)
		g->out->bytes_up += size;
	return 0;
}

/* ---- the request */

static bool
add(struct curl_slist **list, const char *line)
{
	struct curl_slist *more = curl_slist_append(*list, line);

	if (more != NULL)
		*list = more;
	return more != NULL;
}

static struct curl_slist *
headers_of(const struct agent_tus *rq)
{
	struct curl_slist *list = NULL;
	char line[HEADER_MAX];
	bool ok = add(&list, "Expect:") && add(&list, "Accept:") &&
		  add(&list, "Tus-Resumable: 1.0.0");

	if (ok && rq->what == TUS_CREATE) {
		(void)snprintf(line, sizeof(line), "Upload-Length: %llu",
		    (unsigned long long)rq->length);
		ok = add(&list, line);
		(void)snprintf(
		    line, sizeof(line), "Upload-Metadata: %s", rq->metadata);
		ok = ok && add(&list, line);
	}
	if (ok && rq->what == TUS_PATCH) {
		(void)snprintf(line, sizeof(line), "Upload-Offset: %llu",
		    (unsigned long long)rq->offset);
		ok = add(&list, line);
	}
	if (ok && rq->what != TUS_HEAD)
		ok = add(&list, rq->what == TUS_PATCH || rq->body_len > 0
				    ? "Content-Type: "
				      "application/offset+octet-stream"
				    : "Content-Type:");
	if (!ok) {
		curl_slist_free_all(list);
		return NULL;
	}
	return list;
}

static CURLcode
set_body(CURL *easy, struct going *g)
{
	CURLcode rc = CURLE_OK;

	SET(CURLOPT_HEADERFUNCTION, take_header);
	SET(CURLOPT_HEADERDATA, g);
	SET(CURLOPT_WRITEFUNCTION, drop_body);
	SET(CURLOPT_WRITEDATA, g);
	SET(CURLOPT_DEBUGFUNCTION, count_up);
	SET(CURLOPT_DEBUGDATA, g);
	SET(CURLOPT_VERBOSE, 1L); /* to count_up alone, which prints nothing */
	if (g->rq->what == TUS_HEAD) {
		SET(CURLOPT_NOBODY, 1L);
		return rc;
	}
	if (g->rq->body_len == 0) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0);
		SET(CURLOPT_POSTFIELDS, "");
	} else {
		SET(CURLOPT_UPLOAD, 1L);
		SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)g->rq->body_len);
		SET(CURLOPT_READFUNCTION, give_body);
		SET(CURLOPT_READDATA, g);
		SET(CURLOPT_SEEKFUNCTION, seek_body);
		SET(CURLOPT_SEEKDATA, g);
		SET(CURLOPT_PREREQFUNCTION, before_sending);
		SET(CURLOPT_PREREQDATA, g);
	}
	SET(CURLOPT_CUSTOMREQUEST, g->rq->what == TUS_PATCH ? "PATCH" : "POST");
	return rc;
}

static void
read_figures(CURL *easy, struct agent_tus_reply *out)
{
	curl_off_t all = 0, ready = 0, after = -1;
	long code = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
	(void)curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &after);
	(void)curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &all);
	(void)curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &ready);
	out->status = (int)code;
	out->retry_after_s = after > 0 && after < 86400 ? (int)after : -1;
	out->took_ms = all > ready ? (uint64_t)(all - ready) / 1000 : 0;
}

enum status
uplink_tus(void *arg, const char *address, struct bytes ca, struct bytes cert,
    struct bytes key, const struct agent_tus *rq, struct agent_tus_reply *out)
{
	char url[URL_MAX], to[ADDRESS_MAX + sizeof(CENTRE_NAME) + 16];
	struct going g = { .rq = rq, .out = out };
	struct curl_slist *connect_to, *headers;
	struct uplink_curl *u = arg;
	CURLcode rc;
	enum status st;

	memset(out, 0, sizeof(*out));
	out->retry_after_s = -1;
	if (ca.len == 0 || cert.len == 0)
		return ST_INVALID;
	if (strlen(address) > ADDRESS_MAX)
		return ST_LIMIT;
	st = uplink_hold(u, ca, cert, key);
	if (st != ST_OK)
		return st;
	(void)snprintf(url, sizeof(url),
	    "https://" CENTRE_NAME "/v1/evidence%s%s",
	    rq->what == TUS_CREATE ? "" : "/",
	    rq->what == TUS_CREATE ? "" : rq->upload);
	(void)snprintf(to, sizeof(to), CENTRE_NAME ":443:%s", address);
	connect_to = curl_slist_append(NULL, to);
	headers = headers_of(rq);
	rc = connect_to == NULL || headers == NULL
		 ? CURLE_OUT_OF_MEMORY
		 : uplink_set_link(u->easy, url, connect_to, headers);
	if (rc == CURLE_OK)
		rc = uplink_set_tls(u, true);
	if (rc == CURLE_OK)
		rc = set_body(u->easy, &g);
	if (rc == CURLE_OK)
		rc = curl_easy_perform(u->easy);
	if (rc == CURLE_OK)
		read_figures(u->easy, out);
	else
		out->tls_why = uplink_tls_words(rc);
	/* Nothing of it may outlive this call. */
	curl_easy_reset(u->easy);
	curl_slist_free_all(connect_to);
	curl_slist_free_all(headers);
	if (rc == CURLE_OUT_OF_MEMORY)
		return ST_NOMEM;
	return rc == CURLE_OK ? ST_OK : ST_NET;
}
