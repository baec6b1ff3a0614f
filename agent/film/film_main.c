/*
 * daybreak-film: see film.h.  Started by the desk agent for each file of a
 * card, which it gets on standard input, to be read alone; a person may run it:
 * daybreak-film < FILE.
 *
 * Before the first byte of the file is looked at: no core, no new files,
 * nothing written but the answer, a GiB of memory, a minute, no new privileges.
 * Exit: 0 told, 1 not, 2 no database of types.
 */
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/film/film.h"

enum { MEMORY = 1 << 30, SECONDS = 60 };

static bool
limit(__rlimit_resource_t what, rlim_t most)
{
	const struct rlimit r = { most, most };

	return setrlimit(what, &r) == 0;
}

static bool
confine(void)
{
	bool ok = limit(RLIMIT_CORE, 0) && limit(RLIMIT_CPU, SECONDS) &&
		  limit(RLIMIT_FSIZE, FILM_ANSWER_MAX) &&
		  limit(RLIMIT_NOFILE, 3) && limit(RLIMIT_NPROC, 0);

#ifndef __SANITIZE_ADDRESS__ /* which maps far more than it uses */
	ok = ok && limit(RLIMIT_AS, MEMORY);
#endif
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ok;
}

int
main(void)
{
	static struct film_said said;
	struct buf out;

	if (look_open() != ST_OK) {
		(void)fprintf(stderr,
		    "daybreak-film: 没有 libmagic 的数据库（软件包 "
		    "libmagic-mgc）no database of libmagic\n");
		return 2;
	}
	if (!confine())
		return 1;
	buf_init(&out, FILM_ANSWER_MAX);
	if (film_read(STDIN_FILENO, &said) != ST_OK)
		return 1;
	film_write(&said, &out);
	if (out.err != ST_OK || fwrite(out.p, 1, out.len, stdout) != out.len)
		return 1;
	/* What libraries do at an exit wants files and threads. */
	_exit(fflush(stdout) == 0 ? 0 : 1);
}
