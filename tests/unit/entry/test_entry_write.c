#include "support/expect.h"

#include <string.h>

#include "base/sha.h"
#include "entry/entry.h"
#include "support/entries.h"

static struct entry_new n;
static struct bytes on[2];
static uint8_t after[3][ID_LEN];
static struct buf out;
static const char *why;

/* A right entry: the first of its chain, an `amend` with all members. */
static void
right(void)
{
	why = NULL;
	on[0] = bytes_str("warrant/no");
	on[1] = bytes_str("place");
	memset(after, 0, sizeof(after));
	after[0][0] = 3;
	after[1][0] = 1;
	after[2][0] = 2;
	n = (struct entry_new){
		.court = "xz0302",
		.chain = { 0x10 },
		.seq = 1,
		.rec = DRAFT_REC,
		.kind = "search@2",
		.by = "officer",
		.at = "2025-04-01T05:00:01+08:00",
		.verb = DO_AMEND,
		.on = on,
		.on_count = 2,
		.wall = 1743454801000,
		.mono = 12,
		.boot = { 0x20 },
		.after = (const uint8_t(*)[ID_LEN])after,
		.after_count = 3,
		.has_seen = true,
		.seen_size = 77,
		.seen_root = { 0x30 },
		.dev = DRAFT_DEV,
		.has_old = true,
		.old_chain = { 0x40 },
		.old_seq = 9,
		.old_link = { 0x50 },
		.salt = { 0x60 },
		.data = bytes_str("[\"12\",null]"),
		.reason = bytes_str("slip \"\n\xe4\xb8\xad"),
		.more = bytes_str("{\"x\":[1]}"),
	};
}

static int
begin(void **state)
{
	(void)state;
	buf_init(&out, 2 * ENTRY_BYTES_MAX);
	right();
	return 0;
}

static int
end(void **state)
{
	(void)state;
	buf_free(&out);
	return 0;
}

static void
expect_refused(const char *words)
{
	buf_reset(&out);
	buf_str(&out, "before");
	EXPECT_ST(entry_write(&n, &out, &why), ST_INVALID);
	if (strcmp(why, words) != 0)
		fail_msg("\"%s\", not \"%s\"", why, words);
	EXPECT_BYTES(buf_view(&out), bytes_str("before"));
}

#define Z30 "000000000000000000000000000000"
#define Z62 Z30 "00" Z30

/* Catches any change of the bytes that we write: order, escapes, spaces. */
static void
test_entry_write_gives_exactly_these_bytes(void **state)
{
	static const char head[] =
	    "{\"v\":1,\"court\":\"xz0302\",\"chain\":\"10" Z30 "\",\"seq\":1,"
	    "\"rec\":\"" DRAFT_REC "\",\"kind\":\"search@2\","
	    "\"do\":\"amend\",\"on\":[\"warrant/no\",\"place\"],"
	    "\"by\":\"officer\",\"at\":\"2025-04-01T05:00:01+08:00\","
	    "\"wall\":1743454801000,\"mono\":12,\"boot\":\"20" Z30 "\","
	    "\"after\":[\"01" Z30 "\",\"02" Z30 "\",\"03" Z30 "\"],\"body\":";
	static const char tail[] =
	    ",\"seen\":[77,\"30" Z30 "\"],\"dev\":\"" DRAFT_DEV "\","
	    "\"old\":[\"40" Z30 "\",9,\"50" Z62 "\"]}";
	static const char body[] =
	    "{\"salt\":\"60" Z30 "\",\"data\":[\"12\",null],"
	    "\"reason\":\"slip \\\"\\n\xe4\xb8\xad\",\"more\":{\"x\":[1]}}";
	uint8_t hash[HASH_LEN];
	struct buf want;

	(void)state;
	buf_init(&want, ENTRY_BYTES_MAX);
	sha256(hash, bytes_str(body));
	buf_str(&want, head);
	json_put_hex(&want, bytes_of(hash, HASH_LEN));
	buf_printf(&want, "%s\n%s", tail, body);
	EXPECT_OK(entry_write(&n, &out, &why));
	EXPECT_BYTES(buf_view(&out), buf_view(&want));
	buf_free(&want);
}

/* Catches an entry that stands behind another in a buffer and harms it. */
static void
test_entry_write_appends(void **state)
{
	size_t first;

	(void)state;
	EXPECT_OK(entry_write(&n, &out, &why));
	first = out.len;
	EXPECT_OK(entry_write(&n, &out, &why));
	EXPECT(out.len == 2 * first);
	EXPECT(memcmp(out.p, out.p + first, first) == 0);
}

/* Catches a writer that leaves out what may be absent, but wrongly. */
static void
test_entry_write_leaves_out_what_is_absent(void **state)
{
	struct entry e;

	(void)state;
	n.seq = 2;
	n.dev = NULL;
	n.has_old = n.has_seen = false;
	n.after_count = 0;
	n.after = NULL;
	n.verb = DO_OPEN;
	n.on_count = 0;
	n.data = bytes_str("[]");
	n.reason = n.more = bytes_of(NULL, 0);
	EXPECT_OK(entry_write(&n, &out, &why));
	entry_init(&e);
	EXPECT_OK(entry_parse(&e, buf_view(&out)));
	EXPECT(e.verb == DO_OPEN && e.on_count == 0 && e.after_count == 0);
	EXPECT(!e.has_seen && !e.has_old && e.dev[0] == '\0');
	EXPECT(e.reason == 0 && e.more == 0 && e.body_is == ENTRY_BODY_WHOLE);
	entry_free(&e);
}

/* Catches an entry that we write and would not read: each a rule once. */
static void
test_entry_write_refuses_what_reading_refuses(void **state)
{
	(void)state;
	n.court = "";
	expect_refused("head: bad court");
	n.court = "\xff";
	expect_refused("not UTF-8");
	right();
	n.seq = 2;
	expect_refused("head: dev or old behind seq 1");
	n.seq = UINT64_C(1) << 53;
	expect_refused("integer out of range");
	right();
	n.wall = UINT64_MAX;
	expect_refused("integer out of range");
	right();
	memcpy(after[2], after[0], ID_LEN);
	expect_refused("head: bad after");
	right();
	on[1] = on[0];
	expect_refused("head: a name twice in on");
	on[1] = bytes_of("a\0b", 3);
	expect_refused("U+0000");
	right();
	n.reason = bytes_of(NULL, 0);
	expect_refused("body: no reason");
	n.reason = bytes_str("\xef\xbf\xbf");
	expect_refused("noncharacter");
	right();
	n.data = bytes_str("[1]");
	expect_refused("body: data is not as long as on");
	n.data = bytes_str("[1, 2]");
	expect_refused("white space");
	n.data = bytes_of(NULL, 0);
	expect_refused("no value");
	n.data = bytes_str("[1,2]\n");
	expect_refused("control byte or line break");
	right();
	n.more = bytes_str("[]");
	expect_refused("body: more is no object");
	right();
	n.verb = DO_NONE;
	expect_refused("head: bad do");
}

/* Catches `data` or `more` that smuggles another member into the body. */
static void
test_entry_write_takes_one_value_each(void **state)
{
	static const char words[] = "body: data or more is not one value";

	(void)state;
	n.more = bytes_of(NULL, 0);
	n.data = bytes_str("[1,2],\"more\":{}");
	expect_refused(words);
	n.verb = DO_SET;
	n.reason = bytes_of(NULL, 0);
	n.data = bytes_str("[1,2],\"reason\":\"x\"");
	expect_refused(words);
	n.data = bytes_str("[1,2]");
	n.more = bytes_str("{},\"reason\":\"x\"");
	expect_refused(words);
	n.more = bytes_str("{}}{");
	expect_refused("something behind the value");
}

/* Catches a limit that is one off: the entry's, the buffer's. */
static void
test_entry_write_over_a_limit_changes_nothing(void **state)
{
	static char reason[ENTRY_BYTES_MAX];
	size_t len, room;

	(void)state;
	memset(reason, 'x', sizeof(reason));
	n.reason = bytes_of(reason, 1);
	EXPECT_OK(entry_write(&n, &out, &why));
	len = out.len;
	room = ENTRY_BYTES_MAX - len;
	buf_reset(&out);
	n.reason.len = 1 + room;
	EXPECT_OK(entry_write(&n, &out, &why));
	EXPECT(out.len == ENTRY_BYTES_MAX);
	buf_reset(&out);
	n.reason.len++;
	EXPECT_ST(entry_write(&n, &out, &why), ST_LIMIT);
	EXPECT(out.len == 0 && out.err == ST_OK);
	n.reason.len = sizeof(reason);
	EXPECT_ST(entry_write(&n, &out, &why), ST_LIMIT);

	n.reason.len = 1;
	buf_free(&out);
	buf_init(&out, len + 2);
	buf_str(&out, "abc");
	EXPECT_ST(entry_write(&n, &out, &why), ST_LIMIT);
	EXPECT_BYTES(buf_view(&out), bytes_str("abc"));
	EXPECT(out.err == ST_OK);
	buf_reset(&out);
	buf_str(&out, "ab");
	EXPECT_OK(entry_write(&n, &out, &why));
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_entry_write_gives_exactly_these_bytes),
		T(test_entry_write_appends),
		T(test_entry_write_leaves_out_what_is_absent),
		T(test_entry_write_refuses_what_reading_refuses),
		T(test_entry_write_takes_one_value_each),
		T(test_entry_write_over_a_limit_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
