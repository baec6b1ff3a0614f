/* holds_put: `hold` and `admit` entries, as docs/MERGE.md has them. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "server/upkeep/holds.h"

enum {
	IDS_MAX = 1000, /* in one entry: well below its limit */
	PLACES_AT_ONCE = 512,
	HEX_LEN = 2 * ID_LEN
};

/* One entry to be, and what it points into. */
struct word {
	struct bytes *on;         /* owned */
	char *hex;                /* owned: the ids that `on` names */
	struct buf data;          /* nulls */
	uint8_t (*after)[ID_LEN]; /* owned */
	size_t after_count;
};

/* What was said of these ids before: the last words. */
struct said {
	uint8_t id[ID_LEN];
	uint8_t (*after)[ID_LEN]; /* owned */
	size_t after_count;
};

struct saying {
	const struct holds *h;
	struct entry e;
	struct said *said; /* owned; of the record at hand */
	size_t said_count, said_cap;
	struct word *word;          /* owned */
	struct server_entry *entry; /* owned; as many as words */
	size_t count;
};

/* ---- what was said before */

static bool
names_one(const struct entry *e, const struct holds_row *rows, size_t count)
{
	uint8_t id[ID_LEN];

	for (size_t i = 0; i < e->on_count; i++) {
		if (hex_decode(id, ID_LEN, e->on[i]) != ST_OK)
			continue;
		for (size_t k = 0; k < count; k++)
			if (memcmp(id, rows[k].id, ID_LEN) == 0)
				return true;
	}
	return false;
}

static enum status
note_said(struct saying *s, const uint8_t link[HASH_LEN])
{
	struct said *one;

	if (s->said_count == s->said_cap) {
		size_t cap = s->said_cap == 0 ? 16 : 2 * s->said_cap;
		struct said *bigger = realloc(s->said, cap * sizeof(*bigger));

		if (bigger == NULL)
			return ST_NOMEM;
		s->said = bigger;
		s->said_cap = cap;
	}
	one = &s->said[s->said_count];
	memset(one, 0, sizeof(*one));
	memcpy(one->id, link, ID_LEN);
	if (s->e.after_count > 0) {
		one->after = malloc(s->e.after_count * ID_LEN);
		if (one->after == NULL)
			return ST_NOMEM;
		memcpy(one->after, s->e.after, s->e.after_count * ID_LEN);
		one->after_count = s->e.after_count;
	}
	s->said_count++;
	return ST_OK;
}

static void
forget_said(struct saying *s)
{
	for (size_t i = 0; i < s->said_count; i++)
		free(s->said[i].after);
	s->said_count = 0;
}

static enum status
read_said(struct saying *s, const struct holds_row *rows, size_t count)
{
	uint64_t place[PLACES_AT_ONCE], from = 0;
	struct centre_entry ce;
	size_t n;
	enum status st;

	forget_said(s);
	do {
		st = feed_record(
		    s->h->feed, rows->rec, from, place, PLACES_AT_ONCE, &n);
		for (size_t i = 0; i < n && st == ST_OK; i++) {
			from = place[i] + 1;
			st = centre_entry(s->h->reader, place[i], &ce);
			if (st != ST_OK || (ce.flags & STORE_SERVER) == 0)
				continue;
			st = entry_parse(&s->e, ce.bytes);
			if (st == ST_OK &&
			    (s->e.verb == DO_HOLD || s->e.verb == DO_ADMIT) &&
			    names_one(&s->e, rows, count))
				st = note_said(s, ce.link);
			st = st == ST_INVALID ? ST_OK : st;
		}
	} while (st == ST_OK && n == PLACES_AT_ONCE);
	return st;
}

/* Known to a later word: that one stands for it. */
static bool
is_answered(const struct saying *s, const uint8_t id[ID_LEN])
{
	for (size_t i = 0; i < s->said_count; i++)
		for (size_t k = 0; k < s->said[i].after_count; k++)
			if (memcmp(s->said[i].after[k], id, ID_LEN) == 0)
				return true;
	return false;
}

static enum status
put_after(const struct saying *s, struct word *w)
{
	w->after = calloc(s->said_count + 1, ID_LEN);
	if (w->after == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < s->said_count; i++) {
		if (is_answered(s, s->said[i].id))
			continue;
		/* More than an entry can name: the last ones are what the
		 * order goes by. */
		if (w->after_count == AFTER_COUNT_MAX) {
			memmove(w->after, w->after + 1,
			    (AFTER_COUNT_MAX - 1) * ID_LEN);
			w->after_count--;
		}
		memcpy(w->after[w->after_count++], s->said[i].id, ID_LEN);
	}
	return ST_OK;
}

/* ---- one entry */

static enum status
put_word(struct saying *s, const struct holds_row *rows, size_t count,
    enum verb verb, const char *reason, const char *by)
{
	struct word *w = &s->word[s->count];
	struct server_entry *e = &s->entry[s->count];
	enum status st = read_said(s, rows, count);

	s->count++;
	buf_init(&w->data, ENTRY_BYTES_MAX);
	if (st != ST_OK)
		return st;
	w->on = calloc(count, sizeof(*w->on));
	w->hex = malloc(count * HEX_LEN + 1);
	if (w->on == NULL || w->hex == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < count; i++) {
		hex_encode(w->hex + i * HEX_LEN, bytes_of(rows[i].id, ID_LEN));
		w->on[i] =
		    (struct bytes){ (const uint8_t *)w->hex + i * HEX_LEN,
			    HEX_LEN };
		buf_str(&w->data, i == 0 ? "[null" : ",null");
	}
	buf_u8(&w->data, ']');
	st = w->data.err;
	if (st == ST_OK)
		st = put_after(s, w);
	if (st != ST_OK)
		return st;
	memcpy(e->rec, rows->rec, sizeof(e->rec));
	e->kind = rows->kind;
	e->verb = verb;
	e->on = w->on;
	e->on_count = count;
	e->data = buf_view(&w->data);
	e->reason = bytes_str(reason);
	e->by = by;
	e->after = (const uint8_t(*)[ID_LEN])w->after;
	e->after_count = w->after_count;
	return ST_OK;
}

static int
by_record(const void *a, const void *b)
{
	const struct holds_row *x = a, *y = b;
	int n = memcmp(x->rec, y->rec, REC_LEN);

	return n != 0 ? n : memcmp(x->id, y->id, ID_LEN);
}

/* Two of one id: one is enough. */
static size_t
drop_repeats(struct holds_row *rows, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (n == 0 || memcmp(rows[n - 1].id, rows[i].id, ID_LEN) != 0)
			rows[n++] = rows[i];
	return n;
}

static enum status
commit(struct saying *s)
{
	struct commit_job job = { .entry = s->entry, .entry_count = s->count };

	return committer_wait(centre_committer(s->h->centre), &job);
}

static void
finish(struct saying *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->word[i].on);
		free(s->word[i].hex);
		free(s->word[i].after);
		buf_free(&s->word[i].data);
	}
	forget_said(s);
	free(s->said);
	free(s->word);
	free(s->entry);
	entry_free(&s->e);
}

enum status
holds_put(const struct holds *h, enum verb verb, struct holds_row *rows,
    size_t count, const char *reason, const char *by)
{
	struct saying s = { .h = h };
	size_t from = 0, to;
	enum status st = ST_OK;

	assert(verb == DO_HOLD || verb == DO_ADMIT);
	if (count == 0)
		return ST_OK;
	qsort(rows, count, sizeof(*rows), by_record);
	count = drop_repeats(rows, count);
	entry_init(&s.e);
	s.word = calloc(count, sizeof(*s.word));
	s.entry = calloc(count, sizeof(*s.entry));
	if (s.word == NULL || s.entry == NULL)
		st = ST_NOMEM;
	for (; from < count && st == ST_OK; from = to) {
		to = from + 1;
		while (to < count && to - from < IDS_MAX &&
		       memcmp(rows[to].rec, rows[from].rec, REC_LEN) == 0)
			to++;
		st = put_word(&s, rows + from, to - from, verb, reason, by);
	}
	if (st == ST_OK)
		st = commit(&s);
	finish(&s);
	return st;
}
