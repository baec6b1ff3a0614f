/* tus_head: a request's headers (tus 1.0; docs/EVIDENCE.md). */
#include <string.h>

#include "base/enc.h"
#include "server/app/tus.h"

enum { META_MAX = 4096 };

static void
bad_metadata(struct request *rq, const char *en, const char *zh)
{
	tus_error(rq, 400, "bad_metadata", en, zh, 0);
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
bool
tus_read(struct tus *t, struct request *rq)
{
	struct bytes how = request_field(rq, "x-http-method-override");

	if (how.len == 0)
		how = bytes_str(rq->method);
	if (rq->param_count == 0)
		return read_create(t, rq);
	if (hex_decode(t->ask.id, UPLOAD_ID_LEN, rq->param[0]) != ST_OK) {
		tus_not_found(rq);
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
