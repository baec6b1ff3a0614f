/*
 * admin_returned: what handhelds brought of a log that ended and could not be
 * given its place again: the old centre's words, for an administrator to repeat
 * (docs/PROTOCOL.md, section 9).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/enc.h"
#include "entry/json.h"
#include "server/admin/admin_upkeep.h"

struct telling {
	struct entry outer, inner;
	uint8_t *raw; /* ENTRY_BYTES_MAX */
	struct buf line;
	bool json;
};

/* The names and values that an entry states, as it states them. */
static void
put_values(struct buf *out, const struct entry *e)
{
	bool whole = e->body_is == ENTRY_BODY_WHOLE;

	buf_u8(out, '{');
	for (size_t i = 0; i < e->on_count; i++) {
		if (i > 0)
			buf_u8(out, ',');
		json_put_string(out, e->on[i]);
		buf_u8(out, ':');
		if (whole)
			json_canon(&e->body, entry_value(e, i), out);
		else
			buf_str(out, "null");
	}
	buf_u8(out, '}');
}

static void
put_one(struct telling *t, uint64_t place, int64_t old_place)
{
	const struct entry *e = &t->inner;
	struct buf *b = &t->line;

	buf_reset(b);
	if (!t->json) {
		buf_printf(b, "%" PRIu64 "  (%" PRId64 ")  ", place, old_place);
		buf_bytes(b, e->kind);
		buf_printf(b, " %s  ", verb_name(e->verb));
		buf_bytes(b, e->by);
		buf_str(b, "  ");
		put_values(b, e);
	} else {
		buf_str(b, "{\"by\":");
		json_put_string(b, e->by);
		buf_printf(b, ",\"do\":\"%s\",\"kind\":", verb_name(e->verb));
		json_put_string(b, e->kind);
		buf_printf(b,
		    ",\"old_place\":%" PRId64 ",\"place\":%" PRIu64 ",\"rec\":",
		    old_place, place);
		json_put_string(b, e->rec);
		buf_str(b, ",\"values\":");
		put_values(b, e);
		buf_u8(b, '}');
	}
	if (buf_cstr(b) != NULL)
		(void)puts((const char *)b->p);
}

static enum status
tell(struct telling *t, const struct centre_entry *ce)
{
	const struct json *j = &t->outer.body;
	uint32_t n;
	size_t len = 0;
	enum status st = entry_parse(&t->outer, ce->bytes);

	if (st != ST_OK || !bytes_eq_str(t->outer.kind, "returned@1") ||
	    t->outer.body_is != ENTRY_BODY_WHOLE || t->outer.more == 0)
		return st == ST_NOMEM ? st : ST_OK;
	n = json_get_typed(j, t->outer.more, "entry", JSON_STRING);
	if (n == 0 || base64_decode(t->raw, ENTRY_BYTES_MAX, &len,
			  json_raw(j, n)) != ST_OK)
		return ST_OK;
	st = entry_parse(&t->inner, bytes_of(t->raw, len));
	if (st == ST_OK)
		put_one(t, ce->place, json_int(j, t->outer.more, "place", -1));
	return st == ST_NOMEM ? st : ST_OK;
}

static enum status
tell_all(struct admin *a, struct telling *t)
{
	struct centre_reader *r = NULL;
	struct centre_own *own = NULL;
	struct centre_entry ce;
	struct checkpoint cp;
	enum status st = centre_checkpoint(a->centre, NULL, &cp);

	if (st == ST_OK)
		st = centre_reader_open(&r, a->centre);
	if (st == ST_OK)
		st = centre_own_open(&own, a->centre, r);
	while (
	    st == ST_OK && (st = centre_own_next(own, cp.size, &ce)) == ST_OK) {
		st = tell(t, &ce);
		centre_own_took(own);
	}
	centre_own_close(own);
	centre_reader_close(r);
	return st == ST_ABSENT ? ST_OK : st;
}

int
admin_run_returned(struct admin *a)
{
	struct telling t = { .raw = malloc(ENTRY_BYTES_MAX), .json = a->json };
	enum status st = ST_NOMEM;

	entry_init(&t.outer);
	entry_init(&t.inner);
	buf_init(&t.line, 4 * ENTRY_BYTES_MAX);
	if (t.raw != NULL)
		st = tell_all(a, &t);
	entry_free(&t.outer);
	entry_free(&t.inner);
	buf_free(&t.line);
	free(t.raw);
	return st == ST_OK ? ADMIN_DONE : admin_fail(a, "returned", st);
}
