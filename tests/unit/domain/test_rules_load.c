#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include "base/embed.h"
#include "domain/rules.h"

static struct kinds *kinds;

static int
setup(void **state)
{
	(void)state;
	return kinds_load_builtin(&kinds) == ST_OK ? 0 : 1;
}

static int
teardown(void **state)
{
	(void)state;
	kinds_free(kinds);
	return 0;
}

/* Catches a shipped rule file that does not load, and laws left out. */
static void
test_rules_every_file_loads(void **state)
{
	struct rules *rs = NULL;
	enum status st = rules_load_builtin(&rs, kinds);

	(void)state;
	if (st != ST_OK) {
		/* Once more, slowly, to see the words. */
		EXPECT_OK(rules_new(&rs));
		for (size_t i = 0; embedded_files[i].name != NULL; i++) {
			if (bytes_starts(
				bytes_str(embedded_files[i].name), "rules/") &&
			    rules_add(rs, kinds, embedded_files[i].name,
				embedded_files[i].data) != ST_OK)
				print_error("%s\n", rules_words(rs)->en);
		}
		fail();
	}
	EXPECT(rules_count(rs) >= 70);
	EXPECT(strlen(rules_version(rs)) == 64);
	for (size_t i = 0; i < rules_count(rs); i++) {
		struct rule_info r;

		rules_info(rs, i, &r);
		EXPECT(r.zh[0] != '\0' && r.en[0] != '\0');
		EXPECT(r.law_zh[0] != '\0' && r.law_en[0] != '\0');
		EXPECT(strstr("V G L own", r.mark) != NULL);
		/* What only a court may want is off until it says so. */
		EXPECT(r.on == !r.local);
		EXPECT(r.local == (strcmp(r.mark, "L") == 0));
		/* A rule of statute names its article. */
		EXPECT(strcmp(r.mark, "V") != 0 || r.article[0] != '\0');
	}
	rules_free(rs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_every_file_loads),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
