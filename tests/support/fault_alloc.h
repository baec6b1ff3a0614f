#ifndef SUPPORT_FAULT_ALLOC_H
#define SUPPORT_FAULT_ALLOC_H
/*
 * fault_alloc: make the n-th allocation of our own code fail, alone or with
 * all after it.  Programs of tests/fault are linked so that malloc, calloc and
 * realloc of what is linked statically come here; shared libraries keep theirs.
 * Under the sanitizers a leak on the way out of a failure shows too.
 *
 *	for (size_t n = 1; ; n++) {
 *		fault_alloc_after(n);
 *		st = what_is_tested(...);
 *		if (!fault_alloc_off())
 *			break;		(it went through: st must be ST_OK)
 *		(st must be ST_NOMEM, and nothing half done)
 *	}
 *
 * fault_alloc_each is this loop, both ways, for what can be put in a function.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* The n-th allocation from now fails, and every one behind it; n counts from
 * 1. */
void fault_alloc_after(size_t n);

/* As fault_alloc_after, but those behind it pass. */
void fault_alloc_once(size_t n);

/* From now on none fails; true if one did since fault_alloc_after. */
bool fault_alloc_off(void);

/* True: until false is given, allocations pass uncounted; for the parts of a
 * test that are not what is tested. */
void fault_alloc_hold(bool hold);

/* Does everything, frees everything, and says how it went. */
typedef enum status fault_alloc_run(void *arg);

/*
 * Run with the first allocation failing, with the second, and so on until none
 * fails any more: first each alone, then each with all behind it.  The test
 * ends unless every failure gives ST_NOMEM and the last run of either ST_OK.
 * Returns how many allocations such a run makes.
 */
size_t fault_alloc_each(fault_alloc_run *run, void *arg);

#endif
