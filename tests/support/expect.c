#include "support/expect.h"

void
expect_status(enum status got, enum status want, const char *what,
    const char *file, int line)
{
	if (got == want)
		return;
	print_error(
	    "%s: %s, expected %s\n", what, status_name(got), status_name(want));
	_fail(file, line);
}

void
expect_bytes(struct bytes got, struct bytes want, const char *what,
    const char *file, int line)
{
	if (bytes_eq(got, want))
		return;
	print_error("%s:\n  got  (%zu) %.*s\n  want (%zu) %.*s\n", what,
	    got.len, (int)got.len, (const char *)got.p, want.len, (int)want.len,
	    (const char *)want.p);
	_fail(file, line);
}

/* What LeakSanitizer asks: cairo keeps some of its fonts' caches for ever. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libcairo.so\n";
}
