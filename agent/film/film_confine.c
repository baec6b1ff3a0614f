/*
 * film_confine: what a process that looks at a stranger's recording can still
 * do: read the file it was given, write its answer, use memory, end.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <fcntl.h>
#include <seccomp.h>
#include <unistd.h>

#include "agent/film/film.h"

enum { MEMORY = 1 << 30, SECONDS = 60 };

static bool
limit(__rlimit_resource_t what, rlim_t most)
{
	const struct rlimit r = { most, most };

	return setrlimit(what, &r) == 0;
}

/* Calls that are harmless whatever they are given. */
static const int harmless[] = { SCMP_SYS(read), SCMP_SYS(readv),
	SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fstat),
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
	SCMP_SYS(futex), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
	SCMP_SYS(time), SCMP_SYS(getrandom), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_yield), SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(sigaltstack), SCMP_SYS(exit),
	SCMP_SYS(exit_group) };

static bool
allow_harmless(scmp_filter_ctx f)
{
	bool ok = true;

	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		ok = ok &&
		     seccomp_rule_add(f, SCMP_ACT_ALLOW, harmless[i], 0) == 0;
	return ok;
}

/* Memory without a file behind it, that is never run; its own answer; how long
 * its own file is. */
static bool
allow_some(scmp_filter_ctx f)
{
	const struct scmp_arg_cmp anonymous =
	    SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS);
	const struct scmp_arg_cmp never_run =
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	const struct scmp_arg_cmp answer =
	    SCMP_A0(SCMP_CMP_LE, STDERR_FILENO, 0);
	const struct scmp_arg_cmp open_one =
	    SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH);

	return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, anonymous,
		   never_run) == 0 &&
	       seccomp_rule_add(
		   f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, never_run) == 0 &&
	       seccomp_rule_add(
		   f, SCMP_ACT_ALLOW, SCMP_SYS(write), 1, answer) == 0 &&
	       seccomp_rule_add(
		   f, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1, open_one) == 0;
}

/* All else fails with EPERM: libraries that try find another way, or none. */
static bool
filter(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	bool ok = f != NULL && allow_harmless(f) && allow_some(f) &&
		  seccomp_load(f) == 0;

	if (f != NULL)
		seccomp_release(f);
	return ok;
}

bool
film_confine(void)
{
	bool ok = limit(RLIMIT_CORE, 0) && limit(RLIMIT_CPU, SECONDS) &&
		  limit(RLIMIT_FSIZE, FILM_ANSWER_MAX) &&
		  limit(RLIMIT_NOFILE, 3) && limit(RLIMIT_NPROC, 0);

#ifndef __SANITIZE_ADDRESS__ /* which maps far more than it uses */
	ok = ok && limit(RLIMIT_AS, MEMORY);
#endif
	return ok && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && filter();
}
