#include "base/sort.h"

#include <string.h>

/* Merge the sorted runs a[0..mid) and a[mid..count) into out. */
static void
merge_runs(uint32_t *out, const uint32_t *a, size_t mid, size_t count,
    sort_cmp *cmp, const void *arg)
{
	size_t i = 0, j = mid;

	for (size_t k = 0; k < count; k++) {
		/* "<=" keeps equal ones in their order. */
		if (i < mid && (j == count || cmp(arg, a[i], a[j]) <= 0))
			out[k] = a[i++];
		else
			out[k] = a[j++];
	}
}

void
sort_u32(
    uint32_t *idx, uint32_t *tmp, size_t count, sort_cmp *cmp, const void *arg)
{
	uint32_t *from = idx, *to = tmp;

	for (size_t run = 1; run < count; run *= 2) {
		uint32_t *swap = from;

		for (size_t at = 0; at < count; at += 2 * run) {
			size_t left = count - at;
			size_t both = left < 2 * run ? left : 2 * run;
			size_t mid = both < run ? both : run;

			merge_runs(to + at, from + at, mid, both, cmp, arg);
		}
		from = to;
		to = swap;
	}
	if (from != idx)
		memcpy(idx, from, count * sizeof(*idx));
}
