/*
 * daybreak-look: see look.h.  Started by the handheld's program for each file;
 * a person may run it: daybreak-look < FILE.
 *
 * Before the first byte of the file is looked at: no core, no new files,
 * nothing written but the answer, half a GiB of memory, ten seconds, no new
 * privileges.
 */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/look/look.h"

enum { MEMORY = 512 << 20, SECONDS = 10 };

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
		  limit(RLIMIT_FSIZE, LOOK_ANSWER_MAX) &&
		  limit(RLIMIT_NOFILE, 3) && limit(RLIMIT_NPROC, 0);

#ifndef __SANITIZE_ADDRESS__ /* which maps far more than it uses */
	ok = ok && limit(RLIMIT_AS, MEMORY);
#endif
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ok;
}

static void
read_up_to(struct buf *in, size_t len)
{
	while (in->len < len && in->err == ST_OK) {
		size_t before = in->len, want = len - before;
		uint8_t *p = buf_extend(in, want < 65536 ? want : 65536);
		ssize_t n =
		    p == NULL ? 0 : read(STDIN_FILENO, p, in->len - before);

		in->len = before + (n > 0 ? (size_t)n : 0);
		if (n <= 0)
			return;
	}
}

int
main(void)
{
	char type[LOOK_TYPE_MAX + 1];
	struct buf in, out;
	bool known = look_open() == ST_OK;

	if (!known)
		(void)fprintf(stderr,
		    "daybreak-look: 没有 libmagic 的数据库（软件包 "
		    "libmagic-mgc）no database of libmagic\n");
	if (!confine())
		return 1;
	buf_init(&in, LOOK_IMAGE_BYTES + 1);
	buf_init(&out, LOOK_ANSWER_MAX);
	read_up_to(&in, LOOK_TYPE_BYTES);
	look_type(buf_view(&in), type);
	buf_str(&out, type);
	buf_u8(&out, '\n');
	if (look_is_image(type)) {
		size_t before = out.len;

		read_up_to(&in, LOOK_IMAGE_BYTES + 1);
		if (in.err != ST_OK || in.len > LOOK_IMAGE_BYTES ||
		    look_thumb(type, buf_view(&in), &out) != ST_OK) {
			out.len = before;
			out.err = ST_OK;
		}
	}
	if (fwrite(out.p, 1, out.len, stdout) != out.len)
		return 1;
	buf_free(&in);
	buf_free(&out);
	look_close();
	/* What libraries do at an exit wants files and threads. */
	_exit(fflush(stdout) == 0 ? 0 : 1);
}
