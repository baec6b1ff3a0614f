#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/rules.h"
#include "base/port.h"
#include "domain/rules_priv.h"

/* docs/KINDS.md and the code say the same. */

static struct buf doc;

static int
setup(void **state)
{
	(void)state;
	buf_init(&doc, 1 << 20);
	return port_read_file(
		   port_system(), SOURCE_DIR "/docs/KINDS.md", &doc) == ST_OK
		   ? 0
		   : 1;
}

static int
teardown(void **state)
{
	(void)state;
	buf_free(&doc);
	return 0;
}

/* The text of the fenced block that begins with ```json WORD. */
static struct bytes
block(const char *word)
{
	char fence[40];
	const char *text = buf_cstr(&doc), *from, *end;

	(void)snprintf(fence, sizeof(fence), "\n```json %s\n", word);
	from = strstr(text, fence);
	if (from == NULL)
		fail_msg("no block %s", word);
	from += strlen(fence);
	end = strstr(from, "\n```\n");
	EXPECT(end != NULL);
	return bytes_of(from, (size_t)(end - from));
}

/* Catches an example that does not load. */
static void
test_kinds_doc_examples_load(void **state)
{
	struct kinds *ks = NULL;
	struct rules *rs = NULL;
	size_t count;

	(void)state;
	EXPECT_OK(kinds_load_builtin(&ks));
	EXPECT_OK(rules_load_builtin(&rs, ks));
	count = rules_count(rs);
	if (kinds_add(ks, "doc", block("kind")) != ST_OK)
		fail_msg("%s", kinds_words(ks)->en);
	if (rules_add(rs, ks, "doc", block("rules")) != ST_OK)
		fail_msg("%s", rules_words(rs)->en);
	EXPECT(rules_count(rs) == count + 3);
	if (rules_add(rs, ks, "doc", block("facts")) != ST_OK)
		fail_msg("%s", rules_words(rs)->en);
	if (rules_court(rs, "doc", block("court")) != ST_OK)
		fail_msg("%s", rules_words(rs)->en);
	rules_free(rs);
	kinds_free(ks);
}

static void
expect_said(const char *before, const char *name, const char *behind)
{
	char text[100];

	(void)snprintf(text, sizeof(text), "%s%s%s", before, name, behind);
	if (strstr(buf_cstr(&doc), text) == NULL)
		fail_msg("docs/KINDS.md does not say %s", text);
}

/* Catches a type, set or shipped kind that the page leaves out. */
static void
test_kinds_doc_names_every_type_and_set(void **state)
{
	static const char *const sets[] = {
#define SET_TEXT(name, text) text,
		RULE_SETS(SET_TEXT)
#undef SET_TEXT
	};
	struct kinds *ks = NULL;

	(void)state;
	for (int t = 0; t < KIND_TYPE_COUNT; t++)
		expect_said("`", kind_type_name((enum kind_type)t), "`");
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		expect_said("`", sets[i], "`");
	EXPECT_OK(kinds_load_builtin(&ks));
	for (size_t i = 0; i < kinds_count(ks); i++) {
		if (!kinds_at(ks, i)->system)
			expect_said("`", kinds_at(ks, i)->name, "`");
	}
	kinds_free(ks);
}

/* Catches a condition on the page that is none, and the other way round: each
 * begins its own row of the table. */
static void
test_kinds_doc_names_every_condition(void **state)
{
	static const char *const names[] = { "all", "any", "not", "has",
		"lacks", "is", "num", "days", "time", "clock", "some", "every",
		"count", "sum", "ref", "act", "signed", "linked", "status",
		"finished", "void" };
	const char *from = strstr(buf_cstr(&doc), "## 3. Conditions");
	const char *end = strstr(buf_cstr(&doc), "**F**:");
	size_t said = 0;

	(void)state;
	EXPECT(from != NULL && end != NULL && from < end);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		expect_said("`{\"", names[i], "\":");
	for (const char *p = from; (p = strstr(p, "`{\"")) != NULL && p < end;
	     p++) {
		bool known = false;

		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			known = known || (strncmp(p + 3, names[i],
					      strlen(names[i])) == 0 &&
					     p[3 + strlen(names[i])] == '"');
		EXPECT(known);
		said++;
	}
	EXPECT(said >= sizeof(names) / sizeof(names[0]));
}

/* Catches a fact that a rule uses and the page does not tell callers of. */
static void
test_kinds_doc_names_every_fact(void **state)
{
	struct kinds *ks = NULL;
	struct rules *rs = NULL;

	(void)state;
	EXPECT_OK(kinds_load_builtin(&ks));
	EXPECT_OK(rules_load_builtin(&rs, ks));
	EXPECT(rs->fact_count > 0);
	for (size_t i = 0; i < rs->fact_count; i++) {
		expect_said("\n| `", rs->facts[i].name, "` |");
		/* And somebody supplies it. */
		EXPECT(rs->facts[i].take != TAKE_NOTHING);
	}
	rules_free(rs);
	kinds_free(ks);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds_doc_examples_load),
		cmocka_unit_test(test_kinds_doc_names_every_type_and_set),
		cmocka_unit_test(test_kinds_doc_names_every_condition),
		cmocka_unit_test(test_kinds_doc_names_every_fact),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
