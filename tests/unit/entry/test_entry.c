#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "entry/entry.h"
#include "support/entries.h"
#include "support/vectors.h"

#define ID_B "10112233445566778899aabbccddeeff"
#define ITEM "items/@" DRAFT_ID

static struct entry e;
static struct draft d;
static struct buf b;

static int
begin(void **state)
{
	(void)state;
	entry_init(&e);
	buf_init(&b, 4 * ENTRY_BYTES_MAX);
	draft_init(&d);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	entry_free(&e);
	buf_free(&b);
	return 0;
}

static void
expect_whole(const char *what)
{
	enum status st;

	draft_write(&d, &b);
	st = entry_parse(&e, buf_view(&b));
	if (st != ST_OK)
		fail_msg("%s: %s: %s", what, status_text(st), e.why);
	if (e.body_is != ENTRY_BODY_WHOLE)
		fail_msg("%s: %s", what, e.body_why);
	EXPECT(e.why == NULL && e.body_why == NULL);
}

static void
expect_blind(const char *what, const char *why)
{
	enum status st;

	draft_write(&d, &b);
	st = entry_parse(&e, buf_view(&b));
	if (st != ST_OK)
		fail_msg("%s: %s: %s", what, status_text(st), e.why);
	if (e.body_is != ENTRY_BODY_BLIND || strcmp(e.body_why, why) != 0)
		fail_msg("%s: \"%s\", not \"%s\"", what,
		    e.body_why == NULL ? "whole" : e.body_why, why);
	EXPECT(e.data == 0 && e.reason == 0 && e.more == 0);
	EXPECT(e.causal && e.verb != DO_NONE);
}

static void
expect_malformed(const char *what, const char *why)
{
	enum status st;

	draft_write(&d, &b);
	st = entry_parse(&e, buf_view(&b));
	if (st != ST_INVALID)
		fail_msg("%s: %s, not \"%s\"", what, status_text(st), why);
	if (strcmp(e.why, why) != 0)
		fail_msg("%s: \"%s\", not \"%s\"", what, e.why, why);
	EXPECT(e.verb == DO_NONE && e.on_count == 0 && e.dev[0] == '\0');
	EXPECT(e.court.len == 0 && e.kind.len == 0 && e.by.len == 0);
	EXPECT(e.body_is == ENTRY_BODY_BLIND && e.data == 0);
	/* It is the head alone that decides. */
	st = entry_parse(&e, e.head_line);
	EXPECT(st == ST_INVALID && strcmp(e.why, why) == 0);
}

/* Catches a member that is read wrongly. */
static void
test_entry_every_member_is_read(void **state)
{
	static const uint8_t id[ID_LEN] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55,
		0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	uint8_t hash[HASH_LEN];

	(void)state;
	draft_head(&d, "seq", "1");
	draft_head(&d, "seen", "[77,\"" DRAFT_ID "\"]");
	draft_head(&d, "dev", "\"" DRAFT_DEV "\"");
	draft_head(&d, "old", "[\"" DRAFT_ID "\",9,\"" DRAFT_HASH "\"]");
	draft_head(&d, "after", "[\"" DRAFT_ID "\",\"" ID_B "\"]");
	draft_verb(&d, "\"amend\"", "[\"warrant/no\",\"place\"]", "[\"a\",3]");
	draft_body(&d, "reason", "\"slip\"");
	draft_body(&d, "more", "{\"x\":[1]}");
	expect_whole("all members");
	EXPECT(e.v == 1 && e.causal);
	EXPECT_BYTES(e.court, bytes_str("xz0302"));
	EXPECT_BYTES(bytes_of(e.chain, CHAIN_LEN), bytes_of(id, ID_LEN));
	EXPECT(e.seq == 1 && e.verb == DO_AMEND);
	EXPECT_BYTES(e.rec, bytes_str(DRAFT_REC));
	EXPECT_BYTES(e.kind, bytes_str("search@2"));
	EXPECT_BYTES(e.by, bytes_str("officer"));
	EXPECT_BYTES(e.at, bytes_str("2025-04-01T05:00:01+08:00"));
	EXPECT(e.wall == UINT64_C(1743454801000) && e.mono == 12);
	EXPECT_BYTES(bytes_of(e.boot, BOOT_LEN), bytes_of(id, ID_LEN));
	EXPECT(e.on_count == 2 && e.after_count == 2);
	EXPECT_BYTES(e.on[0], bytes_str("warrant/no"));
	EXPECT_BYTES(e.on[1], bytes_str("place"));
	EXPECT_BYTES(bytes_of(e.after[0], ID_LEN), bytes_of(id, ID_LEN));
	EXPECT(e.after[1][0] == 0x10 && e.after[1][15] == 0xff);
	EXPECT(e.has_seen && e.seen_size == 77);
	EXPECT_BYTES(bytes_of(e.seen_root, ID_LEN), bytes_of(id, ID_LEN));
	EXPECT(strcmp(e.dev, DRAFT_DEV) == 0);
	EXPECT(e.has_old && e.old_seq == 9);
	EXPECT_BYTES(bytes_of(e.old_chain, CHAIN_LEN), bytes_of(id, ID_LEN));
	EXPECT(memcmp(e.old_link, id, 16) == 0 &&
	       memcmp(e.old_link + 16, id, 16) == 0);
	sha256(hash, e.body_line);
	EXPECT_BYTES(bytes_of(e.body_hash, HASH_LEN), bytes_of(hash, HASH_LEN));
	EXPECT(json_is(&e.body, entry_value(&e, 0), "a"));
	EXPECT(e.body.node[entry_value(&e, 1)].num == 3);
	EXPECT(json_is(&e.body, e.reason, "slip"));
	EXPECT(json_get(&e.body, e.more, "x") != 0);
}

/* Catches a meaning that depends on how a member is spelled or placed. */
static void
test_entry_escapes_and_order_of_members_are_free(void **state)
{
	struct draft_member first;

	(void)state;
	draft_head(&d, "court", "\"\\u0078z\\n\"");
	draft_head(&d, "by", "\"\xe5\xbc\xa0\\u4e09\"");
	draft_head(&d, "do", "\"\\u0073et\"");
	draft_head(&d, "on", "[\"warrant\\/no\",\"pl\\u0061ce\"]");
	draft_head(&d, "rec", "\"\\u00301890a5d-ac96-774b-bcce-b302099a8057\"");
	draft_head(&d, "kind", "\"search\\u00402\"");
	draft_head(&d, "at", "\"2025-04-01\\u005405:00:01Z\"");
	draft_head(&d, "chain", "\"\\u003010112233445566778899aabbccddeef\"");
	draft_head(&d, "after", "[\"\\u003010112233445566778899aabbccddeef\"]");
	draft_head(&d, "s\\u0065en", "[0,\"" DRAFT_ID "\"]");
	draft_body(&d, "data", "[\"\\u0061\",null]");
	first = d.head[0];
	memmove(d.head, d.head + 1, (d.head_count - 1) * sizeof(first));
	d.head[d.head_count - 1] = first;
	expect_whole("escapes");
	EXPECT_BYTES(e.court, bytes_str("xz\n"));
	EXPECT_BYTES(e.by, bytes_str("\xe5\xbc\xa0\xe4\xb8\x89"));
	EXPECT(e.verb == DO_SET && e.has_seen && e.v == 1);
	EXPECT_BYTES(e.on[0], bytes_str("warrant/no"));
	EXPECT_BYTES(e.on[1], bytes_str("place"));
	EXPECT_BYTES(e.rec, bytes_str(DRAFT_REC));
	EXPECT_BYTES(e.kind, bytes_str("search@2"));
	EXPECT_BYTES(e.at, bytes_str("2025-04-01T05:00:01Z"));
	EXPECT(e.chain[0] == 0x01 && e.after[0][0] == 0x01);
}

/* Catches each rule of a head's members that is not held (A5, A6). */
static void
test_entry_head_with_one_member_wrong_is_malformed(void **state)
{
	static const struct {
		const char *name, *value, *why;
	} bad[] = {
		{ "v", NULL, "head: no v" },
		{ "v", "2", "head: bad v" },
		{ "v", "0", "head: bad v" },
		{ "v", "\"1\"", "head: bad v" },
		{ "v", "true", "head: bad v" },
		{ "court", NULL, "head: no court" },
		{ "court", "\"\"", "head: bad court" },
		{ "court", "1", "head: bad court" },
		{ "chain", NULL, "head: no chain" },
		{ "chain", "\"00\"", "head: bad chain" },
		{ "chain", "\"00112233445566778899AABBCCDDEEFF\"",
		    "head: bad chain" },
		{ "chain", "\"" DRAFT_ID "0\"", "head: bad chain" },
		{ "seq", NULL, "head: no seq" },
		{ "seq", "0", "head: bad seq" },
		{ "seq", "-1", "head: bad seq" },
		{ "seq", "\"2\"", "head: bad seq" },
		{ "rec", NULL, "head: no rec" },
		{ "rec", "\"01890a5d-ac96-474b-bcce-b302099a8057\"",
		    "head: bad rec" },
		{ "rec", "\"01890A5D-ac96-774b-bcce-b302099a8057\"",
		    "head: bad rec" },
		{ "rec", "null", "head: bad rec" },
		{ "kind", NULL, "head: no kind" },
		{ "kind", "\"search\"", "head: bad kind" },
		{ "kind", "\"search@0\"", "head: bad kind" },
		{ "do", NULL, "head: no do" },
		{ "do", "\"\"", "head: bad do" },
		{ "do", "\"sett\"", "head: bad do" },
		{ "do", "\"Set\"", "head: bad do" },
		{ "do", "1", "head: bad do" },
		{ "on", NULL, "head: no on" },
		{ "on", "\"warrant/no\"", "head: bad on" },
		{ "on", "{}", "head: bad on" },
		{ "on", "[1]", "head: bad on" },
		{ "on", "[[\"a\"]]", "head: bad on" },
		{ "by", NULL, "head: no by" },
		{ "by", "\"\"", "head: bad by" },
		{ "at", NULL, "head: no at" },
		{ "at", "\"2025-02-29T05:00:01+08:00\"", "head: bad at" },
		{ "at", "\"2025-04-01T05:00:60+08:00\"", "head: bad at" },
		{ "at", "\"2025-04-01T05:00:01\"", "head: bad at" },
		{ "at", "1743454801", "head: bad at" },
		{ "wall", NULL, "head: no wall" },
		{ "wall", "-1", "head: bad wall" },
		{ "wall", "null", "head: bad wall" },
		{ "mono", NULL, "head: no mono" },
		{ "mono", "-1", "head: bad mono" },
		{ "boot", NULL, "head: no boot" },
		{ "boot", "\"\"", "head: bad boot" },
		{ "after", NULL, "head: no after" },
		{ "after", "\"" DRAFT_ID "\"", "head: bad after" },
		{ "after", "[1]", "head: bad after" },
		{ "after", "[\"\"]", "head: bad after" },
		{ "after", "[\"" ID_B "\",\"" DRAFT_ID "\"]",
		    "head: bad after" },
		{ "after", "[\"" ID_B "\",\"" ID_B "\"]", "head: bad after" },
		{ "body", "\"" DRAFT_ID "\"", "head: bad body" },
		{ "body", "null", "head: bad body" },
		{ "seen", "[1]", "head: bad seen" },
		{ "seen", "[-1,\"" DRAFT_ID "\"]", "head: bad seen" },
		{ "seen", "[1,\"" DRAFT_HASH "\"]", "head: bad seen" },
		{ "seen", "[1,\"" DRAFT_ID "\",1]", "head: bad seen" },
		{ "seen", "[[1],\"" DRAFT_ID "\"]", "head: bad seen" },
		{ "seen", "null", "head: bad seen" },
		{ "dev", "\"" DRAFT_DEV "\"", "head: dev or old behind seq 1" },
		{ "old", "[\"" DRAFT_ID "\",9,\"" DRAFT_HASH "\"]",
		    "head: dev or old behind seq 1" },
		{ "extra", "1", "head: unknown member" },
		{ "", "1", "head: unknown member" },
		{ "V", "1", "head: unknown member" },
	};

	(void)state;
	expect_whole("the draft itself");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		draft_init(&d);
		draft_head(&d, bad[i].name, bad[i].value);
		expect_malformed(bad[i].name, bad[i].why);
	}
	draft_init(&d);
	draft_head_again(&d, "by", "\"officer\"");
	expect_malformed("by twice", "duplicate name");
	draft_init(&d);
	draft_head(&d, "wall", "1.5");
	expect_malformed("no I-JSON", "not an integer");
}

/* Catches a first entry of a chain that names no device, or an old chain that
 * is told wrongly. */
static void
test_entry_first_of_a_chain_names_its_device(void **state)
{
	static const char *bad_dev[] = { "\"\"", "1",
		"\"abcdefghijklmnopqrstuvwxy\"",
		"\"abcdefghijklmnopqrstuvwxyab\"",
		"\"abcdefghijklmnopqrstuvwxyA\"",
		"\"abcdefghijklmnopqrstuvwx1a\"",
		/* two bits that belong to no byte are set: a second name */
		"\"abcdefghijklmnopqrstuvwxyb\"" };
	static const char *bad_old[] = { "[]", "[\"" DRAFT_ID "\",9]",
		"[\"" DRAFT_ID "\",-1,\"" DRAFT_HASH "\"]",
		"[\"" DRAFT_ID "\",9,\"" DRAFT_ID "\"]",
		"[\"" DRAFT_ID "\",\"9\",\"" DRAFT_HASH "\"]", "null" };

	(void)state;
	draft_head(&d, "seq", "1");
	expect_malformed("no dev", "head: no dev at seq 1");
	draft_head(&d, "dev", "\"" DRAFT_DEV "\"");
	expect_whole("dev");
	for (size_t i = 0; i < sizeof(bad_dev) / sizeof(*bad_dev); i++) {
		draft_head(&d, "dev", bad_dev[i]);
		expect_malformed(bad_dev[i], "head: bad dev");
	}
	draft_head(&d, "dev", "\"" DRAFT_DEV "\"");
	draft_head(&d, "old", "[\"" DRAFT_ID "\",0,\"" DRAFT_HASH "\"]");
	expect_whole("old with no entry");
	for (size_t i = 0; i < sizeof(bad_old) / sizeof(*bad_old); i++) {
		draft_head(&d, "old", bad_old[i]);
		expect_malformed(bad_old[i], "head: bad old");
	}
}

/* Catches a verb whose right form is refused (B). */
static void
test_entry_every_verb_in_its_right_form_is_whole(void **state)
{
	static const struct {
		const char *verb, *on, *data, *reason, *more;
		enum verb is;
	} good[] = {
		{ "open", "[]", "[]", NULL, NULL, DO_OPEN },
		{ "open", "[\"a\",\"b/c\",\"" ITEM "/d\"]", "[\"\",-1,null]",
		    NULL, NULL, DO_OPEN },
		{ "set", "[\"a\"]", "[true]", NULL, NULL, DO_SET },
		{ "set", "[\"a\"]", "[false]", "x", "{}", DO_SET },
		{ "amend", "[\"a\"]", "[null]", "x", NULL, DO_AMEND },
		{ "add", "[\"items\"]", "[null]", NULL, NULL, DO_ADD },
		{ "add", "[\"items\",\"a\",\"b/c\"]", "[null,1,\"x\"]", NULL,
		    NULL, DO_ADD },
		{ "add", "[\"items\",\"items\"]", "[null,1]", NULL, NULL,
		    DO_ADD },
		{ "add", "[\"" ITEM "/renewals\",\"a\"]", "[null,1]", NULL,
		    NULL, DO_ADD },
		{ "drop", "[\"" ITEM "\"]", "[null]", "x", NULL, DO_DROP },
		{ "drop", "[\"@" DRAFT_ID "\",\"@" ID_B "\"]", "[null,null]",
		    "x", NULL, DO_DROP },
		{ "keep", "[\"" ITEM "\"]", "[null]", "x", NULL, DO_KEEP },
		{ "advance", "[\"signed\"]", "[null]", NULL, NULL, DO_ADVANCE },
		{ "link", "[\"" DRAFT_REC "\",\"same_as\"]", "[null,null]",
		    NULL, NULL, DO_LINK },
		{ "link", "[\"" DRAFT_REC "\",\"none\"]", "[null,null]", "x",
		    NULL, DO_LINK },
		{ "sign", "[\"\"]", "[null]", NULL,
		    "{\"shown\":\"" DRAFT_HASH "\",\"how\":\"signed\"}",
		    DO_SIGN },
		{ "sign", "[\"warrant\",\"" ITEM "\"]", "[null,null]", NULL,
		    "{\"how\":\"refused\",\"shown\":\"" DRAFT_HASH
		    "\",\"person\":\"x\"}",
		    DO_SIGN },
		{ "sign", "[\"a\"]", "[null]", NULL,
		    "{\"shown\":\"\\u003010112233445566778899aabbccddeef"
		    "00112233445566778899aabbccddeeff\",\"how\":"
		    "\"l\\u0065ft\"}",
		    DO_SIGN },
		{ "attach", "[\"\"]", "[\"" DRAFT_HASH "\"]", NULL, NULL,
		    DO_ATTACH },
		{ "attach", "[\"@" DRAFT_ID "\"]", "[\"" DRAFT_HASH "\"]", NULL,
		    "{\"size\":1}", DO_ATTACH },
		{ "note", "[\"" ITEM "\"]", "[\"text\"]", NULL, NULL, DO_NOTE },
		{ "approve", "[\"@" DRAFT_ID "\"]", "[true]", NULL,
		    "{\"number\":\"1\"}", DO_APPROVE },
		{ "approve", "[\"warrant\"]", "[false]", "x", NULL,
		    DO_APPROVE },
		{ "release", "[\"" ITEM "\",\"a\"]", "[null,null]", NULL, NULL,
		    DO_RELEASE },
		{ "release", "[\"\"]", "[null]", NULL, NULL, DO_RELEASE },
		{ "void", "[\"\"]", "[null]", "x", NULL, DO_VOID },
		{ "print", "[\"\"]", "[null]", NULL, "{\"form\":\"x\"}",
		    DO_PRINT },
		{ "hold", "[\"" DRAFT_ID "\",\"" ID_B "\"]", "[null,null]", "x",
		    NULL, DO_HOLD },
		{ "admit", "[\"" DRAFT_ID "\"]", "[null]", NULL, NULL,
		    DO_ADMIT },
	};
	bool seen[DO_COUNT] = { false };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char verb[32];

		draft_init(&d);
		(void)snprintf(verb, sizeof(verb), "\"%s\"", good[i].verb);
		draft_verb(&d, verb, good[i].on, good[i].data);
		if (good[i].reason != NULL)
			draft_body(&d, "reason", "\"x\"");
		draft_body(&d, "more", good[i].more);
		expect_whole(good[i].verb);
		EXPECT(e.verb == good[i].is);
		EXPECT(strcmp(verb_name(e.verb), good[i].verb) == 0);
		EXPECT(verb_of(bytes_str(good[i].verb)) == good[i].is);
		seen[e.verb] = true;
		/* Without its reason: blind exactly where it must have one. */
		if (verb_needs_reason(e.verb)) {
			draft_body(&d, "reason", NULL);
			expect_blind(good[i].verb, "body: no reason");
			draft_body(&d, "reason", "\"\"");
			expect_blind(good[i].verb, "body: reason is no text");
		}
	}
	for (int v = DO_NONE + 1; v < DO_COUNT; v++)
		EXPECT(seen[v]);
	EXPECT(strcmp(verb_name(DO_NONE), "") == 0);
	EXPECT(verb_of(bytes_str("")) == DO_NONE);
}

/* Catches names in `on` that the verb does not allow (B). */
static void
test_entry_names_that_the_verb_forbids_are_malformed(void **state)
{
	static const char count[] = "head: wrong number of names in on";
	static const char bad[] = "head: bad name in on";
	static const char twice[] = "head: a name twice in on";
	static const struct {
		const char *verb, *on, *why;
	} on[] = {
		{ "\"open\"", "[\"\"]", bad },
		{ "\"open\"", "[\"" ITEM "\"]", bad },
		{ "\"open\"", "[\"a\",\"b\",\"a\"]", twice },
		{ "\"set\"", "[]", count },
		{ "\"set\"", "[\"\"]", bad },
		{ "\"set\"", "[\"A\"]", bad },
		{ "\"set\"", "[\"@" DRAFT_ID "\"]", bad },
		{ "\"set\"", "[\"" ITEM "\"]", bad },
		{ "\"set\"", "[\"a\",\"a\"]", twice },
		{ "\"set\"", "[\"a\",\"\\u0061\"]", twice },
		{ "\"amend\"", "[]", count },
		{ "\"amend\"", "[\"@" DRAFT_ID "\"]", bad },
		{ "\"add\"", "[]", count },
		{ "\"add\"", "[\"\"]", bad },
		{ "\"add\"", "[\"" ITEM "\"]", bad },
		{ "\"add\"", "[\"items\",\"" ITEM "/a\"]", bad },
		{ "\"add\"", "[\"items\",\"\"]", bad },
		{ "\"add\"", "[\"items\",\"a\",\"a\"]", twice },
		{ "\"drop\"", "[]", count },
		{ "\"drop\"", "[\"items\"]", bad },
		{ "\"drop\"", "[\"\"]", bad },
		{ "\"drop\"", "[\"" ITEM "\",\"" ITEM "\"]", twice },
		{ "\"keep\"", "[]", count },
		{ "\"keep\"", "[\"items\"]", bad },
		{ "\"advance\"", "[]", count },
		{ "\"advance\"", "[\"a\",\"b\"]", count },
		{ "\"advance\"", "[\"a/b\"]", bad },
		{ "\"advance\"", "[\"\"]", bad },
		{ "\"link\"", "[\"" DRAFT_REC "\"]", count },
		{ "\"link\"", "[\"same_as\",\"" DRAFT_REC "\"]", bad },
		{ "\"link\"", "[\"" DRAFT_REC "\",\"Same\"]", bad },
		{ "\"link\"", "[\"" DRAFT_REC "\",\"a\",\"b\"]", count },
		{ "\"sign\"", "[]", count },
		{ "\"sign\"", "[\"@" DRAFT_ID "\"]", bad },
		{ "\"sign\"", "[\"a\",\"a\"]", twice },
		{ "\"attach\"", "[]", count },
		{ "\"attach\"", "[\"a\",\"b\"]", count },
		{ "\"attach\"", "[\"a//b\"]", bad },
		{ "\"note\"", "[]", count },
		{ "\"note\"", "[\"a\",\"b\"]", count },
		{ "\"approve\"", "[\"\"]", bad },
		{ "\"approve\"", "[\"a\",\"b\"]", count },
		{ "\"release\"", "[]", count },
		{ "\"release\"", "[\"@" DRAFT_ID "\"]", bad },
		{ "\"void\"", "[]", count },
		{ "\"void\"", "[\"a\"]", bad },
		{ "\"void\"", "[\"\",\"\"]", count },
		{ "\"print\"", "[\"a\"]", bad },
		{ "\"hold\"", "[]", count },
		{ "\"hold\"", "[\"@" DRAFT_ID "\"]", bad },
		{ "\"hold\"", "[\"" DRAFT_ID "\",\"" DRAFT_ID "\"]", twice },
		{ "\"hold\"",
		    "[\"" DRAFT_ID "\",\"" ID_B "\",\"" DRAFT_REC "\"]", bad },
		{ "\"admit\"", "[\"" DRAFT_REC "\"]", bad },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(on) / sizeof(on[0]); i++) {
		draft_init(&d);
		draft_verb(&d, on[i].verb, on[i].on, "[null]");
		expect_malformed(on[i].on, on[i].why);
	}
}

/* Catches values that the verb does not allow (B): blind, never malformed. */
static void
test_entry_values_that_the_verb_forbids_are_blind(void **state)
{
	static const char bad[] = "body: bad value in data";
	static const char len[] = "body: data is not as long as on";
	static const struct {
		const char *verb, *on, *data, *more, *why;
	} data[] = {
		{ "\"set\"", "[\"a\"]", "[]", NULL, len },
		{ "\"set\"", "[\"a\"]", "[1,2]", NULL, len },
		{ "\"set\"", "[\"a\"]", "[[]]", NULL, bad },
		{ "\"set\"", "[\"a\"]", "[{}]", NULL, bad },
		{ "\"set\"", "[\"a\"]", "[[1]]", NULL, bad },
		{ "\"set\"", "[\"a\",\"b\"]", "[[1],2]", NULL, bad },
		{ "\"set\"", "[\"a\"]", "{}", NULL, "body: no data" },
		{ "\"set\"", "[\"a\"]", "1", NULL, "body: no data" },
		{ "\"set\"", "[\"a\"]", NULL, NULL, "body: no data" },
		{ "\"open\"", "[]", "[1]", NULL, len },
		{ "\"add\"", "[\"items\"]", "[1]", NULL, bad },
		{ "\"add\"", "[\"items\",\"a\"]", "[null,[]]", NULL, bad },
		{ "\"advance\"", "[\"a\"]", "[1]", NULL, bad },
		{ "\"link\"", "[\"" DRAFT_REC "\",\"a\"]", "[null,1]", NULL,
		    bad },
		{ "\"attach\"", "[\"\"]", "[null]", NULL, bad },
		{ "\"attach\"", "[\"\"]", "[\"" DRAFT_ID "\"]", NULL, bad },
		{ "\"attach\"", "[\"\"]", "[\"" DRAFT_HASH "0\"]", NULL, bad },
		{ "\"note\"", "[\"\"]", "[\"\"]", NULL, bad },
		{ "\"note\"", "[\"\"]", "[null]", NULL, bad },
		{ "\"note\"", "[\"\"]", "[1]", NULL, bad },
		{ "\"approve\"", "[\"a\"]", "[null]", NULL, bad },
		{ "\"approve\"", "[\"a\"]", "[1]", NULL, bad },
		{ "\"release\"", "[\"a\"]", "[1]", NULL, bad },
		{ "\"print\"", "[\"\"]", "[\"\"]", NULL, bad },
		{ "\"hold\"", "[\"" DRAFT_ID "\"]", "[true]", NULL, bad },
		{ "\"sign\"", "[\"a\"]", "[1]", NULL, bad },
		{ "\"sign\"", "[\"a\"]", "[null]", NULL,
		    "body: a sign without more" },
		{ "\"sign\"", "[\"a\"]", "[null]", "{\"how\":\"signed\"}",
		    "body: a sign without shown" },
		{ "\"sign\"", "[\"a\"]", "[null]",
		    "{\"how\":\"signed\",\"shown\":\"" DRAFT_ID "\"}",
		    "body: a sign without shown" },
		{ "\"sign\"", "[\"a\"]", "[null]",
		    "{\"shown\":\"" DRAFT_HASH "\"}",
		    "body: a sign without how" },
		{ "\"sign\"", "[\"a\"]", "[null]",
		    "{\"shown\":\"" DRAFT_HASH "\",\"how\":\"perhaps\"}",
		    "body: a sign without how" },
		{ "\"sign\"", "[\"a\"]", "[null]",
		    "{\"shown\":\"" DRAFT_HASH "\",\"how\":1}",
		    "body: a sign without how" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
		draft_init(&d);
		draft_verb(&d, data[i].verb, data[i].on, data[i].data);
		draft_body(&d, "more", data[i].more);
		expect_blind(data[i].verb, data[i].why);
	}
}

/* Catches a wrong body that is taken, or makes the whole entry malformed. */
static void
test_entry_with_a_wrong_body_is_blind(void **state)
{
	struct bytes raw;

	(void)state;
	draft_body(&d, "salt", NULL);
	expect_blind("no salt", "body: no salt of 16 bytes");
	draft_body(&d, "salt", "\"00\"");
	expect_blind("short salt", "body: no salt of 16 bytes");
	draft_init(&d);
	draft_body(&d, "reason", "null");
	expect_blind("reason null", "body: reason is no text");
	draft_init(&d);
	draft_body(&d, "more", "[]");
	expect_blind("more list", "body: more is no object");
	draft_init(&d);
	draft_body(&d, "note", "1");
	expect_blind("unknown", "body: unknown member");
	draft_init(&d);
	draft_body(&d, "data", "[1.5]");
	expect_blind("no I-JSON", "not an integer");
	draft_init(&d);
	draft_head(&d, "body", "\"" DRAFT_HASH "\"");
	expect_blind("other hash", "body: not the one that the head names");

	draft_init(&d);
	draft_write(&d, &b);
	EXPECT_OK(entry_parse(&e, buf_view(&b)));
	raw = e.head_line;
	EXPECT_OK(entry_parse(&e, raw));
	EXPECT(strcmp(e.body_why, "body: absent") == 0);
	EXPECT(e.body_is == ENTRY_BODY_BLIND && e.verb == DO_SET);
	raw.len++; /* the LF, and an empty line behind it */
	EXPECT_OK(entry_parse(&e, raw));
	EXPECT(e.body_is == ENTRY_BODY_BLIND && e.body_line.len == 0);
	raw.len = b.len;
	buf_str(&b, "\n");
	raw = buf_view(&b);
	EXPECT_OK(entry_parse(&e, raw));
	EXPECT(e.body_is == ENTRY_BODY_BLIND);
}

/* Catches a malformed entry of which more, or less, is told than can be. */
static void
test_entry_malformed_still_gives_place_and_causality(void **state)
{
	(void)state;
	draft_head(&d, "v", "2");
	draft_head(&d, "rec", "\"\\u00301890a5d-ac96-774b-bcce-b302099a8057\"");
	expect_malformed("newer", "head: bad v");
	EXPECT(e.v == 2 && e.seq == 2 && e.causal && e.after_count == 1);
	EXPECT_BYTES(e.rec, bytes_str(DRAFT_REC));
	EXPECT(e.chain[1] == 0x11 && e.wall == UINT64_C(1743454801000));
	EXPECT(e.mono == 0 && e.boot[1] == 0 && e.body_hash[1] == 0);

	draft_init(&d);
	draft_head(&d, "after", "[\"" ID_B "\",\"" DRAFT_ID "\"]");
	expect_malformed("after", "head: bad after");
	EXPECT(!e.causal && e.after_count == 0 && e.wall != 0);

	draft_init(&d);
	draft_head(&d, "wall", "\"x\"");
	expect_malformed("wall", "head: bad wall");
	EXPECT(!e.causal && e.wall == 0 && e.after_count == 1);

	draft_init(&d);
	draft_head(&d, "rec", "1");
	draft_head(&d, "chain", "\"0011223344556677889\"");
	expect_malformed("rec", "head: bad chain");
	EXPECT(!e.causal && e.rec.len == 0 && e.chain[1] == 0);

	draft_init(&d);
	draft_head(&d, "by", "1.5");
	expect_malformed("JSON", "not an integer");
	EXPECT(!e.causal && e.seq == 0 && e.after_count == 0);

	EXPECT_ST(entry_parse(&e, bytes_str("")), ST_INVALID);
	EXPECT(strcmp(e.why, "empty") == 0);
	EXPECT_ST(entry_parse(&e, bytes_str("\n{}")), ST_INVALID);
	EXPECT_ST(entry_parse(&e, (struct bytes){ NULL, 0 }), ST_INVALID);
}

/* Catches what is left of one entry and shows in the next. */
static void
test_entry_nothing_of_the_last_entry_stays(void **state)
{
	(void)state;
	draft_head(&d, "seq", "1");
	draft_head(&d, "seen", "[77,\"" DRAFT_ID "\"]");
	draft_head(&d, "dev", "\"" DRAFT_DEV "\"");
	draft_head(&d, "old", "[\"" DRAFT_ID "\",9,\"" DRAFT_HASH "\"]");
	draft_verb(&d, "\"amend\"", "[\"a\",\"b\"]", "[1,2]");
	draft_body(&d, "reason", "\"x\"");
	draft_body(&d, "more", "{}");
	expect_whole("first");
	draft_init(&d);
	draft_head(&d, "after", "[]");
	expect_whole("second");
	EXPECT(e.on_count == 1 && e.after_count == 0 && !e.has_seen);
	EXPECT(!e.has_old && e.dev[0] == '\0' && e.reason == 0 && e.more == 0);
	EXPECT(e.seen_size == 0 && e.old_seq == 0);
	EXPECT_ST(entry_parse(&e, bytes_str("x")), ST_INVALID);
	EXPECT(e.seq == 0 && e.rec.len == 0 && e.wall == 0 && !e.causal);
	EXPECT(e.body.count == 0 && e.head.count == 0);
}

/* A value of `data` that makes the whole entry `total` bytes long. */
static void
draft_of_length(size_t total)
{
	static char data[2 * ENTRY_BYTES_MAX];
	size_t len;

	draft_init(&d);
	draft_body(&d, "data", "[\"\"]");
	draft_write(&d, &b);
	len = total - b.len;
	EXPECT(b.len < total && len + 5 < sizeof(data));
	memcpy(data, "[\"", 2);
	memset(data + 2, 'x', len);
	memcpy(data + 2 + len, "\"]", 3);
	draft_body(&d, "data", data);
	draft_write(&d, &b);
	EXPECT(b.len == total);
}

/* Catches the limit of an entry that is one off; a body over it blinds. */
static void
test_entry_of_64_kib_stands_and_one_byte_more_is_blind(void **state)
{
	(void)state;
	draft_of_length(ENTRY_BYTES_MAX - 1);
	expect_whole("limit - 1");
	draft_of_length(ENTRY_BYTES_MAX);
	expect_whole("limit");
	draft_of_length(ENTRY_BYTES_MAX + 1);
	expect_blind("limit + 1", "body: too long");
}

/* A head line of exactly `total` bytes, the officer's name being long. */
static void
head_of_length(size_t total)
{
	static char by[2 * ENTRY_BYTES_MAX];
	size_t len;

	draft_init(&d);
	draft_head(&d, "by", "\"x\"");
	draft_write(&d, &b);
	EXPECT_OK(entry_parse(&e, buf_view(&b)));
	len = total - e.head_line.len + 1;
	EXPECT(len + 3 < sizeof(by));
	by[0] = '"';
	memset(by + 1, 'x', len);
	memcpy(by + 1 + len, "\"", 2);
	draft_head(&d, "by", by);
	draft_write(&d, &b);
}

/* Catches the limit of a head: with its LF it must fit into an entry. */
static void
test_entry_head_of_64_kib_less_one_stands(void **state)
{
	(void)state;
	head_of_length(ENTRY_BYTES_MAX - 1);
	EXPECT_OK(entry_parse(&e, buf_view(&b)));
	EXPECT(strcmp(e.body_why, "body: too long") == 0);
	EXPECT_OK(entry_parse(&e, e.head_line));
	head_of_length(ENTRY_BYTES_MAX);
	expect_malformed("head", "head: too long");
}

/* `count` names or ids as a JSON array: "prefix000001","prefix000002" ... */
static const char *
array_of(struct buf *out, const char *prefix, size_t count)
{
	buf_reset(out);
	buf_str(out, "[");
	for (size_t i = 0; i < count; i++)
		buf_printf(out, "%s\"%s%06zu\"", i > 0 ? "," : "", prefix, i);
	buf_str(out, "]");
	return buf_cstr(out);
}

/* Catches the limits of `on` and `after` that are one off, and a repeat among
 * very many. */
static void
test_entry_counts_of_names_hold(void **state)
{
	struct buf list, data;
	char *last;

	(void)state;
	buf_init(&list, 1 << 20);
	buf_init(&data, 1 << 20);
	for (size_t n = ON_COUNT_MAX - 1; n <= ON_COUNT_MAX + 1; n++) {
		draft_init(&d);
		draft_head(&d, "on", array_of(&list, "a", n));
		buf_reset(&data);
		buf_str(&data, "[1");
		for (size_t i = 1; i < n; i++)
			buf_str(&data, ",1");
		buf_str(&data, "]");
		draft_body(&d, "data", buf_cstr(&data));
		if (n <= ON_COUNT_MAX)
			expect_whole("on");
		else
			expect_malformed("on", "head: bad on");
	}
	draft_head(&d, "on", array_of(&list, "a", 1000));
	last = strstr((char *)list.p, "a000999");
	EXPECT(last != NULL);
	memcpy(last, "a000123", 7);
	expect_malformed("repeat", "head: a name twice in on");
	for (size_t n = AFTER_COUNT_MAX - 1; n <= AFTER_COUNT_MAX + 1; n++) {
		draft_init(&d);
		draft_head(&d, "after",
		    array_of(&list, "00112233445566778899aabbcc", n));
		if (n <= AFTER_COUNT_MAX)
			expect_whole("after");
		else
			expect_malformed("after", "head: bad after");
	}
	buf_free(&list);
	buf_free(&data);
}

/* Catches an item whose own path, or its fields', would be too long (A8). */
static void
test_entry_add_leaves_room_for_the_item(void **state)
{
	char on[600], name[PATH_BYTES_MAX + 1];
	size_t list = 100, left = PATH_BYTES_MAX - list - 34;

	(void)state;
	memset(name, 'a', sizeof(name));
	for (size_t i = 30; i < sizeof(name); i += 31)
		name[i] = '/';
	for (size_t more = 0; more < 2; more++) {
		draft_init(&d);
		(void)snprintf(on, sizeof(on), "[\"%.*s\",\"%.*s\"]", (int)list,
		    name, (int)(left - 1 + more), name);
		draft_verb(&d, "\"add\"", on, "[null,1]");
		if (more == 0)
			expect_whole("add");
		else
			expect_malformed("add", "head: path too long");
	}
	for (size_t more = 0; more < 2; more++) {
		draft_init(&d);
		(void)snprintf(on, sizeof(on), "[\"%.*s\"]",
		    (int)(PATH_BYTES_MAX - 34 + more), name);
		draft_verb(&d, "\"add\"", on, "[null]");
		if (more == 0)
			expect_whole("add");
		else
			expect_malformed("add", "head: path too long");
	}
}

/* Catches a reader that goes past the end, or takes a piece for the whole:
 * cut in the head malformed, cut behind it blind. */
static void
test_entry_truncated_at_each_length(void **state)
{
	size_t head, whole;

	(void)state;
	expect_whole("draft");
	head = e.head_line.len;
	whole = b.len;
	for (size_t n = 0; n < whole; n++) {
		uint8_t *copy = malloc(n == 0 ? 1 : n);
		enum status st;

		EXPECT(copy != NULL);
		memcpy(copy, b.p, n);
		st = entry_parse(&e, bytes_of(copy, n));
		if (n < head)
			EXPECT_ST(st, ST_INVALID);
		else
			EXPECT_OK(st);
		EXPECT(e.body_is == ENTRY_BODY_BLIND);
		free(copy);
	}
}

/* Catches a flipped bit that changes nothing that the reader or the chain
 * would notice: in the head the digest changes, in the body it goes blind. */
static void
test_entry_no_flipped_bit_goes_unnoticed(void **state)
{
	uint8_t digest[HASH_LEN], got[HASH_LEN];
	size_t head;

	(void)state;
	expect_whole("draft");
	head = e.head_line.len;
	entry_digest(digest, buf_view(&b));
	for (size_t bit = 0; bit < b.len * 8; bit++) {
		enum status st;

		b.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		st = entry_parse(&e, buf_view(&b));
		EXPECT(st == ST_OK || st == ST_INVALID);
		entry_digest(got, buf_view(&b));
		if (bit / 8 <= head) {
			EXPECT(memcmp(digest, got, HASH_LEN) != 0);
		} else {
			EXPECT(st == ST_OK);
			EXPECT(e.body_is == ENTRY_BODY_BLIND);
			EXPECT(memcmp(digest, got, HASH_LEN) == 0);
		}
		b.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* Catches a reading of the model's entries that is not the model's.  Its
 * `hold` and `admit` are of an older form and malformed by now. */
static void
test_entry_golden_vectors(void **state)
{
	struct vectors v;
	uint32_t list, c, n, entries;
	size_t whole = 0, malformed = 0;

	(void)state;
	vectors_open(&v, "entry-v1.json");
	list = vectors_get(&v, 0, "chains");
	for (c = json_first(&v.j, list); c < json_end(&v.j, list);
	     c = v.j.node[c].next) {
		entries = vectors_get(&v, c, "entries");
		for (n = json_first(&v.j, entries); n < json_end(&v.j, entries);
		     n = v.j.node[n].next) {
			struct bytes raw = vectors_str(&v, n, "bytes");

			if (entry_parse(&e, raw) == ST_INVALID) {
				EXPECT(
				    strcmp(e.why, "head: bad name in on") == 0);
				malformed++;
				continue;
			}
			EXPECT(e.body_is == ENTRY_BODY_WHOLE);
			whole++;
		}
	}
	assert_int_equal(whole, 16);
	assert_int_equal(malformed, 2);
	vectors_close(&v);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_entry_every_member_is_read),
		T(test_entry_escapes_and_order_of_members_are_free),
		T(test_entry_head_with_one_member_wrong_is_malformed),
		T(test_entry_first_of_a_chain_names_its_device),
		T(test_entry_every_verb_in_its_right_form_is_whole),
		T(test_entry_names_that_the_verb_forbids_are_malformed),
		T(test_entry_values_that_the_verb_forbids_are_blind),
		T(test_entry_with_a_wrong_body_is_blind),
		T(test_entry_malformed_still_gives_place_and_causality),
		T(test_entry_nothing_of_the_last_entry_stays),
		T(test_entry_of_64_kib_stands_and_one_byte_more_is_blind),
		T(test_entry_head_of_64_kib_less_one_stands),
		T(test_entry_counts_of_names_hold),
		T(test_entry_add_leaves_room_for_the_item),
		T(test_entry_truncated_at_each_length),
		T(test_entry_no_flipped_bit_goes_unnoticed),
		T(test_entry_golden_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
