/* Catches a merge whose edges are not those that merge.h states. */
#include "support/expect.h"

#include <stdio.h>
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "entry/merge.h"
#include "entry/merge_impl.h"

enum { LINES_MAX = 2048 };

#define REC "01890a5d-ac96-774b-bcce-b302099a8057"
#define REC_B "01890a5d-ac96-774b-bcce-b302099a8058"

static struct merge *m;
static struct buf line[LINES_MAX];
static uint8_t id[LINES_MAX][ID_LEN];
static size_t count;
static struct buf out;

static int
begin(void **state)
{
	(void)state;
	count = 0;
	buf_init(&out, JSON_BYTES_MAX);
	EXPECT_OK(merge_new(&m));
	return 0;
}

static int
end(void **state)
{
	(void)state;
	merge_free(m);
	buf_free(&out);
	while (count > 0)
		buf_free(&line[--count]);
	return 0;
}

/* An entry of one name, knowing the entries whose numbers are given, up to
 * -1.  Its number. */
static size_t
write_line(const char *rec, enum verb verb, const char *on, const char *data,
    const int *knows)
{
	struct bytes name = bytes_str(on);
	struct entry_new n = { .court = "c",
		.seq = 2 + count,
		.rec = rec,
		.kind = "k@1",
		.by = "x",
		.at = "2025-04-01T05:00:01Z",
		.verb = verb,
		.on = &name,
		.on_count = 1,
		.wall = 1000 + count,
		.data = bytes_str(data),
		.reason = bytes_str("r") };
	uint8_t after[AFTER_COUNT_MAX][ID_LEN], hash[HASH_LEN];
	const char *why = NULL;

	EXPECT(count < LINES_MAX);
	for (; *knows >= 0; knows++)
		memcpy(after[n.after_count++], id[*knows], ID_LEN);
	n.after = (const uint8_t(*)[ID_LEN])after;
	n.salt[0] = (uint8_t)count;
	buf_init(&line[count], ENTRY_BYTES_MAX);
	EXPECT_OK(entry_write(&n, &line[count], &why));
	entry_digest(hash, buf_view(&line[count]));
	memcpy(id[count], hash, ID_LEN);
	return count++;
}

static size_t
set_line(const char *path, const char *data, const int *knows)
{
	return write_line(REC, DO_SET, path, data, knows);
}

static enum status
add_line(size_t i)
{
	return merge_add(m, id[i], buf_view(&line[i]), 0);
}

static void
fold(struct buf *to, size_t past_max)
{
	m->past_max = past_max;
	EXPECT_OK(merge_run(m));
	buf_reset(to);
	EXPECT_OK(merge_state(m, to));
}

static const int nobody[] = { -1 };

static void
test_merge_of_nothing_is_absent(void **state)
{
	(void)state;
	EXPECT_ST(merge_run(m), ST_ABSENT);
	EXPECT(merge_rec(m)[0] == '\0' && merge_newest(m) == 0);
}

static void
test_merge_takes_one_record_only(void **state)
{
	size_t a = set_line("f", "[1]", nobody);
	size_t b = write_line(REC_B, DO_SET, "f", "[2]", nobody), n;

	(void)state;
	EXPECT_OK(add_line(a));
	EXPECT_ST(add_line(b), ST_INVALID);
	EXPECT_OK(merge_run(m));
	(void)merge_order(m, &n);
	EXPECT(n == 1 && strcmp(merge_rec(m), REC) == 0);
	/* Forgotten, it takes the other. */
	merge_reset(m);
	EXPECT_ST(merge_run(m), ST_ABSENT);
	EXPECT_OK(add_line(b));
	EXPECT_OK(merge_run(m));
	EXPECT(strcmp(merge_rec(m), REC_B) == 0);
}

/* A head that gives no causality is left out; one that gives some is bare. */
static void
test_merge_of_malformed_heads(void **state)
{
	static const char none[] = "{\"v\":1}\n{}";
	static const char newer[] =
	    "{\"v\":7,\"rec\":\"" REC "\",\"wall\":5,\"after\":[]}\n{}";
	static const uint8_t x[ID_LEN] = { 1 }, y[ID_LEN] = { 2 };
	size_t n;

	(void)state;
	EXPECT_OK(merge_add(m, x, bytes_str(none), 0));
	EXPECT_OK(merge_add(m, x, bytes_str("not even JSON"), 0));
	EXPECT_OK(merge_add(m, x, bytes_str(""), 0));
	EXPECT_ST(merge_run(m), ST_ABSENT);
	EXPECT_OK(merge_add(m, y, bytes_str(newer), 0));
	EXPECT_OK(merge_run(m));
	(void)merge_heads(m, &n);
	EXPECT(n == 0 && merge_newest(m) == 7);
	EXPECT_OK(merge_state(m, &out));
	EXPECT_BYTES(buf_view(&out),
	    bytes_str("{\"acts\":{},\"bare\":[\"020000000000000000000000000000"
		      "00\"],\"blind\":[],\"fields\":{},\"heads\":[],"
		      "\"items\":{},\"kind\":[],\"links\":{},\"missing\":[],"
		      "\"rec\":\"" REC "\",\"status\":[],\"v\":1,"
		      "\"void\":false}"));
}

/* Ids that are not those of the bytes could know each other in a circle. */
static void
test_merge_of_a_circle_is_corrupt(void **state)
{
	int a[] = { 0, -1 }, b[] = { 1, -1 };
	struct buf want;

	(void)state;
	(void)set_line("f", "[1]", nobody);
	(void)set_line("f", "[2]", a); /* 1 knows 0 */
	(void)set_line("f", "[3]", b); /* 2 knows 1 … */
	memcpy(id[2], id[0], ID_LEN);  /* … and says that it is 0 */
	EXPECT_OK(add_line(1));
	EXPECT_OK(add_line(2));
	EXPECT_ST(merge_run(m), ST_CORRUPT);
	/* Of two heads under one id the lesser bytes count, whoever is first.
	 */
	EXPECT_OK(add_line(0));
	EXPECT_OK(merge_run(m));
	fold(&out, MERGE_PAST_MAX);
	buf_init(&want, JSON_BYTES_MAX);
	merge_reset(m);
	for (size_t i = 0; i < 3; i++)
		EXPECT_OK(add_line(i));
	fold(&want, MERGE_PAST_MAX);
	EXPECT_BYTES(buf_view(&out), buf_view(&want));
	buf_free(&want);
	merge_reset(m);
	EXPECT_OK(add_line(1));
	EXPECT_OK(merge_run(m));
}

static void
test_merge_answers_for_one_path(void **state)
{
	int from_a[] = { 0, -1 }, from_b[] = { 1, -1 }, both[] = { 1, 2, -1 };
	char act[] = "@00000000000000000000000000000000";
	size_t a = set_line("f", "[1]", nobody);
	size_t b = set_line("f", "[2]", from_a);
	size_t c = set_line("f", "[\"\\u0041\\n\"]", from_a);
	size_t v = write_line(REC, DO_VOID, "", "[null]", from_b), u;
	const uint8_t *who;
	struct bytes raw;
	bool knows;

	(void)state;
	for (size_t i = a; i <= v; i++)
		EXPECT_OK(add_line(i));
	EXPECT_OK(merge_run(m));
	EXPECT(merge_conflicts(m) == 1);
	EXPECT(merge_field(m, bytes_str("f"), 0, &who, &raw));
	EXPECT(memcmp(who, id[c], ID_LEN) == 0);
	EXPECT_BYTES(raw, bytes_str("\"A\\n\""));
	EXPECT(merge_field(m, bytes_str("f"), 1, &who, &raw));
	EXPECT(memcmp(who, id[b], ID_LEN) == 0);
	EXPECT(!merge_field(m, bytes_str("f"), 2, &who, &raw));
	EXPECT(!merge_field(m, bytes_str("g"), 0, &who, &raw));
	EXPECT(!merge_field(m, bytes_str(""), 0, &who, &raw));
	EXPECT(!merge_status(m, 0, &who, &raw));
	EXPECT_OK(merge_knows(m, 1, 0, &knows));
	EXPECT(knows);
	EXPECT_OK(merge_knows(m, 0, 1, &knows));
	EXPECT(!knows);
	EXPECT_OK(merge_knows(m, 2, 1, &knows));
	EXPECT(!knows);
	EXPECT_OK(merge_knows(m, 0, 0, &knows));
	EXPECT(!knows);

	EXPECT(merge_void(m));
	hex_encode(act + 1, bytes_of(id[v], ID_LEN));
	EXPECT(merge_standing(m, bytes_str(act)) == MERGE_IN);
	u = write_line(REC, DO_DROP, act, "[null]", (int[]){ 3, -1 });
	EXPECT_OK(add_line(u));
	u = write_line(REC, DO_ADVANCE, "closed", "[null]", both);
	EXPECT_OK(add_line(u));
	EXPECT_OK(merge_run(m));
	EXPECT(!merge_void(m));
	EXPECT(merge_standing(m, bytes_str(act)) == MERGE_OUT);
	EXPECT(
	    merge_status(m, 0, &who, &raw) && !merge_status(m, 1, &who, &raw));
	EXPECT_BYTES(raw, bytes_str("closed"));
	act[1] = act[1] == '0' ? '1' : '0';
	EXPECT(merge_standing(m, bytes_str(act)) == MERGE_UNKNOWN);
	EXPECT(merge_standing(m, bytes_str("@zz")) == MERGE_UNKNOWN);
	EXPECT(merge_standing(m, bytes_str("items")) == MERGE_UNKNOWN);
	EXPECT(merge_standing(m, bytes_str("")) == MERGE_UNKNOWN);
}

static void
test_merge_tells_what_is_missing(void **state)
{
	int knows[] = { 0, 1, -1 };
	const uint8_t(*ids)[ID_LEN];
	size_t n;

	(void)state;
	(void)set_line("f", "[1]", nobody);
	(void)set_line("f", "[2]", nobody);
	(void)set_line("f", "[3]", knows);
	EXPECT_OK(add_line(2));
	EXPECT_OK(merge_run(m));
	ids = merge_missing(m, &n);
	EXPECT(n == 2 && memcmp(ids[0], ids[1], ID_LEN) < 0);
	EXPECT_OK(add_line(0));
	EXPECT_OK(merge_run(m));
	ids = merge_missing(m, &n);
	EXPECT(n == 1 && memcmp(ids[0], id[1], ID_LEN) == 0);
}

/* A ceiling of the caller's is a status, and what stands before it stays. */
static void
test_merge_state_over_a_ceiling_is_told(void **state)
{
	struct bytes part = bytes_str("");
	struct buf small;
	uint8_t no[ID_LEN] = { 0 };

	(void)state;
	EXPECT_OK(add_line(set_line("f", "[1]", nobody)));
	EXPECT_OK(merge_run(m));
	EXPECT_OK(merge_state(m, &out));
	for (size_t max = 1; max < out.len; max++) {
		buf_init(&small, max);
		EXPECT_ST(merge_state(m, &small), ST_LIMIT);
		buf_free(&small);
	}
	buf_init(&small, out.len);
	EXPECT_OK(merge_state(m, &small));
	buf_free(&small);
	buf_init(&small, 10);
	EXPECT_ST(
	    merge_skeleton(m, bytes_str("k@1"), &part, 1, &small), ST_LIMIT);
	EXPECT_ST(
	    merge_skeleton_known(m, no, bytes_str("k@1"), &part, 1, &small),
	    ST_ABSENT);
	buf_free(&small);
	merge_free(NULL);
}

/*
 * Two thousand entries: a long line, then a broad field of which each knows
 * some, then one that knows all it may.  With every past kept and with hardly
 * any it is the same, and only the line is one lane.
 */
static void
test_merge_of_a_long_and_broad_record(void **state)
{
	enum { LINE = 1000, BROAD = 1000 };
	int all[AFTER_COUNT_MAX + 1];
	struct buf want;
	size_t n = 0, last;
	bool knows;

	(void)state;
	buf_init(&want, JSON_BYTES_MAX);
	for (int i = 0; i < LINE; i++) {
		int before[] = { i - 1, -1 };

		EXPECT_OK(add_line(set_line("f", "[1]", before)));
	}
	EXPECT_OK(merge_run(m));
	EXPECT(m->lane_count == 1 && merge_conflicts(m) == 0);
	for (int i = 0; i < BROAD; i++) {
		int some[] = { i, LINE + i / 2, -1 };

		EXPECT_OK(add_line(set_line(i % 3 == 0 ? "f" : "g", "[2]",
		    i < 2 ? (int[]){ i, -1 } : some)));
	}
	fold(&want, MERGE_PAST_MAX);
	EXPECT(m->lane_count > 400);
	for (size_t k = 0; k < 3; k++) {
		fold(&out, (size_t[]){ 0, 500, 5000 }[k]);
		EXPECT(m->stored < m->count);
		EXPECT_BYTES(buf_view(&out), buf_view(&want));
	}
	for (int i = LINE + BROAD - AFTER_COUNT_MAX; i < LINE + BROAD; i++)
		all[n++] = i;
	all[n] = -1;
	last = write_line(REC, DO_AMEND, "g", "[3]", all);
	EXPECT_OK(add_line(last));
	fold(&want, MERGE_PAST_MAX);
	fold(&out, 700);
	EXPECT_BYTES(buf_view(&out), buf_view(&want));
	(void)merge_order(m, &n);
	EXPECT(n == LINE + BROAD + 1);
	EXPECT_OK(merge_knows(m, n - 1, 0, &knows));
	EXPECT(knows);
	EXPECT(merge_conflicts(m) == 1); /* f is not its affair */
	buf_free(&want);
}

/* The n-th of a long record: items, values of them, drops, a hand apart. */
static void
write_more(size_t n)
{
	char path[64], hex[2 * ID_LEN + 1];
	int knows[] = { (int)count - 2, -1, -1 };

	/* Two hands: each knows its own, and at every 20th the other's. */
	if (count < 2)
		knows[0] = (int)count - 1;
	else if (count % 20 < 2)
		knows[1] = (int)count - 1;
	if (n % 3 == 0 || n < 4) {
		(void)write_line(REC, DO_ADD, "items", "[null]", knows);
		return;
	}
	hex_encode(hex, bytes_of(id[n / 2 - n / 2 % 3], ID_LEN));
	(void)snprintf(
	    path, sizeof(path), "items/@%s%s", hex, n % 3 == 1 ? "/name" : "");
	(void)write_line(REC, n % 3 == 1 ? DO_SET : DO_DROP, path,
	    n % 3 == 1 ? "[\"a name\"]" : "[null]", knows);
}

/* A sign of `part` with what `shown` says, knowing all so far. */
static void
sign_line(const char *part, const uint8_t shown[HASH_LEN])
{
	struct bytes name = bytes_str(part);
	char more[128] = "{\"shown\":\"", hex[2 * HASH_LEN + 1];
	struct entry_new n = { .court = "c",
		.seq = 2 + count,
		.rec = REC,
		.kind = "k@1",
		.by = "x",
		.at = "2025-04-01T05:00:01Z",
		.verb = DO_SIGN,
		.on = &name,
		.on_count = 1,
		.wall = 1000 + count,
		.data = bytes_str("[null]") };
	uint8_t after[2][ID_LEN], hash[HASH_LEN];
	const char *why = NULL;

	hex_encode(hex, bytes_of(shown, HASH_LEN));
	(void)snprintf(
	    more, sizeof(more), "{\"shown\":\"%s\",\"how\":\"signed\"}", hex);
	n.more = bytes_str(more);
	n.after_count = 2;
	memcpy(after[0], id[count - 2], ID_LEN);
	memcpy(after[1], id[count - 1], ID_LEN);
	n.after = (const uint8_t(*)[ID_LEN])after;
	n.salt[0] = (uint8_t)count;
	buf_init(&line[count], ENTRY_BYTES_MAX);
	EXPECT_OK(entry_write(&n, &line[count], &why));
	entry_digest(hash, buf_view(&line[count]));
	memcpy(id[count++], hash, ID_LEN);
}

static size_t
occurrences(const char *what)
{
	const uint8_t *p = out.p, *end = out.p + out.len;
	size_t n = 0, len = strlen(what);

	while ((p = memmem(p, (size_t)(end - p), what, len)) != NULL) {
		p += len;
		n++;
	}
	return n;
}

/*
 * What was right when it was signed is stale later, never wrong: the skeleton
 * of then, put together from runs of the one of now, is the one that was
 * written then.  Would catch: a run too long or too short, in a record whose
 * skeleton is hashed in many pieces; a sign told by another's parts.
 */
static void
test_merge_signs_of_a_long_record_were_right_then(void **state)
{
	static const char *const parts[] = { "", "items", "items", "f" };
	uint8_t shown[HASH_LEN];
	size_t signs = 0;

	(void)state;
	for (size_t n = 0; n < 1200; n++) {
		struct bytes part = bytes_str(parts[signs % 4]);

		write_more(count);
		EXPECT_OK(add_line(count - 1));
		if (n % 60 != 59)
			continue;
		EXPECT_OK(merge_run(m));
		EXPECT_OK(merge_shown(m, bytes_str("k@1"), &part, 1, shown));
		/* One of them is wrong from the start. */
		shown[0] ^= signs++ == 9;
		sign_line(parts[(signs - 1) % 4], shown);
		EXPECT_OK(add_line(count - 1));
	}
	write_more(count);
	EXPECT_OK(add_line(count - 1));
	for (size_t past_max = 0; past_max <= MERGE_PAST_MAX;
	     past_max += MERGE_PAST_MAX) {
		fold(&out, past_max);
		assert_int_equal(occurrences("\"sign\":\"mismatch\""), 1);
		assert_int_equal(occurrences("\"sign\":\"ok\""), signs / 4);
		assert_int_equal(
		    occurrences("\"sign\":\"stale\""), signs - signs / 4 - 1);
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		T(test_merge_of_nothing_is_absent),
		T(test_merge_takes_one_record_only),
		T(test_merge_of_malformed_heads),
		T(test_merge_of_a_circle_is_corrupt),
		T(test_merge_answers_for_one_path),
		T(test_merge_tells_what_is_missing),
		T(test_merge_state_over_a_ceiling_is_told),
		T(test_merge_of_a_long_and_broad_record),
		T(test_merge_signs_of_a_long_record_were_right_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
