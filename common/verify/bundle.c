/* bundle: see the header. */
#include "verify/bundle.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tlog/note.h"

static const char magic[] = "daybreak-bundle/";
static const char version[] = "1\n";

void
bundle_init(struct bundle *b)
{
	memset(b, 0, sizeof(*b));
}

void
bundle_free(struct bundle *b)
{
	if (b == NULL)
		return;
	free(b->run);
	free(b->step);
	free(b->mark);
	memset(b, 0, sizeof(*b));
}

/* One element more of *array (of `size` bytes each), zeroed, or NULL. */
static void *
one_more(void *array, size_t *count, size_t *cap, size_t size, size_t max)
{
	void **p = array;
	uint8_t *at;

	if (*count >= max)
		return NULL;
	if (*count == *cap) {
		size_t want = *cap == 0 ? 16 : *cap * 2;
		void *grown = realloc(*p, want * size);

		if (grown == NULL)
			return NULL;
		*p = grown;
		*cap = want;
	}
	at = (uint8_t *)*p + (*count)++ * size;
	memset(at, 0, size);
	return at;
}

struct bundle_run *
bundle_add_run(struct bundle *b)
{
	return one_more(&b->run, &b->run_count, &b->run_cap, sizeof(*b->run),
	    BUNDLE_RUNS_MAX);
}

struct bundle_step *
bundle_add_step(struct bundle *b)
{
	return one_more(&b->step, &b->step_count, &b->step_cap,
	    sizeof(*b->step), BUNDLE_STEPS_MAX);
}

struct bundle_mark *
bundle_add_mark(struct bundle *b)
{
	return one_more(&b->mark, &b->mark_count, &b->mark_cap,
	    sizeof(*b->mark), BUNDLE_MARKS_MAX);
}

void
bundle_line(uint8_t out[BUNDLE_LINE_LEN], const struct bundle_run *r,
    const uint8_t link[HASH_LEN])
{
	uint8_t *at = out;

	memcpy(at, r->salt, BUNDLE_LINE_SALT);
	at += BUNDLE_LINE_SALT;
	memcpy(at, r->chain, CHAIN_LEN);
	at += CHAIN_LEN;
	be64_put(at, r->first);
	be64_put(at + 8, r->seq + r->step_count - 1);
	at += 16;
	memcpy(at, link, HASH_LEN);
	at += HASH_LEN;
	memcpy(at, r->sig, SIG_LEN);
	assert(at + SIG_LEN == out + BUNDLE_LINE_LEN);
}

/* ---- reading */

/* A reader of a bundle that keeps the first thing that was wrong. */
struct rd {
	struct bundle *b;
	struct reader r;
	size_t len;
	enum status st;
};

static void
wrong(struct rd *d, const char *why)
{
	if (d->st != ST_OK)
		return;
	d->st = ST_CORRUPT;
	d->b->why = why;
	d->b->where = d->len - d->r.left;
}

/* Reads of so many bytes fail only where the file ends. */
static bool
good(struct rd *d)
{
	if (d->st == ST_OK && d->r.bad) {
		wrong(d, "the file ends too soon");
		d->b->cut = true;
	}
	return d->st == ST_OK;
}

static uint64_t
number(struct rd *d, uint64_t max, const char *why)
{
	size_t left = d->r.left;
	const uint8_t *p = d->r.p;
	uint64_t n = reader_varint(&d->r);

	if (d->st == ST_OK && d->r.bad) {
		bool cut = left < 10;

		for (size_t i = 0; i < left && cut; i++)
			cut = (p[i] & 0x80) != 0;
		wrong(d, cut ? "the file ends too soon" : why);
		d->b->cut = cut;
	}
	if (d->st == ST_OK && n > max)
		wrong(d, why);
	return d->st == ST_OK ? n : 0;
}

static struct bytes
take(struct rd *d, size_t len)
{
	struct bytes out = reader_take(&d->r, len);

	return good(d) ? out : bytes_of(NULL, 0);
}

static void
copy(struct rd *d, void *out, size_t len)
{
	reader_copy(&d->r, out, len);
	(void)good(d);
}

static struct bytes
sized(struct rd *d, size_t max, const char *why)
{
	return take(d, (size_t)number(d, max, why));
}

/* A count, and so many things of `each` bytes. */
static struct bytes
row(struct rd *d, size_t max, size_t each, const char *why)
{
	return take(d, (size_t)number(d, max, why) * each);
}

static void
read_step(struct rd *d)
{
	struct bundle_step *s = bundle_add_step(d->b);
	uint8_t tag = reader_u8(&d->r);

	if (s == NULL) {
		if (d->st == ST_OK)
			d->st = d->b->step_count == BUNDLE_STEPS_MAX ? ST_LIMIT
								     : ST_NOMEM;
		return;
	}
	if (!good(d))
		return;
	if (tag == 0)
		copy(d, s->digest, HASH_LEN);
	else if (tag != 1)
		wrong(d, "a step of another sort");
	else
		s->entry = sized(d, ENTRY_BYTES_MAX, "an entry is too long");
	if (d->st == ST_OK && tag == 1 && s->entry.len == 0)
		wrong(d, "an entry of no bytes");
}

static void
read_run(struct rd *d)
{
	struct bundle_run *r = bundle_add_run(d->b);
	uint8_t form = reader_u8(&d->r);

	if (r == NULL) {
		if (d->st == ST_OK)
			d->st = ST_NOMEM;
		return;
	}
	if (good(d) && form > BUNDLE_RETURNED)
		wrong(d, "a run of another form");
	r->form = (enum bundle_form)form;
	copy(d, r->chain, CHAIN_LEN);
	copy(d, r->key, PUBKEY_LEN);
	r->place = number(d, INT64_MAX, "a place that no tree has");
	r->seq = number(d, INT64_MAX, "a seq that no chain has");
	copy(d, r->base, HASH_LEN);
	r->step = d->b->step_count;
	r->step_count =
	    (size_t)number(d, BUNDLE_STEPS_MAX, "too many steps in a run");
	if (d->st == ST_OK && (r->step_count == 0 || r->seq == 0))
		wrong(d, "a run of no steps, or that begins at seq 0");
	for (size_t i = 0; i < r->step_count && d->st == ST_OK; i++)
		read_step(d);
	copy(d, r->sig, SIG_LEN);
	if (form == BUNDLE_OWN)
		return;
	copy(d, r->salt, BUNDLE_LINE_SALT);
	r->first = number(d, INT64_MAX, "a seq that no chain has");
	r->index = number(d, INT64_MAX, "a line that no commit has");
	r->path = row(d, BUNDLE_PATH_MAX, HASH_LEN, "too long a path");
	if (d->st == ST_OK && (r->first == 0 || r->first > r->seq))
		wrong(d, "a run that begins before its piece");
	if (form != BUNDLE_RETURNED)
		return;
	r->old_note = sized(d, NOTE_BYTES_MAX, "an old checkpoint too long");
	r->old_place = number(d, INT64_MAX, "a place that no tree has");
	r->old_path = row(d, BUNDLE_PATH_MAX, HASH_LEN, "too long a path");
}

static void
read_mark(struct rd *d)
{
	struct bundle_mark *m = bundle_add_mark(d->b);

	if (m == NULL) {
		if (d->st == ST_OK)
			d->st = ST_NOMEM;
		return;
	}
	m->place = number(d, INT64_MAX, "a place that no tree has");
	copy(d, m->link, HASH_LEN);
}

static void
read_all(struct rd *d)
{
	uint64_t n;

	d->b->note = sized(d, NOTE_BYTES_MAX, "the checkpoint is too long");
	d->b->manifest = number(d, INT64_MAX, "a place that no tree has");
	n = number(d, BUNDLE_RUNS_MAX, "too many runs");
	for (uint64_t i = 0; i < n && d->st == ST_OK; i++)
		read_run(d);
	d->b->ids = row(d, BUNDLE_STEPS_MAX, ID_LEN, "too many ids");
	n = number(d, BUNDLE_MARKS_MAX, "too many marks");
	for (uint64_t i = 0; i < n && d->st == ST_OK; i++)
		read_mark(d);
	d->b->proof =
	    row(d, BUNDLE_BYTES_MAX / HASH_LEN, HASH_LEN, "too long a proof");
	if (d->st == ST_OK && d->r.left > 0)
		wrong(d, "something stands behind the end");
}

enum status
bundle_read(struct bundle *b, struct bytes file)
{
	struct rd d = { .b = b, .len = file.len };
	size_t head = sizeof(magic) - 1 + sizeof(version) - 1;

	if (!bytes_starts(file, magic))
		return ST_INVALID;
	if (file.len < head)
		return ST_INVALID;
	if (memcmp(file.p + sizeof(magic) - 1, version, sizeof(version) - 1) !=
	    0)
		return ST_NEWER;
	if (file.len > BUNDLE_BYTES_MAX)
		return ST_LIMIT;
	reader_init(&d.r, bytes_of(file.p + head, file.len - head));
	read_all(&d);
	return d.st;
}

/* ---- writing */

static void
write_run(const struct bundle *b, const struct bundle_run *r, struct buf *out)
{
	buf_u8(out, (uint8_t)r->form);
	buf_add(out, r->chain, CHAIN_LEN);
	buf_add(out, r->key, PUBKEY_LEN);
	buf_varint(out, r->place);
	buf_varint(out, r->seq);
	buf_add(out, r->base, HASH_LEN);
	buf_varint(out, r->step_count);
	for (size_t i = 0; i < r->step_count; i++) {
		const struct bundle_step *s = &b->step[r->step + i];

		buf_u8(out, s->entry.len > 0);
		if (s->entry.len > 0)
			buf_sized(out, s->entry);
		else
			buf_add(out, s->digest, HASH_LEN);
	}
	buf_add(out, r->sig, SIG_LEN);
	if (r->form == BUNDLE_OWN)
		return;
	buf_add(out, r->salt, BUNDLE_LINE_SALT);
	buf_varint(out, r->first);
	buf_varint(out, r->index);
	buf_varint(out, r->path.len / HASH_LEN);
	buf_bytes(out, r->path);
	if (r->form != BUNDLE_RETURNED)
		return;
	buf_sized(out, r->old_note);
	buf_varint(out, r->old_place);
	buf_varint(out, r->old_path.len / HASH_LEN);
	buf_bytes(out, r->old_path);
}

enum status
bundle_write(const struct bundle *b, struct buf *out)
{
	buf_str(out, magic);
	buf_str(out, version);
	buf_sized(out, b->note);
	buf_varint(out, b->manifest);
	buf_varint(out, b->run_count);
	for (size_t i = 0; i < b->run_count; i++)
		write_run(b, &b->run[i], out);
	buf_varint(out, b->ids.len / ID_LEN);
	buf_bytes(out, b->ids);
	buf_varint(out, b->mark_count);
	for (size_t i = 0; i < b->mark_count; i++) {
		buf_varint(out, b->mark[i].place);
		buf_add(out, b->mark[i].link, HASH_LEN);
	}
	buf_varint(out, b->proof.len / HASH_LEN);
	buf_bytes(out, b->proof);
	return out->err;
}
