/*
 * daybreak-film: see film.h.  Started by the agent for each file of a card and
 * each recording that is attached, which it gets on standard input, to be read
 * alone; a person may run it: daybreak-film < FILE.  With DAYBREAK_FILM=times
 * in the environment no picture is decoded: the type, when it was made and how
 * long it is are told alone.
 *
 * Before the first byte of the file is looked at it is confined (film.h).
 * Exit: 0 told, 1 not, 2 no database of types.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/film/film.h"

int
main(void)
{
	static struct film_said said;
	const char *how = getenv("DAYBREAK_FILM");
	bool codes = how == NULL || strcmp(how, "times") != 0;
	struct buf out;

	if (look_open() != ST_OK) {
		(void)fprintf(stderr,
		    "daybreak-film: 没有 libmagic 的数据库（软件包 "
		    "libmagic-mgc）no database of libmagic\n");
		return 2;
	}
	if (!film_confine())
		return 1;
	buf_init(&out, FILM_ANSWER_MAX);
	if (film_read(STDIN_FILENO, codes, &said) != ST_OK)
		return 1;
	film_write(&said, &out);
	if (out.err != ST_OK || fwrite(out.p, 1, out.len, stdout) != out.len)
		return 1;
	/* What libraries do at an exit wants files and threads. */
	_exit(fflush(stdout) == 0 ? 0 : 1);
}
