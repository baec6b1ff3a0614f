#include "server/upkeep/holds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry/chain.h"

/* ---- looking */

static void
copy_text(char *out, size_t cap, struct bytes in)
{
	size_t n = in.len < cap - 1 ? in.len : cap - 1;

	/* Never in the middle of a character. */
	while (n < in.len && n > 0 && (in.p[n] & 0xc0) == 0x80)
		n--;
	if (n > 0)
		memcpy(out, in.p, n);
	out[n] = '\0';
}

/* What the entry says of itself; one that is malformed says nothing. */
static enum status
fill_row(const struct holds *h, uint64_t place, struct entry *e,
    struct holds_row *row)
{
	struct centre_entry ce;
	struct centre_chain chain;
	enum status st = centre_entry(h->reader, place, &ce);

	if (st != ST_OK)
		return st;
	row->place = place;
	row->seq = ce.seq;
	row->branch = ce.branch;
	row->flags = ce.flags;
	memcpy(row->chain, ce.chain, CHAIN_LEN);
	st = centre_chain(h->centre, ce.chain, &chain);
	if (st == ST_OK)
		memcpy(row->dev, chain.dev, sizeof(row->dev));
	if (st == ST_OK && (ce.flags & STORE_LOST) == 0)
		st = entry_parse(e, ce.bytes);
	if (st == ST_INVALID)
		return ST_OK;
	if (st == ST_OK && (ce.flags & STORE_LOST) == 0) {
		copy_text(row->kind, sizeof(row->kind), e->kind);
		copy_text(row->by, sizeof(row->by), e->by);
		copy_text(row->at, sizeof(row->at), e->at);
		row->verb = e->verb;
	}
	return st;
}

/* Kind and reason of the `hold` at a place. */
static enum status
read_hold(const struct holds *h, uint64_t place, struct entry *e,
    char kind[HOLDS_TEXT_MAX + 1], char out[HOLDS_TEXT_MAX + 1])
{
	struct centre_entry ce;
	struct buf text;
	enum status st = centre_entry(h->reader, place, &ce);

	kind[0] = out[0] = '\0';
	if (st == ST_OK)
		st = entry_parse(e, ce.bytes);
	if (st != ST_OK)
		return st == ST_INVALID ? ST_OK : st;
	copy_text(kind, HOLDS_TEXT_MAX + 1, e->kind);
	if (e->body_is != ENTRY_BODY_WHOLE || e->reason == 0)
		return ST_OK;
	buf_init(&text, ENTRY_BYTES_MAX);
	json_text(&e->body, e->reason, &text);
	st = text.err;
	if (st == ST_OK)
		copy_text(out, HOLDS_TEXT_MAX + 1, buf_view(&text));
	buf_free(&text);
	return st;
}

struct listing {
	const struct holds *h;
	holds_fn fn;
	void *arg;
	struct entry e;
	uint64_t hold; /* whose words are at hand */
	char kind[HOLDS_TEXT_MAX + 1], reason[HOLDS_TEXT_MAX + 1];
};

static enum status
list_one(void *arg, const struct feed_hold *fh)
{
	struct listing *l = arg;
	struct holds_row row = { .hold = fh->hold };
	uint64_t place = 0;
	enum status st = ST_OK;

	if (l->hold != fh->hold)
		st = read_hold(l->h, fh->hold, &l->e, l->kind, l->reason);
	l->hold = fh->hold;
	memcpy(row.id, fh->id, ID_LEN);
	memcpy(row.rec, fh->rec, sizeof(row.rec));
	memcpy(row.kind, l->kind, sizeof(row.kind));
	memcpy(row.reason, l->reason, sizeof(row.reason));
	if (st == ST_OK)
		st =
		    feed_place_of(l->h->feed, centre_reader_store(l->h->reader),
			fh->rec, fh->id, &place, NULL);
	if (st == ST_OK)
		st = fill_row(l->h, place, &l->e, &row);
	if (st == ST_ABSENT) {
		row.flags = STORE_LOST; /* lost on the way through a restore */
		st = ST_OK;
	}
	return st == ST_OK ? l->fn(l->arg, &row) : st;
}

enum status
holds_each(const struct holds *h, uint64_t hold, const uint8_t id[ID_LEN],
    size_t max, holds_fn fn, void *arg)
{
	struct listing l = { .h = h, .fn = fn, .arg = arg, .hold = UINT64_MAX };
	enum status st;

	entry_init(&l.e);
	st = feed_holds(h->feed, hold, id, max, list_one, &l);
	entry_free(&l.e);
	return st;
}

enum status
holds_find(const struct holds *h, const char *rec, const uint8_t id[ID_LEN],
    struct holds_row *out)
{
	struct entry e;
	uint64_t place;
	enum status st = feed_place_of(
	    h->feed, centre_reader_store(h->reader), rec, id, &place, NULL);

	memset(out, 0, sizeof(*out));
	memcpy(out->id, id, ID_LEN);
	(void)snprintf(out->rec, sizeof(out->rec), "%s", rec);
	entry_init(&e);
	if (st == ST_OK)
		st = fill_row(h, place, &e, out);
	entry_free(&e);
	if (st == ST_OK && (out->flags & STORE_SERVER) != 0)
		return ST_DENIED;
	/* Without a head there is no record that could be told. */
	return st == ST_OK && out->kind[0] == '\0' ? ST_DENIED : st;
}

static void
put_text(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, "\"%s\":", name);
	json_put_str(b, value);
	buf_u8(b, ',');
}

void
holds_json(const struct holds_row *row, struct buf *out)
{
	buf_u8(out, '{');
	put_text(out, "at", row->at);
	buf_printf(out, "\"branch\":%u,", row->branch);
	put_text(out, "by", row->by);
	buf_str(out, "\"chain\":");
	json_put_hex(out, bytes_of(row->chain, CHAIN_LEN));
	buf_u8(out, ',');
	put_text(out, "dev", row->dev);
	put_text(out, "do", verb_name(row->verb));
	buf_printf(out, "\"hold\":%llu,\"id\":", (unsigned long long)row->hold);
	json_put_hex(out, bytes_of(row->id, ID_LEN));
	buf_u8(out, ',');
	put_text(out, "kind", row->kind);
	buf_printf(out, "\"place\":%llu,", (unsigned long long)row->place);
	put_text(out, "reason", row->reason);
	put_text(out, "rec", row->rec);
	buf_printf(out, "\"seq\":%llu}", (unsigned long long)row->seq);
}
