/* app_routes: which request is answered how. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "server/app/app_impl.h"
#include "tlog/tile.h"

enum {
	ON_DEVICES = 1 << LISTEN_DEVICES,
	ON_CONSOLE = 1 << LISTEN_CONSOLE,
	ON_PUBLIC = 1 << LISTEN_PUBLIC,
	SMALL_BODY = 32768
};

void
app_fail(struct worker *w, struct request *rq, enum status st)
{
	if (st == ST_FULL)
		app_say(w->app, APP_ERROR, "disk",
		    "the disk is full: nothing is taken until there is room; "
		    "devices keep what they have and come back");
	switch (st) {
	case ST_ABSENT:
		request_error(rq, 404, "not_found", "not there", "没有", 0);
		break;
	case ST_FULL:
	case ST_AGAIN:
		request_error(rq, 503, "busy",
		    "the centre cannot write now: try later",
		    "中心暂时不能写入，请稍后再试", 30);
		break;
	case ST_LOCKED:
		request_error(rq, 503, "stopped",
		    "the log is stopped until it is restored",
		    "日志已停止，须先恢复", 300);
		break;
	case ST_LIMIT:
		request_error(rq, 413, "too_big", "too big", "内容过大", 0);
		break;
	default:
		app_say(w->app, APP_ERROR, "request",
		    "%s %.*s from %s: %s; answered 500, the sender tries again",
		    rq->method, (int)(rq->path.len < 200 ? rq->path.len : 200),
		    (const char *)rq->path.p,
		    rq->peer.dev[0] == '\0' ? "no device" : rq->peer.dev,
		    status_text(st));
		request_error(
		    rq, 500, "internal", "the centre failed", "中心出错", 0);
		break;
	}
}

static void
reply(struct request *rq, unsigned status, const char *type, struct buf *body)
{
	struct reply re = { .status = status, .type = type, .take = body };

	request_reply(rq, &re);
}

/* ---- sync */

static void
refuse_frame(
    struct worker *w, struct request *rq, enum status st, const char *why)
{
	centre_attempt(w->app->centre, "bad_frame", rq->peer.dev, "{}");
	if (st == ST_NEWER)
		request_error(rq, 426, "newer", "newer", "设备版本较新", 0);
	else if (st == ST_LIMIT)
		request_error(rq, 413, "too_big", why, "内容过大", 0);
	else
		request_error(rq, 400, "bad_frame", why, "请求无法理解", 0);
}

static void
work_sync(struct worker *w, struct request *rq)
{
	struct answer_peer peer = { .deliver = rq->peer.role != PEER_DEVICE };
	struct answer_counters n;
	const char *why = "";
	enum status st;

	memcpy(peer.dev, rq->peer.dev, sizeof(peer.dev));
	buf_reset(&w->body);
	st = answer_whole(w->answer, &peer, rq->body, &w->body, &why);
	if (st == ST_DENIED) {
		request_error(rq, 403, "not_enrolled",
		    "this device is not enrolled here", "本机未在此法院入网",
		    0);
		return;
	}
	if (st == ST_INVALID || st == ST_LIMIT || st == ST_NEWER) {
		refuse_frame(w, rq, st, why);
		return;
	}
	if (st != ST_OK) {
		app_fail(w, rq, st);
		return;
	}
	answer_counters(w->answer, &n);
	contacts_note(w->app->contacts, peer.dev,
	    port_wall_ms(w->app->cfg.port), n.has_clock, n.clock_ms);
	__atomic_add_fetch(&w->app->syncs, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&w->app->entries_up, n.entries_up, __ATOMIC_RELAXED);
	__atomic_add_fetch(
	    &w->app->entries_down, n.entries_down, __ATOMIC_RELAXED);
	__atomic_add_fetch(&w->app->hints, n.hints, __ATOMIC_RELAXED);
	reply(rq, 200, NULL, &w->body);
}

/* ---- joining */

static void
finish_enrol(struct worker *w, struct request *rq, enum status st,
    const struct enrol_reply *r)
{
	if (st != ST_OK)
		app_fail(w, rq, st);
	else
		reply(rq, r->status, "application/json", r->body);
}

static void
work_enrol(struct worker *w, struct request *rq)
{
	struct enrol_reply r = { .body = &w->body };

	buf_reset(&w->body);
	finish_enrol(w, rq, enrol_join(w->app->enrol, rq->body, &r), &r);
}

static void
work_renew(struct worker *w, struct request *rq)
{
	struct enrol_reply r = { .body = &w->body };

	buf_reset(&w->body);
	finish_enrol(
	    w, rq, enrol_renew(w->app->enrol, rq->peer.dev, rq->body, &r), &r);
}

static void
work_challenge(struct worker *w, struct request *rq)
{
	struct enrol_reply r = { .body = &w->body };

	buf_reset(&w->body);
	finish_enrol(w, rq, enrol_challenge(w->app->enrol, rq->body, &r), &r);
}

static void
work_renew_expired(struct worker *w, struct request *rq)
{
	struct enrol_reply r = { .body = &w->body };

	buf_reset(&w->body);
	finish_enrol(
	    w, rq, enrol_renew_expired(w->app->enrol, rq->body, &r), &r);
}

static void
work_descriptor(struct worker *w, struct request *rq)
{
	enum status st;

	buf_reset(&w->body);
	st = enrol_descriptor(w->app->enrol, w->reader, &w->body);
	if (st != ST_OK)
		app_fail(w, rq, st);
	else
		reply(rq, 200, "application/json", &w->body);
}

/* ---- the log */

/* The size and note that this listener shows: a live tree would tell debtors
 * that teams are out. */
static enum status
shown(struct worker *w, const struct request *rq, struct buf *note,
    struct checkpoint *c)
{
	return rq->listener == LISTEN_PUBLIC
		   ? centre_public(w->app->centre, note, c)
		   : centre_checkpoint(w->app->centre, note, c);
}

static void
work_checkpoint(struct worker *w, struct request *rq)
{
	struct checkpoint c;
	enum status st;

	if (rq->listener == LISTEN_CONSOLE && !api_may_look(w, rq))
		return;
	buf_reset(&w->body);
	st = shown(w, rq, &w->body, &c);
	if (st != ST_OK)
		app_fail(w, rq, st);
	else
		reply(rq, 200, "text/plain; charset=utf-8", &w->body);
}

static void
work_tile(struct worker *w, struct request *rq)
{
	struct checkpoint c;
	struct tile tile;
	enum status st;

	if (rq->listener == LISTEN_CONSOLE && !api_may_look(w, rq))
		return;
	/* Entries hold what is not for the public: hashes only, there. */
	st = ST_INVALID;
	if (bytes_starts(rq->path, "/"))
		st = tile_path_parse(
		    &tile, bytes_of(rq->path.p + 1, rq->path.len - 1));
	if (st == ST_OK && tile.entries)
		st = ST_ABSENT;
	if (st == ST_OK)
		st = shown(w, rq, NULL, &c);
	buf_reset(&w->body);
	if (st == ST_OK)
		st = tlog_tile(
		    centre_tlog(w->app->centre), &tile, c.size, &w->body);
	if (st == ST_INVALID)
		st = ST_ABSENT;
	if (st != ST_OK)
		app_fail(w, rq, st);
	else
		reply(rq, 200, "application/octet-stream", &w->body);
}

/* ---- health, answered on the network thread: it must not wait */

static void
handle_health(struct request *rq, void *arg)
{
	const struct app_route *route = arg;
	struct reply re = { .status = 200,
		.type = "application/json",
		.body = bytes_str("{\"ok\":true}") };
	uint64_t behind = work_behind(route->app);
	char text[96];

	if (centre_halted(route->app->centre)) {
		re.status = 503;
		re.body = bytes_str(
		    "{\"ok\":false,\"why\":\"stopped: needs restore\"}");
	} else if (rq->listener == LISTEN_CONSOLE && behind > CATCHING_UP) {
		/* Elsewhere it would tell that teams are out. */
		(void)snprintf(text, sizeof(text),
		    "{\"behind\":%llu,\"ok\":true,\"why\":\"catching up\"}",
		    (unsigned long long)behind);
		re.body = bytes_str(text);
	}
	request_reply(rq, &re);
}

static const struct {
	const char *method, *pattern;
	unsigned listeners, peers;
	uint64_t body_max;
	work_fn work;
} table[] = {
	{ "POST", "/v1/sync", ON_DEVICES, PEER_DEVICE | PEER_DELIVER,
	    FRAME_WIRE_BYTES_MAX, work_sync },
	{ "POST", "/v1/renew", ON_DEVICES, PEER_DEVICE, SMALL_BODY,
	    work_renew },
	/* Who may only deliver reads nothing on the devices' listener. */
	{ "GET", "/checkpoint", ON_DEVICES | ON_CONSOLE | ON_PUBLIC,
	    PEER_DEVICE | PEER_NONE, 0, work_checkpoint },
	{ "GET", "/tile/*", ON_DEVICES | ON_CONSOLE | ON_PUBLIC,
	    PEER_DEVICE | PEER_NONE, 0, work_tile },
	{ "POST", "/v1/enrol", ON_PUBLIC, 0, SMALL_BODY, work_enrol },
	{ "POST", "/v1/renew/challenge", ON_PUBLIC, 0, SMALL_BODY,
	    work_challenge },
	{ "POST", "/v1/renew/expired", ON_PUBLIC, 0, SMALL_BODY,
	    work_renew_expired },
	{ "GET", "/v1/descriptor", ON_PUBLIC, 0, 0, work_descriptor },
};

struct route *
routes_add(struct app *a, const char *method, const char *pattern,
    unsigned listeners, work_fn work)
{
	struct route *r = &a->route[a->route_count];

	assert(a->route_count < ROUTES_MAX);
	a->app_route[a->route_count].app = a;
	a->app_route[a->route_count].work = work;
	r->method = method;
	r->pattern = pattern;
	r->listeners = listeners;
	r->handler = work_handle;
	r->arg = &a->app_route[a->route_count];
	a->route_count++;
	return r;
}

void
routes_make(struct app *a)
{
	struct route *r;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		r = routes_add(a, table[i].method, table[i].pattern,
		    table[i].listeners, table[i].work);
		r->peers = table[i].peers;
		r->body_max = table[i].body_max;
	}
	r = routes_add(
	    a, "GET", "/healthz", ON_DEVICES | ON_CONSOLE | ON_PUBLIC, NULL);
	r->handler = handle_health;
	tus_routes(a);
	api_routes(a);
	check_routes(a);
}
