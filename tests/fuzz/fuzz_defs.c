/*
 * Definitions as they come over the wire: whatever the court's chain says, what
 * is in force can be used, was confirmed by somebody else, and what cannot be
 * read is said with words.
 */
#include "defs/defs.h"
#include "fuzz/fuzz_own.h"

static void
look(const struct defs *d)
{
	for (size_t i = 0; i < defs_count(d); i++) {
		struct defs_info x;
		size_t at;

		defs_info(d, i, &x);
		CHECK(defs_find(d, x.id, &at) == ST_OK && at == i);
		CHECK(x.file.len <= DEFS_FILE_MAX && x.sort != NULL);
		if (x.state == DEFS_CONFIRMED || x.state == DEFS_UNREADABLE)
			CHECK(strcmp(x.by, x.decided_by) != 0);
		if (x.state == DEFS_UNREADABLE)
			CHECK(x.why.en[0] != '\0' && x.why.zh[0] != '\0');
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct domain *dom = NULL;
	struct defs *d;
	struct own own;
	uint8_t id[ID_LEN];
	uint64_t place = 0;
	bool changed = false;

	CHECK(defs_new(&d) == ST_OK);
	own_begin(&own, data, size);
	while (own_next(&own, DEFS_KIND, id)) {
		enum status st = defs_take(d, &own.e, id, place++, &changed);

		CHECK(st == ST_OK || st == ST_LIMIT);
	}
	look(d);
	/* All that was built in is read for it: only where it is another. */
	if (changed) {
		CHECK(defs_domain(d, &dom) == ST_OK);
		CHECK(kinds_latest(dom->kinds, bytes_str("search")) != NULL);
		look(d); /* what could not be read is known now */
	}
	domain_unref(dom);
	own_end(&own);
	defs_free(d);
	return 0;
}
