/* api_held: what waits for a supervisor to admit it (docs/openapi.yaml). */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "server/app/api_impl.h"
#include "server/upkeep/holds.h"

enum { HELD_USUAL = 100 };

struct page {
	struct buf *out;
	size_t count;
	struct holds_row last;
};

static enum status
put_held(void *arg, const struct holds_row *row)
{
	struct page *p = arg;

	if (p->count++ > 0)
		buf_u8(p->out, ',');
	holds_json(row, p->out);
	p->last = *row;
	return p->out->err;
}

/* "<place of the hold>.<id>", as `next` gave it. */
static bool
read_after(const char *text, uint64_t *hold, uint8_t id[ID_LEN])
{
	char *end;

	*hold = 0;
	memset(id, 0, ID_LEN);
	if (text[0] == '\0')
		return true;
	*hold = strtoull(text, &end, 10);
	return end != text && end[0] == '.' &&
	       hex_decode(id, ID_LEN, bytes_str(end + 1)) == ST_OK;
}

void
api_held(struct worker *w, struct request *rq)
{
	struct holds h = {
		.centre = w->app->centre, .reader = w->reader, .feed = w->feed
	};
	struct page p = { .out = &w->body };
	struct api_query q = { .rq = rq };
	char after[API_TEXT_MAX + 1];
	uint8_t id[ID_LEN];
	uint64_t hold, max, fed, size;
	enum status st;

	if (!api_may(w, rq, RIGHT_RECORDS))
		return;
	max = api_limit(&q);
	if (!read_after(api_text(&q, "after", after), &hold, id) &&
	    q.bad == NULL)
		q.bad = "after";
	if (!api_query_ok(&q))
		return;
	if (max == 0)
		max = HELD_USUAL;
	buf_reset(&w->body);
	/* Read before the list is: it never claims more than it has. */
	fed = feed_size(w->app->feed);
	size = tlog_size(centre_tlog(w->app->centre));
	buf_printf(&w->body, "{\"behind\":%llu,\"held\":[",
	    (unsigned long long)(size > fed ? size - fed : 0));
	st = holds_each(&h, hold, id, max, put_held, &p);
	if (p.count == max) {
		buf_printf(&w->body, "],\"next\":\"%llu.",
		    (unsigned long long)p.last.hold);
		buf_hex(&w->body, bytes_of(p.last.id, ID_LEN));
		buf_str(&w->body, "\"}");
	} else {
		buf_str(&w->body, "],\"next\":null}");
	}
	api_send_json(w, rq, st);
}
