#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "domain/past.h"
#include "entry/json.h"
#include "support/entries.h"

/* Findings that ended without a word, over records written entry by entry. */

enum { STEPS_MAX = 40 };
#define BEGAN_MS UINT64_C(1780000000000)
#define MIN UINT64_C(60000)

static struct kinds *kinds;
static struct rules *rules;

static int
setup(void **state)
{
	(void)state;
	return kinds_load_builtin(&kinds) == ST_OK &&
		       rules_load_builtin(&rules, kinds) == ST_OK
		   ? 0
		   : 1;
}

static int
teardown(void **state)
{
	(void)state;
	rules_free(rules);
	kinds_free(kinds);
	return 0;
}

/* A record as it grows. */
struct story {
	struct buf bytes[STEPS_MAX];
	uint8_t id[STEPS_MAX][ID_LEN];
	struct past_entry entry[STEPS_MAX];
	struct rules_entry judged[STEPS_MAX];
	struct entry parsed[STEPS_MAX];
	size_t count;
	struct merge *merge;
	struct state st;
	struct buf state, out;
	struct findings found;
	struct lives lives;
};

static void
story_init(struct story *s)
{
	memset(s, 0, sizeof(*s));
	EXPECT_OK(merge_new(&s->merge));
	state_init(&s->st);
	buf_init(&s->state, 1 << 20);
	buf_init(&s->out, 1 << 20);
	findings_init(&s->found);
	lives_init(&s->lives);
}

static void
story_free(struct story *s)
{
	for (size_t i = 0; i < s->count; i++) {
		buf_free(&s->bytes[i]);
		entry_free(&s->parsed[i]);
	}
	merge_free(s->merge);
	state_free(&s->st);
	buf_free(&s->state);
	buf_free(&s->out);
	findings_free(&s->found);
	lives_free(&s->lives);
}

/* `minute` since the record began. */
static void
say(struct story *s, unsigned minute, const char *verb, const char *on,
    const char *data, const char *more)
{
	size_t i = s->count++;
	struct draft d;
	char wall[32], seq[16], quoted[32], after[64] = "[]",
					    hex[2 * ID_LEN + 1];

	s->id[i][0] = (uint8_t)(i + 1);
	if (i > 0) {
		hex_encode(hex, bytes_of(s->id[i - 1], ID_LEN));
		(void)snprintf(after, sizeof(after), "[\"%s\"]", hex);
	}
	(void)snprintf(wall, sizeof(wall), "%llu",
	    (unsigned long long)(BEGAN_MS + minute * MIN));
	(void)snprintf(seq, sizeof(seq), "%zu", i + 2);
	draft_init(&d);
	(void)snprintf(quoted, sizeof(quoted), "\"%s\"", verb);
	draft_verb(&d, quoted, on, data);
	draft_head(&d, "kind", "\"search@1\"");
	draft_head(&d, "wall", wall);
	draft_head(&d, "seq", seq);
	draft_head(&d, "after", after);
	draft_head(&d, "by", "\"p001\"");
	if (more != NULL)
		draft_body(&d, "more", more);
	buf_init(&s->bytes[i], ENTRY_BYTES_MAX);
	draft_write(&d, &s->bytes[i]);
	s->entry[i] =
	    (struct past_entry){ s->id[i], buf_view(&s->bytes[i]), 0 };
	EXPECT_OK(merge_add(s->merge, s->id[i], s->entry[i].raw, 0));
	entry_init(&s->parsed[i]);
	EXPECT_OK(entry_parse(&s->parsed[i], s->entry[i].raw));
	EXPECT(rules_entry_of(
	    &s->judged[i], &s->parsed[i], s->id[i], RULES_NEVER));
}

static const char *
ended_within(struct story *s, size_t work_max)
{
	struct rules_context cx = { .now_ms = BEGAN_MS + 100000 * MIN,
		.offset_min = 480,
		.entries = s->judged,
		.entry_count = s->count };
	struct life_input life = { .findings = &s->found,
		.st = &s->st,
		.entries = s->judged,
		.entry_count = s->count };
	struct past_input in = { .merge = s->merge,
		.entries = s->entry,
		.count = s->count,
		.rules = rules,
		.kind = kinds_find(kinds, bytes_str("search@1")),
		.cx = &cx,
		.lives = &s->lives,
		.work_max = work_max };

	buf_reset(&s->state);
	EXPECT_OK(merge_run(s->merge));
	EXPECT_OK(merge_state(s->merge, &s->state));
	EXPECT_OK(state_read(&s->st, buf_view(&s->state)));
	EXPECT_OK(rules_check(&s->found, rules, in.kind, &s->st, &cx));
	life.order = merge_order(s->merge, &life.order_count);
	EXPECT_OK(lives_of(&s->lives, &life));
	buf_reset(&s->out);
	EXPECT_OK(past_json(&in, &s->out));
	return buf_cstr(&s->out);
}

static const char *
ended(struct story *s)
{
	return ended_within(s, 0);
}

#define OPEN                                                                   \
	"open", "[\"started_at\",\"target\"]",                                 \
	    "[\"2026-05-28T05:00:00+08:00\",\"a\"]", NULL
#define WARRANT "set", "[\"warrant/no\"]", "[\"1\"]", NULL
#define NO_WARRANT "set", "[\"warrant/no\"]", "[null]", NULL

/* Catches a warrant that was put in hours later, and no trace that it lacked;
 * and each field of a draft reported as a fault that was mended. */
static void
test_past_lists_what_stood_while_the_record_rested(void **state)
{
	struct story s;
	const char *text;

	(void)state;
	story_init(&s);
	say(&s, 0, OPEN);
	say(&s, 59, WARRANT);
	assert_string_equal(ended(&s), "[]");
	story_free(&s);
	story_init(&s);
	say(&s, 0, OPEN);
	say(&s, 60, WARRANT);
	text = ended(&s);
	EXPECT(
	    strstr(text, "\"key\":\"search_warrant_no:warrant/no\"") != NULL);
	EXPECT(strstr(text, "\"by\":\"p001\",\"id\":\"02") != NULL);
	EXPECT(strstr(text, "\"severity\":\"grave\"") != NULL);
	/* What stands still is no matter of the past. */
	EXPECT(strstr(text, "search_shown") == NULL);
	story_free(&s);
}

/* Catches the wrong entry named: one that came later, or only the last. */
static void
test_past_names_the_entry_that_ended_it(void **state)
{
	struct story s;
	const char *text;

	(void)state;
	story_init(&s);
	say(&s, 0, OPEN);
	say(&s, 90, "set", "[\"cause\"]", "[\"b\"]", NULL);
	say(&s, 91, WARRANT);
	say(&s, 92, "set", "[\"cause\"]", "[\"c\"]", NULL);
	text = ended(&s);
	EXPECT(strstr(text, "\"id\":\"03") != NULL);
	EXPECT(strstr(text, "\"at\":\"2026-05-29T") != NULL ||
	       strstr(text, "\"at\":\"2026-05-28T") != NULL);
	/* It came back, rested, and ended again: the last time counts. */
	say(&s, 93, NO_WARRANT);
	say(&s, 200, WARRANT);
	text = ended(&s);
	EXPECT(strstr(text, "\"id\":\"06") != NULL);
	EXPECT(strstr(text, "\"id\":\"03") == NULL);
	/* Back, and there still. */
	say(&s, 201, NO_WARRANT);
	EXPECT(strstr(ended(&s), "search_warrant_no") == NULL);
	story_free(&s);
}

/* Catches a record called finished with a fault in it that nobody hears of,
 * because it was mended within the hour. */
static void
test_past_a_step_is_a_rest_too(void **state)
{
	struct story s;

	(void)state;
	story_init(&s);
	say(&s, 0, OPEN);
	say(&s, 1, "advance", "[\"done\"]", "[null]", NULL);
	say(&s, 2, WARRANT);
	EXPECT(strstr(ended(&s), "search_warrant_no") != NULL);
	story_free(&s);
}

/* Catches one thing told twice: what somebody answered is listed with its
 * answer. */
static void
test_past_leaves_out_what_was_spoken_of(void **state)
{
	struct story s;

	(void)state;
	story_init(&s);
	say(&s, 0, OPEN);
	say(&s, 70, "note", "[\"\"]", "[\"补记\"]",
	    "{\"finding\":\"search_warrant_no:warrant/no\"}");
	say(&s, 140, WARRANT);
	EXPECT(strstr(ended(&s), "search_warrant_no") == NULL);
	story_free(&s);
}

/* Catches a long record of which the rest was passed over in silence. */
static void
test_past_says_where_it_stopped_looking(void **state)
{
	struct story s;
	const char *text;

	(void)state;
	story_init(&s);
	say(&s, 0, OPEN);
	say(&s, 60, "set", "[\"cause\"]", "[\"b\"]", NULL);
	say(&s, 120, WARRANT);
	say(&s, 180, "set", "[\"cause\"]", "[\"c\"]", NULL);
	EXPECT(strstr(ended(&s), "unread") == NULL);
	text = ended_within(&s, 2);
	EXPECT(strncmp(text, "[{\"ended\":null", 14) == 0);
	EXPECT(strstr(text, "{\"unread\":\"") != NULL);
	EXPECT(strstr(text, "\"id\"") == NULL);
	story_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_past_lists_what_stood_while_the_record_rested),
		cmocka_unit_test(test_past_names_the_entry_that_ended_it),
		cmocka_unit_test(test_past_a_step_is_a_rest_too),
		cmocka_unit_test(test_past_leaves_out_what_was_spoken_of),
		cmocka_unit_test(test_past_says_where_it_stopped_looking),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
