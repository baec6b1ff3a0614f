#ifndef BASE_SORT_H
#define BASE_SORT_H
/*
 * sort: a stable merge sort of numbers that name things kept elsewhere.
 *
 * Unlike qsort(3) it takes an argument for the comparison, allocates nothing,
 * never recurses, and needs at most n log2 n comparisons whatever the input.
 */
#include <stddef.h>
#include <stdint.h>

/* Below, equal or above zero, as memcmp; must be a total order. */
typedef int sort_cmp(const void *arg, uint32_t a, uint32_t b);

/* Sort idx[count]; tmp is scratch of the same length. */
void sort_u32(
    uint32_t *idx, uint32_t *tmp, size_t count, sort_cmp *cmp, const void *arg);

#endif
