/* Memory runs out while the court's own words are taken: definitions, and
 * orders to erase. */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "defs/defs.h"
#include "entry/entry.h"
#include "entry/json.h"
#include "erase/erase.h"
#include "support/expect.h"
#include "support/fault_alloc.h"

enum { WORDS = 3 };

struct words_of {
	struct buf raw[WORDS];
	uint8_t id[WORDS][ID_LEN];
	size_t count;
};

/* One more entry of a record of that kind, by that person. */
static void
put(struct words_of *w, const char *kind, enum verb verb, const char *by,
    const struct bytes *on, size_t on_count, const char *data)
{
	static const uint8_t rnd[10] = { 7 };
	char rec[REC_LEN + 1];
	struct entry_new n = { .court = "c",
		.seq = 2,
		.rec = rec,
		.kind = kind,
		.verb = verb,
		.by = by,
		.at = "2026-01-01T08:00:00+08:00",
		.wall = 1767225600000,
		.on = on,
		.on_count = on_count,
		.data = bytes_str(data) };
	const char *why = "";

	rec_new(rec, 1767225600000, rnd);
	memset(w->id[w->count], (int)w->count + 1, ID_LEN);
	buf_init(&w->raw[w->count], ENTRY_BYTES_MAX);
	expect_status(entry_write(&n, &w->raw[w->count], &why), ST_OK, why,
	    __FILE__, __LINE__);
	w->count++;
}

/* `approve` of the first. */
static void
approve(struct words_of *w, const char *kind, const char *by)
{
	char name[2 * ID_LEN + 2] = "@";
	struct bytes on;

	hex_encode(name + 1, bytes_of(w->id[0], ID_LEN));
	on = bytes_str(name);
	put(w, kind, DO_APPROVE, by, &on, 1, "[true]");
}

static void
free_words(struct words_of *w)
{
	for (size_t i = 0; i < w->count; i++)
		buf_free(&w->raw[i]);
}

/* ---- orders to erase */

static enum status
take_orders(void *arg)
{
	const struct words_of *w = arg;
	struct erasures *s = NULL;
	struct entry e;
	bool effect = false;
	enum status st;

	entry_init(&e);
	st = erasures_new(&s);
	for (size_t i = 0; i < w->count && st == ST_OK; i++) {
		st = entry_parse(&e, buf_view(&w->raw[i]));
		if (st == ST_OK)
			st = erasures_take(s, &e, w->id[i], i, &effect);
	}
	/* All of it or an error: never an order that is in effect for some. */
	if (st == ST_OK) {
		const struct erase_order *o = erasures_at(s, 0);

		EXPECT(effect && o->state == ERASE_ORDERED && o->count == 2);
		EXPECT(erasures_has(s, o->entry[0].id, NULL));
		EXPECT(erasures_has(s, o->entry[1].id, NULL));
	}
	entry_free(&e);
	erasures_free(s);
	return st;
}

/* Catches an order that is half taken, a leak, a crash. */
static void
test_orders_short_of_memory_are_taken_whole_or_not(void **state)
{
	const struct bytes on[] = { bytes_str("record"), bytes_str("ground"),
		bytes_str("law"),
		bytes_str("entries/@11111111111111111111111111111111/place"),
		bytes_str("entries/@22222222222222222222222222222222/place") };
	struct words_of w = { .count = 0 };

	(void)state;
	put(&w, ERASE_KIND, DO_OPEN, "a", on, 5,
	    "[\"r\",\"错录\",\"法\",5,null]");
	approve(&w, ERASE_KIND, "b");
	EXPECT(fault_alloc_each(take_orders, &w) > 5);
	free_words(&w);
}

/* ---- definitions */

static enum status
take_definitions(void *arg)
{
	const struct words_of *w = arg;
	struct defs *d = NULL;
	struct defs_info x;
	struct entry e;
	bool changed = false;
	enum status st;

	entry_init(&e);
	st = defs_new(&d);
	for (size_t i = 0; i < w->count && st == ST_OK; i++) {
		st = entry_parse(&e, buf_view(&w->raw[i]));
		if (st == ST_OK)
			st = defs_take(d, &e, w->id[i], i, &changed);
	}
	/* What is made of it is test_domain_alloc's. */
	if (st == ST_OK) {
		EXPECT(defs_count(d) == 1 && changed);
		defs_info(d, 0, &x);
		EXPECT(x.state == DEFS_CONFIRMED && x.file.len > 0);
	}
	entry_free(&e);
	defs_free(d);
	return st;
}

/* Catches parameters that are passed over, and so not in force, because memory
 * was short once. */
static void
test_definitions_short_of_memory_are_in_force_or_an_error(void **state)
{
	static const char file[] =
	    "{\"set\":{\"detention_days\":{\"limit\":9}},"
	    "\"on\":[\"detention_days\"]}";
	const struct bytes on[] = { bytes_str("sort"), bytes_str("name"),
		bytes_str("sha256"), bytes_str("bytes"), bytes_str("text") };
	uint8_t hash[HASH_LEN];
	struct words_of w = { .count = 0 };
	struct buf data;

	(void)state;
	buf_init(&data, 4096);
	sha256(hash, bytes_str(file));
	buf_str(&data, "[\"court\",\"c\",");
	json_put_hex(&data, bytes_of(hash, HASH_LEN));
	buf_printf(&data, ",%zu,", sizeof(file) - 1);
	json_put_str(&data, file);
	buf_u8(&data, ']');
	put(&w, DEFS_KIND, DO_OPEN, "a", on, 5,
	    buf_cstr(&data) == NULL ? "" : (const char *)data.p);
	approve(&w, DEFS_KIND, "b");
	EXPECT(fault_alloc_each(take_definitions, &w) > 5);
	free_words(&w);
	buf_free(&data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_orders_short_of_memory_are_taken_whole_or_not),
		cmocka_unit_test(
		    test_definitions_short_of_memory_are_in_force_or_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
