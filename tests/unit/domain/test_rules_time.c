#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/rules.h"
#include "entry/entry.h"
#include "entry/json.h"
#include "support/made_state.h"

/*
 * Findings as a function of entries and of time: what is found of whole
 * entries, in any order; that nothing changes before next_ms; what a finding
 * looks like.
 */

static struct kinds *kinds;
static struct rules *rules;

static int
setup(void **state)
{
	(void)state;
	return kinds_load_builtin(&kinds) == ST_OK &&
		       rules_load_builtin(&rules, kinds) == ST_OK
		   ? 0
		   : 1;
}

static int
teardown(void **state)
{
	(void)state;
	rules_free(rules);
	kinds_free(kinds);
	return 0;
}

static int64_t
ms(const char *at)
{
	int64_t out;
	int offset;

	EXPECT_OK(at_parse(&out, &offset, bytes_str(at)));
	return out;
}

struct made {
	struct buf bytes;
	struct state st;
	const struct kind *kind;
};

static void
make(struct made *m, const char *kind, const char *spec)
{
	buf_init(&m->bytes, 1 << 20);
	made_state(kind, spec, &m->bytes);
	state_init(&m->st);
	EXPECT_OK(state_read(&m->st, buf_view(&m->bytes)));
	m->kind = kinds_find(kinds, bytes_str(kind));
}

static void
unmake(struct made *m)
{
	state_free(&m->st);
	buf_free(&m->bytes);
}

static size_t
count(const struct findings *f, const char *rule)
{
	size_t n = 0;

	for (size_t i = 0; i < f->count; i++)
		n += strcmp(f->list[i].rule, rule) == 0;
	return n;
}

static const struct finding *
find(const struct findings *f, const char *rule)
{
	for (size_t i = 0; i < f->count; i++) {
		if (strcmp(f->list[i].rule, rule) == 0)
			return &f->list[i];
	}
	return NULL;
}

/* ---- sets over entries */

enum { MINUTE = 60000, HOUR = 3600000 };
#define T0 INT64_C(1709240400000) /* 1 March 2024, 05:00 in China */

/* An entry written at `wall` minutes behind T0 about `at` minutes behind. */
static struct rules_entry
entry_of(uint8_t id, const char *verb, int64_t at, int64_t wall)
{
	struct rules_entry e = { .id = { id },
		.verb = verb,
		.at_ms = T0 + at * MINUTE,
		.wall_ms = (uint64_t)(T0 + wall * MINUTE),
		.mono_ms = (uint64_t)(wall + 1000000) * MINUTE,
		.received_ms = RULES_NEVER };

	return e;
}

/* Findings of one rule over entries: in order, reversed, turned. */
static size_t
over_entries(struct made *m, struct rules_entry *e, size_t n, const char *rule)
{
	struct rules_context cx = { .now_ms = T0 + 100 * HOUR,
		.offset_min = 480,
		.entries = e,
		.entry_count = n };
	struct findings f;
	size_t first = 0;

	findings_init(&f);
	for (size_t turn = 0; turn < n; turn++) {
		struct rules_entry head = e[0];

		EXPECT_OK(rules_check(&f, rules, m->kind, &m->st, &cx));
		if (turn == 0)
			first = count(&f, rule);
		EXPECT(count(&f, rule) == first);
		memmove(e, e + 1, (n - 1) * sizeof(*e));
		e[n - 1] = head;
	}
	findings_free(&f);
	return first;
}

/* Catches a second open that is passed over, or the first one blamed. */
static void
test_rules_a_second_open_is_found(void **state)
{
	struct rules_entry e[3] = { entry_of(9, "open", 0, 0),
		entry_of(2, "set", 1, 1), entry_of(1, "open", 5, 5) };
	struct rules_context cx = {
		.now_ms = T0, .entries = e, .entry_count = 3
	};
	struct findings f;
	struct made m;

	(void)state;
	make(&m, "search@1", "target=\"a\"");
	EXPECT(over_entries(&m, e, 3, "reopened") == 1);
	EXPECT(over_entries(&m, e, 1, "reopened") == 0);
	findings_init(&f);
	cx.entry_count = 3;
	EXPECT_OK(rules_check(&f, rules, m.kind, &m.st, &cx));
	EXPECT(strcmp(find(&f, "reopened")->path,
		   "@01000000000000000000000000000000") == 0);
	findings_free(&f);
	unmake(&m);
}

/* Catches what is written long after it happened; the limit is one hour. */
static void
test_rules_late_writing_is_found_from_the_limit_on(void **state)
{
	struct rules_entry e[2] = { entry_of(1, "open", 0, 60),
		entry_of(2, "set", 0, 0) };
	struct made m;

	(void)state;
	make(&m, "search@1", "target=\"a\"");
	EXPECT(over_entries(&m, e, 2, "late") == 0);
	e[0].wall_ms++;
	EXPECT(over_entries(&m, e, 2, "late") == 1);
	e[1].wall_ms += 3 * HOUR;
	EXPECT(over_entries(&m, e, 2, "late") == 1);
	unmake(&m);
}

/* Catches a clock that was set between two entries, and one that is blamed
 * though it only ran on. */
static void
test_rules_clock_in_doubt_is_found(void **state)
{
	struct rules_entry e[3] = { entry_of(1, "open", 0, 0),
		entry_of(2, "set", 10, 10), entry_of(3, "set", 20, 20) };
	struct made m;

	(void)state;
	make(&m, "search@1", "target=\"a\"");
	EXPECT(over_entries(&m, e, 3, "clock") == 0);
	/* the wall clock was set forward by 5 minutes and more */
	e[1].wall_ms += 5 * MINUTE;
	EXPECT(over_entries(&m, e, 3, "clock") == 0);
	e[1].wall_ms += 1;
	EXPECT(over_entries(&m, e, 3, "clock") == 1);
	/* another boot: nothing can be said */
	e[1].boot[0] = 7;
	EXPECT(over_entries(&m, e, 3, "clock") == 0);
	e[1].boot[0] = 0;
	e[1].chain[0] = 7;
	EXPECT(over_entries(&m, e, 3, "clock") == 0);
	/* received before it was written */
	e[1].received_ms = (int64_t)e[1].wall_ms - 5 * MINUTE;
	EXPECT(over_entries(&m, e, 3, "clock") == 0);
	e[1].received_ms--;
	EXPECT(over_entries(&m, e, 3, "clock") == 1);
	e[1].received_ms = RULES_NEVER;
	/* said to happen after it was written */
	e[2].at_ms = (int64_t)e[2].wall_ms + 5 * MINUTE + 1;
	EXPECT(over_entries(&m, e, 3, "clock") == 1);
	e[2].at_ms -= 1;
	EXPECT(over_entries(&m, e, 3, "clock") == 0);
	e[0].doubt = true;
	EXPECT(over_entries(&m, e, 3, "clock") == 1);
	unmake(&m);
}

/* Catches what is written after a void, and a release that is blamed. */
static void
test_rules_entries_after_a_void_are_found(void **state)
{
	/* made_state puts acts at 1 March 2024, 09:00:00 in China */
	struct rules_entry e[3] = { entry_of(1, "open", 0, 0),
		entry_of(2, "set", 240, 240), entry_of(3, "set", 241, 241) };
	struct made m;

	(void)state;
	make(&m, "search@1", "target=\"a\"\n:void\n!void - - -");
	EXPECT(over_entries(&m, e, 2, "after_void") == 0);
	EXPECT(over_entries(&m, e, 3, "after_void") == 1);
	for (size_t i = 0; i < 3; i++)
		e[i].verb = "release";
	EXPECT(over_entries(&m, e, 3, "after_void") == 0);
	unmake(&m);
	make(&m, "search@1", "target=\"a\"");
	for (size_t i = 0; i < 3; i++)
		e[i].verb = "set";
	EXPECT(over_entries(&m, e, 3, "after_void") == 0);
	unmake(&m);
}

/* Catches entries of one record that name two kinds. */
static void
test_rules_another_kind_is_found(void **state)
{
	struct rules_context cx = { .now_ms = T0, .offset_min = 480 };
	struct findings f;
	struct made m;

	(void)state;
	findings_init(&f);
	make(&m, "seizure@1", "ruling/no=\"1\"");
	EXPECT_OK(rules_check(&f, rules, m.kind, &m.st, &cx));
	EXPECT(count(&f, "kind") == 0);
	/* the same bytes, judged as what another entry says it is */
	m.kind = kinds_find(kinds, bytes_str("search@1"));
	EXPECT_OK(rules_check(&f, rules, m.kind, &m.st, &cx));
	EXPECT(count(&f, "kind") == 1);
	EXPECT(strcmp(find(&f, "kind")->path, "seizure@1") == 0);
	findings_free(&f);
	unmake(&m);
}

/* ---- time */

/* What is found, as one text. */
static void
digest(const struct findings *f, struct buf *out)
{
	buf_reset(out);
	for (size_t i = 0; i < f->count; i++)
		finding_json(&f->list[i], 480, out);
	EXPECT_OK(out->err);
}

static const char *const running[][2] = {
	{ "detention@1",
	    "taken_at=\"2024-03-01T05:00:00+08:00\"\nemergency=true\n"
	    "until=\"2024-03-16\"\ndelivered/at=\"2024-03-01T10:00:00+08:00\"\n"
	    "reconsideration/received_at=\"2024-03-03\"" },
	{ "compel@1", "started_at=\"2024-03-01T05:00:00+08:00\"\n"
		      "arrived_at=\"2024-03-01T06:00:00+08:00\"" },
	{ "seizure@1", "started_at=\"2024-03-01T05:00:00+08:00\"\n+items/#1\n"
		       "items/#1/until=\"2024-04-01\"\n+items/#2\n"
		       "items/#2/until=\"2024-07-01\"" },
	{ "eviction@1", "started_at=\"2024-03-01T05:00:00+08:00\"" },
};

/* Catches a finding that appears or changes by itself before next_ms said it
 * might: who waits for next_ms would miss it. */
static void
test_rules_nothing_changes_before_next(void **state)
{
	struct rules_context cx = { .offset_min = 480 };
	struct findings f;
	struct buf before, after;
	size_t changes = 0;

	(void)state;
	findings_init(&f);
	buf_init(&before, 1 << 20);
	buf_init(&after, 1 << 20);
	for (size_t i = 0; i < sizeof(running) / sizeof(running[0]); i++) {
		int64_t now = ms("2024-02-28T00:00:00+08:00"), steps = 0;
		struct made m;

		make(&m, running[i][0], running[i][1]);
		while (now != INT64_MAX) {
			int64_t next;

			cx.now_ms = now;
			EXPECT_OK(rules_check(&f, rules, m.kind, &m.st, &cx));
			digest(&f, &before);
			next = f.next_ms;
			EXPECT(next > now && ++steps < 200);
			/* in between, and one millisecond before */
			for (int k = 1; k <= 9; k++) {
				cx.now_ms =
				    next == INT64_MAX
					? now + k * 400 * INT64_C(86400000)
					: now + (next - 1 - now) / 9 * k;
				if (k == 9 && next != INT64_MAX)
					cx.now_ms = next - 1;
				EXPECT_OK(
				    rules_check(&f, rules, m.kind, &m.st, &cx));
				digest(&f, &after);
				EXPECT_BYTES(
				    buf_view(&after), buf_view(&before));
			}
			if (next != INT64_MAX) {
				cx.now_ms = next;
				EXPECT_OK(
				    rules_check(&f, rules, m.kind, &m.st, &cx));
				digest(&f, &after);
				changes += !bytes_eq(
				    buf_view(&after), buf_view(&before));
			}
			now = next;
		}
		unmake(&m);
	}
	/* and next_ms is not simply always now */
	EXPECT(changes >= 15);
	findings_free(&f);
	buf_free(&before);
	buf_free(&after);
}

/* Catches a timer whose stages or due time are wrong. */
static void
test_rules_a_timer_says_when_and_escalates(void **state)
{
	static const struct {
		const char *now;
		uint32_t stage;
		enum rules_severity severity;
	} moments[] = {
		{ "2024-03-01T05:00:00+08:00", 0, RULES_DUE },
		{ "2024-03-01T16:59:59+08:00", 0, RULES_DUE },
		{ "2024-03-01T17:00:00+08:00", 1, RULES_DUE },
		{ "2024-03-02T03:00:00+08:00", 2, RULES_DUE },
		{ "2024-03-02T05:00:00+08:00", 2, RULES_DUE },
		{ "2024-03-02T05:00:00.001+08:00", 3, RULES_GRAVE },
	};
	struct rules_context cx = { .offset_min = 480 };
	struct findings f;
	struct made m;

	(void)state;
	findings_init(&f);
	make(&m, "detention@1", "taken_at=\"2024-03-01T05:00:00+08:00\"");
	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		const struct finding *got;

		cx.now_ms = ms(moments[i].now);
		EXPECT_OK(rules_check(&f, rules, m.kind, &m.st, &cx));
		got = find(&f, "detention_family");
		EXPECT(got != NULL && got->has_due);
		EXPECT(got->due_ms == ms("2024-03-02T05:00:00+08:00"));
		EXPECT(got->stage == moments[i].stage);
		EXPECT(got->severity == moments[i].severity);
		EXPECT(strstr(got->zh, "2024-03-02 05:00") != NULL);
		EXPECT(
		    strcmp(got->key, "detention_family:family/told_at") == 0);
	}
	findings_free(&f);
	unmake(&m);
}

/* ---- what a finding looks like */

/* Catches findings out of order, with keys that are not their own, or that a
 * reader of JSON cannot read. */
static void
test_rules_findings_are_sorted_keyed_and_canonical(void **state)
{
	struct rules_context cx = { .now_ms = T0 + 1000 * (int64_t)HOUR,
		.offset_min = 480 };
	struct buf out, canon;
	struct findings f;
	struct json j;
	struct made m;

	(void)state;
	findings_init(&f);
	buf_init(&out, 1 << 20);
	buf_init(&canon, 1 << 20);
	json_init(&j);
	make(&m, "seizure@1",
	    "started_at=\"2024-03-01T05:00:00+08:00\"\n=done\n+items/#1\n"
	    "+items/#2\nitems/#2/until=\"2024-04-01\"\nmeasure=\"seal\"\n"
	    "measure=\"seize\"\ntarget=\"a\\\"b\"");
	EXPECT_OK(rules_check(&f, rules, m.kind, &m.st, &cx));
	EXPECT(f.count > 10);
	for (size_t i = 0; i < f.count; i++) {
		const struct finding *x = &f.list[i];

		EXPECT(strncmp(x->key, x->rule, strlen(x->rule)) == 0);
		EXPECT(x->key[strlen(x->rule)] == ':');
		EXPECT(strcmp(x->key + strlen(x->rule) + 1, x->path) == 0);
		if (i > 0) {
			const struct finding *w = &f.list[i - 1];

			EXPECT(w->severity >= x->severity);
			EXPECT(w->severity > x->severity ||
			       strcmp(w->key, x->key) < 0);
		}
		buf_reset(&out);
		buf_reset(&canon);
		finding_json(x, 480, &out);
		EXPECT_OK(json_parse(&j, buf_view(&out), JSON_LINE));
		json_canon(&j, 0, &canon);
		EXPECT_BYTES(buf_view(&out), buf_view(&canon));
		EXPECT(json_is(&j, json_get(&j, 0, "key"), x->key));
	}
	json_free(&j);
	findings_free(&f);
	buf_free(&out);
	buf_free(&canon);
	unmake(&m);
}

/* Catches words that name an item by its path instead of its number. */
static void
test_rules_words_name_things_as_people_do(void **state)
{
	struct rules_context cx = { .now_ms = T0, .offset_min = 480 };
	struct findings f;
	struct made m;

	(void)state;
	findings_init(&f);
	make(&m, "seizure@1",
	    "started_at=\"2024-03-01T05:00:00+08:00\"\n+items/#1\n+items/#2\n"
	    "items/#2/exempt/looks=\"living\"");
	EXPECT_OK(rules_check(&f, rules, m.kind, &m.st, &cx));
	EXPECT(strstr(find(&f, "seizure_exempt")->zh,
		   "清单第2项 · 是否像不得查封财产") != NULL);
	EXPECT(strstr(find(&f, "seizure_exempt")->zh, "生活必需品") != NULL);
	EXPECT(strstr(find(&f, "seizure_exempt")->en,
		   "Inventory 2 · Looks like exempt property") != NULL);
	findings_free(&f);
	unmake(&m);
}

/* Catches state bytes that are taken though they are not a state, and a reader
 * that falls over them. */
static void
test_state_broken_bytes_are_refused(void **state)
{
	struct rules_context cx = { .now_ms = T0, .offset_min = 480 };
	struct findings f;
	struct state st;
	struct buf b;
	const struct kind *k = kinds_find(kinds, bytes_str("seizure@1"));

	(void)state;
	findings_init(&f);
	state_init(&st);
	buf_init(&b, 1 << 20);
	made_state("seizure@1",
	    "started_at=\"2024-03-01T05:00:00+08:00\"\n=done\n+items/#1\n"
	    "items/#1/until=\"2024-04-01\"\n~led_to\n"
	    "!sign:stale items - {\"how\":\"signed\",\"person\":\"debtor\"}",
	    &b);
	for (size_t len = 0; len < b.len; len++)
		EXPECT_ST(state_read(&st, bytes_of(b.p, len)), ST_INVALID);
	for (size_t i = 0; i < b.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			b.p[i] ^= (uint8_t)(1 << bit);
			if (state_read(&st, buf_view(&b)) == ST_OK)
				EXPECT_OK(rules_check(&f, rules, k, &st, &cx));
			else
				EXPECT(st.field_count == 0);
			b.p[i] ^= (uint8_t)(1 << bit);
		}
	}
	EXPECT_OK(state_read(&st, buf_view(&b)));
	state_free(&st);
	findings_free(&f);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_a_second_open_is_found),
		cmocka_unit_test(
		    test_rules_late_writing_is_found_from_the_limit_on),
		cmocka_unit_test(test_rules_clock_in_doubt_is_found),
		cmocka_unit_test(test_rules_entries_after_a_void_are_found),
		cmocka_unit_test(test_rules_another_kind_is_found),
		cmocka_unit_test(test_rules_nothing_changes_before_next),
		cmocka_unit_test(test_rules_a_timer_says_when_and_escalates),
		cmocka_unit_test(
		    test_rules_findings_are_sorted_keyed_and_canonical),
		cmocka_unit_test(test_rules_words_name_things_as_people_do),
		cmocka_unit_test(test_state_broken_bytes_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
