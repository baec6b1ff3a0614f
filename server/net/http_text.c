#include <stdlib.h>
#include <string.h>

#include "server/net/http.h"

/* RFC 9110, 15, and RFC 6585: those that are sent from here. */
static const struct {
	unsigned status;
	const char *text;
} texts[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 206, "Partial Content" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Range Not Satisfiable" },
	{ 417, "Expectation Failed" },
	{ 422, "Unprocessable Content" },
	{ 423, "Locked" },
	{ 426, "Upgrade Required" },
	{ 428, "Precondition Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 460, "Checksum Mismatch" }, /* tus 1.0 */
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
	{ 507, "Insufficient Storage" },
};

const char *
http_status_text(unsigned status)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "";
}

int
http_hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum status
http_percent_decode(struct buf *out, struct bytes in, bool plus_is_space)
{
	for (size_t i = 0; i < in.len; i++) {
		uint8_t c = in.p[i];

		if (c == '%') {
			int hi, lo;

			if (in.len - i < 3)
				return ST_INVALID;
			hi = http_hex_value(in.p[i + 1]);
			lo = http_hex_value(in.p[i + 2]);
			if (hi < 0 || lo < 0 || (hi == 0 && lo == 0))
				return ST_INVALID;
			c = (uint8_t)(hi * 16 + lo);
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		} else if (c == '\0') {
			return ST_INVALID;
		}
		buf_u8(out, c);
	}
	return out->err;
}

enum status
http_query_get(struct buf *out, struct bytes query, const char *name)
{
	struct buf key;
	enum status st = ST_ABSENT;

	buf_init(&key, HTTP_TARGET_BYTES_MAX);
	while (query.len > 0 && st == ST_ABSENT) {
		const uint8_t *amp = memchr(query.p, '&', query.len), *eq;
		struct bytes part = query, value = { NULL, 0 };
		enum status got;

		if (amp != NULL)
			part.len = (size_t)(amp - query.p);
		query.p += part.len + (amp != NULL);
		query.len -= part.len + (amp != NULL);
		eq = part.len == 0 ? NULL : memchr(part.p, '=', part.len);
		if (eq != NULL) {
			value = bytes_of(
			    eq + 1, part.len - (size_t)(eq + 1 - part.p));
			part.len = (size_t)(eq - part.p);
		}
		buf_reset(&key);
		got = http_percent_decode(&key, part, true);
		if (got != ST_OK) {
			st = got;
			break;
		}
		if (bytes_eq_str(buf_view(&key), name))
			st = http_percent_decode(out, value, true);
	}
	buf_free(&key);
	return st;
}
