/*
 * Catches a merge that depends on the order, the repeats or the grouping of
 * what it is given, that loses a value, or that is another function than
 * docs/MERGE.md: over generated histories, each law of MERGE.md, section
 * "Laws", and an oracle written apart.
 *
 *   DAYBREAK_SEEDS=n   histories (500 if it is not set)
 *   DAYBREAK_SEED=s    the first one's seed (1)
 */
#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry/merge.h"
#include "entry/merge_impl.h"
#include "support/merge_world.h"

enum { STEPS_MAX = 28, COPIES_MAX = 4 * WORLD_ENTRIES_MAX };

/* What a copy of an entry is handed in as. */
struct copy {
	size_t i; /* of the world's entries */
	enum oracle_copy as;
	bool unsaid; /* from whom it came is not said of this copy */
};

struct deck {
	struct copy copy[COPIES_MAX];
	size_t count;
};

/* One for all histories: merge_reset is under test too. */
static struct merge *m;
static struct buf got, want, whole;
static struct world w;
static uint64_t seed_now;
static size_t folds;

/* ---- handing entries in */

static void
hand_in(const struct copy *c)
{
	const struct oracle_entry *oe = &w.entry[c->i];
	struct bytes raw = buf_view(&oe->raw);
	unsigned flags = 0;

	if (c->as == COPY_BLIND)
		raw = oe->e.head_line;
	if (c->as == COPY_BARE)
		flags |= MERGE_BARE;
	if (w.device[c->i] == WORLD_SERVER && !c->unsaid)
		flags |= MERGE_SERVER;
	EXPECT_OK(merge_add(m, oe->id, raw, flags));
}

/* Fold what was handed in; small ceilings make it walk for the past. */
static void
run(struct buf *out)
{
	static const size_t ceilings[] = { MERGE_PAST_MAX, MERGE_PAST_MAX, 0, 1,
		9, 60 };

	m->past_max = ceilings[world_below(&w, 6)];
	EXPECT_OK(merge_run(m));
	buf_reset(out);
	EXPECT_OK(merge_state(m, out));
	folds++;
}

static void
fold(const struct deck *d, struct buf *out)
{
	merge_reset(m);
	for (size_t k = 0; k < d->count; k++)
		hand_in(&d->copy[k]);
	run(out);
}

static struct deck
deck_of(const struct world_view *v)
{
	struct deck d = { .count = 0 };

	for (size_t i = 0; i < w.count; i++) {
		if (world_sees(v, i))
			d.copy[d.count++] =
			    (struct copy){ i, COPY_WHOLE, false };
	}
	return d;
}

static void
shuffle(struct deck *d)
{
	for (size_t k = d->count; k > 1; k--) {
		size_t at = (size_t)world_below(&w, k);
		struct copy c = d->copy[k - 1];

		d->copy[k - 1] = d->copy[at];
		d->copy[at] = c;
	}
}

/* The oracle's state of a deck in which no entry stands twice. */
static void
ask_oracle(const struct deck *d, struct buf *out)
{
	struct oracle_in in[WORLD_ENTRIES_MAX];

	for (size_t k = 0; k < d->count; k++)
		in[k] = (struct oracle_in){ &w.entry[d->copy[k].i],
			d->copy[k].as, w.device[d->copy[k].i] == WORLD_SERVER };
	buf_reset(out);
	oracle_state(in, d->count, out);
}

static void
expect_oracle(const struct deck *d)
{
	struct oracle_in in[WORLD_ENTRIES_MAX];
	size_t order[WORLD_ENTRIES_MAX], count;
	const uint8_t(*ids)[ID_LEN];

	fold(d, &got);
	ask_oracle(d, &want);
	EXPECT_BYTES(buf_view(&got), buf_view(&want));
	for (size_t k = 0; k < d->count; k++)
		in[k] = (struct oracle_in){ &w.entry[d->copy[k].i], COPY_WHOLE,
			false };
	oracle_order(in, d->count, order);
	ids = merge_order(m, &count);
	EXPECT(count == d->count);
	for (size_t k = 0; k < count; k++)
		EXPECT(memcmp(ids[k], in[order[k]].of->id, ID_LEN) == 0);
}

/* ---- the laws */

static void
law_any_order_any_repeats(void)
{
	const struct world_view all = world_all(&w);

	for (int round = 0; round < 3; round++) {
		struct deck d = deck_of(&all);

		for (size_t n = world_below(&w, 2 * w.count); n > 0; n--) {
			d.copy[d.count] = d.copy[world_below(&w, d.count)];
			d.copy[d.count].unsaid = world_one_in(&w, 2);
			d.count++;
		}
		shuffle(&d);
		fold(&d, &got);
		EXPECT_BYTES(buf_view(&got), buf_view(&whole));
	}
	/* Again, without a change. */
	run(&got);
	EXPECT_BYTES(buf_view(&got), buf_view(&whole));
}

/* Parts folded one after another give what their union gives at once. */
static void
law_any_grouping(void)
{
	struct world_view both = { { 0 } };
	struct deck part[3], all;
	size_t first;

	for (int k = 0; k < 3; k++) {
		struct world_view v = { { 0 } };

		for (size_t i = 0; i < w.count; i++) {
			if (world_below(&w, 10) < 6)
				v.bit[i / 64] |= UINT64_C(1) << i % 64;
		}
		part[k] = deck_of(&v);
		shuffle(&part[k]);
		for (size_t b = 0; b < sizeof(v.bit) / sizeof(*v.bit); b++)
			both.bit[b] |= v.bit[b];
	}
	all = deck_of(&both);
	if (all.count == 0)
		return;
	expect_oracle(&all); /* with holes: much is missing */
	first = world_below(&w, 3);
	merge_reset(m);
	for (size_t k = 0; k < 3; k++) {
		const struct deck *d = &part[(first + k) % 3];

		for (size_t c = 0; c < d->count; c++)
			hand_in(&d->copy[c]);
		if (m->added_count > 0)
			EXPECT_OK(merge_run(m));
	}
	run(&got);
	EXPECT_BYTES(buf_view(&got), buf_view(&want));
}

/* A value entered is shown, or an entry that writes the same field knew it. */
static void
law_no_value_disappears(const struct deck *d)
{
	struct oracle_in in[WORLD_ENTRIES_MAX];
	struct world_view all = world_all(&w);
	size_t n = world_pick(&w, &all, in);

	fold(d, &got);
	for (size_t i = 0; i < n; i++) {
		const struct oracle_entry *oe = in[i].of;
		uint32_t at = merge_find(m, oe->id);

		EXPECT(at < m->count);
		for (size_t c = 0;
		     m->counts[m->place_of[at]] && c < oe->claim_count; c++) {
			struct bytes path = bytes_str(oe->claim[c].path), raw;
			const uint8_t *id;
			bool there = oe->claim[c].sort != 'f';

			for (size_t k = 0;
			     !there && merge_field(m, path, k, &id, &raw); k++)
				there = memcmp(id, oe->id, ID_LEN) == 0;
			for (size_t k = 0; !there && k < n; k++) {
				const struct oracle_entry *by = in[k].of;

				for (size_t q = 0; q < by->claim_count; q++)
					there |= by->claim[q].sort == 'f' &&
						 bytes_eq_str(
						     path, by->claim[q].path) &&
						 oracle_knows(in, n, k, i);
			}
			EXPECT(there);
		}
	}
}

/* What a device holds is closed under `after`: its order is that of all. */
static void
law_closed_part_keeps_its_order(void)
{
	uint8_t order[WORLD_ENTRIES_MAX][ID_LEN];
	struct world_view all = world_all(&w);
	struct deck d = deck_of(&all);
	const uint8_t(*ids)[ID_LEN];
	size_t total, count;

	fold(&d, &got);
	ids = merge_order(m, &total);
	memcpy(order, ids, total * ID_LEN);
	for (unsigned k = 0; k < WORLD_DEVICES; k++) {
		size_t at = 0;

		d = deck_of(&w.dev[k].view);
		if (d.count == 0)
			continue;
		shuffle(&d);
		expect_oracle(&d);
		ids = merge_order(m, &count);
		for (size_t i = 0; i < total && at < count; i++)
			at += memcmp(order[i], ids[at], ID_LEN) == 0;
		EXPECT(at == count);
	}
}

/* ---- withheld bodies */

static struct json before, after;

static void
parse(struct json *j, const struct buf *text)
{
	EXPECT_OK(json_parse(j, buf_view(text), JSON_DOCUMENT));
}

static void
expect_same_member(const char *name)
{
	uint32_t a = json_get(&before, 0, name), b = json_get(&after, 0, name);

	EXPECT(a != 0 && b != 0);
	EXPECT_BYTES(json_raw(&after, b), json_raw(&before, a));
}

/* Members of an object but those that a body says. */
static void
expect_same_act(uint32_t a, uint32_t b)
{
	static const char *const heads[] = { "at", "by", "do", "from", "is",
		"on" };

	for (size_t k = 0; k < sizeof(heads) / sizeof(*heads); k++) {
		uint32_t x = json_get(&before, a, heads[k]);
		uint32_t y = json_get(&after, b, heads[k]);

		EXPECT((x == 0) == (y == 0));
		if (x != 0)
			EXPECT_BYTES(json_raw(&after, y), json_raw(&before, x));
	}
	a = json_get(&before, a, "sign");
	b = json_get(&after, b, "sign");
	EXPECT((a == 0) == (b == 0));
	if (a != 0 && !json_is(&after, b, "unknown"))
		EXPECT_BYTES(json_raw(&after, b), json_raw(&before, a));
}

/* The same names, and for each field the same ids in the same order. */
static void
expect_same_ids(void)
{
	uint32_t a = json_get(&before, 0, "fields") + 1;
	uint32_t b = json_get(&after, 0, "fields") + 1;
	uint32_t end = json_end(&before, a - 1);

	EXPECT(before.node[a - 1].count == after.node[b - 1].count);
	for (; a < end;
	     a = before.node[a + 1].next, b = after.node[b + 1].next) {
		uint32_t x = a + 2, y = b + 2;

		EXPECT_BYTES(json_raw(&after, b), json_raw(&before, a));
		EXPECT(before.node[a + 1].count == after.node[b + 1].count);
		for (uint32_t k = 0; k < before.node[a + 1].count; k++) {
			EXPECT_BYTES(
			    json_raw(&after, y + 1), json_raw(&before, x + 1));
			x = before.node[x].next;
			y = after.node[y].next;
		}
	}
}

static void
law_withholding_changes_only_what_is_shown(void)
{
	static const char *const same[] = { "bare", "heads", "items", "kind",
		"links", "missing", "rec", "status", "v", "void" };
	struct world_view all = world_all(&w);
	struct deck d = deck_of(&all), more;
	uint32_t a, b, end;

	for (size_t k = 0; k < d.count; k++) {
		if (world_below(&w, 10) < 3)
			d.copy[k].as = COPY_BLIND;
	}
	shuffle(&d);
	expect_oracle(&d);
	parse(&before, &whole);
	parse(&after, &got);
	for (size_t k = 0; k < sizeof(same) / sizeof(*same); k++)
		expect_same_member(same[k]);
	expect_same_ids();
	a = json_get(&before, 0, "acts");
	b = json_get(&after, 0, "acts");
	EXPECT(before.node[a].count == after.node[b].count);
	for (end = json_end(&before, a++), b++; a < end;
	     a = before.node[a + 1].next, b = after.node[b + 1].next) {
		EXPECT_BYTES(json_raw(&after, b), json_raw(&before, a));
		expect_same_act(a + 1, b + 1);
	}
	/* The bodies come later. */
	more = deck_of(&all);
	for (size_t k = 0; k < more.count; k++)
		d.copy[d.count++] = more.copy[k];
	shuffle(&d);
	fold(&d, &got);
	EXPECT_BYTES(buf_view(&got), buf_view(&whole));
}

static void
law_bare_entries_carry_causality_only(void)
{
	struct world_view all = world_all(&w);
	struct deck d = deck_of(&all), more;

	for (size_t k = 0; k < d.count; k++) {
		if (world_below(&w, 10) < 2)
			d.copy[k].as = COPY_BARE;
		else if (world_below(&w, 10) < 2)
			d.copy[k].as = COPY_BLIND;
	}
	shuffle(&d);
	expect_oracle(&d);
	more = deck_of(&all);
	for (size_t k = 0; k < more.count; k++)
		d.copy[d.count++] = more.copy[k];
	shuffle(&d);
	fold(&d, &got);
	EXPECT_BYTES(buf_view(&got), buf_view(&whole));
}

/* ---- holding a branch, and admitting it */

static void
deed_name(struct world_deed *deed, const char *text)
{
	deed->on[deed->on_count++] = bytes_str(text);
}

/* As `whole`, but for heads and for the acts at lo and above. */
static void
expect_never_held(size_t lo)
{
	static const char *const same[] = { "bare", "blind", "fields", "items",
		"kind", "links", "missing", "rec", "status", "v", "void" };
	uint32_t a, b, end;

	parse(&before, &whole);
	parse(&after, &got);
	for (size_t k = 0; k < sizeof(same) / sizeof(*same); k++)
		expect_same_member(same[k]);
	a = json_get(&before, 0, "acts") + 1;
	b = json_get(&after, 0, "acts");
	for (end = json_end(&after, b++); b < end; b = after.node[b + 1].next) {
		bool later = false;

		for (size_t i = lo; i < w.count; i++)
			later |= json_is(&after, b, w.entry[i].hex);
		if (later)
			continue;
		EXPECT(a < json_end(&before, json_get(&before, 0, "acts")));
		EXPECT_BYTES(json_raw(&after, b), json_raw(&before, a));
		EXPECT_BYTES(json_raw(&after, b + 1), json_raw(&before, a + 1));
		a = before.node[a + 1].next;
	}
	EXPECT(a == json_end(&before, json_get(&before, 0, "acts")));
}

/*
 * A device's branch from some entry on is held, then admitted.  The entries
 * are those that nothing of the history's own rulings speaks of.
 */
static void
law_held_and_admitted_is_never_held(void)
{
	size_t lo = w.count, pick = (size_t)world_below(&w, w.count);
	struct world_deed deed = { .verb = DO_HOLD, .reason = "looked into" };
	uint8_t id[1][ID_LEN];
	struct world_view all;
	struct deck d;

	for (size_t i = pick; i < lo; i++) {
		bool ruled = false;

		for (size_t k = 0; k < lo; k++) {
			const struct entry *e = &w.entry[k].e;

			for (size_t n = 0; n < e->on_count; n++)
				ruled |= (e->verb == DO_HOLD ||
					     e->verb == DO_ADMIT) &&
					 bytes_eq_str(e->on[n], w.entry[i].hex);
		}
		if (!ruled && w.device[i] == w.device[pick] &&
		    deed.on_count < 60)
			deed_name(&deed, w.entry[i].hex);
	}
	if (deed.on_count == 0)
		return;
	w.now += 1000;
	memcpy(id[0],
	    w.entry[world_write_after(&w, WORLD_SERVER, &deed, NULL, 0)].id,
	    ID_LEN);
	all = world_all(&w);
	d = deck_of(&all);
	shuffle(&d);
	expect_oracle(&d);
	deed.verb = DO_ADMIT;
	deed.reason = "cleared";
	/* Only what the admit says decides: its clock may be behind. */
	w.now -= (int64_t)world_below(&w, 2000);
	world_write_after(
	    &w, WORLD_SERVER, &deed, (const uint8_t(*)[ID_LEN])id, 1);
	all = world_all(&w);
	d = deck_of(&all);
	shuffle(&d);
	expect_oracle(&d);
	expect_never_held(lo);
}

/* ---- settling everything */

/* The paths of cells in conflict of a class, as names of a deed. */
static void
contested(struct world_deed *deed, enum merge_class class,
    char (*text)[PATH_BYTES_MAX + 1])
{
	const struct merge_table *t = &m->table[class];

	for (uint32_t k = 0; k < t->cell_count; k++) {
		const struct merge_cell *c = &t->cell[k];
		bool bad =
		    class == CLASS_ITEM ? c->is == MERGE_CONFLICT : c->live > 1;

		if (!bad)
			continue;
		EXPECT(deed->on_count < 60);
		memcpy(text[deed->on_count], c->path.p, c->path.len);
		text[deed->on_count][c->path.len] = '\0';
		deed_name(deed, text[deed->on_count]);
		deed->data[deed->on_count - 1] = NULL;
	}
}

/* One who knows of all sides writes last, and nothing is left to settle. */
static void
law_later_entries_settle_everything(void)
{
	static char text[64][PATH_BYTES_MAX + 1], more[64][PATH_BYTES_MAX + 1];
	static char rec[64][PATH_BYTES_MAX + 1];
	struct world_deed set = { .verb = DO_AMEND, .reason = "settled" };
	struct world_deed keep = { .verb = DO_KEEP, .reason = "settled" };
	struct world_deed links = { .verb = DO_LINK };
	struct world_deed step = { .verb = DO_ADVANCE };
	struct world_view all = world_all(&w);
	struct deck d = deck_of(&all);
	size_t conflicts;

	fold(&d, &got);
	contested(&set, CLASS_FIELD, text);
	contested(&keep, CLASS_ITEM, more);
	contested(&links, CLASS_LINK, rec);
	conflicts = set.on_count + keep.on_count + links.on_count;
	conflicts += m->table[CLASS_STATUS].cell_count > 0 &&
		     m->table[CLASS_STATUS].cell[0].live > 1;
	EXPECT(merge_conflicts(m) == conflicts);
	w.now += 5000;
	if (set.on_count > 0)
		world_write(&w, 0, &set, &all);
	if (keep.on_count > 0) {
		/* A drop beside the amend would be contested by it. */
		all = world_all(&w);
		keep.verb = world_one_in(&w, 2) ? DO_KEEP : DO_DROP;
		world_write(&w, 1, &keep, &all);
	}
	for (size_t k = 0; k < links.on_count; k++) {
		struct world_deed one = { .verb = DO_LINK };

		deed_name(&one, rec[k]);
		deed_name(&one, "none");
		world_write(&w, 2, &one, &all);
	}
	deed_name(&step, "closed");
	world_write(&w, 0, &step, &all);
	all = world_all(&w);
	d = deck_of(&all);
	shuffle(&d);
	expect_oracle(&d);
	EXPECT(merge_conflicts(m) == 0);
}

/* ---- histories */

static void
check_seed(uint64_t seed)
{
	struct world_view all;
	struct deck d;

	seed_now = seed;
	world_make(&w, seed, STEPS_MAX);
	all = world_all(&w);
	d = deck_of(&all);
	expect_oracle(&d);
	buf_reset(&whole);
	buf_bytes(&whole, buf_view(&got));
	law_any_order_any_repeats();
	law_any_grouping();
	law_no_value_disappears(&d);
	law_closed_part_keeps_its_order();
	law_withholding_changes_only_what_is_shown();
	law_bare_entries_carry_causality_only();
	law_later_entries_settle_everything();
	world_free(&w);
	/* The same history again: its laws need it without later entries. */
	world_make(&w, seed, STEPS_MAX);
	law_held_and_admitted_is_never_held();
	world_free(&w);
}

static uint64_t
number_from(const char *name, uint64_t def)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 10) : def;
}

static void
test_merge_laws_hold_over_generated_histories(void **state)
{
	uint64_t first = number_from("DAYBREAK_SEED", 1);
	uint64_t count = number_from("DAYBREAK_SEEDS", 500);

	(void)state;
	EXPECT(count > 0);
	EXPECT_OK(merge_new(&m));
	buf_init(&got, JSON_BYTES_MAX);
	buf_init(&want, JSON_BYTES_MAX);
	buf_init(&whole, JSON_BYTES_MAX);
	json_init(&before);
	json_init(&after);
	for (uint64_t k = 0; k < count; k++)
		check_seed(first + k);
	print_message("%llu histories from seed %llu, %zu folds\n",
	    (unsigned long long)count, (unsigned long long)first, folds);
	merge_free(m);
	buf_free(&got);
	buf_free(&want);
	buf_free(&whole);
	json_free(&before);
	json_free(&after);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merge_laws_hold_over_generated_histories),
	};
	int bad = cmocka_run_group_tests(tests, NULL, NULL);

	(void)argc;
	if (bad != 0)
		print_error("seed %llu fails; again:\n  "
			    "DAYBREAK_SEED=%llu DAYBREAK_SEEDS=1 %s\n",
		    (unsigned long long)seed_now, (unsigned long long)seed_now,
		    argv[0]);
	return bad;
}
