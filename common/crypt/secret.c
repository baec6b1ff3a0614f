#include "crypt/secret.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* At its end LeakSanitizer traces its own process, which must allow it. */
#if defined(__SANITIZE_ADDRESS__)
enum { TRACED_BY_TEST = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { TRACED_BY_TEST = 1 };
#else
enum { TRACED_BY_TEST = 0 };
#endif
#else
enum { TRACED_BY_TEST = 0 };
#endif

void *
secret_new(size_t len)
{
	void *p;

	assert(len > 0);
	/* Sets up the guard pages; does nothing the second time. */
	if (sodium_init() < 0)
		return NULL;
	p = sodium_malloc(len);
	if (p != NULL)
		memset(p, 0, len);
	return p;
}

void
secret_free(void *p)
{
	sodium_free(p);
}

bool
secret_locks(void)
{
	char probe[1] = { 0 };
	bool ok = sodium_mlock(probe, sizeof(probe)) == 0;

	if (ok)
		(void)sodium_munlock(probe, sizeof(probe));
	return ok;
}

enum status
secret_no_dumps(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return ST_IO;
	if (!TRACED_BY_TEST && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return ST_IO;
	return ST_OK;
}
