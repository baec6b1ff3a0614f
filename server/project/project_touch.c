/* project_touch: which records have to be folded anew. */
#include <stdlib.h>
#include <string.h>

#include "server/project/project_impl.h"

enum { DUE_BATCH = 1000 };

enum status
project_touch(struct project *p, struct bytes rec, uint64_t place)
{
	if (p->touched_count == p->touched_cap) {
		size_t cap = p->touched_cap == 0 ? 1024 : p->touched_cap * 2;
		struct touched *bigger =
		    realloc(p->touched, cap * sizeof(*bigger));

		if (bigger == NULL)
			return ST_NOMEM;
		p->touched = bigger;
		p->touched_cap = cap;
	}
	memcpy(p->touched[p->touched_count].rec, rec.p, REC_LEN);
	p->touched[p->touched_count].rec[REC_LEN] = '\0';
	p->touched[p->touched_count].place = place;
	p->touched_count++;
	return ST_OK;
}

static int
by_rec(const void *a, const void *b)
{
	return memcmp(a, b, REC_LEN);
}

/*
 * A record is folded of all that the feed knows, which may be far ahead of the
 * batch: then a later batch that comes to the same entries has nothing new for
 * it.  Which records those are is remembered, as long as there is room.
 */
static struct known *
known_of(struct project *p, const char *rec)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < REC_LEN; i++)
		h = (h ^ (uint8_t)rec[i]) * 16777619u;
	return &p->known[(h ^ h >> 16) % PROJECT_KNOWN];
}

void
project_know(struct project *p, const struct made *m)
{
	struct known *k;

	if (m == NULL) {
		memset(p->known, 0, sizeof(p->known));
		return;
	}
	k = known_of(p, m->rec);
	memcpy(k->rec, m->rec, sizeof(k->rec));
	k->up_to = m->up_to;
}

static bool
is_known(struct project *p, const struct touched *t)
{
	const struct known *k = known_of(p, t->rec);

	return t->place < k->up_to && memcmp(k->rec, t->rec, REC_LEN) == 0;
}

void
project_each_once(struct project *p)
{
	struct touched *t = p->touched;
	size_t n = 0, kept = 0;

	if (p->touched_count > 1)
		qsort(t, p->touched_count, sizeof(*t), by_rec);
	for (size_t i = 0; i < p->touched_count; i++) {
		if (n == 0 || memcmp(t[n - 1].rec, t[i].rec, REC_LEN) != 0)
			t[n++] = t[i];
		else if (t[n - 1].place < t[i].place)
			t[n - 1].place = t[i].place;
	}
	for (size_t i = 0; i < n; i++) {
		if (!is_known(p, &t[i]))
			t[kept++] = t[i];
	}
	p->touched_count = kept;
}

/* ---- what is new */

/* The centre's own records are not listed, but some tell of others. */
static bool
tells(const struct project *p, struct bytes kind)
{
	const struct kind *k = kinds_find(p->cfg.kinds, kind);

	return k != NULL && k->system && facts_gives(p->cfg.rules, k);
}

struct gathering {
	struct project *p;
	uint64_t entries;
};

static enum status
take_said(void *arg, const struct feed_said *s)
{
	struct gathering *g = arg;
	enum status st;

	if (s->is == FEED_SAID_OWN &&
	    bytes_eq_str(bytes_str(s->kind), "person@1"))
		g->p->moved = true;
	if (s->is == FEED_SAID_OWN && !tells(g->p, bytes_str(s->kind)))
		return ST_OK; /* the log's own records */
	g->entries += s->is == FEED_SAID_DEVICE;
	st = project_touch(g->p, bytes_of(s->rec, REC_LEN), s->place);
	if (st == ST_OK && s->print)
		st = project_take_print(g->p, s->place, s->id);
	return st;
}

/* As the log has it. */
static enum status
read_log(struct project *p, uint64_t to, uint64_t *entries)
{
	struct centre_scan *scan = NULL;
	struct centre_entry e;
	enum status st = centre_scan_open(&scan, p->scan, p->size, to);

	while (st == ST_OK) {
		st = centre_scan_next(scan, &e);
		if (st != ST_OK || (e.flags & STORE_LOST) != 0)
			continue;
		st = entry_parse_head(&p->entry, e.bytes);
		if (st == ST_NOMEM)
			break;
		st = ST_OK;
		if (p->entry.rec.len != REC_LEN)
			continue;
		if ((e.flags & STORE_SERVER) != 0 &&
		    bytes_eq_str(p->entry.kind, "person@1"))
			p->moved = true;
		if ((e.flags & STORE_SERVER) == 0)
			(*entries)++;
		else if (!feed_of_a_record(p->entry.verb) &&
			 !tells(p, p->entry.kind))
			continue; /* the log's own records */
		st = project_touch(p, p->entry.rec, e.place);
		if (st == ST_OK && p->entry.verb == DO_PRINT)
			st = project_take_print(p, e.place, e.link);
	}
	centre_scan_close(scan);
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
project_gather(struct project *p, uint64_t to, uint64_t *entries)
{
	struct gathering g = { .p = p };
	enum status st;

	p->touched_count = p->print_count = 0;
	*entries = 0;
	if (!feed_said(p->cfg.feed, p->size, to, take_said, &g, &st))
		return read_log(p, to, entries);
	*entries = g.entries;
	return st;
}

/* ---- what fell due */

enum status
project_gather_due(struct project *p, uint64_t now)
{
	struct db_stmt *s;
	enum status st;

	p->touched_count = p->print_count = 0;
	st = db_query(
	    &s, p->db, "SELECT rec FROM record WHERE next <= ?1 LIMIT ?2");
	if (st != ST_OK)
		return st;
	db_bind_u64(s, 1, now);
	db_bind_i64(s, 2, DUE_BATCH);
	while ((st = db_next(s)) == ST_OK) {
		struct bytes rec = db_bytes(s, 0);

		st = rec.len == REC_LEN ? project_touch(p, rec, UINT64_MAX)
					: ST_OK;
		if (st != ST_OK)
			break;
	}
	db_done(s);
	return st == ST_ABSENT ? ST_OK : st;
}
