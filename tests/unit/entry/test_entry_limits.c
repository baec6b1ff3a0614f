#include "support/expect.h"

#include <stdio.h>
#include <string.h>

#include "entry/entry.h"
#include "support/entries.h"

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

/* A value of `data` that makes the whole entry `total` bytes long. */
static void
draft_of_length(size_t total)
{
	static char data[2 * ENTRY_BYTES_MAX];
	size_t len;

	draft_init(&t.d);
	draft_body(&t.d, "data", "[\"\"]");
	draft_write(&t.d, &t.b);
	len = total - t.b.len;
	EXPECT(t.b.len < total && len + 5 < sizeof(data));
	memcpy(data, "[\"", 2);
	memset(data + 2, 'x', len);
	memcpy(data + 2 + len, "\"]", 3);
	draft_body(&t.d, "data", data);
	draft_write(&t.d, &t.b);
	EXPECT(t.b.len == total);
}

/* Catches the limit of an entry that is one off; a body over it blinds. */
static void
test_entry_of_64_kib_stands_and_one_byte_more_is_blind(void **state)
{
	(void)state;
	draft_of_length(ENTRY_BYTES_MAX - 1);
	trial_whole(&t, "limit - 1");
	draft_of_length(ENTRY_BYTES_MAX);
	trial_whole(&t, "limit");
	draft_of_length(ENTRY_BYTES_MAX + 1);
	trial_blind(&t, "limit + 1", "body: too long");
}

/* A head line of exactly `total` bytes, the officer's name being long. */
static void
head_of_length(size_t total)
{
	static char by[2 * ENTRY_BYTES_MAX];
	size_t len;

	draft_init(&t.d);
	draft_head(&t.d, "by", "\"x\"");
	draft_write(&t.d, &t.b);
	EXPECT_OK(entry_parse(&t.e, buf_view(&t.b)));
	len = total - t.e.head_line.len + 1;
	EXPECT(len + 3 < sizeof(by));
	by[0] = '"';
	memset(by + 1, 'x', len);
	memcpy(by + 1 + len, "\"", 2);
	draft_head(&t.d, "by", by);
	draft_write(&t.d, &t.b);
}

/* Catches the limit of a head: with its LF it must fit into an entry. */
static void
test_entry_head_of_64_kib_less_one_stands(void **state)
{
	(void)state;
	head_of_length(ENTRY_BYTES_MAX - 1);
	EXPECT_OK(entry_parse(&t.e, buf_view(&t.b)));
	EXPECT(strcmp(t.e.body_why, "body: too long") == 0);
	EXPECT_OK(entry_parse(&t.e, t.e.head_line));
	head_of_length(ENTRY_BYTES_MAX);
	trial_malformed(&t, "head", "head: too long");
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
		draft_init(&t.d);
		draft_head(&t.d, "on", array_of(&list, "a", n));
		buf_reset(&data);
		buf_str(&data, "[1");
		for (size_t i = 1; i < n; i++)
			buf_str(&data, ",1");
		buf_str(&data, "]");
		draft_body(&t.d, "data", buf_cstr(&data));
		if (n <= ON_COUNT_MAX)
			trial_whole(&t, "on");
		else
			trial_malformed(&t, "on", "head: bad on");
	}
	draft_head(&t.d, "on", array_of(&list, "a", 1000));
	last = strstr((char *)list.p, "a000999");
	EXPECT(last != NULL);
	memcpy(last, "a000123", 7);
	trial_malformed(&t, "repeat", "head: a name twice in on");
	for (size_t n = AFTER_COUNT_MAX - 1; n <= AFTER_COUNT_MAX + 1; n++) {
		draft_init(&t.d);
		draft_head(&t.d, "after",
		    array_of(&list, "00112233445566778899aabbcc", n));
		if (n <= AFTER_COUNT_MAX)
			trial_whole(&t, "after");
		else
			trial_malformed(&t, "after", "head: bad after");
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
		draft_init(&t.d);
		(void)snprintf(on, sizeof(on), "[\"%.*s\",\"%.*s\"]", (int)list,
		    name, (int)(left - 1 + more), name);
		draft_verb(&t.d, "\"add\"", on, "[null,1]");
		if (more == 0)
			trial_whole(&t, "add");
		else
			trial_malformed(&t, "add", "head: path too long");
	}
	for (size_t more = 0; more < 2; more++) {
		draft_init(&t.d);
		(void)snprintf(on, sizeof(on), "[\"%.*s\"]",
		    (int)(PATH_BYTES_MAX - 34 + more), name);
		draft_verb(&t.d, "\"add\"", on, "[null]");
		if (more == 0)
			trial_whole(&t, "add");
		else
			trial_malformed(&t, "add", "head: path too long");
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_entry_of_64_kib_stands_and_one_byte_more_is_blind),
		T(test_entry_head_of_64_kib_less_one_stands),
		T(test_entry_counts_of_names_hold),
		T(test_entry_add_leaves_room_for_the_item),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
