#include "server/roster/returned.h"

#include <string.h>

#include "entry/entry.h"
#include "entry/json.h"

static enum status
seen(void *arg, const struct store_doc *d)
{
	(void)arg;
	(void)d;
	return ST_OK;
}

/* Of a chain of this centre, as its own head says, behind what we have. */
static bool
is_ours(struct centre *c, const struct wire_returned *w, const struct entry *e)
{
	struct centre_chain chain;

	return centre_chain(c, w->chain, &chain) == ST_OK && chain.server &&
	       w->seq > chain.last_seq && e->seq == w->seq &&
	       memcmp(e->chain, w->chain, CHAIN_LEN) == 0 &&
	       bytes_eq_str(e->kind, "device@1") && e->verb == DO_ADVANCE &&
	       e->on_count == 1;
}

static enum status
tell(struct centre *c, const char *dev, const struct entry *e, const char *from)
{
	struct store_doc d = { .sort = bytes_str(RETURNED_ALARM),
		.key = bytes_str(dev),
		.made = port_wall_ms(centre_port(c)) };
	struct buf b;
	enum status st;

	buf_init(&b, 65536);
	buf_str(&b, "{\"by\":");
	json_put_string(&b, e->by);
	buf_str(&b, ",\"from\":");
	json_put_str(&b, from);
	buf_str(&b, ",\"what\":");
	json_put_string(&b, e->on[0]);
	buf_u8(&b, '}');
	d.doc = buf_view(&b);
	st = buf_cstr(&b) == NULL ? b.err : ST_OK;
	if (st == ST_OK)
		st = centre_alarm(c, RETURNED_ALARM, dev, (const char *)b.p);
	if (st == ST_OK)
		st = centre_put_doc(c, &d);
	buf_free(&b);
	return st;
}

enum status
returned_tell(struct centre *c, struct centre_reader *reader, const char *dev,
    const struct entry *e, const char *from)
{
	enum status st = store_doc(centre_reader_store(reader), RETURNED_ALARM,
	    bytes_str(dev), seen, NULL);

	return st == ST_ABSENT ? tell(c, dev, e, from) : st;
}

static enum status
look(struct centre *c, struct roster *r, struct centre_reader *reader,
    const struct entry *e, const char *from)
{
	char rec[REC_LEN + 1];
	struct roster_device d;
	enum status st;

	if (e->rec.len != REC_LEN)
		return ST_OK;
	memcpy(rec, e->rec.p, REC_LEN);
	rec[REC_LEN] = '\0';
	st = roster_device_by_rec(r, rec, &d);
	if (st == ST_ABSENT || (st == ST_OK && d.standing[0] != '\0'))
		return ST_OK; /* not known, or revoked again already */
	return st == ST_OK ? returned_tell(c, reader, d.dev, e, from) : st;
}

enum status
returned_look(struct centre *c, struct roster *r, struct centre_reader *reader,
    const struct sync_up *up, const char *from)
{
	struct entry e;
	uint64_t kept;
	enum status st = ST_OK;

	if (up->returned_count == 0 || !centre_restored(c, &kept))
		return ST_OK;
	entry_init(&e);
	for (size_t i = 0; i < up->returned_count && st == ST_OK; i++) {
		const struct wire_returned *w = &up->returned[i];

		if (w->entry.form != WIRE_WHOLE)
			continue;
		st = entry_parse(&e, w->entry.raw);
		if (st == ST_OK && is_ours(c, w, &e))
			st = look(c, r, reader, &e, from);
		st = st == ST_INVALID ? ST_OK : st;
	}
	entry_free(&e);
	return st;
}
