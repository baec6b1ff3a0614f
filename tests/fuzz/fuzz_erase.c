/*
 * Whatever the court's chain says of erasing, an id is in effect only by an
 * order that one person proposed and another one confirmed.
 */
#include "erase/erase.h"
#include "fuzz/fuzz_own.h"

static size_t
in_effect(const struct erasures *s, const uint8_t id[ID_LEN])
{
	size_t n = 0;

	for (size_t i = 0; i < erasures_count(s); i++) {
		const struct erase_order *o = erasures_at(s, i);

		for (size_t k = 0; o->state == ERASE_ORDERED && k < o->count;
		     k++)
			n += memcmp(o->entry[k].id, id, ID_LEN) == 0;
	}
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct erasures *s;
	struct own own;
	uint8_t id[ID_LEN];
	uint64_t place = 0, at;
	size_t effects = 0, ordered = 0;

	CHECK(erasures_new(&s) == ST_OK);
	own_begin(&own, data, size);
	while (own_next(&own, ERASE_KIND, id)) {
		bool effect = false;

		CHECK(erasures_take(s, &own.e, id, place++, &effect) == ST_OK);
		effects += effect;
	}
	for (size_t i = 0; i < erasures_count(s); i++) {
		const struct erase_order *o = erasures_at(s, i);

		CHECK(o->count <= ERASE_ENTRIES_MAX);
		CHECK(erasures_find(s, o->id) != NULL);
		if (o->state == ERASE_ORDERED)
			CHECK(o->by[0] != '\0' && o->decided_by[0] != '\0' &&
			      strcmp(o->by, o->decided_by) != 0 &&
			      o->decided > o->place);
		ordered += o->state == ERASE_ORDERED;
		for (size_t k = 0; k < o->count; k++)
			CHECK(erasures_has(s, o->entry[k].id, &at) ==
			      (in_effect(s, o->entry[k].id) > 0));
	}
	CHECK(effects == ordered);
	own_end(&own);
	erasures_free(s);
	return 0;
}
