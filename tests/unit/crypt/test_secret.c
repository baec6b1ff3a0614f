/* secret: memory for keys, and a process that leaves no copy behind. */
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "crypt/secret.h"
#include "support/expect.h"

/* Would catch: a caller that relies on zeroes and gets the allocator's fill. */
static void
test_new_memory_is_zero_and_writable(void **state)
{
	uint8_t *p = secret_new(100);

	(void)state;
	assert_non_null(p);
	for (int i = 0; i < 100; i++)
		assert_int_equal(p[i], 0);
	memset(p, 1, 100);
	secret_free(p);
	secret_free(NULL);
}

/* Would catch: a step behind the memory that is not stopped at once. */
static void
test_a_step_behind_the_memory_ends_the_process(void **state)
{
	int how = 0;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		volatile uint8_t *p = secret_new(64);
		const struct rlimit none = { 0, 0 };

		(void)setrlimit(RLIMIT_CORE, &none);
		(void)close(STDERR_FILENO);
		if (p != NULL)
			p[64] = 1;
		_exit(0);
	}
	assert_true(pid > 0 && waitpid(pid, &how, 0) == pid);
	assert_false(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

/* Would catch: a core file with keys in it. */
static void
test_no_dump_is_left_behind(void **state)
{
	int how = 0;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct rlimit now;

		if (secret_no_dumps() != ST_OK)
			_exit(1);
		if (getrlimit(RLIMIT_CORE, &now) != 0 || now.rlim_max != 0)
			_exit(2);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
		if (prctl(PR_GET_DUMPABLE) != 0)
			_exit(3);
#endif
		_exit(0);
	}
	assert_true(pid > 0 && waitpid(pid, &how, 0) == pid);
	assert_true(WIFEXITED(how));
	assert_int_equal(WEXITSTATUS(how), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_memory_is_zero_and_writable),
		cmocka_unit_test(
		    test_a_step_behind_the_memory_ends_the_process),
		cmocka_unit_test(test_no_dump_is_left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
