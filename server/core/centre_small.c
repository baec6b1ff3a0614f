/* centre_small: what the centre keeps beside the log. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "server/core/centre_folder.h"
#include "server/core/centre_inner.h"

void
centre_set_errmsg(struct centre *c, const char *fmt, ...)
{
	va_list ap;

	(void)pthread_mutex_lock(&c->lock);
	va_start(ap, fmt);
	(void)vsnprintf(c->errmsg, sizeof(c->errmsg), fmt, ap);
	va_end(ap);
	(void)pthread_mutex_unlock(&c->lock);
}

void
centre_errmsg(struct centre *c, char out[CENTRE_ERRMSG_LEN])
{
	(void)pthread_mutex_lock(&c->lock);
	memcpy(out, c->errmsg, CENTRE_ERRMSG_LEN);
	(void)pthread_mutex_unlock(&c->lock);
}

void
centre_new_rec(struct centre *c, char out[REC_LEN + 1])
{
	uint8_t rnd[10];

	port_random(c->port, rnd, sizeof(rnd));
	rec_new(out, port_wall_ms(c->port), rnd);
}

/* ---- attempts */

static struct waiting_attempt *
attempt_of(struct centre *c, const char *sort, const char *subject)
{
	struct waiting_attempt *a;

	for (size_t i = 0; i < c->attempt_count; i++) {
		a = &c->attempt[i];
		if (strcmp(a->sort, sort) == 0 &&
		    strcmp(a->subject, subject) == 0)
			return a;
	}
	if (c->attempt == NULL)
		c->attempt = calloc(ATTEMPTS_WAITING_MAX, sizeof(*c->attempt));
	/* Who floods us with subjects is counted under none. */
	if (c->attempt == NULL || c->attempt_count == ATTEMPTS_WAITING_MAX)
		return NULL;
	a = &c->attempt[c->attempt_count++];
	memset(a, 0, sizeof(*a));
	(void)snprintf(a->sort, sizeof(a->sort), "%s", sort);
	(void)snprintf(a->subject, sizeof(a->subject), "%s", subject);
	a->first = port_wall_ms(c->port);
	return a;
}

void
centre_attempt(
    struct centre *c, const char *sort, const char *subject, const char *doc)
{
	char key[ATTEMPT_SUBJECT_MAX + 1];
	struct waiting_attempt *a;

	(void)snprintf(key, sizeof(key), "%s", subject);
	(void)pthread_mutex_lock(&c->lock);
	a = attempt_of(c, sort, key);
	if (a != NULL) {
		a->last = port_wall_ms(c->port);
		a->count++;
		/* Cut in the middle it would be no JSON. */
		(void)snprintf(a->doc, sizeof(a->doc), "%s",
		    strlen(doc) > ATTEMPT_DOC_MAX ? "{}" : doc);
	}
	(void)pthread_mutex_unlock(&c->lock);
}

enum status
centre_put_attempts(struct centre *c, struct store *s, size_t *count)
{
	enum status st = ST_OK;

	(void)pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->attempt_count && st == ST_OK; i++) {
		struct waiting_attempt *w = &c->attempt[i];
		struct store_attempt a = { .sort = bytes_str(w->sort),
			.subject = bytes_str(w->subject),
			.first_wall = w->first,
			.last_wall = w->last,
			.count = w->count,
			.doc = bytes_str(w->doc) };

		st = store_put_attempt(s, &a);
		w->put = w->count;
	}
	if (st == ST_OK)
		*count = c->attempt_count;
	(void)pthread_mutex_unlock(&c->lock);
	return st;
}

/* What was counted again since it was put waits for the next commit. */
void
centre_attempts_written(struct centre *c, size_t count)
{
	size_t kept = 0;

	(void)pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->attempt_count; i++) {
		struct waiting_attempt *w = &c->attempt[i];

		if (i < count) {
			w->count -= w->put;
			w->put = 0;
			if (w->count == 0)
				continue;
		}
		if (kept != i)
			c->attempt[kept] = *w;
		kept++;
	}
	c->attempt_count = kept;
	(void)pthread_mutex_unlock(&c->lock);
}

enum status
centre_flush(struct centre *c)
{
	struct commit_job job = { 0 };
	size_t count;

	(void)pthread_mutex_lock(&c->lock);
	count = c->attempt_count;
	(void)pthread_mutex_unlock(&c->lock);
	return count == 0 ? ST_OK : committer_wait(c->committer, &job);
}

/* ---- alarms and docs: small jobs */

static enum status
put_alarm(void *arg, struct store *s)
{
	return store_put_alarm(s, arg);
}

enum status
centre_alarm(
    struct centre *c, const char *sort, const char *dev, const char *doc)
{
	struct store_alarm a = { .wall = port_wall_ms(c->port),
		.sort = bytes_str(sort),
		.dev = bytes_str(dev),
		.doc = bytes_str(doc) };
	struct commit_job job = { .check = put_alarm, .arg = &a };

	return committer_wait(c->committer, &job);
}

static enum status
put_doc(void *arg, struct store *s)
{
	return store_put_doc(s, arg);
}

enum status
centre_put_doc(struct centre *c, const struct store_doc *d)
{
	struct store_doc copy = *d;
	struct commit_job job = { .check = put_doc, .arg = &copy };

	return committer_wait(c->committer, &job);
}

struct removal {
	const char *sort;
	struct bytes key;
};

static enum status
remove_doc(void *arg, struct store *s)
{
	const struct removal *rm = arg;

	return store_remove_doc(s, rm->sort, rm->key);
}

enum status
centre_remove_doc(struct centre *c, const char *sort, struct bytes key)
{
	struct removal rm = { .sort = sort, .key = key };
	struct commit_job job = { .check = remove_doc, .arg = &rm };

	return committer_wait(c->committer, &job);
}

/* ---- the kept size */

/* In the transaction: another backup may have come first. */
static enum status
put_kept(void *arg, struct store *s)
{
	const uint8_t *size = arg;
	struct buf b;
	enum status st;

	buf_init(&b, 8);
	st = store_meta(store_inside(s), META_KEPT, &b);
	if (st == ST_OK && b.len != 8)
		st = ST_CORRUPT;
	if (st == ST_OK && be64_get(b.p) >= be64_get(size))
		st = ST_CONFLICT;
	if (st == ST_OK || st == ST_ABSENT)
		st = store_put_meta(s, META_KEPT, bytes_of(size, 8));
	buf_free(&b);
	return st;
}

enum status
centre_keep(struct centre *c, uint64_t size, const char *by, bool *raised)
{
	const struct bytes on[] = { bytes_str("size") };
	struct server_entry e = { .kind = "kept@1",
		.verb = DO_OPEN,
		.on = on,
		.on_count = 1,
		.by = by };
	uint8_t be[8];
	struct commit_job job = {
		.entry = &e, .entry_count = 1, .check = put_kept, .arg = be
	};
	struct buf data;
	enum status st;

	*raised = false;
	be64_put(be, size);
	buf_init(&data, 64);
	buf_printf(&data, "[%llu]", (unsigned long long)size);
	e.data = buf_view(&data);
	st = data.err;
	if (st == ST_OK)
		st = committer_wait(c->committer, &job);
	buf_free(&data);
	if (st == ST_CONFLICT)
		return ST_OK;
	if (st != ST_OK)
		return st;
	*raised = true;
	(void)pthread_mutex_lock(&c->lock);
	if (c->kept < size)
		c->kept = size;
	(void)pthread_mutex_unlock(&c->lock);
	return ST_OK;
}

/* ---- a transaction's beginning */

enum { BEGIN_TRIES = 16 };

enum status
centre_begin(struct centre *c, struct store_head *head)
{
	for (int tries = 0; tries < BEGIN_TRIES; tries++) {
		enum status st = store_begin(c->store, head);

		/* c->head is what the observers were told of last. */
		if (st != ST_OK || head->size == c->head.size)
			return st;
		store_rollback(c->store);
		st = centre_sign_head(c);
		if (st != ST_OK)
			return st;
	}
	return ST_AGAIN;
}
