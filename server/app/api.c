/* api: the read API on the console listener (docs/openapi.yaml). */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "entry/json.h"
#include "server/app/app_impl.h"

enum { PARAM_MAX = 256, ON_CONSOLE = 1 << LISTEN_CONSOLE };

/* ---- who asks */

enum right { RIGHT_ANY, RIGHT_RECORDS };

struct token {
	bool known;
	char role[32];
};

static enum status
take_token(void *arg, const struct store_doc *d)
{
	struct token *t = arg;
	struct json j;
	enum status st;

	json_init(&j);
	st = json_parse(&j, d->doc, JSON_DOCUMENT);
	t->known = st == ST_OK &&
		   json_member_text(&j, 0, "role", t->role, sizeof(t->role));
	json_free(&j);
	return st == ST_INVALID ? ST_CORRUPT : st;
}

/* True if the bearer may; else the request was answered. */
static bool
may(struct worker *w, struct request *rq, enum right right)
{
	static const char prefix[] = "Bearer ";
	struct bytes auth = request_field(rq, "authorization");
	struct token t = { .known = false };
	uint8_t hash[HASH_LEN];
	enum status st = ST_ABSENT;

	if (bytes_starts(auth, prefix) && auth.len < 512) {
		sha256(hash, bytes_of(auth.p + sizeof(prefix) - 1,
				 auth.len - (sizeof(prefix) - 1)));
		st = store_doc(centre_reader_store(w->reader), "token",
		    bytes_of(hash, HASH_LEN), take_token, &t);
	}
	if (st != ST_OK && st != ST_ABSENT) {
		app_fail(w, rq, st);
		return false;
	}
	if (!t.known) {
		request_error(rq, 401, "unauthorized",
		    "a bearer token is needed", "须持令牌访问", 0);
		return false;
	}
	/* Administrators keep the system; they read no record. */
	if (right == RIGHT_RECORDS && strcmp(t.role, "admin") == 0) {
		request_error(rq, 403, "forbidden",
		    "administrators read no records", "管理员不得查看记录", 0);
		return false;
	}
	return true;
}

static void
send_json(struct worker *w, struct request *rq, enum status st)
{
	struct reply re = {
		.status = 200, .type = "application/json", .take = &w->body
	};

	if (st == ST_OK)
		st = w->body.err;
	if (st != ST_OK)
		app_fail(w, rq, st);
	else
		request_reply(rq, &re);
}

/* A query parameter as a C string in out; "" where it is absent. */
static const char *
param(const struct request *rq, const char *name, char out[PARAM_MAX])
{
	struct buf b;

	out[0] = '\0';
	buf_init(&b, PARAM_MAX - 1);
	if (request_query(rq, &b, name) == ST_OK && buf_cstr(&b) != NULL &&
	    json_text_ok(buf_view(&b)))
		memcpy(out, b.p, b.len + 1);
	buf_free(&b);
	return out;
}

static uint64_t
param_time(const struct request *rq, const char *name)
{
	char text[PARAM_MAX];
	int64_t ms = 0;
	int offset;

	(void)param(rq, name, text);
	if (text[0] == '\0' ||
	    at_parse(&ms, &offset, bytes_str(text)) != ST_OK || ms < 0)
		return 0;
	return (uint64_t)ms;
}

static bool
param_is(const struct request *rq, const char *name)
{
	char text[PARAM_MAX];

	return strcmp(param(rq, name, text), "1") == 0;
}

/* ---- records */

static void
work_records(struct worker *w, struct request *rq)
{
	char text[7][PARAM_MAX];
	struct project_query q = { .limit = 0 };

	if (!may(w, rq, RIGHT_RECORDS))
		return;
	q.kind = param(rq, "kind", text[0]);
	q.status = param(rq, "status", text[1]);
	q.team = param(rq, "team", text[2]);
	q.person = param(rq, "person", text[3]);
	q.q = param(rq, "q", text[4]);
	q.after = param(rq, "after", text[5]);
	q.limit = strtoul(param(rq, "limit", text[6]), NULL, 10);
	q.conflicts = param_is(rq, "conflicts");
	q.findings = param_is(rq, "findings");
	q.grave = param_is(rq, "grave");
	q.from_ms = param_time(rq, "from");
	q.to_ms = param_time(rq, "to");
	buf_reset(&w->body);
	send_json(w, rq, project_records(w->project, &q, &w->body));
}

/* The record that the path names, folded; false if it was answered. */
static bool
load(struct worker *w, struct request *rq)
{
	char rec[REC_LEN + 1];
	enum status st = ST_ABSENT;

	if (!may(w, rq, RIGHT_RECORDS))
		return false;
	if (path_is_rec(rq->param[0])) {
		memcpy(rec, rq->param[0].p, REC_LEN);
		rec[REC_LEN] = '\0';
		st = fold_load(w->fold, rec, port_wall_ms(w->app->cfg.port));
	}
	if (st != ST_OK)
		app_fail(w, rq, st);
	buf_reset(&w->body);
	return st == ST_OK;
}

static void
work_state(struct worker *w, struct request *rq)
{
	if (!load(w, rq))
		return;
	buf_bytes(&w->body, fold_state_bytes(w->fold));
	send_json(w, rq, ST_OK);
}

static void
put_conflicts(const struct state *s, struct buf *out)
{
	bool any = false;

	buf_u8(out, '[');
	for (size_t i = 0; i < s->field_count; i++) {
		if (s->fields[i].count < 2)
			continue;
		buf_str(out, any ? ",{\"path\":" : "{\"path\":");
		json_put_string(out, s->fields[i].path);
		buf_str(out, ",\"values\":");
		json_canon(&s->tape, s->fields[i].node, out);
		buf_u8(out, '}');
		any = true;
	}
	for (size_t i = 0; i < s->item_count; i++) {
		if (s->items[i].is != STATE_CONFLICT)
			continue;
		buf_str(out, any ? ",{\"item\":" : "{\"item\":");
		json_put_string(out, s->items[i].path);
		buf_u8(out, '}');
		any = true;
	}
	buf_u8(out, ']');
}

static void
work_record(struct worker *w, struct request *rq)
{
	const struct findings *f;
	struct buf *b = &w->body;

	if (!load(w, rq))
		return;
	f = fold_findings(w->fold);
	buf_str(b, "{\"conflicts\":");
	put_conflicts(fold_state(w->fold), b);
	buf_str(b, ",\"findings\":[");
	for (size_t i = 0; i < f->count; i++) {
		if (i > 0)
			buf_u8(b, ',');
		finding_json(
		    &f->list[i], (int)w->app->cfg.options.utc_offset_min, b);
	}
	buf_str(b, "],\"kind\":");
	json_put_str(b, fold_kind_id(w->fold));
	buf_str(b, ",\"state\":");
	buf_bytes(b, fold_state_bytes(w->fold));
	buf_u8(b, '}');
	send_json(w, rq, ST_OK);
}

static void
put_entry(struct worker *w, struct buf *b, const struct fold_entry *e)
{
	const uint8_t *lf = memchr(e->raw.p, '\n', e->raw.len);
	size_t head = lf == NULL ? e->raw.len : (size_t)(lf - e->raw.p);
	bool bare = (e->flags & STORE_MALFORMED) != 0;
	char at[32];

	at_format(at, e->received_ms, (int)w->app->cfg.options.utc_offset_min);
	buf_str(b, "{\"body\":");
	if (lf == NULL || bare)
		buf_str(b, "null");
	else
		buf_add(b, lf + 1, e->raw.len - head - 1);
	buf_str(b, ",\"chain\":");
	json_put_hex(b, bytes_of(e->chain, CHAIN_LEN));
	buf_printf(b, ",\"flags\":%u,\"head\":", e->flags);
	/* A malformed line is no JSON that could stand here. */
	if (bare)
		buf_str(b, "null");
	else
		buf_add(b, e->raw.p, head);
	buf_str(b, ",\"id\":");
	json_put_hex(b, bytes_of(e->id, ID_LEN));
	buf_printf(b, ",\"place\":%llu,\"received\":\"%s\",\"seq\":%llu}",
	    (unsigned long long)e->place, at, (unsigned long long)e->seq);
}

static void
work_history(struct worker *w, struct request *rq)
{
	if (!load(w, rq))
		return;
	buf_str(&w->body, "{\"entries\":[");
	for (size_t i = 0; i < fold_count(w->fold); i++) {
		struct fold_entry e;

		fold_entry(w->fold, i, &e);
		if (i > 0)
			buf_u8(&w->body, ',');
		put_entry(w, &w->body, &e);
	}
	buf_str(&w->body, "]}");
	send_json(w, rq, ST_OK);
}

static void
work_findings(struct worker *w, struct request *rq)
{
	char severity[PARAM_MAX], rule[PARAM_MAX], after[PARAM_MAX];
	char limit[PARAM_MAX];

	if (!may(w, rq, RIGHT_RECORDS))
		return;
	(void)param(rq, "severity", severity);
	buf_reset(&w->body);
	send_json(w, rq,
	    project_findings(w->project, severity[0] == '\0' ? NULL : severity,
		param(rq, "rule", rule), param(rq, "after", after),
		strtoul(param(rq, "limit", limit), NULL, 10), &w->body));
}

/* ---- devices */

struct device_list {
	struct worker *w;
	bool any;
};

struct chain_of {
	const uint8_t *key;
	uint64_t last_seq;
	bool held;
	unsigned chains;
};

static enum status
note_chain(void *arg, const struct centre_chain *c)
{
	struct chain_of *of = arg;

	if (memcmp(c->key, of->key, PUBKEY_LEN) == 0) {
		of->chains++;
		of->last_seq += c->last_seq;
		of->held = of->held || c->held;
	}
	return ST_OK;
}

static void
put_text(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, ",\"%s\":", name);
	json_put_str(b, value);
}

static enum status
put_device(void *arg, const struct roster_device *d)
{
	struct device_list *l = arg;
	struct app *a = l->w->app;
	struct buf *b = &l->w->body;
	struct chain_of of = { .key = d->key };
	uint64_t at = contacts_of(a->contacts, d->dev);
	char text[32];
	enum status st = centre_chains(a->centre, note_chain, &of);

	buf_str(b, l->any ? ",{" : "{");
	l->any = true;
	buf_printf(b, "\"chains\":%u,\"dev\":\"%s\",\"entries\":%llu",
	    of.chains, d->dev, (unsigned long long)of.last_seq);
	buf_str(b, of.held ? ",\"held\":true" : ",\"held\":false");
	if (at == 0) {
		buf_str(b, ",\"last_contact\":null");
	} else {
		at_format(text, at, (int)a->cfg.options.utc_offset_min);
		put_text(b, "last_contact", text);
	}
	put_text(b, "name", d->name);
	put_text(b, "person", d->person);
	put_text(b, "role", d->role);
	put_text(b, "standing", d->standing[0] == '\0' ? "good" : d->standing);
	put_text(b, "team", d->team);
	at_format(text, d->until_ms, (int)a->cfg.options.utc_offset_min);
	put_text(b, "until", text);
	buf_u8(b, '}');
	return st == ST_OK ? b->err : st;
}

static void
work_devices(struct worker *w, struct request *rq)
{
	struct device_list l = { .w = w, .any = false };
	enum status st;

	if (!may(w, rq, RIGHT_ANY))
		return;
	buf_reset(&w->body);
	buf_str(&w->body, "{\"devices\":[");
	st = roster_devices(w->app->roster, put_device, &l);
	buf_str(&w->body, "]}");
	send_json(w, rq, st);
}

/* ---- the log */

static void
work_tlog(struct worker *w, struct request *rq)
{
	struct centre *c = w->app->centre;
	struct checkpoint tip, pub;
	struct buf *b = &w->body, vkey;
	enum status st;

	if (!may(w, rq, RIGHT_ANY))
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
		put_text(b, "vkey", (const char *)vkey.p);
		buf_u8(b, '}');
	}
	buf_free(&vkey);
	send_json(w, rq, st);
}

static enum status
put_alarm(void *arg, const struct store_alarm *al)
{
	struct device_list *l = arg;
	struct buf *b = &l->w->body;
	char at[32];

	at_format(at, al->wall, (int)l->w->app->cfg.options.utc_offset_min);
	buf_str(b, l->any ? ",{" : "{");
	l->any = true;
	buf_printf(b, "\"at\":\"%s\",\"dev\":", at);
	json_put_string(b, al->dev);
	buf_str(b, ",\"doc\":");
	buf_bytes(b, al->doc);
	buf_printf(b, ",\"no\":%llu,\"sort\":", (unsigned long long)al->no);
	json_put_string(b, al->sort);
	buf_u8(b, '}');
	return b->err;
}

static void
work_alarms(struct worker *w, struct request *rq)
{
	struct device_list l = { .w = w, .any = false };
	char after[PARAM_MAX];
	enum status st;

	if (!may(w, rq, RIGHT_ANY))
		return;
	buf_reset(&w->body);
	buf_str(&w->body, "{\"alarms\":[");
	st = store_alarms(centre_reader_store(w->reader),
	    strtoull(param(rq, "after", after), NULL, 10), put_alarm, &l);
	buf_str(&w->body, "]}");
	send_json(w, rq, st);
}

static void
work_summary(struct worker *w, struct request *rq)
{
	struct project_sums s = { 0 };
	enum status st;

	if (!may(w, rq, RIGHT_ANY))
		return;
	st = project_sums(w->project, &s);
	buf_reset(&w->body);
	buf_printf(&w->body,
	    "{\"conflicts\":%llu,\"entries\":%llu,\"findings\":%llu,"
	    "\"grave\":%llu,\"position\":%llu,\"records\":%llu,"
	    "\"size\":%llu}",
	    (unsigned long long)s.conflicts, (unsigned long long)s.entries,
	    (unsigned long long)s.findings, (unsigned long long)s.grave,
	    (unsigned long long)s.position, (unsigned long long)s.records,
	    (unsigned long long)tlog_size(centre_tlog(w->app->centre)));
	send_json(w, rq, st);
}

bool
api_may_look(struct worker *w, struct request *rq)
{
	return may(w, rq, RIGHT_ANY);
}

void
api_routes(struct app *a)
{
	static const struct {
		const char *pattern;
		work_fn work;
	} table[] = {
		{ "/api/v1/records", work_records },
		{ "/api/v1/records/{rec}", work_record },
		{ "/api/v1/records/{rec}/state", work_state },
		{ "/api/v1/records/{rec}/history", work_history },
		{ "/api/v1/findings", work_findings },
		{ "/api/v1/devices", work_devices },
		{ "/api/v1/tlog", work_tlog },
		{ "/api/v1/alarms", work_alarms },
		{ "/api/v1/summary", work_summary },
		{ "/metrics", work_metrics },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		(void)routes_add(
		    a, "GET", table[i].pattern, ON_CONSOLE, table[i].work);
}
