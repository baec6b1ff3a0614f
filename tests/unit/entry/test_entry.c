#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include "base/sha.h"
#include "entry/entry.h"
#include "support/entries.h"
#include "support/vectors.h"

#define ID_B "10112233445566778899aabbccddeeff"

static struct trial t;

static int
begin(void **state)
{
	(void)state;
	trial_init(&t);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	trial_free(&t);
	return 0;
}

static void
record_of(struct bytes raw, bool sound, const char *want)
{
	struct entry e;
	struct bytes rec;
	enum verb verb;

	entry_init(&e);
	EXPECT_OK(entry_glance(&e, raw, sound, &rec, &verb));
	EXPECT_BYTES(rec, bytes_str(want));
	EXPECT(verb == (want[0] == '\0' ? DO_NONE : t.e.verb));
	entry_free(&e);
}

/* Catches a record taken from a text, a path or a body that only looks like
 * the member, and one that is missed where its name or value has an escape. */
static void
test_entry_record_is_found_without_reading(void **state)
{
	static const char other[] = "\"rec\":\"" DRAFT_REC;
	static const char *const by[] = {
		"\"officer\"", "\"rec\"",
		"\"\\\"rec\\\":\\\"00000000-0000-7000-8000-000000000000\\\"\""
	};

	(void)state;
	for (size_t i = 0; i < sizeof(by) / sizeof(by[0]); i++) {
		draft_head(&t.d, "by", by[i]);
		trial_whole(&t, by[i]);
		record_of(t.e.raw, true, DRAFT_REC);
		record_of(t.e.raw, false, DRAFT_REC);
		record_of(t.e.head_line, true, DRAFT_REC);
	}
	/* Valid JSON of an escape: found by reading. */
	draft_head(&t.d, "rec",
	    "\"\\u0030"
	    "1890a5d-ac96-774b-bcce-b302099a8057\"");
	trial_whole(&t, "an escape");
	record_of(t.e.raw, true, DRAFT_REC);
	draft_head(&t.d, "rec", "\"" DRAFT_REC "\"");
	draft_verb(&t.d, "\"n\\u006fte\"", "[\"\"]", "[\"\\\"do\\\":\"]");
	trial_whole(&t, "a verb with an escape");
	EXPECT(t.e.verb == DO_NOTE);
	record_of(t.e.raw, true, DRAFT_REC);
	record_of(bytes_str("{\"r\\u0065c\":1}"), true, "");
	record_of(bytes_str(""), true, "");
	record_of(bytes_str("{}\n"), true, "");
	record_of(
	    bytes_str("{\"v\":1}\n{\"rec\":\"" DRAFT_REC "\"}"), true, "");
	record_of(bytes_str(other), true, ""); /* cut short */
}

/* Catches a member that is read wrongly. */
static void
test_entry_every_member_is_read(void **state)
{
	static const uint8_t id[ID_LEN] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55,
		0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	uint8_t hash[HASH_LEN];

	(void)state;
	draft_head(&t.d, "seq", "1");
	draft_head(&t.d, "seen", "[77,\"" DRAFT_ID "\"]");
	draft_head(&t.d, "dev", "\"" DRAFT_DEV "\"");
	draft_head(&t.d, "old", "[\"" DRAFT_ID "\",9,\"" DRAFT_HASH "\"]");
	draft_head(&t.d, "after", "[\"" DRAFT_ID "\",\"" ID_B "\"]");
	draft_verb(
	    &t.d, "\"amend\"", "[\"warrant/no\",\"place\"]", "[\"a\",3]");
	draft_body(&t.d, "reason", "\"slip\"");
	draft_body(&t.d, "more", "{\"x\":[1]}");
	trial_whole(&t, "all members");
	EXPECT(t.e.v == 1 && t.e.causal);
	EXPECT_BYTES(t.e.court, bytes_str("xz0302"));
	EXPECT_BYTES(bytes_of(t.e.chain, CHAIN_LEN), bytes_of(id, ID_LEN));
	EXPECT(t.e.seq == 1 && t.e.verb == DO_AMEND);
	EXPECT_BYTES(t.e.rec, bytes_str(DRAFT_REC));
	EXPECT_BYTES(t.e.kind, bytes_str("search@2"));
	EXPECT_BYTES(t.e.by, bytes_str("officer"));
	EXPECT_BYTES(t.e.at, bytes_str("2025-04-01T05:00:01+08:00"));
	EXPECT(t.e.wall == UINT64_C(1743454801000) && t.e.mono == 12);
	EXPECT_BYTES(bytes_of(t.e.boot, BOOT_LEN), bytes_of(id, ID_LEN));
	EXPECT(t.e.on_count == 2 && t.e.after_count == 2);
	EXPECT_BYTES(t.e.on[0], bytes_str("warrant/no"));
	EXPECT_BYTES(t.e.on[1], bytes_str("place"));
	EXPECT_BYTES(bytes_of(t.e.after[0], ID_LEN), bytes_of(id, ID_LEN));
	EXPECT(t.e.after[1][0] == 0x10 && t.e.after[1][15] == 0xff);
	EXPECT(t.e.has_seen && t.e.seen_size == 77);
	EXPECT_BYTES(bytes_of(t.e.seen_root, ID_LEN), bytes_of(id, ID_LEN));
	EXPECT(strcmp(t.e.dev, DRAFT_DEV) == 0);
	EXPECT(t.e.has_old && t.e.old_seq == 9);
	EXPECT_BYTES(bytes_of(t.e.old_chain, CHAIN_LEN), bytes_of(id, ID_LEN));
	EXPECT(memcmp(t.e.old_link, id, 16) == 0 &&
	       memcmp(t.e.old_link + 16, id, 16) == 0);
	sha256(hash, t.e.body_line);
	EXPECT_BYTES(
	    bytes_of(t.e.body_hash, HASH_LEN), bytes_of(hash, HASH_LEN));
	EXPECT(json_is(&t.e.body, entry_value(&t.e, 0), "a"));
	EXPECT(t.e.body.node[entry_value(&t.e, 1)].num == 3);
	EXPECT(json_is(&t.e.body, t.e.reason, "slip"));
	EXPECT(json_get(&t.e.body, t.e.more, "x") != 0);
}

/* Catches a meaning that depends on how a member is spelled or placed. */
static void
test_entry_escapes_and_order_of_members_are_free(void **state)
{
	struct draft_member first;

	(void)state;
	draft_head(&t.d, "court", "\"\\u0078z\\n\"");
	draft_head(&t.d, "by", "\"\xe5\xbc\xa0\\u4e09\"");
	draft_head(&t.d, "do", "\"\\u0073et\"");
	draft_head(&t.d, "on", "[\"warrant\\/no\",\"pl\\u0061ce\"]");
	draft_head(
	    &t.d, "rec", "\"\\u00301890a5d-ac96-774b-bcce-b302099a8057\"");
	draft_head(&t.d, "kind", "\"search\\u00402\"");
	draft_head(&t.d, "at", "\"2025-04-01\\u005405:00:01Z\"");
	draft_head(&t.d, "chain", "\"\\u003010112233445566778899aabbccddeef\"");
	draft_head(
	    &t.d, "after", "[\"\\u003010112233445566778899aabbccddeef\"]");
	draft_head(&t.d, "s\\u0065en", "[0,\"" DRAFT_ID "\"]");
	draft_body(&t.d, "data", "[\"\\u0061\",null]");
	first = t.d.head[0];
	memmove(t.d.head, t.d.head + 1, (t.d.head_count - 1) * sizeof(first));
	t.d.head[t.d.head_count - 1] = first;
	trial_whole(&t, "escapes");
	EXPECT_BYTES(t.e.court, bytes_str("xz\n"));
	EXPECT_BYTES(t.e.by, bytes_str("\xe5\xbc\xa0\xe4\xb8\x89"));
	EXPECT(t.e.verb == DO_SET && t.e.has_seen && t.e.v == 1);
	EXPECT_BYTES(t.e.on[0], bytes_str("warrant/no"));
	EXPECT_BYTES(t.e.on[1], bytes_str("place"));
	EXPECT_BYTES(t.e.rec, bytes_str(DRAFT_REC));
	EXPECT_BYTES(t.e.kind, bytes_str("search@2"));
	EXPECT_BYTES(t.e.at, bytes_str("2025-04-01T05:00:01Z"));
	EXPECT(t.e.chain[0] == 0x01 && t.e.after[0][0] == 0x01);
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
	trial_whole(&t, "the draft itself");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		draft_init(&t.d);
		draft_head(&t.d, bad[i].name, bad[i].value);
		trial_malformed(&t, bad[i].name, bad[i].why);
	}
	draft_init(&t.d);
	draft_head_again(&t.d, "by", "\"officer\"");
	trial_malformed(&t, "by twice", "duplicate name");
	draft_init(&t.d);
	draft_head(&t.d, "wall", "1.5");
	trial_malformed(&t, "no I-JSON", "not an integer");
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
	draft_head(&t.d, "seq", "1");
	trial_malformed(&t, "no dev", "head: no dev at seq 1");
	draft_head(&t.d, "dev", "\"" DRAFT_DEV "\"");
	trial_whole(&t, "dev");
	for (size_t i = 0; i < sizeof(bad_dev) / sizeof(*bad_dev); i++) {
		draft_head(&t.d, "dev", bad_dev[i]);
		trial_malformed(&t, bad_dev[i], "head: bad dev");
	}
	draft_head(&t.d, "dev", "\"" DRAFT_DEV "\"");
	draft_head(&t.d, "old", "[\"" DRAFT_ID "\",0,\"" DRAFT_HASH "\"]");
	trial_whole(&t, "old with no entry");
	for (size_t i = 0; i < sizeof(bad_old) / sizeof(*bad_old); i++) {
		draft_head(&t.d, "old", bad_old[i]);
		trial_malformed(&t, bad_old[i], "head: bad old");
	}
}

/* Catches a malformed entry of which more, or less, is told than can be. */
static void
test_entry_malformed_still_gives_place_and_causality(void **state)
{
	(void)state;
	draft_head(&t.d, "v", "2");
	draft_head(
	    &t.d, "rec", "\"\\u00301890a5d-ac96-774b-bcce-b302099a8057\"");
	trial_malformed(&t, "newer", "head: bad v");
	EXPECT(
	    t.e.v == 2 && t.e.seq == 2 && t.e.causal && t.e.after_count == 1);
	EXPECT_BYTES(t.e.rec, bytes_str(DRAFT_REC));
	EXPECT(t.e.chain[1] == 0x11 && t.e.wall == UINT64_C(1743454801000));
	EXPECT(t.e.mono == 0 && t.e.boot[1] == 0 && t.e.body_hash[1] == 0);

	draft_init(&t.d);
	draft_head(&t.d, "after", "[\"" ID_B "\",\"" DRAFT_ID "\"]");
	trial_malformed(&t, "after", "head: bad after");
	EXPECT(!t.e.causal && t.e.after_count == 0 && t.e.wall != 0);

	draft_init(&t.d);
	draft_head(&t.d, "wall", "\"x\"");
	trial_malformed(&t, "wall", "head: bad wall");
	EXPECT(!t.e.causal && t.e.wall == 0 && t.e.after_count == 1);

	draft_init(&t.d);
	draft_head(&t.d, "rec", "1");
	draft_head(&t.d, "chain", "\"0011223344556677889\"");
	trial_malformed(&t, "rec", "head: bad chain");
	EXPECT(!t.e.causal && t.e.rec.len == 0 && t.e.chain[1] == 0);

	draft_init(&t.d);
	draft_head(&t.d, "by", "1.5");
	trial_malformed(&t, "JSON", "not an integer");
	EXPECT(!t.e.causal && t.e.seq == 0 && t.e.after_count == 0);

	EXPECT_ST(entry_parse(&t.e, bytes_str("")), ST_INVALID);
	EXPECT(strcmp(t.e.why, "empty") == 0);
	EXPECT_ST(entry_parse(&t.e, bytes_str("\n{}")), ST_INVALID);
	EXPECT_ST(entry_parse(&t.e, (struct bytes){ NULL, 0 }), ST_INVALID);
}

/* Catches what is left of one entry and shows in the next. */
static void
test_entry_nothing_of_the_last_entry_stays(void **state)
{
	(void)state;
	draft_head(&t.d, "seq", "1");
	draft_head(&t.d, "seen", "[77,\"" DRAFT_ID "\"]");
	draft_head(&t.d, "dev", "\"" DRAFT_DEV "\"");
	draft_head(&t.d, "old", "[\"" DRAFT_ID "\",9,\"" DRAFT_HASH "\"]");
	draft_verb(&t.d, "\"amend\"", "[\"a\",\"b\"]", "[1,2]");
	draft_body(&t.d, "reason", "\"x\"");
	draft_body(&t.d, "more", "{}");
	trial_whole(&t, "first");
	draft_init(&t.d);
	draft_head(&t.d, "after", "[]");
	trial_whole(&t, "second");
	EXPECT(t.e.on_count == 1 && t.e.after_count == 0 && !t.e.has_seen);
	EXPECT(!t.e.has_old && t.e.dev[0] == '\0' && t.e.reason == 0 &&
	       t.e.more == 0);
	EXPECT(t.e.seen_size == 0 && t.e.old_seq == 0);
	EXPECT_ST(entry_parse(&t.e, bytes_str("x")), ST_INVALID);
	EXPECT(
	    t.e.seq == 0 && t.e.rec.len == 0 && t.e.wall == 0 && !t.e.causal);
	EXPECT(t.e.body.count == 0 && t.e.head.count == 0);
}

/* Catches a head that reads otherwise alone than with its body. */
static void
test_entry_head_alone_says_the_same(void **state)
{
	(void)state;
	draft_head(&t.d, "seen", "[77,\"" DRAFT_ID "\"]");
	draft_verb(&t.d, "\"set\"", "[\"a\",\"b\"]", "[1,2]");
	trial_whole(&t, "whole");
	EXPECT(t.e.body_is == ENTRY_BODY_WHOLE);
	EXPECT_OK(entry_parse_head(&t.e, t.e.raw));
	EXPECT(t.e.body_is == ENTRY_BODY_BLIND && t.e.on_count == 2);
	EXPECT(t.e.verb == DO_SET && t.e.has_seen && t.e.rec.len == REC_LEN);
	EXPECT_ST(entry_parse_head(&t.e, bytes_str("x\ny")), ST_INVALID);
	EXPECT_ST(entry_parse_head(&t.e, bytes_of(NULL, 0)), ST_INVALID);
}

/* Catches a reader that goes past the end, or takes a piece for the whole:
 * cut in the head malformed, cut behind it blind. */
static void
test_entry_truncated_at_each_length(void **state)
{
	size_t head, whole;

	(void)state;
	trial_whole(&t, "draft");
	head = t.e.head_line.len;
	whole = t.b.len;
	for (size_t n = 0; n < whole; n++) {
		uint8_t *copy = malloc(n == 0 ? 1 : n);
		enum status st;

		EXPECT(copy != NULL);
		memcpy(copy, t.b.p, n);
		st = entry_parse(&t.e, bytes_of(copy, n));
		if (n < head)
			EXPECT_ST(st, ST_INVALID);
		else
			EXPECT_OK(st);
		EXPECT(t.e.body_is == ENTRY_BODY_BLIND);
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
	trial_whole(&t, "draft");
	head = t.e.head_line.len;
	entry_digest(digest, buf_view(&t.b));
	for (size_t bit = 0; bit < t.b.len * 8; bit++) {
		enum status st;

		t.b.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		st = entry_parse(&t.e, buf_view(&t.b));
		EXPECT(st == ST_OK || st == ST_INVALID);
		entry_digest(got, buf_view(&t.b));
		if (bit / 8 <= head) {
			EXPECT(memcmp(digest, got, HASH_LEN) != 0);
		} else {
			EXPECT(st == ST_OK);
			EXPECT(t.e.body_is == ENTRY_BODY_BLIND);
			EXPECT(memcmp(digest, got, HASH_LEN) == 0);
		}
		t.b.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
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

			if (entry_parse(&t.e, raw) == ST_INVALID) {
				EXPECT(strcmp(t.e.why,
					   "head: bad name in on") == 0);
				malformed++;
				continue;
			}
			EXPECT(t.e.body_is == ENTRY_BODY_WHOLE);
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
		T(test_entry_record_is_found_without_reading),
		T(test_entry_every_member_is_read),
		T(test_entry_escapes_and_order_of_members_are_free),
		T(test_entry_head_with_one_member_wrong_is_malformed),
		T(test_entry_first_of_a_chain_names_its_device),
		T(test_entry_malformed_still_gives_place_and_causality),
		T(test_entry_nothing_of_the_last_entry_stays),
		T(test_entry_head_alone_says_the_same),
		T(test_entry_truncated_at_each_length),
		T(test_entry_no_flipped_bit_goes_unnoticed),
		T(test_entry_golden_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
