/*
 * What kinds and rules cost: loading all that is built in, and the findings
 * of a record as a morning makes it.  One JSON line a figure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/support/figure.h"
#include "domain/rules.h"
#include "entry/merge.h"
#include "support/expect.h"
#include "support/morning.h"

enum { LOADS = 20, ENTRIES = 600, RECORDS_MAX = 200 };

static size_t rounds = 200;

static void
loading(void)
{
	double took[LOADS];

	for (size_t i = 0; i < LOADS; i++) {
		struct kinds *ks = NULL;
		struct rules *rs = NULL;
		double from = cpu_us();

		EXPECT_OK(kinds_load_builtin(&ks));
		EXPECT_OK(rules_load_builtin(&rs, ks));
		took[i] = (cpu_us() - from) / 1000;
		rules_free(rs);
		kinds_free(ks);
	}
	figure_most("kinds_and_rules_load", median(took, LOADS), "ms", 20);
}

/* One record of the day: its state bytes and what is known of its entries. */
struct record {
	char rec[REC_LEN + 1];
	struct merge *merge;
	struct buf state;
	const struct kind *kind;
	struct rules_entry *entry;
	size_t entry_count;
};

struct day {
	struct buf bytes[ENTRIES];
	struct entry parsed[ENTRIES];
	struct record record[RECORDS_MAX];
	size_t count;
};

static struct record *
record_of(struct day *d, const struct kinds *ks, const struct entry *e)
{
	struct record *r;

	for (size_t i = 0; i < d->count; i++) {
		if (bytes_eq_str(e->rec, d->record[i].rec))
			return &d->record[i];
	}
	EXPECT(d->count < RECORDS_MAX && e->rec.len == REC_LEN);
	r = &d->record[d->count++];
	memcpy(r->rec, e->rec.p, REC_LEN);
	r->kind = kinds_find(ks, e->kind);
	EXPECT(r->kind != NULL);
	EXPECT_OK(merge_new(&r->merge));
	r->entry = calloc(ENTRIES, sizeof(*r->entry));
	EXPECT(r->entry != NULL);
	return r;
}

static void
make_day(struct day *d, const struct kinds *ks)
{
	struct morning m;

	morning_init(&m, 7, MORNING_MEASURE);
	for (size_t i = 0; i < ENTRIES; i++) {
		struct record *r;

		buf_init(&d->bytes[i], ENTRY_BYTES_MAX);
		morning_next(&m, &d->bytes[i]);
		entry_init(&d->parsed[i]);
		EXPECT_OK(entry_parse(&d->parsed[i], buf_view(&d->bytes[i])));
		r = record_of(d, ks, &d->parsed[i]);
		EXPECT_OK(
		    merge_add(r->merge, m.link, buf_view(&d->bytes[i]), 0));
		EXPECT(rules_entry_of(&r->entry[r->entry_count++],
		    &d->parsed[i], m.link, RULES_NEVER));
	}
	for (size_t i = 0; i < d->count; i++) {
		buf_init(&d->record[i].state, 1 << 24);
		EXPECT_OK(merge_run(d->record[i].merge));
		EXPECT_OK(merge_state(d->record[i].merge, &d->record[i].state));
	}
}

static void
free_day(struct day *d)
{
	for (size_t i = 0; i < d->count; i++) {
		merge_free(d->record[i].merge);
		buf_free(&d->record[i].state);
		free(d->record[i].entry);
	}
	for (size_t i = 0; i < ENTRIES; i++) {
		entry_free(&d->parsed[i]);
		buf_free(&d->bytes[i]);
	}
	free(d);
}

/* Findings of each record of a kind (NULL: of all), in us a record: reading
 * the state, and judging it. */
static void
judging(struct day *d, const struct rules *rs, const char *name)
{
	double read[RECORDS_MAX], judge[RECORDS_MAX], bytes = 0, found = 0;
	struct findings f;
	struct state st;
	char label[64];
	size_t n = 0;

	findings_init(&f);
	state_init(&st);
	for (size_t i = 0; i < d->count; i++) {
		struct record *r = &d->record[i];
		struct rules_context cx = { .now_ms = 1772310600000,
			.offset_min = 480,
			.entries = r->entry,
			.entry_count = r->entry_count };
		double from = cpu_us();

		if (name != NULL && strcmp(r->kind->name, name) != 0)
			continue;
		for (size_t k = 0; k < rounds; k++)
			EXPECT_OK(state_read(&st, buf_view(&r->state)));
		read[n] = (cpu_us() - from) / (double)rounds;
		from = cpu_us();
		for (size_t k = 0; k < rounds; k++)
			EXPECT_OK(rules_check(&f, rs, r->kind, &st, &cx));
		judge[n] = (cpu_us() - from) / (double)rounds;
		bytes += (double)r->state.len;
		found += (double)f.count;
		n++;
	}
	if (n > 0) {
		for (size_t i = 0; i < n; i++)
			judge[i] += read[i];
		(void)snprintf(label, sizeof(label), "findings_%s",
		    name != NULL ? name : "all_kinds");
		figure_most(label, median(judge, n), "us", 50);
		(void)snprintf(label, sizeof(label), "findings_%s_max",
		    name != NULL ? name : "all_kinds");
		figure(label, judge[n - 1], "us");
		(void)snprintf(label, sizeof(label), "state_read_%s",
		    name != NULL ? name : "all_kinds");
		figure(label, median(read, n), "us");
		(void)snprintf(label, sizeof(label), "state_bytes_%s",
		    name != NULL ? name : "all_kinds");
		figure(label, bytes / (double)n, "bytes");
		(void)snprintf(label, sizeof(label), "finding_count_%s",
		    name != NULL ? name : "all_kinds");
		figure(label, found / (double)n, "findings");
	}
	state_free(&st);
	findings_free(&f);
}

int
main(int argc, char **argv)
{
	static const char *const names[] = { NULL, "search", "seizure",
		"eviction", "detention", "scene", "stage" };
	struct day *d = calloc(1, sizeof(*d));
	struct kinds *ks = NULL;
	struct rules *rs = NULL;

	EXPECT(d != NULL);
	if (has_flag(argc, argv, "--quick"))
		rounds = 2;
	loading();
	EXPECT_OK(kinds_load_builtin(&ks));
	EXPECT_OK(rules_load_builtin(&rs, ks));
	make_day(d, ks);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		judging(d, rs, names[i]);
	free_day(d);
	rules_free(rs);
	kinds_free(ks);
	return 0;
}
