#include "support/fault_alloc.h"

#include <errno.h>
#include <stdint.h>

static bool on, failed;
static size_t left;

/* Names that ld's --wrap gives. */
void *__real_malloc(size_t len);
void *__real_calloc(size_t count, size_t len);
void *__real_realloc(void *p, size_t len);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t count, size_t len);
void *__wrap_realloc(void *p, size_t len);

void
fault_alloc_after(size_t n)
{
	left = n;
	failed = false;
	on = true;
}

bool
fault_alloc_off(void)
{
	on = false;
	return failed;
}

static bool
fails(void)
{
	if (!on)
		return false;
	if (left > 1) {
		left--;
		return false;
	}
	failed = true;
	errno = ENOMEM;
	return true;
}

void *
__wrap_malloc(size_t len)
{
	return fails() ? NULL : __real_malloc(len);
}

void *
__wrap_calloc(size_t count, size_t len)
{
	return fails() ? NULL : __real_calloc(count, len);
}

void *
__wrap_realloc(void *p, size_t len)
{
	return fails() ? NULL : __real_realloc(p, len);
}
