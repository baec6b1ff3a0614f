#include "server/net/request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "entry/json.h"
#include "server/net/net_internal.h"

enum {
	FIELDS_BYTES_MAX = 8192,
	ANSWER_BYTES_MAX = 1 << 30 /* a whole answer stands in memory */
};

_Thread_local struct rq *rq_dispatching;

struct mailbox *
mailbox_new(uv_async_t *async)
{
	struct mailbox *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	if (pthread_mutex_init(&m->lock, NULL) != 0) {
		free(m);
		return NULL;
	}
	m->refs = 1;
	m->async = async;
	return m;
}

void
mailbox_unref(struct mailbox *m)
{
	bool last;

	if (m == NULL)
		return;
	(void)pthread_mutex_lock(&m->lock);
	last = --m->refs == 0;
	(void)pthread_mutex_unlock(&m->lock);
	if (!last)
		return;
	(void)pthread_mutex_destroy(&m->lock);
	free(m);
}

/* The loop takes no more mail; what still lies there is freed. */
void
mailbox_close(struct mailbox *m)
{
	struct rq *r, *next;

	(void)pthread_mutex_lock(&m->lock);
	m->closed = true;
	m->async = NULL;
	r = m->first;
	m->first = NULL;
	m->last = NULL;
	(void)pthread_mutex_unlock(&m->lock);
	for (; r != NULL; r = next) {
		next = r->next;
		rq_free(r);
	}
}

static void
mailbox_post(struct rq *r, enum rq_mail kind)
{
	struct mailbox *m = r->mail;
	bool closed;

	(void)pthread_mutex_lock(&m->lock);
	closed = m->closed;
	if (!closed) {
		r->kind = kind;
		r->next = NULL;
		if (m->last == NULL)
			m->first = r;
		else
			m->last->next = r;
		m->last = r;
		/* Under the lock: the handle is closed under it too. */
		(void)uv_async_send(m->async);
	}
	(void)pthread_mutex_unlock(&m->lock);
	if (closed)
		rq_free(r);
}

struct rq *
rq_new(struct conn *c)
{
	struct rq *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->mail = c->loop->mail;
	(void)pthread_mutex_lock(&r->mail->lock);
	r->mail->refs++;
	(void)pthread_mutex_unlock(&r->mail->lock);
	buf_init(&r->params, HTTP_TARGET_BYTES_MAX);
	buf_init(&r->body, 1);
	buf_init(&r->fields, FIELDS_BYTES_MAX);
	buf_init(&r->answer, ANSWER_BYTES_MAX);
	r->conn = c;
	r->begun_ms = loop_now(c->loop);
	memcpy(r->addr, c->addr, sizeof(r->addr));
	r->pub.method = "";
	r->pub.addr = r->addr;
	r->pub.listener = c->listener;
	r->pub.loop = c->loop->index;
	r->pub.peer.role = PEER_NONE;
	if (c->tls != NULL)
		r->pub.peer = *tls_conn_peer(c->tls);
	return r;
}

void
rq_free(struct rq *r)
{
	if (r == NULL)
		return;
	atomic_fetch_sub(&r->mail->held, r->held);
	if (r->counted)
		atomic_fetch_sub(&r->mail->open, 1);
	if (r->source != NULL)
		r->source->done(r->source_arg);
	http_head_free(r->head);
	buf_free(&r->params);
	buf_free(&r->body);
	buf_free(&r->fields);
	buf_free(&r->answer);
	mailbox_unref(r->mail);
	free(r);
}

bool
rq_hold(struct rq *r, uint64_t bytes)
{
	const struct net *net = r->conn->loop->net;
	uint64_t share = net->cfg.limits.bodies_bytes_max / net->loop_count;

	if (atomic_load(&r->mail->held) + bytes > share)
		return false;
	atomic_fetch_add(&r->mail->held, bytes);
	r->held += bytes;
	return true;
}

static struct rq *
rq_of(const struct request *rq)
{
	union {
		const struct request *in;
		struct rq *out; /* `pub` is its first member */
	} u = { rq };

	return u.out;
}

struct bytes
request_field(const struct request *rq, const char *name)
{
	return http_head_field(rq_of(rq)->head, name);
}

enum status
request_query(const struct request *rq, struct buf *out, const char *name)
{
	return http_query_get(out, rq->query, name);
}

static void
field_add(struct buf *out, const char *name, const char *value)
{
	/* A line break in a value would be a header, or an answer, more. */
	assert(strpbrk(name, "\r\n: ") == NULL);
	assert(strpbrk(value, "\r\n") == NULL);
	buf_printf(out, "%s: %s\r\n", name, value);
}

static void
answer_set(struct rq *r, const struct reply *re)
{
	assert(re->status >= 200 && re->status <= 599);
	assert(re->field_count <= REPLY_FIELDS_MAX);
	r->status = re->status;
	r->close = re->close;
	if (re->type != NULL)
		field_add(&r->fields, "Content-Type", re->type);
	if (re->retry_after_s > 0)
		buf_printf(
		    &r->fields, "Retry-After: %u\r\n", re->retry_after_s);
	for (size_t i = 0; i < re->field_count; i++)
		field_add(&r->fields, re->field[i].name, re->field[i].value);
	r->source = re->source;
	r->source_arg = re->source_arg;
	r->source_len = re->source == NULL ? 0 : re->source_len;
	r->source_left = r->source_len;
	if (re->take != NULL) {
		buf_free(&r->answer);
		r->answer = *re->take;
		*re->take = (struct buf){ .max = r->answer.max };
	} else {
		buf_bytes(&r->answer, re->body);
	}
}

void
request_reply(struct request *rq, const struct reply *re)
{
	struct rq *r = rq_of(rq);

	answer_set(r, re);
	if (rq_dispatching == r) {
		assert(!r->answered && !r->paused);
		r->answered = true;
		return;
	}
	mailbox_post(r, MAIL_REPLY);
}

void
request_give(struct request *rq, struct bytes piece)
{
	struct rq *r = rq_of(rq);

	assert(r->wanting);
	/* The loop's thread waits for this one, so it looks nowhere else. */
	r->piece = piece;
	if (rq_dispatching == r)
		r->wanting = false;
	else
		mailbox_post(r, MAIL_GIVE);
}

/* What a status means, where we answer by ourselves. */
static const struct {
	unsigned status;
	const char *word, *en, *zh;
} words[] = {
	{ 400, "bad_request", "The request is not well formed.",
	    "请求格式不正确。" },
	{ 401, "unauthorized", "A valid token is needed.", "需要有效的令牌。" },
	{ 403, "forbidden", "This device or user may not do that.",
	    "该设备或用户无权进行此操作。" },
	{ 404, "not_found", "There is nothing here.", "没有此内容。" },
	{ 405, "method_not_allowed", "This cannot be done here.",
	    "此处不支持该操作。" },
	{ 408, "timeout", "The request came too slowly.", "请求传送过慢。" },
	{ 413, "too_large", "The request is too large.", "请求内容过大。" },
	{ 414, "uri_too_long", "The address is too long.", "地址过长。" },
	{ 417, "expectation", "That expectation cannot be met.",
	    "无法满足该请求条件。" },
	{ 429, "too_many", "Too many requests; try again later.",
	    "请求过多，请稍后再试。" },
	{ 431, "header_too_large", "The request's header is too large.",
	    "请求头过大。" },
	{ 500, "internal", "The server failed; nothing was done.",
	    "服务器出错，未作任何处理。" },
	{ 501, "not_implemented", "The server does not do that.",
	    "服务器不支持该操作。" },
	{ 503, "busy", "The server is busy; try again later.",
	    "服务器繁忙，请稍后再试。" },
	{ 505, "version", "Only HTTP/1.1 is spoken here.",
	    "仅支持 HTTP/1.1。" },
};

static void
error_body(struct buf *out, const char *word, const char *en, const char *zh)
{
	buf_str(out, "{\"error\":");
	json_put_str(out, word);
	buf_str(out, ",\"message\":");
	json_put_str(out, en);
	buf_str(out, ",\"zh\":");
	json_put_str(out, zh);
	buf_str(out, "}\n");
}

static size_t
words_of(unsigned status)
{
	size_t i, count = sizeof(words) / sizeof(words[0]);

	for (i = 0; i < count; i++)
		if (words[i].status == status)
			return i;
	return words_of(status < 500 ? 400 : 500);
}

static void
error_reply(struct reply *out, struct buf *body, unsigned status,
    const char *word, const char *en, const char *zh, unsigned retry_after_s)
{
	buf_init(body, ANSWER_BYTES_MAX);
	error_body(body, word, en, zh);
	*out = (struct reply){ .status = status,
		.type = "application/json",
		.take = body,
		.retry_after_s = retry_after_s };
	/* RFC 9110, 11.6.1: whoever is refused so is told what is wanted. */
	if (status == 401)
		out->field[out->field_count++] =
		    (struct reply_field){ "WWW-Authenticate", "Bearer" };
}

void
request_error(struct request *rq, unsigned status, const char *word,
    const char *en, const char *zh, unsigned retry_after_s)
{
	struct reply re;
	struct buf body;

	error_reply(&re, &body, status, word, en, zh, retry_after_s);
	request_reply(rq, &re);
}

void
request_status(struct request *rq, unsigned status, unsigned retry_after_s)
{
	size_t i = words_of(status);

	request_error(
	    rq, status, words[i].word, words[i].en, words[i].zh, retry_after_s);
}

/* The same for a request that no handler has. */
void
rq_answer_status(struct rq *r, unsigned status, unsigned retry_after_s)
{
	size_t i = words_of(status);
	struct reply re;
	struct buf body;

	error_reply(&re, &body, status, words[i].word, words[i].en, words[i].zh,
	    retry_after_s);
	answer_set(r, &re);
}

void
request_pause(struct request *rq)
{
	struct rq *r = rq_of(rq);

	/* Only inside its own `open` or `data`, and once. */
	assert(rq_dispatching == r && !r->paused);
	r->paused = true;
}

void
request_resume(struct request *rq)
{
	struct rq *r = rq_of(rq);

	if (rq_dispatching == r) {
		assert(r->paused);
		r->paused = false;
		return;
	}
	mailbox_post(r, MAIL_RESUME);
}
