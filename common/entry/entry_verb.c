#include "entry/entry_verb.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/sort.h"

/* What a name in `on` must be. */
enum name {
	NAME_NONE,
	NAME_FIELD,    /* a field or a list */
	NAME_RELATIVE, /* a field inside the item of an add */
	NAME_STRUCK,   /* an item or an act */
	NAME_PART,     /* any path but an act's; "" allowed */
	NAME_TARGET,   /* any path, act or "" */
	NAME_THING,    /* any path or act, never "" */
	NAME_WHOLE,    /* "" */
	NAME_WORD,
	NAME_REC,
	NAME_ID, /* an entry's id, without '@' */
};

/* What a value in `data` must be. */
enum value {
	VALUE_ANY, /* string, integer, true, false, null */
	VALUE_NULL,
	VALUE_BOOL,
	VALUE_TEXT, /* a string, not empty */
	VALUE_HASH, /* 64 hex digits */
};

enum { ANY_COUNT = ON_COUNT_MAX, NAMES_FEW = 16 };

struct rule {
	size_t min, max;    /* how many names */
	enum name first[2]; /* of the first two, where they differ */
	enum name rest;
	enum value first_value, value;
	bool reason; /* must */
};

static const struct rule rules[DO_COUNT] = {
	[DO_OPEN] = { 0, ANY_COUNT, { 0 }, NAME_FIELD, VALUE_ANY, VALUE_ANY,
	    false },
	[DO_SET] = { 1, ANY_COUNT, { 0 }, NAME_FIELD, VALUE_ANY, VALUE_ANY,
	    false },
	[DO_AMEND] = { 1, ANY_COUNT, { 0 }, NAME_FIELD, VALUE_ANY, VALUE_ANY,
	    true },
	[DO_ADD] = { 1, ANY_COUNT, { NAME_FIELD, NAME_RELATIVE }, NAME_RELATIVE,
	    VALUE_NULL, VALUE_ANY, false },
	[DO_DROP] = { 1, ANY_COUNT, { 0 }, NAME_STRUCK, VALUE_NULL, VALUE_NULL,
	    true },
	[DO_KEEP] = { 1, ANY_COUNT, { 0 }, NAME_STRUCK, VALUE_NULL, VALUE_NULL,
	    true },
	[DO_ADVANCE] = { 1, 1, { 0 }, NAME_WORD, VALUE_NULL, VALUE_NULL,
	    false },
	[DO_LINK] = { 2, 2, { NAME_REC, NAME_WORD }, NAME_NONE, VALUE_NULL,
	    VALUE_NULL, false },
	[DO_SIGN] = { 1, ANY_COUNT, { 0 }, NAME_PART, VALUE_NULL, VALUE_NULL,
	    false },
	[DO_ATTACH] = { 1, 1, { 0 }, NAME_TARGET, VALUE_HASH, VALUE_HASH,
	    false },
	[DO_NOTE] = { 1, 1, { 0 }, NAME_TARGET, VALUE_TEXT, VALUE_TEXT, false },
	[DO_APPROVE] = { 1, 1, { 0 }, NAME_THING, VALUE_BOOL, VALUE_BOOL,
	    false },
	[DO_RELEASE] = { 1, ANY_COUNT, { 0 }, NAME_PART, VALUE_NULL, VALUE_NULL,
	    false },
	[DO_VOID] = { 1, 1, { 0 }, NAME_WHOLE, VALUE_NULL, VALUE_NULL, true },
	[DO_PRINT] = { 1, 1, { 0 }, NAME_WHOLE, VALUE_NULL, VALUE_NULL, false },
	[DO_HOLD] = { 1, ANY_COUNT, { 0 }, NAME_ID, VALUE_NULL, VALUE_NULL,
	    false },
	[DO_ADMIT] = { 1, ANY_COUNT, { 0 }, NAME_ID, VALUE_NULL, VALUE_NULL,
	    false },
};

static const char *const names[DO_COUNT] = { [DO_NONE] = "",
#define ENTRY_VERB_NAME(name, text) [DO_##name] = (text),
	ENTRY_VERBS(ENTRY_VERB_NAME)
#undef ENTRY_VERB_NAME
};

const char *
verb_name(enum verb v)
{
	assert(v < DO_COUNT);
	return names[v];
}

enum verb
verb_of(struct bytes name)
{
	for (enum verb v = DO_NONE + 1; v < DO_COUNT; v++) {
		if (bytes_eq_str(name, names[v]))
			return v;
	}
	return DO_NONE;
}

bool
verb_needs_reason(enum verb v)
{
	assert(v < DO_COUNT);
	return rules[v].reason;
}

static bool
is_id(struct bytes name)
{
	uint8_t id[ID_LEN];

	return hex_decode(id, sizeof(id), name) == ST_OK;
}

static bool
name_ok(enum name want, struct bytes name)
{
	enum path_sort sort;

	switch (want) {
	case NAME_WORD:
		return path_is_word(name);
	case NAME_REC:
		return path_is_rec(name);
	case NAME_ID:
		return is_id(name);
	case NAME_RELATIVE:
		return path_is_relative(name);
	case NAME_NONE:
		return false;
	default:
		break;
	}
	sort = path_sort(name);
	switch (want) {
	case NAME_FIELD:
		return sort == PATH_FIELD;
	case NAME_STRUCK:
		return sort == PATH_ITEM || sort == PATH_ACT;
	case NAME_PART:
		return sort != PATH_BAD && sort != PATH_ACT;
	case NAME_TARGET:
		return sort != PATH_BAD;
	case NAME_THING:
		return sort != PATH_BAD && sort != PATH_WHOLE;
	default:
		return sort == PATH_WHOLE; /* NAME_WHOLE */
	}
}

static int
cmp_names(const void *arg, uint32_t a, uint32_t b)
{
	const struct bytes *on = arg;

	return bytes_cmp(on[a], on[b]);
}

/* ST_OK if no name stands twice, ST_INVALID if one does; ST_NOMEM. */
static enum status
names_differ(const struct bytes *on, size_t count)
{
	enum status st = ST_OK;
	uint32_t *idx;

	if (count <= NAMES_FEW) {
		for (size_t i = 1; i < count; i++) {
			for (size_t k = 0; k < i; k++) {
				if (bytes_eq(on[i], on[k]))
					return ST_INVALID;
			}
		}
		return ST_OK;
	}
	idx = malloc(2 * count * sizeof(*idx));
	if (idx == NULL)
		return ST_NOMEM;
	for (size_t i = 0; i < count; i++)
		idx[i] = (uint32_t)i;
	sort_u32(idx, idx + count, count, cmp_names, on);
	for (size_t i = 1; i < count; i++) {
		if (bytes_eq(on[idx[i - 1]], on[idx[i]]))
			st = ST_INVALID;
	}
	free(idx);
	return st;
}

/* The paths that an add makes, LIST/@ID and LIST/@ID/FIELD, are not too long.
 */
static bool
add_fits(const struct bytes *on, size_t count)
{
	size_t item = on[0].len + 2 + 2 * ID_LEN;

	if (item > PATH_BYTES_MAX)
		return false;
	for (size_t i = 1; i < count; i++) {
		if (item + 1 + on[i].len > PATH_BYTES_MAX)
			return false;
	}
	return true;
}

enum status
verb_check_on(
    enum verb v, const struct bytes *on, size_t count, const char **why)
{
	const struct rule *r = &rules[v];
	enum status st;

	assert(v > DO_NONE && v < DO_COUNT);
	if (count < r->min || count > r->max) {
		*why = "head: wrong number of names in on";
		return ST_INVALID;
	}
	for (size_t i = 0; i < count; i++) {
		enum name want =
		    i < 2 && r->first[i] != NAME_NONE ? r->first[i] : r->rest;

		if (!name_ok(want, on[i])) {
			*why = "head: bad name in on";
			return ST_INVALID;
		}
	}
	if (v == DO_ADD && !add_fits(on, count)) {
		*why = "head: path too long";
		return ST_INVALID;
	}
	/* The list of an add is another thing than a field in its item. */
	st = v == DO_ADD ? names_differ(on + 1, count - 1)
			 : names_differ(on, count);
	if (st == ST_INVALID)
		*why = "head: a name twice in on";
	return st;
}

static bool
is_hash(const struct json *j, uint32_t n)
{
	uint8_t hash[HASH_LEN];

	return json_hex(j, n, hash, sizeof(hash)) == ST_OK;
}

static bool
value_ok(enum value want, const struct json *j, uint32_t n)
{
	enum json_type type = j->node[n].type;

	switch (want) {
	case VALUE_ANY:
		return type != JSON_ARRAY && type != JSON_OBJECT;
	case VALUE_NULL:
		return type == JSON_NULL;
	case VALUE_BOOL:
		return type == JSON_TRUE || type == JSON_FALSE;
	case VALUE_TEXT:
		return type == JSON_STRING && j->node[n].len > 0;
	default:
		return is_hash(j, n); /* VALUE_HASH */
	}
}

/* A sign says what was shown, and how it was signed or why not. */
static const char *
check_sign(const struct json *j, uint32_t more)
{
	static const char *const hows[] = { "signed", "fingerprint", "refused",
		"cannot", "left" };
	uint32_t shown, how;

	if (more == 0)
		return "body: a sign without more";
	shown = json_get(j, more, "shown");
	if (shown == 0 || !is_hash(j, shown))
		return "body: a sign without shown";
	how = json_get(j, more, "how");
	for (size_t i = 0; how != 0 && i < sizeof(hows) / sizeof(*hows); i++) {
		if (json_is(j, how, hows[i]))
			return NULL;
	}
	return "body: a sign without how";
}

const char *
verb_check_body(enum verb v, const struct json *body, uint32_t data,
    uint32_t reason, uint32_t more)
{
	const struct rule *r = &rules[v];
	uint32_t first = json_first(body, data), end = json_end(body, data);

	assert(v > DO_NONE && v < DO_COUNT);
	for (uint32_t n = first; n < end; n = body->node[n].next) {
		if (!value_ok(n == first ? r->first_value : r->value, body, n))
			return "body: bad value in data";
	}
	if (r->reason && reason == 0)
		return "body: no reason";
	return v == DO_SIGN ? check_sign(body, more) : NULL;
}
