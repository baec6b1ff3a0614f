#include "support/fault_alloc.h"

#include <errno.h>
#include <stdint.h>

#include "support/expect.h"

static bool on, once, failed, held;
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
	failed = once = false;
	on = true;
}

void
fault_alloc_once(size_t n)
{
	fault_alloc_after(n);
	once = true;
}

bool
fault_alloc_off(void)
{
	on = false;
	return failed;
}

void
fault_alloc_hold(bool hold)
{
	held = hold;
}

static bool
fails(void)
{
	if (!on || held)
		return false;
	if (left > 1) {
		left--;
		return false;
	}
	failed = true;
	on = !once;
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

size_t
fault_alloc_each(fault_alloc_run *run, void *arg)
{
	size_t total = 0;

	for (int way = 0; way < 2; way++) {
		for (size_t n = 1;; n++) {
			enum status st;

			if (way == 0)
				fault_alloc_once(n);
			else
				fault_alloc_after(n);
			st = run(arg);
			if (!fault_alloc_off()) {
				EXPECT_OK(st);
				total = n - 1;
				break;
			}
			if (st != ST_NOMEM)
				fail_msg("allocation %zu fails: %s", n,
				    status_name(st));
		}
	}
	return total;
}
