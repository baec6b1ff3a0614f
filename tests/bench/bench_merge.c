/*
 * What it costs to fold a record: reading its entries, folding, writing the
 * state.  One JSON line a figure; the least of several runs, for the machine is
 * never quiet.
 *
 *	bench_merge [--quick] [ENTRIES [SIGNS]]
 *		a record of so many entries, once, alone; with so many
 *		signatures over all of it, where not every 100th entry is one
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "bench/support/figure.h"
#include "entry/chain.h"
#include "entry/merge.h"
#include "support/expect.h"

#define ZERO                                                                   \
	"00000000000000000000000000000000"                                     \
	"00000000000000000000000000000000"

enum { ENTRIES_MAX = 100000, SIDES_MAX = 8, SIGN_EACH = 100 };

static size_t sign_each = SIGN_EACH;

struct side {
	uint8_t chain[CHAIN_LEN], link[HASH_LEN], last[ID_LEN];
	uint64_t seq;
};

/* A record as officers write it: items, values, corrections, photos, steps, a
 * signature now and then. */
struct record {
	struct buf *raw;
	uint8_t (*id)[ID_LEN];
	size_t count, items;
	size_t sign_each; /* one entry in so many is a signature */
	struct side side[SIDES_MAX];
	char item[64][64]; /* the last ones */
};

static void
write_entry(struct record *r, size_t s, enum verb verb, const char **on,
    size_t on_count, const char *data, const char *reason, const char *more,
    const uint8_t (*after)[ID_LEN], size_t after_count)
{
	struct bytes names[16];
	struct side *side = &r->side[s];
	struct entry_new n = { .court = "xz0302",
		.seq = ++side->seq,
		.rec = "01890a5d-ac96-774b-bcce-b302099a8057",
		.kind = "seizure@1",
		.by = "officer-0302-0017",
		.at = "2025-04-01T05:00:01+08:00",
		.verb = verb,
		.on = names,
		.on_count = on_count,
		.wall = 1743454800000 + r->count * 700,
		.mono = 1000 + r->count,
		.after = after,
		.after_count = after_count,
		.dev = side->seq == 1 ? "aaaaaaaaaaaaaaaaaaaaaaaaaa" : NULL,
		.data = bytes_str(data),
		.reason = bytes_str(reason),
		.more = bytes_str(more) };
	uint8_t digest[HASH_LEN];
	const char *why = NULL;

	for (size_t i = 0; i < on_count; i++)
		names[i] = bytes_str(on[i]);
	memcpy(n.chain, side->chain, CHAIN_LEN);
	memcpy(n.salt, side->link, SALT_LEN);
	buf_init(&r->raw[r->count], ENTRY_BYTES_MAX);
	EXPECT_OK(entry_write(&n, &r->raw[r->count], &why));
	entry_digest(digest, buf_view(&r->raw[r->count]));
	chain_link(side->link, side->link, side->seq, digest);
	memcpy(side->last, side->link, ID_LEN);
	memcpy(r->id[r->count], side->link, ID_LEN);
	r->count++;
}

/* The i-th act of side s, knowing `after`. */
static void
act(struct record *r, size_t s, size_t i, const uint8_t (*after)[ID_LEN],
    size_t count)
{
	static const char zero[] = "[\"" ZERO "\"]";
	const char *add[] = { "items", "name", "model", "quantity", "unit",
		"ownership", "where" };
	const char *item = r->item[i % (r->items == 0      ? 1
					   : r->items < 64 ? r->items
							   : 64)];
	const char *set[] = { "address", "found", "obstruction" };
	const char *whole[] = { "" }, *word[] = { "read_back" };
	const char *drop[] = { item }, *part[] = { "items" };
	char field[128];
	const char *fix[] = { field, "narrative" };

	if (i % r->sign_each == r->sign_each - 1) {
		write_entry(r, s, DO_SIGN, part, 1, "[null]", "",
		    "{\"shown\":\"" ZERO "\",\"how\":\"signed\"}", after,
		    count);
	} else if (i % 50 == 49) {
		write_entry(
		    r, s, DO_ADVANCE, word, 1, "[null]", "", "", after, count);
	} else if (i % 5 == 1 || r->items == 0) {
		char hex[2 * ID_LEN + 1];

		write_entry(r, s, DO_ADD, add, 7,
		    "[null,\"\xe7\xbb\xbf\xe6\xba\x90\xe7\x94\xb5\xe5\x8a\xa8"
		    "\xe8\xbd\xa6\",\"TDR-2187Z\",1,\"\xe8\xbe\x86\","
		    "\"sole\",\"\xe5\xae\xa2\xe5\x8e\x85\"]",
		    "", "", after, count);
		hex_encode(hex, bytes_of(r->id[r->count - 1], ID_LEN));
		(void)snprintf(r->item[r->items++ % 64], sizeof(r->item[0]),
		    "items/@%s", hex);
	} else if (i % 5 == 2) {
		write_entry(r, s, DO_SET, set, 3,
		    "[\"\xe5\xa4\xaa\xe8\xa1\x97 7 \xe5\x8f\xb7\",true,null]",
		    "", "", after, count);
	} else if (i % 5 == 3 && i % 3 == 0) {
		write_entry(r, s, DO_DROP, drop, 1, "[null]", "twice", "",
		    after, count);
	} else if (i % 5 == 3) {
		(void)snprintf(field, sizeof(field), "%s/model", item);
		write_entry(r, s, DO_AMEND, fix, 2, "[\"TDR-2188\",\"x\"]",
		    "misread", "", after, count);
	} else {
		write_entry(r, s, DO_ATTACH, i % 2 == 0 ? drop : whole, 1, zero,
		    "", "{\"size\":81231,\"type\":\"image/jpeg\"}", after,
		    count);
	}
}

/*
 * `count` entries by `sides` who meet after every `meet` entries each; between
 * meetings they do not know of each other.
 */
static void
record_make(struct record *r, size_t count, size_t sides, size_t meet)
{
	const char *open[] = { "case", "debtor", "team", "address", "measure",
		"ruling/no", "ruling/date" };
	uint8_t all[SIDES_MAX][ID_LEN];
	size_t all_count;

	memset(r, 0, sizeof(*r));
	r->sign_each = sign_each;
	r->raw = calloc(count + sides * meet, sizeof(*r->raw));
	r->id = calloc(count + sides * meet, ID_LEN);
	EXPECT(r->raw != NULL && r->id != NULL);
	for (size_t s = 0; s < sides; s++)
		r->side[s].chain[0] = r->side[s].link[0] = (uint8_t)(s + 1);
	write_entry(r, 0, DO_OPEN, open, 7,
	    "[\"(2025)0302\",\"A\",\"2\",\"x\",\"y\",\"12\",\"2025-04-01\"]",
	    "", "", NULL, 0);
	memcpy(all[0], r->id[0], ID_LEN);
	all_count = 1;
	while (r->count < count) {
		for (size_t s = 0; s < sides; s++) {
			for (size_t k = 0; k < meet && r->count < count; k++) {
				uint8_t own[1][ID_LEN];

				memcpy(own[0], r->side[s].last, ID_LEN);
				act(r, s, r->count,
				    k == 0 ? (const uint8_t(*)[ID_LEN])all
					   : (const uint8_t(*)[ID_LEN])own,
				    k == 0 ? all_count : 1);
			}
		}
		for (all_count = 0; all_count < sides; all_count++)
			memcpy(all[all_count], r->side[all_count].last, ID_LEN);
		for (size_t a = 1; a < all_count; a++) {
			if (memcmp(all[a], (uint8_t[ID_LEN]){ 0 }, ID_LEN) == 0)
				all_count = a;
		}
	}
}

static void
record_free(struct record *r)
{
	for (size_t i = 0; i < r->count; i++)
		buf_free(&r->raw[i]);
	free(r->raw);
	free(r->id);
}

static void
least(double *slot, double from, double to)
{
	double us = to - from;

	if (*slot == 0 || us < *slot)
		*slot = us;
}

static void
measure(
    const char *name, size_t count, size_t sides, size_t meet, size_t rounds)
{
	double read = 0, run = 0, state = 0, all = 0;
	char label[64];
	struct record r;
	struct merge *m;
	struct buf out;

	record_make(&r, count, sides, meet);
	EXPECT_OK(merge_new(&m));
	buf_init(&out, 1 << 30);
	for (size_t k = 0; k < rounds; k++) {
		double a = cpu_us(), b, c, d;

		merge_reset(m);
		for (size_t i = 0; i < r.count; i++)
			EXPECT_OK(
			    merge_add(m, r.id[i], buf_view(&r.raw[i]), 0));
		b = cpu_us();
		EXPECT_OK(merge_run(m));
		c = cpu_us();
		buf_reset(&out);
		EXPECT_OK(merge_state(m, &out));
		d = cpu_us();
		least(&read, a, b);
		least(&run, b, c);
		least(&state, c, d);
		least(&all, a, d);
	}
	(void)snprintf(label, sizeof(label), "merge_%s_read", name);
	figure(label, read, "us");
	(void)snprintf(label, sizeof(label), "merge_%s_fold", name);
	figure(label, run, "us");
	(void)snprintf(label, sizeof(label), "merge_%s_state", name);
	figure(label, state, "us");
	(void)snprintf(label, sizeof(label), "merge_%s_all", name);
	figure(label, all, "us");
	merge_free(m);
	buf_free(&out);
	record_free(&r);
}

int
main(int argc, char **argv)
{
	bool quick = has_flag(argc, argv, "--quick");
	uint64_t alone = number_arg(argc, argv, 1, 0);
	uint64_t signs = number_arg(argc, argv, 2, 0);

	if (signs > 0)
		sign_each = alone / signs;
	if (alone > 0) {
		measure("alone", alone, 2, 50, 1);
		return 0;
	}
	measure("10", 10, 1, 1, quick ? 1 : 2000);
	measure("30", 30, 2, 5, quick ? 1 : 1000);
	measure("60", 60, 2, 5, quick ? 1 : 500);
	measure("1000", 1000, 1, 1, quick ? 1 : 50);
	measure("1000_by_4", 1000, 4, 10, quick ? 1 : 50);
	if (quick)
		return 0;
	measure("10000", 10000, 1, 1, 5);
	measure("10000_by_8", 10000, 8, 20, 5);
	measure("100000", ENTRIES_MAX, 2, 50, 1);
	sign_each = ENTRIES_MAX / 20;
	measure("100000_20_signs", ENTRIES_MAX, 2, 50, 1);
	return 0;
}
