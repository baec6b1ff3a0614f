/* project_fills: records whose bytes changed behind the projection's back. */
#include "server/project/project_impl.h"

/* ---- places whose bytes came later, or were taken away */

enum { FILLS_BATCH = 1000 };

/* Their records, as far as the feed knows of them. */
static enum status
gather_fills(struct project *p, uint64_t *no)
{
	struct store_reader *r = centre_reader_store(p->reader);
	uint64_t end = feed_fill(p->cfg.feed), place;
	struct centre_entry e;
	enum status st = ST_OK;

	*no = p->fill;
	while (st == ST_OK && *no < end && p->touched_count < FILLS_BATCH) {
		st = store_next_fill(r, no, &place);
		if (st == ST_ABSENT)
			*no = end;
		/* One that is not followed yet is read as it is then. */
		if (st != ST_OK || place >= p->size)
			continue;
		st = centre_entry(p->reader, place, &e);
		if (st != ST_OK || (e.flags & STORE_LOST) != 0)
			continue;
		if ((e.flags & STORE_ERASED) != 0)
			p->erased = *no;
		st = entry_parse(&p->entry, e.bytes);
		if (st == ST_NOMEM)
			break;
		st = ST_OK;
		if (p->entry.rec.len == REC_LEN)
			st = project_touch(p, p->entry.rec, UINT64_MAX);
		if (st == ST_OK && p->entry.verb == DO_PRINT)
			st = project_take_print(p, e.place, e.link);
	}
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
project_follow_fills(struct project *p)
{
	uint64_t no;
	enum status st;

	p->touched_count = p->print_count = 0;
	st = gather_fills(p, &no);
	if (st == ST_OK)
		st = project_put_batch(p, 0, 0);
	if (st == ST_OK)
		p->fill = no;
	return st == ST_OK && p->erased > 0 ? project_wipe_words(p) : st;
}
