#ifndef SUPPORT_FAULT_ALLOC_H
#define SUPPORT_FAULT_ALLOC_H
/*
 * fault_alloc: make the n-th allocation of our own code fail, and all after
 * it.  Programs of tests/fault are linked so that malloc, calloc and realloc
 * of what is linked statically come here; shared libraries keep theirs.
 *
 *	for (size_t n = 1; ; n++) {
 *		fault_alloc_after(n);
 *		st = what_is_tested(...);
 *		if (!fault_alloc_off())
 *			break;		(it went through: st must be ST_OK)
 *		(st must be ST_NOMEM, and nothing half done)
 *	}
 */
#include <stdbool.h>
#include <stddef.h>

/* The n-th allocation from now fails, and every one behind it; n counts from
 * 1. */
void fault_alloc_after(size_t n);

/* From now on none fails; true if one did since fault_alloc_after. */
bool fault_alloc_off(void);

#endif
