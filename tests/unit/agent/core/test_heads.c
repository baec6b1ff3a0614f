/* A record with more heads than one entry can name. */
#include "agent/core/agent_impl.h"
#include "entry/entry.h"
#include "support/bureau.h"
#include "support/entries.h"

enum { MANY = AFTER_COUNT_MAX + 6 };

static size_t
heads(struct agent *a, const char *rec, struct agent_edit *e)
{
	EXPECT_OK(agent_edit_begin(a, rec, e));
	for (size_t i = 1; i < e->after_count; i++)
		EXPECT(memcmp(e->after[i - 1], e->after[i], ID_LEN) < 0);
	return e->after_count;
}

/* A colleague's note that knows of nothing, as a stream would bring it. */
static void
put_note(struct agent *a, const char *rec, unsigned n)
{
	struct view_entry v = { .place = 1000 + n };
	struct bytes on = bytes_str("");
	struct entry_new e = { .court = "xz0302",
		.seq = n + 2,
		.rec = rec,
		.kind = "search@1",
		.verb = DO_NOTE,
		.on = &on,
		.on_count = 1,
		.by = "p009",
		.at = "2026-11-24T05:10:00+08:00",
		.wall = 1000000 + n,
		.data = bytes_str("[\"x\"]") };
	const char *why = NULL;
	struct buf raw;

	e.salt[0] = (uint8_t)n;
	e.salt[1] = (uint8_t)(n >> 8);
	buf_init(&raw, ENTRY_BYTES_MAX);
	EXPECT_OK(entry_write(&e, &raw, &why));
	v.raw = buf_view(&raw);
	v.id[0] = (uint8_t)(n >> 8);
	v.id[1] = (uint8_t)n;
	v.id[15] = 1;
	EXPECT_OK(view_add(a->view, &v));
	buf_free(&raw);
}

/* Would catch: a record that nobody can write into any more, an entry that is
 * malformed for its length, values taken for known that no `after` names. */
static void
too_many_heads_are_brought_down_entry_by_entry(void **state)
{
	static struct agent_edit edit;
	struct bureau b;
	struct agent *a;
	struct bytes part = bytes_str("target");
	struct agent_act sign = { .verb = DO_SIGN,
		.on = &part,
		.on_count = 1,
		.data = bytes_str("[null]"),
		.more = bytes_str("{\"how\":\"signed\"}") };
	char rec[REC_LEN + 1];
	uint8_t id[ID_LEN];

	(void)state;
	bureau_make(&b);
	a = bureau_join(&b, 0, "p001", "jia");
	bureau_record(a, "search", "target", "[\"a\"]", rec);
	for (unsigned n = 0; n < MANY; n++)
		put_note(a, rec, n);
	EXPECT(heads(a, rec, &edit) == AFTER_COUNT_MAX);
	EXPECT(edit.partial);
	/* The latest: the clocks of the first ones are the oldest. */
	EXPECT(edit.after[0][0] != 0 || edit.after[0][1] != 0);
	EXPECT_ST(agent_append(a, &edit, &sign, id), ST_LIMIT);
	EXPECT_OK(bureau_note(a, rec, "[\"together\"]"));
	EXPECT(heads(a, rec, &edit) == MANY + 1 - AFTER_COUNT_MAX + 1);
	EXPECT(!edit.partial);
	EXPECT_OK(bureau_note(a, rec, "[\"together\"]"));
	EXPECT(heads(a, rec, &edit) == 1);
	EXPECT_OK(agent_append(a, &edit, &sign, id));
	bureau_sync(&b, 0); /* the centre takes an entry of 1,024 ids */
	bureau_end(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    too_many_heads_are_brought_down_entry_by_entry),
	};

	EXPECT(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
