#ifndef SUPPORT_EXPECT_H
#define SUPPORT_EXPECT_H
/*
 * expect: what every test includes.  cmocka's asserts, and two of our own
 * that print what was seen.  Never compiled out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#include "base/bytes.h"
#include "base/status.h"

#define EXPECT(cond) assert_true(cond)
#define EXPECT_ST(expr, want)                                                  \
	expect_status((expr), (want), #expr, __FILE__, __LINE__)
#define EXPECT_OK(expr) EXPECT_ST(expr, ST_OK)
#define EXPECT_BYTES(got, want)                                                \
	expect_bytes((got), (want), #got, __FILE__, __LINE__)

void expect_status(enum status got, enum status want, const char *what,
    const char *file, int line);
void expect_bytes(struct bytes got, struct bytes want, const char *what,
    const char *file, int line);

#endif
