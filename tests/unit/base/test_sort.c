#include "support/expect.h"

#include "base/sort.h"

enum { COUNT_MAX = 300 };

struct keys {
	uint32_t key[COUNT_MAX];
};

static int
cmp(const void *arg, uint32_t a, uint32_t b)
{
	const struct keys *k = arg;

	return (k->key[a] > k->key[b]) - (k->key[a] < k->key[b]);
}

/* Catches a sort that loses or doubles one, leaves two in the wrong order, or
 * turns equal ones round, at any count. */
static void
test_sort_is_a_stable_order_of_the_same(void **state)
{
	uint32_t idx[COUNT_MAX], tmp[COUNT_MAX], seed = 1;
	struct keys k = { { 0 } };

	(void)state;
	for (size_t count = 0; count <= COUNT_MAX; count++) {
		bool seen[COUNT_MAX] = { false };

		for (size_t i = 0; i < count; i++) {
			seed = seed * 1664525 + 1013904223;
			k.key[i] =
			    (seed >> 16) % (uint32_t)(count % 7 * 20 + 1);
			idx[i] = (uint32_t)i;
		}
		sort_u32(idx, tmp, count, cmp, &k);
		for (size_t i = 0; i < count; i++) {
			EXPECT(idx[i] < count && !seen[idx[i]]);
			seen[idx[i]] = true;
			if (i == 0)
				continue;
			EXPECT(k.key[idx[i - 1]] <= k.key[idx[i]]);
			if (k.key[idx[i - 1]] == k.key[idx[i]])
				EXPECT(idx[i - 1] < idx[i]);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sort_is_a_stable_order_of_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
