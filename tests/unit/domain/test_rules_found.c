#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/rules.h"
#include "entry/entry.h"
#include "support/made_state.h"

/*
 * Every rule that is shipped, over records made for it.  What is expected:
 *   H holds   N not applicable   B broken   D runs, not yet due   T torn: the
 *   field is in conflict and the outcome depends on it
 */
struct row {
	char want;
	const char *rule, *kind, *spec;
	const char *now; /* NULL: 1 June 2024, noon */
};

#define T1 "2024-03-01T05:00:00+08:00"
#define BEGAN "started_at=\"" T1 "\"\n"
#define ENDED "ended_at=\"2024-03-01T06:00:00+08:00\"\n"
#define OLD "started_at=\"2004-03-01T05:00:00+08:00\"\n"

static const struct row rows[] = {
#include "unit/domain/rules_found.rows"
#include "unit/domain/rules_found_more.rows"
};

static struct kinds *kinds;
static struct rules *rules;

static const char court[] =
    "{\"court\":\"test\",\"on\":[\"officers_two\",\"recorder_none\","
    "\"recorder_few\",\"scene_recorder\",\"scene_officers\",\"night\","
    "\"carer\",\"inquiry_order_until\",\"payment_cash\","
    "\"footage_none\"]}";

static int
setup(void **state)
{
	(void)state;
	if (kinds_load_builtin(&kinds) != ST_OK ||
	    rules_load_builtin(&rules, kinds) != ST_OK)
		return 1;
	return rules_court(rules, "court", bytes_str(court)) == ST_OK ? 0 : 1;
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

/* Facts stand in the spec as "~name=JSON" lines in front of it. */
static size_t
take_facts(const char **spec, struct rules_fact *facts, char names[8][64])
{
	size_t n = 0;

	while ((*spec)[0] == '~' && strchr(*spec, '=') != NULL &&
	       strchr(*spec, '=') < strchr(*spec, '\n')) {
		const char *eq = strchr(*spec, '='), *end = strchr(eq, '\n');
		size_t len = (size_t)(eq - *spec) - 1;

		EXPECT(n < 8 && len < 64);
		memcpy(names[n], *spec + 1, len);
		names[n][len] = '\0';
		facts[n].name = names[n];
		facts[n].value = bytes_of(eq + 1, (size_t)(end - eq - 1));
		n++;
		*spec = end + 1;
	}
	return n;
}

/* What the row's rule says: one of the letters, '-' for no finding. */
static char
outcome(const struct row *r, struct findings *found)
{
	struct rules_fact facts[8];
	char names[8][64];
	const char *spec = r->spec;
	struct rules_context cx = {
		.now_ms = ms(r->now ? r->now : "2024-06-01T12:00:00+08:00"),
		.offset_min = 480,
		.facts = facts,
	};
	char id[64], got = '-';
	struct state st;
	struct buf b;

	cx.fact_count = take_facts(&spec, facts, names);
	buf_init(&b, 1 << 16);
	(void)snprintf(id, sizeof(id), "%s@1", r->kind);
	made_state(id, spec, &b);
	state_init(&st);
	EXPECT_OK(state_read(&st, buf_view(&b)));
	EXPECT_OK(rules_check(
	    found, rules, kinds_find(kinds, bytes_str(id)), &st, &cx));
	for (size_t i = 0; i < found->count; i++) {
		const struct finding *f = &found->list[i];

		EXPECT(f->zh[0] != '\0' && f->en[0] != '\0');
		EXPECT(strchr(f->zh, '{') == NULL);
		if (strcmp(f->rule, r->rule) == 0)
			got = f->doubt ? 'T'
			      : f->has_due && cx.now_ms <= f->due_ms &&
				      f->severity == RULES_DUE
				  ? 'D'
				  : 'B';
	}
	state_free(&st);
	buf_free(&b);
	return got;
}

/* Catches a rule that finds what is right, or does not find what is wrong. */
static void
test_rules_each_row_is_found_as_it_must_be(void **state)
{
	struct findings found;
	size_t bad = 0;

	(void)state;
	findings_init(&found);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char got = outcome(&rows[i], &found);
		char want = rows[i].want;

		if (want == 'H' || want == 'N')
			want = '-';
		if (got == want)
			continue;
		bad++;
		print_error("%s: wanted %c, got %c:\n%s\n", rows[i].rule,
		    rows[i].want, got, rows[i].spec);
	}
	findings_free(&found);
	EXPECT(bad == 0);
}

/* Catches a rule that no row tries both ways. */
static void
test_rules_every_rule_is_tried(void **state)
{
	size_t bad = 0;

	(void)state;
	for (size_t i = 0; i < rules_count(rules); i++) {
		struct rule_info info;
		bool held = false, broken = false, not = false;

		rules_info(rules, i, &info);
		for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
			if (strcmp(rows[k].rule, info.id) != 0)
				continue;
			held = held || rows[k].want == 'H';
			broken = broken || rows[k].want == 'B';
			not = not || rows[k].want == 'N';
		}
		/* Sets over entries have a test of their own. */
		if (strcmp(info.mark, "own") == 0)
			not = true;
		if (strcmp(info.id, "reopened") == 0 ||
		    strcmp(info.id, "late") == 0 ||
		    strcmp(info.id, "clock") == 0 ||
		    strcmp(info.id, "after_void") == 0 ||
		    strcmp(info.id, "finding_closed") == 0 ||
		    strcmp(info.id, "kind") == 0)
			continue;
		if (held && broken && not )
			continue;
		bad++;
		print_error("%s:%s%s%s\n", info.id, held ? "" : " no H",
		    broken ? "" : " no B", not ? "" : " no N");
	}
	EXPECT(bad == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_each_row_is_found_as_it_must_be),
		cmocka_unit_test(test_rules_every_rule_is_tried),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
