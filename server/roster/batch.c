#include "server/roster/batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "entry/json.h"

enum { BATCH_ENTRIES_MAX = 200000, BATCH_TEXT_MAX = 64 << 20 };

/* What batch_add gives when there is no memory; written to, never read. */
static struct batch_entry spare;

void
batch_init(struct batch *b)
{
	memset(b, 0, sizeof(*b));
	buf_init(&b->text, BATCH_TEXT_MAX);
}

void
batch_free(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++)
		free(b->entry[i]);
	free(b->entry);
	free(b->out);
	buf_free(&b->text);
	memset(b, 0, sizeof(*b));
}

static void
fail(struct batch *b, enum status st)
{
	if (b != NULL && b->err == ST_OK)
		b->err = st;
}

static bool
grow(struct batch *b)
{
	size_t cap = b->cap == 0 ? 16 : b->cap * 2;
	struct batch_entry **bigger;

	if (b->count < b->cap)
		return true;
	if (b->count >= BATCH_ENTRIES_MAX)
		return false;
	bigger = realloc(b->entry, cap * sizeof(struct batch_entry *));
	if (bigger == NULL)
		return false;
	b->entry = bigger;
	b->cap = cap;
	return true;
}

struct batch_entry *
batch_add(struct batch *b, const char *rec, const char *kind, enum verb verb,
    const char *by)
{
	struct batch_entry *x = NULL;

	if (grow(b))
		x = calloc(1, sizeof(*x));
	if (x == NULL) {
		fail(b, ST_NOMEM);
		memset(&spare, 0, sizeof(spare));
		return &spare;
	}
	assert(strlen(rec) <= REC_LEN);
	x->batch = b;
	memcpy(x->rec, rec, strlen(rec) + 1);
	x->kind = kind;
	x->verb = verb;
	x->by = by;
	x->data_off = b->text.len;
	b->entry[b->count++] = x;
	return x;
}

/*
 * The text buffer holds, entry by entry, its names and its data; names stand
 * before the data because the data is closed at the commit.
 */
static struct buf *
begin_value(struct batch_entry *x, const char *name)
{
	struct batch *b = x->batch;

	if (b == NULL)
		return NULL;
	if (x->on_count == BATCH_NAMES_MAX) {
		fail(b, ST_LIMIT);
		return NULL;
	}
	x->on[x->on_count].p = NULL;
	x->on[x->on_count].len = strlen(name);
	x->on_count++;
	buf_str(&b->text, name);
	buf_u8(&b->text, '\0');
	return &b->text;
}

static void
end_value(struct batch_entry *x)
{
	if (x->batch != NULL) {
		buf_u8(&x->batch->text, '\0');
		fail(x->batch, x->batch->text.err);
	}
}

void
batch_text(struct batch_entry *x, const char *name, const char *value)
{
	struct buf *t = begin_value(x, name);

	if (t != NULL)
		json_put_str(t, value == NULL ? "" : value);
	end_value(x);
}

void
batch_hex(struct batch_entry *x, const char *name, struct bytes raw)
{
	struct buf *t = begin_value(x, name);

	if (t != NULL)
		json_put_hex(t, raw);
	end_value(x);
}

void
batch_int(struct batch_entry *x, const char *name, int64_t value)
{
	struct buf *t = begin_value(x, name);

	if (t != NULL)
		json_put_int(t, value);
	end_value(x);
}

void
batch_bool(struct batch_entry *x, const char *name, bool value)
{
	struct buf *t = begin_value(x, name);

	if (t != NULL)
		buf_str(t, value ? "true" : "false");
	end_value(x);
}

void
batch_name(struct batch_entry *x, const char *name)
{
	struct buf *t = begin_value(x, name);

	if (t != NULL)
		buf_str(t, "null");
	end_value(x);
}

void
batch_reason(struct batch_entry *x, const char *reason)
{
	if (reason != NULL)
		x->reason = bytes_str(reason);
}

void
batch_more(struct batch_entry *x, struct bytes more)
{
	x->more = more;
}

void
batch_after(struct batch_entry *x, const uint8_t id[ID_LEN])
{
	x->has_after = true;
	memcpy(x->after[0], id, ID_LEN);
}

void
batch_chained(struct batch_entry *x)
{
	x->chained = true;
}

/* Names and values of one entry, out of the text; data into `data`. */
static void
lay_out(struct batch *b, struct batch_entry *x, struct buf *data)
{
	const char *p = (const char *)b->text.p + x->data_off;

	x->data_off = data->len;
	buf_u8(data, '[');
	for (size_t i = 0; i < x->on_count; i++) {
		x->on[i] = bytes_str(p);
		p += x->on[i].len + 1;
		if (i > 0)
			buf_u8(data, ',');
		buf_str(data, p);
		p += strlen(p) + 1;
	}
	buf_u8(data, ']');
	x->data_len = data->len - x->data_off;
}

static void
fill(
    const struct batch_entry *x, const struct buf *data, struct server_entry *s)
{
	memcpy(s->rec, x->rec, sizeof(s->rec));
	s->kind = x->kind;
	s->verb = x->verb;
	s->on = x->on;
	s->on_count = x->on_count;
	s->data = bytes_of(data->p + x->data_off, x->data_len);
	s->reason = x->reason;
	s->more = x->more;
	s->by = x->by;
	s->after = (const uint8_t(*)[ID_LEN])x->after;
	s->after_count = x->has_after ? 1 : 0;
	s->chained = x->chained;
}

enum status
batch_commit(struct batch *b, struct centre *c,
    enum status (*check)(void *arg, struct store *s), void *arg)
{
	struct commit_job job = {
		.entry_count = b->count, .check = check, .arg = arg
	};
	struct buf data;
	enum status st = b->err;

	if (st != ST_OK || b->count == 0)
		return st;
	b->out = calloc(b->count, sizeof(*b->out));
	if (b->out == NULL)
		return ST_NOMEM;
	buf_init(&data, BATCH_TEXT_MAX);
	for (size_t i = 0; i < b->count; i++)
		lay_out(b, b->entry[i], &data);
	if (data.err == ST_OK) {
		for (size_t i = 0; i < b->count; i++)
			fill(b->entry[i], &data, &b->out[i]);
		job.entry = b->out;
		st = committer_wait(centre_committer(c), &job);
	} else {
		st = data.err;
	}
	buf_free(&data);
	return st;
}

uint64_t
batch_place(const struct batch *b, size_t i)
{
	assert(b->out != NULL && i < b->count);
	return b->out[i].place;
}
