#include "support/merge_oracle_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "support/expect.h"

/* ---- what an entry says */

static void
claim(struct oracle_entry *oe, char sort, size_t index, bool out,
    const char *path)
{
	size_t n = oe->claim_count++;

	oe->claim = realloc(oe->claim, (n + 1) * sizeof(*oe->claim));
	EXPECT(oe->claim != NULL);
	oe->claim[n] = (struct oracle_claim){ sort, strdup(path), index, out };
	EXPECT(oe->claim[n].path != NULL);
}

static void
claim_all(struct oracle_entry *oe)
{
	const struct entry *e = &oe->e;
	char path[512], list[512];

	for (size_t i = 0; i < e->on_count; i++) {
		(void)snprintf(path, sizeof(path), "%.*s", (int)e->on[i].len,
		    (const char *)e->on[i].p);
		switch (e->verb) {
		case DO_OPEN:
		case DO_SET:
		case DO_AMEND:
			claim(oe, 'f', i, false, path);
			break;
		case DO_ADD:
			if (i == 0) {
				(void)snprintf(list, sizeof(list), "%.255s/@%s",
				    path, oe->hex);
				claim(oe, 'i', i, false, list);
			} else {
				char field[1024];

				(void)snprintf(
				    field, sizeof(field), "%s/%s", list, path);
				claim(oe, 'f', i, false, field);
			}
			break;
		case DO_DROP:
		case DO_KEEP:
			claim(oe, 'i', i, e->verb == DO_DROP, path);
			break;
		case DO_ADVANCE:
			claim(oe, 's', i, false, "");
			break;
		case DO_LINK:
			if (i == 0)
				claim(oe, 'l', 1, false, path);
			break;
		default:
			break;
		}
	}
}

void
oracle_entry_read(
    struct oracle_entry *oe, const uint8_t id[ID_LEN], struct bytes raw)
{
	enum status st;

	memset(oe, 0, sizeof(*oe));
	memcpy(oe->id, id, ID_LEN);
	hex_encode(oe->hex, bytes_of(id, ID_LEN));
	buf_init(&oe->raw, ENTRY_BYTES_MAX);
	buf_bytes(&oe->raw, raw);
	entry_init(&oe->e);
	st = entry_parse(&oe->e, buf_view(&oe->raw));
	EXPECT(st == ST_OK || (st == ST_INVALID && oe->e.causal));
	oe->malformed = st == ST_INVALID;
	if (!oe->malformed)
		claim_all(oe);
}

void
oracle_entry_free(struct oracle_entry *oe)
{
	for (size_t i = 0; i < oe->claim_count; i++)
		free(oe->claim[i].path);
	free(oe->claim);
	entry_free(&oe->e);
	buf_free(&oe->raw);
}

/* ---- a set */

size_t
oracle_find(const struct oracle_in *in, size_t n, const uint8_t id[ID_LEN])
{
	for (size_t i = 0; i < n; i++) {
		if (memcmp(in[i].of->id, id, ID_LEN) == 0)
			return i;
	}
	return n;
}

/* C2: walk, and mark what is met. */
static void
walk(const struct oracle_in *in, size_t n, size_t from, bool *met)
{
	size_t *todo = calloc(n + 1, sizeof(*todo)), depth = 0;

	EXPECT(todo != NULL);
	memset(met, 0, n * sizeof(*met));
	todo[depth++] = from;
	while (depth > 0) {
		const struct entry *e = &in[todo[--depth]].of->e;

		for (size_t k = 0; k < e->after_count; k++) {
			size_t i = oracle_find(in, n, e->after[k]);

			if (i == n || met[i])
				continue;
			met[i] = true;
			todo[depth++] = i;
		}
	}
	free(todo);
}

bool
oracle_knows(const struct oracle_in *in, size_t count, size_t a, size_t b)
{
	bool *met = calloc(count, sizeof(*met)), knows;

	EXPECT(met != NULL);
	walk(in, count, a, met);
	knows = met[b];
	free(met);
	return knows;
}

static bool
before(const struct oracle_entry *a, const struct oracle_entry *b)
{
	if (a->e.wall != b->e.wall)
		return a->e.wall < b->e.wall;
	return strcmp(a->hex, b->hex) < 0;
}

void
oracle_order(const struct oracle_in *in, size_t count, size_t *order)
{
	bool *taken = calloc(count, sizeof(*taken));

	EXPECT(taken != NULL);
	for (size_t at = 0; at < count; at++) {
		size_t best = count;

		for (size_t i = 0; i < count; i++) {
			const struct entry *e = &in[i].of->e;
			bool waits = taken[i];

			for (size_t k = 0; k < e->after_count; k++) {
				size_t p = oracle_find(in, count, e->after[k]);

				waits |= p < count && !taken[p];
			}
			if (!waits &&
			    (best == count || before(in[i].of, in[best].of)))
				best = i;
		}
		EXPECT(best < count);
		taken[best] = true;
		order[at] = best;
	}
	free(taken);
}

bool
oracle_is_hold(const struct oracle_in *in)
{
	return !in->of->malformed && in->copy != COPY_BARE &&
	       (in->of->e.verb == DO_HOLD || in->of->e.verb == DO_ADMIT);
}

/* C1 */
static bool
does_count(const struct oracle *o, size_t i)
{
	const struct oracle_in *in = &o->in[i];
	bool held = false;

	if (in->of->malformed || in->copy == COPY_BARE)
		return false;
	if (oracle_is_hold(in))
		return in->server;
	for (size_t at = 0; at < o->n; at++) {
		const struct oracle_in *by = &o->in[o->order[at]];

		if (!oracle_is_hold(by) || !by->server)
			continue;
		for (size_t k = 0; k < by->of->e.on_count; k++) {
			if (bytes_eq_str(by->of->e.on[k], in->of->hex))
				held = by->of->e.verb == DO_HOLD;
		}
	}
	return !held;
}

void
oracle_make(struct oracle *o, const struct oracle_in *in, size_t n)
{
	*o = (struct oracle){ .in = in, .n = n };
	o->know = calloc(n * n + 1, sizeof(*o->know));
	o->order = calloc(n + 1, sizeof(*o->order));
	o->place = calloc(n + 1, sizeof(*o->place));
	o->counts = calloc(n + 1, sizeof(*o->counts));
	EXPECT(o->know != NULL && o->order != NULL && o->place != NULL &&
	       o->counts != NULL);
	for (size_t i = 0; i < n; i++)
		walk(in, n, i, o->know + i * n);
	oracle_order(in, n, o->order);
	for (size_t at = 0; at < n; at++)
		o->place[o->order[at]] = at;
	for (size_t i = 0; i < n; i++)
		o->counts[i] = does_count(o, i);
}

void
oracle_drop(struct oracle *o)
{
	free(o->know);
	free(o->order);
	free(o->place);
	free(o->counts);
}

/* ---- cells */

size_t
oracle_live(
    const struct oracle *o, char sort, const char *path, struct oracle_hit *hit)
{
	size_t all = 0, kept = 0;

	for (size_t at = o->n; at-- > 0;) {
		size_t i = o->order[at];
		const struct oracle_entry *oe = o->in[i].of;

		for (size_t c = 0; o->counts[i] && c < oe->claim_count; c++) {
			if (oe->claim[c].sort == sort &&
			    strcmp(oe->claim[c].path, path) == 0)
				hit[all++] = (struct oracle_hit){ i,
					&oe->claim[c], false };
		}
	}
	for (size_t a = 0; a < all; a++) {
		hit[a].known = false;
		for (size_t b = 0; b < all; b++)
			hit[a].known |= o->know[hit[b].i * o->n + hit[a].i];
	}
	for (size_t a = 0; a < all; a++) {
		if (!hit[a].known)
			hit[kept++] = hit[a];
	}
	return kept;
}

bool
oracle_is_naming(enum verb v)
{
	return v == DO_ATTACH || v == DO_NOTE || v == DO_APPROVE ||
	       v == DO_RELEASE;
}

static bool
lies_below(const char *path, size_t len, const char *item)
{
	size_t n = strlen(item);

	return len > n && memcmp(path, item, n) == 0 && path[n] == '/';
}

/* C5 */
static bool
touches(const struct oracle_entry *oe, const char *item)
{
	for (size_t c = 0; c < oe->claim_count; c++) {
		const struct oracle_claim *cl = &oe->claim[c];

		if ((cl->sort == 'f' || cl->sort == 'i') &&
		    lies_below(cl->path, strlen(cl->path), item))
			return true;
	}
	for (size_t k = 0; oracle_is_naming(oe->e.verb) && k < oe->e.on_count;
	     k++) {
		struct bytes on = oe->e.on[k];

		if (bytes_eq_str(on, item) ||
		    lies_below((const char *)on.p, on.len, item))
			return true;
	}
	return false;
}

const char *
oracle_stands(const struct oracle *o, const char *item)
{
	struct oracle_hit *hit = calloc(2 * o->n + 1, sizeof(*hit));
	size_t count, outs = 0;
	bool conflict;

	EXPECT(hit != NULL);
	count = oracle_live(o, 'i', item, hit);
	for (size_t k = 0; k < count; k++)
		outs += hit[k].claim->out;
	conflict = outs < count;
	for (size_t k = 0; k < count; k++) {
		size_t a = hit[k].i;

		for (size_t b = 0; hit[k].claim->out && b < o->n; b++) {
			conflict |= a != b && o->counts[b] &&
				    touches(o->in[b].of, item) &&
				    !o->know[a * o->n + b] &&
				    !o->know[b * o->n + a];
		}
	}
	free(hit);
	return outs == 0 ? "in" : conflict ? "conflict" : "out";
}
