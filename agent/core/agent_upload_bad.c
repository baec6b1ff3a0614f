/* agent_upload_bad: refusals, silence and nonsense; when to try again. */
#include <string.h>

#include "agent/core/backoff.h"
#include "agent/core/upload.h"

static enum status
save(struct step *s)
{
	enum status st = log_blob_put(s->a->log, &s->b->row);

	return st == ST_OK ? st : agent_log_why(s->a, st);
}

/* This file later; others may go on. */
static void
put_off(struct step *s, uint64_t least_ms)
{
	uint64_t wait = backoff_ms(s->a->port, ++s->b->fails, -1);

	s->b->sure = false;
	s->b->after_ms = s->now + (wait > least_ms ? wait : least_ms);
}

/* All files later: the centre, or the link, is what fails. */
static void
put_all_off(struct step *s, int retry_after_s, uint64_t least_ms)
{
	struct blobs *all = s->a->blobs;
	uint64_t wait = backoff_ms(s->a->port, ++all->fails, retry_after_s);

	s->b->sure = false;
	all->after_ms = s->now + (wait > least_ms ? wait : least_ms);
	s->out->what = UPLOAD_WAIT;
	s->out->wait_ms = all->after_ms - s->now;
}

enum status
upload_failed(
    struct step *s, enum status st, const struct agent_tus_reply *reply)
{
	struct blobs *all = s->a->blobs;

	s->b->sure = false;
	if (st != ST_NET)
		return agent_why(s->a, st, "通信出错", status_text(st));
	/* Too much for this link, perhaps. */
	all->rate /= 2;
	if (reply->tls_why != NULL && reply->body_up == 0 &&
	    agent_renew_refused(s->a))
		return ST_OK;
	put_all_off(s, -1, 0);
	return agent_why(s->a, ST_NET, "连不上中心，附件稍后续传",
	    "the centre cannot be reached; the upload goes on later from where "
	    "it stopped");
}

/* The upload is gone at the centre, or cannot be right: a new one. */
static enum status
begin_anew(struct step *s)
{
	struct log_blob *r = &s->b->row;

	r->has_upload = false;
	r->sent = 0;
	r->state = BLOB_NAMED;
	s->b->sure = false;
	return save(s);
}

enum status
upload_strange(struct step *s)
{
	enum status st = begin_anew(s);

	put_off(s, 0);
	return st;
}

/* It got other bytes than the record names. */
static enum status
mismatched(struct step *s)
{
	struct log_blob *r = &s->b->row;
	enum status st;

	r->tries++;
	st = begin_anew(s);
	if (r->tries >= AGENT_EVIDENCE_TRIES) {
		r->state = BLOB_MISMATCHED;
		st = st == ST_OK ? save(s) : st;
	}
	put_off(s, 0);
	return st;
}

static enum status
all_denied(struct step *s)
{
	put_all_off(s, -1, UPLOAD_HOPELESS_MS);
	return agent_why(s->a, ST_DENIED, "中心不接受本机的附件",
	    "the centre does not take attachments from this device");
}

enum status
upload_refused(struct step *s, const struct agent_tus_reply *reply)
{
	switch (reply->status) {
	case 404:
	case 405:
	case 410: /* unknown there, or expired */
		if (!s->b->row.has_upload)
			return all_denied(s); /* it takes no files at all */
		if (s->b->fails++ > 0)
			put_off(s, 0);
		return begin_anew(s);
	case 409:
	case 423: /* not where we think it stands; another request has it */
		s->b->sure = false;
		if (s->b->fails++ > 0)
			put_off(s, 0);
		return ST_OK;
	case 460:
		return mismatched(s);
	case 413: /* larger than is taken there */
	case 400:
	case 415:
		put_off(s, UPLOAD_HOPELESS_MS);
		return ST_OK;
	case 401:
	case 403:
		return all_denied(s);
	case 412:
		put_all_off(s, -1, UPLOAD_HOPELESS_MS);
		return agent_why(s->a, ST_DENIED,
		    "中心不支持本程序的上传方式（tus 1.0）：请联系管理员",
		    "the centre does not speak tus 1.0: tell the "
		    "administrator");
	case 507:
		put_all_off(s, reply->retry_after_s, UPLOAD_FULL_MS);
		return agent_why(s->a, ST_AGAIN,
		    "中心存储已满，附件稍后再传；记录照常上传",
		    "the centre's disk is full: files wait, entries go on");
	case 429:
	case 503:
		put_all_off(s, reply->retry_after_s, 1000);
		return agent_why(s->a, ST_AGAIN, "中心繁忙，附件稍后再传",
		    "the centre is busy: files wait");
	default:
		/* Another 2xx than was asked for, without tus, 5xx. */
		put_off(s, 1000);
		return ST_OK;
	}
}
