/*
 * desk_match: which records a film may belong to (docs/EVIDENCE.md, "Proposed,
 * then confirmed").  All that files are matched with is loaded once: the clocks
 * that codes told, the acts and who took part in them, what is attached
 * already.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/core/desk_impl.h"
#include "agent/core/view_desk.h"
#include "base/enc.h"
#include "domain/footage.h"

/* Where records say which recorders ran (docs/KINDS.md). */
static const char recorders[] = "recorders";
static const char device[] = "device";

/* Room for one more of `size` bytes; NULL: no memory. */
static void *
one_more(void *list, size_t *count, size_t *cap, size_t size)
{
	void **at = list;

	if (*count == *cap) {
		size_t more = *cap == 0 ? 16 : *cap * 2;
		void *bigger = realloc(*at, more * size);

		if (bigger == NULL)
			return NULL;
		*at = bigger;
		*cap = more;
	}
	return (char *)*at + (*count)++ * size;
}

/* ---- acts, and who took part */

static enum status
add_name(struct desk_known *k, struct desk_record *rec, bool recorder,
    struct bytes text, struct bytes item)
{
	struct desk_name *n;

	if (text.len == 0 || text.len > DESK_WORD_MAX ||
	    item.len > PATH_BYTES_MAX)
		return ST_OK;
	for (size_t i = rec->name; i < k->name_count; i++) {
		if (k->name[i].recorder == recorder &&
		    bytes_eq_str(text, k->name[i].text))
			return ST_OK;
	}
	n = one_more(&k->name, &k->name_count, &k->name_cap, sizeof(*n));
	if (n == NULL)
		return ST_NOMEM;
	memset(n, 0, sizeof(*n));
	n->recorder = recorder;
	memcpy(n->text, text.p, text.len);
	if (item.len > 0)
		memcpy(n->item, item.p, item.len);
	rec->name_count++;
	return ST_OK;
}

/* The item of `recorders` that a field tells the number of; empty: none. */
static struct bytes
item_of(const struct state *st, struct bytes path)
{
	for (size_t i = 0; i < st->item_count; i++) {
		const struct state_item *it = &st->items[i];

		if (it->is != STATE_OUT && bytes_eq_str(it->list, recorders) &&
		    path.len == it->path.len + sizeof(device) &&
		    memcmp(path.p, it->path.p, it->path.len) == 0 &&
		    path.p[it->path.len] == '/' &&
		    memcmp(path.p + it->path.len + 1, device,
			sizeof(device) - 1) == 0)
			return it->path;
	}
	return bytes_of(NULL, 0);
}

static enum status
add_field(struct desk_known *k, struct desk_record *rec,
    const struct view_window *w, const struct state_field *f)
{
	const struct kind_field *kf = kind_field(w->kind, f->path);
	struct bytes item = item_of(w->st, f->path);
	struct state_value v;
	enum status st = ST_OK;

	if (item.len == 0 && (kf == NULL || kf->type != KIND_OFFICER))
		return ST_OK;
	for (size_t i = 0; st == ST_OK && state_value(w->st, f, i, &v); i++) {
		if (!v.null && !v.withheld)
			st = add_name(k, rec, item.len > 0, v.text, item);
	}
	return st;
}

static enum status
add_writers(
    struct desk_known *k, struct desk_record *rec, const struct view_window *w)
{
	enum status st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < w->entry_count; i++) {
		if (!w->entries[i].centre)
			st = add_name(
			    k, rec, false, w->entries[i].by, bytes_of(NULL, 0));
	}
	return st;
}

static enum status
take_record(void *arg, const struct view_window *w)
{
	struct desk_known *k = arg;
	struct desk_record *rec = one_more(
	    &k->record, &k->record_count, &k->record_cap, sizeof(*rec));
	enum status st = ST_OK;

	if (rec == NULL)
		return ST_NOMEM;
	memset(rec, 0, sizeof(*rec));
	memcpy(rec->rec, w->rec, REC_LEN);
	if (strlen(w->kind->name) < sizeof(rec->kind))
		memcpy(rec->kind, w->kind->name, strlen(w->kind->name));
	rec->label = w->label.len == 0
			 ? strdup("")
			 : strndup((const char *)w->label.p, w->label.len);
	if (rec->label == NULL)
		return ST_NOMEM;
	rec->from_ms = w->window.from_ms;
	rec->until_ms = w->window.until_ms;
	rec->name = k->name_count;
	for (size_t i = 0; st == ST_OK && i < w->st->field_count; i++)
		st = add_field(k, rec, w, &w->st->fields[i]);
	return st == ST_OK ? add_writers(k, rec, w) : st;
}

/* ---- what is attached already */

static enum status
take_has(void *arg, const struct view_attach *at)
{
	struct desk_known *k = arg;
	struct desk_has *h;

	if (!at->has_digest || (at->flags & VIEW_BARE) != 0)
		return ST_OK;
	h = one_more(&k->has, &k->has_count, &k->has_cap, sizeof(*h));
	if (h == NULL)
		return ST_NOMEM;
	memcpy(h->digest, at->digest, HASH_LEN);
	memcpy(h->rec, at->rec, REC_LEN + 1);
	return ST_OK;
}

static int
by_digest(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct desk_has));
}

bool
desk_has(
    const struct desk_known *k, const uint8_t digest[HASH_LEN], const char *rec)
{
	struct desk_has h;

	if (k->has_count == 0)
		return false;
	memcpy(h.digest, digest, HASH_LEN);
	memcpy(h.rec, rec, REC_LEN + 1);
	return bsearch(&h, k->has, k->has_count, sizeof(h), by_digest) != NULL;
}

/* ---- clocks */

static enum status
take_note(void *arg, const struct view_clock *c)
{
	struct desk_known *k = arg;
	struct view_clock *n =
	    one_more(&k->note, &k->note_count, &k->note_cap, sizeof(*n));

	if (n == NULL)
		return ST_NOMEM;
	*n = *c;
	return ST_OK;
}

/* The note that binds a code; NULL: none that is here. */
static const struct view_clock *
note_of(const struct desk_known *k, const struct desk_code *c)
{
	for (size_t i = 0; i < k->note_count; i++) {
		const struct view_clock *n = &k->note[i];

		if (strcmp(n->nonce, c->nonce) == 0 &&
		    strcmp(n->dev, c->dev) == 0 && c->time_ms >= n->wall_ms &&
		    c->time_ms - n->wall_ms <= CLOCK_SHOWN_MS)
			return n;
	}
	return NULL;
}

size_t
desk_unknown_codes(const struct desk_known *k, const struct desk_row *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->code_count; i++)
		n += note_of(k, &r->code[i]) == NULL;
	return n;
}

static enum status
add_clock(struct desk_known *k, const struct desk_row *r, uint64_t at_ms,
    int64_t time_ms, const struct view_clock *note)
{
	struct desk_clock *c =
	    one_more(&k->clock, &k->clock_count, &k->clock_cap, sizeof(*c));

	if (c == NULL)
		return ST_NOMEM;
	memset(c, 0, sizeof(*c));
	memcpy(c->card, r->card, sizeof(c->card));
	c->made_ms = r->made_ms;
	c->by_file = r->made_by_file;
	c->off_ms = time_ms - (r->made_ms + (int64_t)at_ms);
	c->hand = note == NULL;
	c->at_ms = at_ms;
	memcpy(c->digest, r->digest, HASH_LEN);
	if (note != NULL)
		memcpy(c->entry, note->id, ID_LEN);
	return ST_OK;
}

struct rows {
	struct desk_known *k;
	struct desk_row *row; /* scratch */
};

static enum status
take_clocks(void *arg, struct bytes doc)
{
	struct rows *rows = arg;
	struct desk_row *r = rows->row;
	enum status st = desk_row_read(r, doc);

	if (st != ST_OK || !r->has_made)
		return st == ST_NOMEM ? st : ST_OK;
	for (size_t i = 0; st == ST_OK && i < r->code_count; i++) {
		const struct view_clock *n = note_of(rows->k, &r->code[i]);

		if (n != NULL)
			st = add_clock(rows->k, r, r->code[i].at_ms,
			    (int64_t)r->code[i].time_ms, n);
	}
	if (st == ST_OK && r->has_hand)
		st =
		    add_clock(rows->k, r, r->hand_at_ms, r->hand_time_ms, NULL);
	return st;
}

static int64_t
apart(int64_t a, int64_t b)
{
	return a > b ? a - b : b - a;
}

/* A code proves more than a hand; then the nearest in time.  Between two days a
 * clock may have been set, or lost with its battery. */
static bool
is_better(const struct desk_clock *a, const struct desk_clock *b, int64_t ms)
{
	if (b == NULL || a->hand != b->hand)
		return b == NULL || !a->hand;
	return apart(a->made_ms, ms) < apart(b->made_ms, ms);
}

const struct desk_clock *
desk_clock_of(const struct desk_known *k, const struct desk_row *r)
{
	const struct desk_clock *best = NULL;

	for (size_t i = 0; r->has_made && i < k->clock_count; i++) {
		const struct desk_clock *c = &k->clock[i];

		if (strcmp(c->card, r->card) == 0 &&
		    c->by_file == r->made_by_file &&
		    apart(c->made_ms, r->made_ms) <= DESK_REACH_MS &&
		    is_better(c, best, r->made_ms))
			best = c;
	}
	return best;
}

bool
desk_clock_is_far(const struct desk_clock *c)
{
	return c->off_ms > DESK_FAR_MS || c->off_ms < -DESK_FAR_MS;
}

/* ---- all of it */

enum status
desk_known_load(struct agent *a, struct desk_known *out)
{
	struct rows rows = { .k = out, .row = malloc(sizeof(*rows.row)) };
	enum status st = rows.row == NULL ? ST_NOMEM : ST_OK;

	memset(out, 0, sizeof(*out));
	if (st == ST_OK)
		st = view_windows(a->view, take_record, out);
	if (st == ST_OK)
		st = view_attachments(a->view, NULL, take_has, out);
	if (st == ST_OK)
		st = view_clocks(a->view, take_note, out);
	if (st == ST_OK)
		st = log_desk_each(a->log, take_clocks, &rows);
	if (st == ST_OK && out->has_count > 1)
		qsort(out->has, out->has_count, sizeof(*out->has), by_digest);
	free(rows.row);
	if (st == ST_OK)
		return st;
	desk_known_free(out);
	return agent_why(a, st, "出错", status_text(st));
}

void
desk_known_free(struct desk_known *k)
{
	for (size_t i = 0; i < k->record_count; i++)
		free(k->record[i].label);
	free(k->clock);
	free(k->record);
	free(k->name);
	free(k->note);
	free(k->has);
	memset(k, 0, sizeof(*k));
}

bool
desk_proposed(const struct desk_known *k, const struct desk_row *r,
    const struct desk_record *rec, enum desk_sure *as, const char **item)
{
	const struct desk_clock *clock = desk_clock_of(k, r);
	int64_t from = r->made_ms + (clock == NULL ? 0 : clock->off_ms);
	int64_t until = from + (r->has_length ? (int64_t)r->length_ms : 0);
	bool who = false;

	*item = "";
	for (size_t i = rec->name; i < rec->name + rec->name_count; i++) {
		const struct desk_name *n = &k->name[i];

		if (strcmp(n->text, n->recorder ? r->recorder : r->filmed_by) !=
		    0)
			continue;
		who = true;
		if (n->recorder)
			*item = n->item;
	}
	*as = clock != NULL && who && !desk_clock_is_far(clock) ? DESK_SURE
	      : clock != NULL || who                            ? DESK_LIKELY
								: DESK_POSSIBLE;
	return r->has_made && from <= rec->until_ms + DESK_SLACK_MS &&
	       until >= rec->from_ms - DESK_SLACK_MS;
}
