#include "entry/entry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha.h"

/* "name": and, but for the first, a comma before it. */
static void
put_name(struct buf *b, const char *name)
{
	if (b->len > 1)
		buf_u8(b, ',');
	json_put_str(b, name);
	buf_u8(b, ':');
}

static void
put_text(struct buf *b, const char *name, const char *text)
{
	assert(text != NULL);
	put_name(b, name);
	json_put_str(b, text);
}

static void
put_uint(struct buf *b, const char *name, uint64_t v)
{
	put_name(b, name);
	buf_printf(b, "%llu", (unsigned long long)v);
}

static void
put_hex(struct buf *b, const char *name, const uint8_t *p, size_t len)
{
	put_name(b, name);
	json_put_hex(b, bytes_of(p, len));
}

static void
put_on(struct buf *b, const struct bytes *on, size_t count)
{
	put_name(b, "on");
	buf_u8(b, '[');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_u8(b, ',');
		json_put_string(b, on[i]);
	}
	buf_u8(b, ']');
}

static int
cmp_ids(const void *a, const void *b)
{
	return memcmp(a, b, ID_LEN);
}

/* The ids in order; repeats are left for the reader to refuse. */
static void
put_after(struct buf *b, const uint8_t (*after)[ID_LEN], size_t count)
{
	uint8_t(*ids)[ID_LEN] = NULL;

	put_name(b, "after");
	buf_u8(b, '[');
	if (count > 0) {
		ids = malloc(count * ID_LEN);
		if (ids == NULL) {
			b->err = ST_NOMEM;
			return;
		}
		memcpy(ids, after, count * ID_LEN);
		qsort(ids, count, ID_LEN, cmp_ids);
	}
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_u8(b, ',');
		json_put_hex(b, bytes_of(ids[i], ID_LEN));
	}
	buf_u8(b, ']');
	free(ids);
}

/* Members in the order of A6: the frame leaves some out and relies on it. */
static void
put_head(
    struct buf *b, const struct entry_new *n, const uint8_t body_hash[HASH_LEN])
{
	buf_u8(b, '{');
	put_uint(b, "v", 1);
	put_text(b, "court", n->court);
	put_hex(b, "chain", n->chain, CHAIN_LEN);
	put_uint(b, "seq", n->seq);
	put_text(b, "rec", n->rec);
	put_text(b, "kind", n->kind);
	put_text(b, "do", verb_name(n->verb));
	put_on(b, n->on, n->on_count);
	put_text(b, "by", n->by);
	put_text(b, "at", n->at);
	put_uint(b, "wall", n->wall);
	put_uint(b, "mono", n->mono);
	put_hex(b, "boot", n->boot, BOOT_LEN);
	put_after(b, n->after, n->after_count);
	put_hex(b, "body", body_hash, HASH_LEN);
	if (n->has_seen) {
		put_name(b, "seen");
		buf_printf(b, "[%llu,", (unsigned long long)n->seen_size);
		json_put_hex(b, bytes_of(n->seen_root, ID_LEN));
		buf_u8(b, ']');
	}
	if (n->dev != NULL)
		put_text(b, "dev", n->dev);
	if (n->has_old) {
		put_name(b, "old");
		buf_u8(b, '[');
		json_put_hex(b, bytes_of(n->old_chain, CHAIN_LEN));
		buf_printf(b, ",%llu,", (unsigned long long)n->old_seq);
		json_put_hex(b, bytes_of(n->old_link, HASH_LEN));
		buf_u8(b, ']');
	}
	buf_u8(b, '}');
}

static void
put_body(struct buf *b, const struct entry_new *n)
{
	buf_u8(b, '{');
	put_hex(b, "salt", n->salt, SALT_LEN);
	put_name(b, "data");
	buf_bytes(b, n->data);
	if (n->reason.len > 0) {
		put_name(b, "reason");
		json_put_string(b, n->reason);
	}
	if (n->more.len > 0) {
		put_name(b, "more");
		buf_bytes(b, n->more);
	}
	buf_u8(b, '}');
}

/* What stands at node n of the body is exactly `text`; 0 and empty match. */
static bool
same(const struct entry *e, uint32_t n, struct bytes text)
{
	if (n == 0)
		return text.len == 0;
	return bytes_eq(json_raw(&e->body, n), text);
}

/*
 * Read what was written.  `data` and `more` were taken as text: that they are
 * found again whole shows that they were one value each, and brought no other
 * member in with them.
 */
static enum status
read_back(const struct entry_new *n, struct bytes raw, const char **why)
{
	struct entry e;
	enum status st;

	entry_init(&e);
	st = entry_parse(&e, raw);
	if (st == ST_INVALID) {
		*why = e.why;
	} else if (st == ST_OK && e.body_is != ENTRY_BODY_WHOLE) {
		*why = e.body_why;
		st = ST_INVALID;
	} else if (st == ST_OK &&
		   (!same(&e, e.data, n->data) || !same(&e, e.more, n->more) ||
		       (e.reason != 0) != (n->reason.len > 0))) {
		*why = "body: data or more is not one value";
		st = ST_INVALID;
	}
	entry_free(&e);
	return st;
}

enum status
entry_write(const struct entry_new *n, struct buf *out, const char **why)
{
	struct buf body, raw;
	uint8_t hash[HASH_LEN];
	size_t before = out->len;
	enum status st;

	assert(out->err == ST_OK);
	buf_init(&body, ENTRY_BYTES_MAX);
	buf_init(&raw, ENTRY_BYTES_MAX);
	put_body(&body, n);
	sha256(hash, buf_view(&body));
	put_head(&raw, n, hash);
	buf_u8(&raw, '\n');
	buf_bytes(&raw, buf_view(&body));
	st = body.err != ST_OK ? body.err : raw.err;
	if (st == ST_OK)
		st = read_back(n, buf_view(&raw), why);
	if (st == ST_OK) {
		buf_bytes(out, buf_view(&raw));
		st = out->err;
		if (st != ST_OK) {
			out->len = before;
			out->err = ST_OK;
		}
	}
	buf_free(&body);
	buf_free(&raw);
	return st;
}
