#include "support/expect.h"

#include <string.h>

#include "base/embed.h"
#include "domain/facts.h"
#include "domain/rules.h"
#include "support/fault_alloc.h"
#include "support/made_state.h"

static struct kinds *kinds;
static struct rules *rules;
static struct buf bytes;

static int
setup(void **state)
{
	(void)state;
	if (kinds_load_builtin(&kinds) != ST_OK ||
	    rules_load_builtin(&rules, kinds) != ST_OK)
		return 1;
	buf_init(&bytes, 1 << 20);
	made_state("seizure@1",
	    "case_no=\"（2024）苏0302执1号\"\n"
	    "started_at=\"2024-03-01T05:00:00+08:00\"\n=done\n=signed\n"
	    "+items/#1\nitems/#1/until=\"2024-04-01\"\n"
	    "items/#1/name=\"a\\nb\"\n+persons/#2\n"
	    "!sign:stale items - {\"how\":\"signed\",\"person\":\"debtor\"}\n"
	    "!advance closed - -",
	    &bytes);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	buf_free(&bytes);
	rules_free(rules);
	kinds_free(kinds);
	return 0;
}

/* A table and a fact of the one kind that is there. */
static const char facts[] =
    "{\"case\":\"case_no\",\"tables\":{\"held\":{\"kinds\":[\"detention\"],"
    "\"where\":{\"has\":\"days\"},\"person\":[\"detainee/name\"]}},"
    "\"facts\":{\"same_act/detentions\":{\"type\":\"int\",\"zh\":\"a\","
    "\"en\":\"b\",\"from\":\"held\",\"take\":\"earlier\"}},\"calendar\":["
    "{\"year\":2026,\"source\":\"c\",\"off\":[\"2026-01-01\"]}]}";

static enum status
load_all(void *arg)
{
	struct kinds *ks = NULL;
	struct rules *rs = NULL;
	static const char *const files[] = { "kinds/detention.json",
		"rules/laws.json", "rules/detention.json", "rules/own.json" };
	enum status st = kinds_new(&ks);

	(void)arg;
	if (st == ST_OK)
		st = rules_new(&rs);
	for (size_t i = 0; i < 4 && st == ST_OK; i++) {
		const struct embedded_file *f = embed_find(files[i]);

		EXPECT(f != NULL);
		if (i == 1)
			st = rules_add(rs, ks, "facts", bytes_str(facts));
		if (st != ST_OK)
			break;
		st = i == 0 ? kinds_add(ks, f->name, f->data)
			    : rules_add(rs, ks, f->name, f->data);
	}
	if (st == ST_OK)
		st = rules_court(rs, "c",
		    bytes_str("{\"set\":{\"detention_days\":{\"limit\":9}},"
			      "\"on\":[\"detention_days\"]}"));
	rules_free(rs);
	kinds_free(ks);
	return st;
}

/* Catches a set of kinds or rules that is half there, leaks or crashes when
 * memory runs out while it is loaded. */
static void
test_domain_loading_short_of_memory_leaves_nothing(void **state)
{
	(void)state;
	EXPECT(fault_alloc_each(load_all, NULL) > 50);
}

static enum status
check_one(void *arg)
{
	struct rules_entry e = { .verb = "open", .received_ms = RULES_NEVER };
	struct rules_context cx = { .now_ms = 1710000000000,
		.offset_min = 480,
		.entries = &e,
		.entry_count = 1 };
	struct findings f;
	struct state st;
	enum status rc;

	(void)arg;
	findings_init(&f);
	state_init(&st);
	rc = state_read(&st, buf_view(&bytes));
	if (rc == ST_OK)
		rc = rules_check(&f, rules,
		    kinds_find(kinds, bytes_str("seizure@1")), &st, &cx);
	/* Not found for want of memory is never "nothing found". */
	EXPECT(rc == ST_OK ? f.count > 5 : f.count == 0);
	state_free(&st);
	findings_free(&f);
	return rc;
}

/* Catches a record that looks lawful because memory ran out. */
static void
test_domain_checking_short_of_memory_finds_not_less(void **state)
{
	(void)state;
	EXPECT(fault_alloc_each(check_one, NULL) > 5);
}

static enum status
count_row(void *arg, const char *table, const char *key, struct bytes row)
{
	(void)table;
	(void)key;
	EXPECT(row.len > 2);
	(*(size_t *)arg)++;
	return ST_OK;
}

static enum status
tell_one(void *arg)
{
	struct facts_record r = { .rec = "01890a5d-ac96-774b-bcce-b302099a8057",
		.kind = kinds_find(kinds, bytes_str("seizure@1")),
		.offset_min = 480 };
	struct facts f;
	struct state st;
	size_t rows = 0;
	enum status rc;

	(void)arg;
	facts_init(&f);
	state_init(&st);
	r.st = &st;
	rc = state_read(&st, buf_view(&bytes));
	facts_begin(&f, r.rec);
	if (rc == ST_OK)
		rc = facts_row(&f, bytes_str("seized"), bytes_str("x"),
		    bytes_str("{\"amount\":\"7\",\"at\":1}"));
	if (rc == ST_OK)
		rc = facts_give(rules, &r, count_row, &rows);
	if (rc == ST_OK)
		rc = facts_take(&f, rules, &r);
	EXPECT(rc == ST_OK ? rows == 2 && f.count == 1 : f.count == 0);
	state_free(&st);
	facts_free(&f);
	return rc;
}

/* Catches a fact that is half of the truth because memory ran out. */
static void
test_domain_telling_short_of_memory_tells_nothing(void **state)
{
	(void)state;
	EXPECT(fault_alloc_each(tell_one, NULL) > 5);
}

static enum status
type_one(void *arg)
{
	const struct kind *k = kinds_latest(kinds, bytes_str("seizure"));
	const char *const *pair = arg;
	struct words why;
	struct buf out;
	enum status st;

	buf_init(&out, 1 << 16);
	st = kind_normalise(kind_field(k, bytes_str(pair[0])),
	    bytes_str(pair[1]), 480, &out, &why);
	if (st != ST_OK)
		EXPECT(out.len == 0);
	buf_free(&out);
	return st;
}

/* Catches a typed value that is refused or cut because memory ran out. */
static void
test_domain_typing_short_of_memory_gives_no_verdict(void **state)
{
	static const char *const typed[][2] = {
		{ "case_no", "(2017)苏0302执1234号" },
		{ "narrative", "a\r\nb" },
		{ "started_at", "2024-02-29 5:07" },
		{ "measure", "查封" },
		{ "ruling/no", "（2024）1" },
		{ "claim/total", "3.2万" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++)
		EXPECT(fault_alloc_each(type_one,
			   (void *)(uintptr_t)(const void *)typed[i]) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_domain_loading_short_of_memory_leaves_nothing),
		cmocka_unit_test(
		    test_domain_checking_short_of_memory_finds_not_less),
		cmocka_unit_test(
		    test_domain_telling_short_of_memory_tells_nothing),
		cmocka_unit_test(
		    test_domain_typing_short_of_memory_gives_no_verdict),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
