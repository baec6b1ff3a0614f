#include "support/merge_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "entry/chain.h"
#include "support/expect.h"

static const char rec[] = "01890a5d-ac96-774b-bcce-b302099a8057";
static const char *const others[] = { "01890a5d-ac96-774b-bcce-b302099a8001",
	"01890a5d-ac96-774b-bcce-b302099a8002" };
static const char *const fields[] = { "ground", "grounds", "warrant/no",
	"warrant/signed_by", "found" };
static const char *const item_fields[] = { "name", "value" };
static const char *const values[] = { "\"\xe4\xb8\x80\"", "\"\xe4\xba\x8c\"",
	"\"\"", "null", "true", "1", "0", "false", "\"a\\n\\u0041\\\"\\/\"" };
static const char *const words[] = { "draft", "read_back", "signed", "closed" };
static const char *const parts[] = { "", "items", "warrant", "ground",
	"persons" };

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* splitmix64 (Steele, Lea, Flood 2014) */
static uint64_t
draw(struct world *w)
{
	uint64_t z = w->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t
world_below(struct world *w, uint64_t n)
{
	return draw(w) % n;
}

bool
world_one_in(struct world *w, uint64_t n)
{
	return world_below(w, n) == 0;
}

#define ONE_OF(w, a) ((a)[world_below((w), COUNT(a))])

/* ---- views */

bool
world_sees(const struct world_view *v, size_t i)
{
	return (v->bit[i / 64] >> i % 64 & 1) != 0;
}

static void
see(struct world_view *v, size_t i)
{
	v->bit[i / 64] |= UINT64_C(1) << i % 64;
}

struct world_view
world_all(const struct world *w)
{
	struct world_view v = { { 0 } };

	for (size_t i = 0; i < w->count; i++)
		see(&v, i);
	return v;
}

size_t
world_pick(
    const struct world *w, const struct world_view *v, struct oracle_in *out)
{
	size_t n = 0;

	for (size_t i = 0; i < w->count; i++) {
		if (world_sees(v, i))
			out[n++] = (struct oracle_in){ &w->entry[i], COPY_WHOLE,
				w->device[i] == WORLD_SERVER };
	}
	return n;
}

/* Ids in the view that none of it states. */
static size_t
heads(const struct world *w, const struct world_view *v, uint8_t (*out)[ID_LEN])
{
	size_t n = 0;

	for (size_t i = 0; i < w->count; i++) {
		bool known = !world_sees(v, i);

		for (size_t k = 0; !known && k < w->count; k++) {
			const struct entry *e = &w->entry[k].e;

			for (size_t a = 0;
			     world_sees(v, k) && a < e->after_count; a++)
				known |= memcmp(e->after[a], w->entry[i].id,
					     ID_LEN) == 0;
		}
		if (!known)
			memcpy(out[n++], w->entry[i].id, ID_LEN);
	}
	return n;
}

/* ---- writing */

/* Swap a verb for a word of the same length that is none. */
static void
spoil(struct buf *raw)
{
	uint8_t *at = memmem(raw->p, raw->len, "\"do\":\"", 6);

	EXPECT(at != NULL);
	at[6] = 'z';
}

static void
put_data(struct buf *out, const struct world_deed *deed)
{
	buf_u8(out, '[');
	for (size_t i = 0; i < deed->on_count; i++) {
		if (i > 0)
			buf_u8(out, ',');
		buf_str(out, deed->data[i] != NULL ? deed->data[i] : "null");
	}
	buf_u8(out, ']');
}

size_t
world_write_after(struct world *w, unsigned d, const struct world_deed *deed,
    const uint8_t (*after)[ID_LEN], size_t after_count)
{
	static const char *const by[] = { "d1", "d2", "\xe5\xbc\xa0\"", "s" };
	struct world_device *dev = &w->dev[d];
	struct buf data, raw;
	uint8_t digest[HASH_LEN];
	const char *why = NULL;
	size_t i = w->count;
	char at[64];

	EXPECT(i < WORLD_ENTRIES_MAX);
	buf_init(&data, ENTRY_BYTES_MAX);
	buf_init(&raw, ENTRY_BYTES_MAX);
	put_data(&data, deed);
	at_format(at, (uint64_t)(1743454800 + w->now) * 1000, 480);
	struct entry_new n = { .court = "xz",
		.seq = dev->seq + 1,
		.rec = rec,
		.kind = world_one_in(w, 40) ? "compel@1" : "search@2",
		.by = by[d],
		.at = at,
		.verb = deed->verb,
		.on = deed->on,
		.on_count = deed->on_count,
		.wall =
		    (uint64_t)(1743454800000 + 1000 * w->now + dev->skew_ms),
		.mono = (uint64_t)(w->now + 10000),
		.after = after,
		.after_count = after_count,
		.dev = dev->seq == 0 ? "aaaaaaaaaaaaaaaaaaaaaaaaaa" : NULL,
		.data = buf_view(&data),
		.reason = bytes_str(deed->reason != NULL ? deed->reason : ""),
		.more = bytes_str(deed->more != NULL ? deed->more : "") };
	memcpy(n.chain, dev->chain, CHAIN_LEN);
	memcpy(n.boot, dev->boot, BOOT_LEN);
	for (size_t k = 0; k < SALT_LEN; k++)
		n.salt[k] = (uint8_t)draw(w);
	if (entry_write(&n, &raw, &why) != ST_OK)
		fail_msg("%s: %s", verb_name(deed->verb), why);
	if (deed->verb == DO_NOTE && world_one_in(w, 12))
		spoil(&raw);
	entry_digest(digest, buf_view(&raw));
	dev->seq++;
	chain_link(dev->link, dev->link, dev->seq, digest);
	oracle_entry_read(&w->entry[i], dev->link, buf_view(&raw));
	w->device[i] = d;
	w->count++;
	see(&dev->view, i);
	buf_free(&data);
	buf_free(&raw);
	return i;
}

size_t
world_write(struct world *w, unsigned d, const struct world_deed *deed,
    const struct world_view *seen)
{
	uint8_t after[WORLD_ENTRIES_MAX][ID_LEN];
	size_t n = heads(w, seen, after);

	return world_write_after(
	    w, d, deed, (const uint8_t(*)[ID_LEN])after, n);
}

/* ---- what somebody does */

/* Text that lives until the next world_make. */
struct sayings {
	char text[96][320];
	size_t count;
};

static const char *
say(struct sayings *s, const char *a, const char *b, const char *c)
{
	char *out;

	EXPECT(s->count < COUNT(s->text));
	out = s->text[s->count++];
	(void)snprintf(out, sizeof(s->text[0]), "%s%s%s", a, b, c);
	return out;
}

/* What a screen shows to choose from. */
struct screen {
	const char *item[64], *act[64], *id[96];
	size_t item_count, act_count, id_count;
};

static void
look(const struct world *w, const struct world_view *v, struct screen *sc,
    struct sayings *s)
{
	sc->item_count = sc->act_count = sc->id_count = 0;
	for (size_t i = 0; i < w->count; i++) {
		const struct oracle_entry *oe = &w->entry[i];

		if (!world_sees(v, i))
			continue;
		if (sc->id_count < COUNT(sc->id))
			sc->id[sc->id_count++] = oe->hex;
		if (oe->malformed)
			continue;
		if (oe->e.verb == DO_ADD && sc->item_count < COUNT(sc->item))
			sc->item[sc->item_count++] = oe->claim[0].path;
		else if (oe->e.verb != DO_SET && oe->e.verb != DO_OPEN &&
			 sc->act_count < 32)
			sc->act[sc->act_count++] = say(s, "@", oe->hex, "");
	}
}

static const char *
pick(struct world *w, const char *const *from, size_t count)
{
	return from[world_below(w, count)];
}

/* An item most often, else an act, else the whole. */
static const char *
pick_target(struct world *w, const struct screen *sc)
{
	if (sc->item_count > 0 && !world_one_in(w, 3))
		return pick(w, sc->item, sc->item_count);
	if (sc->act_count > 0 && !world_one_in(w, 3))
		return pick(w, sc->act, sc->act_count);
	return world_one_in(w, 2) ? "" : ONE_OF(w, fields);
}

static const char *
pick_field(struct world *w, const struct screen *sc, struct sayings *s)
{
	if (sc->item_count == 0 || world_one_in(w, 2))
		return ONE_OF(w, fields);
	return say(
	    s, pick(w, sc->item, sc->item_count), "/", ONE_OF(w, item_fields));
}

/* Put a name in, unless it is there. */
static void
name(struct world_deed *deed, const char *text, const char *data)
{
	struct bytes b = { (const uint8_t *)text, strlen(text) };

	for (size_t i = 0; i < deed->on_count; i++) {
		if (bytes_eq(deed->on[i], b))
			return;
	}
	deed->data[deed->on_count] = data;
	deed->on[deed->on_count++] = b;
}

static void
do_fields(struct world *w, const struct screen *sc, struct sayings *s,
    struct world_deed *deed)
{
	size_t n = 1 + world_below(w, 3);

	deed->verb = world_one_in(w, 4) ? DO_AMEND : DO_SET;
	deed->reason = deed->verb == DO_AMEND ? "slip" : NULL;
	while (n-- > 0)
		name(deed, pick_field(w, sc, s), ONE_OF(w, values));
}

static void
do_add(struct world *w, const struct screen *sc, struct sayings *s,
    struct world_deed *deed)
{
	const char *list = world_one_in(w, 2) ? "items" : "persons";

	if (sc->item_count > 0 && world_one_in(w, 3)) {
		const char *in = pick(w, sc->item, sc->item_count);

		if (strlen(in) < 100)
			list = say(s, in, "/renewals", "");
	}
	deed->verb = DO_ADD;
	name(deed, list, NULL);
	for (size_t n = world_below(w, 3); n > 0; n--)
		name(deed, item_fields[n - 1], ONE_OF(w, values));
}

static void
do_strike(struct world *w, const struct screen *sc, struct world_deed *deed)
{
	deed->verb = world_one_in(w, 3) ? DO_KEEP : DO_DROP;
	deed->reason = "twice";
	for (size_t n = 1 + world_below(w, 2); n > 0; n--) {
		if (sc->item_count > 0 &&
		    (sc->act_count == 0 || !world_one_in(w, 4)))
			name(deed, pick(w, sc->item, sc->item_count), NULL);
		else
			name(deed, pick(w, sc->act, sc->act_count), NULL);
	}
}

/* `more` of a sign, with what was shown, or (rarely) with another hash. */
static const char *
shown(struct world *w, const struct world_view *v,
    const struct world_deed *deed, struct sayings *s)
{
	struct oracle_in in[WORLD_ENTRIES_MAX];
	size_t n = world_pick(w, v, in);
	char hex[2 * HASH_LEN + 1];
	uint8_t hash[HASH_LEN] = { 0 };

	if (!world_one_in(w, 6)) {
		buf_reset(&w->text);
		oracle_skeleton(in, n, bytes_str("search@2"), deed->on,
		    deed->on_count, &w->text);
		sha256(hash, buf_view(&w->text));
	}
	hex_encode(hex, bytes_of(hash, HASH_LEN));
	return say(s, "{\"shown\":\"", hex, "\",\"how\":\"signed\"}");
}

static void
do_sign(struct world *w, const struct world_view *v, const struct screen *sc,
    struct sayings *s, struct world_deed *deed)
{
	deed->verb = DO_SIGN;
	for (size_t n = 1 + world_below(w, WORLD_PARTS_MAX); n > 0; n--) {
		if (sc->item_count > 0 && world_one_in(w, 3))
			name(deed, pick(w, sc->item, sc->item_count), NULL);
		else
			name(deed, ONE_OF(w, parts), NULL);
	}
	deed->more = shown(w, v, deed, s);
}

static void
do_hold(struct world *w, const struct screen *sc, struct world_deed *deed)
{
	deed->verb = world_one_in(w, 2) ? DO_ADMIT : DO_HOLD;
	for (size_t n = 1 + world_below(w, 3); n > 0; n--)
		name(deed, pick(w, sc->id, sc->id_count), NULL);
}

static void
do_naming(struct world *w, const struct screen *sc, struct world_deed *deed)
{
	static const char zero[] = "\"000000000000000000000000000000000000000"
				   "0000000000000000000000000\"";
	const char *target = pick_target(w, sc);

	switch (world_below(w, 4)) {
	case 0:
		deed->verb = DO_NOTE;
		name(deed, target, "\"seen\"");
		break;
	case 1:
		deed->verb = DO_ATTACH;
		deed->more = "{\"type\":\"image/jpeg\",\"size\":1}";
		name(deed, target, zero);
		break;
	case 2:
		deed->verb = DO_APPROVE;
		name(deed, target[0] == '\0' ? "found" : target,
		    world_one_in(w, 2) ? "true" : "false");
		break;
	default:
		deed->verb = DO_RELEASE;
		if (target[0] == '@')
			target = "";
		name(deed, target, NULL);
		if (sc->item_count > 0)
			name(deed, pick(w, sc->item, sc->item_count), NULL);
		break;
	}
}

static void
do_whole(struct world *w, struct world_deed *deed)
{
	switch (world_below(w, 5)) {
	case 0:
		deed->verb = DO_VOID;
		deed->reason = "by mistake";
		name(deed, "", NULL);
		break;
	case 1:
		deed->verb = DO_PRINT;
		deed->more = "{\"form\":\"f@1\",\"b\":{\"y\":1,\"x\":[]}}";
		name(deed, "", NULL);
		break;
	case 2:
		deed->verb = DO_LINK;
		name(deed, ONE_OF(w, others), NULL);
		name(deed, world_one_in(w, 2) ? "same_as" : "none", NULL);
		break;
	default:
		deed->verb = DO_ADVANCE;
		name(deed, ONE_OF(w, words), NULL);
		break;
	}
}

/* Any verb, on what this view shows. */
static void
do_something(struct world *w, unsigned d, const struct world_view *v,
    struct sayings *s, struct world_deed *deed)
{
	struct screen sc;
	uint64_t dice = world_below(w, 20);

	*deed = (struct world_deed){ .verb = DO_NONE };
	s->count = 0;
	look(w, v, &sc, s);
	if (sc.id_count > 0 && world_one_in(w, d == WORLD_SERVER ? 3 : 40))
		do_hold(w, &sc, deed);
	else if (dice < 6)
		do_fields(w, &sc, s, deed);
	else if (dice < 9)
		do_add(w, &sc, s, deed);
	else if (dice < 12 && sc.item_count + sc.act_count > 0)
		do_strike(w, &sc, deed);
	else if (dice < 14)
		do_sign(w, v, &sc, s, deed);
	else if (dice < 17)
		do_naming(w, &sc, deed);
	else
		do_whole(w, deed);
}

/* `after` of a hold: nothing but the last ruling this device knows. */
static void
write_hold(struct world *w, unsigned d, const struct world_deed *deed,
    const struct world_view *v)
{
	for (size_t i = w->count; i-- > 0;) {
		const struct oracle_entry *oe = &w->entry[i];
		uint8_t after[1][ID_LEN];

		if (!world_sees(v, i) || w->device[i] != WORLD_SERVER ||
		    (oe->e.verb != DO_HOLD && oe->e.verb != DO_ADMIT))
			continue;
		memcpy(after[0], oe->id, ID_LEN);
		world_write_after(
		    w, d, deed, (const uint8_t(*)[ID_LEN])after, 1);
		return;
	}
	world_write_after(w, d, deed, NULL, 0);
}

static void
step(struct world *w)
{
	unsigned d = (unsigned)world_below(w, WORLD_DEVICES);
	unsigned with = (unsigned)world_below(w, WORLD_DEVICES);
	struct world_device *dev = &w->dev[d];
	struct world_view seen;
	struct world_deed deed;
	struct sayings said;

	w->now++;
	if (world_below(w, 100) < 45) {
		/* Whole views are taken over, never parts of one. */
		for (size_t k = 0; k < COUNT(seen.bit); k++)
			dev->view.bit[k] |= w->dev[with].view.bit[k];
	}
	seen = world_one_in(w, 8) ? dev->stale : dev->view;
	if (world_one_in(w, 6))
		dev->stale = dev->view;
	for (size_t n = world_one_in(w, 4) ? 2 : 1; n > 0; n--) {
		/* Two windows: both edits began before either was saved. */
		do_something(w, d, &seen, &said, &deed);
		if (deed.verb == DO_HOLD || deed.verb == DO_ADMIT)
			write_hold(w, d, &deed, &seen);
		else
			world_write(w, d, &deed, &seen);
	}
}

void
world_make(struct world *w, uint64_t seed, size_t steps_max)
{
	static const int64_t skews[] = { 0, 0, -5000, 90000 };
	static const struct world_view nothing;
	struct world_deed open = { .verb = DO_OPEN };
	size_t steps;

	memset(w, 0, sizeof(*w));
	w->random = seed;
	buf_init(&w->text, JSON_BYTES_MAX);
	for (unsigned d = 0; d < WORLD_DEVICES; d++) {
		uint8_t key[PUBKEY_LEN] = { (uint8_t)d };
		static const uint8_t court[HASH_LEN];

		for (size_t k = 0; k < CHAIN_LEN; k++) {
			w->dev[d].chain[k] = (uint8_t)draw(w);
			w->dev[d].boot[k] = (uint8_t)draw(w);
		}
		chain_link0(w->dev[d].link, court, key, w->dev[d].chain);
		w->dev[d].skew_ms = ONE_OF(w, skews);
	}
	name(&open, "ground", values[0]);
	world_write(
	    w, (unsigned)world_below(w, WORLD_DEVICES), &open, &nothing);
	steps = 3 + (size_t)world_below(w, steps_max - 3);
	while (steps-- > 0)
		step(w);
}

void
world_free(struct world *w)
{
	for (size_t i = 0; i < w->count; i++)
		oracle_entry_free(&w->entry[i]);
	buf_free(&w->text);
}
