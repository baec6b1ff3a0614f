/* check: papers, for whoever holds one (docs/CHECK.md); the public listener. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/embed.h"
#include "base/enc.h"
#include "entry/entry.h"
#include "entry/json.h"
#include "server/app/app_impl.h"
#include "tlog/descriptor.h"

enum { BURST = 30, STEP_MS = 2000, SLOTS = 8192, NOTE_MAX = 4096 };

/* ---- what every answer carries */

static const struct reply_field guards[] = {
	/* Nothing from elsewhere, nothing in line, framed by nobody. */
	{ "Content-Security-Policy",
	    "default-src 'none'; script-src 'self'; style-src 'self'; "
	    "connect-src 'self'; img-src 'self' blob:; base-uri 'none'; "
	    "form-action 'none'; frame-ancestors 'none'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "X-Frame-Options", "DENY" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Permissions-Policy", "camera=(), geolocation=(), microphone=()" },
	{ "Cache-Control", "no-store" },
};

enum { GUARDS = sizeof(guards) / sizeof(guards[0]) };

static void
guard(struct reply *re)
{
	memcpy(re->field, guards, sizeof(guards));
	re->field_count = GUARDS;
}

/* ---- the page: answered on the network thread, from memory */

static const struct page {
	const char *path, *file, *type;
} pages[] = {
	{ "/", "web/check.html", "text/html; charset=utf-8" },
	{ "/check", "web/check.html", "text/html; charset=utf-8" },
	{ "/check.css", "web/check.css", "text/css; charset=utf-8" },
	{ "/check.js", "web/check.js", "text/javascript; charset=utf-8" },
	{ "/qr/decode.js", "decode.js", "text/javascript; charset=utf-8" },
	{ "/qr/index.js", "index.js", "text/javascript; charset=utf-8" },
	{ "/qr/LICENSE", "LICENSE-MIT", "text/plain; charset=utf-8" },
};

static const struct embedded_file *
find_file(const char *name)
{
	for (const struct embedded_file *f = qr_files; f->name != NULL; f++) {
		if (strcmp(f->name, name) == 0)
			return f;
	}
	return embed_find(name);
}

static void
handle_page(struct request *rq, void *arg)
{
	const struct page *p = arg;
	const struct embedded_file *f = find_file(p->file);
	struct reply re = { .status = 200, .type = p->type };

	if (f == NULL) {
		request_status(rq, 404, 0);
		return;
	}
	re.body = f->data;
	guard(&re);
	request_reply(rq, &re);
}

/* ---- answers */

static void
send_answer(struct worker *w, struct request *rq, enum status st)
{
	struct reply re = {
		.status = 200, .type = "application/json", .take = &w->body
	};

	if (st == ST_OK)
		st = w->body.err;
	if (st != ST_OK) {
		app_fail(w, rq, st);
		return;
	}
	guard(&re);
	request_reply(rq, &re);
}

static void
put_hour(struct worker *w)
{
	buf_printf(&w->body, "\"hour\":\"%02u:00\"",
	    (unsigned)w->app->cfg.options.public_hour);
}

static void
put_proof(struct buf *b, const struct merkle_proof *p)
{
	buf_str(b, ",\"proof\":[");
	for (size_t i = 0; i < p->count; i++) {
		if (i > 0)
			buf_u8(b, ',');
		json_put_hex(b, bytes_of(p->hash[i], HASH_LEN));
	}
	buf_u8(b, ']');
}

static enum status
put_found(struct worker *w, const struct printed_answer *a)
{
	struct buf *b = &w->body, note;
	struct merkle_proof proof;
	struct checkpoint cp;
	char at[32];
	enum status st;

	buf_init(&note, NOTE_MAX);
	st = centre_public(w->app->centre, &note, &cp);
	if (st == ST_OK)
		st = tlog_inclusion(
		    centre_tlog(w->app->centre), a->place, cp.size, &proof);
	if (st != ST_OK)
		goto out;
	at_format(at, a->received_ms, (int)w->app->cfg.options.utc_offset_min);
	buf_printf(b,
	    "{\"corrected\":%s,\"digest\":", a->corrected ? "true" : "false");
	json_put_hex(b, bytes_of(a->digest, HASH_LEN));
	buf_str(b, ",\"head\":");
	json_put_string(b, a->head);
	buf_u8(b, ',');
	put_hour(w);
	buf_str(b, ",\"note\":");
	json_put_string(b, buf_view(&note));
	buf_printf(
	    b, ",\"place\":%llu,\"prev\":", (unsigned long long)a->place);
	json_put_hex(b, bytes_of(a->prev, HASH_LEN));
	put_proof(b, &proof);
	buf_printf(b,
	    ",\"received\":\"%s\",\"size\":%llu,\"state\":\"found\","
	    "\"void\":%s}",
	    at, (unsigned long long)cp.size, a->is_void ? "true" : "false");
out:
	buf_free(&note);
	return st;
}

static enum status
answer(
    struct worker *w, const uint8_t id[ID_LEN], const struct paper_code *code)
{
	struct printed_answer a;
	enum status st =
	    printed_ask(w->printed, w->domain->forms, id, code, &a);

	if (st != ST_OK)
		return st;
	if (a.is == PRINTED_FOUND)
		return put_found(w, &a);
	buf_u8(&w->body, '{');
	put_hour(w);
	buf_printf(&w->body, ",\"state\":\"%s\"}",
	    a.is == PRINTED_FALSE ? "false" : "later");
	return ST_OK;
}

/* Papers must not take the workers away from handhelds. */
static bool
enter(struct app *a)
{
	unsigned most = (unsigned)a->worker_count / 4;
	unsigned n = __atomic_add_fetch(&a->checking, 1, __ATOMIC_RELAXED);

	return n <= (most == 0 ? 1 : most);
}

static void
work_check(struct worker *w, struct request *rq)
{
	struct paper_code code;
	const struct paper_code *whole = NULL;
	uint8_t id[ID_LEN];
	enum status st = paper_read_id(id, rq->param[0]);

	if (st != ST_OK) {
		st = paper_read(&code, rq->param[0]);
		whole = &code;
		memcpy(id, code.link, st == ST_OK ? ID_LEN : 0);
	}
	buf_reset(&w->body);
	if (st != ST_OK)
		request_error(rq, 400, "no_code",
		    "this is no code of a court's paper",
		    "这不是文书上的核验码，请检查是否完整", 0);
	else if (!enter(w->app))
		request_error(rq, 503, "busy", "too much at once: try later",
		    "查询的人较多，请稍后再试", 5);
	else
		send_answer(w, rq, answer(w, id, whole));
	if (st == ST_OK)
		__atomic_sub_fetch(&w->app->checking, 1, __ATOMIC_RELAXED);
}

/* Whose page this is. */
static void
work_about(struct worker *w, struct request *rq)
{
	struct buf *b = &w->body;

	buf_reset(b);
	buf_str(b, "{\"court\":");
	json_put_str(b, w->app->court_name);
	buf_u8(b, ',');
	put_hour(w);
	buf_str(b, ",\"origin\":");
	json_put_str(b, centre_log_key(w->app->centre)->name);
	buf_printf(
	    b, ",\"reader\":%s}", qr_files[0].name != NULL ? "true" : "false");
	send_answer(w, rq, ST_OK);
}

/* ---- who asks too often is told when to come back */

/* Whom the configured proxy asks for: the last address that it names, which it
 * added itself; what stands before it anybody may have written. */
static void
asker(const struct app *a, const struct request *rq, char out[NET_ADDR_LEN])
{
	const char *proxy = a->cfg.options.public_proxy;
	struct bytes via = request_field(rq, "x-forwarded-for");
	size_t from;

	(void)snprintf(out, NET_ADDR_LEN, "%s", rq->addr);
	if (proxy[0] == '\0' || strcmp(proxy, rq->addr) != 0)
		return;
	while (via.len > 0 && via.p[via.len - 1] == ' ')
		via.len--;
	from = via.len;
	while (from > 0 && via.p[from - 1] != ',' && via.p[from - 1] != ' ')
		from--;
	if (via.len - from > 0 && via.len - from < NET_ADDR_LEN)
		(void)snprintf(out, NET_ADDR_LEN, "%.*s", (int)(via.len - from),
		    (const char *)via.p + from);
}

static void
handle_check(struct request *rq, void *arg)
{
	struct app_route *route = arg;
	char addr[NET_ADDR_LEN];
	unsigned wait_s;

	asker(route->app, rq, addr);
	if (rate_take(route->app->rate, addr, &wait_s))
		work_handle(rq, arg);
	else
		request_error(rq, 429, "too_often",
		    "asked too often: try later", "查询过于频繁，请稍后再试",
		    wait_s);
}

/* The court's name, for the head of the page. */
static enum status
find_name(struct app *a)
{
	struct descriptor *d = malloc(sizeof(*d));
	struct buf file;
	enum status st;

	if (d == NULL)
		return ST_NOMEM;
	buf_init(&file, DESCRIPTOR_FILE_MAX);
	st = centre_descriptor(a->centre, &file);
	if (st == ST_OK)
		st = descriptor_parse(d, buf_view(&file));
	if (st == ST_OK)
		(void)snprintf(
		    a->court_name, sizeof(a->court_name), "%s", d->name);
	buf_free(&file);
	free(d);
	return st;
}

enum status
check_open(struct app *a)
{
	struct rate_config rc = { .port = a->cfg.port,
		.burst = BURST,
		.step_ms = STEP_MS,
		.slots = SLOTS };
	enum status st = find_name(a);

	return st == ST_OK ? rate_new(&a->rate, &rc) : st;
}

void
check_routes(struct app *a)
{
	struct route *r;

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		r = routes_add(
		    a, "GET", pages[i].path, 1u << LISTEN_PUBLIC, NULL);
		r->handler = handle_page;
		r->arg = (void *)(uintptr_t)&pages[i]; /* read only */
	}
	(void)routes_add(
	    a, "GET", "/v1/check", 1u << LISTEN_PUBLIC, work_about);
	r = routes_add(
	    a, "GET", "/v1/check/{code}", 1u << LISTEN_PUBLIC, work_check);
	r->handler = handle_check;
}
