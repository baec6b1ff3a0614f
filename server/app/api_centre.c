/* api_centre: the read API: devices, the log, the board. */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/json.h"
#include "server/app/api_impl.h"

struct list {
	struct worker *w;
	bool any;
};

static void
begin(struct list *l, const char *open)
{
	buf_str(&l->w->body, l->any ? "," : "");
	buf_str(&l->w->body, open);
	l->any = true;
}

static void
put_time(struct worker *w, const char *name, uint64_t ms)
{
	char at[32];

	if (ms == 0) {
		buf_printf(&w->body, ",\"%s\":null", name);
		return;
	}
	at_format(at, ms, (int)w->app->cfg.options.utc_offset_min);
	api_put_text(&w->body, name, at);
}

/* ---- devices */

/* Every chain of the log, by its device's key. */
struct chains {
	struct centre_chain *chain; /* owned */
	size_t count, cap;
};

static enum status
note_chain(void *arg, const struct centre_chain *c)
{
	struct chains *all = arg;

	if (all->count == all->cap) {
		size_t cap = all->cap == 0 ? 64 : all->cap * 2;
		struct centre_chain *bigger =
		    realloc(all->chain, cap * sizeof(*bigger));

		if (bigger == NULL)
			return ST_NOMEM;
		all->chain = bigger;
		all->cap = cap;
	}
	all->chain[all->count++] = *c;
	return ST_OK;
}

static int
by_key(const void *a, const void *b)
{
	const struct centre_chain *x = a, *y = b;
	int order = memcmp(x->key, y->key, PUBKEY_LEN);

	return order != 0 ? order : memcmp(x->id, y->id, CHAIN_LEN);
}

/* The first chain of that key. */
static size_t
first_of(const struct chains *all, const uint8_t key[PUBKEY_LEN])
{
	size_t lo = 0, hi = all->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (memcmp(all->chain[mid].key, key, PUBKEY_LEN) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct device_list {
	struct list list;
	struct chains all;
};

/* The chains of a device; its newest place. */
static uint64_t
put_chains(struct device_list *l, const struct roster_device *d)
{
	struct buf *b = &l->list.w->body;
	uint64_t entries = 0, newest = UINT64_MAX;
	bool held = false;
	size_t first = first_of(&l->all, d->key);

	buf_str(b, "\"chains\":[");
	for (size_t i = first; i < l->all.count; i++) {
		const struct centre_chain *c = &l->all.chain[i];

		if (memcmp(c->key, d->key, PUBKEY_LEN) != 0)
			break;
		buf_printf(b, "%s{\"branches\":%u,\"held\":%s,\"id\":",
		    i > first ? "," : "", c->branches,
		    c->held ? "true" : "false");
		json_put_hex(b, bytes_of(c->id, CHAIN_LEN));
		buf_printf(b, ",\"place\":%llu,\"seq\":%llu}",
		    (unsigned long long)c->last_place,
		    (unsigned long long)c->last_seq);
		entries += c->last_seq;
		held = held || c->held;
		if (newest == UINT64_MAX || c->last_place > newest)
			newest = c->last_place;
	}
	buf_printf(b, "],\"dev\":\"%s\",\"entries\":%llu,\"held\":%s", d->dev,
	    (unsigned long long)entries, held ? "true" : "false");
	return newest;
}

/* When a device was last heard of: a sync since the start, else when its
 * newest entry was received. */
static uint64_t
last_contact(struct worker *w, const struct contact *c, uint64_t newest)
{
	struct centre_entry e;

	if (c->at_ms > 0 || newest == UINT64_MAX)
		return c->at_ms;
	return centre_entry(w->reader, newest, &e) == ST_OK ? e.received_ms : 0;
}

static enum status
put_device(void *arg, const struct roster_device *d)
{
	struct device_list *l = arg;
	struct worker *w = l->list.w;
	struct buf *b = &w->body;
	struct contact c;
	uint64_t newest;

	contacts_of(w->app->contacts, d->dev, &c);
	begin(&l->list, "{");
	newest = put_chains(l, d);
	if (c.has_clock)
		buf_printf(b, ",\"clock_offset_ms\":%lld",
		    (long long)c.clock_offset_ms);
	else
		buf_str(b, ",\"clock_offset_ms\":null");
	put_time(w, "last_contact", last_contact(w, &c, newest));
	api_put_text(b, "name", d->name);
	api_put_text(b, "person", d->person);
	api_put_text(b, "role", d->role);
	api_put_text(
	    b, "standing", d->standing[0] == '\0' ? "good" : d->standing);
	api_put_text(b, "team", d->team);
	put_time(w, "until", d->until_ms);
	buf_u8(b, '}');
	return b->err;
}

void
api_devices(struct worker *w, struct request *rq)
{
	struct device_list l = { .list = { .w = w } };
	enum status st;

	if (!api_may(w, rq, RIGHT_ANY))
		return;
	buf_reset(&w->body);
	buf_str(&w->body, "{\"devices\":[");
	st = centre_chains(w->app->centre, note_chain, &l.all);
	if (l.all.count > 1)
		qsort(l.all.chain, l.all.count, sizeof(*l.all.chain), by_key);
	if (st == ST_OK)
		st = roster_devices(w->app->roster, put_device, &l);
	buf_str(&w->body, "]}");
	free(l.all.chain);
	api_send_json(w, rq, st);
}

/* ---- what is not in the log yet */

void
api_hints(struct worker *w, struct request *rq)
{
	struct api_query p = { .rq = rq };
	char team[API_TEXT_MAX + 1];

	if (!api_may(w, rq, RIGHT_RECORDS))
		return;
	(void)api_text(&p, "team", team);
	if (!api_query_ok(&p))
		return;
	buf_reset(&w->body);
	buf_str(&w->body, "{\"hints\":[");
	(void)hints_put(w->app->board, team, port_wall_ms(w->app->cfg.port),
	    (int)w->app->cfg.options.utc_offset_min, &w->body);
	buf_str(&w->body, "]}");
	api_send_json(w, rq, ST_OK);
}

/* ---- the log */

void
api_tlog(struct worker *w, struct request *rq)
{
	struct centre *c = w->app->centre;
	struct checkpoint tip, pub;
	struct buf *b = &w->body, vkey;
	enum status st;

	if (!api_may(w, rq, RIGHT_ANY))
		return;
	st = centre_checkpoint(c, NULL, &tip);
	if (st == ST_OK)
		st = centre_public(c, NULL, &pub);
	buf_reset(b);
	buf_init(&vkey, 1024);
	note_key_format(centre_log_key(c), &vkey);
	if (st == ST_OK && buf_cstr(&vkey) != NULL) {
		buf_printf(b, "{\"halted\":%s,\"kept\":%llu,\"origin\":",
		    centre_halted(c) ? "true" : "false",
		    (unsigned long long)centre_kept(c));
		json_put_str(b, tip.origin);
		buf_printf(b, ",\"public_size\":%llu,\"root\":",
		    (unsigned long long)pub.size);
		json_put_hex(b, bytes_of(tip.root, HASH_LEN));
		buf_printf(b, ",\"size\":%llu", (unsigned long long)tip.size);
		api_put_text(b, "vkey", (const char *)vkey.p);
		buf_u8(b, '}');
	}
	buf_free(&vkey);
	api_send_json(w, rq, st);
}

static enum status
put_alarm(void *arg, const struct store_alarm *al)
{
	struct list *l = arg;
	struct buf *b = &l->w->body;

	begin(l, "{\"dev\":");
	json_put_string(b, al->dev);
	put_time(l->w, "at", al->wall);
	buf_str(b, ",\"doc\":");
	buf_bytes(b, al->doc);
	buf_printf(b, ",\"no\":%llu,\"sort\":", (unsigned long long)al->no);
	json_put_string(b, al->sort);
	buf_u8(b, '}');
	return b->err;
}

void
api_alarms(struct worker *w, struct request *rq)
{
	struct api_query p = { .rq = rq };
	struct list l = { .w = w };
	uint64_t after;
	enum status st;

	if (!api_may(w, rq, RIGHT_ANY))
		return;
	after = api_number(&p, "after");
	if (!api_query_ok(&p))
		return;
	buf_reset(&w->body);
	buf_str(&w->body, "{\"alarms\":[");
	st = store_alarms(centre_reader_store(w->reader), after, put_alarm, &l);
	buf_str(&w->body, "]}");
	api_send_json(w, rq, st);
}

void
api_summary(struct worker *w, struct request *rq)
{
	struct project_sums s = { 0 };
	enum status st;

	if (!api_may(w, rq, RIGHT_ANY))
		return;
	st = project_sums(w->project, &s);
	buf_reset(&w->body);
	buf_printf(&w->body,
	    "{\"conflicts\":%llu,\"entries\":%llu,\"findings\":%llu,"
	    "\"grave\":%llu,\"hints\":%llu,\"position\":%llu,"
	    "\"records\":%llu,"
	    "\"size\":%llu}",
	    (unsigned long long)s.conflicts, (unsigned long long)s.entries,
	    (unsigned long long)s.findings, (unsigned long long)s.grave,
	    (unsigned long long)hints_put(
		w->app->board, "", port_wall_ms(w->app->cfg.port), 0, NULL),
	    (unsigned long long)s.position, (unsigned long long)s.records,
	    (unsigned long long)tlog_size(centre_tlog(w->app->centre)));
	api_send_json(w, rq, st);
}
