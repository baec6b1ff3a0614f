/* tus_head: a request's headers (tus 1.0; docs/EVIDENCE.md). */
#include "server/app/tus_head.h"

#include <string.h>

#include "base/enc.h"

static bool
refuse(struct tus_refusal *why, unsigned status, const char *word,
    const char *en, const char *zh)
{
	*why = (struct tus_refusal){ status, word, en, zh, false };
	return false;
}

static bool
bad_metadata(struct tus_refusal *why, const char *en, const char *zh)
{
	return refuse(why, 400, "bad_metadata", en, zh);
}

/* ---- reading headers */

/* A decimal number of at most 18 digits, and nothing else. */
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

/* A key that a header can carry back: visible ASCII without a comma. */
static bool
is_key(struct bytes key)
{
	for (size_t i = 0; i < key.len; i++)
		if (key.p[i] < 0x21 || key.p[i] > 0x7e)
			return false;
	return key.len > 0;
}

/* Keys so far, each once (tus 1.0: "All keys MUST be unique"). */
struct keys {
	struct bytes key[TUS_META_PAIRS];
	size_t count;
};

static const char *
add_key(struct keys *k, struct bytes key)
{
	if (!is_key(key))
		return "Upload-Metadata is not: key base64, …";
	for (size_t i = 0; i < k->count; i++)
		if (bytes_eq(k->key[i], key))
			return "a key of Upload-Metadata stands twice";
	if (k->count == TUS_META_PAIRS)
		return "Upload-Metadata has too many keys";
	k->key[k->count++] = key;
	return NULL;
}

/*
 * Upload-Metadata: "key base64, key base64 …".  Only the digest counts.  The
 * rest is looked at for tricks, and given back as it came (tus 1.0, HEAD), so
 * it must be harmless in a header.  NULL, or why it will not do.
 */
static const char *
read_metadata(uint8_t digest[HASH_LEN], struct bytes in)
{
	uint8_t value[TUS_META_MAX];
	struct keys keys = { .count = 0 };
	bool found = false;

	if (in.len > TUS_META_MAX)
		return "Upload-Metadata is too long";
	while (in.len > 0) {
		struct bytes pair = trim(split(&in, ','));
		struct bytes key = split(&pair, ' ');
		const char *why = add_key(&keys, key);
		size_t len = 0;

		pair = trim(pair);
		if (why != NULL)
			return why;
		if (base64_decode(value, sizeof(value), &len, pair) != ST_OK)
			return "Upload-Metadata is not: key base64, …";
		if (bytes_eq_str(key, "filename") && len > 0 &&
		    is_path(bytes_of(value, len)))
			return "filename holds a path: a name alone will do";
		if (!bytes_eq_str(key, "sha256"))
			continue;
		if (hex_decode(digest, HASH_LEN, bytes_of(value, len)) != ST_OK)
			return "sha256 must stand once, as 64 hex digits in "
			       "base64";
		found = true;
	}
	return found ? NULL : "Upload-Metadata must name the file's sha256";
}

static bool
read_checksum(
    struct upload_ask *out, const struct tus_fields *f, struct tus_refusal *why)
{
	struct bytes in = trim(f->checksum);
	size_t len = 0, want = HASH_LEN;
	struct bytes name;

	if (in.len == 0)
		return true;
	name = split(&in, ' ');
	if (bytes_eq_str(name, "sha256") || bytes_eq_str(name, "sha-256")) {
		out->sum = UPLOAD_SUM_SHA256;
	} else if (bytes_eq_str(name, "sha1")) {
		out->sum = UPLOAD_SUM_SHA1;
		want = SHA1_LEN;
	} else {
		return refuse(why, 400, "checksum_algorithm",
		    "that checksum is not offered: sha256, sha-256, sha1",
		    "不支持该校验算法");
	}
	if (base64_decode(out->sum_value, HASH_LEN, &len, trim(in)) != ST_OK ||
	    len != want)
		return refuse(why, 400, "checksum_algorithm",
		    "Upload-Checksum is not: name base64", "校验值格式不正确");
	return true;
}

static bool
read_body(
    struct upload_ask *out, const struct tus_fields *f, struct tus_refusal *why)
{
	bool chunked = f->transfer_encoding.len > 0;

	out->body_len = 0;
	if (chunked)
		out->body_len = UINT64_MAX;
	else if (f->content_length.len > 0 &&
		 !read_number(&out->body_len, f->content_length))
		out->body_len = UINT64_MAX - 1;
	out->has_body = chunked || out->body_len > 0;
	if (out->what == UPLOAD_CREATE && !out->has_body)
		return true;
	if (bytes_eq_str(f->content_type, "application/offset+octet-stream"))
		return true;
	return refuse(why, 415, "content_type",
	    "bytes are sent as application/offset+octet-stream",
	    "须以 application/offset+octet-stream 传送");
}

static bool
read_create(
    struct upload_ask *out, const struct tus_fields *f, struct tus_refusal *why)
{
	const char *bad;

	out->what = UPLOAD_CREATE;
	if (f->defer_length.len > 0)
		return bad_metadata(why,
		    "the length must be known: Upload-Length",
		    "须先给出文件大小");
	if (!read_number(&out->length, f->length))
		return bad_metadata(why,
		    "Upload-Length must be a number of bytes",
		    "文件大小须为字节数");
	bad = read_metadata(out->digest, f->metadata);
	if (bad != NULL) {
		(void)bad_metadata(why, bad, "文件说明有误");
		why->metadata = true;
		return false;
	}
	out->meta = f->metadata;
	return read_body(out, f, why) && read_checksum(out, f, why);
}

static bool
read_write(
    struct upload_ask *out, const struct tus_fields *f, struct tus_refusal *why)
{
	out->what = UPLOAD_WRITE;
	if (!read_body(out, f, why))
		return false;
	if (!read_number(&out->offset, f->offset))
		return refuse(why, 400, "bad_request",
		    "Upload-Offset must be a number of bytes",
		    "上传位置须为字节数");
	return read_checksum(out, f, why);
}

bool
tus_head_read(struct upload_ask *out, const struct tus_fields *in,
    struct tus_refusal *why)
{
	/* Where it is given it is the method, and the actual one nothing. */
	struct bytes how = in->override.len > 0 ? in->override : in->method;

	memset(out, 0, sizeof(*out));
	if (!in->has_id && bytes_eq_str(how, "POST"))
		return read_create(out, in, why);
	if (!in->has_id)
		return refuse(why, 405, "method_not_allowed",
		    "an upload is created by POST", "新建上传须用 POST");
	if (hex_decode(out->id, UPLOAD_ID_LEN, in->id) != ST_OK)
		return refuse(why, 404, "not_found",
		    "this device has no such upload: create it",
		    "本机没有此上传，请重新创建");
	if (bytes_eq_str(how, "PATCH"))
		return read_write(out, in, why);
	out->what = bytes_eq_str(how, "DELETE") ? UPLOAD_REMOVE : UPLOAD_LOOK;
	if (out->what == UPLOAD_REMOVE || bytes_eq_str(how, "HEAD") ||
	    bytes_eq_str(how, "GET"))
		return true;
	return refuse(why, 405, "method_not_allowed",
	    "an upload is continued by PATCH", "续传须用 PATCH");
}
