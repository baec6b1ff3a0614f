#include "support/expect.h"

#include <string.h>

#include "base/limits.h"
#include "entry/path.h"

#define ID "00112233445566778899aabbccddeeff"

static enum path_sort
sort_of(const char *s)
{
	return path_sort(bytes_str(s));
}

/* Catches a path taken for another sort than it is, or a bad one taken. */
static void
test_path_sorts_are_told_apart(void **state)
{
	static const struct {
		const char *path;
		enum path_sort sort;
	} p[] = {
		{ "", PATH_WHOLE },
		{ "a", PATH_FIELD },
		{ "warrant/no", PATH_FIELD },
		{ "a_1/b2/c", PATH_FIELD },
		{ "items/@" ID, PATH_ITEM },
		{ "a/b/@" ID, PATH_ITEM },
		{ "items/@" ID "/value", PATH_FIELD },
		{ "items/@" ID "/a/b", PATH_FIELD },
		{ "items/@" ID "/renewals/@" ID, PATH_ITEM },
		{ "@" ID, PATH_ACT },
		{ "/", PATH_BAD },
		{ "a/", PATH_BAD },
		{ "/a", PATH_BAD },
		{ "a//b", PATH_BAD },
		{ "A", PATH_BAD },
		{ "aB", PATH_BAD },
		{ "1a", PATH_BAD },
		{ "_a", PATH_BAD },
		{ "a-b", PATH_BAD },
		{ "a b", PATH_BAD },
		{ "a/\xe4\xb8\xad", PATH_BAD },
		{ "@", PATH_BAD },
		{ "@" ID "/a", PATH_BAD },
		{ "@" ID "/@" ID, PATH_BAD },
		{ "a/@" ID "/@" ID, PATH_BAD },
		{ "a@" ID, PATH_BAD },
		{ "a/@" ID "x", PATH_BAD },
		{ "a/@00112233445566778899aabbccddeef", PATH_BAD },
		{ "a/@00112233445566778899AABBCCDDEEFF", PATH_BAD },
		{ "a/@00112233445566778899aabbccddeefg", PATH_BAD },
		{ "a/@g0112233445566778899aabbccddeeff", PATH_BAD },
		{ "@g0112233445566778899aabbccddeeff", PATH_BAD },
		{ "a/@" ID "/", PATH_BAD },
		{ ID, PATH_BAD },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(p) / sizeof(p[0]); i++) {
		if (sort_of(p[i].path) != p[i].sort)
			fail_msg("%s: %d", p[i].path, sort_of(p[i].path));
	}
	EXPECT(path_sort(bytes_of("a\0b", 3)) == PATH_BAD);
}

/* Catches a limit that is one off: a name's, a path's. */
static void
test_path_limits_hold(void **state)
{
	char p[300];

	(void)state;
	memset(p, 'a', sizeof(p));
	EXPECT(path_is_word(bytes_of(p, WORD_BYTES_MAX)));
	EXPECT(!path_is_word(bytes_of(p, WORD_BYTES_MAX + 1)));
	EXPECT(!path_is_word(bytes_of(p, 0)));
	for (size_t i = 20; i < sizeof(p); i += 20)
		p[i] = '/';
	EXPECT(path_sort(bytes_of(p, PATH_BYTES_MAX - 1)) == PATH_FIELD);
	EXPECT(path_sort(bytes_of(p, PATH_BYTES_MAX)) == PATH_FIELD);
	EXPECT(path_sort(bytes_of(p, PATH_BYTES_MAX + 1)) == PATH_BAD);
}

/* Catches a field inside an item that names another item. */
static void
test_path_relative_has_no_item(void **state)
{
	(void)state;
	EXPECT(path_is_relative(bytes_str("value")));
	EXPECT(path_is_relative(bytes_str("a/b/c")));
	EXPECT(!path_is_relative(bytes_str("")));
	EXPECT(!path_is_relative(bytes_str("a/@" ID "/b")));
	EXPECT(!path_is_relative(bytes_str("a/@" ID)));
	EXPECT(!path_is_relative(bytes_str("@" ID)));
}

/* Catches record ids that are no UUIDv7 in its one spelling. */
static void
test_path_rec_is_a_uuid7_in_lower_case(void **state)
{
	static const char *bad[] = {
		"",
		"01890a5d-ac96-674b-bcce-b302099a8057", /* version 6 */
		"01890a5d-ac96-774b-7cce-b302099a8057", /* variant */
		"01890a5d-ac96-774b-ccce-b302099a8057",
		"01890A5d-ac96-774b-bcce-b302099a8057",
		"01890a5d-ac96-774b-bcce-b302099a805",
		"01890a5d-ac96-774b-bcce-b302099a80577",
		"01890a5dac96-774b-bcce-b302099a80-577",
		"01890a5d-ac96-774b-bcce-b302099a805g",
		"{1890a5d-ac96-774b-bcce-b302099a8057",
	};

	(void)state;
	EXPECT(path_is_rec(bytes_str("01890a5d-ac96-774b-bcce-b302099a8057")));
	EXPECT(path_is_rec(bytes_str("ffffffff-ffff-7fff-8fff-ffffffffffff")));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT(!path_is_rec(bytes_str(bad[i])));
	/* A NUL where the variant stands is none of "89ab". */
	EXPECT(!path_is_rec(
	    bytes_of("01890a5d-ac96-774b-\0cce-b302099a8057", 36)));
}

/* Catches a kind without version, with version 0, or with two spellings. */
static void
test_path_kind_is_name_and_version(void **state)
{
	static const char *bad[] = { "", "search", "search@", "@2", "search@0",
		"search@02", "search@1000000", "search@1x", "Search@1",
		"search@1@2", "search@-1", "a/b@1" };

	(void)state;
	EXPECT(path_is_kind(bytes_str("search@2")));
	EXPECT(path_is_kind(bytes_str("seal_check@999999")));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT(!path_is_kind(bytes_str(bad[i])));
}

/* Catches a part that takes in a neighbour whose name begins the same. */
static void
test_path_within_stops_at_whole_names(void **state)
{
	(void)state;
	EXPECT(path_within(bytes_str("warrant/no"), bytes_str("warrant")));
	EXPECT(path_within(bytes_str("warrant"), bytes_str("warrant")));
	EXPECT(path_within(bytes_str("warrant"), bytes_str("")));
	EXPECT(path_within(bytes_str(""), bytes_str("")));
	EXPECT(path_within(
	    bytes_str("items/@" ID "/value"), bytes_str("items/@" ID)));
	EXPECT(!path_within(bytes_str("warrants"), bytes_str("warrant")));
	EXPECT(!path_within(bytes_str("warrant"), bytes_str("warrant/no")));
	EXPECT(!path_within(bytes_str(""), bytes_str("a")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path_sorts_are_told_apart),
		cmocka_unit_test(test_path_limits_hold),
		cmocka_unit_test(test_path_relative_has_no_item),
		cmocka_unit_test(test_path_rec_is_a_uuid7_in_lower_case),
		cmocka_unit_test(test_path_kind_is_name_and_version),
		cmocka_unit_test(test_path_within_stops_at_whole_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
