#include "support/expect.h"

#include <string.h>

#include "entry/entry.h"
#include "support/entries.h"
#include "support/fault_alloc.h"

/* An entry that needs every buffer: escapes in its head, more names in `on`
 * than are compared in pairs, more members than are, many nodes. */
static void
make_large(struct buf *out)
{
	struct draft d;
	struct buf on, data, more, after;

	buf_init(&on, ENTRY_BYTES_MAX);
	buf_init(&data, ENTRY_BYTES_MAX);
	buf_init(&more, ENTRY_BYTES_MAX);
	buf_init(&after, ENTRY_BYTES_MAX);
	draft_init(&d);
	buf_str(&on, "[");
	buf_str(&data, "[");
	buf_str(&more, "{");
	buf_str(&after, "[");
	for (int i = 0; i < 100; i++) {
		const char *comma = i > 0 ? "," : "";

		buf_printf(&on, "%s\"n%d\"", comma, i);
		buf_printf(&data, "%s%d", comma, i);
		buf_printf(&more, "%s\"m%d\":[{}]", comma, i);
		buf_printf(&after, "%s\"%032x\"", comma, i);
	}
	buf_str(&on, "]");
	buf_str(&data, "]");
	buf_str(&more, "}");
	buf_str(&after, "]");
	draft_head(&d, "on", buf_cstr(&on));
	draft_head(&d, "by", "\"\\u5f20\"");
	draft_head(&d, "after", buf_cstr(&after));
	draft_body(&d, "data", buf_cstr(&data));
	draft_body(&d, "more", buf_cstr(&more));
	draft_write(&d, out);
	buf_free(&on);
	buf_free(&data);
	buf_free(&more);
	buf_free(&after);
}

/* Catches a verdict given because memory was short: an entry is whole or the
 * answer is "out of memory", never blind or malformed for that. */
static void
test_entry_parse_short_of_memory_gives_no_verdict(void **state)
{
	struct buf raw;
	struct entry e;
	size_t n;

	(void)state;
	buf_init(&raw, ENTRY_BYTES_MAX);
	make_large(&raw);
	for (n = 1;; n++) {
		enum status st;
		bool failed;

		entry_init(&e);
		fault_alloc_after(n);
		st = entry_parse(&e, buf_view(&raw));
		failed = fault_alloc_off();
		if (!failed) {
			EXPECT_OK(st);
			EXPECT(e.body_is == ENTRY_BODY_WHOLE);
			entry_free(&e);
			break;
		}
		EXPECT_ST(st, ST_NOMEM);
		EXPECT(e.why == NULL && e.body_why == NULL && e.seq == 0);
		EXPECT(e.on_count == 0 && e.after_count == 0 && !e.causal);
		EXPECT(e.raw.p == raw.p && e.raw.len == raw.len);
		/* The same struct serves again once there is memory. */
		EXPECT_OK(entry_parse(&e, buf_view(&raw)));
		EXPECT(e.body_is == ENTRY_BODY_WHOLE && e.on_count == 100);
		entry_free(&e);
	}
	/* Both tapes grow twice; names are sorted in head and body. */
	EXPECT(n >= 8);
	buf_free(&raw);
}

/* Catches half an entry left in the caller's buffer, or a leak. */
static void
test_entry_write_short_of_memory_writes_nothing(void **state)
{
	struct bytes on = bytes_str("a");
	uint8_t after[2][ID_LEN] = { { 2 }, { 1 } };
	struct entry_new w = { .court = "xz",
		.seq = 2,
		.rec = DRAFT_REC,
		.kind = "search@2",
		.by = "p",
		.at = "2025-04-01T05:00:01Z",
		.verb = DO_AMEND,
		.on = &on,
		.on_count = 1,
		.after = (const uint8_t(*)[ID_LEN])after,
		.after_count = 2,
		.data = bytes_str("[1]"),
		.reason = bytes_str("x\n") };
	const char *why = NULL;
	struct buf out;
	size_t n;

	(void)state;
	for (n = 1;; n++) {
		enum status st;

		buf_init(&out, ENTRY_BYTES_MAX);
		buf_str(&out, "abc");
		fault_alloc_after(n);
		st = entry_write(&w, &out, &why);
		if (!fault_alloc_off()) {
			EXPECT_OK(st);
			EXPECT(out.len > 300);
			buf_free(&out);
			break;
		}
		EXPECT_ST(st, ST_NOMEM);
		EXPECT_BYTES(buf_view(&out), bytes_str("abc"));
		EXPECT(out.err == ST_OK);
		buf_free(&out);
	}
	EXPECT(n >= 6);
}

/* Catches a canonical form cut short and taken for the whole. */
static void
test_json_canon_short_of_memory_is_told(void **state)
{
	struct buf text, out;
	struct json j;
	size_t n;

	(void)state;
	buf_init(&text, 1 << 16);
	buf_init(&out, 1 << 16);
	json_init(&j);
	buf_str(&text, "{");
	for (int i = 0; i < 200; i++)
		buf_printf(&text, "%s\"%d\":[\"\\n\"]", i > 0 ? "," : "", i);
	buf_str(&text, "}");
	EXPECT_OK(json_parse(&j, buf_view(&text), JSON_LINE));
	for (n = 1;; n++) {
		buf_free(&out);
		fault_alloc_after(n);
		json_canon(&j, 0, &out);
		if (!fault_alloc_off())
			break;
		EXPECT(out.err == ST_NOMEM);
	}
	EXPECT_OK(out.err);
	EXPECT(n >= 3 && out.len == text.len);
	json_free(&j);
	buf_free(&text);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_entry_parse_short_of_memory_gives_no_verdict),
		cmocka_unit_test(
		    test_entry_write_short_of_memory_writes_nothing),
		cmocka_unit_test(test_json_canon_short_of_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
