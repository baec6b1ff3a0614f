#include "server/project/fold.h"

#include <stdlib.h>
#include <string.h>

#include "server/project/fold_impl.h"

enum { FOLD_BYTES_MAX = 512 << 20, PLACES_STEP = 256 };

enum status
fold_new(struct fold **out, const struct fold_config *c)
{
	struct fold *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return ST_NOMEM;
	f->cfg = *c;
	buf_init(&f->bytes, FOLD_BYTES_MAX);
	buf_init(&f->state_bytes, FOLD_BYTES_MAX);
	state_init(&f->state);
	findings_init(&f->findings);
	lives_init(&f->lives);
	entry_init(&f->peek);
	facts_init(&f->facts);
	*out = f;
	return ST_OK;
}

static void
forget_kept(struct fold *f)
{
	for (size_t i = 0; i < f->kept_count; i++)
		free(f->kept[i]);
	f->kept_count = 0;
}

void
fold_domain(struct fold *f, const struct kinds *ks, const struct rules *rs)
{
	f->cfg.kinds = ks;
	f->cfg.rules = rs;
}

void
fold_free(struct fold *f)
{
	if (f == NULL)
		return;
	merge_free(f->merge);
	buf_free(&f->bytes);
	buf_free(&f->state_bytes);
	state_free(&f->state);
	findings_free(&f->findings);
	lives_free(&f->lives);
	entry_free(&f->peek);
	facts_free(&f->facts);
	forget_kept(f);
	free(f->kept);
	free(f->judged);
	free(f->row);
	free(f);
}

static enum status
grow_rows(struct fold *f)
{
	size_t cap = f->cap == 0 ? 64 : f->cap * 2;
	struct row *bigger;

	if (f->count < f->cap)
		return ST_OK;
	bigger = realloc(f->row, cap * sizeof(*bigger));
	if (bigger == NULL)
		return ST_NOMEM;
	f->row = bigger;
	f->cap = cap;
	return ST_OK;
}

static enum status
take_row(struct fold *f, const struct centre_entry *ce)
{
	struct centre_entry e = *ce;
	struct row *r;
	enum status st = grow_rows(f);

	if (st != ST_OK)
		return st;
	r = &f->row[f->count++];
	memcpy(r->id, e.link, ID_LEN);
	memcpy(r->chain, e.chain, CHAIN_LEN);
	r->seq = e.seq;
	r->place = e.place;
	r->received_ms = e.received_ms;
	r->flags = e.flags;
	r->off = f->bytes.len;
	r->len = e.bytes.len;
	buf_bytes(&f->bytes, e.bytes);
	return f->bytes.err;
}

static enum status
take_entry(struct fold *f, uint64_t place)
{
	struct centre_entry e;
	enum status st;

	if (place >= f->bound)
		return ST_OK;
	st = centre_entry_alone(f->cfg.reader, place, &e);
	if (st != ST_OK || (e.flags & STORE_LOST) != 0)
		return st;
	return take_row(f, &e);
}

static enum status
gather_places(struct fold *f, const char *rec)
{
	uint64_t places[PLACES_STEP], from = 0;
	size_t n = PLACES_STEP;
	enum status st = ST_OK;

	while (st == ST_OK && n == PLACES_STEP) {
		st = feed_record(
		    f->cfg.feed, rec, from, places, PLACES_STEP, &n);
		for (size_t i = 0; st == ST_OK && i < n; i++)
			st = take_entry(f, places[i]);
		if (n > 0)
			from = places[n - 1] + 1;
	}
	return st;
}

/* Commits belong to no record that the feed knows of (feed_apply). */
static bool
is_book_keeping(struct fold *f, const struct centre_entry *e)
{
	return (e->flags & STORE_SERVER) != 0 &&
	       entry_parse_head(&f->peek, e->bytes) == ST_OK &&
	       bytes_eq_str(f->peek.kind, "commit@1");
}

/* Of the log from `from` on, what is of that record: as the feed would say
 * once it has followed it. */
static enum status
gather_tail(struct fold *f, const char *rec, uint64_t from)
{
	struct centre_scan *scan;
	struct centre_entry e;
	uint64_t size = centre_reader_size(f->cfg.reader);
	enum status st;

	if (size > from && size - from > f->cfg.tail_max)
		return ST_AGAIN;
	st = centre_scan_open(&scan, f->cfg.reader, from, size);
	if (st != ST_OK)
		return st;
	while ((st = centre_scan_next(scan, &e)) == ST_OK) {
		struct bytes of;
		enum verb verb;

		if ((e.flags & STORE_LOST) != 0)
			continue;
		st = entry_glance(&f->peek, e.bytes,
		    (e.flags & STORE_MALFORMED) == 0, &of, &verb);
		if (st == ST_OK && bytes_eq_str(of, rec) &&
		    !is_book_keeping(f, &e))
			st = take_row(f, &e);
		if (st != ST_OK)
			break;
	}
	centre_scan_close(scan);
	return st == ST_ABSENT ? ST_OK : st;
}

static enum status
gather(struct fold *f, const char *rec, uint64_t bound)
{
	bool bounded = bound != UINT64_MAX;
	bool tail = f->cfg.tail_max > 0 && !bounded;
	uint64_t followed = 0;
	enum status st = ST_OK;

	f->count = 0;
	f->bound = bound;
	buf_reset(&f->bytes);
	if (tail || bounded) {
		/* Places and position of one moment. */
		st = feed_hold(f->cfg.feed);
		if (st != ST_OK)
			return st;
		st = feed_read_size(f->cfg.feed, &followed);
	}
	if (st == ST_OK && bounded && followed < bound)
		st = ST_AGAIN;
	if (st == ST_OK)
		st = gather_places(f, rec);
	if (tail || bounded)
		feed_release(f->cfg.feed);
	if (st == ST_OK && tail)
		st = gather_tail(f, rec, followed);
	if (st == ST_OK && f->count == 0)
		return ST_ABSENT;
	return st;
}

struct bytes
fold_raw(const struct fold *f, size_t i)
{
	return bytes_of(f->bytes.p + f->row[i].off, f->row[i].len);
}

static enum status
grow_judged(struct fold *f)
{
	struct rules_entry *judged;

	if (f->count <= f->judged_cap)
		return ST_OK;
	judged = realloc(f->judged, f->cap * sizeof(*judged));
	if (judged == NULL)
		return ST_NOMEM;
	f->judged = judged;
	f->judged_cap = f->cap;
	return ST_OK;
}

/* See that `text` stays: in the entry's bytes, or else (it had an escape) as a
 * copy of ours. */
static enum status
keep_text(struct fold *f, struct bytes raw, struct bytes *text)
{
	uintptr_t at = (uintptr_t)text->p, from = (uintptr_t)raw.p;
	uint8_t **kept, *copy;

	if (text->len == 0 || (at >= from && at < from + raw.len))
		return ST_OK;
	/* Rare, so each copy is a block of its own: none of them moves. */
	kept = realloc(f->kept, (f->kept_count + 1) * sizeof(*kept));
	if (kept == NULL)
		return ST_NOMEM;
	f->kept = kept;
	copy = malloc(text->len);
	if (copy == NULL)
		return ST_NOMEM;
	memcpy(copy, text->p, text->len);
	f->kept[f->kept_count++] = copy;
	text->p = copy;
	return ST_OK;
}

/* What the rules, and lists, want of an entry; `e` as merge has just read it.
 */
static enum status
note_entry(struct fold *f, size_t i, const struct entry *e)
{
	struct rules_entry *to = &f->judged[f->judged_count];
	struct bytes raw = fold_raw(f, i);
	enum status st;

	f->row[i].wall = e->wall;
	if (e->verb == DO_NONE)
		return ST_OK; /* malformed */
	if (e->verb == DO_OPEN && f->kind_id[0] == '\0' &&
	    e->kind.len < sizeof(f->kind_id)) {
		memcpy(f->kind_id, e->kind.p, e->kind.len);
		f->kind_id[e->kind.len] = '\0';
	}
	if (i == 0) {
		f->by = e->by;
		st = keep_text(f, raw, &f->by);
		if (st != ST_OK)
			return st;
	}
	if (!rules_entry_of(
		to, e, f->row[i].id, (int64_t)f->row[i].received_ms))
		return ST_OK;
	to->centre = (f->row[i].flags & STORE_SERVER) != 0;
	f->judged_count++;
	st = keep_text(f, raw, &to->kind);
	return st == ST_OK ? keep_text(f, raw, &to->by) : st;
}

static enum status
add_entries(struct fold *f)
{
	enum status st = grow_judged(f);

	forget_kept(f);
	f->judged_count = 0;
	f->kind_id[0] = '\0';
	f->by = bytes_of(NULL, 0);
	for (size_t i = 0; st == ST_OK && i < f->count; i++) {
		unsigned flags = 0;

		if ((f->row[i].flags & STORE_SERVER) != 0)
			flags |= MERGE_SERVER;
		if ((f->row[i].flags & STORE_MALFORMED) != 0)
			flags |= MERGE_BARE;
		st = merge_add(f->merge, f->row[i].id, fold_raw(f, i), flags);
		if (st == ST_OK)
			st = note_entry(f, i, merge_added(f->merge));
	}
	return st;
}

static enum status
run_merge(struct fold *f)
{
	enum status st = ST_OK;

	if (f->merge == NULL)
		st = merge_new(&f->merge);
	else
		merge_reset(f->merge);
	if (st == ST_OK)
		st = add_entries(f);
	if (st == ST_OK)
		st = merge_run(f->merge);
	buf_reset(&f->state_bytes);
	if (st == ST_OK)
		st = merge_state(f->merge, &f->state_bytes);
	if (st == ST_OK)
		st = state_read(&f->state, buf_view(&f->state_bytes));
	return st;
}

/* What became of the findings. */
static enum status
follow_lives(struct fold *f, const struct rules_context *cx)
{
	struct life_input in = { .findings = &f->findings,
		.st = &f->state,
		.entries = cx->entries,
		.entry_count = cx->entry_count };

	in.order = merge_order(f->merge, &in.order_count);
	return lives_of(&f->lives, &in);
}

static enum status
judge(struct fold *f, const char *rec, uint64_t now_ms)
{
	struct rules_context cx = { .now_ms = (int64_t)now_ms,
		.offset_min = f->cfg.utc_offset_min,
		.entries = f->judged,
		.entry_count = f->judged_count };
	struct facts_record r;
	enum status st = ST_OK;

	f->findings.count = f->lives.count = 0;
	f->findings.next_ms = INT64_MAX;
	f->facts.count = 0;
	fold_facts_record(f, rec, &r);
	if (r.kind == NULL)
		return ST_OK;
	if (f->cfg.facts != NULL)
		st =
		    f->cfg.facts(f->cfg.facts_arg, f->cfg.rules, &r, &f->facts);
	if (st != ST_OK)
		return st;
	cx.facts = f->facts.list;
	cx.fact_count = f->facts.count;
	st = rules_check(&f->findings, f->cfg.rules, r.kind, &f->state, &cx);
	return st == ST_OK ? follow_lives(f, &cx) : st;
}

void
fold_facts_record(
    const struct fold *f, const char *rec, struct facts_record *out)
{
	*out = (struct facts_record){ .rec = rec,
		.kind = fold_kind(f),
		.st = &f->state,
		.entries = f->judged,
		.entry_count = f->judged_count,
		.offset_min = f->cfg.utc_offset_min };
}

enum status
fold_hold(struct fold *f)
{
	/* The feed first: it never knows of places that the log lacks. */
	enum status st = feed_hold(f->cfg.feed);

	if (st != ST_OK)
		return st;
	st = centre_reader_hold(f->cfg.reader);
	if (st != ST_OK)
		feed_release(f->cfg.feed);
	return st;
}

void
fold_release(struct fold *f)
{
	centre_reader_release(f->cfg.reader);
	feed_release(f->cfg.feed);
}

enum status
fold_load(struct fold *f, const char *rec, uint64_t now_ms)
{
	enum status st = gather(f, rec, UINT64_MAX);

	if (st == ST_OK)
		st = run_merge(f);
	return st == ST_OK ? judge(f, rec, now_ms) : st;
}

enum status
fold_load_below(struct fold *f, const char *rec, uint64_t bound)
{
	enum status st = gather(f, rec, bound);

	f->kind_id[0] = '\0';
	f->findings.count = 0;
	return st == ST_OK ? run_merge(f) : st;
}
