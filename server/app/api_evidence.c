/*
 * api_evidence: stored files for the console (docs/openapi.yaml), whole or a
 * range of them (RFC 9110, 14), and what became of a record's attachments.
 *
 * A file is what somebody in the field handed in: a browser is told never to
 * guess what it is, and to run nothing of it.  Who reads is noted in the log.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/json.h"
#include "server/app/api_impl.h"
#include "server/evidence/custody.h"

enum { NAME_FIELD_MAX = 1024, PEEK = 16 };

static const char policy[] =
    "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; "
    "style-src 'unsafe-inline'";

/* ---- what it is */

/* Shown in the browser, if its first bytes are what its type says; anything
 * else is a download of bytes. */
static const struct shown {
	const char *type;
	size_t at, len;
	const char *magic;
	const char *ext;
} shown[] = {
	{ "image/jpeg", 0, 3, "\xff\xd8\xff", "jpg" },
	{ "image/png", 0, 8, "\x89PNG\r\n\x1a\n", "png" },
	{ "image/gif", 0, 4, "GIF8", "gif" },
	{ "image/webp", 8, 4, "WEBP", "webp" },
	{ "image/heic", 4, 4, "ftyp", "heic" },
	{ "video/mp4", 4, 4, "ftyp", "mp4" },
	{ "video/quicktime", 4, 4, "ftyp", "mov" },
	{ "video/webm", 0, 4, "\x1a\x45\xdf\xa3", "webm" },
	{ "audio/mp4", 4, 4, "ftyp", "m4a" },
	{ "audio/ogg", 0, 4, "OggS", "ogg" },
	{ "audio/mpeg", 0, 3, "ID3", "mp3" },
	{ "audio/x-wav", 8, 4, "WAVE", "wav" },
};

static const struct shown *
find_shown(const char *type)
{
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		if (strcmp(shown[i].type, type) == 0)
			return &shown[i];
	return NULL;
}

struct file {
	struct stored_file *f;
	uint64_t size, at, left; /* of what is asked for */
	bool partial;
	char hex[2 * HASH_LEN + 1], etag[2 * HASH_LEN + 3];
	char type[128], range[80], disposition[NAME_FIELD_MAX];
};

/* RFC 8187: what is no plain letter is percent-encoded. */
static void
put_name(struct buf *out, const char *name)
{
	for (; *name != '\0'; name++) {
		uint8_t c = (uint8_t)*name;
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || c == '.' || c == '-' ||
			     c == '_';

		buf_printf(out, plain ? "%c" : "%%%02X", c);
	}
}

static void
describe(struct worker *w, struct file *f, const uint8_t *digest)
{
	struct custody_named n;
	const struct shown *s = NULL;
	uint8_t first[PEEK];
	size_t len = 0;
	struct buf b;

	if (custody_named(w->app->evidence, w->reader, digest, &n) == ST_OK)
		s = find_shown(n.type);
	else
		memset(&n, 0, sizeof(n));
	if (s != NULL && (stored_peek(f->f, first, PEEK, &len) != ST_OK ||
			     s->at + s->len > len ||
			     memcmp(first + s->at, s->magic, s->len) != 0)) {
		app_say(w->app, APP_WARN, "evidence_type",
		    "%s is named %s and is none: given as bytes", f->hex,
		    s->type);
		centre_attempt(w->app->centre, "evidence_type", f->hex, "{}");
		s = NULL;
	}
	(void)snprintf(f->type, sizeof(f->type), "%s",
	    s == NULL ? "application/octet-stream" : s->type);
	buf_init(&b, NAME_FIELD_MAX - 1);
	buf_printf(&b, "%s; filename=\"%.16s.%s\"",
	    s == NULL ? "attachment" : "inline", f->hex,
	    s == NULL ? "bin" : s->ext);
	if (n.name[0] != '\0' && strchr(n.name, '/') == NULL) {
		buf_str(&b, "; filename*=UTF-8''");
		put_name(&b, n.name);
	}
	if (b.err != ST_OK || buf_cstr(&b) == NULL)
		(void)snprintf(f->disposition, sizeof(f->disposition),
		    "attachment; filename=\"%.16s.bin\"", f->hex);
	else
		memcpy(f->disposition, b.p, b.len + 1);
	buf_free(&b);
}

/* ---- which part of it */

static bool
number(uint64_t *out, const char **p)
{
	char *end;

	if (**p < '0' || **p > '9')
		return false;
	*out = strtoull(*p, &end, 10);
	*p = end;
	return *out < INT64_MAX;
}

/*
 * One range of bytes.  A header that is none, or asks for several, is passed
 * over (RFC 9110, 14.2); false: it lies outside.
 */
static bool
read_range(struct file *f, struct bytes in)
{
	char text[80];
	const char *p = text;
	uint64_t from = 0, to = 0;

	f->at = 0;
	f->left = f->size;
	if (!bytes_starts(in, "bytes=") || in.len >= sizeof(text))
		return true;
	memcpy(text, in.p, in.len);
	text[in.len] = '\0';
	p += 6;
	if (*p == '-') { /* the last so many */
		p++;
		if (!number(&to, &p) || *p != '\0')
			return true;
		if (to == 0 || f->size == 0)
			return false;
		from = to >= f->size ? 0 : f->size - to;
		to = f->size - 1;
	} else {
		if (!number(&from, &p) || *p++ != '-')
			return true;
		to = f->size - 1;
		if (*p != '\0' && (!number(&to, &p) || *p != '\0' || to < from))
			return true;
		if (from >= f->size)
			return false;
		if (to >= f->size)
			to = f->size - 1;
	}
	f->at = from;
	f->left = to - from + 1;
	f->partial = true;
	return true;
}

/* ---- giving it */

struct giving {
	struct file file;
	struct request *rq;
};

static void
on_piece(void *arg, struct bytes piece)
{
	struct giving *g = arg;

	g->file.at += piece.len;
	g->file.left -= piece.len;
	request_give(g->rq, piece);
}

static void
want(struct request *rq, void *arg)
{
	struct giving *g = arg;

	g->rq = rq;
	stored_read(g->file.f, g->file.at, g->file.left, on_piece, g);
}

static void
done(void *arg)
{
	struct giving *g = arg;

	stored_close(g->file.f);
	free(g);
}

static void
add(struct reply *re, const char *name, const char *value)
{
	re->field[re->field_count].name = name;
	re->field[re->field_count++].value = value;
}

static void
give(struct request *rq, struct giving *g)
{
	static const struct reply_source source = { want, done };
	struct file *f = &g->file;
	struct reply re = { .status = f->partial ? 206 : 200,
		.type = f->type,
		.source = &source,
		.source_arg = g,
		.source_len = f->left };

	add(&re, "ETag", f->etag);
	add(&re, "Accept-Ranges", "bytes");
	add(&re, "Content-Disposition", f->disposition);
	add(&re, "X-Content-Type-Options", "nosniff");
	add(&re, "Content-Security-Policy", policy);
	add(&re, "Cross-Origin-Resource-Policy", "same-origin");
	add(&re, "Cache-Control", "private, no-cache");
	if (f->partial) {
		(void)snprintf(f->range, sizeof(f->range),
		    "bytes %llu-%llu/%llu", (unsigned long long)f->at,
		    (unsigned long long)(f->at + f->left - 1),
		    (unsigned long long)f->size);
		add(&re, "Content-Range", f->range);
	}
	request_reply(rq, &re);
}

static void
refuse_range(struct request *rq, const struct file *f)
{
	char range[64];
	struct reply re = { .status = 416 };

	(void)snprintf(
	    range, sizeof(range), "bytes */%llu", (unsigned long long)f->size);
	add(&re, "Content-Range", range);
	add(&re, "ETag", f->etag);
	request_reply(rq, &re);
}

static void
refuse_state(
    struct worker *w, struct request *rq, const struct evidence_status *s)
{
	if (s->state == EVIDENCE_PURGED)
		request_error(rq, 410, "purged",
		    "deleted when its time was over; the log says when and "
		    "why",
		    "保管期满，已清除，日志中有记载", 0);
	else if (s->state == EVIDENCE_MISSING) {
		app_say(w->app, APP_ERROR, "evidence",
		    "a file with a receipt is not in the store: run check");
		request_error(rq, 500, "missing",
		    "it was stored and is not there: run check",
		    "文件应在库而不在，请运行 check", 0);
	} else if (s->state == EVIDENCE_LOST)
		request_error(rq, 404, "lost",
		    "its handheld lost it before it came; the log says so",
		    "内容在手持机上已丢失，未能送达，日志中有记载", 0);
	else
		request_error(rq, 404, "not_here",
		    "its bytes are not here (yet)", "文件内容尚未到达", 0);
}

/* The file is open: what is asked of it, by whom. */
static void
serve(struct worker *w, struct request *rq, struct giving *g,
    const uint8_t *digest, const char *who)
{
	struct file *f = &g->file;
	struct bytes range = request_field(rq, "range");
	struct bytes same = request_field(rq, "if-range");
	struct reply not_modified = { .status = 304 };
	char asked[80];
	enum status st;

	if (bytes_eq_str(request_field(rq, "if-none-match"), f->etag)) {
		add(&not_modified, "ETag", f->etag);
		request_reply(rq, &not_modified);
		done(g);
		return;
	}
	/* Of other bytes a part is of no use: the whole, then. */
	if (same.len > 0 && !bytes_eq_str(same, f->etag))
		range.len = 0;
	if (!read_range(f, range)) {
		refuse_range(rq, f);
		done(g);
		return;
	}
	(void)snprintf(asked, sizeof(asked), "%llu-%llu",
	    (unsigned long long)f->at, (unsigned long long)f->at + f->left);
	st = custody_note(w->app->evidence, digest, false, who, asked, NULL);
	if (st != ST_OK) {
		/* What cannot be noted is not shown. */
		app_fail(w, rq, st);
		done(g);
		return;
	}
	describe(w, f, digest);
	give(rq, g);
}

void
api_catching_up(struct request *rq)
{
	request_error(rq, 503, "catching_up",
	    "the centre is still reading its log: ask again",
	    "中心正在重新读取日志，请稍后再查", 30);
}

void
api_evidence(struct worker *w, struct request *rq)
{
	struct evidence_status s;
	uint8_t digest[HASH_LEN];
	char who[API_WHO_MAX];
	struct giving *g;
	enum status st;

	if (!api_may_who(w, rq, RIGHT_RECORDS, who))
		return;
	if (!evidence_is_whole(w->app->evidence)) {
		api_catching_up(rq);
		return;
	}
	st = hex_decode(digest, HASH_LEN, rq->param[0]) == ST_OK ? ST_OK
								 : ST_ABSENT;
	if (st == ST_OK)
		st = evidence_status(w->app->evidence, digest, &s);
	if (st != ST_OK) {
		app_fail(w, rq, st);
		return;
	}
	if (s.state != EVIDENCE_STORED) {
		refuse_state(w, rq, &s);
		return;
	}
	g = calloc(1, sizeof(*g));
	if (g == NULL) {
		app_fail(w, rq, ST_NOMEM);
		return;
	}
	st = stored_open(&g->file.f, w->app->evidence, digest, &g->file.size);
	if (st != ST_OK) {
		free(g);
		app_fail(w, rq, st);
		return;
	}
	hex_encode(g->file.hex, bytes_of(digest, HASH_LEN));
	(void)snprintf(
	    g->file.etag, sizeof(g->file.etag), "\"%s\"", g->file.hex);
	serve(w, rq, g, digest, who);
}

/* ---- a record's attachments */

static void
put_state(struct worker *w, struct buf *b, struct bytes hex, uint64_t size)
{
	struct evidence_status s;
	uint8_t digest[HASH_LEN];
	uint64_t percent;

	if (hex_decode(digest, HASH_LEN, hex) != ST_OK ||
	    evidence_status(w->app->evidence, digest, &s) != ST_OK)
		return;
	if (s.size == 0)
		s.size = size;
	percent = s.state == EVIDENCE_STORED ? 100
		  : s.size == 0              ? 0
					     : s.got * 100 / s.size;
	buf_printf(b, ",\"got\":%llu,\"percent\":%llu,\"state\":\"%s\"",
	    (unsigned long long)s.got, (unsigned long long)percent,
	    evidence_state_word(s.state));
}

static void
put_attachment(struct worker *w, struct buf *b, const struct state *s,
    const struct state_act *act)
{
	char hex[2 * HASH_LEN + 1] = "";
	uint64_t size = 0;
	struct buf text;

	buf_init(&text, 2 * HASH_LEN);
	if (act->data != 0 && s->tape.node[act->data].count == 1)
		json_text(&s->tape, act->data + 1, &text);
	if (text.err == ST_OK && text.len == sizeof(hex) - 1)
		memcpy(hex, buf_cstr(&text), sizeof(hex));
	buf_free(&text);
	if (act->more != 0) {
		uint32_t n =
		    json_get_typed(&s->tape, act->more, "size", JSON_INT);

		if (n != 0 && s->tape.node[n].num > 0)
			size = (uint64_t)s->tape.node[n].num;
	}
	buf_str(b, "{\"id\":");
	json_put_string(b, act->id);
	buf_str(b, ",\"more\":");
	if (act->more != 0)
		json_canon(&s->tape, act->more, b);
	else
		buf_str(b, "null");
	buf_str(b, ",\"on\":");
	json_canon(&s->tape, act->on, b);
	buf_str(b, ",\"sha256\":");
	json_put_str(b, hex);
	put_state(w, b, bytes_str(hex), size);
	buf_u8(b, '}');
}

void
api_put_attachments(struct worker *w, struct buf *b)
{
	const struct state *s = fold_state(w->fold);
	bool any = false;

	buf_u8(b, '[');
	for (size_t i = 0; i < s->act_count; i++) {
		if (!bytes_eq_str(s->acts[i].verb, "attach") ||
		    s->acts[i].blind)
			continue;
		if (any)
			buf_u8(b, ',');
		any = true;
		put_attachment(w, b, s, &s->acts[i]);
	}
	buf_u8(b, ']');
}
