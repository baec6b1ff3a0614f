#include "support/expect.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "wire/arena.h"

/* Catches things that overlap, are not zeroed, or stand where the machine
 * cannot read them at once. */
static void
test_arena_gives_apart_zeroed_aligned_memory(void **state)
{
	uint8_t *before = NULL;
	struct arena a;

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < 5000; i++) {
		size_t len = 1 + i % 97;
		uint8_t *p = arena_take(&a, len, 1);

		EXPECT(p != NULL && p != before);
		EXPECT((uintptr_t)p % alignof(max_align_t) == 0);
		for (size_t j = 0; j < len; j++)
			EXPECT(p[j] == 0);
		memset(p, 0xff, len);
		if (before != NULL)
			EXPECT(*before == 0xff);
		before = p;
	}
	EXPECT(arena_take(&a, 0, 8) != NULL);
	EXPECT(arena_take(&a, SIZE_MAX / 2, 3) == NULL);
	EXPECT(arena_take(&a, SIZE_MAX - 8, 1) == NULL);
	arena_free(&a);
}

/* Catches what officers wrote left lying in memory that is given out again. */
static void
test_arena_wipes_what_it_takes_back(void **state)
{
	struct arena a;
	uint8_t *p, *q;
	size_t room;

	(void)state;
	arena_init(&a);
	p = arena_take(&a, 100, 1);
	EXPECT(p != NULL);
	memset(p, 'x', 100);
	q = arena_open(&a, 10, &room);
	EXPECT(q != NULL && room >= 10);
	memset(q, 'y', 10);
	arena_close(&a, 10);
	/* The first block stays, so its bytes can still be looked at. */
	arena_reset(&a);
	for (size_t i = 0; i < 100; i++)
		EXPECT(p[i] == 0);
	for (size_t i = 0; i < 10; i++)
		EXPECT(q[i] == 0);
	EXPECT(arena_take(&a, 100, 1) == p);
	arena_free(&a);
}

/* Catches bytes lost while a thing of unknown length grows from block to
 * block. */
static void
test_arena_keeps_what_grows(void **state)
{
	struct arena a;
	size_t room, used = 0;
	uint8_t *p, *q;

	(void)state;
	arena_init(&a);
	EXPECT(arena_take(&a, 60000, 1) != NULL);
	p = arena_open(&a, 1, &room);
	EXPECT(p != NULL);
	while (used < 1 << 20) {
		if (used == room) {
			p = arena_grow(&a, used, 1, &room);
			EXPECT(p != NULL && room > used);
		}
		p[used] = (uint8_t)(used * 7);
		used++;
	}
	EXPECT(arena_grow(&a, used, SIZE_MAX / 2, &room) == NULL);
	arena_close(&a, used);
	for (size_t i = 0; i < used; i++)
		EXPECT(p[i] == (uint8_t)(i * 7));
	/* What is taken next does not stand in it. */
	q = arena_take(&a, 64, 1);
	EXPECT(q != NULL);
	memset(q, 0xff, 64);
	EXPECT(p[used - 1] == (uint8_t)((used - 1) * 7));
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arena_gives_apart_zeroed_aligned_memory),
		cmocka_unit_test(test_arena_wipes_what_it_takes_back),
		cmocka_unit_test(test_arena_keeps_what_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
