/*
 * A kind file that is taken is found again by its id, is refused or taken the
 * same a second time, and every field it has is found by its path; what is
 * refused comes with words and leaves nothing behind.
 */
#include <string.h>

#include "domain/kind.h"
#include "fuzz/fuzz.h"

static void
check_fields(const struct kind *k, const struct kind_list *l,
    const struct kind_field *f, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct words w;

		CHECK(kind_list_field(k, l,
			  (struct bytes){ (const uint8_t *)f[i].path,
			      strlen(f[i].path) }) == &f[i]);
		CHECK(kind_check(&f[i], bytes_str("null"), &w) == ST_OK);
		CHECK(kind_check(&f[i], bytes_str("\"2024-01-01\""), &w) !=
		      ST_NOMEM);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kinds *ks = NULL;
	struct bytes in = { data, size };
	enum status st;

	CHECK(kinds_new(&ks) == ST_OK);
	st = kinds_add(ks, "f", in);
	CHECK(st == ST_OK || st == ST_INVALID);
	if (st == ST_OK) {
		const struct kind *k = kinds_at(ks, 0);

		CHECK(kinds_find(ks, bytes_str(k->id)) == k);
		CHECK(kinds_latest(ks, bytes_str(k->name)) == k);
		CHECK(kinds_add(ks, "f", in) == ST_OK && kinds_count(ks) == 1);
		check_fields(k, NULL, k->fields, k->field_count);
		for (size_t i = 0; i < k->list_count; i++)
			check_fields(k, &k->lists[i], k->lists[i].fields,
			    k->lists[i].field_count);
		for (size_t i = 0; i < k->status_count; i++)
			CHECK(!kind_step_ok(k, bytes_str(k->status[i].id),
			    bytes_str("no such status")));
	} else {
		CHECK(kinds_count(ks) == 0);
		CHECK(kinds_words(ks)->zh[0] != '\0');
		CHECK(kinds_words(ks)->en[0] != '\0');
	}
	kinds_free(ks);
	return 0;
}
