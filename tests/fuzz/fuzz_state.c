/*
 * Bytes that are taken as a state can be judged, labelled and looked through
 * for what is missing, whatever they say.
 */
#include <string.h>

#include "domain/rules.h"
#include "fuzz/fuzz.h"

static struct kinds *kinds;
static struct rules *rules;
static struct findings found;
static struct state st;
static struct buf text;

static enum status
missing(void *arg, struct bytes path, const char *zh, const char *en)
{
	(void)arg;
	CHECK(path.len > 0 && zh != NULL && en != NULL);
	return ST_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rules_context cx = { .now_ms = 1717214400000,
		.offset_min = 480 };
	static const char *const names[] = { "search", "seizure", "compel",
		"detention", "eviction" };
	enum status rc;

	if (kinds == NULL) {
		CHECK(kinds_load_builtin(&kinds) == ST_OK);
		CHECK(rules_load_builtin(&rules, kinds) == ST_OK);
		findings_init(&found);
		state_init(&st);
		buf_init(&text, 1 << 24);
	}
	rc = state_read(&st, (struct bytes){ data, size });
	CHECK(rc == ST_OK || rc == ST_INVALID);
	for (size_t i = 0; rc == ST_OK && i < 5; i++) {
		const struct kind *k = kinds_latest(kinds, bytes_str(names[i]));
		enum status got = rules_check(&found, rules, k, &st, &cx);

		CHECK(got == ST_OK || got == ST_LIMIT);
		CHECK(got != ST_OK || found.next_ms > cx.now_ms);
		buf_reset(&text);
		kind_label(k, &st, true, &text);
		CHECK(text.len > 0);
		CHECK(kind_missing(k, &st, missing, NULL) == ST_OK);
	}
	return 0;
}
