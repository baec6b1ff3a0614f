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

#define TUS_VERSION "1.0.0"
static const char extensions[] =
    "creation,creation-with-upload,checksum,expiration,termination";

enum { META_MAX = 4096, TEXT_MAX = 64, HERE_MAX = 64 };

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

static void
tus_error(struct request *rq, unsigned status, const char *word, const char *en,
    const char *zh, unsigned retry_after_s)
{
	struct buf b;
	struct reply re = { .status = status,
		.type = "application/json",
		.retry_after_s = retry_after_s,
		.field = { { "Tus-Resumable", TUS_VERSION },
		    { "Tus-Version", TUS_VERSION } },
		.field_count = 2,
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

static void
bad_metadata(struct request *rq, const char *en, const char *zh)
{
	tus_error(rq, 400, "bad_metadata", en, zh, 0);
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
	}
	if (info->expires_ms != 0 && t->ask.what != UPLOAD_REMOVE) {
		put_date(expires, info->expires_ms);
		add(&re, "Upload-Expires", expires);
	}
	request_reply(rq, &re);
}

/* ---- reading headers */

/* A decimal number of at most 19 digits, and nothing else. */
static bool
read_number(uint64_t *out, struct bytes in)
{
	uint64_t v = 0;

	if (in.len == 0 || in.len > 18)
		return false;
	for (size_t i = 0; i < in.len; i++) {
		if (in.p[i] < '0' || in.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(in.p[i] - '0');
	}
	*out = v;
	return true;
}

/* The text up to `c`, taken off the front of *in; all of it if there is none.
 */
static struct bytes
split(struct bytes *in, char c)
{
	const uint8_t *at = in->len == 0 ? NULL : memchr(in->p, c, in->len);
	struct bytes out = *in;

	if (at == NULL) {
		in->p += in->len;
		in->len = 0;
		return out;
	}
	out.len = (size_t)(at - in->p);
	in->p += out.len + 1;
	in->len -= out.len + 1;
	return out;
}

static struct bytes
trim(struct bytes in)
{
	while (in.len > 0 && in.p[0] == ' ') {
		in.p++;
		in.len--;
	}
	while (in.len > 0 && in.p[in.len - 1] == ' ')
		in.len--;
	return in;
}

/* A name that is no name but a way to somewhere. */
static bool
is_path(struct bytes name)
{
	return memchr(name.p, '/', name.len) != NULL ||
	       memchr(name.p, '\\', name.len) != NULL ||
	       memchr(name.p, '\0', name.len) != NULL ||
	       bytes_eq_str(name, "..");
}

/*
 * Upload-Metadata: "key base64, key base64 …".  Only the digest counts; what a
 * client says of name and type is looked at for nothing but tricks, and not
 * kept.  NULL, or why it will not do.
 */
static const char *
read_metadata(uint8_t digest[HASH_LEN], struct bytes in)
{
	uint8_t value[META_MAX];
	bool found = false;

	if (in.len > META_MAX)
		return "Upload-Metadata is too long";
	while (in.len > 0) {
		struct bytes pair = trim(split(&in, ','));
		struct bytes key = split(&pair, ' ');
		size_t len = 0;

		pair = trim(pair);
		if (key.len == 0 ||
		    base64_decode(value, sizeof(value), &len, pair) != ST_OK)
			return "Upload-Metadata is not: key base64, …";
		if (bytes_eq_str(key, "filename") && len > 0 &&
		    is_path(bytes_of(value, len)))
			return "filename holds a path: a name alone will do";
		if (!bytes_eq_str(key, "sha256"))
			continue;
		if (found ||
		    hex_decode(digest, HASH_LEN, bytes_of(value, len)) != ST_OK)
			return "sha256 must stand once, as 64 hex digits in "
			       "base64";
		found = true;
	}
	return found ? NULL : "Upload-Metadata must name the file's sha256";
}

/* False: it was answered. */
static bool
read_checksum(struct tus *t, struct request *rq)
{
	struct bytes in = trim(request_field(rq, "upload-checksum"));
	size_t len = 0, want = HASH_LEN;
	struct bytes name;

	if (in.len == 0)
		return true;
	name = split(&in, ' ');
	if (bytes_eq_str(name, "sha256") || bytes_eq_str(name, "sha-256")) {
		t->ask.sum = UPLOAD_SUM_SHA256;
	} else if (bytes_eq_str(name, "sha1")) {
		t->ask.sum = UPLOAD_SUM_SHA1;
		want = SHA1_LEN;
	} else {
		tus_error(rq, 400, "checksum_algorithm",
		    "that checksum is not offered: sha256, sha-256, sha1",
		    "不支持该校验算法", 0);
		return false;
	}
	if (base64_decode(t->ask.sum_value, HASH_LEN, &len, trim(in)) !=
		ST_OK ||
	    len != want) {
		tus_error(rq, 400, "checksum_algorithm",
		    "Upload-Checksum is not: name base64", "校验值格式不正确",
		    0);
		return false;
	}
	return true;
}

static bool
read_body(struct tus *t, struct request *rq)
{
	struct bytes len = request_field(rq, "content-length");
	bool chunked = request_field(rq, "transfer-encoding").len > 0;

	t->ask.body_len = 0;
	if (chunked)
		t->ask.body_len = UINT64_MAX;
	else if (len.len > 0 && !read_number(&t->ask.body_len, len))
		t->ask.body_len = UINT64_MAX - 1;
	t->ask.has_body = chunked || t->ask.body_len > 0;
	if (t->ask.what == UPLOAD_CREATE && !t->ask.has_body)
		return true;
	if (bytes_eq_str(request_field(rq, "content-type"),
		"application/offset+octet-stream"))
		return true;
	tus_error(rq, 415, "content_type",
	    "bytes are sent as application/offset+octet-stream",
	    "须以 application/offset+octet-stream 传送", 0);
	return false;
}

static bool
read_create(struct tus *t, struct request *rq)
{
	const char *why;

	t->ask.what = UPLOAD_CREATE;
	if (request_field(rq, "upload-defer-length").len > 0) {
		bad_metadata(rq, "the length must be known: Upload-Length",
		    "须先给出文件大小");
		return false;
	}
	if (!read_number(&t->ask.length, request_field(rq, "upload-length"))) {
		bad_metadata(rq, "Upload-Length must be a number of bytes",
		    "文件大小须为字节数");
		return false;
	}
	why =
	    read_metadata(t->ask.digest, request_field(rq, "upload-metadata"));
	if (why != NULL) {
		centre_attempt(
		    t->app->centre, "evidence_metadata", rq->peer.dev, "{}");
		app_say(t->app, APP_WARN, "evidence", "%s: refused: %s",
		    rq->peer.dev, why);
		bad_metadata(rq, why, "文件说明有误");
		return false;
	}
	return read_body(t, rq) && read_checksum(t, rq);
}

static bool
read_write(struct tus *t, struct request *rq)
{
	t->ask.what = UPLOAD_WRITE;
	if (!read_body(t, rq))
		return false;
	if (!read_number(&t->ask.offset, request_field(rq, "upload-offset"))) {
		tus_error(rq, 400, "bad_request",
		    "Upload-Offset must be a number of bytes",
		    "上传位置须为字节数", 0);
		return false;
	}
	return read_checksum(t, rq);
}

/* What is asked for; POST may stand for another method (tus 1.0). */
static bool
read_ask(struct tus *t, struct request *rq)
{
	struct bytes how = request_field(rq, "x-http-method-override");

	if (how.len == 0)
		how = bytes_str(rq->method);
	if (rq->param_count == 0)
		return read_create(t, rq);
	if (hex_decode(t->ask.id, UPLOAD_ID_LEN, rq->param[0]) != ST_OK) {
		const struct word *w = &words[UPLOAD_ABSENT];

		tus_error(rq, w->status, w->word, w->en, w->zh, 0);
		return false;
	}
	if (bytes_eq_str(how, "PATCH"))
		return read_write(t, rq);
	t->ask.what = bytes_eq_str(how, "DELETE") ? UPLOAD_REMOVE : UPLOAD_LOOK;
	if (strcmp(rq->method, "POST") == 0 && t->ask.what == UPLOAD_LOOK) {
		tus_error(rq, 405, "method_not_allowed",
		    "an upload is continued by PATCH", "续传须用 PATCH", 0);
		return false;
	}
	return true;
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
	t = calloc(1, sizeof(*t));
	if (t == NULL) {
		request_status(rq, 503, 30);
		return;
	}
	t->app = route->app;
	memcpy(t->ask.dev, rq->peer.dev, sizeof(t->ask.dev));
	t->ask.deliver = rq->peer.role != PEER_DEVICE;
	if (!read_ask(t, rq)) {
		free(t);
		return;
	}
	rq->user = t;
	t->run = upload_start(t->app->evidence, &t->ask, &calls, rq);
	if (t->run == NULL) {
		rq->user = NULL;
		free(t);
		request_status(rq, 503, 30);
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
