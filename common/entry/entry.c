#include "entry/entry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha.h"
#include "entry/entry_head.h"
#include "entry/entry_verb.h"

void
entry_init(struct entry *e)
{
	*e = (struct entry){ .verb = DO_NONE };
	json_init(&e->head);
	json_init(&e->body);
	buf_init(&e->text, ENTRY_BYTES_MAX);
}

void
entry_free(struct entry *e)
{
	if (e == NULL)
		return;
	json_free(&e->head);
	json_free(&e->body);
	buf_free(&e->text);
	free(e->on);
	free(e->after);
	entry_init(e);
}

/* Forget what was read, keep the memory. */
static void
reset(struct entry *e)
{
	struct entry keep = *e;

	*e = (struct entry){
		.verb = DO_NONE,
		.body_is = ENTRY_BODY_BLIND,
		.head = keep.head,
		.body = keep.body,
		.text = keep.text,
		.on = keep.on,
		.on_cap = keep.on_cap,
		.after = keep.after,
		.after_cap = keep.after_cap,
	};
	e->head.count = 0;
	e->body.count = 0;
	buf_reset(&e->text);
}

/* A malformed entry: only what gives place and causality stands. */
static void
strip(struct entry *e)
{
	struct entry was = *e;

	reset(e);
	e->raw = was.raw;
	e->head_line = was.head_line;
	e->body_line = was.body_line;
	e->v = was.v;
	e->causal = was.causal;
	memcpy(e->chain, was.chain, CHAIN_LEN);
	e->seq = was.seq;
	e->rec = was.rec;
	e->wall = was.wall;
	e->after_count = was.after_count;
	e->why = was.why;
	e->text = was.text; /* rec may lie in it */
}

/* The members of a body; words for the first fault, or NULL. */
static const char *
read_body_members(struct entry *e)
{
	const struct json *j = &e->body;
	uint32_t salt = 0;
	uint8_t salt_raw[SALT_LEN];

	for (uint32_t n = json_first(j, 0); n < json_end(j, 0);
	     n = j->node[n + 1].next) {
		if (json_is(j, n, "salt"))
			salt = n + 1;
		else if (json_is(j, n, "data"))
			e->data = n + 1;
		else if (json_is(j, n, "reason"))
			e->reason = n + 1;
		else if (json_is(j, n, "more"))
			e->more = n + 1;
		else
			return "body: unknown member";
	}
	if (salt == 0 || json_hex(j, salt, salt_raw, sizeof(salt_raw)) != ST_OK)
		return "body: no salt of 16 bytes";
	if (e->data == 0 || j->node[e->data].type != JSON_ARRAY)
		return "body: no data";
	if (j->node[e->data].count != e->on_count)
		return "body: data is not as long as on";
	if (e->reason != 0 && (j->node[e->reason].type != JSON_STRING ||
				  j->node[e->reason].len == 0))
		return "body: reason is no text";
	if (e->more != 0 && j->node[e->more].type != JSON_OBJECT)
		return "body: more is no object";
	return verb_check_body(e->verb, j, e->data, e->reason, e->more);
}

/* ST_OK, or ST_NOMEM; body_is and body_why tell the rest. */
static enum status
parse_body(struct entry *e)
{
	uint8_t hash[HASH_LEN];
	enum status st;

	if (e->head_line.len == e->raw.len) {
		e->body_why = "body: absent";
		return ST_OK;
	}
	if (e->raw.len > ENTRY_BYTES_MAX) {
		e->body_why = "body: too long";
		return ST_OK;
	}
	sha256(hash, e->body_line);
	if (memcmp(hash, e->body_hash, HASH_LEN) != 0) {
		e->body_why = "body: not the one that the head names";
		return ST_OK;
	}
	st = json_parse(&e->body, e->body_line, JSON_LINE);
	if (st == ST_NOMEM)
		return st;
	e->body_why = st == ST_OK ? read_body_members(e) : e->body.why;
	if (e->body_why == NULL) {
		e->body_is = ENTRY_BODY_WHOLE;
	} else {
		e->data = e->reason = e->more = 0;
		e->body.count = 0;
	}
	return ST_OK;
}

static void
split(struct entry *e, struct bytes raw)
{
	const uint8_t *lf = raw.len > 0 ? memchr(raw.p, '\n', raw.len) : NULL;

	e->raw = raw;
	e->head_line = raw;
	if (lf != NULL) {
		e->head_line.len = (size_t)(lf - raw.p);
		e->body_line.p = lf + 1;
		e->body_line.len = raw.len - e->head_line.len - 1;
	}
}

enum status
entry_parse(struct entry *e, struct bytes raw)
{
	enum status st;

	reset(e);
	split(e, raw);
	st = entry_read_head(e);
	if (st == ST_OK && e->why == NULL)
		st = parse_body(e);
	if (st != ST_OK) {
		reset(e);
		e->raw = raw;
		return st;
	}
	if (e->why != NULL) {
		strip(e);
		return ST_INVALID;
	}
	return ST_OK;
}

enum status
entry_parse_head(struct entry *e, struct bytes raw)
{
	const uint8_t *lf = raw.len > 0 ? memchr(raw.p, '\n', raw.len) : NULL;

	if (lf != NULL)
		raw.len = (size_t)(lf - raw.p);
	return entry_parse(e, raw);
}

/*
 * The text of a member.  In a head that is not malformed all members but arrays
 * of scalars are scalars, so a name with its colon stands once: a quote within
 * a text has a backslash before it, and no text is followed by a colon.  Empty:
 * it is written with an escape.
 */
static struct bytes
find_text(struct bytes head, const char *name, size_t len)
{
	const uint8_t *at =
	    head.len == 0 ? NULL : memmem(head.p, head.len, name, len);
	const uint8_t *end;

	if (at == NULL)
		return bytes_of(NULL, 0);
	at += len;
	end = memchr(at, '"', head.len - (size_t)(at - head.p));
	return end == NULL ? bytes_of(NULL, 0)
			   : bytes_of(at, (size_t)(end - at));
}

enum status
entry_glance(struct entry *e, struct bytes raw, bool sound, struct bytes *rec,
    enum verb *verb)
{
	static const char rec_name[] = "\"rec\":\"", do_name[] = "\"do\":\"";
	const uint8_t *lf = raw.len > 0 ? memchr(raw.p, '\n', raw.len) : NULL;
	struct bytes head = raw;
	enum status st;

	if (lf != NULL)
		head.len = (size_t)(lf - raw.p);
	if (sound) {
		*rec = find_text(head, rec_name, sizeof(rec_name) - 1);
		*verb = verb_of(find_text(head, do_name, sizeof(do_name) - 1));
		if (rec->len == REC_LEN && *verb != DO_NONE)
			return ST_OK;
	}
	st = entry_parse_head(e, raw);
	*rec = st == ST_NOMEM ? bytes_of(NULL, 0) : e->rec;
	*verb = st == ST_OK ? e->verb : DO_NONE;
	return st == ST_NOMEM ? st : ST_OK;
}

uint32_t
entry_value(const struct entry *e, size_t i)
{
	assert(e->body_is == ENTRY_BODY_WHOLE && i < e->on_count);
	/* All values are scalars: one node each. */
	return e->data + 1 + (uint32_t)i;
}

void
entry_digest(uint8_t out[HASH_LEN], struct bytes raw)
{
	const uint8_t *lf = raw.len > 0 ? memchr(raw.p, '\n', raw.len) : NULL;

	if (lf != NULL)
		raw.len = (size_t)(lf - raw.p);
	sha256(out, raw);
}
