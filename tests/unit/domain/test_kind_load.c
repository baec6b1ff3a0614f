#include "support/expect.h"

#include <stdio.h>
#include <string.h>

#include "base/embed.h"
#include "domain/kind.h"
#include "entry/path.h"

/* Catches a shipped kind file that does not load. */
static void
test_kind_every_file_loads(void **state)
{
	struct kinds *ks = NULL;
	size_t files = 0;

	(void)state;
	EXPECT_OK(kinds_new(&ks));
	for (size_t i = 0; embedded_files[i].name != NULL; i++) {
		if (!bytes_starts(bytes_str(embedded_files[i].name), "kinds/"))
			continue;
		files++;
		if (kinds_add(ks, embedded_files[i].name,
			embedded_files[i].data) != ST_OK)
			fail_msg("%s", kinds_words(ks)->en);
	}
	EXPECT(files >= 8 && kinds_count(ks) == files);
	kinds_free(ks);
	EXPECT_OK(kinds_load_builtin(&ks));
	EXPECT(kinds_count(ks) == files);
	EXPECT(kinds_latest(ks, bytes_str("search")) ==
	       kinds_find(ks, bytes_str("search@1")));
	EXPECT(kinds_find(ks, bytes_str("search@99")) == NULL);
	EXPECT(kinds_find(ks, bytes_str("search")) == NULL);
	EXPECT(kinds_latest(ks, bytes_str("searc")) == NULL);
	kinds_free(ks);
}

/* Chinese words have a Chinese character, English ones none. */
static void
expect_words(const char *of, const char *zh, const char *en)
{
	bool chinese = false, plain = true;

	for (const char *p = zh; *p != '\0'; p++)
		chinese = chinese || (unsigned char)*p >= 0xe3;
	for (const char *p = en; *p != '\0'; p++) {
		/* The typographic apostrophe is the one exception. */
		plain = plain && (unsigned char)*p < 0xe3;
	}
	if (!chinese || en[0] == '\0' || !plain)
		fail_msg("%s: \"%s\" \"%s\"", of, zh, en);
}

static void
expect_fields(const struct kind_field *f, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		/* VIN, GPS … are the same in both languages. */
		if (strcmp(f[i].zh, f[i].en) != 0)
			expect_words(f[i].path, f[i].zh, f[i].en);
		/* Help may quote a Chinese case number. */
		if (f[i].help_zh[0] != '\0')
			expect_words(f[i].path, f[i].help_zh, "-");
		for (size_t k = 0; k < f[i].option_count; k++)
			expect_words(
			    f[i].path, f[i].options[k].zh, f[i].options[k].en);
	}
}

/* Catches a label that is missing in one language, or put in the other. */
static void
test_kind_labels_are_complete_in_both_languages(void **state)
{
	struct kinds *ks = NULL;

	(void)state;
	EXPECT_OK(kinds_load_builtin(&ks));
	for (size_t i = 0; i < kinds_count(ks); i++) {
		const struct kind *k = kinds_at(ks, i);

		expect_words(k->id, k->zh, k->en);
		expect_fields(k->fields, k->field_count);
		for (size_t l = 0; l < k->list_count; l++) {
			expect_words(
			    k->lists[l].path, k->lists[l].zh, k->lists[l].en);
			expect_fields(
			    k->lists[l].fields, k->lists[l].field_count);
		}
		for (size_t s = 0; s < k->status_count; s++)
			expect_words(k->id, k->status[s].zh, k->status[s].en);
		for (size_t s = 0; s < k->sign_count; s++)
			expect_words(k->id, k->signs[s].zh, k->signs[s].en);
		for (size_t s = 0; s < k->link_count; s++)
			expect_words(k->id, k->links[s].zh, k->links[s].en);
		for (size_t s = 0; s < k->group_count; s++)
			expect_words(k->id, k->groups[s].zh, k->groups[s].en);
	}
	kinds_free(ks);
}

/* Catches one path that has two types in two kinds (a rule or a column over
 * both would read it wrongly), or a field of the common head with two names. */
static void
test_kind_head_fields_mean_the_same_everywhere(void **state)
{
	struct kinds *ks = NULL;
	static const char *const head[] = { "court/", "entrust/", "file_no",
		"docket_no", "cause", "applicant/", "debtor/", "title/",
		"claim/", "officer_in_charge", "recorder", "unit", "operation/",
		"place/", "read_back/", "act/", "reconsideration/", NULL };

	(void)state;
	EXPECT_OK(kinds_load_builtin(&ks));
	for (size_t a = 0; a < kinds_count(ks); a++) {
		const struct kind *k = kinds_at(ks, a);

		for (size_t i = 0; i < k->field_count && !k->system; i++) {
			const struct kind_field *f = &k->fields[i];
			bool common = false;

			for (size_t h = 0; head[h] != NULL; h++)
				common =
				    common ||
				    bytes_starts(bytes_str(f->path), head[h]);
			for (size_t b = 0; b < a; b++) {
				const struct kind *x = kinds_at(ks, b);
				const struct kind_field *g =
				    kind_field(x, bytes_str(f->path));

				if (g == NULL || x->system)
					continue;
				if (g->type != f->type ||
				    (common && strcmp(g->zh, f->zh) != 0))
					fail_msg("%s and %s: %s", k->id, x->id,
					    f->path);
			}
		}
	}
	kinds_free(ks);
}

/* Catches an amount, a debtor or a document number that a screen would take
 * over from another record. */
static void
test_kind_never_default_stands_where_it_must(void **state)
{
	static const char *const must[] = { "debtor/", "warrant/no",
		"warrant/signed_by", "ruling/no", "decision/no", "writ/no",
		"notice/no", "approval/no", "days", NULL };
	struct kinds *ks = NULL;
	size_t seen = 0;

	(void)state;
	EXPECT_OK(kinds_load_builtin(&ks));
	for (size_t a = 0; a < kinds_count(ks); a++) {
		const struct kind *k = kinds_at(ks, a);

		for (size_t i = 0; i < k->field_count; i++) {
			const struct kind_field *f = &k->fields[i];
			bool want = f->type == KIND_MONEY;

			for (size_t m = 0; must[m] != NULL; m++)
				want = want || bytes_starts(
						   bytes_str(f->path), must[m]);
			if (want && !f->never_default)
				fail_msg("%s: %s", k->id, f->path);
			seen += want;
		}
	}
	EXPECT(seen > 60);
	kinds_free(ks);
}

/* Catches paths that find nothing, or find what they should not. */
static void
test_kind_fields_are_found_by_path(void **state)
{
	struct kinds *ks = NULL;
	const struct kind *k;
	const struct kind_field *f;

	(void)state;
	EXPECT_OK(kinds_load_builtin(&ks));
	k = kinds_latest(ks, bytes_str("seizure"));
	EXPECT(k != NULL);
	f = kind_field(k, bytes_str("ruling/no"));
	EXPECT(f != NULL && f->type == KIND_DOC_NO && f->list == NULL);
	f = kind_field(k,
	    bytes_str("items/@00112233445566778899aabbccddeeff/value/amount"));
	EXPECT(f != NULL && f->type == KIND_MONEY && f->list != NULL);
	EXPECT(kind_list_field(k, kind_list(k, bytes_str("items")),
		   bytes_str("value/amount")) == f);
	EXPECT(kind_field(k, bytes_str("items/value/amount")) == NULL);
	EXPECT(kind_field(k, bytes_str("items/@00/value/amount")) == NULL);
	EXPECT(kind_field(k, bytes_str("items")) == NULL);
	EXPECT(kind_field(k, bytes_str("")) == NULL);
	EXPECT(
	    kind_field(k,
		bytes_str("items/@00112233445566778899aabbccddeeff")) == NULL);
	EXPECT(kind_field(k,
		   bytes_str("things/@00112233445566778899aabbccddeeff/no")) ==
	       NULL);
	for (size_t i = 0; i < k->field_count; i++)
		EXPECT(kind_field(k, bytes_str(k->fields[i].path)) ==
		       &k->fields[i]);
	kinds_free(ks);
}

/* Catches a step that the graph does not have, and a graph that forgets one. */
static void
test_kind_steps_follow_the_graph(void **state)
{
	struct kinds *ks = NULL;
	const struct kind *k;

	(void)state;
	EXPECT_OK(kinds_load_builtin(&ks));
	k = kinds_latest(ks, bytes_str("search"));
	EXPECT(kind_step_ok(k, bytes_str(""), bytes_str("draft")));
	EXPECT(kind_step_ok(k, bytes_str(""), bytes_str("done")));
	EXPECT(!kind_step_ok(k, bytes_str(""), bytes_str("closed")));
	EXPECT(kind_step_ok(k, bytes_str("done"), bytes_str("signed")));
	EXPECT(!kind_step_ok(k, bytes_str("closed"), bytes_str("draft")));
	EXPECT(!kind_step_ok(k, bytes_str("draft"), bytes_str("nowhere")));
	EXPECT(!kind_step_ok(k, bytes_str("nowhere"), bytes_str("done")));
	k = kinds_latest(ks, bytes_str("stage"));
	EXPECT(!kind_step_ok(k, bytes_str(""), bytes_str("done")));
	kinds_free(ks);
}

/* One bad file of each sort, and what must be named. */
static const struct {
	const char *file, *place, *why;
} bad_files[] = {
	{ "{\"kind\":\"a@1\"", "x:1", "JSON" },
	{ "[]", "", "object" },
	{ "{\n\"kind\":\"a@1\",\"zh\":\"甲\",\"en\":\"A\",\n\"colour\":1}",
	    "x:3: colour", "unknown member" },
	{ "{\"zh\":\"甲\",\"en\":\"A\"}", "x:1", "kind" },
	{ "{\"kind\":\"A@1\",\"zh\":\"甲\",\"en\":\"A\"}", "kind",
	    "name@version" },
	{ "{\"kind\":\"a@0\",\"zh\":\"甲\",\"en\":\"A\"}", "kind",
	    "name@version" },
	{ "{\"kind\":\"a@1\",\"en\":\"A\"}", "x:1", "zh" },
	{ "{\"kind\":\"a@1\",\"zh\":\"\",\"en\":\"A\"}", "zh", "empty" },
	{ "{\"kind\":\"a@1\",\"zh\":1,\"en\":\"A\"}", "zh", "text" },
#define BAD_FIELD(members)                                                     \
	"{\"kind\":\"a@1\",\"zh\":\"甲\",\"en\":\"A\",\"fields\":[\n"         \
	"{\"path\":\"p\",\"type\":\"text\",\"zh\":\"乙\",\"en\":\"B\"},\n"    \
	"{" members "}]}"
	{ BAD_FIELD(
	      "\"path\":\"q\",\"type\":\"txt\",\"zh\":\"乙\",\"en\":\"B\""),
	    "x:3: fields[1].type", "unknown type: \"txt\"" },
	{ BAD_FIELD("\"path\":\"Q\",\"type\":\"text\",\"zh\":\"乙\","
		    "\"en\":\"B\""),
	    "fields[1]", "path" },
	{ BAD_FIELD("\"path\":\"p\",\"type\":\"text\",\"zh\":\"乙\","
		    "\"en\":\"B\""),
	    "fields[1]", "twice" },
	{ BAD_FIELD("\"path\":\"p/q\",\"type\":\"text\",\"zh\":\"乙\","
		    "\"en\":\"B\""),
	    "fields[1]", "both field and group" },
	{ BAD_FIELD("\"path\":\"q\",\"type\":\"enum\",\"zh\":\"乙\","
		    "\"en\":\"B\""),
	    "fields[1]", "options" },
	{ BAD_FIELD("\"path\":\"q\",\"type\":\"enum\",\"zh\":\"乙\","
		    "\"en\":\"B\",\"options\":[{\"id\":\"x\",\"zh\":\"丙\","
		    "\"en\":\"C\"},{\"id\":\"x\",\"zh\":\"丙\",\"en\":\"C\"}]"),
	    "fields[1].options[1]", "twice" },
	{ BAD_FIELD("\"path\":\"q\",\"type\":\"text\",\"zh\":\"乙\","
		    "\"en\":\"B\",\"options\":[{\"id\":\"x\",\"zh\":\"丙\","
		    "\"en\":\"C\"}]"),
	    "fields[1]", "options" },
	{ BAD_FIELD("\"path\":\"q\",\"type\":\"text\",\"zh\":\"乙\","
		    "\"en\":\"B\",\"min\":1"),
	    "fields[1]", "min" },
	{ BAD_FIELD("\"path\":\"q\",\"type\":\"int\",\"zh\":\"乙\","
		    "\"en\":\"B\",\"min\":2,\"max\":1"),
	    "fields[1]", "above" },
	{ BAD_FIELD("\"path\":\"q\",\"type\":\"money\",\"zh\":\"乙\","
		    "\"en\":\"B\",\"never_default\":false"),
	    "fields[1]", "default" },
	{ BAD_FIELD("\"path\":\"q\",\"type\":\"item\",\"zh\":\"乙\","
		    "\"en\":\"B\",\"items\":[\"nowhere\"]"),
	    "fields[1]", "no such list" },
	{ BAD_FIELD("\"path\":\"q\",\"type\":\"text\",\"zh\":\"乙\","
		    "\"en\":\"B\",\"help_zh\":\"丙\""),
	    "fields[1]", "both languages" },
	{ BAD_FIELD("\"path\":\"q\",\"type\":\"text\",\"zh\":\"乙\","
		    "\"en\":\"B\",\"when\":{\"has\":\"r\"}"),
	    "fields[1].when.has", "no such field" },
	{ BAD_FIELD("\"path\":\"q\",\"type\":\"text\",\"zh\":\"乙\","
		    "\"en\":\"B\",\"when\":{\"smells\":\"p\"}"),
	    "fields[1].when.smells", "no such condition" },
	{ BAD_FIELD("\"path\":\"q\",\"type\":\"bool\",\"zh\":\"乙\","
		    "\"en\":\"B\",\"when\":{\"is\":[\"p\",true]}"),
	    "fields[1].when.is[1]", "does not fit" },
#define BAD_TAIL(tail)                                                         \
	"{\"kind\":\"a@1\",\"zh\":\"甲\",\"en\":\"A\",\"fields\":[\n"         \
	"{\"path\":\"p\",\"type\":\"text\",\"zh\":\"乙\",\"en\":\"B\"}],"     \
	"\n" tail "}"
	{ BAD_TAIL("\"lists\":[{\"path\":\"p\",\"zh\":\"丙\",\"en\":\"C\","
		   "\"fields\":[{\"path\":\"q\",\"type\":\"text\","
		   "\"zh\":\"丁\",\"en\":\"D\"}]}]"),
	    "lists[0]", "clashes" },
	{ BAD_TAIL("\"lists\":[{\"path\":\"l\",\"zh\":\"丙\",\"en\":\"C\"}]"),
	    "lists[0]", "fields" },
	{ BAD_TAIL("\"label\":[\"q\"]"), "label", "no such field" },
	{ BAD_TAIL("\"happened\":\"p\""), "happened", "date or time" },
	{ BAD_TAIL("\"groups\":[{\"path\":\"g\",\"zh\":\"丙\",\"en\":\"C\"}]"),
	    "groups[0]", "empty" },
	{ BAD_TAIL("\"groups\":[{\"path\":\"p\",\"zh\":\"丙\",\"en\":\"C\","
		   "\"type\":\"person\"}]"),
	    "groups[0]", "p/name" },
	{ BAD_TAIL("\"status\":[{\"id\":\"s\",\"zh\":\"丙\",\"en\":\"C\","
		   "\"to\":[\"t\"]}]"),
	    "status", "no such status" },
	{ BAD_TAIL("\"status\":[{\"id\":\"s\",\"zh\":\"丙\",\"en\":\"C\"},"
		   "{\"id\":\"t\",\"zh\":\"丙\",\"en\":\"C\"}]"),
	    "status", "no step reaches" },
	{ BAD_TAIL("\"sign\":[{\"id\":\"s\",\"zh\":\"丙\",\"en\":\"C\","
		   "\"who\":\"p\"}]"),
	    "sign[0]", "signs no part" },
	{ BAD_TAIL("\"sign\":[{\"id\":\"s\",\"zh\":\"丙\",\"en\":\"C\","
		   "\"who\":\"p\",\"each\":true,\"parts\":[\"p\"]}]"),
	    "sign[0]", "no such list" },
	{ BAD_TAIL("\"sign\":[{\"id\":\"s\",\"zh\":\"丙\",\"en\":\"C\","
		   "\"who\":\"p\",\"parts\":[\"x\"]}]"),
	    "sign[0]", "no such part" },
	{ BAD_TAIL("\"links\":[{\"word\":\"led\",\"zh\":\"丙\",\"en\":\"C\","
		   "\"takes\":[\"nowhere\"]}]"),
	    "links[0]", "no such list or group" },
	{ BAD_TAIL("\"links\":[{\"word\":\"Led\",\"zh\":\"丙\",\"en\":\"C\"}]"),
	    "links[0]", "name" },
	{ BAD_TAIL("\"attach\":[{\"id\":\"s\",\"zh\":\"丙\",\"en\":\"C\","
		   "\"on\":\"x\"}]"),
	    "attach[0]", "no such field" },
};

/* Catches a bad kind file that is taken, or refused without its place. */
static void
test_kind_bad_files_are_refused_with_place_and_reason(void **state)
{
	struct kinds *ks = NULL;

	(void)state;
	EXPECT_OK(kinds_new(&ks));
	for (size_t i = 0; i < sizeof(bad_files) / sizeof(bad_files[0]); i++) {
		const struct words *w = kinds_words(ks);

		EXPECT_ST(kinds_add(ks, "x", bytes_str(bad_files[i].file)),
		    ST_INVALID);
		if (strstr(w->en, bad_files[i].place) == NULL ||
		    strstr(w->en, bad_files[i].why) == NULL ||
		    strncmp(w->zh, "x:", 2) != 0)
			fail_msg("%zu: \"%s\" lacks \"%s\" or \"%s\"", i, w->en,
			    bad_files[i].place, bad_files[i].why);
		EXPECT(kinds_count(ks) == 0);
	}
	kinds_free(ks);
}

/* Catches a version that is changed under those who rely on it. */
static void
test_kind_a_version_never_changes(void **state)
{
	static const char one[] =
	    "{\"kind\":\"a@1\",\"zh\":\"甲\",\"en\":\"A\"}";
	static const char other[] =
	    "{\"kind\":\"a@1\",\"zh\":\"甲\",\"en\":\"B\"}";
	static const char two[] =
	    "{\"kind\":\"a@2\",\"zh\":\"甲\",\"en\":\"B\"}";
	static const char ten[] =
	    "{\"kind\":\"a@10\",\"zh\":\"甲\",\"en\":\"B\"}";
	struct kinds *ks = NULL;

	(void)state;
	EXPECT_OK(kinds_new(&ks));
	EXPECT_OK(kinds_add(ks, "a", bytes_str(one)));
	EXPECT_OK(kinds_add(ks, "a", bytes_str(one)));
	EXPECT(kinds_count(ks) == 1);
	EXPECT_ST(kinds_add(ks, "a", bytes_str(other)), ST_CONFLICT);
	EXPECT(strstr(kinds_words(ks)->en, "a@1") != NULL);
	EXPECT_OK(kinds_add(ks, "a", bytes_str(ten)));
	EXPECT_OK(kinds_add(ks, "a", bytes_str(two)));
	EXPECT(kinds_count(ks) == 3);
	EXPECT(kinds_latest(ks, bytes_str("a"))->version == 10);
	EXPECT(strcmp(kinds_find(ks, bytes_str("a@1"))->en, "A") == 0);
	kinds_free(ks);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kind_every_file_loads),
		cmocka_unit_test(
		    test_kind_labels_are_complete_in_both_languages),
		cmocka_unit_test(
		    test_kind_head_fields_mean_the_same_everywhere),
		cmocka_unit_test(test_kind_never_default_stands_where_it_must),
		cmocka_unit_test(test_kind_fields_are_found_by_path),
		cmocka_unit_test(test_kind_steps_follow_the_graph),
		cmocka_unit_test(
		    test_kind_bad_files_are_refused_with_place_and_reason),
		cmocka_unit_test(test_kind_a_version_never_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
