/*
 * tus: uploads of files by tus 1.0 (docs/EVIDENCE.md, "To the centre").
 *
 * Here are headers and statuses alone.  Bytes go to server/evidence as they
 * come; a request waits (paused) until it is known whether it may go on, and
 * whenever the disk is behind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/enc.h"
#include "entry/json.h"
#include "server/app/app_impl.h"
#include "server/app/tus_head.h"

#define TUS_VERSION "1.0.0"

static const char extensions[] =
    "creation,creation-with-upload,checksum,expiration,termination";

enum { TEXT_MAX = 64, HERE_MAX = 64 };

struct tus {
	struct app *app;
	struct upload_run *run;
	struct upload_ask ask;
	bool begun; /* what is to become of it was looked at */
};

/* ---- answers */

static const struct word {
	unsigned status;
	const char *word, *en, *zh;
	unsigned retry_after_s;
} words[] = {
	[UPLOAD_OK] = { 204, "", "", "", 0 },
	[UPLOAD_ABSENT] = { 404, "not_found",
	    "this device has no such upload: create it",
	    "本机没有此上传，请重新创建", 0 },
	[UPLOAD_EXPIRED] = { 410, "expired",
	    "nobody went on with this upload in time: create it again",
	    "上传已过期，请重新创建", 0 },
	[UPLOAD_ENDED] = { 410, "terminated",
	    "this upload was ended (DELETE): create it again",
	    "上传已被终止，请重新创建", 0 },
	[UPLOAD_OFFSET] = { 409, "offset",
	    "the upload stands elsewhere, or a newer request has it: ask "
	    "(HEAD), then go on from there",
	    "上传位置不符，或已有更新的请求，请先查询再续传", 0 },
	[UPLOAD_TOO_BIG] = { 413, "too_big",
	    "more than the limit, or than was announced",
	    "超过上限，或超过申报的大小", 0 },
	[UPLOAD_CHECKSUM] = { 460, "checksum",
	    "these bytes are not what their checksum says: send them again",
	    "本次数据与校验值不符，请重发", 0 },
	[UPLOAD_DIGEST] = { 460, "digest",
	    "the file is not the one it was named for; it is kept apart",
	    "文件与所报哈希值不符，已另行保管", 0 },
	[UPLOAD_FULL] = { 507, "full",
	    "the centre has no room for files now; entries go on",
	    "中心存储空间不足，记录照常上传", 300 },
	[UPLOAD_QUOTA] = { 429, "quota",
	    "this device has too much under way: finish that first",
	    "本机未完成的上传过多，请先完成", 600 },
	[UPLOAD_FAILED] = { 503, "busy",
	    "the centre cannot write now: try later",
	    "中心暂时不能写入，请稍后再试", 30 },
};

/* An answer of tus: its version on each, and no cache keeps what changes. */
static void
tus_error(struct request *rq, unsigned status, const char *word, const char *en,
    const char *zh, unsigned retry_after_s)
{
	struct buf b;
	struct reply re = { .status = status,
		.type = "application/json",
		.retry_after_s = retry_after_s,
		.field = { { "Tus-Resumable", TUS_VERSION },
		    { "Tus-Version", TUS_VERSION },
		    { "Cache-Control", "no-store" } },
		.field_count = 3,
		.take = &b };

	buf_init(&b, 4096);
	buf_str(&b, "{\"error\":");
	json_put_str(&b, word);
	buf_str(&b, ",\"message\":");
	json_put_str(&b, en);
	buf_str(&b, ",\"zh\":");
	json_put_str(&b, zh);
	buf_str(&b, "}\n");
	request_reply(rq, &re);
}

/* What a device tried and should not have is counted, for supervisors. */
static void
say_refused(struct app *a, const struct request *rq, enum upload_why why)
{
	if (why == UPLOAD_DIGEST || why == UPLOAD_CHECKSUM ||
	    why == UPLOAD_TOO_BIG)
		centre_attempt(a->centre,
		    why == UPLOAD_DIGEST     ? "evidence_digest"
		    : why == UPLOAD_CHECKSUM ? "evidence_checksum"
					     : "evidence_too_big",
		    rq->peer.dev, "{}");
	if (why == UPLOAD_FULL)
		app_say(a, APP_ERROR, "disk",
		    "no room for evidence: uploads wait, entries go on");
}

/* IMF-fixdate (RFC 9110, 5.6.7). */
static void
put_date(char out[TEXT_MAX], uint64_t wall_ms)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t t = (time_t)(wall_ms / 1000);
	struct tm tm;

	out[0] = '\0';
	if (gmtime_r(&t, &tm) == NULL)
		return;
	(void)snprintf(out, TEXT_MAX, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
	    days + (ptrdiff_t)tm.tm_wday * 3, tm.tm_mday,
	    months + (ptrdiff_t)tm.tm_mon * 3, tm.tm_year + 1900, tm.tm_hour,
	    tm.tm_min, tm.tm_sec);
}

static void
add(struct reply *re, const char *name, const char *value)
{
	re->field[re->field_count].name = name;
	re->field[re->field_count++].value = value;
}

static void
put_answer(struct tus *t, struct request *rq, const struct upload_info *info)
{
	const struct word *w = &words[info->why];
	char offset[TEXT_MAX], length[TEXT_MAX], expires[TEXT_MAX];
	char here[HERE_MAX], id[2 * UPLOAD_ID_LEN + 1];
	struct reply re = { .status = 204 };

	if (info->why != UPLOAD_OK) {
		say_refused(t->app, rq, info->why);
		if (info->why == UPLOAD_FAILED && info->st == ST_LOCKED)
			tus_error(rq, 503, "stopped",
			    "the log is stopped until it is restored",
			    "日志已停止，须先恢复", 300);
		else
			tus_error(rq, w->status, w->word, w->en, w->zh,
			    w->retry_after_s);
		return;
	}
	hex_encode(id, bytes_of(info->id, UPLOAD_ID_LEN));
	(void)snprintf(here, sizeof(here), "/v1/evidence/%s", id);
	(void)snprintf(
	    offset, sizeof(offset), "%llu", (unsigned long long)info->offset);
	(void)snprintf(
	    length, sizeof(length), "%llu", (unsigned long long)info->length);
	add(&re, "Tus-Resumable", TUS_VERSION);
	if (t->ask.what != UPLOAD_REMOVE)
		add(&re, "Upload-Offset", offset);
	if (t->ask.what == UPLOAD_CREATE) {
		re.status = 201;
		add(&re, "Location", here);
	}
	if (t->ask.what == UPLOAD_LOOK) {
		re.status = 200;
		add(&re, "Upload-Length", length);
		add(&re, "Cache-Control", "no-store");
		if (info->meta != NULL)
			add(&re, "Upload-Metadata", info->meta);
	}
	if (info->expires_ms != 0 && t->ask.what != UPLOAD_REMOVE) {
		put_date(expires, info->expires_ms);
		add(&re, "Upload-Expires", expires);
	}
	request_reply(rq, &re);
}

/* ---- one request */

static void
resume(void *rq)
{
	request_resume(rq);
}

static void
on_ended(void *arg, const struct upload_info *info)
{
	struct request *rq = arg;
	struct tus *t = rq->user;

	put_answer(t, rq, info);
	free(t);
}

/* False: it was answered. */
static bool
read_head(struct tus *t, struct request *rq)
{
	struct tus_refusal why;
	struct tus_fields f = { .method = bytes_str(rq->method),
		.override = request_field(rq, "x-http-method-override"),
		.has_id = rq->param_count > 0,
		.length = request_field(rq, "upload-length"),
		.defer_length = request_field(rq, "upload-defer-length"),
		.offset = request_field(rq, "upload-offset"),
		.metadata = request_field(rq, "upload-metadata"),
		.checksum = request_field(rq, "upload-checksum"),
		.content_length = request_field(rq, "content-length"),
		.content_type = request_field(rq, "content-type"),
		.transfer_encoding = request_field(rq, "transfer-encoding") };

	if (f.has_id)
		f.id = rq->param[0];
	if (tus_head_read(&t->ask, &f, &why))
		return true;
	if (why.metadata) {
		centre_attempt(
		    t->app->centre, "evidence_metadata", rq->peer.dev, "{}");
		app_say(t->app, APP_WARN, "evidence", "%s: refused: %s",
		    rq->peer.dev, why.en);
	}
	tus_error(rq, why.status, why.word, why.en, why.zh, 0);
	return false;
}

static void
say_busy(struct request *rq)
{
	const struct word *w = &words[UPLOAD_FAILED];

	tus_error(rq, w->status, w->word, w->en, w->zh, w->retry_after_s);
}

static void
tus_open(struct request *rq, void *arg)
{
	static const struct upload_calls calls = {
		.ready = resume, .room = resume, .ended = on_ended
	};
	const struct app_route *route = arg;
	struct tus *t;

	rq->user = NULL;
	if (!bytes_eq_str(request_field(rq, "tus-resumable"), TUS_VERSION)) {
		tus_error(rq, 412, "tus_version", "Tus-Resumable must be 1.0.0",
		    "只支持 tus 1.0.0", 0);
		return;
	}
	if (!evidence_is_whole(route->app->evidence)) {
		tus_error(rq, 503, "catching_up",
		    "the centre is still reading its log: come again",
		    "中心正在重新读取日志，请稍后再传", 30);
		return;
	}
	t = calloc(1, sizeof(*t));
	if (t == NULL) {
		say_busy(rq);
		return;
	}
	t->app = route->app;
	if (!read_head(t, rq)) {
		free(t);
		return;
	}
	memcpy(t->ask.dev, rq->peer.dev, sizeof(t->ask.dev));
	t->ask.deliver = rq->peer.role != PEER_DEVICE;
	rq->user = t;
	t->run = upload_start(t->app->evidence, &t->ask, &calls, rq);
	if (t->run == NULL) {
		rq->user = NULL;
		free(t);
		say_busy(rq);
		return;
	}
	request_pause(rq);
}

/* Answer from within, and let go. */
static void
answer_now(struct request *rq, const struct upload_info *info)
{
	struct tus *t = rq->user;

	put_answer(t, rq, info);
	upload_drop(t->run);
	free(t);
}

static void
tus_resumed(struct request *rq, void *arg)
{
	struct tus *t = rq->user;
	struct upload_info info;

	(void)arg;
	if (t->begun)
		return;
	t->begun = true;
	upload_info(t->run, &info);
	if (info.why != UPLOAD_OK ||
	    (!info.takes && t->ask.what != UPLOAD_WRITE))
		answer_now(rq, &info);
}

static void
tus_data(struct request *rq, struct bytes in, void *arg)
{
	struct tus *t = rq->user;
	struct upload_info info;

	(void)arg;
	switch (upload_put(t->run, in)) {
	case UPLOAD_PUT_OK:
		break;
	case UPLOAD_PUT_WAIT:
		request_pause(rq);
		break;
	case UPLOAD_PUT_ENDED:
		upload_info(t->run, &info);
		answer_now(rq, &info);
		break;
	}
}

static void
tus_aborted(struct request *rq, void *arg)
{
	struct tus *t = rq->user;

	(void)arg;
	upload_drop(t->run);
	free(t);
}

/* The whole body came: on_ended answers. */
static void
tus_whole(struct request *rq, void *arg)
{
	struct tus *t = rq->user;

	(void)arg;
	upload_finish(t->run);
}

static void
handle_options(struct request *rq, void *arg)
{
	const struct app_route *route = arg;
	char max[TEXT_MAX];
	struct reply re = { .status = 204 };

	(void)snprintf(max, sizeof(max), "%lld",
	    (long long)route->app->cfg.options.evidence_max_bytes);
	add(&re, "Tus-Resumable", TUS_VERSION);
	add(&re, "Tus-Version", TUS_VERSION);
	add(&re, "Tus-Extension", extensions);
	add(&re, "Tus-Max-Size", max);
	add(&re, "Tus-Checksum-Algorithm", "sha256,sha-256,sha1");
	request_reply(rq, &re);
}

void
tus_routes(struct app *a)
{
	static const struct request_stream stream = { .open = tus_open,
		.data = tus_data,
		.aborted = tus_aborted,
		.resumed = tus_resumed };
	static const struct {
		const char *method, *pattern;
	} table[] = {
		{ "POST", "/v1/evidence" },
		{ "GET", "/v1/evidence/{id}" },
		{ "PATCH", "/v1/evidence/{id}" },
		{ "POST", "/v1/evidence/{id}" },
		{ "DELETE", "/v1/evidence/{id}" },
	};
	static const char *const open_to_all[] = { "/v1/evidence",
		"/v1/evidence/{id}" };
	struct route *r;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		r = routes_add(a, table[i].method, table[i].pattern,
		    1u << LISTEN_DEVICES, NULL);
		r->peers = PEER_DEVICE | PEER_DELIVER;
		r->handler = tus_whole;
		r->stream = &stream;
		/* What is too much is said in tus's words, by us. */
		r->body_max = UINT64_MAX;
	}
	for (size_t i = 0; i < 2; i++) {
		r = routes_add(
		    a, "OPTIONS", open_to_all[i], 1u << LISTEN_DEVICES, NULL);
		r->peers = PEER_DEVICE | PEER_DELIVER;
		r->handler = handle_options;
	}
}
