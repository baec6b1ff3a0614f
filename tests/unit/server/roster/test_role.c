/* Roles: one table, and what a log holds beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "server/roster/role.h"
#include "server/roster/two.h"
#include "support/bureau.h"

/* Would catch a log of an older version that does not open any more, or an
 * unknown role that is taken for one with rights. */
static void
test_a_role_that_an_old_log_holds_loads_and_may_nothing(void **state)
{
	struct roster_person p = { .id = "p001", .name = "n", .role = "boss" };
	struct roster_person back;
	struct words why;
	struct bureau b;

	(void)state;
	bureau_make(&b);
	EXPECT_OK(roster_person_put(
	    b.roster, &p, "chief", enrol_feed_records, feed_inside(b.feed)));
	bureau_close(&b);
	court_open(&b.ct);
	bureau_open(&b);
	EXPECT_OK(roster_person(b.roster, "p001", &back));
	EXPECT(strcmp(back.role, "boss") == 0);
	EXPECT_ST(two_may(b.roster, "p001", TWO_DEFINE, &why), ST_DENIED);
	EXPECT_ST(two_may(b.roster, "p001", TWO_ERASE, &why), ST_DENIED);
	EXPECT_ST(two_may(b.roster, "p001", TWO_FINDING, &why), ST_DENIED);
	bureau_end(&b);
}

/* Would catch a case folded, a prefix taken for the word, a right moved to
 * another row (docs/OPERATIONS.md, docs/ERASING.md, docs/FINDINGS.md). */
static void
test_a_role_is_found_by_its_whole_word_and_has_its_own_rights(void **state)
{
	static const struct {
		const char *word;
		enum role_token token;
		unsigned may;
	} want[] = {
		{ "judge", ROLE_NO_TOKEN, 0 },
		{ "assistant", ROLE_NO_TOKEN, 0 },
		{ "officer", ROLE_NO_TOKEN, 0 },
		{ "clerk", ROLE_NO_TOKEN, 0 },
		{ "police", ROLE_NO_TOKEN, 0 },
		{ "president", ROLE_NO_TOKEN,
		    TWO_DEFINE | TWO_ERASE | TWO_FINDING },
		{ "commander", ROLE_RECORDS, 0 },
		{ "supervisor", ROLE_RECORDS, TWO_ERASE | TWO_FINDING },
		{ "adjudicator", ROLE_NO_TOKEN, 0 },
		{ "admin", ROLE_FIGURES, TWO_DEFINE },
		{ "security", ROLE_FIGURES, TWO_DEFINE | TWO_ERASE },
		{ "auditor", ROLE_RECORDS, 0 },
	};
	static const char *const none[] = { "", "Judge", "judge ", "judges",
		"jud", "员额法官", "device" };

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const struct role *r = role_find(want[i].word);

		EXPECT(r != NULL && r->token == want[i].token);
		EXPECT(r->may == want[i].may);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		EXPECT(role_find(none[i]) == NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_a_role_that_an_old_log_holds_loads_and_may_nothing),
		cmocka_unit_test(
		    test_a_role_is_found_by_its_whole_word_and_has_its_own_rights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
