/* api: the read API on the console listener (docs/openapi.yaml): records. */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "domain/footage.h"
#include "entry/json.h"
#include "server/app/api_impl.h"

/* ---- records */

static void
work_records(struct worker *w, struct request *rq)
{
	char text[6][API_TEXT_MAX + 1];
	struct project_query q = { .limit = 0 };
	struct api_query p = { .rq = rq };

	if (!api_may(w, rq, RIGHT_RECORDS))
		return;
	q.kind = api_text(&p, "kind", text[0]);
	q.status = api_text(&p, "status", text[1]);
	q.team = api_text(&p, "team", text[2]);
	q.person = api_text(&p, "person", text[3]);
	q.q = api_text(&p, "q", text[4]);
	q.after = api_text(&p, "after", text[5]);
	(void)api_number(&p, "after");
	q.limit = api_limit(&p);
	q.conflicts = api_flag(&p, "conflicts");
	q.findings = api_flag(&p, "findings");
	q.grave = api_flag(&p, "grave");
	q.from_ms = api_time(&p, "from");
	q.to_ms = api_time(&p, "to");
	if (!api_query_ok(&p))
		return;
	buf_reset(&w->body);
	api_send_json(w, rq, project_records(w->project, &q, &w->body));
}

/* Following costs some 10 µs an entry; half a minute at most, so that who waits
 * learns of it soon. */
static void
not_yet(struct worker *w, struct request *rq)
{
	uint64_t seconds = 1 + work_behind(w->app) / 100000;

	request_error(rq, 503, "catching_up",
	    "the centre is still reading its log: ask again",
	    "中心正在重新读取日志，请稍后再查",
	    seconds > 30 ? 30 : (unsigned)seconds);
}

/* The record that the path names, folded; false if it was answered. */
static bool
load(struct worker *w, struct request *rq)
{
	char rec[REC_LEN + 1];
	enum status st = ST_ABSENT;

	if (!api_may(w, rq, RIGHT_RECORDS))
		return false;
	if (path_is_rec(rq->param[0])) {
		memcpy(rec, rq->param[0].p, REC_LEN);
		rec[REC_LEN] = '\0';
		st = fold_load(w->fold, rec, port_wall_ms(w->app->cfg.port));
	}
	if (st == ST_AGAIN)
		not_yet(w, rq);
	else if (st != ST_OK)
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
	api_send_json(w, rq, ST_OK);
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
	const struct lives *f;
	struct buf *b = &w->body;

	if (!load(w, rq))
		return;
	f = fold_lives(w->fold);
	buf_str(b, "{\"attachments\":");
	api_put_attachments(w, b);
	buf_str(b, ",\"conflicts\":");
	put_conflicts(fold_state(w->fold), b);
	buf_str(b, ",\"findings\":[");
	for (size_t i = 0; i < f->count; i++) {
		if (i > 0)
			buf_u8(b, ',');
		finding_json_life(&f->list[i], fold_state(w->fold),
		    (int)w->app->cfg.options.utc_offset_min, b);
	}
	buf_str(b, "],\"kind\":");
	json_put_str(b, fold_kind_id(w->fold));
	buf_str(b, ",\"points\":");
	footage_points(
	    fold_state(w->fold), (int)w->app->cfg.options.utc_offset_min, b);
	buf_str(b, ",\"state\":");
	buf_bytes(b, fold_state_bytes(w->fold));
	buf_u8(b, '}');
	api_send_json(w, rq, ST_OK);
}

/* What ended without a word: the record is folded again step by step. */
static void
work_ended(struct worker *w, struct request *rq)
{
	enum status st;

	if (!load(w, rq))
		return;
	buf_str(&w->body, "{\"ended\":");
	st = fold_past(w->fold, port_wall_ms(w->app->cfg.port), &w->body);
	buf_u8(&w->body, '}');
	api_send_json(w, rq, st);
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
	api_send_json(w, rq, ST_OK);
}

static void
work_findings(struct worker *w, struct request *rq)
{
	static const char *const words[] = { "notice", "due", "warning",
		"grave", NULL };
	static const char *const states[] = { "open", "answered", "closed",
		"gone", NULL };
	char text[5][API_TEXT_MAX + 1];
	struct project_finding_query q = { .limit = 0 };
	struct api_query p = { .rq = rq };

	if (!api_may(w, rq, RIGHT_RECORDS))
		return;
	q.severity = api_text(&p, "severity", text[0]);
	api_one_of(&p, "severity", q.severity, words);
	q.rule = api_text(&p, "rule", text[1]);
	q.state = api_text(&p, "state", text[2]);
	api_one_of(&p, "state", q.state, states);
	q.owner = api_text(&p, "owner", text[3]);
	q.due_ms = api_time(&p, "due");
	q.after = api_text(&p, "after", text[4]);
	(void)api_number(&p, "after");
	q.limit = api_limit(&p);
	if (!api_query_ok(&p))
		return;
	if (q.severity[0] == '\0')
		q.severity = NULL;
	buf_reset(&w->body);
	api_send_json(w, rq, project_findings(w->project, &q, &w->body));
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
		{ "/api/v1/records/{rec}/ended", work_ended },
		{ "/api/v1/findings", work_findings },
		{ "/api/v1/hints", api_hints },
		{ "/api/v1/devices", api_devices },
		{ "/api/v1/tlog", api_tlog },
		{ "/api/v1/alarms", api_alarms },
		{ "/api/v1/held", api_held },
		{ "/api/v1/evidence/{sha256}", api_evidence },
		{ "/api/v1/evidence/{sha256}/custody", api_custody },
		{ "/api/v1/summary", api_summary },
		{ "/metrics", work_metrics },
	};
	struct route *r;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		(void)routes_add(a, "GET", table[i].pattern,
		    1u << LISTEN_CONSOLE, table[i].work);
	r = routes_add(a, "POST", "/api/v1/records/{rec}/findings",
	    1u << LISTEN_CONSOLE, api_finding);
	r->body_max = API_FINDING_BODY_MAX;
	/* It writes an entry: never GET, which a browser may repeat, fetch
	 * ahead, or ask for with HEAD. */
	(void)routes_add(a, "POST", "/api/v1/records/{rec}/print/{form}",
	    1u << LISTEN_CONSOLE, api_print);
}
