#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "support/expect.h"
#include "support/merge_oracle_impl.h"

/* ---- sets of names */

struct names {
	char **name; /* owned, and each */
	size_t count;
};

static void
names_add(struct names *s, const char *text, size_t len)
{
	for (size_t i = 0; i < s->count; i++) {
		if (strlen(s->name[i]) == len &&
		    memcmp(s->name[i], text, len) == 0)
			return;
	}
	s->name = realloc(s->name, (s->count + 1) * sizeof(*s->name));
	EXPECT(s->name != NULL);
	s->name[s->count] = strndup(text, len);
	EXPECT(s->name[s->count] != NULL);
	s->count++;
}

static int
cmp_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
names_sort(struct names *s)
{
	if (s->count > 0)
		qsort(s->name, s->count, sizeof(*s->name), cmp_names);
}

static void
names_free(struct names *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->name[i]);
	free(s->name);
}

/* Every item on the way to `path`, and itself. */
static void
names_items(struct names *s, const char *path, size_t len)
{
	bool item = len > 0 && path[0] == '@';

	for (size_t i = 0; i <= len && !item; i++) {
		size_t from = i;

		if (i < len && path[i] != '/')
			continue;
		while (from > 0 && path[from - 1] != '/')
			from--;
		if (from < len && path[from] == '@')
			names_add(s, path, i);
	}
}

static void
claimed(const struct oracle *o, char sort, struct names *s)
{
	for (size_t i = 0; i < o->n; i++) {
		const struct oracle_entry *oe = o->in[i].of;

		for (size_t c = 0; o->counts[i] && c < oe->claim_count; c++) {
			if (oe->claim[c].sort == sort)
				names_add(s, oe->claim[c].path,
				    strlen(oe->claim[c].path));
		}
	}
	names_sort(s);
}

static void
all_items(const struct oracle *o, struct names *s)
{
	for (size_t i = 0; i < o->n; i++) {
		const struct oracle_entry *oe = o->in[i].of;

		if (!o->counts[i])
			continue;
		for (size_t c = 0; c < oe->claim_count; c++) {
			char sort = oe->claim[c].sort;

			if (sort == 'f' || sort == 'i')
				names_items(s, oe->claim[c].path,
				    strlen(oe->claim[c].path));
		}
		for (size_t k = 0;
		     oracle_is_naming(oe->e.verb) && k < oe->e.on_count; k++)
			names_items(
			    s, (const char *)oe->e.on[k].p, oe->e.on[k].len);
	}
	names_sort(s);
}

/* ---- bytes */

static void
sep(struct buf *out, size_t n)
{
	if (n > 0)
		buf_u8(out, ',');
}

static void
put_withheld(const struct oracle_entry *oe, struct buf *out)
{
	buf_str(out, "\"withheld\":");
	json_put_hex(out, bytes_of(oe->e.body_hash, HASH_LEN));
}

static bool
is_blind(const struct oracle_in *in)
{
	return in->copy != COPY_WHOLE || in->of->e.body_is != ENTRY_BODY_WHOLE;
}

static void
put_value(const struct oracle_in *in, size_t index, struct buf *out)
{
	if (is_blind(in)) {
		buf_u8(out, '{');
		put_withheld(in->of, out);
		buf_u8(out, '}');
	} else {
		json_canon(
		    &in->of->e.body, entry_value(&in->of->e, index), out);
	}
}

enum put { PUT_VALUE, PUT_WORD, PUT_INDEX };

/* [[id, …] …] of what lives of a path. */
static void
put_live(const struct oracle *o, char sort, const char *path, enum put put,
    struct buf *out)
{
	struct oracle_hit *hit = calloc(2 * o->n + 1, sizeof(*hit));
	size_t count;

	EXPECT(hit != NULL);
	count = oracle_live(o, sort, path, hit);
	buf_u8(out, '[');
	for (size_t k = 0; k < count; k++) {
		const struct oracle_in *in = &o->in[hit[k].i];
		size_t index = hit[k].claim->index;

		sep(out, k);
		buf_u8(out, '[');
		json_put_str(out, in->of->hex);
		buf_u8(out, ',');
		if (put == PUT_VALUE)
			put_value(in, index, out);
		else if (put == PUT_WORD)
			json_put_string(out, in->of->e.on[index]);
		else
			json_put_int(out, (int64_t)index);
		buf_u8(out, ']');
	}
	buf_u8(out, ']');
	free(hit);
}

static void
put_cells(const struct oracle *o, char sort, enum put put, struct buf *out)
{
	struct names s = { NULL, 0 };

	claimed(o, sort, &s);
	buf_u8(out, '{');
	for (size_t k = 0; k < s.count; k++) {
		sep(out, k);
		json_put_str(out, s.name[k]);
		buf_u8(out, ':');
		put_live(o, sort, s.name[k], put, out);
	}
	buf_u8(out, '}');
	names_free(&s);
}

/* C7: 0 where no `add` of it counts. */
static int64_t
number(const struct oracle *o, const char *item)
{
	size_t list = strlen(item) - 2 * ID_LEN - 2;
	int64_t n = 0;

	for (size_t at = 0; at < o->n; at++) {
		size_t i = o->order[at];
		const struct oracle_entry *oe = o->in[i].of;

		if (!o->counts[i] || oe->e.verb != DO_ADD ||
		    oe->e.on[0].len != list ||
		    memcmp(oe->e.on[0].p, item, list) != 0)
			continue;
		n++;
		if (strcmp(item + list + 2, oe->hex) == 0)
			return n;
	}
	return 0;
}

static void
put_items(const struct oracle *o, struct buf *out)
{
	struct names s = { NULL, 0 };

	all_items(o, &s);
	buf_u8(out, '{');
	for (size_t k = 0; k < s.count; k++) {
		sep(out, k);
		json_put_str(out, s.name[k]);
		buf_str(out, ":{\"is\":");
		json_put_str(out, oracle_stands(o, s.name[k]));
		buf_str(out, ",\"n\":");
		json_put_int(out, number(o, s.name[k]));
		buf_u8(out, '}');
	}
	buf_u8(out, '}');
	names_free(&s);
}

static bool
in_parts(const char *path, const struct bytes *parts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (parts[i].len == 0 || bytes_eq_str(parts[i], path))
			return true;
		if (strlen(path) > parts[i].len &&
		    memcmp(path, parts[i].p, parts[i].len) == 0 &&
		    path[parts[i].len] == '/')
			return true;
	}
	return false;
}

/* C8 */
static void
put_skeleton(const struct oracle *o, struct bytes kind,
    const struct bytes *parts, size_t part_count, struct buf *out)
{
	struct names fields = { NULL, 0 }, items = { NULL, 0 };
	size_t n = 0;

	claimed(o, 'f', &fields);
	all_items(o, &items);
	buf_str(out, "{\"fields\":{");
	for (size_t k = 0; k < fields.count; k++) {
		if (!in_parts(fields.name[k], parts, part_count))
			continue;
		sep(out, n++);
		json_put_str(out, fields.name[k]);
		buf_u8(out, ':');
		put_live(o, 'f', fields.name[k], PUT_INDEX, out);
	}
	buf_str(out, "},\"items\":{");
	n = 0;
	for (size_t k = 0; k < items.count; k++) {
		if (!in_parts(items.name[k], parts, part_count))
			continue;
		sep(out, n++);
		json_put_str(out, items.name[k]);
		buf_u8(out, ':');
		json_put_str(out, oracle_stands(o, items.name[k]));
	}
	buf_str(out, "},\"kind\":");
	json_put_string(out, kind);
	buf_str(out, ",\"parts\":[");
	for (size_t k = 0; k < part_count; k++) {
		sep(out, k);
		json_put_string(out, parts[k]);
	}
	buf_str(out, "],\"v\":1}");
	names_free(&fields);
	names_free(&items);
}

void
oracle_skeleton(const struct oracle_in *in, size_t count, struct bytes kind,
    const struct bytes *parts, size_t part_count, struct buf *out)
{
	struct oracle o;

	oracle_make(&o, in, count);
	put_skeleton(&o, kind, parts, part_count, out);
	oracle_drop(&o);
}

/* A set of its own: exactly what in[i] knows. The caller frees *in. */
static void
known_to(const struct oracle *o, size_t i, struct oracle_in **in, size_t *n)
{
	*n = 0;
	*in = calloc(o->n + 1, sizeof(**in));
	EXPECT(*in != NULL);
	for (size_t k = 0; k < o->n; k++) {
		if (o->know[i * o->n + k])
			(*in)[(*n)++] = o->in[k];
	}
}

static bool
lacks(const struct oracle *o, size_t i)
{
	for (size_t k = 0; k < o->n; k++) {
		const struct entry *e = &o->in[k].of->e;

		if (k != i && !o->know[i * o->n + k])
			continue;
		for (size_t a = 0; a < e->after_count; a++) {
			if (oracle_find(o->in, o->n, e->after[a]) == o->n)
				return true;
		}
	}
	return false;
}

/* C9 */
static const char *
verdict(const struct oracle *o, size_t i)
{
	const struct entry *e = &o->in[i].of->e;
	char then[2 * HASH_LEN + 1], now[2 * HASH_LEN + 1];
	uint8_t hash[HASH_LEN];
	struct oracle_in *in;
	struct buf text;
	uint32_t shown;
	bool is_then, is_now;
	size_t n;

	if (is_blind(&o->in[i]))
		return "unknown";
	shown = json_get(&e->body, e->more, "shown");
	buf_init(&text, JSON_BYTES_MAX);
	put_skeleton(o, e->kind, e->on, e->on_count, &text);
	sha256(hash, buf_view(&text));
	hex_encode(now, bytes_of(hash, HASH_LEN));
	buf_reset(&text);
	known_to(o, i, &in, &n);
	oracle_skeleton(in, n, e->kind, e->on, e->on_count, &text);
	sha256(hash, buf_view(&text));
	hex_encode(then, bytes_of(hash, HASH_LEN));
	free(in);
	buf_free(&text);
	is_now = json_is(&e->body, shown, now);
	is_then = json_is(&e->body, shown, then);
	if (lacks(o, i))
		return is_now ? "ok" : "unknown";
	return !is_then ? "mismatch" : !is_now ? "stale" : "ok";
}

static void
put_from(const struct oracle *o, size_t i, struct buf *out)
{
	struct oracle_in *in;
	struct oracle then;
	size_t n;

	known_to(o, i, &in, &n);
	oracle_make(&then, in, n);
	put_live(&then, 's', "", PUT_WORD, out);
	oracle_drop(&then);
	free(in);
}

static void
put_or_null(const struct json *j, uint32_t n, struct buf *out)
{
	if (n == 0)
		buf_str(out, "null");
	else
		json_canon(j, n, out);
}

static void
put_act(const struct oracle *o, size_t i, struct buf *out)
{
	const struct oracle_entry *oe = o->in[i].of;
	const struct entry *e = &oe->e;
	bool blind = is_blind(&o->in[i]);
	char self[2 * ID_LEN + 2];

	(void)snprintf(self, sizeof(self), "@%s", oe->hex);
	buf_str(out, "{\"at\":");
	json_put_string(out, e->at);
	buf_str(out, ",\"by\":");
	json_put_string(out, e->by);
	if (!blind) {
		buf_str(out, ",\"data\":");
		json_canon(&e->body, e->data, out);
	}
	buf_str(out, ",\"do\":");
	json_put_str(out, verb_name(e->verb));
	if (e->verb == DO_ADVANCE) {
		buf_str(out, ",\"from\":");
		put_from(o, i, out);
	}
	buf_str(out, ",\"is\":");
	json_put_str(out, oracle_stands(o, self));
	if (!blind) {
		buf_str(out, ",\"more\":");
		put_or_null(&e->body, e->more, out);
	}
	buf_str(out, ",\"on\":[");
	for (size_t k = 0; k < e->on_count; k++) {
		sep(out, k);
		json_put_string(out, e->on[k]);
	}
	buf_u8(out, ']');
	if (!blind) {
		buf_str(out, ",\"reason\":");
		put_or_null(&e->body, e->reason, out);
	}
	if (e->verb == DO_SIGN) {
		buf_str(out, ",\"sign\":");
		json_put_str(out, verdict(o, i));
	}
	if (blind) {
		buf_u8(out, ',');
		put_withheld(oe, out);
	}
	buf_u8(out, '}');
}

static bool
is_act(const struct oracle *o, size_t i)
{
	enum verb v = o->in[i].of->e.verb;

	return o->counts[i] && v != DO_OPEN && v != DO_SET && v != DO_ADD;
}

/* Numbers of `in` by id. */
static size_t *
by_id(const struct oracle *o)
{
	size_t *idx = calloc(o->n + 1, sizeof(*idx));

	EXPECT(idx != NULL);
	for (size_t i = 0; i < o->n; i++) {
		size_t at = i;

		while (at > 0 && strcmp(o->in[idx[at - 1]].of->hex,
				     o->in[i].of->hex) > 0) {
			idx[at] = idx[at - 1];
			at--;
		}
		idx[at] = i;
	}
	return idx;
}

static void
put_acts(const struct oracle *o, const size_t *idx, struct buf *out)
{
	size_t n = 0;

	buf_u8(out, '{');
	for (size_t k = 0; k < o->n; k++) {
		if (!is_act(o, idx[k]))
			continue;
		sep(out, n++);
		json_put_str(out, o->in[idx[k]].of->hex);
		buf_u8(out, ':');
		put_act(o, idx[k], out);
	}
	buf_u8(out, '}');
}

static bool
is_head(const struct oracle *o, size_t i)
{
	bool known = false;

	for (size_t k = 0; k < o->n; k++)
		known |= o->counts[k] && o->know[k * o->n + i];
	return o->counts[i] && !known;
}

static bool
is_bare(const struct oracle *o, size_t i)
{
	return !o->counts[i];
}

static bool
is_counting_blind(const struct oracle *o, size_t i)
{
	return o->counts[i] && is_blind(&o->in[i]);
}

static void
put_ids(const struct oracle *o, const size_t *idx,
    bool (*which)(const struct oracle *, size_t), struct buf *out)
{
	size_t n = 0;

	buf_u8(out, '[');
	for (size_t k = 0; k < o->n; k++) {
		if (!which(o, idx[k]))
			continue;
		sep(out, n++);
		json_put_str(out, o->in[idx[k]].of->hex);
	}
	buf_u8(out, ']');
}

static void
put_names(struct names *s, struct buf *out)
{
	names_sort(s);
	buf_u8(out, '[');
	for (size_t k = 0; k < s->count; k++) {
		sep(out, k);
		json_put_str(out, s->name[k]);
	}
	buf_u8(out, ']');
	names_free(s);
}

static void
put_missing(const struct oracle *o, struct buf *out)
{
	struct names s = { NULL, 0 };

	for (size_t i = 0; i < o->n; i++) {
		const struct entry *e = &o->in[i].of->e;

		for (size_t a = 0; a < e->after_count; a++) {
			char hex[2 * ID_LEN + 1];

			hex_encode(hex, bytes_of(e->after[a], ID_LEN));
			if (oracle_find(o->in, o->n, e->after[a]) == o->n)
				names_add(&s, hex, strlen(hex));
		}
	}
	put_names(&s, out);
}

static void
put_kinds(const struct oracle *o, struct buf *out)
{
	struct names s = { NULL, 0 };

	for (size_t i = 0; i < o->n; i++) {
		const struct entry *e = &o->in[i].of->e;

		if (o->counts[i] && !oracle_is_hold(&o->in[i]))
			names_add(&s, (const char *)e->kind.p, e->kind.len);
	}
	put_names(&s, out);
}

/* C10 */
static bool
is_void(const struct oracle *o)
{
	for (size_t i = 0; i < o->n; i++) {
		char self[2 * ID_LEN + 2];

		(void)snprintf(self, sizeof(self), "@%s", o->in[i].of->hex);
		if (o->counts[i] && o->in[i].of->e.verb == DO_VOID &&
		    strcmp(oracle_stands(o, self), "out") != 0)
			return true;
	}
	return false;
}

void
oracle_state(const struct oracle_in *in, size_t count, struct buf *out)
{
	struct oracle o;
	size_t *idx;

	EXPECT(count > 0);
	oracle_make(&o, in, count);
	idx = by_id(&o);
	buf_str(out, "{\"acts\":");
	put_acts(&o, idx, out);
	buf_str(out, ",\"bare\":");
	put_ids(&o, idx, is_bare, out);
	buf_str(out, ",\"blind\":");
	put_ids(&o, idx, is_counting_blind, out);
	buf_str(out, ",\"fields\":");
	put_cells(&o, 'f', PUT_VALUE, out);
	buf_str(out, ",\"heads\":");
	put_ids(&o, idx, is_head, out);
	buf_str(out, ",\"items\":");
	put_items(&o, out);
	buf_str(out, ",\"kind\":");
	put_kinds(&o, out);
	buf_str(out, ",\"links\":");
	put_cells(&o, 'l', PUT_WORD, out);
	buf_str(out, ",\"missing\":");
	put_missing(&o, out);
	buf_str(out, ",\"rec\":");
	json_put_string(out, in[0].of->e.rec);
	buf_str(out, ",\"status\":");
	put_live(&o, 's', "", PUT_WORD, out);
	buf_str(out, ",\"v\":1,\"void\":");
	buf_str(out, is_void(&o) ? "true}" : "false}");
	free(idx);
	oracle_drop(&o);
}
