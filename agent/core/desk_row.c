/* desk_row: what is known of a file of a card, as it is kept. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core/desk_impl.h"
#include "base/enc.h"
#include "base/sha.h"
#include "entry/json.h"

enum { KEEP_DAYS = 90 };
#define DAY_MS INT64_C(86400000)
#define MADE_LEAST INT64_C(946684800000) /* 2000: no clock was set */

/* ---- written */

void
desk_put_text(struct buf *out, const char *name, const char *text)
{
	if (text[0] == '\0')
		return;
	buf_printf(out, ",\"%s\":", name);
	json_put_str(out, text);
}

static void
put_codes(struct buf *out, const struct desk_row *r)
{
	buf_str(out, "\"codes\":[");
	for (size_t i = 0; i < r->code_count; i++) {
		const struct desk_code *c = &r->code[i];

		buf_printf(out, "%s[%llu,%llu,\"%s\",\"%s\"]", i > 0 ? "," : "",
		    (unsigned long long)c->at_ms,
		    (unsigned long long)c->time_ms, c->dev, c->nonce);
	}
	buf_u8(out, ']');
}

static void
row_write(const struct desk_row *r, struct buf *out)
{
	struct bytes path = bytes_str(r->path);

	buf_u8(out, '{');
	put_codes(out, r);
	desk_put_text(out, "card", r->card);
	buf_str(out, ",\"digest\":");
	json_put_hex(out, bytes_of(r->digest, HASH_LEN));
	desk_put_text(out, "filmed_by", r->filmed_by);
	if (r->has_hand)
		buf_printf(out, ",\"hand\":[%llu,%lld]",
		    (unsigned long long)r->hand_at_ms,
		    (long long)r->hand_time_ms);
	if (r->has_length)
		buf_printf(
		    out, ",\"length\":%llu", (unsigned long long)r->length_ms);
	if (r->has_made)
		buf_printf(out, ",\"made\":%lld", (long long)r->made_ms);
	buf_printf(out, ",\"flags\":%d",
	    (r->made_by_file ? 1 : 0) | (r->damaged ? 2 : 0) |
		(r->refused ? 4 : 0));
	if (json_text_ok(path)) {
		desk_put_text(out, "path", r->path);
	} else {
		buf_str(out, ",\"path_hex\":");
		json_put_hex(out, path);
	}
	desk_put_text(out, "reason", r->reason);
	desk_put_text(out, "recorder", r->recorder);
	desk_put_text(out, "type", r->type);
	buf_printf(out, ",\"mtime\":%lld,\"seen\":%lld,\"size\":%llu}",
	    (long long)r->mtime_ms, (long long)r->seen_ms,
	    (unsigned long long)r->size);
}

enum status
desk_row_put(struct agent *a, const struct desk_row *r)
{
	struct buf b;
	enum status st;

	buf_init(&b, LOG_DESK_ROW_MAX);
	row_write(r, &b);
	st = b.err == ST_OK ? log_desk_put(a->log, r->digest, buf_view(&b))
			    : agent_why(a, b.err, "出错", status_text(b.err));
	buf_wipe(&b);
	return st;
}

/* ---- read back */

static bool
read_path(const struct json *j, struct desk_row *r)
{
	uint32_t n = json_get_typed(j, 0, "path_hex", JSON_STRING);
	struct bytes raw = n == 0 ? bytes_of(NULL, 0) : json_raw(j, n);

	if (n == 0)
		return json_member_text(j, 0, "path", r->path, sizeof(r->path));
	return raw.len / 2 < sizeof(r->path) &&
	       json_hex(j, n, (uint8_t *)r->path, raw.len / 2) == ST_OK;
}

/* The i-th of an array's values; 0: none. */
static uint32_t
nth(const struct json *j, uint32_t n, size_t i)
{
	uint32_t v = n == 0 ? 0 : json_first(j, n);

	while (v != 0 && i > 0 && v != json_end(j, n)) {
		v = j->node[v].next;
		i--;
	}
	return v == 0 || v == json_end(j, n) ? 0 : v;
}

static int64_t
number_at(const struct json *j, uint32_t n, size_t i)
{
	uint32_t v = nth(j, n, i);

	return v != 0 && j->node[v].type == JSON_INT ? j->node[v].num : -1;
}

static bool
word_at(const struct json *j, uint32_t n, size_t i, char *out, size_t len)
{
	uint32_t v = nth(j, n, i);

	if (v == 0 || j->node[v].type != JSON_STRING ||
	    json_raw(j, v).len != len)
		return false;
	memcpy(out, json_raw(j, v).p, len);
	out[len] = '\0';
	return true;
}

static bool
read_codes(const struct json *j, struct desk_row *r)
{
	uint32_t n = json_get_typed(j, 0, "codes", JSON_ARRAY);

	for (size_t i = 0; i < DESK_CODES_MAX; i++) {
		uint32_t c = nth(j, n, i);
		struct desk_code *to = &r->code[i];

		if (c == 0)
			break;
		if (j->node[c].type != JSON_ARRAY ||
		    !word_at(j, c, 2, to->dev, DEV_LEN) ||
		    !word_at(j, c, 3, to->nonce, CLOCK_NONCE_LEN))
			return false;
		to->at_ms = (uint64_t)number_at(j, c, 0);
		to->time_ms = (uint64_t)number_at(j, c, 1);
		r->code_count++;
	}
	return true;
}

static void
read_rest(const struct json *j, struct desk_row *r)
{
	uint32_t hand = json_get_typed(j, 0, "hand", JSON_ARRAY);
	int64_t flags = json_int(j, 0, "flags", 0);

	(void)json_member_text(j, 0, "card", r->card, sizeof(r->card));
	(void)json_member_text(
	    j, 0, "recorder", r->recorder, sizeof(r->recorder));
	(void)json_member_text(
	    j, 0, "filmed_by", r->filmed_by, sizeof(r->filmed_by));
	(void)json_member_text(j, 0, "reason", r->reason, sizeof(r->reason));
	r->made_by_file = (flags & 1) != 0;
	r->damaged = (flags & 2) != 0;
	r->refused = (flags & 4) != 0;
	r->has_made = json_get_typed(j, 0, "made", JSON_INT) != 0;
	r->made_ms = json_int(j, 0, "made", 0);
	r->has_length = json_get_typed(j, 0, "length", JSON_INT) != 0;
	r->length_ms = (uint64_t)json_int(j, 0, "length", 0);
	r->has_hand = hand != 0;
	if (hand != 0) {
		r->hand_at_ms = (uint64_t)number_at(j, hand, 0);
		r->hand_time_ms = number_at(j, hand, 1);
	}
	r->size = (uint64_t)json_int(j, 0, "size", 0);
	r->mtime_ms = json_int(j, 0, "mtime", 0);
	r->seen_ms = json_int(j, 0, "seen", 0);
}

enum status
desk_row_read(struct desk_row *out, struct bytes doc)
{
	uint32_t n;
	struct json j;
	enum status st;

	memset(out, 0, sizeof(*out));
	json_init(&j);
	st = json_parse(&j, doc, JSON_DOCUMENT);
	if (st == ST_OK) {
		n = json_get_typed(&j, 0, "digest", JSON_STRING);
		if (n == 0 || json_hex(&j, n, out->digest, HASH_LEN) != ST_OK ||
		    !read_path(&j, out) || !read_codes(&j, out) ||
		    !json_member_text(
			&j, 0, "type", out->type, sizeof(out->type)))
			st = ST_INVALID;
		else
			read_rest(&j, out);
	}
	json_free(&j);
	return st;
}

enum status
desk_row_get(
    struct agent *a, const uint8_t digest[HASH_LEN], struct desk_row *out)
{
	struct buf b;
	enum status st;

	buf_init(&b, LOG_DESK_ROW_MAX);
	st = log_desk_get(a->log, digest, &b);
	if (st == ST_OK)
		st = desk_row_read(out, buf_view(&b));
	buf_wipe(&b);
	/* One that cannot be read is read from the card once more. */
	return st == ST_CORRUPT || st == ST_INVALID ? ST_ABSENT : st;
}

/* ---- what daybreak-film told */

/* Of each showing the sighting that is nearest: a picture is never older than
 * the code in it. */
static void
take_codes(struct desk_row *r, const struct film_told *t)
{
	r->code_count = 0;
	for (size_t i = 0; i < t->code_count; i++) {
		const struct desk_code *c = &t->code[i];
		size_t k = 0;

		while (k < r->code_count &&
		       (strcmp(r->code[k].nonce, c->nonce) != 0 ||
			   strcmp(r->code[k].dev, c->dev) != 0))
			k++;
		if (k == DESK_CODES_MAX)
			continue;
		if (k == r->code_count)
			r->code[r->code_count++] = *c;
		else if ((int64_t)c->time_ms - (int64_t)c->at_ms >
			 (int64_t)r->code[k].time_ms -
			     (int64_t)r->code[k].at_ms)
			r->code[k] = *c;
	}
}

void
desk_row_take(struct desk_row *r, const struct film_told *t)
{
	bool film = strncmp(t->type, "image/", 6) != 0;

	memcpy(r->type, t->type, sizeof(r->type));
	/* A length is the file's own claim: one of years would touch every
	 * record. */
	r->has_length = t->has_length && t->length_ms <= DESK_LENGTH_MAX_MS;
	r->length_ms = r->has_length ? t->length_ms : 0;
	r->damaged = film && !r->has_length;
	r->has_made = t->has_made;
	r->made_ms = t->made_ms;
	r->made_by_file = false;
	if (!r->has_made) {
		r->made_ms =
		    r->mtime_ms - (r->has_length ? (int64_t)r->length_ms : 0);
		r->has_made = r->made_ms >= MADE_LEAST;
		r->made_by_file = r->has_made;
	}
	take_codes(r, t);
}

/* ---- what is done with is forgotten in time */

struct tidying {
	struct buf *digests;
	int64_t before;
};

static enum status
note_old(void *arg, struct bytes doc)
{
	struct tidying *t = arg;
	struct desk_row *r = malloc(sizeof(*r));
	uint8_t place[HASH_LEN];
	enum status st = r == NULL ? ST_NOMEM : desk_row_read(r, doc);

	if (st == ST_OK && r->seen_ms < t->before) {
		desk_place(r->path, r->size, r->mtime_ms, place);
		buf_add(t->digests, r->digest, HASH_LEN);
		buf_add(t->digests, place, HASH_LEN);
		st = t->digests->err;
	}
	free(r);
	return st == ST_NOMEM ? st : ST_OK;
}

/* Not seen, attached or refused for so long: the next time it is read anew. */
enum status
desk_tidy(struct agent *a)
{
	struct buf digests;
	struct tidying t = { &digests,
		(int64_t)port_wall_ms(a->port) - KEEP_DAYS * DAY_MS };
	enum status st;

	buf_init(&digests, (size_t)16 << 20);
	st = log_desk_each(a->log, note_old, &t);
	for (size_t i = 0; st == ST_OK && i < digests.len; i += 2 * HASH_LEN)
		st = log_desk_drop(
		    a->log, digests.p + i, digests.p + i + HASH_LEN);
	buf_free(&digests);
	return st;
}

/* ---- names */

void
desk_place(
    const char *path, uint64_t size, int64_t mtime_ms, uint8_t out[HASH_LEN])
{
	char a[24], b[24];
	struct bytes parts[3];

	(void)snprintf(a, sizeof(a), "%llu", (unsigned long long)size);
	(void)snprintf(b, sizeof(b), "%lld", (long long)mtime_ms);
	parts[0] = bytes_of(path, strlen(path) + 1); /* each with its NUL … */
	parts[1] = bytes_of(a, strlen(a) + 1);
	parts[2] = bytes_str(b); /* … but the last */
	sha256_many(out, parts, 3);
}

void
desk_show_path(struct buf *out, const char *path)
{
	bool text = json_text_ok(bytes_str(path));

	for (const char *p = path; *p != '\0'; p++) {
		uint8_t c = (uint8_t)*p;

		if (c < 0x20 || c == 0x7f || (c >= 0x80 && !text))
			buf_printf(out, "%%%02X", c);
		else
			buf_u8(out, c);
	}
}

bool
desk_code_read(struct desk_code *out, const char *text)
{
	const char *p = text + 5, *end;
	struct desk_code c = { .at_ms = 0 };
	size_t len = strlen(text);
	uint8_t raw[16];
	char *stop;

	if (len > CLOCK_TEXT_MAX || len < 5 + DEV_LEN + 1 ||
	    memcmp(text, "DBK1:", 5) != 0 || p[DEV_LEN] != ':')
		return false;
	for (size_t i = 0; i < DEV_LEN; i++)
		c.dev[i] = (char)tolower((unsigned char)p[i]);
	p += DEV_LEN + 1;
	if (*p < '0' || *p > '9')
		return false;
	c.time_ms = strtoull(p, &stop, 10);
	end = stop;
	if (*end != ':' || strlen(end + 1) != CLOCK_NONCE_LEN ||
	    c.time_ms > UINT64_C(1) << 48)
		return false;
	for (size_t i = 0; i < CLOCK_NONCE_LEN; i++)
		c.nonce[i] = (char)tolower((unsigned char)end[1 + i]);
	if (base32_decode(raw, 16, bytes_str(c.dev)) != ST_OK ||
	    base32_decode(raw, 10, bytes_str(c.nonce)) != ST_OK)
		return false;
	*out = c;
	return true;
}
