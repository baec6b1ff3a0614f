/*
 * A rule file or a court's file that is refused comes with words and changes
 * nothing; one that is taken judges records without falling over.
 */
#include <string.h>

#include "domain/rules.h"
#include "fuzz/fuzz.h"

static struct kinds *kinds;

/* A record with something of everything, by hand: canonical. */
static const char record[] =
    "{\"acts\":{\"000000000000000000000000000000a0\":{\"at\":"
    "\"2024-03-01T09:00:00+08:00\",\"by\":\"x\",\"data\":[null],\"do\":"
    "\"sign\",\"is\":\"in\",\"more\":{\"how\":\"signed\",\"person\":"
    "\"subject\"},\"on\":[\"target\"],\"reason\":null,\"sign\":\"stale\"}},"
    "\"bare\":[],\"blind\":[],\"fields\":{\"persons/"
    "@00000000000000000000000000000001/name\":[["
    "\"00000000000000000000000000000003\",\"a\"]],\"started_at\":[["
    "\"00000000000000000000000000000001\",\"2024-03-01T05:00:00+08:00\"]],"
    "\"target\":[[\"00000000000000000000000000000002\",\"a\"],["
    "\"00000000000000000000000000000004\",null]]},\"heads\":[],\"items\":{"
    "\"persons/@00000000000000000000000000000001\":{\"is\":\"in\",\"n\":1}},"
    "\"kind\":[\"search@1\"],\"links\":{},\"missing\":[],\"rec\":"
    "\"01890a5d-ac96-774b-bcce-b302099a8057\",\"status\":[["
    "\"00000000000000000000000000000009\",\"done\"]],\"v\":1,\"void\":false}";

static void
judge(const struct rules *rs)
{
	struct rules_context cx = { .now_ms = 1717214400000,
		.offset_min = 480 };
	struct findings f;
	struct state st;
	enum status rc;

	state_init(&st);
	findings_init(&f);
	CHECK(state_read(&st, bytes_str(record)) == ST_OK);
	rc = rules_check(
	    &f, rs, kinds_find(kinds, bytes_str("search@1")), &st, &cx);
	CHECK(rc == ST_OK && f.next_ms > cx.now_ms);
	for (size_t i = 0; i < f.count; i++)
		CHECK(f.list[i].rule != NULL && f.list[i].law_zh != NULL);
	findings_free(&f);
	state_free(&st);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };
	struct rules *rs = NULL;
	char before[65];
	enum status st;

	if (kinds == NULL)
		CHECK(kinds_load_builtin(&kinds) == ST_OK);
	CHECK(rules_new(&rs) == ST_OK);
	CHECK(rules_add(rs, kinds, "own",
		  bytes_str("{\"laws\":{\"own\":{\"zh\":\"a\",\"en\":\"a\"}},"
			    "\"facts\":{\"f\":{\"type\":\"int\",\"zh\":\"a\","
			    "\"en\":\"a\"}}}")) == ST_OK);
	memcpy(before, rules_version(rs), 65);
	st = rules_add(rs, kinds, "f", in);
	CHECK(st == ST_OK || st == ST_INVALID || st == ST_CONFLICT);
	if (st != ST_OK) {
		CHECK(strcmp(before, rules_version(rs)) == 0);
		CHECK(rules_words(rs)->zh[0] != '\0');
	}
	judge(rs);
	memcpy(before, rules_version(rs), 65);
	st = rules_court(rs, "f", in);
	CHECK(st == ST_OK || st == ST_INVALID);
	if (st != ST_OK)
		CHECK(strcmp(before, rules_version(rs)) == 0);
	judge(rs);
	rules_free(rs);
	return 0;
}
