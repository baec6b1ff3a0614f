/*
 * Reading a head.  Its members are read one by one, each by its line in
 * head_members; the first fault is kept and reading goes on, because a
 * malformed entry still gives what could be read of chain, seq, rec, wall and
 * after.
 */
#include "entry/entry_head.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "entry/entry_verb.h"

enum { VERSION = 1 };

/* What was read of a head, as bits by the member's place in the table. */
#define SEEN(m) (UINT32_C(1) << (m))

/*
 * Members in the order in which writers give them (A6): name, text, must.
 * Reading relies on no order; it is only tried first.
 */
#define HEAD_MEMBERS(X)                                                        \
	X(V, v, true)                                                          \
	X(COURT, court, true)                                                  \
	X(CHAIN, chain, true)                                                  \
	X(SEQ, seq, true)                                                      \
	X(REC, rec, true)                                                      \
	X(KIND, kind, true)                                                    \
	X(DO, do, true)                                                        \
	X(ON, on, true)                                                        \
	X(BY, by, true)                                                        \
	X(AT, at, true)                                                        \
	X(WALL, wall, true)                                                    \
	X(MONO, mono, true)                                                    \
	X(BOOT, boot, true)                                                    \
	X(AFTER, after, true)                                                  \
	X(BODY, body, true)                                                    \
	X(SEEN, seen, false)                                                   \
	X(DEV, dev, false)                                                     \
	X(OLD, old, false)

enum head_member {
#define HEAD_ENUM(id, name, must) HEAD_##id,
	HEAD_MEMBERS(HEAD_ENUM)
#undef HEAD_ENUM
	    HEAD_COUNT
};

/* A reader of one member gives ST_OK, ST_INVALID or ST_NOMEM. */
typedef enum status read_member(struct entry *e, uint32_t n);

static enum json_type
type_of(const struct entry *e, uint32_t n)
{
	return e->head.node[n].type;
}

/* A string's text; rooms for all of the head's were made before. */
static struct bytes
text_of(struct entry *e, uint32_t n)
{
	if (type_of(e, n) != JSON_STRING)
		return (struct bytes){ NULL, 0 };
	return json_view(&e->head, n, &e->text);
}

static enum status
read_text(struct entry *e, uint32_t n, struct bytes *out)
{
	struct bytes text = text_of(e, n);

	if (text.len == 0)
		return ST_INVALID;
	*out = text;
	return ST_OK;
}

static enum status
read_uint(const struct entry *e, uint32_t n, uint64_t *out)
{
	if (type_of(e, n) != JSON_INT || e->head.node[n].num < 0)
		return ST_INVALID;
	*out = (uint64_t)e->head.node[n].num;
	return ST_OK;
}

static enum status
read_v(struct entry *e, uint32_t n)
{
	if (read_uint(e, n, &e->v) != ST_OK)
		return ST_INVALID;
	return e->v == VERSION ? ST_OK : ST_INVALID;
}

static enum status
read_court(struct entry *e, uint32_t n)
{
	return read_text(e, n, &e->court);
}

static enum status
read_chain(struct entry *e, uint32_t n)
{
	return json_hex(&e->head, n, e->chain, CHAIN_LEN);
}

static enum status
read_seq(struct entry *e, uint32_t n)
{
	uint64_t seq;

	if (read_uint(e, n, &seq) != ST_OK || seq == 0)
		return ST_INVALID;
	e->seq = seq;
	return ST_OK;
}

static enum status
read_rec(struct entry *e, uint32_t n)
{
	struct bytes rec = text_of(e, n);

	if (!path_is_rec(rec))
		return ST_INVALID;
	e->rec = rec;
	return ST_OK;
}

static enum status
read_kind(struct entry *e, uint32_t n)
{
	e->kind = text_of(e, n);
	return path_is_kind(e->kind) ? ST_OK : ST_INVALID;
}

static enum status
read_do(struct entry *e, uint32_t n)
{
	e->verb = verb_of(text_of(e, n));
	return e->verb != DO_NONE ? ST_OK : ST_INVALID;
}

static enum status
read_on(struct entry *e, uint32_t n)
{
	const struct json *j = &e->head;
	uint32_t count = j->node[n].count;

	if (type_of(e, n) != JSON_ARRAY || count > ON_COUNT_MAX)
		return ST_INVALID;
	if (count > e->on_cap) {
		struct bytes *on = realloc(e->on, count * sizeof(*on));

		if (on == NULL)
			return ST_NOMEM;
		e->on = on;
		e->on_cap = count;
	}
	for (uint32_t i = json_first(j, n); i < json_end(j, n);
	     i = j->node[i].next) {
		if (type_of(e, i) != JSON_STRING)
			return ST_INVALID;
		e->on[e->on_count++] = text_of(e, i);
	}
	return ST_OK;
}

static enum status
read_by(struct entry *e, uint32_t n)
{
	return read_text(e, n, &e->by);
}

static enum status
read_at(struct entry *e, uint32_t n)
{
	int64_t ms;
	int offset;

	e->at = text_of(e, n);
	return at_parse(&ms, &offset, e->at);
}

static enum status
read_wall(struct entry *e, uint32_t n)
{
	return read_uint(e, n, &e->wall);
}

static enum status
read_mono(struct entry *e, uint32_t n)
{
	return read_uint(e, n, &e->mono);
}

static enum status
read_boot(struct entry *e, uint32_t n)
{
	return json_hex(&e->head, n, e->boot, BOOT_LEN);
}

static enum status
read_after(struct entry *e, uint32_t n)
{
	const struct json *j = &e->head;
	uint32_t count = j->node[n].count;
	size_t k = 0;

	if (type_of(e, n) != JSON_ARRAY || count > AFTER_COUNT_MAX)
		return ST_INVALID;
	if (count > e->after_cap) {
		uint8_t(*after)[ID_LEN] = realloc(e->after, count * ID_LEN);

		if (after == NULL)
			return ST_NOMEM;
		e->after = after;
		e->after_cap = count;
	}
	for (uint32_t i = json_first(j, n); i < json_end(j, n);
	     i = j->node[i].next) {
		if (json_hex(j, i, e->after[k], ID_LEN) != ST_OK ||
		    (k > 0 &&
			memcmp(e->after[k - 1], e->after[k], ID_LEN) >= 0))
			return ST_INVALID;
		k++;
	}
	e->after_count = k; /* all or none */
	return ST_OK;
}

static enum status
read_body(struct entry *e, uint32_t n)
{
	return json_hex(&e->head, n, e->body_hash, HASH_LEN);
}

/* First element of an array of exactly `count`, or 0; scalars follow it. */
static uint32_t
tuple(const struct entry *e, uint32_t n, uint32_t count)
{
	if (type_of(e, n) != JSON_ARRAY || e->head.node[n].count != count ||
	    e->head.node[n].next != n + 1 + count)
		return 0;
	return n + 1;
}

static enum status
read_seen(struct entry *e, uint32_t n)
{
	uint32_t i = tuple(e, n, 2);

	if (i == 0 || read_uint(e, i, &e->seen_size) != ST_OK ||
	    json_hex(&e->head, i + 1, e->seen_root, ID_LEN) != ST_OK)
		return ST_INVALID;
	e->has_seen = true;
	return ST_OK;
}

static enum status
read_dev(struct entry *e, uint32_t n)
{
	struct bytes dev = text_of(e, n);
	uint8_t raw[16];

	if (base32_decode(raw, sizeof(raw), dev) != ST_OK)
		return ST_INVALID;
	assert(dev.len == DEV_LEN);
	memcpy(e->dev, dev.p, DEV_LEN);
	e->dev[DEV_LEN] = '\0';
	return ST_OK;
}

static enum status
read_old(struct entry *e, uint32_t n)
{
	uint32_t i = tuple(e, n, 3);

	if (i == 0 || json_hex(&e->head, i, e->old_chain, CHAIN_LEN) != ST_OK ||
	    read_uint(e, i + 1, &e->old_seq) != ST_OK ||
	    json_hex(&e->head, i + 2, e->old_link, HASH_LEN) != ST_OK)
		return ST_INVALID;
	e->has_old = true;
	return ST_OK;
}

static const struct {
	const char *name;
	const char *absent; /* words; NULL where it need not be there */
	const char *bad;
	read_member *read;
} head_members[HEAD_COUNT] = {
#define HEAD_LINE(id, name, must)                                              \
	{ #name, (must) ? "head: no " #name : NULL, "head: bad " #name,        \
		read_##name },
	HEAD_MEMBERS(HEAD_LINE)
#undef HEAD_LINE
};

/* Keep the first fault. */
static void
fault(struct entry *e, const char *why)
{
	if (e->why == NULL)
		e->why = why;
}

/* The member whose name is node n, `guess` tried first; or HEAD_COUNT. */
static size_t
find_member(const struct entry *e, uint32_t n, size_t guess)
{
	if (guess < HEAD_COUNT &&
	    json_is(&e->head, n, head_members[guess].name))
		return guess;
	for (size_t m = 0; m < HEAD_COUNT; m++) {
		if (json_is(&e->head, n, head_members[m].name))
			return m;
	}
	return HEAD_COUNT;
}

/* Read every member; *good tells which were right.  ST_OK or ST_NOMEM. */
static enum status
read_head(struct entry *e, uint32_t *good)
{
	const struct json *j = &e->head;
	uint32_t there = 0;
	size_t m = HEAD_COUNT;

	*good = 0;
	for (uint32_t n = json_first(j, 0); n < json_end(j, 0);
	     n = j->node[n + 1].next) {
		enum status st;

		m = find_member(e, n, m == HEAD_COUNT ? 0 : m + 1);
		if (m == HEAD_COUNT) {
			fault(e, "head: unknown member");
			continue;
		}
		there |= SEEN(m);
		st = head_members[m].read(e, n + 1);
		if (st == ST_NOMEM)
			return st;
		if (st == ST_OK)
			*good |= SEEN(m);
		else
			fault(e, head_members[m].bad);
	}
	for (m = 0; m < HEAD_COUNT; m++) {
		if ((there & SEEN(m)) == 0 && head_members[m].absent != NULL)
			fault(e, head_members[m].absent);
	}
	return ST_OK;
}

/* What members demand of each other.  ST_OK (with a fault or not), ST_NOMEM. */
static enum status
check_head(struct entry *e)
{
	const char *why = NULL;
	enum status st;

	if (e->seq == 1 && e->dev[0] == '\0')
		fault(e, "head: no dev at seq 1");
	if (e->seq != 1 && (e->dev[0] != '\0' || e->has_old))
		fault(e, "head: dev or old behind seq 1");
	if (e->why != NULL)
		return ST_OK;
	st = verb_check_on(e->verb, e->on, e->on_count, &why);
	if (st == ST_INVALID)
		fault(e, why);
	return st == ST_NOMEM ? ST_NOMEM : ST_OK;
}

enum status
entry_read_head(struct entry *e)
{
	const uint32_t causal =
	    SEEN(HEAD_REC) | SEEN(HEAD_WALL) | SEEN(HEAD_AFTER);
	enum status st;
	uint32_t good;

	/* With the LF behind it there must be room for it in an entry. */
	if (e->head_line.len > ENTRY_BYTES_MAX - 1) {
		fault(e, "head: too long");
		return ST_OK;
	}
	st = json_parse(&e->head, e->head_line, JSON_LINE);
	if (st == ST_INVALID)
		fault(e, e->head.why);
	if (st != ST_OK)
		return st == ST_INVALID ? ST_OK : st;
	/* Unescaped text is never longer: with room for the whole line the
	 * buffer does not move, and ranges into it stay. */
	if (memchr(e->head_line.p, '\\', e->head_line.len) != NULL) {
		if (buf_extend(&e->text, e->head_line.len) == NULL)
			return ST_NOMEM;
		buf_reset(&e->text);
	}
	st = read_head(e, &good);
	if (st != ST_OK)
		return st;
	e->causal = (good & causal) == causal;
	return check_head(e);
}
